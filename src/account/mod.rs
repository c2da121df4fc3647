//! What we have and owe: orders and their states, positions and profit, metrics.

pub mod ledger;
pub mod orders;

pub use ledger::{Balance, Equity, Ledger, Position};
pub use orders::{Change, Exposure, FillOutcome, Order, Orders};
