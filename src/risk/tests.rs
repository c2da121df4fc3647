//! Each rule as a table.

mod sequences;

use super::*;
use crate::account::Order;
use crate::base::{
    Command, Decimal, Fees, Instrument, InstrumentId, OrderKey, OrderKind, Place, Quote, Refusal,
    Side, StrategyId, Tif, Time, VenueName, Version, decimal,
};
use std::collections::BTreeSet;

const ME: StrategyId = StrategyId(1);

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

fn key(sequence: u32) -> OrderKey {
    OrderKey::compose(1, ME, sequence).unwrap()
}

fn btcbrl() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("flowbtc"),
        symbol: "BTCBRL".into(),
        base: "BTC".into(),
        quote: "BRL".into(),
        tick_size: d("0.5"),
        lot_size: d("0.1"),
        min_qty: d("0.2"),
        fees: Fees::default(),
    }
}

fn facts(instrument: &Instrument) -> Facts<'_> {
    Facts {
        strategy: ME,
        position: Decimal::ZERO,
        exposure: crate::account::Exposure::default(),
        last: Some(d("100")),
        quote: None,
        instrument,
        open_orders: 0,
        ready: true,
    }
}

fn limit_order(side: Side, qty: &str, price: &str) -> Place {
    Place {
        key: key(1),
        instrument: InstrumentId(0),
        side,
        kind: OrderKind::Limit,
        qty: d(qty),
        price: Some(d(price)),
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    }
}

fn market_order(side: Side, qty: &str) -> Place {
    Place { kind: OrderKind::Market, price: None, ..limit_order(side, qty, "1") }
}

fn none() -> Limits {
    Limits {
        max_order_qty: None,
        max_order_notional: None,
        max_position: None,
        max_open_orders: None,
        max_orders_per_minute: None,
    }
}

fn code<T>(result: Result<Approved<T>, Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code, |_| "ok")
}

#[test]
fn the_shape_of_an_order() {
    let buy = |qty, price| limit_order(Side::Buy, qty, price);
    let kind = |kind, price: Option<&str>, stop: Option<&str>| Place {
        kind,
        price: price.map(d),
        stop: stop.map(d),
        ..buy("1", "1")
    };
    use OrderKind::{Limit, Market, Stop, StopLimit};
    for (ask, expected) in [
        (buy("1", "100"), "ok"),
        (buy("0", "100"), "ORDER_BAD_QTY"),
        (buy("-1", "100"), "ORDER_BAD_QTY"),
        (buy("0.1", "100"), "ORDER_BELOW_MIN_QTY"),
        (buy("0.25", "100"), "ORDER_OFF_LOT"),
        (buy("1", "0"), "ORDER_BAD_PRICE"),
        (buy("1", "-100"), "ORDER_BAD_PRICE"),
        (buy("1", "100.25"), "ORDER_OFF_TICK"),
        (kind(Limit, None, None), "ORDER_BAD_PRICE"),
        (kind(Market, Some("100"), None), "ORDER_BAD_PRICE"),
        (kind(Market, None, None), "ok"),
        (kind(Market, None, Some("100")), "ORDER_BAD_STOP"),
        (kind(Stop, None, Some("100")), "ok"),
        (kind(Stop, None, None), "ORDER_BAD_STOP"),
        (kind(Stop, None, Some("0")), "ORDER_BAD_STOP"),
        (kind(Stop, None, Some("100.1")), "ORDER_OFF_TICK"),
        (kind(StopLimit, Some("100"), Some("99")), "ok"),
        (kind(StopLimit, Some("100"), None), "ORDER_BAD_STOP"),
        (Place { post_only: true, ..buy("1", "100") }, "ok"),
        (Place { post_only: true, tif: Tif::Ioc, ..buy("1", "100") }, "ORDER_BAD_POST_ONLY"),
        (Place { post_only: true, ..market_order(Side::Buy, "1") }, "ORDER_BAD_POST_ONLY"),
    ] {
        let got = code(Gate::new(none()).check(at(0), &ask, &facts(&btcbrl())));
        assert_eq!(got, expected, "{ask:?}");
    }
}

