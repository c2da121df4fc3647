//! How the servers check who is speaking: keyed hashes, Basic credentials, one-time codes. Written
//! for the servers alone; the clients sign with code of their own, so that neither hides the
//! other's mistake.

use crate::base::Time;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// Length of a one-time code's step in seconds (RFC 6238).
const STEP: i64 = 30;

/// Whether `hex` is the lower-case HMAC-SHA256 of `message` under `secret`; takes the same time
/// wherever they differ.
#[must_use]
pub fn is_hmac_sha256(secret: &str, message: &[u8], hex: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(message);
    bytes_of(hex).is_some_and(|bytes| mac.verify_slice(&bytes).is_ok())
}

/// The same with SHA-512 (MB-R05).
#[must_use]
pub fn is_hmac_sha512(secret: &str, message: &[u8], hex: &str) -> bool {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(message);
    bytes_of(hex).is_some_and(|bytes| mac.verify_slice(&bytes).is_ok())
}

/// Lower-case hexadecimal only.
fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
            _ => None,
        })
        .collect()
}

/// User and password of an `Authorization: Basic` header (RFC 7617, FLOW-T07).
#[must_use]
pub fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, coded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let alphabet = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let text = String::from_utf8(unpack(coded.trim(), 6, alphabet)?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The bytes of a text whose letters hold `width` bits each; padding is left out.
fn unpack(text: &str, width: u32, letter: impl Fn(u8) -> Option<u8>) -> Option<Vec<u8>> {
    let (mut bytes, mut kept, mut bits) = (Vec::new(), 0u32, 0u32);
    for byte in text.trim_end_matches('=').bytes() {
        kept = ((kept << width) | u32::from(letter(byte)?)) & 0xffff;
        bits += width;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((kept >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The step of time whose six digits `code` are, among the present one and its neighbors
/// (RFC 6238 with SHA-1, as Google's program has it). `secret` is in base 32.
#[must_use]
pub fn totp_step(secret: &str, code: &str, now: Time) -> Option<i64> {
    let present = now.millis().div_euclid(1_000 * STEP);
    let steps = [present, present - 1, present + 1].into_iter();
    steps.into_iter().find(|step| totp(secret, *step).as_deref() == Some(code))
}

/// The six digits of one step.
fn totp(secret: &str, step: i64) -> Option<String> {
    let alphabet = |byte: u8| match byte.to_ascii_uppercase() {
        upper @ b'A'..=b'Z' => Some(upper - b'A'),
        digit @ b'2'..=b'7' => Some(digit - b'2' + 26),
        _ => None,
    };
    let key = unpack(&secret.replace(' ', ""), 5, alphabet)?;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).ok()?;
    mac.update(&step.to_be_bytes());
    let sum = mac.finalize().into_bytes();
    let at = usize::from(sum.last()? & 0xf);
    let four: [u8; 4] = sum.get(at..at + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}
