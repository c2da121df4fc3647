//! The manual's and the PDF's examples, the vectors that concern a client, damaged replies.

use super::*;
use crate::base::VenueName;
use proptest::prelude::*;
use std::io::Read;

const EMAIL: &str = "usuario@example.com";

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

/// The JSON text of a script's table, decimals exact.
fn table(text: &str) -> Plain {
    crate::venue::reply::plain(text).unwrap()
}

fn ask(name: &'static str, fields: &str) -> CallAsk {
    let Plain::Map(pairs) = table(fields) else { panic!("{fields}") };
    let args = pairs.into_iter().map(|(key, value)| {
        let Plain::Text(key) = key else { panic!("{key:?}") };
        let known = crate::calls::all().flat_map(|call| call.args).map(|field| field.name);
        let name = known.into_iter().find(|name| *name == key);
        (name.unwrap_or_else(|| Box::leak(key.into_boxed_str())), value)
    });
    CallAsk { venue: VenueName::new("sentra"), name, args: args.collect() }
}

fn made(name: &'static str, fields: &str, money: Money) -> Result<Parcel, String> {
    parcel(&Secret::new(EMAIL), &ask(name, fields), money)
}

fn text(parcel: &Parcel) -> String {
    parcel.parts[0].body.text().into_owned()
}

