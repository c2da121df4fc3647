//! Market data as FlowBTC writes it: trade, ticker and Level 2 rows, Level 1 objects, and what
//! the venue lists. Timestamps differ by field and dialect (FLOW-F10).

use super::Dialect;
use super::bars::Period;
use super::listing::{Product, Products, wire_id};
use super::stats::Stats;
use super::wire::{Object, array, short, wide};
use crate::base::{BookSide, Decimal, Instrument, InstrumentId, Side, Time, Trade};
use crate::exchange::BookLevel;

/// .NET ticks of the Unix epoch (FLOW-T04).
const EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// 100-nanosecond ticks since the year 1 (FLOW-T04).
#[must_use]
pub fn ticks(time: Time) -> i64 {
    time.nanos().div_euclid(100).saturating_add(EPOCH_TICKS)
}

/// A moment as a dialect stamps trades and orders: the page in ticks, production in milliseconds.
#[must_use]
pub fn stamp(dialect: Dialect, time: Time) -> i64 {
    match dialect {
        Dialect::Page => ticks(time),
        Dialect::Native => time.millis(),
    }
}

/// A computed amount: shortest on the page, padded to 28 places natively (FLOW-P24).
#[must_use]
pub fn amount(dialect: Dialect, value: Decimal) -> String {
    match dialect {
        Dialect::Page => short(value),
        Dialect::Native => wide(value),
    }
}

/// FLOW-V01.
#[must_use]
pub const fn side_number(side: Side) -> i64 {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

/// FLOW-V01.
#[must_use]
pub const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "Buy",
        Side::Sell => "Sell",
    }
}

/// A public trade with what the venue adds to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Print {
    pub trade: Trade,
    /// 0 no change, 1 uptick, 2 downtick (FLOW-V04).
    pub direction: i64,
    /// The two orders' numbers.
    pub orders: (i64, i64),
}

/// Contract A.6: 9 elements on the page, 11 natively (FLOW-P23). An unknown aggressor is 3
/// (FLOW-V11).
#[must_use]
pub fn trade_row(dialect: Dialect, print: &Print) -> String {
    let trade = &print.trade;
    let taker = trade.side.map_or(3, side_number);
    let more = match dialect {
        Dialect::Page => "",
        Dialect::Native => ",0,0",
    };
    format!(
        "[{},{},{},{},{},{},{},{},{taker}{more}]",
        trade.id,
        wire_id(trade.instrument),
        short(trade.qty),
        short(trade.price),
        print.orders.0,
        print.orders.1,
        stamp(dialect, trade.time),
        print.direction,
    )
}

/// Contract A.7, in the order high, low, open, close; 10 elements natively (FLOW-P23).
#[must_use]
pub fn ticker_row(dialect: Dialect, instrument: InstrumentId, bar: &Period) -> String {
    let more = match dialect {
        Dialect::Page => String::new(),
        Dialect::Native => format!(",{},{}", wire_id(instrument), bar.first_millis()),
    };
    format!(
        "[{},{},{},{},{},{},{},{}{more}]",
        bar.end_millis(),
        short(bar.high),
        short(bar.low),
        short(bar.open),
        short(bar.close),
        short(bar.volume),
        short(bar.bid),
        short(bar.ask),
    )
}

/// What a Level 2 row says of its level (FLOW-V03).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Action {
    New,
    Update,
    Delete,
}

/// The parts of a Level 2 row that are not the level's own.
#[derive(Copy, Clone, Debug)]
pub struct RowHead {
    pub instrument: InstrumentId,
    pub number: i64,
    pub time: Time,
    pub last: Decimal,
}

/// Contract A.5. A removed level has no quantity, no orders and no accounts.
#[must_use]
pub fn level2_row(head: RowHead, action: Action, level: &BookLevel) -> String {
    let (number, qty, orders) = match action {
        Action::New => (0, level.qty, level.orders.max(1)),
        Action::Update => (1, level.qty, level.orders.max(1)),
        Action::Delete => (2, Decimal::ZERO, 0),
    };
    let side = match level.side {
        BookSide::Bid => 0,
        BookSide::Ask => 1,
    };
    format!(
        "[{},{orders},{},{number},{},{orders},{},{},{},{side}]",
        head.number,
        head.time.millis(),
        short(head.last),
        short(level.price),
        wire_id(head.instrument),
        short(qty),
    )
}

/// An instrument's best prices, last trade and figures.
#[derive(Clone, Debug)]
pub struct Ticker<'a> {
    pub instrument: InstrumentId,
    pub bid: Option<&'a BookLevel>,
    pub ask: Option<&'a BookLevel>,
    pub last: Option<&'a Trade>,
    pub stats: &'a Stats,
    pub time: Time,
}

