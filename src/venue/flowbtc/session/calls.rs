//! Raw calls: documented calls by their own names, as scripts ask for them. Each ends in exactly
//! one reply. Those that carry an order's command are tied to the request which that command
//! makes; the others are requests of their own.

use super::Session;
use super::line::Phase;
use super::replies::{self, receipt};
use super::task::Task;
use crate::base::{
    Call, CallAsk, CallFailure, CallFailureKind, CallId, CallOutcome, Command, Event, Fate,
    OrderKey, OrderStep, Plain, Reply, Time,
};
use crate::calls::{self, Retry, flowbtc as table};
use crate::venue::flowbtc::payload::{Login, Refused};
use std::collections::BTreeMap;

/// So many calls may wait for their turn or their answer.
pub(super) const MOST_CALLS: usize = 64;

/// Sent so often at most, and only where asking again changes nothing.
const TRIES: u8 = 2;

/// A call that is a request of its own.
#[derive(Debug)]
pub(super) struct Raw {
    pub ask: CallAsk,
    pub call: &'static calls::Call,
    until: Time,
    sent: u8,
    /// It waits for the session, not for its turn.
    parked: bool,
    /// The user as the venue has it, for a call that sends it whole.
    pub user: Option<Plain>,
}

impl Raw {
    /// The request that it makes next.
    pub(super) fn step(&self) -> &'static calls::Call {
        if self.call.name == table::SET_USER_INFO.name && self.user.is_none() {
            return &table::GET_USER_INFO;
        }
        self.call
    }
}

/// A call that is answered by the request which an order's command makes.
#[derive(Debug)]
struct Tie {
    id: CallId,
    task: Task,
    /// The request's number, once it is sent and while it may be answered.
    number: Option<i64>,
    sent: bool,
    until: Time,
}

/// The calls that have not ended.
#[derive(Debug, Default)]
pub(super) struct Calls {
    raw: BTreeMap<CallId, Raw>,
    ties: Vec<Tie>,
}

impl Calls {
    pub(super) fn len(&self) -> usize {
        self.raw.len() + self.ties.len()
    }

    pub(super) fn raw(&self, id: CallId) -> Option<&Raw> {
        self.raw.get(&id)
    }

    /// When the first of them is out of time.
    pub(super) fn due(&self) -> Option<Time> {
        let parked = self.raw.values().filter(|raw| raw.parked).map(|raw| raw.until);
        parked.chain(self.ties.iter().map(|tie| tie.until)).min()
    }

    /// The ids tied to a task, which are tied to nothing any more.
    fn untie(&mut self, picked: impl Fn(&Tie) -> bool) -> Vec<Tie> {
        self.ties.extract_if(.., |tie| picked(tie)).collect()
    }
}

fn refused(kind: CallFailureKind, message: impl Into<String>) -> CallFailure {
    CallFailure::refused(kind, message)
}

impl Session {
    /// Takes a call; it ends in one `Event::Reply`.
    pub(super) fn call(&mut self, now: Time, call: Call) {
        match call.order {
            Some(command) => match self.foreign(&call.ask) {
                Some(why) => {
                    let failure = refused(CallFailureKind::Arguments, why);
                    self.tied_refused(now, call.id, &command, "ACCOUNT_NOT_OURS", failure);
                }
                None => self.tied_call(now, call.id, *command),
            },
            None => self.raw_call(now, call.id, call.ask),
        }
    }

    /// The end of a call. What it did to an order is told first.
    fn end_call(&mut self, now: Time, id: CallId, outcome: CallOutcome) {
        self.collect(now);
        let scrub = |text: String| self.scrub_user(text);
        let outcome = match outcome {
            Ok(reply) => Ok(replies::cleaned(reply, &scrub)),
            Err(mut failure) => {
                failure.message = scrub(failure.message);
                Err(failure)
            }
        };
        self.tell(Event::Reply(Reply { id, outcome }));
    }

    fn scrub_user(&self, text: String) -> String {
        let user = &self.config.user;
        let text = self.scrub(text);
        if user.contains('@') { text.replace(user.as_str(), "***") } else { text }
    }

