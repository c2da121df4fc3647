//! The life of an order as tables, and what holds for any sequence of news and fills.

use super::*;
use crate::base::{
    Liquidity, OrderKind, OrderStep, Place, Side, Tif, Time, VenueOrderId, Version, decimal,
};
use OrderState::{Canceled, Expired, Filled, Pending, Rejected, Unknown, Working};
use proptest::prelude::*;

const BTC: InstrumentId = InstrumentId(1);
const STATES: [OrderState; 7] = [Pending, Working, Unknown, Filled, Canceled, Rejected, Expired];

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn key(strategy: u8, sequence: u32) -> OrderKey {
    OrderKey::compose(1, StrategyId(strategy), sequence).unwrap()
}

fn at(second: i64) -> Time {
    Time::from_millis(second * 1000)
}

fn order(key: OrderKey, side: Side, qty: &str) -> Order {
    let place = Place {
        key,
        instrument: BTC,
        side,
        kind: OrderKind::Limit,
        qty: d(qty),
        price: Some(d("100")),
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    };
    Order::new(&place, key.strategy(), Version("v1".into()), at(0))
}

fn one(qty: &str) -> (Orders, OrderKey) {
    let (mut orders, key) = (Orders::default(), key(1, 1));
    orders.insert(order(key, Side::Buy, qty));
    (orders, key)
}

fn fill(order: OrderKey, trade_id: i64, price: &str, qty: &str) -> Fill {
    Fill {
        order,
        instrument: BTC,
        side: Side::Buy,
        price: d(price),
        qty: d(qty),
        fee: Decimal::ZERO,
        fee_asset: "BRL".into(),
        fee_estimated: false,
        liquidity: Liquidity::Taker,
        trade_id,
        time: at(trade_id),
    }
}

fn say(orders: &mut Orders, key: OrderKey, step: OrderStep) -> Option<(OrderState, OrderState)> {
    orders.apply(&OrderNews { key, time: at(9), step }).map(|change| (change.from, change.to))
}

fn id(n: i64) -> VenueOrderId {
    VenueOrderId(n)
}

fn canceled(filled: &str) -> OrderStep {
    OrderStep::Canceled { filled: d(filled), reason: "UserModified".into() }
}

/// Brings a fresh order into a state.
fn lead_to(state: OrderState) -> (Orders, OrderKey) {
    let (mut orders, key) = one("1");
    let step = match state {
        Pending => return (orders, key),
        Working => OrderStep::Working { venue_id: id(7) },
        Unknown => OrderStep::Lost,
        Filled => {
            orders.fill(&fill(key, 1, "100", "1"));
            return (orders, key);
        }
        Canceled => canceled("0"),
        Rejected => OrderStep::Rejected { reason: "No More Market".into() },
        Expired => OrderStep::Expired { filled: d("0") },
    };
    say(&mut orders, key, step);
    assert_eq!(orders.get(key).unwrap().state, state);
    (orders, key)
}

#[test]
fn the_table_of_legal_steps_over_all_pairs() {
    let allowed: [(OrderState, &[OrderState]); 7] = [
        (Pending, &[Working, Unknown, Filled, Canceled, Rejected, Expired]),
        (Working, &[Unknown, Filled, Canceled, Rejected, Expired]),
        (Unknown, &[Pending, Working, Filled, Canceled, Rejected, Expired]),
        (Filled, &[]),
        (Canceled, &[]),
        (Rejected, &[]),
        (Expired, &[]),
    ];
    for (from, targets) in allowed {
        for to in STATES {
            assert_eq!(legal(from, to), targets.contains(&to), "{from:?} to {to:?}");
        }
    }
}

