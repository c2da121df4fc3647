//! Public market data as it happens: trades, quotes, book changes, bars.

use super::{Decimal, InstrumentId, Side, Span, Time};

/// An anonymous trade. `side` is the aggressor's, where the venue says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trade {
    pub time: Time,
    pub instrument: InstrumentId,
    pub price: Decimal,
    pub qty: Decimal,
    pub side: Option<Side>,
    /// The venue's trade number; 0 where it has none.
    pub id: i64,
}

/// Best bid and ask (Level 1). A zero price means that side is empty; `last` is the last trade's
/// price.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    pub time: Time,
    pub instrument: InstrumentId,
    pub bid: Decimal,
    pub bid_qty: Decimal,
    pub ask: Decimal,
    pub ask_qty: Decimal,
    pub last: Decimal,
}

/// The two sides of a book.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BookSide {
    Bid,
    Ask,
}

/// A price level's new total quantity; zero removes the level.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Level {
    pub side: BookSide,
    pub price: Decimal,
    pub qty: Decimal,
}

/// Levels of one message, in the order in which they apply. A snapshot first empties the book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookChange {
    pub time: Time,
    pub instrument: InstrumentId,
    pub snapshot: bool,
    pub levels: Vec<Level>,
}

/// A bar of `interval`, closed at `time` (its end).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bar {
    pub time: Time,
    pub instrument: InstrumentId,
    pub interval: Span,
    pub open: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    pub close: Decimal,
    pub volume: Decimal,
}
