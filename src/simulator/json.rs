//! JSON as the servers write it: fields in the order of the calls, numbers exact.

use crate::base::{Decimal, decimal};
use std::fmt::Write;

/// A decimal's shortest token: no exponent, no trailing zeros.
#[must_use]
pub fn short(value: Decimal) -> String {
    decimal::show(value)
}

/// A JSON object being written, its fields in the order of the calls.
#[derive(Clone, Debug)]
pub struct Object {
    text: String,
}

impl Object {
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Object {
        Object { text: String::from("{") }
    }

    fn key(&mut self, key: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        quote(key, &mut self.text);
        self.text.push(':');
    }

    #[must_use]
    pub fn int(mut self, key: &str, value: impl Into<i64>) -> Object {
        self.key(key);
        let _ = write!(self.text, "{}", value.into());
        self
    }

    #[must_use]
    pub fn text(mut self, key: &str, value: &str) -> Object {
        self.key(key);
        quote(value, &mut self.text);
        self
    }

    #[must_use]
    pub fn flag(self, key: &str, value: bool) -> Object {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// A text, or `null`.
    #[must_use]
    pub fn text_or_null(self, key: &str, value: Option<&str>) -> Object {
        match value {
            Some(text) => self.text(key, text),
            None => self.raw(key, "null"),
        }
    }

    #[must_use]
    pub fn dec(self, key: &str, value: Decimal) -> Object {
        let token = short(value);
        self.raw(key, &token)
    }

    /// A value that is JSON already.
    #[must_use]
    pub fn raw(mut self, key: &str, json: &str) -> Object {
        self.key(key);
        self.text.push_str(json);
        self
    }

    #[must_use]
    pub fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// A JSON array of values that are JSON already.
#[must_use]
pub fn array(items: impl IntoIterator<Item = String>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&item);
    }
    text.push(']');
    text
}

/// A text as a JSON string.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(text, &mut out);
    out
}

/// The same at the end of a text.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if u32::from(c) < 0x20 => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
