//! The order journal: append-only rows in SQLite, each chained to the one before by a hash, so that
//! a changed, missing or moved row is found.
//!
//! The hash of a row is SHA-256 over the previous hash (32 zero bytes before the first), then `seq`
//! and `at` as little-endian 64-bit integers, then kind, strategy, version and body, each as its
//! length in bytes (little-endian, 64 bits) and its bytes.
//!
//! Beside the rows stand, outside of the chain, values of the state folder (`meta`), the sends of
//! the last minutes over each rate lane (`sends`), so that a restart makes no burst, and what the
//! strategies remember (`memory`).

mod memory;
mod read;
mod sends;

use super::clock;
use super::state::StateDir;
use crate::base::{Plain, Time};
use anyhow::{Context, bail};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

pub use memory::Kept;
pub use read::{Problem, Reader, Record, Verdict};
pub use sends::Send;

/// When a row counts as written.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Policy {
    /// In the file before `append` returns: survives the death of the process. A loss of power may
    /// take the last rows; the venue knows our orders by their keys then.
    #[default]
    Group,
    /// On the disk before `append` returns: survives a loss of power, at the price of an fsync.
    Strict,
}

/// A row to append.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Row<'a> {
    pub at: Time,
    pub kind: &'a str,
    /// Empty where no strategy is concerned; likewise `version`.
    pub strategy: &'a str,
    pub version: &'a str,
    /// What happened, as JSON.
    pub body: &'a str,
}

/// A chain hash.
pub type Hash = [u8; 32];

/// The file inside the state folder.
pub const FILE: &str = "journal.db";

