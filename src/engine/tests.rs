//! The engine with real scripts on a venue that only does what a test tells it, in virtual time.
//! `Rig` holds the engine, the clock and everything that came out, as short lines.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test picks the news it is about")]

mod calls;
mod determinism;
mod ends;
mod faults;
mod filters;
mod memory;
mod orders;
mod records;
mod reload;
mod timers;

use super::{Engine, EngineConfig, In, Note, Operator, Out, Record};
use crate::account::Order;
use crate::base::{
    BookChange, BookSide, Channel, Command, Decimal, Event, FeedNews, FeedState, Fees, Fill,
    Instrument, InstrumentId, Instruments, Level, Liquidity, Machine, Net, OrderKey, OrderNews,
    OrderStep, Plain, Quote, Side, Span, StrategyId, Time, Trade, VenueIn, VenueName, VenueOrderId,
    VenueOut, decimal,
};
use crate::desk::{Mode, Words};
use crate::lua::graph;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

const RUN: u32 = 7;
const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);
/// The strategies in the order in which they were loaded.
const FIRST: u8 = 0;
const SECOND: u8 = 1;

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

/// The key of a strategy's order, by how many it asked for.
fn key(strategy: u8, sequence: u32) -> OrderKey {
    OrderKey::compose(RUN, StrategyId(strategy), sequence).unwrap()
}

fn instrument(symbol: &str, base: &str) -> Instrument {
    Instrument {
        id: BTC,
        venue: VenueName::new("flowbtc"),
        symbol: symbol.to_owned(),
        base: base.to_owned(),
        quote: "BRL".to_owned(),
        tick_size: d("0.5"),
        lot_size: d("0.001"),
        min_qty: d("0.001"),
        fees: Fees { maker: d("0.001"), taker: d("0.002") },
    }
}

/// Limits that a busy machine does not reach by itself.
fn config() -> EngineConfig {
    let mut instruments = Instruments::default();
    instruments.add(instrument("BTCBRL", "BTC"));
    instruments.add(instrument("ETHBRL", "ETH"));
    let mut config = EngineConfig::new(Mode::Paper, RUN, instruments);
    config.default_instrument = Some("flowbtc:BTCBRL".to_owned());
    config.lua.handler = Duration::from_secs(2);
    config.lua.load = Duration::from_secs(10);
    config
}

/// A venue that does nothing by itself: commands become frames, and events leave when a frame comes
/// in.
#[derive(Default)]
struct Double {
    commands: Vec<Command>,
    incoming: VecDeque<Event>,
    out: VecDeque<VenueOut>,
}

struct Handle(Rc<RefCell<Double>>);

impl crate::base::Venue for Handle {}

impl Machine for Handle {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, _now: Time, input: VenueIn) {
        let mut double = self.0.borrow_mut();
        match input {
            VenueIn::Command(command) => {
                let text = command_line(&command);
                double.commands.push(command);
                double.out.push_back(VenueOut::Net(Net::Frame { conn: 0, text }));
            }
            VenueIn::Net(_) => {
                let incoming = std::mem::take(&mut double.incoming);
                double.out.extend(incoming.into_iter().map(VenueOut::Event));
            }
        }
    }

    fn poll(&mut self, _now: Time) -> Option<VenueOut> {
        self.0.borrow_mut().out.pop_front()
    }

    fn wake_at(&self) -> Option<Time> {
        None
    }
}

struct Rig {
    engine: Engine,
    venue: Rc<RefCell<Double>>,
    now: Time,
    outs: Vec<Out>,
    trades: i64,
}

impl Rig {
    /// An engine whose venue's session is not live yet.
    fn cold(config: EngineConfig) -> Rig {
        let mut engine = Engine::new(config);
        let venue = Rc::new(RefCell::new(Double::default()));
        engine.add_venue(VenueName::new("flowbtc"), Box::new(Handle(Rc::clone(&venue))));
        Rig { engine, venue, now: Time::from_millis(60_000_000), outs: Vec::new(), trades: 0 }
    }

    fn with(config: EngineConfig) -> Rig {
        let mut rig = Rig::cold(config);
        rig.session(FeedState::Live);
        rig
    }

    /// An engine on a live venue with one strategy of this text.
    fn of(script: &str) -> Rig {
        let mut rig = Rig::with(config());
        rig.load("s", script);
        assert!(rig.engine.runs("s"), "{:#?}", rig.lines());
        rig.clear();
        rig
    }

    fn input(&mut self, input: In) {
        self.engine.handle(self.now, input);
        while let Some(out) = self.engine.poll(self.now) {
            self.outs.push(out);
        }
    }

    fn load(&mut self, name: &str, text: &str) {
        let candidate = graph::single(&format!("{name}.luau"), text).unwrap();
        self.input(In::Code(candidate));
    }

    fn events(&mut self, events: Vec<Event>) {
        self.venue.borrow_mut().incoming.extend(events);
        let net = Net::Frame { conn: 0, text: String::new() };
        self.input(In::Net { venue: 0, net });
    }

