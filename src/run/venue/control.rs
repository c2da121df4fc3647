//! What may be changed of the served venues while they run, over HTTP on loopback. Nobody logs in:
//! whoever reaches this machine's loopback may ask, but no page in a browser may.

use super::faults::{self, FaultPlan};
use crate::base::Span;
use crate::simulator::http::{HttpIn, Page};
use crate::simulator::json::Object;
use serde::Deserialize;

/// Longest body that is read.
const LONGEST: usize = 1024 * 1024;

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// These faults in the place of all.
    Faults(FaultPlan),
    /// Mercado Bitcoin's clock is this far ahead.
    Skew(Span),
    /// A user of FlowBTC who failed too often may log in again (FLOW-P07).
    Unlock(String),
    /// Every session of a user of FlowBTC ends (FLOW-E14).
    LogOut(String),
    Ledger,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skew {
    venue: String,
    seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    user: String,
}

/// What a request wants, or the answer to one that wants nothing known. `users` are FlowBTC's.
///
/// # Errors
/// The page that refuses it.
pub fn wish(request: &HttpIn, users: &[&str]) -> Result<Wish, Page> {
    // A browser names the page that asks; programs do not.
    if request.header("origin").is_some() {
        return Err(refused(403, "pages in a browser may not control the venue"));
    }
    if request.body.len() > LONGEST {
        return Err(refused(413, "the body is too long"));
    }
    let wrong = |why: String| refused(400, &why);
    let user = || -> Result<String, Page> {
        let User { user } = read(&request.body)?;
        let known = users.contains(&user.as_str());
        let unknown = || format!("FlowBTC has no user {user}; it has {}", users.join(", "));
        if known { Ok(user) } else { Err(refused(404, &unknown())) }
    };
    let name = request.path.strip_prefix("/control/").unwrap_or_default();
    match (request.method.as_str(), name) {
        ("POST", "faults") => FaultPlan::from_json(&request.body).map(Wish::Faults).map_err(wrong),
        ("DELETE", "faults") => Ok(Wish::Faults(FaultPlan::default())),
        ("POST", "skew") => {
            let Skew { venue, seconds } = read(&request.body)?;
            faults::skew(&venue, Some(seconds)).map(Wish::Skew).map_err(wrong)
        }
        ("POST", "unlock") => user().map(Wish::Unlock),
        ("POST", "logout") => user().map(Wish::LogOut),
        ("GET", "ledger") => Ok(Wish::Ledger),
        (_, "faults" | "skew" | "unlock" | "logout" | "ledger") => {
            Err(refused(405, "another method"))
        }
        _ => Err(refused(404, "known are faults, skew, unlock, logout and ledger")),
    }
}

fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, Page> {
    serde_json::from_slice(body).map_err(|error| refused(400, &error.to_string()))
}

/// It was done; `faults` are set now.
#[must_use]
pub fn done(faults: usize) -> Page {
    let faults = i64::try_from(faults).unwrap_or(i64::MAX);
    Page::json(200, Object::new().flag("done", true).int("faults", faults).end())
}

fn refused(status: u16, why: &str) -> Page {
    Page::json(status, Object::new().flag("done", false).text("error", why).end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::faults::What;

    fn ask(method: &str, path: &str, body: &str) -> Result<Wish, (u16, String)> {
        let request = HttpIn {
            method: method.to_owned(),
            path: path.to_owned(),
            body: body.as_bytes().to_vec(),
            ..HttpIn::default()
        };
        wish(&request, &["ana", "bia"])
            .map_err(|page| (page.status, String::from_utf8(page.body).unwrap()))
    }

    #[test]
    fn wishes_are_read() {
        let set = r#"{"fault":[{"venue":"sentra","what":"truncate"}]}"#;
        let Ok(Wish::Faults(plan)) = ask("POST", "/control/faults", set) else { panic!("{set}") };
        assert_eq!(plan.sentra.first().map(|fault| &fault.what), Some(&What::Truncate));
        let none = Wish::Faults(FaultPlan::default());
        for (method, path, body, expected) in [
            ("DELETE", "faults", "", none),
            (
                "POST",
                "skew",
                r#"{"venue":"mercadobitcoin","seconds":-3}"#,
                Wish::Skew(Span::from_secs(-3)),
            ),
            ("POST", "unlock", r#"{"user":"ana"}"#, Wish::Unlock("ana".into())),
            ("POST", "logout", r#"{"user":"bia"}"#, Wish::LogOut("bia".into())),
            ("GET", "ledger", "", Wish::Ledger),
        ] {
            assert_eq!(ask(method, &format!("/control/{path}"), body), Ok(expected), "{path}");
        }
    }

    #[test]
    fn all_else_is_refused() {
        for (method, path, body, status, expected) in [
            ("POST", "/control/faults", "[]", 400, "invalid type"),
            ("POST", "/control/faults", r#"{"fault":[{"venue":"x"}]}"#, 400, "fault 1"),
            ("GET", "/control/faults", "", 405, "method"),
            ("POST", "/control/skew", r#"{"venue":"sentra","seconds":1}"#, 400, "clock"),
            ("POST", "/control/unlock", r#"{"user":"eva"}"#, 404, "it has ana, bia"),
            ("POST", "/control/unlock", "", 400, "EOF"),
            ("POST", "/control/logout", r#"{"name":"ana"}"#, 400, "unknown field"),
            ("GET", "/control/ledgers", "", 404, "known are"),
            ("GET", "/", "", 404, "known are"),
        ] {
            let (seen, why) = ask(method, path, body).unwrap_err();
            assert!(seen == status && why.contains(expected), "{method} {path}: {seen} {why}");
        }
        let request = HttpIn {
            method: "GET".into(),
            path: "/control/ledger".into(),
            headers: vec![("Origin".into(), "https://example.com".into())],
            ..HttpIn::default()
        };
        assert_eq!(wish(&request, &[]).unwrap_err().status, 403);
    }
}
