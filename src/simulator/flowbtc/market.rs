//! The public side: what the feed and the accounts' trading show of the market, who watches it,
//! and the events that tell them (FLOW-E01 to E04). A text is written once, however many watch.

use super::Dialect;
use super::bars::{Bars, minute_of};
use super::outbox::{Order, Outbox};
use super::rows::{self, Action, Print, RowHead, Ticker};
use super::stats::Stats;
use super::wire::array;
use crate::base::{BookSide, Decimal, InstrumentId, Time, Trade};
use crate::exchange::{BookLevel, Exchange};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Trades kept for `IncludeLastCount`, for each instrument.
const KEPT_PRINTS: usize = 1_000;

/// A stream that connections can watch.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stream {
    Trades(InstrumentId),
    Level1(InstrumentId),
    /// With its depth, in levels of each side.
    Level2(InstrumentId, usize),
    /// With the bars' length in minutes.
    Ticker(InstrumentId, i64),
}

/// Level 1 as it was sent last: bid, ask and number of trades.
type Shown = (Option<BookLevel>, Option<BookLevel>, i64);

/// What the venue remembers of one instrument.
#[derive(Clone, Debug, Default)]
struct Board {
    prints: VecDeque<Print>,
    bars: Bars,
    stats: Stats,
    last: Option<Trade>,
    count: i64,
    shown: Option<Shown>,
}

/// The market as the venue publishes it.
#[derive(Clone, Debug)]
pub struct Market {
    dialect: Dialect,
    boards: BTreeMap<InstrumentId, Board>,
    watchers: BTreeMap<Stream, BTreeSet<u32>>,
    /// Level 2 as it was sent last, for each depth that is watched.
    views: BTreeMap<(InstrumentId, usize), Vec<BookLevel>>,
    /// Instruments whose best prices or last trade, and whose books, may have changed.
    quoted: BTreeSet<InstrumentId>,
    booked: BTreeSet<InstrumentId>,
    /// The last number given to a Level 2 row.
    updates: i64,
    /// The next number for an order behind an anonymous trade; counts down from the accounts'
    /// first.
    anonymous: i64,
}

impl Market {
    #[must_use]
    pub fn new(dialect: Dialect, first_order_id: i64) -> Market {
        Market {
            dialect,
            boards: BTreeMap::new(),
            watchers: BTreeMap::new(),
            views: BTreeMap::new(),
            quoted: BTreeSet::new(),
            booked: BTreeSet::new(),
            updates: 0,
            anonymous: first_order_id.saturating_sub(1),
        }
    }

    /// A public trade, from the feed or between two accounts. It keeps the `number` it has (0:
    /// none) as long as numbers grow; otherwise it gets the next one.
    pub fn trade(&mut self, trade: &Trade, number: i64, out: &mut Outbox) {
        self.advance(trade.instrument, trade.time, out);
        let orders = (self.anonymous.saturating_sub(1), self.anonymous);
        self.anonymous = self.anonymous.saturating_sub(2);
        let board = self.boards.entry(trade.instrument).or_default();
        let print = board.take(trade.clone(), number, orders);
        let stream = Stream::Trades(trade.instrument);
        if self.watchers.contains_key(&stream) {
            let row = rows::trade_row(self.dialect, &print);
            self.tell(stream, "TradeDataUpdateEvent", &array([row]), out);
        }
        if let Some(board) = self.boards.get_mut(&trade.instrument) {
            board.keep(print);
        }
        self.quoted.insert(trade.instrument);
    }

    /// Something about the book may be different now.
    pub fn touch(&mut self, instrument: InstrumentId) {
        self.quoted.insert(instrument);
        self.booked.insert(instrument);
    }

    /// The feed's clock reads `now`: bars whose end has come are told (FLOW-E02).
    pub fn advance(&mut self, instrument: InstrumentId, now: Time, out: &mut Outbox) {
        let Some(board) = self.boards.get_mut(&instrument) else { return };
        let minute = minute_of(now);
        let Some(before) = board.bars.advance(minute) else { return };
        let first = Stream::Ticker(instrument, 0);
        let last = Stream::Ticker(instrument, i64::MAX);
        for (stream, conns) in self.watchers.range(first..=last) {
            let Stream::Ticker(_, length) = *stream else { continue };
            let bars = board.bars.closed(length, before, minute);
            if !bars.is_empty() {
                let bars = bars.iter().map(|bar| rows::ticker_row(self.dialect, instrument, bar));
                let text = array(bars);
                out.event(conns.iter().copied(), Order::Kept, "TickerDataUpdateEvent", &text);
            }
        }
    }

    /// The same for every instrument.
    pub fn advance_all(&mut self, now: Time, out: &mut Outbox) {
        let instruments: Vec<InstrumentId> = self.boards.keys().copied().collect();
        for instrument in instruments {
            self.advance(instrument, now, out);
        }
    }

