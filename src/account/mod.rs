//! What we have and owe: orders and their states, positions and profit, metrics.

pub mod ledger;
pub mod metrics;
pub mod orders;
pub mod trips;

pub use ledger::{Balance, Equity, Ledger, Position, fee_in_quote};
pub use metrics::{Metrics, Recorder};
pub use orders::{Change, Exposure, FillOutcome, Order, Orders};
pub use trips::{Trip, Trips};
