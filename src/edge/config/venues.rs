//! `[venues.*]`: where the venues are, as whom, and how much may be asked of them.

use super::{Config, SecretSource, Wrong};
use crate::edge::tls;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// `[venues.flowbtc]`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FlowBtc {
    /// The WebSocket address.
    pub ws: Option<String>,
    pub user: Option<String>,
    pub password: Option<SecretSource>,
    /// An API key with its secret and the number of its user, in place of user and password.
    pub api_key: Option<SecretSource>,
    pub api_secret: Option<SecretSource>,
    pub user_id: Option<i64>,
    /// The secret of the second factor; without it people are asked for the codes.
    pub totp: Option<SecretSource>,
    /// The token of a session that is already there.
    pub token: Option<SecretSource>,
    /// The account traded on, where the user has several.
    pub account: Option<i64>,
    /// Requests per minute that the session keeps under.
    pub per_minute: Option<u32>,
    /// Messages per minute over the WebSocket, where that limit is another.
    pub ws_per_minute: Option<u32>,
    /// Feature switches of undocumented calls that are turned off.
    pub off: Vec<String>,
}

/// `[venues.mercadobitcoin]`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MercadoBitcoin {
    /// The Trade API (MB-R01).
    pub url: Option<String>,
    /// The public data.
    pub data_url: Option<String>,
    /// Without a key there is market data only.
    pub key: Option<SecretSource>,
    pub secret: Option<SecretSource>,
    /// Requests per minute of the user, over all his keys (MB-R07).
    pub per_minute: Option<u32>,
    pub off: Vec<String>,
}

