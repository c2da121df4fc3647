//! Mercado Bitcoin's calls: the five methods of its Trade API v2 (`MB-C`), and the public data
//! (`MB-X`), which goes its own way so that it costs no tonce.

use super::{Call, CallError, Field, Kind, Priority, Reply, Retry, Transport, may, need};

const SIDE: Kind = Kind::Word(&["buy", "sell"]);
/// MB-F08: an allow-list of two.
const PAIR: Field = need("pair", Kind::Word(&["btc_brl", "ltc_brl"]));
/// A part of the path: `BTC`.
const COIN: Field = need("coin", Kind::Text);

const STATUS: Kind = Kind::Word(&["active", "canceled", "completed"]);

/// Every coin's two amounts; the venue may leave any of them out (MB-F08). Amounts are strings
/// (MB-R09).
const FUNDS: &[Field] = &[
    may("brl", Kind::Text),
    may("btc", Kind::Text),
    may("ltc", Kind::Text),
    may("bch", Kind::Text),
    may("brl_with_open_orders", Kind::Text),
    may("btc_with_open_orders", Kind::Text),
    may("ltc_with_open_orders", Kind::Text),
];

/// Contract A.3, inside of `return` (MB-P03).
pub const INFO: &[Field] = &[
    need("funds", Kind::Object(FUNDS)),
    need("server_time", Kind::Stamp),
    need("open_orders", Kind::Int),
];

const OPERATION: &[Field] = &[
    need("volume", Kind::Text),
    need("price", Kind::Text),
    need("rate", Kind::Text),
    need("created", Kind::Stamp),
];

/// Contract A.2: the value under an order's number.
pub const ORDER: &[Field] = &[
    need("status", STATUS),
    need("created", Kind::Stamp),
    need("price", Kind::Text),
    need("volume", Kind::Text),
    need("pair", Kind::Text),
    need("type", SIDE),
    need("operations", Kind::Keyed(OPERATION)),
];

const WITHDRAWAL: &[Field] = &[
    need("id", Kind::Id),
    need("volume", Kind::Text),
    need("status", Kind::Text),
    need("status_description", Kind::Text),
    need("bitcoin_address", Kind::Text),
    need("transaction", Kind::Text),
    need("created_timestamp", Kind::Stamp),
    need("updated_timestamp", Kind::Stamp),
];

/// Reply of MB-C05.
pub const WITHDRAWN: &[Field] = &[need("withdrawal", Kind::Object(WITHDRAWAL))];

const TICK: &[Field] = &[
    need("high", Kind::Text),
    need("low", Kind::Text),
    need("vol", Kind::Text),
    need("last", Kind::Text),
    need("buy", Kind::Text),
    need("sell", Kind::Text),
    may("open", Kind::Text),
    need("date", Kind::Stamp),
];

/// Reply of MB-X01.
pub const TICKED: &[Field] = &[need("ticker", Kind::Object(TICK))];

const LEVEL: &[Field] = &[need("price", Kind::Number), need("quantity", Kind::Number)];

/// Reply of MB-X02.
pub const BOOK: &[Field] = &[
    need("asks", Kind::Rows(LEVEL)),
    need("bids", Kind::Rows(LEVEL)),
    may("timestamp", Kind::Stamp),
];

/// A row of MB-X03.
pub const PUBLIC_TRADE: &[Field] = &[
    need("tid", Kind::Id),
    need("date", Kind::Stamp),
    need("type", SIDE),
    need("price", Kind::Number),
    need("amount", Kind::Number),
];

/// Reply of MB-X04.
pub const DAY: &[Field] = &[
    need("date", Kind::Text),
    need("opening", Kind::Number),
    need("closing", Kind::Number),
    need("lowest", Kind::Number),
    need("highest", Kind::Number),
    need("volume", Kind::Number),
    need("quantity", Kind::Number),
    need("amount", Kind::Number),
    need("avg_price", Kind::Number),
];

const TOO_MANY: CallError = CallError {
    code: None,
    text: "Taxa de requests acima do permitido.",
    meaning: "more than 60 requests in 60 seconds; the call was not carried out (MB-R07)",
};

/// The page lists no errors (MB-F11): the one known text, and any other.
const TRADE_ERRORS: &[CallError] = &[
    TOO_MANY,
    CallError {
        code: None,
        text: "",
        meaning: "any other text: refused, and handed on as it comes (MB-P02)",
    },
];

