//! One instrument's book: the feed's anonymous levels and the accounts' own orders, queued
//! together by price and time; and the stops and market orders that wait beside it.

use std::collections::BTreeMap;

use crate::base::{BookSide, Decimal, Level, Side, Trade, VenueOrderId};
use crate::exchange::{AccountNumber, BookLevel};

/// What the feed has told about this instrument so far; the richest wins.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) enum Feed {
    /// Prints only: what stands in the book is not known.
    #[default]
    Trades,
    /// Best levels, taken as a book of one level a side.
    Quotes,
    Book,
}

/// An account's order in the queue at its price.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub id: VenueOrderId,
    pub account: AccountNumber,
    /// What is left of it.
    pub qty: Decimal,
    /// Anonymous quantity that stands before it. Never falls along the queue.
    pub ahead: Decimal,
}

/// The accounts' orders at one price, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    pub qty: Decimal,
    pub slots: BTreeMap<i64, Slot>,
}

/// Who stands behind an offer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Who {
    Order {
        id: VenueOrderId,
        account: AccountNumber,
    },
    /// The feed's quantity at the level.
    Level,
    /// No book is known: the last print's price, in any quantity.
    Print,
}

/// What a taker meets next. `qty` is `None` where any quantity can be had.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Offer {
    pub price: Decimal,
    pub qty: Option<Decimal>,
    pub who: Who,
}

/// One side of the book.
#[derive(Debug)]
pub(super) struct Half {
    pub side: BookSide,
    anonymous: BTreeMap<Decimal, Decimal>,
    own: BTreeMap<Decimal, Queue>,
}

/// Everything at one price of a half.
pub(super) struct Rung<'a> {
    pub price: Decimal,
    pub anonymous: Decimal,
    pub queue: Option<&'a Queue>,
}

impl Rung<'_> {
    fn level(&self, side: BookSide) -> BookLevel {
        let (own, count) =
            self.queue.map_or((Decimal::ZERO, 0), |queue| (queue.qty, queue.slots.len()));
        let orders = u32::try_from(count).unwrap_or(u32::MAX - 1);
        let shown = u32::from(!self.anonymous.is_zero());
        let qty = self.anonymous + own;
        BookLevel { side, price: self.price, qty, orders: orders.saturating_add(shown) }
    }
}

impl Half {
    pub fn new(side: BookSide) -> Half {
        Half { side, anonymous: BTreeMap::new(), own: BTreeMap::new() }
    }

    /// Whether `price` is one that a taker with this limit accepts.
    pub fn within(&self, price: Decimal, limit: Option<Decimal>) -> bool {
        limit.is_none_or(|limit| match self.side {
            BookSide::Bid => price >= limit,
            BookSide::Ask => price <= limit,
        })
    }

    /// Whether `price` is strictly better for a taker than `other`.
    pub fn better(&self, price: Decimal, other: Decimal) -> bool {
        match self.side {
            BookSide::Bid => price > other,
            BookSide::Ask => price < other,
        }
    }

    /// The best price that accounts' orders stand at.
    pub fn best_own(&self) -> Option<Decimal> {
        self.front().map(|(price, _)| price)
    }

    fn front(&self) -> Option<(Decimal, &Queue)> {
        let found = match self.side {
            BookSide::Bid => self.own.last_key_value(),
            BookSide::Ask => self.own.first_key_value(),
        };
        found.map(|(price, queue)| (*price, queue))
    }

    /// The feed's best level.
    pub fn best_anonymous(&self) -> Option<(Decimal, Decimal)> {
        let found = match self.side {
            BookSide::Bid => self.anonymous.last_key_value(),
            BookSide::Ask => self.anonymous.first_key_value(),
        };
        found.map(|(price, qty)| (*price, *qty))
    }

    /// The first account order of the best own price.
    pub fn front_slot(&self) -> Option<(Decimal, &Slot)> {
        let (price, queue) = self.front()?;
        queue.slots.first_key_value().map(|(_, slot)| (price, slot))
    }

