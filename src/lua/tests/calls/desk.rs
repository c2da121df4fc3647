//! A desk that takes calls and answers them when the test says so; the rest is a closed desk's.

use super::super::*;
use crate::account::Order;
use crate::base::{
    Ask, Bar, CallAsk, CallFailure, CallFailureKind, CallId, Decimal, OrderKey, Quote, Refusal,
    Span, Trade,
};
use crate::desk::{Desk, PositionView};

#[derive(Default)]
pub struct Counter {
    closed: Closed,
    pub asked: Vec<CallAsk>,
    /// What it says to every call at once, if not yes.
    pub refusal: Option<CallFailure>,
    next: u64,
}

impl Counter {
    pub fn new() -> Rc<RefCell<Counter>> {
        let closed = std::mem::take(&mut *desk().borrow_mut());
        Rc::new(RefCell::new(Counter { closed, ..Counter::default() }))
    }

    pub fn logged(&mut self) -> Vec<String> {
        let words = std::mem::take(&mut self.closed.words);
        let text = |words| match words {
            Words::Log { message, .. } => Some(message),
            Words::Plot { .. } | Words::Alert { .. } => None,
        };
        words.into_iter().filter_map(text).collect()
    }

    pub fn refuse(&mut self, kind: CallFailureKind, message: &str) {
        self.refusal = Some(CallFailure::refused(kind, message));
    }
}

impl Desk for Counter {
    fn at(&mut self, now: Time, row: Option<usize>) {
        self.closed.at(now, row);
    }
    fn place(&mut self, who: StrategyId, ask: &Ask) -> Order {
        self.closed.place(who, ask)
    }
    fn cancel(&mut self, who: StrategyId, key: OrderKey) -> Result<(), Refusal> {
        self.closed.cancel(who, key)
    }
    fn replace(
        &mut self,
        who: StrategyId,
        key: OrderKey,
        price: Option<Decimal>,
        qty: Option<Decimal>,
    ) -> Result<(), Refusal> {
        self.closed.replace(who, key, price, qty)
    }
    fn cancel_all(&mut self, who: StrategyId, of: Option<InstrumentId>) -> usize {
        self.closed.cancel_all(who, of)
    }
    fn flatten(&mut self, who: StrategyId, of: Option<InstrumentId>) -> Vec<Order> {
        self.closed.flatten(who, of)
    }
    fn order(&self, who: StrategyId, key: OrderKey) -> Option<Order> {
        self.closed.order(who, key)
    }
    fn position(&self, who: StrategyId, of: InstrumentId) -> PositionView {
        self.closed.position(who, of)
    }
    fn balance(&self, asset: &str) -> Option<(Decimal, Decimal)> {
        self.closed.balance(asset)
    }
    fn equity(&self, of: InstrumentId) -> Decimal {
        self.closed.equity(of)
    }
    fn set_timer(&mut self, who: StrategyId, name: &str, span: Span, repeat: bool) {
        self.closed.set_timer(who, name, span, repeat);
    }
    fn cancel_timer(&mut self, who: StrategyId, name: &str) -> bool {
        self.closed.cancel_timer(who, name)
    }
    fn instrument(&self, id: InstrumentId) -> Option<Instrument> {
        self.closed.instrument(id)
    }
    fn instrument_named(&self, name: &str) -> Option<Instrument> {
        self.closed.instrument_named(name)
    }
    fn instrument_names(&self) -> Vec<String> {
        self.closed.instrument_names()
    }
    fn trades(&mut self, of: InstrumentId, n: usize) -> Vec<Trade> {
        self.closed.trades(of, n)
    }
    fn quotes(&mut self, of: InstrumentId, n: usize) -> Vec<Quote> {
        self.closed.quotes(of, n)
    }
    fn bars(&mut self, of: InstrumentId, n: usize) -> Vec<Bar> {
        self.closed.bars(of, n)
    }
    fn say(&mut self, who: StrategyId, words: Words) {
        self.closed.say(who, words);
    }
    fn halt(&mut self, who: StrategyId, reason: &str) {
        self.closed.halt(who, reason);
    }
    fn call(&mut self, _: StrategyId, ask: CallAsk) -> Result<CallId, CallFailure> {
        self.asked.push(ask);
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        self.next += 1;
        Ok(CallId(self.next))
    }
    fn remember(&mut self, who: StrategyId, name: &str, value: Plain) -> Result<(), String> {
        self.closed.remember(who, name, value)
    }
    fn recall(&self, who: StrategyId, name: &str) -> Plain {
        self.closed.recall(who, name)
    }
}
