//! JSON text as plain data, every digit kept.

use super::{Plain, decimal};
use serde_json::value::RawValue;

/// How deep a text may nest.
pub const DEEPEST: usize = 16;

/// A JSON text as plain data: whole numbers are `Int`, others `Decimal`, those no decimal holds
/// `Number`. Objects keep the order of their keys.
///
/// # Errors
/// When it is no JSON, or nests too deep.
pub fn read(json: &str) -> Result<Plain, String> {
    let raw: &RawValue = serde_json::from_str(json).map_err(|error| error.to_string())?;
    value(raw, 0, number)
}

/// The same for what scripts wrote: every number is a `Number`, to the last bit.
///
/// # Errors
/// As `read`.
pub fn doubles(json: &str) -> Result<Plain, String> {
    let raw: &RawValue = serde_json::from_str(json).map_err(|error| error.to_string())?;
    value(raw, 0, |text| Plain::Number(text.parse().unwrap_or(f64::NAN)))
}

fn value(raw: &RawValue, depth: usize, number: fn(&str) -> Plain) -> Result<Plain, String> {
    if depth > DEEPEST {
        return Err(format!("nests deeper than {DEEPEST} levels"));
    }
    let text = raw.get().trim();
    let wrong = |error: serde_json::Error| error.to_string();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let pairs: Pairs<'_> = serde_json::from_str(text).map_err(wrong)?;
            let pairs = pairs.0.into_iter();
            let member = |(key, raw)| Ok((Plain::Text(key), value(raw, depth + 1, number)?));
            let read = pairs.map(member);
            Plain::Map(read.collect::<Result<_, String>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let read = items.into_iter().map(|raw| value(raw, depth + 1, number));
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
