//! Parts of the live path: loading a script, the journal, one event through the engine.

use crate::harness::Wish;

pub fn run(_wish: &Wish) {}
