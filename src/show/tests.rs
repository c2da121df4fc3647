//! Lines and tables as they look, without color unless it is what is tested.

use super::events::{FillLine, OrderLine, Place, Told, What};
use super::snippet::snippet;
use super::style::{Style, clock, count, money};
use super::summary::{Section, table};
use super::terminal::{Status, line, status};
use crate::base::{Decimal, Liquidity, OrderState, Plain, Side, Time, decimal};

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn told(what: What) -> Told {
    Told {
        time: Time::from_millis(1_602_269_461_897),
        strategy: "ema_cross".into(),
        version: "0123456789abcdef".into(),
        what,
    }
}

fn order(state: OrderState) -> OrderLine {
    OrderLine {
        order: "77".into(),
        venue_id: Some("9007199254740993".into()),
        instrument: "flowbtc:BTCBRL".into(),
        side: Side::Buy,
        qty: d("0.010"),
        price: Some(d("351200.10")),
        stop: None,
        filled: Decimal::ZERO,
        state,
        tag: String::new(),
        reason: String::new(),
    }
}

fn fill() -> FillLine {
    FillLine {
        order: "77".into(),
        trade_id: "5".into(),
        instrument: "flowbtc:BTCBRL".into(),
        side: Side::Sell,
        qty: d("0.01"),
        price: d("351200.1"),
        fee: d("3.512001"),
        fee_asset: "BRL".into(),
        liquidity: Liquidity::Taker,
    }
}

const HEAD: &str = "18:51:01.897  ema_cross       ";

#[test]
fn events_are_lines_people_can_read() {
    let place = Place { file: "ema.luau".into(), line: 2, column: 9 };
    let mut market = order(OrderState::Rejected);
    market.price = None;
    market.reason = "LIMIT_MAX_POSITION limit=1".into();
    market.tag = "enter".into();
    let mut partly = order(OrderState::Canceled);
    partly.filled = d("0.004");
    for (what, expected) in [
        (What::Loaded, "loaded      version 01234567"),
        (
            What::Reloaded { from: "fedcba9876543210".into() },
            "reloaded    version 01234567 in place of fedcba98",
        ),
        (
            What::Order(order(OrderState::Working)),
            "working     buy          0.01 flowbtc:BTCBRL  @ 351200.1        #77",
        ),
        (
            What::Order(market),
            "rejected    buy          0.01 flowbtc:BTCBRL  at market         #77  [enter]  \
             LIMIT_MAX_POSITION limit=1",
        ),
        (
            What::Order(partly),
            "canceled    buy          0.01 flowbtc:BTCBRL  @ 351200.1        #77  0.004 filled",
        ),
        (
            What::Fill(fill()),
            "fill        sell         0.01 flowbtc:BTCBRL  @ 351200.1        #77  \
             fee 3.512001 BRL  taker",
        ),
        (
            What::Refused {
                place: place.clone(),
                message: "expected `end`".into(),
                running: Some("fedcba98".into()),
            },
            "refused     version fedcba98 goes on\n    error: expected `end`\n     \
             --> ema.luau:2:9\n      |\n    2 | local x = y z\n      |         ^",
        ),
        (What::Halt { reason: "too many orders".into() }, "halt        too many orders"),
        (
            What::Feed {
                venue: "flowbtc".into(),
                channel: "session",
                state: "down",
                reason: "lost".into(),
            },
            "feed        flowbtc session down  lost",
        ),
        (
            What::Log {
                level: "info",
                message: "filled".into(),
                fields: Plain::map(vec![("qty", Plain::Decimal(d("0.1"))), ("n", Plain::Int(3))]),
            },
            "info        filled  qty=0.1 n=3",
        ),
        (
            What::Stopped { reason: "the time is over".into(), open: 2 },
            "stopped     the time is over; 2 orders may still be open",
        ),
    ] {
        let source = "first\nlocal x = y z\n";
        assert_eq!(line(&told(what), Some(source), Style::PLAIN), format!("{HEAD}{expected}"));
    }
}

