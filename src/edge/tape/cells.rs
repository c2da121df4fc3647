//! What one cell means: times, exact numbers, sides, trade numbers.

use super::TimeUnit;
use crate::base::tape::{SIDE_BUY, SIDE_NONE, SIDE_SELL};
use crate::base::{BookSide, Decimal, Time, decimal};

/// The most places a column may have: 10^18 is the largest power of ten in 64 bits.
pub(super) const MOST_PLACES: u32 = 18;

/// `POW10[n]` = 10^n.
pub(super) const POW10: [i64; 19] = {
    let mut table = [1i64; 19];
    let mut at = 1;
    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while at < table.len() {
        table[at] = table[at - 1] * 10;
        at += 1;
    }
    table
};

/// An exact number: mantissa / 10^places, without trailing zeros after the point.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Exact {
    pub mantissa: i64,
    pub places: u32,
}

impl Exact {
    /// The mantissa at `scale`, which is not below `places`; `None` if it does not fit.
    pub(super) fn at(self, scale: u32) -> Option<i64> {
        let factor = POW10.get(usize::try_from(scale.checked_sub(self.places)?).ok()?)?;
        self.mantissa.checked_mul(*factor)
    }
}

/// A plain run of digits with at most one point, up to the comma or the end: the form nearly every
/// cell has. Gives what follows; `None` for anything else, which `exact` then reads or explains.
#[inline]
pub(super) fn fast_number(text: &[u8]) -> Option<(Exact, &[u8])> {
    let (whole, digits, rest) = digits(text, 0);
    if digits == 0 {
        return None;
    }
    let mut exact = Exact { mantissa: whole, places: 0 };
    let mut rest = rest;
    let mut all = digits;
    if let Some((b'.', fraction)) = rest.split_first() {
        let mut value = whole;
        let mut places = 0;
        rest = fraction;
        while let Some((digit, tail)) = digit(rest) {
            value = value.wrapping_mul(10).wrapping_add(digit);
            places += 1;
            if digit != 0 {
                exact = Exact { mantissa: value, places };
            }
            rest = tail;
        }
        if places == 0 {
            return None;
        }
        all += places;
    }
    // 18 digits always fit; what wrapped above is thrown away here.
    (all <= 18).then_some((exact, rest))
}

/// Digits up to the comma or the end as an integer of at most 18 digits.
#[inline]
pub(super) fn fast_integer(text: &[u8]) -> Option<(i64, &[u8])> {
    let (value, digits, rest) = digits(text, 0);
    // 19 digits may fit (nanoseconds do until 2262); the top digit tells.
    match digits {
        1..=18 => Some((value, rest)),
        19 if value > 0 && text.first().is_some_and(|top| *top < b'9') => Some((value, rest)),
        _ => None,
    }
}

#[inline]
fn digits(text: &[u8], start: i64) -> (i64, u32, &[u8]) {
    let (mut value, mut count, mut rest) = (start, 0, text);
    while let Some((digit, tail)) = digit(rest) {
        value = value.wrapping_mul(10).wrapping_add(digit);
        count += 1;
        rest = tail;
    }
    (value, count, rest)
}

#[inline]
fn digit(text: &[u8]) -> Option<(i64, &[u8])> {
    let (byte, tail) = text.split_first()?;
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some((i64::from(digit), tail))
}

/// A number in any form a decimal may have.
pub(super) fn exact(text: &str) -> Result<Exact, String> {
    let value = amount(text)?.normalize();
    if value.scale() > MOST_PLACES {
        return Err(format!("`{text}` has more than {MOST_PLACES} decimal places"));
    }
    let mantissa = i64::try_from(value.mantissa())
        .map_err(|_| format!("`{text}` has more digits than 64 bits hold"))?;
    Ok(Exact { mantissa, places: value.scale() })
}

/// A number as an exact decimal.
pub(super) fn amount(text: &str) -> Result<Decimal, String> {
    if text.is_empty() {
        return Err("the cell is empty; write a decimal such as 61685.99".to_owned());
    }
    decimal::parse(text).map_err(|_| {
        let hint = if text.contains(',') { ", with a point and no separators" } else { "" };
        format!("`{text}` is no number; write a decimal such as 61685.99{hint}")
    })
}

/// A time in the file's unit.
pub(super) fn time(text: &str, unit: TimeUnit) -> Result<Time, String> {
    let nanos = match unit {
        TimeUnit::Iso => iso(text),
        TimeUnit::Seconds | TimeUnit::Millis | TimeUnit::Micros | TimeUnit::Nanos => {
            counted(text, unit)
        }
    };
    nanos.map(Time::from_nanos).ok_or_else(|| match unit {
        TimeUnit::Iso => {
            format!("`{text}` is no time; write ISO 8601 such as 2024-08-09T00:00:00.164Z")
        }
        TimeUnit::Seconds | TimeUnit::Millis | TimeUnit::Micros | TimeUnit::Nanos => format!(
            "`{text}` is no time in {unit} since 1970 (the first row's unit, or --time-unit's)"
        ),
    })
}

/// An integer, or a decimal whose fraction is cut at the nanosecond (`1723161600.164378`).
fn counted(text: &str, unit: TimeUnit) -> Option<i64> {
    if let Ok(value) = text.parse::<i64>() {
        return value.checked_mul(unit.nanos()).filter(|nanos| *nanos >= 0);
    }
    let value = decimal::parse(text).ok()?;
    let nanos = value.checked_mul(Decimal::from(unit.nanos()))?.trunc();
    i64::try_from(nanos.mantissa()).ok().filter(|nanos| *nanos >= 0)
}

fn iso(text: &str) -> Option<i64> {
    let nanos = match text.parse::<jiff::Timestamp>() {
        Ok(stamp) => stamp.as_nanosecond(),
        Err(_) => {
            let civil = text.parse::<jiff::civil::DateTime>().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_nanosecond()
        }
    };
    i64::try_from(nanos).ok().filter(|nanos| *nanos >= 0)
}

/// The unit of a file by its first time.
pub(super) fn unit_of(text: &str) -> TimeUnit {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole.parse::<i64>().map_or(TimeUnit::Iso, TimeUnit::of)
}

/// The aggressor's side: `buy`, `sell`, `b`, `s`, in any case; nothing for unknown.
pub(super) fn side(text: &[u8]) -> Option<u8> {
    match text {
        b"buy" | b"Buy" | b"BUY" | b"b" | b"B" => Some(SIDE_BUY),
        b"sell" | b"Sell" | b"SELL" | b"s" | b"S" => Some(SIDE_SELL),
        b"" => Some(SIDE_NONE),
        _ => None,
    }
}

/// A book's side: `bid`, `ask`, in any case; `buy` and `sell` mean the same.
pub(super) fn book_side(text: &str) -> Option<BookSide> {
    let is = |word| text.eq_ignore_ascii_case(word);
    if is("bid") {
        Some(BookSide::Bid)
    } else if is("ask") {
        Some(BookSide::Ask)
    } else {
        None
    }
}
