//! Requests and their replies, call by call, in both dialects (FLOW-G01 to G29, FLOW-S05).

use super::*;
use super::{Dialect, Venue};

const DONE: &str = r#"{"result":true,"errormsg":null,"errorcode":0,"detail":null}"#;
const PROCESSING: &str = r#"{"status":"Processing","errormsg":""}"#;

/// A venue where Ana has a working order (13000) and Bia none.
fn venue(dialect: Dialect) -> Venue {
    let mut venue = Venue::new(dialect);
    venue.limit(1, 0, "1", "95", 99);
    venue
}

fn check(conn: u32, n: &str, o: &str, page: &str, native: &str) {
    let got = venue(Dialect::Page).ask(conn, n, o);
    assert_eq!(got, page, "{n} {o} on the page");
    let got = venue(Dialect::Native).ask(conn, n, o);
    assert_eq!(got, native, "{n} {o} natively");
}

fn same(conn: u32, n: &str, o: &str, both: &str) {
    check(conn, n, o, both, both);
}

#[test]
fn ping_is_answered_by_any_spelling() {
    for n in ["Ping", "ping", "PING"] {
        same(0, n, "{}", r#"{"msg":"PONG"}"#);
    }
}

/// FLOW-C04, FLOW-P07, FLOW-P10; the token comes from the seed.
#[test]
fn login_replies() {
    let mut page = Venue::new(Dialect::Page);
    let reply = page.ask(0, "WebAuthenticateUser", r#"{"UserName":"ana","Password":"ana-secret"}"#);
    let token = field(&reply, "SessionToken");
    assert_eq!(reply, format!(r#"{{"Authenticated":true,"SessionToken":{token},"UserId":105}}"#));
    let parts: Vec<usize> = token.trim_matches('"').split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    let again = Venue::new(Dialect::Page).ask(
        0,
        "WebAuthenticateUser",
        r#"{"username":"ana","PASSWORD":"ana-secret"}"#,
    );
    assert_eq!(field(&again, "SessionToken"), token, "one seed, one token");

    let mut native = Venue::new(Dialect::Native);
    let o = r#"{"UserName":"ana","Password":"ana-secret"}"#;
    let user = field(&native.ask(0, "WebAuthenticateUser", o), "User");
    assert_eq!(
        user,
        concat!(
            r#"{"UserId":105,"UserName":"ana","Email":"","EmailVerified":true,"AccountId":5,"#,
            r#""OMSId":1,"Use2FA":false}"#
        )
    );
    for o in [
        r#"{"UserName":"ana","Password":"wrong"}"#,
        r#"{"UserName":"eve","Password":"ana-secret"}"#,
        r#"{"UserName":"ana"}"#,
        r#"{"SessionToken":"7d0ccf3a-ae63-44f5-a409-2301d80228bc"}"#,
    ] {
        check(
            0,
            "WebAuthenticateUser",
            o,
            r#"{"Authenticated":false}"#,
            r#"{"Authenticated":false,"Locked":false,"errormsg":"Invalid username or password"}"#,
        );
    }
}

#[test]
fn subscriptions_and_their_ends() {
    check(
        1,
        "SubscribeAccountEvents",
        r#"{"AccountId":5,"OMSId":1}"#,
        r#"{"result":true}"#,
        r#"{"Subscribe":true}"#,
    );
    let o = r#"{"OMSId":1,"InstrumentId":1}"#;
    check(0, "UnsubscribeTrades", o, r#"{"result":true}"#, DONE);
    for n in ["UnsubscribeTicker", "UnsubscribeLevel1", "UnsubscribeLevel2"] {
        same(0, n, o, DONE);
    }
    for n in ["SubscribeTrades", "SubscribeTicker", "GetLastTrades"] {
        same(0, n, o, "[]");
    }
    same(0, "LogOut", "{}", DONE);
}

/// The words of NDAX, FLOW-F11 and FLOW-F08.
#[test]
fn intervals_and_instruments_that_are_not_offered() {
    let supported =
        "[60,300,900,1800,3600,7200,14400,21600,43200,86400,604800,2419200,9676800,31449600]";
    let refusal = |message: &str| {
        format!(r#"{{"result":false,"errormsg":"{message}","errorcode":100,"detail":null}}"#)
    };
    let interval =
        refusal(&format!("Unsupported Ticker Interval. Supported intervals are {supported}"));
    same(0, "SubscribeTicker", r#"{"OMSId":1,"InstrumentId":1,"Interval":1}"#, &interval);
    same(0, "SubscribeTicker", r#"{"OMSId":1,"InstrumentId":1,"Interval":"300"}"#, "[]");
    same(0, "SubscribeTrades", r#"{"OMSId":1,"Symbol":"btcbrl"}"#, "[]");
    // FLOW-P06.
    let unknown = refusal("Invalid InstrumentId: 10000");
    for n in ["SubscribeTrades", "SubscribeLevel1", "SubscribeLevel2", "GetL2Snapshot", "GetLevel1"]
    {
        same(0, n, r#"{"OMSId":1,"InstrumentId":10000}"#, &unknown);
    }
    same(
        0,
        "SubscribeTrades",
        r#"{"OMSId":1,"Symbol":"BTCUSD"}"#,
        &refusal("Invalid Symbol: BTCUSD"),
    );
}

/// FLOW-C13, FLOW-C14, FLOW-X04.
#[test]
fn what_is_listed() {
    let btc = concat!(
        r#"{"OMSId":1,"ProductId":1,"Product":"BTC","ProductFullName":"Bitcoin","#,
        r#""ProductType":"CryptoCurrency","DecimalPlaces":8}"#
    );
    same(0, "GetProduct", r#"{"OMSId":1,"ProductId":1}"#, btc);
    same(0, "GetProduct", r#"{"OMSId":1,"Symbol":"btc"}"#, btc);
    let mut venue = Venue::new(Dialect::Page);
    assert!(venue.ask(0, "GetProducts", "{}").starts_with(&format!("[{btc},{{")));
    let rows = venue.ask(0, "GetInstruments", r#"{"OMSId":1}"#);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&rows).unwrap();
    assert_eq!(rows.len(), 9);
    let one = venue.ask(0, "GetInstrument", r#"{"InstrumentId":6}"#);
    assert_eq!(
        one,
        concat!(
            r#"{"OMSId":1,"InstrumentId":6,"Symbol":"ETHBTC","Product1":2,"#,
            r#""Product1Symbol":"ETH","Product2":1,"Product2Symbol":"BTC","#,
            r#""InstrumentType":"Standard","VenueInstrumentId":6,"VenueId":1,"SortIndex":0,"#,
            r#""SessionStatus":"Running","PreviousSessionStatus":"Stopped","#,
            r#""QuantityIncrement":0.00000001,"PriceIncrement":0.00000001,"#,
            r#""MinimumQuantity":0.0001,"MinimumPrice":0.00000001,"IsDisable":false}"#
        )
    );
}

/// FLOW-C15, FLOW-C17, FLOW-X05, and FLOW-X03 with an order's hold.
#[test]
fn the_user_and_his_account() {
    same(
        1,
        "GetUserInfo",
        "{}",
        concat!(
            r#"{"UserId":105,"UserName":"ana","Email":"","PasswordHash":"","#,
            r#""PendingEmailCode":"","EmailVerified":true,"AccountId":5,"#,
            r#""DateTimeCreated":"2020-01-01T00:00:00Z","AffiliateId":0,"RefererId":0,"#,
            r#""OMSId":1,"Use2FA":false,"PendingCodeTime":"2020-01-01T00:00:00Z"}"#
        ),
    );
    same(
        1,
        "GetAccountInfo",
        r#"{"OMSId":1,"AccountId":5}"#,
        concat!(
            r#"{"OMSID":1,"AccountId":5,"AccountName":"Primary Account","#,
            r#""AccountType":"Asset","FeeGroupID":0,"ParentID":0,"RiskType":"Normal","#,
            r#""VerificationLevel":0,"FeeProductType":"BaseProduct","FeeProduct":0,"#,
            r#""RefererId":0,"AffiliateId":null,"SupportedVenueIds":[]}"#
        ),
    );
    same(1, "GetUserAccounts", "{}", "[5]");
    let got = venue(Dialect::Page).ask(1, "GetAccountPositions", r#"{"AccountId":5,"OMSId":1}"#);
    let nothing =
        r#""PendingDeposits":0,"PendingWithdraws":0,"TotalDayDeposits":0,"TotalDayWithdraws":0"#;
    assert_eq!(
        got,
        format!(
            concat!(
                r#"[{{"OMSId":1,"AccountId":5,"ProductSymbol":"BRL","ProductId":4,"Amount":1000,"#,
                r#""Hold":95.19,{nothing}}},{{"OMSId":1,"AccountId":5,"ProductSymbol":"BTC","#,
                r#""ProductId":1,"Amount":2,"Hold":0,{nothing}}}]"#
            ),
            nothing = nothing
        )
    );
    let got = venue(Dialect::Native).ask(1, "GetAccountPositions", "{}");
    assert!(
        got.contains(r#""Amount":1000.0000000000000000000000000,"Hold":95.19000000000000000000"#)
    );
}

/// Contract A.9: the order object of the page, exactly; natively an array (FLOW-F19) with later
/// fields.
#[test]
fn order_objects() {
    let order = concat!(
        r#"{"Side":"Buy","OrderId":9222816249026513000,"Price":95,"Quantity":1,"#,
        r#""Instrument":1,"Account":5,"OrderType":"Limit","ClientOrderId":99,"#,
        r#""OrderState":"Working","ReceiveTime":637378662618970000,"OrigQuantity":1,"#,
        r#""QuantityExecuted":0,"AvgPrice":0,"ChangeReason":"NewInputAccepted","#,
        r#""OrigOrderId":9222816249026513000,"OrigClOrdId":99,"EnteredBy":105}"#
    );
    let mut page = venue(Dialect::Page);
    let status = r#"{"OMSId":1,"AccountId":5,"OrderId":9222816249026513000}"#;
    assert_eq!(page.ask(1, "GetOrderStatus", status), order);
    for n in ["GetOpenOrders", "GetOrderHistory", "GetOrdersHistory", "GetOrderHistoryByOrderId"] {
        assert_eq!(page.ask(1, n, r#"{"OMSId":1,"AccountId":5}"#), format!("[{order}]"), "{n}");
    }
    assert_eq!(page.ask(1, "GetOrdersHistory", r#"{"ClientOrderId":98}"#), "[]");
    assert_eq!(page.ask(2, "GetOpenOrders", "{}"), "[]");
    let native = venue(Dialect::Native).ask(1, "GetOrderStatus", status);
    assert!(native.starts_with(r#"[{"Side":"Buy","OrderId":9222816249026513000,"Price":95.00000"#));
    for later in [
        r#""ReceiveTime":1602269461897,"#,
        r#""LastUpdatedTime":1602269461897,"#,
        r#""RejectReason":null,"CancelReason":null}]"#,
    ] {
        assert!(native.contains(later), "{later} in {native}");
    }
    // FLOW-R10: unknown, and somebody else's.
    let unknown =
        r#"{"result":false,"errormsg":"Resource Not Found","errorcode":104,"detail":null}"#;
    same(1, "GetOrderStatus", r#"{"OrderId":1}"#, unknown);
    same(2, "GetOrderStatus", r#"{"OrderId":9222816249026513000}"#, unknown);
}

/// FLOW-C21, FLOW-P06, contract B.3.
#[test]
fn sent_orders() {
    let send = |conn, more: &str, page: &str, native: &str| {
        let o = format!("{{\"AccountId\":0,\"InstrumentId\":1,\"OMSId\":1,{more}}}");
        check(conn, "SendOrder", &o, page, native);
    };
    let accepted = r#"{"status":"Accepted","errormsg":"","OrderId":9222816249026513001}"#;
    let both = |more: &str| send(2, more, accepted, accepted);
    both(concat!(
        r#""ClientOrderId":99,"Side":0,"Quantity":1,"DisplayQuantity":0,"OrderType":2,"#,
        r#""LimitPrice":95,"StopPrice":96,"OrderIdOCO":0"#
    ));
    both(r#""Side":1,"Quantity":"0.5","OrderType":1"#);
    both(r#""side":"Sell","quantity":0.5,"ORDERTYPE":"Limit","limitPrice":"96.5","TimeInForce":3"#);
    both(r#""Side":1,"Quantity":0.5,"OrderType":3,"StopPrice":90,"LimitPrice":0"#);
    both(r#""Side":1,"Quantity":0.5,"OrderType":4,"StopPrice":90,"LimitPrice":89,"TimeInForce":4"#);
    both(r#""Side":1,"Quantity":0.5,"OrderType":2,"LimitPrice":96,"TimeInForce":5"#);
    let refused =
        |reason: &str| format!(r#"{{"status":"Rejected","errormsg":"{reason}","errorcode":101}}"#);
    let later = |more: &str, reason: &str| send(2, more, accepted, &refused(reason));
    later(r#""Side":0,"Quantity":11,"OrderType":2,"LimitPrice":95"#, "Not_Enough_Funds");
    later(r#""Side":0,"Quantity":1,"OrderType":2,"LimitPrice":95.001"#, "Invalid_Price");
    later(r#""Side":0,"Quantity":0.000001,"OrderType":2,"LimitPrice":95"#, "Invalid_Quantity");
    later(
        r#""Side":1,"Quantity":1,"OrderType":2,"LimitPrice":95,"TimeInForce":5"#,
        "Post_Only_Would_Take",
    );
    let at_once = |more: &str, reason: &str| send(2, more, &refused(reason), &refused(reason));
    at_once(r#""Side":0,"Quantity":1,"OrderType":2"#, "Invalid_Price");
    at_once(r#""Side":0,"Quantity":1,"OrderType":3,"StopPrice":-1"#, "Invalid_Price");
    at_once(r#""Side":0,"Quantity":-1,"OrderType":1"#, "Invalid_Quantity");
    let invalid = |code: i64, message: &str, detail: &str| {
        format!(
            r#"{{"result":false,"errormsg":"{message}","errorcode":{code},"detail":"{detail}"}}"#
        )
    };
    let wrong = |more: &str, reply: &str| send(2, more, reply, reply);
    for (more, detail) in [
        (r#""Quantity":1,"OrderType":1"#, "Side is missing"),
        (r#""Side":2,"Quantity":1,"OrderType":1"#, "Side is neither 0 nor 1"),
        (r#""Side":0,"OrderType":1"#, "Quantity is missing"),
        (r#""Side":0,"Quantity":1"#, "OrderType is missing"),
        (r#""Side":0,"Quantity":1,"OrderType":8"#, "OrderType is unknown"),
        (r#""Side":0,"Quantity":1,"OrderType":1,"TimeInForce":9"#, "TimeInForce is unknown"),
        (r#""Side":0,"Quantity":[],"OrderType":1"#, "Quantity is not a number"),
    ] {
        wrong(more, &invalid(100, "Invalid Request", detail));
    }
    for (more, detail) in [
        (r#""Side":0,"Quantity":1,"OrderType":5"#, "OrderType"),
        (r#""Side":0,"Quantity":1,"OrderType":1,"TimeInForce":6"#, "TimeInForce"),
        (r#""Side":0,"Quantity":1,"OrderType":1,"OrderIdOCO":5"#, "OrderIdOCO"),
        (r#""Side":0,"Quantity":1,"OrderType":1,"UseDisplayQuantity":true"#, "UseDisplayQuantity"),
    ] {
        wrong(more, &invalid(106, "Operation Not Supported", detail));
    }
}

/// FLOW-C22 to C25, FLOW-F13, FLOW-P16.
#[test]
fn changes_and_cancels() {
    let not_found =
        r#"{"result":false,"errormsg":"Resource Not Found","errorcode":104,"detail":null}"#;
    let failed = |detail: &str| {
        format!(
            concat!(
                r#"{{"result":false,"errormsg":"Operation Failed","errorcode":101,"#,
                r#""detail":"{detail}"}}"#
            ),
            detail = detail
        )
    };
    let order = r#""OMSId":1,"OrderId":9222816249026513000"#;
    check(1, "CancelOrder", &format!("{{{order}}}"), PROCESSING, DONE);
    check(1, "CancelOrder", r#"{"AccountId":5,"ClOrderId":99,"OrderId":0}"#, PROCESSING, DONE);
    check(1, "CancelOrder", r#"{"AccountId":5,"ClientOrderId":"99"}"#, PROCESSING, DONE);
    check(1, "CancelOrder", r#"{"ClOrderId":98}"#, PROCESSING, not_found);
    check(2, "CancelOrder", &format!("{{{order}}}"), PROCESSING, not_found);
    check(
        1,
        "CancelAllOrders",
        r#"{"AccountId":5,"UserId":105,"OMSId":1,"InstrumentId":1}"#,
        PROCESSING,
        DONE,
    );
    check(
        1,
        "ModifyOrder",
        &format!(r#"{{{order},"InstrumentId":1,"PreviousOrderRevision":1,"Quantity":0.5}}"#),
        "{}",
        DONE,
    );
    let stale = failed("PreviousOrderRevision is out of date");
    same(
        1,
        "ModifyOrder",
        &format!(r#"{{{order},"PreviousOrderRevision":2,"Quantity":0.5}}"#),
        &stale,
    );
    same(1, "ModifyOrder", &format!(r#"{{{order},"Quantity":1.5}}"#), &failed("Invalid_Quantity"));
    same(1, "ModifyOrder", r#"{"OrderId":1,"Quantity":1}"#, not_found);
    let replace = |id: i64, price: &str| {
        format!(
            concat!(
                r#"{{"AccountId":5,"OrderIdToReplace":{id},"ClientOrderId":100,"Quantity":1,"#,
                r#""DisplayQuantity":0,"LimitPrice":{price},"OrderIdOCO":0,"OrderType":2,"#,
                r#""PegPriceType":1,"InstrumentId":1,"TrailingAmount":1,"LimitOffset":2,"Side":0,"#,
                r#""StopPrice":96.6,"TimeInForce":1,"OMSId":1}}"#
            ),
            id = id,
            price = price
        )
    };
    check(
        1,
        "CancelReplaceOrder",
        &replace(FIRST_ORDER, "94"),
        PROCESSING,
        concat!(
            r#"{"ReplacementOrderId":9222816249026513001,"ReplacementClOrdId":100,"#,
            r#""OrigOrderId":9222816249026513000,"OrigClOrdId":99}"#
        ),
    );
    check(1, "CancelReplaceOrder", &replace(FIRST_ORDER + 1, "94"), PROCESSING, not_found);
    check(
        1,
        "CancelReplaceOrder",
        &replace(FIRST_ORDER, "94.001"),
        PROCESSING,
        &failed("Invalid_Price"),
    );
}

/// Contract A.4 inside the page's wrapper (FLOW-F01), bare natively (FLOW-P21); FLOW-T09's
/// arithmetic.
#[test]
fn level1_replies() {
    let reply = |dialect| {
        let mut venue = Venue::new(dialect);
        venue.quote(("24280.08", "1"), ("24518.21", "2"));
        venue.trade(Side::Buy, "25590", "0.02");
        venue.trade(Side::Sell, "24380.1", "0.01");
        venue.ask(0, "GetLevel1", r#"{"OMSId":1,"InstrumentId":1}"#)
    };
    assert_eq!(
        reply(Dialect::Page),
        concat!(
            r#"{"status":"success","data":{"BestBid":24280.08,"BestOffer":24518.21,"#,
            r#""LastTradedPx":24380.1,"LastTradedQty":0.01,"LastTradeTime":1602269461897,"#,
            r#""SessionOpen":25590,"SessionHigh":25590,"SessionLow":24380.1,"#,
            r#""SessionClose":25590,"Volume":0.01,"CurrentDayVolume":0.03,"#,
            r#""CurrentDayNumTrades":2,"CurrentDayPxChange":-1209.9,"Rolling24HrVolume":0.03,"#,
            r#""Rolling24HrNumTrades":2,"#,
            r#""Rolling24HrPxChange":-4.7280187573270808909730363400},"message":null}"#
        )
        .replace("3400}", "34}")
    );
    let native = reply(Dialect::Native);
    assert!(
        native
            .starts_with(r#"{"OMSId":1,"InstrumentId":1,"BestBid":24280.08,"BestOffer":24518.21,"#)
    );
    assert!(native.contains(r#""TimeStamp":"1602269461897","#));
    assert!(
        native.ends_with(r#""BidQty":1,"AskQty":2,"BidOrderCt":1,"AskOrderCt":1}"#),
        "{native}"
    );
    let mut empty = Venue::new(Dialect::Native);
    let o = empty.ask(0, "SubscribeLevel1", r#"{"InstrumentId":2}"#);
    assert_eq!((field(&o, "BestBid"), field(&o, "LastTradeTime")), ("0".into(), "0".into()));
}

/// Contract A.5 and FLOW-T01's rows.
#[test]
fn book_snapshots() {
    let mut venue = Venue::new(Dialect::Page);
    venue.trade(Side::Buy, "60705.10", "1");
    let levels = [
        (BookSide::Bid, "60727.05", "0.02764813"),
        (BookSide::Bid, "60721.55", "1.97235187"),
        (BookSide::Ask, "61282.99", "1.56584245"),
        (BookSide::Ask, "61288.53", "0.10401187"),
    ];
    venue.book(true, &levels);
    let o = r#"{"OMSId":1,"InstrumentId":1,"Depth":1}"#;
    let two = concat!(
        "[[0,1,1602269461897,0,60705.1,1,60727.05,1,0.02764813,0],",
        "[0,1,1602269461897,0,60705.1,1,61282.99,1,1.56584245,1]]"
    );
    assert_eq!(venue.ask(0, "GetL2Snapshot", o), two);
    assert_eq!(venue.ask(0, "SubscribeLevel2", o), two);
    let all = venue.ask(0, "GetL2Snapshot", r#"{"omsid":1,"instrumentid":"1"}"#);
    assert_eq!(all.matches("],[").count(), 3);
}

/// FLOW-P04, FLOW-P06, FLOW-S01.
#[test]
fn functions_that_are_not_there() {
    let mut venue = Venue::new(Dialect::Page);
    let got = venue.raw(1, r#"{"m":0,"i":26,"n":"NoSuchFunction","o":"{}"}"#);
    let expected = Got {
        conn: 1,
        m: 5,
        i: "26".to_owned(),
        n: "NoSuchFunction".to_owned(),
        o: "Endpoint not found".to_owned(),
    };
    assert_eq!(got, [expected]);
}
