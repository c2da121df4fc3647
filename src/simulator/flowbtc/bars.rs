//! Bars of every interval the venue offers, kept as one-minute bars and added up when asked for.
//! Minutes and intervals are aligned to the epoch, as AlphaPoint's are.

use crate::base::{Decimal, Time};
use std::collections::VecDeque;

/// Interval lengths in seconds that a venue of this kind serves (as NDAX names them).
pub const INTERVALS: [i64; 14] = [
    60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 604_800, 2_419_200,
    9_676_800, 31_449_600,
];

const MINUTE_MILLIS: i64 = 60_000;

/// One-minute bars kept for each instrument: four weeks.
const KEPT: usize = 40_320;

/// Longest silence that is filled with flat bars: a day. Longer ones are a gap.
const FILLED: i64 = 1_440;

/// Most bars in one reply or event.
const MOST: usize = 5_000;

/// The minute a moment lies in, counted from the epoch.
#[must_use]
pub fn minute_of(time: Time) -> i64 {
    time.millis().div_euclid(MINUTE_MILLIS)
}

/// Prices and volume of some minutes, with the best prices at their end (zero: none).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Period {
    /// First minute, counted from the epoch.
    pub first: i64,
    /// The minute after the last.
    pub end: i64,
    pub open: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    pub close: Decimal,
    pub volume: Decimal,
    pub bid: Decimal,
    pub ask: Decimal,
}

impl Period {
    /// The end in Unix milliseconds (FLOW-P23).
    #[must_use]
    pub fn end_millis(&self) -> i64 {
        self.end.saturating_mul(MINUTE_MILLIS)
    }

    #[must_use]
    pub fn first_millis(&self) -> i64 {
        self.first.saturating_mul(MINUTE_MILLIS)
    }

    fn flat(minute: i64, price: Decimal, bid: Decimal, ask: Decimal) -> Period {
        Period {
            first: minute,
            end: minute + 1,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Decimal::ZERO,
            bid,
            ask,
        }
    }

    fn take(&mut self, later: &Period) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume += later.volume;
        (self.bid, self.ask) = (later.bid, later.ask);
    }
}

/// The bars of one instrument.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    minutes: VecDeque<Period>,
    bid: Decimal,
    ask: Decimal,
}

impl Bars {
    /// Moves the clock to `minute`. Returns the minute that was running before, if it is over.
    pub fn advance(&mut self, minute: i64) -> Option<i64> {
        let running = self.minutes.back()?;
        let (before, close) = (running.first, running.close);
        if minute <= before {
            return None;
        }
        let from = if minute - before > FILLED { minute } else { before + 1 };
        for at in from..=minute {
            self.push(Period::flat(at, close, self.bid, self.ask));
        }
        Some(before)
    }

    /// The minute that is running.
    #[must_use]
    pub fn running(&self) -> Option<i64> {
        self.minutes.back().map(|minute| minute.first)
    }

    fn push(&mut self, period: Period) {
        if self.minutes.len() == KEPT {
            self.minutes.pop_front();
        }
        self.minutes.push_back(period);
    }

    /// A trade in the minute the clock stands at. A bar opens at the close before it, as NDAX's
    /// do, not at its own first trade; the very first one opens at its trade.
    pub fn trade(&mut self, minute: i64, price: Decimal, qty: Decimal) {
        if self.minutes.is_empty() {
            self.push(Period::flat(minute, price, self.bid, self.ask));
        }
        let Some(running) = self.minutes.back_mut() else { return };
        running.high = running.high.max(price);
        running.low = running.low.min(price);
        running.close = price;
        running.volume += qty;
    }

    /// The best prices now; zero for an empty side.
    pub fn best(&mut self, bid: Decimal, ask: Decimal) {
        (self.bid, self.ask) = (bid, ask);
        if let Some(running) = self.minutes.back_mut() {
            (running.bid, running.ask) = (bid, ask);
        }
    }

    /// The bar of `length` minutes that ends at `end`, if any of its minutes is known.
    #[must_use]
    pub fn period(&self, length: i64, end: i64) -> Option<Period> {
        let first = end - length;
        let from = self.minutes.partition_point(|minute| minute.first < first);
        let mut parts = self.minutes.range(from..).take_while(|minute| minute.first < end);
        let mut sum = parts.next()?.clone();
        for part in parts {
            sum.take(part);
        }
        (sum.first, sum.end) = (first, end);
        Some(sum)
    }

    /// The bars of `length` minutes whose ends lie in `(after, until]`, oldest first, at most the
    /// last 5,000 of them.
    #[must_use]
    pub fn closed(&self, length: i64, after: i64, until: i64) -> Vec<Period> {
        let Some(oldest) = self.minutes.front() else { return Vec::new() };
        let after = after.max(oldest.first);
        let mut end = until - until.rem_euclid(length);
        let mut periods = Vec::new();
        while end > after && periods.len() < MOST {
            periods.extend(self.period(length, end));
            end -= length;
        }
        periods.reverse();
        periods
    }

    /// The last `count` bars of `length` minutes that are over, oldest first.
    #[must_use]
    pub fn last(&self, length: i64, count: usize) -> Vec<Period> {
        let Some(running) = self.minutes.back() else { return Vec::new() };
        let count = i64::try_from(count.min(MOST)).unwrap_or_default();
        let after = running.first.saturating_sub(length.saturating_mul(count));
        self.closed(length, after, running.first)
    }
}
