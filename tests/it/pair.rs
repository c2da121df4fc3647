//! The session against the server half of its own venue, in virtual time and without a socket: an
//! engine with a strategy on one end of a line, the simulated FlowBTC on the other, and whatever
//! goes wrong between them. At the end both must have the same orders, fills and money.

mod asked;
mod books;
mod changes;
mod lanes;
mod life;
mod line;
mod puppet;
mod random;
mod raw;
mod scenes;

use line::{Fate, Line, Packet, Passing, Rule};
use lunario::base::rng::Rng;
use lunario::base::{
    Decimal, Event, Fees, InstrumentId, Instruments, Machine, Quote, Secret, Span, StrategyId,
    Time, VenueName, decimal,
};
use lunario::desk::Mode;
use lunario::engine::{Engine, EngineConfig, In, Note, Operator, Out, Record};
use lunario::exchange::{AccountNumber, Config, QueueModel, Synthetic, SyntheticConfig};
use lunario::lua::graph;
use lunario::simulator::flowbtc::{
    Conduct, Dialect, FlowServer, ServerConfig, ServerIn, ServerOut, TestUser, listing,
};
use lunario::venue::flowbtc::{Session, SessionConfig};
use std::collections::BTreeSet;
use std::time::Duration;

const TOTP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const RUN: u32 = 3;
const BTC: InstrumentId = InstrumentId(0);
const ACCOUNT: AccountNumber = AccountNumber(4);
const WHO: StrategyId = StrategyId(0);
/// A second connection of the same user, for what he does elsewhere.
const ELSEWHERE: u32 = 1_000_000;

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn ms(millis: i64) -> Span {
    Span::from_millis(millis)
}

fn secs(secs: i64) -> Span {
    Span::from_secs(secs)
}

/// What the two ends are made with.
#[derive(Clone, Debug)]
struct Setup {
    seed: u64,
    dialect: Dialect,
    /// Requests a minute that the session allows itself.
    per_minute: u32,
    /// Between the socket and the exchange.
    latency: Span,
    /// Events of the synthetic market, in tens a second; none at 0.
    market: f64,
    /// The order in which the server sends what one call caused is dealt anew.
    shuffle: bool,
    /// Requests a minute that the venue serves.
    served: Option<usize>,
    /// The user has a second factor.
    guarded: bool,
}

impl Setup {
    /// A quick venue that nobody else trades on.
    fn still(dialect: Dialect) -> Setup {
        let latency = Span::ZERO;
        Setup {
            seed: 1,
            dialect,
            per_minute: 1_000,
            latency,
            market: 0.0,
            shuffle: false,
            served: None,
            guarded: false,
        }
    }
}

/// Both ends, the line between them, the market, and the one clock of all.
struct Pair {
    now: Time,
    engine: Engine,
    server: FlowServer,
    line: Line,
    market: Option<Synthetic>,
    next: Option<Event>,
    records: Vec<Record>,
    notes: Vec<Note>,
    /// Frames to the user's other connection.
    elsewhere: Vec<String>,
    /// The session token of the last login, as it passed over the line.
    token: String,
    /// Raw calls whose script ended, or was replaced, before they did.
    forgiven: BTreeSet<u64>,
    /// The lane of each send, and when it was.
    sent: Vec<(String, Time)>,
}

fn fees() -> Fees {
    Fees { maker: d("0.001"), taker: d("0.002") }
}

fn server(setup: &Setup) -> FlowServer {
    let user = TestUser {
        user: "ana".to_owned(),
        password: Secret::new("ana-secret"),
        user_id: 9,
        account: ACCOUNT,
        balances: vec![("BRL".to_owned(), d("20000")), ("BTC".to_owned(), d("5"))],
        keys: Vec::new(),
        totp: setup.guarded.then(|| Secret::new(TOTP)),
    };
    server_of(setup, user)
}

fn server_of(setup: &Setup, user: TestUser) -> FlowServer {
    FlowServer::new(ServerConfig {
        dialect: setup.dialect,
        users: vec![user],
        exchange: Config {
            instruments: listing::instruments(fees()),
            queue: QueueModel::None,
            first_order_id: 9_222_816_249_026_513_000,
            first_trade_id: 87,
            wait_for_print: false,
        },
        seed: setup.seed,
        shuffle: setup.shuffle,
        latency: setup.latency,
        conduct: Conduct { per_minute: setup.served, ..Conduct::default() },
    })
}

