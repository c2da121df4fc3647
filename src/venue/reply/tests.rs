//! Replies keep every digit; requests are written as they are meant.

use super::{body, plain, shaped};
use crate::base::{Decimal, Plain, decimal};
use crate::calls::{By, Call, Field, Kind, Priority, Reply, Retry, Transport};
use proptest::prelude::*;

const FIELDS: &[Field] = &[
    Field { name: "OrderId", kind: Kind::Id, required: true, by: By::Script },
    Field { name: "SessionToken", kind: Kind::Text, required: true, by: By::Host },
    Field { name: "Quantity", kind: Kind::Dec, required: true, by: By::Script },
];

fn call(reply: Reply) -> Call {
    Call {
        name: "Some",
        args: &[],
        reply,
        lane: Priority::Query,
        retry: Retry::Repeat,
        grant: false,
        auth: false,
        switch: None,
        contract: "FLOW-C00",
        doc: "",
        transport: Transport::Socket,
        one_of: &[],
        errors: &[],
    }
}

/// (JSON, the same as `Plain` shows it)
#[test]
fn json_is_read_exactly() {
    for (json, expected) in [
        ("9222816249026513001", "9222816249026513001"),
        ("0.0000000100000000000000000000", "\"0.00000001\""),
        ("1.0e-08", "\"0.00000001\""),
        (
            r#" { "b" : [ 1 , 2.50, null ] , "a":"x\u00e9\"" } "#,
            r#"{"b":[1,"2.5",null],"a":"xé\""}"#,
        ),
        ("[]", "[]"),
        ("true", "true"),
    ] {
        assert_eq!(plain(json).unwrap().json(), expected, "{json}");
    }
    for bad in ["", "{", "TOO MANY REQUESTS", "<html>", "[1,]"] {
        assert!(plain(bad).is_err(), "{bad}");
    }
    assert!(plain(&format!("{}1{}", "[".repeat(40), "]".repeat(40))).is_err());
}

/// FLOW-F29, FLOW-P03: ids are text, documented names come back as documented, tokens stay here.
#[test]
fn replies_take_the_tables_shape() {
    let reply = plain(r#"{"orderid":9222816249026513001,"sessiontoken":"t","Quantity":0.5,"x":1}"#);
    let shape = shaped(&call(Reply::Object(FIELDS)), reply.unwrap());
    assert_eq!(shape.json(), r#"{"OrderId":"9222816249026513001","Quantity":"0.5","x":1}"#);
    let rows = shaped(&call(Reply::Rows(FIELDS)), plain("[[7,8,9,10]]").unwrap());
    assert_eq!(rows.json(), r#"[["7",8,9,10]]"#);
    let keyed = shaped(&call(Reply::Keyed(FIELDS)), plain(r#"{"12":{"ORDERID":3}}"#).unwrap());
    assert_eq!(keyed.json(), r#"{"12":{"OrderId":"3"}}"#);
}

#[test]
fn requests_have_numbers_for_decimals_and_escaped_text() {
    let list = Plain::List(vec![Plain::map(vec![("v", Plain::Decimal(Decimal::new(10, 2)))])]);
    let args = [("A", Plain::Int(i64::MAX)), ("B", Plain::text("João \"\\")), ("C", list)];
    assert_eq!(body(&args), r#"{"A":9223372036854775807,"B":"João \"\\","C":[{"v":0.1}]}"#);
}

proptest! {
    #[test]
    fn decimals_go_out_and_come_back(mantissa in any::<i64>(), scale in 0u32..18) {
        let value = Decimal::new(mantissa, scale);
        let text = body(&[("V", Plain::Decimal(value))]);
        let back = plain(&text).unwrap();
        let back = match back.get("V") {
            Some(Plain::Decimal(back)) => *back,
            Some(Plain::Int(whole)) => Decimal::from(*whole),
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(back, value, "{}", decimal::show(value));
    }
}
