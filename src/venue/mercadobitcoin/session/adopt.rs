//! Orders of an earlier run, and open orders that are nobody's.

use super::Session;
use super::line::Task;
use super::orders::Held;
use crate::base::{InstrumentId, OrderKey, OrderStep, Place, Time, VenueOrderId};
use crate::calls::Priority;
use crate::venue::mercadobitcoin::wire;

impl Session {
    /// Takes up an order of an earlier run. Once ready the session finds out by its number what
    /// became of it and says so; fills may be told again, with the operation numbers they had.
    /// Without a number the venue cannot be asked (MB-C03 has no client id): it stays unknown, and
    /// the operator is told. Where what was asked is still known, use `adopt_lost`.
    pub fn adopt(
        &mut self,
        key: OrderKey,
        venue_id: Option<VenueOrderId>,
        instrument: InstrumentId,
    ) {
        let mut held = Held::new(instrument, None);
        held.adopted = true;
        held.id = venue_id.map(|id| id.0);
        if let Some(id) = held.id {
            self.line.seat.claim(id);
        }
        self.orders.insert(key, held);
        self.look_at_adopted();
    }

    /// Takes up an order of an earlier run whose Trade left at `sent` and was never answered: a
    /// list with a larger tonce has it, or it was never placed (Part D).
    pub fn adopt_lost(&mut self, place: Place, sent: Time) {
        let key = place.key;
        let mut held = Held::new(place.instrument, Some(place));
        (held.adopted, held.sent_at) = (true, sent);
        self.orders.insert(key, held);
        self.look_at_adopted();
    }

    /// Finds out about the orders of earlier runs that were not seen yet.
    pub(super) fn look_at_adopted(&mut self) {
        if !self.ready {
            return;
        }
        let adopted = self.orders.iter().filter(|(_, held)| held.adopted);
        let rows: Vec<_> = adopted.map(|(key, held)| (*key, held.id, held.place.clone())).collect();
        for (key, id, place) in rows {
            match (id, place) {
                (Some(_), _) => self.line.push_once(Priority::Reconcile, Task::Look(key)),
                (None, Some(_)) => self.line.push_once(Priority::Reconcile, Task::Fence(key, 0)),
                (None, None) => {
                    let text = "has no number: compare the venue's list of orders by hand";
                    self.note(&format!("order {key} of an earlier run {text}"));
                    self.step(key, OrderStep::Lost);
                }
            }
        }
    }

    /// Tells of open orders that no run of ours is known to have placed.
    pub(super) fn note_strangers(&mut self, orders: &[wire::Order]) {
        let ours = |id: i64| self.orders.values().any(|held| held.id == Some(id));
        let open = orders.iter().filter(|order| order.status == wire::Status::Active);
        let strangers: Vec<String> =
            open.filter(|order| !ours(order.id)).map(|order| order.id.to_string()).collect();
        if !strangers.is_empty() {
            let numbers = strangers.join(", ");
            self.note(&format!("open orders that are not of this run: {numbers}"));
        }
    }
}
