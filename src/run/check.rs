//! Looking at scripts without running them: each is compiled and loaded in a throw-away VM, and its
//! uses of `ctx` are held against the API's names.

use super::assemble::{DEFAULT_INSTRUMENT, look};
use super::options::CheckOptions;
use super::scripts::Scripts;
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

/// Everything there is to say about the scripts, in order of file and place.
///
/// # Errors
/// When a path does not exist.
pub fn check(options: &CheckOptions) -> anyhow::Result<Vec<Finding>> {
    let (scripts, found) = Scripts::find(&options.paths)?;
    let mut findings = Vec::new();
    for result in found {
        match result {
            Ok(candidate) => {
                let name = candidate.name.clone();
                let sources = candidate.sources.clone();
                if let Err(fault) = look(candidate, Some(DEFAULT_INSTRUMENT)) {
                    findings.push(Finding {
                        file: scripts.shown(&name, &fault.file),
                        line: fault.line.max(1),
                        column: fault.column.max(1),
                        level: "error",
                        message: fault.message,
                    });
                }
                for (file, text) in &sources {
                    let file = scripts.shown(&name, file);
                    findings.extend(api::uses(text).into_iter().map(|found| finding(&file, found)));
                }
            }
            Err(unreadable) => findings.push(Finding {
                file: unreadable.file.display().to_string(),
                line: 1,
                column: 1,
                level: "error",
                message: unreadable.error.to_string(),
            }),
        }
    }
    findings.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    findings.dedup();
    Ok(findings)
}

fn finding(file: &str, found: Use) -> Finding {
    let Use { line, column, message } = found;
    Finding { file: file.to_owned(), line, column, level: "error", message }
}
