//! Requests and their replies, storage scales, partial syncs, limits and faults.

use super::store::{column, scaled, scaled_exactly};
use super::wire::parse_float;
use super::*;
use crate::simulator::faults::{What, When};
use crate::simulator::http::Reply;
use proptest::prelude::*;

const HEARTBEAT: &str = r#"{"user_email":"usuario@example.com","account_number":"12345678","broker":"XM Global Limited","server":"XM-Real 50","account_name":"João Silva","balance":10000.50,"equity":10250.75,"currency":"USD","leverage":500,"margin_free":9500.25,"open_positions":3,"platform":"MT4","account_type":"CENT"}"#;
const POSITION: &str = r#"{"ticket":"123456789","symbol":"EURUSD","type":"buy","volume":0.10,"open_price":1.08500,"current_price":1.08650,"profit":15.00,"swap":-0.50,"commission":-1.00,"open_time":"2025-10-29 10:30:00"}"#;
const TRADE: &str = r#"{"ticket":"987654321","symbol":"GBPUSD","type":"sell","volume":0.05,"open_price":1.25000,"close_price":1.24800,"open_time":"2025-10-28 14:00:00","close_time":"2025-10-28 16:30:00","profit":10.00,"commission":-0.50,"swap":-0.25}"#;

struct Venue {
    server: SentraServer,
    now: Time,
    asked: u64,
}

fn config() -> Config {
    Config {
        users: vec![
            User { id: 1, email: Secret::new("usuario@example.com"), accounts: Some(2) },
            User { id: 2, email: Secret::new("bia@example.com"), accounts: None },
        ],
        checks: Checks::Source,
        width: Width::Wide,
        per_second: None,
        rate_status: 429,
        faults: Vec::new(),
    }
}

impl Venue {
    fn new() -> Venue {
        Venue::with(config())
    }

    fn with(config: Config) -> Venue {
        let now = Time::from_millis(1_761_733_800_000);
        Venue { server: SentraServer::new(config), now, asked: 0 }
    }

    fn send(&mut self, kind: &str, path: &str, body: &[u8]) -> HttpOut {
        self.asked += 1;
        let request = HttpIn {
            id: self.asked,
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: vec![("Content-Type".to_owned(), kind.to_owned())],
            body: body.to_vec(),
        };
        self.server.handle(self.now, In::Request(request));
        self.server.poll(self.now).expect("an answer")
    }

    fn post(&mut self, call: &str, body: &str) -> (u16, String) {
        let out = self.send("application/json", &format!("/api/mt/{call}"), body.as_bytes());
        let Reply::Answer(page) = out.reply else { return (0, String::new()) };
        (page.status, String::from_utf8(page.body).unwrap())
    }

    fn list(&mut self, call: &str, items: &[&str]) -> (u16, String) {
        let head = r#""user_email":"usuario@example.com","account_number":"12345678""#;
        self.post(call, &format!("{{{head},\"{call}\":[{}]}}", items.join(",")))
    }

    fn trades(&self) -> Vec<Trade> {
        self.server.store().trades(1).cloned().collect()
    }
}

fn ok(message: &str) -> (u16, String) {
    (200, format!("{{\"success\":true,\"message\":\"{message}\"}}"))
}

fn no(status: u16, error: &str) -> (u16, String) {
    (status, format!("{{\"success\":false,\"error\":\"{error}\"}}"))
}

/// SENTRA-C01's example, and what is stored of it (SENTRA-T01, R27).
#[test]
fn a_heartbeat_makes_the_account() {
    let mut venue = Venue::new();
    assert_eq!(venue.post("heartbeat", HEARTBEAT), ok("Heartbeat recebido"));
    let identity = (1, "12345678".to_owned());
    let account = venue.server.store().account(&identity).unwrap().clone();
    assert_eq!((account.balance, account.equity), (100_005_000, 102_507_500));
    assert_eq!((account.margin_free, account.leverage), (95_002_500, 500));
    assert_eq!((account.kind, account.name.as_str()), (Kind::Cent, "João Silva"));
    assert!(!account.terminal.is_empty());
    venue.now = venue.now.plus(Span::from_secs(60));
    venue.post("heartbeat", HEARTBEAT);
    let again = venue.server.store().account(&identity).unwrap();
    assert_eq!((again.id, &again.terminal, again.created), (1, &account.terminal, account.created));
    assert_eq!(venue.server.store().history(1).len(), 2, "one snapshot for each (SENTRA-P03)");
    assert!(again.is_connected(venue.now.plus(Span::from_secs(1_800))));
    assert!(!again.is_connected(venue.now.plus(Span::from_secs(1_801))));
}

