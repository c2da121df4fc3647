//! The calls that change orders. Their replies only say that they were received (FLOW-P16); what
//! becomes of them is told by events and by the queries.

use super::objects;
use super::outbox::Order;
use super::router::{Answer, Call, Caller, Failure, instrument, named_instrument, number_or_word};
use super::wire::{self, Object};
use super::{Dialect, FlowServer};
use crate::base::{OrderKind, Side, Tif, VenueOrderId};
use crate::exchange::{AccountNumber, NewOrder, Reject, SimOrder};

/// FLOW-C21. A refused order is `Rejected` in the reply natively (FLOW-P06), and only in the
/// events that follow an `Accepted` on the page (contract B.3).
pub fn send(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let order = new_order(server, call, caller)?;
    let (account, client_id) = (order.account, order.client_id);
    match server.exchange.submit(call.now, order) {
        Ok(id) => {
            let refused = server.exchange.order(id).filter(|order| order.filled.is_zero());
            let refused = refused.filter(|order| order.state == crate::base::OrderState::Rejected);
            Ok(match (server.dialect, refused) {
                (Dialect::Native, Some(order)) => rejected(&order.reason),
                (Dialect::Native, None) | (Dialect::Page, _) => accepted(id),
            })
        }
        Err(reject) => {
            let (reason, out) = (reject.to_string(), &mut server.outbox);
            server.accounts.refused(account, client_id, &reason, &server.sessions, out);
            Ok(rejected(&reason))
        }
    }
}

fn accepted(id: VenueOrderId) -> String {
    Object::new().text("status", "Accepted").text("errormsg", "").int("OrderId", id.0).end()
}

fn rejected(reason: &str) -> String {
    Object::new().text("status", "Rejected").text("errormsg", reason).int("errorcode", 101).end()
}

/// Contract A.8.
fn new_order(server: &FlowServer, call: &Call, caller: &Caller) -> Result<NewOrder, Failure> {
    let fields = &call.fields;
    let kind = kind(call)?;
    let (tif, post_only) = time_in_force(call)?;
    if call.id("OrderIdOCO")?.is_some() {
        return Err(Failure::unsupported("OrderIdOCO"));
    }
    if fields.flag("UseDisplayQuantity") {
        return Err(Failure::unsupported("UseDisplayQuantity"));
    }
    let (priced, stopped) = match kind {
        OrderKind::Market => (false, false),
        OrderKind::Limit => (true, false),
        OrderKind::Stop => (false, true),
        OrderKind::StopLimit => (true, true),
    };
    // Prices that the type does not carry are ignored: the page's own example has one (FLOW-F17).
    let price = fields.decimal("LimitPrice")?.filter(|price| priced && !price.is_zero());
    let stop = fields.decimal("StopPrice")?.filter(|stop| stopped && !stop.is_zero());
    let qty = fields.decimal("Quantity")?;
    Ok(NewOrder {
        account: call.account(caller)?,
        client_id: fields.int("ClientOrderId")?.unwrap_or_default(),
        instrument: instrument(server, call)?,
        side: side(call)?,
        kind,
        qty: qty.ok_or_else(|| Failure::invalid("Quantity is missing"))?,
        price,
        stop,
        post_only,
        reduce_only: false,
        tif,
    })
}

/// FLOW-V01.
fn side(call: &Call) -> Result<Side, Failure> {
    let Some(word) = number_or_word(call, "Side")? else {
        return Err(Failure::invalid("Side is missing"));
    };
    match word.to_ascii_lowercase().as_str() {
        "0" | "buy" => Ok(Side::Buy),
        "1" | "sell" => Ok(Side::Sell),
        _ => Err(Failure::invalid("Side is neither 0 nor 1")),
    }
}

/// FLOW-V10, the first four.
fn kind(call: &Call) -> Result<OrderKind, Failure> {
    let Some(word) = number_or_word(call, "OrderType")? else {
        return Err(Failure::invalid("OrderType is missing"));
    };
    match word.to_ascii_lowercase().as_str() {
        "1" | "market" => Ok(OrderKind::Market),
        "2" | "limit" => Ok(OrderKind::Limit),
        "3" | "stopmarket" => Ok(OrderKind::Stop),
        "4" | "stoplimit" => Ok(OrderKind::StopLimit),
        "5" | "6" | "7" | "trailingstopmarket" | "trailingstoplimit" | "blocktrade" => {
            Err(Failure::unsupported("OrderType"))
        }
        _ => Err(Failure::invalid("OrderType is unknown")),
    }
}

/// FLOW-V12: 1 GTC (also when absent), 3 IOC, 4 FOK, 5 GTX, which only adds to the book.
fn time_in_force(call: &Call) -> Result<(Tif, bool), Failure> {
    match call.fields.int("TimeInForce")? {
        None | Some(0 | 1) => Ok((Tif::Gtc, false)),
        Some(3) => Ok((Tif::Ioc, false)),
        Some(4) => Ok((Tif::Fok, false)),
        Some(5) => Ok((Tif::Gtc, true)),
        Some(2 | 6) => Err(Failure::unsupported("TimeInForce")),
        Some(_) => Err(Failure::invalid("TimeInForce is unknown")),
    }
}

