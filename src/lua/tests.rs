//! Scripts in their VMs: loading, delivery, state, failures, and attacks on the host.

use super::graph::{self, Candidate};
use super::script::{Limits, Script, Setup};
use crate::base::tape::TradeBlock;
use crate::base::{Decimal, Fees, Instrument, InstrumentId, Plain, StrategyId, Time, VenueName};
use crate::desk::{Closed, Fault, FaultKind, Mode, Seen, Strategy, Words};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

fn desk() -> Rc<RefCell<Closed>> {
    let mut closed = Closed::default();
    closed.instruments.add(Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("flowbtc"),
        symbol: "BTCBRL".into(),
        base: "BTC".into(),
        quote: "BRL".into(),
        tick_size: Decimal::new(1, 2),
        lot_size: Decimal::new(1, 8),
        min_qty: Decimal::new(1, 8),
        fees: Fees::default(),
    });
    Rc::new(RefCell::new(closed))
}

fn limits() -> Limits {
    Limits { handler: Duration::from_millis(30), ..Limits::default() }
}

fn load_candidate(desk: &Rc<RefCell<Closed>>, candidate: Candidate) -> Result<Script, Fault> {
    let setup = Setup {
        who: StrategyId(0),
        mode: Mode::Backtest,
        desk: desk.clone(),
        overrides: BTreeMap::new(),
        shared: BTreeMap::new(),
        default_instrument: Some("flowbtc:BTCBRL".into()),
        seed: 1,
        limits: limits(),
        now: Time::from_millis(1000),
    };
    Script::load(candidate, setup)
}

fn load(desk: &Rc<RefCell<Closed>>, text: &str) -> Result<Script, Fault> {
    load_candidate(desk, graph::single("s.luau", text).unwrap())
}

fn block(rows: usize) -> TradeBlock {
    let mut block = TradeBlock { price_scale: 2, qty_scale: 3, ..TradeBlock::default() };
    for at in 0..i64::try_from(rows).unwrap() {
        block.push(
            Time::from_millis(2000 + at),
            10_000 + at,
            1 + at,
            1,
            9_222_816_249_026_513_001 + at,
        );
    }
    block
}

/// Runs the handler body over `rows` trades, going on after each stop; what it logged, and faults.
fn walk(body: &str, rows: usize) -> (Vec<String>, Vec<Fault>) {
    walk_with("on_trade(ctx, trade)", body, rows)
}

fn walk_with(handler: &str, body: &str, rows: usize) -> (Vec<String>, Vec<Fault>) {
    let desk = desk();
    let text = format!("local s = {{}}\nfunction s.{handler}\n{body}\nend\nreturn s");
    let mut script = load(&desk, &text).unwrap();
    let block = block(rows);
    script.load_block(&block);
    let mut from = 0;
    while from < rows {
        from = script.rows(from, rows);
    }
    (logged(&desk), script.take_faults())
}

fn logged(desk: &Rc<RefCell<Closed>>) -> Vec<String> {
    let words = std::mem::take(&mut desk.borrow_mut().words);
    let text = |words| match words {
        Words::Log { message, .. } => Some(message),
        Words::Plot { .. } | Words::Alert { .. } => None,
    };
    words.into_iter().filter_map(text).collect()
}

#[test]
fn trades_arrive_in_order_with_exact_fields() {
    let (said, faults) = walk(
        "ctx.log:info(`{trade.time} {trade.price} {trade.qty} {trade.side} {trade.id} {trade.instrument} {ctx.now}`)",
        2,
    );
    assert_eq!(faults, []);
    assert_eq!(
        said,
        [
            "2 100 0.001 buy 9222816249026513001 flowbtc:BTCBRL 2",
            "2.001 100.01 0.002 buy 9222816249026513002 flowbtc:BTCBRL 2.001",
        ]
    );
}

const FIELDS: &str = "on_trade_fields(ctx, time, price, qty, side, instrument)";

