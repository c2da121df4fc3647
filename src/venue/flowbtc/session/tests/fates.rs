//! Lost answers in every position, drops, restarts, missing news: what became of each order.

use super::*;
use crate::base::VenueOrderId;

const NONE: &str = "[]";

#[test]
fn no_reply_and_not_there_twice_means_not_placed() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.wait(Span::from_millis(5_001));
    assert_eq!(rig.steps(1), ["sent", "lost"]);
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", NONE);
    rig.reply("GetAccountTrades", NONE);
    assert_eq!(rig.steps(1).len(), 2, "one look is no answer");
    rig.wait(Span::from_millis(1_900));
    assert_eq!(rig.count("GetOpenOrders"), 2, "the login's and one look");
    rig.wait(Span::from_millis(200));
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", NONE);
    assert_eq!(rig.steps(1)[2..], ["rejected NOT_PLACED"]);
    assert_eq!(rig.count("SendOrder"), 1);
}

#[test]
fn no_reply_but_found_open_or_in_the_history() {
    for (open, state, last) in [
        (true, "Working", "working 501"),
        (false, "Canceled", "canceled 0 UserModified"),
        (false, "Rejected", "rejected NewInputRejected"),
        (false, "Expired", "expired 0"),
    ] {
        let mut rig = Rig::live();
        rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
        rig.wait(Span::from_millis(5_001));
        let row = format!("[{}]", order(501, 1, state, "1", "0"));
        rig.reply("GetOpenOrders", if open { &row } else { NONE });
        if !open {
            rig.reply("GetOrderHistory", &row);
        }
        assert_eq!(rig.steps(1), ["sent", "lost", last], "{state}");
        rig.wait(Span::from_secs(4));
        assert_eq!(rig.count("SendOrder"), 1);
    }
}

#[test]
fn no_reply_and_filled_meanwhile() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.wait(Span::from_millis(5_001));
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", &format!("[{}]", order(501, 1, "FullyExecuted", "1", "1")));
    assert_eq!(rig.steps(1), ["sent", "lost"], "not final before its fills are known");
    assert_eq!(
        rig.last("GetAccountTrades"),
        r#"{"OMSId":1,"AccountId":4,"Count":200,"StartIndex":0}"#
    );
    rig.reply("GetAccountTrades", &format!("[{}]", trade(8, 501, 1, "1")));
    assert_eq!(rig.steps(1)[2..], ["fill 1 @ 100", "filled 1"]);
}

#[test]
fn a_late_reply_is_welcome() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.wait(Span::from_millis(5_001));
    rig.reply("SendOrder", &accepted(501));
    assert_eq!(rig.steps(1), ["sent", "lost", "accepted 501"]);
    rig.reply("GetOpenOrders", NONE);
    rig.event("OrderStateEvent", &order(501, 1, "Working", "1", "0"));
    rig.wait(Span::from_secs(4));
    assert_eq!(rig.steps(1)[3..], ["working 501"]);
    assert_eq!(rig.count("GetOrderHistory"), 0);
}

#[test]
fn a_server_error_tells_nothing() {
    for text in [
        r#"{"result":false,"errormsg":"Server Error","errorcode":102,"detail":null}"#,
        "<html>503</html>",
    ] {
        let mut rig = Rig::live();
        rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
        rig.reply("SendOrder", text);
        assert_eq!(rig.steps(1), ["sent", "lost"]);
        rig.reply("GetOpenOrders", &format!("[{}]", order(501, 1, "Working", "1", "0")));
        assert_eq!(rig.steps(1)[2..], ["working 501"]);
    }
}

#[test]
fn a_drop_before_the_reply() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.come_back();
    assert_eq!(rig.steps(1), ["sent", "lost"]);
    rig.reply("GetOpenOrders", NONE);
    assert!(!rig.session.is_live(), "live only after the look");
    rig.reply("GetOrderHistory", NONE);
    rig.reply("GetAccountTrades", NONE);
    assert!(rig.session.is_live());
    rig.wait(Span::from_millis(1_900));
    assert_eq!(rig.count("GetOrderHistory"), 1, "two looks are two seconds apart");
    rig.wait(Span::from_millis(200));
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", NONE);
    assert_eq!(rig.steps(1)[2..], ["rejected NOT_PLACED"]);
    assert_eq!(rig.count("SendOrder"), 1);
}

#[test]
fn a_drop_after_the_reply() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.reply("SendOrder", &accepted(501));
    rig.come_back();
    rig.reply("GetOpenOrders", &format!("[{}]", order(501, 1, "Working", "1", "0")));
    assert_eq!(rig.steps(1), ["sent", "accepted 501", "working 501"]);
    assert!(rig.session.is_live());
}

