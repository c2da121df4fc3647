//! Served venues: the simulated FlowBTC on a loopback WebSocket, fed by a recorded or synthetic
//! market.

use super::source::Source;
use crate::base::{Decimal, Event, Machine, Plain, Secret, Span, Time, decimal};
use crate::edge::clock;
use crate::edge::inbox::{Inbox, Input, Next, Post, Served};
use crate::edge::ws_server::Server;
use crate::exchange::{AccountNumber, Config};
use crate::simulator::flowbtc::{Conduct, FlowServer, ServerConfig, ServerIn, ServerOut};
use anyhow::Context;
use std::net::SocketAddr;
use std::path::Path;

pub use crate::simulator::flowbtc::{Dialect, TestUser};

/// How fast the market passes.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum Pace {
    /// So many market seconds in a second; the times of the feed become those of the wall clock.
    Times(f64),
    /// As fast as its readers take it, on the feed's own clock, from the first subscription on.
    Max,
}

/// What is served.
pub struct VenueSpec {
    pub address: SocketAddr,
    pub source: Source,
    pub pace: Pace,
    pub dialect: Dialect,
    pub users: Vec<TestUser>,
    pub exchange: Config,
    pub seed: u64,
    pub latency: Span,
}

/// The test accounts of a served FlowBTC: one user with money to trade.
#[must_use]
pub fn test_users(balances: Vec<(String, Decimal)>) -> Vec<TestUser> {
    vec![TestUser {
        user: "lunario".into(),
        password: Secret::new("paper-money"),
        user_id: 5,
        account: AccountNumber(7),
        balances,
        keys: Vec::new(),
        totp: None,
    }]
}

/// A served venue, bound and ready.
pub struct VenueRun {
    inbox: Inbox,
    server: Server,
    flow: FlowServer,
    source: Source,
    pace: Pace,
    next: Option<Event>,
    /// The feed's first moment and the wall's moment that stands for it.
    anchor: Option<(Time, Time)>,
    ended: bool,
    now: Time,
    served: u64,
}

/// Frames a reader may have waiting before a market at full speed waits for it.
const ROOM: usize = 2_048;
const TICK: Span = Span::from_secs(1);

impl VenueRun {
    /// Binds the address; nothing is served before `run`.
    ///
    /// # Errors
    /// When the address is not loopback, or cannot be bound.
    pub fn open(spec: VenueSpec) -> anyhow::Result<VenueRun> {
        let inbox = Inbox::open()?;
        let server = Server::start(0, spec.address, inbox.lines())?;
        let flow = FlowServer::new(ServerConfig {
            dialect: spec.dialect,
            users: spec.users,
            exchange: spec.exchange,
            seed: spec.seed,
            shuffle: false,
            latency: spec.latency,
            conduct: Conduct::default(),
        });
        let mut run = VenueRun {
            inbox,
            server,
            flow,
            source: spec.source,
            pace: spec.pace,
            next: None,
            anchor: None,
            ended: false,
            now: Time::ZERO,
            served: 0,
        };
        run.take_next()?;
        Ok(run)
    }

    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// An end into the venue's inbox: `Input::Stop` ends it.
    #[must_use]
    pub fn post(&self) -> Post {
        self.inbox.post()
    }

