//! Round trips as tables, and their sum against cash.

use super::*;
use crate::base::{Liquidity, OrderKey, decimal};
use proptest::prelude::*;

const ME: StrategyId = StrategyId(1);

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn fill(second: i64, side: Side, qty: Decimal, price: Decimal) -> Fill {
    Fill {
        order: OrderKey::compose(1, ME, 1).unwrap(),
        instrument: InstrumentId(0),
        side,
        price,
        qty,
        fee: Decimal::ZERO,
        fee_asset: "BRL".into(),
        fee_estimated: false,
        liquidity: Liquidity::Taker,
        trade_id: second,
        time: Time::from_millis(second * 1000),
    }
}

/// Fills as `+qty@price`, one a second from 0, with a fee of 0.3 each; expects trips as
/// `side entered-left qty fees pnl`.
fn check(fills: &str, expected: &[&str]) -> Trips {
    let mut trips = Trips::default();
    for (second, word) in fills.split_whitespace().enumerate() {
        let (qty, price) = word.split_once('@').unwrap();
        let side = if qty.starts_with('+') { Side::Buy } else { Side::Sell };
        let fill = fill(i64::try_from(second).unwrap(), side, d(&qty[1..]), d(price));
        trips.fill(ME, &fill, d("0.3"));
    }
    let shown: Vec<String> = trips
        .closed()
        .map(|trip| {
            let (from, to) = (trip.entered.millis() / 1000, trip.left.millis() / 1000);
            let money = [trip.qty, trip.fees, trip.pnl].map(decimal::show).join(" ");
            format!("{} {from}-{to} {money}", trip.side.word())
        })
        .collect();
    assert_eq!(shown, expected, "{fills}");
    trips
}

#[test]
fn trips_go_from_flat_to_flat() {
    check("+1@100", &[]);
    check("+1@100 -1@110", &["buy 0-1 1 0.6 9.4"]);
    check("-1@100 +1@110", &["sell 0-1 1 0.6 -10.6"]);
    // Scaling in and out is one trip.
    check("+1@100 -0.5@110 +1.5@100 -2@105", &["buy 0-3 2.5 1.2 13.8"]);
    check("+1@100 -1@110 -1@110 +1@100", &["buy 0-1 1 0.6 9.4", "sell 2-3 1 0.6 9.4"]);
}

#[test]
fn a_turn_through_zero_ends_one_trip_and_begins_the_next() {
    // The turn's fee of 0.3 for a quantity of 3: 0.1 closes, 0.2 opens.
    let trips = check("+1@100 -3@110 +2@100", &["buy 0-1 1 0.4 9.6", "sell 1-2 2 0.5 19.5"]);
    assert_eq!(trips.open_count(), 0);
}

#[test]
fn the_sums_tell_winners_from_losers() {
    let trips = check(
        "+1@100 -1@110 +1@100 -1@99 +1@100 -1@100.6",
        &["buy 0-1 1 0.6 9.4", "buy 2-3 1 0.6 -1.6", "buy 4-5 1 0.6 0"],
    );
    let expected = Totals { trips: 3, wins: 1, gross_profit: d("9.4"), gross_loss: d("1.6") };
    assert_eq!(*trips.totals(), expected);
}

proptest! {
    #[test]
    fn trips_of_a_flat_account_add_up_to_its_net(
        fills in prop::collection::vec((any::<bool>(), 1i64..9, 1i64..100_000), 1..60)
    ) {
        let mut trips = Trips::default();
        let (mut net, mut position, fee) = (Decimal::ZERO, Decimal::ZERO, d("0.07"));
        let mut trade = |second: i64, side: Side, qty: Decimal, price: Decimal| {
            trips.fill(ME, &fill(second, side, qty, price), fee);
            net -= side.signed(qty * price) + fee;
            position += side.signed(qty);
            position
        };
        let mut now = Decimal::ZERO;
        for (second, (buy, qty, cents)) in fills.iter().enumerate() {
            let side = if *buy { Side::Buy } else { Side::Sell };
            let second = i64::try_from(second).unwrap();
            now = trade(second, side, Decimal::from(*qty), Decimal::new(*cents, 2));
        }
        if !now.is_zero() {
            let side = if now.is_sign_positive() { Side::Sell } else { Side::Buy };
            trade(99, side, now.abs(), d("500"));
        }
        let sum: Decimal = trips.closed().map(|trip| trip.pnl).sum();
        prop_assert_eq!(sum, net);
        prop_assert_eq!(trips.totals().gross_profit - trips.totals().gross_loss, net);
        prop_assert_eq!(trips.open_count(), 0);
    }
}
