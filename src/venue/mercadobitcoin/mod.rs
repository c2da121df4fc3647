//! Mercado Bitcoin: the wire of its Trade API v2 and of its public data, and the session that
//! trades over them.

pub mod session;
pub mod user;
pub mod wire;

pub use session::{Session, SessionConfig};
pub use user::UserLane;
