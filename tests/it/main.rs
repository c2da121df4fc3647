//! The one integration-test binary, a module per subject.

mod backtest;
mod live;
mod support;
