//! The manual's and the PDF's examples, the vectors that concern a client, damaged replies.

use super::*;
use proptest::prelude::*;
use std::io::Read;

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn who(account_type: AccountType) -> Identity {
    let email = Secret::new("usuario@example.com");
    Identity { email, account: "12345678".to_owned(), account_type }
}

fn at(text: &str) -> Time {
    let stamp: jiff::Timestamp = text.parse().unwrap();
    Time::from_nanos(i64::try_from(stamp.as_nanosecond()).unwrap())
}

fn same(written: &str, expected: &str) {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(read(written), read(expected), "{written}");
}

/// A.3's example; the numbers are plain (SENTRA-R23 is the server's business).
#[test]
fn c01_heartbeat_as_in_the_manual() {
    let beat = Heartbeat {
        broker: Some("XM Global Limited".to_owned()),
        server: Some("XM-Real 50".to_owned()),
        account_name: Some("João Silva".to_owned()),
        balance: d("10000.50"),
        equity: d("10250.75"),
        currency: Some("USD".to_owned()),
        leverage: Some(500),
        margin_free: Some(d("9500.25")),
        open_positions: Some(3),
        platform: Some(Platform::Mt4),
    };
    same(
        &heartbeat(&who(AccountType::Cent), &beat),
        r#"{"user_email":"usuario@example.com","account_number":"12345678","broker":"XM Global Limited","server":"XM-Real 50","account_name":"João Silva","balance":10000.50,"equity":10250.75,"currency":"USD","leverage":500,"margin_free":9500.25,"open_positions":3,"platform":"MT4","account_type":"CENT"}"#,
    );
}

/// SENTRA-P01, with the times of SENTRA-F05 (SENTRA-T05).
#[test]
fn c02_positions_as_in_the_pdf() {
    let row = Position {
        ticket: "123456789".to_owned(),
        symbol: "EURUSD".to_owned(),
        side: Side::Buy,
        volume: d("0.10"),
        open_price: d("1.08500"),
        current_price: d("1.08650"),
        profit: d("15.00"),
        swap: Some(d("-0.50")),
        commission: Some(d("-1.00")),
        open_time: at("2025-10-29T10:30:00.9Z"),
    };
    same(
        &positions(&who(AccountType::Standard), &[row]),
        r#"{"user_email":"usuario@example.com","account_number":"12345678","positions":[{"ticket":"123456789","symbol":"EURUSD","type":"buy","volume":0.1,"open_price":1.085,"current_price":1.0865,"profit":15,"swap":-0.5,"commission":-1,"open_time":"2025-10-29T10:30:00Z"}]}"#,
    );
}

pub(crate) fn closed(ticket: &str) -> Closed {
    Closed {
        ticket: ticket.to_owned(),
        symbol: "GBPUSD".to_owned(),
        side: Side::Sell,
        volume: d("0.05"),
        open_price: d("1.25000"),
        close_price: d("1.24800"),
        open_time: at("2025-10-28T14:00:00Z"),
        close_time: at("2025-10-28T16:30:00Z"),
        profit: d("10.00"),
        commission: Some(d("-0.50")),
        swap: Some(d("-0.25")),
    }
}

/// SENTRA-P01.
#[test]
fn c03_trades_as_in_the_pdf() {
    same(
        &trades(&who(AccountType::Standard), &[closed("987654321")]),
        r#"{"user_email":"usuario@example.com","account_number":"12345678","trades":[{"ticket":"987654321","symbol":"GBPUSD","type":"sell","volume":0.05,"open_price":1.25,"close_price":1.248,"open_time":"2025-10-28T14:00:00Z","close_time":"2025-10-28T16:30:00Z","profit":10,"commission":-0.5,"swap":-0.25}]}"#,
    );
}

/// SENTRA-F17, SENTRA-F18; T02's largest value survives.
#[test]
fn hostile_names_and_many_places() {
    let broker = r#"Quote " back \ slash ção"#;
    let beat = Heartbeat {
        broker: Some(broker.to_owned()),
        balance: d("92233720368547758.07"),
        equity: d("1.23456"),
        ..Heartbeat::default()
    };
    let text = heartbeat(&who(AccountType::Standard), &beat);
    assert!(text.contains(r#""balance":92233720368547758.07,"equity":1.23,"#), "{text}");
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["broker"], broker);
    let cent = heartbeat(&who(AccountType::Cent), &beat);
    assert!(cent.contains(r#""equity":1.2346,"#), "{cent}");
}

/// SENTRA-R21, R22, P05, P06, T06.
#[test]
fn replies() {
    for (text, expected) in [
        (r#"{"success":true,"message":"Heartbeat recebido"}"#, Said::Yes { stored: None }),
        (r#"{"success":true,"message":"2 posições sincronizadas"}"#, Said::Yes { stored: Some(2) }),
        (
            r#"{"success":true,"message":"150 trades sincronizados"}"#,
            Said::Yes { stored: Some(150) },
        ),
        (
            r#"{"success":false,"error":"Conta não encontrada. Envie heartbeat primeiro."}"#,
            Said::No { error: NO_ACCOUNT.to_owned() },
        ),
        (
            r#"{"success":false,"error":"Limite de contas atingido","currentCount":1,"maxAccounts":1}"#,
            Said::No { error: "Limite de contas atingido".to_owned() },
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
    assert_eq!(packed(&small), (small.clone().into_bytes(), false));
    let large = "x".repeat(GZIP_ABOVE + 1);
    let (bytes, gzip) = packed(&large);
    assert!(gzip && bytes.len() < 10_000);
    let mut back = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut back).unwrap();
    assert_eq!(back, large);
}

proptest! {
    #[test]
    fn arbitrary_replies_never_panic(text in "\\PC{0,100}") {
        let _ = said(&text);
    }

    #[test]
    fn any_name_is_escaped(name in "\\PC{0,40}") {
        let beat = Heartbeat { broker: Some(name.clone()), ..Heartbeat::default() };
        let text = heartbeat(&who(AccountType::Cent), &beat);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read["broker"].as_str(), Some(name.as_str()));
    }
}