    /// Serves until it is stopped or `until` comes. `played` is called once, with the number of
    /// its events, when a recorded market has come to its end; the venue serves on.
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
            if self.ended && !told {
                told = true;
                played(self.served);
            }
            let deadline = self.deadline(wall).min(until.unwrap_or(Time::MAX));
            match self.inbox.next(Some(deadline)) {
                Next::Input(_, Input::Stop) => return Ok(()),
                Next::Input(at, Input::Served(news)) => self.served(at, news.conn, news.kind),
                Next::Input(_, Input::Socket(_) | Input::Changed { .. } | Input::Asked(_)) => {}
                Next::Timeout => {
                    let now = self.clock(clock::now());
                    self.handle(now, ServerIn::Tick);
                }
            }
        }
    }

    /// Market events that are due.
    fn feed(&mut self, wall: Time) -> anyhow::Result<()> {
        match self.pace {
            Pace::Times(_) => {
                while let Some(due) = self.due().filter(|due| *due <= wall) {
                    self.push(due)?;
                }
            }
            Pace::Max => {
                let mut burst = 64;
                while burst > 0 && self.flow.is_watched() && self.server.room() > ROOM {
                    let Some(time) = self.next.as_ref().and_then(Event::public_time) else { break };
                    self.push(time)?;
                    self.flush();
                    burst -= 1;
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, at: Time) -> anyhow::Result<()> {
        if let Some(event) = self.next.take() {
            let at = at.max(self.now);
            self.handle(at, ServerIn::Market(event.at(at)));
            self.served += 1;
            self.take_next()?;
        }
        Ok(())
    }

    fn take_next(&mut self) -> anyhow::Result<()> {
        self.next = self.source.next_event()?;
        if self.next.is_none() && !self.ended {
            self.ended = true;
            self.anchor = Some((self.now, clock::now()));
        }
        Ok(())
    }

    /// When the next event is due on the wall clock.
    fn due(&mut self) -> Option<Time> {
        let time = self.next.as_ref()?.public_time()?;
        let Pace::Times(times) = self.pace else { return None };
        let (first, start) = *self.anchor.get_or_insert_with(|| (time, clock::now()));
        let passed = Span::from_seconds(time.since(first).seconds() / times)?;
        Some(start.plus(passed))
    }

    /// The market's clock: the wall's, or at full speed the feed's own, which goes on with the wall
    /// once the feed has ended.
    fn clock(&self, wall: Time) -> Time {
        let now = match (self.pace, self.ended, self.anchor) {
            (Pace::Times(_), _, _) => wall,
            (Pace::Max, true, Some((end, ended))) => end.plus(wall.since(ended)),
            (Pace::Max, ..) => {
                self.next.as_ref().and_then(Event::public_time).map_or(self.now, |_| self.now)
            }
        };
        now.max(self.now)
    }

    fn deadline(&mut self, wall: Time) -> Time {
        let mut deadline = wall.plus(TICK);
        match self.pace {
            Pace::Times(_) => deadline = deadline.min(self.due().unwrap_or(Time::MAX)),
            Pace::Max if self.next.is_some() && self.flow.is_watched() => deadline = wall,
            Pace::Max => {}
        }
        match self.flow.wake_at() {
            Some(wake) => deadline.min(wall.plus(wake.since(self.clock(wall)))),
            None => deadline,
        }
    }

    fn served(&mut self, at: Time, conn: u64, kind: Served) {
        let Ok(conn) = u32::try_from(conn) else { return };
        let now = self.clock(at);
        let input = match kind {
            Served::Opened => ServerIn::Opened { conn },
            Served::Frame(text) => ServerIn::Frame { conn, text },
            Served::Closed(_) => ServerIn::Closed { conn },
            // This wiring opens no HTTP server.
            Served::Request(_) => return,
        };
        self.handle(now, input);
    }

    fn handle(&mut self, now: Time, input: ServerIn) {
        self.now = self.now.max(now);
        self.flow.handle(self.now, input);
    }

    fn flush(&mut self) {
        while let Some(out) = self.flow.poll(self.now) {
            match out {
                ServerOut::Frame { conn, text } => self.server.send(u64::from(conn), text),
                ServerOut::Close { conn } => self.server.close(u64::from(conn)),
                // This wiring asks nothing over HTTP.
                ServerOut::Response(_) => {}
            }
        }
    }

    /// The venue's own ledger of its accounts, for comparing: balances and every execution.
    #[must_use]
    pub fn ledger(&self, users: &[TestUser]) -> Plain {
        let exchange = self.flow.exchange();
        let money = |value: Decimal| Plain::text(decimal::show(value));
        let accounts = users.iter().map(|user| {
            let balances = exchange.balances(user.account).into_iter().map(|(asset, balance)| {
                let fields = vec![("total", money(balance.total)), ("held", money(balance.held))];
                (Plain::Text(asset), Plain::map(fields))
            });
            let fills = exchange.fills(user.account).iter().map(|fill| {
                Plain::map(vec![
                    ("trade_id", Plain::text(fill.trade_id.to_string())),
                    ("client_order_id", Plain::text(fill.client_id.to_string())),
                    ("side", Plain::text(fill.side.word())),
                    ("price", money(fill.price)),
                    ("qty", money(fill.qty)),
                    ("fee", money(fill.fee)),
                ])
            });
            Plain::map(vec![
                ("account", Plain::Int(user.account.0)),
                ("balances", Plain::Map(balances.collect())),
                ("open_orders", Plain::Int(len(exchange.open_orders(user.account).len()))),
                ("fills", Plain::List(fills.collect())),
            ])
        });
        Plain::map(vec![
            ("event", Plain::text("ledger")),
            ("market_events", Plain::Int(i64::try_from(self.served).unwrap_or(i64::MAX))),
            ("accounts", Plain::List(accounts.collect())),
        ])
    }
}

fn len(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Writes a ledger's JSON into a folder, which is made if it is missing.
///
/// # Errors
/// When the disk does not take it.
pub fn write_ledger(folder: &Path, ledger: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join("ledger.json"), format!("{ledger}\n")))
        .with_context(|| format!("cannot write the ledger into {}", folder.display()))
}

/// A venue served by a thread of this process.
pub struct Embedded {
    pub url: String,
    post: Post,
    thread: Option<std::thread::JoinHandle<anyhow::Result<Plain>>>,
}

impl Embedded {
    /// Starts serving; the address is bound when this returns.
    ///
    /// # Errors
    /// When the venue cannot be opened or the system gives no thread.
    pub fn start(
        make: impl FnOnce() -> anyhow::Result<VenueSpec> + Send + 'static,
    ) -> anyhow::Result<Embedded> {
        let (ready, answer) = std::sync::mpsc::channel();
        let serve = move || -> anyhow::Result<Plain> {
            let opened = make().and_then(|spec| {
                let users = spec.users.clone();
                VenueRun::open(spec).map(|run| (run, users))
            });
            let (mut run, users) = match opened {
                Ok((run, users)) => {
                    drop(ready.send(Ok((run.url(), run.post()))));
                    (run, users)
                }
                Err(error) => {
                    drop(ready.send(Err(error)));
                    return Ok(Plain::Nil);
                }
            };
            let mut played = |events| {
                tracing::warn!(events, "the feed has come to its end; the run goes on");
            };
            if let Err(error) = run.run(None, &mut played) {
                tracing::error!("the embedded exchange ended: {error:#}");
                return Err(error);
            }
            Ok(run.ledger(&users))
        };
        let thread = std::thread::Builder::new()
            .name("lunario-venue".into())
            .spawn(serve)
            .context("cannot start a thread for the embedded venue")?;
        let (url, post) = answer.recv().context("the embedded venue did not start")??;
        Ok(Embedded { url, post, thread: Some(thread) })
    }

    /// Ends it; its ledger.
    ///
    /// # Errors
    /// When its feed could not be read on.
    pub fn stop(&mut self) -> anyhow::Result<Plain> {
        let Some(thread) = self.thread.take() else { return Ok(Plain::Nil) };
        // Gone is as good as told.
        let _gone = self.post.send_blocking(clock::now(), Input::Stop);
        thread.join().map_err(|_| anyhow::anyhow!("the embedded venue failed"))?
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        drop(self.stop());
    }
}