#[test]
fn events_are_json_with_the_keys_of_the_contract() {
    let head =
        r#""time":"2020-10-09T18:51:01.897Z","strategy":"ema_cross","version":"0123456789abcdef""#;
    for (what, word, rest) in [
        (What::Loaded, "loaded", String::new()),
        (
            What::Order(order(OrderState::Working)),
            "order",
            [
                r#","order":"77","venue_id":"9007199254740993","instrument":"flowbtc:BTCBRL","#,
                r#""side":"buy","qty":"0.01","price":"351200.1","stop":null,"filled":"0","#,
                r#""state":"working","tag":"","reason":"""#,
            ]
            .concat(),
        ),
        (
            What::Fill(fill()),
            "fill",
            [
                r#","order":"77","trade_id":"5","instrument":"flowbtc:BTCBRL","side":"sell","#,
                r#""qty":"0.01","price":"351200.1","fee":"3.512001","fee_currency":"BRL","#,
                r#""liquidity":"taker""#,
            ]
            .concat(),
        ),
        (
            What::Refused { place: Place::default(), message: "a \"b\"\n".into(), running: None },
            "refused",
            r#","file":"","line":0,"column":0,"message":"a \"b\"\n","running":null"#.to_owned(),
        ),
        (
            What::Stopped { reason: "done".into(), open: 0 },
            "stopped",
            r#","reason":"done","open_orders":0"#.to_owned(),
        ),
    ] {
        let json = told(what).json();
        assert_eq!(json, format!(r#"{{"event":"{word}",{head}{rest}}}"#));
    }
}

#[test]
fn the_status_line_has_position_and_profit() {
    let now = Status {
        time: Time::from_millis(1_602_269_461_897),
        strategy: "ema_cross".into(),
        instrument: "flowbtc:BTCBRL".into(),
        position: d("-0.5"),
        base: "BTC".into(),
        open_orders: 1,
        realized: d("1234.567"),
        unrealized: d("-0.25"),
        fees: d("12"),
        net: d("1222.317"),
        quote: "BRL".into(),
        events_per_s: 12_345,
    };
    assert_eq!(
        status(&now, Style::PLAIN),
        format!(
            "{HEAD}status              -0.5 BTC   1 open  net    +1,222.32 BRL  \
             realized +1,234.57  unrealized -0.25  fees 12.00  12,345 events/s"
        )
    );
    let colored = status(&now, Style { color: true });
    assert!(colored.contains("\u{1b}[32m   +1,222.32\u{1b}[0m"), "{colored:?}");
    assert!(colored.contains("\u{1b}[31m-0.25\u{1b}[0m"), "{colored:?}");
}

#[test]
fn snippets_point_at_the_column() {
    let check = |line: u32, column: u32, source: Option<&str>, expected: &str| {
        let place = Place { file: "a.luau".into(), line, column };
        assert_eq!(snippet(&place, "no", source, Style::PLAIN), expected);
    };
    check(0, 0, None, "error: no\n --> a.luau");
    check(3, 0, Some("1\n2\nthree"), "error: no\n --> a.luau:3\n  |\n3 | three");
    check(1, 2, Some("\tx"), "error: no\n --> a.luau:1:2\n  |\n1 | \tx\n  | \t^");
    check(9, 1, Some("short"), "error: no\n --> a.luau:9:1");
    check(1, 99, Some("short"), "error: no\n --> a.luau:1:99\n  |\n1 | short");
    let twelve = "\n".repeat(11) + "end";
    check(12, 4, Some(&twelve), "error: no\n  --> a.luau:12:4\n   |\n12 | end\n   |    ^");
}

#[test]
fn numbers_are_grouped_and_rounded_for_reading() {
    for (value, shown) in [
        ("0", "0"),
        ("0.123456789", "0.12345679"),
        ("-0.5", "-0.5"),
        ("1", "1.00"),
        ("999.999", "1,000.00"),
        ("-1234567.891", "-1,234,567.89"),
    ] {
        assert_eq!(money(d(value)), shown, "{value}");
    }
    assert_eq!((count(0), count(1_000_000)), ("0".to_owned(), "1,000,000".to_owned()));
    assert_eq!(clock(Time::from_millis(-1)), "23:59:59.999");
}

#[test]
fn tables_align_over_sections() {
    let mut first = Section::new("Result");
    first.row("net profit", "+1.00 BRL");
    first.row("fees", "12.00 BRL");
    let mut second = Section::new("");
    second.row("seed", "1");
    let text = table(&[first, Section::new("empty"), second]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert_eq!(lines[0], "Result");
    assert!(lines[1].starts_with(" net profit") && lines[1].trim_end().ends_with("+1.00 BRL"));
    assert_eq!(lines[1].find("+1"), lines[2].find("12."));
    assert_eq!(lines[4].trim_end().len(), lines[1].trim_end().len());
}
