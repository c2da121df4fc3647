//! The strategies of a folder on disk: which files they are, what they require, which of them a
//! save concerns. A file at the top of a folder is a strategy unless another strategy requires it;
//! files in folders below are modules.

use super::options::Unfit;
use crate::base::Time;
use crate::desk::{Fault, FaultKind};
use crate::edge::watch;
use crate::lua::{Candidate, GraphError, collect};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A script that could not be put together, with the name it would have had.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unreadable {
    pub name: String,
    pub file: PathBuf,
    pub error: GraphError,
}

impl Unreadable {
    /// The reason as a failure at its place; the file by its path in the scripts folder.
    #[must_use]
    pub fn fault(&self, at: Time) -> Fault {
        let (file, line) = match &self.error {
            GraphError::BadRequire { path, line, .. } => (path.clone(), *line),
            GraphError::Unreadable { path, .. } | GraphError::TooLarge { path, .. } => {
                (path.clone(), 0)
            }
            GraphError::TooMany { entry } => (entry.clone(), 0),
        };
        let whole = self.error.to_string();
        let message = whole
            .strip_prefix(&format!("{file}:{line}: "))
            .or(whole.strip_prefix(&format!("{file}: ")));
        Fault {
            kind: FaultKind::Error,
            handler: "load".into(),
            message: message.unwrap_or(&whole).to_owned(),
            file,
            line,
            column: u32::from(line > 0),
            traceback: String::new(),
            at,
        }
    }
}

/// A failure of a script as people read it: the file as they named it, and its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pointed {
    pub file: String,
    /// From 1, 0 where unknown; likewise `column`.
    pub line: u32,
    pub column: u32,
    pub message: String,
    pub source: Option<String>,
}

impl Pointed {
    /// A failure of `script` or of a file it requires, with the sources it was loaded from.
    #[must_use]
    pub fn new(fault: &Fault, sources: &BTreeMap<String, String>, script: &Path) -> Pointed {
        let file = script.parent().unwrap_or(Path::new("")).join(&fault.file);
        let known = sources.get(&fault.file).cloned();
        let source = known.or_else(|| watch::load_text(&file).ok());
        Pointed {
            file: file.display().to_string(),
            line: fault.line,
            column: fault.column,
            message: fault.message.clone(),
            source,
        }
    }
}

/// Where a strategy's sources are.
#[derive(Clone, Debug)]
struct Home {
    folder: PathBuf,
    entry: String,
    /// Every file of its module graph, as last collected.
    files: Vec<PathBuf>,
}

/// The strategies of some folders and files.
#[derive(Debug, Default)]
pub struct Scripts {
    folders: Vec<PathBuf>,
    homes: BTreeMap<String, Home>,
}

impl Scripts {
    /// The strategies found under the given paths, in order of name, and those that cannot be read.
    ///
    /// # Errors
    /// When a path does not exist or two strategies have one name.
    pub fn find(
        paths: &[PathBuf],
    ) -> anyhow::Result<(Scripts, Vec<Result<Candidate, Unreadable>>)> {
        let mut scripts = Scripts::default();
        let mut files = Vec::new();
        for path in paths {
            if path.is_dir() {
                scripts.folders.push(path.clone());
                let top = |file: &PathBuf| file.parent() == Some(path.as_path());
                files.extend(watch::scripts_in(path).into_iter().filter(top));
            } else if path.is_file() {
                files.push(path.clone());
            } else {
                anyhow::bail!(Unfit(format!(
                    "there is no {}; name a folder of strategies, or make one with `lunario new`",
                    path.display()
                )));
            }
        }
        let mut found = Vec::new();
        for file in files {
            if let Some(other) = scripts.homes.get(&name_of(&file)) {
                anyhow::bail!(Unfit(format!(
                    "{} and {} would both be the strategy {}; rename one",
                    other.folder.join(&other.entry).display(),
                    file.display(),
                    name_of(&file)
                )));
            }
            found.push(scripts.collect(&file));
        }
        let (modules, strategies): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|result| result.as_ref().is_ok_and(|one| scripts.is_required(one)));
        for module in modules.iter().flatten() {
            scripts.homes.remove(&module.name);
        }
        Ok((scripts, strategies))
    }

    /// What a save of `path` gives: the next version of each strategy it belongs to, or a new one.
    pub fn saved(&mut self, path: &Path) -> Vec<Result<Candidate, Unreadable>> {
        let uses = |home: &&Home| home.files.iter().any(|file| same(file, path));
        let concerned: Vec<PathBuf> =
            self.homes.values().filter(uses).map(|home| home.folder.join(&home.entry)).collect();
        if !concerned.is_empty() {
            return concerned.iter().map(|file| self.collect(file)).collect();
        }
        let top =
            self.folders.iter().any(|folder| path.parent().is_some_and(|up| same(up, folder)));
        if top && watch::is_script(path) { vec![self.collect(path)] } else { Vec::new() }
    }

    /// The names of all strategies, those that do not run included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.homes.keys().map(String::as_str)
    }

    /// A strategy's own file.
    #[must_use]
    pub fn file(&self, strategy: &str) -> Option<PathBuf> {
        self.homes.get(strategy).map(|home| home.folder.join(&home.entry))
    }

    /// The file of a strategy's graph as the user would name it.
    #[must_use]
    pub fn shown(&self, strategy: &str, file: &str) -> String {
        self.homes.get(strategy).map_or_else(
            || file.to_owned(),
            |home| home.folder.join(file).display().to_string().trim_start_matches("./").to_owned(),
        )
    }

    fn collect(&mut self, file: &Path) -> Result<Candidate, Unreadable> {
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let entry = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let name = name_of(file);
        let mut home = Home { folder: folder.clone(), entry: entry.clone(), files: Vec::new() };
        home.files.push(file.to_owned());
        let mut read = |path: &str| {
            let whole = folder.join(path);
            home.files.push(whole.clone());
            watch::load_text(&whole).map_err(|error| format!("{error:#}"))
        };
        let collected = collect(&entry, &mut read);
        home.files.dedup();
        self.homes.insert(name.clone(), home);
        collected.map_err(|error| Unreadable { name, file: file.to_owned(), error })
    }

    fn is_required(&self, candidate: &Candidate) -> bool {
        let Some(own) = self.homes.get(&candidate.name) else { return false };
        let file = own.folder.join(&own.entry);
        self.homes
            .iter()
            .filter(|(name, _)| **name != candidate.name)
            .any(|(_, home)| home.files.iter().any(|used| same(used, &file)))
    }
}

fn name_of(file: &Path) -> String {
    file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned()
}

/// Whether two paths are one file, whatever way they are written.
fn same(a: &Path, b: &Path) -> bool {
    if a == b {
        return true;
    }
    let real = |path: &Path| path.canonicalize().ok();
    matches!((real(a), real(b)), (Some(a), Some(b)) if a == b)
}
