//! The wire's grammar: frames with their double encoding, objects with case-insensitive keys,
//! rows, and the cells in them: exact decimals, 64-bit ids, times. What the payloads mean is in
//! `payload`.

use crate::base::{Decimal, Time, decimal};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

#[cfg(test)]
mod tests;

/// What a frame is (FLOW-R05). `Subscribe` and `Unsubscribe` (2, 4) are never used (FLOW-P02).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum FrameKind {
    Request,
    Reply,
    Event,
    Error,
    Other(u8),
}

/// One frame. `body` is the document that was encoded as a string in `o`; it may be plain text
/// instead of JSON (FLOW-P04).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    pub kind: FrameKind,
    /// Echoes the request's number in replies and errors; means nothing in events.
    pub number: i64,
    pub name: Cow<'a, str>,
    pub body: Cow<'a, str>,
}

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("not a frame: {0}")]
    NotAFrame(String),
    #[error("not an object: {0}")]
    NotAnObject(String),
    #[error("not rows: {0}")]
    NotRows(String),
    #[error("`{key}` is missing")]
    Missing { key: &'static str },
    #[error("`{key}` is `{text}`")]
    Bad { key: &'static str, text: String },
}

/// The start of a text, for messages.
pub(in crate::venue) fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[derive(Deserialize)]
struct PlainFrame<'a> {
    m: u8,
    #[serde(default)]
    i: i64,
    #[serde(borrow)]
    n: Cow<'a, str>,
    #[serde(borrow)]
    o: Cow<'a, str>,
}

impl<'a> Frame<'a> {
    /// Reads a frame. Keys in another case, an `o` that is not a string and numbers in quotes are
    /// accepted on a slower way.
    ///
    /// # Errors
    /// When the text is no JSON object with an `m`: an HTML page, `TOO MANY REQUESTS` (FLOW-P13).
    pub fn read(text: &'a str) -> Result<Frame<'a>, WireError> {
        if let Ok(PlainFrame { m, i, n, o }) = serde_json::from_str(text) {
            return Ok(Frame { kind: FrameKind::of(m), number: i, name: n, body: o });
        }
        let fields = Fields::read(text).map_err(|_| WireError::NotAFrame(short(text)))?;
        let m = fields.int("m").ok().and_then(|m| u8::try_from(m).ok());
        let kind = m.map(FrameKind::of).ok_or_else(|| WireError::NotAFrame(short(text)))?;
        let body = match fields.raw("o") {
            Some(raw) => text_of(raw).unwrap_or(Cow::Borrowed(raw)),
            None => Cow::Borrowed(""),
        };
        let number = fields.int("i").unwrap_or(0);
        Ok(Frame { kind, number, name: fields.text("n").unwrap_or_default(), body })
    }
}

impl FrameKind {
    fn of(m: u8) -> FrameKind {
        match m {
            0 => FrameKind::Request,
            1 => FrameKind::Reply,
            3 => FrameKind::Event,
            5 => FrameKind::Error,
            other => FrameKind::Other(other),
        }
    }
}

/// The text of a request frame: type 0, with the body encoded as a string (FLOW-R04, FLOW-F07).
#[must_use]
pub fn request(number: i64, name: &str, body: &str) -> String {
    let mut out = String::with_capacity(body.len() + body.len() / 4 + name.len() + 48);
    out.push_str(r#"{"m":0,"i":"#);
    out.push_str(&number.to_string());
    out.push_str(r#","n":"#);
    out.push_str(&quoted(name));
    out.push_str(r#","o":"#);
    out.push_str(&quoted(body));
    out.push('}');
    out
}

/// The text as a JSON string.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A JSON object whose keys match in any case (FLOW-P03, FLOW-F28); values stay as written.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Fields<'a> {
    /// Reads an object. An array gives its first element, and an object with both `status` and
    /// `data` gives what is in `data` (FLOW-F01, FLOW-F19).
    ///
    /// # Errors
    /// When the text is no JSON object.
    pub fn read(text: &'a str) -> Result<Fields<'a>, WireError> {
        let fail = || WireError::NotAnObject(short(text));
        if text.trim_start().starts_with('[') {
            let items = items(text)?;
            return Fields::read(items.first().ok_or_else(fail)?);
        }
        let fields: Fields<'a> = serde_json::from_str(text).map_err(|_| fail())?;
        match (fields.raw("status"), fields.raw("data")) {
            (Some(_), Some(data)) if data.starts_with(['{', '[']) => Fields::read(data),
            _ => Ok(fields),
        }
    }

    /// The value as it is written; absent and `null` are the same.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(name, _)| name.len() == key.len() && name.eq_ignore_ascii_case(key))
            .map(|(_, raw)| *raw)
            .filter(|raw| *raw != "null")
    }

    /// # Errors
    /// When it is missing or no integer.
    pub fn int(&self, key: &'static str) -> Result<i64, WireError> {
        self.required(key, int_of)
    }

    /// # Errors
    /// When it is missing or no exact decimal.
    pub fn dec(&self, key: &'static str) -> Result<Decimal, WireError> {
        self.required(key, dec_of)
    }

    /// # Errors
    /// When it is missing or no string.
    pub fn text(&self, key: &'static str) -> Result<Cow<'a, str>, WireError> {
        self.required(key, text_of)
    }

    /// An integer that may be missing; 0 is "none" (FLOW-F27).
    #[must_use]
    pub fn id(&self, key: &str) -> Option<i64> {
        self.raw(key).and_then(int_of).filter(|id| *id != 0)
    }

    /// A decimal that may be missing.
    ///
    /// # Errors
    /// When it is there and cannot be read exactly.
    pub fn dec_or_none(&self, key: &'static str) -> Result<Option<Decimal>, WireError> {
        match self.raw(key) {
            Some(_) => self.dec(key).map(Some),
            None => Ok(None),
        }
    }

    /// A text that may be missing; also numbers and booleans, as written.
    #[must_use]
    pub fn word(&self, key: &str) -> Option<Cow<'a, str>> {
        self.raw(key).map(|raw| text_of(raw).unwrap_or(Cow::Borrowed(raw)))
    }

    #[must_use]
    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.raw(key)?.trim_matches('"') {
            "true" | "True" | "1" => Some(true),
            "false" | "False" | "0" => Some(false),
            _ => None,
        }
    }

    /// A time in whichever unit it is; `None` when missing or unknown (FLOW-F10).
    #[must_use]
    pub fn time(&self, key: &str) -> Option<Time> {
        self.raw(key).and_then(int_of).and_then(time_of)
    }

    fn required<T>(
        &self,
        key: &'static str,
        read: impl Fn(&'a str) -> Option<T>,
    ) -> Result<T, WireError> {
        let raw = self.raw(key).ok_or(WireError::Missing { key })?;
        read(raw).ok_or_else(|| WireError::Bad { key, text: short(raw) })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(Cow<'de, str>, &'de str)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(32);
                while let Some((key, raw)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    pairs.push((key.0, raw.get()));
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Pairs).map(Fields)
    }
}

/// A key, borrowed unless it holds an escape.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// The most cells a row of any kind has (trade rows: 11).
const CELLS: usize = 12;

/// One row of an array of arrays; cells as written. Cells past the twelfth are skipped.
#[derive(Copy, Clone, Debug)]
pub struct Row<'a> {
    cells: [&'a str; CELLS],
    len: usize,
}

impl<'a> Row<'a> {
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[must_use]
    pub fn raw(&self, at: usize) -> Option<&'a str> {
        self.cells.get(at).copied().filter(|raw| at < self.len && *raw != "null")
    }

    /// # Errors
    /// When the cell is missing or no integer; `key` names it in the message.
    pub fn int(&self, at: usize, key: &'static str) -> Result<i64, WireError> {
        let raw = self.raw(at).ok_or(WireError::Missing { key })?;
        int_of(raw).ok_or_else(|| WireError::Bad { key, text: short(raw) })
    }

    /// # Errors
    /// When the cell is missing or no exact decimal.
    pub fn dec(&self, at: usize, key: &'static str) -> Result<Decimal, WireError> {
        let raw = self.raw(at).ok_or(WireError::Missing { key })?;
        dec_of(raw).ok_or_else(|| WireError::Bad { key, text: short(raw) })
    }

    #[must_use]
    pub fn time(&self, at: usize) -> Option<Time> {
        self.raw(at).and_then(int_of).and_then(time_of)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Cells;
        impl<'de> Visitor<'de> for Cells {
            type Value = Row<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut row = Row { cells: [""; CELLS], len: 0 };
                while let Some(raw) = seq.next_element::<&'de RawValue>()? {
                    if let Some(cell) = row.cells.get_mut(row.len) {
                        *cell = raw.get();
                        row.len += 1;
                    }
                }
                Ok(row)
            }
        }
        deserializer.deserialize_seq(Cells)
    }
}

