//! A simulated venue with its desk, driven by hand.

use super::super::*;
use super::d;
use crate::base::{
    CallAsk, CallId, CallOutcome, Fees, Instrument, InstrumentId, OrderKey, OrderKind, Place,
    Plain, Side, StrategyId, Tif, Trade,
};
use crate::run::table;
use std::collections::BTreeMap;

pub const BTC: InstrumentId = InstrumentId(0);
pub const START: Time = Time::from_millis(1_767_225_600_000);

pub fn key(sequence: u32) -> OrderKey {
    OrderKey::compose(1, StrategyId(0), sequence).unwrap()
}

pub fn text(value: &Plain) -> String {
    super::super::site::text(value)
}

/// The fields of an object of JSON.
pub fn args(json: &str) -> Vec<(&'static str, Plain)> {
    let Plain::Map(pairs) = crate::venue::reply::plain(json).unwrap() else { panic!("{json}") };
    pairs.into_iter().map(|(key, value)| (&*text(&key).leak(), value)).collect()
}

pub fn limit(sequence: u32, side: Side, qty: &str, price: &str) -> Command {
    Command::Place(Place {
        key: key(sequence),
        instrument: BTC,
        side,
        kind: OrderKind::Limit,
        qty: d(qty),
        price: Some(d(price)),
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    })
}

/// What a session would be: it hands on what is pushed.
#[derive(Default)]
struct Wire(Rc<RefCell<VecDeque<Event>>>);

impl Venue for Wire {}

impl Machine for Wire {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, _now: Time, _input: VenueIn) {}

    fn poll(&mut self, _now: Time) -> Option<VenueOut> {
        self.0.borrow_mut().pop_front().map(VenueOut::Event)
    }

    fn wake_at(&self) -> Option<Time> {
        (!self.0.borrow().is_empty()).then_some(Time::ZERO)
    }
}

enum Market {
    Tape { sim: Rc<RefCell<SimVenue>>, desk: Rc<RefCell<Answers>> },
    Wire(Rc<RefCell<VecDeque<Event>>>),
}

pub struct Bench {
    name: &'static str,
    pub venue: Box<dyn Venue>,
    market: Market,
    pub now: Time,
    prints: i64,
    asked: u64,
    pub replies: BTreeMap<CallId, (Time, CallOutcome)>,
    news: Vec<Event>,
}

fn sim(name: &str, symbol: &str, entry: i64, response: i64) -> (SimVenue, Instruments) {
    let fee = d("0.001");
    let (instruments, _) = table::around(&Instrument {
        id: BTC,
        venue: VenueName::new(name),
        symbol: symbol.to_owned(),
        base: "BTC".to_owned(),
        quote: "BRL".to_owned(),
        tick_size: d("0.01"),
        lot_size: d("0.00000001"),
        min_qty: d("0.01"),
        fees: Fees { maker: fee, taker: fee },
    });
    let sim = SimVenue::new(SimConfig {
        exchange: Config {
            instruments: instruments.clone(),
            queue: QueueModel::None,
            first_order_id: 1,
            first_trade_id: 1,
            wait_for_print: false,
        },
        venue: VenueName::new(name),
        balances: vec![("BRL".to_owned(), d("100000")), ("BTC".to_owned(), d("10"))],
        entry: Span::from_millis(entry),
        response: Span::from_millis(response),
    });
    (sim, instruments)
}

impl Bench {
    pub fn flowbtc(entry: i64, response: i64) -> Bench {
        Bench::tape("flowbtc", sim("flowbtc", "BTCBRL", entry, response))
    }

    pub fn mercadobitcoin() -> Bench {
        Bench::tape("mercadobitcoin", sim("mercadobitcoin", "BTCBRL", 0, 0))
    }

    pub fn sentra() -> Bench {
        Bench::tape("sentra", sim("sentra", "NONE", 0, 0))
    }

    fn tape(name: &'static str, (sim, instruments): (SimVenue, Instruments)) -> Bench {
        let sim = Rc::new(RefCell::new(sim));
        let desk = Rc::new(RefCell::new(Answers::new(name, &instruments).unwrap()));
        let venue = Answering::new(Shared(Rc::clone(&sim)), Rc::clone(&desk));
        Bench::over(name, Box::new(venue), Market::Tape { sim, desk })
    }

