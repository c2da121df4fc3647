//! The market-data streams that were asked for: what to subscribe after every login, which trades
//! and bars were already told, and the decoding of their rows into events.

use super::listing::Listing;
use crate::base::{Bar, BookChange, Channel, Event, InstrumentId, Quote, Span, Time, Trade};
use crate::venue::flowbtc::payload::{BarRow, BookRow, Level1, TradeRow};
use crate::venue::flowbtc::wire::WireError;
use std::collections::{BTreeMap, BTreeSet};

/// One stream. `interval` is zero but for bars.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Stream {
    pub instrument: InstrumentId,
    pub channel: Channel,
    pub interval: Span,
}

/// Trade numbers are remembered so that none is told twice; at most so many per instrument.
const REMEMBERED: usize = 1024;

/// How many past trades or bars to ask for after a gap.
pub(super) const CATCH_UP: u32 = 100;

/// A bar whose end is this long past is closed, even if no later row came.
const CLOSED_AFTER: Span = Span::from_secs(2);

#[derive(Clone, Debug, Default)]
pub(super) struct Sub {
    pub depth: u16,
    /// Subscribed on this connection, and answered.
    pub live: bool,
    /// Answered before, on any connection: the next answer closes a gap.
    pub started: bool,
    /// A raw call began it, and the engine has not asked for it.
    pub raw: bool,
    /// Subscriptions sent on this connection.
    pub tries: u8,
    trades: BTreeSet<i64>,
    forming: Option<BarRow>,
    closed: Option<Time>,
}

#[derive(Debug, Default)]
pub(super) struct Feeds {
    subs: BTreeMap<Stream, Sub>,
}

impl Feeds {
    /// `true` if the stream is new.
    pub(super) fn want(&mut self, stream: Stream, depth: u16) -> bool {
        let is_new = !self.subs.contains_key(&stream);
        let sub = self.subs.entry(stream).or_default();
        (sub.depth, sub.raw) = (depth, false);
        is_new
    }

    /// A raw call began it; `false` if it is there already.
    pub(super) fn begun(&mut self, stream: Stream, depth: u16) -> bool {
        let is_new = !self.subs.contains_key(&stream);
        if is_new {
            self.subs.insert(stream, Sub { depth, raw: true, ..Sub::default() });
        }
        is_new
    }

    /// A raw call ended what a raw call began.
    pub(super) fn forget(&mut self, stream: &Stream) {
        if self.subs.get(stream).is_some_and(|sub| sub.raw) {
            self.subs.remove(stream);
        }
    }

    pub(super) fn get_mut(&mut self, stream: &Stream) -> Option<&mut Sub> {
        self.subs.get_mut(stream)
    }

    pub(super) fn get(&self, stream: &Stream) -> Option<&Sub> {
        self.subs.get(stream)
    }

    pub(super) fn all(&self) -> Vec<Stream> {
        self.subs.keys().copied().collect()
    }

    /// The connection is gone.
    pub(super) fn down(&mut self) {
        for sub in self.subs.values_mut() {
            sub.live = false;
            sub.tries = 0;
        }
    }

    /// The answer to a subscription. After a gap, what was missed is told; at the very first, the
    /// past is only remembered. Returns whether the gap was longer than what was asked for.
    pub(super) fn answered(
        &mut self,
        now: Time,
        stream: Stream,
        body: &str,
        out: &mut Vec<Event>,
    ) -> Result<bool, WireError> {
        let Some(sub) = self.subs.get_mut(&stream) else { return Ok(false) };
        let mut gap = false;
        match stream.channel {
            Channel::Trades => {
                let mut rows = TradeRow::read_all(body)?;
                rows.sort_by_key(|row| row.id);
                let full = rows.len() >= usize::try_from(CATCH_UP).unwrap_or(usize::MAX);
                gap = sub.started && full && rows.iter().all(|row| !sub.trades.contains(&row.id));
                for row in rows {
                    if sub.is_new_trade(row.id) && sub.started {
                        out.push(Event::Trade(trade(now, stream.instrument, &row)));
                    }
                }
            }
            Channel::Quotes => {
                let level = Level1::read(body)?;
                out.push(Event::Quote(quote(now, stream.instrument, &level)));
            }
            Channel::Book => {
                let rows = BookRow::read_all(body)?;
                out.push(Event::Book(change(now, stream.instrument, rows, true)));
            }
            Channel::Bars => {
                for row in BarRow::read_all(body)? {
                    if !sub.started && row.end <= now {
                        sub.closed = sub.closed.max(Some(row.end));
                    } else {
                        sub.bar(stream, row, out);
                    }
                }
            }
            Channel::Session => {}
        }
        sub.live = true;
        sub.started = true;
        sub.tries = 0;
        Ok(gap)
    }

    /// FLOW-E01.
    pub(super) fn trades(
        &mut self,
        now: Time,
        body: &str,
        listing: &Listing,
        out: &mut Vec<Event>,
    ) -> Result<(), WireError> {
        for row in TradeRow::read_all(body)? {
            let Some(instrument) = listing.id(row.instrument) else { continue };
            let stream = Stream { instrument, channel: Channel::Trades, interval: Span::ZERO };
            if self.subs.get_mut(&stream).is_some_and(|sub| sub.is_new_trade(row.id)) {
                out.push(Event::Trade(trade(now, instrument, &row)));
            }
        }
        Ok(())
    }

