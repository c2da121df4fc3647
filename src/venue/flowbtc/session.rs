//! The FlowBTC session: a machine without I/O that logs in, keeps the streams and the orders, and
//! finds out what became of requests whose answer was lost. Its parts: `line` (connection, pace,
//! timers), `login`, `news` (frames in), `trading` (commands), `looks` (fates), `orders`,
//! `feeds`, `calls` (scripts' own calls).

mod asks;
mod calls;
mod factor;
mod feeds;
mod fills;
mod legs;
mod line;
mod listing;
mod login;
mod looks;
mod news;
mod orders;
mod reduce;
mod replies;
mod task;
mod trading;

#[cfg(test)]
mod tests;

use crate::base::{
    Channel, Command, Event, FeedNews, FeedState, InstrumentId, Instruments, LaneLeft, Machine,
    Net, OrderKey, Secret, Span, Time, Venue, VenueIn, VenueName, VenueOrderId, VenueOut, rng::Rng,
};
use crate::venue::flowbtc::payload::OrderRow;
use crate::venue::flowbtc::request::Account;
use crate::venue::pace::{Lane, Pace};
use calls::Calls;
use factor::Factor;
use feeds::Feeds;
use line::{LANE, Line, Phase, SOCKET_LANE, Timers, WINDOW};
use listing::Listing;
use looks::{Look, Sweep};
use orders::Orders;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use task::{Task, Waiting};

pub use factor::ApiKey;

/// What a session needs to know beforehand.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    pub venue: VenueName,
    /// FLOW-R03.
    pub url: String,
    /// Empty, and without a key and a token: market data only, without login.
    pub user: String,
    pub password: Secret,
    /// Logs in instead of user and password (FLOW-P10).
    pub api_key: Option<ApiKey>,
    /// A session token to resume first (FLOW-P08); the others are for when it is refused.
    pub token: Option<Secret>,
    /// The base32 secret of the second factor (FLOW-P09); without it the operator is asked.
    pub totp: Option<Secret>,
    /// `None`: the first account of the user.
    pub account: Option<i64>,
    /// Those the run wants; the venue's own numbers for them are asked for, or FLOW-R14's.
    pub instruments: Instruments,
    /// The most messages in any minute, and how many of them only cancels and reconciliation may
    /// use.
    pub per_minute: u32,
    pub reserve: u32,
    /// The most messages on the socket in any minute: requests, and pings and subscriptions of
    /// market data, which are no requests (FLOW-P13).
    pub ws_per_minute: u32,
    /// What was sent before a restart, in the lanes `flowbtc` and `flowbtc/socket`.
    pub sent: Vec<Time>,
    pub socket_sent: Vec<Time>,
    /// Feature switches of the table of calls that are off: the server has only the page's calls.
    pub off: BTreeSet<&'static str>,
    /// Ping after so much silence (FLOW-P14).
    pub ping_after: Span,
    /// Drop the connection when a ping is not answered within this.
    pub pong_within: Span,
    /// A request not answered within this is taken as unanswered; also the time a new order or a
    /// replacement may wait in the lane.
    pub reply_within: Span,
    /// A script's own call that has not been answered by then fails.
    pub call_within: Span,
    /// For the jitter of the waits between connections.
    pub seed: u64,
}

impl SessionConfig {
    /// The contract's figures (Part D) for everything but who and where.
    #[must_use]
    pub fn new(venue: VenueName, url: &str, user: &str, password: Secret) -> SessionConfig {
        SessionConfig {
            venue,
            url: url.to_owned(),
            user: user.to_owned(),
            password,
            api_key: None,
            token: None,
            totp: None,
            account: None,
            instruments: Instruments::default(),
            per_minute: 100,
            reserve: 20,
            ws_per_minute: 500,
            sent: Vec::new(),
            socket_sent: Vec::new(),
            off: BTreeSet::new(),
            ping_after: Span::from_secs(20),
            pong_within: Span::from_secs(5),
            reply_within: Span::from_secs(5),
            call_within: Span::from_secs(30),
            seed: 0,
        }
    }

    /// Whether there is anything to log in with.
    #[must_use]
    pub fn has_login(&self) -> bool {
        !self.user.is_empty() || self.api_key.is_some() || self.token.is_some()
    }

    /// What must never be in a line for people.
    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let key = self.api_key.as_ref().map(|key| [&key.secret, &key.id]).into_iter().flatten();
        [&self.password].into_iter().chain(&self.token).chain(&self.totp).chain(key)
    }
}

