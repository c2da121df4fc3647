//! Lanes under tables and under random traffic.

use super::{Lane, Pace, Turn};
use crate::base::{Span, Time};
use crate::calls::Priority;
use proptest::prelude::*;

fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

fn lane(limit: u32, reserve: u32) -> Lane<&'static str> {
    Lane::new(Pace { limit, reserve, span: Span::from_millis(1000) })
}

fn drain<T>(lane: &mut Lane<T>, now: Time) -> Vec<Turn<T>> {
    std::iter::from_fn(|| lane.next(now)).collect()
}

#[test]
fn cancels_go_first_and_equals_in_order() {
    let mut lane = lane(10, 0);
    for (priority, item) in [
        (Priority::Poll, "poll"),
        (Priority::New, "new 1"),
        (Priority::Replace, "replace"),
        (Priority::New, "new 2"),
        (Priority::Query, "query"),
        (Priority::Reconcile, "reconcile"),
        (Priority::Cancel, "cancel"),
    ] {
        lane.push(at(0), priority, Time::MAX, item);
    }
    let order: Vec<_> = drain(&mut lane, at(0));
    let expected = ["cancel", "reconcile", "replace", "new 1", "new 2", "query", "poll"];
    assert_eq!(order, expected.map(Turn::Sent));
}

#[test]
fn the_reserve_is_for_cancels_and_reconciliation() {
    let mut lane = lane(4, 2);
    for item in ["a", "b", "c"] {
        lane.push(at(0), Priority::New, Time::MAX, item);
    }
    assert_eq!(drain(&mut lane, at(0)), [Turn::Sent("a"), Turn::Sent("b")]);
    assert_eq!(lane.left(at(0)), 0);
    lane.push(at(1), Priority::Cancel, Time::MAX, "cancel");
    lane.push(at(1), Priority::Reconcile, Time::MAX, "look");
    lane.push(at(1), Priority::Cancel, Time::MAX, "cancel 2");
    assert_eq!(drain(&mut lane, at(1)), [Turn::Sent("cancel"), Turn::Sent("cancel 2")]);
    assert_eq!(lane.wake_at(), Some(Time::from_nanos(1_000_000_001)), "the first two fall out");
    assert_eq!(drain(&mut lane, at(1000)), []);
    assert_eq!(drain(&mut lane, Time::from_nanos(1_000_000_001)), [Turn::Sent("look")]);
    assert_eq!(drain(&mut lane, at(1002)), [Turn::Sent("c")], "two cancels fell out");
    assert_eq!((lane.left(at(1002)), lane.left(at(5000))), (0, 2));
}

#[test]
fn expired_items_come_back_and_are_never_sent() {
    let mut lane = lane(1, 0);
    lane.push(at(0), Priority::New, at(5), "first");
    lane.push(at(0), Priority::New, at(5), "late");
    assert_eq!(drain(&mut lane, at(5)), [Turn::Sent("first")], "its deadline is the last moment");
    assert_eq!(lane.wake_at(), Some(Time::from_nanos(5_000_001)));
    assert_eq!(drain(&mut lane, at(6)), [Turn::Expired("late")]);
    assert_eq!((lane.wake_at(), lane.is_empty()), (None, true));
}

#[test]
fn a_held_lane_waits_and_waiting_items_can_be_taken_out() {
    let mut lane = lane(5, 0);
    lane.hold(at(100));
    lane.push(at(0), Priority::New, Time::MAX, "a");
    lane.push(at(0), Priority::Cancel, Time::MAX, "b");
    assert_eq!((lane.next(at(99)), lane.wake_at()), (None, Some(at(100))));
    assert_eq!(lane.take(|item| *item == "a"), ["a"]);
    assert_eq!(drain(&mut lane, at(100)), [Turn::Sent("b")]);
}

#[test]
fn a_lane_whose_whole_limit_is_reserve_never_promises_a_turn() {
    let mut lane = lane(2, 2);
    lane.push(at(0), Priority::New, Time::MAX, "a");
    assert_eq!((lane.next(at(0)), lane.wake_at()), (None, Some(Time::MAX)));
}

#[test]
fn a_restart_is_not_followed_by_a_burst() {
    let mut before = lane(3, 0);
    for item in ["a", "b", "c"] {
        before.push(at(0), Priority::New, Time::MAX, item);
    }
    assert_eq!(drain(&mut before, at(900)).len(), 3);
    let mut after = lane(3, 0);
    after.restore(before.sent());
    after.push(at(901), Priority::New, Time::MAX, "d");
    assert_eq!((after.next(at(1900)), after.left(at(901))), (None, 0));
    assert_eq!(after.next(at(1901)), Some(Turn::Sent("d")));
}

