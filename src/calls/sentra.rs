//! Sentra's three calls, all pushes. The e-mail inside the body is the whole authentication
//! (SENTRA-R05), so it is a secret.

use super::{Call, Field, Kind, Priority, Reply, Retry, hidden, may, need};

/// SENTRA-P04: anything but these exact words is stored as a sell.
const SIDE: Kind = Kind::Word(&["buy", "sell"]);
const EMAIL: Field = hidden("user_email", Kind::Text);
const NUMBER: Field = need("account_number", Kind::Text);

/// An open position in SENTRA-C02.
pub const POSITION: &[Field] = &[
    need("ticket", Kind::Text),
    need("symbol", Kind::Text),
    need("type", SIDE),
    need("volume", Kind::Dec),
    need("open_price", Kind::Dec),
    need("current_price", Kind::Dec),
    need("profit", Kind::Dec),
    may("swap", Kind::Dec),
    may("commission", Kind::Dec),
    need("open_time", Kind::Text),
];

/// A closed trade in SENTRA-C03.
pub const TRADE: &[Field] = &[
    need("ticket", Kind::Text),
    need("symbol", Kind::Text),
    need("type", SIDE),
    need("volume", Kind::Dec),
    need("open_price", Kind::Dec),
    need("close_price", Kind::Dec),
    need("open_time", Kind::Text),
    need("close_time", Kind::Text),
    need("profit", Kind::Dec),
    may("commission", Kind::Dec),
    may("swap", Kind::Dec),
];

pub const HEARTBEAT: Call = Call {
    name: "heartbeat",
    args: &[
        EMAIL,
        NUMBER,
        may("broker", Kind::Text),
        may("server", Kind::Text),
        may("account_name", Kind::Text),
        need("balance", Kind::Dec),
        need("equity", Kind::Dec),
        may("currency", Kind::Text),
        may("leverage", Kind::Int),
        may("margin_free", Kind::Dec),
        may("open_positions", Kind::Int),
        may("platform", Kind::Word(&["MT4", "MT5"])),
        may("account_type", Kind::Word(&["CENT", "STANDARD"])),
    ],
    reply: Reply::Receipt,
    lane: Priority::Reconcile,
    retry: Retry::Limited,
    grant: false,
    auth: true,
    switch: None,
    contract: "SENTRA-C01",
    doc: "A snapshot of the account; the first one creates the account.",
};

pub const POSITIONS: Call = Call {
    name: "positions",
    args: &[EMAIL, NUMBER, need("positions", Kind::List(POSITION))],
    reply: Reply::Receipt,
    lane: Priority::New,
    retry: Retry::Limited,
    grant: false,
    auth: true,
    switch: None,
    contract: "SENTRA-C02",
    doc: "The open positions, when something changed.",
};

pub const TRADES: Call = Call {
    name: "trades",
    args: &[EMAIL, NUMBER, need("trades", Kind::List(TRADE))],
    reply: Reply::Receipt,
    lane: Priority::Query,
    retry: Retry::Limited,
    grant: false,
    auth: true,
    switch: None,
    contract: "SENTRA-C03",
    doc: "Closed trades, in batches of 100; a ticket sent twice is stored once.",
};

/// Every call of the venue: the one table to read.
pub const SENTRA: &[Call] = &[HEARTBEAT, POSITIONS, TRADES];

/// The call of this name, spelled as the venue spells it.
#[must_use]
pub fn find(name: &str) -> Option<&'static Call> {
    SENTRA.iter().find(|call| call.name == name)
}
