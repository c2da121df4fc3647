//! Raw calls in a backtest: what they change, and what they must not.

use crate::support::{btcbrl, candidate, shared};
use lunario::base::{Decimal, Span, decimal};
use lunario::exchange::QueueModel;
use lunario::lua::Candidate;
use lunario::run::BacktestResult;
use lunario::run::backtest::{BLOCK_ROWS, Spec, backtest, patient};
use lunario::run::feed::Wanted;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn spec(candidate: Candidate, feed: PathBuf, latency: i64) -> Spec {
    Spec {
        candidate,
        feed: Wanted {
            files: vec![feed],
            time_unit: None,
            from: None,
            to: None,
            block_rows: BLOCK_ROWS,
        },
        instrument: btcbrl(),
        balances: vec![
            ("BRL".into(), Decimal::from(1_000_000)),
            ("BTC".into(), Decimal::from(1_000)),
        ],
        params: BTreeMap::new(),
        feed_latency: Span::ZERO,
        entry_latency: Span::from_millis(latency),
        response_latency: Span::from_millis(latency),
        queue: QueueModel::None,
        seed: 1,
        limits: lunario::risk::Limits::default(),
        lua: patient(),
    }
}

/// The same at every length of a block.
fn run(mut spec: Spec) -> BacktestResult {
    let mut results = Vec::new();
    for block_rows in [1, 7, 65_536, 65_536] {
        spec.feed.block_rows = block_rows;
        let result = backtest(&spec, &mut |_| {}).unwrap();
        assert_eq!(result.fault, None);
        results.push((result.digest.clone(), result.net_pnl, result));
    }
    let (digest, net, last) = results.pop().unwrap();
    for (other, profit, _) in results {
        assert_eq!((&other, profit), (&digest, net));
    }
    last
}

fn write(name: &str, source: &str) -> (tempfile::TempDir, Candidate) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, source).unwrap();
    let candidate = candidate(&file);
    (folder, candidate)
}

/// A script that could call every venue, and does not, trades as if there were none to call.
#[test]
fn venues_that_nobody_calls_change_nothing() {
    let (Some(feed), Some(w1)) =
        (shared("data/binance_usdm_btcusdt_20240808.trades.csv"), shared("peers/w1.luau"))
    else {
        return;
    };
    let source = std::fs::read_to_string(w1).unwrap();
    let (_one, plain) = write("w1.luau", &source);
    // Behind the source, so that its directives and lines stay where they are.
    let handed =
        source.replacen("\n", "\nlocal _venues = { flowbtc, mercadobitcoin, sentra }\n", 1);
    let (_two, handed) = write("w1.luau", &handed);
    for latency in [0, 10] {
        let expected = run(spec(plain.clone(), feed.clone(), latency));
        let got = run(spec(handed.clone(), feed.clone(), latency));
        assert_eq!((got.orders, got.fills), (expected.orders, expected.fills));
        assert_eq!(decimal::show(got.net_pnl), decimal::show(expected.net_pnl));
        assert_eq!(got.digest, expected.digest);
    }
}
