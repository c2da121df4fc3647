//! Names of types and files, and the spelling of what is written beside the code.

use crate::source::{Part, part_of, words};

/// Words that say nothing about what a thing is.
const EMPTY_WORDS: &[&str] =
    &["Manager", "Factory", "Provider", "Handler", "Service", "Impl", "Utils", "Util", "Helper"];

const KINDS: &[&str] = &["struct", "enum", "trait", "type", "union"];

pub fn types(path: &str, text: &str) -> Vec<String> {
    if !path.ends_with(".rs") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let file = path.rsplit('/').next().unwrap_or_default();
    if ["utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"].contains(&file) {
        found.push(format!("{file} does not say what lives there"));
    }
    let code = part_of(text, Part::Code);
    let all: Vec<(usize, &str)> = words(&code).collect();
    for pair in all.windows(2) {
        let ((_, kind), (line, name)) = (pair[0], pair[1]);
        if !KINDS.contains(&kind) {
            continue;
        }
        let empty = camel(name).into_iter().find(|word| EMPTY_WORDS.contains(&word.as_str()));
        found.extend(empty.map(|word| format!("{line}: {name} has {word} in its name")));
    }
    found
}

/// The words of a name in camel case.
fn camel(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for c in name.chars() {
        match words.last_mut().filter(|_| !c.is_uppercase()) {
            Some(word) => word.push(c),
            None => words.push(c.to_string()),
        }
    }
    words
}

/// The beginnings of British spellings met most, each with the American one. What stands in strings
/// may be a venue's own word.
const BRITISH: &[(&str, &str)] = &[
    ("cancelled", "canceled"),
    ("cancelling", "canceling"),
    ("behaviour", "behavior"),
    ("colour", "color"),
    ("favour", "favor"),
    ("honour", "honor"),
    ("normalis", "normaliz"),
    ("serialis", "serializ"),
    ("synchronis", "synchroniz"),
    ("initialis", "initializ"),
    ("recognis", "recogniz"),
    ("optimis", "optimiz"),
    ("labelled", "labeled"),
    ("modelled", "modeled"),
];

pub fn spelling(path: &str, text: &str) -> Vec<String> {
    let rust = path.ends_with(".rs");
    if !rust && !path.ends_with(".luau") {
        return Vec::new();
    }
    let text = if rust { part_of(text, Part::CodeAndComments) } else { text.to_owned() };
    let mut found = Vec::new();
    for (line, word) in words(&text) {
        let word = word.to_lowercase();
        let near = BRITISH.iter().find(|(british, _)| {
            word.split('_').any(|part| part.starts_with(british) && !part.ends_with("mistic"))
        });
        found.extend(near.map(|(british, us)| format!("{line}: {british}… is spelt {us}…")));
    }
    found
}

#[test]
fn empty_names_are_found() {
    super::table(
        types,
        &[
            ("src/a.rs", "pub struct OrderManager;", "1: OrderManager has Manager"),
            ("src/a.rs", "enum HandlerKind {}", "HandlerKind has Handler"),
            ("src/a.rs", "\ntrait ScriptService {}", "2: ScriptService"),
            ("src/a.rs", "struct Implied; struct Handlers; type Servicing = u8;", ""),
            ("src/a.rs", "// struct OrderManager\nlet x = \"struct OrderManager\";", ""),
            ("src/a/utils.rs", "//! x", "utils.rs does not say"),
            ("docs/a.md", "struct OrderManager", ""),
        ],
    );
}

#[test]
fn british_spelling_is_found() {
    super::table(
        spelling,
        &[
            ("src/a.rs", "// was cancelled", "1: cancelled… is spelt canceled…"),
            ("src/a.rs", "fn normalise_price() {}", "normaliz"),
            ("src/a.rs", "fn price_normalised() {}", "normaliz"),
            ("src/a.rs", "let x = \"Cancelled\"; // canceled, optimistic", ""),
            ("stdlib/a.luau", "-- its behaviour", "behavior"),
            ("docs/a.md", "behaviour", ""),
        ],
    );
}
