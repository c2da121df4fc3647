//! The page's example replies (MB-G), the vectors (MB-T) and real answers of the public data API.

use super::*;
use crate::base::decimal;
use proptest::prelude::*;

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/mercadobitcoin/", $name))
    };
}

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

/// MB-T01, T03 to T06: the bodies that the signatures are of; T09: encoded as a form.
#[test]
fn bodies_are_written_as_the_vectors_sign_them() {
    let p = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
    };
    for (method, tonce, parameters, expected) in [
        ("getInfo", 1230989541, p(&[]), "method=getInfo&tonce=1230989541"),
        (
            "Trade",
            1381414719,
            p(&[
                ("pair", "btc_brl"),
                ("type", "sell"),
                ("volume", &fixed(d("0.5"), 8).unwrap()),
                ("price", &fixed(d("400"), 5).unwrap()),
            ]),
            "method=Trade&tonce=1381414719&pair=btc_brl&type=sell&volume=0.50000000&price=400.00000",
        ),
        (
            "OrderList",
            1378929200,
            p(&[
                ("pair", "ltc_brl"),
                ("type", "sell"),
                ("status", "completed"),
                ("from_id", "1"),
                ("end_id", "2000"),
                ("since", "1377265355"),
                ("end", "1378929161"),
            ]),
            "method=OrderList&tonce=1378929200&pair=ltc_brl&type=sell&status=completed&from_id=1\
             &end_id=2000&since=1377265355&end=1378929161",
        ),
        (
            "withdrawal_bitcoin",
            1387493109,
            p(&[
                ("volume", &fixed(d("0.5"), 8).unwrap()),
                ("bitcoin_address", "1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww"),
            ]),
            "method=withdrawal_bitcoin&tonce=1387493109&volume=0.50000000\
             &bitcoin_address=1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww",
        ),
        (
            "CancelOrder",
            1381414720,
            p(&[("pair", "btc_brl"), ("order_id", "27176")]),
            "method=CancelOrder&tonce=1381414720&pair=btc_brl&order_id=27176",
        ),
        (
            "Trade",
            1381414719,
            p(&[("note", "a b&c=ç")]),
            "method=Trade&tonce=1381414719&note=a+b%26c%3D%C3%A7",
        ),
    ] {
        assert_eq!(body(method, tonce, &parameters), expected);
    }
}

#[test]
fn decimals_have_their_places_or_are_refused() {
    for (text, places, expected) in [
        ("0.5", 8, Some("0.50000000")),
        ("6.850000", 5, Some("6.85000")),
        ("0.123456789", 8, None),
        ("1000", 5, Some("1000.00000")),
    ] {
        assert_eq!(fixed(d(text), places).as_deref(), expected, "{text}");
    }
}

/// MB-G01, MB-T10, MB-T11.
#[test]
fn g01_info() {
    let info = info(vector!("MB-G01.json")).unwrap();
    let held: Vec<String> = info
        .funds
        .iter()
        .map(|fund| format!("{} {} {}", fund.asset, fund.free, fund.total - fund.free))
        .collect();
    assert_eq!(
        held,
        ["BRL 50.00032 2000.00000", "BTC 22.14016638 3.00000000", "LTC 35.54820000 0.00000000"]
    );
    assert_eq!(info.server_time.unwrap().to_string(), "2011-08-01T05:00:00Z");
    assert_eq!(info.open_orders, Some(0));
}

/// MB-G02, MB-F10, MB-T10, MB-T12.
#[test]
fn g02_orders() {
    let orders = orders(vector!("MB-G02.json")).unwrap();
    let ids: Vec<i64> = orders.iter().map(|order| order.id).collect();
    assert_eq!(ids, [51, 1212]);
    assert_eq!((orders[0].status, orders[0].side), (Status::Canceled, Side::Buy));
    let order = &orders[1];
    assert_eq!((order.status, order.side), (Status::Completed, Side::Sell));
    assert_eq!(order.created.to_string(), "2013-09-11T19:52:41Z");
    let ids: Vec<i64> = order.operations.iter().map(|operation| operation.id).collect();
    assert_eq!(ids, [441, 442, 443]);
    let sum: Decimal = order.operations.iter().map(|operation| operation.volume).sum();
    assert_eq!(sum, d("74.906"));
    let last = &order.operations[2];
    assert_eq!(last.volume * last.price * last.rate / d("100"), d("0.84"));
}

/// MB-G03 and MB-G04 as printed, with their swapped states (MB-F05).
#[test]
fn g03_g04_one_order() {
    for (text, status) in
        [(vector!("MB-G03.json"), Status::Canceled), (vector!("MB-G04.json"), Status::Active)]
    {
        let orders = orders(text).unwrap();
        assert_eq!(orders.len(), 1);
        assert_eq!((orders[0].id, orders[0].status), (27176, status));
        assert_eq!((orders[0].price, orders[0].volume), (d("400"), d("0.5")));
        assert!(orders[0].operations.is_empty());
    }
}

