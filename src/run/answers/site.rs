//! What a venue's server is to the answers, and what all servers' answers have in common.

use crate::base::{
    CallFailure, CallFailureKind, CallOutcome, Command, Event, OrderState, Plain, Time,
    VenueOrderId,
};
use crate::calls;
use crate::exchange::{AccountNumber, Asked, Exchange, Reject, Report};
use crate::venue::reply;

/// The account of a run at its simulated exchange.
pub(super) const ACCOUNT: AccountNumber = AccountNumber(1);

/// A venue's server without its sockets. The exchange it works on is lent to it each time.
pub(super) trait Site {
    /// A public event that the exchange has seen.
    fn show(&mut self, exchange: &mut Exchange, now: Time, event: &Event);

    /// Something that the exchange reported.
    fn hear(&mut self, exchange: &mut Exchange, report: &Report);

    /// The answer to a call that arrived at `asked.at`; what its order did has been done.
    fn answer(&mut self, exchange: &mut Exchange, asked: &Asked) -> CallOutcome;
}

/// A reply's JSON in the documented shape.
pub(super) fn shaped(call: &calls::Call, json: &str) -> CallOutcome {
    let read = reply::plain(json).map_err(unreadable)?;
    Ok(reply::shaped(call, read))
}

pub(super) fn unreadable(why: String) -> CallFailure {
    CallFailure::refused(CallFailureKind::Unavailable, format!("the reply is no JSON: {why}"))
}

pub(super) fn rejected(code: Option<i64>, message: &str) -> CallFailure {
    let failure = CallFailure::refused(CallFailureKind::Rejected, message);
    CallFailure { code, ..failure }
}

/// The row of the table of calls, and a refusal of what would go past the gate: an order that no
/// command carries.
pub(super) fn row(asked: &Asked) -> Result<&'static calls::Call, CallFailure> {
    let ask = &asked.call.ask;
    let row = calls::find(&ask.venue.0, ask.name);
    let none = || rejected(None, &format!("{} has no call {}", ask.venue, ask.name));
    let row = row.ok_or_else(none)?;
    let ordering = matches!(row.lane, calls::Priority::New | calls::Priority::Replace);
    if ordering && row.auth && ask.venue.0.as_ref() != "sentra" && asked.call.order.is_none() {
        let why = format!("{} goes through the gate", row.name);
        return Err(CallFailure::refused(CallFailureKind::NotGranted, why));
    }
    Ok(row)
}

/// The number of a new order, or of one that was changed, unless the exchange refused it.
pub(super) fn stands(exchange: &Exchange, asked: &Asked) -> Result<Option<VenueOrderId>, Refusal> {
    let id = asked.done.map_err(Refusal::Reject)?;
    let placed = matches!(asked.call.order.as_deref(), Some(Command::Place(_)));
    let sim = id.filter(|_| placed).and_then(|id| exchange.order(id));
    let refused = sim.filter(|sim| sim.state == OrderState::Rejected && sim.filled.is_zero());
    match refused {
        Some(sim) => Err(Refusal::Order(sim.reason.clone())),
        None => Ok(id),
    }
}

/// Why an order call did nothing.
pub(super) enum Refusal {
    Reject(Reject),
    /// The order is on record as rejected, for this reason.
    Order(String),
}

/// A field's value as a form or a path has it.
pub(super) fn text(value: &Plain) -> String {
    if let Plain::Text(text) = value {
        return text.clone();
    }
    value.json().trim_matches('"').to_owned()
}
