//! The wire: an ask becomes JSON bodies whose numbers are plain decimals in the account's currency
//! (never multiplied: the scales are the venue's business), gzip when large; and replies.

use crate::base::{Body, CallAsk, Decimal, Plain, Secret, Time, decimal, names};
use crate::calls::sentra as calls;
use crate::calls::{By, Call, Field, Kind, Priority};
use flate2::{Compression, write::GzEncoder};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::Write;

mod moment;
#[cfg(test)]
mod tests;

/// SENTRA-F14: a larger body is compressed.
pub const GZIP_ABOVE: usize = 1_000_000;

/// SENTRA-R13.
pub const BATCH: usize = 100;

/// Rows in one call: a hundred batches, two minutes of the account's lane.
pub const MOST_ROWS: usize = 10_000;

/// SENTRA-R22c.
pub const NO_ACCOUNT: &str = "Conta não encontrada. Envie heartbeat primeiro.";

/// Characters of an account number; MetaTrader's have at most 20 digits.
const LONGEST_ACCOUNT: usize = 32;
/// A volume this near to two places is a double that means them.
const NOISE: Decimal = Decimal::from_parts(1, 0, 0, false, 8);

/// Which of the three calls.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Push {
    Heartbeat,
    Positions,
    Trades,
}

impl Push {
    /// The call of this name; `None` for one that the contract does not have.
    #[must_use]
    pub fn find(name: &str) -> Option<Push> {
        let all = [Push::Heartbeat, Push::Positions, Push::Trades];
        all.into_iter().find(|push| push.call().name == name)
    }

    #[must_use]
    pub const fn call(self) -> &'static Call {
        match self {
            Push::Heartbeat => &calls::HEARTBEAT,
            Push::Positions => &calls::POSITIONS,
            Push::Trades => &calls::TRADES,
        }
    }

    #[must_use]
    pub const fn lane(self) -> Priority {
        self.call().lane
    }
}

/// The body of one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    pub body: Body,
    pub gzip: bool,
    /// Rows inside; 1 for a heartbeat.
    pub rows: usize,
}

/// An ask as it goes out: the bytes are made once and stay the same at every attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parcel {
    pub push: Push,
    pub parts: VecDeque<Part>,
    pub rows: usize,
    /// Amounts that had more places than the venue stores.
    pub rounded: usize,
    /// What a heartbeat says of the account's money (SENTRA-R24).
    pub money: Option<Money>,
}

/// How the venue counts the account's money (SENTRA-F06). Only the number of places follows here.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Money {
    #[default]
    Standard,
    Cent,
}

impl Money {
    const fn places(self) -> u32 {
        match self {
            Money::Standard => 2,
            Money::Cent => 4,
        }
    }

    /// SENTRA-R24, as far as a heartbeat shows it.
    fn of(ask: &CallAsk) -> Money {
        let server = ask.text("server").unwrap_or_default().to_ascii_lowercase();
        match ask.text("account_type") {
            Some("CENT") => Money::Cent,
            Some(_) => Money::Standard,
            None if server.contains("cent") || server.contains("micro") => Money::Cent,
            None => Money::Standard,
        }
    }
}

/// The account an ask speaks of. It names a lane, so it can hold no e-mail.
///
/// # Errors
/// When it is missing or no account number.
pub fn account(ask: &CallAsk) -> Result<String, String> {
    let text = ask.get("account_number").and_then(words);
    let text = text.ok_or("account_number is missing: the account's number as text")?;
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > LONGEST_ACCOUNT || !text.chars().all(fine) {
        let why = format!("account_number: digits as text, at most {LONGEST_ACCOUNT}");
        return Err(why);
    }
    Ok(text.into_owned())
}

