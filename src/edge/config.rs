//! `lunario.toml`, the `LUNARIO_*` variables that override it, and secrets. Money is written as
//! text; an unknown key is an error that names the nearest known one.

mod environment;
mod explain;
mod grants;
mod limits;
mod secret;
mod venues;

use super::journal::Policy;
use crate::base::{Plain, Span};
use anyhow::Context;
use explain::{explain, line_at};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

pub use grants::Withdrawals;
pub use limits::{Limits, LimitsSection};
pub use secret::SecretSource;
pub use venues::{FlowBtc, MercadoBitcoin, Sentra, is_loopback, web_address};

/// Where the configuration is looked for when none is named.
pub const DEFAULT_FILE: &str = "lunario.toml";

/// Everything that is configured. The default is what a run without a file has.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// The file it came from, if there was one.
    pub file: Option<PathBuf>,
    pub flowbtc: FlowBtc,
    /// `None`: nothing is said about it, so the run does not use it.
    pub mercadobitcoin: Option<MercadoBitcoin>,
    pub sentra: Option<Sentra>,
    /// `[live] enabled`: `run --live` is allowed.
    pub live: bool,
    pub limits: LimitsSection,
    pub journal: Policy,
    pub budget: Budget,
    /// `[grants.<strategy>]`: calls beyond trading that a strategy may make, as written:
    /// `flowbtc.LogOut`.
    pub grants: BTreeMap<String, BTreeSet<String>>,
    pub withdrawals: Withdrawals,
    /// `[params.<strategy>]`, in the file's order.
    pub params: BTreeMap<String, Vec<(String, Plain)>>,
}

/// `[budget]`: what one strategy may use. `None` leaves the host's own bound.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Budget {
    /// How long one handler may run.
    pub handler: Option<Span>,
    /// How much memory the strategy's VM may take, in bytes.
    pub memory: Option<usize>,
}

impl Config {
    /// Reads the file, or `lunario.toml` in this folder if there is one, then the environment.
    ///
    /// # Errors
    /// When a named file is missing, or anything in it is wrong; with file and line.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Config> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let mut config = match std::fs::read_to_string(path) {
            Ok(text) => Config::parse(&text, path)?,
            Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Config::default()
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        environment::overlay(&mut config, &variable)?;
        Ok(config)
    }

    /// Reads the text of a configuration; `path` is its name in errors, and relative paths in it
    /// start from its folder.
    ///
    /// # Errors
    /// When anything in it is wrong.
    pub fn parse(text: &str, path: &Path) -> anyhow::Result<Config> {
        let raw: Raw = toml::from_str(text).map_err(|error| explain(text, path, &error))?;
        raw.config(text, path)
    }
}

/// A variable of the environment; one that is empty counts as not set.
#[allow(clippy::disallowed_methods, reason = "this is the file that may read the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn policy_of(word: &str) -> Option<Policy> {
    match word {
        "group" => Some(Policy::Group),
        "strict" => Some(Policy::Strict),
        _ => None,
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    venues: venues::Raw,
    live: RawLive,
    limits: LimitsSection,
    journal: RawJournal,
    budget: RawBudget,
    grants: BTreeMap<String, grants::Raw>,
    withdrawals: Withdrawals,
    params: BTreeMap<String, toml::Table>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawLive {
    enabled: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawJournal {
    policy: Option<toml::Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawBudget {
    handler_ms: Option<toml::Spanned<u32>>,
    memory_mb: Option<toml::Spanned<u32>>,
}

impl Raw {
    fn config(self, text: &str, path: &Path) -> anyhow::Result<Config> {
        let wrong = |span: Range<usize>, why: String| {
            anyhow::anyhow!("{}:{}: {why}", path.display(), line_at(text, span.start))
        };
        let mut config = Config { file: Some(path.to_owned()), ..Config::default() };
        self.venues.into_config(&mut config, path, &wrong)?;
        config.grants = self.grants.into_iter().map(|(name, raw)| (name, raw.calls)).collect();
        config.withdrawals = self.withdrawals;
        config.live = self.live.enabled;
        config.limits = self.limits;
        if let Some(policy) = self.journal.policy {
            let word = policy.get_ref();
            let Some(known) = policy_of(word) else {
                let why = format!("journal.policy is `{word}`; it is \"group\" or \"strict\"");
                return Err(wrong(policy.span(), why));
            };
            config.journal = known;
        }
        if let Some(millis) = self.budget.handler_ms {
            if *millis.get_ref() == 0 {
                return Err(wrong(millis.span(), "handler_ms is at least 1".to_owned()));
            }
            config.budget.handler = Some(Span::from_millis(i64::from(*millis.get_ref())));
        }
        if let Some(megabytes) = self.budget.memory_mb {
            if *megabytes.get_ref() == 0 {
                return Err(wrong(megabytes.span(), "memory_mb is at least 1".to_owned()));
            }
            config.budget.memory = usize::try_from(u64::from(*megabytes.get_ref()) << 20).ok();
        }
        for (strategy, table) in self.params {
            let values = table.into_iter().map(|(name, value)| (name, plain(value))).collect();
            config.params.insert(strategy, values);
        }
        Ok(config)
    }
}

/// Makes an error of a place in the file.
type Wrong<'a> = &'a dyn Fn(Range<usize>, String) -> anyhow::Error;

/// A parameter's value as scripts get it. Dates are text.
fn plain(value: toml::Value) -> Plain {
    match value {
        toml::Value::String(text) => Plain::Text(text),
        toml::Value::Integer(number) => Plain::Int(number),
        toml::Value::Float(number) => Plain::Number(number),
        toml::Value::Boolean(flag) => Plain::Bool(flag),
        toml::Value::Datetime(stamp) => Plain::Text(stamp.to_string()),
        toml::Value::Array(items) => Plain::List(items.into_iter().map(plain).collect()),
        toml::Value::Table(table) => Plain::Map(
            table.into_iter().map(|(key, item)| (Plain::Text(key), plain(item))).collect(),
        ),
    }
}

#[cfg(test)]
mod tests;
