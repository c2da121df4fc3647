//! FlowBTC's calls (AlphaPoint's gateway), one row per call, in the contract's order: the page's
//! own (`FLOW-C`; user and money in `user`). Those outside the page are in `extras`.

use super::{Call, Field, Kind, Priority, Reply, Retry, may, need, ours};

mod extras;
mod user;

pub use extras::*;
pub use user::*;

const OMS: Field = ours("OMSId", Kind::Int);
const ACCOUNT: Field = ours("AccountId", Kind::Int);
const INSTRUMENT: Field = need("InstrumentId", Kind::Int);

/// FLOW-C01: `{"msg":"PONG"}`. In the reconcile lane, so that a full lane never looks like a
/// dead line.
pub const PING: Call = Call {
    name: "Ping",
    args: &[],
    reply: Reply::Object(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C01",
    doc: "Asks whether the connection is alive.",
};

pub const GET_LEVEL1: Call = Call {
    name: "GetLevel1",
    args: &[OMS, INSTRUMENT],
    reply: Reply::Object(&[]),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C02",
    doc: "Best bid, best offer, last trade and the figures of the day of an instrument.",
};

pub const GET_L2_SNAPSHOT: Call = Call {
    name: "GetL2Snapshot",
    args: &[OMS, INSTRUMENT, need("Depth", Kind::Int)],
    reply: Reply::Rows(&[]),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C03",
    doc: "The book of an instrument once; Depth is always sent, its default is unreliable.",
};

pub const WEB_AUTHENTICATE_USER: Call = Call {
    name: "WebAuthenticateUser",
    args: &[
        may("UserName", Kind::Text),
        may("Password", Kind::Text),
        may("SessionToken", Kind::Text),
    ],
    reply: Reply::Object(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Limited,
    grant: true,
    auth: false,
    switch: None,
    contract: "FLOW-C04",
    doc: "Logs in with user and password, or resumes a session by its token.",
};

pub const SUBSCRIBE_ACCOUNT_EVENTS: Call = Call {
    name: "SubscribeAccountEvents",
    args: &[ACCOUNT, OMS],
    reply: Reply::Receipt,
    lane: Priority::Reconcile,
    retry: Retry::Resubscribe,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C05",
    doc: "Streams orders, fills and balances of an account.",
};

pub const SUBSCRIBE_TRADES: Call = Call {
    name: "SubscribeTrades",
    args: &[OMS, INSTRUMENT, need("IncludeLastCount", Kind::Int)],
    reply: Reply::Rows(&[]),
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C06",
    doc: "Streams the public trades of an instrument, the last ones first.",
};

pub const UNSUBSCRIBE_TRADES: Call = Call {
    name: "UnsubscribeTrades",
    args: &[OMS, INSTRUMENT],
    reply: Reply::Receipt,
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C07",
    doc: "Ends the stream of public trades.",
};

pub const SUBSCRIBE_TICKER: Call = Call {
    name: "SubscribeTicker",
    args: &[OMS, INSTRUMENT, need("Interval", Kind::Int), need("IncludeLastCount", Kind::Int)],
    reply: Reply::Rows(&[]),
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C08",
    doc: "Streams bars of an interval in seconds, the one being formed included.",
};

pub const UNSUBSCRIBE_TICKER: Call = Call {
    name: "UnsubscribeTicker",
    args: &[OMS, INSTRUMENT],
    reply: Reply::Receipt,
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C09",
    doc: "Ends the stream of bars.",
};

pub const AUTHENTICATE_2FA: Call = Call {
    name: "Authenticate2FA",
    args: &[need("Code", Kind::Text)],
    reply: Reply::Object(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Fresh,
    grant: true,
    auth: false,
    switch: None,
    contract: "FLOW-C10",
    doc: "The second step of a login; a code works once.",
};

pub const LOG_OUT: Call = Call {
    name: "LogOut",
    args: &[],
    reply: Reply::Receipt,
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: true,
    auth: false,
    switch: None,
    contract: "FLOW-C11",
    doc: "Ends the session; its token is void afterwards.",
};

pub const GET_TICKER_HISTORY: Call = Call {
    name: "GetTickerHistory",
    args: &[
        OMS,
        INSTRUMENT,
        need("FromDate", Kind::Text),
        need("ToDate", Kind::Text),
        need("Interval", Kind::Int),
    ],
    reply: Reply::Rows(&[]),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C12",
    doc: "Bars of an interval in seconds between two days, YYYY-MM-DD.",
};

pub const GET_PRODUCT: Call = Call {
    name: "GetProduct",
    args: &[OMS, may("Symbol", Kind::Text), may("ProductId", Kind::Int)],
    reply: Reply::Object(&[]),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C13",
    doc: "One asset by its number or its symbol: exactly one of the two is sent.",
};

pub const GET_PRODUCTS: Call = Call {
    name: "GetProducts",
    args: &[OMS],
    reply: Reply::Objects(&[]),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C14",
    doc: "The assets of the venue.",
};

pub const GET_ACCOUNT_TRADES: Call = Call {
    name: "GetAccountTrades",
    args: &[OMS, ACCOUNT, need("Count", Kind::Int), need("StartIndex", Kind::Int)],
    reply: Reply::Objects(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C18",
    doc: "The account's fills, a page at a time.",
};

pub const SEND_ORDER: Call = Call {
    name: "SendOrder",
    args: &[
        ACCOUNT,
        may("ClientOrderId", Kind::Id),
        INSTRUMENT,
        need("Side", Kind::Int),
        need("Quantity", Kind::Dec),
        may("DisplayQuantity", Kind::Dec),
        may("UseDisplayQuantity", Kind::Bool),
        need("OrderType", Kind::Int),
        may("LimitPrice", Kind::Dec),
        may("StopPrice", Kind::Dec),
        may("TimeInForce", Kind::Int),
        OMS,
    ],
    reply: Reply::Object(&[]),
    lane: Priority::New,
    retry: Retry::Never,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C21",
    doc: "Places an order. A repeated ClientOrderId makes a second order.",
};

/// Only the quantity, only downwards (FLOW-P19); a repeat needs a fresh revision.
pub const MODIFY_ORDER: Call = Call {
    name: "ModifyOrder",
    args: &[
        OMS,
        need("OrderId", Kind::Id),
        INSTRUMENT,
        need("PreviousOrderRevision", Kind::Id),
        need("Quantity", Kind::Dec),
    ],
    reply: Reply::Receipt,
    lane: Priority::Replace,
    retry: Retry::Fresh,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C22",
    doc: "Makes a working order smaller; it keeps its place in the queue.",
};

pub const CANCEL_REPLACE_ORDER: Call = Call {
    name: "CancelReplaceOrder",
    args: &[
        ACCOUNT,
        need("OrderIdToReplace", Kind::Id),
        may("ClientOrderId", Kind::Id),
        need("Quantity", Kind::Dec),
        may("DisplayQuantity", Kind::Dec),
        may("UseDisplayQuantity", Kind::Bool),
        may("LimitPrice", Kind::Dec),
        need("OrderType", Kind::Int),
        INSTRUMENT,
        need("Side", Kind::Int),
        may("StopPrice", Kind::Dec),
        need("TimeInForce", Kind::Int),
        OMS,
    ],
    reply: Reply::Object(&[]),
    lane: Priority::Replace,
    retry: Retry::Never,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C23",
    doc: "Cancels a working order and places another in its stead; loses priority.",
};

pub const CANCEL_ORDER: Call = Call {
    name: "CancelOrder",
    args: &[OMS, ACCOUNT, may("ClOrderId", Kind::Id), may("OrderId", Kind::Id)],
    reply: Reply::Receipt,
    lane: Priority::Cancel,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C24",
    doc: "Cancels an order by its number, or by account and client id; answers a receipt only.",
};

pub const CANCEL_ALL_ORDERS: Call = Call {
    name: "CancelAllOrders",
    args: &[ACCOUNT, OMS, INSTRUMENT],
    reply: Reply::Receipt,
    lane: Priority::Cancel,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C25",
    doc: "Cancels an account's orders of one instrument. Its scope is the keys that are present.",
};

pub const GET_ORDER_STATUS: Call = Call {
    name: "GetOrderStatus",
    args: &[OMS, ACCOUNT, need("OrderId", Kind::Id)],
    reply: Reply::Object(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C26",
    doc: "One order by its number; code 104 when there is none.",
};

pub const GET_ORDER_FEE: Call = Call {
    name: "GetOrderFee",
    args: &[
        OMS,
        ACCOUNT,
        INSTRUMENT,
        need("ProductId", Kind::Int),
        need("Amount", Kind::Dec),
        need("OrderType", Kind::Text),
        need("MakerTaker", Kind::Text),
    ],
    reply: Reply::Object(&[]),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C27",
    doc: "What an order would cost; order type and liquidity are words here (FLOW-F21).",
};

pub const GET_ORDER_HISTORY: Call = Call {
    name: "GetOrderHistory",
    args: &[OMS, ACCOUNT],
    reply: Reply::Objects(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C28",
    doc: "The account's last 100 orders in any state.",
};

pub const GET_OPEN_ORDERS: Call = Call {
    name: "GetOpenOrders",
    args: &[OMS, ACCOUNT],
    reply: Reply::Objects(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C29",
    doc: "The orders that are on the book; may hold other accounts of the same user.",
};

/// Every call of the venue: the one table to read.
pub const FLOWBTC: &[Call] = &[
    PING,
    GET_LEVEL1,
    GET_L2_SNAPSHOT,
    WEB_AUTHENTICATE_USER,
    SUBSCRIBE_ACCOUNT_EVENTS,
    SUBSCRIBE_TRADES,
    UNSUBSCRIBE_TRADES,
    SUBSCRIBE_TICKER,
    UNSUBSCRIBE_TICKER,
    AUTHENTICATE_2FA,
    LOG_OUT,
    GET_TICKER_HISTORY,
    GET_PRODUCT,
    GET_PRODUCTS,
    GET_USER_INFO,
    SET_USER_INFO,
    GET_ACCOUNT_INFO,
    GET_ACCOUNT_TRADES,
    CREATE_DEPOSIT_TICKET,
    CREATE_WITHDRAW_TICKET,
    SEND_ORDER,
    MODIFY_ORDER,
    CANCEL_REPLACE_ORDER,
    CANCEL_ORDER,
    CANCEL_ALL_ORDERS,
    GET_ORDER_STATUS,
    GET_ORDER_FEE,
    GET_ORDER_HISTORY,
    GET_OPEN_ORDERS,
    SUBSCRIBE_LEVEL1,
    UNSUBSCRIBE_LEVEL1,
    SUBSCRIBE_LEVEL2,
    UNSUBSCRIBE_LEVEL2,
    GET_ACCOUNT_POSITIONS,
    GET_INSTRUMENTS,
    GET_USER_ACCOUNTS,
    AUTHENTICATE_USER,
    AUTHENTICATE,
    GET_ORDERS_HISTORY,
    GET_TRADES_HISTORY,
    GET_ORDER_HISTORY_BY_ORDER_ID,
    GET_LAST_TRADES,
    GET_WITHDRAW_TICKETS,
    GET_DEPOSIT_TICKETS,
    GET_DEPOSIT_INFO,
];

/// The call of this name; the case of letters does not matter (FLOW-P03).
#[must_use]
pub fn find(name: &str) -> Option<&'static Call> {
    FLOWBTC.iter().find(|call| call.name.eq_ignore_ascii_case(name))
}
