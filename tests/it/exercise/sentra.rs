//! Sentra's calls: each answers, and fails as documented. An engine per error, all at the same
//! time: an error that is tried again takes three seconds.

use super::bench::{Engine, Row, Who, begin, misshapen, serve};
use lunario::base::Secret;
use lunario::calls::{Call, CallError, sentra as table};
use lunario::simulator::sentra::User;
use serde_json::{Value, json};

const SCRIPT: &str = concat!(include_str!("common.luau"), include_str!("sentra.luau"));

/// What the venue does, and the values that go with it.
type Mishap = (&'static str, Value);

const WITHOUT: &str = "without-subscription@example.com";
const FULL: &str = "full-subscription@example.com";
const STRANGER: &str = "stranger@example.com";

fn users() -> Vec<User> {
    let user = |id, email: &str, accounts| User { id, email: Secret::new(email), accounts };
    vec![user(2, WITHOUT, None), user(3, FULL, Some(0))]
}

fn run(calls: &[&Call], who: &'static str, fault: Option<Mishap>) -> Vec<Row> {
    let served = serve(users());
    let names: Vec<&str> = calls.iter().map(|call| call.name).collect();
    let names = names.join(",");
    let who = Who { sentra: who, ..Who::default() };
    let mut engine = Engine::start(&served, &who, SCRIPT, &[("calls", &names)]);
    engine.line(&["ready"]);
    let faults: Vec<Value> = fault
        .iter()
        .flat_map(|(what, more)| {
            calls.iter().map(move |call| {
                let mut fault = json!({"venue": "sentra", "on": call.name, "what": what});
                let more = more.as_object().into_iter().flatten();
                fault.as_object_mut().unwrap().extend(more.map(|(k, v)| (k.clone(), v.clone())));
                fault
            })
        })
        .collect();
    begin(&served, "begin", &faults);
    engine.results()
}

/// Who provokes a documented error, with which fault, and how the script sees it; `None` where the
/// host keeps the script from it.
fn provoked(error: &CallError) -> Option<(&'static str, Option<Mishap>, &'static str)> {
    let own = Who::default().sentra;
    Some(match (error.code.unwrap(), error.text) {
        (400, _) => return None,
        (403, "Assinatura necessária") => (WITHOUT, None, "rejected 403 refused -"),
        (403, _) => (FULL, None, "rejected 403 refused -"),
        // Without a heartbeat of this run there is no account; the host sends none by itself.
        (404, "Conta não encontrada. Envie heartbeat primeiro.") => return None,
        (404, _) => (STRANGER, None, "rejected 404 refused -"),
        (429, _) => (own, Some(("too_many", json!({}))), "rate_limited 429 refused 4"),
        (500, _) => {
            (own, Some(("error", json!({"text": "Erro interno"}))), "rejected 500 unknown -")
        }
        (502, _) => (own, Some(("html", json!({"status": 502}))), "unavailable 502 unknown -"),
        (code, text) => panic!("{code} {text} is documented, and nothing provokes it here"),
    })
}

#[test]
fn every_call_answers_and_fails_as_documented() {
    let mut threads = vec![std::thread::spawn(|| {
        let calls: Vec<&Call> = table::SENTRA.iter().collect();
        let rows = run(&calls, Who::default().sentra, None);
        assert_eq!(rows.len(), calls.len());
        for row in rows {
            let call = table::find(&row.call()).unwrap();
            assert_eq!(row.failure(), "ok", "{row:?}");
            assert_eq!(misshapen(call, row.0.get("reply").unwrap()), None, "{}", call.name);
        }
    })];
    let mut errors: Vec<&'static CallError> = Vec::new();
    for error in table::SENTRA.iter().flat_map(|call| call.errors) {
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    for error in errors {
        let Some((who, fault, expected)) = provoked(error) else { continue };
        threads.push(std::thread::spawn(move || {
            let calls: Vec<&Call> =
                table::SENTRA.iter().filter(|call| call.errors.contains(error)).collect();
            let rows = run(&calls, who, fault);
            assert_eq!(rows.len(), calls.len());
            for row in rows {
                assert_eq!(row.failure(), expected, "{error:?}: {row:?}");
                assert!(row.text("message").contains(error.text), "{error:?}: {row:?}");
            }
        }));
    }
    // 503 is documented with 502.
    threads.push(std::thread::spawn(|| {
        let calls: Vec<&Call> = table::SENTRA.iter().collect();
        let fault = Some(("html", json!({"status": 503})));
        for row in run(&calls, Who::default().sentra, fault) {
            assert_eq!(row.failure(), "unavailable 503 unknown -", "{row:?}");
        }
    }));
    let failed = threads.into_iter().filter_map(|thread| thread.join().err()).count();
    assert_eq!(failed, 0);
}

const HONEST_SCRIPT: &str = r#"
local strategy = { subscribe = { "trades flowbtc:XRPBRL" } }
local rows: { { any } } = {
	{ "no number", sentra.heartbeat, { account_number = "", balance = 1, equity = 1 } },
	{ "without a number", sentra.heartbeat, { balance = 1, equity = 1 } },
	{ "without positions", sentra.positions, { account_number = "1" } },
	{ "without trades", sentra.trades, { account_number = "1" } },
	{ "positions before a heartbeat", sentra.positions, { account_number = "2", positions = {} } },
	{ "trades before a heartbeat", sentra.trades, { account_number = "3", trades = {} } },
	{ "an e-mail", sentra.heartbeat,
		{ account_number = "1", balance = 1, equity = 1, user_email = "a@example.com" } },
}
function strategy.on_start(ctx)
	for _, row in rows do
		try(ctx, row[1], row[2], row[3])
	end
	ctx.log:info("done")
end
return strategy
"#;

/// SENTRA-R22a is the host's to say: a body without a number or a list is never sent.
const HONEST: &[(&str, &str, &str)] = &[
    ("no number", "arguments - refused -", "account_number"),
    ("without a number", "arguments - refused -", "account_number"),
    ("without positions", "arguments - refused -", "positions"),
    ("without trades", "arguments - refused -", "trades"),
    ("positions before a heartbeat", "rejected 404 refused -", "Conta não encontrada. Envie"),
    ("trades before a heartbeat", "rejected 404 refused -", "Conta não encontrada. Envie"),
    ("an e-mail", "arguments - refused -", "user_email"),
];

#[test]
fn the_venue_s_own_reasons_reach_the_script() {
    let served = serve(Vec::new());
    let script = format!("{}{HONEST_SCRIPT}", include_str!("common.luau"));
    super::flowbtc::honest(
        &Engine::start(&served, &Who::default(), &script, &[]).results(),
        HONEST,
    );
}
