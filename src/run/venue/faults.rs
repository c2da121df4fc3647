//! Which faults the served venues act out, from a file of TOML or a document of JSON.

use crate::base::{Span, names};
use crate::calls;
use crate::run::options::Unfit;
use crate::simulator::faults::{Fault, What, When};
use anyhow::Context;
use serde::Deserialize;
use std::path::Path;

/// The faults of every venue.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FaultPlan {
    pub flowbtc: Vec<Fault>,
    pub mercadobitcoin: Vec<Fault>,
    pub sentra: Vec<Fault>,
    /// How far Mercado Bitcoin's clock is ahead (MB-S07).
    pub skew: Span,
}

/// The words for what goes wrong, and which values each of them takes.
const WHATS: [(&str, &[&str]); 15] = [
    ("drop_before", &[]),
    ("drop_after", &[]),
    ("delay", &["ms"]),
    ("hold", &["ms"]),
    ("duplicate", &[]),
    ("reorder", &[]),
    ("lose_events", &[]),
    ("html", &["status"]),
    ("plain_text", &["text"]),
    ("truncate", &[]),
    ("too_many", &[]),
    ("not_found", &[]),
    ("logout_event", &[]),
    ("error", &["text"]),
    ("skew", &["seconds"]),
];

/// Longest `delay` and `hold`.
const LONGEST_MS: i64 = 3_600_000;
/// Farthest `skew`.
const FARTHEST_SECONDS: i64 = 366 * 86_400;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Row {
    venue: String,
    on: Option<String>,
    nth: Option<u32>,
    every: Option<u32>,
    what: String,
    ms: Option<i64>,
    status: Option<u16>,
    text: Option<String>,
    seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlFile {
    #[serde(default)]
    fault: Vec<toml::Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonDocument {
    #[serde(default)]
    fault: Vec<Row>,
}

impl FaultPlan {
    /// Reads a file of faults.
    ///
    /// # Errors
    /// When it cannot be read, or anything in it is wrong: with file and line.
    pub fn load(path: &Path) -> anyhow::Result<FaultPlan> {
        let text = std::fs::read_to_string(path)
            .with_context(|| Unfit(format!("--faults: cannot read {}", path.display())))?;
        FaultPlan::from_toml(&text)
            .map_err(|(line, why)| Unfit(format!("{}:{line}: {why}", path.display())).into())
    }

    /// A document of `[[fault]]` tables.
    ///
    /// # Errors
    /// The line and what is wrong there.
    pub fn from_toml(text: &str) -> Result<FaultPlan, (usize, String)> {
        let file: TomlFile = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            (line_at(text, start), error.message().trim_end().replace('\n', "; "))
        })?;
        let mut plan = FaultPlan::default();
        for row in file.fault {
            let line = line_at(text, row.span().start);
            plan.add(row.into_inner()).map_err(|why| (line, why))?;
        }
        Ok(plan)
    }

    /// The same as JSON: `{"fault": [{…}, …]}`.
    ///
    /// # Errors
    /// What is wrong, and in which fault, counted from 1.
    pub fn from_json(bytes: &[u8]) -> Result<FaultPlan, String> {
        let document: JsonDocument =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut plan = FaultPlan::default();
        for (place, row) in document.fault.into_iter().enumerate() {
            plan.add(row).map_err(|why| format!("fault {}: {why}", place + 1))?;
        }
        Ok(plan)
    }

    /// How many faults there are, a skewed clock not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flowbtc.len() + self.mercadobitcoin.len() + self.sentra.len()
    }

    /// Whether everything goes well.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.skew == Span::ZERO
    }

    fn add(&mut self, row: Row) -> Result<(), String> {
        let venue = one_of("venue", &row.venue, &calls::VENUES)?;
        let words = WHATS.map(|(word, _)| word);
        let what = one_of("what", &row.what, &words)?;
        let takes = WHATS.iter().find(|(word, _)| *word == what).map_or(&[][..], |(_, it)| *it);
        let given = [
            ("ms", row.ms.is_some()),
            ("status", row.status.is_some()),
            ("text", row.text.is_some()),
            ("seconds", row.seconds.is_some()),
        ];
        if let Some((key, _)) = given.iter().find(|(key, given)| *given && !takes.contains(key)) {
            return Err(format!("`{what}` takes no `{key}`"));
        }
        if what == "skew" {
            return self.skewed(venue, &row);
        }
        let on = match row.on.as_deref() {
            None | Some("*") => "*",
            Some(name) => call_of(venue, name)?,
        };
        let when = match (row.nth, row.every) {
            (None, None) => When::Every(1),
            (Some(nth), None) if nth > 0 => When::Nth(nth),
            (None, Some(every)) if every > 0 => When::Every(every),
            (Some(_), Some(_)) => return Err("give `nth` or `every`, not both".to_owned()),
            _ => return Err("`nth` and `every` count from 1".to_owned()),
        };
        let fault = Fault { on: on.to_owned(), when, what: what_of(what, row)? };
        match venue {
            "flowbtc" => self.flowbtc.push(fault),
            "mercadobitcoin" => self.mercadobitcoin.push(fault),
            _ => self.sentra.push(fault),
        }
        Ok(())
    }

    fn skewed(&mut self, venue: &str, row: &Row) -> Result<(), String> {
        if row.on.is_some() || row.nth.is_some() || row.every.is_some() {
            return Err("`skew` holds from the start; it takes `seconds` alone".to_owned());
        }
        self.skew = skew(venue, row.seconds)?;
        Ok(())
    }
}

