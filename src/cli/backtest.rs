//! `lunario backtest`: a strategy over recorded trades.

use super::output::{self, Progress};
use super::{Failure, Global, args, existing, usage};
use crate::base::decimal;
use crate::base::{Decimal, Fees, Span, Time};
use crate::edge::tape::TimeUnit;
use crate::run::BacktestResult;
use crate::run::assemble;
use crate::run::backtest::{Refused, backtest};
use crate::run::options::{BacktestOptions, InstrumentOption, Outcome, Output, QueueModel};
use crate::run::scripts::{Pointed, Unreadable};
use crate::show::style::{Style, count, figure, gain_tone, money, signed};
use crate::show::summary::{self, Cell, Section};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The strategy
    script: PathBuf,
    /// A recorded feed in CSV: trades with a header `time,price,qty[,side][,id]`
    #[arg(long, value_name = "FILE", required = true)]
    feed: Vec<PathBuf>,
    /// The unit of integer times [default: by their size]
    #[arg(long, value_name = "s|ms|us|ns")]
    time_unit: Option<TimeUnit>,
    /// What the feed is of, and its rules: flowbtc:BTCBRL,tick=0.01,lot=0.00000001
    #[arg(long, value_parser = args::instrument)]
    instrument: Option<InstrumentOption>,
    /// A parameter of the strategy
    #[arg(long, value_name = "KEY=VALUE", value_parser = args::pair)]
    param: Vec<(String, String)>,
    /// Start at this time
    #[arg(long, value_name = "TIME", value_parser = args::time)]
    from: Option<Time>,
    /// End before this time
    #[arg(long, value_name = "TIME", value_parser = args::time)]
    to: Option<Time>,
    /// What the account starts with [default: 1000000 of the quote asset and 1000 of the base]
    #[arg(long, value_name = "ASSET=AMOUNT", value_parser = args::balance)]
    balance: Vec<(String, Decimal)>,
    /// Fees as fractions of notional: maker=0.001,taker=0.001
    #[arg(long, value_name = "RATES", value_parser = args::fees)]
    fee: Option<Fees>,
    /// Delay of the feed and of orders, each way
    #[arg(long, value_name = "DURATION", value_parser = args::duration,
        conflicts_with_all = ["feed_latency", "order_latency"])]
    latency: Option<Span>,
    /// Delay from the market to the strategy
    #[arg(long, value_name = "DURATION", value_parser = args::duration)]
    feed_latency: Option<Span>,
    /// Delay from the strategy to the market, and of the answer
    #[arg(long, value_name = "DURATION", value_parser = args::duration)]
    order_latency: Option<Span>,
    /// How far back a resting order stands at its price: none or risk-averse
    #[arg(long, value_name = "MODEL", value_parser = args::queue, default_value = "none")]
    queue: QueueModel,
    /// The seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write an HTML report
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn main(args: Args, global: &Global) -> Result<Outcome, Failure> {
    start(options(args, global)?)
}

fn options(args: Args, global: &Global) -> Result<BacktestOptions, Failure> {
    existing(&args.script, "SCRIPT")?;
    for feed in &args.feed {
        existing(feed, "--feed")?;
    }
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Err(usage(format!("--from {from} is not before --to {to}")));
    }
    if let Some(asset) = args::twice(&args.balance) {
        return Err(usage(format!("--balance gives {asset} twice")));
    }
    if args.report.is_some() {
        return Err(usage("--report: this build writes no HTML report; use --json"));
    }
    let latency = args.latency.unwrap_or_default();
    Ok(BacktestOptions {
        script: args.script,
        feeds: args.feed,
        time_unit: args.time_unit,
        instrument: args.instrument,
        params: args.param,
        from: args.from,
        to: args.to,
        balances: args.balance,
        fees: args.fee,
        feed_latency: args.feed_latency.unwrap_or(latency),
        order_latency: args.order_latency.unwrap_or(latency),
        queue: args.queue,
        seed: args.seed,
        report: args.report,
        config: global.load_config()?,
        output: global.output(),
    })
}

