//! Who is connected and as whom: logins by password and by token (FLOW-C04, FLOW-P08), and which
//! connections follow which account. Any number of connections may share a user or a session.

use super::TestUser;
use crate::base::rng::Rng;
use crate::base::{Span, Time};
use crate::exchange::AccountNumber;
use std::collections::{BTreeMap, BTreeSet};

/// How long a session lives after its last call (FLOW-P08).
const LIFE: Span = Span::from_secs(3_600);

/// A user's place in the table of users.
pub type UserIndex = usize;

#[derive(Clone, Debug)]
struct Session {
    user: UserIndex,
    seen: Time,
}

#[derive(Clone, Debug, Default)]
struct Connection {
    token: Option<String>,
    accounts: BTreeSet<AccountNumber>,
}

/// The venue's connections and sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    users: Vec<TestUser>,
    connections: BTreeMap<u32, Connection>,
    sessions: BTreeMap<String, Session>,
    tokens: Rng,
}

impl Sessions {
    #[must_use]
    pub fn new(users: Vec<TestUser>, tokens: Rng) -> Sessions {
        Sessions { users, connections: BTreeMap::new(), sessions: BTreeMap::new(), tokens }
    }

    pub fn open(&mut self, conn: u32) {
        self.connections.insert(conn, Connection::default());
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
        let token = self.connections.get(&conn)?.token.as_ref()?;
        let session = self.sessions.get_mut(token)?;
        if now.since(session.seen) > LIFE {
            return None;
        }
        session.seen = session.seen.max(now);
        self.users.get(session.user)
    }

    /// A new session by name and password; its token.
    pub fn log_in(&mut self, conn: u32, now: Time, name: &str, password: &str) -> Option<String> {
        let user = self.users.iter().position(|user| user.user == name)?;
        if self.users.get(user)?.password.expose() != password {
            return None;
        }
        let token = self.token();
        self.sessions.retain(|_, session| now.since(session.seen) <= LIFE);
        self.sessions.insert(token.clone(), Session { user, seen: now });
        self.join(conn, &token);
        Some(token)
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
            connection.accounts.clear();
        }
    }

    /// Ends the connection's session. Returns the other connections that shared it.
    pub fn log_out(&mut self, conn: u32) -> Vec<u32> {
        let Some(connection) = self.connections.get(&conn) else { return Vec::new() };
        let Some(token) = connection.token.clone() else { return Vec::new() };
        self.sessions.remove(&token);
        let mut others = Vec::new();
        for (&other, connection) in &mut self.connections {
            if connection.token.as_ref() == Some(&token) {
                connection.token = None;
                connection.accounts.clear();
                if other != conn {
                    others.push(other);
                }
            }
        }
        others
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
    fn token(&mut self) -> String {
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
