//! The venues' documented calls, one table per venue: name, arguments, reply, lane, retry rule,
//! contract id. Sessions, script bindings, type files and docs read these tables; nothing here
//! acts.

pub mod flowbtc;
pub mod mercadobitcoin;
pub mod sentra;

#[cfg(test)]
mod tests;

/// One documented call of a venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// The function's name on the wire.
    pub name: &'static str,
    pub args: &'static [Arg],
    pub reply: Reply,
    /// Whose turn it is when the rate budget is short.
    pub lane: Priority,
    /// What may be done when the answer does not come.
    pub retry: Retry,
    /// It moves orders, money or the login: a script needs the user's grant to call it directly.
    pub grant: bool,
    /// It needs a logged-in session.
    pub auth: bool,
    /// The venue's feature switch that turns the call on; `None`: documented, always there.
    pub switch: Option<&'static str>,
    /// The contract's id of the call: `FLOW-C21`.
    pub contract: &'static str,
    pub doc: &'static str,
}

/// One argument of a call, by its name on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arg {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

/// What an argument holds.
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
    /// A list of objects with these fields.
    List(&'static [Arg]),
}

/// The shape of the answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    /// `{result, errormsg, errorcode, detail}` or a status word: received, or why not.
    Receipt,
    /// One object.
    Object,
    /// An array of objects.
    Objects,
    /// An array of arrays; a stream's first answer is followed by events.
    Rows,
    /// An array of numbers.
    Numbers,
    /// An object whose keys are the rows' own numbers (MB-F19).
    Keyed,
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

/// The documented calls of every venue, FlowBTC's first.
pub fn all() -> impl Iterator<Item = &'static Call> {
    [flowbtc::FLOWBTC, mercadobitcoin::MERCADOBITCOIN, sentra::SENTRA].into_iter().flatten()
}

const fn need(name: &'static str, kind: Kind) -> Arg {
    Arg { name, kind, required: true }
}

const fn may(name: &'static str, kind: Kind) -> Arg {
    Arg { name, kind, required: false }
}
