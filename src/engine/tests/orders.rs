//! An order's life between the strategy and the venue, in whatever order news comes.

use super::*;

/// Tells what it hears; buys or sells what the trade's quantity says: 1 buys 1 at 100, 2 sells 1
/// at 101, 3 buys at the market, 4 cancels, 5 replaces with 2 at 99, 6 buys and gives it 10 s.
const TALKER: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
local last
local function tell(what, order)
	return `{what} {order.state} {order.filled}/{order.qty} @ {order.price} avg {order.avg_price} {order.reason}`
end
local acts = {
	[1] = function(ctx) return ctx:buy({ qty = 1, price = 100 }) end,
	[2] = function(ctx) return ctx:sell({ qty = 1, price = 101 }) end,
	[3] = function(ctx) return ctx:buy({ qty = 1 }) end,
	[4] = function(ctx) ctx.log:info(`cancel {ctx:cancel(last)}`) end,
	[5] = function(ctx)
		local ok, why = ctx:replace(last, { price = 99, qty = 2 })
		ctx.log:info(`replace {ok} {why}`)
	end,
	[6] = function(ctx) return ctx:buy({ qty = 1, price = 100, expires = 10 }) end,
}
function s.on_trade(ctx, trade)
	local act = acts[trade.qty]
	local order = act and act(ctx)
	if order then
		last = order
		ctx.log:info(tell("asked", order))
	end
end
function s.on_order(ctx, order)
	ctx.log:info(tell("order", order))
	assert(order == last, "one order, one table")
end
function s.on_fill(ctx, fill)
	ctx.log:info(`fill {fill.qty} @ {fill.price} {fill.order.state} position {ctx:position()}`)
end
return s
"#;

/// A strategy that asked for its first order.
fn asked(act: &str) -> Rig {
    let mut rig = Rig::of(TALKER);
    rig.trade("100", act);
    rig
}

#[test]
fn pending_working_filled() {
    let mut rig = asked("1");
    assert_eq!(rig.commands(), ["place 0.1 buy 1 @ 100"]);
    rig.step(FIRST, 1, OrderStep::Sent);
    rig.accepted(1);
    rig.working(1);
    rig.fill(1, 11, "100", "0.4");
    rig.fill(1, 12, "99.5", "0.6");
    rig.step(FIRST, 1, OrderStep::Filled { filled: d("1") });
    assert_eq!(
        rig.notes(),
        [
            "log asked pending 0/1 @ 100 avg nil nil",
            "order 0.1 working",
            "log order working 0/1 @ 100 avg nil nil",
            "fill 0.1 0.4 @ 100",
            "log fill 0.4 @ 100 working position 0.4",
            "fill 0.1 0.6 @ 99.5",
            "order 0.1 filled",
            "log fill 0.6 @ 99.5 filled position 1",
            "log order filled 1/1 @ 100 avg 99.7 nil",
        ]
    );
    assert_eq!(rig.order(1).venue_id, Some(venue_id(1)));
    let core = rig.engine.core();
    let position = core.ledger.position(StrategyId(FIRST), BTC);
    assert_eq!((position.qty, position.cash, position.fees), (d("1"), d("-99.7"), d("0.0997")));
    assert_eq!(core.orders.exposure(None, BTC), crate::account::Exposure::default());
    assert_eq!(core.orders.count(StrategyId(FIRST)), 0);
}

#[test]
fn a_fill_may_come_before_the_receipt_and_twice() {
    let mut rig = asked("3");
    rig.fill(1, 11, "100.5", "1");
    rig.fill(1, 11, "100.5", "1");
    rig.accepted(1);
    rig.working(1);
    rig.step(FIRST, 1, OrderStep::Filled { filled: d("1") });
    rig.fill(1, 11, "100.5", "1");
    assert_eq!(
        rig.said(),
        [
            "s: asked pending 0/1 @ nil avg nil nil",
            "s: fill 1 @ 100.5 filled position 1",
            "s: order filled 1/1 @ nil avg 100.5 nil",
        ]
    );
    assert_eq!(rig.position(FIRST), d("1"));
    assert_eq!(rig.engine.core().ledger.total(BTC).fills, 1);
}

