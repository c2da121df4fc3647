//! More demand than the lane allows: the venue's own limit is never met, a cancel waits behind
//! nothing but cancels, what waited too long is never sent, and a restart makes no burst.

use super::asked::{CALLING, REST};
use super::puppet::BOTH;
use super::*;
use lunario::base::OrderState;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Three hundred orders a minute, half of them by the venue's own call; a cancel every two seconds,
/// and each minute a burst of them.
const GREEDY: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_start(ctx)
	ctx:every(0.4, "demand")
	ctx:every(2, "cancel")
	ctx:every(60, "burst")
end
function s.on_trade(ctx, trade)
	ctx.state.rest = ctx.state.rest or trade.qty == 7
end
local function drop(ctx, most)
	local left = most
	for _, order in ctx:orders() do
		if left > 0 and order.state == "working" then
			left -= 1
			ctx:cancel(order)
		end
	end
end
function s.on_timer(ctx, timer)
	if ctx.state.rest then return end
	if timer.name == "cancel" then
		drop(ctx, 1)
	elseif timer.name == "burst" then
		drop(ctx, 25)
	else
		ctx:buy({ qty = 0.01, price = 900 })
		local ask = {
			InstrumentId = 1, Side = 0, Quantity = "0.01", OrderType = 2, LimitPrice = "901.00",
		}
		call(ctx, "SendOrder", ask)
	end
end
return s
"#;

/// A frame as it left an end of the line.
#[derive(Clone, Debug)]
struct Seen {
    at: Time,
    up: bool,
    name: String,
    too_many: bool,
}

type Frames = Rc<RefCell<Vec<Seen>>>;

fn watched() -> (Frames, Rule) {
    let frames: Frames = Rc::default();
    let kept = Rc::clone(&frames);
    let rule: Rule = Box::new(move |passing| {
        kept.borrow_mut().push(Seen {
            at: passing.now,
            up: passing.up,
            name: passing.name.to_owned(),
            too_many: passing.text.contains("TOO MANY"),
        });
        Fate::Pass
    });
    (frames, rule)
}

fn greedy() -> String {
    format!("{CALLING}{GREEDY}")
}

/// What a session allows itself and the venue serves: Part D's figure.
fn hundred(dialect: Dialect) -> Setup {
    Setup { per_minute: 100, served: Some(100), ..Setup::still(dialect) }
}

impl Pair {
    /// Requests that count, in the fullest minute.
    fn fullest_minute(&self) -> usize {
        let sent = self.sent_in("flowbtc");
        let from = |first: Time| {
            sent.iter().filter(|at| **at >= first && at.since(first) <= secs(60)).count()
        };
        sent.iter().map(|at| from(*at)).max().unwrap_or(0)
    }

    fn sent_in(&self, lane: &str) -> Vec<Time> {
        self.sent.iter().filter(|(name, _)| name == lane).map(|(_, at)| *at).collect()
    }

    /// No request but a cancel leaves while a cancel waits.
    fn cancels_go_first(&self, frames: &[Seen]) {
        let asked = self.records.iter().filter(|record| record.kind == "cancel");
        let asked: Vec<Time> = asked.map(|record| record.at).collect();
        let mut gone = 0;
        for frame in frames.iter().filter(|frame| frame.up) {
            if frame.name == "CancelOrder" {
                assert!(asked[gone] <= frame.at, "{frame:?}");
                gone += 1;
            } else {
                let waiting = asked.iter().filter(|at| **at < frame.at).count();
                assert!(waiting <= gone, "{frame:?} left before {} cancels", waiting - gone);
            }
        }
        assert_eq!(gone, asked.len(), "every cancel was sent, and once");
    }
}

#[test]
fn more_demand_than_the_venue_serves() {
    for dialect in BOTH {
        let (frames, rule) = watched();
        let mut pair = Pair::new(&hundred(dialect), &greedy(), rule);
        pair.wait(secs(600));
        pair.trade("1000", REST);
        pair.wait(secs(90));
        let frames = frames.take();
        let refused: Vec<&Seen> = frames.iter().filter(|frame| frame.too_many).collect();
        assert!(refused.is_empty(), "{refused:?}");
        assert!(pair.fullest_minute() <= 100);
        let requests = pair.sent_in("flowbtc").len();
        assert!(requests > 750, "the lane is used: {requests}");
        pair.cancels_go_first(&frames);
        pair.expired_never_left(&frames);
        pair.agree(dialect);
        let sum = pair.calls_agree();
        assert!(sum.done > 150 && sum.refused > 1_000 && sum.unknown == 0, "{sum:?}");
    }
}

impl Pair {
    fn expired_never_left(&self, frames: &[Seen]) {
        let expired: BTreeSet<i64> = self
            .orders()
            .into_values()
            .filter(|order| order.reason == "EXPIRED_IN_QUEUE")
            .inspect(|order| assert_eq!(order.state, OrderState::Rejected))
            .map(|order| order.key.wire())
            .collect();
        let calls = self.seen();
        let ended = |what: &str| {
            let ends = calls.values().filter_map(|call| call.end.as_ref());
            ends.filter(|(_, why)| why == what).count()
        };
        let by_call = ended("expired_in_queue");
        assert!(by_call > 200 && expired.len() > by_call + 200, "{by_call} {}", expired.len());
        let history = self.server.exchange().history(ACCOUNT, usize::MAX);
        assert!(history.iter().all(|order| !expired.contains(&order.order.client_id)));
        let sent = frames.iter().filter(|frame| frame.up && frame.name == "SendOrder").count();
        assert_eq!(sent, history.len(), "each order that left is at the venue");
    }
}

/// (whether what was sent before is counted, whether the venue is asked too often)
#[test]
fn a_restart_makes_no_burst() {
    for dialect in BOTH {
        for (restored, refuses) in [(true, false), (false, true)] {
            let (frames, rule) = watched();
            let setup = hundred(dialect);
            let mut pair = Pair::new(&setup, &greedy(), rule);
            pair.wait(secs(130));
            for run in 1..=3 {
                let mut config = session(&setup, listing::instruments(fees()));
                if restored {
                    config.sent = pair.sent_in("flowbtc");
                    config.socket_sent = pair.sent_in("flowbtc/socket");
                }
                pair.start_again(&setup, RUN + run, config, &greedy());
                pair.wait(secs(25));
            }
            pair.wait(secs(60));
            let many = frames.take().iter().any(|frame| frame.too_many);
            assert_eq!(many, refuses, "restored: {restored}");
            assert_eq!(pair.fullest_minute() > 100, refuses, "{}", pair.fullest_minute());
        }
    }
}
