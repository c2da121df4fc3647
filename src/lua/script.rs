//! A Lua strategy: one VM and its deliveries.
#![allow(clippy::wildcard_enum_match_arm)] // the VM's value and error types are open lists

mod faults;
mod see;
mod strategy;
mod tasks;

use super::bind::{self, Host};
use super::budget::{Budget, RowWord};
use super::graph::Candidate;
use super::load::{self, Declared, Param};
use super::vm::{self, Code};
use super::{fault, rows, values};
use crate::account::Order;
use crate::base::{CallId, OrderKey, Span, StrategyId, Time};
use crate::desk::{Desk, Fault, FaultKind, Mode};
use mlua::{Buffer, Function, Lua, Table, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// The limits of one VM.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long one handler may run.
    pub handler: Duration,
    /// How long loading the file, `on_start`, `on_save` and `on_load` may run.
    pub load: Duration,
    /// Bytes a VM may hold.
    pub memory: usize,
}

impl Default for Limits {
    /// 10 ms a handler, a second to load, 64 MiB.
    fn default() -> Limits {
        Limits {
            handler: Duration::from_millis(10),
            load: Duration::from_secs(1),
            memory: 64 << 20,
        }
    }
}

/// What a script is loaded with.
pub struct Setup {
    pub who: StrategyId,
    pub mode: Mode,
    pub desk: Rc<RefCell<dyn Desk>>,
    /// Parameters of this script; one that it does not declare is an error.
    pub overrides: BTreeMap<String, String>,
    /// Parameters for whichever script declares them.
    pub shared: BTreeMap<String, String>,
    /// The instrument of a script that names none, where the run has just one.
    pub default_instrument: Option<String>,
    /// Of `math.random`.
    pub seed: u64,
    pub limits: Limits,
    pub now: Time,
}

/// A handler that sleeps again and again cannot make the engine spin.
const SHORTEST_SLEEP: Span = Span::from_millis(1);

/// The rows a VM's buffer holds at first; it grows to the longest block.
const FIRST_ROWS: usize = 64;
const MAX_INSTRUMENTS: usize = 1_024;
const SINGLE: u32 = 0;
/// Answers of the prelude's deliveries.
const ASLEEP: u32 = 1;
const FAILED: u32 = 2;
const CALLING: u32 = 3;

/// A handler that waits, and goes on later.
#[derive(Copy, Clone)]
struct Task {
    /// Its number in the prelude.
    number: u32,
    /// The handler it is in.
    handler: &'static str,
}

type Answer = (u32, Value, Value);

/// The trade handler in the form the script has it.
#[derive(Clone)]
struct OnTrade {
    name: &'static str,
    /// How the prelude walks rows for it.
    walk: u32,
    handler: Function,
}

/// A running version of a script.
pub struct Script {
    // First, so that it is dropped before the VM it watches.
    budget: Budget,
    limits: Limits,
    candidate: Candidate,
    declared: Declared,
    host: Rc<Host>,
    prelude: Table,
    deliver: Function,
    control: Buffer,
    /// The row counter inside `control`.
    row: RowWord,
    buffer: Buffer,
    positions: Buffer,
    encoded: Vec<u8>,
    map: Vec<usize>,
    row_times: Rc<Vec<(usize, Time)>>,
    min_qty: Option<crate::base::Decimal>,
    on_trade: Option<OnTrade>,
    update_order: Function,
    /// Orders that changed since the script last ran; its tables of them are refreshed before it
    /// runs again.
    changed: BTreeMap<OrderKey, Order>,
    /// Those that sleep.
    tasks: BTreeMap<(Time, u64), Task>,
    task_count: u64,
    /// Those that wait for the outcome of a call.
    callers: BTreeMap<CallId, Task>,
    faults: Vec<Fault>,
    lua: Lua,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Script({} {})", self.candidate.name, self.candidate.version)
    }
}

