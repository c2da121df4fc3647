//! The session against a small venue of its own: it checks tonces and the budget, keeps orders,
//! and can lose answers before or after carrying out.

mod venue;

use super::*;
use crate::base::{
    Answer, Body, Decimal, Failure, Fees, Fill, Instrument, Method, OrderKind, Place, Request,
    Side, Tif, decimal,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn at(millis: i64) -> Time {
    Time::from_millis(1_400_000_000_000 + millis)
}

fn instruments() -> Instruments {
    let mut rows = Instruments::default();
    rows.add(Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("mercadobitcoin"),
        symbol: "BTCBRL".to_owned(),
        base: "BTC".to_owned(),
        quote: "BRL".to_owned(),
        tick_size: d("0.00001"),
        lot_size: d("0.00000001"),
        min_qty: d("0.01"),
        fees: Fees::default(),
    });
    rows
}

/// What becomes of a request at the venue.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Fate {
    Answered,
    /// Carried out, the answer lost.
    LostAfter,
    /// Never carried out.
    LostBefore,
    /// Carried out; an HTML page in place of the answer.
    Html,
    TooMany,
}

#[derive(Clone, Debug)]
struct Resting {
    id: i64,
    status: &'static str,
    created: i64,
    price: String,
    volume: String,
    side: String,
    operations: String,
}

struct Rig {
    session: Session,
    now: Time,
    orders: Vec<Resting>,
    tonces: Vec<i64>,
    kept: Vec<i64>,
    starts: Vec<Time>,
    methods: Vec<String>,
    steps: Vec<(OrderKey, OrderStep)>,
    fills: Vec<Fill>,
    notes: Vec<String>,
    events: Vec<Event>,
    fates: Vec<Fate>,
    data: Vec<String>,
}

impl Rig {
    fn new(config: impl FnOnce(&mut SessionConfig)) -> Rig {
        let mut all = SessionConfig::new(
            Secret::new("key-text"),
            Secret::new("secret-text"),
            0,
            instruments(),
        );
        config(&mut all);
        Rig {
            session: Session::new(all),
            now: at(0),
            orders: Vec::new(),
            tonces: Vec::new(),
            kept: Vec::new(),
            starts: Vec::new(),
            methods: Vec::new(),
            steps: Vec::new(),
            fills: Vec::new(),
            notes: Vec::new(),
            events: Vec::new(),
            fates: Vec::new(),
            data: Vec::new(),
        }
    }

    fn ready() -> Rig {
        let mut rig = Rig::new(|_| {});
        rig.run(5_000);
        assert!(rig.session.is_ready());
        rig
    }

    /// Lets so many milliseconds pass, waking the session when it wants.
    fn run(&mut self, millis: i64) {
        let end = self.now.plus(Span::from_millis(millis));
        for _ in 0..100_000 {
            while let Some(out) = self.session.poll(self.now) {
                self.take(out);
            }
            match self.session.wake_at() {
                Some(wake) if wake <= end => self.now = self.now.max(wake),
                _ => break,
            }
        }
        self.now = end;
    }

    fn take(&mut self, out: VenueOut) {
        match out {
            VenueOut::Net(Net::Request(request)) => self.serve(request),
            VenueOut::Net(net) => panic!("{net:?}"),
            VenueOut::Sent { .. } => {}
            VenueOut::Note(note) => self.notes.push(note),
            VenueOut::Event(Event::Order(news)) => self.steps.push((news.key, news.step)),
            VenueOut::Event(Event::Fill(fill)) => self.fills.push(fill),
            VenueOut::Event(event) => self.events.push(event),
        }
    }

    fn reply(&mut self, id: u64, outcome: Result<Answer, Failure>) {
        let response = Net::Response(Response { id, outcome });
        self.session.handle(self.now, VenueIn::Net(response));
    }

    fn answer(&mut self, id: u64, status: u16, text: &str) {
        let body = Body(text.as_bytes().to_vec());
        self.reply(id, Ok(Answer { status, headers: Vec::new(), body }));
    }

