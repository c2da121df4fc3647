//! What strategies remember, over ends of the program that it does not see coming.

use super::program::{Folder, Program, text};
use lunario::base::{Decimal, decimal};
use lunario::edge::sentra_store::{Prices, SentraStore};
use serde_json::Value;

/// Buys and sells, counts its fills in what it remembers, and says what it finds at its start.
const COUNTING: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_start(ctx)
	local kept = ctx:recall("fills")
	local exact = kept and kept.third == 1 / 3 and 1 / kept.zero == -math.huge and #kept.list[2] == 0
	ctx.log:info("found", { n = if kept then kept.n else 0, exact = exact, gone = ctx:recall("gone") })
	ctx:remember("gone", "x")
	ctx:remember("gone", nil)
end
function s.on_trade(ctx)
	if ctx:position() > 0 then ctx:sell({ qty = "0.02" }) else ctx:buy({ qty = "0.02" }) end
end
function s.on_fill(ctx)
	local kept = ctx:recall("fills") or { n = 0, third = 1 / 3, zero = -0, list = { 1, {}, "x" } }
	kept.n += 1
	ctx:remember("fills", kept)
end
return s
"#;

fn found(program: &mut Program, name: &str) -> Value {
    let said = program.event("log", |line| line["message"] == "found" && line["strategy"] == name);
    said["fields"].clone()
}

#[test]
fn fills_and_what_is_remembered_of_them_outlive_a_kill_together() {
    let folder = Folder::new();
    folder.write("scripts/count.luau", COUNTING);
    let mut before = 0;
    for kills in 1..=4 {
        let mut program = folder.start("run --json --speed 50");
        let kept = found(&mut program, "count");
        assert_eq!(kept["n"], before, "kill {kills}");
        assert_eq!(kept["gone"], Value::Null);
        assert!(before == 0 || kept["exact"] == true, "{kept}");
        (0..kills * 7).for_each(|_| drop(program.event("fill", |_| true)));
        // Its end is a SIGKILL.
        drop(program);
        before = folder.journal("fill").len();
        assert!(before >= kills * 7, "{before}");
    }
    assert_eq!(folder.run("journal verify").code, 0);
    // An orderly end keeps it likewise; another strategy, and another folder, has nothing of it.
    folder.write("scripts/other.luau", COUNTING);
    let mut program = folder.start("run --json --speed 50");
    assert_eq!(found(&mut program, "count")["n"], before);
    assert_eq!(found(&mut program, "other")["n"], 0);
    program.interrupt();
    assert_eq!(program.end().code, 130);
    let mut program = folder.start("run --json --state elsewhere");
    assert_eq!(found(&mut program, "count")["n"], 0);
}

/// Trades, if it is told to, and mirrors that to Sentra.
const MIRRORED: &str = r#"
local sync = require("@std/sentra_sync")
local s = {
	params = { trade = { default = true } },
	subscribe = { "trades flowbtc:BTCBRL" },
}
function s.on_start(ctx)
	ctx.state.n = 0
	ctx.state.mirror = sync.new({ account_number = "7", heartbeat = 5 })
	ctx.state.mirror:start(ctx)
	ctx:every(0.1, "look")
end
function s.on_trade(ctx)
	ctx.state.n += 1
	if ctx.params.trade and ctx.state.n % 4 == 0 then
		if ctx:position() > 0 then ctx:sell({ qty = "0.02" }) else ctx:buy({ qty = "0.02" }) end
	end
end
function s.on_fill(ctx, fill)
	ctx.state.mirror:on_fill(ctx, fill)
end
function s.on_timer(ctx, timer)
	local mirror = ctx.state.mirror
	if timer.name == "look" then
		ctx.log:info("mirror", {
			queued = #mirror.queue,
			sent = mirror.sent,
			shown = mirror.changes == mirror.mirrored,
		})
	end
	mirror:on_timer(ctx, timer)
end
return s
"#;

/// A closed trade: of a long position or not, quantity, close price.
type Closed = (bool, Decimal, Decimal);