/// Checks an ask against the table of calls and makes its bodies. Trades go in batches of 100.
///
/// # Errors
/// What is wrong with which field.
pub fn parcel(email: &Secret, ask: &CallAsk, known: Money) -> Result<Parcel, String> {
    let push = Push::find(ask.name).ok_or_else(|| format!("sentra has no call {}", ask.name))?;
    let fields = push.call().args;
    known_only(fields, ask.args.iter().map(|(name, _)| *name), "")?;
    let money = (push == Push::Heartbeat).then(|| Money::of(ask));
    let mut head = Draft::new(money.unwrap_or(known));
    head.text("user_email", email.expose());
    head.text("account_number", &account(ask)?);
    let mut parcel = Parcel { push, parts: VecDeque::new(), rows: 1, rounded: 0, money };
    let list = fields.iter().find_map(|field| {
        let Kind::List(row) = field.kind else { return None };
        Some((field.name, row))
    });
    let Some((name, row)) = list else {
        head.fields(fields, &|field| ask.get(field), "")?;
        parcel.rounded = head.rounded;
        parcel.parts.push_back(part(&head.end(), 1));
        return Ok(parcel);
    };
    let Some(items) = ask.get(name).and_then(rows) else {
        return Err(format!("{name} is missing: a list"));
    };
    if items.len() > MOST_ROWS {
        return Err(format!("{name}: {} rows, at most {MOST_ROWS} in one call", items.len()));
    }
    let mut made = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let mut draft = Draft::new(known);
        draft.row(row, item, &format!("{name}[{}].", at + 1))?;
        parcel.rounded += draft.rounded;
        made.push(draft.end());
    }
    parcel.rows = made.len();
    let most = if push == Push::Trades { BATCH } else { MOST_ROWS };
    let batch = |rows: &[String]| {
        let mut body = head.clone();
        body.raw(name, &format!("[{}]", rows.join(",")));
        part(&body.end(), rows.len())
    };
    match made.is_empty() {
        true => parcel.parts.push_back(batch(&[])),
        false => parcel.parts.extend(made.chunks(most).map(batch)),
    }
    Ok(parcel)
}

/// The items of a list; an empty table of a script may come as an empty map.
fn rows(value: &Plain) -> Option<&[Plain]> {
    if let Plain::List(items) = value {
        return Some(items);
    }
    matches!(value, Plain::Map(pairs) if pairs.is_empty()).then_some(&[])
}

fn known_only<'a>(
    fields: &'static [Field],
    names: impl Iterator<Item = &'a str>,
    at: &str,
) -> Result<(), String> {
    let open = || fields.iter().filter(|field| field.by != By::Host).map(|field| field.name);
    for name in names {
        if open().any(|known| known == name) {
            continue;
        }
        let hint = names::nearest(name, open()).map(|near| format!("; did you mean {near}?"));
        return Err(format!("{at}{name} is no field of it{}", hint.unwrap_or_default()));
    }
    Ok(())
}

/// A JSON object being written.
#[derive(Clone)]
struct Draft {
    text: String,
    money: Money,
    rounded: usize,
}

