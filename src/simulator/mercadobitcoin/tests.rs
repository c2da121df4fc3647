//! Requests and their replies, as the contract has them (MB-G, MB-T), tonces, limits, faults.

use super::wire::{Operation, Order, Withdrawal};
use super::*;
use crate::base::{BookChange, BookSide, Level, Side, Trade, decimal};
use crate::exchange::QueueModel;
use crate::simulator::faults::{What, When};
use crate::simulator::http::Reply;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::Value;
use sha2::Sha512;

const SECRET: &str = "segredo-de-teste";
const ADDRESS: &str = "1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww";

fn dec(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn sign(body: &str) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Venue {
    server: MbServer,
    now: Time,
    tonce: i64,
    asked: u64,
}

fn user(number: i64, keys: &[&str]) -> User {
    let key = |id: &&str| Key { id: (*id).to_owned(), secret: Secret::new(SECRET) };
    User {
        account: AccountNumber(number),
        keys: keys.iter().map(key).collect(),
        balances: [("BRL", "1000"), ("BTC", "2")].map(|(a, q)| (a.to_owned(), dec(q))).to_vec(),
        trusted: vec![ADDRESS.to_owned()],
    }
}

fn config() -> Config {
    Config {
        users: vec![user(1, &["ana", "ana-2"]), user(2, &["bia"])],
        exchange: exchange::Config {
            instruments: instruments(Fees { maker: dec("0.003"), taker: dec("0.007") }),
            queue: QueueModel::None,
            first_order_id: 27_176,
            first_trade_id: 441,
            wait_for_print: false,
        },
        tonce_window: None,
        skew: Span::ZERO,
        texts: Texts::default(),
        faults: Vec::new(),
    }
}

impl Venue {
    fn new() -> Venue {
        Venue::with(config())
    }

    fn with(config: Config) -> Venue {
        let now = Time::from_millis(1_381_414_719_000);
        Venue { server: MbServer::new(config), now, tonce: 0, asked: 0 }
    }

    fn raw(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> HttpOut {
        let method = if path.starts_with("/tapi") { "POST" } else { "GET" };
        self.asked += 1;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = HttpIn {
            id: self.asked,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            body: body.to_vec(),
        };
        self.server.handle(self.now, In::Request(request));
        self.server.poll(self.now).expect("an answer")
    }

    fn signed(&mut self, key: &str, body: &str) -> String {
        let sign = sign(body);
        let out = self.raw("/tapi/v2/", &[("Key", key), ("Sign", &sign)], body.as_bytes());
        assert_eq!(page(&out).status, 200);
        text(&out)
    }

    /// A method of a key's owner, with the next tonce.
    fn call(&mut self, key: &str, method: &str, fields: &str) -> String {
        self.tonce += 1;
        self.signed(key, &format!("method={method}&tonce={}{fields}", self.tonce))
    }

    fn json(&mut self, key: &str, method: &str, fields: &str) -> Value {
        serde_json::from_str(&self.call(key, method, fields)).unwrap()
    }

    fn get(&mut self, path: &str) -> Value {
        serde_json::from_str(&text(&self.raw(path, &[], b""))).unwrap()
    }

    fn book(&mut self, levels: &[(BookSide, &str, &str)]) {
        let level = |&(side, price, qty): &(BookSide, &str, &str)| Level {
            side,
            price: dec(price),
            qty: dec(qty),
        };
        let (instrument, levels) = (InstrumentId(0), levels.iter().map(level).collect());
        let change = BookChange { time: self.now, instrument, snapshot: true, levels };
        self.server.handle(self.now, In::Market(Event::Book(change)));
    }

    fn trade(&mut self, price: &str, qty: &str) {
        let trade = Trade {
            time: self.now,
            instrument: InstrumentId(0),
            price: dec(price),
            qty: dec(qty),
            side: Some(Side::Sell),
            id: 0,
        };
        self.server.handle(self.now, In::Market(Event::Trade(trade)));
    }
}

fn page(out: &HttpOut) -> &Page {
    match &out.reply {
        Reply::Answer(page) => page,
        Reply::Drop => panic!("dropped"),
    }
}

fn text(out: &HttpOut) -> String {
    String::from_utf8(page(out).body.clone()).unwrap()
}

fn error(text: &str) -> String {
    format!("{{\"success\":0,\"error\":\"{text}\"}}")
}

const TRADE: &str = "&pair=btc_brl&type=sell&volume=0.50000000&price=400.00000";

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

/// MB-G03, G04 with MB-P04's statuses; a repeated cancel is an error.
#[test]
fn trade_and_cancel() {
    let mut venue = Venue::new();
    let got = venue.call("ana", "Trade", TRADE);
    let expected = r#"{"success":1,"return":{"27176":{"status":"active","created":"1381414719","price":"400.00000","volume":"0.50000000","pair":"btc_brl","type":"sell","operations":{}}}}"#;
    assert_eq!(got, expected);
    let info = venue.json("ana", "getInfo", "");
    let funds = &info["return"]["funds"];
    assert_eq!(funds["btc"], "1.50000000");
    assert_eq!(funds["btc_with_open_orders"], "2.00000000");
    assert_eq!(funds["brl"], "1000.00000");
    assert_eq!(info["return"]["open_orders"], 1);
    assert_eq!(info["return"]["server_time"], "1381414719");
    let superfluous = "&pair=btc_brl&order_id=27176&volume=1&price=1&status=x&operations=[]";
    let refused = venue.call("bia", "CancelOrder", superfluous);
    assert_eq!(refused, error("Ordem não encontrada."), "another's order");
    let got = venue.call("ana-2", "CancelOrder", superfluous);
    assert_eq!(got, expected.replace("active", "canceled"));
    let again = venue.call("ana", "CancelOrder", "&pair=btc_brl&order_id=27176");
    assert_eq!(again, error("Ordem não encontrada."));
    let elsewhere = venue.call("ana", "CancelOrder", "&pair=ltc_brl&order_id=27176");
    assert_eq!(elsewhere, error("Ordem não encontrada."));
}

/// MB-F12: partly filled is active with operations; MB-P10's rates in percent.
#[test]
fn fills_are_operations() {
    let mut venue = Venue::new();
    venue.book(&[(BookSide::Ask, "100", "0.2")]);
    let got = venue.json("ana", "Trade", "&pair=btc_brl&type=buy&volume=0.5&price=100");
    let order = &got["return"]["27176"];
    assert_eq!(order["status"], "active");
    let operation = serde_json::json!({
        "volume": "0.20000000", "price": "100.00000", "rate": "0.70", "created": "1381414719"
    });
    assert_eq!(order["operations"], serde_json::json!({ "441": operation }));
    venue.call("bia", "Trade", "&pair=btc_brl&type=sell&volume=0.3&price=99");
    let got = venue.json("ana", "OrderList", "&pair=btc_brl");
    let order = &got["return"]["27176"];
    assert_eq!(order["status"], "completed");
    assert_eq!(order["operations"].as_object().unwrap().len(), 2);
    assert_eq!(order["operations"]["442"]["rate"], "0.30");
    let trades = venue.get("/api/BTC/trades/");
    assert_eq!(trades[0]["amount"].to_string(), "0.3");
}

#[test]
fn refused_parameters() {
    for (method, fields, expected) in [
        ("Trade", "&pair=xrp_brl&type=buy&volume=1&price=1", "Valor de *pair* inválido."),
        ("Trade", "&type=buy&volume=1&price=1", "Valor de *pair* inválido."),
        ("Trade", "&pair=btc_brl&volume=1&price=1", "Valor de *type* inválido."),
        ("Trade", "&pair=btc_brl&type=BUY&volume=1&price=1", "Valor de *type* inválido."),
        (
            "Trade",
            "&pair=btc_brl&type=buy&volume=-1&price=1",
            "Valor de *volume* deve representar um decimal.",
        ),
        (
            "Trade",
            "&pair=btc_brl&type=buy&volume=1&price=x",
            "Valor de *price* deve representar um decimal.",
        ),
        (
            "Trade",
            "&pair=btc_brl&type=buy&volume=0.009&price=1",
            "Valor de *volume* abaixo do mínimo de 0.01.",
        ),
        (
            "Trade",
            "&pair=btc_brl&type=buy&volume=1&price=1.000001",
            "Valor de *price* deve ter até 5 casas decimais.",
        ),
        (
            "Trade",
            "&pair=btc_brl&type=buy&volume=1.000000001&price=1",
            "Valor de *volume* deve ter até 8 casas decimais.",
        ),
        ("Trade", "&pair=btc_brl&type=buy&volume=100&price=100", "Saldo insuficiente."),
        ("OrderList", "&pair=btc_brl&status=open", "Valor de *status* inválido."),
        ("OrderList", "&pair=btc_brl&from_id=x", "Valor de *from_id* deve representar um inteiro."),
        ("CancelOrder", "&pair=btc_brl", "Ordem não encontrada."),
        ("CancelOrder", "&pair=btc_brl&order_id=1", "Ordem não encontrada."),
        ("withdrawal_bitcoin", "&volume=1&bitcoin_address=x", "Endereço não é confiável."),
        ("GetInfo", "", "Método inválido."),
        ("", "", "Método inválido."),
    ] {
        let mut venue = Venue::new();
        assert_eq!(venue.call("ana", method, fields), error(expected), "{method} {fields}");
        assert_eq!(
            venue.json("ana", "OrderList", "&pair=btc_brl")["return"],
            Value::Object(serde_json::Map::new())
        );
    }
}

/// MB-C02, MB-F14: every filter, bounds inclusive.
#[test]
fn order_list_filters() {
    let mut venue = Venue::new();
    for (pair, kind, price) in
        [("btc_brl", "sell", "500"), ("btc_brl", "buy", "10"), ("ltc_brl", "buy", "5")]
    {
        let fields = format!("&pair={pair}&type={kind}&volume=0.1&price={price}");
        venue.call("ana", "Trade", &fields);
        venue.now = venue.now.plus(Span::from_secs(10));
    }
    venue.call("ana", "CancelOrder", "&pair=btc_brl&order_id=27177");
    for (fields, expected) in [
        ("&pair=btc_brl", &["27176", "27177"][..]),
        ("&pair=ltc_brl", &["27178"]),
        ("&pair=btc_brl&type=sell", &["27176"]),
        ("&pair=btc_brl&status=active", &["27176"]),
        ("&pair=btc_brl&status=canceled", &["27177"]),
        ("&pair=btc_brl&status=completed", &[]),
        ("&pair=btc_brl&from_id=27177", &["27177"]),
        ("&pair=btc_brl&end_id=27176", &["27176"]),
        ("&pair=btc_brl&from_id=27176&end_id=27176", &["27176"]),
        ("&pair=btc_brl&since=1381414729", &["27177"]),
        ("&pair=btc_brl&end=1381414719", &["27176"]),
    ] {
        let got = venue.json("ana", "OrderList", fields);
        let ids: Vec<String> = got["return"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(ids, expected, "{fields}");
    }
    let other = venue.json("bia", "OrderList", "&pair=btc_brl");
    assert_eq!(other["return"].as_object().unwrap().len(), 0);
}

/// MB-P06, MB-F06, MB-F17: strictly increasing for each key, apart.
#[test]
fn tonces() {
    let refused = error("Tonce inválido: deve ser maior que o anterior.");
    let mut venue = Venue::new();
    for (key, tonce, right) in [
        ("ana", "100", true),
        ("ana", "100", false),
        ("ana", "99", false),
        ("ana-2", "50", true),
        ("ana", "101", true),
        ("ana", "1381414719000", true),
        ("ana", "1381414720", false),
        ("ana", "", false),
        ("ana", "x", false),
        ("ana-2", "51.5", false),
        ("ana-2", "99999999999999999999999", false),
        ("ana-2", "-1", false),
    ] {
        let got = venue.signed(key, &format!("method=getInfo&tonce={tonce}"));
        assert_eq!(got != refused, right, "{key} {tonce}");
    }
    let mut near = config();
    near.tonce_window = Some(Span::from_secs(30));
    let mut venue = Venue::with(near);
    for (tonce, right) in [(1_381_414_600, false), (1_381_414_719, true), (1_381_414_750, false)] {
        let got = venue.signed("ana", &format!("method=getInfo&tonce={tonce}"));
        assert_eq!(got != refused, right, "{tonce}");
    }
    venue.server.handle(venue.now, In::Skew(Span::from_secs(31)));
    let got = venue.signed("ana", "method=getInfo&tonce=1381414750");
    assert!(got.contains("\"server_time\":\"1381414750\""), "{got}");
}

/// MB-R07, MB-G06, MB-S03: 60 of a user in any 60 s over all his keys; a refusal spends no tonce.
#[test]
fn sixty_requests_in_sixty_seconds() {
    let mut venue = Venue::new();
    let refused = error("Taxa de requests acima do permitido.");
    for at in 0..60 {
        let key = if at % 2 == 0 { "ana" } else { "ana-2" };
        assert_ne!(venue.call(key, "getInfo", ""), refused, "{at}");
        venue.now = venue.now.plus(Span::from_millis(500));
    }
    assert_eq!(venue.call("ana", "getInfo", ""), refused);
    assert_ne!(venue.call("bia", "getInfo", ""), refused, "another user");
    venue.now = venue.now.plus(Span::from_millis(30_000 - 1));
    assert_eq!(venue.call("ana", "getInfo", ""), refused);
    venue.now = venue.now.plus(Span::from_millis(1));
    venue.tonce -= 1;
    assert_ne!(venue.call("ana", "getInfo", ""), refused, "the first has left the window");
    assert_eq!(venue.call("ana", "getInfo", ""), refused);
}

/// MB-C05, MB-S06.
#[test]
fn withdrawals_come_of_age() {
    let mut venue = Venue::new();
    let fields = format!("&volume=0.50000000&bitcoin_address={ADDRESS}");
    let got = venue.json("ana", "withdrawal_bitcoin", &fields);
    assert_eq!(got["return"]["withdrawal"]["status_description"], "new");
    let statuses = [0, 7, 599, 600].map(|seconds| {
        let at = venue.now.plus(Span::from_secs(seconds));
        venue.server.withdrawals(AccountNumber(1), at)[0].status
    });
    assert_eq!(statuses, [0, 1, 1, 2]);
    let info = venue.json("ana", "getInfo", "");
    assert_eq!(info["return"]["funds"]["btc"], "1.50000000");
    let got = venue.call("ana", "withdrawal_bitcoin", &fields.replace("0.5", "1.6"));
    assert_eq!(got, error("Saldo insuficiente."));
}

/// MB-X01 to X04, MB-T10.
#[test]
fn public_data() {
    let mut venue = Venue::new();
    venue.now = Time::from_nanos(1_612_217_297_706_725_751);
    venue.book(&[
        (BookSide::Bid, "99", "1"),
        (BookSide::Ask, "101", "2.5"),
        (BookSide::Ask, "102", "1"),
    ]);
    for (price, qty) in [("100", "1"), ("90", "2"), ("110", "1")] {
        venue.trade(price, qty);
        venue.now = venue.now.plus(Span::from_secs(1));
    }
    let ticker = venue.get("/api/BTC/ticker/");
    let expected = serde_json::json!({"ticker": {
        "high": "110.00000000", "low": "90.00000000", "vol": "4.00000000",
        "last": "110.00000000", "buy": "99.00000000", "sell": "101.00000000",
        "open": "100.00000000", "date": 1_612_217_300
    }});
    assert_eq!(ticker, expected);
    let book = text(&venue.raw("/api/BTC/orderbook/", &[], b""));
    let expected =
        r#"{"asks":[[101,2.5],[102,1]],"bids":[[99,1]],"timestamp":1612217300706725751}"#;
    assert_eq!(book, expected);
    for (path, tids) in [
        ("/api/BTC/trades/", &[1, 2, 3][..]),
        ("/api/BTC/trades/?tid=1", &[2, 3]),
        ("/api/BTC/trades/?since=2", &[3]),
        ("/api/BTC/trades/1612217298/", &[2, 3]),
        ("/api/BTC/trades/1612217297/1612217298/", &[1, 2]),
        ("/api/LTC/trades/", &[]),
    ] {
        let got = venue.get(path);
        let got: Vec<i64> =
            got.as_array().unwrap().iter().map(|row| row["tid"].as_i64().unwrap()).collect();
        assert_eq!(got, tids, "{path}");
    }
    let day = text(&venue.raw("/api/BTC/day-summary/2021/2/1/", &[], b""));
    let expected = concat!(
        r#"{"date":"2021-02-01","opening":100,"closing":110,"lowest":90,"highest":110,"#,
        r#""volume":390,"quantity":4,"amount":3,"avg_price":97.5}"#
    );
    assert_eq!(day, expected);
    for path in [
        "/",
        "/api/XYZ/ticker/",
        "/api/BTC/",
        "/api/BTC/trades/x/",
        "/api/BTC/day-summary/2021/2/30/",
        "/tapi/v3/",
    ] {
        assert_eq!(
            page(&venue.raw(path, &[], b"")).status,
            if path.starts_with("/tapi") { 405 } else { 404 },
            "{path}"
        );
    }
}

/// MB-S07: (fault, status or 0 for a dropped connection, orders at the venue).
#[test]
fn faults() {
    for (what, status, orders) in [
        (What::DropBefore, 0, 0),
        (What::DropAfter, 0, 1),
        (What::Delay(Span::from_secs(1)), 200, 1),
        (What::Duplicate, 200, 1),
        (What::Html(503), 503, 0),
        (What::Truncate, 200, 1),
        (What::TooMany, 200, 0),
        (What::Error("?".to_owned()), 200, 0),
    ] {
        let mut venue = Venue::new();
        let fault = Fault { on: "trade".to_owned(), when: When::Nth(1), what: what.clone() };
        venue.server.handle(venue.now, In::Faults(vec![fault]));
        let body = format!("method=Trade&tonce=1{TRADE}");
        let sign = sign(&body);
        let out = venue.raw("/tapi/v2/", &[("Key", "ana"), ("Sign", &sign)], body.as_bytes());
        let got = match &out.reply {
            Reply::Answer(page) => page.status,
            Reply::Drop => 0,
        };
        let open = venue.server.exchange().open_orders(AccountNumber(1)).len();
        assert_eq!((got, open), (status, orders), "{what:?}");
    }
}

/// MB-D's fence: a Trade that arrives after a larger tonce is refused.
#[test]
fn a_late_trade_behind_a_larger_tonce_is_refused() {
    let mut venue = Venue::new();
    let hold = What::Hold(Span::from_secs(5));
    let fault = Fault { on: "Trade".to_owned(), when: When::Nth(1), what: hold };
    venue.server.handle(venue.now, In::Faults(vec![fault]));
    let body = format!("method=Trade&tonce=10{TRADE}");
    let request = HttpIn {
        id: 99,
        method: "POST".to_owned(),
        path: "/tapi/v2/".to_owned(),
        headers: vec![("Key".to_owned(), "ana".to_owned()), ("Sign".to_owned(), sign(&body))],
        body: body.into_bytes(),
        ..HttpIn::default()
    };
    venue.server.handle(venue.now, In::Request(request));
    assert_eq!(venue.server.poll(venue.now), None);
    venue.signed("ana", "method=OrderList&tonce=11&pair=btc_brl");
    venue.now = venue.server.wake_at().unwrap();
    let out = venue.server.poll(venue.now).unwrap();
    assert_eq!((out.id, text(&out)), (99, error("Tonce inválido: deve ser maior que o anterior.")));
    assert!(venue.server.exchange().open_orders(AccountNumber(1)).is_empty());
}

proptest! {
    #[test]
    fn hostile_requests(
        path in "/tapi/v2/|/api/BTC/[a-z-]{0,9}/.{0,12}|.{0,20}",
        key in "ana|.{0,8}",
        body in prop::collection::vec(any::<u8>(), 0..60),
        method in "Trade|OrderList|CancelOrder|withdrawal_bitcoin|getInfo",
        fields in "(&(pair|type|volume|price|order_id|since|from_id)=(btc_brl|buy|[0-9.e-]{1,30}|.{0,6})){0,6}",
    ) {
        let mut venue = Venue::new();
        venue.raw(&path, &[("key", &key), ("sign", "00")], &body);
        let got = venue.call("ana", &method, &fields);
        prop_assert!(serde_json::from_str::<Value>(&got).is_ok());
        for (asset, balance) in venue.server.exchange().balances(AccountNumber(1)) {
            prop_assert!(balance.total >= balance.held, "{asset}");
        }
    }
}
