//! What the project claims about speed, measured. One binary, a module per subject; the table is in
//! `README.md` beside this file. Nothing here asserts a time: only that the work was done right.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench prints its answer and ends at the first surprise"
)]

mod backtest;
mod delivery;
mod harness;
mod parts;
mod tick;

fn main() {
    let wish = harness::Wish::read();
    delivery::run(&wish);
    backtest::run(&wish);
    parts::run(&wish);
    tick::run(&wish);
}
