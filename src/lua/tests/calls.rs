//! Raw venue calls from the script's side: asking, waiting, replies, failures.

mod desk;

use super::*;
use crate::base::{CallFailure, CallFailureKind, CallId, CallOutcome, Fate, Span};
pub use desk::Counter;

const NOW: Time = Time::from_millis(2000);

pub fn load_at(desk: &Rc<RefCell<Counter>>, text: &str) -> Script {
    try_load(desk, text).unwrap()
}

fn try_load(desk: &Rc<RefCell<Counter>>, text: &str) -> Result<Script, Fault> {
    let setup = Setup {
        who: StrategyId(0),
        mode: Mode::Backtest,
        desk: desk.clone(),
        overrides: BTreeMap::new(),
        shared: BTreeMap::new(),
        default_instrument: Some("flowbtc:BTCBRL".into()),
        seed: 1,
        limits: limits(),
        now: NOW,
    };
    Script::load(graph::single("s.luau", text).unwrap(), setup)
}

/// A script with this body of `on_start`, started.
pub fn started(body: &str) -> (Script, Rc<RefCell<Counter>>) {
    let desk = Counter::new();
    let mut script =
        load_at(&desk, &format!("local s = {{}}\nfunction s.on_start(ctx)\n{body}\nend\nreturn s"));
    script.start(NOW);
    (script, desk)
}

fn answer(script: &mut Script, call: u64, outcome: &CallOutcome) {
    script.reply(NOW.plus(Span::from_millis(50)), CallId(call), outcome);
}

fn said(desk: &Rc<RefCell<Counter>>) -> Vec<String> {
    desk.borrow_mut().logged()
}

fn one(key: &str, value: Plain) -> CallOutcome {
    Ok(Plain::map(vec![(key, value)]))
}

fn timer(script: &mut Script, name: &str) {
    script.seen(NOW, &Seen::Timer { name, time: NOW });
}

#[test]
fn a_call_waits_for_its_reply_and_goes_on_with_it() {
    let (mut script, desk) = started(
        "local reply = flowbtc.SendOrder({ InstrumentId = 1, Side = 0, Quantity = '0.010', OrderType = 2, LimitPrice = 60000.5 })
        ctx.log:info(`{reply.OrderId} {reply.status} {ctx.now}`)",
    );
    assert_eq!(said(&desk), Vec::<String>::new(), "it waits");
    let ask = desk.borrow().asked[0].clone();
    assert_eq!((&*ask.venue.0, ask.name), ("flowbtc", "SendOrder"));
    // Exactly as written, and in the table's order.
    assert_eq!(
        ask.args,
        [
            ("InstrumentId", Plain::Int(1)),
            ("Side", Plain::Int(0)),
            ("Quantity", Plain::Decimal(Decimal::new(10, 3))),
            ("OrderType", Plain::Int(2)),
            ("LimitPrice", Plain::Decimal(Decimal::new(600_005, 1))),
        ]
    );
    let pairs = vec![("OrderId", Plain::text("9")), ("status", Plain::text("Accepted"))];
    answer(&mut script, 1, &Ok(Plain::map(pairs)));
    assert_eq!(said(&desk), ["9 Accepted 2.05"]);
    assert_eq!(script.take_faults(), []);
}

#[test]
fn every_documented_call_is_there_by_the_name_scripts_use() {
    for venue in crate::calls::VENUES {
        for call in crate::calls::of(venue) {
            let name = call.name.replace('-', "_");
            let (_, desk) = started(&format!("ctx.log:info(type({venue}.{name}))"));
            assert_eq!(said(&desk), ["function"], "{venue}.{name}");
        }
    }
    let (_, desk) = started("flowbtc.ping()");
    assert_eq!(desk.borrow().asked[0].name, "Ping");
    let (_, desk) =
        started("mercadobitcoin.day_summary({ coin = 'BTC', year = 2026, month = 11, day = 21 })");
    assert_eq!(desk.borrow().asked[0].name, "day-summary");
    let (_, desk) =
        started("local n = 0 for name, call in sentra do n += #name end ctx.log:info(`{n}`)");
    assert_eq!(said(&desk), [("heartbeat".len() + "positions".len() + "trades".len()).to_string()]);
}

