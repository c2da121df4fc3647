//! Tables and properties for the shared words: decimals above all.

use super::decimal::{
    ceil_to, floor_to, from_f64, mantissa_at, parse, scaled_to_f64, show, to_f64,
};
use super::rng::Rng;
use super::{Decimal, OrderKey, Plain, Refusal, Secret, Span, StrategyId, Time};
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    parse(text).unwrap()
}

#[test]
fn decimals_parse_exactly() {
    // FLOW-T11, FLOW-P24
    for (text, shown) in [
        ("19069.310000000000000000000000", "19069.31"),
        ("2345.5251300000000000000000000", "2345.52513"),
        ("0.0000000100000000000000000000", "0.00000001"),
        ("1.0e-08", "0.00000001"),
        ("1e3", "1000"),
        ("-0.8840484322659869790760434400", "-0.88404843226598697907604344"),
        ("0.000000000000000000000000000000000", "0"),
        ("+5", "5"),
        ("-0", "0"),
    ] {
        assert_eq!(show(d(text)), shown, "{text}");
    }
}

#[test]
fn decimals_that_cannot_be_exact_are_refused() {
    for text in [
        "",
        " ",
        "abc",
        "1.2.3",
        "0x10",
        "NaN",
        "inf",
        "1e-29",
        "1_000",
        "99999999999999999999999999999999",
        "0.12345678901234567890123456789",
        "--1",
        "1e",
        "e5",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn doubles_cross_by_their_shortest_form() {
    assert_eq!(from_f64(60727.05).map(show).as_deref(), Some("60727.05"));
    assert_eq!(from_f64(0.1 + 0.2).map(show).as_deref(), Some("0.30000000000000004"));
    assert_eq!(from_f64(f64::NAN), None);
    assert_eq!(from_f64(f64::INFINITY), None);
    assert_eq!(from_f64(1e300), None);
}

#[test]
fn snapping_goes_down_and_up() {
    assert_eq!(show(floor_to(d("1.239"), d("0.01"))), "1.23");
    assert_eq!(show(ceil_to(d("1.231"), d("0.01"))), "1.24");
    assert_eq!(show(ceil_to(d("1.24"), d("0.01"))), "1.24");
    assert_eq!(show(floor_to(d("1.239"), Decimal::ZERO)), "1.239");
}

#[test]
fn order_keys_carry_run_strategy_and_sequence() {
    let key = OrderKey::compose(30_000_000, StrategyId(7), 12_345).unwrap();
    assert_eq!((key.run(), key.strategy(), key.sequence()), (30_000_000, StrategyId(7), 12_345));
    assert_eq!(OrderKey::compose(0, StrategyId(0), 0), None);
    assert_eq!(OrderKey::compose(OrderKey::MAX_RUN + 1, StrategyId(0), 1), None);
    assert_eq!(OrderKey::from_wire(0), None);
    assert!(
        OrderKey::compose(OrderKey::MAX_RUN, StrategyId(255), OrderKey::MAX_SEQUENCE)
            .unwrap()
            .wire()
            > 0
    );
}

#[test]
fn times_and_spans_show_as_people_write_them() {
    assert_eq!(Time::from_millis(1_602_269_461_897).to_string(), "2020-10-09T18:51:01.897Z");
    assert_eq!(Span::from_millis(10).to_string(), "10ms");
    assert_eq!(Span::from_secs(2).to_string(), "2s");
    assert_eq!(Span::from_seconds(f64::NAN), None);
}

#[test]
fn secrets_do_not_print() {
    let secret = Secret::new("canary");
    assert!(!format!("{secret} {secret:?}").contains("canary"));
}

#[test]
fn plain_writes_json() {
    let plain = Plain::map(vec![
        ("a", Plain::List(vec![Plain::Int(i64::MAX), Plain::Decimal(d("1.10")), Plain::Nil])),
        ("b\"", Plain::Object("ta.ema".into(), vec![(Plain::Int(1), Plain::Number(0.5))])),
    ]);
    assert_eq!(
        plain.json(),
        r#"{"a":[9223372036854775807,"1.1",null],"b\"":{"class":"ta.ema","1":0.5}}"#
    );
}

#[test]
fn refusals_read_as_code_and_facts() {
    let refusal = Refusal::new("LIMIT_MAX_POSITION").with("limit", "1.0").with("would_be", "1.2");
    assert_eq!(refusal.to_string(), "LIMIT_MAX_POSITION limit=1.0 would_be=1.2");
}

#[test]
fn the_generator_is_pinned() {
    let mut rng = Rng::new(42, 54);
    // The reference sequence of PCG's own demo program (pcg32-demo, seed 42, sequence 54).
    let first: Vec<u32> = (0..4).map(|_| rng.next_u32()).collect();
    assert_eq!(first, [0xa15c_02b7, 0x7b47_f409, 0xba1d_3330, 0x83d2_f293]);
}

proptest! {
    #[test]
    fn shown_decimals_read_back(mantissa in any::<i64>(), scale in 0u32..=28) {
        let value = Decimal::new(mantissa, scale);
        prop_assert_eq!(parse(&show(value)).unwrap(), value);
    }

    #[test]
    fn shown_decimals_have_no_trailing_zeros(
        high in 0i64..1_000, low in any::<i64>(), zeros in 0u32..6, scale in 0u32..=28
    ) {
        let mantissa = i128::from(high) << 64 | i128::from(low);
        for mantissa in [i128::from(low), i128::from(low) / 10i128.pow(12 + zeros), mantissa] {
            let mantissa = mantissa / 10i128.pow(zeros) * 10i128.pow(zeros);
            let value = Decimal::from_i128_with_scale(mantissa, scale);
            let expected = if value.is_zero() { "0".into() } else { value.normalize().to_string() };
            prop_assert_eq!(show(value), expected);
        }
    }

    #[test]
    fn doubles_round_trip(value in -1e12f64..1e12) {
        if let Some(exact) = from_f64(value) {
            prop_assert_eq!(to_f64(exact).to_bits(), (value + 0.0).to_bits());
        }
    }

    #[test]
    fn scaled_rows_agree_with_text(mantissa in any::<i64>(), scale in 0u32..=12) {
        let text = Decimal::new(mantissa, scale).to_string();
        prop_assert_eq!(
            scaled_to_f64(mantissa, scale).to_bits(),
            text.parse::<f64>().unwrap().to_bits()
        );
        prop_assert_eq!(mantissa_at(Decimal::new(mantissa, scale), scale), Some(mantissa));
    }
}
