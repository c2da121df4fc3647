//! The day's and the last 24 hours' figures of an instrument, as Level 1 shows them (FLOW-P21).
//! The 24 hours move minute by minute; the day runs from midnight to midnight UTC.

use super::bars::minute_of;
use crate::base::{Decimal, Time};
use std::collections::VecDeque;

const DAY_MINUTES: i64 = 1_440;

#[derive(Clone, Debug)]
struct Minute {
    at: i64,
    open: Decimal,
    volume: Decimal,
    notional: Decimal,
    trades: i64,
}

/// Sums over some time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sums {
    pub volume: Decimal,
    pub notional: Decimal,
    pub trades: i64,
}

impl Sums {
    fn add(&mut self, price: Decimal, qty: Decimal) {
        self.volume += qty;
        self.notional = self.notional.saturating_add(price.saturating_mul(qty));
        self.trades += 1;
    }
}

/// Running figures of one instrument.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    day: i64,
    pub open: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    /// The last price of the day before; the first trade's where there was none.
    pub close_before: Decimal,
    pub last: Decimal,
    pub today: Sums,
    pub rolling: Sums,
    minutes: VecDeque<Minute>,
}

impl Stats {
    pub fn trade(&mut self, time: Time, price: Decimal, qty: Decimal) {
        let minute = minute_of(time);
        self.roll(minute);
        let day = minute.div_euclid(DAY_MINUTES);
        if self.minutes.is_empty() && self.today.trades == 0 {
            (self.day, self.close_before) = (day, price);
        } else if day > self.day {
            (self.day, self.close_before) = (day, self.last);
            self.today = Sums::default();
        }
        if self.today.trades == 0 {
            (self.open, self.high, self.low) = (price, price, price);
        }
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.last = price;
        self.today.add(price, qty);
        self.rolling.add(price, qty);
        self.enter(minute, price, qty);
    }

    fn enter(&mut self, at: i64, price: Decimal, qty: Decimal) {
        if self.minutes.back().is_none_or(|minute| minute.at < at) {
            let zero = Decimal::ZERO;
            let minute = Minute { at, open: price, volume: zero, notional: zero, trades: 0 };
            self.minutes.push_back(minute);
        }
        if let Some(minute) = self.minutes.back_mut() {
            minute.volume += qty;
            minute.notional = minute.notional.saturating_add(price.saturating_mul(qty));
            minute.trades += 1;
        }
    }

    /// Lets minutes older than 24 hours fall out.
    fn roll(&mut self, now: i64) {
        while let Some(oldest) = self.minutes.front() {
            if now - oldest.at < DAY_MINUTES {
                return;
            }
            self.rolling.volume -= oldest.volume;
            self.rolling.notional -= oldest.notional;
            self.rolling.trades -= oldest.trades;
            self.minutes.pop_front();
        }
    }

    /// The last price less the close of the day before (FLOW-T09).
    #[must_use]
    pub fn day_change(&self) -> Decimal {
        self.last - self.close_before
    }

    /// The price 24 hours ago: the first one inside the window.
    #[must_use]
    pub fn rolling_open(&self) -> Decimal {
        self.minutes.front().map_or(Decimal::ZERO, |minute| minute.open)
    }

    /// The change over 24 hours in percent (FLOW-P21), zero before the first trade.
    #[must_use]
    pub fn rolling_percent(&self) -> Decimal {
        let open = self.rolling_open();
        if open.is_zero() {
            return Decimal::ZERO;
        }
        (self.last - open) / open * Decimal::ONE_HUNDRED
    }
}
