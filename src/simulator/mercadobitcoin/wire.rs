//! What Mercado Bitcoin's replies look like (MB-P02, MB-P03): decimals and times are quoted,
//! `open_orders` is not.

use crate::base::{Decimal, Time};
use crate::simulator::http::Page;
use crate::simulator::json::Object;

/// Places of prices and of volumes (MB-S04).
pub const PRICE_PLACES: u32 = 5;
pub const VOLUME_PLACES: u32 = 8;

/// A decimal with exactly this many places; more are cut off.
#[must_use]
pub fn fixed(value: Decimal, places: u32) -> String {
    let mut value = value.trunc_with_scale(places);
    value.rescale(places);
    value.to_string()
}

#[must_use]
pub fn seconds(time: Time) -> String {
    time.millis().div_euclid(1_000).to_string()
}

/// `{"success":1,"return":…}`
#[must_use]
pub fn success(inside: &str) -> Page {
    Page::json(200, Object::new().int("success", 1).raw("return", inside).end())
}

/// Failures come with HTTP 200 (MB-P02).
#[must_use]
pub fn failure(text: &str) -> Page {
    Page::json(200, Object::new().int("success", 0).text("error", text).end())
}

/// One execution of an order.
#[derive(Clone, Debug)]
pub struct Operation {
    pub id: i64,
    pub volume: Decimal,
    pub price: Decimal,
    /// In percent.
    pub rate: Decimal,
    pub created: Time,
}

/// An order as the replies show it (contract A.2).
#[derive(Clone, Debug)]
pub struct Order {
    pub id: i64,
    pub status: &'static str,
    pub created: Time,
    pub price: Decimal,
    pub volume: Decimal,
    pub pair: String,
    pub side: &'static str,
    pub operations: Vec<Operation>,
}

/// Orders by their ids.
#[must_use]
pub fn orders(orders: impl IntoIterator<Item = Order>) -> String {
    let rows = orders.into_iter();
    rows.fold(Object::new(), |object, row| object.raw(&row.id.to_string(), &order(&row))).end()
}

fn order(row: &Order) -> String {
    let operations = row.operations.iter().fold(Object::new(), |object, operation| {
        let inside = Object::new()
            .text("volume", &fixed(operation.volume, VOLUME_PLACES))
            .text("price", &fixed(operation.price, PRICE_PLACES))
            .text("rate", &fixed(operation.rate, 2))
            .text("created", &seconds(operation.created))
            .end();
        object.raw(&operation.id.to_string(), &inside)
    });
    Object::new()
        .text("status", row.status)
        .text("created", &seconds(row.created))
        .text("price", &fixed(row.price, PRICE_PLACES))
        .text("volume", &fixed(row.volume, VOLUME_PLACES))
        .text("pair", &row.pair)
        .text("type", row.side)
        .raw("operations", &operations.end())
        .end()
}

/// Available and with what orders hold, by asset (MB-C01).
#[must_use]
pub fn info(funds: &[(String, Decimal, Decimal)], now: Time, open_orders: i64) -> String {
    let places = |asset: &str| if asset == "brl" { PRICE_PLACES } else { VOLUME_PLACES };
    let mut object = Object::new();
    for (asset, free, _) in funds {
        object = object.text(asset, &fixed(*free, places(asset)));
    }
    for (asset, _, total) in funds {
        let key = format!("{asset}_with_open_orders");
        object = object.text(&key, &fixed(*total, places(asset)));
    }
    Object::new()
        .raw("funds", &object.end())
        .text("server_time", &seconds(now))
        .int("open_orders", open_orders)
        .end()
}

/// A withdrawal (MB-C05).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawal {
    pub id: i64,
    pub volume: Decimal,
    /// 0 new, 1 open, 2 closed; no call ends in the page's fourth.
    pub status: u8,
    pub address: String,
    pub transaction: String,
    pub created: Time,
    pub updated: Time,
}

#[must_use]
pub fn withdrawal(row: &Withdrawal) -> String {
    let word = match row.status {
        0 => "new",
        1 => "open",
        _ => "closed",
    };
    let inside = Object::new()
        .text("id", &row.id.to_string())
        .text("volume", &fixed(row.volume, VOLUME_PLACES))
        .text("status", &row.status.to_string())
        .text("status_description", word)
        .text("bitcoin_address", &row.address)
        .text("transaction", &row.transaction)
        .text("created_timestamp", &seconds(row.created))
        .text("updated_timestamp", &seconds(row.updated))
        .end();
    Object::new().raw("withdrawal", &inside).end()
}
