//! `lunario journal show|verify`: the order journal, while an engine runs or after.

use super::{Failure, Global, output};
use crate::base::Plain;
use crate::edge::journal::{Reader, Record};
use crate::run::options::Outcome;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
    /// The state folder
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = ".lunario",
        env = "LUNARIO_STATE"
    )]
    state: PathBuf,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Print rows
    Show(Show),
    /// Walk the hash chain: nothing changed, missing or moved
    Verify,
}

#[derive(clap::Args, Debug)]
struct Show {
    /// Start at this row [default: so that the last rows are shown]
    #[arg(long, value_name = "SEQ")]
    from: Option<i64>,
    /// How many rows
    #[arg(short = 'n', long, default_value_t = 50)]
    rows: usize,
    /// Only rows of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only rows of this strategy
    #[arg(long)]
    strategy: Option<String>,
}

/// How many rows are read at a time.
const BATCH: usize = 1000;

pub(super) fn main(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let reader = Reader::open(&args.state).map_err(Failure::Usage)?;
    match &args.what {
        What::Show(what) => show(&reader, what, global),
        What::Verify => verify(&reader, global),
    }
}

fn show(reader: &Reader, what: &Show, global: &Global) -> Result<Outcome, Failure> {
    let rows = match what.from {
        Some(from) => wanted(reader, what, from)?,
        None => last_wanted(reader, what)?,
    };
    let mut text = String::new();
    for row in &rows {
        if global.json {
            text.push_str(&json(row));
        } else {
            text.push_str(&people(row));
        }
        text.push('\n');
    }
    if rows.is_empty() && !global.json {
        text.push_str("no such rows\n");
    }
    output::print(&text)?;
    Ok(Outcome::Done)
}

fn people(row: &Record) -> String {
    let version = row.version.get(..8).unwrap_or(&row.version);
    let at = row.at.to_string();
    let (seq, kind, strategy) = (row.seq, &row.kind, &row.strategy);
    format!("{seq:>8}  {at:<30}  {kind:<9}  {strategy:<20}  {version:<8}  {}", row.body)
}

fn matches(row: &Record, what: &Show) -> bool {
    what.kind.as_ref().is_none_or(|kind| *kind == row.kind)
        && what.strategy.as_ref().is_none_or(|strategy| *strategy == row.strategy)
}

/// The first matching rows from `from` on.
fn wanted(reader: &Reader, what: &Show, mut from: i64) -> anyhow::Result<Vec<Record>> {
    let mut found = Vec::new();
    while found.len() < what.rows {
        let batch = reader.rows(from, BATCH)?;
        let Some(last) = batch.last() else { break };
        from = last.seq + 1;
        found.extend(batch.into_iter().filter(|row| matches(row, what)));
    }
    found.truncate(what.rows);
    Ok(found)
}

/// The last matching rows, looked for from the end backward.
fn last_wanted(reader: &Reader, what: &Show) -> anyhow::Result<Vec<Record>> {
    let mut found: Vec<Record> = Vec::new();
    let mut end = reader.last()? + 1;
    while found.len() < what.rows && end > 1 {
        let from = (end - i64::try_from(BATCH)?).max(1);
        let batch = reader.rows(from, usize::try_from(end - from)?)?;
        let mut matching: Vec<Record> =
            batch.into_iter().filter(|row| row.seq < end && matches(row, what)).collect();
        matching.append(&mut found);
        found = matching;
        end = from;
    }
    let surplus = found.len().saturating_sub(what.rows);
    Ok(found.split_off(surplus))
}

/// A row as JSON. The body is JSON already; one that is not goes as text.
fn json(row: &Record) -> String {
    let body = match serde_json::from_str::<&serde_json::value::RawValue>(&row.body) {
        Ok(raw) => raw.get().to_owned(),
        Err(_) => Plain::text(row.body.as_str()).json(),
    };
    let hash: String = row.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut fields = Plain::map(vec![
        ("seq", Plain::Int(row.seq)),
        ("time", Plain::text(row.at.to_string())),
        ("kind", Plain::text(row.kind.as_str())),
        ("strategy", Plain::text(row.strategy.as_str())),
        ("version", Plain::text(row.version.as_str())),
        ("hash", Plain::text(hash)),
    ])
    .json();
    fields.pop();
    format!("{fields},\"body\":{body}}}")
}

fn verify(reader: &Reader, global: &Global) -> Result<Outcome, Failure> {
    let verdict = reader.verify()?;
    let problems = verdict.problems.iter().map(ToString::to_string);
    if global.json {
        let problems = problems.clone().map(Plain::Text).collect();
        let line = Plain::map(vec![
            ("ok", Plain::Bool(verdict.problems.is_empty())),
            ("rows", Plain::Int(verdict.rows)),
            ("head", Plain::text(verdict.head.as_str())),
            ("problems", Plain::List(problems)),
        ]);
        output::line(&line.json())?;
    } else if verdict.problems.is_empty() {
        output::line(&format!(
            "{} rows, the chain is whole; last hash {}",
            verdict.rows, verdict.head
        ))?;
    }
    if verdict.problems.is_empty() {
        return Ok(Outcome::Done);
    }
    let list: Vec<String> = problems.collect();
    Err(Failure::Work(anyhow::anyhow!("the journal is not as it was written: {}", list.join("; "))))
}
