//! An order's life as its account sees it: replies, events, amounts.

use super::*;

const STATE: [&str; 7] = [
    "ClientOrderId",
    "OrderState",
    "ChangeReason",
    "Quantity",
    "OrigQuantity",
    "QuantityExecuted",
    "AvgPrice",
];

fn states(frames: &[Got], conn: u32) -> Vec<String> {
    events(frames, conn, "OrderStateEvent", &STATE)
}

fn amounts(frames: &[Got], conn: u32) -> Vec<String> {
    events(frames, conn, "AccountPositionEvent", &["ProductSymbol", "Amount", "Hold"])
}

fn names(frames: &[Got], conn: u32) -> Vec<&str> {
    frames.iter().filter(|got| got.conn == conn).map(|got| got.n.as_str()).collect()
}

/// Contract B.3: accepted, partly filled as maker, filled; fees and amounts exact (FLOW-E05 to
/// E07).
#[test]
fn a_limit_order_from_reply_to_last_fill() {
    let mut venue = Venue::new(Dialect::Page);
    let frames = venue.limit(1, 0, "1", "97", 7);
    assert_eq!(names(&frames, 1), ["SendOrder", "OrderStateEvent", "AccountPositionEvent"]);
    assert_eq!(states(&frames, 1), [r#"7 "Working" "NewInputAccepted" 1 1 0 0"#]);
    // The hold is 97 and the dearer fee of 0.2 %.
    assert_eq!(amounts(&frames, 1), [r#""BRL" 1000 97.194"#]);

    let frames = venue.trade(Side::Sell, "97", "0.71");
    assert_eq!(
        names(&frames, 1),
        ["OrderTradeEvent", "OrderStateEvent", "AccountPositionEvent", "AccountPositionEvent"]
    );
    // FLOW-T10: 1 = 0.71 + 0.29.
    assert_eq!(states(&frames, 1), [r#"7 "Working" "Trade" 0.29 1 0.71 97"#]);
    let trade = &frames.iter().find(|got| got.n == "OrderTradeEvent").unwrap().o;
    assert_eq!(
        trade,
        concat!(
            r#"{"OMSId":1,"TradeId":87,"OrderId":9222816249026513000,"AccountId":5,"#,
            r#""ClientOrderId":7,"InstrumentId":1,"Side":"Buy","Quantity":0.71,"Price":97,"#,
            r#""Value":68.87,"TradeTime":637378662618970000,"ContraAcctId":3,"#,
            r#""OrderTradeRevision":1,"Direction":"NoChange"}"#
        )
    );
    // 1000 − 68.87 − 0.06887, and 2 + 0.71; held is the rest of the order.
    assert_eq!(amounts(&frames, 1), [r#""BRL" 931.06113 28.18626"#, r#""BTC" 2.71 0"#]);

    let frames = venue.trade(Side::Sell, "96", "5");
    assert_eq!(states(&frames, 1), [r#"7 "FullyExecuted" "Trade" 0 1 1 97"#]);
    assert_eq!(events(&frames, 1, "OrderTradeEvent", &["TradeId", "OrderTradeRevision"]), ["88 2"]);
    assert_eq!(amounts(&frames, 1), [r#""BRL" 902.903 0"#, r#""BTC" 3 0"#]);
    assert_eq!(names(&frames, 2), Vec::<&str>::new(), "others hear nothing");

    assert_eq!(venue.ask(1, "GetOpenOrders", "{}"), "[]");
    let trades = venue.ask(1, "GetAccountTrades", r#"{"AccountId":5,"Count":50,"StartIndex":0}"#);
    let ids: Vec<serde_json::Value> = serde_json::from_str(&trades).unwrap();
    assert_eq!(ids.iter().map(|t| t["TradeId"].as_i64().unwrap()).collect::<Vec<_>>(), [88, 87]);
    let older = venue.ask(1, "GetAccountTrades", r#"{"Count":50,"StartIndex":1}"#);
    assert_eq!(older, format!("[{trade}]"));
}

/// Later AlphaPoint fields: fee, maker or taker, and why an order ended.
#[test]
fn native_events_say_more() {
    let mut venue = Venue::new(Dialect::Native);
    venue.limit(1, 0, "1", "97", 7);
    let frames = venue.limit(2, 1, "0.5", "97", 8);
    let show = |conn| {
        events(
            &frames,
            conn,
            "OrderTradeEvent",
            &["MakerTaker", "Fee", "FeeProductId", "TradeTimeMS"],
        )
    };
    assert_eq!(show(1), [r#""Maker" 0.0485000000000000000000000000 4 1602269461897"#]);
    assert_eq!(show(2), [r#""Taker" 0.0970000000000000000000000000 4 1602269461897"#]);
    let frames = venue.send(1, "CancelAllOrders", r#"{"AccountId":5}"#);
    let keys = ["OrderState", "ChangeReason", "CancelReason", "RejectReason", "OrderRevision"];
    assert_eq!(events(&frames, 1, "OrderStateEvent", &keys[..2]), [r#""Canceled" "UserModified""#]);
    let frames = venue.limit(2, 0, "11", "97", 9);
    let keys = ["OrderState", "ChangeReason", "RejectReason"];
    assert_eq!(
        events(&frames, 2, "OrderStateEvent", &keys),
        [r#""Rejected" "NewInputRejected" "Not_Enough_Funds""#]
    );
}

/// FLOW-E08: with a reply that accepted the order, and with one that did not.
#[test]
fn refusals_are_events_too() {
    for dialect in [Dialect::Page, Dialect::Native] {
        let mut venue = Venue::new(dialect);
        let keys = ["AccountId", "ClientOrderId", "Status", "RejectReason"];
        let frames = venue.limit(1, 0, "11", "97", 9);
        assert_eq!(
            events(&frames, 1, "NewOrderRejectEvent", &keys),
            [r#"5 9 "Rejected" "Not_Enough_Funds""#]
        );
        let frames = venue.limit(1, 0, "1", "0", 10);
        assert_eq!(
            events(&frames, 1, "NewOrderRejectEvent", &keys),
            [r#"5 10 "Rejected" "Invalid_Price""#]
        );
    }
}

/// FLOW-V15: a market order without a book, what is left of an IOC, a FOK that cannot be.
#[test]
fn the_system_cancels() {
    let mut venue = Venue::new(Dialect::Page);
    venue.book(true, &[(BookSide::Bid, "90", "1"), (BookSide::Ask, "100", "0.4")]);
    let mut send = |client: i64, more: &str| {
        let o = format!(
            "{{\"InstrumentId\":1,\"Side\":0,\"Quantity\":1,\"ClientOrderId\":{client},{more}}}"
        );
        states(&venue.send(1, "SendOrder", &o), 1)
    };
    assert_eq!(
        send(1, "\"OrderType\":2,\"LimitPrice\":100,\"TimeInForce\":4"),
        [
            r#"1 "Working" "NewInputAccepted" 1 1 0 0"#,
            r#"1 "Canceled" "SystemCanceled_NoMoreMarket" 1 1 0 0"#,
        ]
    );
    assert_eq!(
        send(2, "\"OrderType\":2,\"LimitPrice\":100,\"TimeInForce\":3"),
        [
            r#"2 "Working" "NewInputAccepted" 1 1 0 0"#,
            r#"2 "Working" "Trade" 0.6 1 0.4 100"#,
            r#"2 "Canceled" "SystemCanceled_NoMoreMarket" 0.6 1 0.4 100"#,
        ]
    );
    assert_eq!(
        send(3, "\"OrderType\":1"),
        [
            r#"3 "Working" "NewInputAccepted" 1 1 0 0"#,
            r#"3 "Canceled" "SystemCanceled_NoMoreMarket" 1 1 0 0"#,
        ]
    );
}

/// FLOW-C23: the old order ends by its user, the new one stands; FLOW-E11 when it cannot.
#[test]
fn replaced_reduced_and_refused() {
    let mut venue = Venue::new(Dialect::Page);
    venue.limit(1, 0, "1", "95", 7);
    let replace = |id: i64, client: i64, price: &str| {
        format!(
            "{{\"OrderIdToReplace\":{id},\"ClientOrderId\":{client},\"Quantity\":0.5,\
             \"LimitPrice\":{price},\"OrderType\":2,\"InstrumentId\":1,\"Side\":0}}"
        )
    };
    let frames = venue.send(1, "CancelReplaceOrder", &replace(FIRST_ORDER, 8, "96"));
    assert_eq!(
        states(&frames, 1),
        [r#"7 "Canceled" "UserModified" 1 1 0 0"#, r#"8 "Working" "NewInputAccepted" 0.5 0.5 0 0"#,]
    );
    let open = venue.ask(1, "GetOpenOrders", "{}");
    assert!(open.contains(r#""OrigOrderId":9222816249026513000,"OrigClOrdId":7"#), "{open}");
    let frames = venue.send(1, "CancelReplaceOrder", &replace(FIRST_ORDER, 9, "96"));
    let keys = ["OrderIdToReplace", "ClientOrderId", "LimitPrice", "TimeInForce", "RejectReason"];
    assert_eq!(
        events(&frames, 1, "CancelReplaceOrderRejectEvent", &keys),
        [r#"9222816249026513000 9 96 1 "Order Not Found""#]
    );
    assert_eq!(states(&frames, 1), Vec::<String>::new());
    let o = r#"{"OrderId":9222816249026513001,"Quantity":0.2}"#;
    let frames = venue.send(1, "ModifyOrder", o);
    assert_eq!(states(&frames, 1), [r#"8 "Working" "UserModified" 0.2 0.2 0 0"#]);
}

/// FLOW-E09, for an order that is over and for one that never was.
#[test]
fn cancels_that_come_too_late() {
    let mut venue = Venue::new(Dialect::Page);
    venue.limit(1, 0, "1", "95", 7);
    venue.send(1, "CancelOrder", r#"{"ClOrderId":7}"#);
    let keys = ["OrderId", "OrderType", "InstrumentId", "RejectReason"];
    let mut refused = |o: &str| {
        let frames = venue.send(1, "CancelOrder", o);
        events(&frames, 1, "CancelOrderRejectEvent", &keys)
    };
    assert_eq!(
        refused(r#"{"ClOrderId":7}"#),
        [r#"9222816249026513000 "Limit" 1 "Order Not Found""#]
    );
    assert_eq!(refused(r#"{"OrderId":5}"#), [r#"5 "Unknown" 0 "Order Not Found""#]);
}

/// FLOW-P18, FLOW-T12: the keys present make the scope, and a misspelt one is not present.
#[test]
fn the_scope_of_cancel_all() {
    let open_after = |o: &str| {
        let mut venue = Venue::new(Dialect::Page);
        for instrument in [1, 3] {
            let o = format!(
                "{{\"InstrumentId\":{instrument},\"Side\":0,\"Quantity\":1,\"OrderType\":2,\
                 \"LimitPrice\":95}}"
            );
            venue.send(1, "SendOrder", &o);
            venue.send(2, "SendOrder", &o);
        }
        venue.send(1, "CancelAllOrders", o);
        let left = |venue: &mut Venue, conn| {
            let open = venue.ask(conn, "GetOpenOrders", "{}");
            let rows: Vec<serde_json::Value> = serde_json::from_str(&open).unwrap();
            rows.iter().map(|row| row["Instrument"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(left(&mut venue, 2), [1, 3], "never others' orders");
        left(&mut venue, 1)
    };
    let none: [i64; 0] = [];
    assert_eq!(open_after(r#"{"OMSId":1,"AccountId":5,"IntrumentId":"1"}"#), none);
    assert_eq!(open_after(r#"{"OMSId":1,"AccountId":5,"InstrumentId":"1"}"#), [3]);
    assert_eq!(open_after(r#"{"OMSId":1,"AccountId":5}"#), none);
    assert_eq!(open_after(r#"{"UserId":105}"#), none);
    assert_eq!(open_after("{}"), none);
    assert_eq!(open_after(r#"{"AccountId":6}"#), [1, 3]);
    assert_eq!(open_after(r#"{"UserId":106}"#), [1, 3]);
    assert_eq!(open_after(r#"{"AccountId":5,"InstrumentId":77}"#), [1, 3]);
}

/// FLOW-S04: dealt anew, the same frames arrive, and each order's end is told all the same.
#[test]
fn shuffled_events_tell_the_same() {
    let run = |shuffle, seed| {
        let mut venue = Venue::with(ServerConfig { shuffle, seed, ..config(Dialect::Page) });
        for client in 1..=6 {
            venue.limit(1, 0, "0.1", "97", client);
        }
        venue.limit(2, 1, "0.6", "97", 50)
    };
    let plain = run(false, 7);
    assert_eq!(plain[0].n, "SendOrder", "the reply comes first");
    let dealt = run(true, 7);
    assert_eq!(run(true, 7), dealt, "one seed, one order");
    let strip = |frames: &[Got]| {
        let mut texts: Vec<String> =
            frames.iter().map(|got| format!("{} {} {}", got.conn, got.n, got.o)).collect();
        texts.sort();
        texts
    };
    assert_eq!(strip(&plain), strip(&dealt));
    assert!(plain != dealt && run(true, 8) != dealt);
    assert!((0..20).any(|seed| run(true, seed)[0].n != "SendOrder"), "events before the reply");
    let filled = states(&dealt, 1).iter().filter(|s| s.contains("FullyExecuted")).count();
    assert_eq!(filled, 6);
    // One amount for each product and account, so that no order between them is needed.
    assert_eq!((amounts(&dealt, 1).len(), amounts(&dealt, 2).len()), (2, 2));
}

/// Calls take their time; a connection that ends after sending has still sent.
#[test]
fn latency_is_between_socket_and_exchange() {
    let latency = Span::from_millis(20);
    let mut venue = Venue::with(ServerConfig { latency, ..config(Dialect::Page) });
    venue.pass(latency);
    venue.drain();
    assert!(venue.limit(1, 0, "1", "95", 7).is_empty());
    let due = venue.now.plus(latency);
    assert_eq!(venue.server.wake_at(), Some(due));
    assert!(venue.input(ServerIn::Closed { conn: 1 }).is_empty());
    venue.pass(latency);
    assert!(venue.drain().is_empty(), "nobody is there to hear it");
    assert_eq!(venue.server.wake_at(), None);
    let open = venue.server.exchange().open_orders(AccountNumber(ANA));
    assert_eq!(open.iter().map(|order| order.received).collect::<Vec<_>>(), [due]);
}

/// FLOW-P08, FLOW-C11, FLOW-E14.
#[test]
fn sessions_are_resumed_and_ended() {
    let mut venue = Venue::new(Dialect::Page);
    let login = r#"{"UserName":"ana","Password":"ana-secret"}"#;
    let token = field(&venue.ask(1, "WebAuthenticateUser", login), "SessionToken");
    venue.input(ServerIn::Closed { conn: 1 });
    venue.input(ServerIn::Opened { conn: 8 });
    venue.input(ServerIn::Opened { conn: 9 });
    let resume = format!("{{\"SessionToken\":{token}}}");
    for conn in [8, 9] {
        let reply = venue.ask(conn, "WebAuthenticateUser", &resume);
        assert_eq!(
            (field(&reply, "SessionToken"), field(&reply, "UserId")),
            (token.clone(), "105".into())
        );
    }
    let frames = venue.send(8, "LogOut", "{}");
    let heard: Vec<(u32, &str)> = frames.iter().map(|got| (got.conn, got.n.as_str())).collect();
    assert_eq!(heard, [(8, "LogOut"), (9, "LogoutEvent")]);
    for conn in [8, 9] {
        assert_eq!(field(&venue.ask(conn, "GetOpenOrders", "{}"), "errorcode"), "20");
    }
    assert_eq!(venue.ask(8, "WebAuthenticateUser", &resume), r#"{"Authenticated":false}"#);
    // Bia's session lives for an hour after its last call.
    venue.pass(Span::from_secs(3_600));
    assert_eq!(venue.ask(2, "GetOpenOrders", "{}"), "[]");
    venue.pass(Span::from_secs(3_601));
    assert_eq!(field(&venue.ask(2, "GetOpenOrders", "{}"), "errorcode"), "20");
}
