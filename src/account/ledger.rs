//! Positions and profit in exact decimals, per strategy and in total, and the venues' balances.
//! Average cost; fees apart.

#[cfg(test)]
mod tests;

use crate::base::{
    BalanceNews, Decimal, Fill, Instrument, InstrumentId, StrategyId, Time, VenueName,
};
use std::collections::BTreeMap;

/// Places to which a partial close rounds its share of the cost. What the rounding leaves stays in
/// the cost of the open rest, so no amount is ever lost, and the share is exact at the last close.
const COST_PLACES: u32 = 16;

/// What fills on one instrument have added up to. Money is in the quote asset.
///
/// `cash`, `cost` and `fees` are the facts; everything else follows from them exactly:
/// realized = cash + cost, unrealized = qty × last − cost, net = cash + qty × last − fees.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Position {
    /// Signed base quantity: positive is long.
    pub qty: Decimal,
    /// Signed cost of the open quantity at average price: positive when long.
    pub cost: Decimal,
    /// Σ −side × price × qty, fees apart.
    pub cash: Decimal,
    /// Fees in the quote asset; fees taken in the base asset count at their fill's price.
    pub fees: Decimal,
    /// Fees in any third asset, which cannot be valued here.
    pub other_fees: BTreeMap<String, Decimal>,
    pub bought: Decimal,
    pub sold: Decimal,
    /// Σ price × qty over both sides.
    pub turnover: Decimal,
    pub fills: u64,
}

impl Position {
    /// The average price of the open quantity; `None` when flat.
    #[must_use]
    pub fn avg_price(&self) -> Option<Decimal> {
        (!self.qty.is_zero()).then(|| self.cost / self.qty)
    }

    /// Profit of what was closed, by average cost, before fees.
    #[must_use]
    pub fn realized(&self) -> Decimal {
        self.cash + self.cost
    }

    /// Profit of what is open at the price `last`, before fees.
    #[must_use]
    pub fn unrealized(&self, last: Decimal) -> Decimal {
        self.qty * last - self.cost
    }

    /// Everything: cash + qty × last − fees.
    #[must_use]
    pub fn net(&self, last: Decimal) -> Decimal {
        self.cash + self.qty * last - self.fees
    }

    /// Books a fill; the position may grow, shrink, close or turn through zero.
    pub fn fill(&mut self, fill: &Fill, instrument: &Instrument) {
        let notional = fill.price * fill.qty;
        let signed = fill.side.signed(fill.qty);
        let opposite =
            !self.qty.is_zero() && self.qty.is_sign_positive() != signed.is_sign_positive();
        if !opposite {
            self.cost += fill.side.signed(notional);
        } else if fill.qty < self.qty.abs() {
            let share = self.cost * fill.qty / self.qty.abs();
            self.cost -= share.round_dp(COST_PLACES);
        } else {
            let rest = fill.qty - self.qty.abs();
            self.cost = fill.side.signed(fill.price * rest);
        }
        self.qty += signed;
        self.cash -= fill.side.signed(notional);
        self.turnover += notional;
        self.fills += 1;
        match fill.side {
            crate::base::Side::Buy => self.bought += fill.qty,
            crate::base::Side::Sell => self.sold += fill.qty,
        }
        match fee_in_quote(fill, instrument) {
            Some(fee) => self.fees += fee,
            None => *self.other_fees.entry(fill.fee_asset.clone()).or_default() += fill.fee,
        }
    }
}

/// A fill's fee in the quote asset: as taken, or at the fill's price when taken in the base asset.
/// `None` for a third asset, whose worth this room does not know.
#[must_use]
pub fn fee_in_quote(fill: &Fill, instrument: &Instrument) -> Option<Decimal> {
    if fill.fee_asset == instrument.quote || fill.fee.is_zero() {
        Some(fill.fee)
    } else if fill.fee_asset == instrument.base {
        Some(fill.fee * fill.price)
    } else {
        None
    }
}

/// An asset at a venue; free = total − held.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    pub total: Decimal,
    pub held: Decimal,
    pub time: Time,
}

