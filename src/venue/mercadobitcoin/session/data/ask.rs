//! Raw calls of the public data: their paths, their answers, and at most two more tries.

use super::*;
use crate::base::{CallAsk, Plain};
use crate::calls::{self, mercadobitcoin as table};
use crate::venue::mercadobitcoin::session::raw::MOST_TRIES;
use crate::venue::reply;

/// A call that is not answered yet.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    call: &'static calls::Call,
    pub path: String,
    tries: u32,
    patience: Span,
}

/// Where the document puts the fields of a call (MB-X01 to X04).
fn path(ask: &CallAsk) -> Result<String, String> {
    let coin = ask.text("coin").unwrap_or_default();
    if coin.is_empty() || !coin.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("coin is letters and digits: BTC".to_owned());
    }
    let coin = coin.to_ascii_uppercase();
    let whole = |field: &str| match ask.get(field) {
        Some(Plain::Int(whole)) if *whole >= 0 => Ok(Some(*whole)),
        Some(_) => Err(format!("{field} is a whole number from 0 on")),
        None => Ok(None),
    };
    if ask.name == table::DAY_SUMMARY.name {
        let number = |field: &str| whole(field)?.ok_or_else(|| format!("{field} is missing"));
        let (year, month, day) = (number("year")?, number("month")?, number("day")?);
        return Ok(format!("{coin}/day-summary/{year}/{month}/{day}/"));
    }
    let mut path = format!("{coin}/{}/", ask.name);
    if ask.name != table::TRADES.name {
        return Ok(path);
    }
    match (whole("from")?, whole("to")?) {
        (None, Some(_)) => return Err("to goes with from".to_owned()),
        (None, None) => {}
        (Some(from), to) => {
            path.push_str(&format!("{from}/"));
            path.push_str(&to.map_or_else(String::new, |to| format!("{to}/")));
        }
    }
    match (whole("tid")?, whole("since")?) {
        (Some(_), Some(_)) => return Err("tid and since say the same; give one".to_owned()),
        (Some(id), None) => path.push_str(&format!("?tid={id}")),
        (None, Some(id)) => path.push_str(&format!("?since={id}")),
        (None, None) => {}
    }
    Ok(path)
}

/// Whether asking again may help, and what is said when it does not.
type Trouble = (bool, CallFailure);

fn told(call: &calls::Call, outcome: &Result<Answer, Failure>) -> Result<Plain, Trouble> {
    let refused = CallFailure::refused;
    let answer = match outcome {
        Ok(answer) => answer,
        Err(failure) if failure.unsent => {
            return Err((true, refused(CallFailureKind::Unavailable, failure.reason.clone())));
        }
        Err(failure) => {
            return Err((true, refused(CallFailureKind::Timeout, failure.reason.clone())));
        }
    };
    let code = i64::from(answer.status);
    let text = format!("HTTP {code}");
    match answer.status {
        200..=299 => {
            let half = |error| (true, refused(CallFailureKind::Timeout, error));
            let plain = reply::plain(&answer.body.text()).map_err(half)?;
            Ok(reply::shaped(call, plain))
        }
        429 => {
            let mut failure = refused(CallFailureKind::RateLimited, text).code(code);
            failure.retry_after = Some(Span::from_secs(60));
            Err((false, failure))
        }
        400..=499 => Err((false, refused(CallFailureKind::Rejected, text).code(code))),
        _ => Err((true, refused(CallFailureKind::Unavailable, text).code(code))),
    }
}

fn reply_to(id: CallId, outcome: CallOutcome, out: &mut VecDeque<VenueOut>) {
    out.push_back(VenueOut::Event(Event::Reply(Reply { id, outcome })));
}

impl Data {
    pub fn waiting(&self) -> usize {
        self.calls.len()
    }

    /// # Errors
    /// When the fields make no path.
    pub fn ask(
        &mut self,
        now: Time,
        id: CallId,
        call: &'static calls::Call,
        ask: &CallAsk,
        patience: Span,
    ) -> Result<(), CallFailure> {
        let wrong = |text| CallFailure::refused(CallFailureKind::Arguments, text);
        let path = path(ask).map_err(wrong)?;
        self.calls.insert(id, Asked { call, path, tries: 0, patience });
        self.lane.push(now, Priority::Query, now.plus(patience), Wish::Call(id));
        Ok(())
    }

    pub(super) fn expired(&mut self, wish: Wish, out: &mut VecDeque<VenueOut>) {
        let Wish::Call(id) = wish else { return };
        if self.calls.remove(&id).is_some() {
            let kind = CallFailureKind::ExpiredInQueue;
            reply_to(id, Err(CallFailure::refused(kind, "its turn did not come")), out);
        }
    }

    pub(super) fn call_answered(
        &mut self,
        now: Time,
        id: CallId,
        outcome: &Result<Answer, Failure>,
        config: &SessionConfig,
        out: &mut VecDeque<VenueOut>,
    ) {
        let Some(asked) = self.calls.get_mut(&id) else { return };
        asked.tries += 1;
        let ended = match told(asked.call, outcome) {
            Err((true, _)) if asked.tries < MOST_TRIES => {
                let deadline = now.plus(asked.patience);
                return self.lane.push(now, Priority::Query, deadline, Wish::Call(id));
            }
            Err((_, failure)) => {
                if failure.kind == CallFailureKind::RateLimited {
                    self.lane.hold(now.plus(config.data_pace.span));
                }
                Err(failure)
            }
            Ok(plain) => Ok(plain),
        };
        self.calls.remove(&id);
        reply_to(id, ended, out);
    }
}