fn session(setup: &Setup, instruments: Instruments) -> SessionConfig {
    let venue = VenueName::new("flowbtc");
    let mut config = SessionConfig::new(venue, "ws://venue", "ana", Secret::new("ana-secret"));
    config.account = setup.seed.is_multiple_of(3).then_some(ACCOUNT.0);
    config.instruments = instruments;
    config.per_minute = setup.per_minute;
    config.reserve = setup.per_minute / 5;
    config.seed = setup.seed;
    config.totp = setup.guarded.then(|| Secret::new(TOTP));
    config
}

fn engine(setup: &Setup, run: u32, session: SessionConfig) -> Engine {
    let mut config = EngineConfig::new(Mode::Paper, run, session.instruments.clone());
    config.seed = setup.seed;
    config.limits.max_position = Some(d("4"));
    config.lua.handler = Duration::from_secs(5);
    config.lua.load = Duration::from_secs(20);
    let mut engine = Engine::new(config);
    engine.add_venue(VenueName::new("flowbtc"), Box::new(Session::new(session)));
    engine
}

impl Pair {
    fn new(setup: &Setup, script: &str, rule: Rule) -> Pair {
        let now = Time::from_millis(1_790_000_000_000);
        let instruments = listing::instruments(fees());
        let engine = engine(setup, RUN, session(setup, instruments.clone()));
        let traded = instruments.get(BTC).unwrap().clone();
        let mut shape = SyntheticConfig::new(traded, now, d("1000"));
        (shape.rate, shape.levels, shape.volatility) = (setup.market, 5, 3.0);
        shape.trade_notional = 400.0;
        let mut market = (setup.market > 0.0).then(|| Synthetic::new(setup.seed, shape));
        let next = market.as_mut().map(Synthetic::next);
        let mut pair = Pair {
            now,
            engine,
            server: server(setup),
            line: Line::new(Rng::new(setup.seed, 3), rule),
            market,
            next,
            records: Vec::new(),
            notes: Vec::new(),
            elsewhere: Vec::new(),
            token: String::new(),
            forgiven: BTreeSet::new(),
            sent: Vec::new(),
        };
        pair.load(script);
        assert!(pair.engine.runs("s"), "{:?}", pair.notes);
        pair
    }

    /// A pair on a still market that shows this book, live.
    fn still(dialect: Dialect, script: &str, rule: Rule) -> Pair {
        let mut pair = Pair::new(&Setup::still(dialect), script, rule);
        pair.quote("999", "1001");
        pair.wait(secs(2));
        pair
    }

    /// The program dies and starts again at once, as the run of this number.
    fn start_again(&mut self, setup: &Setup, run: u32, session: SessionConfig, script: &str) {
        self.line.lose_all(self.now);
        self.line.forget();
        self.engine = engine(setup, run, session);
        self.load(script);
        assert!(self.engine.runs("s"), "{:?}", self.notes);
    }

    /// The feed shows this market, ten at each price.
    fn quote(&mut self, bid: &str, ask: &str) {
        let (time, instrument, last) = (self.now, BTC, Decimal::ZERO);
        let (bid, ask, qty) = (d(bid), d(ask), d("10"));
        let quote = Quote { time, instrument, bid, bid_qty: qty, ask, ask_qty: qty, last };
        self.server_in(ServerIn::Market(Event::Quote(quote)));
    }

    fn load(&mut self, script: &str) {
        let candidate = graph::single("s.luau", script).unwrap();
        self.engine_in(In::Code(candidate));
    }

    fn engine_in(&mut self, input: In) {
        self.engine.handle(self.now, input);
        let mut nets = Vec::new();
        while let Some(out) = self.engine.poll(self.now) {
            match out {
                Out::Record(record) => self.records.push(record),
                Out::Net { net, .. } => nets.push(net),
                Out::Sent { lane } => self.sent.push((lane, self.now)),
                Out::Remembered(_) => {}
                Out::Note(note) => self.notes.push(note),
            }
        }
        for net in nets {
            self.line.client(self.now, net);
        }
        self.drain();
    }

