//! Signatures and credentials as the venues want them. Pure: the text in, the header's value out.

use crate::base::{Secret, Span, Time};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use std::fmt::Write;

#[cfg(test)]
mod tests;

/// MB-R05: HMAC-SHA512 over the body exactly as it is sent, keyed with the secret's text, in
/// lower-case hexadecimal.
#[must_use]
pub fn mercadobitcoin(secret: &Secret, body: &[u8]) -> Secret {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(secret.expose().as_bytes()) else {
        return Secret::new("");
    };
    mac.update(body);
    Secret::new(hex(&mac.finalize().into_bytes()))
}

/// FLOW-P10: HMAC-SHA256 over nonce, user id and API key, in lower-case hexadecimal.
#[must_use]
pub fn flowbtc(secret: &Secret, nonce: &str, user_id: i64, api_key: &str) -> Secret {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return Secret::new("");
    };
    mac.update(nonce.as_bytes());
    mac.update(user_id.to_string().as_bytes());
    mac.update(api_key.as_bytes());
    Secret::new(hex(&mac.finalize().into_bytes()))
}

/// FLOW-P11: the value of `Authorization` for HTTP Basic (RFC 7617, UTF-8).
#[must_use]
pub fn basic(user: &str, password: &Secret) -> Secret {
    let pair = format!("{user}:{}", password.expose());
    Secret::new(format!("Basic {}", base64(pair.as_bytes())))
}

/// How long a one-time code holds (RFC 6238).
pub const CODE_STEP: Span = Span::from_secs(30);

/// The number of the step that `now` falls into.
#[must_use]
pub const fn code_step(now: Time) -> i64 {
    now.nanos().div_euclid(CODE_STEP.nanos())
}

/// FLOW-P09: the six-digit code of a step (RFC 6238, HMAC-SHA1). The secret is base32 as
/// authenticator apps take it: any case, with or without blanks, dashes and padding. `None`: it
/// is no base32, or the step is before 1970.
#[must_use]
pub fn one_time_code(secret: &Secret, step: i64) -> Option<Secret> {
    let counter = u64::try_from(step).ok()?;
    let key = base32(secret.expose())?;
    Some(Secret::new(format!("{:06}", truncated(&key, counter)? % 1_000_000)))
}

/// RFC 4226: 31 bits of the MAC over the counter.
fn truncated(key: &[u8], counter: u64) -> Option<u32> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    mac.update(&counter.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest.last()? & 0xf);
    let four: [u8; 4] = digest.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four) & 0x7fff_ffff)
}

/// RFC 4648; `None` for an empty text or a letter outside the alphabet.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for byte in text.bytes().filter(|byte| !matches!(byte, b' ' | b'-' | b'=')) {
        let five = match byte.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = ((bits << 5) | u32::from(five)) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    (!out.is_empty()).then_some(out)
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = (at(0) << 16) | (at(1) << 8) | at(2);
        for place in 0..4usize {
            let six = (bits >> (18 - 6 * place)) & 63;
            let letter = usize::try_from(six).ok().and_then(|six| LETTERS.get(six));
            match letter {
                Some(letter) if place <= chunk.len() => out.push(char::from(*letter)),
                _ => out.push('='),
            }
        }
    }
    out
}
