//! The whole of it: a script's orders through the engine, its session and the venue under faults.
//! At the end the engine's orders, its journal's fills and the venue's ledger are the same.

use super::*;
use lunario::account::Order;
use lunario::base::{OrderState, StrategyId};
use lunario::desk::{Mode, Words};
use lunario::engine::{Engine, EngineConfig, In, Note, Operator, Out, Record};
use lunario::lua::graph;
use std::time::Duration;

/// Orders and cancels at random, many of them alike: half of them by `ctx`, half by the venue's own
/// calls. It says of every call when it is made and how it ended.
const TRADER: &str = r#"
local s = { subscribe = { "trades mercadobitcoin:BTCBRL" } }
function s.on_start(ctx)
	ctx:every(2, "act")
end
function s.on_trade() end
local function any(list)
	return list[math.random(1, #list)]
end
local function call(ctx, name, args)
	local number = (ctx.state.calls or 0) + 1
	ctx.state.calls = number
	ctx.log:info(`call {number} {name}`)
	local ok, reply = pcall(mercadobitcoin[name], args)
	ctx.log:info(`end {number} {name} {if ok then "done" else `{reply.outcome} {reply.kind}`}`)
end
local function raw(ctx, orders)
	local order = if #orders > 0 then any(orders) else nil
	if order and order.venue_id and (#orders > 12 or math.random() < 0.5) then
		call(ctx, "CancelOrder", { pair = "btc_brl", order_id = order.venue_id })
	elseif math.random() < 0.1 then
		call(ctx, "OrderList", { pair = "btc_brl" })
	else
		local side = if math.random() < 0.5 then "buy" else "sell"
		if ctx:position() > 0.5 then side = "sell" elseif ctx:position() < -0.5 then side = "buy" end
		local volume, price = any({ "0.01", "0.02", "0.03" }), any({ "99.5", "100", "100.5" })
		call(ctx, "Trade", { pair = "btc_brl", type = side, volume = volume, price = price })
	end
end
function s.on_timer(ctx)
	local orders = ctx:orders()
	if math.random() < 0.5 then
		raw(ctx, orders)
		return
	end
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
    let waiting = whole.calls().into_values().filter(Vec::is_empty).count();
    whole.input(In::Operator(Operator::Stop));
    for _ in 0..300 {
        if !whole.engine.has_stopped() {
            whole.wait(secs(1));
        }
    }
    assert!(whole.engine.has_stopped(), "{:#?}", whole.orders());
    whole.wait(secs(30));
    calls_agree(&whole, waiting);
    agree(&whole)
}

impl Whole {
    /// The script's raw calls by its own numbers, and how each ended.
    fn calls(&self) -> BTreeMap<u64, Vec<String>> {
        let mut calls: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for note in &self.notes {
            let Note::Words { words: Words::Log { message, .. }, .. } = note else { continue };
            let mut words = message.splitn(3, ' ');
            let (what, number) = (words.next().unwrap(), words.next().unwrap().parse().unwrap());
            let ends = calls.entry(number).or_default();
            match what {
                "end" => ends.push(words.next().unwrap().to_owned()),
                _ => assert!(ends.is_empty(), "{message}"),
            }
        }
        calls
    }
}

/// Every raw call ended once, as its row in the journal says; `waiting` of them after the script.
fn calls_agree(whole: &Whole, waiting: usize) {
    let calls = whole.calls();
    assert!(calls.values().all(|ends| ends.len() <= 1), "{calls:#?}");
    let open = calls.values().filter(|ends| ends.is_empty()).count();
    assert!(open <= waiting, "{open} did not end, {waiting} waited when the script ended");
    let text = |record: &Record, field: &str| match record.body.get(field) {
        Some(Plain::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let made = whole.records.iter().filter(|it| matches!(it.kind, "intent" | "cancel"));
    let made = made.filter(|record| text(record, "call").is_some()).count();
    let replies: Vec<&Record> =
        whole.records.iter().filter(|record| record.kind == "reply").collect();
    assert_eq!(made, replies.len(), "as many ends as order calls");
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for row in replies {
        let name = text(row, "call").unwrap().replace("mercadobitcoin.", "");
        let kind = text(row, "kind").map(|kind| format!(" {kind}")).unwrap_or_default();
        let end = format!("{name} {}{kind}", text(row, "outcome").unwrap());
        *told.entry(end).or_default() += 1;
    }
    let is_read = |end: &str| end.starts_with("OrderList");
    let limited = |end: &str| end.ends_with(" limit") || end.ends_with(" arguments");
    for end in calls.values().flatten().filter(|end| !is_read(end) && !limited(end)) {
        let left = told.get_mut(end).filter(|left| **left > 0);
        *left.unwrap_or_else(|| panic!("an end without a row: {end}")) -= 1;
    }
    assert!(told.values().sum::<usize>() <= open, "rows without an end: {told:?}");
    let lost = calls.values().flatten().any(|end| is_read(end) && end.contains("unknown"));
    assert!(!lost && calls.len() > 150, "{}", calls.len());
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
