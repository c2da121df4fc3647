//! Orders as they arrive: kinds, times in force, flags, funds, grids (FLOW-C21).

use super::*;

const BOOK: &str = "snapshot bid 99 x 2, bid 98 x 5, ask 101 x 1, ask 102 x 3";

fn on_book(story: &str, expected: &str) {
    check(&format!("{BOOK}\n{story}"), expected);
}

#[test]
fn a_market_order_walks_the_levels() {
    on_book(
        "ana buy 2",
        "100 working 0/2
         ana buy 1 @101 taker fee 0.202
         100 working 1/2
         ana buy 1 @102 taker fee 0.204
         100 filled 2/2",
    );
}

#[test]
fn consumed_quantity_stays_consumed_until_the_feed_speaks() {
    on_book(
        "ana sell 2
         ana sell 1
         book bid 99 x 1
         ana sell 1",
        "100 working 0/2
         ana sell 2 @99 taker fee 0.396
         100 filled 2/2
         101 working 0/1
         ana sell 1 @98 taker fee 0.196
         101 filled 1/1
         102 working 0/1
         ana sell 1 @99 taker fee 0.198
         102 filled 1/1",
    );
}

#[test]
fn a_market_order_beyond_the_book_ends_without_a_market() {
    on_book(
        "ana buy 5",
        "100 working 0/5
         ana buy 1 @101 taker fee 0.202
         100 working 1/5
         ana buy 3 @102 taker fee 0.612
         100 working 4/5
         100 canceled 4/5 No More Market",
    );
}

#[test]
fn a_limit_order_takes_to_its_limit_and_rests() {
    on_book(
        "ana buy 2 @101
         bia sell 1 @101",
        "100 working 0/2
         ana buy 1 @101 taker fee 0.202
         100 working 1/2
         101 working 0/1
         ana buy 1 @101 maker fee 0.101
         100 filled 2/2
         bia sell 1 @101 taker fee 0.202
         101 filled 1/1
         print 101 x 1 sell",
    );
}

#[test]
fn times_in_force() {
    on_book(
        "ana buy 2 @101 ioc
         ana buy 1 @100 ioc
         ana buy 4 @102 fok
         ana buy 3 @102 fok",
        "100 working 0/2
         ana buy 1 @101 taker fee 0.202
         100 working 1/2
         100 canceled 1/2 Immediate_Or_Cancel
         101 working 0/1
         101 canceled 0/1 Immediate_Or_Cancel
         102 working 0/4
         102 canceled 0/4 Fill_Or_Kill
         103 working 0/3
         ana buy 3 @102 taker fee 0.612
         103 filled 3/3",
    );
}

#[test]
fn fill_or_kill_counts_accounts_orders_money_and_its_own_orders() {
    on_book(
        "bia sell 1 @101
         ana buy 2 @101 fok
         ana sell 1 @101
         ana buy 4 @102 fok
         bia buy 3 fok",
        "100 working 0/1
         101 working 0/2
         bia sell 1 @101 maker fee 0.101
         100 filled 1/1
         ana buy 1 @101 taker fee 0.202
         101 working 1/2
         print 101 x 1 buy
         ana buy 1 @101 taker fee 0.202
         101 filled 2/2
         102 working 0/1
         103 working 0/4
         103 canceled 0/4 Fill_Or_Kill
         104 working 0/3
         ana sell 1 @101 maker fee 0.101
         102 filled 1/1
         bia buy 1 @101 taker fee 0.202
         104 working 1/3
         print 101 x 1 buy
         bia buy 2 @102 taker fee 0.408
         104 filled 3/3",
    );
}

#[test]
fn a_post_only_order_never_takes() {
    on_book(
        "ana buy 1 @101 post
         ana buy 1 @100 post
         bia sell 1 @100 post
         bia sell 1 post",
        "100 rejected 0/1 Post_Only_Would_Take
         101 working 0/1
         102 rejected 0/1 Post_Only_Would_Take
         103 rejected 0/1 Post_Only_Would_Take",
    );
}

