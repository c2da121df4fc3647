//! Mercado Bitcoin's session against the server half of its own venue, in virtual time and without
//! a socket: delays, losses and whatever else is drawn from a seed between them.

mod budget;
mod calls;
mod engine;
mod faults;
mod wires;

use lunario::base::rng::Rng;
use lunario::base::{
    CallAsk, CallId, CallOutcome, Command, Decimal, Event, Fees, Fill, Instrument, InstrumentId,
    Instruments, Machine, Net, OrderKey, OrderKind, OrderStep, Place, Plain, Secret, Side, Span,
    Tif, Time, Trade, VenueIn, VenueName, VenueOut, decimal,
};
use lunario::exchange::{AccountNumber, Config as ExchangeConfig, QueueModel};
use lunario::simulator::faults::What;
use lunario::simulator::mercadobitcoin::{self as simulator, Config, Key, MbServer, Texts, User};
use lunario::venue::mercadobitcoin::{Session, SessionConfig, UserLane};
use lunario::venue::pace::Pace;
use std::collections::BTreeMap;
use wires::Wires;

const SECRET: &str = "segredo-de-teste";
const ADDRESS: &str = "1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww";
const BTC: InstrumentId = InstrumentId(0);
const ACCOUNT: AccountNumber = AccountNumber(1);

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn ms(millis: i64) -> Span {
    Span::from_millis(millis)
}

fn secs(secs: i64) -> Span {
    Span::from_secs(secs)
}

fn start() -> Time {
    Time::from_millis(1_790_000_000_000)
}

fn instruments() -> Instruments {
    let mut rows = Instruments::default();
    rows.add(Instrument {
        id: BTC,
        venue: VenueName::new("mercadobitcoin"),
        symbol: "BTCBRL".to_owned(),
        base: "BTC".to_owned(),
        quote: "BRL".to_owned(),
        tick_size: d("0.00001"),
        lot_size: d("0.00000001"),
        min_qty: d("0.01"),
        fees: Fees { maker: d("0.003"), taker: d("0.007") },
    });
    rows
}

/// One user with two keys (MB-F17).
fn server(skew: Span) -> MbServer {
    let key = |id: &str| Key { id: id.to_owned(), secret: Secret::new(SECRET) };
    MbServer::new(Config {
        users: vec![User {
            account: ACCOUNT,
            keys: vec![key("ana"), key("ana-2")],
            balances: vec![("BRL".to_owned(), d("1000000")), ("BTC".to_owned(), d("1000"))],
            trusted: vec![ADDRESS.to_owned()],
        }],
        exchange: ExchangeConfig {
            instruments: simulator::instruments(Fees { maker: d("0.003"), taker: d("0.007") }),
            queue: QueueModel::None,
            first_order_id: 27_176,
            first_trade_id: 441,
            wait_for_print: false,
        },
        tonce_window: None,
        skew,
        texts: Texts::default(),
        faults: Vec::new(),
    })
}

fn config(key: &str, user: &UserLane) -> SessionConfig {
    let mut config = SessionConfig::new(Secret::new(key), Secret::new(SECRET), 0, instruments());
    config.user = user.clone();
    config
}

/// The contract's 60 requests a minute, 10 of them kept for cancels.
fn user() -> UserLane {
    UserLane::new(Pace { limit: 60, reserve: 10, span: secs(60) })
}

/// Sessions of one user, the venue, and what came out of them.
struct Rig {
    now: Time,
    sessions: Vec<Session>,
    wires: Wires,
    keys: i64,
    calls: u64,
    /// By order: what was asked, and its steps.
    places: BTreeMap<OrderKey, Place>,
    steps: BTreeMap<OrderKey, Vec<OrderStep>>,
    fills: Vec<Fill>,
    replies: BTreeMap<CallId, Vec<CallOutcome>>,
    notes: Vec<String>,
    lanes: Vec<String>,
    /// What each session sent, when.
    sent: Vec<(usize, Time, String)>,
    /// Cancels that were asked for and have not left: by session, since when, and when something
    /// else left that it could have gone before.
    cancels: BTreeMap<OrderKey, (usize, Time, Option<Time>)>,
    waited: Vec<Span>,
    owners: BTreeMap<OrderKey, usize>,
    /// Whether the order in which requests leave is judged: where no answer is ever lost.
    judged: bool,
}

