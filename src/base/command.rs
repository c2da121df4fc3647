//! What is wanted, in the imperative: asks as scripts make them, and commands as venues get them.

use super::{Call, Channel, Decimal, InstrumentId, OrderKey, OrderKind, Side, Span, Tif};

/// An order as a script asks for it, before snapping and limits. Prices and quantities are exact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    pub instrument: InstrumentId,
    pub side: Side,
    pub qty: Decimal,
    pub price: Option<Decimal>,
    pub stop: Option<Decimal>,
    pub post_only: bool,
    pub reduce_only: bool,
    pub tif: Tif,
    pub expires: Option<Span>,
    pub tag: String,
    /// Refuse instead of snapping to tick and lot.
    pub strict: bool,
}

impl Ask {
    /// What the order is, told by the prices it carries.
    #[must_use]
    pub const fn kind(&self) -> OrderKind {
        match (self.price.is_some(), self.stop.is_some()) {
            (false, false) => OrderKind::Market,
            (true, false) => OrderKind::Limit,
            (false, true) => OrderKind::Stop,
            (true, true) => OrderKind::StopLimit,
        }
    }

    /// The ask as an order with this key, not yet snapped or checked.
    #[must_use]
    pub fn place(&self, key: OrderKey) -> Place {
        Place {
            key,
            instrument: self.instrument,
            side: self.side,
            kind: self.kind(),
            qty: self.qty,
            price: self.price,
            stop: self.stop,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            tif: self.tif,
        }
    }
}

/// An order that passed the gate, as a venue gets it. `qty` and prices are on the instrument's
/// grid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub key: OrderKey,
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

/// One thing asked of a venue.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    Place(Place),
    Cancel {
        key: OrderKey,
        instrument: InstrumentId,
    },
    /// New price and open quantity for a working order; loses priority (FLOW-P19). `alias` is the
    /// replacement's own key on the wire; the engine goes on calling the order `key`.
    Replace {
        key: OrderKey,
        alias: OrderKey,
        instrument: InstrumentId,
        side: Side,
        price: Option<Decimal>,
        qty: Decimal,
    },
    /// Every open order of ours, of one instrument or of all.
    CancelAll {
        instrument: Option<InstrumentId>,
    },
    /// A market-data stream; `depth` for books, `interval` for bars.
    Subscribe {
        instrument: InstrumentId,
        channel: Channel,
        depth: Option<u16>,
        interval: Option<Span>,
    },
    /// A working order becomes smaller and keeps its place in the queue (FLOW-C22). `qty` is its
    /// new open quantity.
    Reduce {
        key: OrderKey,
        instrument: InstrumentId,
        qty: Decimal,
    },
    /// A documented call; ends in one `Event::Reply`.
    Call(Call),
}
