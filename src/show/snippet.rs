//! An error at its place: the message, `file:line:column`, the source line and a caret under it.

use super::events::Place;
use super::style::{Style, Tone};

/// The longest part of a source line that is shown.
const WIDEST: usize = 160;

/// What a tab is shown as, so that the caret lines up.
const TAB: &str = "    ";

/// The error with its source line, if `source` (the file's text) has one there. Ends without a line
/// break.
#[must_use]
pub fn snippet(place: &Place, message: &str, source: Option<&str>, style: Style) -> String {
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    let mut out = format!("{} {first}", style.paint(Tone::Bad, "error:"));
    for more in lines {
        out.push_str(&format!("\n       {more}"));
    }
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let arrow = style.paint(Tone::Note, "-->");
    out.push_str(&format!("\n{margin}{arrow} {place}"));
    let at = usize::try_from(place.line).ok().and_then(|line| line.checked_sub(1));
    let Some(line) = at.and_then(|at| source?.lines().nth(at)) else { return out };
    let bar = style.paint(Tone::Note, "|");
    let shown: String = line.chars().take(WIDEST).collect::<String>().replace('\t', TAB);
    let number = style.paint(Tone::Note, &number);
    out.push_str(&format!("\n{margin} {bar}\n{number} {bar} {shown}"));
    if let Some(pad) = pad(line, place.column) {
        let caret = style.paint(Tone::Bad, "^");
        out.push_str(&format!("\n{margin} {bar} {pad}{caret}"));
    }
    out
}

/// What stands before the caret.
fn pad(line: &str, column: u32) -> Option<String> {
    let before = usize::try_from(column.checked_sub(1)?).ok()?;
    if before > line.chars().count().min(WIDEST) {
        return None;
    }
    Some(line.chars().take(before).map(|c| if c == '\t' { TAB } else { " " }).collect())
}
