//! What a raw call sends: the script's fields in the table's order, those that are ours filled in
//! where they were left out, and the login's own by the session alone. And the streams that raw
//! calls begin and end, beside the session's own.

use super::Session;
use super::calls::Raw;
use super::feeds::Stream;
use super::task::Task;
use crate::base::{
    CallAsk, CallFailure, CallFailureKind, CallId, Channel, InstrumentId, Plain, Span, Time,
};
use crate::calls::{By, Call, flowbtc as table};
use crate::venue::flowbtc::request;
use crate::venue::reply;

/// What is asked for where a script leaves it to the host (FLOW-F03: Depth is always sent).
const DEPTH: i64 = 10;
const COUNT: i64 = 100;

fn arguments(message: String) -> CallFailure {
    CallFailure::refused(CallFailureKind::Arguments, message)
}

/// FLOW-C16 takes the whole user, and what is missing would be blanked: the user as the venue has
/// it, with the fields that the script gives.
fn overlaid(user: &Plain, ask: &CallAsk) -> Result<String, CallFailure> {
    let Plain::Map(pairs) = user else {
        let why = "GetUserInfo did not answer with a user; nothing was changed";
        return Err(CallFailure::refused(CallFailureKind::Unavailable, why));
    };
    let is =
        |key: &Plain, name: &str| matches!(key, Plain::Text(key) if key.eq_ignore_ascii_case(name));
    let own = pairs.iter().find(|(key, _)| is(key, "UserId")).map(|(_, value)| value);
    let given = ask.int("UserId").map(Plain::Int);
    if own.is_none() || given.as_ref() != own {
        return Err(arguments("UserId is not the logged-in user's".to_owned()));
    }
    let mut whole = pairs.clone();
    for (name, value) in ask.args.iter().filter(|(_, value)| *value != Plain::Nil) {
        match whole.iter_mut().find(|(key, _)| is(key, name)) {
            Some((_, old)) => old.clone_from(value),
            None => whole.push((Plain::text(*name), value.clone())),
        }
    }
    Ok(reply::json(&Plain::Map(whole)))
}

impl Session {
    /// The body of a raw call whose turn has come; `None` if it has ended instead.
    pub(super) fn raw_body(&mut self, now: Time, id: CallId) -> Option<String> {
        let raw = self.calls.raw(id)?;
        let (call, ask) = (raw.step(), raw.ask.clone());
        match self.written(now, id, call, &ask) {
            Ok(body) => {
                self.raw_sent(id);
                Some(body)
            }
            Err(failure) => {
                self.raw_failed(now, id, failure);
                None
            }
        }
    }

    fn written(
        &mut self,
        now: Time,
        id: CallId,
        call: &Call,
        ask: &CallAsk,
    ) -> Result<String, CallFailure> {
        let name = call.name;
        if name == table::WEB_AUTHENTICATE_USER.name {
            return self.login_turn(now).map(|()| self.login_body());
        }
        if name == table::AUTHENTICATE_USER.name {
            self.login_turn(now)?;
            let none = "no API key is configured";
            let none = CallFailure::refused(CallFailureKind::Unavailable, none);
            return self.key_body(now).ok_or(none);
        }
        if name == table::AUTHENTICATE_2FA.name {
            return self.code_for(now, ask.text("Code"));
        }
        let user = self.calls.raw(id).and_then(|raw| raw.user.as_ref());
        if let Some(user) = user.filter(|_| name == table::SET_USER_INFO.name) {
            return overlaid(user, ask);
        }
        self.filled(call, ask).map(|args| reply::body(&args))
    }

    /// Why a call about orders is not about ours: the session trades on one account of one user.
    pub(super) fn foreign(&self, ask: &CallAsk) -> Option<String> {
        let told = |field| ask.int(field).filter(|number| *number != 0);
        let account = self.account.map(|account| account.0);
        if let Some(given) = told("AccountId").filter(|given| Some(*given) != account) {
            return Some(format!("AccountId {given} is not the session's account; leave it out"));
        }
        let given = told("UserId").filter(|given| Some(*given) != self.user)?;
        Some(format!("UserId {given} is not the session's user; leave it out"))
    }

    /// Whether it is a script's call about another account or user than the session's.
    pub(super) fn asks_for_others(&self, task: Task) -> bool {
        let Task::Raw(id, _) = task else { return false };
        self.calls.raw(id).is_some_and(|raw| self.foreign(&raw.ask).is_some())
    }

    /// FLOW-P07 holds for scripts as well.
    fn login_turn(&mut self, now: Time) -> Result<(), CallFailure> {
        if self.line.may_log_in(now) {
            self.line.logins.push_back(now);
            return Ok(());
        }
        let kind = CallFailureKind::RateLimited;
        let retry_after = Some(Span::from_secs(60));
        let why = "too many logins in a minute lock the user";
        Err(CallFailure { retry_after, ..CallFailure::refused(kind, why) })
    }

