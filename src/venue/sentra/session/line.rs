//! One account's line: its lane, the request under way, and what an answer means for the call.

use super::{Desk, SessionConfig};
use crate::base::{
    Answer, CallFailure, CallFailureKind, CallId, Failure, Fate, Header, LaneLeft, Method, Net,
    Plain, Request, Secret, Span, Time, VenueOut,
};
use crate::calls::Priority;
use crate::venue::pace::{Lane, Turn};
use crate::venue::sentra::wire::{self, Money, Parcel, Part, Push, Said};
use std::collections::VecDeque;

/// The shell gives a request up at its timeout; a line does so itself this much later.
const GRACE: Span = Span::from_secs(1);

/// One call on its way, part by part.
#[derive(Debug)]
pub(super) struct Job {
    /// `None`: the line's own heartbeat for an account that is gone (SENTRA-R22c).
    owner: Option<CallId>,
    push: Push,
    money: Option<Money>,
    parts: VecDeque<Part>,
    rows: usize,
    /// Rows of the parts that the venue said yes to, and how many of them it stored.
    taken: usize,
    stored: usize,
    tried: u32,
    /// It was repeated after a heartbeat already.
    revived: bool,
    /// An earlier attempt of this part may have reached the venue.
    perhaps: bool,
    /// What goes once this heartbeat is in.
    then: Option<Box<Job>>,
}

impl Job {
    pub(super) fn new(owner: CallId, parcel: Parcel) -> Job {
        Job {
            owner: Some(owner),
            push: parcel.push,
            money: parcel.money,
            parts: parcel.parts,
            rows: parcel.rows,
            taken: 0,
            stored: 0,
            tried: 0,
            revived: false,
            perhaps: false,
            then: None,
        }
    }
}

#[derive(Debug)]
struct Flight {
    id: u64,
    job: Job,
    sent: Time,
}

/// What an answer means.
enum Verdict {
    Yes {
        message: String,
        stored: Option<usize>,
    },
    /// SENTRA-F09: 502, 503, 429 and everything without a whole answer are tried again.
    Again(CallFailure),
    No(CallFailure),
    /// SENTRA-R22c.
    NoAccount(CallFailure),
}

#[derive(Debug)]
pub(super) struct Line {
    account: String,
    pub(super) money: Money,
    lane: Lane<Job>,
    flight: Option<Flight>,
    /// Failed, to be tried again then, before anything else.
    again: Option<(Time, Job)>,
    /// The last heartbeat that was asked for.
    beat: Option<Part>,
}

impl Line {
    pub(super) fn new(account: &str, config: &SessionConfig) -> Line {
        let mut line = Line {
            account: account.to_owned(),
            money: Money::Standard,
            lane: Lane::new(config.pace),
            flight: None,
            again: None,
            beat: None,
        };
        line.lane.restore(config.sent.get(&line.name()).into_iter().flatten().copied());
        line
    }

    /// SENTRA-F19: the lane is the pair's, and the e-mail is the session's.
    fn name(&self) -> String {
        format!("sentra/{}", self.account)
    }

    pub(super) fn waiting(&self) -> usize {
        self.lane.len() + usize::from(self.again.is_some())
    }

    pub(super) fn left(&self, now: Time, config: &SessionConfig) -> LaneLeft {
        LaneLeft {
            lane: self.name(),
            limit: config.pace.limit,
            reserve: config.pace.reserve,
            span: config.pace.span,
            left: self.lane.left(now),
            waiting: self.waiting(),
        }
    }

    pub(super) fn ask(&mut self, now: Time, job: Job, patience: Span) {
        if let Some(money) = job.money {
            self.money = money;
            self.beat = job.parts.front().cloned();
        }
        self.lane.push(now, job.push.lane(), now.plus(patience), job);
    }