#[test]
fn quantity_and_notional() {
    let quote = Quote {
        time: at(0),
        instrument: InstrumentId(0),
        bid: d("109"),
        bid_qty: Decimal::ONE,
        ask: d("110"),
        ask_qty: Decimal::ONE,
        last: Decimal::ZERO,
    };
    let limits =
        Limits { max_order_qty: Some(d("5")), max_order_notional: Some(d("300")), ..none() };
    let stop =
        Place { kind: OrderKind::Stop, stop: Some(d("151")), ..market_order(Side::Buy, "2") };
    let (limit, market) = (limit_order, market_order);
    // `last` and whether there is a quote of 109 to 110.
    for (ask, last, quoted, expected) in [
        (limit(Side::Buy, "5.1", "1"), Some("100"), false, "LIMIT_MAX_ORDER_QTY"),
        (limit(Side::Buy, "3", "100"), Some("999"), true, "ok"),
        (limit(Side::Buy, "3", "100.5"), Some("1"), true, "LIMIT_MAX_ORDER_NOTIONAL"),
        // A sell far under the market trades at the market.
        (limit(Side::Sell, "3", "1"), None, false, "ok"),
        (limit(Side::Sell, "3", "1"), Some("101"), false, "LIMIT_MAX_ORDER_NOTIONAL"),
        (limit(Side::Sell, "3", "1"), None, true, "LIMIT_MAX_ORDER_NOTIONAL"),
        (market(Side::Buy, "3"), None, false, "LIMIT_NO_PRICE"),
        (market(Side::Buy, "3"), Some("100"), false, "ok"),
        (market(Side::Buy, "3"), Some("100"), true, "LIMIT_MAX_ORDER_NOTIONAL"),
        (market(Side::Sell, "2.7"), Some("100"), true, "ok"),
        (market(Side::Sell, "2.8"), None, true, "LIMIT_MAX_ORDER_NOTIONAL"),
        (stop, Some("100"), true, "LIMIT_MAX_ORDER_NOTIONAL"),
    ] {
        let instrument = btcbrl();
        let facts =
            Facts { last: last.map(d), quote: quoted.then_some(&quote), ..facts(&instrument) };
        let got = code(Gate::new(limits.clone()).check(at(0), &ask, &facts));
        assert_eq!(got, expected, "{ask:?} {last:?} {quoted}");
    }
}

#[test]
fn sums_that_overflow_are_refused() {
    let limits = Limits { max_order_notional: Some(d("300")), ..none() };
    let mut ask = limit_order(Side::Buy, "1", "1");
    ask.qty = d("70000000000000000000000000000");
    ask.price = ask.qty.into();
    let coarse = Instrument { tick_size: Decimal::ZERO, lot_size: Decimal::ZERO, ..btcbrl() };
    let facts = Facts { exposure: exposure(&ask.qty.to_string(), "0"), ..facts(&coarse) };
    assert_eq!(code(Gate::new(limits).check(at(0), &ask, &facts)), "LIMIT_MAX_ORDER_NOTIONAL");
    let limits = Limits { max_position: Some(d("300")), ..none() };
    assert_eq!(code(Gate::new(limits).check(at(0), &ask, &facts)), "LIMIT_MAX_POSITION");
}

fn exposure(buy: &str, sell: &str) -> crate::account::Exposure {
    crate::account::Exposure { buy: d(buy), sell: d(sell) }
}

#[test]
fn position_in_the_worst_case() {
    for (position, (buy, sell), side, qty, expected) in [
        ("0", ("0", "0"), Side::Buy, "1", "ok"),
        ("0", ("0", "0"), Side::Buy, "1.1", "would_be=1.1"),
        ("0", ("0", "0"), Side::Sell, "1.1", "would_be=-1.1"),
        ("0.5", ("0.3", "9"), Side::Buy, "0.2", "ok"),
        ("0.5", ("0.3", "9"), Side::Buy, "0.3", "would_be=1.1"),
        ("0.5", ("9", "0.5"), Side::Sell, "1", "ok"),
        ("0.5", ("9", "0.5"), Side::Sell, "1.1", "would_be=-1.1"),
        // Beyond the limit already: the way back is open.
        ("3", ("0", "0"), Side::Sell, "4", "ok"),
        ("3", ("0", "0"), Side::Buy, "0.2", "would_be=3.2"),
    ] {
        let instrument = btcbrl();
        let facts =
            Facts { position: d(position), exposure: exposure(buy, sell), ..facts(&instrument) };
        let limits = Limits { max_position: Some(d("1")), ..none() };
        let result = Gate::new(limits).check(at(0), &market_order(side, qty), &facts);
        let shown = match result {
            Ok(_) => "ok".to_owned(),
            Err(refusal) => refusal.to_string().replace("LIMIT_MAX_POSITION limit=1 ", ""),
        };
        assert_eq!(shown, expected, "{position} {buy} {sell} {side:?} {qty}");
    }
}

