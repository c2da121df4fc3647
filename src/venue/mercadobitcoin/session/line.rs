//! The line to the Trade API: one request at a time, each with a larger tonce that is on disk
//! before it leaves, within the rate budget, cancels first.

use super::{Session, SessionConfig};
use crate::base::{
    Body, Failure, Header, InstrumentId, Keep, Method, Net, OrderKey, OrderStep, Request, Secret,
    Side, Span, Time, VenueOut,
};
use crate::calls::{Priority, mercadobitcoin as calls};
use crate::venue::mercadobitcoin::wire;
use crate::venue::pace::{Lane, Turn};
use crate::venue::sign;

/// One thing to ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Task {
    Info,
    /// Which orders were there before us.
    First(InstrumentId),
    /// Our open orders of an instrument, from the lowest number on.
    Open(InstrumentId),
    Trade(OrderKey),
    Cancel(OrderKey),
    /// One order by its number.
    Look(OrderKey),
    /// What became of a Trade whose answer was lost; from this number on.
    Fence(OrderKey, i64),
}

/// A request whose answer is awaited.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub id: u64,
    pub task: Task,
    pub deadline: Time,
    pub sent: Time,
}

/// Between the starts of two requests: tonces are whole seconds (MB-P06).
const STEP: Span = Span::from_secs(1);

#[derive(Debug)]
pub(super) struct Line {
    pub lane: Lane<(Task, Time)>,
    flight: Option<Flight>,
    tonce: i64,
    /// What to add to our clock to get the server's.
    offset: Option<Span>,
    next_at: Time,
    timeout: Span,
    /// Numbers of requests, shared with the data line.
    pub numbers: u64,
}

impl Line {
    pub fn new(config: &SessionConfig) -> Line {
        let mut lane = Lane::new(config.pace);
        lane.restore(config.sent.iter().copied());
        Line {
            lane,
            flight: None,
            tonce: config.last_tonce,
            offset: None,
            next_at: Time::ZERO,
            timeout: config.timeout,
            numbers: 0,
        }
    }

    pub fn push(&mut self, now: Time, priority: Priority, deadline: Time, task: Task) {
        self.lane.push(now, priority, deadline, (task, deadline));
    }

    /// Queues it unless the same is waiting or on its way.
    pub fn push_once(&mut self, now: Time, priority: Priority, task: Task) {
        let flying = self.flight.as_ref().is_some_and(|flight| flight.task == task);
        if !flying && !self.lane.has(|(other, _)| *other == task) {
            self.push(now, priority, Time::MAX, task);
        }
    }

    pub fn is_busy(&self) -> bool {
        self.flight.is_some()
    }

    /// The request this answers, once.
    pub fn landed(&mut self, id: u64) -> Option<Flight> {
        self.flight.take_if(|flight| flight.id == id)
    }

    /// The request that the shell never answered.
    pub fn overdue(&mut self, now: Time) -> Option<Flight> {
        let limit = self.timeout.plus(STEP);
        self.flight.take_if(|flight| flight.sent.plus(limit) <= now)
    }

    /// The server's clock from the middle of an exchange. After the first reading it moves by at
    /// most a second at a time, so that one slow answer cannot burn tonces.
    pub fn clock(&mut self, sent: Time, now: Time, server: Time) {
        let middle = sent.plus(Span::from_nanos(now.since(sent).nanos() / 2));
        let read = server.since(middle);
        let offset = match self.offset {
            None => read,
            Some(before) => {
                let change = read.minus(before).nanos().clamp(-STEP.nanos(), STEP.nanos());
                before.plus(Span::from_nanos(change))
            }
        };
        self.offset = Some(offset);
    }

    pub fn server_time(&self, now: Time) -> Time {
        now.plus(self.offset.unwrap_or(Span::ZERO))
    }

    /// Larger than any before, and the server's second where that is larger still.
    fn next_tonce(&mut self, now: Time) -> i64 {
        let second = self.server_time(now).nanos().div_euclid(1_000_000_000);
        self.tonce = self.tonce.saturating_add(1).max(second);
        self.tonce
    }

    pub fn wake_at(&self) -> Option<Time> {
        match &self.flight {
            Some(flight) => Some(flight.sent.plus(self.timeout).plus(STEP)),
            None => self.lane.wake_at().map(|turn| turn.max(self.next_at)),
        }
    }
}

impl Session {
    /// Lets the next request go, if it is anyone's turn.
    pub(super) fn send_next(&mut self, now: Time) {
        while !self.line.is_busy() && self.line.next_at <= now {
            match self.line.lane.next(now) {
                None => return,
                Some(Turn::Expired((task, _))) => self.expired(&task),
                Some(Turn::Sent((task, deadline))) => self.send(now, task, deadline),
            }
        }
    }

    fn expired(&mut self, task: &Task) {
        if let Task::Trade(key) = task {
            self.orders.remove(key);
            self.step(*key, OrderStep::Rejected { reason: "expired_in_queue".to_owned() });
        }
    }

