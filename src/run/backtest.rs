//! A backtest: a tape, the simulated exchange and the engine, in simulated time.
//!
//! The earliest of tape and engine is the clock. Rows between which nothing of the exchange's, no
//! timer and no message is due go to the strategy in one walk; the walk stops where the strategy
//! acts. At equal times, what is due comes before the row, and the exchange sees a row before the
//! strategy.

use super::answers::{self, Answering, Answers};
use super::assumptions::assumptions;
use super::feed::{Feed, Merged, Wanted};
use super::result::{BacktestResult, FeedSummary};
use super::shared::Shared;
use super::table;
use crate::account::metrics::{Metrics, Recorder};
use crate::base::tape::TradeBlock;
use crate::base::{
    Decimal, Event, Instrument, Instruments, Machine, Span, StrategyId, Time, Venue, VenueName,
    decimal,
};
use crate::desk::{Fault, Mode};
use crate::edge::clock::{self, Stopwatch};
use crate::edge::tape::FeedKind;
use crate::engine::{Engine, EngineConfig, In, Operator, Out};
use crate::exchange::{Config, QueueModel, SimConfig, SimVenue};
use crate::lua::Candidate;
use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

mod notes;

/// What is to be backtested, and under which assumptions.
#[derive(Clone, Debug)]
pub struct Spec {
    pub candidate: Candidate,
    /// Trades, quotes or book changes of one instrument. How many rows a walk has at most
    /// (`block_rows`) does not change the result.
    pub feed: Wanted,
    pub instrument: Instrument,
    pub balances: Vec<(String, Decimal)>,
    pub params: BTreeMap<String, String>,
    /// From the market to the strategy.
    pub feed_latency: Span,
    /// From the strategy to the exchange, and back.
    pub entry_latency: Span,
    pub response_latency: Span,
    pub queue: QueueModel,
    pub seed: u64,
    pub limits: crate::risk::Limits,
    pub lua: crate::lua::Limits,
}

/// Rows in one walk; more does not make it faster.
pub const BLOCK_ROWS: usize = 4_096;

/// The limits of a VM in a backtest: generous in time, so that a slow machine gives the same
/// result.
#[must_use]
pub fn patient() -> crate::lua::Limits {
    crate::lua::Limits {
        handler: Duration::from_secs(1),
        load: Duration::from_secs(10),
        ..crate::lua::Limits::default()
    }
}

/// Runs a strategy over a recorded feed.
///
/// # Errors
/// When a feed cannot be read or the script is refused; a script that fails later gives a result
/// that says so.
pub fn backtest(spec: &Spec, progress: &mut dyn FnMut(f64)) -> anyhow::Result<BacktestResult> {
    let kinds = spec.feed.kinds()?;
    let run = Run::open(spec, &kinds);
    if kinds.iter().all(|kind| *kind == FeedKind::Trades) {
        by_blocks(run, progress)
    } else {
        by_events(run, progress)
    }
}

/// Trades alone: in blocks, fast.
fn by_blocks(mut run: Run<'_>, progress: &mut dyn FnMut(f64)) -> anyhow::Result<BacktestResult> {
    let wall = Stopwatch::start();
    let mut feed = Feed::open(&run.spec.feed, run.instrument.id);
    // Two blocks in turn: the engine still holds the one before while the next is read.
    let mut block = Rc::new(TradeBlock::default());
    let mut other = Rc::new(TradeBlock::default());
    let mut engine = Duration::ZERO;
    while feed.next_block(&mut block)? {
        progress(feed.progress());
        let started = clock::now();
        run.block(&block);
        std::mem::swap(&mut block, &mut other);
        engine += clock::duration(clock::now().since(started));
        if run.fault.is_some() {
            break;
        }
    }
    run.finish(feed.summary, &wall, engine)
}

