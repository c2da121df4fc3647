//! The venue coming and going, and the end of a run.

use super::*;

const TRADER: &str = "local s = {} function s.on_start(ctx) ctx.log:info(`start {ctx.mode}`) end \
    function s.on_trade(ctx, trade) local o = ctx:buy({ qty = trade.qty, price = 100 }) \
    ctx.log:info(`{o.state} {o.reason}`) end \
    function s.on_timer(ctx) ctx.log:info('timer') end \
    function s.on_order(ctx, o) ctx.log:info(`order {o.state}`) end \
    function s.on_feed(ctx, feed) ctx.log:info(`{feed.channel} {feed.state}`) end \
    function s.on_stop(ctx) ctx.log:info('stop') end return s";

#[test]
fn a_strategy_starts_when_the_session_is_live() {
    let mut rig = Rig::cold(config());
    rig.load("s", TRADER);
    rig.trade("100", "1");
    assert_eq!(rig.said_by("s"), Vec::<String>::new());
    rig.session(FeedState::Live);
    rig.trade("100", "1");
    assert_eq!(rig.said_by("s"), ["start paper", "pending nil"]);
    // One that comes later starts at once.
    rig.load("t", TRADER);
    assert_eq!(rig.said_by("t"), ["start paper"]);
}

#[test]
fn orders_are_refused_while_the_venue_is_away() {
    let mut rig = Rig::of(TRADER);
    rig.trade("100", "1");
    rig.session(FeedState::Down);
    rig.trade("100", "1");
    rig.trade("100", "0.5");
    rig.session(FeedState::Live);
    rig.trade("100", "1");
    assert_eq!(
        rig.said_by("s"),
        [
            "pending nil",
            "session down",
            "rejected VENUE_NOT_READY venue=flowbtc",
            "rejected VENUE_NOT_READY venue=flowbtc",
            "session live",
            "pending nil",
        ]
    );
    assert_eq!(rig.commands(), ["place 0.1 buy 1 @ 100", "place 0.4 buy 1 @ 100"]);
}

#[test]
fn a_cancel_passes_while_the_venue_is_away() {
    let script = "local s = {} function s.on_trade(ctx) ctx:buy({ qty = 1, price = 100 }) end \
                  function s.on_feed(ctx, feed) if feed.state == 'down' then ctx:cancel_all() end end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.working(1);
    rig.session(FeedState::Down);
    assert_eq!(rig.commands()[1..], ["cancel 0.1"]);
}

#[test]
fn stop_tells_the_strategies_and_waits_for_the_cancels() {
    let mut rig = Rig::with(config());
    rig.load("a", TRADER);
    rig.load("b", TRADER);
    rig.trade("100", "1");
    rig.working(1);
    rig.clear();
    rig.stop();
    assert_eq!(rig.commands(), ["cancel 0.1", "cancel 1.1"]);
    assert!(!rig.engine.has_stopped());
    rig.stop(); // twice is once
    rig.ms(5_000);
    rig.canceled(1, "0");
    assert!(!rig.engine.has_stopped());
    rig.step(SECOND, 1, OrderStep::Canceled { filled: d("0"), reason: String::new() });
    assert!(rig.engine.has_stopped());
    rig.ms(5_000);
    assert_eq!(
        rig.notes(),
        ["log stop", "log stop", "order 0.1 canceled asked", "order 1.1 canceled", "stopped 0"]
    );
}

#[test]
fn nothing_is_called_after_on_stop() {
    let script = "local s = { subscribe = { 'trades flowbtc:BTCBRL', 'quotes flowbtc:BTCBRL' } } \
        local function tell(name) return function(ctx) ctx.log:info(name) end end \
        for _, name in { 'on_quote', 'on_order', 'on_fill', 'on_timer', 'on_feed', 'on_stop' } do s[name] = tell(name) end \
        function s.on_start(ctx) ctx:every(1, 't') end \
        function s.on_trade(ctx) ctx:buy({ qty = 1, price = 100 }) ctx:sleep(3) ctx.log:info('awake') end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.working(1);
    rig.clear();
    rig.stop();
    rig.trade("100", "1");
    rig.quote("99", "100");
    rig.fill(1, 11, "100", "0.5");
    rig.ms(5_000);
    rig.session(FeedState::Down);
    rig.canceled(1, "0.5");
    assert_eq!(rig.said_by("s"), ["on_stop"]);
    // The books go on to the end.
    assert_eq!(rig.position(FIRST), d("0.5"));
    assert!(rig.engine.has_stopped());
}

#[test]
fn flatten_in_on_stop_comes_before_the_last_door_closes() {
    let script = "local s = {} function s.on_trade(ctx) ctx:buy({ qty = 1, price = 100 }) end \
                  function s.on_stop(ctx) ctx:flatten() end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.working(1);
    rig.fill(1, 11, "100", "0.4");
    rig.clear();
    rig.stop();
    // The resting order is canceled, the closing one is not.
    assert_eq!(rig.commands(), ["cancel 0.1", "place 0.2 sell 0.4"]);
    rig.canceled(1, "0.4");
    assert!(!rig.engine.has_stopped(), "the closing order is still on its way");
    rig.fill(2, 12, "99", "0.4");
    assert!(rig.engine.has_stopped());
    assert_eq!(rig.position(FIRST), d("0"));
}

