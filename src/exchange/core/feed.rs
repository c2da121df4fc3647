//! The feed's side of the market: prints, book changes and quotes, and what they do to orders.

use super::Exchange;
use super::book::Feed;
use super::ledger::Execution;
use crate::base::{
    BookChange, BookSide, Decimal, InstrumentId, Liquidity, OrderState, Quote, Side, Time, Trade,
    VenueOrderId,
};
use crate::exchange::{QueueModel, Reject};

/// The prices at which a print does something to an account's order: at or below `low`, at or above
/// `high`; `None` where there is no such price.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Reach {
    pub low: Option<Decimal>,
    pub high: Option<Decimal>,
    /// A market order waits: any print does.
    pub any: bool,
}

impl Exchange {
    /// A public print of the feed: resting orders first, then market orders that waited, then
    /// stops.
    pub fn trade(&mut self, trade: &Trade) {
        let instrument = trade.instrument;
        let Some(market) = self.market_mut(instrument) else { return };
        market.last = Some(trade.clone());
        self.print_reaches(trade, Side::Buy);
        self.print_reaches(trade, Side::Sell);
        self.release(trade.time, instrument);
        self.trigger(trade.time, instrument);
        self.publish(trade.time);
    }

    /// The last print of several of which none did anything to an account's order.
    pub fn skip_to(&mut self, trade: Trade) {
        if let Some(market) = self.market_mut(trade.instrument) {
            market.last = Some(trade);
        }
    }

    /// Anonymous liquidity of the feed: absolute quantities; a snapshot empties the book first.
    pub fn book(&mut self, change: &BookChange) {
        let Some(market) = self.market_mut(change.instrument) else { return };
        if change.snapshot || market.feed == Feed::Quotes {
            let levels = &change.levels;
            market.bids.replace(levels);
            market.asks.replace(levels);
        } else {
            for level in &change.levels {
                match level.side {
                    BookSide::Bid => market.bids.set(level.price, level.qty),
                    BookSide::Ask => market.asks.set(level.price, level.qty),
                }
            }
        }
        market.feed = Feed::Book;
        self.after_levels(change.time, change.instrument);
    }

    /// Best levels of the feed, taken as a book of one level; ignored once a book was seen.
    pub fn quote(&mut self, quote: &Quote) {
        let Some(market) = self.market_mut(quote.instrument) else { return };
        if market.feed == Feed::Book {
            return;
        }
        market.feed = Feed::Quotes;
        market.bids.quote(quote.bid, if quote.bid.is_zero() { quote.bid } else { quote.bid_qty });
        market.asks.quote(quote.ask, if quote.ask.is_zero() { quote.ask } else { quote.ask_qty });
        self.after_levels(quote.time, quote.instrument);
    }

    /// Which prints of an instrument do something to an account's order.
    #[must_use]
    pub fn reach(&self, instrument: InstrumentId) -> Reach {
        let Some(market) = self.market(instrument) else {
            return Reach { low: None, high: None, any: false };
        };
        let buy_stop = market.buy_stops.first_key_value().map(|((stop, _), _)| *stop);
        let sell_stop = market.sell_stops.last_key_value().map(|((stop, _), _)| *stop);
        let low = [market.bids.best_own(), sell_stop].into_iter().flatten().max();
        let high = [market.asks.best_own(), buy_stop].into_iter().flatten().min();
        Reach { low, high, any: !market.waiting.is_empty() }
    }

    fn after_levels(&mut self, now: Time, instrument: InstrumentId) {
        self.uncross(now, instrument, Side::Buy);
        self.uncross(now, instrument, Side::Sell);
        self.release(now, instrument);
        self.trigger(now, instrument);
        self.publish(now);
    }

    /// Resting orders of one side that a print goes through or is at.
    fn print_reaches(&mut self, trade: &Trade, side: Side) {
        loop {
            let Some(market) = self.market(trade.instrument) else { return };
            let half = market.home(side);
            let Some((price, slot)) = half.front_slot() else { return };
            if !half.better(price, trade.price) {
                break;
            }
            let (id, left) = (slot.id, slot.qty);
            self.fill_maker(trade.time, id, price, left);
        }
        // The cautious queue moves only for aggressors who hit it.
        let own_side = trade.side == Some(side);
        if own_side && self.queue == QueueModel::RiskAverse {
            return;
        }
        self.print_at(trade, side);
    }

    /// Resting orders at the print's price: the queue before each, then the order, until the
    /// print's quantity is used up.
    fn print_at(&mut self, trade: &Trade, side: Side) {
        let Some(market) = self.market(trade.instrument) else { return };
        let Some(queue) = market.home(side).queue(trade.price) else { return };
        let (mut left, mut passed) = (trade.qty, Decimal::ZERO);
        let mut hits: Vec<(VenueOrderId, Decimal)> = Vec::new();
        for slot in queue.slots.values() {
            let before = (slot.ahead - passed).max(Decimal::ZERO).min(left);
            passed += before;
            left -= before;
            let hit = if slot.ahead <= passed { slot.qty.min(left) } else { Decimal::ZERO };
            if hit.is_zero() {
                break;
            }
            hits.push((slot.id, hit));
            left -= hit;
        }
        if let Some(market) = self.market_mut(trade.instrument) {
            market.home_mut(side).advance(trade.price, passed);
        }
        for (id, qty) in hits {
            self.fill_maker(trade.time, id, trade.price, qty);
        }
    }

    /// The feed's levels that cross resting orders of `side` trade with them, at the orders'
    /// prices, as far as the levels' quantity goes.
    fn uncross(&mut self, now: Time, instrument: InstrumentId, side: Side) {
        while let Some(market) = self.market(instrument) {
            let home = market.home(side);
            let Some((price, slot)) = home.front_slot() else { return };
            let Some((level, shown)) = market.home(side.opposite()).best_anonymous() else {
                return;
            };
            if home.better(level, price) {
                return;
            }
            let (id, qty) = (slot.id, slot.qty.min(shown));
            if let Some(market) = self.market_mut(instrument) {
                market.home_mut(side.opposite()).take_anonymous(level, qty);
            }
            self.mark(instrument, side.opposite(), level);
            self.fill_maker(now, id, price, qty);
        }
    }

    /// The anonymous market trades with a resting order at its price. A reduce-only order trades no
    /// further than to zero; its remainder is canceled.
    fn fill_maker(&mut self, now: Time, id: VenueOrderId, price: Decimal, qty: Decimal) {
        let Some(entry) = self.entry(id) else { return };
        let order = &entry.sim.order;
        let (instrument, side) = (order.instrument, order.side);
        let allowed = self.allowed(id, price);
        let qty = qty.min(allowed.qty);
        if !qty.is_zero() {
            let trade_id = self.take_trade_id();
            let done = Execution { price, qty, liquidity: Liquidity::Maker, trade_id };
            self.lift(id, qty);
            self.book_fill(now, id, done);
            self.book_outside(instrument, side, done);
        }
        let spent = allowed.short_of.is_some() && qty == allowed.qty;
        if spent && self.order(id).is_some_and(|sim| sim.state.is_open()) {
            self.end(now, id, OrderState::Canceled, &Reject::WouldIncrease.to_string());
        }
    }
}
