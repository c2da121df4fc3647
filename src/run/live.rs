//! A live run: the engine on its own thread between sockets, the watch on the scripts and the
//! journal.
//!
//! One turn: the next input from the inbox, through the engine; then its records into the journal,
//! then its bytes to the sockets. Nothing leaves that the journal does not hold.

use super::control;
mod links;
mod venues;

use super::scripts::{Scripts, Unreadable};
use crate::base::{Decimal, Machine, Net, Plain, Span, Time, VenueName, Version, json};
use crate::desk::Mode;
use crate::edge::clock;
use crate::edge::control::Control;
use crate::edge::inbox::{Inbox, Input, Next};
use crate::edge::journal::{Journal, Kept, Policy, Row, Send};
use crate::edge::state::StateDir;
use crate::edge::watch::{Patience, Watch};
use crate::engine::{
    Engine, EngineConfig, In, Note, Operator, Out, Record, Remembered, StrategyStatus, withdrawn,
};
use crate::lua::Candidate;
use anyhow::Context;
use links::Links;
use std::path::PathBuf;
use venues::{Built, Start};

pub use venues::{Balances, FlowBtc, FlowLogin, MercadoBitcoin, Sentra, Venues};

/// What is run, on which venues.
pub struct LiveSpec {
    pub paths: Vec<PathBuf>,
    pub state: PathBuf,
    pub policy: Policy,
    pub engine: EngineConfig,
    pub venues: Venues,
    /// Ends by itself after this long.
    pub run_for: Option<Span>,
    /// How often `Told::Status` is said.
    pub status_every: Span,
    pub patience: Patience,
}

/// What a run tells people, as it happens.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    Note {
        at: Time,
        name: String,
        note: Note,
    },
    Status {
        at: Time,
        strategies: Vec<StrategyStatus>,
        events: u64,
    },
    /// This venue's login waits for a one-time code: `Input::Typed` hands it in.
    CodeWanted {
        venue: VenueName,
    },
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug)]
pub struct LiveEnd {
    pub strategies: Vec<StrategyStatus>,
    /// Orders still open at the end: their cancels were not confirmed in time.
    pub open_orders: usize,
    pub interrupted: bool,
    /// Every strategy was halted.
    pub halted: bool,
    pub events: u64,
    pub orders: u64,
}

/// How long the end waits for the venue to confirm cancels.
const GOODBYE: Span = Span::from_secs(10);

/// What the lanes of a run are told of the sends before it: more than any of them counts, with the
/// time that an answer may have taken. Each forgets what is too old for it.
const COUNTED: Span = Span::from_secs(300);

/// What left within this time counts against the caps of withdrawals.
const DAY: Span = Span::from_secs(24 * 60 * 60);

/// The epoch of run numbers: 2026-01-01T00:00:00Z.
const RUNS_SINCE: Time = Time::from_millis(1_767_225_600_000);

/// A run under way.
pub struct Live {
    inbox: Inbox,
    links: Links,
    journal: Journal,
    engine: Engine,
    scripts: Scripts,
    _watch: Watch,
    /// Before the state folder, so that its socket is gone before the lock is.
    control: Control,
    started: Time,
    _state: StateDir,
    events: u64,
    end_at: Option<Time>,
    stopping: Option<Time>,
    interrupted: bool,
    next_status: Time,
    status_every: Span,
    /// The code that a login waits for was asked for.
    code_asked: bool,
}

impl Live {
    /// Opens state folder, journal and sockets, and loads the strategies.
    ///
    /// # Errors
    /// When the state folder belongs to another engine, or something cannot be opened.
    pub fn open(spec: LiveSpec, tell: &mut dyn FnMut(Told, &Scripts)) -> anyhow::Result<Live> {
        let state = StateDir::open(&spec.state)?;
        let journal = Journal::open(&state, spec.policy)?;
        let inbox = Inbox::open()?;
        let control = Control::start(state.path(), inbox.lines())?;
        let now = clock::now();
        let mut config = spec.engine;
        config.run = next_run(&journal, now)?;
        config.memory = journal.memory()?;
        config.withdrawals.before = withdrawals(&journal, now.minus(DAY))?;
        let instruments = config.instruments.clone();
        let sent = journal.sends(now.minus(COUNTED))?;
        let start = Start { instruments: &instruments, sent: &sent, now };
        let Built { venues, desks, keys } = venues::build(&spec.venues, &start)?;
        let mut engine = Engine::new(config);
        let places = venues.len();
        for (name, venue) in venues {
            engine.add_venue(VenueName::new(name), venue);
        }
        for (name, desk) in desks {
            engine.add_desk(VenueName::new(name), desk);
        }
        // Watch before loading, so that no save falls in between.
        let watch = Watch::start(&spec.paths, spec.patience, inbox.post())?;
        let (scripts, found) = Scripts::find(&spec.paths)?;
        let mut live = Live {
            links: Links::new(places, keys, &inbox.lines()),
            inbox,
            journal,
            engine,
            scripts,
            _watch: watch,
            control,
            started: now,
            _state: state,
            events: 0,
            end_at: spec.run_for.map(|span| now.plus(span)),
            stopping: None,
            interrupted: false,
            next_status: now.plus(spec.status_every),
            status_every: spec.status_every,
            code_asked: false,
        };
        live.journal_start(now)?;
        for result in found {
            live.take(now, result, tell)?;
        }
        live.input(now, In::Tick, tell)?;
        Ok(live)
    }

