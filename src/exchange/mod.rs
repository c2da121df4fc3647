//! The simulated market: matching, queue, latency, fees, link, synthetic market.

pub mod core;
pub mod link;
pub mod paper;
pub mod synthetic;
pub mod types;
pub mod venue;

pub use self::core::{Config, Exchange, FILL_OR_KILL, IMMEDIATE_OR_CANCEL, SELF_TRADE};
pub use link::Link;
pub use paper::Paper;
pub use synthetic::{Regime, Synthetic, SyntheticConfig};
pub use types::{
    AccountNumber, Balance, BookLevel, NewOrder, QueueModel, Reject, Report, ReportKind, SimFill,
    SimOrder,
};
pub use venue::{Asked, SimConfig, SimVenue, refusal};
