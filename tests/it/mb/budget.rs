//! The rate budget under more demand than it holds, by the venue's own sliding window.

use super::*;

const TEN_MINUTES: i64 = 600;

/// What is asked for, beyond what the budget holds.
#[derive(Copy, Clone, Debug)]
enum Demand {
    /// Orders only: nothing of it has a right to the reserve.
    Orders,
    /// Orders, cancels, lists and balances.
    Mixed,
}

/// Ten minutes in steps of 100 ms.
fn press(rig: &mut Rig, demand: Demand, seed: u64) {
    let mut rng = Rng::new(seed, 31);
    rig.judged = true;
    for tick in 0..TEN_MINUTES * 10 {
        for session in 0..rig.sessions.len() {
            let at = tick + i64::try_from(session).unwrap() * 3;
            if at % 7 == 0 {
                let volume = format!("0.{:08}", 1_000_000 + tick * 2 + at % 2);
                let place = rig.limit(Side::Buy, "1.5", &volume);
                rig.place(session, place, rng.below(2) == 0);
            }
            if matches!(demand, Demand::Orders) {
                continue;
            }
            if at % 37 == 0 {
                let own = |key: &OrderKey| rig.owners.get(key) == Some(&session);
                let open: Vec<OrderKey> = rig.working().into_iter().filter(own).collect();
                let waiting = |key: &OrderKey| rig.cancels.contains_key(key);
                if let Some(key) = open.into_iter().find(|key| !waiting(key)) {
                    rig.cancel(session, key, rng.below(2) == 0);
                }
            }
            if at % 23 == 0 {
                rig.call(session, "getInfo", Vec::new(), None);
            }
            if at % 31 == 0 {
                let pair = vec![("pair", Plain::text("btc_brl"))];
                rig.call(session, "OrderList", pair, None);
            }
        }
        rig.wait(ms(100));
    }
}

/// The most requests of any sliding minute, by their arrival.
fn densest(arrivals: &[(Time, String)]) -> usize {
    let times: Vec<Time> = arrivals.iter().map(|(at, _)| *at).collect();
    let within = |from: usize| {
        times[from..].iter().take_while(|at| at.since(times[from]) < secs(60)).count()
    };
    (0..times.len()).map(within).max().unwrap_or(0)
}

fn used(rig: &Rig) -> usize {
    let end = start().plus(secs(TEN_MINUTES));
    rig.wires.arrivals.iter().filter(|(at, _)| *at < end).count()
}

/// At least 98 % of 600 requests, none of them refused; cancels wait for nothing but cancels (that
/// is judged at every request that leaves).
#[test]
fn more_demand_than_budget() {
    for demand in [Demand::Orders, Demand::Mixed] {
        for seed in 1..=3 {
            let mut rig = Rig::one(seed);
            press(&mut rig, demand, seed);
            let used = used(&rig);
            let told = format!(
                "{demand:?} seed {seed}: {used}/600, densest minute {}, refused {}, cancels waited \
                 {:?}",
                densest(&rig.wires.arrivals),
                rig.wires.over,
                rig.waited.iter().max(),
            );
            assert_eq!(rig.wires.over, 0, "{told}");
            assert!(used >= 588 && densest(&rig.wires.arrivals) <= 60, "{told}");
            if matches!(demand, Demand::Mixed) {
                assert!(rig.waited.len() > 100, "{told}");
                assert!(rig.waited.iter().all(|span| *span <= ms(1_500)), "{told}");
            }
            assert_eq!(rig.lanes.len(), rig.sent.len(), "each is counted before it leaves");
            let replies = rig.replies.values().map(Vec::len);
            assert!(replies.clone().all(|count| count == 1), "{told}");
        }
    }
}

/// MB-R07, MB-F17: two keys of one user share his 60 requests, and a cancel of one goes before
/// anything else of the other.
#[test]
fn two_keys_share_one_budget() {
    for seed in 1..=3 {
        let user = user();
        let sessions = ["ana", "ana-2"].map(|key| Session::new(config(key, &user)));
        let mut rig = Rig::new(seed, sessions.into());
        press(&mut rig, Demand::Mixed, seed);
        let used = used(&rig);
        let told = format!(
            "seed {seed}: {used}/600, densest minute {}, refused {}, cancels waited {:?}",
            densest(&rig.wires.arrivals),
            rig.wires.over,
            rig.waited.iter().max(),
        );
        assert_eq!(rig.wires.over, 0, "{told}");
        assert!(used >= 580 && rig.waited.len() > 100, "{told}");
        for session in 0..2 {
            let share = rig.sent.iter().filter(|(at, _, _)| *at == session).count();
            assert!(share > used / 4, "{told}: key {session} sent {share}");
        }
    }
}

/// After a restart the window still holds what the process before sent.
#[test]
fn a_restart_makes_no_burst() {
    let mut rig = Rig::one(5);
    press_briefly(&mut rig);
    let sent: Vec<Time> = rig.sent.iter().map(|(_, at, _)| *at).collect();
    let mut again = config("ana", &user());
    again.last_tonce = rig.now.nanos() / 1_000_000_000 + 100;
    again.sent = sent;
    rig.sessions[0] = Session::new(again);
    press_briefly(&mut rig);
    assert_eq!((rig.wires.over, densest(&rig.wires.arrivals) <= 60), (0, true));
    assert!(rig.wires.arrivals.len() > 100, "{}", rig.wires.arrivals.len());
}

fn press_briefly(rig: &mut Rig) {
    for turn in 0..600 {
        if turn % 5 == 0 {
            let place = rig.limit(Side::Buy, "1.5", "0.01");
            rig.place(0, place, false);
        }
        rig.wait(ms(100));
    }
}
