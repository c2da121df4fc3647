//! Who is connected and as whom: logins by password, token, API key and one-time code (FLOW-C04,
//! FLOW-P07 to P11), and which connections follow which account. Any number of connections may
//! share a user or a session.

use super::TestUser;
use crate::base::rng::Rng;
use crate::base::{Span, Time};
use crate::exchange::AccountNumber;
use crate::simulator::proof;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How long a session lives after its last call (FLOW-P08).
const LIFE: Span = Span::from_secs(3_600);

/// This many failures in a row, each within `LOCK_SPAN` of the one before, lock a user (FLOW-P07).
const LOCK_AFTER: u32 = 5;
const LOCK_SPAN: Span = Span::from_secs(60);

/// How long a login may wait for its one-time code.
const PENDING_LIFE: Span = Span::from_secs(300);

/// What an API-key login claims (FLOW-P10). `Debug` shows whose it says it is.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyProof {
    pub key: String,
    pub nonce: String,
    pub user_id: String,
    pub signature: String,
}

impl fmt::Debug for KeyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyProof of user {}", self.user_id)
    }
}

/// How a login ended. `Debug` shows no token.
#[derive(Clone, PartialEq, Eq)]
pub enum LogIn {
    /// The session's token.
    Done(String),
    /// The one-time code is still wanted; the pending login's token (FLOW-P09).
    Pending(String),
    Refused,
    /// Until an administrator unlocks the user.
    Locked,
}

impl fmt::Debug for LogIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogIn::Done(_) => "Done",
            LogIn::Pending(_) => "Pending",
            LogIn::Refused => "Refused",
            LogIn::Locked => "Locked",
        })
    }
}

/// A user's place in the table of users.
pub type UserIndex = usize;

#[derive(Clone, Debug)]
struct Session {
    user: UserIndex,
    seen: Time,
}

/// A user's failed logins and spent codes.
#[derive(Clone, Debug, Default)]
struct Guard {
    failures: u32,
    last: Time,
    /// The last step of time whose code was taken: codes are single use.
    step: i64,
}

#[derive(Clone, Debug, Default)]
struct Connection {
    token: Option<String>,
    /// Known by an API key of this request alone (FLOW-P11).
    direct: Option<UserIndex>,
    /// A login that waits for its code.
    pending: Option<String>,
    /// The last frame, for the idle close.
    heard: Time,
    accounts: BTreeSet<AccountNumber>,
}

/// The venue's connections and sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    users: Vec<TestUser>,
    connections: BTreeMap<u32, Connection>,
    sessions: BTreeMap<String, Session>,
    pending: BTreeMap<String, Session>,
    guards: BTreeMap<UserIndex, Guard>,
    emails: BTreeMap<i64, String>,
    tokens: Rng,
}

impl Sessions {
    #[must_use]
    pub fn new(users: Vec<TestUser>, tokens: Rng) -> Sessions {
        Sessions {
            users,
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            pending: BTreeMap::new(),
            guards: BTreeMap::new(),
            emails: BTreeMap::new(),
            tokens,
        }
    }

    pub fn open(&mut self, conn: u32, now: Time) {
        self.connections.insert(conn, Connection { heard: now, ..Connection::default() });
    }

