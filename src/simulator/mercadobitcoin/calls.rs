//! The methods and the public data without a socket, for whoever holds the exchange: no key, no
//! signature, no tonce, and the exchange is lent to the server around each call.

use super::orders::{self, one};
use super::{Call, MbServer, data};
use crate::base::{Event, Time, VenueOrderId};
use crate::exchange::{AccountNumber, Exchange, Reject};
use crate::simulator::http::{HttpIn, Page};

impl MbServer {
    /// Exchanges the server's exchange for another; a second time gives it back.
    pub fn lend(&mut self, exchange: &mut Exchange) {
        std::mem::swap(&mut self.exchange, exchange);
    }

    /// A public event that the lent exchange has seen already.
    pub fn show(&mut self, event: &Event) {
        if let Event::Trade(trade) = event {
            self.boards.trade(trade, trade.id);
        }
    }

    /// One method of the Trade API; `fields` has its name as `method`.
    pub fn method(
        &mut self,
        now: Time,
        account: AccountNumber,
        fields: Vec<(String, String)>,
    ) -> Page {
        orders::answer(self, &Call { now, account, fields })
    }

    /// One public call, by its path and query.
    #[must_use]
    pub fn public(&self, now: Time, path: String, query: String) -> Page {
        let method = "GET".to_owned();
        data::answer(self, now, &HttpIn { method, path, query, ..HttpIn::default() })
    }

    /// What a method answers that was about this order: the order under its number.
    ///
    /// # Errors
    /// The venue's words, where it does not have the order.
    pub fn order(
        &self,
        now: Time,
        account: AccountNumber,
        id: VenueOrderId,
    ) -> Result<String, String> {
        if let Some(why) = orders::refused(self, id) {
            return Err(why);
        }
        one(self, &Call { now, account, fields: Vec::new() }, id)
    }

    /// The venue's words for a refusal of the exchange.
    #[must_use]
    pub fn words(&self, reject: Reject) -> String {
        orders::refusal(self, reject)
    }
}