impl Rig {
    fn new(seed: u64, sessions: Vec<Session>) -> Rig {
        Rig {
            now: start(),
            sessions,
            wires: Wires::new(seed, server(secs(3))),
            keys: 0,
            calls: 0,
            places: BTreeMap::new(),
            steps: BTreeMap::new(),
            fills: Vec::new(),
            replies: BTreeMap::new(),
            notes: Vec::new(),
            lanes: Vec::new(),
            sent: Vec::new(),
            cancels: BTreeMap::new(),
            waited: Vec::new(),
            owners: BTreeMap::new(),
            judged: false,
        }
    }

    fn one(seed: u64) -> Rig {
        Rig::new(seed, vec![Session::new(config("ana", &user()))])
    }

    fn ready(seed: u64) -> Rig {
        let mut rig = Rig::one(seed);
        rig.wait(secs(5));
        assert!(rig.sessions[0].is_ready(), "{:?}", rig.notes);
        rig
    }

    fn command(&mut self, session: usize, command: Command) {
        self.sessions[session].handle(self.now, VenueIn::Command(command));
        self.drain();
    }

    fn drain(&mut self) {
        let mut moved = true;
        while moved {
            moved = false;
            for at in 0..self.sessions.len() {
                while let Some(out) = self.sessions[at].poll(self.now) {
                    moved = true;
                    self.take(at, out);
                }
            }
        }
    }

    fn take(&mut self, session: usize, out: VenueOut) {
        match out {
            VenueOut::Net(Net::Request(request)) => {
                let name = wires::name(&request);
                let body = request.body.text().into_owned();
                self.left(session, &name, &body);
                self.wires.ask(self.now, session, request);
            }
            VenueOut::Net(net) => panic!("{net:?}"),
            VenueOut::Sent { lane } => self.lanes.push(lane),
            VenueOut::Note(note) => self.notes.push(note),
            VenueOut::Event(Event::Order(news)) => {
                self.steps.entry(news.key).or_default().push(news.step);
            }
            VenueOut::Event(Event::Fill(fill)) => self.fills.push(fill),
            VenueOut::Event(Event::Reply(reply)) => {
                self.replies.entry(reply.id).or_default().push(reply.outcome);
            }
            VenueOut::Event(_) => {}
        }
    }

    /// A request leaves. No other may while a cancel waits that could go in its place, unless
    /// there is room for both at that moment.
    fn left(&mut self, session: usize, name: &str, body: &str) {
        if name == "CancelOrder" {
            let waiting = self.cancels.iter().find(|(key, _)| {
                self.venue_id(**key).is_some_and(|id| body.contains(&format!("order_id={id}")))
            });
            if let Some(key) = waiting.map(|(key, _)| *key) {
                let (_, since, passed) = self.cancels.remove(&key).unwrap();
                let kept = passed.is_none_or(|at| at == self.now);
                assert!(kept || !self.judged, "a cancel of {session} was passed at {passed:?}");
                self.waited.push(self.now.since(since));
            }
        } else if self.wires.is_tapi(name) {
            for (other, since, passed) in self.cancels.values_mut() {
                let last = self.sent.iter().rev().find(|(at, _, _)| at == other);
                let free = last.is_none_or(|(_, at, _)| self.now.since(*at) >= secs(1));
                if free && !self.wires.is_flying(*other) && *since < self.now {
                    passed.get_or_insert(self.now);
                }
            }
        }
        self.sent.push((session, self.now, name.to_owned()));
    }

    fn next_at(&self) -> Option<Time> {
        let sessions = self.sessions.iter().filter_map(Machine::wake_at);
        sessions.chain(self.wires.next_at()).min()
    }

