//! Pace: a lane that lets at most so many items go in any window of a span, cancels first.
//! It holds a log of send times, not tokens: refilled buckets let twice the limit into one
//! window.

use crate::base::{Span, Time};
use crate::calls::Priority;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[cfg(test)]
mod tests;

/// A rate budget: at most `limit` items in any window of `span`. The last `reserve` of them are
/// only for cancels and reconciliation, so everything else may use `limit - reserve`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Pace {
    pub limit: u32,
    pub reserve: u32,
    pub span: Span,
}

/// What came out of a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Turn<T> {
    /// It may go now, and counts.
    Sent(T),
    /// Its deadline passed while it waited: it must not go any more.
    Expired(T),
}

type Spot = (Priority, u64);

/// Items that wait for their turn: by priority, first in first out within one.
#[derive(Clone, Debug)]
pub struct Lane<T> {
    pace: Pace,
    /// Send times within the window, oldest first; never longer than `limit`.
    log: VecDeque<Time>,
    queue: BTreeMap<Spot, (Time, T)>,
    deadlines: BTreeSet<(Time, Spot)>,
    pushed: u64,
    held: Time,
    seen: Time,
}

impl<T> Lane<T> {
    #[must_use]
    pub fn new(pace: Pace) -> Lane<T> {
        Lane {
            pace,
            log: VecDeque::new(),
            queue: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            pushed: 0,
            held: Time::ZERO,
            seen: Time::ZERO,
        }
    }

    /// Counts what was sent before a restart, so that none is followed by a burst.
    pub fn restore(&mut self, sent: impl IntoIterator<Item = Time>) {
        let mut all: Vec<Time> = self.log.drain(..).chain(sent).collect();
        all.sort_unstable();
        let most = usize::try_from(self.pace.limit).unwrap_or(usize::MAX);
        self.log = all.split_off(all.len().saturating_sub(most)).into();
    }

    /// What went at `sent` was on its way until `landed` at the latest. The other side counts it
    /// from when it came, so here it counts from then.
    pub fn landed(&mut self, sent: Time, landed: Time) {
        if let Some(at) = self.log.iter().rposition(|time| *time == sent) {
            self.log.remove(at);
            self.restore([landed.max(sent)]);
        }
    }

    /// The sends that may still count, oldest first, for `restore`.
    pub fn sent(&self) -> impl Iterator<Item = Time> {
        self.log.iter().copied()
    }

    /// Queues an item that may go until `deadline`, inclusive (`Time::MAX`: it never expires).
    pub fn push(&mut self, now: Time, priority: Priority, deadline: Time, item: T) {
        self.forget(now);
        let place = (priority, self.pushed);
        self.pushed += 1;
        self.queue.insert(place, (deadline, item));
        if deadline != Time::MAX {
            self.deadlines.insert((deadline, place));
        }
    }

    /// The next item that is out of time, or else whose turn it is. `None`: nothing at `now`.
    pub fn next(&mut self, now: Time) -> Option<Turn<T>> {
        self.forget(now);
        if let Some(&(deadline, place)) = self.deadlines.first()
            && deadline < now
        {
            return self.remove(place).map(Turn::Expired);
        }
        let (&place, _) = self.queue.first_key_value()?;
        if now < self.held || self.log.len() >= self.allowance(place.0) {
            return None;
        }
        let item = self.remove(place)?;
        self.log.push_back(now);
        Some(Turn::Sent(item))
    }

    /// When `next` has something to give at the latest, if nothing else is pushed.
    #[must_use]
    pub fn wake_at(&self) -> Option<Time> {
        let (place, _) = self.queue.first_key_value()?;
        let turn = self.room_at(place.0).max(self.held).max(self.seen);
        let expiry = self.deadlines.first().map_or(Time::MAX, |(deadline, _)| after(*deadline));
        Some(turn.min(expiry))
    }

    /// How many items without the right to the reserve could go at `now`.
    #[must_use]
    pub fn left(&self, now: Time) -> u32 {
        let used = self.log.iter().filter(|sent| !self.is_over(**sent, now)).count();
        let free = self.allowance(Priority::New).saturating_sub(used);
        u32::try_from(free).unwrap_or(u32::MAX)
    }

    /// Lets nothing go before `until`: the venue asked us to slow down.
    pub fn hold(&mut self, until: Time) {
        self.held = self.held.max(until);
    }

    /// Takes out every waiting item that `wanted` picks; in the order of their turns.
    pub fn take(&mut self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let places: Vec<Spot> = self
            .queue
            .iter()
            .filter(|(_, (_, item))| wanted(item))
            .map(|(place, _)| *place)
            .collect();
        places.into_iter().filter_map(|place| self.remove(place)).collect()
    }

    /// Whether an item that `wanted` picks is waiting.
    #[must_use]
    pub fn has(&self, wanted: impl Fn(&T) -> bool) -> bool {
        self.queue.values().any(|(_, item)| wanted(item))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn remove(&mut self, place: Spot) -> Option<T> {
        let (deadline, item) = self.queue.remove(&place)?;
        self.deadlines.remove(&(deadline, place));
        Some(item)
    }

    fn allowance(&self, priority: Priority) -> usize {
        let reserve = if priority.may_use_reserve() { 0 } else { self.pace.reserve };
        usize::try_from(self.pace.limit.saturating_sub(reserve)).unwrap_or(usize::MAX)
    }

    /// The moment from which an item of this priority has room in the window.
    fn room_at(&self, priority: Priority) -> Time {
        let allowance = self.allowance(priority);
        if allowance == 0 {
            return Time::MAX;
        }
        match self.log.len().checked_sub(allowance).and_then(|at| self.log.get(at)) {
            Some(sent) => after(sent.plus(self.pace.span)),
            None => Time::ZERO,
        }
    }

    /// Both ends of a window count, so a send leaves it only after the whole span.
    fn is_over(&self, sent: Time, now: Time) -> bool {
        now.since(sent) > self.pace.span
    }

    fn forget(&mut self, now: Time) {
        self.seen = self.seen.max(now);
        while self.log.front().is_some_and(|sent| self.is_over(*sent, now)) {
            self.log.pop_front();
        }
    }
}

fn after(time: Time) -> Time {
    time.plus(Span::from_nanos(1))
}
