//! The arguments of a documented call: a script's table against the table of calls, every field
//! converted exactly or refused by its name and place.
#![allow(clippy::wildcard_enum_match_arm, reason = "the VM's value type is an open list")]

use super::names;
use super::values::{kind_of, money};
use crate::base::{Decimal, Plain};
use crate::calls::{By, Call, Field, Kind};
use mlua::{Table, Value};

/// The most elements of a list: reading it is a loop that no interrupt can stop.
const MAX_LIST: usize = 10_000;

/// Whole numbers that a double holds exactly, and no other number rounds to.
const EXACT: i64 = 1 << 53;

/// The fields as they go to the desk, in the table's order.
///
/// # Errors
/// When a field is unknown, the host's own, missing, or of another kind: a sentence that names it.
pub fn checked(call: &'static Call, args: &Value) -> Result<Vec<(&'static str, Plain)>, String> {
    let args = match args {
        Value::Nil => missing(call.args, |_| false, "").map(|()| Vec::new()),
        Value::Table(table) => read_fields(call.args, table, ""),
        other => Err(format!("it takes one table, not a {}", kind_of(other))),
    }?;
    let chosen = |name: &&&str| args.iter().any(|(given, _)| *given == **name);
    match call.one_of.iter().filter(chosen).count() {
        _ if call.one_of.is_empty() => Ok(args),
        0 => Err(format!("{} is missing", call.one_of.join(" or "))),
        1 => Ok(args),
        _ => Err(format!("give only one of {}", call.one_of.join(" and "))),
    }
}

/// The known name nearest to `word`; case and `_` do not count.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let bare = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let wanted = bare(word);
    known.clone().find(|name| bare(name) == wanted).or_else(|| names::nearest(word, known))
}

/// Why a script cannot give this field, and what it may have meant.
pub fn refused_field(fields: &[Field], name: &str, place: &str) -> Option<String> {
    let field = fields.iter().find(|field| field.name == name);
    match field {
        Some(Field { by: By::Host, .. }) => Some(format!("the host fills in {place}{name} itself")),
        Some(_) => None,
        None => {
            let open = fields.iter().filter(|field| field.by != By::Host);
            let near = nearest(name, open.map(|field| field.name));
            let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            Some(format!("unknown field \"{place}{name}\"{hint}"))
        }
    }
}

fn missing(fields: &[Field], given: impl Fn(&str) -> bool, place: &str) -> Result<(), String> {
    let wanted = fields.iter().filter(|field| field.required && field.by == By::Script);
    let lost = wanted.filter(|field| !given(field.name));
    let lost: Vec<String> = lost.map(|field| format!("{place}{}", field.name)).collect();
    match lost.as_slice() {
        [] => Ok(()),
        [one] => Err(format!("{one} is missing")),
        [first @ .., last] => Err(format!("{} and {last} are missing", first.join(", "))),
    }
}

/// `place` is what stands before a field's name in messages: `positions[2].`.
fn read_fields(
    fields: &'static [Field],
    table: &Table,
    place: &str,
) -> Result<Vec<(&'static str, Plain)>, String> {
    // The first of the refused in order of name, so that the same table gives the same message.
    let mut refused: Option<(String, String)> = None;
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair.map_err(|err| err.to_string())?;
        let (name, why) = match &key {
            Value::String(name) => {
                let name = name.to_string_lossy();
                let why = refused_field(fields, &name, place);
                (name, why)
            }
            other => {
                let of = if place.is_empty() { "it" } else { place.trim_end_matches('.') };
                let key = shown(other);
                let why = format!("{of} takes fields by name, not under {key}");
                (key, Some(why))
            }
        };
        if let Some(why) = why
            && refused.as_ref().is_none_or(|(first, _)| name < *first)
        {
            refused = Some((name, why));
        }
    }
    if let Some((_, why)) = refused {
        return Err(why);
    }
    let mut args = Vec::with_capacity(fields.len());
    for field in fields {
        let value: Value = table.raw_get(field.name).map_err(|err| err.to_string())?;
        if !value.is_nil() {
            args.push((field.name, read(field.kind, &value, &format!("{place}{}", field.name))?));
        }
    }
    missing(fields, |name| args.iter().any(|(given, _)| *given == name), place)?;
    Ok(args)
}

fn read(kind: Kind, value: &Value, place: &str) -> Result<Plain, String> {
    match kind {
        Kind::Int | Kind::Id | Kind::Stamp => whole(value, place).map(Plain::Int),
        Kind::Dec | Kind::Number => exact(value, place).map(Plain::Decimal),
        Kind::Text => text(value, place).map(Plain::Text),
        Kind::Bool => match value {
            Value::Boolean(flag) => Ok(Plain::Bool(*flag)),
            other => Err(format!("{place} is true or false, not {}", shown(other))),
        },
        Kind::Word(words) => word(words, value, place),
        Kind::Object(fields) => object(fields, value, place),
        Kind::List(fields) => list(value, place, "tables", |item, at| object(fields, item, at)),
        Kind::Rows(columns) => list(value, place, "lists", |item, at| row(columns, item, at)),
        Kind::Numbers => {
            list(value, place, "numbers", |item, at| exact(item, at).map(Plain::Decimal))
        }
        Kind::Keyed(fields) => keyed(fields, value, place),
    }
}

