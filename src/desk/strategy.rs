//! The shape of a strategy as the engine drives it, in whatever language it is written.

use super::Subscription;
use crate::account::Order;
use crate::base::tape::TradeBlock;
use crate::base::{
    Bar, CallId, CallOutcome, FeedNews, Fill, InstrumentId, Level, Plain, Quote, Span, Time, Trade,
    Version,
};

/// One piece of news, as a strategy sees it.
#[derive(Debug)]
pub enum Seen<'a> {
    Trade(&'a Trade),
    Quote(&'a Quote),
    /// The book as it stands now, best levels first.
    Book {
        time: Time,
        instrument: InstrumentId,
        bids: &'a [Level],
        asks: &'a [Level],
    },
    Bar(&'a Bar),
    Timer {
        name: &'a str,
        time: Time,
    },
    /// An order of its own changed state.
    Order(&'a Order),
    /// An execution of its own; `order` as it stands after it, `position` likewise.
    Fill {
        fill: &'a Fill,
        order: &'a Order,
        position: f64,
    },
    Feed(&'a FeedNews),
}

/// How the engine's run trades: told to scripts as `ctx.mode`.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    Backtest,
    Paper,
    Live,
}

impl Mode {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Mode::Backtest => "backtest",
            Mode::Paper => "paper",
            Mode::Live => "live",
        }
    }
}

/// Why a handler did not finish.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The script raised an error.
    Error,
    /// A handler ran past its time budget and was stopped.
    Budget,
    /// The strategy's memory cap was reached.
    Memory,
}

/// A strategy's failure, reported with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    pub kind: FaultKind,
    /// The handler that failed: `on_trade`; `load` while the file itself ran.
    pub handler: String,
    pub message: String,
    /// File, line and column (from 1; 0 where unknown).
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub traceback: String,
    pub at: Time,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 {
            return write!(f, "{}: {} (in {})", self.file, self.message, self.handler);
        }
        let Fault { file, line, column, message, handler, .. } = self;
        write!(f, "{file}:{line}:{column}: {message} (in {handler})")
    }
}

/// A strategy: a Lua script's VM, or a Rust struct in benches and tests.
///
/// A failing handler never ends the delivery: its fault is queued and the next event goes on.
pub trait Strategy {
    fn version(&self) -> &Version;
    fn subscriptions(&self) -> &[Subscription];
    /// `on_start`: once, before the first event of a run, not after a reload.
    fn start(&mut self, now: Time);
    /// Takes a tape block for `rows`, replacing the one before.
    fn load_block(&mut self, block: &TradeBlock);
    /// Delivers rows `from..to` of the loaded block, stopping after the row at which the strategy
    /// acted. Returns the first row not delivered.
    fn rows(&mut self, from: usize, to: usize) -> usize;
    /// Delivers one piece of news.
    fn seen(&mut self, now: Time, news: &Seen<'_>);
    /// An order of its own changed before any handler could be told (a reload, a refusal).
    fn know_order(&mut self, order: &Order);
    /// The signed position changed without a fill of this run (a restart, an adoption).
    fn know_position(&mut self, instrument: InstrumentId, qty: f64);
    /// Goes on with what sleeps until `wake_at`.
    fn wake(&mut self, now: Time);
    fn wake_at(&self) -> Option<Time>;
    /// A raw call of its own has ended: the handler that waits for it goes on. An outcome nobody
    /// waits for any more is dropped.
    fn reply(&mut self, now: Time, call: CallId, outcome: &CallOutcome);
    /// The state to hand to the next version.
    ///
    /// # Errors
    /// When the state holds what cannot be copied, or `on_save` fails.
    fn save(&mut self, now: Time) -> Result<Plain, Fault>;
    /// Takes the state of the version before.
    ///
    /// # Errors
    /// When it cannot be restored here, or `on_load` fails.
    fn restore(&mut self, now: Time, state: &Plain, from: &Version) -> Result<(), Fault>;
    fn stop(&mut self, now: Time);
    /// The faults since the last call, oldest first.
    fn take_faults(&mut self) -> Vec<Fault>;
    /// The longest time one handler took since the last call, where it is measured.
    fn take_longest(&mut self) -> Option<Span> {
        None
    }
}
