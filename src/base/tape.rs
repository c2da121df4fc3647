//! Recorded market data in columns: prices and quantities as exact integers with one scale per
//! block.

use super::{Decimal, InstrumentId, Side, Time, Trade};

/// The aggressor's side in a column.
pub const SIDE_NONE: u8 = 0;
pub const SIDE_BUY: u8 = 1;
pub const SIDE_SELL: u8 = 2;

/// A block of public trades of one instrument, in time order. All columns have the same length.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TradeBlock {
    pub instrument: InstrumentId,
    /// Price = `prices[i]` / 10^`price_scale`; likewise quantities.
    pub price_scale: u32,
    pub qty_scale: u32,
    pub times: Vec<Time>,
    pub prices: Vec<i64>,
    pub qtys: Vec<i64>,
    pub sides: Vec<u8>,
    pub ids: Vec<i64>,
}

impl TradeBlock {
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Row `at` as a trade.
    #[must_use]
    pub fn trade(&self, at: usize) -> Option<Trade> {
        Some(Trade {
            time: *self.times.get(at)?,
            instrument: self.instrument,
            price: Decimal::new(*self.prices.get(at)?, self.price_scale),
            qty: Decimal::new(*self.qtys.get(at)?, self.qty_scale),
            side: side_of(*self.sides.get(at)?),
            id: *self.ids.get(at)?,
        })
    }

    /// Adds a row; the caller has scaled it.
    pub fn push(&mut self, time: Time, price: i64, qty: i64, side: u8, id: i64) {
        self.times.push(time);
        self.prices.push(price);
        self.qtys.push(qty);
        self.sides.push(side);
        self.ids.push(id);
    }

    pub fn clear(&mut self) {
        self.times.clear();
        self.prices.clear();
        self.qtys.clear();
        self.sides.clear();
        self.ids.clear();
    }
}

#[must_use]
pub const fn side_of(code: u8) -> Option<Side> {
    match code {
        SIDE_BUY => Some(Side::Buy),
        SIDE_SELL => Some(Side::Sell),
        _ => None,
    }
}

#[must_use]
pub const fn side_code(side: Option<Side>) -> u8 {
    match side {
        None => SIDE_NONE,
        Some(Side::Buy) => SIDE_BUY,
        Some(Side::Sell) => SIDE_SELL,
    }
}
