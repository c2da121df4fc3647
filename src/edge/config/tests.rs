//! The configuration as people write it, and what they are told when they slip.

use super::*;
use crate::base::decimal;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

fn parse(text: &str) -> anyhow::Result<Config> {
    Config::parse(text, Path::new("etc/lunario.toml"))
}

const FULL: &str = r#"
[venues.flowbtc]
ws = "wss://api.example/WSGateway/"
user = "maria"
password_file = "secret"
account = 9007199254740993
per_minute = 50

[live]
enabled = true

[limits]
max_order_qty = "0.5"
max_orders_per_minute = 60

[limits.ema_cross]
max_order_qty = "0.1"
max_position = "1.0"

[journal]
policy = "strict"

[budget]
handler_ms = 20
memory_mb = 64

[params.ema_cross]
fast = 12
qty = "0.01"
band = 0.5
on = true
levels = [1, "2"]
"#;

#[test]
fn everything_that_can_be_configured() {
    let config = parse(FULL).unwrap();
    assert_eq!(config.file.as_deref(), Some(Path::new("etc/lunario.toml")));
    assert_eq!(config.flowbtc.ws.as_deref(), Some("wss://api.example/WSGateway/"));
    // A 64-bit number that no double holds.
    assert_eq!(config.flowbtc.account, Some(9_007_199_254_740_993));
    assert_eq!(config.flowbtc.password, Some(SecretSource::File("etc/secret".into())));
    assert!(config.live);
    let own = config.limits.of("ema_cross");
    assert_eq!(own.max_order_qty, decimal::parse("0.1").ok());
    assert_eq!(own.max_orders_per_minute, Some(60));
    assert_eq!(config.limits.of("other").max_order_qty, decimal::parse("0.5").ok());
    assert_eq!(config.limits.of("other").max_position, None);
    assert_eq!(config.journal, Policy::Strict);
    assert_eq!(config.budget.handler, Some(Span::from_millis(20)));
    assert_eq!(config.budget.memory, Some(64 << 20));
    let params = config.params.get("ema_cross").unwrap();
    let value = |name: &str| params.iter().find(|(key, _)| key == name).unwrap().1.clone();
    assert_eq!(value("fast"), Plain::Int(12));
    assert_eq!(value("qty"), Plain::text("0.01"));
    assert_eq!(value("band"), Plain::Number(0.5));
    assert_eq!(value("levels"), Plain::List(vec![Plain::Int(1), Plain::text("2")]));
    assert_eq!(parse("").unwrap().limits, LimitsSection::default());
}

