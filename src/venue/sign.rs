//! Signatures and credentials as the venues want them. Pure: the text in, the header's value out.

use crate::base::Secret;
use hmac::{Hmac, KeyInit, Mac};
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
