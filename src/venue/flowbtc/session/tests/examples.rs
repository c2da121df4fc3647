//! The page's own examples (FLOW-G01 to G29) and the vectors about frames and scope: every reply
//! as a raw call gets it, every request as a raw call makes it.

use super::*;
use crate::base::{Call, CallAsk, CallId, Plain};
use crate::calls::{By, Kind, flowbtc as table};
use crate::venue::flowbtc::payload::{Login, OrderRow, refusal};
use crate::venue::flowbtc::session::replies;
use crate::venue::flowbtc::wire::{self, Fields};
use crate::venue::reply;
use proptest::prelude::*;

macro_rules! vectors {
    ($($id:literal)*) => {
        [$(($id, include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"), "/tests/vectors/flowbtc/", $id, ".json"
        )))),*]
    };
}

const EXAMPLES: [(&str, &str); 29] = vectors!(
    "FLOW-G01" "FLOW-G02" "FLOW-G03" "FLOW-G04" "FLOW-G05" "FLOW-G06" "FLOW-G07" "FLOW-G08"
    "FLOW-G09" "FLOW-G10" "FLOW-G11" "FLOW-G12" "FLOW-G13" "FLOW-G14" "FLOW-G15" "FLOW-G16"
    "FLOW-G17" "FLOW-G18" "FLOW-G19" "FLOW-G20" "FLOW-G21" "FLOW-G22" "FLOW-G23" "FLOW-G24"
    "FLOW-G25" "FLOW-G26" "FLOW-G27" "FLOW-G28" "FLOW-G29"
);

/// Call, request and reply of an example.
fn example(id: &str) -> (&'static calls::Call, &'static str, &'static str) {
    let (_, text) = EXAMPLES.iter().find(|(name, _)| *name == id).unwrap();
    let fields = Fields::read(text).unwrap();
    let call = table::find(&fields.text("call").unwrap()).unwrap();
    (call, fields.raw("request").unwrap(), fields.raw("reply").unwrap())
}

use crate::calls;

fn ids() -> impl Iterator<Item = &'static str> {
    EXAMPLES.iter().map(|(id, _)| *id)
}

#[test]
fn every_reply_is_one() {
    for id in ids() {
        let (call, _, body) = example(id);
        let outcome = replies::outcome(call, body, refusal(body).as_ref());
        assert!(outcome.is_ok(), "{id} {}: {outcome:?}", call.name);
    }
}

/// What a script reads, example by example: a path into the reply and its value there.
#[test]
fn replies_as_scripts_get_them() {
    let int = Plain::Int;
    let text = |text: &str| Plain::text(text);
    let dec = |text: &str| Plain::Decimal(d(text));
    let yes = Plain::Bool(true);
    let big = "9222816249026513000";
    for (id, path, value) in [
        ("FLOW-G01", "msg", text("PONG")),
        ("FLOW-G02", "BestBid", dec("24280.08")),
        ("FLOW-G02", "SessionHigh", int(27100)),
        ("FLOW-G03", "0.6", dec("60727.05")),
        ("FLOW-G03", "0.0", text("3300312")),
        ("FLOW-G04", "Authenticated", yes.clone()),
        ("FLOW-G04", "UserId", int(1)),
        ("FLOW-G05", "result", yes.clone()),
        ("FLOW-G06", "0.2", dec("0.01")),
        ("FLOW-G06", "0.4", text(big)),
        ("FLOW-G06", "0.5", text(big)),
        ("FLOW-G07", "result", yes.clone()),
        ("FLOW-G08", "0.0", int(1_468_896_617_000)),
        ("FLOW-G08", "0.6", dec("674.18")),
        ("FLOW-G09", "errorcode", int(0)),
        ("FLOW-G10", "Authenticated", yes.clone()),
        ("FLOW-G11", "result", yes.clone()),
        ("FLOW-G12", "0.5", dec("0.4")),
        ("FLOW-G13", "DecimalPlaces", int(9)),
        ("FLOW-G14", "0.Product", text("BTCBRL")),
        ("FLOW-G15", "EmailVerified", yes.clone()),
        ("FLOW-G16", "AccountId", int(4)),
        ("FLOW-G17", "OMSID", int(1)),
        ("FLOW-G17", "AffiliateId", Plain::Nil),
        ("FLOW-G18", "0.TradeId", text("230")),
        ("FLOW-G18", "0.TradeTime", int(635_978_015_145_675_000)),
        ("FLOW-G19", "requestcode", text("special code for future use")),
        ("FLOW-G20", "result", yes),
        ("FLOW-G21", "OrderId", text("123")),
        ("FLOW-G21", "status", text("Accepted")),
        ("FLOW-G23", "status", text("Processing")),
        ("FLOW-G24", "status", text("Processing")),
        ("FLOW-G25", "status", text("Processing")),
        ("FLOW-G26", "OrderId", text("9849")),
        ("FLOW-G26", "QuantityExecuted", dec("0.71")),
        ("FLOW-G27", "OrderFee", int(0)),
        ("FLOW-G28", "0.OrigOrderId", text("9849")),
        ("FLOW-G29", "0.Quantity", dec("0.29")),
    ] {
        let (call, _, body) = example(id);
        let reply = replies::outcome(call, body, None).unwrap();
        assert_eq!(at(&reply, path), Some(&value), "{id} {path}: {reply:?}");
    }
}

