//! From what users ask for to what is run: options and configuration into specs.

mod live;

use super::backtest::{BLOCK_ROWS, Spec, patient};
use super::feed::Wanted;
use super::options::{BacktestOptions, InstrumentOption, RunOptions, Unfit, VenueOptions};
use super::scripts::Unreadable;
use super::source::Source;
use super::venue::{
    ANYWHERE, Checks, Dialect, Embedded, FIRST_ORDER_ID, FaultPlan, Others, VenueSpec, accounts,
    test_users,
};
use crate::base::{Decimal, Fees, Instrument, InstrumentId, Instruments, Plain, Span, VenueName};
use crate::desk::{Closed, Mode};
use crate::edge::config::{Config, Limits as ConfigLimits};
use crate::edge::{clock, watch};
use crate::exchange::{Config as ExchangeConfig, QueueModel};
use crate::lua::{Candidate, Limits as LuaLimits, Script, Setup, collect};
use crate::risk::Limits;
use crate::simulator::flowbtc::listing;
use anyhow::Context;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

pub use live::live;

/// The fees where none are given: 0.1 % either way.
#[must_use]
pub fn default_fees() -> Fees {
    let rate = Decimal::new(1, 3);
    Fees { maker: rate, taker: rate }
}

/// The instrument of a script that names none.
pub const DEFAULT_INSTRUMENT: &str = "flowbtc:BTCBRL";

/// A script file and what it requires.
///
/// # Errors
/// When a file of it cannot be read.
pub fn candidate(file: &Path) -> anyhow::Result<Candidate> {
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.with_context(|| format!("{} is no file name", file.display()))?;
    let mut read =
        |path: &str| watch::load_text(&folder.join(path)).map_err(|error| format!("{error:#}"));
    let collected = collect(name, &mut read);
    let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or(name).to_owned();
    Ok(collected.map_err(|error| Unreadable { name, file: file.to_owned(), error })?)
}

/// The instrument an option describes, with defaults for what it leaves open: tick size 0.01, lot
/// size and least quantity 0.00000001, the assets from the symbol.
///
/// # Errors
/// When the symbol does not tell its assets and the option does not either.
pub fn instrument(option: &InstrumentOption, fees: Fees) -> anyhow::Result<Instrument> {
    let split = split_symbol(&option.symbol);
    let base = option.base.clone().or_else(|| split.map(|(base, _)| base.to_owned()));
    let quote = option.quote.clone().or_else(|| split.map(|(_, quote)| quote.to_owned()));
    let (Some(base), Some(quote)) = (base, quote) else {
        let name = option.name();
        anyhow::bail!(Unfit(format!(
            "{name} does not tell its assets; write --instrument {name},base=X,quote=Y"
        )));
    };
    let lot_size = option.lot.unwrap_or(Decimal::new(1, 8));
    Ok(Instrument {
        id: InstrumentId::default(),
        venue: option.venue.clone(),
        symbol: option.symbol.clone(),
        base,
        quote,
        tick_size: option.tick.unwrap_or(Decimal::new(1, 2)),
        lot_size,
        min_qty: option.min_qty.unwrap_or(lot_size),
        fees,
    })
}

/// `BTCBRL` is BTC in BRL: a known quote asset at the end.
fn split_symbol(symbol: &str) -> Option<(&str, &str)> {
    const QUOTES: &[&str] = &["USDT", "USDC", "BRL", "USD", "EUR", "BTC", "ETH"];
    let quote =
        QUOTES.iter().find(|quote| symbol.ends_with(**quote) && symbol.len() > quote.len())?;
    let base = symbol.get(..symbol.len() - quote.len())?;
    Some((base, *quote))
}

fn named(name: &str) -> anyhow::Result<InstrumentOption> {
    let (venue, symbol) = name.split_once(':').context("an instrument is venue:SYMBOL")?;
    Ok(InstrumentOption {
        venue: VenueName::new(venue),
        symbol: symbol.to_owned(),
        tick: None,
        lot: None,
        min_qty: None,
        base: None,
        quote: None,
    })
}

