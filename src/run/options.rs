//! What a run is asked to do: the command line's flags and the configuration, parsed and checked.

use crate::base::{Decimal, Fees, Span, Time, VenueName};
use crate::edge::config::Config;
use crate::edge::tape::TimeUnit;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use super::venue::{Checks, Dialect, Pace};
pub use crate::exchange::QueueModel;

/// An instrument as users name it: `flowbtc:BTCBRL,tick=0.01,lot=0.00000001`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstrumentOption {
    pub venue: VenueName,
    pub symbol: String,
    pub tick: Option<Decimal>,
    pub lot: Option<Decimal>,
    pub min_qty: Option<Decimal>,
    /// The assets, where the symbol does not tell them.
    pub base: Option<String>,
    pub quote: Option<String>,
}

impl InstrumentOption {
    /// `flowbtc:BTCBRL`
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.venue, self.symbol)
    }
}

/// How stdout is used.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// One JSON object per line and nothing else.
    Json,
    People {
        color: bool,
    },
}

/// `lunario backtest`
#[derive(Clone, PartialEq, Debug)]
pub struct BacktestOptions {
    pub script: PathBuf,
    pub feeds: Vec<PathBuf>,
    pub time_unit: Option<TimeUnit>,
    pub instrument: Option<InstrumentOption>,
    /// As written; the script's declarations tell the types.
    pub params: Vec<(String, String)>,
    pub from: Option<Time>,
    /// Exclusive.
    pub to: Option<Time>,
    pub balances: Vec<(String, Decimal)>,
    pub fees: Option<Fees>,
    /// From the market to the strategy.
    pub feed_latency: Span,
    /// From the strategy to the market; the answer takes as long.
    pub order_latency: Span,
    pub queue: QueueModel,
    pub seed: u64,
    pub report: Option<PathBuf>,
    pub config: Config,
    pub output: Output,
}

/// `lunario run`
#[derive(Clone, PartialEq, Debug)]
pub struct RunOptions {
    /// Folders and files of strategies.
    pub paths: Vec<PathBuf>,
    pub live: bool,
    /// Ends by itself after this long.
    pub run_for: Option<Span>,
    pub state: PathBuf,
    /// The FlowBTC to trade on, over the configuration's.
    pub flowbtc_ws: Option<String>,
    /// Mercado Bitcoin's Trade API, over the configuration's.
    pub mercadobitcoin: Option<String>,
    /// Sentra, over the configuration's.
    pub sentra: Option<String>,
    pub instrument: Option<InstrumentOption>,
    pub params: Vec<(String, String)>,
    pub balances: Vec<(String, Decimal)>,
    pub fees: Option<Fees>,
    /// What the embedded exchange's market is: a recorded file, or a synthetic one of this seed.
    pub feed: Option<PathBuf>,
    pub time_unit: Option<TimeUnit>,
    pub seed: u64,
    pub speed: Pace,
    pub config: Config,
    pub output: Output,
}

/// `lunario venue`
#[derive(Clone, PartialEq, Debug)]
pub struct VenueOptions {
    pub flowbtc_ws: SocketAddr,
    pub flowbtc_http: SocketAddr,
    pub mercadobitcoin: SocketAddr,
    pub sentra: SocketAddr,
    /// Where the venue is controlled from outside; `None` for nowhere.
    pub control: Option<SocketAddr>,
    pub feed: Option<PathBuf>,
    pub time_unit: Option<TimeUnit>,
    /// The synthetic market's seed, where there is no feed.
    pub seed: u64,
    pub instrument: Option<InstrumentOption>,
    pub fees: Option<Fees>,
    pub speed: Pace,
    /// What the test account starts with.
    pub balances: Vec<(String, Decimal)>,
    pub state: Option<PathBuf>,
    pub dialect: Dialect,
    pub sentra_checks: Checks,
    /// A file of faults to act out from the start.
    pub faults: Option<PathBuf>,
    pub run_for: Option<Span>,
    pub output: Output,
}

/// `lunario check`
#[derive(Clone, PartialEq, Debug)]
pub struct CheckOptions {
    pub paths: Vec<PathBuf>,
    pub config: Config,
    pub output: Output,
}

/// How a verb ended, where it did not fail. The command line turns it into an exit code.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Done,
    /// A script was refused.
    Refused,
    /// A limit or a halt stopped the run.
    Halted,
    /// Ctrl-C.
    Interrupted,
}

/// Arguments or a configuration that cannot be run, in words that say what to write instead.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(pub String);
