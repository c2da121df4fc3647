//! From an open line to a live session: login, account events, instruments, balances, open
//! orders, fates, streams (FLOW Part D).

use super::Session;
use super::line::{Phase, Timer};
use super::looks::AUDIT_EVERY;
use super::task::{Task, Why};
use crate::base::{BalanceNews, Channel, Event, FeedState, Secret, Span, Time};
use crate::venue::flowbtc::payload::{
    InstrumentRow, Login, NOT_AUTHORIZED, NOT_FOUND, Position, Refused,
};
use crate::venue::flowbtc::request::{self, Account};

/// A refused password is tried so often in a row before the session gives up (FLOW-P07).
const PASSWORD_TRIES: u32 = 3;

/// After a refused login, wait at least this long.
const AFTER_REFUSAL: Span = Span::from_secs(20);

/// Whether an answer that is no login's says no to who we are, rather than "not now".
fn is_refusal(refused: &Refused, resuming: bool) -> bool {
    !refused.is_too_many() && (resuming || matches!(refused.code, NOT_AUTHORIZED | NOT_FOUND))
}

impl Session {
    pub(super) fn start_login(&mut self, now: Time) {
        if !self.config.has_login() {
            return self.after_account_events(now);
        }
        match self.login_task() {
            Some(task) => self.push(now, task),
            None => {
                self.halt(now, "the token was refused and there is nothing else to log in with")
            }
        }
    }

    pub(super) fn login_body(&self) -> String {
        match &self.token {
            Some(token) => request::resume(token),
            None => request::login(&self.config.user, &self.config.password),
        }
    }

    /// The answer to WebAuthenticateUser, or to AuthenticateUser (`by_key`).
    pub(super) fn logged_in(&mut self, now: Time, answer: Result<Login, Refused>, by_key: bool) {
        match answer {
            Ok(login) if login.authenticated => {
                let how = if self.token.is_some() { "session resumed" } else { "logged in" };
                self.entered(now, login, how);
            }
            Ok(login) if login.needs_code && !login.locked => self.wants_code(now),
            Ok(login) => self.login_refused(now, &login.message, login.locked),
            Err(refused) if by_key && refused.is_unsupported() => self.log_in_again(now),
            Err(refused) if is_refusal(&refused, self.token.is_some()) => {
                self.login_refused(now, &refused.text, false);
            }
            Err(refused) => {
                self.line.not_before = now.plus(AFTER_REFUSAL);
                self.drop_line(now, &format!("login failed: {}", refused.text));
            }
        }
    }

    /// We are in: on to the account.
    pub(super) fn entered(&mut self, now: Time, login: Login, how: &str) {
        self.user = login.user.or(self.user);
        self.account = self.account.or(login.account.map(Account));
        if let Some(token) = login.token {
            self.keep_token(token);
        }
        self.line.refusals = 0;
        self.note(how);
        if self.account.is_some() {
            return self.push(now, Task::AccountEvents);
        }
        if self.off.contains("accounts") {
            return self.accounts(now, None);
        }
        self.push(now, Task::Accounts);
    }

    fn login_refused(&mut self, now: Time, message: &str, locked: bool) {
        if self.token.take().is_some() && !locked {
            self.note(format!("the session could not be resumed ({message}); logging in"));
            return self.log_in_again(now);
        }
        self.refused_for_good(now, message, locked);
    }

    /// Another way to log in, on the same connection.
    fn log_in_again(&mut self, now: Time) {
        if self.line.may_log_in(now) {
            return self.start_login(now);
        }
        self.drop_line(now, "too many logins");
    }

    /// What we log in with was refused: a few tries, far apart, then no more (FLOW-P07).
    pub(super) fn refused_for_good(&mut self, now: Time, message: &str, locked: bool) {
        self.line.refusals += 1;
        if locked || self.line.refusals >= PASSWORD_TRIES {
            return self.halt(now, &format!("login refused: {message}"));
        }
        self.line.not_before = now.plus(AFTER_REFUSAL);
        self.drop_line(now, &format!("login refused: {message}"));
    }

