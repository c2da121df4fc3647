//! The server halves of the venues' protocols over the simulated exchange; never imports `venue`.

pub mod flowbtc;