impl Script {
    /// Loads a candidate in a fresh VM. Nothing of a version that runs is touched.
    ///
    /// # Errors
    /// When the source does not compile, fails while it loads, or declares what makes no sense.
    pub fn load(candidate: Candidate, setup: Setup) -> Result<Script, Fault> {
        let at = setup.now;
        let own = |err: &mlua::Error| faults::plain_fault(&candidate, "load", &err.to_string(), at);
        let lua = vm::open(setup.seed).map_err(|err| own(&err))?;
        let (desk, sources) = (Rc::clone(&setup.desk), candidate.sources.clone());
        let host = Rc::new(Host::new(desk, setup.who, sources, at));
        let parts = Parts::make(&lua, &host, setup.limits.memory).map_err(|err| own(&err))?;
        let mut budget = Budget::new(&lua);
        budget.arm(setup.limits.load, parts.row);
        let loaded = parts.prelude.get::<Function>("load").and_then(|load| {
            bind::compile(&lua, &candidate.sources, &candidate.entry)?;
            load.call::<Value>(candidate.entry.as_str())
        });
        let stopped = budget.disarm();
        let value = loaded.map_err(|err| faults::load_fault(&candidate, &err, stopped, at))?;
        let declared = load::declared(&value, setup.default_instrument.as_deref());
        let declared =
            declared.map_err(|problem| faults::problem_fault(&candidate, &problem, at))?;
        let min_qty = one_filter(&declared);
        let on_trade = trade_handler(&declared);
        let mut script = Script {
            budget,
            limits: setup.limits,
            host,
            prelude: parts.prelude,
            deliver: parts.deliver,
            control: parts.control,
            row: parts.row,
            buffer: parts.buffer,
            positions: parts.positions,
            encoded: Vec::new(),
            map: Vec::new(),
            row_times: Rc::new(Vec::new()),
            min_qty,
            on_trade,
            update_order: parts.update_order,
            changed: BTreeMap::new(),
            tasks: BTreeMap::new(),
            task_count: 0,
            callers: BTreeMap::new(),
            faults: Vec::new(),
            lua,
            candidate,
            declared,
        };
        script.furnish(&setup)?;
        Ok(script)
    }

    /// Fills in `ctx`: parameters, names, instruments.
    fn furnish(&mut self, setup: &Setup) -> Result<(), Fault> {
        let mut overrides = setup.overrides.clone();
        for param in &self.declared.params {
            if let Some(value) = setup.shared.get(&param.name) {
                overrides.insert(param.name.clone(), value.clone());
            }
        }
        let params = load::resolve_params(&self.declared.params, &overrides);
        let params = params
            .map_err(|why| faults::plain_fault(&self.candidate, "params", &why, setup.now))?;
        let fill = || -> Result<(), String> {
            let text = |err: mlua::Error| err.to_string();
            let ctx: Table = self.prelude.get("ctx").map_err(text)?;
            let table = self.lua.create_table().map_err(text)?;
            for (name, value) in &params {
                table.raw_set(name.as_str(), bind::parameter(&self.lua, value)?).map_err(text)?;
            }
            table.set_readonly(true);
            ctx.raw_set("params", table).map_err(text)?;
            ctx.raw_set("mode", setup.mode.word()).map_err(text)?;
            ctx.raw_set("name", self.candidate.name.as_str()).map_err(text)?;
            ctx.raw_set("version", &*self.candidate.version.0).map_err(text)?;
            ctx.raw_set("now", setup.now.seconds()).map_err(text)?;
            self.name_instruments()
        };
        fill().map_err(|why| faults::plain_fault(&self.candidate, "subscribe", &why, setup.now))
    }

    fn name_instruments(&self) -> Result<(), String> {
        let text = |err: mlua::Error| err.to_string();
        let set: Function = self.prelude.get("set_instruments").map_err(text)?;
        let mut ids = Vec::new();
        for entry in &self.declared.subscriptions {
            let known = self.host.desk.borrow().instrument_named(&entry.instrument);
            let Some(known) = known else {
                let names = self.host.desk.borrow().instrument_names().join(", ");
                return Err(format!(
                    "this run knows no instrument {}; it knows {names}",
                    entry.instrument
                ));
            };
            if usize::from(known.id.0) >= MAX_INSTRUMENTS {
                return Err(format!(
                    "a strategy reaches the first {MAX_INSTRUMENTS} instruments only"
                ));
            }
            set.call::<()>((known.id.0, known.name())).map_err(text)?;
            if !ids.contains(&known.id.0) {
                ids.push(known.id.0);
            }
        }
        let only = if let [only] = ids.as_slice() { Some(*only) } else { None };
        let mut names: Vec<&str> =
            self.declared.subscriptions.iter().map(|entry| entry.instrument.as_str()).collect();
        names.dedup();
        let set: Function = self.prelude.get("set_default").map_err(text)?;
        set.call::<()>((only, names.join(", "))).map_err(text)
    }

