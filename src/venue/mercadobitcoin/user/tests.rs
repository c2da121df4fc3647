//! The budget by itself.
