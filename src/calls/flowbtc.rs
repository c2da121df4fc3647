//! FlowBTC's calls (AlphaPoint's gateway), one row per call, in the contract's order: the page's
//! own (`FLOW-C`; orders in `orders`, user and money in `user`). Those outside the page are in
//! `extras`, the replies' fields in `replies`.

use super::{Call, Field, Kind, Priority, Reply, Retry, Transport, fill, may, need, ours, secret};
use errors::{LISTED_ERRORS, LOGIN_ERRORS, PRIVATE_ERRORS, PUBLIC_ERRORS, STREAM_ERRORS};

mod errors;
mod extras;
mod numbers;
mod orders;
mod replies;
mod user;

pub use extras::*;
pub use numbers::*;
pub use orders::*;
pub use replies::*;
pub use user::*;

const OMS: Field = ours("OMSId", Kind::Int);
const ACCOUNT: Field = ours("AccountId", Kind::Int);
const INSTRUMENT: Field = need("InstrumentId", Kind::Int);
const SYMBOL: Field = may("Symbol", Kind::Text);
/// Where the instrument may be named by its symbol instead (FLOW-F08).
const EITHER_INSTRUMENT: Field = may("InstrumentId", Kind::Int);
const EITHER_NAME: &[&str] = &["InstrumentId", "Symbol"];

/// FLOW-C01: `{"msg":"PONG"}`. In the reconcile lane, so that a full lane never looks like a
/// dead line.
pub const PING: Call = Call {
    name: "Ping",
    args: &[],
    reply: Reply::Object(PONG),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C01",
    doc: "Asks whether the connection is alive.",
    transport: Transport::Get,
    one_of: &[],
    errors: PUBLIC_ERRORS,
};

pub const GET_LEVEL1: Call = Call {
    name: "GetLevel1",
    args: &[OMS, INSTRUMENT],
    reply: Reply::Object(TICKER),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C02",
    doc: "Best bid, best offer, last trade and the figures of the day of an instrument.",
    transport: Transport::Get,
    one_of: &[],
    errors: PUBLIC_ERRORS,
};

pub const GET_L2_SNAPSHOT: Call = Call {
    name: "GetL2Snapshot",
    args: &[OMS, INSTRUMENT, ours("Depth", Kind::Int)],
    reply: Reply::Rows(LEVEL_ROW),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C03",
    doc: "The book of an instrument once; Depth is always sent, its default is unreliable.",
    transport: Transport::Get,
    one_of: &[],
    errors: PUBLIC_ERRORS,
};

pub const WEB_AUTHENTICATE_USER: Call = Call {
    name: "WebAuthenticateUser",
    args: &[
        secret("UserName", Kind::Text),
        secret("Password", Kind::Text),
        secret("SessionToken", Kind::Text),
    ],
    reply: Reply::Object(LOGIN),
    lane: Priority::Reconcile,
    retry: Retry::Limited,
    grant: true,
    auth: false,
    switch: None,
    contract: "FLOW-C04",
    doc: "Logs in with user and password, or resumes a session by its token.",
    transport: Transport::Socket,
    one_of: &[],
    errors: LOGIN_ERRORS,
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
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const SUBSCRIBE_TRADES: Call = Call {
    name: "SubscribeTrades",
    args: &[OMS, SYMBOL, EITHER_INSTRUMENT, need("IncludeLastCount", Kind::Int)],
    reply: Reply::Rows(TRADE_ROW),
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C06",
    doc: "Streams the public trades of an instrument, the last ones first.",
    transport: Transport::Socket,
    one_of: EITHER_NAME,
    errors: STREAM_ERRORS,
};

pub const UNSUBSCRIBE_TRADES: Call = Call {
    name: "UnsubscribeTrades",
    args: &[OMS, SYMBOL, EITHER_INSTRUMENT],
    reply: Reply::Receipt,
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C07",
    doc: "Ends the stream of public trades.",
    transport: Transport::Socket,
    one_of: EITHER_NAME,
    errors: PUBLIC_ERRORS,
};

pub const SUBSCRIBE_TICKER: Call = Call {
    name: "SubscribeTicker",
    args: &[OMS, INSTRUMENT, need("Interval", Kind::Int), need("IncludeLastCount", Kind::Int)],
    reply: Reply::Rows(BAR_ROW),
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C08",
    doc: "Streams bars of an interval in seconds, the one being formed included.",
    transport: Transport::Socket,
    one_of: &[],
    errors: STREAM_ERRORS,
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
    transport: Transport::Socket,
    one_of: &[],
    errors: PUBLIC_ERRORS,
};

pub const AUTHENTICATE_2FA: Call = Call {
    name: "Authenticate2FA",
    args: &[need("Code", Kind::Text)],
    reply: Reply::Object(LOGIN),
    lane: Priority::Reconcile,
    retry: Retry::Fresh,
    grant: true,
    auth: false,
    switch: None,
    contract: "FLOW-C10",
    doc: "The second step of a login; a code works once.",
    transport: Transport::Socket,
    one_of: &[],
    errors: LOGIN_ERRORS,
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
    transport: Transport::Socket,
    one_of: &[],
    errors: PUBLIC_ERRORS,
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
    reply: Reply::Rows(BAR_ROW),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C12",
    doc: "Bars of an interval in seconds between two days, YYYY-MM-DD.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PUBLIC_ERRORS,
};

pub const GET_PRODUCT: Call = Call {
    name: "GetProduct",
    args: &[OMS, may("Symbol", Kind::Text), may("ProductId", Kind::Int)],
    reply: Reply::Object(PRODUCT),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C13",
    doc: "One asset by its number or its symbol: exactly one of the two is sent.",
    transport: Transport::Socket,
    one_of: &["ProductId", "Symbol"],
    errors: LISTED_ERRORS,
};

pub const GET_PRODUCTS: Call = Call {
    name: "GetProducts",
    args: &[OMS],
    reply: Reply::Objects(PRODUCT),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: None,
    contract: "FLOW-C14",
    doc: "The assets of the venue.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PUBLIC_ERRORS,
};

pub const GET_ACCOUNT_TRADES: Call = Call {
    name: "GetAccountTrades",
    args: &[OMS, ACCOUNT, need("Count", Kind::Int), need("StartIndex", Kind::Int)],
    reply: Reply::Objects(EXECUTION),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C18",
    doc: "The account's fills, a page at a time.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
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
