//! The contract's signatures and examples (MB-T01 to T09, MB-G01, G02, G05).

use super::super::wire::{Operation, Order, Withdrawal};
use super::*;

/// MB-T01 to T06 and T09 are right; MB-T07 has another secret, MB-T08 is version 1's.
#[test]
fn signatures_of_the_contract() {
    let accepted = [
        (
            "method=getInfo&tonce=1230989541",
            "513b19380460a47d3ce9d85fcb69ee26b5f3889566d6c1934247c1939a7819dff2836f36da49cc417c49e6f61ad61a2257ad7f5a271c8684768d41ac0ef2e5c5",
        ),
        (
            "tonce=1230989541&method=getInfo",
            "1ff8e05ea43c9bb77d9c96afeeafc8dd905f76e3610197a2cb7459e02acdd281c768e175b29dfdb1d5be5ec1f6e11b85275eca51f392646eb4b65bda4abc97f6",
        ),
        (
            "method=Trade&tonce=1381414719&pair=btc_brl&type=sell&volume=0.50000000&price=400.00000",
            "7c66ba760cdbfb33a956a51e212000e2a10d2a70326bb53b7d306bc68bf50033de0e16fe8fd96ed8af90aa1c2196685df166ed710b4227bf8795fa657e9565e4",
        ),
        (
            "method=OrderList&tonce=1378929200&pair=ltc_brl&type=sell&status=completed&from_id=1&end_id=2000&since=1377265355&end=1378929161",
            "5214092a4a602fc920261495fad905689ee0d09b231534a2b45ce2a0b17ee28a8fb850042e96dfd6497f536e0827e3305b2e5e149853ab0aa02c32111bc4d782",
        ),
        (
            "method=CancelOrder&tonce=1381414720&pair=btc_brl&order_id=27176",
            "cf747592362c713539954d5af495e83219f88e7ad92652ea6472929dabd6412e315409e2e4c94521b4e4311a1101a7d8c27a4ff1e2d9754612f6beb153f7cd9f",
        ),
        (
            "method=withdrawal_bitcoin&tonce=1387493109&volume=0.50000000&bitcoin_address=1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww",
            "f8b7f51c66ca3470439aa64637cbabcaca99ba38ab52ceef9972c7f96efe72460bfdc7f8e125a1a1f02d324d3542ce757da58b7d81fb77d6142c85fa94898e89",
        ),
        (
            "method=Trade&tonce=1381414719&note=a+b%26c%3D%C3%A7",
            "6a2a2ba2a665ff305e5056cd885d7bedde3e6e31beb8258da14ca3a9211eac5ffad8ed80a39b650942959042ee714617f0ac41557dd8155fcf35096ce0a574b8",
        ),
    ];
    for (body, sign) in accepted {
        for (key, sign, body, right) in [
            ("ana", sign.to_owned(), body.to_owned(), true),
            ("ana", sign.to_uppercase(), body.to_owned(), false),
            ("ana", sign[2..].to_owned(), body.to_owned(), false),
            ("ana", String::new(), body.to_owned(), false),
            ("ana", sign.to_owned(), format!("{body}&x=1"), false),
        ] {
            let mut venue = Venue::new();
            let headers = [("KEY", key), ("sign", sign.as_str())];
            let got = text(&venue.raw("/tapi/", &headers, body.as_bytes()));
            let refused = got == error("Assinatura inválida.");
            assert_eq!(!refused, right, "{body}: {got}");
        }
    }
    for sign in [
        "ef2cc235abe28651fdfd48a1d5f0cc0a56c78b752897d2df6878021439ca45bd890ee2bfa5b23532b5467ba9090871dfced8de3f42d9825f8518456cc3f39664",
        "9dd60606b394e6d4bdd29d4c92d8fb8acd78f99a161a0866f4732567bf8a40da59dcb5d30cf873185ccc7dede189a0f5059bca390d901fa95adc2f26f66c31b3",
    ] {
        let headers = [("Key", "ana"), ("Sign", sign)];
        let out = Venue::new().raw("/tapi/v2/", &headers, b"method=getInfo&tonce=1230989541");
        assert_eq!(text(&out), error("Assinatura inválida."));
    }
    let out = Venue::new().raw("/tapi/v2/", &[("Key", "nobody")], b"method=getInfo");
    assert_eq!(text(&out), error("Chave inválida."));
}

