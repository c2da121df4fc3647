//! What must hold after every step of any story, whatever the feed and the accounts do.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::OrderState;
use crate::exchange::SimOrder;

const CAT: AccountNumber = AccountNumber(3);

#[derive(Clone, Debug)]
enum Step {
    Order { who: i64, buy: bool, qty: i64, price: Option<i64>, stop: Option<i64>, flags: u8 },
    Cancel { who: i64, nth: usize },
    CancelAll { who: i64 },
    Replace { who: i64, nth: usize, qty: i64, price: i64 },
    Reduce { who: i64, nth: usize, qty: i64 },
    Print { price: i64, qty: i64, side: u8 },
    Level { bid: bool, price: i64, qty: i64, snapshot: bool },
    Quote { bid: i64, spread: i64, qty: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let who = 1i64..4;
    let price = || 190i64..211;
    let qty = || 1i64..4000;
    prop_oneof![
        8 => (
            who.clone(),
            any::<bool>(),
            qty(),
            prop::option::weighted(0.8, price()),
            prop::option::weighted(0.2, price()),
            any::<u8>(),
        )
            .prop_map(|(who, buy, qty, price, stop, flags)| Step::Order {
                who, buy, qty, price, stop, flags
            }),
        2 => (who.clone(), 0usize..8).prop_map(|(who, nth)| Step::Cancel { who, nth }),
        1 => who.clone().prop_map(|who| Step::CancelAll { who }),
        2 => (who.clone(), 0usize..8, qty(), price())
            .prop_map(|(who, nth, qty, price)| Step::Replace { who, nth, qty, price }),
        1 => (who, 0usize..8, qty()).prop_map(|(who, nth, qty)| Step::Reduce { who, nth, qty }),
        4 => (price(), qty(), 0u8..3)
            .prop_map(|(price, qty, side)| Step::Print { price, qty, side }),
        3 => (any::<bool>(), price(), 0i64..4000, any::<bool>())
            .prop_map(|(bid, price, qty, snapshot)| Step::Level { bid, price, qty, snapshot }),
        1 => (price(), 0i64..5, qty())
            .prop_map(|(bid, spread, qty)| Step::Quote { bid, spread, qty }),
    ]
}

/// Prices on the half, quantities on the thousandth.
fn price_of(halves: i64) -> Decimal {
    Decimal::new(halves * 5, 1)
}

fn qty_of(thousandths: i64) -> Decimal {
    Decimal::new(thousandths, 3)
}

fn new_order(step: &Step) -> Option<NewOrder> {
    let Step::Order { who, buy, qty, price, stop, flags } = step else { return None };
    let kind = match (price.is_some(), stop.is_some()) {
        (false, false) => OrderKind::Market,
        (true, false) => OrderKind::Limit,
        (false, true) => OrderKind::Stop,
        (true, true) => OrderKind::StopLimit,
    };
    Some(NewOrder {
        account: AccountNumber(*who),
        client_id: i64::from(*flags),
        instrument: BTC,
        side: if *buy { Side::Buy } else { Side::Sell },
        kind,
        qty: qty_of(*qty),
        price: price.map(price_of),
        stop: stop.map(price_of),
        post_only: flags % 8 == 0,
        reduce_only: flags % 8 == 1,
        tif: match flags % 8 {
            2 => Tif::Ioc,
            3 => Tif::Fok,
            _ => Tif::Gtc,
        },
    })
}

fn nth_open(exchange: &Exchange, who: i64, nth: usize) -> Option<SimOrder> {
    exchange.open_orders(AccountNumber(who)).get(nth).map(|sim| (*sim).clone())
}

fn apply(exchange: &mut Exchange, now: Time, step: &Step) {
    match step {
        Step::Order { .. } => {
            let _ = exchange.submit(now, new_order(step).unwrap());
        }
        Step::Cancel { who, nth } => {
            if let Some(sim) = nth_open(exchange, *who, *nth) {
                exchange.cancel(now, AccountNumber(*who), sim.id).unwrap();
            }
        }
        Step::CancelAll { who } => {
            exchange.cancel_all(now, AccountNumber(*who), None);
            assert!(exchange.open_orders(AccountNumber(*who)).is_empty());
        }
        Step::Replace { who, nth, qty, price } => {
            if let Some(sim) = nth_open(exchange, *who, *nth) {
                let mut new = sim.order.clone();
                new.qty = qty_of(*qty);
                new.price = new.price.map(|_| price_of(*price));
                let outcome = exchange.replace(now, AccountNumber(*who), sim.id, new);
                let still = exchange.order(sim.id).unwrap().state.is_open();
                assert_eq!(still, outcome.is_err());
            }
        }
        Step::Reduce { who, nth, qty } => {
            if let Some(sim) = nth_open(exchange, *who, *nth) {
                let _ = exchange.reduce(now, AccountNumber(*who), sim.id, qty_of(*qty));
            }
        }
        Step::Print { price, qty, side } => {
            let (price, qty) = (price_of(*price), qty_of(*qty));
            let side = [None, Some(Side::Buy), Some(Side::Sell)][usize::from(*side)];
            exchange.trade(&Trade { time: now, instrument: BTC, price, qty, side, id: 0 });
        }
        Step::Level { bid, price, qty, snapshot } => {
            let side = if *bid { BookSide::Bid } else { BookSide::Ask };
            let levels = vec![Level { side, price: price_of(*price), qty: qty_of(*qty) }];
            exchange.book(&BookChange { time: now, instrument: BTC, snapshot: *snapshot, levels });
        }
        Step::Quote { bid, spread, qty } => exchange.quote(&Quote {
            time: now,
            instrument: BTC,
            bid: price_of(*bid),
            bid_qty: qty_of(*qty),
            ask: price_of(bid + spread),
            ask_qty: qty_of(*qty),
            last: Decimal::ZERO,
        }),
    }
}

/// What the account's open orders must hold, by the documented rule.
fn holds(exchange: &Exchange, account: AccountNumber) -> BTreeMap<&'static str, Decimal> {
    let mut held = BTreeMap::from([("BRL", Decimal::ZERO), ("BTC", Decimal::ZERO)]);
    for sim in exchange.open_orders(account) {
        let (asset, unit) = match (sim.order.side, sim.order.price) {
            (Side::Sell, _) => ("BTC", Decimal::ONE),
            (Side::Buy, Some(price)) => ("BRL", price * d("1.002")),
            (Side::Buy, None) => ("BRL", Decimal::ZERO),
        };
        *held.get_mut(asset).unwrap() += unit * sim.remaining();
    }
    held
}

