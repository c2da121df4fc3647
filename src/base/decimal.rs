//! Exact decimals for money: parsing without loss, and the two crossings to and from doubles.
//! The type is `rust_decimal`'s (96-bit mantissa, 0 to 28 places).

pub use rust_decimal::Decimal;

/// A text that is not a decimal this program can hold exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an exact decimal: {why}")]
pub struct DecimalError {
    pub text: String,
    pub why: &'static str,
}

const POW10: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Parses `12.50`, `-3`, `1.0e-08`. More than 28 places are accepted only while the excess is zeros
/// (FLOW-P24); anything that would round is an error.
///
/// # Errors
/// When the text is no number or cannot be held exactly.
pub fn parse(text: &str) -> Result<Decimal, DecimalError> {
    let fail = |why| DecimalError { text: text.chars().take(64).collect(), why };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(fail("it is empty"));
    }
    if trimmed.contains(['e', 'E']) {
        return scientific(trimmed).ok_or_else(|| fail("it does not fit 28 places"));
    }
    let plain = trimmed.strip_prefix('+').unwrap_or(trimmed);
    if !plain.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-') {
        return Err(fail("it is not a number"));
    }
    Decimal::from_str_exact(plain).or_else(|_| {
        let short = if plain.contains('.') { plain.trim_end_matches('0') } else { plain };
        Decimal::from_str_exact(short)
            .map_err(|_| fail("it is no number or does not fit 28 places"))
    })
}

/// `d.ddde±x`, exactly: the mantissa is parsed as written and moved by the exponent.
fn scientific(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let mut value = parse(mantissa).ok()?.normalize();
    let scale = i32::try_from(value.scale()).ok()?.checked_sub(exponent)?;
    if scale > 28 {
        return None;
    }
    if scale >= 0 {
        value.set_scale(u32::try_from(scale).ok()?).ok()?;
        return Some(value);
    }
    let factor = 10i128.checked_pow(u32::try_from(-scale).ok()?)?;
    let whole = value.mantissa().checked_mul(factor)?;
    Decimal::try_from_i128_with_scale(whole, 0).ok()
}

/// The shortest decimal that reads back as this double: `60727.05` is exactly 60727.05.
/// `None` for NaN, infinities and what 28 places cannot hold.
#[must_use]
pub fn from_f64(value: f64) -> Option<Decimal> {
    value.is_finite().then(|| format!("{value}")).and_then(|text| parse(&text).ok())
}

/// The nearest double. Exact inputs up to 2^53 and 22 places take the fast, correctly rounded way.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn to_f64(value: Decimal) -> f64 {
    let places = POW10.get(value.scale() as usize);
    if let (Ok(mantissa), Some(power)) = (i64::try_from(value.mantissa()), places)
        && mantissa.unsigned_abs() < 1 << 53
    {
        return mantissa as f64 / power;
    }
    value.to_string().parse().unwrap_or(f64::NAN)
}

/// `mantissa / 10^scale` as the nearest double (the row format's way of holding prices).
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn scaled_to_f64(mantissa: i64, scale: u32) -> f64 {
    match POW10.get(scale as usize) {
        Some(power) if mantissa.unsigned_abs() < 1 << 53 => mantissa as f64 / power,
        _ => to_f64(Decimal::new(mantissa, scale.min(28))),
    }
}

/// The form people and JSON see: no exponent, no trailing zeros, no `-0`.
#[must_use]
pub fn show(value: Decimal) -> String {
    Shown(value).to_string()
}

/// `show` for use inside of a longer text.
#[derive(Copy, Clone, Debug)]
pub struct Shown(pub Decimal);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Nearly every amount of money fits 64 bits, where dividing by ten is cheap.
        let Ok(mut rest) = u64::try_from(self.0.mantissa().unsigned_abs()) else {
            return write!(f, "{}", self.0.normalize());
        };
        let negative = self.0.is_sign_negative() && rest != 0;
        let mut scale = self.0.scale();
        while scale > 0 && rest.is_multiple_of(10) {
            (rest, scale) = (rest / 10, scale - 1);
        }
        // From the last digit to the first: at most 29 digits, a point and a sign.
        let mut text = [0u8; 32];
        let mut places = text.iter_mut().rev();
        let mut used = 0;
        let mut put = |byte: u8| {
            if let Some(place) = places.next() {
                (*place, used) = (byte, used + 1);
            }
        };
        let mut digits = 0;
        while rest > 0 || digits <= scale {
            put(b'0' + u8::try_from(rest % 10).unwrap_or_default());
            (rest, digits) = (rest / 10, digits + 1);
            if digits == scale {
                put(b'.');
            }
        }
        if negative {
            put(b'-');
        }
        let text = text.get(text.len() - used..).unwrap_or_default();
        f.write_str(std::str::from_utf8(text).unwrap_or_default())
    }
}

/// The mantissa at `scale`, if the value has no more places than that and fits 64 bits.
#[must_use]
pub fn mantissa_at(value: Decimal, scale: u32) -> Option<i64> {
    let value = if value.scale() > scale { value.normalize() } else { value };
    let more = scale.checked_sub(value.scale())?;
    let mantissa = value.mantissa().checked_mul(10i128.checked_pow(more)?)?;
    i64::try_from(mantissa).ok()
}

/// The largest multiple of `step` not above `value`. A zero step leaves the value as it is.
#[must_use]
pub fn floor_to(value: Decimal, step: Decimal) -> Decimal {
    if step.is_zero() { value } else { (value / step).floor() * step }
}

/// The smallest multiple of `step` not below `value`. A zero step leaves the value as it is.
#[must_use]
pub fn ceil_to(value: Decimal, step: Decimal) -> Decimal {
    if step.is_zero() { value } else { (value / step).ceil() * step }
}
