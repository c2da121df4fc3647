//! Where a script's failure is: file, line and column out of the VM's messages.

use crate::base::Time;
use crate::desk::{Fault, FaultKind};
use std::collections::BTreeMap;

/// The most of a message or a traceback that is kept.
const MAX_TEXT: usize = 4_000;

/// Builds a fault from a VM's message, finding its place in the sources.
#[must_use]
pub fn fault(
    kind: FaultKind,
    handler: &str,
    message: &str,
    traceback: &str,
    sources: &BTreeMap<String, String>,
    at: Time,
) -> Fault {
    let message = clip(message);
    let (file, line, text) = place(&message, sources)
        .or_else(|| {
            trace_place(traceback, sources).map(|(file, line)| (file, line, message.clone()))
        })
        .unwrap_or_else(|| {
            (sources.keys().next().cloned().unwrap_or_default(), 0, message.clone())
        });
    let column = sources.get(&file).and_then(|source| syntax_column(source, line, &text));
    let column = column.unwrap_or_else(|| {
        source_line(sources, &file, line).map_or(0, |source| column_of(source, &text))
    });
    Fault {
        kind,
        handler: handler.to_owned(),
        message: text,
        file,
        line,
        column,
        traceback: clip(traceback),
        at,
    }
}

fn clip(text: &str) -> String {
    let mut clipped: String = text.trim().chars().take(MAX_TEXT).collect();
    if clipped.len() < text.trim().len() {
        clipped.push('…');
    }
    clipped
}

/// `file:line: text` at the start of a message, where `file` is one of the sources.
fn place(message: &str, sources: &BTreeMap<String, String>) -> Option<(String, u32, String)> {
    let message = message.strip_prefix("syntax error: ").unwrap_or(message);
    sources
        .keys()
        .filter_map(|file| {
            let rest = message.strip_prefix(file.as_str())?.strip_prefix(':')?;
            let (line, text) = rest.split_once(':')?;
            Some((file.clone(), line.trim().parse().ok()?, text.trim().to_owned()))
        })
        .next()
}

/// The innermost line of a traceback that is in one of the sources.
fn trace_place(traceback: &str, sources: &BTreeMap<String, String>) -> Option<(String, u32)> {
    traceback.lines().find_map(|entry| {
        sources.keys().find_map(|file| {
            let (_, rest) = entry.split_once(&format!("{file}:"))?;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Some((file.clone(), digits.parse().ok()?))
        })
    })
}

/// The text of a line (from 1) of a source.
#[must_use]
pub fn source_line<'a>(
    sources: &'a BTreeMap<String, String>,
    file: &str,
    line: u32,
) -> Option<&'a str> {
    let before = usize::try_from(line).ok()?.checked_sub(1)?;
    sources.get(file)?.lines().nth(before)
}

/// Where a line has the token at which the parser stopped several times: the compiler says the same
/// of the source cut off behind the right one, and something else of it cut off behind one before.
fn syntax_column(source: &str, line: u32, message: &str) -> Option<u32> {
    /// Each is a compilation.
    const TRIES: usize = 16;
    let token = message.rsplit_once("got '")?.1.split('\'').next().filter(|got| !got.is_empty())?;
    let above = usize::try_from(line).ok()?.checked_sub(1)?;
    let start: usize = source.split_inclusive('\n').take(above).map(str::len).sum();
    let text = source.get(start..)?.lines().next()?;
    let mut places = text.match_indices(token).take(TRIES);
    let (at, _) = places.find(|(at, _)| {
        let cut = source.get(..start + at + token.len()).unwrap_or_default();
        let said = mlua::chunk::Compiler::new().compile(cut).err().map(|error| error.to_string());
        said.is_some_and(|said| said.trim_end().ends_with(&format!(" {line}: {message}")))
    })?;
    u32::try_from(text.get(..at)?.chars().count() + 1).ok()
}

/// The VM tells lines only. The column is that of the word the message quotes, where the line has
/// it, else of the first character that is not blank. From 1.
fn column_of(source: &str, message: &str) -> u32 {
    let column = |at: usize| u32::try_from(at + 1).unwrap_or(0);
    let quoted = message.split(['\'', '"', '`']).skip(1).step_by(2);
    // What the parser got instead comes last, and is what stands at the place.
    let mut words: Vec<&str> = quoted.filter(|word| !word.is_empty()).collect();
    words.reverse();
    for word in words {
        if let Some(at) = source.find(word) {
            return column(source.get(..at).unwrap_or_default().chars().count());
        }
    }
    let got = message.rsplit_once("got ").map(|(_, word)| word.trim());
    if let Some(at) = got.filter(|word| !word.is_empty()).and_then(|word| source.find(word)) {
        return column(source.get(..at).unwrap_or_default().chars().count());
    }
    column(source.chars().take_while(|c| c.is_whitespace()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of the error in the only line of a script.
    fn column(line: &str) -> u32 {
        let source = format!("local s = {{}}\n{line}\nreturn s\n");
        let error = mlua::chunk::Compiler::new().compile(&source).unwrap_err().to_string();
        let message = error.replace("syntax error: ", "a.luau:");
        let sources = BTreeMap::from([("a.luau".to_owned(), source)]);
        let fault = fault(FaultKind::Error, "load", &message, "", &sources, Time::ZERO);
        assert_eq!((fault.file.as_str(), fault.line), ("a.luau", 2), "{error}");
        fault.column
    }

    #[test]
    fn a_token_that_stands_several_times_is_pointed_at_where_the_parser_stopped() {
        for (line, expected) in [
            ("local x = = 3", 11),
            ("\tlocal x = \"é\" = = 3", 16),
            ("f((1), (2)))", 12),
            ("if s then end end", 15),
            ("local t = { 1, 2, , 3 }", 19),
            ("local t = 1 2 3", 13),
        ] {
            assert_eq!(column(line), expected, "{line}");
        }
    }
}
