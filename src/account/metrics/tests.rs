//! The formulas against figures worked out by hand, and the recorder against a plain walk over
//! rows.

use super::recorder::MAX_POINTS;
use super::*;
use crate::base::{
    Decimal, Fill, InstrumentId, Liquidity, OrderKey, Side, StrategyId, Time, decimal,
};
use proptest::prelude::*;

const DAY: i64 = 86_400;

fn at(seconds: i64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn close(got: Option<f64>, expected: Option<f64>) {
    match (got, expected) {
        (Some(got), Some(expected)) => {
            let off = (got - expected).abs();
            assert!(off <= 1e-9 * expected.abs().max(1.0), "{got} is not {expected}");
        }
        (got, expected) => assert_eq!(got, expected),
    }
}

#[test]
fn formulas_by_hand() {
    // Mean 0.02/3, squares from the mean 0.00126667 over 2, squares of losses 0.0004 over 3.
    let three = [0.01, -0.02, 0.03];
    close(mean(&three), Some(0.02 / 3.0));
    close(deviation(&three), Some((0.001_266_666_666_666_666_6f64 / 2.0).sqrt()));
    close(sharpe(&three), Some(5.061_031_030_108_32));
    close(volatility(&three), Some(0.480_797_947_860_290_5));
    close(sortino(&three), Some(11.030_261_405_182_86));
    // 1.1^(365/73) = 1.1^5.
    close(cagr(100.0, 110.0, 73.0), Some(0.61051));
    close(cagr(100.0, -5.0, 73.0), Some(-1.0));
    close(cagr(0.0, 5.0, 73.0), None);
    close(calmar(0.61051, 0.2), Some(3.05255));
    close(calmar(0.61051, 0.0), None);
}

#[test]
fn formulas_without_an_answer() {
    close(mean(&[]), None);
    close(deviation(&[0.01]), None);
    close(sharpe(&[0.01, 0.01, 0.01]), None);
    close(sortino(&[0.01, 0.02]), None);
    close(sortino(&[]), None);
    assert_eq!(returns(100.0, &[110.0, 0.0]).map(|all| all.len()), Some(2));
    assert_eq!(returns(100.0, &[110.0, 0.0, 5.0]), None);
    assert_eq!(returns(0.0, &[1.0]), None);
}

/// A run of whole days from midnight whose equity moves by `steps`, in turn, once a day.
fn run_of(days: i64, steps: &[f64]) -> Metrics {
    let mut recorder = Recorder::start(at(0), 1000.0);
    let mut equity = 1000.0;
    for day in 0..days {
        equity *= 1.0 + steps[usize::try_from(day).unwrap() % steps.len()];
        recorder.mark(at(day * DAY + 3600), equity);
    }
    recorder.finish(at(days * DAY), equity)
}

#[test]
fn forty_days_by_hand() {
    let metrics = run_of(40, &[0.02, -0.01]);
    // 1000 × (1.02 × 0.99)^20; each figure by the module's formulas in Python.
    close(metrics.return_pct, Some(100.0 * (1.0098f64.powi(20) - 1.0)));
    close(metrics.sharpe, Some(6.288_216_493_304_491));
    close(metrics.sortino, Some(13.509_256_086_106_28));
    close(metrics.volatility_pct, Some(29.022_537_661_405_34));
    close(metrics.cagr_pct, Some(492.863_018_164_239_5));
    close(metrics.max_drawdown_pct, Some(1.0));
    close(metrics.calmar, Some(492.863_018_164_239_5));
    assert_eq!(metrics.notes.len(), 1, "{:?}", metrics.notes);
}

#[test]
fn short_runs_are_not_annualized() {
    let metrics = run_of(29, &[0.02, -0.01]);
    let annual = [metrics.sharpe, metrics.sortino, metrics.calmar, metrics.cagr_pct];
    assert_eq!((annual, metrics.volatility_pct), ([None; 4], None));
    assert!(metrics.return_pct.is_some() && metrics.max_drawdown_pct.is_some());
    assert!(metrics.notes.iter().any(|note| note.contains("29.00 days")), "{:?}", metrics.notes);
    assert!(run_of(30, &[0.02, -0.01]).sharpe.is_some());
}

#[test]
fn what_cannot_be_given_is_said() {
    for (steps, missing) in [
        (&[0.0][..], "Sharpe is not given"),
        (&[0.01, 0.02], "Sortino is not given"),
        (&[0.01, 0.02], "Calmar is not given"),
        (&[-1.0, 0.0], "nothing annualized is given"),
        (&[0.0], "no round trip was closed"),
    ] {
        let notes = run_of(40, steps).notes;
        assert!(notes.iter().any(|note| note.contains(missing)), "{steps:?}: {notes:?}");
    }
    let broke = Recorder::start(at(0), 0.0).finish(at(DAY), 5.0);
    assert_eq!((broke.return_pct, broke.turnover), (None, None));
}

fn fill(second: i64, side: Side, qty: i64, price: i64) -> Fill {
    Fill {
        order: OrderKey::compose(1, StrategyId(1), 1).unwrap(),
        instrument: InstrumentId(0),
        side,
        price: Decimal::from(price),
        qty: Decimal::from(qty),
        fee: Decimal::ONE,
        fee_asset: "BRL".into(),
        fee_estimated: false,
        liquidity: Liquidity::Taker,
        trade_id: second,
        time: at(second),
    }
}

#[test]
fn trips_exposure_and_turnover() {
    let mut recorder = Recorder::start(at(0), 1000.0);
    for (second, side, qty, price) in [
        (10, Side::Buy, 1, 100),
        (20, Side::Sell, 1, 150),
        (40, Side::Sell, 2, 100),
        (50, Side::Buy, 2, 110),
        (90, Side::Buy, 1, 100),
    ] {
        recorder.fill(StrategyId(1), &fill(second, side, qty, price), Decimal::ONE);
    }
    let metrics = recorder.finish(at(100), 1023.0);
    // Trips: +50 − 2 and −20 − 2; 10 + 10 + 10 seconds of 100 in a position; 770 traded.
    assert_eq!((metrics.trades, metrics.win_rate), (2, Some(0.5)));
    close(metrics.profit_factor, Some(48.0 / 22.0));
    close(metrics.exposure_pct, Some(30.0));
    close(metrics.turnover, Some(0.77));
    close(metrics.return_pct, Some(2.3));
    assert_eq!(recorder.trips().closed().count(), 2);
}

#[test]
fn day_ends_take_what_stood_before_midnight() {
    let mut recorder = Recorder::start(at(DAY / 2), 100.0);
    let row = |recorder: &mut Recorder, second, price| {
        recorder.rows(&[at(second)], &[price], 1, 2.0, 50.0);
    };
    row(&mut recorder, DAY - 1, 300);
    row(&mut recorder, DAY, 400);
    // Two silent days, then the run's end within the fourth.
    row(&mut recorder, 3 * DAY + 5, 500);
    let ends = |recorder: &Recorder| recorder.day_ends().to_vec();
    assert_eq!(ends(&recorder), [110.0, 130.0, 130.0]);
    let mut other = recorder.clone();
    recorder.finish(at(3 * DAY + 9), 149.0);
    assert_eq!(ends(&recorder), [110.0, 130.0, 130.0, 149.0]);
    // An end at midnight sharp is that day's end and no day of its own.
    other.finish(at(4 * DAY), 149.0);
    assert_eq!(ends(&other), [110.0, 130.0, 130.0, 149.0]);
}

#[test]
fn the_curve_stays_short() {
    let mut recorder = Recorder::start(at(0), 100.0);
    for second in 0..50_000 {
        recorder.rows(&[at(second)], &[second], 0, 1.0, 0.0);
    }
    recorder.finish(at(50_000), 1.0);
    let points = recorder.points();
    assert!(points.len() > MAX_POINTS / 3 && points.len() <= MAX_POINTS + 1, "{}", points.len());
    assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0));
    let last = points.last().unwrap();
    assert_eq!((last.0, decimal::from_f64(last.1)), (at(50_000), Some(Decimal::ONE)));
}

