//! A delay line: what is sent comes out after a constant span, first in, first out.

use std::collections::VecDeque;

use crate::base::{Span, Time};

/// One direction of a connection. Nothing is lost, doubled or overtaken.
#[derive(Clone, Debug)]
pub struct Link<T> {
    latency: Span,
    queue: VecDeque<(Time, T)>,
}

impl<T> Link<T> {
    /// A link with this latency; a negative one counts as zero.
    #[must_use]
    pub fn new(latency: Span) -> Link<T> {
        Link { latency: latency.max(Span::ZERO), queue: VecDeque::new() }
    }

    #[must_use]
    pub fn latency(&self) -> Span {
        self.latency
    }

    /// Sends at `now`. What is sent at the same moment comes out in the order of sending, and
    /// nothing comes out before what was sent earlier.
    pub fn send(&mut self, now: Time, item: T) {
        let due = now.plus(self.latency);
        let due = self.queue.back().map_or(due, |(last, _)| due.max(*last));
        self.queue.push_back((due, item));
    }

    /// The next item that has arrived by `now`, with the moment of its arrival.
    pub fn due(&mut self, now: Time) -> Option<(Time, T)> {
        if self.next_at()? > now {
            return None;
        }
        self.queue.pop_front()
    }

    /// When the next item arrives.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        self.queue.front().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests;