#[test]
fn a_drop_after_an_event_that_came_before_the_reply() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.event("OrderStateEvent", &order(501, 1, "Working", "1", "0"));
    rig.come_back();
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", &format!("[{}]", order(501, 1, "Canceled", "1", "0")));
    assert_eq!(rig.steps(1), ["sent", "working 501", "canceled 0 UserModified"]);
}

#[test]
fn an_order_that_filled_in_part_during_the_drop() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.event("OrderTradeEvent", &trade(1, 501, 1, "0.1"));
    rig.come_back();
    rig.reply("GetOpenOrders", &format!("[{}]", order(501, 1, "Working", "1", "0.4")));
    let both = format!("[{},{}]", trade(2, 501, 1, "0.3"), trade(1, 501, 1, "0.1"));
    rig.reply("GetAccountTrades", &both);
    assert!(rig.session.is_live());
    assert_eq!(rig.steps(1)[3..], ["fill 0.1 @ 100", "fill 0.3 @ 100"]);
}

#[test]
fn events_before_the_snapshot_are_applied_after_it() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.come_back();
    rig.event("OrderTradeEvent", &trade(1, 501, 1, "1"));
    rig.event("OrderStateEvent", &order(501, 1, "FullyExecuted", "1", "1"));
    assert_eq!(rig.steps(1).len(), 3, "they wait");
    rig.reply("GetOpenOrders", &format!("[{}]", order(501, 1, "Working", "1", "0")));
    assert_eq!(rig.steps(1)[3..], ["fill 1 @ 100", "filled 1"]);
    assert!(rig.session.is_live());
}

#[test]
fn an_accepted_order_found_nowhere_is_asked_for_by_its_number() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.come_back();
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", NONE);
    rig.reply("GetAccountTrades", NONE);
    let no = r#"{"result":false,"errormsg":"Resource Not Found","errorcode":104,"detail":null}"#;
    rig.reply("GetOrderStatus", no);
    assert_eq!(rig.steps(1).len(), 3);
    rig.wait(Span::from_millis(2_100));
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", NONE);
    rig.reply("GetOrderStatus", no);
    assert_eq!(rig.steps(1)[3..], ["canceled 0 NOT_FOUND"]);
}

#[test]
fn a_history_full_of_later_orders_proves_nothing() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.wait(Span::from_millis(5_001));
    let later = rig.now.millis();
    let rows: Vec<String> = (0..100)
        .map(|at| {
            order(9000 + at, 0, "Canceled", "1", "0")
                .replace(r#""ReceiveTime":1790000000000"#, &format!(r#""ReceiveTime":{later}"#))
        })
        .collect();
    let full = format!("[{}]", rows.join(","));
    for _ in 0..3 {
        rig.reply_all("GetOpenOrders", NONE);
        rig.reply("GetOrderHistory", &full);
        rig.reply("GetAccountTrades", NONE);
        for _ in 0..8 {
            rig.wait(Span::from_millis(4_000));
            rig.event("PendingDepositUpdate", "{}");
        }
    }
    assert_eq!(rig.steps(1), ["sent", "lost"], "still unknown: {:?}", rig.notes);
}

#[test]
fn a_lost_replacement_found_by_its_alias() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    change(&mut rig);
    rig.come_back();
    assert_eq!(rig.steps(1)[3..], ["lost"]);
    rig.reply("GetOpenOrders", &format!("[{}]", order(777, 2, "Working", "0.5", "0")));
    assert_eq!(rig.steps(1)[4..], ["replaced 777: 0.5 @ 100"]);
    rig.reply("GetAccountTrades", NONE);
    assert!(rig.session.is_live());
    rig.wait(ms(600));
    assert_eq!(rig.last("GetOrderStatus"), r#"{"OMSId":1,"AccountId":4,"OrderId":501}"#);
    rig.reply("GetOrderStatus", &order(501, 1, "Canceled", "1", "0.5"));
    rig.reply("GetAccountTrades", &format!("[{}]", trade(9, 501, 1, "0.5")));
    // What the replaced order had executed is no part of the half that is open.
    assert_eq!(rig.steps(1)[5..], ["replaced 777: 1.0 @ 100", "fill 0.5 @ 100"]);
}

#[test]
fn a_lost_replacement_that_never_was() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    change(&mut rig);
    rig.wait(Span::from_millis(5_001));
    let old = format!("[{}]", order(501, 1, "Working", "1", "0"));
    rig.reply("GetOpenOrders", &old);
    assert_eq!(rig.steps(1)[3..], ["lost"], "the old one alone does not tell");
    rig.reply("GetOrderHistory", &old);
    rig.reply("GetAccountTrades", NONE);
    rig.wait(Span::from_millis(2_100));
    rig.reply("GetOpenOrders", &old);
    rig.reply("GetOrderHistory", &old);
    assert_eq!(rig.steps(1)[4..], ["refused NOT_PLACED", "working 501"]);
    assert_eq!(rig.count("CancelReplaceOrder"), 1);
}