/// The limits of the configuration over the defaults.
#[must_use]
pub fn limits(configured: ConfigLimits) -> Limits {
    let usual = Limits::default();
    Limits {
        max_order_qty: configured.max_order_qty.or(usual.max_order_qty),
        max_order_notional: configured.max_order_notional.or(usual.max_order_notional),
        max_position: configured.max_position.or(usual.max_position),
        max_open_orders: configured.max_open_orders.or(usual.max_open_orders),
        max_orders_per_minute: configured.max_orders_per_minute.or(usual.max_orders_per_minute),
    }
}

fn budget(config: &Config, usual: LuaLimits) -> LuaLimits {
    let handler = config.budget.handler.map_or(usual.handler, clock::duration);
    LuaLimits { handler, memory: config.budget.memory.unwrap_or(usual.memory), ..usual }
}

/// Parameters of one strategy: the configuration's, then those of the command line.
fn params(config: &Config, name: &str, given: &[(String, String)]) -> BTreeMap<String, String> {
    let text = |value: &Plain| {
        if let Plain::Text(text) = value { text.clone() } else { value.json() }
    };
    let configured = config.params.get(name).into_iter().flatten();
    let mut all: BTreeMap<String, String> =
        configured.map(|(key, value)| (key.clone(), text(value))).collect();
    all.extend(given.iter().cloned());
    all
}

/// What a backtest's options ask for.
///
/// # Errors
/// When the script cannot be read, or names instruments that make no sense.
pub fn backtest(options: &BacktestOptions) -> anyhow::Result<Spec> {
    let candidate = candidate(&options.script)?;
    let fees = options.fees.unwrap_or_else(default_fees);
    let option = match &options.instrument {
        Some(option) => option.clone(),
        None => named(&first_instrument(&candidate).unwrap_or_else(|| DEFAULT_INSTRUMENT.into()))?,
    };
    let instrument = instrument(&option, fees)?;
    let balances = if options.balances.is_empty() {
        vec![
            (instrument.quote.clone(), Decimal::from(1_000_000)),
            (instrument.base.clone(), Decimal::from(1_000)),
        ]
    } else {
        options.balances.clone()
    };
    let name = candidate.name.clone();
    Ok(Spec {
        candidate,
        feed: Wanted {
            files: options.feeds.clone(),
            time_unit: options.time_unit,
            from: options.from,
            to: options.to,
            block_rows: BLOCK_ROWS,
        },
        instrument,
        balances,
        params: params(&options.config, &name, &options.params),
        feed_latency: options.feed_latency,
        entry_latency: options.order_latency,
        response_latency: options.order_latency,
        queue: options.queue,
        seed: options.seed,
        limits: limits(options.config.limits.of(&name)),
        lua: patient(),
    })
}

/// Loads a candidate where nothing can be asked for, to look at it.
///
/// # Errors
/// When it is refused.
pub fn look(
    candidate: Candidate,
    default: Option<&str>,
) -> Result<Script, Box<crate::desk::Fault>> {
    let mut closed = Closed::default();
    let every = listing::instruments(default_fees());
    for row in every.iter() {
        closed.instruments.add(row.clone());
    }
    for name in default.into_iter().map(str::to_owned).chain(mentioned(&candidate)) {
        if let Ok(row) = named(&name).and_then(|option| instrument(&option, default_fees())) {
            closed.instruments.add(row);
        }
    }
    let setup = Setup {
        who: crate::base::StrategyId(0),
        mode: Mode::Backtest,
        desk: Rc::new(RefCell::new(closed)),
        overrides: BTreeMap::new(),
        shared: BTreeMap::new(),
        default_instrument: default.map(str::to_owned),
        seed: 1,
        limits: LuaLimits::default(),
        now: clock::now(),
    };
    Script::load(candidate, setup).map_err(Box::new)
}

/// `venue:SYMBOL` texts of the entry's source: a look knows whatever instrument a script names.
fn mentioned(candidate: &Candidate) -> Vec<String> {
    let source = candidate.sources.get(&candidate.entry).map_or("", String::as_str);
    let words = source.split(|c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '_');
    let named = |word: &&str| {
        word.split_once(':').is_some_and(|(venue, symbol)| {
            !venue.is_empty()
                && symbol.len() > 3
                && symbol.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        })
    };
    words.filter(named).map(str::to_owned).collect()
}

