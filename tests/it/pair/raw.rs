//! The session and the server half without an engine between: every documented call by its own
//! name, logins of every kind, and orders made smaller.

use super::{ACCOUNT, BTC, Setup, TOTP, d, fees, secs, server_of};
use lunario::base::{
    Call, CallAsk, CallFailure, CallId, CallOutcome, Command, Event, Instruments, Machine, Net,
    OrderKey, OrderKind, OrderStep, Place, Plain, Secret, Side, Span, Tif, Time, Venue, VenueIn,
    VenueName, VenueOut,
};
use lunario::calls::flowbtc as table;
use lunario::simulator::flowbtc::{
    ApiKey as ServerKey, Dialect, FlowServer, ServerIn, ServerOut, TestUser, listing,
};
use lunario::venue::flowbtc::{ApiKey, Session, SessionConfig};

struct Direct {
    now: Time,
    session: Session,
    server: FlowServer,
    events: Vec<Event>,
    notes: Vec<String>,
    calls: u64,
}

fn user() -> TestUser {
    TestUser {
        user: "ana".to_owned(),
        password: Secret::new("ana-secret"),
        user_id: 9,
        account: ACCOUNT,
        balances: vec![("BRL".to_owned(), d("20000")), ("BTC".to_owned(), d("5"))],
        keys: vec![ServerKey { id: "key-1".to_owned(), secret: Secret::new("key-secret") }],
        totp: None,
    }
}

fn config() -> SessionConfig {
    let password = Secret::new("ana-secret");
    let mut config = SessionConfig::new(VenueName::new("flowbtc"), "ws://venue", "ana", password);
    let instruments: Instruments = listing::instruments(fees());
    config.instruments = instruments;
    config.per_minute = 1_000;
    config.ws_per_minute = 2_000;
    config
}

impl Direct {
    fn new(dialect: Dialect, user: TestUser, config: SessionConfig) -> Direct {
        let now = Time::from_millis(1_790_000_000_000);
        let server = server_of(&Setup::still(dialect), user);
        let session = Session::new(config);
        let (events, notes) = (Vec::new(), Vec::new());
        let mut direct = Direct { now, session, server, events, notes, calls: 0 };
        direct.pump();
        direct
    }

    fn live(dialect: Dialect) -> Direct {
        let mut direct = Direct::new(dialect, user(), config());
        direct.wait(secs(1));
        assert!(direct.session.is_live(), "{:?}", direct.notes);
        direct
    }

