//! The names of the venues' documented calls as scripts write them, uses of a source that name none
//! of them, and which venues a source mentions at all.

use super::{Use, is_word, place_of, word};
use crate::calls::{self, Call, Field, Kind, VENUES};
use crate::lua::arguments::{nearest, refused_field};
use crate::lua::graph::{long_bracket, quoted};
use std::collections::BTreeSet;

/// A call's name as scripts write it: as this one did, where it may.
#[must_use]
pub fn shown(call: &Call, written: &str) -> String {
    let mut names = call.spelled().into_iter();
    let first = names.next().unwrap_or_default();
    names.find(|name| name == written).unwrap_or(first)
}

/// The names under which scripts find a venue's calls.
#[must_use]
pub fn names(venue: &str) -> Vec<String> {
    calls::of(venue).iter().flat_map(Call::spelled).collect()
}

/// The name of a call that was meant by one that there is not.
#[must_use]
pub fn near(venue: &str, name: &str) -> Option<String> {
    let names = names(venue);
    nearest(name, names.iter().map(String::as_str)).map(str::to_owned)
}

/// Unknown calls, and unknown fields of table literals in known ones. `code` is the text with
/// comments and strings blanked out. A venue's name that the source gives to something of its own
/// is passed over.
pub(super) fn uses(text: &str, code: &str, found: &mut Vec<Use>) {
    for venue in VENUES {
        if !code.contains(venue) || is_shadowed(code, venue) {
            continue;
        }
        for (at, _) in code.match_indices(venue) {
            if is_word(code, at, venue.len()) {
                one(Source { text, code, venue }, at, found);
            }
        }
    }
}

#[derive(Copy, Clone)]
struct Source<'a> {
    text: &'a str,
    code: &'a str,
    venue: &'static str,
}

impl Source<'_> {
    fn rest(&self, at: usize) -> &str {
        self.code.get(at..).unwrap_or_default()
    }

    fn byte(&self, at: usize) -> u8 {
        self.code.as_bytes().get(at).copied().unwrap_or_default()
    }

    fn find(&self, at: usize, message: String) -> Use {
        let (line, column) = place_of(self.text, at);
        Use { line, column, message }
    }
}

/// The use of the venue's name at `at`.
fn one(source: Source<'_>, at: usize, found: &mut Vec<Use>) {
    let venue = source.venue;
    let place = at + venue.len() + 1;
    let name = word(source.rest(place));
    let after = place + name.len();
    match source.byte(place - 1) {
        b'.' if !name.is_empty() => {}
        b':' if matches!(source.byte(after), b'(' | b'{') => {
            let message = format!("{venue}:{name} is called with a dot: {venue}.{name}");
            return found.push(source.find(place, message));
        }
        _ => return,
    }
    let Some(call) = calls::find(venue, name) else {
        let hint = near(venue, name).map(|near| format!("; did you mean \"{near}\"?"));
        let message = format!("there is no {venue}.{name}{}", hint.unwrap_or_default());
        return found.push(source.find(place, message));
    };
    let before = source.code.get(..at).unwrap_or_default().trim_end();
    let behind = source.rest(after).trim_start();
    let opener = behind.strip_prefix('(').or_else(|| {
        behind.strip_prefix(',').filter(|_| before.trim_end_matches('(').ends_with("pcall"))
    });
    let literal = opener.unwrap_or(behind).trim_start();
    if literal.starts_with('{') {
        let open = source.code.len() - literal.len();
        let of = format!("{venue}.{name}");
        table(source, open, &of, Shape::Fields(call.args), found);
    }
}