#[test]
fn reduce_only_reduces() {
    for (position, side, qty, expected) in [
        ("1", Side::Sell, "1", "ok"),
        ("1", Side::Sell, "1.1", "ORDER_WOULD_INCREASE"),
        ("1", Side::Buy, "0.2", "ORDER_WOULD_INCREASE"),
        ("-1", Side::Buy, "1", "ok"),
        ("-1", Side::Sell, "1", "ORDER_WOULD_INCREASE"),
        ("0", Side::Sell, "1", "ORDER_WOULD_INCREASE"),
    ] {
        let ask = Place { reduce_only: true, ..market_order(side, qty) };
        let instrument = btcbrl();
        // A stop that stands for the same position does not bar the target.
        let facts =
            Facts { position: d(position), exposure: exposure("1", "1"), ..facts(&instrument) };
        assert_eq!(
            code(Gate::new(none()).check(at(0), &ask, &facts)),
            expected,
            "{position} {ask:?}"
        );
    }
}

#[test]
fn open_orders_and_readiness() {
    let limits = Limits { max_open_orders: Some(2), ..none() };
    for (open_orders, ready, expected) in
        [(1, true, "ok"), (2, true, "LIMIT_MAX_OPEN_ORDERS"), (0, false, "VENUE_NOT_READY")]
    {
        let instrument = btcbrl();
        let facts = Facts { open_orders, ready, ..facts(&instrument) };
        let ask = market_order(Side::Buy, "1");
        assert_eq!(code(Gate::new(limits.clone()).check(at(0), &ask, &facts)), expected);
    }
}

#[test]
fn halts_stop_orders_and_let_cancels_pass() {
    let (mut gate, instrument) = (Gate::default(), btcbrl());
    let other = Facts { strategy: StrategyId(2), ..facts(&instrument) };
    let ask = market_order(Side::Buy, "1");
    gate.halt(Some(ME), "drawdown");
    assert_eq!(gate.halted(ME), Some("drawdown"));
    let refusal = gate.check(at(0), &ask, &facts(&instrument)).unwrap_err();
    assert_eq!(refusal.to_string(), "HALT_STRATEGY reason=drawdown");
    assert_eq!(code(gate.check(at(0), &ask, &other)), "ok");
    gate.halt(None, "operator");
    assert_eq!(code(gate.check(at(0), &ask, &other)), "HALT_ALL");
    let cancel = Command::Cancel { key: key(1), instrument: InstrumentId(0) };
    assert_eq!(gate.approve_cancel(key(1), InstrumentId(0)).into_inner(), cancel);
    let all = Command::CancelAll { instrument: None };
    assert_eq!(*gate.approve_cancel_all(None).get(), all);
    gate.resume(None);
    assert_eq!(code(gate.check(at(0), &ask, &facts(&instrument))), "HALT_STRATEGY");
    gate.resume(Some(ME));
    assert_eq!(gate.halted(ME), None);
    assert_eq!(code(gate.check(at(0), &ask, &facts(&instrument))), "ok");
}

#[test]
fn the_rate_is_per_strategy_and_over_any_sixty_seconds() {
    let limits = Limits { max_orders_per_minute: Some(2), ..none() };
    let (mut gate, instrument) = (Gate::new(limits), btcbrl());
    let ask = market_order(Side::Buy, "1");
    let mut try_at = |millis| gate.check(at(millis), &ask, &facts(&instrument));
    assert!(try_at(0).is_ok() && try_at(40_000).is_ok());
    let refusal = try_at(45_000).unwrap_err();
    assert_eq!(refusal.to_string(), "LIMIT_ORDER_RATE limit=2 retry_after=15s");
    assert_eq!(code(try_at(60_000)), "LIMIT_ORDER_RATE");
    assert_eq!(code(try_at(60_001)), "ok");
    let other = Facts { strategy: StrategyId(2), ..facts(&instrument) };
    assert_eq!(code(gate.check(at(60_001), &ask, &other)), "ok");
    gate.limit(ME, Limits { max_orders_per_minute: Some(3), ..none() });
    assert_eq!(code(gate.check(at(60_001), &ask, &facts(&instrument))), "ok");
    assert_eq!(gate.limits(StrategyId(2)).max_orders_per_minute, Some(2));
}

