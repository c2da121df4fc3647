//! Wirings: live and paper, backtest, served venues.

pub mod backtest;
pub mod options;
mod result;
pub mod source;
pub mod venue;

pub use crate::lua::stdlib;
pub use backtest::{Spec, backtest};
pub use result::{BacktestResult, FeedSummary};
