//! A documented call of a venue as a script asks for it, and how it ended.

use super::{Command, Plain, Span, VenueName};
use std::fmt;

/// Numbers the raw calls of a run, from 1.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CallId(pub u64);

/// One call by its documented name. The fields are the documented ones, checked against the table
/// of calls: `Int` and `Id` are `Plain::Int`, decimals `Plain::Decimal`, lists of objects
/// `Plain::List` of `Plain::Map`.
#[derive(Clone, PartialEq, Debug)]
pub struct CallAsk {
    pub venue: VenueName,
    pub name: &'static str,
    /// In the table's order; what was left out is not there.
    pub args: Vec<(&'static str, Plain)>,
}

impl CallAsk {
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Plain> {
        self.args.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    /// A whole number: an id, an enumeration.
    #[must_use]
    pub fn int(&self, field: &str) -> Option<i64> {
        match self.get(field) {
            Some(Plain::Int(whole)) => Some(*whole),
            _ => None,
        }
    }

    #[must_use]
    pub fn decimal(&self, field: &str) -> Option<super::Decimal> {
        match self.get(field) {
            Some(Plain::Decimal(value)) => Some(*value),
            Some(Plain::Int(whole)) => Some((*whole).into()),
            _ => None,
        }
    }

    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.get(field) {
            Some(Plain::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// A call on its way to its venue.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    pub id: CallId,
    pub ask: CallAsk,
    /// What it does to an order of ours, as the gate approved it. The venue carries this command
    /// out as any other, and answers the call with the reply to the request it makes. `None`: the
    /// venue sends the call as it is asked.
    pub order: Option<Box<Command>>,
}

/// The documented reply, or why there is none.
pub type CallOutcome = Result<Plain, CallFailure>;

/// How a call ended; every call that reached a venue ends once.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    pub id: CallId,
    pub outcome: CallOutcome,
}

/// Whether a failed call did something at the venue.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It was not carried out.
    Refused,
    /// It was sent and its answer is lost: it may have been carried out.
    Unknown,
}

impl Fate {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Fate::Refused => "refused",
            Fate::Unknown => "unknown",
        }
    }
}

/// What kind of failure it is, in one word for scripts.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum CallFailureKind {
    /// A field is unknown, missing or of another type.
    Arguments,
    /// The configuration does not grant this call to this strategy, or the mode never does.
    NotGranted,
    /// The run has no such venue, or the venue's feature switch is off.
    NoVenue,
    /// The gate refused the order; the message is the refusal.
    Limit,
    /// It waited too long for its turn and was never sent.
    ExpiredInQueue,
    /// The venue said that there were too many requests; `retry_after` is when to ask again.
    RateLimited,
    /// The venue answered no; `code` is its number, if it gave one.
    Rejected,
    /// The venue is away: an error page, a session that is not ready, no connection.
    Unavailable,
    /// No whole answer came in time.
    Timeout,
}

impl CallFailureKind {
    pub const ALL: [CallFailureKind; 9] = [
        CallFailureKind::Arguments,
        CallFailureKind::NotGranted,
        CallFailureKind::NoVenue,
        CallFailureKind::Limit,
        CallFailureKind::ExpiredInQueue,
        CallFailureKind::RateLimited,
        CallFailureKind::Rejected,
        CallFailureKind::Unavailable,
        CallFailureKind::Timeout,
    ];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            CallFailureKind::Arguments => "arguments",
            CallFailureKind::NotGranted => "not_granted",
            CallFailureKind::NoVenue => "no_venue",
            CallFailureKind::Limit => "limit",
            CallFailureKind::ExpiredInQueue => "expired_in_queue",
            CallFailureKind::RateLimited => "rate_limited",
            CallFailureKind::Rejected => "rejected",
            CallFailureKind::Unavailable => "unavailable",
            CallFailureKind::Timeout => "timeout",
        }
    }
}

/// Why a call has no reply. It holds no secret and no e-mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallFailure {
    pub kind: CallFailureKind,
    /// The venue's error number or HTTP status.
    pub code: Option<i64>,
    pub message: String,
    pub fate: Fate,
    pub retry_after: Option<Span>,
}

impl CallFailure {
    /// A failure that did nothing at the venue.
    #[must_use]
    pub fn refused(kind: CallFailureKind, message: impl Into<String>) -> CallFailure {
        CallFailure {
            kind,
            code: None,
            message: message.into(),
            fate: Fate::Refused,
            retry_after: None,
        }
    }

    /// No answer: the call may have been carried out.
    #[must_use]
    pub fn unknown(message: impl Into<String>) -> CallFailure {
        let kind = CallFailureKind::Timeout;
        CallFailure { fate: Fate::Unknown, ..CallFailure::refused(kind, message) }
    }

    #[must_use]
    pub fn code(mut self, code: i64) -> CallFailure {
        self.code = Some(code);
        self
    }
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.word(), self.message)?;
        match self.code {
            Some(code) => write!(f, " (code {code})"),
            None => Ok(()),
        }
    }
}
