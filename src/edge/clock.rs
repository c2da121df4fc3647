//! The clock: the one file that reads the time of day, and a stopwatch over wall, CPU and memory.
//! Everything else gets `Time` as an argument.

use crate::base::{Span, Time};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static LATEST: AtomicI64 = AtomicI64::new(0);

/// The wall clock, made monotonic: within this process it never goes back, even if the system's
/// clock is set back (it then stands still until the system's clock has caught up).
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the file that may read the clock")]
pub fn now() -> Time {
    let wall = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(_) => 0,
    };
    let before = LATEST.fetch_max(wall, Ordering::Relaxed);
    Time::from_nanos(before.max(wall))
}

/// How long from now until `deadline`; zero if it has passed.
#[must_use]
pub fn until(deadline: Time) -> Duration {
    duration(deadline.since(now()))
}

/// A span as the standard library's duration; zero if negative.
#[must_use]
pub fn duration(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.nanos()).unwrap_or(0))
}

/// Measures a stretch of work: wall time, and what the process used meanwhile.
#[derive(Copy, Clone, Debug)]
pub struct Stopwatch {
    started: Time,
    cpu: Option<Span>,
}

impl Stopwatch {
    #[must_use]
    pub fn start() -> Stopwatch {
        Stopwatch { started: now(), cpu: process_cpu() }
    }

    #[must_use]
    pub fn wall(&self) -> Span {
        now().since(self.started)
    }

    /// CPU time (user and system) of the whole process since the start, to 10 ms; `None` where the
    /// system does not tell it the way Linux does.
    #[must_use]
    pub fn cpu(&self) -> Option<Span> {
        let (before, after) = (self.cpu?, process_cpu()?);
        Some(Span::from_nanos(after.nanos().saturating_sub(before.nanos())))
    }
}

/// The largest resident memory the process ever had, in bytes (`VmHWM`); `None` off Linux.
#[must_use]
pub fn peak_rss() -> Option<u64> {
    peak_in(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn process_cpu() -> Option<Span> {
    cpu_in(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// Fields 14 and 15 of `/proc/self/stat` in ticks; Linux shows 100 a second on every machine.
/// The command's name (field 2) may hold spaces, so counting starts after its closing bracket.
fn cpu_in(stat: &str) -> Option<Span> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: i64 = fields.next()?.parse().ok()?;
    let system: i64 = fields.next()?.parse().ok()?;
    Some(Span::from_millis(user.checked_add(system)?.checked_mul(10)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let mut last = now();
        for _ in 0..10_000 {
            let next = now();
            assert!(next >= last);
            last = next;
        }
        assert!(last.millis() > 1_700_000_000_000, "after 2023: {last}");
        assert_eq!(until(Time::ZERO), Duration::ZERO);
    }

    #[test]
    fn memory_and_cpu_are_read_as_linux_writes_them() {
        assert_eq!(peak_in("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2_097_152));
        assert_eq!(peak_in("Name:\tx\n"), None);
        let stat = "1 (a ) b) S 1 1 1 0 -1 4194304 1 2 3 4 150 50 7 8 20 0 1 0 5";
        assert_eq!(cpu_in(stat), Some(Span::from_secs(2)));
        assert_eq!(cpu_in("1 (x) S"), None);
    }
}
