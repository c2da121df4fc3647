//! The synthetic market is sound (never crossed, trades at the touch) and looks like one.

use std::collections::BTreeMap;

use super::*;
use crate::base::{Fees, InstrumentId, VenueName};

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn config() -> SyntheticConfig {
    let instrument = Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("flowbtc"),
        symbol: "BTCBRL".to_owned(),
        base: "BTC".to_owned(),
        quote: "BRL".to_owned(),
        tick_size: d("1"),
        lot_size: d("0.00001"),
        min_qty: d("0.00005"),
        fees: Fees::default(),
    };
    SyntheticConfig::new(instrument, Time::from_millis(1_700_000_000_000), d("350000"))
}

/// A book rebuilt from the events alone, checking each as it comes.
#[derive(Default)]
struct Watcher {
    bids: BTreeMap<Decimal, Decimal>,
    asks: BTreeMap<Decimal, Decimal>,
    now: Time,
    last: Option<Trade>,
    /// The level's quantity that the next book change must show, after a trade.
    due: Option<(BookSide, Decimal, Decimal)>,
    trades: i64,
}

impl Watcher {
    fn best(&self) -> (Decimal, Decimal) {
        (*self.bids.last_key_value().unwrap().0, *self.asks.first_key_value().unwrap().0)
    }

    fn see(&mut self, event: &Event) {
        match event {
            Event::Book(change) => self.see_book(change),
            Event::Trade(trade) => self.see_trade(trade),
            Event::Quote(quote) => {
                let (bid, ask) = self.best();
                assert_eq!((quote.bid, quote.ask), (bid, ask));
                assert_eq!((quote.bid_qty, quote.ask_qty), (self.bids[&bid], self.asks[&ask]));
                self.at(quote.time);
            }
            Event::Bar(_)
            | Event::Order(_)
            | Event::Fill(_)
            | Event::Balance(_)
            | Event::Feed(_)
            | Event::Instrument(_)
            | Event::Reply(_) => panic!("{event:?}"),
        }
    }

    fn at(&mut self, time: Time) {
        assert!(time >= self.now, "time went back");
        self.now = time;
    }

    fn see_trade(&mut self, trade: &Trade) {
        self.at(trade.time);
        let (bid, ask) = self.best();
        let (side, touch, shown) = match trade.side.unwrap() {
            Side::Buy => (BookSide::Ask, ask, self.asks[&ask]),
            Side::Sell => (BookSide::Bid, bid, self.bids[&bid]),
        };
        assert_eq!(trade.price, touch, "not at the touch");
        assert!(trade.qty > Decimal::ZERO && trade.qty <= shown, "{trade:?} of {shown}");
        self.due = Some((side, touch, shown - trade.qty));
        self.trades += 1;
        assert_eq!(trade.id, self.trades);
        self.last = Some(trade.clone());
    }

    fn see_book(&mut self, change: &BookChange) {
        self.at(change.time);
        assert_eq!(change.snapshot, self.bids.is_empty());
        for level in &change.levels {
            assert!(level.price > Decimal::ZERO && level.qty >= Decimal::ZERO);
            let half = match level.side {
                BookSide::Bid => &mut self.bids,
                BookSide::Ask => &mut self.asks,
            };
            if level.qty.is_zero() {
                assert!(half.remove(&level.price).is_some(), "an unknown level went");
            } else {
                half.insert(level.price, level.qty);
            }
            if let (Some(bid), Some(ask)) =
                (self.bids.last_key_value(), self.asks.first_key_value())
            {
                assert!(bid.0 < ask.0, "crossed: {bid:?} {ask:?}");
            }
        }
        if let Some((side, price, qty)) = self.due.take() {
            let first = &change.levels[0];
            assert_eq!((first.side, first.price, first.qty), (side, price, qty));
        }
        assert_eq!((self.bids.len(), self.asks.len()), (10, 10));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| {
        let mut market = Synthetic::new(seed, config());
        (0..20_000).map(|_| format!("{:?}\n", market.next())).collect::<String>()
    };
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
}

#[test]
fn every_event_follows_from_those_before() {
    for seed in 0..5 {
        let (mut market, mut watcher) = (Synthetic::new(seed, config()), Watcher::default());
        let first = market.next();
        assert!(matches!(&first, Event::Book(change) if change.snapshot), "{first:?}");
        watcher.see(&first);
        for _ in 0..60_000 {
            watcher.see(&market.next());
        }
    }
}

/// One row per second of the market's time: regime, middle, spread.
fn seconds(seed: u64, events: usize) -> Vec<(Regime, f64, f64)> {
    let mut market = Synthetic::new(seed, config());
    let mut rows = Vec::new();
    let mut next = Time::ZERO;
    for _ in 0..events {
        let Event::Quote(quote) = market.next() else { continue };
        let (bid, ask) = (decimal::to_f64(quote.bid), decimal::to_f64(quote.ask));
        assert!(bid > 0.0);
        if quote.time >= next {
            rows.push((market.regime(), f64::midpoint(bid, ask), ask - bid));
            next = quote.time.plus(Span::from_secs(1));
        }
    }
    rows
}

#[allow(clippy::cast_precision_loss)]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn a_million_events_stay_near_the_start_with_a_spread_that_comes_back() {
    let rows = seconds(1, 1_000_000);
    let hours = rows.len() / 3600;
    assert!((14..56).contains(&hours), "a million events in {hours} hours");
    let prices: Vec<f64> = rows.iter().map(|row| row.1).collect();
    assert!(prices.iter().all(|price| (200_000.0..600_000.0).contains(price)));
    let moved = prices.iter().any(|price| (price / 350_000.0 - 1.0).abs() > 0.01);
    assert!(moved, "the price never moved by a percent");
    let spreads: Vec<f64> = rows.iter().map(|row| row.2).collect();
    let usual = mean(&spreads);
    assert!((30.0..200.0).contains(&usual), "mean spread {usual}");
    // A sweep may open it for a moment.
    assert!(spreads.iter().all(|spread| *spread < usual * 15.0));
    let open = spreads.iter().filter(|spread| **spread > usual * 5.0).count();
    assert!(open * 2000 < spreads.len(), "{open} of {} seconds", spreads.len());
    // A wide spread is back within a few minutes, every time.
    let wide = |at: &usize| spreads[*at] > usual * 3.0;
    let calm_again = |at: usize| spreads[at..].iter().take(300).any(|spread| *spread < usual * 1.5);
    let starts: Vec<usize> = (0..spreads.len().saturating_sub(300)).filter(wide).collect();
    assert!(!starts.is_empty(), "the spread never widened");
    assert!(starts.into_iter().all(calm_again));
}

