//! The tables are well-formed, and agree with the contract's rules of retry and priority.

use super::flowbtc::{FLOWBTC, find};
use super::{Priority, Retry};
use std::collections::BTreeSet;

#[test]
fn names_are_unique_whatever_their_case() {
    let names: BTreeSet<String> =
        FLOWBTC.iter().map(|call| call.name.to_ascii_lowercase()).collect();
    assert_eq!(names.len(), FLOWBTC.len());
    assert_eq!(find("sendorder").map(|call| call.name), Some("SendOrder"));
    assert_eq!(find("IntrumentId"), None);
}

#[test]
fn contract_ids_are_well_formed() {
    for call in FLOWBTC {
        let (kind, number) = call.contract.strip_prefix("FLOW-").unwrap().split_at(1);
        assert!(matches!(kind, "C" | "X"), "{}", call.contract);
        assert!(number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit()), "{number}");
        assert!(call.doc.ends_with('.') && call.doc.len() > 15, "{}: {}", call.name, call.doc);
    }
}

#[test]
fn arguments_are_named_once_and_private_calls_name_the_account() {
    for call in FLOWBTC {
        let names: BTreeSet<&str> = call.args.iter().map(|arg| arg.name).collect();
        assert_eq!(names.len(), call.args.len(), "{}", call.name);
        if call.auth && call.name != "GetUserAccounts" {
            assert!(names.contains("AccountId"), "{}", call.name);
        }
    }
}

#[test]
fn what_the_contract_forbids_to_repeat_is_not_repeatable() {
    for (name, retry) in [
        ("SendOrder", Retry::Never),
        ("CancelReplaceOrder", Retry::Never),
        ("CancelOrder", Retry::Repeat),
        ("CancelAllOrders", Retry::Repeat),
        ("WebAuthenticateUser", Retry::Limited),
        ("SubscribeTrades", Retry::Resubscribe),
        ("GetOpenOrders", Retry::Repeat),
    ] {
        assert_eq!(find(name).unwrap().retry, retry, "{name}");
    }
}

#[test]
fn cancels_come_first_and_new_orders_before_questions() {
    let mut order: Vec<(Priority, &str)> =
        ["SubscribeTrades", "SendOrder", "GetInstruments", "CancelReplaceOrder", "GetOpenOrders"]
            .into_iter()
            .chain(["CancelAllOrders"])
            .map(|name| (find(name).unwrap().lane, name))
            .collect();
    order.sort_by_key(|(lane, _)| *lane);
    let names: Vec<&str> = order.into_iter().map(|(_, name)| name).collect();
    assert_eq!(
        names,
        [
            "CancelAllOrders",
            "GetOpenOrders",
            "CancelReplaceOrder",
            "SendOrder",
            "GetInstruments",
            "SubscribeTrades"
        ]
    );
    assert!(Priority::Cancel.may_use_reserve() && !Priority::New.may_use_reserve());
}
