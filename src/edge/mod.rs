//! The only room that touches the operating system: clock, sockets, files, journal, configuration.

pub mod clock;
pub mod inbox;
mod pump;
pub mod signals;
pub mod ws;
pub mod ws_server;
