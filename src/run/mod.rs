//! Wirings: live and paper, backtest, served venues.

pub mod backtest;
mod result;
pub mod live;
pub mod scripts;
pub mod source;
pub mod venue;

pub use backtest::{Spec, backtest};
pub use result::{BacktestResult, FeedSummary};
