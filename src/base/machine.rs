//! The shape of everything that decides: inputs with their time, outputs polled, the next wake-up.

use super::{Command, Event, Secret, Span, Time};
use std::fmt;

/// A deterministic machine without I/O. The owner calls `handle`, then `poll` until it is `None`,
/// and `handle`s again at the latest at `wake_at` (with whatever input stands for "time passed").
pub trait Machine {
    type In;
    type Out;

    /// Takes one input at `now`. Time never goes back.
    fn handle(&mut self, now: Time, input: Self::In);

    /// The next output, oldest first. Also lets the machine act on the time that has passed.
    fn poll(&mut self, now: Time) -> Option<Self::Out>;

    /// When the machine wants `poll` to be called at the latest; `None` for "not by itself".
    fn wake_at(&self) -> Option<Time>;
}

/// The transport as a protocol sees it. `conn` numbers a machine's connections (0, 1, …).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Net {
    /// Wanted: a WebSocket to this address.
    Open { conn: u32, url: String },
    /// It is open.
    Opened { conn: u32 },
    /// A text frame, in either direction.
    Frame { conn: u32, text: String },
    /// It could not be opened, or ended: the other side's or the network's doing.
    Lost { conn: u32, reason: String },
    /// Wanted: an end to it.
    Close { conn: u32 },
    /// Wanted: one HTTP exchange, carried out once and never repeated below the machine. `id` is
    /// the machine's own and comes back in the response.
    Request(Request),
    /// How it ended.
    Response(Response),
}

/// One HTTP request. The body goes out byte for byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub id: u64,
    pub method: Method,
    pub url: String,
    pub headers: Vec<Header>,
    pub body: Body,
    /// Given up, and answered with a `Failure`, after this.
    pub timeout: Span,
    /// Must be on disk before the first byte leaves; if it cannot be, the request is not made.
    pub keep: Option<Keep>,
}

/// A number that outlives the process; the machine gets it back in its configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keep {
    /// Names no secret: a venue's word and a short mark of the key it belongs to.
    pub name: String,
    pub value: i64,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    Post,
}

/// A header; its value may sign or authenticate, so it is never printed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    pub name: &'static str,
    pub value: Secret,
}

/// The bytes of a request or a reply. They may hold personal data: `Debug` shows their number.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Body(pub Vec<u8>);

impl Body {
    /// As text; bytes that are no UTF-8 become replacement characters.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

/// The answer to a request, or why there is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    pub id: u64,
    pub outcome: Result<Answer, Failure>,
}

/// What the server said, whatever its status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<Header>,
    pub body: Body,
}

/// There is no whole answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The request cannot have reached the server: no connection was made.
    pub unsent: bool,
    pub reason: String,
}

/// What goes into a venue.
#[derive(Clone, PartialEq, Debug)]
pub enum VenueIn {
    Net(Net),
    Command(Command),
}

/// What comes out of a venue.
#[derive(Clone, PartialEq, Debug)]
pub enum VenueOut {
    Net(Net),
    Event(Event),
    /// A line for the operator's log: what happened and what is done about it.
    Note(String),
    /// One more send counts against this rate lane. It comes before the bytes it speaks of, and is
    /// kept, so that a restart makes no burst.
    Sent {
        lane: String,
    },
}

/// What a rate lane has left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneLeft {
    /// `flowbtc`, `mercadobitcoin`, `mercadobitcoin/data`, `sentra/…`: names no secret.
    pub lane: String,
    /// At most `limit` sends in any `span`, of which `reserve` are for cancels and reconciliation.
    pub limit: u32,
    pub reserve: u32,
    pub span: Span,
    /// Sends without the right to the reserve that could go now.
    pub left: u32,
    /// What waits for its turn.
    pub waiting: usize,
}

/// A venue as the engine sees it: a client session, a simulated exchange, or paper.
pub trait Venue: Machine<In = VenueIn, Out = VenueOut> {
    /// Its rate lanes as they stand.
    fn lanes(&self, _now: Time) -> Vec<LaneLeft> {
        Vec::new()
    }

    /// Whether a login waits for a one-time code that only a person can give.
    fn wants_code(&self) -> bool {
        false
    }

    /// Hands in the code that was typed. `false`: it cannot be used, and the venue's notes say so.
    fn code(&mut self, _now: Time, _code: &Secret) -> bool {
        false
    }
}
