//! What no sequence of asks, fills, cancels and replacements can do.

use super::*;
use crate::account::{FillOutcome, Ledger, Orders};
use crate::base::{Fill, Liquidity, OrderNews, OrderStep, VenueOrderId};
use proptest::prelude::*;

/// One thing that a script, the venue or both do. Orders are named by number, modulo how many there
/// are.
#[derive(Clone, Debug)]
enum Act {
    Ask(Side, i64),
    Fill(usize, i64),
    Cancel(usize),
    Lose(usize),
    AskReplace(usize, i64),
    AnswerReplace(usize, bool),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let (which, lots) = (0usize..50, 2i64..=12);
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let act = prop_oneof![
        4 => (side, lots.clone()).prop_map(|(side, lots)| Act::Ask(side, lots)),
        4 => (which.clone(), 1i64..=12).prop_map(|(at, lots)| Act::Fill(at, lots)),
        1 => which.clone().prop_map(Act::Cancel),
        1 => which.clone().prop_map(Act::Lose),
        2 => (which.clone(), lots).prop_map(|(at, lots)| Act::AskReplace(at, lots)),
        2 => (which, any::<bool>()).prop_map(|(at, yes)| Act::AnswerReplace(at, yes)),
    ];
    prop::collection::vec(act, 0..120)
}

/// The truth at the venue, apart from what our own rooms believe.
#[derive(Default)]
struct World {
    gate: Gate,
    orders: Orders,
    ledger: Ledger,
    /// Open quantity of each order at the venue, and the replacement under way.
    venue: Vec<(Side, Decimal, Option<Decimal>)>,
    trades: i64,
}

impl World {
    fn ask(&mut self, side: Side, qty: Decimal, of: Option<usize>) {
        let (instrument, next) = (btcbrl(), u32::try_from(self.venue.len()).unwrap() + 1);
        let facts = Facts {
            position: self.ledger.position(ME, instrument.id).qty,
            exposure: self.orders.exposure(Some(ME), instrument.id),
            open_orders: self.orders.count(ME),
            ..facts(&instrument)
        };
        if let Some(at) = of {
            let key = key(u32::try_from(at).unwrap() + 1);
            let ask = Replace { alias: super::key(999), price: None, qty };
            let order = self.orders.get(key).unwrap().clone();
            if self.gate.check_replace(Time::ZERO, &ask, &order, &facts).is_ok() {
                assert!(self.orders.ask_replace(key, qty, Time::ZERO));
                self.venue[at].2 = Some(qty);
            }
            return;
        }
        let ask = Place { key: key(next), qty, ..limit_order(side, "1", "100") };
        if let Ok(approved) = self.gate.check(Time::ZERO, &ask, &facts) {
            let order = Order::new(approved.get(), ME, Version("v".into()), Time::ZERO);
            self.orders.insert(order);
            self.venue.push((side, qty, None));
        }
    }

    fn say(&mut self, at: usize, step: OrderStep) {
        let key = key(u32::try_from(at).unwrap() + 1);
        self.orders.apply(&OrderNews { key, time: Time::ZERO, step });
    }

    fn fill(&mut self, at: usize, qty: Decimal) {
        let (side, open, _) = self.venue[at];
        let qty = qty.min(open);
        if qty.is_zero() {
            return;
        }
        self.venue[at].1 -= qty;
        self.trades += 1;
        let fill = Fill {
            order: key(u32::try_from(at).unwrap() + 1),
            instrument: InstrumentId(0),
            side,
            price: d("100"),
            qty,
            fee: Decimal::ZERO,
            fee_asset: "BRL".into(),
            fee_estimated: false,
            liquidity: Liquidity::Maker,
            trade_id: self.trades,
            time: Time::ZERO,
        };
        assert!(matches!(self.orders.fill(&fill), FillOutcome::Applied(_)));
        self.ledger.fill(ME, &fill, &btcbrl());
    }