#[test]
fn a_reduce_only_order_goes_to_zero_and_no_further() {
    on_book(
        "ana sell 1 @101 reduce
         ana buy 1
         ana sell 2 reduce
         ana sell 1 @103 reduce
         ana sell 0.4 @98
         bia buy 3",
        "100 rejected 0/1 Reduce_Only_Would_Increase
         101 working 0/1
         ana buy 1 @101 taker fee 0.202
         101 filled 1/1
         102 rejected 0/2 Reduce_Only_Would_Increase
         103 working 0/1
         104 working 0/0.4
         ana sell 0.4 @99 taker fee 0.0792
         104 filled 0.4/0.4
         105 working 0/3
         bia buy 3 @102 taker fee 0.612
         105 filled 3/3",
    );
    // The resting remainder is canceled once the position is gone.
    on_book(
        "ana buy 1
         ana sell 1 @103 reduce
         ana sell 0.4
         print 104 x 1",
        "100 working 0/1
         ana buy 1 @101 taker fee 0.202
         100 filled 1/1
         101 working 0/1
         102 working 0/0.4
         ana sell 0.4 @99 taker fee 0.0792
         102 filled 0.4/0.4
         ana sell 0.6 @103 maker fee 0.0618
         101 working 0.6/1
         101 canceled 0.6/1 Reduce_Only_Would_Increase",
    );
}

#[test]
fn a_reduce_only_stop_is_checked_as_it_trades() {
    on_book(
        "ana sell 1 stop 95 reduce
         print 95 x 1",
        "100 working 0/1
         100 canceled 0/1 Reduce_Only_Would_Increase",
    );
}

#[test]
fn nobody_trades_with_oneself() {
    on_book(
        "ana sell 1 @100
         bia sell 1 @100
         ana buy 2 @101
         bia buy 1 @100
         bia buy 1 @100",
        "100 working 0/1
         101 working 0/1
         102 working 0/2
         102 canceled 0/2 Self_Trade
         103 working 0/1
         ana sell 1 @100 maker fee 0.1
         100 filled 1/1
         bia buy 1 @100 taker fee 0.2
         103 filled 1/1
         print 100 x 1 buy
         104 working 0/1
         104 canceled 0/1 Self_Trade",
    );
}

#[test]
fn rules_of_the_instrument() {
    let cases = [
        ("buy 1.0005 @100", "100 rejected 0/1.0005 Invalid_Quantity"),
        ("buy 0.001 @100", "100 rejected 0/0.001 Invalid_Quantity"),
        ("buy 1 @100.3", "100 rejected 0/1 Invalid_Price"),
        ("buy 1 stop 100.1", "100 rejected 0/1 Invalid_Price"),
        ("buy 100 @100", "100 rejected 0/100 Not_Enough_Funds"),
        ("sell 10.001 @100", "100 rejected 0/10.001 Not_Enough_Funds"),
        ("sell 10.001", "100 rejected 0/10.001 Not_Enough_Funds"),
        ("buy 0 @100", "refused Invalid_Quantity"),
        ("buy -1 @100", "refused Invalid_Quantity"),
        ("buy 1 @0", "refused Invalid_Price"),
        ("buy 1 @-5", "refused Invalid_Price"),
        ("buy 1 @1000000000001", "refused Invalid_Price"),
        ("buy 2000000000000", "refused Invalid_Quantity"),
    ];
    for (text, expected) in cases {
        check(&format!("ana {text}"), expected);
    }
}

#[test]
fn what_is_no_order_leaves_no_trace() {
    let mut exchange = exchange(config());
    let unknown = NewOrder { instrument: InstrumentId(9), ..order(ANA, "buy 1 @100") };
    assert_eq!(exchange.submit(at(1), unknown), Err(Reject::InvalidInstrument));
    let stranger = order(AccountNumber(77), "buy 1 @100");
    assert_eq!(exchange.submit(at(1), stranger), Err(Reject::NotEnoughFunds));
    let bare = NewOrder { price: None, ..order(ANA, "buy 1 @100") };
    assert_eq!(exchange.submit(at(1), bare), Err(Reject::InvalidPrice));
    let odd = NewOrder { price: Some(d("5")), ..order(ANA, "buy 1") };
    assert_eq!(exchange.submit(at(1), odd), Err(Reject::InvalidPrice));
    assert_eq!(exchange.poll(), None);
    assert!(exchange.history(ANA, 10).is_empty());
}

#[test]
fn holds_are_exact_and_released_exactly() {
    check_all(
        "ana buy 2 @100
         bia sell 0.5 @100
         ana cancel 100",
        "100 working 0/2
         ana BRL 10000 held 200.4
         bid 100 x 2 of 1
         101 working 0/0.5
         ana buy 0.5 @100 maker fee 0.05
         100 working 0.5/2
         bia sell 0.5 @100 taker fee 0.1
         101 filled 0.5/0.5
         print 100 x 0.5 sell
         ana BRL 9949.95 held 150.3
         ana BTC 10.5 held 0
         bia BRL 10049.9 held 0
         bia BTC 9.5 held 0
         bid 100 x 1.5 of 1
         100 canceled 0.5/2
         ana BRL 9949.95 held 0
         bid 100 x 0 of 0",
    );
}

