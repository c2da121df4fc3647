//! From flags and configuration to the venues of a run, and what is refused on the way.

use super::*;
use crate::base::decimal;
use crate::run::options::{Output, Pace};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

fn options(toml: &str, folder: &Path) -> RunOptions {
    RunOptions {
        paths: Vec::new(),
        live: false,
        run_for: None,
        state: folder.join("state"),
        flowbtc_ws: None,
        mercadobitcoin: None,
        sentra: None,
        instrument: None,
        params: Vec::new(),
        balances: Vec::new(),
        fees: None,
        feed: None,
        time_unit: None,
        seed: 1,
        speed: Pace::Times(1.0),
        config: Config::parse(toml, &folder.join("lunario.toml")).unwrap(),
        output: Output::Json,
    }
}

/// A folder with a secret in the file `s`.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("s");
    std::fs::write(&file, "canary").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

const KEY: &str = "[venues.mercadobitcoin]\nkey_file = \"s\"\nsecret_file = \"s\"\n";

#[test]
fn mercado_bitcoin_trades_where_it_is_simulated_or_live() {
    let folder = folder();
    let made = |toml: &str, url: Option<&str>, live: bool| {
        let mut options = options(toml, folder.path());
        options.mercadobitcoin = url.map(str::to_owned);
        options.live = live;
        mercadobitcoin(&options).unwrap()
    };
    assert!(made("", None, false).is_none());
    let paper = made("[venues.mercadobitcoin]", None, false).unwrap();
    assert_eq!(paper.url, "https://www.mercadobitcoin.net/tapi/v2/");
    assert_eq!(paper.data_url, "https://www.mercadobitcoin.net/api/");
    assert!(paper.paper.is_some());
    assert_eq!(paper.per_minute, 60);
    // A paper account burns no tonces of a key that trades elsewhere.
    assert_eq!(made(KEY, None, false).unwrap().key.expose(), "");
    let real = made(KEY, None, true).unwrap();
    assert_eq!((real.key.expose(), real.secret.expose()), ("canary", "canary"));
    assert!(real.paper.is_none());
    let local = made(KEY, Some("http://127.0.0.1:81/tapi/v2"), false).unwrap();
    assert_eq!(local.url, "http://127.0.0.1:81/tapi/v2/");
    assert_eq!(local.data_url, "http://127.0.0.1:81/api/");
    assert!(local.paper.is_none() && local.key.expose() == "canary");
    assert!(!format!("{real:?}").contains("canary"));
}

#[test]
fn sentra_hears_where_it_is_simulated_or_live() {
    let folder = folder();
    let toml = "[venues.sentra]\nemail_file = \"s\"\n";
    for (url, live, expected) in [
        (None, false, None),
        (None, true, Some("https://sentrapartners.com/api/mt")),
        (Some("http://localhost:9/api/mt/"), false, Some("http://localhost:9/api/mt")),
    ] {
        let mut options = options(toml, folder.path());
        options.live = live;
        options.sentra = url.map(str::to_owned);
        let made = sentra(&options).unwrap();
        assert_eq!(made.as_ref().map(|made| made.url.as_str()), expected);
        assert!(made.is_none_or(|made| made.email.expose() == "canary"));
    }
    assert!(sentra(&options("", folder.path())).unwrap().is_none());
}

