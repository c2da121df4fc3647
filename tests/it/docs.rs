//! The documentation against the program: examples load and run, commands parse, links lead
//! somewhere, generated pages are fresh.

mod blocks;
mod commands;
mod links;
mod reference;
mod refusals;

use crate::source::{self, File};

/// The pages that people read.
fn pages() -> Vec<File> {
    let is_page = |file: &File| {
        let page = file.path.starts_with("docs/") || !file.path.contains('/');
        page && file.path.ends_with(".md")
    };
    let pages: Vec<File> = source::files().into_iter().filter(is_page).collect();
    assert!(pages.len() > 5, "only {} pages were found", pages.len());
    pages
}

/// A fenced block: its first line in the page (from 1), what stands behind the fence, its text.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Block {
    line: usize,
    info: String,
    text: String,
}

fn fenced(page: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut inside = false;
    for (at, line) in page.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), inside) {
            (Some(info), false) => {
                found.push(Block { line: at + 2, info: info.trim().into(), text: String::new() });
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => {
                if let Some(block) = found.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            (None, false) => {}
        }
    }
    assert!(!inside, "a fence is never closed");
    found
}

/// The page without its fenced blocks.
fn outside_of_fences(page: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[test]
fn blocks_are_found_with_their_lines() {
    let page = "a\n```lua fragment\nx\ny\n```\nb\n```\nz\n```\n";
    let block = |line, info: &str, text: &str| Block { line, info: info.into(), text: text.into() };
    assert_eq!(fenced(page), [block(3, "lua fragment", "x\ny\n"), block(8, "", "z\n")]);
}

/// Guides exist in both languages, page for page, with the same examples.
#[test]
fn translations_have_the_same_pages_and_examples() {
    let pages = pages();
    let of = |language: &str| -> Vec<(String, Vec<Block>)> {
        let folder = format!("docs/guide/{language}/");
        let inside = pages.iter().filter_map(|file| {
            let name = file.path.strip_prefix(&folder)?;
            Some((name.to_owned(), fenced(&file.text)))
        });
        inside.collect()
    };
    let (english, portuguese) = (of("en"), of("pt-BR"));
    let names = |pages: &[(String, Vec<Block>)]| -> Vec<String> {
        pages.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&english), names(&portuguese));
    assert!(!english.is_empty(), "there is no guide");
    for ((name, ours), (_, theirs)) in english.iter().zip(&portuguese) {
        let shape = |blocks: &[Block]| -> Vec<String> {
            blocks.iter().map(|block| block.info.clone()).collect()
        };
        assert_eq!(shape(ours), shape(theirs), "{name}: the examples differ in kind or number");
    }
}

/// What the host gives to scripts is in the guide, in both languages.
#[test]
fn the_guide_names_every_handler_and_member() {
    use lunario::lua::api::{MEMBERS, METHODS, ORDER_FIELDS};
    let handlers = lunario::lua::load::HANDLERS.iter().map(|name| format!("`{name}("));
    let methods = METHODS.iter().map(|name| format!("`ctx:{name}"));
    let members = MEMBERS.iter().map(|name| format!("`ctx.{name}"));
    let fields = ORDER_FIELDS.iter().map(|name| format!("`{name}`"));
    let wanted: Vec<String> = handlers.chain(methods).chain(members).chain(fields).collect();
    for language in ["en", "pt-BR"] {
        let page = source::read(&format!("docs/guide/{language}/strategies.md"));
        let missing: Vec<&String> = wanted.iter().filter(|word| !page.contains(*word)).collect();
        assert!(missing.is_empty(), "{language}: {missing:?}");
    }
}
