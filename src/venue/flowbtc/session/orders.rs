//! The orders of ours that this session knows: news goes in by venue number or client id, in any
//! order and any number of times, and steps and fills for the engine come out once.

use super::fills::fill_of;
use super::legs::{Doubt, Known, Leg, LegState, Told, blank, end_of, leg_of};
use super::listing::Listing;
use crate::base::{
    Decimal, Event, InstrumentId, OrderKey, OrderNews, OrderStep, Place, Time, VenueOrderId,
};
use crate::venue::flowbtc::payload::{FillRow, OrderRow};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Ended orders are remembered so that late and repeated news of them finds them; at most so
/// many.
const REMEMBERED: usize = 4096;

/// An order on the book that ought not to be there.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Stray {
    /// Another took its place (a CancelReplaceOrder may leave both: FLOW-C23).
    Replaced,
    /// It had ended for us.
    GivenUp,
}

#[derive(Debug, Default)]
pub(super) struct Orders {
    known: BTreeMap<OrderKey, Known>,
    by_client: BTreeMap<OrderKey, OrderKey>,
    by_venue: BTreeMap<i64, OrderKey>,
    open: BTreeSet<OrderKey>,
    doubts: BTreeSet<OrderKey>,
    /// Orders that executed, or may have, more than we have fills for; how often we asked.
    short: BTreeMap<OrderKey, u8>,
    ended: VecDeque<OrderKey>,
    out: Vec<Event>,
}

