//! Acting out the faults that are set (FLOW-S07), on the WebSocket and over HTTP.

use super::router::{self, UNKNOWN};
use super::wire::{self, ERROR, Frame, REPLY};
use super::{Arrival, FlowServer, ServerOut, rest};
use crate::base::{Span, Time};
use crate::simulator::faults::What;
use crate::simulator::http::{HttpIn, HttpOut, Page, Reply};

/// The words for too many requests (FLOW-P13).
pub const TOO_MANY: &str = "TOO MANY REQUESTS";

/// The front half of a text, as a connection that broke leaves it.
fn half(text: &str) -> &str {
    let mut end = text.len() / 2;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A frame to which something happens.
pub fn frame(server: &mut FlowServer, now: Time, conn: u32, text: &str, frame: &Frame, what: What) {
    let instead = |o: &str| wire::frame(ERROR, &frame.i, &frame.n, o);
    match what {
        What::DropBefore => server.hang_up(conn),
        What::DropAfter => {
            router::answer(server, now, conn, frame);
            server.report(now);
            server.outbox.mute(conn);
            server.hang_up(conn);
        }
        What::Delay(span) => {
            let text = router::answer(server, now, conn, frame);
            server.later(now.plus(span), ServerOut::Frame { conn, text });
        }
        What::Hold(span) => {
            let text = text.to_owned();
            server.arrive_at(now.plus(span), Arrival::Frame { conn, text, struck: true });
        }
        What::Duplicate => {
            let reply = router::answer(server, now, conn, frame);
            server.outbox.reply(conn, reply);
            server.report(now);
            server.outbox.repeat();
        }
        What::Reorder => {
            let reply = router::answer(server, now, conn, frame);
            server.outbox.reply(conn, reply);
            server.report(now);
            if let Some(alone) = server.outbox.turn() {
                server.swap(now, alone);
            }
        }
        What::LoseEvents => {
            let reply = router::answer(server, now, conn, frame);
            server.report(now);
            server.outbox.lose();
            server.outbox.reply(conn, reply);
        }
        What::Html(status) => {
            let body = String::from_utf8_lossy(&Page::html(status).body).into_owned();
            server.outbox.reply(conn, body);
        }
        What::PlainText(o) => {
            router::answer(server, now, conn, frame);
            server.outbox.reply(conn, wire::frame(REPLY, &frame.i, &frame.n, &o));
        }
        What::Truncate => {
            let reply = router::answer(server, now, conn, frame);
            server.outbox.reply(conn, half(&reply).to_owned());
        }
        What::TooMany => server.outbox.reply(conn, instead(TOO_MANY)),
        What::NotFound => server.outbox.reply(conn, instead(UNKNOWN)),
        What::Error(text) => server.outbox.reply(conn, instead(&text)),
        What::LogoutEvent => {
            let mut conns = server.sessions.log_out(conn);
            conns.push(conn);
            server.push_logout(conns);
        }
    }
    server.settle(now);
}

/// A request to which something may happen.
pub fn request(server: &mut FlowServer, now: Time, request: HttpIn, struck: bool) {
    let call = rest::name(&request.path).unwrap_or_default();
    let what = if struck { None } else { server.faults.strike(call) };
    let mut out = HttpOut { id: request.id, delay: Span::ZERO, reply: Reply::Drop };
    let answered = |server: &mut FlowServer| Reply::Answer(answer(server, now, &request));
    match what {
        None => {
            out.reply = answered(server);
            server.outbox.respond(out);
            server.follow();
            server.settle(now);
            return;
        }
        Some(What::Reorder) => {
            out.reply = answered(server);
            server.swap(now, ServerOut::Response(out));
            server.settle(now);
            return;
        }
        Some(What::DropBefore) => {}
        Some(What::DropAfter) => drop(answered(server)),
        Some(What::Delay(span)) => {
            out.delay = span;
            out.reply = answered(server);
        }
        Some(What::Hold(span)) => {
            server.arrive_at(now.plus(span), Arrival::Request { request, struck: true });
            return;
        }
        Some(What::Duplicate) => {
            drop(answered(server));
            out.reply = answered(server);
        }
        Some(What::LoseEvents) => {
            out.reply = answered(server);
            server.report(now);
            server.outbox.lose();
        }
        Some(What::Html(status)) => out.reply = Reply::Answer(Page::html(status)),
        Some(What::PlainText(text)) => {
            drop(answered(server));
            out.reply = Reply::Answer(Page::text(200, text));
        }
        Some(What::Truncate) => {
            let mut page = answer(server, now, &request);
            page.body.truncate(page.body.len() / 2);
            out.reply = Reply::Answer(page);
        }
        Some(What::TooMany) => out.reply = Reply::Answer(Page::text(429, TOO_MANY)),
        Some(What::NotFound) => out.reply = Reply::Answer(Page::html(404)),
        Some(What::LogoutEvent) => {
            if let Some(token) = request.header("aptoken") {
                let conns = server.sessions.end(token);
                server.push_logout(conns);
            }
            let failure = router::failed(&router::Failure::not_authorized());
            out.reply = Reply::Answer(Page::json(404, failure));
        }
        Some(What::Error(text)) => {
            out.reply = Reply::Answer(Page::json(200, wire::generic(102, Some(&text), None)));
        }
    }
    server.outbox.respond(out);
    server.settle(now);
}

fn answer(server: &mut FlowServer, now: Time, request: &HttpIn) -> Page {
    server.sessions.open(rest::CONN, now);
    let page = rest::answer(server, now, request);
    server.sessions.close(rest::CONN);
    page
}
