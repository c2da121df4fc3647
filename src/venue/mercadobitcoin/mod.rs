//! Mercado Bitcoin: the wire of its Trade API v2 and of its public data.

pub mod wire;