/// How far a venue's clock is to be ahead.
///
/// # Errors
/// When the venue has no clock that a client sees, or the distance is missing or too far.
pub fn skew(venue: &str, seconds: Option<i64>) -> Result<Span, String> {
    if venue != "mercadobitcoin" {
        return Err(format!(
            "only mercadobitcoin shows its clock and minds that of its clients; {venue} has no \
             `skew`"
        ));
    }
    let seconds = seconds.ok_or("`skew` needs `seconds`, which may be negative")?;
    if seconds.saturating_abs() > FARTHEST_SECONDS {
        return Err(format!("`seconds` is {seconds}; a year at most"));
    }
    Ok(Span::from_secs(seconds))
}

fn what_of(what: &str, row: Row) -> Result<What, String> {
    let span = || {
        let ms = row.ms.ok_or_else(|| format!("`{what}` needs `ms`"))?;
        let fits = (1..=LONGEST_MS).contains(&ms);
        let wrong = || format!("`ms` is {ms}; from 1 to {LONGEST_MS}");
        fits.then(|| Span::from_millis(ms)).ok_or_else(wrong)
    };
    let text = || row.text.clone().ok_or_else(|| format!("`{what}` needs `text`"));
    Ok(match what {
        "drop_before" => What::DropBefore,
        "drop_after" => What::DropAfter,
        "delay" => What::Delay(span()?),
        "hold" => What::Hold(span()?),
        "duplicate" => What::Duplicate,
        "reorder" => What::Reorder,
        "lose_events" => What::LoseEvents,
        "html" => match row.status.unwrap_or(503) {
            status @ (500 | 502 | 503 | 504) => What::Html(status),
            status => return Err(format!("`status` is {status}; one of 500, 502, 503, 504")),
        },
        "plain_text" => What::PlainText(text()?),
        "truncate" => What::Truncate,
        "too_many" => What::TooMany,
        "not_found" => What::NotFound,
        "logout_event" => What::LogoutEvent,
        _ => What::Error(text()?),
    })
}

/// A call of the venue, as the table of calls writes it.
fn call_of(venue: &str, name: &str) -> Result<&'static str, String> {
    let known = || calls::of(venue).iter().map(|call| call.name);
    if let Some(found) = known().find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(found);
    }
    let meant = names::nearest(name, known()).map(|it| format!("; `{it}` is meant?"));
    Err(format!("{venue} has no call `{name}`{}", meant.unwrap_or_default()))
}

fn one_of<'a>(key: &str, word: &str, known: &[&'a str]) -> Result<&'a str, String> {
    if let Some(found) = known.iter().find(|known| **known == word) {
        return Ok(found);
    }
    if word.is_empty() {
        return Err(format!("`{key}` is missing; one of {}", known.join(", ")));
    }
    Err(match names::nearest(word, known.iter().copied()) {
        Some(meant) => format!("`{key}` is `{word}`; `{meant}` is meant?"),
        None => format!("`{key}` is `{word}`; one of {}", known.join(", ")),
    })
}

/// The line of a byte, from 1.
fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests;
