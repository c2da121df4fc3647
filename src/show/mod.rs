//! What people look at: lines and tables for the terminal, JSON lines for programs.

pub mod events;
pub mod grid;
pub mod snippet;
pub mod style;
pub mod summary;
pub mod teller;
pub mod terminal;

#[cfg(test)]
mod tests;