    fn act(&mut self, act: &Act) {
        let count = self.venue.len().max(1);
        let known = |at: &usize| Some(at % count).filter(|at| *at < self.venue.len());
        match act {
            Act::Ask(side, lots) => self.ask(*side, Decimal::new(*lots, 1), None),
            Act::Fill(at, lots) => {
                if let Some(at) = known(at) {
                    self.fill(at, Decimal::new(*lots, 1));
                }
            }
            Act::Cancel(at) => {
                if let Some(at) = known(at).filter(|at| self.venue[*at].1 > Decimal::ZERO) {
                    self.venue[at] = (self.venue[at].0, Decimal::ZERO, None);
                    let order = self.orders.get(key(u32::try_from(at).unwrap() + 1)).unwrap();
                    let filled = order.filled;
                    self.say(at, OrderStep::Canceled { filled, reason: String::new() });
                }
            }
            Act::Lose(at) => {
                if let Some(at) = known(at) {
                    self.say(at, OrderStep::Lost);
                }
            }
            Act::AskReplace(at, lots) => {
                if let Some(at) = known(at) {
                    self.ask(Side::Buy, Decimal::new(*lots, 1), Some(at));
                }
            }
            Act::AnswerReplace(at, yes) => {
                let Some(at) = known(at) else { return };
                let Some(remaining) = self.venue[at].2.take() else { return };
                // The venue replaces what still stands, by the new quantity in full.
                if *yes && self.venue[at].1 > Decimal::ZERO {
                    self.venue[at].1 = remaining;
                    let venue_id = VenueOrderId(1);
                    self.say(at, OrderStep::Replaced { venue_id, price: None, remaining });
                } else {
                    self.say(at, OrderStep::ChangeRefused { reason: String::new() });
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn no_order_of_events_passes_the_position_limit(
        acts in acts(),
        lots in 5i64..40,
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let limit = Decimal::new(lots, 1);
        let limits = Limits { max_position: Some(limit), ..none() };
        let mut world = World { gate: Gate::new(limits), ..World::default() };
        for act in &acts {
            world.act(act);
            let position = world.ledger.position(ME, InstrumentId(0)).qty;
            let open = |side| -> Decimal {
                let mine = world.venue.iter().filter(|row| row.0 == side);
                // An order that has traded out cannot be replaced any more.
                mine.filter(|row| row.1 > Decimal::ZERO)
                    .map(|row| row.1 + row.2.unwrap_or_default())
                    .sum()
            };
            prop_assert!(position + open(Side::Buy) <= limit, "after {:?}", act);
            prop_assert!(position - open(Side::Sell) >= -limit, "after {:?}", act);
        }
        // And then everything fills, in any order.
        for pick in order {
            if !world.venue.is_empty() {
                world.fill(pick.index(world.venue.len()), d("1000"));
                let position = world.ledger.position(ME, InstrumentId(0)).qty;
                prop_assert!(position.abs() <= limit);
            }
        }
    }

    #[test]
    fn no_sliding_minute_holds_more_than_the_limit(
        steps in prop::collection::vec(0i64..30_000, 1..80),
        limit in 1usize..6,
    ) {
        let limits = Limits { max_orders_per_minute: Some(limit), ..none() };
        let (mut gate, instrument) = (Gate::new(limits), btcbrl());
        let (mut now, mut passed) = (0, Vec::new());
        for step in steps {
            now += step;
            let before = passed.iter().filter(|at| now - *at <= 60_000).count();
            let ask = market_order(Side::Buy, "1");
            let ok = gate.check(at(now), &ask, &facts(&instrument)).is_ok();
            prop_assert_eq!(ok, before < limit, "no stricter than it says, no laxer");
            if ok {
                passed.push(now);
            }
        }
        for first in &passed {
            let window = passed.iter().filter(|at| (*first..=*first + 60_000).contains(*at));
            prop_assert!(window.count() <= limit);
        }
    }
}
