//! The session's orders: placing, canceling, what lists say of them, and the fence behind which a
//! lost Trade is either in the list or can never be accepted (Part D).

use super::line::Task;
use super::{Session, rejected};
use crate::base::{
    CallFailure, CallFailureKind, Decimal, Event, Fill, InstrumentId, Liquidity, OrderKey,
    OrderKind, OrderStep, Place, Side, Tif, Time, VenueOrderId, VenueOut,
};
use crate::calls::{Priority, mercadobitcoin as calls};
use crate::venue::mercadobitcoin::user::Shape;
use crate::venue::mercadobitcoin::wire::{self, Order, Status, WireError};
use std::collections::BTreeSet;

/// An order of ours that is not final.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub instrument: InstrumentId,
    /// What was asked; not known of an order of an earlier run.
    pub place: Option<Place>,
    /// The venue's number, once known.
    pub id: Option<i64>,
    /// The server's time when the Trade left.
    pub sent_at: Time,
    /// The venue's own no, to be believed once a list agrees.
    pub refusal: Option<String>,
    pub cancel_wanted: bool,
    /// Cancels that were sent and not answered.
    pub cancels_lost: u32,
    /// The venue's no to a cancel, until a list says how the order stands.
    pub cancel_refusal: Option<String>,
    /// Of an earlier run, and not yet seen in this one.
    pub adopted: bool,
    /// Operations already told as fills.
    told: BTreeSet<i64>,
}

impl Held {
    pub fn new(instrument: InstrumentId, place: Option<Place>) -> Held {
        Held {
            instrument,
            place,
            id: None,
            sent_at: Time::ZERO,
            refusal: None,
            cancel_wanted: false,
            cancels_lost: 0,
            cancel_refusal: None,
            adopted: false,
            told: BTreeSet::new(),
        }
    }
}

impl Session {
    pub(super) fn place(&mut self, place: Place) {
        let key = place.key;
        if let Some(reason) = self.objection(&place) {
            let kind = match self.ready {
                true => CallFailureKind::Rejected,
                false => CallFailureKind::Unavailable,
            };
            self.answer_place(key, Err(CallFailure::refused(kind, reason.clone())));
            return self.step(key, OrderStep::Rejected { reason });
        }
        let deadline = self.now.plus(self.config.patience);
        self.orders.insert(key, Held::new(place.instrument, Some(place)));
        self.line.push(Priority::New, deadline, Task::Trade(key));
    }

    /// What the venue can tell the order by.
    pub(super) fn shape(&self, key: OrderKey) -> Option<Shape> {
        let place = self.orders.get(&key)?.place.as_ref()?;
        Some((self.pair(place.instrument)?, place.side, place.price?, place.qty))
    }

    /// It is over; nothing of it is in doubt any more.
    pub(super) fn end_order(&mut self, key: OrderKey) -> Option<Held> {
        let held = self.orders.remove(&key)?;
        if held.id.is_none() {
            self.line.seat.doubt(None);
        }
        Some(held)
    }

    /// Why an order cannot go, before it costs a request.
    fn objection(&self, place: &Place) -> Option<String> {
        let unsupported = |what: &str| Some(format!("VENUE_UNSUPPORTED what={what}"));
        if !self.ready {
            return Some("VENUE_NOT_READY".to_owned());
        }
        if self.orders.contains_key(&place.key) {
            return Some("ORDER_REPEATED".to_owned());
        }
        match place.kind {
            OrderKind::Limit => {}
            OrderKind::Market => return unsupported("market"),
            OrderKind::Stop | OrderKind::StopLimit => return unsupported("stop"),
        }
        if place.tif != Tif::Gtc || place.post_only {
            return unsupported(if place.post_only { "post_only" } else { place.tif.word() });
        }
        if place.price.and_then(|price| wire::fixed(price, wire::PRICE_PLACES)).is_none() {
            return Some("ORDER_BAD_PRICE places=5".to_owned());
        }
        if wire::fixed(place.qty, wire::VOLUME_PLACES).is_none() {
            return Some("ORDER_BAD_QTY places=8".to_owned());
        }
        match self.pair(place.instrument).as_deref() {
            Some("btc_brl" | "ltc_brl") => None,
            Some(_) | None => Some("VENUE_NO_INSTRUMENT".to_owned()),
        }
    }

