//! Calls by name at the simulated exchange: the order they carry acts here, and their answer comes
//! from the venue's owner.

use super::SimVenue;
use crate::base::{
    Call, CallFailure, CallFailureKind, CallId, CallOutcome, Command, Event, OrderKey, OrderStep,
    Reply, Time, VenueOrderId,
};
use crate::exchange::{Exchange, Reject, Report};
use std::collections::VecDeque;

const NO_CALLS: &str = "this simulated exchange answers no calls by name";

/// A call that has arrived at the exchange and waits for its owner's answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    pub at: Time,
    pub call: Call,
    /// What became of the order it carries: the order's number, where it is about one.
    pub done: Result<Option<VenueOrderId>, Reject>,
}

/// What the owner of a venue gets, where the owner answers its calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk {
    asked: VecDeque<Asked>,
    reports: VecDeque<Report>,
}

impl SimVenue {
    /// From now on calls wait for their owner (`take_asked`, `answer`), who also hears of what the
    /// exchange reports (`take_report`). Without an owner every call ends as `NoVenue`.
    pub fn answered_by_owner(&mut self) {
        self.desk.get_or_insert_with(Desk::default);
    }

    /// The next call that has arrived at the exchange.
    pub fn take_asked(&mut self) -> Option<Asked> {
        self.desk.as_mut()?.asked.pop_front()
    }

    /// The next thing that happened at the exchange, for an owner who answers calls.
    pub fn take_report(&mut self) -> Option<Report> {
        self.desk.as_mut()?.reports.pop_front()
    }

    /// The answer to a call leaves the exchange at `at`.
    pub fn answer(&mut self, at: Time, id: CallId, outcome: CallOutcome) {
        self.response.send(at, Event::Reply(Reply { id, outcome }));
    }

    /// Lends the exchange, and tells afterwards what was done to it.
    pub fn lend(&mut self, borrower: &mut dyn FnMut(&mut Exchange)) {
        borrower(&mut self.exchange);
        self.collect();
    }

    /// A call, and the order it carries. Where nobody answers, its order is refused with it.
    pub(super) fn ask(&mut self, now: Time, call: Call) {
        if self.desk.is_none() {
            let none = CallFailure::refused(CallFailureKind::NoVenue, NO_CALLS);
            self.answer(now, call.id, Err(none));
            if let Some(order) = &call.order
                && let Some(step) = refusal(order, NO_CALLS)
            {
                self.tell(now, step.0, step.1);
            }
            return;
        }
        let order = call.order.as_deref().cloned();
        let done = order.map_or(Ok(None), |command| self.act(now, command));
        if let Some(desk) = &mut self.desk {
            desk.asked.push_back(Asked { at: now, call, done });
        }
    }

    /// Keeps a report for the owner who answers calls.
    pub(super) fn keep(&mut self, report: &Report) {
        if let Some(desk) = &mut self.desk {
            desk.reports.push_back(report.clone());
        }
    }
}

/// What is told of the order of a command that was never carried out; `None` where no single
/// order is meant.
#[must_use]
pub fn refusal(command: &Command, reason: &str) -> Option<(OrderKey, OrderStep)> {
    let reason = reason.to_owned();
    match command {
        Command::Place(place) => Some((place.key, OrderStep::Rejected { reason })),
        Command::Cancel { key, .. }
        | Command::Replace { key, .. }
        | Command::Reduce { key, .. } => Some((*key, OrderStep::ChangeRefused { reason })),
        Command::CancelAll { .. } | Command::Subscribe { .. } | Command::Call(_) => None,
    }
}
