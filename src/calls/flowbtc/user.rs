//! FlowBTC's calls about the user and about money in and out (`FLOW-C15`, `C16`, `C17`, `C19`,
//! `C20`).

use super::errors::{MONEY_ERRORS, PRIVATE_ERRORS};
use super::{
    ACCOUNT, ACCOUNT_INFO, Call, DEPOSIT, Kind, OMS, Priority, Reply, Retry, Transport, USER, fill,
    may, need, secret,
};

pub const GET_USER_INFO: Call = Call {
    name: "GetUserInfo",
    args: &[],
    reply: Reply::Object(USER),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C15",
    doc: "The logged-in user; personal data, never logged.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

/// Carries the password hash and the e-mail: never for strategies (FLOW-F25).
pub const SET_USER_INFO: Call = Call {
    name: "SetUserInfo",
    args: &[
        need("UserId", Kind::Int),
        may("UserName", Kind::Text),
        may("Email", Kind::Text),
        secret("PasswordHash", Kind::Text),
        may("PendingEmailCode", Kind::Text),
        may("EmailVerified", Kind::Bool),
        may("AccountId", Kind::Int),
        may("DateTimeCreated", Kind::Text),
        may("AffiliateId", Kind::Int),
        may("RefererId", Kind::Int),
        fill("OMSId", Kind::Int),
        may("Use2FA", Kind::Bool),
        may("PendingCodeTime", Kind::Text),
    ],
    reply: Reply::Object(USER),
    lane: Priority::Query,
    retry: Retry::Human,
    grant: true,
    auth: true,
    switch: None,
    contract: "FLOW-C16",
    doc: "Changes the user. The fields that are given go over those of GetUserInfo, which is \
          asked first, and the whole object is sent: nothing is blanked.",
    transport: Transport::Socket,
    one_of: &[],
    errors: MONEY_ERRORS,
};

pub const GET_ACCOUNT_INFO: Call = Call {
    name: "GetAccountInfo",
    args: &[OMS, ACCOUNT],
    reply: Reply::Object(ACCOUNT_INFO),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C17",
    doc: "What kind of account it is: type, fee group, verification level.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const CREATE_DEPOSIT_TICKET: Call = Call {
    name: "CreateDepositTicket",
    args: &[
        ACCOUNT,
        need("AssetId", Kind::Int),
        need("Amount", Kind::Dec),
        OMS,
        need("DepositInfo", Kind::Text),
    ],
    reply: Reply::Object(DEPOSIT),
    lane: Priority::Withdrawal,
    retry: Retry::Human,
    grant: true,
    auth: true,
    switch: None,
    contract: "FLOW-C19",
    doc: "Announces a deposit of money (FLOW-F26: not for strategies).",
    transport: Transport::Socket,
    one_of: &[],
    errors: MONEY_ERRORS,
};

pub const CREATE_WITHDRAW_TICKET: Call = Call {
    name: "CreateWithdrawTicket",
    args: &[
        OMS,
        ACCOUNT,
        need("ProductId", Kind::Int),
        need("Amount", Kind::Dec),
        need("TemplateType", Kind::Text),
        need("TemplateForm", Kind::Text),
    ],
    reply: Reply::Receipt,
    lane: Priority::Withdrawal,
    retry: Retry::Human,
    grant: true,
    auth: true,
    switch: None,
    contract: "FLOW-C20",
    doc: "Asks for a withdrawal; TemplateForm is JSON serialized as a string.",
    transport: Transport::Socket,
    one_of: &[],
    errors: MONEY_ERRORS,
};
