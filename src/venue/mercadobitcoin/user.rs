//! The budget of a user: 60 requests in 60 seconds over all his keys (MB-R07, MB-F17). Sessions of
//! several keys share one. It counts a request from when its answer came, the latest moment at
//! which the venue can have seen it, so no spread of delays puts one too many into a window.

use crate::base::{Decimal, Side, Span, Time};
use crate::calls::Priority;
use crate::venue::pace::Pace;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

#[cfg(test)]
mod tests;

/// Between the starts of two requests of a key: tonces are whole seconds (MB-P06).
pub(super) const STEP: Span = Span::from_secs(1);

/// Order numbers remembered as some key's own, the highest of them.
const MOST_CLAIMED: usize = 20_000;

/// What the venue can tell an order by: there is no client id (MB-C03).
pub(super) type Shape = (String, Side, Decimal, Decimal);

/// A user's budget; its clones are the same one.
#[derive(Clone, Debug)]
pub struct UserLane(Rc<RefCell<Budget>>);

#[derive(Debug)]
struct Budget {
    pace: Pace,
    /// When the answers came of what may still count, oldest first.
    log: VecDeque<Time>,
    held: Time,
    seen: Time,
    seats: BTreeMap<u64, State>,
    seated: u64,
    claimed: BTreeSet<i64>,
}

/// A key's line as the others see it.
#[derive(Debug, Default)]
struct State {
    wants: Option<Priority>,
    flying: bool,
    last: Time,
    next_at: Time,
    doubt: Option<Shape>,
}

impl UserLane {
    /// At most `limit` requests in any `span`. The `reserve` is of turns, not of slots: what has no
    /// right to it goes only if cancels could still have that many next turns, one a second. Slots
    /// that would be free again by then anyway are not kept back, so a steady demand of any kind
    /// can use the whole budget.
    #[must_use]
    pub fn new(pace: Pace) -> UserLane {
        UserLane(Rc::new(RefCell::new(Budget {
            pace,
            log: VecDeque::new(),
            held: Time::ZERO,
            seen: Time::ZERO,
            seats: BTreeMap::new(),
            seated: 0,
            claimed: BTreeSet::new(),
        })))
    }

    /// Counts what an earlier process sent, as if each answer had taken as long as it may.
    pub fn restore(&self, sent: impl IntoIterator<Item = Time>, timeout: Span) {
        let mut budget = self.0.borrow_mut();
        let sent = sent.into_iter().map(|at| at.plus(timeout));
        let mut all: Vec<Time> = budget.log.drain(..).chain(sent).collect();
        all.sort_unstable();
        budget.log = all.into();
    }

    #[must_use]
    pub fn pace(&self) -> Pace {
        self.0.borrow().pace
    }

    /// How many requests without the right to the reserve could go at `now`.
    #[must_use]
    pub fn left(&self, now: Time) -> u32 {
        self.0.borrow().left(now)
    }

    /// Lets nothing go before `until`: the venue said that there were too many.
    pub fn hold(&self, until: Time) {
        let mut budget = self.0.borrow_mut();
        budget.held = budget.held.max(until);
    }

    pub(super) fn sit(&self) -> Seat {
        let mut budget = self.0.borrow_mut();
        budget.seated += 1;
        let number = budget.seated;
        budget.seats.insert(number, State::default());
        Seat { lane: self.clone(), number }
    }
}

impl Budget {
    fn is_over(&self, landed: Time, now: Time) -> bool {
        now.since(landed) > self.pace.span
    }

    fn forget(&mut self, now: Time) {
        self.seen = self.seen.max(now);
        while self.log.front().is_some_and(|landed| self.is_over(*landed, now)) {
            self.log.pop_front();
        }
    }

    fn flying(&self) -> usize {
        self.seats.values().filter(|seat| seat.flying).count()
    }

    /// What may be sent beside those that count, `ahead` turns from now.
    fn limit(&self) -> usize {
        usize::try_from(self.pace.limit).unwrap_or(usize::MAX)
    }

    fn left(&self, now: Time) -> u32 {
        let mut least = self.pace.limit;
        for ahead in 0..=self.pace.reserve {
            let then = now.plus(steps(ahead));
            let used = self.log.iter().filter(|landed| !self.is_over(**landed, then)).count();
            let used = u32::try_from(used + self.flying()).unwrap_or(u32::MAX);
            least = least.min(self.pace.limit.saturating_sub(ahead).saturating_sub(used));
        }
        if now < self.held { 0 } else { least }
    }

