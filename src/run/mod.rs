//! Wirings: live and paper, backtest, served venues.

pub mod backtest;
mod result;

pub use backtest::{Spec, backtest};
pub use result::{BacktestResult, FeedSummary};
