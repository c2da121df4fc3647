//! The figures of a run, each with its definition, as pure functions of daily returns and sums.
//! What is recorded on the way is in `metrics/recorder.rs`.
//!
//! Daily returns are taken at UTC day ends; the first and the last day may be partial. A year has
//! 365 days, as these markets do; the risk-free rate is 0. Nothing is annualized from less than 30
//! days.

mod recorder;

#[cfg(test)]
mod tests;

pub use recorder::{MAX_POINTS, Recorder};

/// Days in a year.
pub const YEAR: f64 = 365.0;

/// The shortest run whose figures are annualized, in days.
pub const MIN_DAYS: f64 = 30.0;

/// A deviation of daily returns under this is the noise of doubles, not variation.
const NOISE: f64 = 1e-12;

/// The figures of a run; `None` where one cannot be given, and then a note says why.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Metrics {
    /// 100 × (end equity / start equity − 1).
    pub return_pct: Option<f64>,
    pub sharpe: Option<f64>,
    pub sortino: Option<f64>,
    pub calmar: Option<f64>,
    /// The deepest fall from a peak, over every row, in percent of that peak; not negative.
    pub max_drawdown_pct: Option<f64>,
    /// Gross profit over gross loss of closed trips, in currency, after fees.
    pub profit_factor: Option<f64>,
    /// The share of closed trips that earned more than nothing: 0 to 1.
    pub win_rate: Option<f64>,
    /// Closed round trips (`trips`).
    pub trades: u64,
    /// The share of the run's time with a position, in percent.
    pub exposure_pct: Option<f64>,
    /// Value traded, both sides, over start equity.
    pub turnover: Option<f64>,
    pub cagr_pct: Option<f64>,
    pub volatility_pct: Option<f64>,
    pub notes: Vec<String>,
}

/// What the figures are made from.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts {
    pub equity_start: f64,
    pub equity_end: f64,
    /// Equity at each UTC day end, the last partial day's included.
    pub day_ends: Vec<f64>,
    pub days: f64,
    /// The deepest drawdown as a share of its peak; `None` where a peak was not positive.
    pub max_drawdown: Option<f64>,
    pub days_exposed: f64,
    pub traded: f64,
    pub trips: u64,
    pub wins: u64,
    pub gross_profit: f64,
    pub gross_loss: f64,
}

impl Metrics {
    /// Every figure that the facts allow.
    #[must_use]
    pub fn of(facts: &Facts) -> Metrics {
        let mut metrics = Metrics { trades: facts.trips, ..Metrics::default() };
        metrics.max_drawdown_pct = facts.max_drawdown.map(|share| 100.0 * share);
        if facts.equity_start > 0.0 {
            let growth = facts.equity_end / facts.equity_start;
            metrics.return_pct = Some(100.0 * (growth - 1.0));
            metrics.turnover = Some(facts.traded / facts.equity_start);
        } else {
            metrics.note("nothing relative is given: the run did not start with positive equity");
        }
        if facts.days > 0.0 {
            metrics.exposure_pct = Some(100.0 * facts.days_exposed / facts.days);
        }
        metrics.of_trips(facts);
        metrics.of_days(facts);
        metrics
    }

    #[allow(clippy::cast_precision_loss)] // counts of trips stay far under 2^53
    fn of_trips(&mut self, facts: &Facts) {
        if facts.trips == 0 {
            self.note("win rate and profit factor are not given: no round trip was closed");
            return;
        }
        self.win_rate = Some(facts.wins as f64 / facts.trips as f64);
        if facts.gross_loss > 0.0 {
            self.profit_factor = Some(facts.gross_profit / facts.gross_loss);
        } else {
            self.note("profit factor is not given: no round trip lost");
        }
    }

    fn of_days(&mut self, facts: &Facts) {
        if facts.days < MIN_DAYS {
            let days = facts.days;
            self.notes.push(format!(
                "Sharpe, Sortino, Calmar, CAGR and volatility are not given: the run spans \
                 {days:.2} days, and under {MIN_DAYS} nothing is annualized"
            ));
            return;
        }
        let Some(returns) = returns(facts.equity_start, &facts.day_ends) else {
            self.note("nothing annualized is given: equity was not positive at some day's end");
            return;
        };
        self.sharpe = sharpe(&returns);
        self.volatility_pct = volatility(&returns).map(|share| 100.0 * share);
        self.sortino = sortino(&returns);
        if self.sharpe.is_none() {
            self.note("Sharpe is not given: equity did not vary from day to day");
        }
        if self.sortino.is_none() {
            self.note("Sortino is not given: no day lost");
        }
        let cagr = cagr(facts.equity_start, facts.equity_end, facts.days);
        self.cagr_pct = cagr.map(|share| 100.0 * share);
        self.calmar = cagr.zip(facts.max_drawdown).and_then(|(cagr, fall)| calmar(cagr, fall));
        if self.calmar.is_none() {
            self.note("Calmar is not given: there was no drawdown to hold the growth against");
        }
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
}

/// Simple daily returns: each day end over the one before, the first over the start.
/// `None` if a base is not positive, as there is no return on it.
#[must_use]
pub fn returns(start: f64, day_ends: &[f64]) -> Option<Vec<f64>> {
    let mut before = start;
    let mut returns = Vec::with_capacity(day_ends.len());
    for end in day_ends {
        if before <= 0.0 {
            return None;
        }
        returns.push(end / before - 1.0);
        before = *end;
    }
    Some(returns)
}

/// Arithmetic mean; `None` of nothing.
#[must_use]
#[allow(clippy::cast_precision_loss)] // days of a run stay far under 2^53
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Sample standard deviation (divided by n − 1); `None` of fewer than two.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Sharpe ratio (Sharpe 1994): mean daily return over its sample deviation, risk-free rate 0,
/// times √365.
#[must_use]
pub fn sharpe(returns: &[f64]) -> Option<f64> {
    let deviation = deviation(returns).filter(|deviation| *deviation > NOISE)?;
    Some(mean(returns)? / deviation * YEAR.sqrt())
}

/// Volatility: sample deviation of daily returns times √365, as a share.
#[must_use]
pub fn volatility(returns: &[f64]) -> Option<f64> {
    deviation(returns).map(|deviation| deviation * YEAR.sqrt())
}

/// Sortino ratio (Sortino and Price 1994): mean daily return over the downside deviation, times
/// √365. The downside deviation is √(Σ min(r, 0)² / n) over all n observations, target 0.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn sortino(returns: &[f64]) -> Option<f64> {
    let squares: f64 = returns.iter().map(|value| value.min(0.0).powi(2)).sum();
    let downside = (squares / returns.len() as f64).sqrt();
    (downside > NOISE).then(|| mean(returns).map(|mean| mean / downside * YEAR.sqrt())).flatten()
}

/// Compound annual growth rate: (end / start)^(365 / days) − 1, as a share. −1 when all is lost.
#[must_use]
pub fn cagr(start: f64, end: f64, days: f64) -> Option<f64> {
    (start > 0.0 && days > 0.0).then(|| (end.max(0.0) / start).powf(YEAR / days) - 1.0)
}

/// Calmar ratio (Young 1991), over the whole run: CAGR over the deepest drawdown, both as shares.
#[must_use]
pub fn calmar(cagr: f64, max_drawdown: f64) -> Option<f64> {
    (max_drawdown > 0.0).then(|| cagr / max_drawdown)
}
