//! The venues of a run: what each is made from, and the session, or paper over it, that trades.

use crate::base::{Decimal, Instruments, Secret, Span, Time, Venue, VenueName};
use crate::calls;
use crate::edge::config::is_loopback;
use crate::edge::keys::Held;
use crate::exchange::{Config, Paper, QueueModel, SimConfig, SimVenue};
use crate::run::answers;
use crate::venue::flowbtc::{self, ApiKey};
use crate::venue::mercadobitcoin::{self, UserLane};
use crate::venue::pace::Pace;
use crate::venue::sentra;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The venues of a run; `None` for those that it does not use.
#[derive(Clone, Debug, Default)]
pub struct Venues {
    pub flowbtc: Option<FlowBtc>,
    pub mercadobitcoin: Option<MercadoBitcoin>,
    pub sentra: Option<Sentra>,
    /// Calls of venues that the run does not reach are answered by simulated ones: on paper.
    pub simulate: bool,
    /// The folder of what belongs to API keys; needed where a venue trades with one.
    pub keys: PathBuf,
}

/// The FlowBTC to trade on.
#[derive(Clone, Debug)]
pub struct FlowBtc {
    pub url: String,
    /// Empty: market data only.
    pub user: String,
    pub password: Secret,
    pub login: FlowLogin,
    pub account: Option<i64>,
    /// Requests that the session keeps under.
    pub per_minute: u32,
    /// Messages on the socket (FLOW-P13); `None` for five times the requests, at least 500.
    pub ws_per_minute: Option<u32>,
    /// Feature switches that are turned off.
    pub off: Vec<String>,
    /// Orders go to a simulated account with these balances instead of to the venue.
    pub paper: Option<Balances>,
}

/// What a login has beside, or in place of, user and password.
#[derive(Clone, Debug, Default)]
pub struct FlowLogin {
    pub key: Option<ApiKey>,
    /// The secret of the second factor, in base 32.
    pub totp: Option<Secret>,
    /// The token of a session that is already there.
    pub token: Option<Secret>,
}

/// The Mercado Bitcoin to trade on.
#[derive(Clone, Debug)]
pub struct MercadoBitcoin {
    /// MB-R01, with its slash.
    pub url: String,
    /// The public data, with its slash.
    pub data_url: String,
    /// Empty: market data only.
    pub key: Secret,
    pub secret: Secret,
    pub per_minute: u32,
    pub off: Vec<String>,
    pub paper: Option<Balances>,
    /// It lives as long as this run.
    pub embedded: bool,
}

/// The Sentra that strategies report to.
#[derive(Clone, Debug)]
pub struct Sentra {
    /// SENTRA-R01, without a slash at the end.
    pub url: String,
    pub email: Secret,
    /// It lives as long as this run.
    pub embedded: bool,
}

/// Assets with the amounts an account starts with.
pub type Balances = Vec<(String, Decimal)>;

/// What every venue is made with.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub instruments: &'a Instruments,
    /// Sends that still count, by the name of their lane.
    pub sent: &'a BTreeMap<String, Vec<Time>>,
    pub now: Time,
}

impl Start<'_> {
    fn sent_in(&self, lane: &str) -> Vec<Time> {
        self.sent.get(lane).cloned().unwrap_or_default()
    }
}

const FLOWBTC: &str = "flowbtc";
const MERCADOBITCOIN: &str = "mercadobitcoin";
const SENTRA: &str = "sentra";

/// A fifth of a budget is for cancels and reconciliation alone.
const RESERVE: u32 = 5;

/// Sentra counts arrivals in a second (SENTRA-R09); a request may be quicker on its way than the
/// one before it.
const SENTRA_PACE: Span = Span::from_millis(1_050);

/// How long a simulated account's orders and their answers are on their way.
const ON_PAPER: Span = Span::from_millis(10);

/// The venues under their names, in the order of their places, then those that only answer calls.
///
/// # Errors
/// When a key is in use elsewhere, or its file cannot be read or written.
pub(super) fn build(spec: &Venues, start: &Start<'_>) -> anyhow::Result<Built> {
    let mut made: Made = Vec::new();
    let mut keys = Vec::new();
    if let Some(own) = &spec.flowbtc {
        made.push((FLOWBTC, flowbtc(own, start)));
    }
    if let Some(own) = &spec.mercadobitcoin {
        let held = hold(&spec.keys, MERCADOBITCOIN, own)?;
        made.push((MERCADOBITCOIN, mercadobitcoin(own, held.as_ref(), start)));
        keys.extend(held);
    }
    if let Some(own) = &spec.sentra {
        made.push((SENTRA, sentra(own, start)));
    }
    let absent =
        calls::VENUES.into_iter().filter(|venue| made.iter().all(|(name, _)| name != venue));
    let desk = |venue| Some((venue, answers::alone(venue, ON_PAPER, ON_PAPER)?));
    let desks = if spec.simulate { absent.filter_map(desk).collect() } else { Vec::new() };
    Ok(Built { venues: made, desks, keys })
}