#[test]
fn names_that_are_not_there_point_at_the_line_and_at_the_nearest() {
    for (code, expected) in [
        ("flowbtc.SendOder({})", "flowbtc has no \"SendOder\"; did you mean \"SendOrder\"?"),
        ("local f = flowbtc.send_order", "did you mean \"SendOrder\"?"),
        ("local f = sentra.hearbeat", "sentra has no \"hearbeat\"; did you mean \"heartbeat\"?"),
        ("local f = mercadobitcoin[1]", "mercadobitcoin has no \"1\""),
        ("flowbtc.SendOrder = print", "attempt to modify a readonly table"),
        ("setmetatable(flowbtc, nil)", "protected metatable"),
        ("flowbtc = nil", "attempt to modify a readonly table"),
    ] {
        let (mut script, _) = started(code);
        let faults = script.take_faults();
        assert!(faults[0].message.contains(expected), "{code}: {}", faults[0].message);
        assert_eq!((faults[0].file.as_str(), faults[0].line), ("s.luau", 3), "{code}");
    }
}

#[test]
fn replies_keep_numbers_lists_and_long_ids() {
    let (mut script, desk) = started(
        "local r = flowbtc.GetProducts()
        ctx.log:info(`{#r} {r[1].Id} {type(r[1].Id)} {r[1].Tick} {type(r[1].Tick)} {r[2]} {r[3]} {type(r[4])}`)",
    );
    let row = Plain::map(vec![
        ("Id", Plain::Int(9_222_816_249_026_513_001)),
        ("Tick", Plain::Decimal(Decimal::new(1, 2))),
        ("Nothing", Plain::Nil),
    ]);
    let list = vec![row, Plain::Bool(true), Plain::text("1.50"), Plain::Int(7)];
    answer(&mut script, 1, &Ok(Plain::List(list)));
    assert_eq!(said(&desk), ["4 9222816249026513001 string 0.01 number true 1.50 number"]);
}

/// FLOW-F29: ids go through no double, out and back.
#[test]
fn an_id_near_2_63_comes_back_as_it_went_out() {
    let (mut script, desk) = started(
        "local one = flowbtc.GetOrderStatus({ OrderId = '9223372036854775807' })
        flowbtc.CancelOrder({ OrderId = one.OrderId })",
    );
    answer(&mut script, 1, &one("OrderId", Plain::text(i64::MAX.to_string())));
    let ids: Vec<Option<i64>> = desk.borrow().asked.iter().map(|ask| ask.int("OrderId")).collect();
    assert_eq!(ids, [Some(i64::MAX), Some(i64::MAX)]);
    assert_eq!(script.take_faults(), []);
}

#[test]
fn every_failure_is_a_table_and_a_readable_line() {
    let body = "local ok, e = pcall(flowbtc.SendOrder, { InstrumentId = 1, Side = 0, Quantity = 1, OrderType = 1 })
        ctx.log:info(`{ok} {e.kind} {e.venue} {e.call} {e.code} {e.message} {e.outcome} {e.retry_after}`)
        ctx.log:info(tostring(e))
        ctx.log:info(`{pcall(function() e.kind = 1 end)} {getmetatable(e)}`)";
    for kind in CallFailureKind::ALL {
        let word = kind.word();
        let failure = CallFailure::refused(kind, "because");
        let expected = [
            format!("false {word} flowbtc SendOrder nil because refused nil"),
            format!("flowbtc.SendOrder: {word}: because"),
            "false failure".to_owned(),
        ];
        let (mut script, desk) = started(body);
        answer(&mut script, 1, &Err(failure.clone()));
        assert_eq!(said(&desk), expected, "later");

        // The same where the desk refuses at once: no waiting.
        let desk = Counter::new();
        desk.borrow_mut().refuse(kind, "because");
        let text = format!("local s = {{}}\nfunction s.on_start(ctx)\n{body}\nend\nreturn s");
        load_at(&desk, &text).start(NOW);
        assert_eq!(said(&desk), expected, "at once");
    }
    let (mut script, desk) = started(body);
    let failure = CallFailure {
        kind: CallFailureKind::RateLimited,
        code: Some(429),
        message: "slow down".into(),
        fate: Fate::Unknown,
        retry_after: Some(Span::from_millis(1500)),
    };
    answer(&mut script, 1, &Err(failure));
    let words = said(&desk);
    assert_eq!(words[0], "false rate_limited flowbtc SendOrder 429 slow down unknown 1.5");
    assert_eq!(words[1], "flowbtc.SendOrder: rate_limited: slow down (code 429)");
}

