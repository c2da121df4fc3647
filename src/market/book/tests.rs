//! Books as tables, and against a plain list of levels.

use super::*;
use crate::base::{InstrumentId, decimal};
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

/// Levels as `b100=2` and `a101=0`.
fn change(snapshot: bool, text: &str) -> BookChange {
    let level = |word: &str| {
        let side = if word.starts_with('b') { BookSide::Bid } else { BookSide::Ask };
        let (price, qty) = word[1..].split_once('=').unwrap();
        Level { side, price: d(price), qty: d(qty) }
    };
    BookChange {
        time: Time::from_millis(1),
        instrument: InstrumentId(0),
        snapshot,
        levels: text.split_whitespace().map(level).collect(),
    }
}

fn book(text: &str) -> Book {
    let mut book = Book::default();
    book.apply(&change(true, text));
    book
}

fn shown(book: &Book) -> String {
    let side = |side| -> Vec<String> {
        book.levels(side, 9).map(|(price, qty)| format!("{price}={qty}")).collect()
    };
    format!("{} | {}", side(BookSide::Bid).join(" "), side(BookSide::Ask).join(" "))
}

#[test]
fn levels_apply_in_array_order_best_first() {
    let mut book = book("b99=1 b100=2 a102=3 a101=4");
    assert_eq!(shown(&book), "100=2 99=1 | 101=4 102=3");
    // FLOW-V03: new, update, delete; the last word on a price counts.
    book.apply(&change(false, "b100=0 b100=5 a101=0 a103=1 a103=0 b98=0"));
    assert_eq!(shown(&book), "100=5 99=1 | 102=3");
    book.apply(&change(true, "a7=1 b0=5"));
    assert_eq!(shown(&book), " | 7=1");
    assert_eq!((book.depth(BookSide::Bid), book.depth(BookSide::Ask)), (0, 1));
}

#[test]
fn one_price_written_two_ways_is_one_level() {
    // FLOW-P24: 28 places.
    let mut book = book("b100=2");
    book.apply(&change(false, "b100.0000000000000000000000=0"));
    assert_eq!(shown(&book), " | ");
}

#[test]
fn tops_mid_and_crossing() {
    for (text, mid, crossed) in [
        ("", None, false),
        ("b100=1", None, false),
        ("b100=1 a101=1", Some("100.5"), false),
        ("b100=1 a100=1", Some("100"), true),
        ("b102=1 b99=1 a101=1", Some("101.5"), true),
    ] {
        let book = book(text);
        assert_eq!((book.mid(), book.is_crossed()), (mid.map(d), crossed), "{text}");
    }
}

#[test]
fn vwap_walks_the_other_side() {
    let book = book("b99=1 b98=3 a101=1 a102=1");
    for (side, qty, expected) in [
        (Side::Buy, "1", Some("101")),
        (Side::Buy, "2", Some("101.5")),
        (Side::Buy, "2.1", None),
        (Side::Sell, "4", Some("98.25")),
        (Side::Sell, "0", None),
        (Side::Sell, "-1", None),
    ] {
        assert_eq!(book.vwap(side, d(qty)), expected.map(d), "{side:?} {qty}");
    }
}

proptest! {
    #[test]
    fn agrees_with_a_plain_list(
        changes in prop::collection::vec((any::<bool>(), 1i64..20, 0i64..4), 0..80)
    ) {
        let mut book = Book::default();
        let mut list: Vec<(BookSide, i64, i64)> = Vec::new();
        for (bid, price, qty) in changes {
            let side = if bid { BookSide::Bid } else { BookSide::Ask };
            book.set(&Level { side, price: Decimal::from(price), qty: Decimal::from(qty) });
            list.retain(|row| (row.0, row.1) != (side, price));
            if qty > 0 {
                list.push((side, price, qty));
            }
        }
        list.sort_by_key(|row| if row.0 == BookSide::Bid { (0, -row.1) } else { (1, row.1) });
        let expected: Vec<_> =
            list.iter().map(|row| (Decimal::from(row.1), Decimal::from(row.2))).collect();
        let found: Vec<_> =
            book.levels(BookSide::Bid, 99).chain(book.levels(BookSide::Ask, 99)).collect();
        prop_assert_eq!(found, expected);
    }
}
