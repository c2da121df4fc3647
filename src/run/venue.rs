//! The served venues: the simulated FlowBTC (WebSocket and REST over one server), Mercado Bitcoin
//! and Sentra on loopback, fed by one recorded or synthetic market.

pub mod accounts;
mod control;
mod embedded;
mod faults;
mod ledger;
mod market;
mod serve;
mod stored;

use self::control::Wish;
use self::market::Market;
use self::serve::{Addresses, Servers};
use super::source::Source;
use crate::base::{Event, InstrumentId, Machine, Plain, Span, Time};
use crate::edge::clock;
use crate::edge::inbox::{Inbox, Input, Next, Post, Request, Served, ServedNews};
use crate::edge::sentra_store::SentraStore;
use crate::exchange::Config;
use crate::simulator::flowbtc::{Conduct, FlowServer, ServerConfig, ServerIn};
use crate::simulator::http::{HttpIn, HttpOut, Page, Reply};
use crate::simulator::mercadobitcoin::{self, MbServer};
use crate::simulator::sentra::{self, SentraServer};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

pub use self::accounts::test_users;
pub use self::embedded::Embedded;
pub use self::faults::FaultPlan;
pub use self::ledger::write as write_ledger;
pub use self::market::Pace;
pub use self::serve::Urls;
pub use crate::simulator::flowbtc::{Dialect, TestUser};
pub use crate::simulator::sentra::Checks;

/// What is served: FlowBTC and its market, and the others.
pub struct VenueSpec {
    /// FlowBTC's WebSocket.
    pub address: SocketAddr,
    pub source: Source,
    pub pace: Pace,
    pub dialect: Dialect,
    pub users: Vec<TestUser>,
    pub exchange: Config,
    pub seed: u64,
    pub latency: Span,
    pub others: Others,
}

/// What is served beside FlowBTC's WebSocket.
pub struct Others {
    pub flowbtc_http: SocketAddr,
    pub mercadobitcoin: SocketAddr,
    pub sentra: SocketAddr,
    /// Where faults and the like are set while it runs; `None` for nowhere.
    pub control: Option<SocketAddr>,
    /// FlowBTC's instrument that the market is of. Mercado Bitcoin trades the same coin in BRL.
    pub traded: InstrumentId,
    pub mercadobitcoin_config: mercadobitcoin::Config,
    pub sentra_config: sentra::Config,
    /// What goes wrong from the start.
    pub faults: FaultPlan,
    /// Where Sentra's tables are kept from start to start; `None` for nowhere.
    pub state: Option<PathBuf>,
}

/// Where venues are served when nothing else is asked for: any free port of this machine.
pub const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl Default for Others {
    /// Free ports, no control, the market of `InstrumentId(0)` and test accounts without money.
    fn default() -> Others {
        Others {
            flowbtc_http: ANYWHERE,
            mercadobitcoin: ANYWHERE,
            sentra: ANYWHERE,
            control: None,
            traded: InstrumentId(0),
            mercadobitcoin_config: accounts::mercadobitcoin_config(Vec::new(), None),
            sentra_config: accounts::sentra_config(Checks::Manual),
            faults: FaultPlan::default(),
            state: None,
        }
    }
}

/// The served venues, bound and ready.
pub struct VenueRun {
    inbox: Inbox,
    servers: Servers,
    flow: FlowServer,
    mercadobitcoin: MbServer,
    sentra: SentraServer,
    tables: Option<SentraStore>,
    users: Vec<TestUser>,
    mercadobitcoin_users: Vec<mercadobitcoin::User>,
    sentra_users: Vec<sentra::User>,
    /// Mercado Bitcoin's instrument of the same coin, where it has one.
    twin: Option<InstrumentId>,
    market: Market,
    faults: FaultPlan,
    now: Time,
}

/// Order ids are near 2^63 (FLOW-S06) and still multiples of 2^10 and of 10^4, so that clients that
/// read them as doubles, in Python or in JavaScript, send them back unharmed (FLOW-F29).
const ORDER_STEP: i64 = 640_000;
/// The first of them.
pub const FIRST_ORDER_ID: i64 = 9_222_816_249_026_560_000;

