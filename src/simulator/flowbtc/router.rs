//! From a frame to its reply: which calls there are, which need a login, and how a call fails.

use super::listing;
use super::wire::{self, ERROR, Fields, Frame, Malformed, REPLY, REQUEST, SUBSCRIBE, UNSUBSCRIBE};
use super::{FlowServer, money, orders, queries, streams, users};
use crate::base::{InstrumentId, Time};
use crate::calls::{Call as TableCall, flowbtc as table};
use crate::exchange::AccountNumber;

/// The `o` of a reply, or why there is none.
pub type Answer = Result<String, Failure>;

/// A call that failed; answered as the generic object (FLOW-R09).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub code: i64,
    pub message: String,
    pub detail: Option<String>,
}

impl Failure {
    fn new(code: i64, message: &str) -> Failure {
        Failure { code, message: message.to_owned(), detail: None }
    }

    /// FLOW-R10.
    #[must_use]
    pub fn not_authorized() -> Failure {
        Failure::new(20, "Not Authorized")
    }

    /// FLOW-R10, with what is wrong.
    #[must_use]
    pub fn invalid(detail: &str) -> Failure {
        Failure { detail: Some(detail.to_owned()), ..Failure::new(100, "Invalid Request") }
    }

    /// A code 100 that says why in its message (FLOW-P06).
    #[must_use]
    pub fn refused(message: &str) -> Failure {
        Failure::new(100, message)
    }

    /// FLOW-R10, with the exchange's reason.
    #[must_use]
    pub fn operation(detail: &str) -> Failure {
        Failure { detail: Some(detail.to_owned()), ..Failure::new(101, "Operation Failed") }
    }

    /// FLOW-P06.
    #[must_use]
    pub fn short_of_funds() -> Failure {
        Failure::new(101, "Not_Enough_Funds")
    }

    /// FLOW-R10.
    #[must_use]
    pub fn not_found() -> Failure {
        Failure::new(104, "Resource Not Found")
    }

    /// FLOW-P06.
    #[must_use]
    pub fn unsupported(detail: &str) -> Failure {
        Failure { detail: Some(detail.to_owned()), ..Failure::new(106, "Operation Not Supported") }
    }

    /// A second subscription to one stream; the detail is the request, as Bitazza sends it.
    #[must_use]
    pub fn already_subscribed(request: &str) -> Failure {
        Failure { detail: Some(request.to_owned()), ..Failure::new(909, "Already Subscribed.") }
    }
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Failure {
        Failure::invalid(&malformed.what)
    }
}

/// A request on its way to its call.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    pub now: Time,
    pub conn: u32,
    /// The request as it came.
    pub body: &'a str,
    pub fields: Fields,
}

impl Call<'_> {
    /// The account meant: AccountId, or the user's own where it is absent or 0 (FLOW-C24,
    /// FLOW-F14).
    ///
    /// # Errors
    /// For an account of somebody else.
    pub fn account(&self, caller: &Caller) -> Result<AccountNumber, Failure> {
        match self.fields.int("AccountId")? {
            None | Some(0) => Ok(caller.account),
            Some(number) if number == caller.account.0 => Ok(caller.account),
            Some(_) => Err(Failure::not_authorized()),
        }
    }

    /// A count, at most `most`; `usual` where the request has none.
    ///
    /// # Errors
    /// When it is no whole number.
    pub fn count(&self, key: &str, usual: usize, most: usize) -> Result<usize, Failure> {
        let count = self.fields.int(key)?;
        Ok(count.map_or(usual, |count| usize::try_from(count).unwrap_or_default()).min(most))
    }

    /// A number that is absent where it is zero (FLOW-F14).
    ///
    /// # Errors
    /// When it is no whole number.
    pub fn id(&self, key: &str) -> Result<Option<i64>, Failure> {
        Ok(self.fields.int(key)?.filter(|id| *id != 0))
    }
}

/// Who is logged in on a connection.
#[derive(Clone, Debug)]
pub struct Caller {
    pub name: String,
    pub user_id: i64,
    pub account: AccountNumber,
    /// Logs in with a one-time code.
    pub two_factor: bool,
}

pub(super) enum Entrance {
    Open(fn(&mut FlowServer, &Call) -> Answer),
    Private(fn(&mut FlowServer, &Call, &Caller) -> Answer),
}

