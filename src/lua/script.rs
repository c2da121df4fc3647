//! A Lua strategy: one VM and its deliveries.
#![allow(clippy::wildcard_enum_match_arm)] // the VM's value and error types are open lists

use super::bind::{self, Host, RowTimes};
use super::budget::{Budget, RowWord};
use super::graph::Candidate;
use super::load::{self, Declared, Param};
use super::vm::{self, Code};
use super::{fault, rows, values};
use crate::account::Order;
use crate::base::tape::TradeBlock;
use crate::base::{
    InstrumentId, Level, OrderKey, Plain, Quote, Span, StrategyId, Time, Trade, Version, decimal,
};
use crate::desk::{Desk, Fault, FaultKind, Mode, Seen, Strategy, Subscription};
use mlua::{Buffer, Function, Lua, Table, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// The limits of one VM.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How long one handler may run.
    pub handler: Duration,
    /// How long loading the file, `on_start`, `on_save` and `on_load` may run.
    pub load: Duration,
    /// Bytes a VM may hold.
    pub memory: usize,
}

impl Default for Limits {
    /// 10 ms a handler, a second to load, 64 MiB.
    fn default() -> Limits {
        Limits {
            handler: Duration::from_millis(10),
            load: Duration::from_secs(1),
            memory: 64 << 20,
        }
    }
}

/// What a script is loaded with.
pub struct Setup {
    pub who: StrategyId,
    pub mode: Mode,
    pub desk: Rc<RefCell<dyn Desk>>,
    /// Parameters of this script; one that it does not declare is an error.
    pub overrides: BTreeMap<String, String>,
    /// Parameters for whichever script declares them.
    pub shared: BTreeMap<String, String>,
    /// The instrument of a script that names none, where the run has just one.
    pub default_instrument: Option<String>,
    /// Of `math.random`.
    pub seed: u64,
    pub limits: Limits,
    pub now: Time,
}

/// The most rows a VM's buffer holds.
pub const MAX_ROWS: usize = 65_536;
const MAX_INSTRUMENTS: usize = 1_024;
const SINGLE: u32 = 0;
/// Answers of the prelude's deliveries.
const ASLEEP: u32 = 1;
const FAILED: u32 = 2;

type Answer = (u32, Value, Value);

/// The trade handler in the form the script has it.
#[derive(Clone)]
struct OnTrade {
    name: &'static str,
    /// How the prelude walks rows for it.
    walk: u32,
    handler: Function,
}

/// A running version of a script.
pub struct Script {
    // First, so that it is dropped before the VM it watches.
    budget: Budget,
    limits: Limits,
    candidate: Candidate,
    declared: Declared,
    host: Rc<Host>,
    prelude: Table,
    deliver: Function,
    control: Buffer,
    /// The row counter inside `control`.
    row: RowWord,
    buffer: Buffer,
    positions: Buffer,
    encoded: Vec<u8>,
    map: Vec<usize>,
    row_times: Rc<Vec<(usize, Time)>>,
    capacity: usize,
    min_qty: Option<crate::base::Decimal>,
    on_trade: Option<OnTrade>,
    update_order: Function,
    /// Orders that changed since the script last ran; its tables of them are refreshed before it
    /// runs again.
    changed: BTreeMap<OrderKey, Order>,
    tasks: BTreeMap<(Time, u64), u32>,
    task_count: u64,
    faults: Vec<Fault>,
    lua: Lua,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Script({} {})", self.candidate.name, self.candidate.version)
    }
}

