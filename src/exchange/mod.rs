//! The simulated market: matching, queue, latency, fees, link, synthetic market.

pub mod core;
pub mod types;

pub use self::core::{Config, Exchange};
pub use types::{
    AccountNumber, Balance, BookLevel, NewOrder, QueueModel, Reject, Report, ReportKind, SimFill,
    SimOrder,
};