    pub(super) fn cancel(&mut self, key: OrderKey) {
        let Some(held) = self.orders.get_mut(&key) else {
            let reason = "ORDER_UNKNOWN".to_owned();
            self.answer_cancels(key, &Err(rejected(&reason)));
            return self.step(key, OrderStep::ChangeRefused { reason });
        };
        let known = held.id.is_some();
        held.cancel_wanted = true;
        if known {
            return self.line.push_once(Priority::Cancel, Task::Cancel(key));
        }
        if self.line.take(&Task::Trade(key)) {
            self.end_order(key);
            let reason = "before it was sent".to_owned();
            self.answer_place(key, Err(rejected("canceled before it was sent")));
            self.answer_cancels(key, &Err(rejected("the order was never sent")));
            self.step(key, OrderStep::Canceled { filled: Decimal::ZERO, reason });
        }
    }

    pub(super) fn trade_leaves(&mut self, key: OrderKey) {
        let sent_at = self.line.server_time(self.now);
        if let Some(held) = self.orders.get_mut(&key) {
            held.sent_at = sent_at;
        }
        self.line.seat.doubt(self.shape(key));
        self.step(key, OrderStep::Sent);
    }

    /// Nothing new goes before this is known: the fence is served before any Trade, one at a
    /// time, so no second order like it can be in doubt.
    pub(super) fn trade_lost(&mut self, key: OrderKey, refusal: Option<String>) {
        let Some(held) = self.orders.get_mut(&key) else { return };
        let instrument = held.instrument;
        held.refusal = refusal;
        if held.refusal.is_none() {
            self.answer_place(key, Err(CallFailure::unknown("no usable answer to Trade")));
            self.step(key, OrderStep::Lost);
        }
        let pair = self.pair(instrument).unwrap_or_default();
        let from = self.highest.get(&pair).map_or(0, |highest| highest.saturating_add(1));
        self.line.push_once(Priority::Reconcile, Task::Fence(key, from));
    }

    pub(super) fn traded(&mut self, key: OrderKey, text: &str) {
        match wire::orders(text) {
            Ok(orders) => match orders.as_slice() {
                [order] if self.is_like(key, order) => {
                    let order = order.clone();
                    self.answer_place(key, super::reply_of(&calls::TRADE, text, Some(order.id)));
                    self.found(key, &order);
                }
                _ => self.trade_lost(key, None),
            },
            Err(WireError::Refused(reason)) => self.trade_lost(key, Some(reason)),
            Err(WireError::NotAReply(_) | WireError::Missing { .. } | WireError::Bad { .. }) => {
                self.trade_lost(key, None)
            }
        }
    }

    fn is_like(&self, key: OrderKey, order: &Order) -> bool {
        let same =
            |shape: Shape| shape == (order.pair.clone(), order.side, order.price, order.volume);
        self.shape(key).is_some_and(same)
    }

    /// The list that came with a larger tonce: the Trade is in it, or was never accepted.
    pub(super) fn fenced(&mut self, key: OrderKey, from: i64, text: &str) {
        let orders = match wire::orders(text) {
            Ok(orders) => orders,
            Err(error) => {
                self.note(&format!("OrderList: {error}"));
                let task = Task::Fence(key, from);
                return self.line.push_once(Priority::Reconcile, task);
            }
        };
        let Some(held) = self.orders.get(&key) else { return };
        let earliest = held.sent_at.minus(self.config.skew);
        let taken: BTreeSet<i64> = self.orders.values().filter_map(|held| held.id).collect();
        let matches = |order: &&Order| {
            let free = !taken.contains(&order.id) && !self.line.seat.is_claimed(order.id);
            order.created >= earliest && free && self.is_like(key, order)
        };
        let found = orders.iter().find(matches).cloned();
        let last = orders.iter().map(|order| order.id).max();
        if let Some(order) = found {
            orders.iter().for_each(|order| self.seen(order));
            self.answer_place(key, super::reply_of(&calls::TRADE, text, Some(order.id)));
            return self.found(key, &order);
        }
        if let (true, Some(last)) = (orders.len() >= wire::LIST_CAP, last) {
            let task = Task::Fence(key, last.saturating_add(1));
            return self.line.push_once(Priority::Reconcile, task);
        }
        orders.iter().for_each(|order| self.seen(order));
        let reason = self.end_order(key).and_then(|held| held.refusal);
        let reason = reason.unwrap_or_else(|| "NOT_PLACED".to_owned());
        self.answer_place(key, Err(rejected(&reason)));
        self.answer_cancels(key, &Err(rejected("the order was not placed")));
        self.step(key, OrderStep::Rejected { reason });
    }

