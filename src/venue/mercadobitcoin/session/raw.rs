//! Raw calls: the documented methods as scripts ask for them, each answered once.

use super::Session;
use super::line::Task;
use crate::base::{
    Call, CallAsk, CallFailure, CallFailureKind, CallId, CallOutcome, Command, Decimal, Event,
    Fate, OrderKey, Plain, Reply, VenueOut,
};
use crate::calls::{self, Priority, Retry, mercadobitcoin as table};
use crate::venue::mercadobitcoin::wire::{self, WireError};
use crate::venue::reply;
use std::collections::BTreeMap;

/// How often a call that may be repeated goes in all.
pub(super) const MOST_TRIES: u32 = 3;

/// Calls that wait for their answer; what is beyond is refused. Cancels have as many again.
const MOST_WAITING: usize = 100;

/// A method on its way as it was asked.
#[derive(Clone, Debug)]
struct Asked {
    call: &'static calls::Call,
    parameters: Vec<(&'static str, String)>,
    tries: u32,
    /// How often it may have reached the venue without a usable answer.
    lost: u32,
    /// A cancel that was refused after one that is lost: a list decides, or these words stand.
    refusal: Option<String>,
}

/// The calls that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Calls {
    asked: BTreeMap<CallId, Asked>,
    places: BTreeMap<OrderKey, CallId>,
    cancels: BTreeMap<OrderKey, Vec<CallId>>,
    /// A withdrawal is in doubt: a human looks first.
    stopped: bool,
    /// The bitcoin there was before it.
    bitcoin: Option<Decimal>,
    compare: bool,
}

impl Calls {
    fn waiting(&self) -> usize {
        let cancels: usize = self.cancels.values().map(Vec::len).sum();
        self.asked.len() + self.places.len() + cancels
    }

    /// The method and its parameters, as they go out.
    pub fn request(&self, id: CallId) -> Option<(&'static str, Vec<(&'static str, String)>)> {
        let asked = self.asked.get(&id)?;
        if asked.refusal.is_none() {
            return Some((asked.call.name, asked.parameters.clone()));
        }
        let get = |name| asked.parameters.iter().find(|(key, _)| *key == name);
        let (pair, number) = (get("pair")?.1.clone(), get("order_id")?.1.clone());
        let parameters = vec![("pair", pair), ("from_id", number.clone()), ("end_id", number)];
        Some((table::ORDER_LIST.name, parameters))
    }
}

pub(super) fn rejected(reason: &str) -> CallFailure {
    CallFailure::refused(CallFailureKind::Rejected, reason)
}

/// The content of `return`, as scripts get it; of the orders in it only `only`, if one is named.
pub(super) fn reply_of(call: &calls::Call, text: &str, only: Option<i64>) -> CallOutcome {
    let broken = |error: String| CallFailure::unknown(format!("not a reply: {error}"));
    let (inside, beside) = wire::inside(text).map_err(|error| match error {
        WireError::Refused(reason) => rejected(&reason),
        WireError::NotAReply(_) | WireError::Missing { .. } | WireError::Bad { .. } => {
            broken(error.to_string())
        }
    })?;
    let mut plain = reply::plain(inside).map_err(broken)?;
    if let Plain::Map(pairs) = &mut plain {
        for (key, raw) in beside {
            pairs.push((Plain::text(key), reply::plain(raw).map_err(broken)?));
        }
        if let Some(id) = only {
            pairs.retain(|(key, _)| *key == Plain::Text(id.to_string()));
        }
    }
    Ok(reply::shaped(call, plain))
}