const TICK: Span = Span::from_secs(1);

/// Frames a reader may have waiting before a market at full speed waits for it.
const ROOM: usize = 2_048;
/// Events of a market at full speed between two looks at the inbox, and for one REST request.
const BURST: usize = 64;

impl VenueRun {
    /// Binds the addresses; nothing is served before `run`.
    ///
    /// # Errors
    /// When an address is not loopback, or cannot be bound.
    pub fn open(spec: VenueSpec) -> anyhow::Result<VenueRun> {
        let inbox = Inbox::open()?;
        let others = spec.others;
        let addresses = Addresses {
            flowbtc_ws: spec.address,
            flowbtc_http: others.flowbtc_http,
            mercadobitcoin: others.mercadobitcoin,
            sentra: others.sentra,
            control: others.control,
        };
        let servers = Servers::open(&addresses, &inbox.lines())?;
        let traded = spec.exchange.instruments.get(others.traded);
        let twin = traded.filter(|it| it.quote == "BRL").and_then(|traded| {
            let mut rows = others.mercadobitcoin_config.exchange.instruments.iter();
            rows.find(|row| row.base == traded.base).map(|row| row.id)
        });
        let market = Market::new(spec.source, spec.pace)?;
        let (width, sentra_users) =
            (others.sentra_config.width, others.sentra_config.users.clone());
        let mut sentra = SentraServer::new(others.sentra_config);
        let tables = match &others.state {
            Some(folder) => Some(stored::open(folder, width, &mut sentra)?),
            None => None,
        };
        let mut run = VenueRun {
            inbox,
            servers,
            users: spec.users.clone(),
            mercadobitcoin_users: others.mercadobitcoin_config.users.clone(),
            sentra_users,
            tables,
            flow: FlowServer::new(ServerConfig {
                dialect: spec.dialect,
                users: spec.users,
                exchange: spec.exchange,
                seed: spec.seed,
                shuffle: false,
                latency: spec.latency,
                conduct: Conduct { order_step: ORDER_STEP, ..Conduct::default() },
            }),
            mercadobitcoin: MbServer::new(others.mercadobitcoin_config),
            sentra,
            twin,
            now: market.start(),
            market,
            faults: FaultPlan::default(),
        };
        run.set_faults(others.faults);
        Ok(run)
    }

    /// Where everything is served.
    #[must_use]
    pub fn urls(&self) -> Urls {
        self.servers.urls()
    }

    /// The test accounts, as the ready line tells them.
    #[must_use]
    pub fn accounts(&self) -> Plain {
        accounts::told(&self.users, &self.mercadobitcoin_users, &self.sentra_users)
    }

    /// An end into the venue's inbox: `Input::Stop` ends it.
    #[must_use]
    pub fn post(&self) -> Post {
        self.inbox.post()
    }

    /// Serves until it is stopped or `until` comes. `played` is called once, with the number of
    /// its events, when a recorded market has come to its end; the venues serve on.
    ///
    /// # Errors
    /// When the feed cannot be read on.
    pub fn run(&mut self, until: Option<Time>, played: &mut dyn FnMut(u64)) -> anyhow::Result<()> {
        let mut told = false;
        loop {
            let wall = clock::now();
            if until.is_some_and(|until| wall >= until) {
                return Ok(());
            }
            self.feed(wall)?;
            self.flush();
            self.store()?;
            if self.market.has_ended() && !told {
                told = true;
                played(self.market.served());
            }
            let deadline = self.deadline(wall).min(until.unwrap_or(Time::MAX));
            match self.inbox.next(Some(deadline)) {
                Next::Input(_, Input::Stop) => return Ok(()),
                Next::Input(at, Input::Served(news)) => self.served(at, news)?,
                Next::Input(
                    _,
                    Input::Socket(_)
                    | Input::Http { .. }
                    | Input::Changed { .. }
                    | Input::Asked(_)
                    | Input::Typed(_),
                ) => {}
                Next::Timeout => {
                    let now = self.clock(clock::now());
                    self.handle(now, ServerIn::Tick);
                }
            }
        }
    }

