//! What waits for its turn on a key's line: by priority, first in first out within one.

use crate::base::Time;
use crate::calls::Priority;
use std::collections::BTreeMap;

/// An item goes until its deadline, inclusive (`Time::MAX`: it never expires).
#[derive(Debug)]
pub(super) struct Queue<T> {
    items: BTreeMap<(Priority, u64), (Time, T)>,
    pushed: u64,
}

impl<T> Queue<T> {
    pub fn new() -> Queue<T> {
        Queue { items: BTreeMap::new(), pushed: 0 }
    }

    pub fn push(&mut self, priority: Priority, deadline: Time, item: T) {
        self.items.insert((priority, self.pushed), (deadline, item));
        self.pushed += 1;
    }

    /// Whose turn is next.
    pub fn first(&self) -> Option<(Priority, &T)> {
        self.items.first_key_value().map(|((priority, _), (_, item))| (*priority, item))
    }

    pub fn pop(&mut self) -> Option<(Time, T)> {
        self.items.pop_first().map(|(_, item)| item)
    }

    /// One whose deadline has passed.
    pub fn expired(&mut self, now: Time) -> Option<T> {
        let late = self.items.iter().find(|(_, (deadline, _))| *deadline < now);
        let place = late.map(|(place, _)| *place)?;
        self.items.remove(&place).map(|(_, item)| item)
    }

    /// When the next deadline will have passed.
    pub fn expires_at(&self) -> Option<Time> {
        let deadlines = self.items.values().map(|(deadline, _)| *deadline);
        let next = deadlines.filter(|deadline| *deadline != Time::MAX).min();
        next.map(|deadline| deadline.plus(crate::base::Span::from_nanos(1)))
    }

    /// Takes out every item that `wanted` picks, in the order of their turns.
    pub fn take(&mut self, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let picked: Vec<_> =
            self.items.iter().filter(|(_, (_, item))| wanted(item)).map(|(at, _)| *at).collect();
        picked.into_iter().filter_map(|at| self.items.remove(&at)).map(|(_, item)| item).collect()
    }

    pub fn has(&self, wanted: impl Fn(&T) -> bool) -> bool {
        self.items.values().any(|(_, item)| wanted(item))
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }
}
