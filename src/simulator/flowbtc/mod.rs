//! The server half of FlowBTC's WebSocket, as a machine without I/O: frames and market news in,
//! frames out. It trades on a simulated exchange, which is also its ledger.
//!
//! In reading order: `wire` has the bytes, `router` the calls by name, `users`, `streams`,
//! `orders` and `queries` what they do, `market` and `accounts` what is told to whom, `rows` and
//! `objects` how it is written. The contract is FlowBTC's; ids like FLOW-C21 name its lines.

pub mod accounts;
pub mod bars;
pub mod listing;
pub mod market;
pub mod objects;
mod orders;
pub mod outbox;
mod queries;
pub mod router;
pub mod rows;
pub mod session;
pub mod stats;
mod streams;
#[cfg(test)]
mod tests;
mod users;
pub mod wire;

use self::accounts::Accounts;
use self::listing::Products;
use self::market::Market;
use self::outbox::{Order, Outbox};
use self::router::Caller;
use self::session::Sessions;
use crate::base::rng::Rng;
use crate::base::{Decimal, Event, InstrumentId, Machine, Secret, Span, Time};
use crate::exchange::{self, AccountNumber, Exchange, ReportKind};
use std::collections::VecDeque;

/// Longest frame that is read; a longer one ends the connection.
const LONGEST_FRAME: usize = 64 * 1024;

/// Streams of the seed.
const TOKENS: u64 = 1;
const DEALER: u64 = 2;

/// How the server writes (FLOW-S05): as FlowBTC's page shows, or as AlphaPoint's software of
/// later years does, with its further fields and 28-place decimals.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Dialect {
    Page,
    Native,
}

/// A user of the venue, with one account.
#[derive(Clone, Debug)]
pub struct TestUser {
    pub user: String,
    pub password: Secret,
    pub user_id: i64,
    pub account: AccountNumber,
    pub balances: Vec<(String, Decimal)>,
}

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub dialect: Dialect,
    pub users: Vec<TestUser>,
    /// `InstrumentId(n)` of its table is instrument `n + 1` on the wire.
    pub exchange: exchange::Config,
    /// Of tokens and of the order of events.
    pub seed: u64,
    /// Replies and account events that one input produced leave in a seeded order (FLOW-S04).
    pub shuffle: bool,
    /// How long a call takes from the socket to the exchange. Answers and events leave at once.
    pub latency: Span,
}

/// What goes into the server. Connection numbers are not used twice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerIn {
    Opened {
        conn: u32,
    },
    Frame {
        conn: u32,
        text: String,
    },
    Closed {
        conn: u32,
    },
    /// News of the feed, on the same clock as `now`: trades, quotes and book changes; all else is
    /// ignored.
    Market(Event),
    /// The feed's clock reads `now`: bars whose end has come are told.
    Tick,
}

/// What comes out of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerOut {
    Frame { conn: u32, text: String },
    Close { conn: u32 },
}

/// A call on its way to the exchange, or the end of its connection behind it.
#[derive(Clone, Debug)]
enum Arrival {
    Frame { conn: u32, text: String },
    Closed { conn: u32 },
}

/// FlowBTC's server.
pub struct FlowServer {
    dialect: Dialect,
    latency: Span,
    products: Products,
    sessions: Sessions,
    exchange: Exchange,
    market: Market,
    accounts: Accounts,
    outbox: Outbox,
    /// In the order of their times, which is the order in which they came.
    arrivals: VecDeque<(Time, Arrival)>,
}

impl FlowServer {
    #[must_use]
    pub fn new(config: ServerConfig) -> FlowServer {
        let products = Products::of(&config.exchange.instruments);
        let market = Market::new(config.dialect, config.exchange.first_order_id);
        let mut exchange = Exchange::new(config.exchange);
        for user in &config.users {
            exchange.open_account(user.account, &user.balances);
        }
        FlowServer {
            dialect: config.dialect,
            latency: config.latency,
            sessions: Sessions::new(config.users, Rng::new(config.seed, TOKENS)),
            exchange,
            market,
            accounts: Accounts::new(config.dialect, products.clone()),
            products,
            outbox: Outbox::new(config.shuffle.then(|| Rng::new(config.seed, DEALER))),
            arrivals: VecDeque::new(),
        }
    }