impl Draft {
    fn new(money: Money) -> Draft {
        Draft { text: String::from("{"), money, rounded: 0 }
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

    /// SENTRA-F17.
    fn text(&mut self, key: &str, value: &str) {
        self.raw(key, &serde_json::to_string(value).unwrap_or_default());
    }

    fn row(&mut self, fields: &'static [Field], item: &Plain, at: &str) -> Result<(), String> {
        let (Plain::Map(pairs) | Plain::Object(_, pairs)) = item else {
            return Err(format!("{} is no table", at.trim_end_matches('.')));
        };
        let keys = pairs.iter().map(|(key, _)| {
            let Plain::Text(key) = key else { return "a key that is no text" };
            key.as_str()
        });
        known_only(fields, keys, at)?;
        self.fields(fields, &|field| item.get(field), at)
    }

    /// Every field of the script's that is there; whatever is required must be (SENTRA-F04).
    fn fields<'a>(
        &mut self,
        fields: &'static [Field],
        get: &dyn Fn(&str) -> Option<&'a Plain>,
        at: &str,
    ) -> Result<(), String> {
        for field in fields {
            if field.by == By::Host || field.name == "account_number" {
                continue;
            }
            match get(field.name).filter(|value| **value != Plain::Nil) {
                Some(value) => {
                    self.field(field, value).map_err(|why| format!("{at}{}: {why}", field.name))?;
                }
                None if field.required => return Err(format!("{at}{} is missing", field.name)),
                None => {}
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, value: &Plain) -> Result<(), String> {
        let name = field.name;
        if name.ends_with("_time") {
            let stamp = stamp(moment::read(value)?);
            self.text(name, &stamp);
            return Ok(());
        }
        match field.kind {
            Kind::Dec => {
                let value = self.decimal(name, number(value).ok_or("it is no decimal")?)?;
                self.raw(name, &decimal::show(value));
            }
            Kind::Int => {
                let whole = number(value).filter(Decimal::is_integer).ok_or("it is no integer")?;
                self.raw(name, &decimal::show(whole));
            }
            Kind::Word(words) => {
                let word = words.iter().find(|word| *value == Plain::text(**word));
                self.text(name, word.ok_or_else(|| format!("one of {}", words.join(", ")))?);
            }
            Kind::Text
            | Kind::Id
            | Kind::Bool
            | Kind::Number
            | Kind::Stamp
            | Kind::Object(_)
            | Kind::List(_)
            | Kind::Keyed(_)
            | Kind::Rows(_)
            | Kind::Numbers => {
                let text = words(value).ok_or("it is no text")?;
                if text.is_empty() && field.required {
                    return Err("it is empty".to_owned());
                }
                self.text(name, &text);
            }
        }
        Ok(())
    }

    /// SENTRA-F18. Money is rounded here, half to even, to the places that the venue stores, so
    /// that its own rounding of doubles (SENTRA-T03) has nothing left to decide. A volume that
    /// does not fit is an error: the venue would store another size, or none.
    fn decimal(&mut self, name: &str, value: Decimal) -> Result<Decimal, String> {
        let places = match name {
            "volume" => 2,
            "open_price" | "close_price" | "current_price" => 8,
            _ => self.money.places(),
        };
        let kept = value.round_dp(places);
        let off = (kept - value).abs();
        if name == "volume" {
            if off > NOISE {
                let value = decimal::show(value);
                return Err(format!("{value} lots have more than the venue's 2 places"));
            }
            if kept <= Decimal::ZERO {
                return Err("it is not above zero".to_owned());
            }
        }
        self.rounded += usize::from(off > NOISE);
        Ok(kept)
    }

    fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// Exact, however it came.
fn number(value: &Plain) -> Option<Decimal> {
    match value {
        Plain::Decimal(value) => Some(*value),
        Plain::Int(whole) => Some((*whole).into()),
        Plain::Number(number) => decimal::from_f64(*number),
        Plain::Text(text) => decimal::parse(text).ok(),
        Plain::Nil | Plain::Bool(_) | Plain::List(_) | Plain::Map(_) | Plain::Object(..) => None,
    }
}

/// Text, or a whole number as text: tickets and account numbers are digits.
fn words(value: &Plain) -> Option<Cow<'_, str>> {
    match value {
        Plain::Text(text) => Some(Cow::from(text)),
        Plain::Int(whole) => Some(Cow::from(whole.to_string())),
        Plain::Nil
        | Plain::Bool(_)
        | Plain::Decimal(_)
        | Plain::Number(_)
        | Plain::List(_)
        | Plain::Map(_)
        | Plain::Object(..) => None,
    }
}

/// SENTRA-F05: whole seconds of UTC, `2025-10-29T10:30:00Z`.
#[must_use]
pub fn stamp(time: Time) -> String {
    let second = 1_000_000_000;
    Time::from_nanos(time.nanos().div_euclid(second).saturating_mul(second)).to_string()
}

/// SENTRA-R17, SENTRA-P09.
fn part(text: &str, rows: usize) -> Part {
    let plain = || Part { body: Body(text.as_bytes().to_vec()), gzip: false, rows };
    if text.len() <= GZIP_ABOVE {
        return plain();
    }
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    let packed = packer.write_all(text.as_bytes()).and_then(|()| packer.finish());
    packed.map_or_else(|_| plain(), |bytes| Part { body: Body(bytes), gzip: true, rows })
}

/// What the venue said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// SENTRA-R21; `stored` is the leading integer of the message, where there is one.
    Yes { message: String, stored: Option<usize> },
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
    Said::Yes { stored: digits.parse().ok(), message }
}
