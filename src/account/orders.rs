//! Every order of ours that can still matter: the open ones, those that are owed fills, and the
//! last ended ones. How one order steps from state to state is in `orders/step.rs`.

mod step;

#[cfg(test)]
mod tests;

pub use step::{Order, legal};

use crate::base::{
    Decimal, Fill, InstrumentId, OrderKey, OrderNews, OrderState, Side, StrategyId, Time,
};
use std::collections::{BTreeMap, VecDeque};

/// How many ended orders stay for lookup and for late fills; older ones are dropped.
pub const KEEP_ENDED: usize = 10_000;

/// An order moved, or something about it did (`from == to`: a replacement or a refused change).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub key: OrderKey,
    pub from: OrderState,
    pub to: OrderState,
}

/// What a fill meant to the orders.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum FillOutcome {
    /// Counted, once; with the order's change of state, if it made one. Book it in the ledger.
    Applied(Option<Change>),
    /// Seen before: this order, this trade id. Book nothing.
    Duplicate,
    /// No order of ours that is still remembered, or of another side or instrument.
    Stranger,
}

/// The quantity that open orders could still add to a position, on each side, in base units.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Exposure {
    pub buy: Decimal,
    pub sell: Decimal,
}

impl Exposure {
    /// The open quantity of one side.
    #[must_use]
    pub const fn of(&self, side: Side) -> Decimal {
        match side {
            Side::Buy => self.buy,
            Side::Sell => self.sell,
        }
    }

    fn add(&mut self, side: Side, qty: Decimal) {
        match side {
            Side::Buy => self.buy += qty,
            Side::Sell => self.sell += qty,
        }
    }
}

/// The orders of a run. The cost of each call depends on the orders that are open, not on how many
/// there ever were.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// Open orders, and ended ones whose executions have not all been seen.
    live: BTreeMap<OrderKey, Box<Order>>,
    ended: BTreeMap<OrderKey, Box<Order>>,
    /// The keys of `ended`, oldest first.
    line: VecDeque<OrderKey>,
    exposure: BTreeMap<(StrategyId, InstrumentId), Exposure>,
    total: BTreeMap<InstrumentId, Exposure>,
    counts: BTreeMap<StrategyId, usize>,
}

impl Orders {
    /// Takes a new order, in whatever state: one that was refused here goes straight to the ended.
    ///
    /// # Panics
    /// When the key is already known: the engine hands out each key once.
    pub fn insert(&mut self, order: Order) {
        assert!(self.get(order.key).is_none(), "order key {} used twice", order.key);
        if order.matters() {
            self.weigh(&order, order.open_qty());
            *self.counts.entry(order.strategy).or_default() += 1;
            self.live.insert(order.key, Box::new(order));
        } else {
            self.shelve(Box::new(order));
        }
    }

    #[must_use]
    pub fn get(&self, key: OrderKey) -> Option<&Order> {
        self.live.get(&key).or_else(|| self.ended.get(&key)).map(Box::as_ref)
    }

    /// Open orders in key order.
    pub fn open(&self) -> impl Iterator<Item = &Order> {
        self.live.values().map(Box::as_ref).filter(|order| order.state.is_open())
    }

    /// A strategy's open orders, of one instrument or of all.
    pub fn open_of(
        &self,
        strategy: StrategyId,
        instrument: Option<InstrumentId>,
    ) -> impl Iterator<Item = &Order> {
        self.open().filter(move |order| {
            order.strategy == strategy && instrument.is_none_or(|id| id == order.instrument)
        })
    }

    /// How many orders of a strategy are open or still owed fills.
    #[must_use]
    pub fn count(&self, strategy: StrategyId) -> usize {
        self.counts.get(&strategy).copied().unwrap_or_default()
    }

    /// Ended orders that the venue says traded more than the fills we have seen.
    pub fn owed(&self) -> impl Iterator<Item = &Order> {
        self.live.values().map(Box::as_ref).filter(|order| !order.missing().is_zero())
    }

