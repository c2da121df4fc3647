//! What happened, in the past tense: the only way news enters the engine's own rooms.

use super::{
    Bar, BookChange, Decimal, Fill, Instrument, OrderKey, Quote, Reply, Time, Trade, VenueName,
    VenueOrderId,
};

/// One piece of news from a venue (a session, a simulated exchange, or paper).
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    Trade(Trade),
    Quote(Quote),
    Book(BookChange),
    Bar(Bar),
    Order(OrderNews),
    Fill(Fill),
    Balance(BalanceNews),
    Feed(FeedNews),
    /// The venue told us an instrument's rules.
    Instrument(Instrument),
    /// A documented call has ended.
    Reply(Reply),
}

impl Event {
    /// The moment of a public event; `None` for news of an account.
    #[must_use]
    pub fn public_time(&self) -> Option<Time> {
        match self {
            Event::Trade(trade) => Some(trade.time),
            Event::Quote(quote) => Some(quote.time),
            Event::Book(change) => Some(change.time),
            Event::Bar(bar) => Some(bar.time),
            Event::Order(_)
            | Event::Fill(_)
            | Event::Balance(_)
            | Event::Feed(_)
            | Event::Instrument(_)
            | Event::Reply(_) => None,
        }
    }

    /// The same public event at another moment; news of an account stays as it is.
    #[must_use]
    pub fn at(mut self, time: Time) -> Event {
        match &mut self {
            Event::Trade(trade) => trade.time = time,
            Event::Quote(quote) => quote.time = time,
            Event::Book(change) => change.time = time,
            Event::Bar(bar) => bar.time = time,
            Event::Order(_)
            | Event::Fill(_)
            | Event::Balance(_)
            | Event::Feed(_)
            | Event::Instrument(_)
            | Event::Reply(_) => {}
        }
        self
    }
}

/// What a venue says of one order of ours. News may come late, twice or out of order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderNews {
    pub key: OrderKey,
    pub time: Time,
    pub step: OrderStep,
}

/// The steps of an order's life as venues report them. Fills come apart, as `Event::Fill`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrderStep {
    /// The bytes left: the venue may have it. The session says so for every order it sends.
    Sent,
    /// Received, with the venue's number; not yet on the book.
    Accepted {
        venue_id: VenueOrderId,
    },
    /// On the book (or its remainder is, after a partial fill).
    Working {
        venue_id: VenueOrderId,
    },
    /// The working order now has this price and open quantity, under a new venue number.
    Replaced {
        venue_id: VenueOrderId,
        price: Option<Decimal>,
        remaining: Decimal,
    },
    /// Fully executed: `filled` in all. Missing fills are asked for before this is final.
    Filled {
        filled: Decimal,
    },
    /// Canceled with `filled` executed before, by us or by the venue (`reason`).
    Canceled {
        filled: Decimal,
        reason: String,
    },
    Expired {
        filled: Decimal,
    },
    Rejected {
        reason: String,
    },
    /// A cancel or a replace was refused; the order itself stays as it was.
    ChangeRefused {
        reason: String,
    },
    /// Sent, and the answer is lost: unknown until the venue says.
    Lost,
}

/// An asset's balance at the venue; free = total − held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BalanceNews {
    pub venue: VenueName,
    pub asset: String,
    pub total: Decimal,
    pub held: Decimal,
    pub time: Time,
}

/// Which stream of a venue a `FeedNews` speaks of.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Channel {
    /// The connection as a whole: live once logged in, snapshotted and reconciled.
    Session,
    Trades,
    Quotes,
    Book,
    Bars,
}

impl Channel {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Channel::Session => "session",
            Channel::Trades => "trades",
            Channel::Quotes => "quotes",
            Channel::Book => "book",
            Channel::Bars => "bars",
        }
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum FeedState {
    Live,
    Stale,
    Down,
}

impl FeedState {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            FeedState::Live => "live",
            FeedState::Stale => "stale",
            FeedState::Down => "down",
        }
    }
}

/// A feed's health changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedNews {
    pub venue: VenueName,
    pub channel: Channel,
    pub state: FeedState,
    pub reason: String,
    pub time: Time,
}