    fn server_in(&mut self, input: ServerIn) {
        self.server.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(out) = self.server.poll(self.now) {
            match out {
                ServerOut::Frame { conn, text } if conn >= ELSEWHERE => self.elsewhere.push(text),
                ServerOut::Frame { conn, text } => {
                    if let Some((_, rest)) = text.split_once(r#"SessionToken\":\""#) {
                        self.token = rest.chars().take_while(|c| *c != '\\').collect();
                    }
                    self.line.venue(self.now, conn, text);
                }
                ServerOut::Close { conn } => self.line.lose(self.now, conn),
                ServerOut::Response(_) => panic!("nobody asked over HTTP"),
            }
        }
    }

    /// The next moment at which anything happens by itself.
    fn next_at(&self) -> Option<Time> {
        let market = self.next.as_ref().and_then(Event::public_time);
        let ends = [self.engine.wake_at(), self.server.wake_at(), self.line.next_at(), market];
        ends.into_iter().flatten().min()
    }

    /// Lets time pass and everything happen that is due, each at its moment.
    fn wait(&mut self, span: Span) {
        let until = self.now.plus(span);
        let mut turns = 0u32;
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            turns += 1;
            assert!(turns < 2_000_000, "something spins at {at}");
            self.now = self.now.max(at);
            self.turn();
        }
        self.now = until;
        self.engine_in(In::Tick);
    }

    fn turn(&mut self) {
        if let Some(packet) = self.line.due(self.now) {
            match packet {
                Packet::Up(input) => self.server_in(input),
                Packet::Down(net) => self.engine_in(In::Net { venue: 0, net }),
            }
        } else if self.server.wake_at().is_some_and(|at| at <= self.now) {
            self.drain();
        } else if self.engine.wake_at().is_some_and(|at| at <= self.now) {
            self.engine_in(In::Tick);
        } else if let Some(event) = self.next.take() {
            self.next = self.market.as_mut().map(Synthetic::next);
            self.server_in(ServerIn::Market(event));
        }
    }

    /// Waits until something is so, for at most a minute.
    fn until(&mut self, what: &str, so: impl Fn(&Pair) -> bool) {
        for _ in 0..6_000 {
            if so(self) {
                return;
            }
            self.wait(ms(10));
        }
        panic!("{what} did not come about\n{}", self.story());
    }

    fn is_ready(&self) -> bool {
        self.engine.core().market.is_ready(&VenueName::new("flowbtc"))
    }

    /// What the user does on another connection.
    fn elsewhere(&mut self, call: &str, body: &str) -> String {
        let frame = |name: &str, body: &str| {
            let body = body.replace('"', "\\\"");
            format!(r#"{{"m":0,"i":2,"n":"{name}","o":"{body}"}}"#)
        };
        let conn = ELSEWHERE;
        self.server_in(ServerIn::Opened { conn });
        let token = format!(r#"{{"SessionToken":"{}"}}"#, self.token);
        for (name, body) in [("WebAuthenticateUser", token.as_str()), (call, body)] {
            self.server_in(ServerIn::Frame { conn, text: frame(name, body) });
        }
        self.elsewhere.last().cloned().unwrap_or_default()
    }

    /// The venue goes down and comes back: its orders stand, its connections and sessions do not.
    fn restart_venue(&mut self, away: Span) {
        self.line.refuse_until = self.now.plus(away);
        self.line.lose_all(self.now);
        self.elsewhere("LogOut", "{}");
    }

    /// What happened, for the message of a failure.
    fn story(&self) -> String {
        let mut story = String::new();
        for note in &self.notes {
            let line = match note {
                Note::Order { order } => {
                    let (key, state, filled) = (order.key, order.state.word(), order.filled);
                    format!("order {key} {state} filled {filled} {}", order.reason)
                }
                Note::Fill { fill, .. } => format!("fill {} of {}", fill.trade_id, fill.order),
                Note::Venue { text, .. } => text.clone(),
                Note::Words { words, .. } => format!("{words:?}"),
                other => format!("{other:?}").chars().take(200).collect(),
            };
            story.push_str(&line);
            story.push('\n');
        }
        let lines: Vec<&str> = story.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// The market stands still from now on.
    fn close_market(&mut self) {
        (self.market, self.next) = (None, None);
    }

    /// Ends the run and waits until the engine says that it is over.
    fn stop(&mut self) {
        self.engine_in(In::Operator(Operator::Stop));
        for _ in 0..180 {
            if self.engine.has_stopped() {
                return;
            }
            self.wait(secs(1));
        }
        let open: Vec<_> = self.engine.core().orders.open().cloned().collect();
        panic!("the run does not end: {open:#?}\n{}", self.story());
    }
}