    /// Market events that are due.
    fn feed(&mut self, wall: Time) -> anyhow::Result<()> {
        match self.market.pace() {
            Pace::Times(_) => {
                while let Some(due) = self.market.due().filter(|due| *due <= wall) {
                    self.push(due)?;
                }
            }
            Pace::Max => {
                let mut burst = BURST;
                while burst > 0 && self.flow.is_watched() && self.servers.room() > ROOM {
                    let Some(time) = self.market.next_time() else { break };
                    self.push(time)?;
                    self.flush();
                    burst -= 1;
                }
            }
        }
        Ok(())
    }

    /// At full speed the market goes as fast as its readers take it. One that asks over HTTP takes
    /// it by asking: each question brings the next events, where no subscription does.
    fn pulled(&mut self) -> anyhow::Result<()> {
        if self.market.pace() != Pace::Max || self.flow.is_watched() {
            return Ok(());
        }
        for _ in 0..BURST {
            let Some(time) = self.market.next_time() else { break };
            self.push(time)?;
            self.flush();
        }
        Ok(())
    }

    fn push(&mut self, at: Time) -> anyhow::Result<()> {
        let at = at.max(self.now);
        if let Some(event) = self.market.take(at)? {
            let event = event.at(at);
            if let Some(twin) = self.twin.and_then(|id| of(&event, id)) {
                self.mercadobitcoin.handle(at, mercadobitcoin::In::Market(twin));
            }
            self.handle(at, ServerIn::Market(event));
        }
        Ok(())
    }

    /// The market's clock, which FlowBTC and Mercado Bitcoin go by.
    fn clock(&self, wall: Time) -> Time {
        self.market.clock(wall).unwrap_or(self.now).max(self.now)
    }

    fn deadline(&mut self, wall: Time) -> Time {
        let mut deadline = wall.plus(TICK);
        match self.market.pace() {
            Pace::Times(_) => deadline = deadline.min(self.market.due().unwrap_or(Time::MAX)),
            Pace::Max if self.market.next_time().is_some() && self.flow.is_watched() => {
                deadline = wall;
            }
            Pace::Max => {}
        }
        let now = self.clock(wall);
        let wakes = [self.flow.wake_at(), self.mercadobitcoin.wake_at()].into_iter().flatten();
        let wakes = wakes.map(|wake| wall.plus(wake.since(now)));
        wakes.chain(self.sentra.wake_at()).fold(deadline, Time::min)
    }

    fn served(&mut self, at: Time, news: ServedNews) -> anyhow::Result<()> {
        let ServedNews { server, conn, kind } = news;
        let input = match kind {
            Served::Request(request) => return self.asked(at, server, asked(conn, request)),
            Served::Opened => |conn| ServerIn::Opened { conn },
            Served::Closed(_) => |conn| ServerIn::Closed { conn },
            Served::Frame(text) => {
                let Ok(conn) = u32::try_from(conn) else { return Ok(()) };
                let now = self.clock(at);
                self.handle(now, ServerIn::Frame { conn, text });
                return Ok(());
            }
        };
        if let Ok(conn) = u32::try_from(conn) {
            let now = self.clock(at);
            self.handle(now, input(conn));
        }
        Ok(())
    }

    /// A request of one of the HTTP servers.
    fn asked(&mut self, at: Time, server: u32, request: HttpIn) -> anyhow::Result<()> {
        match server {
            serve::FLOWBTC_HTTP => {
                self.pulled()?;
                let now = self.clock(at);
                self.handle(now, ServerIn::Request(request));
            }
            serve::MERCADOBITCOIN => {
                self.pulled()?;
                self.now = self.clock(at);
                self.mercadobitcoin.handle(self.now, mercadobitcoin::In::Request(request));
            }
            // Sentra has no market: its limits and times are those of the wall clock.
            serve::SENTRA => {
                self.sentra.handle(at, sentra::In::Request(request));
                self.store()?;
            }
            _ => {
                let page = self.controlled(&request);
                let reply = Reply::Answer(page);
                self.servers.control(HttpOut { id: request.id, delay: Span::ZERO, reply });
            }
        }
        Ok(())
    }

