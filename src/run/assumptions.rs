//! What a backtest takes for granted, in words, in every result.

use super::answers::mentioned;
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
            "risk-averse: behind what was shown at its price when it came; trades show nothing"
        }
    };
    let answer = spec.response_latency.max(spec.feed_latency);
    let rules = format!("tick size {}, lot size {}", show(i.tick_size), show(i.lot_size));
    let rates = format!("maker {}, taker {}", show(i.fees.maker), show(i.fees.taker));
    let latency = format!(
        "feed {}, order entry {}, response {answer} (an answer is never faster than the feed)",
        spec.feed_latency, spec.entry_latency
    );
    let equity = format!(
        "the starting {} is valued at the first price throughout: only the strategy moves it",
        i.base
    );
    let mut all = vec![
        ("instrument", format!("{}: {rules}", i.name())),
        ("fees", format!("{rates} of notional, in {}", i.quote)),
        ("balances", balances.join(", ")),
        ("equity", equity),
        ("latency", latency),
        ("clock", CLOCK.into()),
        ("market_orders", market.into()),
        ("limit_orders", LIMIT_ORDERS.into()),
        ("queue", queue.into()),
        ("impact", "none: the recorded trades happen as they did".into()),
        ("end", END.into()),
    ];
    if !mentioned(&spec.candidate).is_empty() {
        all.push(("calls", CALLS.into()));
    }
    all
}

const CLOCK: &str = "ctx.now is the time of the event; feed latency delays what the strategy does";
const LIMIT_ORDERS: &str = "filled at their price when a trade goes through it, or at it by queue, \
                            up to the trade's quantity";
const CALLS: &str = "answered by the simulated venues, each in the turn that the venue's real \
                     limits give it; other orders use the same budget and do not wait";
const END: &str = "open positions are valued at the last price; open orders are canceled and not \
                   counted";
