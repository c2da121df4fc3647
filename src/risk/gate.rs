//! The gate: every order passes here on its way out, whoever asks.

use super::rules::{self, Facts, Limits};
use crate::account::Order;
use crate::base::{
    Call, Command, Decimal, InstrumentId, OrderKey, OrderState, Place, Refusal, Span, StrategyId,
    Time,
};
use std::collections::{BTreeMap, VecDeque};

/// Proof that the gate was passed. Only this room makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    #[must_use]
    pub fn get(&self) -> &T {
        &self.0
    }

    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Approved<Place> {
    /// The same order as a command, still approved.
    #[must_use]
    pub fn into_command(self) -> Approved<Command> {
        Approved(Command::Place(self.0))
    }
}

impl Approved<Command> {
    /// The same command inside the call that asked for it, still approved.
    #[must_use]
    pub fn within(self, call: Call) -> Approved<Command> {
        Approved(Command::Call(Call { order: Some(Box::new(self.0)), ..call }))
    }
}

/// A replacement as it is asked for: a new price and open quantity for a working order. `alias` is
/// the new order's key on the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replace {
    pub alias: OrderKey,
    pub price: Option<Decimal>,
    pub qty: Decimal,
}

/// The window over which orders are counted. Both ends belong to it.
const WINDOW: Span = Span::from_secs(60);

/// The limits, the halts, and the times of the last orders of each strategy.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    limits: Limits,
    own: BTreeMap<StrategyId, Limits>,
    sent: BTreeMap<StrategyId, VecDeque<Time>>,
    halted: Option<String>,
    halted_own: BTreeMap<StrategyId, String>,
}

impl Gate {
    /// A gate with these limits for every strategy.
    #[must_use]
    pub fn new(limits: Limits) -> Gate {
        Gate { limits, ..Gate::default() }
    }

    /// Gives one strategy limits of its own, in place of the common ones.
    pub fn limit(&mut self, strategy: StrategyId, limits: Limits) {
        self.own.insert(strategy, limits);
    }

    /// The limits that hold for a strategy.
    #[must_use]
    pub fn limits(&self, strategy: StrategyId) -> &Limits {
        self.own.get(&strategy).unwrap_or(&self.limits)
    }

    /// Lets no new order of a strategy pass, or of any (`None`). Cancels pass.
    pub fn halt(&mut self, strategy: Option<StrategyId>, reason: &str) {
        match strategy {
            Some(strategy) => drop(self.halted_own.insert(strategy, reason.to_owned())),
            None => self.halted = Some(reason.to_owned()),
        }
    }

    /// Lifts one halt. A strategy's own halt and the common one are lifted apart.
    pub fn resume(&mut self, strategy: Option<StrategyId>) {
        match strategy {
            Some(strategy) => drop(self.halted_own.remove(&strategy)),
            None => self.halted = None,
        }
    }

    /// Why a strategy is halted, the common halt first; `None` when it may trade.
    #[must_use]
    pub fn halted(&self, strategy: StrategyId) -> Option<&str> {
        self.halted.as_ref().or_else(|| self.halted_own.get(&strategy)).map(String::as_str)
    }

    /// Judges a new order; the first rule that it breaks is the answer. An approved order counts
    /// against the rate at once.
    ///
    /// # Errors
    /// A refusal with a code of `codes::CODES`.
    pub fn check(
        &mut self,
        now: Time,
        ask: &Place,
        facts: &Facts,
    ) -> Result<Approved<Place>, Refusal> {
        self.open_to(facts)?;
        rules::shape(ask, facts.instrument)?;
        let limits = self.limits(facts.strategy);
        if ask.reduce_only {
            rules::reduce(ask.side, ask.qty, facts)?;
        }
        let price = ask.price.or(ask.stop);
        rules::size(limits, ask.side, ask.qty, price, facts)?;
        rules::position(limits, ask.side, ask.qty, facts)?;
        if let Some(limit) = limits.max_open_orders.filter(|limit| facts.open_orders >= *limit) {
            return Err(Refusal::new("LIMIT_MAX_OPEN_ORDERS")
                .with("limit", limit)
                .with("open", facts.open_orders));
        }
        self.count(now, facts.strategy)?;
        Ok(Approved(ask.clone()))
    }

