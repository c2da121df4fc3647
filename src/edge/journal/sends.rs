//! The sends of the last minutes, by rate lane: what a venue still counts when the engine starts
//! again.

use crate::base::{Span, Time};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// One message that is about to leave over a rate lane.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Send<'a> {
    pub lane: &'a str,
    pub at: Time,
}

/// Longer than any window that a venue counts in.
const REMEMBERED: Span = Span::from_secs(300);

/// Old sends are forgotten after this many new ones.
pub(super) const PRUNE_EVERY: usize = 1024;

pub(super) fn insert(connection: &Connection, sends: &[Send<'_>]) -> rusqlite::Result<()> {
    if sends.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached("INSERT INTO sends VALUES (?1, ?2)")?;
    for send in sends {
        insert.execute(params![send.lane, send.at.nanos()])?;
    }
    Ok(())
}

pub(super) fn prune(connection: &Connection, now: Time) -> rusqlite::Result<()> {
    let oldest = now.minus(REMEMBERED).nanos();
    connection.prepare_cached("DELETE FROM sends WHERE at < ?1")?.execute([oldest])?;
    Ok(())
}

/// A send of a clock that was set back since counts as one of now.
pub(super) fn since(
    connection: &Connection,
    since: Time,
    now: Time,
) -> rusqlite::Result<BTreeMap<String, Vec<Time>>> {
    let mut query =
        connection.prepare_cached("SELECT lane, at FROM sends WHERE at >= ?1 ORDER BY at")?;
    let mut lanes: BTreeMap<String, Vec<Time>> = BTreeMap::new();
    let mut rows = query.query([since.nanos()])?;
    while let Some(row) = rows.next()? {
        let at = Time::from_nanos(row.get(1)?).min(now);
        lanes.entry(row.get(0)?).or_default().push(at);
    }
    Ok(lanes)
}
