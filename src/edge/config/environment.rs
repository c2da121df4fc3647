//! Variables of the environment come last, so that a container can be told its venues and users
//! without a file.

use super::{Config, SecretSource, policy_of, venues};
use anyhow::Context;

type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(super) fn overlay(config: &mut Config, variable: Lookup<'_>) -> anyhow::Result<()> {
    flowbtc(config, variable)?;
    mercadobitcoin(config, variable)?;
    sentra(config, variable)?;
    if let Some(policy) = variable("LUNARIO_JOURNAL") {
        let known = policy_of(&policy);
        config.journal = known
            .with_context(|| format!("LUNARIO_JOURNAL is `{policy}`; it is `group` or `strict`"))?;
    }
    Ok(())
}

fn flowbtc(config: &mut Config, variable: Lookup<'_>) -> anyhow::Result<()> {
    let own = &mut config.flowbtc;
    own.ws = variable("LUNARIO_FLOWBTC_WS").or(own.ws.take());
    own.user = variable("LUNARIO_FLOWBTC_USER").or(own.user.take());
    secret(variable, "LUNARIO_FLOWBTC_PASSWORD", &mut own.password);
    secret(variable, "LUNARIO_FLOWBTC_API_KEY", &mut own.api_key);
    secret(variable, "LUNARIO_FLOWBTC_API_SECRET", &mut own.api_secret);
    secret(variable, "LUNARIO_FLOWBTC_TOTP", &mut own.totp);
    number(variable, "LUNARIO_FLOWBTC_ACCOUNT", "an account", &mut own.account)?;
    number(variable, "LUNARIO_FLOWBTC_USER_ID", "a user's number", &mut own.user_id)
}

fn mercadobitcoin(config: &mut Config, variable: Lookup<'_>) -> anyhow::Result<()> {
    const NAMES: [&str; 4] = [
        "LUNARIO_MERCADOBITCOIN_URL",
        "LUNARIO_MERCADOBITCOIN_DATA_URL",
        "LUNARIO_MERCADOBITCOIN_KEY",
        "LUNARIO_MERCADOBITCOIN_SECRET",
    ];
    if NAMES.iter().all(|name| variable(name).is_none()) {
        return Ok(());
    }
    let [url, data_url, key, secret_key] = NAMES;
    let own = config.mercadobitcoin.get_or_insert_default();
    address(variable, url, &mut own.url)?;
    address(variable, data_url, &mut own.data_url)?;
    secret(variable, key, &mut own.key);
    secret(variable, secret_key, &mut own.secret);
    Ok(())
}

fn sentra(config: &mut Config, variable: Lookup<'_>) -> anyhow::Result<()> {
    const NAMES: [&str; 2] = ["LUNARIO_SENTRA_URL", "LUNARIO_SENTRA_EMAIL"];
    if NAMES.iter().all(|name| variable(name).is_none()) {
        return Ok(());
    }
    let [url, email] = NAMES;
    let own = config.sentra.get_or_insert_default();
    address(variable, url, &mut own.url)?;
    secret(variable, email, &mut own.email);
    Ok(())
}

/// A variable that holds a secret is read when it is needed.
fn secret(variable: Lookup<'_>, name: &str, place: &mut Option<SecretSource>) {
    if variable(name).is_some() {
        *place = Some(SecretSource::Env(name.to_owned()));
    }
}

fn address(variable: Lookup<'_>, name: &str, place: &mut Option<String>) -> anyhow::Result<()> {
    if let Some(url) = variable(name) {
        venues::web_address(&url).map_err(|why| anyhow::anyhow!("{name}: {why}"))?;
        *place = Some(url);
    }
    Ok(())
}

fn number(
    variable: Lookup<'_>,
    name: &str,
    what: &str,
    place: &mut Option<i64>,
) -> anyhow::Result<()> {
    if let Some(text) = variable(name) {
        let number = text.parse().ok();
        *place = Some(number.with_context(|| format!("{name} is `{text}`; {what} is an integer"))?);
    }
    Ok(())
}
