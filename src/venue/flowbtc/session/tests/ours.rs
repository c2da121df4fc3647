//! Raw calls about what is ours: orders on another account are never sent, and the user is changed
//! as a whole.

use super::calls::ask;
use super::*;
use crate::base::{Call, CallId, Plain};

fn account(number: i64) -> (&'static str, Plain) {
    ("AccountId", Plain::Int(number))
}

#[test]
fn an_order_for_another_account_is_never_sent() {
    let replace = Command::Replace {
        key: key(1),
        alias: key(2),
        instrument: BTC,
        side: Side::Buy,
        price: Some(d("101")),
        qty: d("1"),
    };
    let reduce = Command::Reduce { key: key(1), instrument: BTC, qty: d("0.5") };
    let check = |name: &str, args: &[(&'static str, Plain)], command: Command, step: &str| {
        let mut rig = Rig::live();
        if !matches!(command, Command::Place(_)) {
            rig.working(1, 500);
        }
        let (before, number) = (rig.log.len(), 1);
        let call = |id, args: &[(&'static str, Plain)]| Call {
            id: CallId(id),
            ask: ask(name, args),
            order: Some(Box::new(command.clone())),
        };
        rig.command(Command::Call(call(1, args)));
        assert_eq!(rig.why(1), ("arguments", None, "refused"), "{name}");
        assert_eq!(rig.log.len(), before, "{name} was sent");
        let steps = rig.steps(number);
        assert!(steps.last().is_some_and(|last| last.starts_with(step)), "{name}: {steps:?}");
        rig.wait(ms(60_000));
        assert_eq!(rig.count(name), 0, "{name} was sent later");
    };
    let place = Command::Place(limit(1, Side::Buy, "100", "1"));
    let cancel = Command::Cancel { key: key(1), instrument: BTC };
    let all = Command::CancelAll { instrument: Some(BTC) };
    check("SendOrder", &[account(5)], place, "rejected");
    check("CancelReplaceOrder", &[account(5)], replace, "refused");
    check("CancelOrder", &[account(5)], cancel, "refused");
    check("CancelAllOrders", &[account(5)], all.clone(), "refused");
    check("CancelAllOrders", &[account(4), ("UserId", Plain::Int(9))], all, "refused");
    // The numbers of an order do not say an account.
    let mut rig = Rig::live();
    rig.working(1, 500);
    rig.tied(1, "ModifyOrder", reduce);
    assert!(rig.ended(1).is_none(), "it goes its way");
}

#[test]
fn our_own_account_may_be_written_out() {
    let mut rig = Rig::live();
    let call = Call {
        id: CallId(1),
        ask: ask("SendOrder", &[account(4)]),
        order: Some(Box::new(Command::Place(limit(1, Side::Buy, "100", "1")))),
    };
    rig.command(Command::Call(call));
    assert_eq!(rig.count("SendOrder"), 1);
    let order = ("OrderId", Plain::Int(500));
    rig.raw(2, "CancelOrder", &[account(4), order.clone()]);
    assert_eq!(rig.count("CancelOrder"), 1);
    rig.raw(3, "CancelOrder", &[account(5), order]);
    assert_eq!((rig.why(3).0, rig.count("CancelOrder")), ("arguments", 1));
    rig.raw(4, "GetOpenOrders", &[account(5)]);
    assert_eq!(rig.last("GetOpenOrders"), r#"{"OMSId":1,"AccountId":5}"#, "reading is free");
}

/// FLOW-G15, with a field that no page lists.
const USER: &str = r#"{"UserId":58,"UserName":"testusername","Email":"abc@ap.com","PasswordHash":"canary","PendingEmailCode":"","EmailVerified":true,"AccountId":4,"DateTimeCreated":"2016-04-21T21:48:22Z","AffiliateId":0,"RefererId":0,"OMSId":1,"Use2FA":false,"PendingCodeTime":"2016-07-20T19:28:44Z","Locked":false}"#;

fn change() -> [(&'static str, Plain); 3] {
    [("UserId", Plain::Int(58)), ("Use2FA", Plain::Bool(true)), ("AffiliateId", Plain::Int(7))]
}

#[test]
fn the_user_is_read_first_and_sent_whole() {
    let wrapped = format!(r#"{{"status":"success","data":{USER},"message":null}}"#);
    let native = format!("[{USER}]");
    let lower = USER.replace("Use2FA", "use2fa");
    for body in [USER, &wrapped, &native, &lower] {
        let mut rig = Rig::live();
        rig.raw(1, "SetUserInfo", &change());
        assert_eq!((rig.open(), rig.count("SetUserInfo")), (vec!["GetUserInfo"], 0));
        rig.reply("GetUserInfo", body);
        let named = |text: &str| text.replace(r#""Use2FA":false"#, r#""Use2FA":true"#);
        let whole = named(USER).replace(r#""AffiliateId":0"#, r#""AffiliateId":7"#);
        let sent = rig.last("SetUserInfo").replace("use2fa", "Use2FA");
        assert_eq!(sent, whole);
        rig.reply("SetUserInfo", &whole);
        assert_eq!(rig.good(1).get("AffiliateId"), Some(&Plain::Int(7)));
        let told = format!("{:?} {:?}", rig.good(1), rig.notes);
        assert!(!told.contains("canary") && !told.contains("abc@ap.com"), "{told}");
    }
}

#[test]
fn a_user_that_cannot_be_read_is_not_changed() {
    let generic = r#"{"result":false,"errormsg":"Not Authorized","errorcode":20,"detail":null}"#;
    for body in [generic, "[]", "[1]", r#"{"UserId":59}"#, "{}", "<html>"] {
        let mut rig = Rig::live();
        rig.raw(1, "SetUserInfo", &change());
        rig.reply("GetUserInfo", body);
        assert_eq!(rig.bad(1).fate.word(), "refused", "{body}");
        assert_eq!(rig.count("SetUserInfo"), 0, "{body}");
    }
}

#[test]
fn reading_the_user_is_repeated_and_changing_it_is_not() {
    let mut rig = Rig::live();
    rig.raw(1, "SetUserInfo", &change());
    rig.wait(ms(5_100));
    assert_eq!((rig.count("GetUserInfo"), rig.count("SetUserInfo")), (2, 0));
    rig.reply_all("GetUserInfo", USER);
    rig.lose();
    assert_eq!(rig.why(1), ("timeout", None, "unknown"));
    rig.come_back();
    assert_eq!(rig.count("SetUserInfo"), 1);
    let mut rig = Rig::live();
    rig.raw(1, "SetUserInfo", &change());
    rig.wait(ms(10_200));
    assert_eq!(rig.why(1).2, "refused", "nothing was changed");
}
