//! Order calls under faults drawn from a seed: at the end the venue's ledger and what the session
//! told agree to the last digit. A failure names the seed that repeats it.

use super::*;
use lunario::base::{CallFailureKind, Fate, OrderState};
use lunario::exchange::SimOrder;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What may go wrong with a request, in a thousand of all.
pub fn trouble(seed: u64, calm: Time) -> wires::Rule {
    let mut rng = Rng::new(seed, 11);
    let most = 100 + rng.below(300);
    Box::new(move |now, _| {
        if now >= calm || rng.below(1_000) >= most {
            return None;
        }
        let longest = if rng.below(4) == 0 { 30_000 } else { 3_000 };
        let span = ms(i64::from(rng.below(longest)));
        Some(match rng.below(100) {
            0..=14 => What::DropBefore,
            15..=34 => What::DropAfter,
            35..=44 => What::Delay(span),
            45..=54 => What::Hold(span),
            55..=64 => What::Duplicate,
            65..=72 => What::Html(503),
            73..=80 => What::PlainText("Em manutenção".to_owned()),
            81..=90 => What::Truncate,
            91..=98 => What::Error("Erro inesperado.".to_owned()),
            _ => What::TooMany,
        })
    })
}

#[derive(Default, Debug)]
struct Tally {
    order_calls: usize,
    at_venue: usize,
    fills: usize,
    struck: usize,
    lost: usize,
}

/// Places and cancels alone and inside calls, on as many keys of one user as there are sessions.
fn run(seed: u64, order_calls: usize) -> Tally {
    let user = user();
    let names = if seed.is_multiple_of(3) { &["ana", "ana-2"][..] } else { &["ana"] };
    let sessions = names.iter().map(|key| Session::new(config(key, &user)));
    let mut rig = Rig::new(seed, sessions.collect());
    let end = start().plus(secs(1_000_000));
    rig.wires.rule = trouble(seed, end);
    let mut rng = Rng::new(seed, 41);
    while rig.sessions.iter().any(|session| !session.is_ready()) {
        rig.wait(secs(1));
    }
    let mut tally = Tally::default();
    while tally.order_calls < order_calls {
        let session = usize::try_from(rng.below(u32::try_from(names.len()).unwrap())).unwrap();
        let raw = rng.below(2) == 0;
        let open = rig.working();
        let own = |key: &&OrderKey| rig.owners.get(*key) == Some(&session);
        let open: Vec<OrderKey> = open.iter().filter(own).copied().collect();
        let most = u32::try_from(open.len()).unwrap();
        tally.order_calls += 1;
        if most > 12 || most > 0 && rng.below(10) < 4 {
            let key = open[usize::try_from(rng.below(most)).unwrap()];
            rig.cancel(session, key, raw);
        } else {
            // Few shapes, so that many orders look the same.
            let side = if rng.below(2) == 0 { Side::Buy } else { Side::Sell };
            let price = ["99.5", "100", "100.5"][usize::try_from(rng.below(3)).unwrap()];
            let volume = ["0.01", "0.02", "0.03"][usize::try_from(rng.below(3)).unwrap()];
            let place = rig.limit(side, price, volume);
            rig.place(session, place, raw);
        }
        if rng.below(8) == 0 {
            let price = ["99", "100", "101"][usize::try_from(rng.below(3)).unwrap()];
            rig.market(price, "0.025");
        }
        rig.wait(ms(i64::from(rng.below(4_000))));
    }
    rig.wires.rule = Box::new(|_, _| None);
    rig.wait(secs(300));
    agree(&rig);
    tally.at_venue = rig.wires.server.exchange().history(ACCOUNT, usize::MAX).len();
    tally.fills = rig.fills.len();
    tally.struck = rig.wires.struck;
    let lost = |steps: &&Vec<OrderStep>| steps.contains(&OrderStep::Lost);
    tally.lost = rig.steps.values().filter(lost).count();
    tally
}

fn agree(rig: &Rig) {
    let exchange = rig.wires.server.exchange();
    let history = exchange.history(ACCOUNT, usize::MAX);
    let stood = history.into_iter().filter(|order| order.state != OrderState::Rejected);
    let mut theirs: BTreeMap<i64, &SimOrder> = stood.map(|order| (order.id.0, order)).collect();
    let mut keys = BTreeMap::new();
    for (key, place) in &rig.places {
        let told = &rig.steps[key];
        let last = rig.last(*key).unwrap();
        let Some(id) = rig.venue_id(*key) else {
            let never = matches!(last, OrderStep::Rejected { .. } | OrderStep::Canceled { .. });
            assert!(never, "left unknown: {place:?} {told:?}");
            continue;
        };
        keys.insert(id, *key);
        let order = theirs.remove(&id).unwrap_or_else(|| panic!("{key} has another's {id}"));
        let terms = (order.order.side, order.order.price, order.order.qty);
        assert_eq!(terms, (place.side, place.price, place.qty));
        match (last, order.state) {
            (OrderStep::Working { .. }, OrderState::Working) => {}
            (OrderStep::Filled { filled }, OrderState::Filled)
            | (OrderStep::Canceled { filled, .. }, OrderState::Canceled) => {
                assert_eq!(*filled, order.filled, "{told:?}");
            }
            _ => panic!("{} at the venue: {order:?}, here {told:?}", order.state.word()),
        }
    }
    assert!(theirs.is_empty(), "orders nobody here knows: {theirs:#?}");
    let ours: BTreeSet<_> =
        rig.fills.iter().map(|it| (it.trade_id, it.order, it.side, it.price, it.qty)).collect();
    let fills = exchange.fills(ACCOUNT).iter();
    let fills: BTreeSet<_> =
        fills.map(|it| (it.trade_id, keys[&it.order.0], it.side, it.price, it.qty)).collect();
    assert_eq!((ours.len(), &ours), (rig.fills.len(), &fills), "a fill was told twice or not");
    for id in 1..=rig.calls {
        match rig.outcome(CallId(id)) {
            Ok(reply) => {
                let Plain::Map(rows) = reply else { panic!("{reply:?}") };
                let [(Plain::Text(id), _)] = rows.as_slice() else { panic!("{rows:?}") };
                assert!(keys.contains_key(&id.parse().unwrap()), "{id}");
            }
            Err(failure) if failure.fate == Fate::Unknown => {
                let lost = [CallFailureKind::Timeout, CallFailureKind::Unavailable];
                assert!(lost.contains(&failure.kind), "{failure}");
            }
            Err(_) => {}
        }
    }
}

/// Order calls of one run.
const EACH: usize = 500;

/// Runs: 10,000 order calls, or as many runs as `LUNARIO_SEEDS` says.
fn seeds() -> u64 {
    let asked = std::env::var("LUNARIO_SEEDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[test]
fn order_calls_are_neither_lost_nor_doubled_nor_left_unknown() {
    let mut sum = Tally::default();
    for seed in 1..=seeds() {
        let tally = catch_unwind(AssertUnwindSafe(|| run(seed, EACH)));
        let tally = tally.unwrap_or_else(|_| panic!("seed {seed} failed"));
        sum.order_calls += tally.order_calls;
        sum.at_venue += tally.at_venue;
        sum.fills += tally.fills;
        sum.struck += tally.struck;
        sum.lost += tally.lost;
    }
    let busy = sum.at_venue * 3 > sum.order_calls && sum.lost * 30 > sum.order_calls;
    assert!(busy && sum.fills * 10 > sum.order_calls && sum.struck > sum.lost, "{sum:?}");
}
