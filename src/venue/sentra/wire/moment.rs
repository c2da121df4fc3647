//! Times as scripts write them: seconds since the epoch, ISO 8601, or MetaTrader's dotted form,
//! always with an offset. Without one the venue would take its own zone (SENTRA-F05, P08, T05).

use crate::base::{Decimal, Plain, Time, decimal};

/// A moment; the error says what was wrong with it.
pub fn read(value: &Plain) -> Result<Time, String> {
    match value {
        Plain::Int(seconds) => from_seconds((*seconds).into()),
        Plain::Decimal(seconds) => from_seconds(*seconds),
        Plain::Number(seconds) => match decimal::from_f64(*seconds) {
            Some(seconds) => from_seconds(seconds),
            None => Err("it is no time".to_owned()),
        },
        Plain::Text(text) => match decimal::parse(text) {
            Ok(seconds) => from_seconds(seconds),
            Err(_) => from_text(text),
        },
        Plain::Nil | Plain::Bool(_) | Plain::List(_) | Plain::Map(_) | Plain::Object(..) => {
            Err("it is no time: text like 2025-10-29T10:30:00Z, or seconds".to_owned())
        }
    }
}

fn from_seconds(seconds: Decimal) -> Result<Time, String> {
    let nanos = seconds.checked_mul(Decimal::from(1_000_000_000)).map(|nanos| nanos.floor());
    let whole = nanos.and_then(|nanos| decimal::mantissa_at(nanos, 0));
    match whole.filter(|nanos| *nanos >= 0) {
        Some(nanos) => Ok(Time::from_nanos(nanos)),
        None => Err(format!("{} is no time in seconds since 1970", decimal::show(seconds))),
    }
}

fn from_text(text: &str) -> Result<Time, String> {
    let shown: String = text.chars().take(40).collect();
    let wrong = || format!("`{shown}` is no time like 2025-10-29T10:30:00Z");
    let text = text.trim();
    let (Some(day), Some(rest)) = (text.get(..10), text.get(10..)) else { return Err(wrong()) };
    let clock = rest.trim_start_matches([' ', 'T', 't']).replace(' ', "");
    let iso = format!("{}T{clock}", day.replace('.', "-"));
    if let Ok(stamp) = iso.parse::<jiff::Timestamp>() {
        let nanos = i64::try_from(stamp.as_nanosecond()).ok().filter(|nanos| *nanos >= 0);
        return nanos.map(Time::from_nanos).ok_or_else(wrong);
    }
    let local = rest.is_empty() || iso.parse::<jiff::civil::DateTime>().is_ok();
    match local {
        true => Err(format!("`{shown}` has no offset: end it with Z, or with one like -03:00")),
        false => Err(wrong()),
    }
}
