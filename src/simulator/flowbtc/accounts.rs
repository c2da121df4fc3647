//! The private side: the exchange's reports become the events of accounts' followers (FLOW-E05 to
//! E08), each with the reason for its change.

use super::Dialect;
use super::listing::Products;
use super::objects::{self, OrderFrame};
use super::outbox::{Order, Outbox};
use super::session::Sessions;
use crate::base::{Decimal, OrderState, VenueOrderId};
use crate::exchange::{AccountNumber, Balance, Exchange, SimFill, SimOrder};
use std::collections::BTreeMap;

/// What was told of an open order last.
#[derive(Clone, Debug, Default)]
struct Told {
    revision: i64,
    executions: i64,
    filled: Decimal,
    qty: Decimal,
}

/// What has been told to whom.
#[derive(Clone, Debug)]
pub struct Accounts {
    dialect: Dialect,
    products: Products,
    told: BTreeMap<VenueOrderId, Told>,
    /// Balances that changed under the input at hand; the last value of each is sent.
    balances: BTreeMap<(AccountNumber, String), Balance>,
}

impl Accounts {
    #[must_use]
    pub fn new(dialect: Dialect, products: Products) -> Accounts {
        Accounts { dialect, products, told: BTreeMap::new(), balances: BTreeMap::new() }
    }

    /// How often the order has changed so far; 0 for one that is over.
    #[must_use]
    pub fn revision(&self, id: VenueOrderId) -> i64 {
        self.told.get(&id).map_or(0, |told| told.revision)
    }

    /// An order's new state (FLOW-E06), and its refusal (FLOW-E08) where it is one.
    pub fn order(
        &mut self,
        order: &SimOrder,
        exchange: &Exchange,
        sessions: &Sessions,
        out: &mut Outbox,
    ) {
        let told = self.told.entry(order.id).or_default();
        let change = change(told, order);
        told.revision += 1;
        (told.filled, told.qty) = (order.filled, order.order.qty);
        let revision = told.revision;
        self.tell(order, change, revision, exchange, sessions, out);
        if order.state == OrderState::Rejected {
            self.refused(order.order.account, order.order.client_id, &order.reason, sessions, out);
        }
        if !order.state.is_open() {
            self.told.remove(&order.id);
        }
    }

    /// `old` made place for `new`: the one is canceled by its user, the other is on the book.
    pub fn replaced(
        &mut self,
        old: VenueOrderId,
        new: &SimOrder,
        exchange: &Exchange,
        sessions: &Sessions,
        out: &mut Outbox,
    ) {
        let told = self.told.remove(&old);
        if let (Some(told), Some(old)) = (told, exchange.order(old)) {
            let revision = told.revision + 1;
            self.tell(old, "UserModified", revision, exchange, sessions, out);
        }
        self.order(new, exchange, sessions, out);
    }

    fn tell(
        &self,
        order: &SimOrder,
        change: &str,
        revision: i64,
        exchange: &Exchange,
        sessions: &Sessions,
        out: &mut Outbox,
    ) {
        let account = order.order.account;
        let about = OrderFrame {
            dialect: self.dialect,
            change,
            first_client: first_client(order, exchange),
            user: sessions.owner(account).map_or(0, |user| user.user_id),
            revision,
        };
        let text = objects::order_state(order, about);
        out.event(sessions.followers(account), Order::Free, "OrderStateEvent", &text);
    }

    /// An execution (FLOW-E07).
    pub fn fill(&mut self, fill: &SimFill, sessions: &Sessions, out: &mut Outbox) {
        let told = self.told.entry(fill.order).or_default();
        told.executions += 1;
        let text = objects::execution(self.dialect, fill, told.executions, &self.products);
        out.event(sessions.followers(fill.account), Order::Free, "OrderTradeEvent", &text);
    }

    /// A balance changed; told once for each input (`tell_balances`).
    pub fn balance(&mut self, account: AccountNumber, asset: String, balance: Balance) {
        self.balances.insert((account, asset), balance);
    }

    /// FLOW-E05. Only the last amounts of an input are told, so that they need no order.
    pub fn tell_balances(&mut self, sessions: &Sessions, out: &mut Outbox) {
        for ((account, asset), balance) in std::mem::take(&mut self.balances) {
            let text = objects::position(self.dialect, account, &asset, &balance, &self.products);
            out.event(sessions.followers(account), Order::Free, "AccountPositionEvent", &text);
        }
    }

    /// A new order was refused (FLOW-E08).
    pub fn refused(
        &self,
        account: AccountNumber,
        client_id: i64,
        reason: &str,
        sessions: &Sessions,
        out: &mut Outbox,
    ) {
        let text = objects::order_refused(account, client_id, reason);
        out.event(sessions.followers(account), Order::Free, "NewOrderRejectEvent", &text);
    }
}

/// ClientOrderId of the first order of a chain of replacements.
#[must_use]
pub fn first_client(order: &SimOrder, exchange: &Exchange) -> i64 {
    exchange.order(order.original).map_or(order.order.client_id, |first| first.order.client_id)
}

/// What brought an order into its state (FLOW-V15), seen from what was told before.
fn change(told: &Told, order: &SimOrder) -> &'static str {
    let known = told.revision > 0;
    match order.state {
        OrderState::Working if order.filled > told.filled => "Trade",
        OrderState::Working if known && order.order.qty != told.qty => "UserModified",
        OrderState::Working => "NewInputAccepted",
        OrderState::Filled
        | OrderState::Canceled
        | OrderState::Rejected
        | OrderState::Expired
        | OrderState::Pending
        | OrderState::Unknown => objects::settled_reason(order),
    }
}
