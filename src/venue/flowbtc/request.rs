//! The bodies of the requests we send, key for key. Optional keys are left out, never sent as
//! zero (FLOW-F14, FLOW-F17); every cancel names its account and its order or instrument
//! (FLOW-P18).

use super::wire::quoted;
use crate::base::{Decimal, OrderKey, OrderKind, Secret, Side, Tif, VenueOrderId, decimal};

#[cfg(test)]
mod tests;

/// Ours on the venue's side: the account, and the OMS, which is always 1 (FLOW-R13).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Account(pub i64);

/// An instrument's number at the venue.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PageId(pub i64);

/// FLOW-R13.
pub const OMS: i64 = 1;

/// A JSON object being written; keys in the order given.
struct Body(String);

impl Body {
    fn new() -> Body {
        Body(String::from("{"))
    }

    fn raw(mut self, key: &str, value: &str) -> Body {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
        self.0.push_str(value);
        self
    }

    fn int(self, key: &str, value: i64) -> Body {
        self.raw(key, &value.to_string())
    }

    fn dec(self, key: &str, value: Decimal) -> Body {
        self.raw(key, &decimal::show(value))
    }

    fn dec_if(self, key: &str, value: Option<Decimal>) -> Body {
        match value {
            Some(value) => self.dec(key, value),
            None => self,
        }
    }

    fn text(self, key: &str, value: &str) -> Body {
        self.raw(key, &quoted(value))
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// FLOW-C04.
#[must_use]
pub fn login(user: &str, password: &Secret) -> String {
    Body::new().text("UserName", user).text("Password", password.expose()).end()
}

/// FLOW-P08.
#[must_use]
pub fn resume(token: &Secret) -> String {
    Body::new().text("SessionToken", token.expose()).end()
}

/// FLOW-X06, FLOW-P10: all four are strings.
#[must_use]
pub fn key_login(key: &Secret, signature: &Secret, user_id: i64, nonce: &str) -> String {
    Body::new()
        .text("APIKey", key.expose())
        .text("Signature", signature.expose())
        .text("UserId", &user_id.to_string())
        .text("Nonce", nonce)
        .end()
}

/// FLOW-C10.
#[must_use]
pub fn code(code: &Secret) -> String {
    Body::new().text("Code", code.expose()).end()
}

/// For `Ping` and `LogOut`.
#[must_use]
pub fn empty() -> String {
    Body::new().end()
}

/// For `SubscribeAccountEvents` and `GetAccountPositions`.
#[must_use]
pub fn account_first(account: Account) -> String {
    Body::new().int("AccountId", account.0).int("OMSId", OMS).end()
}

/// For `GetOpenOrders` and `GetOrderHistory`.
#[must_use]
pub fn of_account(account: Account) -> String {
    Body::new().int("OMSId", OMS).int("AccountId", account.0).end()
}

/// For `GetInstruments`.
#[must_use]
pub fn oms() -> String {
    Body::new().int("OMSId", OMS).end()
}

/// FLOW-X05.
#[must_use]
pub fn user_accounts(user: Option<i64>, name: &str) -> String {
    let body = Body::new().int("OMSId", OMS);
    match user {
        Some(user) => body.int("UserId", user).text("UserName", name).end(),
        None => body.text("UserName", name).end(),
    }
}

/// For the subscriptions that need no more, and for every unsubscription.
#[must_use]
pub fn of_instrument(instrument: PageId) -> String {
    Body::new().int("OMSId", OMS).int("InstrumentId", instrument.0).end()
}

/// FLOW-C06.
#[must_use]
pub fn subscribe_trades(instrument: PageId, last: u32) -> String {
    Body::new()
        .int("OMSId", OMS)
        .int("InstrumentId", instrument.0)
        .int("IncludeLastCount", last.into())
        .end()
}

/// FLOW-C08; the interval as an integer (FLOW-F11).
#[must_use]
pub fn subscribe_ticker(instrument: PageId, seconds: i64, last: u32) -> String {
    Body::new()
        .int("OMSId", OMS)
        .int("InstrumentId", instrument.0)
        .int("Interval", seconds)
        .int("IncludeLastCount", last.into())
        .end()
}

/// FLOW-X02.
#[must_use]
pub fn subscribe_book(instrument: PageId, depth: u16) -> String {
    Body::new().int("OMSId", OMS).int("InstrumentId", instrument.0).int("Depth", depth.into()).end()
}

/// FLOW-C18.
#[must_use]
pub fn account_trades(account: Account, count: u32, start: u32) -> String {
    Body::new()
        .int("OMSId", OMS)
        .int("AccountId", account.0)
        .int("Count", count.into())
        .int("StartIndex", start.into())
        .end()
}

/// FLOW-C26.
#[must_use]
pub fn order_status(account: Account, order: VenueOrderId) -> String {
    Body::new().int("OMSId", OMS).int("AccountId", account.0).int("OrderId", order.0).end()
}

/// What `SendOrder` and `CancelReplaceOrder` say of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    pub client: OrderKey,
    pub instrument: PageId,
    pub side: Side,
    pub kind: OrderKind,
    pub qty: Decimal,
    pub price: Option<Decimal>,
    pub stop: Option<Decimal>,
    pub post_only: bool,
    pub tif: Tif,
}

impl Terms {
    /// Only limit orders carry a limit price, only stop orders a stop price (FLOW-F17).
    fn prices(&self) -> (Option<Decimal>, Option<Decimal>) {
        match self.kind {
            OrderKind::Market => (None, None),
            OrderKind::Limit => (self.price, None),
            OrderKind::Stop => (None, self.stop),
            OrderKind::StopLimit => (self.price, self.stop),
        }
    }