#[test]
fn a_refused_cancel_is_asked_for_again_until_the_order_ends() {
    let refuse = |rig: &mut Rig| {
        rig.step(FIRST, 1, OrderStep::ChangeRefused { reason: "CANCEL_FAILED".to_owned() });
    };
    let expiring = "local s = {} function s.on_trade(ctx) \
                    ctx:buy({ qty = 1, price = 100, expires = 1 }) end return s";
    let halting = "local s = {} function s.on_trade(ctx) \
                   ctx:buy({ qty = 1, price = 100 }) ctx:after(1, 't') end \
                   function s.on_timer(ctx) ctx:halt('enough') end return s";
    for script in [expiring, halting, TRADER] {
        let mut rig = Rig::of(script);
        rig.trade("100", "1");
        rig.working(1);
        rig.ms(1_000);
        if script == TRADER {
            rig.stop();
        }
        assert_eq!(rig.commands().len(), 2);
        refuse(&mut rig);
        rig.ms(999);
        assert_eq!(rig.commands().len(), 2, "not in a hurry");
        rig.ms(1);
        refuse(&mut rig);
        rig.ms(1_000);
        assert_eq!(rig.commands()[1..], ["cancel 0.1", "cancel 0.1", "cancel 0.1"]);
        rig.canceled(1, "0");
        rig.ms(60_000);
        assert_eq!(rig.commands().len(), 4);
        assert_eq!(rig.engine.wake_at(), None);
    }
    // What a strategy asked for itself is its own business.
    let mut rig = Rig::of(
        "local s = {} local o function s.on_trade(ctx) \
         if o then ctx:cancel(o) else o = ctx:buy({ qty = 1, price = 100 }) end end return s",
    );
    rig.trade("100", "1");
    rig.trade("100", "1");
    refuse(&mut rig);
    rig.ms(60_000);
    assert_eq!(rig.commands().len(), 2);
}

#[test]
fn what_on_stop_leaves_to_rest_is_canceled_too() {
    let script = "local s = {} function s.on_trade(ctx) ctx:buy({ qty = 1, price = 100 }) end \
                  function s.on_stop(ctx) ctx:sell({ qty = 1, price = 110 }) end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.clear();
    rig.stop();
    assert_eq!(rig.commands(), ["cancel 0.1", "place 0.2 sell 1 @ 110", "cancel 0.2"]);
}

#[test]
fn an_unknown_order_keeps_the_run_from_being_over() {
    let mut rig = Rig::of(TRADER);
    rig.trade("100", "1");
    rig.step(FIRST, 1, OrderStep::Lost);
    rig.stop();
    rig.ms(60_000);
    assert!(!rig.engine.has_stopped());
    rig.step(FIRST, 1, OrderStep::Rejected { reason: "NOT_PLACED".to_owned() });
    assert!(rig.engine.has_stopped());
}

#[test]
fn a_run_without_orders_is_over_at_once() {
    let mut rig = Rig::of(TRADER);
    rig.stop();
    assert!(rig.engine.has_stopped());
    assert_eq!(rig.notes(), ["log stop", "stopped 0"]);
    let mut rig = Rig::cold(config());
    rig.load("s", TRADER);
    rig.clear();
    rig.stop();
    assert_eq!(rig.notes(), ["stopped 0"], "one that never started is not stopped");
    rig.session(FeedState::Live);
    assert_eq!(rig.said_by("s"), Vec::<String>::new());
}

#[test]
fn halt_of_all_and_resume() {
    let mut rig = Rig::with(config());
    rig.load("a", TRADER);
    rig.load("b", TRADER);
    rig.trade("100", "1");
    rig.clear();
    rig.input(In::Operator(Operator::Halt("lunch".to_owned())));
    assert_eq!(rig.commands(), ["cancel 0.1", "cancel 1.1"]);
    rig.trade("100", "1");
    assert_eq!(rig.said_by("a"), ["rejected HALT_ALL reason=lunch"]);
    assert_eq!(rig.said_by("b"), ["rejected HALT_ALL reason=lunch"]);
    rig.input(In::Operator(Operator::Resume));
    rig.clear();
    rig.trade("100", "1");
    assert_eq!(rig.said_by("a"), ["pending nil"]);
    assert_eq!(rig.commands(), ["place 0.3 buy 1 @ 100", "place 1.3 buy 1 @ 100"]);
}

#[test]
fn a_resume_of_all_leaves_a_halted_strategy_halted() {
    let mut rig = Rig::of("local s = {} function s.on_trade(ctx) ctx:halt('own') end return s");
    rig.trade("100", "1");
    rig.input(In::Operator(Operator::Halt("all".to_owned())));
    rig.input(In::Operator(Operator::Resume));
    assert_eq!(rig.engine.core().gate.halted(StrategyId(FIRST)), Some("own"));
}

#[test]
fn nothing_starts_once_the_run_ends() {
    let mut rig = Rig::of(TRADER);
    rig.trade("100", "1");
    rig.stop();
    rig.clear();
    rig.load("late", TRADER);
    rig.load("s", &format!("{TRADER} -- edited"));
    rig.trade("100", "1");
    assert_eq!(rig.said_by("late"), Vec::<String>::new());
    assert_eq!(rig.said_by("s"), Vec::<String>::new());
}
