//! Calls that do something to an order: the command as ever, and the reply to its request.

use super::*;
use crate::base::Plain;

const RECEIPT: &str = r#"{"result":true,"errormsg":null,"errorcode":0,"detail":null}"#;

#[test]
fn an_order_call_is_answered_by_the_reply_to_its_order() {
    let mut rig = Rig::live();
    rig.tied(1, "SendOrder", Command::Place(limit(10, Side::Buy, "100", "1")));
    assert!(rig.ended(1).is_none());
    rig.reply("SendOrder", &accepted(500));
    assert_eq!(rig.good(1).get("status"), Some(&Plain::text("Accepted")));
    assert_eq!(rig.steps(10), ["sent", "accepted 500"]);
    let at = |wanted: fn(&Event) -> bool| rig.events.iter().position(wanted);
    let reply = at(|event| matches!(event, Event::Reply(_))).unwrap();
    let last = rig.events.iter().rposition(|event| matches!(event, Event::Order(_))).unwrap();
    assert!(last < reply, "the order's own news come first");

    rig.tied(2, "SendOrder", Command::Place(limit(11, Side::Buy, "100", "1")));
    let no = r#"{"status":"Rejected","errormsg":"Not_Enough_Funds","errorcode":101}"#;
    rig.reply("SendOrder", no);
    assert_eq!(rig.why(2), ("rejected", Some(101), "refused"));
    assert_eq!(rig.bad(2).message, "Not_Enough_Funds");

    rig.event("OrderStateEvent", &order(500, 10, "Working", "1", "0"));
    for (id, body) in [(3, r#"{"status":"Processing","errormsg":""}"#), (4, RECEIPT)] {
        rig.tied(id, "CancelOrder", Command::Cancel { key: key(10), instrument: BTC });
        rig.reply("CancelOrder", body);
        assert!(rig.ended(id).unwrap().is_ok());
    }
    assert_eq!(rig.good(3).get("status"), Some(&Plain::text("Processing")));
}

#[test]
fn an_order_call_without_an_answer_is_unknown() {
    let mut rig = Rig::live();
    rig.tied(1, "SendOrder", Command::Place(limit(10, Side::Buy, "100", "1")));
    rig.wait(ms(5_001));
    assert_eq!(rig.why(1), ("timeout", None, "unknown"));
    assert_eq!(rig.steps(10), ["sent", "lost"], "the order's fate is searched for");
    rig.tied(2, "SendOrder", Command::Place(limit(11, Side::Buy, "100", "1")));
    rig.lose();
    assert_eq!(rig.why(2), ("timeout", None, "unknown"));
}

#[test]
fn an_order_call_that_never_leaves_is_refused() {
    let mut rig = Rig::new(config());
    rig.tied(1, "SendOrder", Command::Place(limit(10, Side::Buy, "100", "1")));
    assert_eq!(rig.why(1), ("unavailable", None, "refused"));
    rig.log_in();
    rig.tied(2, "CancelOrder", Command::Cancel { key: key(99), instrument: BTC });
    assert_eq!(rig.why(2), ("rejected", None, "refused"));
    rig.text("TOO MANY REQUESTS");
    rig.tied(3, "SendOrder", Command::Place(limit(11, Side::Buy, "100", "1")));
    rig.tied(4, "SendOrder", Command::Place(limit(12, Side::Buy, "100", "1")));
    rig.tied(5, "CancelOrder", Command::Cancel { key: key(11), instrument: BTC });
    assert_eq!(rig.why(3), ("expired_in_queue", None, "refused"));
    assert!(rig.ended(5).unwrap().is_ok(), "taken back before it was sent");
    rig.wait(ms(5_100));
    assert_eq!(rig.why(4), ("expired_in_queue", None, "refused"));
    assert_eq!(rig.count("SendOrder"), 0);
}

#[test]
fn a_cancel_call_outlives_a_reconnect() {
    let mut rig = Rig::live();
    rig.working(10, 500);
    rig.tied(1, "CancelOrder", Command::Cancel { key: key(10), instrument: BTC });
    rig.come_back();
    rig.reply("GetOpenOrders", &format!("[{}]", order(500, 10, "Working", "1", "0")));
    assert!(rig.ended(1).is_none());
    rig.reply("CancelOrder", RECEIPT);
    assert!(rig.ended(1).unwrap().is_ok());
}

/// (the call and its command, what is sent for it once the line is back)
#[test]
fn a_cancel_that_is_kept_for_later_is_not_refused() {
    let one = Command::Cancel { key: key(10), instrument: BTC };
    let all = Command::CancelAll { instrument: Some(BTC) };
    for (name, command) in [("CancelOrder", one), ("CancelAllOrders", all)] {
        let mut rig = Rig::live();
        rig.working(10, 500);
        rig.lose();
        rig.tied(1, name, command);
        rig.wait(ms(40_000));
        assert_eq!(rig.why(1), ("timeout", None, "unknown"), "{name}");
        rig.log_in_until_orders();
        rig.reply("GetOpenOrders", &format!("[{}]", order(500, 10, "Working", "1", "0")));
        assert!(rig.count("CancelOrder") + rig.count("CancelAllOrders") > 0, "{name}");
    }
}

#[test]
fn cancel_all_and_replace_are_answered_in_both_dialects() {
    for receipt in [r#"{"status":"Processing","errormsg":""}"#, RECEIPT] {
        let mut rig = Rig::live();
        rig.working(10, 500);
        rig.tied(1, "CancelAllOrders", Command::CancelAll { instrument: Some(BTC) });
        rig.reply("CancelAllOrders", receipt);
        assert!(rig.ended(1).unwrap().is_ok());
        rig.tied(2, "CancelAllOrders", Command::CancelAll { instrument: None });
        rig.reply("CancelAllOrders", receipt);
        assert!(rig.ended(2).is_none(), "one of two instruments");
        rig.reply("CancelAllOrders", receipt);
        assert!(rig.ended(2).unwrap().is_ok());
    }
    let native =
        r#"{"ReplacementOrderId":501,"ReplacementClOrdId":11,"OrigOrderId":500,"OrigClOrdId":10}"#;
    for reply in [r#"{"status":"Processing","errormsg":""}"#, native] {
        let mut rig = Rig::live();
        rig.working(10, 500);
        rig.tied(
            1,
            "CancelReplaceOrder",
            Command::Replace {
                key: key(10),
                alias: key(11),
                instrument: BTC,
                side: Side::Buy,
                price: Some(d("99")),
                qty: d("1"),
            },
        );
        rig.reply("CancelReplaceOrder", reply);
        assert!(rig.ended(1).unwrap().is_ok());
    }
}