#[test]
fn every_news_in_every_state() {
    // FLOW-V14, B.3: events arrive in any order and before the reply.
    let news: [(&str, OrderStep, [OrderState; 3]); 9] = [
        ("sent", OrderStep::Sent, [Pending, Working, Unknown]),
        ("accepted", OrderStep::Accepted { venue_id: id(7) }, [Pending, Working, Pending]),
        ("working", OrderStep::Working { venue_id: id(7) }, [Working, Working, Working]),
        (
            "replaced",
            OrderStep::Replaced { venue_id: id(8), price: None, remaining: d("1") },
            [Working, Working, Working],
        ),
        // The fills that explain it are not there yet: the state waits for them.
        ("filled", OrderStep::Filled { filled: d("1") }, [Pending, Working, Unknown]),
        ("canceled", canceled("0"), [Canceled, Canceled, Canceled]),
        ("expired", OrderStep::Expired { filled: d("0") }, [Expired, Expired, Expired]),
        (
            "rejected",
            OrderStep::Rejected { reason: "Not_Enough_Funds".into() },
            [Rejected, Rejected, Rejected],
        ),
        ("lost", OrderStep::Lost, [Unknown, Unknown, Unknown]),
    ];
    for (name, step, expected) in news {
        for (from, to) in [Pending, Working, Unknown].into_iter().zip(expected) {
            let (mut orders, key) = lead_to(from);
            let change = say(&mut orders, key, step.clone());
            assert_eq!(orders.get(key).unwrap().state, to, "{name} in {from:?}");
            if from != to {
                assert_eq!(change, Some((from, to)), "{name} in {from:?}");
            }
        }
        for end in [Filled, Canceled, Rejected, Expired] {
            let (mut orders, key) = lead_to(end);
            assert_eq!(say(&mut orders, key, step.clone()), None, "{name} in {end:?}");
            assert_eq!(orders.get(key).unwrap().state, end, "{name} in {end:?}");
        }
    }
}

#[test]
fn a_fill_may_come_before_the_reply_and_twice() {
    let (mut orders, key) = one("1");
    let change = Change { key, from: Pending, to: Working };
    assert_eq!(orders.fill(&fill(key, 5, "100", "0.4")), FillOutcome::Applied(Some(change)));
    assert_eq!(orders.fill(&fill(key, 5, "100", "0.4")), FillOutcome::Duplicate);
    assert_eq!(say(&mut orders, key, OrderStep::Accepted { venue_id: id(7) }), None);
    let change = Change { key, from: Working, to: Filled };
    assert_eq!(orders.fill(&fill(key, 4, "110", "0.6")), FillOutcome::Applied(Some(change)));
    assert_eq!(orders.fill(&fill(key, 4, "110", "0.6")), FillOutcome::Duplicate);
    let order = orders.get(key).unwrap();
    assert_eq!((order.filled, order.notional), (d("1"), d("106")));
    assert_eq!((order.avg_price(), order.venue_id), (Some(d("106")), Some(id(7))));
    assert_eq!(orders.exposure(None, BTC), Exposure::default());
}

#[test]
fn one_trade_between_two_orders_of_ours_counts_for_both() {
    let (mut orders, buy) = one("1");
    let sell = key(2, 1);
    orders.insert(order(sell, Side::Sell, "1"));
    assert!(matches!(orders.fill(&fill(buy, 5, "100", "1")), FillOutcome::Applied(_)));
    let other = Fill { order: sell, side: Side::Sell, ..fill(buy, 5, "100", "1") };
    assert!(matches!(orders.fill(&other), FillOutcome::Applied(_)));
}

#[test]
fn fills_that_fit_no_order_are_strangers() {
    let (mut orders, mine) = one("1");
    let foreign = [
        fill(key(1, 2), 1, "100", "1"),
        Fill { side: Side::Sell, ..fill(mine, 1, "100", "1") },
        Fill { instrument: InstrumentId(2), ..fill(mine, 1, "100", "1") },
    ];
    for fill in foreign {
        assert_eq!(orders.fill(&fill), FillOutcome::Stranger);
    }
    assert_eq!(orders.get(mine).unwrap().filled, Decimal::ZERO);
}

