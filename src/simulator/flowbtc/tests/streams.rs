//! Market data pushed to those who subscribed (FLOW-E01 to E04).

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn pushed(frames: &[Got], n: &str) -> Vec<String> {
    frames.iter().filter(|got| got.m == 3 && got.n == n).map(|got| got.o.clone()).collect()
}

const ONE: &str = r#"{"OMSId":1,"InstrumentId":1}"#;

/// Contract A.6, FLOW-E01: ticks on the page, milliseconds and 11 elements natively (FLOW-P23).
#[test]
fn trades() {
    let run = |dialect| {
        let mut venue = Venue::new(dialect);
        venue.trade(Side::Sell, "450.98", "0.01");
        let o = r#"{"OMSId":1,"InstrumentId":1,"IncludeLastCount":100}"#;
        let before = venue.ask(0, "SubscribeTrades", o);
        let event = pushed(&venue.trade(Side::Buy, "451", "2"), "TradeDataUpdateEvent");
        let down = pushed(&venue.trade(Side::Buy, "450", "2"), "TradeDataUpdateEvent");
        assert!(down[0].contains(",2,0"), "a downtick: {down:?}");
        venue.send(0, "UnsubscribeTrades", ONE);
        assert!(venue.trade(Side::Buy, "451", "2").is_empty());
        (before, event)
    };
    assert_eq!(
        run(Dialect::Page),
        (
            "[[1,1,0.01,450.98,9222816249026512998,9222816249026512999,637378662618970000,0,1]]"
                .into(),
            vec![
                "[[2,1,2,451,9222816249026512996,9222816249026512997,637378662618970000,1,0]]"
                    .into()
            ]
        )
    );
    assert_eq!(
        run(Dialect::Native),
        (
            "[[1,1,0.01,450.98,9222816249026512998,9222816249026512999,1602269461897,0,1,0,0]]"
                .into(),
            vec![
                "[[2,1,2,451,9222816249026512996,9222816249026512997,1602269461897,1,0,0,0]]"
                    .into()
            ]
        )
    );
}

/// Trades between two accounts are prints that everybody sees.
#[test]
fn accounts_trades_are_public() {
    let mut venue = Venue::new(Dialect::Page);
    venue.send(0, "SubscribeTrades", ONE);
    venue.limit(1, 0, "1", "95", 1);
    let rows = pushed(&venue.limit(2, 1, "0.4", "95", 2), "TradeDataUpdateEvent");
    assert!(rows[0].starts_with("[[1,1,0.4,95,"), "{rows:?}");
    assert!(rows[0].ends_with(",0,1]]"), "{rows:?}");
}

