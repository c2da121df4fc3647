//! A live run's news as lines: for people, or as JSON of the command line's contract.

use crate::account::Order;
use crate::base::{Fill, Instruments, Time};
use crate::desk::{Fault, Words};
use crate::edge::watch;
use crate::engine::{Note, StrategyStatus};
use crate::run::live::Told as News;
use crate::run::options::Output;
use crate::run::scripts::Scripts;
use crate::show::events::{FillLine, OrderLine, Place, Told, What};
use crate::show::style::Style;
use crate::show::terminal::{self, Status};
use std::path::Path;

/// Turns news into lines, and remembers what rates need.
pub(super) struct Teller {
    output: Output,
    instruments: Instruments,
    last: Option<(Time, u64)>,
    versions: std::collections::BTreeMap<String, String>,
}

impl Teller {
    pub(super) fn new(output: Output, instruments: Instruments) -> Teller {
        Teller { output, instruments, last: None, versions: std::collections::BTreeMap::new() }
    }

    /// The lines of one piece of news.
    pub(super) fn lines(&mut self, news: &News, scripts: &Scripts) -> Vec<String> {
        match news {
            News::Note { at, name, note } => {
                let Some(told) = self.told(*at, name, note, scripts) else { return Vec::new() };
                vec![match self.output {
                    Output::Json => told.json(),
                    Output::People { color } => {
                        let source = source_of(&told.what);
                        terminal::line(&told, source.as_deref(), Style { color })
                    }
                }]
            }
            News::Status { at, strategies, events } => self.status(*at, strategies, *events),
        }
    }

    fn told(&mut self, at: Time, name: &str, note: &Note, scripts: &Scripts) -> Option<Told> {
        let (version, what) = match note {
            Note::Loaded { version, .. } => {
                self.versions.insert(name.to_owned(), version.to_string());
                (version.to_string(), What::Loaded)
            }
            Note::Reloaded { from, version, .. } => {
                self.versions.insert(name.to_owned(), version.to_string());
                (version.to_string(), What::Reloaded { from: from.to_string() })
            }
            Note::Refused { fault, running, .. } => {
                let running = running.as_ref().map(ToString::to_string);
                let (place, message) = (place(name, fault, scripts), fault.message.clone());
                (running.clone().unwrap_or_default(), What::Refused { place, message, running })
            }
            Note::Order { order } => (order.version.to_string(), What::Order(self.order(order))),
            Note::Fill { version, fill, .. } => (version.to_string(), What::Fill(self.fill(fill))),
            Note::StrangeFill { fill } => {
                let line = self.fill(fill);
                let message = format!(
                    "a fill of the account that no order of this run explains: {} {} {} at {}",
                    line.side.word(),
                    line.qty,
                    line.instrument,
                    line.price
                );
                (String::new(), log("warn", message))
            }
            Note::Fault { version, fault, .. } => {
                let what = What::Failed {
                    handler: fault.handler.clone(),
                    place: place(name, fault, scripts),
                    message: fault.message.clone(),
                    traceback: fault.traceback.clone(),
                };
                (version.to_string(), what)
            }
            Note::Words { version, words, .. } => (version.to_string(), spoken(words)?),
            Note::Halt { reason, .. } => {
                let version = self.versions.get(name).cloned().unwrap_or_default();
                (version, What::Halt { reason: reason.clone() })
            }
            Note::Feed(feed) => {
                let what = What::Feed {
                    venue: feed.venue.to_string(),
                    channel: feed.channel.word(),
                    state: feed.state.word(),
                    reason: feed.reason.clone(),
                };
                (String::new(), what)
            }
            Note::Venue { text, .. } => (String::new(), log("info", text.clone())),
            Note::Stopped { open } => {
                let reason = "every strategy was stopped and its open orders canceled".to_owned();
                (String::new(), What::Stopped { reason, open: *open })
            }
        };
        Some(Told { time: at, strategy: name.to_owned(), version, what })
    }

    fn order(&self, order: &Order) -> OrderLine {
        OrderLine {
            order: order.key.to_string(),
            venue_id: order.venue_id.map(|id| id.to_string()),
            instrument: self.instrument(order.instrument),
            side: order.side,
            qty: order.qty,
            price: order.price,
            stop: order.stop,
            filled: order.filled,
            state: order.state,
            tag: order.tag.clone(),
            reason: order.reason.clone(),
        }
    }

    fn fill(&self, fill: &Fill) -> FillLine {
        FillLine {
            order: fill.order.to_string(),
            trade_id: fill.trade_id.to_string(),
            instrument: self.instrument(fill.instrument),
            side: fill.side,
            qty: fill.qty,
            price: fill.price,
            fee: fill.fee,
            fee_asset: fill.fee_asset.clone(),
            liquidity: fill.liquidity,
        }
    }

    fn instrument(&self, id: crate::base::InstrumentId) -> String {
        self.instruments.get(id).map(crate::base::Instrument::name).unwrap_or_default()
    }

    /// Status lines are for people; programs have every order and fill.
    fn status(&mut self, at: Time, strategies: &[StrategyStatus], events: u64) -> Vec<String> {
        let Output::People { color } = self.output else { return Vec::new() };
        let (since, before) = self.last.replace((at, events)).unwrap_or((at, events));
        let millis = u64::try_from(at.since(since).nanos() / 1_000_000).unwrap_or(0);
        let events_per_s = ((events - before) * 1_000).checked_div(millis).unwrap_or(0);
        let mut lines = Vec::new();
        for strategy in strategies {
            for position in &strategy.positions {
                let row = self.instruments.find(&position.instrument);
                let (base, quote) =
                    row.map(|row| (row.base.clone(), row.quote.clone())).unwrap_or_default();
                let status = Status {
                    time: at,
                    strategy: strategy.name.clone(),
                    instrument: position.instrument.clone(),
                    position: position.qty,
                    base,
                    open_orders: strategy.open_orders,
                    realized: position.realized,
                    unrealized: position.unrealized,
                    fees: position.fees,
                    net: position.net,
                    quote,
                    events_per_s,
                };
                lines.push(terminal::status(&status, Style { color }));
            }
        }
        lines
    }
}

fn log(level: &'static str, message: String) -> What {
    What::Log { level, message, fields: crate::base::Plain::Nil }
}

/// What a strategy said; plots are not for the terminal.
fn spoken(words: &Words) -> Option<What> {
    match words {
        Words::Log { level, message, fields } => Some(What::Log {
            level: level.word(),
            message: message.clone(),
            fields: fields.clone(),
        }),
        Words::Alert { message, fields } => {
            Some(What::Log { level: "warn", message: message.clone(), fields: fields.clone() })
        }
        Words::Plot { .. } => None,
    }
}

fn place(name: &str, fault: &Fault, scripts: &Scripts) -> Place {
    Place { file: scripts.shown(name, &fault.file), line: fault.line, column: fault.column }
}

/// The text of the file in which an error is.
fn source_of(what: &What) -> Option<String> {
    let (What::Refused { place, .. } | What::Failed { place, .. }) = what else { return None };
    watch::load_text(Path::new(&place.file)).ok()
}
