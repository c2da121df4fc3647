//! Timers, sleeping handlers, and bars that close by the clock.

use super::*;

#[test]
fn timers_ring_in_order_of_time_then_of_setting() {
    let script = "local s = {} function s.on_start(ctx) \
                  ctx:after(2, 'c') ctx:after(1, 'b') ctx:after(1, 'a') ctx:after(0.5, 'first') end \
                  function s.on_timer(ctx, timer) ctx.log:info(`{timer.name} {timer.time} {ctx.now}`) end \
                  return s";
    let mut rig = Rig::of(script);
    rig.ms(3_000);
    let told = ["first 60000.5 60000.5", "b 60001 60001", "a 60001 60001", "c 60002 60002"];
    assert_eq!(rig.said_by("s"), told);
    // All at once after a stall: the same order, each with the time it was meant for.
    let mut rig = Rig::of(script);
    rig.now = rig.now.plus(Span::from_secs(5));
    rig.input(In::Tick);
    let told = ["first 60000.5 60005", "b 60001 60005", "a 60001 60005", "c 60002 60005"];
    assert_eq!(rig.said_by("s"), told);
}

#[test]
fn a_repeated_timer_keeps_its_beat_and_rings_a_stall_once() {
    let script = "local s = {} function s.on_start(ctx) ctx:every(10, 'beat') end \
                  function s.on_timer(ctx, timer) ctx.log:info(timer.time) end return s";
    let mut rig = Rig::of(script);
    rig.ms(25_000);
    assert_eq!(rig.said_by("s"), ["60010", "60020"]);
    rig.now = rig.now.plus(Span::from_secs(30)); // 60055: the beats of 30, 40 and 50 are over
    rig.input(In::Tick);
    rig.ms(10_000);
    assert_eq!(rig.said_by("s"), ["60010", "60020", "60030", "60060"]);
}

#[test]
fn the_same_name_replaces_and_cancel_ends() {
    let script = "local s = {} function s.on_start(ctx) \
                  ctx:every(1, 'a') ctx:after(5, 'a') ctx:every(2, 'b') end \
                  function s.on_timer(ctx, timer) ctx.log:info(timer.name) \
                  if timer.name == 'b' then ctx.log:info(`{ctx:cancel_timer('b')} {ctx:cancel_timer('b')}`) end \
                  end return s";
    let mut rig = Rig::of(script);
    rig.ms(20_000);
    assert_eq!(rig.said_by("s"), ["b", "true false", "a"]);
    assert_eq!(rig.engine.wake_at(), None);
}

#[test]
fn names_of_two_strategies_are_two_timers() {
    let script = |span: u32| {
        format!(
            "local s = {{}} function s.on_start(ctx) ctx:after({span}, 't') end \
             function s.on_timer(ctx, timer) ctx.log:info(ctx.now) end return s"
        )
    };
    let mut rig = Rig::with(config());
    rig.load("a", &script(2));
    rig.load("b", &script(1));
    rig.ms(5_000);
    assert_eq!(rig.said_by("a"), ["60002"]);
    assert_eq!(rig.said_by("b"), ["60001"]);
}

#[test]
fn timers_survive_a_reload() {
    let script = |word: &str| {
        format!(
            "local s = {{}} function s.on_start(ctx) ctx:every(1, 'beat') ctx:after(2.5, 'once') end \
             function s.on_timer(ctx, timer) ctx.log:info(`{word} {{timer.name}} {{ctx.now}}`) end return s"
        )
    };
    let mut rig = Rig::of(&script("old"));
    rig.ms(1_500);
    rig.load("s", &script("new"));
    rig.ms(1_500);
    let told = ["old beat 60001", "new beat 60002", "new once 60002.5", "new beat 60003"];
    assert_eq!(rig.said_by("s"), told);
}

#[test]
fn a_timer_can_be_set_as_often_as_wished_but_not_spin() {
    let script = "local s = {} local n = 0 function s.on_start(ctx) ctx:every(1e-9, 't') end \
                  function s.on_timer(ctx) n += 1 if n == 5 then ctx:cancel_timer('t') ctx.log:info(n) end end \
                  return s";
    let mut rig = Rig::of(script);
    rig.ms(4);
    assert_eq!(rig.said_by("s"), Vec::<String>::new());
    rig.ms(1);
    assert_eq!(rig.said_by("s"), ["5"]);
}

