//! `lunario backtest`: a strategy over recorded trades.

use super::{Failure, Global, args, existing, usage};
use crate::base::{Decimal, Fees, Span, Time};
use crate::edge::tape::TimeUnit;
use crate::run::options::{BacktestOptions, InstrumentOption, Outcome, QueueModel};
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
    let script = options.script.display();
    Err(Failure::Work(anyhow::anyhow!("this build cannot backtest {script}")))
}