/// A whole number as the script wrote it; an id beyond a double's exact range as its digits.
fn whole(value: &Value, place: &str) -> Result<i64, String> {
    let wrong = || format!("{place} is a whole number, not {}", shown(value));
    match value {
        Value::Integer(whole) if (-EXACT..=EXACT).contains(whole) => Ok(*whole),
        Value::Integer(_) => Err(inexact(value, place)),
        Value::Number(number) if number.fract() == 0.0 => match decimal_whole(*number) {
            Some(whole) => Ok(whole),
            None => Err(inexact(value, place)),
        },
        Value::String(digits) => {
            let digits = digits.to_string_lossy();
            let bare = digits.strip_prefix('-').unwrap_or(&digits);
            if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(wrong());
            }
            digits.parse().map_err(|_| format!("{place} does not fit 64 bits: {digits}"))
        }
        _ => Err(wrong()),
    }
}

fn decimal_whole(number: f64) -> Option<i64> {
    let whole = crate::base::decimal::from_f64(number)?;
    i64::try_from(whole).ok().filter(|whole| (-EXACT..=EXACT).contains(whole))
}

fn inexact(value: &Value, place: &str) -> String {
    format!("{place} is {} as a number, which is not exact; write it as a string", shown(value))
}

/// As `ctx:buy` takes money, decimals of the standard library included.
fn exact(value: &Value, place: &str) -> Result<Decimal, String> {
    let fail = |why: String| format!("{place}: {why}");
    if let Value::Table(table) = value {
        let meta = table.metatable();
        let class = meta.and_then(|meta| meta.raw_get::<Option<String>>("__class").ok().flatten());
        if class.as_deref() == Some("decimal.decimal") {
            let text = value.to_string().map_err(|err| fail(err.to_string()))?;
            return crate::base::decimal::parse(&text).map_err(|err| fail(err.to_string()));
        }
    }
    match money(value) {
        Ok(Some(amount)) => Ok(amount),
        Ok(None) => Err(format!("{place} is missing")),
        Err(why) => Err(fail(why)),
    }
}

fn text(value: &Value, place: &str) -> Result<String, String> {
    match value {
        Value::String(text) => text
            .to_str()
            .map(|text| text.to_owned())
            .map_err(|_| format!("{place} is a string that is not UTF-8")),
        Value::Integer(_) | Value::Number(_) => {
            let number = shown(value);
            Err(format!("{place} is a string, not a number; write \"{number}\""))
        }
        other => Err(format!("{place} is a string, not {}", shown(other))),
    }
}

fn word(words: &[&'static str], value: &Value, place: &str) -> Result<Plain, String> {
    let given = text(value, place).unwrap_or_default();
    if words.contains(&given.as_str()) {
        return Ok(Plain::Text(given));
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let near = nearest(&given, words.iter().copied());
    let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    Err(format!("{place} is {}, not {}{hint}", quoted.join(" or "), shown(value)))
}

fn object(fields: &'static [Field], value: &Value, place: &str) -> Result<Plain, String> {
    let Value::Table(table) = value else {
        return Err(format!("{place} is a table of fields, not {}", shown(value)));
    };
    let fields = read_fields(fields, table, &format!("{place}."))?;
    Ok(Plain::Map(fields.into_iter().map(|(name, value)| (Plain::text(name), value)).collect()))
}

fn list(
    value: &Value,
    place: &str,
    of: &str,
    read: impl Fn(&Value, &str) -> Result<Plain, String>,
) -> Result<Plain, String> {
    let Value::Table(table) = value else {
        return Err(format!("{place} is a list of {of}, not {}", shown(value)));
    };
    let count = table.raw_len();
    if count > MAX_LIST {
        return Err(format!("{place} has {count} elements; at most {MAX_LIST} here"));
    }
    if table.pairs::<Value, Value>().take(count + 1).count() != count {
        return Err(format!("{place} is a list: its elements stand under 1, 2, 3 and so on"));
    }
    let item = |at: usize| {
        let value: Value = table.raw_get(at).map_err(|err| err.to_string())?;
        read(&value, &format!("{place}[{at}]"))
    };
    (1..=count).map(item).collect::<Result<_, String>>().map(Plain::List)
}

/// A list with one value per column.
fn row(columns: &'static [Field], value: &Value, place: &str) -> Result<Plain, String> {
    let Value::Table(table) = value else {
        return Err(format!("{place} is a list of {} values, not {}", columns.len(), shown(value)));
    };
    let cell = |(at, column): (usize, &Field)| {
        let value: Value = table.raw_get(at + 1).map_err(|err| err.to_string())?;
        read(column.kind, &value, &format!("{place}.{}", column.name))
    };
    columns.iter().enumerate().map(cell).collect::<Result<_, String>>().map(Plain::List)
}

fn keyed(fields: &'static [Field], value: &Value, place: &str) -> Result<Plain, String> {
    let Value::Table(table) = value else {
        return Err(format!("{place} is a table of tables, not {}", shown(value)));
    };
    let mut pairs = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        if pairs.len() == MAX_LIST {
            return Err(format!("{place} has more than {MAX_LIST} elements"));
        }
        let (key, value) = pair.map_err(|err| err.to_string())?;
        let key = match &key {
            Value::String(text) => text.to_string_lossy(),
            other => whole(other, &format!("a key of {place}"))?.to_string(),
        };
        let value = object(fields, &value, &format!("{place}[{key}]"))?;
        pairs.push((key, value));
    }
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Plain::Map(pairs.into_iter().map(|(key, value)| (Plain::Text(key), value)).collect()))
}

/// A value in a message: a number or a text as it stands, anything else by its type.
fn shown(value: &Value) -> String {
    match value {
        Value::Integer(whole) => whole.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            format!("\"{}\"", text.to_string_lossy().chars().take(64).collect::<String>())
        }
        other => format!("a {}", kind_of(other)),
    }
}
