//! Tonces and the clock they follow (Part D).

use super::*;
use crate::base::Instruments;
use proptest::prelude::*;

fn line(last_tonce: i64) -> Line {
    let key = Secret::new("key");
    Line::new(&SessionConfig::new(key.clone(), key, last_tonce, Instruments::default()))
}

fn at(second: i64) -> Time {
    Time::from_millis(second * 1_000)
}

/// The tonce is the server's second where that is larger than the last and one.
#[test]
fn the_servers_second_or_one_more() {
    let mut line = line(0);
    assert_eq!(line.next_tonce(at(1_000)), 1_000);
    assert_eq!(line.next_tonce(at(1_000)), 1_001);
    // The local clock jumps back: counting goes on.
    assert_eq!(line.next_tonce(at(400)), 1_002);
    // The server is 10 s ahead, by the middle of an exchange that took 2 s.
    line.clock(at(1_004), at(1_006), at(1_015));
    assert_eq!(line.next_tonce(at(1_006)), 1_016);
    // One strange reading moves it by a second only.
    line.clock(at(1_006), at(1_006), at(9_000));
    assert_eq!(line.next_tonce(at(1_007)), 1_018);
    line.clock(at(1_008), at(1_008), at(500));
    assert_eq!(line.next_tonce(at(1_010)), 1_020);
}

proptest! {
    /// Whatever the clocks do, tonces rise, and no reading burns more than a second of them.
    #[test]
    fn tonces_rise_by_little(
        readings in prop::collection::vec((0i64..5_000, -5_000i64..5_000), 1..50),
    ) {
        let mut line = line(0);
        let mut now = 10_000;
        line.clock(at(now), at(now), at(now));
        let mut last = line.next_tonce(at(now));
        for (step, off) in readings {
            now += step.max(1);
            line.clock(at(now), at(now), at(now + off));
            let tonce = line.next_tonce(at(now));
            prop_assert!(tonce > last && tonce - last <= step.max(1) + 2, "{} {}", last, tonce);
            last = tonce;
        }
    }
}
