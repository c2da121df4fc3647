//! FlowBTC's calls outside its page (`FLOW-X`), each behind a switch: a server that implements
//! only the page does not have them.

use super::errors::{BY_NUMBER_ERRORS, LOGIN_ERRORS, PRIVATE_ERRORS, PUBLIC_ERRORS, STREAM_ERRORS};
use super::replies::{
    DEPOSIT_INFO, EXECUTION, INSTRUMENT_ROW, LEVEL_ROW, LOGIN, ORDER, POSITION, TICKER, TICKET,
    TRADE_ROW,
};
use super::{
    ACCOUNT, Call, EITHER_INSTRUMENT, EITHER_NAME, INSTRUMENT, Kind, OMS, Priority, Reply, Retry,
    SYMBOL, Transport, fill, may, need,
};
use crate::calls::hidden;

pub const SUBSCRIBE_LEVEL1: Call = Call {
    name: "SubscribeLevel1",
    args: &[OMS, SYMBOL, EITHER_INSTRUMENT],
    reply: Reply::Object(TICKER),
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: Some("level1"),
    contract: "FLOW-X01",
    doc: "Streams best bid, best ask and last trade of an instrument.",
    transport: Transport::Socket,
    one_of: EITHER_NAME,
    errors: STREAM_ERRORS,
};

pub const UNSUBSCRIBE_LEVEL1: Call = Call {
    name: "UnsubscribeLevel1",
    args: &[OMS, SYMBOL, EITHER_INSTRUMENT],
    reply: Reply::Receipt,
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: Some("level1"),
    contract: "FLOW-X01",
    doc: "Ends the stream of best prices.",
    transport: Transport::Socket,
    one_of: EITHER_NAME,
    errors: PUBLIC_ERRORS,
};

pub const SUBSCRIBE_LEVEL2: Call = Call {
    name: "SubscribeLevel2",
    args: &[OMS, SYMBOL, EITHER_INSTRUMENT, need("Depth", Kind::Int)],
    reply: Reply::Rows(LEVEL_ROW),
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: Some("level2"),
    contract: "FLOW-X02",
    doc: "Streams the book of an instrument: a snapshot, then changed levels.",
    transport: Transport::Socket,
    one_of: EITHER_NAME,
    errors: STREAM_ERRORS,
};

pub const UNSUBSCRIBE_LEVEL2: Call = Call {
    name: "UnsubscribeLevel2",
    args: &[OMS, SYMBOL, EITHER_INSTRUMENT],
    reply: Reply::Receipt,
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: Some("level2"),
    contract: "FLOW-X02",
    doc: "Ends the stream of the book.",
    transport: Transport::Socket,
    one_of: EITHER_NAME,
    errors: PUBLIC_ERRORS,
};

pub const GET_ACCOUNT_POSITIONS: Call = Call {
    name: "GetAccountPositions",
    args: &[ACCOUNT, OMS],
    reply: Reply::Objects(POSITION),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("positions"),
    contract: "FLOW-X03",
    doc: "The account's balances: total and held, per product.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const GET_INSTRUMENTS: Call = Call {
    name: "GetInstruments",
    args: &[OMS],
    reply: Reply::Objects(INSTRUMENT_ROW),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("instruments"),
    contract: "FLOW-X04",
    doc: "The venue's instruments with tick size, lot size and minimums.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PUBLIC_ERRORS,
};

pub const GET_USER_ACCOUNTS: Call = Call {
    name: "GetUserAccounts",
    args: &[OMS, fill("UserId", Kind::Int), fill("UserName", Kind::Text)],
    reply: Reply::Numbers,
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("accounts"),
    contract: "FLOW-X05",
    doc: "The numbers of the user's accounts.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const AUTHENTICATE_USER: Call = Call {
    name: "AuthenticateUser",
    args: &[
        hidden("APIKey", Kind::Text),
        hidden("Signature", Kind::Text),
        hidden("UserId", Kind::Text),
        hidden("Nonce", Kind::Text),
    ],
    reply: Reply::Object(LOGIN),
    lane: Priority::Reconcile,
    retry: Retry::Limited,
    grant: true,
    auth: false,
    switch: Some("api_key"),
    contract: "FLOW-X06",
    doc: "Logs in with an API key; all four are strings (FLOW-P10).",
    transport: Transport::Socket,
    one_of: &[],
    errors: LOGIN_ERRORS,
};

