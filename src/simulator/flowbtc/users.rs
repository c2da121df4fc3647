//! The calls about who one is: login, logout, the user and his account.

use super::router::{Answer, Call, Caller, Failure};
use super::wire::{self, Object};
use super::{Dialect, FlowServer};

/// The time the test users are said to have been made.
const CREATED: &str = "2020-01-01T00:00:00Z";

/// FLOW-C04 by name and password, FLOW-P08 by token.
pub fn log_in(server: &mut FlowServer, call: &Call) -> Answer {
    let token = match call.fields.text("SessionToken")? {
        Some(token) => server.sessions.resume(call.conn, call.now, &token).then_some(token),
        None => {
            let name = call.fields.text("UserName")?;
            let name = name.ok_or_else(|| Failure::invalid("UserName is missing"))?;
            let password = call.fields.text("Password")?.unwrap_or_default();
            server.sessions.log_in(call.conn, call.now, &name, &password)
        }
    };
    let caller = server.caller(call.conn, call.now);
    let (Some(token), Some(caller)) = (token, caller) else {
        return Ok(refused(server.dialect));
    };
    let reply = Object::new()
        .flag("Authenticated", true)
        .text("SessionToken", &token)
        .int("UserId", caller.user_id);
    Ok(match server.dialect {
        Dialect::Page => reply.end(),
        Dialect::Native => reply
            .raw("User", &short_user(&caller))
            .flag("Locked", false)
            .flag("Requires2FA", false)
            .text_or_null("TwoFAType", None)
            .text_or_null("TwoFAToken", None)
            .text_or_null("errormsg", None)
            .end(),
    })
}

/// FLOW-P07.
fn refused(dialect: Dialect) -> String {
    let reply = Object::new().flag("Authenticated", false);
    match dialect {
        Dialect::Page => reply.end(),
        Dialect::Native => {
            reply.flag("Locked", false).text("errormsg", "Invalid username or password").end()
        }
    }
}

/// The user as a rich login reply has him (FLOW-P10).
fn short_user(caller: &Caller) -> String {
    Object::new()
        .int("UserId", caller.user_id)
        .text("UserName", &caller.name)
        .text("Email", "")
        .flag("EmailVerified", true)
        .int("AccountId", caller.account.0)
        .int("OMSId", 1)
        .flag("Use2FA", false)
        .end()
}

/// FLOW-C11. Other connections of the session hear of its end (FLOW-E14).
pub fn log_out(server: &mut FlowServer, call: &Call) -> Answer {
    let others = server.sessions.log_out(call.conn);
    server.push_logout(others);
    Ok(wire::generic(0, None, None))
}

/// FLOW-C15.
pub fn user_info(_server: &mut FlowServer, _call: &Call, caller: &Caller) -> Answer {
    Ok(Object::new()
        .int("UserId", caller.user_id)
        .text("UserName", &caller.name)
        .text("Email", "")
        .text("PasswordHash", "")
        .text("PendingEmailCode", "")
        .flag("EmailVerified", true)
        .int("AccountId", caller.account.0)
        .text("DateTimeCreated", CREATED)
        .int("AffiliateId", 0)
        .int("RefererId", 0)
        .int("OMSId", 1)
        .flag("Use2FA", false)
        .text("PendingCodeTime", CREATED)
        .end())
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
