//! Which room may import which: the table of `docs/architecture.md` against the paths in `src`.

use crate::source::{Part, part_of, read};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Room → rooms it may import.
type Table = BTreeMap<String, BTreeSet<String>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| table_of(&read("docs/architecture.md")));

/// Reads the table with the head `| room | may import |`. Words in parentheses are explanations,
/// `all above` is every room of the rows before, `–` is none.
fn table_of(text: &str) -> Table {
    let mut table = Table::new();
    let rows = text.lines().skip_while(|line| !line.starts_with("| room | may import |")).skip(2);
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [rooms, allowed] = cells[..] else { panic!("no row of two cells: {row}") };
        let allowed = allowed.split('(').next().unwrap_or_default();
        let allowed: BTreeSet<String> = match allowed.trim() {
            "all above" => table.keys().cloned().collect(),
            "–" => BTreeSet::new(),
            list => list.split(',').map(first_word).collect(),
        };
        for room in rooms.split(',') {
            table.insert(room.trim().to_owned(), allowed.clone());
        }
    }
    assert!(!table.is_empty(), "docs/architecture.md has no table of imports");
    table
}

fn first_word(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

pub fn check(path: &str, text: &str) -> Vec<String> {
    check_with(&TABLE, path, text)
}

fn check_with(table: &Table, path: &str, text: &str) -> Vec<String> {
    let Some(inside) = path.strip_prefix("src/").filter(|path| path.ends_with(".rs")) else {
        return Vec::new();
    };
    if is_test(path) || inside == "lib.rs" {
        return Vec::new();
    }
    let code = part_of(text, Part::Code);
    if inside == "main.rs" {
        let used = paths(&code, "lunario::").into_iter().filter(|(_, room)| room != "cli");
        return used.map(|(line, room)| format!("{line}: main uses {room}, not cli")).collect();
    }
    let room = inside.split('/').next().unwrap_or_default();
    let nothing = BTreeSet::new();
    let allowed = table.get(room).unwrap_or(&nothing);
    let up = "super::".repeat(depth(inside));
    let mut used = paths(&code, "crate::");
    used.extend(paths(&code, &up));
    used.sort();
    used.dedup();
    used.into_iter()
        .filter(|(_, used)| used != room && table.contains_key(used) && !allowed.contains(used))
        .map(|(line, used)| format!("{line}: {room} may not import {used}"))
        .collect()
}

/// Tests may look at anything.
pub fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// How many `super` lead from a file of `src` to the root of the crate.
fn depth(inside: &str) -> usize {
    let steps = inside.split('/').count();
    if inside.ends_with("/mod.rs") { steps - 1 } else { steps }
}

/// The first steps of every path with this prefix, groups opened, each with its line (from 1).
fn paths(code: &str, prefix: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$' || c == ':') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(steps(group).into_iter().map(|step| (line, step))),
            None => found.push((line, first_word(rest))),
        }
    }
    found
}

/// The first step of every path in an opened group.
fn steps(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut outer = String::new();
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            c if depth == 0 => outer.push(c),
            _ => {}
        }
    }
    outer.split(',').map(first_word).filter(|step| !step.is_empty()).collect()
}

/// Rooms without a row, and rows without a room.
pub fn rooms_in_the_table(paths: &[&str]) -> Vec<String> {
    let inside = paths.iter().filter_map(|path| path.strip_prefix("src/"));
    let folders = inside.filter_map(|path| path.split_once('/')).map(|(room, _)| room);
    let rooms: BTreeSet<&str> = folders.collect();
    let rows: BTreeSet<&str> = TABLE.keys().map(String::as_str).collect();
    let table = "docs/architecture.md";
    let missing = rooms.difference(&rows).map(|room| format!("{table}: {room} has no row"));
    let empty = rows.difference(&rooms).map(|room| format!("{table}: there is no room {room}"));
    missing.chain(empty).collect()
}

#[test]
fn imports_are_held_against_the_table() {
    let text = "x\n| room | may import |\n|---|---|\n| base | – |\n| market, calls | base |\n\
        | lua | base, market (never run: why, so) |\n| run | all above |\n| show | run's views |\nend";
    let table = table_of(text);
    let run = ["base", "calls", "lua", "market"].map(str::to_owned);
    assert_eq!(table["run"], BTreeSet::from(run));
    assert_eq!(table["show"], BTreeSet::from(["run".to_owned()]));
    for (path, text, expected) in [
        ("src/market/mod.rs", "use crate::base::Time;", ""),
        ("src/market/mod.rs", "use crate::lua::Script;", "1: market may not import lua"),
        ("src/market/mod.rs", "use crate::market::Book;", ""),
        ("src/market/mod.rs", "// use crate::lua::Script;", ""),
        ("src/market/mod.rs", "use super::lua::Script;", "market may not import lua"),
        ("src/market/book.rs", "use super::lua::Script;", ""),
        ("src/market/book.rs", "\nuse super::super::lua::Script;", "2: market may not import lua"),
        ("src/market/book.rs", "fn f(s: crate::run::Run) {}", "market may not import run"),
        ("src/market/book.rs", "use crate::{base::{Time, run}, lua};", "may not import lua"),
        ("src/market/book.rs", "use crate::{base::{Time, run}, calls};", "may not import calls"),
        ("src/market/tests.rs", "use crate::lua::Script;", ""),
        ("src/market/book/tests/deep.rs", "use crate::lua::Script;", ""),
        ("src/lua/vm.rs", "use crate::{base, market::Book};", ""),
        ("src/lua/vm.rs", "pub(crate) fn f() { not_crate::run(); }", ""),
        ("src/run/live.rs", "use crate::{base, lua, calls};", ""),
        ("src/run/live.rs", "use crate::show::Report;", "run may not import show"),
        ("src/main.rs", "fn main() { lunario::cli::main() }", ""),
        ("src/main.rs", "fn main() { lunario::run::live() }", "main uses run"),
        ("src/lib.rs", "pub mod base;", ""),
        ("docs/x.md", "use crate::lua::Script;", ""),
    ] {
        let said = check_with(&table, path, text).join("; ");
        let fits = if expected.is_empty() { said.is_empty() } else { said.contains(expected) };
        assert!(fits, "{path}: {text}\n  says {said:?}\n  not  {expected:?}");
    }
}
