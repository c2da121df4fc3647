//! Replies in the wrong order, sessions that the venue ends, and ids that survive doubles.

use super::*;
use crate::simulator::faults::{Fault, SWAP, What, When};
use crate::simulator::http::HttpIn;

fn reorder(on: &str) -> ServerIn {
    ServerIn::Faults(vec![Fault { on: on.into(), when: When::Nth(1), what: What::Reorder }])
}

/// FLOW-S07: events first and last first, the reply behind them.
#[test]
fn a_reply_and_its_events_turn_round() {
    let mut venue = Venue::new(Dialect::Page);
    let usual = venue.limit(1, 0, "0.1", "90", 1);
    venue.input(reorder("SendOrder"));
    let turned = venue.limit(1, 0, "0.1", "90", 2);
    let names = |frames: &[Got]| frames.iter().map(|got| got.n.clone()).collect::<Vec<_>>();
    let mut expected = names(&usual);
    expected.reverse();
    assert_eq!(names(&turned), expected);
    assert_eq!(turned.last().map(|got| got.m), Some(1));
    assert!(turned.len() > 1);
}

/// A reply without events leaves after the next, on whatever connection that is, or alone after a
/// while.
#[test]
fn a_reply_alone_changes_places_with_the_next() {
    let mut venue = Venue::new(Dialect::Page);
    venue.input(reorder("GetProducts"));
    assert_eq!(venue.send(0, "GetProducts", "{}"), []);
    let both = venue.send(0, "Ping", "{}");
    let names: Vec<&str> = both.iter().map(|got| got.n.as_str()).collect();
    assert_eq!(names, ["Ping", "GetProducts"]);

    venue.input(reorder("Ping"));
    assert_eq!(venue.send(0, "Ping", "{}"), []);
    assert_eq!(venue.server.wake_at(), Some(venue.now.plus(SWAP)));
    venue.pass(SWAP);
    assert_eq!(venue.drain().len(), 1);
    assert_eq!(venue.send(0, "Ping", "{}").len(), 1, "once only");
}

/// The same over HTTP, where answers have numbers.
#[test]
fn an_answer_changes_places_with_the_next() {
    let mut venue = Venue::new(Dialect::Page);
    venue.input(reorder("*"));
    let mut ask = |id: u64| {
        let request =
            HttpIn { id, method: "GET".into(), path: "/ap/Ping".into(), ..HttpIn::default() };
        venue.server.handle(venue.now, ServerIn::Request(request));
        let mut answered = Vec::new();
        while let Some(out) = venue.server.poll(venue.now) {
            let ServerOut::Response(out) = out else { panic!("{out:?}") };
            answered.push(out.id);
        }
        answered
    };
    assert_eq!((ask(1), ask(2), ask(3)), (vec![], vec![2, 1], vec![3]));
}

/// FLOW-E14: every connection of the user hears of it and is nobody afterwards; others are not
/// touched.
#[test]
fn the_venue_ends_a_users_sessions() {
    let mut venue = Venue::new(Dialect::Page);
    let told = venue.input(ServerIn::LogOut { user: "ana".into() });
    let told: Vec<(u32, &str)> = told.iter().map(|got| (got.conn, got.n.as_str())).collect();
    assert_eq!(told, [(1, "LogoutEvent")]);
    assert_eq!(field(&venue.ask(1, "GetUserInfo", "{}"), "errorcode"), "20");
    assert_eq!(field(&venue.ask(2, "GetUserInfo", "{}"), "UserName"), "\"bia\"");
    assert_eq!(venue.input(ServerIn::LogOut { user: "nobody".into() }), []);
}

/// FLOW-S06 and F29: ids near 2^63 that come back from a double, in any language, as they went.
#[test]
fn ids_far_apart_survive_doubles() {
    let mut config = config(Dialect::Native);
    config.exchange.first_order_id = crate::run::venue::FIRST_ORDER_ID;
    config.conduct.order_step = 640_000;
    let mut venue = Venue::with(config);
    for client in 1..=3 {
        venue.limit(1, 0, "0.1", "90", client);
    }
    let open = venue.server.exchange().open_orders(AccountNumber(ANA));
    let ids: Vec<i64> = open.iter().map(|order| order.id.0).collect();
    assert_eq!(ids.len(), 3);
    for id in ids {
        #[allow(clippy::cast_precision_loss)]
        let double = id as f64;
        // What Python and JavaScript make of it: the nearest integer, and the shortest digits.
        assert_eq!(format!("{double:.0}"), id.to_string());
        assert_eq!(format!("{double:e}").split('.').next(), Some("9"));
        let digits: String = format!("{double:e}").chars().filter(char::is_ascii_digit).collect();
        let shortest = digits.strip_suffix("18").unwrap_or_default();
        assert_eq!(format!("{shortest:0<19}"), id.to_string());
        let own = format!("{{\"OrderId\":{id}}}");
        assert_eq!(field(&venue.ask(1, "CancelOrder", &own), "errorcode"), "0");
        let near = format!("{{\"OrderId\":{}}}", id + 1);
        assert_eq!(field(&venue.ask(1, "CancelOrder", &near), "errorcode"), "104");
    }
}
