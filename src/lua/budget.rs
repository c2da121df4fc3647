//! The time budget of handlers: a watchdog thread that stops a VM from outside.
//!
//! In normal running no interrupt is installed, so the scripts pay nothing. The host arms the
//! watchdog around each delivery; once the budget has passed the watchdog stores a raw callback
//! into the VM, which the VM calls at its next safepoint (loop back-edges, calls, returns, native
//! code included). A call that finds the walk over rows moving gives the current row its own full
//! budget. One that finds it standing notes the thread's processor time; the next, a budget later,
//! raises an error if the handler itself has used its budget of it since (a machine that is busy
//! with other things is no fault of the script), and goes on raising at every further safepoint
//! until the delivery has returned, so that `pcall` cannot keep it. So a handler that never ends is
//! stopped after about two budgets.
//!
//! This file reads clocks: a budget is about real time, and its breach is an input of the engine.
#![allow(unsafe_code, clippy::disallowed_methods)]

use mlua::ffi;
use std::cell::RefCell;
use std::os::raw::c_int;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

/// How often the watchdog looks; a breach is seen at most this late.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The watchdog's side of one VM.
struct Watched {
    state: Mutex<Armed>,
}

struct Armed {
    /// Which delivery is under way; 0 for none.
    delivery: u64,
    since: Instant,
    budget: Duration,
    /// The callback is in the VM.
    installed: bool,
    callbacks: Callbacks,
}

/// The VM's callback table. Written under the mutex only, and only while the VM lives.
struct Callbacks(*mut ffi::lua_Callbacks);

// SAFETY: the pointer is only used under `Watched::state`, by the watchdog to store one word and by
// the VM's own thread; `Budget::drop` clears it under the same mutex before the VM goes away.
unsafe impl Send for Callbacks {}

/// One VM's budget. Lives on the VM's thread.
pub struct Budget {
    watched: Arc<Watched>,
    next_delivery: u64,
}

/// What the interrupt callback needs to know about the delivery under way on this thread.
struct Current {
    watched: Arc<Watched>,
    /// The control buffer's first word: the row being handled.
    row: RowWord,
    row_seen: u32,
    /// The thread's processor time when the row was first found standing.
    standing_since: Option<Duration>,
    raising: bool,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

impl Budget {
    /// A budget for this VM.
    #[must_use]
    pub fn new(lua: &mlua::Lua) -> Budget {
        // SAFETY: the state is this VM's main state; `lua_callbacks` returns a table that lives as
        // long as the VM.
        let callbacks = lua.exec_raw_lua(|raw| unsafe { ffi::lua_callbacks(raw.state()) });
        let armed = Armed {
            delivery: 0,
            since: Instant::now(),
            budget: Duration::ZERO,
            installed: false,
            callbacks: Callbacks(callbacks),
        };
        let watched = Arc::new(Watched { state: Mutex::new(armed) });
        watchdog::watch(&watched);
        Budget { watched, next_delivery: 1 }
    }

    /// Starts the clock for a delivery over the rows that `row` counts.
    pub fn arm(&mut self, budget: Duration, row: RowWord) {
        CURRENT.set(Some(Current {
            watched: Arc::clone(&self.watched),
            row,
            row_seen: row.read(),
            standing_since: None,
            raising: false,
        }));
        let mut state = lock(&self.watched);
        state.delivery = self.next_delivery;
        state.since = Instant::now();
        state.budget = budget;
        self.next_delivery += 1;
    }

    /// Ends the delivery. True if a handler was stopped in it.
    pub fn disarm(&mut self) -> bool {
        let mut state = lock(&self.watched);
        state.delivery = 0;
        state.uninstall();
        drop(state);
        CURRENT.take().is_some_and(|current| current.raising)
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        let mut state = lock(&self.watched);
        state.delivery = 0;
        state.uninstall();
        state.callbacks.0 = std::ptr::null_mut();
    }
}

impl Armed {
    fn install(&mut self) {
        if !self.callbacks.0.is_null() {
            // SAFETY: see `Callbacks`.
            unsafe { (*self.callbacks.0).interrupt = Some(on_interrupt) };
            self.installed = true;
        }
    }