    pub(super) fn awaits(&self, id: u64) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.id == id)
    }

    pub(super) fn answered(&mut self, outcome: Result<Answer, Failure>, desk: &mut Desk) {
        if let Some(flight) = self.flight.take() {
            self.settle(flight, outcome, desk);
        }
    }

    pub(super) fn wake_at(&self, timeout: Span) -> Option<Time> {
        match (&self.flight, &self.again) {
            (Some(flight), _) => Some(flight.sent.plus(timeout).plus(GRACE)),
            (None, Some((due, _))) => Some(*due),
            (None, None) => self.lane.wake_at(),
        }
    }

    pub(super) fn advance(&mut self, desk: &mut Desk) {
        let now = desk.now;
        let limit = desk.config.timeout.plus(GRACE);
        if let Some(flight) = self.flight.take_if(|flight| flight.sent.plus(limit) <= now) {
            let reason = "no answer in time".to_owned();
            self.settle(flight, Err(Failure { unsent: false, reason }), desk);
        }
        if let Some((_, job)) = self.again.take_if(|again| again.0 <= now) {
            self.first(now, job);
        }
        while self.flight.is_none() && self.again.is_none() {
            match self.lane.next(now) {
                Some(Turn::Sent(job)) => self.send(job, desk),
                Some(Turn::Expired(job)) => {
                    let waited = format!("it waited {} for its turn", desk.config.patience);
                    let kind = CallFailureKind::ExpiredInQueue;
                    self.failed(job, CallFailure::refused(kind, waited), desk);
                }
                None => return,
            }
        }
    }

    /// Ahead of the others, and a turn of the lane like any other.
    fn first(&mut self, now: Time, job: Job) {
        self.lane.push(now, Priority::Cancel, Time::MAX, job);
    }

    fn send(&mut self, mut job: Job, desk: &mut Desk) {
        let Some(part) = job.parts.front() else { return self.done(&job, String::new(), desk) };
        desk.numbers += 1;
        let id = desk.numbers;
        let header = |name, value: &str| Header { name, value: Secret::new(value) };
        let mut headers = vec![header("Content-Type", "application/json")];
        if part.gzip {
            headers.push(header("Content-Encoding", "gzip"));
        }
        desk.out.push_back(VenueOut::Sent { lane: self.name() });
        desk.out.push_back(VenueOut::Net(Net::Request(Request {
            id,
            method: Method::Post,
            url: format!("{}/{}", desk.config.url, job.push.path()),
            headers,
            body: part.body.clone(),
            timeout: desk.config.timeout,
            keep: None,
        })));
        job.tried += 1;
        self.flight = Some(Flight { id, job, sent: desk.now });
    }

    fn settle(&mut self, flight: Flight, outcome: Result<Answer, Failure>, desk: &mut Desk) {
        self.lane.landed(flight.sent, desk.now);
        let mut job = flight.job;
        let verdict = verdict(&outcome);
        self.log(&job, &outcome, &verdict, desk.now.since(flight.sent), desk);
        match verdict {
            Verdict::Yes { message, stored } => self.stored(job, message, stored, desk),
            Verdict::No(failure) => self.failed(job, failure, desk),
            Verdict::NoAccount(failure) => match self.beat.clone() {
                Some(beat) if job.owner.is_some() && !job.revived => {
                    job.revived = true;
                    job.tried = 0;
                    self.revive(desk.now, beat, job);
                }
                _ => self.failed(job, failure, desk),
            },
            Verdict::Again(mut failure) => {
                let doubled = 1i64.checked_shl(job.tried.saturating_sub(1)).unwrap_or(i64::MAX);
                let nanos = desk.config.backoff.nanos().saturating_mul(doubled);
                let wait = Span::from_nanos(nanos);
                if job.tried < desk.config.attempts {
                    job.perhaps |= failure.fate == Fate::Unknown;
                    self.again = Some((desk.now.plus(wait), job));
                    return;
                }
                if failure.kind == CallFailureKind::RateLimited {
                    failure.retry_after = Some(wait);
                }
                self.failed(job, failure, desk);
            }
        }
    }

    /// SENTRA-R15: what, how, how long and how many; never the body.
    fn log(
        &self,
        job: &Job,
        outcome: &Result<Answer, Failure>,
        verdict: &Verdict,
        took: Span,
        desk: &mut Desk,
    ) {
        let rows = job.parts.front().map_or(0, |part| part.rows);
        let status = match outcome {
            Ok(answer) => answer.status.to_string(),
            Err(failure) => failure.reason.clone(),
        };
        let end = match verdict {
            Verdict::Yes { stored, .. } => match (job.push, stored) {
                (Push::Heartbeat, _) => String::new(),
                (_, Some(stored)) if *stored < rows => {
                    format!(", {rows} sent, only {stored} stored")
                }
                (_, Some(stored)) => format!(", {rows} sent, {stored} stored"),
                (_, None) => format!(", {rows} sent, and no word of how many are stored"),
            },
            Verdict::Again(failure) | Verdict::No(failure) | Verdict::NoAccount(failure) => {
                format!(", {rows} sent, attempt {}: {}", job.tried, failure.message)
            }
        };
        let (path, account) = (job.push.path(), &self.account);
        let took = Span::from_millis(took.nanos() / 1_000_000);
        desk.note(&format!("POST /{path} {status} in {took}, account {account}{end}"));
    }

    fn revive(&mut self, now: Time, beat: Part, job: Job) {
        self.first(
            now,
            Job {
                owner: None,
                push: Push::Heartbeat,
                money: None,
                parts: VecDeque::from([beat]),
                rows: 1,
                taken: 0,
                stored: 0,
                tried: 0,
                revived: true,
                perhaps: false,
                then: Some(Box::new(job)),
            },
        );
    }

    /// SENTRA-P05: what the message counts is what is stored. A message without a count, as a
    /// heartbeat's, speaks of all.
    fn stored(&mut self, mut job: Job, message: String, stored: Option<usize>, desk: &mut Desk) {
        let rows = job.parts.pop_front().map_or(0, |part| part.rows);
        let counted = stored.filter(|_| job.push != Push::Heartbeat);
        job.taken += rows;
        job.stored += counted.unwrap_or(rows).min(rows);
        if let Some(next) = job.then.take() {
            self.first(desk.now, *next);
        }
        if job.parts.is_empty() {
            return self.done(&job, message, desk);
        }
        job.tried = 0;
        job.perhaps = false;
        // In turns with heartbeats: a long history keeps none of them waiting.
        self.lane.push(desk.now, Priority::Reconcile, Time::MAX, job);
    }

    fn done(&mut self, job: &Job, message: String, desk: &mut Desk) {
        let Some(id) = job.owner else { return };
        let batches = job.rows > wire::BATCH && job.push == Push::Trades;
        let message = match message.trim_start_matches(|c: char| c.is_ascii_digit()) {
            rest if batches && rest.len() < message.len() => format!("{}{rest}", job.stored),
            _ => message,
        };
        let count = |rows: usize| Plain::Int(i64::try_from(rows).unwrap_or(i64::MAX));
        let reply = Plain::map(vec![
            ("success", Plain::Bool(true)),
            ("message", Plain::Text(desk.scrubbed(&message))),
            ("stored", count(job.stored)),
            ("sent", count(job.rows)),
        ]);
        desk.reply(id, Ok(reply));
    }

    fn failed(&mut self, mut job: Job, mut failure: CallFailure, desk: &mut Desk) {
        if let Some(waiting) = job.then.take() {
            let message = format!("{}; and its heartbeat failed: {failure}", wire::NO_ACCOUNT);
            let failure = CallFailure::refused(CallFailureKind::Rejected, message).code(404);
            self.failed(*waiting, failure, desk);
        }
        let Some(id) = job.owner else { return };
        if job.perhaps || job.taken > 0 {
            failure.fate = Fate::Unknown;
        }
        if job.taken > 0 {
            let (taken, rows) = (job.taken, job.rows);
            failure.message = format!("{}; {taken} of {rows} rows were taken", failure.message);
        }
        desk.reply(id, Err(failure));
    }
}

