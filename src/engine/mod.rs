//! The deterministic whole: strategies, gate, venues, on one thread, without a clock or a socket.

mod asks;
mod blocks;
mod calls;
pub mod config;
pub mod core;
mod filter;
mod flow;
pub mod memory;
pub mod note;
pub mod record;
mod roster;
mod tell;
mod timers;

#[cfg(test)]
mod tests;

pub use crate::desk::{Fault, Words};
pub use calls::withdrawn;
pub use config::{EngineConfig, Withdrawals};
pub use core::Core;
pub use flow::{Engine, In, Operator, Out};
pub use memory::{Memories, Remembered};
pub use note::Note;
pub use record::Record;
pub use roster::{PositionStatus, StrategyStatus};
