//! When a file counts as saved: the rules, without clock or files.

use crate::base::{Span, Time};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The hash of a file's content.
pub(super) type Token = [u8; 32];

/// What an event says of the writer.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Hint {
    /// It has written, and has not closed the file yet.
    Writing,
    /// It has closed or renamed the file, or nobody knows.
    Done,
}

/// The files and what is known of each.
#[derive(Debug)]
pub(super) struct Settle {
    quiet: Span,
    writing: Span,
    files: BTreeMap<PathBuf, File>,
}

#[derive(Debug, Default)]
struct File {
    reported: Option<Token>,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    /// The next read.
    due: Time,
    /// What the first read gave.
    first: Option<Token>,
}

impl Settle {
    pub(super) fn new(quiet: Span, writing: Span) -> Settle {
        Settle { quiet, writing, files: BTreeMap::new() }
    }

    /// This content counts as reported.
    pub(super) fn known(&mut self, path: &Path, content: Option<Token>) {
        self.files.insert(path.to_owned(), File { reported: content, pending: None });
    }

    /// Something happened to the file: it is read after half the quiet period, and again after the
    /// other half. While its writer has it open, it is left alone for a while.
    pub(super) fn stir(&mut self, path: &Path, hint: Hint, now: Time) {
        let wait = match hint {
            Hint::Writing => self.writing.max(self.half()),
            Hint::Done => self.half(),
        };
        let pending = Pending { due: now.plus(wait), first: None };
        self.files.entry(path.to_owned()).or_default().pending = Some(pending);
    }

    /// When the next read is due.
    pub(super) fn due(&self) -> Option<Time> {
        self.files.values().filter_map(|file| Some(file.pending.as_ref()?.due)).min()
    }

    /// The files to read now.
    pub(super) fn ready(&self, now: Time) -> Vec<PathBuf> {
        let due = |file: &File| file.pending.as_ref().is_some_and(|pending| pending.due <= now);
        self.files.iter().filter(|(_, file)| due(file)).map(|(path, _)| path.clone()).collect()
    }

    /// Takes what a read gave; true if it is a save to report. Nothing there (missing or empty)
    /// means that a save is under way: the events of its second half, or a walk, will stir the file
    /// again.
    pub(super) fn read(&mut self, path: &Path, content: Option<Token>, now: Time) -> bool {
        let half = self.half();
        let Some(file) = self.files.get_mut(path) else { return false };
        let Some(pending) = file.pending.take() else { return false };
        let Some(content) = content else { return false };
        if pending.first != Some(content) {
            file.pending = Some(Pending { due: now.plus(half), first: Some(content) });
            return false;
        }
        let is_new = file.reported != Some(content);
        file.reported = Some(content);
        is_new
    }

    fn half(&self) -> Span {
        Span::from_nanos(self.quiet.nanos() / 2)
    }
}
