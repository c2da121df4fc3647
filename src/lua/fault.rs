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
    let column = source_line(sources, &file, line).map_or(0, |source| column_of(source, &text));
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
