//! The calls by name without a socket, for whoever holds the exchange: the exchange is lent to the
//! server around each call, and its caller is the one user the server was set up with.

use super::router::{self, Answer, Call, Caller, Failure};
use super::wire::Fields;
use super::{FlowServer, rest};
use crate::base::{Event, Time};
use crate::exchange::{AccountNumber, Exchange, Report, ReportKind};

impl FlowServer {
    /// Exchanges the server's exchange for another; a second time gives it back.
    pub fn lend(&mut self, exchange: &mut Exchange) {
        std::mem::swap(&mut self.exchange, exchange);
    }

    /// A public event that the lent exchange has seen already.
    pub fn show(&mut self, now: Time, event: &Event) {
        match event {
            Event::Trade(trade) if self.lists(trade.instrument) => {
                self.market.trade(trade, trade.id, &mut self.outbox);
            }
            Event::Quote(quote) => {
                self.market.advance(quote.instrument, quote.time, &mut self.outbox);
                self.market.touch(quote.instrument);
            }
            Event::Book(change) => {
                self.market.advance(change.instrument, change.time, &mut self.outbox);
                self.market.touch(change.instrument);
            }
            Event::Trade(_)
            | Event::Bar(_)
            | Event::Order(_)
            | Event::Fill(_)
            | Event::Balance(_)
            | Event::Feed(_)
            | Event::Instrument(_)
            | Event::Reply(_) => return,
        }
        self.market.publish(now, &self.exchange, &mut self.outbox);
    }

    /// What the lent exchange reported: the revisions of orders are counted from it.
    pub fn hear(&mut self, report: Report) {
        let (exchange, sessions) = (&self.exchange, &self.sessions);
        let (accounts, out) = (&mut self.accounts, &mut self.outbox);
        match report.kind {
            ReportKind::Order(order) => accounts.order(&order, exchange, sessions, out),
            ReportKind::Replaced { old, new } => {
                accounts.replaced(old, &new, exchange, sessions, out);
            }
            ReportKind::Fill(fill) => accounts.fill(&fill, sessions, out),
            ReportKind::Print(trade) => self.market.trade(&trade, 0, out),
            ReportKind::Balance { .. } => {}
            ReportKind::Level { instrument, .. } => self.market.touch(instrument),
        }
    }

    /// One call of the user who owns `account`. Streams answer what is so far, and nothing follows
    /// (there is no connection for it to follow on).
    ///
    /// # Errors
    /// What the venue would answer as the generic object (FLOW-R09): its code and its words.
    pub fn call(&mut self, now: Time, account: AccountNumber, name: &str, body: &str) -> Answer {
        self.market.advance_all(now, &mut self.outbox);
        self.market.publish(now, &self.exchange, &mut self.outbox);
        let owner = self.sessions.owner(account).ok_or_else(Failure::not_authorized)?;
        let caller = Caller {
            name: owner.user.clone(),
            user_id: owner.user_id,
            account: owner.account,
            two_factor: owner.totp.is_some(),
        };
        let fields = Fields::parse(body)?;
        let call = Call { now, conn: rest::CONN, body, fields };
        let answer = router::ask(self, name, &call, &caller);
        self.market.forget(rest::CONN);
        answer.unwrap_or_else(|| Err(Failure::unsupported(router::UNKNOWN)))
    }
}
