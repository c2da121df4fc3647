//! What a strategy sees and may ask, whoever hosts it: the desk it asks at, and the shape it has.

pub mod strategy;
pub mod subscription;

#[cfg(test)]
mod tests;

use crate::account::Order;
use crate::base::{
    Ask, Bar, CallAsk, CallFailure, CallFailureKind, CallId, Decimal, Instrument, InstrumentId,
    OrderKey, OrderState, Plain, Quote, Refusal, Span, StrategyId, Time, Trade, Version,
};

pub use strategy::{Fault, FaultKind, Mode, Seen, Strategy};
pub use subscription::{Subscription, SubscriptionError};

/// What a strategy may ask for. The engine's core is the desk of a run; `Closed` is the desk of a
/// script that is only being loaded and looked at.
pub trait Desk {
    /// The moment of what is asked next; `row` is the row of the loaded block being handled.
    fn at(&mut self, now: Time, row: Option<usize>);
    /// One order through the gate. Always an answer at once: a pending order, or a rejected one
    /// with its reason.
    fn place(&mut self, who: StrategyId, ask: &Ask) -> Order;
    /// Asks for an end to an order of this strategy.
    ///
    /// # Errors
    /// When there is no such open order.
    fn cancel(&mut self, who: StrategyId, key: OrderKey) -> Result<(), Refusal>;
    /// Asks for another price or open quantity.
    ///
    /// # Errors
    /// When there is no such working order, or the new order does not pass the gate.
    fn replace(
        &mut self,
        who: StrategyId,
        key: OrderKey,
        price: Option<Decimal>,
        qty: Option<Decimal>,
    ) -> Result<(), Refusal>;
    /// Cancels this strategy's open orders; how many were asked for.
    fn cancel_all(&mut self, who: StrategyId, instrument: Option<InstrumentId>) -> usize;
    /// Cancels, then closes this strategy's positions with market orders; the orders it sent.
    fn flatten(&mut self, who: StrategyId, instrument: Option<InstrumentId>) -> Vec<Order>;
    fn order(&self, who: StrategyId, key: OrderKey) -> Option<Order>;
    fn position(&self, who: StrategyId, instrument: InstrumentId) -> PositionView;
    /// Total and held of an asset at the venue of the strategy's instruments.
    fn balance(&self, asset: &str) -> Option<(Decimal, Decimal)>;
    /// Account value in the quote asset of this instrument's venue.
    fn equity(&self, instrument: InstrumentId) -> Decimal;
    /// A timer of this strategy: first after `span`, then again each `span` if `repeat`.
    /// The same name again replaces the timer.
    fn set_timer(&mut self, who: StrategyId, name: &str, span: Span, repeat: bool);
    fn cancel_timer(&mut self, who: StrategyId, name: &str) -> bool;
    fn instrument(&self, id: InstrumentId) -> Option<Instrument>;
    fn instrument_named(&self, name: &str) -> Option<Instrument>;
    /// The names of all instruments of the run, for messages.
    fn instrument_names(&self) -> Vec<String>;
    /// The last `n` trades, quotes or bars seen, oldest first.
    fn trades(&mut self, instrument: InstrumentId, n: usize) -> Vec<Trade>;
    fn quotes(&mut self, instrument: InstrumentId, n: usize) -> Vec<Quote>;
    fn bars(&mut self, instrument: InstrumentId, n: usize) -> Vec<Bar>;
    fn say(&mut self, who: StrategyId, words: Words);
    /// Stops this strategy: no more handlers, no new orders.
    fn halt(&mut self, who: StrategyId, reason: &str);
    /// A documented call of a venue, checked against the table of calls. Its outcome comes later,
    /// through `Strategy::reply`.
    ///
    /// # Errors
    /// When it is not made at all: no such venue here, no grant, or the gate refuses the order.
    fn call(&mut self, who: StrategyId, ask: CallAsk) -> Result<CallId, CallFailure>;
    /// Keeps plain data under a name of this strategy, durable with the records of the same input;
    /// `Nil` forgets it.
    ///
    /// # Errors
    /// When it cannot be kept: what is wrong with it, in words.
    fn remember(&mut self, who: StrategyId, name: &str, value: Plain) -> Result<(), String>;
    /// What was last remembered under the name, by this version or one before it, in this run or
    /// one before it; `Nil` for nothing.
    fn recall(&self, who: StrategyId, name: &str) -> Plain;
}

