//! What the prelude can ask of the host: thin functions from Lua values to the desk and back.
//! They never raise for a script's mistake; they answer, and the prelude raises at the script's
//! line.

use super::values::{from_plain, integer, money, to_plain};
use super::vm::{self, Code};
use super::{graph, names, stdlib};
use crate::account::Order;
use crate::base::{
    Ask, Bar, Decimal, InstrumentId, OrderKey, OrderState, Plain, Quote, Side, Span, StrategyId,
    Tif, Time, Trade, VenueOrderId, decimal,
};
use crate::desk::{Desk, Level, Words};
use mlua::chunk::ChunkMode;
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
    account_functions(lua, host, &table)?;
    timer_functions(lua, host, &table)?;
    speech_functions(lua, host, &table)?;
    module_functions(lua, host, &table)?;
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

fn account_functions(lua: &Lua, host: &Rc<Host>, table: &Table) -> mlua::Result<()> {
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

fn module_functions(lua: &Lua, host: &Rc<Host>, table: &Table) -> mlua::Result<()> {
    let own = Rc::clone(host);
    let resolve = move |_: &Lua, (name, from): (String, String)| {
        let resolved = match name.strip_prefix("@std/") {
            Some(_) if stdlib::source(&name).is_some() => Ok(name),
            Some(_) => {
                let near = names::nearest(&name, stdlib::names());
                let hint =
                    near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
                Err(format!("there is no \"{name}\"{hint}"))
            }
            None => {
                graph::resolve(&from, &name, |path| own.sources.contains_key(path)).map_err(|_| {
                    format!(
                        "\"{name}\" is not a file beside this one that some require names literally"
                    )
                })
            }
        };
        Ok(match resolved {
            Ok(path) => (Some(path), None),
            Err(why) => (None, Some(why)),
        })
    };
    table.raw_set("resolve", lua.create_function(resolve)?)?;
    let own = Rc::clone(host);
    let compile = move |lua: &Lua, path: String| compile(lua, &own.sources, &path);
    table.raw_set("compile", lua.create_function(compile)?)?;
    let near = |_: &Lua, (word, known): (String, Table)| {
        let known: Vec<String> =
            known.pairs::<String, Value>().flatten().map(|(name, _)| name).collect();
        Ok(names::nearest(&word, known.iter().map(String::as_str)).map(str::to_owned))
    };
    table.raw_set("nearest", lua.create_function(near)?)?;
    let id_text = |lua: &Lua, (low, high): (u32, u32)| {
        lua.create_string(((u64::from(high) << 32) | u64::from(low)).cast_signed().to_string())
    };
    table.raw_set("id_text", lua.create_function(id_text)?)
}

/// A source of the graph or of the standard library as a function. Of the graph, text only: bytecode
/// is refused.
pub fn compile(
    lua: &Lua,
    sources: &BTreeMap<String, String>,
    path: &str,
) -> mlua::Result<Function> {
    if let Some(text) = stdlib::source(path) {
        return vm::trusted(lua, path, text, Code::Native);
    }
    let text = sources.get(path);
    let text = text.ok_or_else(|| mlua::Error::runtime(format!("there is no source {path}")))?;
    lua.load(text).set_name(format!("={path}")).set_mode(ChunkMode::Text).into_function()
}

/// Plain data as a script's value, objects of `@std` classes and orders included.
pub fn restore(
    lua: &Lua,
    prelude: &Table,
    host: &Rc<Host>,
    plain: &Plain,
) -> Result<Value, String> {
    let class_of: Function = prelude.get("class_of").map_err(|err| err.to_string())?;
    let order_of: Function = prelude.get("order_of").map_err(|err| err.to_string())?;
    let object = |class: &str, fields: Table| -> Result<Value, String> {
        if class == "order" {
            let id: String = fields.raw_get("id").map_err(|err| err.to_string())?;
            let order = key_of(&id).and_then(|key| host.at(|desk, who| desk.order(who, key)));
            if let Some(order) = order {
                host.tell(lua, &order).map_err(|err| err.to_string())?;
            }
            return order_of.call(id).map_err(|err| err.to_string());
        }
        let meta: Option<Table> = class_of.call(class).map_err(|err| err.to_string())?;
        let meta = meta.ok_or_else(|| format!("there is no class {class} in @std any more"))?;
        fields.set_metatable(Some(meta)).map_err(|err| err.to_string())?;
        Ok(Value::Table(fields))
    };
    from_plain(lua, plain, &object)
}

/// A parameter's value for `ctx.params`.
pub fn parameter(lua: &Lua, plain: &Plain) -> Result<Value, String> {
    match plain {
        Plain::Int(whole) => integer(lua, *whole),
        Plain::Nil
        | Plain::Bool(_)
        | Plain::Decimal(_)
        | Plain::Number(_)
        | Plain::Text(_)
        | Plain::List(_)
        | Plain::Map(_)
        | Plain::Object(..) => {
            from_plain(lua, plain, &|class, _| Err(format!("{class} as a parameter")))
        }
    }
}
