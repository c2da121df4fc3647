//! What the venue's payloads say: logins, orders, fills, balances, instruments, refusals, and the
//! rows of trades, books and bars. Each reads both dialects: the page's and AlphaPoint's own.

use super::wire::{Fields, WireError, items, short, text_of};
use crate::base::{Decimal, Liquidity, OrderKind, Secret, Side, Time};

mod market;

#[cfg(test)]
mod tests;

pub use market::{BarRow, BookRow, Level1, TradeRow};

/// Why the venue said no, or that it failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The venue's code (FLOW-R10, FLOW-P06); 0 where it gave none.
    pub code: i64,
    pub text: String,
    /// The answer was plain text, not JSON.
    pub plain: bool,
}

pub const NOT_AUTHORIZED: i64 = 20;
pub const SERVER_ERROR: i64 = 102;
pub const NOT_FOUND: i64 = 104;
const NOT_SUPPORTED: i64 = 106;
pub const ALREADY_SUBSCRIBED: i64 = 909;

impl Refused {
    /// The server does not know the function: it has only the page's calls (FLOW-P04, FLOW-P06).
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.code == NOT_SUPPORTED || self.text.to_ascii_lowercase().contains("endpoint not found")
    }

    /// FLOW-P13.
    #[must_use]
    pub fn is_too_many(&self) -> bool {
        is_too_many(&self.text)
    }

    /// It does not tell whether the request was carried out: a server error, an error page.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.code == SERVER_ERROR || (self.plain && !self.is_too_many() && !self.is_unsupported())
    }
}

/// FLOW-P13: the plain text that asks to slow down.
#[must_use]
pub fn is_too_many(text: &str) -> bool {
    text.to_ascii_uppercase().contains("TOO MANY REQUESTS")
}

/// The refusal in a reply's body, if it is one: `result` or `status` say so, a code other than
/// 0, or a body that is no JSON (FLOW-R09, FLOW-P04, FLOW-P06).
#[must_use]
pub fn refusal(body: &str) -> Option<Refused> {
    let trimmed = body.trim_start();
    if trimmed.starts_with('[') {
        return None;
    }
    let Ok(fields) = Fields::read(body) else {
        let text = text_of(body).unwrap_or(body.into());
        return Some(Refused { code: 0, text: short(&text), plain: true });
    };
    let code = fields.id("errorcode").unwrap_or(0);
    let status = fields.word("status").unwrap_or_default();
    let failed = fields.bool("result") == Some(false)
        || status.eq_ignore_ascii_case("Rejected")
        || status.eq_ignore_ascii_case("error");
    if !failed && code == 0 {
        return None;
    }
    let text = ["errormsg", "RejectReason", "detail", "message"]
        .into_iter()
        .find_map(|key| fields.word(key).filter(|text| !text.is_empty()))
        .unwrap_or(status);
    Some(Refused { code, text: short(&text), plain: false })
}

/// The answer to a login (FLOW-C04, FLOW-P07, FLOW-P09, FLOW-P10).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    pub authenticated: bool,
    pub token: Option<Secret>,
    pub user: Option<i64>,
    pub account: Option<i64>,
    pub needs_code: bool,
    pub locked: bool,
    pub message: String,
}

impl Login {
    /// # Errors
    /// When the body is no object or does not say whether we are in.
    pub fn read(body: &str) -> Result<Login, WireError> {
        let fields = Fields::read(body)?;
        let user = fields.raw("User").and_then(|raw| Fields::read(raw).ok()).unwrap_or_default();
        let needs_code = fields.bool("Requires2FA").unwrap_or(false);
        let authenticated =
            fields.bool("Authenticated").ok_or(WireError::Missing { key: "Authenticated" })?;
        Ok(Login {
            authenticated: authenticated && !needs_code,
            token: fields.word("SessionToken").filter(|t| !t.is_empty()).map(Secret::new),
            user: fields.id("UserId").or_else(|| user.id("UserId")),
            account: fields.id("AccountId").or_else(|| user.id("AccountId")),
            needs_code,
            locked: fields.bool("Locked").unwrap_or(false),
            message: short(&fields.word("errormsg").unwrap_or_default()),
        })
    }
}

/// FLOW-V14, with `Unknown` for whatever else stands there.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum State {
    Unknown,
    Working,
    Rejected,
    Canceled,
    Expired,
    FullyExecuted,
}

