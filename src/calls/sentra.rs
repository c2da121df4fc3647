//! Sentra's three calls, all pushes. The e-mail inside the body is the whole authentication
//! (SENTRA-R05), so it is a secret.

use super::{Call, CallError, Field, Kind, Priority, Reply, Retry, Transport, hidden, may, need};

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

/// SENTRA-R21: the only reply there is (SENTRA-F15).
pub const ANSWER: &[Field] = &[need("success", Kind::Bool), need("message", Kind::Text)];

const fn error(code: i64, text: &'static str, meaning: &'static str) -> CallError {
    CallError { code: Some(code), text, meaning }
}

const NO_SIGNATURE: CallError =
    error(403, "Assinatura necessária", "the user has no subscription (SENTRA-P06)");
const TOO_MANY_ACCOUNTS: CallError =
    error(403, "Limite de contas atingido", "the subscription allows no further account");
const TOO_MANY: CallError =
    error(429, "", "more than one request per second, where the venue counts (SENTRA-F09)");
const BROKEN: CallError =
    error(500, "", "the server failed; its own text is handed on, the call is not repeated");
const AWAY: CallError =
    error(502, "", "away for a moment, as 503: asked again, three times in all (SENTRA-R14)");

const HEARTBEAT_ERRORS: &[CallError] = &[
    error(
        400,
        "Parâmetros obrigatórios: user_email, account_number",
        "the account has no number (SENTRA-R22a)",
    ),
    NO_SIGNATURE,
    TOO_MANY_ACCOUNTS,
    error(
        404,
        "Usuário não encontrado. Cadastre-se na plataforma primeiro.",
        "the configured e-mail is not registered (SENTRA-R22b)",
    ),
    TOO_MANY,
    BROKEN,
    AWAY,
];

const LIST_ERRORS: &[CallError] = &[
    error(
        400,
        "Parâmetros obrigatórios: user_email, account_number, positions",
        "a field is missing; the last word is the list's name (SENTRA-P06)",
    ),
    error(404, "Usuário não encontrado", "the configured e-mail is not registered (SENTRA-P06)"),
    error(
        404,
        "Conta não encontrada. Envie heartbeat primeiro.",
        "the account has sent no heartbeat yet (SENTRA-R22c)",
    ),
    TOO_MANY,
    BROKEN,
    AWAY,
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
    reply: Reply::Object(ANSWER),
    lane: Priority::Reconcile,
    retry: Retry::Limited,
    grant: false,
    auth: true,
    switch: None,
    contract: "SENTRA-C01",
    doc: "A snapshot of the account; the first one creates the account.",
    transport: Transport::Json,
    one_of: &[],
    errors: HEARTBEAT_ERRORS,
};

pub const POSITIONS: Call = Call {
    name: "positions",
    args: &[EMAIL, NUMBER, need("positions", Kind::List(POSITION))],
    reply: Reply::Object(ANSWER),
    lane: Priority::New,
    retry: Retry::Limited,
    grant: false,
    auth: true,
    switch: None,
    contract: "SENTRA-C02",
    doc: "The open positions, when something changed.",
    transport: Transport::Json,
    one_of: &[],
    errors: LIST_ERRORS,
};

pub const TRADES: Call = Call {
    name: "trades",
    args: &[EMAIL, NUMBER, need("trades", Kind::List(TRADE))],
    reply: Reply::Object(ANSWER),
    lane: Priority::Query,
    retry: Retry::Limited,
    grant: false,
    auth: true,
    switch: None,
    contract: "SENTRA-C03",
    doc: "Closed trades, in batches of 100; a ticket sent twice is stored once.",
    transport: Transport::Json,
    one_of: &[],
    errors: LIST_ERRORS,
};

/// Every call of the venue: the one table to read.
pub const SENTRA: &[Call] = &[HEARTBEAT, POSITIONS, TRADES];

/// The call of this name, spelled as the venue spells it.
#[must_use]
pub fn find(name: &str) -> Option<&'static Call> {
    SENTRA.iter().find(|call| call.name == name)
}