fn verdict(outcome: &Result<Answer, Failure>) -> Verdict {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(failure) if failure.unsent => {
            let kind = CallFailureKind::Unavailable;
            return Verdict::Again(CallFailure::refused(kind, failure.reason.clone()));
        }
        Err(failure) => return Verdict::Again(CallFailure::unknown(failure.reason.clone())),
    };
    let code = i64::from(answer.status);
    let page = || format!("HTTP {code}");
    match (answer.status, wire::said(&answer.body.text())) {
        (200, Said::Yes { message, stored }) => Verdict::Yes { message, stored },
        (200, Said::Noise) => {
            let why = "a reply that cannot be read";
            Verdict::Again(CallFailure::unknown(why).code(code))
        }
        (429, _) => {
            let kind = CallFailureKind::RateLimited;
            Verdict::Again(CallFailure::refused(kind, page()).code(code))
        }
        // A gateway may say so after the venue has stored it.
        (502 | 503, _) => Verdict::Again(CallFailure {
            kind: CallFailureKind::Unavailable,
            ..CallFailure::unknown(page()).code(code)
        }),
        (404, Said::No { error }) if error == wire::NO_ACCOUNT => {
            Verdict::NoAccount(rejected(code, error))
        }
        (_, Said::No { error }) if !error.is_empty() => Verdict::No(rejected(code, error)),
        (_, Said::Yes { .. } | Said::No { .. } | Said::Noise) => {
            Verdict::No(rejected(code, page()))
        }
    }
}

/// The venue's no. Behind its own fault (500) some rows may be stored (SENTRA-P05, P06).
fn rejected(code: i64, message: String) -> CallFailure {
    let fate = if code >= 500 { Fate::Unknown } else { Fate::Refused };
    CallFailure { fate, ..CallFailure::refused(CallFailureKind::Rejected, message).code(code) }
}
