//! One order and its life: which steps are legal, what news and fills do to it.
//!
//! | from ╲ to | pending | working | unknown | filled | canceled | rejected | expired |
//! |---|---|---|---|---|---|---|---|
//! | pending | – | yes | yes | yes | yes | yes | yes |
//! | working | no | – | yes | yes | yes | yes | yes |
//! | unknown | yes | yes | – | yes | yes | yes | yes |
//! | any other | no | no | no | no | no | no | no |
//!
//! Working to rejected is a stop order that the venue refuses when it triggers. A refusal of an
//! order that has traded is a cancel of the rest. Only a venue's word leads out of unknown.

use super::FillOutcome;
use crate::base::{
    Decimal, Fill, InstrumentId, OrderKey, OrderKind, OrderNews, OrderState, OrderStep, Place,
    Side, StrategyId, Tif, Time, VenueOrderId, Version,
};

/// An order of ours and all we know of it. Quantities are in base units, prices in quote per base.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    pub key: OrderKey,
    pub strategy: StrategyId,
    /// The version of the strategy that sent it.
    pub version: Version,
    pub instrument: InstrumentId,
    pub side: Side,
    pub kind: OrderKind,
    /// The whole size, what has traded included; a replacement changes it.
    pub qty: Decimal,
    pub price: Option<Decimal>,
    pub stop: Option<Decimal>,
    pub post_only: bool,
    pub reduce_only: bool,
    pub tif: Tif,
    /// The sum of the fills seen.
    pub filled: Decimal,
    /// Exact sum of price × quantity of the fills seen.
    pub notional: Decimal,
    /// The most that the venue has said was executed; fills may lag behind it.
    pub reported: Decimal,
    pub state: OrderState,
    pub venue_id: Option<VenueOrderId>,
    pub tag: String,
    /// Why it ended, or why its last change was refused; empty when there is nothing to say.
    pub reason: String,
    pub created: Time,
    pub updated: Time,
    /// When the engine cancels it by itself.
    pub expires_at: Option<Time>,
    /// A cancel is on its way.
    pub cancel_asked: bool,
    /// A replacement with this open quantity is on its way.
    pub replace_asked: Option<Decimal>,
    /// The venue says that it is filled and the fills that explain it have not all arrived.
    filling: bool,
    /// Trade ids of the fills seen, in rising order.
    trades: Vec<i64>,
}

/// Whether an order may go from one state to another.
#[must_use]
pub fn legal(from: OrderState, to: OrderState) -> bool {
    match from {
        OrderState::Pending => to != OrderState::Pending,
        OrderState::Working => !matches!(to, OrderState::Pending | OrderState::Working),
        OrderState::Unknown => to != OrderState::Unknown,
        OrderState::Filled | OrderState::Canceled | OrderState::Rejected | OrderState::Expired => {
            false
        }
    }
}

impl Order {
    /// A pending order as the gate approved it.
    #[must_use]
    pub fn new(place: &Place, strategy: StrategyId, version: Version, now: Time) -> Order {
        Order {
            key: place.key,
            strategy,
            version,
            instrument: place.instrument,
            side: place.side,
            kind: place.kind,
            qty: place.qty,
            price: place.price,
            stop: place.stop,
            post_only: place.post_only,
            reduce_only: place.reduce_only,
            tif: place.tif,
            filled: Decimal::ZERO,
            notional: Decimal::ZERO,
            reported: Decimal::ZERO,
            state: OrderState::Pending,
            venue_id: None,
            tag: String::new(),
            reason: String::new(),
            created: now,
            updated: now,
            expires_at: None,
            cancel_asked: false,
            replace_asked: None,
            filling: false,
            trades: Vec::new(),
        }
    }

    /// What has not traded, by the fills seen; never negative.
    #[must_use]
    pub fn remaining(&self) -> Decimal {
        (self.qty - self.filled).max(Decimal::ZERO)
    }

    /// The average price of the fills seen.
    #[must_use]
    pub fn avg_price(&self) -> Option<Decimal> {
        (!self.filled.is_zero()).then(|| self.notional / self.filled)
    }

    /// Executed according to the venue, but no fill has told us at what price.
    #[must_use]
    pub fn missing(&self) -> Decimal {
        (self.reported - self.filled).max(Decimal::ZERO)
    }

    /// What this order could still add to the position as we know it.
    #[must_use]
    pub fn open_qty(&self) -> Decimal {
        if self.filling || !self.state.is_open() {
            return self.missing();
        }
        self.remaining() + self.replace_asked.unwrap_or_default()
    }

    /// Open, or owed fills.
    pub(super) fn matters(&self) -> bool {
        self.state.is_open() || !self.missing().is_zero()
    }

