//! Raw calls: one order path, grants, caps, and every outcome back to whoever asked.

use super::*;
use crate::base::{CallAsk, CallFailure, CallFailureKind, CallId, Fate, Reply, json};
use crate::desk::Desk;
use crate::engine::{Withdrawals, withdrawn};

/// Holds still; its orders are made by calls.
const STILL: &str = r#"
return { subscribe = { "trades flowbtc:BTCBRL" }, on_trade = function() end }
"#;

fn ask(name: &'static str, fields: &[(&'static str, &str)]) -> CallAsk {
    ask_of("flowbtc", name, fields)
}

/// Values as JSON, decimals in quotes where they have a dot.
fn ask_of(venue: &str, name: &'static str, fields: &[(&'static str, &str)]) -> CallAsk {
    let value = |text: &str| json::read(text).unwrap_or_else(|_| Plain::text(text));
    let args = fields.iter().map(|(field, text)| (*field, value(text))).collect();
    CallAsk { venue: VenueName::new(venue), name, args }
}

const LIMIT_BUY: &[(&str, &str)] = &[
    ("InstrumentId", "1"),
    ("Side", "0"),
    ("Quantity", "0.5"),
    ("OrderType", "2"),
    ("LimitPrice", "100.5"),
];

impl Rig {
    fn call(&mut self, who: u8, ask: CallAsk) -> Result<CallId, CallFailure> {
        let core = Rc::clone(&self.engine.core);
        let made = core.borrow_mut().call(StrategyId(who), ask);
        self.input(In::Tick);
        made
    }

    fn reply(&mut self, id: CallId, outcome: Result<Plain, CallFailure>) {
        self.event(Event::Reply(Reply { id, outcome }));
    }
}

fn refusal(made: Result<CallId, CallFailure>) -> String {
    let failure = made.unwrap_err();
    assert_eq!(failure.fate, Fate::Refused, "nothing was sent");
    format!("{}: {}", failure.kind.word(), failure.message)
}

