//! The market as scripts see it: last price, quotes, history, bars, feeds.

use super::*;
use crate::base::{BookSide, Level, decimal};

const BTC: InstrumentId = InstrumentId(3);

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn at(seconds: i64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn trade(second: i64, price: &str) -> Event {
    Event::Trade(Trade {
        time: at(second),
        instrument: BTC,
        price: d(price),
        qty: Decimal::ONE,
        side: None,
        id: second,
    })
}

fn quote(second: i64, bid: &str, ask: &str, last: &str) -> Event {
    Event::Quote(Quote {
        time: at(second),
        instrument: BTC,
        bid: d(bid),
        bid_qty: Decimal::ONE,
        ask: d(ask),
        ask_qty: Decimal::ONE,
        last: d(last),
    })
}

fn book(second: i64, levels: &[(BookSide, &str, &str)]) -> Event {
    let level = |(side, price, qty): &(BookSide, &str, &str)| Level {
        side: *side,
        price: d(price),
        qty: d(qty),
    };
    Event::Book(BookChange {
        time: at(second),
        instrument: BTC,
        snapshot: false,
        levels: levels.iter().map(level).collect(),
    })
}

fn block(rows: i64) -> TradeBlock {
    let mut block =
        TradeBlock { instrument: BTC, price_scale: 1, qty_scale: 0, ..TradeBlock::default() };
    for row in 0..rows {
        block.push(at(row), 1000 + row, 1, 0, row);
    }
    block
}

fn ids(market: &Market, n: usize) -> Vec<i64> {
    market.trades(BTC, n).map(|trade| trade.id).collect()
}

#[test]
fn the_last_price_is_the_newest_word() {
    let mut market = Market::default();
    assert_eq!((market.last(BTC), market.last_time(BTC)), (None, None));
    market.apply(&trade(10, "100"));
    assert_eq!((market.last(BTC), market.last_time(BTC)), (Some(d("100")), Some(at(10))));
    for (event, expected) in [
        (quote(9, "98", "99", "97"), "100"),
        (quote(11, "98", "99", "0"), "100"),
        (quote(12, "98", "99", "99"), "99"),
        (trade(13, "98.5"), "98.5"),
    ] {
        market.apply(&event);
        assert_eq!(market.last(BTC), Some(d(expected)), "{event:?}");
    }
    assert_eq!(market.last(InstrumentId(0)), None);
}

#[test]
fn a_book_gives_the_quote_until_the_venue_does() {
    let mut market = Market::default();
    market.want_history(BTC, HistoryKind::Quotes, 5);
    market.apply(&book(1, &[(BookSide::Bid, "99", "2")]));
    let (bid, ask) = market.quote(BTC).map(|quote| (quote.bid, quote.ask)).unwrap();
    assert_eq!((bid, ask), (d("99"), Decimal::ZERO));
    market.apply(&book(2, &[(BookSide::Ask, "101", "3"), (BookSide::Bid, "98", "1")]));
    assert_eq!(market.quote(BTC).map(|quote| quote.ask_qty), Some(d("3")));
    // Deeper levels are no new quote.
    market.apply(&book(3, &[(BookSide::Bid, "97", "1")]));
    assert_eq!(market.quotes(BTC, 9).count(), 2);
    market.apply(&quote(4, "99.5", "100.5", "0"));
    market.apply(&book(5, &[(BookSide::Bid, "100", "1")]));
    assert_eq!(market.quote(BTC).map(|quote| quote.bid), Some(d("99.5")));
    assert_eq!(market.book(BTC).and_then(Book::best_bid), Some((d("100"), d("1"))));
}

#[test]
fn a_block_moves_the_last_price_and_keeps_nothing_unasked() {
    let mut market = Market::default();
    let block = block(100);
    market.absorb(&block, 0, 50);
    assert_eq!((market.last(BTC), market.last_time(BTC)), (Some(d("104.9")), Some(at(49))));
    assert!(ids(&market, 9).is_empty());
    market.want_history(BTC, HistoryKind::Trades, 3);
    market.want_history(BTC, HistoryKind::Trades, 2);
    market.absorb(&block, 50, 51);
    market.absorb(&block, 51, 51);
    assert_eq!(ids(&market, 9), [50]);
    market.absorb(&block, 51, 53);
    assert_eq!(ids(&market, 9), [50, 51, 52]);
    market.absorb(&block, 53, 1000);
    assert_eq!((ids(&market, 9), ids(&market, 2)), (vec![97, 98, 99], vec![98, 99]));
    market.apply(&trade(200, "7"));
    assert_eq!(ids(&market, 9), [98, 99, 200]);
    market.absorb(&block, 100, 101);
    market.absorb(&block, 5, 4);
    assert_eq!(market.last(BTC), Some(d("7")));
}

#[test]
fn bars_are_built_queued_and_kept_once() {
    let mut market = Market::default();
    let ten = Span::from_secs(10);
    market.want_bars(BTC, ten);
    market.want_bars(BTC, ten);
    market.want_history(BTC, HistoryKind::Bars, 2);
    assert_eq!(market.next_close(), None);
    market.absorb(&block(25), 0, 25);
    assert_eq!(market.next_close(), Some(at(30)));
    market.advance(at(29));
    market.advance(at(30));
    let mut ends = Vec::new();
    while let Some(bar) = market.poll_bar() {
        // As an engine does that sends every event the same way.
        market.apply(&Event::Bar(bar.clone()));
        ends.push((bar.time, bar.close));
    }
    assert_eq!(ends, [(at(10), d("100.9")), (at(20), d("101.9")), (at(30), d("102.4"))]);
    let kept: Vec<Time> = market.bars(BTC, ten, 9).map(|bar| bar.time).collect();
    assert_eq!(kept, [at(20), at(30)]);
    assert_eq!(market.intervals(BTC).collect::<Vec<_>>(), [ten]);
    market.apply(&trade(31, "5"));
    market.apply(&trade(41, "6"));
    assert_eq!(market.poll_bar().map(|bar| bar.close), Some(d("5")));
}

#[test]
fn bars_of_two_intervals_leave_in_the_order_of_their_ends() {
    let mut market = Market::default();
    for seconds in [20, 10] {
        market.want_bars(BTC, Span::from_secs(seconds));
    }
    market.absorb(&block(41), 0, 41);
    let ends: Vec<_> = std::iter::from_fn(|| market.poll_bar())
        .map(|bar| (bar.time.millis() / 1000, bar.interval.seconds()))
        .collect();
    assert_eq!(ends, [(10, 10.0), (20, 20.0), (20, 10.0), (30, 10.0), (40, 20.0), (40, 10.0)]);
}

#[test]
fn feeds_are_remembered_by_venue_and_channel() {
    let mut market = Market::default();
    let venue = VenueName::new("flowbtc");
    assert!(!market.is_ready(&venue));
    let mut tell = |channel, state| {
        market.apply(&Event::Feed(FeedNews {
            venue: venue.clone(),
            channel,
            state,
            reason: String::new(),
            time: at(1),
        }));
        market.is_ready(&venue)
    };
    assert!(!tell(Channel::Trades, FeedState::Live));
    assert!(tell(Channel::Session, FeedState::Live));
    assert!(tell(Channel::Trades, FeedState::Stale));
    assert!(!tell(Channel::Session, FeedState::Down));
    let feed = market.feed(&venue, Channel::Trades).map(|news| news.state);
    assert_eq!(feed, Some(FeedState::Stale));
}