#[test]
fn a_lost_replacement_that_left_neither() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    change(&mut rig);
    rig.wait(Span::from_millis(5_001));
    let old = format!("[{}]", order(501, 1, "Canceled", "1", "0"));
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", &old);
    rig.reply("GetAccountTrades", NONE);
    rig.wait(Span::from_millis(2_100));
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", &old);
    assert_eq!(rig.steps(1)[4..], ["refused NOT_PLACED", "canceled 0 UserModified"]);
}

/// The old number is gone, the new one not known: no cancel can hit before the look.
#[test]
fn a_cancel_outlives_a_replacement_in_doubt() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    change(&mut rig);
    rig.reply("CancelReplaceOrder", r#"{"status":"Processing","errormsg":""}"#);
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    let no = r#"{"result":false,"errormsg":"Resource Not Found","errorcode":104,"detail":null}"#;
    rig.reply("CancelOrder", no);
    rig.reply("GetOrderStatus", &order(501, 1, "Canceled", "1", "0"));
    assert_eq!(rig.count("CancelOrder"), 1, "{:?}", rig.open());
    rig.wait(Span::from_millis(1));
    rig.reply("GetOpenOrders", &format!("[{}]", order(502, 2, "Working", "0.5", "0")));
    assert_eq!(rig.steps(1)[3..], ["replaced 502: 0.5 @ 100"]);
    assert_eq!(rig.last("CancelOrder"), r#"{"OMSId":1,"AccountId":4,"OrderId":502}"#);
}

#[test]
fn a_replaced_order_that_still_stands_is_canceled_by_what_is_seen_not_by_old_news() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    change(&mut rig);
    let changed = r#"{"ReplacementOrderId":502,"ReplacementClOrdId":2,"OrigOrderId":501}"#;
    rig.reply("CancelReplaceOrder", changed);
    rig.event("OrderStateEvent", &order(501, 1, "Working", "1", "0"));
    assert_eq!(rig.count("CancelOrder"), 0);
    rig.wait(Span::from_secs(21));
    rig.reply("Ping", r#"{"msg":"PONG"}"#);
    rig.wait(Span::from_secs(10));
    let both = [order(501, 1, "Working", "1", "0"), order(502, 2, "Working", "0.5", "0")];
    rig.reply("GetOpenOrders", &format!("[{}]", both.join(",")));
    assert_eq!(rig.last("CancelOrder"), r#"{"OMSId":1,"AccountId":4,"OrderId":501}"#);
    assert!(rig.notes.iter().any(|note| note.contains("still stands")), "{:?}", rig.notes);
    assert_eq!(rig.steps(1).last().unwrap(), "replaced 502: 0.5 @ 100");
}

fn change(rig: &mut Rig) {
    rig.command(Command::Replace {
        key: key(1),
        alias: key(2),
        instrument: BTC,
        side: Side::Buy,
        price: Some(d("100")),
        qty: d("0.5"),
    });
}

#[test]
fn cancels_outlive_a_drop() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.working(2, 502);
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    rig.lose();
    rig.command(Command::Cancel { key: key(2), instrument: BTC });
    rig.command(Command::CancelAll { instrument: Some(ETH) });
    rig.wait(Span::from_secs(1));
    rig.log_in_until_orders();
    let rows = [order(501, 1, "Working", "1", "0"), order(502, 2, "Working", "1", "0")];
    rig.reply("GetOpenOrders", &format!("[{}]", rows.join(",")));
    assert_eq!(rig.open(), ["CancelAllOrders", "CancelOrder", "CancelOrder"]);
}

#[test]
fn a_cancel_of_a_lost_order_follows_once_it_is_found() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.wait(Span::from_millis(5_001));
    rig.command(Command::CancelAll { instrument: None });
    rig.reply("GetOpenOrders", &format!("[{}]", order(501, 1, "Working", "1", "0")));
    assert_eq!(rig.last("CancelOrder"), r#"{"OMSId":1,"AccountId":4,"OrderId":501}"#);
}

#[test]
fn orders_waiting_in_the_lane_when_the_line_goes_down_were_never_sent() {
    let mut rig = Rig::live();
    rig.text("TOO MANY REQUESTS");
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.lose();
    assert_eq!(rig.steps(1), ["rejected VENUE_NOT_READY the line went down before it was sent"]);
}

#[test]
fn adopted_orders_are_found_or_ended() {
    let mut rig = Rig::new(config());
    rig.session.adopt(key(1), Some(VenueOrderId(501)), BTC);
    rig.session.adopt(key(2), None, BTC);
    rig.session.adopt(key(3), None, BTC);
    rig.log_in_until_orders();
    let rows = [order(501, 1, "Working", "1", "0.2"), order(600, 66, "Working", "1", "0")];
    rig.reply("GetOpenOrders", &format!("[{}]", rows.join(",")));
    assert!(rig.notes.iter().any(|note| note.contains("1 open orders there are not of this run")));
    rig.reply("GetOrderHistory", &format!("[{}]", order(502, 2, "Canceled", "1", "0")));
    rig.reply("GetAccountTrades", &format!("[{}]", trade(4, 501, 1, "0.2")));
    rig.wait(Span::from_millis(2_100));
    rig.reply("GetOpenOrders", &format!("[{}]", rows[0]));
    rig.reply("GetOrderHistory", NONE);
    assert_eq!(rig.steps(1), ["working 501", "fill 0.2 @ 100"]);
    assert_eq!(rig.steps(2), ["canceled 0 UserModified"]);
    assert_eq!(rig.steps(3), ["rejected NOT_PLACED"]);
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    assert_eq!(rig.last("CancelOrder"), r#"{"OMSId":1,"AccountId":4,"OrderId":501}"#);
}

#[test]
fn missing_fills_are_asked_for_before_an_order_ends() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.event("OrderStateEvent", &order(501, 1, "FullyExecuted", "1", "1"));
    assert_eq!(rig.steps(1).len(), 3);
    rig.wait(Span::from_millis(600));
    rig.reply("GetAccountTrades", &format!("[{}]", trade(4, 501, 1, "0.7")));
    rig.wait(Span::from_millis(2_100));
    rig.reply(
        "GetAccountTrades",
        &format!("[{},{}]", trade(4, 501, 1, "0.7"), trade(5, 501, 1, "0.3")),
    );
    assert_eq!(rig.steps(1)[3..], ["fill 0.7 @ 100", "fill 0.3 @ 100", "filled 1"]);
}

#[test]
fn fills_that_never_come_end_with_an_alarm() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.event("OrderStateEvent", &order(501, 1, "FullyExecuted", "1", "1"));
    for _ in 0..5 {
        rig.wait(Span::from_millis(2_100));
        rig.reply("GetAccountTrades", NONE);
    }
    assert_eq!(rig.steps(1)[3..], ["filled 1"]);
    assert!(rig.notes.last().unwrap().contains("ALARM"), "{:?}", rig.notes);
}

