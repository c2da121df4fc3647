//! The engine's flow: inputs in, events to strategies, asks through the gate, commands to venues.

use super::config::EngineConfig;
use super::core::{Core, instrument_of};
use super::memory::{Memory, Remembered};
use super::note::Note;
use super::record::Record;
use super::roster::{Roster, Slot, StrategyStatus};
use crate::base::tape::TradeBlock;
use crate::base::{
    Channel, Command, Event, InstrumentId, LaneLeft, Machine, Net, OrderNews, OrderStep, Plain,
    Secret, StrategyId, Time, Venue, VenueIn, VenueName, VenueOut,
};
use crate::desk::Seen;
use crate::lua::Candidate;
use crate::risk::Gate;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// What goes into an engine.
#[derive(Debug)]
pub enum In {
    /// From the transport of a venue, by its place.
    Net {
        venue: usize,
        net: Net,
    },
    /// A new strategy, or the next version of a running one.
    Code(Candidate),
    Operator(Operator),
    /// Time passed.
    Tick,
}

/// What a person asks of an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operator {
    /// Ends the run: `on_stop`, then every open order is canceled.
    Stop,
    /// No new orders of any strategy; open ones are canceled.
    Halt(String),
    Resume,
    /// A one-time code that was typed, for the venue that waits for one. No record holds it.
    Code(Secret),
}

/// What comes out of an engine. All records of one input come before its bytes.
#[derive(Clone, PartialEq, Debug)]
pub enum Out {
    Record(Record),
    /// What a strategy remembers or forgets; belongs to the records of the same input.
    Remembered(Remembered),
    Net {
        venue: usize,
        net: Net,
    },
    /// One more send counts against this rate lane; comes before the bytes it speaks of.
    Sent {
        lane: String,
    },
    Note(Note),
}

struct Place {
    name: VenueName,
    venue: Box<dyn Venue>,
    /// It only answers calls: nobody waits for it to be live.
    is_desk: bool,
}

/// The deterministic whole of a run.
pub struct Engine {
    pub(super) core: Rc<RefCell<Core>>,
    pub(super) roster: Roster,
    venues: Vec<Place>,
    nets: VecDeque<Out>,
    config: EngineConfig,
    pub(super) block: Option<Rc<TradeBlock>>,
    /// The streams that were asked for, and the depth of the books among them.
    asked: BTreeMap<(InstrumentId, Channel), u16>,
    stopping: bool,
    stopped: bool,
}

impl Engine {
    #[must_use]
    pub fn new(mut config: EngineConfig) -> Engine {
        let gate = Gate::new(config.limits.clone());
        let mut core = Core::new(config.run, config.instruments.clone(), gate);
        core.recording = config.recording;
        core.calls.grants = super::calls::Grants::of(&config);
        core.memory = Memory::new(std::mem::take(&mut config.memory), config.recording);
        Engine {
            core: Rc::new(RefCell::new(core)),
            roster: Roster::new(),
            venues: Vec::new(),
            nets: VecDeque::new(),
            config,
            block: None,
            asked: BTreeMap::new(),
            stopping: false,
            stopped: false,
        }
    }

    /// Adds a venue; its place is what `In::Net` names it by.
    pub fn add_venue(&mut self, name: VenueName, venue: Box<dyn Venue>) -> usize {
        self.add(Place { name, venue, is_desk: false })
    }

    /// Adds a venue that only answers calls.
    pub fn add_desk(&mut self, name: VenueName, venue: Box<dyn Venue>) -> usize {
        self.add(Place { name, venue, is_desk: true })
    }

    fn add(&mut self, place: Place) -> usize {
        self.core.borrow_mut().calls.venues.insert(place.name.clone());
        self.venues.push(place);
        self.venues.len() - 1
    }