/// The parameters by their documented names, numbers with the venue's places (MB-P10).
fn parameters(ask: &CallAsk) -> Result<Vec<(&'static str, String)>, CallFailure> {
    let mut out = Vec::new();
    for (name, value) in &ask.args {
        let places = match *name {
            "price" => wire::PRICE_PLACES,
            _ => wire::VOLUME_PLACES,
        };
        let text = match (*name, ask.decimal(name), value) {
            ("volume" | "price", Some(number), _) => {
                let positive = Some(number).filter(|number| *number > Decimal::ZERO);
                positive.and_then(|number| wire::fixed(number, places))
            }
            (_, _, Plain::Int(whole)) => Some(whole.to_string()),
            (_, _, Plain::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let wrong = || format!("{name} is not a value with at most {places} decimals");
        let text = text.ok_or_else(|| CallFailure::refused(CallFailureKind::Arguments, wrong()));
        out.push((*name, text?));
    }
    Ok(out)
}

impl Session {
    /// A documented call; it ends in one reply.
    pub(super) fn call(&mut self, call: Call) {
        let Call { id, ask, order } = call;
        let cancels = match order.as_deref() {
            Some(command) => matches!(command, Command::Cancel { .. }),
            None => ask.name == table::CANCEL_ORDER.name,
        };
        let most = if cancels { 2 * MOST_WAITING } else { MOST_WAITING };
        if self.calls.waiting() + self.data.waiting() >= most {
            if let Some(command) = order {
                self.command_refused(*command);
            }
            let text = format!("{most} calls wait already");
            return self.reply(id, Err(CallFailure::refused(CallFailureKind::Limit, text)));
        }
        match order.map(|command| *command) {
            None => self.ask(id, &ask),
            Some(Command::Place(place)) if !self.orders.contains_key(&place.key) => {
                self.calls.places.insert(place.key, id);
                self.place(place);
            }
            Some(Command::Cancel { key, .. }) => {
                self.calls.cancels.entry(key).or_default().push(id);
                self.cancel(key);
            }
            Some(command) => {
                self.command(command);
                self.reply(id, Err(rejected("the venue has no such call")));
            }
        }
    }

    fn command_refused(&mut self, command: Command) {
        use crate::base::OrderStep;
        let reason = "VENUE_BUSY".to_owned();
        match command {
            Command::Place(place) => self.step(place.key, OrderStep::Rejected { reason }),
            Command::Cancel { key, .. }
            | Command::Replace { key, .. }
            | Command::Reduce { key, .. } => self.step(key, OrderStep::ChangeRefused { reason }),
            Command::CancelAll { .. } | Command::Subscribe { .. } | Command::Call(_) => {}
        }
    }

    fn ask(&mut self, id: CallId, ask: &CallAsk) {
        let refused = |kind, text: &str| Err(CallFailure::refused(kind, text));
        let Some(call) = table::find(ask.name) else {
            return self.reply(id, refused(CallFailureKind::NoVenue, "no such call"));
        };
        if let Some(switch) = call.switch.filter(|switch| self.config.off.contains(switch)) {
            let text = format!("{} is off: the feature switch `{switch}`", call.name);
            return self.reply(id, refused(CallFailureKind::NoVenue, &text));
        }
        if !call.auth {
            if let Err(failure) = self.data.ask(self.now, id, call, ask, self.config.patience) {
                self.reply(id, Err(failure));
            }
            return;
        }
        if self.config.key.expose().is_empty() {
            let text = "there is no key: market data only";
            return self.reply(id, refused(CallFailureKind::Unavailable, text));
        }
        if call.name == table::TRADE.name {
            let text = "a Trade is sent as an order that the gate approved";
            return self.reply(id, refused(CallFailureKind::Limit, text));
        }
        if call.retry == Retry::Human && (self.calls.stopped || !self.ready) {
            let text = match self.calls.stopped {
                true => "an earlier withdrawal is in doubt: a human looks first",
                false => "VENUE_NOT_READY",
            };
            return self.reply(id, refused(CallFailureKind::Unavailable, text));
        }
        match parameters(ask) {
            Err(failure) => self.reply(id, Err(failure)),
            Ok(parameters) => {
                let asked = Asked { call, parameters, tries: 0, lost: 0, refusal: None };
                self.calls.asked.insert(id, asked);
                self.queue_raw(id, call);
            }
        }
    }

    /// A script's reads are queries: reconciliation of our own goes before, and so do orders.
    fn queue_raw(&mut self, id: CallId, call: &calls::Call) {
        let priority = if call.lane == Priority::Reconcile { Priority::Query } else { call.lane };
        let deadline = self.now.plus(self.config.patience);
        self.line.push(priority, deadline, Task::Raw(id));
    }

    pub(super) fn raw_answered(&mut self, id: CallId, text: &str) {
        let Some(asked) = self.calls.asked.get_mut(&id) else { return };
        let call = asked.call;
        let cancels = call.name == table::CANCEL_ORDER.name;
        if let Some(refusal) = asked.refusal.clone() {
            return self.raw_decided(id, &refusal, text);
        }
        match wire::inside(text) {
            Err(WireError::Refused(reason)) if cancels && asked.lost > 0 => {
                asked.refusal = Some(reason);
                self.queue_raw(id, call);
            }
            Err(WireError::Refused(reason)) => self.raw_ended(id, Err(rejected(&reason))),
            Ok(_) => match reply_of(call, text, None) {
                Ok(plain) => self.raw_ended(id, Ok(plain)),
                Err(failure) => self.raw_lost(id, failure, false),
            },
            Err(error) => {
                let failure = CallFailure::refused(CallFailureKind::Timeout, error.to_string());
                self.raw_lost(id, failure, false);
            }
        }
    }

    /// A cancel was lost and its repeat refused: the order says which of the two it was.
    fn raw_decided(&mut self, id: CallId, refusal: &str, text: &str) {
        match wire::orders(text) {
            Ok(orders) => {
                let canceled = |order: &wire::Order| order.status == wire::Status::Canceled;
                let outcome = match orders.first().is_some_and(canceled) {
                    true => reply_of(&table::CANCEL_ORDER, text, None),
                    false => Err(rejected(refusal)),
                };
                self.raw_ended(id, outcome);
            }
            Err(error) => {
                let failure = CallFailure::refused(CallFailureKind::Timeout, error.to_string());
                self.raw_lost(id, failure, false);
            }
        }
    }

    /// No usable answer: what may be repeated is, with a new tonce; a withdrawal never.
    pub(super) fn raw_lost(&mut self, id: CallId, failure: CallFailure, unsent: bool) {
        let Some(asked) = self.calls.asked.get_mut(&id) else { return };
        let call = asked.call;
        if call.retry == Retry::Human {
            return self.withdrawal_lost(id, failure, unsent);
        }
        asked.tries += 1;
        asked.lost += u32::from(!unsent);
        let cancels = call.name == table::CANCEL_ORDER.name && asked.lost > 0;
        if asked.tries < MOST_TRIES {
            return self.queue_raw(id, call);
        }
        let fate = if cancels { Fate::Unknown } else { Fate::Refused };
        self.raw_ended(id, Err(CallFailure { fate, ..failure }));
    }

    pub(super) fn raw_expired(&mut self, id: CallId, late: CallFailure) {
        let asked = self.calls.asked.get(&id);
        let doubt = asked.is_some_and(|it| it.lost > 0 && it.call.name == table::CANCEL_ORDER.name);
        let outcome = match doubt {
            true => CallFailure::unknown("a cancel was sent, and its answer is lost"),
            false => late,
        };
        self.raw_ended(id, Err(outcome));
    }

    pub(super) fn raw_ended(&mut self, id: CallId, outcome: CallOutcome) {
        let Some(asked) = self.calls.asked.remove(&id) else { return };
        self.reply(id, outcome);
        // An order of ours may have changed.
        let number = asked.parameters.iter().find(|(name, _)| *name == "order_id");
        if let Some(number) = number.and_then(|(_, number)| number.parse::<i64>().ok()) {
            let ours = self.orders.iter().find(|(_, held)| held.id == Some(number));
            if let Some(key) = ours.map(|(key, _)| *key) {
                self.line.push_once(Priority::Reconcile, Task::Look(key));
            }
        }
    }

    /// There is no call that reads withdrawals (Part D): stop, and tell a human.
    fn withdrawal_lost(&mut self, id: CallId, failure: CallFailure, unsent: bool) {
        if unsent {
            return self.raw_ended(id, Err(failure));
        }
        self.calls.stopped = true;
        self.calls.compare = true;
        let before = self.calls.bitcoin.map_or_else(String::new, |held| format!(" of BTC {held}"));
        self.note(&format!(
            "ALARM: a withdrawal was sent and its answer is lost; it is not repeated, and no other \
             is made until a human has compared the balance{before} with the venue's"
        ));
        self.line.push_once(Priority::Reconcile, Task::Info);
        self.raw_ended(id, Err(CallFailure { fate: Fate::Unknown, ..failure }));
    }

    /// The bitcoin there is, for who has to find out about a withdrawal.
    pub(super) fn compare_bitcoin(&mut self, now: Option<Decimal>) {
        let Some(now) = now else { return };
        let before = self.calls.bitcoin.replace(now);
        if std::mem::take(&mut self.calls.compare) {
            let before = before.map_or_else(|| "unknown".to_owned(), |held| held.to_string());
            self.note(&format!("BTC before the withdrawal in doubt {before}, after it {now}"));
        }
    }

    pub(super) fn answer_place(&mut self, key: OrderKey, outcome: CallOutcome) {
        if let Some(id) = self.calls.places.remove(&key) {
            self.reply(id, outcome);
        }
    }

    pub(super) fn answer_cancels(&mut self, key: OrderKey, outcome: &CallOutcome) {
        for id in self.calls.cancels.remove(&key).unwrap_or_default() {
            self.reply(id, outcome.clone());
        }
    }

    fn reply(&mut self, id: CallId, outcome: CallOutcome) {
        self.out.push_back(VenueOut::Event(Event::Reply(Reply { id, outcome })));
    }
}