fn examine(exchange: &Exchange, start: &BTreeMap<String, Decimal>) {
    let mut sum = BTreeMap::<String, Decimal>::new();
    for (asset, amount) in exchange.fees_taken().iter().chain(exchange.outside()) {
        *sum.entry(asset.clone()).or_default() += *amount;
    }
    for account in [ANA, BIA, CAT] {
        let held = holds(exchange, account);
        for (asset, balance) in exchange.balances(account) {
            assert_eq!(balance.held, held[asset.as_str()], "{asset} held by {account:?}");
            assert!(balance.held <= balance.total, "{asset} of {account:?}: {balance:?}");
            *sum.entry(asset).or_default() += balance.total;
        }
        for sim in exchange.history(account, usize::MAX) {
            assert!(sim.filled <= sim.order.qty, "{sim:?}");
            assert_eq!(sim.state == OrderState::Filled, sim.filled == sim.order.qty, "{sim:?}");
        }
        let fills = exchange.fills(account);
        for sim in exchange.history(account, usize::MAX) {
            let of = |pick: fn(&crate::exchange::SimFill) -> Decimal| -> Decimal {
                fills.iter().filter(|fill| fill.order == sim.id).map(pick).sum()
            };
            assert_eq!(of(|fill| fill.qty), sim.filled);
            assert_eq!(of(|fill| fill.qty * fill.price), sim.notional);
            for fill in fills.iter().filter(|fill| fill.order == sim.id) {
                let fits = sim.order.price.is_none_or(|limit| match sim.order.side {
                    Side::Buy => fill.price <= limit,
                    Side::Sell => fill.price >= limit,
                });
                assert!(fits, "{sim:?} {fill:?}");
            }
        }
    }
    assert_eq!(&sum, start, "money appeared or vanished");
    own_book(exchange);
}

