//! What the prelude can ask of the host: thin functions from Lua values to the desk and back.
//! They never raise for a script's mistake; they answer, and the prelude raises at the script's
//! line.

mod account;
mod calls;
mod memory;
mod modules;

pub use account::bar_fields;
pub use calls::{failure_table, globals};
pub use modules::{compile, parameter, restore};

use super::values::{money, to_plain};
use crate::account::Order;
use crate::base::{
    Ask, InstrumentId, OrderKey, OrderState, Plain, Side, Span, StrategyId, Tif, Time,
    VenueOrderId, decimal,
};
use crate::desk::{Desk, Level, Words};
use mlua::{Function, Lua, LuaString, Table, Value, Variadic};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What the host's functions of one VM share.
pub struct Host {
    pub desk: Rc<RefCell<dyn Desk>>,
    pub who: StrategyId,
    pub sources: BTreeMap<String, String>,
    /// The moment of the delivery under way, unless it walks over rows.
    pub now: Cell<Time>,
    /// The times of the rows being walked, with the row counter's buffer.
    pub rows: RefCell<Option<RowTimes>>,
    /// The prelude's `update_order`, once it runs.
    pub update_order: RefCell<Option<Function>>,
    /// Of the open orders that the script knows.
    texts: RefCell<BTreeMap<OrderKey, OrderTexts>>,
}

/// Where the walk over a block's rows stands.
pub struct RowTimes {
    pub control: mlua::Buffer,
    /// Row in the VM's buffer -> row of the block and its time.
    pub rows: Rc<Vec<(usize, Time)>>,
}

impl Host {
    pub fn new(
        desk: Rc<RefCell<dyn Desk>>,
        who: StrategyId,
        sources: BTreeMap<String, String>,
        now: Time,
    ) -> Host {
        Host {
            desk,
            who,
            sources,
            now: Cell::new(now),
            rows: RefCell::new(None),
            update_order: RefCell::new(None),
            texts: RefCell::new(BTreeMap::new()),
        }
    }

    /// The desk, told which moment (and row) it is.
    fn at<R>(&self, ask: impl FnOnce(&mut dyn Desk, StrategyId) -> R) -> R {
        let (now, row) = self.moment();
        let mut desk = self.desk.borrow_mut();
        desk.at(now, row);
        ask(&mut *desk, self.who)
    }

    pub fn moment(&self) -> (Time, Option<usize>) {
        let rows = self.rows.borrow();
        let place = rows.as_ref().and_then(|walk| {
            let row = u32::from_le_bytes(walk.control.read_bytes::<4>(0));
            usize::try_from(row).ok().and_then(|row| walk.rows.get(row).copied())
        });
        place.map_or((self.now.get(), None), |(row, time)| (time, Some(row)))
    }

    /// Refreshes the script's table of this order.
    pub fn tell(&self, lua: &Lua, order: &Order) -> mlua::Result<()> {
        if let Some(update) = self.update_order.borrow().as_ref() {
            update.call::<()>(self.order_row(lua, order)?)?;
        }
        Ok(())
    }

    /// An order as the prelude takes it.
    pub fn order_row(&self, lua: &Lua, order: &Order) -> mlua::Result<OrderRow> {
        let some = |text: &str| (!text.is_empty()).then(|| lua.create_string(text)).transpose();
        let mut texts = self.texts.borrow_mut();
        let mut of = match texts.remove(&order.key) {
            Some(texts) => texts,
            None => OrderTexts {
                id: lua.create_string(order.key.to_string())?,
                venue_id: None,
                tag: some(&order.tag)?,
            },
        };
        // A replaced order goes on under another number.
        if of.venue_id.as_ref().map(|(id, _)| *id) != order.venue_id {
            of.venue_id = match order.venue_id {
                Some(id) => Some((id, lua.create_string(id.to_string())?)),
                None => None,
            };
        }
        let row = (
            Some(of.id.clone()),
            of.venue_id.as_ref().map(|(_, text)| text.clone()),
            order.instrument.0,
            side_code(order.side),
            decimal::to_f64(order.qty),
            order.price.map(decimal::to_f64),
            decimal::to_f64(order.filled),
            decimal::to_f64(order.remaining()),
            order.avg_price().map(decimal::to_f64),
            state_code(order.state),
            order.state.is_open(),
            of.tag.clone(),
            some(&order.reason)?,
            order.created.seconds(),
        );
        if order.state.is_open() {
            texts.insert(order.key, of);
        }
        Ok(row)
    }
}