/// An order as the venue shows it: A.9, FLOW-E06 and the richer rows of later versions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderRow {
    pub id: i64,
    pub client: Option<i64>,
    pub account: Option<i64>,
    /// The page's own instrument number.
    pub instrument: Option<i64>,
    pub side: Option<Side>,
    pub kind: Option<OrderKind>,
    pub price: Option<Decimal>,
    pub remaining: Option<Decimal>,
    pub qty: Option<Decimal>,
    pub executed: Decimal,
    pub state: State,
    pub reason: String,
    pub received: Option<Time>,
    /// OrderRevision, where the dialect tells it.
    pub revision: Option<i64>,
    pub origin: Option<i64>,
    pub origin_client: Option<i64>,
}

impl OrderRow {
    /// # Errors
    /// When there is no order number or an amount cannot be read exactly.
    pub fn read(body: &str) -> Result<OrderRow, WireError> {
        let fields = Fields::read(body)?;
        let state = match fields.word("OrderState").as_deref() {
            Some("Working") => State::Working,
            Some("Rejected") => State::Rejected,
            Some("Canceled" | "Cancelled") => State::Canceled,
            Some("Expired") => State::Expired,
            Some("FullyExecuted") => State::FullyExecuted,
            _ => State::Unknown,
        };
        let reason = ["RejectReason", "CancelReason", "ChangeReason"]
            .into_iter()
            .filter_map(|key| fields.word(key))
            .find(|text| !text.is_empty() && text != "Unknown" && text != "0")
            .unwrap_or_default();
        Ok(OrderRow {
            id: fields.int("OrderId")?,
            client: fields.id("ClientOrderId"),
            account: fields.id("Account").or_else(|| fields.id("AccountId")),
            instrument: fields.id("Instrument").or_else(|| fields.id("InstrumentId")),
            side: fields.word("Side").and_then(|word| side_of(&word)),
            kind: fields.word("OrderType").and_then(|word| kind_of(&word)),
            price: fields.dec_or_none("Price")?.filter(|price| !price.is_zero()),
            remaining: fields.dec_or_none("Quantity")?,
            qty: fields.dec_or_none("OrigQuantity")?.filter(|qty| !qty.is_zero()),
            executed: fields.dec_or_none("QuantityExecuted")?.unwrap_or_default(),
            state,
            reason: short(&reason),
            received: fields.time("ReceiveTime"),
            revision: fields.id("OrderRevision"),
            origin: fields.id("OrigOrderId"),
            origin_client: fields.id("OrigClOrdId"),
        })
    }

    /// Every order of an array (or one alone, FLOW-F19).
    ///
    /// # Errors
    /// When one of them cannot be read: half a snapshot is worse than none.
    pub fn read_all(body: &str) -> Result<Vec<OrderRow>, WireError> {
        items(body)?.into_iter().map(OrderRow::read).collect()
    }
}

/// A fill as the venue shows it: FLOW-C18, FLOW-E07.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FillRow {
    pub trade: i64,
    pub order: Option<i64>,
    pub client: Option<i64>,
    pub account: Option<i64>,
    pub instrument: Option<i64>,
    pub side: Option<Side>,
    pub qty: Decimal,
    pub price: Decimal,
    pub time: Option<Time>,
    /// Amount and product, in the dialects that tell it.
    pub fee: Option<(Decimal, Option<i64>)>,
    pub liquidity: Option<Liquidity>,
}

impl FillRow {
    /// # Errors
    /// When there is no trade number, or an amount is missing or cannot be read exactly.
    pub fn read(body: &str) -> Result<FillRow, WireError> {
        let fields = Fields::read(body)?;
        let liquidity = match fields.word("MakerTaker").as_deref() {
            Some("Maker" | "1") => Some(Liquidity::Maker),
            Some("Taker" | "2") => Some(Liquidity::Taker),
            _ => None,
        };
        let product = fields.id("FeeProductId");
        Ok(FillRow {
            trade: fields.int("TradeId")?,
            order: fields.id("OrderId"),
            client: fields.id("ClientOrderId"),
            account: fields.id("AccountId"),
            instrument: fields.id("InstrumentId"),
            side: fields.word("Side").and_then(|word| side_of(&word)),
            qty: fields.dec("Quantity")?,
            price: fields.dec("Price")?,
            time: fields.time("TradeTime").or_else(|| fields.time("TradeTimeMS")),
            fee: fields.dec_or_none("Fee")?.map(|fee| (fee, product)),
            liquidity,
        })
    }

    /// # Errors
    /// When one of them cannot be read.
    pub fn read_all(body: &str) -> Result<Vec<FillRow>, WireError> {
        items(body)?.into_iter().map(FillRow::read).collect()
    }
}

/// A balance: FLOW-X03, FLOW-E05.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    pub account: Option<i64>,
    pub product: Option<i64>,
    pub asset: Option<String>,
    pub total: Decimal,
    pub held: Decimal,
}