/// Accounts' resting orders never cross, and the shown levels are theirs and the feed's.
fn own_book(exchange: &Exchange) {
    let market = exchange.market(BTC).unwrap();
    if let (Some(bid), Some(ask)) = (market.bids.best_own(), market.asks.best_own()) {
        assert!(bid < ask, "own book crossed: {bid} {ask}");
    }
    for half in [&market.bids, &market.asks] {
        if let (Some(own), Some((level, _))) = (
            half.best_own(),
            match half.side {
                BookSide::Bid => market.asks.best_anonymous(),
                BookSide::Ask => market.bids.best_anonymous(),
            },
        ) {
            assert!(half.better(level, own), "the feed crosses an order: {level} {own}");
        }
        let prices: Vec<Decimal> = half.levels().map(|level| level.price).collect();
        assert!(prices.windows(2).all(|pair| half.better(pair[0], pair[1])), "{prices:?}");
        for price in prices {
            let Some(queue) = half.queue(price) else { continue };
            let total: Decimal = queue.slots.values().map(|slot| slot.qty).sum();
            assert_eq!(queue.qty, total);
            let ahead: Vec<Decimal> = queue.slots.values().map(|slot| slot.ahead).collect();
            assert!(ahead.is_sorted(), "{ahead:?}");
            for slot in queue.slots.values() {
                let sim = exchange.order(slot.id).unwrap();
                assert_eq!((sim.remaining(), sim.state), (slot.qty, OrderState::Working));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn money_is_conserved_and_the_book_is_sound(
        steps in prop::collection::vec(step(), 1..60),
        cautious in any::<bool>(),
        wait in any::<bool>(),
    ) {
        let queue = if cautious { QueueModel::RiskAverse } else { QueueModel::None };
        let mut exchange = exchange(Config { queue, wait_for_print: wait, ..config() });
        let poor = [("BRL".to_owned(), d("150")), ("BTC".to_owned(), d("1"))];
        exchange.open_account(CAT, &poor);
        let start = BTreeMap::from([
            ("BRL".to_owned(), d("20150")),
            ("BTC".to_owned(), d("21")),
        ]);
        for (seconds, step) in (1..).zip(&steps) {
            apply(&mut exchange, at(seconds), step);
            examine(&exchange, &start);
        }
    }

    /// A print that `reach` allows to be skipped does nothing when it is delivered.
    #[test]
    fn prints_out_of_reach_do_nothing(
        steps in prop::collection::vec(step(), 1..40),
        halves in 190i64..211,
    ) {
        let mut exchange = exchange(config());
        for (seconds, step) in (1..).zip(&steps) {
            apply(&mut exchange, at(seconds), step);
        }
        while exchange.poll().is_some() {}
        let price = price_of(halves);
        let reach = exchange.reach(BTC);
        let touched = reach.any
            || reach.low.is_some_and(|low| price <= low)
            || reach.high.is_some_and(|high| price >= high);
        if !touched {
            exchange.trade(&Trade { price, ..trade(99, "1", "50", None) });
            prop_assert_eq!(exchange.poll(), None);
        }
    }
}

/// The cost of an order does not grow with the orders sent before: work is counted by what the
/// exchange keeps open, so a long history leaves no trace in its queues.
#[test]
fn a_long_history_leaves_the_queues_empty() {
    let mut exchange = exchange(config());
    for n in 0..20_000 {
        let id = exchange.submit(at(n), order(ANA, "buy 1 @100 #3")).unwrap();
        exchange.cancel(at(n), ANA, id).unwrap();
        while exchange.poll().is_some() {}
    }
    assert!(exchange.depth(BTC, 9).is_empty());
    assert!(exchange.open_orders(ANA).is_empty());
    assert_eq!(exchange.history(ANA, 3).len(), 3);
    assert_eq!(exchange.find_client(ANA, 3).unwrap().id, VenueOrderId(20_099));
}
