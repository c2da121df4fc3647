//! A trades CSV as blocks of scaled integers. Plain rows take a fast path by hand; anything unusual
//! (quotes, exponents, spaces, mistakes) a slow one that reads or explains it.

use super::TimeUnit;
use super::cells::{self, Exact};
use super::sheet::Sheet;
use crate::base::Time;
use crate::base::tape::{SIDE_NONE, TradeBlock};
use anyhow::bail;
use std::path::Path;

/// A trades file open for reading from its first row on.
#[derive(Debug)]
pub struct TradesCsv {
    sheet: Sheet,
    columns: Vec<Column>,
    unit: TimeUnit,
    /// The places that every row so far fits in.
    price_scale: u32,
    qty_scale: u32,
    last: Time,
    /// A row that was read and not given yet: the first, until the first block.
    waiting: Option<Trade>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Column {
    Time,
    Price,
    Qty,
    Side,
    Id,
    Other,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
struct Trade {
    time: Time,
    price: Exact,
    qty: Exact,
    side: u8,
    id: i64,
}

impl TradesCsv {
    /// Opens a file with a header `time,price,qty[,side][,id]` in any order and case; other columns
    /// are passed over. The time's unit is that of `time_unit`, else told by the first row.
    ///
    /// # Errors
    /// When the file cannot be read, misses a column, has no row, or its first row is wrong.
    pub fn open(path: &Path, time_unit: Option<TimeUnit>) -> anyhow::Result<TradesCsv> {
        let mut sheet = Sheet::open(path)?;
        let time = sheet.need("time", "trades")?;
        let (price, qty) = (sheet.need("price", "trades")?, sheet.need("qty", "trades")?);
        let (side, id) = (sheet.place("side"), sheet.place("id"));
        let columns = (0..sheet.width()).map(|at| match at {
            _ if at == time => Column::Time,
            _ if at == price => Column::Price,
            _ if at == qty => Column::Qty,
            _ if Some(at) == side => Column::Side,
            _ if Some(at) == id => Column::Id,
            _ => Column::Other,
        });
        let columns = columns.collect();
        if !sheet.next_line()? {
            bail!("{} has a header but no rows", path.display());
        }
        let unit = match time_unit {
            Some(unit) => unit,
            None => sheet.row()?.get(time).map_or(TimeUnit::Iso, |cell| cells::unit_of(cell)),
        };
        let mut trades = TradesCsv {
            sheet,
            columns,
            unit,
            price_scale: 0,
            qty_scale: 0,
            last: Time::ZERO,
            waiting: None,
        };
        trades.waiting = Some(trades.row()?);
        Ok(trades)
    }

    /// The unit of the time column, as given or as inferred.
    #[must_use]
    pub fn time_unit(&self) -> TimeUnit {
        self.unit
    }

    /// The time of the first row, before the first block is taken; then `None`.
    #[must_use]
    pub fn first_time(&self) -> Option<Time> {
        self.waiting.map(|row| row.time)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.sheet.path()
    }

    /// Bytes read and bytes in all, for a progress bar.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        self.sheet.progress()
    }

    /// Fills `block` anew with at most `max_rows` rows (its instrument stays) and gives their
    /// number; 0 at the end of the file. A block's scales are those of the most precise row so far.
    ///
    /// # Errors
    /// At the first row that is wrong or out of order; the rows before it are in the block.
    pub fn next_block(&mut self, block: &mut TradeBlock, max_rows: usize) -> anyhow::Result<usize> {
        block.clear();
        block.price_scale = self.price_scale;
        block.qty_scale = self.qty_scale;
        while block.len() < max_rows {
            let row = match self.waiting.take() {
                Some(row) => row,
                None if self.sheet.next_line()? => self.row()?,
                None => break,
            };
            self.push(block, row)?;
        }
        Ok(block.len())
    }

    fn push(&mut self, block: &mut TradeBlock, row: Trade) -> anyhow::Result<()> {
        if row.time < self.last {
            let why = format!(
                "{} is before the row above ({}); sort the file by time",
                row.time, self.last
            );
            return Err(self.sheet.wrong("time", &why));
        }
        if row.price.places > self.price_scale {
            self.price_scale = row.price.places;
            if !rescale(&mut block.prices, &mut block.price_scale, self.price_scale) {
                return Err(self.too_fine("price"));
            }
        }
        if row.qty.places > self.qty_scale {
            self.qty_scale = row.qty.places;
            if !rescale(&mut block.qtys, &mut block.qty_scale, self.qty_scale) {
                return Err(self.too_fine("qty"));
            }
        }
        let Some(price) = row.price.at(self.price_scale) else {
            return Err(self.too_fine("price"));
        };
        let Some(qty) = row.qty.at(self.qty_scale) else { return Err(self.too_fine("qty")) };
        self.last = row.time;
        block.push(row.time, price, qty, row.side, row.id);
        Ok(())
    }

    fn too_fine(&self, column: &str) -> anyhow::Error {
        self.sheet.wrong(
            column,
            "this file's largest number and its finest decimals together do not fit 64 bits; \
             round the column",
        )
    }

    /// The current line as a trade.
    fn row(&self) -> anyhow::Result<Trade> {
        match fast(self.sheet.line(), &self.columns, self.unit) {
            Some(row) => Ok(row),
            None => self.slow(),
        }
    }

    fn slow(&self) -> anyhow::Result<Trade> {
        let mut row = EMPTY;
        for (column, cell) in self.columns.iter().zip(self.sheet.row()?) {
            let (name, done) = match column {
                Column::Time => ("time", cells::time(&cell, self.unit).map(|t| row.time = t)),
                Column::Price => ("price", positive(&cell).map(|p| row.price = p)),
                Column::Qty => ("qty", positive(&cell).map(|q| row.qty = q)),
                Column::Side => ("side", side(&cell).map(|s| row.side = s)),
                Column::Id => ("id", id(&cell).map(|i| row.id = i)),
                Column::Other => continue,
            };
            done.map_err(|why| self.sheet.wrong(name, &why))?;
        }
        Ok(row)
    }
}

const ZERO: Exact = Exact { mantissa: 0, places: 0 };
const EMPTY: Trade = Trade { time: Time::ZERO, price: ZERO, qty: ZERO, side: SIDE_NONE, id: 0 };

/// The row, if every cell is in its plain form; `slow` would read the same.
fn fast(line: &[u8], columns: &[Column], unit: TimeUnit) -> Option<Trade> {
    let mut row = EMPTY;
    let mut rest = line;
    let mut left = columns.len();
    for column in columns {
        match column {
            Column::Time if unit == TimeUnit::Iso => {
                let (cell, after) = cut(rest)?;
                row.time = cells::time(std::str::from_utf8(cell).ok()?, unit).ok()?;
                rest = after;
            }
            Column::Time => {
                let (value, after) = cells::fast_integer(rest)?;
                row.time = Time::from_nanos(value.checked_mul(unit.nanos())?);
                rest = after;
            }
            Column::Price => (row.price, rest) = cells::fast_number(rest)?,
            Column::Qty => (row.qty, rest) = cells::fast_number(rest)?,
            Column::Side => {
                let (cell, after) = cut(rest)?;
                row.side = cells::side(cell)?;
                rest = after;
            }
            Column::Id => (row.id, rest) = cells::fast_integer(rest)?,
            Column::Other => (_, rest) = cut(rest)?,
        }
        left -= 1;
        match rest.split_first() {
            Some((b',', after)) if left > 0 => rest = after,
            None if left == 0 => {}
            _ => return None,
        }
    }
    (row.price.mantissa > 0 && row.qty.mantissa > 0).then_some(row)
}

/// The cell up to the comma or the end, and the rest from the comma on. `None` if it is quoted.
fn cut(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b',').unwrap_or(text.len());
    let (cell, after) = text.split_at_checked(end)?;
    (!cell.contains(&b'"') && cell.is_ascii()).then_some((cell, after))
}

