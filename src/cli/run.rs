//! `lunario run`: the strategies of a folder, on paper or live, reloaded on save.

use super::told::Teller;
use super::{Failure, Global, args, existing, output, usage};
use crate::base::{Decimal, Fees, Span, decimal};
use crate::edge::signals;
use crate::edge::tape::TimeUnit;
use crate::run::assemble;
use crate::run::live::{FlowBtc, Live, LiveEnd, Told as News};
use crate::run::options::{InstrumentOption, Outcome, Output, Pace, RunOptions};
use crate::run::scripts::Scripts;
use crate::show::style::{Style, Tone};
use crate::show::summary::{self, Section};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Folders and files of strategies
    #[arg(default_value = "scripts")]
    paths: Vec<PathBuf>,
    /// Trade with real money; needs `[live] enabled = true` in the configuration
    #[arg(long)]
    live: bool,
    /// End by itself after this long
    #[arg(long = "for", value_name = "DURATION", value_parser = args::some_time)]
    run_for: Option<Span>,
    /// The folder of the journal and of what else outlives a run
    #[arg(long, value_name = "DIR", default_value = ".lunario", env = "LUNARIO_STATE")]
    state: PathBuf,
    /// Trade on the FlowBTC at this WebSocket address
    #[arg(long, value_name = "URL", conflicts_with = "feed")]
    flowbtc_ws: Option<String>,
    /// What the embedded exchange trades, and its rules: flowbtc:BTCBRL,tick=0.01
    #[arg(long, value_parser = args::instrument)]
    instrument: Option<InstrumentOption>,
    /// A parameter of the strategies that declare it
    #[arg(long, value_name = "KEY=VALUE", value_parser = args::pair)]
    param: Vec<(String, String)>,
    /// What the paper account starts with
    #[arg(long, value_name = "ASSET=AMOUNT", value_parser = args::balance, conflicts_with = "live")]
    balance: Vec<(String, Decimal)>,
    /// The embedded exchange's fees: maker=0.001,taker=0.001
    #[arg(long, value_name = "RATES", value_parser = args::fees, conflicts_with = "live")]
    fee: Option<Fees>,
    /// Let the embedded exchange replay a recorded trades CSV
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    feed: Option<PathBuf>,
    /// The unit of integer times in the feed [default: by their size]
    #[arg(long, value_name = "s|ms|us|ns")]
    time_unit: Option<TimeUnit>,
    /// The seed of the embedded exchange's synthetic market
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How fast the embedded exchange's market passes: 1, 10, max
    #[arg(long, value_parser = args::speed, default_value = "1")]
    speed: Pace,
}

pub(super) fn main(args: Args, global: &Global) -> Result<Outcome, Failure> {
    start(options(args, global)?)
}

fn options(args: Args, global: &Global) -> Result<RunOptions, Failure> {
    for path in &args.paths {
        if !path.exists() {
            return Err(usage(format!(
                "{} does not exist; name a script or a folder of scripts, or make one with \
                 `lunario new NAME`",
                path.display()
            )));
        }
    }
    if let Some(feed) = &args.feed {
        existing(feed, "--feed")?;
    }
    if let Some(asset) = args::twice(&args.balance) {
        return Err(usage(format!("--balance gives {asset} twice")));
    }
    let config = global.load_config()?;
    if args.live && !config.live {
        return Err(usage(
            "--live trades with real money and is not enabled; write `[live]` and `enabled = true` \
             into the configuration",
        ));
    }
    if let Some(url) = args.flowbtc_ws.as_deref()
        && !url.starts_with("ws://")
        && !url.starts_with("wss://")
    {
        return Err(usage(format!("--flowbtc-ws: `{url}` is no WebSocket address")));
    }
    Ok(RunOptions {
        paths: args.paths,
        live: args.live,
        run_for: args.run_for,
        state: args.state,
        flowbtc_ws: args.flowbtc_ws,
        instrument: args.instrument,
        params: args.param,
        balances: args.balance,
        fees: args.fee,
        feed: args.feed,
        time_unit: args.time_unit,
        seed: args.seed,
        speed: args.speed,
        config,
        output: global.output(),
    })
}

fn start(options: RunOptions) -> Result<Outcome, Failure> {
    let (spec, mut embedded) = assemble::live(&options)?;
    greet(&options, &spec.flowbtc, embedded.is_some())?;
    let mut teller = Teller::new(options.output, spec.engine.instruments.clone());
    let mut tell = |news: News, scripts: &Scripts| {
        for line in teller.lines(&news, scripts) {
            // A reader that has gone away does not stop a run.
            drop(output::line(&line));
        }
    };
    let mut live = Live::open(spec, &mut tell)?;
    signals::watch(live.post())?;
    let end = live.run(&mut tell)?;
    drop(live);
    if let Some(embedded) = &mut embedded {
        embedded.stop()?;
    }
    bid_farewell(&options, &end)?;
    Ok(match (end.interrupted, end.halted) {
        (true, _) => Outcome::Interrupted,
        (false, true) => Outcome::Halted,
        (false, false) => Outcome::Done,
    })
}

/// What trades where, before anything happens.
fn greet(options: &RunOptions, flowbtc: &FlowBtc, embedded: bool) -> anyhow::Result<()> {
    let Output::People { color } = options.output else { return Ok(()) };
    let paths: Vec<String> = options.paths.iter().map(|path| path.display().to_string()).collect();
    let market = match (&options.feed, embedded) {
        (Some(feed), _) => format!("the embedded exchange, replaying {}", feed.display()),
        (None, true) => {
            format!("the embedded exchange, a synthetic market of seed {}", options.seed)
        }
        (None, false) => flowbtc.url.clone(),
    };
    let money = match (options.live, &flowbtc.paper) {
        (true, _) => "LIVE, with real money",
        (false, Some(_)) => "on paper: the venue's market, a simulated account",
        (false, None) => "on paper: a simulated venue",
    };
    let style = Style { color };
    let head = style.paint(Tone::Strong, &format!("lunario {}", env!("CARGO_PKG_VERSION")));
    let paths = paths.join(", ");
    output::line(&format!("{head}  {paths} on {market}; {money}"))?;
    output::line(&style.paint(
        Tone::Faint,
        &format!(
            "saves are taken up at once; state in {}; Ctrl-C ends the run",
            options.state.display()
        ),
    ))
}

/// How every strategy stands at the end.
fn bid_farewell(options: &RunOptions, end: &LiveEnd) -> anyhow::Result<()> {
    let Output::People { .. } = options.output else { return Ok(()) };
    let mut sections = Vec::new();
    for strategy in &end.strategies {
        let mut section = Section::new(&strategy.name);
        section.row("version", strategy.version.to_string());
        for position in &strategy.positions {
            section.row("instrument", position.instrument.clone());
            section.row("position", decimal::show(position.qty));
            section.row("fills", position.fills.to_string());
            section.row("realized", decimal::show(position.realized));
            section.row("unrealized", decimal::show(position.unrealized));
            section.row("fees", decimal::show(position.fees));
            section.row("net", decimal::show(position.net));
        }
        if let Some(reason) = &strategy.halted {
            section.row("halted", reason.clone());
        }
        sections.push(section);
    }
    output::print(&format!("\n{}", summary::table(&sections)))?;
    if end.open_orders > 0 {
        output::complain(&format!(
            "{} orders were not confirmed as canceled; look at the venue",
            end.open_orders
        ));
    }
    Ok(())
}
