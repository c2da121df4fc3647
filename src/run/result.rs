//! What a backtest answers: exact money, metrics with their notes, assumptions, a digest.

use crate::account::metrics::Metrics;
use crate::base::{Decimal, Plain, Time, decimal};
use crate::desk::Fault;

/// The feed as it was read.
#[derive(Clone, Debug, Default)]
pub struct FeedSummary {
    pub files: Vec<String>,
    pub events: u64,
    pub first: Option<Time>,
    pub last: Option<Time>,
}

/// A backtest's result. Money is exact, in the instrument's quote asset.
#[derive(Clone, Debug)]
pub struct BacktestResult {
    pub strategy: String,
    pub version: String,
    pub seed: u64,
    pub instrument: String,
    pub feed: FeedSummary,
    /// Orders that passed the gate.
    pub orders: u64,
    pub fills: u64,
    pub canceled: u64,
    /// Refused by the gate or by the exchange.
    pub rejected: u64,
    pub expired: u64,
    pub position: Decimal,
    pub fees: Decimal,
    pub realized: Decimal,
    pub unrealized: Decimal,
    pub net_pnl: Decimal,
    pub equity_start: Decimal,
    pub equity_end: Decimal,
    pub metrics: Metrics,
    /// Name and sentence.
    pub assumptions: Vec<(&'static str, String)>,
    /// SHA-256 over every order and fill.
    pub digest: String,
    pub wall_s: f64,
    pub engine_s: f64,
    pub events_per_s: f64,
    pub peak_rss_mb: Option<f64>,
    /// The failure that ended the run early, if one did.
    pub fault: Option<Fault>,
    /// Why the strategy was halted, if it was.
    pub halted: Option<String>,
    /// The first refusals' reasons, with how often each code came.
    pub refusals: Vec<(String, u64)>,
}

impl BacktestResult {
    /// The JSON of the command line's contract.
    #[must_use]
    pub fn json(&self) -> String {
        let money = |value: Decimal| Plain::text(decimal::show(value));
        let text = |text: &str| Plain::text(text);
        let time =
            |time: Option<Time>| time.map_or(Plain::Nil, |time| Plain::Text(time.to_string()));
        let files = self.feed.files.iter().map(|file| text(file)).collect();
        let feed = Plain::map(vec![
            ("files", Plain::List(files)),
            ("events", count(self.feed.events)),
            ("first", time(self.feed.first)),
            ("last", time(self.feed.last)),
        ]);
        let assumptions: Vec<(&str, Plain)> =
            self.assumptions.iter().map(|(name, words)| (*name, text(words))).collect();
        let fault = self.fault.as_ref().map_or(Plain::Nil, |fault| Plain::Text(fault.to_string()));
        let halted = self.halted.as_ref().map_or(Plain::Nil, |reason| text(reason));
        let refusals: Vec<(&str, Plain)> =
            self.refusals.iter().map(|(code, times)| (code.as_str(), count(*times))).collect();
        Plain::map(vec![
            ("strategy", text(&self.strategy)),
            ("version", text(&self.version)),
            ("seed", count(self.seed)),
            ("instrument", text(&self.instrument)),
            ("feed", feed),
            ("events", count(self.feed.events)),
            ("orders", count(self.orders)),
            ("fills", count(self.fills)),
            ("canceled", count(self.canceled)),
            ("rejected", count(self.rejected)),
            ("expired", count(self.expired)),
            ("position", money(self.position)),
            ("fees", money(self.fees)),
            ("realized", money(self.realized)),
            ("unrealized", money(self.unrealized)),
            ("net_pnl", money(self.net_pnl)),
            ("equity_start", money(self.equity_start)),
            ("equity_end", money(self.equity_end)),
            ("metrics", self.metrics_plain()),
            ("refusals", Plain::map(refusals)),
            ("assumptions", Plain::map(assumptions)),
            ("fault", fault),
            ("halted", halted),
            ("digest", text(&self.digest)),
            ("wall_s", Plain::Number(self.wall_s)),
            ("engine_s", Plain::Number(self.engine_s)),
            ("events_per_s", Plain::Number(self.events_per_s.round())),
            ("peak_rss_mb", self.peak_rss_mb.map_or(Plain::Nil, Plain::Number)),
        ])
        .json()
    }

    fn metrics_plain(&self) -> Plain {
        let m = &self.metrics;
        let number = |value: Option<f64>| value.map_or(Plain::Nil, Plain::Number);
        let notes = m.notes.iter().map(|note| Plain::text(note.as_str())).collect();
        Plain::map(vec![
            ("return_pct", number(m.return_pct)),
            ("sharpe", number(m.sharpe)),
            ("sortino", number(m.sortino)),
            ("calmar", number(m.calmar)),
            ("max_drawdown_pct", number(m.max_drawdown_pct)),
            ("profit_factor", number(m.profit_factor)),
            ("win_rate", number(m.win_rate)),
            ("trades", count(m.trades)),
            ("exposure_pct", number(m.exposure_pct)),
            ("turnover", number(m.turnover)),
            ("cagr_pct", number(m.cagr_pct)),
            ("volatility_pct", number(m.volatility_pct)),
            ("notes", Plain::List(notes)),
        ])
    }
}

fn count(value: u64) -> Plain {
    Plain::Int(i64::try_from(value).unwrap_or(i64::MAX))
}
