//! Writing to stdout and stderr. A reader that has gone away (`| head`) is no failure.

use crate::edge::telemetry;
use std::io::{ErrorKind, Write};

/// Writes text to stdout as it is.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a line to stdout.
pub(super) fn line(text: &str) -> anyhow::Result<()> {
    print(&format!("{text}\n"))
}

/// Tells on stderr what went wrong.
pub(super) fn complain(text: &str) {
    let (red, plain) =
        if telemetry::colored_stderr() { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
    // There is nowhere left to tell that stderr is gone.
    drop(writeln!(std::io::stderr(), "{red}error{plain}: {text}"));
}
