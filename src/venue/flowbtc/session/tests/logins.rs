//! Logging in with a key, with a token given beforehand, and with a second factor.

use super::*;
use crate::base::Plain;
use crate::venue::flowbtc::ApiKey;
use crate::venue::sign;

const TOTP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const IN: &str = r#"{"Authenticated":true,"SessionToken":"canary-token","UserId":5}"#;
const WANTS_CODE: &str = r#"{"Authenticated":true,"Requires2FA":true,"TwoFAType":"Google","TwoFAToken":"canary-pending","SessionToken":"canary-no"}"#;

fn key_config() -> SessionConfig {
    let mut config = config();
    config.api_key = Some(ApiKey {
        id: Secret::new("0123456789abcdef0123456789abcdef"),
        secret: Secret::new("s3cr3t"),
        user_id: 5,
    });
    config
}

fn opened(config: SessionConfig) -> Rig {
    let mut rig = Rig::new(config);
    rig.net(Net::Opened { conn: rig.conn });
    rig
}

fn code_of(rig: &Rig) -> String {
    let step = sign::code_step(rig.now);
    let code = sign::one_time_code(&Secret::new(TOTP), step).unwrap();
    format!(r#"{{"Code":"{}"}}"#, code.expose())
}

/// FLOW-T06's first vector, on the wire.
#[test]
fn flow_x06_an_api_key_signs_a_nonce_of_now() {
    let mut rig = Rig::new(key_config());
    rig.now = Time::from_millis(1_602_269_461_897);
    rig.net(Net::Opened { conn: 0 });
    assert_eq!(
        rig.last("AuthenticateUser"),
        r#"{"APIKey":"0123456789abcdef0123456789abcdef","Signature":"3031e5940dbe4860354cfc1ae6cd8554e330eee734beb7d24c145939a1ee1506","UserId":"5","Nonce":"1602269461897"}"#
    );
    let rich = r#"{"Authenticated":true,"SessionToken":"t","User":{"UserId":5,"AccountId":9}}"#;
    rig.reply("AuthenticateUser", rich);
    assert_eq!(rig.open(), ["SubscribeAccountEvents"]);
    assert_eq!(rig.count("WebAuthenticateUser"), 0);
}

#[test]
fn a_nonce_is_never_used_twice() {
    let mut rig = opened(key_config());
    rig.reply("AuthenticateUser", r#"{"Authenticated":true,"UserId":5}"#);
    rig.lose();
    rig.wait(Span::from_secs(1));
    let at = rig.now;
    rig.net(Net::Opened { conn: 1 });
    rig.raw_key();
    rig.now = at;
    let nonces: Vec<&str> = rig
        .log
        .iter()
        .filter(|a| a.name == "AuthenticateUser")
        .map(|a| a.body.split(r#""Nonce":""#).nth(1).unwrap())
        .collect();
    assert_eq!(nonces.len(), 3);
    assert!(nonces[0] != nonces[1] && nonces[1] != nonces[2]);
}

impl Rig {
    /// A script logs in with the key in the same millisecond.
    fn raw_key(&mut self) {
        self.reply("AuthenticateUser", r#"{"Authenticated":true,"UserId":5}"#);
        self.reply("SubscribeAccountEvents", r#"{"result":true}"#);
        self.reply("GetInstruments", INSTRUMENTS);
        self.reply("GetAccountPositions", "[]");
        self.reply("GetOpenOrders", "[]");
        self.raw(1, "AuthenticateUser", &[]);
    }
}

#[test]
fn a_server_without_api_keys_gets_the_password() {
    for m in [1, 5] {
        let mut rig = opened(key_config());
        let asked = rig.asked.remove(0);
        rig.answer(&asked, m, "Endpoint not found");
        assert!(rig.last("WebAuthenticateUser").contains("hunter2"));
        assert!(rig.notes.iter().any(|note| note.contains("`api_key` is off")));
    }
    let mut config = key_config();
    config.user.clear();
    let mut rig = opened(config);
    rig.reply("AuthenticateUser", "Endpoint not found");
    assert_eq!(rig.session.wake_at(), None, "nothing is left to log in with");
}

#[test]
fn flow_p08_a_token_from_the_configuration_is_resumed_first() {
    let mut config = config();
    config.token = Some(Secret::new("canary-given"));
    let mut rig = opened(config.clone());
    assert_eq!(rig.last("WebAuthenticateUser"), r#"{"SessionToken":"canary-given"}"#);
    rig.reply("WebAuthenticateUser", r#"{"Authenticated":false}"#);
    assert!(rig.last("WebAuthenticateUser").contains("hunter2"), "the password stands in");

    config.user.clear();
    let mut rig = opened(config);
    rig.reply("WebAuthenticateUser", IN);
    assert_eq!(rig.open(), ["SubscribeAccountEvents"], "the token alone is a login");
    rig.event("LogoutEvent", "{}");
    rig.wait(Span::from_secs(1));
    rig.net(Net::Opened { conn: 1 });
    assert_eq!(rig.session.wake_at(), None, "{:?}", rig.notes);
    assert!(!rig.notes.iter().any(|note| note.contains("canary")));
}

#[test]
fn flow_p09_the_code_of_now_is_the_second_step() {
    let mut config = config();
    config.totp = Some(Secret::new(TOTP));
    let mut rig = opened(config);
    rig.reply("WebAuthenticateUser", WANTS_CODE);
    assert_eq!(rig.last("Authenticate2FA"), code_of(&rig));
    rig.reply("Authenticate2FA", IN);
    assert_eq!(rig.open(), ["SubscribeAccountEvents"]);
    rig.lose();
    rig.wait(Span::from_secs(1));
    rig.net(Net::Opened { conn: 1 });
    let resume = r#"{"SessionToken":"canary-token"}"#;
    assert_eq!(rig.last("WebAuthenticateUser"), resume, "not the token of the pending login");
}

#[test]
fn a_code_is_used_once() {
    let mut config = config();
    config.totp = Some(Secret::new(TOTP));
    let mut rig = opened(config);
    rig.reply("WebAuthenticateUser", WANTS_CODE);
    let first = rig.last("Authenticate2FA").to_owned();
    rig.lose();
    rig.wait(Span::from_secs(1));
    rig.net(Net::Opened { conn: 1 });
    rig.reply("WebAuthenticateUser", WANTS_CODE);
    assert_eq!(rig.count("Authenticate2FA"), 1, "it waits for the next step");
    for _ in 0..31 {
        rig.wait(Span::from_secs(1));
        rig.reply_all("Ping", r#"{"msg":"PONG"}"#);
        if rig.count("Authenticate2FA") == 2 {
            break;
        }
    }
    assert_eq!(rig.last("Authenticate2FA"), code_of(&rig));
    assert_ne!(rig.last("Authenticate2FA"), first);
    rig.reply("Authenticate2FA", IN);
    assert_eq!(rig.open(), ["SubscribeAccountEvents"]);
}

#[test]
fn wrong_codes_do_not_go_on_forever() {
    let mut config = config();
    config.totp = Some(Secret::new(TOTP));
    let mut rig = Rig::new(config);
    for conn in 0..3 {
        rig.net(Net::Opened { conn });
        rig.reply("WebAuthenticateUser", WANTS_CODE);
        for _ in 0..31 {
            if rig.open().contains(&"Authenticate2FA") {
                break;
            }
            rig.wait(Span::from_secs(1));
            rig.reply_all("Ping", r#"{"msg":"PONG"}"#);
        }
        rig.reply("Authenticate2FA", r#"{"Authenticated":false}"#);
        rig.wait(Span::from_secs(25));
    }
    assert_eq!((rig.count("Authenticate2FA"), rig.session.wake_at()), (3, None), "halted");
}

#[test]
fn without_a_secret_the_operator_types_the_code() {
    let mut rig = Rig::new(config());
    assert!(!rig.session.code(rig.now, "123456"), "nobody waits for one");
    rig.net(Net::Opened { conn: 0 });
    rig.reply("WebAuthenticateUser", WANTS_CODE);
    assert!(rig.session.waits_for_code());
    assert!(rig.notes.iter().any(|note| note.contains("waiting for the code")));
    for _ in 0..20 {
        rig.wait(Span::from_secs(10));
        rig.reply_all("Ping", r#"{"msg":"PONG"}"#);
    }
    assert_eq!(rig.conn, 0, "it holds the line");
    assert!(!rig.session.code(rig.now, "letters"));
    assert!(rig.session.code(rig.now, " 123456 "));
    rig.drain();
    assert_eq!(rig.last("Authenticate2FA"), r#"{"Code":"123456"}"#);
    rig.reply("Authenticate2FA", r#"{"Authenticated":false,"errormsg":"wrong"}"#);
    rig.wait(Span::from_secs(21));
    rig.net(Net::Opened { conn: 1 });
    rig.reply("WebAuthenticateUser", WANTS_CODE);
    assert!(!rig.session.code(rig.now, "123456"), "a code works once");
    assert!(rig.session.code(rig.now, "654321"));
    rig.drain();
    rig.reply("Authenticate2FA", IN);
    assert_eq!(rig.open(), ["SubscribeAccountEvents"]);
    assert!(!rig.session.waits_for_code());
}

#[test]
fn a_code_without_an_answer_is_not_sent_again() {
    let mut rig = opened(config());
    rig.reply("WebAuthenticateUser", WANTS_CODE);
    assert!(rig.session.code(rig.now, "123456"));
    rig.wait(Span::from_secs(6));
    assert_eq!((rig.count("Authenticate2FA"), rig.conn), (1, 1), "logs in anew");
}

#[test]
fn a_script_may_give_a_code_or_leave_it_to_the_secret() {
    let mut config = config();
    config.totp = Some(Secret::new(TOTP));
    let mut rig = Rig::new(config);
    rig.log_in();
    rig.raw(1, "Authenticate2FA", &[]);
    assert_eq!(rig.last("Authenticate2FA"), code_of(&rig));
    rig.reply("Authenticate2FA", IN);
    assert!(rig.ended(1).unwrap().is_ok());
    rig.raw(2, "Authenticate2FA", &[]);
    assert_eq!(rig.why(2), ("rate_limited", None, "refused"));
    assert!(rig.bad(2).retry_after.unwrap() <= Span::from_secs(30));
    for id in [3, 4] {
        rig.raw(id, "Authenticate2FA", &[("Code", Plain::text("111222"))]);
    }
    assert_eq!(rig.last("Authenticate2FA"), r#"{"Code":"111222"}"#);
    assert_eq!(rig.why(4), ("arguments", None, "refused"));

    let mut rig = Rig::live();
    rig.raw(1, "Authenticate2FA", &[]);
    assert_eq!(rig.why(1), ("arguments", None, "refused"));
}

#[test]
fn no_secret_of_any_login_is_told() {
    let mut config = key_config();
    config.totp = Some(Secret::new(TOTP));
    config.token = Some(Secret::new("canary-given"));
    let mut rig = Rig::new(config);
    rig.log_in();
    let all = format!("0123456789abcdef0123456789abcdef s3cr3t {TOTP} canary-given hunter2");
    rig.event("MarketStateUpdate", &format!(r#"{{"Action":"{all}","NewStatus":"x"}}"#));
    rig.raw(1, "GetProducts", &[]);
    rig.reply("GetProducts", &format!(r#"[{{"Product":"{all}"}}]"#));
    let told = format!("{:?} {:?} {:?}", rig.notes, rig.events, rig.session);
    for secret in all.split(' ') {
        assert!(!told.contains(secret), "{secret}");
    }
}
