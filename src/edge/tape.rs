//! Recorded market data from CSV files: trades, quotes and book changes, exact and in time order.
//!
//! Times without a zone are UTC. Every error names the file, the line and the column, and what to
//! do.

mod cells;
mod events;
mod sheet;
mod trades;

use crate::base::Time;
use anyhow::bail;
use sheet::Sheet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

pub use events::{BookCsv, QuotesCsv};
pub use trades::TradesCsv;

/// How a file writes its times.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum TimeUnit {
    Seconds,
    Millis,
    Micros,
    Nanos,
    /// `2024-08-09T00:00:00.164Z` and the like.
    Iso,
}

impl TimeUnit {
    /// The unit in which an integer is a time between 1973 and 5138.
    #[must_use]
    pub fn of(value: i64) -> TimeUnit {
        match value.unsigned_abs() {
            0..100_000_000_000 => TimeUnit::Seconds,
            100_000_000_000..100_000_000_000_000 => TimeUnit::Millis,
            100_000_000_000_000..100_000_000_000_000_000 => TimeUnit::Micros,
            100_000_000_000_000_000.. => TimeUnit::Nanos,
        }
    }

    /// Nanoseconds in one; 0 for ISO 8601, which has no unit.
    pub(super) const fn nanos(self) -> i64 {
        match self {
            TimeUnit::Seconds => 1_000_000_000,
            TimeUnit::Millis => 1_000_000,
            TimeUnit::Micros => 1_000,
            TimeUnit::Nanos => 1,
            TimeUnit::Iso => 0,
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeUnit::Seconds => "s",
            TimeUnit::Millis => "ms",
            TimeUnit::Micros => "us",
            TimeUnit::Nanos => "ns",
            TimeUnit::Iso => "ISO 8601",
        })
    }
}

impl FromStr for TimeUnit {
    type Err = String;

    fn from_str(text: &str) -> Result<TimeUnit, String> {
        match text {
            "s" => Ok(TimeUnit::Seconds),
            "ms" => Ok(TimeUnit::Millis),
            "us" => Ok(TimeUnit::Micros),
            "ns" => Ok(TimeUnit::Nanos),
            other => Err(format!("`{other}` is no time unit; write s, ms, us or ns")),
        }
    }
}

/// What a feed file holds.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum FeedKind {
    Trades,
    Quotes,
    Book,
}

impl FeedKind {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            FeedKind::Trades => "trades",
            FeedKind::Quotes => "quotes",
            FeedKind::Book => "book",
        }
    }
}

/// Tells what a CSV file holds by its header (`bid` and `ask`: quotes; `snapshot`, or a first row
/// whose side is bid or ask: book; else trades).
///
/// # Errors
/// When the file cannot be read or its header is none of these.
pub fn detect(path: &Path) -> anyhow::Result<FeedKind> {
    let mut sheet = Sheet::open(path)?;
    if sheet.has("bid") && sheet.has("ask") {
        return Ok(FeedKind::Quotes);
    }
    if !(sheet.has("price") && sheet.has("qty")) {
        bail!(
            "{}: the header `{}` is of no known feed; a trades file has \
             `time,price,qty[,side][,id]`, \
             a quotes file `time,bid,bid_qty,ask,ask_qty`, a book file \
             `time,side,price,qty[,snapshot]`",
            path.display(),
            sheet.header()
        );
    }
    if sheet.has("snapshot") {
        return Ok(FeedKind::Book);
    }
    let Some(at) = sheet.place("side") else { return Ok(FeedKind::Trades) };
    let is_book = sheet.next_line()?
        && sheet.cells()?.get(at).is_some_and(|side| cells::book_side(side).is_some());
    Ok(if is_book { FeedKind::Book } else { FeedKind::Trades })
}

/// A time as users write it on the command line: ISO 8601 (UTC where no zone is given), a date, or
/// an integer whose unit is told by its size.
#[must_use]
pub fn parse_time(text: &str) -> Option<Time> {
    let unit = match text.parse::<i64>() {
        Ok(value) => TimeUnit::of(value),
        Err(_) => TimeUnit::Iso,
    };
    cells::time(text.trim(), unit).ok()
}

#[cfg(test)]
mod tests;
