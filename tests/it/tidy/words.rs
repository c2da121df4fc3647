//! Words that belong to few rooms, and words that say that work was left undone.

use super::imports::is_test;
use crate::source::{Part, part_of, words};

/// A word (or a path of words) and the places, by the beginning of their path, that may name it.
type Owned = (&'static str, &'static [&'static str]);

/// The operating system, the network and the VM.
const OWNED: &[Owned] = &[
    ("mlua", &["src/lua/"]),
    ("tokio", &["src/edge/", "src/run/", "src/cli/"]),
    ("tokio_tungstenite", &["src/edge/", "src/run/"]),
    ("tungstenite", &["src/edge/", "src/run/"]),
    ("axum", &["src/edge/"]),
    ("rustls", &["src/edge/", "src/run/"]),
    ("rusqlite", &["src/edge/"]),
    ("notify", &["src/edge/", "src/run/"]),
    ("std::fs", &["src/edge/", "src/run/", "src/cli/new"]),
    ("std::env", &["src/edge/", "src/run/"]),
    ("std::net", &["src/edge/", "src/run/", "src/cli/"]),
    ("tracing", &["src/edge/", "src/run/", "src/show/", "src/cli/", "src/main.rs"]),
    ("anyhow", &["src/edge/", "src/run/", "src/show/", "src/cli/", "src/main.rs"]),
];

/// Files with `unsafe`, each with a comment for every use and a test that stresses it.
const UNSAFE: &[&str] = &["src/lua/budget.rs"];

fn is_rust(path: &str) -> bool {
    path.ends_with(".rs")
}

/// Lines (from 1) on which a path of words stands: `std::fs` also as `std::{fs, net}`.
fn lines_with(code: &str, wanted: &str) -> Vec<usize> {
    match wanted.split_once("::") {
        None => words(code).filter(|(_, word)| *word == wanted).map(|(line, _)| line).collect(),
        Some((library, module)) => {
            let mut found = Vec::new();
            for (at, line) in code.lines().enumerate() {
                let direct = line.match_indices(wanted).any(|(at, _)| {
                    let next = line[at + wanted.len()..].chars().next();
                    next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
                });
                let group = line.split_once(&format!("{library}::{{")).map(|(_, group)| group);
                let grouped = group.is_some_and(|group| words(group).any(|(_, w)| w == module));
                if direct || grouped {
                    found.push(at + 1);
                }
            }
            found
        }
    }
}

pub fn rooms(path: &str, text: &str) -> Vec<String> {
    if !is_rust(path) || !path.starts_with("src/") {
        return Vec::new();
    }
    let code = part_of(text, Part::Code);
    let mut found = Vec::new();
    for (word, places) in OWNED {
        let reads_vectors = *word == "std::fs" && is_test(path);
        if reads_vectors || places.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        let lines = lines_with(&code, word).into_iter();
        found
            .extend(lines.map(|line| format!("{line}: `{word}` belongs to {}", places.join(", "))));
    }
    found
}

pub fn unsafe_code(path: &str, text: &str) -> Vec<String> {
    if !is_rust(path) || UNSAFE.contains(&path) {
        return Vec::new();
    }
    let code = part_of(text, Part::Code);
    let found = words(&code).filter(|(_, word)| *word == "unsafe");
    found.map(|(line, _)| format!("{line}: unsafe outside of {}", UNSAFE.join(", "))).collect()
}

/// `serde_json::Value` loses exact numbers; only the wire files know which ones matter. Tests may
/// look at what a program printed.
pub fn json_values(path: &str, text: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let wire = name.starts_with("wire") || path.contains("/wire/");
    let protocol = path.starts_with("src/venue/") || path.starts_with("src/simulator/");
    if !is_rust(path) || is_test(path) || (wire && protocol) {
        return Vec::new();
    }
    let code = part_of(text, Part::Code);
    let named = |line: &&str| {
        let group = line.contains("serde_json::{") && words(line).any(|(_, word)| word == "Value");
        let paths = ["serde_json::Value", "serde_json::value::Value", "json!("];
        group || paths.iter().any(|path| line.contains(path))
    };
    let lines = code.lines().enumerate().filter(|(_, line)| named(line));
    lines.map(|(at, _)| format!("{}: a JSON value outside of a wire file", at + 1)).collect()
}

pub fn undone(path: &str, text: &str) -> Vec<String> {
    if !is_rust(path) && !path.ends_with(".luau") {
        return Vec::new();
    }
    let text = if is_rust(path) { part_of(text, Part::CodeAndComments) } else { text.to_owned() };
    let marks = ["FIXME", "XXX", "TODO", "HACK"];
    let macros = ["todo!", "unimplemented!", "dbg!"];
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let marked = words(line).find(|(_, word)| marks.contains(word)).map(|(_, word)| word);
        let called = macros.into_iter().find(|called| line.contains(called));
        let ignored = Some("an ignored test").filter(|_| line.contains("#[ignore"));
        let said = marked.or(called).or(ignored);
        found.extend(said.map(|said| format!("{}: {said}", at + 1)));
    }
    found
}

#[test]
fn owned_words_stay_in_their_rooms() {
    super::table(
        rooms,
        &[
            ("src/desk/mod.rs", "use mlua::Lua;", "`mlua` belongs to src/lua/"),
            ("src/lua/vm.rs", "use mlua::Lua;", ""),
            ("src/desk/mod.rs", "// mlua would be slower", ""),
            ("src/desk/mod.rs", "let x = \"mlua\";", ""),
            ("src/engine/mod.rs", "\nfn f() { tokio::spawn(x) }", "2: `tokio`"),
            ("src/engine/mod.rs", "use std::fs::File;", "`std::fs`"),
            ("src/engine/mod.rs", "use std::{fmt, net::IpAddr};", "`std::net`"),
            ("src/engine/mod.rs", "use std::fmt; use std::fsx;", ""),
            ("src/cli/new.rs", "use std::fs;", ""),
            ("src/cli/check.rs", "use std::fs;", "`std::fs`"),
            ("src/engine/tests.rs", "std::env::var(name)", "`std::env`"),
            ("src/venue/flowbtc/wire/tests.rs", "std::fs::read(vector)", ""),
            ("src/edge/ws.rs", "use tokio::net::TcpStream; use std::net::SocketAddr;", ""),
            ("tests/it/tidy.rs", "use std::fs;", ""),
        ],
    );
}

#[test]
fn unsafe_is_found() {
    super::table(
        unsafe_code,
        &[
            ("src/lua/vm.rs", "unsafe { x() }", "1: unsafe"),
            ("src/lua/budget.rs", "unsafe { x() }", ""),
            ("src/lua/vm.rs", "#![deny(unsafe_code)] // unsafe", ""),
            ("tests/it/main.rs", "unsafe fn f() {}", "1: unsafe"),
        ],
    );
}

#[test]
fn json_values_are_found() {
    super::table(
        json_values,
        &[
            ("src/edge/journal.rs", "use serde_json::Value;", "1: a JSON value"),
            ("src/edge/journal.rs", "use serde_json::{Map, Value};", "1: a JSON value"),
            ("src/edge/journal.rs", "use serde_json::value::Value;", "1: a JSON value"),
            ("src/edge/journal.rs", "let x = json!({});", "1: a JSON value"),
            ("src/edge/journal.rs", "use serde_json::value::RawValue;", ""),
            ("src/edge/journal.rs", "use serde_json::to_string;", ""),
            ("src/venue/flowbtc/wire.rs", "use serde_json::Value;", ""),
            ("src/venue/flowbtc/wire/books.rs", "use serde_json::Value;", ""),
            ("src/venue/flowbtc/session.rs", "use serde_json::Value;", "1: a JSON value"),
            ("src/edge/wire.rs", "use serde_json::Value;", "1: a JSON value"),
            ("src/simulator/flowbtc/tests/calls.rs", "use serde_json::Value;", ""),
        ],
    );
}

#[test]
fn what_is_left_undone_is_found() {
    super::table(
        undone,
        &[
            ("src/a/mod.rs", "// FIXME: later", "1: FIXME"),
            ("src/a/mod.rs", "\ntodo!()", "2: todo!"),
            ("src/a/mod.rs", "unimplemented!(\"x\")", "1: unimplemented!"),
            ("src/a/tests.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}", "2: an ignored test"),
            ("src/a/mod.rs", "let x = \"FIXME\"; // its name is XXXL", ""),
            ("scripts/x.luau", "-- TODO", "1: TODO"),
            ("docs/x.md", "TODO", ""),
        ],
    );
}
