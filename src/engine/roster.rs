//! The strategies of a run: loading, swapping to a new version, failures, halts.

use super::config::EngineConfig;
use super::core::{Core, HISTORY, Owner};
use super::filter::Stream;
use super::note::Note;
use crate::account::Order;
use crate::base::{
    Channel, Decimal, InstrumentId, Plain, Span, StrategyId, Time, Version, decimal,
};
use crate::desk::{Desk, Fault, FaultKind, Seen, Strategy};
use crate::lua::{Candidate, Script, Setup};
use crate::market::HistoryKind;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// A strategy's place in the run, whatever version of it runs.
pub struct Slot {
    pub id: StrategyId,
    pub name: String,
    pub strategy: Option<Box<dyn Strategy>>,
    pub streams: Vec<Stream>,
    pub started: bool,
    /// Why it gets no more events.
    pub halted: Option<String>,
    /// `on_stop` was called because the run ends: it is called no more.
    pub stopped: bool,
    faults: VecDeque<(Time, FaultKind)>,
}

/// How a strategy stands, for people.
#[derive(Clone, PartialEq, Debug)]
pub struct StrategyStatus {
    pub name: String,
    pub version: Version,
    pub halted: Option<String>,
    pub open_orders: usize,
    pub positions: Vec<PositionStatus>,
}

/// A position with its profit; money in the quote asset, exact.
#[derive(Clone, PartialEq, Debug)]
pub struct PositionStatus {
    pub instrument: String,
    pub qty: Decimal,
    pub realized: Decimal,
    pub unrealized: Decimal,
    pub fees: Decimal,
    pub net: Decimal,
    pub fills: u64,
}

const MINUTE: Span = Span::from_secs(60);

/// All strategies of a run.
pub struct Roster {
    pub slots: Vec<Slot>,
}

impl Roster {
    #[must_use]
    pub fn new() -> Roster {
        Roster { slots: Vec::new() }
    }

    /// Takes a candidate: a new strategy, or the next version of one that runs. A candidate that
    /// does not make it leaves everything as it was. True if it runs now.
    pub fn take(
        &mut self,
        candidate: Candidate,
        core: &Rc<RefCell<Core>>,
        config: &EngineConfig,
        now: Time,
    ) -> bool {
        let name = candidate.name.clone();
        let at = self.slots.iter().position(|slot| slot.name == name);
        let at = at.or_else(|| self.open_slot(&name, &candidate.version, core, config));
        let Some(slot) = at.and_then(|at| self.slots.get_mut(at)) else {
            core.borrow_mut().notes.push_back(Note::Refused {
                name,
                fault: too_many(&candidate, now),
                running: None,
            });
            return false;
        };
        slot.take(candidate, core, config, now)
    }

    fn open_slot(
        &mut self,
        name: &str,
        version: &Version,
        core: &Rc<RefCell<Core>>,
        config: &EngineConfig,
    ) -> Option<usize> {
        let id = StrategyId(u8::try_from(self.slots.len()).ok()?);
        let mut core = core.borrow_mut();
        core.owners.push(Owner { name: name.to_owned(), version: version.clone(), sequence: 0 });
        if let Some(limits) = config.own_limits.get(name) {
            core.gate.limit(id, limits.clone());
        }
        self.slots.push(Slot {
            id,
            name: name.to_owned(),
            strategy: None,
            streams: Vec::new(),
            started: false,
            halted: None,
            stopped: false,
            faults: VecDeque::new(),
        });
        Some(self.slots.len() - 1)
    }

    /// How every strategy stands.
    #[must_use]
    pub fn status(&self, core: &Core) -> Vec<StrategyStatus> {
        let running = self.slots.iter().filter_map(|slot| Some((slot, slot.strategy.as_ref()?)));
        running
            .map(|(slot, strategy)| StrategyStatus {
                name: slot.name.clone(),
                version: strategy.version().clone(),
                halted: slot.halted.clone(),
                open_orders: core.orders.count(slot.id),
                positions: positions(core, slot.id),
            })
            .collect()
    }
}

