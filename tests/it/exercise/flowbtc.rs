//! FlowBTC's calls: every one answers, and fails as its row documents.

use super::bench::{Engine, Told1, Who, begin, misshapen, serve};
use lunario::calls::{Call, CallError, Retry, flowbtc};
use serde_json::{Value, json};

const SCRIPT: &str = concat!(include_str!("common.luau"), include_str!("flowbtc.luau"));

/// Makes these calls together on a venue and an engine of their own, each under its fault.
fn run(calls: &[&'static Call], fault: impl Fn(&Call) -> Value) -> Vec<Told1> {
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

fn fault(call: &Call, what: &str, text: &str) -> Value {
    json!({"venue": "flowbtc", "on": call.name, "every": 1, "what": what, "text": text})
}

/// A call over HTTP that no script can make: the session logs in on its socket.
fn is_prevented(call: &Call) -> bool {
    call.name == flowbtc::AUTHENTICATE.name
}

/// Logins change what the others meet.
fn is_login(call: &Call) -> bool {
    call.grant && call.reply != lunario::calls::Reply::Receipt && !call.auth || call.name == "LogOut"
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

#[test]
fn every_call_fails_as_documented() {
    let texts = [
        "Invalid Request",
        "Operation Failed",
        "Not_Enough_Funds",
        "Resource Not Found",
        "Server Error",
        "Operation Not Supported",
        "TOO MANY REQUESTS",
    ];
    let mut wrong = Vec::new();
    for text in texts {
        let (calls, error) = documented(text);
        let words = if error.code.is_some() { generic(error) } else { error.text.to_owned() };
        for row in run(&calls, |call| fault(call, "error", &words)) {
            let expected = expected(flowbtc::find(&row.call()).unwrap(), error);
            if row.failure() != expected {
                wrong.push(format!("{}: {text}: {} is not {expected}", row.call(), row.text("told")));
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
