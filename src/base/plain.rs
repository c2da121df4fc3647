//! `Plain`: the only data that crosses Rust, Lua, the journal and versions of a script.

use super::{Decimal, decimal};
use std::fmt::Write;

/// Plain data. Maps keep their order, so that the same data gives the same bytes.
#[derive(Clone, PartialEq, Debug)]
pub enum Plain {
    Nil,
    Bool(bool),
    /// Exact 64-bit integers: ids, counters, times.
    Int(i64),
    /// Exact money.
    Decimal(Decimal),
    Number(f64),
    Text(String),
    List(Vec<Plain>),
    Map(Vec<(Plain, Plain)>),
    /// An object of a registered class (`ta.ema`): its class name and its fields.
    Object(String, Vec<(Plain, Plain)>),
}

impl Plain {
    /// A map with text keys.
    #[must_use]
    pub fn map(pairs: Vec<(&str, Plain)>) -> Plain {
        Plain::Map(pairs.into_iter().map(|(key, value)| (Plain::text(key), value)).collect())
    }

    #[must_use]
    pub fn text(text: impl Into<String>) -> Plain {
        Plain::Text(text.into())
    }

    /// The value under a text key of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Plain> {
        let (Plain::Map(pairs) | Plain::Object(_, pairs)) = self else { return None };
        pairs
            .iter()
            .find(|(k, _)| matches!(k, Plain::Text(text) if text == key))
            .map(|(_, value)| value)
    }

    /// JSON for people and the journal: decimals as exact strings, doubles in shortest form,
    /// keys as text, objects with a `"class"` key, NaN and infinities as `null`.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut String) {
        match self {
            Plain::Nil => out.push_str("null"),
            Plain::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Plain::Int(value) => drop(write!(out, "{value}")),
            Plain::Decimal(value) => quote_json(&decimal::show(*value), out),
            Plain::Number(value) if value.is_finite() => drop(write!(out, "{value}")),
            Plain::Number(_) => out.push_str("null"),
            Plain::Text(text) => quote_json(text, out),
            Plain::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    item.write_json(out);
                }
                out.push(']');
            }
            Plain::Map(pairs) => write_pairs(None, pairs, out),
            Plain::Object(class, pairs) => write_pairs(Some(class), pairs, out),
        }
    }
}

fn write_pairs(class: Option<&str>, pairs: &[(Plain, Plain)], out: &mut String) {
    out.push('{');
    if let Some(class) = class {
        out.push_str("\"class\":");
        quote_json(class, out);
    }
    for (at, (key, value)) in pairs.iter().enumerate() {
        if at > 0 || class.is_some() {
            out.push(',');
        }
        match key {
            Plain::Text(text) => quote_json(text, out),
            Plain::Nil
            | Plain::Bool(_)
            | Plain::Int(_)
            | Plain::Decimal(_)
            | Plain::Number(_)
            | Plain::List(_)
            | Plain::Map(_)
            | Plain::Object(..) => quote_json(key.json().trim_matches('"'), out),
        }
        out.push(':');
        value.write_json(out);
    }
    out.push('}');
}

fn quote_json(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
