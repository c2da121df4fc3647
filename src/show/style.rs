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
        let sign = if value > Decimal::ZERO { "+" } else { "" };
        let text = format!("{:>width$}", format!("{sign}{}", money(value)));
        if value.is_zero() {
            return text;
        }
        self.paint(if value > Decimal::ZERO { Tone::Good } else { Tone::Bad }, &text)
    }
}

/// An amount rounded for reading: cents from 1 upward, eight places below.
#[must_use]
pub fn money(value: Decimal) -> String {
    if value.abs() < Decimal::ONE {
        return decimal::show(value.round_dp(8));
    }
    grouped(&format!("{:.2}", value.round_dp(2)))
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
