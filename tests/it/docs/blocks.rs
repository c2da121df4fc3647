//! Lua examples: whole strategies are loaded and driven, fragments are compiled.

use super::{fenced, pages};
use crate::support::btcbrl;
use lunario::base::tape::TradeBlock;
use lunario::base::{Decimal, Quote, StrategyId, Time};
use lunario::desk::{Closed, Fault, Mode, Seen, Strategy};
use lunario::lua::{Limits, Script, Setup, collect};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

pub fn load(text: &str) -> Result<Script, String> {
    let mut read = |path: &str| match path {
        "example.luau" => Ok(text.to_owned()),
        other => Err(format!("there is no {other} beside an example")),
    };
    let candidate = collect("example.luau", &mut read).map_err(|err| err.to_string())?;
    let mut desk = Closed::default();
    desk.instruments.add(btcbrl());
    let setup = Setup {
        who: StrategyId(0),
        mode: Mode::Backtest,
        desk: Rc::new(RefCell::new(desk)),
        overrides: BTreeMap::new(),
        shared: BTreeMap::new(),
        default_instrument: None,
        seed: 1,
        limits: Limits {
            handler: Duration::from_secs(5),
            load: Duration::from_secs(5),
            ..Limits::default()
        },
        now: Time::from_millis(1_000),
    };
    Script::load(candidate, setup).map_err(|fault| fault.to_string())
}

/// Starts the strategy, shows it trades, a quote and a timer, and stops it: what failed.
fn drive(script: &mut Script) -> Vec<Fault> {
    let start = Time::from_millis(1_000);
    script.start(start);
    let mut block = TradeBlock { price_scale: 2, qty_scale: 3, ..TradeBlock::default() };
    let rows = 400;
    for at in 0..rows {
        let price = 6_000_000 + 5_000 * ((at * 7) % 23) - 900 * ((at * at) % 17);
        block.push(Time::from_millis(1_000 + 250 * at), price, 10 + at % 9, 1, 1 + at);
    }
    script.load_block(&block);
    let mut from = 0;
    while from < block.len() {
        from = script.rows(from, block.len());
    }
    let end = Time::from_millis(200_000);
    let level = Decimal::from(60_000);
    let quote = Quote {
        time: end,
        instrument: btcbrl().id,
        bid: level,
        bid_qty: Decimal::ONE,
        ask: level + Decimal::ONE,
        ask_qty: Decimal::ONE,
        last: level,
    };
    script.seen(end, &Seen::Quote(&quote));
    script.seen(end, &Seen::Timer { name: "report", time: end });
    script.stop(end);
    script.take_faults()
}

/// A fragment stands inside of a handler.
fn wrapped(fragment: &str) -> String {
    format!(
        "local strategy = {{ subscribe = {{ \"trades flowbtc:BTCBRL\" }} }}\n\
         function strategy.on_start(ctx)\nlocal _unused = function()\n\
         {fragment}\nend\nend\nreturn strategy\n"
    )
}

fn check(info: &str, text: &str) -> Result<(), String> {
    match info {
        "lua" => {
            let mut script = load(text)?;
            let faults = drive(&mut script);
            let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
            if said.is_empty() { Ok(()) } else { Err(said.join("; ")) }
        }
        "lua fragment" => load(&wrapped(text)).map(|_| ()),
        "lua module" => load(&wrapped(&format!("do {text} end"))).map(|_| ()),
        other => Err(format!("`{other}` is no kind of Lua block: lua, lua fragment, lua module")),
    }
}

#[test]
fn lua_examples_run() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        for block in fenced(&page.text).iter().filter(|block| block.info.starts_with("lua")) {
            count += 1;
            if let Err(why) = check(&block.info, &block.text) {
                wrong.push(format!("{}:{}: {why}", page.path, block.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 4, "only {count} Lua examples");
}

#[test]
fn broken_examples_are_found() {
    let whole = |body: &str| {
        format!(
            "local s = {{ subscribe = {{ \"trades flowbtc:BTCBRL\" }} }}\n\
             function s.on_trade(ctx, trade)\n{body}\nend\nreturn s\n"
        )
    };
    for (info, text, expected) in [
        ("lua", whole("ctx:buy({ qty = \"0.01\" })"), ""),
        ("lua", whole("ctx:by({ qty = 1 })"), "did you mean \"buy\""),
        ("lua", whole("ctx:buy({ qty = }"), "Expected"),
        ("lua", "return {}".to_owned(), "no handler"),
        ("lua fragment", "ctx:cancel(order)".to_owned(), ""),
        ("lua fragment", "function strategy.on_stop(ctx) end".to_owned(), ""),
        ("lua fragment", "ctx:cancel(order".to_owned(), "Expected"),
        ("lua module", "local m = {}\nreturn m".to_owned(), ""),
        ("lua snippet", String::new(), "no kind of Lua block"),
    ] {
        let said = check(info, &text).err().unwrap_or_default();
        let fits = if expected.is_empty() { said.is_empty() } else { said.contains(expected) };
        assert!(fits, "{info}: {text}\n  says {said:?}\n  not  {expected:?}");
    }
}
