//! Accounts: balances, holds, fees, positions and fills. Money only moves here; every movement has
//! a counterpart (another account, the anonymous outside, or the fees), so totals are conserved.

use std::collections::{BTreeMap, BTreeSet};

use super::Exchange;
use crate::base::{
    Decimal, InstrumentId, Liquidity, OrderState, Side, Time, VenueOrderId, decimal,
};
use crate::exchange::{AccountNumber, Balance, ReportKind, SimFill};

#[derive(Debug, Default)]
pub(super) struct Account {
    pub balances: BTreeMap<String, Balance>,
    pub open: BTreeSet<VenueOrderId>,
    /// Every order ever recorded, oldest first.
    pub sent: Vec<VenueOrderId>,
    pub fills: Vec<SimFill>,
    /// Net quantity bought since the account was opened.
    pub positions: BTreeMap<InstrumentId, Decimal>,
}

impl Account {
    pub fn free(&self, asset: &str) -> Decimal {
        self.balances.get(asset).map_or(Decimal::ZERO, |balance| balance.total - balance.held)
    }

    pub fn position(&self, instrument: InstrumentId) -> Decimal {
        self.positions.get(&instrument).copied().unwrap_or_default()
    }

    fn balance_mut(&mut self, asset: &str) -> &mut Balance {
        if !self.balances.contains_key(asset) {
            self.balances.insert(asset.to_owned(), Balance::default());
        }
        self.balances.entry(asset.to_owned()).or_default()
    }
}

/// One execution before it is booked.
#[derive(Copy, Clone, Debug)]
pub(super) struct Execution {
    pub price: Decimal,
    pub qty: Decimal,
    pub liquidity: Liquidity,
    pub trade_id: i64,
}

impl Exchange {
    /// Adds to an account's total; `None` is the anonymous outside.
    fn move_total(&mut self, account: Option<AccountNumber>, asset: &str, change: Decimal) {
        if change.is_zero() {
            return;
        }
        let Some(number) = account else {
            *self.outside.entry(asset.to_owned()).or_default() += change;
            return;
        };
        if let Some(account) = self.accounts.get_mut(&number) {
            account.balance_mut(asset).total += change;
            self.changed.insert((number, asset.to_owned()));
        }
    }

    /// Adds to what an account has on hold.
    pub(super) fn move_held(&mut self, number: AccountNumber, asset: &str, change: Decimal) {
        if change.is_zero() {
            return;
        }
        if let Some(account) = self.accounts.get_mut(&number) {
            account.balance_mut(asset).held += change;
            self.changed.insert((number, asset.to_owned()));
        }
    }

    /// The asset an order of this side pays with.
    pub(super) fn paid_in(&self, instrument: InstrumentId, side: Side) -> String {
        self.instruments.get(instrument).map_or_else(String::new, |rules| match side {
            Side::Buy => rules.quote.clone(),
            Side::Sell => rules.base.clone(),
        })
    }

    /// Brings an order's hold to what its remainder needs (nothing, once it has ended).
    pub(super) fn rehold(&mut self, id: VenueOrderId) {
        let Some(entry) = self.entry_mut(id) else { return };
        let open = entry.sim.state.is_open();
        let wanted = if open { entry.hold_unit * entry.sim.remaining() } else { Decimal::ZERO };
        let change = wanted - entry.held;
        entry.held = wanted;
        let order = &entry.sim.order;
        let (number, instrument, side) = (order.account, order.instrument, order.side);
        if !change.is_zero() {
            let asset = self.paid_in(instrument, side);
            self.move_held(number, &asset, change);
        }
    }

    /// Books one execution of an order: its state, its account's money, the fee, the reports. The
    /// anonymous side of it, where there is one, is the caller's to book with `book_outside`.
    pub(super) fn book_fill(&mut self, now: Time, id: VenueOrderId, done: Execution) {
        let Some(entry) = self.entry_mut(id) else { return };
        let notional = done.price * done.qty;
        entry.sim.filled += done.qty;
        entry.sim.notional += notional;
        entry.sim.updated = now;
        if entry.sim.remaining().is_zero() {
            entry.sim.state = OrderState::Filled;
        }
        let rate = match done.liquidity {
            Liquidity::Maker => entry.fees.maker,
            Liquidity::Taker => entry.fees.taker,
        };
        let fee = notional * rate;
        let order = entry.sim.order.clone();
        let Some(rules) = self.instruments.get(order.instrument) else { return };
        let (base, quote) = (rules.base.clone(), rules.quote.clone());
        self.rehold(id);
        let account = Some(order.account);
        self.move_total(account, &base, order.side.signed(done.qty));
        self.move_total(account, &quote, -order.side.signed(notional) - fee);
        *self.fees.entry(quote.clone()).or_default() += fee;
        let fill = SimFill {
            trade_id: done.trade_id,
            order: id,
            account: order.account,
            client_id: order.client_id,
            instrument: order.instrument,
            side: order.side,
            price: done.price,
            qty: done.qty,
            fee,
            fee_asset: quote,
            liquidity: done.liquidity,
            time: now,
        };
        if let Some(account) = self.accounts.get_mut(&order.account) {
            let position = account.positions.entry(order.instrument).or_default();
            *position += order.side.signed(done.qty);
            account.fills.push(fill.clone());
        }
        self.report(now, ReportKind::Fill(fill));
        self.report_order(now, id);
    }

    /// The anonymous side of a fill: it gave what the account got.
    pub(super) fn book_outside(&mut self, instrument: InstrumentId, side: Side, done: Execution) {
        let Some(rules) = self.instruments.get(instrument) else { return };
        let (base, quote) = (rules.base.clone(), rules.quote.clone());
        self.move_total(None, &base, -side.signed(done.qty));
        self.move_total(None, &quote, side.signed(done.price * done.qty));
    }

    /// How much of an order may trade at `price` now: its remainder, less what its account cannot
    /// pay (orders without a hold), less what would take a reduce-only order through zero.
    pub(super) fn allowed(&self, id: VenueOrderId, price: Decimal) -> Allowed {
        let Some(entry) = self.entry(id) else { return Allowed::default() };
        let order = &entry.sim.order;
        let mut allowed = Allowed { qty: entry.sim.remaining(), short_of: None };
        let (Some(account), Some(rules)) =
            (self.accounts.get(&order.account), self.instruments.get(order.instrument))
        else {
            return Allowed::default();
        };
        if order.reduce_only {
            let room = (-order.side.signed(account.position(order.instrument))).max(Decimal::ZERO);
            if room < allowed.qty {
                allowed = Allowed { qty: room, short_of: Some(super::Shortage::Position) };
            }
        }
        if order.side == Side::Buy && entry.hold_unit.is_zero() {
            let unit = price * (Decimal::ONE + entry.fees.taker.max(Decimal::ZERO));
            let free = account.free(&rules.quote).max(Decimal::ZERO);
            if unit * allowed.qty > free {
                let lot = rules.lot_size;
                let mut qty = decimal::floor_to(free / unit, lot);
                if unit * qty > free {
                    qty -= lot;
                }
                allowed =
                    Allowed { qty: qty.max(Decimal::ZERO), short_of: Some(super::Shortage::Funds) };
            }
        }
        allowed
    }
}

/// How much may trade, and what is in the way of more.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Allowed {
    pub qty: Decimal,
    pub short_of: Option<super::Shortage>,
}
