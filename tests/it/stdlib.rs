//! The standard library's own tests, written in Luau (`stdlib/tests`) and run by the real host, and
//! the shipped strategies over a made market: they load, trade, stay modest and survive reloads.

use lunario::base::{StrategyId, Time};
use lunario::desk::{Closed, Level, Mode, Strategy, Words};
use lunario::lua::{Candidate, Limits, Script, Setup};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// Runs every function of a test module by name and says how each went.
const RUNNER: &str = r#"
local tests = require("./MODULE")
local names = {}
for name in tests do
	table.insert(names, name)
end
table.sort(names)
return {
	on_start = function(ctx)
		for _, name in names do
			local ok, message = pcall(tests[name])
			if ok then
				ctx.log:info(name)
			else
				ctx.log:error(`{name}: {message}`)
			end
		end
	end,
}
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn load(candidate: Candidate, desk: &Rc<RefCell<Closed>>) -> Script {
    let patient = Duration::from_secs(120);
    let setup = Setup {
        who: StrategyId(0),
        mode: Mode::Backtest,
        desk: desk.clone(),
        overrides: BTreeMap::new(),
        shared: BTreeMap::new(),
        default_instrument: Some("flowbtc:BTCBRL".into()),
        seed: 1,
        limits: Limits { handler: patient, load: patient, memory: 1 << 30 },
        now: Time::from_millis(1000),
    };
    Script::load(candidate, setup).unwrap_or_else(|fault| panic!("{fault}"))
}

fn module(name: &str) -> Candidate {
    let folder = root().join("stdlib/tests");
    let mut read = |path: &str| {
        if path == "runner.luau" {
            return Ok(RUNNER.replace("MODULE", name));
        }
        std::fs::read_to_string(folder.join(path)).map_err(|err| err.to_string())
    };
    lunario::lua::collect("runner.luau", &mut read).unwrap()
}

/// Runs the tests of one module; at least `least` of them, none failing.
fn check(name: &str, least: usize) {
    let desk = Rc::new(RefCell::new(Closed::default()));
    let mut script = load(module(name), &desk);
    script.start(Time::from_millis(1000));
    assert_eq!(script.take_faults(), []);
    let mut passed = 0;
    let mut failed = Vec::new();
    for words in &desk.borrow().words {
        match words {
            Words::Log { level: Level::Info, .. } => passed += 1,
            Words::Log { message, .. } => failed.push(message.clone()),
            Words::Plot { .. } | Words::Alert { .. } => {}
        }
    }
    assert!(failed.is_empty(), "{} of {name} fail:\n{}", failed.len(), failed.join("\n"));
    assert!(passed >= least, "{name} ran {passed} tests, expected at least {least}");
}

#[test]
fn averages() {
    check("averages", 7);
}

#[test]
fn bars() {
    check("bars", 15);
}

#[test]
fn decimal() {
    check("decimal", 11);
}

#[test]
fn orders_bracket() {
    check("orders_bracket", 26);
}

#[test]
fn orders_paths() {
    check("orders_paths", 22);
}

#[test]
fn sentra_sync() {
    check("sentra_sync", 19);
}

#[test]
fn sentra_sync_over_restarts() {
    check("sentra_restart", 5);
}

#[test]
fn stats() {
    check("stats", 17);
}

#[test]
fn ta_edges() {
    check("ta_edges", 13);
}

#[test]
fn ta_golden() {
    check("ta_golden", 94);
}

#[test]
fn every_module_of_tests_is_run_here() {
    let own = std::fs::read_to_string(root().join("tests/it/stdlib.rs")).unwrap();
    for entry in std::fs::read_dir(root().join("stdlib/tests")).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if let Some(name) = name.strip_suffix(".luau") {
            assert!(own.contains(&format!("check(\"{name}\"")), "{name} has no test");
        }
    }
}

#[test]
fn every_file_of_the_library_is_shipped() {
    let known: Vec<_> = lunario::lua::stdlib::names().collect();
    let folder = root().join("stdlib");
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if inside != "tests" && inside != "types" {
                    folders.push(path);
                }
            } else if let Some(name) = inside.strip_suffix(".luau") {
                let name = format!("@std/{name}");
                assert!(known.contains(&name.as_str()), "{name} is missing in src/lua/stdlib.rs");
            }
        }
    }
}
