//! The simulated exchange: a pure machine that matches orders of accounts with each other and with
//! a feed's market. Its parts: `book` (levels and queues), `intake` (orders in, changed, out),
//! `matching` (takers and triggers), `feed` (prints and books), `ledger` (money).
//!
//! Rules, in short:
//! - Price, then time. A taker walks the feed's anonymous levels and the accounts' orders together;
//!   anonymous quantity it consumed stays consumed until the feed next speaks of that level.
//! - While the feed has only told prints, any quantity trades at the last print's price. A market
//!   order takes it at once, or at the next print where `Config::wait_for_print` is set.
//! - A resting order fills as maker at its own price: wholly when a print goes through its price;
//!   up to the print's quantity when a print is at its price and the queue before it has traded;
//!   and up to the quantity shown when the feed's book or quote crosses it.
//! - An account never trades with itself: the incoming order's remainder is canceled
//!   (`SELF_TRADE`).
//! - Fees are fractions of notional, taken in the quote asset from buyer and seller alike, exact.
//! - Stops trigger when the last trade touches them and then trade at once, at that print's market.

mod book;
mod feed;
mod intake;
mod ledger;
mod matching;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use self::book::{Half, Market};
use self::ledger::Account;
use super::types::{
    AccountNumber, Balance, BookLevel, QueueModel, Report, ReportKind, SimFill, SimOrder,
};
use crate::base::{
    BookSide, Decimal, Fees, Instrument, InstrumentId, Instruments, OrderState, Side, Time, Trade,
    VenueOrderId,
};

/// Why the remainder of an order was canceled by the exchange, beside the words of `Reject`.
pub const SELF_TRADE: &str = "Self_Trade";
pub const IMMEDIATE_OR_CANCEL: &str = "Immediate_Or_Cancel";
pub const FILL_OR_KILL: &str = "Fill_Or_Kill";

/// How an exchange is set up.
#[derive(Clone, Debug)]
pub struct Config {
    pub instruments: Instruments,
    pub queue: QueueModel,
    pub first_order_id: i64,
    pub first_trade_id: i64,
    /// Where only prints are known, a market order waits for the next print (true) or fills at the
    /// last one at once (false). Before the first print it waits in either case.
    pub wait_for_print: bool,
}

/// Where an open order stands.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Place {
    Nowhere,
    Book,
    Stop,
    Waiting,
}

/// An order and what the exchange keeps about it.
#[derive(Clone, Debug)]
struct Entry {
    sim: SimOrder,
    place: Place,
    /// Its number in the queue it stands in.
    seq: i64,
    /// The rates of the moment it was accepted.
    fees: Fees,
    /// What one unit of the remainder holds, and all that is held.
    hold_unit: Decimal,
    held: Decimal,
}

/// Why an order may not trade in full.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Shortage {
    Funds,
    Position,
}

/// The simulated exchange. Call methods in time order; read reports with `poll` after each.
pub struct Exchange {
    instruments: Instruments,
    queue: QueueModel,
    wait_for_print: bool,
    first_order: i64,
    /// From one order's id to the next.
    order_step: i64,
    next_trade: i64,
    next_seq: i64,
    /// Every order ever recorded; ids are places in this list.
    orders: Vec<Entry>,
    clients: BTreeMap<(AccountNumber, i64), VenueOrderId>,
    accounts: BTreeMap<AccountNumber, Account>,
    markets: Vec<Market>,
    /// What the anonymous side of all fills got, net; and the fees taken. By asset.
    outside: BTreeMap<String, Decimal>,
    fees: BTreeMap<String, Decimal>,
    reports: VecDeque<Report>,
    /// Balances and levels that changed in the current call.
    changed: BTreeSet<(AccountNumber, String)>,
    moved: BTreeSet<(InstrumentId, BookSide, Decimal)>,
}

impl Exchange {
    #[must_use]
    pub fn new(config: Config) -> Exchange {
        let markets = config.instruments.iter().map(|_| Market::new()).collect();
        Exchange {
            instruments: config.instruments,
            queue: config.queue,
            wait_for_print: config.wait_for_print,
            first_order: config.first_order_id,
            order_step: 1,
            next_trade: config.first_trade_id,
            next_seq: 0,
            orders: Vec::new(),
            clients: BTreeMap::new(),
            accounts: BTreeMap::new(),
            markets,
            outside: BTreeMap::new(),
            fees: BTreeMap::new(),
            reports: VecDeque::new(),
            changed: BTreeSet::new(),
            moved: BTreeSet::new(),
        }
    }