    fn send(&mut self, now: Time, task: Task, deadline: Time) {
        // What the task is about may be gone by now; it has used its turn all the same.
        let Some((method, parameters)) = self.parameters(&task) else { return };
        let tonce = self.line.next_tonce(now);
        let body = wire::body(method, tonce, &parameters);
        let sign = sign::mercadobitcoin(&self.config.secret, body.as_bytes());
        self.line.numbers += 1;
        let id = self.line.numbers;
        if let Task::Trade(key) = &task {
            self.trade_leaves(*key);
        }
        let header = |name, value| Header { name, value };
        let form = Secret::new("application/x-www-form-urlencoded");
        self.out.push_back(VenueOut::Net(Net::Request(Request {
            id,
            method: Method::Post,
            url: self.config.url.clone(),
            headers: vec![
                header("Content-Type", form),
                header("Key", self.config.key.clone()),
                header("Sign", sign),
            ],
            body: Body(body.into_bytes()),
            timeout: self.config.timeout,
            keep: Some(Keep { name: self.config.tonce_name.clone(), value: tonce }),
        })));
        self.line.next_at = now.plus(STEP);
        self.line.flight = Some(Flight { id, task, deadline, sent: now });
    }

    fn parameters(&self, task: &Task) -> Option<(&'static str, Vec<(&'static str, String)>)> {
        let list = calls::ORDER_LIST.name;
        match task {
            Task::Info => Some((calls::GET_INFO.name, Vec::new())),
            Task::First(id) => Some((list, vec![("pair", self.pair(*id)?)])),
            Task::Open(id) => {
                let open = self.orders.values().filter(|held| held.place.instrument == *id);
                let lowest = open.filter_map(|held| held.id).min()?;
                Some((list, vec![("pair", self.pair(*id)?), ("from_id", lowest.to_string())]))
            }
            Task::Trade(key) => {
                let held = self.orders.get(key)?;
                let parameters = vec![
                    ("pair", self.pair(held.place.instrument)?),
                    ("type", held.place.side.word().to_owned()),
                    ("volume", wire::fixed(held.place.qty, 8)?),
                    ("price", wire::fixed(held.place.price?, 5)?),
                ];
                Some((calls::TRADE.name, parameters))
            }
            Task::Cancel(key) => {
                let held = self.orders.get(key)?;
                let pair = self.pair(held.place.instrument)?;
                let parameters = vec![("pair", pair), ("order_id", held.id?.to_string())];
                Some((calls::CANCEL_ORDER.name, parameters))
            }
            Task::Look(key) => {
                let held = self.orders.get(key)?;
                let pair = self.pair(held.place.instrument)?;
                let id = held.id?.to_string();
                Some((list, vec![("pair", pair), ("from_id", id.clone()), ("end_id", id)]))
            }
            Task::Fence(key, from) => {
                let held = self.orders.get(key)?;
                let side: Side = held.place.side;
                let mut parameters = vec![
                    ("pair", self.pair(held.place.instrument)?),
                    ("type", side.word().to_owned()),
                ];
                if *from > 0 {
                    parameters.push(("from_id", from.to_string()));
                }
                let since = held.sent_at.minus(self.config.skew).nanos().div_euclid(1_000_000_000);
                parameters.push(("since", since.max(0).to_string()));
                Some((list, parameters))
            }
        }
    }

    /// What came back for a request, whichever way it ended.
    pub(super) fn settle(&mut self, flight: Flight, outcome: Result<crate::base::Answer, Failure>) {
        let answer = match outcome {
            Ok(answer) if (200..300).contains(&answer.status) => answer,
            Ok(answer) => {
                let reason = format!("HTTP {}", answer.status);
                return self.no_answer(flight, &Failure { unsent: false, reason });
            }
            Err(failure) => return self.no_answer(flight, &failure),
        };
        let text = answer.body.text();
        if text.contains(wire::TOO_MANY) && wire::orders(&text).is_err() {
            return self.slow_down(flight);
        }
        match flight.task {
            Task::Info => self.informed(&text, flight.sent),
            Task::First(id) => self.first_list(id, &text),
            Task::Open(_) => self.looked(&text),
            Task::Trade(key) => self.traded(key, &text),
            Task::Cancel(key) => self.canceled(key, &text),
            Task::Look(key) => self.looked_at(key, &text),
            Task::Fence(key, from) => self.fenced(key, from, &text),
        }
    }

    /// MB-R07: certainly not carried out. It waits with the others until the window is over.
    fn slow_down(&mut self, flight: Flight) {
        self.line.lane.hold(self.now.plus(self.config.pace.span));
        self.note("over the rate limit; waiting until the window is over");
        let priority = Session::priority(&flight.task);
        self.line.push(self.now, priority, flight.deadline, flight.task);
    }

    fn priority(task: &Task) -> Priority {
        match task {
            Task::Cancel(_) => Priority::Cancel,
            Task::Info | Task::First(_) | Task::Look(_) | Task::Fence(..) => Priority::Reconcile,
            Task::Trade(_) => Priority::New,
            Task::Open(_) => Priority::Query,
        }
    }

    fn no_answer(&mut self, flight: Flight, failure: &Failure) {
        self.note(&format!("no answer: {}", failure.reason));
        match flight.task {
            Task::Trade(key) if failure.unsent => {
                self.orders.remove(&key);
                let reason = "VENUE_UNREACHABLE".to_owned();
                self.step(key, OrderStep::Rejected { reason });
            }
            Task::Trade(key) => self.trade_lost(key, None),
            // The next regular look asks again.
            Task::Open(_) => {}
            Task::Info | Task::First(_) | Task::Cancel(_) | Task::Look(_) | Task::Fence(..) => {
                let priority = Session::priority(&flight.task);
                self.line.push(self.now, priority, Time::MAX, flight.task);
            }
        }
    }
}
