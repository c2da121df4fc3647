//! The reference pages: one per venue, and one about all of their calls.

use super::{answered, example, inside, open, spelled, title};
use lunario::base::CallFailureKind;
use lunario::calls::{
    self, By, Call, CallError, Field, Kind, Priority, Reply, Retry, Transport, notes,
};
use std::fmt::Write;

const FRESH: &str = "This page is written by `UPDATE=1 cargo test --test it docs::reference`.";

/// What a venue's page begins with.
fn opening(venue: &str) -> &'static str {
    match venue {
        "flowbtc" => {
            "The calls of AlphaPoint's gateway as FlowBTC documents it, under the global `flowbtc`. \
             Instruments and assets are numbered apart: instrument 1 is BTCBRL, asset 1 is BTC. \
             Orders are numbered beyond what a number holds exactly, so ids arrive as strings of \
             digits and are given as such."
        }
        "mercadobitcoin" => {
            "The methods of the Trade API v2 and the public market data, under the global \
             `mercadobitcoin`. A reply is the content of `return`. The venue writes amounts as \
             strings, and they stay strings, exact:\n`tonumber` makes a number of one. Each signed \
             call costs one of 60 requests per minute of the user, and at most one leaves per \
             second; public data goes its own way and costs none."
        }
        "sentra" => {
            "The three pushes of the Partners API, under the global `sentra`. Sentra takes reports, \
             never orders, and answers only how much it stored. The account's e-mail is the whole \
             authentication, so the host fills it in and no script sees it. At most one request per \
             second leaves for an account. `@std/sentra_sync` mirrors an account with these calls \
             by itself."
        }
        other => panic!("no page for {other}"),
    }
}

const fn lane(lane: Priority) -> &'static str {
    match lane {
        Priority::Cancel => "cancel",
        Priority::Reconcile => "reconcile",
        Priority::Replace => "replace",
        Priority::New => "new order",
        Priority::Query => "query",
        Priority::Poll => "poll",
        Priority::Withdrawal => "withdrawal",
    }
}

const LANES: [(Priority, &str); 7] = [
    (Priority::Cancel, "cancels; they may use the reserve of the budget"),
    (Priority::Reconcile, "logins, snapshots, the fate of orders; they may use the reserve too"),
    (Priority::Replace, "changes of working orders"),
    (Priority::New, "new orders"),
    (Priority::Query, "questions"),
    (Priority::Poll, "market data"),
    (Priority::Withdrawal, "money in and out"),
];

const fn retry(retry: Retry) -> (&'static str, &'static str) {
    match retry {
        Retry::Repeat => ("repeat", "Asking again changes nothing: repeat it."),
        Retry::Limited => ("limited", "A few attempts, then tell the operator."),
        Retry::Resubscribe => ("subscribe again", "Subscribe again; drop what was already seen."),
        Retry::Fresh => {
            ("fresh", "Only with something new in it: another code, the revision of now.")
        }
        Retry::Never => ("never blindly", "Never blindly: find out first what became of it."),
        Retry::Human => ("by a human", "Never by a program: a human looks first."),
    }
}

const RETRIES: [Retry; 6] =
    [Retry::Repeat, Retry::Limited, Retry::Resubscribe, Retry::Fresh, Retry::Never, Retry::Human];

