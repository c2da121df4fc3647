//! Orders, cancels, replacements and their answers, in the orders in which venues tell them.

use super::*;
use crate::base::Liquidity;

#[test]
fn an_order_from_sent_to_filled() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(10, Side::Buy, "100", "1")));
    assert_eq!(rig.steps(10), ["sent"]);
    assert!(rig.last("SendOrder").starts_with(r#"{"AccountId":4,"ClientOrderId":10,"#));
    rig.reply("SendOrder", &accepted(500));
    rig.event("OrderStateEvent", &order(500, 10, "Working", "1", "0"));
    rig.event("OrderTradeEvent", &trade(1, 500, 10, "0.4"));
    rig.event("OrderStateEvent", &order(500, 10, "Working", "1", "0.4"));
    rig.event("OrderTradeEvent", &trade(2, 500, 10, "0.6"));
    rig.event("OrderStateEvent", &order(500, 10, "FullyExecuted", "1", "1"));
    assert_eq!(
        rig.steps(10),
        ["sent", "accepted 500", "working 500", "fill 0.4 @ 100", "fill 0.6 @ 100", "filled 1"]
    );
}

#[test]
fn an_event_before_the_reply_implies_that_it_was_accepted() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(10, Side::Buy, "100", "1")));
    rig.event("OrderStateEvent", &order(500, 10, "Working", "1", "0"));
    rig.reply("SendOrder", &accepted(500));
    assert_eq!(rig.steps(10), ["sent", "working 500"]);
    rig.wait(Span::from_secs(6));
    assert_eq!(rig.count("GetOrderHistory"), 0, "nothing is unknown");
}

#[test]
fn an_end_before_the_reply_stays_the_end() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(10, Side::Buy, "100", "1")));
    rig.event("OrderTradeEvent", &trade(1, 500, 10, "1"));
    rig.event("OrderStateEvent", &order(500, 10, "FullyExecuted", "1", "1"));
    rig.event("OrderStateEvent", &order(500, 10, "Working", "1", "0"));
    rig.reply("SendOrder", &accepted(500));
    assert_eq!(rig.steps(10), ["sent", "accepted 500", "fill 1 @ 100", "filled 1"]);
    assert_eq!(rig.count("CancelOrder"), 0);
}

#[test]
fn rejections_by_reply_by_event_and_by_state() {
    let mut rig = Rig::live();
    for number in 1..=4 {
        rig.command(Command::Place(limit(number, Side::Buy, "100", "1")));
    }
    let no = r#"{"status":"Rejected","errormsg":"Not_Enough_Funds","errorcode":101}"#;
    rig.reply("SendOrder", no);
    rig.reply("SendOrder", &accepted(502));
    let event = r#"{"OMSId":1,"AccountId":4,"ClientOrderId":2,"Status":"Rejected","RejectReason":"No More Market"}"#;
    rig.event("NewOrderRejectEvent", event);
    rig.event("NewOrderRejectEvent", event);
    rig.event("OrderStateEvent", &order(503, 3, "Rejected", "1", "0"));
    rig.reply("SendOrder", &accepted(503));
    let asked = rig.asked.pop().unwrap();
    rig.answer(&asked, 5, "Endpoint Not Found");
    rig.wait(ms(249));
    assert_eq!(
        rig.steps(3),
        ["sent", "accepted 503"],
        "its reason may come in an event of its own"
    );
    rig.wait(ms(1));
    assert_eq!(rig.steps(1), ["sent", "rejected Not_Enough_Funds"]);
    assert_eq!(rig.steps(2), ["sent", "accepted 502", "rejected No More Market"]);
    assert_eq!(rig.steps(3), ["sent", "accepted 503", "rejected NewInputRejected"]);
    assert_eq!(rig.steps(4), ["sent", "rejected Endpoint Not Found"]);
}

#[test]
fn the_reason_of_a_rejection_may_come_after_it() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.reply("SendOrder", &accepted(501));
    rig.event("OrderStateEvent", &order(501, 1, "Rejected", "1", "0"));
    rig.event(
        "NewOrderRejectEvent",
        r#"{"AccountId":4,"ClientOrderId":1,"Status":"Rejected","RejectReason":"Not_Enough_Funds"}"#,
    );
    rig.wait(Span::from_secs(1));
    assert_eq!(rig.steps(1), ["sent", "accepted 501", "rejected Not_Enough_Funds"]);
}

