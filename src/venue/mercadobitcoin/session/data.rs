//! Public market data by polling, on a line of its own: it has no tonce, no signature and a budget
//! apart, so that it cannot hold up an order. Raw calls go before the polling of subscriptions.

mod ask;

use super::{DATA_LANE, Session, SessionConfig};
use crate::base::{
    Answer, Body, BookChange, BookSide, CallFailure, CallFailureKind, CallId, CallOutcome, Channel,
    Decimal, Event, Failure, FeedNews, FeedState, InstrumentId, Level, Method, Net, Quote, Reply,
    Request, Span, Time, Trade, VenueOut,
};
use crate::calls::Priority;
use crate::venue::mercadobitcoin::wire::{self, LIST_CAP, WireError};
use crate::venue::pace::{Lane, Turn};
use std::collections::{BTreeMap, VecDeque};

pub(super) type Stream = (InstrumentId, Channel);

/// What waits for its turn: the next look at a stream, or a call.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    Stream(Stream),
    Call(CallId),
}

#[derive(Debug)]
struct Sub {
    coin: String,
    /// When to ask next; `None` while it is asked.
    due: Option<Time>,
    /// The last trade told; older ones are history.
    last: Option<i64>,
    state: Option<FeedState>,
}

#[derive(Debug)]
pub(super) struct Data {
    pub lane: Lane<Wish>,
    subs: BTreeMap<Stream, Sub>,
    calls: BTreeMap<CallId, ask::Asked>,
    flight: Option<(u64, Wish, Time)>,
    timeout: Span,
}

impl Data {
    pub fn new(config: &SessionConfig) -> Data {
        let mut lane = Lane::new(config.data_pace);
        lane.restore(config.data_sent.iter().copied());
        Data {
            lane,
            subs: BTreeMap::new(),
            calls: BTreeMap::new(),
            flight: None,
            timeout: config.timeout.plus(Span::from_secs(1)),
        }
    }

    pub fn subscribe(&mut self, now: Time, id: InstrumentId, channel: Channel, coin: String) {
        let sub = Sub { coin, due: Some(now), last: None, state: None };
        self.subs.entry((id, channel)).or_insert(sub);
    }

    pub fn landed(&mut self, id: u64) -> Option<Wish> {
        self.flight.take_if(|flight| flight.0 == id).map(|flight| flight.1)
    }

    pub fn wake_at(&self) -> Option<Time> {
        let flight = self.flight.map(|(_, _, sent)| sent.plus(self.timeout));
        let turn = if self.flight.is_none() { self.lane.wake_at() } else { None };
        let due = self.subs.values().filter_map(|sub| sub.due).min();
        [flight, turn, due].into_iter().flatten().min()
    }

    /// The request that was not answered in time.
    pub fn overdue(&mut self, now: Time) -> Option<Wish> {
        self.flight.take_if(|flight| flight.2.plus(self.timeout) <= now).map(|flight| flight.1)
    }

    /// What goes next; a call whose turn did not come in time is told so.
    pub fn advance(
        &mut self,
        now: Time,
        config: &SessionConfig,
        out: &mut VecDeque<VenueOut>,
        numbers: &mut u64,
    ) {
        for (stream, sub) in &mut self.subs {
            if sub.due.is_some_and(|due| due <= now) {
                sub.due = None;
                self.lane.push(now, Priority::Poll, Time::MAX, Wish::Stream(*stream));
            }
        }
        while self.flight.is_none() {
            let wish = match self.lane.next(now) {
                None => return,
                Some(Turn::Sent(wish)) => wish,
                Some(Turn::Expired(wish)) => {
                    self.expired(wish, out);
                    continue;
                }
            };
            let Some(url) = self.address(&config.data_url, wish) else { continue };
            *numbers += 1;
            self.flight = Some((*numbers, wish, now));
            out.push_back(VenueOut::Sent { lane: DATA_LANE.to_owned() });
            out.push_back(VenueOut::Net(Net::Request(Request {
                id: *numbers,
                method: Method::Get,
                url,
                headers: Vec::new(),
                body: Body::default(),
                timeout: config.timeout,
                keep: None,
            })));
        }
    }

    fn address(&self, base: &str, wish: Wish) -> Option<String> {
        match wish {
            Wish::Stream(stream) => Some(address(base, self.subs.get(&stream)?, stream.1)),
            Wish::Call(id) => Some(format!("{base}{}", self.calls.get(&id)?.path)),
        }
    }

