//! Orders in, changed and out: the checks of rules and funds, and the record of every order.

use super::book::Market;
use super::{Entry, Exchange, Place};
use crate::base::{
    Decimal, Fees, Instrument, InstrumentId, OrderKind, OrderState, Side, Time, VenueOrderId,
};
use crate::exchange::{AccountNumber, NewOrder, Reject, ReportKind, SimOrder};

/// Prices and quantities above this are malformed: their product must stay exact.
const LARGEST: i64 = 1_000_000_000_000;

impl Exchange {
    /// Takes an order in.
    ///
    /// `Ok` means recorded and reported: look at the order's state, for one that fails the rules or
    /// lacks funds is recorded as `Rejected`, with the reason.
    ///
    /// # Errors
    /// Nothing is recorded or reported: unknown instrument or account, a quantity or price that is
    /// missing, not positive or beyond measure, a price the kind does not carry.
    pub fn submit(&mut self, now: Time, order: NewOrder) -> Result<VenueOrderId, Reject> {
        self.well_formed(&order)?;
        let verdict = self.rules(&order, Decimal::ZERO);
        let instrument = order.instrument;
        let id = self.record(now, order, None);
        match verdict {
            Err(reject) => self.end(now, id, OrderState::Rejected, &reject.to_string()),
            Ok(terms) => {
                self.open(id, terms);
                self.report_order(now, id);
                self.enter(now, id);
                self.trigger(now, instrument);
            }
        }
        self.publish(now);
        Ok(id)
    }

    /// Cancels an open order.
    ///
    /// # Errors
    /// `NotFound` when the account has no open order of that id.
    pub fn cancel(
        &mut self,
        now: Time,
        account: AccountNumber,
        id: VenueOrderId,
    ) -> Result<(), Reject> {
        self.open_order(account, id)?;
        self.end(now, id, OrderState::Canceled, "");
        self.publish(now);
        Ok(())
    }

    /// Cancels every open order of the account, of one instrument or of all; says how many.
    pub fn cancel_all(
        &mut self,
        now: Time,
        account: AccountNumber,
        instrument: Option<InstrumentId>,
    ) -> usize {
        let wanted = |sim: &&SimOrder| instrument.is_none_or(|it| it == sim.order.instrument);
        let open = self.open_orders(account);
        let ids: Vec<VenueOrderId> = open.into_iter().filter(wanted).map(|sim| sim.id).collect();
        for id in &ids {
            self.end(now, *id, OrderState::Canceled, "");
        }
        self.publish(now);
        ids.len()
    }

    /// Takes an open order off and puts `new` in its place under a new id, at the end of its queue
    /// (FLOW-C23, FLOW-P19). `new.qty` is the new open quantity: what was filled stays with the old
    /// order, which ends as `Canceled` and is named only in `ReportKind::Replaced`.
    ///
    /// # Errors
    /// The old order stays as it was: it is not open, `new` names another account or instrument, or
    /// `new` would not be accepted.
    pub fn replace(
        &mut self,
        now: Time,
        account: AccountNumber,
        id: VenueOrderId,
        new: NewOrder,
    ) -> Result<VenueOrderId, Reject> {
        let old = self.open_order(account, id)?;
        let instrument = old.sim.order.instrument;
        if new.account != account || new.instrument != instrument {
            return Err(Reject::InvalidInstrument);
        }
        let same_asset = old.sim.order.side == new.side;
        let freed = if same_asset { old.held } else { Decimal::ZERO };
        let original = old.sim.original;
        self.well_formed(&new)?;
        let terms = self.rules(&new, freed)?;
        self.withdraw(id);
        if let Some(old) = self.entry_mut(id) {
            old.sim.state = OrderState::Canceled;
            "Replaced".clone_into(&mut old.sim.reason);
            old.sim.updated = now;
        }
        self.rehold(id);
        if let Some(account) = self.accounts.get_mut(&account) {
            account.open.remove(&id);
        }
        let fresh = self.record(now, new, Some(original));
        self.open(fresh, terms);
        if let Some(sim) = self.order(fresh).cloned() {
            self.report(now, ReportKind::Replaced { old: id, new: sim });
        }
        self.enter(now, fresh);
        self.trigger(now, instrument);
        self.publish(now);
        Ok(fresh)
    }

    /// Lowers an open order's total quantity to `qty`; it keeps its place (FLOW-C22, FLOW-P19).
    ///
    /// # Errors
    /// `NotFound`, or `InvalidQuantity` when `qty` is off the lot, not below the order's quantity,
    /// or not above what is filled.
    pub fn reduce(
        &mut self,
        now: Time,
        account: AccountNumber,
        id: VenueOrderId,
        qty: Decimal,
    ) -> Result<(), Reject> {
        let entry = self.open_order(account, id)?;
        let order = &entry.sim.order;
        let lot = self.instruments.get(order.instrument).map(|rules| rules.lot_size);
        let fits = lot.is_some_and(|lot| on_grid(qty, lot));
        if !fits || qty >= order.qty || qty <= entry.sim.filled {
            return Err(Reject::InvalidQuantity);
        }
        let (less, seq, place) = (order.qty - qty, entry.seq, entry.place);
        let (instrument, side, price) = (order.instrument, order.side, order.price);
        if let Some(entry) = self.entry_mut(id) {
            entry.sim.order.qty = qty;
            entry.sim.updated = now;
        }
        if let (Place::Book, Some(price)) = (place, price) {
            if let Some(market) = self.market_mut(instrument) {
                market.home_mut(side).reduce(price, seq, less);
            }
            self.mark(instrument, side, price);
        }
        self.rehold(id);
        self.report_order(now, id);
        self.publish(now);
        Ok(())
    }