/// A cancel or a change was received (FLOW-F13).
fn received(dialect: Dialect) -> String {
    match dialect {
        Dialect::Page => Object::new().text("status", "Processing").text("errormsg", "").end(),
        Dialect::Native => wire::generic(0, None, None),
    }
}

/// FLOW-C24: by OrderId, or else by ClOrderId (FLOW-F14: or ClientOrderId) and account.
pub fn cancel(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let (number, known) = match call.id("OrderId")? {
        Some(id) => (id, own_order(server, account, VenueOrderId(id))),
        None => {
            let client_id = call.id("ClOrderId")?.or(call.id("ClientOrderId")?);
            let client_id = client_id.ok_or_else(|| Failure::invalid("OrderId is missing"))?;
            let found = server.exchange.find_client(account, client_id).cloned();
            (found.as_ref().map_or(0, |order| order.id.0), found)
        }
    };
    let outcome = server.exchange.cancel(call.now, account, VenueOrderId(number));
    let Err(reject) = outcome else { return Ok(received(server.dialect)) };
    push_cancel_refused(server, account, number, known.as_ref(), reject);
    // Natively an order that is over is not found either: ccxt reads OrderNotFound (FLOW-S09).
    match server.dialect {
        Dialect::Native => Err(Failure::not_found()),
        Dialect::Page => Ok(received(Dialect::Page)),
    }
}

/// FLOW-E09.
fn push_cancel_refused(
    server: &mut FlowServer,
    account: AccountNumber,
    number: i64,
    known: Option<&SimOrder>,
    reject: Reject,
) {
    let known = known.map(|order| (order, server.accounts.revision(order.id)));
    let text = objects::cancel_refused(account, number, known, &reject.to_string());
    let followers = server.sessions.followers(account);
    server.outbox.event(followers, Order::Free, "CancelOrderRejectEvent", &text);
}

/// An order of this account, whatever became of it.
pub fn own_order(
    server: &FlowServer,
    account: AccountNumber,
    id: VenueOrderId,
) -> Option<SimOrder> {
    server.exchange.order(id).filter(|order| order.order.account == account).cloned()
}

/// FLOW-C25. The keys present make the scope, and unknown keys are ignored: a misspelt
/// InstrumentId cancels every instrument (FLOW-P18, FLOW-T12).
pub fn cancel_all(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    if call.id("UserId")?.is_some_and(|user| user != caller.user_id) {
        return Err(Failure::not_authorized());
    }
    let instrument = named_instrument(server, call)?;
    server.exchange.cancel_all(call.now, account, instrument);
    Ok(received(server.dialect))
}

/// FLOW-C23. On refusal the old order stays and FLOW-E11 says why.
pub fn replace(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let replaced = call.id("OrderIdToReplace")?;
    let replaced = replaced.ok_or_else(|| Failure::invalid("OrderIdToReplace is missing"))?;
    let order = new_order(server, call, caller)?;
    let (account, old) = (order.account, VenueOrderId(replaced));
    match server.exchange.replace(call.now, account, old, order.clone()) {
        Ok(new) => Ok(match server.dialect {
            Dialect::Page => received(Dialect::Page),
            Dialect::Native => replacement(server, new, order.client_id),
        }),
        Err(reject) => {
            let text = objects::replace_refused(&order, replaced, &reject.to_string());
            let followers = server.sessions.followers(account);
            let event = "CancelReplaceOrderRejectEvent";
            server.outbox.event(followers, Order::Free, event, &text);
            match (server.dialect, reject) {
                (Dialect::Page, _) => Ok(received(Dialect::Page)),
                (Dialect::Native, Reject::NotFound) => Err(Failure::not_found()),
                (Dialect::Native, reject) => Err(Failure::operation(&reject.to_string())),
            }
        }
    }
}

/// FLOW-P16.
fn replacement(server: &FlowServer, new: VenueOrderId, client_id: i64) -> String {
    let order = server.exchange.order(new);
    let first = order.map_or(new, |order| order.original);
    let first_client = server.exchange.order(first).map_or(0, |order| order.order.client_id);
    Object::new()
        .int("ReplacementOrderId", new.0)
        .int("ReplacementClOrdId", client_id)
        .int("OrigOrderId", first.0)
        .int("OrigClOrdId", first_client)
        .end()
}

/// FLOW-C22: lowers the whole quantity and keeps the place in the queue (FLOW-P19). A revision
/// that is not the order's present one refuses it.
pub fn modify(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    let id = call.id("OrderId")?.ok_or_else(|| Failure::invalid("OrderId is missing"))?;
    let qty = call.fields.decimal("Quantity")?;
    let qty = qty.ok_or_else(|| Failure::invalid("Quantity is missing"))?;
    let id = VenueOrderId(id);
    if own_order(server, account, id).is_none() {
        return Err(Failure::not_found());
    }
    let present = server.accounts.revision(id);
    if call.id("PreviousOrderRevision")?.is_some_and(|revision| revision != present) {
        return Err(Failure::operation("PreviousOrderRevision is out of date"));
    }
    let outcome = server.exchange.reduce(call.now, account, id, qty);
    outcome.map_err(|reject| Failure::operation(&reject.to_string()))?;
    Ok(match server.dialect {
        Dialect::Page => "{}".to_owned(),
        Dialect::Native => received(Dialect::Native),
    })
}
