//! The deterministic whole: strategies, gate, venues, on one thread, without a clock or a socket.

pub mod core;
mod filter;
mod flow;
pub mod note;
pub mod record;
mod roster;
mod timers;

#[cfg(test)]
mod tests;

pub use core::Core;
pub use flow::{Engine, EngineConfig, In, Operator, Out};
pub use note::Note;
pub use record::Record;
pub use roster::StrategyStatus;
