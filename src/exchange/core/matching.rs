//! Takers walk the book, stops trigger, and what is left rests, waits or is canceled.

use super::book::{Half, Offer, Slot, Who};
use super::ledger::Execution;
use super::{Exchange, FILL_OR_KILL, IMMEDIATE_OR_CANCEL, Place, SELF_TRADE, Shortage};
use crate::base::{
    Decimal, InstrumentId, Liquidity, OrderKind, OrderState, Side, Tif, Time, Trade, VenueOrderId,
};
use crate::exchange::{NewOrder, QueueModel, Reject, ReportKind};

/// Whether the last print is of this moment, so that a market order may trade at it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Print {
    Fresh,
    Stale,
}

/// What happened to one offer: it traded, or the order's remainder is to be canceled.
enum Step {
    Traded,
    Barred(String),
}

impl Exchange {
    /// An accepted order acts for the first time.
    pub(super) fn enter(&mut self, now: Time, id: VenueOrderId) {
        let Some(order) = self.entry(id).map(|entry| entry.sim.order.clone()) else { return };
        let Some(stop) = order.stop else {
            self.take(now, id, Print::Stale);
            return;
        };
        let touched = self.market(order.instrument).is_some_and(|it| it.touched(order.side, stop));
        if touched {
            self.take(now, id, Print::Fresh);
            return;
        }
        let seq = self.take_seq();
        if let Some(entry) = self.entry_mut(id) {
            entry.seq = seq;
            entry.place = Place::Stop;
        }
        if let Some(market) = self.market_mut(order.instrument) {
            market.stops_mut(order.side).insert((stop, seq), id);
        }
    }

    /// Triggers the stops that the last trade touches, until none is left.
    pub(super) fn trigger(&mut self, now: Time, instrument: InstrumentId) {
        while let Some((side, key, id)) = self.market(instrument).and_then(|it| it.next_touched()) {
            if let Some(market) = self.market_mut(instrument) {
                market.stops_mut(side).remove(&key);
            }
            if let Some(entry) = self.entry_mut(id) {
                entry.place = Place::Nowhere;
            }
            self.take(now, id, Print::Fresh);
        }
    }

    /// Trades what can be traded of an order that stands in no queue, and places the rest.
    pub(super) fn take(&mut self, now: Time, id: VenueOrderId, print: Print) {
        let Some(order) = self.entry(id).map(|entry| entry.sim.order.clone()) else { return };
        let Some(market) = self.market(order.instrument) else { return };
        let price = market.print_price();
        let patient = market.feed == super::book::Feed::Trades
            && order.price.is_none()
            && (price.is_none() || (self.wait_for_print && print == Print::Stale));
        if patient {
            self.wait(id);
            return;
        }
        let stop_limit = order.kind == OrderKind::StopLimit;
        if order.post_only && stop_limit && super::intake::would_take(market, &order) {
            self.end(now, id, OrderState::Canceled, &Reject::WouldTake.to_string());
            return;
        }
        if order.tif == Tif::Fok && !self.fills_whole(id) {
            self.end(now, id, OrderState::Canceled, FILL_OR_KILL);
            return;
        }
        while let Some(offer) = self.next_offer(id) {
            if let Step::Barred(reason) = self.meet(now, id, offer) {
                self.end(now, id, OrderState::Canceled, &reason);
                return;
            }
        }
        self.rest(now, id);
    }

    /// What an open order meets next, if anything.
    fn next_offer(&self, id: VenueOrderId) -> Option<Offer> {
        let entry = self.entry(id).filter(|entry| entry.sim.state.is_open())?;
        let order = &entry.sim.order;
        let market = self.market(order.instrument)?;
        market.home(order.side.opposite()).offer(order.price, market.print_price())
    }

    /// Trades with one offer as far as both sides may.
    fn meet(&mut self, now: Time, id: VenueOrderId, offer: Offer) -> Step {
        let Some(order) = self.entry(id).map(|entry| &entry.sim.order) else {
            return Step::Barred(Reject::NotFound.to_string());
        };
        let (instrument, side, account) = (order.instrument, order.side, order.account);
        let mut allowed = self.allowed(id, offer.price);
        if let Who::Order { id: maker, account: other } = offer.who {
            if other == account {
                return Step::Barred(SELF_TRADE.to_owned());
            }
            let room = self.allowed(maker, offer.price).qty;
            if room.is_zero() {
                let reason = Reject::WouldIncrease.to_string();
                self.end(now, maker, OrderState::Canceled, &reason);
                return Step::Traded;
            }
            allowed.qty = allowed.qty.min(room);
        }
        let qty = offer.qty.map_or(allowed.qty, |qty| qty.min(allowed.qty));
        if qty.is_zero() {
            return Step::Barred(match allowed.short_of {
                Some(Shortage::Position) => Reject::WouldIncrease.to_string(),
                Some(Shortage::Funds) | None => Reject::NotEnoughFunds.to_string(),
            });
        }
        let trade_id = self.take_trade_id();
        let done = Execution { price: offer.price, qty, liquidity: Liquidity::Taker, trade_id };
        match offer.who {
            Who::Order { id: maker, .. } => {
                self.lift(maker, qty);
                self.book_fill(now, maker, Execution { liquidity: Liquidity::Maker, ..done });
                self.book_fill(now, id, done);
                self.print(now, instrument, side, done);
            }
            Who::Level => {
                if let Some(market) = self.market_mut(instrument) {
                    market.home_mut(side.opposite()).take_anonymous(offer.price, qty);
                }
                self.mark(instrument, side.opposite(), offer.price);
                self.book_fill(now, id, done);
                self.book_outside(instrument, side, done);
            }
            Who::Print => {
                self.book_fill(now, id, done);
                self.book_outside(instrument, side, done);
            }
        }
        Step::Traded
    }

