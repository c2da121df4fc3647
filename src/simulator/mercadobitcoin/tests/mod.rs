//! Requests and their replies; a venue with two users to ask.

mod limits;
mod vectors;

use super::*;
use crate::base::{BookChange, BookSide, Level, Side, Trade, decimal};
use crate::exchange::QueueModel;
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

/// The table of calls drives the router: its five methods, and no others.
#[test]
fn every_method_of_the_table_is_routed() {
    let methods = crate::calls::mercadobitcoin::MERCADOBITCOIN.iter().filter(|call| call.auth);
    let methods: Vec<&str> = methods.map(|call| call.name).collect();
    let routed: Vec<&str> = super::orders::METHODS.iter().map(|(call, _)| call.name).collect();
    assert_eq!(routed, methods);
}
