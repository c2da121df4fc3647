//! The venues' documented calls, one table per venue: name, arguments, reply, lane, retry rule,
//! contract id. Sessions, script bindings, type files and docs read these tables; nothing here
//! acts.

pub mod flowbtc;
pub mod mercadobitcoin;
pub mod notes;
pub mod sentra;

#[cfg(test)]
mod tests;

/// One documented call of a venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// The function's name on the wire.
    pub name: &'static str,
    pub args: &'static [Field],
    pub reply: Reply,
    /// Whose turn it is when the rate budget is short.
    pub lane: Priority,
    /// What may be done when the answer does not come.
    pub retry: Retry,
    /// It moves money out or in, or changes the user or the login: a script may call it only where
    /// the configuration grants it.
    pub grant: bool,
    /// It needs a logged-in session.
    pub auth: bool,
    /// The venue's feature switch that turns the call on; `None`: documented, always there.
    pub switch: Option<&'static str>,
    /// The contract's id of the call: `FLOW-C21`.
    pub contract: &'static str,
    pub doc: &'static str,
    /// How the document shows it on the wire.
    pub transport: Transport,
    /// Exactly one of these fields is sent (FLOW-F08, FLOW-F14); empty where nothing is to choose.
    pub one_of: &'static [&'static str],
    /// What the venue is known to answer instead of the reply.
    pub errors: &'static [CallError],
}

/// The page writes `ping`, the wire has `Ping`.
const PING: &str = "FLOW-C01";

impl Call {
    /// The names scripts may use: the document's own first, with `_` for `-`.
    #[must_use]
    pub fn spelled(&self) -> Vec<String> {
        let own = self.name.replace('-', "_");
        match self.contract {
            PING => vec![own.to_ascii_lowercase(), own],
            _ => vec![own],
        }
    }

    /// Whether a script that writes this name means this call: the wire's name is understood too.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        let same = |(own, said): (char, char)| own == said || (own, said) == ('-', '_');
        let own = self.name.len() == name.len() && self.name.chars().zip(name.chars()).all(same);
        own || self.contract == PING && name == "ping"
    }
}

/// How a call travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// HTTP GET with query parameters, or a path.
    Get,
    /// A frame on the WebSocket (FLOW-R04).
    Socket,
    /// HTTP POST of a signed form (MB-R02).
    Form,
    /// HTTP POST of JSON (SENTRA-R03).
    Json,
}

/// A documented refusal of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallError {
    /// The venue's number or the HTTP status; `None` where there is only a text.
    pub code: Option<i64>,
    /// The venue's words.
    pub text: &'static str,
    pub meaning: &'static str,
}

/// One field of a call or of its reply, by its name on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    /// The venue wants it, or always answers it.
    pub required: bool,
    pub by: By,
}

/// Who fills a field in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The script.
    Script,
    /// The script, or the host where it is left out: OMSId, AccountId, ClientOrderId.
    Either,
    /// The host alone: a secret, or the name of the user. In a reply: never shown to a script.
    Host,
}

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A small integer: enumerations, counts, product and instrument numbers.
    Int,
    /// A 64-bit id, never a double.
    Id,
    /// An exact decimal.
    Dec,
    Text,
    Bool,
    /// One of these words, spelled exactly so.
    Word(&'static [&'static str]),
    /// A number of the market or of statistics: a price that was, a volume, a change.
    Number,
    /// A moment in the venue's own unit: seconds, milliseconds or ticks (FLOW-F10).
    Stamp,
    /// One object with these fields.
    Object(&'static [Field]),
    /// A list of objects with these fields.
    List(&'static [Field]),
    /// Objects with these fields under their own numbers.
    Keyed(&'static [Field]),
    /// A list of lists with these columns.
    Rows(&'static [Field]),
    /// A list of numbers.
    Numbers,
}

/// The shape of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// `{result, errormsg, errorcode, detail}` or a status word: received, or why not
    /// (`flowbtc::RECEIPT`).
    Receipt,
    /// One object.
    Object(&'static [Field]),
    /// An array of objects.
    Objects(&'static [Field]),
    /// An array of arrays; a stream's first answer is followed by events.
    Rows(&'static [Field]),
    /// An array of numbers.
    Numbers,
    /// An object whose keys are the rows' own numbers (MB-F19).
    Keyed(&'static [Field]),
}

/// The order in which calls leave when the rate budget is short: the first goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Priority {
    Cancel,
    /// Finding out what is: logins, snapshots, the fate of orders.
    Reconcile,
    Replace,
    New,
    Query,
    Poll,
    /// Money in and out: after everything else.
    Withdrawal,
}

impl Priority {
    /// Cancels and reconciliation may use the reserve of a rate budget.
    #[must_use]
    pub const fn may_use_reserve(self) -> bool {
        matches!(self, Priority::Cancel | Priority::Reconcile)
    }
}

/// What to do after a timeout, a reset or a missing reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// Asking again changes nothing.
    Repeat,
    /// A few times, then tell the operator (logins lock the user).
    Limited,
    /// Subscribe again and drop what was already seen.
    Resubscribe,
    /// Only with something new in it: another code, the order's revision of now.
    Fresh,
    /// Never blindly: find out first what became of it.
    Never,
    /// Never by a program: a human looks first.
    Human,
}

/// The venues that have calls, as scripts name them.
pub const VENUES: [&str; 3] = ["flowbtc", "mercadobitcoin", "sentra"];

/// The calls of a venue; none for a name that has no documented calls.
#[must_use]
pub fn of(venue: &str) -> &'static [Call] {
    match venue {
        "flowbtc" => flowbtc::FLOWBTC,
        "mercadobitcoin" => mercadobitcoin::MERCADOBITCOIN,
        "sentra" => sentra::SENTRA,
        _ => &[],
    }
}

/// A venue's call by the name scripts use: the document's (`Call::spelled`) or the wire's.
#[must_use]
pub fn find(venue: &str, name: &str) -> Option<&'static Call> {
    of(venue).iter().find(|call| call.is_named(name))
}

/// The documented calls of every venue, FlowBTC's first.
pub fn all() -> impl Iterator<Item = &'static Call> {
    [flowbtc::FLOWBTC, mercadobitcoin::MERCADOBITCOIN, sentra::SENTRA].into_iter().flatten()
}

const fn need(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true, by: By::Script }
}

/// Required, and filled in by the host where the script leaves it out.
const fn ours(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true, by: By::Either }
}

/// Filled in by the host alone.
const fn hidden(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true, by: By::Host }
}

/// Optional, and filled in by the host where the script leaves it out.
const fn fill(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, by: By::Either }
}

/// Optional, and the host's alone.
const fn secret(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, by: By::Host }
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, by: By::Script }
}
