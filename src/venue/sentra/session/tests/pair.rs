//! Session and server together over a line that fails, in virtual time, from seeds.

use super::{beat, rows};
use crate::base::{
    Answer, Body, Call, CallAsk, CallId, Command, Event, Failure, Machine, Net, Plain, Reply,
    Request, Response, Secret, Span, Time, VenueIn, VenueOut, decimal, rng::Rng,
};
use crate::simulator::faults::{Fault, What, When};
use crate::simulator::http::{self, HttpIn};
use crate::simulator::sentra::{Checks, Config, In, SentraServer, User, store::Width};
use crate::venue::sentra::{Session, SessionConfig};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Read;

const EMAIL: &str = "usuario@example.com";

/// What is on its way between the two.
enum Way {
    Up(HttpIn),
    Down(Response),
}

struct Pair {
    session: Session,
    server: SentraServer,
    now: Time,
    line: BTreeMap<(Time, u64), Way>,
    posted: u64,
    /// When a request of the session is given up by its shell.
    open: BTreeMap<u64, Time>,
    starts: BTreeMap<String, Vec<Time>>,
    replies: BTreeMap<CallId, Vec<Result<Plain, String>>>,
    /// Nothing goes wrong now but what the session does itself.
    calm: bool,
}

fn server(faults: Vec<Fault>) -> SentraServer {
    SentraServer::new(Config {
        users: vec![User { id: 1, email: Secret::new(EMAIL), accounts: Some(5) }],
        checks: Checks::Manual,
        width: Width::Wide,
        per_second: Some(1),
        rate_status: 429,
        faults,
    })
}

impl Pair {
    fn new(faults: Vec<Fault>) -> Pair {
        Pair {
            session: Session::new(SessionConfig::new(Secret::new(EMAIL))),
            server: server(faults),
            now: Time::from_millis(1_761_733_800_000),
            line: BTreeMap::new(),
            posted: 0,
            open: BTreeMap::new(),
            starts: BTreeMap::new(),
            replies: BTreeMap::new(),
            calm: false,
        }
    }

    fn post(&mut self, after: Span, way: Way) {
        self.posted += 1;
        self.line.insert((self.now.plus(after), self.posted), way);
    }

    fn request(&mut self, request: Request, delay: Span) {
        self.open.insert(request.id, self.now.plus(request.timeout));
        let mut body = request.body.0;
        let packed = request.headers.iter().any(|header| header.name == "Content-Encoding");
        if packed {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut plain).unwrap();
            body = plain;
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        let account = text.split("\"account_number\":\"").nth(1).unwrap();
        let account = account.split('"').next().unwrap().to_owned();
        self.starts.entry(account).or_default().push(self.now);
        let path = request.url.strip_prefix("https://sentrapartners.com").unwrap().to_owned();
        let request = HttpIn {
            id: request.id,
            method: "POST".to_owned(),
            path,
            query: String::new(),
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            body,
        };
        self.post(delay, Way::Up(request));
    }

    fn session_says(&mut self, out: VenueOut, delay: Span) {
        assert!(!format!("{out:?} {:?}", self.session).contains(EMAIL), "{out:?}");
        match out {
            VenueOut::Net(Net::Request(request)) => self.request(request, delay),
            VenueOut::Event(Event::Reply(Reply { id, outcome })) => {
                let outcome = outcome.map_err(|failure| failure.to_string());
                self.replies.entry(id).or_default().push(outcome);
            }
            VenueOut::Net(_) | VenueOut::Event(_) | VenueOut::Note(_) | VenueOut::Sent { .. } => {}
        }
    }

    fn server_says(&mut self, out: http::HttpOut) {
        let outcome = match out.reply {
            http::Reply::Answer(page) => {
                assert!(!self.calm || page.status != 429, "faster than is served");
                Ok(Answer { status: page.status, headers: Vec::new(), body: Body(page.body) })
            }
            http::Reply::Drop => Err(Failure { unsent: false, reason: "reset".to_owned() }),
        };
        self.post(out.delay, Way::Down(Response { id: out.id, outcome }));
    }

    fn step(&mut self, rng: &mut Rng) {
        loop {
            let delay = Span::from_millis(i64::from(rng.below(40)));
            if let Some(out) = self.session.poll(self.now) {
                self.session_says(out, delay);
            } else if let Some(out) = self.server.poll(self.now) {
                self.server_says(out);
            } else if !self.arrive() {
                return;
            }
        }
    }

    /// Hands over what is due now.
    fn arrive(&mut self) -> bool {
        let late: Vec<u64> =
            self.open.iter().filter(|(_, due)| **due <= self.now).map(|(id, _)| *id).collect();
        for id in &late {
            let failure = Failure { unsent: false, reason: "timed out".to_owned() };
            self.answer(Response { id: *id, outcome: Err(failure) });
        }
        let due = self.line.first_entry().filter(|entry| entry.key().0 <= self.now);
        match due.map(|entry| entry.remove()) {
            Some(Way::Up(request)) => self.server.handle(self.now, In::Request(request)),
            Some(Way::Down(response)) => self.answer(response),
            None => return !late.is_empty(),
        }
        true
    }