/// The client half of FlowBTC's protocol.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    line: Line,
    /// Requests.
    lane: Lane<Task>,
    /// What only the socket's own limit counts.
    socket: Lane<Task>,
    timers: Timers,
    waiting: BTreeMap<i64, Waiting>,
    account: Option<Account>,
    user: Option<i64>,
    token: Option<Secret>,
    /// The last tokens, to keep them out of every note.
    tokens: VecDeque<Secret>,
    listing: Listing,
    orders: Orders,
    feeds: Feeds,
    calls: Calls,
    factor: Factor,
    /// Feature switches that are off, by the configuration or since the server does not have them.
    off: BTreeSet<&'static str>,
    /// Those of them whose want was told.
    missed: BTreeSet<&'static str>,
    look: Look,
    sweep: Sweep,
    /// Something happened to the account since the balances were last asked for. An event that is
    /// lost or overtaken would leave a wrong balance behind.
    moved: bool,
    /// Account events that came before the snapshot they apply to.
    early: Vec<(String, String)>,
    /// Rejections whose reason is still to come in an event of its own (FLOW-E08).
    bare: BTreeMap<OrderKey, OrderRow>,
    out: VecDeque<VenueOut>,
}

impl Session {
    #[must_use]
    pub fn new(config: SessionConfig) -> Session {
        let listing = Listing::new(config.venue.clone(), config.instruments.clone());
        let mut lane = Lane::new(request_pace(&config));
        lane.restore(config.sent.iter().copied());
        let mut socket = Lane::new(socket_pace(&config));
        socket.restore(config.socket_sent.iter().copied());
        Session {
            line: Line::new(Rng::new(config.seed, 1)),
            lane,
            socket,
            timers: Timers::default(),
            waiting: BTreeMap::new(),
            account: config.account.filter(|_| config.has_login()).map(Account),
            user: config.api_key.as_ref().map(|key| key.user_id),
            token: config.token.clone(),
            tokens: VecDeque::new(),
            listing,
            orders: Orders::default(),
            feeds: Feeds::default(),
            calls: Calls::default(),
            factor: Factor::default(),
            off: config.off.clone(),
            missed: BTreeSet::new(),
            look: Look::default(),
            sweep: Sweep::default(),
            moved: false,
            early: Vec::new(),
            bare: BTreeMap::new(),
            out: VecDeque::new(),
            config,
        }
    }

    /// Takes up an order of an earlier run. After the login the session finds out what became of
    /// it and says so; fills may be told again, with the trade numbers they had. For an order
    /// that was replaced, `venue_id` is its last number.
    pub fn adopt(
        &mut self,
        key: OrderKey,
        venue_id: Option<VenueOrderId>,
        instrument: InstrumentId,
    ) {
        self.orders.adopt(key, venue_id, instrument);
        if self.line.phase == Phase::Live {
            self.timers.set(Time::ZERO, line::Timer::Look);
        }
    }

    /// Logs out and closes the connection for good. Open orders stay at the venue: cancel first.
    pub fn end(&mut self, now: Time) {
        self.end_line(now);
        self.collect(now);
    }

    /// Whether orders can be sent now.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.line.phase == Phase::Live && self.account.is_some()
    }

    /// How many more new orders the rate budget allows at `now`.
    #[must_use]
    pub fn budget_left(&self, now: Time) -> u32 {
        self.lane.left(now)
    }

    /// A line for the operator. Whatever it quotes, no password or token is in it.
    fn note(&mut self, text: impl Into<String>) {
        let text = self.scrub(text.into());
        self.out.push_back(VenueOut::Note(format!("{}: {text}", self.config.venue)));
    }

    fn scrub(&self, mut text: String) -> String {
        for secret in self.tokens.iter().chain(self.config.secrets()).map(Secret::expose) {
            if !secret.is_empty() && text.contains(secret) {
                text = text.replace(secret, "***");
            }
        }
        text
    }

    fn keep_token(&mut self, token: Secret) {
        if !self.tokens.contains(&token) {
            self.tokens.push_back(token.clone());
        }
        if self.tokens.len() > 4 {
            self.tokens.pop_front();
        }
        self.token = Some(token);
    }

    fn tell(&mut self, event: Event) {
        self.out.push_back(VenueOut::Event(event));
    }

    fn tell_feed(&mut self, now: Time, channel: Channel, state: FeedState, reason: &str) {
        let venue = self.config.venue.clone();
        let reason = self.scrub(reason.to_owned());
        self.tell(Event::Feed(FeedNews { venue, channel, state, reason, time: now }));
    }

    /// Moves what the orders have to say into the queue, and looks after what it leaves to do.
    fn collect(&mut self, now: Time) {
        for event in self.orders.take_news() {
            self.moved = true;
            self.out.push_back(VenueOut::Event(event));
        }
        if !self.orders.short().is_empty() {
            self.expect_fills(now);
        }
    }

    fn command(&mut self, now: Time, command: Command) {
        match command {
            // What is refused was told in the order's own events.
            Command::Place(place) => {
                let _ = self.place(now, &place);
            }
            Command::Cancel { key, .. } => {
                let _ = self.cancel(now, key);
            }
            Command::Replace { key, alias, price, qty, .. } => {
                let _ = self.replace(now, key, alias, price, qty);
            }
            Command::Reduce { key, qty, .. } => {
                let _ = self.reduce(now, key, qty);
            }
            Command::CancelAll { instrument } => {
                self.cancel_all(now, instrument);
            }
            Command::Call(call) => self.call(now, call),
            Command::Subscribe { instrument, channel, depth, interval } => {
                self.subscribe(now, instrument, channel, depth, interval);
            }
        }
    }
}