/// An array of rows.
///
/// # Errors
/// When the text is no array of arrays.
pub fn rows(text: &str) -> Result<Vec<Row<'_>>, WireError> {
    serde_json::from_str(text).map_err(|_| WireError::NotRows(short(text)))
}

/// The elements of an array, as written. An object counts as an array of itself (FLOW-F19).
///
/// # Errors
/// When the text is neither.
pub fn items(text: &str) -> Result<Vec<&str>, WireError> {
    if text.trim_start().starts_with('{') {
        return Ok(vec![text]);
    }
    let items: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|_| WireError::NotRows(short(text)))?;
    Ok(items.into_iter().map(RawValue::get).collect())
}

/// The inside of a JSON string.
pub(in crate::venue) fn text_of(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// A whole number, in quotes or not, with or without an empty fraction. Never through a double.
pub(in crate::venue) fn int_of(raw: &str) -> Option<i64> {
    let digits = raw.trim_matches('"');
    if let Ok(value) = digits.parse() {
        return Some(value);
    }
    let whole = decimal::parse(digits).ok()?.trunc();
    decimal::mantissa_at(whole, 0)
}

/// An exact decimal, as a number or in quotes (FLOW-P24).
pub(in crate::venue) fn dec_of(raw: &str) -> Option<Decimal> {
    decimal::parse(raw.trim_matches('"')).ok()
}

/// .NET ticks (100 ns since year 1) at 1970-01-01.
const TICKS_AT_EPOCH: i64 = 621_355_968_000_000_000;

/// A time by its magnitude: seconds, milliseconds, microseconds, ticks or nanoseconds (FLOW-F10).
/// `None` for 0, negatives and magnitudes that mean nothing.
#[must_use]
pub fn time_of(raw: i64) -> Option<Time> {
    let nanos = match raw {
        ..=0 => None,
        1..100_000_000_000 => raw.checked_mul(1_000_000_000),
        100_000_000_000..100_000_000_000_000 => raw.checked_mul(1_000_000),
        100_000_000_000_000..100_000_000_000_000_000 => raw.checked_mul(1_000),
        400_000_000_000_000_000..700_000_000_000_000_000 => {
            raw.checked_sub(TICKS_AT_EPOCH)?.checked_mul(100)
        }
        900_000_000_000_000_000.. => Some(raw),
        _ => None,
    };
    nanos.map(Time::from_nanos)
}
