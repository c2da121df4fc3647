//! The session under answers of every kind, in virtual time.

use super::*;
use crate::base::Decimal;
use crate::venue::sentra::wire::AccountType;
use proptest::prelude::*;

const EMAIL: &str = "usuario@example.com";

fn at(millis: i64) -> Time {
    Time::from_millis(1_700_000_000_000 + millis)
}

struct Rig {
    session: Session,
    now: Time,
    /// Status and text, in turn; status 0: the connection breaks. Then all is well.
    answers: VecDeque<(u16, String)>,
    starts: Vec<Time>,
    paths: Vec<String>,
    outs: Vec<Out>,
}

impl Rig {
    fn new(answers: &[(u16, &str)]) -> Rig {
        let email = Secret::new(EMAIL);
        let who =
            Identity { email, account: "12345678".to_owned(), account_type: AccountType::Standard };
        Rig {
            session: Session::new(SessionConfig::new(who)),
            now: at(0),
            answers: answers.iter().map(|(status, text)| (*status, (*text).to_owned())).collect(),
            starts: Vec::new(),
            paths: Vec::new(),
            outs: Vec::new(),
        }
    }

    fn give(&mut self, input: In) {
        self.session.handle(self.now, input);
    }

    fn run(&mut self, millis: i64) {
        let end = self.now.plus(Span::from_millis(millis));
        for _ in 0..10_000 {
            while let Some(out) = self.session.poll(self.now) {
                if let Out::Net(Net::Request(request)) = &out {
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
        assert!(!format!("{request:?}").contains(EMAIL));
        self.starts.push(self.now);
        let path = request.url.rsplit('/').next().unwrap().to_owned();
        let count = request.body.text().matches("\"ticket\"").count();
        let fine = match path.as_str() {
            "heartbeat" => r#"{"success":true,"message":"Heartbeat recebido"}"#.to_owned(),
            _ => format!(r#"{{"success":true,"message":"{count} trades sincronizados"}}"#),
        };
        self.paths.push(path);
        let (status, text) = self.answers.pop_front().unwrap_or((200, fine.clone()));
        let outcome = match status {
            0 => Err(Failure { unsent: false, reason: "reset".to_owned() }),
            200 if text.is_empty() => Ok((200, fine)),
            status => Ok((status, text)),
        };
        let answer = outcome.map(|(status, text)| Answer {
            status,
            headers: Vec::new(),
            body: Body(text.into_bytes()),
        });
        self.give(In::Response(Response { id: request.id, outcome: answer }));
    }

    fn gaps(&self) -> Vec<i64> {
        self.starts.windows(2).map(|pair| pair[1].since(pair[0]).nanos() / 1_000_000).collect()
    }
}

fn beat() -> In {
    In::Heartbeat(Heartbeat { balance: Decimal::ONE, ..Heartbeat::default() })
}

fn closed(count: usize) -> In {
    let time = at(0);
    let row = |number: usize| Closed {
        ticket: number.to_string(),
        symbol: "BTCBRL".to_owned(),
        side: crate::base::Side::Buy,
        volume: Decimal::ONE,
        open_price: Decimal::ONE,
        close_price: Decimal::ONE,
        open_time: time,
        close_time: time,
        profit: Decimal::ZERO,
        commission: None,
        swap: None,
    };
    In::Trades((0..count).map(row).collect())
}

/// SENTRA-R14, F09, F10: three attempts in all, 1 s and 2 s apart, and no wait after the last.
#[test]
fn transient_failures_are_tried_three_times() {
    for answers in [
        [(502, ""), (503, ""), (502, "")],
        [(0, ""), (0, ""), (0, "")],
        [(429, "{}"), (200, "{\"succ"), (503, "<html>")],
    ] {
        let mut rig = Rig::new(&answers);
        rig.give(beat());
        rig.run(20_000);
        assert_eq!(rig.paths.len(), 3, "{answers:?}");
        assert_eq!(rig.gaps(), [1000, 2000], "{answers:?}");
        assert!(matches!(rig.outs.last(), Some(Out::Failed { .. })), "{:?}", rig.outs);
    }
}

/// SENTRA-R20: every other status is final.
#[test]
fn other_statuses_end_at_once_and_no_text_shows_the_email() {
    for status in [400, 403, 404, 500] {
        let text = format!(r#"{{"success":false,"error":"bad {EMAIL} row"}}"#);
        let mut rig = Rig::new(&[(status, &text)]);
        rig.give(beat());
        rig.run(20_000);
        assert_eq!(rig.paths.len(), 1);
        let shown = format!("{:?} {:?}", rig.outs, rig.session);
        assert!(!shown.contains(EMAIL) && shown.contains("bad *** row"), "{shown}");
    }
}

/// SENTRA-R07, R09, R13: heartbeat first, batches of 100, a second apart.
#[test]
fn trades_wait_for_the_heartbeat_and_go_in_batches() {
    let mut rig = Rig::new(&[]);
    rig.give(closed(250));
    rig.run(5_000);
    assert!(rig.paths.is_empty());
    rig.give(beat());
    rig.run(10_000);
    assert_eq!(rig.paths, ["heartbeat", "trades", "trades", "trades"]);
    assert!(rig.gaps().iter().all(|gap| *gap >= 1000), "{:?}", rig.gaps());
    let counts: Vec<(usize, usize)> = rig
        .outs
        .iter()
        .filter_map(|out| {
            let Out::Synced { push: Push::Trades, sent, stored } = out else { return None };
            Some((*sent, *stored))
        })
        .collect();
    assert_eq!(counts, [(100, 100), (100, 100), (50, 50)]);
}

/// SENTRA-R22c: a heartbeat, then once more, and not a third time.
#[test]
fn an_account_that_is_gone_is_made_again_once() {
    let gone = r#"{"success":false,"error":"Conta não encontrada. Envie heartbeat primeiro."}"#;
    let mut rig = Rig::new(&[(200, ""), (404, gone), (200, ""), (404, gone)]);
    rig.give(beat());
    rig.give(closed(1));
    rig.run(20_000);
    assert_eq!(rig.paths, ["heartbeat", "trades", "heartbeat", "trades"]);
    assert!(matches!(rig.outs.last(), Some(Out::Failed { push: Push::Trades, .. })));
}

/// SENTRA-P05, SENTRA-T06.
#[test]
fn a_partial_sync_is_reported() {
    let partial = r#"{"success":true,"message":"2 trades sincronizados"}"#;
    let mut rig = Rig::new(&[(200, ""), (200, partial)]);
    rig.give(beat());
    rig.give(closed(3));
    rig.run(5_000);
    let synced = Out::Synced { push: Push::Trades, sent: 3, stored: 2 };
    assert!(rig.outs.contains(&synced), "{:?}", rig.outs);
    assert!(rig.outs.contains(&Out::Note("sentra: trades: 2 of 3 stored".to_owned())));
}

#[test]
fn positions_within_a_second_become_one_push() {
    let mut rig = Rig::new(&[]);
    rig.give(beat());
    for _ in 0..5 {
        rig.give(In::Positions(Vec::new()));
        rig.run(150);
    }
    rig.run(5_000);
    assert_eq!(rig.paths, ["heartbeat", "positions"]);
}

/// SENTRA-R10: when the shell never answers, the push is tried again.
#[test]
fn silence_is_a_failure() {
    let mut rig = Rig::new(&[]);
    rig.give(beat());
    assert!(matches!(rig.session.poll(at(0)), Some(Out::Net(Net::Request(_)))));
    assert_eq!(rig.session.poll(at(0)), None);
    rig.now = at(11_000);
    rig.run(5_000);
    assert_eq!(rig.paths, ["heartbeat"]);
}

fn status() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![0u16, 200, 429, 500, 502, 503])
}

proptest! {
    /// Whatever is answered: a second between starts, three attempts at most, every push told.
    #[test]
    fn the_pace_and_the_attempts_hold(
        statuses in prop::collection::vec(status(), 0..30),
        trades in 1usize..400,
    ) {
        let answers: Vec<(u16, &str)> = statuses.iter().map(|status| (*status, "")).collect();
        let mut rig = Rig::new(&[]);
        rig.give(beat());
        rig.run(2_000);
        rig.answers = Rig::new(&answers).answers;
        rig.give(closed(trades));
        rig.run(200_000);
        prop_assert!(rig.gaps().iter().all(|gap| *gap >= 1000), "{:?}", rig.gaps());
        let told: usize = rig.outs.iter().filter_map(|out| {
            let (Out::Synced { push: Push::Trades, sent, .. }
            | Out::Failed { push: Push::Trades, sent, .. }) = out else { return None };
            Some(*sent)
        }).sum();
        prop_assert_eq!(told, trades);
        prop_assert!(rig.paths.len() <= 1 + 3 * trades.div_ceil(100));
    }
}