fn positions(core: &Core, who: StrategyId) -> Vec<PositionStatus> {
    let own = core.ledger.positions().filter(|(owner, _, _)| *owner == who);
    own.map(|(_, id, position)| {
        let last = core.market.last(id).unwrap_or_default();
        PositionStatus {
            instrument: core.instrument_name(id),
            qty: position.qty,
            realized: position.realized(),
            unrealized: position.unrealized(last),
            fees: position.fees,
            net: position.net(last),
            fills: position.fills,
        }
    })
    .collect()
}

fn too_many(candidate: &Candidate, at: Time) -> Fault {
    Fault {
        kind: FaultKind::Error,
        handler: "load".into(),
        message: "a run holds at most 256 strategies; start another engine for more".into(),
        file: candidate.entry.clone(),
        line: 0,
        column: 0,
        traceback: String::new(),
        at,
    }
}

impl Slot {
    /// Loads the candidate beside the running version and swaps, or refuses it.
    fn take(
        &mut self,
        candidate: Candidate,
        core: &Rc<RefCell<Core>>,
        config: &EngineConfig,
        now: Time,
    ) -> bool {
        let running = self.strategy.as_ref().map(|old| old.version().clone());
        let mentions_history = candidate.sources.values().any(|text| text.contains("history"));
        let timers = core.borrow().timers.clone();
        core.borrow_mut().loading = true;
        let loaded = self.load(candidate, core, config, now);
        core.borrow_mut().loading = false;
        match loaded {
            Ok(script) => {
                let version = script.version().clone();
                self.install(script, core, mentions_history);
                let mut core = core.borrow_mut();
                if let Some(owner) = core.owners.get_mut(usize::from(self.id.0)) {
                    owner.version = version.clone();
                }
                let from = running.clone().map_or(Plain::Nil, |from| Plain::text(&*from.0));
                core.record("version", Some(self.id), Some(version.clone()), || {
                    Plain::map(vec![("from", from)])
                });
                let strategy = self.id;
                core.notes.push_back(match running {
                    Some(from) => Note::Reloaded { strategy, from, version },
                    None => Note::Loaded { strategy, version },
                });
                true
            }
            Err(fault) => {
                let mut core = core.borrow_mut();
                core.timers = timers;
                core.halts.clear();
                let text = fault.to_string();
                core.record("refused", Some(self.id), running.clone(), || {
                    Plain::map(vec![("reason", Plain::Text(text))])
                });
                let name = self.name.clone();
                core.notes.push_back(Note::Refused { name, fault, running });
                false
            }
        }
    }

    fn load(
        &mut self,
        candidate: Candidate,
        core: &Rc<RefCell<Core>>,
        config: &EngineConfig,
        now: Time,
    ) -> Result<Script, Fault> {
        let overrides = config.params.get(&self.name).cloned().unwrap_or_default();
        let desk: Rc<RefCell<dyn Desk>> = core.clone();
        let setup = Setup {
            who: self.id,
            mode: config.mode,
            desk,
            overrides,
            shared: config.shared_params.clone(),
            default_instrument: config.default_instrument.clone(),
            seed: config.seed,
            limits: config.lua,
            now,
        };
        let mut script = Script::load(candidate, setup)?;
        let orders: Vec<Order> = core.borrow().orders.open_of(self.id, None).cloned().collect();
        orders.iter().for_each(|order| script.know_order(order));
        for (instrument, qty) in owned(&core.borrow(), self.id) {
            script.know_position(instrument, qty);
        }
        if let Some(old) = &mut self.strategy {
            let state = old.save(now)?;
            let from = old.version().clone();
            script.restore(now, &state, &from)?;
        }
        Ok(script)
    }

