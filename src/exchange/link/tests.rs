//! The delay line keeps order and time.

use proptest::prelude::*;

use super::*;

#[test]
fn items_come_out_after_the_latency_in_order() {
    let mut link = Link::new(Span::from_nanos(10));
    assert_eq!(link.next_at(), None);
    link.send(Time::from_nanos(5), 'a');
    link.send(Time::from_nanos(5), 'b');
    link.send(Time::from_nanos(7), 'c');
    assert_eq!(link.next_at(), Some(Time::from_nanos(15)));
    assert_eq!(link.due(Time::from_nanos(14)), None);
    assert_eq!(link.due(Time::from_nanos(15)), Some((Time::from_nanos(15), 'a')));
    assert_eq!(link.due(Time::from_nanos(99)), Some((Time::from_nanos(15), 'b')));
    assert_eq!(link.due(Time::from_nanos(99)), Some((Time::from_nanos(17), 'c')));
    assert_eq!(link.due(Time::from_nanos(99)), None);
}

#[test]
fn a_negative_latency_is_none() {
    let mut link = Link::new(Span::from_nanos(-3));
    link.send(Time::from_nanos(5), ());
    assert_eq!(link.due(Time::from_nanos(5)), Some((Time::from_nanos(5), ())));
}

proptest! {
    /// Even if a caller's clock steps back, nothing overtakes.
    #[test]
    fn nothing_overtakes(times in prop::collection::vec(0i64..1000, 0..50), latency in 0i64..100) {
        let mut link = Link::new(Span::from_nanos(latency));
        for (n, at) in times.iter().enumerate() {
            link.send(Time::from_nanos(*at), n);
        }
        let mut last = Time::ZERO;
        for (n, at) in times.iter().enumerate() {
            let (due, item) = link.due(Time::MAX).unwrap();
            prop_assert_eq!(item, n);
            prop_assert!(due >= last && due >= Time::from_nanos(at + latency));
            last = due;
        }
    }
}
