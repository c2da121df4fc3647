//! The shape of everything that decides: inputs with their time, outputs polled, the next wake-up.

use super::{Command, Event, Time};

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
}

/// What goes into a venue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VenueIn {
    Net(Net),
    Command(Command),
}

/// What comes out of a venue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VenueOut {
    Net(Net),
    Event(Event),
    /// A line for the operator's log: what happened and what is done about it.
    Note(String),
}

/// A venue as the engine sees it: a client session, a simulated exchange, or paper.
pub trait Venue: Machine<In = VenueIn, Out = VenueOut> {}

impl<T: Machine<In = VenueIn, Out = VenueOut>> Venue for T {}