/// What the fills close, by average cost, and what they leave open.
fn closed(fills: &[Value]) -> (Vec<Closed>, Decimal) {
    let (mut rows, mut open) = (Vec::new(), Decimal::ZERO);
    for fill in fills.iter().map(|row| &row["body"]) {
        let money = |field: &str| decimal::parse(text(&fill[field])).unwrap();
        let (qty, price) = (money("qty"), money("price"));
        let signed = if fill["side"] == "buy" { qty } else { -qty };
        if open * signed < Decimal::ZERO {
            rows.push((open > Decimal::ZERO, qty.min(open.abs()), price));
        }
        open += signed;
    }
    (rows, open)
}

#[test]
fn every_closed_trade_is_at_sentra_once_whenever_the_program_is_killed() {
    let folder = Folder::new();
    folder.write("scripts/mirrored.luau", MIRRORED);
    let mut venue = folder.start("venue --json --state kept --synthetic 11 --speed 20");
    let ready: Value =
        serde_json::from_str(&venue.line("ready", |line| line.contains("ready"))).unwrap();
    let accounts = ready["accounts"].as_array().unwrap();
    let of = |venue: &str| accounts.iter().find(|row| row["venue"] == venue).unwrap();
    let run = |words: &str| {
        let (flowbtc, sentra) = (text(&ready["flowbtc_ws"]), text(&ready["sentra"]));
        let addresses = format!("--flowbtc-ws {flowbtc} --sentra {sentra}");
        let mut command = folder.command(&format!("run --json {addresses} {words}"));
        command.env("LUNARIO_FLOWBTC_USER", text(&of("flowbtc")["user"]));
        command.env("LUNARIO_FLOWBTC_PASSWORD", text(&of("flowbtc")["password"]));
        command.env("LUNARIO_SENTRA_EMAIL", text(&of("sentra")["email"]));
        Program::start(command)
    };
    let mirror = |program: &mut Program, wanted: &dyn Fn(&Value) -> bool| -> Value {
        let is = |line: &Value| line["message"] == "mirror" && wanted(&line["fields"]);
        program.event("log", is)["fields"].clone()
    };
    let sent = |fields: &Value| fields["sent"].as_i64().unwrap();
    let queued = |fields: &Value| fields["queued"].as_i64().unwrap();

    // Killed before anything was sent, after something was, and with more in the queue.
    let mut program = run("");
    (0..9).for_each(|_| drop(program.event("fill", |_| true)));
    drop(program);
    let mut program = run("");
    let before = sent(&mirror(&mut program, &|fields| sent(fields) > 0));
    program.event("fill", |_| true);
    drop(program);
    let mut program = run("");
    let first = mirror(&mut program, &|_| true);
    assert!(sent(&first) >= before, "{first}");
    mirror(&mut program, &|fields| sent(fields) > before && queued(fields) > 1);
    drop(program);
    // One that does not trade brings the rest.
    let mut program = run("--param trade=false");
    let last = mirror(&mut program, &|fields| queued(fields) == 0 && fields["shown"] == true);
    program.interrupt();
    assert_eq!(program.end().code, 130);
    venue.interrupt();
    assert_eq!(venue.end().code, 0);

    let (mut expected, open) = closed(&folder.journal("fill"));
    assert!(expected.len() > 10, "{} trades", expected.len());
    // A ticket that was confirmed and sent again would be counted again.
    assert_eq!(usize::try_from(sent(&last)).unwrap(), expected.len());
    let store = SentraStore::open(&folder.path().join("kept"), Prices::Bits64).unwrap();
    let rows = store.load().unwrap();
    let exact = |value: i64, scale| Decimal::new(value, scale).normalize();
    let mut stored: Vec<Closed> = rows
        .trades
        .iter()
        .filter_map(|row| {
            // Volumes are in lots of 0.000001, times 100 (SENTRA-R26); prices times 100,000.
            let price = exact(row.close_price?, 5);
            Some((row.is_buy, exact(row.volume, 8), price))
        })
        .collect();
    expected.sort();
    stored.sort();
    assert_eq!(stored, expected);
    let left: Vec<Decimal> = rows
        .trades
        .iter()
        .filter(|row| row.close_time.is_none())
        .map(|row| exact(row.volume, 8) * Decimal::from(if row.is_buy { 1 } else { -1 }))
        .collect();
    let shown: Decimal = left.iter().sum();
    assert_eq!((shown, left.len() <= 1), (open, true));
}
