//! The client halves of the venues' protocols, as machines without I/O: pacing, wire, sessions.

pub mod flowbtc;
pub mod mercadobitcoin;
pub mod pace;
pub mod reply;
pub mod sentra;
pub mod sign;
