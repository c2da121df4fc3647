//! Making a working order smaller: with a fresh revision, answered by news, in both dialects.

use super::*;

fn reduce(number: i64, qty: &str) -> Command {
    Command::Reduce { key: key(number), instrument: BTC, qty: d(qty) }
}

/// An order row of the native dialect, with its revision.
fn native(venue: i64, client: i64, qty: &str, executed: &str, revision: i64) -> String {
    let row = order(venue, client, "Working", qty, executed);
    let more = format!(r#","OrderRevision":{revision}}}"#);
    row.strip_suffix('}').unwrap().to_owned() + &more
}

const RECEIPT: &str = r#"{"result":true,"errormsg":null,"errorcode":0,"detail":null}"#;

#[test]
fn flow_c22_the_page_has_no_revision_and_gets_zero() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.tied(7, "ModifyOrder", reduce(1, "0.6"));
    assert_eq!(rig.count("ModifyOrder"), 0, "asks for the revision first");
    rig.reply("GetOrderStatus", &order(501, 1, "Working", "1", "0"));
    assert_eq!(
        rig.last("ModifyOrder"),
        r#"{"OMSId":1,"OrderId":501,"InstrumentId":1,"PreviousOrderRevision":0,"Quantity":0.6}"#
    );
    rig.reply("ModifyOrder", "{}");
    assert!(rig.ended(7).unwrap().is_ok());
    rig.event("OrderStateEvent", &order(501, 1, "Working", "0.6", "0"));
    assert_eq!(rig.steps(1).last().unwrap(), "replaced 501: 0.6 @ 100");
    rig.event("OrderTradeEvent", &trade(9, 501, 1, "0.6"));
    rig.event("OrderStateEvent", &order(501, 1, "FullyExecuted", "0.6", "0.6"));
    assert_eq!(rig.steps(1).last().unwrap(), "filled 0.6");
}

#[test]
fn natively_the_revision_of_the_last_news_goes_with_it() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.event("OrderStateEvent", &native(501, 1, "1", "0.25", 3));
    rig.event("OrderTradeEvent", &trade(9, 501, 1, "0.25"));
    rig.event("OrderStateEvent", &native(501, 1, "1", "0", 2));
    rig.tied(7, "ModifyOrder", reduce(1, "0.5"));
    assert_eq!(
        rig.last("ModifyOrder"),
        r#"{"OMSId":1,"OrderId":501,"InstrumentId":1,"PreviousOrderRevision":3,"Quantity":0.75}"#,
        "what traded and what is to be open"
    );
    rig.event("OrderStateEvent", &native(501, 1, "0.75", "0.25", 4));
    assert_eq!(rig.steps(1).last().unwrap(), "replaced 501: 0.50 @ 100");
    rig.reply("ModifyOrder", RECEIPT);
    assert!(rig.ended(7).unwrap().is_ok());
    rig.event("OrderStateEvent", &native(501, 1, "1", "0", 2));
    assert_eq!(rig.steps(1).last().unwrap(), "replaced 501: 0.50 @ 100", "old news");
    rig.wait(Span::from_secs(6));
    assert_eq!((rig.count("ModifyOrder"), rig.count("GetOrderStatus")), (1, 0));
}

