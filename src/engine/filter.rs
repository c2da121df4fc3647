//! The host's filters of subscriptions: which events a strategy is called with at all.

use crate::base::{Channel, Decimal, InstrumentId, Quote, Span, Time, Trade};
use crate::desk::Subscription;

/// One subscription with what its filters remember.
#[derive(Debug)]
pub struct Stream {
    pub wanted: Subscription,
    pub instrument: InstrumentId,
    /// The mid at the last delivered quote.
    mid: Option<Decimal>,
    delivered: Option<Time>,
    /// Something newer was held back by `every`.
    waiting: bool,
}

impl Stream {
    #[must_use]
    pub fn new(wanted: Subscription, instrument: InstrumentId) -> Stream {
        Stream { wanted, instrument, mid: None, delivered: None, waiting: false }
    }

    #[must_use]
    pub fn is(&self, channel: Channel, instrument: InstrumentId) -> bool {
        self.wanted.channel == channel && self.instrument == instrument
    }

    #[must_use]
    pub fn takes_trade(&self, trade: &Trade) -> bool {
        self.is(Channel::Trades, trade.instrument)
            && self.wanted.min_qty.is_none_or(|least| trade.qty >= least)
    }

    /// Whether this quote is to be delivered; remembers it if so.
    pub fn takes_quote(&mut self, quote: &Quote, tick_size: Decimal, now: Time) -> bool {
        if !self.is(Channel::Quotes, quote.instrument) {
            return false;
        }
        let mid = (quote.bid + quote.ask) / Decimal::TWO;
        if let (Some(ticks), Some(last)) = (self.wanted.mid_moves, self.mid)
            && (mid - last).abs() < ticks * tick_size
        {
            // It came back before its time: what was held back is not worth telling any more.
            self.waiting = false;
            return false;
        }
        if !self.in_time(now) {
            return false;
        }
        self.mid = Some(mid);
        true
    }

    /// Whether the book may be delivered now.
    pub fn takes_book(&mut self, instrument: InstrumentId, now: Time) -> bool {
        self.is(Channel::Book, instrument) && self.in_time(now)
    }

    fn in_time(&mut self, now: Time) -> bool {
        let due = self.due();
        if due.is_some_and(|due| now < due) {
            self.waiting = true;
            return false;
        }
        self.waiting = false;
        self.delivered = Some(now);
        true
    }

    fn due(&self) -> Option<Time> {
        let span: Span = self.wanted.every?;
        self.delivered.map(|last| last.plus(span))
    }

    /// When what was held back is to be delivered.
    #[must_use]
    pub fn wake_at(&self) -> Option<Time> {
        self.due().filter(|_| self.waiting)
    }
}
