//! The calls over HTTP (FLOW-R01, R02, P09 to P12), faults (FLOW-S07), and money (FLOW-C19, C20,
//! C27).

use super::*;
use crate::simulator::faults::When;
use crate::simulator::http::{Page, Reply};
use proptest::prelude::*;

const SIGNED: &str = "3031e5940dbe4860354cfc1ae6cd8554e330eee734beb7d24c145939a1ee1506";
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> HttpIn {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    HttpIn {
        id: 7,
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

impl Venue {
    /// The answer to a request, and the frames that left with it.
    fn http(&mut self, request: HttpIn) -> (HttpOut, Vec<Got>) {
        self.server.handle(self.now, ServerIn::Request(request));
        let (mut answers, mut frames) = (Vec::new(), Vec::new());
        while let Some(out) = self.server.poll(self.now) {
            match out {
                ServerOut::Response(answer) => answers.push(answer),
                ServerOut::Frame { conn, text } => frames.push(super::read(conn, &text)),
                ServerOut::Close { .. } => {}
            }
        }
        assert_eq!(answers.len(), 1, "one answer to one request");
        (answers.remove(0), frames)
    }

    fn page(&mut self, request: HttpIn) -> Page {
        match self.http(request).0.reply {
            Reply::Answer(page) => page,
            Reply::Drop => panic!("the connection was dropped"),
        }
    }

    fn get(&mut self, target: &str) -> (u16, String) {
        read(self.page(request("GET", target, &[], "")))
    }

    fn token(&mut self) -> String {
        let basic = [("Authorization", "Basic YW5hOmFuYS1zZWNyZXQ=")];
        let (status, body) = read(self.page(request("GET", "/ap/Authenticate", &basic, "")));
        assert_eq!(status, 200, "{body}");
        let fields = super::super::wire::Fields::parse(&body).unwrap();
        fields.text("SessionToken").unwrap().unwrap()
    }
}

fn read(page: Page) -> (u16, String) {
    (page.status, String::from_utf8(page.body).unwrap())
}

fn two_factor() -> ServerConfig {
    let mut config = config(Dialect::Native);
    let user = &mut config.users[0];
    user.user_id = 5;
    user.keys = vec![ApiKey { id: KEY.to_owned(), secret: Secret::new("s3cr3t") }];
    user.totp = Some(Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    config
}

/// A venue at second 59, when RFC 6238's code is 287082.
fn at_59() -> Venue {
    let mut venue = Venue { server: FlowServer::new(two_factor()), now: Time::from_millis(59_000) };
    venue.server.handle(venue.now, ServerIn::Opened { conn: 0 });
    venue
}

/// FLOW-G01 to G03, FLOW-P12: the path's prefix and the names have no case.
#[test]
fn public_calls_by_get() {
    let mut venue = Venue::new(Dialect::Page);
    venue.trade(Side::Buy, "24380.1", "0.01");
    venue.quote(("24280.08", "1"), ("24518.21", "2"));
    for target in ["/ap/ping", "/AP/Ping", "/ap/PING/"] {
        assert_eq!(venue.get(target), (200, "{\"msg\":\"PONG\"}".to_owned()), "{target}");
    }
    let (status, body) = venue.get("/ap/GetLevel1?OMSId=1&InstrumentId=1");
    assert!(status == 200 && body.starts_with("{\"status\":\"success\",\"data\":{"), "{body}");
    let (_, body) = venue.get("/ap/GetL2Snapshot?omsid=1&INSTRUMENTID=1&Depth=10");
    assert!(
        body.starts_with("[[0,1,1602269461897,0,24380.1,1,24280.08,") && body.ends_with(",1]]"),
        "{body}"
    );
    let (_, body) = venue.get("/ap/GetL2Snapshot?OMSId=1&InstrumentId=10000&Depth=5");
    let expected = r#"{"result":false,"errormsg":"Invalid InstrumentId: 10000","errorcode":100,"#;
    assert!(body.starts_with(expected), "{body}");
}

/// FLOW-S01, FLOW-R02, FLOW-P06.
#[test]
fn what_http_does_not_serve() {
    let mut venue = Venue::new(Dialect::Page);
    for (method, target, status, expected) in [
        ("GET", "/ap/Nothing", 404, "Endpoint not found"),
        ("GET", "/", 404, "Endpoint not found"),
        ("GET", "/ap/", 404, "Endpoint not found"),
        ("GET", "/other/Ping", 404, "Endpoint not found"),
        ("PUT", "/ap/Ping", 405, "Method Not Allowed"),
        ("GET", "/ap/GetUserInfo", 404, "Not Authorized"),
        ("POST", "/ap/SendOrder", 404, "Not Authorized"),
        ("GET", "/ap/SubscribeTrades?InstrumentId=1", 200, "streams need a WebSocket"),
    ] {
        let (got, body) = read(venue.page(request(method, target, &[], "")));
        assert!(got == status && body.contains(expected), "{method} {target}: {got} {body}");
    }
    let mut wrong = request("POST", "/ap/Ping", &[], "");
    wrong.body = vec![0xff, 0xfe];
    assert!(read(venue.page(wrong)).1.contains("the body is not UTF-8"));
}

/// FLOW-P11 (a): Basic, then APToken; the order is told on the WebSocket too (FLOW-S01).
#[test]
fn an_order_over_http_is_told_on_the_socket() {
    let mut venue = Venue::new(Dialect::Page);
    let token = venue.token();
    let header = [("APToken", token.as_str()), ("Content-Type", "application/json")];
    let order = r#"{"omsId":1,"AccountId":5,"InstrumentId":1,"Side":0,"Quantity":0.01,
        "OrderType":2,"LimitPrice":95,"TimeInForce":1,"ClientOrderId":99}"#;
    let (out, frames) = venue.http(request("POST", "/ap/SendOrder", &header, order));
    let Reply::Answer(page) = out.reply else { panic!("dropped") };
    let expected = format!(r#"{{"status":"Accepted","errormsg":"","OrderId":{FIRST_ORDER}}}"#);
    assert_eq!(read(page), (200, expected));
    let told = events(&frames, 1, "OrderStateEvent", &["ClientOrderId", "OrderState"]);
    assert_eq!(told, ["99 \"Working\""]);

    let target = format!("/ap/GetOrderStatus?OMSId=1&AccountId=5&OrderId={FIRST_ORDER}");
    let (_, body) = read(venue.page(request("GET", &target, &header, "")));
    assert!(body.starts_with(&format!("{{\"Side\":\"Buy\",\"OrderId\":{FIRST_ORDER},")), "{body}");

    let form = format!("OrderId={FIRST_ORDER}");
    let kind = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let header = [header[0], kind];
    let (_, body) = read(venue.page(request("POST", "/ap/CancelOrder", &header, &form)));
    assert_eq!(body, r#"{"status":"Processing","errormsg":""}"#);
    assert!(venue.server.exchange().open_orders(AccountNumber(ANA)).is_empty());

    venue.page(request("POST", "/ap/LogOut", &header, "")).status.to_string();
    let (status, body) = read(venue.page(request("GET", "/ap/GetUserInfo", &header, "")));
    assert!(status == 404 && body.contains("\"errorcode\":20"), "{body}");
}

/// FLOW-T07: a wrong password, a wrong scheme, no header.
#[test]
fn basic_logins_that_fail() {
    for (dialect, expected) in [
        (Dialect::Page, r#"{"Authenticated":false}"#),
        (
            Dialect::Native,
            r#"{"Authenticated":false,"Locked":false,"errormsg":"Invalid username or password"}"#,
        ),
    ] {
        for header in ["Basic dXNlckBleGFtcGxlLmNvbTpwdw==", "Bearer x", "Basic YW5hOg=="] {
            let mut venue = Venue::new(dialect);
            let headers = [("authorization", header)];
            let page = venue.page(request("GET", "/ap/Authenticate", &headers, ""));
            assert_eq!(read(page), (200, expected.to_owned()), "{header}");
        }
    }
}

/// FLOW-P11 (b), FLOW-T06: the four headers on any request, or once for a token.
#[test]
fn api_key_headers() {
    let right =
        [("Nonce", "1602269461897"), ("APIKey", KEY), ("Signature", SIGNED), ("UserId", "5")];
    let mut venue = at_59();
    let page = venue.page(request("GET", "/ap/GetUserInfo", &right, ""));
    assert!(read(page).1.starts_with("{\"UserId\":5,\"UserName\":\"ana\""));
    let page = venue.page(request("POST", "/ap/Authenticate", &right, ""));
    assert!(read(page).1.starts_with("{\"Authenticated\":true,\"SessionToken\":\""));
    for at in 0..right.len() {
        let mut wrong = right;
        wrong[at].1 = "1";
        let (status, body) = read(venue.page(request("GET", "/ap/GetUserInfo", &wrong, "")));
        assert!(status == 404 && body.contains("\"errorcode\":20"), "{at}: {body}");
        let page = venue.page(request("POST", "/ap/Authenticate", &wrong, ""));
        assert!(read(page).1.starts_with("{\"Authenticated\":false"), "{at}");
    }
}

/// FLOW-P10 over the WebSocket.
#[test]
fn api_key_login_on_the_socket() {
    let mut venue = at_59();
    let o = |signature: &str| {
        format!(
            r#"{{"APIKey":"{KEY}","Signature":"{signature}","UserId":"5","Nonce":"1602269461897"}}"#
        )
    };
    let refused = venue.ask(0, "AuthenticateUser", &o(&SIGNED.to_uppercase()));
    assert!(refused.starts_with("{\"Authenticated\":false"), "{refused}");
    assert!(venue.ask(0, "GetUserInfo", "{}").contains("Not Authorized"));
    let reply = venue.ask(0, "AuthenticateUser", &o(SIGNED));
    assert!(reply.contains("\"AccountId\":5,\"OMSId\":1,\"Use2FA\":true"), "{reply}");
    assert!(venue.ask(0, "GetUserInfo", "{}").starts_with("{\"UserId\":5"));
}

/// FLOW-P09, FLOW-C10: a code is good once, and nothing works before it.
#[test]
fn one_time_codes_on_the_socket() {
    let mut venue = at_59();
    let password = r#"{"UserName":"ana","Password":"ana-secret"}"#;
    assert!(venue.ask(0, "WebAuthenticateUser", password).contains("\"Requires2FA\":true"));
    assert!(venue.ask(0, "GetUserInfo", "{}").contains("Not Authorized"));
    let wrong = venue.ask(0, "Authenticate2FA", r#"{"Code":"000000"}"#);
    assert!(wrong.starts_with("{\"Authenticated\":false"), "{wrong}");
    let reply = venue.ask(0, "Authenticate2FA", r#"{"Code":"287082"}"#);
    assert!(reply.starts_with("{\"Authenticated\":true,\"SessionToken\":\""), "{reply}");
    assert!(venue.ask(0, "GetUserInfo", "{}").contains("\"Use2FA\":true"));
    venue.ask(0, "WebAuthenticateUser", password);
    let again = venue.ask(0, "Authenticate2FA", r#"{"Code":"287082"}"#);
    assert!(again.starts_with("{\"Authenticated\":false"), "{again}");
}

/// FLOW-P09 over HTTP: header Pending2FaToken. FLOW-C11 cancels a pending login.
#[test]
fn one_time_codes_over_http() {
    let mut venue = at_59();
    let basic = [("Authorization", "Basic YW5hOmFuYS1zZWNyZXQ=")];
    let (_, body) = read(venue.page(request("GET", "/ap/Authenticate", &basic, "")));
    let fields = super::super::wire::Fields::parse(&body).unwrap();
    let token = fields.text("Pending2FaToken").unwrap().unwrap();
    let header = [("Pending2FaToken", token.as_str())];
    let (_, body) =
        read(venue.page(request("GET", "/ap/Authenticate2FA?Code=287082", &header, "")));
    assert!(body.starts_with("{\"Authenticated\":true"), "{body}");

    venue.ask(0, "WebAuthenticateUser", r#"{"UserName":"ana","Password":"ana-secret"}"#);
    venue.ask(0, "LogOut", "{}");
    venue.pass(Span::from_secs(60));
    let reply = venue.ask(0, "Authenticate2FA", r#"{"Code":"081804"}"#);
    assert!(reply.starts_with("{\"Authenticated\":false"), "{reply}");
}

/// FLOW-P07: rapid failures lock a user out, with the right password too.
#[test]
fn rapid_failures_lock_a_user() {
    let mut venue = Venue::new(Dialect::Native);
    let login = |password: &str| format!(r#"{{"UserName":"bia","Password":"{password}"}}"#);
    for _ in 0..4 {
        let reply = venue.ask(0, "WebAuthenticateUser", &login("wrong"));
        assert!(reply.contains("\"Locked\":false"), "{reply}");
    }
    assert!(venue.ask(0, "WebAuthenticateUser", &login("wrong")).contains("\"Locked\":true"));
    let right = login("bia-secret");
    assert!(venue.ask(0, "WebAuthenticateUser", &right).contains("\"Locked\":true"));
    venue.pass(Span::from_secs(3_600));
    assert!(venue.ask(0, "WebAuthenticateUser", &right).contains("\"Locked\":true"));
    venue.input(ServerIn::Unlock { user: "bia".to_owned() });
    assert!(venue.ask(0, "WebAuthenticateUser", &right).contains("\"Authenticated\":true"));
}

#[test]
fn slow_failures_do_not_lock() {
    let mut venue = Venue::new(Dialect::Native);
    for _ in 0..10 {
        venue.pass(Span::from_secs(61));
        let reply = venue.ask(0, "WebAuthenticateUser", r#"{"UserName":"bia","Password":"x"}"#);
        assert!(reply.contains("\"Locked\":false"), "{reply}");
    }
}

/// FLOW-G27 and FLOW-F21; FLOW-G19, G20 with FLOW-F26.
#[test]
fn money_calls() {
    let mut venue = Venue::new(Dialect::Page);
    let ok = "{\"result\":true}";
    for (call, o, expected) in [
        (
            "GetOrderFee",
            r#"{"OMSId":1,"AccountId":5,"InstrumentId":1,"ProductId":1,"Amount":500,
                "OrderType":"Market","MakerTaker":"Maker"}"#,
            r#"{"OrderFee":0.5,"ProductId":1}"#,
        ),
        (
            "GetOrderFee",
            r#"{"InstrumentId":1,"ProductId":4,"Amount":500,"OrderType":1,"MakerTaker":2}"#,
            r#"{"OrderFee":1,"ProductId":4}"#,
        ),
        ("GetOrderFee", r#"{"InstrumentId":1,"ProductId":2,"Amount":1}"#, "not part of"),
        ("GetOrderFee", r#"{"InstrumentId":1,"ProductId":1,"Amount":0}"#, "not positive"),
        ("GetOrderFee", r#"{"InstrumentId":1,"ProductId":77,"Amount":1}"#, "Not Found"),
        (
            "CreateDepositTicket",
            r#"{"AccountId":5,"AssetId":4,"Amount":100,"OMSId":1,"DepositInfo":"x"}"#,
            r#"{"success":true,"requestcode":""#,
        ),
        ("CreateDepositTicket", r#"{"AssetId":1,"Amount":100}"#, "national currencies"),
        ("GetDepositInfo", r#"{"ProductId":4}"#, "BRL-5"),
        ("GetDepositTickets", "{}", r#""Status":"New""#),
        (
            "CreateWithdrawTicket",
            r#"{"OMSId":1,"AccountId":5,"ProductId":1,"Amount":0.01,
                "TemplateType":"ToExternalBitcoinAddress","TemplateForm":
                "{\"TemplateType\":\"ToExternalBitcoinAddress\",\"ExternalAddress\":\"54123\"}"}"#,
            ok,
        ),
        (
            "CreateWithdrawTicket",
            r#"{"ProductId":1,"Amount":3,"TemplateType":"T",
                "TemplateForm":"{\"ExternalAddress\":\"54123\"}"}"#,
            "Not_Enough_Funds",
        ),
        (
            "CreateWithdrawTicket",
            r#"{"ProductId":1,"Amount":1,"TemplateType":"T","TemplateForm":"{}"}"#,
            "ExternalAddress is missing",
        ),
        (
            "CreateWithdrawTicket",
            r#"{"ProductId":1,"Amount":1,"TemplateType":"T","TemplateForm":"nonsense"}"#,
            "not a JSON object",
        ),
        ("GetWithdrawTickets", "{}", r#""Amount":0.01"#),
        ("GetAccountPositions", "{}", r#""ProductId":1,"Amount":1.99,"#),
        ("SetUserInfo", r#"{"UserId":105,"Email":"a@b"}"#, r#""Email":"a@b","PasswordHash":"""#),
        ("SetUserInfo", r#"{"UserId":58,"Email":"a@b"}"#, "Not Authorized"),
    ] {
        let reply = venue.ask(1, call, o);
        assert!(reply.contains(expected), "{call} {o}\n{reply}\n{expected}");
    }
}

fn faulty(on: &str, what: What) -> Venue {
    let mut venue = Venue::new(Dialect::Native);
    let fault = Fault { on: on.to_owned(), when: When::Nth(1), what };
    venue.input(ServerIn::Faults(vec![fault]));
    venue
}

fn outs(venue: &mut Venue, n: &str, o: &str) -> Vec<ServerOut> {
    let text = super::super::wire::frame(0, "2", n, o);
    venue.server.handle(venue.now, ServerIn::Frame { conn: 1, text });
    std::iter::from_fn(|| venue.server.poll(venue.now)).collect()
}

const ORDER: &str =
    r#"{"InstrumentId":1,"Side":0,"Quantity":0.01,"OrderType":2,"LimitPrice":95,"OMSId":1}"#;

/// FLOW-S07 on the WebSocket: (fault, frames to the client, closed, orders at the venue).
#[test]
fn faults_on_the_socket() {
    let second = Span::from_secs(1);
    for (what, frames, closed, orders) in [
        (What::DropBefore, 0, true, 0),
        (What::DropAfter, 0, true, 1),
        (What::Delay(second), 2, false, 1),
        (What::Hold(second), 0, false, 0),
        (What::Duplicate, 6, false, 1),
        (What::LoseEvents, 1, false, 1),
        (What::Html(503), 1, false, 0),
        (What::PlainText("oops".to_owned()), 3, false, 1),
        (What::Truncate, 3, false, 1),
        (What::TooMany, 1, false, 0),
        (What::NotFound, 1, false, 0),
        (What::LogoutEvent, 1, false, 0),
        (What::Error("no".to_owned()), 1, false, 0),
    ] {
        let mut venue = faulty("SendOrder", what.clone());
        let outs = outs(&mut venue, "SendOrder", ORDER);
        let open = |venue: &Venue| venue.server.exchange().open_orders(AccountNumber(ANA)).len();
        let is_frame = |out: &&ServerOut| matches!(out, ServerOut::Frame { .. });
        assert_eq!(outs.iter().filter(is_frame).count(), frames, "{what:?}: {outs:?}");
        assert_eq!(outs.contains(&ServerOut::Close { conn: 1 }), closed, "{what:?}");
        assert_eq!(open(&venue), orders, "{what:?}");
        if matches!(what, What::Delay(_) | What::Hold(_)) {
            assert_eq!(venue.server.wake_at(), Some(venue.now.plus(second)), "{what:?}");
            venue.pass(second);
            let late = venue.drain();
            assert!(late.iter().any(|got| got.n == "SendOrder"), "{what:?}: {late:?}");
            assert_eq!(open(&venue), 1, "{what:?}");
        }
    }
}

/// FLOW-S07 over HTTP: (fault, status or 0 for a dropped connection, orders at the venue).
#[test]
fn faults_over_http() {
    for (what, status, orders) in [
        (What::DropBefore, 0, 0),
        (What::DropAfter, 0, 1),
        (What::Delay(Span::from_secs(1)), 200, 1),
        (What::Duplicate, 200, 2),
        (What::LoseEvents, 200, 1),
        (What::Html(503), 503, 0),
        (What::PlainText("oops".to_owned()), 200, 1),
        (What::Truncate, 200, 1),
        (What::TooMany, 429, 0),
        (What::NotFound, 404, 0),
        (What::LogoutEvent, 404, 0),
        (What::Error("no".to_owned()), 200, 0),
    ] {
        let mut venue = faulty("sendorder", what.clone());
        let token = venue.token();
        let headers = [("APToken", token.as_str())];
        let (out, _) = venue.http(request("POST", "/ap/SendOrder", &headers, ORDER));
        let got = match &out.reply {
            Reply::Answer(page) => page.status,
            Reply::Drop => 0,
        };
        let open = venue.server.exchange().open_orders(AccountNumber(ANA)).len();
        assert_eq!((got, open), (status, orders), "{what:?}");
        assert_eq!(out.delay.nanos() > 0, matches!(what, What::Delay(_)), "{what:?}");
    }
}

#[test]
fn silent_connections_are_closed_and_busy_ones_are_not() {
    let mut config = config(Dialect::Page);
    config.conduct.idle_close = Some(Span::from_secs(30));
    let mut venue = Venue::with(config);
    venue.pass(Span::from_secs(20));
    venue.ask(1, "Ping", "{}");
    assert_eq!(venue.server.wake_at(), Some(venue.now.plus(Span::from_secs(10))));
    venue.pass(Span::from_secs(10));
    let closed: Vec<ServerOut> = std::iter::from_fn(|| venue.server.poll(venue.now)).collect();
    assert_eq!(closed, [ServerOut::Close { conn: 0 }, ServerOut::Close { conn: 2 }]);
    assert_eq!(venue.server.wake_at(), Some(venue.now.plus(Span::from_secs(20))));
}

/// FLOW-P13, with the limit on the user however he asks.
#[test]
fn requests_per_minute() {
    let mut config = config(Dialect::Page);
    config.conduct.per_minute = Some(5);
    let mut venue = Venue::with(config);
    let token = venue.token();
    let headers = [("APToken", token.as_str())];
    // One frame after the login has been counted.
    for _ in 0..4 {
        assert_eq!(venue.page(request("GET", "/ap/Ping", &headers, "")).status, 200);
    }
    let (status, body) = read(venue.page(request("GET", "/ap/Ping", &headers, "")));
    assert_eq!((status, body.as_str()), (429, "TOO MANY REQUESTS"));
    let frames = venue.send(1, "Ping", "{}");
    assert_eq!((frames[0].m, frames[0].o.as_str()), (5, "TOO MANY REQUESTS"));
    venue.pass(Span::from_secs(60));
    assert_eq!(venue.ask(1, "Ping", "{}"), "{\"msg\":\"PONG\"}");
}

proptest! {
    /// Whatever is asked, one answer leaves and nothing panics.
    #[test]
    fn hostile_requests(
        method in "GET|POST|[A-Z]{0,6}",
        path in "(/ap/)?(SendOrder|Authenticate|GetOrderFee|Authenticate2FA|.{0,20})",
        query in ".{0,60}",
        header in "apikey|aptoken|authorization|pending2fatoken|content-type|.{0,8}",
        value in ".{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let mut venue = Venue::new(Dialect::Native);
        let headers = vec![(header, value)];
        let (out, _) = venue.http(HttpIn { id: 3, method, path, query, headers, body });
        prop_assert_eq!(out.id, 3);
        prop_assert_eq!(venue.server.exchange().open_orders(AccountNumber(ANA)).len(), 0);
    }
}