#[test]
fn an_end_waits_for_the_fills_that_explain_it() {
    let mut rig = asked("1");
    rig.working(1);
    rig.step(FIRST, 1, OrderStep::Filled { filled: d("1") });
    assert!(rig.order(1).state.is_open());
    assert_eq!(rig.engine.core().orders.exposure(None, BTC).buy, d("1"));
    rig.fill(1, 11, "100", "1");
    assert_eq!(
        rig.said()[1..],
        [
            "s: order working 0/1 @ 100 avg nil nil",
            "s: fill 1 @ 100 filled position 1",
            "s: order filled 1/1 @ 100 avg 100 nil",
        ]
    );
}

#[test]
fn the_venue_refuses() {
    let mut rig = asked("1");
    rig.step(FIRST, 1, OrderStep::Sent);
    rig.step(FIRST, 1, OrderStep::Rejected { reason: "Not_Enough_Funds".to_owned() });
    assert_eq!(
        rig.said(),
        [
            "s: asked pending 0/1 @ 100 avg nil nil",
            "s: order rejected 0/1 @ 100 avg nil Not_Enough_Funds"
        ]
    );
    assert_eq!(rig.engine.open_orders(), 0);
}

#[test]
fn a_cancel_and_one_that_crosses_a_fill() {
    let mut rig = asked("1");
    rig.working(1);
    rig.said();
    rig.trade("100", "4");
    rig.trade("100", "4"); // asked for once only
    assert_eq!(rig.commands(), ["place 0.1 buy 1 @ 100", "cancel 0.1"]);
    rig.canceled(1, "0");
    rig.trade("100", "4");
    let told = [
        "s: cancel true",
        "s: cancel true",
        "s: order canceled 0/1 @ 100 avg nil asked",
        "s: cancel false",
    ];
    assert_eq!(rig.said(), told);

    let mut rig = asked("1");
    rig.working(1);
    rig.trade("100", "4");
    rig.clear();
    rig.step(FIRST, 1, OrderStep::ChangeRefused { reason: "Order Not Found".to_owned() });
    rig.fill(1, 11, "100", "1");
    assert_eq!(
        rig.said(),
        [
            "s: order working 0/1 @ 100 avg nil Order Not Found",
            "s: fill 1 @ 100 filled position 1",
            "s: order filled 1/1 @ 100 avg 100 nil",
        ]
    );

    // Canceled after a part had traded; the fill comes last.
    let mut rig = asked("1");
    rig.working(1);
    rig.trade("100", "4");
    rig.clear();
    rig.canceled(1, "0.3");
    assert_eq!(rig.engine.core().orders.exposure(None, BTC).buy, d("0.3"));
    rig.fill(1, 11, "100", "0.3");
    assert_eq!(
        rig.said(),
        ["s: order canceled 0/1 @ 100 avg nil asked", "s: fill 0.3 @ 100 canceled position 0.3",]
    );
    assert_eq!(rig.engine.core().orders.exposure(None, BTC).buy, d("0"));
}

#[test]
fn a_replacement_and_one_that_is_refused() {
    let mut rig = asked("1");
    rig.trade("100", "5"); // still pending: the venue has not answered yet
    assert_eq!(rig.commands()[1..], ["replace 0.1 as 0.2: 2 @ 99"]);
    assert_eq!(rig.engine.core().orders.exposure(None, BTC).buy, d("3"));
    rig.trade("100", "5");
    rig.working(1);
    rig.clear();
    let (price, remaining) = (Some(d("99")), d("2"));
    rig.step(FIRST, 1, OrderStep::Replaced { venue_id: venue_id(2), price, remaining });
    assert_eq!(rig.said(), ["s: order working 0/2 @ 99 avg nil nil"]);
    assert_eq!(rig.order(1).venue_id, Some(venue_id(2)));
    assert_eq!(rig.engine.core().orders.exposure(None, BTC).buy, d("2"));

    rig.trade("100", "5");
    rig.step(FIRST, 1, OrderStep::ChangeRefused { reason: "No".to_owned() });
    assert_eq!(rig.said(), ["s: replace true nil", "s: order working 0/2 @ 99 avg nil No"]);
    assert_eq!(rig.engine.core().orders.exposure(None, BTC).buy, d("2"));
}

