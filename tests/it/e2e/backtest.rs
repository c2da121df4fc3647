//! `lunario backtest` as a program: the keys of its JSON, its sections, and how it fails.

use super::program::{Folder, text};
use serde_json::Value;

/// Buys at the fifth trade, sells at the tenth, and so on.
const SWING: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_start(ctx) ctx.state.n = 0 end
function s.on_trade(ctx, trade)
	ctx.state.n += 1
	if ctx.state.n % 10 == 5 then ctx:buy({ qty = "0.5" }) end
	if ctx.state.n % 10 == 0 then ctx:sell({ qty = "0.5" }) end
end
return s
"#;

/// Forty trades a second apart, whose price climbs by 0.25 with each.
fn feed() -> String {
    let rows = (0..40).map(|at| {
        let side = if at % 2 == 0 { "buy" } else { "sell" };
        let price = 100.0 + 0.25 * f64::from(at);
        format!("{},{price},1.5,{side},{}\n", 1_700_000_000 + at, at + 1)
    });
    format!("time,price,qty,side,id\n{}", rows.collect::<String>())
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("swing.luau", SWING);
    folder.write("trades.csv", &feed());
    folder
}

#[test]
fn the_json_has_every_key_and_is_the_same_twice() {
    let folder = folder();
    let words = "backtest swing.luau --feed trades.csv --fee 0.001 --json";
    let (first, again) = (folder.run(words), folder.run(words));
    assert_eq!((first.code, first.out.len(), again.code), (0, 1, 0), "{first:?}");
    let (result, again) = (first.last_json(), again.last_json());
    for key in "strategy version seed instrument feed events orders fills canceled rejected position \
                fees realized unrealized net_pnl equity_start equity_end metrics assumptions digest \
                wall_s engine_s events_per_s peak_rss_mb"
        .split_whitespace()
    {
        assert!(result.get(key).is_some(), "no {key} in {result}");
    }
    for key in "return_pct sharpe sortino calmar max_drawdown_pct profit_factor win_rate trades \
                exposure_pct turnover cagr_pct volatility_pct"
        .split_whitespace()
    {
        assert!(result["metrics"].get(key).is_some(), "no metrics.{key} in {result}");
    }
    // Four buys at the 5th, 15th … trade, four sells five trades later, each 1.25 higher.
    let paid: f64 =
        [4, 9, 14, 19, 24, 29, 34, 39].iter().map(|at| 100.0 + 0.25 * f64::from(*at)).sum();
    for (key, value) in [
        ("position", "0".to_owned()),
        ("realized", "2.5".to_owned()),
        ("unrealized", "0".to_owned()),
        ("fees", format!("{}", paid * 0.5 * 0.001)),
        ("net_pnl", format!("{}", 2.5 - paid * 0.5 * 0.001)),
        ("equity_start", "1100000".to_owned()),
    ] {
        assert_eq!(text(&result[key]), value, "{key}");
    }
    assert_eq!((&result["orders"], &result["fills"]), (&8.into(), &8.into()));
    assert_eq!((&result["feed"]["events"], &result["events"]), (&40.into(), &40.into()));
    assert_eq!(text(&result["feed"]["first"]), "2023-11-14T22:13:20Z");
    assert_eq!(
        (result["digest"].clone(), 64),
        (again["digest"].clone(), text(&result["digest"]).len())
    );
    let other = folder.run("backtest swing.luau --feed trades.csv --fee 0.002 --json").last_json();
    assert_ne!(other["digest"], result["digest"]);
}

#[test]
fn people_get_sections() {
    let folder = folder();
    let ended = folder.run("backtest swing.luau --feed trades.csv");
    assert_eq!(ended.code, 0, "{ended:?}");
    for heading in ["Orders", "Profit", "Metrics", "Assumptions", "Run"] {
        assert!(ended.out.iter().any(|line| line == heading), "no {heading}:\n{}", ended.stdout());
    }
    let wide = ended.out.iter().find(|line| line.chars().count() > 100);
    assert_eq!(wide, None, "wider than a screen");
    assert!(ended.out.iter().all(|line| line.trim_end() == line), "blanks at the end of a line");
}

#[test]
fn failures_have_their_place_and_code() {
    let folder = folder();
    folder.write("torn.luau", "local s = {}\nfunction s.on_trade(ctx, trade\n");
    folder.write(
        "failing.luau",
        &SWING.replace(
            "ctx.state.n += 1",
            "ctx.state.n += 1 if ctx.state.n == 12 then error(\"no\") end",
        ),
    );
    folder.write("text.csv", &feed().replace("1700000020,105,", "1700000020,much,"));
    folder.write("lonely.luau", &format!("local x = require(\"./none\")\n{SWING}"));
    folder.write("header.csv", "when,how much\n1,2\n");
    for (words, code, said) in [
        ("torn.luau --feed trades.csv", 3, "torn.luau:"),
        ("lonely.luau --feed trades.csv", 3, "lonely.luau:1:"),
        ("failing.luau --feed trades.csv", 1, "failing.luau:5:"),
        ("swing.luau --feed text.csv", 1, "text.csv, line 22, column `price`"),
        ("swing.luau --feed header.csv", 1, "header.csv"),
        ("swing.luau --feed trades.csv --param none=1", 3, "none"),
        ("swing.luau --feed trades.csv --fee 2", 2, "fraction"),
        ("swing.luau --feed trades.csv --from 2024-01-02 --to 2024-01-01", 2, "not before"),
        ("swing.luau --feed trades.csv --queue guess", 2, "risk-averse"),
    ] {
        let ended = folder.run(&format!("backtest {words}"));
        assert_eq!(ended.code, code, "{words}: {ended:?}");
        assert!(ended.stderr().contains(said), "{words}:\n{}", ended.stderr());
        assert!(!ended.stderr().contains("panicked"), "{words}:\n{}", ended.stderr());
    }
    let partial = folder.run("backtest failing.luau --feed trades.csv --json");
    let result = partial.last_json();
    assert_eq!((partial.code, &result["orders"]), (1, &2.into()), "{result}");
    assert!(result["fault"] != Value::Null, "{result}");
}
