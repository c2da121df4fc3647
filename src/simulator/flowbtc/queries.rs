//! The calls that only ask: the market, what is listed, and an account's orders, trades and
//! amounts.

use super::objects::{self, OrderFrame};
use super::orders::own_order;
use super::router::{Answer, Call, Caller, Failure, instrument, named_instrument};
use super::rows;
use super::streams::{depth, interval};
use super::wire::{Object, array};
use super::{Dialect, FlowServer, accounts, rest};
use crate::base::VenueOrderId;
use crate::exchange::SimOrder;
use std::collections::BTreeMap;

/// Orders in GetOrderHistory (FLOW-C28).
const LAST_ORDERS: usize = 100;
const MOST_ROWS: usize = 1_000;
const DAY_MINUTES: i64 = 1_440;

/// FLOW-C01.
pub fn ping(_server: &mut FlowServer, _call: &Call) -> Answer {
    Ok(Object::new().text("msg", "PONG").end())
}

/// FLOW-C02: wrapped on the page, bare natively (FLOW-F01).
pub fn level1(server: &mut FlowServer, call: &Call) -> Answer {
    let id = instrument(server, call)?;
    let dialect = server.dialect;
    let write = |ticker: &rows::Ticker| match dialect {
        Dialect::Page => rows::level1_wrapped(ticker),
        Dialect::Native => rows::level1(dialect, ticker),
    };
    Ok(server.market.level1(call.now, id, &server.exchange, write))
}

/// FLOW-C03.
pub fn book(server: &mut FlowServer, call: &Call) -> Answer {
    let id = instrument(server, call)?;
    let depth = depth(server.dialect, call)?;
    Ok(server.market.book(call.now, id, depth, &server.exchange))
}

/// FLOW-C12: bars that begin on the days from FromDate to ToDate.
pub fn ticker_history(server: &mut FlowServer, call: &Call) -> Answer {
    let id = instrument(server, call)?;
    let length = interval(call)?;
    let (first, last) = (midnight(call, "FromDate")?, midnight(call, "ToDate")?);
    Ok(server.market.bars(id, length, first, last + DAY_MINUTES))
}

/// The minute, counted from the epoch, in which a day `YYYY-MM-DD` begins in UTC.
fn midnight(call: &Call, key: &str) -> Result<i64, Failure> {
    let text = call.fields.text(key)?;
    let text = text.ok_or_else(|| Failure::invalid(&format!("{key} is missing")))?;
    let day = text.get(..10).and_then(|day| day.parse::<jiff::civil::Date>().ok());
    let zoned = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let seconds = zoned.map(|zoned| zoned.timestamp().as_second());
    seconds.map(|at| at / 60).ok_or_else(|| Failure::invalid(&format!("{key} is not a day")))
}

/// FLOW-X07.
pub fn last_trades(server: &mut FlowServer, call: &Call) -> Answer {
    let id = instrument(server, call)?;
    let count = call.count("Count", 100, MOST_ROWS)?;
    Ok(server.market.last_trades(id, count))
}

/// FLOW-X04.
pub fn instruments(server: &mut FlowServer, _call: &Call) -> Answer {
    let rows = server.exchange.instruments().iter();
    Ok(array(rows.map(|row| rows::instrument(row, &server.products))))
}

/// One row of FLOW-X04.
pub fn one_instrument(server: &mut FlowServer, call: &Call) -> Answer {
    let row = server.exchange.instruments().get(instrument(server, call)?);
    row.map(|row| rows::instrument(row, &server.products)).ok_or_else(Failure::not_found)
}

/// FLOW-C14.
pub fn products(server: &mut FlowServer, _call: &Call) -> Answer {
    let dialect = server.dialect;
    Ok(array(server.products.iter().map(|row| rows::product(dialect, row))))
}

/// FLOW-C13, by ProductId or by Symbol (FLOW-F08).
pub fn product(server: &mut FlowServer, call: &Call) -> Answer {
    let row = match (call.id("ProductId")?, call.fields.text("Symbol")?) {
        (Some(id), _) => server.products.get(id),
        (None, Some(symbol)) => server.products.find(&symbol.to_ascii_uppercase()),
        (None, None) => return Err(Failure::invalid("ProductId is missing")),
    };
    row.map(|row| rows::product(server.dialect, row)).ok_or_else(Failure::not_found)
}

/// FLOW-X03.
pub fn positions(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let balances = server.exchange.balances(account);
    Ok(array(balances.iter().map(|(asset, balance)| {
        objects::position(server.dialect, account, asset, balance, &server.products)
    })))
}

/// FLOW-C18, newest first; StartIndex counts back from the newest.
pub fn account_trades(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let count = call.count("Count", 100, MOST_ROWS)?;
    let start = call.count("StartIndex", 0, usize::MAX)?;
    let fills = server.exchange.fills(account);
    let mut executions: BTreeMap<VenueOrderId, i64> = BTreeMap::new();
    let mut numbered = Vec::with_capacity(fills.len());
    for fill in fills {
        let number = executions.entry(fill.order).or_default();
        *number += 1;
        numbered.push((fill, *number));
    }
    let wanted = numbered.iter().rev().skip(start).take(count);
    Ok(array(
        wanted.map(|(fill, number)| {
            objects::execution(server.dialect, fill, *number, &server.products)
        }),
    ))
}

/// FLOW-C29.
pub fn open_orders(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let open = server.exchange.open_orders(account);
    Ok(array(open.into_iter().map(|order| order_object(server, order, caller))))
}

/// FLOW-C26: one object on the page and over HTTP, where ccxt reads one; an array natively
/// (FLOW-F19).
pub fn order_status(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let id = call.id("OrderId")?.ok_or_else(|| Failure::invalid("OrderId is missing"))?;
    let order = own_order(server, account, VenueOrderId(id)).ok_or_else(Failure::not_found)?;
    let object = order_object(server, &order, caller);
    Ok(match server.dialect {
        Dialect::Native if call.conn != rest::CONN => array([object]),
        Dialect::Page | Dialect::Native => object,
    })
}

/// FLOW-C28, newest first.
pub fn order_history(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let orders = server.exchange.history(account, LAST_ORDERS);
    Ok(array(orders.into_iter().map(|order| order_object(server, order, caller))))
}

/// FLOW-X07: the same, narrowed by the keys present, as far back as asked for.
pub fn orders_history(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let (client_id, id) = (call.id("ClientOrderId")?, call.id("OrderId")?);
    let instrument = named_instrument(server, call)?;
    let start = call.count("StartIndex", 0, usize::MAX)?;
    let count = call.count("Depth", LAST_ORDERS, MOST_ROWS)?;
    let orders = server.exchange.history(account, usize::MAX).into_iter().filter(|order| {
        client_id.is_none_or(|client_id| order.order.client_id == client_id)
            && id.is_none_or(|id| order.id.0 == id)
            && instrument.is_none_or(|instrument| order.order.instrument == instrument)
    });
    let wanted = orders.skip(start).take(count);
    Ok(array(wanted.map(|order| order_object(server, order, caller))))
}

fn order_object(server: &FlowServer, order: &SimOrder, caller: &Caller) -> String {
    let about = OrderFrame {
        dialect: server.dialect,
        change: objects::settled_reason(order),
        first_client: accounts::first_client(order, &server.exchange),
        user: caller.user_id,
        revision: server.accounts.revision(order.id),
    };
    objects::order(order, about)
}
