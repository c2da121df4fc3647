//! The real program, end to end: processes, files, signals and what stands on the screen.

mod backtest;
mod capture;
mod check;
mod endings;
mod ledgers;
pub mod program;
mod reload;
mod runaway;
mod venue;
