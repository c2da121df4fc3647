//! Who we are, beyond a password: API keys (FLOW-P10), tokens given beforehand (FLOW-P08), and the
//! second factor (FLOW-P09), whose codes work once.

use super::Session;
use super::line::{Phase, Timer};
use super::news::login;
use super::task::Task;
use crate::base::{CallFailure, CallFailureKind, Secret, Span, Time};
use crate::venue::flowbtc::payload::{Login, Refused};
use crate::venue::flowbtc::request;
use crate::venue::sign;

/// An API key of the user with this number (FLOW-P10).
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub id: Secret,
    pub secret: Secret,
    pub user_id: i64,
}

/// The second step of a login.
#[derive(Debug, Default)]
pub(super) struct Factor {
    /// The venue asked for a code, and has none yet.
    waiting: bool,
    /// A code that the operator typed and that waits for its turn.
    typed: Option<Secret>,
    /// The last typed code that was used.
    last: Option<Secret>,
    /// The last step of 30 seconds whose code was used.
    used: Option<i64>,
    /// The last nonce of an API-key login.
    nonce: i64,
}

impl Factor {
    pub(super) fn down(&mut self) {
        (self.waiting, self.typed) = (false, None);
    }
}

/// When this step's codes begin to hold.
fn begin_of(step: i64) -> Time {
    Time::from_nanos(step.saturating_mul(sign::CODE_STEP.nanos()))
}

impl Session {
    /// Whether a login waits for a code that only the operator can give: see `code`.
    #[must_use]
    pub fn waits_for_code(&self) -> bool {
        let at_hand = self.config.totp.is_some() || self.is_asked(Task::Code);
        self.factor.waiting && self.line.phase == Phase::Login && !at_hand
    }

    /// Hands in the code that the operator typed. `false`: nobody waits for it, it is no code, or
    /// it was used before.
    pub fn code(&mut self, now: Time, code: &str) -> bool {
        let code = code.trim();
        let is_code = (4..=10).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
        let code = Secret::new(code);
        let fits = is_code && self.factor.waiting && self.factor.last.as_ref() != Some(&code);
        if !fits || self.line.phase != Phase::Login || self.is_asked(Task::Code) {
            self.note("a code was typed that cannot be used now");
            return false;
        }
        self.factor.typed = Some(code);
        self.push(now, Task::Code);
        true
    }

    /// How the session logs in next; `None`: it has nothing left to log in with.
    pub(super) fn login_task(&self) -> Option<Task> {
        if self.token.is_some() {
            return Some(Task::Login);
        }
        if self.config.api_key.is_some() && !self.off.contains("api_key") {
            return Some(Task::KeyLogin);
        }
        (!self.config.user.is_empty()).then_some(Task::Login)
    }

    /// The body of AuthenticateUser, with a nonce that was not used before.
    pub(super) fn key_body(&mut self, now: Time) -> Option<String> {
        let key = self.config.api_key.as_ref()?;
        self.factor.nonce = now.millis().max(self.factor.nonce + 1);
        let nonce = self.factor.nonce.to_string();
        let signature = sign::flowbtc(&key.secret, &nonce, key.user_id, key.id.expose());
        Some(request::key_login(&key.id, &signature, key.user_id, &nonce))
    }

    /// The venue wants the second factor.
    pub(super) fn wants_code(&mut self, now: Time) {
        self.factor.waiting = true;
        if self.config.totp.is_some() {
            self.code_due(now);
        } else {
            self.note("the venue asks for a second factor: waiting for the code to be typed");
            self.unpark(now);
        }
    }

    /// Sends the code of now, or waits for the next one if this was used.
    pub(super) fn code_due(&mut self, now: Time) {
        if !self.factor.waiting || self.line.phase != Phase::Login || self.is_asked(Task::Code) {
            return;
        }
        match self.factor.used {
            Some(used) if sign::code_step(now) <= used => {
                self.timers.set(begin_of(used + 1), Timer::Code);
            }
            _ => self.push(now, Task::Code),
        }
    }

    /// The body of the session's own Authenticate2FA.
    pub(super) fn code_body(&mut self, now: Time) -> Option<String> {
        if let Some(code) = self.factor.typed.take() {
            self.factor.last = Some(code.clone());
            return Some(request::code(&code));
        }
        let body = self.code_of_now(now);
        if body.is_none() {
            self.code_due(now);
        }
        body
    }

    fn code_of_now(&mut self, now: Time) -> Option<String> {
        let step = sign::code_step(now);
        let fresh = self.factor.used.is_none_or(|used| step > used);
        let secret = self.config.totp.as_ref().filter(|_| fresh)?;
        let code = sign::one_time_code(secret, step)?;
        self.factor.used = Some(step);
        Some(request::code(&code))
    }

    /// The body of a raw Authenticate2FA: the code given, or the one of now.
    pub(super) fn code_for(
        &mut self,
        now: Time,
        given: Option<&str>,
    ) -> Result<String, CallFailure> {
        let fail = |kind, why: &str| Err(CallFailure::refused(kind, why));
        if let Some(code) = given.map(Secret::new) {
            if self.factor.last.as_ref() == Some(&code) {
                return fail(CallFailureKind::Arguments, "this code was used before");
            }
            self.factor.last = Some(code.clone());
            return Ok(request::code(&code));
        }
        if self.config.totp.is_none() {
            return fail(CallFailureKind::Arguments, "Authenticate2FA: `Code` is missing");
        }
        if let Some(body) = self.code_of_now(now) {
            return Ok(body);
        }
        let next = begin_of(self.factor.used.unwrap_or_default() + 1);
        let why = "the code of now was used; the next one comes soon";
        let retry_after = Some(next.since(now).max(Span::ZERO));
        let failure = CallFailure::refused(CallFailureKind::RateLimited, why);
        Err(CallFailure { retry_after, ..failure })
    }

    /// The answer to a script's Authenticate2FA while the session itself waits for the code.
    pub(super) fn code_handed_in(&mut self, now: Time, body: &str, refused: Option<Refused>) {
        self.code_answered(now, login(body, refused.map_or(Ok(body), Err)));
    }

    /// The answer to the session's own Authenticate2FA.
    pub(super) fn code_answered(&mut self, now: Time, answer: Result<Login, Refused>) {
        self.factor.waiting = false;
        match answer {
            Ok(login) if login.authenticated => self.entered(now, login, "logged in with a code"),
            Ok(login) => self.refused_for_good(now, &login.message, login.locked),
            Err(refused) => self.refused_for_good(now, &refused.text, false),
        }
    }
}