#[test]
fn a_trade_arrives_as_fields_where_the_script_asks_for_them() {
    let body = "ctx.log:info(`{time} {price} {qty} {side} {instrument} {ctx.now}`)";
    let (said, faults) = walk_with(FIELDS, body, 2);
    assert_eq!(faults, []);
    let expected =
        ["2 100 0.001 buy flowbtc:BTCBRL 2", "2.001 100.01 0.002 buy flowbtc:BTCBRL 2.001"];
    assert_eq!(said, expected);

    let desk = desk();
    let text = format!("local s = {{}}\nfunction s.{FIELDS}\n{body}\nend\nreturn s");
    let mut script = load(&desk, &text).unwrap();
    let mut trade = block(1).trade(0).unwrap();
    trade.side = None;
    script.seen(trade.time, &Seen::Trade(&trade));
    assert_eq!(script.take_faults(), []);
    assert_eq!(logged(&desk), ["2 100 0.001 nil flowbtc:BTCBRL 2"]);
    assert_eq!(script.subscriptions()[0].channel, crate::base::Channel::Trades);
}

#[test]
fn fields_stop_fail_and_sleep_as_the_table_does() {
    for (form, get) in [("on_trade(ctx, trade)", "local qty = trade.qty "), (FIELDS, "")] {
        let body = format!(
            "{get}if qty == 0.002 then error('no') end \
             if qty == 0.003 then while true do end end \
             if qty == 0.004 then ctx:sleep(1) end \
             if qty == 0.005 then ctx:buy({{ qty = 1 }}) end ctx.log:info(`{{qty}}`)"
        );
        let (said, faults) = walk_with(form, &body, 6);
        assert_eq!(said, ["0.001", "0.005", "0.006"], "{form}: {faults:?}");
        let kinds: Vec<FaultKind> = faults.iter().map(|fault| fault.kind).collect();
        assert_eq!(kinds, [FaultKind::Error, FaultKind::Budget], "{form}");
        let name = form.split('(').next().unwrap();
        assert!(faults.iter().all(|fault| fault.handler == name), "{faults:?}");
    }
}

#[test]
fn clones_of_views_stay_as_they_were() {
    let body = "ctx.state.first = ctx.state.first or table.clone(trade)\nif trade.qty > 0.0025 then ctx.log:info(`{ctx.state.first.price} {ctx.state.first.id}`) end";
    assert_eq!(walk(body, 3).0, ["100 9222816249026513001"]);
}

#[test]
fn a_failing_row_costs_only_itself() {
    let (said, faults) = walk(
        "if trade.qty == 0.002 then local x = nil; x.y = 1 end ctx.log:info(`{trade.price}`)",
        4,
    );
    assert_eq!(said, ["100", "100.02", "100.03"]);
    assert_eq!(faults.len(), 1);
    let fault = &faults[0];
    assert_eq!((fault.kind, fault.file.as_str(), fault.line), (FaultKind::Error, "s.luau", 3));
    assert!(fault.message.contains("attempt to index nil with 'y'"), "{fault}");
    assert!(fault.traceback.contains("on_trade"), "{}", fault.traceback);
    assert_eq!(fault.at, Time::from_millis(2001));
}

#[test]
fn a_sleeping_handler_lets_the_next_events_through_in_order() {
    let desk = desk();
    let text = "local s = {}\nfunction s.on_trade(ctx, trade)\nlocal p = trade.price\nif p == 100 then ctx:sleep(1) ctx.log:info(`woke {trade.price} {trade.id} {ctx.now}`) return end\nctx.log:info(`{p}`)\nend\nreturn s";
    let mut script = load(&desk, text).unwrap();
    script.load_block(&block(3));
    assert_eq!(script.rows(0, 3), 1, "the walk stops at the row that went to sleep");
    assert_eq!(script.rows(1, 3), 3);
    assert_eq!(script.wake_at(), Some(Time::from_millis(3000)));
    script.wake(Time::from_millis(3000));
    assert_eq!(script.wake_at(), None);
    assert_eq!(logged(&desk), ["100.01", "100.02", "woke 100 9222816249026513001 3"]);
    assert_eq!(script.take_faults(), []);
}

