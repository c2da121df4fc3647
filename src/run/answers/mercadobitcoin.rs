//! Mercado Bitcoin's methods and public data. A method's reply is what stands under `return`.

use super::site::{ACCOUNT, Refusal, Site, rejected, row, shaped, stands, text, unreadable};
use crate::base::{CallFailure, CallOutcome, Event, Instruments, Plain, Span, Time};
use crate::calls;
use crate::exchange::{Asked, Config, Exchange, QueueModel, Report};
use crate::simulator::http::Page;
use crate::simulator::mercadobitcoin::{self as server, MbServer, Texts, User};
use crate::venue::reply;

pub(super) struct MercadoBitcoin {
    server: MbServer,
}

impl MercadoBitcoin {
    pub fn new(instruments: &Instruments) -> MercadoBitcoin {
        let user =
            User { account: ACCOUNT, keys: Vec::new(), balances: Vec::new(), trusted: Vec::new() };
        let server = MbServer::new(server::Config {
            users: vec![user],
            exchange: Config {
                instruments: instruments.clone(),
                queue: QueueModel::RiskAverse,
                first_order_id: 1,
                first_trade_id: 1,
                wait_for_print: false,
            },
            tonce_window: None,
            skew: Span::ZERO,
            texts: Texts::default(),
            faults: Vec::new(),
        });
        MercadoBitcoin { server }
    }

    /// With the exchange at the server.
    fn reply(&mut self, asked: &Asked) -> CallOutcome {
        let row = row(asked)?;
        if asked.call.order.is_some() {
            let id = match stands(self.server.exchange(), asked) {
                Ok(id) => id,
                Err(Refusal::Reject(reject)) => {
                    return Err(rejected(None, &self.server.words(reject)));
                }
                Err(Refusal::Order(reason)) => {
                    let known = asked.done.ok().flatten();
                    let words = known.and_then(|id| self.server.order(asked.at, ACCOUNT, id).err());
                    return Err(rejected(None, &words.unwrap_or(reason)));
                }
            };
            let Some(id) = id else { return Ok(Plain::Map(Vec::new())) };
            let order = self.server.order(asked.at, ACCOUNT, id);
            return shaped(row, &order.map_err(|why| rejected(None, &why))?);
        }
        if row.switch.is_some() {
            let (path, query) = address(row, asked);
            return public(row, &self.server.public(asked.at, path, query));
        }
        let named = [("method".to_owned(), row.name.to_owned())];
        let given =
            asked.call.ask.args.iter().map(|(name, value)| ((*name).to_owned(), text(value)));
        let fields = named.into_iter().chain(given).collect();
        inside(row, &self.server.method(asked.at, ACCOUNT, fields))
    }
}

impl Site for MercadoBitcoin {
    fn show(&mut self, _exchange: &mut Exchange, _now: Time, event: &Event) {
        self.server.show(event);
    }

    fn hear(&mut self, _exchange: &mut Exchange, _report: &Report) {}

    fn answer(&mut self, exchange: &mut Exchange, asked: &Asked) -> CallOutcome {
        self.server.lend(exchange);
        let outcome = self.reply(asked);
        self.server.lend(exchange);
        outcome
    }
}

/// MB-P02: `success` tells, and `return` holds the reply.
fn inside(row: &calls::Call, page: &Page) -> CallOutcome {
    let read = reply::plain(&String::from_utf8_lossy(&page.body)).map_err(unreadable)?;
    if read.get("success") != Some(&Plain::Int(1)) {
        let why = read.get("error").map(text).unwrap_or_default();
        return Err(rejected(None, &why));
    }
    let inside = read.get("return").cloned().unwrap_or(Plain::Nil);
    Ok(reply::shaped(row, inside))
}

fn public(row: &calls::Call, page: &Page) -> CallOutcome {
    if page.status == 200 {
        return shaped(row, &String::from_utf8_lossy(&page.body));
    }
    let why = format!("{} has no such page", row.name);
    let failure: CallFailure = rejected(Some(i64::from(page.status)), &why);
    Err(failure)
}

/// Path and query of a public call (MB-X01 to X04).
fn address(row: &calls::Call, asked: &Asked) -> (String, String) {
    let ask = &asked.call.ask;
    let part = |name: &str| ask.get(name).map(text);
    let coin = part("coin").unwrap_or_default();
    let mut path = format!("/api/{coin}/{}/", row.name);
    let rest = match (part("from"), part("to")) {
        (from, Some(to)) => vec![from.unwrap_or_else(|| "0".to_owned()), to],
        (Some(from), None) => vec![from],
        (None, None) => ["year", "month", "day"].into_iter().filter_map(part).collect(),
    };
    for step in rest {
        path.push_str(&step);
        path.push('/');
    }
    let query = ["tid", "since"].into_iter().find_map(|name| Some((name, part(name)?)));
    (path, query.map(|(name, value)| format!("{name}={value}")).unwrap_or_default())
}