impl Script {
    /// Loads a candidate in a fresh VM. Nothing of a version that runs is touched.
    ///
    /// # Errors
    /// When the source does not compile, fails while it loads, or declares what makes no sense.
    pub fn load(candidate: Candidate, setup: Setup) -> Result<Script, Fault> {
        let at = setup.now;
        let own = |err: &mlua::Error| plain_fault(&candidate, "load", &err.to_string(), at);
        let lua = vm::open(setup.seed).map_err(|err| own(&err))?;
        let (desk, sources) = (Rc::clone(&setup.desk), candidate.sources.clone());
        let host = Rc::new(Host::new(desk, setup.who, sources, at));
        let parts = Parts::make(&lua, &host, setup.limits.memory).map_err(|err| own(&err))?;
        let mut budget = Budget::new(&lua);
        budget.arm(setup.limits.load, parts.row);
        let loaded = parts.prelude.get::<Function>("load").and_then(|load| {
            bind::compile(&lua, &candidate.sources, &candidate.entry)?;
            load.call::<Value>(candidate.entry.as_str())
        });
        let stopped = budget.disarm();
        let value = loaded.map_err(|err| load_fault(&candidate, &err, stopped, at))?;
        let declared = load::declared(&value, setup.default_instrument.as_deref());
        let declared = declared.map_err(|problem| problem_fault(&candidate, &problem, at))?;
        let min_qty = one_filter(&declared);
        let on_trade = trade_handler(&declared);
        let mut script = Script {
            budget,
            limits: setup.limits,
            host,
            prelude: parts.prelude,
            deliver: parts.deliver,
            control: parts.control,
            row: parts.row,
            buffer: parts.buffer,
            positions: parts.positions,
            encoded: Vec::new(),
            map: Vec::new(),
            row_times: Rc::new(Vec::new()),
            capacity: 1,
            min_qty,
            on_trade,
            update_order: parts.update_order,
            changed: BTreeMap::new(),
            tasks: BTreeMap::new(),
            task_count: 0,
            faults: Vec::new(),
            lua,
            candidate,
            declared,
        };
        script.furnish(&setup)?;
        Ok(script)
    }

    /// Fills in `ctx`: parameters, names, instruments.
    fn furnish(&mut self, setup: &Setup) -> Result<(), Fault> {
        let mut overrides = setup.overrides.clone();
        for param in &self.declared.params {
            if let Some(value) = setup.shared.get(&param.name) {
                overrides.insert(param.name.clone(), value.clone());
            }
        }
        let params = load::resolve_params(&self.declared.params, &overrides);
        let params =
            params.map_err(|why| plain_fault(&self.candidate, "params", &why, setup.now))?;
        let fill = || -> Result<(), String> {
            let text = |err: mlua::Error| err.to_string();
            let ctx: Table = self.prelude.get("ctx").map_err(text)?;
            let table = self.lua.create_table().map_err(text)?;
            for (name, value) in &params {
                table.raw_set(name.as_str(), bind::parameter(&self.lua, value)?).map_err(text)?;
            }
            table.set_readonly(true);
            ctx.raw_set("params", table).map_err(text)?;
            ctx.raw_set("mode", setup.mode.word()).map_err(text)?;
            ctx.raw_set("name", self.candidate.name.as_str()).map_err(text)?;
            ctx.raw_set("version", &*self.candidate.version.0).map_err(text)?;
            ctx.raw_set("now", setup.now.seconds()).map_err(text)?;
            self.name_instruments()
        };
        fill().map_err(|why| plain_fault(&self.candidate, "subscribe", &why, setup.now))
    }

    fn name_instruments(&self) -> Result<(), String> {
        let text = |err: mlua::Error| err.to_string();
        let set: Function = self.prelude.get("set_instruments").map_err(text)?;
        let mut ids = Vec::new();
        for entry in &self.declared.subscriptions {
            let known = self.host.desk.borrow().instrument_named(&entry.instrument);
            let Some(known) = known else {
                let names = self.host.desk.borrow().instrument_names().join(", ");
                return Err(format!(
                    "this run knows no instrument {}; it knows {names}",
                    entry.instrument
                ));
            };
            if usize::from(known.id.0) >= MAX_INSTRUMENTS {
                return Err(format!(
                    "a strategy reaches the first {MAX_INSTRUMENTS} instruments only"
                ));
            }
            set.call::<()>((known.id.0, known.name())).map_err(text)?;
            if !ids.contains(&known.id.0) {
                ids.push(known.id.0);
            }
        }
        let only = if let [only] = ids.as_slice() { Some(*only) } else { None };
        let mut names: Vec<&str> =
            self.declared.subscriptions.iter().map(|entry| entry.instrument.as_str()).collect();
        names.dedup();
        let set: Function = self.prelude.get("set_default").map_err(text)?;
        set.call::<()>((only, names.join(", "))).map_err(text)
    }

