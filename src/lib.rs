//! Lunario: trading strategies in Lua that you edit while they trade.
//!
//! The map, in reading order: `base` has the words and shapes; `market` what the market looks like
//! now; `account` what we have and owe; `risk` the gate's rules; `calls` the venues' documented
//! calls; `venue` the client halves of the protocols; `exchange` the simulated market; `simulator`
//! the server halves over it; `desk` what a strategy sees and may ask; `lua` the host of the
//! scripts; `engine` the deterministic whole; `edge` the operating system; `run` the wirings;
//! `show` what people look at; `cli` one file per verb.

pub mod account;
pub mod base;
pub mod calls;
pub mod cli;
pub mod desk;
pub mod edge;
pub mod engine;
pub mod exchange;
pub mod lua;
pub mod market;
pub mod risk;
pub mod run;
pub mod show;
pub mod simulator;
pub mod venue;