/// Several kinds of events: one by one, in the order of their times.
fn by_events(mut run: Run<'_>, progress: &mut dyn FnMut(f64)) -> anyhow::Result<BacktestResult> {
    let wall = Stopwatch::start();
    let mut feed = Merged::open(&run.spec.feed, run.instrument.id)?;
    let mut engine = Duration::ZERO;
    // Read in small batches, so that looking at the clock costs nothing.
    let mut batch = Vec::new();
    while run.fault.is_none() && feed.next_batch(&mut batch)? > 0 {
        let started = clock::now();
        for (time, event) in &batch {
            run.event(*time, event);
            if run.fault.is_some() {
                break;
            }
        }
        engine += clock::duration(clock::now().since(started));
    }
    progress(1.0);
    run.finish(feed.summary, &wall, engine)
}

/// A backtest under way.
struct Run<'a> {
    spec: &'a Spec,
    /// The feed shows quotes or a book.
    shown: bool,
    engine: Engine,
    sim: Rc<RefCell<SimVenue>>,
    /// Answers the raw calls of the instrument's venue, where the script makes any.
    desk: Option<Rc<RefCell<Answers>>>,
    instrument: Instrument,
    recorder: Option<Recorder>,
    equity_start: Decimal,
    digest: Sha256,
    /// What the digest takes next.
    line: Vec<u8>,
    fills: u64,
    canceled: u64,
    rejected: u64,
    expired: u64,
    refusals: BTreeMap<String, u64>,
    fault: Option<Fault>,
    halted: Option<String>,
    /// Position and all the rest of the equity since the last fill.
    held: (f64, f64),
    now: Time,
    last: Decimal,
}

/// The instrument's venue, and those whose calls the script makes. The desk of the first, where
/// the script calls it.
fn add_venues(
    engine: &mut Engine,
    spec: &Spec,
    instruments: &Instruments,
    sim: &Rc<RefCell<SimVenue>>,
) -> Option<Rc<RefCell<Answers>>> {
    let name = spec.instrument.venue.clone();
    let called = spec.candidate.venues_called();
    let own = called.iter().find(|venue| **venue == &*name.0);
    let desk = own.and_then(|venue| Answers::new(venue, instruments));
    let desk = desk.map(|desk| Rc::new(RefCell::new(desk)));
    let shared = Shared(Rc::clone(sim));
    let first: Box<dyn Venue> = match &desk {
        Some(desk) => Box::new(Answering::new(shared, Rc::clone(desk))),
        None => Box::new(shared),
    };
    engine.add_venue(name.clone(), first);
    let (entry, response) = latencies(spec);
    for other in called.into_iter().filter(|venue| *venue != &*name.0) {
        if let Some(venue) = answers::alone(other, entry, response) {
            engine.add_desk(VenueName::new(other), venue);
        }
    }
    desk
}

/// From the engine to the exchange and back. The strategy's clock is that of the events it sees:
/// what the feed is late by, its orders are late by too, and the answers are that much less late.
fn latencies(spec: &Spec) -> (Span, Span) {
    let response = spec.response_latency.minus(spec.feed_latency).max(Span::ZERO);
    (spec.entry_latency.plus(spec.feed_latency), response)
}

const WHO: StrategyId = StrategyId(0);

