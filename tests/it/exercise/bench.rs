//! A served venue and a live engine on a thread each, and a script between them that makes calls
//! phase by phase: it says when it is ready, the test sets the faults of the phase, and a word of
//! the venue's tells it to begin.

use lunario::base::{Decimal, Fees, Instrument, Plain, Secret, Span};
use lunario::calls::{self, By, Call, Field, Kind, Reply, flowbtc};
use lunario::desk::{Level, Mode, Words};
use lunario::edge::clock;
use lunario::edge::journal::Policy;
use lunario::edge::watch::Patience;
use lunario::engine::{EngineConfig, Note};
use lunario::exchange::{Config, QueueModel};
use lunario::run::live::{
    FlowBtc, FlowLogin, Live, LiveSpec, MercadoBitcoin, Sentra, Told, Venues,
};
use lunario::run::source::Source;
use lunario::run::venue::{
    ANYWHERE, Checks, Dialect, Embedded, Others, Pace, VenueSpec, accounts, test_users,
};
use lunario::simulator::{flowbtc::listing, mercadobitcoin, sentra};
use lunario::venue::flowbtc::ApiKey;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use tempfile::TempDir;

/// How long a line is waited for; far more than any of them takes.
const PATIENCE: Span = Span::from_secs(30);

/// The strategy's name, which grants are for.
const NAME: &str = "exerciser";

fn fees() -> Fees {
    let fee = Decimal::new(1, 3);
    Fees { maker: fee, taker: fee }
}

/// Serves the three venues with their test accounts, and `more` users of Sentra.
pub fn serve(more: Vec<sentra::User>) -> Embedded {
    serve_with(move |spec| spec.others.sentra_config.users.extend(more))
}

/// Serves the three venues with what `change` makes of their test accounts.
pub fn serve_with(change: impl FnOnce(&mut VenueSpec) + Send + 'static) -> Embedded {
    Embedded::start(move || {
        let money = |asset: &str, amount: i64| (asset.to_owned(), Decimal::from(amount));
        let balances = vec![money("BRL", 100_000_000), money("BTC", 1_000)];
        let instruments = listing::instruments(fees());
        let first = instruments.iter().next().unwrap().clone();
        let sentra_config = accounts::sentra_config(Checks::Manual);
        let mut spec = VenueSpec {
            address: ANYWHERE,
            source: Source::synthetic(7, first, clock::now()),
            pace: Pace::Times(1.0),
            dialect: Dialect::Native,
            users: test_users(balances.clone()),
            exchange: Config {
                instruments,
                queue: QueueModel::None,
                first_order_id: 9_222_816_249_026_560_000,
                first_trade_id: 1,
                wait_for_print: false,
            },
            seed: 1,
            latency: Span::ZERO,
            others: Others {
                control: Some(ANYWHERE),
                mercadobitcoin_config: accounts::mercadobitcoin_config(balances, None),
                sentra_config,
                ..Others::default()
            },
        };
        change(&mut spec);
        Ok(spec)
    })
    .unwrap()
}

/// Who the engine is at the venues.
pub struct Who {
    /// FlowBTC's user with the second factor, whose codes the engine cannot make.
    pub second: bool,
    pub sentra: &'static str,
}

impl Default for Who {
    fn default() -> Who {
        Who { second: false, sentra: accounts::SENTRA_EMAIL }
    }
}

/// A live engine with one strategy.
pub struct Engine {
    lines: Receiver<(Level, String, Plain)>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    seen: Vec<String>,
    /// Messages of warnings that the script logged.
    pub warnings: Vec<String>,
    _folder: TempDir,
}

