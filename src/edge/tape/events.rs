//! Quotes and book-change CSV files as batches of events.

use super::TimeUnit;
use super::cells;
use super::sheet::Sheet;
use crate::base::{BookChange, Decimal, Event, InstrumentId, Level, Quote, Time};
use anyhow::bail;
use std::borrow::Cow;
use std::path::Path;

/// The part of a reader that both kinds share: the sheet, its times and their order.
#[derive(Debug)]
struct Timed {
    sheet: Sheet,
    time: usize,
    unit: TimeUnit,
    last: Time,
    /// The current line was read (to infer the unit) and not given yet.
    peeked: bool,
}

impl Timed {
    fn open(path: &Path, kind: &str, time_unit: Option<TimeUnit>) -> anyhow::Result<Timed> {
        let mut sheet = Sheet::open(path)?;
        let time = sheet.need("time", kind)?;
        if !sheet.next_line()? {
            bail!("{} has a header but no rows", path.display());
        }
        let unit = match time_unit {
            Some(unit) => unit,
            None => sheet.row()?.get(time).map_or(TimeUnit::Iso, |cell| cells::unit_of(cell)),
        };
        Ok(Timed { sheet, time, unit, last: Time::ZERO, peeked: true })
    }

    fn next(&mut self) -> anyhow::Result<bool> {
        if std::mem::take(&mut self.peeked) { Ok(true) } else { self.sheet.next_line() }
    }

    /// The current row's time, checked against the row above.
    fn time(&mut self, cells: &[String]) -> anyhow::Result<Time> {
        let time = cells::time(cell(cells, self.time), self.unit)
            .map_err(|why| self.sheet.wrong("time", &why))?;
        if time < self.last {
            let why =
                format!("{time} is before the row above ({}); sort the file by time", self.last);
            return Err(self.sheet.wrong("time", &why));
        }
        self.last = time;
        Ok(time)
    }

    fn row(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.sheet.row()?.into_iter().map(Cow::into_owned).collect())
    }

    /// A price or quantity that may be zero and not negative; an empty cell is zero.
    fn amount(&self, column: &str, text: &str) -> anyhow::Result<Decimal> {
        if text.is_empty() {
            return Ok(Decimal::ZERO);
        }
        let value = cells::amount(text).map_err(|why| self.sheet.wrong(column, &why))?;
        if value.is_sign_negative() && !value.is_zero() {
            return Err(self.sheet.wrong(column, &format!("`{text}` is negative")));
        }
        Ok(value.normalize())
    }
}

fn cell(cells: &[String], at: usize) -> &str {
    cells.get(at).map_or("", String::as_str)
}

