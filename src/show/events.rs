//! What a run tells, one event per line, and its JSON form (the command line's contract: `event`,
//! `time`, `strategy` and `version` on each, money as exact strings).

use crate::base::{Decimal, Liquidity, OrderState, Plain, Side, Time, decimal};
use crate::engine::{PositionStatus, StrategyStatus};

/// One thing that happened in a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Told {
    pub time: Time,
    /// Empty where no strategy is concerned; likewise `version`.
    pub strategy: String,
    pub version: String,
    pub what: What,
}

/// A place in a source; line and column from 1, 0 where unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    pub file: String,
    pub line: u32,
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum What {
    Loaded,
    Reloaded {
        from: String,
    },
    /// A candidate was refused; `running` goes on.
    Refused {
        place: Place,
        message: String,
        running: Option<String>,
    },
    RolledBack {
        from: String,
        reason: String,
    },
    Order(OrderLine),
    Fill(FillLine),
    /// A handler failed; the next event goes on.
    Failed {
        handler: String,
        place: Place,
        message: String,
        traceback: String,
    },
    Halt {
        reason: String,
    },
    Feed {
        venue: String,
        channel: &'static str,
        state: &'static str,
        reason: String,
    },
    Log {
        level: &'static str,
        message: String,
        fields: Plain,
    },
    /// The run ended.
    Stopped(Stopped),
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Stopped {
    pub reason: String,
    /// Orders that could not be confirmed as ended.
    pub open: usize,
    pub interrupted: bool,
    /// Market events seen and orders sent.
    pub events: u64,
    pub orders: u64,
    pub strategies: Vec<StrategyStatus>,
}

/// An order after a change of its state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderLine {
    pub order: String,
    /// The order's number among those of its strategy in this run: for people.
    pub number: u32,
    pub venue_id: Option<String>,
    pub instrument: String,
    pub side: Side,
    pub qty: Decimal,
    /// `None`: a market order.
    pub price: Option<Decimal>,
    pub stop: Option<Decimal>,
    pub filled: Decimal,
    pub state: OrderState,
    pub tag: String,
    pub reason: String,
}

/// An execution of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FillLine {
    pub order: String,
    /// As in `OrderLine`.
    pub number: u32,
    pub tag: String,
    /// Where the order is not yet filled: what is, and the order's quantity.
    pub partly: Option<(Decimal, Decimal)>,
    pub trade_id: String,
    pub instrument: String,
    pub side: Side,
    pub qty: Decimal,
    pub price: Decimal,
    pub fee: Decimal,
    pub fee_asset: String,
    pub liquidity: Liquidity,
}

impl Told {
    /// The event as one line of JSON, without the line break.
    #[must_use]
    pub fn json(&self) -> String {
        let mut pairs = vec![
            ("event", Plain::text(self.what.word())),
            ("time", Plain::text(self.time.to_string())),
            ("strategy", Plain::text(self.strategy.as_str())),
            ("version", Plain::text(self.version.as_str())),
        ];
        pairs.extend(self.what.pairs());
        Plain::map(pairs).json()
    }
}

fn text(text: &str) -> Plain {
    Plain::text(text)
}

fn money(value: Decimal) -> Plain {
    Plain::text(decimal::show(value))
}

