//! A session under raw calls (FLOW-P08, P09, E14): logged out, resumed with its token, logged in
//! anew with a second factor. Until the venue's state is read again no order leaves.

use super::asked::{CALLING, REST};
use super::puppet::BOTH;
use super::*;
use std::cell::RefCell;
use std::rc::Rc;

/// Calls all the time.
const BUSY: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL", "book flowbtc:BTCBRL depth=5" } }
function s.on_start(ctx)
	ctx:every(0.5, "order")
	ctx:every(3, "read")
end
function s.on_trade(ctx, trade)
	ctx.state.rest = ctx.state.rest or trade.qty == 7
end
function s.on_timer(ctx, timer)
	if ctx.state.rest then return end
	if timer.name == "read" then
		call(ctx, "GetOpenOrders", {})
		return
	end
	local ask = { InstrumentId = 1, Side = 0, Quantity = "0.1", OrderType = 2, LimitPrice = "990.00" }
	local ok, reply = call(ctx, "SendOrder", ask)
	if ok then
		call(ctx, "CancelOrder", { OrderId = reply.OrderId })
	end
end
return s
"#;

/// What passed over the line: requests of one connection after another.
type Requests = Rc<RefCell<Vec<(Time, String, String)>>>;

fn watched() -> (Requests, Rule) {
    let requests: Requests = Rc::default();
    let kept = Rc::clone(&requests);
    let rule: Rule = Box::new(move |passing| {
        let is_snapshot = !passing.up && passing.name == "GetOpenOrders";
        if passing.up || is_snapshot {
            let name = if passing.up { passing.name } else { "(the open orders)" };
            kept.borrow_mut().push((passing.now, name.to_owned(), passing.text.to_owned()));
        }
        Fate::Pass
    });
    (requests, rule)
}

/// How the line goes down, and whether the token survives it.
#[derive(Copy, Clone, Debug)]
enum End {
    Line,
    LoggedOut,
    /// Of the venue: it knows no token of before.
    Restart,
}

fn live(dialect: Dialect, guarded: bool, end: End) {
    let (requests, rule) = watched();
    let setup = Setup { guarded, ..Setup::still(dialect) };
    let mut pair = Pair::new(&setup, &format!("{CALLING}{BUSY}"), rule);
    pair.quote("999", "1001");
    pair.wait(secs(40));
    assert!(pair.is_ready(), "{}", pair.story());
    for round in 0..3 {
        requests.borrow_mut().clear();
        match end {
            End::Line => pair.line.lose_all(pair.now),
            End::LoggedOut => drop(pair.elsewhere("LogOut", "{}")),
            End::Restart => pair.restart_venue(secs(7)),
        }
        pair.until("the session is down", |pair| !pair.is_ready());
        let from = pair.seen().len();
        pair.trade("1000", "0.1");
        pair.wait(secs(70));
        assert!(pair.is_ready(), "{}", pair.story());
        let seen = requests.borrow().clone();
        pair.came_back(&seen, guarded && !matches!(end, End::Line), end);
        // Calls of the time without a session ended, and after it they are answered.
        let seen = pair.seen();
        let ends: Vec<_> = seen.values().skip(from).filter_map(|call| call.end.clone()).collect();
        assert!(ends.iter().any(|(_, what)| what == "limit"), "{end:?} {round}: {ends:?}");
        assert!(ends.iter().filter(|(outcome, _)| outcome == "done").count() > 50, "{ends:?}");
    }
    pair.trade("1000", REST);
    pair.wait(secs(60));
    pair.agree(dialect);
    let sum = pair.calls_agree();
    assert!(sum.done > 300 && sum.reads > 60, "{sum:?}");
    for text in [format!("{:?}", pair.notes), format!("{:?}", pair.records)] {
        assert!(!text.contains("ana-secret") && !text.contains(&pair.token));
    }
}

impl Pair {
    /// The login, its second step, the streams and the snapshot, and only then orders.
    fn came_back(&self, seen: &[(Time, String, String)], code: bool, end: End) {
        let last = seen.iter().rposition(|(_, name, _)| name == "WebAuthenticateUser").unwrap();
        let first = seen.iter().position(|(_, name, _)| name == "WebAuthenticateUser").unwrap();
        let by_token = |at: usize| seen[at].2.contains("SessionToken");
        let by_password = |at: usize| seen[at].2.contains("ana-secret");
        match end {
            End::Line => assert!(by_token(first) && first == last),
            // The venue said that the token is void.
            End::LoggedOut => assert!(by_password(first) && first == last),
            End::Restart => assert!(by_token(first) && by_password(last)),
        }
        let after = |wanted: &str| {
            let at = seen.iter().skip(last).position(|(_, name, _)| name == wanted);
            at.unwrap_or_else(|| panic!("no {wanted} after the login: {end:?}"))
        };
        let asked_code = seen.iter().any(|(_, name, _)| name == "Authenticate2FA");
        assert_eq!(asked_code, code, "{end:?}");
        let snapshot = after("(the open orders)");
        for name in ["SubscribeAccountEvents", "GetAccountPositions", "GetOpenOrders"] {
            assert!(after(name) < snapshot, "{name} {end:?}");
        }
        assert!(after("SubscribeTrades") > 0 && after("SubscribeLevel2") > 0);
        let ordered = |(_, name, _): &&(Time, String, String)| name == "SendOrder";
        let early = seen.iter().skip(first).take(last + snapshot - first).find(ordered);
        assert!(early.is_none(), "{end:?}: {early:?}");
        assert!(after("SendOrder") > snapshot);
    }
}

#[test]
fn raw_calls_live_through_every_way_down() {
    for dialect in BOTH {
        for end in [End::Line, End::LoggedOut, End::Restart] {
            live(dialect, false, end);
        }
    }
}

#[test]
fn and_so_they_do_with_a_second_factor() {
    for end in [End::Line, End::LoggedOut, End::Restart] {
        live(Dialect::Native, true, end);
    }
}
