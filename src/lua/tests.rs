//! Scripts in their VMs: loading, delivery, state, failures, and attacks on the host.

mod arguments;
mod calls;
mod guards;
mod refusals;
mod state;

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
    let prelude = super::script::PRELUDE;
    for method in METHODS {
        assert!(prelude.contains(&format!("function methods.{method}(")), "{method}");
    }
    assert_eq!(prelude.matches("function methods.").count(), METHODS.len());
    for field in ORDER_FIELDS {
        assert!(prelude.contains(&format!("\t{field} = \"")), "{field}");
    }
}
