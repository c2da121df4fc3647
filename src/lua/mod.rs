//! The host of the scripts: the only room that knows the VM.
//!
//! A strategy is one VM: sandboxed, capped in memory, stopped by a watchdog when a handler runs
//! past its budget. Events reach it as rows in a buffer, walked by a trusted prelude inside one
//! coroutine.

pub mod api;
mod arguments;
mod bind;
pub mod budget;
pub mod fault;
pub mod graph;
pub mod load;
pub use crate::base::names;
mod rows;
pub mod script;
pub mod stdlib;
mod values;
mod vm;

#[cfg(test)]
mod tests;

pub use graph::{Candidate, GraphError, collect};
pub use load::Param;
pub use script::{Limits, Script, Setup};