    fn answer(&mut self, response: Response) {
        if self.open.remove(&response.id).is_some() {
            self.session.handle(self.now, VenueIn::Net(Net::Response(response)));
        }
    }

    fn next(&self) -> Option<Time> {
        let line = self.line.first_key_value().map(|((due, _), _)| *due);
        let open = self.open.values().min().copied();
        let wakes = [self.session.wake_at(), self.server.wake_at(), line, open];
        wakes.into_iter().flatten().min()
    }

    fn run(&mut self, rng: &mut Rng) {
        for _ in 0..20_000 {
            self.step(rng);
            match self.next() {
                Some(next) => self.now = self.now.max(next),
                None => return,
            }
        }
        panic!("it never ends");
    }
}

fn mishap() -> impl Strategy<Value = What> {
    prop_oneof![
        Just(What::DropBefore),
        Just(What::DropAfter),
        Just(What::Delay(Span::from_secs(12))),
        Just(What::Html(502)),
        Just(What::Html(503)),
        Just(What::Html(500)),
        Just(What::Truncate),
        Just(What::TooMany),
        Just(What::Duplicate),
        Just(What::Error(format!("ER_DUP_ENTRY '{EMAIL}'"))),
    ]
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let on = prop::sample::select(vec!["*", "heartbeat", "positions", "trades"]);
    let fault = (on, 2u32..9, mishap());
    prop::collection::vec(fault, 0..4).prop_map(|rows| {
        let fault = |(on, every, what): (&str, u32, What)| Fault {
            on: on.to_owned(),
            when: When::Every(every),
            what,
        };
        rows.into_iter().map(fault).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A caller that asks again for what failed: every trade is stored once, nothing goes faster
    /// than a second, every call is answered once, and the e-mail is nowhere.
    #[test]
    fn every_trade_is_stored_once(
        faults in faults(),
        seed: u64,
        sizes in prop::collection::vec(0usize..260, 1..6),
    ) {
        let mut rng = Rng::new(seed, 0);
        let mut pair = Pair::new(faults);
        let mut asked = 0;
        let mut first = 0;
        for size in &sizes {
            let tickets = first..first + size;
            first += size;
            for attempt in 0.. {
                // Faults stop in the end, as the outcomes' bar has it.
                if attempt == 3 {
                    pair.server.handle(pair.now, In::Faults(Vec::new()));
                }
                let asks = [
                    beat("7"),
                    rows("trades", "7", tickets.clone()),
                    rows("positions", "8", 0..2),
                    beat("8"),
                ];
                for ask in asks {
                    asked += 1;
                    let call = Call { id: CallId(asked), ask, order: None };
                    pair.session.handle(pair.now, VenueIn::Command(Command::Call(call)));
                }
                pair.run(&mut rng);
                let told = &pair.replies[&CallId(asked - 2)];
                if let [Ok(reply)] = told.as_slice() {
                    prop_assert_eq!(reply.get("stored"), reply.get("sent"));
                    break;
                }
                prop_assert!(attempt < 3, "{told:?}");
            }
        }
        let store = pair.server.store();
        let account = store.account(&(1, "7".to_owned())).unwrap().id;
        let tickets = store.trades(account).map(|row| row.ticket.parse().unwrap());
        let mut stored: Vec<usize> = tickets.collect();
        stored.sort_unstable();
        prop_assert_eq!(stored, (0..first).collect::<Vec<_>>());
        for starts in pair.starts.values() {
            for two in starts.windows(2) {
                prop_assert!(two[1].since(two[0]) > Span::from_secs(1));
            }
        }
        prop_assert_eq!(pair.replies.len(), usize::try_from(asked).unwrap());
        prop_assert!(pair.replies.values().all(|told| told.len() == 1));
    }
}

/// Runs, and closed trades of each.
const SEEDS: u64 = 10;
const TRADES: usize = 1_000;
const ROUNDS: usize = 5;
const POSITIONS: usize = 40;
const BEATS: usize = 60;

fn cents(cents: usize) -> Plain {
    Plain::Decimal(decimal::parse(&format!("{}.{:02}", cents / 100, cents % 100)).unwrap())
}

/// An ask with its money told apart, so that the ledgers can be compared.
fn with(mut ask: CallAsk, field: &str, value: impl Fn(usize) -> usize) -> CallAsk {
    for (name, given) in &mut ask.args {
        if *name == field {
            *given = cents(value(0));
        }
        let Plain::List(rows) = given else { continue };
        for row in rows {
            let Some(Plain::Text(ticket)) = row.get("ticket").cloned() else { panic!("{row:?}") };
            let Plain::Map(pairs) = row else { panic!("{row:?}") };
            let at = pairs.iter().position(|(key, _)| *key == Plain::text(field)).unwrap();
            pairs[at].1 = cents(value(ticket.parse().unwrap()));
        }
    }
    ask
}

fn some_faults(rng: &mut Rng) -> Vec<Fault> {
    let mishaps = [
        What::DropBefore,
        What::DropAfter,
        What::Delay(Span::from_secs(12)),
        What::Html(502),
        What::Html(503),
        What::Truncate,
        What::TooMany,
        What::Duplicate,
        What::Error(format!("ER_DUP_ENTRY '{EMAIL}'")),
    ];
    let mut pick = |most: usize| usize::try_from(rng.below(u32::try_from(most).unwrap())).unwrap();
    let count = pick(4);
    let fault = |_| Fault {
        on: ["*", "heartbeat", "positions", "trades"][pick(4)].to_owned(),
        when: When::Every(u32::try_from(2 + pick(7)).unwrap()),
        what: mishaps[pick(mishaps.len())].clone(),
    };
    (0..count).map(fault).collect()
}

/// Calls made, and those of them that failed at first.
#[derive(Copy, Clone, Default, Debug)]
struct Tally {
    calls: u64,
    failed: usize,
}

impl Pair {
    fn push(&mut self, calls: &mut u64, ask: &CallAsk) -> CallId {
        *calls += 1;
        let call = Call { id: CallId(*calls), ask: ask.clone(), order: None };
        self.session.handle(self.now, VenueIn::Command(Command::Call(call)));
        CallId(*calls)
    }

    /// Asks again for what failed, without faults in the end.
    fn round(&mut self, rng: &mut Rng, mut asks: Vec<CallAsk>, tally: &mut Tally) {
        for attempt in 0..4 {
            let faults = if attempt < 3 { some_faults(rng) } else { Vec::new() };
            self.calm = faults.is_empty();
            self.server.handle(self.now, In::Faults(faults));
            let ids: Vec<CallId> =
                asks.iter().map(|ask| self.push(&mut tally.calls, ask)).collect();
            self.run(rng);
            let good = |id: &CallId| match self.replies[id].as_slice() {
                [Ok(reply)] => reply.get("stored") == reply.get("sent"),
                [Err(_)] => false,
                other => panic!("{id:?} ended more than once: {other:?}"),
            };
            let failed = asks.iter().zip(&ids).filter(|(_, id)| !good(id));
            asks = failed.map(|(ask, _)| ask.clone()).collect();
            tally.failed += asks.len();
            if asks.is_empty() {
                return;
            }
        }
        panic!("without faults nothing fails: {asks:?}");
    }
}

/// The profit of a position after a round, in cents.
fn running(round: usize, ticket: usize) -> usize {
    round * 10_000 + ticket
}

fn many(seed: u64) -> Tally {
    let mut rng = Rng::new(seed, 0);
    let mut pair = Pair::new(Vec::new());
    let mut tally = Tally::default();
    let size = TRADES / ROUNDS;
    for round in 0..ROUNDS {
        let closed = rows("trades", "7", round * size..(round + 1) * size);
        let open = rows("positions", "8", 0..POSITIONS);
        let mut asks = vec![
            with(closed, "profit", |ticket| ticket),
            with(open, "profit", |ticket| running(round, ticket)),
        ];
        let beats = (0..BEATS).map(|nth| if nth % 2 == 0 { "7" } else { "8" });
        asks.extend(beats.map(|account| with(beat(account), "balance", |_| round)));
        pair.round(&mut rng, asks, &mut tally);
    }
    assert_eq!(pair.replies.len(), usize::try_from(tally.calls).unwrap(), "each has its reply");
    assert!(pair.replies.values().all(|told| told.len() == 1));
    let store = pair.server.store();
    let mut ids = Vec::new();
    for (number, count) in [("7", TRADES), ("8", POSITIONS)] {
        let account = store.account(&(1, number.to_owned())).unwrap();
        assert_eq!(account.balance, i64::try_from(ROUNDS - 1).unwrap(), "the last heartbeat");
        let mut tickets = Vec::new();
        for trade in store.trades(account.id) {
            let ticket: usize = trade.ticket.parse().unwrap();
            let is_closed = number == "7";
            let profit = if is_closed { ticket } else { running(ROUNDS - 1, ticket) };
            assert_eq!(trade.profit, i64::try_from(profit).unwrap(), "{trade:?}");
            assert_eq!(trade.close_time.is_some(), is_closed, "{trade:?}");
            tickets.push(ticket);
            ids.push(trade.id);
        }
        tickets.sort_unstable();
        assert_eq!(tickets, (0..count).collect::<Vec<_>>(), "each is stored once");
    }
    ids.sort_unstable();
    let made = i64::try_from(TRADES + POSITIONS).unwrap();
    assert_eq!(ids, (1..=made).collect::<Vec<_>>(), "no row was made twice");
    tally
}

#[test]
fn ten_thousand_trades_are_stored_once_each() {
    let mut sum = Tally::default();
    for seed in 1..=SEEDS {
        let tally = std::panic::catch_unwind(|| many(seed));
        let tally = tally.unwrap_or_else(|_| panic!("seed {seed} failed"));
        (sum.calls, sum.failed) = (sum.calls + tally.calls, sum.failed + tally.failed);
    }
    let least = SEEDS * u64::try_from(ROUNDS * (BEATS + 2)).unwrap();
    let failed = u64::try_from(sum.failed).unwrap();
    assert!(sum.calls == least + failed && failed * 50 > least, "{sum:?}");
}
