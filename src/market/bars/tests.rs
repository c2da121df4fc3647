//! Bars as tables, and the block way against the trade-by-trade way.

use super::*;
use proptest::prelude::*;

const MINUTE: Span = Span::from_secs(60);

fn builder() -> BarBuilder {
    BarBuilder::new(InstrumentId(0), MINUTE).unwrap()
}

fn at(seconds: i64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn shown(bar: &Bar) -> String {
    let Bar { open, high, low, close, volume, .. } = bar;
    format!("{}s o{open} h{high} l{low} c{close} v{volume}", bar.time.millis() / 1000)
}

/// Trades as `second@price`, one unit each; expects the bars that closed and when the next closes.
fn check(trades: &str, expected: &[&str], closes: Option<i64>) {
    let mut builder = builder();
    let mut bars = Vec::new();
    for word in trades.split_whitespace() {
        let (second, price) = word.split_once('@').unwrap();
        let price = Decimal::from(price.parse::<i64>().unwrap());
        bars.extend(builder.trade(at(second.parse().unwrap()), price, Decimal::ONE));
    }
    assert_eq!(bars.iter().map(shown).collect::<Vec<_>>(), expected, "{trades}");
    assert_eq!(builder.closes_at(), closes.map(at), "{trades}");
}

#[test]
fn bars_close_by_the_first_trade_past_their_end() {
    check("", &[], None);
    check("5@10 30@12 59@9", &[], Some(60));
    // The end belongs to the next bar, and bars are aligned to the epoch.
    check("5@10 30@12 59@9 60@11", &["60s o10 h12 l9 c9 v3"], Some(120));
    check("59@10 61@11 125@12", &["60s o10 h10 l10 c10 v1", "120s o11 h11 l11 c11 v1"], Some(180));
    // No bar for the empty hour between.
    check("5@10 3605@11", &["60s o10 h10 l10 c10 v1"], Some(3660));
    // A late trade does not reopen a closed bar.
    check("5@10 65@11 59@7", &["60s o10 h10 l10 c10 v1"], Some(120));
    check("-5@10 5@11", &["0s o10 h10 l10 c10 v1"], Some(60));
}

#[test]
fn time_alone_closes_a_bar_once() {
    let mut builder = builder();
    builder.trade(at(5), Decimal::TEN, Decimal::ONE);
    assert_eq!(builder.advance(at(59)), None);
    assert_eq!(builder.advance(at(60)).map(|bar| bar.time), Some(at(60)));
    assert_eq!(builder.advance(at(200)), None);
    // A trade from before the close goes into the next bar, not into a second one of that minute.
    assert_eq!(builder.trade(at(59), Decimal::ONE, Decimal::ONE), None);
    assert_eq!(builder.closes_at(), Some(at(120)));
}

#[test]
fn intervals_are_positive() {
    assert_eq!(BarBuilder::new(InstrumentId(0), Span::ZERO), None);
    assert_eq!(BarBuilder::new(InstrumentId(0), Span::from_secs(-1)), None);
}

proptest! {
    #[test]
    fn a_block_gives_the_bars_of_its_trades(
        steps in prop::collection::vec((0i64..40_000, 1i64..500, 1i64..90), 0..60),
        cuts in prop::collection::vec(0usize..61, 0..5),
    ) {
        let mut block = TradeBlock { price_scale: 2, qty_scale: 3, ..TradeBlock::default() };
        let mut now = 0;
        for (step, price, qty) in steps {
            now += step;
            block.push(Time::from_millis(now), price, qty, 0, 0);
        }
        let (mut single, mut whole) = (builder(), builder());
        let mut expected = Vec::new();
        for row in 0..block.len() {
            let trade = block.trade(row).unwrap();
            expected.extend(single.trade(trade.time, trade.price, trade.qty));
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(block.len())).collect();
        cuts.extend([0, block.len()]);
        cuts.sort_unstable();
        let mut bars = Vec::new();
        for pair in cuts.windows(2) {
            whole.absorb(&block, pair[0], pair[1], &mut |bar| bars.push(bar));
        }
        prop_assert_eq!(bars, expected);
        prop_assert_eq!(whole, single);
    }
}
