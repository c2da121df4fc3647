//! The budget by itself: windows, the reserve of turns, keys that share.

use super::*;
use proptest::prelude::*;

const MINUTE: Span = Span::from_secs(60);

fn at(millis: i64) -> Time {
    Time::from_millis(1_000_000 + millis)
}

fn lane(limit: u32, reserve: u32) -> UserLane {
    UserLane::new(Pace { limit, reserve, span: MINUTE })
}

fn shape(price: i64) -> Shape {
    ("btc_brl".to_owned(), Side::Buy, Decimal::from(price), Decimal::ONE)
}

/// A request counts from its answer, and for the whole minute after.
#[test]
fn a_request_counts_from_its_answer() {
    let lane = lane(1, 0);
    let seat = lane.sit();
    assert!(seat.may_go(at(0), Priority::New));
    seat.sent(at(0));
    assert_eq!(lane.left(at(0)), 0);
    assert!(!seat.may_go(at(59_000), Priority::New), "it may arrive yet");
    seat.landed(at(5_000));
    assert_eq!(seat.room_at(Priority::New), at(65_000).plus(Span::from_nanos(1)));
    for (millis, goes) in [(60_000, false), (65_000, false), (65_001, true)] {
        assert_eq!(seat.may_go(at(millis), Priority::New), goes, "{millis}");
    }
}

/// After a burst the reserve is kept for cancels; spaced evenly nothing is kept back.
#[test]
fn the_reserve_is_of_turns() {
    let burst = lane(60, 10);
    burst.restore((0..50).map(|_| at(0)), Span::ZERO);
    let seat = burst.sit();
    assert_eq!((burst.left(at(1)), burst.left(at(50_001))), (0, 1));
    for (priority, goes) in [
        (Priority::Cancel, true),
        (Priority::Reconcile, true),
        (Priority::New, false),
        (Priority::Query, false),
        (Priority::Withdrawal, false),
    ] {
        assert_eq!(seat.may_go(at(1), priority), goes, "{priority:?}");
    }
    let even = lane(60, 10);
    even.restore((0..59).map(|n| at(n * 1_010)), Span::ZERO);
    assert!(even.sit().may_go(at(60_000), Priority::New));
}

#[test]
fn a_hold_and_a_restart_count_for_all_keys() {
    let lane = lane(2, 0);
    let (one, two) = (lane.sit(), lane.clone().sit());
    lane.hold(at(3_000));
    assert!(!one.may_go(at(2_999), Priority::Cancel) && !two.may_go(at(2_999), Priority::Cancel));
    assert_eq!((lane.left(at(0)), lane.left(at(3_000))), (0, 2));
    lane.restore([at(0), at(1)], Span::from_secs(10));
    assert!(!two.may_go(at(70_000), Priority::Cancel) && two.may_go(at(70_001), Priority::New));
}

/// The better priority of one key goes before the other key's, and equals take turns.
#[test]
fn keys_wait_for_each_other() {
    let lane = lane(1, 0);
    let (one, two) = (lane.sit(), lane.sit());
    two.wants(Some(Priority::Cancel));
    assert!(!one.may_go(at(0), Priority::New) && two.may_go(at(0), Priority::Cancel));
    two.wants(Some(Priority::New));
    assert!(one.may_go(at(0), Priority::New));
    one.sent(at(0));
    one.landed(at(1));
    one.wants(Some(Priority::New));
    assert!(!one.may_go(at(60_002), Priority::New), "the other has waited longer");
    assert!(two.may_go(at(60_002), Priority::New));
    drop(two);
    assert!(one.may_go(at(60_002), Priority::New), "nobody waits for one that is gone");
}

#[test]
fn orders_that_look_the_same_are_told_apart() {
    let lane = lane(60, 10);
    let (one, two) = (lane.sit(), lane.sit());
    one.doubt(Some(shape(400)));
    assert!(two.is_doubted(&shape(400)) && !one.is_doubted(&shape(400)));
    assert!(!two.is_doubted(&shape(401)));
    one.doubt(None);
    one.claim(7);
    assert!(!two.is_doubted(&shape(400)) && two.is_claimed(7) && !two.is_claimed(8));
}

proptest! {
    /// However long requests take to arrive and to be answered: no window holds more than the
    /// limit by the venue's clock of arrivals.
    #[test]
    fn no_window_holds_too_many(
        trips in prop::collection::vec((0i64..400, 0i64..400, 0u8..4), 20..300),
    ) {
        let lane = lane(10, 3);
        let seat = lane.sit();
        let (mut now, mut arrivals) = (0, Vec::new());
        for (up, down, kind) in trips {
            let priority = if kind == 0 { Priority::Cancel } else { Priority::New };
            while !seat.may_go(at(now), priority) {
                now += 50;
            }
            seat.sent(at(now));
            arrivals.push(now + up);
            now += up + down;
            seat.landed(at(now));
        }
        for window in arrivals.windows(11) {
            prop_assert!(window[10] - window[0] > 60_000, "{:?}", window);
        }
    }
}
