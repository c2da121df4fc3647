//! The Sentra session: a venue without market or orders that makes the three documented pushes
//! for scripts. Each account is a line of its own: one request at a time, at most one a second.

use super::wire::{self, Money, Push};
use crate::base::{
    Call, CallFailure, CallFailureKind, CallId, CallOutcome, Channel, Command, Event, FeedNews,
    FeedState, LaneLeft, Machine, Net, OrderKey, OrderNews, OrderStep, Reply, Secret, Span, Time,
    Venue, VenueIn, VenueName, VenueOut,
};
use crate::venue::pace::Pace;
use line::{Job, Line};
use std::collections::{BTreeMap, VecDeque};

mod line;
#[cfg(test)]
mod tests;

/// Characters of the venue's own words that are told on.
const LONGEST_WORDS: usize = 300;

/// What a session needs to know beforehand.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    pub venue: VenueName,
    /// SENTRA-R01, without a slash at the end.
    pub url: String,
    /// SENTRA-R05, F13: all that proves who writes, so it is a secret.
    pub email: Secret,
    /// SENTRA-R09, F19: of each account.
    pub pace: Pace,
    /// Sends that still count, by the name of their lane.
    pub sent: BTreeMap<String, Vec<Time>>,
    /// SENTRA-R10.
    pub timeout: Span,
    /// SENTRA-R14: in all.
    pub attempts: u32,
    /// The first wait; each further one is twice as long.
    pub backoff: Span,
    /// How long a call may wait for its first turn.
    pub patience: Span,
    /// Accounts that calls may name.
    pub most_accounts: usize,
    /// Calls that may wait in one account's lane.
    pub most_waiting: usize,
}

impl SessionConfig {
    /// The contract's figures for everything but who.
    #[must_use]
    pub fn new(email: Secret) -> SessionConfig {
        let second = Span::from_secs(1);
        SessionConfig {
            venue: VenueName::new("sentra"),
            url: "https://sentrapartners.com/api/mt".to_owned(),
            email,
            pace: Pace { limit: 1, reserve: 0, span: second },
            sent: BTreeMap::new(),
            timeout: Span::from_secs(10),
            attempts: 3,
            backoff: second,
            patience: Span::from_secs(120),
            most_accounts: 32,
            most_waiting: 128,
        }
    }
}

/// The session. Drive it as any `Machine`; it is live from the first `poll`, since it has nothing
/// to log in to.
#[derive(Debug)]
pub struct Session {
    lines: BTreeMap<String, Line>,
    started: bool,
    desk: Desk,
}

/// What the lines share.
#[derive(Debug)]
struct Desk {
    config: SessionConfig,
    /// Numbers the requests.
    numbers: u64,
    now: Time,
    out: VecDeque<VenueOut>,
}

impl Desk {
    fn note(&mut self, text: &str) {
        let text = self.scrubbed(text);
        self.out.push_back(VenueOut::Note(format!("{}: {text}", self.config.venue)));
    }

    fn reply(&mut self, id: CallId, outcome: CallOutcome) {
        let outcome = outcome.map_err(|mut failure| {
            failure.message = self.scrubbed(&failure.message);
            failure
        });
        self.out.push_back(VenueOut::Event(Event::Reply(Reply { id, outcome })));
    }

    fn step(&mut self, key: OrderKey, step: OrderStep) {
        let news = OrderNews { key, time: self.now, step };
        self.out.push_back(VenueOut::Event(Event::Order(news)));
    }

    fn feed(&mut self, channel: Channel, state: FeedState, reason: &str) {
        let news = FeedNews {
            venue: self.config.venue.clone(),
            channel,
            state,
            reason: reason.to_owned(),
            time: self.now,
        };
        self.out.push_back(VenueOut::Event(Event::Feed(news)));
    }

    /// The venue's words without the e-mail, which a raw exception text may quote (SENTRA-F13,
    /// P06), and no longer than people read.
    fn scrubbed(&self, text: &str) -> String {
        let email = self.config.email.expose();
        let mut text = without(text, email);
        text = without(&text, &email.replace('@', "%40"));
        match text.char_indices().nth(LONGEST_WORDS) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }
    }
}