fn same(got: &str, expected: &str) {
    let read = |text| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(read(got), read(expected), "{got}");
}

fn written(inside: &str) -> String {
    String::from_utf8(wire::success(inside).body).unwrap()
}

/// MB-G01, G02 and G05 as they are written; types are MB-P03's.
#[test]
fn examples_of_the_page() {
    let funds = [
        ("brl", "50.00032", "2050.00032"),
        ("btc", "22.14016638", "25.14016638"),
        ("ltc", "35.5482", "35.5482"),
    ];
    let funds = funds.map(|(asset, free, all)| (asset.to_owned(), dec(free), dec(all)));
    let got = written(&wire::info(&funds, Time::from_millis(1_312_174_800_999), 0));
    same(
        &got,
        r#"{"success":1,"return":{"funds":{"ltc":"35.54820000","brl":"50.00032","btc":"22.14016638","ltc_with_open_orders":"35.54820000","brl_with_open_orders":"2050.00032","btc_with_open_orders":"25.14016638"},"server_time":"1312174800","open_orders":0}}"#,
    );

    let at = |seconds: i64| Time::from_millis(seconds * 1_000);
    let operation = |id, volume, price| Operation {
        id,
        volume: dec(volume),
        price: dec(price),
        rate: dec("0.7"),
        created: at(1_378_929_161),
    };
    let order = |id, status, created, price, volume, side, operations| Order {
        id,
        status,
        created: at(created),
        price: dec(price),
        volume: dec(volume),
        pair: "ltc_brl".to_owned(),
        side,
        operations,
    };
    let operations = vec![
        operation(443, "20", "6"),
        operation(442, "30", "6"),
        operation(441, "24.906", "6.01"),
    ];
    let first = order(1212, "completed", 1_378_929_161, "6", "165.47309607", "sell", operations);
    let second = order(51, "canceled", 1_377_265_355, "6.85", "17.82", "buy", Vec::new());
    let got = written(&wire::orders([first, second]));
    same(
        &got,
        r#"{"success":1,"return":{"1212":{"status":"completed","created":"1378929161","price":"6.00000","volume":"165.47309607","pair":"ltc_brl","type":"sell","operations":{"443":{"volume":"20.00000000","price":"6.00000","rate":"0.70","created":"1378929161"},"442":{"volume":"30.00000000","price":"6.00000","rate":"0.70","created":"1378929161"},"441":{"volume":"24.90600000","price":"6.01000","rate":"0.70","created":"1378929161"}}},"51":{"status":"canceled","created":"1377265355","price":"6.85000","volume":"17.82000000","pair":"ltc_brl","type":"buy","operations":{}}}}"#,
    );

    let row = Withdrawal {
        id: 1,
        volume: dec("0.5"),
        status: 1,
        address: ADDRESS.to_owned(),
        transaction: "d9893c57880953f044bcf0c9f31b923459a2fc54e82e8c8544645b96da37726f".to_owned(),
        created: at(1_387_493_109),
        updated: at(1_387_493_116),
    };
    same(
        &written(&wire::withdrawal(&row)),
        r#"{"success":1,"return":{"withdrawal":{"id":"1","volume":"0.50000000","status":"1","status_description":"open","bitcoin_address":"1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww","transaction":"d9893c57880953f044bcf0c9f31b923459a2fc54e82e8c8544645b96da37726f","created_timestamp":"1387493109","updated_timestamp":"1387493116"}}}"#,
    );
}