    /// The open quantity on an instrument, of one strategy or of all (`None`). Unknown orders count
    /// at full size, a replacement under way counts beside what it replaces (the old order may
    /// trade before it is taken off), and so do executions whose fills are still missing.
    #[must_use]
    pub fn exposure(&self, strategy: Option<StrategyId>, instrument: InstrumentId) -> Exposure {
        match strategy {
            Some(strategy) => self.exposure.get(&(strategy, instrument)),
            None => self.total.get(&instrument),
        }
        .copied()
        .unwrap_or_default()
    }

    /// Notes that a cancel was asked for. `false` when the order is not open, or it was asked
    /// before.
    pub fn ask_cancel(&mut self, key: OrderKey, now: Time) -> bool {
        self.edit(key, |order| {
            let fresh = order.state.is_open() && !order.cancel_asked;
            if fresh {
                order.cancel_asked = true;
                order.updated = now;
            }
            fresh
        })
        .unwrap_or(false)
    }

    /// Notes that a replacement with this open quantity was asked for; it counts as exposure until
    /// the venue has answered. `false` when the order is not open or one is under way.
    pub fn ask_replace(&mut self, key: OrderKey, qty: Decimal, now: Time) -> bool {
        self.edit(key, |order| {
            let fresh = order.state.is_open() && order.replace_asked.is_none();
            if fresh {
                order.replace_asked = Some(qty);
                order.updated = now;
            }
            fresh
        })
        .unwrap_or(false)
    }

    /// Takes what a venue says of an order. `None` when nothing that a script can see has changed.
    pub fn apply(&mut self, news: &OrderNews) -> Option<Change> {
        let key = news.key;
        let (from, to) = self.edit(key, |order| order.apply(news))??;
        Some(Change { key, from, to })
    }

    /// Counts a fill, which may arrive before the venue's first answer, after the order's end, or
    /// twice.
    pub fn fill(&mut self, fill: &Fill) -> FillOutcome {
        self.edit(fill.order, |order| order.fill(fill)).unwrap_or(FillOutcome::Stranger)
    }

    /// Changes one order and keeps the sums and shelves right.
    fn edit<T>(&mut self, key: OrderKey, change: impl FnOnce(&mut Order) -> T) -> Option<T> {
        if let Some(order) = self.live.get_mut(&key) {
            let (before, side) = (order.open_qty(), order.side);
            let out = change(order);
            let (more, matters) = (order.open_qty() - before, order.matters());
            let (strategy, instrument) = (order.strategy, order.instrument);
            self.move_exposure(strategy, instrument, side, more);
            if !matters {
                self.end(key);
            }
            return Some(out);
        }
        let order = self.ended.get_mut(&key)?;
        let out = change(order);
        if order.matters() {
            self.wake(key);
        }
        Some(out)
    }

    fn end(&mut self, key: OrderKey) {
        let Some(order) = self.live.remove(&key) else { return };
        if let Some(count) = self.counts.get_mut(&order.strategy) {
            *count -= 1;
        }
        self.shelve(order);
    }

    fn shelve(&mut self, order: Box<Order>) {
        self.line.push_back(order.key);
        self.ended.insert(order.key, order);
        if self.line.len() > KEEP_ENDED
            && let Some(oldest) = self.line.pop_front()
        {
            self.ended.remove(&oldest);
        }
    }

    /// An ended order turns out to be owed fills after all: it counts again until they arrive.
    fn wake(&mut self, key: OrderKey) {
        let Some(order) = self.ended.remove(&key) else { return };
        self.line.retain(|other| *other != key);
        self.weigh(&order, order.open_qty());
        *self.counts.entry(order.strategy).or_default() += 1;
        self.live.insert(key, order);
    }

    fn weigh(&mut self, order: &Order, qty: Decimal) {
        self.move_exposure(order.strategy, order.instrument, order.side, qty);
    }

    fn move_exposure(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        side: Side,
        more: Decimal,
    ) {
        if !more.is_zero() {
            self.exposure.entry((strategy, instrument)).or_default().add(side, more);
            self.total.entry(instrument).or_default().add(side, more);
        }
    }
}
