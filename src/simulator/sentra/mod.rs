//! The server half of Sentra's Partners API, as a machine without I/O: requests in, answers out,
//! accounts and trades in a store. Sentra only takes reports. Ids like SENTRA-C01 are its
//! contract's.

pub mod store;
#[cfg(test)]
mod tests;
pub mod wire;

use self::store::{Account, Identity, Kind, PRICE_SCALE, Store, Trade, VOLUME_SCALE, Width};
use self::wire::{Body, failure, success};
use crate::base::{Machine, Secret, Span, Time};
use crate::calls;
use crate::simulator::faults::{self, Act, Fault, Faults, Swapped, Words};
use crate::simulator::http::{HttpIn, HttpOut, Page};
use crate::simulator::window::Window;
use std::collections::{BTreeMap, VecDeque};

/// Longest body that is read (SENTRA-P09).
const LONGEST: usize = 50 * 1024 * 1024;

/// SENTRA-R22a, R22b, R22c and P06's short form; constants of the wire.
const PARAMETERS: &str = "Parâmetros obrigatórios: user_email, account_number";
const NO_USER: &str = "Usuário não encontrado. Cadastre-se na plataforma primeiro.";
const NO_USER_SHORT: &str = "Usuário não encontrado";
const NO_ACCOUNT: &str = "Conta não encontrada. Envie heartbeat primeiro.";

/// What is done with bodies that lack something (SENTRA-S01).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Checks {
    /// Required fields are required: 400.
    Manual,
    /// As the published source does: bad items are dropped one by one, bad balances end in 500
    /// (SENTRA-P04, P05, P07).
    Source,
}

/// A registered user.
#[derive(Clone, Debug)]
pub struct User {
    pub id: i64,
    /// All that a client proves itself with (SENTRA-F13).
    pub email: Secret,
    /// Accounts the subscription allows; `None` for no subscription (SENTRA-P06).
    pub accounts: Option<usize>,
}

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct Config {
    pub users: Vec<User>,
    pub checks: Checks,
    pub width: Width,
    /// Requests of one account in any second (SENTRA-R09); `None` for no limit.
    pub per_second: Option<usize>,
    /// What too many requests are answered with; not documented (SENTRA-S03).
    pub rate_status: u16,
    pub faults: Vec<Fault>,
}

/// What goes into the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum In {
    Request(HttpIn),
    Faults(Vec<Fault>),
}

/// Sentra's server.
pub struct SentraServer {
    users: Vec<User>,
    checks: Checks,
    width: Width,
    window: Option<Window<Identity>>,
    rate_status: u16,
    faults: Faults,
    store: Store,
    held: BTreeMap<(Time, u64), HttpIn>,
    swapped: Swapped,
    out: VecDeque<HttpOut>,
}

/// The last step of `/api/mt/CALL`.
fn name(path: &str) -> Option<&str> {
    path.strip_prefix("/api/mt/").map(|name| name.strip_suffix('/').unwrap_or(name))
}

impl SentraServer {
    #[must_use]
    pub fn new(config: Config) -> SentraServer {
        SentraServer {
            users: config.users,
            checks: config.checks,
            width: config.width,
            window: config.per_second.map(|most| Window::new(most, Span::from_secs(1))),
            rate_status: config.rate_status,
            faults: Faults::new(config.faults),
            store: Store::default(),
            held: BTreeMap::new(),
            swapped: Swapped::default(),
            out: VecDeque::new(),
        }
    }

    /// What the venue has stored; no call returns it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Puts what an earlier run stored in the place of all.
    pub fn restore(&mut self, store: Store) {
        self.store = store;
    }

    /// What has changed in the store since the last call.
    pub fn take_changed(&mut self) -> store::Changed {
        self.store.take_changed()
    }