    fn install(&mut self, script: Script, core: &Rc<RefCell<Core>>, mentions_history: bool) {
        let mut core = core.borrow_mut();
        let mut before = std::mem::take(&mut self.streams);
        for wanted in script.subscriptions() {
            let Some(row) = core.instruments.find(&wanted.instrument) else { continue };
            let id = row.id;
            // A stream that stays the same goes on with what its filters remember.
            let same = before.iter().position(|stream| stream.wanted == *wanted);
            let kept = same.map(|at| before.swap_remove(at));
            self.streams.push(kept.unwrap_or_else(|| Stream::new(wanted.clone(), id)));
            if let Some(interval) = wanted.interval {
                core.market.want_bars(id, interval);
            }
            if mentions_history {
                for kind in [HistoryKind::Trades, HistoryKind::Quotes, HistoryKind::Bars] {
                    core.market.want_history(id, kind, HISTORY);
                }
            }
        }
        // Code that was mended starts with a clean slate; its halt by failures ends with it.
        self.faults.clear();
        if self.halted.take().is_some() {
            core.gate.resume(Some(self.id));
        }
        self.strategy = Some(Box::new(script));
    }

    /// The streams its venue has to send and how deep: bars as the trades they are built from.
    pub fn wishes(&self) -> impl Iterator<Item = (InstrumentId, Channel, u16)> {
        self.streams.iter().map(|stream| match stream.wanted.channel {
            Channel::Bars => (stream.instrument, Channel::Trades, 0),
            Channel::Book => (stream.instrument, Channel::Book, stream.wanted.depth),
            other @ (Channel::Trades | Channel::Quotes | Channel::Session) => {
                (stream.instrument, other, 0)
            }
        })
    }

    #[must_use]
    pub fn is_running(&self) -> bool {
        self.strategy.is_some() && self.halted.is_none() && self.started && !self.stopped
    }

    /// Calls `on_stop`. What fails in it is told and changes nothing.
    pub fn stop(&mut self, core: &Rc<RefCell<Core>>, now: Time) {
        if let Some(strategy) = self.strategy.as_mut().filter(|_| self.started) {
            strategy.stop(now);
            let (id, version) = (self.id, strategy.version().clone());
            let faults = strategy.take_faults().into_iter();
            core.borrow_mut().notes.extend(faults.map(|fault| Note::Fault {
                strategy: id,
                version: version.clone(),
                fault,
            }));
        }
    }

    pub fn tell(&mut self, now: Time, news: &Seen<'_>) {
        if self.is_running()
            && let Some(strategy) = &mut self.strategy
        {
            strategy.seen(now, news);
        }
    }

    /// Takes up the failures since the last look; past the budget of failures the strategy is
    /// halted.
    pub fn look_at_faults(&mut self, core: &Rc<RefCell<Core>>, config: &EngineConfig) {
        let Some(strategy) = &mut self.strategy else { return };
        let faults = strategy.take_faults();
        if faults.is_empty() {
            return;
        }
        let version = strategy.version().clone();
        let mut core = core.borrow_mut();
        for fault in faults {
            self.faults.push_back((fault.at, fault.kind));
            while self.faults.front().is_some_and(|(at, _)| fault.at.since(*at) > MINUTE) {
                self.faults.pop_front();
            }
            let (strategy, version) = (self.id, version.clone());
            core.notes.push_back(Note::Fault { strategy, version, fault });
        }
        let overruns = self.faults.iter().filter(|(_, kind)| *kind != FaultKind::Error).count();
        let reason = if overruns > config.overruns_a_minute {
            format!("{overruns} handlers in a minute ran past their budget")
        } else if self.faults.len() > config.faults_a_minute {
            format!("{} handlers in a minute failed", self.faults.len())
        } else {
            return;
        };
        core.gate.halt(Some(self.id), &reason);
        core.halts.push((self.id, reason));
    }
}

/// A strategy's positions as doubles, for its scripts.
pub fn owned(core: &Core, who: StrategyId) -> BTreeMap<InstrumentId, f64> {
    let own = core.ledger.positions().filter(|(owner, _, _)| *owner == who);
    own.map(|(_, id, position)| (id, decimal::to_f64(position.qty))).collect()
}
