//! Passwords, secrets, tokens, signatures and e-mails appear nowhere: not in a line, not in a file,
//! not in a script's hands. What only the wire knows is read off the wire.

use super::bench::{post, serve_with};
use crate::e2e::program::{Folder, Program};
use lunario::base::{Instruments, Secret};
use lunario::edge::config::Config;
use lunario::run::live::{FlowBtc, FlowLogin, MercadoBitcoin, Sentra, Venues};
use lunario::run::venue::Embedded;
use lunario::simulator::{flowbtc, mercadobitcoin};
use lunario::venue::flowbtc::ApiKey;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

const USER: &str = "canaria";
const PASSWORD: &str = "canary-password-5c1d";
const API_KEY: &str = "canary-api-key-0e2b";
const API_SECRET: &str = "canary-api-secret-77aa";
const TOTP: &str = "CANARY7TOTP2SECRET4ONLY6AAAAAAAA";
const EMAIL: &str = "canary-flow@example.com";
const MB_KEY: &str = "ca0a11e2b3495867768594a3b2c1d0e0ff0e1d2c3b4a5968778695a4b3c2d1e0";
const MB_SECRET: &str = "ca0a22e90b1d2f4e6870918a2b3c4d5e6f70819293a4b5c6d7e8f90a1b2c3d4e";
const SENTRA_EMAIL: &str = "canary-sentra@example.com";

const PLANTED: [&str; 8] =
    [PASSWORD, API_KEY, API_SECRET, TOTP, EMAIL, MB_KEY, MB_SECRET, SENTRA_EMAIL];

/// What went over the lines of a proxy, one text for each line and direction.
type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

/// A proxy in front of an address `scheme://host:port/path`; its own address instead.
fn proxy(url: &str, seen: &Seen) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = format!("{scheme}://{}/{path}", listener.local_addr().unwrap());
    let (host, seen) = (host.to_owned(), Arc::clone(seen));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(&host)) else { return };
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
            carry(client, server, &seen);
            carry(back.0, back.1, &seen);
        }
    });
    own
}

fn carry(mut from: TcpStream, mut to: TcpStream, seen: &Seen) {
    let seen = Arc::clone(seen);
    let place = {
        let mut all = seen.lock().unwrap();
        all.push(Vec::new());
        all.len() - 1
    };
    std::thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut part) {
            seen.lock().unwrap()[place].extend_from_slice(&part[..length]);
            if to.write_all(&part[..length]).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Both));
    });
}

/// The text of a line: HTTP as it is, WebSocket frames without their masks.
fn read_off(bytes: &[u8]) -> String {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
    let (head, mut rest) = bytes.split_at(end);
    let mut text = String::from_utf8_lossy(head).into_owned();
    if !text.to_ascii_lowercase().contains("upgrade: websocket") {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    while rest.len() >= 2 {
        let masked = rest[1] & 0x80 != 0;
        let (length, at) = match usize::from(rest[1] & 0x7f) {
            126 => (usize::from(rest[2]) << 8 | usize::from(rest[3]), 4),
            127 => (rest[2..10].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), 10),
            short => (short, 2),
        };
        let start = at + if masked { 4 } else { 0 };
        let end = (start + length).min(rest.len());
        let mask = if masked { &rest[at..at + 4] } else { &[0; 4][..] };
        let plain: Vec<u8> =
            rest[start..end].iter().zip(mask.iter().cycle()).map(|(byte, m)| byte ^ m).collect();
        text += &String::from_utf8_lossy(&plain);
        rest = &rest[end..];
    }
    text
}

/// The long values that stand behind these words on the wire.
fn caught(text: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for word in words {
        for (at, _) in text.match_indices(word) {
            let rest = text[at + word.len()..].trim_start_matches(['\\', '"', ':', ' ']);
            let value: String =
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            if value.len() >= 16 && !found.contains(&value) {
                found.push(value);
            }
        }
    }
    found
}

fn served(totp: bool) -> Embedded {
    let served = serve_with(move |spec| {
        let user = &mut spec.users[0];
        user.user = USER.to_owned();
        user.password = Secret::new(PASSWORD);
        user.keys =
            vec![flowbtc::ApiKey { id: API_KEY.to_owned(), secret: Secret::new(API_SECRET) }];
        user.totp = totp.then(|| Secret::new(TOTP));
        let key = mercadobitcoin::Key { id: MB_KEY.to_owned(), secret: Secret::new(MB_SECRET) };
        spec.others.mercadobitcoin_config.users[0].keys = vec![key];
        spec.others.sentra_config.users[0].email = Secret::new(SENTRA_EMAIL);
    });
    plant_email(&served);
    served
}