    fn raw_call(&mut self, now: Time, id: CallId, ask: CallAsk) {
        let call = match self.admit(&ask) {
            Ok(call) => call,
            Err(failure) => return self.end_call(now, id, Err(failure)),
        };
        if self.is_own_stream(call, &ask) {
            return self.end_call(now, id, Ok(receipt()));
        }
        let until = now.plus(self.config.call_within);
        self.calls.raw.insert(id, Raw { ask, call, until, sent: 0, parked: true, user: None });
        self.unpark(now);
    }

    /// The call's row, or why it cannot be made.
    fn admit(&self, ask: &CallAsk) -> Result<&'static calls::Call, CallFailure> {
        let call = table::find(ask.name).ok_or_else(|| {
            refused(CallFailureKind::Arguments, format!("there is no call {}", ask.name))
        })?;
        if matches!(call.name, "SendOrder" | "CancelReplaceOrder" | "ModifyOrder") {
            let why = format!("{} goes through the engine's order path only", call.name);
            return Err(refused(CallFailureKind::Rejected, why));
        }
        if call.name == table::AUTHENTICATE.name {
            let why = "Authenticate is a call over HTTP; this session logs in on its socket";
            return Err(refused(CallFailureKind::NoVenue, why));
        }
        if is_scoped(call)
            && let Some(why) = self.foreign(ask)
        {
            return Err(refused(CallFailureKind::Arguments, why));
        }
        if let Some(switch) = call.switch.filter(|switch| self.off.contains(*switch)) {
            let why = format!("{} is off: the feature switch `{switch}`", call.name);
            return Err(refused(CallFailureKind::NoVenue, why));
        }
        if self.calls.len() >= MOST_CALLS {
            let why = format!("{MOST_CALLS} calls wait already");
            return Err(refused(CallFailureKind::Limit, why));
        }
        if self.line.phase == Phase::Halted {
            let why = "the session is closed and does not come back by itself";
            return Err(refused(CallFailureKind::Unavailable, why));
        }
        if call.auth && !self.config.has_login() {
            let why = "the session has no login: it is for market data only";
            return Err(refused(CallFailureKind::Unavailable, why));
        }
        Ok(call)
    }

    /// Queues the calls that waited for the session, if it is ready for them.
    pub(super) fn unpark(&mut self, now: Time) {
        let is_live = self.line.phase == Phase::Live;
        let is_open = self.line.is_open();
        let wants_code = self.waits_for_code();
        let is_code = |call: &calls::Call| wants_code && call.name == table::AUTHENTICATE_2FA.name;
        let ready = |call: &calls::Call| {
            is_live || is_code(call) || (is_open && !call.auth && !is_login(call))
        };
        let mut tasks = Vec::new();
        for (id, raw) in &mut self.calls.raw {
            if raw.parked && ready(raw.call) && now < raw.until {
                raw.parked = false;
                tasks.push((Task::Raw(*id, raw.step()), raw.until));
            }
        }
        for (task, until) in tasks {
            self.push_until(now, task, until);
        }
    }

    /// The call's turn has come: one more time it is sent.
    pub(super) fn raw_sent(&mut self, id: CallId) {
        if let Some(raw) = self.calls.raw.get_mut(&id) {
            raw.sent = raw.sent.saturating_add(1);
        }
    }

    /// Ends a call that is a request of its own.
    pub(super) fn raw_failed(&mut self, now: Time, id: CallId, failure: CallFailure) {
        if self.calls.raw.remove(&id).is_some() {
            self.end_call(now, id, Err(failure));
        }
    }

    /// It never left.
    pub(super) fn raw_unsent(&mut self, now: Time, id: CallId) {
        let sent = self.calls.raw.get(&id).is_some_and(|raw| raw.sent > 0);
        let (kind, why) = if sent {
            (CallFailureKind::Timeout, "no answer, and no turn to ask again")
        } else {
            (CallFailureKind::ExpiredInQueue, "it waited too long for its turn")
        };
        self.raw_failed(now, id, refused(kind, why));
    }

    /// The line went down before it was sent: it waits for the next one.
    pub(super) fn raw_parked(&mut self, id: CallId) {
        if let Some(raw) = self.calls.raw.get_mut(&id) {
            raw.parked = true;
        }
    }

    /// It was sent, and no answer will come. What changes nothing is asked once more.
    pub(super) fn raw_lost(&mut self, now: Time, id: CallId, why: &str) {
        let Some(raw) = self.calls.raw.get_mut(&id) else { return };
        let step = raw.step();
        let again = match step.retry {
            Retry::Repeat | Retry::Resubscribe => raw.call.name != table::LOG_OUT.name,
            Retry::Limited | Retry::Fresh | Retry::Never | Retry::Human => false,
        };
        if again && raw.sent < TRIES && now < raw.until {
            raw.parked = true;
            return;
        }
        let failure = replies::unanswered(step, why);
        self.raw_failed(now, id, failure);
    }

    /// Its answer.
    pub(super) fn raw_answered(
        &mut self,
        now: Time,
        id: CallId,
        body: &str,
        refusal: Option<&Refused>,
    ) {
        let Some(mut raw) = self.calls.raw.remove(&id) else { return };
        if raw.step().name != raw.call.name {
            return match replies::whole(raw.step(), body, refusal) {
                Ok(user) => {
                    (raw.user, raw.parked, raw.sent) = (Some(user), true, 0);
                    self.calls.raw.insert(id, raw);
                    self.unpark(now);
                }
                Err(failure) => self.end_call(now, id, Err(failure)),
            };
        }
        let outcome = replies::outcome(raw.call, body, refusal);
        let good = outcome.is_ok();
        if raw.call.name == table::AUTHENTICATE_2FA.name && self.waits_for_code() {
            self.code_handed_in(now, body, refusal.cloned());
        } else if good && is_login(raw.call) {
            self.raw_login(body);
        }
        self.end_call(now, id, outcome);
        if good {
            self.raw_done(now, &raw, body);
        }
    }

    fn raw_login(&mut self, body: &str) {
        let Ok(login) = Login::read(body) else { return };
        if let Some(token) = login.token.filter(|_| login.authenticated) {
            self.keep_token(token);
        }
    }

    /// What a call changed for the session itself.
    fn raw_done(&mut self, now: Time, raw: &Raw, body: &str) {
        if raw.call.name == table::LOG_OUT.name {
            self.token = None;
            return self.drop_line(now, "a strategy logged out");
        }
        self.raw_stream(now, raw, body);
    }

    /// The calls that are out of time.
    pub(super) fn expire_calls(&mut self, now: Time) {
        let parked = self.calls.raw.iter().filter(|(_, raw)| raw.parked && raw.until <= now);
        let late: Vec<(CallId, CallFailure)> = parked
            .map(|(id, raw)| {
                let failure = if raw.sent > 0 {
                    replies::unanswered(raw.step(), "no answer in time")
                } else {
                    refused(CallFailureKind::Unavailable, "the session was not ready in time")
                };
                (*id, failure)
            })
            .collect();
        for (id, failure) in late {
            self.raw_failed(now, id, failure);
        }
        let mut late = self.calls.untie(|tie| tie.until <= now);
        for tie in &mut late {
            // A cancel is kept until the line is back: nobody may take it for not made.
            tie.sent |= self.will_send(tie.task);
        }
        self.ties_failed(now, late, "no answer in time");
    }

    /// Every call ends: the session does.
    pub(super) fn end_calls(&mut self, now: Time, reason: &str) {
        let ids: Vec<CallId> = self.calls.raw.keys().copied().collect();
        for id in ids {
            let sent = self.calls.raw.get(&id).filter(|raw| raw.sent > 0).map(Raw::step);
            let failure = match sent.filter(|call| replies::is_risky(call)) {
                Some(_) => CallFailure::unknown(reason),
                None => refused(CallFailureKind::Unavailable, reason),
            };
            self.raw_failed(now, id, failure);
        }
        let ties = self.calls.untie(|_| true);
        self.ties_failed(now, ties, reason);
    }
}