/// The instrument of the script's first subscription.
fn first_instrument(candidate: &Candidate) -> Option<String> {
    use crate::desk::Strategy;
    let script = look(candidate.clone(), Some(DEFAULT_INSTRUMENT)).ok()?;
    script.subscriptions().first().map(|entry| entry.instrument.clone())
}

/// FlowBTC's instruments, with the rules an option gives for one of them.
fn instruments(option: Option<&InstrumentOption>, fees: Fees) -> anyhow::Result<Instruments> {
    let mut table = listing::instruments(fees);
    let Some(option) = option else { return Ok(table) };
    let known = table.find(&option.name()).cloned();
    let known = known.with_context(|| {
        let names: Vec<String> = table.iter().map(Instrument::name).collect();
        Unfit(format!("FlowBTC does not list {}; it lists {}", option.name(), names.join(", ")))
    })?;
    table.update(Instrument {
        tick_size: option.tick.unwrap_or(known.tick_size),
        lot_size: option.lot.unwrap_or(known.lot_size),
        min_qty: option.min_qty.unwrap_or(known.min_qty),
        ..known
    });
    Ok(table)
}

fn paper_balances(given: &[(String, Decimal)]) -> Vec<(String, Decimal)> {
    if given.is_empty() {
        vec![("BRL".into(), Decimal::from(1_000_000)), ("BTC".into(), Decimal::from(1_000))]
    } else {
        given.to_vec()
    }
}

/// What a venue's options ask for.
///
/// # Errors
/// When the feed cannot be read or the instrument is not listed.
pub fn venue(options: &VenueOptions) -> anyhow::Result<VenueSpec> {
    let fees = options.fees.unwrap_or_else(default_fees);
    let instruments = instruments(options.instrument.as_ref(), fees)?;
    let traded =
        options.instrument.as_ref().map_or(DEFAULT_INSTRUMENT.into(), InstrumentOption::name);
    let traded = instruments.find(&traded).cloned().context("the instrument is not listed")?;
    let source = match &options.feed {
        Some(feed) => Source::recorded(feed, traded.id, options.time_unit)?,
        None => Source::synthetic(options.seed, traded.clone(), clock::now()),
    };
    let balances = paper_balances(&options.balances);
    let others = Others {
        flowbtc_http: options.flowbtc_http,
        mercadobitcoin: options.mercadobitcoin,
        sentra: options.sentra,
        control: options.control,
        traded: traded.id,
        mercadobitcoin_config: accounts::mercadobitcoin_config(balances.clone(), options.fees),
        sentra_config: accounts::sentra_config(options.sentra_checks),
        faults: options
            .faults
            .as_deref()
            .map_or_else(|| Ok(FaultPlan::default()), FaultPlan::load)?,
    };
    Ok(VenueSpec {
        address: options.flowbtc_ws,
        source,
        pace: options.speed,
        dialect: options.dialect,
        users: test_users(balances),
        exchange: ExchangeConfig {
            instruments,
            queue: QueueModel::RiskAverse,
            first_order_id: FIRST_ORDER_ID,
            first_trade_id: 1,
            wait_for_print: false,
        },
        seed: options.seed,
        latency: Span::ZERO,
        others,
    })
}

fn embedded(options: &RunOptions) -> anyhow::Result<Embedded> {
    let venue_options = VenueOptions {
        flowbtc_ws: ANYWHERE,
        flowbtc_http: ANYWHERE,
        mercadobitcoin: ANYWHERE,
        sentra: ANYWHERE,
        control: None,
        feed: options.feed.clone(),
        time_unit: options.time_unit,
        seed: options.seed,
        instrument: options.instrument.clone(),
        fees: options.fees,
        balances: options.balances.clone(),
        speed: options.speed,
        dialect: Dialect::Native,
        sentra_checks: Checks::Manual,
        faults: None,
        run_for: None,
        state: None,
        output: options.output,
    };
    Embedded::start(move || venue(&venue_options))
}