/// A quotes file: `time,bid,bid_qty,ask,ask_qty` in any order and case. An empty or zero price
/// means that the side is empty.
#[derive(Debug)]
pub struct QuotesCsv {
    timed: Timed,
    columns: [(&'static str, usize); 4],
    instrument: InstrumentId,
}

impl QuotesCsv {
    /// Opens the file; its quotes will be of `instrument`.
    ///
    /// # Errors
    /// When the file cannot be read, misses a column, or has no row.
    pub fn open(
        path: &Path,
        time_unit: Option<TimeUnit>,
        instrument: InstrumentId,
    ) -> anyhow::Result<QuotesCsv> {
        let timed = Timed::open(path, "quotes", time_unit)?;
        let need = |name: &'static str| Ok((name, timed.sheet.need(name, "quotes")?));
        let columns = [need("bid"), need("bid_qty"), need("ask"), need("ask_qty")];
        let [bid, bid_qty, ask, ask_qty]: [anyhow::Result<(&'static str, usize)>; 4] = columns;
        let columns = [bid?, bid_qty?, ask?, ask_qty?];
        Ok(QuotesCsv { timed, columns, instrument })
    }

    /// The unit of the time column, as given or as inferred.
    #[must_use]
    pub fn time_unit(&self) -> TimeUnit {
        self.timed.unit
    }

    /// Adds at most `max` quotes to `out` and gives their number; 0 at the end.
    ///
    /// # Errors
    /// At the first row that is wrong or out of order.
    pub fn next_events(&mut self, out: &mut Vec<Event>, max: usize) -> anyhow::Result<usize> {
        let before = out.len();
        while out.len() - before < max && self.timed.next()? {
            let row = self.timed.row()?;
            let time = self.timed.time(&row)?;
            let read = |(name, at): (&str, usize)| self.timed.amount(name, cell(&row, at));
            let [bid, bid_qty, ask, ask_qty] = self.columns.map(read);
            out.push(Event::Quote(Quote {
                time,
                instrument: self.instrument,
                bid: bid?,
                bid_qty: bid_qty?,
                ask: ask?,
                ask_qty: ask_qty?,
                last: Decimal::ZERO,
            }));
        }
        Ok(out.len() - before)
    }
}

/// A book file: `time,side,price,qty[,snapshot]` in any order and case. Rows in a row with the same
/// time and the same `snapshot` (0 or 1) are one change; quantity zero removes the level.
#[derive(Debug)]
pub struct BookCsv {
    timed: Timed,
    side: usize,
    price: usize,
    qty: usize,
    snapshot: Option<usize>,
    instrument: InstrumentId,
    /// The change whose rows are being gathered.
    open: Option<BookChange>,
}

impl BookCsv {
    /// Opens the file; its changes will be of `instrument`.
    ///
    /// # Errors
    /// When the file cannot be read, misses a column, or has no row.
    pub fn open(
        path: &Path,
        time_unit: Option<TimeUnit>,
        instrument: InstrumentId,
    ) -> anyhow::Result<BookCsv> {
        let timed = Timed::open(path, "book", time_unit)?;
        let sheet = &timed.sheet;
        let (side, price) = (sheet.need("side", "book")?, sheet.need("price", "book")?);
        let (qty, snapshot) = (sheet.need("qty", "book")?, sheet.place("snapshot"));
        Ok(BookCsv { timed, side, price, qty, snapshot, instrument, open: None })
    }

    /// The unit of the time column, as given or as inferred.
    #[must_use]
    pub fn time_unit(&self) -> TimeUnit {
        self.timed.unit
    }

    /// Adds at most `max` changes to `out` and gives their number; 0 at the end.
    ///
    /// # Errors
    /// At the first row that is wrong or out of order.
    pub fn next_events(&mut self, out: &mut Vec<Event>, max: usize) -> anyhow::Result<usize> {
        let before = out.len();
        while out.len() - before < max {
            if !self.timed.next()? {
                out.extend(self.open.take().map(Event::Book));
                break;
            }
            let (time, snapshot, level) = self.level()?;
            match &mut self.open {
                Some(open) if open.time == time && open.snapshot == snapshot => {
                    open.levels.push(level);
                }
                open => {
                    let instrument = self.instrument;
                    let next = BookChange { time, instrument, snapshot, levels: vec![level] };
                    out.extend(open.replace(next).map(Event::Book));
                }
            }
        }
        Ok(out.len() - before)
    }

    /// The current row.
    fn level(&mut self) -> anyhow::Result<(Time, bool, Level)> {
        let row = self.timed.row()?;
        let time = self.timed.time(&row)?;
        let sheet = &self.timed.sheet;
        let word = cell(&row, self.side);
        let Some(side) = cells::book_side(word) else {
            return Err(sheet.wrong("side", &format!("`{word}` is no side; write bid or ask")));
        };
        let price = self.timed.amount("price", cell(&row, self.price))?;
        if price.is_zero() {
            return Err(sheet.wrong("price", "a level has a price above zero"));
        }
        let qty = self.timed.amount("qty", cell(&row, self.qty))?;
        let snapshot = match self.snapshot.map(|at| cell(&row, at)) {
            None | Some("" | "0" | "false") => false,
            Some("1" | "true") => true,
            Some(word) => {
                return Err(sheet.wrong("snapshot", &format!("`{word}` is neither 0 nor 1")));
            }
        };
        Ok((time, snapshot, Level { side, price, qty }))
    }
}
