//! Streams: subscriptions, gaps, repeated trades, snapshots, bars.

use super::*;
use crate::base::{BookSide, Channel, FeedState};

fn subscribe(rig: &mut Rig, channel: Channel) {
    let interval = (channel == Channel::Bars).then_some(Span::from_secs(60));
    rig.command(Command::Subscribe { instrument: BTC, channel, depth: Some(10), interval });
}

fn trades(rig: &Rig) -> Vec<i64> {
    rig.events
        .iter()
        .filter_map(|event| match event {
            Event::Trade(trade) => Some(trade.id),
            _ => None,
        })
        .collect()
}

fn row(id: i64) -> String {
    format!("[{id},1,0.01,450.98,1,2,1790000000100,0,1]")
}

#[test]
fn streams_asked_for_before_the_login_start_with_it_and_again_after_a_drop() {
    let mut rig = Rig::new(config());
    for channel in [Channel::Trades, Channel::Quotes, Channel::Book, Channel::Bars] {
        subscribe(&mut rig, channel);
    }
    rig.log_in();
    for (name, body) in [
        ("SubscribeTrades", r#"{"OMSId":1,"InstrumentId":1,"IncludeLastCount":1}"#),
        ("SubscribeLevel1", r#"{"OMSId":1,"InstrumentId":1}"#),
        ("SubscribeLevel2", r#"{"OMSId":1,"InstrumentId":1,"Depth":10}"#),
        ("SubscribeTicker", r#"{"OMSId":1,"InstrumentId":1,"Interval":60,"IncludeLastCount":1}"#),
    ] {
        assert_eq!(rig.last(name), body);
    }
    rig.reply("SubscribeTrades", NO_ROWS);
    rig.come_back();
    rig.reply("GetOpenOrders", NO_ROWS);
    assert_eq!(
        rig.last("SubscribeTrades"),
        r#"{"OMSId":1,"InstrumentId":1,"IncludeLastCount":100}"#,
        "the gap is asked for"
    );
    assert_eq!(rig.count("SubscribeLevel2"), 2);
}

const NO_ROWS: &str = "[]";

#[test]
fn flow_g06_trades_are_told_once_and_gaps_are_closed() {
    let mut rig = Rig::live();
    subscribe(&mut rig, Channel::Trades);
    rig.reply("SubscribeTrades", &format!("[{}]", row(86)));
    assert!(trades(&rig).is_empty(), "the past before the first subscription is not news");
    rig.event("TradeDataUpdateEvent", &format!("[{},{}]", row(87), row(86)));
    rig.event("TradeDataUpdateEvent", &format!("[{}]", row(87)));
    rig.come_back();
    rig.reply("GetOpenOrders", NO_ROWS);
    rig.event("TradeDataUpdateEvent", &format!("[{}]", row(90)));
    let rows = [row(90), row(89), row(88), row(87)];
    rig.reply("SubscribeTrades", &format!("[{}]", rows.join(",")));
    assert_eq!(trades(&rig), [87, 90, 88, 89]);
    let Some(Event::Trade(trade)) = rig.events.iter().rev().find(|e| matches!(e, Event::Trade(_)))
    else {
        panic!("no trade")
    };
    assert_eq!((trade.price, trade.qty, trade.side), (d("450.98"), d("0.01"), Some(Side::Sell)));
    assert_eq!(trade.time, Time::from_millis(1_790_000_000_100));
}

#[test]
fn a_gap_longer_than_the_question_is_said() {
    let mut rig = Rig::live();
    subscribe(&mut rig, Channel::Trades);
    rig.reply("SubscribeTrades", &format!("[{}]", row(1)));
    rig.come_back();
    rig.reply("GetOpenOrders", NO_ROWS);
    let rows: Vec<String> = (500..600).map(row).collect();
    rig.reply("SubscribeTrades", &format!("[{}]", rows.join(",")));
    assert!(rig.notes.iter().any(|note| note.contains("some trades of BTCBRL may be missing")));
    assert_eq!(trades(&rig).len(), 100);
}

#[test]
fn flow_e03_quotes() {
    let mut rig = Rig::live();
    subscribe(&mut rig, Channel::Quotes);
    let text = r#"{"OMSId":1,"InstrumentId":1,"BestBid":100.5,"BestOffer":"101.0","LastTradedPx":100.7,"TimeStamp":"1790000000200","BidQty":2}"#;
    rig.reply("SubscribeLevel1", text);
    rig.event("Level1UpdateEvent", text);
    rig.event("Level1UpdateEvent", &text.replace(r#""InstrumentId":1"#, r#""InstrumentId":2"#));
    let quotes: Vec<_> = rig
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Quote(quote) => Some(quote),
            _ => None,
        })
        .collect();
    assert_eq!(quotes.len(), 2, "nobody asked for the other instrument");
    assert_eq!((quotes[0].bid, quotes[0].ask, quotes[0].ask_qty), (d("100.5"), d("101"), d("0")));
    assert_eq!(quotes[1].time, Time::from_millis(1_790_000_000_200));
}

fn books(rig: &Rig) -> Vec<(bool, usize)> {
    rig.events
        .iter()
        .filter_map(|event| match event {
            Event::Book(change) => Some((change.snapshot, change.levels.len())),
            _ => None,
        })
        .collect()
}

#[test]
fn flow_e04_books_start_with_a_snapshot_each_time() {
    let rows = "[[3300312,1,1602269461897,0,60705.10,1,60727.05,1,0.02764813,0],[3300312,1,1602269461897,0,60705.10,1,61282.99,1,1.56584245,1]]";
    let change = "[[3300313,0,1602269462000,2,60705.10,0,60727.05,1,0.5,0]]";
    let mut rig = Rig::live();
    subscribe(&mut rig, Channel::Book);
    rig.event("Level2UpdateEvent", change);
    assert_eq!(books(&rig), [], "a change of nothing");
    rig.reply("SubscribeLevel2", rows);
    rig.event("Level2UpdateEvent", change);
    assert_eq!(books(&rig), [(true, 2), (false, 1)]);
    let Some(Event::Book(last)) = rig.events.last() else { panic!("no book") };
    assert_eq!((last.levels[0].side, last.levels[0].qty), (BookSide::Bid, d("0")));
    subscribe(&mut rig, Channel::Book);
    assert_eq!(rig.open(), ["UnsubscribeLevel2", "SubscribeLevel2"], "asked for again: afresh");
    rig.reply("UnsubscribeLevel2", r#"{"result":true}"#);
    rig.reply("SubscribeLevel2", NO_ROWS);
    assert_eq!(books(&rig).last(), Some(&(true, 0)));
    rig.event("Level2UpdateEvent", "[[1,2]]");
    assert_eq!(rig.open(), ["UnsubscribeLevel2", "SubscribeLevel2"], "a hole: built anew");
}

fn bars(rig: &Rig) -> Vec<(i64, Decimal)> {
    rig.events
        .iter()
        .filter_map(|event| match event {
            Event::Bar(bar) => Some((bar.time.millis(), bar.close)),
            _ => None,
        })
        .collect()
}

#[test]
fn flow_g08_bars_are_told_once_when_they_are_closed() {
    let start = 1_790_000_000_000;
    let bar = |end: i64, close: &str| format!("[{end},9,1,5,{close},0.4,1,2]");
    let mut rig = Rig::live();
    subscribe(&mut rig, Channel::Bars);
    rig.reply("SubscribeTicker", &format!("[{}]", bar(start - 60_000, "3")));
    for close in ["4", "5"] {
        rig.event("TickerDataUpdateEvent", &format!("[{}]", bar(start + 60_000, close)));
    }
    assert_eq!(bars(&rig), []);
    let next = format!("[{}]", bar(start + 120_000, "6"));
    rig.event("TickerDataUpdateEvent", &next);
    assert_eq!(bars(&rig), [(start + 60_000, d("5"))]);
    rig.event("TickerDataUpdateEvent", &format!("[{}]", bar(start + 60_000, "9")));
    for _ in 0..13 {
        rig.wait(Span::from_secs(10));
        rig.event("PendingDepositUpdate", "{}");
    }
    assert_eq!(bars(&rig), [(start + 60_000, d("5")), (start + 120_000, d("6"))], "by the clock");
}

#[test]
fn bars_of_two_intervals_are_told_apart_by_their_period() {
    let mut rig = Rig::live();
    for seconds in [60, 300] {
        let interval = Some(Span::from_secs(seconds));
        let channel = Channel::Bars;
        rig.command(Command::Subscribe { instrument: BTC, channel, depth: None, interval });
        rig.reply("SubscribeTicker", NO_ROWS);
    }
    let end = 1_790_000_300_000i64;
    for begin in [end - 300_000, end - 60_000] {
        rig.event("TickerDataUpdateEvent", &format!("[[{end},9,1,5,7,0.4,1,2,1,{begin}]]"));
    }
    rig.event("TickerDataUpdateEvent", &format!("[[{end},9,1,5,8,0.4,1,2,1,{}]]", end - 1));
    for _ in 0..16 {
        rig.wait(Span::from_secs(19));
        rig.event("PendingDepositUpdate", "{}");
    }
    let intervals: Vec<_> = rig
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Bar(bar) => Some(bar.interval),
            _ => None,
        })
        .collect();
    assert_eq!(intervals, [Span::from_secs(60), Span::from_secs(300)]);
}

fn downs(rig: &Rig) -> Vec<(Channel, &str)> {
    rig.events
        .iter()
        .filter_map(|event| match event {
            Event::Feed(news) if news.state == FeedState::Down => {
                Some((news.channel, news.reason.as_str()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn refused_streams_are_down_and_say_why() {
    let mut rig = Rig::live();
    subscribe(&mut rig, Channel::Bars);
    let no = r#"{"result":false,"errorcode":100,"errormsg":"Unsupported Ticker Interval.","detail":null}"#;
    rig.reply("SubscribeTicker", no);
    assert_eq!(downs(&rig), [(Channel::Bars, "BTCBRL: Unsupported Ticker Interval.")]);
    let (instrument, channel) = (InstrumentId(9), Channel::Quotes);
    rig.command(Command::Subscribe { instrument, channel, depth: None, interval: None });
    assert_eq!(downs(&rig).len(), 2);
}

#[test]
fn already_subscribed_is_mended_once() {
    let no = r#"{"result":false,"errormsg":"Already Subscribed.","errorcode":909,"detail":null}"#;
    let mut rig = Rig::live();
    subscribe(&mut rig, Channel::Book);
    rig.reply("SubscribeLevel2", no);
    assert_eq!(rig.open(), ["UnsubscribeLevel2", "SubscribeLevel2"]);
    rig.reply("SubscribeLevel2", no);
    assert_eq!(downs(&rig), [(Channel::Book, "BTCBRL: Already Subscribed.")]);
}
