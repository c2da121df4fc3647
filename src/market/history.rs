//! The last few of a kind, kept only as deep as a script asked.

use std::collections::VecDeque;

/// The deepest history of a kind that is kept for an instrument.
pub const KEEP_HISTORY: usize = 100_000;

/// What `ctx:history` can look back on.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HistoryKind {
    Trades,
    Quotes,
    Bars,
}

impl HistoryKind {
    /// By the word scripts use.
    #[must_use]
    pub fn from_word(word: &str) -> Option<HistoryKind> {
        match word {
            "trade" | "trades" => Some(HistoryKind::Trades),
            "quote" | "quotes" => Some(HistoryKind::Quotes),
            "bar" | "bars" => Some(HistoryKind::Bars),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Ring<T> {
    items: VecDeque<T>,
    depth: usize,
}

impl<T> Default for Ring<T> {
    fn default() -> Ring<T> {
        Ring { items: VecDeque::new(), depth: 0 }
    }
}

impl<T> Ring<T> {
    pub(super) fn new(depth: usize) -> Ring<T> {
        Ring { items: VecDeque::new(), depth }
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn deepen(&mut self, depth: usize) {
        self.depth = self.depth.max(depth.min(KEEP_HISTORY));
    }

    pub(super) fn push(&mut self, item: T) {
        if self.items.len() >= self.depth {
            self.items.pop_front();
        }
        if self.depth > 0 {
            self.items.push_back(item);
        }
    }

    pub(super) fn newest_mut(&mut self) -> Option<&mut T> {
        self.items.back_mut()
    }

    /// The last `n`, oldest first.
    pub(super) fn last(&self, n: usize) -> impl Iterator<Item = &T> {
        self.items.iter().skip(self.items.len().saturating_sub(n))
    }
}
