//! FlowBTC (AlphaPoint): the wire, the payloads, the requests, and the session that trades over
//! them.

pub mod payload;
pub mod request;
pub mod session;
pub mod wire;

pub use session::{ApiKey, Session, SessionConfig};