#[test]
fn an_uncaught_failure_is_a_fault_at_the_scripts_line() {
    let text = "local s = {}
function s.on_timer(ctx)
	local x = 1
	flowbtc.CancelOrder({ OrderId = 7 })
end
function s.on_error(ctx, err) ctx.log:info(`{err.handler} {err.line} {err.message}`) end
return s";
    let desk = Counter::new();
    let mut script = load_at(&desk, text);
    timer(&mut script, "t");
    let refused = CallFailure::refused(CallFailureKind::Rejected, "Not_Enough_Funds").code(101);
    answer(&mut script, 1, &Err(refused));
    let message = "flowbtc.CancelOrder: rejected: Not_Enough_Funds (code 101)";
    let faults = script.take_faults();
    assert_eq!(faults.len(), 1);
    assert_eq!((faults[0].file.as_str(), faults[0].line), ("s.luau", 4));
    assert_eq!((faults[0].handler.as_str(), faults[0].message.as_str()), ("on_timer", message));
    assert!(faults[0].traceback.contains("s.luau:4"), "{}", faults[0].traceback);
    assert_eq!(faults[0].at, NOW.plus(Span::from_millis(50)));
    assert_eq!(said(&desk), [format!("on_timer 4 {message}")]);
}

#[test]
fn a_handler_of_xpcall_gets_the_failure() {
    let (mut script, desk) = started(
        "local ok, e = xpcall(flowbtc.Ping, function(e) return e.outcome end) ctx.log:info(`{ok} {e}`)",
    );
    answer(&mut script, 1, &Err(CallFailure::unknown("no answer")));
    assert_eq!(said(&desk), ["false unknown"]);
}

#[test]
fn a_failing_call_in_on_error_does_not_call_on_error_again() {
    let text = "local s = {}
function s.on_timer(ctx) error('first') end
function s.on_error(ctx, err) flowbtc.Ping() end
return s";
    let desk = Counter::new();
    let mut script = load_at(&desk, text);
    timer(&mut script, "t");
    answer(&mut script, 1, &Err(CallFailure::unknown("no answer")));
    let handlers: Vec<String> = script.take_faults().into_iter().map(|f| f.handler).collect();
    assert_eq!(handlers, ["on_timer", "on_error"]);
    assert_eq!(desk.borrow().asked.len(), 1);
}

#[test]
fn calls_in_flight_from_several_handlers_each_get_their_own_reply() {
    let text = "local s = {}
function s.on_timer(ctx, t)
	local name = t.name
	local ok, r = pcall(flowbtc.GetOrderStatus, { OrderId = name })
	local again = flowbtc.GetOrderStatus({ OrderId = name })
	ctx.log:info(`{name} {ok} {r.n} {again.n}`)
end
return s";
    let desk = Counter::new();
    let mut script = load_at(&desk, text);
    for name in ["10", "20", "30"] {
        timer(&mut script, name);
    }
    let ids: Vec<Option<i64>> = desk.borrow().asked.iter().map(|ask| ask.int("OrderId")).collect();
    assert_eq!(ids, [Some(10), Some(20), Some(30)]);
    // Out of order; each goes on to its second call, numbers 4, 5, 6.
    for (call, n) in [(3, 33), (1, 11), (2, 22)] {
        answer(&mut script, call, &one("n", Plain::Int(n)));
    }
    for (call, n) in [(5, 1), (6, 2), (4, 3)] {
        answer(&mut script, call, &one("n", Plain::Int(n)));
    }
    assert_eq!(said(&desk), ["10 true 11 1", "20 true 22 2", "30 true 33 3"]);
    assert_eq!(script.take_faults(), []);
}

