//! The repository's own files as the tests of the house read them.

use std::fs;
use std::path::Path;

/// A text file: its path from the root, with `/`, and its text.
pub struct File {
    pub path: String,
    pub text: String,
}

/// Folders with what people wrote. What machines write (`target`, state folders) is left out.
const FOLDERS: &[&str] =
    &["src", "tests", "stdlib", "scripts", "docs", "benches", "examples", ".ci", ".github"];

/// What is read as text.
const ENDINGS: &[&str] =
    &["rs", "luau", "lua", "md", "toml", "py", "json", "csv", "svg", "sh", "yml", "yaml"];

/// Every text file of the repository, sorted by path.
pub fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            take(root, &path, &mut found);
        }
    }
    for folder in FOLDERS {
        walk(root, &root.join(folder), &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 50, "the root is not the repository's: {}", root.display());
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            take(root, &path, found);
        }
    }
}

fn take(root: &Path, path: &Path, found: &mut Vec<File>) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let plain = path.starts_with(root.join(".ci")) || name.starts_with("LICENSE");
    if name != "Cargo.lock" && (plain || ENDINGS.contains(&&*ending)) {
        let path_here = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(path).unwrap_or_else(|err| panic!("{path_here}: {err}"));
        found.push(File { path: path_here, text });
    }
}

/// One file's text.
pub fn read(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&full).unwrap_or_else(|err| panic!("{path}: {err}"))
}

/// Which parts of Rust text are looked at.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Part {
    /// Code alone.
    Code,
    /// Code and comments, without what stands in strings.
    CodeAndComments,
}

/// Rust text with the rest taken out: strings become `""`, comments vanish; lines stay in place.
pub fn part_of(text: &str, part: Part) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let before = at.checked_sub(1).map(|at| chars[at]);
        let taken = if rest.starts_with(&['/', '/']) {
            let end = rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
            comment(&rest[..end], part, &mut out)
        } else if rest.starts_with(&['/', '*']) {
            comment(&rest[..block_end(rest)], part, &mut out)
        } else if let Some(end) = raw_end(rest, before).or_else(|| string_end(rest)) {
            out.push_str("\"\"");
            newlines(&rest[..end], &mut out);
            end
        } else if let Some(end) = char_end(rest) {
            out.push_str("' '");
            end
        } else {
            out.push(rest[0]);
            1
        };
        at += taken;
    }
    out
}

fn comment(text: &[char], part: Part, out: &mut String) -> usize {
    match part {
        Part::Code => newlines(text, out),
        Part::CodeAndComments => out.extend(text),
    }
    text.len()
}

fn newlines(text: &[char], out: &mut String) {
    out.extend(text.iter().filter(|c| **c == '\n'));
}

fn block_end(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`, `br"…"`.
fn raw_end(rest: &[char], before: Option<char>) -> Option<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if rest[0] != 'r' || before.is_some_and(|c| word(c) && c != 'b' && c != 'c') {
        return None;
    }
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let from = 2 + hashes;
    let end = rest[from..].windows(close.len()).position(|window| window == close.as_slice());
    Some(end.map_or(rest.len(), |end| from + end + close.len()))
}

fn string_end(rest: &[char]) -> Option<usize> {
    if rest[0] != '"' {
        return None;
    }
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    Some((at + 1).min(rest.len()))
}

/// A character literal; a lifetime is none.
fn char_end(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', escaped @ ..] => {
            let close = escaped.iter().skip(1).position(|c| *c == '\'')?;
            Some(close + 4)
        }
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// The words of a text, each with its line (from 1): runs of letters, digits and `_`.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().flat_map(|(at, line)| {
        let parts = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        parts.filter(|word| !word.is_empty()).map(move |word| (at + 1, word))
    })
}

#[test]
fn strings_and_comments_are_told_from_code() {
    for (text, code, with_comments) in [
        ("a \"b // c\" d", "a \"\" d", "a \"\" d"),
        ("a // b \"c\"\nd", "a \nd", "a // b \"c\"\nd"),
        ("a /* b /* c */ d */ e", "a  e", "a /* b /* c */ d */ e"),
        ("let s = r#\"x \" y\"# + z", "let s = \"\" + z", "let s = \"\" + z"),
        ("var\"x\"", "var\"\"", "var\"\""),
        ("b'\"' 'a 'b' '\\'' \"\\\"\" x", "b' ' 'a ' ' ' ' \"\" x", "b' ' 'a ' ' ' ' \"\" x"),
        ("\"a\nb\" c", "\"\"\n c", "\"\"\n c"),
    ] {
        assert_eq!(part_of(text, Part::Code), code, "{text}");
        assert_eq!(part_of(text, Part::CodeAndComments), with_comments, "{text}");
    }
}
