//! The one integration-test binary, a module per subject.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    reason = "all of it is test code, the functions that tests share included"
)]

mod backtest;
mod calls_backtest;
mod docs;
mod e2e;
mod exercise;
mod live;
mod mb;
mod pair;
mod scripts;
mod source;
mod stdlib;
mod support;
mod tidy;
