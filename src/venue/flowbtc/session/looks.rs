//! Finding out: what became of orders whose answer was lost, of those that were open when the
//! line went down, and of fills that never came. By asking, never by sending again (FLOW Part D).

use super::Session;
use super::legs::{Known, LegState, Told};
use super::line::{Phase, Timer};
use super::orders::Stray;
use super::task::{Task, Why};
use crate::base::{InstrumentId, OrderKey, Span, Time, VenueOrderId};
use crate::venue::flowbtc::payload::{FillRow, OrderRow, State};
use crate::venue::flowbtc::request::Account;
use std::collections::BTreeSet;

/// Two looks at one order are at least so far apart.
const LOOK_AGAIN: Span = Span::from_secs(2);

/// A look that failed is repeated after this.
const LOOK_FAILED: Span = Span::from_secs(5);

/// A look that cannot tell (the history is full of later orders) is repeated after this.
const LOOK_UNSURE: Span = Span::from_secs(30);

/// Fills usually come with the news of their order; after this they are asked for.
const FILLS_WITHIN: Span = Span::from_millis(500);

/// A rejection's reason usually comes with it, in an event of its own.
const REASON_WITHIN: Span = Span::from_millis(250);

/// The open orders are compared this often, for news that never came.
pub(super) const AUDIT_EVERY: Span = Span::from_secs(30);

/// GetOrderHistory has the last 100 orders (FLOW-C28).
const HISTORY: usize = 100;

/// How far the venue's clock may be from ours when orders are told apart by time.
const CLOCKS: Span = Span::from_secs(5);

/// A page of GetAccountTrades, and how many pages at most.
const PAGE: u32 = 200;
const LAST_PAGE: u32 = PAGE * 9;

/// The one look that is under way: at the orders that were in doubt when it began.
#[derive(Debug, Default)]
pub(super) struct Look {
    keys: BTreeSet<OrderKey>,
    running: bool,
}

impl Look {
    pub(super) fn stop(&mut self) {
        self.running = false;
        self.keys.clear();
    }
}

/// Cancel-alls: instruments of those asked for while the line was down, and the orders that were
/// open when one was asked for. Orders that came later are none of its business.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    pub kept: BTreeSet<InstrumentId>,
    pub verify: BTreeSet<OrderKey>,
}

impl Sweep {
    pub(super) fn later(&mut self, instrument: InstrumentId) {
        self.kept.insert(instrument);
    }
}

impl Session {
    pub(super) fn look_soon(&mut self, now: Time) {
        if self.line.phase == Phase::Live && !self.look.running && !self.timers.has(Timer::Look) {
            self.timers.set(now, Timer::Look);
        }
    }

    pub(super) fn start_look(&mut self, now: Time) {
        if self.look.running || self.orders.doubts().is_empty() {
            return;
        }
        self.look.running = true;
        self.look.keys.clone_from(self.orders.doubts());
        self.push(now, Task::OpenOrders(Why::Look));
    }

    fn look_failed(&mut self, now: Time) {
        self.look.stop();
        if self.line.phase == Phase::Login {
            return self.drop_line(now, "the open orders could not be read");
        }
        self.timers.set(now.plus(LOOK_FAILED), Timer::Look);
    }

    /// The answer to GetOpenOrders.
    pub(super) fn open_orders(
        &mut self,
        now: Time,
        why: Why,
        answer: Result<Vec<OrderRow>, String>,
    ) {
        let rows = match answer {
            Ok(rows) => rows,
            Err(reason) => {
                self.note(format!("the open orders could not be read ({reason})"));
                return match why {
                    Why::Login | Why::Look => self.look_failed(now),
                    Why::Verify => self.timers.set(now.plus(LOOK_FAILED), Timer::Verify),
                    Why::Audit => {}
                };
            }
        };
        let present: BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
        let strangers = rows.iter().filter(|row| !self.order_row(now, row)).count();
        match why {
            Why::Login => {
                if strangers > 0 {
                    self.note(format!("{strangers} open orders there are not of this run"));
                }
                self.line.snapshot = true;
                self.apply_early(now);
                self.look.running = true;
                self.look.keys.clone_from(self.orders.doubts());
                self.look_on(now);
            }
            Why::Look => self.look_on(now),
            Why::Audit => self.missing(now, &present),
            Why::Verify => {
                self.missing(now, &present);
                self.verified(now, &present);
            }
        }
    }