    /// FLOW-V12; post-only is 5 (GTX).
    fn tif_number(&self) -> i64 {
        match (self.post_only, self.tif) {
            (true, _) => 5,
            (false, Tif::Gtc) => 1,
            (false, Tif::Ioc) => 3,
            (false, Tif::Fok) => 4,
        }
    }
}

fn side_number(side: Side) -> i64 {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

fn kind_number(kind: OrderKind) -> i64 {
    match kind {
        OrderKind::Market => 1,
        OrderKind::Limit => 2,
        OrderKind::Stop => 3,
        OrderKind::StopLimit => 4,
    }
}

/// FLOW-C21, with an explicit time in force and nothing hidden (FLOW-F16, FLOW-F17).
#[must_use]
pub fn send_order(account: Account, terms: &Terms) -> String {
    let (price, stop) = terms.prices();
    Body::new()
        .int("AccountId", account.0)
        .int("ClientOrderId", terms.client.wire())
        .int("InstrumentId", terms.instrument.0)
        .int("Side", side_number(terms.side))
        .dec("Quantity", terms.qty)
        .int("DisplayQuantity", 0)
        .raw("UseDisplayQuantity", "false")
        .int("OrderType", kind_number(terms.kind))
        .dec_if("LimitPrice", price)
        .dec_if("StopPrice", stop)
        .int("TimeInForce", terms.tif_number())
        .int("OMSId", OMS)
        .end()
}

/// FLOW-C23: `terms.client` is the replacement's own client id.
#[must_use]
pub fn cancel_replace(account: Account, old: VenueOrderId, terms: &Terms) -> String {
    let (price, stop) = terms.prices();
    Body::new()
        .int("AccountId", account.0)
        .int("OrderIdToReplace", old.0)
        .int("ClientOrderId", terms.client.wire())
        .dec("Quantity", terms.qty)
        .int("DisplayQuantity", 0)
        .raw("UseDisplayQuantity", "false")
        .dec_if("LimitPrice", price)
        .int("OrderType", kind_number(terms.kind))
        .int("InstrumentId", terms.instrument.0)
        .int("Side", side_number(terms.side))
        .dec_if("StopPrice", stop)
        .int("TimeInForce", terms.tif_number())
        .int("OMSId", OMS)
        .end()
}

/// FLOW-C22: `qty` is the new whole quantity, `revision` the order's present one, 0 where nothing
/// tells it.
#[must_use]
pub fn modify_order(
    order: VenueOrderId,
    instrument: PageId,
    revision: i64,
    qty: Decimal,
) -> String {
    Body::new()
        .int("OMSId", OMS)
        .int("OrderId", order.0)
        .int("InstrumentId", instrument.0)
        .int("PreviousOrderRevision", revision)
        .dec("Quantity", qty)
        .end()
}

/// How a cancel names its order (FLOW-F14): by the venue's number wherever it is known.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Named {
    Order(VenueOrderId),
    Client(OrderKey),
}

/// FLOW-C24.
#[must_use]
pub fn cancel_order(account: Account, named: Named) -> String {
    let body = Body::new().int("OMSId", OMS).int("AccountId", account.0);
    match named {
        Named::Order(order) => body.int("OrderId", order.0).end(),
        Named::Client(key) => body.int("ClOrderId", key.wire()).end(),
    }
}

/// FLOW-C25: always one account and one instrument. "All instruments" is this once for each,
/// since a missing or misspelt key cancels everything (FLOW-P18, FLOW-T12).
#[must_use]
pub fn cancel_all(account: Account, instrument: PageId) -> String {
    Body::new()
        .int("AccountId", account.0)
        .int("OMSId", OMS)
        .int("InstrumentId", instrument.0)
        .end()
}
