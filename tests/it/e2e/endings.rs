//! How a run ends: Ctrl-C, a second run on the same state, wrong arguments, a taken state folder.

use super::program::{Folder, text};
use serde_json::Value;
use std::collections::BTreeSet;

/// Keeps one order resting, far below the market.
const RESTING: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_trade(ctx, trade)
	if #ctx:orders() == 0 then
		ctx:buy({ qty = "0.01", price = math.floor(trade.price / 2), tag = "low" })
	end
end
return s
"#;

#[test]
fn an_interrupt_cancels_open_orders_and_the_next_run_goes_on_with_other_ids() {
    let folder = Folder::new();
    folder.write("scripts/resting.luau", RESTING);
    let mut program = folder.start("run --json --speed 20");
    let working = program.event("order", |order| order["state"] == "working");
    program.interrupt();
    let ended = program.end();
    assert_eq!(ended.code, 130, "{}", ended.stderr());
    let canceled = ended.events("order");
    let canceled = canceled.iter().find(|order| order["state"] == "canceled").unwrap();
    assert_eq!(canceled["order"], working["order"]);
    let stopped = ended.last_json();
    assert_eq!((&stopped["event"], &stopped["open_orders"]), (&"stopped".into(), &0.into()));
    assert_eq!(stopped["interrupted"], true);
    let verdict = folder.run("journal verify --json");
    assert_eq!((verdict.code, &verdict.last_json()["ok"]), (0, &Value::Bool(true)));

    let mut program = folder.start("run --speed 20");
    program.line("an order", |line| line.contains("working"));
    program.interrupt();
    let ended = program.end();
    assert_eq!(ended.code, 130, "{}", ended.stderr());
    assert!(ended.stdout().contains("canceled"), "{}", ended.stdout());
    let last = ended.out[ended.out.len() - 6..].join("\n");
    assert!(last.contains("stopped") && last.contains("no order is open"), "{last}");
    let intents = folder.journal("intent");
    let keys: BTreeSet<&str> = intents.iter().map(|row| text(&row["body"]["order"])).collect();
    assert_eq!((intents.len(), keys.len()), (2, 2), "{intents:?}");
    assert_eq!(folder.run("journal verify").code, 0);
}

#[test]
fn a_state_folder_belongs_to_one_engine() {
    let folder = Folder::new();
    folder.write("scripts/resting.luau", RESTING);
    let mut first = folder.start("run --json");
    first.event("loaded", |_| true);
    let second = folder.run("run --for 1s");
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.stderr().contains("another engine owns .lunario (process "), "{second:?}");
    assert!(second.stderr().contains("--state"), "{second:?}");
    // Reading is no owning.
    assert_eq!(folder.run("journal verify").code, 0);
    first.interrupt();
    assert_eq!(first.end().code, 130);
    assert_eq!(folder.run("run --for 1s").code, 0);
}

#[test]
fn wrong_arguments_and_files_end_with_code_2_and_say_what_to_do() {
    let folder = Folder::new();
    folder.write("scripts/resting.luau", RESTING);
    folder.write("bad.toml", "[limits]\nmax_order_qt = \"1\"\n");
    folder.write("torn.toml", "[limits\n");
    folder.write("late.csv", "time,price,qty\n1,2,3\n");
    for (words, said) in [
        ("", "Usage: lunario"),
        ("dance", "unrecognized subcommand 'dance'"),
        ("run nowhere", "lunario new"),
        ("run --for 10", "write a duration such as"),
        ("run --live", "enabled = true"),
        ("run --config none.toml", "cannot read none.toml"),
        ("run --config bad.toml", "bad.toml:2: unknown key `max_order_qt`"),
        ("run --config torn.toml", "torn.toml:1"),
        ("run --instrument flowbtc:NONE", "it lists flowbtc:BTCBRL"),
        ("run --flowbtc-ws http://127.0.0.1:1/", "write ws://"),
        ("run --flowbtc-ws ws://127.0.0.1:1/", "LUNARIO_FLOWBTC_USER"),
        ("run --feed late.csv --balance BRL=1 --balance BRL=2", "BRL twice"),
        ("backtest scripts/resting.luau", "--feed <FILE>"),
        ("backtest scripts/resting.luau --feed none.csv", "none.csv"),
        ("backtest scripts --feed late.csv", "name a file"),
        ("backtest none.luau --feed late.csv", "none.luau"),
        ("check nowhere", "nowhere does not exist"),
        ("venue --flowbtc-ws 0.0.0.0:0", "not a loopback address"),
        ("venue --feed none.csv", "none.csv"),
        ("venue --sentra 192.0.2.1:80", "not a loopback address"),
        ("journal show --state nowhere", "lunario run"),
        ("new .", "does not name a strategy"),
        ("completions fishy", "possible values"),
    ] {
        let ended = folder.run(words);
        assert_eq!(ended.code, 2, "lunario {words}: {ended:?}");
        assert!(ended.stderr().contains(said), "lunario {words}:\n{}", ended.stderr());
        // The longest is the list of commands, which fits a screen.
        assert!(ended.err.len() < 40 && ended.out.is_empty(), "lunario {words}: {ended:?}");
    }
}

