//! What the host holds back from a strategy, and the newest state when it is due.

use super::*;

/// A strategy with these subscriptions that tells what it is called with.
fn listener(subscribe: &str) -> String {
    format!(
        "local s = {{ subscribe = {{ {subscribe} }} }} \
         function s.on_trade(ctx, trade) ctx.log:info(`trade {{trade.qty}}`) end \
         function s.on_quote(ctx, quote) ctx.log:info(`quote {{quote.bid}} {{quote.ask}}`) end \
         function s.on_book(ctx, book) \
         local function list(levels) local t = {{}} for _, l in levels do \
         table.insert(t, `{{l.price}}:{{l.qty}}`) end return table.concat(t, ' ') end \
         ctx.log:info(`book {{list(book.bids)}} / {{list(book.asks)}} at {{ctx.now}}`) end return s"
    )
}

#[test]
fn a_strategy_hears_only_of_what_it_subscribed_to() {
    let mut rig = Rig::of(&listener("'trades flowbtc:ETHBRL'"));
    rig.trade("100", "1");
    rig.quote("99", "101");
    rig.book(true, &[(BookSide::Bid, "99", "1")]);
    let eth = rig.next_trade(ETH, "10", "2");
    rig.event(eth);
    assert_eq!(rig.said_by("s"), ["trade 2"]);
}

#[test]
fn min_qty_passes_over_small_trades() {
    let mut rig = Rig::of(&listener("{ 'trades flowbtc:BTCBRL', min_qty = '0.5' }"));
    for qty in ["0.1", "0.5", "0.499", "2"] {
        rig.trade("100", qty);
    }
    assert_eq!(rig.said_by("s"), ["trade 0.5", "trade 2"]);
    // The host knows the last trade all the same.
    rig.trade("77", "0.1");
    assert_eq!(rig.engine.core().market.last(BTC), Some(d("77")));
}

#[test]
fn mid_moves_counts_ticks_from_the_last_delivery() {
    // A tick is 0.5.
    let mut rig = Rig::of(&listener("{ 'quotes flowbtc:BTCBRL', mid_moves = 2 }"));
    for (bid, ask) in
        [("99", "101"), ("99.5", "101"), ("99.5", "102"), ("100", "102"), ("99", "101")]
    {
        rig.quote(bid, ask);
    }
    assert_eq!(rig.said_by("s"), ["quote 99 101", "quote 100 102", "quote 99 101"]);
}

#[test]
fn every_delivers_the_newest_when_it_is_due() {
    let mut rig = Rig::of(&listener("{ 'quotes flowbtc:BTCBRL', every = 1 }"));
    rig.quote("99", "101");
    rig.ms(300);
    rig.quote("98", "101");
    rig.quote("97", "101");
    assert_eq!(rig.engine.wake_at(), Some(Time::from_millis(60_001_000)));
    rig.ms(699);
    assert_eq!(rig.said_by("s"), ["quote 99 101"]);
    rig.ms(1);
    assert_eq!(rig.said_by("s"), ["quote 99 101", "quote 97 101"]);
    rig.ms(5_000);
    rig.quote("96", "101");
    assert_eq!(rig.said_by("s")[2..], ["quote 96 101"]);
}

#[test]
fn every_and_mid_moves_together() {
    let mut rig = Rig::of(&listener("{ 'quotes flowbtc:BTCBRL', mid_moves = 2, every = 1 }"));
    rig.quote("99", "101");
    rig.ms(300);
    rig.quote("100", "102"); // far enough, too early
    rig.ms(300);
    rig.quote("99", "101"); // back again: nothing is worth telling when the time comes
    rig.ms(2_000);
    assert_eq!(rig.said_by("s"), ["quote 99 101"]);
    assert_eq!(rig.engine.wake_at(), None);
    rig.quote("100", "102");
    assert_eq!(rig.said_by("s")[1..], ["quote 100 102"]);
}

#[test]
fn a_book_every_so_often_shows_its_newest_state() {
    let mut rig = Rig::of(&listener("{ 'book flowbtc:BTCBRL depth=2', every = 0.1 }"));
    rig.book(
        true,
        &[(BookSide::Bid, "99", "1"), (BookSide::Bid, "98", "2"), (BookSide::Bid, "97", "3")],
    );
    rig.ms(50);
    rig.book(false, &[(BookSide::Ask, "101", "1")]);
    rig.book(false, &[(BookSide::Bid, "99", "0"), (BookSide::Ask, "101", "4")]);
    rig.ms(1_000);
    let told = ["book 99:1 98:2 /  at 60000", "book 98:2 97:3 / 101:4 at 60000.1"];
    assert_eq!(rig.said_by("s"), told);
}

#[test]
fn what_one_waits_for_does_not_reach_another_twice() {
    let mut rig = Rig::with(config());
    rig.load("slow", &listener("{ 'book flowbtc:BTCBRL', every = 1 }"));
    rig.load("fast", &listener("'book flowbtc:BTCBRL'"));
    rig.load("slower", &listener("{ 'book flowbtc:BTCBRL', every = 2 }"));
    rig.book(true, &[(BookSide::Bid, "99", "1")]);
    rig.ms(500);
    rig.book(false, &[(BookSide::Bid, "99", "2")]);
    rig.ms(5_000);
    assert_eq!(rig.said_by("fast"), ["book 99:1 /  at 60000", "book 99:2 /  at 60000.5"]);
    assert_eq!(rig.said_by("slow"), ["book 99:1 /  at 60000", "book 99:2 /  at 60001"]);
    assert_eq!(rig.said_by("slower"), ["book 99:1 /  at 60000", "book 99:2 /  at 60002"]);
}

#[test]
fn a_stream_is_asked_for_once_at_the_greatest_depth() {
    let subscriptions = |rig: &Rig| -> Vec<String> {
        rig.venue.borrow().commands.iter().map(command_line).collect()
    };
    let mut rig = Rig::with(config());
    rig.load("deep", &listener("'book flowbtc:BTCBRL depth=50', 'trades flowbtc:BTCBRL'"));
    assert_eq!(subscriptions(&rig), ["subscribe book 0 depth 50", "subscribe trades 0"]);
    rig.clear();
    rig.load("flat", &listener("'book flowbtc:BTCBRL depth=5', 'bars flowbtc:BTCBRL 1m'"));
    assert_eq!(subscriptions(&rig), Vec::<String>::new());
    rig.load("deep", &listener("'book flowbtc:BTCBRL depth=50', 'quotes flowbtc:BTCBRL'"));
    assert_eq!(subscriptions(&rig), ["subscribe quotes 0"]);
    rig.clear();
    rig.load("deeper", &listener("'book flowbtc:BTCBRL depth=80'"));
    assert_eq!(subscriptions(&rig), ["subscribe book 0 depth 80"]);
    // Each sees no more levels than it asked for.
    let bids: Vec<String> = (1..=60).map(|price| price.to_string()).collect();
    let bids: Vec<(BookSide, &str, &str)> =
        bids.iter().map(|price| (BookSide::Bid, price.as_str(), "1")).collect();
    rig.book(true, &bids);
    let levels = |name: &str| rig.said_by(name)[0].matches(":1").count();
    assert_eq!([levels("deep"), levels("flat"), levels("deeper")], [50, 5, 60]);
}
