//! Mercado Bitcoin's calls. After "too many" nothing goes for a minute, so each call has an engine
//! of its own, all at the same time.

use super::bench::{Engine, Row, Who, begin, misshapen, serve};
use lunario::calls::{Call, CallError, Reply, mercadobitcoin as table};
use serde_json::{Value, json};

const SCRIPT: &str = concat!(include_str!("common.luau"), include_str!("mercadobitcoin.luau"));

/// Makes one call as often as there are faults; `Null` is none.
fn steps(call: &Call, faults: &[Value]) -> Vec<Row> {
    let served = serve(Vec::new());
    let name = call.spelled()[0].clone();
    let count = faults.len().to_string();
    let params = [("call", name.as_str()), ("steps", count.as_str())];
    let mut engine = Engine::start(&served, &Who::default(), SCRIPT, &params);
    let mut rows = Vec::new();
    for (number, fault) in faults.iter().enumerate() {
        engine.line(&["ready"]);
        let faults: Vec<Value> =
            Some(fault.clone()).into_iter().filter(|it| !it.is_null()).collect();
        begin(&served, &format!("step {}", number + 1), &faults);
        rows.push(engine.result());
    }
    rows
}

/// What provokes a documented error, and how the script sees it.
fn provoked(call: &Call, error: &CallError) -> (Value, String) {
    let fault = |what: &str| json!({"venue": "mercadobitcoin", "on": call.name, "what": what});
    match (error.code, error.text) {
        (Some(404), _) => (fault("not_found"), "rejected 404 refused -".to_owned()),
        (None, "") => {
            let mut fault = fault("error");
            fault["text"] = "Algo deu errado.".into();
            (fault, "rejected - refused -".to_owned())
        }
        (None, _) => (fault("too_many"), "rate_limited - refused 60".to_owned()),
        other => panic!("{} documents {other:?}, which nothing provokes here", call.name),
    }
}

fn check(call: &'static Call) {
    let mut rows: Vec<(Value, String)> = vec![(Value::Null, "ok".to_owned())];
    let mut errors: Vec<&CallError> = call.errors.iter().collect();
    // The minute of silence comes last.
    errors.sort_by_key(|error| error.code.is_none() && !error.text.is_empty());
    rows.extend(errors.iter().map(|error| provoked(call, error)));
    let faults: Vec<Value> = rows.iter().map(|(fault, _)| fault.clone()).collect();
    let told = steps(call, &faults);
    assert_eq!(told.len(), rows.len());
    for (row, (fault, expected)) in told.iter().zip(&rows) {
        assert_eq!(row.failure(), *expected, "{}: {fault}: {row:?}", call.name);
    }
    for (row, error) in told[1..].iter().zip(&errors) {
        let part = if error.text.is_empty() { "" } else { error.text };
        assert!(row.text("message").contains(part), "{}: {row:?}", call.name);
    }
    let reply = told[0].0.get("reply").unwrap();
    assert_eq!(misshapen(call, reply), None, "{}", call.name);
    if let Reply::Keyed(_) = call.reply {
        assert_ne!(reply.json(), "{}", "{}: no order to look at", call.name);
    }
}

#[test]
fn every_call_answers_and_fails_as_documented() {
    let threads: Vec<_> = table::MERCADOBITCOIN
        .iter()
        .map(|call| (call.name, std::thread::spawn(move || check(call))))
        .collect();
    let failed: Vec<&str> = threads
        .into_iter()
        .filter_map(|(name, thread)| thread.join().err().map(|_| name))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

const HONEST_SCRIPT: &str = r#"
local strategy = { subscribe = { "trades mercadobitcoin:BTCBRL" } }
local function trade(volume, price)
	return { pair = "btc_brl", type = "buy", volume = volume, price = price }
end
local rows: { { any } } = {
	{ "no such coin", mercadobitcoin.ticker, { coin = "XYZ" } },
	{ "no such day", mercadobitcoin.day_summary, { coin = "BTC", year = 2020, month = 13, day = 1 } },
	{ "a pair of nobody", mercadobitcoin.OrderList, { pair = "xyz_brl" } },
	{ "too little", mercadobitcoin.Trade, trade("0.001", "1000") },
	{ "too much", mercadobitcoin.Trade, trade("900000", "1000") },
	{ "no such order", mercadobitcoin.CancelOrder, { pair = "btc_brl", order_id = "999" } },
	{ "more than there is", mercadobitcoin.withdrawal_bitcoin,
		{ volume = "5000", bitcoin_address = "1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww" } },
	{ "not trusted there", mercadobitcoin.withdrawal_bitcoin,
		{ volume = "0.01", bitcoin_address = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT" } },
	{ "not on our list", mercadobitcoin.withdrawal_bitcoin,
		{ volume = "0.01", bitcoin_address = "1somebodyelse" } },
	{ "over the cap", mercadobitcoin.withdrawal_bitcoin,
		{ volume = "2000000", bitcoin_address = "1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww" } },
	{ "nobody's signature", mercadobitcoin.getInfo, { Sign = "abc" } },
	{ "nobody's tonce", mercadobitcoin.getInfo, { tonce = 1 } },
}
function strategy.on_start(ctx)
	for _, row in rows do
		try(ctx, row[1], row[2], row[3])
	end
	ctx.log:info("done")
end
return strategy
"#;

/// (what the script does, the failure, a part of its message)
const HONEST: &[(&str, &str, &str)] = &[
    ("no such coin", "rejected 404 refused -", ""),
    ("no such day", "rejected 404 refused -", ""),
    ("a pair of nobody", "arguments - refused -", "btc_brl"),
    ("too little", "limit - refused -", "0.01"),
    ("too much", "rejected - refused -", "Saldo insuficiente."),
    ("no such order", "rejected - refused -", "Ordem não encontrada."),
    ("more than there is", "rejected - refused -", "Saldo insuficiente."),
    ("not trusted there", "rejected - refused -", "Endereço não é confiável."),
    ("not on our list", "not_granted - refused -", "not on the list"),
    ("over the cap", "not_granted - refused -", "above what may leave today"),
    ("nobody's signature", "arguments - refused -", "Sign"),
    ("nobody's tonce", "arguments - refused -", "tonce"),
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

/// A script cannot sign or count wrongly, so the venue's words for these come by a fault; they are
/// refusals as any other.
#[test]
fn words_about_keys_are_handed_on() {
    for (call, text) in [
        (&table::GET_INFO, "Assinatura inválida."),
        (&table::ORDER_LIST, "Tonce inválido: deve ser maior que o anterior."),
    ] {
        let fault = json!({"venue": "mercadobitcoin", "on": call.name, "what": "error",
            "text": text});
        let rows = steps(call, &[fault]);
        assert_eq!(rows[0].failure(), "rejected - refused -", "{rows:?}");
        assert_eq!(rows[0].text("message"), text);
    }
}

/// (the call, what the venue does, the failure): reads are asked again, and did nothing.
#[test]
fn a_venue_that_is_away_says_so() {
    let away = json!({"venue": "mercadobitcoin", "on": "*", "what": "html", "status": 503});
    let (reads, sends) = (&table::ORDER_LIST, &table::WITHDRAWAL_BITCOIN);
    for (call, expected) in
        [(reads, "unavailable 503 refused -"), (sends, "unavailable 503 unknown -")]
    {
        let rows = steps(call, std::slice::from_ref(&away));
        assert_eq!(rows[0].failure(), expected, "{}: {rows:?}", call.name);
    }
}
