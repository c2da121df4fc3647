//! Whether the raw calls of a script, the journal and the venue's ledger tell the same: every call
//! ends once, as its row says, and what is left unknown at first is found out.

use super::*;
use lunario::account::Order;
use lunario::base::{OrderKey, OrderState, Plain};
use lunario::desk::Words;
use lunario::exchange::SimOrder;
use std::collections::BTreeMap;

/// How a script calls: it says of every call when it is made and how it ended.
pub const CALLING: &str = r#"
local function call(ctx, name, args)
	local number = (ctx.state.calls or 0) + 1
	ctx.state.calls = number
	ctx.log:info(`call {number} {name}`)
	local ok, reply = pcall(flowbtc[name], args)
	local told = if ok
		then `done {reply.OrderId or reply.ReplacementOrderId or ""}`
		else `{reply.outcome} {reply.kind}`
	ctx.log:info(`end {number} {name} {told}`)
	return ok, reply
end
"#;

/// A trade of this quantity tells such a script to rest.
pub const REST: &str = "7";

/// Order calls, and the kind of the journal's row of each.
const KINDS: [(&str, &str); 5] = [
    ("SendOrder", "intent"),
    ("CancelOrder", "cancel"),
    ("CancelReplaceOrder", "replace"),
    ("ModifyOrder", "reduce"),
    ("CancelAllOrders", "cancel_all"),
];

/// How many raw calls there were, and how they ended.
#[derive(Copy, Clone, Default, Debug)]
pub struct Asked {
    pub reads: usize,
    pub orders: usize,
    pub done: usize,
    pub refused: usize,
    pub unknown: usize,
    pub limited: usize,
    pub forgiven: usize,
}

impl Asked {
    pub fn add(&mut self, more: Asked) {
        self.reads += more.reads;
        self.orders += more.orders;
        self.done += more.done;
        self.refused += more.refused;
        self.unknown += more.unknown;
        self.limited += more.limited;
        self.forgiven += more.forgiven;
    }
}

/// A call as the script saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub name: String,
    /// The outcome and what it says; none while it waits.
    pub end: Option<(String, String)>,
}

impl Seen {
    /// Refused on the spot: it is in no row and at no venue.
    fn was_limited(&self) -> bool {
        self.end.as_ref().is_some_and(|(_, what)| what == "limit" || what == "arguments")
    }
}

/// How all orders ended, here and at the venue by the client's number.
struct Ends {
    here: BTreeMap<OrderKey, Order>,
    there: BTreeMap<i64, SimOrder>,
}

fn text<'a>(record: &'a Record, field: &str) -> Option<&'a str> {
    match record.body.get(field) {
        Some(Plain::Text(text)) => Some(text),
        _ => None,
    }
}

impl Pair {
    fn said(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().filter_map(|note| match note {
            Note::Words { words: Words::Log { message, .. }, .. } => Some(message.as_str()),
            _ => None,
        })
    }

