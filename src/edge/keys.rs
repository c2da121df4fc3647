//! What belongs to an API key rather than to a state folder: its last tonce, and that one process
//! uses it at a time. A folder of the user holds one small file per key, named by the key's mark.
//!
//! Two processes with one key would burn each other's tonces (MB-F06, MB-P06), whatever state
//! folders they have; so the file is locked for as long as the process lives.

use crate::base::{Keep, Secret};
use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The folder of the keys of this user: `LUNARIO_KEYS`, or `lunario/keys` in the user's folder for
/// state.
///
/// # Errors
/// When no variable says where the user's files are.
pub fn folder() -> anyhow::Result<PathBuf> {
    folder_of(&super::config::variable)
}

fn folder_of(variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<PathBuf> {
    if let Some(named) = variable("LUNARIO_KEYS") {
        return Ok(PathBuf::from(named));
    }
    let state = match (variable("XDG_STATE_HOME"), variable("HOME")) {
        (Some(state), _) => PathBuf::from(state),
        (None, Some(home)) => Path::new(&home).join(".local/state"),
        (None, None) => bail!(
            "neither HOME nor XDG_STATE_HOME is set; name the folder for the tonces of API keys in \
             LUNARIO_KEYS"
        ),
    };
    Ok(state.join("lunario/keys"))
}

/// A short mark of a key that does not tell the key: 16 hex digits of its SHA-256.
#[must_use]
pub fn mark(key: &Secret) -> String {
    let digest = Sha256::digest(key.expose().as_bytes());
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// A key that this process alone uses, with the largest number that was kept for it.
#[derive(Debug)]
pub struct Held {
    name: String,
    path: PathBuf,
    file: File,
    last: i64,
}

impl Held {
    /// Takes a key of a venue. The folder is made (readable by this user only) if it is missing.
    ///
    /// # Errors
    /// When another process uses the key, or its file is damaged or cannot be made or locked.
    pub fn take(folder: &Path, venue: &str, key: &Secret) -> anyhow::Result<Held> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make the folder of keys {}", folder.display()))?;
        let mark = mark(key);
        let path = folder.join(format!("{venue}-{mark}"));
        let about = || path.display().to_string();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open {}", about()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another process trades on {venue} with the same key ({mark}); two would burn each \
                 other's tonces, so stop it or use another key"
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", about()));
            }
        }
        let mut text = String::new();
        (&file).read_to_string(&mut text).with_context(|| format!("cannot read {}", about()))?;
        let last = match text.trim() {
            "" => 0,
            number => number.parse().map_err(|_| {
                anyhow::anyhow!(
                    "{} does not hold a tonce; if the key was not used in the last hours, remove \
                     the file",
                    about()
                )
            })?,
        };
        if text.is_empty() {
            // The file's name must outlive a loss of power too.
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .with_context(|| format!("cannot write {}", folder.display()))?;
        }
        let name = format!("{venue}/tonce/{mark}");
        Ok(Held { name, path, file, last })
    }

    /// Under which name a session asks for its numbers to be kept: `mercadobitcoin/tonce/<mark>`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The largest number kept; 0 for a key that was never used.
    #[must_use]
    pub const fn last(&self) -> i64 {
        self.last
    }

    /// Puts a number on the disk; when this returns it survives a loss of power.
    ///
    /// # Errors
    /// When the number is another key's, is not larger than the last, or the disk fails.
    pub fn keep(&mut self, keep: &Keep) -> anyhow::Result<()> {
        if keep.name != self.name {
            bail!("{} is not held by this process", keep.name);
        }
        if keep.value <= self.last {
            bail!("{} after {} would repeat a tonce", keep.value, self.last);
        }
        // As many digits every time, so that one write replaces all of the last number.
        let text = format!("{:020}\n", keep.value);
        self.file
            .write_all_at(text.as_bytes(), 0)
            .and_then(|()| self.file.sync_data())
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        self.last = keep.value;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
