//! The Sentra session of one account: a machine without I/O that pushes heartbeats, positions and
//! closed trades, one at a time and at most one a second, three attempts each, and reports what
//! the venue did not store.

use super::wire::{self, BATCH, Closed, Heartbeat, Identity, Position, Said};
use crate::base::{
    Answer, Body, Failure, Header, Machine, Method, Net, Request, Response, Secret, Span, Time,
};
use crate::calls::{Priority, sentra as calls};
use crate::venue::pace::{Lane, Pace, Turn};
use std::collections::VecDeque;

#[cfg(test)]
mod tests;

/// What a session needs to know beforehand.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// SENTRA-R01, without a slash at the end.
    pub url: String,
    pub who: Identity,
    /// SENTRA-R09.
    pub pace: Pace,
    /// SENTRA-R10.
    pub timeout: Span,
    /// SENTRA-R14: in all.
    pub attempts: u32,
    /// The first wait; each further one is twice as long.
    pub backoff: Span,
    /// Positions within this become one push.
    pub coalesce: Span,
}

impl SessionConfig {
    /// The contract's figures for everything but who.
    #[must_use]
    pub fn new(who: Identity) -> SessionConfig {
        let second = Span::from_secs(1);
        SessionConfig {
            url: "https://sentrapartners.com/api/mt".to_owned(),
            who,
            pace: Pace { limit: 1, reserve: 0, span: second },
            timeout: Span::from_secs(10),
            attempts: 3,
            backoff: second,
            coalesce: second,
        }
    }
}

/// What goes in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum In {
    Heartbeat(Heartbeat),
    /// All open positions, as they are now.
    Positions(Vec<Position>),
    /// Closed trades, each told once by its caller.
    Trades(Vec<Closed>),
    Response(Response),
}

/// What comes out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Out {
    Net(Net),
    /// The venue answered yes to this push; `stored` below `sent` is a partial sync (SENTRA-P05).
    Synced {
        push: Push,
        sent: usize,
        stored: usize,
    },
    /// It was given up; the reason holds no e-mail.
    Failed {
        push: Push,
        sent: usize,
        reason: String,
    },
    /// For the operator's log; holds no e-mail.
    Note(String),
}

/// Which of the three calls.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Push {
    Heartbeat,
    Positions,
    Trades,
}

impl Push {
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Push::Heartbeat => calls::HEARTBEAT.name,
            Push::Positions => calls::POSITIONS.name,
            Push::Trades => calls::TRADES.name,
        }
    }

    const fn lane(self) -> Priority {
        match self {
            Push::Heartbeat => calls::HEARTBEAT.lane,
            Push::Positions => calls::POSITIONS.lane,
            Push::Trades => calls::TRADES.lane,
        }
    }
}

/// One body on its way; the same bytes at every attempt.
#[derive(Clone, Debug)]
struct Job {
    push: Push,
    body: Body,
    gzip: bool,
    sent: usize,
    tried: u32,
    /// SENTRA-R22c: it was repeated after a heartbeat already.
    revived: bool,
}

/// The session. Drive it as any `Machine`.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    lane: Lane<Job>,
    flight: Option<(u64, Job, Time)>,
    /// Failed, to be tried again then, before anything else.
    again: Option<(Time, Job)>,
    gathered: Option<(Time, Vec<Position>)>,
    beat: Option<Heartbeat>,
    /// SENTRA-R07: before the first heartbeat nothing else goes.
    alive: bool,
    held: Vec<Job>,
    numbers: u64,
    now: Time,
    out: VecDeque<Out>,
}

impl Session {
    #[must_use]
    pub fn new(config: SessionConfig) -> Session {
        Session {
            lane: Lane::new(config.pace),
            config,
            flight: None,
            again: None,
            gathered: None,
            beat: None,
            alive: false,
            held: Vec::new(),
            numbers: 0,
            now: Time::ZERO,
            out: VecDeque::new(),
        }
    }

