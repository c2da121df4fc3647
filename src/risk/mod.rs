//! The gate's rules. The only maker of `Approved`: what has no approval cannot be sent.

pub mod codes;
mod gate;
mod rules;

#[cfg(test)]
mod tests;

pub use codes::CODES;
pub use gate::{Approved, Gate, Replace};
pub use rules::{Facts, Limits};
