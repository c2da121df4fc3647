//! The served venues as a process: the ready line, every address, faults by file and by HTTP, and
//! what outlives an end.

use super::program::{Folder, Program, text};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// One request over a connection of its own: the status and the body.
fn ask(method: &str, url: &str, body: &str) -> (u16, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut line = TcpStream::connect(host).unwrap();
    write!(
        line,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn get(url: &str) -> (u16, String) {
    ask("GET", url, "")
}

fn start(folder: &Folder, words: &str) -> (Program, Value) {
    let mut venue = folder.start(&format!("venue --json {words}"));
    let ready = venue.line("ready", |line| line.contains("ready"));
    (venue, serde_json::from_str(&ready).unwrap())
}

fn stop(venue: Program) -> Value {
    venue.interrupt();
    let ended = venue.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.last_json()
}

fn url(ready: &Value, key: &str, path: &str) -> String {
    format!("{}{path}", text(&ready[key]))
}

fn heartbeat(ready: &Value, number: u32) -> (u16, String) {
    let email = ready["accounts"].as_array().unwrap().iter().find(|row| row["venue"] == "sentra");
    let body = serde_json::json!({
        "user_email": email.unwrap()["email"], "account_number": number.to_string(),
        "balance": 100.5, "equity": 101, "account_type": "CENT",
    });
    ask("POST", &url(ready, "sentra", "/heartbeat"), &body.to_string())
}

#[test]
fn every_address_of_the_ready_line_answers() {
    let folder = Folder::new();
    let (venue, ready) = start(&folder, "--dialect page");
    for (key, prefix, path) in [
        ("flowbtc_http", "http://127.0.0.1:", "/ap/"),
        ("flowbtc_ws", "ws://127.0.0.1:", "/WSGateway/"),
        ("mercadobitcoin", "http://127.0.0.1:", "/tapi/v2/"),
        ("mercadobitcoin_data", "http://127.0.0.1:", "/api/"),
        ("sentra", "http://127.0.0.1:", "/api/mt"),
        ("control", "http://127.0.0.1:", "/control/"),
    ] {
        let told = text(&ready[key]);
        assert!(told.starts_with(prefix) && told.ends_with(path), "{key}: {told}");
    }
    assert_eq!(ready["ready"], true);
    let rows = ready["accounts"].as_array().unwrap();
    let keys = |venue: &str| -> Vec<Vec<&String>> {
        let own = rows.iter().filter(|row| row["venue"] == venue);
        own.map(|row| row.as_object().unwrap().keys().collect()).collect()
    };
    let flowbtc = keys("flowbtc");
    let known = ["account_id", "api_key", "password", "secret", "user", "user_id", "venue"];
    assert_eq!(flowbtc[0], known);
    assert!(flowbtc[1].iter().any(|key| *key == "totp"), "{flowbtc:?}");
    assert_eq!(keys("mercadobitcoin").len(), 2);
    for row in rows.iter().filter(|row| row["venue"] == "mercadobitcoin") {
        let lengths = (text(&row["key"]).len(), text(&row["secret"]).len());
        assert_eq!(lengths, (64, 64), "{row}");
    }

    let pong = (200, r#"{"msg":"PONG"}"#.to_owned());
    assert_eq!(get(&url(&ready, "flowbtc_http", "Ping")), pong);
    let (status, ticker) = get(&url(&ready, "mercadobitcoin_data", "BTC/ticker/"));
    assert!(status == 200 && ticker.starts_with(r#"{"ticker":{"high":"#), "{ticker}");
    let unsigned = ask("POST", text(&ready["mercadobitcoin"]), "method=getInfo&tonce=1");
    assert!(unsigned.0 == 200 && unsigned.1.contains("\"success\":0"), "{unsigned:?}");
    let beat = (200, r#"{"success":true,"message":"Heartbeat recebido"}"#.to_owned());
    assert_eq!(heartbeat(&ready, 1), beat);
    let (status, ledger) = get(&url(&ready, "control", "ledger"));
    let ledger: Value = serde_json::from_str(&ledger).unwrap();
    assert_eq!((status, &ledger["event"]), (200, &"ledger".into()));

    let last = stop(venue);
    assert_eq!(last["accounts"].as_array().unwrap().len(), 2);
    let money = &last["mercadobitcoin"]["accounts"][0]["balances"]["BRL"]["total"];
    assert_eq!(money, "1000000");
    let kept = &last["sentra"]["accounts"][0];
    assert_eq!((&kept["balance"], &kept["scale"]), (&1_005_000.into(), &10_000.into()));
}

#[test]
fn faults_come_and_go_over_http() {
    let folder = Folder::new();
    let (venue, ready) = start(&folder, "");
    let (ping, faults) = (url(&ready, "flowbtc_http", "Ping"), url(&ready, "control", "faults"));
    let wanted = r#"{"fault":[{"venue":"flowbtc","on":"Ping","what":"html","status":503}]}"#;
    let set = (200, r#"{"done":true,"faults":1}"#.to_owned());
    assert_eq!(ask("POST", &faults, wanted), set);
    assert_eq!(get(&ping).0, 503);
    assert_eq!(ask("DELETE", &faults, ""), (200, r#"{"done":true,"faults":0}"#.to_owned()));
    assert_eq!(get(&ping).0, 200);
    let (status, why) = ask("POST", &faults, r#"{"fault":[{"venue":"flowbtc","what":"dely"}]}"#);
    assert!(status == 400 && why.contains("`delay` is meant?"), "{status} {why}");
    let skew = r#"{"venue":"mercadobitcoin","seconds":-60}"#;
    assert_eq!(ask("POST", &url(&ready, "control", "skew"), skew).0, 200);
    for path in ["unlock", "logout"] {
        let user = r#"{"user":"lunario"}"#;
        assert_eq!(ask("POST", &url(&ready, "control", path), user).0, 200, "{path}");
    }
    stop(venue);
}

#[test]
fn faults_come_from_a_file_and_wrong_ones_are_told_with_their_line() {
    let folder = Folder::new();
    folder.write(
        "faults.toml",
        "# The first heartbeat is refused.\n[[fault]]\nvenue = \"sentra\"\non = \"heartbeat\"\n\
         nth = 1\nwhat = \"too_many\"\n",
    );
    let (venue, ready) = start(&folder, "--faults faults.toml");
    assert_eq!(heartbeat(&ready, 7).0, 429);
    assert_eq!(heartbeat(&ready, 8).0, 200);
    stop(venue);
    for (file, expected) in [
        ("[[fault]]\nvenue = \"sentra\"\nwhat = \"dely\"\n", "wrong.toml:1: `what` is `dely`"),
        ("\n[[fault]]\nvenue = \"sentra\"\nwho = 1\n", "wrong.toml:4: unknown field `who`"),
        ("[[fault]]\nvenue = \n", "wrong.toml:2: "),
    ] {
        folder.write("wrong.toml", file);
        let ended = folder.run("venue --faults wrong.toml");
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr().contains(expected), "{expected}: {}", ended.stderr());
        assert!(ended.out.is_empty());
    }
    let ended = folder.run("venue --faults none.toml");
    assert!(ended.code == 2 && ended.stderr().contains("none.toml"), "{ended:?}");
}

#[test]
fn what_sentra_stored_outlives_the_end() {
    let folder = Folder::new();
    let (venue, ready) = start(&folder, "--state kept");
    assert_eq!(heartbeat(&ready, 42).0, 200);
    let before = stop(venue)["sentra"].clone();
    let written = std::fs::read_to_string(folder.path().join("kept/ledger.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["sentra"], before);
    let (venue, _) = start(&folder, "--state kept");
    assert_eq!(stop(venue)["sentra"], before);
    assert_eq!(before["accounts"][0]["account_number"], "42");
}

/// At full speed nothing moves until somebody asks; whoever asks over HTTP brings the market on.
#[test]
fn a_recorded_market_at_full_speed_is_drawn_by_requests() {
    let folder = Folder::new();
    let mut rows = String::from("time,price,qty,side,id\n");
    for at in 0..100 {
        rows += &format!("{},{}.5,0.25,buy,{}\n", 1_602_269_461 + at, 60_000 + at, at + 1);
    }
    folder.write("market.csv", &rows);
    let (mut venue, ready) = start(&folder, "--feed market.csv --speed max");
    let last = || {
        let (_, text) = get(&url(&ready, "flowbtc_http", "GetLevel1?OMSId=1&InstrumentId=1"));
        let level: Value = serde_json::from_str(&text).unwrap();
        (level["LastTradedPx"].as_f64(), level["LastTradeTime"].as_i64())
    };
    assert_eq!(last(), (Some(60_063.5), Some(1_602_269_524_000)));
    let ticker = get(&url(&ready, "mercadobitcoin_data", "BTC/ticker/")).1;
    assert!(ticker.contains(r#""last":"60099.50000000""#), "{ticker}");
    assert_eq!(last(), (Some(60_099.5), Some(1_602_269_560_000)));
    venue.event("feed_ended", |line| line["market_events"] == 100);
    stop(venue);
}
