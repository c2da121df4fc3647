//! The calls about who one is: login, logout, the user and his account.

use super::router::{Answer, Call, Caller, Failure, number_or_word};
use super::session::{KeyProof, LogIn};
use super::wire::{self, Object};
use super::{Dialect, FlowServer};

/// The time the test users are said to have been made.
const CREATED: &str = "2020-01-01T00:00:00Z";

/// FLOW-C04 by name and password, FLOW-P08 by token.
pub fn log_in(server: &mut FlowServer, call: &Call) -> Answer {
    let outcome = match call.fields.text("SessionToken")? {
        Some(token) if server.sessions.resume(call.conn, call.now, &token) => LogIn::Done(token),
        Some(_) => LogIn::Refused,
        None => {
            let name = call.fields.text("UserName")?;
            let name = name.ok_or_else(|| Failure::invalid("UserName is missing"))?;
            let password = call.fields.text("Password")?.unwrap_or_default();
            server.sessions.log_in(call.conn, call.now, &name, &password)
        }
    };
    Ok(logged_in(server, call, outcome))
}

/// FLOW-X06 over the WebSocket; every value is a string, numbers are taken too.
pub fn log_in_by_key(server: &mut FlowServer, call: &Call) -> Answer {
    let part = |key| {
        let text = number_or_word(call, key)?;
        text.ok_or_else(|| Failure::invalid(&format!("{key} is missing")))
    };
    let proof = KeyProof {
        key: part("APIKey")?,
        nonce: part("Nonce")?,
        user_id: part("UserId")?,
        signature: part("Signature")?,
    };
    let outcome = server.sessions.log_in_by_key(call.conn, call.now, &proof);
    Ok(logged_in(server, call, outcome))
}

/// FLOW-C10; the pending login is the connection's, or the field's where a client carries it.
pub fn second_step(server: &mut FlowServer, call: &Call) -> Answer {
    let code = number_or_word(call, "Code")?;
    let code = code.ok_or_else(|| Failure::invalid("Code is missing"))?;
    let token = call.fields.text("Pending2FaToken")?;
    let outcome = server.sessions.second_step(call.conn, call.now, token.as_deref(), &code);
    Ok(logged_in(server, call, outcome))
}

/// The reply to every kind of login.
pub fn logged_in(server: &mut FlowServer, call: &Call, outcome: LogIn) -> String {
    let dialect = server.dialect;
    let token = match outcome {
        LogIn::Done(token) => token,
        LogIn::Pending(token) => return pending(&token),
        LogIn::Refused => return refused(dialect, false),
        LogIn::Locked => return refused(dialect, true),
    };
    let Some(caller) = server.caller(call.conn, call.now) else { return refused(dialect, false) };
    let reply = Object::new()
        .flag("Authenticated", true)
        .text("SessionToken", &token)
        .int("UserId", caller.user_id);
    match dialect {
        Dialect::Page => reply.end(),
        Dialect::Native => reply
            .raw("User", &short_user(server, &caller))
            .flag("Locked", false)
            .flag("Requires2FA", false)
            .text_or_null("TwoFAType", None)
            .text_or_null("TwoFAToken", None)
            .text_or_null("errormsg", None)
            .end(),
    }
}

/// FLOW-P09: no session yet. The pending token goes by two names.
fn pending(token: &str) -> String {
    Object::new()
        .flag("Authenticated", true)
        .flag("Requires2FA", true)
        .text("AuthType", "Google")
        .text("TwoFAType", "Google")
        .text("AddtlInfo", "")
        .text("TwoFAToken", token)
        .text("Pending2FaToken", token)
        .end()
}

/// FLOW-P07.
fn refused(dialect: Dialect, locked: bool) -> String {
    let reply = Object::new().flag("Authenticated", false);
    match dialect {
        Dialect::Page => reply.end(),
        Dialect::Native => {
            reply.flag("Locked", locked).text("errormsg", "Invalid username or password").end()
        }
    }
}

/// The user as a rich login reply has him (FLOW-P10).
fn short_user(server: &FlowServer, caller: &Caller) -> String {
    Object::new()
        .int("UserId", caller.user_id)
        .text("UserName", &caller.name)
        .text("Email", server.sessions.email(caller.user_id))
        .flag("EmailVerified", true)
        .int("AccountId", caller.account.0)
        .int("OMSId", 1)
        .flag("Use2FA", caller.two_factor)
        .end()
}

/// FLOW-C11. Other connections of the session hear of its end (FLOW-E14).
pub fn log_out(server: &mut FlowServer, call: &Call) -> Answer {
    let others = server.sessions.log_out(call.conn);
    server.push_logout(others);
    Ok(wire::generic(0, None, None))
}

/// FLOW-C15.
pub fn user_info(server: &mut FlowServer, _call: &Call, caller: &Caller) -> Answer {
    Ok(Object::new()
        .int("UserId", caller.user_id)
        .text("UserName", &caller.name)
        .text("Email", server.sessions.email(caller.user_id))
        .text("PasswordHash", "")
        .text("PendingEmailCode", "")
        .flag("EmailVerified", true)
        .int("AccountId", caller.account.0)
        .text("DateTimeCreated", CREATED)
        .int("AffiliateId", 0)
        .int("RefererId", 0)
        .int("OMSId", 1)
        .flag("Use2FA", caller.two_factor)
        .text("PendingCodeTime", CREATED)
        .end())
}

/// FLOW-C16: of the whole object only the e-mail is the user's own to change. The password's hash
/// is never shown.
pub fn set_user_info(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    if call.id("UserId")?.is_some_and(|id| id != caller.user_id) {
        return Err(Failure::not_authorized());
    }
    if let Some(email) = call.fields.text("Email")? {
        server.sessions.set_email(caller.user_id, email);
    }
    user_info(server, call, caller)
}

/// FLOW-C17; the OMS is spelled with a capital D here.
pub fn account_info(_server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    Ok(Object::new()
        .int("OMSID", 1)
        .int("AccountId", account.0)
        .text("AccountName", "Primary Account")
        .text("AccountType", "Asset")
        .int("FeeGroupID", 0)
        .int("ParentID", 0)
        .text("RiskType", "Normal")
        .int("VerificationLevel", 0)
        .text("FeeProductType", "BaseProduct")
        .int("FeeProduct", 0)
        .int("RefererId", 0)
        .text_or_null("AffiliateId", None)
        .raw("SupportedVenueIds", "[]")
        .end())
}

/// FLOW-X05.
pub fn accounts(_server: &mut FlowServer, _call: &Call, caller: &Caller) -> Answer {
    Ok(wire::array([caller.account.0.to_string()]))
}
