//! The session under answers of every kind, in virtual time.

use super::*;
use crate::base::{
    Answer, Body, CallAsk, Decimal, Failure, Fate, Plain, Request, Response, decimal,
};
use proptest::prelude::*;

mod pair;

const EMAIL: &str = "Usuario@example.com";

fn at(millis: i64) -> Time {
    Time::from_millis(1_700_000_000_000 + millis)
}

pub(super) fn beat(account: &str) -> CallAsk {
    CallAsk {
        venue: VenueName::new("sentra"),
        name: "heartbeat",
        args: vec![
            ("account_number", Plain::text(account)),
            ("balance", Plain::Decimal(Decimal::ONE)),
            ("equity", Plain::Decimal(Decimal::ONE)),
        ],
    }
}

fn row(ticket: &str, closed: bool) -> Plain {
    let one = || Plain::Decimal(Decimal::ONE);
    let mut pairs = vec![
        ("ticket", Plain::text(ticket)),
        ("symbol", Plain::text("BTCBRL")),
        ("type", Plain::text("buy")),
        ("volume", Plain::Decimal(decimal::parse("0.01").unwrap())),
        ("open_price", one()),
        ("profit", one()),
        ("open_time", Plain::Int(1_700_000_000)),
    ];
    if closed {
        pairs.push(("close_price", one()));
        pairs.push(("close_time", Plain::text("2023-11-14T22:13:20Z")));
    } else {
        pairs.push(("current_price", one()));
    }
    Plain::map(pairs)
}

pub(super) fn rows(name: &'static str, account: &str, tickets: std::ops::Range<usize>) -> CallAsk {
    let rows = tickets.map(|ticket| row(&ticket.to_string(), name == "trades")).collect();
    CallAsk {
        venue: VenueName::new("sentra"),
        name,
        args: vec![("account_number", Plain::text(account)), (name, Plain::List(rows))],
    }
}

struct Rig {
    session: Session,
    now: Time,
    asked: u64,
    /// Status and text, in turn; status 0: the connection breaks; 1: none was made. Then all is
    /// well.
    answers: VecDeque<(u16, String)>,
    starts: Vec<Time>,
    paths: Vec<String>,
    outs: Vec<VenueOut>,
}

impl Rig {
    fn new(answers: &[(u16, &str)]) -> Rig {
        Rig {
            session: Session::new(SessionConfig::new(Secret::new(EMAIL))),
            now: at(0),
            asked: 0,
            answers: answers.iter().map(|(status, text)| (*status, (*text).to_owned())).collect(),
            starts: Vec::new(),
            paths: Vec::new(),
            outs: Vec::new(),
        }
    }

    fn ask(&mut self, ask: CallAsk) {
        self.asked += 1;
        let call = Call { id: CallId(self.asked), ask, order: None };
        self.session.handle(self.now, VenueIn::Command(Command::Call(call)));
    }

    fn run(&mut self, millis: i64) {
        let end = self.now.plus(Span::from_millis(millis));
        for _ in 0..10_000 {
            while let Some(out) = self.session.poll(self.now) {
                assert!(!format!("{out:?}").to_lowercase().contains("usuario@"), "{out:?}");
                if let VenueOut::Net(Net::Request(request)) = &out {
                    self.serve(request);
                } else {
                    self.outs.push(out);
                }
            }
            match self.session.wake_at() {
                Some(wake) if wake <= end => self.now = self.now.max(wake),
                _ => break,
            }
        }
        self.now = end;
    }

