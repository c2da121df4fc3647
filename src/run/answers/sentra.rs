//! Sentra's three calls, as reports of one registered user.

use super::site::{Site, rejected, row, shaped, text, unreadable};
use crate::base::{
    CallFailure, CallFailureKind, CallOutcome, Event, Machine, Plain, Secret, Span, Time,
};
use crate::calls;
use crate::exchange::{Asked, Exchange, Report};
use crate::simulator::http::{HttpIn, Page, Reply};
use crate::simulator::sentra::store::Width;
use crate::simulator::sentra::{Checks, Config, In, SentraServer, User};
use crate::venue::reply;

/// Stands for the user's own address, which no simulation needs to know.
const EMAIL: &str = "strategy@simulated.invalid";

/// SENTRA-R09.
const PER_SECOND: usize = 1;

pub(super) struct Sentra {
    server: SentraServer,
    asked: u64,
}

impl Sentra {
    pub fn new() -> Sentra {
        let server = SentraServer::new(Config {
            users: vec![User { id: 1, email: Secret::new(EMAIL), accounts: Some(usize::MAX) }],
            checks: Checks::Manual,
            width: Width::Wide,
            per_second: Some(PER_SECOND),
            rate_status: 429,
            faults: Vec::new(),
        });
        Sentra { server, asked: 0 }
    }
}

impl Site for Sentra {
    fn show(&mut self, _exchange: &mut Exchange, _now: Time, _event: &Event) {}

    fn hear(&mut self, _exchange: &mut Exchange, _report: &Report) {}

    fn answer(&mut self, _exchange: &mut Exchange, asked: &Asked) -> CallOutcome {
        let row = row(asked)?;
        self.asked += 1;
        let mut fields = vec![("user_email", Plain::text(EMAIL))];
        fields.extend(asked.call.ask.args.iter().cloned());
        let request = HttpIn {
            id: self.asked,
            method: "POST".to_owned(),
            path: format!("/api/mt/{}", row.name),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: reply::body(&fields).into_bytes(),
            ..HttpIn::default()
        };
        self.server.handle(asked.at, In::Request(request));
        match self.server.poll(asked.at).map(|out| out.reply) {
            Some(Reply::Answer(page)) => read(row, &page),
            Some(Reply::Drop) | None => {
                let none = "the venue gave no answer";
                Err(CallFailure::refused(CallFailureKind::Unavailable, none))
            }
        }
    }
}

/// SENTRA-R21, R22.
fn read(row: &calls::Call, page: &Page) -> CallOutcome {
    let body = String::from_utf8_lossy(&page.body);
    if page.status == 200 {
        return shaped(row, &body);
    }
    let said = reply::plain(&body).map_err(unreadable)?;
    let why = said.get("error").map(text).unwrap_or_default();
    let failure = rejected(Some(i64::from(page.status)), &why);
    Err(match page.status {
        429 => CallFailure {
            kind: CallFailureKind::RateLimited,
            retry_after: Some(Span::from_secs(1)),
            ..failure
        },
        500.. => CallFailure { kind: CallFailureKind::Unavailable, ..failure },
        _ => failure,
    })
}
