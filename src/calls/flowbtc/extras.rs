//! FlowBTC's calls outside its page (`FLOW-X`), each behind a switch: a server that implements
//! only the page does not have them.

use super::{ACCOUNT, Call, INSTRUMENT, Kind, OMS, Priority, Reply, Retry, may, need};

pub const SUBSCRIBE_LEVEL1: Call = Call {
    name: "SubscribeLevel1",
    args: &[OMS, INSTRUMENT],
    reply: Reply::Object(&[]),
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: Some("level1"),
    contract: "FLOW-X01",
    doc: "Streams best bid, best ask and last trade of an instrument.",
};

pub const UNSUBSCRIBE_LEVEL1: Call = Call {
    name: "UnsubscribeLevel1",
    args: &[OMS, INSTRUMENT],
    reply: Reply::Receipt,
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: Some("level1"),
    contract: "FLOW-X01",
    doc: "Ends the stream of best prices.",
};

pub const SUBSCRIBE_LEVEL2: Call = Call {
    name: "SubscribeLevel2",
    args: &[OMS, INSTRUMENT, need("Depth", Kind::Int)],
    reply: Reply::Rows(&[]),
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: Some("level2"),
    contract: "FLOW-X02",
    doc: "Streams the book of an instrument: a snapshot, then changed levels.",
};

pub const UNSUBSCRIBE_LEVEL2: Call = Call {
    name: "UnsubscribeLevel2",
    args: &[OMS, INSTRUMENT],
    reply: Reply::Receipt,
    lane: Priority::Poll,
    retry: Retry::Resubscribe,
    grant: false,
    auth: false,
    switch: Some("level2"),
    contract: "FLOW-X02",
    doc: "Ends the stream of the book.",
};

pub const GET_ACCOUNT_POSITIONS: Call = Call {
    name: "GetAccountPositions",
    args: &[ACCOUNT, OMS],
    reply: Reply::Objects(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("positions"),
    contract: "FLOW-X03",
    doc: "The account's balances: total and held, per product.",
};

pub const GET_INSTRUMENTS: Call = Call {
    name: "GetInstruments",
    args: &[OMS],
    reply: Reply::Objects(&[]),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("instruments"),
    contract: "FLOW-X04",
    doc: "The venue's instruments with tick size, lot size and minimums.",
};

pub const GET_USER_ACCOUNTS: Call = Call {
    name: "GetUserAccounts",
    args: &[OMS, may("UserId", Kind::Int), may("UserName", Kind::Text)],
    reply: Reply::Numbers,
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("accounts"),
    contract: "FLOW-X05",
    doc: "The numbers of the user's accounts.",
};

pub const AUTHENTICATE_USER: Call = Call {
    name: "AuthenticateUser",
    args: &[
        need("APIKey", Kind::Text),
        need("Signature", Kind::Text),
        need("UserId", Kind::Text),
        need("Nonce", Kind::Text),
    ],
    reply: Reply::Object(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Limited,
    grant: true,
    auth: false,
    switch: Some("api_key"),
    contract: "FLOW-X06",
    doc: "Logs in with an API key; all four are strings (FLOW-P10).",
};

pub const AUTHENTICATE: Call = Call {
    name: "Authenticate",
    args: &[],
    reply: Reply::Object(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Limited,
    grant: true,
    auth: false,
    switch: Some("api_key"),
    contract: "FLOW-X06",
    doc: "REST login: HTTP Basic, or the four signed headers, for a session token (FLOW-P11).",
};

pub const GET_ORDERS_HISTORY: Call = Call {
    name: "GetOrdersHistory",
    args: &[
        OMS,
        ACCOUNT,
        may("ClientOrderId", Kind::Id),
        may("InstrumentId", Kind::Int),
        may("StartTimestamp", Kind::Id),
        may("EndTimestamp", Kind::Id),
        may("Depth", Kind::Int),
        may("StartIndex", Kind::Int),
    ],
    reply: Reply::Objects(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("history"),
    contract: "FLOW-X07",
    doc: "Orders in any state, by client id, instrument or time.",
};

pub const GET_TRADES_HISTORY: Call = Call {
    name: "GetTradesHistory",
    args: &[
        OMS,
        ACCOUNT,
        may("InstrumentId", Kind::Int),
        may("OrderId", Kind::Id),
        may("StartTimestamp", Kind::Id),
        may("EndTimestamp", Kind::Id),
        may("Depth", Kind::Int),
        may("StartIndex", Kind::Int),
    ],
    reply: Reply::Objects(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("history"),
    contract: "FLOW-X07",
    doc: "The fills of the account, by instrument, order or time.",
};

pub const GET_ORDER_HISTORY_BY_ORDER_ID: Call = Call {
    name: "GetOrderHistoryByOrderId",
    args: &[OMS, ACCOUNT, need("OrderId", Kind::Id)],
    reply: Reply::Objects(&[]),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("history"),
    contract: "FLOW-X07",
    doc: "Every state an order has been in.",
};

pub const GET_LAST_TRADES: Call = Call {
    name: "GetLastTrades",
    args: &[OMS, INSTRUMENT, need("Count", Kind::Int)],
    reply: Reply::Rows(&[]),
    lane: Priority::Poll,
    retry: Retry::Repeat,
    grant: false,
    auth: false,
    switch: Some("history"),
    contract: "FLOW-X07",
    doc: "The last public trades of an instrument.",
};

pub const GET_WITHDRAW_TICKETS: Call = Call {
    name: "GetWithdrawTickets",
    args: &[OMS, ACCOUNT],
    reply: Reply::Objects(&[]),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("tickets"),
    contract: "FLOW-X08",
    doc: "The withdrawals of the account and where they stand.",
};

pub const GET_DEPOSIT_TICKETS: Call = Call {
    name: "GetDepositTickets",
    args: &[OMS, ACCOUNT],
    reply: Reply::Objects(&[]),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("tickets"),
    contract: "FLOW-X08",
    doc: "The deposits of the account and where they stand.",
};

pub const GET_DEPOSIT_INFO: Call = Call {
    name: "GetDepositInfo",
    args: &[OMS, ACCOUNT, need("ProductId", Kind::Int), may("GenerateNewKey", Kind::Bool)],
    reply: Reply::Object(&[]),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: Some("tickets"),
    contract: "FLOW-X08",
    doc: "Where to send a deposit of an asset.",
};
