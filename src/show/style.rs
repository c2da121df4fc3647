//! Color, where it is wanted, and numbers as people read them.

use crate::base::{Decimal, Time, decimal};

/// Whether text is colored.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Style {
    pub color: bool,
}

/// What a color means.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Tone {
    Good,
    Bad,
    Warn,
    Note,
    Faint,
    Strong,
}

impl Style {
    pub const PLAIN: Style = Style { color: false };

    /// The text in a tone; unchanged without color.
    #[must_use]
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Warn => "33",
            Tone::Note => "36",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A gain in green, a loss in red, with its sign, right-aligned.
    #[must_use]
    pub fn gain(self, value: Decimal, width: usize) -> String {
        let text = format!("{:>width$}", signed(value));
        match gain_tone(value) {
            Some(tone) => self.paint(tone, &text),
            None => text,
        }
    }
}

/// An amount with its sign.
#[must_use]
pub fn signed(value: Decimal) -> String {
    let sign = if value > Decimal::ZERO { "+" } else { "" };
    format!("{sign}{}", money(value))
}

/// The tone of a gain or a loss.
#[must_use]
pub fn gain_tone(value: Decimal) -> Option<Tone> {
    match value.cmp(&Decimal::ZERO) {
        std::cmp::Ordering::Greater => Some(Tone::Good),
        std::cmp::Ordering::Less => Some(Tone::Bad),
        std::cmp::Ordering::Equal => None,
    }
}

/// An amount rounded for reading: cents, or below one cent eight places.
#[must_use]
pub fn money(value: Decimal) -> String {
    if value.is_zero() {
        return "0".to_owned();
    }
    if value.abs() < Decimal::new(1, 2) {
        return decimal::show(value.round_dp(8));
    }
    grouped(&format!("{:.2}", value.round_dp(2)))
}

/// A price for reading: exact, with two places at least.
#[must_use]
pub fn price(value: Decimal) -> String {
    let value = value.normalize();
    let places = value.scale().max(2);
    format!("{value:.places$}", places = usize::try_from(places).unwrap_or(2))
}

/// A figure to four places, or to three digits where that would leave less.
#[must_use]
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if size < f64::MIN_POSITIVE {
        return "0".to_owned();
    }
    if size >= 0.01 {
        return format!("{value:.4}");
    }
    // 0.00123 has its first digit at the third place, and so gets five.
    let first = (1..=12).find(|place| size * 10f64.powi(*place) >= 1.0);
    match first.and_then(|place| usize::try_from(place + 2).ok()) {
        Some(places) => format!("{value:.places$}"),
        None => format!("{value:e}"),
    }
}

/// A whole number with separators: `1,234,567`.
#[must_use]
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

fn grouped(number: &str) -> String {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut out = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// The time of day in UTC, to the millisecond: `18:51:01.897`.
#[must_use]
pub fn clock(time: Time) -> String {
    let millis = time.millis().rem_euclid(86_400_000);
    let (seconds, millis) = (millis / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
