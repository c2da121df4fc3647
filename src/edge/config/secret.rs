//! Where a password comes from. It is read when it is needed, and never kept in the configuration.

use crate::base::Secret;
use anyhow::{Context, bail};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A place that holds a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PasswordSource {
    /// A variable of the environment.
    Env(String),
    /// A file that only its owner can read; a line break at its end does not count.
    File(PathBuf),
}

impl PasswordSource {
    /// Reads the password.
    ///
    /// # Errors
    /// When the variable is not set, or the file is missing, empty, or readable by others.
    pub fn read(&self) -> anyhow::Result<Secret> {
        match self {
            PasswordSource::Env(name) => match super::variable(name) {
                Some(value) => Ok(Secret::new(value)),
                None => bail!("the variable {name}, which should hold the password, is not set"),
            },
            PasswordSource::File(path) => {
                let name = path.display();
                let about = std::fs::metadata(path)
                    .with_context(|| format!("cannot read the password file {name}"))?;
                if about.mode() & 0o077 != 0 {
                    bail!("others can read the password file {name}; run: chmod 600 {name}");
                }
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the password file {name}"))?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                let text = text.strip_suffix('\r').unwrap_or(text);
                if text.is_empty() {
                    bail!("the password file {name} is empty");
                }
                Ok(Secret::new(text))
            }
        }
    }
}
