//! The line to the venue: opening, losing and reopening it, pings, timers, and handing out
//! requests at the pace that is allowed.

use super::Session;
use super::feeds::Stream;
use super::task::{Task, Waiting};
use crate::base::{
    Channel, Event, FeedState, InstrumentId, Net, OrderKey, OrderNews, OrderStep, Span, Time,
    VenueOut, rng::Rng,
};
use crate::calls::flowbtc as calls;
use crate::venue::flowbtc::{request, wire};
use crate::venue::pace::Turn;
use std::collections::{BTreeMap, VecDeque};

/// Where the session stands.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Idle,
    Opening,
    Login,
    Live,
    /// The line is down until the timer `Reopen`.
    Away,
    /// The venue refuses the login; only the operator can help.
    Halted,
}

/// What is to be done at a time. All but `Reopen` belong to a connection and end with it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Timer {
    Reopen,
    /// The connection should be open by now.
    OpenBy,
    /// A request should be answered by now.
    Reply(i64),
    Silence,
    Look,
    Fills,
    /// A cancel should have had its effect by now.
    Cancel(OrderKey),
    /// A replacement should be seen by now.
    Replace(OrderKey),
    /// The reason for a rejection should have come by now.
    Reason(OrderKey),
    Verify,
    Audit,
    Bars,
    /// A stream that was not answered is tried again.
    Stream(Stream),
}

/// Timers in the order in which they are due.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeMap<(Time, u64), Timer>,
    set: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at: Time, timer: Timer) {
        self.due.insert((at, self.set), timer);
        self.set += 1;
    }

    pub(super) fn has(&self, wanted: Timer) -> bool {
        self.due.values().any(|timer| *timer == wanted)
    }

    pub(super) fn first(&self) -> Option<Time> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    fn pop(&mut self, now: Time) -> Option<Timer> {
        let entry = self.due.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    fn clear(&mut self) {
        self.due.clear();
    }
}

#[derive(Debug)]
pub(super) struct Line {
    pub phase: Phase,
    pub conn: u32,
    opened_before: bool,
    /// The last request's number on this connection; even, from 2 (FLOW-F06).
    number: i64,
    pub heard: Time,
    /// The open orders were read on this connection.
    pub snapshot: bool,
    /// Connections in vain since the last time the session was live.
    attempts: u32,
    /// Login requests of the last minute (FLOW-P07).
    pub logins: VecDeque<Time>,
    /// Passwords refused in a row.
    pub refusals: u32,
    /// Not before this: the venue refused a login, or asked to slow down.
    pub not_before: Time,
    rng: Rng,
}

impl Line {
    pub(super) fn new(rng: Rng) -> Line {
        Line {
            phase: Phase::Idle,
            conn: 0,
            opened_before: false,
            number: 0,
            heard: Time::ZERO,
            snapshot: false,
            attempts: 0,
            logins: VecDeque::new(),
            refusals: 0,
            not_before: Time::ZERO,
            rng,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Login | Phase::Live)
    }

    pub(super) fn is_wanted(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Login | Phase::Live)
    }

    /// Full jitter in the upper half: 0.25 to 0.5 s at first, doubling up to 15 to 30 s.
    fn wait(&mut self) -> Span {
        let full = 500i64 << self.attempts.min(6);
        self.attempts = self.attempts.saturating_add(1);
        let half = full.min(30_000) / 2;
        let jitter = self.rng.below(u32::try_from(half).unwrap_or(u32::MAX));
        Span::from_millis(half + i64::from(jitter))
    }

    /// Whether one more login keeps within what a minute allows.
    pub(super) fn may_log_in(&self, now: Time) -> bool {
        let recent = self.logins.iter().filter(|login| now.since(**login) <= MINUTE).count();
        recent < LOGINS_PER_MINUTE
    }

    pub(super) fn is_settled(&mut self) {
        self.attempts = 0;
        self.refusals = 0;
    }
}

/// A connection that is not open after this is given up.
const OPEN_WITHIN: Span = Span::from_secs(15);

/// FLOW-P07: so many login requests in a minute at most.
const LOGINS_PER_MINUTE: usize = 4;
const MINUTE: Span = Span::from_secs(60);

