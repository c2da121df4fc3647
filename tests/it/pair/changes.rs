//! Cancels and replacements that meet a fill, or go down with the line, in both dialects.

use super::puppet::*;
use super::*;
use lunario::base::OrderState;

#[test]
fn a_cancel_meets_a_fill() {
    for dialect in BOTH {
        for part in ["1", "0.4"] {
            let mut pair = Pair::resting(dialect);
            pair.act(CANCEL, "1");
            pair.until("the cancel is on its way", |pair| {
                pair.records.iter().any(|record| record.kind == "cancel")
            });
            pair.quote("989", "990"); // the market comes to it first
            pair.trade("990", part);
            pair.settles(dialect);
            assert!(!pair.order(1).state.is_open());
            assert!(!pair.order(1).filled.is_zero(), "{}", pair.story());
        }
    }
}

#[test]
fn a_replacement_meets_a_fill() {
    for dialect in BOTH {
        for part in ["1", "0.4"] {
            let mut pair = Pair::resting(dialect);
            pair.act(REPLACE, "985");
            pair.until("the replacement is on its way", |pair| {
                pair.records.iter().any(|record| record.kind == "replace")
            });
            pair.trade("990", part);
            pair.settles(dialect);
            let order = pair.order(1);
            assert_eq!(order.filled, d(part), "{}", pair.story());
            let state = if part == "1" { OrderState::Filled } else { OrderState::Working };
            assert_eq!(order.state, state, "{}", pair.story());
        }
    }
}

/// What the old order traded is told long after the new one took its place: it is no part of the
/// new one's quantity.
#[test]
fn a_fill_of_before_a_replacement_comes_late() {
    for dialect in BOTH {
        let mut pair = Pair::resting(dialect);
        let mut first = true;
        pair.line.set_rule(Box::new(move |passing| {
            let late = passing.name == "OrderTradeEvent" && std::mem::take(&mut first);
            if late { Fate::Late(secs(3)) } else { Fate::Pass }
        }));
        pair.trade("990", "0.4");
        pair.act(REPLACE, "985"); // 2 more
        pair.wait(secs(1));
        pair.trade("985", "1.7");
        pair.wait(secs(5));
        assert_eq!(pair.states(), ["working"], "{}", pair.story());
        let order = pair.order(1);
        assert_eq!((order.filled, order.remaining()), (d("2.1"), d("0.3")), "{}", pair.story());
        assert_eq!(pair.engine.core().orders.exposure(None, BTC).buy, d("0.3"));
        pair.act(CANCEL, "1");
        pair.settles(dialect);
        assert_eq!(pair.states(), ["canceled"], "{}", pair.story());
    }
}

/// CancelReplaceOrder may leave both, one or neither (FLOW-C23); it is never sent again.
#[test]
fn the_line_ends_around_a_replacement() {
    for dialect in BOTH {
        for (fate, price) in [(Fate::LoseAfter, "985"), (Fate::LoseBefore, "990")] {
            let mut pair = Pair::resting(dialect);
            pair.line.set_rule(once(true, "CancelReplaceOrder", fate));
            pair.act(REPLACE, "985");
            pair.settles(dialect);
            assert_eq!(pair.order(1).price, Some(d(price)), "{}", pair.story());
            assert_eq!(pair.states(), ["working"]);
        }
        // Its reply and every event are lost, the line lives on.
        let mut pair = Pair::resting(dialect);
        pair.line.set_rule(deaf_to(&["CancelReplaceOrder", "OrderStateEvent"]));
        pair.act(REPLACE, "985");
        pair.wait(secs(20));
        pair.calm();
        pair.settles(dialect);
        assert_eq!(pair.order(1).price, Some(d("985")), "{}", pair.story());
    }
}

#[test]
fn a_cancel_goes_down_with_the_line() {
    for dialect in BOTH {
        for fate in [Fate::LoseBefore, Fate::LoseAfter, Fate::SilenceAfter] {
            for (act, call) in [(CANCEL, "CancelOrder"), (CANCEL_ALL, "CancelOrder")] {
                let mut pair = Pair::resting(dialect);
                pair.line.set_rule(once(true, call, fate));
                pair.act(act, "1");
                pair.settles(dialect);
                assert_eq!(pair.states(), ["canceled"], "{fate:?}: {}", pair.story());
            }
        }
    }
}

#[test]
fn the_run_ends_while_the_line_is_down() {
    for dialect in BOTH {
        let mut pair = Pair::resting(dialect);
        pair.line.refuse_until = pair.now.plus(secs(30));
        pair.line.lose_all(pair.now);
        pair.until("the session is down", |pair| !pair.is_ready());
        pair.engine_in(In::Operator(Operator::Stop));
        pair.wait(secs(20));
        assert!(!pair.engine.has_stopped(), "the order stands at the venue");
        pair.wait(secs(60));
        assert!(pair.engine.has_stopped(), "{}", pair.story());
        pair.settles(dialect);
        assert_eq!(pair.states(), ["canceled"]);
    }
}
