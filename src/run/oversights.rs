//! What a run was told that nothing in it heeds: limits and parameters of strategies that are not
//! there, parameters that no strategy declares. Said once at the start, since a limit that does not
//! hold is a danger.

use super::assemble::{DEFAULT_INSTRUMENT, look};
use super::options::RunOptions;
use super::scripts::Scripts;
use crate::base::names;
use std::collections::BTreeSet;

/// Each oversight in words.
///
/// # Errors
/// When the scripts cannot be found.
pub fn oversights(options: &RunOptions) -> anyhow::Result<Vec<String>> {
    let (scripts, found) = Scripts::find(&options.paths)?;
    let strategies: BTreeSet<&str> = scripts.names().collect();
    let config = &options.config;
    let sections = config.limits.strategies.keys().map(|name| ("limits", name));
    let sections = sections.chain(config.params.keys().map(|name| ("params", name)));
    let mut words: Vec<String> = sections
        .filter(|(_, name)| !strategies.contains(name.as_str()))
        .map(|(section, name)| {
            let hint = hint(name, &strategies);
            format!("[{section}.{name}] holds for no strategy: none here is called {name}{hint}")
        })
        .collect();
    let mut declared: BTreeSet<String> = BTreeSet::new();
    for result in found {
        let script =
            result.ok().and_then(|candidate| look(candidate, Some(DEFAULT_INSTRUMENT)).ok());
        // One that does not load may declare anything.
        let Some(script) = script else { return Ok(words) };
        declared.extend(script.params().iter().map(|param| param.name.clone()));
    }
    let declared: BTreeSet<&str> = declared.iter().map(String::as_str).collect();
    let unheeded = options.params.iter().filter(|(name, _)| !declared.contains(name.as_str()));
    words.extend(unheeded.map(|(name, _)| {
        format!("--param {name}: no strategy declares it{}", hint(name, &declared))
    }));
    Ok(words)
}

fn hint(name: &str, known: &BTreeSet<&str>) -> String {
    let near = names::nearest(name, known.iter().copied());
    near.map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}
