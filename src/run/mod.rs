//! Wirings: live and paper, backtest, served venues.

pub mod answers;
pub mod assemble;
mod assumptions;
pub mod backtest;
pub mod check;
pub mod control;
pub mod feed;
pub mod live;
pub mod options;
pub mod oversights;
mod result;
pub mod scripts;
mod shared;
pub mod source;
pub mod table;
pub mod venue;

pub use crate::lua::stdlib;
pub use backtest::{Spec, backtest};
pub use result::{BacktestResult, FeedSummary};
