//! The tables are well-formed, and agree with the contract's rules of retry and priority.

use super::flowbtc::{FLOWBTC, find};
use super::{By, Call, Field, Kind, Priority, Reply, Retry, all};
use crate::base::Plain;
use crate::venue::reply;
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

/// Every list of fields of a call: its arguments, its reply's, and those inside of them.
fn lists(call: &Call) -> Vec<&'static [Field]> {
    let mut found = vec![call.args];
    match call.reply {
        Reply::Object(fields)
        | Reply::Objects(fields)
        | Reply::Rows(fields)
        | Reply::Keyed(fields) => found.push(fields),
        Reply::Receipt | Reply::Numbers => {}
    }
    let mut at = 0;
    while at < found.len() {
        for field in found[at] {
            match field.kind {
                Kind::Object(inner)
                | Kind::List(inner)
                | Kind::Keyed(inner)
                | Kind::Rows(inner) => found.push(inner),
                Kind::Int
                | Kind::Id
                | Kind::Dec
                | Kind::Text
                | Kind::Bool
                | Kind::Word(_)
                | Kind::Number
                | Kind::Stamp
                | Kind::Numbers => {}
            }
        }
        at += 1;
    }
    found
}

#[test]
fn replies_have_fields_and_no_name_stands_twice() {
    for call in all() {
        let lists = lists(call);
        for (at, fields) in lists.iter().enumerate() {
            assert!(at == 0 || !fields.is_empty(), "{}: a reply without fields", call.name);
            let names: BTreeSet<String> =
                fields.iter().map(|field| field.name.to_ascii_lowercase()).collect();
            assert_eq!(names.len(), fields.len(), "{}", call.name);
        }
        assert!(!call.errors.is_empty(), "{} never fails", call.name);
        for name in call.one_of {
            let field = call.args.iter().find(|field| field.name == *name).unwrap();
            assert!(!field.required && field.by == By::Script, "{} {name}", call.name);
        }
    }
}

/// Scripts find a call by the document's name and by the wire's.
#[test]
fn calls_are_found_as_scripts_write_them() {
    for (venue, name, found) in [
        ("flowbtc", "ping", Some("Ping")),
        ("flowbtc", "Ping", Some("Ping")),
        ("flowbtc", "SendOrder", Some("SendOrder")),
        ("flowbtc", "sendorder", None),
        ("mercadobitcoin", "day_summary", Some("day-summary")),
        ("mercadobitcoin", "day-summary", Some("day-summary")),
        ("mercadobitcoin", "withdrawal-bitcoin", None),
        ("mercadobitcoin", "SendOrder", None),
        ("sentra", "heartbeat", Some("heartbeat")),
        ("nowhere", "ping", None),
    ] {
        assert_eq!(super::find(venue, name).map(|call| call.name), found, "{venue}.{name}");
    }
    for call in all() {
        assert!(call.spelled().iter().all(|name| call.is_named(name)), "{}", call.name);
    }
}

/// What could name or authenticate the user is the host's, in requests and in replies.
#[test]
fn secrets_are_the_hosts_alone() {
    let secret = [
        "user_email",
        "Password",
        "SessionToken",
        "TwoFAToken",
        "Pending2FaToken",
        "APIKey",
        "Signature",
        "Nonce",
        "PasswordHash",
        "PendingEmailCode",
    ];
    let mut seen = BTreeSet::new();
    for call in all() {
        for (at, fields) in lists(call).into_iter().enumerate() {
            for field in fields {
                let name = field.name;
                let asked = call.name == "SetUserInfo" && at == 0;
                if secret.contains(&name) && !(asked && name == "PendingEmailCode")
                    || at > 0 && ["Email", "UserName"].contains(&name)
                {
                    seen.insert(name);
                    assert_eq!(field.by, By::Host, "{} {name}", call.name);
                }
            }
        }
    }
    assert_eq!(seen.len(), secret.len() + 2, "{seen:?}");
}

/// Fields of the page's examples that a script cannot send, and why not.
const UNSENT: &[(&str, &str)] = &[
    ("OrderIdOCO", "FLOW-F15: the page and AlphaPoint contradict each other"),
    ("PegPriceType", "the engine has no pegged orders"),
    ("TrailingAmount", "the engine has no trailing orders"),
    ("LimitOffset", "the engine has no trailing orders"),
    ("UserId", "FLOW-P18: in CancelAllOrders it would widen the scope"),
];

fn vector(folder: &str, name: &str) -> Plain {
    let root = env!("CARGO_MANIFEST_DIR");
    let text = std::fs::read_to_string(format!("{root}/tests/vectors/{folder}/{name}.json"));
    reply::plain(&text.unwrap()).unwrap()
}

