//! Failures of loading and of hooks, with their place in the sources.
#![allow(clippy::wildcard_enum_match_arm, reason = "the VM's error type is an open list")]

use crate::base::Time;
use crate::desk::{Fault, FaultKind};
use crate::lua::graph::Candidate;
use crate::lua::{fault, load};

pub(super) fn plain_fault(candidate: &Candidate, handler: &str, why: &str, at: Time) -> Fault {
    let (line, column) = load::find_word(candidate, handler);
    Fault {
        kind: FaultKind::Error,
        handler: handler.to_owned(),
        message: why.to_owned(),
        file: candidate.entry.clone(),
        line,
        column,
        traceback: String::new(),
        at,
    }
}

pub(super) fn problem_fault(candidate: &Candidate, problem: &load::Problem, at: Time) -> Fault {
    let (line, column) = load::find_word(candidate, &problem.word);
    let made = plain_fault(candidate, "load", &problem.message, at);
    Fault { line, column, ..made }
}

/// A failure of the VM itself while it ran a file or a hook.
pub(super) fn load_fault(
    candidate: &Candidate,
    err: &mlua::Error,
    stopped: bool,
    at: Time,
) -> Fault {
    let text = deepest(err);
    let (message, trace) = text.split_once("\nstack traceback:").unwrap_or((&text, ""));
    let kind = match (stopped, message.contains("not enough memory")) {
        (true, _) => FaultKind::Budget,
        (false, true) => FaultKind::Memory,
        (false, false) => FaultKind::Error,
    };
    let mut made = fault::fault(kind, "load", message, trace, &candidate.sources, at);
    if made.line == 0 {
        made.file.clone_from(&candidate.entry);
        (made.line, made.column) = load::find_word(candidate, "return");
    }
    made
}

/// The script's own error inside mlua's wrappings.
pub(super) fn deepest(err: &mlua::Error) -> String {
    match err {
        mlua::Error::CallbackError { cause, traceback } => {
            format!("{}\nstack traceback:{traceback}", deepest(cause))
        }
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        mlua::Error::RuntimeError(message) => message.clone(),
        other => other.to_string(),
    }
}
