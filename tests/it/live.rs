//! Live runs over real loopback sockets against the served venue: orders, fills, saves, the end.

use crate::support::shared;
use lunario::base::{Decimal, Fees, Plain, Secret, Span, VenueName};
use lunario::desk::Mode;
use lunario::edge::clock;
use lunario::edge::inbox::Input;
use lunario::edge::journal::Policy;
use lunario::edge::watch::Patience;
use lunario::engine::{EngineConfig, Note};
use lunario::exchange::{Config, QueueModel};
use lunario::run::live::{FlowBtc, FlowLogin, Live, LiveEnd, LiveSpec, Told, Venues};
use lunario::run::scripts::Scripts;
use lunario::run::source::Source;
use lunario::run::venue::accounts;
use lunario::run::venue::{Dialect, Embedded, Others, Pace, VenueSpec, test_users};
use lunario::simulator::flowbtc::listing;
use lunario::venue::sign;
use std::path::{Path, PathBuf};

fn fees() -> Fees {
    let fee = Decimal::new(1, 3);
    Fees { maker: fee, taker: fee }
}

fn balances() -> Vec<(String, Decimal)> {
    vec![("BRL".into(), Decimal::from(100_000_000)), ("BTC".into(), Decimal::from(1_000))]
}

/// A venue over the given market.
fn venue(feed: Option<PathBuf>, pace: Pace, dialect: Dialect) -> Embedded {
    Embedded::start(move || {
        let instruments = listing::instruments(fees());
        let first = instruments.iter().next().unwrap().clone();
        let source = match &feed {
            Some(path) => Source::recorded(path, first.id, None)?,
            None => Source::synthetic(7, first, lunario::edge::clock::now()),
        };
        Ok(VenueSpec {
            address: "127.0.0.1:0".parse()?,
            source,
            pace,
            dialect,
            users: test_users(balances()),
            exchange: Config {
                instruments,
                queue: QueueModel::None,
                first_order_id: 9_222_816_249_026_513_000,
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

fn spec(url: &str, scripts: &Path, state: &Path, seconds: i64) -> LiveSpec {
    LiveSpec {
        paths: vec![scripts.to_owned()],
        state: state.to_owned(),
        policy: Policy::Group,
        engine: EngineConfig::new(Mode::Paper, 1, listing::instruments(fees())),
        venues: Venues {
            flowbtc: Some(FlowBtc {
                url: url.to_owned(),
                user: "lunario".into(),
                password: Secret::new("paper-money"),
                login: FlowLogin::default(),
                account: None,
                per_minute: 60_000,
                ws_per_minute: None,
                paper: None,
                off: Vec::new(),
            }),
            ..Venues::default()
        },
        run_for: Some(Span::from_secs(seconds)),
        status_every: Span::from_secs(3600),
        patience: Patience::default(),
    }
}

/// The code of the second user's second factor at this time.
fn code_of_now() -> Secret {
    let secret = Secret::new(accounts::FLOWBTC_SECOND_TOTP);
    sign::one_time_code(&secret, sign::code_step(clock::now())).unwrap()
}

#[test]
fn a_code_that_is_typed_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    let scripts = folder.path().join("scripts");
    std::fs::create_dir(&scripts).unwrap();
    let served = venue(None, Pace::Times(1.0), Dialect::Native);
    let mut spec = spec(&served.url, &scripts, &folder.path().join("state"), 60);
    let own = spec.venues.flowbtc.as_mut().unwrap();
    own.user = accounts::FLOWBTC_SECOND_USER.to_owned();
    own.password = Secret::new(accounts::FLOWBTC_SECOND_PASSWORD);
    let mut said = Vec::new();
    let mut asked = 0;
    let mut live = Live::open(spec, &mut |_, _: &Scripts| {}).unwrap();
    let post = live.post();
    let ready = |live: &Live| live.engine().core().market.is_ready(&VenueName::new("flowbtc"));
    while !ready(&live) {
        let mut wanted = false;
        let ended = live.turn(&mut |told: Told, _: &Scripts| {
            wanted |= matches!(&told, Told::CodeWanted { venue } if &*venue.0 == "flowbtc");
            said.push(format!("{told:?}"));
        });
        assert!(!ended.unwrap(), "a minute has passed: {said:?}");
        if wanted {
            // Nonsense first: it is asked for again.
            let typed = if asked == 0 { Secret::new("letters") } else { code_of_now() };
            asked += 1;
            assert!(asked < 5, "{said:?}");
            let post = post.clone();
            let send = move || post.send_blocking(clock::now(), Input::Typed(typed)).unwrap();
            std::thread::spawn(send).join().unwrap();
        }
    }
    assert!(asked >= 2, "{said:?}");
    let code = code_of_now();
    assert!(said.iter().all(|line| !line.contains(code.expose()) && !line.contains("letters")));
}

/// A ping-pong of market orders on every tenth trade.
const PING_PONG: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_start(ctx) ctx.state.n = 0 end
function s.on_trade(ctx, trade)
	ctx.state.n += 1
	if ctx.state.n % 10 == 0 then
		if ctx:position() > 0 then ctx:sell({ qty = "0.013" }) else ctx:buy({ qty = "0.013" }) end
	end
end
return s
"#;

fn run(spec: LiveSpec) -> (LiveEnd, Vec<Note>) {
    let mut notes = Vec::new();
    let mut tell = |told: Told, _: &lunario::run::scripts::Scripts| {
        if let Told::Note { note, .. } = told {
            notes.push(note);
        }
    };
    let mut live = Live::open(spec, &mut tell).unwrap();
    let end = live.run(&mut tell).unwrap();
    (end, notes)
}

fn text(plain: &Plain, path: &[&str]) -> String {
    let mut at = plain;
    for key in path {
        at = match at {
            Plain::List(items) => &items[key.parse::<usize>().unwrap()],
            other => other.get(key).unwrap(),
        };
    }
    match at {
        Plain::Text(text) => text.clone(),
        other => other.json(),
    }
}

#[test]
fn a_recorded_market_at_full_speed_ends_with_both_ledgers_equal() {
    let Some(feed) = shared("data/binance_usdm_btcusdt_20240808.trades.csv") else { return };
    for dialect in [Dialect::Page, Dialect::Native] {
        let folder = tempfile::tempdir().unwrap();
        let scripts = folder.path().join("scripts");
        std::fs::create_dir(&scripts).unwrap();
        std::fs::write(scripts.join("ping_pong.luau"), PING_PONG).unwrap();
        let mut served = venue(Some(feed.clone()), Pace::Max, dialect);
        let mut spec = spec(&served.url, &scripts, &folder.path().join("state"), 6);
        spec.engine.limits.max_orders_per_minute = None;
        let (end, notes) = run(spec);
        let ledger = served.stop().unwrap();
        let ours: Vec<_> = notes
            .iter()
            .filter_map(|note| match note {
                Note::Fill { fill, .. } => {
                    Some((fill.trade_id.to_string(), fill.price, fill.qty, fill.fee))
                }
                _ => None,
            })
            .collect();
        let Some(Plain::List(accounts)) = ledger.get("accounts") else { panic!("{ledger:?}") };
        let Some(Plain::List(fills)) = accounts[0].get("fills") else { panic!("{ledger:?}") };
        let money =
            |fill: &Plain, key: &str| lunario::base::decimal::parse(&text(fill, &[key])).unwrap();
        let mut theirs: Vec<_> = fills
            .iter()
            .map(|f| (text(f, &["trade_id"]), money(f, "price"), money(f, "qty"), money(f, "fee")))
            .collect();
        assert!(ours.len() > 100, "{dialect:?}: {} fills, {end:?}", ours.len());
        let mut sorted = ours.clone();
        sorted.sort();
        theirs.sort();
        assert_eq!(sorted, theirs, "{dialect:?}");
        assert_eq!(end.open_orders, 0);
        let position = &end.strategies[0].positions[0];
        let total = text(&accounts[0], &["balances", "BTC", "total"]);
        let total = lunario::base::decimal::parse(&total).unwrap();
        assert_eq!(position.qty, total - Decimal::from(1_000));
    }
}
