//! Lines and tables as they look, without color unless it is what is tested.

use super::events::{FillLine, OrderLine, Place, Stopped, Told, What};
use super::snippet::snippet;
use super::style::{Style, clock, count, figure, money, price, signed};
use super::summary::{Cell, Section, sections, table};
use super::terminal::{Look, Status, line, status, total};
use crate::base::{Decimal, Liquidity, OrderState, Plain, Side, Time, decimal};
use crate::engine::{PositionStatus, StrategyStatus};
use std::collections::BTreeMap;

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

const LOOK: Look = Look { style: Style::PLAIN, names: 9, venues: false };

fn stopped(open: usize) -> Stopped {
    let position = PositionStatus {
        instrument: "flowbtc:BTCBRL".into(),
        qty: d("-0.010"),
        realized: d("1.5"),
        unrealized: d("-0.25"),
        fees: d("0.1"),
        net: d("1.15"),
        fills: 3,
    };
    Stopped {
        reason: "interrupted".into(),
        open,
        interrupted: true,
        events: 12,
        orders: 3,
        strategies: vec![StrategyStatus {
            name: "ema_cross".into(),
            version: crate::base::Version("0123456789ab".into()),
            halted: None,
            open_orders: open,
            positions: vec![position],
        }],
    }
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
        number: 7,
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
        number: 7,
        tag: String::new(),
        partly: None,
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

const HEAD: &str = "18:51:01.897  ema_cross  ";

#[test]
fn events_are_lines_people_can_read() {
    let place = Place { file: "ema.luau".into(), line: 2, column: 9 };
    let mut market = order(OrderState::Rejected);
    market.price = None;
    market.reason = "LIMIT_MAX_POSITION limit=1".into();
    market.tag = "enter".into();
    let mut partly = order(OrderState::Canceled);
    partly.filled = d("0.004");
    let mut first = fill();
    first.partly = Some((d("0.01"), d("0.030")));
    first.tag = "exit".into();
    for (what, expected) in [
        (What::Loaded, "loaded    version 01234567"),
        (
            What::Reloaded { from: "fedcba9876543210".into() },
            "reloaded  version 01234567 in place of fedcba98",
        ),
        (What::Reloaded { from: "0123456789abcdef".into() }, "reloaded  version 01234567 again"),
        (
            What::Order(order(OrderState::Working)),
            "working   buy      0.01 BTCBRL @  351200.10  #7",
        ),
        (
            What::Order(market),
            "rejected  buy      0.01 BTCBRL @     market  #7 enter  LIMIT_MAX_POSITION limit=1",
        ),
        (What::Order(partly), "canceled  buy      0.01 BTCBRL @  351200.10  #7  0.004 filled"),
        (What::Fill(fill()), "fill      sell     0.01 BTCBRL @  351200.10  #7  fee 3.51 BRL taker"),
        (
            What::Fill(first),
            "fill      sell     0.01 BTCBRL @  351200.10  #7 exit  0.01 of 0.03  \
             fee 3.51 BRL taker",
        ),
        (
            What::Refused {
                place: place.clone(),
                message: "expected `end`".into(),
                running: Some("fedcba98".into()),
            },
            "refused   version fedcba98 goes on\n    error: expected `end`\n     \
             --> ema.luau:2:9\n      |\n    2 | local x = y z\n      |         ^",
        ),
        (
            What::Halt { reason: "too many orders".into() },
            "halt      too many orders; save a mended version to go on",
        ),
        (
            What::Log {
                level: "info",
                message: "note: filled".into(),
                fields: Plain::map(vec![("qty", Plain::Decimal(d("0.1"))), ("n", Plain::Int(3))]),
            },
            "info      note: filled  qty=0.1 n=3",
        ),
        (What::Stopped(stopped(0)), "stopped   interrupted; no order is open"),
        (
            What::Stopped(stopped(2)),
            "stopped   interrupted; 2 orders may still be open: look at the venue",
        ),
    ] {
        let source = "first\nlocal x = y z\n";
        assert_eq!(line(&told(what), Some(source), LOOK), format!("{HEAD}{expected}"));
    }
}

#[test]
fn a_venues_lines_bear_its_name_and_instruments_theirs_where_venues_are_several() {
    let feed = What::Feed {
        venue: "flowbtc".into(),
        channel: "session",
        state: "down",
        reason: "lost".into(),
    };
    let log = What::Log { level: "info", message: "flowbtc: logged in".into(), fields: Plain::Nil };
    for (what, expected) in
        [(feed, "flowbtc    feed      session down  lost"), (log, "flowbtc    info      logged in")]
    {
        let told = Told { strategy: String::new(), ..told(what) };
        assert_eq!(line(&told, None, LOOK), format!("18:51:01.897  {expected}"));
    }
    let look = Look { venues: true, ..LOOK };
    let shown = line(&told(What::Order(order(OrderState::Working))), None, look);
    assert!(shown.contains("0.01 flowbtc:BTCBRL @"), "{shown}");
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
            What::Stopped(stopped(0)),
            "stopped",
            [
                r#","reason":"interrupted","open_orders":0,"interrupted":true,"events":12,"#,
                r#""orders":3,"strategies":[{"strategy":"ema_cross","version":"0123456789ab","#,
                r#""halted":null,"open_orders":0,"positions":[{"instrument":"flowbtc:BTCBRL","#,
                r#""position":"-0.01","realized":"1.5","unrealized":"-0.25","fees":"0.1","#,
                r#""net_pnl":"1.15","fills":3}]}]"#,
            ]
            .concat(),
        ),
    ] {
        let json = told(what).json();
        assert_eq!(json, format!(r#"{{"event":"{word}",{head}{rest}}}"#));
    }
}

#[test]
fn status_lines_have_position_and_profit() {
    let time = Time::from_millis(1_602_269_461_897);
    let now = Status {
        instrument: "flowbtc:BTCBRL".into(),
        position: d("-0.5"),
        base: "BTC".into(),
        realized: d("1234.567"),
        fees: d("12"),
        net: d("1222.317"),
        quote: "BRL".into(),
    };
    assert_eq!(
        status(time, "ema_cross", Some(&now), 1, LOOK),
        format!(
            "{HEAD}status    short    -0.5 BTC  net +1,222.32 BRL  realized +1,234.57  \
             fees 12.00  1 open"
        )
    );
    assert_eq!(status(time, "ema_cross", None, 0, LOOK), format!("{HEAD}status    no fills yet"));
    let colored = Look { style: Style { color: true }, ..LOOK };
    let shown = status(time, "ema_cross", Some(&now), 1, colored);
    assert!(shown.contains("\u{1b}[32m+1,222.32\u{1b}[0m"), "{shown:?}");
    let all = "18:51:01.897  all        status    ";
    let net = BTreeMap::from([("BRL".to_owned(), d("-3.5")), ("BTC".to_owned(), d("0.001"))]);
    assert_eq!(
        total(time, &net, 12_345, LOOK),
        format!("{all}                   net     -3.50 BRL  +0.001 BTC  12,345 events/s")
    );
    assert_eq!(total(time, &BTreeMap::new(), 7, LOOK), format!("{all}7 events/s"));
}

#[test]
fn snippets_point_at_the_column() {
    let check = |line: u32, column: u32, source: Option<&str>, expected: &str| {
        let place = Place { file: "a.luau".into(), line, column };
        assert_eq!(snippet(&place, "no", source, Style::PLAIN), expected);
    };
    check(0, 0, None, "error: no\n --> a.luau");
    check(3, 0, Some("1\n2\nthree"), "error: no\n --> a.luau:3\n  |\n3 | three");
    check(1, 2, Some("\tx"), "error: no\n --> a.luau:1:2\n  |\n1 |     x\n  |     ^");
    check(9, 1, Some("short"), "error: no\n --> a.luau:9:1");
    check(1, 99, Some("short"), "error: no\n --> a.luau:1:99\n  |\n1 | short");
    let twelve = "\n".repeat(11) + "end";
    check(12, 4, Some(&twelve), "error: no\n  --> a.luau:12:4\n   |\n12 | end\n   |    ^");
}

#[test]
fn numbers_are_grouped_and_rounded_for_reading() {
    for (value, shown) in [
        ("0", "0"),
        ("0.123456789", "0.12"),
        ("0.00123456789", "0.00123457"),
        ("-0.5", "-0.50"),
        ("1", "1.00"),
        ("999.999", "1,000.00"),
        ("-1234567.891", "-1,234,567.89"),
    ] {
        assert_eq!(money(d(value)), shown, "{value}");
    }
    for (value, shown) in [("349947.5", "349947.50"), ("1", "1.00"), ("0.00001234", "0.00001234")] {
        assert_eq!(price(d(value)), shown);
    }
    for (value, shown) in [("1", "+1.00"), ("-1", "-1.00"), ("0", "0")] {
        assert_eq!(signed(d(value)), shown);
    }
    for (value, shown) in [
        (0.0, "0"),
        (1.0, "1.0000"),
        (-44.749_46, "-44.7495"),
        (0.01, "0.0100"),
        (0.001_234_5, "0.00123"),
        (-0.000_011_94, "-0.0000119"),
        (1e-20, "1e-20"),
    ] {
        assert_eq!(figure(value), shown);
    }
    assert_eq!((count(0), count(1_000_000)), ("0".to_owned(), "1,000,000".to_owned()));
    assert_eq!(clock(Time::from_millis(-1)), "23:59:59.999");
}

#[test]
fn sections_align_figures_and_break_words() {
    let mut first = Section::figures("Result");
    first.row("net profit", "+1.00 BRL");
    first.row("fees", "12.00 BRL");
    let mut words = Section::words("Assumptions");
    words.row("fees", "one word after the other ".repeat(5));
    let text = sections(&[first, Section::figures("empty"), words], Style::PLAIN);
    assert_eq!(
        text,
        "Result\n  net profit  +1.00 BRL\n  fees        12.00 BRL\n\nAssumptions\n  fees        \
         one word after the other one word after the other one word after the other one word\n\
         \x20             after the other one word after the other\n"
    );
}

#[test]
fn tables_align_under_their_heading() {
    let row = |cells: [&str; 3]| cells.map(Cell::plain).to_vec();
    let rows = [row(["ema_cross", "8", "-4.71"]), row(["x", "12", "+1,000.00"])];
    assert_eq!(
        table(&["strategy", "fills", "net"], &rows, Style::PLAIN),
        "strategy   fills        net\nema_cross      8      -4.71\nx             12  +1,000.00\n"
    );
}
