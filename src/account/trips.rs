//! Round trips, the "trades" of win rate and profit factor.
//!
//! The rule is flat to flat, per strategy and instrument: a trip begins with the fill that leaves
//! zero and ends with the fill that comes back to zero. A fill that turns the position through zero
//! ends one trip and begins the next, its fee shared by quantity. The profit of a trip is all its
//! cash, fees taken off, so the trips of a flat account add up to its net profit exactly. A
//! position that is still open is no trip yet.

#[cfg(test)]
mod tests;

use crate::base::{Decimal, Fill, InstrumentId, Side, StrategyId, Time};
use std::collections::{BTreeMap, VecDeque};

/// How many closed trips are kept one by one; the sums go over all.
pub const KEEP_TRIPS: usize = 100_000;

/// Places to which the closing part's share of a fee is rounded; the opening part gets the exact
/// rest.
const FEE_PLACES: u32 = 16;

/// One closed round trip. Money is in the quote asset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trip {
    pub strategy: StrategyId,
    pub instrument: InstrumentId,
    /// The side of its first fill: buy is a long trip.
    pub side: Side,
    pub entered: Time,
    pub left: Time,
    /// The base quantity that was opened, and closed again.
    pub qty: Decimal,
    pub fees: Decimal,
    /// After fees.
    pub pnl: Decimal,
}

/// Sums over every closed trip.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    pub trips: u64,
    /// Trips that earned more than nothing.
    pub wins: u64,
    /// Sum of the profits of winning trips.
    pub gross_profit: Decimal,
    /// Sum of the losses of losing trips, as a positive number.
    pub gross_loss: Decimal,
}

#[derive(Clone, Debug)]
struct Open {
    side: Side,
    entered: Time,
    position: Decimal,
    qty: Decimal,
    cash: Decimal,
    fees: Decimal,
}

/// The open trips, the last closed ones, and the sums over all.
#[derive(Clone, Debug, Default)]
pub struct Trips {
    open: BTreeMap<(StrategyId, InstrumentId), Open>,
    closed: VecDeque<Trip>,
    totals: Totals,
}

impl Trips {
    /// Takes a fill, with its fee in the quote asset (`fee_in_quote`).
    pub fn fill(&mut self, strategy: StrategyId, fill: &Fill, fee: Decimal) {
        let place = (strategy, fill.instrument);
        let standing = self.open.get(&place).map(|open| open.position).unwrap_or_default();
        let against = fill.side.opposite().signed(standing);
        if against <= Decimal::ZERO || fill.qty <= against {
            self.book(strategy, fill, fill.qty, fee);
            return;
        }
        let share = (fee * against / fill.qty).round_dp(FEE_PLACES);
        self.book(strategy, fill, against, share);
        self.book(strategy, fill, fill.qty - against, fee - share);
    }

    /// Trips under way: strategies and instruments that are not flat.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// The last closed trips, oldest first.
    pub fn closed(&self) -> impl Iterator<Item = &Trip> {
        self.closed.iter()
    }

    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Books a part of a fill that does not pass through zero.
    fn book(&mut self, strategy: StrategyId, fill: &Fill, qty: Decimal, fee: Decimal) {
        let place = (strategy, fill.instrument);
        let open = self.open.entry(place).or_insert_with(|| Open {
            side: fill.side,
            entered: fill.time,
            position: Decimal::ZERO,
            qty: Decimal::ZERO,
            cash: Decimal::ZERO,
            fees: Decimal::ZERO,
        });
        open.position += fill.side.signed(qty);
        open.cash -= fill.side.signed(fill.price * qty);
        open.fees += fee;
        if fill.side == open.side {
            open.qty += qty;
        }
        if open.position.is_zero()
            && let Some(open) = self.open.remove(&place)
        {
            self.close(Trip {
                strategy,
                instrument: fill.instrument,
                side: open.side,
                entered: open.entered,
                left: fill.time,
                qty: open.qty,
                fees: open.fees,
                pnl: open.cash - open.fees,
            });
        }
    }

    fn close(&mut self, trip: Trip) {
        self.totals.trips += 1;
        if trip.pnl > Decimal::ZERO {
            self.totals.wins += 1;
            self.totals.gross_profit += trip.pnl;
        } else {
            self.totals.gross_loss -= trip.pnl;
        }
        if self.closed.len() == KEEP_TRIPS {
            self.closed.pop_front();
        }
        self.closed.push_back(trip);
    }
}