    fn serve(&mut self, request: Request) {
        if request.method == Method::Get {
            self.data.push(request.url.clone());
            let text = match request.url.as_str() {
                url if url.ends_with("/trades/") => {
                    r#"[{"tid":7,"date":1,"type":"buy","price":1,"amount":2}]"#
                }
                url if url.contains("tid=7") => {
                    r#"[{"tid":8,"date":2,"type":"sell","price":1.5,"amount":2.25}]"#
                }
                url if url.contains("orderbook") => {
                    r#"{"asks":[[2,1]],"bids":[[1,3]],"timestamp":1612217297706725751}"#
                }
                _ => "<html>",
            };
            return self.answer(request.id, 200, text);
        }
        let text = request.body.text().into_owned();
        let pairs: BTreeMap<String, String> =
            form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let tonce: i64 = pairs["tonce"].parse().unwrap();
        assert!(self.tonces.last().is_none_or(|last| *last < tonce), "a tonce that does not rise");
        self.tonces.push(tonce);
        self.kept.push(request.keep.clone().unwrap().value);
        self.starts.push(self.now);
        self.methods.push(pairs["method"].clone());
        let sign = request.headers.iter().find(|header| header.name == "Sign").unwrap();
        let expected =
            crate::venue::sign::mercadobitcoin(&Secret::new("secret-text"), text.as_bytes());
        assert_eq!(sign.value, expected);
        let shown = format!("{request:?}");
        assert!(!shown.contains(expected.expose()) && !shown.contains("key-text"), "{shown}");
        let fate = if self.fates.is_empty() { Fate::Answered } else { self.fates.remove(0) };
        match fate {
            Fate::TooMany => {
                self.answer(
                    request.id,
                    200,
                    r#"{"success":0,"error":"Taxa de requests acima do permitido."}"#,
                );
            }
            Fate::LostBefore | Fate::LostAfter => {
                if fate == Fate::LostAfter {
                    self.execute(&pairs);
                }
                let reason = "reset".to_owned();
                self.reply(request.id, Err(Failure { unsent: false, reason }));
            }
            Fate::Html => {
                self.execute(&pairs);
                self.answer(request.id, 503, "<html>503</html>");
            }
            Fate::Answered => {
                let text = self.execute(&pairs);
                self.answer(request.id, 200, &text);
            }
        }
    }

    fn place(&mut self, number: i64, volume: &str) -> OrderKey {
        let key = OrderKey::from_wire(number).unwrap();
        let place = Place {
            key,
            instrument: InstrumentId(0),
            side: Side::Buy,
            kind: OrderKind::Limit,
            qty: d(volume),
            price: Some(d("400")),
            stop: None,
            post_only: false,
            reduce_only: false,
            tif: Tif::Gtc,
        };
        self.session.handle(self.now, VenueIn::Command(Command::Place(place)));
        key
    }

    fn cancel(&mut self, key: OrderKey) {
        let instrument = InstrumentId(0);
        self.session.handle(self.now, VenueIn::Command(Command::Cancel { key, instrument }));
    }

    fn last(&self, key: OrderKey) -> Option<&OrderStep> {
        self.steps.iter().rev().find(|(other, _)| *other == key).map(|(_, step)| step)
    }
}

#[test]
fn it_reads_clock_balances_and_orders_before_it_trades() {
    let mut rig = Rig::new(|_| {});
    let early = rig.place(1, "1");
    rig.run(10);
    let reason = "VENUE_NOT_READY".to_owned();
    assert_eq!(rig.last(early), Some(&OrderStep::Rejected { reason }));
    rig.run(5_000);
    assert_eq!(rig.methods, ["getInfo", "OrderList"]);
    assert_eq!(rig.tonces, [1_400_000_000, 1_400_000_001]);
    assert_eq!(rig.kept, rig.tonces, "each is on disk first");
    let balance = rig.events.iter().find_map(|event| {
        let Event::Balance(news) = event else { return None };
        Some((news.asset.clone(), news.total, news.held))
    });
    assert_eq!(balance, Some(("BRL".to_owned(), d("2.0"), d("0.5"))));
}

/// MB-P06: after a restart, and with a clock that is behind, tonces still rise.
#[test]
fn tonces_go_on_from_the_one_that_was_kept() {
    let mut rig = Rig::new(|config| config.last_tonce = 1_400_000_500);
    rig.run(5_000);
    assert_eq!(rig.tonces, [1_400_000_501, 1_400_000_502]);
}

#[test]
fn an_order_is_placed_filled_and_seen_to_be_done() {
    let mut rig = Rig::ready();
    let key = rig.place(1, "0.5");
    rig.run(2_000);
    let venue_id = crate::base::VenueOrderId(100);
    assert_eq!(rig.last(key), Some(&OrderStep::Working { venue_id }));
    let operation = |id: i64| {
        format!(
            r#""{id}":{{"volume":"0.25","price":"399.5","rate":"0.70","created":"1400000009"}}"#
        )
    };
    rig.orders[0].operations = format!("{{{}}}", operation(441));
    rig.run(7_000);
    assert_eq!(rig.fills.len(), 1);
    rig.orders[0].operations = format!("{{{},{}}}", operation(441), operation(442));
    rig.orders[0].status = "completed";
    rig.run(7_000);
    assert_eq!(rig.last(key), Some(&OrderStep::Filled { filled: d("0.5") }));
    let ids: Vec<i64> = rig.fills.iter().map(|fill| fill.trade_id).collect();
    assert_eq!(ids, [441, 442], "each once");
    assert_eq!((rig.fills[0].fee, rig.fills[0].fee_asset.as_str()), (d("0.00175"), "BTC"));
    assert_eq!(rig.fills[0].liquidity, crate::base::Liquidity::Maker);
}

