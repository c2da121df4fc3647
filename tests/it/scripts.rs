//! The shipped strategies over a made market: each trades, modestly, and gives the golden result.
//! `UPDATE=1 cargo test --test it scripts` rewrites `tests/golden/stdlib/scripts.txt`.

use crate::support::{btcbrl, script};
use lunario::base::decimal::show;
use lunario::base::rng::Rng;
use lunario::base::{Decimal, Event, Span, Time};
use lunario::exchange::QueueModel;
use lunario::exchange::synthetic::{Synthetic, SyntheticConfig};
use lunario::run::BacktestResult;
use lunario::run::backtest::{BLOCK_ROWS, Spec, backtest, patient};
use lunario::run::feed::Wanted;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Strategies that need nothing but trades; the market maker lives by quotes, which are not in a
/// feed of trades.
const BY_TRADES: [&str; 5] =
    ["bollinger_reversion", "donchian_breakout", "ema_cross", "sentra_mirror", "twap_execution"];

/// An hour of trades, two a second on average, around 350,000 BRL: trends of some minutes, prices
/// that bounce between bid and ask. Whole cents, so that every machine makes the same file.
fn made_market(folder: &Path) -> PathBuf {
    let mut rng = Rng::new(7, 1);
    let (mut time, mut cents, mut drift) = (1_735_689_600_000_i64, 35_000_000_i64, 0_i64);
    let mut text = String::from("time,price,qty,side,id\n");
    for id in 1..=7_200 {
        time += i64::from(rng.below(1_000)) + 1;
        if rng.below(400) == 0 {
            drift = i64::from(rng.below(601)) - 300;
        }
        cents += drift + i64::from(rng.below(6_001)) - 3_000;
        let (side, half) = if rng.below(2) == 0 { ("buy", 4_000) } else { ("sell", -4_000) };
        let (price, qty) = (cents + half, rng.below(99_999) + 1);
        let (whole, part) = (price / 100, price % 100);
        writeln!(text, "{time},{whole}.{part:02},0.{qty:05},{side},{id}").unwrap();
    }
    let file = folder.join("made.csv");
    std::fs::write(&file, text).unwrap();
    file
}

/// An hour and a half of the synthetic market of a seed, as a file of quotes and one of trades.
fn synthetic_market(folder: &Path) -> Vec<PathBuf> {
    let start = Time::from_millis(1_735_689_600_000);
    let config = SyntheticConfig::new(btcbrl(), start, Decimal::from(350_000));
    let mut market = Synthetic::new(7, config);
    let mut quotes = String::from("time,bid,bid_qty,ask,ask_qty\n");
    let mut trades = String::from("time,price,qty,side,id\n");
    for _ in 0..100_000 {
        match market.next() {
            Event::Quote(q) => {
                let time = q.time.nanos();
                let row = (show(q.bid), show(q.bid_qty), show(q.ask), show(q.ask_qty));
                writeln!(quotes, "{time},{},{},{},{}", row.0, row.1, row.2, row.3).unwrap();
            }
            Event::Trade(t) => {
                let side = t.side.map_or("", |side| side.word());
                let (time, price, qty) = (t.time.nanos(), show(t.price), show(t.qty));
                writeln!(trades, "{time},{price},{qty},{side},{}", t.id).unwrap();
            }
            _ => {}
        }
    }
    let files = vec![folder.join("quotes.csv"), folder.join("trades.csv")];
    std::fs::write(&files[0], quotes).unwrap();
    std::fs::write(&files[1], trades).unwrap();
    files
}

fn run(name: &str, files: Vec<PathBuf>) -> BacktestResult {
    let spec = Spec {
        candidate: script(name),
        feed: Wanted { files, time_unit: None, from: None, to: None, block_rows: BLOCK_ROWS },
        instrument: btcbrl(),
        balances: vec![("BRL".into(), Decimal::from(1_000_000)), ("BTC".into(), Decimal::ONE)],
        params: BTreeMap::new(),
        feed_latency: Span::ZERO,
        entry_latency: Span::from_millis(10),
        response_latency: Span::from_millis(10),
        queue: QueueModel::None,
        seed: 1,
        limits: lunario::risk::Limits::default(),
        lua: patient(),
    };
    let result = backtest(&spec, &mut |_| {}).unwrap();
    assert_eq!(result.fault, None, "{name}");
    assert_eq!(result.halted, None, "{name}");
    result
}

fn summary(name: &str, result: &BacktestResult) -> String {
    format!(
        "{name}: orders {} fills {} rejected {} position {} fees {} net_pnl {} digest {}\n",
        result.orders,
        result.fills,
        result.rejected,
        result.position.normalize(),
        result.fees.normalize(),
        result.net_pnl.normalize(),
        result.digest,
    )
}

#[test]
fn the_shipped_strategies_give_their_golden_results() {
    let folder = tempfile::tempdir().unwrap();
    let feed = made_market(folder.path());
    let mut found = String::new();
    for name in BY_TRADES {
        let result = run(name, vec![feed.clone()]);
        assert!(result.fills > 0, "{name} did not trade in an hour");
        // An hour; the busiest of them stays under one order in three seconds.
        assert!(result.orders < 1_200, "{name} sent {} orders in an hour", result.orders);
        assert!(result.position.abs() <= Decimal::new(1, 2), "{name} holds {}", result.position);
        found += &summary(name, &result);
    }
    let result = run("market_maker", synthetic_market(folder.path()));
    assert!(result.fills > 100, "the market maker traded {} times only", result.fills);
    found += &summary("market_maker", &result);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/stdlib/scripts.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&golden).unwrap());
}
