//! A version is a whole module graph: the script and every file it requires, and their hash.
//! Reading files is the caller's; this only asks for texts by path.

use crate::base::Version;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The largest source file that is looked at.
pub const MAX_SOURCE: usize = 1 << 20;
const MAX_FILES: usize = 200;

/// A strategy before it is trusted: its entry file and all sources by path, relative to the folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The strategy's name: the file's name without its ending.
    pub name: String,
    pub entry: String,
    pub sources: BTreeMap<String, String>,
    pub version: Version,
}

impl Candidate {
    /// The venues whose documented calls its sources mention: those that a run of it needs beside
    /// the ones that its instruments trade at.
    #[must_use]
    pub fn venues_called(&self) -> BTreeSet<&'static str> {
        self.sources.values().flat_map(|text| super::api::calls::venues(text)).collect()
    }
}

/// Why a candidate could not be put together.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GraphError {
    #[error("{path}: {why}")]
    Unreadable { path: String, why: String },
    #[error("{path}:{line}: require(\"{name}\"): {why}")]
    BadRequire { path: String, line: u32, name: String, why: String },
    #[error("{path}: {bytes} bytes; a source file has at most {MAX_SOURCE}")]
    TooLarge { path: String, bytes: usize },
    #[error("{entry} requires more than {MAX_FILES} files")]
    TooMany { entry: String },
}

/// Collects `entry` and all it requires. `read` gives a file's text by its path relative to the
/// scripts folder, or says why it cannot.
///
/// # Errors
/// When a file is missing, too large, or a required name leaves the folder.
pub fn collect(
    entry: &str,
    read: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Candidate, GraphError> {
    let mut sources = BTreeMap::new();
    let mut todo = vec![(entry.to_owned(), None::<(String, u32, String)>)];
    while let Some((path, from)) = todo.pop() {
        if sources.contains_key(&path) {
            continue;
        }
        if sources.len() >= MAX_FILES {
            return Err(GraphError::TooMany { entry: entry.to_owned() });
        }
        let text = read(&path).map_err(|why| match from {
            Some((path, line, name)) => GraphError::BadRequire { path, line, name, why },
            None => GraphError::Unreadable { path: path.clone(), why },
        })?;
        if text.len() > MAX_SOURCE {
            return Err(GraphError::TooLarge { path, bytes: text.len() });
        }
        for (line, name) in requires(&text) {
            if name.starts_with("@std/") {
                continue;
            }
            let origin = (path.clone(), line, name.clone());
            let wanted = resolve(&path, &name, |p| sources.contains_key(p) || read(p).is_ok());
            match wanted {
                Ok(next) => todo.push((next, Some(origin))),
                Err(why) => {
                    let (path, line, name) = origin;
                    return Err(GraphError::BadRequire { path, line, name, why });
                }
            }
        }
        sources.insert(path, text);
    }
    let version = hash(entry, &sources);
    let name = stem(entry).to_owned();
    Ok(Candidate { name, entry: entry.to_owned(), sources, version })
}

/// A candidate of one file, for scripts that come from elsewhere than a folder.
///
/// # Errors
/// As `collect`; the text can require only `@std/` modules.
pub fn single(path: &str, text: &str) -> Result<Candidate, GraphError> {
    collect(path, &mut |wanted| {
        if wanted == path { Ok(text.to_owned()) } else { Err("no such file".into()) }
    })
}

/// The file a required name means, seen from the file that requires it.
///
/// # Errors
/// When the name leaves the folder, has an unknown form, or no such file exists.
pub fn resolve(
    from: &str,
    name: &str,
    mut exists: impl FnMut(&str) -> bool,
) -> Result<String, String> {
    if name.starts_with("@std/") {
        return Ok(name.to_owned());
    }
    if !name.starts_with("./") && !name.starts_with("../") {
        return Err("names start with @std/ or ./".into());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err("it leaves the scripts folder".into());
                }
            }
            part => parts.push(part),
        }
    }
    let base = parts.join("/");
    let tries =
        [base.clone(), format!("{base}.luau"), format!("{base}.lua"), format!("{base}/init.luau")];
    let known = |path: &String| (path.ends_with(".luau") || path.ends_with(".lua")) && exists(path);
    tries.into_iter().find(known).ok_or_else(|| format!("there is no {base}.luau beside it"))
}

/// `require` calls with a literal name, with their lines. Comments and strings are passed over.
fn requires(text: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = text;
    let mut after_word = false;
    while let Some(c) = rest.chars().next() {
        let skipped = if let Some(comment) = rest.strip_prefix("--") {
            2 + long_bracket(comment).unwrap_or_else(|| comment.find('\n').unwrap_or(comment.len()))
        } else if c == '[' && long_bracket(rest).is_some() {
            long_bracket(rest).unwrap_or(1)
        } else if c == '"' || c == '\'' || c == '`' {
            quoted(rest, c)
        } else if !after_word && rest.starts_with("require") {
            if let Some(name) = literal_argument(rest.get(7..).unwrap_or_default()) {
                found.push((line, name));
            }
            7
        } else {
            c.len_utf8()
        };
        after_word = c.is_alphanumeric() || c == '_' || c == '.' || c == ':';
        let (passed, left) = rest.split_at_checked(skipped).unwrap_or((rest, ""));
        line += u32::try_from(passed.matches('\n').count()).unwrap_or(0);
        rest = left;
    }
    found
}

/// The length of `[[…]]` or `[=[…]=]` at the start of `text`.
pub(super) fn long_bracket(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('[')?;
    let level = inside.chars().take_while(|c| *c == '=').count();
    inside.get(level..)?.strip_prefix('[')?;
    let close = format!("]{}]", "=".repeat(level));
    let end = text.find(&close).map_or(text.len(), |at| at + close.len());
    Some(end)
}

/// The length of a quoted string at the start of `text`.
pub(super) fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            '\n' if quote != '`' => return at,
            _ => {}
        }
    }
    text.len()
}

fn literal_argument(text: &str) -> Option<String> {
    let text = text.trim_start();
    let text = text.strip_prefix('(').unwrap_or(text).trim_start();
    let quote = text.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    let inside = text.get(1..)?;
    inside.find(quote).and_then(|end| inside.get(..end)).map(str::to_owned)
}

fn hash(entry: &str, sources: &BTreeMap<String, String>) -> Version {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(bytes);
    };
    part(entry.as_bytes());
    for (path, text) in sources {
        part(path.as_bytes());
        part(text.as_bytes());
    }
    let digest = hasher.finalize();
    let text: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Version(Arc::from(text))
}

/// `scripts/ema_cross.luau` is the strategy `ema_cross`.
#[must_use]
pub fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".luau").or_else(|| file.strip_suffix(".lua")).unwrap_or(file)
}
