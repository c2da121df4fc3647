//! Tonces, the limit of requests, and faults (MB-S02, S03, S07).

use super::*;
use crate::simulator::faults::{SWAP, What, When};

/// MB-P06, MB-F06, MB-F17: strictly increasing for each key, apart.
#[test]
fn tonces() {
    let refused = error("Tonce inválido: deve ser maior que o anterior.");
    let mut venue = Venue::new();
    for (key, tonce, right) in [
        ("ana", "100", true),
        ("ana", "100", false),
        ("ana", "99", false),
        ("ana-2", "50", true),
        ("ana", "101", true),
        ("ana", "1381414719000", true),
        ("ana", "1381414720", false),
        ("ana", "", false),
        ("ana", "x", false),
        ("ana-2", "51.5", false),
        ("ana-2", "99999999999999999999999", false),
        ("ana-2", "-1", false),
    ] {
        let got = venue.signed(key, &format!("method=getInfo&tonce={tonce}"));
        assert_eq!(got != refused, right, "{key} {tonce}");
    }
    let mut near = config();
    near.tonce_window = Some(Span::from_secs(30));
    let mut venue = Venue::with(near);
    for (tonce, right) in [(1_381_414_600, false), (1_381_414_719, true), (1_381_414_750, false)] {
        let got = venue.signed("ana", &format!("method=getInfo&tonce={tonce}"));
        assert_eq!(got != refused, right, "{tonce}");
    }
    venue.server.handle(venue.now, In::Skew(Span::from_secs(31)));
    let got = venue.signed("ana", "method=getInfo&tonce=1381414750");
    assert!(got.contains("\"server_time\":\"1381414750\""), "{got}");
}

/// MB-R07, MB-G06, MB-S03: 60 of a user in any 60 s over all his keys; a refusal spends no tonce.
#[test]
fn sixty_requests_in_sixty_seconds() {
    let mut venue = Venue::new();
    let refused = error("Taxa de requests acima do permitido.");
    for at in 0..60 {
        let key = if at % 2 == 0 { "ana" } else { "ana-2" };
        assert_ne!(venue.call(key, "getInfo", ""), refused, "{at}");
        venue.now = venue.now.plus(Span::from_millis(500));
    }
    assert_eq!(venue.call("ana", "getInfo", ""), refused);
    assert_ne!(venue.call("bia", "getInfo", ""), refused, "another user");
    venue.now = venue.now.plus(Span::from_millis(30_000 - 1));
    assert_eq!(venue.call("ana", "getInfo", ""), refused);
    venue.now = venue.now.plus(Span::from_millis(1));
    venue.tonce -= 1;
    assert_ne!(venue.call("ana", "getInfo", ""), refused, "the first has left the window");
    assert_eq!(venue.call("ana", "getInfo", ""), refused);
}

/// MB-S07: (fault, status or 0 for a dropped connection, orders at the venue).
#[test]
fn faults() {
    for (what, status, orders) in [
        (What::DropBefore, 0, 0),
        (What::DropAfter, 0, 1),
        (What::Delay(Span::from_secs(1)), 200, 1),
        (What::Duplicate, 200, 1),
        (What::Html(503), 503, 0),
        (What::Truncate, 200, 1),
        (What::TooMany, 200, 0),
        (What::Error("?".to_owned()), 200, 0),
    ] {
        let mut venue = Venue::new();
        let fault = Fault { on: "trade".to_owned(), when: When::Nth(1), what: what.clone() };
        venue.server.handle(venue.now, In::Faults(vec![fault]));
        let body = format!("method=Trade&tonce=1{TRADE}");
        let sign = sign(&body);
        let out = venue.raw("/tapi/v2/", &[("Key", "ana"), ("Sign", &sign)], body.as_bytes());
        let got = match &out.reply {
            Reply::Answer(page) => page.status,
            Reply::Drop => 0,
        };
        let open = venue.server.exchange().open_orders(AccountNumber(1)).len();
        assert_eq!((got, open), (status, orders), "{what:?}");
    }
}

/// MB-D's fence: a Trade that arrives after a larger tonce is refused.
#[test]
fn a_late_trade_behind_a_larger_tonce_is_refused() {
    let mut venue = Venue::new();
    let hold = What::Hold(Span::from_secs(5));
    let fault = Fault { on: "Trade".to_owned(), when: When::Nth(1), what: hold };
    venue.server.handle(venue.now, In::Faults(vec![fault]));
    let body = format!("method=Trade&tonce=10{TRADE}");
    let request = HttpIn {
        id: 99,
        method: "POST".to_owned(),
        path: "/tapi/v2/".to_owned(),
        headers: vec![("Key".to_owned(), "ana".to_owned()), ("Sign".to_owned(), sign(&body))],
        body: body.into_bytes(),
        ..HttpIn::default()
    };
    venue.server.handle(venue.now, In::Request(request));
    assert_eq!(venue.server.poll(venue.now), None);
    venue.signed("ana", "method=OrderList&tonce=11&pair=btc_brl");
    venue.now = venue.server.wake_at().unwrap();
    let out = venue.server.poll(venue.now).unwrap();
    assert_eq!((out.id, text(&out)), (99, error("Tonce inválido: deve ser maior que o anterior.")));
    assert!(venue.server.exchange().open_orders(AccountNumber(1)).is_empty());
}

/// An answer that changes places with the next, or leaves alone after a while.
#[test]
fn answers_change_places() {
    let mut venue = Venue::new();
    let fault = |nth| Fault { on: "ticker".to_owned(), when: nth, what: What::Reorder };
    venue.server.handle(venue.now, In::Faults(vec![fault(When::Nth(1)), fault(When::Nth(3))]));
    let mut ask = |id| {
        let request = HttpIn {
            id,
            method: "GET".to_owned(),
            path: "/api/BTC/ticker/".to_owned(),
            ..HttpIn::default()
        };
        venue.server.handle(venue.now, In::Request(request));
        let now = venue.now;
        std::iter::from_fn(|| venue.server.poll(now)).map(|out| out.id).collect::<Vec<_>>()
    };
    assert_eq!((ask(1), ask(2), ask(3)), (vec![], vec![2, 1], vec![]));
    let wake = venue.server.wake_at().unwrap();
    assert_eq!(wake, venue.now.plus(SWAP));
    assert_eq!(venue.server.poll(wake).map(|out| out.id), Some(3));
}
