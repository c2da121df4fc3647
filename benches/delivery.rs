//! Trades from blocks to a handler that keeps an average: Lua in its forms, beside plain Rust.

use crate::harness::Wish;
use lunario::account::Order;
use lunario::base::tape::TradeBlock;
use lunario::base::{
    CallId, CallOutcome, Decimal, Fees, Instrument, InstrumentId, Plain, StrategyId, Time,
    VenueName, Version, decimal,
};
use lunario::desk::{Closed, Fault, Mode, Seen, Strategy, Subscription};
use lunario::lua::{Script, Setup, collect};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Rows of a block, as in backtests.
const ROWS: usize = lunario::run::backtest::BLOCK_ROWS;
const BLOCKS: usize = 256;

const TABLE: &str = "
local s, average = {}, 0
function s.on_trade(ctx, trade)
	average += 0.1 * (trade.price - average)
end
function s.on_save() return average end
return s";

const FIELDS: &str = "
local s, average = {}, 0
function s.on_trade_fields(ctx, time, price, qty, side)
	average += 0.1 * (price - average)
end
function s.on_save() return average end
return s";

const STATE: &str = "
local s = {}
function s.on_start(ctx) ctx.state.average = 0 end
function s.on_trade(ctx, trade)
	local state = ctx.state
	state.average += 0.1 * (trade.price - state.average)
end
function s.on_save(ctx) return ctx.state.average end
return s";

/// FlowBTC's BTCBRL, as the scripts' only instrument.
pub fn btcbrl() -> Instrument {
    let fee = Decimal::new(1, 3);
    Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("flowbtc"),
        symbol: "BTCBRL".into(),
        base: "BTC".into(),
        quote: "BRL".into(),
        tick_size: Decimal::new(1, 2),
        lot_size: Decimal::new(1, 8),
        min_qty: Decimal::new(1, 8),
        fees: Fees { maker: fee, taker: fee },
    }
}

/// Loads a script of one file before a desk that refuses every ask.
pub fn load(text: &str) -> Script {
    let mut desk = Closed::default();
    desk.instruments.add(btcbrl());
    let candidate = collect("bench.luau", &mut |_| Ok(text.to_owned())).unwrap();
    let setup = Setup {
        who: StrategyId(0),
        mode: Mode::Backtest,
        desk: Rc::new(RefCell::new(desk)),
        overrides: BTreeMap::new(),
        shared: BTreeMap::new(),
        default_instrument: Some("flowbtc:BTCBRL".into()),
        seed: 1,
        limits: lunario::run::backtest::patient(),
        now: Time::ZERO,
    };
    Script::load(candidate, setup).unwrap()
}

fn blocks() -> Vec<TradeBlock> {
    let mut time = Time::from_millis(1_723_161_255_088);
    let mut price = 6_180_030;
    let mut blocks = Vec::new();
    for block in 0..BLOCKS {
        let mut rows = TradeBlock { price_scale: 2, qty_scale: 3, ..TradeBlock::default() };
        for row in 0..ROWS {
            let at = i64::try_from(block * ROWS + row).unwrap();
            time = time.plus(lunario::base::Span::from_nanos(1_000_000 + at * 37 % 911));
            price += at * at % 7 - 3;
            rows.push(time, price, 1 + at % 13, 1 + u8::from(at % 3 == 0), at + 1);
        }
        blocks.push(rows);
    }
    blocks
}

/// The same handler as a strategy written in Rust, called through the same trait.
struct Floor {
    version: Version,
    average: f64,
    block: TradeBlock,
}

impl Strategy for Floor {
    fn version(&self) -> &Version {
        &self.version
    }
    fn subscriptions(&self) -> &[Subscription] {
        &[]
    }
    fn start(&mut self, _: Time) {}
    fn load_block(&mut self, block: &TradeBlock) {
        self.block.clone_from(block);
    }
    fn rows(&mut self, from: usize, to: usize) -> usize {
        for price in &self.block.prices[from..to] {
            let price = decimal::scaled_to_f64(*price, self.block.price_scale);
            self.average += 0.1 * (price - self.average);
        }
        to
    }
    fn seen(&mut self, _: Time, news: &Seen<'_>) {
        if let Seen::Trade(trade) = news {
            self.average += 0.1 * (decimal::to_f64(trade.price) - self.average);
        }
    }
    fn know_order(&mut self, _: &Order) {}
    fn know_position(&mut self, _: InstrumentId, _: f64) {}
    fn wake(&mut self, _: Time) {}
    fn reply(&mut self, _: Time, _: CallId, _: &CallOutcome) {}

    fn wake_at(&self) -> Option<Time> {
        None
    }
    fn save(&mut self, _: Time) -> Result<Plain, Fault> {
        Ok(Plain::Number(self.average))
    }
    fn restore(&mut self, _: Time, _: &Plain, _: &Version) -> Result<(), Fault> {
        Ok(())
    }
    fn stop(&mut self, _: Time) {}
    fn take_faults(&mut self) -> Vec<Fault> {
        Vec::new()
    }
}

/// All rows, block by block. Every form must come to the same average.
fn deliver(strategy: &mut dyn Strategy, blocks: &[TradeBlock]) {
    for block in blocks {
        strategy.load_block(block);
        let mut at = 0;
        while at < block.len() {
            at = strategy.rows(at, block.len());
        }
    }
}

fn one_by_one(strategy: &mut dyn Strategy, blocks: &[TradeBlock]) {
    for block in blocks {
        for at in 0..block.len() {
            let trade = block.trade(at).unwrap();
            strategy.seen(trade.time, &Seen::Trade(&trade));
        }
    }
}

pub fn run(wish: &Wish) {
    if !wish.wants("delivery") {
        return;
    }
    let blocks = blocks();
    let floor = || Floor { version: Version("".into()), average: 0.0, block: blocks[0].clone() };
    let mut expected = floor();
    deliver(&mut expected, &blocks);
    let check = |strategy: &mut dyn Strategy| {
        assert_eq!(strategy.take_faults(), []);
        let Ok(Plain::Number(average)) = strategy.save(Time::ZERO) else { panic!("no average") };
        assert!((average - expected.average).abs() < 1e-6, "{average}");
    };
    let all = BLOCKS * ROWS;
    let case = |name: &str, strategy: &mut dyn Strategy| {
        strategy.start(Time::ZERO);
        wish.rate(name, all, "event", || deliver(strategy, &blocks));
        deliver(strategy, &blocks);
        check(strategy);
    };
    case("delivery: blocks, plain Rust", &mut floor());
    case("delivery: blocks, Lua, scalars", &mut load(FIELDS));
    case("delivery: blocks, Lua, event table", &mut load(TABLE));
    case("delivery: blocks, Lua, table and ctx.state", &mut load(STATE));
    let few = &blocks[..BLOCKS / 16];
    let case = |name: &str, strategy: &mut dyn Strategy| {
        wish.rate(name, few.len() * ROWS, "event", || one_by_one(strategy, few));
        assert_eq!(strategy.take_faults(), []);
    };
    case("delivery: one by one, plain Rust", &mut floor());
    case("delivery: one by one, Lua, event table", &mut load(TABLE));
}
