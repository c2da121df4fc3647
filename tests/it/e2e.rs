//! The real program, end to end: processes, files, signals and what stands on the screen.

mod backtest;
mod capture;
mod check;
mod endings;
mod ledgers;
mod logins;
mod memory;
pub mod program;
mod reload;
mod runaway;
mod status;
mod venue;
