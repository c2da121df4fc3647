//! The server halves of the venues' protocols over the simulated exchange; never imports `venue`.

pub mod faults;
pub mod flowbtc;
pub mod http;
pub mod json;
pub mod mercadobitcoin;
pub mod proof;
pub mod sentra;
#[cfg(test)]
mod tests;
pub mod window;
