//! A live run's news as lines: for people, or as JSON of the command line's contract.

use crate::account::Order;
use crate::base::{Decimal, Fill, Instrument, Instruments, OrderKey, OrderState, Time};
use crate::desk::{Fault, Words};
use crate::edge::watch;
use crate::engine::{Note, StrategyStatus};
use crate::run::live::{LiveEnd, Told as News};
use crate::run::options::Output;
use crate::run::scripts::Scripts;
use crate::show::events::{FillLine, OrderLine, Place, Stopped, Told, What};
use crate::show::style::Style;
use crate::show::terminal::{self, Look, Status};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Puts a run's news into lines.
pub(super) struct Teller {
    output: Output,
    instruments: Instruments,
    look: Look,
    /// When events were counted last, and how many there were.
    counted: (Time, u64),
    versions: BTreeMap<String, String>,
    /// What people have been told of the orders that are under way.
    orders: BTreeMap<OrderKey, Known>,
    /// The last failure of each strategy, and how often it came again since it was told.
    failures: BTreeMap<String, Failure>,
    /// The last status line of each strategy, without its time.
    shown: BTreeMap<(String, String), (Option<Status>, usize)>,
}

struct Known {
    qty: Decimal,
    filled: Decimal,
    tag: String,
}

struct Failure {
    version: String,
    place: Place,
    message: String,
    handler: String,
    again: u64,
}

impl Teller {
    pub(super) fn new(output: Output, instruments: Instruments, now: Time) -> Teller {
        let color = matches!(output, Output::People { color: true });
        let names = instruments.iter().map(|row| &row.venue).collect::<BTreeSet<_>>();
        let venues = names.len() > 1;
        let look = Look { style: Style { color }, names: 0, venues };
        Teller {
            output,
            look,
            counted: (now, 0),
            versions: BTreeMap::new(),
            orders: BTreeMap::new(),
            failures: BTreeMap::new(),
            shown: BTreeMap::new(),
            instruments,
        }
    }

    /// The lines of one piece of news.
    pub(super) fn lines(&mut self, news: &News, scripts: &Scripts) -> Vec<String> {
        let widest = scripts.names().map(|name| name.chars().count()).max();
        self.look.names = widest.unwrap_or(0).max("flowbtc".len());
        match (news, self.output) {
            (News::Note { at, name, note }, Output::Json) => {
                self.told(*at, name, note, scripts).map(|told| told.json()).into_iter().collect()
            }
            (News::Note { at, name, note }, Output::People { .. }) => {
                self.for_people(*at, name, note, scripts).into_iter().collect()
            }
            (News::Status { at, strategies, events }, Output::People { .. }) => {
                let mut lines = self.failed_again(*at);
                lines.extend(self.status(*at, strategies, *events));
                lines
            }
            // Programs have every order and fill.
            (News::Status { .. }, Output::Json) => Vec::new(),
        }
    }

    /// The lines at the end of a run.
    pub(super) fn end(&mut self, at: Time, end: &LiveEnd) -> Vec<String> {
        let reason = match (end.interrupted, end.halted, end.strategies.is_empty()) {
            (true, ..) => "interrupted",
            (_, true, _) => "the time is over; every strategy was halted",
            (_, _, true) => "the time is over; no strategy ever ran",
            (false, false, false) => "the time is over",
        };
        let stopped = Stopped {
            reason: reason.to_owned(),
            open: end.open_orders,
            interrupted: end.interrupted,
            events: end.events,
            orders: end.orders,
            strategies: end.strategies.clone(),
        };
        let told = Told {
            time: at,
            strategy: String::new(),
            version: String::new(),
            what: What::Stopped(stopped),
        };
        match self.output {
            Output::Json => vec![told.json()],
            Output::People { .. } => {
                let mut lines = self.failed_again(at);
                lines.push(terminal::line(&told, None, self.look));
                lines
            }
        }
    }

    fn for_people(
        &mut self,
        at: Time,
        name: &str,
        note: &Note,
        scripts: &Scripts,
    ) -> Option<String> {
        let mut told = self.told(at, name, note, scripts)?;
        if let Note::Order { order } = note
            && !self.is_worth_a_line(order)
        {
            return None;
        }
        if let (Note::Fill { fill, .. }, What::Fill(line)) = (note, &mut told.what) {
            self.follow(fill, line);
        }
        if let What::Failed { handler, place, message, .. } = &told.what {
            let failure = Failure {
                version: told.version.clone(),
                place: place.clone(),
                message: message.clone(),
                handler: handler.clone(),
                again: 0,
            };
            if self.came_before(name, failure) {
                return None;
            }
        }
        let source = source_of(&told.what);
        Some(terminal::line(&told, source.as_deref(), self.look))
    }

