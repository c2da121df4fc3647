//! One thing going wrong at a time, in both dialects of the venue.

use super::*;
use lunario::account::Order;
use lunario::base::{OrderKey, OrderState, Side, Trade};
use std::cell::RefCell;
use std::rc::Rc;

/// Does as it is told through trades of another instrument: the quantity is what, the price how.
const PUPPET: &str = r#"
local s = { subscribe = {
	"trades flowbtc:ETHBRL", "trades flowbtc:BTCBRL", "book flowbtc:BTCBRL depth=5",
} }
local BTC = "flowbtc:BTCBRL"
local last
local acts = {
	[1] = function(ctx, price) last = ctx:buy({ instrument = BTC, qty = 1, price = price }) end,
	[2] = function(ctx, price) last = ctx:sell({ instrument = BTC, qty = 1, price = price }) end,
	[3] = function(ctx) last = ctx:buy({ instrument = BTC, qty = 1 }) end,
	[4] = function(ctx) ctx:cancel(last) end,
	[5] = function(ctx, price) assert(ctx:replace(last, { price = price, qty = 2 })) end,
	[6] = function(ctx) ctx:cancel_all() end,
}
function s.on_trade(ctx, trade)
	if trade.instrument == BTC then
		ctx.log:info(`trade {trade.id}`)
	else
		acts[trade.qty](ctx, trade.price)
	end
end
return s
"#;

const BUY: i64 = 1;
const SELL: i64 = 2;
const MARKET: i64 = 3;
const CANCEL: i64 = 4;
const REPLACE: i64 = 5;
const CANCEL_ALL: i64 = 6;

const BOTH: [Dialect; 2] = [Dialect::Native, Dialect::Page];

fn pass() -> Rule {
    Box::new(|_| Fate::Pass)
}

/// The first such frame has this fate; `up` requests, else replies and events.
fn once(up: bool, name: &'static str, fate: Fate) -> Rule {
    let mut done = false;
    Box::new(move |passing| {
        if done || passing.up != up || passing.name != name {
            return Fate::Pass;
        }
        done = true;
        fate
    })
}

/// Every reply or event of these names is lost.
fn deaf_to(names: &'static [&'static str]) -> Rule {
    Box::new(
        move |passing| {
            if !passing.up && names.contains(&passing.name) { Fate::Drop } else { Fate::Pass }
        },
    )
}

impl Pair {
    fn act(&mut self, what: i64, price: &str) {
        self.told(InstrumentId(1), price, &what.to_string());
    }

    /// A public trade of the feed.
    fn told(&mut self, instrument: InstrumentId, price: &str, qty: &str) {
        let (time, price, qty) = (self.now, d(price), d(qty));
        let trade = Trade { time, instrument, price, qty, side: Some(Side::Buy), id: 0 };
        self.server_in(ServerIn::Market(Event::Trade(trade)));
    }

    fn trade(&mut self, price: &str, qty: &str) {
        self.told(BTC, price, qty);
    }

    /// A puppet with a resting order to buy 1 at 990.
    fn resting(dialect: Dialect) -> Pair {
        let mut pair = Pair::still(dialect, PUPPET, pass());
        pair.act(BUY, "990");
        pair.wait(secs(1));
        assert_eq!(pair.states(), ["working"], "{}", pair.story());
        pair
    }

    fn order(&self, nth: u32) -> Order {
        let core = self.engine.core();
        core.orders.get(OrderKey::compose(RUN, WHO, nth).unwrap()).unwrap().clone()
    }

    /// How the orders stand.
    fn states(&self) -> Vec<&'static str> {
        self.orders().values().map(|order| order.state.word()).collect()
    }

    /// The states that the first order went through.
    fn path(&self) -> Vec<&'static str> {
        let key = OrderKey::compose(RUN, WHO, 1).unwrap();
        let steps = self.notes.iter().filter_map(|note| match note {
            Note::Order { order } if order.key == key => Some(order.state.word()),
            _ => None,
        });
        steps.collect()
    }

    fn at_venue(&self) -> usize {
        self.server.exchange().history(ACCOUNT, usize::MAX).len()
    }

    fn calm(&mut self) {
        self.line.set_rule(pass());
    }

    /// Two minutes of quiet, and both ends agree.
    fn settles(&mut self, dialect: Dialect) {
        self.wait(secs(120));
        self.agree(dialect);
    }
}

#[test]
fn the_line_ends_after_an_order_arrived() {
    for dialect in BOTH {
        let mut pair = Pair::still(dialect, PUPPET, once(true, "SendOrder", Fate::LoseAfter));
        pair.act(BUY, "990");
        pair.settles(dialect);
        assert_eq!(pair.path(), ["unknown", "working"]);
        assert_eq!(pair.at_venue(), 1);
    }
}