/// The user's own e-mail is told to the venue over its REST interface.
fn plant_email(served: &Embedded) {
    let url = format!("{}AuthenticateUser", served.urls.flowbtc_http);
    let body = serde_json::json!({"APIKey": API_KEY, "UserId": "5", "Nonce": "1",
        "Signature": lunario::venue::sign::flowbtc(&Secret::new(API_SECRET), "1", 5, API_KEY)
            .expose()});
    let answer: serde_json::Value =
        serde_json::from_str(&post(&url, "Content-Type: application/json\r\n", &body.to_string()))
            .unwrap();
    let token = answer["SessionToken"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let url = format!("{}SetUserInfo", served.urls.flowbtc_http);
    let headers = format!("APToken: {token}\r\nContent-Type: application/json\r\n");
    let body = serde_json::json!({"UserId": 5, "Email": EMAIL}).to_string();
    let answer = post(&url, &headers, &body);
    assert!(answer.contains(EMAIL), "{answer}");
}

fn config(served: &Embedded, login: &str, seen: &Seen) -> String {
    let urls = &served.urls;
    let granted: Vec<String> = lunario::calls::VENUES
        .iter()
        .flat_map(|venue| {
            let own = lunario::calls::of(venue).iter().filter(|call| call.grant);
            own.map(move |call| format!("\"{venue}.{}\"", call.name))
        })
        .collect();
    format!(
        "[live]\nenabled = true\n[budget]\nhandler_ms = 500\n\
         [venues.flowbtc]\nws = \"{}\"\nper_minute = 6000\n{login}\n\
         [venues.mercadobitcoin]\nurl = \"{}\"\nkey_env = \"MB_KEY\"\nsecret_env = \"MB_SECRET\"\n\
         [venues.sentra]\nurl = \"{}\"\nemail_env = \"SENTRA_EMAIL\"\n\
         [grants.canary]\ncalls = [{}]\n\
         [withdrawals]\naddresses = [\"1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww\"]\n\
         [withdrawals.per_day]\nBTC = \"1\"\n",
        proxy(&urls.flowbtc_ws, seen),
        proxy(&urls.mercadobitcoin, seen),
        proxy(&format!("{}/", urls.sentra), seen).trim_end_matches('/'),
        granted.join(", "),
    )
}

/// Names and bytes of every file below a folder.
fn files(folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = path.display().to_string();
        if path.is_dir() {
            all.push((name, Vec::new()));
            files(&path, all);
        } else if let Ok(bytes) = std::fs::read(&path) {
            all.push((name, bytes));
        }
    }
}