    /// What the strategies' asks meet, for looking at.
    #[must_use]
    pub fn core(&self) -> std::cell::Ref<'_, Core> {
        self.core.borrow()
    }

    #[must_use]
    pub fn status(&self) -> Vec<StrategyStatus> {
        self.roster.status(&self.core.borrow())
    }

    /// Whether a candidate of this name runs now.
    #[must_use]
    pub fn runs(&self, name: &str) -> bool {
        self.roster.slots.iter().any(|slot| slot.name == name && slot.strategy.is_some())
    }

    /// The name of a strategy.
    #[must_use]
    pub fn name_of(&self, who: StrategyId) -> String {
        let slot = self.roster.slots.get(usize::from(who.0));
        slot.map(|slot| slot.name.clone()).unwrap_or_default()
    }

    fn code(&mut self, now: Time, candidate: Candidate) {
        let name = candidate.name.clone();
        if !self.roster.take(candidate, &self.core, &self.config, now) {
            return;
        }
        let Some(at) = self.roster.slots.iter().position(|slot| slot.name == name) else { return };
        let slot = self.roster.slots.get(at);
        let wishes: Vec<_> = slot.into_iter().flat_map(Slot::wishes).collect();
        for (instrument, channel, depth) in wishes {
            self.ask_stream(now, instrument, channel, depth);
        }
        self.after(now, at);
        self.start_ready(now);
    }

    /// Asks for a stream, once for all strategies, and again only for a deeper book.
    fn ask_stream(&mut self, now: Time, instrument: InstrumentId, channel: Channel, depth: u16) {
        let asked = self.asked.get(&(instrument, channel));
        if asked.is_some_and(|asked| *asked >= depth) {
            return;
        }
        self.asked.insert((instrument, channel), depth);
        let depth = (channel == Channel::Book).then_some(depth);
        self.command(now, Command::Subscribe { instrument, channel, depth, interval: None });
    }

    /// Starts what has not started and whose venues take orders.
    pub(super) fn start_ready(&mut self, now: Time) {
        if self.stopping {
            return;
        }
        for at in 0..self.roster.slots.len() {
            let ready = self.roster.slots.get(at).is_some_and(|slot| {
                let core = self.core.borrow();
                let live = |id: InstrumentId| {
                    core.instruments.get(id).is_some_and(|row| core.market.is_ready(&row.venue))
                };
                // One that listens to no market may call any venue.
                let ready = if slot.streams.is_empty() {
                    let ready = |place: &Place| core.market.is_ready(&place.name);
                    self.venues.iter().all(|place| place.is_desk || ready(place))
                } else {
                    slot.streams.iter().all(|stream| live(stream.instrument))
                };
                !slot.started && slot.strategy.is_some() && ready
            });
            if let Some(slot) = self.roster.slots.get_mut(at).filter(|_| ready) {
                slot.started = true;
                if let Some(strategy) = &mut slot.strategy {
                    strategy.start(now);
                }
                self.after(now, at);
            }
        }
    }

    /// What a strategy left behind after a call: failures, halts, commands.
    pub(super) fn after(&mut self, now: Time, at: usize) {
        if let Some(slot) = self.roster.slots.get_mut(at) {
            slot.look_at_faults(&self.core, &self.config);
        }
        let halts = std::mem::take(&mut self.core.borrow_mut().halts);
        for (who, reason) in halts {
            self.halt(now, who, reason);
        }
    }

    fn halt(&mut self, now: Time, who: StrategyId, reason: String) {
        let Some(slot) = self.roster.slots.get_mut(usize::from(who.0)) else { return };
        if slot.halted.is_some() {
            return;
        }
        self.core.borrow_mut().gate.halt(Some(who), &reason);
        self.core.borrow_mut().doom_open(Some(who));
        slot.stop(&self.core, now);
        slot.halted = Some(reason.clone());
        let mut core = self.core.borrow_mut();
        let version = core.version(who);
        let text = reason.clone();
        core.record("halt", Some(who), Some(version), || {
            Plain::map(vec![("reason", Plain::Text(text))])
        });
        core.notes.push_back(Note::Halt { strategy: who, reason });
    }

    fn operator(&mut self, now: Time, wish: Operator) {
        match wish {
            Operator::Stop => self.stop(now),
            Operator::Halt(reason) => {
                let mut core = self.core.borrow_mut();
                core.gate.halt(None, &reason);
                core.doom_open(None);
                core.record("halt", None, None, || {
                    Plain::map(vec![("reason", Plain::Text(reason))])
                });
            }
            Operator::Resume => self.core.borrow_mut().gate.resume(None),
            Operator::Code(code) => {
                if let Some(place) = self.venues.iter_mut().find(|place| place.venue.wants_code()) {
                    place.venue.code(now, &code);
                }
            }
        }
    }

    /// The venue whose login waits for a code that only a person can give.
    #[must_use]
    pub fn wants_code(&self) -> Option<&VenueName> {
        self.venues.iter().find(|place| place.venue.wants_code()).map(|place| &place.name)
    }

    /// What rests is canceled first; then `on_stop` may still flatten, and the end waits for that.
    fn stop(&mut self, now: Time) {
        if self.stopping {
            return;
        }
        self.stopping = true;
        self.core.borrow_mut().doom_resting();
        for at in 0..self.roster.slots.len() {
            if let Some(slot) = self.roster.slots.get_mut(at).filter(|slot| slot.is_running()) {
                slot.stop(&self.core, now);
                slot.stopped = true;
            }
            self.after(now, at);
        }
        let mut core = self.core.borrow_mut();
        core.gate.halt(None, "the run is ending");
        // What on_stop left behind to rest.
        core.doom_resting();
        core.record("stop", None, None, || Plain::Nil);
    }

    fn note_stopped(&mut self) {
        if self.stopping && !self.stopped {
            let mut core = self.core.borrow_mut();
            if core.orders.open().next().is_none() {
                self.stopped = true;
                core.notes.push_back(Note::Stopped { open: 0 });
            }
        }
    }

    /// Open orders of ours, for the end of a run.
    #[must_use]
    pub fn open_orders(&self) -> usize {
        self.core.borrow().orders.open().count()
    }

    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// Sends what the gate approved.
    fn flush(&mut self, now: Time) -> bool {
        let mut moved = false;
        loop {
            let next = self.core.borrow_mut().outbox.pop_front();
            let Some(command) = next else { return moved };
            moved = true;
            self.command(now, command.into_inner());
        }
    }

    /// The venues of the run; those that only answer calls are none.
    #[must_use]
    pub fn venues(&self) -> Vec<VenueName> {
        let venues = self.venues.iter().filter(|place| !place.is_desk);
        venues.map(|place| place.name.clone()).collect()
    }

    /// What every venue's rate lanes have left.
    #[must_use]
    pub fn lanes(&self, now: Time) -> Vec<LaneLeft> {
        self.venues.iter().flat_map(|place| place.venue.lanes(now)).collect()
    }

    fn command(&mut self, now: Time, command: Command) {
        let wanted = match &command {
            Command::Call(call) => Some(call.ask.venue.clone()),
            Command::Place(_)
            | Command::Cancel { .. }
            | Command::Replace { .. }
            | Command::Reduce { .. }
            | Command::CancelAll { .. }
            | Command::Subscribe { .. } => instrument_of(&command)
                .and_then(|id| self.core.borrow().instruments.get(id).map(|row| row.venue.clone())),
        };
        let mut reached = false;
        for place in &mut self.venues {
            if wanted.as_ref().is_none_or(|name| *name == place.name) {
                place.venue.handle(now, VenueIn::Command(command.clone()));
                reached = true;
            }
        }
        if let (false, Command::Place(place)) = (reached, &command) {
            let reason = "VENUE_ABSENT".to_owned();
            let step = OrderStep::Rejected { reason };
            self.event(now, &Event::Order(OrderNews { key: place.key, time: now, step }));
        }
    }

    fn poll_venues(&mut self, now: Time) -> bool {
        for at in 0..self.venues.len() {
            let Some(out) = self.venues.get_mut(at).and_then(|place| place.venue.poll(now)) else {
                continue;
            };
            match out {
                VenueOut::Net(net) => self.nets.push_back(Out::Net { venue: at, net }),
                VenueOut::Sent { lane } => self.nets.push_back(Out::Sent { lane }),
                VenueOut::Event(event) => self.event(now, &event),
                VenueOut::Note(text) => {
                    self.core.borrow_mut().notes.push_back(Note::Venue { venue: at, text });
                }
            }
            return true;
        }
        false
    }

    fn timers(&mut self, now: Time) -> bool {
        let due = self.core.borrow_mut().timers.due(now);
        let Some(due) = due else { return false };
        let at = usize::from(due.who.0);
        if let Some(slot) = self.roster.slots.get_mut(at) {
            slot.tell(now, &Seen::Timer { name: &due.name, time: due.at });
        }
        self.after(now, at);
        true
    }

    fn sleepers(&mut self, now: Time) -> bool {
        for at in 0..self.roster.slots.len() {
            let Some(slot) = self.roster.slots.get_mut(at).filter(|slot| slot.is_running()) else {
                continue;
            };
            let Some(strategy) = &mut slot.strategy else { continue };
            if strategy.wake_at().is_some_and(|due| due <= now) {
                strategy.wake(now);
                self.after(now, at);
                return true;
            }
        }
        false
    }

    /// Does everything that can be done at `now`.
    fn settle(&mut self, now: Time) {
        loop {
            let moved = self.flush(now)
                || self.poll_venues(now)
                || self.core.borrow_mut().expire_due()
                || self.timers(now)
                || self.sleepers(now)
                || self.held_back(now)
                || self.close_bars(now);
            if !moved {
                break;
            }
        }
        self.note_stopped();
    }

    fn close_bars(&mut self, now: Time) -> bool {
        self.core.borrow_mut().market.advance(now);
        self.tell_bars(now)
    }
}

