//! The deterministic whole: strategies, gate, venues, one thread.