    /// Orders to come are numbered this far apart (at least 1). To be called before the first.
    #[must_use]
    pub fn numbered_by(self, step: i64) -> Exchange {
        Exchange { order_step: step.max(1), ..self }
    }

    #[must_use]
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Lists an instrument, or changes a listed one's rules. Open orders keep the fees they came
    /// with.
    pub fn list(&mut self, instrument: Instrument) -> InstrumentId {
        let id = match self.instruments.get(instrument.id) {
            Some(known) if known.name() == instrument.name() => {
                let id = instrument.id;
                self.instruments.update(instrument);
                id
            }
            _ => self.instruments.add(instrument),
        };
        while self.markets.len() < self.instruments.len() {
            self.markets.push(Market::new());
        }
        id
    }

    /// Opens an account with these balances, or adds them to one that is open. Reports nothing.
    pub fn open_account(&mut self, account: AccountNumber, balances: &[(String, Decimal)]) {
        let account = self.accounts.entry(account).or_default();
        for (asset, total) in balances {
            account.balances.entry(asset.clone()).or_default().total += *total;
        }
    }

    /// The next report, oldest first.
    pub fn poll(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    #[must_use]
    pub fn order(&self, id: VenueOrderId) -> Option<&SimOrder> {
        self.entry(id).map(|entry| &entry.sim)
    }

    /// The newest order with this client id.
    #[must_use]
    pub fn find_client(&self, account: AccountNumber, client_id: i64) -> Option<&SimOrder> {
        self.clients.get(&(account, client_id)).and_then(|id| self.order(*id))
    }

    /// The account's open orders, by id.
    #[must_use]
    pub fn open_orders(&self, account: AccountNumber) -> Vec<&SimOrder> {
        let open = self.accounts.get(&account).into_iter().flat_map(|account| &account.open);
        open.filter_map(|id| self.order(*id)).collect()
    }

    /// The account's last orders, newest first, whatever became of them.
    #[must_use]
    pub fn history(&self, account: AccountNumber, last: usize) -> Vec<&SimOrder> {
        let sent = self.accounts.get(&account).map_or(&[][..], |account| &account.sent);
        sent.iter().rev().take(last).filter_map(|id| self.order(*id)).collect()
    }

    /// The account's fills, oldest first.
    #[must_use]
    pub fn fills(&self, account: AccountNumber) -> &[SimFill] {
        self.accounts.get(&account).map_or(&[], |account| &account.fills)
    }

    #[must_use]
    pub fn balances(&self, account: AccountNumber) -> Vec<(String, Balance)> {
        let balances = self.accounts.get(&account).into_iter().flat_map(|it| &it.balances);
        balances.map(|(asset, balance)| (asset.clone(), balance.clone())).collect()
    }

    /// Net quantity bought since the account was opened.
    #[must_use]
    pub fn position(&self, account: AccountNumber, instrument: InstrumentId) -> Decimal {
        self.accounts.get(&account).map_or(Decimal::ZERO, |account| account.position(instrument))
    }

    /// All fees taken so far, by asset.
    #[must_use]
    pub fn fees_taken(&self) -> &BTreeMap<String, Decimal> {
        &self.fees
    }

    /// What the anonymous side of all fills got, net, by asset.
    #[must_use]
    pub fn outside(&self) -> &BTreeMap<String, Decimal> {
        &self.outside
    }

    #[must_use]
    pub fn last_trade(&self, instrument: InstrumentId) -> Option<&Trade> {
        self.market(instrument)?.last.as_ref()
    }

    /// Best bid and best ask, the feed's and the accounts' orders together.
    #[must_use]
    pub fn best(&self, instrument: InstrumentId) -> (Option<BookLevel>, Option<BookLevel>) {
        let top = |half: &Half| half.levels().next();
        self.market(instrument).map_or((None, None), |it| (top(&it.bids), top(&it.asks)))
    }

    /// Up to `levels` bids, best first, then as many asks, best first.
    #[must_use]
    pub fn depth(&self, instrument: InstrumentId, levels: usize) -> Vec<BookLevel> {
        self.market(instrument).map_or_else(Vec::new, |market| {
            market.bids.levels().take(levels).chain(market.asks.levels().take(levels)).collect()
        })
    }

    /// One level as it is shown; quantity zero where there is none.
    #[must_use]
    pub fn level(&self, instrument: InstrumentId, side: BookSide, price: Decimal) -> BookLevel {
        let empty = BookLevel { side, price, qty: Decimal::ZERO, orders: 0 };
        self.market(instrument).map_or(empty, |market| match side {
            BookSide::Bid => market.bids.level(price),
            BookSide::Ask => market.asks.level(price),
        })
    }

    fn market(&self, instrument: InstrumentId) -> Option<&Market> {
        self.markets.get(usize::from(instrument.0))
    }

    fn market_mut(&mut self, instrument: InstrumentId) -> Option<&mut Market> {
        self.markets.get_mut(usize::from(instrument.0))
    }

    fn slot_of(&self, id: VenueOrderId) -> Option<usize> {
        let place = id.0.checked_sub(self.first_order)?;
        let known = place.checked_rem(self.order_step) == Some(0);
        usize::try_from(place / self.order_step).ok().filter(|_| known)
    }

    fn entry(&self, id: VenueOrderId) -> Option<&Entry> {
        self.slot_of(id).and_then(|place| self.orders.get(place))
    }

    fn entry_mut(&mut self, id: VenueOrderId) -> Option<&mut Entry> {
        self.slot_of(id).and_then(|place| self.orders.get_mut(place))
    }

    fn take_seq(&mut self) -> i64 {
        self.next_seq += 1;
        self.next_seq
    }

    fn take_trade_id(&mut self) -> i64 {
        let id = self.next_trade;
        self.next_trade += 1;
        id
    }

    fn report(&mut self, time: Time, kind: ReportKind) {
        self.reports.push_back(Report { time, kind });
    }

    fn report_order(&mut self, now: Time, id: VenueOrderId) {
        let Some(sim) = self.order(id).cloned() else { return };
        if !sim.state.is_open()
            && let Some(account) = self.accounts.get_mut(&sim.order.account)
        {
            account.open.remove(&id);
        }
        self.report(now, ReportKind::Order(sim));
    }

    /// Ends an order: off every queue, hold released, reported.
    fn end(&mut self, now: Time, id: VenueOrderId, state: OrderState, reason: &str) {
        self.withdraw(id);
        let Some(entry) = self.entry_mut(id) else { return };
        entry.sim.state = state;
        reason.clone_into(&mut entry.sim.reason);
        entry.sim.updated = now;
        self.rehold(id);
        self.report_order(now, id);
    }

    /// Takes an order off the queue it stands in.
    fn withdraw(&mut self, id: VenueOrderId) {
        let Some(entry) = self.entry_mut(id) else { return };
        let place = std::mem::replace(&mut entry.place, Place::Nowhere);
        let (seq, left) = (entry.seq, entry.sim.remaining());
        let order = &entry.sim.order;
        let (instrument, side) = (order.instrument, order.side);
        let (price, stop) = (order.price, order.stop);
        let Some(market) = self.market_mut(instrument) else { return };
        match (place, price, stop) {
            (Place::Book, Some(price), _) => {
                market.home_mut(side).reduce(price, seq, left);
                self.mark(instrument, side, price);
            }
            (Place::Stop, _, Some(stop)) => {
                market.stops_mut(side).remove(&(stop, seq));
            }
            (Place::Waiting, _, _) => {
                market.waiting.remove(&seq);
            }
            (Place::Nowhere, _, _) | (Place::Book | Place::Stop, _, _) => {}
        }
    }

    /// Notes that the shown quantity changed where orders of `side` rest.
    fn mark(&mut self, instrument: InstrumentId, side: Side, price: Decimal) {
        let side = match side {
            Side::Buy => BookSide::Bid,
            Side::Sell => BookSide::Ask,
        };
        self.moved.insert((instrument, side, price));
    }

    /// Reports the balances and levels that the current call changed.
    fn publish(&mut self, now: Time) {
        for (account, asset) in std::mem::take(&mut self.changed) {
            let held = self.accounts.get(&account);
            if let Some(balance) = held.and_then(|it| it.balances.get(&asset)).cloned() {
                self.report(now, ReportKind::Balance { account, asset, balance });
            }
        }
        for (instrument, side, price) in std::mem::take(&mut self.moved) {
            let level = self.level(instrument, side, price);
            self.report(now, ReportKind::Level { instrument, level });
        }
    }
}
