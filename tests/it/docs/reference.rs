//! `docs/reference/<venue>.md`, `docs/reference/calls.md` and the calls in the type file, written
//! from the tables of calls. `UPDATE=1` rewrites them.

mod examples;
mod pages;
mod types;

use crate::source;
use lunario::calls::{self, By, Call, Field, Kind, Reply, flowbtc};

/// How a page names a venue.
pub fn title(venue: &str) -> &'static str {
    match venue {
        "flowbtc" => "FlowBTC",
        "mercadobitcoin" => "Mercado Bitcoin",
        "sentra" => "Sentra",
        other => panic!("no page for {other}"),
    }
}

/// The name that scripts use.
pub fn spelled(call: &Call) -> String {
    call.spelled().into_iter().next().unwrap_or_default()
}

/// The fields of the answer, without the host's own.
pub fn answered(call: &Call) -> Vec<&'static Field> {
    let fields: &'static [Field] = match call.reply {
        Reply::Receipt => flowbtc::RECEIPT,
        Reply::Object(fields)
        | Reply::Objects(fields)
        | Reply::Rows(fields)
        | Reply::Keyed(fields) => fields,
        Reply::Numbers => &[],
    };
    open(fields)
}

/// The fields that scripts see.
pub fn open(fields: &'static [Field]) -> Vec<&'static Field> {
    fields.iter().filter(|field| field.by != By::Host).collect()
}

/// The fields inside of a field.
pub fn inside(kind: Kind) -> Option<&'static [Field]> {
    match kind {
        Kind::Object(fields) | Kind::List(fields) | Kind::Keyed(fields) | Kind::Rows(fields) => {
            Some(fields)
        }
        Kind::Int
        | Kind::Id
        | Kind::Dec
        | Kind::Text
        | Kind::Bool
        | Kind::Word(_)
        | Kind::Number
        | Kind::Stamp
        | Kind::Numbers => None,
    }
}

fn example(venue: &str, call: &Call) -> String {
    source::read(&format!("docs/reference/examples/{venue}/{}.luau", spelled(call)))
}

/// Every written file: its path and its text as it should be.
fn written() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = calls::VENUES
        .into_iter()
        .map(|venue| (format!("docs/reference/{venue}.md"), pages::venue(venue)))
        .collect();
    files.push(("docs/reference/calls.md".to_owned(), pages::common()));
    let path = "stdlib/types/lunario.d.luau";
    files.push((path.to_owned(), types::spliced(&source::read(path))));
    files
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the one switch of the tests")]
fn pages_and_types_are_fresh() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stale = Vec::new();
    for (path, text) in written() {
        let file = root.join(&path);
        if std::env::var("UPDATE").is_ok() {
            std::fs::write(&file, &text).unwrap();
        }
        if std::fs::read_to_string(&file).unwrap_or_default() != text {
            stale.push(path);
        }
    }
    let how = "run UPDATE=1 cargo test --test it docs::reference";
    assert!(stale.is_empty(), "{stale:?} are stale; {how}");
}

/// An example that uses no call, or is of no call, says nothing.
#[test]
fn every_call_has_an_example_that_makes_it() {
    let mut wanted = Vec::new();
    for venue in calls::VENUES {
        for call in calls::of(venue) {
            let path = format!("docs/reference/examples/{venue}/{}.luau", spelled(call));
            let text = example(venue, call);
            let made = format!("{venue}.{}", spelled(call));
            let after = text.split(&made).nth(1).and_then(|rest| rest.chars().next());
            let makes = after.is_some_and(|c| c == '(' || c == ',' || c == ')');
            assert!(makes, "{path} never calls {made}");
            let granted = !call.grant || text.contains("pcall(") && text.contains(".kind");
            assert!(granted, "{path}: a granted call shows what a refusal looks like");
            wanted.push(path);
        }
    }
    let files = source::files();
    let examples = files.iter().map(|file| &file.path);
    let strays: Vec<_> = examples
        .filter(|path| path.starts_with("docs/reference/examples/") && !wanted.contains(path))
        .collect();
    assert!(strays.is_empty(), "{strays:?}");
}
