//! The line to the Trade API: one request at a time, each with a larger tonce that is on disk
//! before it leaves, within the rate budget, cancels first.

use super::queue::Queue;
use super::{Session, SessionConfig};
use crate::base::{
    Answer, Body, CallFailure, CallFailureKind, CallId, Failure, Header, InstrumentId, Keep,
    Method, Net, OrderKey, OrderStep, Request, Secret, Span, Time, VenueOut,
};
use crate::calls::{Priority, mercadobitcoin as calls};
use crate::venue::mercadobitcoin::user::{STEP, Seat};
use crate::venue::mercadobitcoin::wire;
use crate::venue::sign;

#[cfg(test)]
mod tests;

/// One thing to ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Task {
    Info,
    /// Which orders were there before us, from this number on.
    First(InstrumentId, i64),
    /// Our open orders of an instrument, from the lowest number on.
    Open(InstrumentId),
    Trade(OrderKey),
    Cancel(OrderKey),
    /// One order by its number.
    Look(OrderKey),
    /// What became of a Trade whose answer was lost; from this number on.
    Fence(OrderKey, i64),
    /// A documented call as it was asked.
    Raw(CallId),
}

/// A request whose answer is awaited.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub id: u64,
    pub task: Task,
    pub deadline: Time,
    pub sent: Time,
}

#[derive(Debug)]
pub(super) struct Line {
    pub queue: Queue<Task>,
    pub seat: Seat,
    flight: Option<Flight>,
    tonce: i64,
    /// What to add to our clock to get the server's.
    offset: Option<Span>,
    timeout: Span,
    /// Numbers of requests, shared with the data line.
    pub numbers: u64,
}

impl Line {
    pub fn new(config: &SessionConfig) -> Line {
        config.user.restore(config.sent.iter().copied(), config.timeout);
        Line {
            queue: Queue::new(),
            seat: config.user.sit(),
            flight: None,
            tonce: config.last_tonce,
            offset: None,
            timeout: config.timeout,
            numbers: 0,
        }
    }

    pub fn push(&mut self, priority: Priority, deadline: Time, task: Task) {
        self.queue.push(priority, deadline, task);
        self.declare();
    }

    /// Queues it unless the same is waiting or on its way.
    pub fn push_once(&mut self, priority: Priority, task: Task) {
        let flying = self.flight.as_ref().is_some_and(|flight| flight.task == task);
        if !flying && !self.queue.has(|other| *other == task) {
            self.push(priority, Time::MAX, task);
        }
    }

    /// Tells the user's other keys what waits here.
    pub fn declare(&self) {
        self.seat.wants(self.queue.first().map(|(priority, _)| priority));
    }

    /// Takes back what waits.
    pub fn take(&mut self, task: &Task) -> bool {
        let found = !self.queue.take(|other| other == task).is_empty();
        self.declare();
        found
    }

    pub fn is_busy(&self) -> bool {
        self.flight.is_some()
    }

    /// The request this answers, once.
    pub fn landed(&mut self, now: Time, id: u64) -> Option<Flight> {
        let flight = self.flight.take_if(|flight| flight.id == id)?;
        self.seat.landed(now);
        Some(flight)
    }

    /// The request that the shell never answered.
    pub fn overdue(&mut self, now: Time) -> Option<Flight> {
        let limit = self.timeout.plus(STEP);
        let flight = self.flight.take_if(|flight| flight.sent.plus(limit) <= now)?;
        self.seat.landed(now);
        Some(flight)
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
            None => {
                let turn = self.queue.first().map(|(priority, _)| self.seat.room_at(priority));
                [turn, self.queue.expires_at()].into_iter().flatten().min()
            }
        }
    }
}

impl Session {
    /// Lets the next request go, if it is anyone's turn.
    pub(super) fn send_next(&mut self, now: Time) {
        while !self.line.is_busy() {
            if let Some(task) = self.line.queue.expired(now) {
                self.expired(&task);
                continue;
            }
            self.line.declare();
            let Some((priority, task)) = self.line.queue.first() else { return };
            if !self.line.seat.may_go(now, priority) {
                return;
            }
            if let Task::Trade(key) = task
                && self.shape(*key).is_some_and(|shape| self.line.seat.is_doubted(&shape))
            {
                return self.line.seat.pause(now);
            }
            let Some((deadline, task)) = self.line.queue.pop() else { return };
            self.send(now, task, deadline);
            self.line.declare();
        }
    }