#[test]
fn runaways_are_stopped_and_the_next_row_goes_on() {
    for runaway in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "pcall(function() while true do end end) while true do end",
        "local c = coroutine.wrap(function() while true do end end) c()",
        "local c = coroutine.create(function() while true do pcall(function() while true do end end) end end) coroutine.resume(c) while true do coroutine.resume(c) end",
        "string.find(string.rep('a', 30000), string.rep('a*', 20) .. 'b')",
        "local function f() return f() end f()",
        "for i = 1, math.huge do end",
        "table.sort(table.create(100000, 1), function(a, b) while true do end return a < b end)",
        "local t = setmetatable({}, { __index = function(t, k) return t[k .. 'x'] end }) pcall(function() return t.a end) while true do end",
        "string.gsub(string.rep('a', 60000), '.-b', '')",
        "while true do local ok = pcall(error, 'x') end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "repeat local t = table.create(10) until false",
    ] {
        let (said, faults) =
            walk(&format!("if trade.price == 100 then {runaway} end ctx.log:info('next')"), 2);
        assert_eq!(said, ["next"], "{runaway}: {faults:?}");
        assert_eq!(faults.len(), 1, "{runaway}: {faults:?}");
    }
}

#[test]
fn a_runaway_after_quick_rows_is_stopped_too() {
    let (said, faults) = walk("if trade.price == 105 then while true do end end", 2000);
    assert_eq!(said.len(), 0);
    assert_eq!(faults.iter().map(|f| f.kind).collect::<Vec<_>>(), [FaultKind::Budget]);
    assert_eq!(faults[0].at, Time::from_millis(2500));
    assert!(faults[0].message.contains("30 ms"), "{}", faults[0].message);
}

#[test]
fn memory_is_capped_and_the_vm_lives_on() {
    let (said, faults) = walk(
        "if trade.price == 100 then local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end end ctx.log:info('next')",
        2,
    );
    assert_eq!(said, ["next"]);
    assert!(matches!(faults[0].kind, FaultKind::Memory | FaultKind::Budget), "{faults:?}");
}

#[test]
fn the_sandbox_has_no_way_out() {
    for (code, expected) in [
        ("return tostring(io)", "nil"),
        ("return tostring(debug)", "nil"),
        ("return tostring(loadstring)", "nil"),
        ("return tostring(getfenv)", "nil"),
        ("return tostring(os.getenv)", "nil"),
        ("return tostring(collectgarbage)", "nil"),
        ("return tostring(newproxy)", "nil"),
        ("return tostring(pcall(function() x = 1 end))", "false"),
        ("return tostring(pcall(function() string.upper = 1 end))", "false"),
        ("return tostring(pcall(function() getmetatable('').__index = 1 end))", "false"),
        ("return tostring(getmetatable(ctx))", "ctx"),
        ("return tostring(pcall(setmetatable, ctx, nil))", "false"),
        ("return tostring(os.time())", "2"),
        ("return os.date('%Y-%m-%d', 0)", "1970-01-01"),
        ("return tostring(pcall(require, '../etc/passwd'))", "false"),
        ("return tostring(pcall(require, '@std/nothing'))", "false"),
        ("return tostring(pcall(function() ctx.params.x = 1 end))", "false"),
    ] {
        let (said, faults) = walk(&format!("local function f() {code} end ctx.log:info(f())"), 1);
        assert_eq!((said, faults), (vec![expected.to_owned()], vec![]), "{code}");
    }
}

