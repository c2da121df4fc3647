//! The page's example answers (FLOW-G) and the vectors FLOW-T01, T02, T03, T09, T10.

use super::*;
use crate::base::{BookSide, decimal};

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

#[test]
fn flow_g03_t01_book_rows() {
    let sides = [
        ("60727.05", "0.02764813", 0),
        ("60721.55", "1.97235187", 0),
        ("60618.89", "0.16588419", 0),
        ("61282.99", "1.56584245", 1),
        ("61288.53", "0.10401187", 1),
        ("61294.07", "0.33014568", 1),
    ];
    let rows: Vec<String> = sides
        .iter()
        .map(|(price, qty, side)| {
            format!("[3300312,1,1602269461897,0,60705.10,1,{price},1,{qty},{side}]")
        })
        .collect();
    let rows = BookRow::read_all(&format!("[{}]", rows.join(","))).unwrap();
    assert!(rows.iter().all(|row| row.update == 3_300_312 && row.instrument == 1));
    assert!(rows.iter().all(|row| row.last == d("60705.1")));
    assert_eq!(rows[0].time.unwrap().to_string(), "2020-10-09T18:51:01.897Z");
    let of = |side| rows.iter().filter(move |row| row.level.side == side);
    let best_bid = of(BookSide::Bid).map(|row| row.level.price).max().unwrap();
    let best_ask = of(BookSide::Ask).map(|row| row.level.price).min().unwrap();
    assert_eq!((best_bid, best_ask), (d("60727.05"), d("61282.99")));
    assert_eq!(best_ask - best_bid, d("555.94"));
    assert_eq!((best_ask + best_bid) / d("2"), d("61005.02"));
    let sum = |side| of(side).map(|row| row.level.qty).sum::<Decimal>();
    assert_eq!((sum(BookSide::Bid), sum(BookSide::Ask)), (d("2.16588419"), d("2.00000000")));
}

#[test]
fn book_rows_remove_levels_and_refuse_nonsense() {
    let removed = "[[52,0,1790134050672,2,1,0,86698.14,7,3.5,1]]";
    assert_eq!(BookRow::read_all(removed).unwrap()[0].level.qty, Decimal::ZERO);
    assert_eq!(BookRow::read_all("[]").unwrap(), []);
    for bad in [
        "[[52,0,1790134050672,3,1,0,86698.14,7,3.5,1]]",
        "[[52,0,1790134050672,0,1,0,86698.14,7,3.5,2]]",
        "[[52,0,1790134050672,0,1,0,86698.14,7,3.5]]",
        "{}",
    ] {
        assert!(BookRow::read_all(bad).is_err(), "{bad}");
    }
}

#[test]
fn flow_g06_t02_trade_rows_of_nine_and_eleven_cells() {
    let nine =
        "[[87,1,0.01,450.98,9222816249026513000,9222816249026513001,635872032000000000,0,1]]";
    let trade = &TradeRow::read_all(nine).unwrap()[0];
    assert_eq!((trade.id, trade.instrument), (87, 1));
    assert_eq!((trade.qty, trade.price), (d("0.01"), d("450.98")));
    assert_eq!(trade.orders, [9_222_816_249_026_513_000, 9_222_816_249_026_513_001]);
    assert_eq!(trade.time.unwrap().to_string(), "2016-01-01T00:00:00Z");
    assert_eq!(trade.taker, Some(Side::Sell));
    let eleven = "[[1677912,7,0.00200,86722.65,4613916155527,1216698119,1790133812302,1,0,0,0]]";
    assert_eq!(TradeRow::read_all(eleven).unwrap()[0].taker, Some(Side::Buy));
}