    /// Tells watchers what changed since the last call: Level 1 (FLOW-E03) and Level 2
    /// (FLOW-E04).
    pub fn publish(&mut self, now: Time, exchange: &Exchange, out: &mut Outbox) {
        for instrument in std::mem::take(&mut self.quoted) {
            self.publish_level1(now, instrument, exchange, out);
        }
        for instrument in std::mem::take(&mut self.booked) {
            self.publish_level2(now, instrument, exchange, out);
        }
    }

    fn publish_level1(
        &mut self,
        now: Time,
        instrument: InstrumentId,
        exchange: &Exchange,
        out: &mut Outbox,
    ) {
        let (bid, ask) = exchange.best(instrument);
        let board = self.boards.entry(instrument).or_default();
        let price = |level: &Option<BookLevel>| level.as_ref().map_or(Decimal::ZERO, |l| l.price);
        board.bars.best(price(&bid), price(&ask));
        let Some(conns) = self.watchers.get(&Stream::Level1(instrument)) else { return };
        let shown = (bid, ask, board.count);
        if board.shown.as_ref() == Some(&shown) {
            return;
        }
        let text = rows::level1(self.dialect, &board.ticker(instrument, &shown, now));
        out.event(conns.iter().copied(), Order::Kept, "Level1UpdateEvent", &text);
        board.shown = Some(shown);
    }

    fn publish_level2(
        &mut self,
        now: Time,
        instrument: InstrumentId,
        exchange: &Exchange,
        out: &mut Outbox,
    ) {
        let mut head = self.row_head(instrument, now);
        for (&(_, depth), view) in self.views.range_mut((instrument, 0)..=(instrument, usize::MAX))
        {
            let levels = exchange.depth(instrument, depth);
            if *view == levels {
                continue;
            }
            let changes = differences(view, &levels);
            let rows = changes.iter().map(|(action, level)| {
                head.number += 1;
                rows::level2_row(head, *action, level)
            });
            let text = array(rows);
            *view = levels;
            if let Some(conns) = self.watchers.get(&Stream::Level2(instrument, depth)) {
                out.event(conns.iter().copied(), Order::Kept, "Level2UpdateEvent", &text);
            }
        }
        self.updates = head.number;
    }

    fn row_head(&self, instrument: InstrumentId, time: Time) -> RowHead {
        let last = self.boards.get(&instrument).and_then(|board| board.last.as_ref());
        let last = last.map_or(Decimal::ZERO, |trade| trade.price);
        RowHead { instrument, number: self.updates, time, last }
    }

    fn tell(&self, stream: Stream, n: &str, o: &str, out: &mut Outbox) {
        if let Some(conns) = self.watchers.get(&stream) {
            out.event(conns.iter().copied(), Order::Kept, n, o);
        }
    }

    /// Whether the connection watches the stream: a book at whatever depth, bars of this
    /// interval.
    #[must_use]
    pub fn watches(&self, conn: u32, stream: Stream) -> bool {
        let alike = match stream {
            Stream::Trades(_) | Stream::Level1(_) | Stream::Ticker(..) => vec![stream],
            Stream::Level2(..) => self.like(stream),
        };
        let mut watchers = alike.iter().filter_map(|stream| self.watchers.get(stream));
        watchers.any(|conns| conns.contains(&conn))
    }

    /// Streams that one Unsubscribe call would end: a book's depths, a ticker's intervals.
    fn like(&self, stream: Stream) -> Vec<Stream> {
        let (first, last) = match stream {
            Stream::Trades(_) | Stream::Level1(_) => (stream, stream),
            Stream::Level2(id, _) => (Stream::Level2(id, 0), Stream::Level2(id, usize::MAX)),
            Stream::Ticker(id, _) => (Stream::Ticker(id, 0), Stream::Ticker(id, i64::MAX)),
        };
        self.watchers.range(first..=last).map(|(stream, _)| *stream).collect()
    }

    /// Adds a watcher. A book's view starts from what the exchange shows now.
    pub fn watch(&mut self, conn: u32, stream: Stream, exchange: &Exchange) {
        self.watchers.entry(stream).or_default().insert(conn);
        if let Stream::Level2(instrument, depth) = stream {
            let view = self.views.entry((instrument, depth));
            view.or_insert_with(|| exchange.depth(instrument, depth));
        }
    }

    /// Ends a connection's watch over streams like this one.
    /// Whether anybody watches anything.
    pub fn is_watched(&self) -> bool {
        !self.watchers.is_empty()
    }

    pub fn unwatch(&mut self, conn: u32, stream: Stream) {
        for like in self.like(stream) {
            self.drop_watcher(conn, like);
        }
    }

    /// Forgets a connection.
    pub fn forget(&mut self, conn: u32) {
        let streams: Vec<Stream> = self.watchers.keys().copied().collect();
        for stream in streams {
            self.drop_watcher(conn, stream);
        }
    }