#[test]
fn mistakes_in_asks_point_at_the_scripts_line() {
    for (code, expected) in [
        (
            "ctx:buy({ qty = 1, prize = 2 })",
            "ctx:buy: unknown field \"prize\"; did you mean \"price\"?",
        ),
        ("ctx:buy({})", "ctx:buy: qty is missing"),
        ("ctx:buy({ qty = 'abc' })", "ctx:buy: qty: `abc` is not an exact decimal"),
        ("ctx:buy({ qty = 1, tif = 'day' })", "tif is \"gtc\", \"ioc\" or \"fok\", not \"day\""),
        ("ctx:buy({ qty = 1, post_only = 1 })", "post_only is a boolean, not a number"),
        ("ctx:buy({ qty = {} })", "qty is a number, a string or a decimal, not a table"),
        ("ctx:buy(1)", "ctx:buy takes one table"),
        ("ctx:by({ qty = 1 })", "ctx has no \"by\"; did you mean \"buy\"?"),
        ("ctx:position('flowbtc:XYZ')", "no instrument \"flowbtc:XYZ\""),
        ("ctx:every(0, 'x')", "seconds is a number above 0"),
        ("coroutine.yield(1)", "a handler yielded outside of ctx:sleep"),
        (
            "coroutine.wrap(function() ctx:sleep(1) end)()",
            "not in a coroutine that the script made",
        ),
        ("error({ message = 'mine' })", "mine"),
        (
            "error(setmetatable({}, { __tostring = function() while true do end end }))",
            "raised a table",
        ),
    ] {
        let (_, faults) = walk(code, 1);
        assert_eq!(faults.len(), 1, "{code}");
        assert!(faults[0].message.contains(expected), "{code}: {}", faults[0]);
        assert_eq!(faults[0].line, 3, "{code}: {:?}", faults[0]);
    }
}

#[test]
fn scripts_that_make_no_sense_are_refused_with_their_place() {
    for (text, place, words) in [
        ("local s = {}\nfunction s.on_trade(\nreturn s", "s.luau:3:1", "Expected"),
        ("return 1", "s.luau:1:1", "returns a table; this one returned"),
        ("return {}", "s.luau:1:1", "has no handler"),
        (
            "local s = {}\nfunction s.on_trad(ctx) end\nreturn s",
            "s.luau:2:12",
            "did you mean \"on_trade\"?",
        ),
        (
            "local s = {}\nfunction s.on_eclipse(ctx) end\nreturn s",
            "s.luau:2:12",
            "the handlers are",
        ),
        (
            "local s = { subscribe = { 'tradez flowbtc:BTCBRL' } }\nfunction s.on_trade(ctx) end\nreturn s",
            "s.luau:1:28",
            "starts with trades",
        ),
        (
            "local s = { subscribe = { 'trades flowbtc:XYZ' } }\nfunction s.on_trade(ctx) end\nreturn s",
            "s.luau:1:13",
            "knows no instrument",
        ),
        (
            "local s = { params = { n = { defualt = 1 } } }\nfunction s.on_trade(ctx) end\nreturn s",
            "s.luau:1:30",
            "did you mean \"default\"?",
        ),
        (
            "local s = { params = { n = { default = 1, min = 2 } } }\nfunction s.on_trade(ctx) end\nreturn s",
            "s.luau:1:24",
            "below its min",
        ),
        ("local x = nil\nlocal y = x.z\nreturn {}", "s.luau:2:13", "attempt to index nil with 'z'"),
        ("while true do end", "s.luau:1", "time budget"),
        ("return { on_trade = 1 }", "s.luau:1:10", "on_trade is a number, not a function"),
        ("return nil", "s.luau:1", "returned nothing"),
        (
            "local s = {}\nfunction s.on_trade() end\nfunction s.on_trade_fields() end\nreturn s",
            "s.luau:3:12",
            "keep one of them",
        ),
        (
            "local s = {}\nfunction s.on_trade() end\nreturn s, require('@std/tas')",
            "s.luau:3",
            "there is no \"@std/tas\"",
        ),
    ] {
        let fault = load(&desk(), text).unwrap_err();
        let shown = fault.to_string();
        assert!(shown.starts_with(place), "{text}\n  gives {shown}\n  not at {place}");
        assert!(shown.contains(words), "{text}\n  gives {shown}");
    }
}

#[test]
fn bytecode_is_never_loaded() {
    let fault = load(&desk(), "\u{6}\u{3}\u{1}").unwrap_err();
    assert_eq!(fault.kind, FaultKind::Error);
}