    /// Carries what both say until neither says more.
    fn pump(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(out) = self.session.poll(self.now) {
                quiet = false;
                match out {
                    VenueOut::Net(Net::Open { conn, .. }) => {
                        self.server.handle(self.now, ServerIn::Opened { conn });
                        self.session.handle(self.now, VenueIn::Net(Net::Opened { conn }));
                    }
                    VenueOut::Net(Net::Frame { conn, text }) => {
                        self.server.handle(self.now, ServerIn::Frame { conn, text });
                    }
                    VenueOut::Net(Net::Close { conn }) => {
                        self.server.handle(self.now, ServerIn::Closed { conn });
                    }
                    VenueOut::Net(_) | VenueOut::Sent { .. } => {}
                    VenueOut::Event(event) => self.events.push(event),
                    VenueOut::Note(note) => self.notes.push(note),
                }
            }
            while let Some(out) = self.server.poll(self.now) {
                quiet = false;
                let net = match out {
                    ServerOut::Frame { conn, text } => Net::Frame { conn, text },
                    ServerOut::Close { conn } => Net::Lost { conn, reason: "closed".to_owned() },
                    ServerOut::Response(_) => panic!("nobody asked over HTTP"),
                };
                self.session.handle(self.now, VenueIn::Net(net));
            }
            if quiet {
                return;
            }
        }
    }

    fn wait(&mut self, span: Span) {
        let until = self.now.plus(span);
        for _ in 0..100_000 {
            let ends = [self.session.wake_at(), self.server.wake_at()];
            let Some(at) = ends.into_iter().flatten().min().filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(at);
            self.pump();
        }
        self.now = until;
        self.pump();
    }

    fn command(&mut self, command: Command) {
        self.session.handle(self.now, VenueIn::Command(command));
        self.pump();
    }

    fn call(
        &mut self,
        name: &str,
        args: &[(&'static str, Plain)],
        order: Option<Command>,
    ) -> CallOutcome {
        self.calls += 1;
        let id = CallId(self.calls);
        let name = table::find(name).unwrap().name;
        let ask = CallAsk { venue: VenueName::new("flowbtc"), name, args: args.to_vec() };
        self.command(Command::Call(Call { id, ask, order: order.map(Box::new) }));
        self.wait(secs(12));
        let mut ends = self.events.iter().filter_map(|event| match event {
            Event::Reply(reply) if reply.id == id => Some(reply.outcome.clone()),
            _ => None,
        });
        let end = ends.next().unwrap_or_else(|| panic!("{name} did not end: {:?}", self.notes));
        assert!(ends.next().is_none(), "{name} ended twice");
        end
    }

    fn good(&mut self, name: &str, args: &[(&'static str, Plain)]) -> Plain {
        self.call(name, args, None).unwrap_or_else(|failure| panic!("{name}: {failure}"))
    }

    fn bad(&mut self, name: &str, args: &[(&'static str, Plain)]) -> CallFailure {
        self.call(name, args, None).expect_err(name)
    }

    fn steps(&self, key: OrderKey) -> Vec<&OrderStep> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Order(news) if news.key == key => Some(&news.step),
                _ => None,
            })
            .collect()
    }
}

fn key(number: i64) -> OrderKey {
    OrderKey::from_wire(number).unwrap()
}

fn buy(number: i64, price: &str, qty: &str) -> Command {
    Command::Place(Place {
        key: key(number),
        instrument: BTC,
        side: Side::Buy,
        kind: OrderKind::Limit,
        qty: d(qty),
        price: Some(d(price)),
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    })
}

fn int(value: i64) -> Plain {
    Plain::Int(value)
}

const DIALECTS: [Dialect; 2] = [Dialect::Page, Dialect::Native];

#[test]
fn calls_that_ask_are_answered() {
    for dialect in DIALECTS {
        let mut direct = Direct::live(dialect);
        let one = ("InstrumentId", int(1));
        let day = |name, day: &str| (name, Plain::text(day));
        for (name, args) in [
            ("Ping", vec![]),
            ("GetLevel1", vec![one.clone()]),
            ("GetL2Snapshot", vec![one.clone()]),
            ("GetProduct", vec![("ProductId", int(1))]),
            ("GetProducts", vec![]),
            ("GetUserInfo", vec![]),
            ("GetAccountInfo", vec![]),
            ("GetAccountTrades", vec![("Count", int(10)), ("StartIndex", int(0))]),
            ("GetOrderHistory", vec![]),
            ("GetOpenOrders", vec![]),
            ("SubscribeAccountEvents", vec![]),
            ("SubscribeTrades", vec![one.clone(), ("IncludeLastCount", int(5))]),
            ("UnsubscribeTrades", vec![one.clone()]),
            (
                "SubscribeTicker",
                vec![one.clone(), ("Interval", int(60)), ("IncludeLastCount", int(5))],
            ),
            ("UnsubscribeTicker", vec![one.clone()]),
            (
                "GetTickerHistory",
                vec![
                    one.clone(),
                    day("FromDate", "2026-09-01"),
                    day("ToDate", "2026-09-02"),
                    ("Interval", int(60)),
                ],
            ),
            (
                "GetOrderFee",
                vec![
                    one.clone(),
                    ("ProductId", int(1)),
                    ("Amount", Plain::Decimal(d("500"))),
                    ("OrderType", Plain::text("Market")),
                    ("MakerTaker", Plain::text("Maker")),
                ],
            ),
            ("GetUserAccounts", vec![]),
            ("GetAccountPositions", vec![]),
            ("GetInstruments", vec![]),
        ] {
            let reply = direct.good(name, &args);
            let told = reply.json();
            assert!(!told.contains("ana-secret") && !told.contains("SessionToken"), "{told}");
        }
        let nothing = direct.bad("GetOrderStatus", &[("OrderId", int(12_345))]);
        assert_eq!(nothing.code, Some(104), "{nothing}");
    }
}

#[test]
fn order_calls_are_answered_as_the_wire_told() {
    for dialect in DIALECTS {
        let mut direct = Direct::live(dialect);
        let placed = direct.call("SendOrder", &[], Some(buy(1, "900", "1"))).unwrap();
        assert_eq!(placed.get("status"), Some(&Plain::text("Accepted")));
        let Some(Plain::Text(order)) = placed.get("OrderId").cloned() else { panic!("{placed:?}") };
        let number = order.parse().unwrap();
        let status = direct.good("GetOrderStatus", &[("OrderId", int(number))]);
        assert_eq!(status.get("OrderState"), Some(&Plain::text("Working")));
        let poor = direct.call("SendOrder", &[], Some(buy(2, "900", "1000")));
        match dialect {
            // Contract B.3: the page accepts first and refuses by event.
            Dialect::Page => assert!(poor.is_ok(), "{poor:?}"),
            Dialect::Native => assert_eq!(poor.unwrap_err().kind.word(), "rejected"),
        }
        assert!(matches!(direct.steps(key(2)).last(), Some(OrderStep::Rejected { .. })));
        let replace = Command::Replace {
            key: key(1),
            alias: key(3),
            instrument: BTC,
            side: Side::Buy,
            price: Some(d("901")),
            qty: d("1"),
        };
        direct.call("CancelReplaceOrder", &[], Some(replace)).unwrap();
        let cancel = Command::Cancel { key: key(1), instrument: BTC };
        direct.call("CancelOrder", &[], Some(cancel)).unwrap();
        assert!(matches!(direct.steps(key(1)).last(), Some(OrderStep::Canceled { .. })));
        direct.call("SendOrder", &[], Some(buy(4, "900", "1"))).unwrap();
        direct.call("CancelAllOrders", &[], Some(Command::CancelAll { instrument: None })).unwrap();
        assert!(matches!(direct.steps(key(4)).last(), Some(OrderStep::Canceled { .. })));
    }
}

#[test]
fn an_order_is_made_smaller_and_keeps_its_number() {
    for dialect in DIALECTS {
        let mut direct = Direct::live(dialect);
        direct.command(buy(1, "900", "1"));
        direct.wait(secs(1));
        let Some(OrderStep::Working { venue_id }) = direct.steps(key(1)).last().copied().cloned()
        else {
            panic!("{:?}", direct.steps(key(1)))
        };
        for qty in ["0.7", "0.25"] {
            let reduce = Command::Reduce { key: key(1), instrument: BTC, qty: d(qty) };
            let receipt = direct.call("ModifyOrder", &[], Some(reduce)).unwrap();
            assert!(matches!(receipt, Plain::Map(_)), "{receipt:?}");
            let step = direct.steps(key(1)).last().copied().cloned();
            let remaining = d(qty);
            let price = Some(d("900"));
            assert_eq!(
                step,
                Some(OrderStep::Replaced { venue_id, price, remaining }),
                "{dialect:?}"
            );
        }
        let row = direct.good("GetOrderStatus", &[("OrderId", int(venue_id.0))]);
        let open = row.get("Quantity").unwrap();
        assert!(matches!(open, Plain::Decimal(open) if *open == d("0.25")), "{row:?}");
        let larger = Command::Reduce { key: key(1), instrument: BTC, qty: d("0.5") };
        assert!(direct.call("ModifyOrder", &[], Some(larger)).is_err());
    }
}

#[test]
fn flow_p10_a_session_logs_in_with_a_key() {
    let mut keyed = config();
    keyed.user.clear();
    keyed.api_key =
        Some(ApiKey { id: Secret::new("key-1"), secret: Secret::new("key-secret"), user_id: 9 });
    let mut direct = Direct::new(Dialect::Native, user(), keyed);
    direct.wait(secs(1));
    assert!(direct.session.is_live(), "{:?}", direct.notes);
    direct.good("LogOut", &[]);
    direct.wait(secs(5));
    assert!(direct.session.is_live(), "{:?}", direct.notes);
}

#[test]
fn flow_p09_a_session_logs_in_with_codes_of_its_own() {
    let mut guarded = user();
    guarded.totp = Some(Secret::new(TOTP));
    let mut with_code = config();
    with_code.totp = Some(Secret::new(TOTP));
    let mut direct = Direct::new(Dialect::Native, guarded, with_code);
    direct.wait(secs(1));
    assert!(direct.session.is_live(), "{:?}", direct.notes);
    direct.good("LogOut", &[]);
    direct.wait(secs(40));
    assert!(direct.session.is_live(), "with the next code: {:?}", direct.notes);
}

#[test]
fn what_is_left_is_shown_per_lane() {
    let direct = Direct::live(Dialect::Page);
    let lanes = direct.session.lanes(direct.now);
    let names: Vec<&str> = lanes.iter().map(|lane| lane.lane.as_str()).collect();
    assert_eq!(names, ["flowbtc", "flowbtc/socket"]);
    assert!(lanes.iter().all(|lane| lane.left < lane.limit && lane.waiting == 0));
}
