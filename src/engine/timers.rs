//! The strategies' timers. They belong to the host: a reload does not touch them.

use crate::base::{Span, StrategyId, Time};
use std::collections::BTreeMap;

/// A timer that is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    pub who: StrategyId,
    pub name: String,
    /// When it was meant to ring.
    pub at: Time,
}

#[derive(Clone, Debug)]
struct Timer {
    at: Time,
    every: Option<Span>,
    order: u64,
}

/// All timers, by strategy and name; rung in order of time, then of setting.
#[derive(Clone, Debug, Default)]
pub struct Timers {
    named: BTreeMap<(StrategyId, String), Timer>,
    line: BTreeMap<(Time, u64), (StrategyId, String)>,
    count: u64,
}

/// The shortest period of a repeated timer: a strategy cannot make the engine spin.
pub const SHORTEST: Span = Span::from_millis(1);

impl Timers {
    /// Sets a timer; the same name again replaces it.
    pub fn set(&mut self, who: StrategyId, name: &str, now: Time, span: Span, repeat: bool) {
        self.cancel(who, name);
        let span = span.max(SHORTEST);
        let timer = Timer { at: now.plus(span), every: repeat.then_some(span), order: self.count };
        self.count += 1;
        self.line.insert((timer.at, timer.order), (who, name.to_owned()));
        self.named.insert((who, name.to_owned()), timer);
    }

    pub fn cancel(&mut self, who: StrategyId, name: &str) -> bool {
        let Some(timer) = self.named.remove(&(who, name.to_owned())) else { return false };
        self.line.remove(&(timer.at, timer.order));
        true
    }

    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.line.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next timer due at `now`. A repeated one is set for its next period after `now`: what a
    /// stall missed is rung once, not many times.
    pub fn due(&mut self, now: Time) -> Option<Due> {
        let entry = self.line.first_entry().filter(|entry| entry.key().0 <= now)?;
        let (at, _) = *entry.key();
        let (who, name) = entry.remove();
        let key = (who, name.clone());
        match self.named.get_mut(&key).and_then(|timer| timer.every.map(|span| (timer, span))) {
            Some((timer, span)) => {
                let missed = now.since(at).nanos() / span.nanos();
                timer.at = at.plus(Span::from_nanos(span.nanos() * (missed + 1)));
                timer.order = self.count;
                self.line.insert((timer.at, timer.order), key);
                self.count += 1;
            }
            None => drop(self.named.remove(&key)),
        }
        Some(Due { who, name, at })
    }
}
