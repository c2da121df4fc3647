//! Watches a run's equity row by row at a nanosecond or two each, and keeps what the figures need.

use super::{Facts, Metrics};
use crate::account::trips::Trips;
use crate::base::{Decimal, Fill, Span, StrategyId, Time, decimal};

/// The most points kept of the equity curve; when it is full, every second one goes.
pub const MAX_POINTS: usize = 2_000;

const DAY: Span = Span::from_secs(86_400);

/// Records a run. Equity is in the quote asset, as doubles: figures are statistics, money is in the
/// ledger.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    started: Time,
    equity_start: f64,
    /// The newest equity and its time.
    equity: f64,
    time: Time,
    peak: f64,
    /// Equity under this makes a new deepest drawdown.
    floor: f64,
    worst: f64,
    day_ends: Vec<f64>,
    next_day: Time,
    points: Vec<(Time, f64)>,
    step: Span,
    next_point: Time,
    /// The earlier of `next_day` and `next_point`: rows before it need no look at their time.
    next: Time,
    trips: Trips,
    traded: Decimal,
    exposed: Span,
    exposed_since: Option<Time>,
}

impl Recorder {
    /// Begins at `time` with this equity.
    #[must_use]
    pub fn start(time: Time, equity: f64) -> Recorder {
        let step = Span::from_secs(1);
        let mut recorder = Recorder {
            started: time,
            equity_start: equity,
            equity,
            time,
            peak: equity,
            floor: if equity > 0.0 { equity } else { f64::NEG_INFINITY },
            points: vec![(time, equity)],
            step,
            next_day: after(time, DAY),
            next_point: after(time, step),
            ..Recorder::default()
        };
        recorder.next = recorder.next_day.min(recorder.next_point);
        recorder
    }

    /// Rows of a tape passed while the position was constant: equity at each is
    /// `cash + position × price / 10^scale`, where `cash` is all of the equity but this position.
    /// Every row counts for the drawdown; times are in order.
    pub fn rows(&mut self, times: &[Time], prices: &[i64], scale: u32, position: f64, cash: f64) {
        let Some(last) = times.last() else { return };
        debug_assert_eq!(times.len(), prices.len(), "columns of a tape have one length");
        let per_unit = position * decimal::scaled_to_f64(1, scale);
        if *last < self.next {
            self.run(prices, per_unit, cash);
            self.time = *last;
            return;
        }
        let mut at = 0;
        while let Some(rest) = times.get(at..).filter(|rest| !rest.is_empty()) {
            let end = at + rest.partition_point(|time| *time < self.next);
            self.run(prices.get(at..end).unwrap_or_default(), per_unit, cash);
            if let Some(time) = times.get(end) {
                self.sample(*time);
            }
            at = end;
        }
        self.time = *last;
    }

    /// The inner loop: equity, peak and drawdown of rows between two samples.
    #[allow(clippy::cast_precision_loss)] // prices are under 2^53 on any tape
    fn run(&mut self, prices: &[i64], per_unit: f64, cash: f64) {
        let Some(last) = prices.last() else { return };
        if per_unit == 0.0 {
            self.see(cash);
            return;
        }
        for price in prices {
            let equity = cash + per_unit * *price as f64;
            if equity > self.peak || equity < self.floor {
                self.see(equity);
            }
        }
        self.equity = cash + per_unit * *last as f64;
    }

    fn see(&mut self, equity: f64) {
        self.equity = equity;
        if equity > self.peak {
            self.peak = equity;
            self.floor = if equity > 0.0 { equity * (1.0 - self.worst) } else { f64::NEG_INFINITY };
        } else if equity < self.floor {
            self.worst = self.worst.max((self.peak - equity) / self.peak);
            self.floor = equity;
        }
    }

    /// Equity as valued by something else than a row of a tape: a quote, a fee, the end.
    pub fn mark(&mut self, time: Time, equity: f64) {
        if time >= self.next {
            self.sample(time);
        }
        self.see(equity);
        self.time = self.time.max(time);
    }

    /// A fill of the run, with its fee in the quote asset.
    pub fn fill(&mut self, strategy: StrategyId, fill: &Fill, fee: Decimal) {
        self.trips.fill(strategy, fill, fee);
        self.traded += fill.price * fill.qty;
        match (self.trips.open_count(), self.exposed_since) {
            (0, Some(since)) => {
                self.exposed = self.exposed.plus(fill.time.since(since));
                self.exposed_since = None;
            }
            (1.., None) => self.exposed_since = Some(fill.time),
            (0, None) | (1.., Some(_)) => {}
        }
    }

    /// Ends the run at `now` with this equity and works out the figures.
    pub fn finish(&mut self, now: Time, equity: f64) -> Metrics {
        self.mark(now, equity);
        match self.day_ends.last_mut() {
            // The run ends with a day: its last word is that day's.
            Some(last) if self.next_day == now.plus(DAY) => *last = equity,
            Some(_) | None if now > self.started => self.day_ends.push(equity),
            Some(_) | None => {}
        }
        self.points.push((now, equity));
        let exposed = self.exposed_since.map_or(Span::ZERO, |since| now.since(since));
        let totals = self.trips.totals();
        Metrics::of(&Facts {
            equity_start: self.equity_start,
            equity_end: equity,
            day_ends: self.day_ends.clone(),
            days: now.since(self.started).seconds() / DAY.seconds(),
            max_drawdown: (self.peak > 0.0).then_some(self.worst),
            days_exposed: self.exposed.plus(exposed).seconds() / DAY.seconds(),
            traded: decimal::to_f64(self.traded),
            trips: totals.trips,
            wins: totals.wins,
            gross_profit: decimal::to_f64(totals.gross_profit),
            gross_loss: decimal::to_f64(totals.gross_loss),
        })
    }

    /// The equity curve for display, at most about `MAX_POINTS` points, oldest first.
    #[must_use]
    pub fn points(&self) -> &[(Time, f64)] {
        &self.points
    }

    /// Equity at each UTC day end so far.
    #[must_use]
    pub fn day_ends(&self) -> &[f64] {
        &self.day_ends
    }

    /// The round trips of the run.
    #[must_use]
    pub fn trips(&self) -> &Trips {
        &self.trips
    }

    /// Time reached `time`: the day ends and grid points passed get the equity that stood till
    /// then.
    fn sample(&mut self, time: Time) {
        while self.next_day <= time && self.next_day < Time::MAX {
            self.day_ends.push(self.equity);
            self.next_day = self.next_day.plus(DAY);
        }
        if self.next_point <= time {
            self.points.push((self.next_point, self.equity));
            if self.points.len() >= MAX_POINTS {
                self.thin();
            }
            self.next_point = after(time, self.step);
        }
        self.next = self.next_day.min(self.next_point);
    }

    fn thin(&mut self) {
        let mut keep = false;
        self.points.retain(|_| {
            keep = !keep;
            keep
        });
        self.step = self.step.plus(self.step);
    }
}

/// The first multiple of `step` after `time`.
fn after(time: Time, step: Span) -> Time {
    let whole = time.nanos().div_euclid(step.nanos()).saturating_add(1);
    Time::from_nanos(whole.saturating_mul(step.nanos()))
}
