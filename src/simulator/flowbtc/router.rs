//! From a frame to its reply: which calls there are, which need a login, and how a call fails.

use super::listing;
use super::wire::{self, ERROR, Fields, Frame, Malformed, REPLY, REQUEST, SUBSCRIBE, UNSUBSCRIBE};
use super::{FlowServer, money, orders, queries, streams, users};
use crate::base::{InstrumentId, Time};
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

enum Entrance {
    Open(fn(&mut FlowServer, &Call) -> Answer),
    Private(fn(&mut FlowServer, &Call, &Caller) -> Answer),
}

use Entrance::{Open, Private};

/// What an unknown function is answered with (FLOW-P04, FLOW-S01).
pub const UNKNOWN: &str = "Endpoint not found";

/// Every call by its documented name (FLOW-C01 to C29, FLOW-X01 to X08).
const ROUTES: &[(&str, Entrance)] = &[
    ("Ping", Open(queries::ping)),
    ("WebAuthenticateUser", Open(users::log_in)),
    ("LogOut", Open(users::log_out)),
    ("GetUserInfo", Private(users::user_info)),
    ("GetAccountInfo", Private(users::account_info)),
    ("GetUserAccounts", Private(users::accounts)),
    ("SubscribeAccountEvents", Private(streams::account_events)),
    ("SubscribeTrades", Open(streams::trades)),
    ("UnsubscribeTrades", Open(streams::no_trades)),
    ("SubscribeTicker", Open(streams::ticker)),
    ("UnsubscribeTicker", Open(streams::no_ticker)),
    ("SubscribeLevel1", Open(streams::level1)),
    ("UnsubscribeLevel1", Open(streams::no_level1)),
    ("SubscribeLevel2", Open(streams::level2)),
    ("UnsubscribeLevel2", Open(streams::no_level2)),
    ("GetLevel1", Open(queries::level1)),
    ("GetL2Snapshot", Open(queries::book)),
    ("GetTickerHistory", Open(queries::ticker_history)),
    ("GetLastTrades", Open(queries::last_trades)),
    ("GetInstruments", Open(queries::instruments)),
    ("GetInstrument", Open(queries::one_instrument)),
    ("GetProducts", Open(queries::products)),
    ("GetProduct", Open(queries::product)),
    ("GetAccountPositions", Private(queries::positions)),
    ("GetAccountTrades", Private(queries::account_trades)),
    ("GetTradesHistory", Private(queries::account_trades)),
    ("GetOpenOrders", Private(queries::open_orders)),
    ("GetOrderStatus", Private(queries::order_status)),
    ("GetOrderHistory", Private(queries::order_history)),
    ("GetOrdersHistory", Private(queries::orders_history)),
    ("GetOrderHistoryByOrderId", Private(queries::orders_history)),
    ("SendOrder", Private(orders::send)),
    ("ModifyOrder", Private(orders::modify)),
    ("CancelReplaceOrder", Private(orders::replace)),
    ("CancelOrder", Private(orders::cancel)),
    ("CancelAllOrders", Private(orders::cancel_all)),
    ("AuthenticateUser", Open(users::log_in_by_key)),
    ("Authenticate2FA", Open(users::second_step)),
    ("SetUserInfo", Private(users::set_user_info)),
    ("GetOrderFee", Private(money::order_fee)),
    ("GetDepositInfo", Private(money::deposit_info)),
    ("CreateDepositTicket", Private(money::deposit)),
    ("CreateWithdrawTicket", Private(money::withdraw)),
    ("GetDepositTickets", Private(money::deposits)),
    ("GetWithdrawTickets", Private(money::withdrawals)),
];

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

fn find(name: &str) -> Option<&'static Entrance> {
    let route = ROUTES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    route.map(|(_, entrance)| entrance)
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
