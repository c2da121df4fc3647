//! A plain table: headings, rows, numbers to the right.

use super::style::{Style, Tone};

/// The rows under their headings; columns of numbers are aligned to the right. Ends with a line
/// break.
#[must_use]
pub fn grid(headings: &[&str], rows: &[Vec<String>], style: Style) -> String {
    let columns: Vec<(usize, bool)> = headings
        .iter()
        .enumerate()
        .map(|(at, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            let width = cells.clone().map(|cell| cell.chars().count()).max().unwrap_or(0);
            let numbers = cells.filter(|cell| !cell.is_empty());
            let right = rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()))
                && numbers.clone().all(|cell| cell.parse::<f64>().is_ok());
            (width.max(heading.chars().count()), right)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&columns).map(|(cell, (width, right))| match right {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
        padded.collect::<Vec<String>>().join("  ").trim_end().to_owned()
    };
    let mut text = style.paint(Tone::Faint, &line(&mut headings.iter().copied()));
    text.push('\n');
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
        text.push('\n');
    }
    text
}