/// SENTRA-R04: the flat heartbeat as a form.
#[test]
fn a_heartbeat_as_a_form() {
    let mut venue = Venue::new();
    let form = "user_email=usuario%40example.com&account_number=7&balance=100.00&equity=1e2";
    let kind = "application/x-www-form-urlencoded";
    let out = venue.send(kind, "/api/mt/heartbeat", form.as_bytes());
    assert!(matches!(out.reply, Reply::Answer(page) if page.status == 200));
    let account = venue.server.store().account(&(1, "7".to_owned())).unwrap();
    assert_eq!((account.balance, account.equity), (10_000, 10_000));
}

/// SENTRA-R20, R22, P06, P07.
#[test]
fn failures() {
    let with = |email: &str, rest: &str| format!(r#"{{"user_email":"{email}"{rest}}}"#);
    let known = "usuario@example.com";
    for (call, body, expected) in [
        ("heartbeat", "{}".to_owned(), no(400, PARAMETERS)),
        ("heartbeat", with("", r#","account_number":"1""#), no(400, PARAMETERS)),
        ("heartbeat", with(known, ""), no(400, PARAMETERS)),
        ("heartbeat", with("x@y", r#","account_number":"1""#), no(404, NO_USER)),
        (
            "heartbeat",
            with("bia@example.com", r#","account_number":"1""#),
            no(403, "Assinatura necessária"),
        ),
        (
            "positions",
            with(known, r#","account_number":"1""#),
            no(400, &format!("{PARAMETERS}, positions")),
        ),
        (
            "trades",
            with(known, r#","account_number":"1","trades":{}"#),
            no(400, &format!("{PARAMETERS}, trades")),
        ),
        (
            "positions",
            with("x@y", r#","account_number":"1","positions":[]"#),
            no(404, NO_USER_SHORT),
        ),
        ("trades", with(known, r#","account_number":"1","trades":[]"#), no(404, NO_ACCOUNT)),
        (
            "heartbeat",
            with(known, r#","account_number":"1","balance":"abc","equity":1"#),
            no(500, "Unknown column 'NaN' in 'field list': balance"),
        ),
        ("heartbeat", "[1]".to_owned(), no(400, "Unexpected token in JSON")),
        ("heartbeat", "{".to_owned(), no(400, "Unexpected token in JSON")),
    ] {
        assert_eq!(Venue::new().post(call, &body), expected, "{call} {body}");
    }
    let mut venue = Venue::new();
    assert_eq!(venue.post("profit", "{}").0, 404);
    for number in 0..3 {
        let number = format!("\"account_number\":\"{number}\"");
        let body = HEARTBEAT.replace("\"account_number\":\"12345678\"", &number);
        let (status, body) = venue.post("heartbeat", &body);
        assert_eq!(status == 200, !body.contains("\"currentCount\":2,\"maxAccounts\":2"), "{body}");
    }
    assert_eq!(venue.server.store().accounts().count(), 2);
}

/// SENTRA-C02, C03, P01's bodies; P03: one row for a ticket, closed by its trade.
#[test]
fn positions_and_trades() {
    let mut venue = Venue::new();
    venue.post("heartbeat", &HEARTBEAT.replace("CENT", "STANDARD"));
    assert_eq!(venue.list("positions", &[]), ok("0 posições sincronizadas"));
    assert_eq!(venue.list("positions", &[POSITION]), ok("1 posições sincronizadas"));
    assert_eq!(venue.list("positions", &[POSITION]), ok("1 posições sincronizadas"));
    assert_eq!(venue.list("trades", &[TRADE, TRADE]), ok("2 trades sincronizados"));
    let trades = venue.trades();
    assert_eq!(trades.len(), 2);
    let open = &trades[0];
    assert_eq!((open.volume, open.open_price, open.current_price), (10, 108_500, Some(108_650)));
    assert_eq!((open.profit, open.swap, open.commission), (1_500, -50, -100));
    assert_eq!((open.close_time, open.side), (None, "buy"));
    assert_eq!(open.open_time, Time::from_millis(1_761_733_800_000), "SENTRA-T05");
    let closed = &trades[1];
    assert_eq!((closed.close_price, closed.profit, closed.side), (Some(124_800), 1_000, "sell"));

    venue.list("positions", &[]);
    assert_eq!(venue.trades()[0].close_time, None, "nothing is closed by omission");
    let close = TRADE.replace("987654321", "123456789");
    venue.list("trades", &[&close]);
    venue.list("positions", &[POSITION]);
    let trades = venue.trades();
    assert!(trades.len() == 2 && trades[0].close_time.is_some(), "{trades:?}");
}

/// SENTRA-T06, P04, P05, and S01's other way.
#[test]
fn partial_syncs() {
    for (from, to, source, manual) in [
        (r#","open_time":"2025-10-29 10:30:00""#, "", 2, 400),
        (r#""open_time":"2025-10-29 10:30:00""#, r#""open_time":"gestern""#, 2, 400),
        (r#""type":"buy""#, r#""type":"BUY""#, 3, 400),
        (r#""volume":0.10,"#, "", 2, 400),
        (r#""volume":0.10"#, r#""volume":"0.10""#, 3, 400),
        (r#""ticket":"123456789","#, "", 2, 400),
        (r#""swap":-0.50,"#, "", 3, 200),
        (r#""profit":15.00"#, r#""profit":null"#, 2, 400),
        (r#""current_price":1.08650,"#, "", 3, 400),
    ] {
        assert!(POSITION.contains(from), "{from}");
        let third = POSITION.replace(from, to);
        let (first, second) = (POSITION.replace("123", "1"), POSITION.replace("123", "2"));
        let items = [first.as_str(), second.as_str(), third.as_str()];
        let mut venue = Venue::new();
        venue.post("heartbeat", HEARTBEAT);
        let expected = ok(&format!("{source} posições sincronizadas"));
        assert_eq!(venue.list("positions", &items), expected, "{from} -> {to}");
        let mut strict = Venue::with(Config { checks: Checks::Manual, ..config() });
        strict.post("heartbeat", HEARTBEAT);
        assert_eq!(strict.list("positions", &items).0, manual, "{from} -> {to}");
    }
    let mut strict = Venue::with(Config { checks: Checks::Manual, ..config() });
    let body = HEARTBEAT.replace(r#""balance":10000.50,"#, "");
    assert_eq!(strict.post("heartbeat", &body).0, 400);
}

/// SENTRA-T05.
#[test]
fn times() {
    let second = 1_761_733_800;
    for (text, expected) in [
        ("2025-10-29T10:30:00Z", Some(second)),
        ("2025-10-29 10:30:00", Some(second)),
        ("2025.10.29 10:30:00", Some(second)),
        ("2025-10-29T10:30:00-03:00", Some(second + 10_800)),
        ("2025-13-29T10:30:00Z", None),
        ("", None),
        ("é2025-10-2", None),
    ] {
        let body = format!("{{\"t\":\"{text}\"}}").into_bytes();
        let body = Body::parse(&HttpIn { body, ..HttpIn::default() }).unwrap();
        let got = body.time("t").map(|time| time.millis() / 1_000);
        assert_eq!(got, expected, "{text}");
    }
}

/// SENTRA-R24, S06.
#[test]
fn kinds_of_account() {
    for (explicit, server, expected) in [
        (Some("CENT"), "XM-Real", Kind::Cent),
        (Some("cent"), "XM-Real", Kind::Cent),
        (Some("STANDARD"), "XM-Cent 3", Kind::Standard),
        (None, "XM-Cent 3", Kind::Cent),
        (Some(""), "Exness-MICRO", Kind::Cent),
        (Some("DEMO"), "x", Kind::Standard),
        (None, "", Kind::Standard),
    ] {
        assert_eq!(Kind::detect(explicit, server), expected, "{explicit:?} {server}");
    }
}

/// SENTRA-T01, T02, T03: the venue's doubles, and exact arithmetic where it differs.
#[test]
fn scales() {
    let (cent, standard) = (Kind::Cent.scale(), Kind::Standard.scale());
    for (text, scale, venue, exact) in [
        ("100.00", cent, 1_000_000, 1_000_000),
        ("100.00", standard, 10_000, 10_000),
        ("10000.50", cent, 100_005_000, 100_005_000),
        ("10250.75", cent, 102_507_500, 102_507_500),
        ("9500.25", cent, 95_002_500, 95_002_500),
        ("-0.50", standard, -50, -50),
        ("-1.00", cent, -10_000, -10_000),
        ("0.01", standard, 1, 1),
        ("0.01", cent, 100, 100),
        ("90071992547409.93", standard, 9_007_199_254_740_994, 9_007_199_254_740_993),
        ("0.005", standard, 1, 1),
        ("-0.005", standard, 0, 0),
        ("1.005", standard, 100, 101),
        ("-1.005", standard, -100, -100),
        ("0.285", standard, 28, 29),
        ("2.675", standard, 268, 268),
        ("1.115", standard, 112, 112),
        ("0.00005", cent, 1, 1),
        ("-0.00005", cent, 0, 0),
        ("1.00005", cent, 10_001, 10_001),
        ("8.12345", cent, 81_235, 81_235),
    ] {
        assert_eq!(scaled(parse_float(text), scale), Some(venue), "{text} x {scale}");
        assert_eq!(scaled_exactly(text, scale), Some(exact), "{text} x {scale}, exactly");
    }
    assert_eq!(scaled_exactly("92233720368547758.07", standard), Some(i64::MAX));
    assert_eq!(scaled_exactly("92233720368547758.08", standard), None);
    assert_eq!(scaled_exactly("922337203685477.5807", cent), Some(i64::MAX));
    assert_eq!(scaled(92_233_720_368_547_758.07, standard), None, "2^63 as a double");
    assert_eq!(scaled(parse_float("abc"), standard), None);
}

/// SENTRA-T04, T02's 32 bits, P10.
#[test]
fn columns() {
    let narrow = Width::NarrowPrices;
    for (value, scale, wide, fits) in [
        (0.01, VOLUME_SCALE, 1, true),
        (0.05, VOLUME_SCALE, 5, true),
        (0.10, VOLUME_SCALE, 10, true),
        (0.29, VOLUME_SCALE, 29, true),
        (1.15, VOLUME_SCALE, 115, true),
        (1.085, PRICE_SCALE, 108_500, true),
        (1.0865, PRICE_SCALE, 108_650, true),
        (150.123, PRICE_SCALE, 15_012_300, true),
        (21_474.836_47, PRICE_SCALE, 2_147_483_647, true),
        (60_727.05, PRICE_SCALE, 6_072_705_000, false),
        (21_474_836.47, 100, 2_147_483_647, true),
        (21_474_836.48, 100, 2_147_483_648, false),
        (214_748.364_7, 10_000, 2_147_483_647, true),
        (214_748.364_8, 10_000, 2_147_483_648, false),
    ] {
        assert_eq!(column(value, scale, Width::Wide), Some(wide), "{value} x {scale}");
        assert_eq!(column(value, scale, narrow).is_some(), fits, "{value} x {scale}");
    }
    let mut venue = Venue::with(Config { width: narrow, ..config() });
    venue.post("heartbeat", HEARTBEAT);
    let bitcoin = POSITION.replace("1.08500", "60727.05");
    assert_eq!(venue.list("positions", &[&bitcoin]), ok("0 posições sincronizadas"));
}

#[test]
fn parse_float_reads_as_javascript_does() {
    for (text, expected) in
        [("1.5", 1.5), ("  -2e1x", -20.0), ("1.2.3", 1.2), ("7abc", 7.0), (".5", 0.5), ("1e", 1.0)]
    {
        assert_eq!(parse_float(text).to_bits(), f64::to_bits(expected), "{text}");
    }
    for text in ["", "abc", "-", "inf", "NaN", "é"] {
        assert!(parse_float(text).is_nan(), "{text}");
    }
}

/// SENTRA-R09, S03: of one account, over the three calls; another account has its own.
#[test]
fn one_request_a_second() {
    let mut venue = Venue::with(Config { per_second: Some(1), ..config() });
    let other = HEARTBEAT.replace("12345678", "9");
    assert_eq!(venue.post("heartbeat", HEARTBEAT).0, 200);
    assert_eq!(venue.list("positions", &[]), no(429, "Rate limit"));
    assert_eq!(venue.post("heartbeat", &other).0, 200);
    venue.now = venue.now.plus(Span::from_millis(999));
    assert_eq!(venue.list("trades", &[]).0, 429);
    venue.now = venue.now.plus(Span::from_millis(1));
    assert_eq!(venue.list("trades", &[]), ok("0 trades sincronizados"));
}

/// SENTRA-S05: (fault, status or 0 for a dropped connection, accounts at the venue).
#[test]
fn faults() {
    for (what, status, accounts) in [
        (What::DropBefore, 0, 0),
        (What::DropAfter, 0, 1),
        (What::Delay(Span::from_secs(11)), 200, 1),
        (What::Html(502), 502, 0),
        (What::Html(503), 503, 0),
        (What::Error("ER_DUP_ENTRY".to_owned()), 500, 0),
        (What::Truncate, 200, 1),
        (What::TooMany, 429, 0),
        (What::Duplicate, 200, 1),
    ] {
        let mut venue = Venue::new();
        let fault = Fault { on: "heartbeat".to_owned(), when: When::Nth(1), what: what.clone() };
        venue.server.handle(venue.now, In::Faults(vec![fault]));
        assert_eq!(venue.post("heartbeat", HEARTBEAT).0, status, "{what:?}");
        assert_eq!(venue.server.store().accounts().count(), accounts, "{what:?}");
    }
    let mut venue = Venue::new();
    let what = What::Hold(Span::from_secs(3));
    let fault = Fault { on: "*".to_owned(), when: When::Nth(1), what };
    venue.server.handle(venue.now, In::Faults(vec![fault]));
    let request = HttpIn {
        id: 5,
        method: "POST".to_owned(),
        path: "/api/mt/heartbeat".to_owned(),
        body: HEARTBEAT.as_bytes().to_vec(),
        ..HttpIn::default()
    };
    venue.server.handle(venue.now, In::Request(request));
    assert_eq!(venue.server.poll(venue.now), None);
    let due = venue.server.wake_at().unwrap();
    assert_eq!(due.since(venue.now), Span::from_secs(3));
    assert_eq!(venue.server.poll(due).map(|out| out.id), Some(5));
}

proptest! {
    #[test]
    fn hostile_bodies(
        call in "heartbeat|positions|trades",
        body in prop::collection::vec(any::<u8>(), 0..80),
        key in "balance|volume|open_time|ticket|type|profit|account_type",
        value in "-?[0-9]{1,40}|-?[0-9]e[0-9]{1,3}|null|\\[\\]|\\{\\}|\"[^\"\\\\]{0,14}\"",
    ) {
        let mut venue = Venue::new();
        venue.send("application/json", &format!("/api/mt/{call}"), &body);
        let heartbeat = HEARTBEAT.replace("{", &format!("{{\"{key}\":{value},"));
        venue.post("heartbeat", &heartbeat);
        venue.post("heartbeat", HEARTBEAT);
        let position = POSITION.replace("{", "{\"x\":1,").replace('}', &format!(",\"{key}\":{value}}}"));
        let (status, _) = venue.list("positions", &[&position]);
        prop_assert!(status == 200 || status == 400);
    }

    #[test]
    fn cents_survive_the_venue_s_doubles(cents in -1_000_000_000_000i64..1_000_000_000_000) {
        let text = crate::base::Decimal::new(cents, 2).to_string();
        prop_assert_eq!(scaled(parse_float(&text), 100), Some(cents));
        prop_assert_eq!(scaled_exactly(&text, 100), Some(cents));
    }
}
