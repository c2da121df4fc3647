//! The journal's records: complete, and before the bytes they are about.

use super::*;

/// One trade makes it place, replace and cancel at once.
const BUSY: &str = "local s = {} local a, b, c function s.on_trade(ctx, trade) \
    if trade.qty == 1 then a = ctx:buy({ qty = 1, price = 100 }) b = ctx:buy({ qty = 1, price = 99 }) \
    else ctx:cancel(a) ctx:replace(b, { qty = 2 }) c = ctx:sell({ qty = 1, price = 101 }) end end return s";

#[test]
fn every_record_leaves_before_the_bytes_it_is_about() {
    let mut rig = Rig::of(BUSY);
    rig.trade("100", "1");
    assert_eq!(
        rig.lines(),
        [
            "record intent 0.1",
            "record intent 0.2",
            "net place 0.1 buy 1 @ 100",
            "net place 0.2 buy 1 @ 99",
        ]
    );
    rig.working(1);
    rig.working(2);
    rig.clear();
    rig.trade("100", "2");
    assert_eq!(
        rig.lines(),
        [
            "record cancel 0.1",
            "record replace 0.2",
            "record intent 0.4",
            "net cancel 0.1",
            "net replace 0.2 as 0.3: 2 @ 99",
            "net place 0.4 sell 1 @ 101",
        ]
    );
}

#[test]
fn a_record_holds_what_is_sent() {
    let script = "local s = {} function s.on_trade(ctx) \
                  ctx:sell({ qty = '0.1', price = 100.5, post_only = true, tag = 'x' }) end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    let Out::Record(record) = &rig.outs[0] else { panic!("{:?}", rig.lines()) };
    let order = key(FIRST, 1);
    assert_eq!(
        record.body.json(),
        format!(
            r#"{{"order":"{order}","instrument":"flowbtc:BTCBRL","side":"sell","qty":"0.1","price":"100.5","stop":null,"tif":"gtc","post_only":true,"reduce_only":false}}"#
        )
    );
    assert_eq!((record.kind, record.name.as_str(), record.at), ("intent", "s", rig.now));
    assert_eq!(record.version, Some(rig.engine.status()[0].version.clone()));
}

#[test]
fn the_records_of_an_order_tell_its_life() {
    let mut rig = Rig::of(BUSY);
    rig.trade("100", "1");
    rig.accepted(1);
    rig.working(1);
    rig.fill(1, 11, "100", "0.5");
    rig.fill(1, 11, "100", "0.5");
    rig.canceled(1, "0.5");
    rig.step(FIRST, 2, OrderStep::Lost);
    assert_eq!(
        rig.records(),
        [
            "intent 0.1",
            "intent 0.2",
            "order 0.1 pending",
            "order 0.1 working",
            "fill 0.1",
            "order 0.1 canceled asked",
            "order 0.2 unknown",
        ]
    );
}

#[test]
fn expiry_halt_and_stop_are_recorded_before_their_cancels() {
    let script = "local s = {} function s.on_trade(ctx, trade) \
                  if trade.qty == 1 then ctx:buy({ qty = 1, price = 100, expires = 1 }) \
                  else ctx:halt('enough') end end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.clear();
    rig.ms(1_000);
    assert_eq!(rig.lines(), ["record cancel 0.1", "net cancel 0.1"]);

    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.clear();
    rig.trade("100", "2");
    assert_eq!(
        rig.lines(),
        ["record cancel 0.1", "record halt enough", "net cancel 0.1", "note halt 0 enough"]
    );

    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.clear();
    rig.input(In::Operator(Operator::Halt("lunch".to_owned())));
    assert_eq!(rig.lines(), ["record cancel 0.1", "record halt lunch", "net cancel 0.1"]);

    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.clear();
    rig.stop();
    assert_eq!(rig.lines(), ["record cancel 0.1", "record stop", "net cancel 0.1"]);
}

#[test]
fn a_backtest_keeps_no_records() {
    let mut config = config();
    config.recording = false;
    let mut rig = Rig::with(config);
    rig.load("s", BUSY);
    rig.trade("100", "1");
    rig.fill(1, 11, "100", "1");
    rig.stop();
    assert_eq!(rig.records(), Vec::<String>::new());
    assert_eq!(rig.commands().len(), 3);
}
