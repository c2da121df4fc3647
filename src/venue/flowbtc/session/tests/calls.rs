//! Raw calls: what is sent, what is answered, and that each ends exactly once, whatever happens.

use super::*;
use crate::base::{Call, CallAsk, CallFailure, CallId, CallOutcome, Channel, FeedState, Plain};
use crate::calls::flowbtc as table;

pub(super) fn ask(name: &str, args: &[(&'static str, Plain)]) -> CallAsk {
    let name = table::find(name).unwrap().name;
    CallAsk { venue: VenueName::new("flowbtc"), name, args: args.to_vec() }
}

impl Rig {
    pub fn raw(&mut self, id: u64, name: &str, args: &[(&'static str, Plain)]) {
        let call = Call { id: CallId(id), ask: ask(name, args), order: None };
        self.command(Command::Call(call));
    }

    /// A call that carries an order's command.
    pub fn tied(&mut self, id: u64, name: &str, command: Command) {
        let call = Call { id: CallId(id), ask: ask(name, &[]), order: Some(Box::new(command)) };
        self.command(Command::Call(call));
    }

    /// How a call ended; at most once.
    pub fn ended(&self, id: u64) -> Option<&CallOutcome> {
        let mut ends = self.events.iter().filter_map(|event| match event {
            Event::Reply(reply) if reply.id == CallId(id) => Some(&reply.outcome),
            _ => None,
        });
        let end = ends.next();
        assert!(ends.next().is_none(), "call {id} ended twice");
        end
    }

    pub fn good(&self, id: u64) -> &Plain {
        match self.ended(id) {
            Some(Ok(reply)) => reply,
            other => panic!("call {id}: {other:?}; notes {:?}", self.notes),
        }
    }

    pub fn bad(&self, id: u64) -> &CallFailure {
        match self.ended(id) {
            Some(Err(failure)) => failure,
            other => panic!("call {id}: {other:?}"),
        }
    }

    /// Kind, code and fate of a failure.
    pub fn why(&self, id: u64) -> (&'static str, Option<i64>, &'static str) {
        let failure = self.bad(id);
        (failure.kind.word(), failure.code, failure.fate.word())
    }
}

fn btc() -> (&'static str, Plain) {
    ("InstrumentId", Plain::Int(1))
}

fn ticket() -> Vec<(&'static str, Plain)> {
    vec![
        ("ProductId", Plain::Int(1)),
        ("Amount", Plain::Decimal(d("0.01"))),
        ("TemplateType", Plain::text("ToExternalBitcoinAddress")),
        ("TemplateForm", Plain::text(r#"{"Comment":""}"#)),
    ]
}

const RECEIPT: &str = r#"{"result":true,"errormsg":null,"errorcode":0,"detail":null}"#;

/// FLOW-R10: code 20 for somebody else's account says nothing of our login; for our own it ends it.
#[test]
fn a_no_to_somebody_elses_account_leaves_the_session_alone() {
    let no = r#"{"result":false,"errormsg":"Not Authorized","errorcode":20,"detail":null}"#;
    for (account, lives) in [(7, true), (4, false)] {
        let mut rig = Rig::live();
        rig.raw(1, "GetAccountInfo", &[("AccountId", Plain::Int(account))]);
        rig.reply("GetAccountInfo", no);
        assert_eq!(rig.why(1), ("rejected", Some(20), "refused"));
        assert_eq!(rig.session.is_live(), lives, "account {account}");
    }
}

#[test]
fn what_is_left_to_the_host_is_filled_in() {
    let order = [("OrderId", Plain::Int(9_222_816_249_026_513_001))];
    let check = |name: &str, args: &[(&'static str, Plain)], expected: &str| {
        let mut rig = Rig::live();
        rig.raw(1, name, args);
        assert_eq!(rig.last(name), expected);
    };
    check("GetOpenOrders", &[], r#"{"OMSId":1,"AccountId":4}"#);
    check("GetOpenOrders", &[("AccountId", Plain::Int(7))], r#"{"OMSId":1,"AccountId":7}"#);
    check("GetOrderStatus", &order, r#"{"OMSId":1,"AccountId":4,"OrderId":9222816249026513001}"#);
    check("GetUserInfo", &[], "{}");
    check("GetUserAccounts", &[], r#"{"OMSId":1,"UserId":1,"UserName":"user"}"#);
    check("CancelAllOrders", &[btc()], r#"{"AccountId":4,"OMSId":1,"InstrumentId":1}"#);
    check("CancelOrder", &order, r#"{"OMSId":1,"AccountId":4,"OrderId":9222816249026513001}"#);
    check(
        "CreateWithdrawTicket",
        &ticket(),
        r#"{"OMSId":1,"AccountId":4,"ProductId":1,"Amount":0.01,"TemplateType":"ToExternalBitcoinAddress","TemplateForm":"{\"Comment\":\"\"}"}"#,
    );
}

#[test]
fn replies_are_unwrapped_and_shaped() {
    let check = |name: &str, args: &[(&'static str, Plain)], body: &str, key: &str, value| {
        let mut rig = Rig::live();
        rig.raw(1, name, args);
        rig.reply(name, body);
        assert_eq!(rig.good(1).get(key), Some(&value), "{name} {body}");
    };
    let bid = Plain::Decimal(d("24280.08"));
    let wrapped = r#"{"status":"success","data":{"BestBid":24280.08},"message":null}"#;
    check("GetLevel1", &[btc()], r#"{"BestBid":24280.08}"#, "BestBid", bid.clone());
    check("GetLevel1", &[btc()], wrapped, "BestBid", bid.clone());
    check("GetLevel1", &[btc()], r#"[{"BestBid":24280.08}]"#, "BestBid", bid);
    let order = [("OrderId", Plain::Int(500))];
    let price = Plain::Int(100);
    let row = super::order(500, 1, "Working", "1", "0");
    check("GetOrderStatus", &order, &row, "Price", price.clone());
    check("GetOrderStatus", &order, &format!("[{row}]"), "Price", price);
    let mut rig = Rig::live();
    rig.raw(1, "GetOpenOrders", &[]);
    rig.reply("GetOpenOrders", &row);
    assert!(matches!(rig.good(1), Plain::List(rows) if rows.len() == 1), "one is an array of one");
}

#[test]
fn refusals_have_their_kind_code_and_fate() {
    let check = |name: &str, args: &[(&'static str, Plain)], m: u8, body: &str, expected| {
        let mut rig = Rig::live();
        rig.raw(1, name, args);
        let at = rig.asked.iter().position(|asked| asked.name == name).unwrap();
        let asked = rig.asked.remove(at);
        rig.answer(&asked, m, body);
        assert_eq!(rig.why(1), expected, "{name} {body}");
    };
    let generic =
        r#"{"result":false,"errormsg":"Resource Not Found","errorcode":104,"detail":null}"#;
    let order = [("OrderId", Plain::Int(500))];
    check("GetOrderStatus", &order, 1, generic, ("rejected", Some(104), "refused"));
    check("GetOrderStatus", &order, 5, "Endpoint Not Found", ("rejected", None, "refused"));
    check("GetOrderStatus", &order, 5, generic, ("rejected", Some(104), "refused"));
    check("GetOrderStatus", &order, 1, "[]", ("rejected", Some(104), "refused"));
    let html = "<html><h1>503</h1></html>";
    check("GetOrderStatus", &order, 1, html, ("unavailable", None, "refused"));
    check("GetOrderStatus", &order, 1, "TOO MANY REQUESTS", ("rate_limited", None, "refused"));
    check("CreateWithdrawTicket", &ticket(), 1, html, ("unavailable", None, "unknown"));
    let failed = r#"{"result":false,"errormsg":"Server Error","errorcode":102}"#;
    check("CreateWithdrawTicket", &ticket(), 1, failed, ("rejected", Some(102), "unknown"));
    check("CreateWithdrawTicket", &ticket(), 1, generic, ("rejected", Some(104), "refused"));
    let code = "This endpoint requires 2FACode along with the payload";
    check("GetOrderStatus", &order, 1, code, ("rejected", None, "refused"));
    let rejected = r#"{"status":"Rejected","errormsg":"no","errorcode":101}"#;
    check("CancelOrder", &order, 1, rejected, ("rejected", Some(101), "refused"));
    let endless = "[".repeat(40) + &"]".repeat(40);
    check("GetOpenOrders", &[], 1, &endless, ("unavailable", None, "refused"));
    let no = r#"{"Authenticated":false,"errormsg":"Invalid username or password"}"#;
    check("WebAuthenticateUser", &[], 1, no, ("rejected", None, "refused"));
}

#[test]
fn too_many_requests_says_when_to_ask_again() {
    let mut rig = Rig::live();
    rig.raw(1, "GetProducts", &[]);
    rig.reply("GetProducts", "TOO MANY REQUESTS");
    assert_eq!(rig.bad(1).retry_after, Some(Span::from_secs(10)));
}

#[test]
fn reads_are_asked_once_more_and_money_never() {
    let mut rig = Rig::live();
    rig.raw(1, "GetProducts", &[]);
    rig.raw(2, "CreateWithdrawTicket", &ticket());
    rig.wait(ms(5_001));
    assert_eq!((rig.count("GetProducts"), rig.count("CreateWithdrawTicket")), (2, 1));
    assert_eq!(rig.why(2), ("timeout", None, "unknown"));
    assert!(rig.ended(1).is_none());
    rig.wait(ms(5_001));
    assert_eq!((rig.count("GetProducts"), rig.why(1)), (2, ("timeout", None, "refused")));
}

#[test]
fn a_lost_line_repeats_reads_and_leaves_money_unknown() {
    let mut rig = Rig::live();
    rig.raw(1, "GetProducts", &[]);
    rig.raw(2, "CreateWithdrawTicket", &ticket());
    rig.lose();
    assert_eq!(rig.why(2), ("timeout", None, "unknown"));
    rig.raw(3, "GetUserInfo", &[]);
    rig.wait(Span::from_secs(1));
    rig.log_in();
    assert_eq!((rig.count("GetProducts"), rig.count("GetUserInfo")), (2, 1));
    assert_eq!(rig.count("CreateWithdrawTicket"), 1);
    rig.reply("GetProducts", "[]");
    rig.reply("GetUserInfo", r#"{"UserId":58}"#);
    assert!(rig.ended(1).unwrap().is_ok() && rig.ended(3).unwrap().is_ok());
}

#[test]
fn calls_wait_for_the_login_or_not_and_not_forever() {
    let mut rig = Rig::new(config());
    rig.raw(1, "GetProducts", &[]);
    rig.raw(2, "GetUserInfo", &[]);
    rig.net(Net::Opened { conn: 0 });
    assert_eq!(rig.open(), ["WebAuthenticateUser", "GetProducts"]);
    rig.reply("GetProducts", "[]");
    assert!(rig.ended(1).unwrap().is_ok());
    rig.wait(Span::from_secs(31));
    assert_eq!(rig.why(2), ("unavailable", None, "refused"));
    assert_eq!(rig.count("GetUserInfo"), 0);
}

#[test]
fn a_full_lane_lets_calls_expire() {
    let mut config = config();
    (config.per_minute, config.reserve) = (7, 2);
    config.call_within = Span::from_secs(10);
    let mut rig = Rig::new(config);
    rig.log_in();
    rig.raw(1, "GetProducts", &[]);
    rig.wait(Span::from_secs(11));
    assert_eq!(rig.why(1), ("expired_in_queue", None, "refused"));
    assert_eq!(rig.count("GetProducts"), 0);
}

#[test]
fn only_so_many_calls_wait() {
    let mut rig = Rig::new(config());
    for id in 0..70 {
        rig.raw(id, "GetUserInfo", &[]);
    }
    let refused = (0..70).filter(|id| rig.ended(*id).is_some()).count();
    assert_eq!((refused, rig.why(69)), (6, ("limit", None, "refused")));
}

#[test]
fn every_call_ends_with_the_session() {
    let mut rig = Rig::live();
    rig.raw(1, "GetUserInfo", &[]);
    rig.raw(2, "CreateWithdrawTicket", &ticket());
    rig.tied(3, "SendOrder", Command::Place(limit(1, Side::Buy, "100", "1")));
    rig.session.end(rig.now);
    rig.drain();
    assert_eq!(rig.why(1), ("unavailable", None, "refused"));
    assert_eq!(rig.why(2).2, "unknown");
    assert_eq!(rig.why(3).2, "unknown");
    rig.raw(4, "GetUserInfo", &[]);
    assert_eq!(rig.why(4), ("unavailable", None, "refused"));
    assert_eq!(rig.session.wake_at(), None);
}

#[test]
fn orders_do_not_come_this_way() {
    let mut rig = Rig::live();
    for (id, name) in [(1, "SendOrder"), (2, "CancelReplaceOrder"), (3, "ModifyOrder")] {
        rig.raw(id, name, &[btc(), ("Quantity", Plain::Int(1))]);
        assert_eq!((rig.why(id), rig.count(name)), (("rejected", None, "refused"), 0));
    }
}

#[test]
fn without_a_login_there_are_only_public_calls() {
    let mut config = config();
    config.user.clear();
    let mut rig = Rig::new(config);
    rig.raw(1, "GetUserInfo", &[]);
    rig.raw(2, "GetProducts", &[]);
    assert_eq!(rig.why(1), ("unavailable", None, "refused"));
    rig.net(Net::Opened { conn: 0 });
    rig.reply("GetProducts", "[]");
    assert!(rig.ended(2).unwrap().is_ok());
}

#[test]
fn a_script_logs_in_with_what_the_session_has_and_sees_no_token() {
    let mut rig = Rig::live();
    rig.raw(1, "WebAuthenticateUser", &[]);
    assert_eq!(rig.last("WebAuthenticateUser"), r#"{"SessionToken":"canary-token"}"#);
    let answer = r#"{"Authenticated":true,"SessionToken":"canary-two","UserId":1}"#;
    rig.reply("WebAuthenticateUser", answer);
    assert_eq!(rig.good(1).get("Authenticated"), Some(&Plain::Bool(true)));
    assert!(!format!("{:?}", rig.events).contains("canary"));
    rig.lose();
    rig.wait(Span::from_secs(1));
    rig.net(Net::Opened { conn: 1 });
    assert!(rig.last("WebAuthenticateUser").contains("canary-two"), "the session has it");
}

#[test]
fn flow_p07_scripts_cannot_log_in_forever() {
    let mut rig = Rig::live();
    for id in 1..=3 {
        rig.raw(id, "WebAuthenticateUser", &[]);
        rig.reply("WebAuthenticateUser", r#"{"Authenticated":true,"UserId":1}"#);
    }
    rig.raw(4, "WebAuthenticateUser", &[]);
    assert_eq!(rig.why(4), ("rate_limited", None, "refused"));
}

#[test]
fn no_reply_holds_personal_data() {
    let mut rig = Rig::live();
    rig.raw(1, "GetUserInfo", &[]);
    rig.reply(
        "GetUserInfo",
        r#"{"UserId":58,"Email":"abc@ap.com","PasswordHash":"xx","PendingEmailCode":"yy","note":"hunter2"}"#,
    );
    let reply = rig.good(1).json();
    for secret in ["abc@", "xx", "yy", "hunter2"] {
        assert!(!reply.contains(secret), "{reply}");
    }
    assert_eq!(rig.good(1).get("UserId"), Some(&Plain::Int(58)));
}

#[test]
fn flow_f23_a_log_out_ends_the_session_which_comes_back_with_the_password() {
    let mut rig = Rig::live();
    rig.raw(1, "LogOut", &[]);
    rig.reply("LogOut", RECEIPT);
    assert!(rig.ended(1).unwrap().is_ok() && !rig.session.is_live());
    rig.wait(Span::from_secs(1));
    rig.net(Net::Opened { conn: 1 });
    assert!(rig.last("WebAuthenticateUser").contains("hunter2"));
}

#[test]
fn a_raw_subscription_is_a_stream_like_any_other() {
    let mut rig = Rig::live();
    rig.raw(1, "SubscribeLevel1", &[btc()]);
    rig.reply("SubscribeLevel1", r#"{"InstrumentId":1,"BestBid":99,"BestOffer":101}"#);
    assert!(rig.ended(1).unwrap().is_ok());
    let quotes = |rig: &Rig| rig.events.iter().filter(|e| matches!(e, Event::Quote(_))).count();
    assert_eq!(quotes(&rig), 1);
    rig.event("Level1UpdateEvent", r#"{"InstrumentId":1,"BestBid":98,"BestOffer":101}"#);
    rig.event("Level1UpdateEvent", r#"{"InstrumentId":77,"BestBid":98,"BestOffer":101}"#);
    assert_eq!(quotes(&rig), 2);
    rig.come_back();
    rig.reply("GetOpenOrders", "[]");
    assert!(rig.open().contains(&"SubscribeLevel1"), "again after a reconnect");
    rig.reply("SubscribeLevel1", r#"{"InstrumentId":1,"BestBid":99,"BestOffer":101}"#);
    rig.raw(2, "UnsubscribeLevel1", &[btc()]);
    rig.reply("UnsubscribeLevel1", RECEIPT);
    let before = quotes(&rig);
    rig.event("Level1UpdateEvent", r#"{"InstrumentId":1,"BestBid":97,"BestOffer":101}"#);
    assert_eq!(quotes(&rig), before, "it has ended");
}

#[test]
fn a_script_cannot_end_the_engines_stream() {
    let mut rig = Rig::live();
    rig.command(Command::Subscribe {
        instrument: BTC,
        channel: Channel::Quotes,
        depth: None,
        interval: None,
    });
    rig.reply("SubscribeLevel1", r#"{"InstrumentId":1,"BestBid":99,"BestOffer":101}"#);
    rig.raw(1, "UnsubscribeLevel1", &[btc()]);
    assert_eq!(rig.count("UnsubscribeLevel1"), 0);
    assert_eq!(rig.good(1).get("result"), Some(&Plain::Bool(true)));
}

#[test]
fn a_raw_book_of_another_depth_gives_way_to_the_engines() {
    let mut rig = Rig::live();
    rig.command(Command::Subscribe {
        instrument: BTC,
        channel: Channel::Book,
        depth: Some(20),
        interval: None,
    });
    rig.reply("SubscribeLevel2", "[]");
    rig.raw(1, "SubscribeLevel2", &[btc(), ("Depth", Plain::Int(5))]);
    rig.reply("SubscribeLevel2", "[]");
    assert_eq!(rig.last("SubscribeLevel2"), r#"{"OMSId":1,"InstrumentId":1,"Depth":20}"#);
}

#[test]
fn a_server_that_lacks_a_call_is_not_asked_again() {
    let mut rig = Rig::live();
    rig.raw(1, "GetWithdrawTickets", &[]);
    rig.reply("GetWithdrawTickets", "Endpoint not found");
    assert_eq!(rig.why(1), ("no_venue", None, "refused"));
    rig.raw(2, "GetDepositTickets", &[]);
    assert_eq!((rig.why(2).0, rig.count("GetDepositTickets")), ("no_venue", 0));
    let not = r#"{"result":false,"errormsg":"Operation Not Supported","errorcode":106}"#;
    rig.raw(3, "GetLastTrades", &[btc(), ("Count", Plain::Int(5))]);
    rig.reply("GetLastTrades", not);
    assert_eq!(rig.why(3), ("no_venue", None, "refused"));
    assert!(rig.notes.iter().any(|note| note.contains("`tickets` is off")), "{:?}", rig.notes);
}

#[test]
fn the_session_does_without_what_is_switched_off() {
    let mut config = config();
    config.off = ["instruments", "positions", "level1"].into_iter().collect();
    let mut rig = Rig::new(config);
    rig.net(Net::Opened { conn: 0 });
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":true,"SessionToken":"t","UserId":1}"#);
    rig.reply("SubscribeAccountEvents", r#"{"result":true}"#);
    rig.reply("GetOpenOrders", "[]");
    assert!(rig.session.is_live());
    assert_eq!((rig.count("GetInstruments"), rig.count("GetAccountPositions")), (0, 0));
    rig.raw(1, "GetAccountPositions", &[]);
    assert_eq!(rig.why(1), ("no_venue", None, "refused"));
    rig.command(Command::Subscribe {
        instrument: BTC,
        channel: Channel::Quotes,
        depth: None,
        interval: None,
    });
    let down = rig.events.iter().any(|event| {
        matches!(event, Event::Feed(news)
            if news.channel == Channel::Quotes && news.state == FeedState::Down)
    });
    assert!(down && rig.count("SubscribeLevel1") == 0);
    rig.wait(Span::from_secs(60));
    assert_eq!(rig.count("GetAccountPositions"), 0);
}
