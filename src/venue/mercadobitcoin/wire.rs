//! The wire: request bodies, written once and sent as signed, and replies, with their numbers in
//! or out of quotes (MB-F02), their operations as object or list (MB-F03), all of it exact.

use crate::base::{Decimal, Side, Time};
use crate::venue::flowbtc::wire::{dec_of, int_of, short, text_of};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// MB-R07: over the limit; the request was not carried out.
pub const TOO_MANY: &str = "Taxa de requests acima do permitido.";

/// Places of volumes and of prices (MB-P10).
pub const VOLUME_PLACES: u32 = 8;
pub const PRICE_PLACES: u32 = 5;

/// MB-P08: a list never holds more.
pub const LIST_CAP: usize = 1000;

/// Why an answer could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The venue's own no (MB-P02), its text verbatim.
    #[error("{0}")]
    Refused(String),
    /// Neither yes nor no: an HTML page, half a reply.
    #[error("not a reply: {0}")]
    NotAReply(String),
    #[error("`{key}` is missing")]
    Missing { key: &'static str },
    #[error("`{key}` is `{text}`")]
    Bad { key: &'static str, text: String },
}

/// A form-urlencoded body: `method` and `tonce` first (MB-R03), then the parameters as given.
#[must_use]
pub fn body(method: &str, tonce: i64, parameters: &[(&str, String)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("method", method).append_pair("tonce", &tonce.to_string());
    for (key, value) in parameters {
        form.append_pair(key, value);
    }
    form.finish()
}

/// A decimal with exactly so many places: 8 for volumes, 5 for prices (MB-P10). `None` when it
/// would have to be rounded.
#[must_use]
pub fn fixed(value: Decimal, places: u32) -> Option<String> {
    let mut value = value.normalize();
    if value.scale() > places {
        return None;
    }
    value.rescale(places);
    (value.scale() == places).then(|| value.to_string())
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Status {
    Active,
    Canceled,
    Completed,
}

/// One order (A.2). A partially filled one is active with operations (MB-F12).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    pub id: i64,
    pub status: Status,
    pub created: Time,
    pub price: Decimal,
    pub volume: Decimal,
    pub pair: String,
    pub side: Side,
    /// By rising number.
    pub operations: Vec<Operation>,
}

/// One execution. `rate` is the fee in percent; of which side is not said (MB-F13).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    pub id: i64,
    pub volume: Decimal,
    pub price: Decimal,
    pub rate: Decimal,
    pub created: Time,
}

/// The answer to getInfo.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Info {
    pub funds: Vec<Fund>,
    pub server_time: Option<Time>,
    pub open_orders: Option<i64>,
}

/// One asset: `total` is free and held together; the venue does not say it for every asset
/// (MB-F08), then all is free.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fund {
    pub asset: String,
    pub free: Decimal,
    pub total: Decimal,
}

/// The answer to `withdrawal_bitcoin`. States: 0 new, 1 open, 2 closed, 3 canceled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawal {
    pub id: i64,
    pub volume: Decimal,
    pub status: i64,
    pub bitcoin_address: String,
    pub transaction: String,
    pub created: Time,
    pub updated: Time,
}

type Raw<'a> = BTreeMap<String, &'a RawValue>;

/// An object with its values as written.
struct Fields<'a>(Raw<'a>);

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Fields<'a>, WireError> {
        serde_json::from_str(text).map(Fields).map_err(|_| WireError::NotAReply(short(text)))
    }

    fn raw(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }

    fn get<T>(
        &self,
        key: &'static str,
        read: impl Fn(&'a str) -> Option<T>,
    ) -> Result<T, WireError> {
        let raw = self.raw(key).ok_or(WireError::Missing { key })?;
        read(raw).ok_or_else(|| WireError::Bad { key, text: short(raw) })
    }

    fn dec(&self, key: &'static str) -> Result<Decimal, WireError> {
        self.get(key, dec_of)
    }

    fn int(&self, key: &'static str) -> Result<i64, WireError> {
        self.get(key, int_of)
    }

    fn seconds(&self, key: &'static str) -> Result<Time, WireError> {
        self.get(key, seconds_of)
    }

    fn text(&self, key: &'static str) -> Result<String, WireError> {
        self.get(key, |raw| text_of(raw).map(std::borrow::Cow::into_owned))
    }

    fn side(&self, key: &'static str) -> Result<Side, WireError> {
        self.get(key, |raw| match raw {
            r#""buy""# => Some(Side::Buy),
            r#""sell""# => Some(Side::Sell),
            _ => None,
        })
    }
}