/// `text` with stars for every `word`, in whatever case.
fn without(text: &str, word: &str) -> String {
    if word.is_empty() {
        return text.to_owned();
    }
    // Lower case of ASCII keeps every byte's place.
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let mut kept = String::new();
    let mut from = 0;
    for (at, found) in lower.match_indices(&word) {
        kept.push_str(text.get(from..at).unwrap_or_default());
        kept.push_str("***");
        from = at + found.len();
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

impl Session {
    #[must_use]
    pub fn new(config: SessionConfig) -> Session {
        let desk = Desk { config, numbers: 0, now: Time::ZERO, out: VecDeque::new() };
        Session { lines: BTreeMap::new(), started: false, desk }
    }

    fn command(&mut self, command: Command) {
        let refused = |what: &str| format!("VENUE_UNSUPPORTED what={what}");
        match command {
            Command::Place(place) => {
                self.desk.step(place.key, OrderStep::Rejected { reason: refused("orders") });
            }
            Command::Cancel { key, .. }
            | Command::Replace { key, .. }
            | Command::Reduce { key, .. } => {
                self.desk.step(key, OrderStep::ChangeRefused { reason: refused("orders") });
            }
            // There are none.
            Command::CancelAll { .. } => {}
            Command::Subscribe { channel, .. } => {
                self.desk.feed(channel, FeedState::Down, &refused("market data"));
            }
            Command::Call(call) => self.call(call),
        }
    }

    fn call(&mut self, call: Call) {
        if let Some(order) = call.order {
            self.command(*order);
            let kind = CallFailureKind::Rejected;
            let why = CallFailure::refused(kind, "VENUE_UNSUPPORTED what=orders");
            return self.desk.reply(call.id, Err(why));
        }
        if let Err(failure) = self.queue(&call) {
            self.desk.reply(call.id, Err(failure));
        }
    }

    fn queue(&mut self, call: &Call) -> Result<(), CallFailure> {
        let wrong = |why| CallFailure::refused(CallFailureKind::Arguments, why);
        let full = |why| CallFailure::refused(CallFailureKind::Limit, why);
        let config = &self.desk.config;
        let account = wire::account(&call.ask).map_err(wrong)?;
        let known = self.lines.get(&account).map_or(Money::Standard, |line| line.money);
        let parcel = wire::parcel(&config.email, &call.ask, known).map_err(wrong)?;
        if !self.lines.contains_key(&account) {
            if self.lines.len() >= config.most_accounts {
                return Err(full(format!("more than {} accounts", config.most_accounts)));
            }
            self.lines.insert(account.clone(), Line::new(&account, config));
        }
        let Some(line) = self.lines.get_mut(&account) else { return Ok(()) };
        if line.waiting() >= config.most_waiting {
            let most = config.most_waiting;
            return Err(full(format!("{most} calls wait for account {account} already")));
        }
        if parcel.rounded > 0 {
            let (path, rounded) = (parcel.push.call().name, parcel.rounded);
            let text = format!("{path}: {rounded} amounts rounded to the venue's places");
            self.desk.note(&text);
        }
        line.ask(self.desk.now, Job::new(call.id, parcel), self.desk.config.patience);
        Ok(())
    }
}

impl Push {
    const fn path(self) -> &'static str {
        self.call().name
    }
}

impl Venue for Session {
    fn lanes(&self, now: Time) -> Vec<LaneLeft> {
        self.lines.values().map(|line| line.left(now, &self.desk.config)).collect()
    }
}

impl Machine for Session {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, now: Time, input: VenueIn) {
        self.desk.now = self.desk.now.max(now);
        match input {
            VenueIn::Command(command) => self.command(command),
            VenueIn::Net(Net::Response(response)) => {
                // An answer that came after the line gave up on it finds nobody.
                let mut lines = self.lines.values_mut();
                if let Some(line) = lines.find(|line| line.awaits(response.id)) {
                    line.answered(response.outcome, &mut self.desk);
                }
            }
            VenueIn::Net(
                Net::Open { .. }
                | Net::Opened { .. }
                | Net::Frame { .. }
                | Net::Lost { .. }
                | Net::Close { .. }
                | Net::Request(_),
            ) => {}
        }
    }

    fn poll(&mut self, now: Time) -> Option<VenueOut> {
        self.desk.now = self.desk.now.max(now);
        if !self.started {
            self.started = true;
            self.desk.feed(Channel::Session, FeedState::Live, "");
        }
        if self.desk.out.is_empty() {
            for line in self.lines.values_mut() {
                line.advance(&mut self.desk);
            }
        }
        self.desk.out.pop_front()
    }

    fn wake_at(&self) -> Option<Time> {
        if !self.started {
            return Some(Time::ZERO);
        }
        let timeout = self.desk.config.timeout;
        self.lines.values().filter_map(|line| line.wake_at(timeout)).min()
    }
}
