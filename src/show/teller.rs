//! A run's news as lines: for people, or as JSON of the command line's contract.

use super::events::{FillLine, OrderLine, Place, Stopped, Told, What};
use super::style::Style;
use super::terminal::{self, Look, Status};
use crate::account::Order;
use crate::base::{
    Channel, Decimal, FeedState, Fill, Instrument, InstrumentId, Instruments, OrderKey, OrderState,
    Plain, Time,
};
use crate::engine::{Fault, Note, PositionStatus, StrategyStatus, Words};
use std::collections::{BTreeMap, BTreeSet};

/// Where the sources of the strategies are.
pub trait Sources {
    /// The names of all strategies, those that do not run included.
    fn names(&self) -> Vec<&str>;
    /// A file of a strategy as the user would name it.
    fn shown(&self, strategy: &str, file: &str) -> String;
    /// The strategy's own file, where it is there no more.
    fn missing(&self, strategy: &str) -> Option<String>;
    /// The text of a file so named, if it can be read.
    fn text(&self, file: &str) -> Option<String>;
}

/// Puts a run's news into lines.
pub struct Teller {
    form: Form,
    instruments: Instruments,
    look: Look,
    /// When events were counted last, and how many there were.
    counted: (Time, u64),
    versions: BTreeMap<String, String>,
    /// What people have been told of the orders that are under way.
    orders: BTreeMap<OrderKey, Known>,
    /// The last failure of each strategy, and how often it came again since it was told.
    failures: BTreeMap<String, Failure>,
    /// Strategies and codes of rejected orders told since the last status, and how many more came.
    rejected: BTreeMap<(String, String), u64>,
    reached: bool,
    /// Strategies whose file is gone, as far as it has been told.
    gone: BTreeSet<String>,
    /// What the last status line of each strategy and instrument said.
    shown: BTreeMap<(String, String), (Option<Status>, usize)>,
}