/// Part D: a lost Trade is resolved by a list with a larger tonce, and nothing new goes before.
#[test]
fn a_lost_trade_is_found_or_was_never_placed() {
    for (fate, placed) in [(Fate::LostAfter, true), (Fate::LostBefore, false), (Fate::Html, true)] {
        let mut rig = Rig::ready();
        rig.fates = vec![fate, Fate::LostBefore];
        let key = rig.place(1, "0.5");
        let second = rig.place(2, "0.5");
        rig.run(1_000);
        assert_eq!(rig.last(key), Some(&OrderStep::Lost), "{fate:?}");
        rig.run(7_000);
        assert_eq!(rig.methods[2..6], ["Trade", "OrderList", "OrderList", "Trade"], "{fate:?}");
        match rig.last(key) {
            Some(OrderStep::Working { .. }) => assert!(placed, "{fate:?}"),
            Some(OrderStep::Rejected { .. }) => assert!(!placed, "{fate:?}"),
            other => panic!("{fate:?}: {other:?}"),
        }
        assert!(matches!(rig.last(second), Some(OrderStep::Working { .. })), "{fate:?}");
        assert_eq!(rig.orders.len(), if placed { 2 } else { 1 });
    }
}

#[test]
fn the_venues_no_is_verified_once_and_told_verbatim() {
    let mut rig = Rig::ready();
    let key = rig.place(1, "13");
    rig.run(5_000);
    assert_eq!(rig.methods[2..], ["Trade", "OrderList"]);
    let reason = "Saldo insuficiente.".to_owned();
    assert_eq!(rig.last(key), Some(&OrderStep::Rejected { reason }));
}

#[test]
fn cancels_before_sending_while_lost_and_when_filled_meanwhile() {
    let mut rig = Rig::ready();
    let key = rig.place(1, "0.5");
    rig.cancel(key);
    rig.run(1_000);
    assert!(matches!(rig.last(key), Some(OrderStep::Canceled { .. })));
    assert_eq!(rig.methods.len(), 2, "nothing was sent");

    rig.fates = vec![Fate::LostAfter];
    let key = rig.place(2, "0.5");
    rig.run(100);
    rig.cancel(key);
    rig.run(8_000);
    assert_eq!(rig.methods[2..6], ["Trade", "OrderList", "CancelOrder", "OrderList"]);
    assert!(matches!(rig.last(key), Some(OrderStep::Canceled { .. })));

    let key = rig.place(3, "0.5");
    rig.run(2_000);
    rig.orders[1].status = "completed";
    rig.cancel(key);
    rig.run(5_000);
    assert_eq!(rig.last(key), Some(&OrderStep::Filled { filled: d("0.5") }));
}

/// MB-R07: nothing goes before the window is over; then a list shows that the order was not
/// placed, and it is over: nobody waits a minute for a price of before.
#[test]
fn over_the_limit_waits_for_the_end_of_the_window() {
    let mut rig = Rig::ready();
    rig.fates = vec![Fate::TooMany];
    let key = rig.place(1, "0.5");
    rig.run(100);
    rig.run(59_000);
    assert_eq!(rig.methods.len(), 3);
    assert_eq!(rig.last(key), Some(&OrderStep::Sent));
    rig.run(10_000);
    assert_eq!(rig.methods[3..], ["OrderList"]);
    let reason = "Taxa de requests acima do permitido.".to_owned();
    assert_eq!(rig.last(key), Some(&OrderStep::Rejected { reason }));
    assert!(rig.orders.is_empty());
}

#[test]
fn what_the_venue_does_not_have_is_refused_here() {
    let mut rig = Rig::ready();
    let key = rig.place(1, "0.123456789");
    rig.run(1);
    let reason = "ORDER_BAD_QTY places=8".to_owned();
    assert_eq!(rig.last(key), Some(&OrderStep::Rejected { reason }));
    assert_eq!(rig.methods.len(), 2);
}

/// MB-X02, X03: by polling, in a line apart: no tonce is spent.
#[test]
fn public_data_comes_without_tonces() {
    let mut rig = Rig::ready();
    for channel in [Channel::Trades, Channel::Book] {
        let instrument = InstrumentId(0);
        let subscribe = Command::Subscribe { instrument, channel, depth: None, interval: None };
        rig.session.handle(rig.now, VenueIn::Command(subscribe));
    }
    rig.run(12_000);
    assert_eq!(rig.tonces.len(), 2);
    assert!(rig.data.iter().any(|url| url.ends_with("api/BTC/trades/?tid=7")), "{:?}", rig.data);
    let trades: Vec<i64> = rig
        .events
        .iter()
        .filter_map(|event| if let Event::Trade(trade) = event { Some(trade.id) } else { None })
        .collect();
    assert_eq!(trades, [8], "what was before the subscription is not news");
    assert!(rig.events.iter().any(|event| matches!(event, Event::Book(change) if change.snapshot)));
}