    /// The names of the handlers it has.
    pub fn handlers(&self) -> impl Iterator<Item = &'static str> {
        self.declared.handlers.keys().copied()
    }

    /// The declared parameters.
    #[must_use]
    pub fn params(&self) -> &[Param] {
        &self.declared.params
    }

    #[must_use]
    pub fn candidate(&self) -> &Candidate {
        &self.candidate
    }

    /// Bytes the VM holds now.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.lua.used_memory()
    }

    /// Makes room for `rows` rows. The buffer is the host's, and does not count against the
    /// script's memory.
    fn grow(&mut self, rows: usize) -> mlua::Result<()> {
        if rows * rows::ROW <= self.buffer.len() {
            return Ok(());
        }
        let bytes = rows.next_power_of_two() * rows::ROW;
        self.lua.set_memory_limit(self.limits.memory + bytes)?;
        self.buffer = self.lua.create_buffer_with_capacity(bytes)?;
        self.prelude.get::<Function>("set_rows")?.call(self.buffer.clone())
    }

    fn handler(&self, name: &str) -> Option<Function> {
        self.declared.handlers.get(name).cloned()
    }

    /// Runs one handler with one object, outside of the rows.
    fn single(&mut self, now: Time, name: &'static str, object: Value, more: Value) {
        let Some(handler) = self.handler(name) else { return };
        self.host.now.set(now);
        self.host.rows.replace(None);
        self.set_now(now);
        let budget = if name == "on_start" { self.limits.load } else { self.limits.handler };
        self.run(name, budget, (SINGLE, handler, object, more));
    }

    fn set_now(&self, now: Time) {
        if let Ok(ctx) = self.prelude.raw_get::<Table>("ctx") {
            drop(ctx.raw_set("now", now.seconds()));
        }
    }

    /// One delivery under the watchdog. The answer's last row, for walks.
    fn run(
        &mut self,
        name: &'static str,
        budget: Duration,
        args: (u32, Function, Value, Value),
    ) -> Option<u32> {
        self.refresh(name);
        self.budget.arm(budget, self.row);
        let answer = self.deliver.call::<Answer>(args);
        let stopped = self.budget.disarm();
        self.answered(name, answer, stopped)
    }

    fn refresh(&mut self, name: &str) {
        if let Err(err) = self.refresh_orders() {
            let (now, _) = self.host.moment();
            self.fail(name, &err.to_string(), "", false, now);
        }
    }

    fn answered(
        &mut self,
        name: &'static str,
        answer: mlua::Result<Answer>,
        stopped: bool,
    ) -> Option<u32> {
        let (now, _) = self.host.moment();
        match answer {
            Ok((FAILED, message, trace)) => {
                self.fail(name, &text_of(&message), &text_of(&trace), stopped, now);
                None
            }
            Ok((ASLEEP, task, seconds)) => {
                let span = seconds.as_f64().or_else(|| seconds.as_i64().map(lossy));
                let span = span.and_then(Span::from_seconds).unwrap_or(Span::ZERO);
                let span = span.max(SHORTEST_SLEEP);
                let number = task.as_u32().unwrap_or_default();
                let task = Task { number, handler: name };
                self.tasks.insert((now.plus(span), self.task_count), task);
                self.task_count += 1;
                None
            }
            Ok((CALLING, task, call)) => {
                let (number, call) = (task.as_u32().unwrap_or_default(), call.as_u64());
                self.callers
                    .insert(CallId(call.unwrap_or_default()), Task { number, handler: name });
                None
            }
            Ok((_, row, _)) => row.as_u32(),
            Err(err) => {
                let autopsy = self.prelude.get::<Function>("autopsy");
                let trace = autopsy.and_then(|ask| ask.call::<String>(())).unwrap_or_default();
                self.fail(name, &err.to_string(), &trace, stopped, now);
                None
            }
        }
    }

    fn fail(&mut self, name: &str, message: &str, trace: &str, stopped: bool, now: Time) {
        let memory = message.contains("not enough memory");
        let kind = match (stopped, memory) {
            (true, _) => FaultKind::Budget,
            (false, true) => FaultKind::Memory,
            (false, false) => FaultKind::Error,
        };
        if memory {
            drop(self.lua.gc_collect());
        }
        let budget = format!(
            "the handler ran past its time budget of {} ms and was stopped; do less in one call",
            self.limits.handler.as_millis()
        );
        let message = if stopped { budget.as_str() } else { message };
        let made = fault::fault(kind, name, message, trace, &self.candidate.sources, now);
        if name != "on_error" && self.declared.handlers.contains_key("on_error") {
            let told = self.fault_table(&made);
            self.faults.push(made);
            if let Ok(table) = told {
                self.single(now, "on_error", Value::Table(table), Value::Nil);
            }
        } else {
            self.faults.push(made);
        }
    }

    fn fault_table(&self, fault: &Fault) -> mlua::Result<Table> {
        let table = self.lua.create_table()?;
        table.raw_set("message", fault.message.as_str())?;
        table.raw_set("handler", fault.handler.as_str())?;
        table.raw_set("traceback", fault.traceback.as_str())?;
        table.raw_set("file", fault.file.as_str())?;
        table.raw_set("line", fault.line)?;
        Ok(table)
    }

    /// One row, for news that comes alone.
    fn one_row(&mut self, now: Time, name: &'static str, walk: u32, handler: Function, row: &[u8]) {
        self.buffer.write_bytes(0, row);
        self.control.write_bytes(0, &[0; 8]);
        self.control.write_bytes(AT_NOW, &now.seconds().to_le_bytes());
        self.host.now.set(now);
        self.host.rows.replace(None);
        self.map.clear();
        self.run(name, self.limits.handler, (walk, handler, Value::Integer(0), Value::Integer(0)));
    }
}