impl Engine {
    /// Starts the script on the served venues, with everything granted.
    pub fn start(served: &Embedded, who: &Who, script: &str, params: &[(&str, &str)]) -> Engine {
        let folder = tempfile::tempdir().unwrap();
        let scripts = folder.path().join("scripts");
        std::fs::create_dir(&scripts).unwrap();
        std::fs::write(scripts.join(format!("{NAME}.luau")), script).unwrap();
        let mut spec = LiveSpec {
            paths: vec![scripts],
            state: folder.path().join("state"),
            policy: Policy::Group,
            engine: engine(params),
            venues: venues(served, who),
            run_for: None,
            status_every: Span::from_millis(100),
            patience: Patience::default(),
        };
        spec.venues.keys = folder.path().join("keys");
        let ended = Arc::new(AtomicBool::new(false));
        let (said, lines) = channel();
        let stop = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            let mut tell = |told: Told, _: &lunario::run::scripts::Scripts| {
                let Told::Note { note, .. } = told else { return };
                let line = match note {
                    Note::Words { words: Words::Log { level, message, fields }, .. } => {
                        (level, message, fields)
                    }
                    other => (Level::Info, format!("{other:?}"), Plain::Nil),
                };
                drop(said.send(line));
            };
            let mut live = Live::open(spec, &mut tell).unwrap();
            while !stop.load(Ordering::Relaxed) && !live.turn(&mut tell).unwrap() {}
        });
        Engine {
            lines,
            ended,
            thread: Some(thread),
            seen: Vec::new(),
            warnings: Vec::new(),
            _folder: folder,
        }
    }

    /// The next log line with one of these messages, and its fields.
    pub fn line(&mut self, wanted: &[&str]) -> (String, Plain) {
        let deadline = clock::now().plus(PATIENCE);
        loop {
            let Ok((level, message, fields)) = self.lines.recv_timeout(clock::until(deadline))
            else {
                panic!("none of {wanted:?} came; so far:\n{}", self.seen.join("\n"));
            };
            if level == Level::Warn {
                self.warnings.push(message.clone());
            }
            if wanted.contains(&message.as_str()) {
                return (message, fields);
            }
            let bad = ["Fault", "Refused", "Halt"].iter().any(|word| message.starts_with(word));
            assert!(!bad, "{message}");
            self.seen.push(message.chars().take(160).collect());
        }
    }

    /// The next report of the script.
    pub fn result(&mut self) -> Row {
        Row(self.line(&["result"]).1)
    }

    /// What the script reports until it says that the phase is done.
    pub fn results(&mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        loop {
            match self.line(&["result", "done"]) {
                (message, fields) if message == "result" => rows.push(Row(fields)),
                _ => return rows,
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let failed = thread.join().is_err();
            assert!(!failed || std::thread::panicking(), "the engine failed");
        }
    }
}

fn engine(params: &[(&str, &str)]) -> EngineConfig {
    let mut table = listing::instruments(fees());
    for row in mercadobitcoin::instruments(fees()).iter() {
        let symbol = row.symbol.replace('_', "").to_uppercase();
        table.add(Instrument { symbol, ..row.clone() });
    }
    let mut engine = EngineConfig::new(Mode::Live, 1, table);
    engine.limits.max_orders_per_minute = None;
    engine.lua.handler = std::time::Duration::from_secs(5);
    let own = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    engine.shared_params = own.collect();
    let granted = calls::VENUES.iter().flat_map(|venue| {
        let own = calls::of(venue).iter().filter(|call| call.grant);
        own.map(move |call| format!("{venue}.{}", call.name))
    });
    engine.grants.insert(NAME.to_owned(), granted.collect());
    let elsewhere = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT".to_owned();
    engine.withdrawals.addresses = [accounts::MERCADOBITCOIN_TRUSTED.to_owned(), elsewhere].into();
    let cap = |asset: &str| (asset.to_owned(), Decimal::from(1_000_000));
    engine.withdrawals.per_day = ["BTC", "BRL"].into_iter().map(cap).collect();
    engine
}

fn venues(served: &Embedded, who: &Who) -> Venues {
    let urls = &served.urls;
    let key = |id: &str, secret: &str, user_id| {
        Some(ApiKey { id: Secret::new(id), secret: Secret::new(secret), user_id })
    };
    let (user, password, login) = if who.second {
        let login = FlowLogin::default();
        (accounts::FLOWBTC_SECOND_USER, accounts::FLOWBTC_SECOND_PASSWORD, login)
    } else {
        let id = accounts::FLOWBTC_API_KEY;
        let key = key(id, accounts::FLOWBTC_API_SECRET, accounts::FLOWBTC_USER_ID);
        let login = FlowLogin { key, ..FlowLogin::default() };
        (accounts::FLOWBTC_USER, accounts::FLOWBTC_PASSWORD, login)
    };
    let [(key, secret), _] = accounts::MERCADOBITCOIN_KEYS;
    Venues {
        flowbtc: Some(FlowBtc {
            url: urls.flowbtc_ws.clone(),
            user: user.to_owned(),
            password: Secret::new(password),
            login,
            account: None,
            per_minute: 60_000,
            ws_per_minute: None,
            off: Vec::new(),
            paper: None,
        }),
        mercadobitcoin: Some(MercadoBitcoin {
            url: urls.mercadobitcoin.clone(),
            data_url: urls.mercadobitcoin_data.clone(),
            key: Secret::new(key),
            secret: Secret::new(secret),
            per_minute: 60,
            off: Vec::new(),
            paper: None,
            embedded: false,
        }),
        sentra: Some(Sentra {
            url: urls.sentra.clone(),
            email: Secret::new(who.sentra),
            embedded: false,
        }),
        ..Venues::default()
    }
}

