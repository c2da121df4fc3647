//! The fields of raw calls: what is taken, exactly how, and what is refused with which words.

use super::calls::started;
use super::*;

/// The one argument that the desk was asked with, or the message of the refusal.
fn asked(code: &str, field: &str) -> Result<Plain, String> {
    let (mut script, desk) = started(code);
    let asked = desk.borrow().asked.clone();
    match asked.first() {
        Some(ask) => Ok(ask.get(field).cloned().unwrap_or(Plain::Nil)),
        None => Err(script.take_faults().remove(0).message),
    }
}

const SEND: &str = "InstrumentId = 1, Side = 0, OrderType = 2";

#[test]
fn values_are_taken_exactly() {
    let dec = |mantissa, scale| Plain::Decimal(Decimal::new(mantissa, scale));
    for (value, expected) in [
        ("'0.010'", dec(10, 3)),
        ("0.1 + 0.2", dec(30_000_000_000_000_004, 17)),
        ("60000", dec(60_000, 0)),
        ("'-0'", dec(0, 0)),
        ("require('@std/decimal')('123456789012345.6789')", dec(1_234_567_890_123_456_789, 4)),
    ] {
        let code = format!("flowbtc.SendOrder({{ {SEND}, Quantity = {value} }})");
        assert_eq!(asked(&code, "Quantity"), Ok(expected), "{value}");
    }
    for (value, expected) in [
        ("7", 7),
        ("-7", -7),
        ("2 ^ 53", 1 << 53),
        ("'0'", 0),
        ("-0", 0),
        ("'-9223372036854775808'", i64::MIN),
        ("'9222816249026513001'", 9_222_816_249_026_513_001),
    ] {
        let code = format!("flowbtc.CancelOrder({{ OrderId = {value} }})");
        assert_eq!(asked(&code, "OrderId"), Ok(Plain::Int(expected)), "{value}");
    }
    let code = format!(
        "flowbtc.SendOrder({{ {SEND}, Quantity = 1, UseDisplayQuantity = false, OMSId = '1' }})"
    );
    assert_eq!(asked(&code, "UseDisplayQuantity"), Ok(Plain::Bool(false)));
    assert_eq!(asked(&code, "OMSId"), Ok(Plain::Int(1)));
    assert_eq!(asked(&code, "AccountId"), Ok(Plain::Nil), "left to the host");
    let code = "mercadobitcoin.OrderList({ pair = 'btc_brl', since = 1760000000 })";
    assert_eq!(asked(code, "pair"), Ok(Plain::text("btc_brl")));
    assert_eq!(asked("flowbtc.GetProducts({})", "OMSId"), Ok(Plain::Nil));
    assert_eq!(asked("mercadobitcoin.getInfo(nil)", "x"), Ok(Plain::Nil));
}

#[test]
fn lists_of_objects_are_taken_field_by_field() {
    let position = "ticket = 't1', symbol = 'BTCBRL', type = 'buy', volume = 0.5, open_price = '1', current_price = 2, profit = -1.25, open_time = '2026-11-21 08:00:00'";
    let code =
        format!("sentra.positions({{ account_number = '1', positions = {{ {{ {position} }} }} }})");
    let Ok(Plain::List(rows)) = asked(&code, "positions") else { panic!("no list") };
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get("volume"), Some(&Plain::Decimal(Decimal::new(5, 1))));
    assert_eq!(rows[0].get("profit"), Some(&Plain::Decimal(Decimal::new(-125, 2))));
    assert_eq!(rows[0].get("ticket"), Some(&Plain::text("t1")));
    assert_eq!(rows[0].get("swap"), None, "left out");
    let none = "sentra.positions({ account_number = '1', positions = {} })";
    assert_eq!(asked(none, "positions"), Ok(Plain::List(vec![])));
}

/// Nothing is asked for, and the failure says why, naming the place.
fn check_refused(code: &str, expected: &str) {
    let (mut script, desk) = started(code);
    let message = &script.take_faults()[0].message;
    let fits = message.contains(": arguments: ") && message.ends_with(expected);
    assert!(fits, "{code}: {message}");
    assert_eq!(desk.borrow().asked.len(), 0, "{code}");
}