/// Requests never fill the socket's minute: a market that nobody can subscribe to stays dark.
fn request_pace(config: &SessionConfig) -> Pace {
    let ws = config.ws_per_minute;
    let limit = config.per_minute.min(ws - ws / 10);
    let share = u64::from(config.reserve) * u64::from(limit) / u64::from(config.per_minute.max(1));
    Pace { limit, reserve: u32::try_from(share).unwrap_or(limit), span: WINDOW }
}

/// What streams and pings may use of the socket's minute; the rest is the requests'.
fn socket_pace(config: &SessionConfig) -> Pace {
    let requests = config.per_minute.min(config.ws_per_minute / 2);
    Pace { limit: config.ws_per_minute - requests, reserve: 0, span: WINDOW }
}

impl Venue for Session {
    fn wants_code(&self) -> bool {
        self.waits_for_code()
    }

    fn code(&mut self, now: Time, code: &Secret) -> bool {
        let taken = Session::code(self, now, code.expose());
        self.collect(now);
        taken
    }

    fn lanes(&self, now: Time) -> Vec<LaneLeft> {
        let (requests, socket) = (request_pace(&self.config), socket_pace(&self.config));
        let used = self.lane.sent().chain(self.socket.sent());
        let used = used.filter(|sent| now.since(*sent) <= WINDOW).count();
        let most = self.config.ws_per_minute;
        let room = most.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        vec![
            LaneLeft {
                lane: LANE.to_owned(),
                limit: requests.limit,
                reserve: requests.reserve,
                span: WINDOW,
                left: self.lane.left(now).min(room),
                waiting: self.lane.len(),
            },
            LaneLeft {
                lane: SOCKET_LANE.to_owned(),
                limit: most,
                reserve: most - socket.limit,
                span: WINDOW,
                left: self.socket.left(now).min(room),
                waiting: self.socket.len(),
            },
        ]
    }
}

impl Machine for Session {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, now: Time, input: VenueIn) {
        match input {
            VenueIn::Net(net) => self.net(now, net),
            VenueIn::Command(command) => self.command(now, command),
        }
        self.collect(now);
    }

    fn poll(&mut self, now: Time) -> Option<VenueOut> {
        if self.out.is_empty() {
            self.advance(now);
            self.collect(now);
        }
        self.out.pop_front()
    }

    fn wake_at(&self) -> Option<Time> {
        if self.line.phase == Phase::Idle {
            return Some(Time::ZERO);
        }
        let open = self.line.is_open();
        let lanes = [self.lane.wake_at(), self.socket.wake_at()].into_iter().flatten();
        let lanes = lanes.filter(|_| open);
        self.timers.first().into_iter().chain(lanes).chain(self.calls.due()).min()
    }
}

impl Session {
    fn net(&mut self, now: Time, net: Net) {
        match net {
            Net::Opened { conn } if conn == self.line.conn => self.opened(now),
            Net::Frame { conn, text } if conn == self.line.conn && self.line.is_open() => {
                self.line.heard = now;
                self.frame(now, &text);
            }
            Net::Lost { conn, reason } if conn == self.line.conn && self.line.is_wanted() => {
                self.lost(now, &reason);
            }
            Net::Open { .. }
            | Net::Opened { .. }
            | Net::Frame { .. }
            | Net::Lost { .. }
            | Net::Close { .. }
            | Net::Request(_)
            | Net::Response(_) => {}
        }
    }
}
