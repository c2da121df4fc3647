//! What strategies remember: plain data under names, by strategy, told to whoever keeps it together
//! with the records of the same input.

use crate::base::{Plain, Time, json};
use std::collections::{BTreeMap, VecDeque};

/// What is remembered: by strategy, then by name.
pub type Memories = BTreeMap<String, BTreeMap<String, Plain>>;

/// One change of what a strategy remembers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    pub at: Time,
    pub strategy: String,
    pub name: String,
    /// As JSON, which `base::json::doubles` reads back exactly; `None`: forgotten.
    pub value: Option<String>,
}

/// Names that one strategy may keep something under.
const MOST_NAMES: usize = 64;

/// Bytes of a name.
const LONGEST_NAME: usize = 128;

/// Bytes of one value, as JSON.
const LARGEST: usize = 256 << 10;

/// What the strategies of a run remember.
#[derive(Debug, Default)]
pub struct Memory {
    kept: Memories,
    changes: VecDeque<Remembered>,
    /// Whether changes are told.
    telling: bool,
}

impl Memory {
    pub fn new(kept: Memories, telling: bool) -> Memory {
        Memory { kept, changes: VecDeque::new(), telling }
    }

    /// Keeps a value, or forgets what was under the name.
    ///
    /// # Errors
    /// When it would not come back as it is, or is more than may be kept.
    pub fn keep(
        &mut self,
        at: Time,
        strategy: &str,
        name: &str,
        value: Plain,
    ) -> Result<(), String> {
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(format!("a name has 1 to {LONGEST_NAME} bytes, not {}", name.len()));
        }
        let own = self.kept.get(strategy);
        let known = own.is_some_and(|own| own.contains_key(name));
        if value == Plain::Nil {
            if known {
                self.kept.get_mut(strategy).and_then(|own| own.remove(name));
                self.changed(at, strategy, name, None);
            }
            return Ok(());
        }
        if !known && own.is_some_and(|own| own.len() >= MOST_NAMES) {
            return Err(format!(
                "{MOST_NAMES} names are in use; forget one with ctx:remember(name, nil)"
            ));
        }
        exact(&value, name, 0)?;
        let text = value.json();
        if text.len() > LARGEST {
            return Err(format!("{name} is {} bytes of JSON, above {LARGEST}", text.len()));
        }
        self.kept.entry(strategy.to_owned()).or_default().insert(name.to_owned(), value);
        self.changed(at, strategy, name, Some(text));
        Ok(())
    }

    /// What is kept under the name; `Nil` for nothing.
    pub fn get(&self, strategy: &str, name: &str) -> Plain {
        let own = self.kept.get(strategy);
        own.and_then(|own| own.get(name)).cloned().unwrap_or(Plain::Nil)
    }

    /// Of several changes under one name only the last is told.
    fn changed(&mut self, at: Time, strategy: &str, name: &str, value: Option<String>) {
        if !self.telling {
            return;
        }
        let waits = self.changes.iter_mut().find(|c| c.strategy == strategy && c.name == name);
        if let Some(change) = waits {
            (change.at, change.value) = (at, value);
            return;
        }
        let (strategy, name) = (strategy.to_owned(), name.to_owned());
        self.changes.push_back(Remembered { at, strategy, name, value });
    }

    /// The next change that was not told yet.
    pub fn take_change(&mut self) -> Option<Remembered> {
        self.changes.pop_front()
    }
}

/// Refuses what JSON does not give back as it is, with its place.
fn exact(value: &Plain, place: &str, depth: usize) -> Result<(), String> {
    if depth > json::DEEPEST {
        return Err(format!("{place} nests deeper than {} tables", json::DEEPEST));
    }
    match value {
        Plain::Nil | Plain::Bool(_) | Plain::Text(_) => Ok(()),
        Plain::Number(number) if number.is_finite() => Ok(()),
        Plain::Number(number) => Err(format!("{place} is {number}; numbers are finite")),
        Plain::Int(_) | Plain::Decimal(_) => Err(format!("{place} is a number of the host's")),
        Plain::List(items) => {
            let mut items = (1..).zip(items);
            items.try_for_each(|(at, item)| exact(item, &format!("{place}[{at}]"), depth + 1))
        }
        Plain::Map(pairs) => pairs.iter().try_for_each(|(key, value)| {
            let Plain::Text(key) = key else {
                let key = key.json();
                return Err(format!("{place}[{key}]: keys are text, or 1, 2, 3 … without holes"));
            };
            exact(value, &format!("{place}.{key}"), depth + 1)
        }),
        Plain::Object(class, _) => {
            Err(format!("{place} is an object ({class}); keep its fields as plain data"))
        }
    }
}

#[cfg(test)]
mod tests;
