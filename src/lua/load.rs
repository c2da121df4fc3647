//! From a candidate to a strategy: a fresh VM, the script's table, its parameters and handlers.
#![allow(clippy::wildcard_enum_match_arm)] // the VM's value type is an open list

use super::graph::Candidate;
use super::names::nearest;
use super::values::kind_of;
use crate::base::{Channel, Plain, decimal};
use crate::desk::Subscription;
use mlua::{Function, Table, Value};
use std::collections::BTreeMap;

/// Handlers by name; `on_error` and the state hooks included.
pub const HANDLERS: &[&str] = &[
    "on_start",
    "on_trade",
    "on_trade_fields",
    "on_quote",
    "on_book",
    "on_bar",
    "on_timer",
    "on_order",
    "on_fill",
    "on_feed",
    "on_save",
    "on_load",
    "on_error",
    "on_stop",
];

/// Handlers that make a strategy do something; a table with none of them is refused.
const ACTIVE: &[&str] = &[
    "on_start",
    "on_trade",
    "on_trade_fields",
    "on_quote",
    "on_book",
    "on_bar",
    "on_timer",
    "on_order",
    "on_fill",
    "on_feed",
];

/// The two forms of the trade handler, the event as a table and its fields as arguments; a script
/// has one of them at most.
pub const TRADE_HANDLERS: &[&str] = &["on_trade", "on_trade_fields"];

const KEYS: &[&str] = &["params", "subscribe", "invariants"];

/// A declared parameter.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    pub name: String,
    pub default: Plain,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub step: Option<f64>,
    pub doc: String,
}

/// What a script's table declares.
pub struct Declared {
    pub handlers: BTreeMap<&'static str, Function>,
    pub params: Vec<Param>,
    pub subscriptions: Vec<Subscription>,
}

/// A refusal of the table, and the word of the source it is about (to find its line).
#[derive(Debug)]
pub struct Problem {
    pub message: String,
    pub word: String,
}

fn problem<T>(message: impl Into<String>, word: &str) -> Result<T, Problem> {
    Err(Problem { message: message.into(), word: word.to_owned() })
}

/// Reads and checks the table that a script returned.
pub fn declared(value: &Value, default_instrument: Option<&str>) -> Result<Declared, Problem> {
    let Value::Table(table) = value else {
        let got = kind_of(value);
        return problem(
            format!("a strategy is a file that returns a table; this one returned {got}"),
            "return",
        );
    };
    let handlers = handlers(table)?;
    if !ACTIVE.iter().any(|name| handlers.contains_key(name)) {
        return problem(
            "the table has no handler: add on_trade, on_quote, on_book, on_bar, on_timer or \
             on_start",
            "return",
        );
    }
    if TRADE_HANDLERS.iter().all(|name| handlers.contains_key(name)) {
        return problem(
            "on_trade and on_trade_fields get the same trades; keep one of them",
            "on_trade_fields",
        );
    }
    let params = params(table)?;
    let subscriptions = subscriptions(table, &handlers, default_instrument)?;
    Ok(Declared { handlers, params, subscriptions })
}

fn handlers(table: &Table) -> Result<BTreeMap<&'static str, Function>, Problem> {
    let mut found = BTreeMap::new();
    for pair in table.pairs::<Value, Value>() {
        let Ok((Value::String(key), value)) = pair else { continue };
        let key = key.to_string_lossy();
        if let Some(known) = HANDLERS.iter().find(|name| **name == key) {
            let Value::Function(function) = value else {
                return problem(format!("{key} is a {}, not a function", kind_of(&value)), &key);
            };
            found.insert(*known, function);
            continue;
        }
        let all = HANDLERS.iter().chain(KEYS).copied();
        if KEYS.contains(&key.as_str()) {
            continue;
        }
        let near = nearest(&key, all);
        if let Some(near) = near {
            return problem(format!("unknown handler \"{key}\"; did you mean \"{near}\"?"), &key);
        }
        if key.starts_with("on_") {
            let known = HANDLERS.join(", ");
            return problem(format!("unknown handler \"{key}\"; the handlers are {known}"), &key);
        }
    }
    Ok(found)
}

