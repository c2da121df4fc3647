//! The shape of files: headers, lengths, forgotten modules, paths of one machine, merge markers.

use super::imports::is_test;
use crate::source::{Part, part_of};

const MAX_LINES: usize = 500;
const MAX_COLUMNS: usize = 100;

/// Tables of figures written by a program.
fn is_generated(path: &str) -> bool {
    path.contains("/golden/") || path == "stdlib/types/lunario.d.luau"
}

/// A Rust file opens with `//!`; a Luau file with `--!strict`, more directives, then a comment.
pub fn header(path: &str, text: &str) -> Vec<String> {
    if path.ends_with(".rs") && !text.starts_with("//! ") {
        return vec!["1: the file opens with `//!` and what lives there".into()];
    }
    let shipped = path.starts_with("stdlib/") || path.starts_with("scripts/");
    if !shipped || !path.ends_with(".luau") || path.ends_with(".d.luau") || is_generated(path) {
        return Vec::new();
    }
    let mut lines = text.lines();
    if lines.next() != Some("--!strict") {
        return vec!["1: the file opens with --!strict".into()];
    }
    let after = lines.find(|line| !line.starts_with("--!")).unwrap_or_default();
    if after.starts_with("-- ") || after.starts_with("--[[") {
        return Vec::new();
    }
    vec!["2: a comment says what the file is for".into()]
}

/// Columns are characters; a tab counts four. In tests, what stands in a string does not count.
pub fn lengths(path: &str, text: &str) -> Vec<String> {
    let rust = path.ends_with(".rs");
    if !rust && !path.ends_with(".luau") || is_generated(path) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        found.push(format!("{lines} lines; at most {MAX_LINES}"));
    }
    let quoted_apart = rust && is_test(path);
    let text = if quoted_apart { part_of(text, Part::CodeAndComments) } else { text.to_owned() };
    for (at, line) in text.lines().enumerate() {
        let columns: usize = line.chars().map(|c| if c == '\t' { 4 } else { 1 }).sum();
        if columns > MAX_COLUMNS {
            found.push(format!("{}: {columns} columns; at most {MAX_COLUMNS}", at + 1));
        }
    }
    found
}

pub fn machine_paths(_: &str, text: &str) -> Vec<String> {
    let roots = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), "C:\\Users"];
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let root = roots.into_iter().find(|root| {
            let begins = |c: char| !c.is_alphanumeric() && !"._-~$})".contains(c);
            let mut places = line.match_indices(root).map(|(at, _)| line[..at].chars().next_back());
            places.any(|before| before.is_none_or(begins))
        });
        found.extend(root.map(|root| format!("{}: {root} is a path of one machine", at + 1)));
    }
    found
}

pub fn merge_markers(_: &str, text: &str) -> Vec<String> {
    let marks = ["<<<<<<< ", ">>>>>>> ", "||||||| "];
    let lines = text.lines().enumerate();
    let marked = lines.filter(|(_, line)| marks.iter().any(|mark| line.starts_with(mark)));
    marked.map(|(at, _)| format!("{}: a merge marker", at + 1)).collect()
}

/// Modules that no parent declares: their tests would never run.
pub fn forgotten<'a>(paths: &[&str], text: &impl Fn(&str) -> &'a str) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| path.ends_with(".rs")) {
        let parents = parents(path);
        if parents.is_empty() {
            continue;
        }
        let name = module_name(path);
        let declared = parents.iter().any(|parent| declares(text(parent), name));
        if !declared {
            found.push(format!("{path}: no `mod {name};` in {}", parents.join(" or ")));
        }
    }
    found
}

/// Modules of the standard library that are not shipped: a script that requires them is refused.
pub fn not_shipped(paths: &[&str], table: &str) -> Vec<String> {
    let modules = paths.iter().filter(|path| {
        let inside = path.strip_prefix("stdlib/").filter(|path| path.ends_with(".luau"));
        inside.is_some_and(|path| !path.starts_with("tests/") && !path.starts_with("types/"))
    });
    let missing = modules.filter(|path| !table.contains(&format!("/{path}\"")));
    missing.map(|path| format!("{path}: is not in src/lua/stdlib.rs")).collect()
}

fn declares(text: &str, name: &str) -> bool {
    let wanted = format!("mod {name};");
    part_of(text, Part::Code).lines().any(|line| {
        let line = line.trim();
        line.strip_suffix(&wanted).is_some_and(|before| before.is_empty() || before.ends_with(' '))
    })
}

fn module_name(path: &str) -> &str {
    let path = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}

