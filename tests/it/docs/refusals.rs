//! `docs/reference/refusals.md`, written from the codes in the program. `UPDATE=1` rewrites it.

use crate::source;
use lunario::risk::CODES;
use std::fmt::Write;

const PAGE: &str = "docs/reference/refusals.md";

/// Reasons that do not come from the gate: code, who says it, meaning.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("ORDER_OFF_GRID", "desk", "the order has `strict = true` and is off the tick or lot grid"),
    ("ORDER_BELOW_LOT", "desk", "the quantity, rounded down to the lot, is nothing"),
    ("ORDER_UNKNOWN_INSTRUMENT", "desk", "the run has no such instrument"),
    ("ORDER_NOT_OPEN", "desk", "there is no such open order of this strategy"),
    ("ORDER_KEYS_USED_UP", "desk", "the strategy has used every order key of this run"),
    ("LIMIT_CALLS_WAITING", "desk", "64 raw calls of the strategy have no answer yet"),
    ("VENUE_UNSUPPORTED", "session", "the venue has no such order, change or stream"),
    ("STRATEGY_LOADING", "desk", "`on_load` asks before its version is the running one"),
    ("VENUE_ABSENT", "desk", "the run has no venue for this instrument"),
    ("VENUE_NOT_READY", "session", "the session is not live, or the line went down before sending"),
    ("ACCOUNT_NOT_OURS", "session", "a raw call names another account than the session's"),
    ("TOO_MANY_CALLS", "session", "64 raw calls of the session wait already"),
    ("INSTRUMENT_NOT_TRADED", "session", "the venue lists no such instrument"),
    ("EXPIRED_IN_QUEUE", "session", "the order waited too long for its turn in the rate lane"),
    ("VENUE_BUSY", "session", "too many calls to Mercado Bitcoin wait already"),
    ("VENUE_UNREACHABLE", "session", "no connection was made, so the order never left"),
    ("CANCELED_BEFORE_SENT", "session", "the cancel came while the order waited to be sent"),
    ("NOT_PLACED", "session", "asked twice, the venue has no trace of the order"),
    ("NOT_FOUND", "session", "asked twice, the venue no longer has the order"),
    ("Not_Enough_Funds", "exchange", "the account's free balance does not cover the order"),
    ("Invalid_Quantity", "exchange", "the quantity is off the lot or under the minimum"),
    ("Invalid_Price", "exchange", "a price is missing, off the tick, or does not belong there"),
    ("Invalid_Instrument", "exchange", "the exchange has no such instrument"),
    ("Post_Only_Would_Take", "exchange", "a post-only order would have traded at once"),
    (
        "Reduce_Only_Would_Increase",
        "exchange",
        "a reduce-only order would have raised the position",
    ),
    ("No More Market", "exchange", "a market order found nothing (more) to trade with"),
];

fn page() -> String {
    let mut page = String::from(
        "# Refusals\n\nAn order that is refused comes back with `state = \"rejected\"` and a `reason`: \
         a code, then its\nfacts as `key=value`. A quantity or price in a reason is exact.\n\n\
         This page is written by `UPDATE=1 cargo test --test it refusals`.\n\n\
         ## The gate\n\nThe rules are checked in this order; the first that is broken is the answer. \
         Limits are set in the\nconfiguration. Cancels always pass.\n\n\
         | code | meaning |\n|---|---|\n",
    );
    for (code, meaning) in CODES {
        let _ok = writeln!(page, "| `{code}` | {meaning} |");
    }
    page.push_str(
        "\n## Elsewhere\n\nThe desk refuses what makes no order; the venue's session what it does not \
         send; the simulated\nexchange speaks with AlphaPoint's words where it has them. A real venue \
         may use words of its own:\nthey are handed on as they come.\n\n\
         | reason | from | meaning |\n|---|---|---|\n",
    );
    for (code, from, meaning) in ELSEWHERE {
        let _ok = writeln!(page, "| `{code}` | {from} | {meaning} |");
    }
    page
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the one switch of the tests")]
fn the_page_of_refusals_is_fresh() {
    let page = page();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "{PAGE} is stale; run UPDATE=1 cargo test --test it refusals");
}

/// Codes that the program says are on the page, and none that it never says.
#[test]
fn every_code_of_the_program_is_on_the_page() {
    let page = page();
    let sources: Vec<source::File> = source::files();
    let rust = sources.iter().filter(|file| {
        let path = file.path.as_str();
        path.starts_with("src/") && path.ends_with(".rs") && !path.contains("tests")
    });
    let text: String = rust.map(|file| file.text.as_str()).collect();
    let mut wrong = Vec::new();
    for (at, start) in text.match_indices("Refusal::new(\"") {
        let code = text[at + start.len()..].split('"').next().unwrap_or_default();
        if !page.contains(&format!("| `{code}` |")) {
            wrong.push(format!("{code} is not on the page"));
        }
    }
    for (code, _, _) in ELSEWHERE {
        if !text.contains(&format!("\"{code}")) {
            wrong.push(format!("nothing says {code}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
