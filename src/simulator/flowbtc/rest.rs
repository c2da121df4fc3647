//! The same calls over HTTP (FLOW-R01, R02, P11, P12): `/ap/NAME`, fields in the query or in a JSON
//! body, the caller known by a header.

use super::mishaps::TOO_MANY;
use super::router::{self, Call, Failure, UNKNOWN};
use super::session::{KeyProof, LogIn};
use super::wire::Fields;
use super::{FlowServer, users};
use crate::base::Time;
use crate::simulator::http::{HttpIn, Page};
use crate::simulator::proof;

/// The connection that a request stands on while it is answered; sockets are numbered from below.
pub const CONN: u32 = u32::MAX;

/// Longest body and query that are read.
const LONGEST: usize = 64 * 1024;

/// The call a path names: `/ap/NAME`, whatever its case (FLOW-P12).
#[must_use]
pub fn name(path: &str) -> Option<&str> {
    let (prefix, name) = path.strip_prefix('/')?.split_once('/')?;
    let name = name.strip_suffix('/').unwrap_or(name);
    (prefix.eq_ignore_ascii_case("ap") && !name.is_empty()).then_some(name)
}

/// Answers a request on `CONN`, which is open and knows nobody yet.
pub fn answer(server: &mut FlowServer, now: Time, request: &HttpIn) -> Page {
    let Some(name) = name(&request.path) else { return Page::text(404, UNKNOWN) };
    if !matches!(request.method.as_str(), "GET" | "POST") {
        return Page::text(405, "Method Not Allowed");
    }
    if request.body.len() > LONGEST || request.query.len() > LONGEST {
        return Page::text(413, "Payload Too Large");
    }
    let fields = match fields(request) {
        Ok(fields) => fields,
        Err(failure) => return Page::json(200, router::failed(&failure)),
    };
    let body = request.text().unwrap_or_default();
    let call = Call { now, conn: CONN, body, fields };
    if let Some(page) = authenticate(server, name, request, &call) {
        return page;
    }
    introduce(server, now, request);
    if !server.admit(now, CONN) {
        return Page::text(429, TOO_MANY);
    }
    match router::request(server, name, &call) {
        None => Page::text(404, UNKNOWN),
        Some(Ok(text)) => Page::json(200, text),
        Some(Err(failure)) => Page::json(status(&failure), router::failed(&failure)),
    }
}

/// The gateway answers 404 where a login is missing (FLOW-P06), with code 20 in the body
/// (FLOW-R10); all other failures come with 200.
fn status(failure: &Failure) -> u16 {
    if failure.code == 20 { 404 } else { 200 }
}

/// Query and JSON body; of two values under one name the body's counts.
fn fields(request: &HttpIn) -> Result<Fields, Failure> {
    let mut fields = Fields::of_pairs(form_urlencoded::parse(request.query.as_bytes()));
    if request.method == "POST" {
        let body = request.text().ok_or_else(|| Failure::invalid("the body is not UTF-8"))?;
        if request.is_form() {
            fields.add(Fields::of_pairs(form_urlencoded::parse(body.as_bytes())));
        } else {
            fields.add(Fields::parse(body)?);
        }
    }
    Ok(fields)
}

/// FLOW-P11's own calls: `Authenticate` by Basic or by the four headers, and the second step of a
/// login by header `Pending2FaToken` (FLOW-P09).
fn authenticate(
    server: &mut FlowServer,
    name: &str,
    request: &HttpIn,
    call: &Call,
) -> Option<Page> {
    let outcome = if name.eq_ignore_ascii_case("Authenticate") {
        let credentials = request.header("authorization").and_then(proof::basic);
        match (credentials, key_proof(request)) {
            (Some((user, password)), _) => server.sessions.log_in(CONN, call.now, &user, &password),
            (None, Some(proof)) => server.sessions.log_in_by_key(CONN, call.now, &proof),
            (None, None) => LogIn::Refused,
        }
    } else if name.eq_ignore_ascii_case("Authenticate2FA") {
        let token = request.header("pending2fatoken")?;
        let code = router::number_or_word(call, "Code").ok().flatten().unwrap_or_default();
        server.sessions.second_step(CONN, call.now, Some(token), &code)
    } else {
        return None;
    };
    let text = users::logged_in(server, call, outcome);
    Some(Page::json(200, text))
}

fn key_proof(request: &HttpIn) -> Option<KeyProof> {
    let header = |name| request.header(name).map(str::to_owned);
    Some(KeyProof {
        key: header("apikey")?,
        nonce: header("nonce")?,
        user_id: header("userid")?,
        signature: header("signature")?,
    })
}

/// Who asks: by `APToken`, or by an API key's signature on this request alone (FLOW-P11). Wrong
/// ones leave the request without a caller.
fn introduce(server: &mut FlowServer, now: Time, request: &HttpIn) {
    if let Some(token) = request.header("aptoken") {
        server.sessions.resume(CONN, now, token);
    } else if let Some(proof) = key_proof(request) {
        server.sessions.admit_by_key(CONN, &proof);
    }
}
