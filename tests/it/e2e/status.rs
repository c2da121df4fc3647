//! What a running engine says of itself: `lunario status`, `orders`, `positions`.

use super::program::{Folder, text};

/// Uses all three venues: an order that rests, a balance read, an account that is reported.
const BUSY: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL", "quotes mercadobitcoin:BTCBRL" } }
function s.on_start(ctx) ctx:every(0.1, "work") end
function s.on_timer(ctx)
	if ctx.state.busy then return end
	ctx.state.busy = true
	ctx:buy({ instrument = "flowbtc:BTCBRL", qty = "0.01", price = "1000" })
	sentra.heartbeat({ account_number = "7", balance = 10, equity = 10 })
	mercadobitcoin.getInfo()
	ctx.log:info("busy")
end
return s
"#;

#[test]
fn a_running_engine_tells_how_it_stands() {
    let folder = Folder::new();
    folder.write("scripts/busy.luau", BUSY);
    let mut engine = folder.start("run --json");
    engine.event("log", |line| line["message"] == "busy");

    let status = folder.run("status --json");
    assert_eq!((status.code, status.out.len()), (0, 1), "{status:?}");
    let said = status.last_json();
    assert_eq!(said["strategies"][0]["strategy"], "busy");
    assert_eq!((&said["orders"], &said["open_orders"]), (&1.into(), &1.into()));
    let venues: Vec<&str> =
        said["venues"].as_array().unwrap().iter().map(|row| text(&row["venue"])).collect();
    assert_eq!(venues, ["flowbtc", "mercadobitcoin", "sentra"]);
    let lanes = said["lanes"].as_array().unwrap();
    for name in ["flowbtc", "flowbtc/socket", "mercadobitcoin", "mercadobitcoin/data", "sentra/7"] {
        let lane = lanes.iter().find(|lane| lane["lane"] == name);
        let lane = lane.unwrap_or_else(|| panic!("no lane {name}: {said}"));
        assert!(lane["left"].as_u64() <= lane["limit"].as_u64(), "{lane}");
    }
    let spent = |name: &str| {
        let lane = lanes.iter().find(|lane| lane["lane"] == name).unwrap();
        let number = |key: &str| lane[key].as_i64().unwrap();
        number("limit") - number("reserve") - number("left")
    };
    assert!(spent("flowbtc") > 0 && spent("mercadobitcoin") > 0, "{said}");

    let shown = folder.run("status").stdout();
    for words in ["1 orders, 1 open", "busy", "venue", "rate lane", "sentra/7"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let orders = folder.run("orders --json").last_json();
    let order = &orders["orders"][0];
    assert_eq!((&order["instrument"], &order["price"]), (&"flowbtc:BTCBRL".into(), &"1000".into()));
    assert!(folder.run("orders").stdout().contains("flowbtc:BTCBRL"));
    assert_eq!(folder.run("positions").stdout(), "no positions");

    engine.interrupt();
    assert_eq!(engine.end().code, 130);
    for verb in ["status", "orders --json", "positions"] {
        let ended = folder.run(verb);
        assert_eq!((ended.code, ended.out.len()), (1, 0), "{verb}: {ended:?}");
        let why = "no engine runs on the state folder .lunario; start one with `lunario run`";
        assert!(ended.stderr().contains(why), "{verb}: {ended:?}");
    }
    assert_eq!(folder.run("status --state nowhere").code, 1);
}
