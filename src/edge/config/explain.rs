//! Slips in the file, told with file, line and cure.

use super::secret;
use crate::base::names;
use std::path::Path;

/// The line, from 1, in which the byte at `at` stands.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// An error of the parser in our words: file, line, the key and the nearest known one. Never the
/// line itself, which may hold a secret.
pub(super) fn explain(text: &str, path: &Path, error: &toml::de::Error) -> anyhow::Error {
    let start = error.span().map_or(0, |span| span.start);
    let message = error.message();
    let (line, why) = match message.strip_prefix("unknown field ") {
        Some(rest) => unknown(text, start, rest),
        None => (line_at(text, start), message.trim_end().replace('\n', "; ")),
    };
    anyhow::anyhow!("{}:{line}: {why}", path.display())
}

/// `` `key`, expected one of `a`, `b` `` with the line of the key and what was meant.
fn unknown(text: &str, start: usize, rest: &str) -> (usize, String) {
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let key = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    // The span may be of the whole table: the key is looked for from its start.
    let from = text.get(..start).map_or(0, |before| before.rfind('\n').map_or(0, |at| at + 1));
    let offset =
        text.get(from..).unwrap_or_default().split_inclusive('\n').scan(from, |at, line| {
            let here = *at;
            *at += line.len();
            Some((here, line))
        });
    let names_key = |line: &str| {
        let bare = line.trim_start().trim_start_matches('[');
        bare.split(['.', '=', ']', ' ']).any(|word| word.trim_matches('"') == key)
    };
    let line = offset
        .into_iter()
        .find(|(_, line)| names_key(line))
        .map_or_else(|| line_at(text, start), |(at, _)| line_at(text, at));
    let hint = if known.contains(&format!("{key}_env").as_str()) {
        let what = secret::word(key);
        format!(
            "the {what} does not belong into this file; name a variable with {key}_env, or a file \
             that only you can read with {key}_file"
        )
    } else if let Some(near) = names::nearest(key, known.iter().copied()) {
        format!("did you mean `{near}`?")
    } else {
        format!("known here: {}", known.join(", "))
    };
    (line, format!("unknown key `{key}`; {hint}"))
}