    /// What news does; the states before and after where a script should hear of it.
    pub(super) fn apply(&mut self, news: &OrderNews) -> Option<(OrderState, OrderState)> {
        if !self.state.is_open() {
            self.hear_late(&news.step);
            return None;
        }
        self.updated = news.time;
        match &news.step {
            OrderStep::Sent => None,
            OrderStep::Accepted { venue_id } => {
                self.venue_id.get_or_insert(*venue_id);
                let unknown = self.state == OrderState::Unknown;
                unknown.then(|| self.step(OrderState::Pending)).flatten()
            }
            OrderStep::Working { venue_id } => {
                self.venue_id.get_or_insert(*venue_id);
                self.step(OrderState::Working)
            }
            OrderStep::Replaced { .. } if self.filling => None,
            OrderStep::Replaced { venue_id, price, remaining } => {
                self.venue_id = Some(*venue_id);
                self.price = price.or(self.price);
                self.qty = self.filled + *remaining;
                self.replace_asked = None;
                self.reason.clear();
                self.step(OrderState::Working).or(Some((self.state, self.state)))
            }
            OrderStep::Filled { filled } => {
                // A venue that says no figure means the whole order.
                let all = if filled.is_zero() { self.qty } else { *filled };
                self.reported = self.reported.max(all);
                self.filling = true;
                self.settle()
            }
            OrderStep::Canceled { filled, reason } => {
                self.finish(OrderState::Canceled, *filled, reason)
            }
            OrderStep::Expired { filled } => self.finish(OrderState::Expired, *filled, ""),
            OrderStep::Rejected { reason } if self.filled.is_zero() => {
                self.finish(OrderState::Rejected, Decimal::ZERO, reason)
            }
            OrderStep::Rejected { reason } => {
                self.finish(OrderState::Canceled, Decimal::ZERO, reason)
            }
            OrderStep::ChangeRefused { reason } => self.change_refused(reason),
            OrderStep::Lost => self.step(OrderState::Unknown),
        }
    }

    /// What a fill does, whatever the state: the trade happened.
    pub(super) fn fill(&mut self, fill: &Fill) -> FillOutcome {
        if fill.instrument != self.instrument || fill.side != self.side {
            return FillOutcome::Stranger;
        }
        let Err(at) = self.trades.binary_search(&fill.trade_id) else {
            return FillOutcome::Duplicate;
        };
        self.trades.insert(at, fill.trade_id);
        self.filled += fill.qty;
        self.notional += fill.price * fill.qty;
        self.updated = fill.time;
        FillOutcome::Applied(
            self.settle().or_else(|| self.traded()).map(|(from, to)| super::Change {
                key: self.key,
                from,
                to,
            }),
        )
    }

    /// A first fill shows a pending order to be on the book. An unknown one stays unknown: what
    /// became of the rest is still open.
    fn traded(&mut self) -> Option<(OrderState, OrderState)> {
        let shown = self.state == OrderState::Pending && !self.filling;
        shown.then(|| self.step(OrderState::Working)).flatten()
    }

    /// Ends the order as filled once its fills explain that. While a replacement is under way a
    /// traded-out order may yet go on under its new size, so the venue's answer decides.
    fn settle(&mut self) -> Option<(OrderState, OrderState)> {
        let whole = match (self.filling, self.replace_asked) {
            (true, _) => self.missing().is_zero(),
            (false, None) => self.filled >= self.qty,
            (false, Some(_)) => false,
        };
        if !whole {
            return None;
        }
        let moved = self.step_now(OrderState::Filled)?;
        self.reason.clear();
        Some(moved)
    }

    /// Which of two changes under way was refused is not always said: the cancel is let go first,
    /// because a replacement that is only forgotten would hide exposure.
    fn change_refused(&mut self, reason: &str) -> Option<(OrderState, OrderState)> {
        reason.clone_into(&mut self.reason);
        if self.cancel_asked {
            self.cancel_asked = false;
        } else {
            self.replace_asked = None;
        }
        self.settle().or(Some((self.state, self.state)))
    }

    fn finish(
        &mut self,
        to: OrderState,
        filled: Decimal,
        reason: &str,
    ) -> Option<(OrderState, OrderState)> {
        self.reported = self.reported.max(filled);
        let moved = self.step(to)?;
        reason.clone_into(&mut self.reason);
        Some(moved)
    }

    /// After the end only one thing still counts: that more was executed than we have seen.
    fn hear_late(&mut self, step: &OrderStep) {
        match step {
            OrderStep::Filled { filled }
            | OrderStep::Canceled { filled, .. }
            | OrderStep::Expired { filled } => self.reported = self.reported.max(*filled),
            OrderStep::Accepted { venue_id } | OrderStep::Working { venue_id } => {
                self.venue_id.get_or_insert(*venue_id);
            }
            OrderStep::Sent
            | OrderStep::Replaced { .. }
            | OrderStep::Rejected { .. }
            | OrderStep::ChangeRefused { .. }
            | OrderStep::Lost => {}
        }
    }

    /// A step on news. An order whose filling is announced waits for its fills and nothing else.
    fn step(&mut self, to: OrderState) -> Option<(OrderState, OrderState)> {
        if self.filling { None } else { self.step_now(to) }
    }

    fn step_now(&mut self, to: OrderState) -> Option<(OrderState, OrderState)> {
        let from = self.state;
        if !legal(from, to) {
            return None;
        }
        self.state = to;
        if !to.is_open() {
            self.filling = false;
            self.replace_asked = None;
        }
        Some((from, to))
    }
}