impl Balance {
    #[must_use]
    pub fn free(&self) -> Decimal {
        self.total - self.held
    }
}

/// A venue's balances valued in one asset.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Equity {
    pub value: Decimal,
    /// Assets held of which no price is known; they are not in `value`.
    pub unpriced: Vec<String>,
}

/// Positions by strategy and in total, and balances by venue and asset.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    positions: BTreeMap<(StrategyId, InstrumentId), Position>,
    totals: BTreeMap<InstrumentId, Position>,
    balances: BTreeMap<(VenueName, String), Balance>,
}

static FLAT: Position = Position {
    qty: Decimal::ZERO,
    cost: Decimal::ZERO,
    cash: Decimal::ZERO,
    fees: Decimal::ZERO,
    other_fees: BTreeMap::new(),
    bought: Decimal::ZERO,
    sold: Decimal::ZERO,
    turnover: Decimal::ZERO,
    fills: 0,
};

impl Ledger {
    /// Books a fill of a strategy's order. Duplicates must have been dropped (`Orders::fill`).
    pub fn fill(&mut self, strategy: StrategyId, fill: &Fill, instrument: &Instrument) {
        self.positions.entry((strategy, fill.instrument)).or_default().fill(fill, instrument);
        self.outside(fill, instrument);
    }

    /// Books a fill of the account that belongs to no strategy of this run: in the total only.
    pub fn outside(&mut self, fill: &Fill, instrument: &Instrument) {
        self.totals.entry(fill.instrument).or_default().fill(fill, instrument);
    }

    /// A strategy's position; flat where it never traded.
    #[must_use]
    pub fn position(&self, strategy: StrategyId, instrument: InstrumentId) -> &Position {
        self.positions.get(&(strategy, instrument)).unwrap_or(&FLAT)
    }

    /// The position of all strategies together.
    #[must_use]
    pub fn total(&self, instrument: InstrumentId) -> &Position {
        self.totals.get(&instrument).unwrap_or(&FLAT)
    }

    /// Every position that was ever opened, by strategy and instrument.
    pub fn positions(&self) -> impl Iterator<Item = (StrategyId, InstrumentId, &Position)> {
        self.positions.iter().map(|((strategy, id), position)| (*strategy, *id, position))
    }

    /// Every instrument's total that was ever opened.
    pub fn totals(&self) -> impl Iterator<Item = (InstrumentId, &Position)> {
        self.totals.iter().map(|(id, position)| (*id, position))
    }

    /// Takes a balance as the venue tells it.
    pub fn balance_news(&mut self, news: &BalanceNews) {
        self.balances.insert(
            (news.venue.clone(), news.asset.clone()),
            Balance { total: news.total, held: news.held, time: news.time },
        );
    }

    /// An asset's balance at a venue; `None` until the venue has told it.
    #[must_use]
    pub fn balance(&self, venue: &VenueName, asset: &str) -> Option<&Balance> {
        self.balances.get(&(venue.clone(), asset.to_owned()))
    }

    /// A venue's balances by asset.
    pub fn balances(&self, venue: &VenueName) -> impl Iterator<Item = (&str, &Balance)> {
        let mine = move |key: &(VenueName, String)| key.0 == *venue;
        let all = self.balances.iter().filter(move |(key, _)| mine(key));
        all.map(|((_, asset), balance)| (asset.as_str(), balance))
    }

    /// A venue's balances in the asset `quote`; `price` gives an asset's price in it.
    #[must_use]
    pub fn equity(
        &self,
        venue: &VenueName,
        quote: &str,
        price: impl Fn(&str) -> Option<Decimal>,
    ) -> Equity {
        let mut equity = Equity::default();
        for (asset, balance) in self.balances(venue).filter(|(_, held)| !held.total.is_zero()) {
            let unit = if asset == quote { Some(Decimal::ONE) } else { price(asset) };
            match unit {
                Some(unit) => equity.value += balance.total * unit,
                None => equity.unpriced.push(asset.to_owned()),
            }
        }
        equity
    }
}