/// As JSON values: `15.00` is `15`.
fn same(written: &str, expected: &str) {
    fn numbers(value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::Number(number) => Value::from(number.as_f64().unwrap()),
            Value::Array(items) => items.into_iter().map(numbers).collect(),
            Value::Object(pairs) => {
                pairs.into_iter().map(|(key, value)| (key, numbers(value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::String(_) => value,
        }
    }
    let read = |text: &str| numbers(serde_json::from_str(text).unwrap());
    assert_eq!(read(written), read(expected), "{written}");
}

const POSITION: &str = r#""ticket":"123456789","symbol":"EURUSD","type":"buy","volume":0.10,"open_price":1.08500,"current_price":1.08650,"profit":15.00,"swap":-0.50,"commission":-1.00"#;
const TRADE: &str = r#""ticket":"987654321","symbol":"GBPUSD","type":"sell","volume":0.05,"open_price":1.25000,"close_price":1.24800,"open_time":"2025-10-28T14:00:00Z","close_time":"2025-10-28T16:30:00Z","profit":10.00,"commission":-0.50,"swap":-0.25"#;

/// A.3's example; the numbers are plain (SENTRA-R23 and T01 are the server's business).
#[test]
fn c01_heartbeat_as_in_the_manual() {
    let fields = r#""account_number":"12345678","broker":"XM Global Limited","server":"XM-Real 50","account_name":"João Silva","balance":10000.50,"equity":10250.75,"currency":"USD","leverage":500,"margin_free":9500.25,"open_positions":3,"platform":"MT4","account_type":"CENT"}"#;
    let parcel = made("heartbeat", &format!("{{{fields}"), Money::Standard).unwrap();
    same(&text(&parcel), &format!("{{\"user_email\":\"{EMAIL}\",{fields}"));
    assert_eq!((parcel.money, parcel.rows, parcel.rounded), (Some(Money::Cent), 1, 0));
}

/// SENTRA-P01, with the times of SENTRA-F05 (SENTRA-T05).
#[test]
fn c02_positions_as_in_the_pdf() {
    let row = |time: &str| {
        format!(
            r#""account_number":"12345678","positions":[{{{POSITION},"open_time":"{time}"}}]}}"#
        )
    };
    let asked = format!("{{{}", row("2025.10.29 10:30:00Z"));
    let parcel = made("positions", &asked, Money::Standard).unwrap();
    let expected = format!("{{\"user_email\":\"{EMAIL}\",{}", row("2025-10-29T10:30:00Z"));
    same(&text(&parcel), &expected);
}

/// SENTRA-P01.
#[test]
fn c03_trades_as_in_the_pdf() {
    let fields = format!(r#""account_number":"12345678","trades":[{{{TRADE}}}]}}"#);
    let parcel = made("trades", &format!("{{{fields}"), Money::Standard).unwrap();
    same(&text(&parcel), &format!("{{\"user_email\":\"{EMAIL}\",{fields}"));
}

/// SENTRA-R13: batches of 100 trades; positions stay together.
#[test]
fn batches() {
    let check = |name: &'static str, rows: usize, expected: &[usize]| {
        let row = match name {
            "trades" => TRADE.to_owned(),
            _ => format!("{POSITION},\"open_time\":0"),
        };
        let rows = vec![format!("{{{row}}}"); rows].join(",");
        let asked = format!("{{\"account_number\":\"1\",\"{name}\":[{rows}]}}");
        let parcel = made(name, &asked, Money::Standard).unwrap();
        let sizes: Vec<usize> = parcel.parts.iter().map(|part| part.rows).collect();
        assert_eq!(sizes, expected, "{name}");
        for part in &parcel.parts {
            assert_eq!(part.body.text().matches("\"ticket\"").count(), part.rows);
        }
    };
    check("trades", 0, &[0]);
    check("trades", 100, &[100]);
    check("trades", 250, &[100, 100, 50]);
    check("positions", 250, &[250]);
}

/// SENTRA-F17; T02's largest value survives.
#[test]
fn hostile_names_and_large_amounts() {
    let fields = r#"{"account_number":"1","broker":"Quote \" back \\ slash ção","balance":92233720368547758.07,"equity":1}"#;
    let text = text(&made("heartbeat", fields, Money::Standard).unwrap());
    assert!(text.contains(r#""balance":92233720368547758.07,"equity":1}"#), "{text}");
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["broker"], r#"Quote " back \ slash ção"#);
}

/// SENTRA-F18 against T03: what leaves has the venue's places already, so that its own rounding
/// of doubles changes nothing.
#[test]
fn amounts_have_the_venues_places() {
    for (money, given, expected, rounded) in [
        (Money::Standard, "0.005", "0", 1),
        (Money::Standard, "-0.005", "0", 1),
        (Money::Standard, "0.015", "0.02", 1),
        (Money::Standard, "1.005", "1", 1),
        (Money::Standard, "2.675", "2.68", 1),
        (Money::Standard, "-0.50", "-0.5", 0),
        (Money::Standard, "0.30000000000000004", "0.3", 0),
        (Money::Cent, "1.00005", "1", 1),
        (Money::Cent, "8.12345", "8.1234", 1),
        (Money::Cent, "214748.3647", "214748.3647", 0),
    ] {
        let mut draft = Draft::new(money);
        let kept = draft.decimal("profit", d(given)).unwrap();
        assert_eq!((decimal::show(kept).as_str(), draft.rounded), (expected, rounded), "{given}");
    }
    let price = |given: &str| {
        decimal::show(Draft::new(Money::Standard).decimal("open_price", d(given)).unwrap())
    };
    // T04, P10.
    for given in ["1.085", "150.123", "21474.83647", "60727.05", "0.00000123"] {
        assert_eq!(price(given), given);
    }
    assert_eq!(price("60727.0512345678"), "60727.05123457");
}

/// SENTRA-T04: sizes that the venue would store as another size do not go.
#[test]
fn volumes_are_exact_or_refused() {
    for (given, expected) in [
        ("0.01", Ok("0.01")),
        ("0.29", Ok("0.29")),
        ("1.15", Ok("1.15")),
        ("0.30000000000000004", Ok("0.3")),
        ("0.001", Err("0.001 lots have more than the venue's 2 places")),
        ("0", Err("it is not above zero")),
        ("-1", Err("it is not above zero")),
    ] {
        let kept = Draft::new(Money::Standard).decimal("volume", d(given)).map(decimal::show);
        assert_eq!(kept.as_deref().map_err(String::as_str), expected, "{given}");
    }
}

/// SENTRA-F05, P08, T05.
#[test]
fn times() {
    let check = |given: Plain, expected: Result<&str, &str>| {
        let read = moment::read(&given).map(stamp);
        match expected {
            Ok(stamp) => assert_eq!(read.as_deref(), Ok(stamp), "{given:?}"),
            Err(why) => assert!(read.clone().unwrap_err().contains(why), "{given:?} {read:?}"),
        }
    };
    let half_past = Ok("2025-10-29T10:30:00Z");
    for text in [
        "2025-10-29T10:30:00Z",
        "2025-10-29 10:30:00Z",
        "2025-10-29T10:30:00.999Z",
        "2025.10.29 10:30:00 Z",
        "2025-10-29T07:30:00-03:00",
        "2025.10.29 07:30:00-03:00",
        "2025-10-29T10:30Z",
        "1761733800",
        "1761733800.9",
    ] {
        check(Plain::text(text), half_past);
    }
    check(Plain::Int(1_761_733_800), half_past);
    check(Plain::Number(1_761_733_800.25), half_past);
    check(Plain::Decimal(d("1761733800.5")), half_past);
    for text in ["2025-10-29 10:30:00", "2025.10.29 10:30", "2025-10-29T10:30:00", "2025-10-29"] {
        check(Plain::text(text), Err("has no offset"));
    }
    for text in ["", "yesterday", "2025-13-40T10:30:00Z", "1761733800000000", "çççççççççççç"]
    {
        check(Plain::text(text), Err("is no time"));
    }
    check(Plain::Int(-1), Err("is no time"));
    check(Plain::Number(f64::NAN), Err("is no time"));
    check(Plain::Bool(true), Err("is no time"));
}

/// SENTRA-F01, F04, F06, P04, P05, P07: what the venue would drop or mistake never leaves.
#[test]
fn arguments_are_checked() {
    let beat = |fields: &str| format!("{{\"account_number\":\"1\",{fields}}}");
    let row = |fields: &str| format!("{{\"account_number\":\"1\",\"positions\":[{{{fields}}}]}}");
    let position = format!("{POSITION},\"open_time\":0");
    for (name, fields, why) in [
        ("heartbeat", r#"{"balance":1,"equity":1}"#.to_owned(), "account_number is missing"),
        ("heartbeat", r#"{"account_number":"a@b.c"}"#.to_owned(), "account_number: digits"),
        ("heartbeat", beat(r#""equity":1"#), "balance is missing"),
        ("heartbeat", beat(r#""balance":"abc","equity":1"#), "balance: it is no decimal"),
        ("heartbeat", beat(r#""marqin_free":1"#), "did you mean margin_free"),
        ("heartbeat", beat(r#""user_email":"x","balance":1,"equity":1"#), "no field"),
        ("heartbeat", beat(r#""balance":1,"equity":1,"account_type":"DEMO""#), "CENT, STANDARD"),
        ("heartbeat", beat(r#""balance":1,"equity":1,"leverage":1.5"#), "leverage: it is no int"),
        ("positions", beat(r#""positions":1"#), "positions is missing"),
        ("positions", row(POSITION), "positions[1].open_time is missing"),
        ("positions", row(&position.replace("buy", "BUY")), "positions[1].type: one of buy, sell"),
        ("positions", row(&position.replace("EURUSD", "")), "positions[1].symbol: it is empty"),
        ("positions", row(&position.replace("swap", "swop")), "swop is no field of it"),
        ("trades", row(&position), "positions is no field of it"),
        ("profit", "{}".to_owned(), "sentra has no call profit"),
    ] {
        let error = made(name, &fields, Money::Standard).unwrap_err();
        assert!(error.contains(why), "{fields}: {error}");
    }
    let many = vec![Plain::map(Vec::new()); MOST_ROWS + 1];
    let mut asked = ask("trades", r#"{"account_number":"1"}"#);
    asked.args.push(("trades", Plain::List(many)));
    let error = parcel(&Secret::new(EMAIL), &asked, Money::Standard).unwrap_err();
    assert!(error.contains("10001 rows"), "{error}");
}

/// SENTRA-R24.
#[test]
fn cent_accounts() {
    for (more, expected) in [
        ("", Money::Standard),
        (r#","account_type":"CENT""#, Money::Cent),
        (r#","server":"XM-Cent 3""#, Money::Cent),
        (r#","server":"FBS-Micro""#, Money::Cent),
        (r#","server":"FBS-Micro","account_type":"STANDARD""#, Money::Standard),
    ] {
        let fields = format!(r#"{{"account_number":"1","balance":1.2345,"equity":1{more}}}"#);
        let parcel = made("heartbeat", &fields, Money::Standard).unwrap();
        let expected_balance = if expected == Money::Cent { "1.2345" } else { "1.23" };
        assert_eq!(parcel.money, Some(expected));
        assert!(text(&parcel).contains(&format!("\"balance\":{expected_balance},")), "{more}");
    }
}

/// SENTRA-R21, R22, P05, P06, T06.
#[test]
fn replies() {
    let yes = |message: &str, stored| Said::Yes { message: message.to_owned(), stored };
    let no = |error: &str| Said::No { error: error.to_owned() };
    for (text, expected) in [
        (r#"{"success":true,"message":"Heartbeat recebido"}"#, yes("Heartbeat recebido", None)),
        (
            r#"{"success":true,"message":"2 posições sincronizadas"}"#,
            yes("2 posições sincronizadas", Some(2)),
        ),
        (
            r#"{"success":true,"message":"150 trades sincronizados"}"#,
            yes("150 trades sincronizados", Some(150)),
        ),
        (
            r#"{"success":false,"error":"Conta não encontrada. Envie heartbeat primeiro."}"#,
            no(NO_ACCOUNT),
        ),
        (
            r#"{"success":false,"error":"Limite de contas atingido","currentCount":1,"maxAccounts":1}"#,
            no("Limite de contas atingido"),
        ),
        (r#"{"success":tr"#, Said::Noise),
        ("<html>", Said::Noise),
    ] {
        assert_eq!(said(text), expected, "{text}");
    }
}

/// SENTRA-F14.
#[test]
fn only_large_bodies_are_compressed() {
    let small = "x".repeat(GZIP_ABOVE);
    assert_eq!(part(&small, 1), Part { body: Body(small.into_bytes()), gzip: false, rows: 1 });
    let large = "x".repeat(GZIP_ABOVE + 1);
    let packed = part(&large, 1);
    assert!(packed.gzip && packed.body.0.len() < 10_000);
    let mut back = String::new();
    flate2::read::GzDecoder::new(packed.body.0.as_slice()).read_to_string(&mut back).unwrap();
    assert_eq!(back, large);
}

proptest! {
    #[test]
    fn arbitrary_replies_never_panic(text in "\\PC{0,100}") {
        let _ = said(&text);
    }

    #[test]
    fn arbitrary_times_never_panic(text in "\\PC{0,40}") {
        let _ = moment::read(&Plain::text(text));
    }

    #[test]
    fn any_name_is_escaped(name in "\\PC{0,40}") {
        let mut asked = ask("heartbeat", r#"{"account_number":"1","balance":1,"equity":1}"#);
        asked.args.push(("broker", Plain::text(name.clone())));
        let parcel = parcel(&Secret::new(EMAIL), &asked, Money::Standard).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text(&parcel)).unwrap();
        prop_assert_eq!(read["broker"].as_str(), Some(name.as_str()));
    }
}
