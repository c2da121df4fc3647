//! Two processes, a venue and a run: when both have ended, the run's journal, the positions it
//! reports and the venue's own ledger say the same to the last digit.

use super::program::{Folder, Program, text};
use crate::support::shared;
use lunario::base::{Decimal, decimal};
use serde_json::Value;
use std::collections::BTreeMap;

/// Market orders back and forth, and resting orders that are replaced or canceled.
const BUSY: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_start(ctx) ctx.state.n = 0 end
function s.on_trade(ctx, trade)
	ctx.state.n += 1
	if ctx.state.n % 10 == 0 then
		if ctx:position() > 0 then ctx:sell({ qty = "0.013" }) else ctx:buy({ qty = "0.013" }) end
	end
	if ctx.state.n % 25 == 0 then
		ctx:cancel_all()
		ctx:buy({ qty = "0.0021", price = trade.price - 0.05 })
		ctx:sell({ qty = "0.0021", price = trade.price + 0.05 })
	end
end
return s
"#;

const CONFIG: &str = "[venues.flowbtc]\nper_minute = 1000000\n[limits]\n\
    max_orders_per_minute = 1000000\nmax_open_orders = 1000\n[budget]\nhandler_ms = 500\n";

fn money(value: &Value) -> Decimal {
    decimal::parse(text(value)).unwrap()
}

/// A trade as both sides tell it.
type Row = (String, String, Decimal, Decimal, Decimal);

/// Runs both, ends both when `played` says that the market has, and compares.
fn agree(market: &str, played: impl Fn(&mut Program, &mut Program), least: usize) {
    let folder = Folder::new();
    folder.write("scripts/busy.luau", BUSY);
    folder.write("lunario.toml", CONFIG);
    let mut venue = folder
        .start(&format!("venue {market} --json --balance BRL=1000000000.5 --balance BTC=1000"));
    let ready: Value =
        serde_json::from_str(&venue.line("ready", |line| line.contains("ready"))).unwrap();
    let (url, account) = (text(&ready["flowbtc_ws"]), &ready["accounts"][0]);
    let mut command = folder.command(&format!("run --json --flowbtc-ws {url}"));
    command.env("LUNARIO_FLOWBTC_USER", text(&account["user"]));
    command.env("LUNARIO_FLOWBTC_PASSWORD", text(&account["password"]));
    let mut run = Program::start(command);
    played(&mut venue, &mut run);
    run.interrupt();
    let run = run.end();
    assert_eq!(run.code, 130, "{}", run.stderr());
    venue.interrupt();
    let venue = venue.end();
    assert_eq!(venue.code, 0, "{}", venue.stderr());

    let ledger = &venue.last_json()["accounts"][0];
    let mut theirs: Vec<Row> = ledger["fills"].as_array().unwrap().iter().map(their_row).collect();
    let mut ours: Vec<Row> =
        folder.journal("fill").iter().map(|row| our_row(&row["body"])).collect();
    let mut told: Vec<Row> = run.events("fill").iter().map(our_row).collect();
    for rows in [&mut theirs, &mut ours, &mut told] {
        rows.sort();
    }
    assert!(theirs.len() >= least, "only {} fills", theirs.len());
    assert_eq!(ours, theirs, "the journal and the venue's ledger");
    assert_eq!(told, theirs, "the run's lines and the venue's ledger");
    assert_eq!(ledger["open_orders"], 0);
    balances(ledger, &run.last_json(), folder.journal("fill"));
    let secret = text(&account["password"]);
    let printed = run.stdout() + &run.stderr() + &venue.stderr();
    assert!(!printed.contains(secret), "the password is printed");
    assert!(!folder.state_holds(secret), "the password is on disk");
    assert!(folder.state_holds(&ours[0].1), "the journal is looked into");
    assert_eq!(folder.run("journal verify").code, 0);
}

fn their_row(fill: &Value) -> Row {
    let order = text(&fill["client_order_id"]).to_owned();
    let id = text(&fill["trade_id"]).to_owned();
    (id, order, money(&fill["price"]), money(&fill["qty"]), money(&fill["fee"]))
}

fn our_row(fill: &Value) -> Row {
    let order = text(&fill["order"]).to_owned();
    let id = text(&fill["trade_id"]).to_owned();
    (id, order, money(&fill["price"]), money(&fill["qty"]), money(&fill["fee"]))
}

/// What the venue holds for the account is what it began with, and our fills.
fn balances(ledger: &Value, stopped: &Value, fills: Vec<Value>) {
    let mut held = BTreeMap::from([
        ("BRL", decimal::parse("1000000000.5").unwrap()),
        ("BTC", Decimal::from(1_000)),
    ]);
    for fill in fills.iter().map(|row| &row["body"]) {
        let sign = if fill["side"] == "buy" { Decimal::ONE } else { -Decimal::ONE };
        let (price, qty) = (money(&fill["price"]), money(&fill["qty"]));
        *held.get_mut("BTC").unwrap() += sign * qty;
        *held.get_mut("BRL").unwrap() -= sign * qty * price + money(&fill["fee"]);
    }
    for (asset, total) in &held {
        assert_eq!(money(&ledger["balances"][asset]["total"]), *total, "{asset}");
        assert_eq!(text(&ledger["balances"][asset]["held"]), "0", "{asset}");
    }
    assert_eq!((&stopped["event"], &stopped["open_orders"]), (&"stopped".into(), &0.into()));
    let position = &stopped["strategies"][0]["positions"][0];
    assert_eq!(money(&position["position"]), held["BTC"] - Decimal::from(1_000));
    assert_eq!(position["fills"], fills.len());
}

#[test]
fn a_recorded_market_at_full_speed_ends_in_agreement() {
    let Some(feed) = shared("data/binance_usdm_btcusdt_20240808.trades.csv") else { return };
    let market = format!("--feed {} --speed max", feed.display());
    agree(&market, |venue, _| drop(venue.event("feed_ended", |_| true)), 200);
}

#[test]
fn a_synthetic_market_ends_in_agreement() {
    agree(
        "--synthetic 11 --speed 50",
        |_, run| (0..60).for_each(|_| drop(run.event("fill", |_| true))),
        60,
    );
}
