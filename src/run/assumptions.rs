//! What a backtest takes for granted, in words, in every result.

use super::backtest::Spec;
use crate::base::{Span, decimal};
use crate::exchange::QueueModel;

/// Name and sentence of each assumption. `shown`: the feed shows quotes or a book.
#[must_use]
pub fn assumptions(spec: &Spec, shown: bool) -> Vec<(&'static str, String)> {
    let i = &spec.instrument;
    let show = decimal::show;
    let balances: Vec<String> =
        spec.balances.iter().map(|(asset, total)| format!("{} {asset}", show(*total))).collect();
    let waits = spec.entry_latency.plus(spec.feed_latency) > Span::ZERO;
    let market = if shown {
        "filled against the shown quotes or book, level by level, as taker"
    } else if waits {
        "filled whole at the price of the first trade at or after the order's arrival, as taker"
    } else {
        "filled whole at the price of the trade that triggered them, as taker"
    };
    let queue = match spec.queue {
        QueueModel::None => "none: first in line at its price",
        QueueModel::RiskAverse => {
            "risk-averse: behind what was shown at its price when it came; a trades feed shows nothing"
        }
    };
    vec![
        ("instrument", format!("{}: tick size {}, lot size {}", i.name(), show(i.tick_size), show(i.lot_size))),
        ("fees", format!("maker {}, taker {} of notional, in {}", show(i.fees.maker), show(i.fees.taker), i.quote)),
        ("balances", balances.join(", ")),
        ("equity", format!("the starting {} is valued at the first price throughout: only the strategy moves it", i.base)),
        ("latency", format!(
            "feed {}, order entry {}, response {} (an answer is never faster than the feed)",
            spec.feed_latency, spec.entry_latency, spec.response_latency.max(spec.feed_latency),
        )),
        ("clock", "ctx.now is the time of the event; feed latency delays what the strategy does".into()),
        ("market_orders", market.into()),
        ("limit_orders", "filled at their price when a trade goes through it, or at it by queue, up to the trade's quantity".into()),
        ("queue", queue.into()),
        ("impact", "none: the recorded trades happen as they did".into()),
        ("end", "open positions are valued at the last price; open orders are canceled and not counted".into()),
    ]
}