/// The texts of an open order as values of the VM, made once: with a memory limit, making text in a
/// VM is what costs most of telling it of an order.
struct OrderTexts {
    id: LuaString,
    venue_id: Option<(VenueOrderId, LuaString)>,
    tag: Option<LuaString>,
}

/// The arguments of the prelude's `update_order`: id, venue id, instrument, side, quantity, price,
/// filled, remaining, average price, state, whether it is open, tag, reason, created. Without an id
/// it is no order, and the second word says why.
pub type OrderRow = (
    Option<LuaString>,
    Option<LuaString>,
    u16,
    u8,
    f64,
    Option<f64>,
    f64,
    f64,
    Option<f64>,
    u8,
    bool,
    Option<LuaString>,
    Option<LuaString>,
    f64,
);

/// Side and state as the prelude's tables of words have them.
const fn side_code(side: Side) -> u8 {
    match side {
        Side::Buy => 1,
        Side::Sell => 2,
    }
}

const fn state_code(state: OrderState) -> u8 {
    match state {
        OrderState::Pending => 1,
        OrderState::Working => 2,
        OrderState::Unknown => 3,
        OrderState::Filled => 4,
        OrderState::Canceled => 5,
        OrderState::Rejected => 6,
        OrderState::Expired => 7,
    }
}

/// The table of host functions that the prelude gets.
pub fn functions(lua: &Lua, host: &Rc<Host>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    order_functions(lua, host, &table)?;
    account::functions(lua, host, &table)?;
    timer_functions(lua, host, &table)?;
    speech_functions(lua, host, &table)?;
    calls::functions(lua, host, &table)?;
    memory::functions(lua, host, &table)?;
    modules::functions(lua, host, &table)?;
    Ok(table)
}

type Placed =
    (u16, u8, Value, Value, Value, bool, bool, Option<String>, Option<f64>, Option<String>, bool);

fn order_functions(lua: &Lua, host: &Rc<Host>, table: &Table) -> mlua::Result<()> {
    let own = Rc::clone(host);
    let place = move |lua: &Lua, args: Placed| {
        let ask = match ask_of(args) {
            Ok(ask) => ask,
            Err(why) => {
                let why = Some(lua.create_string(why)?);
                let zero = 0.0;
                return Ok((
                    None, why, 0, 0, zero, None, zero, zero, None, 0, false, None, None, zero,
                ));
            }
        };
        let order = own.at(|desk, who| desk.place(who, &ask));
        own.order_row(lua, &order)
    };
    table.raw_set("place", lua.create_function(place)?)?;
    let own = Rc::clone(host);
    let cancel = move |_: &Lua, id: String| {
        let Some(key) = key_of(&id) else { return Ok((false, Some(format!("no order {id}")))) };
        Ok(match own.at(|desk, who| desk.cancel(who, key)) {
            Ok(()) => (true, None),
            Err(refusal) => (false, Some(refusal.to_string())),
        })
    };
    table.raw_set("cancel", lua.create_function(cancel)?)?;
    let own = Rc::clone(host);
    let cancel_all = move |_: &Lua, instrument: Option<u16>| {
        Ok(own.at(|desk, who| desk.cancel_all(who, instrument.map(InstrumentId))))
    };
    table.raw_set("cancel_all", lua.create_function(cancel_all)?)?;
    let own = Rc::clone(host);
    let replace = move |_: &Lua, (id, price, qty): (String, Value, Value)| {
        let Some(key) = key_of(&id) else {
            return Ok((false, Some(format!("no order {id}")), false));
        };
        let (price, qty) = match (money(&price), money(&qty)) {
            (Ok(price), Ok(qty)) => (price, qty),
            (Err(why), _) | (_, Err(why)) => return Ok((false, Some(why), true)),
        };
        Ok(match own.at(|desk, who| desk.replace(who, key, price, qty)) {
            Ok(()) => (true, None, false),
            Err(refusal) => (false, Some(refusal.to_string()), false),
        })
    };
    table.raw_set("replace", lua.create_function(replace)?)?;
    let own = Rc::clone(host);
    let flatten = move |_: &Lua, instrument: Option<u16>| {
        let orders = own.at(|desk, who| desk.flatten(who, instrument.map(InstrumentId)));
        Ok(orders.iter().map(|order| order.key.to_string()).collect::<Vec<_>>())
    };
    table.raw_set("flatten", lua.create_function(flatten)?)?;
    let own = Rc::clone(host);
    let know = move |lua: &Lua, id: String| {
        let order = key_of(&id).and_then(|key| own.at(|desk, who| desk.order(who, key)));
        if let Some(order) = &order {
            own.tell(lua, order)?;
        }
        Ok(order.is_some())
    };
    table.raw_set("know", lua.create_function(know)?)
}

