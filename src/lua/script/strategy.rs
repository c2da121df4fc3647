//! A script as the engine drives it.
#![allow(clippy::wildcard_enum_match_arm, reason = "the VM's value type is an open list")]

use super::bind::{self, RowTimes};
use super::{MAX_INSTRUMENTS, OnTrade, Script, faults, lossy_len, rows, values};
use crate::account::Order;
use crate::base::tape::TradeBlock;
use crate::base::{CallId, CallOutcome, InstrumentId, Plain, Time, Version};
use crate::desk::{Fault, Seen, Strategy, Subscription};
use mlua::{Function, Table, Value};
use std::rc::Rc;

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
            return;
        }
        rows::encode_block(block, self.min_qty, &mut self.encoded, &mut self.map);
        if let Err(err) = self.grow(self.map.len()) {
            self.map.clear();
            let now = block.times.first().copied().unwrap_or_default();
            return self.fail("on_trade", &err.to_string(), "", false, now);
        }
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
        self.control.write_bytes(super::AT_NOW, &[0; 8]);
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
            Seen::Trade(trade) => self.see_trade(now, trade),
            Seen::Quote(quote) => self.see_quote(now, quote),
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
        // Its instrument need not be one that this version subscribes to.
        let name = self.instrument_name(order.instrument);
        if let Ok(set) = self.prelude.get::<Function>("set_instruments") {
            drop(set.call::<()>((order.instrument.0, name)));
        }
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
            self.go_on(now, task, Value::Nil, Value::Nil);
        }
    }

    fn reply(&mut self, now: Time, call: CallId, outcome: &CallOutcome) {
        let Some(task) = self.callers.remove(&call) else { return };
        let (replied, value) = self.outcome_value(outcome);
        self.go_on(now, task, Value::Boolean(replied), value);
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
                saved.map_err(|err| faults::load_fault(&self.candidate, &err, stopped, now))?
            }
            (None, Ok(ctx)) => ctx.raw_get("state").unwrap_or(Value::Nil),
            (_, Err(err)) => {
                return Err(faults::plain_fault(&self.candidate, "save", &err.to_string(), now));
            }
        };
        values::to_plain(&value, "state")
            .map_err(|why| faults::plain_fault(&self.candidate, "on_save", &why, now))
    }

    fn restore(&mut self, now: Time, state: &Plain, from: &Version) -> Result<(), Fault> {
        self.host.now.set(now);
        self.refresh("on_load");
        let fault = |why: String| faults::plain_fault(&self.candidate, "on_load", &why, now);
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
        loaded.map_err(|err| faults::load_fault(&self.candidate, &err, stopped, now))
    }

    fn stop(&mut self, now: Time) {
        self.single(now, "on_stop", Value::Nil, Value::Nil);
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }
}
