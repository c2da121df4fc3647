//! `lunario new NAME`: a folder with a documented strategy, a configuration and editor settings.

use super::{Failure, Global, output, usage};
use crate::base::Plain;
use crate::edge::files;
use crate::run::options::{Outcome, Output};
use crate::run::stdlib;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The folder to make; its last part names the strategy
    name: PathBuf,
}

const STRATEGY: &str = include_str!("new/strategy.luau");
const CONFIG: &str = include_str!("new/lunario.toml");
const SETTINGS: &str = include_str!("new/settings.json");
const LUAURC: &str = include_str!("new/luaurc.json");
const DEFINITIONS: &str = include_str!("../../stdlib/types/lunario.d.luau");
const IGNORED: &str = ".lunario/\nsecrets/\n";

pub(super) fn main(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let strategy = strategy_name(&args.name)?;
    let files = files(&strategy);
    files::write_new(&args.name, &files).map_err(Failure::Usage)?;
    let folder = args.name.display();
    match global.output() {
        Output::Json => {
            let written = files.iter().map(|(path, _)| Plain::text(path.display().to_string()));
            let line = Plain::map(vec![
                ("folder", Plain::text(folder.to_string())),
                ("strategy", Plain::text(strategy)),
                ("files", Plain::List(written.collect())),
            ]);
            output::line(&line.json())?;
        }
        Output::People { .. } => output::line(&format!(
            "{folder}/scripts/{strategy}.luau is a strategy you can run and edit:\n\n  \
             cd {folder}\n  lunario run --for 60s\n"
        ))?,
    }
    Ok(Outcome::Done)
}

/// The folder's name as a strategy's: lower case, digits and underscores.
fn strategy_name(folder: &Path) -> Result<String, Failure> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let strategy = name.to_ascii_lowercase().replace('-', "_");
    let starts_well = strategy.starts_with(|c: char| c.is_ascii_lowercase());
    let is_plain = strategy.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !starts_well || !is_plain {
        return Err(usage(format!(
            "`{}` does not name a strategy; use letters, digits, - and _, a letter first",
            folder.display()
        )));
    }
    Ok(strategy)
}

/// Every file with its content, by its path inside the folder.
fn files(strategy: &str) -> Vec<(PathBuf, String)> {
    let named = |text: &str| text.replace("{{name}}", strategy);
    let mut files = vec![
        (PathBuf::from(format!("scripts/{strategy}.luau")), named(STRATEGY)),
        (PathBuf::from("lunario.toml"), named(CONFIG)),
        (PathBuf::from(".gitignore"), IGNORED.to_owned()),
        (PathBuf::from(".luaurc"), LUAURC.to_owned()),
        (PathBuf::from(".vscode/settings.json"), SETTINGS.to_owned()),
        (PathBuf::from("types/lunario.d.luau"), DEFINITIONS.to_owned()),
    ];
    // For the editor's eyes only: the program has its own copy inside.
    for name in stdlib::names() {
        if let (Some(text), Some(module)) = (stdlib::source(name), name.strip_prefix('@')) {
            files.push((PathBuf::from(format!("types/{module}.luau")), text.to_owned()));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::config::Config;

    #[test]
    fn folders_name_strategies() {
        for (folder, strategy) in
            [("trend", "trend"), ("a/My-Trend2", "my_trend2"), ("./x_1", "x_1")]
        {
            assert_eq!(strategy_name(Path::new(folder)).unwrap(), strategy);
        }
        for folder in ["", "..", "2fast", "a b", "-x", "a.b", "ação"] {
            assert!(strategy_name(Path::new(folder)).is_err(), "{folder}");
        }
    }

    #[test]
    fn what_is_written_is_whole() {
        let files = files("trend");
        let text = |path: &str| {
            let found = files.iter().find(|(known, _)| known == Path::new(path));
            found.map(|(_, text)| text.as_str()).unwrap()
        };
        let config = Config::parse(text("lunario.toml"), Path::new("lunario.toml")).unwrap();
        assert!(!config.live && config.params.is_empty(), "the script's defaults hold");
        assert!(config.limits.strategies.contains_key("trend"));
        assert!(text("scripts/trend.luau").contains("[params.trend]"));
        assert!(text("types/std/class.luau").contains("strict"));
        for file in [".vscode/settings.json", ".luaurc"] {
            serde_json::from_str::<&serde_json::value::RawValue>(text(file)).unwrap();
        }
        assert!(files.iter().all(|(_, text)| !text.contains("{{")));
    }
}
