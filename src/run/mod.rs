//! Wirings: live and paper, backtest, served venues.

pub mod options;

pub use crate::lua::stdlib;
