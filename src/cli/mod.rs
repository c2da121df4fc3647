//! The command line, one file per verb: arguments in, text or JSON out, and the exit code.

mod args;
mod backtest;
mod check;
mod completions;
mod journal;
mod new;
mod output;
mod run;
mod status;
mod told;
mod venue;

use crate::edge::config::{self, Config};
use crate::edge::telemetry::{self, Form, Verbosity};
use crate::run::control::Question;
use crate::run::options::{Outcome, Output, Unfit};
use crate::run::scripts::Pointed;
use crate::show::events::Place;
use crate::show::snippet;
use crate::show::style::Style;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Trading strategies in Lua that you edit while they trade.
#[derive(Parser, Debug)]
#[command(name = "lunario", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done; 1 the work failed; 2 bad usage or configuration; \
    3 a script was refused; 4 a limit or a halt stopped the run; 130 interrupted.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb understands.
#[derive(clap::Args, Debug)]
struct Global {
    /// Print JSON on stdout (one object, or one per line for streams) and nothing else there
    #[arg(long, global = true)]
    json: bool,
    /// Log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Log what is done; twice for every detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// The configuration [default: ./lunario.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "LUNARIO_CONFIG")]
    config: Option<PathBuf>,
}

impl Global {
    fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::People { color: telemetry::colored_stdout() } }
    }

    fn load_config(&self) -> Result<Config, Failure> {
        Config::load(self.config.as_deref()).map_err(Failure::Usage)
    }

    fn start_log(&self) {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Debug,
        };
        let json = config::variable("LUNARIO_LOG").is_some_and(|form| form == "json");
        telemetry::start(verbosity, if json { Form::Json } else { Form::People });
    }
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Write a documented strategy, a configuration and editor settings into a new folder
    New(new::Args),
    /// Compile, check and load scripts in a throw-away VM
    Check(check::Args),
    /// Run the strategies of a folder, reloading on save; on paper unless --live
    Run(Box<run::Args>),
    /// Run a strategy over recorded trades
    Backtest(Box<backtest::Args>),
    /// Serve the simulated FlowBTC, Mercado Bitcoin and Sentra on loopback
    Venue(Box<venue::Args>),
    /// Ask a running engine how it stands: strategies, venues, what each rate lane has left
    Status(status::Args),
    /// Ask a running engine for its open orders
    Orders(status::Args),
    /// Ask a running engine for its positions
    Positions(status::Args),
    /// Look into the order journal
    Journal(journal::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// How a verb failed.
#[derive(Debug)]
enum Failure {
    /// Wrong arguments or configuration.
    Usage(anyhow::Error),
    /// The work itself.
    Work(anyhow::Error),
    /// The work itself, and it has been told.
    Told,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        if error.is::<Unfit>() { Failure::Usage(error) } else { Failure::Work(error) }
    }
}

/// A wrong argument, in words.
fn usage(why: impl std::fmt::Display) -> Failure {
    Failure::Usage(anyhow::anyhow!("{why}"))
}

/// Parses the arguments, runs the verb, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no failure.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE };
        }
    };
    cli.global.start_log();
    ExitCode::from(code(&dispatch(cli)))
}

fn dispatch(cli: Cli) -> Result<Outcome, Failure> {
    let global = cli.global;
    match cli.verb {
        Verb::New(args) => new::main(&args, &global),
        Verb::Check(args) => check::main(args, &global),
        Verb::Run(args) => run::main(*args, &global),
        Verb::Backtest(args) => backtest::main(*args, &global),
        Verb::Venue(args) => venue::main(*args, &global),
        Verb::Status(args) => status::main(Question::Status, &args, &global),
        Verb::Orders(args) => status::main(Question::Orders, &args, &global),
        Verb::Positions(args) => status::main(Question::Positions, &args, &global),
        Verb::Journal(args) => journal::main(&args, &global),
        Verb::Completions(args) => completions::main(&args),
    }
}

/// The exit code, after telling what went wrong on stderr: one screen, without a backtrace.
fn code(result: &Result<Outcome, Failure>) -> u8 {
    match result {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Refused) => 3,
        Ok(Outcome::Halted) => 4,
        Ok(Outcome::Interrupted) => 130,
        Err(Failure::Told) => 1,
        Err(Failure::Work(error)) => {
            output::complain(&format!("{error:#}"));
            1
        }
        Err(Failure::Usage(error)) => {
            output::complain(&format!("{error:#}"));
            2
        }
    }
}

/// Tells a script's failure with its place and the line itself.
fn complain_of(pointed: &Pointed) {
    let color = telemetry::colored_stderr();
    let Pointed { file, line, column, message, source } = pointed;
    let place = Place { file: file.clone(), line: *line, column: *column };
    output::tell(&snippet::snippet(&place, message, source.as_deref(), Style { color }));
}

/// A file that an argument names.
fn existing(path: &Path, flag: &str) -> Result<(), Failure> {
    if path.is_dir() {
        return Err(usage(format!("{flag}: {} is a folder; name a file", path.display())));
    }
    if !path.exists() {
        return Err(usage(format!("{flag}: there is no file {}", path.display())));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