#[test]
fn flow_g08_t03_bar_rows_are_high_low_open_close() {
    let bar = &BarRow::read_all("[[1468896617000,682,679,680,681,0.4,674.18,680]]").unwrap()[0];
    assert_eq!(bar.end.to_string(), "2016-07-19T02:50:17Z");
    assert_eq!([bar.high, bar.low, bar.open, bar.close], ["682", "679", "680", "681"].map(d));
    assert_eq!([bar.volume, bar.bid, bar.ask], ["0.4", "674.18", "680"].map(d));
    assert_eq!((bar.begin, bar.instrument), (None, None));
    let ten = "[[1710331200000,1,1,1,1,0,0,0,82,1710327600000.5]]";
    let bar = &BarRow::read_all(ten).unwrap()[0];
    assert_eq!(bar.instrument, Some(82));
    assert_eq!(bar.begin, Some(Time::from_millis(1_710_327_600_000)));
}

#[test]
fn flow_g02_t09_level_1_bare_wrapped_or_in_an_array() {
    let bare = r#"{"BestBid":24280.08,"BestOffer":24518.21,"LastTradedPx":24380.1,"LastTradedQty":0.01,"LastTradeTime":1602269461897,"SessionClose":25590,"Volume":0.01,"CurrentDayPxChange":-1209.9,"Rolling24HrPxChange":-4.874442973476934}"#;
    for text in [
        bare.to_owned(),
        format!(r#"{{"status":"success","data":{bare},"message":null}}"#),
        format!("[{bare}]"),
    ] {
        let quote = Level1::read(&text).unwrap();
        assert_eq!([quote.bid, quote.ask, quote.last], ["24280.08", "24518.21", "24380.1"].map(d));
        assert_eq!(quote.time, Some(Time::from_millis(1_602_269_461_897)));
        let fields = Fields::read(&text).unwrap();
        let close = fields.dec("SessionClose").unwrap();
        assert_eq!(fields.dec("CurrentDayPxChange"), Ok(quote.last - close));
        assert_eq!(fields.dec("Volume"), fields.dec("LastTradedQty"));
        let percent = fields.dec("Rolling24HrPxChange").unwrap();
        let base = d("25629.39");
        assert_eq!(((quote.last - base) / base * d("100")).round_dp(6), percent.round_dp(6));
    }
}

#[test]
fn flow_g04_logins_of_both_dialects() {
    let page = r#"{"Authenticated":true,"SessionToken":"7d0ccf3a","UserId":1}"#;
    let login = Login::read(page).unwrap();
    assert!(login.authenticated && login.token == Some(Secret::new("7d0ccf3a")));
    assert_eq!((login.user, login.account), (Some(1), None));
    let rich = r#"{"Authenticated":true,"SessionToken":"t","User":{"UserId":5,"AccountId":7},"Locked":false,"Requires2FA":false}"#;
    let login = Login::read(rich).unwrap();
    assert_eq!((login.user, login.account, login.needs_code), (Some(5), Some(7), false));
    let code = r#"{"Authenticated":true,"Requires2FA":true,"SessionToken":""}"#;
    let login = Login::read(code).unwrap();
    assert!(!login.authenticated && login.needs_code && login.token.is_none());
    let no = r#"{"Authenticated":false,"Locked":true,"errormsg":"Invalid username or password"}"#;
    let login = Login::read(no).unwrap();
    assert!(!login.authenticated && login.locked && login.message.starts_with("Invalid"));
    assert!(Login::read("{}").is_err() && Login::read("TOO MANY REQUESTS").is_err());
}

#[test]
fn refusals_are_told_from_receipts() {
    for (body, expected) in [
        (r#"{"result":true}"#, None),
        (r#"{"Subscribe":true}"#, None),
        (r#"{"result":true,"errormsg":null,"errorcode":0,"detail":null}"#, None),
        (r#"{"status":"Accepted","errormsg":"","OrderId":123}"#, None),
        (r#"{"status":"Processing","errormsg":""}"#, None),
        ("{}", None),
        ("[]", None),
        (r#"{"msg":"PONG"}"#, None),
        (
            r#"{"result":false,"errormsg":"Not Authorized","errorcode":20,"detail":null}"#,
            Some((20, "Not Authorized")),
        ),
        (
            r#"{"status":"Rejected","errormsg":"Not_Enough_Funds","errorcode":101}"#,
            Some((101, "Not_Enough_Funds")),
        ),
        (r#"{"status":"Rejected","errormsg":""}"#, Some((0, "Rejected"))),
        (
            r#"{"result":false,"errormsg":"Invalid InstrumentId: 10000","errorcode":100,"detail":null}"#,
            Some((100, "Invalid InstrumentId: 10000")),
        ),
        ("Endpoint not found", Some((0, "Endpoint not found"))),
        ("<html>503</html>", Some((0, "<html>503</html>"))),
    ] {
        let refused = refusal(body);
        assert_eq!(refused.as_ref().map(|r| (r.code, &*r.text)), expected, "{body}");
    }
}

#[test]
fn some_refusals_leave_the_outcome_open() {
    for (body, ambiguous) in [
        (r#"{"result":false,"errormsg":"Server Error","errorcode":102}"#, true),
        ("<html>503</html>", true),
        ("Something went wrong", true),
        ("TOO MANY REQUESTS", false),
        ("Endpoint Not Found", false),
        (r#"{"status":"Rejected","errormsg":"Not_Enough_Funds","errorcode":101}"#, false),
    ] {
        assert_eq!(refusal(body).unwrap().is_ambiguous(), ambiguous, "{body}");
    }
}

const ORDER: &str = r#"{"Side":"Sell","OrderId":9849,"Price":97,"Quantity":0.29,"Instrument":1,"Account":4,"OrderType":"Limit","ClientOrderId":0,"OrderState":"Working","ReceiveTime":0,"OrigQuantity":1,"QuantityExecuted":0.71,"AvgPrice":0,"ChangeReason":"Unknown","OrigOrderId":9849,"OrigClOrdId":1,"EnteredBy":2}"#;

#[test]
fn flow_g26_g28_g29_t10_orders() {
    for row in [
        OrderRow::read(ORDER).unwrap(),
        OrderRow::read(&format!("[{ORDER}]")).unwrap(),
        OrderRow::read_all(&format!("[{ORDER}]")).unwrap().remove(0),
        OrderRow::read_all(ORDER).unwrap().remove(0),
    ] {
        assert_eq!((row.id, row.client, row.origin_client), (9849, None, Some(1)));
        assert_eq!((row.side, row.kind), (Some(Side::Sell), Some(OrderKind::Limit)));
        assert_eq!((row.state, row.reason.as_str()), (State::Working, ""));
        assert_eq!(row.qty.unwrap(), row.executed + row.remaining.unwrap());
        assert_eq!((row.received, row.price), (None, Some(d("97"))));
    }
    assert_eq!(OrderRow::read_all("[]").unwrap(), []);
    assert!(OrderRow::read_all(r#"[{"OrderState":"Working"}]"#).is_err());
}

#[test]
fn flow_v14_v15_states_and_reasons() {
    for (state, reason, expected) in [
        ("Working", "NewInputAccepted", State::Working),
        ("Canceled", "UserModified", State::Canceled),
        ("Canceled", "SystemCanceled_NoMoreMarket", State::Canceled),
        ("Expired", "Expired", State::Expired),
        ("FullyExecuted", "Trade", State::FullyExecuted),
        ("Rejected", "OtherRejected", State::Rejected),
        ("Pending", "NoChange", State::Unknown),
    ] {
        let text = format!(r#"{{"OrderId":1,"OrderState":"{state}","ChangeReason":"{reason}"}}"#);
        let row = OrderRow::read(&text).unwrap();
        assert_eq!((row.state, row.reason.as_str()), (expected, reason));
    }
    let row = OrderRow::read(
        r#"{"OrderId":1,"OrderState":"Rejected","RejectReason":"Not_Enough_Funds","ChangeReason":"NewInputRejected"}"#,
    );
    assert_eq!(row.unwrap().reason, "Not_Enough_Funds");
}

#[test]
fn flow_g18_e07_fills_with_and_without_a_fee() {
    let page = r#"[{"OMSId":1,"TradeId":230,"OrderId":9861,"AccountId":4,"ClientOrderId":0,"InstrumentId":1,"Side":"Buy","Quantity":2,"Price":95,"Value":190,"TradeTime":635978015145675000,"ContraAcctId":3,"OrderTradeRevision":1,"Direction":"NoChange"}]"#;
    let fill = FillRow::read_all(page).unwrap().remove(0);
    assert_eq!((fill.trade, fill.order, fill.client), (230, Some(9861), None));
    assert_eq!((fill.qty, fill.price, fill.side), (d("2"), d("95"), Some(Side::Buy)));
    assert_eq!(fill.time.unwrap().to_string(), "2016-05-02T15:58:34.5675Z");
    assert_eq!((fill.fee, fill.liquidity), (None, None));
    let rich = r#"{"TradeId":1,"Quantity":"0.0000000100000000000000000000","Price":1.0e-08,"Fee":0,"FeeProductId":4,"MakerTaker":"Maker"}"#;
    let fill = FillRow::read(rich).unwrap();
    assert_eq!((fill.qty, fill.price), (d("0.00000001"), d("0.00000001")));
    assert_eq!((fill.fee, fill.liquidity), (Some((d("0"), Some(4))), Some(Liquidity::Maker)));
    assert!(FillRow::read(r#"{"TradeId":1,"Quantity":1}"#).is_err());
}

#[test]
fn flow_x03_x04_x05_e05_balances_instruments_accounts() {
    let text =
        r#"{"OMSId":1,"AccountId":4,"ProductSymbol":"BTC","ProductId":1,"Amount":1.50,"Hold":0.5}"#;
    let position = Position::read(text).unwrap();
    assert_eq!((position.asset.as_deref(), position.product), (Some("BTC"), Some(1)));
    assert_eq!((position.total, position.held), (d("1.5"), d("0.5")));
    let good = r#"{"InstrumentId":1,"Symbol":"BTCBRL","Product1":1,"Product1Symbol":"BTC","Product2":4,"Product2Symbol":"BRL","SessionStatus":"Running","QuantityIncrement":1.0e-08,"PriceIncrement":0.01,"MinimumQuantity":"0.00001"}"#;
    let odd = r#"{"InstrumentId":2}"#;
    let paused =
        r#"{"InstrumentId":4,"Symbol":"TAKIONBRL","SessionStatus":"Paused","PriceIncrement":0}"#;
    let rows = InstrumentRow::read_all(&format!("[{good},{odd},{paused}]")).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].lot_size, rows[0].min_qty), (Some(d("0.00000001")), Some(d("0.00001"))));
    assert_eq!(rows[0].quote, Some((4, "BRL".to_owned())));
    assert_eq!((rows[1].running, rows[1].tick_size), (false, None));
    assert_eq!((first_account("[7,8]"), first_account("[]")), (Some(7), None));
}

#[test]
fn flow_e08_to_e11_rejections() {
    let text = r#"{"OMSId":1,"AccountId":4,"ClientOrderId":99,"Status":"Rejected","RejectReason":"No More Market"}"#;
    let event = RejectEvent::read(text).unwrap();
    assert_eq!(
        (event.client, event.order, event.reason.as_str()),
        (Some(99), None, "No More Market")
    );
    let text = r#"{"AccountId":4,"OrderId":0,"ClientOrderId":100,"OrderIdToReplace":7,"InstrumentId":1,"RejectReason":"x"}"#;
    let event = RejectEvent::read(text).unwrap();
    assert_eq!((event.replaced, event.order, event.instrument), (Some(7), None, Some(1)));
}

#[test]
fn flow_g21_g23_p16_order_numbers() {
    for (body, expected) in [
        (r#"{"status":"Accepted","errormsg":"","OrderId":123}"#, Some(123)),
        (r#"{"status":"Processing","errormsg":""}"#, None),
        (
            r#"{"ReplacementOrderId":1234,"ReplacementClOrdId":1561,"OrigOrderId":5678,"OrigClOrdId":91011}"#,
            Some(1234),
        ),
    ] {
        assert_eq!(order_number(body), expected, "{body}");
    }
}