    pub(super) fn accounts(&mut self, now: Time, account: Option<i64>) {
        match account {
            Some(account) => {
                self.account = Some(Account(account));
                self.push(now, Task::AccountEvents);
            }
            None => self.halt(now, "no account is configured and the venue names none"),
        }
    }

    pub(super) fn after_account_events(&mut self, now: Time) {
        if self.listing.is_told() {
            return self.after_instruments(now);
        }
        if self.off.contains("instruments") {
            self.without("instruments", "numbers of the instruments as known (FLOW-R14)");
            return self.after_instruments(now);
        }
        self.push(now, Task::Instruments);
    }

    /// Takes the instruments; without them FLOW-R14's numbers stand.
    pub(super) fn instruments(&mut self, now: Time, answer: Result<Vec<InstrumentRow>, String>) {
        match answer {
            Ok(rows) => {
                let (known, missing) = self.listing.learn(&rows);
                for instrument in known {
                    self.tell(Event::Instrument(instrument));
                }
                for symbol in missing {
                    self.note(format!("the venue does not list {symbol}"));
                }
            }
            Err(why) => {
                self.note(format!("no instruments from the venue ({why}); numbers as known"))
            }
        }
        if self.line.phase == Phase::Login {
            self.after_instruments(now);
        }
    }

    fn after_instruments(&mut self, now: Time) {
        match self.account {
            Some(_) if self.off.contains("positions") => {
                self.without("positions", "balances stay unknown until the venue tells of them");
                self.push(now, Task::OpenOrders(Why::Login));
            }
            Some(_) => self.push(now, Task::Positions),
            None => self.live(now),
        }
    }

    /// Says once what the session does without.
    fn without(&mut self, switch: &'static str, what: &str) {
        if self.missed.insert(switch) {
            self.note(format!("without `{switch}`: {what}"));
        }
    }

    pub(super) fn positions(&mut self, now: Time, answer: Result<Vec<Position>, String>) {
        match answer {
            Ok(positions) => {
                for position in positions {
                    self.balance(now, position);
                }
            }
            Err(why) => {
                self.moved = true;
                self.note(format!("no balances from the venue ({why})"));
            }
        }
        if self.line.phase == Phase::Login {
            self.push(now, Task::OpenOrders(Why::Login));
        }
    }

    pub(super) fn balance(&mut self, now: Time, position: Position) {
        if position.account.is_some_and(|account| Some(Account(account)) != self.account) {
            return;
        }
        let product = position.product.unwrap_or(0);
        let asset = match position.asset {
            Some(asset) => {
                self.listing.learn_product(product, &asset);
                asset
            }
            None => match self.listing.asset(product) {
                Some(asset) => asset.to_owned(),
                None => return self.note(format!("a balance of unknown product {product}")),
            },
        };
        self.tell(Event::Balance(BalanceNews {
            venue: self.config.venue.clone(),
            asset,
            total: position.total,
            held: position.held,
            time: now,
        }));
    }

    /// Everything is known: streams, kept cancels, and the word that orders may come.
    pub(super) fn live(&mut self, now: Time) {
        self.line.phase = Phase::Live;
        self.line.is_settled();
        for stream in self.feeds.all() {
            self.start_stream(now, stream);
        }
        self.timers.set(now.plus(AUDIT_EVERY), Timer::Audit);
        self.tell_feed(now, Channel::Session, FeedState::Live, "");
        let left = self.orders.doubts().len();
        self.note(match left {
            0 => "live".to_owned(),
            _ => format!("live; the fate of {left} orders is still to be found"),
        });
        self.resume_cancels(now);
        self.resume_reductions(now);
        self.unpark(now);
    }

    /// The session's end at the venue's word: its token is void (FLOW-P15).
    pub(super) fn logged_out(&mut self, now: Time) {
        self.token = None::<Secret>;
        self.drop_line(now, "the venue ended the session");
    }
}
