//! The names of the script API, and uses of `ctx` in a source that name none of them.
//!
//! This is no type checker: it finds `ctx.name`, `ctx:name` and the fields of `ctx:buy{…}`,
//! `ctx:sell{…}` and `ctx:replace(…, {…})` written as literals, wherever `ctx` is called `ctx`; and
//! the same of the venues' calls, `flowbtc.SendOrder{…}`.

pub mod calls;

use crate::base::names::nearest;

/// Members of `ctx` that are read: `ctx.now`.
pub const MEMBERS: &[&str] = &["now", "mode", "name", "version", "params", "state", "log"];

/// Methods of `ctx`: `ctx:buy`.
pub const METHODS: &[&str] = &[
    "buy",
    "sell",
    "cancel",
    "cancel_all",
    "replace",
    "flatten",
    "orders",
    "order",
    "position",
    "position_detail",
    "balance",
    "equity",
    "every",
    "after",
    "cancel_timer",
    "history",
    "instrument",
    "plot",
    "alert",
    "halt",
    "sleep",
    "remember",
    "recall",
];

/// Fields of an order as it is asked for.
pub const ORDER_FIELDS: &[&str] = &[
    "instrument",
    "qty",
    "price",
    "stop",
    "post_only",
    "reduce_only",
    "tif",
    "expires",
    "tag",
    "strict",
];

/// Fields of a replacement.
pub const REPLACE_FIELDS: &[&str] = &["price", "qty"];

/// Methods of `ctx.log`.
pub const LOG_LEVELS: &[&str] = &["debug", "info", "warn", "error"];

/// A use of a name that the API does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Use {
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// Uses of unknown names, in order of place.
#[must_use]
pub fn uses(text: &str) -> Vec<Use> {
    let code = blank_out(text);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("ctx") {
        if !is_word(&code, at, 3) {
            continue;
        }
        let rest = code.get(at + 3..).unwrap_or_default();
        let (known, sign): (Vec<&str>, &str) = match rest.chars().next() {
            Some('.') => (MEMBERS.iter().chain(METHODS).copied().collect(), "."),
            Some(':') => (METHODS.to_vec(), ":"),
            _ => continue,
        };
        let name = word(rest.get(1..).unwrap_or_default());
        let place = at + 4;
        if !name.is_empty() && !known.contains(&name) {
            found.push(unknown(text, place, &format!("ctx{sign}{name}"), name, &known));
            continue;
        }
        let after = place + name.len();
        match name {
            "buy" | "sell" => fields(text, &code, after, name, ORDER_FIELDS, &mut found),
            "replace" => fields(text, &code, after, name, REPLACE_FIELDS, &mut found),
            "log" => log_level(text, &code, after, &mut found),
            _ => {}
        }
    }
    calls::uses(text, &code, &mut found);
    found.sort_by_key(|found| (found.line, found.column));
    found
}

fn unknown(text: &str, at: usize, shown: &str, name: &str, known: &[&str]) -> Use {
    let near = nearest(name, known.iter().copied());
    let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    let (line, column) = place_of(text, at);
    Use { line, column, message: format!("there is no {shown}{hint}") }
}

fn log_level(text: &str, code: &str, at: usize, found: &mut Vec<Use>) {
    let rest = code.get(at..).unwrap_or_default();
    if let Some(rest) = rest.strip_prefix(':') {
        let level = word(rest);
        if !level.is_empty() && !LOG_LEVELS.contains(&level) {
            found.push(unknown(text, at + 1, &format!("ctx.log:{level}"), level, LOG_LEVELS));
        }
    }
}

/// The keys of the table literal in the call that starts at `at`, against the known ones.
fn fields(text: &str, code: &str, at: usize, method: &str, known: &[&str], found: &mut Vec<Use>) {
    let rest = code.get(at..).unwrap_or_default();
    let Some(open) = rest.find('{') else { return };
    // The literal belongs to this call: nothing but its other arguments stands before it.
    if rest.get(..open).is_none_or(|before| before.contains([';', '\n', ')'])) {
        return;
    }
    let mut depth = 0usize;
    let mut key = true;
    for (offset, c) in rest.get(open..).unwrap_or_default().char_indices() {
        let place = at + open + offset;
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            ',' | ';' if depth == 1 => key = true,
            c if depth == 1 && key && (c.is_alphabetic() || c == '_') => {
                key = false;
                let name = word(code.get(place..).unwrap_or_default());
                let next = code.get(place + name.len()..).unwrap_or_default().trim_start();
                let is_key = next.starts_with('=') && !next.starts_with("==");
                if is_key && !known.contains(&name) {
                    let shown = format!("field {name} in ctx:{method}");
                    found.push(unknown(text, place, &shown, name, known));
                }
            }
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Whether the text at `at` is a word of its own, not a part of one and not a field of something.
fn is_word(code: &str, at: usize, length: usize) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let before = code.get(..at).and_then(|text| text.chars().next_back());
    let after = code.get(at + length..).and_then(|text| text.chars().next());
    !before.is_some_and(|c| part(c) || c == '.' || c == ':') && !after.is_some_and(part)
}

fn place_of(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(1), u32::try_from(column).unwrap_or(1))
}

/// The source with comments and strings blanked out, every byte in its place.
fn blank_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let dead = if let Some(comment) = rest.strip_prefix("--") {
            let line = comment.find('\n').unwrap_or(comment.len());
            Some(2 + super::graph::long_bracket(comment).unwrap_or(line))
        } else if c == '[' {
            super::graph::long_bracket(rest)
        } else if matches!(c, '"' | '\'' | '`') {
            Some(super::graph::quoted(rest, c))
        } else {
            None
        };
        let length = dead.unwrap_or(c.len_utf8());
        let (passed, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if dead.is_some() {
            out.extend(passed.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        } else {
            out.push_str(passed);
        }
        rest = left;
    }
    out
}