/// The feed's own numbers are kept while they grow; a number is never used twice.
#[test]
fn trade_numbers_grow() {
    let mut venue = Venue::new(Dialect::Page);
    let mut feed = |id: i64| {
        let trade = Trade {
            time: venue.now,
            instrument: InstrumentId(0),
            price: dec("95"),
            qty: dec("1"),
            side: None,
            id,
        };
        venue.input(ServerIn::Market(Event::Trade(trade)));
        let row = venue.ask(0, "GetLastTrades", r#"{"InstrumentId":1,"Count":1}"#);
        row.split(',').next().unwrap().trim_start_matches('[').to_owned()
    };
    let numbers: Vec<String> = [0, 40, 41, 0, 42, 50].into_iter().map(&mut feed).collect();
    assert_eq!(numbers, ["1", "40", "41", "42", "43", "50"]);
    // An aggressor nobody knows is 3 (FLOW-V11).
    assert!(venue.ask(0, "GetLastTrades", ONE).ends_with(",0,3]]"));
}

/// FLOW-E02: a bar is told when the feed's clock has passed its end, by news or by a tick.
#[test]
fn bars() {
    let mut venue = Venue::new(Dialect::Page);
    venue.now = Time::from_millis(1_468_896_600_000);
    venue.quote(("674.18", "1"), ("680", "1"));
    let o = r#"{"OMSId":1,"InstrumentId":1,"Interval":"60","IncludeLastCount":1000}"#;
    assert_eq!(venue.ask(0, "SubscribeTicker", o), "[]");
    let five = r#"{"InstrumentId":1,"Interval":300}"#;
    assert_eq!(venue.ask(0, "SubscribeTicker", five), "[]", "several intervals side by side");
    assert_eq!(pushed(&venue.trade(Side::Buy, "680", "0.4"), "TickerDataUpdateEvent").len(), 0);
    venue.pass(Span::from_secs(60));
    let rows = pushed(&venue.input(ServerIn::Tick), "TickerDataUpdateEvent");
    assert_eq!(rows, ["[[1468896660000,680,680,680,680,0.4,674.18,680]]"]);
    assert!(venue.input(ServerIn::Tick).is_empty());
    venue.pass(Span::from_secs(240));
    let rows = pushed(&venue.quote(("675", "1"), ("680", "1")), "TickerDataUpdateEvent");
    assert_eq!(
        rows,
        [
            concat!(
                "[[1468896720000,680,680,680,680,0,674.18,680],",
                "[1468896780000,680,680,680,680,0,674.18,680],",
                "[1468896840000,680,680,680,680,0,674.18,680],",
                "[1468896900000,680,680,680,680,0,674.18,680]]"
            ),
            "[[1468896900000,680,680,680,680,0.4,674.18,680]]",
        ]
    );
    let o = r#"{"InstrumentId":1,"FromDate":"2016-07-19","ToDate":"2016-07-19","Interval":300}"#;
    assert_eq!(
        venue.ask(0, "GetTickerHistory", o),
        "[[1468896900000,680,680,680,680,0.4,674.18,680]]"
    );
    let o = r#"{"InstrumentId":1,"FromDate":"2016-07-20","ToDate":"yesterday"}"#;
    assert_eq!(field(&venue.ask(0, "GetTickerHistory", o), "detail"), r#""ToDate is not a day""#);
    venue.send(0, "UnsubscribeTicker", ONE);
    venue.pass(Span::from_secs(600));
    assert!(venue.input(ServerIn::Tick).is_empty());
}

/// FLOW-E03: told when best prices or the last trade change, by the feed or by an account's order.
#[test]
fn level1() {
    let mut venue = Venue::new(Dialect::Native);
    venue.send(0, "SubscribeLevel1", ONE);
    let keys = ["BestBid", "BidQty", "BestOffer", "AskQty", "LastTradedPx"];
    let show = |frames: &[Got]| events(frames, 0, "Level1UpdateEvent", &keys);
    assert_eq!(show(&venue.quote(("90", "1"), ("100", "2"))), ["90 1 100 2 0"]);
    assert_eq!(show(&venue.quote(("90", "1"), ("100", "2"))), Vec::<String>::new());
    assert_eq!(show(&venue.limit(1, 0, "1", "95", 1)), ["95 1 100 2 0"]);
    assert_eq!(show(&venue.limit(1, 0, "1", "80", 2)), Vec::<String>::new());
    assert_eq!(show(&venue.trade(Side::Sell, "95", "1")), ["90 1 100 2 95"]);
    venue.send(0, "UnsubscribeLevel1", ONE);
    assert_eq!(show(&venue.quote(("91", "1"), ("100", "2"))), Vec::<String>::new());
}

/// FLOW-E04, FLOW-V03: rows 0 new, 1 update, 2 delete; never a level outside the depth, so a client
/// that applies them in order has exactly the venue's book.
#[test]
fn level2() {
    let mut venue = Venue::new(Dialect::Page);
    let (bid, ask) = (BookSide::Bid, BookSide::Ask);
    venue.book(true, &[(bid, "90", "1"), (bid, "89", "1"), (bid, "88", "1"), (ask, "100", "2")]);
    venue.send(0, "SubscribeLevel2", r#"{"OMSId":1,"InstrumentId":1,"Depth":2}"#);
    // Action, price, quantity, side.
    let show = |frames: &[Got]| -> Vec<String> {
        let rows = pushed(frames, "Level2UpdateEvent");
        let rows = rows.iter().flat_map(|o| {
            let rows: Vec<Vec<serde_json::Value>> = serde_json::from_str(o).unwrap();
            rows
        });
        rows.map(|r| format!("#{} {} {}x{} {}", r[0], r[3], r[6], r[8], r[9])).collect()
    };
    assert_eq!(show(&venue.book(false, &[(bid, "90", "0")])), ["#1 2 90x0 0", "#2 0 88x1 0"]);
    assert_eq!(
        show(&venue.book(false, &[(bid, "89", "3"), (ask, "101", "1")])),
        ["#3 1 89x3 0", "#4 0 101x1 1"]
    );
    assert_eq!(
        show(&venue.book(false, &[(ask, "102", "1"), (bid, "1", "1")])),
        Vec::<String>::new()
    );
    assert_eq!(show(&venue.limit(1, 0, "0.5", "95", 1)), ["#5 2 88x0 0", "#6 0 95x0.5 0"]);
    assert_eq!(show(&venue.limit(1, 0, "0.5", "89", 2)), ["#7 1 89x3.5 0"]);
    assert_eq!(
        show(&venue.send(1, "CancelAllOrders", "{}")),
        ["#8 2 95x0 0", "#9 1 89x3 0", "#10 0 88x1 0"]
    );
    venue.send(0, "UnsubscribeLevel2", ONE);
    assert!(venue.book(false, &[(bid, "90", "7")]).is_empty());
}

/// Bitazza's reply to a second subscription, and one's own feeds after a connection has ended.
#[test]
fn once_for_each_connection() {
    let mut venue = Venue::new(Dialect::Page);
    for n in ["SubscribeTrades", "SubscribeTicker", "SubscribeLevel1", "SubscribeLevel2"] {
        let o = r#"{"OMSId":1,"Symbol":"BTCBRL","Depth":20}"#;
        venue.send(0, n, o);
        assert_eq!(
            venue.ask(0, n, o),
            concat!(
                r#"{"result":false,"errormsg":"Already Subscribed.","errorcode":909,"#,
                r#""detail":"{\"OMSId\":1,\"Symbol\":\"BTCBRL\",\"Depth\":20}"}"#
            ),
            "{n}"
        );
    }
    venue.send(1, "SubscribeTrades", ONE);
    let conns: Vec<u32> = venue.trade(Side::Buy, "95", "1").iter().map(|got| got.conn).collect();
    assert_eq!(conns, [0, 1, 0], "a trade each, and the one Level 1");
    venue.input(ServerIn::Closed { conn: 0 });
    let conns: Vec<u32> = venue.trade(Side::Buy, "95", "1").iter().map(|got| got.conn).collect();
    assert_eq!(conns, [1]);
}

/// A client's book: quantity by side and price, as the rows tell it.
type Shown = BTreeMap<(String, Decimal), Decimal>;

fn apply(rows: &str, book: &mut Shown) {
    let rows: Vec<Vec<Box<serde_json::value::RawValue>>> = serde_json::from_str(rows).unwrap();
    for row in rows {
        let key = (row[9].get().to_owned(), dec(row[6].get()));
        let known = match row[3].get() {
            "2" => book.remove(&key),
            _ => book.insert(key, dec(row[8].get())),
        };
        assert_eq!(known.is_some(), row[3].get() != "0", "0 is new, 1 and 2 are known");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// FLOW-X02: snapshot and events give what a new snapshot gives, whoever moves the book.
    #[test]
    fn a_client_that_applies_rows_has_the_book(
        steps in proptest::collection::vec((0u8..4, 1i64..8, 0i64..4), 1..40),
    ) {
        let mut venue = Venue::new(Dialect::Native);
        let o = r#"{"InstrumentId":1,"Depth":3}"#;
        let mut book = Shown::new();
        apply(&venue.ask(0, "SubscribeLevel2", o), &mut book);
        for (what, price, qty) in steps {
            let (bid, ask) = (price.to_string(), (price + 10).to_string());
            let qty = qty.to_string();
            let frames = match what {
                0 => venue.book(false, &[(BookSide::Bid, &bid, &qty), (BookSide::Ask, &ask, "1")]),
                1 => venue.book(false, &[(BookSide::Ask, &ask, &qty)]),
                2 => venue.limit(1, 0, "0.5", &bid, price),
                _ => venue.limit(2, 1, "0.1", &bid, price),
            };
            for rows in pushed(&frames, "Level2UpdateEvent") {
                apply(&rows, &mut book);
            }
            let mut now = Shown::new();
            apply(&venue.ask(1, "GetL2Snapshot", o), &mut now);
            prop_assert_eq!(&book, &now);
        }
    }
}