    /// FLOW-E03.
    pub(super) fn quote(
        &mut self,
        now: Time,
        body: &str,
        listing: &Listing,
        out: &mut Vec<Event>,
    ) -> Result<(), WireError> {
        let level = Level1::read(body)?;
        let Some(instrument) = level.instrument.and_then(|page| listing.id(page)) else {
            return Ok(());
        };
        let stream = Stream { instrument, channel: Channel::Quotes, interval: Span::ZERO };
        if self.subs.contains_key(&stream) {
            out.push(Event::Quote(quote(now, instrument, &level)));
        }
        Ok(())
    }

    /// FLOW-E04. Changes before the snapshot belong to nothing and are dropped.
    pub(super) fn book(
        &mut self,
        now: Time,
        body: &str,
        listing: &Listing,
        out: &mut Vec<Event>,
    ) -> Result<(), WireError> {
        let mut rows = BookRow::read_all(body)?.into_iter().peekable();
        while let Some(page) = rows.peek().map(|row| row.instrument) {
            let mut same = Vec::new();
            while let Some(row) = rows.next_if(|row| row.instrument == page) {
                same.push(row);
            }
            let Some(instrument) = listing.id(page) else { continue };
            let stream = Stream { instrument, channel: Channel::Book, interval: Span::ZERO };
            if self.subs.get(&stream).is_some_and(|sub| sub.live) {
                out.push(Event::Book(change(now, instrument, same, false)));
            }
        }
        Ok(())
    }

    /// FLOW-E02. Rows that do not tell their period go to the one interval that was asked for.
    pub(super) fn bars(
        &mut self,
        body: &str,
        listing: &Listing,
        out: &mut Vec<Event>,
    ) -> Result<(), WireError> {
        for row in BarRow::read_all(body)? {
            let instrument = row.instrument.and_then(|page| listing.id(page));
            let period = row.begin.map(|begin| row.end.since(begin));
            let mut fits = self.subs.iter_mut().filter(|(stream, _)| {
                stream.channel == Channel::Bars
                    && instrument.is_none_or(|id| id == stream.instrument)
                    && period.is_none_or(|period| period == stream.interval)
            });
            if let (Some((stream, sub)), None) = (fits.next(), fits.next()) {
                sub.bar(*stream, row, out);
            }
        }
        Ok(())
    }

    /// Tells the bars that time has closed.
    pub(super) fn close_bars(&mut self, now: Time, out: &mut Vec<Event>) {
        for (stream, sub) in &mut self.subs {
            if sub.forming.as_ref().is_some_and(|row| row.end.plus(CLOSED_AFTER) <= now) {
                sub.close(*stream, out);
            }
        }
    }

    /// When `close_bars` has something to do.
    pub(super) fn bars_due(&self) -> Option<Time> {
        let forming = self.subs.values().filter_map(|sub| sub.forming.as_ref());
        forming.map(|row| row.end.plus(CLOSED_AFTER)).min()
    }
}

impl Sub {
    fn is_new_trade(&mut self, id: i64) -> bool {
        let is_old = self.trades.len() >= REMEMBERED
            && self.trades.first().is_some_and(|oldest| id < *oldest);
        let is_new = !is_old && self.trades.insert(id);
        if self.trades.len() > REMEMBERED {
            self.trades.pop_first();
        }
        is_new
    }

    /// A period's rows come again and again while it forms; it is told once, when it is closed.
    fn bar(&mut self, stream: Stream, row: BarRow, out: &mut Vec<Event>) {
        if self.closed.is_some_and(|closed| row.end <= closed) {
            return;
        }
        match self.forming.as_ref().map(|forming| forming.end) {
            Some(end) if end > row.end => return,
            Some(end) if end < row.end => self.close(stream, out),
            Some(_) | None => {}
        }
        self.forming = Some(row);
    }

    fn close(&mut self, stream: Stream, out: &mut Vec<Event>) {
        let Some(row) = self.forming.take() else { return };
        self.closed = Some(row.end);
        out.push(Event::Bar(Bar {
            time: row.end,
            instrument: stream.instrument,
            interval: stream.interval,
            open: row.open,
            high: row.high,
            low: row.low,
            close: row.close,
            volume: row.volume,
        }));
    }
}

fn trade(now: Time, instrument: InstrumentId, row: &TradeRow) -> Trade {
    Trade {
        time: row.time.unwrap_or(now),
        instrument,
        price: row.price,
        qty: row.qty,
        side: row.taker,
        id: row.id,
    }
}

fn quote(now: Time, instrument: InstrumentId, level: &Level1) -> Quote {
    Quote {
        time: level.time.unwrap_or(now),
        instrument,
        bid: level.bid,
        bid_qty: level.bid_qty,
        ask: level.ask,
        ask_qty: level.ask_qty,
        last: level.last,
    }
}

fn change(now: Time, instrument: InstrumentId, rows: Vec<BookRow>, snapshot: bool) -> BookChange {
    let time = rows.iter().filter_map(|row| row.time).max().unwrap_or(now);
    let levels = rows.into_iter().map(|row| row.level).collect();
    BookChange { time, instrument, snapshot, levels }
}
