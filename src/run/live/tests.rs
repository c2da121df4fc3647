//! A whole run against a simulated Mercado Bitcoin over loopback: what trades, what is kept, and
//! what a second process may not do.

use super::*;
use crate::base::{Fees, OrderState, Secret, Venue as _};
use crate::desk::Mode;
use crate::edge::http_server::{Answer, HttpServer};
use crate::edge::inbox::{Post, Served};
use crate::exchange::{AccountNumber, Config, QueueModel};
use crate::simulator::http::{HttpIn, Reply};
use crate::simulator::mercadobitcoin::{self as server, MbServer};
use std::path::Path;
use std::thread::JoinHandle;
use tempfile::TempDir;

/// A Mercado Bitcoin on a thread of its own, which hands its orders over at the end.
struct Venue {
    url: String,
    post: Post,
    thread: Option<JoinHandle<usize>>,
}

const ACCOUNT: AccountNumber = AccountNumber(1);

fn served() -> MbServer {
    let instruments = server::instruments(Fees::default());
    let user = server::User {
        account: ACCOUNT,
        keys: vec![server::Key { id: "canary-key".to_owned(), secret: Secret::new("canary") }],
        balances: vec![("BRL".to_owned(), 1_000_000.into()), ("BTC".to_owned(), 10.into())],
        trusted: Vec::new(),
    };
    MbServer::new(server::Config {
        users: vec![user],
        exchange: Config {
            instruments,
            queue: QueueModel::None,
            first_order_id: 1,
            first_trade_id: 1,
            wait_for_print: false,
        },
        tonce_window: None,
        skew: Span::ZERO,
        texts: server::Texts::default(),
        faults: Vec::new(),
    })
}

impl Venue {
    fn start() -> Venue {
        let (ready, started) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut inbox = Inbox::open().unwrap();
            let http = HttpServer::start(0, "127.0.0.1:0".parse().unwrap(), inbox.lines()).unwrap();
            ready.send((http.url(), inbox.post())).unwrap();
            let mut machine = served();
            loop {
                let deadline = clock::now().plus(Span::from_secs(1));
                let wake = machine.wake_at().unwrap_or(deadline).min(deadline);
                match inbox.next(Some(wake)) {
                    Next::Input(_, Input::Stop) => {
                        return machine.exchange().open_orders(ACCOUNT).len();
                    }
                    Next::Input(at, Input::Served(news)) => {
                        let Served::Request(asked) = news.kind else { continue };
                        let request = HttpIn {
                            id: news.conn,
                            method: asked.method,
                            path: asked.path,
                            query: asked.query,
                            headers: asked.headers,
                            body: asked.body,
                        };
                        machine.handle(at, server::In::Request(request));
                    }
                    Next::Input(..) | Next::Timeout => {}
                }
                while let Some(out) = machine.poll(clock::now()) {
                    let answer = match out.reply {
                        Reply::Answer(page) => Some(Answer {
                            status: page.status,
                            headers: page.headers,
                            body: page.body,
                        }),
                        Reply::Drop => None,
                    };
                    http.answer(out.id, clock::duration(out.delay), answer);
                }
            }
        });
        let (url, post) = started.recv().unwrap();
        Venue { url, post, thread: Some(thread) }
    }

    fn stop(&mut self) -> usize {
        self.post.send_blocking(clock::now(), Input::Stop).unwrap();
        self.thread.take().unwrap().join().unwrap()
    }

    fn spec(&self, folder: &Path, state: &str, scripts: &str) -> LiveSpec {
        let mut instruments = crate::simulator::flowbtc::listing::instruments(Fees::default());
        for row in server::instruments(Fees::default()).iter() {
            let symbol = format!("{}{}", row.base, row.quote);
            instruments.add(crate::base::Instrument { symbol, ..row.clone() });
        }
        LiveSpec {
            paths: vec![folder.join(scripts)],
            state: folder.join(state),
            policy: Policy::Group,
            engine: EngineConfig::new(Mode::Paper, 1, instruments),
            venues: Venues {
                mercadobitcoin: Some(MercadoBitcoin {
                    embedded: false,
                    url: format!("{}/tapi/v2/", self.url),
                    data_url: format!("{}/api/", self.url),
                    key: Secret::new("canary-key"),
                    secret: Secret::new("canary"),
                    per_minute: 60,
                    off: Vec::new(),
                    paper: None,
                }),
                keys: folder.join("keys"),
                ..Venues::default()
            },
            run_for: None,
            status_every: Span::from_secs(3_600),
            patience: Patience::default(),
        }
    }
}

/// Tries until the venue is ready, then rests one order.
const RESTS: &str = r#"
local s = { subscribe = { "quotes mercadobitcoin:BTCBRL" } }
function s.on_start(ctx) ctx:every(0.05, "try") end
function s.on_timer(ctx)
	if ctx.state.placed then return end
	ctx.state.placed = ctx:buy({ qty = "0.02", price = "1000" }).state ~= "rejected"
end
return s
"#;

/// Turns until this holds, or a minute has passed.
fn until(live: &mut Live, what: &dyn Fn(&Live) -> bool) {
    let end = clock::now().plus(Span::from_secs(60));
    let mut tell = |_: Told, _: &Scripts| {};
    while !what(live) {
        assert!(clock::now() < end, "a minute has passed");
        assert!(!live.turn(&mut tell).unwrap(), "the run has ended");
    }
}

