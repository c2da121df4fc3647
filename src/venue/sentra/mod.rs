//! Sentra: the wire of its three pushes, and the session that makes them for scripts.

pub mod session;
pub mod wire;

pub use session::{Session, SessionConfig};
