//! The venue's answers as raw calls get them: wrappers off (FLOW-F01, FLOW-F19), documented names
//! and ids as text, nothing that is nobody's business, and refusals as failures with their kind.

use super::news::SLOW_DOWN;
use crate::base::{CallFailure, CallFailureKind, CallOutcome, Fate, Plain};
use crate::calls::{Call, Reply, Retry};
use crate::venue::flowbtc::payload::{NOT_FOUND, Refused};
use crate::venue::reply;

/// Never shown to a script, whatever the table says of the reply, at any depth.
const SECRET: [&str; 11] = [
    "SessionToken",
    "TwoFAToken",
    "Pending2FaToken",
    "AddtlInfo",
    "Password",
    "PasswordHash",
    "PendingEmailCode",
    "Email",
    "Signature",
    "GoogleQRCode",
    "GoogleSecret",
];

/// Whether a call that was sent and not answered may have moved money or changed something.
pub(super) const fn is_risky(call: &Call) -> bool {
    matches!(call.retry, Retry::Never | Retry::Human | Retry::Fresh)
}

/// The failure of a call that was sent and has no usable answer.
pub(super) fn unanswered(call: &Call, message: &str) -> CallFailure {
    if is_risky(call) {
        CallFailure::unknown(message)
    } else {
        CallFailure::refused(CallFailureKind::Timeout, message)
    }
}

/// What an answer says to the one who called.
pub(super) fn outcome(call: &Call, body: &str, refused: Option<&Refused>) -> CallOutcome {
    Ok(reply::shaped(call, whole(call, body, refused)?))
}

/// The answer with everything in it, for the session's own use.
pub(super) fn whole(call: &Call, body: &str, refused: Option<&Refused>) -> CallOutcome {
    if let Some(refused) = refused {
        return Err(failure(call, refused));
    }
    let fate = if is_risky(call) { Fate::Unknown } else { Fate::Refused };
    let plain = reply::plain(body).map_err(|error| CallFailure {
        fate,
        ..CallFailure::refused(CallFailureKind::Unavailable, format!("not readable: {error}"))
    })?;
    if let Some(why) = said_no(&plain) {
        return Err(CallFailure::refused(CallFailureKind::Rejected, why));
    }
    unwrapped(call, plain)
}

fn failure(call: &Call, refused: &Refused) -> CallFailure {
    let text = refused.text.as_str();
    if refused.is_too_many() {
        let kind = CallFailureKind::RateLimited;
        let retry_after = Some(SLOW_DOWN);
        return CallFailure { retry_after, ..CallFailure::refused(kind, "too many requests") };
    }
    if refused.is_unsupported() && call.switch.is_some() {
        let why = format!("the server does not have {}", call.name);
        return CallFailure::refused(CallFailureKind::NoVenue, why);
    }
    let is_page = refused.plain && text.trim_start().starts_with('<');
    let mut failure = if is_page {
        let why = "an error page instead of an answer";
        CallFailure::refused(CallFailureKind::Unavailable, why)
    } else {
        let text = if text.is_empty() { "refused without words" } else { text };
        CallFailure::refused(CallFailureKind::Rejected, text)
    };
    failure.code = Some(refused.code).filter(|code| *code != 0);
    if refused.is_ambiguous() && is_risky(call) {
        failure.fate = Fate::Unknown;
    }
    failure
}

/// Refusals that `payload::refusal` does not know: a login that is none (FLOW-P07), a ticket that
/// was not made (FLOW-C19).
fn said_no(reply: &Plain) -> Option<String> {
    let told = |key: &str| value(reply, key);
    let no = |key: &str| matches!(told(key), Some(Plain::Bool(false)));
    if !no("Authenticated") && !no("success") {
        return None;
    }
    let words = |key: &str| match told(key) {
        Some(Plain::Text(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let locked = matches!(told("Locked"), Some(Plain::Bool(true)));
    let without = if locked { "the user is locked" } else { "not authenticated" };
    let without = if no("success") { "not successful" } else { without };
    Some(words("errormsg").or_else(|| words("message")).unwrap_or_else(|| without.to_owned()))
}

/// The value under a key in any case (FLOW-P03).
fn value<'a>(reply: &'a Plain, key: &str) -> Option<&'a Plain> {
    let Plain::Map(pairs) = reply else { return None };
    let is = |name: &Plain| matches!(name, Plain::Text(text) if text.eq_ignore_ascii_case(key));
    pairs.iter().find(|(name, _)| is(name)).map(|(_, value)| value)
}

/// FLOW-F01: what is in `data`; FLOW-F19: the one object of an array where one is documented, and
/// an array of one where an array is.
fn unwrapped(call: &Call, reply: Plain) -> Result<Plain, CallFailure> {
    let inner = match (value(&reply, "status"), value(&reply, "data")) {
        (Some(_), Some(data @ (Plain::Map(_) | Plain::List(_)))) => Some(data.clone()),
        _ => None,
    };
    let reply = inner.unwrap_or(reply);
    match (call.reply, reply) {
        (Reply::Object(_), Plain::List(items)) => items.into_iter().next().ok_or_else(|| {
            let why = "the venue answers with an empty list";
            CallFailure::refused(CallFailureKind::Rejected, why).code(NOT_FOUND)
        }),
        (Reply::Objects(_), object @ Plain::Map(_)) => Ok(Plain::List(vec![object])),
        (_, reply) => Ok(reply),
    }
}

/// The reply without tokens, codes and e-mail, every text through `scrub`.
pub(super) fn cleaned(reply: Plain, scrub: &dyn Fn(String) -> String) -> Plain {
    let secret = |key: &Plain| {
        let Plain::Text(key) = key else { return false };
        SECRET.iter().any(|name| name.eq_ignore_ascii_case(key))
    };
    match reply {
        Plain::Text(text) => Plain::Text(scrub(text)),
        Plain::List(items) => {
            Plain::List(items.into_iter().map(|item| cleaned(item, scrub)).collect())
        }
        Plain::Map(pairs) => {
            let open = pairs.into_iter().filter(|(key, _)| !secret(key));
            Plain::Map(open.map(|(key, value)| (key, cleaned(value, scrub))).collect())
        }
        other @ (Plain::Nil
        | Plain::Bool(_)
        | Plain::Int(_)
        | Plain::Decimal(_)
        | Plain::Number(_)
        | Plain::Object(..)) => other,
    }
}

/// The page's generic receipt (FLOW-R09), where the session itself has done what was asked.
pub(super) fn receipt() -> Plain {
    Plain::map(vec![
        ("result", Plain::Bool(true)),
        ("errormsg", Plain::Nil),
        ("errorcode", Plain::Int(0)),
        ("detail", Plain::Nil),
    ])
}