impl Position {
    /// # Errors
    /// When an amount is missing or cannot be read exactly.
    pub fn read(body: &str) -> Result<Position, WireError> {
        let fields = Fields::read(body)?;
        Ok(Position {
            account: fields.id("AccountId"),
            product: fields.id("ProductId"),
            asset: fields.word("ProductSymbol").filter(|t| !t.is_empty()).map(Into::into),
            total: fields.dec("Amount")?,
            held: fields.dec_or_none("Hold")?.unwrap_or_default(),
        })
    }

    /// # Errors
    /// When one of them cannot be read.
    pub fn read_all(body: &str) -> Result<Vec<Position>, WireError> {
        items(body)?.into_iter().map(Position::read).collect()
    }
}

/// An instrument's rules: FLOW-X04.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InstrumentRow {
    pub id: i64,
    pub symbol: String,
    pub base: Option<(i64, String)>,
    pub quote: Option<(i64, String)>,
    pub running: bool,
    pub tick_size: Option<Decimal>,
    pub lot_size: Option<Decimal>,
    pub min_qty: Option<Decimal>,
}

impl InstrumentRow {
    /// # Errors
    /// When number or symbol are missing, or a step cannot be read exactly.
    pub fn read(body: &str) -> Result<InstrumentRow, WireError> {
        let fields = Fields::read(body)?;
        let product = |id: &str, symbol: &str| {
            fields.word(symbol).map(|symbol| (fields.id(id).unwrap_or(0), symbol.into_owned()))
        };
        let step = |key| Ok::<_, WireError>(fields.dec_or_none(key)?.filter(|s| !s.is_zero()));
        let status = fields.word("SessionStatus");
        Ok(InstrumentRow {
            id: fields.int("InstrumentId")?,
            symbol: fields.text("Symbol")?.into_owned(),
            base: product("Product1", "Product1Symbol"),
            quote: product("Product2", "Product2Symbol"),
            running: status.is_none_or(|word| word == "Running" || word == "1")
                && fields.bool("IsDisable") != Some(true),
            tick_size: step("PriceIncrement")?,
            lot_size: step("QuantityIncrement")?,
            min_qty: fields.dec_or_none("MinimumQuantity")?,
        })
    }

    /// The rows that can be read; a venue's odd instrument must not hide the others.
    ///
    /// # Errors
    /// When the body is no array.
    pub fn read_all(body: &str) -> Result<Vec<InstrumentRow>, WireError> {
        Ok(items(body)?.into_iter().filter_map(|item| InstrumentRow::read(item).ok()).collect())
    }
}

/// A refusal pushed later: FLOW-E08 to FLOW-E11.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RejectEvent {
    pub account: Option<i64>,
    pub order: Option<i64>,
    pub client: Option<i64>,
    /// FLOW-E11: the order that was to be replaced.
    pub replaced: Option<i64>,
    pub instrument: Option<i64>,
    pub reason: String,
}

impl RejectEvent {
    /// # Errors
    /// When the body is no object.
    pub fn read(body: &str) -> Result<RejectEvent, WireError> {
        let fields = Fields::read(body)?;
        Ok(RejectEvent {
            account: fields.id("AccountId"),
            order: fields.id("OrderId"),
            client: fields.id("ClientOrderId"),
            replaced: fields.id("OrderIdToReplace"),
            instrument: fields.id("InstrumentId"),
            reason: short(&fields.word("RejectReason").unwrap_or_default()),
        })
    }
}

/// The answers to SendOrder and CancelReplaceOrder that are no refusals: the order's number, when
/// the dialect tells it (FLOW-C21, FLOW-P16).
#[must_use]
pub fn order_number(body: &str) -> Option<i64> {
    let fields = Fields::read(body).ok()?;
    fields.id("ReplacementOrderId").or_else(|| fields.id("OrderId"))
}

/// The first account of FLOW-X05.
#[must_use]
pub fn first_account(body: &str) -> Option<i64> {
    items(body).ok()?.into_iter().find_map(super::wire::int_of).filter(|id| *id != 0)
}

/// FLOW-V01, FLOW-V11, as number or word.
fn side_of(word: &str) -> Option<Side> {
    match word {
        "0" | "Buy" => Some(Side::Buy),
        "1" | "2" | "Sell" | "Short" => Some(Side::Sell),
        _ => None,
    }
}

/// FLOW-V02, FLOW-V10, as number or word.
fn kind_of(word: &str) -> Option<OrderKind> {
    match word {
        "1" | "Market" => Some(OrderKind::Market),
        "2" | "Limit" => Some(OrderKind::Limit),
        "3" | "StopMarket" => Some(OrderKind::Stop),
        "4" | "StopLimit" => Some(OrderKind::StopLimit),
        _ => None,
    }
}
