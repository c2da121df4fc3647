//! Backtests from the file on: reading trades, the common workload W1, and what an order costs.

use crate::delivery::btcbrl;
use crate::harness::{Wish, times};
use lunario::base::rng::Rng;
use lunario::base::tape::TradeBlock;
use lunario::base::{Decimal, Span, decimal};
use lunario::edge::tape::TradesCsv;
use lunario::exchange::QueueModel;
use lunario::lua::{Candidate, collect};
use lunario::run::BacktestResult;
use lunario::run::backtest::{BLOCK_ROWS, Spec, backtest, patient};
use lunario::run::feed::Wanted;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

const ROWS: usize = 1_000_000;

const READING: &str = "backtest: reading a trades CSV";
const W1_NAME: &str = "backtest: W1";
const ORDERS_NAME: &str = "backtest: orders";

const W1: &str = include_str!("scripts/w1.luau");
const ORDERS: &str = include_str!("scripts/orders.luau");

/// W1 over the generated feed, so that a faster wrong answer is seen.
const W1_ORDERS: u64 = 12_984;

fn candidate(name: &str, text: &str) -> Candidate {
    collect(name, &mut |_| Ok(text.to_owned())).unwrap()
}

fn spec(candidate: Candidate, feed: &Path) -> Spec {
    Spec {
        candidate,
        feed: Wanted {
            files: vec![feed.to_owned()],
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

/// A million trades that move like a recorded market: runs of trades at one price, then a tick or a
/// few in the direction of a slow trend. The same bytes on every machine.
fn generate(path: &Path) {
    let mut rng = Rng::new(7, 1);
    let (mut time, mut price) = (1_723_161_255_088_176_367_i64, 618_003_i64);
    let mut trend = 1;
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(file, "time,price,qty,side,id").unwrap();
    for id in 1..=ROWS {
        time += i64::from(rng.below(20_000_000));
        if rng.below(300) == 0 {
            trend = -trend;
        }
        let side = if rng.below(10) < 7 { trend } else { -trend };
        if rng.below(8) == 0 {
            price += side * i64::from(1 + rng.below(4));
        }
        let (whole, tenth) = (price / 10, price % 10);
        let word = if side > 0 { "buy" } else { "sell" };
        let qty = 1 + rng.below(400);
        writeln!(file, "{time},{whole}.{tenth}0,0.{qty:03},{word},{id}").unwrap();
    }
    file.flush().unwrap();
}

fn read(feed: &Path) -> usize {
    let mut csv = TradesCsv::open(feed, None).unwrap();
    let mut block = TradeBlock::default();
    let mut rows = 0;
    loop {
        match csv.next_block(&mut block, BLOCK_ROWS).unwrap() {
            0 => return rows,
            more => rows += more,
        }
    }
}

/// Runs a backtest several times: the rate of the whole and of the engine alone.
/// `reading` is what reading the feed alone takes, in CPU-seconds.
fn case(name: &str, spec: &Spec, reading: f64, check: &dyn Fn(&BacktestResult)) -> f64 {
    let mut engine = Vec::new();
    let mut last = None;
    let taken = times(&mut || {
        let result = backtest(spec, &mut |_| {}).unwrap();
        assert_eq!(result.fault, None);
        engine.push(result.engine_s);
        last = Some(result);
    });
    let result = last.unwrap();
    check(&result);
    engine.sort_by(f64::total_cmp);
    let engine = engine[engine.len() / 2];
    let events = result.feed.events as f64 / 1e6;
    println!(
        "{name:<44} engine only {:>6.2} M/s, whole {:>6.2} M/s; a CPU-second {:.2} and {:.2} M; \
         {} orders, net {}, digest {:.8}",
        events / engine,
        events / taken.median,
        events / (taken.cpu - reading),
        events / taken.cpu,
        result.orders,
        decimal::show(result.net_pnl),
        result.digest,
    );
    engine
}

pub fn run(wish: &Wish) {
    if !wish.wants_any(&[READING, W1_NAME, ORDERS_NAME]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let generated = folder.path().join("trades.csv");
    let feed = match &wish.feed {
        Some(feed) => feed.clone(),
        None => {
            generate(&generated);
            generated
        }
    };
    let rows = read(&feed);
    wish.rate(READING, rows, "row", || assert_eq!(read(&feed), rows));
    let reading = times(&mut || assert_eq!(read(&feed), rows)).cpu;
    let w1 = spec(candidate("w1.luau", W1), &feed);
    if wish.wants(W1_NAME) {
        case(W1_NAME, &w1, reading, &|result| {
            assert!(wish.feed.is_some() || result.orders == W1_ORDERS, "{} orders", result.orders);
        });
    }
    // What an order costs must not depend on how many came before: 1,000 and 100,000 over one feed.
    if !wish.wants(ORDERS_NAME) {
        return;
    }
    let quiet = case(&format!("{ORDERS_NAME}, none"), &orders(&feed, rows + 1), reading, &|_| {});
    for count in [1_000, 10_000, 100_000] {
        let name = format!("{ORDERS_NAME}, {count}");
        let cost = case(&name, &orders(&feed, rows / count), reading, &|result| {
            assert!(result.fills >= count as u64, "{} fills", result.fills);
        });
        let each = (cost - quiet) / count as f64 * 1e6;
        println!("{:<44} {each:>10.2} us/order", format!("{name}, each"));
    }
}

fn orders(feed: &Path, every: usize) -> Spec {
    let mut spec = spec(candidate("orders.luau", ORDERS), feed);
    spec.params.insert("every".into(), every.to_string());
    // An order at every tenth trade is more than the gate lets through by default.
    spec.limits.max_orders_per_minute = None;
    spec
}