/// The bare Level 1 object (FLOW-P21): identified, with quantities only natively.
#[must_use]
pub fn level1(dialect: Dialect, ticker: &Ticker) -> String {
    let head = Object::new().int("OMSId", 1).int("InstrumentId", wire_id(ticker.instrument));
    let object = level1_figures(head, ticker)
        .int("Rolling24NumTrades", ticker.stats.rolling.trades)
        .raw("Rolling24HrPxChange", &amount(dialect, ticker.stats.rolling_percent()))
        .text("TimeStamp", &ticker.time.millis().to_string());
    match dialect {
        Dialect::Page => object.end(),
        Dialect::Native => object
            .dec("CurrentDayNotional", ticker.stats.today.notional)
            .dec("Rolling24HrNotional", ticker.stats.rolling.notional)
            .dec("BidQty", ticker.bid.map_or(Decimal::ZERO, |level| level.qty))
            .dec("AskQty", ticker.ask.map_or(Decimal::ZERO, |level| level.qty))
            .int("BidOrderCt", ticker.bid.map_or(0, |level| level.orders))
            .int("AskOrderCt", ticker.ask.map_or(0, |level| level.orders))
            .end(),
    }
}

/// GetLevel1's ticker object as the page lists it (contract A.4), wrapped as it shows it
/// (FLOW-F01).
#[must_use]
pub fn level1_wrapped(ticker: &Ticker) -> String {
    let data = level1_figures(Object::new(), ticker)
        .int("Rolling24HrNumTrades", ticker.stats.rolling.trades)
        .dec("Rolling24HrPxChange", ticker.stats.rolling_percent())
        .end();
    Object::new().text("status", "success").raw("data", &data).raw("message", "null").end()
}

fn level1_figures(object: Object, ticker: &Ticker) -> Object {
    let (stats, zero) = (ticker.stats, Decimal::ZERO);
    let qty = ticker.last.map_or(zero, |trade| trade.qty);
    object
        .dec("BestBid", ticker.bid.map_or(zero, |level| level.price))
        .dec("BestOffer", ticker.ask.map_or(zero, |level| level.price))
        .dec("LastTradedPx", ticker.last.map_or(zero, |trade| trade.price))
        .dec("LastTradedQty", qty)
        .int("LastTradeTime", ticker.last.map_or(0, |trade| trade.time.millis()))
        .dec("SessionOpen", stats.open)
        .dec("SessionHigh", stats.high)
        .dec("SessionLow", stats.low)
        .dec("SessionClose", stats.close_before)
        .dec("Volume", qty)
        .dec("CurrentDayVolume", stats.today.volume)
        .int("CurrentDayNumTrades", stats.today.trades)
        .dec("CurrentDayPxChange", stats.day_change())
        .dec("Rolling24HrVolume", stats.rolling.volume)
}

/// FLOW-X04.
#[must_use]
pub fn instrument(row: &Instrument, products: &Products) -> String {
    let id = wire_id(row.id);
    Object::new()
        .int("OMSId", 1)
        .int("InstrumentId", id)
        .text("Symbol", &row.symbol)
        .int("Product1", products.number(&row.base))
        .text("Product1Symbol", &row.base)
        .int("Product2", products.number(&row.quote))
        .text("Product2Symbol", &row.quote)
        .text("InstrumentType", "Standard")
        .int("VenueInstrumentId", id)
        .int("VenueId", 1)
        .int("SortIndex", 0)
        .text("SessionStatus", "Running")
        .text("PreviousSessionStatus", "Stopped")
        .dec("QuantityIncrement", row.lot_size)
        .dec("PriceIncrement", row.tick_size)
        .dec("MinimumQuantity", row.min_qty)
        .dec("MinimumPrice", row.tick_size)
        .flag("IsDisable", false)
        .end()
}

/// FLOW-C13; natively with the smallest step of its amounts, which ccxt reads.
#[must_use]
pub fn product(dialect: Dialect, row: &Product) -> String {
    let object = Object::new()
        .int("OMSId", 1)
        .int("ProductId", row.id)
        .text("Product", &row.symbol)
        .text("ProductFullName", &row.full_name)
        .text("ProductType", if row.national { "NationalCurrency" } else { "CryptoCurrency" })
        .int("DecimalPlaces", row.places);
    let places = u32::try_from(row.places).unwrap_or_default();
    match dialect {
        Dialect::Page => object.end(),
        Dialect::Native => object.dec("TickSize", Decimal::new(1, places)).end(),
    }
}

/// Several rows as one array.
#[must_use]
pub fn trade_rows<'a>(dialect: Dialect, prints: impl Iterator<Item = &'a Print>) -> String {
    array(prints.map(|print| trade_row(dialect, print)))
}
