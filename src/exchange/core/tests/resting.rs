//! Resting orders against the feed: prints through and at the price, queues, crossed books.

use super::*;

fn behind() -> Config {
    Config { queue: QueueModel::RiskAverse, ..config() }
}

#[test]
fn a_print_through_the_price_fills_wholly_as_maker() {
    check(
        "ana buy 3 @100
         ana sell 2 @110
         print 99.5 x 0.1
         print 111 x 0.1",
        "100 working 0/3
         101 working 0/2
         ana buy 3 @100 maker fee 0.3
         100 filled 3/3
         ana sell 2 @110 maker fee 0.22
         101 filled 2/2",
    );
}

#[test]
fn a_print_at_the_price_fills_up_to_its_quantity_in_turn() {
    check(
        "ana buy 1 @100
         bia buy 1 @100
         print 100 x 1.5
         print 100 x 0.2 buy
         print 101 x 9",
        "100 working 0/1
         101 working 0/1
         ana buy 1 @100 maker fee 0.1
         100 filled 1/1
         bia buy 0.5 @100 maker fee 0.05
         101 working 0.5/1
         bia buy 0.2 @100 maker fee 0.02
         101 working 0.7/1",
    );
}

#[test]
fn the_cautious_queue_stands_behind_what_was_shown() {
    check_with(
        behind(),
        "snapshot bid 100 x 2, ask 101 x 1
         ana buy 1 @100
         print 100 x 1.5 sell
         print 100 x 9 buy
         book bid 100 x 5
         print 100 x 1 sell
         print 100 x 0.3
         print 100 x 0.3",
        "100 working 0/1
         ana buy 0.5 @100 maker fee 0.05
         100 working 0.5/1
         ana buy 0.3 @100 maker fee 0.03
         100 working 0.8/1
         ana buy 0.2 @100 maker fee 0.02
         100 filled 1/1",
    );
}

#[test]
fn no_more_stands_before_an_order_than_is_shown() {
    check_with(
        behind(),
        "snapshot bid 100 x 5, ask 101 x 1
         ana buy 1 @100
         book bid 100 x 0.25
         print 100 x 0.5 sell",
        "100 working 0/1
         ana buy 0.25 @100 maker fee 0.025
         100 working 0.25/1",
    );
}

#[test]
fn a_taker_meets_the_queue_in_its_order() {
    check_with(
        behind(),
        "snapshot bid 100 x 2, ask 101 x 1
         ana buy 1 @100
         book bid 100 x 5
         bia sell 4",
        "100 working 0/1
         101 working 0/4
         bia sell 2 @100 taker fee 0.4
         101 working 2/4
         ana buy 1 @100 maker fee 0.1
         100 filled 1/1
         bia sell 1 @100 taker fee 0.2
         101 working 3/4
         print 100 x 1 sell
         bia sell 1 @100 taker fee 0.2
         101 filled 4/4",
    );
}

#[test]
fn a_book_that_crosses_an_order_fills_it_at_its_price() {
    check(
        "snapshot bid 99 x 2, ask 102 x 1
         ana buy 3 @101
         book ask 102 x 0, ask 100.5 x 1, ask 101 x 1
         book ask 101 x 4",
        "100 working 0/3
         ana buy 1 @101 maker fee 0.101
         100 working 1/3
         ana buy 1 @101 maker fee 0.101
         100 working 2/3
         ana buy 1 @101 maker fee 0.101
         100 filled 3/3",
    );
}

#[test]
fn a_quote_is_a_book_of_one_level_until_a_book_is_seen() {
    check(
        "quote bid 99 x 2, ask 101 x 1
         ana buy 1 @100
         bia sell 3
         quote bid 97 x 1, ask 99.5 x 0.4
         snapshot bid 90 x 1, ask 95 x 1
         quote bid 1 x 1, ask 2 x 1
         bia buy 2",
        "100 working 0/1
         101 working 0/3
         ana buy 1 @100 maker fee 0.1
         100 filled 1/1
         bia sell 1 @100 taker fee 0.2
         101 working 1/3
         print 100 x 1 sell
         bia sell 2 @99 taker fee 0.396
         101 filled 3/3
         102 working 0/2
         bia buy 1 @95 taker fee 0.19
         102 working 1/2
         102 canceled 1/2 No More Market",
    );
}

#[test]
fn a_quote_with_an_empty_side_has_no_market_there() {
    check(
        "quote bid 99 x 2
         ana buy 1",
        "100 working 0/1
         100 canceled 0/1 No More Market",
    );
}

#[test]
fn the_cautious_queue_survives_a_quote_that_moves_away() {
    check_with(
        behind(),
        "quote bid 100 x 2, ask 101 x 1
         ana buy 1 @100
         quote bid 100.5 x 1, ask 101 x 1
         quote bid 100 x 9, ask 101 x 1
         print 100 x 2.5 sell",
        "100 working 0/1
         ana buy 0.5 @100 maker fee 0.05
         100 working 0.5/1",
    );
}

#[test]
fn what_is_shown_is_everybodys() {
    let mut exchange = exchange(config());
    for (seconds, step) in
        [(1, "snapshot bid 99 x 2, ask 101 x 1"), (2, "ana buy 1 @99"), (3, "bia buy 1 @99.5")]
    {
        assert_eq!(play(&mut exchange, seconds, step), None);
    }
    let shown: Vec<String> = exchange
        .depth(BTC, 9)
        .iter()
        .map(|level| format!("{} x {} of {}", level.price, level.qty, level.orders))
        .collect();
    assert_eq!(shown, ["99.5 x 1 of 1", "99 x 3 of 2", "101 x 1 of 1"]);
    let (bid, ask) = exchange.best(BTC);
    assert_eq!(bid.map(|level| level.price), Some(d("99.5")));
    assert_eq!(ask.map(|level| level.price), Some(d("101")));
    assert_eq!(exchange.level(BTC, BookSide::Ask, d("77")).qty, d("0"));
    assert_eq!(exchange.depth(InstrumentId(4), 9), Vec::new());
}

#[test]
fn reach_names_the_nearest_prices() {
    let mut exchange = exchange(config());
    let steps = [
        "print 100 x 1",
        "ana buy 1 @95",
        "ana buy 1 @96",
        "ana sell 1 stop 97",
        "ana sell 1 stop 94",
        "ana sell 1 @108",
        "ana buy 1 stop 109",
    ];
    for (seconds, step) in (1..).zip(steps) {
        assert_eq!(play(&mut exchange, seconds, step), None);
    }
    let reach = exchange.reach(BTC);
    assert_eq!((reach.low, reach.high, reach.any), (Some(d("97")), Some(d("108")), false));
}