    fn event(&mut self, event: Event) {
        self.events(vec![event]);
    }

    fn session(&mut self, state: FeedState) {
        let venue = VenueName::new("flowbtc");
        let (channel, time) = (Channel::Session, self.now);
        let reason = String::new();
        self.event(Event::Feed(FeedNews { venue, channel, state, reason, time }));
    }

    fn trade(&mut self, price: &str, qty: &str) {
        let trade = self.next_trade(BTC, price, qty);
        self.event(trade);
    }

    fn next_trade(&mut self, instrument: InstrumentId, price: &str, qty: &str) -> Event {
        self.trades += 1;
        let (time, id) = (self.now, self.trades);
        let (price, qty) = (d(price), d(qty));
        Event::Trade(Trade { time, instrument, price, qty, side: Some(Side::Buy), id })
    }

    fn quote(&mut self, bid: &str, ask: &str) {
        let quote = Quote {
            time: self.now,
            instrument: BTC,
            bid: d(bid),
            bid_qty: d("1"),
            ask: d(ask),
            ask_qty: d("2"),
            last: d("0"),
        };
        self.event(Event::Quote(quote));
    }

    fn book(&mut self, snapshot: bool, levels: &[(BookSide, &str, &str)]) {
        let level = |(side, price, qty): &(BookSide, &str, &str)| Level {
            side: *side,
            price: d(price),
            qty: d(qty),
        };
        let levels = levels.iter().map(level).collect();
        let (time, instrument) = (self.now, BTC);
        self.event(Event::Book(BookChange { time, instrument, snapshot, levels }));
    }

    /// News of the order that a strategy asked for as its nth.
    fn step(&mut self, strategy: u8, sequence: u32, step: OrderStep) {
        let news = OrderNews { key: key(strategy, sequence), time: self.now, step };
        self.event(Event::Order(news));
    }

    fn accepted(&mut self, sequence: u32) {
        let venue_id = venue_id(sequence);
        self.step(FIRST, sequence, OrderStep::Accepted { venue_id });
    }

    fn working(&mut self, sequence: u32) {
        let venue_id = venue_id(sequence);
        self.step(FIRST, sequence, OrderStep::Working { venue_id });
    }

    fn canceled(&mut self, sequence: u32, filled: &str) {
        let step = OrderStep::Canceled { filled: d(filled), reason: "asked".to_owned() };
        self.step(FIRST, sequence, step);
    }

    fn fill(&mut self, sequence: u32, trade_id: i64, price: &str, qty: &str) {
        let fill = self.fill_of(FIRST, sequence, trade_id, price, qty);
        self.event(fill);
    }

    /// A fill of an order that is known; its fee is 0.1 % of its value.
    fn fill_of(&self, who: u8, sequence: u32, trade_id: i64, price: &str, qty: &str) -> Event {
        let key = key(who, sequence);
        let core = self.engine.core();
        let order = core.orders.get(key).unwrap();
        Event::Fill(Fill {
            order: key,
            instrument: order.instrument,
            side: order.side,
            price: d(price),
            qty: d(qty),
            fee: d("0.001") * d(price) * d(qty),
            fee_asset: "BRL".to_owned(),
            fee_estimated: false,
            liquidity: Liquidity::Taker,
            trade_id,
            time: self.now,
        })
    }

    /// Lets time pass, waking the engine whenever it wants.
    fn wait(&mut self, span: Span) {
        let until = self.now.plus(span);
        for _ in 0..100_000 {
            match self.engine.wake_at().filter(|wake| *wake <= until) {
                Some(wake) => self.now = self.now.max(wake),
                None => break,
            }
            self.input(In::Tick);
        }
        self.now = until;
        self.input(In::Tick);
    }

    fn ms(&mut self, millis: i64) {
        self.wait(Span::from_millis(millis));
    }

    fn stop(&mut self) {
        self.input(In::Operator(Operator::Stop));
    }

    fn clear(&mut self) {
        self.outs.clear();
        self.venue.borrow_mut().commands.clear();
    }

    fn order(&self, sequence: u32) -> Order {
        self.engine.core().orders.get(key(FIRST, sequence)).unwrap().clone()
    }

    fn position(&self, strategy: u8) -> Decimal {
        self.engine.core().ledger.position(StrategyId(strategy), BTC).qty
    }

    /// What strategies wrote to the log since the last call, `name: message`.
    fn said(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        for out in &self.outs {
            if let Out::Note(Note::Words { strategy, words: Words::Log { message, .. }, .. }) = out
            {
                said.push(format!("{}: {message}", self.engine.name_of(*strategy)));
            }
        }
        self.outs.clear();
        said
    }