fn works(live: &Live) -> bool {
    let core = live.engine.core();
    core.orders.open().any(|order| order.state == OrderState::Working)
}

#[test]
fn a_run_trades_over_http_with_a_key_that_is_its_own() {
    let folder = TempDir::new().unwrap();
    let scripts = folder.path().join("scripts");
    std::fs::create_dir(&scripts).unwrap();
    std::fs::write(scripts.join("rests.luau"), RESTS).unwrap();
    std::fs::create_dir(folder.path().join("none")).unwrap();
    let mut venue = Venue::start();
    let mut tell = |_: Told, _: &Scripts| {};
    let spec = |state, scripts| venue.spec(folder.path(), state, scripts);
    let mut live = Live::open(spec("state", "scripts"), &mut tell).unwrap();
    until(&mut live, &works);
    // The key is taken, whatever folder the other process has.
    let Err(refused) = Live::open(spec("other", "none"), &mut tell) else { panic!("no lock") };
    let refused = format!("{refused:#}");
    assert!(refused.contains("another process trades on mercadobitcoin"), "{refused}");
    let sent = live.journal.sends(Time::ZERO).unwrap();
    let used = sent["mercadobitcoin"].len();
    assert!(used >= 3, "{sent:?}");
    drop(live);
    // The tonce is on disk.
    let key = std::fs::read_dir(folder.path().join("keys")).unwrap().next().unwrap().unwrap();
    let tonce: i64 = std::fs::read_to_string(key.path()).unwrap().trim().parse().unwrap();
    assert!(tonce >= clock::now().nanos() / 1_000_000_000 - 60);
    // What the lane has used counts for the next run.
    let again = Live::open(spec("state", "none"), &mut tell).unwrap();
    let lanes = again.engine.lanes(clock::now());
    let lane = lanes.iter().find(|lane| lane.lane == "mercadobitcoin").unwrap();
    let left = usize::try_from(lane.left).unwrap();
    assert!(left + used <= 60, "{left} left after {used}");
    drop(again);
    assert_eq!(venue.stop(), 1, "one order rests at the venue");
}

/// A restart makes no burst: what is read back covers whatever a lane may still count.
#[test]
fn the_sends_of_before_reach_back_further_than_any_lane_counts() {
    let spare = || Secret::new("canary");
    let name = VenueName::new("flowbtc");
    let flowbtc = crate::venue::flowbtc::SessionConfig::new(name, "ws://venue", "ana", spare());
    let answer = flowbtc.call_within.max(flowbtc.reply_within);
    let session = crate::venue::flowbtc::Session::new(flowbtc);
    let instruments = crate::base::Instruments::default();
    let other = crate::venue::mercadobitcoin::SessionConfig::new(spare(), spare(), 0, instruments);
    let late = answer.max(other.timeout);
    let second = crate::venue::mercadobitcoin::Session::new(other);
    let lanes = [session.lanes(Time::ZERO), second.lanes(Time::ZERO)].concat();
    assert_eq!(lanes.len(), 4);
    for lane in lanes {
        assert!(lane.span.plus(late) < COUNTED, "{lane:?}");
    }
}

/// Withdrawals are in the journal as they are made; the next run counts those of a day.
#[test]
fn withdrawals_of_the_last_day_count_for_the_next_run() {
    let folder = TempDir::new().unwrap();
    let now = clock::now();
    let ago = |hours: i64| now.minus(Span::from_secs(hours * 3_600));
    let bitcoin = r#"{"call":"mercadobitcoin.withdrawal_bitcoin","volume":"0.5"}"#;
    let refused =
        r#"{"call":"flowbtc.CreateWithdrawTicket","Amount":"9","ProductId":1,"refused":"limit"}"#;
    let ticket = r#"{"call":"flowbtc.CreateWithdrawTicket","Amount":"100","ProductId":4}"#;
    let row = |at, body| Row { at, kind: "call", strategy: "s", version: "v", body };
    {
        let state = StateDir::open(folder.path()).unwrap();
        let mut journal = Journal::open(&state, Policy::Group).unwrap();
        let rows = [row(ago(25), bitcoin), row(ago(23), bitcoin), row(ago(2), refused)];
        journal.append(&rows).unwrap();
        journal.append(&[row(ago(1), ticket), Row { kind: "order", ..row(now, "{}") }]).unwrap();
        let left = withdrawals(&journal, now.minus(DAY)).unwrap();
        let half = Decimal::new(5, 1);
        let expected = [(ago(23), "BTC".to_owned(), half), (ago(1), "BRL".to_owned(), 100.into())];
        assert_eq!(left, expected);
        let torn = r#"{"call":"flowbtc.CreateWithdrawTicket"}"#;
        journal.append(&[row(now, torn)]).unwrap();
    }
    // What cannot be read is not taken for nothing.
    std::fs::create_dir(folder.path().join("none")).unwrap();
    let spec = LiveSpec {
        paths: vec![folder.path().join("none")],
        state: folder.path().to_owned(),
        policy: Policy::Group,
        engine: EngineConfig::new(Mode::Live, 1, crate::base::Instruments::default()),
        venues: Venues::default(),
        run_for: None,
        status_every: Span::from_secs(3_600),
        patience: Patience::default(),
    };
    let Err(refused) = Live::open(spec, &mut |_, _| {}) else { panic!("it runs") };
    let told = format!("{refused:#}");
    assert!(told.contains("row 6 of the journal is damaged") && told.contains("of what"), "{told}");
}
