//! A strategy that never returns, beside one that works.

use super::program::{Folder, text};

const RUNAWAY: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_trade(ctx, trade)
	while true do pcall(function() while true do end end) end
end
return s
"#;

const GOOD: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_trade(ctx, trade)
	ctx.log:info("good", { id = trade.id })
end
return s
"#;

#[test]
fn a_runaway_is_halted_and_the_strategy_beside_it_sees_every_trade() {
    let folder = Folder::new();
    folder.write("scripts/runaway.luau", RUNAWAY);
    folder.write("scripts/good.luau", GOOD);
    folder.write("lunario.toml", "[budget]\nhandler_ms = 50\n");
    let mut program = folder.start("run --json --speed 5");
    let failed = program.event("log", |line| line["strategy"] == "runaway");
    assert_eq!((&failed["level"], &failed["handler"]), (&"error".into(), &"on_trade".into()));
    assert_eq!(failed["line"], 4, "{failed}");
    let halt = program.event("halt", |_| true);
    assert_eq!(halt["strategy"], "runaway");
    assert!(text(&halt["reason"]).contains("budget"), "{halt}");
    for _ in 0..5 {
        program.event("log", |line| line["strategy"] == "good");
    }
    program.interrupt();
    let ended = program.end();
    assert_eq!(ended.code, 130);
    let logs = ended.events("log");
    let good = logs.iter().filter(|line| line["message"] == "good");
    let ids: Vec<i64> = good.map(|line| text(&line["fields"]["id"]).parse().unwrap()).collect();
    assert!(ids.len() > 8 && ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
}

#[test]
fn a_run_whose_every_strategy_was_halted_says_so_in_its_exit_code() {
    let folder = Folder::new();
    let halting = "local s = { subscribe = { \"trades flowbtc:BTCBRL\" } }\n\
        function s.on_trade(ctx, trade) ctx:halt(\"enough\") end\nreturn s\n";
    folder.write("scripts/halting.luau", halting);
    let ended = folder.run("run --json --speed 20 --for 3s");
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(ended.events("halt")[0]["reason"], "enough");
}
