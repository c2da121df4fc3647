//! The log: lines on stderr for people, or one JSON object per line.

use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

/// How much is logged.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Warnings and errors, and the notices of a run.
    #[default]
    Normal,
    /// What is done, step by step.
    Verbose,
    /// Every detail.
    Debug,
}

impl Verbosity {
    fn level(self) -> LevelFilter {
        match self {
            Verbosity::Quiet => LevelFilter::ERROR,
            Verbosity::Normal => LevelFilter::WARN,
            Verbosity::Verbose => LevelFilter::INFO,
            Verbosity::Debug => LevelFilter::DEBUG,
        }
    }
}

/// How a log line looks.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Form {
    #[default]
    People,
    Json,
}

/// Starts logging to stderr; a second call changes nothing.
pub fn start(verbosity: Verbosity, form: Form) {
    let builder = fmt().with_max_level(verbosity.level()).with_writer(std::io::stderr);
    let done = match form {
        Form::Json => builder.json().with_ansi(false).try_init(),
        Form::People => builder.with_target(false).with_ansi(colored_stderr()).try_init(),
    };
    if done.is_err() {
        tracing::debug!("logging had been started before");
    }
}

/// Whether stderr may be colored: a terminal, or `CLICOLOR_FORCE` set, and `NO_COLOR` not set
/// (<https://no-color.org>, <https://bixense.com/clicolors>).
#[must_use]
pub fn colored_stderr() -> bool {
    colored(std::io::stderr().is_terminal())
}

/// Whether stdout may be colored.
#[must_use]
pub fn colored_stdout() -> bool {
    colored(std::io::stdout().is_terminal())
}

fn colored(terminal: bool) -> bool {
    let forced = super::config::variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    (terminal || forced) && super::config::variable("NO_COLOR").is_none()
}