/// The files that may declare this one; none for the roots of crates.
fn parents(path: &str) -> Vec<String> {
    if ["src/lib.rs", "src/main.rs", "tests/it/main.rs"].contains(&path)
        || !(path.starts_with("src/") || path.starts_with("tests/it/"))
    {
        return Vec::new();
    }
    let module = path.strip_suffix("/mod.rs").unwrap_or(path);
    match module.rsplit_once('/').map(|(folder, _)| folder) {
        Some("src") => vec!["src/lib.rs".into()],
        Some("tests/it") => vec!["tests/it/main.rs".into()],
        Some(folder) => vec![format!("{folder}.rs"), format!("{folder}/mod.rs")],
        None => Vec::new(),
    }
}

#[test]
fn headers_are_asked_for() {
    super::table(
        header,
        &[
            ("src/a/mod.rs", "//! Things.\nuse x;", ""),
            ("src/a/mod.rs", "use x;", "opens with `//!`"),
            ("src/a/tests.rs", "", "opens with `//!`"),
            ("stdlib/a.luau", "--!strict\n-- Things.\n", ""),
            ("stdlib/a.luau", "--!strict\n--!optimize 2\n-- Things.\n", ""),
            ("stdlib/a.luau", "-- Things.\n", "opens with --!strict"),
            ("scripts/a.luau", "--!strict\nlocal x = 1\n", "what the file is for"),
            ("scripts/a.luau", "--!strict\n", "what the file is for"),
            ("stdlib/tests/golden/a.luau", "return {}", ""),
            ("docs/a.md", "Hello", ""),
        ],
    );
}

#[test]
fn lengths_are_counted() {
    let long_file = format!("//! x\n{}", "x\n".repeat(MAX_LINES));
    let long_line = format!("let x = {};", "1 + ".repeat(30));
    let long_text = format!("let x = \"{}\";", "a".repeat(100));
    let edge = "é".repeat(MAX_COLUMNS);
    super::table(
        lengths,
        &[
            ("src/a.rs", &long_file, "501 lines"),
            ("src/a.rs", &long_line, "1: 129 columns"),
            ("src/a.rs", &long_text, "columns"),
            ("src/a/tests.rs", &long_text, ""),
            ("src/a/tests.rs", &long_line, "columns"),
            ("src/a.rs", &edge, ""),
            ("stdlib/a.luau", &long_line, "columns"),
            ("stdlib/tests/golden/a.luau", &long_line, ""),
            ("docs/a.md", &long_line, ""),
        ],
    );
}

#[test]
fn paths_of_one_machine_are_found() {
    let path = concat!("see /ho", "me/ann/x");
    super::table(
        machine_paths,
        &[
            ("docs/a.md", path, "1: "),
            ("docs/a.md", concat!("cd /wo", "rk/main"), "a path of one machine"),
            ("docs/a.md", concat!("the frame", "work/ folder, ./wo", "rk/x and $X/wo", "rk/"), ""),
        ],
    );
}

#[test]
fn merge_markers_are_found() {
    super::table(
        merge_markers,
        &[
            ("src/a.rs", "x\n<<<<<<< HEAD\n", "2: a merge marker"),
            ("src/a.rs", "x\n>>>>>>> main\n", "2: a merge marker"),
            ("src/a.rs", "let x = 1 << 2; // <<<<<<< HEAD", ""),
        ],
    );
}

#[test]
fn modules_that_are_not_shipped_are_found() {
    let paths = ["stdlib/a.luau", "stdlib/a/b.luau", "stdlib/tests/c.luau", "stdlib/types/d.luau"];
    let table = "(\"@std/a\", include_str!(\"../../stdlib/a.luau\")),";
    assert_eq!(not_shipped(&paths, table), ["stdlib/a/b.luau: is not in src/lua/stdlib.rs"]);
    assert_eq!(not_shipped(&paths[..1], table), Vec::<String>::new());
}

#[test]
fn forgotten_modules_are_found() {
    let texts = [
        ("src/lib.rs", "pub mod a;"),
        ("src/a/mod.rs", "// mod gone;\nmod book;\n#[cfg(test)]\nmod tests;"),
        ("src/a/book.rs", "pub(crate) mod levels;"),
        ("src/a/book/levels.rs", ""),
        ("src/a/tests.rs", ""),
        ("src/a/gone.rs", ""),
        ("src/a/book/tests.rs", ""),
        ("src/b/mod.rs", ""),
        ("tests/it/lost.rs", ""),
    ];
    let paths: Vec<&str> = texts.iter().map(|(path, _)| *path).collect();
    let text =
        |wanted: &str| texts.iter().find(|(path, _)| *path == wanted).map_or("", |(_, text)| *text);
    let said = forgotten(&paths, &text);
    let lost: Vec<&str> = said.iter().map(|line| line.split(':').next().unwrap()).collect();
    let expected = ["src/a/gone.rs", "src/a/book/tests.rs", "src/b/mod.rs", "tests/it/lost.rs"];
    assert_eq!(lost, expected, "{said:?}");
}