#[test]
fn state_moves_to_a_fresh_vm_exactly() {
    let text = r#"
local class = require("@std/class")
local s = {}
function s.on_start(ctx)
	ctx.state.list = { 1, 2.5, "x", { true } }
	ctx.state.map = { a = 0.1, b = { c = "é" }, [3] = "three" }
	ctx.state.nan = 0 / 0
end
function s.on_trade(ctx)
	local st = ctx.state
	ctx.log:info(`{st.list[2]} {st.list[4][1]} {st.map.a} {st.map.b.c} {st.map[3]} {st.nan ~= st.nan}`)
end
return s"#;
    let desk = desk();
    let mut old = load(&desk, text).unwrap();
    old.start(Time::from_millis(1));
    let saved = old.save(Time::from_millis(2)).unwrap();
    let mut new = load(&desk, text).unwrap();
    let version = old.version().clone();
    new.restore(Time::from_millis(2), &saved, &version).unwrap();
    assert_eq!(new.save(Time::from_millis(3)).unwrap().json(), saved.json());
    new.load_block(&block(1));
    new.rows(0, 1);
    assert_eq!(logged(&desk), ["2.5 true 0.1 é three true"]);
}

#[test]
fn state_that_cannot_be_copied_is_named() {
    for (code, words) in [
        ("ctx.state.f = function() end", "state.f is a function"),
        ("ctx.state.a = { b = { print } }", "state.a.b[1] is a function"),
        ("ctx.state.t = setmetatable({}, {})", "state.t has a metatable of no registered class"),
        ("ctx.state.me = ctx.state", "contains itself"),
        ("ctx.state.c = coroutine.create(print)", "state.c is a thread"),
    ] {
        let text = format!("local s = {{}}\nfunction s.on_start(ctx) {code} end\nreturn s");
        let mut script = load(&desk(), &text).unwrap();
        script.start(Time::from_millis(1));
        let fault = script.save(Time::from_millis(2)).unwrap_err();
        assert!(fault.message.contains(words), "{code}: {fault}");
    }
}

#[test]
fn explicit_hand_over_is_used_where_it_is_written() {
    let text = "local s = {}\nfunction s.on_start(ctx) end\nfunction s.on_save(ctx) return { n = 7 } end\nfunction s.on_load(ctx, data, from) ctx.log:info(`{data.n} {from}`) end\nreturn s";
    let desk = desk();
    let mut script = load(&desk, text).unwrap();
    let saved = script.save(Time::ZERO).unwrap();
    assert_eq!(saved, Plain::Map(vec![(Plain::text("n"), Plain::Number(7.0))]));
    let version = script.version().clone();
    script.restore(Time::ZERO, &saved, &version).unwrap();
    assert_eq!(logged(&desk), [format!("7 {version}")]);
}

