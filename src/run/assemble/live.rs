//! What `run` asks for: venues, instruments, grants and limits, from flags and configuration.

use super::{budget, default_fees, embedded, instruments, limits, paper_balances, params};
use crate::base::{
    Decimal, Fees, Instrument, InstrumentId, Instruments, Secret, Span, VenueName, names,
};
use crate::calls;
use crate::edge::config::{Config, SecretSource, is_loopback};
use crate::edge::{keys, watch};
use crate::engine::{EngineConfig, Withdrawals};
use crate::lua::Limits as LuaLimits;
use crate::run::live::{
    Balances, FlowBtc, FlowLogin, LiveSpec, MercadoBitcoin, Sentra, Venues, mode,
};
use crate::run::options::{RunOptions, Unfit};
use crate::run::venue::{Embedded, accounts};
use crate::venue::flowbtc::ApiKey;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Requests a minute to the embedded venue, which is ours and has no limit of its own.
const EMBEDDED_PER_MINUTE: u32 = 6_000;
/// FlowBTC's budget where the configuration says nothing (FLOW-P13).
const FLOWBTC_PER_MINUTE: u32 = 100;
/// MB-R07.
const MERCADOBITCOIN_PER_MINUTE: u32 = 60;
/// MB-R01.
const MERCADOBITCOIN: &str = "https://www.mercadobitcoin.net/tapi/v2/";
/// SENTRA-R01.
const SENTRA: &str = "https://sentrapartners.com/api/mt";

const STATUS_EVERY: Span = Span::from_secs(5);

/// What a run's options ask for, with the embedded venue started if that is what it trades on.
///
/// # Errors
/// When the configuration lacks what a venue needs, names what does not exist, or the embedded
/// venue cannot be started.
pub fn live(options: &RunOptions) -> anyhow::Result<(LiveSpec, Option<Embedded>)> {
    let config = &options.config;
    check_switches(config)?;
    let mut other = mercadobitcoin(options)?;
    let mut sentra = sentra(options)?;
    let remote = options.flowbtc_ws.clone().or_else(|| config.flowbtc.ws.clone());
    let remote = remote.filter(|_| options.feed.is_none());
    let (flowbtc, embedded) = match remote {
        Some(url) => (Some(remote_flowbtc(options, url)?), None),
        // A run that names one venue only has that one.
        None if other.is_some() && options.feed.is_none() => (None, None),
        None => {
            let embedded = embedded(options)?;
            let flowbtc = embedded_flowbtc(&embedded);
            other.get_or_insert_with(|| embedded_mercadobitcoin(&embedded));
            sentra.get_or_insert_with(|| embedded_sentra(&embedded));
            (Some(flowbtc), Some(embedded))
        }
    };
    let engine = engine(options, other.is_some())?;
    let spec = LiveSpec {
        paths: options.paths.clone(),
        state: options.state.clone(),
        policy: config.journal,
        engine,
        venues: Venues {
            flowbtc,
            simulate: !options.live,
            keys: key_folder(options, other.as_ref())?,
            mercadobitcoin: other,
            sentra,
        },
        run_for: options.run_for,
        status_every: STATUS_EVERY,
        patience: watch::Patience::default(),
    };
    Ok((spec, embedded))
}

fn engine(options: &RunOptions, mercadobitcoin: bool) -> anyhow::Result<EngineConfig> {
    let config = &options.config;
    let fees = options.fees.unwrap_or_else(default_fees);
    let mut table = instruments(options.instrument.as_ref(), fees)?;
    if mercadobitcoin {
        list_mercadobitcoin(&mut table, options.fees);
    }
    let mut engine = EngineConfig::new(mode(options.live), 1, table);
    engine.limits = limits(config.limits.every);
    engine.lua = budget(config, LuaLimits::default());
    engine.seed = options.seed;
    for name in config.limits.strategies.keys() {
        engine.own_limits.insert(name.clone(), limits(config.limits.of(name)));
    }
    for name in config.params.keys() {
        engine.params.insert(name.clone(), params(config, name, &[]));
    }
    engine.shared_params = options.params.iter().cloned().collect();
    engine.grants = grants(config)?;
    engine.withdrawals = Withdrawals {
        addresses: config.withdrawals.addresses.clone(),
        per_day: config.withdrawals.per_day.clone(),
        ..Withdrawals::default()
    };
    Ok(engine)
}

/// The two pairs that Mercado Bitcoin trades (MB-F08), with its steps and fees (MB-P10, MB-S04).
fn list_mercadobitcoin(table: &mut Instruments, fees: Option<Fees>) {
    let fees = fees.unwrap_or(Fees { maker: Decimal::new(3, 3), taker: Decimal::new(7, 3) });
    for base in ["BTC", "LTC"] {
        table.add(Instrument {
            id: InstrumentId::default(),
            venue: VenueName::new("mercadobitcoin"),
            symbol: format!("{base}BRL"),
            base: base.to_owned(),
            quote: "BRL".to_owned(),
            tick_size: Decimal::new(1, 5),
            lot_size: Decimal::new(1, 8),
            min_qty: Decimal::new(1, 2),
            fees,
        });
    }
}

