//! The core as the strategies' desk: what each ask does.

use super::core::{Core, MOST_PRICE, MOST_QTY, reckonable};
use super::note::Note;
use crate::account::Order;
use crate::base::{
    Ask, Bar, CallAsk, CallFailure, CallId, Decimal, Instrument, InstrumentId, OrderKey, Plain,
    Quote, Refusal, Side, Span, StrategyId, Tif, Time, Trade,
};
use crate::desk::{Desk, PositionView, Words, refused};
use crate::market::HistoryKind;
use crate::risk::Replace;

impl Desk for Core {
    /// Rows have times of their own; all else happens at the engine's time, whatever the clock of
    /// the venue that stamped it.
    fn at(&mut self, _now: Time, row: Option<usize>) {
        if let Some(row) = row {
            self.absorb_to(row + 1);
        }
    }

    fn place(&mut self, who: StrategyId, ask: &Ask) -> Order {
        let Some(key) = self.next_key(who) else {
            let refusal = Refusal::new("ORDER_KEYS_USED_UP").with("run", self.run);
            return refused(ask, OrderKey::FIRST, who, self.version(who), &refusal, self.now);
        };
        match self.try_place(who, ask, key) {
            Ok(order) => order,
            Err(refusal) => self.refuse(who, ask, key, &refusal),
        }
    }

    fn cancel(&mut self, who: StrategyId, key: OrderKey) -> Result<(), Refusal> {
        self.settled()?;
        self.own_open(who, key)?;
        self.cancel_order(key);
        Ok(())
    }

    fn replace(
        &mut self,
        who: StrategyId,
        key: OrderKey,
        price: Option<Decimal>,
        qty: Option<Decimal>,
    ) -> Result<(), Refusal> {
        self.settled()?;
        let order = self.own_open(who, key)?.clone();
        let instrument = self.instruments.get(order.instrument).cloned();
        let instrument = instrument.ok_or_else(|| Refusal::new("ORDER_UNKNOWN_INSTRUMENT"))?;
        let alias = self.next_key(who).ok_or_else(|| Refusal::new("ORDER_KEYS_USED_UP"))?;
        let qty = qty.unwrap_or_else(|| order.remaining());
        reckonable("ORDER_BAD_QTY", "qty", Some(qty), MOST_QTY)?;
        reckonable("ORDER_BAD_PRICE", "price", price, MOST_PRICE)?;
        let ask = Replace {
            alias,
            price: price.map(|price| instrument.snap_price(order.side, price).normalize()),
            qty: instrument.snap_qty(qty).normalize(),
        };
        let mut gate = std::mem::take(&mut self.gate);
        let approved = gate.check_replace(self.now, &ask, &order, &self.facts(who, &instrument));
        self.gate = gate;
        let approved = approved?;
        self.orders.ask_replace(key, ask.qty, self.now);
        self.send(Some(who), approved);
        Ok(())
    }

    fn cancel_all(&mut self, who: StrategyId, instrument: Option<InstrumentId>) -> usize {
        if self.loading { 0 } else { self.cancel_open(Some(who), instrument) }
    }

    fn flatten(&mut self, who: StrategyId, instrument: Option<InstrumentId>) -> Vec<Order> {
        if self.loading {
            return Vec::new();
        }
        self.cancel_open(Some(who), instrument);
        let open: Vec<(InstrumentId, Decimal)> = self
            .ledger
            .positions()
            .filter(|(owner, id, _)| *owner == who && instrument.is_none_or(|only| only == *id))
            .map(|(_, id, position)| (id, position.qty))
            .filter(|(_, qty)| !qty.is_zero())
            .collect();
        let close = |(instrument, qty): (InstrumentId, Decimal)| Ask {
            instrument,
            side: if qty > Decimal::ZERO { Side::Sell } else { Side::Buy },
            qty: qty.abs(),
            price: None,
            stop: None,
            post_only: false,
            reduce_only: true,
            tif: Tif::Gtc,
            expires: None,
            tag: "flatten".into(),
            strict: false,
        };
        open.into_iter().map(|row| self.place(who, &close(row))).collect()
    }

    fn order(&self, who: StrategyId, key: OrderKey) -> Option<Order> {
        self.orders.get(key).filter(|order| order.strategy == who).cloned()
    }

    fn position(&self, who: StrategyId, instrument: InstrumentId) -> PositionView {
        let position = self.ledger.position(who, instrument);
        let last = self.market.last(instrument);
        PositionView {
            qty: position.qty,
            avg_price: position.avg_price(),
            realized: position.realized(),
            unrealized: last.map_or(Decimal::ZERO, |last| position.unrealized(last)),
        }
    }

    fn balance(&self, asset: &str) -> Option<(Decimal, Decimal)> {
        let venues = self.instruments.iter().map(|row| &row.venue);
        let mut found = venues.filter_map(|venue| self.ledger.balance(venue, asset));
        found.next().map(|balance| (balance.total, balance.held))
    }

    fn equity(&self, instrument: InstrumentId) -> Decimal {
        self.instruments
            .get(instrument)
            .map_or(Decimal::ZERO, |row| self.account_value(&row.venue, &row.quote))
    }

    fn set_timer(&mut self, who: StrategyId, name: &str, span: Span, repeat: bool) {
        self.timers.set(who, name, self.now, span, repeat);
    }

    fn cancel_timer(&mut self, who: StrategyId, name: &str) -> bool {
        self.timers.cancel(who, name)
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

    fn trades(&mut self, instrument: InstrumentId, n: usize) -> Vec<Trade> {
        self.want_history(instrument, HistoryKind::Trades, n);
        self.market.trades(instrument, n).cloned().collect()
    }

    fn quotes(&mut self, instrument: InstrumentId, n: usize) -> Vec<Quote> {
        self.want_history(instrument, HistoryKind::Quotes, n);
        self.market.quotes(instrument, n).cloned().collect()
    }

    fn bars(&mut self, instrument: InstrumentId, n: usize) -> Vec<Bar> {
        self.want_history(instrument, HistoryKind::Bars, n);
        let interval = self.market.intervals(instrument).next();
        interval.map_or_else(Vec::new, |interval| {
            self.market.bars(instrument, interval, n).cloned().collect()
        })
    }

    fn say(&mut self, who: StrategyId, words: Words) {
        let (version, at) = (self.version(who), self.now);
        self.notes.push_back(Note::Words { strategy: who, version, at, words });
    }

    fn call(&mut self, who: StrategyId, ask: CallAsk) -> Result<CallId, CallFailure> {
        self.raw_call(who, ask)
    }

    fn halt(&mut self, who: StrategyId, reason: &str) {
        if !self.loading {
            self.gate.halt(Some(who), reason);
        }
        self.halts.push((who, reason.to_owned()));
    }

    fn remember(&mut self, who: StrategyId, name: &str, value: Plain) -> Result<(), String> {
        // What a version that is being loaded keeps could outlive its refusal.
        if self.loading {
            return Err("it is for handlers of the running version, not for on_load".to_owned());
        }
        let strategy = self.owner(who).map(|owner| owner.name.clone()).unwrap_or_default();
        self.memory.keep(self.now, &strategy, name, value)
    }

    fn recall(&self, who: StrategyId, name: &str) -> Plain {
        self.owner(who).map_or(Plain::Nil, |owner| self.memory.get(&owner.name, name))
    }
}