#[test]
fn modules_of_the_folder_are_part_of_the_version() {
    let mut files = BTreeMap::from([
        (
            "s.luau",
            "local h = require(\"./lib/helpers\")\nlocal s = {}\nfunction s.on_start(ctx) ctx.log:info(h.word) end\nreturn s",
        ),
        ("lib/helpers.luau", "return { word = require('../other').word }"),
        ("other.luau", "return { word = 'deep' }"),
    ]);
    let collect = |files: &BTreeMap<&str, &str>| {
        graph::collect("s.luau", &mut |path| {
            files.get(path).map(|text| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
        })
    };
    let first = collect(&files).unwrap();
    assert_eq!(first.sources.len(), 3);
    let desk = desk();
    let mut script = load_candidate(&desk, first.clone()).unwrap();
    script.start(Time::ZERO);
    assert_eq!(logged(&desk), ["deep"]);
    files.insert("other.luau", "return { word = 'changed' }");
    assert_ne!(collect(&files).unwrap().version, first.version);
    files.remove("other.luau");
    let refused = collect(&files).unwrap_err().to_string();
    assert!(refused.starts_with("lib/helpers.luau:1: require(\"../other\")"), "{refused}");
}

#[test]
fn requires_in_comments_and_strings_do_not_count() {
    let text = "-- require('./a')\n--[[ require('./b') ]]\nlocal x = \"require('./c')\"\nlocal y = [[require('./d')]]\nreturn {}";
    assert_eq!(graph::single("s.luau", text).unwrap().sources.len(), 1);
    assert!(graph::single("s.luau", "require './a'").is_err());
}

#[test]
fn an_order_refused_here_comes_back_at_once() {
    let (said, faults) = walk(
        "local o = ctx:buy({ qty = '0.1', price = 100, tag = 'a' }) ctx.log:info(`{o.state} {o.reason} {o.qty} {o.price} {o.side} {o.tag} {#ctx:orders()}`)",
        1,
    );
    assert_eq!(faults, []);
    assert_eq!(said, ["rejected DESK_CLOSED 0.1 100 buy a 0"]);
}

#[test]
fn single_events_reach_their_handlers() {
    let desk = desk();
    let text = "local s = {}\nfunction s.on_timer(ctx, t) ctx.log:info(`{t.name} {t.time}`) end\nfunction s.on_quote(ctx, q) ctx.log:info(`{q.bid} {q.ask} {q.last}`) end\nfunction s.on_book(ctx, b) ctx.log:info(`{b:mid()} {b:best_bid().qty} {b:vwap('buy', 1.5)}`) end\nreturn s";
    let mut script = load(&desk, text).unwrap();
    let now = Time::from_millis(5000);
    script.seen(now, &Seen::Timer { name: "tick", time: now });
    let d = |n| Decimal::from(n);
    let quote = crate::base::Quote {
        time: now,
        instrument: InstrumentId(0),
        bid: d(1),
        bid_qty: d(2),
        ask: d(3),
        ask_qty: d(4),
        last: d(5),
    };
    script.seen(now, &Seen::Quote(&quote));
    let level =
        |side, price: i64, qty: i64| crate::base::Level { side, price: d(price), qty: d(qty) };
    let bids = [level(crate::base::BookSide::Bid, 10, 3)];
    let asks = [level(crate::base::BookSide::Ask, 12, 1), level(crate::base::BookSide::Ask, 15, 1)];
    script.seen(
        now,
        &Seen::Book { time: now, instrument: InstrumentId(0), bids: &bids, asks: &asks },
    );
    assert_eq!(script.take_faults(), []);
    assert_eq!(logged(&desk), ["tick 5", "1 3 5", "11 3 13"]);
}

#[test]
fn unknown_names_of_the_api_are_found_in_the_source() {
    use super::api::{METHODS, ORDER_FIELDS, uses};
    let text = "local s = {}\nfunction s.on_trade(ctx, t)\n\tctx:buuy({ qty = 1 })\n\tctx:buy({ qty = f({ a = 1 }), prize = 2, tag = \"x = {\" })\n\tctx.log:inform(\"ctx:nothing\") -- ctx.nope\n\tlocal x = ctx.nwo + ctx.state.anything\n\tctx:replace(o, { prise = 1 })\n\tmy.ctx.whatever = 1\nend\nreturn s\n";
    let shown: Vec<String> =
        uses(text).into_iter().map(|u| format!("{}:{} {}", u.line, u.column, u.message)).collect();
    assert_eq!(
        shown,
        [
            "3:6 there is no ctx:buuy; did you mean \"buy\"?",
            "4:32 there is no field prize in ctx:buy; did you mean \"price\"?",
            "5:10 there is no ctx.log:inform; did you mean \"info\"?",
            "6:16 there is no ctx.nwo; did you mean \"now\"?",
            "7:19 there is no field prise in ctx:replace; did you mean \"price\"?",
        ]
    );
    // The names here and the prelude's are the same.
    let prelude = include_str!("prelude.luau");
    for method in METHODS {
        assert!(prelude.contains(&format!("function methods.{method}(")), "{method}");
    }
    assert_eq!(prelude.matches("function methods.").count(), METHODS.len());
    for field in ORDER_FIELDS {
        assert!(prelude.contains(&format!("\t{field} = \"")), "{field}");
    }
}