    /// The venue has it, under this number.
    fn found(&mut self, key: OrderKey, order: &Order) {
        self.seen(order);
        let Some(held) = self.orders.get_mut(&key) else { return };
        held.id = Some(order.id);
        self.line.seat.claim(order.id);
        self.line.seat.doubt(None);
        held.refusal = None;
        let wanted = held.cancel_wanted;
        // MB-F05: the page's own example of a Trade says `canceled`, so only a list is believed.
        let venue_id = VenueOrderId(order.id);
        self.step(key, OrderStep::Working { venue_id });
        self.fills(key, order);
        match order.status {
            Status::Active if wanted => {
                self.line.push_once(Priority::Cancel, Task::Cancel(key));
            }
            Status::Active => {}
            Status::Canceled | Status::Completed => {
                self.line.push_once(Priority::Reconcile, Task::Look(key));
            }
        }
        self.look_later();
    }

    /// MB-F05, MB-P04: whatever state the reply prints, a list decides.
    pub(super) fn canceled(&mut self, key: OrderKey, text: &str) {
        match wire::orders(text) {
            Ok(_) => self.answer_cancels(key, &super::reply_of(&calls::CANCEL_ORDER, text, None)),
            Err(WireError::Refused(reason)) => {
                self.note(&format!("CancelOrder: {reason}"));
                match self.orders.get_mut(&key) {
                    Some(held) => held.cancel_refusal = Some(reason),
                    None => self.answer_cancels(key, &Err(rejected(&reason))),
                }
            }
            Err(error) => {
                if let Some(held) = self.orders.get_mut(&key) {
                    held.cancels_lost = held.cancels_lost.saturating_add(1);
                    held.cancel_refusal = Some(error.to_string());
                }
            }
        }
        self.line.push_once(Priority::Reconcile, Task::Look(key));
    }

    /// A cancel's answer is lost; it goes again. Whoever asked learns after a few that nobody
    /// knows.
    pub(super) fn cancel_lost(&mut self, key: OrderKey, failure: &CallFailure) {
        let Some(held) = self.orders.get_mut(&key) else { return };
        held.cancels_lost = held.cancels_lost.saturating_add(1);
        if held.cancels_lost >= super::raw::MOST_TRIES {
            let failure = CallFailure { fate: crate::base::Fate::Unknown, ..failure.clone() };
            self.answer_cancels(key, &Err(failure));
        }
    }

    /// What a list says of an order whose cancel the venue refused: a cancel before it, of which
    /// the answer was lost, may have been carried out.
    fn cancel_decided(&mut self, key: OrderKey, order: &Order, text: &str) {
        let Some(held) = self.orders.get_mut(&key) else { return };
        let Some(reason) = held.cancel_refusal.take() else { return };
        let by_us = order.status == Status::Canceled && held.cancels_lost > 0;
        let outcome = match by_us {
            true => super::reply_of(&calls::CANCEL_ORDER, text, Some(order.id)),
            false => Err(rejected(&reason)),
        };
        self.answer_cancels(key, &outcome);
    }

    pub(super) fn looked_at(&mut self, key: OrderKey, text: &str) {
        let Some(id) = self.orders.get(&key).and_then(|held| held.id) else { return };
        let order = match wire::orders(text) {
            Ok(orders) => orders.into_iter().find(|order| order.id == id),
            Err(error) => {
                self.note(&format!("OrderList: {error}"));
                let again = Session::is_no_answer(&error);
                if again {
                    self.line.push_once(Priority::Reconcile, Task::Look(key));
                }
                return self.look_later();
            }
        };
        let Some(order) = order else {
            self.note("an order of ours is not in the list; looking again");
            return self.look_later();
        };
        self.apply(key, &order, text);
        if let Some(held) = self.orders.get_mut(&key).filter(|held| held.cancel_wanted) {
            (held.cancel_wanted, held.cancels_lost) = (false, 0);
            let reason = "the venue did not cancel it".to_owned();
            self.step(key, OrderStep::ChangeRefused { reason });
        }
    }