#[derive(Clone, Debug)]
struct Item {
    priority: Priority,
    deadline: Time,
}

fn traffic() -> impl Strategy<Value = Vec<(i64, u8, i64)>> {
    // Milliseconds since the one before, priority, milliseconds of patience.
    prop::collection::vec((0i64..400, 0u8..6, 0i64..3000), 1..200)
}

fn priority(number: u8) -> Priority {
    match number {
        0 => Priority::Cancel,
        1 => Priority::Reconcile,
        2 => Priority::Replace,
        3 => Priority::New,
        4 => Priority::Query,
        _ => Priority::Poll,
    }
}

proptest! {
    /// Driven by its own `wake_at`, whatever comes: no window of the span ever holds more than
    /// the limit, what has no right to the reserve never sees it, nothing goes late, nothing is
    /// lost.
    #[test]
    fn no_window_ever_holds_more(pushes in traffic(), limit in 1u32..8, reserve in 0u32..4) {
        let reserve = reserve.min(limit - 1);
        let span = Span::from_millis(1000);
        let mut lane = Lane::new(Pace { limit, reserve, span });
        let mut sent: Vec<(Time, Item)> = Vec::new();
        let mut expired = 0;
        let mut now = at(0);
        let total = pushes.len();
        let mut pushes = pushes.into_iter().peekable();
        let mut next_push = now;
        for _ in 0..10_000 {
            while pushes.peek().is_some() && next_push <= now {
                let (gap, number, patience) = pushes.next().unwrap();
                let deadline = now.plus(Span::from_millis(patience));
                let item = Item { priority: priority(number), deadline };
                lane.push(now, item.priority, deadline, item);
                next_push = now.plus(Span::from_millis(gap));
            }
            while let Some(turn) = lane.next(now) {
                match turn {
                    Turn::Sent(item) => sent.push((now, item)),
                    Turn::Expired(item) => {
                        prop_assert!(item.deadline < now);
                        expired += 1;
                    }
                }
            }
            let wake = lane.wake_at();
            prop_assert!(wake.is_none_or(|wake| wake > now), "a wake-up that has passed");
            let push = pushes.peek().map(|_| next_push);
            match wake.into_iter().chain(push).min() {
                Some(next) => now = next.max(now),
                None => break,
            }
        }
        prop_assert_eq!(sent.len() + expired, total);
        for (at, (time, item)) in sent.iter().enumerate() {
            prop_assert!(*time <= item.deadline);
            let window = sent[..=at].iter().filter(|(other, _)| time.since(*other) <= span).count();
            let most = if item.priority.may_use_reserve() { limit } else { limit - reserve };
            prop_assert!(window <= most as usize, "{} in a window of {}", window, most);
        }
    }

    /// A cancel waits behind nothing but cancels pushed before it.
    #[test]
    fn no_cancel_waits_behind_anything_else(numbers in prop::collection::vec(0u8..6, 1..60)) {
        let mut lane = Lane::new(Pace { limit: 1, reserve: 0, span: Span::from_millis(10) });
        for (id, number) in numbers.iter().enumerate() {
            lane.push(at(0), priority(*number), Time::MAX, (*number, id));
        }
        let mut order = Vec::new();
        while let Some(wake) = lane.wake_at() {
            while let Some(Turn::Sent(item)) = lane.next(wake) {
                order.push(item);
            }
        }
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(&order, &sorted);
        prop_assert_eq!(order.len(), numbers.len());
    }
}

#[test]
fn what_was_long_on_its_way_counts_from_when_it_came() {
    let mut lane = lane(1, 0);
    lane.push(at(0), Priority::New, Time::MAX, "a");
    lane.push(at(0), Priority::New, Time::MAX, "b");
    assert_eq!(drain(&mut lane, at(0)), [Turn::Sent("a")]);
    lane.landed(at(0), at(300));
    assert_eq!(lane.sent().collect::<Vec<_>>(), [at(300)]);
    assert_eq!(drain(&mut lane, at(1_300)), []);
    assert_eq!(drain(&mut lane, at(1_301)), [Turn::Sent("b")]);
    lane.landed(at(0), at(5_000));
    assert_eq!(lane.sent().collect::<Vec<_>>(), [at(1_301)], "it is known no more");
}
