//! Clients that are broken, not logged in, or ill-meant.

use super::*;
use proptest::prelude::*;

const DENIED: &str = r#"{"result":false,"errormsg":"Not Authorized","errorcode":20,"detail":null}"#;

const PRIVATE: [&str; 17] = [
    "SubscribeAccountEvents",
    "GetUserInfo",
    "GetAccountInfo",
    "GetUserAccounts",
    "GetAccountPositions",
    "GetAccountTrades",
    "GetTradesHistory",
    "GetOpenOrders",
    "GetOrderStatus",
    "GetOrderHistory",
    "GetOrdersHistory",
    "GetOrderHistoryByOrderId",
    "SendOrder",
    "ModifyOrder",
    "CancelReplaceOrder",
    "CancelOrder",
    "CancelAllOrders",
];

/// FLOW-R11, FLOW-R10.
#[test]
fn private_calls_need_a_login() {
    let mut venue = Venue::new(Dialect::Page);
    for n in PRIVATE {
        assert_eq!(venue.ask(0, n, "{}"), DENIED, "{n}");
        assert_eq!(venue.ask(0, n, "not json"), DENIED, "{n}");
    }
}

/// FLOW-C25: only an operator may touch others' orders, and there is none.
#[test]
fn others_accounts_are_out_of_reach() {
    let mut venue = Venue::new(Dialect::Page);
    venue.limit(2, 0, "1", "95", 1);
    let order = concat!(
        r#"{"AccountId":6,"OrderId":9222816249026513000,"#,
        r#""OrderIdToReplace":9222816249026513000,"InstrumentId":1,"Side":0,"#,
        r#""Quantity":0.5,"OrderType":1}"#
    );
    for n in PRIVATE {
        if !["GetUserInfo", "GetUserAccounts"].contains(&n) {
            assert_eq!(venue.ask(1, n, order), DENIED, "{n}");
        }
    }
    assert_eq!(venue.server.exchange().open_orders(AccountNumber(BIA)).len(), 1);
}

#[test]
fn broken_frames_are_answered() {
    let mut venue = Venue::new(Dialect::Page);
    for text in ["", "hello", "[]", "{", "\"", "{\"m\":0}", "{\"m\":0,\"n\":\"Ping\",\"o\":[]}"] {
        let got = venue.raw(1, text);
        assert_eq!(
            (got.len(), got[0].m, field(&got[0].o, "errorcode")),
            (1, 5, "100".into()),
            "{text}"
        );
    }
    // A broken `o` is answered under its own number; so is a type that only servers send.
    for (m, o) in [(0, "[]"), (0, "{\\\"x\\\""), (0, "plain"), (1, "{}"), (3, "{}"), (9, "{}")] {
        let got = venue.raw(1, &format!("{{\"m\":{m},\"i\":44,\"n\":\"Ping\",\"o\":\"{o}\"}}"));
        assert_eq!((got[0].m, got[0].i.as_str()), (1, "44"));
        assert_eq!(field(&got[0].o, "errormsg"), "\"Invalid Request\"");
    }
}

