//! Looking at scripts without running them: each is compiled and loaded in a throw-away VM, and its
//! uses of `ctx` are held against the API's names.

use super::assemble::{DEFAULT_INSTRUMENT, look};
use super::options::CheckOptions;
use super::scripts::Scripts;
use crate::base::Time;
use crate::desk::Fault;
use crate::lua::api::{self, Use};

/// Something to say about a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub file: String,
    /// From 1.
    pub line: u32,
    pub column: u32,
    /// `error` or `warning`.
    pub level: &'static str,
    pub message: String,
}

/// What was looked at, and everything there is to say about it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// How many strategies there are.
    pub strategies: usize,
    /// In order of file and place.
    pub findings: Vec<Finding>,
}

/// Looks at the scripts.
///
/// # Errors
/// When a path does not exist.
pub fn check(options: &CheckOptions) -> anyhow::Result<Checked> {
    let (scripts, found) = Scripts::find(&options.paths)?;
    let strategies = found.len();
    let mut findings = Vec::new();
    for result in found {
        match result {
            Ok(candidate) => {
                let name = candidate.name.clone();
                let sources = candidate.sources.clone();
                if let Err(fault) = look(candidate, Some(DEFAULT_INSTRUMENT)) {
                    findings.push(found_at(scripts.shown(&name, &fault.file), *fault));
                }
                for (file, text) in &sources {
                    let file = scripts.shown(&name, file);
                    findings.extend(api::uses(text).into_iter().map(|found| finding(&file, found)));
                }
            }
            Err(unreadable) => {
                let fault = unreadable.fault(Time::ZERO);
                findings.push(found_at(scripts.shown(&unreadable.name, &fault.file), fault));
            }
        }
    }
    findings.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    findings.dedup();
    Ok(Checked { strategies, findings })
}

fn found_at(file: String, fault: Fault) -> Finding {
    let (line, column) = (fault.line.max(1), fault.column.max(1));
    Finding { file, line, column, level: "error", message: fault.message }
}

fn finding(file: &str, found: Use) -> Finding {
    let Use { line, column, message } = found;
    Finding { file: file.to_owned(), line, column, level: "error", message }
}