/// What a script does about a kind of failure, and what it says about the call.
const fn failure(kind: CallFailureKind) -> (&'static str, &'static str) {
    match kind {
        CallFailureKind::Arguments => {
            ("a field is unknown, missing or of another type; nothing was sent", "`refused`")
        }
        CallFailureKind::NotGranted => (
            "the configuration does not grant the call to this strategy, the mode is not live, or \
             the order is another strategy's",
            "`refused`",
        ),
        CallFailureKind::NoVenue => {
            ("the run has no such venue, or the call's switch is off", "`refused`")
        }
        CallFailureKind::Limit => {
            ("the gate refused the order; the message is the [refusal](refusals.md)", "`refused`")
        }
        CallFailureKind::ExpiredInQueue => {
            ("it waited too long for its turn in the lane and was never sent", "`refused`")
        }
        CallFailureKind::RateLimited => (
            "the venue said there were too many requests; `retry_after` is when to ask again",
            "`refused`",
        ),
        CallFailureKind::Rejected => {
            ("the venue answered no; `code` is its number, if it gave one", "`refused`")
        }
        CallFailureKind::Unavailable => (
            "an error page, a session that is not ready, no connection",
            "`refused`; `unknown` where an order or money was already on its way",
        ),
        CallFailureKind::Timeout => {
            ("no whole answer in time", "`unknown` for what trades or moves money, else `refused`")
        }
    }
}