impl<'a> Run<'a> {
    fn open(spec: &'a Spec, kinds: &[FeedKind]) -> Run<'a> {
        let (instruments, id) = table::around(&spec.instrument);
        let instrument = Instrument { id, ..spec.instrument.clone() };
        let mut config = EngineConfig::new(Mode::Backtest, 1, instruments.clone());
        config.seed = spec.seed;
        config.recording = false;
        config.limits = spec.limits.clone();
        config.lua = spec.lua;
        config.default_instrument = Some(instrument.name());
        config.params = BTreeMap::from([(spec.candidate.name.clone(), spec.params.clone())]);
        let mut engine = Engine::new(config);
        let (entry, response) = latencies(spec);
        let sim = SimVenue::new(SimConfig {
            exchange: Config {
                instruments: instruments.clone(),
                queue: spec.queue,
                first_order_id: 1,
                first_trade_id: 1,
                wait_for_print: false,
            },
            venue: instrument.venue.clone(),
            balances: spec.balances.clone(),
            entry,
            response,
        });
        let sim = Rc::new(RefCell::new(sim));
        let desk = add_venues(&mut engine, spec, &instruments, &sim);
        Run {
            spec,
            shown: kinds.iter().any(|kind| *kind != FeedKind::Trades),
            engine,
            sim,
            desk,
            instrument,
            recorder: None,
            equity_start: Decimal::ZERO,
            digest: Sha256::new(),
            line: Vec::new(),
            fills: 0,
            canceled: 0,
            rejected: 0,
            expired: 0,
            refusals: BTreeMap::new(),
            fault: None,
            halted: None,
            held: (0.0, 0.0),
            now: Time::ZERO,
            last: Decimal::ZERO,
        }
    }

    /// The first price is there: the account is valued and the strategy loaded.
    fn begin(&mut self, now: Time, price: Decimal) {
        self.now = now;
        self.last = price;
        self.equity_start = self
            .spec
            .balances
            .iter()
            .map(|(asset, total)| match asset {
                asset if *asset == self.instrument.quote => *total,
                asset if *asset == self.instrument.base => *total * price,
                _ => Decimal::ZERO,
            })
            .sum();
        let equity = decimal::to_f64(self.equity_start);
        self.recorder = Some(Recorder::start(now, equity));
        self.held = (0.0, equity);
        self.sim.borrow_mut().open(now);
        self.engine.handle(now, In::Tick);
        self.engine.handle(now, In::Code(self.spec.candidate.clone()));
        self.hear();
    }

    fn block(&mut self, block: &Rc<TradeBlock>) {
        if let (true, Some(first)) = (self.recorder.is_none(), block.trade(0)) {
            self.begin(first.time, first.price);
        }
        self.engine.load_block(Rc::clone(block));
        let mut at = 0;
        while let Some(time) = block.times.get(at).copied() {
            if self.fault.is_some() {
                return;
            }
            let due = self.engine.wake_at();
            if let Some(due) = due.filter(|due| *due <= time) {
                self.tick(due.max(self.now));
                continue;
            }
            let until = self.sim.borrow().quiet_until(block, at);
            let rest = block.times.get(at..until).unwrap_or_default();
            let until = due.map_or(until, |due| at + rest.partition_point(|at| *at < due));
            at = if until > at { self.walk(block, at, until) } else { self.step(block, at, time) };
        }
    }

    /// One public event: what is due first, then the exchange, then the strategy.
    fn event(&mut self, time: Time, event: &Event) {
        let price = super::source::price_of(event);
        if self.recorder.is_none() {
            let Some(price) = price else {
                self.sim.borrow_mut().market(event);
                return self.show(time, event);
            };
            self.begin(time, price);
        }
        while let Some(due) = self.engine.wake_at().filter(|due| *due <= time) {
            self.tick(due.max(self.now));
        }
        self.sim.borrow_mut().market(event);
        self.show(time, event);
        self.tick(time);
        self.engine.public(time, event);
        if let Some(price) = price {
            self.last = price;
            let (position, rest) = self.held;
            if let Some(recorder) = &mut self.recorder {
                recorder.mark(time, position.mul_add(decimal::to_f64(price), rest));
            }
        }
        self.tick(time);
    }

    /// Rows between which nothing but the strategy can act.
    fn walk(&mut self, block: &TradeBlock, from: usize, to: usize) -> usize {
        let next = self.engine.rows(from, to);
        self.sim.borrow_mut().absorb(block, from, next);
        self.show_rows(block, from, next);
        self.count_rows(block, from, next);
        let time = next.checked_sub(1).and_then(|last| block.times.get(last)).copied();
        self.tick(time.unwrap_or(self.now));
        next
    }

    /// One row that touches the exchange.
    fn step(&mut self, block: &TradeBlock, at: usize, time: Time) -> usize {
        if let Some(trade) = block.trade(at) {
            self.sim.borrow_mut().market(&Event::Trade(trade));
        }
        self.show_rows(block, at, at + 1);
        self.tick(time);
        self.engine.rows(at, at + 1);
        self.count_rows(block, at, at + 1);
        self.tick(time);
        at + 1
    }

    /// What the exchange has seen, for the venue's own view of its market.
    fn show(&mut self, now: Time, event: &Event) {
        if let Some(desk) = &self.desk {
            desk.borrow_mut().show(&mut self.sim.borrow_mut(), now, event);
        }
    }

    fn show_rows(&mut self, block: &TradeBlock, from: usize, to: usize) {
        if self.desk.is_some() {
            for trade in (from..to).filter_map(|at| block.trade(at)) {
                self.show(trade.time, &Event::Trade(trade));
            }
        }
    }

    fn count_rows(&mut self, block: &TradeBlock, from: usize, to: usize) {
        let (position, rest) = self.held;
        if let (Some(recorder), Some(times), Some(prices)) =
            (&mut self.recorder, block.times.get(from..to), block.prices.get(from..to))
        {
            recorder.rows(times, prices, block.price_scale, position, rest);
        }
        if let Some(price) = to.checked_sub(1).and_then(|last| block.prices.get(last)) {
            self.last = Decimal::new(*price, block.price_scale);
        }
    }

    fn tick(&mut self, now: Time) {
        self.now = now;
        self.engine.handle(now, In::Tick);
        self.hear();
    }

    /// Takes what the engine says.
    fn hear(&mut self) {
        while let Some(out) = self.engine.poll(self.now) {
            match out {
                Out::Note(note) => self.note(note),
                Out::Record(_) | Out::Remembered(_) | Out::Net { .. } | Out::Sent { .. } => {}
            }
        }
    }

    fn finish(
        mut self,
        feed: FeedSummary,
        wall: &Stopwatch,
        engine: Duration,
    ) -> anyhow::Result<BacktestResult> {
        if self.recorder.is_none() {
            bail!("the feed has no row between --from and --to");
        }
        if !self.engine.runs(&self.spec.candidate.name) {
            let fault =
                self.fault.take().context("the script was not loaded, and nothing says why")?;
            return Err(Refused { fault, sources: self.spec.candidate.clone() }.into());
        }
        // Answers on their way still arrive; no further trade does.
        let end = self.now.plus(self.spec.response_latency).plus(self.spec.entry_latency);
        loop {
            let due = self.sim.borrow().wake_at().filter(|due| *due <= end);
            let Some(due) = due else { break };
            self.tick(due.max(self.now));
        }
        self.engine.handle(self.now, In::Operator(Operator::Stop));
        let stopping = std::mem::take(&mut self.canceled);
        self.hear();
        self.canceled = stopping;
        let core = self.engine.core();
        let position = core.ledger.position(WHO, self.instrument.id).clone();
        let orders = core.sent;
        drop(core);
        let net_pnl = position.net(self.last);
        let equity_end = self.equity_start + net_pnl;
        let mut recorder = self.recorder.take().context("nothing was recorded")?;
        let metrics: Metrics = recorder.finish(self.now, decimal::to_f64(equity_end));
        let engine_s = engine.as_secs_f64();
        let digest: String =
            self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(BacktestResult {
            strategy: self.spec.candidate.name.clone(),
            version: self.spec.candidate.version.to_string(),
            seed: self.spec.seed,
            instrument: self.instrument.name(),
            orders,
            fills: self.fills,
            canceled: self.canceled,
            rejected: self.rejected,
            expired: self.expired,
            position: position.qty,
            fees: position.fees,
            realized: position.realized(),
            unrealized: position.unrealized(self.last),
            net_pnl,
            equity_start: self.equity_start,
            equity_end,
            metrics,
            assumptions: assumptions(self.spec, self.shown),
            digest,
            wall_s: wall.wall().seconds(),
            engine_s,
            #[allow(clippy::cast_precision_loss)]
            events_per_s: if engine_s > 0.0 { feed.events as f64 / engine_s } else { 0.0 },
            #[allow(clippy::cast_precision_loss)]
            peak_rss_mb: clock::peak_rss().map(|bytes| (bytes / 100_000) as f64 / 10.0),
            fault: self.fault,
            halted: self.halted,
            refusals: self.refusals.into_iter().collect(),
            feed,
        })
    }
}

/// A script that did not even load.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct Refused {
    pub fault: Fault,
    pub sources: Candidate,
}
