//! The rules of the house that no compiler checks, kept by `cargo test`.
//!
//! Each rule is a function from a file to what is wrong with it, with a table of its own that shows
//! what it finds and what it lets pass. The import table is read from `docs/architecture.md`.

mod imports;
mod layout;
mod names;
mod words;

use crate::source;

/// A rule: what it is called, and what it finds in a file, a sentence each.
type Rule = (&'static str, fn(&str, &str) -> Vec<String>);

const RULES: &[Rule] = &[
    ("a room imports what the table allows", imports::check),
    ("what touches the system or the VM is named in few rooms", words::rooms),
    ("unsafe is in named files", words::unsafe_code),
    ("JSON values stay in wire files", words::json_values),
    ("nothing is left undone", words::undone),
    ("a file says what lives in it", layout::header),
    ("files and lines are short", layout::lengths),
    ("no path of one machine", layout::machine_paths),
    ("no merge markers", layout::merge_markers),
    ("names say what a thing is", names::types),
    ("spelling is American", names::spelling),
];

#[test]
fn the_house_is_tidy() {
    let files = source::files();
    let mut found: Vec<String> = Vec::new();
    for (rule, check) in RULES {
        for file in &files {
            let wrong = check(&file.path, &file.text);
            found.extend(wrong.into_iter().map(|wrong| format!("{}: {wrong} [{rule}]", file.path)));
        }
    }
    let all: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let text = |path: &str| {
        files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str())
    };
    found.extend(layout::forgotten(&all, &text));
    found.extend(layout::not_shipped(&all, text("src/lua/stdlib.rs")));
    found.extend(imports::rooms_in_the_table(&all));
    assert!(found.is_empty(), "{} rule breaks:\n{}", found.len(), found.join("\n"));
}

/// A rule's own table: path, text, and a part of what it says (empty: it says nothing).
#[cfg(test)]
pub fn table(check: fn(&str, &str) -> Vec<String>, rows: &[(&str, &str, &str)]) {
    for (path, text, expected) in rows {
        let said = check(path, text).join("; ");
        let fits = if expected.is_empty() { said.is_empty() } else { said.contains(expected) };
        assert!(fits, "{path}: {text:?}\n  says: {said:?}\n  not:  {expected:?}");
    }
}
