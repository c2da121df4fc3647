//! Login, resumption, waits between attempts, pings, slowing down, and secrets in notes.

use super::*;
use crate::base::{Channel, FeedState};

fn feed(rig: &Rig) -> Vec<(Channel, FeedState)> {
    rig.events
        .iter()
        .filter_map(|event| match event {
            Event::Feed(news) => Some((news.channel, news.state)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_login_goes_step_by_step() {
    let mut rig = Rig::new(config());
    let url = "ws://127.0.0.1:1/WSGateway/".to_owned();
    assert_eq!(rig.nets, [Net::Open { conn: 0, url }]);
    rig.net(Net::Opened { conn: 0 });
    assert_eq!(rig.last("WebAuthenticateUser"), r#"{"UserName":"user","Password":"hunter2"}"#);
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":true,"SessionToken":"t","UserId":1}"#);
    assert_eq!(rig.last("SubscribeAccountEvents"), r#"{"AccountId":4,"OMSId":1}"#);
    rig.reply("SubscribeAccountEvents", r#"{"Subscribe":true}"#);
    rig.reply("GetInstruments", INSTRUMENTS);
    let balance = r#"[{"AccountId":4,"ProductSymbol":"BRL","ProductId":4,"Amount":100.50,"Hold":1},{"AccountId":9,"ProductSymbol":"BTC","ProductId":1,"Amount":7,"Hold":0}]"#;
    rig.reply("GetAccountPositions", balance);
    assert!(!rig.session.is_live() && feed(&rig).is_empty());
    rig.reply("GetOpenOrders", "[]");
    assert_eq!(feed(&rig), [(Channel::Session, FeedState::Live)]);
    let balances: Vec<_> = rig
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Balance(news) => Some((news.asset.as_str(), news.total, news.held)),
            _ => None,
        })
        .collect();
    assert_eq!(balances, [("BRL", d("100.5"), d("1"))], "another account's is not ours");
    let numbers: Vec<i64> = rig.log.iter().map(|asked| asked.number).collect();
    assert_eq!(numbers, [2, 4, 6, 8, 10], "FLOW-F06: even, from 2");
}

#[test]
fn the_account_is_found_when_it_is_not_given() {
    let mut config = config();
    config.account = None;
    let mut rig = Rig::new(config.clone());
    rig.net(Net::Opened { conn: 0 });
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":true,"SessionToken":"t","UserId":5}"#);
    assert_eq!(rig.last("GetUserAccounts"), r#"{"OMSId":1,"UserId":5,"UserName":"user"}"#);
    rig.reply("GetUserAccounts", "[77,78]");
    assert_eq!(rig.last("SubscribeAccountEvents"), r#"{"AccountId":77,"OMSId":1}"#);

    let mut rig = Rig::new(config);
    rig.net(Net::Opened { conn: 0 });
    let rich = r#"{"Authenticated":true,"SessionToken":"t","User":{"UserId":5,"AccountId":9}}"#;
    rig.reply("WebAuthenticateUser", rich);
    assert_eq!(rig.last("SubscribeAccountEvents"), r#"{"AccountId":9,"OMSId":1}"#);
}

#[test]
fn a_server_with_only_the_pages_calls_will_do() {
    let mut rig = Rig::new(config());
    rig.net(Net::Opened { conn: 0 });
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":true,"SessionToken":"t","UserId":1}"#);
    rig.reply("SubscribeAccountEvents", r#"{"result":true}"#);
    rig.reply("GetInstruments", "Endpoint not found");
    let asked = rig.asked.remove(0);
    rig.answer(&asked, 5, "Endpoint Not Found");
    rig.reply("GetOpenOrders", "[]");
    assert!(rig.session.is_live());
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    assert!(rig.last("SendOrder").contains(r#""InstrumentId":1,"#), "FLOW-R14");
}

#[test]
fn a_silent_step_ends_the_attempt_but_optional_ones_are_passed_over() {
    let mut rig = Rig::new(config());
    rig.net(Net::Opened { conn: 0 });
    rig.wait(Span::from_millis(5001));
    assert_eq!(rig.nets.get(1), Some(&Net::Close { conn: 0 }));
    rig.wait(Span::from_secs(1));
    assert_eq!(rig.conn, 1);
    rig.net(Net::Opened { conn: 1 });
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":true,"SessionToken":"t","UserId":1}"#);
    rig.reply("SubscribeAccountEvents", r#"{"result":true}"#);
    rig.wait(Span::from_millis(10_100));
    rig.reply("GetOpenOrders", "[]");
    assert!(rig.session.is_live(), "{:?}", rig.notes);
}

#[test]
fn a_connection_that_does_not_open_is_given_up() {
    let mut rig = Rig::new(config());
    rig.wait(Span::from_millis(15_600));
    assert_eq!(rig.nets.get(1), Some(&Net::Close { conn: 0 }));
    assert_eq!(rig.conn, 1);
    rig.net(Net::Opened { conn: 0 });
    assert_eq!(rig.asked, [], "an old connection's news is nobody's");
}

#[test]
fn flow_p08_a_dropped_session_is_resumed_by_its_token() {
    let mut rig = Rig::live();
    rig.lose();
    assert!(!rig.session.is_live());
    assert_eq!(feed(&rig).last(), Some(&(Channel::Session, FeedState::Down)));
    rig.wait(Span::from_secs(1));
    assert_eq!(rig.conn, 1);
    rig.log_in_until_orders();
    rig.reply("GetOpenOrders", "[]");
    assert_eq!(rig.last("WebAuthenticateUser"), r#"{"SessionToken":"canary-token"}"#);
    assert_eq!(rig.count("GetInstruments"), 1, "known already");
    assert!(rig.session.is_live());
}

#[test]
fn a_token_that_is_refused_gives_way_to_the_password() {
    let mut rig = Rig::live();
    rig.lose();
    rig.wait(Span::from_secs(1));
    rig.net(Net::Opened { conn: 1 });
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":false}"#);
    assert!(rig.last("WebAuthenticateUser").contains("hunter2"));
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":true,"SessionToken":"u","UserId":1}"#);
    assert_eq!(rig.open(), ["SubscribeAccountEvents"]);
}

#[test]
fn flow_e14_a_logout_event_ends_the_session_and_its_token() {
    let mut rig = Rig::live();
    rig.event("LogoutEvent", "{}");
    assert_eq!(rig.nets.last(), Some(&Net::Close { conn: 0 }));
    assert!(!rig.session.is_live());
    rig.wait(Span::from_secs(1));
    rig.net(Net::Opened { conn: 1 });
    assert!(rig.last("WebAuthenticateUser").contains("hunter2"));
}

#[test]
fn code_20_means_logging_in_anew() {
    let mut rig = Rig::live();
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    let no = r#"{"result":false,"errormsg":"Not Authorized","errorcode":20,"detail":null}"#;
    rig.reply("SendOrder", no);
    assert_eq!(rig.steps(1), ["sent", "rejected Not Authorized"]);
    rig.wait(Span::from_secs(1));
    rig.net(Net::Opened { conn: 1 });
    assert!(rig.last("WebAuthenticateUser").contains("hunter2"));
}

#[test]
fn flow_p07_a_refused_password_is_not_tried_forever() {
    let mut rig = Rig::new(config());
    for conn in 0..3 {
        assert_eq!(rig.conn, conn);
        rig.net(Net::Opened { conn });
        let no = r#"{"Authenticated":false,"errormsg":"Invalid username or password"}"#;
        rig.reply("WebAuthenticateUser", no);
        rig.wait(Span::from_secs(19));
        assert_eq!(rig.conn, conn);
        rig.wait(Span::from_secs(2));
    }
    assert_eq!((rig.conn, rig.session.wake_at()), (2, None), "halted");
    assert!(rig.notes.last().unwrap().contains("ALARM"), "{:?}", rig.notes);
    assert_eq!(feed(&rig), [(Channel::Session, FeedState::Down)]);
}

#[test]
fn a_locked_user_halts_at_once() {
    let mut rig = Rig::new(config());
    rig.net(Net::Opened { conn: 0 });
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":false,"Locked":true}"#);
    assert_eq!(rig.session.wake_at(), None);
    assert_eq!(rig.nets.last(), Some(&Net::Close { conn: 0 }));
}

#[test]
fn waits_between_attempts_grow_with_jitter_and_start_over_once_live() {
    let mut rig = Rig::live();
    let mut waits = Vec::new();
    for _ in 0..9 {
        let before = rig.now;
        rig.lose();
        let at = rig.session.wake_at().unwrap();
        waits.push(at.since(before).seconds());
        rig.wait(at.since(before));
    }
    for (at, wait) in waits.iter().enumerate() {
        let full = (0.5 * f64::from(1 << at.min(6))).min(30.0);
        assert!((full / 2.0..=full).contains(wait), "{waits:?}");
    }
    rig.log_in();
    rig.lose();
    assert!(rig.session.wake_at().unwrap().since(rig.now) <= ms(500));
}

#[test]
fn logins_stay_within_a_few_per_minute() {
    let mut rig = Rig::live();
    let start = rig.now;
    for _ in 0..40 {
        rig.lose();
        rig.wait(Span::from_secs(1));
        while rig.nets.last() == Some(&Net::Close { conn: rig.conn }) {
            rig.wait(Span::from_secs(1));
        }
        rig.net(Net::Opened { conn: rig.conn });
        if rig.now.since(start) > Span::from_secs(50) {
            break;
        }
    }
    assert!(rig.count("WebAuthenticateUser") <= 4, "{}", rig.count("WebAuthenticateUser"));
}

#[test]
fn flow_p14_silence_is_answered_by_a_ping_and_a_dead_line_is_dropped() {
    let mut rig = Rig::live();
    rig.wait(Span::from_millis(19_900));
    assert_eq!(rig.count("Ping"), 0);
    rig.wait(Span::from_millis(200));
    assert_eq!(rig.last("Ping"), "{}");
    rig.reply("Ping", r#"{"msg":"PONG"}"#);
    rig.wait(Span::from_secs(19));
    assert_eq!(rig.count("Ping"), 1);
    rig.wait(Span::from_secs(2));
    assert_eq!(rig.count("Ping"), 2);
    rig.wait(Span::from_millis(3_900));
    assert!(rig.session.is_live());
    rig.wait(Span::from_millis(1_500));
    assert!(!rig.session.is_live());
    assert_eq!(rig.nets.iter().filter(|net| **net == Net::Close { conn: 0 }).count(), 1);
}

#[test]
fn any_frame_shows_that_the_line_lives() {
    let mut rig = Rig::live();
    rig.wait(Span::from_secs(21));
    assert_eq!(rig.count("Ping"), 1);
    rig.event("MarketStateUpdate", r#"{"Action":"Pause","NewStatus":"Paused"}"#);
    rig.wait(Span::from_secs(10));
    assert!(rig.session.is_live());
    assert!(rig.notes.iter().any(|note| note.contains("market state: Pause Paused")));
}

#[test]
fn flow_p13_too_many_requests_holds_the_lane() {
    let mut rig = Rig::live();
    rig.text("TOO MANY REQUESTS");
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    assert_eq!(rig.count("SendOrder"), 0);
    rig.wait(Span::from_secs(6));
    assert_eq!(rig.steps(1), ["rejected EXPIRED_IN_QUEUE"], "it was never sent");
    rig.wait(Span::from_secs(5));
    rig.command(Command::Place(limit(2, Side::Buy, "100", "1")));
    assert_eq!(rig.count("SendOrder"), 1);
    let asked = rig.asked.pop().unwrap();
    rig.answer(&asked, 1, "TOO MANY REQUESTS");
    assert_eq!(rig.steps(2), ["sent", "rejected TOO MANY REQUESTS"]);
}

#[test]
fn frames_that_mean_nothing_do_no_harm() {
    let mut rig = Rig::live();
    for text in [
        "<html>503</html>",
        "",
        "[]",
        r#"{"m":1,"i":998,"n":"SendOrder","o":"{}"}"#,
        r#"{"m":0,"i":2,"n":"Ping","o":"{}"}"#,
        r#"{"m":3,"i":0,"n":"OrderStateEvent","o":"nonsense"}"#,
        r#"{"m":3,"i":0,"n":"TransactionEvent","o":"{}"}"#,
        r#"{"m":3,"i":0,"n":"TradeDataUpdateEvent","o":"[[1]]"}"#,
    ] {
        rig.text(text);
    }
    assert!(rig.session.is_live());
    assert_eq!(rig.notes.iter().filter(|note| note.contains("could not be read")).count(), 2);
}

#[test]
fn without_a_user_the_session_is_for_market_data_only() {
    let mut config = config();
    config.user.clear();
    let mut rig = Rig::new(config);
    rig.net(Net::Opened { conn: 0 });
    rig.reply("GetInstruments", INSTRUMENTS);
    assert_eq!(feed(&rig), [(Channel::Session, FeedState::Live)]);
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    assert_eq!(rig.steps(1), ["rejected VENUE_NOT_READY"]);
    assert_eq!((rig.count("WebAuthenticateUser"), rig.session.is_live()), (0, false));
}

#[test]
fn the_end_logs_out_and_stays_closed() {
    let mut rig = Rig::live();
    rig.session.end(rig.now);
    rig.drain();
    assert_eq!((rig.last("LogOut"), rig.log.last().unwrap().number), ("{}", 12));
    assert_eq!(rig.nets.last(), Some(&Net::Close { conn: 0 }));
    assert_eq!((rig.session.is_live(), rig.session.wake_at()), (false, None));
}

#[test]
fn no_note_holds_a_password_or_a_token() {
    let mut rig = Rig::live();
    rig.event("MarketStateUpdate", r#"{"Action":"hunter2","NewStatus":"canary-token"}"#);
    rig.text(r#"{"m":1,"i":2,"n":"WebAuthenticateUser","o":"{\"SessionToken\":\"canary-token\""#);
    rig.come_back();
    rig.reply("GetOpenOrders", "hunter2 canary-token");
    rig.wait(Span::from_secs(1));
    rig.net(Net::Opened { conn: rig.conn });
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":false,"errormsg":"no canary-token"}"#);
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":false,"errormsg":"not hunter2"}"#);
    assert!(rig.notes.len() > 6);
    for note in &rig.notes {
        assert!(!note.contains("hunter2") && !note.contains("canary"), "{note}");
    }
    for event in &rig.events {
        let event = format!("{event:?}");
        assert!(!event.contains("hunter2") && !event.contains("canary"), "{event}");
    }
    assert!(!format!("{:?}", rig.session).contains("hunter2"));
}