#[test]
fn flowbtc_logs_in_by_password_key_or_token() {
    let folder = folder();
    let made = |toml: &str| {
        let toml = format!("[venues.flowbtc]\n{toml}");
        remote_flowbtc(&options(&toml, folder.path()), "ws://127.0.0.1:1/".to_owned())
    };
    let by_password = made("user = \"maria\"\npassword_file = \"s\"\nws_per_minute = 7").unwrap();
    assert_eq!((by_password.user.as_str(), by_password.password.expose()), ("maria", "canary"));
    assert_eq!((by_password.per_minute, by_password.ws_per_minute), (100, Some(7)));
    let by_key = made("api_key_file = \"s\"\napi_secret_file = \"s\"\nuser_id = 5").unwrap();
    assert_eq!(by_key.login.key.as_ref().map(|key| key.user_id), Some(5));
    assert_eq!(by_key.per_minute, FLOWBTC_PER_MINUTE);
    let by_token = made("token_file = \"s\"\ntotp_file = \"s\"\nper_minute = 9").unwrap();
    assert!(by_token.login.token.is_some() && by_token.login.totp.is_some());
    assert_eq!(by_token.per_minute, 9);
    assert!(!format!("{by_password:?}{by_key:?}{by_token:?}").contains("canary"));
    for (toml, says) in [
        ("", "needs a user: set `user`"),
        ("user = \"maria\"", "maria on ws://127.0.0.1:1/ needs a password"),
        ("api_key_file = \"s\"\nuser_id = 5", "goes with its secret and the number of its user"),
        ("api_key_file = \"s\"\napi_secret_file = \"s\"", "the number of its user"),
        ("user = \"maria\"\npassword_file = \"none\"", "cannot read the password file"),
    ] {
        let error = made(toml).unwrap_err();
        assert!(error.is::<Unfit>(), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn what_a_configuration_gets_wrong_is_named() {
    let folder = folder();
    for (toml, url, says) in [
        (
            "[grants.a]\ncalls = [\"flowbtc.LogOt\"]",
            None,
            "[grants.a]: there is no call `flowbtc.LogOt`; did you mean `flowbtc.LogOut`?",
        ),
        ("[grants.a]\ncalls = [\"flowbtc.SendOrder\"]", None, "`flowbtc.SendOrder` needs no grant"),
        ("[grants.a]\ncalls = [\"everything\"]", None, "grants are for: flowbtc."),
        (
            "[venues.flowbtc]\noff = [\"levl2\"]",
            None,
            "[venues.flowbtc] off: there is no switch `levl2`; did you mean `level",
        ),
        ("[venues.mercadobitcoin]\noff = [\"tickets\"]", None, "known here: data"),
        ("", Some("http://127.0.0.1:1/tapi/v2/"), "needs a key: set `key_env` and `secret_env`"),
        ("[venues.sentra]\nurl = \"http://127.0.0.1:1/api/mt\"", None, "needs an e-mail"),
    ] {
        let mut options = options(toml, folder.path());
        options.flowbtc_ws = Some("wss://venue.example/".to_owned());
        options.mercadobitcoin = url.map(str::to_owned);
        let Err(error) = live(&options) else { panic!("{toml} is no mistake") };
        assert!(error.is::<Unfit>(), "{error:?}");
        assert!(error.to_string().contains(says), "{error} does not say {says}");
    }
}

#[test]
fn a_run_has_the_venues_that_are_named() {
    let folder = folder();
    let toml = format!(
        "{KEY}\n[grants.a]\ncalls = [\"mercadobitcoin.withdrawal_bitcoin\"]\n\
         [withdrawals]\naddresses = [\"1G38\"]\nper_day = {{ BTC = \"0.5\" }}\n"
    );
    let mut options = options(&toml, folder.path());
    let (spec, embedded) = live(&options).unwrap();
    assert!(embedded.is_none() && spec.venues.flowbtc.is_none() && spec.venues.sentra.is_none());
    assert!(spec.venues.mercadobitcoin.is_some());
    let table = &spec.engine.instruments;
    let own = table.find("mercadobitcoin:BTCBRL").unwrap();
    assert_eq!((own.tick_size, own.lot_size), (Decimal::new(1, 5), Decimal::new(1, 8)));
    assert_eq!(own.min_qty, decimal::parse("0.01").unwrap());
    assert_eq!((own.fees.maker, own.fees.taker), (Decimal::new(3, 3), Decimal::new(7, 3)));
    assert!(table.find("mercadobitcoin:LTCBRL").is_some());
    assert!(spec.engine.grants["a"].contains("mercadobitcoin.withdrawal_bitcoin"));
    assert!(spec.engine.withdrawals.addresses.contains("1G38"));
    assert_eq!(spec.engine.withdrawals.per_day["BTC"], Decimal::new(5, 1));
    // Beside a FlowBTC, both.
    options.flowbtc_ws = Some("wss://venue.example/".to_owned());
    let (spec, _) = live(&options).unwrap();
    assert!(spec.venues.flowbtc.is_some_and(|venue| venue.paper.is_some()));
    assert!(spec.venues.mercadobitcoin.is_some());
    // Without a word about it, FlowBTC's listing alone.
    options.config.mercadobitcoin = None;
    let (spec, _) = live(&options).unwrap();
    assert!(spec.engine.instruments.find("mercadobitcoin:BTCBRL").is_none());
}