use Entrance::{Open, Private};

/// What an unknown function is answered with (FLOW-P04, FLOW-S01).
pub const UNKNOWN: &str = "Endpoint not found";

/// What answers every call of the table (FLOW-C01 to C29, FLOW-X01 to X08). `Authenticate` is a
/// login over REST alone (FLOW-P11), which `rest` answers.
pub(super) const ROUTES: &[(TableCall, Entrance)] = &[
    (table::PING, Open(queries::ping)),
    (table::WEB_AUTHENTICATE_USER, Open(users::log_in)),
    (table::LOG_OUT, Open(users::log_out)),
    (table::GET_USER_INFO, Private(users::user_info)),
    (table::GET_ACCOUNT_INFO, Private(users::account_info)),
    (table::GET_USER_ACCOUNTS, Private(users::accounts)),
    (table::SUBSCRIBE_ACCOUNT_EVENTS, Private(streams::account_events)),
    (table::SUBSCRIBE_TRADES, Open(streams::trades)),
    (table::UNSUBSCRIBE_TRADES, Open(streams::no_trades)),
    (table::SUBSCRIBE_TICKER, Open(streams::ticker)),
    (table::UNSUBSCRIBE_TICKER, Open(streams::no_ticker)),
    (table::SUBSCRIBE_LEVEL1, Open(streams::level1)),
    (table::UNSUBSCRIBE_LEVEL1, Open(streams::no_level1)),
    (table::SUBSCRIBE_LEVEL2, Open(streams::level2)),
    (table::UNSUBSCRIBE_LEVEL2, Open(streams::no_level2)),
    (table::GET_LEVEL1, Open(queries::level1)),
    (table::GET_L2_SNAPSHOT, Open(queries::book)),
    (table::GET_TICKER_HISTORY, Open(queries::ticker_history)),
    (table::GET_LAST_TRADES, Open(queries::last_trades)),
    (table::GET_INSTRUMENTS, Open(queries::instruments)),
    (table::GET_PRODUCTS, Open(queries::products)),
    (table::GET_PRODUCT, Open(queries::product)),
    (table::GET_ACCOUNT_POSITIONS, Private(queries::positions)),
    (table::GET_ACCOUNT_TRADES, Private(queries::account_trades)),
    (table::GET_TRADES_HISTORY, Private(queries::account_trades)),
    (table::GET_OPEN_ORDERS, Private(queries::open_orders)),
    (table::GET_ORDER_STATUS, Private(queries::order_status)),
    (table::GET_ORDER_HISTORY, Private(queries::order_history)),
    (table::GET_ORDERS_HISTORY, Private(queries::orders_history)),
    (table::GET_ORDER_HISTORY_BY_ORDER_ID, Private(queries::orders_history)),
    (table::SEND_ORDER, Private(orders::send)),
    (table::MODIFY_ORDER, Private(orders::modify)),
    (table::CANCEL_REPLACE_ORDER, Private(orders::replace)),
    (table::CANCEL_ORDER, Private(orders::cancel)),
    (table::CANCEL_ALL_ORDERS, Private(orders::cancel_all)),
    (table::AUTHENTICATE_USER, Open(users::log_in_by_key)),
    (table::AUTHENTICATE_2FA, Open(users::second_step)),
    (table::SET_USER_INFO, Private(users::set_user_info)),
    (table::GET_ORDER_FEE, Private(money::order_fee)),
    (table::GET_DEPOSIT_INFO, Private(money::deposit_info)),
    (table::CREATE_DEPOSIT_TICKET, Private(money::deposit)),
    (table::CREATE_WITHDRAW_TICKET, Private(money::withdraw)),
    (table::GET_DEPOSIT_TICKETS, Private(money::deposits)),
    (table::GET_WITHDRAW_TICKETS, Private(money::withdrawals)),
];

/// AP2.23 has it beside GetInstruments (FLOW-P05); no call of the table.
const ONE_INSTRUMENT: (&str, Entrance) = ("GetInstrument", Open(queries::one_instrument));

