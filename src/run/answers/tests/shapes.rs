//! Every documented call is answered, and in the shape of the table of calls.

use super::bench::{self, Bench, args, limit};
use super::d;
use crate::base::{Command, OrderKey, Plain, Side, StrategyId};
use crate::calls::{self, By, Call, Field, Kind, Reply};

/// Fields of a request that the server accepts, after one order was sent and another filled.
fn request(call: &Call) -> (&'static str, Option<Command>) {
    let alias = OrderKey::compose(1, StrategyId(0), 50).unwrap();
    let resting = (bench::key(1), bench::BTC);
    match call.name {
        "SendOrder" => ("{}", Some(limit(7, Side::Buy, "1", "80"))),
        "ModifyOrder" => {
            let (key, instrument) = resting;
            ("{}", Some(Command::Reduce { key, instrument, qty: d("1") }))
        }
        "CancelReplaceOrder" => {
            let (key, instrument) = resting;
            let (side, price) = (Side::Buy, Some(d("85")));
            ("{}", Some(Command::Replace { key, alias, instrument, side, price, qty: d("1") }))
        }
        "CancelAllOrders" => ("{}", Some(Command::CancelAll { instrument: Some(bench::BTC) })),
        "CancelOrder" => {
            let (key, instrument) = resting;
            (r#"{"pair":"btc_brl","order_id":1}"#, Some(Command::Cancel { key, instrument }))
        }
        "Trade" => ("{}", Some(limit(7, Side::Buy, "1", "80"))),
        "GetOrderStatus" => (r#"{"OrderId":1}"#, None),
        "GetL2Snapshot" | "SubscribeLevel2" => (r#"{"InstrumentId":1,"Depth":5}"#, None),
        "SubscribeTrades" => (r#"{"InstrumentId":1,"IncludeLastCount":5}"#, None),
        "SubscribeTicker" => (r#"{"InstrumentId":1,"Interval":60,"IncludeLastCount":5}"#, None),
        "GetTickerHistory" => {
            let days =
                r#"{"InstrumentId":1,"FromDate":"2025-12-31","ToDate":"2026-01-02","Interval":60}"#;
            (days, None)
        }
        "GetAccountTrades" => (r#"{"Count":5,"StartIndex":0}"#, None),
        "GetOrderFee" => {
            let fee = r#"{"InstrumentId":1,"ProductId":1,"Amount":1,"OrderType":"Limit","MakerTaker":"Maker"}"#;
            (fee, None)
        }
        "GetDepositInfo" | "GetProduct" => (r#"{"ProductId":4}"#, None),
        "OrderList" => (r#"{"pair":"btc_brl"}"#, None),
        "ticker" | "orderbook" => (r#"{"coin":"BTC"}"#, None),
        "day-summary" => (r#"{"coin":"BTC","year":2026,"month":1,"day":1}"#, None),
        "heartbeat" => (r#"{"account_number":"1","balance":1,"equity":1}"#, None),
        "positions" => (r#"{"account_number":"1","positions":[]}"#, None),
        "trades" if call.contract == "SENTRA-C03" => {
            (r#"{"account_number":"1","trades":[]}"#, None)
        }
        "trades" => (r#"{"coin":"BTC"}"#, None),
        _ => (r#"{"InstrumentId":1}"#, None),
    }
}

fn fits(what: &str, kind: Kind, value: &Plain) {
    let ok = match kind {
        Kind::Id => matches!(value, Plain::Text(_) | Plain::Nil),
        Kind::Int => matches!(value, Plain::Int(_) | Plain::Nil),
        Kind::Text => matches!(value, Plain::Text(_) | Plain::Nil),
        Kind::Bool => matches!(value, Plain::Bool(_)),
        Kind::Word(words) => matches!(value, Plain::Text(word) if words.contains(&&**word)),
        Kind::Dec | Kind::Number | Kind::Stamp => {
            matches!(value, Plain::Int(_) | Plain::Decimal(_) | Plain::Text(_) | Plain::Nil)
        }
        Kind::Object(fields) => return object(what, fields, value),
        Kind::List(fields) => {
            let Plain::List(items) = value else { panic!("{what}: {value:?}") };
            return items.iter().for_each(|item| object(what, fields, item));
        }
        Kind::Keyed(fields) => return keyed(what, fields, value),
        Kind::Rows(columns) => return rows(what, columns, value),
        Kind::Numbers => return numbers(what, value),
    };
    assert!(ok, "{what} is {value:?}, not {kind:?}");
}

fn object(what: &str, fields: &[Field], value: &Plain) {
    assert!(matches!(value, Plain::Map(_)), "{what}: {value:?}");
    for field in fields {
        let what = format!("{what}.{}", field.name);
        match value.get(field.name) {
            Some(_) if field.by == By::Host => panic!("{what} is the host's alone"),
            Some(value) => fits(&what, field.kind, value),
            None => {
                assert!(!field.required || field.by == By::Host, "{what} is missing: {value:?}")
            }
        }
    }
}

fn keyed(what: &str, fields: &[Field], value: &Plain) {
    let Plain::Map(pairs) = value else { panic!("{what}: {value:?}") };
    pairs.iter().for_each(|(_, value)| object(what, fields, value));
}

fn list<'a>(what: &str, value: &'a Plain) -> &'a [Plain] {
    let Plain::List(items) = value else { panic!("{what}: {value:?}") };
    items
}

fn rows(what: &str, columns: &[Field], value: &Plain) {
    for row in list(what, value) {
        let row = list(what, row);
        let least = columns.iter().filter(|column| column.required).count();
        assert!(row.len() >= least, "{what}: {row:?}");
        for (column, cell) in columns.iter().zip(row) {
            fits(&format!("{what}.{}", column.name), column.kind, cell);
        }
    }
}

fn numbers(what: &str, value: &Plain) {
    let whole = |number: &Plain| matches!(number, Plain::Int(_));
    assert!(list(what, value).iter().all(whole), "{what}: {value:?}");
}

fn check(call: &Call, reply: &Plain) {
    let what = call.name;
    match call.reply {
        Reply::Receipt => assert!(matches!(reply, Plain::Map(_)), "{what}: {reply:?}"),
        Reply::Object(fields) => object(what, fields, reply),
        Reply::Objects(fields) => {
            list(what, reply).iter().for_each(|item| object(what, fields, item))
        }
        Reply::Rows(columns) => rows(what, columns, reply),
        Reply::Numbers => numbers(what, reply),
        Reply::Keyed(fields) => keyed(what, fields, reply),
    }
}

/// One order rests at 90, one was filled; the market has traded.
fn prepare(bench: &mut Bench) {
    bench.print("100", "1");
    bench.command(limit(1, Side::Buy, "2", "90"));
    bench.command(limit(2, Side::Buy, "1", "100"));
    bench.print("99", "3");
    bench.settle();
}

/// A venue, and how it is opened.
type Open = (&'static str, fn() -> Bench);

#[test]
fn every_documented_call_is_answered_in_its_shape() {
    let open: [Open; 3] = [
        ("flowbtc", || Bench::flowbtc(0, 0)),
        ("mercadobitcoin", Bench::mercadobitcoin),
        ("sentra", Bench::sentra),
    ];
    for (venue, open) in open {
        for call in calls::of(venue).iter().filter(|call| !call.grant) {
            let mut bench = open();
            if venue == "sentra" {
                let first = r#"{"account_number":"1","balance":1,"equity":1}"#;
                bench.ask("heartbeat", args(first)).unwrap();
            } else {
                prepare(&mut bench);
            }
            let (fields, order) = request(call);
            let id = bench.send(call.name, args(fields), order);
            bench.settle();
            let (_, outcome) = bench.outcome(id);
            let reply = outcome.as_ref().unwrap_or_else(|why| panic!("{}: {why}", call.name));
            check(call, reply);
        }
    }
}