fn seconds_of(raw: &str) -> Option<Time> {
    int_of(raw)?.checked_mul(1_000_000_000).map(Time::from_nanos)
}

/// The `return` of a success (MB-R08, MB-F18).
fn envelope(text: &str) -> Result<(Fields<'_>, Fields<'_>), WireError> {
    let outer = Fields::read(text)?;
    match outer.raw("success").and_then(int_of) {
        Some(1) => {}
        Some(0) => {
            let why = outer.text("error").unwrap_or_default();
            return Err(WireError::Refused(why));
        }
        _ => return Err(WireError::NotAReply(short(text))),
    }
    let inner = outer.raw("return").ok_or(WireError::Missing { key: "return" })?;
    Ok((Fields::read(inner)?, outer))
}

/// The `return` of a success as it is written, and `server_time` and `open_orders` where they stand
/// beside it instead of inside (MB-F01).
///
/// # Errors
/// When the venue refuses, or the text is no reply.
pub fn inside(text: &str) -> Result<(&str, Vec<(&'static str, &str)>), WireError> {
    let (inner, outer) = envelope(text)?;
    let beside = ["server_time", "open_orders"].into_iter();
    let beside = beside.filter(|key| inner.raw(key).is_none());
    let beside = beside.filter_map(|key| Some((key, outer.raw(key)?))).collect();
    Ok((outer.raw("return").unwrap_or("{}"), beside))
}

/// MB-C01.
///
/// # Errors
/// When the venue refuses, or the text is no such reply.
pub fn info(text: &str) -> Result<Info, WireError> {
    let (inner, outer) = envelope(text)?;
    let raw = inner.raw("funds").ok_or(WireError::Missing { key: "funds" })?;
    let funds = Fields::read(raw)?;
    let mut out = Vec::new();
    for (key, raw) in &funds.0 {
        if key.ends_with("_with_open_orders") {
            continue;
        }
        let bad = |raw: &str| WireError::Bad { key: "funds", text: short(raw) };
        let free = dec_of(raw.get()).ok_or_else(|| bad(raw.get()))?;
        let total = match funds.raw(&format!("{key}_with_open_orders")) {
            Some(raw) => dec_of(raw).ok_or_else(|| bad(raw))?,
            None => free,
        };
        out.push(Fund { asset: key.to_ascii_uppercase(), free, total });
    }
    // MB-F01: inside, or beside.
    let either = |key| inner.raw(key).or_else(|| outer.raw(key));
    let server_time = either("server_time").and_then(seconds_of);
    let open_orders = either("open_orders").and_then(int_of);
    Ok(Info { funds: out, server_time, open_orders })
}

/// MB-C02, C03, C04: the orders of a reply, by rising number. Keys that are no numbers are passed
/// over (MB-P03).
///
/// # Errors
/// When the venue refuses, or an order cannot be read exactly.
pub fn orders(text: &str) -> Result<Vec<Order>, WireError> {
    let (inner, _) = envelope(text)?;
    let mut out = Vec::new();
    for (key, raw) in &inner.0 {
        if let Ok(id) = key.parse::<i64>() {
            out.push(order(id, raw.get())?);
        }
    }
    out.sort_by_key(|order| order.id);
    Ok(out)
}

fn order(id: i64, text: &str) -> Result<Order, WireError> {
    let fields = Fields::read(text)?;
    let status = fields.get("status", |raw| match raw {
        r#""active""# => Some(Status::Active),
        r#""canceled""# => Some(Status::Canceled),
        r#""completed""# => Some(Status::Completed),
        _ => None,
    })?;
    let mut operations = Vec::new();
    match fields.raw("operations") {
        // A list has no keys; its elements must say who they are.
        Some(raw) if raw.starts_with('[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw)
                .map_err(|_| WireError::Bad { key: "operations", text: short(raw) })?;
            for item in items {
                let fields = Fields::read(item.get())?;
                let id = fields.int("operation_id").or_else(|_| fields.int("id"))?;
                operations.push(operation(id, &fields)?);
            }
        }
        Some(raw) => {
            for (key, raw) in &Fields::read(raw)?.0 {
                if let Ok(id) = key.parse::<i64>() {
                    operations.push(operation(id, &Fields::read(raw.get())?)?);
                }
            }
        }
        None => {}
    }
    operations.sort_by_key(|operation| operation.id);
    Ok(Order {
        id,
        status,
        created: fields.seconds("created")?,
        price: fields.dec("price")?,
        volume: fields.dec("volume")?,
        pair: fields.text("pair")?,
        side: fields.side("type")?,
        operations,
    })
}

fn operation(id: i64, fields: &Fields<'_>) -> Result<Operation, WireError> {
    Ok(Operation {
        id,
        volume: fields.dec("volume")?,
        price: fields.dec("price")?,
        rate: fields.dec("rate").or_else(|error| match error {
            WireError::Missing { .. } => Ok(Decimal::ZERO),
            WireError::Bad { .. } | WireError::NotAReply(_) | WireError::Refused(_) => Err(error),
        })?,
        created: fields.seconds("created")?,
    })
}

/// MB-C05.
///
/// # Errors
/// When the venue refuses, or the text is no such reply.
pub fn withdrawal(text: &str) -> Result<Withdrawal, WireError> {
    let (inner, _) = envelope(text)?;
    let raw = inner.raw("withdrawal").ok_or(WireError::Missing { key: "withdrawal" })?;
    let fields = Fields::read(raw)?;
    Ok(Withdrawal {
        id: fields.int("id")?,
        volume: fields.dec("volume")?,
        status: fields.int("status")?,
        bitcoin_address: fields.text("bitcoin_address")?,
        transaction: fields.text("transaction").unwrap_or_default(),
        created: fields.seconds("created_timestamp")?,
        updated: fields.seconds("updated_timestamp")?,
    })
}

/// MB-X01: the market at a glance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticker {
    pub bid: Decimal,
    pub ask: Decimal,
    pub last: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    pub volume: Decimal,
    pub time: Time,
}