    /// Writes what Sentra stored, before it answers.
    fn store(&mut self) -> anyhow::Result<()> {
        match &mut self.tables {
            Some(tables) => stored::save(tables, &mut self.sentra),
            None => {
                drop(self.sentra.take_changed());
                Ok(())
            }
        }
    }

    fn controlled(&mut self, request: &HttpIn) -> Page {
        let users: Vec<&str> = self.users.iter().map(|user| user.user.as_str()).collect();
        match control::wish(request, &users) {
            Err(page) => return page,
            Ok(Wish::Ledger) => return Page::json(200, self.ledger().json()),
            Ok(Wish::Faults(plan)) => self.set_faults(plan),
            Ok(Wish::Skew(skew)) => {
                self.faults.skew = skew;
                self.mercadobitcoin.handle(self.now, mercadobitcoin::In::Skew(skew));
            }
            Ok(Wish::Unlock(user)) => self.handle(self.now, ServerIn::Unlock { user }),
            Ok(Wish::LogOut(user)) => self.handle(self.now, ServerIn::LogOut { user }),
        }
        control::done(self.faults.len())
    }

    /// Other faults, and another skew, in the place of all.
    fn set_faults(&mut self, plan: FaultPlan) {
        self.handle(self.now, ServerIn::Faults(plan.flowbtc.clone()));
        let faults = plan.mercadobitcoin.clone();
        self.mercadobitcoin.handle(self.now, mercadobitcoin::In::Faults(faults));
        self.mercadobitcoin.handle(self.now, mercadobitcoin::In::Skew(plan.skew));
        self.sentra.handle(clock::now(), sentra::In::Faults(plan.sentra.clone()));
        self.faults = plan;
    }

    fn handle(&mut self, now: Time, input: ServerIn) {
        self.now = self.now.max(now);
        self.flow.handle(self.now, input);
    }

    fn flush(&mut self) {
        while let Some(out) = self.flow.poll(self.now) {
            self.servers.flowbtc(out);
        }
        while let Some(out) = self.mercadobitcoin.poll(self.now) {
            self.servers.mercadobitcoin(out);
        }
        while let Some(out) = self.sentra.poll(clock::now()) {
            self.servers.sentra(out);
        }
    }

    /// The venues' own ledger of their accounts, for comparing: balances and every execution.
    #[must_use]
    pub fn ledger(&self) -> Plain {
        let flow = self.users.iter().map(|it| ledger::account(self.flow.exchange(), it.account));
        let other = self.mercadobitcoin_users.iter();
        let other = other.map(|it| ledger::account(self.mercadobitcoin.exchange(), it.account));
        let mercadobitcoin = Plain::map(vec![("accounts", Plain::List(other.collect()))]);
        Plain::map(vec![
            ("event", Plain::text("ledger")),
            ("market_events", Plain::Int(i64::try_from(self.market.served()).unwrap_or(i64::MAX))),
            ("accounts", Plain::List(flow.collect())),
            ("mercadobitcoin", mercadobitcoin),
            ("sentra", ledger::sentra(self.sentra.store())),
        ])
    }
}

fn asked(id: u64, request: Request) -> HttpIn {
    let Request { method, path, query, headers, body } = request;
    HttpIn { id, method, path, query, headers, body }
}

/// The market's news as news of another instrument; `None` for what is no market's.
fn of(event: &Event, instrument: InstrumentId) -> Option<Event> {
    let mut event = event.clone();
    match &mut event {
        Event::Trade(trade) => trade.instrument = instrument,
        Event::Quote(quote) => quote.instrument = instrument,
        Event::Book(change) => change.instrument = instrument,
        Event::Bar(_)
        | Event::Order(_)
        | Event::Fill(_)
        | Event::Balance(_)
        | Event::Feed(_)
        | Event::Instrument(_)
        | Event::Reply(_) => return None,
    }
    Some(event)
}
