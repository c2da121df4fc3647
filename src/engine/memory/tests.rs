//! What is kept comes back bit for bit, within its bounds.

use super::*;
use proptest::prelude::*;

fn text(text: &str) -> Plain {
    Plain::text(text)
}

fn keep(value: Plain) -> Result<(), String> {
    Memory::new(Memories::new(), true).keep(Time::ZERO, "s", "x", value)
}

/// The bits of every number, where `==` would take -0 for 0.
fn bits(value: &Plain) -> String {
    match value {
        Plain::Number(number) => format!("{:x}", number.to_bits()),
        Plain::List(items) => format!("[{}]", items.iter().map(bits).collect::<String>()),
        Plain::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| format!("{key:?}={};", bits(value)));
            format!("{{{}}}", pairs.collect::<String>())
        }
        Plain::Nil
        | Plain::Bool(_)
        | Plain::Int(_)
        | Plain::Decimal(_)
        | Plain::Text(_)
        | Plain::Object(..) => format!("{value:?}"),
    }
}

fn comes_back(value: &Plain) {
    let mut memory = Memory::new(Memories::new(), true);
    memory.keep(Time::ZERO, "s", "x", value.clone()).unwrap();
    assert_eq!(bits(&memory.get("s", "x")), bits(value));
    let told = memory.take_change().unwrap().value.unwrap();
    assert_eq!(bits(&json::doubles(&told).unwrap()), bits(value), "{told}");
}

#[test]
fn values_come_back_exactly() {
    for number in [
        0.0,
        -0.0,
        1.0,
        0.1,
        -1.5,
        1e300,
        5e-324,
        f64::MAX,
        f64::EPSILON,
        9_007_199_254_740_993.0,
        9.3e18,
        1.0 / 3.0,
        0.1 + 0.2,
    ] {
        comes_back(&Plain::Number(number));
    }
    for value in [
        text(""),
        text("\"\\\n\t\u{1}\u{7f}é😀\0"),
        Plain::Bool(false),
        Plain::Map(Vec::new()),
        Plain::List(vec![Plain::Map(Vec::new()), text("1"), Plain::Number(1.0)]),
        Plain::map(vec![("", text("a")), ("class", text("b")), ("1", Plain::Bool(true))]),
    ] {
        comes_back(&value);
    }
    let deep = |tables| (0..tables).fold(Plain::Bool(true), |inner, _| Plain::List(vec![inner]));
    comes_back(&deep(json::DEEPEST));
    assert_eq!(
        keep(deep(json::DEEPEST + 1)).unwrap_err(),
        format!("x{} nests deeper than 16 tables", "[1]".repeat(17))
    );
}

fn plain() -> impl Strategy<Value = Plain> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Plain::Bool),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Plain::Number),
        ".{0,8}".prop_map(Plain::Text),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..6).prop_map(Plain::List),
            prop::collection::btree_map(".{0,6}", inner, 0..6).prop_map(|map| {
                Plain::Map(map.into_iter().map(|(key, value)| (Plain::Text(key), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_plain_data_comes_back_exactly(value in plain()) {
        comes_back(&value);
    }
}

#[test]
fn what_json_does_not_give_back_is_refused_with_its_place() {
    let number = Plain::Number;
    for (value, expected) in [
        (number(f64::NAN), "x is NaN; numbers are finite"),
        (Plain::map(vec![("a", number(f64::INFINITY))]), "x.a is inf; numbers are finite"),
        (
            Plain::map(vec![("a", Plain::Map(vec![(number(3.0), text("c"))]))]),
            "x.a[3]: keys are text, or 1, 2, 3 … without holes",
        ),
        (
            Plain::List(vec![Plain::Map(vec![(Plain::Bool(true), text("c"))])]),
            "x[1][true]: keys are text, or 1, 2, 3 … without holes",
        ),
        (
            Plain::map(vec![("ema", Plain::Object("ta.ema".into(), Vec::new()))]),
            "x.ema is an object (ta.ema); keep its fields as plain data",
        ),
        (text(&"x".repeat(LARGEST - 1)), "x is 262145 bytes of JSON, above 262144"),
    ] {
        assert_eq!(keep(value).unwrap_err(), expected);
    }
    keep(text(&"x".repeat(LARGEST - 2))).unwrap();
}

#[test]
fn names_are_bounded_and_forgotten_ones_make_room() {
    let mut memory = Memory::new(Memories::new(), true);
    let mut keep = |name: &str, value: Plain| memory.keep(Time::ZERO, "s", name, value);
    for at in 0..MOST_NAMES {
        keep(&format!("n{at}"), Plain::Bool(true)).unwrap();
    }
    let full = keep("more", Plain::Bool(true)).unwrap_err();
    assert_eq!(full, "64 names are in use; forget one with ctx:remember(name, nil)");
    keep("n3", Plain::Bool(false)).unwrap();
    keep("none", Plain::Nil).unwrap();
    keep("n4", Plain::Nil).unwrap();
    keep("more", Plain::Bool(true)).unwrap();
    for name in ["", &"n".repeat(129)] {
        let refused = keep(name, Plain::Bool(true)).unwrap_err();
        assert_eq!(refused, format!("a name has 1 to 128 bytes, not {}", name.len()));
    }
    memory.keep(Time::ZERO, "other", "more", text("own")).unwrap();
    assert_eq!(memory.get("s", "more"), Plain::Bool(true));
    assert_eq!((memory.get("s", "n4"), memory.get("none", "n4")), (Plain::Nil, Plain::Nil));
}

#[test]
fn of_several_changes_the_last_is_told() {
    let mut memory = Memory::new(Memories::new(), true);
    let mut keep =
        |at, name: &str, value| memory.keep(Time::from_nanos(at), "s", name, value).unwrap();
    keep(1, "a", text("1"));
    keep(1, "b", text("1"));
    keep(2, "a", text("2"));
    keep(2, "b", Plain::Nil);
    let told = std::iter::from_fn(|| memory.take_change());
    let told: Vec<_> = told.map(|c| (c.at.nanos(), c.name, c.value)).collect();
    let expected = [(2, "a".into(), Some("\"2\"".into())), (2, "b".into(), None)];
    assert_eq!(told, expected);
    let mut silent = Memory::new(Memories::new(), false);
    silent.keep(Time::ZERO, "s", "a", text("1")).unwrap();
    assert_eq!((silent.get("s", "a"), silent.take_change()), (text("1"), None));
}
