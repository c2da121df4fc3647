//! Bytes in and out.

use super::super::wire::{Fields, Frame, frame, short, wide};
use super::dec;
use crate::base::Decimal;
use proptest::prelude::*;

/// FLOW-T08: the example frame and its reply.
#[test]
fn frames_are_doubly_encoded() {
    let text =
        r#"{"m":0,"i":2,"n":"WebAuthenticateUser","o":"{\"UserName\":\"u\",\"Password\":\"p\"}"}"#;
    let parsed = Frame::parse(text).unwrap();
    assert_eq!((parsed.m, parsed.i.as_str()), (0, "2"));
    assert_eq!(parsed.o, r#"{"UserName":"u","Password":"p"}"#);
    assert_eq!(frame(0, "2", &parsed.n, &parsed.o), text);
}

#[test]
fn frames_are_read_as_clients_send_them() {
    let check = |text: &str, expected: Option<(u8, &str, &str, &str)>| {
        let got = Frame::parse(text).ok();
        let got = got.as_ref().map(|f| (f.m, f.i.as_str(), f.n.as_str(), f.o.as_str()));
        assert_eq!(got, expected, "{text}");
    };
    // FLOW-S02: any number, also none and a text, is echoed as it came.
    check(r#"{"m":0,"i":7,"n":"Ping","o":"{}"}"#, Some((0, "7", "Ping", "{}")));
    check(
        r#"{"m":0,"i":9222816249026513001,"n":"Ping","o":""}"#,
        Some((0, "9222816249026513001", "Ping", "")),
    );
    check(r#"{"m":0,"i":"a","n":"Ping","o":"{}"}"#, Some((0, "\"a\"", "Ping", "{}")));
    check(r#"{"m":0,"n":"Ping"}"#, Some((0, "0", "Ping", "")));
    check(r#"{"m":0,"i":{},"n":"Ping"}"#, Some((0, "0", "Ping", "")));
    // FLOW-P03: no case; unknown keys do not matter.
    check(r#"{"M":0,"I":2,"N":"Ping","O":"{}","x":[1]}"#, Some((0, "2", "Ping", "{}")));
    // FLOW-S02: stringified once and twice.
    check(r#""{\"m\":0,\"i\":2,\"n\":\"Ping\",\"o\":\"{}\"}""#, Some((0, "2", "Ping", "{}")));
    check(r#""\"{\\\"m\\\":0,\\\"i\\\":2,\\\"n\\\":\\\"Ping\\\"}\"""#, Some((0, "2", "Ping", "")));
    for broken in
        ["", "null", "5", "[]", "{", "{\"m\":0}", r#"{"m":-1,"n":"Ping"}"#, r#"{"m":0,"n":5}"#]
    {
        check(broken, None);
    }
    check(r#"{"m":0,"n":"Ping","o":{}}"#, None);
}

#[test]
fn fields_are_exact() {
    let fields = Fields::parse(
        r#"{"OmsId":"1","id":9222816249026513001,"price":1.0e-08,"qty":"0.10","none":null,
            "long":19069.310000000000000000000000,"whole":5.0,"bad":1.5,"list":[1]}"#,
    )
    .unwrap();
    assert_eq!(fields.int("OMSId"), Ok(Some(1)));
    // FLOW-F29.
    assert_eq!(fields.int("Id"), Ok(Some(9_222_816_249_026_513_001)));
    // FLOW-T11.
    assert_eq!(fields.decimal("Price"), Ok(Some(dec("0.00000001"))));
    assert_eq!(fields.decimal("Long"), Ok(Some(dec("19069.31"))));
    assert_eq!(fields.decimal("Qty"), Ok(Some(dec("0.1"))));
    assert_eq!(fields.int("Whole"), Ok(Some(5)));
    assert_eq!(fields.int("None"), Ok(None));
    assert_eq!(fields.int("Missing"), Ok(None));
    for key in ["bad", "list"] {
        assert!(fields.int(key).is_err(), "{key}");
    }
    assert!(fields.decimal("list").is_err() && fields.text("id").is_err());
    assert!(Fields::parse("").unwrap().raw("x").is_none());
    assert!(Fields::parse("null").unwrap().raw("x").is_none());
    assert!(Fields::parse("[1]").is_err());
}

/// FLOW-P24, FLOW-T11: the recorded paddings.
#[test]
fn wide_decimals_look_like_the_recorded_ones() {
    let check = |value: &str, expected: &str| assert_eq!(wide(dec(value)), expected);
    check("19069.31", "19069.310000000000000000000000");
    check("2345.52513", "2345.5251300000000000000000000");
    check("0.00000001", "0.0000000100000000000000000000");
    check("0", "0.0000000000000000000000000000");
    assert_eq!(short(dec("0.0100")), "0.01");
}

proptest! {
    #[test]
    fn both_spellings_of_a_decimal_are_exact(mantissa in any::<i64>(), scale in 0u32..=12) {
        let value = Decimal::new(mantissa, scale);
        prop_assert_eq!(dec(&wide(value)), value);
        prop_assert_eq!(dec(&short(value)), value);
    }

    #[test]
    fn any_payload_survives_its_frame(n in ".*", o in ".*") {
        let parsed = Frame::parse(&frame(1, "4", &n, &o)).unwrap();
        prop_assert_eq!((parsed.m, parsed.i.as_str(), parsed.n, parsed.o), (1, "4", n, o));
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".*") {
        drop(Frame::parse(&text));
        drop(Fields::parse(&text));
    }
}
