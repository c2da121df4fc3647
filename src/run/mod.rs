//! Wirings: live and paper, backtest, served venues.

pub mod backtest;
pub mod live;
mod result;
pub mod scripts;
pub mod source;
pub mod venue;

pub use backtest::{Spec, backtest};
pub use result::{BacktestResult, FeedSummary};