    /// How many pushes could go at `now`.
    #[must_use]
    pub fn left(&self, now: Time) -> u32 {
        self.lane.left(now)
    }

    /// Send times that still count, for the lane of the next session of this account.
    pub fn sent(&self) -> impl Iterator<Item = Time> {
        self.lane.sent()
    }

    /// Counts what an earlier session sent, so that a restart makes no burst.
    pub fn restore(&mut self, sent: impl IntoIterator<Item = Time>) {
        self.lane.restore(sent);
    }

    fn job(&mut self, push: Push, text: &str, sent: usize) {
        let (bytes, gzip) = wire::packed(text);
        let body = Body(bytes);
        let job = Job { push, body, gzip, sent, tried: 0, revived: false };
        self.queue(job);
    }

    fn queue(&mut self, job: Job) {
        if self.alive || job.push == Push::Heartbeat {
            self.lane.push(self.now, job.push.lane(), Time::MAX, job);
        } else {
            self.held.push(job);
        }
    }

    fn heartbeat(&mut self, beat: Heartbeat) {
        // Only the latest is worth its second.
        self.lane.take(|job| job.push == Push::Heartbeat);
        let text = wire::heartbeat(&self.config.who, &beat);
        self.beat = Some(beat);
        self.job(Push::Heartbeat, &text, 1);
    }

    fn gather(&mut self, positions: Vec<Position>) {
        let due = self.gathered.take().map(|(due, _)| due);
        let due = due.unwrap_or(self.now.plus(self.config.coalesce));
        self.gathered = Some((due, positions));
    }

    fn push_positions(&mut self, positions: &[Position]) {
        self.lane.take(|job| job.push == Push::Positions);
        self.held.retain(|job| job.push != Push::Positions);
        let text = wire::positions(&self.config.who, positions);
        self.job(Push::Positions, &text, positions.len());
    }

    fn send(&mut self, mut job: Job) {
        job.tried += 1;
        self.numbers += 1;
        let id = self.numbers;
        let header = |name, value: &str| Header { name, value: Secret::new(value) };
        let mut headers = vec![header("Content-Type", "application/json")];
        if job.gzip {
            headers.push(header("Content-Encoding", "gzip"));
        }
        self.out.push_back(Out::Net(Net::Request(Request {
            id,
            method: Method::Post,
            url: format!("{}/{}", self.config.url, job.push.path()),
            headers,
            body: job.body.clone(),
            timeout: self.config.timeout,
            keep: None,
        })));
        self.flight = Some((id, job, self.now));
    }

    /// SENTRA-F09: 502, 503, 429 and everything without a whole answer are tried again.
    fn settle(&mut self, job: Job, outcome: Result<Answer, Failure>) {
        let reason = match outcome {
            Ok(answer) => match (answer.status, wire::said(&answer.body.text())) {
                (200, Said::Yes { stored }) => return self.synced(&job, stored),
                (200, Said::Noise) => "a reply that cannot be read".to_owned(),
                (502 | 503 | 429, _) => format!("HTTP {}", answer.status),
                (status, Said::No { error }) => return self.refused(job, status, &error),
                (status, Said::Yes { .. } | Said::Noise) => {
                    return self.failed(&job, &format!("HTTP {status}"));
                }
            },
            Err(failure) => failure.reason,
        };
        if job.tried >= self.config.attempts {
            return self.failed(&job, &reason);
        }
        let doubled = 1i64.checked_shl(job.tried.saturating_sub(1)).unwrap_or(i64::MAX);
        let wait = Span::from_nanos(self.config.backoff.nanos().saturating_mul(doubled));
        self.again = Some((self.now.plus(wait), job));
    }