    /// After the open orders: the history if fates are still open, then the fills if any are
    /// missing.
    fn look_on(&mut self, now: Time) {
        if self.look.keys.iter().any(|key| self.orders.doubts().contains(key)) {
            return self.push(now, Task::History);
        }
        self.look_at_fills(now);
    }

    fn look_at_fills(&mut self, now: Time) {
        let in_doubt = self.look.keys.iter().any(|key| self.orders.doubts().contains(key));
        if in_doubt || !self.orders.short().is_empty() {
            return self.push(now, Task::Fills { start: 0 });
        }
        self.looked(now);
    }

    /// The answer to GetOrderHistory. Orders in doubt that are neither open nor in it count as
    /// absent, unless it is so full of later orders that it could not hold them.
    pub(super) fn history(&mut self, now: Time, answer: Result<Vec<OrderRow>, String>) {
        let rows = match answer {
            Ok(rows) => rows,
            Err(reason) => {
                self.note(format!("the order history could not be read ({reason})"));
                return self.look_failed(now);
            }
        };
        for row in &rows {
            self.order_row(now, row);
        }
        let oldest = rows.iter().filter_map(|row| row.received).min();
        let reaches_back = |sent: Time| {
            rows.len() < HISTORY || oldest.is_some_and(|oldest| oldest.plus(CLOCKS) < sent)
        };
        let mut unsure = 0;
        for key in std::mem::take(&mut self.look.keys) {
            let Some(known) = self.orders.get(key).filter(|known| known.doubt.is_some()) else {
                continue;
            };
            if known.change().is_none() && known.venue().is_some() {
                // It has a number: the venue can be asked for it directly.
                self.push(now, Task::Status(key));
            } else if reaches_back(known.sent) {
                self.absent(now, key);
            } else {
                unsure += 1;
            }
            self.look.keys.insert(key);
        }
        if unsure > 0 {
            self.note(format!("{unsure} orders are older than the history reaches; looking again"));
            self.timers.set(now.plus(LOOK_UNSURE), Timer::Look);
        }
        self.look_at_fills(now);
    }

    pub(super) fn absent(&mut self, now: Time, key: OrderKey) {
        self.orders.absent(now, key);
        if self.orders.get(key).is_some_and(|known| known.told == Told::Final) {
            self.note(format!("order {key}: found nowhere twice, so it is not at the venue"));
        }
    }

    /// The end of a look. During the login it is the last step.
    fn looked(&mut self, now: Time) {
        self.look.stop();
        self.collect(now);
        if self.line.phase == Phase::Login {
            self.live(now);
        } else {
            self.repeat_cancels(now);
        }
        if !self.orders.doubts().is_empty() && !self.timers.has(Timer::Look) {
            self.timers.set(now.plus(LOOK_AGAIN), Timer::Look);
        }
    }

    /// Orders we think are on the book and the venue does not show.
    fn missing(&mut self, now: Time, present: &BTreeSet<i64>) {
        for key in self.orders.open() {
            let Some(known) = self.orders.get(key) else { continue };
            let rested = now.since(known.sent) > LOOK_AGAIN;
            let shown = known.venue().is_some_and(|venue| present.contains(&venue.0));
            if known.told >= Told::Accepted && rested && !shown && known.change().is_none() {
                self.orders.doubt(key);
            }
        }
        if !self.orders.doubts().is_empty() {
            self.look_soon(now);
        }
    }

    pub(super) fn audit(&mut self, now: Time) {
        self.timers.set(now.plus(AUDIT_EVERY), Timer::Audit);
        let has = !self.off.contains("positions");
        if self.line.phase == Phase::Live && self.account.is_some() && self.moved && has {
            self.moved = false;
            self.push(now, Task::Positions);
        }
        if self.line.phase == Phase::Live && !self.orders.open().is_empty() {
            self.push(now, Task::OpenOrders(Why::Audit));
        }
    }

    /// Takes an order row from an answer; `false` if the order is not one of ours.
    pub(super) fn order_row(&mut self, now: Time, row: &OrderRow) -> bool {
        if self.is_foreign(row) {
            return true;
        }
        let Some(key) = self.orders.row(now, row) else { return false };
        if row.state == State::Working
            && let Some(stray) = self.orders.stray(key, row.id)
        {
            self.cancel_stray(now, key, row, stray);
        }
        true
    }