fn at<'a>(reply: &'a Plain, path: &str) -> Option<&'a Plain> {
    path.split('.').try_fold(reply, |value, step| match (value, step.parse::<usize>()) {
        (Plain::List(items), Ok(place)) => items.get(place),
        (value, _) => value.get(step),
    })
}

#[test]
fn no_example_shows_a_token_or_an_email() {
    for id in ids() {
        let (call, _, body) = example(id);
        let reply = replies::outcome(call, body, None).unwrap();
        let told = replies::cleaned(reply, &|text| text).json();
        for secret in ["7d0ccf3a", "abc@ap.com", "PasswordHash", "PendingEmailCode\""] {
            assert!(!told.contains(secret), "{id} {told}");
        }
    }
}

/// The fields of an example's request as a script would give them.
fn given(call: &calls::Call, request: &str) -> CallAsk {
    let fields = Fields::read(request).unwrap();
    let arg = |field: &calls::Field| {
        let raw = fields.raw(field.name).filter(|_| field.by != By::Host)?;
        let value = match (field.kind, reply::plain(raw).unwrap()) {
            (Kind::Int | Kind::Id, Plain::Text(text)) => Plain::Int(text.parse().unwrap()),
            (_, value) => value,
        };
        Some((field.name, value))
    };
    let args = call.args.iter().filter_map(arg).collect();
    CallAsk { venue: VenueName::new("flowbtc"), name: call.name, args }
}

/// Keys with their values as written, in the order of their names.
fn keys(body: &str) -> Vec<(String, String)> {
    let Plain::Map(pairs) = reply::plain(body).unwrap() else { panic!("{body}") };
    let mut keys: Vec<_> =
        pairs.into_iter().map(|(key, value)| (key.json(), value.json())).collect();
    keys.sort();
    keys
}

#[test]
fn every_request_that_a_script_makes_by_itself_is_the_pages() {
    for id in ids() {
        let (call, request, _) = example(id);
        let made_otherwise = [
            // Orders go the engine's way: `request/tests.rs`.
            "FLOW-G21", "FLOW-G22", "FLOW-G23", // The session's own credentials.
            "FLOW-G04",
        ];
        if made_otherwise.contains(&id) {
            continue;
        }
        let ask = given(call, request);
        let mut config = config();
        config.account = ask.int("AccountId").filter(|account| *account != 0).or(config.account);
        let mut rig = Rig::new(config);
        rig.log_in();
        rig.command(Command::Call(Call { id: CallId(1), ask, order: None }));
        if id == "FLOW-G16" {
            rig.reply("GetUserInfo", example("FLOW-G15").2);
        }
        if id == "FLOW-G24" {
            assert_eq!(rig.why(1), ("arguments", None, "refused"), "FLOW-F14: 0 is absent");
            continue;
        }
        let mut expected = keys(request);
        match id {
            // FLOW-F11: seconds as an integer.
            "FLOW-G08" | "FLOW-G12" => {
                let interval = expected.iter_mut().find(|(key, _)| key == "\"Interval\"").unwrap();
                interval.1 = "60".to_owned();
            }
            // FLOW-P18: account and instrument are the scope.
            "FLOW-G25" => expected.retain(|(key, _)| key != "\"UserId\""),
            _ => {}
        }
        assert_eq!(keys(rig.last(call.name)), expected, "{id} {}", call.name);
    }
}

