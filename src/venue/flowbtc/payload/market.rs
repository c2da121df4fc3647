//! The rows of the market-data streams: Level 1, books, trades, bars.

use super::side_of;
use crate::base::{BookSide, Decimal, Level, Side, Time};
use crate::venue::flowbtc::wire::{Fields, Row, WireError, int_of, rows};

/// Level 1: FLOW-X01, FLOW-E03. Everything but the number may be missing (FLOW-F02).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Level1 {
    pub instrument: Option<i64>,
    pub bid: Decimal,
    pub bid_qty: Decimal,
    pub ask: Decimal,
    pub ask_qty: Decimal,
    pub last: Decimal,
    pub time: Option<Time>,
}

impl Level1 {
    /// # Errors
    /// When the body is no object or a price cannot be read exactly.
    pub fn read(body: &str) -> Result<Level1, WireError> {
        let fields = Fields::read(body)?;
        let dec = |key| fields.dec_or_none(key).map(Option::unwrap_or_default);
        Ok(Level1 {
            instrument: fields.id("InstrumentId"),
            bid: dec("BestBid")?,
            bid_qty: dec("BidQty")?,
            ask: dec("BestOffer")?,
            ask_qty: dec("AskQty")?,
            last: dec("LastTradedPx")?,
            time: fields.time("TimeStamp").or_else(|| fields.time("LastTradeTime")),
        })
    }
}

/// A row of a book (A.5): the level's new quantity, 0 when action 2 removes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookRow {
    pub update: i64,
    pub instrument: i64,
    pub time: Option<Time>,
    pub last: Decimal,
    pub level: Level,
}

impl BookRow {
    fn read(row: &Row<'_>) -> Result<BookRow, WireError> {
        let side = match row.int(9, "side")? {
            0 => BookSide::Bid,
            1 => BookSide::Ask,
            other => return Err(WireError::Bad { key: "side", text: other.to_string() }),
        };
        let qty = match row.int(3, "action")? {
            0 | 1 => row.dec(8, "quantity")?,
            2 => Decimal::ZERO,
            other => return Err(WireError::Bad { key: "action", text: other.to_string() }),
        };
        Ok(BookRow {
            update: row.int(0, "update number")?,
            instrument: row.int(7, "instrument")?,
            time: row.time(2),
            last: row.dec(4, "last price")?,
            level: Level { side, price: row.dec(6, "price")?, qty },
        })
    }

    /// # Errors
    /// When a row cannot be read: a book with a hole is wrong.
    pub fn read_all(body: &str) -> Result<Vec<BookRow>, WireError> {
        rows(body)?.iter().map(BookRow::read).collect()
    }
}

/// A public trade (A.6; 9 or 11 cells, FLOW-P23). The taker's side is cell 8.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TradeRow {
    pub id: i64,
    pub instrument: i64,
    pub qty: Decimal,
    pub price: Decimal,
    pub time: Option<Time>,
    pub taker: Option<Side>,
    /// The two orders that met.
    pub orders: [i64; 2],
}

impl TradeRow {
    fn read(row: &Row<'_>) -> Result<TradeRow, WireError> {
        Ok(TradeRow {
            id: row.int(0, "trade number")?,
            instrument: row.int(1, "instrument")?,
            qty: row.dec(2, "quantity")?,
            price: row.dec(3, "price")?,
            orders: [row.int(4, "order 1")?, row.int(5, "order 2")?],
            time: row.time(6),
            taker: row.raw(8).and_then(|raw| side_of(raw.trim_matches('"'))),
        })
    }

    /// # Errors
    /// When a row cannot be read.
    pub fn read_all(body: &str) -> Result<Vec<TradeRow>, WireError> {
        rows(body)?.iter().map(TradeRow::read).collect()
    }
}

/// A bar (A.7; 8 to 10 cells): high, low, open, close in that order; cell 0 is the period's END.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BarRow {
    pub end: Time,
    pub begin: Option<Time>,
    pub instrument: Option<i64>,
    pub open: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    pub close: Decimal,
    pub volume: Decimal,
    pub bid: Decimal,
    pub ask: Decimal,
}

impl BarRow {
    fn read(row: &Row<'_>) -> Result<BarRow, WireError> {
        Ok(BarRow {
            end: row.time(0).ok_or(WireError::Missing { key: "period end" })?,
            begin: row.time(9),
            instrument: row.raw(8).and_then(int_of).filter(|id| *id != 0),
            high: row.dec(1, "high")?,
            low: row.dec(2, "low")?,
            open: row.dec(3, "open")?,
            close: row.dec(4, "close")?,
            volume: row.dec(5, "volume")?,
            bid: row.dec(6, "bid")?,
            ask: row.dec(7, "ask")?,
        })
    }

    /// # Errors
    /// When a row cannot be read.
    pub fn read_all(body: &str) -> Result<Vec<BarRow>, WireError> {
        rows(body)?.iter().map(BarRow::read).collect()
    }
}