proptest! {
    /// Runs of rows, as a backtest feeds them, give what a walk over single rows gives.
    #[test]
    fn rows_agree_with_a_plain_walk(
        runs in prop::collection::vec(
            (prop::collection::vec((0i64..20_000, 1i64..5000), 0..12), -3i32..=3, 1000f64..9000.0),
            1..12
        )
    ) {
        let mut recorder = Recorder::start(at(0), 5000.0);
        let (mut now, mut equity, mut peak, mut worst) = (0, 5000.0f64, 5000.0f64, 0.0f64);
        let mut ends = Vec::new();
        for (rows, position, cash) in runs {
            let (mut times, mut prices) = (Vec::new(), Vec::new());
            for (step, price) in rows {
                let before = now / DAY;
                now += step;
                ends.extend((before..now / DAY).map(|_| equity));
                equity = cash + f64::from(position) * decimal::scaled_to_f64(price, 2);
                peak = peak.max(equity);
                worst = worst.max((peak - equity) / peak);
                times.push(at(now));
                prices.push(price);
            }
            recorder.rows(&times, &prices, 2, f64::from(position), cash);
        }
        let metrics = recorder.finish(at(now + 1), equity);
        let off = metrics.max_drawdown_pct.unwrap() - 100.0 * worst;
        prop_assert!(off.abs() < 1e-9, "drawdown off by {}", off);
        if (now + 1) / DAY == now / DAY {
            ends.push(equity);
            prop_assert_eq!(ends.len(), recorder.day_ends().len());
            for (expected, got) in ends.iter().zip(recorder.day_ends()) {
                prop_assert!((expected - got).abs() < 1e-9);
            }
        }
    }
}