impl Session {
    /// Acts on the time that has passed.
    pub(super) fn advance(&mut self, now: Time) {
        if self.line.phase == Phase::Idle {
            self.open(now);
        }
        while let Some(timer) = self.timers.pop(now) {
            self.fire(now, timer);
        }
        while self.line.is_open()
            && let Some(turn) = self.lane.next(now)
        {
            match turn {
                Turn::Sent(task) => self.hand_out(now, task),
                Turn::Expired(task) => self.not_sent(now, task, "EXPIRED_IN_QUEUE"),
            }
        }
    }

    fn open(&mut self, now: Time) {
        if self.line.opened_before {
            self.line.conn += 1;
        }
        self.line.opened_before = true;
        self.line.phase = Phase::Opening;
        self.timers.set(now.plus(OPEN_WITHIN), Timer::OpenBy);
        let (conn, url) = (self.line.conn, self.config.url.clone());
        self.out.push_back(VenueOut::Net(Net::Open { conn, url }));
    }

    pub(super) fn opened(&mut self, now: Time) {
        if self.line.phase != Phase::Opening {
            return;
        }
        self.line.phase = Phase::Login;
        self.line.number = 0;
        self.line.heard = now;
        self.line.snapshot = false;
        self.timers.clear();
        self.timers.set(now.plus(self.config.ping_after), Timer::Silence);
        self.start_login(now);
    }

    /// Ends the connection ourselves and goes through the same as when it is lost.
    pub(super) fn drop_line(&mut self, now: Time, reason: &str) {
        let conn = self.line.conn;
        self.out.push_back(VenueOut::Net(Net::Close { conn }));
        self.lost(now, reason);
    }

    pub(super) fn lost(&mut self, now: Time, reason: &str) {
        self.down(now, reason);
        let mut at = now.plus(self.line.wait()).max(self.line.not_before);
        if let Some(first) = self.line.logins.len().checked_sub(LOGINS_PER_MINUTE) {
            let oldest = self.line.logins.get(first).copied().unwrap_or_default();
            at = at.max(oldest.plus(MINUTE));
        }
        self.timers.set(at, Timer::Reopen);
        self.note(format!("connection lost ({reason}); next attempt in {}", at.since(now)));
    }

    /// Everything that ends with a connection.
    fn down(&mut self, now: Time, reason: &str) {
        let was_live = self.line.phase == Phase::Live;
        self.line.phase = Phase::Away;
        self.timers.clear();
        self.early.clear();
        self.bare.clear();
        self.look.stop();
        self.feeds.down();
        self.abandon_requests(now);
        self.collect(now);
        if was_live {
            self.tell_feed(now, Channel::Session, FeedState::Down, reason);
        }
    }

    /// Logs out and closes the line for good: the run is over.
    pub(super) fn end_line(&mut self, now: Time) {
        if self.line.is_open() {
            let (conn, number) = (self.line.conn, self.line.number + 2);
            let text = wire::request(number, calls::LOG_OUT.name, &request::empty());
            self.out.push_back(VenueOut::Net(Net::Frame { conn, text }));
        }
        if self.line.is_wanted() {
            self.out.push_back(VenueOut::Net(Net::Close { conn: self.line.conn }));
        }
        self.down(now, "the run is over");
        self.token = None;
        self.line.phase = Phase::Halted;
    }

    /// No more attempts: what is wrong cannot be mended by trying.
    pub(super) fn halt(&mut self, now: Time, reason: &str) {
        let conn = self.line.conn;
        self.out.push_back(VenueOut::Net(Net::Close { conn }));
        self.down(now, reason);
        self.line.phase = Phase::Halted;
        self.tell_feed(now, Channel::Session, FeedState::Down, reason);
        self.note(format!("ALARM: {reason}; no further attempts until a restart"));
    }

    /// What was on its way or waiting when the line went down: orders that left are unknown,
    /// orders that did not are refused, cancels are kept for later.
    fn abandon_requests(&mut self, now: Time) {
        for task in self.lane.take(|_| true) {
            if let Task::CancelAll(instrument) = task {
                self.sweep.later(instrument);
            } else {
                self.not_sent(now, task, "VENUE_NOT_READY the line went down before it was sent");
            }
        }
        self.waiting.clear();
        // A cancel-all that was not verified goes on as cancels of the orders it was meant for.
        for key in std::mem::take(&mut self.sweep.verify) {
            if let Some(known) = self.orders.get_mut(key).filter(|known| !known.is_final()) {
                known.cancel.get_or_insert(0);
            }
        }
        self.orders.restart_looks();
        for key in self.orders.open() {
            if self.is_unanswered(key) {
                self.orders.lost(now, key);
            } else {
                self.orders.doubt(key);
            }
        }
    }

