//! Raw calls that carry an order's command: it is carried out as if it had come alone, and the call
//! is tied to the request which it makes.

use super::Session;
use super::calls::{MOST_CALLS, Tie};
use super::replies::receipt;
use super::task::Task;
use crate::base::{
    CallFailure, CallFailureKind, CallId, CallOutcome, Command, Fate, OrderKey, OrderStep, Time,
};
use std::collections::BTreeMap;

fn refused(kind: CallFailureKind, message: impl Into<String>) -> CallFailure {
    CallFailure::refused(kind, message)
}

impl Session {
    /// A call that does something to an order: the command as it would have come alone, and the
    /// reply to its request.
    pub(super) fn tied_call(&mut self, now: Time, id: CallId, command: Command) {
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
                tasks.push(Task::Replace(key, alias));
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
    pub(super) fn tied_refused(
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

    pub(super) fn will_send(&self, task: Task) -> bool {
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

    pub(super) fn ties_failed(&mut self, now: Time, ties: Vec<Tie>, why: &str) {
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