#[test]
fn refused_orders_do_not_use_up_the_rate() {
    let limits =
        Limits { max_orders_per_minute: Some(1), max_order_qty: Some(Decimal::ONE), ..none() };
    let (mut gate, instrument) = (Gate::new(limits), btcbrl());
    for (qty, expected) in [("2", "LIMIT_MAX_ORDER_QTY"), ("1", "ok"), ("1", "LIMIT_ORDER_RATE")] {
        let got = code(gate.check(at(0), &market_order(Side::Buy, qty), &facts(&instrument)));
        assert_eq!(got, expected);
    }
}

#[test]
fn replacements_count_beside_the_order_they_replace() {
    let instrument = btcbrl();
    let limits = Limits { max_position: Some(d("3")), max_order_qty: Some(d("2")), ..none() };
    let place = limit_order(Side::Buy, "1", "100");
    let order = Order::new(&place, ME, Version("v".into()), at(0));
    let mut ended = order.clone();
    ended.state = crate::base::OrderState::Filled;
    let mut unknown = order.clone();
    unknown.state = crate::base::OrderState::Unknown;
    let mut busy = order.clone();
    busy.cancel_asked = true;
    let mut naked = order.clone();
    naked.price = None;
    let mut reducing = order.clone();
    reducing.reduce_only = true;
    for (order, price, qty, expected) in [
        (&order, Some("101"), "2", "ok"),
        (&order, None, "1", "ok"),
        (&order, Some("101"), "2.1", "LIMIT_MAX_ORDER_QTY"),
        (&order, Some("101.1"), "1", "ORDER_OFF_TICK"),
        (&order, Some("101"), "0.1", "ORDER_BELOW_MIN_QTY"),
        (&ended, Some("101"), "1", "ORDER_NOT_WORKING"),
        (&unknown, Some("101"), "1", "ORDER_NOT_WORKING"),
        (&busy, Some("101"), "1", "ORDER_CHANGE_PENDING"),
        (&naked, Some("101"), "1", "ORDER_BAD_PRICE"),
        (&reducing, Some("101"), "1", "ORDER_WOULD_INCREASE"),
    ] {
        let ask = Replace { alias: key(2), price: price.map(d), qty: d(qty) };
        let facts = Facts { exposure: exposure("1", "0"), ..facts(&instrument) };
        let mut gate = Gate::new(limits.clone());
        assert_eq!(code(gate.check_replace(at(0), &ask, order, &facts)), expected, "{ask:?}");
        let full = Facts { position: d("1.5"), ..facts };
        let result = gate.check_replace(at(0), &Replace { qty: d("0.6"), ..ask }, order, &full);
        if expected == "ok" {
            assert_eq!(code(result), "LIMIT_MAX_POSITION");
        }
    }
    let ask = Replace { alias: key(2), price: None, qty: d("2") };
    let approved = Gate::new(none()).check_replace(at(0), &ask, &order, &facts(&instrument));
    let command = approved.map(Approved::into_inner).unwrap();
    assert!(matches!(command, Command::Replace { price: Some(price), .. } if price == d("100")));
}

#[test]
fn an_approved_order_stays_approved_as_a_command() {
    let ask = market_order(Side::Buy, "1");
    let approved = Gate::default().check(at(0), &ask, &facts(&btcbrl())).unwrap();
    assert_eq!(*approved.into_command().get(), Command::Place(ask));
}

#[test]
fn every_code_of_the_room_is_in_the_table_and_back() {
    let mut used = BTreeSet::new();
    for source in [include_str!("gate.rs"), include_str!("rules.rs")] {
        for rest in source.split("Refusal::new(\"").skip(1) {
            used.insert(rest.split('"').next().unwrap());
        }
    }
    let listed: BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(used, listed);
    assert_eq!(CODES.len(), listed.len(), "a code is listed twice");
    assert!(codes::meaning("LIMIT_MAX_POSITION").is_some() && codes::meaning("NO").is_none());
}