#[test]
fn the_venues_own_ends_and_their_reasons() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.working(2, 502);
    rig.event("OrderTradeEvent", &trade(9, 501, 1, "0.25"));
    let text = order(501, 1, "Canceled", "1", "0.25")
        .replace("UserModified", "SystemCanceled_NoMoreMarket");
    rig.event("OrderStateEvent", &text);
    rig.event("OrderStateEvent", &order(502, 2, "Expired", "1", "0"));
    assert_eq!(rig.steps(1).last().unwrap(), "canceled 0.25 SystemCanceled_NoMoreMarket");
    assert_eq!(rig.steps(2).last().unwrap(), "expired 0");
}

#[test]
fn orders_are_refused_until_the_session_is_live() {
    let mut rig = Rig::new(config());
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.log_in_until_orders();
    rig.command(Command::Place(limit(2, Side::Buy, "100", "1")));
    assert_eq!(
        (rig.steps(1), rig.steps(2)),
        (vec!["rejected VENUE_NOT_READY".into()], vec!["rejected VENUE_NOT_READY".into()])
    );
    assert_eq!(rig.count("SendOrder"), 0);
    rig.reply("GetOpenOrders", "[]");
    let unknown = Place { instrument: InstrumentId(9), ..limit(3, Side::Buy, "100", "1") };
    rig.command(Command::Place(unknown));
    assert_eq!(rig.steps(3), ["rejected INSTRUMENT_NOT_TRADED"]);
}

#[test]
fn the_same_key_is_never_sent_twice() {
    let mut rig = Rig::live();
    for _ in 0..2 {
        rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    }
    assert_eq!((rig.count("SendOrder"), rig.steps(1).len()), (1, 1));
}

