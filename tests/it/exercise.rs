//! Every documented call, made by scripts in a live engine against the served venues over real
//! sockets: what it answers, and every error the tables document.

mod bench;
mod flowbtc;