    /// Takes traded quantity off a resting order's place in the book.
    pub(super) fn lift(&mut self, maker: VenueOrderId, qty: Decimal) {
        let Some(entry) = self.entry_mut(maker) else { return };
        let seq = entry.seq;
        if entry.sim.remaining() == qty {
            entry.place = Place::Nowhere;
        }
        let order = &entry.sim.order;
        let (instrument, side, price) = (order.instrument, order.side, order.price);
        let (Some(price), Some(market)) = (price, self.market_mut(instrument)) else { return };
        market.home_mut(side).reduce(price, seq, qty);
        self.mark(instrument, side, price);
    }

    /// A trade between two accounts is a public print.
    fn print(&mut self, now: Time, instrument: InstrumentId, side: Side, done: Execution) {
        let trade = Trade {
            time: now,
            instrument,
            price: done.price,
            qty: done.qty,
            side: Some(side),
            id: done.trade_id,
        };
        if let Some(market) = self.market_mut(instrument) {
            market.last = Some(trade.clone());
        }
        self.report(now, ReportKind::Print(trade));
    }

    /// Places what is left of an order that met nothing more.
    fn rest(&mut self, now: Time, id: VenueOrderId) {
        let Some(entry) = self.entry(id).filter(|entry| entry.sim.state.is_open()) else { return };
        let order = entry.sim.order.clone();
        let left = entry.sim.remaining();
        let Some(price) = order.price else {
            self.end(now, id, OrderState::Canceled, &Reject::NoMarket.to_string());
            return;
        };
        match order.tif {
            Tif::Gtc => {}
            Tif::Ioc | Tif::Fok => {
                self.end(now, id, OrderState::Canceled, IMMEDIATE_OR_CANCEL);
                return;
            }
        }
        let seq = self.take_seq();
        let queue = self.queue;
        if let Some(entry) = self.entry_mut(id) {
            entry.seq = seq;
            entry.place = Place::Book;
        }
        let Some(market) = self.market_mut(order.instrument) else { return };
        let half = market.home_mut(order.side);
        let ahead = match queue {
            QueueModel::None => Decimal::ZERO,
            QueueModel::RiskAverse => half.anonymous_at(price),
        };
        half.join(price, seq, Slot { id, account: order.account, qty: left, ahead });
        self.mark(order.instrument, order.side, price);
    }

    /// A market order waits for the next print.
    fn wait(&mut self, id: VenueOrderId) {
        let seq = self.take_seq();
        let Some(entry) = self.entry_mut(id) else { return };
        entry.seq = seq;
        entry.place = Place::Waiting;
        let instrument = entry.sim.order.instrument;
        if let Some(market) = self.market_mut(instrument) {
            market.waiting.insert(seq, id);
        }
    }

    /// Market orders that waited act now, in the order in which they came.
    pub(super) fn release(&mut self, now: Time, instrument: InstrumentId) {
        let Some(market) = self.market_mut(instrument) else { return };
        for (_, id) in std::mem::take(&mut market.waiting) {
            if let Some(entry) = self.entry_mut(id) {
                entry.place = Place::Nowhere;
            }
            self.take(now, id, Print::Fresh);
        }
    }

    /// Whether a fill-or-kill order can be filled whole: enough offered within its limit before its
    /// own account's orders, and, where it holds nothing, enough money.
    fn fills_whole(&self, id: VenueOrderId) -> bool {
        let Some(entry) = self.entry(id) else { return false };
        let order = &entry.sim.order;
        let Some(market) = self.market(order.instrument) else { return false };
        let half = market.home(order.side.opposite());
        let Some(cost) = cost_of(half, order, market.print_price()) else { return false };
        let short_of_position =
            self.allowed(id, Decimal::ZERO).short_of == Some(Shortage::Position);
        if short_of_position {
            return false;
        }
        if order.side == Side::Sell || !entry.hold_unit.is_zero() {
            return true;
        }
        let unit = Decimal::ONE + entry.fees.taker.max(Decimal::ZERO);
        let asset = self.paid_in(order.instrument, order.side);
        self.accounts.get(&order.account).is_some_and(|it| cost * unit <= it.free(&asset))
    }
}

/// What the whole order would cost against this half; `None` if it cannot be had.
fn cost_of(half: &Half, order: &NewOrder, print: Option<Decimal>) -> Option<Decimal> {
    let (mut left, mut cost) = (order.qty, Decimal::ZERO);
    for rung in half.rungs() {
        let beyond_print = print.is_some_and(|print| half.better(print, rung.price));
        if beyond_print || !half.within(rung.price, order.price) {
            break;
        }
        let mut had = rung.anonymous;
        let mut barred = false;
        if let Some(queue) = rung.queue {
            let mine = queue.slots.iter().find(|(_, slot)| slot.account == order.account);
            had = match mine {
                None => had + queue.qty,
                Some((at, own)) => {
                    barred = true;
                    let before = queue.slots.range(..*at).map(|(_, slot)| slot.qty);
                    own.ahead.min(had) + before.sum::<Decimal>()
                }
            };
        }
        let part = had.min(left);
        left -= part;
        cost += part * rung.price;
        if left.is_zero() {
            return Some(cost);
        }
        if barred {
            return None;
        }
    }
    let print = print.filter(|print| half.within(*print, order.price))?;
    Some(cost + left * print)
}