/// `[grants.*]`, each name a call that needs one.
fn grants(config: &Config) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let known: Vec<String> = calls::VENUES
        .iter()
        .flat_map(|venue| {
            let granted = calls::of(venue).iter().filter(|call| call.grant);
            granted.map(move |call| format!("{venue}.{}", call.name))
        })
        .collect();
    for (strategy, names) in &config.grants {
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            anyhow::bail!(Unfit(format!("[grants.{strategy}]: {}", ungranted(name, &known))));
        }
    }
    Ok(config.grants.clone())
}

fn ungranted(name: &str, known: &[String]) -> String {
    let (venue, call) = name.split_once('.').unwrap_or_default();
    if calls::find(venue, call).is_some() {
        return format!("`{name}` needs no grant; leave it out");
    }
    match names::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("there is no call `{name}`; did you mean `{near}`?"),
        None => format!("there is no call `{name}`; grants are for: {}", known.join(", ")),
    }
}

/// `off` of each venue, each name a switch of its calls.
fn check_switches(config: &Config) -> anyhow::Result<()> {
    let other = config.mercadobitcoin.as_ref().map_or(&[][..], |own| &own.off);
    for (venue, off) in [("flowbtc", config.flowbtc.off.as_slice()), ("mercadobitcoin", other)] {
        let known: BTreeSet<&str> =
            calls::of(venue).iter().filter_map(|call| call.switch).collect();
        if let Some(name) = off.iter().find(|name| !known.contains(name.as_str())) {
            let hint = match names::nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let known: Vec<&str> = known.iter().copied().collect();
                    format!("known here: {}", known.join(", "))
                }
            };
            anyhow::bail!(Unfit(format!(
                "[venues.{venue}] off: there is no switch `{name}`; {hint}"
            )));
        }
    }
    Ok(())
}

fn read(source: &SecretSource, what: &str) -> anyhow::Result<Secret> {
    Ok(source.read(what).map_err(|why| Unfit(format!("{why:#}")))?)
}

fn may_read(source: Option<&SecretSource>, what: &str) -> anyhow::Result<Option<Secret>> {
    source.map(|source| read(source, what)).transpose()
}

fn embedded_flowbtc(embedded: &Embedded) -> FlowBtc {
    FlowBtc {
        url: embedded.urls.flowbtc_ws.clone(),
        user: accounts::FLOWBTC_USER.to_owned(),
        password: Secret::new(accounts::FLOWBTC_PASSWORD),
        login: FlowLogin::default(),
        account: None,
        per_minute: EMBEDDED_PER_MINUTE,
        ws_per_minute: None,
        off: Vec::new(),
        paper: None,
    }
}

fn embedded_mercadobitcoin(embedded: &Embedded) -> MercadoBitcoin {
    let [(key, secret), _] = accounts::MERCADOBITCOIN_KEYS;
    MercadoBitcoin {
        url: embedded.urls.mercadobitcoin.clone(),
        data_url: beside(&embedded.urls.mercadobitcoin),
        key: Secret::new(key),
        secret: Secret::new(secret),
        per_minute: MERCADOBITCOIN_PER_MINUTE,
        off: Vec::new(),
        paper: None,
        embedded: true,
    }
}

fn embedded_sentra(embedded: &Embedded) -> Sentra {
    Sentra {
        url: embedded.urls.sentra.clone(),
        email: Secret::new(accounts::SENTRA_EMAIL),
        embedded: true,
    }
}

/// A loopback address is a simulated venue and takes orders; any other gets them only with
/// `--live`, and else gives its market to a paper account.
fn paper(options: &RunOptions, url: &str) -> Option<Balances> {
    let trades = options.live || is_loopback(url);
    (!trades).then(|| paper_balances(&options.balances))
}

