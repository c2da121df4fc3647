//! A table of names and values in sections, as a backtest's summary is.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

/// Rows under a heading.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Section {
    pub title: String,
    pub rows: Vec<(String, String)>,
}

impl Section {
    #[must_use]
    pub fn new(title: &str) -> Section {
        Section { title: title.to_owned(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, name: &str, value: impl Into<String>) {
        self.rows.push((name.to_owned(), value.into()));
    }
}

/// The sections one under the other, names to the left, values to the right. Ends with a line
/// break.
#[must_use]
pub fn table(sections: &[Section]) -> String {
    let shown: Vec<&Section> = sections.iter().filter(|section| !section.rows.is_empty()).collect();
    let all = || shown.iter().flat_map(|section| &section.rows);
    let width = |texts: &mut dyn Iterator<Item = &String>| {
        texts.map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let names = width(&mut all().map(|(name, _)| name));
    let values = width(&mut all().map(|(_, value)| value));
    let mut out = String::new();
    for section in shown {
        let mut table = Table::new();
        table.load_style(NOTHING);
        for (name, value) in &section.rows {
            table.add_row([format!("{name:<names$}"), format!("{value:>values$}")]);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if !out.is_empty() {
            out.push('\n');
        }
        if !section.title.is_empty() {
            out.push_str(&section.title);
            out.push('\n');
        }
        out.push_str(&table.to_string());
        out.push('\n');
    }
    out
}