    pub(super) fn is_unanswered(&self, key: OrderKey) -> bool {
        self.orders.get(key).is_some_and(super::legs::Known::is_unanswered)
    }

    /// Puts a request into its lane. New orders and replacements may wait only so long.
    pub(super) fn push(&mut self, now: Time, task: Task) {
        let deadline = if task.is_order() { now.plus(self.config.reply_within) } else { Time::MAX };
        self.lane.push(now, task.call().lane, deadline, task);
    }

    fn hand_out(&mut self, now: Time, task: Task) {
        let Some(body) = self.body(now, task) else { return };
        self.line.number += 2;
        let number = self.line.number;
        if task == Task::Login {
            self.line.logins.push_back(now);
            if self.line.logins.len() > LOGINS_PER_MINUTE {
                self.line.logins.pop_front();
            }
        }
        if let Task::Place(key) = task {
            self.orders.sent(now, key);
            self.collect(now);
        }
        self.waiting.insert(number, Waiting { task, since: now, late: false });
        let is_ping = task == Task::Ping;
        let within = if is_ping { self.config.pong_within } else { self.config.reply_within };
        self.timers.set(now.plus(within), Timer::Reply(number));
        let text = wire::request(number, task.call().name, &body);
        self.out.push_back(VenueOut::Net(Net::Frame { conn: self.line.conn, text }));
    }

    /// A new order or a replacement that will never leave.
    fn not_sent(&mut self, now: Time, task: Task, reason: &str) {
        if let Task::Place(key) = task {
            let reason = reason.to_owned();
            self.orders.unsent(now, key, OrderStep::Rejected { reason });
        } else if let Task::Replace(key) = task {
            self.orders.change_refused(now, key, reason);
        }
    }

    fn fire(&mut self, now: Time, timer: Timer) {
        match timer {
            Timer::Reopen => self.open(now),
            Timer::OpenBy if self.line.phase == Phase::Opening => {
                self.drop_line(now, "it did not open");
            }
            Timer::OpenBy => {}
            Timer::Reply(number) => self.unanswered(now, number),
            Timer::Silence => self.silence(now),
            Timer::Look => self.start_look(now),
            Timer::Fills => self.ask_fills(now),
            Timer::Cancel(key) => self.check_cancel(now, key),
            Timer::Replace(key) => self.check_replace(now, key),
            Timer::Reason(key) => self.reject_without_reason(now, key),
            Timer::Verify => self.push(now, Task::OpenOrders(super::task::Why::Verify)),
            Timer::Audit => self.audit(now),
            Timer::Bars => self.close_bars(now),
            Timer::Stream(stream) => self.retry_stream(now, stream),
        }
    }

    fn silence(&mut self, now: Time) {
        let due = self.line.heard.plus(self.config.ping_after);
        if due > now {
            return self.timers.set(due, Timer::Silence);
        }
        self.timers.set(now.plus(self.config.ping_after), Timer::Silence);
        if !self.is_asked(Task::Ping) {
            self.push(now, Task::Ping);
        }
    }

    fn unanswered(&mut self, now: Time, number: i64) {
        let Some(waiting) = self.waiting.get_mut(&number) else { return };
        waiting.late = true;
        let (task, since) = (waiting.task, waiting.since);
        if task == Task::Ping {
            self.waiting.remove(&number);
            if self.line.heard <= since {
                self.drop_line(now, "a ping was not answered");
            }
            return;
        }
        // Late answers of orders are welcome as long as the connection lasts.
        if !task.is_order() {
            self.waiting.remove(&number);
        }
        self.no_answer(now, task);
    }

    /// A step for an order that the session does not know.
    pub(super) fn tell_unknown(&mut self, now: Time, key: OrderKey, step: OrderStep) {
        self.tell(Event::Order(OrderNews { key, time: now, step }));
    }

    pub(super) fn name_of(&self, instrument: InstrumentId) -> String {
        self.listing.get(instrument).map_or_else(String::new, |row| row.symbol.clone())
    }
}