    fn uninstall(&mut self) {
        if self.installed && !self.callbacks.0.is_null() {
            // SAFETY: see `Callbacks`.
            unsafe { (*self.callbacks.0).interrupt = None };
        }
        self.installed = false;
    }
}

fn lock(watched: &Watched) -> MutexGuard<'_, Armed> {
    watched.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What the VM calls at a safepoint once the watchdog has spoken.
unsafe extern "C-unwind" fn on_interrupt(state: *mut ffi::lua_State, gc: c_int) {
    if gc >= 0 || !stop_now() {
        return;
    }
    // SAFETY: raising inside an interrupt is what Luau's interrupts are for; nothing of ours is on
    // this frame that would need dropping.
    unsafe {
        ffi::luaL_error(state, c"the handler ran past its time budget and was stopped".as_ptr());
    }
}

/// True if the handler of one row has used its whole budget.
fn stop_now() -> bool {
    CURRENT.with_borrow_mut(|current| {
        let Some(current) = current else { return false };
        if current.raising {
            return true;
        }
        let (row, used) = (current.row.read(), processor_time());
        let mut state = lock(&current.watched);
        if row != current.row_seen {
            current.row_seen = row;
            current.standing_since = None;
        } else if let Some(since) = current.standing_since {
            // The watchdog looks every two milliseconds, so it may call a little early. Where the
            // system does not tell processor time, real time counts.
            let own = used.map(|used| used.saturating_sub(since) + LOOK_EVERY);
            if own.is_none_or(|own| own >= state.budget) {
                current.raising = true;
                return true;
            }
        } else {
            current.standing_since = Some(used.unwrap_or_default());
        }
        state.since = Instant::now();
        state.uninstall();
        false
    })
}

/// The processor time that this thread has used, where the system tells.
fn processor_time() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes into `time`, which lives across it.
    let told = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    (told == 0).then(|| Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default()))
}

/// The thread that looks at every VM of the process, every two milliseconds while there is one.
mod watchdog {
    use super::{Arc, Instant, LOOK_EVERY, Mutex, Watched, Weak, lock};
    use std::sync::{Condvar, PoisonError};

    static VMS: Mutex<Vec<Weak<Watched>>> = Mutex::new(Vec::new());
    static NEW_VM: Condvar = Condvar::new();
    static START: std::sync::Once = std::sync::Once::new();

    pub(super) fn watch(vm: &Arc<Watched>) {
        VMS.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(vm));
        START.call_once(|| {
            let spawned =
                std::thread::Builder::new().name("lua-watchdog".into()).spawn(look_for_ever);
            assert!(spawned.is_ok(), "the watchdog thread could not be started");
        });
        NEW_VM.notify_one();
    }

    fn look_for_ever() {
        loop {
            let mut vms = VMS.lock().unwrap_or_else(PoisonError::into_inner);
            vms.retain(|vm| vm.upgrade().is_some_and(|vm| look(&vm)));
            if vms.is_empty() {
                drop(NEW_VM.wait(vms).unwrap_or_else(PoisonError::into_inner));
                continue;
            }
            drop(vms);
            #[allow(clippy::disallowed_methods)] // the watchdog's own pace, outside every decision
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// False once the VM is gone.
    fn look(vm: &Watched) -> bool {
        let mut state = lock(vm);
        let late = state.delivery != 0
            && !state.installed
            && Instant::now().duration_since(state.since) >= state.budget;
        if late {
            state.install();
        }
        !state.callbacks.0.is_null()
    }
}

/// The first word of a VM's control buffer: the row being handled. Whoever holds it keeps the
/// buffer alive beside it.
#[derive(Copy, Clone)]
pub struct RowWord(*const u32);

impl RowWord {
    fn read(self) -> u32 {
        // SAFETY: `buffer_word` made the address from a buffer whose bytes do not move, and the
        // script that arms the budget owns that buffer.
        unsafe { self.0.read_volatile() }
    }
}

/// The first word of a buffer of this VM.
///
/// # Errors
/// When the VM is out of memory.
pub fn buffer_word(lua: &mlua::Lua, buffer: &mlua::Buffer) -> mlua::Result<RowWord> {
    let mut address = std::ptr::null();
    // SAFETY: the buffer is on top of the stack; Luau keeps a buffer's bytes inline in its object,
    // which its collector never moves. The allocation is aligned for doubles.
    unsafe {
        lua.exec_raw::<()>(buffer.clone(), |state| {
            let mut length = 0;
            address = ffi::lua_tobuffer(state, -1, &raw mut length).cast_const().cast::<u32>();
            ffi::lua_pop(state, 1);
        })?;
    }
    Ok(RowWord(address))
}