fn start(options: BacktestOptions) -> Result<Outcome, Failure> {
    let spec = match assemble::backtest(&options) {
        Ok(spec) => spec,
        Err(error) => {
            let unreadable = error.downcast::<Unreadable>()?;
            let fault = unreadable.fault(Time::ZERO);
            return refused(&Pointed::new(&fault, &BTreeMap::new(), &options.script));
        }
    };
    let mut bar = Progress::start(options.output);
    let result = backtest(&spec, &mut |done| bar.show(done));
    bar.end();
    let result = match result {
        Ok(result) => result,
        Err(error) => {
            let Refused { fault, sources } = error.downcast::<Refused>()?;
            return refused(&Pointed::new(&fault, &sources.sources, &options.script));
        }
    };
    match options.output {
        Output::Json => output::line(&result.json())?,
        Output::People { color } => output::print(&people(&result, Style { color }))?,
    }
    if let Some(fault) = &result.fault {
        let sources = &spec.candidate.sources;
        super::complain_of(&Pointed::new(fault, sources, &options.script));
        return Err(Failure::Told);
    }
    if let Some(reason) = &result.halted {
        output::complain(&format!("the strategy was halted: {reason}"));
        return Ok(Outcome::Halted);
    }
    Ok(Outcome::Done)
}

/// A script that did not load, with its place.
fn refused(pointed: &Pointed) -> Result<Outcome, Failure> {
    super::complain_of(pointed);
    Ok(Outcome::Refused)
}

/// The summary for people.
fn people(result: &BacktestResult, style: Style) -> String {
    let mut head = Section::words("");
    head.row("strategy", format!("{} {}", result.strategy, result.version));
    head.row("instrument", result.instrument.clone());
    head.row("feed", result.feed.files.join(", "));
    head.row("events", count(result.feed.events));
    if let (Some(first), Some(last)) = (result.feed.first, result.feed.last) {
        head.row("from", first.to_string());
        head.row("to", last.to_string());
    }
    let mut assumptions = Section::words("Assumptions");
    for (name, words) in &result.assumptions {
        assumptions.row(&name.replace('_', " "), words.clone());
    }
    let mut run = Section::words("Run");
    let (seconds, speed) = (result.engine_s, count_f64(result.events_per_s));
    run.row("engine", format!("{seconds:.3} s, {speed} events/s"));
    run.row("digest", result.digest.clone());
    let sections =
        [head, orders(result), profit(result), metrics(result), notes(result), assumptions, run];
    summary::sections(&sections, style)
}

fn orders(result: &BacktestResult) -> Section {
    let mut section = Section::figures("Orders");
    for (name, value) in [
        ("sent", result.orders),
        ("fills", result.fills),
        ("canceled", result.canceled),
        ("rejected", result.rejected),
        ("expired", result.expired),
    ] {
        section.row(name, count(value));
    }
    for (code, times) in &result.refusals {
        section.row(code, count(*times));
    }
    section
}

fn profit(result: &BacktestResult) -> Section {
    let gain = |value: Decimal| match gain_tone(value) {
        Some(tone) => Cell::toned(signed(value), tone),
        None => Cell::plain(signed(value)),
    };
    let mut section = Section::figures("Profit");
    section.row("position", decimal::show(result.position));
    section.row("realized", gain(result.realized));
    section.row("unrealized", gain(result.unrealized));
    section.row("fees", money(result.fees));
    section.row("net", gain(result.net_pnl));
    section.row("equity, start", money(result.equity_start));
    section.row("equity, end", money(result.equity_end));
    section
}

fn metrics(result: &BacktestResult) -> Section {
    let m = &result.metrics;
    let mut section = Section::figures("Metrics");
    section.row("round trips", count(m.trades));
    for (name, value) in [
        ("return %", m.return_pct),
        ("max drawdown %", m.max_drawdown_pct),
        ("profit factor", m.profit_factor),
        ("win rate", m.win_rate),
        ("exposure %", m.exposure_pct),
        ("turnover", m.turnover),
        ("sharpe", m.sharpe),
        ("sortino", m.sortino),
        ("calmar", m.calmar),
        ("cagr %", m.cagr_pct),
        ("volatility %", m.volatility_pct),
    ] {
        section.row(name, value.map_or("–".to_owned(), figure));
    }
    section
}

fn notes(result: &BacktestResult) -> Section {
    let mut section = Section::words("Notes");
    for note in &result.metrics.notes {
        section.row("metrics", note.clone());
    }
    section
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for people")]
fn count_f64(value: f64) -> String {
    count(value.max(0.0) as u64)
}
