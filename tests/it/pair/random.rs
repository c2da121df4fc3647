//! Many runs with faults drawn from a seed. A failure names the seed that repeats it.

use super::*;
use lunario::base::OrderState;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Places, cancels and replaces at random around the market.
const TRADER: &str = r#"
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
function s.on_timer(ctx)
	local bid, ask = ctx.state.bid, ctx.state.ask
	if not bid or bid == 0 or ask == 0 then return end
	local orders, dice = ctx:orders(), math.random()
	local qty = math.random(1, 8) / 10
	local side = if math.random() < 0.5 then "buy" else "sell"
	if ctx:position() > 2 then side = "sell" elseif ctx:position() < -2 then side = "buy" end
	local touch = if side == "buy" then bid else ask
	local away = (math.random() * 4 - 1) * if side == "buy" then -1 else 1
	if dice < 0.35 then
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
    };
    let start = Time::from_millis(1_790_000_000_000);
    let calm = start.plus(secs(90));
    let mut pair = Pair::new(&setup, TRADER, trouble(seed, troubles, calm));
    while pair.now < calm {
        pair.wait(secs(10));
        match rng.below(12) {
            0 => pair.restart_venue(secs(i64::from(rng.below(8)))),
            1 => drop(pair.elsewhere("LogOut", "{}")),
            2 => drop(pair.elsewhere("CancelAllOrders", r#"{"OMSId":1}"#)),
            3 => pair.load(&format!("{TRADER}-- version of {}", pair.now)),
            _ => {}
        }
    }
    if rng.below(2) == 0 {
        pair.settle_while_trading();
    }
    pair.stop();
    // Logins are few in a minute.
    pair.wait(secs(70));
    pair.until("the session is live", Pair::is_ready);
    pair.wait(secs(45));
    pair.close_market();
    pair.wait(secs(1));
    pair.agree(dialect);
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
    }
}

fn runs(dialect: Dialect, seeds: std::ops::Range<u64>) {
    let mut sum = Tally::default();
    for seed in seeds {
        let tally = catch_unwind(AssertUnwindSafe(|| run(seed, dialect)));
        let tally = tally.unwrap_or_else(|_| panic!("seed {seed} of {dialect:?} failed"));
        sum.orders += tally.orders;
        sum.fills += tally.fills;
        sum.replaced += tally.replaced;
        sum.losses += tally.losses;
        sum.unknown += tally.unknown;
    }
    // The runs together have tried something.
    let busy = sum.orders > 3_000 && sum.fills > 1_500 && sum.replaced > 600;
    assert!(busy && sum.losses > 250 && sum.unknown > 250, "{sum:?}");
}

#[test]
fn both_ends_agree_after_whatever_went_wrong() {
    runs(Dialect::Native, 1..81);
}

#[test]
fn and_so_they_do_in_the_dialect_of_the_page() {
    runs(Dialect::Page, 1..81);
}
