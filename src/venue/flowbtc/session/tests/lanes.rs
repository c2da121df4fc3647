//! What counts against which limit, what is left, and what a restart remembers.

use super::*;
use crate::base::{Channel, LaneLeft, Venue};
use crate::venue::flowbtc::session::line::{LANE, SOCKET_LANE};

fn lane(rig: &Rig, name: &str) -> LaneLeft {
    rig.session.lanes(rig.now).into_iter().find(|lane| lane.lane == name).unwrap()
}

fn quotes() -> Command {
    Command::Subscribe { instrument: BTC, channel: Channel::Quotes, depth: None, interval: None }
}

#[test]
fn requests_and_messages_are_counted_apart() {
    let mut rig = Rig::live();
    assert_eq!(rig.sent, [LANE; 5], "the login");
    rig.command(quotes());
    rig.reply("SubscribeLevel1", r#"{"InstrumentId":1,"BestBid":99,"BestOffer":101}"#);
    rig.wait(Span::from_secs(21));
    assert_eq!(rig.sent[5..], [SOCKET_LANE, SOCKET_LANE], "a stream and a ping");
    let (requests, socket) = (lane(&rig, LANE), lane(&rig, SOCKET_LANE));
    assert_eq!((requests.limit, requests.reserve, requests.left), (450, 90, 355));
    assert_eq!((socket.limit, socket.reserve), (500, 250));
    assert_eq!(socket.left, 250 - 2, "what requests leave");
    assert_eq!((requests.waiting, socket.waiting), (0, 0));
    rig.wait(Span::from_secs(61));
    rig.drain();
    assert!(lane(&rig, LANE).left > 350);
}

#[test]
fn a_restart_makes_no_burst() {
    let mut config = config();
    (config.per_minute, config.reserve) = (10, 2);
    let now = Time::from_millis(1_790_000_000_000);
    config.sent = vec![now; 10];
    config.socket_sent = vec![now; 3];
    let mut rig = Rig::new(config);
    rig.net(Net::Opened { conn: 0 });
    assert_eq!(rig.asked, [], "the minute is used up");
    assert_eq!((lane(&rig, LANE).left, lane(&rig, LANE).waiting), (0, 1));
    for _ in 0..6 {
        rig.wait(Span::from_secs(10));
        rig.reply_all("Ping", r#"{"msg":"PONG"}"#);
    }
    // A minute as the venue counts it: what was slow on its way is younger there.
    rig.wait(Span::from_secs(2));
    assert_eq!((rig.count("WebAuthenticateUser"), rig.conn), (0, 0));
    rig.wait(ms(1));
    assert_eq!(rig.open(), ["WebAuthenticateUser"]);
}

#[test]
fn the_socket_has_a_limit_of_its_own() {
    let mut config = config();
    config.per_minute = 50;
    config.reserve = 10;
    config.ws_per_minute = 12;
    let mut rig = Rig::new(config);
    rig.log_in();
    let start = rig.now;
    for number in 1..=20 {
        rig.command(Command::Place(limit(number, Side::Buy, "100", "1")));
    }
    // 11 of the 12 are for requests, 2 of these for cancels and reconciliation.
    assert_eq!(rig.log.len(), 9);
    assert_eq!(lane(&rig, LANE).left, 0);
    assert!(rig.session.wake_at().unwrap() > start, "it does not spin");
}

/// However many requests there are, a lost market comes back.
#[test]
fn requests_leave_room_for_streams() {
    let mut config = config();
    (config.per_minute, config.reserve, config.ws_per_minute) = (6_000, 20, 50);
    let mut rig = Rig::new(config);
    rig.log_in();
    for number in 1..=80 {
        rig.command(Command::Place(limit(number, Side::Buy, "100", "1")));
    }
    assert_eq!(lane(&rig, LANE).left, 0);
    rig.command(quotes());
    assert_eq!(rig.count("SubscribeLevel1"), 1);
    assert!(rig.log.len() <= 50);
}

#[test]
fn streams_leave_room_for_orders() {
    let mut config = config();
    config.per_minute = 8;
    config.reserve = 2;
    config.ws_per_minute = 16;
    let mut rig = Rig::new(config);
    rig.log_in();
    for _ in 0..20 {
        rig.command(Command::Subscribe {
            instrument: BTC,
            channel: Channel::Book,
            depth: Some(5),
            interval: None,
        });
        rig.reply_all("UnsubscribeLevel2", "{}");
        rig.reply_all("SubscribeLevel2", "[]");
    }
    assert_eq!(rig.log.len(), 5 + 8, "the login, and half of the socket's minute");
    rig.command(Command::Place(limit(1, Side::Buy, "100", "1")));
    assert_eq!(rig.count("SendOrder"), 1);
}
