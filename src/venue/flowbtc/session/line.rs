//! The line to the venue: opening, losing and reopening it, pings, timers, and handing out
//! requests at the pace that is allowed.

use super::Session;
use super::feeds::Stream;
use super::task::{Task, Waiting};
use crate::base::{
    CallFailureKind, Channel, Event, FeedState, InstrumentId, Net, OrderKey, OrderNews, OrderStep,
    Span, Time, VenueOut, rng::Rng,
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
    /// A reduction should be seen by now.
    Reduce(OrderKey),
    /// The next one-time code holds by now.
    Code,
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
pub(super) const MINUTE: Span = Span::from_secs(60);
/// A minute at the venue, which counts messages as they arrive: one that was slow on its way and
/// one that was quick are closer there than here.
pub(super) const WINDOW: Span = Span::from_secs(62);

/// The rate lanes: requests, and what only the socket's own limit counts (FLOW-P13).
pub(super) const LANE: &str = "flowbtc";
pub(super) const SOCKET_LANE: &str = "flowbtc/socket";

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
            && let Some(turn) = self.turn(now)
        {
            match turn {
                Turn::Sent(task) => self.hand_out(now, task),
                Turn::Expired(task) => self.not_sent(now, task, "EXPIRED_IN_QUEUE"),
            }
        }
        self.expire_calls(now);
    }

    /// Whose turn it is: requests first, within both windows; then what only the socket counts.
    fn turn(&mut self, now: Time) -> Option<Turn<Task>> {
        let most = usize::try_from(self.config.ws_per_minute).unwrap_or(usize::MAX);
        let used = self.lane.sent().chain(self.socket.sent());
        let used = used.filter(|sent| now.since(*sent) <= WINDOW);
        let (count, oldest) =
            used.fold((0, Time::MAX), |(count, oldest), sent| (count + 1, oldest.min(sent)));
        if count >= most && oldest < Time::MAX {
            let room = oldest.plus(WINDOW).plus(Span::from_nanos(1));
            self.lane.hold(room);
            self.socket.hold(room);
        }
        self.lane.next(now).or_else(|| self.socket.next(now))
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
        self.unpark(now);
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
        self.factor.down();
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
            self.out.push_back(VenueOut::Sent { lane: LANE.to_owned() });
            self.out.push_back(VenueOut::Net(Net::Frame { conn, text }));
        }
        if self.line.is_wanted() {
            self.out.push_back(VenueOut::Net(Net::Close { conn: self.line.conn }));
        }
        self.down(now, "the run is over");
        self.end_calls(now, "the run is over");
        self.token = None;
        self.line.phase = Phase::Halted;
    }

    /// No more attempts: what is wrong cannot be mended by trying.
    pub(super) fn halt(&mut self, now: Time, reason: &str) {
        let conn = self.line.conn;
        self.out.push_back(VenueOut::Net(Net::Close { conn }));
        self.down(now, reason);
        self.end_calls(now, reason);
        self.line.phase = Phase::Halted;
        self.tell_feed(now, Channel::Session, FeedState::Down, reason);
        self.note(format!("ALARM: {reason}; no further attempts until a restart"));
    }

    /// What was on its way or waiting when the line went down: orders that left are unknown,
    /// orders that did not are refused, cancels are kept for later.
    fn abandon_requests(&mut self, now: Time) {
        let mut waiting = self.lane.take(|_| true);
        waiting.extend(self.socket.take(|_| true));
        for task in waiting {
            if let Task::CancelAll(instrument) = task {
                self.sweep.later(instrument);
            } else if let Task::Raw(id, _) = task {
                self.raw_parked(id);
            } else {
                self.not_sent(now, task, "VENUE_NOT_READY the line went down before it was sent");
            }
        }
        let lost = "the connection was lost before the answer came";
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            if let Task::Raw(id, _) = waiting.task {
                self.raw_lost(now, id, lost);
            }
        }
        self.ties_lost(now, None, lost);
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

    /// Puts a request into its lane. New orders and changes may wait only so long.
    pub(super) fn push(&mut self, now: Time, task: Task) {
        let deadline =
            if task.is_urgent() { now.plus(self.config.reply_within) } else { Time::MAX };
        self.push_until(now, task, deadline);
    }

    pub(super) fn push_until(&mut self, now: Time, task: Task, deadline: Time) {
        let lane = if task.is_light() { &mut self.socket } else { &mut self.lane };
        lane.push(now, task.call().lane, deadline, task);
    }

    fn hand_out(&mut self, now: Time, task: Task) {
        let Some(body) = self.body(now, task) else {
            return self.ties_unsent(now, task, CallFailureKind::Rejected, "ORDER_ENDED");
        };
        self.line.number += 2;
        let number = self.line.number;
        if task.is_login() {
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
        self.tie_sent(task, number);
        let is_ping = task == Task::Ping;
        let within = if is_ping { self.config.pong_within } else { self.config.reply_within };
        self.timers.set(now.plus(within), Timer::Reply(number));
        let text = wire::request(number, task.call().name, &body);
        let lane = if task.is_light() { SOCKET_LANE } else { LANE };
        self.out.push_back(VenueOut::Sent { lane: lane.to_owned() });
        self.out.push_back(VenueOut::Net(Net::Frame { conn: self.line.conn, text }));
    }

    /// A new order, a change or a script's call that will never leave.
    fn not_sent(&mut self, now: Time, task: Task, reason: &str) {
        let kind = match reason {
            "EXPIRED_IN_QUEUE" => CallFailureKind::ExpiredInQueue,
            _ => CallFailureKind::Unavailable,
        };
        if !matches!(task, Task::Cancel(_)) {
            self.ties_unsent(now, task, kind, reason);
        }
        if let Task::Place(key) = task {
            let reason = reason.to_owned();
            self.orders.unsent(now, key, OrderStep::Rejected { reason });
        } else if let Task::Replace(key) = task {
            self.orders.change_refused(now, key, reason);
        } else if let Task::Reduce(key) = task {
            self.reduce_failed(now, key, reason);
        } else if let Task::Raw(id, _) = task {
            self.raw_unsent(now, id);
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
            Timer::Reduce(key) => self.check_reduce(now, key),
            Timer::Code => self.code_due(now),
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
        self.collect(now);
        self.ties_lost(now, Some(number), "no answer in time");
    }

    /// A step for an order that the session does not know.
    pub(super) fn tell_unknown(&mut self, now: Time, key: OrderKey, step: OrderStep) {
        self.tell(Event::Order(OrderNews { key, time: now, step }));
    }

    pub(super) fn name_of(&self, instrument: InstrumentId) -> String {
        self.listing.get(instrument).map_or_else(String::new, |row| row.symbol.clone())
    }
}
