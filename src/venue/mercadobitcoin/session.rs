//! The Mercado Bitcoin session: a machine without I/O that signs and sends one request at a time
//! with a rising tonce, keeps its orders, and finds out by a list with a larger tonce what became
//! of a Trade whose answer was lost. Its parts: `line` (tonce, lane, requests), `orders`, `data`
//! (public market data, a line of its own).

mod adopt;
mod data;
mod line;
mod orders;
mod queue;
mod raw;

#[cfg(test)]
mod tests;

use super::user::UserLane;
use super::wire::{self, WireError};
use crate::base::{
    BalanceNews, Channel, Command, Event, Failure, FeedNews, FeedState, InstrumentId, Instruments,
    LaneLeft, Machine, Net, OrderKey, OrderNews, OrderStep, Response, Secret, Span, Time, Venue,
    VenueIn, VenueName, VenueOut,
};
use crate::calls::Priority;
use crate::venue::pace::Pace;
use data::Data;
use line::{Line, Task};
use orders::Held;
use raw::{Calls, rejected, reply_of};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The rate lanes by name: the Trade API's, and the public data's.
pub(crate) const LANE: &str = "mercadobitcoin";
/// The feature switch of the public data.
const DATA: &str = "data";
pub(crate) const DATA_LANE: &str = "mercadobitcoin/data";

/// What a session needs to know beforehand.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    pub venue: VenueName,
    /// MB-R01, with its slash.
    pub url: String,
    /// The public data API, with its slash.
    pub data_url: String,
    /// MB-R04. Empty: market data only.
    pub key: Secret,
    pub secret: Secret,
    /// Under which name the tonce is kept; one per key (MB-F17).
    pub tonce_name: String,
    /// The last tonce that was kept; 0 for a key that was never used.
    pub last_tonce: i64,
    pub instruments: Instruments,
    /// MB-R07: the budget of the user; give the sessions of all his keys the same one.
    pub user: UserLane,
    /// What earlier runs sent and may still count, of this lane and of the data lane. With several
    /// keys of one user one session gets them.
    pub sent: Vec<Time>,
    pub data_pace: Pace,
    pub data_sent: Vec<Time>,
    /// Feature switches of the table of calls that are off: `data` is the public market data.
    pub off: BTreeSet<&'static str>,
    pub timeout: Span,
    /// How long a new order or a raw call may wait for its turn.
    pub patience: Span,
    /// How often open orders are looked at.
    pub look_every: Span,
    /// How often each public stream is asked for.
    pub poll_every: Span,
    /// How far the venue's `created` may be before our send time.
    pub skew: Span,
}

impl SessionConfig {
    /// The contract's figures (Part D) for everything but who and where.
    #[must_use]
    pub fn new(key: Secret, secret: Secret, last_tonce: i64, instruments: Instruments) -> Self {
        let minute = Span::from_secs(60);
        SessionConfig {
            venue: VenueName::new("mercadobitcoin"),
            url: "https://www.mercadobitcoin.net/tapi/v2/".to_owned(),
            data_url: "https://www.mercadobitcoin.net/api/".to_owned(),
            key,
            secret,
            tonce_name: "mercadobitcoin/tonce".to_owned(),
            last_tonce,
            instruments,
            user: UserLane::new(Pace { limit: 60, reserve: 10, span: minute }),
            sent: Vec::new(),
            data_pace: Pace { limit: 30, reserve: 0, span: minute },
            data_sent: Vec::new(),
            off: BTreeSet::new(),
            timeout: Span::from_secs(10),
            patience: Span::from_secs(10),
            look_every: Span::from_secs(5),
            poll_every: Span::from_secs(10),
            skew: Span::from_secs(120),
        }
    }
}

/// The session. Drive it as any `Machine`; it starts by itself at the first `poll`.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    line: Line,
    data: Data,
    calls: Calls,
    orders: BTreeMap<OrderKey, Held>,
    /// The highest order number seen, by pair.
    highest: BTreeMap<String, i64>,
    started: bool,
    /// Pairs whose first list has not come.
    unlisted: Vec<InstrumentId>,
    ready: bool,
    look_at: Option<Time>,
    now: Time,
    out: VecDeque<VenueOut>,
}