#[test]
fn a_market_buy_buys_what_it_can_pay() {
    check(
        "print 3000 x 1
         ana buy 5",
        "100 working 0/5
         ana buy 3.326 @3000 taker fee 19.956
         100 working 3.326/5
         100 canceled 3.326/5 Not_Enough_Funds",
    );
}

#[test]
fn stops_trigger_when_the_last_trade_touches_them() {
    on_book(
        "print 100 x 1
         ana buy 1 stop 101
         ana sell 1 stop 97 @98
         bia buy 1 stop 99.5
         print 100.5 x 1
         print 101 x 1
         print 97 x 1",
        "100 working 0/1
         101 working 0/1
         102 working 0/1
         bia buy 1 @101 taker fee 0.202
         102 filled 1/1
         ana buy 1 @102 taker fee 0.204
         100 filled 1/1
         ana sell 1 @99 taker fee 0.198
         101 filled 1/1",
    );
}

#[test]
fn a_print_between_accounts_triggers_stops_in_turn() {
    check(
        "ana sell 1 @105
         ana sell 1 @106
         bia buy 1 stop 105
         bia buy 1 @105",
        "100 working 0/1
         101 working 0/1
         102 working 0/1
         103 working 0/1
         ana sell 1 @105 maker fee 0.105
         100 filled 1/1
         bia buy 1 @105 taker fee 0.21
         103 filled 1/1
         print 105 x 1 buy
         bia buy 1 @105 taker fee 0.21
         102 filled 1/1",
    );
}

#[test]
fn a_post_only_stop_limit_that_would_take_is_canceled() {
    on_book(
        "ana buy 1 stop 101 @102 post
         print 101 x 1",
        "100 working 0/1
         100 canceled 0/1 Post_Only_Would_Take",
    );
}

#[test]
fn with_prints_alone_a_market_order_fills_at_the_last_one() {
    check(
        "ana buy 1
         print 100 x 0.1
         ana sell 3",
        "100 working 0/1
         ana buy 1 @100 taker fee 0.2
         100 filled 1/1
         101 working 0/3
         ana sell 3 @100 taker fee 0.6
         101 filled 3/3",
    );
}

#[test]
fn with_prints_alone_a_market_order_can_wait_for_the_next() {
    let waiting = Config { wait_for_print: true, ..config() };
    check_with(
        waiting.clone(),
        "print 100 x 1
         ana buy 1
         ana sell 1
         ana cancel 101
         print 103 x 0.1
         print 104 x 0.1",
        "100 working 0/1
         101 working 0/1
         101 canceled 0/1
         ana buy 1 @103 taker fee 0.206
         100 filled 1/1",
    );
    // A stop was at the exchange when the print came: it trades at that print.
    check_with(
        waiting,
        "print 100 x 1
         ana sell 1 stop 99
         print 98 x 1",
        "100 working 0/1
         ana sell 1 @98 taker fee 0.196
         100 filled 1/1",
    );
}

#[test]
fn a_waiting_market_order_takes_a_book_that_comes_first() {
    check(
        "ana buy 2
         snapshot ask 101 x 1, ask 102 x 3",
        "100 working 0/2
         ana buy 1 @101 taker fee 0.202
         100 working 1/2
         ana buy 1 @102 taker fee 0.204
         100 filled 2/2",
    );
}

#[test]
fn with_prints_alone_a_marketable_limit_fills_at_the_last() {
    check(
        "print 100 x 0.1
         ana buy 1 @102
         ana sell 1 @100
         ana buy 1 @99.5
         ana buy 1 @100 post
         ana buy 1 @99 ioc",
        "100 working 0/1
         ana buy 1 @100 taker fee 0.2
         100 filled 1/1
         101 working 0/1
         ana sell 1 @100 taker fee 0.2
         101 filled 1/1
         102 working 0/1
         103 rejected 0/1 Post_Only_Would_Take
         104 working 0/1
         104 canceled 0/1 Immediate_Or_Cancel",
    );
}

#[test]
fn fees_may_be_rebates() {
    let mut config = config();
    let mut rules = btc();
    rules.fees = Fees { maker: d("-0.001"), taker: d("0.002") };
    config.instruments.update(rules);
    check_with(
        config,
        "ana buy 1 @100
         print 99 x 1",
        "100 working 0/1
         ana buy 1 @100 maker fee -0.1
         100 filled 1/1",
    );
}