    fn expired(&mut self, task: &Task) {
        let late =
            || CallFailure::refused(CallFailureKind::ExpiredInQueue, "its turn did not come");
        match task {
            Task::Trade(key) => {
                self.end_order(*key);
                self.answer_place(*key, Err(late()));
                self.step(*key, OrderStep::Rejected { reason: "EXPIRED_IN_QUEUE".to_owned() });
            }
            Task::Raw(id) => self.raw_expired(*id, late()),
            Task::Info
            | Task::First(..)
            | Task::Open(_)
            | Task::Cancel(_)
            | Task::Look(_)
            | Task::Fence(..) => {}
        }
    }

    fn send(&mut self, now: Time, task: Task, deadline: Time) {
        let Some((method, parameters)) = self.parameters(&task) else {
            // What the task is about is gone by now.
            if let Task::Cancel(key) = task {
                self.answer_cancels(key, &Err(super::rejected("the order is over")));
            }
            return;
        };
        let tonce = self.line.next_tonce(now);
        let body = wire::body(method, tonce, &parameters);
        let sign = sign::mercadobitcoin(&self.config.secret, body.as_bytes());
        self.line.numbers += 1;
        let id = self.line.numbers;
        if let Task::Trade(key) = &task {
            self.trade_leaves(*key);
        }
        self.out.push_back(VenueOut::Sent { lane: super::LANE.to_owned() });
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
        self.line.seat.sent(now);
        self.line.flight = Some(Flight { id, task, deadline, sent: now });
    }

