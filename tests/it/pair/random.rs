//! Many runs with faults drawn from a seed. A failure names the seed that repeats it.

use super::asked::CALLING;
use super::*;
use lunario::base::OrderState;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Places, cancels, replaces and reduces at random around the market: half of it by `ctx`, half by
/// the venue's own calls. It says of every call when it is made and how it ended.
const TRADING: &str = r#"
local s = { subscribe = {
	"trades flowbtc:BTCBRL", "quotes flowbtc:BTCBRL", "book flowbtc:BTCBRL depth=5",
} }
function s.on_start(ctx)
	ctx:every(0.7, "act")
end
function s.on_quote(ctx, quote)
	ctx.state.bid, ctx.state.ask = quote.bid, quote.ask
end
local function any(list)
	return list[math.random(1, #list)]
end
function s.on_order(ctx, order)
	ctx.log:info(`order {order.id} {order.state}`)
end
local function money(price)
	return string.format("%.2f", price)
end
-- The same things by the venue's own names.
local function raw(ctx, dice, side, qty, price, orders)
	local order = if #orders > 0 then any(orders) else nil
	local id = order and order.venue_id
	local ask: any = {
		InstrumentId = 1, Side = if side == "buy" then 0 else 1, Quantity = tostring(qty), OrderType = 2,
	}
	if dice < 0.45 then
		ask.LimitPrice, ask.TimeInForce = money(price), any({ 1, 1, 1, 1, 3, 4, 5 })
		call(ctx, "SendOrder", ask)
	elseif dice < 0.52 then
		ask.OrderType = 1
		call(ctx, "SendOrder", ask)
	elseif dice < 0.56 then
		ask.OrderType, ask.StopPrice = any({ 3, 4 }), money(price)
		ask.LimitPrice = if ask.OrderType == 4 then money(price) else nil
		call(ctx, "SendOrder", ask)
	elseif id and dice < 0.66 then
		ask.Side = if order.side == "buy" then 0 else 1
		ask.OrderIdToReplace, ask.LimitPrice = id, money(price)
		call(ctx, "CancelReplaceOrder", ask)
	elseif id and dice < 0.74 and order.remaining > 0.1 then
		local whole = string.format("%.1f", order.filled + order.remaining - 0.1)
		call(ctx, "ModifyOrder", { InstrumentId = 1, OrderId = id, Quantity = whole })
	elseif order and dice < 0.9 then
		call(ctx, "CancelOrder", if id then { OrderId = id } else { ClOrderId = order.id })
	elseif dice < 0.93 then
		call(ctx, "GetOpenOrders", {})
	elseif id and dice < 0.96 then
		call(ctx, "GetOrderStatus", { OrderId = id })
	elseif dice < 0.985 then
		call(ctx, "GetAccountTrades", { Count = 20, StartIndex = 0 })
	else
		call(ctx, "CancelAllOrders", { InstrumentId = 1 })
	end
end
function s.on_timer(ctx)
	local bid, ask = ctx.state.bid, ctx.state.ask
	if not bid or bid == 0 or ask == 0 then return end
	local orders, dice = ctx:orders(), math.random()
	local qty = math.random(1, 8) / 10
	local side = if math.random() < 0.5 then "buy" else "sell"
	if ctx:position() > 2 then side = "sell" elseif ctx:position() < -2 then side = "buy" end
	local touch = if side == "buy" then bid else ask
	local away = (math.random() * 4 - 1) * if side == "buy" then -1 else 1
	if math.random() < 0.5 then
		raw(ctx, dice, side, qty, touch + away * 0.3, orders)
	elseif dice < 0.35 then
		ctx[side](ctx, { qty = qty, price = touch + away * 0.3 })
	elseif dice < 0.45 then
		ctx[side](ctx, { qty = qty })
	elseif dice < 0.5 then
		ctx[side](ctx, { qty = qty, price = touch, tif = any({ "ioc", "fok" }) })
	elseif dice < 0.55 then
		ctx[side](ctx, { qty = qty, price = touch + away * 0.3, post_only = true })
	elseif dice < 0.58 then
		ctx[side](ctx, { qty = qty, price = touch + away, expires = 5 })
	elseif dice < 0.62 then
		local stop = touch - away * 0.3
		ctx[side](ctx, { qty = qty, stop = stop, price = if dice < 0.6 then stop + away else nil })
	elseif #orders > 0 and dice < 0.75 then
		ctx:replace(any(orders), { price = touch + away * 0.3, qty = if dice < 0.7 then qty else nil })
	elseif #orders > 0 and dice < 0.95 then
		ctx:cancel(any(orders))
	elseif dice > 0.99 then
		ctx:cancel_all()
	end
end
return s
"#;

fn trader() -> String {
    format!("{CALLING}{TRADING}")
}

/// How often what goes wrong, in a thousand frames.
#[derive(Copy, Clone, Debug)]
struct Troubles {
    lose: u32,
    silence: u32,
    drop_event: u32,
    drop_reply: u32,
    twice: u32,
    late: u32,
}

impl Troubles {
    fn of(rng: &mut Rng) -> Troubles {
        let mut up_to = |most: u32| rng.below(most + 1);
        Troubles {
            lose: up_to(40),
            silence: up_to(4),
            drop_event: up_to(400),
            drop_reply: up_to(100),
            twice: up_to(300),
            late: up_to(300),
        }
    }
}

/// Events of an account: the venue promises no order for them.
fn is_private(passing: &Passing<'_>) -> bool {
    let market = ["TradeData", "Level1", "Level2", "TickerData"];
    passing.m == 3 && !market.iter().any(|name| passing.name.starts_with(name))
}

fn trouble(seed: u64, troubles: Troubles, until: Time) -> Rule {
    let mut rng = Rng::new(seed, 11);
    Box::new(move |passing| {
        if passing.now >= until {
            return Fate::Pass;
        }
        let dice = rng.below(1_000);
        let most = if rng.below(10) == 0 { 4_000 } else { 300 };
        let span = ms(i64::from(rng.below(most)));
        let quote = passing.m == 3 && !is_private(passing);
        if !quote && dice < troubles.lose {
            return [Fate::LoseBefore, Fate::LoseAfter][usize::try_from(rng.below(2)).unwrap()];
        }
        if !quote && dice < troubles.lose + troubles.silence {
            return Fate::SilenceAfter;
        }
        let dice = rng.below(1_000);
        if passing.m == 1 && dice < troubles.drop_reply {
            return Fate::Drop;
        }
        if !is_private(passing) {
            return Fate::Pass;
        }
        let bounds = [troubles.drop_event, troubles.twice, troubles.late];
        let fates = [Fate::Drop, Fate::Twice(span), Fate::Late(span)];
        let mut bound = 0;
        for (chance, fate) in bounds.into_iter().zip(fates) {
            bound += chance;
            if dice < bound {
                return fate;
            }
        }
        Fate::Pass
    })
}

/// What a run came to, so that the runs together can be seen to have tried something.
#[derive(Copy, Clone, Default, Debug)]
struct Tally {
    orders: usize,
    fills: usize,
    replaced: usize,
    losses: u32,
    unknown: usize,
    /// Orders, changes and cancels as the journal has them.
    order_calls: usize,
    raw: super::asked::Asked,
}

impl Pair {
    /// The strategy trades on; what was in doubt is found out meanwhile.
    fn settle_while_trading(&mut self) {
        self.wait(secs(75));
        let unknown = self.orders().into_values().filter(|it| it.state == OrderState::Unknown);
        let unknown: Vec<_> = unknown.collect();
        assert!(unknown.is_empty(), "left unknown: {unknown:#?}\n{}", self.story());
    }
}

fn run(seed: u64, dialect: Dialect) -> Tally {
    let mut rng = Rng::new(seed, 5);
    let troubles = Troubles::of(&mut rng);
    let setup = Setup {
        seed,
        dialect,
        per_minute: [120, 1_000][usize::try_from(rng.below(2)).unwrap()],
        latency: ms(i64::from(rng.below(30))),
        market: 0.15,
        shuffle: rng.below(2) == 0,
        ..Setup::still(dialect)
    };
    let start = Time::from_millis(1_790_000_000_000);
    let calm = start.plus(secs(90));
    let mut pair = Pair::new(&setup, &trader(), trouble(seed, troubles, calm));
    while pair.now < calm {
        pair.wait(secs(10));
        match rng.below(12) {
            0 => pair.restart_venue(secs(i64::from(rng.below(8)))),
            1 => drop(pair.elsewhere("LogOut", "{}")),
            2 => drop(pair.elsewhere("CancelAllOrders", r#"{"OMSId":1}"#)),
            3 => pair.reload(&format!("{}-- version of {}", trader(), pair.now)),
            _ => {}
        }
    }
    if rng.below(2) == 0 {
        pair.settle_while_trading();
    }
    pair.script_sees_the_orders();
    pair.forgive_waiting();
    pair.stop();
    // Logins are few in a minute.
    pair.wait(secs(70));
    pair.until("the session is live", Pair::is_ready);
    pair.wait(secs(45));
    pair.close_market();
    pair.wait(secs(1));
    pair.agree(dialect);
    let raw = pair.calls_agree();
    let alarms = pair.notes.iter().filter(|note| match note {
        Note::Venue { text, .. } => text.contains("ALARM"),
        Note::Fault { .. } | Note::StrangeFill { .. } | Note::Halt { .. } => true,
        _ => false,
    });
    let alarms: Vec<_> = alarms.collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
    let lost = pair.notes.iter().filter(|note| match note {
        Note::Order { order } => order.state == OrderState::Unknown,
        _ => false,
    });
    let kinds = |kind: &str| pair.records.iter().filter(|record| record.kind == kind).count();
    Tally {
        orders: kinds("intent"),
        fills: pair.fills().len(),
        replaced: kinds("replace"),
        losses: pair.line.losses,
        unknown: lost.count(),
        order_calls: ["intent", "cancel", "replace", "reduce"].into_iter().map(kinds).sum(),
        raw,
    }
}

/// 10,000 order calls of both dialects together, or as many runs as `LUNARIO_SEEDS` says.
fn seeds() -> u64 {
    let asked = std::env::var("LUNARIO_SEEDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(80)
}

fn runs(dialect: Dialect) {
    let mut sum = Tally::default();
    let seeds = seeds();
    for seed in 1..=seeds {
        let tally = catch_unwind(AssertUnwindSafe(|| run(seed, dialect)));
        let tally = tally.unwrap_or_else(|_| panic!("seed {seed} of {dialect:?} failed"));
        sum.orders += tally.orders;
        sum.fills += tally.fills;
        sum.replaced += tally.replaced;
        sum.losses += tally.losses;
        sum.unknown += tally.unknown;
        sum.order_calls += tally.order_calls;
        sum.raw.add(tally.raw);
    }
    // The runs together have tried something.
    let each = |count: usize| u64::try_from(count).unwrap() / seeds;
    assert!(each(sum.order_calls) >= 63, "{sum:?}");
    let busy = each(sum.orders) > 37 && each(sum.fills) > 18 && each(sum.replaced) > 4;
    assert!(busy && u64::from(sum.losses) > seeds * 3 && each(sum.unknown) > 2, "{sum:?}");
    let raw = sum.raw;
    let made = raw.orders - raw.limited;
    assert!(made * 5 > sum.order_calls * 2 && raw.done * 2 > made && raw.unknown > 0, "{sum:?}");
}

#[test]
fn both_ends_agree_after_whatever_went_wrong() {
    runs(Dialect::Native);
}

#[test]
fn and_so_they_do_in_the_dialect_of_the_page() {
    runs(Dialect::Page);
}