#[test]
fn the_line_ends_before_an_order_arrived() {
    for dialect in BOTH {
        let mut pair = Pair::still(dialect, PUPPET, once(true, "SendOrder", Fate::LoseBefore));
        pair.act(BUY, "990");
        pair.settles(dialect);
        assert_eq!(pair.path(), ["unknown", "rejected"]);
        assert_eq!(pair.order(1).reason, "NOT_PLACED");
        assert_eq!(pair.at_venue(), 0, "what is lost is never sent again");
    }
}

#[test]
fn an_order_that_traded_while_the_line_was_down() {
    for dialect in BOTH {
        let mut pair = Pair::still(dialect, PUPPET, once(true, "SendOrder", Fate::LoseAfter));
        pair.act(MARKET, "1");
        pair.settles(dialect);
        assert_eq!(pair.path().last(), Some(&"filled"));
        assert_eq!(pair.fills().len(), 1);
    }
}

#[test]
fn nobody_says_that_the_line_is_dead() {
    for dialect in BOTH {
        let mut pair = Pair::still(dialect, PUPPET, once(true, "SendOrder", Fate::SilenceAfter));
        pair.act(BUY, "990");
        pair.wait(secs(6));
        assert_eq!(pair.states(), ["unknown"]);
        pair.settles(dialect);
        assert_eq!(pair.path(), ["unknown", "working"]);
    }
}

#[test]
fn a_reply_is_lost() {
    for dialect in BOTH {
        // The events tell it all.
        let mut pair = Pair::still(dialect, PUPPET, once(false, "SendOrder", Fate::Drop));
        pair.act(BUY, "990");
        pair.settles(dialect);
        assert_eq!(pair.path(), ["working"]);
        // Nothing tells it: it is asked for.
        let rule = deaf_to(&["SendOrder", "OrderStateEvent"]);
        let mut pair = Pair::still(dialect, PUPPET, rule);
        pair.act(BUY, "990");
        pair.wait(secs(10));
        pair.calm();
        pair.settles(dialect);
        assert_eq!(pair.path(), ["unknown", "working"]);
        assert_eq!(pair.at_venue(), 1);
    }
}

#[test]
fn a_late_reply_is_welcome() {
    for dialect in BOTH {
        let late = Fate::Late(secs(7));
        let mut pair = Pair::still(dialect, PUPPET, pass());
        pair.line.set_rule(Box::new(move |passing| match passing.name {
            "SendOrder" if !passing.up => late,
            "OrderStateEvent" | "GetOpenOrders" if !passing.up => Fate::Drop,
            _ => Fate::Pass,
        }));
        pair.act(BUY, "990");
        pair.wait(secs(6));
        assert_eq!(pair.states(), ["unknown"]);
        pair.wait(secs(2));
        assert_ne!(pair.states(), ["unknown"], "{}", pair.story());
        pair.calm();
        pair.settles(dialect);
    }
}

#[test]
fn a_fill_is_not_told() {
    for dialect in BOTH {
        let mut pair = Pair::resting(dialect);
        pair.line.set_rule(deaf_to(&["OrderTradeEvent"]));
        pair.trade("989", "1");
        pair.wait(secs(2));
        assert_eq!(pair.states(), ["filled"], "{}", pair.story());
        pair.calm();
        pair.settles(dialect);

        // Neither the fill nor the order's new state is told.
        let mut pair = Pair::resting(dialect);
        pair.line.set_rule(deaf_to(&["OrderTradeEvent", "OrderStateEvent"]));
        pair.trade("989", "1");
        pair.wait(secs(40));
        assert_eq!(pair.states(), ["filled"], "{}", pair.story());
        pair.calm();
        pair.settles(dialect);
    }
}

#[test]
fn a_balance_is_not_told() {
    for dialect in BOTH {
        let mut pair = Pair::resting(dialect);
        pair.line.set_rule(deaf_to(&["AccountPositionEvent"]));
        pair.trade("989", "1");
        pair.wait(secs(1));
        assert!(pair.compare(dialect).is_err());
        pair.calm();
        pair.settles(dialect);
    }
}

#[test]
fn everything_is_told_twice() {
    for dialect in BOTH {
        let mut pair = Pair::still(dialect, PUPPET, Box::new(|_| Fate::Twice(ms(50))));
        pair.act(BUY, "990");
        pair.wait(secs(1));
        pair.trade("989", "0.5");
        pair.act(MARKET, "1");
        pair.wait(secs(1));
        pair.act(CANCEL_ALL, "1");
        pair.settles(dialect);
    }
}

#[test]
fn events_come_in_any_order_and_before_the_reply() {
    for dialect in BOTH {
        for late in ["SendOrder", "OrderStateEvent", "OrderTradeEvent", "AccountPositionEvent"] {
            let mut pair = Pair::still(dialect, PUPPET, pass());
            let rule: Rule = Box::new(move |passing| {
                if passing.up || passing.name != late { Fate::Pass } else { Fate::Late(ms(700)) }
            });
            pair.line.set_rule(rule);
            pair.act(MARKET, "1");
            pair.wait(secs(1));
            pair.act(BUY, "990");
            pair.wait(ms(300));
            pair.trade("989", "0.5");
            pair.settles(dialect);
            assert_eq!(pair.states()[0], "filled", "{late}: {}", pair.story());
        }
    }
}

