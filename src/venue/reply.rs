//! Bodies of raw calls: JSON to plain data and back, numbers exact, shaped by the table of calls.
//! Ids become text, fields that are the host's alone never reach a script.

use crate::base::{Plain, decimal};

use crate::calls::{By, Call, Field, Kind, Reply};
use crate::venue::flowbtc::wire::quoted;
use std::fmt::Write;

pub use crate::base::json::read as plain;

#[cfg(test)]
mod tests;

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

/// Plain data as a request's JSON. Decimals are numbers.
#[must_use]
pub fn json(value: &Plain) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
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