/// The keys of an object, or of the objects in a list, that the fields do not have.
fn strange(fields: &[Field], value: &Plain) -> Vec<String> {
    match value {
        Plain::Map(pairs) => {
            let mut found = Vec::new();
            for (key, value) in pairs {
                let Plain::Text(key) = key else { panic!("{key:?}") };
                match fields.iter().find(|field| field.name == key).map(|field| field.kind) {
                    None => found.push(key.clone()),
                    Some(Kind::Object(inner) | Kind::List(inner)) => {
                        found.extend(strange(inner, value));
                    }
                    Some(Kind::Keyed(inner)) => found.extend(strange_under(inner, value)),
                    Some(_) => {}
                }
            }
            found
        }
        Plain::List(items) => items.iter().flat_map(|item| strange(fields, item)).collect(),
        Plain::Nil
        | Plain::Bool(_)
        | Plain::Int(_)
        | Plain::Decimal(_)
        | Plain::Number(_)
        | Plain::Text(_)
        | Plain::Object(..) => panic!("{value:?} is no object"),
    }
}

fn strange_under(fields: &[Field], value: &Plain) -> Vec<String> {
    let Plain::Map(pairs) = value else { panic!("{value:?}") };
    pairs.iter().flat_map(|(_, value)| strange(fields, value)).collect()
}

fn strange_in_reply(call: &Call, value: &Plain) -> Vec<String> {
    match call.reply {
        Reply::Receipt => strange(super::flowbtc::RECEIPT, value),
        Reply::Object(fields) | Reply::Objects(fields) => strange(fields, value),
        Reply::Keyed(fields) => strange_under(fields, value),
        Reply::Rows(columns) => {
            let Plain::List(rows) = value else { panic!("{value:?}") };
            let wide =
                |row: &&Plain| matches!(row, Plain::List(cells) if cells.len() > columns.len());
            rows.iter().filter(wide).map(|row| row.json()).collect()
        }
        Reply::Numbers => panic!("{} has no example", call.name),
    }
}

/// FLOW-G01 to G29: every key is in the table, or is unsent for a reason.
#[test]
fn the_pages_examples_have_no_field_that_the_table_lacks() {
    let mut unsent = BTreeSet::new();
    for number in 1..=29 {
        let example = vector("flowbtc", &format!("FLOW-G{number:02}"));
        let Some(Plain::Text(name)) = example.get("call") else { panic!("FLOW-G{number:02}") };
        let call = super::find("flowbtc", name).unwrap();
        assert_eq!(call.contract, format!("FLOW-C{number:02}"));
        for key in strange(call.args, example.get("request").unwrap()) {
            assert!(UNSENT.iter().any(|(name, _)| *name == key), "{name}: {key}");
            unsent.insert(key);
        }
        let reply = example.get("reply").unwrap();
        // FLOW-F01: the page wraps this one.
        let reply = reply.get("data").unwrap_or(reply);
        assert_eq!(strange_in_reply(call, reply), [""; 0], "{name}");
    }
    let reasons: BTreeSet<String> = UNSENT.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(unsent, reasons);
    for number in 1..=5 {
        let example = vector("mercadobitcoin", &format!("MB-G{number:02}"));
        let call = &super::mercadobitcoin::MERCADOBITCOIN[number - 1];
        let reply = example.get("return").unwrap();
        assert_eq!(strange_in_reply(call, reply), [""; 0], "{}", call.name);
    }
}

/// Every field that a script sees is explained, and nothing else is.
#[test]
fn notes_are_of_fields_and_fields_have_notes() {
    for venue in super::VENUES {
        let mut names = BTreeSet::new();
        for call in super::of(venue) {
            let receipt = match call.reply {
                Reply::Receipt => super::flowbtc::RECEIPT,
                Reply::Object(_)
                | Reply::Objects(_)
                | Reply::Rows(_)
                | Reply::Keyed(_)
                | Reply::Numbers => &[],
            };
            for field in lists(call).into_iter().flatten().chain(receipt) {
                names.insert(field.name.to_owned());
                names.insert(format!("{}.{}", call.name, field.name));
                let note = super::notes::note(venue, call.name, field.name);
                let seen = field.by != By::Host;
                assert!(!note.is_empty() || !seen, "{venue} {} {}", call.name, field.name);
            }
        }
        let notes = super::notes::of(venue);
        let unused: Vec<_> = notes.iter().filter(|(name, _)| !names.contains(*name)).collect();
        assert!(unused.is_empty(), "{venue}: {unused:?}");
        let once: BTreeSet<_> = notes.iter().map(|(name, _)| name).collect();
        assert_eq!(once.len(), notes.len());
    }
}
