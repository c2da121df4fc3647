//! Values across the border of a VM: plain data and objects of registered classes, exactly.
#![allow(clippy::wildcard_enum_match_arm)] // the VM's value type is an open list

use crate::base::{Decimal, Plain, decimal};
use mlua::{Lua, Table, Value};

/// How deep state may nest, and how many values it may hold.
const MAX_DEPTH: usize = 64;
const MAX_VALUES: usize = 1_000_000;

/// The name of a value's type, as scripts know it.
pub fn kind_of(value: &Value) -> &'static str {
    if value.is_integer() { "number" } else { value.type_name() }
}

/// Takes a value out of a VM. The error names the place (`state.a.b`) and what is wrong with it.
pub fn to_plain(value: &Value, place: &str) -> Result<Plain, String> {
    let mut left = MAX_VALUES;
    read(value, place, 0, &mut left)
}

fn read(value: &Value, place: &str, depth: usize, left: &mut usize) -> Result<Plain, String> {
    if depth > MAX_DEPTH {
        return Err(format!("{place} nests deeper than {MAX_DEPTH} tables, or contains itself"));
    }
    *left = left.checked_sub(1).ok_or_else(|| format!("{place}: more than {MAX_VALUES} values"))?;
    match value {
        Value::Nil => Ok(Plain::Nil),
        Value::Boolean(flag) => Ok(Plain::Bool(*flag)),
        #[allow(clippy::cast_precision_loss)]
        Value::Integer(whole) => Ok(Plain::Number(*whole as f64)),
        Value::Number(number) => Ok(Plain::Number(*number)),
        Value::String(text) => text
            .to_str()
            .map(|text| Plain::text(&*text))
            .map_err(|_| format!("{place} is a string that is not UTF-8")),
        Value::Table(table) => read_table(table, place, depth, left),
        other => Err(format!(
            "{place} is a {}; plain data is numbers, strings, booleans and tables",
            kind_of(other)
        )),
    }
}

fn read_table(table: &Table, place: &str, depth: usize, left: &mut usize) -> Result<Plain, String> {
    let class = match table.metatable() {
        None => None,
        Some(meta) => match meta.raw_get::<Option<String>>("__class") {
            Ok(Some(class)) => Some(class),
            // Views of events and failed calls are plain data.
            _ if matches!(
                meta.raw_get::<Option<String>>("__metatable").ok().flatten().as_deref(),
                Some("view" | "failure")
            ) =>
            {
                None
            }
            _ => {
                return Err(format!(
                    "{place} has a metatable of no registered class; keep plain data or @std \
                     objects"
                ));
            }
        },
    };
    if class.as_deref() == Some("order") {
        let id =
            table.raw_get::<String>("id").map_err(|_| format!("{place}: an order without id"))?;
        return Ok(Plain::Object("order".into(), vec![(Plain::text("id"), Plain::Text(id))]));
    }
    let mut pairs = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(|err| format!("{place}: {err}"))?;
        let name = match &key {
            Value::String(text) => format!("{place}.{}", text.to_string_lossy()),
            Value::Integer(at) => format!("{place}[{at}]"),
            Value::Number(at) => format!("{place}[{at}]"),
            Value::Boolean(flag) => format!("{place}[{flag}]"),
            other => return Err(format!("{place} has a {} as a key", kind_of(other))),
        };
        pairs.push((read(&key, &name, depth + 1, left)?, read(&value, &name, depth + 1, left)?));
    }
    pairs.sort_by(|(a, _), (b, _)| key_order(a, b));
    Ok(match class {
        Some(class) => Plain::Object(class, pairs),
        None if is_list(&pairs) => Plain::List(pairs.into_iter().map(|(_, value)| value).collect()),
        None => Plain::Map(pairs),
    })
}

/// Numbers first, then texts, then booleans: the same table gives the same bytes.
fn key_order(a: &Plain, b: &Plain) -> std::cmp::Ordering {
    match (a, b) {
        (Plain::Number(a), Plain::Number(b)) => a.total_cmp(b),
        (Plain::Text(a), Plain::Text(b)) => a.cmp(b),
        (Plain::Number(_), _) | (Plain::Text(_), Plain::Bool(_)) => std::cmp::Ordering::Less,
        (_, Plain::Number(_)) | (Plain::Bool(_), Plain::Text(_)) => std::cmp::Ordering::Greater,
        _ => a.json().cmp(&b.json()),
    }
}

#[allow(clippy::cast_precision_loss, clippy::float_cmp)] // keys 1, 2, 3 … are exact doubles
fn is_list(pairs: &[(Plain, Plain)]) -> bool {
    let keys = pairs.iter().map(|(key, _)| key);
    let counted = |(at, key): (usize, &Plain)| *key == Plain::Number((at + 1) as f64);
    !pairs.is_empty() && keys.enumerate().all(counted)
}

/// Puts plain data into a VM. `object` makes a table an object of a class.
pub fn from_plain(
    lua: &Lua,
    plain: &Plain,
    object: &dyn Fn(&str, Table) -> Result<Value, String>,
) -> Result<Value, String> {
    let text = |err: mlua::Error| err.to_string();
    Ok(match plain {
        Plain::Nil => Value::Nil,
        Plain::Bool(flag) => Value::Boolean(*flag),
        Plain::Number(number) => Value::Number(*number),
        Plain::Int(whole) => integer(lua, *whole)?,
        Plain::Decimal(value) => Value::Number(decimal::to_f64(*value)),
        Plain::Text(text) => Value::String(lua.create_string(text).map_err(|e| e.to_string())?),
        Plain::List(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0).map_err(text)?;
            for (at, item) in items.iter().enumerate() {
                table.raw_set(at + 1, from_plain(lua, item, object)?).map_err(text)?;
            }
            Value::Table(table)
        }
        Plain::Map(pairs) => Value::Table(fields(lua, pairs, object)?),
        Plain::Object(class, pairs) => object(class, fields(lua, pairs, object)?)?,
    })
}

fn fields(
    lua: &Lua,
    pairs: &[(Plain, Plain)],
    object: &dyn Fn(&str, Table) -> Result<Value, String>,
) -> Result<Table, String> {
    let table = lua.create_table_with_capacity(0, pairs.len()).map_err(|err| err.to_string())?;
    for (key, value) in pairs {
        let (key, value) = (from_plain(lua, key, object)?, from_plain(lua, value, object)?);
        table.raw_set(key, value).map_err(|err| err.to_string())?;
    }
    Ok(table)
}

/// Integers beyond ±2^53 are text on the script's side, never a rounded double.
#[allow(clippy::cast_precision_loss)]
pub fn integer(lua: &Lua, whole: i64) -> Result<Value, String> {
    if whole.unsigned_abs() <= 1 << 53 {
        return Ok(Value::Number(whole as f64));
    }
    lua.create_string(whole.to_string()).map(Value::String).map_err(|err| err.to_string())
}

/// Money as a script wrote it: a number by its shortest form, a string as it stands.
pub fn money(value: &Value) -> Result<Option<Decimal>, String> {
    match value {
        Value::Nil => Ok(None),
        Value::Integer(whole) => Ok(Some(Decimal::from(*whole))),
        Value::Number(number) => decimal::from_f64(*number)
            .map(Some)
            .ok_or_else(|| format!("{number} is no amount of money")),
        Value::String(text) => {
            let text = text.to_string_lossy();
            decimal::parse(&text).map(Some).map_err(|err| err.to_string())
        }
        other => Err(format!("a {} is no amount of money", kind_of(other))),
    }
}
