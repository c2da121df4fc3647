//! Several strategies: what one does wrong costs no other an event.

use super::*;
use crate::desk::FaultKind;

/// Counts its trades and orders, and tells each.
const COUNTER: &str = "local s = {} local n = 0 function s.on_start(ctx) ctx:every(1, 'beat') end \
    function s.on_trade(ctx, trade) n += 1 ctx.log:info(`trade {n} {trade.id}`) \
    if n % 10 == 0 then ctx:buy({ qty = 1, price = 90 }) end end \
    function s.on_timer(ctx) ctx.log:info(`beat {ctx.now}`) end \
    function s.on_order(ctx, order) ctx.log:info(`order {order.state}`) end return s";

/// A strategy that rests an order, and whose trade handler does `body` from its 5th trade on.
fn bad(body: &str) -> String {
    format!(
        "local s = {{}} local n = 0 function s.on_trade(ctx) n += 1 \
         if n == 1 then ctx:buy({{ qty = 1, price = 80 }}) end \
         if n >= 5 then {body} end end \
         function s.on_stop(ctx) ctx.log:info('stop') ctx:buy({{ qty = 1 }}) end return s"
    )
}

fn quick() -> EngineConfig {
    let mut config = config();
    config.lua.handler = Duration::from_millis(100);
    config.faults_a_minute = 4;
    config.overruns_a_minute = 2;
    config
}

/// Twenty trades with a second between them.
fn market(rig: &mut Rig) {
    for _ in 0..20 {
        rig.trade("100", "1");
        rig.ms(1_000);
    }
}

fn alone() -> Vec<String> {
    let mut rig = Rig::with(quick());
    rig.load("good", COUNTER);
    market(&mut rig);
    rig.said_by("good")
}

#[test]
fn a_bad_strategy_is_halted_and_the_others_do_not_notice() {
    let expected = alone();
    assert_eq!(expected.len(), 40);
    let rows = [
        ("while true do end", FaultKind::Budget, 3),
        ("pcall(function() while true do end end)", FaultKind::Budget, 3),
        ("coroutine.wrap(function() while true do end end)()", FaultKind::Budget, 3),
        ("string.rep('a', 5000):find('.-.-.-b')", FaultKind::Budget, 3),
        ("error('no')", FaultKind::Error, 5),
        ("local x = nil + 1", FaultKind::Error, 5),
        ("buffer.create(2e8)", FaultKind::Memory, 3),
        ("ctx:buy({ qtty = 1 })", FaultKind::Error, 5),
    ];
    for (body, kind, faults) in rows {
        let mut rig = Rig::with(quick());
        rig.load("before", COUNTER);
        rig.load("bad", &bad(body));
        rig.load("after", COUNTER);
        rig.clear();
        market(&mut rig);
        assert_eq!(rig.said_by("before"), expected, "{body}");
        assert_eq!(rig.said_by("after"), expected, "{body}");
        let mut told = rig.notes();
        told.retain(|note| !note.starts_with("log "));
        let wanted = format!("fault {SECOND} {kind:?}");
        let seen = told.iter().filter(|note| note.starts_with("fault ")).count();
        assert!(told.contains(&wanted) && seen == faults, "{body}: {seen} {told:#?}");
        let halts: Vec<&String> = told.iter().filter(|note| note.starts_with("halt ")).collect();
        assert_eq!(halts.len(), 1, "{body}: {told:#?}");
        assert_eq!(rig.said_by("bad"), ["stop"], "{body}");
        assert!(rig.commands().contains(&"cancel 1.1".to_owned()), "{body}");
        assert!(rig.records().iter().any(|line| line.starts_with("halt ")), "{body}");
        // What it asks for in on_stop does not pass: it is halted.
        assert!(told.iter().any(|note| note.starts_with("order 1.2 rejected HALT_STRATEGY")));
        let status = rig.engine.status();
        let halted: Vec<bool> = status.iter().map(|row| row.halted.is_some()).collect();
        assert_eq!(halted, [false, true, false], "{body}");
    }
}

