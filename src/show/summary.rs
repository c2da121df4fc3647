//! What stands at the end: sections of names and values, as a backtest's summary has them, and a
//! table with a heading, as a run's has.

use super::style::{Style, Tone};

/// The widest line of a section of words.
const WIDEST: usize = 98;

/// Rows under a heading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    pub title: String,
    kind: Kind,
    rows: Vec<(String, Cell)>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// Aligned to the right, in one column over all sections.
    Figures,
    /// Aligned to the left, broken into lines.
    Words,
}

/// A text with its color.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cell {
    text: String,
    tone: Option<Tone>,
}

impl Cell {
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), tone: None }
    }

    #[must_use]
    pub fn toned(text: impl Into<String>, tone: Tone) -> Cell {
        Cell { text: text.into(), tone: Some(tone) }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    fn left(&self, width: usize, style: Style) -> String {
        self.painted(&format!("{:<width$}", self.text), style)
    }

    fn right(&self, width: usize, style: Style) -> String {
        self.painted(&format!("{:>width$}", self.text), style)
    }

    fn painted(&self, text: &str, style: Style) -> String {
        match self.tone {
            Some(tone) => style.paint(tone, text),
            None => text.to_owned(),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::plain(text)
    }
}

impl Section {
    /// A section of figures.
    #[must_use]
    pub fn figures(title: &str) -> Section {
        Section { title: title.to_owned(), kind: Kind::Figures, rows: Vec::new() }
    }

    /// A section of words.
    #[must_use]
    pub fn words(title: &str) -> Section {
        Section { title: title.to_owned(), kind: Kind::Words, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, name: &str, value: impl Into<Cell>) {
        self.rows.push((name.to_owned(), value.into()));
    }
}

/// The sections one under the other; those without rows are left out. Ends with a line break.
#[must_use]
pub fn sections(sections: &[Section], style: Style) -> String {
    let shown: Vec<&Section> = sections.iter().filter(|section| !section.rows.is_empty()).collect();
    let names = shown.iter().flat_map(|section| &section.rows);
    let names = names.map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let figures = shown.iter().filter(|section| section.kind == Kind::Figures);
    let figures = figures.flat_map(|section| &section.rows);
    let figures = figures.map(|(_, value)| value.width()).max().unwrap_or(0);
    let mut out = String::new();
    for section in shown {
        if !out.is_empty() {
            out.push('\n');
        }
        if !section.title.is_empty() {
            out.push_str(&style.paint(Tone::Strong, &section.title));
            out.push('\n');
        }
        for (name, value) in &section.rows {
            out.push_str(&format!("  {name:<names$}  "));
            match section.kind {
                Kind::Figures => out.push_str(&value.right(figures, style)),
                Kind::Words => {
                    let lines = broken(&value.text, WIDEST - names - 4);
                    let margin = format!("\n{}", " ".repeat(names + 4));
                    let lines = lines.iter().map(|line| value.painted(line, style));
                    out.push_str(&lines.collect::<Vec<String>>().join(&margin));
                }
            }
            out.push('\n');
        }
    }
    out
}

/// A text in lines of at most so many characters, broken between words.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A table with a heading over each column; the first is aligned to the left, the others to the
/// right. Ends with a line break.
#[must_use]
pub fn table(heading: &[&str], rows: &[Vec<Cell>], style: Style) -> String {
    let heading: Vec<Cell> = heading.iter().map(|text| Cell::toned(*text, Tone::Faint)).collect();
    let all = || std::iter::once(&heading).chain(rows);
    let width = |at: usize| all().filter_map(|row| row.get(at)).map(Cell::width).max().unwrap_or(0);
    let mut out = String::new();
    for row in all() {
        let cells = row.iter().enumerate().map(|(at, cell)| match at {
            0 => cell.left(width(at), style),
            _ => cell.right(width(at), style),
        });
        out.push_str(&cells.collect::<Vec<String>>().join("  "));
        out.push('\n');
    }
    out
}
