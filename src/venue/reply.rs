//! Bodies of raw calls: JSON to plain data and back, numbers exact, shaped by the table of calls.
//! Ids become text, fields that are the host's alone never reach a script.

use crate::base::{Plain, decimal};
use crate::calls::{By, Call, Field, Kind, Reply};
use crate::venue::flowbtc::wire::quoted;
use serde_json::value::RawValue;
use std::fmt::Write;

#[cfg(test)]
mod tests;

/// How deep a reply may nest.
const DEEPEST: usize = 16;

/// A JSON text as plain data: whole numbers are `Int`, others `Decimal`, those no decimal holds
/// `Number`. Objects keep the order of their keys.
///
/// # Errors
/// When it is no JSON, or nests too deep.
pub fn plain(json: &str) -> Result<Plain, String> {
    let raw: &RawValue = serde_json::from_str(json).map_err(|error| error.to_string())?;
    read(raw, 0)
}

fn read(raw: &RawValue, depth: usize) -> Result<Plain, String> {
    if depth > DEEPEST {
        return Err(format!("nests deeper than {DEEPEST} levels"));
    }
    let text = raw.get().trim();
    let wrong = |error: serde_json::Error| error.to_string();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let pairs: Pairs<'_> = serde_json::from_str(text).map_err(wrong)?;
            let pairs = pairs.0.into_iter();
            let read = pairs.map(|(key, raw)| Ok((Plain::Text(key), read(raw, depth + 1)?)));
            Plain::Map(read.collect::<Result<_, String>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let read = items.into_iter().map(|raw| read(raw, depth + 1));
            Plain::List(read.collect::<Result<_, String>>()?)
        }
        Some(b'"') => Plain::Text(serde_json::from_str(text).map_err(wrong)?),
        Some(b't') => Plain::Bool(true),
        Some(b'f') => Plain::Bool(false),
        Some(b'n') | None => Plain::Nil,
        Some(_) => number(text),
    })
}

fn number(text: &str) -> Plain {
    if let Ok(whole) = text.parse::<i64>() {
        return Plain::Int(whole);
    }
    match decimal::parse(text) {
        Ok(value) => Plain::Decimal(value),
        Err(_) => Plain::Number(text.parse().unwrap_or(f64::NAN)),
    }
}

/// The members of an object in their order.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(Members)
    }
}

/// A reply as scripts get it: documented fields under their documented names whatever their case
/// on the wire (FLOW-P03), ids as text, fields of the host left out. Fields outside the document
/// stay as they came.
#[must_use]
pub fn shaped(call: &Call, reply: Plain) -> Plain {
    match call.reply {
        Reply::Receipt | Reply::Numbers => reply,
        Reply::Object(fields) => object(fields, reply),
        Reply::Objects(fields) => each(reply, &|item| object(fields, item)),
        Reply::Rows(columns) => each(reply, &|row| cells(columns, row)),
        Reply::Keyed(fields) => keyed(fields, reply),
    }
}

fn each(list: Plain, shape: &dyn Fn(Plain) -> Plain) -> Plain {
    let Plain::List(items) = list else { return list };
    Plain::List(items.into_iter().map(shape).collect())
}

fn keyed(fields: &'static [Field], reply: Plain) -> Plain {
    let Plain::Map(pairs) = reply else { return reply };
    let shape = |(key, value)| (key, object(fields, value));
    Plain::Map(pairs.into_iter().map(shape).collect())
}

fn object(fields: &'static [Field], reply: Plain) -> Plain {
    let Plain::Map(pairs) = reply else { return reply };
    let documented = |key: &Plain| {
        let Plain::Text(key) = key else { return None };
        fields.iter().find(|field| field.name.eq_ignore_ascii_case(key))
    };
    let shape = |(key, value)| match documented(&key) {
        Some(field) if field.by == By::Host => None,
        Some(field) => Some((Plain::text(field.name), kind(field.kind, value))),
        None => Some((key, value)),
    };
    Plain::Map(pairs.into_iter().filter_map(shape).collect())
}

fn cells(columns: &'static [Field], row: Plain) -> Plain {
    let Plain::List(cells) = row else { return row };
    let kinds = columns.iter().map(|column| Some(column.kind)).chain(std::iter::repeat(None));
    let shape = |(cell, of): (Plain, Option<Kind>)| match of {
        Some(of) => kind(of, cell),
        None => cell,
    };
    Plain::List(cells.into_iter().zip(kinds).map(shape).collect())
}

fn kind(kind: Kind, value: Plain) -> Plain {
    match (kind, value) {
        (Kind::Id, Plain::Int(id)) => Plain::Text(id.to_string()),
        (Kind::Object(fields), value) => object(fields, value),
        (Kind::List(fields), value) => each(value, &|item| object(fields, item)),
        (Kind::Keyed(fields), value) => keyed(fields, value),
        (Kind::Rows(columns), value) => each(value, &|row| cells(columns, row)),
        (_, value) => value,
    }
}

/// The fields of a request as a JSON object, in the order given. Decimals are numbers.
#[must_use]
pub fn body(args: &[(&'static str, Plain)]) -> String {
    let mut out = String::from("{");
    for (at, (name, value)) in args.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&quoted(name));
        out.push(':');
        write_json(value, &mut out);
    }
    out.push('}');
    out
}

fn write_json(value: &Plain, out: &mut String) {
    match value {
        Plain::Decimal(value) => out.push_str(&decimal::show(*value)),
        Plain::Int(whole) => drop(write!(out, "{whole}")),
        Plain::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Plain::Map(pairs) | Plain::Object(_, pairs) => {
            out.push('{');
            for (at, (key, value)) in pairs.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                let key = if let Plain::Text(text) = key { text.clone() } else { key.json() };
                out.push_str(&quoted(&key));
                out.push(':');
                write_json(value, out);
            }
            out.push('}');
        }
        Plain::Nil | Plain::Bool(_) | Plain::Number(_) | Plain::Text(_) => {
            out.push_str(&value.json());
        }
    }
}
