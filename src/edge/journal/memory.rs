//! What strategies remember: one row for each strategy and name, written with the records of the
//! same input.

use crate::base::{Plain, Time, json};
use anyhow::Context;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// One change of what a strategy remembers.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Kept<'a> {
    pub at: Time,
    pub strategy: &'a str,
    pub name: &'a str,
    /// As JSON; `None` forgets it.
    pub value: Option<&'a str>,
}

pub(super) fn write(connection: &Connection, changes: &[Kept<'_>]) -> rusqlite::Result<()> {
    for Kept { at, strategy, name, value } in changes {
        match value {
            Some(value) => connection
                .prepare_cached("INSERT OR REPLACE INTO memory VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![strategy, name, value, at.nanos()])?,
            None => connection
                .prepare_cached("DELETE FROM memory WHERE strategy = ?1 AND name = ?2")?
                .execute(params![strategy, name])?,
        };
    }
    Ok(())
}

/// Everything that is remembered: by strategy, then by name.
pub(super) fn all(
    connection: &Connection,
) -> anyhow::Result<BTreeMap<String, BTreeMap<String, Plain>>> {
    let mut query = connection.prepare("SELECT strategy, name, value FROM memory")?;
    let mut kept: BTreeMap<String, BTreeMap<String, Plain>> = BTreeMap::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (strategy, name, text): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let value = json::doubles(&text)
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("what {strategy} remembers as {name} is damaged"))?;
        kept.entry(strategy).or_default().insert(name, value);
    }
    Ok(kept)
}
