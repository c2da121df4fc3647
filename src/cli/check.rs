//! `lunario check`: scripts compiled, checked and loaded in a throw-away VM.

use super::{Failure, Global, output, usage};
use crate::base::Plain;
use crate::run::check::{Finding, check};
use crate::run::options::{CheckOptions, Outcome, Output};
use crate::show::style::{Style, Tone};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Scripts and folders of scripts
    #[arg(default_value = "scripts")]
    paths: Vec<PathBuf>,
}

pub(super) fn main(args: Args, global: &Global) -> Result<Outcome, Failure> {
    if let Some(missing) = args.paths.iter().find(|path| !path.exists()) {
        return Err(usage(format!(
            "{} does not exist; name a script or a folder of scripts, or make one with \
             `lunario new NAME`",
            missing.display()
        )));
    }
    let config = global.load_config()?;
    start(CheckOptions { paths: args.paths, config, output: global.output() })
}

fn start(options: CheckOptions) -> Result<Outcome, Failure> {
    let checked = check(&options)?;
    if checked.strategies == 0 {
        let paths: Vec<String> = options.paths.iter().map(|p| p.display().to_string()).collect();
        return Err(usage(format!(
            "there is no script in {}; a script ends in .luau or .lua, and `lunario new NAME` \
             writes one",
            paths.join(", ")
        )));
    }
    let mut errors = 0;
    for finding in &checked.findings {
        errors += usize::from(finding.level == "error");
        output::line(&match options.output {
            Output::Json => finding.json(),
            Output::People { color } => finding.words(Style { color }),
        })?;
    }
    if let Output::People { .. } = options.output {
        let scripts = plural(checked.strategies, "script");
        match checked.findings.len() {
            0 => output::line(&format!("{scripts}, no findings"))?,
            found => output::line(&format!("{scripts}, {}", plural(found, "finding")))?,
        }
    }
    Ok(if errors > 0 { Outcome::Refused } else { Outcome::Done })
}

fn plural(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

impl Finding {
    fn json(&self) -> String {
        Plain::map(vec![
            ("file", Plain::text(self.file.as_str())),
            ("line", Plain::Int(i64::from(self.line))),
            ("column", Plain::Int(i64::from(self.column))),
            ("level", Plain::text(self.level)),
            ("message", Plain::text(self.message.as_str())),
        ])
        .json()
    }

    fn words(&self, style: Style) -> String {
        let tone = if self.level == "error" { Tone::Bad } else { Tone::Warn };
        let Finding { file, line, column, message, level } = self;
        format!("{file}:{line}:{column}: {} {message}", style.paint(tone, &format!("{level}:")))
    }
}