    /// Takes an order row from an event. That a replaced order is on the book may be old news.
    pub(super) fn order_event(&mut self, now: Time, row: &OrderRow) {
        if self.is_foreign(row) {
            return;
        }
        if row.state == State::Rejected
            && matches!(row.reason.as_str(), "" | "NewInputRejected" | "OtherRejected")
            && let Some(key) = self.orders.find(row.client, Some(row.id))
        {
            self.bare.insert(key, row.clone());
            return self.timers.set(now.plus(REASON_WITHIN), Timer::Reason(key));
        }
        if let Some(key) = self.orders.row(now, row)
            && row.state == State::Working
            && self.orders.stray(key, row.id) == Some(Stray::GivenUp)
        {
            self.cancel_stray(now, key, row, Stray::GivenUp);
        }
    }

    /// No reason came: the rejection stands without one.
    pub(super) fn reject_without_reason(&mut self, now: Time, key: OrderKey) {
        if let Some(row) = self.bare.remove(&key) {
            self.orders.row(now, &row);
        }
    }

    fn is_foreign(&self, row: &OrderRow) -> bool {
        row.account.is_some_and(|account| Some(Account(account)) != self.account)
    }

    /// The answer to GetOrderStatus. `None`: there is no such order (code 104).
    pub(super) fn status(&mut self, now: Time, key: OrderKey, answer: Option<Vec<OrderRow>>) {
        match answer {
            Some(rows) => {
                for row in &rows {
                    self.order_row(now, row);
                }
            }
            None => {
                self.orders.doubt(key);
                self.absent(now, key);
                if !self.look.running && !self.timers.has(Timer::Look) {
                    self.timers.set(now.plus(LOOK_AGAIN), Timer::Look);
                }
            }
        }
        self.cancel_again(now, key);
        self.reduce_on(now, key);
    }

    /// Fills are missing: ask for them if they do not come by themselves.
    pub(super) fn expect_fills(&mut self, now: Time) {
        if self.line.phase == Phase::Live && !self.timers.has(Timer::Fills) {
            self.timers.set(now.plus(FILLS_WITHIN), Timer::Fills);
        }
    }

    pub(super) fn ask_fills(&mut self, now: Time) {
        if !self.orders.short().is_empty() {
            let short = self.orders.short().keys().filter_map(|key| self.orders.get(*key));
            let loose: Vec<VenueOrderId> = short.flat_map(Known::loose).collect();
            for leg in loose {
                self.push(now, Task::Leg(leg));
            }
            self.push(now, Task::Fills { start: 0 });
            self.timers.set(now.plus(LOOK_AGAIN), Timer::Fills);
        }
    }

    /// The answer to GetAccountTrades: a page of fills, of which some may be new.
    pub(super) fn fills(&mut self, now: Time, start: u32, answer: Result<Vec<FillRow>, String>) {
        let rows = match answer {
            Ok(rows) => rows,
            Err(reason) => {
                self.note(format!("the fills could not be read ({reason})"));
                if self.look.running {
                    self.look_failed(now);
                }
                return;
            }
        };
        for row in &rows {
            self.fill_row(now, row);
        }
        let full = rows.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
        if full && !self.orders.short().is_empty() && start < LAST_PAGE {
            return self.push(now, Task::Fills { start: start + PAGE });
        }
        for key in self.orders.short().keys().copied().collect::<Vec<_>>() {
            if self.orders.still_short(now, key) {
                self.note(format!("ALARM: order {key}: the venue does not show all of its fills"));
            }
        }
        if self.look.running {
            self.looked(now);
        }
    }

    pub(super) fn fill_row(&mut self, now: Time, row: &FillRow) {
        if row.account.is_none_or(|account| Some(Account(account)) == self.account) {
            self.orders.fill(now, row, &self.listing);
        }
    }

    /// How many fills to ask for.
    pub(super) const fn page() -> u32 {
        PAGE
    }

    /// After a cancel-all: what is still on the book is canceled one by one.
    fn verified(&mut self, now: Time, present: &BTreeSet<i64>) {
        let mut left = 0;
        for key in std::mem::take(&mut self.sweep.verify) {
            let Some(known) = self.orders.get(key).filter(|known| !known.is_final()) else {
                continue;
            };
            let shown = known.venue().is_some_and(|venue| present.contains(&venue.0));
            let on_book = known.current().is_some_and(|leg| leg.state <= LegState::Working);
            if shown && on_book {
                left += 1;
                let _ = self.cancel(now, key);
            }
        }
        if left > 0 {
            self.note(format!("{left} orders outlived a cancel-all; canceling each"));
        }
    }
}
