//! News into a script's tables: what `on_order`, `on_fill`, `on_book` and others are called with.

use super::{OnTrade, Script, rows};
use crate::account::Order;
use crate::base::{Fill, InstrumentId, Level, Quote, Time, Trade, decimal};
use crate::desk::Strategy;
use mlua::{Function, Table, Value};

impl Script {
    pub(super) fn seen_fields(
        &mut self,
        now: Time,
        name: &'static str,
        make: impl FnOnce(&Script) -> mlua::Result<Value>,
    ) {
        if !self.declared.handlers.contains_key(name) {
            return;
        }
        match make(self) {
            Ok(object) => self.single(now, name, object, Value::Nil),
            Err(err) => self.fail(name, &err.to_string(), "", false, now),
        }
    }

    pub(super) fn instrument_name(&self, id: InstrumentId) -> String {
        self.host.desk.borrow().instrument(id).map(|row| row.name()).unwrap_or_default()
    }

    /// The script's table of an order, refreshed.
    pub(super) fn order_value(&mut self, order: &Order) -> mlua::Result<Value> {
        self.changed.remove(&order.key);
        self.update_order.call(self.host.order_row(&self.lua, order)?)
    }

    /// Brings the script's tables of its orders up to date. Before it runs, not at every step of an
    /// order: nobody can look in between.
    pub(super) fn refresh_orders(&mut self) -> mlua::Result<()> {
        while let Some((_, order)) = self.changed.pop_first() {
            self.order_value(&order)?;
        }
        Ok(())
    }

    pub(super) fn see_trade(&mut self, now: Time, trade: &Trade) {
        if let Some(OnTrade { name, walk, handler }) = self.on_trade.clone() {
            self.one_row(now, name, walk, handler, &rows::trade_row(trade));
        }
    }

    pub(super) fn see_quote(&mut self, now: Time, quote: &Quote) {
        if let Some(handler) = self.handler("on_quote") {
            self.one_row(now, "on_quote", rows::QUOTE, handler, &rows::quote_row(quote));
        }
    }

    pub(super) fn book_value(
        &self,
        time: Time,
        instrument: InstrumentId,
        bids: &[Level],
        asks: &[Level],
    ) -> mlua::Result<Value> {
        let side = |levels: &[Level]| -> mlua::Result<Table> {
            let list = self.lua.create_table_with_capacity(levels.len(), 0)?;
            for (at, level) in levels.iter().enumerate() {
                let row = self.lua.create_table_with_capacity(0, 2)?;
                row.raw_set("price", decimal::to_f64(level.price))?;
                row.raw_set("qty", decimal::to_f64(level.qty))?;
                list.raw_set(at + 1, row)?;
            }
            Ok(list)
        };
        let book: Function = self.prelude.get("book")?;
        book.call((time.seconds(), instrument.0, side(bids)?, side(asks)?))
    }

    pub(super) fn see_order(&mut self, now: Time, order: &Order) {
        if !self.declared.handlers.contains_key("on_order") {
            self.know_order(order);
            return;
        }
        match self.order_value(order) {
            Ok(value) => self.single(now, "on_order", value, Value::Nil),
            Err(err) => self.fail("on_order", &err.to_string(), "", false, now),
        }
    }

    pub(super) fn see_fill(&mut self, now: Time, fill: &Fill, order: &Order) {
        if !self.declared.handlers.contains_key("on_fill") {
            self.know_order(order);
            return;
        }
        let order = match self.order_value(order) {
            Ok(order) => order,
            Err(err) => return self.fail("on_fill", &err.to_string(), "", false, now),
        };
        self.seen_fields(now, "on_fill", |script| {
            let table = script.lua.create_table()?;
            table.raw_set("order", order)?;
            table.raw_set("instrument", script.instrument_name(fill.instrument))?;
            table.raw_set("price", decimal::to_f64(fill.price))?;
            table.raw_set("qty", decimal::to_f64(fill.qty))?;
            table.raw_set("side", fill.side.word())?;
            table.raw_set("fee", decimal::to_f64(fill.fee))?;
            table.raw_set("fee_currency", fill.fee_asset.as_str())?;
            table.raw_set("liquidity", fill.liquidity.word())?;
            table.raw_set("time", fill.time.seconds())?;
            Ok(Value::Table(table))
        });
    }

    pub(super) fn text_table(
        &self,
        pairs: &[(&str, &str)],
        time: Option<Time>,
    ) -> mlua::Result<Value> {
        let table = self.lua.create_table()?;
        for (key, text) in pairs {
            table.raw_set(*key, *text)?;
        }
        if let Some(time) = time {
            table.raw_set("time", time.seconds())?;
        }
        Ok(Value::Table(table))
    }
}