/// The calls whose account and user say which orders they cancel.
fn is_scoped(call: &calls::Call) -> bool {
    call.name == table::CANCEL_ORDER.name || call.name == table::CANCEL_ALL_ORDERS.name
}

/// The calls that make or change the login; the session's own comes first.
pub(super) fn is_login(call: &calls::Call) -> bool {
    [&table::WEB_AUTHENTICATE_USER, &table::AUTHENTICATE_USER, &table::AUTHENTICATE_2FA]
        .iter()
        .any(|row| row.name == call.name)
        || call.name == table::LOG_OUT.name
}

impl Session {
    /// A call that does something to an order: the command as it would have come alone, and the
    /// reply to its request.
    fn tied_call(&mut self, now: Time, id: CallId, command: Command) {
        let full = self.calls.len() >= MOST_CALLS;
        if full
            && let Command::Place(_) | Command::Replace { .. } | Command::Reduce { .. } = &command
        {
            let why = format!("{MOST_CALLS} calls wait already");
            let failure = refused(CallFailureKind::Limit, why);
            return self.tied_refused(now, id, &command, "TOO_MANY_CALLS", failure);
        }
        let mut tasks = Vec::new();
        let done = match command {
            Command::Place(place) => {
                tasks.push(Task::Place(place.key));
                self.place(now, &place)
            }
            Command::Cancel { key, .. } => {
                tasks.push(Task::Cancel(key));
                self.cancel(now, key)
            }
            Command::Replace { key, alias, price, qty, .. } => {
                tasks.push(Task::Replace(key));
                self.replace(now, key, alias, price, qty)
            }
            Command::Reduce { key, qty, .. } => {
                tasks.push(Task::Reduce(key));
                self.reduce(now, key, qty)
            }
            Command::CancelAll { instrument } => {
                tasks.extend(self.cancel_all(now, instrument).into_iter().map(Task::CancelAll));
                Ok(())
            }
            Command::Subscribe { .. } | Command::Call(_) => {
                let why = "no call of an order";
                return self.end_call(now, id, Err(refused(CallFailureKind::Arguments, why)));
            }
        };
        match done {
            Err(reason) => {
                let kind = match reason {
                    "VENUE_NOT_READY" => CallFailureKind::Unavailable,
                    _ => CallFailureKind::Rejected,
                };
                self.end_call(now, id, Err(refused(kind, reason)));
            }
            Ok(()) if full => {
                let why = "it is carried out; too many calls wait for their answers";
                let kind = CallFailureKind::Limit;
                let failure = CallFailure { fate: Fate::Unknown, ..refused(kind, why) };
                self.end_call(now, id, Err(failure));
            }
            Ok(()) => self.tie(now, id, &tasks),
        }
    }

