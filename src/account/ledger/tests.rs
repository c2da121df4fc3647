//! Positions against hand-made sums and a naive recomputation; balances and equity.

use super::*;
use crate::base::{Fees, Liquidity, OrderKey, Side, decimal};
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn btcbrl() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("flowbtc"),
        symbol: "BTCBRL".into(),
        base: "BTC".into(),
        quote: "BRL".into(),
        tick_size: d("0.01"),
        lot_size: d("0.001"),
        min_qty: d("0.001"),
        fees: Fees::default(),
    }
}

fn fill(side: Side, qty: Decimal, price: Decimal, fee: Decimal, fee_asset: &str) -> Fill {
    Fill {
        order: OrderKey::compose(1, StrategyId(1), 1).unwrap(),
        instrument: InstrumentId(0),
        side,
        price,
        qty,
        fee,
        fee_asset: fee_asset.into(),
        fee_estimated: false,
        liquidity: Liquidity::Taker,
        trade_id: 1,
        time: Time::ZERO,
    }
}

/// Fills as `+qty@price` (buy) and `-qty@price`, each with a fee of 1 BRL; expects
/// `[qty, avg, realized, cash, fees]` with `-` for no average.
fn check(fills: &str, expected: [&str; 5]) {
    let mut position = Position::default();
    for text in fills.split_whitespace() {
        let (qty, price) = text.split_once('@').unwrap();
        let side = if qty.starts_with('+') { Side::Buy } else { Side::Sell };
        let fill = fill(side, d(&qty[1..]), d(price), Decimal::ONE, "BRL");
        position.fill(&fill, &btcbrl());
    }
    let shown = [
        decimal::show(position.qty),
        position.avg_price().map_or("-".into(), decimal::show),
        decimal::show(position.realized()),
        decimal::show(position.cash),
        decimal::show(position.fees),
    ];
    assert_eq!(shown, expected.map(str::to_owned), "{fills}");
}

#[test]
fn positions_by_average_cost() {
    check("", ["0", "-", "0", "0", "0"]);
    check("+1@100", ["1", "100", "0", "-100", "1"]);
    check("+1@100 +3@104", ["4", "103", "0", "-412", "2"]);
    check("+1@100 +3@104 -2@110", ["2", "103", "14", "-192", "3"]);
    check("+1@100 -1@90", ["0", "-", "-10", "-10", "2"]);
    check("-2@100 +1@90", ["-1", "100", "10", "110", "2"]);
    check("-2@100 -2@110 +4@100", ["0", "-", "20", "20", "3"]);
    // Through zero, both ways: the rest opens at the fill's own price.
    check("+1@100 -3@110", ["-2", "110", "10", "230", "2"]);
    check("-1@100 +3@110", ["2", "110", "-10", "-230", "2"]);
    check("+1@100 -3@110 +2@100", ["0", "-", "30", "30", "3"]);
}

#[test]
fn thirds_lose_nothing() {
    // Average 100.333…: no decimal holds it, and yet the close is exact.
    check("+1@100 +1@100 +1@101 -3@101", ["0", "-", "2", "2", "4"]);
    check("+1@100 +2@100.5 -1@101 -1@101 -1@101", ["0", "-", "2", "2", "5"]);
}

#[test]
fn fees_count_in_the_quote_asset() {
    let mut position = Position::default();
    let pay = |fee, asset| fill(Side::Buy, d("1"), d("100"), d(fee), asset);
    position.fill(&pay("0.5", "BRL"), &btcbrl());
    position.fill(&pay("0.002", "BTC"), &btcbrl());
    position.fill(&pay("3", "TAKION"), &btcbrl());
    position.fill(&pay("0", "TAKION"), &btcbrl());
    assert_eq!(position.fees, d("0.7"));
    assert_eq!(position.other_fees.get("TAKION"), Some(&d("3")));
    assert_eq!((position.turnover, position.bought, position.fills), (d("400"), d("4"), 4));
    assert_eq!(position.net(d("110")), d("39.3"));
    assert_eq!(position.unrealized(d("110")), d("40"));
}

#[test]
fn strategies_are_apart_and_the_total_is_all() {
    let mut ledger = Ledger::default();
    let buy = fill(Side::Buy, d("2"), d("100"), d("0"), "BRL");
    let sell = fill(Side::Sell, d("1"), d("110"), d("0"), "BRL");
    ledger.fill(StrategyId(1), &buy, &btcbrl());
    ledger.fill(StrategyId(2), &sell, &btcbrl());
    ledger.outside(&sell, &btcbrl());
    let qty = |strategy| ledger.position(StrategyId(strategy), InstrumentId(0)).qty;
    assert_eq!((qty(1), qty(2), qty(3)), (d("2"), d("-1"), d("0")));
    assert_eq!(ledger.total(InstrumentId(0)).qty, d("0"));
    assert_eq!(ledger.total(InstrumentId(0)).realized(), d("20"));
    assert_eq!((ledger.positions().count(), ledger.totals().count()), (2, 1));
}

#[test]
fn balances_and_equity() {
    let mut ledger = Ledger::default();
    let venue = VenueName::new("flowbtc");
    let mut tell = |venue: &str, asset: &str, total: &str, held: &str| {
        ledger.balance_news(&BalanceNews {
            venue: VenueName::new(venue),
            asset: asset.into(),
            total: d(total),
            held: d(held),
            time: Time::ZERO,
        });
    };
    tell("flowbtc", "BRL", "900", "0");
    tell("flowbtc", "BRL", "1000", "250");
    tell("flowbtc", "BTC", "0.5", "0");
    tell("flowbtc", "TAKION", "7", "0");
    tell("flowbtc", "LTC", "0", "0");
    tell("mercadobitcoin", "BRL", "5", "0");
    assert_eq!(ledger.balance(&venue, "BRL").unwrap().free(), d("750"));
    assert_eq!(ledger.balance(&venue, "ETH"), None);
    let equity = ledger.equity(&venue, "BRL", |asset| (asset == "BTC").then(|| d("60000")));
    assert_eq!(equity, Equity { value: d("31000"), unpriced: vec!["TAKION".into()] });
}

proptest! {
    /// Conservation: whatever was traded, cash, position and profit agree with a sum made from the
    /// fills alone, to the last digit.
    #[test]
    fn nothing_is_lost(
        fills in prop::collection::vec(
            (any::<bool>(), 1i64..2000, 1i64..10_000_000, 0i64..5000), 0..60
        ),
        last in 1i64..10_000_000,
    ) {
        let mut position = Position::default();
        let (mut qty, mut cash, mut fees) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        for (buy, lots, cents, fee) in fills {
            let side = if buy { Side::Buy } else { Side::Sell };
            let (lots, price) = (Decimal::new(lots, 3), Decimal::new(cents, 2));
            let fill = fill(side, lots, price, Decimal::new(fee, 4), "BRL");
            position.fill(&fill, &btcbrl());
            let sign = Decimal::from(if buy { 1 } else { -1 });
            qty += sign * fill.qty;
            cash -= sign * fill.qty * fill.price;
            fees += fill.fee;
        }
        let last = Decimal::new(last, 2);
        prop_assert_eq!((position.qty, position.cash, position.fees), (qty, cash, fees));
        prop_assert_eq!(position.net(last), cash + qty * last - fees);
        prop_assert_eq!(position.realized() + position.unrealized(last) - fees, position.net(last));
        prop_assert_eq!(position.bought - position.sold, qty);
        match position.avg_price() {
            None => prop_assert_eq!(position.cost, Decimal::ZERO),
            Some(price) => prop_assert!(price.is_sign_positive(), "average {}", price),
        }
    }
}
