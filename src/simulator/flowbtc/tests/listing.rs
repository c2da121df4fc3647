//! What the venue lists.

use super::super::listing::{Products, from_wire, instruments, wire_id};
use crate::base::{Fees, InstrumentId};

/// FLOW-R14.
#[test]
fn instruments_stand_in_the_order_of_the_page() {
    let table = instruments(Fees::default());
    let names: Vec<(i64, &str)> =
        table.iter().map(|row| (wire_id(row.id), row.symbol.as_str())).collect();
    let expected = [
        (1, "BTCBRL"),
        (2, "ETHBRL"),
        (3, "LTCBRL"),
        (4, "TAKIONBRL"),
        (5, "BCHBRL"),
        (6, "ETHBTC"),
        (7, "XRPBRL"),
        (8, "EOSBRL"),
        (9, "MCO2BRL"),
    ];
    assert_eq!(names, expected);
    assert_eq!(from_wire(&table, 1).map(|row| row.id), Some(InstrumentId(0)));
    assert_eq!(table.find("flowbtc:ETHBTC").map(|row| row.id), Some(InstrumentId(5)));
    for outside in [0, 10, -1, 65_537, i64::MIN, i64::MAX] {
        assert!(from_wire(&table, outside).is_none(), "{outside}");
    }
}

/// FLOW-P26: product ids are not instrument ids.
#[test]
fn products_have_numbers_of_their_own() {
    let mut table = instruments(Fees::default());
    let mut further = table.get(InstrumentId(0)).unwrap().clone();
    (further.symbol, further.base, further.quote) =
        ("SOLUSDT".to_owned(), "SOL".to_owned(), "USDT".to_owned());
    table.add(further);
    let products = Products::of(&table);
    let expected = [
        ("BTC", 1),
        ("ETH", 2),
        ("LTC", 3),
        ("BRL", 4),
        ("TAKION", 5),
        ("BCH", 6),
        ("XRP", 7),
        ("EOS", 8),
        ("MCO2", 9),
        ("SOL", 10),
        ("USDT", 11),
        ("DOGE", 0),
    ];
    for (symbol, number) in expected {
        assert_eq!(products.number(symbol), number, "{symbol}");
    }
}

/// The table of calls drives the router: every row has its answer, and the login that the row
/// wants is the one that is asked for.
#[test]
fn every_call_of_the_table_is_routed() {
    use crate::calls::flowbtc as table;
    use crate::simulator::flowbtc::router::{Entrance, ROUTES};
    for call in table::FLOWBTC.iter().filter(|call| call.name != table::AUTHENTICATE.name) {
        let routes: Vec<_> = ROUTES.iter().filter(|(known, _)| known.name == call.name).collect();
        assert_eq!(routes.len(), 1, "{}", call.name);
        let private = matches!(routes[0].1, Entrance::Private(_));
        assert_eq!(private, call.auth, "{}", call.name);
    }
}