fn count(value: usize) -> Plain {
    Plain::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

impl What {
    /// The event's name in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            What::Loaded => "loaded",
            What::Reloaded { .. } => "reloaded",
            What::Refused { .. } => "refused",
            What::RolledBack { .. } => "rolled_back",
            What::Order(_) => "order",
            What::Fill(_) => "fill",
            What::Halt { .. } => "halt",
            What::Feed { .. } => "feed",
            What::Failed { .. } | What::Log { .. } => "log",
            What::Stopped(_) => "stopped",
        }
    }

    fn pairs(&self) -> Vec<(&'static str, Plain)> {
        match self {
            What::Loaded => Vec::new(),
            What::Reloaded { from } => vec![("from", text(from))],
            What::Refused { place, message, running } => {
                let mut pairs = place_pairs(place);
                pairs.push(("message", text(message)));
                pairs.push(("running", running.as_deref().map_or(Plain::Nil, text)));
                pairs
            }
            What::RolledBack { from, reason } => {
                vec![("from", text(from)), ("reason", text(reason))]
            }
            What::Order(order) => order.pairs(),
            What::Fill(fill) => fill.pairs(),
            What::Failed { handler, place, message, traceback } => {
                let mut pairs = vec![("level", text("error")), ("handler", text(handler))];
                pairs.extend(place_pairs(place));
                pairs.push(("message", text(message)));
                pairs.push(("traceback", text(traceback)));
                pairs
            }
            What::Halt { reason } => vec![("reason", text(reason))],
            What::Feed { venue, channel, state, reason } => vec![
                ("venue", text(venue)),
                ("channel", text(channel)),
                ("state", text(state)),
                ("reason", text(reason)),
            ],
            What::Log { level, message, fields } => {
                vec![("level", text(level)), ("message", text(message)), ("fields", fields.clone())]
            }
            What::Stopped(stopped) => stopped.pairs(),
        }
    }
}

fn place_pairs(place: &Place) -> Vec<(&'static str, Plain)> {
    vec![
        ("file", text(&place.file)),
        ("line", Plain::Int(i64::from(place.line))),
        ("column", Plain::Int(i64::from(place.column))),
    ]
}

impl Stopped {
    fn pairs(&self) -> Vec<(&'static str, Plain)> {
        vec![
            ("reason", text(&self.reason)),
            ("open_orders", count(self.open)),
            ("interrupted", Plain::Bool(self.interrupted)),
            ("events", counted(self.events)),
            ("orders", counted(self.orders)),
            ("strategies", Plain::List(self.strategies.iter().map(standing).collect())),
        ]
    }
}

/// How a strategy stands, with its positions.
fn standing(status: &StrategyStatus) -> Plain {
    Plain::map(vec![
        ("strategy", text(&status.name)),
        ("version", text(&status.version.0)),
        ("halted", status.halted.as_deref().map_or(Plain::Nil, text)),
        ("open_orders", count(status.open_orders)),
        ("positions", Plain::List(status.positions.iter().map(position).collect())),
    ])
}

fn position(position: &PositionStatus) -> Plain {
    Plain::map(vec![
        ("instrument", text(&position.instrument)),
        ("position", money(position.qty)),
        ("realized", money(position.realized)),
        ("unrealized", money(position.unrealized)),
        ("fees", money(position.fees)),
        ("net_pnl", money(position.net)),
        ("fills", counted(position.fills)),
    ])
}

fn counted(value: u64) -> Plain {
    Plain::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

impl OrderLine {
    fn pairs(&self) -> Vec<(&'static str, Plain)> {
        vec![
            ("order", text(&self.order)),
            ("venue_id", self.venue_id.as_deref().map_or(Plain::Nil, text)),
            ("instrument", text(&self.instrument)),
            ("side", text(self.side.word())),
            ("qty", money(self.qty)),
            ("price", self.price.map_or(Plain::Nil, money)),
            ("stop", self.stop.map_or(Plain::Nil, money)),
            ("filled", money(self.filled)),
            ("state", text(self.state.word())),
            ("tag", text(&self.tag)),
            ("reason", text(&self.reason)),
        ]
    }
}

impl FillLine {
    fn pairs(&self) -> Vec<(&'static str, Plain)> {
        vec![
            ("order", text(&self.order)),
            ("trade_id", text(&self.trade_id)),
            ("instrument", text(&self.instrument)),
            ("side", text(self.side.word())),
            ("qty", money(self.qty)),
            ("price", money(self.price)),
            ("fee", money(self.fee)),
            ("fee_currency", text(&self.fee_asset)),
            ("liquidity", text(self.liquidity.word())),
        ]
    }
}