/// For whom the lines are.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Form {
    Json,
    People(Style),
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
    #[must_use]
    pub fn new(form: Form, instruments: Instruments, now: Time) -> Teller {
        let style = match form {
            Form::Json => Style::PLAIN,
            Form::People(style) => style,
        };
        let names = instruments.iter().map(|row| &row.venue).collect::<BTreeSet<_>>();
        let venues = names.len() > 1;
        let look = Look { style, names: 0, venues };
        Teller {
            form,
            look,
            counted: (now, 0),
            versions: BTreeMap::new(),
            orders: BTreeMap::new(),
            failures: BTreeMap::new(),
            rejected: BTreeMap::new(),
            reached: false,
            gone: BTreeSet::new(),
            shown: BTreeMap::new(),
            instruments,
        }
    }

    /// The lines of one note; `name` is the strategy's it is about.
    pub fn note(
        &mut self,
        at: Time,
        name: &str,
        note: &Note,
        sources: &dyn Sources,
    ) -> Vec<String> {
        self.widen(sources);
        let line = match self.form {
            Form::Json => self.told(at, name, note, sources).map(|told| told.json()),
            Form::People(_) => self.for_people(at, name, note, sources),
        };
        line.into_iter().collect()
    }

    /// How the strategies stand. Programs have every order and fill, and get no lines.
    pub fn status(
        &mut self,
        at: Time,
        strategies: &[StrategyStatus],
        events: u64,
        sources: &dyn Sources,
    ) -> Vec<String> {
        self.widen(sources);
        if self.form == Form::Json {
            return Vec::new();
        }
        let mut lines = self.again(at);
        lines.extend(strategies.iter().filter_map(|one| self.missing(at, &one.name, sources)));
        lines.extend(self.standing(at, strategies, events));
        lines
    }

    /// Whether any venue has taken us in since the start.
    #[must_use]
    pub fn has_reached_a_venue(&self) -> bool {
        self.reached
    }

    /// The lines at the end of a run.
    pub fn end(&mut self, at: Time, stopped: Stopped) -> Vec<String> {
        let told = Told {
            time: at,
            strategy: String::new(),
            version: String::new(),
            what: What::Stopped(stopped),
        };
        if self.form == Form::Json {
            return vec![told.json()];
        }
        let mut lines = self.again(at);
        lines.push(terminal::line(&told, None, self.look));
        lines
    }

    /// The column of names is as wide as the longest of strategies and venues.
    fn widen(&mut self, sources: &dyn Sources) {
        let venues = self.instruments.iter().map(|row| row.venue.0.chars().count());
        let strategies = sources.names().into_iter().map(|name| name.chars().count());
        self.look.names = venues.chain(strategies).max().unwrap_or(0);
    }

    fn for_people(
        &mut self,
        at: Time,
        name: &str,
        note: &Note,
        sources: &dyn Sources,
    ) -> Option<String> {
        let mut told = self.told(at, name, note, sources)?;
        if let Note::Order { order } = note
            && (!self.is_worth_a_line(order) || self.was_rejected_alike(name, order))
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
        let source = source_of(&told.what, sources);
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
                let told = order.missing().is_zero();
                if told {
                    self.orders.remove(&order.key);
                }
                !told
            }
            OrderState::Canceled
            | OrderState::Rejected
            | OrderState::Expired
            | OrderState::Unknown => true,
        }
    }

    /// Orders rejected for one reason again and again are counted until the next status.
    fn was_rejected_alike(&mut self, name: &str, order: &Order) -> bool {
        if order.state != OrderState::Rejected {
            return false;
        }
        let code = order.reason.split(' ').next().unwrap_or_default().to_owned();
        match self.rejected.get_mut(&(name.to_owned(), code.clone())) {
            Some(more) => {
                *more += 1;
                true
            }
            None => {
                self.rejected.insert((name.to_owned(), code), 0);
                false
            }
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

    /// What came again since it was told.
    fn again(&mut self, at: Time) -> Vec<String> {
        let mut lines = self.failed_again(at);
        for ((strategy, code), more) in std::mem::take(&mut self.rejected) {
            if more > 0 {
                let what = log("warn", format!("{more} orders more were rejected: {code}"));
                let told = Told { time: at, strategy, version: String::new(), what };
                lines.push(terminal::line(&told, None, self.look));
            }
        }
        lines
    }

    /// A strategy goes on without its file; said once.
    fn missing(&mut self, at: Time, name: &str, sources: &dyn Sources) -> Option<String> {
        let Some(file) = sources.missing(name) else {
            self.gone.remove(name);
            return None;
        };
        let is_new = self.gone.insert(name.to_owned());
        let message = format!("{file} is gone; its last version trades on until the run ends");
        let (strategy, version) = (name.to_owned(), String::new());
        let told = Told { time: at, strategy, version, what: log("warn", message) };
        is_new.then(|| terminal::line(&told, None, self.look))
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

    fn told(&mut self, at: Time, name: &str, note: &Note, sources: &dyn Sources) -> Option<Told> {
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
                let (place, message) = (place(name, fault, sources), fault.message.clone());
                (running.clone().unwrap_or_default(), What::Refused { place, message, running })
            }
            Note::Order { order } => (order.version.to_string(), What::Order(self.order(order))),
            Note::Fill { version, fill, .. } => (version.to_string(), What::Fill(self.fill(fill))),
            Note::StrangeFill { fill } => (String::new(), log("warn", self.strange(fill))),
            Note::Fault { version, fault, .. } => {
                let what = What::Failed {
                    handler: fault.handler.clone(),
                    place: place(name, fault, sources),
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
                self.reached |= feed.channel == Channel::Session && feed.state == FeedState::Live;
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

    fn instrument(&self, id: InstrumentId) -> String {
        self.instruments.get(id).map(Instrument::name).unwrap_or_default()
    }

    /// A line for each strategy whose numbers moved, and one for all.
    fn standing(&mut self, at: Time, strategies: &[StrategyStatus], events: u64) -> Vec<String> {
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

    fn status_of(&self, position: &PositionStatus) -> Status {
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
    What::Log { level, message, fields: Plain::Nil }
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

fn place(name: &str, fault: &Fault, sources: &dyn Sources) -> Place {
    Place { file: sources.shown(name, &fault.file), line: fault.line, column: fault.column }
}

/// The text of the file in which an error is.
fn source_of(what: &What, sources: &dyn Sources) -> Option<String> {
    let (What::Refused { place, .. } | What::Failed { place, .. }) = what else { return None };
    sources.text(&place.file)
}

#[cfg(test)]
mod tests;