    /// Something came over a connection.
    pub fn heard(&mut self, conn: u32, now: Time) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.heard = now;
        }
    }

    /// The connection that has been silent longest, and since when.
    #[must_use]
    pub fn most_silent(&self) -> Option<(Time, u32)> {
        self.connections.iter().map(|(&conn, connection)| (connection.heard, conn)).min()
    }

    /// Forgets a connection. Its session stays, and may be resumed by its token.
    pub fn close(&mut self, conn: u32) {
        self.connections.remove(&conn);
    }

    #[must_use]
    pub fn is_open(&self, conn: u32) -> bool {
        self.connections.contains_key(&conn)
    }

    /// The user behind a connection, if its session is alive; counts as activity.
    pub fn user(&mut self, conn: u32, now: Time) -> Option<&TestUser> {
        let connection = self.connections.get(&conn)?;
        if let Some(user) = connection.direct {
            return self.users.get(user);
        }
        let session = self.sessions.get_mut(connection.token.as_ref()?)?;
        if now.since(session.seen) > LIFE {
            return None;
        }
        session.seen = session.seen.max(now);
        self.users.get(session.user)
    }

    /// FLOW-C04 by name and password.
    pub fn log_in(&mut self, conn: u32, now: Time, name: &str, password: &str) -> LogIn {
        let Some(index) = self.users.iter().position(|user| user.user == name) else {
            return LogIn::Refused;
        };
        if self.is_locked(index) {
            return LogIn::Locked;
        }
        let Some(user) = self.users.get(index) else { return LogIn::Refused };
        if user.password.expose() != password {
            return self.failed(index, now);
        }
        if user.totp.is_none() {
            return LogIn::Done(self.begin(conn, now, index));
        }
        let token = self.token();
        self.pending.retain(|_, login| now.since(login.seen) <= PENDING_LIFE);
        self.pending.insert(token.clone(), Session { user: index, seen: now });
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.pending = Some(token.clone());
        }
        LogIn::Pending(token)
    }

    /// FLOW-C10: the code of the login that waits on this connection, or under this token.
    pub fn second_step(&mut self, conn: u32, now: Time, token: Option<&str>, code: &str) -> LogIn {
        let waits = self.connections.get(&conn).and_then(|it| it.pending.clone());
        let Some(token) = token.map(str::to_owned).or(waits) else { return LogIn::Refused };
        let login = self.pending.get(&token).filter(|it| now.since(it.seen) <= PENDING_LIFE);
        let Some(index) = login.map(|login| login.user) else { return LogIn::Refused };
        if self.is_locked(index) {
            return LogIn::Locked;
        }
        let secret = self.users.get(index).and_then(|user| user.totp.as_ref());
        let step = secret.and_then(|secret| proof::totp_step(secret.expose(), code, now));
        let guard = self.guards.entry(index).or_default();
        match step {
            Some(step) if step > guard.step => guard.step = step,
            Some(_) | None => return self.failed(index, now),
        }
        self.pending.remove(&token);
        LogIn::Done(self.begin(conn, now, index))
    }

    /// Whose key it is, if the signature is right (FLOW-P10): HMAC-SHA256 of Nonce, UserId and
    /// APIKey.
    fn owner_of(&self, proof: &KeyProof) -> Option<UserIndex> {
        let (index, secret) = self.users.iter().enumerate().find_map(|(index, user)| {
            let key = user.keys.iter().find(|key| key.id == proof.key)?;
            (user.user_id.to_string() == proof.user_id).then_some((index, &key.secret))
        })?;
        let message = format!("{}{}{}", proof.nonce, proof.user_id, proof.key);
        let signed = proof::is_hmac_sha256(secret.expose(), message.as_bytes(), &proof.signature);
        (signed && !proof.nonce.is_empty()).then_some(index)
    }

    /// FLOW-X06: a session by API key. Keys need no one-time code.
    pub fn log_in_by_key(&mut self, conn: u32, now: Time, proof: &KeyProof) -> LogIn {
        match self.owner_of(proof) {
            Some(index) if self.is_locked(index) => LogIn::Locked,
            Some(index) => LogIn::Done(self.begin(conn, now, index)),
            None => LogIn::Refused,
        }
    }

    /// A key's signature on one request alone (FLOW-P11). Whether it is right.
    pub fn admit_by_key(&mut self, conn: u32, proof: &KeyProof) -> bool {
        let owner = self.owner_of(proof).filter(|index| !self.is_locked(*index));
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.direct = owner;
        }
        owner.is_some()
    }

    fn is_locked(&self, index: UserIndex) -> bool {
        self.guards.get(&index).is_some_and(|guard| guard.failures >= LOCK_AFTER)
    }

    fn failed(&mut self, index: UserIndex, now: Time) -> LogIn {
        let guard = self.guards.entry(index).or_default();
        let rapid = now.since(guard.last) <= LOCK_SPAN;
        guard.failures = if rapid { guard.failures + 1 } else { 1 };
        guard.last = now;
        if guard.failures >= LOCK_AFTER { LogIn::Locked } else { LogIn::Refused }
    }

    /// Lets a locked user in again, as an administrator does.
    pub fn unlock(&mut self, name: &str) {
        if let Some(index) = self.users.iter().position(|user| user.user == name) {
            self.guards.remove(&index);
        }
    }

    /// Starts a session; its token.
    fn begin(&mut self, conn: u32, now: Time, user: UserIndex) -> String {
        let token = self.token();
        if let Some(guard) = self.guards.get_mut(&user) {
            guard.failures = 0;
        }
        self.sessions.retain(|_, session| now.since(session.seen) <= LIFE);
        self.sessions.insert(token.clone(), Session { user, seen: now });
        self.join(conn, &token);
        token
    }

    /// A user's e-mail; empty until it was set (FLOW-C16).
    #[must_use]
    pub fn email(&self, user_id: i64) -> &str {
        self.emails.get(&user_id).map_or("", String::as_str)
    }

    pub fn set_email(&mut self, user_id: i64, email: String) {
        self.emails.insert(user_id, email);
    }

    /// Puts a connection into a session that is alive.
    pub fn resume(&mut self, conn: u32, now: Time, token: &str) -> bool {
        let alive = self.sessions.get(token).is_some_and(|s| now.since(s.seen) <= LIFE);
        if alive {
            self.join(conn, token);
        }
        alive
    }

    fn join(&mut self, conn: u32, token: &str) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.token = Some(token.to_owned());
            connection.pending = None;
            connection.accounts.clear();
        }
    }

    /// Ends the connection's session. Returns the other connections that shared it.
    pub fn log_out(&mut self, conn: u32) -> Vec<u32> {
        let Some(connection) = self.connections.get_mut(&conn) else { return Vec::new() };
        if let Some(pending) = connection.pending.take() {
            self.pending.remove(&pending);
        }
        let Some(token) = connection.token.clone() else { return Vec::new() };
        let mut others = self.end(&token);
        others.retain(|other| *other != conn);
        others
    }

    /// Ends a session. Returns the connections that shared it.
    pub fn end(&mut self, token: &str) -> Vec<u32> {
        self.sessions.remove(token);
        let mut others = Vec::new();
        for (&other, connection) in &mut self.connections {
            if connection.token.as_deref() == Some(token) {
                connection.token = None;
                connection.accounts.clear();
                others.push(other);
            }
        }
        others
    }

    /// Ends every session of a user. Returns the connections that were in them.
    pub fn end_all(&mut self, name: &str) -> Vec<u32> {
        let Some(index) = self.users.iter().position(|user| user.user == name) else {
            return Vec::new();
        };
        let own = self.sessions.iter().filter(|(_, session)| session.user == index);
        let tokens: Vec<String> = own.map(|(token, _)| token.clone()).collect();
        tokens.iter().flat_map(|token| self.end(token)).collect()
    }

    /// The connection follows the account's events (FLOW-C05).
    pub fn follow(&mut self, conn: u32, account: AccountNumber) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.accounts.insert(account);
        }
    }

    /// Connections that follow an account.
    pub fn followers(&self, account: AccountNumber) -> impl Iterator<Item = u32> {
        let followers = self.connections.iter();
        followers.filter(move |(_, c)| c.accounts.contains(&account)).map(|(&conn, _)| conn)
    }

    /// The user an account belongs to.
    #[must_use]
    pub fn owner(&self, account: AccountNumber) -> Option<&TestUser> {
        self.users.iter().find(|user| user.account == account)
    }

    /// A GUID of version 4 whose digits come from the seed.
    pub fn token(&mut self) -> String {
        let (high, low) = (self.tokens.next_u64(), self.tokens.next_u64());
        let high = (high & !0xf000) | 0x4000;
        let low = (low & !(0xc << 60)) | (0x8 << 60);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}
