//! The simulated market: matching, queue, latency, fees, link, synthetic market.

pub mod types;

pub use types::{
    AccountNumber, Balance, BookLevel, NewOrder, QueueModel, Reject, Report, ReportKind, SimFill,
    SimOrder,
};
