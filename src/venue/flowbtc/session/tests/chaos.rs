//! A small venue over a bad link, from one seed: drops with frames in flight, delays, reordered,
//! repeated and missing events, missing replies. In the end session and venue agree on every order.

use super::*;
use crate::base::rng::Rng;
use crate::venue::flowbtc::wire::{Fields, request};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
struct Order {
    id: i64,
    client: i64,
    origin: i64,
    qty: i64,
    done: i64,
    state: &'static str,
}

impl Order {
    fn row(&self) -> String {
        let (qty, done) = (self.qty.to_string(), self.done.to_string());
        order(self.id, self.client, self.state, &qty, &done).replace(
            &format!(r#""OrigOrderId":{}"#, self.id),
            &format!(r#""OrigOrderId":{}"#, self.origin),
        )
    }
}

/// Frames on their way: when, on which connection, to whom.
#[derive(Clone, Debug)]
enum Parcel {
    ToVenue(Asked),
    ToSession(u32, String),
    Open(u32),
}

const NOT_THERE: &str =
    r#"{"result":false,"errormsg":"Resource Not Found","errorcode":104,"detail":null}"#;
const RECEIVED: &str = r#"{"status":"Processing","errormsg":""}"#;

struct World {
    rig: Rig,
    rng: Rng,
    calm: bool,
    orders: BTreeMap<i64, Order>,
    trades: Vec<String>,
    link: BTreeMap<(Time, u64), Parcel>,
    sent: u64,
    /// Replies keep their order, as on one socket.
    last_reply: Time,
    last_request: Time,
    alive: Option<u32>,
    seen_log: usize,
    seen_nets: usize,
    next: i64,
}

impl World {
    fn new(seed: u64) -> World {
        World {
            rig: Rig::new(config()),
            rng: Rng::new(seed, 9),
            calm: false,
            orders: BTreeMap::new(),
            trades: Vec::new(),
            link: BTreeMap::new(),
            sent: 0,
            last_reply: Time::ZERO,
            last_request: Time::ZERO,
            alive: None,
            seen_log: 0,
            seen_nets: 0,
            next: 1000,
        }
    }

    fn chance(&mut self, percent: u32) -> bool {
        !self.calm && self.rng.below(100) < percent
    }

    fn id(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    fn put(&mut self, at: Time, frame: Parcel) {
        self.link.insert((at, self.sent), frame);
        self.sent += 1;
    }

    fn delay(&mut self) -> Span {
        ms(1 + i64::from(self.rng.below(if self.calm { 20 } else { 300 })))
    }

    /// Picks up what the session said, and sends it on its way.
    fn collect(&mut self) {
        let asked: Vec<Asked> = self.rig.log[self.seen_log..].into();
        for asked in asked {
            let at = self.rig.now.plus(self.delay()).max(self.last_request);
            self.last_request = at;
            self.put(at, Parcel::ToVenue(asked));
        }
        self.seen_log = self.rig.log.len();
        let nets: Vec<Net> = self.rig.nets[self.seen_nets..].into();
        for net in nets {
            match net {
                Net::Open { conn, .. } => {
                    let at = self.rig.now.plus(self.delay());
                    self.put(at, Parcel::Open(conn));
                }
                Net::Close { .. } => self.cut(),
                _ => {}
            }
        }
        self.seen_nets = self.rig.nets.len();
    }

    /// The line goes down: what is on its way to the session is lost, the rest is half lost.
    fn cut(&mut self) {
        self.alive = None;
        let keep = self.rng.below(2) == 0;
        self.link.retain(|_, frame| match frame {
            Parcel::ToVenue(_) => keep,
            Parcel::ToSession(..) => false,
            Parcel::Open(_) => true,
        });
    }

    fn reply(&mut self, asked: &Asked, body: &str) {
        if self.alive == Some(asked.conn) && !self.chance(5) {
            let (number, name) = (asked.number, &asked.name);
            let text = format!(r#"{{"m":1,"i":{number},"n":"{name}","o":{}}}"#, quoted(body));
            let at = self.rig.now.plus(self.delay()).max(self.last_reply);
            self.last_reply = at;
            self.put(at, Parcel::ToSession(asked.conn, text));
        }
    }

    fn push(&mut self, name: &str, body: &str) {
        let Some(conn) = self.alive else { return };
        if self.chance(8) {
            return;
        }
        let text = request(0, name, body).replacen(r#""m":0"#, r#""m":3"#, 1);
        for _ in 0..=u8::from(self.chance(10)) {
            let at = self.rig.now.plus(self.delay());
            self.put(at, Parcel::ToSession(conn, text.clone()));
        }
    }

    fn push_order(&mut self, id: i64) {
        let row = self.orders[&id].row();
        self.push("OrderStateEvent", &row);
    }

    fn new_order(&mut self, client: i64, qty: i64, origin: Option<i64>) -> i64 {
        let id = self.id();
        let origin = origin.unwrap_or(id);
        assert!(self.orders.values().all(|order| order.client != client), "sent twice: {client}");
        self.orders.insert(id, Order { id, client, origin, qty, done: 0, state: "Working" });
        self.push_order(id);
        id
    }

    fn end(&mut self, id: i64, state: &'static str) {
        self.orders.get_mut(&id).unwrap().state = state;
        self.push_order(id);
    }

    fn working(&self) -> Vec<i64> {
        self.orders.values().filter(|o| o.state == "Working").map(|o| o.id).collect()
    }

    fn trade_some(&mut self) {
        let working = self.working();
        if working.is_empty() {
            return;
        }
        let id = working[self.rng.below(u32::try_from(working.len()).unwrap()) as usize];
        let number = self.id();
        let order = self.orders.get_mut(&id).unwrap();
        let left = order.qty - order.done;
        let qty = 1 + i64::from(self.rng.below(u32::try_from(left).unwrap()));
        order.done += qty;
        if order.done == order.qty {
            order.state = "FullyExecuted";
        }
        let text = trade(number, id, order.client, &qty.to_string());
        self.trades.insert(0, text.clone());
        self.push("OrderTradeEvent", &text);
        self.push_order(id);
    }

    fn serve(&mut self, asked: &Asked) {
        let fields = Fields::read(&asked.body).unwrap();
        let list = |rows: Vec<String>| format!("[{}]", rows.join(","));
        let body = match asked.name.as_str() {
            "WebAuthenticateUser" => {
                r#"{"Authenticated":true,"SessionToken":"t","UserId":1}"#.to_owned()
            }
            "GetInstruments" => INSTRUMENTS.to_owned(),
            "GetAccountPositions" => "[]".to_owned(),
            "GetOpenOrders" => {
                list(self.working().iter().map(|id| self.orders[id].row()).collect())
            }
            "GetOrderHistory" => {
                list(self.orders.values().rev().take(100).map(Order::row).collect())
            }
            "GetAccountTrades" => {
                let start = usize::try_from(fields.int("StartIndex").unwrap()).unwrap();
                list(self.trades.iter().skip(start).take(200).cloned().collect())
            }
            "GetOrderStatus" => match self.orders.get(&fields.int("OrderId").unwrap()) {
                Some(order) => order.row(),
                None => NOT_THERE.to_owned(),
            },
            "SendOrder" => {
                let client = fields.int("ClientOrderId").unwrap();
                if self.chance(5) {
                    r#"{"status":"Rejected","errormsg":"Not_Enough_Funds","errorcode":101}"#
                        .to_owned()
                } else {
                    accepted(self.new_order(client, fields.int("Quantity").unwrap(), None))
                }
            }
            "CancelOrder" | "CancelReplaceOrder" | "CancelAllOrders" => {
                self.serve_change(&asked.name, &fields)
            }
            "Ping" => r#"{"msg":"PONG"}"#.to_owned(),
            _ => r#"{"result":true}"#.to_owned(),
        };
        self.reply(asked, &body);
    }

    fn serve_change(&mut self, name: &str, fields: &Fields<'_>) -> String {
        match name {
            "CancelOrder" => {
                let client = fields.id("ClOrderId");
                let id = fields.id("OrderId").or_else(|| {
                    self.orders.values().find(|o| Some(o.client) == client).map(|o| o.id)
                });
                match id.filter(|id| self.working().contains(id)) {
                    Some(id) => {
                        self.end(id, "Canceled");
                        RECEIVED.to_owned()
                    }
                    None => NOT_THERE.to_owned(),
                }
            }
            "CancelReplaceOrder" => {
                let old = fields.int("OrderIdToReplace").unwrap();
                let client = fields.int("ClientOrderId").unwrap();
                if self.working().contains(&old) {
                    let origin = self.orders[&old].origin;
                    self.end(old, "Canceled");
                    let qty = fields.int("Quantity").unwrap();
                    let id = self.new_order(client, qty, Some(origin));
                    match self.rng.below(2) {
                        0 => RECEIVED.to_owned(),
                        _ => format!(r#"{{"ReplacementOrderId":{id},"OrigOrderId":{old}}}"#),
                    }
                } else {
                    NOT_THERE.to_owned()
                }
            }
            _ => {
                if fields.int("InstrumentId") == Ok(1) {
                    for id in self.working() {
                        self.end(id, "Canceled");
                    }
                }
                RECEIVED.to_owned()
            }
        }
    }

    fn deliver(&mut self, frame: Parcel) {
        match frame {
            Parcel::Open(conn) if conn == self.rig.conn => {
                self.alive = Some(conn);
                self.rig.net(Net::Opened { conn });
            }
            Parcel::Open(_) => {}
            Parcel::ToVenue(asked) => self.serve(&asked),
            Parcel::ToSession(conn, text) => self.rig.net(Net::Frame { conn, text }),
        }
    }

    /// Lets everything happen until `until`, in the order of time.
    fn run(&mut self, until: Time) {
        loop {
            self.collect();
            let link = self.link.first_key_value().map(|((at, _), _)| *at);
            let wake = self.rig.session.wake_at();
            let Some(at) = link.into_iter().chain(wake).min().filter(|at| *at <= until) else {
                break;
            };
            self.rig.now = self.rig.now.max(at);
            match self.link.first_entry().filter(|entry| entry.key().0 <= at) {
                Some(entry) => {
                    let frame = entry.remove();
                    self.deliver(frame);
                }
                None => self.rig.drain(),
            }
        }
        self.rig.now = until;
    }

    fn act(&mut self, number: &mut i64, mine: &[i64]) {
        let recent = &mine[mine.len().saturating_sub(8)..];
        let at = self.rng.below(u32::try_from(recent.len()).unwrap()) as usize;
        let picked = recent.get(at).copied();
        match (self.rng.below(10), picked) {
            (0, Some(old)) => {
                self.rig.command(Command::Cancel { key: key(old), instrument: BTC });
            }
            (1 | 2, Some(old)) => {
                *number += 1;
                let (alias, qty) = (key(*number), Decimal::from(1 + self.rng.below(9)));
                let (instrument, side, price) = (BTC, Side::Buy, Some(d("100")));
                let key = key(old);
                self.rig.command(Command::Replace { key, alias, instrument, side, price, qty });
            }
            (3, _) if self.rng.below(5) == 0 => {
                self.rig.command(Command::CancelAll { instrument: None });
            }
            (4, _) if self.chance(70) && self.alive.is_some() => {
                self.cut();
                self.rig.lose();
            }
            (5..=7, _) => self.trade_some(),
            _ => {
                *number += 1;
                let qty = (1 + self.rng.below(9)).to_string();
                self.rig.command(Command::Place(limit(*number, Side::Buy, "100", &qty)));
            }
        }
    }
}

/// How the venue sees the order that was first sent under this key, and every order that replaced
/// it.
fn chain<'a>(world: &'a World, aliases: &BTreeSet<i64>) -> Vec<&'a Order> {
    world.orders.values().filter(|order| aliases.contains(&order.client)).collect()
}

fn story(seed: u64) {
    let mut world = World::new(seed);
    let mut number = 0;
    let mut mine = Vec::new();
    for _ in 0..150 {
        let most = if world.rng.below(2) == 0 { 50 } else { 2_000 };
        let away = if world.rig.session.is_live() { 0 } else { 3_000 };
        let pause = ms(away + i64::from(world.rng.below(most)));
        world.run(world.rig.now.plus(pause));
        let before = number;
        world.act(&mut number, &mine);
        let placed = number > before && !world.rig.steps(number).is_empty();
        if placed || (number > before && world.rig.session.orders.get(key(number)).is_some()) {
            mine.push(number);
        }
    }
    world.calm = true;
    world.run(world.rig.now.plus(Span::from_secs(240)));
    assert!(world.rig.session.is_live(), "seed {seed}: {:?}", world.rig.notes);
    for number in mine {
        let steps = world.rig.steps(number);
        let Some(known) = world.rig.session.orders.get(key(number)) else {
            assert!(steps[0].starts_with("rejected VENUE_NOT_READY"), "{steps:?}");
            continue;
        };
        let aliases: BTreeSet<i64> = known.aliases.iter().map(|alias| alias.wire()).collect();
        let there = chain(&world, &aliases);
        let tell = || format!("seed {seed}, order {number}: {steps:?}\n{there:#?}");
        let done: i64 = there.iter().map(|order| order.done).sum();
        let fills = world.rig.fills().into_iter().filter(|fill| fill.order == key(number));
        assert_eq!(fills.map(|fill| fill.qty).sum::<Decimal>(), Decimal::from(done), "{}", tell());
        let open: Vec<i64> = there.iter().filter(|o| o.state == "Working").map(|o| o.id).collect();
        if known.is_final() {
            assert_eq!(open, [0; 0], "{}", tell());
        } else {
            assert_eq!(open, [known.venue().unwrap().0], "{}", tell());
            assert!(known.doubt.is_none() && known.told == super::super::legs::Told::Working);
        }
        let ends = ["filled", "canceled", "expired", "rejected"];
        let is_end = |step: &&String| ends.iter().any(|word| step.starts_with(word));
        let count = steps.iter().filter(is_end).count();
        assert_eq!(count, usize::from(known.is_final()), "{}", tell());
    }
}

#[test]
fn whatever_the_link_does_session_and_venue_agree_in_the_end() {
    for seed in 0..60 {
        story(seed);
    }
}