/// What a table literal holds, as far as the table of calls knows.
#[derive(Copy, Clone)]
enum Shape {
    Fields(&'static [Field]),
    List(&'static [Field]),
    Unknown,
}

impl Shape {
    fn of(kind: Kind) -> Shape {
        match kind {
            Kind::Object(fields) => Shape::Fields(fields),
            Kind::List(fields) | Kind::Keyed(fields) => Shape::List(fields),
            Kind::Int
            | Kind::Id
            | Kind::Dec
            | Kind::Text
            | Kind::Bool
            | Kind::Word(_)
            | Kind::Rows(_)
            | Kind::Numbers
            | Kind::Number
            | Kind::Stamp => Shape::Unknown,
        }
    }

    /// Of an element without a name.
    const fn element(self) -> Shape {
        match self {
            Shape::List(fields) => Shape::Fields(fields),
            Shape::Fields(_) | Shape::Unknown => Shape::Unknown,
        }
    }
}

/// Walks the table literal that opens at `open`; the place behind its end.
fn table(source: Source<'_>, open: usize, of: &str, shape: Shape, found: &mut Vec<Use>) -> usize {
    let (mut at, mut depth, mut fresh) = (open + 1, 0usize, true);
    let mut value = shape.element();
    loop {
        let byte = source.byte(at);
        match byte {
            0 => return at,
            b'}' if depth == 0 => return at + 1,
            // What is unknown is skipped over: this goes only as deep as the table of calls.
            b'{' if depth == 0 && !matches!(value, Shape::Unknown) => {
                at = table(source, at, of, value, found);
                (value, fresh) = (Shape::Unknown, false);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' | b';' if depth == 0 => {
                (value, fresh) = (shape.element(), true);
                at += 1;
                continue;
            }
            _ => {}
        }
        if fresh && depth == 0 && (byte.is_ascii_alphabetic() || byte == b'_') {
            let name = word(source.rest(at));
            let next = source.rest(at + name.len()).trim_start();
            let is_key = next.starts_with('=') && !next.starts_with("==");
            if is_key && let Shape::Fields(fields) = shape {
                value = field(source, at, of, fields, name, found);
            }
            if is_key {
                at = source.code.len() - next.len() + 1;
            } else {
                at += name.len();
            }
            fresh = false;
            continue;
        }
        fresh &= byte.is_ascii_whitespace();
        at += 1;
    }
}

/// What the field of this name holds; a name that there is not is found.
fn field(
    source: Source<'_>,
    at: usize,
    of: &str,
    fields: &'static [Field],
    name: &str,
    found: &mut Vec<Use>,
) -> Shape {
    if let Some(why) = refused_field(fields, name, "") {
        found.push(source.find(at, format!("{of}: {why}")));
    }
    let known = fields.iter().find(|field| field.name == name);
    known.map_or(Shape::Unknown, |field| Shape::of(field.kind))
}

/// Whether the name is one of the source's own: a local, a parameter.
fn is_shadowed(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let after = code.get(at + name.len()..).unwrap_or_default();
        let before = code.get(..at).unwrap_or_default().trim_end();
        is_word(code, at, name.len())
            && !after.starts_with(['.', '['])
            && ["local", "for", "function", ",", "("].iter().any(|sign| before.ends_with(sign))
    })
}

/// The venues whose calls a source may make: their names as words of its code, those between
/// backticks included. `_G` may be any of them.
pub(in crate::lua) fn venues(text: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let length = if let Some(comment) = rest.strip_prefix("--") {
            let line = comment.find('\n').unwrap_or(comment.len());
            2 + long_bracket(comment).unwrap_or(line)
        } else if let Some(length) = long_bracket(rest) {
            length
        } else if matches!(c, '"' | '\'') {
            quoted(rest, c)
        } else if c == '`' {
            let length = quoted(rest, c);
            let inside = rest.get(..length).unwrap_or_default();
            mentioned(inside.split(|c| !part(c)), &mut found);
            length
        } else if part(c) {
            let name = word(rest);
            mentioned([name].into_iter(), &mut found);
            name.len()
        } else {
            c.len_utf8()
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

fn mentioned<'a>(words: impl Iterator<Item = &'a str>, found: &mut BTreeSet<&'static str>) {
    for word in words {
        found.extend(VENUES.iter().filter(|venue| **venue == word || word == "_G"));
    }
}