#[test]
fn regimes_differ_in_volatility_and_drift() {
    let rows = seconds(3, 600_000);
    let mut returns: BTreeMap<Regime, Vec<f64>> = BTreeMap::new();
    for pair in rows.chunks_exact(20) {
        let (first, last) = (pair[0], pair[19]);
        if pair.iter().all(|row| row.0 == first.0) {
            returns.entry(first.0).or_default().push((last.1 / first.1).ln());
        }
    }
    let spread_of = |regime| {
        let values: &Vec<f64> = &returns[&regime];
        let middle = mean(values);
        mean(&values.iter().map(|value| (value - middle).powi(2)).collect::<Vec<f64>>())
    };
    assert!(spread_of(Regime::Storm) > 4.0 * spread_of(Regime::Calm));
    assert!(mean(&returns[&Regime::Up]) > 0.000_1, "{}", mean(&returns[&Regime::Up]));
    assert!(mean(&returns[&Regime::Down]) < -0.000_1, "{}", mean(&returns[&Regime::Down]));
}

/// Counts of trades per second vary far more than independent arrivals would (whose variance equals
/// their mean).
#[test]
fn volume_comes_in_clusters() {
    let mut market = Synthetic::new(5, config());
    let mut counts: BTreeMap<i64, f64> = BTreeMap::new();
    let (mut first, mut last) = (i64::MAX, 0);
    for _ in 0..200_000 {
        if let Event::Trade(trade) = market.next() {
            let second = trade.time.millis() / 1000;
            *counts.entry(second).or_default() += 1.0;
            (first, last) = (first.min(second), last.max(second));
        }
    }
    let all: Vec<f64> =
        (first..=last).map(|second| counts.get(&second).copied().unwrap_or_default()).collect();
    let usual = mean(&all);
    let variance = mean(&all.iter().map(|count| (count - usual).powi(2)).collect::<Vec<f64>>());
    assert!((0.5..4.0).contains(&usual), "{usual} trades a second");
    assert!(variance > 1.5 * usual, "variance {variance}, mean {usual}");
}

#[test]
fn the_rate_multiplies_the_arrivals() {
    let time_of = |rate: f64| {
        let mut market = Synthetic::new(2, SyntheticConfig { rate, ..config() });
        let mut last = Time::ZERO;
        for _ in 0..50_000 {
            if let Event::Quote(quote) = market.next() {
                last = quote.time;
            }
        }
        last.since(config().start).seconds()
    };
    let ratio = time_of(1.0) / time_of(50.0);
    assert!((30.0..80.0).contains(&ratio), "{ratio}");
}

/// Odd instruments: a coarse tick near the bottom of its scale, one level, a zero grid.
#[test]
fn odd_instruments_work() {
    let mut coarse = config();
    coarse.instrument.tick_size = d("0.5");
    coarse.instrument.lot_size = d("1");
    coarse.start_price = d("3");
    coarse.trade_notional = 1.0;
    let mut one = config();
    one.levels = 1;
    let mut bare = config();
    bare.instrument.tick_size = d("0");
    bare.instrument.lot_size = d("0");
    bare.rate = 0.001;
    for config in [coarse, one, bare] {
        let mut market = Synthetic::new(1, config);
        let mut last = Time::ZERO;
        for _ in 0..20_000 {
            if let Event::Quote(quote) = market.next() {
                assert!(quote.bid > Decimal::ZERO && quote.bid < quote.ask, "{quote:?}");
                assert!(quote.bid_qty > Decimal::ZERO && quote.ask_qty > Decimal::ZERO);
                assert!(quote.time >= last);
                last = quote.time;
            }
        }
    }
}
