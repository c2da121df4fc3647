//! The examples of the reference pages, as handlers of a strategy on the served venues.

use super::bench::{Engine, Who, serve};
use lunario::calls;
use std::path::Path;

/// A strategy that runs the examples one after the other and says how each ended.
fn script(venue: &str, market: &str) -> (String, Vec<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/examples").join(venue);
    // What ends a stream begins it first, and the venue begins none twice (code 909). Logging out
    // comes last: what follows would wait for the next login.
    let mut calls: Vec<&calls::Call> = calls::of(venue).iter().collect();
    calls.sort_by_key(|call| (call.name == "LogOut", !call.name.starts_with("Unsubscribe")));
    let names: Vec<String> = calls.iter().map(|call| call.spelled()[0].clone()).collect();
    let mut text = include_str!("common.luau").to_owned();
    text += &format!("local strategy = {{ subscribe = {{ \"trades {market}\" }} }}\n");
    text += "local examples: { any } = {}\n";
    for name in &names {
        let example = std::fs::read_to_string(folder.join(format!("{name}.luau"))).unwrap();
        text += &format!(
            "table.insert(examples, {{ \"{name}\", function(ctx)\n{example}\nreturn true\nend }})\n"
        );
    }
    text += "function strategy.on_start(ctx)\n\
             \tfor _, row in examples do\n\
             \t\ttry(ctx, row[1], row[2], ctx)\n\
             \tend\n\
             \tctx.log:info(\"done\")\n\
             end\n\
             return strategy\n";
    (text, names)
}

/// Every example of a venue ends without an error. Those that log a refusal do so only where the
/// venue, or the host, has a reason: `refused` are their words.
fn check(venue: &str, market: &str, refused: &[&str]) {
    let served = serve(Vec::new());
    let (script, names) = script(venue, market);
    let mut engine = Engine::start(&served, &Who::default(), &script, &[]);
    let mut wrong = Vec::new();
    let rows = engine.results();
    for row in &rows {
        if row.text("ok") != "true" {
            wrong.push(format!("{}: {}", row.call(), row.text("told")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows.len(), names.len());
    let said: Vec<&str> = engine.warnings.iter().map(String::as_str).collect();
    assert_eq!(said, refused);
}

#[test]
fn flowbtc_s_examples_run() {
    let refused = ["the code was not taken", "no login over REST"];
    check("flowbtc", "flowbtc:XRPBRL", &refused);
}

#[test]
fn mercado_bitcoin_s_examples_run() {
    check("mercadobitcoin", "mercadobitcoin:BTCBRL", &[]);
}

#[test]
fn sentra_s_examples_run() {
    check("sentra", "flowbtc:XRPBRL", &[]);
}
