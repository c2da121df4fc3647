//! The session against a hand-written peer in virtual time: inputs with their times, expected
//! frames and events. `Rig` holds the session, its clock and everything it said.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test picks the news it is about")]

mod calls;
mod chaos;
mod examples;
mod fates;
mod feeds;
mod lanes;
mod line;
mod logins;
mod orders;
mod ours;
mod reduce;
mod ties;
mod trading;

use super::{Session, SessionConfig};
use crate::base::{
    Command, Decimal, Event, Fees, Fill, Instrument, InstrumentId, Instruments, Machine, Net,
    OrderKey, OrderKind, OrderStep, Place, Secret, Side, Span, Tif, Time, VenueIn, VenueName,
    VenueOut, decimal,
};
use crate::venue::flowbtc::wire::{Frame, quoted};

pub(super) const BTC: InstrumentId = InstrumentId(0);
pub(super) const ETH: InstrumentId = InstrumentId(1);

pub(super) fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

pub(super) fn key(number: i64) -> OrderKey {
    OrderKey::from_wire(number).unwrap()
}

pub(super) fn ms(millis: i64) -> Span {
    Span::from_millis(millis)
}

fn instrument(symbol: &str, base: &str) -> Instrument {
    Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("flowbtc"),
        symbol: symbol.to_owned(),
        base: base.to_owned(),
        quote: "BRL".to_owned(),
        tick_size: d("0.01"),
        lot_size: d("0.00000001"),
        min_qty: d("0.00001"),
        fees: Fees { maker: d("0.001"), taker: d("0.002") },
    }
}

pub(super) fn config() -> SessionConfig {
    let mut instruments = Instruments::default();
    instruments.add(instrument("BTCBRL", "BTC"));
    instruments.add(instrument("ETHBRL", "ETH"));
    let password = Secret::new("hunter2");
    let url = "ws://127.0.0.1:1/WSGateway/";
    let mut config = SessionConfig::new(VenueName::new("flowbtc"), url, "user", password);
    config.account = Some(4);
    config.instruments = instruments;
    config.per_minute = 500;
    config.reserve = 100;
    config.seed = 7;
    config
}

pub(super) fn limit(number: i64, side: Side, price: &str, qty: &str) -> Place {
    Place {
        key: key(number),
        instrument: BTC,
        side,
        kind: OrderKind::Limit,
        qty: d(qty),
        price: Some(d(price)),
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    }
}

/// A request that the session sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    pub conn: u32,
    pub number: i64,
    pub name: String,
    pub body: String,
}

pub(super) struct Rig {
    pub session: Session,
    pub now: Time,
    /// Requests not yet answered.
    pub asked: Vec<Asked>,
    /// Every request ever, by name.
    pub log: Vec<Asked>,
    pub nets: Vec<Net>,
    pub events: Vec<Event>,
    pub notes: Vec<String>,
    /// The lanes of what was sent, each just before its frame.
    pub sent: Vec<String>,
    pub conn: u32,
}

impl Rig {
    pub fn new(config: SessionConfig) -> Rig {
        let mut rig = Rig {
            session: Session::new(config),
            now: Time::from_millis(1_790_000_000_000),
            asked: Vec::new(),
            log: Vec::new(),
            nets: Vec::new(),
            events: Vec::new(),
            notes: Vec::new(),
            sent: Vec::new(),
            conn: 0,
        };
        rig.drain();
        rig
    }

    /// A session that is logged in, with no orders.
    pub fn live() -> Rig {
        let mut rig = Rig::new(config());
        rig.log_in();
        rig
    }