    /// What a taker with this limit meets next, by price, then by place in the queue. `print` is
    /// the price at which any quantity trades where no book is known.
    pub fn offer(&self, limit: Option<Decimal>, print: Option<Decimal>) -> Option<Offer> {
        let nameless = match print {
            Some(price) => Some(Offer { price, qty: None, who: Who::Print }),
            None => self.best_anonymous().map(|(price, qty)| Offer {
                price,
                qty: Some(qty),
                who: Who::Level,
            }),
        };
        let own = self.front_slot().map(|(price, slot)| {
            let who = Who::Order { id: slot.id, account: slot.account };
            (Offer { price, qty: Some(slot.qty), who }, slot.ahead)
        });
        let best = match (nameless, own) {
            (None, None) => return None,
            (Some(only), None) | (None, Some((only, _))) => only,
            (Some(nameless), Some((own, ahead))) => {
                if self.better(nameless.price, own.price) {
                    nameless
                } else if nameless.price == own.price && ahead > Decimal::ZERO {
                    Offer { qty: nameless.qty.map(|qty| qty.min(ahead)), ..nameless }
                } else {
                    own
                }
            }
        };
        self.within(best.price, limit).then_some(best)
    }

    /// Puts an order at the end of its price's queue.
    pub fn join(&mut self, price: Decimal, seq: i64, slot: Slot) {
        let queue = self.own.entry(price).or_default();
        queue.qty += slot.qty;
        queue.slots.insert(seq, slot);
    }

    /// Takes quantity off an order in the queue; at zero the order leaves.
    pub fn reduce(&mut self, price: Decimal, seq: i64, qty: Decimal) {
        let Some(queue) = self.own.get_mut(&price) else { return };
        let Some(slot) = queue.slots.get_mut(&seq) else { return };
        let qty = qty.min(slot.qty);
        slot.qty -= qty;
        queue.qty -= qty;
        if slot.qty.is_zero() {
            queue.slots.remove(&seq);
        }
        if queue.slots.is_empty() {
            self.own.remove(&price);
        }
    }

    /// The anonymous quantity at a price.
    pub fn anonymous_at(&self, price: Decimal) -> Decimal {
        self.anonymous.get(&price).copied().unwrap_or_default()
    }

    /// Consumes anonymous quantity from the front of a level; every queue moves forward with it.
    pub fn take_anonymous(&mut self, price: Decimal, qty: Decimal) {
        let left = (self.anonymous_at(price) - qty).max(Decimal::ZERO);
        self.put(price, left);
        self.advance(price, qty);
    }

    /// Moves the queue at a price forward by traded quantity.
    pub fn advance(&mut self, price: Decimal, qty: Decimal) {
        for slot in self.own.get_mut(&price).into_iter().flat_map(|queue| queue.slots.values_mut())
        {
            slot.ahead = (slot.ahead - qty).max(Decimal::ZERO);
        }
    }

    fn put(&mut self, price: Decimal, qty: Decimal) {
        if qty > Decimal::ZERO {
            self.anonymous.insert(price, qty);
        } else {
            self.anonymous.remove(&price);
        }
    }

    /// No more can stand before an order than the level shows.
    fn cap(&mut self, price: Decimal, shown: Decimal) {
        for slot in self.own.get_mut(&price).into_iter().flat_map(|queue| queue.slots.values_mut())
        {
            slot.ahead = slot.ahead.min(shown);
        }
    }

    /// The feed's new quantity at a level.
    pub fn set(&mut self, price: Decimal, qty: Decimal) {
        self.put(price, qty);
        self.cap(price, qty.max(Decimal::ZERO));
    }

    /// Empties the feed's side and fills it with these levels.
    pub fn replace(&mut self, levels: &[Level]) {
        self.anonymous.clear();
        let side = self.side;
        for level in levels.iter().filter(|level| level.side == side) {
            self.put(level.price, level.qty);
        }
        let prices: Vec<Decimal> = self.own.keys().copied().collect();
        for price in prices {
            self.cap(price, self.anonymous_at(price));
        }
    }

    /// The feed's side is one best level. Of deeper prices it says nothing: queues there stand.
    pub fn quote(&mut self, price: Decimal, qty: Decimal) {
        self.anonymous.clear();
        self.put(price, qty);
        let prices: Vec<Decimal> = self.own.keys().copied().collect();
        for own in prices {
            if own == price {
                self.cap(own, qty);
            } else if self.better(own, price) {
                self.cap(own, Decimal::ZERO);
            }
        }
    }

