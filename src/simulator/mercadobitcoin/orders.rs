//! The five methods (MB-C01 to C05) over the exchange.

use super::wire::{self, Operation, Withdrawal};
use super::{CLOSED_AFTER, Call, MbServer, OPEN_AFTER};
use crate::base::{
    Decimal, Instrument, InstrumentId, Liquidity, OrderKind, OrderState, Side, Tif, Time,
    VenueOrderId, decimal,
};
use crate::calls::{Call as TableCall, mercadobitcoin as table};
use crate::exchange::{NewOrder, Reject, SimFill, SimOrder};
use crate::simulator::http::Page;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Orders in one list (MB-P08).
const MOST: usize = 1_000;

/// Withdrawals kept, oldest dropped first.
const KEPT: usize = 1_000;

/// What answers a method.
type Method = fn(&mut MbServer, &Call) -> Result<String, String>;

/// The table's five methods (MB-C01 to C05).
pub(super) const METHODS: &[(TableCall, Method)] = &[
    (table::GET_INFO, |server, call| Ok(info(server, call))),
    (table::ORDER_LIST, |server, call| list(server, call)),
    (table::TRADE, trade),
    (table::CANCEL_ORDER, cancel),
    (table::WITHDRAWAL_BITCOIN, withdraw),
];

/// Runs the method a call names. Names have case.
pub fn answer(server: &mut MbServer, call: &Call) -> Page {
    let name = call.get("method").unwrap_or_default();
    let outcome = match METHODS.iter().find(|(known, _)| known.name == name) {
        Some((_, method)) => method(server, call),
        None => Err(server.texts.method.clone()),
    };
    match outcome {
        Ok(inside) => wire::success(&inside),
        Err(text) => wire::failure(&text),
    }
}

/// MB-C01. Every asset of the venue is shown; what orders hold only where there is a pair (MB-F08).
fn info(server: &MbServer, call: &Call) -> String {
    let mut funds: BTreeMap<String, (Decimal, Decimal)> = BTreeMap::new();
    for asset in ["brl", "btc", "ltc"] {
        funds.insert(asset.to_owned(), (Decimal::ZERO, Decimal::ZERO));
    }
    for (asset, balance) in server.exchange.balances(call.account) {
        let free = balance.total - balance.held;
        funds.insert(asset.to_ascii_lowercase(), (free, balance.total));
    }
    let funds: Vec<_> = funds.into_iter().map(|(asset, (free, all))| (asset, free, all)).collect();
    let open = server.exchange.open_orders(call.account).len();
    wire::info(&funds, call.now, i64::try_from(open).unwrap_or(i64::MAX))
}

/// An allow-list of two (MB-F08).
fn pair(server: &MbServer, call: &Call) -> Result<InstrumentId, String> {
    let pair = call.get("pair").unwrap_or_default();
    let found = server.exchange.instruments().iter().find(|row| pair_of(row) == pair);
    found.map(|row| row.id).ok_or_else(|| "Valor de *pair* inválido.".to_owned())
}

/// `btc_brl`.
fn pair_of(row: &Instrument) -> String {
    format!("{}_{}", row.base.to_ascii_lowercase(), row.quote.to_ascii_lowercase())
}

fn side(call: &Call) -> Result<Option<Side>, String> {
    match call.get("type") {
        None => Ok(None),
        Some("buy") => Ok(Some(Side::Buy)),
        Some("sell") => Ok(Some(Side::Sell)),
        Some(_) => Err("Valor de *type* inválido.".to_owned()),
    }
}

fn whole(call: &Call, key: &str) -> Result<Option<i64>, String> {
    let text = |text: &str| {
        let wrong = |_| format!("Valor de *{key}* deve representar um inteiro.");
        text.parse::<i64>().map(Some).map_err(wrong)
    };
    call.get(key).map_or(Ok(None), text)
}

/// In the words of the venue's next version (MB-P09).
fn amount(call: &Call, key: &str) -> Result<Decimal, String> {
    let value = call.get(key).and_then(|text| decimal::parse(text).ok());
    let value = value.filter(|value| *value > Decimal::ZERO);
    value.ok_or_else(|| format!("Valor de *{key}* deve representar um decimal."))
}