#[test]
fn a_replacement_that_cannot_be_reckoned_is_refused() {
    let script = "local s = {} local o function s.on_trade(ctx) \
                  if o then ctx.log:info(`{select(2, ctx:replace(o, { qty = 1e25 }))}`) end \
                  o = o or ctx:buy({ qty = 1, price = 100 }) end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.trade("100", "1");
    let told = "s: ORDER_BAD_QTY qty=10000000000000000000000000 most=1000000000000000";
    assert_eq!(rig.said(), [told]);
    assert_eq!(rig.commands().len(), 1);
}

#[test]
fn a_second_change_is_refused_here() {
    let mut rig = asked("1");
    rig.working(1);
    rig.said();
    rig.trade("100", "5");
    rig.trade("100", "5");
    let said = rig.said();
    assert_eq!(said[0], "s: replace true nil");
    assert!(said[1].starts_with("s: replace false ORDER_CHANGE_PENDING order="), "{said:?}");
    assert_eq!(rig.commands().len(), 2);
}

#[test]
fn lost_is_unknown_until_the_venue_speaks() {
    let words: [(OrderStep, &str); 4] = [
        (OrderStep::Working { venue_id: venue_id(1) }, "s: order working 0/1 @ 100 avg nil nil"),
        (OrderStep::Accepted { venue_id: venue_id(1) }, "s: order pending 0/1 @ 100 avg nil nil"),
        (
            OrderStep::Rejected { reason: "NOT_PLACED".to_owned() },
            "s: order rejected 0/1 @ 100 avg nil NOT_PLACED",
        ),
        (
            OrderStep::Canceled { filled: d("0"), reason: "x".to_owned() },
            "s: order canceled 0/1 @ 100 avg nil x",
        ),
    ];
    for (step, expected) in words {
        let mut rig = asked("1");
        rig.step(FIRST, 1, OrderStep::Sent);
        rig.said();
        rig.step(FIRST, 1, OrderStep::Lost);
        rig.wait(Span::from_secs(86_400)); // no timer ends it
        assert_eq!(rig.said(), ["s: order unknown 0/1 @ 100 avg nil nil"]);
        assert_eq!(rig.engine.core().orders.exposure(None, BTC).buy, d("1"));
        rig.step(FIRST, 1, step);
        assert_eq!(rig.said(), [expected]);
    }
    // A part trades while it is unknown: what becomes of the rest is still open.
    let mut rig = asked("1");
    rig.step(FIRST, 1, OrderStep::Lost);
    rig.clear();
    rig.fill(1, 11, "100", "0.25");
    assert_eq!(rig.said(), ["s: fill 0.25 @ 100 unknown position 0.25"]);
    assert_eq!(rig.engine.core().orders.exposure(None, BTC).buy, d("0.75"));
}

#[test]
fn expires_cancels_at_its_time() {
    let mut rig = asked("6");
    rig.working(1);
    rig.wait(Span::from_millis(9_999));
    assert_eq!(rig.commands().len(), 1);
    assert_eq!(rig.engine.wake_at(), Some(rig.now.plus(Span::from_millis(1))));
    rig.ms(1);
    assert_eq!(rig.commands()[1..], ["cancel 0.1"]);
    rig.canceled(1, "0");
    rig.wait(Span::from_secs(60));
    assert_eq!(rig.commands().len(), 2);
    assert_eq!(rig.engine.wake_at(), None);
}

#[test]
fn an_order_that_ended_does_not_expire() {
    let mut rig = asked("6");
    rig.fill(1, 11, "100", "1");
    rig.wait(Span::from_secs(60));
    assert_eq!(rig.commands().len(), 1);
}

