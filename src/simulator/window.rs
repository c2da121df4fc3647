//! A sliding window of requests, as the servers count them (MB-S03, SENTRA-S03, FLOW-P13).

use crate::base::{Span, Time};
use std::collections::{BTreeMap, VecDeque};

/// At most `most` requests of one key in any `span`. A refused request does not count.
#[derive(Clone, Debug)]
pub struct Window<K> {
    most: usize,
    span: Span,
    taken: BTreeMap<K, VecDeque<Time>>,
}

impl<K: Ord + Clone> Window<K> {
    #[must_use]
    pub fn new(most: usize, span: Span) -> Window<K> {
        Window { most, span, taken: BTreeMap::new() }
    }

    /// Whether a request of `key` is within its limit; counts it if so. One that is exactly `span`
    /// old has left the window.
    pub fn admit(&mut self, now: Time, key: &K) -> bool {
        let taken = self.taken.entry(key.clone()).or_default();
        while taken.front().is_some_and(|at| now.since(*at) >= self.span) {
            taken.pop_front();
        }
        let room = taken.len() < self.most;
        if room {
            taken.push_back(now);
        }
        room
    }
}
