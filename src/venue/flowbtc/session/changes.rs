//! Replacements (FLOW-C23): asked, answered, refused, or in doubt. Each goes by its own key, so
//! that a late answer to one is never taken for another's.

use super::Session;
use super::legs::Told;
use super::line::Timer;
use super::task::Task;
use crate::base::{Decimal, OrderKey, Time};
use crate::venue::flowbtc::payload::{Refused, order_number};

impl Session {
    pub(super) fn replace(
        &mut self,
        now: Time,
        key: OrderKey,
        alias: OrderKey,
        price: Option<Decimal>,
        qty: Decimal,
    ) -> Result<(), &'static str> {
        let Some(known) = self.orders.get(key) else {
            return Err(self.unknown_order(now, key));
        };
        let refused = if known.is_final() {
            Some("ORDER_ENDED")
        } else if !self.is_live() {
            Some("VENUE_NOT_READY")
        } else if known.change().is_some() || known.reduce.is_some() {
            Some("REPLACE_PENDING")
        } else if known.cancel.is_some() {
            Some("CANCEL_PENDING")
        } else if known.told == Told::Unknown || known.venue().is_none() || known.side.is_none() {
            Some("ORDER_NOT_CONFIRMED")
        } else if self.orders.find(Some(alias.wire()), None).is_some() {
            Some("ALIAS_USED")
        } else {
            None
        };
        if let Some(reason) = refused {
            self.orders.tell_refused(now, key, reason);
            return Err(reason);
        }
        self.orders.change(key, alias, price, qty);
        self.push(now, Task::Replace(key, alias));
        Ok(())
    }

    /// The answer to CancelReplaceOrder: a number, a mere receipt, or no.
    pub(super) fn replaced(
        &mut self,
        now: Time,
        key: OrderKey,
        alias: OrderKey,
        answer: Result<&str, Refused>,
    ) {
        // The venue's events have told already, or another replacement is under way.
        if !self.is_change(key, alias) {
            return;
        }
        match answer {
            Ok(body) => match order_number(body) {
                Some(number) => self.orders.accepted(now, key, Some(number)),
                None => {
                    let timer = Timer::Replace(key, alias);
                    self.timers.set(now.plus(self.config.reply_within), timer);
                }
            },
            Err(refused) if refused.is_ambiguous() => self.unknown(now, key),
            Err(refused) => self.change_refused(now, key, &refused.text),
        }
    }

    /// A replacement was refused; its order may have been filled or canceled meanwhile.
    pub(super) fn change_refused(&mut self, now: Time, key: OrderKey, reason: &str) {
        self.orders.change_refused(now, key, reason);
        self.ask_status(now, key);
    }

    pub(super) fn check_replace(&mut self, now: Time, key: OrderKey, alias: OrderKey) {
        if self.is_change(key, alias) {
            self.unknown(now, key);
        }
    }

    /// Whether the replacement with this key is the one that the order waits for.
    pub(super) fn is_change(&self, key: OrderKey, alias: OrderKey) -> bool {
        let change = self.orders.get(key).and_then(super::legs::Known::change);
        change.is_some_and(|leg| leg.client == Some(alias))
    }
}
