//! Whatever the order, and however often, a set of news ends in the same place (FLOW B.3, S04,
//! S07).

use super::*;
use proptest::prelude::*;

/// A piece of news of one order.
#[derive(Clone, Debug)]
enum Piece {
    Reply(&'static str, String),
    Event(&'static str, String),
}

impl Piece {
    fn give(&self, rig: &mut Rig) {
        match self {
            Piece::Event(name, body) => rig.event(name, body),
            Piece::Reply(name, body) => {
                if rig.open().contains(name) {
                    rig.reply(name, body);
                }
            }
        }
    }
}

fn state(venue: i64, client: i64, state: &str, qty: &str, executed: &str) -> Piece {
    Piece::Event("OrderStateEvent", order(venue, client, state, qty, executed))
}

fn fill(number: i64, venue: i64, client: i64, qty: &str) -> Piece {
    Piece::Event("OrderTradeEvent", trade(number, venue, client, qty))
}

/// Stories of an order with two fills: how they end.
fn stories() -> Vec<(Vec<Piece>, &'static str)> {
    let reply = Piece::Reply("SendOrder", accepted(501));
    let start = [reply, state(501, 1, "Working", "1", "0"), fill(1, 501, 1, "0.25")];
    let partly = state(501, 1, "Working", "1", "0.25");
    let story =
        |more: Vec<Piece>| start.iter().cloned().chain([partly.clone()]).chain(more).collect();
    vec![
        (
            story(vec![fill(2, 501, 1, "0.75"), state(501, 1, "FullyExecuted", "1", "1")]),
            "filled 1",
        ),
        (
            story(vec![fill(2, 501, 1, "0.5"), state(501, 1, "Canceled", "1", "0.75")]),
            "canceled 0.75 UserModified",
        ),
        (story(vec![state(501, 1, "Expired", "1", "0.25")]), "expired 0.25"),
    ]
}

/// A shuffled hand with some cards twice.
fn dealt(cards: usize) -> impl Strategy<Value = Vec<usize>> {
    let twice = prop::collection::vec(0..cards, 0..cards);
    twice.prop_flat_map(move |twice| {
        Just((0..cards).chain(twice).collect::<Vec<_>>()).prop_shuffle()
    })
}

fn cases() -> impl Strategy<Value = (Vec<Piece>, &'static str, Vec<usize>)> {
    (0..stories().len()).prop_flat_map(|at| {
        let (pieces, end) = stories().swap_remove(at);
        dealt(pieces.len()).prop_map(move |hand| (pieces.clone(), end, hand))
    })
}

fn is_end(step: &str) -> bool {
    ["filled", "canceled", "expired", "rejected"].iter().any(|word| step.starts_with(word))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_order_and_repetition_ends_the_same((pieces, end, hand) in cases()) {
        let mut rig = Rig::live();
        rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
        for at in hand {
            pieces[at].give(&mut rig);
        }
        let steps = rig.steps(1);
        prop_assert_eq!(steps.iter().filter(|step| is_end(step)).count(), 1, "{:?}", steps);
        prop_assert_eq!(steps.iter().find(|step| is_end(step)).map(String::as_str), Some(end));
        let fills = pieces.iter().filter(|p| matches!(p, Piece::Event("OrderTradeEvent", _)));
        prop_assert_eq!(rig.fills().len(), fills.count(), "every fill once");
        let at = steps.iter().position(|step| is_end(step)).unwrap();
        prop_assert!(at + 1 == steps.len(), "nothing after the end: {:?}", steps);
        let sum: Decimal = rig.fills().iter().map(|fill| fill.qty).sum();
        prop_assert_eq!(end.split(' ').nth(1).map(d), Some(sum));
        prop_assert_eq!(steps.iter().filter(|step| step.starts_with("working")).count() <= 1, true);
    }

    /// The same for an order that was replaced after a partial fill.
    #[test]
    fn replaced_orders_end_the_same(hand in dealt(6)) {
        let mut rig = Rig::live();
        rig.working(1, 501);
        rig.command(Command::Replace {
            key: key(1),
            alias: key(2),
            instrument: BTC,
            side: Side::Buy,
            price: Some(d("100")),
            qty: d("0.5"),
        });
        let pieces = [
            Piece::Reply("CancelReplaceOrder", r#"{"status":"Processing","errormsg":""}"#.into()),
            fill(1, 501, 1, "0.25"),
            state(501, 1, "Canceled", "1", "0.25"),
            state(777, 2, "Working", "0.5", "0"),
            fill(2, 777, 2, "0.5"),
            state(777, 2, "FullyExecuted", "0.5", "0.5"),
        ];
        for at in hand {
            pieces[at].give(&mut rig);
        }
        let steps = rig.steps(1);
        let replaced = steps.iter().filter(|step| step.starts_with("replaced 777: 0.5")).count();
        prop_assert_eq!(replaced, 1, "{:?}", steps);
        prop_assert_eq!(steps.iter().filter(|step| is_end(step)).count(), 1, "{:?}", steps);
        let sum: Decimal = rig.fills().iter().map(|fill| fill.qty).sum();
        prop_assert_eq!(sum, d("0.75"), "{:?}", steps);
    }
}
