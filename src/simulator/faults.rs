//! Faults as data: which call goes wrong, when and how. The servers act them out (FLOW-S07, MB-S07,
//! SENTRA-S05); here is only the counting.

use super::http::{HttpOut, Page, Reply};
use crate::base::{Span, Time};
use std::collections::VecDeque;

/// How long an answer waits at most for another to leave before it (`What::Reorder`).
pub const SWAP: Span = Span::from_secs(2);

/// One fault and how often it struck.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The call's documented name without case; `*` is every call.
    pub on: String,
    pub when: When,
    pub what: What,
}

/// Which of the calls that a fault is on.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum When {
    /// The n-th from when the fault was set, counted from 1.
    Nth(u32),
    /// Every n-th; 1 is every one.
    Every(u32),
}

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The connection ends and the call is not executed.
    DropBefore,
    /// The call is executed and the connection ends without the reply.
    DropAfter,
    /// The call is executed and its reply is late.
    Delay(Span),
    /// The call itself reaches the venue late.
    Hold(Span),
    /// The reply and the events of the call leave twice; over HTTP the call is executed twice.
    Duplicate,
    /// What the call produced leaves in the wrong order: on a WebSocket its events last first and
    /// then its reply. What is alone changes places with the next reply, or leaves after two
    /// seconds.
    Reorder,
    /// The events of the call never leave; its reply does.
    LoseEvents,
    /// Not executed: a page of HTML with this status, 502, 503 or 500. On a WebSocket it is the
    /// text of the frame.
    Html(u16),
    /// Executed; the reply is this text instead of JSON.
    PlainText(String),
    /// Executed; the reply breaks off in the middle.
    Truncate,
    /// Not executed: the venue's words for too many requests.
    TooMany,
    /// Not executed: HTTP 404, or an unknown function.
    NotFound,
    /// The venue ends the session and says so (FLOW-E14). Not executed.
    LogoutEvent,
    /// Not executed: an error frame (`m` 5), or a failure in the venue's own form with this text.
    Error(String),
}

/// The faults of a server.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rows: Vec<(Fault, u32)>,
}

impl Faults {
    #[must_use]
    pub fn new(faults: Vec<Fault>) -> Faults {
        Faults { rows: faults.into_iter().map(|fault| (fault, 0)).collect() }
    }

    /// Puts other faults in the place of all; counting begins again.
    pub fn set(&mut self, faults: Vec<Fault>) {
        *self = Faults::new(faults);
    }

    /// A call arrived: every fault on it counts, and the first that is due strikes.
    pub fn strike(&mut self, call: &str) -> Option<What> {
        let mut struck = None;
        for (fault, count) in &mut self.rows {
            if fault.on != "*" && !fault.on.eq_ignore_ascii_case(call) {
                continue;
            }
            *count = count.saturating_add(1);
            let due = match fault.when {
                When::Nth(nth) => *count == nth,
                When::Every(nth) => nth > 0 && *count % nth == 0,
            };
            if due && struck.is_none() {
                struck = Some(fault.what.clone());
            }
        }
        struck
    }
}

/// What becomes of a request under a fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    Out(HttpOut),
    /// It leaves after the next answer.
    Swap(HttpOut),
    /// It arrives this much later.
    Hold(Span),
}

/// The answers of a venue that a fault calls for.
#[derive(Clone, Debug)]
pub struct Words {
    pub too_many: Page,
    /// A failure in the venue's own form.
    pub error: fn(&str) -> Page,
}

/// Acts a fault out on a venue that has requests only. `execute` runs the request.
pub fn act(what: Option<What>, id: u64, words: &Words, mut execute: impl FnMut() -> Page) -> Act {
    let (mut delay, mut reply) = (Span::ZERO, Reply::Drop);
    match what {
        None | Some(What::LoseEvents) => reply = Reply::Answer(execute()),
        Some(What::DropBefore) => {}
        Some(What::DropAfter) => drop(execute()),
        Some(What::Hold(span)) => return Act::Hold(span),
        Some(What::Reorder) => {
            let reply = Reply::Answer(execute());
            return Act::Swap(HttpOut { id, delay, reply });
        }
        Some(What::Delay(span)) => {
            delay = span;
            reply = Reply::Answer(execute());
        }
        Some(What::Duplicate) => {
            drop(execute());
            reply = Reply::Answer(execute());
        }
        Some(What::Html(status)) => reply = Reply::Answer(Page::html(status)),
        Some(What::PlainText(text)) => {
            drop(execute());
            reply = Reply::Answer(Page::text(200, text));
        }
        Some(What::Truncate) => {
            let mut page = execute();
            page.body.truncate(page.body.len() / 2);
            reply = Reply::Answer(page);
        }
        Some(What::TooMany) => reply = Reply::Answer(words.too_many.clone()),
        Some(What::NotFound | What::LogoutEvent) => reply = Reply::Answer(Page::html(404)),
        Some(What::Error(text)) => reply = Reply::Answer((words.error)(&text)),
    }
    Act::Out(HttpOut { id, delay, reply })
}

/// Answers that wait to leave after the next one.
#[derive(Clone, Debug, Default)]
pub struct Swapped {
    rows: VecDeque<(Time, HttpOut)>,
}

impl Swapped {
    pub fn hold(&mut self, now: Time, out: HttpOut) {
        self.rows.push_back((now.plus(SWAP), out));
    }

    /// Another answer has left: those that waited for it follow.
    pub fn follow(&mut self, out: &mut VecDeque<HttpOut>) {
        out.extend(self.rows.drain(..).map(|(_, held)| held));
    }

    /// Those that have waited long enough leave.
    pub fn leave(&mut self, now: Time, out: &mut VecDeque<HttpOut>) {
        while self.rows.front().is_some_and(|(due, _)| *due <= now) {
            out.extend(self.rows.pop_front().map(|(_, held)| held));
        }
    }

    #[must_use]
    pub fn wake_at(&self) -> Option<Time> {
        self.rows.front().map(|(due, _)| *due)
    }
}
