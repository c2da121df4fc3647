//! Bars, day figures and book differences by themselves.

use super::super::bars::Bars;
use super::super::market::differences;
use super::super::rows::{self, Action, ticks};
use super::super::stats::Stats;
use super::{Dialect, dec};
use crate::base::{BookSide, Decimal, InstrumentId, Time};
use crate::exchange::BookLevel;
use proptest::prelude::*;

/// NDAX's 60-second bars of 2026-06, from its own trades of the same minutes: high, low, open (the
/// close before), close, volume; minutes without trades are flat.
#[test]
fn bars_are_ndax_s() {
    let mut bars = Bars::default();
    let trades = [
        (1_782_082_721_269, "90612.2", "0.00007725"),
        (1_782_082_800_008, "90611.2", "0.00110361"),
        (1_782_082_800_041, "90611.2", "0.00011036"),
        (1_782_082_859_239, "90515.7", "0.00008838"),
        (1_782_082_881_855, "90489.28", "0.00005524"),
    ];
    for (millis, price, qty) in trades {
        let minute = millis / 60_000;
        bars.advance(minute);
        bars.trade(minute, dec(price), dec(qty));
        bars.best(dec("90000"), dec(price));
    }
    bars.advance(1_782_082_980_000 / 60_000);
    let rows: Vec<String> = bars
        .last(1, 3)
        .iter()
        .map(|bar| rows::ticker_row(Dialect::Native, InstrumentId(0), bar))
        .collect();
    let expected = [
        "[1782082860000,90612.2,90515.7,90612.2,90515.7,0.00130235,90000,90515.7,1,1782082800000]",
        concat!(
            "[1782082920000,90515.7,90489.28,90515.7,",
            "90489.28,0.00005524,90000,90489.28,1,1782082860000]"
        ),
        "[1782082980000,90489.28,90489.28,90489.28,90489.28,0,90000,90489.28,1,1782082920000]",
    ];
    assert_eq!(rows, expected);
    // The page's rows end after the ask (contract A.7).
    let page = rows::ticker_row(Dialect::Page, InstrumentId(0), &bars.last(1, 1)[0]);
    assert_eq!(page, "[1782082980000,90489.28,90489.28,90489.28,90489.28,0,90000,90489.28]");
}

#[test]
fn longer_bars_add_minutes_up() {
    let mut bars = Bars::default();
    for (minute, price) in [(0, "10"), (1, "12"), (4, "9"), (5, "11"), (12, "20")] {
        bars.advance(minute);
        bars.trade(minute, dec(price), Decimal::ONE);
    }
    let show = |length: i64, count: usize| -> Vec<String> {
        let bars = bars.last(length, count);
        bars.iter()
            .map(|b| format!("{} {}/{}/{}/{} {}", b.end, b.open, b.high, b.low, b.close, b.volume))
            .collect()
    };
    assert_eq!(show(5, 10), ["5 10/12/9/9 3", "10 9/11/9/11 1"]);
    assert_eq!(show(5, 1), ["10 9/11/9/11 1"]);
    assert_eq!(show(1, 0), Vec::<String>::new());
    assert_eq!(show(1, 2), ["11 11/11/11/11 0", "12 11/11/11/11 0"]);
    assert_eq!(show(1, usize::MAX).len(), 12);
    assert!(Bars::default().last(1, 5).is_empty());
}

/// A gap of more than a day is left open, whatever its length.
#[test]
fn a_long_silence_is_not_filled() {
    let mut bars = Bars::default();
    bars.trade(0, dec("10"), Decimal::ONE);
    assert_eq!(bars.advance(10_000_000), Some(0));
    assert_eq!(bars.last(1, 5).len(), 0);
    assert_eq!(bars.closed(60, 0, 10_000_000).len(), 1);
    assert_eq!(bars.advance(10_000_000), None);
    assert_eq!(bars.advance(5), None);
}

/// FLOW-T09: day change against the close before, 24 hours in percent.
#[test]
fn day_figures_roll() {
    let day = 86_400_000;
    let mut stats = Stats::default();
    let mut trade = |millis: i64, price: &str, qty: &str| {
        stats.trade(Time::from_millis(millis), dec(price), dec(qty));
        let s = &stats;
        format!(
            "{}/{}/{} before {} change {} day {}x{} 24h {}x{} {}%",
            s.open,
            s.high,
            s.low,
            s.close_before,
            s.day_change(),
            s.today.volume,
            s.today.trades,
            s.rolling.volume,
            s.rolling.trades,
            s.rolling_percent().normalize()
        )
    };
    let figures = [
        trade(day / 2, "100", "1"),
        trade(day - 1, "110", "2"),
        trade(day, "88", "3"),
        trade(day + day / 2, "99", "4"),
        trade(3 * day, "90", "5"),
    ];
    let expected = [
        "100/100/100 before 100 change 0 day 1x1 24h 1x1 0%",
        "100/110/100 before 100 change 10 day 3x2 24h 3x2 10%",
        "88/88/88 before 110 change -22 day 3x1 24h 6x3 -12%",
        "88/99/88 before 110 change -11 day 7x2 24h 9x3 -10%",
        "90/90/90 before 99 change -9 day 5x1 24h 5x1 0%",
    ];
    assert_eq!(figures, expected);
}

/// FLOW-T02, FLOW-T04.
#[test]
fn ticks_are_dot_net_s() {
    assert_eq!(ticks(Time::from_millis(0)), 621_355_968_000_000_000);
    assert_eq!(ticks(Time::from_millis(1_602_269_461_897)), 637_378_662_618_970_000);
    assert_eq!(ticks(Time::from_millis(1_468_896_617_000)), 636_044_934_170_000_000);
    assert_eq!(ticks(Time::from_nanos(1_462_204_714_567_500_000)), 635_978_015_145_675_000);
}

fn levels() -> impl Strategy<Value = Vec<BookLevel>> {
    let level = (any::<bool>(), 1i64..6, 1i64..4, 1u32..3);
    proptest::collection::vec(level, 0..12).prop_map(|rows| {
        let mut levels: Vec<BookLevel> = Vec::new();
        for (bid, price, qty, orders) in rows {
            let side = if bid { BookSide::Bid } else { BookSide::Ask };
            let (price, qty) = (Decimal::from(price), Decimal::from(qty));
            if !levels.iter().any(|level| (level.side, level.price) == (side, price)) {
                levels.push(BookLevel { side, price, qty, orders });
            }
        }
        levels
    })
}

proptest! {
    /// FLOW-V03: applied in order, the rows turn the old view into the new one.
    #[test]
    fn differences_lead_from_view_to_view(before in levels(), after in levels()) {
        let mut view = before.clone();
        let changes = differences(&before, &after);
        for (action, level) in &changes {
            let at = view.iter().position(|l| (l.side, l.price) == (level.side, level.price));
            match (action, at) {
                (Action::New, None) => view.push(level.clone()),
                (Action::Update, Some(at)) => view[at] = level.clone(),
                (Action::Delete, Some(at)) => drop(view.remove(at)),
                other => prop_assert!(false, "{other:?}"),
            }
        }
        let key = |level: &BookLevel| (level.side, level.price);
        let (mut view, mut after) = (view, after);
        view.sort_by_key(key);
        after.sort_by_key(key);
        prop_assert_eq!(view, after);
    }
}
