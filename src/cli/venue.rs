//! `lunario venue`: the simulated venues on loopback.

use super::{Failure, Global, args, existing, output, usage};
use crate::base::{Decimal, Fees, Plain, Span};
use crate::edge::tape::TimeUnit;
use crate::edge::{clock, signals};
use crate::run::assemble;
use crate::run::options::{Checks, Dialect, InstrumentOption, Outcome, Output, Pace, VenueOptions};
use crate::run::venue::{TestUser, Urls, VenueRun, write_ledger};
use crate::show::style::count;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Where FlowBTC's WebSocket is served; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    flowbtc_ws: SocketAddr,
    /// Where FlowBTC's REST interface is served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    flowbtc_http: SocketAddr,
    /// Where Mercado Bitcoin is served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    mercadobitcoin: SocketAddr,
    /// Where Sentra is served
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    sentra: SocketAddr,
    /// Where faults are set while it runs
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// Replay a recorded trades CSV as the market
    #[arg(long, value_name = "FILE", conflicts_with = "synthetic")]
    feed: Option<PathBuf>,
    /// The unit of integer times in the feed [default: by their size]
    #[arg(long, value_name = "s|ms|us|ns", requires = "feed")]
    time_unit: Option<TimeUnit>,
    /// Make up a market from this seed
    #[arg(long, value_name = "SEED")]
    synthetic: Option<u64>,
    /// What is traded, and its rules: flowbtc:BTCBRL,tick=0.01,lot=0.00000001
    #[arg(long, value_parser = args::instrument)]
    instrument: Option<InstrumentOption>,
    /// Fees as fractions of notional: maker=0.001,taker=0.001
    #[arg(long, value_name = "RATES", value_parser = args::fees)]
    fee: Option<Fees>,
    /// How fast the market passes: 1, 10, max
    #[arg(long, value_parser = args::speed, default_value = "1")]
    speed: Pace,
    /// What the test account starts with
    #[arg(long, value_name = "ASSET=AMOUNT", value_parser = args::balance)]
    balance: Vec<(String, Decimal)>,
    /// Write the venue's own ledger into this folder at the end
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// A file of faults to act out
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// How FlowBTC speaks where its page and its systems differ: page or native
    #[arg(long, value_parser = args::dialect, default_value = "native")]
    dialect: Dialect,
    /// What Sentra does with bodies that lack something: as its manual or as its source says
    #[arg(long, value_name = "manual|source", default_value = "manual")]
    sentra_checks: SentraChecks,
    /// End by itself after this long
    #[arg(long = "for", value_name = "DURATION", value_parser = args::some_time)]
    run_for: Option<Span>,
}

/// `--sentra-checks`
#[derive(clap::ValueEnum, Copy, Clone, Debug)]
enum SentraChecks {
    Manual,
    Source,
}

pub(super) fn main(args: Args, global: &Global) -> Result<Outcome, Failure> {
    start(options(args, global)?)
}

fn options(args: Args, global: &Global) -> Result<VenueOptions, Failure> {
    for (flag, address) in [
        ("--flowbtc-ws", args.flowbtc_ws),
        ("--flowbtc-http", args.flowbtc_http),
        ("--mercadobitcoin", args.mercadobitcoin),
        ("--sentra", args.sentra),
        ("--control", args.control),
    ] {
        if !address.ip().is_loopback() {
            return Err(usage(format!(
                "{flag}: {address} is not a loopback address; the simulated venues serve this \
                 machine only, as 127.0.0.1:{}",
                address.port()
            )));
        }
    }
    if let Some(feed) = &args.feed {
        existing(feed, "--feed")?;
    }
    Ok(VenueOptions {
        flowbtc_ws: args.flowbtc_ws,
        flowbtc_http: args.flowbtc_http,
        mercadobitcoin: args.mercadobitcoin,
        sentra: args.sentra,
        control: Some(args.control),
        feed: args.feed,
        time_unit: args.time_unit,
        seed: args.synthetic.unwrap_or(1),
        instrument: args.instrument,
        fees: args.fee,
        speed: args.speed,
        balances: args.balance,
        state: args.state,
        dialect: args.dialect,
        faults: args.faults,
        sentra_checks: match args.sentra_checks {
            SentraChecks::Manual => Checks::Manual,
            SentraChecks::Source => Checks::Source,
        },
        run_for: args.run_for,
        output: global.output(),
    })
}

fn start(options: VenueOptions) -> Result<Outcome, Failure> {
    let spec = assemble::venue(&options)?;
    let user = spec.users.first().cloned();
    let mut run = VenueRun::open(spec)?;
    signals::watch(run.post(), || {})?;
    let urls = run.urls();
    // The contract's line, for whoever starts the venue and waits for it, `--json` or not.
    output::line(&ready(&urls, run.accounts()).json())?;
    if let (Output::People { .. }, Some(user)) = (options.output, user) {
        output::tell(&invitation(&urls, &user));
    }
    let mut played = |events| played(options.output, events);
    run.run(options.run_for.map(|span| clock::now().plus(span)), &mut played)?;
    let ledger = run.ledger().json();
    if let Some(folder) = &options.state {
        write_ledger(folder, &ledger)?;
    }
    if options.output == Output::Json {
        output::line(&ledger)?;
    }
    Ok(Outcome::Done)
}

/// How to trade here, as a line to copy.
fn invitation(urls: &Urls, user: &TestUser) -> String {
    let url = &urls.flowbtc_ws;
    format!(
        "FlowBTC is served at {url} and {}, Mercado Bitcoin at {}, Sentra at {}, until Ctrl-C. To \
         trade on FlowBTC, in another terminal:\n  LUNARIO_FLOWBTC_USER={} LUNARIO_FLOWBTC_PASSWORD={} lunario run --flowbtc-ws {url}",
        urls.flowbtc_http,
        urls.mercadobitcoin,
        urls.sentra,
        user.user,
        user.password.expose()
    )
}

/// A recorded market has come to its end.
fn played(output: Output, events: u64) {
    let line = Plain::map(vec![
        ("event", Plain::text("feed_ended")),
        ("market_events", Plain::Int(i64::try_from(events).unwrap_or(i64::MAX))),
    ]);
    match output {
        // A reader that has gone away does not stop a venue.
        Output::Json => drop(output::line(&line.json())),
        Output::People { .. } => output::tell(&format!(
            "the feed has come to its end after {} events; orders are still taken",
            count(events)
        )),
    }
}

fn ready(urls: &Urls, accounts: Plain) -> Plain {
    let mut line = vec![
        ("ready", Plain::Bool(true)),
        ("flowbtc_http", Plain::text(urls.flowbtc_http.as_str())),
        ("flowbtc_ws", Plain::text(urls.flowbtc_ws.as_str())),
        ("mercadobitcoin", Plain::text(urls.mercadobitcoin.as_str())),
        ("mercadobitcoin_data", Plain::text(urls.mercadobitcoin_data.as_str())),
        ("sentra", Plain::text(urls.sentra.as_str())),
    ];
    if let Some(control) = &urls.control {
        line.push(("control", Plain::text(control.as_str())));
    }
    line.push(("accounts", accounts));
    Plain::map(line)
}