/// MB-F01: what stands beside `return` instead of inside is told too.
#[test]
fn the_inside_of_a_reply() {
    let text = r#"{"success":1,"return":{"funds":{}},"server_time":"5","open_orders":0}"#;
    let beside = vec![("server_time", "\"5\""), ("open_orders", "0")];
    assert_eq!(inside(text), Ok((r#"{"funds":{}}"#, beside)));
    assert_eq!(inside(vector!("MB-G01.json")).unwrap().1, []);
    let refused = Err(WireError::Refused(TOO_MANY.to_owned()));
    assert_eq!(inside(vector!("MB-G06.json")), refused);
}

/// MB-G05, MB-T10.
#[test]
fn g05_withdrawal() {
    let out = withdrawal(vector!("MB-G05.json")).unwrap();
    assert_eq!((out.id, out.status, out.volume), (1, 1, d("0.5")));
    assert_eq!(out.bitcoin_address, "1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww");
    assert_eq!(out.created.to_string(), "2013-12-19T22:45:09Z");
}

/// MB-G06, MB-F11, MB-F18: texts stay verbatim; what is neither yes nor no is an error.
#[test]
fn g06_failures() {
    let refused = |text: &str| WireError::Refused(text.to_owned());
    assert_eq!(info(vector!("MB-G06.json")), Err(refused(TOO_MANY)));
    let text =
        r#"{"success":"0","error":"Saldo insuficiente para realizar a opera\u00e7\u00e3o."}"#;
    assert_eq!(orders(text), Err(refused("Saldo insuficiente para realizar a operação.")));
    for text in ["<html>503</html>", "", r#"{"success":1"#, r#"{"success":2,"return":{}}"#, "[]"] {
        assert!(matches!(orders(text), Err(WireError::NotAReply(_))), "{text}");
    }
    assert_eq!(orders(r#"{"success":1}"#), Err(WireError::Missing { key: "return" }));
}

/// MB-F02, MB-F03: numbers bare or quoted, operations as a list.
#[test]
fn other_forms_are_read_alike() {
    let text = concat!(
        r#"{"success":"1","return":{"9223372036854775807":{"status":"active","created":1,"#,
        r#""price":6.10000,"volume":0.10000000,"pair":"btc_brl","type":"buy","operations":"#,
        r#"[{"operation_id":"3","volume":"0.01","price":"6","rate":"0.70","created":2}]},"#,
        r#""server_time":"5"}}"#
    );
    let orders = orders(text).unwrap();
    assert_eq!((orders[0].id, orders[0].price), (i64::MAX, d("6.1")));
    assert_eq!(orders[0].operations[0].id, 3);
    let none = text.replace(
        r#"[{"operation_id":"3","volume":"0.01","price":"6","rate":"0.70","created":2}]"#,
        "[]",
    );
    assert!(super::orders(&none).unwrap()[0].operations.is_empty());
}

#[derive(serde::Deserialize)]
struct Exchange {
    uri: String,
    body: String,
}

/// Answers recorded in 2021; MB-T10's nanoseconds among them.
#[test]
fn recorded_answers_of_the_data_api_decode() {
    let mut seen = 0;
    for line in vector!("data.jsonl").lines() {
        let Exchange { uri, body } = serde_json::from_str(line).unwrap();
        seen += 1;
        if uri.contains("/ticker/") {
            let ticker = ticker(&body).unwrap();
            assert!(ticker.bid <= ticker.ask && ticker.low <= ticker.high, "{uri}");
        } else if uri.contains("/orderbook/") {
            let book = book(&body).unwrap();
            assert!(book.asks.is_sorted_by(|a, b| a.0 < b.0), "{uri}");
            assert!(book.bids.is_sorted_by(|a, b| a.0 > b.0), "{uri}");
            if uri.contains("BTC") {
                let time = book.time.unwrap().to_string();
                assert_eq!(time, "2021-02-01T22:08:17.706725751Z");
                assert_eq!(book.asks[0], (d("184500.00989"), d("0.02124547")));
            }
        } else if uri.contains("/trades/") {
            let trades = trades(&body).unwrap();
            assert!(!trades.is_empty() && trades.is_sorted_by_key(|trade| trade.id), "{uri}");
        } else {
            let day = day(&body).unwrap();
            assert!(day.low <= day.open && day.close <= day.high, "{uri}");
        }
    }
    assert!(seen >= 10, "{seen}");
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let _ = (info(&text), orders(&text), withdrawal(&text));
        let _ = (ticker(&text), book(&text), trades(&text), day(&text));
    }

    #[test]
    fn damaged_replies_never_panic(at in 0usize..400, byte: u8) {
        for text in [vector!("MB-G02.json"), vector!("MB-G01.json"), vector!("MB-G05.json")] {
            let mut bytes = text.as_bytes().to_vec();
            let place = at % bytes.len();
            bytes[place] = byte;
            let text = String::from_utf8_lossy(&bytes);
            let _ = (info(&text), orders(&text), withdrawal(&text));
        }
    }

    #[test]
    fn a_form_reads_back(value in "\\PC{0,40}") {
        let text = body("Trade", 1, &[("note", value.clone())]);
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        prop_assert_eq!(&pairs[2], &("note".to_owned(), value));
    }
}
