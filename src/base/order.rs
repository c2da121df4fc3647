//! The words of orders and executions: side, kind, time in force, state, fill.

use super::{Decimal, InstrumentId, OrderKey, Time};

/// The side of an order, or of the aggressor of a public trade.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Side::Buy => "buy",
            Side::Sell => "sell",
        }
    }

    #[must_use]
    pub const fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    /// The quantity with its sign: buys are positive.
    #[must_use]
    pub fn signed(self, qty: Decimal) -> Decimal {
        match self {
            Side::Buy => qty,
            Side::Sell => -qty,
        }
    }
}

/// What an order is, told by which prices it carries.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum OrderKind {
    Market,
    Limit,
    /// A market order once the last trade touches `stop`.
    Stop,
    /// A limit order once the last trade touches `stop`.
    StopLimit,
}

/// Time in force.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Tif {
    /// Good till canceled.
    #[default]
    Gtc,
    /// Immediate or cancel: what does not fill at once is canceled.
    Ioc,
    /// Fill or kill: all at once or nothing.
    Fok,
}

impl Tif {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Tif::Gtc => "gtc",
            Tif::Ioc => "ioc",
            Tif::Fok => "fok",
        }
    }
}

/// Where an order stands. `Unknown`: sent, outcome not known yet; never left by a timer alone.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OrderState {
    Pending,
    Working,
    Unknown,
    Filled,
    Canceled,
    Rejected,
    Expired,
}

impl OrderState {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            OrderState::Pending => "pending",
            OrderState::Working => "working",
            OrderState::Unknown => "unknown",
            OrderState::Filled => "filled",
            OrderState::Canceled => "canceled",
            OrderState::Rejected => "rejected",
            OrderState::Expired => "expired",
        }
    }

    /// Open orders can still trade and count against the limits.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, OrderState::Pending | OrderState::Working | OrderState::Unknown)
    }
}

/// Whether our order rested in the book (maker) or took from it (taker).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Liquidity {
    Maker,
    Taker,
}

impl Liquidity {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Liquidity::Maker => "maker",
            Liquidity::Taker => "taker",
        }
    }
}

/// One execution of an order of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fill {
    pub order: OrderKey,
    pub instrument: InstrumentId,
    pub side: Side,
    pub price: Decimal,
    pub qty: Decimal,
    /// In `fee_asset`; the exact amount the venue took, or the instrument's rate times notional
    /// where the venue does not say (then `fee_estimated`).
    pub fee: Decimal,
    pub fee_asset: String,
    pub fee_estimated: bool,
    pub liquidity: Liquidity,
    /// The venue's trade number, unique per venue; duplicates are dropped by it.
    pub trade_id: i64,
    pub time: Time,
}
