//! A CSV file line by line: header, line numbers, quoting, and errors that say where they are.

use anyhow::{Context, bail};
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// No line of a feed is near this long; a longer one means that the file is something else.
const LONGEST_LINE: usize = 64 << 10;

const CHUNK: usize = 1 << 20;

/// An open CSV file. After `next_line` the current line is `line`.
#[derive(Debug)]
pub(super) struct Sheet {
    path: PathBuf,
    reader: BufReader<File>,
    columns: Vec<String>,
    line: Vec<u8>,
    /// The current line's number, the header being line 1.
    number: u64,
    /// Whether the current line ended in a line break.
    whole: bool,
    read: u64,
    size: u64,
}

impl Sheet {
    pub(super) fn open(path: &Path) -> anyhow::Result<Sheet> {
        let name = path.display();
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let about = file.metadata().with_context(|| format!("cannot read {name}"))?;
        if about.is_dir() {
            bail!("{name} is a folder; name a CSV file");
        }
        let mut sheet = Sheet {
            path: path.to_owned(),
            reader: BufReader::with_capacity(CHUNK, file),
            columns: Vec::new(),
            line: Vec::new(),
            number: 0,
            whole: false,
            read: 0,
            size: about.len(),
        };
        sheet.read_header()?;
        Ok(sheet)
    }

    fn read_header(&mut self) -> anyhow::Result<()> {
        let name = self.path.display().to_string();
        let start = self.reader.fill_buf().with_context(|| format!("cannot read {name}"))?;
        let is = |magic: &[u8]| start.starts_with(magic);
        if start.is_empty() {
            bail!("{name} is empty; a feed has a header and at least one row");
        }
        if is(&[0x1f, 0x8b]) {
            bail!("{name} is compressed (gzip); unpack it first: gunzip -k {name}");
        }
        if is(b"PAR1") {
            bail!("{name} is a Parquet file, and this command reads CSV");
        }
        if is(&[0xff, 0xfe]) || is(&[0xfe, 0xff]) {
            bail!("{name} is UTF-16; save it as UTF-8");
        }
        if is(&[0xef, 0xbb, 0xbf]) {
            self.reader.consume(3);
            self.read += 3;
        }
        if !self.next_line()? {
            bail!("{name} has only blank lines; a feed has a header and at least one row");
        }
        let cells = self.cells()?;
        let columns: Vec<String> = cells.iter().map(|cell| cell.to_ascii_lowercase()).collect();
        if columns.len() == 1 && columns.iter().any(|column| column.contains([';', '\t'])) {
            bail!("{name} is not separated by commas; export it with `,` between the columns");
        }
        for (at, column) in columns.iter().enumerate() {
            if columns.iter().take(at).any(|earlier| earlier == column) && !column.is_empty() {
                bail!("{name}: the header has the column `{column}` twice");
            }
        }
        self.columns = columns;
        Ok(())
    }

    /// Where a column stands.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known == column)
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.place(column).is_some()
    }

    /// Where a column stands that the feed must have.
    pub(super) fn need(&self, column: &str, kind: &str) -> anyhow::Result<usize> {
        self.place(column).with_context(|| {
            format!(
                "{}: a {kind} file needs a column `{column}`; the header is `{}`",
                self.path.display(),
                self.header()
            )
        })
    }

    pub(super) fn header(&self) -> String {
        self.columns.join(",")
    }

    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes read and bytes in all, for progress.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.read, self.size)
    }

    /// Goes to the next line that is not blank; false at the end.
    pub(super) fn next_line(&mut self) -> anyhow::Result<bool> {
        loop {
            self.line.clear();
            let mut limited = self.reader.by_ref().take(LONGEST_LINE as u64);
            let got = limited
                .read_until(b'\n', &mut self.line)
                .with_context(|| format!("cannot read {}", self.path.display()))?;
            if got == 0 {
                return Ok(false);
            }
            self.read += got as u64;
            self.number += 1;
            self.whole = self.line.last() == Some(&b'\n');
            if self.whole {
                self.line.pop();
            } else if got == LONGEST_LINE {
                bail!("{}: the line is too long; this is no CSV feed", self.here());
            }
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
            if !self.line.iter().all(u8::is_ascii_whitespace) {
                return Ok(true);
            }
        }
    }

    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// `FILE, line N`
    pub(super) fn here(&self) -> String {
        format!("{}, line {}", self.path.display(), self.number)
    }

    /// The current line's cells, trimmed and unquoted.
    pub(super) fn cells(&self) -> anyhow::Result<Vec<Cow<'_, str>>> {
        let Ok(text) = std::str::from_utf8(&self.line) else {
            bail!("{}: the line is not UTF-8 text", self.here());
        };
        match split(text) {
            Some(cells) => Ok(cells),
            None => bail!("{}: a quotation mark is not closed, or stands in a cell", self.here()),
        }
    }

    /// The current row's cells: as many as the header has.
    pub(super) fn row(&self) -> anyhow::Result<Vec<Cow<'_, str>>> {
        let cells = self.cells()?;
        let (got, want) = (cells.len(), self.columns.len());
        if got < want && !self.whole {
            bail!(
                "{}: the last line is cut off ({got} of {want} columns); remove it, or fetch the \
                 file again",
                self.here()
            );
        }
        if got != want {
            bail!("{}: {got} columns where the header has {want}", self.here());
        }
        Ok(cells)
    }

    /// An error about one cell of the current line.
    pub(super) fn wrong(&self, column: &str, why: &str) -> anyhow::Error {
        anyhow::anyhow!("{}, column `{column}`: {why}", self.here())
    }
}

/// Splits a CSV line (RFC 4180 without line breaks inside cells). `None` for wrong quoting.
fn split(text: &str) -> Option<Vec<Cow<'_, str>>> {
    if !text.contains('"') {
        return Some(text.split(',').map(|cell| Cow::Borrowed(cell.trim())).collect());
    }
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, after) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (cell, after) = rest.split_at(end);
                if cell.contains('"') {
                    return None;
                }
                (Cow::Borrowed(cell.trim()), after)
            }
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return after.is_empty().then_some(cells),
        }
    }
}

/// The cell up to its closing quotation mark, and what follows (from the comma on).
fn unquote(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut from = 0;
    loop {
        let mark = from + text.get(from..)?.find('"')?;
        let after = text.get(mark + 1..)?;
        if after.starts_with('"') {
            from = mark + 2;
            continue;
        }
        let cell = text.get(..mark)?;
        let cell = if cell.contains('"') {
            Cow::Owned(cell.replace("\"\"", "\"").trim().to_owned())
        } else {
            Cow::Borrowed(cell.trim())
        };
        return Some((cell, after.trim_start()));
    }
}