fn remote_flowbtc(options: &RunOptions, url: String) -> anyhow::Result<FlowBtc> {
    let own = &options.config.flowbtc;
    let paper = paper(options, &url);
    let login = flow_login(options)?;
    let proof = login.key.is_some() || login.token.is_some();
    let user = match &own.user {
        Some(user) => user.clone(),
        None if proof || paper.is_some() => String::new(),
        None => anyhow::bail!(Unfit(format!(
            "trading on {url} needs a user: set `user` and `password_env` under \
             [venues.flowbtc], or LUNARIO_FLOWBTC_USER and LUNARIO_FLOWBTC_PASSWORD (`lunario \
             venue` prints those of its test account)"
        ))),
    };
    let password = match &own.password {
        _ if user.is_empty() => Secret::new(""),
        Some(source) => read(source, "password")?,
        None if proof => Secret::new(""),
        None => anyhow::bail!(Unfit(format!(
            "{user} on {url} needs a password: set `password_env` or `password_file` under \
             [venues.flowbtc], or LUNARIO_FLOWBTC_PASSWORD"
        ))),
    };
    Ok(FlowBtc {
        per_minute: own.per_minute.unwrap_or(FLOWBTC_PER_MINUTE),
        ws_per_minute: own.ws_per_minute,
        url,
        user,
        password,
        login,
        account: own.account,
        off: own.off.clone(),
        paper,
    })
}

fn flow_login(options: &RunOptions) -> anyhow::Result<FlowLogin> {
    let own = &options.config.flowbtc;
    let key = may_read(own.api_key.as_ref(), "API key")?;
    let secret = may_read(own.api_secret.as_ref(), "API key's secret")?;
    let key = match (key, secret, own.user_id) {
        (Some(key), Some(secret), Some(user_id)) => Some(ApiKey { id: key, secret, user_id }),
        (None, None, _) => None,
        _ => anyhow::bail!(Unfit(
            "an API key of FlowBTC goes with its secret and the number of its user: set \
             `api_key_env`, `api_secret_env` and `user_id` under [venues.flowbtc]"
                .to_owned()
        )),
    };
    let totp = may_read(own.totp.as_ref(), "secret of the second factor")?;
    Ok(FlowLogin { key, totp, token: may_read(own.token.as_ref(), "session token")? })
}

fn mercadobitcoin(options: &RunOptions) -> anyhow::Result<Option<MercadoBitcoin>> {
    let own = match (&options.config.mercadobitcoin, &options.mercadobitcoin) {
        (None, None) => return Ok(None),
        (own, _) => own.clone().unwrap_or_default(),
    };
    let given = options.mercadobitcoin.clone();
    let url = given.clone().or(own.url).unwrap_or_else(|| MERCADOBITCOIN.to_owned());
    // A venue that was named for this run has its data beside it.
    let data_url = own.data_url.filter(|_| given.is_none()).unwrap_or_else(|| beside(&url));
    let paper = paper(options, &url);
    let (key, secret) = match (own.key, own.secret) {
        // Market data needs no key, and a tonce that is not used is not burnt.
        _ if paper.is_some() => (Secret::new(""), Secret::new("")),
        (Some(key), Some(secret)) => (read(&key, "key")?, read(&secret, "secret")?),
        _ => anyhow::bail!(Unfit(format!(
            "trading on {url} needs a key: set `key_env` and `secret_env` under \
             [venues.mercadobitcoin], or LUNARIO_MERCADOBITCOIN_KEY and \
             LUNARIO_MERCADOBITCOIN_SECRET (`lunario venue` prints those of its test account)"
        ))),
    };
    Ok(Some(MercadoBitcoin {
        url: slashed(&url),
        data_url: slashed(&data_url),
        key,
        secret,
        per_minute: own.per_minute.unwrap_or(MERCADOBITCOIN_PER_MINUTE),
        off: own.off,
        paper,
        embedded: false,
    }))
}

/// The public data of the host of a Trade API.
fn beside(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/api/")
}

fn slashed(url: &str) -> String {
    format!("{}/", url.trim_end_matches('/'))
}

/// Sentra, where what strategies tell it may reach it: on this machine, or with `--live`.
fn sentra(options: &RunOptions) -> anyhow::Result<Option<Sentra>> {
    let own = match (&options.config.sentra, &options.sentra) {
        (None, None) => return Ok(None),
        (own, _) => own.clone().unwrap_or_default(),
    };
    let url = options.sentra.clone().or(own.url).unwrap_or_else(|| SENTRA.to_owned());
    if !options.live && !is_loopback(&url) {
        return Ok(None);
    }
    let Some(email) = may_read(own.email.as_ref(), "e-mail")? else {
        anyhow::bail!(Unfit(format!(
            "reporting to {url} needs an e-mail: set `email_env` or `email_file` under \
             [venues.sentra], or LUNARIO_SENTRA_EMAIL"
        )));
    };
    Ok(Some(Sentra { url: url.trim_end_matches('/').to_owned(), email, embedded: false }))
}

/// An embedded venue's key is of this run alone.
fn key_folder(
    options: &RunOptions,
    mercadobitcoin: Option<&MercadoBitcoin>,
) -> anyhow::Result<PathBuf> {
    match mercadobitcoin {
        Some(own) if own.embedded => Ok(options.state.join("keys")),
        Some(own) if !own.key.expose().is_empty() => keys::folder(),
        _ => Ok(PathBuf::new()),
    }
}

#[cfg(test)]
mod tests;
