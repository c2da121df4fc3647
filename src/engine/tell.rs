//! Telling the strategies: which of them hear of an event, and in which order.

use super::filter::Stream;
use super::flow::Engine;
use super::note::Note;
use crate::account::Order;
use crate::base::{
    BookSide, Channel, Decimal, Event, FeedState, Fill, InstrumentId, Level, Time, decimal,
};
use crate::desk::Seen;

impl Engine {
    /// One piece of news: first to what is known, then to the strategies it concerns.
    pub(super) fn event(&mut self, now: Time, event: &Event) {
        let moved = self.core.borrow_mut().apply(event);
        for order in moved {
            self.tell_order(now, &order);
        }
        match event {
            Event::Trade(trade) => {
                self.tell_streams(now, |stream| stream.takes_trade(trade), &Seen::Trade(trade));
                self.tell_bars(now);
            }
            Event::Quote(quote) => {
                let tick_size = self.tick_size(quote.instrument);
                self.tell_streams(
                    now,
                    |stream| stream.takes_quote(quote, tick_size, now),
                    &Seen::Quote(quote),
                );
            }
            Event::Book(change) => self.tell_book(now, change.instrument),
            Event::Bar(_) | Event::Order(_) | Event::Balance(_) | Event::Instrument(_) => {}
            Event::Reply(reply) => self.call_ended(now, reply),
            Event::Fill(fill) => self.tell_fill(now, fill),
            Event::Feed(feed) => {
                for at in 0..self.roster.slots.len() {
                    if let Some(slot) = self.roster.slots.get_mut(at) {
                        slot.tell(now, &Seen::Feed(feed));
                    }
                    self.after(now, at);
                }
                self.core.borrow_mut().notes.push_back(Note::Feed(feed.clone()));
                if feed.channel == Channel::Session && feed.state == FeedState::Live {
                    self.start_ready(now);
                }
            }
        }
    }

    fn tell_streams(
        &mut self,
        now: Time,
        mut takes: impl FnMut(&mut Stream) -> bool,
        news: &Seen<'_>,
    ) {
        for at in 0..self.roster.slots.len() {
            let Some(slot) = self.roster.slots.get_mut(at) else { continue };
            // Every stream is asked: each remembers what it let through.
            let taken = slot.streams.iter_mut().filter_map(|stream| takes(stream).then_some(()));
            let wanted = taken.count() > 0;
            if wanted {
                slot.tell(now, news);
                self.after(now, at);
            }
        }
    }

    fn tick_size(&self, instrument: InstrumentId) -> Decimal {
        let core = self.core.borrow();
        core.instruments.get(instrument).map(|row| row.tick_size).unwrap_or_default()
    }

    fn tell_book(&mut self, now: Time, instrument: InstrumentId) {
        for at in 0..self.roster.slots.len() {
            self.show_book(now, at, instrument);
        }
    }

    /// Shows the book to one strategy, to the depth of its streams that take it now.
    fn show_book(&mut self, now: Time, at: usize, instrument: InstrumentId) {
        let Some(slot) = self.roster.slots.get_mut(at) else { return };
        let streams = slot.streams.iter_mut().filter_map(|stream| {
            stream.takes_book(instrument, now).then_some(usize::from(stream.wanted.depth))
        });
        let Some(depth) = streams.max() else { return };
        let core = self.core.borrow();
        let side = |side: BookSide| -> Vec<Level> {
            let book = core.market.book(instrument);
            book.map(|book| levels(book, side, depth)).unwrap_or_default()
        };
        let (bids, asks) = (side(BookSide::Bid), side(BookSide::Ask));
        drop(core);
        slot.tell(now, &Seen::Book { time: now, instrument, bids: &bids, asks: &asks });
        self.after(now, at);
    }

    pub(super) fn tell_bars(&mut self, now: Time) -> bool {
        let mut any = false;
        loop {
            let bar = self.core.borrow_mut().market.poll_bar();
            let Some(bar) = bar else { return any };
            any = true;
            self.tell_streams(
                now,
                |stream| {
                    stream.is(Channel::Bars, bar.instrument)
                        && stream.wanted.interval == Some(bar.interval)
                },
                &Seen::Bar(&bar),
            );
        }
    }

    fn tell_order(&mut self, now: Time, order: &Order) {
        let at = usize::from(order.strategy.0);
        if let Some(slot) = self.roster.slots.get_mut(at) {
            slot.tell(now, &Seen::Order(order));
        }
        self.after(now, at);
    }

    fn tell_fill(&mut self, now: Time, fill: &Fill) {
        let booked = self.core.borrow_mut().fill(fill);
        let Some((order, changed)) = booked else { return };
        let at = usize::from(order.strategy.0);
        let qty = self.core.borrow().ledger.position(order.strategy, fill.instrument).qty;
        let position = decimal::to_f64(qty);
        if let Some(slot) = self.roster.slots.get_mut(at) {
            slot.tell(now, &Seen::Fill { fill, order: &order, position });
            if let Some(strategy) = &mut slot.strategy {
                strategy.know_position(fill.instrument, position);
            }
        }
        self.after(now, at);
        if changed {
            self.tell_order(now, &order);
        }
    }

    /// What `every` held back and is due now: the newest state.
    pub(super) fn held_back(&mut self, now: Time) -> bool {
        for at in 0..self.roster.slots.len() {
            let Some(slot) = self.roster.slots.get_mut(at) else { continue };
            let due = |wake: Option<Time>| wake.is_some_and(|due| due <= now);
            let Some(stream) = slot.streams.iter_mut().find(|stream| due(stream.wake_at())) else {
                continue;
            };
            let instrument = stream.instrument;
            if stream.wanted.channel == Channel::Book {
                self.show_book(now, at, instrument);
                return true;
            }
            let quote = self.core.borrow().market.quote(instrument).cloned();
            let tick_size = self.tick_size(instrument);
            let Some(slot) = self.roster.slots.get_mut(at) else { continue };
            let Some(quote) = quote else { continue };
            // Every stream is asked: each remembers what it let through.
            let taken = slot.streams.iter_mut().filter_map(|stream| {
                (due(stream.wake_at()) && stream.takes_quote(&quote, tick_size, now)).then_some(())
            });
            if taken.count() > 0 {
                slot.tell(now, &Seen::Quote(&quote));
                self.after(now, at);
            }
            return true;
        }
        false
    }
}

fn levels(book: &crate::market::Book, side: BookSide, depth: usize) -> Vec<Level> {
    book.levels(side, depth).map(|(price, qty)| Level { side, price, qty }).collect()
}