impl Machine for Engine {
    type In = In;
    type Out = Out;

    fn handle(&mut self, now: Time, input: In) {
        {
            let mut core = self.core.borrow_mut();
            core.now = core.now.max(now);
        }
        match input {
            In::Net { venue, net } => {
                if let Some(place) = self.venues.get_mut(venue) {
                    place.venue.handle(now, VenueIn::Net(net));
                }
            }
            In::Code(candidate) => self.code(now, candidate),
            In::Operator(wish) => self.operator(now, wish),
            In::Tick => {}
        }
        self.settle(now);
    }

    fn poll(&mut self, _now: Time) -> Option<Out> {
        let mut core = self.core.borrow_mut();
        if let Some(record) = core.records.pop_front() {
            return Some(Out::Record(record));
        }
        if let Some(remembered) = core.memory.take_change() {
            return Some(Out::Remembered(remembered));
        }
        if let Some(net) = self.nets.pop_front() {
            return Some(net);
        }
        core.notes.pop_front().map(Out::Note)
    }

    fn wake_at(&self) -> Option<Time> {
        let core = self.core.borrow();
        let strategies = self.roster.slots.iter().filter(|slot| slot.is_running());
        let sleeping = strategies.clone().filter_map(|slot| slot.strategy.as_ref()?.wake_at());
        let held = strategies.flat_map(|slot| slot.streams.iter().filter_map(|s| s.wake_at()));
        let expiry = core.expiries.first().map(|(at, _)| *at);
        let venues = self.venues.iter().filter_map(|place| place.venue.wake_at());
        sleeping
            .chain(held)
            .chain(venues)
            .chain(core.timers.next())
            .chain(core.market.next_close())
            .chain(expiry)
            .min()
    }
}