impl Orders {
    /// News for the engine since the last call, oldest first.
    pub(super) fn take_news(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.out)
    }

    pub(super) fn get(&self, key: OrderKey) -> Option<&Known> {
        self.known.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: OrderKey) -> Option<&mut Known> {
        self.known.get_mut(&key)
    }

    /// The order of ours that has this client id or venue number.
    pub(super) fn find(&self, client: Option<i64>, venue: Option<i64>) -> Option<OrderKey> {
        let by_client = || self.by_client.get(&OrderKey::from_wire(client?)?).copied();
        venue.and_then(|id| self.by_venue.get(&id)).copied().or_else(by_client)
    }

    pub(super) fn open(&self) -> Vec<OrderKey> {
        self.open.iter().copied().collect()
    }

    pub(super) fn doubts(&self) -> &BTreeSet<OrderKey> {
        &self.doubts
    }

    pub(super) fn short(&self) -> &BTreeMap<OrderKey, u8> {
        &self.short
    }

    /// Takes up a new order; `false` if the key is known (a second SendOrder must never be).
    pub(super) fn place(&mut self, now: Time, place: &Place) -> bool {
        if self.by_client.contains_key(&place.key) {
            return false;
        }
        let mut known = blank(place.key, place.instrument, now);
        known.side = Some(place.side);
        known.kind = place.kind;
        known.stop = place.stop;
        known.post_only = place.post_only;
        known.tif = place.tif;
        if let Some(leg) = known.legs.first_mut() {
            leg.price = place.price;
            leg.qty = Some(place.qty);
        }
        self.insert(known);
        true
    }

    /// Takes up an order of before: its state is unknown until the venue says.
    pub(super) fn adopt(
        &mut self,
        key: OrderKey,
        venue: Option<VenueOrderId>,
        instrument: InstrumentId,
    ) {
        if self.known.contains_key(&key) {
            return;
        }
        let mut known = blank(key, instrument, Time::ZERO);
        known.told = Told::Unknown;
        known.doubt = Some(Doubt::default());
        if let (Some(leg), Some(venue)) = (known.legs.first_mut(), venue) {
            leg.venue = Some(venue);
            leg.state = LegState::Accepted;
            link(&mut self.by_venue, &mut known, venue);
        }
        self.insert(known);
        self.doubts.insert(key);
    }

    /// Its SendOrder goes out now.
    pub(super) fn sent(&mut self, now: Time, key: OrderKey) {
        if let Some(known) = self.known.get_mut(&key) {
            known.sent = now;
            known.told = Told::Sent;
            self.tell(now, key, OrderStep::Sent);
        }
    }

    /// It was never sent, and this is its end.
    pub(super) fn unsent(&mut self, now: Time, key: OrderKey, step: OrderStep) {
        if self.known.get(&key).is_some_and(|known| known.told == Told::Nothing) {
            self.end(now, key, step);
        }
    }

    /// Asks for a replacement under `alias`; its leg waits for the venue's word.
    pub(super) fn change(
        &mut self,
        key: OrderKey,
        alias: OrderKey,
        price: Option<Decimal>,
        qty: Decimal,
    ) {
        if let Some(known) = self.known.get_mut(&key) {
            let mut leg = Leg::new(Some(alias), None);
            leg.price = price.or_else(|| known.current().and_then(|leg| leg.price));
            leg.qty = Some(qty);
            known.legs.push(leg);
            known.aliases.push(alias);
            known.fold();
            self.by_client.insert(alias, key);
        }
    }

    /// The replacement that was asked for is not to be: the order stays as it was.
    pub(super) fn change_refused(&mut self, now: Time, key: OrderKey, reason: &str) {
        let Some(known) = self.known.get_mut(&key) else { return };
        if let Some(leg) = known.legs.get_mut(known.current + 1) {
            leg.reach(LegState::Rejected, reason);
            self.settle(now, key);
        }
    }

    /// The venue answered a SendOrder or a CancelReplaceOrder: received, under this number.
    pub(super) fn accepted(&mut self, now: Time, key: OrderKey, venue: Option<i64>) {
        let Some(known) = self.known.get_mut(&key) else { return };
        let id = venue.map(VenueOrderId);
        let taken = id.is_some() && known.legs.iter().any(|leg| leg.venue == id);
        if let Some(leg) = known.legs.last_mut()
            && !taken
            && leg.venue.is_none()
        {
            leg.venue = id;
            leg.reach(LegState::Accepted, "");
        }
        if let Some(venue) = id {
            link(&mut self.by_venue, known, venue);
        }
        self.settled_doubt(key);
        self.settle(now, key);
    }

    /// The venue refused the order, or the replacement, that has this client id.
    pub(super) fn refused(&mut self, now: Time, client: OrderKey, reason: &str) {
        let Some(key) = self.by_client.get(&client).copied() else { return };
        let Some(known) = self.known.get_mut(&key) else { return };
        if let Some(leg) = known.legs.iter_mut().find(|leg| leg.client == Some(client)) {
            leg.reach(LegState::Rejected, reason);
            self.settled_doubt(key);
            self.settle(now, key);
        }
    }

    /// Takes an order row of the venue; the key if it is one of ours.
    pub(super) fn row(&mut self, now: Time, row: &OrderRow) -> Option<OrderKey> {
        let key = self
            .find(row.client, Some(row.id))
            .or_else(|| self.find(row.origin_client, row.origin))?;
        let known = self.known.get_mut(&key)?;
        let at = leg_of(known, row)?;
        known.side = known.side.or(row.side);
        if known.told == Told::Unknown && known.legs.iter().all(|leg| leg.qty.is_none()) {
            known.kind = row.kind.unwrap_or(known.kind);
        }
        let leg = known.legs.get_mut(at)?;
        let before = leg.qty;
        leg.learn(row);
        let is_smaller = leg.qty < before;
        link(&mut self.by_venue, known, VenueOrderId(row.id));
        self.settled_doubt(key);
        self.settle(now, key);
        if is_smaller {
            self.smaller(now, key, at);
        }
        Some(key)
    }

    /// The venue shows a smaller quantity than before: the engine hears what is open now, as far
    /// as it knows the fills.
    fn smaller(&mut self, now: Time, key: OrderKey, at: usize) {
        let Some(known) = self.known.get_mut(&key) else { return };
        if at != known.current || known.told < Told::Accepted {
            return;
        }
        known.reduce = None;
        let Some(leg) = known.current().filter(|leg| !leg.state.is_end()) else { return };
        let (Some(venue_id), Some(qty)) = (leg.venue, leg.qty) else { return };
        let (price, remaining) = (leg.price, qty - leg.traded);
        if remaining > Decimal::ZERO {
            self.tell(now, key, OrderStep::Replaced { venue_id, price, remaining });
        }
    }

    /// Why an order of ours that the venue has on its book ought not to be there, if so.
    pub(super) fn stray(&self, key: OrderKey, venue: i64) -> Option<Stray> {
        let known = self.known.get(&key)?;
        let venue = Some(VenueOrderId(venue));
        let at = known.legs.iter().position(|leg| leg.venue == venue)?;
        let ended = known.legs.get(at)?.state.is_end();
        if at < known.current {
            Some(Stray::Replaced)
        } else if known.is_final() && !ended {
            Some(Stray::GivenUp)
        } else {
            None
        }
    }

    /// Takes a fill of the venue, once; `None` if it is not of an order of ours.
    pub(super) fn fill(&mut self, now: Time, row: &FillRow, listing: &Listing) -> Option<OrderKey> {
        let key = self.find(row.client, row.order)?;
        let known = self.known.get_mut(&key)?;
        if known.fills.contains(&row.trade) {
            return Some(key);
        }
        let side = row.side.or(known.side)?;
        let client = row.client.and_then(OrderKey::from_wire);
        let venue = row.order.map(VenueOrderId);
        let legs = &mut known.legs;
        let at = legs
            .iter()
            .position(|leg| leg.venue.is_some() && leg.venue == venue)
            .or_else(|| legs.iter().position(|leg| client.is_some() && leg.client == client));
        known.side = Some(side);
        if let Some(leg) = at.and_then(|at| legs.get_mut(at)) {
            leg.venue = leg.venue.or(venue);
            if let Some(venue) = leg.venue {
                leg.reach(LegState::Accepted, "");
                link(&mut self.by_venue, known, venue);
            }
        }
        self.settled_doubt(key);
        self.settle(now, key);
        let known = self.known.get_mut(&key)?;
        let fill = fill_of(now, known, at, row, listing)?;
        if let Some(step) = known.enlarged(at, row.qty) {
            self.out.push(Event::Order(OrderNews { key, time: now, step }));
        }
        known.fills.insert(row.trade);
        known.filled += row.qty;
        if let Some(leg) = at.and_then(|at| known.legs.get_mut(at)) {
            leg.trade(row.qty);
        }
        self.out.push(Event::Fill(fill));
        self.settle(now, key);
        Some(key)
    }

    /// Its answer is lost: the engine is told, and its fate must be found out.
    pub(super) fn lost(&mut self, now: Time, key: OrderKey) {
        let Some(known) = self.known.get_mut(&key) else { return };
        if known.is_final() {
            return;
        }
        known.doubt.get_or_insert_default();
        self.doubts.insert(key);
        if known.told != Told::Unknown {
            known.told = Told::Unknown;
            self.tell(now, key, OrderStep::Lost);
        }
    }

    /// Its fate must be checked; the engine goes on believing what it was told.
    pub(super) fn doubt(&mut self, key: OrderKey) {
        if let Some(known) = self.known.get_mut(&key)
            && !known.is_final()
            && known.told > Told::Nothing
        {
            known.doubt.get_or_insert_default();
            self.doubts.insert(key);
        }
    }

    /// Looks of an earlier connection do not count: two on one connection are needed.
    pub(super) fn restart_looks(&mut self) {
        for key in &self.doubts {
            if let Some(known) = self.known.get_mut(key) {
                known.doubt = Some(Doubt::default());
            }
        }
    }

    /// A look found it nowhere. The second time this is the answer: it is not at the venue.
    pub(super) fn absent(&mut self, now: Time, key: OrderKey) {
        let Some(known) = self.known.get_mut(&key) else { return };
        let Some(doubt) = known.doubt.as_mut() else { return };
        doubt.absent += 1;
        if doubt.absent < 2 {
            return;
        }
        known.doubt = None;
        self.doubts.remove(&key);
        if known.change().is_some() {
            self.change_refused(now, key, "NOT_PLACED");
            // The order itself may be gone as well.
            return self.doubt(key);
        }
        let was_there = known.filled > Decimal::ZERO || known.told == Told::Working;
        let step = match known.current().map(|leg| leg.state) {
            Some(LegState::Asked | LegState::Accepted) if !was_there => {
                OrderStep::Rejected { reason: "NOT_PLACED".to_owned() }
            }
            _ => OrderStep::Canceled { filled: known.executed(), reason: "NOT_FOUND".to_owned() },
        };
        self.end(now, key, step);
    }

    /// The venue does not know a replaced leg any more: nothing more can come of it.
    pub(super) fn leg_gone(&mut self, now: Time, venue: VenueOrderId) {
        let Some(key) = self.find(None, Some(venue.0)) else { return };
        if let Some(known) = self.known.get_mut(&key)
            && let Some(leg) = known.legs.iter_mut().find(|leg| leg.venue == Some(venue))
        {
            leg.reach(LegState::Canceled, "");
            self.settle(now, key);
        }
    }

    /// Counts a vain question for the missing fills; after the fifth the order ends without them.
    /// Returns whether it gave up.
    pub(super) fn still_short(&mut self, now: Time, key: OrderKey) -> bool {
        let Some(asked) = self.short.get_mut(&key) else { return false };
        *asked += 1;
        if *asked < 5 {
            return false;
        }
        self.short.remove(&key);
        if let Some(known) = self.known.get_mut(&key) {
            known.forced = true;
        }
        self.settle(now, key);
        true
    }

    /// A change or a cancel of it was refused; the order itself stays as it was.
    pub(super) fn tell_refused(&mut self, now: Time, key: OrderKey, reason: &str) {
        self.tell(now, key, OrderStep::ChangeRefused { reason: reason.to_owned() });
    }

    /// Says of the order what has not been said yet.
    fn settle(&mut self, now: Time, key: OrderKey) {
        self.settle_legs(now, key);
        let Some(known) = self.known.get_mut(&key) else { return };
        let (total, short) = (known.executed(), known.is_short());
        if !short {
            self.short.remove(&key);
        } else if !known.is_final() {
            self.short.entry(key).or_insert(0);
        }
        let pending = known.change().is_some();
        let Some(leg) = known.current() else { return };
        let step = match (leg.state, leg.venue) {
            (LegState::Accepted, Some(venue_id)) if known.told < Told::Accepted && !pending => {
                known.told = Told::Accepted;
                OrderStep::Accepted { venue_id }
            }
            (LegState::Working, Some(venue_id))
                if known.told < Told::Working && !(pending && known.told == Told::Unknown) =>
            {
                known.told = Told::Working;
                OrderStep::Working { venue_id }
            }
            (LegState::Asked | LegState::Accepted | LegState::Working, _) => return,
            // Canceled to make room for a replacement whose fate is not known yet.
            (LegState::Canceled, _) if pending => return,
            (LegState::Filled | LegState::Canceled | LegState::Expired | LegState::Rejected, _) => {
                if short {
                    return;
                }
                let step = end_of(leg, total);
                return self.end(now, key, step);
            }
        };
        self.tell(now, key, step);
    }

    /// Goes on to the replacement once the venue has it, or forgets it once refused.
    fn settle_legs(&mut self, now: Time, key: OrderKey) {
        while let Some(known) = self.known.get_mut(&key)
            && !known.is_final()
            && let Some(next) = known.legs.get(known.current + 1)
        {
            let step = match (next.state, next.venue) {
                (LegState::Asked, _) => return,
                (LegState::Rejected, _) => {
                    let reason = next.reason.clone();
                    known.legs.remove(known.current + 1);
                    OrderStep::ChangeRefused { reason }
                }
                (_, Some(venue_id)) => {
                    let remaining = next.qty.or(next.remaining).unwrap_or_default();
                    let step = OrderStep::Replaced { venue_id, price: next.price, remaining };
                    known.current += 1;
                    known.told = Told::Working;
                    known.cancel = known.cancel.map(|_| 0);
                    step
                }
                (_, None) => return,
            };
            self.tell(now, key, step);
        }
    }

    /// Seen at the venue: no doubt any more, unless it is the replacement that is sought.
    fn settled_doubt(&mut self, key: OrderKey) {
        if let Some(known) = self.known.get_mut(&key)
            && !known.is_unanswered()
        {
            known.doubt = None;
            self.doubts.remove(&key);
        }
    }

    fn tell(&mut self, now: Time, key: OrderKey, step: OrderStep) {
        self.out.push(Event::Order(OrderNews { key, time: now, step }));
    }

    fn end(&mut self, now: Time, key: OrderKey, step: OrderStep) {
        let Some(known) = self.known.get_mut(&key) else { return };
        if known.is_final() {
            return;
        }
        known.told = Told::Final;
        known.cancel = None;
        known.doubt = None;
        known.reduce = None;
        self.doubts.remove(&key);
        self.short.remove(&key);
        self.open.remove(&key);
        self.ended.push_back(key);
        self.tell(now, key, step);
        if self.ended.len() > REMEMBERED {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(known) = self.ended.pop_front().and_then(|key| self.known.remove(&key)) else {
            return;
        };
        for alias in known.aliases {
            self.by_client.remove(&alias);
        }
        for number in known.numbers {
            self.by_venue.remove(&number);
        }
    }

    fn insert(&mut self, known: Known) {
        self.by_client.insert(known.key, known.key);
        self.open.insert(known.key);
        self.known.insert(known.key, known);
    }
}

fn link(by_venue: &mut BTreeMap<i64, OrderKey>, known: &mut Known, venue: VenueOrderId) {
    known.numbers.insert(venue.0);
    by_venue.insert(venue.0, known.key);
}
