//! Tick to order over real loopback sockets: a served venue, a relay that looks at the clock, and a
//! live run with its journal and a Lua handler that answers every trade with a market order.
//!
//! Four moments of each order: the relay writes the trade's frame to the run (`sent`), the run has
//! read it (`created`, the time its clock stamped the frame with), the order is in the journal and
//! with its socket (`handed`), the relay has read the order's frame (`back`). From `created` to
//! `handed` it is the engine, the handler and the journal; to `back` also the write and the relay's
//! awakening; from `sent` to `back` the run's awakening as well.

use crate::delivery::btcbrl;
use crate::harness::{Wish, spread};
use lunario::base::{Decimal, InstrumentId, Secret, Span, Time};
use lunario::desk::Mode;
use lunario::edge::clock;
use lunario::edge::journal::Policy;
use lunario::edge::watch::Patience;
use lunario::engine::{EngineConfig, Note};
use lunario::exchange::{Config, QueueModel};
use lunario::run::live::{FlowBtc, FlowLogin, Live, LiveSpec, Told, Venues};
use lunario::run::source::Source;
use lunario::run::venue::{Dialect, Embedded, Others, Pace, VenueSpec, test_users};
use lunario::simulator::flowbtc::listing;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept, client};

const ANSWER: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
local average, bought = 0, false
function s.on_trade(ctx, trade)
	average += 0.1 * (trade.price - average)
	bought = not bought
	if bought then ctx:buy({ qty = "0.01" }) else ctx:sell({ qty = "0.01" }) end
end
return s
"#;

/// What the relay saw: frames to the run, and orders back from it by their keys.
#[derive(Default)]
struct Seen {
    sent: Vec<Time>,
    back: BTreeMap<i64, Time>,
}

/// The second half of a connection whose first half goes on reading.
fn half(socket: &WebSocket<TcpStream>, role: Role) -> WebSocket<TcpStream> {
    let stream = socket.get_ref();
    stream.set_nodelay(true).unwrap();
    WebSocket::from_raw_socket(stream.try_clone().unwrap(), role, None)
}

/// Stands between one run and the venue at `url`; its own address.
fn relay(url: &str, seen: &Arc<Mutex<Seen>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = format!("ws://{}/WSGateway/", listener.local_addr().unwrap());
    let (url, seen) = (url.to_owned(), Arc::clone(seen));
    std::thread::spawn(move || {
        let mut run = accept(listener.accept().unwrap().0).unwrap();
        let host = url.trim_start_matches("ws://").split('/').next().unwrap();
        let (mut venue, _) = client(url.as_str(), TcpStream::connect(host).unwrap()).unwrap();
        let mut to_run = half(&run, Role::Server);
        let mut to_venue = half(&venue, Role::Client);
        let watched = Arc::clone(&seen);
        std::thread::spawn(move || {
            while let Ok(Message::Text(text)) = venue.read() {
                watched.lock().unwrap().sent.push(clock::now());
                if to_run.send(Message::Text(text)).is_err() {
                    return;
                }
            }
        });
        while let Ok(Message::Text(text)) = run.read() {
            let now = clock::now();
            if let Some(key) = order_key(&text) {
                seen.lock().unwrap().back.insert(key, now);
            }
            if to_venue.send(Message::Text(text)).is_err() {
                return;
            }
        }
    });
    own
}