fn params(table: &Table) -> Result<Vec<Param>, Problem> {
    let declared = match table.raw_get::<Value>("params") {
        Ok(Value::Nil) => return Ok(Vec::new()),
        Ok(Value::Table(declared)) => declared,
        _ => return problem("params is a table of declarations", "params"),
    };
    let mut found = Vec::new();
    for pair in declared.pairs::<String, Value>() {
        let Ok((name, value)) = pair else {
            return problem("params has a key that is no name", "params");
        };
        let Value::Table(row) = value else {
            let hint = format!("write {name} = {{ default = 10, doc = \"…\" }}");
            return problem(format!("param {name} is no declaration: {hint}"), &name);
        };
        found.push(param(&name, &row)?);
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn param(name: &str, row: &Table) -> Result<Param, Problem> {
    const FIELDS: &[&str] = &["default", "min", "max", "step", "doc", "choices"];
    for pair in row.pairs::<String, Value>() {
        let field = pair.map(|(field, _)| field).unwrap_or_default();
        if !FIELDS.contains(&field.as_str()) {
            let near = nearest(&field, FIELDS.iter().copied());
            let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            return problem(format!("param {name}: unknown field \"{field}\"{hint}"), &field);
        }
    }
    let default = match row.raw_get::<Value>("default") {
        Ok(Value::Boolean(flag)) => Plain::Bool(flag),
        #[allow(clippy::cast_precision_loss)]
        Ok(Value::Integer(whole)) => Plain::Number(whole as f64),
        Ok(Value::Number(number)) => Plain::Number(number),
        Ok(Value::String(text)) => Plain::Text(text.to_string_lossy()),
        _ => {
            return problem(
                format!("param {name} needs a default: a number, a string or a boolean"),
                name,
            );
        }
    };
    let bound = |field: &str| match row.raw_get::<Option<f64>>(field) {
        Ok(bound) => Ok(bound),
        Err(_) => problem(format!("param {name}: {field} is a number"), name),
    };
    let made = Param {
        name: name.to_owned(),
        default,
        min: bound("min")?,
        max: bound("max")?,
        step: bound("step")?,
        doc: row.raw_get::<Option<String>>("doc").ok().flatten().unwrap_or_default(),
    };
    if let Err(why) = made.check(&made.default) {
        return problem(format!("the default of {why}"), name);
    }
    Ok(made)
}

impl Param {
    /// The value that a text from the command line or the configuration stands for.
    ///
    /// # Errors
    /// When it is not of the default's type or out of bounds.
    pub fn value(&self, text: &str) -> Result<Plain, String> {
        let name = &self.name;
        let value = match &self.default {
            Plain::Bool(_) => match text {
                "true" => Plain::Bool(true),
                "false" => Plain::Bool(false),
                _ => return Err(format!("param {name} is true or false, not `{text}`")),
            },
            Plain::Number(_) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Plain::Number(number),
                _ => return Err(format!("param {name} is a number, not `{text}`")),
            },
            Plain::Text(default) if decimal::parse(default).is_ok() => match decimal::parse(text) {
                Ok(_) => Plain::text(text),
                Err(_) => return Err(format!("param {name} is an exact decimal, not `{text}`")),
            },
            Plain::Text(_)
            | Plain::Nil
            | Plain::Int(_)
            | Plain::Decimal(_)
            | Plain::List(_)
            | Plain::Map(_)
            | Plain::Object(..) => Plain::text(text),
        };
        self.check(&value)?;
        Ok(value)
    }

    fn check(&self, value: &Plain) -> Result<(), String> {
        let number = match value {
            Plain::Number(number) => *number,
            Plain::Text(text) => match decimal::parse(text) {
                Ok(exact) => decimal::to_f64(exact),
                Err(_) => return Ok(()),
            },
            Plain::Nil
            | Plain::Bool(_)
            | Plain::Int(_)
            | Plain::Decimal(_)
            | Plain::List(_)
            | Plain::Map(_)
            | Plain::Object(..) => return Ok(()),
        };
        let Param { name, min, max, .. } = self;
        match (min, max) {
            (Some(min), _) if number < *min => {
                Err(format!("param {name} is {number}, below its min {min}"))
            }
            (_, Some(max)) if number > *max => {
                Err(format!("param {name} is {number}, above its max {max}"))
            }
            _ => Ok(()),
        }
    }
}

/// The resolved parameters, or why an override cannot be taken.
pub fn resolve_params(
    params: &[Param],
    overrides: &BTreeMap<String, String>,
) -> Result<Vec<(String, Plain)>, String> {
    for name in overrides.keys() {
        if !params.iter().any(|param| param.name == *name) {
            let known: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
            let near = nearest(name, known.iter().copied());
            let hint = near.map(|near| format!("; did you mean \"{near}\"?"));
            let hint = hint.unwrap_or_else(|| format!("; it declares: {}", known.join(", ")));
            return Err(format!("the strategy has no param \"{name}\"{hint}"));
        }
    }
    params
        .iter()
        .map(|param| {
            let value = match overrides.get(&param.name) {
                Some(text) => param.value(text)?,
                None => param.default.clone(),
            };
            Ok((param.name.clone(), value))
        })
        .collect()
}

fn subscriptions(
    table: &Table,
    handlers: &BTreeMap<&'static str, Function>,
    default_instrument: Option<&str>,
) -> Result<Vec<Subscription>, Problem> {
    let list = match table.raw_get::<Value>("subscribe") {
        Ok(Value::Nil) => return default_subscriptions(handlers, default_instrument),
        Ok(Value::Table(list)) => list,
        Ok(Value::String(entry)) => {
            let entry = entry.to_string_lossy();
            return Ok(vec![parse(&entry)?]);
        }
        _ => return problem("subscribe is a list: { \"trades flowbtc:BTCBRL\" }", "subscribe"),
    };
    let mut found = Vec::new();
    for entry in list.sequence_values::<Value>() {
        found.push(match entry {
            Ok(Value::String(entry)) => parse(&entry.to_string_lossy())?,
            Ok(Value::Table(entry)) => filtered(&entry)?,
            _ => return problem("a subscribe entry is a string or a table", "subscribe"),
        });
    }
    if found.is_empty() {
        return default_subscriptions(handlers, default_instrument);
    }
    Ok(found)
}

fn parse(entry: &str) -> Result<Subscription, Problem> {
    Subscription::parse(entry).or_else(|err| problem(err.to_string(), entry))
}

fn filtered(entry: &Table) -> Result<Subscription, Problem> {
    let Ok(first) = entry.raw_get::<String>(1) else {
        return problem(
            "a subscribe table starts with its stream: \
             { \"quotes flowbtc:BTCBRL\", mid_moves = 10 }",
            "subscribe",
        );
    };
    let mut parsed = parse(&first)?;
    for pair in entry.pairs::<Value, Value>() {
        let Ok((Value::String(name), value)) = pair else { continue };
        let name = name.to_string_lossy();
        let value = value.to_string().unwrap_or_default();
        parsed.filter(&name, &value).or_else(|err| problem(err.to_string(), &name))?;
    }
    Ok(parsed)
}

/// Without `subscribe`, the handlers tell which streams of the run's only instrument are wanted.
fn default_subscriptions(
    handlers: &BTreeMap<&'static str, Function>,
    instrument: Option<&str>,
) -> Result<Vec<Subscription>, Problem> {
    let streams = [
        ("on_trade", Channel::Trades),
        ("on_trade_fields", Channel::Trades),
        ("on_quote", Channel::Quotes),
        ("on_book", Channel::Book),
    ];
    let wanted = streams.iter().filter(|(handler, _)| handlers.contains_key(handler));
    match instrument {
        Some(instrument) => {
            Ok(wanted.map(|(_, channel)| Subscription::new(*channel, instrument)).collect())
        }
        // Timers and venue calls alone: there is nothing to listen to.
        None if wanted.count() == 0 && !handlers.contains_key("on_bar") => Ok(Vec::new()),
        None => problem(
            "subscribe is missing: say what to listen to, \
             subscribe = { \"trades flowbtc:BTCBRL\" }",
            "return",
        ),
    }
}

/// Line and column (from 1) of the first whole word like `word` in the entry's source, for refusals
/// of the table, which has no line numbers of its own.
pub fn find_word(candidate: &Candidate, word: &str) -> (u32, u32) {
    let source = candidate.sources.get(&candidate.entry).map_or("", String::as_str);
    let whole = |line: &str, at: usize| {
        let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let before = line.get(..at).unwrap_or_default().chars().next_back();
        let after = line.get(at + word.len()..).unwrap_or_default().chars().next();
        !part(before) && !part(after)
    };
    let find = |line: &str| line.match_indices(word).map(|(at, _)| at).find(|at| whole(line, *at));
    let code = |line: &&str| !line.trim_start().starts_with("--");
    let lines = source.lines().enumerate();
    let found = lines.filter(|(_, line)| code(line)).filter_map(|(at, line)| {
        find(line).map(|column| (at, line.get(..column).unwrap_or_default().chars().count()))
    });
    let found = if word == "return" { found.last() } else { found.min() };
    found.map_or((1, 1), |(line, column)| {
        (u32::try_from(line + 1).unwrap_or(1), u32::try_from(column + 1).unwrap_or(1))
    })
}