#[test]
fn sleeps_and_calls_follow_each_other() {
    let (mut script, desk) = started(
        "ctx:sleep(1) flowbtc.Ping() ctx.log:info(`called {ctx.now}`) ctx:sleep(2) flowbtc.Ping() ctx.log:info(`done {ctx.now}`)",
    );
    assert_eq!(desk.borrow().asked.len(), 0);
    script.wake(Time::from_millis(3000));
    assert_eq!((desk.borrow().asked.len(), script.wake_at()), (1, None));
    script.reply(Time::from_millis(4000), CallId(1), &Ok(Plain::Nil));
    assert_eq!(script.wake_at(), Some(Time::from_millis(6000)));
    script.wake(Time::from_millis(6000));
    script.reply(Time::from_millis(7000), CallId(2), &Ok(Plain::Nil));
    assert_eq!(said(&desk), ["called 4", "done 7"]);
    assert_eq!(script.take_faults(), []);
}

#[test]
fn replies_that_nobody_waits_for_are_dropped() {
    let body = "ctx.log:info(`{flowbtc.Ping().msg}`)";
    let (mut old, desk) = started(body);
    let pong = one("msg", Plain::text("PONG"));
    answer(&mut old, 77, &pong);
    answer(&mut old, 1, &pong);
    answer(&mut old, 1, &pong);
    assert_eq!(said(&desk), ["PONG"]);
    // A new version knows nothing of the calls of the one before it.
    let text = format!("local s = {{}}\nfunction s.on_start(ctx)\n{body}\nend\nreturn s");
    let mut new = load_at(&desk, &text);
    answer(&mut new, 1, &pong);
    assert_eq!((said(&desk), new.take_faults()), (vec![], vec![]));
}

#[test]
fn rows_go_on_while_a_call_is_pending() {
    for form in ["on_trade(ctx, trade)", "on_trade_fields(ctx, time, price, qty)"] {
        let price = if form.contains("fields") { "price" } else { "trade.price" };
        let text = format!(
            "local s = {{}}
function s.{form}
	if {price} == 100.01 then
		local r = flowbtc.Ping()
		ctx.log:info(`{{{price}}} {{r.msg}} {{ctx.now}}`)
		return
	end
	ctx.log:info(`{{{price}}}`)
end
return s"
        );
        let desk = Counter::new();
        let mut script = load_at(&desk, &text);
        script.load_block(&block(4));
        assert_eq!(script.rows(0, 4), 2, "the walk ends at the row that called");
        assert_eq!(script.rows(2, 3), 3);
        answer(&mut script, 1, &one("msg", Plain::text("PONG")));
        assert_eq!(script.rows(3, 4), 4);
        assert_eq!(said(&desk), ["100", "100.02", "100.01 PONG 2.05", "100.03"], "{form}");
        assert_eq!(script.take_faults(), []);
    }
}

#[test]
fn a_call_refused_at_once_still_ends_the_walk_at_its_row() {
    let text = "local s = {}
function s.on_trade(ctx, trade)
	local ok = pcall(flowbtc.Ping)
	ctx.log:info(`{trade.price} {ok}`)
end
return s";
    let desk = Counter::new();
    desk.borrow_mut().refuse(CallFailureKind::NoVenue, "no such venue");
    let mut script = load_at(&desk, text);
    script.load_block(&block(2));
    assert_eq!(script.rows(0, 2), 1);
    assert_eq!(script.rows(1, 2), 2);
    assert_eq!(said(&desk), ["100 false", "100.01 false"]);
}

#[test]
fn a_resumed_handler_has_a_budget() {
    let (mut script, desk) = started("flowbtc.Ping() while true do end");
    answer(&mut script, 1, &Ok(Plain::Nil));
    let faults = script.take_faults();
    assert_eq!((faults.len(), faults[0].kind), (1, FaultKind::Budget));
    // The VM lives on.
    script.start(NOW);
    assert_eq!(desk.borrow().asked.len(), 2);
}

#[test]
fn calls_are_for_handlers_only() {
    let text = "local s = {}\nflowbtc.Ping()\nfunction s.on_start() end\nreturn s";
    let fault = try_load(&Counter::new(), text).unwrap_err();
    assert_eq!(fault.line, 2, "{fault}");
    assert!(fault.message.contains("flowbtc.Ping works in handlers: call it in"), "{fault}");

    for (code, expected) in [
        (
            "coroutine.wrap(function() flowbtc.Ping() end)()",
            "flowbtc.Ping works in a handler itself, not in a coroutine",
        ),
        ("table.sort({ 1, 2 }, function() flowbtc.Ping() end)", "cannot wait inside"),
        (
            "local x = setmetatable({}, { __index = function() flowbtc.Ping() end }).y",
            "cannot wait",
        ),
    ] {
        let (mut script, desk) = started(code);
        let faults = script.take_faults();
        assert!(faults[0].message.contains(expected), "{code}: {}", faults[0].message);
        assert_eq!(faults[0].line, 3, "{code}");
        assert_eq!(desk.borrow().asked.len(), 0, "{code}: nothing was asked for");
    }
}