#[test]
fn a_sleeping_handler_goes_on_while_events_are_handled() {
    let script = "local s = {} function s.on_trade(ctx, trade) \
                  local qty, before = trade.qty, ctx.now \
                  ctx.log:info(`in {qty} {ctx.now}`) \
                  if qty == 1 then ctx:sleep(2) ctx.log:info(`mid {qty} {trade.qty} {ctx.now}`) ctx:sleep(1) end \
                  ctx.log:info(`out {qty} {ctx.now - before}`) end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.ms(500);
    rig.trade("100", "2");
    rig.ms(500);
    rig.trade("100", "1");
    rig.ms(5_000);
    let told = [
        "in 1 60000",
        "in 2 60000.5",
        "out 2 0",
        "in 1 60001",
        "mid 1 1 60002",
        "mid 1 1 60003",
        "out 1 3",
        "out 1 3",
    ];
    assert_eq!(rig.said_by("s"), told);
}

#[test]
fn an_order_asked_for_after_a_sleep_is_sent() {
    let script = "local s = {} function s.on_trade(ctx) ctx:sleep(1) ctx:buy({ qty = 1, price = 100 }) end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    assert_eq!(rig.engine.wake_at(), Some(rig.now.plus(Span::from_secs(1))));
    rig.ms(999);
    assert_eq!(rig.commands(), Vec::<String>::new());
    rig.ms(1);
    assert_eq!(rig.commands(), ["place 0.1 buy 1 @ 100"]);
}

const BARS: &str = "local s = { subscribe = { 'bars flowbtc:BTCBRL 10s', 'bars flowbtc:BTCBRL 30s' } } \
    function s.on_bar(ctx, bar) ctx.log:info(\
    `{bar.interval}s {bar.time} {bar.open} {bar.high} {bar.low} {bar.close} {bar.volume} at {ctx.now}`) end \
    return s";

#[test]
fn a_bar_closes_at_its_end_without_a_trade() {
    let mut rig = Rig::of(BARS);
    rig.trade("100", "1");
    rig.ms(4_000);
    rig.trade("102", "2");
    rig.trade("99", "0.5");
    assert_eq!(rig.engine.wake_at(), Some(Time::from_millis(60_010_000)));
    rig.ms(60_000); // no trade any more: one bar of each, and none for the silence
    let told = ["10s 60010 100 102 99 99 3.5 at 60010", "30s 60030 100 102 99 99 3.5 at 60030"];
    assert_eq!(rig.said_by("s"), told);
    assert_eq!(rig.engine.wake_at(), None);
}

#[test]
fn a_trade_at_a_bars_end_belongs_to_the_next() {
    let mut rig = Rig::of(BARS);
    rig.trade("100", "1");
    rig.ms(9_999);
    rig.trade("101", "1");
    rig.now = Time::from_millis(60_010_000);
    rig.trade("105", "1"); // no tick came between
    rig.ms(10_000);
    let told = ["10s 60010 100 101 100 101 2 at 60010", "10s 60020 105 105 105 105 1 at 60020"];
    assert_eq!(rig.said_by("s"), told);
}

#[test]
fn bars_need_no_reload_to_go_on() {
    let mut rig = Rig::of(BARS);
    rig.trade("100", "1");
    rig.ms(5_000);
    rig.load("s", &format!("{BARS} -- edited"));
    rig.ms(1_000);
    rig.trade("101", "1");
    rig.ms(4_000);
    assert_eq!(rig.said_by("s"), ["10s 60010 100 101 100 101 2 at 60010"]);
}

#[test]
fn a_handler_that_sleeps_for_nothing_does_not_hold_the_engine() {
    let script = "local s = {} function s.on_trade(ctx) local n = 0 \
                  while true do ctx:sleep(0) n += 1 if n % 100 == 0 then ctx.log:info(n) end end end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.ms(250);
    assert_eq!(rig.said_by("s"), ["100", "200"]);
}

/// Trades carry the venue's clock; what a strategy asks for goes by the engine's.
#[test]
fn a_venue_whose_clock_is_ahead_does_not_move_timers() {
    let script = "local s = {} function s.on_trade(ctx, trade) ctx:after(1, 't') \
                  ctx:buy({ qty = 1, price = 100, expires = 2 }) \
                  ctx.log:info(`{ctx.now} {os.time()} {trade.time}`) ctx:sleep(0.5) ctx.log:info(ctx.now) end \
                  function s.on_timer(ctx) ctx.log:info(ctx.now) end return s";
    let mut rig = Rig::of(script);
    let Event::Trade(trade) = rig.next_trade(BTC, "100", "1") else { panic!() };
    let time = rig.now.plus(Span::from_secs(3_600));
    rig.event(Event::Trade(Trade { time, ..trade }));
    rig.working(1);
    assert_eq!(rig.order(1).created, rig.now);
    rig.ms(2_000);
    assert_eq!(rig.said_by("s"), ["60000 60000 63600", "60000.5", "60001"]);
    assert_eq!(rig.commands(), ["place 0.1 buy 1 @ 100", "cancel 0.1"]);
}
