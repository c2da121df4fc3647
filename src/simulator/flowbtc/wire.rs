//! Bytes of FlowBTC's WebSocket as the server reads and writes them: frames, fields whose names
//! have no case, exact numbers. Written for the server alone; the client has a codec of its own.

use crate::base::{Decimal, decimal};
use crate::simulator::json::quote;
pub use crate::simulator::json::{Object, array, quoted, short};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a frame is for (FLOW-R05).
pub const REQUEST: u8 = 0;
pub const REPLY: u8 = 1;
pub const SUBSCRIBE: u8 = 2;
pub const EVENT: u8 = 3;
pub const UNSUBSCRIBE: u8 = 4;
pub const ERROR: u8 = 5;

/// How many times a text may be wrapped in a JSON string and still be read (FLOW-S02).
const WRAPPINGS: usize = 3;

/// Decimal places that AlphaPoint's own numbers are padded to (FLOW-P24).
const WIDE_PLACES: u32 = 28;

/// A text that is not what this protocol is made of; `what` says which part.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{what}")]
pub struct Malformed {
    pub what: String,
}

fn malformed(what: impl Into<String>) -> Malformed {
    Malformed { what: what.into() }
}

/// A frame as a client sent it. `i` is the number's own JSON, echoed as it is (FLOW-S02).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub m: u8,
    pub i: String,
    pub n: String,
    pub o: String,
}

impl Frame {
    /// Reads `{"m":0,"i":2,"n":"Ping","o":"{}"}`, also when the whole is a JSON string
    /// (FLOW-S02).
    ///
    /// # Errors
    /// When it is no JSON object, or a part has the wrong type.
    pub fn parse(text: &str) -> Result<Frame, Malformed> {
        let fields = Fields::parse(text)?;
        let m = fields.int("m")?.unwrap_or_default();
        let number = fields.raw("i").filter(|raw| !raw.starts_with(['{', '[', 't', 'f']));
        Ok(Frame {
            m: u8::try_from(m).map_err(|_| malformed("m is no message type"))?,
            i: number.unwrap_or("0").to_owned(),
            n: fields.text("n")?.ok_or_else(|| malformed("n is missing"))?,
            o: fields.text("o")?.unwrap_or_default(),
        })
    }
}

/// The text of a frame; `o` is a JSON document or plain text, sent as a string (FLOW-R04).
#[must_use]
pub fn frame(m: u8, i: &str, n: &str, o: &str) -> String {
    let mut text = String::with_capacity(o.len() + o.len() / 8 + n.len() + 48);
    let _ = write!(text, "{{\"m\":{m},\"i\":{i},\"n\":");
    quote(n, &mut text);
    text.push_str(",\"o\":");
    quote(o, &mut text);
    text.push('}');
    text
}

/// The named values of one object. Names have no case (FLOW-P03); `null` counts as absent; of two
/// values under one name the last counts.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    values: BTreeMap<String, Box<RawValue>>,
}

impl Fields {
    /// # Errors
    /// When the text is neither empty nor a JSON object.
    pub fn parse(text: &str) -> Result<Fields, Malformed> {
        let mut text = Cow::Borrowed(text.trim());
        for _ in 0..WRAPPINGS {
            if !text.starts_with('"') {
                break;
            }
            let inner: String = serde_json::from_str(&text)
                .map_err(|error| malformed(format!("not a JSON string: {error}")))?;
            text = Cow::Owned(inner.trim().to_owned());
        }
        if text.is_empty() || text == "null" {
            return Ok(Fields::default());
        }
        let values: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text)
            .map_err(|error| malformed(format!("not a JSON object: {error}")))?;
        let values = values.into_iter().map(|(key, raw)| (key.to_ascii_lowercase(), raw)).collect();
        Ok(Fields { values })
    }

    /// Names and texts of a query.
    #[must_use]
    pub fn of_pairs<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Fields {
        let raw = |text: &str| RawValue::from_string(quoted(text)).ok();
        let values = pairs.filter_map(|(key, text)| Some((key.to_ascii_lowercase(), raw(&text)?)));
        Fields { values: values.collect() }
    }

    /// Adds values; they count before those of the same name.
    pub fn add(&mut self, more: Fields) {
        self.values.extend(more.values);
    }

    /// The value's own JSON.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&str> {
        let raw = self.values.get(&key.to_ascii_lowercase())?.get();
        (raw != "null").then_some(raw)
    }

    /// A number or a numeric text, as its text.
    fn number(&self, key: &str) -> Result<Option<String>, Malformed> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        if raw.starts_with('"') {
            return self.text(key);
        }
        if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Ok(Some(raw.to_owned()));
        }
        Err(malformed(format!("{key} is not a number")))
    }

    /// A whole number, exactly (FLOW-F29); `5`, `"5"` and `5.0` are one.
    ///
    /// # Errors
    /// When the value is no whole number of 64 bits.
    pub fn int(&self, key: &str) -> Result<Option<i64>, Malformed> {
        let Some(text) = self.number(key)? else { return Ok(None) };
        if let Ok(value) = text.trim().parse() {
            return Ok(Some(value));
        }
        let whole = decimal::parse(&text).ok().filter(|value| value.fract().is_zero());
        let value = whole.and_then(|value| i64::try_from(value).ok());
        value.map(Some).ok_or_else(|| malformed(format!("{key} is not a whole number")))
    }

    /// An exact decimal.
    ///
    /// # Errors
    /// When the value is no number or does not fit 28 places.
    pub fn decimal(&self, key: &str) -> Result<Option<Decimal>, Malformed> {
        let Some(text) = self.number(key)? else { return Ok(None) };
        let value = decimal::parse(&text).map_err(|error| malformed(format!("{key}: {error}")))?;
        Ok(Some(value))
    }

    /// # Errors
    /// When the value is there and no string.
    pub fn text(&self, key: &str) -> Result<Option<String>, Malformed> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        let text = serde_json::from_str(raw);
        text.map(Some).map_err(|_| malformed(format!("{key} is not a string")))
    }

    /// `true` only for a JSON `true`, `1` or `"true"`.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.raw(key), Some("true" | "1" | "\"true\"" | "\"True\""))
    }
}

/// A decimal as AlphaPoint's own software prints the outcome of its arithmetic: padded with zeros
/// to 28 places or 29 digits, whichever comes first (FLOW-P24).
#[must_use]
pub fn wide(mut value: Decimal) -> String {
    value.rescale(WIDE_PLACES);
    value.to_string()
}

/// The generic reply (FLOW-R09, FLOW-R10); code 0 is success.
#[must_use]
pub fn generic(code: i64, message: Option<&str>, detail: Option<&str>) -> String {
    Object::new()
        .flag("result", code == 0)
        .text_or_null("errormsg", message)
        .int("errorcode", code)
        .text_or_null("detail", detail)
        .end()
}