    /// Whether anybody watches a stream of market data.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.market.is_watched()
    }

    /// The venue's own ledger.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Who is logged in on a connection.
    fn caller(&mut self, conn: u32, now: Time) -> Option<Caller> {
        self.sessions.user(conn, now).map(|user| Caller {
            name: user.user.clone(),
            user_id: user.user_id,
            account: user.account,
        })
    }

    /// FLOW-E14.
    fn push_logout(&mut self, conns: Vec<u32>) {
        self.outbox.event(conns, Order::Free, "LogoutEvent", "{}");
    }

    /// Lets calls reach the exchange whose time has come.
    fn arrive(&mut self, now: Time) {
        while self.arrivals.front().is_some_and(|(due, _)| *due <= now) {
            let Some((due, arrival)) = self.arrivals.pop_front() else { return };
            match arrival {
                Arrival::Frame { conn, text } => self.frame(due, conn, &text),
                Arrival::Closed { conn } => self.forget(conn),
            }
        }
    }

    fn frame(&mut self, now: Time, conn: u32, text: &str) {
        if !self.sessions.is_open(conn) {
            return;
        }
        if text.len() > LONGEST_FRAME {
            self.outbox.close(conn);
            self.outbox.seal();
            self.forget(conn);
            return;
        }
        let reply = router::answer(self, now, conn, text);
        self.outbox.reply(conn, reply);
        self.settle(now);
    }

    fn forget(&mut self, conn: u32) {
        self.sessions.close(conn);
        self.market.forget(conn);
        self.outbox.forget(conn);
    }

    fn news(&mut self, now: Time, event: &Event) {
        match event {
            Event::Trade(trade) if self.lists(trade.instrument) => {
                self.market.trade(trade, trade.id, &mut self.outbox);
                self.exchange.trade(trade);
            }
            Event::Quote(quote) => {
                self.market.advance(quote.instrument, quote.time, &mut self.outbox);
                self.exchange.quote(quote);
                self.market.touch(quote.instrument);
            }
            Event::Book(change) => {
                self.market.advance(change.instrument, change.time, &mut self.outbox);
                self.exchange.book(change);
                self.market.touch(change.instrument);
            }
            Event::Trade(_)
            | Event::Bar(_)
            | Event::Order(_)
            | Event::Fill(_)
            | Event::Balance(_)
            | Event::Feed(_)
            | Event::Instrument(_) => return,
        }
        self.settle(now);
    }

    fn lists(&self, instrument: InstrumentId) -> bool {
        self.exchange.instruments().get(instrument).is_some()
    }

    /// Tells what the exchange did under the input at hand, and ends it.
    fn settle(&mut self, now: Time) {
        while let Some(report) = self.exchange.poll() {
            let (exchange, sessions) = (&self.exchange, &self.sessions);
            let (accounts, out) = (&mut self.accounts, &mut self.outbox);
            match report.kind {
                ReportKind::Order(order) => accounts.order(&order, exchange, sessions, out),
                ReportKind::Replaced { old, new } => {
                    accounts.replaced(old, &new, exchange, sessions, out);
                }
                ReportKind::Fill(fill) => accounts.fill(&fill, sessions, out),
                ReportKind::Balance { account, asset, balance } => {
                    accounts.balance(account, asset, balance);
                }
                ReportKind::Print(trade) => self.market.trade(&trade, 0, out),
                ReportKind::Level { instrument, .. } => self.market.touch(instrument),
            }
        }
        self.accounts.tell_balances(&self.sessions, &mut self.outbox);
        self.market.publish(now, &self.exchange, &mut self.outbox);
        self.outbox.seal();
    }
}

impl Machine for FlowServer {
    type In = ServerIn;
    type Out = ServerOut;

    fn handle(&mut self, now: Time, input: ServerIn) {
        self.arrive(now);
        let due = now.plus(self.latency);
        match input {
            ServerIn::Opened { conn } => self.sessions.open(conn),
            ServerIn::Frame { conn, text } => {
                self.arrivals.push_back((due, Arrival::Frame { conn, text }));
            }
            ServerIn::Closed { conn } => {
                self.outbox.end(conn);
                self.arrivals.push_back((due, Arrival::Closed { conn }));
            }
            ServerIn::Market(event) => self.news(now, &event),
            ServerIn::Tick => {
                self.market.advance_all(now, &mut self.outbox);
                self.settle(now);
            }
        }
        self.arrive(now);
    }

    fn poll(&mut self, now: Time) -> Option<ServerOut> {
        self.arrive(now);
        self.outbox.poll()
    }

    fn wake_at(&self) -> Option<Time> {
        self.arrivals.front().map(|(due, _)| *due)
    }
}