#[test]
fn wrong_fields_are_named() {
    let send = |fields: &str| format!("flowbtc.SendOrder({{ {SEND}, {fields} }})");
    let beat = |fields: &str| {
        format!("sentra.heartbeat({{ account_number = '1', balance = 1, equity = 1, {fields} }})")
    };
    for (code, expected) in [
        (send("Quantiy = 1"), "unknown field \"Quantiy\"; did you mean \"Quantity\"?"),
        (send("quantity = 1"), "unknown field \"quantity\"; did you mean \"Quantity\"?"),
        (send("limit_price = 1"), "unknown field \"limit_price\"; did you mean \"LimitPrice\"?"),
        (send("zzz = 1, Banana = 2"), "unknown field \"Banana\""),
        (send("5"), "it takes fields by name, not under 1"),
        (send("DisplayQuantity = 1"), "Quantity is missing"),
        ("flowbtc.CancelAllOrders()".into(), "InstrumentId is missing"),
        (
            "flowbtc.SendOrder({ Quantity = 1 })".into(),
            "InstrumentId, Side and OrderType are missing",
        ),
        ("mercadobitcoin.CancelOrder({})".into(), "pair and order_id are missing"),
        (beat("user_email = 'a@b.c'"), "the host fills in user_email itself"),
        (beat("leverage = 1.5"), "leverage is a whole number, not 1.5"),
        (beat("leverage = 'ten'"), "leverage is a whole number, not \"ten\""),
        (beat("leverage = ''"), "leverage is a whole number, not \"\""),
        (beat("leverage = true"), "leverage is a whole number, not a boolean"),
        (beat("leverage = 0 / 0"), "leverage is a whole number, not NaN"),
        (
            beat("platform = 'mt5'"),
            "platform is \"MT4\" or \"MT5\", not \"mt5\"; did you mean \"MT5\"?",
        ),
        (beat("platform = 5"), "platform is \"MT4\" or \"MT5\", not 5"),
        (beat("broker = 5"), "broker is a string, not a number; write \"5\""),
        (beat("broker = '\\xff'"), "broker is a string that is not UTF-8"),
        (beat("broker = {}"), "broker is a string, not a table"),
        (send("Quantity = 'x'"), "Quantity: `x` is not an exact decimal: it is not a number"),
        (send("Quantity = {}"), "Quantity: a table is no amount of money"),
        (send("Quantity = 1 / 0"), "Quantity: inf is no amount of money"),
        (
            send("Quantity = 1, UseDisplayQuantity = 1"),
            "UseDisplayQuantity is true or false, not 1",
        ),
        (
            "flowbtc.CancelOrder({ OrderId = 2 ^ 53 + 2 })".into(),
            "OrderId is 9007199254740994 as a number, which is not exact; write it as a string",
        ),
        (
            "flowbtc.CancelOrder({ OrderId = 1e300 })".into(),
            "which is not exact; write it as a string",
        ),
        (
            "flowbtc.CancelOrder({ OrderId = '9223372036854775808' })".into(),
            "OrderId does not fit 64 bits: 9223372036854775808",
        ),
        (
            "mercadobitcoin.Trade({ pair = 'btc-brl', type = 'buy', volume = 1, price = 1 })"
                .into(),
            "pair is \"btc_brl\" or \"ltc_brl\", not \"btc-brl\"; did you mean \"btc_brl\"?",
        ),
    ] {
        check_refused(&code, expected);
    }
}

#[test]
fn wrong_lists_and_forms_of_a_call_are_named() {
    let row = |fields: &str| {
        format!(
            "local p = {{ ticket = 't', symbol = 's', type = 'buy', volume = 1, open_price = 1, current_price = 1, profit = 1, open_time = '' }}
            local q = table.clone(p) {fields}
            sentra.positions({{ account_number = '1', positions = {{ p, q }} }})"
        )
    };
    for (code, expected) in [
        (
            row("q.volume = 'x'"),
            "positions[2].volume: `x` is not an exact decimal: it is not a number",
        ),
        (row("q.volume = nil"), "positions[2].volume is missing"),
        (row("q.tiket = 1"), "unknown field \"positions[2].tiket\"; did you mean \"ticket\"?"),
        (row("q[1] = 1"), "positions[2] takes fields by name, not under 1"),
        (row("q = 5"), "positions[2] is a table of fields, not 5"),
        (
            "sentra.trades({ account_number = '1', trades = 'all' })".into(),
            "trades is a list of tables, not \"all\"",
        ),
        (
            "sentra.trades({ account_number = '1', trades = { x = {} } })".into(),
            "trades is a list: its elements stand under 1, 2, 3 and so on",
        ),
        (
            "sentra.trades({ account_number = '1', trades = table.create(10001, {}) })".into(),
            "trades has 10001 elements; at most 10000 here",
        ),
        ("flowbtc.GetProduct({})".into(), "ProductId or Symbol is missing"),
        (
            "flowbtc.CancelOrder({ OrderId = 1, ClOrderId = 2 })".into(),
            "give only one of OrderId and ClOrderId",
        ),
        ("flowbtc.Ping(1)".into(), "it takes one table, not a number"),
        ("flowbtc.Ping({}, {})".into(), "it takes one table, not 2 values"),
        ("flowbtc:Ping()".into(), "call it with a dot: flowbtc.Ping({ … })"),
    ] {
        check_refused(&code, expected);
    }
}