#[test]
fn a_new_folder_checks_runs_and_is_never_written_over() {
    let folder = Folder::new();
    let made = folder.run("new my-trend --json");
    assert_eq!((made.code, &made.last_json()["strategy"]), (0, &"my_trend".into()));
    let inside = |words: &str| {
        let mut command = folder.command(words);
        command.current_dir(folder.path().join("my-trend"));
        super::program::Program::start(command)
    };
    let checked = inside("check").end();
    assert_eq!(checked.code, 0, "{checked:?}");
    let mut running = inside("run --json --speed max --seed 3");
    running.event("fill", |fill| fill["strategy"] == "my_trend");
    running.interrupt();
    assert_eq!(running.end().code, 130);
    let again = folder.run("new my-trend");
    assert_eq!(again.code, 2);
    assert!(again.stderr().contains("is there already"), "{again:?}");
}

#[test]
fn a_wrong_password_is_told_without_being_shown() {
    let folder = Folder::new();
    folder.write("scripts/resting.luau", RESTING);
    let mut venue = folder.start("venue");
    let ready: Value =
        serde_json::from_str(&venue.line("ready", |line| line.contains("ready"))).unwrap();
    let url = text(&ready["flowbtc_ws"]);
    let mut command = folder.command(&format!("run --json -vv --for 2s --flowbtc-ws {url}"));
    command.env("LUNARIO_FLOWBTC_USER", "lunario");
    let ended = super::program::Program::start(command).end();
    let logs = ended.events("log");
    let said = logs.iter().any(|line| text(&line["message"]).contains("log"));
    assert!(said, "{ended:?}");
    assert!(ended.events("fill").is_empty() && ended.events("order").is_empty());
    venue.interrupt();
    assert_eq!(venue.end().code, 0);
}

#[test]
fn a_venue_that_is_never_reached_is_a_failure() {
    let folder = Folder::new();
    folder.write("scripts/resting.luau", RESTING);
    // Port 1 is nobody's.
    let mut command = folder.command("run --for 1s --flowbtc-ws ws://127.0.0.1:1/");
    command.env("LUNARIO_FLOWBTC_USER", "lunario");
    let ended = super::program::Program::start(command).end();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout().contains("connection lost"), "{ended:?}");
    assert!(ended.stderr().contains("never reached"), "{ended:?}");
}

#[test]
fn what_nothing_heeds_is_said_at_the_start() {
    let folder = Folder::new();
    let declaring =
        RESTING.replace("{ subscribe", "{ params = { length = { default = 5 } }, subscribe");
    folder.write("scripts/resting.luau", &declaring);
    folder.write("lunario.toml", "[limits.restin]\nmax_order_qty = \"1\"\n[params.x]\ny = 1\n");
    let ended = folder.run("run --for 500ms --param lenght=7 --param length=6 --json");
    assert_eq!(ended.code, 0, "{ended:?}");
    let warnings: Vec<&String> =
        ended.err.iter().filter(|line| line.starts_with("warning: ")).collect();
    let [limits, params, flag] = &warnings[..] else { panic!("{ended:?}") };
    assert!(limits.contains("[limits.restin]") && limits.contains("did you mean resting?"));
    assert!(params.contains("[params.x]"), "{params}");
    assert!(flag.contains("--param lenght") && flag.contains("did you mean length?"), "{flag}");
    let twice = Folder::new();
    twice.write("scripts/one.luau", RESTING);
    twice.write("scripts/one.lua", RESTING);
    let refused = twice.run("run --for 1s");
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr().contains("rename one"), "{refused:?}");
}
