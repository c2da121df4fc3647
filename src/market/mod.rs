//! What the market looks like now: last prices, quotes, books, bars built from trades, the history
//! that scripts asked for, and the health of the feeds.

pub mod bars;
pub mod book;
mod history;

#[cfg(test)]
mod tests;

pub use bars::BarBuilder;
pub use book::Book;
pub use history::{HistoryKind, KEEP_HISTORY};

use crate::base::tape::TradeBlock;
use crate::base::{
    Bar, BookChange, Channel, Decimal, Event, FeedNews, FeedState, InstrumentId, Quote, Span, Time,
    Trade, VenueName,
};
use history::Ring;
use std::collections::{BTreeMap, VecDeque};

/// The market of a run, by instrument. History and bars cost nothing until they are asked for.
#[derive(Clone, Debug, Default)]
pub struct Market {
    rows: Vec<State>,
    feeds: BTreeMap<(VenueName, Channel), FeedNews>,
    closed: VecDeque<Bar>,
}

#[derive(Clone, Debug, Default)]
struct State {
    last: Option<(Time, Decimal)>,
    quote: Option<Quote>,
    /// The quote came from the book, because the venue sends none.
    derived: bool,
    book: Option<Book>,
    trades: Ring<Trade>,
    quotes: Ring<Quote>,
    bars: BTreeMap<Span, Ring<Bar>>,
    bars_kept: usize,
    builders: Vec<BarBuilder>,
}

