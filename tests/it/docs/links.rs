//! Links between pages: the file is there, and so is the heading.

use super::pages;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// The targets of a page's links and images, each with its line (from 1). Fenced blocks and inline
/// code are passed over.
fn targets(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (at, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for (start, _) in prose.match_indices("](") {
            let rest = &prose[start + 2..];
            let target = rest.split(')').next().unwrap_or_default();
            let target = target.split_whitespace().next().unwrap_or_default();
            found.push((at + 1, target.to_owned()));
        }
    }
    found
}

/// The anchors of a page, as code forges make them from headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter_map(|line| {
        let text = line.trim_start_matches('#');
        (text.len() < line.len() && text.starts_with(' ')).then_some(text.trim())
    });
    headings.map(slug).collect()
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// What is wrong with a link of the page at `path`; `read` gives another file's text, if it exists.
fn wrong(path: &str, target: &str, read: &dyn Fn(&Path) -> Option<String>) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("mailto:") {
        return None;
    }
    if target.starts_with('/') || target.contains("://") {
        return Some(format!("{target} is neither relative nor https"));
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let here = Path::new(path);
    let file = match file {
        "" => here.to_path_buf(),
        file => normal(&here.parent().unwrap_or(Path::new("")).join(file))?,
    };
    let Some(text) = read(&file) else {
        return Some(format!("{target}: there is no {}", file.display()));
    };
    let known = anchor.is_empty() || anchors(&text).contains(anchor);
    (!known).then(|| format!("{target}: {} has no heading of that name", file.display()))
}

/// The path without `..`; one that leaves the repository is left as it is, and not found.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut steps = PathBuf::new();
    for step in path.components() {
        match step {
            Component::ParentDir => {
                steps.pop();
            }
            Component::Normal(name) => steps.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(steps)
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| {
        let full = root.join(path);
        full.is_dir().then(String::new).or_else(|| {
            std::fs::read(full).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        })
    };
    let mut found = Vec::new();
    for page in pages() {
        for (line, target) in targets(&page.text) {
            let said = wrong(&page.path, &target, &read);
            found.extend(said.map(|said| format!("{}:{line}: {said}", page.path)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Files named in inline code: `risk/codes.rs` may leave out `src/`.
fn named_files(page: &str) -> Vec<String> {
    let prose: String = super::outside_of_fences(page);
    let spans = prose.split('`').skip(1).step_by(2);
    let is_file = |span: &&str| {
        let ends = [".rs", ".luau", ".toml", ".py", ".md"].iter().any(|end| span.ends_with(end));
        ends && span.contains('/') && !span.contains([' ', '*', '{'])
    };
    spans.filter(is_file).map(str::to_owned).collect()
}

#[test]
fn files_named_by_the_architecture_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut gone = Vec::new();
    for page in ["docs/architecture.md", "CONTRIBUTING.md"] {
        let named = named_files(&crate::source::read(page));
        assert!(named.len() > 2, "{page} names {named:?}");
        let there =
            |name: &String| root.join(name).exists() || root.join("src").join(name).exists();
        gone.extend(named.into_iter().filter(|name| !there(name)));
    }
    assert!(gone.is_empty(), "there is no {}", gone.join(", "));
}

#[test]
fn broken_links_are_found() {
    let read = |path: &Path| match path.to_str() {
        Some("docs/a.md") => Some("# Big Words, and `code`\n".to_owned()),
        Some("README.md") => Some("# Here\n".to_owned()),
        _ => None,
    };
    for (page, target, expected) in [
        ("docs/a.md", "../README.md", ""),
        ("docs/a.md", "../README.md#here", ""),
        ("docs/a.md", "#big-words-and-code", ""),
        ("docs/a.md", "https://example.com/x", ""),
        ("docs/a.md", "b.md", "there is no docs/b.md"),
        ("docs/a.md", "#small", "no heading"),
        ("docs/a.md", "/docs/a.md", "neither relative nor https"),
        ("README.md", "docs/a.md#big-words-and-code", ""),
        ("README.md", "docs/a.md#nothing", "no heading"),
    ] {
        let said = wrong(page, target, &read).unwrap_or_default();
        let fits = if expected.is_empty() { said.is_empty() } else { said.contains(expected) };
        assert!(fits, "{page}: {target}\n  says {said:?}\n  not  {expected:?}");
    }
    let page = "[a](x.md) `[b](y.md)` ![c](z.svg \"t\")\n```\n[d](w.md)\n```\n";
    let named = named_files("`a/b.rs` `x y/z.rs` `c.rs`\n```\n`d/e.rs`\n```\n`stdlib/f.luau`");
    assert_eq!(named, ["a/b.rs", "stdlib/f.luau"]);
    let found: Vec<String> = targets(page).into_iter().map(|(_, target)| target).collect();
    assert_eq!(found, ["x.md", "z.svg"]);
}
