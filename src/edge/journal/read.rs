//! Reading the journal: rows, and the walk along the chain. Needs no lock: an engine may be
//! writing.

use super::{Hash, Row, chain, file_in};
use crate::base::Time;
use anyhow::{Context, bail};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::fmt;
use std::path::Path;

/// A row as it stands in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    pub seq: i64,
    pub at: Time,
    pub kind: String,
    pub strategy: String,
    pub version: String,
    pub body: String,
    pub hash: Vec<u8>,
}

/// One thing wrong with the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// The row's content does not give its hash: it was changed or moved.
    Changed { seq: i64 },
    /// Rows `from` to `to` are missing.
    Missing { from: i64, to: i64 },
    /// The row is not the one that was noted as the last one then.
    Head { seq: i64 },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Changed { seq } => write!(f, "row {seq} was changed or moved"),
            Problem::Missing { from, to } if from == to => write!(f, "row {from} is missing"),
            Problem::Missing { from, to } => write!(f, "rows {from} to {to} are missing"),
            Problem::Head { seq } => write!(f, "row {seq} is not the one that was written then"),
        }
    }
}

/// What the walk found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub rows: i64,
    /// The last row's hash in hexadecimal; note it elsewhere to notice a journal that was rewritten
    /// as a whole.
    pub head: String,
    /// At most 100 of them; empty if the journal is whole.
    pub problems: Vec<Problem>,
}

const MOST_PROBLEMS: usize = 100;

/// A journal open for reading.
#[derive(Debug)]
pub struct Reader(Connection);

impl Reader {
    /// Opens the journal of a state folder.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(state: &Path) -> anyhow::Result<Reader> {
        let file = file_in(state);
        if !file.is_file() {
            bail!(
                "{} has no journal; `lunario run` makes one, and --state names its folder",
                state.display()
            );
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&file, flags)
            .and_then(|c| c.busy_timeout(std::time::Duration::from_secs(5)).map(|()| c))
            .with_context(|| format!("cannot open {}", file.display()))?;
        Ok(Reader(connection))
    }

    /// At most `n` rows from number `from` on.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn rows(&self, from: i64, n: usize) -> anyhow::Result<Vec<Record>> {
        rows(&self.0, from, n)
    }

    /// The number of the last row; 0 if there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last(&self) -> anyhow::Result<i64> {
        self.0
            .query_row("SELECT coalesce(max(seq), 0) FROM records", [], |row| row.get(0))
            .context("cannot read the journal")
    }

    /// Walks the whole chain.
    ///
    /// # Errors
    /// When the file cannot be read. What is wrong with the rows is in the verdict.
    pub fn verify(&self) -> anyhow::Result<Verdict> {
        verify(&self.0)
    }
}

const COLUMNS: &str = "SELECT seq, at, kind, strategy, version, body, hash FROM records";

fn record(row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        seq: row.get(0)?,
        at: Time::from_nanos(row.get(1)?),
        kind: row.get(2)?,
        strategy: row.get(3)?,
        version: row.get(4)?,
        body: row.get(5)?,
        hash: row.get(6)?,
    })
}

pub(super) fn rows(connection: &Connection, from: i64, n: usize) -> anyhow::Result<Vec<Record>> {
    let limit = i64::try_from(n).unwrap_or(i64::MAX);
    let mut statement =
        connection.prepare_cached(&format!("{COLUMNS} WHERE seq >= ?1 ORDER BY seq LIMIT ?2"))?;
    let found = statement.query_map(params![from, limit], record)?;
    found.collect::<rusqlite::Result<Vec<Record>>>().context("cannot read the journal")
}

pub(super) fn calls(connection: &Connection, since: Time) -> anyhow::Result<Vec<Record>> {
    let query = format!("{COLUMNS} WHERE kind = 'call' AND at >= ?1 ORDER BY seq");
    let mut statement = connection.prepare(&query)?;
    let found = statement.query_map([since.nanos()], record)?;
    found.collect::<rusqlite::Result<Vec<Record>>>().context("cannot read the journal")
}

pub(super) fn verify(connection: &Connection) -> anyhow::Result<Verdict> {
    // One read transaction, so that rows appended meanwhile do not show as a wrong head.
    let walk = connection.unchecked_transaction().context("cannot read the journal")?;
    let mut verdict = Verdict { rows: 0, head: String::new(), problems: Vec::new() };
    let (mut seq, mut hash) = (0, Hash::default());
    {
        let mut statement = walk.prepare(&format!("{COLUMNS} ORDER BY seq"))?;
        let mut found = statement.query([])?;
        while let Some(row) = found.next().context("cannot read the journal")? {
            let row = record(row).context("cannot read the journal")?;
            verdict.rows += 1;
            if row.seq != seq + 1 {
                note(&mut verdict, Problem::Missing { from: seq + 1, to: row.seq - 1 });
            }
            let written = as_row(&row);
            // After a gap the chain cannot be followed: the row's own hash is taken as it stands.
            let follows = row.seq == seq + 1;
            if follows && chain(&hash, row.seq, &written).as_slice() != row.hash.as_slice() {
                note(&mut verdict, Problem::Changed { seq: row.seq });
            }
            seq = row.seq;
            hash = row.hash.try_into().unwrap_or_default();
        }
    }
    if let Some(problem) = head_problem(&walk, seq)? {
        note(&mut verdict, problem);
    }
    verdict.head = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(verdict)
}

fn as_row(record: &Record) -> Row<'_> {
    Row {
        at: record.at,
        kind: &record.kind,
        strategy: &record.strategy,
        version: &record.version,
        body: &record.body,
    }
}

fn note(verdict: &mut Verdict, problem: Problem) {
    if verdict.problems.len() < MOST_PROBLEMS {
        verdict.problems.push(problem);
    }
}

/// The rows must reach what was noted as the last row (now and then, and at the end of each run),
/// and that row must be the same.
pub(super) fn head_problem(connection: &Connection, last: i64) -> anyhow::Result<Option<Problem>> {
    let noted = connection
        .query_row("SELECT seq, hash FROM head", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()
        .context("cannot read the journal")?;
    let Some((seq, hash)) = noted.filter(|(seq, _)| *seq > 0) else { return Ok(None) };
    if seq > last {
        return Ok(Some(Problem::Missing { from: last + 1, to: seq }));
    }
    let there = connection
        .query_row("SELECT hash FROM records WHERE seq = ?1", [seq], |row| row.get::<_, Vec<u8>>(0))
        .optional()
        .context("cannot read the journal")?;
    Ok((there.is_some() && there != Some(hash)).then_some(Problem::Head { seq }))
}