/// The issue's "one order path": SendOrder is an order of the strategy, with key, limits, journal.
#[test]
fn send_order_is_an_order_like_any() {
    let mut rig = Rig::of(STILL);
    let id = rig.call(FIRST, ask("SendOrder", LIMIT_BUY)).unwrap();
    assert_eq!(rig.commands(), ["call flowbtc SendOrder place 0.1 buy 0.5 @ 100.5"]);
    let intent = rig.outs.iter().find_map(|out| match out {
        Out::Record(record) if record.kind == "intent" => Some(record.body.json()),
        _ => None,
    });
    let intent = intent.unwrap();
    assert!(intent.contains(r#""call":"flowbtc.SendOrder""#), "{intent}");
    rig.accepted(1);
    rig.working(1);
    rig.reply(id, Ok(Plain::Nil));
    let kinds: Vec<&str> = rig
        .outs
        .iter()
        .filter_map(|out| if let Out::Record(record) = out { Some(record.kind) } else { None })
        .collect();
    assert_eq!(kinds, ["intent", "order", "order", "reply"]);
    assert_eq!(rig.order(1).venue_id, Some(venue_id(1)));
    // A second answer finds nobody waiting.
    rig.clear();
    rig.reply(id, Ok(Plain::Nil));
    assert_eq!(rig.records(), [] as [String; 0]);
}

/// (fields changed or added, the failure)
#[test]
fn what_cannot_be_kept_as_asked_is_refused() {
    for (change, expected) in [
        (("Quantity", "0.0005"), "limit: ORDER_OFF_GRID tick_size=0.5 lot_size=0.001"),
        (("LimitPrice", "100.2"), "limit: ORDER_OFF_GRID tick_size=0.5 lot_size=0.001"),
        (("Side", "2"), "arguments: Side is 0 (buy) or 1 (sell)"),
        (
            ("OrderType", "5"),
            "arguments: OrderType is 1 (market), 2 (limit), 3 (stop) or 4 (stop limit)",
        ),
        (("OrderType", "1"), "arguments: a market order carries neither LimitPrice nor StopPrice"),
        (("StopPrice", "96"), "arguments: a limit order carries LimitPrice and no StopPrice"),
        (("InstrumentId", "10"), "arguments: no instrument is number 10"),
        (("InstrumentId", "3"), "arguments: this run does not trade flowbtc:LTCBRL"),
        (("OMSId", "2"), "arguments: OMSId is always 1 (FLOW-R13)"),
        (
            ("ClientOrderId", "99"),
            "arguments: ClientOrderId is the host's: by it a lost order is found; leave it out",
        ),
        (
            ("DisplayQuantity", "0.1"),
            "arguments: DisplayQuantity: hidden orders are not offered; leave it out or 0",
        ),
        (
            ("TimeInForce", "6"),
            "arguments: TimeInForce is 1 (GTC), 3 (IOC), 4 (FOK) or 5 (post only)",
        ),
    ] {
        let mut rig = Rig::of(STILL);
        let mut fields: Vec<_> = LIMIT_BUY.to_vec();
        fields.retain(|(name, _)| *name != change.0);
        fields.push(change);
        assert_eq!(refusal(rig.call(FIRST, ask("SendOrder", &fields))), expected, "{change:?}");
        assert_eq!(rig.commands(), [] as [String; 0], "{change:?}");
    }
}

#[test]
fn the_gate_judges_calls_too() {
    let mut config = config();
    config.limits.max_order_qty = Some(d("0.4"));
    let mut rig = Rig::with(config);
    rig.load("s", STILL);
    let made = rig.call(FIRST, ask("SendOrder", LIMIT_BUY));
    assert_eq!(refusal(made), "limit: LIMIT_MAX_ORDER_QTY limit=0.4 qty=0.5");
    assert_eq!(rig.order(1).state, crate::base::OrderState::Rejected, "it is in the journal");
}

/// A working order of the first strategy, made by a call.
fn working() -> Rig {
    let mut rig = Rig::of(STILL);
    rig.load("other", STILL);
    rig.call(FIRST, ask("SendOrder", LIMIT_BUY)).unwrap();
    rig.accepted(1);
    rig.working(1);
    rig.clear();
    rig
}

const ID: &str = "9222816249026513001";

#[test]
fn cancels_and_changes_reach_own_orders_only() {
    let replace: &[(&str, &str)] = &[
        ("OrderIdToReplace", ID),
        ("InstrumentId", "1"),
        ("Side", "0"),
        ("Quantity", "0.7"),
        ("OrderType", "2"),
        ("LimitPrice", "99"),
    ];
    let reduce: &[(&str, &str)] = &[("OrderId", ID), ("InstrumentId", "1"), ("Quantity", "0.2")];
    for (name, fields, command) in [
        ("CancelOrder", &[("OrderId", ID)][..], "call flowbtc CancelOrder cancel 0.1"),
        (
            "CancelAllOrders",
            &[("InstrumentId", "1")][..],
            "call flowbtc CancelAllOrders cancel all Some(InstrumentId(0))",
        ),
        (
            "CancelReplaceOrder",
            replace,
            "call flowbtc CancelReplaceOrder replace 0.1 as 0.2: 0.7 @ 99",
        ),
        ("ModifyOrder", reduce, "call flowbtc ModifyOrder reduce 0.1 to 0.2"),
    ] {
        let mut rig = working();
        let others = refusal(rig.call(SECOND, ask(name, fields)));
        assert_eq!(others, "not_granted: the order belongs to the strategy s", "{name}");
        rig.call(FIRST, ask(name, fields)).unwrap();
        assert_eq!(rig.commands(), [command]);
    }
}

#[test]
fn an_order_of_before_is_the_venues_to_judge() {
    let mut rig = working();
    rig.call(SECOND, ask("CancelOrder", &[("OrderId", "42"), ("ClOrderId", "0")])).unwrap();
    assert_eq!(rig.commands(), ["call flowbtc CancelOrder "]);
    let made = rig.call(FIRST, ask("CancelOrder", &[("OrderId", "0")]));
    assert_eq!(refusal(made), "arguments: give OrderId or ClOrderId");
    let made = rig.call(
        FIRST,
        ask("ModifyOrder", &[("OrderId", "42"), ("InstrumentId", "1"), ("Quantity", "1")]),
    );
    assert_eq!(refusal(made), "arguments: OrderId is no open order of this run");
}

/// FLOW-P19: downwards only, and the order counts at its old size until the venue has answered.
#[test]
fn an_order_becomes_smaller_and_keeps_its_number() {
    let reduce =
        |qty| ask("ModifyOrder", &[("OrderId", ID), ("InstrumentId", "1"), ("Quantity", qty)]);
    let mut rig = working();
    let larger = refusal(rig.call(FIRST, reduce("0.5")));
    assert_eq!(larger, "limit: ORDER_BAD_QTY qty=0.5 most=0.5");
    rig.fill(1, 11, "100.5", "0.1");
    rig.clear();
    rig.call(FIRST, reduce("0.3")).unwrap();
    assert_eq!(rig.commands(), ["call flowbtc ModifyOrder reduce 0.1 to 0.2"]);
    let again = refusal(rig.call(FIRST, reduce("0.2")));
    assert!(again.starts_with("limit: ORDER_CHANGE_PENDING"), "{again}");
    let price = Some(d("100.5"));
    let (venue_id, remaining) = (venue_id(1), d("0.2"));
    rig.step(FIRST, 1, OrderStep::Replaced { venue_id, price, remaining });
    assert_eq!((rig.order(1).remaining(), rig.order(1).filled), (d("0.2"), d("0.1")));
}

#[test]
fn a_run_without_the_venue_says_so() {
    let mut rig = Rig::of(STILL);
    let made = rig.call(FIRST, ask_of("mercadobitcoin", "getInfo", &[]));
    assert_eq!(refusal(made), "no_venue: this run has no venue mercadobitcoin");
}

#[test]
fn calls_without_an_answer_are_bounded() {
    let mut rig = Rig::of(STILL);
    let mut last = None;
    for _ in 0..64 {
        last = Some(rig.call(FIRST, ask("GetProducts", &[])).unwrap());
    }
    let full = refusal(rig.call(FIRST, ask("GetProducts", &[])));
    assert_eq!(full, "limit: LIMIT_CALLS_WAITING limit=64");
    rig.reply(last.unwrap(), Err(CallFailure::refused(CallFailureKind::Timeout, "too late")));
    rig.call(FIRST, ask("GetProducts", &[])).unwrap();
}

fn granted(calls: &[&str]) -> EngineConfig {
    let mut config = config();
    config.mode = Mode::Live;
    let calls = calls.iter().map(|call| (*call).to_owned()).collect();
    config.grants.insert("s".to_owned(), calls);
    config
}

fn withdraw(amount: &str, address: &str) -> CallAsk {
    let form = format!(r#"{{"Comment":"","ExternalAddress":"{address}"}}"#);
    let mut ask = ask("CreateWithdrawTicket", &[("ProductId", "1"), ("Amount", amount)]);
    ask.args.push(("TemplateForm", Plain::Text(form)));
    ask
}

/// Off unless granted, by strategy and by call; never on paper.
#[test]
fn grants_are_by_strategy_and_call_and_live_only() {
    let mut rig = Rig::of(STILL);
    assert_eq!(
        refusal(rig.call(FIRST, ask("LogOut", &[]))),
        "not_granted: flowbtc.LogOut is off in paper mode, whatever is granted"
    );
    let mut rig = Rig::with(granted(&["flowbtc.LogOut"]));
    rig.load("s", STILL);
    rig.load("other", STILL);
    rig.clear();
    rig.call(FIRST, ask("LogOut", &[])).unwrap();
    assert_eq!(rig.commands(), ["call flowbtc LogOut "]);
    assert_eq!(
        refusal(rig.call(SECOND, ask("LogOut", &[]))),
        "not_granted: flowbtc.LogOut moves money or changes the user; grant it under \
         [grants.other]: calls = [\"flowbtc.LogOut\"]"
    );
    assert!(refusal(rig.call(FIRST, ask("SetUserInfo", &[]))).starts_with("not_granted"));
}

/// Allow-listed addresses, a cap over any 24 hours, what earlier runs took counted in.
#[test]
fn withdrawals_keep_to_their_list_and_cap() {
    let mut config = granted(&["flowbtc.CreateWithdrawTicket"]);
    let now = Time::from_millis(60_000_000);
    config.withdrawals = Withdrawals {
        addresses: ["1Good".to_owned()].into(),
        per_day: [("BTC".to_owned(), d("0.5"))].into(),
        before: vec![(now.minus(Span::from_secs(23 * 3600)), "BTC".to_owned(), d("0.2"))],
    };
    let mut rig = Rig::with(config);
    rig.load("s", STILL);
    let bad = refusal(rig.call(FIRST, withdraw("0.1", "1Evil")));
    assert!(bad.contains("not on the list"), "{bad}");
    assert!(!bad.contains("1Evil"), "{bad}");
    let much = refusal(rig.call(FIRST, withdraw("0.4", "1Good")));
    assert_eq!(much, "not_granted: 0.4 BTC is above what may leave today: 0.3 of 0.5 BTC is left");
    rig.call(FIRST, withdraw("0.3", "1Good")).unwrap();
    assert!(refusal(rig.call(FIRST, withdraw("0.1", "1Good"))).contains("0.0 of 0.5 BTC is left"));
    assert!(refusal(rig.call(FIRST, withdraw("0", "1Good"))).contains("above 0"));
    // What the earlier run took is a day old now; what this one took is not.
    rig.wait(Span::from_secs(2 * 3600));
    rig.call(FIRST, withdraw("0.2", "1Good")).unwrap();
    assert!(refusal(rig.call(FIRST, withdraw("0.1", "1Good"))).contains("0.0 of 0.5"));
    let rows: Vec<String> = rig
        .outs
        .iter()
        .filter_map(|out| match out {
            Out::Record(record) if record.kind == "call" => Some(record.body.json()),
            _ => None,
        })
        .collect();
    assert_eq!(rows.len(), 7, "every attempt is in the journal: {rows:#?}");
    assert!(rows[2].contains(r#""Amount":"0.3""#) && rows[0].contains("not_granted"), "{rows:#?}");
    // The next run reads of them what left.
    let left: Vec<(String, Decimal)> =
        rows.iter().filter_map(|row| withdrawn(&json::read(row).unwrap()).unwrap()).collect();
    assert_eq!(left, [("BTC".to_owned(), d("0.3")), ("BTC".to_owned(), d("0.2"))]);
}

#[test]
fn a_record_of_a_withdrawal_says_what_left() {
    for (body, expected) in [
        (
            r#"{"call":"mercadobitcoin.withdrawal_bitcoin","volume":"0.5"}"#,
            Ok(Some(("BTC", "0.5"))),
        ),
        (r#"{"call":"mercadobitcoin.withdrawal_bitcoin","volume":2}"#, Ok(Some(("BTC", "2")))),
        (
            r#"{"call":"flowbtc.CreateWithdrawTicket","Amount":0.25,"ProductId":4}"#,
            Ok(Some(("BRL", "0.25"))),
        ),
        (
            r#"{"call":"flowbtc.CreateWithdrawTicket","Amount":"1","ProductId":77}"#,
            Ok(Some(("product 77", "1"))),
        ),
        (
            r#"{"call":"flowbtc.CreateWithdrawTicket","Amount":"1","refused":"not_granted"}"#,
            Ok(None),
        ),
        (r#"{"call":"flowbtc.CreateDepositTicket","Amount":"1"}"#, Ok(None)),
        (r#"{"call":"flowbtc.LogOut"}"#, Ok(None)),
        ("{}", Ok(None)),
        (
            r#"{"call":"flowbtc.CreateWithdrawTicket","ProductId":1}"#,
            Err("flowbtc.CreateWithdrawTicket does not say how much"),
        ),
        (
            r#"{"call":"flowbtc.CreateWithdrawTicket","Amount":"1"}"#,
            Err("flowbtc.CreateWithdrawTicket does not say of what"),
        ),
        (
            r#"{"call":"mercadobitcoin.withdrawal_bitcoin","volume":"much"}"#,
            Err("mercadobitcoin.withdrawal_bitcoin does not say how much"),
        ),
    ] {
        let expected = expected
            .map(|left| left.map(|(asset, amount)| (asset.to_owned(), d(amount))))
            .map_err(str::to_owned);
        assert_eq!(withdrawn(&json::read(body).unwrap()), expected, "{body}");
    }
}

/// An unknown outcome of an order call is in the journal as such; the order itself stays with the
/// venue's word.
#[test]
fn a_lost_answer_is_unknown_in_the_journal() {
    let mut rig = Rig::of(STILL);
    let id = rig.call(FIRST, ask("SendOrder", LIMIT_BUY)).unwrap();
    rig.step(FIRST, 1, OrderStep::Sent);
    rig.step(FIRST, 1, OrderStep::Lost);
    rig.reply(id, Err(CallFailure::unknown("no answer in time")));
    assert_eq!(rig.order(1).state, crate::base::OrderState::Unknown);
    let reply = rig.outs.iter().find_map(|out| match out {
        Out::Record(record) if record.kind == "reply" => Some(record.body.json()),
        _ => None,
    });
    assert_eq!(
        reply.unwrap(),
        r#"{"call":"flowbtc.SendOrder","outcome":"unknown","kind":"timeout","code":null,"message":"no answer in time"}"#
    );
}

/// A strategy of timers and calls listens to no market: it starts when its venues are live.
#[test]
fn a_strategy_that_only_calls_needs_no_subscription() {
    let mut config = config();
    config.default_instrument = None;
    let mut rig = Rig::cold(config);
    rig.load("s", "return { on_start = function(ctx) ctx.log:info('started') end }");
    assert_eq!(rig.said(), [] as [String; 0]);
    rig.session(FeedState::Live);
    assert_eq!(rig.said(), ["s: started"]);
    for handler in ["on_trade", "on_quote", "on_book", "on_bar"] {
        rig.load("t", &format!("return {{ {handler} = function() end }}"));
        let notes = rig.notes();
        assert!(notes.iter().any(|note| note.contains("subscribe is missing")), "{handler}");
        rig.clear();
    }
}
