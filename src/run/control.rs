//! What a running engine answers over its control socket: how it stands, as JSON.

use crate::account::Order;
use crate::base::{Plain, Time, decimal};
use crate::engine::{Engine, StrategyStatus};

/// What is asked of an engine.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Question {
    Status,
    Orders,
    Positions,
}

impl Question {
    pub const ALL: [Question; 3] = [Question::Status, Question::Orders, Question::Positions];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Question::Status => "status",
            Question::Orders => "orders",
            Question::Positions => "positions",
        }
    }
}

/// What only the run around the engine knows.
#[derive(Copy, Clone, Debug)]
pub struct Run {
    pub now: Time,
    pub started: Time,
    pub events: u64,
}

/// The answer to one line, itself one line of JSON.
#[must_use]
pub fn answer(engine: &Engine, run: Run, question: &str) -> String {
    let known = Question::ALL.into_iter().find(|known| known.word() == question);
    let body = match known {
        Some(Question::Status) => status(engine, run),
        Some(Question::Orders) => orders(engine),
        Some(Question::Positions) => positions(engine),
        None => {
            let words: Vec<&str> = Question::ALL.iter().map(|known| known.word()).collect();
            let why = format!("this engine answers {}", words.join(", "));
            Plain::map(vec![("error", Plain::text(why))])
        }
    };
    body.json()
}

fn whole(count: impl TryInto<i64>) -> Plain {
    Plain::Int(count.try_into().unwrap_or(i64::MAX))
}

fn status(engine: &Engine, run: Run) -> Plain {
    let core = engine.core();
    let venues = engine.venues().into_iter().map(|venue| {
        let ready = core.market.is_ready(&venue);
        Plain::map(vec![("venue", Plain::text(&*venue.0)), ("ready", Plain::Bool(ready))])
    });
    let lanes = engine.lanes(run.now).into_iter().map(|lane| {
        Plain::map(vec![
            ("lane", Plain::Text(lane.lane)),
            ("limit", whole(lane.limit)),
            ("per_s", Plain::Number(lane.span.seconds())),
            ("reserve", whole(lane.reserve)),
            ("left", whole(lane.left)),
            ("waiting", whole(lane.waiting)),
        ])
    });
    Plain::map(vec![
        ("run", whole(core.run)),
        ("time", Plain::text(run.now.to_string())),
        ("uptime_s", Plain::Number(run.now.since(run.started).seconds())),
        ("events", whole(run.events)),
        ("orders", whole(core.sent)),
        ("open_orders", whole(core.orders.open().count())),
        ("strategies", Plain::List(engine.status().iter().map(strategy).collect())),
        ("venues", Plain::List(venues.collect())),
        ("lanes", Plain::List(lanes.collect())),
    ])
}

fn strategy(status: &StrategyStatus) -> Plain {
    Plain::map(vec![
        ("strategy", Plain::text(status.name.as_str())),
        ("version", Plain::text(&*status.version.0)),
        ("halted", status.halted.as_ref().map_or(Plain::Nil, |why| Plain::text(why.as_str()))),
        ("open_orders", whole(status.open_orders)),
    ])
}

fn orders(engine: &Engine) -> Plain {
    let core = engine.core();
    let row = |order: &Order| {
        let money = |value| Plain::text(decimal::show(value));
        Plain::map(vec![
            ("order", Plain::text(order.key.to_string())),
            ("venue_id", order.venue_id.map_or(Plain::Nil, |id| Plain::text(id.to_string()))),
            ("strategy", Plain::text(engine.name_of(order.strategy))),
            ("instrument", Plain::text(core.instrument_name(order.instrument))),
            ("side", Plain::text(order.side.word())),
            ("qty", money(order.qty)),
            ("price", order.price.map_or(Plain::Nil, money)),
            ("filled", money(order.filled)),
            ("state", Plain::text(order.state.word())),
            ("created", Plain::text(order.created.to_string())),
        ])
    };
    Plain::map(vec![("orders", Plain::List(core.orders.open().map(row).collect()))])
}

fn positions(engine: &Engine) -> Plain {
    let money = |value| Plain::text(decimal::show(value));
    let status = engine.status();
    let rows = status.iter().flat_map(|strategy| {
        strategy.positions.iter().map(|position| {
            Plain::map(vec![
                ("strategy", Plain::text(strategy.name.as_str())),
                ("instrument", Plain::text(position.instrument.as_str())),
                ("qty", money(position.qty)),
                ("realized", money(position.realized)),
                ("unrealized", money(position.unrealized)),
                ("fees", money(position.fees)),
                ("net_pnl", money(position.net)),
            ])
        })
    });
    Plain::map(vec![("positions", Plain::List(rows.collect()))])
}
