//! Cancels, replacements, reductions, and what the exchange remembers (FLOW-C22 to C29).

use super::*;
use crate::base::OrderState;

#[test]
fn cancel_is_for_ones_own_open_orders() {
    check(
        "ana buy 1 @100
         bia cancel 100
         ana cancel 999
         ana cancel 100
         ana cancel 100
         ana buy 1 stop 101
         ana cancel 101
         print 101 x 1",
        "100 working 0/1
         refused Order Not Found
         refused Order Not Found
         100 canceled 0/1
         refused Order Not Found
         101 working 0/1
         101 canceled 0/1",
    );
}

#[test]
fn cancel_all_takes_every_open_order_of_one_account() {
    check(
        "ana buy 1 @100
         bia buy 1 @100
         ana sell 1 stop 90
         ana cancel_all
         print 90 x 1",
        "100 working 0/1
         101 working 0/1
         102 working 0/1
         100 canceled 0/1
         102 canceled 0/1
         bia buy 1 @100 maker fee 0.1
         101 filled 1/1",
    );
}

/// FLOW-C23, FLOW-P19.
#[test]
fn a_replacement_goes_to_the_end_of_the_queue() {
    check(
        "ana buy 1 @100
         bia buy 1 @100
         ana replace 100 buy 0.5 @100
         print 100 x 1.2
         ana cancel 100",
        "100 working 0/1
         101 working 0/1
         100 replaced by 102 0.5
         bia buy 1 @100 maker fee 0.1
         101 filled 1/1
         ana buy 0.2 @100 maker fee 0.02
         102 working 0.2/0.5
         refused Order Not Found",
    );
}

/// FLOW-C23: may leave neither both nor none.
#[test]
fn a_refused_replacement_leaves_the_old_order() {
    check_all(
        "ana buy 50 @100
         ana replace 100 buy 101 @100
         ana replace 100 buy 1 @100.1
         ana replace 100 buy 99 @100",
        "100 working 0/50
         ana BRL 10000 held 5010
         bid 100 x 50 of 1
         refused Not_Enough_Funds
         refused Invalid_Price
         100 replaced by 101 99
         ana BRL 10000 held 9919.8
         bid 100 x 99 of 1",
    );
}

#[test]
fn a_replacement_may_take() {
    check(
        "ana sell 1 @101
         bia buy 1 @99
         bia replace 101 buy 0.5 @101 #7",
        "100 working 0/1
         101 working 0/1
         101 replaced by 102 0.5
         ana sell 0.5 @101 maker fee 0.0505
         100 working 0.5/1
         bia buy 0.5 @101 taker fee 0.101
         102 filled 0.5/0.5
         print 101 x 0.5 buy",
    );
}

#[test]
fn replacements_keep_the_first_order_of_their_chain() {
    let mut exchange = exchange(config());
    let first = exchange.submit(at(1), order(ANA, "buy 1 @100 #5")).unwrap();
    let second = exchange.replace(at(2), ANA, first, order(ANA, "buy 1 @99 #6")).unwrap();
    let third = exchange.replace(at(3), ANA, second, order(ANA, "buy 1 @98 #7")).unwrap();
    assert_eq!(exchange.order(third).unwrap().original, first);
    assert_eq!(exchange.order(first).unwrap().original, first);
    assert_eq!(exchange.order(second).unwrap().state, OrderState::Canceled);
    assert_eq!(exchange.find_client(ANA, 7).unwrap().id, third);
    assert_eq!(exchange.find_client(BIA, 7), None);
    let open: Vec<VenueOrderId> = exchange.open_orders(ANA).iter().map(|sim| sim.id).collect();
    assert_eq!(open, [third]);
    let past: Vec<VenueOrderId> = exchange.history(ANA, 2).iter().map(|sim| sim.id).collect();
    assert_eq!(past, [third, second]);
    let other = NewOrder { account: BIA, ..order(ANA, "buy 1 @98") };
    assert_eq!(exchange.replace(at(4), ANA, third, other), Err(Reject::InvalidInstrument));
}

/// FLOW-C22, FLOW-P19.
#[test]
fn a_reduction_keeps_its_place() {
    check_all(
        "ana buy 2 @100
         bia buy 1 @100
         ana reduce 100 2
         ana reduce 100 1.0005
         bia reduce 100 1
         ana reduce 100 1.5
         print 100 x 1
         ana reduce 100 1",
        "100 working 0/2
         ana BRL 10000 held 200.4
         bid 100 x 2 of 1
         101 working 0/1
         bia BRL 10000 held 100.2
         bid 100 x 3 of 2
         refused Invalid_Quantity
         refused Invalid_Quantity
         refused Order Not Found
         100 working 0/1.5
         ana BRL 10000 held 150.3
         bid 100 x 2.5 of 2
         ana buy 1 @100 maker fee 0.1
         100 working 1/1.5
         ana BRL 9899.9 held 50.1
         ana BTC 11 held 0
         bid 100 x 1.5 of 2
         refused Invalid_Quantity",
    );
}

#[test]
fn changed_rules_hold_for_new_orders() {
    let mut exchange = exchange(config());
    exchange.submit(at(1), order(ANA, "buy 1 @100")).unwrap();
    let mut rules = btc();
    rules.fees = Fees { maker: d("0.5"), taker: d("0.5") };
    assert_eq!(exchange.list(rules), BTC);
    exchange.submit(at(2), order(BIA, "sell 1 @100")).unwrap();
    let fee = |account| exchange.fills(account)[0].fee;
    assert_eq!((fee(ANA), fee(BIA)), (d("0.1"), d("50")));
    let mut other = btc();
    other.symbol = "ETHBRL".to_owned();
    assert_eq!(exchange.list(other), InstrumentId(1));
    assert_eq!(exchange.instruments().len(), 2);
}

#[test]
fn deposits_add_up() {
    let mut exchange = exchange(config());
    exchange.open_account(ANA, &[("BRL".to_owned(), d("5"))]);
    let balances = exchange.balances(ANA);
    assert_eq!(balances[0].1.total, d("10005"));
}
