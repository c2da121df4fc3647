//! FlowBTC's calls, in the dialect of its page.

use super::site::{ACCOUNT, Refusal, Site, rejected, row, shaped, stands};
use crate::base::{
    CallFailure, CallOutcome, Command, Event, Instruments, Secret, Span, Time, VenueOrderId,
};
use crate::exchange::{Asked, Config, Exchange, QueueModel, Reject, Report};
use crate::simulator::flowbtc::router::Failure;
use crate::simulator::flowbtc::{Conduct, Dialect, FlowServer, ServerConfig, TestUser};
use crate::venue::reply;

/// FLOW-F13.
const PROCESSING: &str = r#"{"status":"Processing","errormsg":""}"#;

pub(super) struct FlowBtc {
    server: FlowServer,
}

impl FlowBtc {
    pub fn new(instruments: &Instruments) -> FlowBtc {
        let user = TestUser {
            user: "strategy".to_owned(),
            password: Secret::new(""),
            user_id: 1,
            account: ACCOUNT,
            balances: Vec::new(),
            keys: Vec::new(),
            totp: None,
        };
        let config = ServerConfig {
            dialect: Dialect::Page,
            users: vec![user],
            exchange: Config {
                instruments: instruments.clone(),
                queue: QueueModel::RiskAverse,
                first_order_id: 1,
                first_trade_id: 1,
                wait_for_print: false,
            },
            seed: 1,
            shuffle: false,
            latency: Span::ZERO,
            conduct: Conduct::default(),
        };
        FlowBtc { server: FlowServer::new(config) }
    }
}

/// Lends the exchange to the server for as long as `with` runs.
fn lent<R>(
    server: &mut FlowServer,
    exchange: &mut Exchange,
    with: impl FnOnce(&mut FlowServer) -> R,
) -> R {
    server.lend(exchange);
    let result = with(server);
    server.lend(exchange);
    result
}

impl Site for FlowBtc {
    fn show(&mut self, exchange: &mut Exchange, now: Time, event: &Event) {
        lent(&mut self.server, exchange, |server| server.show(now, event));
    }

    fn hear(&mut self, exchange: &mut Exchange, report: &Report) {
        lent(&mut self.server, exchange, |server| server.hear(report.clone()));
    }

    fn answer(&mut self, exchange: &mut Exchange, asked: &Asked) -> CallOutcome {
        let row = row(asked)?;
        if let Some(order) = asked.call.order.as_deref() {
            let id = stands(exchange, asked).map_err(refused)?;
            return shaped(row, &received(order, id));
        }
        let body = reply::body(&asked.call.ask.args);
        let call = |server: &mut FlowServer| server.call(asked.at, ACCOUNT, row.name, &body);
        match lent(&mut self.server, exchange, call) {
            Ok(json) => shaped(row, &json),
            Err(failure) => Err(failed(&failure)),
        }
    }
}

/// What the venue answers to a request about an order that it took.
fn received(order: &Command, id: Option<VenueOrderId>) -> String {
    match order {
        Command::Place(_) => {
            let id = id.map_or(0, |id| id.0);
            format!(r#"{{"status":"Accepted","errormsg":"","OrderId":{id}}}"#)
        }
        Command::Reduce { .. } => "{}".to_owned(),
        Command::Cancel { .. }
        | Command::Replace { .. }
        | Command::CancelAll { .. }
        | Command::Subscribe { .. }
        | Command::Call(_) => PROCESSING.to_owned(),
    }
}

/// FLOW-R10: an order that is not there has a code of its own.
fn refused(refusal: Refusal) -> CallFailure {
    match refusal {
        Refusal::Reject(Reject::NotFound) => rejected(Some(104), "Resource Not Found"),
        Refusal::Reject(reject) => rejected(Some(101), &reject.to_string()),
        Refusal::Order(reason) => rejected(Some(101), &reason),
    }
}

fn failed(failure: &Failure) -> CallFailure {
    let message = match &failure.detail {
        Some(detail) => format!("{}: {detail}", failure.message),
        None => failure.message.clone(),
    };
    rejected(Some(failure.code), &message)
}