/// A strategy's position in one instrument.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PositionView {
    /// Signed quantity: negative is short.
    pub qty: Decimal,
    pub avg_price: Option<Decimal>,
    /// By average cost, fees apart.
    pub realized: Decimal,
    pub unrealized: Decimal,
}

/// What a strategy says to people.
#[derive(Clone, PartialEq, Debug)]
pub enum Words {
    Log { level: Level, message: String, fields: Plain },
    Plot { name: String, value: f64 },
    Alert { message: String, fields: Plain },
}

/// A log line's weight.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

/// The desk of a script that is only loaded: it refuses every ask and knows only instruments.
#[derive(Debug, Default)]
pub struct Closed {
    pub instruments: crate::base::Instruments,
    pub words: Vec<Words>,
}

/// The order that a local refusal leaves: rejected, with the reason, never sent.
#[must_use]
pub fn refused(
    ask: &Ask,
    key: OrderKey,
    who: StrategyId,
    version: Version,
    refusal: &Refusal,
    now: Time,
) -> Order {
    let mut order = Order::new(&ask.place(key), who, version, now);
    order.state = OrderState::Rejected;
    order.reason = refusal.to_string();
    order.tag.clone_from(&ask.tag);
    order
}

const CLOSED: &str = "DESK_CLOSED";

impl Desk for Closed {
    fn at(&mut self, _: Time, _: Option<usize>) {}

    fn place(&mut self, who: StrategyId, ask: &Ask) -> Order {
        let version = Version(std::sync::Arc::from(""));
        refused(ask, OrderKey::FIRST, who, version, &Refusal::new(CLOSED), Time::ZERO)
    }

    fn cancel(&mut self, _: StrategyId, _: OrderKey) -> Result<(), Refusal> {
        Err(Refusal::new(CLOSED))
    }

    fn replace(
        &mut self,
        _: StrategyId,
        _: OrderKey,
        _: Option<Decimal>,
        _: Option<Decimal>,
    ) -> Result<(), Refusal> {
        Err(Refusal::new(CLOSED))
    }

    fn cancel_all(&mut self, _: StrategyId, _: Option<InstrumentId>) -> usize {
        0
    }

    fn flatten(&mut self, _: StrategyId, _: Option<InstrumentId>) -> Vec<Order> {
        Vec::new()
    }

    fn order(&self, _: StrategyId, _: OrderKey) -> Option<Order> {
        None
    }

    fn position(&self, _: StrategyId, _: InstrumentId) -> PositionView {
        PositionView::default()
    }

    fn balance(&self, _: &str) -> Option<(Decimal, Decimal)> {
        None
    }

    fn equity(&self, _: InstrumentId) -> Decimal {
        Decimal::ZERO
    }

    fn set_timer(&mut self, _: StrategyId, _: &str, _: Span, _: bool) {}

    fn cancel_timer(&mut self, _: StrategyId, _: &str) -> bool {
        false
    }

    fn instrument(&self, id: InstrumentId) -> Option<Instrument> {
        self.instruments.get(id).cloned()
    }

    fn instrument_named(&self, name: &str) -> Option<Instrument> {
        self.instruments.find(name).cloned()
    }

    fn instrument_names(&self) -> Vec<String> {
        self.instruments.iter().map(Instrument::name).collect()
    }

    fn trades(&mut self, _: InstrumentId, _: usize) -> Vec<Trade> {
        Vec::new()
    }

    fn quotes(&mut self, _: InstrumentId, _: usize) -> Vec<Quote> {
        Vec::new()
    }

    fn bars(&mut self, _: InstrumentId, _: usize) -> Vec<Bar> {
        Vec::new()
    }

    fn say(&mut self, _: StrategyId, words: Words) {
        self.words.push(words);
    }

    fn halt(&mut self, _: StrategyId, _: &str) {}

    fn call(&mut self, _: StrategyId, ask: CallAsk) -> Result<CallId, CallFailure> {
        let why = format!("{}.{} is for handlers, not for loading", ask.venue, ask.name);
        Err(CallFailure::refused(CallFailureKind::NoVenue, why))
    }

    fn remember(&mut self, _: StrategyId, _: &str, _: Plain) -> Result<(), String> {
        Ok(())
    }

    fn recall(&self, _: StrategyId, _: &str) -> Plain {
        Plain::Nil
    }
}