/// One request to the venue's control or to one of its servers: the body of the answer.
pub fn post(url: &str, headers: &str, body: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut line = std::net::TcpStream::connect(host).unwrap();
    write!(
        line,
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    body.to_owned()
}

/// Sets these faults in the place of all, and tells the script to begin: its next Ping is answered
/// with `word`.
pub fn begin(served: &Embedded, word: &str, faults: &[serde_json::Value]) {
    let mut all =
        vec![serde_json::json!({"venue": "flowbtc", "on": "Ping", "nth": 1, "what": "error",
            "text": word})];
    all.extend_from_slice(faults);
    let control = format!("{}faults", served.urls.control.as_ref().unwrap());
    post(&control, "", &serde_json::json!({ "fault": all }).to_string());
}

/// How a call ended, as the script saw it.
#[derive(Debug)]
pub struct Row(pub Plain);

impl Row {
    pub fn text(&self, key: &str) -> String {
        match self.0.get(key) {
            Some(Plain::Text(text)) => text.clone(),
            Some(Plain::Nil) | None => String::new(),
            Some(other) => other.json(),
        }
    }

    pub fn call(&self) -> String {
        self.text("call")
    }

    /// `kind code outcome retry_after`, `-` for what is not there.
    pub fn failure(&self) -> String {
        if self.text("ok") == "true" {
            return "ok".to_owned();
        }
        let part = |key: &str| match self.text(key) {
            text if text.is_empty() => "-".to_owned(),
            text => text,
        };
        ["kind", "code", "outcome", "retry_after"].map(part).join(" ")
    }
}

/// What is wrong with a reply, held against the documented shape.
pub fn misshapen(call: &Call, reply: &Plain) -> Option<String> {
    let rows = |fields: &[Field], reply: &Plain| match reply {
        Plain::List(items) => items.iter().find_map(|item| object(fields, item)),
        Plain::Map(items) if items.is_empty() => None,
        other => Some(format!("no list: {}", other.json())),
    };
    match call.reply {
        Reply::Receipt => object(flowbtc::RECEIPT, reply),
        Reply::Object(fields) => object(fields, reply),
        Reply::Objects(fields) => rows(fields, reply),
        Reply::Rows(columns) => match reply {
            Plain::List(items) => items.iter().find_map(|item| match item {
                Plain::List(cells) if cells.len() == columns.len() => None,
                other => Some(format!("no row: {}", other.json())),
            }),
            Plain::Map(items) if items.is_empty() => None,
            other => Some(format!("no rows: {}", other.json())),
        },
        Reply::Keyed(fields) => match reply {
            Plain::Map(pairs) => pairs.iter().find_map(|(_, value)| object(fields, value)),
            other => Some(format!("not keyed: {}", other.json())),
        },
        Reply::Numbers => match reply {
            Plain::List(_) => None,
            other => Some(format!("no numbers: {}", other.json())),
        },
    }
}

fn object(fields: &[Field], reply: &Plain) -> Option<String> {
    if !matches!(reply, Plain::Map(_)) {
        return Some(format!("no object: {}", reply.json()));
    }
    for field in fields {
        let given = reply.get(field.name);
        if field.by == By::Host && given.is_some() {
            return Some(format!("{} is the host's", field.name));
        }
        if let (Kind::Object(inner), Some(value)) = (field.kind, given)
            && let Some(wrong) = object(inner, value)
        {
            return Some(format!("{}: {wrong}", field.name));
        }
    }
    let lost = fields
        .iter()
        .find(|field| field.required && field.by != By::Host && reply.get(field.name).is_none());
    lost.map(|field| format!("{} is missing in {}", field.name, reply.json()))
}
