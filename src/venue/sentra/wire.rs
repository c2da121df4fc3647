//! The wire: JSON bodies whose numbers are plain decimals in the account's currency (never
//! multiplied: the scales are the venue's business), gzip when large, and replies.

use crate::base::{Decimal, Secret, Side, Time, decimal};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

#[cfg(test)]
mod tests;

/// SENTRA-F14: a larger body is compressed.
pub const GZIP_ABOVE: usize = 1_000_000;

/// SENTRA-R13.
pub const BATCH: usize = 100;

/// SENTRA-R22c.
pub const NO_ACCOUNT: &str = "Conta não encontrada. Envie heartbeat primeiro.";

/// How the venue counts the account's money (SENTRA-F06). Only the number of places follows here.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum AccountType {
    Standard,
    Cent,
}

impl AccountType {
    const fn word(self) -> &'static str {
        match self {
            AccountType::Standard => "STANDARD",
            AccountType::Cent => "CENT",
        }
    }

    const fn money_places(self) -> u32 {
        match self {
            AccountType::Standard => 2,
            AccountType::Cent => 4,
        }
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Platform {
    Mt4,
    Mt5,
}

/// Who writes: the pair is the account's identity (SENTRA-R08), the e-mail its only key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    pub email: Secret,
    pub account: String,
    pub account_type: AccountType,
}

/// SENTRA-C01. Money in the account's currency.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heartbeat {
    pub broker: Option<String>,
    pub server: Option<String>,
    pub account_name: Option<String>,
    pub balance: Decimal,
    pub equity: Decimal,
    pub currency: Option<String>,
    pub leverage: Option<i64>,
    pub margin_free: Option<Decimal>,
    pub open_positions: Option<i64>,
    pub platform: Option<Platform>,
}

/// An open position of SENTRA-C02; volume in lots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    pub ticket: String,
    pub symbol: String,
    pub side: Side,
    pub volume: Decimal,
    pub open_price: Decimal,
    pub current_price: Decimal,
    pub profit: Decimal,
    pub swap: Option<Decimal>,
    pub commission: Option<Decimal>,
    pub open_time: Time,
}

/// A closed trade of SENTRA-C03; volume in lots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closed {
    pub ticket: String,
    pub symbol: String,
    pub side: Side,
    pub volume: Decimal,
    pub open_price: Decimal,
    pub close_price: Decimal,
    pub open_time: Time,
    pub close_time: Time,
    pub profit: Decimal,
    pub commission: Option<Decimal>,
    pub swap: Option<Decimal>,
}

/// A JSON object being written; what is `None` is left out.
struct Body {
    text: String,
    money: u32,
}

impl Body {
    fn new(kind: AccountType) -> Body {
        Body { text: String::from("{"), money: kind.money_places() }
    }

    fn raw(&mut self, key: &str, value: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
        self.text.push_str(value);
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.raw(key, &serde_json::to_string(value).unwrap_or_default());
        }
    }

    fn int(&mut self, key: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.raw(key, &value.to_string());
        }
    }

    /// SENTRA-F18: with so few places the server's own rounding is harmless.
    fn dec(&mut self, key: &str, places: u32, value: Option<Decimal>) {
        if let Some(value) = value {
            self.raw(key, &decimal::show(value.round_dp(places)));
        }
    }

    fn money(&mut self, key: &str, value: Option<Decimal>) {
        self.dec(key, self.money, value);
    }

    fn volume(&mut self, value: Decimal) {
        self.dec("volume", 2, Some(value));
    }

    fn price(&mut self, key: &str, value: Decimal) {
        self.dec(key, 5, Some(value));
    }

    fn time(&mut self, key: &str, value: Time) {
        self.raw(key, &format!("\"{}\"", stamp(value)));
    }

    fn identity(&mut self, who: &Identity) {
        self.text("user_email", Some(who.email.expose()));
        self.text("account_number", Some(&who.account));
    }

    fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// SENTRA-F05: whole seconds of UTC, `2025-10-29T10:30:00Z`.