pub const AUTHENTICATE: Call = Call {
    name: "Authenticate",
    args: &[],
    reply: Reply::Object(LOGIN),
    lane: Priority::Reconcile,
    retry: Retry::Limited,
    grant: true,
    auth: false,
    switch: Some("api_key"),
    contract: "FLOW-X06",
    doc: "REST login: HTTP Basic, or the four signed headers, for a session token (FLOW-P11).",
    transport: Transport::Get,
    one_of: &[],
    errors: LOGIN_ERRORS,
};

pub const GET_ORDERS_HISTORY: Call = Call {
    name: "GetOrdersHistory",
    args: &[
        OMS,
        ACCOUNT,
        may("ClientOrderId", Kind::Id),
        may("InstrumentId", Kind::Int),
        may("StartTimestamp", Kind::Stamp),
        may("EndTimestamp", Kind::Stamp),
        may("Depth", Kind::Int),
        may("StartIndex", Kind::Int),
    ],
    reply: Reply::Objects(ORDER),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("history"),
    contract: "FLOW-X07",
    doc: "Orders in any state, by client id, instrument or time.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const GET_TRADES_HISTORY: Call = Call {
    name: "GetTradesHistory",
    args: &[
        OMS,
        ACCOUNT,
        may("InstrumentId", Kind::Int),
        may("OrderId", Kind::Id),
        may("StartTimestamp", Kind::Stamp),
        may("EndTimestamp", Kind::Stamp),
        may("Depth", Kind::Int),
        may("StartIndex", Kind::Int),
    ],
    reply: Reply::Objects(EXECUTION),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("history"),
    contract: "FLOW-X07",
    doc: "The fills of the account, by instrument, order or time.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const GET_ORDER_HISTORY_BY_ORDER_ID: Call = Call {
    name: "GetOrderHistoryByOrderId",
    args: &[OMS, ACCOUNT, need("OrderId", Kind::Id)],
    reply: Reply::Objects(ORDER),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("history"),
    contract: "FLOW-X07",
    doc: "Every state an order has been in.",
    transport: Transport::Socket,
    one_of: &[],
    errors: BY_NUMBER_ERRORS,
};

pub const GET_LAST_TRADES: Call = Call {
    name: "GetLastTrades",
    args: &[OMS, INSTRUMENT, need("Count", Kind::Int)],
    reply: Reply::Rows(TRADE_ROW),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("history"),
    contract: "FLOW-X07",
    doc: "The last public trades of an instrument.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PUBLIC_ERRORS,
};

pub const GET_WITHDRAW_TICKETS: Call = Call {
    name: "GetWithdrawTickets",
    args: &[OMS, ACCOUNT],
    reply: Reply::Objects(TICKET),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("tickets"),
    contract: "FLOW-X08",
    doc: "The withdrawals of the account and where they stand.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const GET_DEPOSIT_TICKETS: Call = Call {
    name: "GetDepositTickets",
    args: &[OMS, ACCOUNT],
    reply: Reply::Objects(TICKET),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("tickets"),
    contract: "FLOW-X08",
    doc: "The deposits of the account and where they stand.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const GET_DEPOSIT_INFO: Call = Call {
    name: "GetDepositInfo",
    args: &[OMS, ACCOUNT, need("ProductId", Kind::Int), may("GenerateNewKey", Kind::Bool)],
    reply: Reply::Object(DEPOSIT_INFO),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("tickets"),
    contract: "FLOW-X08",
    doc: "Where to send a deposit of an asset.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};