    fn serve(&mut self, request: &Request) {
        self.starts.push(self.now);
        assert!(request.body.text().contains(EMAIL));
        let sent = matches!(self.outs.last(), Some(VenueOut::Sent { lane }) if lane == "sentra/7");
        assert!(sent, "told before it goes");
        let path = request.url.rsplit('/').next().unwrap().to_owned();
        let count = request.body.text().matches("\"ticket\"").count();
        let fine = match path.as_str() {
            "heartbeat" => r#"{"success":true,"message":"Heartbeat recebido"}"#.to_owned(),
            _ => format!(r#"{{"success":true,"message":"{count} trades sincronizados"}}"#),
        };
        self.paths.push(path);
        let (status, text) = self.answers.pop_front().unwrap_or((200, fine.clone()));
        let reason = "reset".to_owned();
        let outcome = match status {
            0 | 1 => Err(Failure { unsent: status == 1, reason }),
            200 if text.is_empty() => Ok((200, fine)),
            status => Ok((status, text)),
        };
        let answer = outcome.map(|(status, text)| Answer {
            status,
            headers: Vec::new(),
            body: Body(text.into_bytes()),
        });
        let response = Response { id: request.id, outcome: answer };
        self.session.handle(self.now, VenueIn::Net(Net::Response(response)));
    }

    fn gaps(&self) -> Vec<i64> {
        self.starts.windows(2).map(|pair| pair[1].since(pair[0]).nanos() / 1_000_000).collect()
    }

    fn replies(&self) -> Vec<(u64, String)> {
        let reply = |out: &VenueOut| {
            let VenueOut::Event(Event::Reply(Reply { id, outcome })) = out else { return None };
            let told = match outcome {
                Ok(reply) => reply.json(),
                Err(failure) => format!("{} {failure}", failure.fate.word()),
            };
            Some((id.0, told))
        };
        self.outs.iter().filter_map(reply).collect()
    }

    fn notes(&self) -> String {
        let note = |out: &VenueOut| {
            let VenueOut::Note(text) = out else { return None };
            Some(text.clone())
        };
        self.outs.iter().filter_map(note).collect::<Vec<_>>().join("\n")
    }
}

/// The last answer of a heartbeat that met these.
fn check(answers: &[(u16, &str)], requests: usize, expected: &str) {
    let mut rig = Rig::new(answers);
    rig.ask(beat("7"));
    rig.run(60_000);
    assert_eq!(rig.paths.len(), requests, "{answers:?}");
    assert_eq!(rig.replies(), [(1, expected.to_owned())], "{answers:?}");
}

const FINE: &str = r#"{"success":true,"message":"Heartbeat recebido","stored":1,"sent":1}"#;
const GONE: &str = r#"{"success":false,"error":"Conta não encontrada. Envie heartbeat primeiro."}"#;

/// SENTRA-R14, F09, F10: three attempts in all; what is known of the fate is said.
#[test]
fn outcomes() {
    check(&[], 1, FINE);
    check(&[(502, ""), (0, "")], 3, FINE);
    check(&[(1, ""), (1, ""), (1, "")], 3, "refused unavailable: reset");
    check(&[(502, ""); 3], 3, "unknown unavailable: HTTP 502 (code 502)");
    check(&[(0, ""); 3], 3, "unknown timeout: reset");
    check(&[(0, ""), (1, ""), (1, "")], 3, "unknown unavailable: reset");
    check(&[(429, "{}"); 3], 3, "refused rate_limited: HTTP 429 (code 429)");
    let cut = "unknown timeout: a reply that cannot be read (code 200)";
    check(&[(200, "{\"succ"); 3], 3, cut);
    check(&[(400, "<html>")], 1, "refused rejected: HTTP 400 (code 400)");
    let none = r#"{"success":false,"error":"Usuário não encontrado. Cadastre-se na plataforma primeiro."}"#;
    let told = "Usuário não encontrado. Cadastre-se na plataforma primeiro.";
    check(&[(404, none)], 1, &format!("refused rejected: {told} (code 404)"));
    // SENTRA-F13: the venue's raw exception quotes what was sent.
    let raw = r#"{"success":false,"error":"bad usuario@EXAMPLE.com, usuario%40example.com row"}"#;
    check(&[(500, raw)], 1, "unknown rejected: bad ***, *** row (code 500)");
    let lower = r#"{"success":true,"message":"oi usuario@example.com"}"#;
    check(&[(200, lower)], 1, r#"{"success":true,"message":"oi ***","stored":1,"sent":1}"#);
}

/// SENTRA-F10, R09: 1 s and 2 s apart, and no wait after the last.
#[test]
fn waits_double() {
    let mut rig = Rig::new(&[(503, ""); 3]);
    rig.ask(beat("7"));
    rig.run(20_000);
    assert_eq!(rig.gaps(), [1000, 2000]);
    let ended = rig.session.wake_at();
    assert_eq!(ended, None, "nothing left to wait for");
}

/// SENTRA-R13, R09: batches a second apart in one call, one summed reply; heartbeats in between.
#[test]
fn a_long_history_is_one_reply() {
    let mut rig = Rig::new(&[]);
    rig.ask(rows("trades", "7", 0..250));
    rig.run(500);
    rig.ask(beat("7"));
    rig.run(10_000);
    assert_eq!(rig.paths, ["trades", "trades", "heartbeat", "trades"]);
    assert!(rig.gaps().iter().all(|gap| *gap >= 1000), "{:?}", rig.gaps());
    let summed = r#"{"success":true,"message":"250 trades sincronizados","stored":250,"sent":250}"#;
    assert_eq!(rig.replies(), [(2, FINE.to_owned()), (1, summed.to_owned())]);
}

#[test]
fn a_history_that_breaks_off_says_how_far_it_came() {
    let no = r#"{"success":false,"error":"Assinatura necessária"}"#;
    let mut rig = Rig::new(&[(200, ""), (403, no)]);
    rig.ask(rows("trades", "7", 0..250));
    rig.run(10_000);
    let told = "unknown rejected: Assinatura necessária; 100 of 250 rows were taken (code 403)";
    assert_eq!(rig.replies(), [(1, told.to_owned())]);
}

/// SENTRA-R22c: a heartbeat, then once more, and not a third time.
#[test]
fn an_account_that_is_gone_is_made_again_once() {
    let mut rig = Rig::new(&[(200, ""), (404, GONE), (502, ""), (200, ""), (404, GONE)]);
    rig.ask(beat("7"));
    rig.ask(rows("trades", "7", 0..1));
    rig.ask(rows("positions", "7", 0..2));
    rig.run(20_000);
    let paths = ["heartbeat", "positions", "heartbeat", "heartbeat", "positions", "trades"];
    assert_eq!(rig.paths, paths);
    let replies = rig.replies();
    assert_eq!(replies.len(), 3);
    assert!(replies[1].1.starts_with("refused rejected: Conta não encontrada"), "{replies:?}");
    let (id, last) = &replies[2];
    assert_eq!((*id, last.contains("\"stored\":1")), (2, true));
}

#[test]
fn without_a_heartbeat_to_repeat_the_venues_no_stands() {
    let mut rig = Rig::new(&[(404, GONE)]);
    rig.ask(rows("trades", "7", 0..1));
    rig.run(20_000);
    assert_eq!(rig.paths, ["trades"]);
    let told = format!("refused rejected: {} (code 404)", wire::NO_ACCOUNT);
    assert_eq!(rig.replies(), [(1, told)]);
    let no = r#"{"success":false,"error":"Assinatura necessária"}"#;
    let mut rig = Rig::new(&[(200, ""), (404, GONE), (403, no)]);
    rig.ask(beat("7"));
    rig.ask(rows("trades", "7", 0..1));
    rig.run(20_000);
    assert_eq!(rig.paths, ["heartbeat", "trades", "heartbeat"]);
    assert!(rig.replies()[1].1.contains("its heartbeat failed: rejected: Assinatura"));
}

/// SENTRA-P05, SENTRA-T06; SENTRA-R15: what the log holds.
#[test]
fn a_partial_sync_is_reported() {
    let partial = r#"{"success":true,"message":"2 trades sincronizados"}"#;
    let mut rig = Rig::new(&[(200, partial)]);
    rig.ask(rows("trades", "7", 0..3));
    rig.run(5_000);
    let told = r#"{"success":true,"message":"2 trades sincronizados","stored":2,"sent":3}"#;
    assert_eq!(rig.replies(), [(1, told.to_owned())]);
    let line = "sentra: POST /trades 200 in 0ms, account 7, 3 sent, only 2 stored";
    assert_eq!(rig.notes(), line);
}

/// SENTRA-R10: when the shell never answers, the push is tried again.
#[test]
fn silence_is_a_failure() {
    let mut rig = Rig::new(&[]);
    rig.ask(beat("7"));
    let mut outs = std::iter::from_fn(|| rig.session.poll(at(0)));
    assert!(outs.any(|out| matches!(out, VenueOut::Net(Net::Request(_)))));
    assert_eq!(rig.session.wake_at(), Some(at(11_000)));
    rig.now = at(11_000);
    rig.run(5_000);
    assert_eq!(rig.paths, ["heartbeat"]);
    assert_eq!(rig.replies(), [(1, FINE.to_owned())]);
}

/// What waits too long for its first turn is never sent.
#[test]
fn patience_ends() {
    let mut rig = Rig::new(&[(0, ""); 200]);
    for _ in 0..60 {
        rig.ask(beat("7"));
    }
    rig.run(300_000);
    let replies = rig.replies();
    assert_eq!(replies.len(), 60);
    let expired = "refused expired_in_queue: it waited 120s for its turn";
    assert!(replies[59].1 == expired && replies[0].1 == "unknown timeout: reset", "{replies:?}");
    assert!(rig.starts.last().unwrap().since(at(0)) < Span::from_secs(130));
}

#[test]
fn bounds() {
    let mut rig = Rig::new(&[]);
    for account in 0..32 {
        rig.ask(beat(&account.to_string()));
    }
    rig.ask(beat("99"));
    for _ in 0..128 {
        rig.ask(beat("7"));
    }
    let told: Vec<VenueOut> = rig.session.desk.out.drain(..).collect();
    let ids: Vec<u64> = told
        .iter()
        .map(|out| {
            let VenueOut::Event(Event::Reply(Reply { id, outcome: Err(failure) })) = out else {
                panic!("{out:?}")
            };
            assert_eq!((failure.kind, failure.fate), (CallFailureKind::Limit, Fate::Refused));
            id.0
        })
        .collect();
    assert_eq!(ids, [33, 161]);
}

/// SENTRA-F19: lanes apart by account, and what was sent before a restart counts.
#[test]
fn lanes() {
    let mut config = SessionConfig::new(Secret::new(EMAIL));
    config.sent.insert("sentra/7".to_owned(), vec![at(-400)]);
    let mut session = Session::new(config);
    for (id, account) in [(1, "7"), (2, "8"), (3, "8")] {
        let call = Call { id: CallId(id), ask: beat(account), order: None };
        session.handle(at(0), VenueIn::Command(Command::Call(call)));
    }
    let sends: Vec<String> = std::iter::from_fn(|| session.poll(at(0)))
        .filter_map(|out| {
            let VenueOut::Sent { lane } = out else { return None };
            Some(lane)
        })
        .collect();
    assert_eq!(sends, ["sentra/8"]);
    let left: Vec<(String, u32, usize)> =
        session.lanes(at(0)).into_iter().map(|row| (row.lane, row.left, row.waiting)).collect();
    assert_eq!(left, [("sentra/7".to_owned(), 0, 1), ("sentra/8".to_owned(), 0, 1)]);
    assert_eq!(session.wake_at(), Some(at(600).plus(Span::from_nanos(1))));
}

/// It has no market and takes no orders, and is live at once.
#[test]
fn a_venue_without_orders() {
    use crate::base::{InstrumentId, Place, Side, Tif};
    let mut session = Session::new(SessionConfig::new(Secret::new(EMAIL)));
    assert_eq!(session.wake_at(), Some(Time::ZERO));
    let (key, instrument) = (OrderKey::FIRST, InstrumentId(0));
    let place = Command::Place(Place {
        key,
        instrument,
        side: Side::Buy,
        kind: crate::base::OrderKind::Market,
        qty: Decimal::ONE,
        price: None,
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    });
    let call = Call { id: CallId(1), ask: beat("7"), order: Some(Box::new(place)) };
    for command in [
        Command::Call(call),
        Command::Cancel { key, instrument },
        Command::Reduce { key, instrument, qty: Decimal::ONE },
        Command::CancelAll { instrument: None },
        Command::Subscribe { instrument, channel: Channel::Book, depth: None, interval: None },
    ] {
        session.handle(at(0), VenueIn::Command(command));
    }
    let told: Vec<String> = std::iter::from_fn(|| session.poll(at(0)))
        .map(|out| match out.clone() {
            VenueOut::Event(Event::Order(news)) => format!("{:?}", news.step),
            VenueOut::Event(Event::Reply(reply)) => reply.outcome.unwrap_err().to_string(),
            VenueOut::Event(Event::Feed(news)) => {
                format!("{} {} {}", news.channel.word(), news.state.word(), news.reason)
            }
            VenueOut::Net(_) | VenueOut::Event(_) | VenueOut::Note(_) | VenueOut::Sent { .. } => {
                panic!("{out:?}")
            }
        })
        .collect();
    let expected = [
        "Rejected { reason: \"VENUE_UNSUPPORTED what=orders\" }",
        "rejected: VENUE_UNSUPPORTED what=orders",
        "ChangeRefused { reason: \"VENUE_UNSUPPORTED what=orders\" }",
        "ChangeRefused { reason: \"VENUE_UNSUPPORTED what=orders\" }",
        "book down VENUE_UNSUPPORTED what=market data",
        "session live ",
    ];
    assert_eq!(told, expected);
    assert_eq!(session.wake_at(), None);
}

fn status() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![0u16, 1, 200, 404, 429, 500, 502, 503])
}

proptest! {
    /// Whatever is answered: a second between starts, three attempts at most, one reply each.
    #[test]
    fn the_pace_and_the_attempts_hold(
        statuses in prop::collection::vec(status(), 0..30),
        trades in 1usize..400,
    ) {
        let answers: Vec<(u16, &str)> = statuses.iter().map(|status| match status {
            404 => (404, GONE),
            status => (*status, ""),
        }).collect();
        let mut rig = Rig::new(&answers);
        rig.ask(beat("7"));
        rig.ask(rows("trades", "7", 0..trades));
        rig.ask(rows("positions", "7", 0..3));
        rig.run(200_000);
        prop_assert!(rig.gaps().iter().all(|gap| *gap >= 1000), "{:?}", rig.gaps());
        let mut ids: Vec<u64> = rig.replies().iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        prop_assert_eq!(ids, [1, 2, 3]);
        prop_assert!(rig.paths.len() <= 3 * (2 + trades.div_ceil(100)) + 12);
    }
}