    /// The names of the handlers it has.
    pub fn handlers(&self) -> impl Iterator<Item = &'static str> {
        self.declared.handlers.keys().copied()
    }

    /// The declared parameters.
    #[must_use]
    pub fn params(&self) -> &[Param] {
        &self.declared.params
    }

    #[must_use]
    pub fn candidate(&self) -> &Candidate {
        &self.candidate
    }

    /// Bytes the VM holds now.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.lua.used_memory()
    }

    fn handler(&self, name: &str) -> Option<Function> {
        self.declared.handlers.get(name).cloned()
    }

    /// Runs one handler with one object, outside of the rows.
    fn single(&mut self, now: Time, name: &'static str, object: Value, more: Value) {
        let Some(handler) = self.handler(name) else { return };
        self.host.now.set(now);
        self.host.rows.replace(None);
        self.set_now(now);
        let budget = if name == "on_start" { self.limits.load } else { self.limits.handler };
        self.run(name, budget, (SINGLE, handler, object, more));
    }

    fn set_now(&self, now: Time) {
        if let Ok(ctx) = self.prelude.raw_get::<Table>("ctx") {
            drop(ctx.raw_set("now", now.seconds()));
        }
    }

    /// One delivery under the watchdog. The answer's last row, for walks.
    fn run(
        &mut self,
        name: &'static str,
        budget: Duration,
        args: (u32, Function, Value, Value),
    ) -> Option<u32> {
        self.refresh(name);
        self.budget.arm(budget, self.row);
        let answer = self.deliver.call::<Answer>(args);
        let stopped = self.budget.disarm();
        self.answered(name, answer, stopped)
    }

    fn refresh(&mut self, name: &str) {
        if let Err(err) = self.refresh_orders() {
            let (now, _) = self.host.moment();
            self.fail(name, &err.to_string(), "", false, now);
        }
    }

    fn answered(&mut self, name: &str, answer: mlua::Result<Answer>, stopped: bool) -> Option<u32> {
        let (now, _) = self.host.moment();
        match answer {
            Ok((FAILED, message, trace)) => {
                self.fail(name, &text_of(&message), &text_of(&trace), stopped, now);
                None
            }
            Ok((ASLEEP, task, seconds)) => {
                let span = seconds.as_f64().or_else(|| seconds.as_i64().map(lossy));
                let span = span.and_then(Span::from_seconds).unwrap_or(Span::ZERO);
                let task = task.as_u32().unwrap_or_default();
                self.tasks.insert((now.plus(span), self.task_count), task);
                self.task_count += 1;
                None
            }
            Ok((_, row, _)) => row.as_u32(),
            Err(err) => {
                let autopsy = self.prelude.get::<Function>("autopsy");
                let trace = autopsy.and_then(|ask| ask.call::<String>(())).unwrap_or_default();
                self.fail(name, &err.to_string(), &trace, stopped, now);
                None
            }
        }
    }

    fn fail(&mut self, name: &str, message: &str, trace: &str, stopped: bool, now: Time) {
        let memory = message.contains("not enough memory");
        let kind = match (stopped, memory) {
            (true, _) => FaultKind::Budget,
            (false, true) => FaultKind::Memory,
            (false, false) => FaultKind::Error,
        };
        if memory {
            drop(self.lua.gc_collect());
        }
        let budget = format!(
            "the handler ran past its time budget of {} ms and was stopped; do less in one call",
            self.limits.handler.as_millis()
        );
        let message = if stopped { budget.as_str() } else { message };
        let made = fault::fault(kind, name, message, trace, &self.candidate.sources, now);
        if name != "on_error" && self.declared.handlers.contains_key("on_error") {
            let told = self.fault_table(&made);
            self.faults.push(made);
            if let Ok(table) = told {
                self.single(now, "on_error", Value::Table(table), Value::Nil);
            }
        } else {
            self.faults.push(made);
        }
    }

    fn fault_table(&self, fault: &Fault) -> mlua::Result<Table> {
        let table = self.lua.create_table()?;
        table.raw_set("message", fault.message.as_str())?;
        table.raw_set("handler", fault.handler.as_str())?;
        table.raw_set("traceback", fault.traceback.as_str())?;
        table.raw_set("file", fault.file.as_str())?;
        table.raw_set("line", fault.line)?;
        Ok(table)
    }

    /// One row, for news that comes alone.
    fn one_row(&mut self, now: Time, name: &'static str, walk: u32, handler: Function, row: &[u8]) {
        self.buffer.write_bytes(0, row);
        self.control.write_bytes(0, &[0; 8]);
        self.host.now.set(now);
        self.host.rows.replace(None);
        self.map.clear();
        self.run(name, self.limits.handler, (walk, handler, Value::Integer(0), Value::Integer(0)));
    }

    fn seen_fields(
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

    fn instrument_name(&self, id: InstrumentId) -> String {
        self.host.desk.borrow().instrument(id).map(|row| row.name()).unwrap_or_default()
    }

    /// The script's table of an order, refreshed.
    fn order_value(&mut self, order: &Order) -> mlua::Result<Value> {
        self.changed.remove(&order.key);
        self.update_order.call(self.host.order_row(&self.lua, order)?)
    }

    /// Brings the script's tables of its orders up to date. Before it runs, not at every step of an
    /// order: nobody can look in between.
    fn refresh_orders(&mut self) -> mlua::Result<()> {
        while let Some((_, order)) = self.changed.pop_first() {
            self.order_value(&order)?;
        }
        Ok(())
    }

    fn see_trade(&mut self, trade: &Trade) {
        if let Some(OnTrade { name, walk, handler }) = self.on_trade.clone() {
            self.one_row(trade.time, name, walk, handler, &rows::trade_row(trade));
        }
    }

    fn see_quote(&mut self, quote: &Quote) {
        if let Some(handler) = self.handler("on_quote") {
            self.one_row(quote.time, "on_quote", rows::QUOTE, handler, &rows::quote_row(quote));
        }
    }

    fn book_value(
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

    fn see_order(&mut self, now: Time, order: &Order) {
        if !self.declared.handlers.contains_key("on_order") {
            self.know_order(order);
            return;
        }
        match self.order_value(order) {
            Ok(value) => self.single(now, "on_order", value, Value::Nil),
            Err(err) => self.fail("on_order", &err.to_string(), "", false, now),
        }
    }

    fn see_fill(&mut self, now: Time, fill: &crate::base::Fill, order: &Order) {
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

    fn text_table(&self, pairs: &[(&str, &str)], time: Option<Time>) -> mlua::Result<Value> {
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

impl Strategy for Script {
    fn version(&self) -> &Version {
        &self.candidate.version
    }

    fn subscriptions(&self) -> &[Subscription] {
        &self.declared.subscriptions
    }

    fn start(&mut self, now: Time) {
        self.single(now, "on_start", Value::Nil, Value::Nil);
    }

    fn load_block(&mut self, block: &TradeBlock) {
        if self.on_trade.is_none() {
            self.map.clear();
            self.capacity = block.len();
            return;
        }
        rows::encode_block(block, self.min_qty, &mut self.encoded, &mut self.map);
        self.capacity = block.len();
        let times = self.map.iter().filter_map(|at| Some((*at, *block.times.get(*at)?)));
        match Rc::get_mut(&mut self.row_times) {
            Some(kept) => {
                kept.clear();
                kept.extend(times);
            }
            None => self.row_times = Rc::new(times.collect()),
        }
        self.buffer.write_bytes(0, &self.encoded);
    }

    fn rows(&mut self, from: usize, to: usize) -> usize {
        let Some(OnTrade { name, walk, handler }) = self.on_trade.clone() else { return to };
        let mut first = self.map.partition_point(|at| *at < from);
        let last = self.map.partition_point(|at| *at < to);
        let times = RowTimes { control: self.control.clone(), rows: Rc::clone(&self.row_times) };
        self.host.rows.replace(Some(times));
        let mut next = to;
        while first < last {
            self.control.write_bytes(0, &u64::try_from(first).unwrap_or_default().to_le_bytes());
            let (a, b) = (Value::Number(lossy_len(first)), Value::Number(lossy_len(last - 1)));
            let faults = self.faults.len();
            let done = self.run(name, self.limits.handler, (walk, handler.clone(), a, b));
            let at = done.or_else(|| Some(u32::from_le_bytes(self.control.read_bytes::<4>(0))));
            let at = at.and_then(|at| usize::try_from(at).ok()).unwrap_or(last);
            first = at + 1;
            let acted = self.control.read_bytes::<4>(4) != [0; 4];
            let failed = self.faults.len() > faults;
            if (acted || failed || done.is_none()) && first < last {
                next = self.map.get(at).map_or(to, |row| row + 1);
                break;
            }
        }
        self.host.rows.replace(None);
        if let Some((_, time)) =
            next.checked_sub(1).and_then(|_| self.row_times.get(first.saturating_sub(1)).copied())
        {
            self.host.now.set(time);
        }
        next
    }

    fn seen(&mut self, now: Time, news: &Seen<'_>) {
        match news {
            Seen::Trade(trade) => self.see_trade(trade),
            Seen::Quote(quote) => self.see_quote(quote),
            Seen::Book { time, instrument, bids, asks } => {
                self.seen_fields(now, "on_book", |script| {
                    script.book_value(*time, *instrument, bids, asks)
                });
            }
            Seen::Bar(bar) => self.seen_fields(now, "on_bar", |script| {
                let table = script.lua.create_table()?;
                bind::bar_fields(&table, bar, &script.instrument_name(bar.instrument))?;
                Ok(Value::Table(table))
            }),
            Seen::Timer { name, time } => {
                self.seen_fields(now, "on_timer", |script| {
                    script.text_table(&[("name", name)], Some(*time))
                });
            }
            Seen::Order(order) => self.see_order(now, order),
            Seen::Fill { fill, order, position } => {
                self.know_position(fill.instrument, *position);
                self.see_fill(now, fill, order);
            }
            Seen::Feed(feed) => self.seen_fields(now, "on_feed", |script| {
                let pairs = [
                    ("venue", &*feed.venue.0),
                    ("channel", feed.channel.word()),
                    ("state", feed.state.word()),
                    ("reason", feed.reason.as_str()),
                ];
                script.text_table(&pairs, Some(feed.time))
            }),
        }
    }

    fn know_order(&mut self, order: &Order) {
        self.changed.insert(order.key, order.clone());
    }

    fn know_position(&mut self, instrument: InstrumentId, qty: f64) {
        let at = usize::from(instrument.0);
        if at < MAX_INSTRUMENTS {
            self.positions.write_bytes(at * 8, &qty.to_le_bytes());
        }
    }

    fn wake(&mut self, now: Time) {
        while let Some(entry) = self.tasks.first_entry().filter(|task| task.key().0 <= now) {
            let task = entry.remove();
            self.host.now.set(now);
            self.host.rows.replace(None);
            self.refresh("ctx:sleep");
            let Ok(wake) = self.prelude.get::<Function>("wake") else { return };
            self.budget.arm(self.limits.handler, self.row);
            let answer = wake.call::<Answer>((task, now.seconds()));
            let stopped = self.budget.disarm();
            self.answered("ctx:sleep", answer, stopped);
        }
    }

    fn wake_at(&self) -> Option<Time> {
        self.tasks.first_key_value().map(|((at, _), _)| *at)
    }

    fn save(&mut self, now: Time) -> Result<Plain, Fault> {
        self.host.now.set(now);
        self.refresh("on_save");
        let ctx: mlua::Result<Table> = self.prelude.get("ctx");
        let value = match (self.handler("on_save"), ctx) {
            (Some(handler), Ok(ctx)) => {
                self.budget.arm(self.limits.load, self.row);
                let saved = handler.call::<Value>(ctx);
                let stopped = self.budget.disarm();
                saved.map_err(|err| load_fault(&self.candidate, &err, stopped, now))?
            }
            (None, Ok(ctx)) => ctx.raw_get("state").unwrap_or(Value::Nil),
            (_, Err(err)) => {
                return Err(plain_fault(&self.candidate, "save", &err.to_string(), now));
            }
        };
        values::to_plain(&value, "state")
            .map_err(|why| plain_fault(&self.candidate, "on_save", &why, now))
    }

    fn restore(&mut self, now: Time, state: &Plain, from: &Version) -> Result<(), Fault> {
        self.host.now.set(now);
        self.refresh("on_load");
        let fault = |why: String| plain_fault(&self.candidate, "on_load", &why, now);
        let value = bind::restore(&self.lua, &self.prelude, &self.host, state).map_err(fault)?;
        let ctx: Table = self.prelude.get("ctx").map_err(|err| fault(err.to_string()))?;
        let Some(handler) = self.handler("on_load") else {
            let keep = if value.is_nil() { None } else { Some(value) };
            if let Some(value) = keep {
                ctx.raw_set("state", value).map_err(|err| fault(err.to_string()))?;
            }
            return Ok(());
        };
        self.budget.arm(self.limits.load, self.row);
        let loaded = handler.call::<()>((ctx, value, &*from.0));
        let stopped = self.budget.disarm();
        loaded.map_err(|err| load_fault(&self.candidate, &err, stopped, now))
    }

    fn stop(&mut self, now: Time) {
        self.single(now, "on_stop", Value::Nil, Value::Nil);
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }
}

/// The pieces of a VM that deliveries use.
struct Parts {
    prelude: Table,
    deliver: Function,
    update_order: Function,
    control: Buffer,
    row: RowWord,
    buffer: Buffer,
    positions: Buffer,
}

impl Parts {
    fn make(lua: &Lua, host: &Rc<Host>, memory: usize) -> mlua::Result<Parts> {
        let control = lua.create_buffer_with_capacity(8)?;
        let buffer = lua.create_buffer_with_capacity(MAX_ROWS * rows::ROW)?;
        let positions = lua.create_buffer_with_capacity(MAX_INSTRUMENTS * 8)?;
        let row = super::budget::buffer_word(lua, &control)?;
        let functions = bind::functions(lua, host)?;
        let walk = vm::trusted(lua, "lunario", include_str!("walk.luau"), Code::Native)?;
        let prelude = vm::trusted(lua, "lunario", include_str!("prelude.luau"), Code::Interpreted)?;
        let prelude: Table =
            prelude.call((functions, control.clone(), buffer.clone(), positions.clone(), walk))?;
        vm::close(lua, &prelude, bind::print(lua, host)?, memory + MAX_ROWS * rows::ROW)?;
        let update_order: Function = prelude.get("update_order")?;
        host.update_order.replace(Some(update_order.clone()));
        let deliver = prelude.get("deliver")?;
        Ok(Parts { prelude, deliver, update_order, control, row, buffer, positions })
    }
}

fn trade_handler(declared: &Declared) -> Option<OnTrade> {
    let walks = load::TRADE_HANDLERS.iter().zip([rows::TRADE, rows::TRADE_FIELDS]);
    walks
        .filter_map(|(name, walk)| {
            let handler = declared.handlers.get(name)?.clone();
            Some(OnTrade { name, walk, handler })
        })
        .next()
}

fn one_filter(declared: &Declared) -> Option<crate::base::Decimal> {
    declared
        .subscriptions
        .iter()
        .filter(|entry| entry.channel == crate::base::Channel::Trades)
        .map(|entry| entry.min_qty)
        .min()
        .flatten()
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string_lossy(),
        other => other.to_string().unwrap_or_default(),
    }
}

#[allow(clippy::cast_precision_loss)] // seconds of sleep, at most 1e9
fn lossy(whole: i64) -> f64 {
    whole as f64
}

#[allow(clippy::cast_precision_loss)] // at most MAX_ROWS
fn lossy_len(at: usize) -> f64 {
    at as f64
}

fn plain_fault(candidate: &Candidate, handler: &str, why: &str, at: Time) -> Fault {
    let (line, column) = load::find_word(candidate, handler);
    Fault {
        kind: FaultKind::Error,
        handler: handler.to_owned(),
        message: why.to_owned(),
        file: candidate.entry.clone(),
        line,
        column,
        traceback: String::new(),
        at,
    }
}

fn problem_fault(candidate: &Candidate, problem: &load::Problem, at: Time) -> Fault {
    let (line, column) = load::find_word(candidate, &problem.word);
    let made = plain_fault(candidate, "load", &problem.message, at);
    Fault { line, column, ..made }
}

/// A failure of the VM itself while it ran a file or a hook.
fn load_fault(candidate: &Candidate, err: &mlua::Error, stopped: bool, at: Time) -> Fault {
    let text = deepest(err);
    let (message, trace) = text.split_once("\nstack traceback:").unwrap_or((&text, ""));
    let kind = match (stopped, message.contains("not enough memory")) {
        (true, _) => FaultKind::Budget,
        (false, true) => FaultKind::Memory,
        (false, false) => FaultKind::Error,
    };
    let mut made = fault::fault(kind, "load", message, trace, &candidate.sources, at);
    if made.line == 0 {
        made.file.clone_from(&candidate.entry);
        (made.line, made.column) = load::find_word(candidate, "return");
    }
    made
}

/// The script's own error inside mlua's wrappings.
fn deepest(err: &mlua::Error) -> String {
    match err {
        mlua::Error::CallbackError { cause, traceback } => {
            format!("{}\nstack traceback:{traceback}", deepest(cause))
        }
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        mlua::Error::RuntimeError(message) => message.clone(),
        other => other.to_string(),
    }
}