#[must_use]
pub fn stamp(time: Time) -> String {
    let second = 1_000_000_000;
    Time::from_nanos(time.nanos().div_euclid(second).saturating_mul(second)).to_string()
}

/// SENTRA-C01.
#[must_use]
pub fn heartbeat(who: &Identity, beat: &Heartbeat) -> String {
    let mut body = Body::new(who.account_type);
    body.identity(who);
    body.text("broker", beat.broker.as_deref());
    body.text("server", beat.server.as_deref());
    body.text("account_name", beat.account_name.as_deref());
    body.money("balance", Some(beat.balance));
    body.money("equity", Some(beat.equity));
    body.text("currency", beat.currency.as_deref());
    body.int("leverage", beat.leverage);
    body.money("margin_free", beat.margin_free);
    body.int("open_positions", beat.open_positions);
    let platform = beat.platform.map(|platform| match platform {
        Platform::Mt4 => "MT4",
        Platform::Mt5 => "MT5",
    });
    body.text("platform", platform);
    body.text("account_type", Some(who.account_type.word()));
    body.end()
}

/// SENTRA-C02.
#[must_use]
pub fn positions(who: &Identity, positions: &[Position]) -> String {
    let rows = positions.iter().map(|row| {
        let mut body = Body::new(who.account_type);
        body.text("ticket", Some(&row.ticket));
        body.text("symbol", Some(&row.symbol));
        body.text("type", Some(row.side.word()));
        body.volume(row.volume);
        body.price("open_price", row.open_price);
        body.price("current_price", row.current_price);
        body.money("profit", Some(row.profit));
        body.money("swap", row.swap);
        body.money("commission", row.commission);
        body.time("open_time", row.open_time);
        body.end()
    });
    list(who, "positions", rows)
}

/// SENTRA-C03.
#[must_use]
pub fn trades(who: &Identity, trades: &[Closed]) -> String {
    let rows = trades.iter().map(|row| {
        let mut body = Body::new(who.account_type);
        body.text("ticket", Some(&row.ticket));
        body.text("symbol", Some(&row.symbol));
        body.text("type", Some(row.side.word()));
        body.volume(row.volume);
        body.price("open_price", row.open_price);
        body.price("close_price", row.close_price);
        body.time("open_time", row.open_time);
        body.time("close_time", row.close_time);
        body.money("profit", Some(row.profit));
        body.money("commission", row.commission);
        body.money("swap", row.swap);
        body.end()
    });
    list(who, "trades", rows)
}

fn list(who: &Identity, key: &str, rows: impl Iterator<Item = String>) -> String {
    let mut body = Body::new(who.account_type);
    body.identity(who);
    body.raw(key, &format!("[{}]", rows.collect::<Vec<_>>().join(",")));
    body.end()
}

/// The bytes to send, and whether they are compressed (SENTRA-R17, SENTRA-P09).
#[must_use]
pub fn packed(text: &str) -> (Vec<u8>, bool) {
    if text.len() <= GZIP_ABOVE {
        return (text.as_bytes().to_vec(), false);
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    let packed = packer.write_all(text.as_bytes()).and_then(|()| packer.finish());
    packed.map_or_else(|_| (text.as_bytes().to_vec(), false), |bytes| (bytes, true))
}

/// What the venue said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// SENTRA-R21; the leading integer of the message, where there is one.
    Yes { stored: Option<usize> },
    /// SENTRA-R22, verbatim.
    No { error: String },
    /// Not a reply: half of one, or a page.
    Noise,
}

#[derive(serde::Deserialize)]
struct Reply {
    success: bool,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

#[must_use]
pub fn said(text: &str) -> Said {
    let Ok(reply) = serde_json::from_str::<Reply>(text) else { return Said::Noise };
    if !reply.success {
        let error = reply.error.or(reply.message).unwrap_or_default();
        return Said::No { error };
    }
    let message = reply.message.unwrap_or_default();
    let digits = message.chars().take_while(char::is_ascii_digit).collect::<String>();
    Said::Yes { stored: digits.parse().ok() }
}
