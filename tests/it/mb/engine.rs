//! The whole of it: a script's orders through the engine, its session and the venue under faults.
//! At the end the engine's orders, its journal's fills and the venue's ledger are the same.

use super::*;
use lunario::account::Order;
use lunario::base::{OrderState, StrategyId};
use lunario::desk::Mode;
use lunario::engine::{Engine, EngineConfig, In, Note, Operator, Out, Record};
use lunario::lua::graph;
use std::time::Duration;

/// Orders and cancels at random, many of them alike.
const TRADER: &str = r#"
local s = { subscribe = { "trades mercadobitcoin:BTCBRL" } }
function s.on_start(ctx)
	ctx:every(2, "act")
end
function s.on_trade() end
local function any(list)
	return list[math.random(1, #list)]
end
function s.on_timer(ctx)
	local orders = ctx:orders()
	if #orders > 12 or #orders > 0 and math.random() < 0.4 then
		ctx:cancel(any(orders))
	elseif math.random() < 0.02 then
		ctx:cancel_all()
	else
		local side = if math.random() < 0.5 then "buy" else "sell"
		if ctx:position() > 0.5 then side = "sell" elseif ctx:position() < -0.5 then side = "buy" end
		ctx[side](ctx, { qty = any({ 0.01, 0.02, 0.03 }), price = any({ 99.5, 100, 100.5 }) })
	end
end
return s
"#;

const RUN: u32 = 3;
const WHO: StrategyId = StrategyId(0);

struct Whole {
    now: Time,
    engine: Engine,
    wires: Wires,
    records: Vec<Record>,
    notes: Vec<Note>,
}

impl Whole {
    fn new(seed: u64) -> Whole {
        let mut config = EngineConfig::new(Mode::Paper, RUN, instruments());
        config.seed = seed;
        config.lua.handler = Duration::from_secs(5);
        config.lua.load = Duration::from_secs(20);
        let mut engine = Engine::new(config);
        let session = Session::new(super::config("ana", &user()));
        engine.add_venue(VenueName::new("mercadobitcoin"), Box::new(session));
        let wires = Wires::new(seed, server(secs(-2)));
        let (records, notes) = (Vec::new(), Vec::new());
        let mut whole = Whole { now: start(), engine, wires, records, notes };
        whole.input(In::Code(graph::single("s.luau", TRADER).unwrap()));
        assert!(whole.engine.runs("s"), "{:?}", whole.notes);
        whole
    }

    fn input(&mut self, input: In) {
        self.engine.handle(self.now, input);
        while let Some(out) = self.engine.poll(self.now) {
            match out {
                Out::Record(record) => self.records.push(record),
                Out::Net { net: Net::Request(request), .. } => {
                    self.wires.ask(self.now, 0, request);
                }
                Out::Net { net, .. } => panic!("{net:?}"),
                Out::Sent { .. } | Out::Remembered(_) => {}
                Out::Note(note) => self.notes.push(note),
            }
        }
    }

    fn wait(&mut self, span: Span) {
        let until = self.now.plus(span);
        loop {
            let next = [self.engine.wake_at(), self.wires.next_at()].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            while let Some((_, response)) = self.wires.due(self.now) {
                self.input(In::Net { venue: 0, net: Net::Response(response) });
            }
            self.input(In::Tick);
        }
        self.now = until;
    }

    fn orders(&self) -> Vec<Order> {
        let core = self.engine.core();
        let asked = core.owner(WHO).map_or(0, |owner| owner.sequence);
        let keys = (1..=asked).filter_map(|nth| OrderKey::compose(RUN, WHO, nth));
        keys.filter_map(|key| core.orders.get(key).cloned()).collect()
    }
}

fn run(seed: u64) -> (usize, usize) {
    let mut whole = Whole::new(seed);
    whole.wires.rule = faults::trouble(seed, start().plus(secs(1_200)));
    let mut rng = Rng::new(seed, 51);
    for _ in 0..120 {
        whole.wait(secs(10));
        let price = ["99", "100", "101"][usize::try_from(rng.below(3)).unwrap()];
        let (time, price, qty) = (whole.now, d(price), d("0.05"));
        let trade = Trade { time, instrument: BTC, price, qty, side: Some(Side::Sell), id: 0 };
        whole.wires.market(whole.now, Event::Trade(trade));
    }
    whole.input(In::Operator(Operator::Stop));
    for _ in 0..300 {
        if !whole.engine.has_stopped() {
            whole.wait(secs(1));
        }
    }
    assert!(whole.engine.has_stopped(), "{:#?}", whole.orders());
    whole.wait(secs(30));
    agree(&whole)
}

fn agree(whole: &Whole) -> (usize, usize) {
    let exchange = whole.wires.server.exchange();
    let history = exchange.history(ACCOUNT, usize::MAX);
    let stood = history.into_iter().filter(|order| order.state != OrderState::Rejected);
    let mut theirs: BTreeMap<i64, _> = stood.map(|order| (order.id.0, order)).collect();
    let (ours, placed) = (whole.orders(), theirs.len());
    let mut keys = BTreeMap::new();
    for order in &ours {
        let Some(id) = order.venue_id else {
            let never = matches!(order.state, OrderState::Rejected | OrderState::Canceled);
            assert!(never && order.filled.is_zero(), "{order:#?}");
            continue;
        };
        keys.insert(id.0, order.key);
        let at_venue = theirs.remove(&id.0).unwrap_or_else(|| panic!("another's: {order:#?}"));
        assert_eq!((order.state, order.filled), (at_venue.state, at_venue.filled), "{order:#?}");
    }
    assert!(theirs.is_empty(), "orders nobody here knows: {theirs:#?}");
    let told = whole.notes.iter().filter_map(|note| match note {
        Note::Fill { fill, .. } => Some((fill.trade_id, fill.order, fill.qty, fill.price)),
        _ => None,
    });
    let mut told: Vec<_> = told.collect();
    told.sort_unstable();
    let fills = exchange.fills(ACCOUNT).iter();
    let fills: Vec<_> =
        fills.map(|it| (it.trade_id, keys[&it.order.0], it.qty, it.price)).collect();
    assert_eq!(told, fills);
    let journal = whole.records.iter().filter(|record| record.kind == "fill").count();
    assert_eq!(journal, fills.len(), "the journal's fills");
    let intents = whole.records.iter().filter(|record| record.kind == "intent").count();
    assert_eq!(intents, ours.len(), "the journal's orders");
    let position = whole.engine.core().ledger.position(WHO, BTC).qty;
    assert_eq!(position, exchange.position(ACCOUNT, BTC));
    (placed, fills.len())
}

#[test]
fn a_scripts_orders_end_as_the_venue_has_them() {
    let (mut placed, mut fills) = (0, 0);
    for seed in 1..=6 {
        let run = std::panic::catch_unwind(|| run(seed));
        let (orders, filled) = run.unwrap_or_else(|_| panic!("seed {seed} failed"));
        (placed, fills) = (placed + orders, fills + filled);
    }
    assert!(placed > 600 && fills > 150, "{placed} orders, {fills} fills");
}
