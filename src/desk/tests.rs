//! Subscriptions: what parses, and what the refusals say.

use super::Subscription;
use crate::base::{Channel, Span};

#[test]
fn subscriptions_parse() {
    let book = Subscription::parse("book flowbtc:BTCBRL depth=5").unwrap();
    assert_eq!(
        (book.channel, book.depth, book.instrument.as_str()),
        (Channel::Book, 5, "flowbtc:BTCBRL")
    );
    let bars = Subscription::parse("bars flowbtc:BTCBRL 1m").unwrap();
    assert_eq!(bars.interval, Some(Span::from_secs(60)));
    assert_eq!(Subscription::parse(" trades  flowbtc:BTCBRL ").unwrap().channel, Channel::Trades);
}

#[test]
fn bad_subscriptions_say_what_would_do() {
    for (entry, words) in [
        ("", "starts with trades, quotes, book or bars"),
        ("candles flowbtc:BTCBRL", "got candles"),
        ("trades BTCBRL", "venue:SYMBOL"),
        ("trades", "venue:SYMBOL"),
        ("book flowbtc:BTCBRL depth=0", "from 1 to 500"),
        ("bars flowbtc:BTCBRL", "need an interval"),
        ("bars flowbtc:BTCBRL 1y", "no unit"),
        ("trades flowbtc:BTCBRL depth=5", "no option of trades"),
    ] {
        let said = Subscription::parse(entry).unwrap_err().to_string();
        assert!(said.contains(words), "{entry}: {said}");
    }
}

#[test]
fn filters_go_with_their_streams() {
    let mut trades = Subscription::parse("trades flowbtc:BTCBRL").unwrap();
    trades.filter("min_qty", "0.5").unwrap();
    assert!(trades.filter("mid_moves", "3").unwrap_err().to_string().contains("does not go with"));
    assert!(trades.filter("min_qty", "-1").unwrap_err().to_string().contains("above 0"));
    assert!(trades.filter("minqty", "1").unwrap_err().to_string().contains("none of"));
}