#[test]
fn filled_waits_for_the_fills_that_explain_it() {
    let (mut orders, key) = one("1");
    assert_eq!(say(&mut orders, key, OrderStep::Filled { filled: d("1") }), None);
    assert_eq!(orders.get(key).unwrap().missing(), d("1"));
    assert_eq!(orders.exposure(None, BTC).buy, d("1"));
    // Late and contradicting news does not end it either.
    assert_eq!(say(&mut orders, key, OrderStep::Working { venue_id: id(7) }), None);
    assert_eq!(say(&mut orders, key, OrderStep::Lost), None);
    assert_eq!(orders.fill(&fill(key, 1, "100", "0.3")), FillOutcome::Applied(None));
    assert_eq!(orders.exposure(None, BTC).buy, d("0.7"));
    let change = Change { key, from: Pending, to: Filled };
    assert_eq!(orders.fill(&fill(key, 2, "100", "0.7")), FillOutcome::Applied(Some(change)));
    assert_eq!((orders.open().count(), orders.count(StrategyId(1))), (0, 0));
}

#[test]
fn filled_for_less_than_the_size_ends_the_order() {
    // FLOW-P20: a market buy may stop at a value, short of its quantity.
    let (mut orders, key) = one("1");
    orders.fill(&fill(key, 1, "100", "0.6"));
    let change = say(&mut orders, key, OrderStep::Filled { filled: d("0.6") });
    assert_eq!(change, Some((Working, Filled)));
    assert_eq!(orders.exposure(None, BTC).buy, Decimal::ZERO);
}

#[test]
fn late_fills_of_a_canceled_order_are_booked() {
    let (mut orders, key) = one("1");
    assert_eq!(say(&mut orders, key, canceled("0.5")), Some((Pending, Canceled)));
    assert_eq!((orders.open().count(), orders.owed().count()), (0, 1));
    assert_eq!(orders.exposure(Some(StrategyId(1)), BTC).buy, d("0.5"));
    assert_eq!(orders.count(StrategyId(1)), 1);
    assert_eq!(orders.fill(&fill(key, 1, "100", "0.5")), FillOutcome::Applied(None));
    assert_eq!((orders.owed().count(), orders.count(StrategyId(1))), (0, 0));
    assert_eq!(orders.exposure(Some(StrategyId(1)), BTC).buy, Decimal::ZERO);
    // One more that the venue's cancel did not speak of.
    assert_eq!(orders.fill(&fill(key, 2, "100", "0.1")), FillOutcome::Applied(None));
    let order = orders.get(key).unwrap();
    assert_eq!((order.state, order.filled), (Canceled, d("0.6")));
    assert_eq!(order.reason, "UserModified");
}

#[test]
fn an_ended_order_is_owed_again_when_the_venue_says_more() {
    let (mut orders, key) = one("1");
    say(&mut orders, key, canceled("0"));
    assert_eq!(orders.exposure(None, BTC).buy, Decimal::ZERO);
    assert_eq!(say(&mut orders, key, canceled("0.2")), None);
    assert_eq!((orders.owed().count(), orders.exposure(None, BTC).buy), (1, d("0.2")));
    orders.fill(&fill(key, 1, "100", "0.2"));
    assert_eq!((orders.owed().count(), orders.exposure(None, BTC).buy), (0, Decimal::ZERO));
}

#[test]
fn a_refusal_after_a_fill_cancels_the_rest() {
    let (mut orders, key) = one("1");
    orders.fill(&fill(key, 1, "100", "0.6"));
    let step = OrderStep::Rejected { reason: "OtherRejected".into() };
    assert_eq!(say(&mut orders, key, step), Some((Working, Canceled)));
    assert_eq!(orders.get(key).unwrap().reason, "OtherRejected");
}

#[test]
fn unknown_counts_at_full_size_and_its_fills_do_not_settle_the_rest() {
    // FLOW-C21: only the venue's word ends it.
    let (mut orders, key) = lead_to(Unknown);
    assert_eq!(orders.exposure(None, BTC).buy, d("1"));
    assert_eq!(orders.fill(&fill(key, 1, "100", "0.4")), FillOutcome::Applied(None));
    assert_eq!(orders.get(key).unwrap().state, Unknown);
    assert_eq!(orders.exposure(None, BTC).buy, d("0.6"));
    assert_eq!(say(&mut orders, key, canceled("0.4")), Some((Unknown, Canceled)));
}