/// The control buffer: the row being handled, whether the strategy acted, and the time to go by (0:
/// each row's own; news that comes alone has the venue's stamp in its row, and the engine's time
/// here).
const CONTROL: usize = 16;
const AT_NOW: usize = 8;

/// The walk over event rows, which runs for every event.
const WALK: &str = include_str!("prelude/walk.luau");

/// The trusted half of the host inside each VM: one chunk in three files.
pub const PRELUDE: &str = concat!(
    include_str!("prelude/runner.luau"),
    include_str!("prelude/asks.luau"),
    include_str!("prelude/calls.luau"),
    include_str!("prelude/modules.luau"),
);

/// The pieces of a VM that deliveries use.
struct Parts {
    prelude: Table,
    deliver: Function,
    update_order: Function,
    control: Buffer,
    row: RowWord,
    buffer: Buffer,
    positions: Buffer,
}

impl Parts {
    fn make(lua: &Lua, host: &Rc<Host>, memory: usize) -> mlua::Result<Parts> {
        let control = lua.create_buffer_with_capacity(CONTROL)?;
        let buffer = lua.create_buffer_with_capacity(FIRST_ROWS * rows::ROW)?;
        let positions = lua.create_buffer_with_capacity(MAX_INSTRUMENTS * 8)?;
        let row = super::budget::buffer_word(lua, &control)?;
        let functions = bind::functions(lua, host)?;
        let walk = vm::trusted(lua, "lunario", WALK, Code::Native)?;
        let prelude = vm::trusted(lua, "lunario", PRELUDE, Code::Interpreted)?;
        let prelude: Table =
            prelude.call((functions, control.clone(), buffer.clone(), positions.clone(), walk))?;
        vm::close(lua, &prelude, bind::print(lua, host)?, memory)?;
        let update_order: Function = prelude.get("update_order")?;
        host.update_order.replace(Some(update_order.clone()));
        let deliver = prelude.get("deliver")?;
        Ok(Parts { prelude, deliver, update_order, control, row, buffer, positions })
    }
}

fn trade_handler(declared: &Declared) -> Option<OnTrade> {
    let walks = load::TRADE_HANDLERS.iter().zip([rows::TRADE, rows::TRADE_FIELDS]);
    walks
        .filter_map(|(name, walk)| {
            let handler = declared.handlers.get(name)?.clone();
            Some(OnTrade { name, walk, handler })
        })
        .next()
}

fn one_filter(declared: &Declared) -> Option<crate::base::Decimal> {
    declared
        .subscriptions
        .iter()
        .filter(|entry| entry.channel == crate::base::Channel::Trades)
        .map(|entry| entry.min_qty)
        .min()
        .flatten()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string_lossy(),
        other => other.to_string().unwrap_or_default(),
    }
}

#[allow(clippy::cast_precision_loss)] // seconds of sleep, at most 1e9
fn lossy(whole: i64) -> f64 {
    whole as f64
}

#[allow(clippy::cast_precision_loss)] // rows of one block
fn lossy_len(at: usize) -> f64 {
    at as f64
}