#[test]
fn flow_t08_a_login_in_its_frame() {
    let body = r#"{"UserName":"u","Password":"p"}"#;
    assert_eq!(
        wire::request(2, "WebAuthenticateUser", body),
        r#"{"m":0,"i":2,"n":"WebAuthenticateUser","o":"{\"UserName\":\"u\",\"Password\":\"p\"}"}"#
    );
    let answer = r#"{"m":1,"i":2,"n":"WebAuthenticateUser","o":"{\"Authenticated\":true,\"SessionToken\":\"7d0ccf3a-ae63-44f5-a409-2301d80228bc\",\"UserId\":1}"}"#;
    let frame = Frame::read(answer).unwrap();
    let login = Login::read(&frame.body).unwrap();
    assert!(login.authenticated && login.user == Some(1));
    assert_eq!(login.token.unwrap().expose(), "7d0ccf3a-ae63-44f5-a409-2301d80228bc");
}

#[test]
fn flow_t09_the_day_of_the_level1_example_adds_up() {
    let (call, _, body) = example("FLOW-G02");
    let reply = replies::outcome(call, body, None).unwrap();
    let value = |key: &str| match at(&reply, key) {
        Some(Plain::Decimal(value)) => *value,
        Some(Plain::Int(whole)) => (*whole).into(),
        other => panic!("{key}: {other:?}"),
    };
    assert_eq!(value("CurrentDayPxChange"), value("LastTradedPx") - value("SessionClose"));
    assert_eq!(value("Volume"), value("LastTradedQty"));
}

#[test]
fn flow_t10_an_orders_quantity_is_what_is_left() {
    let (_, _, body) = example("FLOW-G26");
    let row = OrderRow::read(body).unwrap();
    assert_eq!(row.qty.unwrap(), row.executed + row.remaining.unwrap());
}

/// What a script might write for the scope of a cancel.
fn scope() -> impl Strategy<Value = Vec<(&'static str, Plain)>> {
    let key = prop_oneof![
        Just("AccountId"),
        Just("InstrumentId"),
        Just("IntrumentId"),
        Just("instrumentid"),
        Just("OMSId"),
        Just("UserId"),
    ];
    let value = prop_oneof![
        (0i64..10).prop_map(Plain::Int),
        Just(Plain::Nil),
        Just(Plain::text("1")),
        Just(Plain::Bool(true)),
    ];
    prop::collection::vec((key, value), 0..5)
}

proptest! {
    /// FLOW-T12, FLOW-P18: whatever is asked, a cancel-all that leaves names one account and one
    /// instrument, well spelt and once, and nothing else that widens it.
    #[test]
    fn flow_t12_no_cancel_all_without_its_scope(args in scope(), known in any::<bool>()) {
        let mut rig = Rig::live();
        rig.raw(1, "CancelAllOrders", &args);
        let instrument = if known { Some(BTC) } else { None };
        rig.command(Command::CancelAll { instrument });
        for asked in rig.log.iter().filter(|asked| asked.name == "CancelAllOrders") {
            let names: Vec<String> = keys(&asked.body).into_iter().map(|(key, _)| key).collect();
            prop_assert_eq!(names, [r#""AccountId""#, r#""InstrumentId""#, r#""OMSId""#]);
            let fields = Fields::read(&asked.body).unwrap();
            prop_assert!(fields.int("AccountId").unwrap() > 0);
            prop_assert!(fields.int("InstrumentId").unwrap() > 0);
        }
        prop_assert!(rig.count("CancelAllOrders") >= 1);
    }
}