#[test]
fn a_replacement_counts_beside_what_it_replaces() {
    let (mut orders, key) = lead_to(Working);
    assert!(orders.ask_replace(key, d("2"), at(1)));
    assert!(!orders.ask_replace(key, d("3"), at(1)), "one at a time");
    assert_eq!(orders.exposure(None, BTC).buy, d("3"));
    orders.fill(&fill(key, 1, "100", "0.4"));
    let step = OrderStep::Replaced { venue_id: id(8), price: Some(d("99")), remaining: d("2") };
    assert_eq!(say(&mut orders, key, step), Some((Working, Working)));
    let order = orders.get(key).unwrap();
    assert_eq!((order.qty, order.price, order.venue_id), (d("2.4"), Some(d("99")), Some(id(8))));
    assert_eq!((order.remaining(), orders.exposure(None, BTC).buy), (d("2"), d("2")));
}

#[test]
fn an_order_that_trades_out_while_it_is_replaced_waits_for_the_answer() {
    let (mut orders, key) = lead_to(Working);
    orders.ask_replace(key, d("2"), at(1));
    assert_eq!(orders.fill(&fill(key, 1, "100", "1")), FillOutcome::Applied(None));
    let mut refused = orders.clone();
    let step = OrderStep::ChangeRefused { reason: "Order Not Found".into() };
    assert_eq!(say(&mut refused, key, step), Some((Working, Filled)));
    let step = OrderStep::Replaced { venue_id: id(8), price: None, remaining: d("2") };
    assert_eq!(say(&mut orders, key, step), Some((Working, Working)));
    assert_eq!(orders.exposure(None, BTC).buy, d("2"));
}

#[test]
fn a_refused_cancel_leaves_the_order_and_a_replacement_under_way() {
    let (mut orders, key) = lead_to(Working);
    assert!(orders.ask_cancel(key, at(1)));
    assert!(!orders.ask_cancel(key, at(1)));
    orders.ask_replace(key, d("2"), at(1));
    let step = OrderStep::ChangeRefused { reason: "Order Not Found".into() };
    assert_eq!(say(&mut orders, key, step.clone()), Some((Working, Working)));
    let order = orders.get(key).unwrap();
    assert_eq!((order.cancel_asked, order.replace_asked), (false, Some(d("2"))));
    say(&mut orders, key, step);
    assert_eq!(orders.exposure(None, BTC).buy, d("1"));
}

#[test]
fn listings_are_in_key_order_and_by_strategy() {
    let mut orders = Orders::default();
    for (strategy, sequence) in [(2, 1), (1, 2), (1, 1)] {
        orders.insert(order(key(strategy, sequence), Side::Sell, "1"));
    }
    let mut other = order(key(1, 3), Side::Buy, "1");
    other.instrument = InstrumentId(2);
    orders.insert(other);
    let mut refused = order(key(1, 4), Side::Buy, "1");
    refused.state = Rejected;
    orders.insert(refused);
    let sequences = |found: Vec<&Order>| -> Vec<(u8, u32)> {
        found.iter().map(|order| (order.strategy.0, order.key.sequence())).collect()
    };
    assert_eq!(sequences(orders.open().collect()), [(1, 1), (1, 2), (1, 3), (2, 1)]);
    assert_eq!(sequences(orders.open_of(StrategyId(1), Some(BTC)).collect()), [(1, 1), (1, 2)]);
    assert_eq!(orders.open_of(StrategyId(1), None).count(), 3);
    assert_eq!(orders.exposure(None, BTC).sell, d("3"));
    assert_eq!(orders.exposure(Some(StrategyId(1)), BTC).of(Side::Sell), d("2"));
    assert_eq!(orders.get(key(1, 4)).unwrap().state, Rejected);
}