#[test]
fn faults_spread_over_time_halt_nobody() {
    let mut config = quick();
    config.faults_a_minute = 2;
    let mut rig = Rig::with(config);
    rig.load("s", "local s = {} function s.on_trade() error('no') end return s");
    for _ in 0..20 {
        rig.trade("100", "1");
        rig.ms(30_000); // two in any minute, three at its very ends
    }
    let halts = rig.notes().iter().filter(|note| note.starts_with("halt ")).count();
    let faults = rig.notes().iter().filter(|note| note.starts_with("fault ")).count();
    assert_eq!((halts, faults), (1, 3));
    let mut rig = Rig::with(quick());
    rig.load("s", "local s = {} function s.on_trade() error('no') end return s");
    for _ in 0..20 {
        rig.trade("100", "1");
        rig.ms(30_000);
    }
    assert!(rig.engine.status()[0].halted.is_none());
}

#[test]
fn mended_code_is_armed_again() {
    let mut rig = Rig::with(quick());
    rig.load("s", &bad("error('no')"));
    market(&mut rig);
    assert!(rig.engine.status()[0].halted.is_some());
    rig.canceled(1, "0");
    rig.clear();
    rig.load("s", BUYS);
    assert!(rig.engine.status()[0].halted.is_none());
    rig.trade("100", "1");
    assert_eq!(rig.commands(), ["place 0.3 buy 1 @ 100"]);
    // Its old failures are forgotten.
    rig.load("s", &bad("error('no')"));
    for _ in 0..8 {
        rig.trade("100", "1");
    }
    assert!(rig.engine.status()[0].halted.is_none());
    rig.trade("100", "1");
    assert!(rig.engine.status()[0].halted.is_some());
}

const BUYS: &str =
    "local s = {} function s.on_trade(ctx) ctx:buy({ qty = 1, price = 100 }) end return s";

#[test]
fn a_candidate_that_is_refused_does_not_arm_a_halted_strategy() {
    let mut rig = Rig::with(quick());
    rig.load("s", "local s = {} function s.on_trade(ctx) ctx:halt('enough') end return s");
    rig.trade("100", "1");
    rig.load("s", "this is no Luau");
    assert_eq!(rig.engine.status()[0].halted.as_deref(), Some("enough"));
    rig.clear();
    rig.trade("100", "1");
    assert_eq!(rig.notes(), Vec::<String>::new());
}

#[test]
fn a_strategy_can_halt_itself() {
    let script = "local s = {} function s.on_trade(ctx) ctx:buy({ qty = 1, price = 99 }) ctx:halt('enough') \
                  local o = ctx:buy({ qty = 1, price = 98 }) ctx.log:info(o.reason) end \
                  function s.on_stop(ctx) ctx.log:info(`stop {#ctx:orders()}`) end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.trade("100", "1");
    assert_eq!(rig.commands(), ["place 0.1 buy 1 @ 99", "cancel 0.1"]);
    assert_eq!(rig.said_by("s"), ["HALT_STRATEGY reason=enough", "stop 1"]);
    assert_eq!(rig.notes().last().map(String::as_str), Some("halt 0 enough"));
}

#[test]
fn a_failing_on_stop_is_told() {
    let script = "local s = {} function s.on_trade(ctx) ctx:halt('enough') end \
                  function s.on_stop() error('no') end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    assert_eq!(rig.notes(), ["fault 0 Error", "halt 0 enough"]);
}

#[test]
fn a_failing_start_leaves_the_rest_alive() {
    let script = "local s = {} function s.on_start(ctx) ctx:buy({ qty = 1, price = 90 }) error('no') end \
                  function s.on_trade(ctx, trade) ctx.log:info(trade.id) end return s";
    let mut rig = Rig::with(quick());
    rig.load("s", script);
    rig.trade("100", "1");
    assert_eq!(rig.said_by("s"), ["1"]);
    assert!(rig.notes().contains(&"fault 0 Error".to_owned()));
    assert_eq!(rig.commands(), ["place 0.1 buy 1 @ 90"]);
}

#[test]
fn what_an_on_error_does_wrong_is_told_once() {
    let script = "local s = {} function s.on_trade() error('first') end \
                  function s.on_error(ctx, err) ctx.log:info(`{err.handler}: {err.message}`) error('second') end \
                  return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    assert_eq!(rig.said_by("s"), ["on_trade: first"]);
    let faults = rig.notes().iter().filter(|note| note.starts_with("fault ")).count();
    assert_eq!(faults, 2);
}