/// What a script asks for, and the reason with which it comes back at once.
#[test]
fn local_refusals_come_back_at_once_and_never_leave() {
    let rows = [
        ("qty = 3", "LIMIT_MAX_ORDER_QTY limit=2 qty=3"),
        ("qty = 2, price = 1000", "LIMIT_MAX_ORDER_NOTIONAL limit=1500 would_be=2000"),
        ("qty = 0", "ORDER_BAD_QTY qty=0"),
        ("qty = -1", "ORDER_BAD_QTY qty=-1"),
        ("qty = 1e25", "ORDER_BAD_QTY qty=10000000000000000000000000 most=1000000000000000"),
        ("qty = 1, price = 1e20", "ORDER_BAD_PRICE price=100000000000000000000 most=1000000000000"),
        ("qty = 1, stop = 1e20", "ORDER_BAD_STOP stop=100000000000000000000 most=1000000000000"),
        ("qty = 0.0001", "ORDER_BELOW_LOT qty=0.0001 lot_size=0.001"),
        ("qty = 1, price = 100.3, strict = true", "ORDER_OFF_GRID tick_size=0.5 lot_size=0.001"),
        ("qty = 1, price = 0", "ORDER_BAD_PRICE price=0"),
        ("qty = 1, post_only = true", "ORDER_BAD_POST_ONLY tif=gtc"),
        ("qty = 1, reduce_only = true", "ORDER_WOULD_INCREASE position=0 side=buy qty=1"),
    ];
    for (fields, reason) in rows {
        let mut config = config();
        config.limits.max_order_qty = Some(d("2"));
        config.limits.max_order_notional = Some(d("1500"));
        let mut rig = Rig::with(config);
        rig.load(
            "s",
            &format!(
                "local s = {{}} function s.on_trade(ctx) local order = ctx:buy({{ {fields} }}) \
                 ctx.log:info(`{{order.state}} {{order.reason}} {{#ctx:orders()}} {{order.remaining}}`) end \
                 function s.on_order(ctx, order) ctx.log:info('told twice') end return s"
            ),
        );
        rig.clear();
        rig.trade("100", "1");
        let lines = rig.lines();
        let refused = format!("order 0.1 rejected {reason}");
        assert_eq!(lines[0], format!("record {refused}"));
        assert_eq!(lines[1], format!("note {refused}"));
        assert!(lines[2].starts_with(&format!("note log rejected {reason} 0 ")), "{lines:?}");
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(rig.commands(), Vec::<String>::new());
        assert_eq!(rig.engine.core().sent, 0);
    }
}

/// Buys 1 at 100 on every trade.
const BUYER: &str = "local s = {} function s.on_trade(ctx) local o = ctx:buy({ qty = 1, price = 100 }) \
                     ctx.log:info(`{o.state} {o.reason}`) end return s";

fn limited(limits: impl Fn(&mut crate::risk::Limits)) -> Rig {
    let mut config = config();
    limits(&mut config.limits);
    let mut rig = Rig::with(config);
    rig.load("s", BUYER);
    rig.clear();
    rig
}

#[test]
fn the_position_limit_counts_unknown_orders_at_full_size() {
    let mut rig = limited(|limits| limits.max_position = Some(d("2.5")));
    rig.trade("100", "1");
    rig.step(FIRST, 1, OrderStep::Lost);
    rig.trade("100", "1");
    rig.step(FIRST, 2, OrderStep::Lost);
    rig.wait(Span::from_secs(3_600));
    rig.trade("100", "1");
    assert_eq!(
        rig.said(),
        ["s: pending nil", "s: pending nil", "s: rejected LIMIT_MAX_POSITION limit=2.5 would_be=3",]
    );
    // One turns out never to have been placed, the other to have traded half: room for one.
    rig.step(FIRST, 1, OrderStep::Rejected { reason: "NOT_PLACED".to_owned() });
    rig.fill(2, 11, "100", "0.5");
    rig.canceled(2, "0.5");
    for _ in 0..3 {
        rig.trade("100", "1");
    }
    assert_eq!(
        rig.said(),
        [
            "s: pending nil",
            "s: pending nil",
            "s: rejected LIMIT_MAX_POSITION limit=2.5 would_be=3.5",
        ]
    );
}