#[test]
fn slips_are_named_with_file_line_and_cure() {
    for (text, says) in [
        ("[limit]\n", "lunario.toml:1: unknown key `limit`; did you mean `limits`?"),
        ("\n[venues.flowbtc]\nwss = \"x\"\n", ":3: unknown key `wss`; did you mean `ws`?"),
        (
            "[venues.kraken]\n",
            ":1: unknown key `kraken`; known here: flowbtc, mercadobitcoin, sentra",
        ),
        (
            "[limits]\n\nmax_order_qt = \"1\"\n",
            ":3: unknown key `max_order_qt`; did you mean `max_order_qty`?",
        ),
        (
            "[limits.ema]\nmax_positon = \"1\"\n",
            ":2: unknown key `max_positon`; did you mean `max_position`?",
        ),
        (
            "[limits]\nmax_order_qty = 0.5\n",
            ":2: invalid type: floating point `0.5`, expected an amount as text",
        ),
        ("[limits]\nmax_position = \"-1\"\n", ":2: `-1` is negative"),
        ("[limits]\nmax_position = \"lots\"\n", ":2: `lots` is not an exact decimal"),
        ("[limits]\nmax_open_orders = -1\n", ":2: "),
        ("[live]\nenabled = \"yes\"\n", ":2: invalid type: string \"yes\", expected a boolean"),
        (
            "[journal]\npolicy = \"lax\"\n",
            ":2: journal.policy is `lax`; it is \"group\" or \"strict\"",
        ),
        ("[budget]\nhandler_ms = 0\n", ":2: handler_ms is at least 1"),
        ("[venues.flowbtc]\nws = \"https://x\"\n", ":2: `https://x` is no WebSocket address"),
        ("[venues.flowbtc]\nper_minute = 0\n", ":2: per_minute is at least 1"),
        (
            "[venues.flowbtc]\npassword_env = \"A\"\npassword_file = \"b\"\n",
            ":3: password_env and password_file",
        ),
        ("[venues.flowbtc]\nws_per_minute = 0\n", ":2: ws_per_minute is at least 1"),
        (
            "[venues.mercadobitcoin]\nurl = \"http://mercadobitcoin.net/\"\n",
            ":2: `http://mercadobitcoin.net/`: http:// is for loopback only; write https://",
        ),
        ("[venues.sentra]\nurl = \"localhost\"\n", ":2: `localhost` is no web address"),
        (
            "[venues.mercadobitcoin]\nkey_env = \"A\"\nkey_file = \"b\"\n",
            ":3: key_env and key_file are both given",
        ),
        ("[grants.a]\ncall = []\n", ":2: unknown key `call`; did you mean `calls`?"),
        ("[withdrawals.per_day]\nBTC = 0.5\n", ":2: invalid type: floating point `0.5`"),
        ("[withdrawals.per_day]\nBTC = \"-1\"\n", ":2: `-1` is negative"),
        ("[live]\nenabled = true\nenabled = false\n", ":3: duplicate key"),
        ("[live\n", ":1: "),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error:?} does not say {says:?}");
    }
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    for (venue, key, what) in [
        ("flowbtc", "password", "the password does"),
        ("flowbtc", "api_key", "the API key does"),
        ("flowbtc", "api_secret", "the API key's secret does"),
        ("flowbtc", "totp", "the secret of the second factor does"),
        ("flowbtc", "token", "the session token does"),
        ("mercadobitcoin", "key", "the key does"),
        ("mercadobitcoin", "secret", "the secret does"),
        ("sentra", "email", "the e-mail does"),
    ] {
        let error = parse(&format!("[venues.{venue}]\n{key} = \"canary\"\n")).unwrap_err();
        let shown = format!("{error:?} {error:#}");
        for says in [format!(":2: unknown key `{key}`"), format!("{key}_file"), what.to_owned()] {
            assert!(shown.contains(&says), "{shown} does not say {says}");
        }
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn three_venues_grants_and_withdrawals() {
    let config = parse(
        r#"
        [venues.flowbtc]
        api_key_env = "F_KEY"
        api_secret_file = "secrets/flowbtc"
        user_id = 9007199254740993
        totp_env = "F_TOTP"
        token_env = "F_TOKEN"
        ws_per_minute = 300
        off = ["level2", "tickets"]

        [venues.mercadobitcoin]
        url = "http://127.0.0.1:9/tapi/v2/"
        data_url = "https://www.mercadobitcoin.net/api/"
        key_env = "M_KEY"
        secret_env = "M_SECRET"
        per_minute = 30

        [venues.sentra]
        url = "http://[::1]:9/api/mt"
        email_file = "/run/secrets/sentra"

        [grants.treasury]
        calls = ["flowbtc.LogOut", "mercadobitcoin.withdrawal_bitcoin"]

        [withdrawals]
        addresses = ["bc1q", "1Boat"]
        [withdrawals.per_day]
        BTC = "0.50000001"
        "#,
    )
    .unwrap();
    let env = |name: &str| Some(SecretSource::Env(name.to_owned()));
    let file = |path: &str| Some(SecretSource::File(path.into()));
    assert_eq!(config.flowbtc.api_key, env("F_KEY"));
    assert_eq!(config.flowbtc.api_secret, file("etc/secrets/flowbtc"));
    assert_eq!(config.flowbtc.user_id, Some(9_007_199_254_740_993));
    assert_eq!((config.flowbtc.totp, config.flowbtc.token), (env("F_TOTP"), env("F_TOKEN")));
    assert_eq!((config.flowbtc.per_minute, config.flowbtc.ws_per_minute), (None, Some(300)));
    assert_eq!(config.flowbtc.off, ["level2", "tickets"]);
    let other = config.mercadobitcoin.unwrap();
    assert_eq!(other.url.as_deref(), Some("http://127.0.0.1:9/tapi/v2/"));
    assert_eq!(other.data_url.as_deref(), Some("https://www.mercadobitcoin.net/api/"));
    assert_eq!((other.key, other.secret), (env("M_KEY"), env("M_SECRET")));
    assert_eq!(other.per_minute, Some(30));
    assert_eq!(config.sentra.unwrap().email, file("/run/secrets/sentra"));
    let calls = ["flowbtc.LogOut", "mercadobitcoin.withdrawal_bitcoin"].map(str::to_owned);
    assert_eq!(config.grants["treasury"], BTreeSet::from(calls));
    let addresses = ["bc1q", "1Boat"].map(str::to_owned);
    assert_eq!(config.withdrawals.addresses, BTreeSet::from(addresses));
    assert_eq!(config.withdrawals.per_day["BTC"], decimal::parse("0.50000001").unwrap());
    // What is not mentioned is not used; a heading alone is enough.
    assert_eq!(parse("").unwrap().mercadobitcoin, None);
    assert!(parse("[venues.mercadobitcoin]").unwrap().mercadobitcoin.is_some());
}

#[test]
fn passwords_come_from_files_that_only_the_owner_reads() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("secret");
    let read = || SecretSource::File(path.clone()).read("password");
    assert!(read().unwrap_err().to_string().contains("cannot read the password file"));
    std::fs::write(&path, "s3 cret\r\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(read().unwrap_err().to_string().contains("chmod 600"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(read().unwrap().expose(), "s3 cret");
    std::fs::write(&path, "\n").unwrap();
    assert!(read().unwrap_err().to_string().contains("is empty"));
    let missing = SecretSource::Env("LUNARIO_TEST_NOT_SET".into()).read("key");
    assert!(missing.unwrap_err().to_string().contains("LUNARIO_TEST_NOT_SET"));
}

#[test]
fn the_environment_overrides_the_file() {
    let mut config = parse(FULL).unwrap();
    let set = |name: &str| match name {
        "LUNARIO_FLOWBTC_WS" => Some("ws://127.0.0.1:1/".to_owned()),
        "LUNARIO_FLOWBTC_PASSWORD" => Some("canary".to_owned()),
        "LUNARIO_JOURNAL" => Some("group".to_owned()),
        _ => None,
    };
    environment::overlay(&mut config, &set).unwrap();
    assert_eq!(config.flowbtc.ws.as_deref(), Some("ws://127.0.0.1:1/"));
    assert_eq!(config.flowbtc.user.as_deref(), Some("maria"));
    assert_eq!(config.flowbtc.password, Some(SecretSource::Env("LUNARIO_FLOWBTC_PASSWORD".into())));
    assert_eq!(config.journal, Policy::Group);
    assert!(!format!("{config:?}").contains("canary"));
    assert_eq!((&config.mercadobitcoin, &config.sentra), (&None, &None));
    let set = |name: &str| match name {
        "LUNARIO_FLOWBTC_API_KEY" | "LUNARIO_MERCADOBITCOIN_KEY" | "LUNARIO_SENTRA_EMAIL" => {
            Some("canary".to_owned())
        }
        "LUNARIO_FLOWBTC_USER_ID" => Some("5".to_owned()),
        "LUNARIO_MERCADOBITCOIN_URL" => Some("https://mb.example/tapi/v2/".to_owned()),
        _ => None,
    };
    environment::overlay(&mut config, &set).unwrap();
    let source = |name: &str| Some(SecretSource::Env(name.to_owned()));
    assert_eq!(config.flowbtc.api_key, source("LUNARIO_FLOWBTC_API_KEY"));
    assert_eq!(config.flowbtc.user_id, Some(5));
    let other = config.mercadobitcoin.clone().unwrap();
    assert_eq!(other.url.as_deref(), Some("https://mb.example/tapi/v2/"));
    assert_eq!(other.key, source("LUNARIO_MERCADOBITCOIN_KEY"));
    assert_eq!(config.sentra.clone().unwrap().email, source("LUNARIO_SENTRA_EMAIL"));
    assert!(!format!("{config:?}").contains("canary"));
    let clear = |name: &str| (name == "LUNARIO_SENTRA_URL").then(|| "http://x.example".to_owned());
    let error = environment::overlay(&mut config, &clear).unwrap_err().to_string();
    assert!(error.contains("LUNARIO_SENTRA_URL: ") && error.contains("loopback only"), "{error}");
    let wrong = |name: &str| (name == "LUNARIO_FLOWBTC_ACCOUNT").then(|| "x".to_owned());
    assert!(environment::overlay(&mut config, &wrong).is_err());
}

#[test]
fn loopback_is_the_host_alone() {
    for (url, expected) in [
        ("http://127.0.0.1:9/tapi", true),
        ("ws://localhost", true),
        ("http://[::1]:9/", true),
        ("http://127.0.0.1@venue.example/", false),
        ("http://venue.example/127.0.0.1", false),
        ("http://localhost.venue.example", false),
        ("http://venue.example?@127.0.0.1", false),
    ] {
        assert_eq!(is_loopback(url), expected, "{url}");
    }
}

#[test]
fn a_named_file_must_exist_and_the_default_need_not() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("lunario.toml");
    assert!(Config::load(Some(&path)).unwrap_err().to_string().contains("cannot read"));
    std::fs::write(&path, "[live]\nenabled = true\n").unwrap();
    assert!(Config::load(Some(&path)).unwrap().live);
}