/// What a frame is answered with.
pub fn answer(server: &mut FlowServer, now: Time, conn: u32, frame: &Frame) -> String {
    let Some(entrance) = find(&frame.n) else {
        return wire::frame(ERROR, &frame.i, &frame.n, UNKNOWN);
    };
    let outcome = match frame.m {
        REQUEST | SUBSCRIBE | UNSUBSCRIBE => run(server, now, conn, entrance, &frame.o),
        _ => Err(Failure::invalid("m is not a request")),
    };
    let o = outcome.unwrap_or_else(|failure| failed(&failure));
    wire::frame(REPLY, &frame.i, &frame.n, &o)
}

/// The text that answers what is no frame at all.
pub fn unread(malformed: Malformed) -> String {
    wire::frame(ERROR, "0", "", &failed(&Failure::from(malformed)))
}

/// By the table's names; the case of letters does not matter (FLOW-P03).
fn find(name: &str) -> Option<&'static Entrance> {
    let (beside, entrance) = &ONE_INSTRUMENT;
    if name.eq_ignore_ascii_case(beside) {
        return Some(entrance);
    }
    let call = table::find(name)?;
    ROUTES.iter().find(|(known, _)| known.name == call.name).map(|(_, entrance)| entrance)
}

fn run(server: &mut FlowServer, now: Time, conn: u32, entrance: &Entrance, body: &str) -> Answer {
    let caller = server.caller(conn, now);
    let parsed = Fields::parse(body);
    let call = |fields| Call { now, conn, body, fields };
    match entrance {
        Open(handle) => handle(server, &call(parsed?)),
        Private(handle) => {
            let caller = caller.ok_or_else(Failure::not_authorized)?;
            handle(server, &call(parsed?), &caller)
        }
    }
}

/// One call over REST: the same table, without the streams (FLOW-R02).
pub fn request(server: &mut FlowServer, name: &str, call: &Call) -> Option<Answer> {
    if name.to_ascii_lowercase().contains("subscribe") {
        return Some(Err(Failure::unsupported("streams need a WebSocket")));
    }
    Some(match find(name)? {
        Open(handle) => handle(server, call),
        Private(handle) => match server.caller(call.conn, call.now) {
            Some(caller) => handle(server, call, &caller),
            None => Err(Failure::not_authorized()),
        },
    })
}

/// One call of a known caller, streams included; `None` for a name that is no call.
pub fn ask(server: &mut FlowServer, name: &str, call: &Call, caller: &Caller) -> Option<Answer> {
    Some(match find(name)? {
        Open(handle) => handle(server, call),
        Private(handle) => handle(server, call, caller),
    })
}

/// A failure as the generic object.
pub fn failed(failure: &Failure) -> String {
    wire::generic(failure.code, Some(&failure.message), failure.detail.as_deref())
}

/// A number, or the name that the replies use for it.
///
/// # Errors
/// When it is neither a number nor a string.
pub fn number_or_word(call: &Call, key: &str) -> Result<Option<String>, Failure> {
    let Some(raw) = call.fields.raw(key) else { return Ok(None) };
    if raw.starts_with('"') { Ok(call.fields.text(key)?) } else { Ok(Some(raw.to_owned())) }
}

/// The instrument a request names, by InstrumentId or by Symbol (FLOW-F08).
///
/// # Errors
/// When it names none, or one that is not listed (FLOW-P06).
pub fn instrument(server: &FlowServer, call: &Call) -> Result<InstrumentId, Failure> {
    named_instrument(server, call)?.ok_or_else(|| Failure::invalid("InstrumentId is missing"))
}

/// The same, where a request may go without.
///
/// # Errors
/// When it names one that is not listed.
pub fn named_instrument(server: &FlowServer, call: &Call) -> Result<Option<InstrumentId>, Failure> {
    let instruments = server.exchange().instruments();
    if let Some(number) = call.fields.int("InstrumentId")? {
        let found = listing::from_wire(instruments, number).map(|row| Some(row.id));
        return found.ok_or_else(|| Failure::refused(&format!("Invalid InstrumentId: {number}")));
    }
    let Some(symbol) = call.fields.text("Symbol")? else { return Ok(None) };
    let mut rows = instruments.iter();
    let found = rows.find(|row| row.symbol.eq_ignore_ascii_case(&symbol)).map(|row| Some(row.id));
    found.ok_or_else(|| Failure::refused(&format!("Invalid Symbol: {symbol}")))
}