#[test]
fn a_stale_revision_is_tried_once_more_with_a_fresh_one() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.event("OrderStateEvent", &native(501, 1, "1", "0", 2));
    rig.command(reduce(1, "0.5"));
    let stale =
        r#"{"result":false,"errormsg":"PreviousOrderRevision is out of date","errorcode":101}"#;
    rig.reply("ModifyOrder", stale);
    rig.reply("GetOrderStatus", &native(501, 1, "1", "0", 5));
    assert!(rig.last("ModifyOrder").contains(r#""PreviousOrderRevision":5,"#));
    rig.reply("ModifyOrder", stale);
    rig.reply("GetOrderStatus", &native(501, 1, "1", "0", 6));
    assert_eq!(rig.count("ModifyOrder"), 2);
    assert_eq!(rig.steps(1).last().unwrap(), "refused PreviousOrderRevision is out of date");
    rig.command(reduce(1, "0.5"));
    assert_eq!(rig.count("ModifyOrder"), 3, "another one may be asked for");
}

#[test]
fn a_plain_no_is_not_repeated() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.event("OrderStateEvent", &native(501, 1, "1", "0", 2));
    rig.tied(7, "ModifyOrder", reduce(1, "0.5"));
    rig.reply("ModifyOrder", r#"{"result":false,"errormsg":"Operation Failed","errorcode":101}"#);
    assert_eq!(rig.why(7), ("rejected", Some(101), "refused"));
    rig.reply("GetOrderStatus", &native(501, 1, "1", "0", 2));
    assert_eq!((rig.count("ModifyOrder"), rig.steps(1).len()), (1, 4));
    assert_eq!(rig.steps(1).last().unwrap(), "refused Operation Failed");
}

#[test]
fn without_an_answer_the_orders_state_decides() {
    for (state, last, sent) in [
        (native(501, 1, "0.5", "0", 3), "replaced 501: 0.5 @ 100", 1),
        (native(501, 1, "1", "0", 2), "working 501", 2),
        (order(501, 1, "Canceled", "1", "0"), "canceled 0 UserModified", 1),
    ] {
        let mut rig = Rig::live();
        rig.working(1, 501);
        rig.event("OrderStateEvent", &native(501, 1, "1", "0", 2));
        rig.tied(7, "ModifyOrder", reduce(1, "0.5"));
        rig.wait(ms(5_001));
        assert_eq!(rig.why(7), ("timeout", None, "unknown"));
        rig.reply("GetOrderStatus", &state);
        assert_eq!((rig.steps(1).last().unwrap().as_str(), rig.count("ModifyOrder")), (last, sent));
    }
}

#[test]
fn a_receipt_without_effect_is_repeated_and_then_refused() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.command(reduce(1, "0.5"));
    for _ in 0..3 {
        rig.reply_all("GetOrderStatus", &order(501, 1, "Working", "1", "0"));
        rig.reply_all("ModifyOrder", "{}");
        rig.wait(ms(5_100));
    }
    rig.reply_all("GetOrderStatus", &order(501, 1, "Working", "1", "0"));
    assert_eq!(rig.count("ModifyOrder"), 2);
    assert_eq!(rig.steps(1).last().unwrap(), "refused REDUCE_FAILED");
}

#[test]
fn a_lost_line_is_made_up_for_after_the_login() {
    let mut rig = Rig::live();
    rig.working(1, 501);
    rig.event("OrderStateEvent", &native(501, 1, "1", "0", 2));
    rig.command(reduce(1, "0.5"));
    rig.come_back();
    rig.reply("GetOpenOrders", &format!("[{}]", native(501, 1, "0.5", "0", 3)));
    assert_eq!(rig.steps(1).last().unwrap(), "replaced 501: 0.5 @ 100", "it had worked");
    rig.command(reduce(1, "0.25"));
    rig.come_back();
    rig.reply("GetOpenOrders", &format!("[{}]", native(501, 1, "0.5", "0", 3)));
    rig.reply("GetOrderStatus", &native(501, 1, "0.5", "0", 3));
    assert_eq!(rig.count("ModifyOrder"), 3, "it had not");
}

#[test]
fn what_cannot_be_reduced_is_refused() {
    let mut rig = Rig::live();
    rig.tied(7, "ModifyOrder", reduce(99, "0.5"));
    assert_eq!(
        (rig.why(7), rig.bad(7).message.as_str()),
        (("rejected", None, "refused"), "ORDER_UNKNOWN")
    );
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    let check = |rig: &mut Rig, qty: &str, reason: &str| {
        rig.command(reduce(1, qty));
        assert_eq!(rig.steps(1).last().unwrap(), &format!("refused {reason}"));
    };
    check(&mut rig, "0.5", "ORDER_NOT_CONFIRMED");
    rig.reply("SendOrder", &accepted(501));
    check(&mut rig, "1", "NOT_SMALLER");
    check(&mut rig, "2", "NOT_SMALLER");
    check(&mut rig, "0", "NOT_SMALLER");
    rig.command(reduce(1, "0.5"));
    check(&mut rig, "0.4", "CHANGE_PENDING");
    rig.command(Command::Cancel { key: key(1), instrument: BTC });
    rig.event("OrderStateEvent", &order(501, 1, "Canceled", "1", "0"));
    check(&mut rig, "0.5", "ORDER_ENDED");
    assert_eq!(rig.count("ModifyOrder"), 0);
}