#[test]
fn without_its_switch_there_is_no_public_data() {
    let mut rig = Rig::new(|config| config.off = BTreeSet::from(["data"]));
    rig.run(5_000);
    let (instrument, depth, interval) = (InstrumentId(0), None, None);
    for channel in [Channel::Trades, Channel::Quotes, Channel::Book] {
        let wanted = Command::Subscribe { instrument, channel, depth, interval };
        rig.session.handle(rig.now, VenueIn::Command(wanted));
    }
    let coin = vec![("coin", crate::base::Plain::text("BTC"))];
    let name = crate::calls::mercadobitcoin::find("ticker").unwrap().name;
    let ask = crate::base::CallAsk { venue: VenueName::new("mercadobitcoin"), name, args: coin };
    let call = crate::base::Call { id: crate::base::CallId(1), ask, order: None };
    rig.session.handle(rig.now, VenueIn::Command(Command::Call(call)));
    rig.run(60_000);
    assert!(rig.data.is_empty(), "{:?}", rig.data);
    let down = rig.events.iter().filter(|event| {
        matches!(event, Event::Feed(feed) if feed.state == FeedState::Down
            && feed.reason.starts_with("VENUE_UNSUPPORTED"))
    });
    assert_eq!(down.count(), 3);
    let failure = rig.events.iter().find_map(|event| {
        if let Event::Reply(reply) = event { reply.outcome.as_ref().err() } else { None }
    });
    assert_eq!(failure.unwrap().to_string(), "no_venue: ticker is off: the feature switch `data`");
}

/// Without a key there is nothing to log in to: the market is there, and no order leaves.
#[test]
fn without_a_key_the_market_is_live_and_orders_are_refused() {
    let mut rig = Rig::new(|config| config.key = Secret::new(""));
    rig.run(1_000);
    let live = |event: &&Event| {
        matches!(event, Event::Feed(feed) if feed.channel == Channel::Session
            && feed.state == FeedState::Live)
    };
    assert_eq!(rig.events.iter().filter(live).count(), 1);
    rig.place(1, "0.01");
    rig.run(5_000);
    assert!(matches!(rig.steps.as_slice(), [(_, OrderStep::Rejected { .. })]), "{:?}", rig.steps);
    assert!(rig.methods.is_empty(), "{:?}", rig.methods);
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Answered),
        1 => Just(Fate::LostAfter),
        1 => Just(Fate::LostBefore),
        1 => Just(Fate::Html),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is lost: the venue's orders and ours agree once faults stop, none twice, none
    /// unknown; at most 60 requests in any window, at least a second apart.
    #[test]
    fn faults_lose_and_double_nothing(fates in prop::collection::vec(fate(), 0..40)) {
        let mut rig = Rig::ready();
        rig.fates = fates;
        let keys: Vec<OrderKey> = (1..=8i64)
            .map(|number| {
                let key = rig.place(number, "0.5");
                rig.run(1_500);
                if number % 3 == 0 {
                    rig.cancel(key);
                }
                key
            })
            .collect();
        rig.run(180_000);
        let mut working = 0;
        let mut canceled = 0;
        // A refused change leaves the order as it was.
        rig.steps.retain(|(_, step)| !matches!(step, OrderStep::ChangeRefused { .. }));
        for key in keys {
            match rig.last(key) {
                Some(OrderStep::Working { .. }) => working += 1,
                Some(OrderStep::Canceled { reason, .. }) if reason.is_empty() => canceled += 1,
                Some(OrderStep::Canceled { .. } | OrderStep::Rejected { .. }) => {}
                other => prop_assert!(false, "{:?}", other),
            }
        }
        let active = rig.orders.iter().filter(|order| order.status == "active").count();
        prop_assert_eq!((working, canceled), (active, rig.orders.len() - active));
        let ids: BTreeSet<_> = rig.steps.iter().filter_map(|(key, step)| {
            let OrderStep::Working { venue_id } = step else { return None };
            Some((*key, *venue_id))
        }).collect();
        prop_assert_eq!(ids.len(), rig.orders.len());
        for pair in rig.starts.windows(2) {
            prop_assert!(pair[1].since(pair[0]) >= Span::from_secs(1));
        }
        for window in rig.starts.windows(61) {
            prop_assert!(window[60].since(window[0]) > Span::from_secs(60));
        }
        let told = format!("{:?}", rig.notes);
        prop_assert!(!told.contains("secret-text") && !told.contains("key-text"));
    }
}
