//! What is wanted, in the imperative: asks as scripts make them, and commands as venues get them.

use super::{Channel, Decimal, InstrumentId, OrderKey, OrderKind, Side, Span, Tif};

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

/// An order that passed the gate, as a venue gets it. `qty` and prices are on the instrument's grid.
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
#[derive(Clone, PartialEq, Eq, Debug)]
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
}