type Made = Vec<(&'static str, Box<dyn Venue>)>;

/// What a run trades and calls with.
pub(super) struct Built {
    pub venues: Made,
    /// They only answer calls.
    pub desks: Made,
    pub keys: Vec<Held>,
}

/// The key's lock, if the venue trades with a key.
fn hold(keys: &Path, venue: &str, own: &MercadoBitcoin) -> anyhow::Result<Option<Held>> {
    if own.key.expose().is_empty() {
        return Ok(None);
    }
    // Keys belong to the venue that gave them, and each simulated venue is one of its own.
    let key = if is_loopback(&own.url) && !own.embedded {
        Secret::new(format!("{} of {}", own.key.expose(), own.url))
    } else {
        own.key.clone()
    };
    Held::take(keys, venue, &key).map(Some)
}

fn flowbtc(own: &FlowBtc, start: &Start<'_>) -> Box<dyn Venue> {
    let name = VenueName::new(FLOWBTC);
    let password = own.password.clone();
    let mut config = flowbtc::SessionConfig::new(name.clone(), &own.url, &own.user, password);
    config.account = own.account;
    config.instruments = start.instruments.clone();
    config.per_minute = own.per_minute;
    config.reserve = own.per_minute / RESERVE;
    config.ws_per_minute =
        own.ws_per_minute.unwrap_or(own.per_minute.saturating_mul(5).max(config.ws_per_minute));
    config.api_key.clone_from(&own.login.key);
    config.token.clone_from(&own.login.token);
    config.totp.clone_from(&own.login.totp);
    config.off = switches(FLOWBTC).filter(|switch| own.off.iter().any(|o| o == switch)).collect();
    config.sent = start.sent_in("flowbtc");
    config.socket_sent = start.sent_in("flowbtc/socket");
    config.seed = start.now.nanos().unsigned_abs();
    let session = Box::new(flowbtc::Session::new(config));
    on_paper(session, name, own.paper.as_ref(), start.instruments)
}

/// `held` is the key's lock and last tonce; a session without a key needs none.
fn mercadobitcoin(own: &MercadoBitcoin, held: Option<&Held>, start: &Start<'_>) -> Box<dyn Venue> {
    let last = held.map_or(0, Held::last);
    let (key, secret) = (own.key.clone(), own.secret.clone());
    let mut config =
        mercadobitcoin::SessionConfig::new(key, secret, last, start.instruments.clone());
    let name = config.venue.clone();
    config.url.clone_from(&own.url);
    config.data_url.clone_from(&own.data_url);
    if let Some(held) = held {
        held.name().clone_into(&mut config.tonce_name);
    }
    let (limit, reserve) = (own.per_minute, own.per_minute / RESERVE);
    config.user = UserLane::new(Pace { limit, reserve, span: Span::from_secs(60) });
    config.sent = start.sent_in("mercadobitcoin");
    config.off =
        switches(MERCADOBITCOIN).filter(|switch| own.off.iter().any(|o| o == switch)).collect();
    config.data_sent = start.sent_in("mercadobitcoin/data");
    let session = Box::new(mercadobitcoin::Session::new(config));
    on_paper(session, name, own.paper.as_ref(), start.instruments)
}

/// Strategies name Sentra's accounts, and each account has a lane of its own (SENTRA-R09).
fn sentra(own: &Sentra, start: &Start<'_>) -> Box<dyn Venue> {
    let mut config = sentra::SessionConfig::new(own.email.clone());
    config.url.clone_from(&own.url);
    config.sent = start.sent.clone();
    config.sent.retain(|lane, _| lane.starts_with("sentra/"));
    config.pace.span = SENTRA_PACE;
    Box::new(sentra::Session::new(config))
}

/// The feature switches of a venue's calls.
fn switches(venue: &str) -> impl Iterator<Item = &'static str> {
    calls::of(venue).iter().filter_map(|call| call.switch)
}

/// The session, or its market with a simulated account's orders.
fn on_paper(
    session: Box<dyn Venue>,
    name: VenueName,
    balances: Option<&Balances>,
    instruments: &Instruments,
) -> Box<dyn Venue> {
    let Some(balances) = balances else { return session };
    let sim = SimVenue::new(SimConfig {
        exchange: Config {
            instruments: instruments.clone(),
            queue: QueueModel::RiskAverse,
            first_order_id: 1,
            first_trade_id: 1,
            wait_for_print: false,
        },
        venue: name.clone(),
        balances: balances.clone(),
        entry: ON_PAPER,
        response: ON_PAPER,
    });
    answers::over_paper(&name.0, Paper::new(session, sim), instruments)
}
