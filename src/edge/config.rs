//! `lunario.toml`, the `LUNARIO_*` variables that override it, and secrets. Money is written as
//! text; an unknown key is an error that names the nearest known one.

mod limits;
mod secret;

use super::journal::Policy;
use crate::base::{Plain, Span, names};
use anyhow::Context;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub use limits::{Limits, LimitsSection};
pub use secret::PasswordSource;

/// Where the configuration is looked for when none is named.
pub const DEFAULT_FILE: &str = "lunario.toml";

/// Everything that is configured. The default is what a run without a file has.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// The file it came from, if there was one.
    pub file: Option<PathBuf>,
    pub flowbtc: FlowBtc,
    /// `[live] enabled`: `run --live` is allowed.
    pub live: bool,
    pub limits: LimitsSection,
    pub journal: Policy,
    pub budget: Budget,
    /// `[params.<strategy>]`, in the file's order.
    pub params: BTreeMap<String, Vec<(String, Plain)>>,
}

/// `[venues.flowbtc]`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FlowBtc {
    /// The WebSocket address.
    pub ws: Option<String>,
    pub user: Option<String>,
    pub password: Option<PasswordSource>,
    /// The account traded on, where the user has several.
    pub account: Option<i64>,
    /// Requests per minute that the session keeps under.
    pub per_minute: Option<u32>,
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
        config.overlay(&variable)?;
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

    /// Variables of the environment come last, so that a container can be told its venue and user
    /// without a file.
    fn overlay(&mut self, variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<()> {
        if let Some(ws) = variable("LUNARIO_FLOWBTC_WS") {
            self.flowbtc.ws = Some(ws);
        }
        if let Some(user) = variable("LUNARIO_FLOWBTC_USER") {
            self.flowbtc.user = Some(user);
        }
        if variable("LUNARIO_FLOWBTC_PASSWORD").is_some() {
            self.flowbtc.password = Some(PasswordSource::Env("LUNARIO_FLOWBTC_PASSWORD".into()));
        }
        if let Some(account) = variable("LUNARIO_FLOWBTC_ACCOUNT") {
            let number = account.parse().ok();
            self.flowbtc.account = Some(number.with_context(|| {
                format!("LUNARIO_FLOWBTC_ACCOUNT is `{account}`; an account is an integer")
            })?);
        }
        if let Some(policy) = variable("LUNARIO_JOURNAL") {
            let known = policy_of(&policy);
            self.journal = known.with_context(|| {
                format!("LUNARIO_JOURNAL is `{policy}`; it is `group` or `strict`")
            })?;
        }
        Ok(())
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
    venues: RawVenues,
    live: RawLive,
    limits: LimitsSection,
    journal: RawJournal,
    budget: RawBudget,
    params: BTreeMap<String, toml::Table>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawVenues {
    flowbtc: RawFlowBtc,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawFlowBtc {
    ws: Option<toml::Spanned<String>>,
    user: Option<String>,
    password_env: Option<toml::Spanned<String>>,
    password_file: Option<toml::Spanned<PathBuf>>,
    account: Option<i64>,
    per_minute: Option<toml::Spanned<u32>>,
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
        config.flowbtc = self.venues.flowbtc.checked(path, &wrong)?;
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

type Wrong<'a> = &'a dyn Fn(Range<usize>, String) -> anyhow::Error;

impl RawFlowBtc {
    fn checked(self, path: &Path, wrong: Wrong<'_>) -> anyhow::Result<FlowBtc> {
        if let Some(ws) = &self.ws
            && !ws.get_ref().starts_with("wss://")
            && !ws.get_ref().starts_with("ws://")
        {
            let why = format!("`{}` is no WebSocket address; write wss://…", ws.get_ref());
            return Err(wrong(ws.span(), why));
        }
        if let Some(zero) = self.per_minute.as_ref().filter(|rate| *rate.get_ref() == 0) {
            return Err(wrong(zero.span(), "per_minute is at least 1".to_owned()));
        }
        let password = match (self.password_env, self.password_file) {
            (Some(_), Some(file)) => {
                let why = "password_env and password_file are both given; keep one".to_owned();
                return Err(wrong(file.span(), why));
            }
            (Some(name), None) => Some(PasswordSource::Env(name.into_inner())),
            (None, Some(file)) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                Some(PasswordSource::File(folder.join(file.into_inner())))
            }
            (None, None) => None,
        };
        Ok(FlowBtc {
            ws: self.ws.map(toml::Spanned::into_inner),
            user: self.user,
            password,
            account: self.account,
            per_minute: self.per_minute.map(toml::Spanned::into_inner),
        })
    }
}

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

/// The line, from 1, in which the byte at `at` stands.
fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// An error of the parser in our words: file, line, the key and the nearest known one. Never the
/// line itself, which may hold a secret.
fn explain(text: &str, path: &Path, error: &toml::de::Error) -> anyhow::Error {
    let start = error.span().map_or(0, |span| span.start);
    let message = error.message();
    let (line, why) = match message.strip_prefix("unknown field ") {
        Some(rest) => unknown(text, start, rest),
        None => (line_at(text, start), message.trim_end().replace('\n', "; ")),
    };
    anyhow::anyhow!("{}:{line}: {why}", path.display())
}

/// `` `key`, expected one of `a`, `b` `` with the line of the key and what was meant.
fn unknown(text: &str, start: usize, rest: &str) -> (usize, String) {
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let key = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    // The span may be of the whole table: the key is looked for from its start.
    let from = text.get(..start).map_or(0, |before| before.rfind('\n').map_or(0, |at| at + 1));
    let offset =
        text.get(from..).unwrap_or_default().split_inclusive('\n').scan(from, |at, line| {
            let here = *at;
            *at += line.len();
            Some((here, line))
        });
    let names_key = |line: &str| {
        let bare = line.trim_start().trim_start_matches('[');
        bare.split(['.', '=', ']', ' ']).any(|word| word.trim_matches('"') == key)
    };
    let line = offset
        .into_iter()
        .find(|(_, line)| names_key(line))
        .map_or_else(|| line_at(text, start), |(at, _)| line_at(text, at));
    let hint = if key == "password" {
        "a password does not belong into this file; name a variable with password_env, or a file \
         that only you can read with password_file"
            .to_owned()
    } else if let Some(near) = names::nearest(key, known.iter().copied()) {
        format!("did you mean `{near}`?")
    } else {
        format!("known here: {}", known.join(", "))
    };
    (line, format!("unknown key `{key}`; {hint}"))
}

#[cfg(test)]
mod tests;