#[test]
fn all_fills_are_an_end_even_if_the_venues_word_is_lost() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.event("OrderTradeEvent", &trade(1, 501, 1, "1"));
    assert_eq!(rig.steps(1)[3..], ["fill 1 @ 100", "filled 1"]);
}

#[test]
fn news_that_never_came_is_found_by_the_audit() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.wait(Span::from_secs(21));
    rig.reply("Ping", r#"{"msg":"PONG"}"#);
    rig.wait(Span::from_secs(10));
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOpenOrders", NONE);
    rig.reply("GetOrderHistory", &format!("[{}]", order(501, 1, "Canceled", "1", "0")));
    assert_eq!(rig.steps(1)[3..], ["canceled 0 UserModified"]);
}

#[test]
fn an_order_given_up_that_stands_on_the_book_is_canceled() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.wait(Span::from_millis(5_001));
    for _ in 0..2 {
        rig.reply("GetOpenOrders", NONE);
        rig.reply("GetOrderHistory", NONE);
        if rig.open().contains(&"GetAccountTrades") {
            rig.reply("GetAccountTrades", NONE);
        }
        rig.wait(Span::from_millis(2_100));
    }
    assert_eq!(rig.steps(1)[2..], ["rejected NOT_PLACED"]);
    rig.event("OrderStateEvent", &order(501, 1, "Working", "1", "0"));
    assert_eq!(rig.last("CancelOrder"), r#"{"OMSId":1,"AccountId":4,"OrderId":501}"#);
    assert_eq!(rig.steps(1).len(), 3, "and the end stays the end");
}

#[test]
fn a_look_that_fails_is_made_again() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.wait(Span::from_millis(5_001));
    rig.reply("GetOpenOrders", "nonsense");
    rig.wait(Span::from_millis(5_001));
    rig.reply("GetOpenOrders", &format!("[{}]", order(501, 1, "Working", "1", "0")));
    assert_eq!(rig.steps(1)[2..], ["working 501"]);
}