/// The key in a `SendOrder` frame.
fn order_key(text: &str) -> Option<i64> {
    let (_, call) = text.split_once("\"SendOrder\"")?;
    let (_, rest) = call.split_once("ClientOrderId")?;
    let digits: String =
        rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Trades at even distances.
fn feed(path: &Path, count: usize, gap: Span) {
    let mut file = std::fs::File::create(path).unwrap();
    writeln!(file, "time,price,qty,side,id").unwrap();
    for at in 0..count {
        let time = 1_723_161_255_000_000_000 + i64::try_from(at).unwrap() * gap.nanos();
        writeln!(file, "{time},{}.5,0.1,buy,{}", 350_000 + at % 7, at + 1).unwrap();
    }
}

fn venue(feed: &Path) -> Embedded {
    let feed = feed.to_owned();
    Embedded::start(move || {
        Ok(VenueSpec {
            address: "127.0.0.1:0".parse()?,
            source: Source::recorded(&feed, InstrumentId(0), None)?,
            pace: Pace::Times(1.0),
            dialect: Dialect::Page,
            users: test_users(vec![
                ("BRL".into(), Decimal::from(100_000_000)),
                ("BTC".into(), Decimal::from(1_000)),
            ]),
            exchange: Config {
                instruments: listing::instruments(btcbrl().fees),
                queue: QueueModel::None,
                first_order_id: 1,
                first_trade_id: 1,
                wait_for_print: false,
            },
            seed: 1,
            latency: Span::ZERO,
            others: Others::default(),
        })
    })
    .unwrap()
}

fn spec(url: String, scripts: &Path, state: &Path, policy: Policy, run_for: Span) -> LiveSpec {
    let mut engine = EngineConfig::new(Mode::Live, 1, listing::instruments(btcbrl().fees));
    engine.limits.max_orders_per_minute = None;
    LiveSpec {
        paths: vec![scripts.to_owned()],
        state: state.to_owned(),
        policy,
        engine,
        venues: Venues {
            flowbtc: Some(FlowBtc {
                url,
                user: "lunario".into(),
                password: Secret::new("paper-money"),
                login: FlowLogin::default(),
                account: None,
                per_minute: 1_000_000,
                ws_per_minute: None,
                paper: None,
                off: Vec::new(),
            }),
            ..Venues::default()
        },
        run_for: Some(run_for),
        status_every: Span::from_secs(3_600),
        patience: Patience::default(),
    }
}

fn case(name: &str, policy: Policy, count: usize, gap: Span) {
    let folder = tempfile::tempdir().unwrap();
    let (scripts, trades) = (folder.path().join("scripts"), folder.path().join("trades.csv"));
    std::fs::create_dir(&scripts).unwrap();
    std::fs::write(scripts.join("answer.luau"), ANSWER).unwrap();
    feed(&trades, count, gap);
    let served = venue(&trades);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let url = relay(&served.url, &seen);
    let lasts = Span::from_nanos(gap.nanos() * i64::try_from(count).unwrap());
    let run_for = lasts.plus(Span::from_millis(500));
    let spec = spec(url, &scripts, &folder.path().join("state"), policy, run_for);
    let (created, handed) = trade(spec);
    let seen = seen.lock().unwrap();
    let (mut inside, mut across, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for ((key, created), handed) in created.into_iter().zip(handed) {
        let Some(back) = seen.back.get(&key) else { continue };
        let before = seen.sent.partition_point(|sent| *sent <= created);
        let Some(sent) = before.checked_sub(1).and_then(|at| seen.sent.get(at)) else { continue };
        inside.push(handed.since(created).seconds());
        across.push(back.since(created).seconds());
        whole.push(back.since(*sent).seconds());
    }
    assert!(inside.len() > count / 2, "{} of {count} trades were answered", inside.len());
    // The first orders warm up caches and the VM.
    let warm = inside.len() / 10;
    spread(&format!("{name}, received to handed over"), inside.split_off(warm));
    spread(&format!("{name}, received to arrived"), across.split_off(warm));
    spread(&format!("{name}, there and back"), whole.split_off(warm));
}

/// Runs to the end: when the frame behind each order was read, by the order's key, and when the
/// order was handed to its socket, both in the order in which they were sent.
fn trade(spec: LiveSpec) -> (BTreeMap<i64, Time>, Vec<Time>) {
    let (mut created, mut handed) = (BTreeMap::new(), Vec::new());
    let mut tell = |told: Told, _: &lunario::run::scripts::Scripts| {
        if let Told::Note { note: Note::Order { order }, .. } = told {
            created.insert(order.key.wire(), order.created);
        }
    };
    let mut live = Live::open(spec, &mut tell).unwrap();
    let mut before = 0;
    while !live.turn(&mut tell).unwrap() {
        let sent = live.engine().core().sent;
        handed.extend((before..sent).map(|_| clock::now()));
        before = sent;
    }
    (created, handed)
}

/// The same way there and back with nothing to do: what the sockets and two awakenings cost.
#[allow(clippy::disallowed_methods, reason = "the distance between two frames of the market")]
fn floor(count: usize, gap: Span) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let echo = std::thread::spawn(move || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut socket, _) = client(format!("ws://{address}/"), stream).unwrap();
        while let Ok(Message::Text(text)) = socket.read() {
            socket.send(Message::Text(text)).unwrap();
        }
    });
    let mut socket = accept(listener.accept().unwrap().0).unwrap();
    socket.get_ref().set_nodelay(true).unwrap();
    let mut times = Vec::new();
    for _ in 0..count {
        std::thread::sleep(clock::duration(gap));
        let sent = clock::now();
        socket.send(Message::text("x".repeat(300))).unwrap();
        socket.read().unwrap();
        times.push(clock::now().since(sent).seconds());
    }
    drop(socket);
    echo.join().unwrap();
    spread("tick to order: sockets alone, there and back", times);
}

pub fn run(wish: &Wish) {
    if !wish.wants("tick to order") {
        return;
    }
    floor(1_000, Span::from_millis(3));
    case("tick to order: Group", Policy::Group, 2_000, Span::from_millis(3));
    case("tick to order: Strict", Policy::Strict, 300, Span::from_millis(25));
}