    /// An end into the inbox, for signals.
    #[must_use]
    pub fn post(&self) -> crate::edge::inbox::Post {
        self.inbox.post()
    }

    /// Whether any strategy runs.
    #[must_use]
    pub fn has_strategies(&self) -> bool {
        !self.engine.status().is_empty()
    }

    /// Runs until the end.
    ///
    /// # Errors
    /// When the journal cannot be written: then nothing more is sent.
    pub fn run(&mut self, tell: &mut dyn FnMut(Told, &Scripts)) -> anyhow::Result<LiveEnd> {
        while !self.turn(tell)? {}
        Ok(self.end())
    }

    /// One turn. True at the end.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn turn(&mut self, tell: &mut dyn FnMut(Told, &Scripts)) -> anyhow::Result<bool> {
        let deadline = self.deadline();
        match self.inbox.next(Some(deadline)) {
            Next::Input(at, input) => self.take_input(at, input, tell)?,
            Next::Timeout => self.input(clock::now(), In::Tick, tell)?,
        }
        self.ask_code(tell);
        let now = clock::now();
        if now >= self.next_status {
            self.next_status = now.plus(self.status_every);
            self.status(now, tell);
        }
        if self.end_at.is_some_and(|end| now >= end) {
            self.stop(now, tell)?;
        }
        let gone = self.stopping.is_some_and(|since| now >= since.plus(GOODBYE));
        Ok(self.stopping.is_some() && (self.engine.has_stopped() || gone))
    }

    fn take_input(
        &mut self,
        at: Time,
        input: Input,
        tell: &mut dyn FnMut(Told, &Scripts),
    ) -> anyhow::Result<()> {
        match input {
            Input::Socket(news) => {
                if let Some((venue, net)) = self.links.current(news) {
                    self.events += 1;
                    self.input(at, In::Net { venue, net }, tell)?;
                }
            }
            Input::Http { link, response } => {
                if let Ok(venue) = usize::try_from(link) {
                    self.events += 1;
                    self.input(at, In::Net { venue, net: Net::Response(response) }, tell)?;
                }
            }
            Input::Changed { path } => {
                for result in self.scripts.saved(&path) {
                    self.take(clock::now(), result, tell)?;
                }
            }
            Input::Stop => {
                self.interrupted = true;
                self.stop(clock::now(), tell)?;
            }
            Input::Asked(asked) => {
                let (now, started, events) = (clock::now(), self.started, self.events);
                let run = control::Run { now, started, events };
                let answer = control::answer(&self.engine, run, &asked.question);
                self.control.answer(asked.id, answer);
            }
            Input::Typed(code) => {
                // Asked for again, if it is of no use.
                self.code_asked = false;
                self.input(at, In::Operator(Operator::Code(code)), tell)?;
            }
            Input::Served(_) => {}
        }
        Ok(())
    }

    fn deadline(&self) -> Time {
        let ends = self.end_at.filter(|_| self.stopping.is_none());
        let gone = self.stopping.map(|since| since.plus(GOODBYE));
        let wakes = [self.engine.wake_at(), ends, gone, Some(self.next_status)];
        wakes.into_iter().flatten().min().unwrap_or(self.next_status)
    }

    /// Asks for the code that a login waits for, once each time.
    fn ask_code(&mut self, tell: &mut dyn FnMut(Told, &Scripts)) {
        let wanted = self.engine.wants_code().cloned();
        let asked = std::mem::replace(&mut self.code_asked, wanted.is_some());
        if let (Some(venue), false) = (wanted, asked) {
            tell(Told::CodeWanted { venue }, &self.scripts);
        }
    }

    /// A candidate, or why there is none.
    fn take(
        &mut self,
        now: Time,
        result: Result<Candidate, Unreadable>,
        tell: &mut dyn FnMut(Told, &Scripts),
    ) -> anyhow::Result<()> {
        match result {
            Ok(candidate) => self.input(now, In::Code(candidate), tell),
            Err(unreadable) => {
                let name = unreadable.name.clone();
                let running = self.running(&name);
                let fault = unreadable.fault(now);
                let note = Note::Refused { name: name.clone(), fault, running };
                tell(Told::Note { at: now, name, note }, &self.scripts);
                Ok(())
            }
        }
    }

    fn running(&self, name: &str) -> Option<Version> {
        self.engine.status().into_iter().find(|s| s.name == name).map(|status| status.version)
    }

    fn stop(&mut self, now: Time, tell: &mut dyn FnMut(Told, &Scripts)) -> anyhow::Result<()> {
        if self.stopping.is_none() {
            self.stopping = Some(now);
            self.input(now, In::Operator(Operator::Stop), tell)?;
        }
        Ok(())
    }

    /// One input through the engine: records, then bytes, then words.
    fn input(
        &mut self,
        now: Time,
        input: In,
        tell: &mut dyn FnMut(Told, &Scripts),
    ) -> anyhow::Result<()> {
        self.engine.handle(now, input);
        let mut records = Vec::new();
        let mut remembered = Vec::new();
        let mut lanes = Vec::new();
        let mut nets = Vec::new();
        let mut notes = Vec::new();
        while let Some(out) = self.engine.poll(now) {
            match out {
                Out::Record(record) => records.push(record),
                Out::Remembered(change) => remembered.push(change),
                Out::Sent { lane } => lanes.push(lane),
                Out::Net { venue, net } => nets.push((venue, net)),
                Out::Note(note) => notes.push(note),
            }
        }
        let sends: Vec<Send<'_>> = lanes.iter().map(|lane| Send { lane, at: now }).collect();
        self.write(&records, &remembered, &sends)?;
        for (venue, net) in nets {
            self.links.handle(venue, net);
        }
        for note in notes {
            let name = self.owner(&note);
            tell(Told::Note { at: now, name, note }, &self.scripts);
        }
        Ok(())
    }

    fn owner(&self, note: &Note) -> String {
        match note {
            Note::Loaded { strategy, .. }
            | Note::Reloaded { strategy, .. }
            | Note::Fill { strategy, .. }
            | Note::Fault { strategy, .. }
            | Note::Words { strategy, .. }
            | Note::Halt { strategy, .. } => self.engine.name_of(*strategy),
            Note::Order { order } => self.engine.name_of(order.strategy),
            Note::Refused { name, .. } => name.clone(),
            Note::StrangeFill { .. }
            | Note::Feed(_)
            | Note::Venue { .. }
            | Note::Stopped { .. } => String::new(),
        }
    }

    fn write(
        &mut self,
        records: &[Record],
        remembered: &[Remembered],
        sends: &[Send<'_>],
    ) -> anyhow::Result<()> {
        let bodies: Vec<String> = records.iter().map(|record| record.body.json()).collect();
        let rows: Vec<Row<'_>> = records
            .iter()
            .zip(&bodies)
            .map(|(record, body)| Row {
                at: record.at,
                kind: record.kind,
                strategy: &record.name,
                version: record.version.as_ref().map_or("", |version| &version.0),
                body,
            })
            .collect();
        let kept: Vec<Kept<'_>> = remembered
            .iter()
            .map(|change| Kept {
                at: change.at,
                strategy: &change.strategy,
                name: &change.name,
                value: change.value.as_deref(),
            })
            .collect();
        self.journal
            .commit(&rows, &kept, sends)
            .context("the journal cannot be written; nothing more is sent")?;
        Ok(())
    }

    fn journal_start(&mut self, now: Time) -> anyhow::Result<()> {
        let body = Plain::map(vec![
            ("run", Plain::Int(i64::from(self.engine.core().run))),
            ("program", Plain::text(env!("CARGO_PKG_VERSION"))),
        ]);
        let record = Record {
            at: now,
            kind: "run",
            strategy: None,
            name: String::new(),
            version: None,
            body,
        };
        self.write(&[record], &[], &[])
    }

    fn status(&self, at: Time, tell: &mut dyn FnMut(Told, &Scripts)) {
        let strategies = self.engine.status();
        tell(Told::Status { at, strategies, events: self.events }, &self.scripts);
    }

    fn end(&self) -> LiveEnd {
        let strategies = self.engine.status();
        let halted = !strategies.is_empty() && strategies.iter().all(|s| s.halted.is_some());
        LiveEnd {
            open_orders: self.engine.open_orders(),
            interrupted: self.interrupted,
            halted,
            events: self.events,
            orders: self.engine.core().sent,
            strategies,
        }
    }

    /// The engine, for looking at.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

/// A number that no run of this state folder had before, and no other engine of the account has
/// unless it started in the same second: order keys begin with it.
fn next_run(journal: &Journal, now: Time) -> anyhow::Result<u32> {
    let last = journal.meta("order_run")?.and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let seconds = now.since(RUNS_SINCE).nanos() / 1_000_000_000;
    let run = u32::try_from(seconds).unwrap_or(1).max(last + 1);
    journal.set_meta("order_run", &run.to_string())?;
    Ok(run)
}

/// What left since then, or may have, by the journal's own account.
fn withdrawals(journal: &Journal, since: Time) -> anyhow::Result<Vec<(Time, String, Decimal)>> {
    let mut left = Vec::new();
    for row in journal.calls(since)? {
        let body = json::read(&row.body).and_then(|body| withdrawn(&body));
        let found = body
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("row {} of the journal is damaged", row.seq))?;
        left.extend(found.map(|(asset, amount)| (row.at, asset, amount)));
    }
    Ok(left)
}

/// The mode of a run: paper unless it trades real money.
#[must_use]
pub const fn mode(live: bool) -> Mode {
    if live { Mode::Live } else { Mode::Paper }
}

#[cfg(test)]
mod tests;
