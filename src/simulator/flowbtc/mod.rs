//! The server half of FlowBTC's WebSocket and REST, as a machine without I/O: frames, requests and
//! market news in, frames and answers out. It trades on a simulated exchange, which is also its
//! ledger.
//!
//! In reading order: `wire` has the bytes, `router` the calls by name, `rest` the same over HTTP,
//! `users`, `streams`, `orders`, `money` and `queries` what they do, `mishaps` what goes wrong,
//! `market` and `accounts` what is told to whom, `rows` and `objects` how it is written. The
//! contract is FlowBTC's; ids like FLOW-C21 name its lines.

pub mod accounts;
pub mod bars;
mod calls;
pub mod listing;
pub mod market;
mod mishaps;
mod money;
pub mod objects;
mod orders;
pub mod outbox;
mod queries;
mod rest;
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
use self::money::Tickets;
use self::outbox::{Order, Outbox};
use self::router::Caller;
use self::session::Sessions;
use self::wire::Frame;
use crate::base::rng::Rng;
use crate::base::{Decimal, Event, InstrumentId, Machine, Secret, Span, Time};
use crate::exchange::{self, AccountNumber, Exchange, ReportKind};
use crate::simulator::faults::{Fault, Faults, SWAP, What};
use crate::simulator::http::{HttpIn, HttpOut};
use crate::simulator::window::Window;
use std::collections::BTreeMap;

/// Longest frame that is read; a longer one ends the connection.
const LONGEST_FRAME: usize = 64 * 1024;

const MINUTE: Span = Span::from_secs(60);

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
    /// Keys for logins without a password (FLOW-P10).
    pub keys: Vec<ApiKey>,
    /// The secret of one-time codes in base 32; logins by password want a code (FLOW-P09).
    pub totp: Option<Secret>,
}

/// An API key of a user.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub id: String,
    pub secret: Secret,
}

/// How a venue behaves beyond its protocol.
#[derive(Clone, Debug, Default)]
pub struct Conduct {
    /// A WebSocket that says nothing for this long is closed.
    pub idle_close: Option<Span>,
    /// Requests of one user, or of one connection nobody has logged in on, in any minute.
    pub per_minute: Option<usize>,
    pub faults: Vec<Fault>,
    /// From one order's id to the next; 0 counts as 1. Clients that read ids as doubles, as
    /// JavaScript does, keep ids near 2^63 only where these are far apart (FLOW-F29).
    pub order_step: i64,
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
    pub conduct: Conduct,
}

/// What goes into the server. Connection numbers are not used twice.
#[derive(Clone, PartialEq, Debug)]
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
    /// An HTTP request (FLOW-R01).
    Request(HttpIn),
    /// Other faults from now on.
    Faults(Vec<Fault>),
    /// An administrator lets a locked user in again (FLOW-P07).
    Unlock {
        user: String,
    },
    /// The venue ends every session of a user and tells their connections (FLOW-E14).
    LogOut {
        user: String,
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
    Response(HttpOut),
}

impl ServerOut {
    /// The connection it goes to.
    #[must_use]
    pub fn conn(&self) -> Option<u32> {
        match self {
            ServerOut::Frame { conn, .. } | ServerOut::Close { conn } => Some(*conn),
            ServerOut::Response(_) => None,
        }
    }
}

/// A call on its way to the exchange, or the end of its connection behind it.
#[derive(Clone, Debug)]
enum Arrival {
    /// `struck`: a fault has done its part.
    Frame {
        conn: u32,
        text: String,
        struck: bool,
    },
    Request {
        request: HttpIn,
        struck: bool,
    },
    Closed {
        conn: u32,
    },
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
    tickets: Tickets,
    faults: Faults,
    idle_close: Option<Span>,
    window: Option<Window<String>>,
    /// By time, then in the order in which they came.
    arrivals: BTreeMap<(Time, u64), Arrival>,
    /// Frames that leave later than their time.
    late: BTreeMap<(Time, u64), ServerOut>,
    /// Those of them that leave earlier if another reply does.
    swapped: Vec<(Time, u64)>,
    numbered: u64,
}