    /// Judges a replacement of `order`. Until the venue answers, the old order may still trade in
    /// part before the new one stands in full (AlphaPoint's CancelReplaceOrder takes a new
    /// quantity, not a total: FLOW-C23), so both count against the position. `facts.exposure` has
    /// the old one in it.
    ///
    /// # Errors
    /// A refusal with a code of `codes::CODES`.
    pub fn check_replace(
        &mut self,
        now: Time,
        ask: &Replace,
        order: &Order,
        facts: &Facts,
    ) -> Result<Approved<Command>, Refusal> {
        self.open_to(facts)?;
        rules::quantity(ask.qty, facts.instrument)?;
        if ask.price.is_some() && order.price.is_none() {
            return Err(Refusal::new("ORDER_BAD_PRICE").with("kind", "market"));
        }
        rules::grid(ask.price, facts.instrument)?;
        if !matches!(order.state, OrderState::Pending | OrderState::Working) {
            return Err(Refusal::new("ORDER_NOT_WORKING").with("state", order.state.word()));
        }
        if order.cancel_asked || order.replace_asked.is_some() {
            return Err(Refusal::new("ORDER_CHANGE_PENDING").with("order", order.key));
        }
        let limits = self.limits(facts.strategy);
        if order.reduce_only {
            rules::reduce(order.side, ask.qty, facts)?;
        }
        let price = ask.price.or(order.price).or(order.stop);
        rules::size(limits, order.side, ask.qty, price, facts)?;
        rules::position(limits, order.side, ask.qty, facts)?;
        self.count(now, facts.strategy)?;
        Ok(Approved(Command::Replace {
            key: order.key,
            alias: ask.alias,
            instrument: order.instrument,
            side: order.side,
            price: ask.price.or(order.price),
            qty: ask.qty,
        }))
    }

    /// Judges an order's becoming smaller, to this open quantity: nothing but its form can be
    /// wrong with it.
    ///
    /// # Errors
    /// A refusal with a code of `codes::CODES`.
    pub fn check_reduce(
        &self,
        qty: Decimal,
        order: &Order,
        facts: &Facts,
    ) -> Result<Approved<Command>, Refusal> {
        rules::quantity(qty, facts.instrument)?;
        if !matches!(order.state, OrderState::Working) {
            return Err(Refusal::new("ORDER_NOT_WORKING").with("state", order.state.word()));
        }
        if order.cancel_asked || order.replace_asked.is_some() {
            return Err(Refusal::new("ORDER_CHANGE_PENDING").with("order", order.key));
        }
        if qty >= order.remaining() {
            return Err(Refusal::new("ORDER_BAD_QTY")
                .with("qty", qty)
                .with("most", order.remaining()));
        }
        Ok(Approved(Command::Reduce { key: order.key, instrument: order.instrument, qty }))
    }

    /// A documented call that asks for no order of ours.
    #[must_use]
    pub fn approve_call(&self, call: Call) -> Approved<Command> {
        Approved(Command::Call(Call { order: None, ..call }))
    }

    /// Cancels always pass: halted, over every limit, or with the venue away.
    #[must_use]
    pub fn approve_cancel(&self, key: OrderKey, instrument: InstrumentId) -> Approved<Command> {
        Approved(Command::Cancel { key, instrument })
    }

    /// As `approve_cancel`, for every open order of an instrument or of all.
    #[must_use]
    pub fn approve_cancel_all(&self, instrument: Option<InstrumentId>) -> Approved<Command> {
        Approved(Command::CancelAll { instrument })
    }

    fn open_to(&self, facts: &Facts) -> Result<(), Refusal> {
        if let Some(reason) = &self.halted {
            return Err(Refusal::new("HALT_ALL").with("reason", reason));
        }
        if let Some(reason) = self.halted_own.get(&facts.strategy) {
            return Err(Refusal::new("HALT_STRATEGY").with("reason", reason));
        }
        if !facts.ready {
            return Err(Refusal::new("VENUE_NOT_READY").with("venue", &facts.instrument.venue));
        }
        Ok(())
    }

    /// Counts one order, if the window has room. The log is as long as the limit at most.
    fn count(&mut self, now: Time, strategy: StrategyId) -> Result<(), Refusal> {
        let Some(limit) = self.limits(strategy).max_orders_per_minute else { return Ok(()) };
        let sent = self.sent.entry(strategy).or_default();
        while sent.front().is_some_and(|first| now.since(*first) > WINDOW) {
            sent.pop_front();
        }
        if sent.len() >= limit {
            let again = sent.front().map(|first| first.plus(WINDOW).since(now));
            return Err(Refusal::new("LIMIT_ORDER_RATE")
                .with("limit", limit)
                .with("retry_after", again.unwrap_or(WINDOW)));
        }
        sent.push_back(now);
        Ok(())
    }
}
