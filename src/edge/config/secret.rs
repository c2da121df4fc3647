//! Where a secret comes from: a password, a key, a token, an e-mail. It is read when it is needed,
//! and never kept in the configuration.

use crate::base::Secret;
use anyhow::{Context, bail};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A place that holds a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretSource {
    /// A variable of the environment.
    Env(String),
    /// A file that only its owner can read; a line break at its end does not count.
    File(PathBuf),
}

impl SecretSource {
    /// Reads the secret; `what` it is in errors: `password`.
    ///
    /// # Errors
    /// When the variable is not set, or the file is missing, empty, or readable by others.
    pub fn read(&self, what: &str) -> anyhow::Result<Secret> {
        match self {
            SecretSource::Env(name) => match super::variable(name) {
                Some(value) => Ok(Secret::new(value)),
                None => bail!("the variable {name}, which should hold the {what}, is not set"),
            },
            SecretSource::File(path) => {
                let name = path.display();
                let about = std::fs::metadata(path)
                    .with_context(|| format!("cannot read the {what} file {name}"))?;
                if about.mode() & 0o077 != 0 {
                    bail!("others can read the {what} file {name}; run: chmod 600 {name}");
                }
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the {what} file {name}"))?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                let text = text.strip_suffix('\r').unwrap_or(text);
                if text.is_empty() {
                    bail!("the {what} file {name} is empty");
                }
                Ok(Secret::new(text))
            }
        }
    }
}

/// What people call the secret of a key of the file.
pub(super) fn word(key: &str) -> &str {
    match key {
        "api_key" => "API key",
        "api_secret" => "API key's secret",
        "totp" => "secret of the second factor",
        "token" => "session token",
        "email" => "e-mail",
        other => other,
    }
}