impl FlowServer {
    #[must_use]
    pub fn new(config: ServerConfig) -> FlowServer {
        let products = Products::of(&config.exchange.instruments);
        let market = Market::new(config.dialect, config.exchange.first_order_id);
        let mut exchange = Exchange::new(config.exchange).numbered_by(config.conduct.order_step);
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
            tickets: Tickets::default(),
            faults: Faults::new(config.conduct.faults),
            idle_close: config.conduct.idle_close,
            window: config.conduct.per_minute.map(|most| Window::new(most, MINUTE)),
            arrivals: BTreeMap::new(),
            late: BTreeMap::new(),
            swapped: Vec::new(),
            numbered: 0,
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
            two_factor: user.totp.is_some(),
        })
    }

    /// FLOW-E14.
    fn push_logout(&mut self, conns: Vec<u32>) {
        self.outbox.event(conns, Order::Free, "LogoutEvent", "{}");
    }

    /// Lets calls reach the exchange whose time has come, and frames leave that were held back.
    fn arrive(&mut self, now: Time) {
        while let Some(entry) = self.arrivals.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((due, _), arrival) = entry.remove_entry();
            match arrival {
                Arrival::Frame { conn, text, struck } => self.frame(due, conn, &text, struck),
                Arrival::Request { request, struck } => self.request(due, request, struck),
                Arrival::Closed { conn } => self.forget(conn),
            }
        }
        while let Some(entry) = self.late.first_entry().filter(|entry| entry.key().0 <= now) {
            self.outbox.late(entry.remove());
            self.outbox.seal();
        }
        self.close_idle(now);
    }

    fn arrive_at(&mut self, due: Time, arrival: Arrival) {
        self.numbered += 1;
        self.arrivals.insert((due, self.numbered), arrival);
    }

    fn later(&mut self, due: Time, out: ServerOut) {
        self.numbered += 1;
        self.late.insert((due, self.numbered), out);
    }

    /// A reply that changes places with the next one.
    fn swap(&mut self, now: Time, out: ServerOut) {
        let due = now.plus(SWAP);
        self.later(due, out);
        self.swapped.push((due, self.numbered));
    }

    /// A reply is about to leave: those that waited for it follow.
    fn follow(&mut self) {
        for place in std::mem::take(&mut self.swapped) {
            if let Some(out) = self.late.remove(&place) {
                self.outbox.late(out);
            }
        }
    }

    /// Ends connections that have said nothing for too long.
    fn close_idle(&mut self, now: Time) {
        let Some(limit) = self.idle_close else { return };
        while let Some((heard, conn)) = self.sessions.most_silent() {
            if now.since(heard) < limit {
                return;
            }
            self.hang_up(conn);
        }
    }

    fn hang_up(&mut self, conn: u32) {
        self.outbox.close(conn);
        self.outbox.seal();
        self.forget(conn);
    }

    fn frame(&mut self, now: Time, conn: u32, text: &str, struck: bool) {
        if !self.sessions.is_open(conn) {
            return;
        }
        if text.len() > LONGEST_FRAME {
            self.hang_up(conn);
            return;
        }
        self.sessions.heard(conn, now);
        let frame = match Frame::parse(text) {
            Ok(frame) => frame,
            Err(malformed) => {
                self.outbox.reply(conn, router::unread(malformed));
                self.settle(now);
                return;
            }
        };
        let admitted = struck || self.admit(now, conn);
        let what = if struck { None } else { self.faults.strike(&frame.n) };
        match what {
            _ if !admitted => mishaps::frame(self, now, conn, text, &frame, What::TooMany),
            Some(what) => mishaps::frame(self, now, conn, text, &frame, what),
            None => {
                let reply = router::answer(self, now, conn, &frame);
                self.outbox.reply(conn, reply);
                self.follow();
                self.settle(now);
            }
        }
    }

    /// Whether the limit of requests has room for one more.
    fn admit(&mut self, now: Time, conn: u32) -> bool {
        let user = self.sessions.user(conn, now).map(|user| user.user.clone());
        let key = user.unwrap_or_else(|| format!("#{conn}"));
        self.window.as_mut().is_none_or(|window| window.admit(now, &key))
    }

    fn request(&mut self, now: Time, request: HttpIn, struck: bool) {
        mishaps::request(self, now, request, struck);
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
            | Event::Instrument(_)
            | Event::Reply(_) => return,
        }
        self.settle(now);
    }

    fn lists(&self, instrument: InstrumentId) -> bool {
        self.exchange.instruments().get(instrument).is_some()
    }

    /// Tells what the exchange did under the input at hand, and ends it.
    fn settle(&mut self, now: Time) {
        self.report(now);
        self.outbox.seal();
    }

    fn report(&mut self, now: Time) {
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
    }
}

impl Machine for FlowServer {
    type In = ServerIn;
    type Out = ServerOut;

    fn handle(&mut self, now: Time, input: ServerIn) {
        self.arrive(now);
        let due = now.plus(self.latency);
        match input {
            ServerIn::Opened { conn } => self.sessions.open(conn, now),
            ServerIn::Frame { conn, text } => {
                self.arrive_at(due, Arrival::Frame { conn, text, struck: false });
            }
            ServerIn::Request(request) => {
                self.arrive_at(due, Arrival::Request { request, struck: false });
            }
            ServerIn::Faults(faults) => self.faults.set(faults),
            ServerIn::Unlock { user } => self.sessions.unlock(&user),
            ServerIn::LogOut { user } => {
                let conns = self.sessions.end_all(&user);
                self.push_logout(conns);
                self.settle(now);
            }
            ServerIn::Closed { conn } => {
                self.outbox.end(conn);
                self.arrive_at(due, Arrival::Closed { conn });
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
        let arrival = self.arrivals.first_key_value().map(|((due, _), _)| *due);
        let late = self.late.first_key_value().map(|((due, _), _)| *due);
        let silent = self.idle_close.zip(self.sessions.most_silent());
        let idle = silent.map(|(limit, (heard, _))| heard.plus(limit));
        [arrival, late, idle].into_iter().flatten().min()
    }
}
