//! The server half of Mercado Bitcoin's Trade API v2 and of its public data, as a machine without
//! I/O: requests and market news in, answers out. It trades on a simulated exchange. The contract
//! is Mercado Bitcoin's; ids like MB-C03 name its lines.

mod calls;
mod data;
mod orders;
#[cfg(test)]
mod tests;
pub mod wire;

use self::data::Boards;
use crate::base::{
    Decimal, Event, Fees, Instrument, InstrumentId, Instruments, Machine, Secret, Span, Time,
    VenueName,
};
use crate::exchange::{self, AccountNumber, Exchange, ReportKind};
use crate::simulator::faults::{self, Act, Fault, Faults, Swapped, Words};
use crate::simulator::http::{HttpIn, HttpOut, Page};
use crate::simulator::proof;
use crate::simulator::window::Window;
use std::collections::{BTreeMap, VecDeque};

/// The venue's name as users write it.
pub const VENUE: &str = "mercadobitcoin";

/// Requests of one user in any 60 s, over all his keys (MB-R07).
const MOST: usize = 60;
const SPAN: Span = Span::from_secs(60);

/// Longest body that is read.
const LONGEST: usize = 64 * 1024;

/// A withdrawal is `open` and `closed` this long after it was asked for.
const OPEN_AFTER: Span = Span::from_secs(7);
const CLOSED_AFTER: Span = Span::from_secs(600);

/// The two pairs (MB-F08): ticks of 0.00001, lots of 0.00000001, at least 0.01 (MB-S04).
#[must_use]
pub fn instruments(fees: Fees) -> Instruments {
    let mut table = Instruments::default();
    for base in ["BTC", "LTC"] {
        table.add(Instrument {
            id: InstrumentId::default(),
            venue: VenueName::new(VENUE),
            symbol: format!("{}_brl", base.to_ascii_lowercase()),
            base: base.to_owned(),
            quote: "BRL".to_owned(),
            tick_size: Decimal::new(1, wire::PRICE_PLACES),
            lot_size: Decimal::new(1, wire::VOLUME_PLACES),
            min_qty: Decimal::new(1, 2),
            fees,
        });
    }
    table
}

/// A user, with one account and any number of keys (MB-F17).
#[derive(Clone, Debug)]
pub struct User {
    pub account: AccountNumber,
    pub keys: Vec<Key>,
    pub balances: Vec<(String, Decimal)>,
    /// Addresses marked as trusted (MB-R11).
    pub trusted: Vec<String>,
}

/// A key of the Trade API: its identifier and its secret.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    pub secret: Secret,
}

/// The texts of failures. Only `rate` is documented (MB-R07, MB-F11).
#[derive(Clone, Debug)]
pub struct Texts {
    pub key: String,
    pub sign: String,
    pub tonce: String,
    pub rate: String,
    pub method: String,
    pub funds: String,
    pub order: String,
    pub address: String,
    pub minimum: String,
}

impl Default for Texts {
    fn default() -> Texts {
        Texts {
            key: "Chave inválida.".to_owned(),
            sign: "Assinatura inválida.".to_owned(),
            tonce: "Tonce inválido: deve ser maior que o anterior.".to_owned(),
            rate: "Taxa de requests acima do permitido.".to_owned(),
            method: "Método inválido.".to_owned(),
            funds: "Saldo insuficiente.".to_owned(),
            order: "Ordem não encontrada.".to_owned(),
            address: "Endereço não é confiável.".to_owned(),
            minimum: "Valor de *volume* abaixo do mínimo de 0.01.".to_owned(),
        }
    }
}

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Config {
    pub users: Vec<User>,
    pub exchange: exchange::Config,
    /// How far a tonce may be from the server's clock; `None` for any distance.
    pub tonce_window: Option<Span>,
    /// How far the server's clock is ahead of the real one.
    pub skew: Span,
    pub texts: Texts,
    pub faults: Vec<Fault>,
}

/// What goes into the server.
#[derive(Clone, PartialEq, Debug)]
pub enum In {
    Request(HttpIn),
    /// News of the feed, on the same clock as `now`: trades, quotes and book changes.
    Market(Event),
    Faults(Vec<Fault>),
    /// The server's clock is this far ahead from now on (MB-S07).
    Skew(Span),
}

/// Mercado Bitcoin's server.
pub struct MbServer {
    users: Vec<User>,
    exchange: Exchange,
    boards: Boards,
    tonces: BTreeMap<String, i64>,
    tonce_window: Option<Span>,
    window: Window<AccountNumber>,
    skew: Span,
    texts: Texts,
    faults: Faults,
    withdrawals: Vec<(AccountNumber, wire::Withdrawal)>,
    held: BTreeMap<(Time, u64), HttpIn>,
    swapped: Swapped,
    out: VecDeque<HttpOut>,
}

/// A signed request on its way to its method.
struct Call {
    now: Time,
    account: AccountNumber,
    fields: Vec<(String, String)>,
}

impl Call {
    /// The first value of a parameter; an empty one counts as absent.
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

impl MbServer {
    #[must_use]
    pub fn new(config: Config) -> MbServer {
        let mut exchange = Exchange::new(config.exchange);
        for user in &config.users {
            exchange.open_account(user.account, &user.balances);
        }
        MbServer {
            users: config.users,
            exchange,
            boards: Boards::default(),
            tonces: BTreeMap::new(),
            tonce_window: config.tonce_window,
            window: Window::new(MOST, SPAN),
            skew: config.skew,
            texts: config.texts,
            faults: Faults::new(config.faults),
            withdrawals: Vec::new(),
            held: BTreeMap::new(),
            swapped: Swapped::default(),
            out: VecDeque::new(),
        }
    }