impl Session {
    #[must_use]
    pub fn new(config: SessionConfig) -> Session {
        Session {
            line: Line::new(&config),
            data: Data::new(&config),
            calls: Calls::default(),
            orders: BTreeMap::new(),
            highest: BTreeMap::new(),
            started: false,
            // MB-F08: other coins have public data only.
            unlisted: config
                .instruments
                .iter()
                .filter(|row| row.venue == config.venue)
                .filter(|row| matches!(row.base.as_str(), "BTC" | "LTC") && row.quote == "BRL")
                .map(|row| row.id)
                .collect(),
            ready: false,
            look_at: None,
            now: Time::ZERO,
            out: VecDeque::new(),
            config,
        }
    }

    /// Logged in, listed, and nothing in the way of new orders.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// How many requests without the right to the reserve could go at `now`.
    #[must_use]
    pub fn left(&self, now: Time) -> u32 {
        self.line.seat.lane.left(now)
    }

    /// `btc_brl` of `BTCBRL`.
    fn pair(&self, id: InstrumentId) -> Option<String> {
        let row = self.config.instruments.get(id)?;
        Some(format!("{}_{}", row.base.to_ascii_lowercase(), row.quote.to_ascii_lowercase()))
    }

    fn note(&mut self, text: &str) {
        self.out.push_back(VenueOut::Note(format!("{}: {text}", self.config.venue)));
    }

    fn step(&mut self, key: OrderKey, step: OrderStep) {
        let news = OrderNews { key, time: self.now, step };
        self.out.push_back(VenueOut::Event(Event::Order(news)));
    }

    fn feed(&mut self, channel: Channel, state: FeedState, reason: &str) {
        let news = FeedNews {
            venue: self.config.venue.clone(),
            channel,
            state,
            reason: reason.to_owned(),
            time: self.now,
        };
        self.out.push_back(VenueOut::Event(Event::Feed(news)));
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Reduce { key, .. } => {
                let reason = "VENUE_UNSUPPORTED what=reduce".to_owned();
                self.step(key, OrderStep::ChangeRefused { reason });
            }
            Command::Call(call) => self.call(call),
            Command::Place(place) => self.place(place),
            Command::Cancel { key, .. } => self.cancel(key),
            Command::Replace { key, .. } => {
                let reason = "VENUE_UNSUPPORTED what=replace".to_owned();
                self.step(key, OrderStep::ChangeRefused { reason });
            }
            Command::CancelAll { instrument } => {
                let keys: Vec<OrderKey> = self
                    .orders
                    .iter()
                    .filter(|(_, held)| instrument.is_none_or(|id| id == held.instrument))
                    .map(|(key, _)| *key)
                    .collect();
                keys.into_iter().for_each(|key| self.cancel(key));
            }
            Command::Subscribe { instrument, channel, .. } => {
                let known = self.config.instruments.get(instrument);
                let coin = known.map(|row| row.base.to_ascii_uppercase());
                match (coin, channel) {
                    (Some(_), Channel::Trades | Channel::Quotes | Channel::Book)
                        if self.config.off.contains(DATA) =>
                    {
                        self.feed(channel, FeedState::Down, "VENUE_UNSUPPORTED what=data off=data");
                    }
                    (Some(coin), Channel::Trades | Channel::Quotes | Channel::Book) => {
                        self.data.subscribe(self.now, instrument, channel, coin);
                    }
                    (_, Channel::Bars | Channel::Session) | (None, _) => {
                        self.feed(channel, FeedState::Down, "VENUE_UNSUPPORTED");
                    }
                }
            }
        }
    }

    fn start(&mut self) {
        self.started = true;
        if self.config.key.expose().is_empty() {
            self.note("no key: market data only");
            // There is nothing to log in to; orders are refused all the same.
            self.feed(Channel::Session, FeedState::Live, "market data only");
            return;
        }
        self.line.push(Priority::Reconcile, Time::MAX, Task::Info);
    }

    /// MB-C01: the clock, then the balances.
    fn informed(&mut self, text: &str, sent: Time) {
        let info = match wire::info(text) {
            Ok(info) => info,
            Err(error) => {
                self.note(&format!("getInfo: {error}"));
                if !self.ready {
                    let again = self.now.plus(self.config.look_every);
                    self.look_at = Some(again);
                }
                return;
            }
        };
        if let Some(server) = info.server_time {
            self.line.clock(sent, self.now, server);
        }
        let bitcoin = info.funds.iter().find(|fund| fund.asset == "BTC").map(|fund| fund.total);
        self.compare_bitcoin(bitcoin);
        for fund in info.funds {
            let news = BalanceNews {
                venue: self.config.venue.clone(),
                asset: fund.asset,
                total: fund.total,
                held: fund.total - fund.free,
                time: self.now,
            };
            self.out.push_back(VenueOut::Event(Event::Balance(news)));
        }
        if !self.ready {
            match self.unlisted.first() {
                Some(_) => self.list_next(),
                None => self.become_ready(),
            }
        }
    }

    fn list_next(&mut self) {
        if let Some(id) = self.unlisted.first().copied() {
            self.line.push(Priority::Reconcile, Time::MAX, Task::First(id, 0));
        }
    }

    fn become_ready(&mut self) {
        self.ready = true;
        self.feed(Channel::Session, FeedState::Live, "");
        self.look_at_adopted();
    }

    /// The first list of a pair: which numbers are taken already.
    fn first_list(&mut self, id: InstrumentId, text: &str) {
        match wire::orders(text) {
            Ok(orders) => {
                orders.iter().for_each(|order| self.seen(order));
                self.note_strangers(&orders);
                let last = orders.iter().map(|order| order.id).max();
                if let (true, Some(last)) = (orders.len() >= wire::LIST_CAP, last) {
                    let next = Task::First(id, last.saturating_add(1));
                    return self.line.push_once(Priority::Reconcile, next);
                }
                self.unlisted.retain(|other| *other != id);
            }
            Err(error) => self.note(&format!("OrderList: {error}")),
        }
        match self.unlisted.is_empty() {
            true => self.become_ready(),
            false => self.list_next(),
        }
    }

    fn response(&mut self, response: Response) {
        if let Some(flight) = self.line.landed(self.now, response.id) {
            self.settle(flight, response.outcome);
        } else if let Some(wanted) = self.data.landed(response.id) {
            self.data_answered(&wanted, &response.outcome);
        }
    }

    fn advance(&mut self, now: Time) {
        if !self.started {
            self.start();
        }
        if let Some(flight) = self.line.overdue(now) {
            let reason = "no answer in time".to_owned();
            self.settle(flight, Err(Failure { unsent: false, reason }));
        }
        if self.look_at.is_some_and(|due| due <= now) {
            self.look_at = None;
            self.look();
        }
        self.send_next(now);
        self.data_next(now);
    }

    /// Regular looks: at the open orders, or for what stands between us and readiness.
    fn look(&mut self) {
        if !self.ready {
            let asked = self.line.queue.has(|task| matches!(task, Task::Info | Task::First(..)));
            if !asked {
                self.line.push_once(Priority::Reconcile, Task::Info);
            }
            return;
        }
        self.look_at_orders();
    }

    /// What the answer says is not usable: neither yes nor no.
    fn is_no_answer(error: &WireError) -> bool {
        !matches!(error, WireError::Refused(_))
    }
}

