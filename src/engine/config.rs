//! What an engine is made with: mode, instruments, limits, parameters, budgets of failure.

use super::memory::Memories;
use crate::base::{Decimal, Instruments, Time};
use crate::desk::Mode;
use crate::lua::Limits as LuaLimits;
use crate::risk::Limits;
use std::collections::{BTreeMap, BTreeSet};

/// What an engine is made with.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Part of every order key; different for every run of an account.
    pub run: u32,
    pub mode: Mode,
    pub instruments: Instruments,
    pub limits: Limits,
    /// Limits of single strategies, by name.
    pub own_limits: BTreeMap<String, Limits>,
    pub lua: LuaLimits,
    /// Parameter overrides by strategy name.
    pub params: BTreeMap<String, BTreeMap<String, String>>,
    /// Overrides for every strategy that declares the parameter.
    pub shared_params: BTreeMap<String, String>,
    pub seed: u64,
    pub default_instrument: Option<String>,
    /// More failed handlers than this in a minute halt a strategy.
    pub faults_a_minute: usize,
    /// More handlers stopped by the budget than this in a minute halt a strategy.
    pub overruns_a_minute: usize,
    /// Whether journal records are made.
    pub recording: bool,
    /// The calls beyond trading that a strategy may make, by its name: `flowbtc.LogOut`. They hold
    /// in live runs only.
    pub grants: BTreeMap<String, BTreeSet<String>>,
    pub withdrawals: Withdrawals,
    /// What the strategies remember from runs before.
    pub memory: Memories,
}

/// What withdrawals may do; by default nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Withdrawals {
    /// Where money may go to.
    pub addresses: BTreeSet<String>,
    /// How much of an asset may leave in any 24 hours; an asset that is not here may not.
    pub per_day: BTreeMap<String, Decimal>,
    /// What has left or may have left before this run: when, asset, amount.
    pub before: Vec<(Time, String, Decimal)>,
}

impl EngineConfig {
    /// The defaults of a run in this mode.
    #[must_use]
    pub fn new(mode: Mode, run: u32, instruments: Instruments) -> EngineConfig {
        EngineConfig {
            run,
            mode,
            instruments,
            limits: Limits::default(),
            own_limits: BTreeMap::new(),
            lua: LuaLimits::default(),
            params: BTreeMap::new(),
            shared_params: BTreeMap::new(),
            seed: 1,
            default_instrument: None,
            faults_a_minute: 100,
            overruns_a_minute: 5,
            recording: true,
            grants: BTreeMap::new(),
            withdrawals: Withdrawals::default(),
            memory: Memories::new(),
        }
    }
}