#[test]
fn a_full_lane_lets_orders_expire_and_cancels_pass() {
    let mut config = config();
    (config.per_minute, config.reserve) = (8, 2);
    let mut rig = Rig::new(config);
    rig.log_in();
    rig.working(1, 501);
    rig.command(Command::Place(limit(2, Side::Buy, "100", "1")));
    assert_eq!(rig.steps(2), [""; 0], "six of eight are used, the rest is reserve");
    assert_eq!(rig.session.budget_left(rig.now), 0);
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    assert_eq!(rig.last("CancelOrder"), r#"{"OMSId":1,"AccountId":4,"OrderId":501}"#);
    rig.wait(Span::from_millis(5_100));
    assert_eq!(rig.steps(2), ["rejected EXPIRED_IN_QUEUE"]);
    assert_eq!(rig.count("SendOrder"), 1);
}

#[test]
fn cancels_name_the_order_as_well_as_they_can() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    assert_eq!(rig.last("CancelOrder"), r#"{"OMSId":1,"AccountId":4,"ClOrderId":1}"#, "F14");
    rig.reply("SendOrder", &accepted(501));
    rig.reply("CancelOrder", r#"{"status":"Processing","errormsg":""}"#);
    rig.event("OrderStateEvent", &order(501, 1, "Canceled", "1", "0"));
    assert_eq!(rig.steps(1), ["sent", "accepted 501", "canceled 0 UserModified"]);
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    rig.command(Command::Cancel { key: key(99), instrument: BTC });
    assert_eq!(rig.steps(1).last().unwrap(), "refused ORDER_ENDED");
    assert_eq!(rig.steps(99), ["refused ORDER_UNKNOWN"]);
}

#[test]
fn a_cancel_that_comes_too_late_finds_the_fill() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    let no = r#"{"result":false,"errormsg":"Resource Not Found","errorcode":104,"detail":null}"#;
    rig.reply("CancelOrder", no);
    assert_eq!(rig.last("GetOrderStatus"), r#"{"OMSId":1,"AccountId":4,"OrderId":501}"#);
    let event = r#"{"OMSId":1,"AccountId":4,"OrderId":501,"InstrumentId":1,"RejectReason":"Order Not Found"}"#;
    rig.event("CancelOrderRejectEvent", event);
    assert_eq!(rig.count("GetOrderStatus"), 1, "asked already");
    rig.reply("GetOrderStatus", &order(501, 1, "FullyExecuted", "1", "1"));
    assert_eq!(rig.steps(1).last().unwrap(), "working 501", "its fill is still missing");
    rig.event("OrderTradeEvent", &trade(7, 501, 1, "1"));
    assert_eq!(rig.steps(1)[3..], ["fill 1 @ 100", "filled 1"]);
}

#[test]
fn a_cancel_without_effect_is_repeated_and_then_refused() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    for _ in 0..3 {
        rig.reply("CancelOrder", r#"{"status":"Processing","errormsg":""}"#);
        rig.wait(Span::from_millis(5_100));
        rig.reply("GetOrderStatus", &format!("[{}]", order(501, 1, "Working", "1", "0")));
    }
    assert_eq!(rig.count("CancelOrder"), 3);
    assert_eq!(rig.steps(1).last().unwrap(), "refused CANCEL_FAILED");
}

#[test]
fn a_cancel_of_a_waiting_order_keeps_it_from_being_sent() {
    let mut rig = Rig::live();
    rig.text("TOO MANY REQUESTS");
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.command(Command::Place(limit(2, Side::Buy, "100", "1")));
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    rig.command(Command::CancelAll { instrument: Some(BTC) });
    rig.wait(Span::from_secs(11));
    assert_eq!(rig.steps(1), ["canceled 0 CANCELED_BEFORE_SENT"]);
    assert_eq!(rig.steps(2), ["canceled 0 CANCELED_BEFORE_SENT"]);
    assert_eq!((rig.count("SendOrder"), rig.count("CancelOrder")), (0, 0));
}

fn replace(rig: &mut Rig, number: i64, alias: i64) {
    rig.command(Command::Replace {
        key: key(number),
        alias: key(alias),
        instrument: BTC,
        side: Side::Buy,
        price: Some(d("101")),
        qty: d("0.5"),
    });
}

/// The replacement's row: its own numbers, and the first order's as its origin.
fn heir(venue: i64, client: i64, origin: i64, state: &str, executed: &str) -> String {
    order(venue, client, state, "0.5", executed)
        .replace(&format!(r#""OrigOrderId":{venue}"#), &format!(r#""OrigOrderId":{origin}"#))
        .replace(r#""Price":100"#, r#""Price":101"#)
}

#[test]
fn flow_p16_a_replacement_by_its_reply() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    replace(&mut rig, 1, 2);
    assert!(rig.last("CancelReplaceOrder").contains(r#""OrderIdToReplace":501,"ClientOrderId":2"#));
    let reply =
        r#"{"ReplacementOrderId":777,"ReplacementClOrdId":2,"OrigOrderId":501,"OrigClOrdId":1}"#;
    rig.reply("CancelReplaceOrder", reply);
    rig.event("OrderStateEvent", &order(501, 1, "Canceled", "1", "0"));
    rig.event("OrderStateEvent", &heir(777, 2, 501, "Working", "0"));
    rig.event("OrderTradeEvent", &trade(3, 777, 2, "0.5"));
    rig.event("OrderStateEvent", &heir(777, 2, 501, "FullyExecuted", "0.5"));
    assert_eq!(
        rig.steps(1)[2..],
        ["working 501", "replaced 777: 0.5 @ 101", "fill 0.5 @ 100", "filled 0.5"]
    );
}

#[test]
fn flow_f13_a_replacement_by_its_events_in_either_order() {
    for swapped in [false, true] {
        let mut rig = Rig::live();
        rig.working(1, 501);
        replace(&mut rig, 1, 2);
        let mut news = [order(501, 1, "Canceled", "1", "0"), heir(777, 2, 501, "Working", "0")];
        if swapped {
            news.reverse();
        }
        rig.event("OrderStateEvent", &news[0]);
        rig.reply("CancelReplaceOrder", r#"{"status":"Processing","errormsg":""}"#);
        rig.event("OrderStateEvent", &news[1]);
        assert_eq!(rig.steps(1)[3..], ["replaced 777: 0.5 @ 101"], "swapped: {swapped}");
        rig.wait(Span::from_secs(6));
        assert_eq!(rig.count("GetOrderHistory"), 0);
        rig.command(Command::Cancel { key: key(1), instrument: BTC });
        assert_eq!(rig.last("CancelOrder"), r#"{"OMSId":1,"AccountId":4,"OrderId":777}"#);
        rig.event("OrderStateEvent", &heir(777, 2, 501, "Canceled", "0"));
        assert_eq!(rig.steps(1).last().unwrap(), "canceled 0 UserModified");
    }
}

/// Each replacement goes by its own key: what is late for one says nothing of the next.
#[test]
fn a_late_answer_to_one_replacement_is_not_taken_for_the_next_one_s() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    replace(&mut rig, 1, 2);
    rig.event("OrderStateEvent", &heir(777, 2, 501, "Working", "0"));
    rig.event("OrderStateEvent", &order(501, 1, "Canceled", "1", "0"));
    let first = rig.asked.iter().rfind(|asked| asked.name == "CancelReplaceOrder").unwrap().clone();
    rig.wait(Span::from_secs(4));
    replace(&mut rig, 1, 3);
    assert_eq!(rig.count("CancelReplaceOrder"), 2);
    // The time for the first one's answer is up; the second has time left.
    rig.wait(Span::from_secs(2));
    assert_eq!(rig.count("GetOrderHistory"), 0, "nothing is in doubt");
    rig.answer(&first, 1, r#"{"status":"Rejected","errormsg":"Too late","errorcode":101}"#);
    rig.answer(&first, 1, r#"{"ReplacementOrderId":777,"ReplacementClOrdId":2}"#);
    assert_eq!(rig.steps(1)[3..], ["replaced 777: 0.5 @ 101"]);
    rig.event("OrderStateEvent", &heir(888, 3, 501, "Working", "0"));
    assert_eq!(rig.steps(1)[4..], ["replaced 888: 0.5 @ 101"]);
}

#[test]
fn a_replacement_known_by_its_origin_alone() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    replace(&mut rig, 1, 2);
    rig.reply("CancelReplaceOrder", r#"{"status":"Processing","errormsg":""}"#);
    rig.event("OrderStateEvent", &heir(777, 0, 501, "Working", "0"));
    assert_eq!(rig.steps(1)[3..], ["replaced 777: 0.5 @ 101"]);
}

#[test]
fn refused_replacements_leave_the_order() {
    let refusals = [
        r#"{"status":"Rejected","errormsg":"Invalid_Price","errorcode":101}"#,
        r#"{"result":false,"errormsg":"Invalid_Price","errorcode":100,"detail":null}"#,
    ];
    for no in refusals {
        let mut rig = Rig::live();
        rig.working(1, 501);
        replace(&mut rig, 1, 2);
        rig.reply("CancelReplaceOrder", no);
        assert_eq!(rig.steps(1)[3..], ["refused Invalid_Price"]);
        rig.reply("GetOrderStatus", &order(501, 1, "Working", "1", "0"));
        replace(&mut rig, 1, 3);
        assert_eq!(rig.count("CancelReplaceOrder"), 2, "it can be tried again");
    }
    let mut rig = Rig::live();
    rig.working(1, 501);
    replace(&mut rig, 1, 2);
    rig.reply("CancelReplaceOrder", r#"{"status":"Processing","errormsg":""}"#);
    let event = r#"{"AccountId":4,"OrderId":0,"ClientOrderId":2,"OrderIdToReplace":501,"InstrumentId":1,"RejectReason":"Too late"}"#;
    rig.event("CancelReplaceOrderRejectEvent", event);
    rig.reply("GetOrderStatus", &order(501, 1, "FullyExecuted", "1", "1"));
    rig.event("OrderTradeEvent", &trade(7, 501, 1, "1"));
    assert_eq!(rig.steps(1)[3..], ["refused Too late", "fill 1 @ 100", "filled 1"]);
}

#[test]
fn replacements_that_cannot_be_asked() {
    let mut rig = Rig::live();
    replace(&mut rig, 9, 10);
    assert_eq!(rig.steps(9), ["refused ORDER_UNKNOWN"]);
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    replace(&mut rig, 1, 2);
    assert_eq!(rig.steps(1)[1..], ["refused ORDER_NOT_CONFIRMED"]);
    rig.reply("SendOrder", &accepted(501));
    replace(&mut rig, 1, 1);
    replace(&mut rig, 1, 3);
    replace(&mut rig, 1, 4);
    assert_eq!(rig.steps(1)[3..], ["refused ALIAS_USED", "refused REPLACE_PENDING"]);
    rig.lose();
    replace(&mut rig, 1, 5);
    assert_eq!(rig.steps(1)[5..], ["lost", "refused VENUE_NOT_READY"]);
}

#[test]
fn flow_t12_cancel_all_names_every_instrument_and_is_verified() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.working(2, 502);
    rig.command(Command::CancelAll { instrument: None });
    let bodies: Vec<&str> = rig
        .log
        .iter()
        .filter(|asked| asked.name == "CancelAllOrders")
        .map(|asked| asked.body.as_str())
        .collect();
    assert_eq!(
        bodies,
        [
            r#"{"AccountId":4,"OMSId":1,"InstrumentId":1}"#,
            r#"{"AccountId":4,"OMSId":1,"InstrumentId":2}"#
        ]
    );
    rig.reply("CancelAllOrders", r#"{"status":"Processing","errormsg":""}"#);
    rig.event("OrderStateEvent", &order(501, 1, "Canceled", "1", "0"));
    rig.wait(Span::from_millis(1_100));
    rig.reply("GetOpenOrders", &format!("[{}]", order(502, 2, "Working", "1", "0")));
    assert_eq!(rig.last("CancelOrder"), r#"{"OMSId":1,"AccountId":4,"OrderId":502}"#);
    rig.event("OrderStateEvent", &order(502, 2, "Canceled", "1", "0"));
    assert_eq!(rig.steps(2).last().unwrap(), "canceled 0 UserModified");
}

#[test]
fn a_cancel_all_leaves_the_orders_that_came_after_it() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.command(Command::CancelAll { instrument: Some(BTC) });
    rig.working(2, 502);
    rig.event("OrderStateEvent", &order(501, 1, "Canceled", "1", "0"));
    rig.wait(Span::from_millis(1_100));
    rig.reply("GetOpenOrders", &format!("[{}]", order(502, 2, "Working", "1", "0")));
    assert_eq!(rig.count("CancelOrder"), 0);
    rig.command(Command::CancelAll { instrument: Some(BTC) });
    rig.working(3, 503);
    rig.come_back();
    let rows = [order(502, 2, "Working", "1", "0"), order(503, 3, "Working", "1", "0")];
    rig.reply("GetOpenOrders", &format!("[{}]", rows.join(",")));
    let cancel = r#"{"OMSId":1,"AccountId":4,"OrderId":502}"#;
    assert_eq!((rig.last("CancelOrder"), rig.count("CancelOrder")), (cancel, 1));
    assert_eq!(rig.count("CancelAllOrders"), 2, "not again: it would hit the third order");
}

#[test]
fn fees_are_the_venues_or_estimated_by_a_stated_rule() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.event("OrderTradeEvent", &trade(1, 501, 1, "0.1"));
    let at_once = trade(2, 501, 1, "0.1").replace("1790000000500", "1790000000001");
    rig.event("OrderTradeEvent", &at_once);
    let told = trade(3, 501, 1, "0.1").replace(
        r#""Direction""#,
        r#""Fee":0.00005,"FeeProductId":1,"MakerTaker":"Taker","Direction""#,
    );
    rig.event("OrderTradeEvent", &told);
    let fees: Vec<_> = rig
        .fills()
        .into_iter()
        .map(|fill| (fill.liquidity, fill.fee, fill.fee_asset.as_str(), fill.fee_estimated))
        .collect();
    assert_eq!(
        fees,
        [
            (Liquidity::Maker, d("0.01"), "BRL", true),
            (Liquidity::Taker, d("0.02"), "BRL", true),
            (Liquidity::Taker, d("0.00005"), "BTC", false),
        ]
    );
}

#[test]
fn another_accounts_news_is_not_ours() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    let other = |text: String| text.replace(r#""Account":4"#, r#""Account":5"#);
    rig.event("OrderStateEvent", &other(order(501, 1, "Canceled", "1", "0")));
    rig.event(
        "OrderTradeEvent",
        &trade(1, 501, 1, "1").replace(r#""AccountId":4"#, r#""AccountId":5"#),
    );
    assert_eq!(rig.steps(1), ["sent", "accepted 501", "working 501"]);
}
