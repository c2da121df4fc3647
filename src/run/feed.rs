//! A backtest's feed: trades in blocks, file after file, or events of several kinds merged by time.

use super::result::FeedSummary;
use super::source::Source;
use crate::base::tape::TradeBlock;
use crate::base::{Event, InstrumentId, Time};
use crate::edge::tape::{FeedKind, TimeUnit, TradesCsv, detect};
use anyhow::bail;
use std::path::PathBuf;
use std::rc::Rc;

/// Which rows of which files.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub files: Vec<PathBuf>,
    pub time_unit: Option<TimeUnit>,
    /// Rows outside of these times are passed over; `to` is exclusive.
    pub from: Option<Time>,
    pub to: Option<Time>,
    /// Rows in a block at most.
    pub block_rows: usize,
}

impl Wanted {
    /// The kinds of the files, in their order.
    ///
    /// # Errors
    /// When there is no file, or one cannot be read.
    pub fn kinds(&self) -> anyhow::Result<Vec<FeedKind>> {
        if self.files.is_empty() {
            bail!("a backtest needs a feed: --feed trades.csv");
        }
        self.files.iter().map(|file| detect(file)).collect()
    }

    fn summary(&self) -> FeedSummary {
        let files = self.files.iter().map(|file| file.display().to_string()).collect();
        FeedSummary { files, ..FeedSummary::default() }
    }
}

/// Files of trades, read one after the other.
pub struct Feed<'a> {
    wanted: &'a Wanted,
    instrument: InstrumentId,
    files: std::slice::Iter<'a, PathBuf>,
    open: Option<TradesCsv>,
    pub summary: FeedSummary,
    done: f64,
}

impl<'a> Feed<'a> {
    #[must_use]
    pub fn open(wanted: &'a Wanted, instrument: InstrumentId) -> Feed<'a> {
        let summary = wanted.summary();
        Feed { wanted, instrument, files: wanted.files.iter(), open: None, summary, done: 0.0 }
    }

    /// Fills the block with the next rows in range; false at the end.
    ///
    /// # Errors
    /// At a row that cannot be read, or a file that starts before the end of the one before it.
    pub fn next_block(&mut self, block: &mut Rc<TradeBlock>) -> anyhow::Result<bool> {
        loop {
            let Some(file) = &mut self.open else {
                let Some(path) = self.files.next() else { return Ok(false) };
                self.open = Some(TradesCsv::open(path, self.wanted.time_unit)?);
                continue;
            };
            let rows = Rc::make_mut(block);
            rows.instrument = self.instrument;
            if file.next_block(rows, self.wanted.block_rows)? == 0 {
                self.open = None;
                self.done += 1.0;
                continue;
            }
            trim(rows, self.wanted.from, self.wanted.to);
            let (Some(first), Some(last)) = (rows.times.first(), rows.times.last()) else {
                continue;
            };
            if self.summary.last.is_some_and(|before| *first < before) {
                let path = file.path().display().to_string();
                bail!(
                    "{path}: starts at {first}, before the feed before it ends; give feeds in \
                     time order"
                );
            }
            self.summary.first.get_or_insert(*first);
            self.summary.last = Some(*last);
            self.summary.events += u64::try_from(rows.len()).unwrap_or(u64::MAX);
            return Ok(true);
        }
    }

    /// How much of the feed has been read, from 0 to 1.
    #[allow(clippy::cast_precision_loss)]
    #[must_use]
    pub fn progress(&self) -> f64 {
        let part = self.open.as_ref().map_or(0.0, |file| {
            let (read, all) = file.progress();
            read as f64 / all.max(1) as f64
        });
        (self.done + part) / self.wanted.files.len() as f64
    }
}

/// Drops the rows before `from` and after `to`.
fn trim(rows: &mut TradeBlock, from: Option<Time>, to: Option<Time>) {
    let end = to.map_or(rows.len(), |to| rows.times.partition_point(|at| *at < to));
    let start = from.map_or(0, |from| rows.times.partition_point(|at| *at < from)).min(end);
    if start > 0 || end < rows.len() {
        rows.times = rows.times.get(start..end).unwrap_or_default().to_vec();
        rows.prices = rows.prices.get(start..end).unwrap_or_default().to_vec();
        rows.qtys = rows.qtys.get(start..end).unwrap_or_default().to_vec();
        rows.sides = rows.sides.get(start..end).unwrap_or_default().to_vec();
        rows.ids = rows.ids.get(start..end).unwrap_or_default().to_vec();
    }
}

/// The most events that `Merged` reads at once.
const BATCH: usize = 256;

/// Files of any kind, merged by time; at equal times in the order in which the files are given.
pub struct Merged<'a> {
    wanted: &'a Wanted,
    sources: Vec<(Source, Option<Event>)>,
    pub summary: FeedSummary,
}

impl<'a> Merged<'a> {
    /// # Errors
    /// When a file cannot be read.
    pub fn open(wanted: &'a Wanted, instrument: InstrumentId) -> anyhow::Result<Merged<'a>> {
        let mut sources = Vec::new();
        for file in &wanted.files {
            let mut source = Source::recorded(file, instrument, wanted.time_unit)?;
            let first = source.next_event()?;
            sources.push((source, first));
        }
        Ok(Merged { wanted, sources, summary: wanted.summary() })
    }

    /// Fills `batch` anew with the next events in range and gives their number; 0 at the end.
    ///
    /// # Errors
    /// At a row that cannot be read.
    pub fn next_batch(&mut self, batch: &mut Vec<(Time, Event)>) -> anyhow::Result<usize> {
        batch.clear();
        while batch.len() < BATCH
            && let Some(next) = self.next_event()?
        {
            batch.push(next);
        }
        Ok(batch.len())
    }

    /// The next event in range; `None` at the end.
    ///
    /// # Errors
    /// At a row that cannot be read.
    pub fn next_event(&mut self) -> anyhow::Result<Option<(Time, Event)>> {
        loop {
            let first = self
                .sources
                .iter_mut()
                .filter_map(|(source, next)| {
                    let time = next.as_ref().and_then(Event::public_time)?;
                    Some((time, source, next))
                })
                .min_by_key(|(time, ..)| *time);
            let Some((time, source, next)) = first else { return Ok(None) };
            let Some(event) = std::mem::replace(next, source.next_event()?) else { continue };
            if self.wanted.from.is_some_and(|from| time < from) {
                continue;
            }
            if self.wanted.to.is_some_and(|to| time >= to) {
                return Ok(None);
            }
            self.summary.first.get_or_insert(time);
            self.summary.last = Some(time);
            self.summary.events += 1;
            return Ok(Some((time, event)));
        }
    }
}
