//! The only room that touches the operating system: clock, sockets, files, journal, configuration.

pub mod clock;
pub mod config;
pub mod control;
pub mod files;
pub mod http;
pub mod http_server;
pub mod inbox;
pub mod journal;
pub mod keys;
mod pump;
pub mod sentra_store;
pub mod signals;
pub mod state;
pub mod tape;
pub mod telemetry;
pub mod terminal;
mod tls;
pub mod watch;
pub mod ws;
pub mod ws_server;