#[test]
fn every_example_of_the_documentation_can_be_read() {
    let mut read = 0;
    for page in [
        include_str!("../../../docs/guide/en/running.md"),
        include_str!("../../../docs/guide/pt-BR/running.md"),
        include_str!("../../../README.md"),
    ] {
        for block in page.split("```toml\n").skip(1) {
            let (block, _) = block.split_once("```").unwrap();
            let config = parse(block);
            assert!(config.is_ok(), "{block}\n{config:?}");
            read += 1;
        }
    }
    assert!(read >= 6, "only {read} examples were found");
    // What a new project starts with, as it is and with everything in it turned on.
    let first = include_str!("../../cli/new/lunario.toml").replace("{{name}}", "ema");
    assert!(parse(&first).is_ok(), "{:?}", parse(&first));
    let turned_on = |line: &str| {
        let bare = line.strip_prefix("# ")?;
        (bare.starts_with('[') || bare.contains(" = ")).then(|| bare.to_owned())
    };
    let all: Vec<String> =
        first.lines().map(|line| turned_on(line).unwrap_or_else(|| line.to_owned())).collect();
    let config = parse(&all.join("\n"));
    let config = config.unwrap_or_else(|error| panic!("{error:?}"));
    assert!(config.mercadobitcoin.is_some() && config.sentra.is_some());
    assert_eq!(config.withdrawals.per_day.len(), 1);
}