fn key_of(id: &str) -> Option<OrderKey> {
    id.parse().ok().and_then(OrderKey::from_wire)
}

fn ask_of(args: Placed) -> Result<Ask, String> {
    let (instrument, side, qty, price, stop, post_only, reduce_only, tif, expires, tag, strict) =
        args;
    let field = |name: &str, value: &Value| money(value).map_err(|why| format!("{name}: {why}"));
    let tif = match tif.as_deref() {
        None | Some("gtc") => Tif::Gtc,
        Some("ioc") => Tif::Ioc,
        Some("fok") => Tif::Fok,
        Some(other) => return Err(format!("tif is \"gtc\", \"ioc\" or \"fok\", not \"{other}\"")),
    };
    let expires = match expires {
        None => None,
        Some(seconds) => Some(
            Span::from_seconds(seconds)
                .filter(|span| span.nanos() > 0)
                .ok_or_else(|| format!("expires is seconds to live, above 0, not {seconds}"))?,
        ),
    };
    Ok(Ask {
        instrument: InstrumentId(instrument),
        side: if side == 1 { Side::Buy } else { Side::Sell },
        qty: field("qty", &qty)?.ok_or("qty is missing")?,
        price: field("price", &price)?,
        stop: field("stop", &stop)?,
        post_only,
        reduce_only,
        tif,
        expires,
        tag: tag.unwrap_or_default(),
        strict,
    })
}

fn timer_functions(lua: &Lua, host: &Rc<Host>, table: &Table) -> mlua::Result<()> {
    let own = Rc::clone(host);
    let set = move |_: &Lua, (name, seconds, repeat): (String, f64, bool)| {
        if let Some(span) = Span::from_seconds(seconds) {
            own.at(|desk, who| desk.set_timer(who, &name, span, repeat));
        }
        Ok(())
    };
    table.raw_set("set_timer", lua.create_function(set)?)?;
    let own = Rc::clone(host);
    let cancel = move |_: &Lua, name: String| Ok(own.at(|desk, who| desk.cancel_timer(who, &name)));
    table.raw_set("cancel_timer", lua.create_function(cancel)?)
}

/// The longest text of a log line or alert that is kept.
const MAX_WORDS: usize = 10_000;

fn speech_functions(lua: &Lua, host: &Rc<Host>, table: &Table) -> mlua::Result<()> {
    let clip = |text: String| text.chars().take(MAX_WORDS).collect::<String>();
    let plain = |fields: &Value| {
        to_plain(fields, "fields")
            .unwrap_or_else(|why| Plain::map(vec![("fields", Plain::Text(why))]))
    };
    let own = Rc::clone(host);
    let log = move |_: &Lua, (level, message, fields): (String, String, Value)| {
        let level = match level.as_str() {
            "debug" => Level::Debug,
            "warn" => Level::Warn,
            "error" => Level::Error,
            _ => Level::Info,
        };
        let words = Words::Log { level, message: clip(message), fields: plain(&fields) };
        own.at(|desk, who| desk.say(who, words));
        Ok(())
    };
    table.raw_set("log", lua.create_function(log)?)?;
    let own = Rc::clone(host);
    let plot = move |_: &Lua, (name, value): (String, f64)| {
        own.at(|desk, who| desk.say(who, Words::Plot { name: clip(name), value }));
        Ok(())
    };
    table.raw_set("plot", lua.create_function(plot)?)?;
    let own = Rc::clone(host);
    let alert = move |_: &Lua, (message, fields): (String, Value)| {
        let words = Words::Alert { message: clip(message), fields: plain(&fields) };
        own.at(|desk, who| desk.say(who, words));
        Ok(())
    };
    table.raw_set("alert", lua.create_function(alert)?)?;
    let own = Rc::clone(host);
    let halt = move |_: &Lua, reason: String| {
        own.at(|desk, who| desk.halt(who, &clip(reason)));
        Ok(())
    };
    table.raw_set("halt", lua.create_function(halt)?)
}

/// `print`: a log line of level info.
pub fn print(lua: &Lua, host: &Rc<Host>) -> mlua::Result<Function> {
    let own = Rc::clone(host);
    lua.create_function(move |_, values: Variadic<Value>| {
        let texts: Vec<String> =
            values.iter().map(|value| value.to_string().unwrap_or_else(|_| "?".into())).collect();
        let message: String = texts.join("\t").chars().take(MAX_WORDS).collect();
        let words = Words::Log { level: Level::Info, message, fields: Plain::Nil };
        own.at(|desk, who| desk.say(who, words));
        Ok(())
    })
}