#[test]
fn the_oldest_ended_orders_are_dropped() {
    let mut orders = Orders::default();
    for sequence in 1..=u32::try_from(KEEP_ENDED).unwrap() + 3 {
        let key = key(1, sequence);
        orders.insert(order(key, Side::Buy, "1"));
        say(&mut orders, key, canceled("0"));
    }
    assert_eq!(orders.ended.len(), KEEP_ENDED);
    assert!(orders.get(key(1, 3)).is_none() && orders.get(key(1, 4)).is_some());
    assert_eq!(orders.fill(&fill(key(1, 1), 1, "1", "1")), FillOutcome::Stranger);
}

#[test]
#[should_panic(expected = "used twice")]
fn a_key_is_used_once() {
    let (mut orders, key) = one("1");
    orders.insert(order(key, Side::Buy, "1"));
}

#[derive(Clone, Debug)]
enum Act {
    News(OrderStep),
    Fill(i64, i64),
    AskReplace(i64),
    AskCancel,
}

fn acts() -> impl Strategy<Value = Vec<(u32, Act)>> {
    let lots = 0i64..=12;
    let step = prop_oneof![
        Just(OrderStep::Sent),
        (1i64..4).prop_map(|n| OrderStep::Accepted { venue_id: id(n) }),
        (1i64..4).prop_map(|n| OrderStep::Working { venue_id: id(n) }),
        lots.clone().prop_map(|n| OrderStep::Replaced {
            venue_id: id(9),
            price: None,
            remaining: Decimal::new(n, 1)
        }),
        lots.clone().prop_map(|n| OrderStep::Filled { filled: Decimal::new(n, 1) }),
        lots.clone().prop_map(|n| canceled(&Decimal::new(n, 1).to_string())),
        lots.clone().prop_map(|n| OrderStep::Expired { filled: Decimal::new(n, 1) }),
        Just(OrderStep::Rejected { reason: "no".into() }),
        Just(OrderStep::ChangeRefused { reason: "no".into() }),
        Just(OrderStep::Lost),
    ];
    let act = prop_oneof![
        4 => step.prop_map(Act::News),
        3 => (1i64..30, 1i64..=6).prop_map(|(trade, lots)| Act::Fill(trade, lots)),
        1 => (1i64..=12).prop_map(Act::AskReplace),
        1 => Just(Act::AskCancel),
    ];
    prop::collection::vec((1u32..4, act), 0..60)
}

proptest! {
    #[test]
    fn any_life_is_legal_and_its_sums_hold(acts in acts()) {
        let mut orders = Orders::default();
        for n in 1..4 {
            orders.insert(order(key(1, n), Side::Buy, "1"));
        }
        let mut seen = std::collections::BTreeMap::new();
        for (n, act) in acts {
            let key = key(1, n);
            let before = orders.get(key).unwrap().state;
            match act {
                Act::News(step) => drop(say(&mut orders, key, step)),
                Act::Fill(trade, lots) => {
                    let qty = Decimal::new(lots, 1);
                    let outcome = orders.fill(&fill(key, trade, "100", &qty.to_string()));
                    let fresh = seen.insert((n, trade), ()).is_none();
                    prop_assert_eq!(fresh, matches!(outcome, FillOutcome::Applied(_)));
                }
                Act::AskReplace(lots) => {
                    orders.ask_replace(key, Decimal::new(lots, 1), at(1));
                }
                Act::AskCancel => {
                    orders.ask_cancel(key, at(1));
                }
            }
            let after = orders.get(key).unwrap().state;
            prop_assert!(before == after || legal(before, after), "{:?} to {:?}", before, after);
            let name = |n| super::tests::key(1, n);
            let all: Vec<&Order> = (1..4).map(|n| orders.get(name(n)).unwrap()).collect();
            let sum: Decimal = all.iter().map(|order| order.open_qty()).sum();
            prop_assert_eq!(orders.exposure(None, BTC).buy, sum);
            prop_assert_eq!(orders.exposure(Some(StrategyId(1)), BTC).buy, sum);
            let alive = all.iter().filter(|order| order.matters()).count();
            prop_assert_eq!(orders.count(StrategyId(1)), alive);
            for order in all {
                prop_assert_eq!(order.notional, order.filled * d("100"));
            }
        }
    }
}