/// A type as a quant reads it.
fn told(kind: Kind) -> String {
    match kind {
        Kind::Int => "integer".to_owned(),
        Kind::Id => "id".to_owned(),
        Kind::Dec => "decimal".to_owned(),
        Kind::Text => "string".to_owned(),
        Kind::Bool => "boolean".to_owned(),
        Kind::Word(words) => {
            words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Number => "number".to_owned(),
        Kind::Stamp => "time".to_owned(),
        Kind::Object(_) => "table".to_owned(),
        Kind::List(_) => "list of tables".to_owned(),
        Kind::Keyed(_) => "tables under their numbers".to_owned(),
        Kind::Rows(_) => "list of lists".to_owned(),
        Kind::Numbers => "list of numbers".to_owned(),
    }
}

/// The page of a venue.
pub fn venue(venue: &str) -> String {
    let mut page = format!(
        "# {} calls\n\n{}\n\nWhat holds for the calls of every venue (failures, lanes, numbers) is \
         in [Venue calls](calls.md).\n\n{FRESH}\n\n## All calls\n\n\
         | call | id | what it does | lane | again | grant | switch |\n|---|---|---|---|---|---|---|\n",
        title(venue),
        opening(venue)
    );
    for call in calls::of(venue) {
        let name = spelled(call);
        let _ok = writeln!(
            page,
            "| [`{name}`](#{}) | {} | {} | {} | {} | {} | {} |",
            name.to_ascii_lowercase(),
            call.contract,
            call.doc,
            lane(call.lane),
            retry(call.retry).0,
            if call.grant { "needed" } else { "" },
            call.switch.map(|switch| format!("`{switch}`")).unwrap_or_default(),
        );
    }
    for call in calls::of(venue) {
        page.push_str(&section(venue, call));
    }
    page
}

fn section(venue: &str, call: &Call) -> String {
    let mut out = format!("\n## {}\n\n{}\n\n{}\n", spelled(call), call.doc, facts(call));
    let fields = open(call.args);
    if fields.is_empty() {
        out.push_str("\nIt takes no fields");
        out.push_str(if call.args.is_empty() { ".\n" } else { ": the host fills in its own.\n" });
    } else {
        out.push_str("\n| field | type | needed | meaning |\n|---|---|---|---|\n");
        asked(&mut out, venue, call, &fields, "");
    }
    let _ok = writeln!(out, "\n{}", shape(call));
    if call.reply != Reply::Numbers {
        let rows = matches!(call.reply, Reply::Rows(_));
        let head = if rows { "at" } else { "field" };
        let _ok = write!(out, "\n| {head} | type | meaning |\n|---|---|---|\n");
        replied(&mut out, venue, call, &answered(call), "");
    }
    out.push_str("\n| error | text | meaning |\n|---|---|---|\n");
    for CallError { code, text, meaning } in call.errors {
        let code = code.map(|code| code.to_string()).unwrap_or_default();
        let text = if text.is_empty() { String::new() } else { format!("`{text}`") };
        let _ok = writeln!(out, "| {code} | {text} | {meaning} |");
    }
    let _ok = write!(out, "\n```lua fragment\n{}```\n", example(venue, call));
    out
}

/// Everything about a call that is no field, in sentences.
fn facts(call: &Call) -> String {
    let way = match call.transport {
        Transport::Get => "HTTP GET",
        Transport::Socket => "WebSocket",
        Transport::Form => "HTTP POST, signed",
        Transport::Json => "HTTP POST, JSON",
    };
    let (_, again) = retry(call.retry);
    let mut facts = format!("{} · documented as {way} · lane: {}.", call.contract, lane(call.lane));
    if call.auth {
        facts.push_str(" It needs the account.");
    }
    if call.grant {
        facts.push_str(" Off unless the configuration grants it to the strategy.");
    }
    if let Some(switch) = call.switch {
        let _ok =
            write!(facts, " Outside the venue's document; the switch `{switch}` turns it off.");
    }
    let names = call.spelled();
    if let [_, more @ ..] = names.as_slice()
        && !more.is_empty()
    {
        let _ok = write!(facts, " Also `{}`.", more.join("`, `"));
    }
    format!("{facts}\n\nWhen no answer comes: {again}")
}

fn asked(out: &mut String, venue: &str, call: &Call, fields: &[&'static Field], place: &str) {
    for field in fields {
        let needed = match (field.by, field.required) {
            _ if call.one_of.contains(&field.name) => {
                let others: Vec<String> = call
                    .one_of
                    .iter()
                    .filter(|name| **name != field.name)
                    .map(|name| format!("`{name}`"))
                    .collect();
                format!("this or {}", others.join(", "))
            }
            (By::Either, _) => "filled in by the host".to_owned(),
            (By::Script, true) => "yes".to_owned(),
            (By::Script | By::Host, _) => String::new(),
        };
        let note = notes::note(venue, call.name, field.name);
        let kind = told(field.kind);
        let _ok = writeln!(out, "| `{place}{}` | {kind} | {needed} | {note} |", field.name);
        if let Some(inner) = inside(field.kind) {
            asked(out, venue, call, &open(inner), &format!("{place}{}[].", field.name));
        }
    }
}

fn replied(out: &mut String, venue: &str, call: &Call, fields: &[&'static Field], place: &str) {
    let rows = place.is_empty() && matches!(call.reply, Reply::Rows(_));
    for (at, field) in fields.iter().enumerate() {
        let note = notes::note(venue, call.name, field.name);
        let kind = told(field.kind);
        let (name, note) = if rows {
            (format!("[{}]", at + 1), format!("{}: {note}", field.name))
        } else {
            (format!("{place}{}", field.name), note.to_owned())
        };
        let _ok = writeln!(out, "| `{name}` | {kind} | {note} |");
        if let Some(inner) = inside(field.kind) {
            let under = match field.kind {
                Kind::Object(_) => ".",
                Kind::Keyed(_) => "[number].",
                Kind::List(_) | Kind::Rows(_) => "[].",
                Kind::Int
                | Kind::Id
                | Kind::Dec
                | Kind::Text
                | Kind::Bool
                | Kind::Word(_)
                | Kind::Number
                | Kind::Stamp
                | Kind::Numbers => "",
            };
            replied(out, venue, call, &open(inner), &format!("{place}{}{under}", field.name));
        }
    }
}

fn shape(call: &Call) -> &'static str {
    match call.reply {
        Reply::Receipt => {
            "It answers that the request was received, in any of these fields, or in none:"
        }
        Reply::Object(_) => "It answers a table:",
        Reply::Objects(_) => "It answers a list of tables:",
        Reply::Rows(_) => "It answers a list of rows, each a list:",
        Reply::Numbers => "It answers a list of numbers.",
        Reply::Keyed(_) => "It answers tables under their numbers, as strings of digits:",
    }
}

/// The page about the calls of every venue.
pub fn common() -> String {
    let mut page = format!(
        "# Venue calls\n\n\
         Every documented call of a venue is a function of its global, by its documented name: \
         [FlowBTC](flowbtc.md), [Mercado Bitcoin](mercadobitcoin.md), [Sentra](sentra.md). It takes \
         one table with the documented fields and returns the documented reply. It looks blocking; \
         other strategies, and other events of this one, go on meanwhile. Order calls pass the same \
         checks, journal and lanes as `ctx:buy`: there is one order path.\n\n\
         {FRESH}\n\n\
         ## Fields\n\nA field that is unknown, misspelt or missing is an error that names it; \
         nothing is dropped silently. The host fills in what it owns where it is left out: OMSId, \
         AccountId, ClientOrderId, signatures, the e-mail. A script sees no secret, no token and no \
         e-mail, neither in a reply nor in an error.\n\n\
         ## Numbers\n\n\
         | type | in a request | in a reply |\n|---|---|---|\n\
         | decimal | a number by its shortest decimal form, a string as written, a `decimal` | a \
         number |\n\
         | id | a number or a string of digits | a string of digits, exact: compare it, use it as a \
         key, give it back |\n\
         | integer | a whole number | a number; beyond ±2^53 a string of digits |\n\
         | time | a whole number in the unit the field tells | as the venue wrote it; beyond ±2^53 a \
         string of digits |\n\n\
         Orders go out as they are written, or not at all: off the tick or the lot they are \
         refused, never rounded.\n\n\
         ## Failures\n\n\
         A call that fails raises a table: `kind`, `venue`, `call`, `code`, `message`, `outcome`, \
         `retry_after` (seconds). `tostring` makes a sentence of it. `outcome` is `\"refused\"` if \
         nothing happened at the venue, and `\"unknown\"` if it may have: then the order stays \
         `unknown` and counts against the limits until the engine has found out.\n\n\
         | kind | meaning | outcome |\n|---|---|---|\n"
    );
    for kind in CallFailureKind::ALL {
        let (meaning, outcome) = failure(kind);
        let _ok = writeln!(page, "| `{}` | {meaning} | {outcome} |", kind.word());
    }
    let _ok = write!(page, "\n```lua fragment\n{CAUGHT}```\n");
    page.push_str(
        "\n## Lanes\n\nWhen a venue's rate budget is short, calls leave in this order. A call that \
         waits past its deadline is dropped as `expired_in_queue`, never sent late.\n\n\
         | lane | what goes in it |\n|---|---|\n",
    );
    for (priority, what) in LANES {
        let _ok = writeln!(page, "| {} | {what} |", lane(priority));
    }
    page.push_str(
        "\n## When no answer comes\n\nThe host does this by itself for its own calls. For a raw call \
         it is what a script may do after `timeout` or `unavailable`.\n\n| class | rule |\n|---|---|\n",
    );
    for class in RETRIES {
        let (name, rule) = retry(class);
        let _ok = writeln!(page, "| {name} | {rule} |");
    }
    page.push_str(GRANTS);
    page
}

const CAUGHT: &str = "local ok, err = pcall(flowbtc.GetOrderStatus, { OrderId = \"1\" })\n\
    if not ok then\n\tctx.log:warn(tostring(err), { kind = err.kind, outcome = err.outcome })\nend\n";

const GRANTS: &str = "\n## Grants and switches\n\n\
    Calls that move money or change the user or the login answer `not_granted` unless the \
    configuration grants them to the strategy, and always in backtest, paper and preflight. \
    Withdrawals also need an address on the list and stay under a daily cap.\n\n\
    ```toml\n[grants.treasury]\ncalls = [\"mercadobitcoin.withdrawal_bitcoin\"]\n```\n\n\
    Calls outside a venue's document sit behind a switch. All are on; a server that implements only \
    the document lacks them:\n\n\
    ```toml\n[venues.flowbtc]\noff = [\"level1\", \"level2\"]\n```\n";
