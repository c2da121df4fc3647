//! What FlowBTC is known to refuse calls with (FLOW-R10, FLOW-P06, FLOW-P07, FLOW-P13).

use crate::calls::CallError;

const fn error(code: i64, text: &'static str, meaning: &'static str) -> CallError {
    CallError { code: Some(code), text, meaning }
}

const NOT_AUTHORIZED: CallError =
    error(20, "Not Authorized", "the session is not logged in, or the account is not the user's");
const INVALID: CallError = error(
    100,
    "Invalid Request",
    "a field is wrong; the text may name it, as `Invalid InstrumentId: 10000`",
);
const FAILED: CallError = error(101, "Operation Failed", "the venue could not carry it out");
const NO_FUNDS: CallError = error(
    101,
    "Not_Enough_Funds",
    "`status` is `Rejected` and `errormsg` says why the order is refused",
);
const SERVER: CallError = error(102, "Server Error", "the venue itself failed");
const NOT_FOUND: CallError =
    error(104, "Resource Not Found", "there is nothing of that number or name");
const UNSUPPORTED: CallError =
    error(106, "Operation Not Supported", "this venue does not do that (FLOW-P06)");
const TOO_MANY: CallError = CallError {
    code: None,
    text: "TOO MANY REQUESTS",
    meaning: "over the rate limit; the lane waits before it asks again (FLOW-P13)",
};
const NO_LOGIN: CallError = CallError {
    code: None,
    text: "Invalid username or password",
    meaning: "`Authenticated` is false; many quick attempts lock the user (FLOW-P07)",
};

const ALREADY: CallError = error(
    909,
    "Already Subscribed.",
    "the stream is there: the engine or a script has it, and its events come to the handlers",
);

pub const STREAM_ERRORS: &[CallError] = &[INVALID, FAILED, SERVER, UNSUPPORTED, ALREADY, TOO_MANY];
pub const PUBLIC_ERRORS: &[CallError] = &[INVALID, FAILED, SERVER, UNSUPPORTED, TOO_MANY];
pub const PRIVATE_ERRORS: &[CallError] =
    &[NOT_AUTHORIZED, INVALID, FAILED, SERVER, UNSUPPORTED, TOO_MANY];
pub const LISTED_ERRORS: &[CallError] =
    &[INVALID, FAILED, SERVER, NOT_FOUND, UNSUPPORTED, TOO_MANY];
pub const BY_NUMBER_ERRORS: &[CallError] =
    &[NOT_AUTHORIZED, INVALID, FAILED, SERVER, NOT_FOUND, UNSUPPORTED, TOO_MANY];
pub const ORDER_ERRORS: &[CallError] =
    &[NOT_AUTHORIZED, INVALID, NO_FUNDS, FAILED, SERVER, UNSUPPORTED, TOO_MANY];
pub const MONEY_ERRORS: &[CallError] =
    &[NOT_AUTHORIZED, INVALID, FAILED, NO_FUNDS, SERVER, UNSUPPORTED, TOO_MANY];
pub const LOGIN_ERRORS: &[CallError] = &[NO_LOGIN, INVALID, SERVER, UNSUPPORTED, TOO_MANY];
