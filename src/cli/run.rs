//! `lunario run`: the strategies of a folder, on paper or live, reloaded on save.

use super::{Failure, Global, args, existing, output, told, usage};
use crate::base::{Decimal, Fees, Instruments, Span, VenueName, decimal};
use crate::edge::tape::TimeUnit;
use crate::edge::terminal::Terminal;
use crate::edge::{clock, signals};
use crate::run::assemble;
use crate::run::live::{Live, LiveEnd, LiveSpec, Told as News};
use crate::run::options::{InstrumentOption, Outcome, Output, Pace, RunOptions};
use crate::run::oversights::oversights;
use crate::run::scripts::Scripts;
use crate::show::style::{Style, Tone, count, gain_tone, money, signed};
use crate::show::summary::{self, Cell};
use std::collections::BTreeMap;
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
    /// Trade on the Mercado Bitcoin at this address of its Trade API
    #[arg(long, value_name = "URL", value_parser = args::web_address)]
    mercadobitcoin: Option<String>,
    /// Report to the Sentra at this address
    #[arg(long, value_name = "URL", value_parser = args::web_address)]
    sentra: Option<String>,
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
        return Err(usage(format!(
            "--flowbtc-ws: `{url}` is no WebSocket address; write ws://… or wss://…"
        )));
    }
    Ok(RunOptions {
        paths: args.paths,
        live: args.live,
        run_for: args.run_for,
        state: args.state,
        flowbtc_ws: args.flowbtc_ws,
        mercadobitcoin: args.mercadobitcoin,
        sentra: args.sentra,
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
    greet(&options, &spec, embedded.is_some())?;
    for oversight in oversights(&options)? {
        output::warn(&oversight);
    }
    let instruments = spec.engine.instruments.clone();
    let mut teller = told::teller(options.output, instruments.clone(), clock::now());
    let mut tell = |news: News, scripts: &Scripts| told::tell(&mut teller, &news, scripts);
    let mut live = Live::open(spec, &mut tell)?;
    if !live.has_strategies() {
        tell_idle(&options)?;
    }
    let output = options.output;
    signals::watch(live.post(), move || output::interrupted(output))?;
    let terminal = Terminal::new(live.post());
    let end = live.run(&mut |news, scripts| {
        if let News::CodeWanted { venue } = &news {
            ask_code(&terminal, venue);
        }
        tell(news, scripts);
    })?;
    drop(live);
    for line in teller.end(clock::now(), told::stopped(&end)) {
        output::line(&line)?;
    }
    if let Output::People { color } = options.output {
        output::print(&farewell(&end, &instruments, Style { color }))?;
    }
    if let Some(embedded) = &mut embedded {
        embedded.stop()?;
    }
    if !teller.has_reached_a_venue() && !end.interrupted && !end.strategies.is_empty() {
        return Err(Failure::Work(anyhow::anyhow!(
            "the venue was never reached; the lines above say why"
        )));
    }
    Ok(match (end.interrupted, end.halted, end.strategies.is_empty()) {
        (true, ..) => Outcome::Interrupted,
        (_, true, _) => Outcome::Halted,
        (_, _, true) => Outcome::Refused,
        (false, false, false) => Outcome::Done,
    })
}

/// A login waits for a one-time code: whoever sits at the terminal types it.
fn ask_code(terminal: &Terminal, venue: &VenueName) {
    match terminal.read_line() {
        Ok(true) => output::tell(&format!(
            "{venue} asks for a one-time code: type the one of now and press Enter"
        )),
        Ok(false) => output::warn(&format!(
            "{venue} asks for a one-time code and nobody can type one here; set `totp_env` under \
             [venues.{venue}], and the codes are made from its secret"
        )),
        Err(error) => output::warn(&format!("the terminal cannot be read: {error:#}")),
    }
}

/// Nothing runs yet: what to do about it.
fn tell_idle(options: &RunOptions) -> anyhow::Result<()> {
    let Output::People { .. } = options.output else { return Ok(()) };
    output::line(&format!(
        "no strategy runs; this waits for a script in {} to be saved or mended",
        paths(options)
    ))
}

fn paths(options: &RunOptions) -> String {
    let paths: Vec<String> = options.paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

/// What trades where, before anything happens.
fn greet(options: &RunOptions, spec: &LiveSpec, embedded: bool) -> anyhow::Result<()> {
    let Output::People { color } = options.output else { return Ok(()) };
    let flowbtc = spec.venues.flowbtc.as_ref().map(|flowbtc| match (&options.feed, embedded) {
        (Some(feed), _) => format!("{} replayed by the embedded exchange", feed.display()),
        (None, true) => format!("the embedded exchange, synthetic, seed {}", options.seed),
        (None, false) => flowbtc.url.clone(),
    });
    // What is embedded beside FlowBTC needs no words of its own.
    let other = spec.venues.mercadobitcoin.as_ref().filter(|venue| !venue.embedded);
    let reports = spec.venues.sentra.as_ref().filter(|venue| !venue.embedded);
    let others = [
        other.map(|venue| venue.url.clone()),
        reports.map(|venue| format!("reports to {}", venue.url)),
    ];
    let papers = [
        spec.venues.flowbtc.as_ref().map(|venue| venue.paper.is_some()),
        spec.venues.mercadobitcoin.as_ref().map(|venue| venue.paper.is_some()),
    ];
    let money = match (options.live, papers.contains(&Some(true))) {
        (true, _) => "LIVE, with real money",
        (false, true) => "paper: the venue's market, a simulated account",
        (false, false) => "paper: a simulated venue",
    };
    let markets = flowbtc.into_iter().chain(others.into_iter().flatten());
    let market = markets.collect::<Vec<_>>().join("; ");
    let style = Style { color };
    let head = style.paint(Tone::Strong, &format!("lunario {}", env!("CARGO_PKG_VERSION")));
    let tone = if options.live { Tone::Bad } else { Tone::Good };
    output::line(&head)?;
    for (name, value) in [
        ("scripts", paths(options)),
        ("market", market),
        ("money", style.paint(tone, money)),
        ("state", options.state.display().to_string()),
    ] {
        output::line(&format!("  {}  {value}", style.paint(Tone::Faint, &format!("{name:<7}"))))?;
    }
    let hint = "Save a script and the new version trades at the next event. Ctrl-C ends the run. \
                Times are UTC.";
    output::line(&format!("{}\n", style.paint(Tone::Faint, hint)))
}

/// How every strategy stands at the end, as a table.
fn farewell(end: &LiveEnd, instruments: &Instruments, style: Style) -> String {
    let mut rows = Vec::new();
    let mut total: BTreeMap<String, Decimal> = BTreeMap::new();
    for strategy in &end.strategies {
        let halted = if strategy.halted.is_some() { " (halted)" } else { "" };
        let name = format!("{}{halted}", strategy.name);
        let version = strategy.version.0.get(..8).unwrap_or_default().to_owned();
        for position in &strategy.positions {
            let row = instruments.find(&position.instrument);
            let (base, quote) =
                row.map(|row| (row.base.clone(), row.quote.clone())).unwrap_or_default();
            *total.entry(quote.clone()).or_default() += position.net;
            rows.push(vec![
                Cell::toned(name.clone(), Tone::Strong),
                version.clone().into(),
                format!("{} {base}", decimal::show(position.qty)).into(),
                count(position.fills).into(),
                signed(position.realized).into(),
                signed(position.unrealized).into(),
                money(position.fees).into(),
                net(position.net, &quote),
            ]);
        }
        if strategy.positions.is_empty() {
            let mut row = vec![Cell::toned(name, Tone::Strong), version.into()];
            row.extend(["–", "0", "–", "–", "–", "–"].map(Cell::plain));
            rows.push(row);
        }
    }
    if rows.len() > 1 {
        for (quote, sum) in &total {
            let mut row = vec![Cell::toned("all", Tone::Strong)];
            row.extend([""; 6].map(Cell::plain));
            row.push(net(*sum, quote));
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let heading =
        ["strategy", "version", "position", "fills", "realized", "unrealized", "fees", "net"];
    format!("\n{}", summary::table(&heading, &rows, style))
}

fn net(value: Decimal, quote: &str) -> Cell {
    let text = format!("{} {quote}", signed(value));
    gain_tone(value).map_or(Cell::plain(text.clone()), |tone| Cell::toned(text, tone))
}
