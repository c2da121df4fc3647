//! What scripts see of account and market: positions, balances, instruments, history.

use super::Host;
use crate::base::{Bar, Decimal, InstrumentId, Quote, Side, Trade, decimal};
use mlua::{Lua, Table, Value};
use std::rc::Rc;

pub(super) fn functions(lua: &Lua, host: &Rc<Host>, table: &Table) -> mlua::Result<()> {
    let number = |value: Decimal| Value::Number(decimal::to_f64(value));
    let own = Rc::clone(host);
    let position = move |lua: &Lua, instrument: u16| {
        let view = own.at(|desk, who| desk.position(who, InstrumentId(instrument)));
        let fields = lua.create_table()?;
        fields.raw_set("qty", number(view.qty))?;
        fields.raw_set("avg_price", view.avg_price.map_or(Value::Nil, number))?;
        fields.raw_set("realized", number(view.realized))?;
        fields.raw_set("unrealized", number(view.unrealized))?;
        Ok(fields)
    };
    table.raw_set("position", lua.create_function(position)?)?;
    let own = Rc::clone(host);
    let balance = move |lua: &Lua, asset: String| {
        let (total, held) = own.at(|desk, _| desk.balance(&asset)).unwrap_or_default();
        let fields = lua.create_table()?;
        fields.raw_set("total", number(total))?;
        fields.raw_set("free", number(total - held))?;
        fields.raw_set("held", number(held))?;
        Ok(fields)
    };
    table.raw_set("balance", lua.create_function(balance)?)?;
    let own = Rc::clone(host);
    let equity = move |_: &Lua, instrument: u16| {
        Ok(decimal::to_f64(own.at(|desk, _| desk.equity(InstrumentId(instrument)))))
    };
    table.raw_set("equity", lua.create_function(equity)?)?;
    let own = Rc::clone(host);
    let instrument = move |lua: &Lua, id: u16| {
        let Some(row) = own.at(|desk, _| desk.instrument(InstrumentId(id))) else {
            return Ok(None);
        };
        let fields = lua.create_table()?;
        fields.raw_set("name", row.name())?;
        fields.raw_set("base", row.base.as_str())?;
        fields.raw_set("quote", row.quote.as_str())?;
        fields.raw_set("tick_size", number(row.tick_size))?;
        fields.raw_set("lot_size", number(row.lot_size))?;
        fields.raw_set("min_qty", number(row.min_qty))?;
        fields.raw_set("maker_fee", number(row.fees.maker))?;
        fields.raw_set("taker_fee", number(row.fees.taker))?;
        Ok(Some(fields))
    };
    table.raw_set("instrument", lua.create_function(instrument)?)?;
    let own = Rc::clone(host);
    let find = move |_: &Lua, name: String| {
        Ok(own.at(|desk, _| desk.instrument_named(&name)).map(|row| row.id.0))
    };
    table.raw_set("find_instrument", lua.create_function(find)?)?;
    let own = Rc::clone(host);
    let history = move |lua: &Lua, (id, kind, n): (u16, String, usize)| {
        let id = InstrumentId(id);
        own.at(|desk, _| {
            let name = desk.instrument(id).map(|row| row.name()).unwrap_or_default();
            match kind.as_str() {
                "trades" => {
                    rows_of(lua, &desk.trades(id, n), |row, t| trade_fields(lua, row, t, &name))
                }
                "quotes" => rows_of(lua, &desk.quotes(id, n), |row, q| quote_fields(row, q, &name)),
                _ => rows_of(lua, &desk.bars(id, n), |row, b| bar_fields(row, b, &name)),
            }
        })
    };
    table.raw_set("history", lua.create_function(history)?)
}

fn rows_of<T>(
    lua: &Lua,
    items: &[T],
    fill: impl Fn(&Table, &T) -> mlua::Result<()>,
) -> mlua::Result<Table> {
    let list = lua.create_table_with_capacity(items.len(), 0)?;
    for (at, item) in items.iter().enumerate() {
        let row = lua.create_table_with_capacity(0, 9)?;
        fill(&row, item)?;
        list.raw_set(at + 1, row)?;
    }
    Ok(list)
}

/// A trade's fields, as in the view that handlers get.
pub fn trade_fields(lua: &Lua, row: &Table, trade: &Trade, name: &str) -> mlua::Result<()> {
    row.raw_set("time", trade.time.seconds())?;
    row.raw_set("price", decimal::to_f64(trade.price))?;
    row.raw_set("qty", decimal::to_f64(trade.qty))?;
    row.raw_set("side", trade.side.map(Side::word))?;
    row.raw_set("instrument", name)?;
    if trade.id != 0 {
        row.raw_set("id", lua.create_string(trade.id.to_string())?)?;
    }
    Ok(())
}

fn quote_fields(row: &Table, quote: &Quote, name: &str) -> mlua::Result<()> {
    row.raw_set("time", quote.time.seconds())?;
    row.raw_set("instrument", name)?;
    for (field, value) in [
        ("bid", quote.bid),
        ("bid_qty", quote.bid_qty),
        ("ask", quote.ask),
        ("ask_qty", quote.ask_qty),
        ("last", quote.last),
    ] {
        row.raw_set(field, decimal::to_f64(value))?;
    }
    Ok(())
}

/// A bar's fields, as handlers get them; `interval` in seconds.
pub fn bar_fields(row: &Table, bar: &Bar, name: &str) -> mlua::Result<()> {
    row.raw_set("time", bar.time.seconds())?;
    row.raw_set("instrument", name)?;
    row.raw_set("interval", bar.interval.seconds())?;
    for (field, value) in [
        ("open", bar.open),
        ("high", bar.high),
        ("low", bar.low),
        ("close", bar.close),
        ("volume", bar.volume),
    ] {
        row.raw_set(field, decimal::to_f64(value))?;
    }
    Ok(())
}