    fn drop_watcher(&mut self, conn: u32, stream: Stream) {
        let Some(conns) = self.watchers.get_mut(&stream) else { return };
        conns.remove(&conn);
        if conns.is_empty() {
            self.watchers.remove(&stream);
            if let Stream::Level2(instrument, depth) = stream {
                self.views.remove(&(instrument, depth));
            }
        }
    }

    /// The last trades, oldest first, as an array of rows.
    #[must_use]
    pub fn last_trades(&self, instrument: InstrumentId, count: usize) -> String {
        let Some(board) = self.boards.get(&instrument) else { return array([]) };
        let skipped = board.prints.len().saturating_sub(count);
        rows::trade_rows(self.dialect, board.prints.iter().skip(skipped))
    }

    /// The last bars that are over, oldest first, as an array of rows.
    #[must_use]
    pub fn last_bars(&self, instrument: InstrumentId, length: i64, count: usize) -> String {
        let bars = self.boards.get(&instrument).map(|board| board.bars.last(length, count));
        let bars = bars.unwrap_or_default();
        array(bars.iter().map(|bar| rows::ticker_row(self.dialect, instrument, bar)))
    }

    /// Bars that end after the minute `after`, up to the minute `until`.
    #[must_use]
    pub fn bars(&self, instrument: InstrumentId, length: i64, after: i64, until: i64) -> String {
        let Some(board) = self.boards.get(&instrument) else { return array([]) };
        let running = board.bars.running().unwrap_or(after);
        let bars = board.bars.closed(length, after, until.min(running));
        array(bars.iter().map(|bar| rows::ticker_row(self.dialect, instrument, bar)))
    }

    /// The book to a depth, as rows of one number (FLOW-C03, FLOW-X02).
    #[must_use]
    pub fn book(&self, now: Time, id: InstrumentId, depth: usize, exchange: &Exchange) -> String {
        let head = self.row_head(id, now);
        let levels = exchange.depth(id, depth);
        array(levels.iter().map(|level| rows::level2_row(head, Action::New, level)))
    }

    /// Level 1 now, written by `write`.
    #[must_use]
    pub fn level1(
        &self,
        now: Time,
        instrument: InstrumentId,
        exchange: &Exchange,
        write: impl Fn(&Ticker) -> String,
    ) -> String {
        let (bid, ask) = exchange.best(instrument);
        let empty = Board::default();
        let board = self.boards.get(&instrument).unwrap_or(&empty);
        write(&board.ticker(instrument, &(bid, ask, board.count), now))
    }
}

impl Board {
    /// Counts a trade in and gives it what an anonymous feed does not carry.
    fn take(&mut self, mut trade: Trade, number: i64, orders: (i64, i64)) -> Print {
        self.count += 1;
        let before = self.last.as_ref().map_or(0, |last| last.id);
        trade.id = number.max(before.saturating_add(1));
        let minute = minute_of(trade.time);
        self.bars.trade(minute, trade.price, trade.qty);
        self.stats.trade(trade.time, trade.price, trade.qty);
        let before = self.last.as_ref().map_or(trade.price, |last| last.price);
        let direction = match trade.price.cmp(&before) {
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => 1,
            std::cmp::Ordering::Less => 2,
        };
        self.last = Some(trade.clone());
        Print { trade, direction, orders }
    }

    fn keep(&mut self, print: Print) {
        if self.prints.len() == KEPT_PRINTS {
            self.prints.pop_front();
        }
        self.prints.push_back(print);
    }

    fn ticker<'a>(&'a self, id: InstrumentId, shown: &'a Shown, time: Time) -> Ticker<'a> {
        Ticker {
            instrument: id,
            bid: shown.0.as_ref(),
            ask: shown.1.as_ref(),
            last: self.last.as_ref(),
            stats: &self.stats,
            time,
        }
    }
}

/// What turns one view of a book into another: first the levels that are gone, so that no state
/// in between is crossed, then new and changed ones. Applied in order they give `after` exactly.
#[must_use]
pub fn differences(before: &[BookLevel], after: &[BookLevel]) -> Vec<(Action, BookLevel)> {
    let key = |level: &BookLevel| (level.side, level.price);
    let old: BTreeMap<(BookSide, Decimal), &BookLevel> =
        before.iter().map(|level| (key(level), level)).collect();
    let new: BTreeSet<(BookSide, Decimal)> = after.iter().map(key).collect();
    let gone = before.iter().filter(|level| !new.contains(&key(level)));
    let mut changes: Vec<(Action, BookLevel)> =
        gone.map(|level| (Action::Delete, level.clone())).collect();
    for level in after {
        match old.get(&key(level)) {
            None => changes.push((Action::New, level.clone())),
            Some(known) if *known != level => changes.push((Action::Update, level.clone())),
            Some(_) => {}
        }
    }
    changes
}