    /// Neither the call nor its order is carried out.
    fn tied_refused(
        &mut self,
        now: Time,
        id: CallId,
        command: &Command,
        reason: &str,
        failure: CallFailure,
    ) {
        let reason = reason.to_owned();
        match command {
            Command::Place(place) => {
                self.tell_unknown(now, place.key, OrderStep::Rejected { reason });
            }
            Command::Replace { key, .. }
            | Command::Reduce { key, .. }
            | Command::Cancel { key, .. } => {
                self.tell_unknown(now, *key, OrderStep::ChangeRefused { reason });
            }
            Command::CancelAll { instrument } => {
                let meant = |key: &OrderKey| {
                    let known = self.orders.get(*key);
                    known.is_some_and(|known| instrument.is_none_or(|id| id == known.instrument))
                };
                let keys: Vec<OrderKey> = self.orders.open().into_iter().filter(meant).collect();
                for key in keys {
                    let reason = reason.clone();
                    self.tell_unknown(now, key, OrderStep::ChangeRefused { reason });
                }
            }
            Command::Subscribe { .. } | Command::Call(_) => {}
        }
        self.end_call(now, id, Err(failure));
    }

    /// Ties the call to the requests that wait for their turn or their answer, or will.
    fn tie(&mut self, now: Time, id: CallId, tasks: &[Task]) {
        let until = now.plus(self.config.call_within);
        for task in tasks {
            let under_way = self.waiting.iter().find(|(_, w)| w.task == *task && !w.late);
            let number = under_way.map(|(number, _)| *number);
            if number.is_some() || self.will_send(*task) {
                let sent = number.is_some();
                self.calls.ties.push(Tie { id, task: *task, number, sent, until });
            }
        }
        if !self.calls.ties.iter().any(|tie| tie.id == id) {
            // Nothing had to be sent: the order was taken back before it left.
            self.end_call(now, id, Ok(receipt()));
        }
    }