#[test]
fn the_venue_ends_the_session() {
    for dialect in BOTH {
        let mut pair = Pair::resting(dialect);
        pair.elsewhere("LogOut", "{}");
        pair.until("the session is down", |pair| !pair.is_ready());
        pair.trade("989", "1"); // filled while nobody listens
        pair.until("the session is live again", Pair::is_ready);
        pair.act(SELL, "1005");
        pair.settles(dialect);
        assert_eq!(pair.states(), ["filled", "working"], "{}", pair.story());
    }
}

#[test]
fn after_a_gap_the_book_is_right_and_no_trade_is_told_twice() {
    for dialect in BOTH {
        let mut pair = Pair::resting(dialect);
        pair.trade("1000", "0.1");
        pair.wait(secs(1));
        pair.line.lose_all(pair.now);
        for price in ["1001", "1002", "1003"] {
            pair.trade(price, "0.1");
        }
        pair.quote("1002", "1004");
        pair.settles(dialect);
        pair.trade("1004", "0.1");
        pair.quote("1003", "1004.5");
        pair.settles(dialect);
        let told = pair.notes.iter().filter_map(|note| match note {
            Note::Words { words: lunario::desk::Words::Log { message, .. }, .. } => {
                message.strip_prefix("trade ")?.parse::<i64>().ok()
            }
            _ => None,
        });
        let told: Vec<i64> = told.collect();
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
    }
}

#[test]
fn a_stream_that_is_not_answered_is_tried_again() {
    for dialect in BOTH {
        let names = &["SubscribeLevel2", "SubscribeTrades"];
        let mut pair = Pair::new(&Setup::still(dialect), PUPPET, deaf_to(names));
        pair.quote("999", "1001");
        pair.wait(secs(20));
        assert!(pair.compare(dialect).is_ok());
        assert!(pair.engine.core().market.book(BTC).is_none());
        pair.calm();
        pair.settles(dialect);
        assert!(pair.engine.core().market.book(BTC).is_some(), "{}", pair.story());
        pair.act(BUY, "990");
        pair.wait(secs(1));
        assert_eq!(pair.states(), ["working"]);
    }
}

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

/// What the old order traded is told long after the new one took its place: it is no part of the new
/// one's quantity.
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
fn the_venue_restarts_while_we_have_open_orders() {
    for dialect in BOTH {
        // Its orders stand.
        let mut pair = Pair::resting(dialect);
        pair.restart_venue(secs(20));
        pair.trade("990", "0.3");
        pair.wait(secs(10));
        assert!(!pair.is_ready());
        pair.settles(dialect);
        assert_eq!(pair.order(1).filled, d("0.3"), "{}", pair.story());
        assert_eq!(pair.states(), ["working"]);

        // It cancels them on its way up.
        let mut pair = Pair::resting(dialect);
        pair.elsewhere("CancelAllOrders", r#"{"OMSId":1}"#);
        pair.restart_venue(secs(20));
        pair.settles(dialect);
        assert_eq!(pair.states(), ["canceled"], "{}", pair.story());
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

#[test]
fn the_venue_refuses_for_want_of_money() {
    for dialect in BOTH {
        let mut pair = Pair::still(dialect, PUPPET, pass());
        pair.act(SELL, "100000");
        pair.wait(secs(1));
        pair.elsewhere(
            "SendOrder",
            r#"{"InstrumentId":1,"Side":1,"Quantity":4,"OrderType":2,"LimitPrice":99999}"#,
        );
        pair.act(SELL, "100000");
        pair.wait(secs(1));
        assert_eq!(pair.states(), ["working", "rejected"], "{}", pair.story());
        assert_eq!(pair.order(2).reason, "Not_Enough_Funds");
    }
}

/// The frames of a whole life hold neither password nor token in what people read.
#[test]
fn no_secret_is_told() {
    for dialect in BOTH {
        let seen = Rc::new(RefCell::new(0));
        let count = Rc::clone(&seen);
        let rule: Rule = Box::new(move |passing| {
            *count.borrow_mut() += usize::from(passing.text.contains("ana-secret"));
            Fate::Pass
        });
        let mut pair = Pair::still(dialect, PUPPET, rule);
        pair.act(BUY, "990");
        pair.elsewhere("LogOut", "{}");
        pair.settles(dialect);
        assert_eq!(*seen.borrow(), 2, "one login by password for each session");
        assert!(!pair.token.is_empty());
        for text in [format!("{:?}", pair.notes), format!("{:?}", pair.records)] {
            assert!(!text.contains("ana-secret") && !text.contains(&pair.token));
        }
    }
}
