//! A venue with two users on a clock of its own, and the frames it sends.

mod calls;
mod hostile;
mod life;
mod listing;
mod market;
mod order;
mod rest;
mod streams;
mod wire;

use super::*;
use crate::base::{BookChange, BookSide, Fees, Level, Quote, Side, Trade, decimal};
use crate::exchange::QueueModel;

/// Ids near 2^63, beyond every double (FLOW-F29).
const FIRST_ORDER: i64 = 9_222_816_249_026_513_000;
const ANA: i64 = 5;
const BIA: i64 = 6;

pub fn dec(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

/// A frame as it came out of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Got {
    conn: u32,
    m: u8,
    i: String,
    n: String,
    o: String,
}

struct Venue {
    server: FlowServer,
    now: Time,
}

fn user(name: &str, account: i64) -> TestUser {
    TestUser {
        user: name.to_owned(),
        password: Secret::new(format!("{name}-secret")),
        user_id: account + 100,
        account: AccountNumber(account),
        balances: vec![("BRL".to_owned(), dec("1000")), ("BTC".to_owned(), dec("2"))],
        keys: vec![ApiKey { id: format!("{name}-key"), secret: Secret::new("s3cr3t") }],
        totp: None,
    }
}

fn config(dialect: Dialect) -> ServerConfig {
    let fees = Fees { maker: dec("0.001"), taker: dec("0.002") };
    ServerConfig {
        dialect,
        users: vec![user("ana", ANA), user("bia", BIA)],
        exchange: exchange::Config {
            instruments: super::listing::instruments(fees),
            queue: QueueModel::None,
            first_order_id: FIRST_ORDER,
            first_trade_id: 87,
            wait_for_print: false,
        },
        seed: 7,
        shuffle: false,
        latency: Span::ZERO,
        conduct: Conduct::default(),
    }
}

impl Venue {
    /// Connections 0 (nobody), 1 (Ana) and 2 (Bia) are open; Ana and Bia follow their accounts.
    fn new(dialect: Dialect) -> Venue {
        Venue::with(config(dialect))
    }

    fn with(config: ServerConfig) -> Venue {
        // The moment of the page's Level 2 example (FLOW-T01).
        let now = Time::from_millis(1_602_269_461_897);
        let mut venue = Venue { server: FlowServer::new(config), now };
        for conn in 0..3 {
            venue.server.handle(venue.now, ServerIn::Opened { conn });
        }
        for (conn, name) in [(1, "ana"), (2, "bia")] {
            let o = format!("{{\"UserName\":\"{name}\",\"Password\":\"{name}-secret\"}}");
            venue.send(conn, "WebAuthenticateUser", &o);
            venue.send(conn, "SubscribeAccountEvents", "{\"OMSId\":1}");
        }
        venue
    }

    fn input(&mut self, input: ServerIn) -> Vec<Got> {
        self.server.handle(self.now, input);
        self.drain()
    }

    fn drain(&mut self) -> Vec<Got> {
        let mut frames = Vec::new();
        while let Some(out) = self.server.poll(self.now) {
            if let ServerOut::Frame { conn, text } = out {
                frames.push(read(conn, &text));
            }
        }
        frames
    }

    fn raw(&mut self, conn: u32, text: &str) -> Vec<Got> {
        self.input(ServerIn::Frame { conn, text: text.to_owned() })
    }

    fn send(&mut self, conn: u32, n: &str, o: &str) -> Vec<Got> {
        self.raw(conn, &super::wire::frame(0, "2", n, o))
    }

    /// The `o` of the reply.
    fn ask(&mut self, conn: u32, n: &str, o: &str) -> String {
        let frames = self.send(conn, n, o);
        let reply = frames.iter().find(|got| got.m == 1 && got.conn == conn && got.n == n);
        reply.unwrap_or_else(|| panic!("no reply to {n} in {frames:?}")).o.clone()
    }

    fn trade(&mut self, side: Side, price: &str, qty: &str) -> Vec<Got> {
        let trade = Trade {
            time: self.now,
            instrument: InstrumentId(0),
            price: dec(price),
            qty: dec(qty),
            side: Some(side),
            id: 0,
        };
        self.input(ServerIn::Market(Event::Trade(trade)))
    }

    fn quote(&mut self, bid: (&str, &str), ask: (&str, &str)) -> Vec<Got> {
        let quote = Quote {
            time: self.now,
            instrument: InstrumentId(0),
            bid: dec(bid.0),
            bid_qty: dec(bid.1),
            ask: dec(ask.0),
            ask_qty: dec(ask.1),
            last: Decimal::ZERO,
        };
        self.input(ServerIn::Market(Event::Quote(quote)))
    }

    fn book(&mut self, snapshot: bool, levels: &[(BookSide, &str, &str)]) -> Vec<Got> {
        let level = |&(side, price, qty): &(BookSide, &str, &str)| Level {
            side,
            price: dec(price),
            qty: dec(qty),
        };
        let change = BookChange {
            time: self.now,
            instrument: InstrumentId(0),
            snapshot,
            levels: levels.iter().map(level).collect(),
        };
        self.input(ServerIn::Market(Event::Book(change)))
    }

    /// A limit order of connection 1 or 2 on instrument 1.
    fn limit(&mut self, conn: u32, side: i64, qty: &str, price: &str, client: i64) -> Vec<Got> {
        let o = format!(
            "{{\"InstrumentId\":1,\"Side\":{side},\"Quantity\":{qty},\"OrderType\":2,\
             \"LimitPrice\":{price},\"ClientOrderId\":{client},\"TimeInForce\":1,\"OMSId\":1}}"
        );
        self.send(conn, "SendOrder", &o)
    }

    fn pass(&mut self, span: Span) {
        self.now = self.now.plus(span);
    }
}

fn read(conn: u32, text: &str) -> Got {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    Got {
        conn,
        m: u8::try_from(value["m"].as_u64().unwrap()).unwrap(),
        i: value["i"].to_string(),
        n: value["n"].as_str().unwrap().to_owned(),
        o: value["o"].as_str().unwrap().to_owned(),
    }
}

/// The value of a field, as its JSON.
fn field(o: &str, key: &str) -> String {
    let fields = super::wire::Fields::parse(o).unwrap();
    fields.raw(key).unwrap_or_else(|| panic!("no {key} in {o}")).to_owned()
}

/// `name: field, field …` of each event to a connection.
fn events(frames: &[Got], conn: u32, n: &str, keys: &[&str]) -> Vec<String> {
    let wanted = frames.iter().filter(|got| got.m == 3 && got.conn == conn && got.n == n);
    let show = |got: &Got| {
        let values: Vec<String> = keys.iter().map(|key| field(&got.o, key)).collect();
        values.join(" ")
    };
    wanted.map(show).collect()
}