    /// The levels from best to worst.
    pub fn rungs(&self) -> Rungs<'_> {
        Rungs {
            half: self,
            anonymous: self.edge(&self.anonymous, None),
            own: self.edge(&self.own, None),
        }
    }

    /// The best price of a map, or the next one after `from`.
    fn edge<V>(&self, map: &BTreeMap<Decimal, V>, from: Option<Decimal>) -> Option<Decimal> {
        use std::ops::Bound::{Excluded, Unbounded};
        let bound = from.map_or(Unbounded, Excluded);
        match self.side {
            BookSide::Bid => map.range((Unbounded, bound)).next_back().map(|(price, _)| *price),
            BookSide::Ask => map.range((bound, Unbounded)).next().map(|(price, _)| *price),
        }
    }

    /// A level as it is shown; an empty one has quantity zero.
    pub fn level(&self, price: Decimal) -> BookLevel {
        let rung = Rung { price, anonymous: self.anonymous_at(price), queue: self.own.get(&price) };
        rung.level(self.side)
    }

    pub fn levels(&self) -> impl Iterator<Item = BookLevel> + '_ {
        self.rungs().map(|rung| rung.level(self.side))
    }

    /// The queue of accounts' orders at a price.
    pub fn queue(&self, price: Decimal) -> Option<&Queue> {
        self.own.get(&price)
    }
}

/// Both kinds of levels of a half, merged, best first.
pub(super) struct Rungs<'a> {
    half: &'a Half,
    anonymous: Option<Decimal>,
    own: Option<Decimal>,
}

impl<'a> Iterator for Rungs<'a> {
    type Item = Rung<'a>;

    fn next(&mut self) -> Option<Rung<'a>> {
        let half = self.half;
        let price = match (self.anonymous, self.own) {
            (None, None) => return None,
            (Some(only), None) | (None, Some(only)) => only,
            (Some(one), Some(other)) if half.better(other, one) => other,
            (Some(one), Some(_)) => one,
        };
        if self.anonymous == Some(price) {
            self.anonymous = half.edge(&half.anonymous, Some(price));
        }
        if self.own == Some(price) {
            self.own = half.edge(&half.own, Some(price));
        }
        Some(Rung { price, anonymous: half.anonymous_at(price), queue: half.own.get(&price) })
    }
}

/// One instrument's market.
#[derive(Debug)]
pub(super) struct Market {
    pub bids: Half,
    pub asks: Half,
    /// Stops by price and arrival: buys trigger at or above, sells at or below.
    pub buy_stops: BTreeMap<(Decimal, i64), VenueOrderId>,
    pub sell_stops: BTreeMap<(Decimal, i64), VenueOrderId>,
    /// Market orders that wait for the next print, by arrival.
    pub waiting: BTreeMap<i64, VenueOrderId>,
    pub last: Option<Trade>,
    pub feed: Feed,
}

impl Market {
    pub fn new() -> Market {
        Market {
            bids: Half::new(BookSide::Bid),
            asks: Half::new(BookSide::Ask),
            buy_stops: BTreeMap::new(),
            sell_stops: BTreeMap::new(),
            waiting: BTreeMap::new(),
            last: None,
            feed: Feed::Trades,
        }
    }

    /// The side an order of `side` rests on.
    pub fn home(&self, side: Side) -> &Half {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    pub fn home_mut(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    pub fn stops_mut(&mut self, side: Side) -> &mut BTreeMap<(Decimal, i64), VenueOrderId> {
        match side {
            Side::Buy => &mut self.buy_stops,
            Side::Sell => &mut self.sell_stops,
        }
    }

    /// The price at which any quantity trades, where prints are all that is known.
    pub fn print_price(&self) -> Option<Decimal> {
        match self.feed {
            Feed::Trades => self.last.as_ref().map(|trade| trade.price),
            Feed::Quotes | Feed::Book => None,
        }
    }

    /// Whether a stop of this side and price is touched by the last trade.
    pub fn touched(&self, side: Side, stop: Decimal) -> bool {
        self.last.as_ref().is_some_and(|last| match side {
            Side::Buy => last.price >= stop,
            Side::Sell => last.price <= stop,
        })
    }

    /// The next stop that the last trade touches: buys first, the nearest first.
    pub fn next_touched(&self) -> Option<(Side, (Decimal, i64), VenueOrderId)> {
        let buy = self.buy_stops.first_key_value().map(|(key, id)| (Side::Buy, *key, *id));
        let sells = self.sell_stops.last_key_value();
        // Among sells of one price the oldest goes first.
        let sell = sells.and_then(|((price, _), _)| {
            let first = self.sell_stops.range((*price, i64::MIN)..).next();
            first.map(|(key, id)| (Side::Sell, *key, *id))
        });
        [buy, sell].into_iter().flatten().find(|(side, (stop, _), _)| self.touched(*side, *stop))
    }
}