fn positive(cell: &str) -> Result<Exact, String> {
    let value = cells::exact(cell)?;
    if value.mantissa <= 0 {
        return Err(format!("`{cell}` is not above zero; a trade has a price and a quantity"));
    }
    Ok(value)
}

fn side(cell: &str) -> Result<u8, String> {
    cells::side(cell.as_bytes())
        .or_else(|| cells::side(cell.to_ascii_lowercase().as_bytes()))
        .ok_or_else(|| format!("`{cell}` is no side; write buy, sell or nothing"))
}

fn id(cell: &str) -> Result<i64, String> {
    if cell.is_empty() {
        return Ok(0);
    }
    cell.parse().map_err(|_| {
        format!("`{cell}` is no 64-bit integer; a trade's number is one, or the column is left out")
    })
}

/// Moves a column to more places; false if a value does not fit.
fn rescale(column: &mut [i64], scale: &mut u32, to: u32) -> bool {
    for value in column.iter_mut() {
        match (Exact { mantissa: *value, places: *scale }).at(to) {
            Some(scaled) => *value = scaled,
            None => return false,
        }
    }
    *scale = to;
    true
}

#[cfg(test)]
pub(super) mod compare {
    //! The two readings of a line side by side, for the property that they agree.

    use super::{TradesCsv, fast};

    /// Goes to the next line, without reading it.
    pub fn next(trades: &mut TradesCsv) -> bool {
        trades.sheet.next_line().unwrap()
    }

    /// False only if the fast path reads a line that the slow one refuses or reads differently.
    pub fn agree(trades: &TradesCsv) -> bool {
        match fast(trades.sheet.line(), &trades.columns, trades.unit) {
            Some(row) => trades.slow().is_ok_and(|slow| slow == row),
            None => true,
        }
    }
}
