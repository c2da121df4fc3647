//! Watches script folders for saves. A file is reported when it has been quiet for a while and two
//! reads agree, and only if its content differs from what was last reported. Events of the system
//! are hints; a walk over the folders every two seconds finds what they miss.

mod settle;

use super::clock;
use super::inbox::{Input, Post};
use crate::base::{Span, Time};
use anyhow::{Context, bail};
use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use settle::{Hint, Settle, Token};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::SystemTime;

/// The largest script that is loaded.
pub const LARGEST_SCRIPT: u64 = 1 << 20;

/// How deep and how wide a scripts folder may be.
const DEEPEST: usize = 8;
const MOST_FILES: usize = 10_000;

/// System events that wait at most; when more come, a walk makes up for them.
const EVENTS: usize = 1024;

/// A walk that an unknown path asked for comes this soon, so that a burst causes one.
const SOON: Span = Span::from_millis(10);

/// How patient the watch is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Patience {
    /// How long a file must be quiet before it counts as saved.
    pub quiet: Span,
    /// How long a writer that has not closed the file is waited for.
    pub writing: Span,
    /// How often the folders are walked.
    pub walk: Span,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            quiet: Span::from_millis(100),
            writing: Span::from_secs(1),
            walk: Span::from_secs(2),
        }
    }
}

/// A running watch; dropping it ends it.
#[derive(Debug)]
pub struct Watch {
    events: SyncSender<Message>,
    ended: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Message {
    Event(notify::Result<notify::Event>),
    Wake,
}

impl Watch {
    /// Watches folders (with what is below them) and the folders of files, and posts
    /// `Input::Changed` with the path as it is reached from what was given here. What the files
    /// hold now counts as reported: start the watch before loading, so that no save falls in
    /// between.
    ///
    /// # Errors
    /// When a path does not exist or the system gives no thread. Where the system gives no events,
    /// the walks alone find the saves.
    pub fn start(paths: &[PathBuf], patience: Patience, post: Post) -> anyhow::Result<Watch> {
        let roots = roots(paths)?;
        let (events, received) = sync_channel(EVENTS);
        let (ended, lost) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let watcher = watcher(events.clone(), Arc::clone(&lost));
        let mut eye = Eye {
            roots,
            patience,
            post,
            watcher,
            watched: BTreeSet::new(),
            files: BTreeMap::new(),
            settle: Settle::new(patience.quiet, patience.writing),
            next_walk: Time::ZERO,
            ended: Arc::clone(&ended),
            lost,
        };
        eye.first_walk();
        std::thread::Builder::new()
            .name("lunario-watch".to_owned())
            .spawn(move || eye.run(&received))
            .context("cannot start a thread")?;
        Ok(Watch { events, ended })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // A full queue wakes the thread by itself.
        let _full = self.events.try_send(Message::Wake);
    }
}

/// A script's text: at most 1 MiB of UTF-8, without a byte-order mark.
///
/// # Errors
/// When the file cannot be read, is too large, or is not UTF-8 text.
pub fn load_text(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let bytes = read_capped(path).with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > LARGEST_SCRIPT {
        bail!("{name} is larger than 1 MiB, the most a script may have");
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
        anyhow::anyhow!("{name}:{line}: the file is not UTF-8 text; save it as UTF-8")
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Whether a path is a script by its name: `.luau` or `.lua`, not hidden.
#[must_use]
pub fn is_script(path: &Path) -> bool {
    !is_hidden(path) && path.extension().is_some_and(|ext| ext == "luau" || ext == "lua")
}

/// The scripts in a folder and below, sorted; hidden files and folders are passed over.
#[must_use]
pub fn scripts_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(folder, DEEPEST, &mut BTreeSet::new(), &mut found);
    found
}

/// At most one byte more than a script may have, so that the caller sees that it is too large.
fn read_capped(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_SCRIPT + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn roots(paths: &[PathBuf]) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut roots = BTreeSet::new();
    for path in paths {
        let about =
            std::fs::metadata(path).with_context(|| format!("cannot watch {}", path.display()))?;
        let folder = match path.parent() {
            Some(parent) if !about.is_dir() => parent,
            _ => path,
        };
        let here = folder.as_os_str().is_empty();
        roots.insert(if here { PathBuf::from(".") } else { folder.to_owned() });
    }
    Ok(roots)
}

/// Walks a folder in the order of names. Folders reached twice (through links) are walked once.
fn collect(folder: &Path, depth: usize, seen: &mut BTreeSet<PathBuf>, found: &mut Vec<PathBuf>) {
    let Ok(real) = folder.canonicalize() else { return };
    if depth == 0 || !seen.insert(real) {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if is_hidden(&path) || found.len() >= MOST_FILES {
            continue;
        }
        // Follows links; what vanished meanwhile is passed over.
        let Ok(about) = std::fs::metadata(&path) else { continue };
        if about.is_dir() {
            collect(&path, depth - 1, seen, found);
        } else if is_script(&path) {
            found.push(path);
        }
    }
}

fn watcher(events: SyncSender<Message>, lost: Arc<AtomicBool>) -> Option<RecommendedWatcher> {
    let tell = move |event| {
        if events.try_send(Message::Event(event)).is_err() {
            lost.store(true, Ordering::Relaxed);
        }
    };
    match notify::recommended_watcher(tell) {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!(%error, "no file events; saves are found every few seconds instead");
            None
        }
    }
}

/// What tells that a file may have changed, without reading it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    inode: u64,
    target: PathBuf,
}

