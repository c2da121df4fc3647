//! The venue's links, ties and keys.

mod blocks;

use super::*;
use crate::base::{
    BookChange, BookSide, Fees, Instrument, InstrumentId, Instruments, Level, Net, OrderKind, Side,
    StrategyId, Tif, Trade, decimal,
};
use crate::exchange::QueueModel;

const BTC: InstrumentId = InstrumentId(0);

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn ms(millis: i64) -> Time {
    Time::from_millis(millis)
}

fn key(sequence: u32) -> OrderKey {
    OrderKey::compose(1, StrategyId(2), sequence).unwrap()
}

fn btc() -> Instrument {
    Instrument {
        id: BTC,
        venue: VenueName::new("sim"),
        symbol: "BTCBRL".to_owned(),
        base: "BTC".to_owned(),
        quote: "BRL".to_owned(),
        tick_size: d("1"),
        lot_size: d("0.001"),
        min_qty: d("0.001"),
        fees: Fees { maker: d("0.001"), taker: d("0.002") },
    }
}

fn venue(entry: i64, response: i64) -> SimVenue {
    let mut instruments = Instruments::default();
    instruments.add(btc());
    let mut venue = SimVenue::new(SimConfig {
        exchange: Config {
            instruments,
            queue: QueueModel::None,
            first_order_id: 100,
            first_trade_id: 1,
            wait_for_print: false,
        },
        venue: VenueName::new("sim"),
        balances: vec![("BRL".to_owned(), d("100000")), ("BTC".to_owned(), d("10"))],
        entry: Span::from_millis(entry),
        response: Span::from_millis(response),
    });
    venue.open(Time::ZERO);
    while venue.poll(Time::ZERO).is_some() {}
    venue
}

fn place(sequence: u32, side: Side, qty: &str, price: Option<&str>) -> Command {
    Command::Place(Place {
        key: key(sequence),
        instrument: BTC,
        side,
        kind: if price.is_some() { OrderKind::Limit } else { OrderKind::Market },
        qty: d(qty),
        price: price.map(d),
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    })
}

fn replace(sequence: u32, alias: u32, price: &str, qty: &str) -> Command {
    Command::Replace {
        key: key(sequence),
        alias: key(alias),
        instrument: BTC,
        side: Side::Buy,
        price: Some(d(price)),
        qty: d(qty),
    }
}

fn cancel(sequence: u32) -> Command {
    Command::Cancel { key: key(sequence), instrument: BTC }
}

fn trade(millis: i64, price: &str, qty: &str) -> Event {
    Event::Trade(Trade {
        time: ms(millis),
        instrument: BTC,
        price: d(price),
        qty: d(qty),
        side: None,
        id: 0,
    })
}

fn line(out: &VenueOut) -> Option<String> {
    let VenueOut::Event(event) = out else { return Some(format!("{out:?}")) };
    match event {
        Event::Order(news) => {
            let step = match &news.step {
                OrderStep::Sent => "sent".to_owned(),
                OrderStep::Accepted { venue_id } => format!("accepted {venue_id}"),
                OrderStep::Working { venue_id } => format!("working {venue_id}"),
                OrderStep::Replaced { venue_id, price, remaining } => {
                    let price = price.map_or("-".to_owned(), |price| price.to_string());
                    format!("replaced {venue_id} {remaining} @{price}")
                }
                OrderStep::Filled { filled } => format!("filled {}", decimal::show(*filled)),
                OrderStep::Canceled { filled, reason } => format!("canceled {filled} {reason}"),
                OrderStep::Expired { filled } => format!("expired {filled}"),
                OrderStep::Rejected { reason } => format!("rejected {reason}"),
                OrderStep::ChangeRefused { reason } => format!("change refused {reason}"),
                OrderStep::Lost => "lost".to_owned(),
            };
            Some(format!("#{} {step}", news.key.sequence()).trim().to_owned())
        }
        Event::Fill(fill) => {
            let word = fill.liquidity.word();
            Some(format!("#{} fill {} @{} {word}", fill.order.sequence(), fill.qty, fill.price))
        }
        Event::Balance(_) => None,
        Event::Trade(_)
        | Event::Quote(_)
        | Event::Book(_)
        | Event::Bar(_)
        | Event::Feed(_)
        | Event::Instrument(_)
        | Event::Reply(_) => Some(format!("{event:?}")),
    }
}

/// What the venue says by `until`, each line with the millisecond it is due.
fn hear(venue: &mut SimVenue, until: i64) -> Vec<String> {
    let mut heard = Vec::new();
    while let Some(at) = venue.next_at().filter(|at| *at <= ms(until)) {
        while let Some(out) = venue.poll(at) {
            heard.extend(line(&out).map(|line| format!("{} {line}", at.millis())));
        }
    }
    heard
}

enum Do {
    Command(i64, Command),
    Market(Event),
}

/// Plays steps in order, hears everything by the end, and compares.
fn check(entry: i64, response: i64, steps: Vec<Do>, expected: &[&str]) {
    let mut venue = venue(entry, response);
    let mut heard = Vec::new();
    for step in steps {
        match step {
            Do::Command(at, command) => {
                heard.extend(hear(&mut venue, at));
                venue.handle(ms(at), VenueIn::Command(command));
            }
            Do::Market(event) => venue.market(&event),
        }
    }
    heard.extend(hear(&mut venue, 1_000_000));
    assert_eq!(heard, expected);
}