    pub fn paper() -> Bench {
        let wire = Rc::new(RefCell::new(VecDeque::new()));
        let (sim, instruments) = sim("flowbtc", "BTCBRL", 0, 0);
        let paper = Paper::new(Box::new(Wire(Rc::clone(&wire))), sim);
        Bench::over("flowbtc", over_paper("flowbtc", paper, &instruments), Market::Wire(wire))
    }

    fn over(name: &'static str, venue: Box<dyn Venue>, market: Market) -> Bench {
        let (replies, news) = (BTreeMap::new(), Vec::new());
        Bench { name, venue, market, now: START, prints: 0, asked: 0, replies, news }
    }

    /// A public trade, now.
    pub fn print(&mut self, price: &str, qty: &str) {
        self.prints += 1;
        let event = Event::Trade(Trade {
            time: self.now,
            instrument: BTC,
            price: d(price),
            qty: d(qty),
            side: Some(Side::Sell),
            id: self.prints,
        });
        match &self.market {
            Market::Tape { sim, desk } => {
                sim.borrow_mut().market(&event);
                desk.borrow_mut().show(&mut sim.borrow_mut(), self.now, &event);
            }
            Market::Wire(wire) => wire.borrow_mut().push_back(event),
        }
        self.drain();
    }

    pub fn command(&mut self, command: Command) {
        self.venue.handle(self.now, VenueIn::Command(command));
        self.drain();
    }

    pub fn send(
        &mut self,
        name: &'static str,
        args: Vec<(&'static str, Plain)>,
        order: Option<Command>,
    ) -> CallId {
        self.asked += 1;
        let id = CallId(self.asked);
        let ask = CallAsk { venue: VenueName::new(self.name), name, args };
        self.command(Command::Call(Call { id, ask, order: order.map(Box::new) }));
        id
    }

    fn drain(&mut self) {
        while let Some(out) = self.venue.poll(self.now) {
            match out {
                VenueOut::Event(Event::Reply(reply)) => {
                    let before = self.replies.insert(reply.id, (self.now, reply.outcome.clone()));
                    assert_eq!(before, None, "a call ends once");
                    self.news.push(Event::Reply(reply));
                }
                VenueOut::Event(event) => self.news.push(event),
                VenueOut::Net(_) | VenueOut::Note(_) | VenueOut::Sent { .. } => {}
            }
        }
    }

    /// Lets time pass until nothing is due any more.
    pub fn settle(&mut self) {
        self.drain();
        while let Some(at) = self.venue.wake_at() {
            assert!(at > self.now, "it has said all that it has to say");
            self.now = at;
            self.drain();
        }
    }

    pub fn wait(&mut self, span: Span) {
        self.now = self.now.plus(span);
        self.drain();
    }

    pub fn outcome(&self, id: CallId) -> (Time, &CallOutcome) {
        let (at, outcome) = &self.replies[&id];
        (*at, outcome)
    }

    pub fn ask(&mut self, name: &'static str, args: Vec<(&'static str, Plain)>) -> CallOutcome {
        let id = self.send(name, args, None);
        self.settle();
        self.outcome(id).1.clone()
    }

    pub fn order(&mut self, name: &'static str, command: Command) -> CallOutcome {
        self.order_with(name, Vec::new(), command)
    }

    pub fn order_with(
        &mut self,
        name: &'static str,
        args: Vec<(&'static str, Plain)>,
        command: Command,
    ) -> CallOutcome {
        let id = self.send(name, args, Some(command));
        self.settle();
        self.outcome(id).1.clone()
    }

    /// Order news and fills so far, and replies.
    pub fn take_news(&mut self) -> Vec<Event> {
        let told = |event: &Event| {
            matches!(event, Event::Order(_) | Event::Fill(_) | Event::Balance(_) | Event::Reply(_))
        };
        std::mem::take(&mut self.news).into_iter().filter(told).collect()
    }
}