/// MB-A.2: no status of its own for a partial fill (MB-F12).
fn status(order: &SimOrder) -> &'static str {
    match order.state {
        OrderState::Pending | OrderState::Working | OrderState::Unknown => "active",
        OrderState::Filled => "completed",
        OrderState::Canceled | OrderState::Rejected | OrderState::Expired => "canceled",
    }
}

/// Whether the order is one of the venue's: what was refused never was.
fn stands(order: &SimOrder) -> bool {
    order.state != OrderState::Rejected
}

fn row(server: &MbServer, order: &SimOrder, fills: &[&SimFill]) -> wire::Order {
    let rules = server.exchange.instruments().get(order.order.instrument);
    let rate = |liquidity| {
        let fees = rules.map(|rules| rules.fees).unwrap_or_default();
        let rate = match liquidity {
            Liquidity::Maker => fees.maker,
            Liquidity::Taker => fees.taker,
        };
        rate * Decimal::ONE_HUNDRED
    };
    let operation = |fill: &&SimFill| Operation {
        id: fill.trade_id,
        volume: fill.qty,
        price: fill.price,
        rate: rate(fill.liquidity),
        created: fill.time,
    };
    wire::Order {
        id: order.id.0,
        status: status(order),
        created: order.received,
        price: order.order.price.unwrap_or_default(),
        volume: order.order.qty,
        pair: rules.map(pair_of).unwrap_or_default(),
        side: order.order.side.word(),
        operations: fills.iter().rev().map(operation).collect(),
    }
}

/// `return` with exactly one order.
pub fn one(server: &MbServer, call: &Call, id: VenueOrderId) -> Result<String, String> {
    let order = server.exchange.order(id).ok_or_else(|| server.texts.order.clone())?;
    let fills = server.exchange.fills(call.account).iter();
    let fills: Vec<&SimFill> = fills.filter(|fill| fill.order == id).collect();
    Ok(wire::orders([row(server, order, &fills)]))
}

/// MB-C02; all bounds are inclusive (MB-F14), and the newest 1,000 are shown.
fn list(server: &MbServer, call: &Call) -> Result<String, String> {
    let (pair, side) = (pair(server, call)?, side(call)?);
    let (from_id, end_id) = (whole(call, "from_id")?, whole(call, "end_id")?);
    let (since, end) = (whole(call, "since")?, whole(call, "end")?);
    let wanted = call.get("status");
    if wanted.is_some_and(|word| !["active", "canceled", "completed"].contains(&word)) {
        return Err("Valor de *status* inválido.".to_owned());
    }
    let mut fills: BTreeMap<VenueOrderId, Vec<&SimFill>> = BTreeMap::new();
    for fill in server.exchange.fills(call.account) {
        fills.entry(fill.order).or_default().push(fill);
    }
    let between = |low: Option<i64>, value: i64, high: Option<i64>| {
        low.is_none_or(|low| value >= low) && high.is_none_or(|high| value <= high)
    };
    let history = server.exchange.history(call.account, usize::MAX);
    let orders = history.into_iter().filter(|order| {
        order.order.instrument == pair
            && stands(order)
            && side.is_none_or(|side| order.order.side == side)
            && wanted.is_none_or(|wanted| wanted == status(order))
            && between(from_id, order.id.0, end_id)
            && between(since, order.received.millis().div_euclid(1_000), end)
    });
    let none = Vec::new();
    Ok(wire::orders(
        orders.take(MOST).map(|order| row(server, order, fills.get(&order.id).unwrap_or(&none))),
    ))
}

/// MB-C03.
fn trade(server: &mut MbServer, call: &Call) -> Result<String, String> {
    let instrument = pair(server, call)?;
    let side = side(call)?.ok_or_else(|| "Valor de *type* inválido.".to_owned())?;
    let (qty, price) = (amount(call, "volume")?, amount(call, "price")?);
    let least = server.exchange.instruments().get(instrument).map(|rules| rules.min_qty);
    if least.is_some_and(|least| qty < least) {
        return Err(server.texts.minimum.clone());
    }
    let order = NewOrder {
        account: call.account,
        client_id: 0,
        instrument,
        side,
        kind: OrderKind::Limit,
        qty,
        price: Some(price),
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    };
    let id = server.exchange.submit(call.now, order).map_err(|reject| refusal(server, reject))?;
    refused(server, id).map_or_else(|| one(server, call, id), Err)
}