impl Market {
    /// Takes news. Orders, fills, balances and rules of instruments do not concern this room.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Trade(trade) => self.trade(trade),
            Event::Quote(quote) => self.quote_news(quote),
            Event::Book(change) => self.book_news(change),
            Event::Bar(bar) => self.state(bar.instrument).keep_bar(bar),
            Event::Feed(news) => {
                self.feeds.insert((news.venue.clone(), news.channel), news.clone());
            }
            Event::Order(_)
            | Event::Fill(_)
            | Event::Balance(_)
            | Event::Instrument(_)
            | Event::Reply(_) => {}
        }
    }

    /// The rows `from..to` of a tape block happened. Without history or bars asked for, the cost
    /// does not depend on their number.
    pub fn absorb(&mut self, block: &TradeBlock, from: usize, to: usize) {
        let to = to.min(block.len());
        let Some(at) = to.checked_sub(1).filter(|at| *at >= from) else { return };
        let (Some(time), Some(price)) = (block.times.get(at), block.prices.get(at)) else { return };
        let closed = &mut self.closed;
        let state = row(&mut self.rows, block.instrument);
        state.last = Some((*time, Decimal::new(*price, block.price_scale)));
        let kept = state.trades.depth();
        for at in from.max(to.saturating_sub(kept))..to {
            if let Some(trade) = block.trade(at) {
                state.trades.push(trade);
            }
        }
        let mut builders = std::mem::take(&mut state.builders);
        for builder in &mut builders {
            builder.absorb(block, from, to, &mut |bar| {
                state.keep_bar(&bar);
                closed.push_back(bar);
            });
        }
        state.builders = builders;
        self.sort_closed();
    }

    /// Bars of several intervals or instruments leave in the order of their ends.
    fn sort_closed(&mut self) {
        if self.closed.len() > 1 {
            self.closed.make_contiguous().sort_by_key(|bar| bar.time);
        }
    }

    fn trade(&mut self, trade: &Trade) {
        let closed = &mut self.closed;
        let state = row(&mut self.rows, trade.instrument);
        state.last = Some((trade.time, trade.price));
        if state.trades.depth() > 0 {
            state.trades.push(trade.clone());
        }
        let mut builders = std::mem::take(&mut state.builders);
        for builder in &mut builders {
            if let Some(bar) = builder.trade(trade.time, trade.price, trade.qty) {
                state.keep_bar(&bar);
                closed.push_back(bar);
            }
        }
        state.builders = builders;
        self.sort_closed();
    }

    fn quote_news(&mut self, quote: &Quote) {
        let state = self.state(quote.instrument);
        let newer = state.last.is_none_or(|(time, _)| quote.time >= time);
        if newer && quote.last > Decimal::ZERO {
            state.last = Some((quote.time, quote.last));
        }
        state.derived = false;
        state.keep_quote(quote.clone());
    }

    fn book_news(&mut self, change: &BookChange) {
        let state = self.state(change.instrument);
        let book = state.book.get_or_insert_with(Book::default);
        book.apply(change);
        if state.quote.is_some() && !state.derived {
            return;
        }
        let (bid, bid_qty) = book.best_bid().unwrap_or_default();
        let (ask, ask_qty) = book.best_ask().unwrap_or_default();
        let last = state.last.map(|(_, price)| price).unwrap_or_default();
        let quote = Quote {
            time: change.time,
            instrument: change.instrument,
            bid,
            bid_qty,
            ask,
            ask_qty,
            last,
        };
        let touch = |quote: &Quote| (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty);
        if state.quote.as_ref().is_none_or(|old| touch(old) != touch(&quote)) {
            state.derived = true;
            state.keep_quote(quote);
        }
    }

    /// Time has come to `now`: bars whose end it has passed are closed.
    pub fn advance(&mut self, now: Time) {
        let closed = &mut self.closed;
        for state in &mut self.rows {
            let mut builders = std::mem::take(&mut state.builders);
            for builder in &mut builders {
                if let Some(bar) = builder.advance(now) {
                    state.keep_bar(&bar);
                    closed.push_back(bar);
                }
            }
            state.builders = builders;
        }
        self.sort_closed();
    }

    /// When the next bar closes by time alone; `None` while no bar is open.
    #[must_use]
    pub fn next_close(&self) -> Option<Time> {
        self.rows.iter().flat_map(|state| &state.builders).filter_map(BarBuilder::closes_at).min()
    }

    /// The next bar built here, oldest first. It is in the history already; applying it as an event
    /// changes nothing.
    pub fn poll_bar(&mut self) -> Option<Bar> {
        self.closed.pop_front()
    }

    /// Builds bars of this interval from the instrument's trades from now on.
    pub fn want_bars(&mut self, instrument: InstrumentId, interval: Span) {
        let state = self.state(instrument);
        if !state.builders.iter().any(|builder| builder.interval() == interval) {
            state.builders.extend(BarBuilder::new(instrument, interval));
        }
    }

    /// Keeps the last `n` of a kind from now on (at most `KEEP_HISTORY`); a smaller wish changes
    /// nothing. Bars are kept per interval.
    pub fn want_history(&mut self, instrument: InstrumentId, kind: HistoryKind, n: usize) {
        let state = self.state(instrument);
        match kind {
            HistoryKind::Trades => state.trades.deepen(n),
            HistoryKind::Quotes => state.quotes.deepen(n),
            HistoryKind::Bars => {
                state.bars_kept = state.bars_kept.max(n.min(KEEP_HISTORY));
                state.bars.values_mut().for_each(|ring| ring.deepen(n));
            }
        }
    }

    /// The last `n` trades kept, oldest first.
    pub fn trades(&self, instrument: InstrumentId, n: usize) -> impl Iterator<Item = &Trade> {
        self.get(instrument).into_iter().flat_map(move |state| state.trades.last(n))
    }

    /// The last `n` quotes kept, oldest first.
    pub fn quotes(&self, instrument: InstrumentId, n: usize) -> impl Iterator<Item = &Quote> {
        self.get(instrument).into_iter().flat_map(move |state| state.quotes.last(n))
    }

    /// The last `n` bars of an interval kept, oldest first.
    pub fn bars(
        &self,
        instrument: InstrumentId,
        interval: Span,
        n: usize,
    ) -> impl Iterator<Item = &Bar> {
        let ring = self.get(instrument).and_then(|state| state.bars.get(&interval));
        ring.into_iter().flat_map(move |ring| ring.last(n))
    }

    /// The intervals of which bars are kept.
    pub fn intervals(&self, instrument: InstrumentId) -> impl Iterator<Item = Span> {
        self.get(instrument).into_iter().flat_map(|state| state.bars.keys().copied())
    }

    /// The price of the last trade, or the venue's word for it in a quote where that is newer.
    #[must_use]
    pub fn last(&self, instrument: InstrumentId) -> Option<Decimal> {
        self.get(instrument)?.last.map(|(_, price)| price)
    }

    /// The time of `last`.
    #[must_use]
    pub fn last_time(&self, instrument: InstrumentId) -> Option<Time> {
        self.get(instrument)?.last.map(|(time, _)| time)
    }

    /// The best bid and ask: the venue's quote, or the top of the book where it sends no quotes.
    #[must_use]
    pub fn quote(&self, instrument: InstrumentId) -> Option<&Quote> {
        self.get(instrument)?.quote.as_ref()
    }

    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> Option<&Book> {
        self.get(instrument)?.book.as_ref()
    }

    /// A feed's last known health; `None` until its venue has spoken of it.
    #[must_use]
    pub fn feed(&self, venue: &VenueName, channel: Channel) -> Option<&FeedNews> {
        self.feeds.get(&(venue.clone(), channel))
    }

    /// Whether orders may go out: the venue's session is live.
    #[must_use]
    pub fn is_ready(&self, venue: &VenueName) -> bool {
        self.feed(venue, Channel::Session).is_some_and(|news| news.state == FeedState::Live)
    }

    fn get(&self, instrument: InstrumentId) -> Option<&State> {
        self.rows.get(usize::from(instrument.0))
    }

    fn state(&mut self, instrument: InstrumentId) -> &mut State {
        row(&mut self.rows, instrument)
    }
}

impl State {
    fn keep_quote(&mut self, quote: Quote) {
        if self.quotes.depth() > 0 {
            self.quotes.push(quote.clone());
        }
        self.quote = Some(quote);
    }

    /// A bar told again, or a host-built one that comes back as an event, takes its own place.
    fn keep_bar(&mut self, bar: &Bar) {
        if self.bars_kept == 0 {
            return;
        }
        let ring = self.bars.entry(bar.interval).or_insert_with(|| Ring::new(self.bars_kept));
        match ring.newest_mut() {
            Some(newest) if newest.time > bar.time => {}
            Some(newest) if newest.time == bar.time => newest.clone_from(bar),
            Some(_) | None => ring.push(bar.clone()),
        }
    }
}

/// The state of an instrument, made on first use.
#[allow(clippy::indexing_slicing)] // the row was just made
fn row(rows: &mut Vec<State>, instrument: InstrumentId) -> &mut State {
    let at = usize::from(instrument.0);
    if at >= rows.len() {
        rows.resize_with(at + 1, State::default);
    }
    &mut rows[at]
}