/// A script as the last walk saw it.
#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    /// Its folder without links, and its name: where events of the file or of a link to it occur.
    place: PathBuf,
}

/// The watching thread.
struct Eye {
    roots: BTreeSet<PathBuf>,
    patience: Patience,
    post: Post,
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, Seen>,
    settle: Settle,
    next_walk: Time,
    ended: Arc<AtomicBool>,
    /// Events were dropped: walk.
    lost: Arc<AtomicBool>,
}

impl Eye {
    fn run(&mut self, events: &Receiver<Message>) {
        while !self.ended.load(Ordering::Relaxed) {
            let due = self.settle.due().map_or(self.next_walk, |due| due.min(self.next_walk));
            match events.recv_timeout(clock::until(due)) {
                Ok(Message::Event(Ok(event))) => self.event(&event),
                Ok(Message::Event(Err(error))) => {
                    tracing::debug!(%error, "a file event failed");
                    self.walk_soon();
                }
                Ok(Message::Wake) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = clock::now();
            if self.lost.swap(false, Ordering::Relaxed) || now >= self.next_walk {
                self.walk(now);
            }
            if self.look(now).is_err() {
                return;
            }
        }
    }

    /// Reads what is due, and reports what is saved.
    fn look(&mut self, now: Time) -> Result<(), super::inbox::Gone> {
        for path in self.settle.ready(now) {
            let content = token(&path);
            if self.settle.read(&path, content, now) {
                self.post.send_blocking(clock::now(), Input::Changed { path })?;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: &notify::Event) {
        if event.need_rescan() {
            self.walk_soon();
        }
        let Some(hint) = hint(event.kind) else { return };
        let now = clock::now();
        for path in &event.paths {
            let known: Vec<PathBuf> = self
                .files
                .iter()
                .filter(|(_, seen)| seen.place == *path || seen.stamp.target == *path)
                .map(|(shown, _)| shown.clone())
                .collect();
            for shown in &known {
                self.settle.stir(shown, hint, now);
            }
            // A new script, or a folder that may have come with scripts in it.
            if known.is_empty() && (is_script(path) || path.is_dir()) && !is_hidden(path) {
                self.walk_soon();
            }
        }
    }

    fn walk_soon(&mut self) {
        self.next_walk = self.next_walk.min(clock::now().plus(SOON));
    }

    /// What stands in the folders at the start counts as reported.
    fn first_walk(&mut self) {
        let now = clock::now();
        self.walk(now);
        for path in self.files.keys() {
            self.settle.known(path, token(path));
        }
    }

    /// Finds new files and changed stamps, and keeps the system's watches on every folder involved.
    fn walk(&mut self, now: Time) {
        self.next_walk = now.plus(self.patience.walk);
        let mut folders = BTreeSet::new();
        let mut found = BTreeMap::new();
        for root in &self.roots {
            folders.extend(root.canonicalize());
            for path in scripts_in(root) {
                let Some(seen) = look_at(&path) else { continue };
                folders.extend(seen.place.parent().map(Path::to_owned));
                folders.extend(seen.stamp.target.parent().map(Path::to_owned));
                found.insert(path, seen);
            }
        }
        for (path, seen) in &found {
            if self.files.get(path).is_none_or(|before| before.stamp != seen.stamp) {
                self.settle.stir(path, Hint::Done, now);
            }
        }
        self.files = found;
        self.watch_folders(folders);
    }

    fn watch_folders(&mut self, folders: BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        let roots: Vec<PathBuf> =
            self.roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
        let mut now_watched = BTreeSet::new();
        for folder in folders {
            let below_root = roots.iter().any(|root| folder.starts_with(root) && folder != *root);
            if below_root {
                // The root is watched with all that is below it.
                continue;
            }
            let mode = if roots.contains(&folder) {
                RecursiveMode::Recursive
            } else {
                RecursiveMode::NonRecursive
            };
            if !self.watched.contains(&folder)
                && let Err(error) = watcher.watch(&folder, mode)
            {
                tracing::warn!(%error, folder = %folder.display(), "no file events for a folder");
                continue;
            }
            now_watched.insert(folder);
        }
        for folder in self.watched.difference(&now_watched) {
            // Gone with the folder, mostly.
            drop(watcher.unwatch(folder));
        }
        self.watched = now_watched;
    }
}

/// What an event says about the file; `None` for reading it, which causes events too.
fn hint(kind: EventKind) -> Option<Hint> {
    // Only Linux tells when a writer closes the file; elsewhere the quiet period must do.
    let writing = if cfg!(target_os = "linux") { Hint::Writing } else { Hint::Done };
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Hint::Done),
        EventKind::Access(_) => None,
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)) => Some(writing),
        EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Any | EventKind::Other => {
            Some(Hint::Done)
        }
    }
}

fn look_at(path: &Path) -> Option<Seen> {
    use std::os::unix::fs::MetadataExt;
    let about = std::fs::metadata(path).ok()?;
    let place = path.parent()?.canonicalize().ok()?.join(path.file_name()?);
    let stamp = Stamp {
        modified: about.modified().ok(),
        len: about.len(),
        inode: about.ino(),
        target: path.canonicalize().ok()?,
    };
    Some(Seen { stamp, place })
}

/// The content's hash; `None` for a file that is missing, unreadable or empty.
fn token(path: &Path) -> Option<Token> {
    let bytes = read_capped(path).ok().filter(|bytes| !bytes.is_empty())?;
    Some(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests;
