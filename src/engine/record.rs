//! Journal records: what was decided, in the order in which it was decided, as text people can
//! read.

use crate::account::Order;
use crate::base::{
    Command, Decimal, Fill, Instrument, OrderKey, Plain, Reply, StrategyId, Time, Version, decimal,
};

/// One line of the journal. The outputs of one input are appended together, before any byte leaves.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    pub at: Time,
    /// `run`, `version`, `intent`, `cancel`, `replace`, `reduce`, `call`, `reply`,
    /// `order`, `fill`, `halt`, `stop`.
    pub kind: &'static str,
    pub strategy: Option<StrategyId>,
    /// The strategy's name; empty for the engine's own lines.
    pub name: String,
    pub version: Option<Version>,
    pub body: Plain,
}

fn money(value: Decimal) -> Plain {
    Plain::text(decimal::show(value))
}

fn maybe(value: Option<Decimal>) -> Plain {
    value.map_or(Plain::Nil, money)
}

/// An approved command, as it is about to be sent.
#[must_use]
pub fn command(command: &Command, instrument: Option<&Instrument>) -> (&'static str, Plain) {
    let name = instrument.map_or(Plain::Nil, |row| Plain::Text(row.name()));
    match command {
        Command::Place(place) => (
            "intent",
            Plain::map(vec![
                ("order", key(place.key)),
                ("instrument", name),
                ("side", Plain::text(place.side.word())),
                ("qty", money(place.qty)),
                ("price", maybe(place.price)),
                ("stop", maybe(place.stop)),
                ("tif", Plain::text(place.tif.word())),
                ("post_only", Plain::Bool(place.post_only)),
                ("reduce_only", Plain::Bool(place.reduce_only)),
            ]),
        ),
        Command::Cancel { key: order, .. } => {
            ("cancel", Plain::map(vec![("order", key(*order)), ("instrument", name)]))
        }
        Command::Replace { key: order, alias, price, qty, .. } => (
            "replace",
            Plain::map(vec![
                ("order", key(*order)),
                ("alias", key(*alias)),
                ("instrument", name),
                ("price", maybe(*price)),
                ("qty", money(*qty)),
            ]),
        ),
        Command::Reduce { key: order, qty, .. } => (
            "reduce",
            Plain::map(vec![("order", key(*order)), ("instrument", name), ("qty", money(*qty))]),
        ),
        // The row of what it does, with the call that asked for it.
        Command::Call(call) => {
            let name = Plain::text(format!("{}.{}", call.ask.venue, call.ask.name));
            let inner = call.order.as_deref().map(|order| self::command(order, instrument));
            let (kind, body) = inner.unwrap_or(("call", Plain::map(Vec::new())));
            let mut pairs = if let Plain::Map(pairs) = body { pairs } else { Vec::new() };
            pairs.push((Plain::text("call"), name));
            (kind, Plain::Map(pairs))
        }
        Command::CancelAll { .. } => ("cancel_all", Plain::map(vec![("instrument", name)])),
        Command::Subscribe { channel, .. } => (
            "subscribe",
            Plain::map(vec![("instrument", name), ("channel", Plain::text(channel.word()))]),
        ),
    }
}

/// How a call ended; not what it answered, which may be about persons.
#[must_use]
pub fn reply(name: &str, reply: &Reply) -> Plain {
    let mut body = vec![("call", Plain::text(name))];
    match &reply.outcome {
        Ok(_) => body.push(("outcome", Plain::text("done"))),
        Err(failure) => {
            body.push(("outcome", Plain::text(failure.fate.word())));
            body.push(("kind", Plain::text(failure.kind.word())));
            body.push(("code", failure.code.map_or(Plain::Nil, Plain::Int)));
            body.push(("message", Plain::text(failure.message.as_str())));
        }
    }
    Plain::map(body)
}

fn key(key: OrderKey) -> Plain {
    Plain::text(key.to_string())
}

/// An order after a change.
#[must_use]
pub fn order(order: &Order, instrument: &str) -> Plain {
    Plain::map(vec![
        ("order", key(order.key)),
        ("venue_id", order.venue_id.map_or(Plain::Nil, |id| Plain::text(id.to_string()))),
        ("instrument", Plain::text(instrument)),
        ("side", Plain::text(order.side.word())),
        ("state", Plain::text(order.state.word())),
        ("qty", money(order.qty)),
        ("price", maybe(order.price)),
        ("filled", money(order.filled)),
        ("reason", Plain::text(order.reason.as_str())),
        ("tag", Plain::text(order.tag.as_str())),
    ])
}

/// A fill of ours.
#[must_use]
pub fn fill(fill: &Fill, instrument: &str) -> Plain {
    Plain::map(vec![
        ("order", key(fill.order)),
        ("trade_id", Plain::text(fill.trade_id.to_string())),
        ("instrument", Plain::text(instrument)),
        ("side", Plain::text(fill.side.word())),
        ("price", money(fill.price)),
        ("qty", money(fill.qty)),
        ("fee", money(fill.fee)),
        ("fee_asset", Plain::text(fill.fee_asset.as_str())),
        ("fee_estimated", Plain::Bool(fill.fee_estimated)),
        ("liquidity", Plain::text(fill.liquidity.word())),
    ])
}