    /// What one strategy wrote to the log so far.
    fn said_by(&self, name: &str) -> Vec<String> {
        let words = self.outs.iter().filter_map(|out| match out {
            Out::Note(Note::Words { strategy, words: Words::Log { message, .. }, .. }) => {
                Some((self.engine.name_of(*strategy), message.clone()))
            }
            _ => None,
        });
        words.filter(|(owner, _)| owner == name).map(|(_, message)| message).collect()
    }

    fn commands(&self) -> Vec<String> {
        let keep = |command: &&Command| !matches!(command, Command::Subscribe { .. });
        self.venue.borrow().commands.iter().filter(keep).map(command_line).collect()
    }

    fn records(&self) -> Vec<String> {
        let records = self.outs.iter().filter_map(|out| match out {
            Out::Record(record) => Some(record_line(record)),
            _ => None,
        });
        records.collect()
    }

    fn notes(&self) -> Vec<String> {
        let notes = self.outs.iter().filter_map(|out| match out {
            Out::Note(note) => Some(note_line(note)),
            _ => None,
        });
        notes.collect()
    }

    /// Everything that came out, in its order.
    fn lines(&self) -> Vec<String> {
        self.outs.iter().map(out_line).collect()
    }
}

fn venue_id(sequence: u32) -> VenueOrderId {
    VenueOrderId(9_222_816_249_026_513_000 + i64::from(sequence))
}

fn out_line(out: &Out) -> String {
    match out {
        Out::Record(record) => format!("record {}", record_line(record)),
        Out::Net { net: Net::Frame { text, .. }, .. } => format!("net {text}"),
        Out::Net { net, .. } => format!("net {net:?}"),
        Out::Remembered(kept) => {
            let value = kept.value.as_deref().unwrap_or("nothing");
            format!("remember {} {} = {value}", kept.strategy, kept.name)
        }
        Out::Sent { lane } => format!("sent {lane}"),
        Out::Note(note) => format!("note {}", note_line(note)),
    }
}

/// `s1.2`: the second order of the strategy 1.
fn name(key: OrderKey) -> String {
    format!("{}.{}", key.strategy().0, key.sequence())
}

fn command_line(command: &Command) -> String {
    let at = |price: &Option<Decimal>| match price {
        Some(price) => format!(" @ {}", price.normalize()),
        None => String::new(),
    };
    match command {
        Command::Place(place) => {
            let (side, qty) = (place.side.word(), place.qty.normalize());
            format!("place {} {side} {qty}{}", name(place.key), at(&place.price))
        }
        Command::Cancel { key, .. } => format!("cancel {}", name(*key)),
        Command::Replace { key, alias, price, qty, .. } => {
            format!("replace {} as {}: {}{}", name(*key), name(*alias), qty.normalize(), at(price))
        }
        Command::CancelAll { instrument } => format!("cancel all {instrument:?}"),
        Command::Reduce { key, qty, .. } => format!("reduce {} to {}", name(*key), qty.normalize()),
        Command::Call(call) => {
            let order = call.order.as_deref().map(command_line).unwrap_or_default();
            format!("call {} {} {order}", call.ask.venue, call.ask.name)
        }
        Command::Subscribe { instrument, channel, depth, .. } => {
            let depth = depth.map(|depth| format!(" depth {depth}")).unwrap_or_default();
            format!("subscribe {} {}{depth}", channel.word(), instrument.0)
        }
    }
}

fn record_line(record: &Record) -> String {
    let text = |key: &str| match record.body.get(key) {
        Some(Plain::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let order = text("order").parse::<i64>().ok().and_then(OrderKey::from_wire).map(name);
    let words = [record.kind.to_owned(), order.unwrap_or_default(), text("state"), text("reason")];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn note_line(note: &Note) -> String {
    match note {
        Note::Loaded { strategy, .. } => format!("loaded {}", strategy.0),
        Note::Reloaded { strategy, .. } => format!("reloaded {}", strategy.0),
        Note::Refused { name, fault, running } => {
            let running = if running.is_some() { "the old one runs" } else { "nothing runs" };
            format!("refused {name} {fault}; {running}")
        }
        Note::Order { order } => {
            let (key, state) = (name(order.key), order.state.word());
            format!("order {key} {state} {}", order.reason).trim_end().to_owned()
        }
        Note::Fill { fill, .. } => {
            let (qty, price) = (fill.qty.normalize(), fill.price.normalize());
            format!("fill {} {qty} @ {price}", name(fill.order))
        }
        Note::StrangeFill { fill } => format!("strange fill {}", fill.trade_id),
        Note::Fault { strategy, fault, .. } => format!("fault {} {:?}", strategy.0, fault.kind),
        Note::Words { words: Words::Log { message, .. }, .. } => format!("log {message}"),
        Note::Words { words, .. } => format!("{words:?}"),
        Note::Halt { strategy, reason } => format!("halt {} {reason}", strategy.0),
        Note::Feed(feed) => format!("feed {} {}", feed.channel.word(), feed.state.word()),
        Note::Venue { text, .. } => format!("venue {text}"),
        Note::Stopped { open } => format!("stopped {open}"),
    }
}