    pub fn drain(&mut self) {
        let mut counted = false;
        while let Some(out) = self.session.poll(self.now) {
            match out {
                VenueOut::Net(Net::Frame { conn, text }) => {
                    let frame = Frame::read(&text).unwrap();
                    let (name, body) = (frame.name.to_string(), frame.body.to_string());
                    let asked = Asked { conn, number: frame.number, name, body };
                    assert!(std::mem::take(&mut counted), "{} was not counted", asked.name);
                    self.log.push(asked.clone());
                    self.asked.push(asked);
                }
                VenueOut::Sent { lane } => {
                    counted = true;
                    self.sent.push(lane);
                }
                VenueOut::Net(net) => {
                    if let Net::Open { conn, .. } = net {
                        self.conn = conn;
                        self.asked.clear();
                    }
                    self.nets.push(net);
                }
                VenueOut::Event(event) => self.events.push(event),
                VenueOut::Note(note) => self.notes.push(note),
            }
        }
    }

    pub fn net(&mut self, net: Net) {
        self.session.handle(self.now, VenueIn::Net(net));
        self.drain();
    }

    pub fn command(&mut self, command: Command) {
        self.session.handle(self.now, VenueIn::Command(command));
        self.drain();
    }

    pub fn text(&mut self, text: &str) {
        self.net(Net::Frame { conn: self.conn, text: text.to_owned() });
    }

    pub fn lose(&mut self) {
        self.net(Net::Lost { conn: self.conn, reason: "reset by peer".to_owned() });
    }

    /// Lets time pass, waking the session whenever it wants.
    pub fn wait(&mut self, span: Span) {
        let until = self.now.plus(span);
        for _ in 0..10_000 {
            match self.session.wake_at().filter(|wake| *wake <= until) {
                Some(wake) => self.now = self.now.max(wake),
                None => break,
            }
            self.drain();
        }
        self.now = until;
        self.drain();
    }

    /// Answers the oldest open request of this name.
    pub fn reply(&mut self, name: &str, body: &str) {
        let at = self.asked.iter().position(|asked| asked.name == name);
        let Some(at) = at else { panic!("{name} was not asked; open: {:?}", self.asked) };
        let asked = self.asked.remove(at);
        self.answer(&asked, 1, body);
    }

    /// Answers every open request of this name.
    pub fn reply_all(&mut self, name: &str, body: &str) {
        while self.open().contains(&name) {
            self.reply(name, body);
        }
    }