/// `[venues.sentra]`
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sentra {
    pub url: Option<String>,
    /// Sentra knows who writes by the e-mail alone, so it is a secret (SENTRA-R05).
    pub email: Option<SecretSource>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    flowbtc: RawFlowBtc,
    mercadobitcoin: Option<RawMercadoBitcoin>,
    sentra: Option<RawSentra>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawFlowBtc {
    ws: Option<Spanned<String>>,
    user: Option<String>,
    password_env: Option<Spanned<String>>,
    password_file: Option<Spanned<PathBuf>>,
    api_key_env: Option<Spanned<String>>,
    api_key_file: Option<Spanned<PathBuf>>,
    api_secret_env: Option<Spanned<String>>,
    api_secret_file: Option<Spanned<PathBuf>>,
    user_id: Option<i64>,
    totp_env: Option<Spanned<String>>,
    totp_file: Option<Spanned<PathBuf>>,
    token_env: Option<Spanned<String>>,
    token_file: Option<Spanned<PathBuf>>,
    account: Option<i64>,
    per_minute: Option<Spanned<u32>>,
    ws_per_minute: Option<Spanned<u32>>,
    off: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawMercadoBitcoin {
    url: Option<Spanned<String>>,
    data_url: Option<Spanned<String>>,
    key_env: Option<Spanned<String>>,
    key_file: Option<Spanned<PathBuf>>,
    secret_env: Option<Spanned<String>>,
    secret_file: Option<Spanned<PathBuf>>,
    per_minute: Option<Spanned<u32>>,
    off: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawSentra {
    url: Option<Spanned<String>>,
    email_env: Option<Spanned<String>>,
    email_file: Option<Spanned<PathBuf>>,
}

/// The file's folder, where relative paths start, and its errors.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path,
    wrong: Wrong<'a>,
}

impl Raw {
    pub fn into_config(
        self,
        config: &mut Config,
        path: &Path,
        wrong: Wrong<'_>,
    ) -> anyhow::Result<()> {
        let place = Place { path, wrong };
        config.flowbtc = self.flowbtc.checked(place)?;
        config.mercadobitcoin = self.mercadobitcoin.map(|raw| raw.checked(place)).transpose()?;
        config.sentra = self.sentra.map(|raw| raw.checked(place)).transpose()?;
        Ok(())
    }
}

impl RawFlowBtc {
    fn checked(self, place: Place<'_>) -> anyhow::Result<FlowBtc> {
        if let Some(ws) = &self.ws
            && !ws.get_ref().starts_with("wss://")
            && !ws.get_ref().starts_with("ws://")
        {
            let why = format!("`{}` is no WebSocket address; write wss://…", ws.get_ref());
            return Err((place.wrong)(ws.span(), why));
        }
        Ok(FlowBtc {
            ws: self.ws.map(Spanned::into_inner),
            user: self.user,
            password: place.secret("password", self.password_env, self.password_file)?,
            api_key: place.secret("api_key", self.api_key_env, self.api_key_file)?,
            api_secret: place.secret("api_secret", self.api_secret_env, self.api_secret_file)?,
            user_id: self.user_id,
            totp: place.secret("totp", self.totp_env, self.totp_file)?,
            token: place.secret("token", self.token_env, self.token_file)?,
            account: self.account,
            per_minute: place.rate("per_minute", self.per_minute)?,
            ws_per_minute: place.rate("ws_per_minute", self.ws_per_minute)?,
            off: self.off,
        })
    }
}

impl RawMercadoBitcoin {
    fn checked(self, place: Place<'_>) -> anyhow::Result<MercadoBitcoin> {
        Ok(MercadoBitcoin {
            url: place.address(self.url)?,
            data_url: place.address(self.data_url)?,
            key: place.secret("key", self.key_env, self.key_file)?,
            secret: place.secret("secret", self.secret_env, self.secret_file)?,
            per_minute: place.rate("per_minute", self.per_minute)?,
            off: self.off,
        })
    }
}

impl RawSentra {
    fn checked(self, place: Place<'_>) -> anyhow::Result<Sentra> {
        Ok(Sentra {
            url: place.address(self.url)?,
            email: place.secret("email", self.email_env, self.email_file)?,
        })
    }
}

impl Place<'_> {
    fn secret(
        self,
        key: &str,
        env: Option<Spanned<String>>,
        file: Option<Spanned<PathBuf>>,
    ) -> anyhow::Result<Option<SecretSource>> {
        match (env, file) {
            (Some(_), Some(file)) => {
                let why = format!("{key}_env and {key}_file are both given; keep one");
                Err((self.wrong)(file.span(), why))
            }
            (Some(name), None) => Ok(Some(SecretSource::Env(name.into_inner()))),
            (None, Some(file)) => {
                let folder = self.path.parent().unwrap_or(Path::new(""));
                Ok(Some(SecretSource::File(folder.join(file.into_inner()))))
            }
            (None, None) => Ok(None),
        }
    }

    fn rate(self, key: &str, rate: Option<Spanned<u32>>) -> anyhow::Result<Option<u32>> {
        match rate {
            Some(rate) if *rate.get_ref() == 0 => {
                Err((self.wrong)(rate.span(), format!("{key} is at least 1")))
            }
            other => Ok(other.map(Spanned::into_inner)),
        }
    }

    fn address(self, url: Option<Spanned<String>>) -> anyhow::Result<Option<String>> {
        let Some(url) = url else { return Ok(None) };
        web_address(url.get_ref()).map_err(|why| (self.wrong)(url.span(), why))?;
        Ok(Some(url.into_inner()))
    }
}

/// Whether requests may go to this address: over TLS, or to this machine (SENTRA-R02).
///
/// # Errors
/// Why not.
pub fn web_address(url: &str) -> Result<(), String> {
    let loopback = |rest: &str| tls::is_loopback(host(rest));
    match url.split_once("://") {
        Some(("https", _)) => Ok(()),
        Some(("http", rest)) if loopback(rest) => Ok(()),
        Some(("http", _)) => Err(format!("`{url}`: http:// is for loopback only; write https://…")),
        _ => Err(format!("`{url}` is no web address; write https://…")),
    }
}

/// The host of an address without its scheme; of IPv6 without its brackets.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Whether a web or WebSocket address is on this machine.
#[must_use]
pub fn is_loopback(url: &str) -> bool {
    tls::is_loopback(host(url.split_once("://").map_or(url, |(_, rest)| rest)))
}