/// Why the order never was, if so.
pub fn refused(server: &MbServer, id: VenueOrderId) -> Option<String> {
    let order = server.exchange.order(id).filter(|order| !stands(order))?;
    Some(match order.reason.as_str() {
        "Invalid_Quantity" => refusal(server, Reject::InvalidQuantity),
        "Invalid_Price" => refusal(server, Reject::InvalidPrice),
        _ => server.texts.funds.clone(),
    })
}

pub fn refusal(server: &MbServer, reject: Reject) -> String {
    match reject {
        Reject::InvalidQuantity => "Valor de *volume* deve ter até 8 casas decimais.".to_owned(),
        Reject::InvalidPrice => "Valor de *price* deve ter até 5 casas decimais.".to_owned(),
        Reject::NotFound => server.texts.order.clone(),
        Reject::NotEnoughFunds
        | Reject::InvalidInstrument
        | Reject::WouldTake
        | Reject::WouldIncrease
        | Reject::NoMarket => server.texts.funds.clone(),
    }
}

/// MB-C04. An order that is over cannot be canceled again.
fn cancel(server: &mut MbServer, call: &Call) -> Result<String, String> {
    let pair = pair(server, call)?;
    let id = whole(call, "order_id")?;
    let id = VenueOrderId(id.ok_or_else(|| server.texts.order.clone())?);
    let known = server.exchange.order(id).is_some_and(|order| order.order.instrument == pair);
    if !known {
        return Err(server.texts.order.clone());
    }
    let outcome = server.exchange.cancel(call.now, call.account, id);
    outcome.map_err(|reject| refusal(server, reject))?;
    one(server, call, id)
}

/// MB-C05, to trusted addresses only (MB-R11).
fn withdraw(server: &mut MbServer, call: &Call) -> Result<String, String> {
    let volume = amount(call, "volume")?;
    let address = call.get("bitcoin_address").unwrap_or_default().to_owned();
    let mut users = server.users.iter().filter(|user| user.account == call.account);
    if !users.any(|user| user.trusted.contains(&address)) {
        return Err(server.texts.address.clone());
    }
    if volume.normalize().scale() > wire::VOLUME_PLACES {
        return Err(refusal(server, Reject::InvalidQuantity));
    }
    let balances = server.exchange.balances(call.account);
    let balance = balances.iter().find(|(asset, _)| asset == "BTC").map(|(_, balance)| balance);
    let free = balance.map_or(Decimal::ZERO, |balance| balance.total - balance.held);
    if free < volume {
        return Err(server.texts.funds.clone());
    }
    server.exchange.open_account(call.account, &[("BTC".to_owned(), -volume)]);
    let last = server.withdrawals.last().map_or(0, |(_, row)| row.id);
    let row = Withdrawal {
        id: last + 1,
        volume,
        status: 0,
        address,
        transaction: String::new(),
        created: call.now,
        updated: call.now,
    };
    if server.withdrawals.len() == KEPT {
        server.withdrawals.remove(0);
    }
    server.withdrawals.push((call.account, row.clone()));
    Ok(wire::withdrawal(&row))
}

/// A withdrawal as it stands at `now`; its transaction is made up from its number and address.
pub fn aged(row: &Withdrawal, now: Time) -> Withdrawal {
    let (status, after) = match now.since(row.created) {
        age if age >= CLOSED_AFTER => (2, CLOSED_AFTER),
        age if age >= OPEN_AFTER => (1, OPEN_AFTER),
        _ => return row.clone(),
    };
    let sum = Sha256::digest(format!("{}:{}", row.id, row.address));
    let transaction = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    Withdrawal { status, transaction, updated: row.created.plus(after), ..row.clone() }
}