#[test]
fn a_cancel_under_way_still_counts() {
    let mut rig = limited(|limits| limits.max_open_orders = Some(1));
    rig.trade("100", "1");
    rig.working(1);
    rig.input(In::Operator(Operator::Halt("look".to_owned())));
    rig.input(In::Operator(Operator::Resume));
    rig.trade("100", "1");
    rig.canceled(1, "0");
    rig.trade("100", "1");
    assert_eq!(
        rig.said(),
        ["s: pending nil", "s: rejected LIMIT_MAX_OPEN_ORDERS limit=1 open=1", "s: pending nil",]
    );
}

#[test]
fn the_order_rate_is_over_any_60_seconds() {
    let mut rig = limited(|limits| limits.max_orders_per_minute = Some(2));
    rig.trade("100", "1");
    rig.ms(30_000);
    rig.trade("100", "1");
    rig.ms(30_000);
    rig.trade("100", "1");
    rig.ms(1);
    rig.trade("100", "1");
    rig.trade("100", "1");
    let said = rig.said();
    let states: Vec<&str> = said.iter().filter_map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(states, ["nil", "nil", "LIMIT_ORDER_RATE", "nil", "LIMIT_ORDER_RATE"]);
}

#[test]
fn limits_of_one_strategy_do_not_bind_another() {
    let mut config = config();
    let own = crate::risk::Limits { max_order_qty: Some(d("0.5")), ..config.limits.clone() };
    config.own_limits.insert("small".to_owned(), own);
    let mut rig = Rig::with(config);
    rig.load("big", BUYER);
    rig.load("small", BUYER);
    rig.clear();
    rig.trade("100", "1");
    let told = ["big: pending nil", "small: rejected LIMIT_MAX_ORDER_QTY limit=0.5 qty=1"];
    assert_eq!(rig.said(), told);
}

#[test]
fn prices_and_quantities_are_snapped() {
    let script = "local s = {} function s.on_trade(ctx) \
                  ctx:buy({ qty = 1.0019, price = 100.4 }) ctx:sell({ qty = '1.0019', price = '100.1' }) \
                  ctx:buy({ qty = 1, stop = 100.4 }) end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    assert_eq!(
        rig.commands(),
        ["place 0.1 buy 1.001 @ 100", "place 0.2 sell 1.001 @ 100.5", "place 0.3 buy 1"]
    );
    assert_eq!(rig.order(3).stop, Some(d("100.5")));
}

#[test]
fn flatten_cancels_and_closes() {
    let script = "local s = {} function s.on_trade(ctx, trade) \
                  if trade.qty == 1 then ctx:buy({ qty = 1, price = 100 }) ctx:buy({ qty = 2, price = 99 }) \
                  else for _, o in ctx:flatten() do ctx.log:info(`{o.side} {o.qty} {o.state} {o.tag}`) end end \
                  end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    rig.working(1);
    rig.working(2);
    rig.fill(1, 11, "100", "1");
    rig.clear();
    rig.trade("100", "2");
    assert_eq!(rig.commands(), ["cancel 0.2", "place 0.3 sell 1"]);
    assert_eq!(rig.said(), ["s: sell 1 pending flatten"]);
}

#[test]
fn fills_of_strangers_change_the_total_alone() {
    let mut rig = Rig::of(BUYER);
    let fill = Fill {
        order: OrderKey::compose(RUN - 1, StrategyId(0), 1).unwrap(),
        instrument: BTC,
        side: Side::Buy,
        price: d("100"),
        qty: d("1"),
        fee: d("0"),
        fee_asset: "BRL".to_owned(),
        fee_estimated: false,
        liquidity: Liquidity::Maker,
        trade_id: 3,
        time: rig.now,
    };
    rig.event(Event::Fill(fill));
    assert_eq!(rig.notes(), ["strange fill 3"]);
    assert_eq!(rig.position(FIRST), d("0"));
    assert_eq!(rig.engine.core().ledger.total(BTC).qty, d("1"));
}
