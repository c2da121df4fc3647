//! Writing to stdout and stderr. A reader that has gone away (`| head`) is no failure.

use crate::edge::telemetry;
use crate::run::options::Output;
use std::io::{ErrorKind, IsTerminal, Write};

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

/// Tells on stderr what may be wrong.
pub(super) fn warn(text: &str) {
    let (yellow, plain) =
        if telemetry::colored_stderr() { ("\u{1b}[1;33m", "\u{1b}[0m") } else { ("", "") };
    tell(&format!("{yellow}warning{plain}: {text}"));
}

/// Writes text to stderr as it is.
pub(super) fn tell(text: &str) {
    // There is nowhere left to tell that stderr is gone.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Answers Ctrl-C where a person pressed it, on a line of its own.
pub(super) fn interrupted(output: Output) {
    if matches!(output, Output::People { .. }) && std::io::stderr().is_terminal() {
        tell("\ninterrupted: open orders are canceled; Ctrl-C again ends at once");
    }
}

/// A progress bar on stderr, for long work that a person waits for.
pub(super) struct Progress {
    bar: Option<indicatif::ProgressBar>,
}

impl Progress {
    /// A bar where stderr is a terminal and stdout is for people; else nothing.
    pub(super) fn start(output: Output) -> Progress {
        let wanted = matches!(output, Output::People { .. }) && std::io::stderr().is_terminal();
        let bar = wanted.then(|| {
            let bar = indicatif::ProgressBar::new(1_000);
            let style = indicatif::ProgressStyle::with_template(
                "{bar:40} {percent}%  {elapsed} passed, {eta} left",
            );
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        });
        Progress { bar }
    }

    /// Shows how much is done, from 0 to 1.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    pub(super) fn show(&mut self, done: f64) {
        if let Some(bar) = &self.bar {
            bar.set_position((done.clamp(0.0, 1.0) * 1_000.0) as u64);
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