    fn will_send(&self, task: Task) -> bool {
        let open = |key| self.orders.get(key).filter(|known| !known.is_final());
        if self.is_asked(task) {
            return true;
        }
        if let Task::Cancel(key) = task {
            open(key).is_some_and(|known| known.cancel.is_some())
        } else if let Task::Reduce(key) = task {
            open(key).is_some_and(|known| known.reduce.is_some())
        } else if let Task::CancelAll(instrument) = task {
            self.sweep.kept.contains(&instrument)
        } else {
            false
        }
    }

    /// The request leaves under this number.
    pub(super) fn tie_sent(&mut self, task: Task, number: i64) {
        for tie in self.calls.ties.iter_mut().filter(|tie| tie.task == task) {
            if tie.number.is_none() {
                (tie.number, tie.sent) = (Some(number), true);
            }
        }
    }

    /// The calls whose request this answer belongs to.
    pub(super) fn ties_of(&mut self, number: i64) -> Vec<CallId> {
        let ties = self.calls.untie(|tie| tie.number == Some(number));
        ties.into_iter().map(|tie| tie.id).collect()
    }

    /// The answer to the request of these calls.
    pub(super) fn ties_answered(&mut self, now: Time, ids: &[CallId], outcome: &CallOutcome) {
        for id in ids {
            if outcome.is_err() {
                drop(self.calls.untie(|tie| tie.id == *id));
            }
            if !self.calls.ties.iter().any(|tie| tie.id == *id) {
                self.end_call(now, *id, outcome.clone());
            }
        }
    }

    /// The request of these calls will not be made.
    pub(super) fn ties_unsent(
        &mut self,
        now: Time,
        task: Task,
        kind: CallFailureKind,
        message: &str,
    ) {
        let picked = |tie: &Tie| tie.task == task && tie.number.is_none();
        let ids: Vec<CallId> = self.calls.untie(picked).into_iter().map(|tie| tie.id).collect();
        self.ties_answered(now, &ids, &Err(refused(kind, message)));
    }

    /// No answer came to the request with this number, or to any. Cancels are sent again by
    /// themselves, and the next answer will do.
    pub(super) fn ties_lost(&mut self, now: Time, number: Option<i64>, why: &str) {
        let is_it = |tie: &Tie| tie.number.is_some() && (number.is_none() || tie.number == number);
        for tie in self.calls.ties.iter_mut().filter(|tie| is_it(tie)) {
            if matches!(tie.task, Task::Cancel(_)) {
                tie.number = None;
            }
        }
        let lost = self.calls.untie(is_it);
        self.ties_failed(now, lost, why);
    }

    fn ties_failed(&mut self, now: Time, ties: Vec<Tie>, why: &str) {
        // One request of several that was sent puts their call in doubt.
        let mut calls: BTreeMap<CallId, bool> = BTreeMap::new();
        for tie in ties {
            *calls.entry(tie.id).or_default() |= tie.sent;
        }
        for (id, sent) in calls {
            let failure = if sent {
                CallFailure::unknown(why)
            } else {
                refused(CallFailureKind::Unavailable, why)
            };
            self.ties_answered(now, &[id], &Err(failure));
        }
    }
}
