//! The words that several flags share: durations, times, instruments, amounts, fees.

use crate::base::{Decimal, Fees, Span, Time, VenueName, decimal, names};
use crate::edge::{config, tape};
use crate::run::options::{Dialect, InstrumentOption, Pace, QueueModel};

/// `10ms`, `30s`, `1.5m`; `0` needs no unit.
pub(super) fn duration(text: &str) -> Result<Span, String> {
    if text == "0" {
        return Ok(Span::ZERO);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let nanos = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000i64,
        _ => return Err("write a duration such as 10ms, 30s, 5m or 2h".to_owned()),
    };
    let wrong = || format!("`{number}` is no number; write a duration such as 10ms or 1.5s");
    let number = decimal::parse(number).map_err(|_| wrong())?;
    let product = number.checked_mul(Decimal::from(nanos)).ok_or("this is too long")?.normalize();
    if product.scale() > 0 {
        return Err("a duration is a whole number of nanoseconds".to_owned());
    }
    i64::try_from(product.mantissa()).map(Span::from_nanos).map_err(|_| "this is too long".into())
}

/// An address that requests may go to: https, or on this machine.
pub(super) fn web_address(text: &str) -> Result<String, String> {
    config::web_address(text).map(|()| text.to_owned())
}

/// A duration above zero.
pub(super) fn some_time(text: &str) -> Result<Span, String> {
    match duration(text)? {
        Span::ZERO => Err("it must be longer than 0".to_owned()),
        span => Ok(span),
    }
}

/// ISO 8601, a date, or a number since 1970.
pub(super) fn time(text: &str) -> Result<Time, String> {
    tape::parse_time(text)
        .ok_or_else(|| "write a time such as 2024-08-09 or 2024-08-09T12:00:00Z".to_owned())
}

const INSTRUMENT_KEYS: &[&str] = &["tick", "lot", "min", "base", "quote"];

/// `flowbtc:BTCBRL[,tick=0.01][,lot=0.00000001][,min=…][,base=BTC][,quote=BRL]`
pub(super) fn instrument(text: &str) -> Result<InstrumentOption, String> {
    let mut parts = text.split(',');
    let name = parts.next().unwrap_or_default();
    let Some((venue, symbol)) = name.split_once(':').filter(|(v, s)| is_word(v) && is_word(s))
    else {
        return Err(format!("`{name}` is no instrument; write venue:symbol, as flowbtc:BTCBRL"));
    };
    let mut option = InstrumentOption {
        venue: VenueName::new(venue),
        symbol: symbol.to_owned(),
        tick: None,
        lot: None,
        min_qty: None,
        base: None,
        quote: None,
    };
    for part in parts {
        let (key, value) = pair(part)?;
        match key.as_str() {
            "tick" => option.tick = Some(step(&value)?),
            "lot" => option.lot = Some(step(&value)?),
            "min" => option.min_qty = Some(amount(&value)?),
            "base" if is_word(&value) => option.base = Some(value),
            "quote" if is_word(&value) => option.quote = Some(value),
            _ => return Err(unknown(&key, INSTRUMENT_KEYS)),
        }
    }
    Ok(option)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
}

fn unknown(key: &str, known: &[&str]) -> String {
    match names::nearest(key, known.iter().copied()) {
        Some(near) => format!("unknown key `{key}`; did you mean `{near}`?"),
        None => format!("unknown key `{key}`; known are {}", known.join(", ")),
    }
}

/// `key=value`
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("`{text}` is not key=value")),
    }
}

fn amount(text: &str) -> Result<Decimal, String> {
    let value = decimal::parse(text).map_err(|error| error.to_string())?;
    if value < Decimal::ZERO {
        return Err(format!("`{text}` is negative"));
    }
    Ok(value)
}

fn step(text: &str) -> Result<Decimal, String> {
    match amount(text)? {
        value if value.is_zero() => Err("a tick or lot is above zero".to_owned()),
        value => Ok(value),
    }
}

/// `BRL=100000`
pub(super) fn balance(text: &str) -> Result<(String, Decimal), String> {
    let (asset, value) = pair(text)?;
    Ok((asset, amount(&value)?))
}

/// `maker=0.001,taker=0.002` or one rate for both.
pub(super) fn fees(text: &str) -> Result<Fees, String> {
    if !text.contains('=') {
        let rate = rate(text)?;
        return Ok(Fees { maker: rate, taker: rate });
    }
    let (mut maker, mut taker) = (None, None);
    for part in text.split(',') {
        let (key, value) = pair(part)?;
        match key.as_str() {
            "maker" => maker = Some(rate(&value)?),
            "taker" => taker = Some(rate(&value)?),
            _ => return Err(unknown(&key, &["maker", "taker"])),
        }
    }
    match (maker, taker) {
        (Some(maker), Some(taker)) => Ok(Fees { maker, taker }),
        _ => Err("give both: maker=0.001,taker=0.001, or one rate for both".to_owned()),
    }
}

/// A fee as a fraction of notional; a negative one is a rebate.
fn rate(text: &str) -> Result<Decimal, String> {
    let value = decimal::parse(text).map_err(|error| error.to_string())?;
    if value.abs() >= Decimal::ONE {
        return Err(format!("`{text}` is a fraction of the notional: 0.001 is 0.1 %"));
    }
    Ok(value)
}

pub(super) fn queue(text: &str) -> Result<QueueModel, String> {
    match text {
        "none" => Ok(QueueModel::None),
        "risk-averse" => Ok(QueueModel::RiskAverse),
        "prob" => Err("this build has no probabilistic queue; use none or risk-averse".to_owned()),
        other => Err(format!("`{other}` is no queue model; use none or risk-averse")),
    }
}

/// `1`, `10`, `0.5`, `max`
pub(super) fn speed(text: &str) -> Result<Pace, String> {
    if text == "max" {
        return Ok(Pace::Max);
    }
    match text.parse::<f64>() {
        Ok(times) if times.is_finite() && times > 0.0 => Ok(Pace::Times(times)),
        _ => Err("write 1 for real time, 10 for ten times as fast, or max".to_owned()),
    }
}

pub(super) fn dialect(text: &str) -> Result<Dialect, String> {
    match text {
        "page" => Ok(Dialect::Page),
        "native" => Ok(Dialect::Native),
        other => Err(format!("`{other}` is no dialect; use page or native")),
    }
}

/// An asset that is given two balances.
pub(super) fn twice(balances: &[(String, Decimal)]) -> Option<&str> {
    balances.iter().enumerate().find_map(|(at, (asset, _))| {
        balances.iter().take(at).any(|(earlier, _)| earlier == asset).then_some(asset.as_str())
    })
}