    /// The script's raw calls by its own numbers.
    pub fn seen(&self) -> BTreeMap<u64, Seen> {
        let mut all: BTreeMap<u64, Seen> = BTreeMap::new();
        for line in self.said() {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["call", number, name] => {
                    let seen = Seen { name: (*name).to_owned(), end: None };
                    let twice = all.insert(number.parse().unwrap(), seen);
                    assert!(twice.is_none(), "{line}");
                }
                ["end", number, name, outcome, rest @ ..] => {
                    let seen = all.get_mut(&number.parse().unwrap()).unwrap();
                    assert_eq!(seen.name, *name);
                    let end = ((*outcome).to_owned(), rest.concat());
                    assert!(seen.end.replace(end).is_none(), "ended twice: {line}");
                }
                _ => {}
            }
        }
        all
    }

    /// The script ends or is replaced: nobody is told how its calls of now end.
    pub fn forgive_waiting(&mut self) {
        let waiting = self.seen().into_iter().filter(|(_, seen)| seen.end.is_none());
        let waiting: Vec<u64> = waiting.map(|(number, _)| number).collect();
        self.forgiven.extend(waiting);
    }

    pub fn reload(&mut self, script: &str) {
        self.forgive_waiting();
        self.load(script);
    }

    /// What the script was told last of each order is how the engine has it.
    pub fn script_sees_the_orders(&self) {
        let mut told: BTreeMap<&str, &str> = BTreeMap::new();
        for line in self.said() {
            if let ["order", key, state] = line.split(' ').collect::<Vec<_>>().as_slice() {
                told.insert(key, state);
            }
        }
        for (key, order) in self.orders() {
            let (key, state) = (key.to_string(), order.state.word());
            let seen = told.get(key.as_str()).copied();
            let untold = seen.is_none() && matches!(state, "pending" | "rejected");
            assert!(untold || seen == Some(state), "the script saw {seen:?} of {order:#?}");
        }
    }

    /// Call for call: the script, the journal and the venue.
    pub fn calls_agree(&self) -> Asked {
        let seen = self.seen();
        let mut sum = Asked { forgiven: self.forgiven.len(), ..Asked::default() };
        for (number, call) in &seen {
            let is_read = !KINDS.iter().any(|(name, _)| *name == call.name);
            let (reads, orders) = (usize::from(is_read), usize::from(!is_read));
            sum.add(Asked { reads, orders, ..Asked::default() });
            let Some((outcome, what)) = &call.end else {
                assert!(self.forgiven.contains(number), "{number} did not end: {call:?}");
                continue;
            };
            match outcome.as_str() {
                "done" => sum.done += 1,
                "refused" if call.was_limited() => sum.limited += 1,
                "refused" => sum.refused += 1,
                "unknown" => sum.unknown += 1,
                _ => panic!("{number}: {call:?}"),
            }
            assert!(!is_read || outcome != "unknown", "a read is never in doubt: {call:?} {what}");
        }
        let history = self.server.exchange().history(ACCOUNT, usize::MAX);
        let there = history.into_iter().map(|it| (it.order.client_id, it.clone())).collect();
        let ends = Ends { here: self.orders(), there };
        for (name, kind) in KINDS {
            self.rows_agree(name, kind, &seen, &ends);
        }
        sum
    }

    /// The calls of one name, in the order in which they were made, and their rows.
    fn rows_agree(&self, name: &str, kind: &str, seen: &BTreeMap<u64, Seen>, all: &Ends) {
        let full = format!("flowbtc.{name}");
        let of = |kind: &str| {
            let all = self.records.iter().filter(move |record| record.kind == kind);
            let full = full.clone();
            all.filter(move |record| text(record, "call") == Some(&full)).collect::<Vec<_>>()
        };
        let (made, replies) = (of(kind), of("reply"));
        let calls = seen.values().filter(|call| call.name == name && !call.was_limited());
        let calls: Vec<&Seen> = calls.collect();
        assert_eq!(made.len(), calls.len(), "{name}: the journal's rows, the script's calls");
        assert_eq!(made.len(), replies.len(), "{name}: as many ends as calls");
        let mut ends: BTreeMap<(String, String), usize> = BTreeMap::new();
        for row in replies {
            let outcome = text(row, "outcome").unwrap().to_owned();
            let kind = text(row, "kind").unwrap_or_default().to_owned();
            *ends.entry((outcome, kind)).or_default() += 1;
        }
        for (outcome, what) in calls.iter().filter_map(|call| call.end.clone()) {
            let what = if outcome == "done" { String::new() } else { what };
            let left = ends.get_mut(&(outcome, what)).filter(|left| **left > 0);
            *left.unwrap_or_else(|| panic!("{name}: an end without a row: {calls:#?}")) -= 1;
        }
        let waiting = calls.iter().filter(|call| call.end.is_none()).count();
        assert_eq!(ends.values().sum::<usize>(), waiting, "{name}: rows without an end");
        for (row, call) in made.iter().zip(calls) {
            self.fate_agrees(row, call, all);
        }
    }

    /// What a call said of its order is so at the venue.
    fn fate_agrees(&self, row: &Record, call: &Seen, all: &Ends) {
        let Some((outcome, what)) = &call.end else { return };
        let Some(wire) = text(row, "order").map(|key| key.parse::<i64>().unwrap()) else { return };
        let order = &all.here[&OrderKey::from_wire(wire).unwrap()];
        assert_ne!(order.state, OrderState::Unknown, "{order:#?}");
        let number = match text(row, "alias") {
            Some(alias) => alias.parse().unwrap(),
            None => wire,
        };
        let there = all.there.get(&number);
        let story = || format!("{call:?} {row:?}\n{order:#?}\n{there:#?}\n{}", self.story());
        match (call.name.as_str(), outcome.as_str()) {
            ("SendOrder" | "CancelReplaceOrder", "done") if !what.is_empty() => {
                assert_eq!(there.map(|it| it.id.to_string()).as_ref(), Some(what), "{}", story());
            }
            ("SendOrder" | "CancelReplaceOrder", "refused") => {
                let stood = there.is_some_and(|it| it.state != OrderState::Rejected);
                assert!(!stood, "{}", story());
            }
            ("CancelOrder" | "CancelAllOrders", "done") => {
                assert!(!order.state.is_open(), "{}", story());
            }
            _ => {}
        }
    }
}