#[test]
fn without_latency_a_market_order_fills_at_the_print_it_saw() {
    check(
        0,
        0,
        vec![
            Do::Market(trade(5, "100", "1")),
            Do::Command(5, place(1, Side::Buy, "2", None)),
            Do::Market(trade(6, "101", "1")),
        ],
        &[
            "5 #1 sent",
            "5 #1 accepted 100",
            "5 #1 working 100",
            "5 #1 fill 2 @100 taker",
            "5 #1 filled 2",
        ],
    );
}

#[test]
fn with_latency_it_fills_at_the_first_print_not_before_its_arrival() {
    for (arrival_print, at) in [(15, 15), (16, 16)] {
        check(
            10,
            7,
            vec![
                Do::Market(trade(5, "100", "1")),
                Do::Command(5, place(1, Side::Buy, "2", None)),
                Do::Market(trade(14, "101", "1")),
                Do::Market(trade(arrival_print, "102", "1")),
                Do::Market(trade(30, "103", "1")),
            ],
            &[
                "5 #1 sent",
                "22 #1 accepted 100",
                "22 #1 working 100",
                &format!("{} #1 fill 2 @102 taker", at + 7),
                &format!("{} #1 filled 2", at + 7),
            ],
        );
    }
}

#[test]
fn a_replacement_goes_on_under_the_first_key() {
    check(
        0,
        0,
        vec![
            Do::Market(trade(1, "110", "1")),
            Do::Command(2, place(1, Side::Buy, "2", Some("100"))),
            Do::Market(trade(3, "100", "0.5")),
            Do::Command(4, replace(1, 2, "99", "1")),
            Do::Command(5, replace(1, 3, "98", "1")),
            Do::Command(6, replace(9, 4, "98", "1")),
            Do::Market(trade(7, "98", "0.25")),
            Do::Market(trade(8, "97", "0.25")),
            Do::Command(9, cancel(1)),
        ],
        &[
            "2 #1 sent",
            "2 #1 accepted 100",
            "2 #1 working 100",
            "3 #1 fill 0.5 @100 maker",
            "4 #1 replaced 101 1 @99",
            "5 #1 replaced 102 1 @98",
            "6 #9 change refused Order Not Found",
            "7 #1 fill 0.25 @98 maker",
            "8 #1 fill 0.75 @98 maker",
            "8 #1 filled 1.5",
            "9 #1 change refused Order Not Found",
        ],
    );
}

#[test]
fn cancels_rejections_and_refusals_are_told() {
    check(
        0,
        3,
        vec![
            Do::Command(1, place(1, Side::Buy, "1", Some("100"))),
            Do::Command(2, place(2, Side::Sell, "1", Some("200"))),
            Do::Command(3, place(3, Side::Sell, "100", Some("200"))),
            Do::Command(4, place(4, Side::Sell, "0", Some("200"))),
            Do::Command(5, replace(1, 5, "100.5", "1")),
            Do::Command(6, Command::CancelAll { instrument: Some(InstrumentId(3)) }),
            Do::Command(7, Command::CancelAll { instrument: None }),
        ],
        &[
            "1 #1 sent",
            "2 #2 sent",
            "3 #3 sent",
            "4 #1 accepted 100",
            "4 #1 working 100",
            "4 #4 sent",
            "5 #2 accepted 101",
            "5 #2 working 101",
            "6 #3 rejected Not_Enough_Funds",
            "7 #4 rejected Invalid_Quantity",
            "8 #1 change refused Invalid_Price",
            "10 #1 canceled 0",
            "10 #2 canceled 0",
        ],
    );
}

#[test]
fn the_session_opens_with_news_of_feed_and_balances() {
    let mut instruments = Instruments::default();
    instruments.add(btc());
    let mut venue = venue(0, 0);
    venue.opened = false;
    venue.handle(ms(3), VenueIn::Net(Net::Close { conn: 0 }));
    let heard: Vec<VenueOut> = std::iter::from_fn(|| venue.poll(ms(3))).collect();
    assert!(matches!(&heard[0], VenueOut::Event(Event::Feed(news))
        if news.state == FeedState::Live && news.channel == Channel::Session));
    assert!(matches!(&heard[1], VenueOut::Event(Event::Balance(news))
        if news.asset == "BRL" && news.total == d("100000") && news.time == ms(3)));
    assert_eq!(heard.len(), 3);
    let subscribe = Command::Subscribe {
        instrument: BTC,
        channel: Channel::Trades,
        depth: None,
        interval: None,
    };
    venue.handle(ms(4), VenueIn::Command(subscribe));
    assert!(matches!(venue.poll(ms(4)), Some(VenueOut::Event(Event::Feed(news)))
        if news.channel == Channel::Trades));
    assert_eq!(venue.poll(ms(4)), None);
}

#[test]
fn a_book_is_matched_against_through_the_venue() {
    let levels = vec![Level { side: BookSide::Ask, price: d("101"), qty: d("1") }];
    let book = BookChange { time: ms(1), instrument: BTC, snapshot: true, levels };
    check(
        10,
        0,
        vec![
            Do::Market(Event::Book(book)),
            Do::Command(2, place(1, Side::Buy, "2", None)),
            Do::Market(trade(50, "200", "1")),
        ],
        &[
            "2 #1 sent",
            "12 #1 accepted 100",
            "12 #1 working 100",
            "12 #1 fill 1 @101 taker",
            "12 #1 canceled 1 No More Market",
        ],
    );
}
