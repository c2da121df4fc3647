//! One instrument's book by price level.

#[cfg(test)]
mod tests;

use crate::base::{BookChange, BookSide, Decimal, Level, Side, Time};
use std::collections::BTreeMap;

/// Price levels with their quantities. What a venue sends is believed level by level; AlphaPoint
/// books can keep phantom levels (FLOW-P22: a small depth stops telling of what falls out of it),
/// so a crossed book is possible and asks for a fresh snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Book {
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
    time: Time,
}

impl Book {
    /// Applies a message's levels in array order; a snapshot first empties the book.
    pub fn apply(&mut self, change: &BookChange) {
        if change.snapshot {
            self.bids.clear();
            self.asks.clear();
        }
        for level in &change.levels {
            self.set(level);
        }
        self.time = change.time;
    }

    /// Sets one level. A quantity of zero or less removes it; a price of zero or less is no level.
    pub fn set(&mut self, level: &Level) {
        let side = match level.side {
            BookSide::Bid => &mut self.bids,
            BookSide::Ask => &mut self.asks,
        };
        if level.qty <= Decimal::ZERO {
            side.remove(&level.price);
        } else if level.price > Decimal::ZERO {
            side.insert(level.price, level.qty);
        }
    }

    /// The time of the last change.
    #[must_use]
    pub fn time(&self) -> Time {
        self.time
    }

    /// The highest bid: price and quantity.
    #[must_use]
    pub fn best_bid(&self) -> Option<(Decimal, Decimal)> {
        self.bids.last_key_value().map(|(price, qty)| (*price, *qty))
    }

    /// The lowest ask: price and quantity.
    #[must_use]
    pub fn best_ask(&self) -> Option<(Decimal, Decimal)> {
        self.asks.first_key_value().map(|(price, qty)| (*price, *qty))
    }

    /// Halfway between best bid and best ask; `None` while a side is empty.
    #[must_use]
    pub fn mid(&self) -> Option<Decimal> {
        Some((self.best_bid()?.0 + self.best_ask()?.0) / Decimal::TWO)
    }

    /// Whether the best bid reaches the best ask, which no matching engine leaves standing: some of
    /// the levels are no longer there.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        matches!((self.best_bid(), self.best_ask()), (Some(bid), Some(ask)) if bid.0 >= ask.0)
    }

    /// Up to `depth` levels of a side, best first: price and quantity.
    pub fn levels(
        &self,
        side: BookSide,
        depth: usize,
    ) -> impl Iterator<Item = (Decimal, Decimal)> + '_ {
        let (bids, asks) = match side {
            BookSide::Bid => (depth, 0),
            BookSide::Ask => (0, depth),
        };
        let levels = self.bids.iter().rev().take(bids).chain(self.asks.iter().take(asks));
        levels.map(|(price, qty)| (*price, *qty))
    }

    /// How many levels a side has.
    #[must_use]
    pub fn depth(&self, side: BookSide) -> usize {
        match side {
            BookSide::Bid => self.bids.len(),
            BookSide::Ask => self.asks.len(),
        }
    }

    /// The quantity that stands at a price; zero where there is no level.
    #[must_use]
    pub fn qty_at(&self, side: BookSide, price: Decimal) -> Decimal {
        match side {
            BookSide::Bid => self.bids.get(&price),
            BookSide::Ask => self.asks.get(&price),
        }
        .copied()
        .unwrap_or_default()
    }

    /// The average price at which a market order of this side and quantity would trade. `None` when
    /// the book does not hold that much, or for a quantity that is not positive.
    #[must_use]
    pub fn vwap(&self, side: Side, qty: Decimal) -> Option<Decimal> {
        if qty <= Decimal::ZERO {
            return None;
        }
        let against = match side {
            Side::Buy => BookSide::Ask,
            Side::Sell => BookSide::Bid,
        };
        let (mut left, mut notional) = (qty, Decimal::ZERO);
        for (price, here) in self.levels(against, usize::MAX) {
            let taken = here.min(left);
            notional += price * taken;
            left -= taken;
            if left.is_zero() {
                return Some(notional / qty);
            }
        }
        None
    }
}