    /// A regular list of the open orders. One that is cut off (MB-P08) may lack some of ours.
    pub(super) fn looked(&mut self, text: &str) {
        match wire::orders(text) {
            Ok(orders) => {
                let listed: BTreeSet<i64> = orders.iter().map(|order| order.id).collect();
                for order in &orders {
                    let ours = self.orders.iter().find(|(_, held)| held.id == Some(order.id));
                    if let Some(key) = ours.map(|(key, _)| *key) {
                        self.apply(key, order, text);
                    }
                    self.seen(order);
                }
                if orders.len() >= wire::LIST_CAP {
                    let lacks = |id: i64| !listed.contains(&id);
                    let orders = self.orders.iter();
                    let missing = orders.filter(|(_, held)| held.id.is_some_and(lacks));
                    let missing: Vec<OrderKey> = missing.map(|(key, _)| *key).collect();
                    for key in missing {
                        self.line.push_once(Priority::Query, Task::Look(key));
                    }
                }
            }
            Err(error) => self.note(&format!("OrderList: {error}")),
        }
        self.look_later();
    }

    pub(super) fn look_at_orders(&mut self) {
        let open = self.orders.values().filter(|held| held.id.is_some());
        let instruments: BTreeSet<_> = open.map(|held| held.instrument).collect();
        for id in instruments {
            self.line.push_once(Priority::Query, Task::Open(id));
        }
    }

    pub(super) fn look_later(&mut self) {
        if !self.orders.is_empty() && self.look_at.is_none() {
            self.look_at = Some(self.now.plus(self.config.look_every));
        }
    }

    pub(super) fn seen(&mut self, order: &Order) {
        let highest = self.highest.entry(order.pair.clone()).or_insert(0);
        *highest = order.id.max(*highest);
    }

    /// What a list says of an order whose number we know.
    fn apply(&mut self, key: OrderKey, order: &Order, text: &str) {
        if let Some(held) = self.orders.get_mut(&key).filter(|held| held.adopted) {
            held.adopted = false;
            if order.status == Status::Active {
                self.step(key, OrderStep::Working { venue_id: VenueOrderId(order.id) });
            }
        }
        self.fills(key, order);
        self.cancel_decided(key, order, text);
        let filled: Decimal = order.operations.iter().map(|operation| operation.volume).sum();
        let step = match order.status {
            Status::Active => return,
            // MB-F10: the state is believed, whether or not all operations are listed.
            Status::Completed => OrderStep::Filled { filled: order.volume },
            Status::Canceled => OrderStep::Canceled { filled, reason: String::new() },
        };
        self.end_order(key);
        self.step(key, step);
        self.line.push_once(Priority::Query, Task::Info);
    }

    fn fills(&mut self, key: OrderKey, order: &Order) {
        let Some(held) = self.orders.get_mut(&key) else { return };
        let instrument = held.instrument;
        let row = self.config.instruments.get(instrument);
        let (base, quote) =
            row.map(|row| (row.base.clone(), row.quote.clone())).unwrap_or_default();
        let mut news = Vec::new();
        for operation in &order.operations {
            if !held.told.insert(operation.id) {
                continue;
            }
            // MB-F13: a percentage, by custom of what is received; so an estimate.
            let (received, asset) = match order.side {
                Side::Buy => (operation.volume, &base),
                Side::Sell => (operation.volume * operation.price, &quote),
            };
            // Who came second took: an order that traded the second it was made.
            let took = operation.created <= order.created;
            news.push(Fill {
                order: key,
                instrument,
                side: order.side,
                price: operation.price,
                qty: operation.volume,
                fee: received * operation.rate / Decimal::ONE_HUNDRED,
                fee_asset: asset.clone(),
                fee_estimated: true,
                liquidity: if took { Liquidity::Taker } else { Liquidity::Maker },
                trade_id: operation.id,
                time: operation.created,
            });
        }
        let news = news.into_iter().map(|fill| VenueOut::Event(Event::Fill(fill)));
        self.out.extend(news);
    }
}