    fn request(&mut self, now: Time, request: HttpIn, struck: bool) {
        let call = name(&request.path).unwrap_or_default().to_owned();
        let what = if struck { None } else { self.faults.strike(&call) };
        let words = Words {
            too_many: failure(self.rate_status, "Rate limit"),
            error: |text| failure(500, text),
        };
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

    fn answer(&mut self, now: Time, request: &HttpIn) -> Page {
        let call = name(&request.path);
        let Some(call) = call.and_then(calls::sentra::find).map(|call| call.name) else {
            return Page::html(404);
        };
        if request.method != "POST" {
            return Page::html(404);
        }
        if request.body.len() > LONGEST {
            return failure(413, "request entity too large");
        }
        let Some(body) = Body::parse(request) else {
            return failure(400, "Unexpected token in JSON");
        };
        match self.run(now, call, &body) {
            Ok(page) | Err(page) => page,
        }
    }

    fn run(&mut self, now: Time, call: &str, body: &Body) -> Result<Page, Page> {
        let list = match call {
            "heartbeat" => None,
            _ => Some(call),
        };
        let required = || match list {
            None => failure(400, PARAMETERS),
            Some(list) => failure(400, &format!("{PARAMETERS}, {list}")),
        };
        let email = body.text("user_email").ok_or_else(required)?;
        let number = body.text("account_number").ok_or_else(required)?;
        let items = match list {
            None => Vec::new(),
            Some(list) => body.items(list).ok_or_else(required)?,
        };
        let unknown = if list.is_none() { NO_USER } else { NO_USER_SHORT };
        let user = self.users.iter().find(|user| user.email.expose() == email);
        let user = user.cloned().ok_or_else(|| failure(404, unknown))?;
        let identity = (user.id, number);
        let within = |window: &mut Window<Identity>| window.admit(now, &identity);
        if !self.window.as_mut().is_none_or(within) {
            return Err(failure(self.rate_status, "Rate limit"));
        }
        if list.is_none() {
            return self.heartbeat(now, &user, identity, body);
        }
        let account = self.store.account(&identity).ok_or_else(|| failure(404, NO_ACCOUNT))?;
        let (id, kind) = (account.id, account.kind);
        self.items(now, id, kind, &items, call == "trades")
    }

    /// SENTRA-C01.
    fn heartbeat(
        &mut self,
        now: Time,
        user: &User,
        (user_id, number): Identity,
        body: &Body,
    ) -> Result<Page, Page> {
        let identity = (user_id, number);
        let most = user.accounts.ok_or_else(|| failure(403, "Assinatura necessária"))?;
        let current = self.store.count_of(user_id);
        if self.store.account(&identity).is_none() && current >= most {
            return Err(wire::too_many_accounts(current, most));
        }
        let absent = !body.has("balance") || !body.has("equity");
        if self.checks == Checks::Manual && absent {
            return Err(failure(400, &format!("{PARAMETERS}, balance, equity")));
        }
        let server = body.text("server").unwrap_or_default();
        let kind = Kind::detect(body.text("account_type").as_deref(), &server);
        // A balance that is no number reaches the database as NaN (SENTRA-P07).
        let money = |key, value: f64| {
            let wrong = || failure(500, &format!("Unknown column 'NaN' in 'field list': {key}"));
            store::scaled(value, kind.scale()).ok_or_else(wrong)
        };
        let whole = |key| store::scaled(body.number_or_zero(key), 1).unwrap_or_default();
        let text = |key| body.text(key).unwrap_or_default();
        self.store.heartbeat(Account {
            id: 0,
            user: user_id,
            terminal: String::new(),
            number: identity.1,
            broker: text("broker"),
            server,
            name: text("account_name"),
            platform: body.text("platform").unwrap_or_else(|| "MT4".to_owned()),
            kind,
            balance: money("balance", body.number("balance"))?,
            equity: money("equity", body.number("equity"))?,
            margin_free: money("margin_free", body.number_or_zero("margin_free"))?,
            leverage: whole("leverage"),
            open_positions: whole("open_positions"),
            currency: body.text("currency").unwrap_or_else(|| "USD".to_owned()),
            last_heartbeat: now,
            created: now,
        });
        Ok(success("Heartbeat recebido"))
    }

    /// SENTRA-C02, C03. The message counts what was stored, which may be less than what was sent
    /// (SENTRA-P05).
    fn items(
        &mut self,
        now: Time,
        account: i64,
        kind: Kind,
        items: &[Body],
        closed: bool,
    ) -> Result<Page, Page> {
        if self.checks == Checks::Manual {
            for (at, item) in items.iter().enumerate() {
                if let Some(lacks) = lacking(item, closed) {
                    return Err(failure(400, &format!("Campo inválido: [{at}].{lacks}")));
                }
            }
        }
        let mut stored = 0;
        for item in items {
            if let Some(trade) = read(item, closed, kind, self.width, now) {
                self.store.trade(account, trade);
                stored += 1;
            }
        }
        let noun = if closed { "trades sincronizados" } else { "posições sincronizadas" };
        Ok(success(&format!("{stored} {noun}")))
    }

    fn arrive(&mut self, now: Time) {
        while let Some(entry) = self.held.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((due, _), request) = entry.remove_entry();
            self.request(due, request, true);
        }
        self.swapped.leave(now, &mut self.out);
    }
}

/// The first required field that an item lacks or has wrong (contract A.3).
fn lacking(item: &Body, closed: bool) -> Option<&'static str> {
    let side = item.text("type");
    let (price, times) = match closed {
        true => ("close_price", &["open_time", "close_time"][..]),
        false => ("current_price", &["open_time"][..]),
    };
    let texts = ["ticket", "symbol"].into_iter().find(|key| item.text(key).is_none());
    let side = (!matches!(side.as_deref(), Some("buy" | "sell"))).then_some("type");
    let numbers = ["volume", "open_price", price, "profit"];
    let number = numbers.into_iter().find(|key| !item.is_number(key));
    let time = times.iter().copied().find(|key| item.time(key).is_none());
    texts.or(side).or(number).or(time)
}

/// An item as it is stored; `None` for one that the database refuses.
fn read(item: &Body, closed: bool, kind: Kind, width: Width, now: Time) -> Option<Trade> {
    let price = |key: &str| store::column(item.number(key), PRICE_SCALE, width);
    let money = |value: f64| store::scaled(value, kind.scale());
    // Anything that is not `buy` is stored as a sell (SENTRA-P04).
    let side = if item.text("type").as_deref() == Some("buy") { "buy" } else { "sell" };
    let (close_price, close_time, current_price) = if closed {
        (Some(price("close_price")?), Some(item.time("close_time")?), None)
    } else {
        (None, None, price("current_price"))
    };
    Some(Trade {
        id: 0,
        ticket: item.text("ticket")?,
        symbol: item.text("symbol")?,
        side,
        volume: store::column(item.number("volume"), VOLUME_SCALE, width)?,
        open_price: price("open_price")?,
        current_price,
        close_price,
        open_time: item.time("open_time")?,
        close_time,
        profit: money(item.number("profit"))?,
        commission: money(item.number_or_zero("commission"))?,
        swap: money(item.number_or_zero("swap"))?,
        updated: now,
    })
}

impl Machine for SentraServer {
    type In = In;
    type Out = HttpOut;

    fn handle(&mut self, now: Time, input: In) {
        self.arrive(now);
        match input {
            In::Request(request) => self.request(now, request, false),
            In::Faults(faults) => self.faults.set(faults),
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