    pub fn answer(&mut self, asked: &Asked, m: u8, body: &str) {
        let (number, name) = (asked.number, &asked.name);
        let text = format!(r#"{{"m":{m},"i":{number},"n":"{name}","o":{}}}"#, quoted(body));
        self.net(Net::Frame { conn: asked.conn, text });
    }

    pub fn event(&mut self, name: &str, body: &str) {
        self.text(&format!(r#"{{"m":3,"i":0,"n":"{name}","o":{}}}"#, quoted(body)));
    }

    pub fn open(&self) -> Vec<&str> {
        self.asked.iter().map(|asked| asked.name.as_str()).collect()
    }

    pub fn count(&self, name: &str) -> usize {
        self.log.iter().filter(|asked| asked.name == name).count()
    }

    pub fn last(&self, name: &str) -> &str {
        &self.log.iter().rev().find(|asked| asked.name == name).unwrap().body
    }

    /// The whole first login.
    pub fn log_in(&mut self) {
        self.log_in_until_orders();
        self.reply("GetOpenOrders", "[]");
        assert!(self.session.is_live(), "{:?} {:?}", self.asked, self.notes);
    }

    /// The login up to the question for the open orders.
    pub fn log_in_until_orders(&mut self) {
        self.net(Net::Opened { conn: self.conn });
        let login = r#"{"Authenticated":true,"SessionToken":"canary-token","UserId":1}"#;
        self.reply("WebAuthenticateUser", login);
        self.reply("SubscribeAccountEvents", r#"{"result":true}"#);
        if self.open().contains(&"GetInstruments") {
            self.reply("GetInstruments", INSTRUMENTS);
        }
        self.reply("GetAccountPositions", "[]");
    }

    /// Loses the line and comes back as far as the open orders.
    pub fn come_back(&mut self) {
        self.lose();
        self.wait(Span::from_secs(1));
        self.log_in_until_orders();
    }

    /// What was said of an order, in short words.
    pub fn steps(&self, number: i64) -> Vec<String> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Order(news) if news.key == key(number) => Some(word(&news.step)),
                Event::Fill(fill) if fill.order == key(number) => {
                    Some(format!("fill {} @ {}", fill.qty.normalize(), fill.price.normalize()))
                }
                _ => None,
            })
            .collect()
    }

    pub fn fills(&self) -> Vec<&Fill> {
        self.events
            .iter()
            .filter_map(|event| match event {
                Event::Fill(fill) => Some(fill),
                _ => None,
            })
            .collect()
    }

    /// Places a limit order to buy 1 at 100 and lets the venue accept it under `venue`.
    pub fn working(&mut self, number: i64, venue: i64) {
        self.command(Command::Place(limit(number, Side::Buy, "100", "1")));
        self.reply("SendOrder", &accepted(venue));
        self.event("OrderStateEvent", &order(venue, number, "Working", "1", "0"));
    }
}

pub(super) const INSTRUMENTS: &str = r#"[{"InstrumentId":1,"Symbol":"BTCBRL","Product1":1,"Product1Symbol":"BTC","Product2":4,"Product2Symbol":"BRL","SessionStatus":"Running","QuantityIncrement":0.00000001,"PriceIncrement":0.01,"MinimumQuantity":0.00001},{"InstrumentId":2,"Symbol":"ETHBRL","Product1":2,"Product1Symbol":"ETH","Product2":4,"Product2Symbol":"BRL","SessionStatus":"Running","QuantityIncrement":0.00000001,"PriceIncrement":0.01,"MinimumQuantity":0.00001}]"#;

pub(super) fn accepted(venue: i64) -> String {
    format!(r#"{{"status":"Accepted","errormsg":"","OrderId":{venue}}}"#)
}

/// An order row: what was asked, what was executed.
pub(super) fn order(venue: i64, client: i64, state: &str, qty: &str, executed: &str) -> String {
    let reason = match state {
        "Working" if executed == "0" => "NewInputAccepted",
        "Working" | "FullyExecuted" => "Trade",
        "Canceled" => "UserModified",
        "Rejected" => "NewInputRejected",
        _ => "Expired",
    };
    let remaining = d(qty) - d(executed);
    format!(
        r#"{{"Side":"Buy","OrderId":{venue},"Price":100,"Quantity":{remaining},"Instrument":1,"Account":4,"OrderType":"Limit","ClientOrderId":{client},"OrderState":"{state}","ReceiveTime":1790000000000,"OrigQuantity":{qty},"QuantityExecuted":{executed},"AvgPrice":0,"ChangeReason":"{reason}","OrigOrderId":{venue},"OrigClOrdId":{client},"EnteredBy":1}}"#
    )
}

pub(super) fn trade(number: i64, venue: i64, client: i64, qty: &str) -> String {
    format!(
        r#"{{"OMSId":1,"TradeId":{number},"OrderId":{venue},"AccountId":4,"ClientOrderId":{client},"InstrumentId":1,"Side":"Buy","Quantity":{qty},"Price":100,"Value":0,"TradeTime":1790000000500,"ContraAcctId":3,"OrderTradeRevision":1,"Direction":"NoChange"}}"#
    )
}

fn word(step: &OrderStep) -> String {
    match step {
        OrderStep::Sent => "sent".to_owned(),
        OrderStep::Accepted { venue_id } => format!("accepted {venue_id}"),
        OrderStep::Working { venue_id } => format!("working {venue_id}"),
        OrderStep::Replaced { venue_id, price, remaining } => {
            format!("replaced {venue_id}: {remaining} @ {}", price.unwrap_or_default())
        }
        OrderStep::Filled { filled } => format!("filled {}", filled.normalize()),
        OrderStep::Canceled { filled, reason } => {
            format!("canceled {} {reason}", filled.normalize())
        }
        OrderStep::Expired { filled } => format!("expired {}", filled.normalize()),
        OrderStep::Rejected { reason } => format!("rejected {reason}"),
        OrderStep::ChangeRefused { reason } => format!("refused {reason}"),
        OrderStep::Lost => "lost".to_owned(),
    }
}