/// A whole run: all that it said and all that it left behind, and what must not be in it.
fn observed(login: &str, totp: bool, more: &str) -> (Vec<(String, Vec<u8>)>, Vec<String>) {
    let (folder, seen) = (Folder::new(), Seen::default());
    let served = served(totp);
    folder.write("lunario.toml", &config(&served, login, &seen));
    folder.write("scripts/canary.luau", include_str!("canary.luau"));
    let mut command = folder.command(&format!("run --live {more}"));
    for (name, value) in [
        ("FLOW_PASSWORD", PASSWORD),
        ("FLOW_KEY", API_KEY),
        ("FLOW_SECRET", API_SECRET),
        ("FLOW_TOTP", TOTP),
        ("MB_KEY", MB_KEY),
        ("MB_SECRET", MB_SECRET),
        ("SENTRA_EMAIL", SENTRA_EMAIL),
        ("LUNARIO_LOG", "json"),
    ] {
        command.env(name, value);
    }
    command.env_remove("LUNARIO_FLOWBTC_PASSWORD").env("HOME", folder.path());
    let mut run = Program::start(command);
    run.line("the end of the script", |line| line.contains("all is walked"));
    let mut all = Vec::new();
    for question in ["status", "orders", "positions", "status --json", "orders --json"] {
        let ended = folder.run(question);
        assert_eq!(ended.code, 0, "{ended:?}");
        all.push((question.to_owned(), (ended.stdout() + &ended.stderr()).into_bytes()));
    }
    run.interrupt();
    let ended = run.end();
    assert_eq!(ended.code, 130, "{}", ended.stderr());
    all.push(("stdout".to_owned(), ended.stdout().into_bytes()));
    all.push(("stderr".to_owned(), ended.stderr().into_bytes()));
    let shown = folder.run("journal show --json --from 1 -n 100000");
    all.push(("journal show".to_owned(), shown.stdout().into_bytes()));
    files(folder.path(), &mut all);
    let lines: Vec<Vec<u8>> = seen.lock().unwrap().clone();
    let mut wire = String::new();
    for line in &lines {
        writeln!(wire, "{}", read_off(line)).unwrap();
    }
    let words = ["SessionToken", "Signature", "Sign", "sign", "TwoFAToken", "Pending2FaToken"];
    let dynamic = caught(&wire, &words);
    for planted in [EMAIL, SENTRA_EMAIL] {
        assert!(wire.contains(planted), "{planted} was on the wire");
    }
    (all, dynamic)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

fn check(login: &str, totp: bool, more: &str, least: usize) {
    let (all, dynamic) = observed(login, totp, more);
    assert!(dynamic.len() >= least, "tokens and signatures on the wire: {dynamic:?}");
    let secrets: Vec<&str> =
        PLANTED.iter().copied().chain(dynamic.iter().map(String::as_str)).collect();
    let mut found = Vec::new();
    for (place, bytes) in &all {
        for secret in &secrets {
            if holds(bytes, secret) || place.contains(*secret) {
                let at = String::from_utf8_lossy(bytes);
                let line = at.lines().find(|line| line.contains(secret)).unwrap_or_default();
                found.push(format!("{secret} in {place}: {line}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let journal = all.iter().find(|(name, _)| name.ends_with("journal.db"));
    assert!(journal.is_some_and(|(_, bytes)| !bytes.is_empty()), "the journal is looked into");
}

#[test]
fn nothing_of_a_login_by_password_and_code_is_told() {
    let login =
        format!("user = \"{USER}\"\npassword_env = \"FLOW_PASSWORD\"\ntotp_env = \"FLOW_TOTP\"");
    check(&login, true, "--json -vv", 5);
}

#[test]
fn nothing_of_a_login_by_key_is_told() {
    let login = format!(
        "user = \"{USER}\"\npassword_env = \"FLOW_PASSWORD\"\napi_key_env = \"FLOW_KEY\"\n\
         api_secret_env = \"FLOW_SECRET\"\nuser_id = 5"
    );
    check(&login, false, "-vv", 5);
}

#[test]
fn configurations_hide_their_secrets_when_printed() {
    let key = ApiKey { id: Secret::new(API_KEY), secret: Secret::new(API_SECRET), user_id: 5 };
    let login = FlowLogin {
        key: Some(key.clone()),
        totp: Some(Secret::new(TOTP)),
        token: Some(Secret::new(PASSWORD)),
    };
    let venues = Venues {
        flowbtc: Some(FlowBtc {
            url: String::new(),
            user: USER.to_owned(),
            password: Secret::new(PASSWORD),
            login,
            account: None,
            per_minute: 1,
            ws_per_minute: None,
            off: Vec::new(),
            paper: None,
        }),
        mercadobitcoin: Some(MercadoBitcoin {
            url: String::new(),
            data_url: String::new(),
            key: Secret::new(MB_KEY),
            secret: Secret::new(MB_SECRET),
            per_minute: 1,
            off: Vec::new(),
            paper: None,
            embedded: false,
        }),
        sentra: Some(Sentra {
            url: String::new(),
            email: Secret::new(SENTRA_EMAIL),
            embedded: false,
        }),
        ..Venues::default()
    };
    let name = lunario::base::VenueName::new("flowbtc");
    let mut flow =
        lunario::venue::flowbtc::SessionConfig::new(name, "", USER, Secret::new(PASSWORD));
    flow.api_key = Some(key);
    flow.totp = Some(Secret::new(TOTP));
    let mb = lunario::venue::mercadobitcoin::SessionConfig::new(
        Secret::new(MB_KEY),
        Secret::new(MB_SECRET),
        0,
        Instruments::default(),
    );
    let sentra = lunario::venue::sentra::SessionConfig::new(Secret::new(SENTRA_EMAIL));
    let file = "[venues.flowbtc]\npassword_env = \"A\"\n[venues.sentra]\nemail_file = \"b\"\n";
    let config = Config::parse(file, Path::new("lunario.toml")).unwrap();
    let printed = format!("{venues:?}{flow:?}{mb:?}{sentra:?}{config:?}");
    for secret in PLANTED {
        assert!(!printed.contains(secret), "{secret}");
    }
}