    /// How many of the other keys go before an item of this priority.
    fn before(&self, number: u64, priority: Priority) -> usize {
        let last = self.seats.get(&number).map_or(Time::ZERO, |seat| seat.last);
        let goes_first = |seat: &State| match seat.wants {
            Some(theirs) if theirs == priority => {
                !seat.flying && seat.next_at <= self.seen && seat.last < last
            }
            Some(theirs) => theirs < priority,
            None => false,
        };
        let others = self.seats.iter().filter(|(other, _)| **other != number);
        others.filter(|(_, seat)| goes_first(seat)).count()
    }

    /// From when an item of this priority may go, as things stand.
    fn room_at(&self, number: u64, priority: Priority) -> Time {
        let (flying, before) = (self.flying(), self.before(number, priority));
        let reserve = if priority.may_use_reserve() { 0 } else { self.pace.reserve };
        let mut at = self.held;
        for ahead in 0..=reserve {
            let kept = usize::try_from(ahead).unwrap_or(usize::MAX).max(before);
            let taken = kept.saturating_add(flying).saturating_add(1);
            let Some(room) = self.limit().checked_sub(taken) else { return Time::MAX };
            let last_out = self.log.len().checked_sub(room + 1).and_then(|at| self.log.get(at));
            if let Some(landed) = last_out {
                let free = landed.plus(self.pace.span).minus(steps(ahead));
                at = at.max(free.plus(Span::from_nanos(1)));
            }
        }
        at
    }
}

fn steps(count: u32) -> Span {
    Span::from_nanos(STEP.nanos().saturating_mul(i64::from(count)))
}

/// A key's place at its user's budget; leaving it gives up what it wanted.
#[derive(Debug)]
pub(super) struct Seat {
    pub lane: UserLane,
    number: u64,
}

impl Seat {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.lane.0.borrow_mut().seats.get_mut(&self.number).map(change)
    }

    /// What waits first at this key.
    pub fn wants(&self, priority: Option<Priority>) {
        self.with(|seat| seat.wants = priority);
    }

    /// From when a request of this priority may go; nothing that happened is left out at `now`.
    pub fn room_at(&self, priority: Priority) -> Time {
        let budget = self.lane.0.borrow();
        let own = budget.seats.get(&self.number).map_or(Time::ZERO, |seat| seat.next_at);
        budget.room_at(self.number, priority).max(own)
    }

    /// Whether a request of this priority may go now.
    pub fn may_go(&self, now: Time, priority: Priority) -> bool {
        self.lane.0.borrow_mut().forget(now);
        self.room_at(priority) <= now
    }

    pub fn sent(&self, now: Time) {
        self.with(|seat| {
            seat.flying = true;
            seat.last = now;
            seat.next_at = now.plus(STEP);
        });
    }

    /// The answer came, or will not come.
    pub fn landed(&self, now: Time) {
        if self.with(|seat| std::mem::take(&mut seat.flying)) == Some(true) {
            let mut budget = self.lane.0.borrow_mut();
            let place = budget.log.partition_point(|landed| *landed <= now);
            budget.log.insert(place, now);
        }
    }

    /// Not before the next turn.
    pub fn pause(&self, now: Time) {
        self.with(|seat| seat.next_at = now.plus(STEP));
    }

    /// A Trade of this shape is on its way or in doubt, or no more.
    pub fn doubt(&self, shape: Option<Shape>) {
        self.with(|seat| seat.doubt = shape);
    }

    /// Whether another key's Trade that looks the same is in doubt.
    pub fn is_doubted(&self, shape: &Shape) -> bool {
        let budget = self.lane.0.borrow();
        let mut others = budget.seats.iter().filter(|(other, _)| **other != self.number);
        others.any(|(_, seat)| seat.doubt.as_ref() == Some(shape))
    }

    /// The order of this number is this key's.
    pub fn claim(&self, id: i64) {
        let claimed = &mut self.lane.0.borrow_mut().claimed;
        claimed.insert(id);
        if claimed.len() > MOST_CLAIMED {
            claimed.pop_first();
        }
    }

    pub fn is_claimed(&self, id: i64) -> bool {
        self.lane.0.borrow().claimed.contains(&id)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let last = self.with(|seat| seat.last).unwrap_or_default();
        self.landed(last);
        self.lane.0.borrow_mut().seats.remove(&self.number);
    }
}