    /// The venue's own ledger.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// An account's withdrawals as they stand at `now`: new, then open, then closed (MB-S06).
    #[must_use]
    pub fn withdrawals(&self, account: AccountNumber, now: Time) -> Vec<wire::Withdrawal> {
        let own = self.withdrawals.iter().filter(|(owner, _)| *owner == account);
        own.map(|(_, row)| orders::aged(row, now)).collect()
    }

    fn request(&mut self, now: Time, request: HttpIn, struck: bool) {
        let name = self.name(&request);
        let what = if struck { None } else { self.faults.strike(&name) };
        let too_many = wire::failure(&self.texts.rate);
        let words = Words { too_many, error: wire::failure };
        match faults::act(what, request.id, &words, || self.answer(now, &request)) {
            Act::Out(out) => {
                self.out.push_back(out);
                self.swapped.follow(&mut self.out);
            }
            Act::Swap(out) => self.swapped.hold(now, out),
            Act::Hold(span) => {
                self.held.insert((now.plus(span), request.id), request);
            }
        }
    }

    /// What a fault is set on: the method, or the public call.
    fn name(&self, request: &HttpIn) -> String {
        if is_tapi(&request.path) {
            let pairs = form_urlencoded::parse(&request.body);
            let mut methods = pairs.filter(|(key, _)| key == "method");
            methods.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
        } else {
            data::name(&request.path).unwrap_or_default().to_owned()
        }
    }

    fn answer(&mut self, now: Time, request: &HttpIn) -> Page {
        if request.body.len() > LONGEST || request.query.len() > LONGEST {
            return Page::html(413);
        }
        if !is_tapi(&request.path) {
            return data::answer(self, now, request);
        }
        if request.method != "POST" {
            return Page::html(405);
        }
        match self.admit(now, request) {
            Ok(call) => {
                let page = orders::answer(self, &call);
                self.settle();
                page
            }
            Err(text) => wire::failure(&text),
        }
    }

    /// Key, signature, rate and tonce, in this order. What is refused before the tonce does not
    /// spend it.
    fn admit(&mut self, now: Time, request: &HttpIn) -> Result<Call, String> {
        let id = request.header("key").unwrap_or_default();
        let owned = |user: &User| {
            let key = user.keys.iter().find(|key| key.id == id)?;
            Some((user.account, key.secret.clone()))
        };
        let found = self.users.iter().find_map(owned);
        let (account, secret) = found.ok_or_else(|| self.texts.key.clone())?;
        let sign = request.header("sign").unwrap_or_default();
        if !proof::is_hmac_sha512(secret.expose(), &request.body, sign) {
            return Err(self.texts.sign.clone());
        }
        if !self.window.admit(now, &account) {
            return Err(self.texts.rate.clone());
        }
        let pairs = form_urlencoded::parse(&request.body);
        let fields = pairs.map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
        let call = Call { now: now.plus(self.skew), account, fields };
        let tonce = call.get("tonce").and_then(|tonce| tonce.parse::<i64>().ok());
        let tonce = tonce.filter(|tonce| self.is_fresh(id, *tonce, call.now));
        let tonce = tonce.ok_or_else(|| self.texts.tonce.clone())?;
        self.tonces.insert(id.to_owned(), tonce);
        Ok(call)
    }

    /// MB-F06: greater than the key's last, and near the clock where that is asked for.
    fn is_fresh(&self, key: &str, tonce: i64, now: Time) -> bool {
        let seconds = now.millis().div_euclid(1_000);
        let near = |window: Span| {
            seconds.saturating_sub(tonce).saturating_abs() <= window.nanos() / 1_000_000_000
        };
        tonce > self.tonces.get(key).copied().unwrap_or_default()
            && self.tonce_window.is_none_or(near)
    }

    fn settle(&mut self) {
        while let Some(report) = self.exchange.poll() {
            if let ReportKind::Print(trade) = report.kind {
                self.boards.trade(&trade, 0);
            }
        }
    }

    fn news(&mut self, event: &Event) {
        match event {
            Event::Trade(trade) => {
                self.boards.trade(trade, trade.id);
                self.exchange.trade(trade);
            }
            Event::Quote(quote) => self.exchange.quote(quote),
            Event::Book(change) => self.exchange.book(change),
            Event::Bar(_)
            | Event::Order(_)
            | Event::Fill(_)
            | Event::Balance(_)
            | Event::Feed(_)
            | Event::Instrument(_)
            | Event::Reply(_) => {}
        }
        self.settle();
    }

    fn arrive(&mut self, now: Time) {
        while let Some(entry) = self.held.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((due, _), request) = entry.remove_entry();
            self.request(due, request, true);
        }
        self.swapped.leave(now, &mut self.out);
    }
}

/// MB-R01, and `/tapi/` for older clients (MB-S08).
fn is_tapi(path: &str) -> bool {
    matches!(path, "/tapi/v2/" | "/tapi/v2" | "/tapi/" | "/tapi")
}

impl Machine for MbServer {
    type In = In;
    type Out = HttpOut;

    fn handle(&mut self, now: Time, input: In) {
        self.arrive(now);
        match input {
            In::Request(request) => self.request(now, request, false),
            In::Market(event) => self.news(&event),
            In::Faults(faults) => self.faults.set(faults),
            In::Skew(skew) => self.skew = skew,
        }
    }

    fn poll(&mut self, now: Time) -> Option<HttpOut> {
        self.arrive(now);
        self.out.pop_front()
    }

    fn wake_at(&self) -> Option<Time> {
        let held = self.held.first_key_value().map(|((due, _), _)| *due);
        [held, self.swapped.wake_at()].into_iter().flatten().min()
    }
}
