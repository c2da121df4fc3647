//! Backtests over recorded trades: against an independent answer, and the same at every block size.

use crate::support::{btcbrl, candidate, script, shared};
use lunario::base::{Decimal, Span, decimal};
use lunario::exchange::QueueModel;
use lunario::lua::Candidate;
use lunario::run::BacktestResult;
use lunario::run::backtest::{BLOCK_ROWS, Spec, backtest, patient};
use lunario::run::feed::Wanted;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn spec(candidate: Candidate, feed: PathBuf) -> Spec {
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
        entry_latency: Span::ZERO,
        response_latency: Span::ZERO,
        queue: QueueModel::None,
        seed: 1,
        limits: lunario::risk::Limits::default(),
        lua: patient(),
    }
}

fn run(spec: &Spec) -> BacktestResult {
    let result = backtest(spec, &mut |_| {}).unwrap();
    assert_eq!(result.fault, None);
    result
}

/// The workload's own answer (`reference_w1.py` beside the data): decisions in doubles, money in
/// exact decimals.
fn reference(feed: &PathBuf) -> (u64, String, String, String) {
    let (fast_weight, slow_weight) = (2.0 / 11.0, 2.0 / 31.0);
    let (qty, rate) = (Decimal::new(1, 3), Decimal::new(1, 3));
    let (mut n, mut orders, mut state, mut fast, mut slow) = (0, 0, 0, 0.0f64, 0.0f64);
    let (mut position, mut cash, mut fees, mut last) =
        (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    for row in csv::Reader::from_path(feed).unwrap().records() {
        let row = row.unwrap();
        let price: f64 = row[1].parse().unwrap();
        last = decimal::parse(&row[1]).unwrap();
        if n == 0 {
            (fast, slow) = (price, price);
        } else {
            fast = fast_weight * price + (1.0 - fast_weight) * fast;
            slow = slow_weight * price + (1.0 - slow_weight) * slow;
        }
        n += 1;
        let gap = fast - slow;
        let side = if gap > 0.05 {
            1
        } else if gap < -0.05 {
            -1
        } else {
            state
        };
        if n >= 30 && side != state {
            state = side;
            let signed = Decimal::from(side) * qty;
            position += signed;
            cash -= signed * last;
            fees += last * qty * rate;
            orders += 1;
        }
    }
    let net = cash + position * last - fees;
    (orders, decimal::show(position), decimal::show(fees), decimal::show(net))
}

#[test]
fn the_common_workload_agrees_with_its_independent_answer_to_the_last_digit() {
    for name in ["binance_usdm_btcusdt_20240808", "binance_spot_btcusdt_20240809"] {
        let (Some(feed), Some(w1)) =
            (shared(&format!("data/{name}.trades.csv")), shared("peers/w1.luau"))
        else {
            return;
        };
        let spec = spec(candidate(&w1), feed.clone());
        let (first, again) = (run(&spec), run(&spec));
        let show = decimal::show;
        let ours = (first.orders, show(first.position), show(first.fees), show(first.net_pnl));
        assert_eq!(ours, reference(&feed), "{name}");
        assert_eq!(first.fills, first.orders);
        assert_eq!(first.realized + first.unrealized - first.fees, first.net_pnl);
        assert_eq!(first.equity_end - first.equity_start, first.net_pnl);
        assert_eq!(first.digest, again.digest);
    }
}

#[test]
fn the_length_of_a_block_changes_nothing() {
    let Some(feed) = shared("data/binance_usdm_btcusdt_20240808.trades.csv") else { return };
    for (feed_latency, order_latency) in [(0, 0), (0, 10), (5, 10)] {
        let mut digests = Vec::new();
        for block_rows in [1, 7, 256, 65_536] {
            let mut spec = spec(script("ema_cross"), feed.clone());
            spec.feed.block_rows = block_rows;
            spec.feed_latency = Span::from_millis(feed_latency);
            spec.entry_latency = Span::from_millis(order_latency);
            spec.response_latency = Span::from_millis(order_latency);
            let result = run(&spec);
            assert!(result.fills > 10, "{}", result.fills);
            digests.push((result.digest, result.net_pnl));
        }
        digests.dedup();
        assert_eq!(digests.len(), 1, "latency {order_latency}: {digests:?}");
    }
}

/// Counts in what it remembers, trades by that count, and says what it found at its start.
const REMEMBERS: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_start(ctx)
	assert(ctx:recall("n") == nil, "the memory of a backtest begins empty")
end
function s.on_trade(ctx)
	local n = (ctx:recall("n") or 0) + 1
	ctx:remember("n", n)
	if n % 7 == 0 then
		ctx:buy({ qty = "0.01" })
	end
end
return s
"#;

#[test]
fn memory_begins_empty_and_is_the_same_at_every_block_size() {
    let folder = tempfile::tempdir().unwrap();
    let (file, feed) = (folder.path().join("s.luau"), folder.path().join("market.csv"));
    std::fs::write(&file, REMEMBERS).unwrap();
    let mut rows = String::from("time,price,qty,side,id\n");
    for at in 0..500 {
        rows += &format!("{},{}.5,0.25,sell,{}\n", 1_602_269_461 + at, 60_000 + at % 13, at + 1);
    }
    std::fs::write(&feed, rows).unwrap();
    let digests = [1, 7, 65_536].map(|block_rows| {
        let mut spec = spec(candidate(&file), feed.clone());
        spec.feed.block_rows = block_rows;
        let result = run(&spec);
        assert_eq!(result.orders, 500 / 7);
        result.digest
    });
    assert_eq!((&digests[1], &digests[2]), (&digests[0], &digests[0]));
}