/// FLOW-S02: a frame that was stringified once more.
#[test]
fn stringified_frames_are_served() {
    let mut venue = Venue::new(Dialect::Page);
    let text = serde_json::to_string(r#"{"m":0,"i":5,"n":"ping","o":"{}"}"#).unwrap();
    let got = venue.raw(0, &text);
    assert_eq!((got[0].m, got[0].i.as_str(), got[0].o.as_str()), (1, "5", r#"{"msg":"PONG"}"#));
}

#[test]
fn a_frame_without_end_ends_the_connection() {
    let mut venue = Venue::new(Dialect::Page);
    let text = format!("{{\"m\":0,\"n\":\"Ping\",\"o\":\"{}\"}}", "x".repeat(70_000));
    venue.server.handle(venue.now, ServerIn::Frame { conn: 0, text });
    assert_eq!(venue.server.poll(venue.now), Some(ServerOut::Close { conn: 0 }));
    assert!(venue.send(0, "Ping", "{}").is_empty());
    assert_eq!(venue.ask(1, "Ping", "{}"), r#"{"msg":"PONG"}"#);
}

/// News of an instrument that is not listed, or of none of the market's kinds, changes nothing.
#[test]
fn foreign_news_is_ignored() {
    let mut venue = Venue::new(Dialect::Page);
    venue.send(0, "SubscribeTrades", r#"{"InstrumentId":1}"#);
    let trade = Trade {
        time: venue.now,
        instrument: InstrumentId(900),
        price: dec("1"),
        qty: dec("1"),
        side: None,
        id: 1,
    };
    assert!(venue.input(ServerIn::Market(Event::Trade(trade))).is_empty());
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        (0i64..6).prop_map(|n| n.to_string()),
        (FIRST_ORDER..FIRST_ORDER + 4).prop_map(|n| n.to_string()),
        "[0-9]{1,30}(\\.[0-9]{1,30})?(e-?[0-9]{1,3})?",
        Just("null".to_owned()),
        Just("\"0.1\"".to_owned()),
        Just("[]".to_owned()),
    ]
}

/// A request of a known call with arbitrary values under known keys.
fn request() -> impl Strategy<Value = (String, String)> {
    const KEYS: [&str; 17] = [
        "AccountId",
        "InstrumentId",
        "Side",
        "Quantity",
        "OrderType",
        "LimitPrice",
        "StopPrice",
        "TimeInForce",
        "OrderId",
        "ClOrderId",
        "ClientOrderId",
        "OrderIdToReplace",
        "Count",
        "StartIndex",
        "Depth",
        "IncludeLastCount",
        "PreviousOrderRevision",
    ];
    const PUBLIC: [&str; 6] = [
        "SubscribeTrades",
        "SubscribeLevel2",
        "GetL2Snapshot",
        "GetLevel1",
        "SubscribeTicker",
        "LogOut",
    ];
    let names: Vec<&str> = PRIVATE.into_iter().chain(PUBLIC).collect();
    let pair = (proptest::sample::select(KEYS.to_vec()), number());
    (proptest::sample::select(names), proptest::collection::vec(pair, 0..10)).prop_map(
        |(n, pairs)| {
            let fields: Vec<String> =
                pairs.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
            (n.to_owned(), format!("{{{}}}", fields.join(",")))
        },
    )
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".*") {
        let mut venue = Venue::new(Dialect::Page);
        prop_assert!(venue.raw(1, &text).iter().filter(|got| got.m != 3).count() == 1);
    }

    /// Every request has one reply, and money is neither made nor lost, whatever is asked.
    #[test]
    fn arbitrary_requests_are_answered_once(
        requests in proptest::collection::vec(request(), 1..30),
    ) {
        let mut venue = Venue::new(Dialect::Native);
        venue.book(true, &[(BookSide::Bid, "90", "1"), (BookSide::Ask, "100", "2")]);
        for (n, o) in &requests {
            let frames = venue.send(1, n, o);
            let replies: Vec<&Got> = frames.iter().filter(|got| got.m == 1).collect();
            prop_assert_eq!(replies.len(), 1, "{} {}", n, o);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&replies[0].o).is_ok());
        }
        let exchange = venue.server.exchange();
        for asset in ["BRL", "BTC"] {
            let held = |account| {
                let balances = exchange.balances(AccountNumber(account));
                balances.into_iter().find(|(name, _)| name == asset).unwrap().1
            };
            let outside = exchange.outside().get(asset).copied().unwrap_or_default();
            let fees = exchange.fees_taken().get(asset).copied().unwrap_or_default();
            let start = if asset == "BRL" { dec("2000") } else { dec("4") };
            prop_assert_eq!(held(ANA).total + held(BIA).total + outside + fees, start);
        }
    }
}