    fn wait(&mut self, span: Span) {
        let until = self.now.plus(span);
        let mut turns = 0u32;
        self.drain();
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            turns += 1;
            assert!(turns < 1_000_000, "something spins at {at}");
            self.now = self.now.max(at);
            while let Some((session, response)) = self.wires.due(self.now) {
                let input = VenueIn::Net(Net::Response(response));
                self.sessions[session].handle(self.now, input);
                self.drain();
            }
            self.drain();
        }
        self.now = until;
        self.drain();
    }

    fn limit(&mut self, side: Side, price: &str, volume: &str) -> Place {
        self.keys += 1;
        Place {
            key: OrderKey::from_wire(self.keys).unwrap(),
            instrument: BTC,
            side,
            kind: OrderKind::Limit,
            qty: d(volume),
            price: Some(d(price)),
            stop: None,
            post_only: false,
            reduce_only: false,
            tif: Tif::Gtc,
        }
    }

    /// An order as the engine gives it alone, or inside a call.
    fn place(&mut self, session: usize, place: Place, raw: bool) -> Option<CallId> {
        self.owners.insert(place.key, session);
        self.places.insert(place.key, place.clone());
        let fields = [
            ("pair", Plain::text("btc_brl")),
            ("type", Plain::text(place.side.word())),
            ("volume", Plain::Decimal(place.qty)),
            ("price", Plain::Decimal(place.price.unwrap())),
        ];
        self.order_call(session, "Trade", fields.to_vec(), Command::Place(place), raw)
    }

    fn cancel(&mut self, session: usize, key: OrderKey, raw: bool) -> Option<CallId> {
        let id = self.venue_id(key).unwrap_or(0);
        self.cancels.entry(key).or_insert((session, self.now, None));
        let fields = [("pair", Plain::text("btc_brl")), ("order_id", Plain::Int(id))];
        let command = Command::Cancel { key, instrument: BTC };
        self.order_call(session, "CancelOrder", fields.to_vec(), command, raw)
    }

    fn order_call(
        &mut self,
        session: usize,
        name: &'static str,
        args: Vec<(&'static str, Plain)>,
        command: Command,
        raw: bool,
    ) -> Option<CallId> {
        if !raw {
            self.command(session, command);
            return None;
        }
        Some(self.call(session, name, args, Some(command)))
    }

    fn call(
        &mut self,
        session: usize,
        name: &'static str,
        args: Vec<(&'static str, Plain)>,
        order: Option<Command>,
    ) -> CallId {
        self.calls += 1;
        let id = CallId(self.calls);
        let ask = CallAsk { venue: VenueName::new("mercadobitcoin"), name, args };
        let call = lunario::base::Call { id, ask, order: order.map(Box::new) };
        self.command(session, Command::Call(call));
        id
    }

    fn venue_id(&self, key: OrderKey) -> Option<i64> {
        self.steps.get(&key)?.iter().find_map(|step| match step {
            OrderStep::Working { venue_id } => Some(venue_id.0),
            _ => None,
        })
    }

    fn last(&self, key: OrderKey) -> Option<&OrderStep> {
        let mut steps = self.steps.get(&key)?.iter().rev();
        steps.find(|step| !matches!(step, OrderStep::ChangeRefused { .. }))
    }

    /// Orders on the book as far as the session told.
    fn working(&self) -> Vec<OrderKey> {
        let keys = self.steps.keys().copied();
        keys.filter(|key| matches!(self.last(*key), Some(OrderStep::Working { .. }))).collect()
    }

    fn outcome(&self, id: CallId) -> &CallOutcome {
        let outcomes = self.replies.get(&id).map_or(&[][..], Vec::as_slice);
        assert_eq!(outcomes.len(), 1, "{id:?}: {outcomes:?} {:?}", self.notes);
        &outcomes[0]
    }

    fn market(&mut self, price: &str, qty: &str) {
        let (time, price, qty) = (self.now, d(price), d(qty));
        let trade = Trade { time, instrument: BTC, price, qty, side: Some(Side::Sell), id: 0 };
        self.wires.market(self.now, Event::Trade(trade));
    }
}
