//! FlowBTC's calls: every one answers, and fails as its row documents.

use super::bench::{Engine, Row, Who, begin, misshapen, serve};
use lunario::base::Secret;
use lunario::calls::{self, Call, CallError, Retry, flowbtc};
use lunario::edge::clock;
use lunario::run::venue::accounts;
use lunario::venue::sign;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCRIPT: &str = concat!(include_str!("common.luau"), include_str!("flowbtc.luau"));

/// Makes these calls together on a venue and an engine of their own, each under its fault.
fn run(calls: &[&'static Call], fault: impl Fn(&Call) -> Value) -> Vec<Row> {
    let served = serve(Vec::new());
    let names: Vec<&str> = calls.iter().map(|call| call.name).collect();
    let faults: Vec<Value> =
        calls.iter().map(|call| fault(call)).filter(|fault| !fault.is_null()).collect();
    let plan = [("calls", names.join(","))];
    let plan: Vec<(&str, &str)> = plan.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut engine = Engine::start(&served, &Who::default(), SCRIPT, &plan);
    engine.line(&["ready"]);
    begin(&served, "begin", &faults);
    let rows = engine.results();
    assert_eq!(rows.len(), calls.len(), "{rows:#?}");
    rows
}

/// The same, with SetUserInfo by itself: it asks GetUserInfo first, whose fault is not its own.
fn run_apart(calls: &[&'static Call], fault: impl Fn(&Call) -> Value) -> Vec<Row> {
    let is_apart = |call: &&Call| call.name == flowbtc::SET_USER_INFO.name;
    let (apart, together): (Vec<&'static Call>, Vec<&'static Call>) =
        calls.iter().copied().partition(|call| is_apart(call));
    let mut rows = run(&together, &fault);
    if !apart.is_empty() {
        rows.extend(run(&apart, &fault));
    }
    rows
}

fn fault(call: &Call, what: &str, text: &str) -> Value {
    json!({"venue": "flowbtc", "on": call.name, "every": 1, "what": what, "text": text})
}

/// A call over HTTP that no script can make: the session logs in on its socket.
fn is_prevented(call: &Call) -> bool {
    call.name == flowbtc::AUTHENTICATE.name
}

/// Logins change what the others meet.
fn is_login(call: &Call) -> bool {
    call.grant && call.reply != lunario::calls::Reply::Receipt && !call.auth
        || call.name == "LogOut"
}

#[test]
fn every_call_answers_as_documented() {
    let calls: Vec<&Call> = flowbtc::FLOWBTC.iter().filter(|call| !is_login(call)).collect();
    let mut wrong = Vec::new();
    for row in run(&calls, |_| Value::Null) {
        let call = flowbtc::find(&row.call()).unwrap();
        if row.failure() != "ok" {
            wrong.push(format!("{}: {}", row.call(), row.text("told")));
        } else if let Some(why) = misshapen(call, row.0.get("reply").unwrap()) {
            wrong.push(format!("{}: {why}", row.call()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A documented error in the venue's generic object (FLOW-R09).
fn generic(error: &CallError) -> String {
    json!({"result": false, "errormsg": error.text, "errorcode": error.code, "detail": null})
        .to_string()
}

/// Calls that may have traded, moved money or changed something.
fn is_risky(call: &Call) -> bool {
    matches!(call.retry, Retry::Never | Retry::Human | Retry::Fresh)
}

fn documented(of: &str) -> (Vec<&'static Call>, &'static CallError) {
    let rows = || flowbtc::FLOWBTC.iter().filter(|call| !is_prevented(call));
    let has = |call: &&'static Call| call.errors.iter().any(|error| error.text == of);
    let calls: Vec<&Call> = rows().filter(has).collect();
    let error = calls[0].errors.iter().find(|error| error.text == of).unwrap();
    (calls, error)
}

/// The documented errors that come as the generic object, or as words alone.
const TEXTS: [&str; 8] = [
    "Already Subscribed.",
    "Invalid Request",
    "Operation Failed",
    "Not_Enough_Funds",
    "Resource Not Found",
    "Server Error",
    "Operation Not Supported",
    "TOO MANY REQUESTS",
];

#[test]
fn every_documented_error_is_provoked() {
    let apart = ["Not Authorized", "Invalid username or password"];
    for call in flowbtc::FLOWBTC {
        for error in call.errors {
            let known = TEXTS.contains(&error.text) || apart.contains(&error.text);
            assert!(known, "{}: nothing provokes {error:?}", call.name);
        }
    }
    // Those of the login over HTTP are the host's to prevent: see `HONEST`.
    let prevented: Vec<&str> =
        calls::all().filter(|call| is_prevented(call)).map(|call| call.contract).collect();
    assert_eq!(prevented, ["FLOW-X06"]);
}

#[test]
fn every_call_fails_as_documented() {
    let mut wrong = Vec::new();
    for text in TEXTS {
        let (calls, error) = documented(text);
        let words = if error.code.is_some() { generic(error) } else { error.text.to_owned() };
        for row in run_apart(&calls, |call| fault(call, "error", &words)) {
            let expected = expected(flowbtc::find(&row.call()).unwrap(), error);
            if row.failure() != expected {
                wrong.push(format!(
                    "{}: {text}: {} is not {expected}",
                    row.call(),
                    row.text("told")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn expected(call: &Call, error: &CallError) -> String {
    match error.code {
        None => "rate_limited - refused 10".to_owned(),
        Some(106) if call.switch.is_some() => "no_venue - refused -".to_owned(),
        Some(102) if is_risky(call) => "rejected 102 unknown -".to_owned(),
        Some(code) => format!("rejected {code} refused -"),
    }
}

/// After code 20 the session logs in again, so each call has an engine of its own.
#[test]
fn calls_that_are_not_authorized_say_so() {
    let (calls, error) = documented("Not Authorized");
    assert!(calls.iter().all(|call| call.auth));
    let words = generic(error);
    let fails = |call: &&'static Call| {
        let rows = run(&[*call], |call| fault(call, "error", &words));
        (rows[0].failure() != expected(call, error)).then(|| rows[0].0.json())
    };
    let wrong: Vec<String> = calls.iter().filter_map(fails).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// FLOW-P07: a login that is none is a reply like any other.
#[test]
fn logins_are_refused_in_the_venue_s_words() {
    let (calls, error) = documented("Invalid username or password");
    let words =
        json!({"Authenticated": false, "Locked": false, "errormsg": error.text}).to_string();
    for row in run(&calls, |call| fault(call, "plain_text", &words)) {
        assert_eq!(row.failure(), "rejected - refused -", "{row:?}");
        let told = format!("flowbtc.{}: rejected: {}", row.call(), error.text);
        assert_eq!(row.text("told"), told);
    }
}

/// What is no generic object: (what the venue does, its text, the failure of a call that is safe to
/// repeat and of one that is not).
#[test]
fn words_without_a_form_are_failures_too() {
    for (what, text, safe, risky) in [
        ("error", "Something broke", "rejected - refused -", "rejected - refused -"),
        ("plain_text", "Something broke", "rejected - refused -", "rejected - unknown -"),
        ("not_found", "", "rejected - refused -", "rejected - refused -"),
        (
            "plain_text",
            "<html><h1>503 Service Unavailable</h1></html>",
            "unavailable - refused -",
            "unavailable - unknown -",
        ),
    ] {
        let calls: Vec<&Call> = flowbtc::FLOWBTC.iter().filter(|call| !is_login(call)).collect();
        let mut wrong = Vec::new();
        let rows = run_apart(&calls, |call| {
            let mut fault = fault(call, what, text);
            if text.is_empty() {
                fault.as_object_mut().unwrap().remove("text");
            }
            fault
        });
        for row in rows {
            let call = flowbtc::find(&row.call()).unwrap();
            let expected = match call.switch {
                Some(_) if what == "not_found" => "no_venue - refused -",
                _ if is_risky(call) => risky,
                _ => safe,
            };
            if row.failure() != expected {
                wrong.push(format!(
                    "{} {what}: {} is not {expected}",
                    row.failure(),
                    row.text("told")
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// (what the script does, the failure, a part of its message)
const HONEST: &[(&str, &str, &str)] = &[
    ("no instrument", "rejected 100 refused -", "Invalid InstrumentId: 10000"),
    ("no symbol", "rejected 100 refused -", "Invalid Symbol: XYZBRL"),
    ("no interval", "rejected 100 refused -", "Unsupported Ticker Interval"),
    ("no product", "rejected 104 refused -", "Resource Not Found"),
    ("no order to look at", "rejected 104 refused -", "Resource Not Found"),
    ("no order to cancel", "rejected 104 refused -", "Resource Not Found"),
    ("no money", "rejected 101 refused -", "Not_Enough_Funds"),
    ("stop in the market", "rejected 106 refused -", "Operation Not Supported"),
    ("no money to send", "rejected 101 refused -", "Not_Enough_Funds"),
    ("not a trusted address", "not_granted - refused -", "not on the list"),
    ("login over REST", "no_venue - refused -", "over HTTP"),
    ("an order of nobody", "arguments - refused -", "no open order of this run"),
    ("a replacement of nobody", "arguments - refused -", "no open order of this run"),
    ("an instrument of nobody", "arguments - refused -", "no instrument is number 10000"),
    ("a misspelt field", "arguments - refused -", "InstrumentId"),
    ("a missing field", "arguments - refused -", "InstrumentId"),
    ("a wrong code", "rejected - refused -", "Invalid username or password"),
    ("another user", "arguments - refused -", "not the logged-in user's"),
    ("another account", "rejected 20 refused -", "Not Authorized"),
];

#[test]
fn the_venue_s_own_reasons_reach_the_script() {
    let script = concat!(include_str!("common.luau"), include_str!("honest.luau"));
    let served = serve(Vec::new());
    honest(&Engine::start(&served, &Who::default(), script, &[]).results(), HONEST);
}

/// Holds what a script saw against the expected failures.
pub fn honest(rows: &[Row], expected: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (row, (what, failure, part)) in rows.iter().zip(expected) {
        assert_eq!(row.call(), *what);
        if row.failure() != *failure || !row.text("message").contains(part) {
            wrong.push(format!("{what}: {} is not {failure}: {}", row.failure(), row.text("told")));
        }
    }
    assert!(rows.len() == expected.len() && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The logins that a grant gives to a script: by password, by key, and out again; what comes after
/// is answered as if nothing had been.
const LOGINS: &str = r#"
local strategy = { subscribe = { "trades flowbtc:XRPBRL" } }
function strategy.on_start(ctx)
	try(ctx, "WebAuthenticateUser", flowbtc.WebAuthenticateUser)
	try(ctx, "AuthenticateUser", flowbtc.AuthenticateUser)
	try(ctx, "LogOut", flowbtc.LogOut)
	try(ctx, "GetUserInfo", flowbtc.GetUserInfo)
	ctx.log:info("done")
end
return strategy
"#;

/// FLOW-P09: the session has a password and no secret for codes: it waits for one. The strategy
/// starts with the venue of its market, which is another.
const SECOND_STEP: &str = r#"
local strategy = {
	subscribe = { "trades mercadobitcoin:BTCBRL" },
	params = { code = { default = "" } },
}
function strategy.on_start(ctx)
	try(ctx, "Authenticate2FA", flowbtc.Authenticate2FA, { Code = ctx.params.code })
	try(ctx, "WebAuthenticateUser", flowbtc.WebAuthenticateUser)
	try(ctx, "GetUserInfo", flowbtc.GetUserInfo)
	ctx.log:info("done")
end
return strategy
"#;

#[test]
fn logins_answer_as_documented() {
    let common = include_str!("common.luau");
    let second = Who { second: true, ..Who::default() };
    let step = clock::now().millis() / 30_000;
    let secret = Secret::new(accounts::FLOWBTC_SECOND_TOTP);
    let code = sign::one_time_code(&secret, step).unwrap();
    for (script, who) in [(LOGINS, Who::default()), (SECOND_STEP, second)] {
        let served = serve(Vec::new());
        let script = format!("{common}{script}");
        let params = [("code", code.expose())];
        let mut seen = BTreeSet::new();
        for row in Engine::start(&served, &who, &script, &params).results() {
            let call = flowbtc::find(&row.call()).unwrap();
            assert_eq!(row.failure(), "ok", "{row:?}");
            let wrong = misshapen(call, row.0.get("reply").unwrap());
            assert_eq!(wrong, None, "{}", call.name);
            seen.insert(call.name);
        }
        let logins = calls::all().filter(|call| is_login(call) && !is_prevented(call));
        let missing: Vec<&str> =
            logins.map(|call| call.name).filter(|name| !seen.contains(name)).collect();
        let of_the_second = seen.contains("Authenticate2FA");
        let expected = if of_the_second {
            vec!["LogOut", "AuthenticateUser"]
        } else {
            vec!["Authenticate2FA"]
        };
        assert_eq!(missing, expected);
    }
}