    fn parameters(&self, task: &Task) -> Option<(&'static str, Vec<(&'static str, String)>)> {
        let list = calls::ORDER_LIST.name;
        match task {
            Task::Info => Some((calls::GET_INFO.name, Vec::new())),
            Task::First(id, from) => {
                let mut parameters = vec![("pair", self.pair(*id)?)];
                if *from > 0 {
                    parameters.push(("from_id", from.to_string()));
                }
                Some((list, parameters))
            }
            Task::Open(id) => {
                let open = self.orders.values().filter(|held| held.instrument == *id);
                let lowest = open.filter_map(|held| held.id).min()?;
                Some((list, vec![("pair", self.pair(*id)?), ("from_id", lowest.to_string())]))
            }
            Task::Trade(key) => {
                let (pair, side, price, volume) = self.shape(*key)?;
                let parameters = vec![
                    ("pair", pair),
                    ("type", side.word().to_owned()),
                    ("volume", wire::fixed(volume, wire::VOLUME_PLACES)?),
                    ("price", wire::fixed(price, wire::PRICE_PLACES)?),
                ];
                Some((calls::TRADE.name, parameters))
            }
            Task::Cancel(key) => {
                let held = self.orders.get(key)?;
                let pair = self.pair(held.instrument)?;
                let parameters = vec![("pair", pair), ("order_id", held.id?.to_string())];
                Some((calls::CANCEL_ORDER.name, parameters))
            }
            Task::Look(key) => {
                let held = self.orders.get(key)?;
                let pair = self.pair(held.instrument)?;
                let id = held.id?.to_string();
                Some((list, vec![("pair", pair), ("from_id", id.clone()), ("end_id", id)]))
            }
            Task::Fence(key, from) => {
                let held = self.orders.get(key)?;
                let (pair, side, ..) = self.shape(*key)?;
                let mut parameters = vec![("pair", pair), ("type", side.word().to_owned())];
                if *from > 0 {
                    parameters.push(("from_id", from.to_string()));
                }
                let since = held.sent_at.minus(self.config.skew).nanos().div_euclid(1_000_000_000);
                parameters.push(("since", since.max(0).to_string()));
                Some((list, parameters))
            }
            Task::Raw(id) => self.calls.request(*id),
        }
    }

    /// What came back for a request, whichever way it ended.
    pub(super) fn settle(&mut self, flight: Flight, outcome: Result<Answer, Failure>) {
        let answer = match outcome {
            Ok(answer) if (200..300).contains(&answer.status) => answer,
            Ok(answer) => {
                let reason = format!("HTTP {}", answer.status);
                let failure = CallFailure::refused(CallFailureKind::Unavailable, reason);
                return self.no_answer(flight, failure.code(i64::from(answer.status)), false);
            }
            Err(Failure { unsent, reason }) => {
                let kind = match unsent {
                    true => CallFailureKind::Unavailable,
                    false => CallFailureKind::Timeout,
                };
                return self.no_answer(flight, CallFailure::refused(kind, reason), unsent);
            }
        };
        let text = answer.body.text();
        if wire::inside(&text) == Err(wire::WireError::Refused(wire::TOO_MANY.to_owned())) {
            return self.slow_down(flight);
        }
        match flight.task {
            Task::Info => self.informed(&text, flight.sent),
            Task::First(id, _) => self.first_list(id, &text),
            Task::Open(_) => self.looked(&text),
            Task::Trade(key) => self.traded(key, &text),
            Task::Cancel(key) => self.canceled(key, &text),
            Task::Look(key) => self.looked_at(key, &text),
            Task::Fence(key, from) => self.fenced(key, from, &text),
            Task::Raw(id) => self.raw_answered(id, &text),
        }
    }

    /// MB-R07: not carried out, says the contract, so a call is told at once. But these words may
    /// be the answer to the second copy of a request that something on the way sent twice, so a
    /// Trade is looked for all the same before it is given up; what else waits goes when the window
    /// is over.
    fn slow_down(&mut self, flight: Flight) {
        let span = self.line.seat.lane.pace().span;
        self.line.seat.lane.hold(self.now.plus(span));
        self.note("over the rate limit; waiting until the window is over");
        let mut failure = CallFailure::refused(CallFailureKind::RateLimited, wire::TOO_MANY);
        failure.retry_after = Some(span);
        match flight.task {
            Task::Raw(id) => return self.raw_ended(id, Err(failure)),
            Task::Trade(key) => {
                self.answer_place(key, Err(failure));
                return self.trade_lost(key, Some(wire::TOO_MANY.to_owned()));
            }
            // A cancel is wanted all the same: it goes when it can, and whoever asked is told that
            // it has not gone yet.
            Task::Cancel(key) => self.answer_cancels(key, &Err(failure)),
            Task::Info | Task::First(..) | Task::Open(_) | Task::Look(_) | Task::Fence(..) => {}
        }
        let priority = Session::priority(&flight.task);
        self.line.push(priority, flight.deadline, flight.task);
    }

    fn priority(task: &Task) -> Priority {
        match task {
            Task::Cancel(_) => Priority::Cancel,
            Task::Info | Task::First(..) | Task::Look(_) | Task::Fence(..) => Priority::Reconcile,
            Task::Trade(_) => Priority::New,
            // Raw calls have a priority of their own.
            Task::Open(_) | Task::Raw(_) => Priority::Query,
        }
    }

    fn no_answer(&mut self, flight: Flight, failure: CallFailure, unsent: bool) {
        self.note(&format!("no answer: {}", failure.message));
        match flight.task {
            Task::Raw(id) => self.raw_lost(id, failure, unsent),
            Task::Trade(key) if unsent => {
                self.end_order(key);
                self.answer_place(key, Err(failure));
                let reason = "VENUE_UNREACHABLE".to_owned();
                self.step(key, OrderStep::Rejected { reason });
            }
            Task::Trade(key) => self.trade_lost(key, None),
            // The next regular look asks again.
            Task::Open(_) => self.look_later(),
            Task::Info | Task::First(..) | Task::Cancel(_) | Task::Look(_) | Task::Fence(..) => {
                if let Task::Cancel(key) = flight.task {
                    self.cancel_lost(key, &failure);
                }
                let priority = Session::priority(&flight.task);
                self.line.push(priority, Time::MAX, flight.task);
            }
        }
    }
}
