//! The tables are well-formed, and agree with the contract's rules of retry and priority.

use super::flowbtc::{FLOWBTC, find};
use super::{Kind, Priority, Retry, all};
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
        let of_the_user = matches!(call.name, "GetUserAccounts" | "GetUserInfo" | "ModifyOrder");
        if call.auth && !of_the_user {
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

/// The 37 documented calls, id for id, and the extras behind their switches.
#[test]
fn every_documented_call_is_there_and_every_extra_has_a_switch() {
    let numbered = |prefix: &str, last: usize| -> Vec<String> {
        (1..=last).map(|number| format!("{prefix}{number:02}")).collect()
    };
    let mut documented = numbered("FLOW-C", 29);
    documented.extend(numbered("MB-C", 5));
    documented.extend(numbered("SENTRA-C", 3));
    assert_eq!(documented.len(), 37);
    let bound: Vec<&str> =
        all().filter(|call| call.switch.is_none()).map(|call| call.contract).collect();
    assert_eq!(bound, documented, "each once, in the contracts' order");
    let mut extras = numbered("FLOW-X", 8);
    extras.extend(numbered("MB-X", 4));
    let switched: BTreeSet<&str> =
        all().filter(|call| call.switch.is_some()).map(|call| call.contract).collect();
    assert_eq!(switched, extras.iter().map(String::as_str).collect());
}

/// The script API's list, and the logins outside the page.
#[test]
fn money_and_logins_move_only_with_a_grant_and_never_by_themselves() {
    let granted: Vec<&str> = all().filter(|call| call.grant).map(|call| call.name).collect();
    assert_eq!(
        granted,
        [
            "WebAuthenticateUser",
            "Authenticate2FA",
            "LogOut",
            "SetUserInfo",
            "CreateDepositTicket",
            "CreateWithdrawTicket",
            "AuthenticateUser",
            "Authenticate",
            "withdrawal_bitcoin",
        ]
    );
    for call in all() {
        if matches!(call.retry, Retry::Human) {
            assert!(call.grant, "{}", call.name);
        }
        if call.lane == Priority::Withdrawal {
            assert_eq!(call.retry, Retry::Human, "{}", call.name);
        }
    }
}

/// (call, its required fields as the contracts mark them)
#[test]
fn required_fields_are_the_contracts() {
    for (name, required) in [
        ("OrderList", "pair"),
        ("Trade", "pair type volume price"),
        ("CancelOrder", "pair order_id"),
        ("withdrawal_bitcoin", "volume bitcoin_address"),
        ("heartbeat", "user_email account_number balance equity"),
        ("positions", "user_email account_number positions"),
        ("ModifyOrder", "OMSId OrderId InstrumentId PreviousOrderRevision Quantity"),
        ("GetOrderFee", "OMSId AccountId InstrumentId ProductId Amount OrderType MakerTaker"),
    ] {
        let call = super::mercadobitcoin::find(name)
            .or_else(|| super::sentra::find(name))
            .or_else(|| find(name))
            .unwrap();
        let named: Vec<&str> =
            call.args.iter().filter(|arg| arg.required).map(|arg| arg.name).collect();
        assert_eq!(named.join(" "), required, "{name}");
    }
    let lists = all().flat_map(|call| call.args).filter(|arg| matches!(arg.kind, Kind::List(_)));
    assert_eq!(lists.map(|arg| arg.name).collect::<Vec<_>>(), ["positions", "trades"]);
}