    pub fn answer(
        &mut self,
        now: Time,
        stream: &Stream,
        outcome: &Result<Answer, Failure>,
        config: &SessionConfig,
        out: &mut VecDeque<VenueOut>,
    ) {
        let Some(sub) = self.subs.get_mut(stream) else { return };
        sub.due = Some(now.plus(config.poll_every));
        let told = match outcome {
            Ok(answer) if answer.status == 200 => {
                read(now, *stream, sub, &answer.body.text(), out).map_err(|error| error.to_string())
            }
            Ok(answer) => Err(format!("HTTP {}", answer.status)),
            Err(failure) => Err(failure.reason.clone()),
        };
        let (state, reason) = match told {
            Ok(()) => (FeedState::Live, String::new()),
            Err(reason) => (FeedState::Stale, reason),
        };
        if sub.state.replace(state) != Some(state) {
            let venue = config.venue.clone();
            let news = FeedNews { venue, channel: stream.1, state, reason, time: now };
            out.push_back(VenueOut::Event(Event::Feed(news)));
        }
    }
}

impl Session {
    pub(super) fn data_next(&mut self, now: Time) {
        if let Some(wish) = self.data.overdue(now) {
            let reason = "no answer in time".to_owned();
            self.data_answered(&wish, &Err(Failure { unsent: false, reason }));
        }
        let Session { data, config, out, line, .. } = self;
        data.advance(now, config, out, &mut line.numbers);
    }

    pub(super) fn data_answered(&mut self, wish: &Wish, outcome: &Result<Answer, Failure>) {
        let Session { data, config, out, now, .. } = self;
        match wish {
            Wish::Stream(stream) => data.answer(*now, stream, outcome, config, out),
            Wish::Call(id) => data.call_answered(*now, *id, outcome, config, out),
        }
    }
}

/// MB-X01, X02, X03; trades after the last one, which is not included.
fn address(base: &str, sub: &Sub, channel: Channel) -> String {
    let coin = &sub.coin;
    match (channel, sub.last) {
        (Channel::Quotes, _) => format!("{base}{coin}/ticker/"),
        (Channel::Book, _) => format!("{base}{coin}/orderbook/"),
        (Channel::Trades, Some(last)) => format!("{base}{coin}/trades/?tid={last}"),
        (Channel::Trades | Channel::Bars | Channel::Session, _) => format!("{base}{coin}/trades/"),
    }
}

fn read(
    now: Time,
    (instrument, channel): Stream,
    sub: &mut Sub,
    text: &str,
    out: &mut VecDeque<VenueOut>,
) -> Result<(), WireError> {
    match channel {
        Channel::Quotes => {
            let ticker = wire::ticker(text)?;
            out.push_back(VenueOut::Event(Event::Quote(Quote {
                time: ticker.time,
                instrument,
                bid: ticker.bid,
                bid_qty: Decimal::ZERO,
                ask: ticker.ask,
                ask_qty: Decimal::ZERO,
                last: ticker.last,
            })));
        }
        Channel::Book => {
            let book = wire::book(text)?;
            let level = |side| move |(price, qty)| Level { side, price, qty };
            let bids = book.bids.into_iter().map(level(BookSide::Bid));
            let asks = book.asks.into_iter().map(level(BookSide::Ask));
            let levels = bids.chain(asks).collect();
            let time = book.time.unwrap_or(now);
            let change = BookChange { time, instrument, snapshot: true, levels };
            out.push_back(VenueOut::Event(Event::Book(change)));
        }
        Channel::Trades | Channel::Bars | Channel::Session => {
            let mut trades = wire::trades(text)?;
            trades.sort_by_key(|trade| trade.id);
            if trades.len() >= LIST_CAP {
                sub.due = Some(now);
            }
            let first = sub.last.is_none();
            let before = sub.last.unwrap_or(0);
            sub.last = trades.last().map_or(sub.last, |trade| Some(trade.id.max(before)));
            // What happened before the subscription is history, not news.
            for trade in trades.into_iter().filter(|trade| !first && trade.id > before) {
                out.push_back(VenueOut::Event(Event::Trade(Trade {
                    time: trade.time,
                    instrument,
                    price: trade.price,
                    qty: trade.qty,
                    side: Some(trade.side),
                    id: trade.id,
                })));
            }
        }
    }
    Ok(())
}
