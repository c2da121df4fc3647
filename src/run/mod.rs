//! Wirings: live and paper, backtest, served venues.

pub mod backtest;
mod result;
pub mod source;
pub mod venue;

pub use backtest::{Spec, backtest};
pub use result::{BacktestResult, FeedSummary};