/// # Errors
/// When the text is no ticker.
pub fn ticker(text: &str) -> Result<Ticker, WireError> {
    let outer = Fields::read(text)?;
    let fields = Fields::read(outer.raw("ticker").ok_or(WireError::Missing { key: "ticker" })?)?;
    Ok(Ticker {
        bid: fields.dec("buy")?,
        ask: fields.dec("sell")?,
        last: fields.dec("last")?,
        high: fields.dec("high")?,
        low: fields.dec("low")?,
        volume: fields.dec("vol")?,
        time: fields.seconds("date")?,
    })
}

/// MB-X02: price and quantity, best first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Book {
    pub asks: Vec<(Decimal, Decimal)>,
    pub bids: Vec<(Decimal, Decimal)>,
    /// Nanoseconds on the wire (MB-T10).
    pub time: Option<Time>,
}

/// # Errors
/// When the text is no book.
pub fn book(text: &str) -> Result<Book, WireError> {
    let fields = Fields::read(text)?;
    let time = fields.raw("timestamp").and_then(int_of).map(Time::from_nanos);
    Ok(Book { asks: levels(&fields, "asks")?, bids: levels(&fields, "bids")?, time })
}

fn levels(fields: &Fields<'_>, key: &'static str) -> Result<Vec<(Decimal, Decimal)>, WireError> {
    fields.get(key, |raw| {
        let rows: Vec<Vec<&RawValue>> = serde_json::from_str(raw).ok()?;
        rows.iter()
            .map(|row| match row.as_slice() {
                [price, qty, ..] => Some((dec_of(price.get())?, dec_of(qty.get())?)),
                _ => None,
            })
            .collect()
    })
}

/// MB-X03: one public trade; `side` is the aggressor's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicTrade {
    pub id: i64,
    pub time: Time,
    pub side: Side,
    pub price: Decimal,
    pub qty: Decimal,
}

/// # Errors
/// When the text is no list of trades.
pub fn trades(text: &str) -> Result<Vec<PublicTrade>, WireError> {
    let items: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|_| WireError::NotAReply(short(text)))?;
    items
        .into_iter()
        .map(|item| {
            let fields = Fields::read(item.get())?;
            Ok(PublicTrade {
                id: fields.int("tid")?,
                time: fields.seconds("date")?,
                side: fields.side("type")?,
                price: fields.dec("price")?,
                qty: fields.dec("amount")?,
            })
        })
        .collect()
}

/// MB-X04: a day of a coin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day {
    pub date: String,
    pub open: Decimal,
    pub close: Decimal,
    pub low: Decimal,
    pub high: Decimal,
    /// In BRL.
    pub volume: Decimal,
    /// In the coin.
    pub quantity: Decimal,
    pub trades: i64,
}

/// # Errors
/// When the text is no such day.
pub fn day(text: &str) -> Result<Day, WireError> {
    let fields = Fields::read(text)?;
    Ok(Day {
        date: fields.text("date")?,
        open: fields.dec("opening")?,
        close: fields.dec("closing")?,
        low: fields.dec("lowest")?,
        high: fields.dec("highest")?,
        volume: fields.dec("volume")?,
        quantity: fields.dec("quantity")?,
        trades: fields.int("amount")?,
    })
}