const DATA_ERRORS: &[CallError] =
    &[CallError { code: Some(404), text: "", meaning: "the venue has no such coin or day" }];

pub const GET_INFO: Call = Call {
    name: "getInfo",
    args: &[],
    reply: Reply::Object(INFO),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "MB-C01",
    doc: "Balances, the server time and the number of open orders.",
    transport: Transport::Form,
    one_of: &[],
    errors: TRADE_ERRORS,
};

pub const ORDER_LIST: Call = Call {
    name: "OrderList",
    args: &[
        PAIR,
        may("type", SIDE),
        may("status", STATUS),
        may("from_id", Kind::Id),
        may("end_id", Kind::Id),
        may("since", Kind::Stamp),
        may("end", Kind::Stamp),
    ],
    reply: Reply::Keyed(ORDER),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "MB-C02",
    doc: "Orders by side, state, id or time, both ends included; at most 1000.",
    transport: Transport::Form,
    one_of: &[],
    errors: TRADE_ERRORS,
};

pub const TRADE: Call = Call {
    name: "Trade",
    args: &[PAIR, need("type", SIDE), need("volume", Kind::Dec), need("price", Kind::Dec)],
    reply: Reply::Keyed(ORDER),
    lane: Priority::New,
    retry: Retry::Never,
    grant: false,
    auth: true,
    switch: None,
    contract: "MB-C03",
    doc: "Places a limit order. There is no client id and no market order.",
    transport: Transport::Form,
    one_of: &[],
    errors: TRADE_ERRORS,
};

pub const CANCEL_ORDER: Call = Call {
    name: "CancelOrder",
    args: &[PAIR, need("order_id", Kind::Id)],
    reply: Reply::Keyed(ORDER),
    lane: Priority::Cancel,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "MB-C04",
    doc: "Cancels an order by its number; answers the order.",
    transport: Transport::Form,
    one_of: &[],
    errors: TRADE_ERRORS,
};

/// There is no call that reads withdrawals: a lost answer stops the line (Part D).
pub const WITHDRAWAL_BITCOIN: Call = Call {
    name: "withdrawal_bitcoin",
    args: &[need("volume", Kind::Dec), need("bitcoin_address", Kind::Text)],
    reply: Reply::Object(WITHDRAWN),
    lane: Priority::Withdrawal,
    retry: Retry::Human,
    grant: true,
    auth: true,
    switch: None,
    contract: "MB-C05",
    doc: "Withdraws bitcoin to a trusted address.",
    transport: Transport::Form,
    one_of: &[],
    errors: TRADE_ERRORS,
};

pub const TICKER: Call = Call {
    name: "ticker",
    args: &[COIN],
    reply: Reply::Object(TICKED),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("data"),
    contract: "MB-X01",
    doc: "High, low, volume, last, best bid and best offer of a coin.",
    transport: Transport::Get,
    one_of: &[],
    errors: DATA_ERRORS,
};

pub const ORDERBOOK: Call = Call {
    name: "orderbook",
    args: &[COIN],
    reply: Reply::Object(BOOK),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("data"),
    contract: "MB-X02",
    doc: "The book of a coin: prices and quantities of both sides.",
    transport: Transport::Get,
    one_of: &[],
    errors: DATA_ERRORS,
};

pub const TRADES: Call = Call {
    name: "trades",
    args: &[
        COIN,
        may("tid", Kind::Id),
        may("since", Kind::Id),
        may("from", Kind::Stamp),
        may("to", Kind::Stamp),
    ],
    reply: Reply::Objects(PUBLIC_TRADE),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("data"),
    contract: "MB-X03",
    doc: "Public trades after a number (exclusive) or between seconds (inclusive); at most 1000.",
    transport: Transport::Get,
    one_of: &[],
    errors: DATA_ERRORS,
};

pub const DAY_SUMMARY: Call = Call {
    name: "day-summary",
    args: &[COIN, need("year", Kind::Int), need("month", Kind::Int), need("day", Kind::Int)],
    reply: Reply::Object(DAY),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("data"),
    contract: "MB-X04",
    doc: "Open, close, extremes and volume of a coin on one day.",
    transport: Transport::Get,
    one_of: &[],
    errors: DATA_ERRORS,
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