#[test]
fn the_tables_exist_while_a_file_loads() {
    let text = "local send, s = flowbtc.Ping, {}
function s.on_start(ctx) send() end
function s.on_save() return { ok = pcall(flowbtc.Ping) } end
return s";
    let desk = Counter::new();
    let mut script = load_at(&desk, text);
    script.start(NOW);
    assert_eq!(desk.borrow().asked.len(), 1);
    let saved = script.save(NOW).unwrap();
    assert_eq!(saved.get("ok"), Some(&Plain::Bool(false)), "no call while the state is saved");
    assert_eq!(desk.borrow().asked.len(), 1);
}

#[test]
fn state_is_saved_while_a_call_is_pending_and_failures_are_plain_data() {
    let (mut script, _) = started(
        "ctx.state.n = 1
        local _, e = pcall(flowbtc.Ping)
        ctx.state.n, ctx.state.last = 2, e
        flowbtc.Ping()
        ctx.state.n = 3",
    );
    assert_eq!(script.save(NOW).unwrap().get("n"), Some(&Plain::Number(1.0)));
    answer(&mut script, 1, &Err(CallFailure::unknown("no answer")));
    let saved = script.save(NOW).unwrap();
    assert_eq!(saved.get("n"), Some(&Plain::Number(2.0)));
    let last = saved.get("last").unwrap();
    assert_eq!(last.get("outcome"), Some(&Plain::text("unknown")));
    answer(&mut script, 2, &Ok(Plain::Nil));
    assert_eq!(script.save(NOW).unwrap().get("n"), Some(&Plain::Number(3.0)));
}

#[test]
fn ten_thousand_calls_leave_nothing_behind() {
    let text = "local s = {}
function s.on_timer(ctx, t)
	local r = flowbtc.GetOpenOrders()
	ctx.state.n = (ctx.state.n or 0) + #r
end
return s";
    let desk = Counter::new();
    let mut script = load_at(&desk, text);
    let row = Plain::map(vec![("OrderId", Plain::text("1")), ("Price", Plain::Int(1))]);
    let reply = Ok(Plain::List(vec![row; 5]));
    let mut run = |from: u64, to: u64| {
        for call in from..=to {
            timer(&mut script, "t");
            answer(&mut script, call, &reply);
        }
        assert_eq!(script.take_faults(), []);
        assert_eq!(script.waiting(), 0);
        script.live_memory()
    };
    let before = run(1, 100);
    let after = run(101, 10_100);
    assert!(after < before + 16 * 1024, "{before} bytes became {after}");
}

#[test]
fn a_reply_too_large_for_the_vm_is_a_failure_with_an_open_fate() {
    let (mut script, desk) = started(
        "local ok, e = pcall(flowbtc.GetProducts) ctx.log:info(`{ok} {e.kind} {e.outcome}`)",
    );
    answer(&mut script, 1, &Ok(Plain::text("x".repeat(limits().memory + 1))));
    assert_eq!(said(&desk), ["false limit unknown"]);
    assert_eq!(script.take_faults(), []);
}

#[test]
fn a_table_that_looks_like_a_failure_runs_no_code_of_its_own() {
    for fields in ["code = bad", "code = 1, venue = bad"] {
        let (mut script, _) = started(&format!(
            "local _, e = pcall(flowbtc.SendOrder, 1)
            local bad = setmetatable({{}}, {{ __tostring = function() while true do end end }})
            local fake = {{ venue = 'v', call = 'c', kind = 'k', message = 'm', {fields} }}
            error(setmetatable(fake, {{ __metatable = getmetatable(e), __tostring = function() while true do end end }}))"
        ));
        let faults = script.take_faults();
        assert_eq!((faults.len(), faults[0].kind), (1, FaultKind::Error), "{faults:?}");
    }
}