    fn synced(&mut self, job: &Job, stored: Option<usize>) {
        let push = job.push;
        if push == Push::Heartbeat {
            self.alive = true;
            for job in std::mem::take(&mut self.held) {
                self.lane.push(self.now, job.push.lane(), Time::MAX, job);
            }
        }
        let stored = match push {
            Push::Heartbeat => job.sent,
            Push::Positions | Push::Trades => stored.unwrap_or(0),
        };
        if stored < job.sent {
            let text = format!("{}: {stored} of {} stored", push.path(), job.sent);
            self.note(&text);
        }
        self.out.push_back(Out::Synced { push, sent: job.sent, stored });
    }

    /// SENTRA-R22c: a heartbeat makes the account, then the push goes once more.
    fn refused(&mut self, mut job: Job, status: u16, error: &str) {
        let no_account = status == 404 && error == wire::NO_ACCOUNT;
        match self.beat.take().filter(|_| no_account && !job.revived) {
            Some(beat) => {
                job.revived = true;
                job.tried = 0;
                self.alive = false;
                let waiting = self.lane.take(|other| other.push != Push::Heartbeat);
                self.held.push(job);
                self.held.extend(waiting);
                self.heartbeat(beat);
            }
            None => self.failed(&job, &format!("HTTP {status}: {error}")),
        }
    }

    fn failed(&mut self, job: &Job, reason: &str) {
        let reason = self.clean(reason);
        self.note(&format!("{}: given up: {reason}", job.push.path()));
        self.out.push_back(Out::Failed { push: job.push, sent: job.sent, reason });
    }

    fn note(&mut self, text: &str) {
        let text = self.clean(text);
        self.out.push_back(Out::Note(format!("sentra: {text}")));
    }

    /// SENTRA-F13: raw exception texts may quote what was sent.
    fn clean(&self, text: &str) -> String {
        match self.config.who.email.expose() {
            "" => text.to_owned(),
            email => text.replace(email, "***"),
        }
    }

    fn advance(&mut self) {
        let now = self.now;
        let limit = self.config.timeout.plus(Span::from_secs(1));
        if let Some((_, job, _)) = self.flight.take_if(|flight| flight.2.plus(limit) <= now) {
            let reason = "no answer in time".to_owned();
            self.settle(job, Err(Failure { unsent: false, reason }));
        }
        if let Some((_, positions)) = self.gathered.take_if(|gathered| gathered.0 <= now) {
            self.push_positions(&positions);
        }
        if let Some((_, job)) = self.again.take_if(|again| again.0 <= now) {
            // Ahead of the others, and a turn of the lane like any other.
            self.lane.push(now, Priority::Cancel, Time::MAX, job);
        }
        if self.flight.is_none()
            && self.again.is_none()
            && let Some(Turn::Sent(job) | Turn::Expired(job)) = self.lane.next(now)
        {
            self.send(job);
        }
    }
}

impl Machine for Session {
    type In = In;
    type Out = Out;

    fn handle(&mut self, now: Time, input: In) {
        self.now = self.now.max(now);
        match input {
            In::Heartbeat(beat) => self.heartbeat(beat),
            In::Positions(positions) => self.gather(positions),
            In::Trades(trades) => {
                for batch in trades.chunks(BATCH) {
                    let text = wire::trades(&self.config.who, batch);
                    self.job(Push::Trades, &text, batch.len());
                }
            }
            In::Response(response) => {
                if let Some((_, job, _)) = self.flight.take_if(|flight| flight.0 == response.id) {
                    self.settle(job, response.outcome);
                }
            }
        }
    }

    fn poll(&mut self, now: Time) -> Option<Out> {
        self.now = self.now.max(now);
        if self.out.is_empty() {
            self.advance();
        }
        self.out.pop_front()
    }

    fn wake_at(&self) -> Option<Time> {
        let limit = self.config.timeout.plus(Span::from_secs(1));
        let gathered = self.gathered.as_ref().map(|(due, _)| *due);
        let line = match (&self.flight, &self.again) {
            (Some((_, _, sent)), _) => Some(sent.plus(limit)),
            (None, Some((due, _))) => Some(*due),
            (None, None) => self.lane.wake_at(),
        };
        gathered.into_iter().chain(line).min()
    }
}