impl Venue for Session {
    fn lanes(&self, now: Time) -> Vec<LaneLeft> {
        let lane = |lane: &str, pace: Pace, left, waiting| LaneLeft {
            lane: lane.to_owned(),
            limit: pace.limit,
            reserve: pace.reserve,
            span: pace.span,
            left,
            waiting,
        };
        let (user, data) = (&self.line.seat.lane, &self.data.lane);
        vec![
            lane(LANE, user.pace(), user.left(now), self.line.queue.len()),
            lane(DATA_LANE, self.config.data_pace, data.left(now), data.len()),
        ]
    }
}

impl Machine for Session {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, now: Time, input: VenueIn) {
        self.now = self.now.max(now);
        match input {
            VenueIn::Command(command) => self.command(command),
            VenueIn::Net(Net::Response(response)) => self.response(response),
            VenueIn::Net(
                Net::Open { .. }
                | Net::Opened { .. }
                | Net::Frame { .. }
                | Net::Lost { .. }
                | Net::Close { .. }
                | Net::Request(_),
            ) => {}
        }
    }

    fn poll(&mut self, now: Time) -> Option<VenueOut> {
        self.now = self.now.max(now);
        if self.out.is_empty() {
            self.advance(self.now);
        }
        self.out.pop_front()
    }

    fn wake_at(&self) -> Option<Time> {
        if !self.started {
            return Some(Time::ZERO);
        }
        let wakes = [self.line.wake_at(), self.data.wake_at(), self.look_at];
        wakes.into_iter().flatten().min()
    }
}
