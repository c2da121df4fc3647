//! Mercado Bitcoin's calls: the five methods of its Trade API v2 (`MB-C`), and the public data
//! (`MB-X`), which goes its own way so that it costs no tonce.

use super::{Call, Field, Kind, Priority, Reply, Retry, may, need};

const SIDE: Kind = Kind::Word(&["buy", "sell"]);
/// MB-F08: an allow-list of two.
const PAIR: Field = need("pair", Kind::Word(&["btc_brl", "ltc_brl"]));
/// A part of the path: `BTC`.
const COIN: Field = need("coin", Kind::Text);

pub const GET_INFO: Call = Call {
    name: "getInfo",
    args: &[],
    reply: Reply::Object(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "MB-C01",
    doc: "Balances, the server time and the number of open orders.",
};

pub const ORDER_LIST: Call = Call {
    name: "OrderList",
    args: &[
        PAIR,
        may("type", SIDE),
        may("status", Kind::Word(&["active", "canceled", "completed"])),
        may("from_id", Kind::Id),
        may("end_id", Kind::Id),
        may("since", Kind::Id),
        may("end", Kind::Id),
    ],
    reply: Reply::Keyed(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "MB-C02",
    doc: "Orders by side, state, id or time, both ends included; at most 1000.",
};

pub const TRADE: Call = Call {
    name: "Trade",
    args: &[PAIR, need("type", SIDE), need("volume", Kind::Dec), need("price", Kind::Dec)],
    reply: Reply::Keyed(&[]),
    lane: Priority::New,
    retry: Retry::Never,
    grant: false,
    auth: true,
    switch: None,
    contract: "MB-C03",
    doc: "Places a limit order. There is no client id and no market order.",
};

pub const CANCEL_ORDER: Call = Call {
    name: "CancelOrder",
    args: &[PAIR, need("order_id", Kind::Id)],
    reply: Reply::Keyed(&[]),
    lane: Priority::Cancel,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "MB-C04",
    doc: "Cancels an order by its number; answers the order.",
};

/// There is no call that reads withdrawals: a lost answer stops the line (Part D).
pub const WITHDRAWAL_BITCOIN: Call = Call {
    name: "withdrawal_bitcoin",
    args: &[need("volume", Kind::Dec), need("bitcoin_address", Kind::Text)],
    reply: Reply::Object(&[]),
    lane: Priority::Withdrawal,
    retry: Retry::Human,
    grant: true,
    auth: true,
    switch: None,
    contract: "MB-C05",
    doc: "Withdraws bitcoin to a trusted address.",
};

pub const TICKER: Call = Call {
    name: "ticker",
    args: &[COIN],
    reply: Reply::Object(&[]),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("data"),
    contract: "MB-X01",
    doc: "High, low, volume, last, best bid and best offer of a coin.",
};

pub const ORDERBOOK: Call = Call {
    name: "orderbook",
    args: &[COIN],
    reply: Reply::Object(&[]),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("data"),
    contract: "MB-X02",
    doc: "The book of a coin: prices and quantities of both sides.",
};

pub const TRADES: Call = Call {
    name: "trades",
    args: &[
        COIN,
        may("tid", Kind::Id),
        may("since", Kind::Id),
        may("from", Kind::Id),
        may("to", Kind::Id),
    ],
    reply: Reply::Objects(&[]),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("data"),
    contract: "MB-X03",
    doc: "Public trades after a number (exclusive) or between seconds (inclusive); at most 1000.",
};

pub const DAY_SUMMARY: Call = Call {
    name: "day-summary",
    args: &[COIN, need("year", Kind::Int), need("month", Kind::Int), need("day", Kind::Int)],
    reply: Reply::Object(&[]),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("data"),
    contract: "MB-X04",
    doc: "Open, close, extremes and volume of a coin on one day.",
};

/// Every call of the venue: the one table to read.
pub const MERCADOBITCOIN: &[Call] = &[
    GET_INFO,
    ORDER_LIST,
    TRADE,
    CANCEL_ORDER,
    WITHDRAWAL_BITCOIN,
    TICKER,
    ORDERBOOK,
    TRADES,
    DAY_SUMMARY,
];

/// The call of this name, spelled as the venue spells it.
#[must_use]
pub fn find(name: &str) -> Option<&'static Call> {
    MERCADOBITCOIN.iter().find(|call| call.name == name)
}
