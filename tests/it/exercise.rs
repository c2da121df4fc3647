//! Every documented call, made by scripts in a live engine against the served venues over real
//! sockets: what it answers, and every error the tables document.

mod bench;
mod canary;
mod examples;
mod flowbtc;
mod mercadobitcoin;
mod sentra;
mod told;

use lunario::calls;

/// FLOW-C01 to C29, MB-C01 to C05, SENTRA-C01 to C03.
#[test]
fn the_contracts_calls_are_all_bound() {
    let range = |name: &str, last: u32| -> Vec<String> {
        (1..=last).map(|number| format!("{name}-C{number:02}")).collect()
    };
    let expected = [range("FLOW", 29), range("MB", 5), range("SENTRA", 3)].concat();
    let bound: Vec<&str> =
        calls::all().map(|call| call.contract).filter(|id| id.contains("-C")).collect();
    assert_eq!(bound, expected);
    assert_eq!(bound.len(), 37);
    for venue in calls::VENUES {
        for call in calls::of(venue) {
            assert!(calls::find(venue, &call.spelled()[0]).is_some(), "{venue}.{}", call.name);
        }
    }
}
