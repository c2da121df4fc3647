//! The words of the simulated exchange: accounts, orders as it sees them, and its reports.

use crate::base::{
    BookSide, Decimal, InstrumentId, Liquidity, OrderKind, OrderState, Side, Tif, Time, Trade,
    VenueOrderId,
};

/// An account at the simulated exchange.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct AccountNumber(pub i64);

/// How far back in the queue a resting order stands at its price.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum QueueModel {
    /// First in line: any trade at the price fills it (up to the trade's quantity).
    #[default]
    None,
    /// Behind everything shown at the price when it joined; only trades move it forward.
    RiskAverse,
}

/// An order as it arrives. `client_id` is the caller's own number (0: none), echoed in every
/// report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewOrder {
    pub account: AccountNumber,
    pub client_id: i64,
    pub instrument: InstrumentId,
    pub side: Side,
    pub kind: OrderKind,
    pub qty: Decimal,
    pub price: Option<Decimal>,
    pub stop: Option<Decimal>,
    pub post_only: bool,
    pub reduce_only: bool,
    pub tif: Tif,
}

/// An order as the exchange holds it. `state` is never `Pending` or `Unknown` here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimOrder {
    pub id: VenueOrderId,
    pub order: NewOrder,
    pub state: OrderState,
    pub filled: Decimal,
    /// Sum of price × quantity of the fills; average price = `notional / filled`.
    pub notional: Decimal,
    pub reason: String,
    pub received: Time,
    pub updated: Time,
    /// The first order of a chain of replacements (its own id where it replaced nothing).
    pub original: VenueOrderId,
}

impl SimOrder {
    #[must_use]
    pub fn remaining(&self) -> Decimal {
        self.order.qty - self.filled
    }
}

/// One execution, as the exchange's ledger keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimFill {
    pub trade_id: i64,
    pub order: VenueOrderId,
    pub account: AccountNumber,
    pub client_id: i64,
    pub instrument: InstrumentId,
    pub side: Side,
    pub price: Decimal,
    pub qty: Decimal,
    pub fee: Decimal,
    pub fee_asset: String,
    pub liquidity: Liquidity,
    pub time: Time,
}

/// An asset's balance in an account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    pub total: Decimal,
    pub held: Decimal,
}

/// A price level as the exchange shows it: anonymous and accounts' orders together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookLevel {
    pub side: BookSide,
    pub price: Decimal,
    pub qty: Decimal,
    pub orders: u32,
}

/// Why the exchange refused something; words as AlphaPoint's where it has them.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Reject {
    #[error("Not_Enough_Funds")]
    NotEnoughFunds,
    #[error("Invalid_Quantity")]
    InvalidQuantity,
    #[error("Invalid_Price")]
    InvalidPrice,
    #[error("Invalid_Instrument")]
    InvalidInstrument,
    #[error("Post_Only_Would_Take")]
    WouldTake,
    #[error("Reduce_Only_Would_Increase")]
    WouldIncrease,
    #[error("Order Not Found")]
    NotFound,
    #[error("No More Market")]
    NoMarket,
}

/// One thing that happened at the exchange, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    pub time: Time,
    pub kind: ReportKind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReportKind {
    /// The order's state after a change (accepted and working, filled, canceled, expired,
    /// rejected).
    Order(SimOrder),
    /// `old` was taken off the book and `new` stands in its place.
    Replaced {
        old: VenueOrderId,
        new: SimOrder,
    },
    Fill(SimFill),
    Balance {
        account: AccountNumber,
        asset: String,
        balance: Balance,
    },
    /// Two accounts' orders traded with each other: a public print that no feed carried.
    Print(Trade),
    /// The shown quantity at a level changed through accounts' orders.
    Level {
        instrument: InstrumentId,
        level: BookLevel,
    },
}