    fn open_order(&self, account: AccountNumber, id: VenueOrderId) -> Result<&Entry, Reject> {
        let entry = self.entry(id).ok_or(Reject::NotFound)?;
        let ours = entry.sim.order.account == account && entry.sim.state.is_open();
        if ours { Ok(entry) } else { Err(Reject::NotFound) }
    }

    /// What must hold for an order to be one at all.
    fn well_formed(&self, order: &NewOrder) -> Result<(), Reject> {
        if self.instruments.get(order.instrument).is_none() {
            return Err(Reject::InvalidInstrument);
        }
        if !self.accounts.contains_key(&order.account) {
            return Err(Reject::NotEnoughFunds);
        }
        if !in_measure(order.qty) {
            return Err(Reject::InvalidQuantity);
        }
        let (wants_price, wants_stop) = match order.kind {
            OrderKind::Market => (false, false),
            OrderKind::Limit => (true, false),
            OrderKind::Stop => (false, true),
            OrderKind::StopLimit => (true, true),
        };
        let fits = |price: Option<Decimal>, wanted: bool| {
            price.is_some() == wanted && price.is_none_or(in_measure)
        };
        if fits(order.price, wants_price) && fits(order.stop, wants_stop) {
            Ok(())
        } else {
            Err(Reject::InvalidPrice)
        }
    }

    /// The rules of the instrument and the funds of the account; `freed` comes back to the account
    /// before the order holds. Gives the terms on which the order is accepted.
    fn rules(&self, order: &NewOrder, freed: Decimal) -> Result<Terms, Reject> {
        let rules = self.instruments.get(order.instrument).ok_or(Reject::InvalidInstrument)?;
        let market = self.market(order.instrument).ok_or(Reject::InvalidInstrument)?;
        let account = self.accounts.get(&order.account).ok_or(Reject::NotEnoughFunds)?;
        if !on_grid(order.qty, rules.lot_size) || order.qty < rules.min_qty {
            return Err(Reject::InvalidQuantity);
        }
        let prices = order.price.into_iter().chain(order.stop);
        if prices.into_iter().any(|price| !on_grid(price, rules.tick_size)) {
            return Err(Reject::InvalidPrice);
        }
        // A reduce-only stop may come before the position it protects; it is checked as it trades.
        if order.reduce_only && order.stop.is_none() {
            let room = -order.side.signed(account.position(order.instrument));
            if order.qty > room {
                return Err(Reject::WouldIncrease);
            }
        }
        if order.post_only && order.kind != OrderKind::Limit && order.kind != OrderKind::StopLimit {
            return Err(Reject::WouldTake);
        }
        if order.post_only && order.kind == OrderKind::Limit && would_take(market, order) {
            return Err(Reject::WouldTake);
        }
        let terms = Terms { hold_unit: hold_unit(order, rules), fees: rules.fees };
        let paid = match order.side {
            Side::Buy => &rules.quote,
            Side::Sell => &rules.base,
        };
        if terms.hold_unit * order.qty > account.free(paid) + freed {
            return Err(Reject::NotEnoughFunds);
        }
        Ok(terms)
    }

    /// Gives an order its id and keeps it.
    fn record(&mut self, now: Time, order: NewOrder, of: Option<VenueOrderId>) -> VenueOrderId {
        let place = i64::try_from(self.orders.len()).unwrap_or(i64::MAX);
        let id =
            VenueOrderId(self.first_order.saturating_add(place.saturating_mul(self.order_step)));
        if let Some(account) = self.accounts.get_mut(&order.account) {
            account.sent.push(id);
        }
        if order.client_id != 0 {
            self.clients.insert((order.account, order.client_id), id);
        }
        self.orders.push(Entry {
            sim: SimOrder {
                id,
                order,
                state: OrderState::Working,
                filled: Decimal::ZERO,
                notional: Decimal::ZERO,
                reason: String::new(),
                received: now,
                updated: now,
                original: of.unwrap_or(id),
            },
            place: Place::Nowhere,
            seq: 0,
            fees: Fees::default(),
            hold_unit: Decimal::ZERO,
            held: Decimal::ZERO,
        });
        id
    }

    /// Makes a recorded order an open one, with its hold.
    fn open(&mut self, id: VenueOrderId, terms: Terms) {
        let Some(entry) = self.entry_mut(id) else { return };
        entry.fees = terms.fees;
        entry.hold_unit = terms.hold_unit;
        let number = entry.sim.order.account;
        if let Some(account) = self.accounts.get_mut(&number) {
            account.open.insert(id);
        }
        self.rehold(id);
    }
}

/// On what terms an order is accepted.
#[derive(Copy, Clone, Debug)]
struct Terms {
    hold_unit: Decimal,
    fees: Fees,
}

/// What one unit of an order holds: a sell one unit of base; a buy with a limit the limit and the
/// dearer of both fees (never less than none); a market buy nothing, it is checked as it trades.
fn hold_unit(order: &NewOrder, rules: &Instrument) -> Decimal {
    match (order.side, order.price) {
        (Side::Sell, _) => Decimal::ONE,
        (Side::Buy, None) => Decimal::ZERO,
        (Side::Buy, Some(price)) => {
            let rate = rules.fees.taker.max(rules.fees.maker).max(Decimal::ZERO);
            price * (Decimal::ONE + rate)
        }
    }
}

/// Whether a limit order would trade on arrival.
pub(super) fn would_take(market: &Market, order: &NewOrder) -> bool {
    market.home(order.side.opposite()).offer(order.price, market.print_price()).is_some()
}

fn on_grid(value: Decimal, step: Decimal) -> bool {
    step.is_zero() || (value % step).is_zero()
}

fn in_measure(value: Decimal) -> bool {
    value > Decimal::ZERO && value <= Decimal::from(LARGEST)
}
