//! What people read of a call that fails: where in the script, which call, why.

use crate::e2e::program::Folder;

const RAW: &str = r#"local strategy = { subscribe = { "trades flowbtc:BTCBRL" } }

function strategy.on_start(ctx)
	ctx:after(0.01, "status")
	ctx:after(0.02, "out")
end

function strategy.on_timer(ctx, timer)
	if timer.name == "status" then
		flowbtc.GetOrderStatus({ OrderId = "123" })
	else
		flowbtc.LogOut()
	end
end

return strategy
"#;

#[test]
fn a_call_that_nobody_catches_is_told_with_its_line() {
    let folder = Folder::new();
    folder.write("scripts/raw.luau", RAW);
    let mut run = folder.start("run");
    for part in [
        "error: flowbtc.GetOrderStatus: rejected: Resource Not Found (code 104)",
        "--> scripts/raw.luau:10:3",
        "error: flowbtc.LogOut: not_granted: flowbtc.LogOut is off in paper mode",
        "--> scripts/raw.luau:12:3",
    ] {
        run.line(part, |line| line.contains(part));
    }
    run.interrupt();
    assert_eq!(run.end().code, 130);
}

/// (a line of a handler, what the check says of it, after the name of the file)
#[test]
fn a_misspelt_call_is_found_before_it_runs() {
    for (line, expected) in [
        (
            "flowbtc.GetLevl1({ InstrumentId = 1 })",
            ":4:10: error: there is no flowbtc.GetLevl1; did you mean \"GetLevel1\"?",
        ),
        (
            "flowbtc.GetLevel1({ InstrmentId = 1 })",
            ":4:22: error: flowbtc.GetLevel1: unknown field \"InstrmentId\"; did you mean \
             \"InstrumentId\"?",
        ),
    ] {
        let folder = Folder::new();
        let head = "local s = { subscribe = { \"trades flowbtc:BTCBRL\" } }\n\n";
        let text = format!("{head}function s.on_start(ctx)\n\t{line}\nend\n\nreturn s\n");
        folder.write("wrong.luau", &text);
        let ended = folder.run("check wrong.luau");
        let told = ended.stdout() + &ended.stderr();
        assert!(ended.code == 3 && told.contains(&format!("wrong.luau{expected}")), "{told}");
    }
}