    /// A market order's way into the book and a fill's end of an order are told by the fill itself.
    fn is_worth_a_line(&mut self, order: &Order) -> bool {
        if order.state.is_open() {
            let known = Known { qty: order.qty, filled: order.filled, tag: order.tag.clone() };
            self.orders.insert(order.key, known);
        } else if order.state != OrderState::Filled {
            self.orders.remove(&order.key);
        }
        let in_passing = order.price.is_none() && order.stop.is_none();
        match order.state {
            OrderState::Pending | OrderState::Working => !in_passing,
            OrderState::Filled => {
                self.orders.remove(&order.key);
                false
            }
            OrderState::Canceled
            | OrderState::Rejected
            | OrderState::Expired
            | OrderState::Unknown => true,
        }
    }

    fn follow(&mut self, fill: &Fill, line: &mut FillLine) {
        if let Some(known) = self.orders.get_mut(&fill.order) {
            known.filled += fill.qty;
            line.tag.clone_from(&known.tag);
            line.partly = (known.filled < known.qty).then_some((known.filled, known.qty));
        }
    }

    /// The same failure as the strategy's last one is counted, not told.
    fn came_before(&mut self, name: &str, failure: Failure) -> bool {
        match self.failures.get_mut(name) {
            Some(last)
                if last.version == failure.version
                    && last.place == failure.place
                    && last.message == failure.message =>
            {
                last.again += 1;
                true
            }
            _ => {
                self.failures.insert(name.to_owned(), failure);
                false
            }
        }
    }

    fn failed_again(&mut self, at: Time) -> Vec<String> {
        let look = self.look;
        let counted = self.failures.iter_mut().filter(|(_, failure)| failure.again > 0);
        let lines = counted.map(|(name, failure)| {
            let times = std::mem::take(&mut failure.again);
            let Failure { place, message, handler, .. } = failure;
            let first = message.lines().next().unwrap_or_default();
            let message = format!("{times} times more in {handler}: {first} ({place})");
            let what = log("error", message);
            let (strategy, version) = (name.clone(), failure.version.clone());
            terminal::line(&Told { time: at, strategy, version, what }, None, look)
        });
        lines.collect()
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
            Note::StrangeFill { fill } => (String::new(), log("warn", self.strange(fill))),
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
            // The end of the run tells more.
            Note::Stopped { .. } => return None,
        };
        Some(Told { time: at, strategy: name.to_owned(), version, what })
    }

    fn order(&self, order: &Order) -> OrderLine {
        OrderLine {
            order: order.key.to_string(),
            number: order.key.sequence(),
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
            number: fill.order.sequence(),
            tag: String::new(),
            partly: None,
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

    fn strange(&self, fill: &Fill) -> String {
        let line = self.fill(fill);
        format!(
            "a fill of the account that no order of this run explains: {} {} {} at {}",
            line.side.word(),
            line.qty,
            line.instrument,
            line.price
        )
    }

    fn instrument(&self, id: crate::base::InstrumentId) -> String {
        self.instruments.get(id).map(Instrument::name).unwrap_or_default()
    }

    /// A line for each strategy whose numbers moved, and one for all.
    fn status(&mut self, at: Time, strategies: &[StrategyStatus], events: u64) -> Vec<String> {
        let (since, before) = std::mem::replace(&mut self.counted, (at, events));
        let millis = u64::try_from(at.since(since).nanos() / 1_000_000).unwrap_or(0);
        let events_per_s = (events.saturating_sub(before) * 1_000).checked_div(millis).unwrap_or(0);
        if strategies.is_empty() {
            let what = log("warn", "no strategy runs; save a script, or mend a refused one".into());
            let told = Told { time: at, strategy: String::new(), version: String::new(), what };
            return vec![terminal::line(&told, None, self.look)];
        }
        let mut net: BTreeMap<String, Decimal> = BTreeMap::new();
        let mut lines = Vec::new();
        for strategy in strategies {
            let mut rows: Vec<(String, Option<Status>)> = Vec::new();
            for position in &strategy.positions {
                let row = self.status_of(position);
                *net.entry(row.quote.clone()).or_default() += row.net;
                rows.push((row.instrument.clone(), Some(row)));
            }
            if rows.is_empty() {
                rows.push((String::new(), None));
            }
            for (instrument, row) in rows {
                let key = (strategy.name.clone(), instrument);
                let now = (row, strategy.open_orders);
                if self.shown.get(&key) == Some(&now) {
                    continue;
                }
                lines.push(terminal::status(at, &strategy.name, now.0.as_ref(), now.1, self.look));
                self.shown.insert(key, now);
            }
        }
        lines.push(terminal::total(at, &net, events_per_s, self.look));
        lines
    }

    fn status_of(&self, position: &crate::engine::PositionStatus) -> Status {
        let row = self.instruments.find(&position.instrument);
        let (base, quote) =
            row.map(|row| (row.base.clone(), row.quote.clone())).unwrap_or_default();
        Status {
            instrument: position.instrument.clone(),
            position: position.qty,
            base,
            realized: position.realized,
            fees: position.fees,
            net: position.net,
            quote,
        }
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