/// The first SQLite whose write-ahead log is free of the reset corruption of 3.7.0 to 3.51.2.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Copying the log into the database starts after this many rows, on another thread.
const CHECKPOINT_ROWS: usize = 4096;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS records(
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, strategy TEXT NOT NULL,
    version TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS head(
    one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sends(lane TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS memory(
    strategy TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (strategy, name)) STRICT;
CREATE INDEX IF NOT EXISTS calls ON records(at) WHERE kind = 'call';
";

const INSERT: &str = "INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const MOVE_HEAD: &str = "INSERT OR REPLACE INTO head VALUES (1, ?1, ?2)";

/// The journal, open for appending. The folder's lock makes it the only writer.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    seq: i64,
    hash: Hash,
    since_checkpoint: usize,
    /// Sends noted since old ones were last forgotten.
    since_pruning: usize,
    checkpoints: Option<SyncSender<()>>,
    checkpointer: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens or makes the journal of a state folder.
    ///
    /// # Errors
    /// When the file is no journal, is damaged, or SQLite is too old.
    pub fn open(dir: &StateDir, policy: Policy) -> anyhow::Result<Journal> {
        let file = dir.path().join(FILE);
        let opened = Journal::open_file(&file, policy);
        opened.with_context(|| format!("cannot open the journal {}", file.display()))
    }

    fn open_file(file: &Path, policy: Policy) -> anyhow::Result<Journal> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            bail!("SQLite {} can corrupt its log; 3.51.3 is needed", rusqlite::version());
        }
        let connection = connect(file)?;
        let synchronous = match policy {
            Policy::Group => "NORMAL",
            Policy::Strict => "FULL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        // The other thread copies the log; this bound holds only if it cannot keep up.
        connection.pragma_update(None, "wal_autocheckpoint", 100_000)?;
        connection.execute_batch(SCHEMA)?;
        sends::prune(&connection, clock::now())?;
        let (seq, hash) = head(&connection)?;
        if let Some(problem) = read::head_problem(&connection, seq)? {
            bail!(
                "{problem}: it was changed from outside; look with `lunario journal verify`, and \
                 move the file away to start a new one"
            );
        }
        let (checkpoints, wanted) = sync_channel(1);
        let path = file.to_owned();
        let checkpointer = std::thread::Builder::new()
            .name("lunario-journal".to_owned())
            .spawn(move || checkpoint(&path, &wanted))?;
        Ok(Journal {
            connection,
            seq,
            hash,
            since_checkpoint: 0,
            since_pruning: 0,
            checkpoints: Some(checkpoints),
            checkpointer: Some(checkpointer),
        })
    }

    /// Appends the rows as one transaction: all of them or none. Gives the last row's number (the
    /// number of the last row before, if there are none).
    ///
    /// # Errors
    /// When the disk is full or fails; nothing was appended then, and nothing may be sent.
    pub fn append(&mut self, rows: &[Row<'_>]) -> anyhow::Result<i64> {
        self.commit(rows, &[], &[])
    }

    /// Appends the rows, keeps what strategies remember, and notes what is about to leave over
    /// which rate lane, as one transaction.
    ///
    /// # Errors
    /// As `append`.
    pub fn commit(
        &mut self,
        rows: &[Row<'_>],
        kept: &[Kept<'_>],
        sends: &[Send<'_>],
    ) -> anyhow::Result<i64> {
        if rows.is_empty() && kept.is_empty() && sends.is_empty() {
            return Ok(self.seq);
        }
        let written = self.insert(rows, kept, sends);
        if written.is_err() && !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").context("cannot undo a journal write")?;
        }
        (self.seq, self.hash) = written.context("cannot write the journal")?;
        self.since_pruning += sends.len();
        if self.since_pruning >= sends::PRUNE_EVERY {
            self.since_pruning = 0;
            sends::prune(&self.connection, clock::now()).context("cannot write the journal")?;
        }
        self.since_checkpoint += rows.len() + kept.len() + sends.len();
        if self.since_checkpoint >= CHECKPOINT_ROWS {
            self.since_checkpoint = 0;
            self.move_head().context("cannot write the journal")?;
            if let Some(checkpoints) = &self.checkpoints {
                // Full means that one is under way already.
                let _under_way = checkpoints.try_send(());
            }
        }
        Ok(self.seq)
    }

    /// Notes the last row apart from the rows. It costs a page, so not with every append: now and
    /// then, and at the end.
    fn move_head(&self) -> rusqlite::Result<()> {
        let mut move_head = self.connection.prepare_cached(MOVE_HEAD)?;
        move_head.execute(params![self.seq, self.hash.as_slice()])?;
        Ok(())
    }

    fn insert(
        &self,
        rows: &[Row<'_>],
        kept: &[Kept<'_>],
        sends: &[Send<'_>],
    ) -> rusqlite::Result<(i64, Hash)> {
        let (mut seq, mut hash) = (self.seq, self.hash);
        // One row is a transaction by itself; the statements around it would cost as much again.
        let many = rows.len() + kept.len() + sends.len() > 1;
        if many {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        }
        let mut insert = self.connection.prepare_cached(INSERT)?;
        for row in rows {
            seq += 1;
            hash = chain(&hash, seq, row);
            insert.execute(params![
                seq,
                row.at.nanos(),
                row.kind,
                row.strategy,
                row.version,
                row.body,
                hash.as_slice()
            ])?;
        }
        memory::write(&self.connection, kept)?;
        sends::insert(&self.connection, sends)?;
        if many {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok((seq, hash))
    }

    /// The number of the last row; 0 before the first.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// At most `n` rows from number `from` on.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn rows(&self, from: i64, n: usize) -> anyhow::Result<Vec<Record>> {
        read::rows(&self.connection, from, n)
    }

    /// Walks the whole chain.
    ///
    /// # Errors
    /// When the file cannot be read. What is wrong with the rows is in the verdict.
    pub fn verify(&self) -> anyhow::Result<Verdict> {
        read::verify(&self.connection)
    }

    /// The sends noted since `since`, by rate lane, oldest first. At least the last five minutes
    /// are there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sends(&self, since: Time) -> anyhow::Result<BTreeMap<String, Vec<Time>>> {
        sends::since(&self.connection, since, clock::now()).context("cannot read the journal")
    }

    /// What the strategies remember: by strategy, then by name.
    ///
    /// # Errors
    /// When the file cannot be read, or a value in it.
    pub fn memory(&self) -> anyhow::Result<BTreeMap<String, BTreeMap<String, Plain>>> {
        memory::all(&self.connection).context("cannot read the journal")
    }

    /// The rows of kind `call` since `since`, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn calls(&self, since: Time) -> anyhow::Result<Vec<Record>> {
        read::calls(&self.connection, since)
    }

    /// A value kept beside the rows.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn meta(&self, key: &str) -> anyhow::Result<Option<String>> {
        let query = "SELECT value FROM meta WHERE key = ?1";
        self.connection
            .query_row(query, [key], |row| row.get(0))
            .optional()
            .context("cannot read the journal")
    }

    /// Sets a value kept beside the rows.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_meta(&self, key: &str, value: &str) -> anyhow::Result<()> {
        self.connection
            .execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", [key, value])
            .context("cannot write the journal")?;
        Ok(())
    }

    /// Counts the runs of this state folder: 1, 2, … Each call is a new run.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the counter is damaged.
    pub fn next_run(&self) -> anyhow::Result<u32> {
        let last = match self.meta("run")? {
            Some(text) => text.parse().with_context(|| format!("the run counter is `{text}`"))?,
            None => 0u32,
        };
        let run = last.checked_add(1).context("the run counter is full")?;
        self.set_meta("run", &run.to_string())?;
        Ok(run)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.checkpoints = None;
        if let Some(thread) = self.checkpointer.take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's second thread panicked");
        }
        if let Err(error) = self.move_head() {
            tracing::warn!(%error, "the journal's last row could not be noted");
        }
        let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
        if let Err(error) = self.connection.query_row(truncate, [], |_| Ok(())) {
            tracing::warn!(%error, "the journal's log stays beside it until the next run");
        }
    }
}

/// Copies the log into the database whenever asked, without holding the writer.
fn checkpoint(file: &Path, wanted: &Receiver<()>) {
    let connection = match connect(file) {
        Ok(connection) => connection,
        Err(error) => return tracing::error!(%error, "the journal's log cannot be copied"),
    };
    while wanted.recv().is_ok() {
        let passive = "PRAGMA wal_checkpoint(PASSIVE)";
        if let Err(error) = connection.query_row(passive, [], |_| Ok(())) {
            tracing::warn!(%error, "the journal's log could not be copied; the next time will");
        }
    }
}

fn connect(file: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        bail!("this file system allows no write-ahead log ({mode}); choose a local --state folder");
    }
    Ok(connection)
}

/// The last row's number and hash, from the rows themselves.
fn head(connection: &Connection) -> anyhow::Result<(i64, Hash)> {
    let last = "SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1";
    let found = connection
        .query_row(last, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .optional()?;
    match found {
        None => Ok((0, Hash::default())),
        Some((seq, bytes)) => {
            let hash = bytes.try_into().ok().with_context(|| format!("row {seq} has no hash"))?;
            Ok((seq, hash))
        }
    }
}

fn chain(previous: &Hash, seq: i64, row: &Row<'_>) -> Hash {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(seq.to_le_bytes());
    hash.update(row.at.nanos().to_le_bytes());
    for text in [row.kind, row.strategy, row.version, row.body] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

/// The journal's file in a state folder, whether or not it exists.
#[must_use]
pub fn file_in(state: &Path) -> PathBuf {
    state.join(FILE)
}

#[cfg(test)]
mod tests;