proptest::proptest! {
    /// FLOW-F29: any id crosses as it is written; a number only where it is exact.
    #[test]
    fn ids_cross_exactly_or_not_at_all(id: i64, small in -(1i64 << 53)..=1 << 53, any: f64) {
        let lua = mlua::Lua::new();
        let call = crate::calls::find("flowbtc", "GetOrderStatus").unwrap();
        let take = |value: mlua::Value| {
            let table = lua.create_table().unwrap();
            table.raw_set("OrderId", value).unwrap();
            super::super::arguments::checked(call, &mlua::Value::Table(table))
        };
        let text = mlua::Value::String(lua.create_string(id.to_string()).unwrap());
        proptest::prop_assert_eq!(take(text), Ok(vec![("OrderId", Plain::Int(id))]));
        #[allow(clippy::cast_precision_loss, reason = "in a double's exact range")]
        let number = mlua::Value::Number(small as f64);
        proptest::prop_assert_eq!(take(number), Ok(vec![("OrderId", Plain::Int(small))]));
        let whole = any.fract() == 0.0 && any.abs() <= 9_007_199_254_740_992.0;
        proptest::prop_assert_eq!(take(mlua::Value::Number(any)).is_ok(), whole);
    }
}

#[test]
fn argument_mistakes_are_failures_too() {
    let (mut script, desk) = started(
        "local ok, e = pcall(flowbtc.SendOrder, { Quantiy = 1 }) ctx.log:info(`{ok} {e.kind} {e.outcome} {e.call}`)
        flowbtc.SendOrder({ Quantiy = 1 })",
    );
    assert_eq!(desk.borrow_mut().logged(), ["false arguments refused SendOrder"]);
    let fault = &script.take_faults()[0];
    assert_eq!(
        (fault.file.as_str(), fault.line, fault.handler.as_str()),
        ("s.luau", 4, "on_start")
    );
    assert_eq!(fault.column, 29, "the word that the message quotes");
}

#[test]
fn unknown_calls_and_fields_are_found_in_the_source() {
    use super::super::api::uses;
    let text = "local s = {}
function s.on_timer(ctx)
	flowbtc.SendOder({})
	local ok = pcall(flowbtc.SendOrder, { Quantiy = 1, Side = f({ A = 1, b }) })
	sentra.positions({ positions = { { tiket = 1, volume = { x = 1 } }, [2] = { symbl = '' } }, user_email = 1 })
	flowbtc:Ping() -- flowbtc.Nothing
	local text = 'flowbtc.Nothing' .. x.flowbtc.Nothing
	mercadobitcoin.day_summary{ coin = 'BTC', yaer = 2026, }
	f(flowbtc.ping, { a = 1 })
end
return s
";
    let shown: Vec<String> =
        uses(text).into_iter().map(|u| format!("{}:{} {}", u.line, u.column, u.message)).collect();
    assert_eq!(
        shown,
        [
            "3:10 there is no flowbtc.SendOder; did you mean \"SendOrder\"?",
            "4:40 flowbtc.SendOrder: unknown field \"Quantiy\"; did you mean \"Quantity\"?",
            "5:37 sentra.positions: unknown field \"tiket\"; did you mean \"ticket\"?",
            "5:78 sentra.positions: unknown field \"symbl\"; did you mean \"symbol\"?",
            "5:94 sentra.positions: the host fills in user_email itself",
            "6:10 flowbtc:Ping is called with a dot: flowbtc.Ping",
            "8:44 mercadobitcoin.day_summary: unknown field \"yaer\"; did you mean \"year\"?",
        ]
    );
    // A name of the script's own is not the venue.
    for own in ["local sentra = require('./x')", "function f(a, sentra: any) end"] {
        assert_eq!(uses(&format!("{own}\nsentra.anything()")), []);
    }
}

#[test]
fn a_candidate_tells_which_venues_it_mentions() {
    for (text, expected) in [
        ("return { subscribe = 'trades flowbtc:BTCBRL' }", ""),
        ("-- flowbtc.Ping()\n--[[ sentra ]] return [[mercadobitcoin]]", ""),
        ("local my_flowbtc, flowbtcs = 1, x.sentra_y", ""),
        ("flowbtc.Ping()", "flowbtc"),
        ("local mb = mercadobitcoin\nmb.getInfo()", "mercadobitcoin"),
        ("local x = `it's {sentra.heartbeat({})}`", "sentra"),
        ("local all = _G", "flowbtc mercadobitcoin sentra"),
        ("local x = \"unfinished\nflowbtc.Ping()", "flowbtc"),
    ] {
        let candidate = graph::single("s.luau", text).unwrap();
        let venues: Vec<&str> = candidate.venues_called().into_iter().collect();
        assert_eq!(venues.join(" "), expected, "{text}");
    }
}
