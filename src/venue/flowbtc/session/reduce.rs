//! Making a working order smaller (FLOW-C22): ModifyOrder with the order's revision of now, and
//! the news that show whether it had its effect. It keeps the order's number and its place.

use super::Session;
use super::legs::Told;
use super::line::Timer;
use super::task::Task;
use crate::base::{CallFailureKind, Decimal, OrderKey, Time};
use crate::venue::flowbtc::payload::Refused;
use crate::venue::flowbtc::request;

/// How often ModifyOrder is sent for one reduction, each time with a fresh revision (Part D).
const TRIES: u8 = 2;

/// How often the venue is asked how the order stands before the reduction is given up.
const LOOKS: u8 = 4;

/// A reduction under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reduce {
    /// The new open quantity.
    open: Decimal,
    /// The new whole quantity, once it is sent.
    whole: Option<Decimal>,
    /// The revision it was sent with.
    revision: Option<i64>,
    tries: u8,
    looks: u8,
    refused: Option<String>,
}

impl Session {
    /// `qty` is the new open quantity.
    pub(super) fn reduce(
        &mut self,
        now: Time,
        key: OrderKey,
        qty: Decimal,
    ) -> Result<(), &'static str> {
        let Some(known) = self.orders.get(key) else {
            return Err(self.unknown_order(now, key));
        };
        let open = known.current().and_then(|leg| Some(leg.qty? - leg.traded));
        let refused = if known.is_final() {
            Some("ORDER_ENDED")
        } else if !self.is_live() {
            Some("VENUE_NOT_READY")
        } else if known.change().is_some() || known.reduce.is_some() {
            Some("CHANGE_PENDING")
        } else if known.cancel.is_some() {
            Some("CANCEL_PENDING")
        } else if known.told == Told::Unknown || known.venue().is_none() || open.is_none() {
            Some("ORDER_NOT_CONFIRMED")
        } else if qty <= Decimal::ZERO || open.is_some_and(|open| qty >= open) {
            Some("NOT_SMALLER")
        } else if self.listing.page(known.instrument).is_none() {
            Some("INSTRUMENT_NOT_TRADED")
        } else {
            None
        };
        if let Some(reason) = refused {
            self.orders.tell_refused(now, key, reason);
            return Err(reason);
        }
        let told = known.current().is_some_and(|leg| leg.revision.is_some());
        if let Some(known) = self.orders.get_mut(key) {
            known.reduce = Some(Reduce {
                open: qty,
                whole: None,
                revision: None,
                tries: 0,
                looks: 0,
                refused: None,
            });
        }
        if told {
            self.push(now, Task::Reduce(key));
        } else {
            self.check_reduce(now, key);
        }
        Ok(())
    }

    /// The body of ModifyOrder when its turn has come.
    pub(super) fn reduce_body(&mut self, now: Time, key: OrderKey) -> Option<String> {
        let known = self.orders.get_mut(key).filter(|known| !known.is_final())?;
        let (page, venue) = (self.listing.page(known.instrument)?, known.venue()?);
        let executed = known.current().map(|leg| leg.executed.max(leg.traded))?;
        let revision = known.current().and_then(|leg| leg.revision).unwrap_or(0);
        let reduce = known.reduce.as_mut()?;
        // Repeated, it asks for the same whole: a fill meanwhile does not enlarge it.
        let whole = *reduce.whole.get_or_insert(executed + reduce.open);
        reduce.revision = Some(revision);
        reduce.tries = reduce.tries.saturating_add(1);
        reduce.refused = None;
        self.timers.set(now.plus(self.config.reply_within), Timer::Reduce(key));
        Some(request::modify_order(venue, page, revision, whole))
    }

    /// The answer to ModifyOrder: a receipt, or a no.
    pub(super) fn reduce_answered(&mut self, now: Time, key: OrderKey, answer: Option<Refused>) {
        let Some(refused) = answer else { return };
        if let Some(reduce) = self.orders.get_mut(key).and_then(|known| known.reduce.as_mut())
            && !refused.is_ambiguous()
        {
            reduce.refused = Some(refused.text);
        }
        self.check_reduce(now, key);
    }

    /// How does the order stand? Its revision, or whether the reduction had its effect.
    pub(super) fn check_reduce(&mut self, now: Time, key: OrderKey) {
        let Some(reduce) = self.orders.get_mut(key).and_then(|known| known.reduce.as_mut()) else {
            return;
        };
        reduce.looks = reduce.looks.saturating_add(1);
        if reduce.looks > LOOKS {
            return self.reduce_failed(now, key, "REDUCE_FAILED");
        }
        self.ask_status(now, key);
        self.timers.set(now.plus(self.config.reply_within), Timer::Reduce(key));
    }

    /// The venue showed how the order stands, and it is as large as it was.
    pub(super) fn reduce_on(&mut self, now: Time, key: OrderKey) {
        let Some(known) = self.orders.get(key) else { return };
        let Some(reduce) = known.reduce.clone() else { return };
        if known.told == Told::Unknown || self.is_asked(Task::Reduce(key)) {
            return;
        }
        let revision = known.current().and_then(|leg| leg.revision);
        let is_fresh = revision.is_some() && revision != reduce.revision;
        let may_again = match &reduce.refused {
            Some(_) => is_fresh,
            None => true,
        };
        if reduce.tries == 0 || (may_again && reduce.tries < TRIES) {
            return self.push(now, Task::Reduce(key));
        }
        let reason = reduce.refused.unwrap_or_else(|| "REDUCE_FAILED".to_owned());
        self.reduce_failed(now, key, &reason);
    }

    /// It is not to be: the order stays as it is.
    pub(super) fn reduce_failed(&mut self, now: Time, key: OrderKey, reason: &str) {
        let pending = self.orders.get_mut(key).and_then(|known| known.reduce.take());
        if pending.is_some() {
            self.orders.tell_refused(now, key, reason);
            self.ties_unsent(now, Task::Reduce(key), CallFailureKind::Rejected, reason);
        }
    }

    /// After the login: reductions whose effect was not seen before the line went down.
    pub(super) fn resume_reductions(&mut self, now: Time) {
        for key in self.orders.open() {
            self.check_reduce(now, key);
        }
    }
}
