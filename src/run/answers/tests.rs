//! Calls by name over a simulated exchange: shapes, orders, throttling, delays.

mod bench;
mod shapes;

use self::bench::{Bench, args, limit, text};
use super::*;
use crate::base::{CallFailureKind, CallOutcome, Fate, OrderStep, Plain, Side};
use std::collections::BTreeMap;

fn failure(outcome: &CallOutcome) -> (CallFailureKind, Option<i64>, &str) {
    let failure = outcome.as_ref().unwrap_err();
    assert_eq!(failure.fate, Fate::Refused);
    (failure.kind, failure.code, &failure.message)
}

fn items(reply: &Plain) -> &[Plain] {
    let Plain::List(items) = reply else { panic!("no list: {reply:?}") };
    items
}

/// FLOW-C21, C22, C24, C26, C28, C29.
#[test]
fn an_order_sent_by_name_is_seen_changed_and_canceled_by_name() {
    let mut bench = Bench::flowbtc(0, 0);
    bench.print("100", "1");
    let sent = bench.order("SendOrder", limit(1, Side::Buy, "2", "90")).unwrap();
    assert_eq!(sent.get("status"), Some(&Plain::text("Accepted")));
    let id = text(sent.get("OrderId").unwrap());
    let open = bench.ask("GetOpenOrders", args("{}")).unwrap();
    let [row] = items(&open) else { panic!("{open:?}") };
    assert_eq!(text(row.get("OrderId").unwrap()), id);
    assert_eq!(text(row.get("ClientOrderId").unwrap()), bench::key(1).wire().to_string());
    assert_eq!(row.get("OrderState"), Some(&Plain::text("Working")));

    let smaller = Command::Reduce { key: bench::key(1), instrument: bench::BTC, qty: d("1.5") };
    assert_eq!(bench.order("ModifyOrder", smaller), Ok(Plain::Map(Vec::new())));
    let status = args(&format!(r#"{{"OrderId":{id}}}"#));
    let row = bench.ask("GetOrderStatus", status.clone()).unwrap();
    assert_eq!(row.get("Quantity"), Some(&Plain::Decimal(d("1.5"))));

    let cancel = Command::Cancel { key: bench::key(1), instrument: bench::BTC };
    let receipt = bench.order("CancelOrder", cancel.clone()).unwrap();
    assert_eq!(receipt.get("status"), Some(&Plain::text("Processing")));
    assert_eq!(items(&bench.ask("GetOpenOrders", args("{}")).unwrap()), []);
    let row = bench.ask("GetOrderStatus", status).unwrap();
    assert_eq!(row.get("OrderState"), Some(&Plain::text("Canceled")));
    assert_eq!(items(&bench.ask("GetOrderHistory", args("{}")).unwrap()).len(), 1);

    let again = bench.order("CancelOrder", cancel);
    assert_eq!(failure(&again), (CallFailureKind::Rejected, Some(104), "Resource Not Found"));
}

/// The order's own news comes as for any other order, each step once.
#[test]
fn an_order_sent_by_name_has_the_news_of_any_order() {
    let mut bench = Bench::flowbtc(0, 0);
    bench.print("100", "1");
    bench.order("SendOrder", limit(1, Side::Buy, "1", "100")).unwrap();
    bench.print("99", "5");
    let mut named = bench.take_news();
    let mut bench = Bench::flowbtc(0, 0);
    bench.print("100", "1");
    bench.command(limit(1, Side::Buy, "1", "100"));
    bench.print("99", "5");
    let alone = bench.take_news();
    named.retain(|event| !matches!(event, Event::Reply(_)));
    assert!(alone.iter().any(|event| matches!(event, Event::Fill(_))), "{alone:?}");
    assert_eq!(named, alone);
}

/// FLOW-C18, FLOW-X03.
#[test]
fn fills_and_balances_are_those_of_the_run() {
    let mut bench = Bench::flowbtc(0, 0);
    bench.print("100", "1");
    bench.command(limit(1, Side::Buy, "1", "100"));
    bench.print("99", "5");
    let trades = bench.ask("GetAccountTrades", args(r#"{"Count":10,"StartIndex":0}"#)).unwrap();
    let [fill] = items(&trades) else { panic!("{trades:?}") };
    assert_eq!(text(fill.get("ClientOrderId").unwrap()), bench::key(1).wire().to_string());
    let quantity = fill.get("Quantity").cloned();
    assert!(matches!(quantity, Some(Plain::Int(1) | Plain::Decimal(_))), "{quantity:?}");
    let positions = bench.ask("GetAccountPositions", args("{}")).unwrap();
    let btc =
        items(&positions).iter().find(|row| row.get("ProductSymbol") == Some(&Plain::text("BTC")));
    let amount = btc.and_then(|row| row.get("Amount")).map(text);
    assert_eq!(amount.as_deref(), Some("11"));
}

#[test]
fn refusals_say_what_the_venue_says() {
    let mut bench = Bench::flowbtc(0, 0);
    bench.print("100", "1");
    let dear = bench.order("SendOrder", limit(1, Side::Buy, "1", "10000000"));
    assert_eq!(failure(&dear), (CallFailureKind::Rejected, Some(101), "Not_Enough_Funds"));
    let gone = Command::Reduce { key: bench::key(9), instrument: bench::BTC, qty: d("1") };
    let gone = bench.order("ModifyOrder", gone);
    assert_eq!(failure(&gone), (CallFailureKind::Rejected, Some(104), "Resource Not Found"));
    let nobody = bench.ask("GetOrderStatus", args(r#"{"OrderId":77}"#));
    assert_eq!(failure(&nobody), (CallFailureKind::Rejected, Some(104), "Resource Not Found"));
    let nowhere = bench.ask("GetLevel1", args(r#"{"InstrumentId":99}"#));
    let words = "Invalid InstrumentId: 99";
    assert_eq!(failure(&nowhere), (CallFailureKind::Rejected, Some(100), words));
    let past = bench.ask("SendOrder", args(r#"{"InstrumentId":1,"Side":0,"Quantity":1}"#));
    assert_eq!(failure(&past).0, CallFailureKind::NotGranted);
    assert_eq!(items(&bench.ask("GetOpenOrders", args("{}")).unwrap()), []);
}

#[test]
fn money_and_logins_are_never_touched() {
    for (venue, mut bench) in [
        ("flowbtc", Bench::flowbtc(0, 0)),
        ("mercadobitcoin", Bench::mercadobitcoin()),
        ("sentra", Bench::sentra()),
    ] {
        for call in calls::of(venue).iter().filter(|call| call.grant) {
            let outcome = bench.ask(call.name, Vec::new());
            assert_eq!(failure(&outcome).0, CallFailureKind::NotGranted, "{}", call.name);
        }
    }
}

/// FLOW-P13: 80 of 100 a minute without the right to the reserve; nobody waits for more than half a
/// minute.
#[test]
fn calls_that_would_be_throttled_live_are_throttled_here() {
    let mut bench = Bench::flowbtc(0, 0);
    let level1 = args(r#"{"InstrumentId":1}"#);
    let mut asked: Vec<_> =
        (0..90).map(|_| bench.send("GetLevel1", level1.clone(), None)).collect();
    asked.push(bench.send("GetOpenOrders", args("{}"), None));
    bench.settle();
    bench.wait(Span::from_secs(15));
    asked.push(bench.send("GetLevel1", level1, None));
    bench.settle();
    let mut counts = BTreeMap::new();
    for id in asked {
        let (at, outcome) = bench.outcome(id);
        let word = outcome.as_ref().map_or_else(|failure| failure.kind.word(), |_| "answered");
        *counts.entry((at.since(bench::START).nanos(), word)).or_insert(0) += 1;
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let half = 30_000_000_000;
    let expected = vec![
        ((0, "answered"), 81),
        ((half + 1, "expired_in_queue"), 10),
        ((2 * half + 1, "answered"), 1),
    ];
    assert_eq!(counts, expected);
    assert_eq!(bench.venue.lanes(bench.now).first().map(|lane| lane.waiting), Some(0));
}

/// Orders that do not come as calls use the venue's budget as well.
#[test]
fn other_orders_count_against_the_budget() {
    let mut bench = Bench::flowbtc(0, 0);
    bench.print("100", "1");
    for sequence in 1..=79 {
        bench.command(limit(sequence, Side::Buy, "0.01", "90"));
    }
    let left = |bench: &Bench| bench.venue.lanes(bench.now).first().map(|lane| lane.left);
    assert_eq!(left(&bench), Some(1));
    let (first, second) =
        (bench.send("GetProducts", args("{}"), None), bench.send("GetProducts", args("{}"), None));
    bench.settle();
    let answered = |id| bench.outcome(id).1.is_ok();
    assert_eq!((answered(first), answered(second)), (true, false));
}

/// MB-F06: a second has one tonce.
#[test]
fn the_trade_api_takes_one_call_a_second_and_public_data_do_not_wait_for_it() {
    let mut bench = Bench::mercadobitcoin();
    let methods: Vec<_> = (0..4).map(|_| bench.send("getInfo", Vec::new(), None)).collect();
    let public = bench.send("ticker", args(r#"{"coin":"BTC"}"#), None);
    bench.settle();
    let seconds = |bench: &Bench, id| bench.outcome(id).0.since(bench::START).nanos();
    let times: Vec<i64> = methods.into_iter().map(|id| seconds(&bench, id)).collect();
    assert_eq!(times, [0, 1_000_000_000, 2_000_000_000, 3_000_000_000]);
    assert_eq!(seconds(&bench, public), 0);
}

#[test]
fn an_order_that_waited_too_long_is_never_carried_out() {
    let mut bench = Bench::mercadobitcoin();
    for _ in 0..12 {
        bench.send("getInfo", Vec::new(), None);
    }
    let pair = r#"{"pair":"btc_brl","type":"buy","volume":"1","price":"90"}"#;
    let id = bench.send("Trade", args(pair), Some(limit(1, Side::Buy, "1", "90")));
    bench.settle();
    let (_, outcome) = bench.outcome(id);
    assert_eq!(failure(outcome).0, CallFailureKind::ExpiredInQueue);
    let mut told = Vec::new();
    for event in bench.take_news() {
        if let Event::Order(news) = event {
            told.push(news.step);
        }
    }
    assert_eq!(told, [OrderStep::Rejected { reason: EXPIRED.to_owned() }]);
}

/// MB-C02 to C04.
#[test]
fn mercado_bitcoin_answers_orders_with_the_order() {
    let mut bench = Bench::mercadobitcoin();
    bench.print("100", "1");
    let ask = r#"{"pair":"btc_brl","type":"buy","volume":"1","price":"90"}"#;
    let sent = bench.order_with("Trade", args(ask), limit(1, Side::Buy, "1", "90")).unwrap();
    let Plain::Map(orders) = &sent else { panic!("{sent:?}") };
    let [(id, order)] = orders.as_slice() else { panic!("{sent:?}") };
    assert_eq!(order.get("status"), Some(&Plain::text("active")));
    assert_eq!(order.get("pair"), Some(&Plain::text("btc_brl")));
    let listed = bench.ask("OrderList", args(r#"{"pair":"btc_brl"}"#)).unwrap();
    assert_eq!(listed, sent);
    let ask = args(&format!(r#"{{"pair":"btc_brl","order_id":{}}}"#, text(id)));
    let cancel = Command::Cancel { key: bench::key(1), instrument: bench::BTC };
    let gone = bench.order_with("CancelOrder", ask.clone(), cancel.clone()).unwrap();
    let Plain::Map(orders) = &gone else { panic!("{gone:?}") };
    assert_eq!(orders.first().unwrap().1.get("status"), Some(&Plain::text("canceled")));
    let again = bench.order_with("CancelOrder", ask, cancel);
    assert_eq!(failure(&again), (CallFailureKind::Rejected, None, "Ordem não encontrada."));
    let ask = r#"{"pair":"btc_brl","type":"buy","volume":"1","price":"10000000"}"#;
    let dear = bench.order_with("Trade", args(ask), limit(2, Side::Buy, "1", "10000000"));
    assert_eq!(failure(&dear), (CallFailureKind::Rejected, None, "Saldo insuficiente."));
}

/// SENTRA-R09, SENTRA-R22c; the e-mail is in no answer.
#[test]
fn sentra_hears_each_account_once_a_second() {
    let mut bench = Bench::sentra();
    let beat = |number: &str| {
        args(&format!(r#"{{"account_number":"{number}","balance":10000.50,"equity":10250.75}}"#))
    };
    let none = bench.ask("positions", args(r#"{"account_number":"1","positions":[]}"#));
    let words = "Conta não encontrada. Envie heartbeat primeiro.";
    assert_eq!(failure(&none), (CallFailureKind::Rejected, Some(404), words));
    let start = bench.now;
    let ids: Vec<_> =
        ["1", "2", "1"].map(|number| bench.send("heartbeat", beat(number), None)).into();
    bench.settle();
    let said: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let (at, outcome) = bench.outcome(id);
            (at.since(start).nanos(), outcome.as_ref().unwrap().get("message").map(text))
        })
        .collect();
    let heard = Some("Heartbeat recebido".to_owned());
    let second = 1_000_000_001;
    assert_eq!(said, [(second, heard.clone()), (0, heard.clone()), (2 * second, heard)]);
    assert!(!format!("{:?}", bench.replies).contains("@"));
}

#[test]
fn a_call_travels_there_and_back() {
    let mut bench = Bench::flowbtc(10, 20);
    bench.print("100", "1");
    let query = bench.send("GetOpenOrders", args("{}"), None);
    let order = bench.send("SendOrder", args("{}"), Some(limit(1, Side::Buy, "1", "90")));
    bench.settle();
    let after = |at: Time| at.since(bench::START).nanos() / 1_000_000;
    let (at, outcome) = bench.outcome(query);
    let none = Ok(Plain::List(Vec::new()));
    assert_eq!((after(at), outcome), (30, &none), "it was there before the order");
    let (at, outcome) = bench.outcome(order);
    assert_eq!((after(at), outcome.is_ok()), (30, true));
}

#[test]
fn the_venue_shows_the_market_that_the_run_has_seen() {
    let mut bench = Bench::flowbtc(0, 0);
    for (price, qty) in [("100", "1"), ("101", "2"), ("99", "3")] {
        bench.print(price, qty);
    }
    let last = bench.ask("GetLastTrades", args(r#"{"InstrumentId":1,"Count":2}"#)).unwrap();
    let prices: Vec<String> = items(&last).iter().map(|row| text(&items(row)[3])).collect();
    assert_eq!(prices, ["101", "99"]);
    let twice = args(r#"{"InstrumentId":1,"IncludeLastCount":1}"#);
    for _ in 0..2 {
        assert_eq!(items(&bench.ask("SubscribeTrades", twice.clone()).unwrap()).len(), 1);
    }
}

#[test]
fn paper_is_answered_over_the_market_of_the_session() {
    let mut bench = Bench::paper();
    bench.print("100", "1");
    let last = bench.ask("GetLastTrades", args(r#"{"InstrumentId":1,"Count":2}"#)).unwrap();
    assert_eq!(items(&last).len(), 1);
    bench.order("SendOrder", limit(1, Side::Buy, "1", "90")).unwrap();
    let open = bench.ask("GetOpenOrders", args("{}")).unwrap();
    assert_eq!(items(&open).len(), 1);
}

#[test]
fn a_venue_alone_only_answers() {
    for venue in calls::VENUES {
        assert!(alone(venue, Span::ZERO, Span::ZERO).is_some(), "{venue}");
    }
    assert!(alone("binance", Span::ZERO, Span::ZERO).is_none());
}

#[test]
fn a_script_names_the_venues_that_it_calls() {
    let check = |source: &str, expected: &[&str]| {
        let candidate = Candidate {
            name: "s".to_owned(),
            entry: "s".to_owned(),
            sources: [("s".to_owned(), source.to_owned())].into(),
            version: crate::base::Version("v".into()),
        };
        assert_eq!(mentioned(&candidate), expected, "{source}");
    };
    check("flowbtc.Ping()", &["flowbtc"]);
    check("x(flowbtc .Ping, sentra.heartbeat)", &["flowbtc", "sentra"]);
    check("local venue = mercadobitcoin\n", &["mercadobitcoin"]);
    check("flowbtc[name]({})", &["flowbtc"]);
    check("on('flowbtc:BTCBRL')", &[]);
    check("on(\"flowbtc\", sentra)", &["sentra"]);
    check("my_flowbtc.Ping(); a.sentra.x()", &[]);
    check("require('@std/sentra')", &[]);
}

fn d(text: &str) -> crate::base::Decimal {
    crate::base::decimal::parse(text).unwrap()
}
