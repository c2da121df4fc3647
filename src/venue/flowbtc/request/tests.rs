//! The page's example requests (FLOW-G), byte for byte but where the contract says otherwise.

use super::*;
use crate::calls::{Kind, flowbtc};
use crate::venue::flowbtc::wire::Fields;
use proptest::prelude::*;

const ACCOUNT: Account = Account(1);
const BTCBRL: PageId = PageId(1);

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn terms() -> Terms {
    Terms {
        client: OrderKey::from_wire(99).unwrap(),
        instrument: BTCBRL,
        side: Side::Buy,
        kind: OrderKind::Limit,
        qty: d("1.0"),
        price: Some(d("95.00")),
        stop: None,
        post_only: false,
        tif: Tif::Gtc,
    }
}

#[test]
fn questions_and_subscriptions_are_the_pages() {
    for (call, body, expected) in [
        (
            "WebAuthenticateUser",
            login("user", &Secret::new("pass\"word")),
            r#"{"UserName":"user","Password":"pass\"word"}"#,
        ),
        ("WebAuthenticateUser", resume(&Secret::new("7d0c")), r#"{"SessionToken":"7d0c"}"#),
        ("SubscribeAccountEvents", account_first(ACCOUNT), r#"{"AccountId":1,"OMSId":1}"#),
        (
            "SubscribeTrades",
            subscribe_trades(BTCBRL, 100),
            r#"{"OMSId":1,"InstrumentId":1,"IncludeLastCount":100}"#,
        ),
        ("UnsubscribeTrades", of_instrument(BTCBRL), r#"{"OMSId":1,"InstrumentId":1}"#),
        (
            "SubscribeTicker",
            subscribe_ticker(BTCBRL, 60, 1000),
            r#"{"OMSId":1,"InstrumentId":1,"Interval":60,"IncludeLastCount":1000}"#,
        ),
        ("UnsubscribeTicker", of_instrument(BTCBRL), r#"{"OMSId":1,"InstrumentId":1}"#),
        ("SubscribeLevel1", of_instrument(BTCBRL), r#"{"OMSId":1,"InstrumentId":1}"#),
        (
            "SubscribeLevel2",
            subscribe_book(BTCBRL, 20),
            r#"{"OMSId":1,"InstrumentId":1,"Depth":20}"#,
        ),
        ("LogOut", empty(), "{}"),
        (
            "GetAccountTrades",
            account_trades(Account(4), 50, 0),
            r#"{"OMSId":1,"AccountId":4,"Count":50,"StartIndex":0}"#,
        ),
        (
            "CancelOrder",
            cancel_order(Account(4), Named::Order(VenueOrderId(7))),
            r#"{"OMSId":1,"AccountId":4,"OrderId":7}"#,
        ),
        (
            "CancelOrder",
            cancel_order(Account(4), Named::Client(terms().client)),
            r#"{"OMSId":1,"AccountId":4,"ClOrderId":99}"#,
        ),
        (
            "CancelAllOrders",
            cancel_all(Account(4), BTCBRL),
            r#"{"AccountId":4,"OMSId":1,"InstrumentId":1}"#,
        ),
        (
            "GetOrderStatus",
            order_status(Account(4), VenueOrderId(i64::MAX)),
            r#"{"OMSId":1,"AccountId":4,"OrderId":9223372036854775807}"#,
        ),
        ("GetOrderHistory", of_account(ACCOUNT), r#"{"OMSId":1,"AccountId":1}"#),
        ("GetOpenOrders", of_account(ACCOUNT), r#"{"OMSId":1,"AccountId":1}"#),
        ("GetAccountPositions", account_first(ACCOUNT), r#"{"AccountId":1,"OMSId":1}"#),
        ("GetInstruments", oms(), r#"{"OMSId":1}"#),
        (
            "GetUserAccounts",
            user_accounts(Some(5), "u"),
            r#"{"OMSId":1,"UserId":5,"UserName":"u"}"#,
        ),
        ("GetUserAccounts", user_accounts(None, "u"), r#"{"OMSId":1,"UserName":"u"}"#),
        ("Ping", empty(), "{}"),
    ] {
        assert_eq!(body, expected);
        assert_known_keys(call, &body);
    }
}

/// The table of calls names every key we send, and we send every key it requires.
fn assert_known_keys(call: &str, body: &str) {
    let call = flowbtc::find(call).unwrap();
    let fields = Fields::read(body).unwrap();
    let sent = body.matches("\":").count();
    let known = call.args.iter().filter(|arg| fields.raw(arg.name).is_some()).count();
    assert_eq!(sent, known, "{}: {body}", call.name);
    for arg in call.args.iter().filter(|arg| arg.required) {
        let raw = fields.raw(arg.name).unwrap_or_default();
        let fits = match arg.kind {
            Kind::Int | Kind::Id => fields.int(arg.name).is_ok(),
            Kind::Dec => fields.dec(arg.name).is_ok(),
            Kind::Text => fields.text(arg.name).is_ok(),
            Kind::Bool => fields.bool(arg.name).is_some(),
            Kind::Word(_)
            | Kind::List(_)
            | Kind::Number
            | Kind::Stamp
            | Kind::Object(_)
            | Kind::Keyed(_)
            | Kind::Rows(_)
            | Kind::Numbers => panic!("{} is of another venue", arg.name),
        };
        assert!(fits, "{} {}: `{raw}`", call.name, arg.name);
    }
}

#[test]
fn flow_g21_orders_carry_the_prices_of_their_kind_only() {
    let body = send_order(Account(5), &terms());
    assert_eq!(
        body,
        r#"{"AccountId":5,"ClientOrderId":99,"InstrumentId":1,"Side":0,"Quantity":1,"DisplayQuantity":0,"UseDisplayQuantity":false,"OrderType":2,"LimitPrice":95,"TimeInForce":1,"OMSId":1}"#
    );
    assert_known_keys("SendOrder", &body);
    let stop = Some(d("96.60"));
    for (kind, number, keys) in [
        (OrderKind::Market, 1, [false, false]),
        (OrderKind::Limit, 2, [true, false]),
        (OrderKind::Stop, 3, [false, true]),
        (OrderKind::StopLimit, 4, [true, true]),
    ] {
        let terms = Terms { kind, stop, side: Side::Sell, ..terms() };
        for body in
            [send_order(Account(5), &terms), cancel_replace(Account(5), VenueOrderId(1), &terms)]
        {
            let fields = Fields::read(&body).unwrap();
            assert_eq!(fields.int("OrderType"), Ok(number));
            assert_eq!(fields.int("Side"), Ok(1));
            assert_eq!(["LimitPrice", "StopPrice"].map(|key| fields.raw(key).is_some()), keys);
        }
    }
}

#[test]
fn flow_v12_times_in_force() {
    for (post_only, tif, number) in
        [(false, Tif::Gtc, 1), (false, Tif::Ioc, 3), (false, Tif::Fok, 4), (true, Tif::Gtc, 5)]
    {
        let body = send_order(ACCOUNT, &Terms { post_only, tif, ..terms() });
        assert_eq!(Fields::read(&body).unwrap().int("TimeInForce"), Ok(number));
    }
}

#[test]
fn flow_g23_replacements_name_both_orders() {
    let body = cancel_replace(Account(5), VenueOrderId(1), &terms());
    assert_eq!(
        body,
        r#"{"AccountId":5,"OrderIdToReplace":1,"ClientOrderId":99,"Quantity":1,"DisplayQuantity":0,"UseDisplayQuantity":false,"LimitPrice":95,"OrderType":2,"InstrumentId":1,"Side":0,"TimeInForce":1,"OMSId":1}"#
    );
    assert_known_keys("CancelReplaceOrder", &body);
}

proptest! {
    /// FLOW-T12: whatever is asked, the scope of a cancel-all is one account and one instrument,
    /// rightly spelt.
    #[test]
    fn cancel_all_always_has_its_whole_scope(account in any::<i64>(), instrument in any::<i64>()) {
        let body = cancel_all(Account(account), PageId(instrument));
        prop_assert!(body.contains("\"AccountId\":") && body.contains("\"InstrumentId\":"));
        let fields = Fields::read(&body).unwrap();
        prop_assert_eq!(fields.int("AccountId"), Ok(account));
        prop_assert_eq!(fields.int("InstrumentId"), Ok(instrument));
        prop_assert_eq!(body.matches("\":").count(), 3);
    }

    #[test]
    fn amounts_travel_exactly(mantissa in 1i64.., scale in 0u32..=28) {
        let qty = Decimal::new(mantissa, scale);
        let body = send_order(ACCOUNT, &Terms { qty, price: Some(qty), ..terms() });
        let fields = Fields::read(&body).unwrap();
        prop_assert_eq!(fields.dec("Quantity"), Ok(qty));
        prop_assert_eq!(fields.dec("LimitPrice"), Ok(qty));
    }
}