    fn filled(
        &self,
        call: &Call,
        ask: &CallAsk,
    ) -> Result<Vec<(&'static str, Plain)>, CallFailure> {
        let mut args = Vec::with_capacity(call.args.len());
        for field in call.args {
            let given = ask.get(field.name).filter(|value| **value != Plain::Nil).cloned();
            let value = match field.by {
                By::Script => given,
                By::Either => given.or_else(|| self.host_value(field.name)),
                By::Host => self.host_value(field.name),
            };
            match value {
                Some(value) => args.push((field.name, value)),
                None if field.required => {
                    return Err(arguments(format!("{}: `{}` is missing", call.name, field.name)));
                }
                None => {}
            }
        }
        let named = args.iter().filter(|(name, _)| call.one_of.contains(name)).count();
        if !call.one_of.is_empty() && named != 1 {
            let why = format!("{}: exactly one of {}", call.name, call.one_of.join(", "));
            return Err(arguments(why));
        }
        self.scoped(call, &args)?;
        Ok(args)
    }

    /// FLOW-P18, FLOW-T12: the keys that are present are the scope of a cancel, so that none may be
    /// missing; and FLOW-F14: an order of number 0 is none.
    fn scoped(&self, call: &Call, args: &[(&'static str, Plain)]) -> Result<(), CallFailure> {
        let has = |name: &str| {
            let told = args.iter().find(|(key, _)| *key == name);
            matches!(told, Some((_, Plain::Int(number))) if *number != 0)
        };
        let fits = if call.name == table::CANCEL_ALL_ORDERS.name {
            has("AccountId") && has("InstrumentId")
        } else if call.name == table::CANCEL_ORDER.name {
            has("AccountId") && (has("OrderId") || has("ClOrderId"))
        } else {
            true
        };
        if fits { Ok(()) } else { Err(arguments(format!("{}: its scope is not whole", call.name))) }
    }

    /// A field that the host knows.
    fn host_value(&self, field: &str) -> Option<Plain> {
        match field {
            "OMSId" => Some(Plain::Int(request::OMS)),
            "AccountId" => self.account.map(|account| Plain::Int(account.0)),
            "UserId" => self.user.map(Plain::Int),
            "UserName" => Some(&self.config.user).filter(|u| !u.is_empty()).map(Plain::text),
            "Depth" => Some(Plain::Int(DEPTH)),
            "Count" | "IncludeLastCount" => Some(Plain::Int(COUNT)),
            "StartIndex" => Some(Plain::Int(0)),
            "Interval" => Some(Plain::Int(60)),
            _ => None,
        }
    }

    /// The streams that a call is about, if it is about any: one, or every interval of bars.
    fn streams_of(&self, call: &Call, ask: &CallAsk) -> Vec<Stream> {
        let channel = match call.name {
            "SubscribeTrades" | "UnsubscribeTrades" => Channel::Trades,
            "SubscribeTicker" | "UnsubscribeTicker" => Channel::Bars,
            "SubscribeLevel1" | "UnsubscribeLevel1" => Channel::Quotes,
            "SubscribeLevel2" | "UnsubscribeLevel2" => Channel::Book,
            _ => return Vec::new(),
        };
        let Some(instrument) = self.instrument_of(ask) else { return Vec::new() };
        if channel != Channel::Bars {
            return vec![Stream { instrument, channel, interval: Span::ZERO }];
        }
        if call.name == table::UNSUBSCRIBE_TICKER.name {
            let all = self.feeds.all().into_iter();
            return all.filter(|s| s.channel == channel && s.instrument == instrument).collect();
        }
        let seconds = ask.int("Interval").or_else(|| ask.text("Interval")?.parse().ok());
        vec![Stream { instrument, channel, interval: Span::from_secs(seconds.unwrap_or(60)) }]
    }

    fn instrument_of(&self, ask: &CallAsk) -> Option<InstrumentId> {
        let by_number = ask.int("InstrumentId").and_then(|page| self.listing.id(page));
        by_number.or_else(|| self.listing.named(ask.text("Symbol")?))
    }

    /// Whether the call would end a stream that the engine asked for: it goes on, and the script
    /// is told that all is well.
    pub(super) fn is_own_stream(&self, call: &Call, ask: &CallAsk) -> bool {
        call.name.starts_with("Unsubscribe")
            && self
                .streams_of(call, ask)
                .iter()
                .any(|stream| self.feeds.get(stream).is_some_and(|sub| !sub.raw))
    }

    /// A stream was begun or ended by a raw call. Of an instrument of the run it is a stream like
    /// any other: told, and subscribed again after a reconnect.
    pub(super) fn raw_stream(&mut self, now: Time, raw: &Raw, body: &str) {
        let begins = raw.call.name.starts_with("Subscribe");
        for stream in self.streams_of(raw.call, &raw.ask) {
            if !begins {
                self.feeds.forget(&stream);
                continue;
            }
            let depth = raw.ask.int("Depth").and_then(|depth| u16::try_from(depth).ok());
            let depth = depth.unwrap_or(u16::try_from(DEPTH).unwrap_or(u16::MAX));
            if self.feeds.begun(stream, depth) {
                self.subscribed(now, stream, body);
            } else if stream.channel == Channel::Book
                && self.feeds.get(&stream).is_some_and(|sub| sub.live && sub.depth != depth)
            {
                // The venue now sends the other depth: back to the one the engine asked for.
                self.push(now, Task::Unsubscribe(stream));
                self.push(now, Task::Subscribe(stream));
            }
        }
    }
}
