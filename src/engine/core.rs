//! The engine's core, which every strategy's asks meet: orders, positions, limits, timers, outbox.

use super::calls::Calls;
use super::memory::Memory;
use super::note::Note;
use super::record::{self, Record};
use super::timers::Timers;
use crate::account::{FillOutcome, Ledger, Order, Orders};
use crate::base::tape::TradeBlock;
use crate::base::{
    Ask, Command, Decimal, Event, Fill, Instrument, InstrumentId, Instruments, OrderKey, OrderKind,
    OrderNews, OrderState, OrderStep, Plain, Refusal, Span, StrategyId, Time, VenueName, Version,
};
use crate::desk::refused;
use crate::market::{HistoryKind, Market};
use crate::risk::{Approved, Facts, Gate};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

/// What one strategy is, as far as its orders need it.
#[derive(Clone, Debug)]
pub struct Owner {
    pub name: String,
    pub version: Version,
    /// Orders asked for so far; the last part of the order keys.
    pub sequence: u32,
}

/// Everything the strategies' asks can reach.
#[derive(Debug)]
pub struct Core {
    pub now: Time,
    /// Part of every order key: tells the runs of one account apart.
    pub run: u32,
    pub instruments: Instruments,
    pub market: Market,
    pub orders: Orders,
    pub ledger: Ledger,
    pub gate: Gate,
    pub timers: Timers,
    pub owners: Vec<Owner>,
    /// Approved commands on their way to a venue, oldest first.
    pub outbox: VecDeque<Approved<Command>>,
    pub records: VecDeque<Record>,
    pub notes: VecDeque<Note>,
    /// Orders that passed the gate so far.
    pub sent: u64,
    /// Whether records are made at all (a backtest keeps none).
    pub recording: bool,
    /// Strategies that asked to stop since the engine last looked.
    pub halts: Vec<(StrategyId, String)>,
    /// A version is being loaded: what it asks for could outlive its refusal.
    pub(super) loading: bool,
    /// When to ask for the cancel of an order: it expires, or its last cancel was refused.
    pub(super) expiries: BTreeSet<(Time, OrderKey)>,
    /// Open orders that the engine itself wants gone, whatever a venue answers to one cancel.
    doomed: BTreeSet<OrderKey>,
    block: Option<Rc<TradeBlock>>,
    absorbed: usize,
    /// Raw calls that have not ended, with who waits.
    pub(super) calls: Calls,
    pub(super) memory: Memory,
}

/// The depth of history kept from a strategy's first request on, and before it where a script's
/// source mentions `history`.
pub const HISTORY: usize = 1_000;

/// A cancel that the engine wants is asked for again so long after it was refused.
const CANCEL_AGAIN: Span = Span::from_secs(1);

impl Core {
    #[must_use]
    pub fn new(run: u32, instruments: Instruments, gate: Gate) -> Core {
        Core {
            now: Time::ZERO,
            run,
            instruments,
            market: Market::default(),
            orders: Orders::default(),
            ledger: Ledger::default(),
            gate,
            timers: Timers::default(),
            owners: Vec::new(),
            outbox: VecDeque::new(),
            records: VecDeque::new(),
            notes: VecDeque::new(),
            sent: 0,
            recording: true,
            halts: Vec::new(),
            loading: false,
            expiries: BTreeSet::new(),
            doomed: BTreeSet::new(),
            block: None,
            absorbed: 0,
            calls: Calls::default(),
            memory: Memory::default(),
        }
    }

    #[must_use]
    pub fn owner(&self, who: StrategyId) -> Option<&Owner> {
        self.owners.get(usize::from(who.0))
    }

    #[must_use]
    pub fn version(&self, who: StrategyId) -> Version {
        self.owner(who).map_or_else(|| Version("".into()), |owner| owner.version.clone())
    }

    /// Takes a tape block whose rows will be handled one after another.
    pub fn load_block(&mut self, block: Rc<TradeBlock>) {
        self.block = Some(block);
        self.absorbed = 0;
    }

    /// Rows up to `to` (not included) have happened.
    pub fn absorb_to(&mut self, to: usize) {
        if let Some(block) = self.block.as_ref().filter(|_| to > self.absorbed) {
            self.market.absorb(block, self.absorbed, to);
            if let Some(at) = to.checked_sub(1).and_then(|last| block.times.get(last)) {
                self.now = self.now.max(*at);
            }
            self.absorbed = to;
        }
    }

    /// Lets an event change what is known of market and account. What scripts should hear of it
    /// beyond the event itself: orders that moved.
    pub fn apply(&mut self, event: &Event) -> Vec<Order> {
        self.market.apply(event);
        match event {
            Event::Order(news) => self.order_news(news).into_iter().collect(),
            Event::Balance(news) => {
                self.ledger.balance_news(news);
                Vec::new()
            }
            Event::Instrument(rules) => {
                if let Some(known) = self.instruments.find(&rules.name()) {
                    let mut rules = rules.clone();
                    rules.id = known.id;
                    self.instruments.update(rules);
                }
                Vec::new()
            }
            Event::Trade(_)
            | Event::Quote(_)
            | Event::Book(_)
            | Event::Bar(_)
            | Event::Fill(_)
            | Event::Feed(_)
            | Event::Reply(_) => Vec::new(),
        }
    }

    fn order_news(&mut self, news: &OrderNews) -> Option<Order> {
        let before = self.orders.get(news.key)?.venue_id;
        let change = self.orders.apply(news);
        let order = self.orders.get(news.key)?.clone();
        if matches!(news.step, OrderStep::ChangeRefused { .. }) && self.doomed.contains(&order.key)
        {
            self.expiries.insert((self.now.plus(CANCEL_AGAIN), order.key));
        }
        self.forget_doom(&order);
        if change.is_none() && order.venue_id == before {
            return None;
        }
        self.record_order(&order);
        change?;
        self.notes.push_back(Note::Order { order: order.clone() });
        Some(order)
    }

    /// Books a fill. The order after it, and whether the order's state changed by it.
    pub fn fill(&mut self, fill: &Fill) -> Option<(Order, bool)> {
        let change = match self.orders.fill(fill) {
            FillOutcome::Applied(change) => change,
            FillOutcome::Duplicate => return None,
            FillOutcome::Stranger => {
                if let Some(instrument) = self.instruments.get(fill.instrument) {
                    self.ledger.outside(fill, instrument);
                }
                self.notes.push_back(Note::StrangeFill { fill: fill.clone() });
                return None;
            }
        };
        let order = self.orders.get(fill.order)?.clone();
        self.forget_doom(&order);
        let instrument = self.instruments.get(fill.instrument)?;
        self.ledger.fill(order.strategy, fill, instrument);
        let name = instrument.name();
        self.record("fill", Some(order.strategy), Some(order.version.clone()), || {
            record::fill(fill, &name)
        });
        let (strategy, version) = (order.strategy, order.version.clone());
        self.notes.push_back(Note::Fill { strategy, version, fill: fill.clone() });
        if change.is_some() {
            self.record_order(&order);
            self.notes.push_back(Note::Order { order: order.clone() });
        }
        Some((order, change.is_some()))
    }

    fn record_order(&mut self, order: &Order) {
        let name = self.instrument_name(order.instrument);
        self.record("order", Some(order.strategy), Some(order.version.clone()), || {
            record::order(order, &name)
        });
    }

    pub fn record(
        &mut self,
        kind: &'static str,
        strategy: Option<StrategyId>,
        version: Option<Version>,
        body: impl FnOnce() -> Plain,
    ) {
        if self.recording {
            let name = strategy.and_then(|who| self.owner(who)).map(|owner| owner.name.clone());
            let name = name.unwrap_or_default();
            let at = self.now;
            self.records.push_back(Record { at, kind, strategy, name, version, body: body() });
        }
    }

    #[must_use]
    pub fn instrument_name(&self, id: InstrumentId) -> String {
        self.instruments.get(id).map(Instrument::name).unwrap_or_default()
    }

    /// Puts an approved command on its way: into the journal first, then into the outbox.
    pub(super) fn send(&mut self, who: Option<StrategyId>, command: Approved<Command>) {
        let command = self.with_call(command);
        let instrument = instrument_of(command.get()).and_then(|id| self.instruments.get(id));
        if self.recording {
            let (kind, body) = record::command(command.get(), instrument);
            let version = who.map(|who| self.version(who));
            self.record(kind, who, version, || body);
        }
        self.outbox.push_back(command);
    }

    pub(super) fn next_key(&mut self, who: StrategyId) -> Option<OrderKey> {
        let owner = self.owners.get_mut(usize::from(who.0))?;
        owner.sequence += 1;
        OrderKey::compose(self.run, who, owner.sequence)
    }

    pub(super) fn facts<'a>(&'a self, who: StrategyId, instrument: &'a Instrument) -> Facts<'a> {
        Facts {
            strategy: who,
            position: self.ledger.position(who, instrument.id).qty,
            exposure: self.orders.exposure(Some(who), instrument.id),
            last: self.market.last(instrument.id),
            quote: self.market.quote(instrument.id),
            instrument,
            open_orders: self.orders.count(who),
            ready: self.market.is_ready(&instrument.venue),
        }
    }

    /// An order refused here: told to the owner, in the journal, never sent.
    pub(super) fn refuse(
        &mut self,
        who: StrategyId,
        ask: &Ask,
        key: OrderKey,
        refusal: &Refusal,
    ) -> Order {
        let order = refused(ask, key, who, self.version(who), refusal, self.now);
        self.orders.insert(order.clone());
        self.record_order(&order);
        self.notes.push_back(Note::Order { order: order.clone() });
        order
    }

    fn snapped(ask: &Ask, instrument: &Instrument) -> Result<Ask, Refusal> {
        reckonable("ORDER_BAD_QTY", "qty", Some(ask.qty), MOST_QTY)?;
        reckonable("ORDER_BAD_PRICE", "price", ask.price, MOST_PRICE)?;
        reckonable("ORDER_BAD_STOP", "stop", ask.stop, MOST_PRICE)?;
        let mut snapped = ask.clone();
        snapped.qty = instrument.snap_qty(ask.qty).normalize();
        snapped.price = ask.price.map(|price| instrument.snap_price(ask.side, price).normalize());
        // A stop is triggered by trades on the grid; it is moved away from the market.
        snapped.stop = ask.stop.map(|stop| instrument.snap_price(ask.side.opposite(), stop));
        let exact =
            snapped.qty == ask.qty && snapped.price == ask.price && snapped.stop == ask.stop;
        if ask.strict && !exact {
            return Err(Refusal::new("ORDER_OFF_GRID")
                .with("tick_size", instrument.tick_size)
                .with("lot_size", instrument.lot_size));
        }
        if snapped.qty.is_zero() && !ask.qty.is_zero() {
            return Err(Refusal::new("ORDER_BELOW_LOT")
                .with("qty", ask.qty)
                .with("lot_size", instrument.lot_size));
        }
        Ok(snapped)
    }

    /// The one way of an order from a strategy to a venue.
    pub(super) fn try_place(
        &mut self,
        who: StrategyId,
        ask: &Ask,
        key: OrderKey,
    ) -> Result<Order, Refusal> {
        self.settled()?;
        let instrument = self.instruments.get(ask.instrument).cloned();
        let instrument = instrument.ok_or_else(|| Refusal::new("ORDER_UNKNOWN_INSTRUMENT"))?;
        let ask = Core::snapped(ask, &instrument)?;
        let place = ask.place(key);
        let mut gate = std::mem::take(&mut self.gate);
        let approved = gate.check(self.now, &place, &self.facts(who, &instrument));
        self.gate = gate;
        let approved = approved?;
        let mut order = Order::new(&place, who, self.version(who), self.now);
        order.tag.clone_from(&ask.tag);
        order.expires_at = ask.expires.map(|span| self.now.plus(span));
        if let Some(at) = order.expires_at {
            self.expiries.insert((at, key));
        }
        self.orders.insert(order.clone());
        self.sent += 1;
        self.send(Some(who), approved.into_command());
        Ok(order)
    }

    /// Asks for the cancel of an open order, whoever owns it.
    pub fn cancel_order(&mut self, key: OrderKey) -> bool {
        let Some(order) = self.orders.get(key) else { return false };
        let (who, instrument) = (order.strategy, order.instrument);
        if !self.orders.ask_cancel(key, self.now) {
            return false;
        }
        let command = self.gate.approve_cancel(key, instrument);
        self.send(Some(who), command);
        true
    }

    /// Asks for the cancel of every open order, of one strategy or of all; how many.
    pub fn cancel_open(
        &mut self,
        who: Option<StrategyId>,
        instrument: Option<InstrumentId>,
    ) -> usize {
        let keys = self.open_keys(|order| {
            who.is_none_or(|who| order.strategy == who)
                && instrument.is_none_or(|instrument| order.instrument == instrument)
        });
        keys.into_iter().filter(|key| self.cancel_order(*key)).count()
    }

    /// The engine wants every open order gone, of one strategy or of all: it is halted.
    pub fn doom_open(&mut self, who: Option<StrategyId>) {
        let keys = self.open_keys(|order| who.is_none_or(|who| order.strategy == who));
        keys.into_iter().for_each(|key| self.doom(key));
    }

    /// The engine wants every order gone that could outlive the run. A market order has left to
    /// close a position, as a rule, and ends by itself; an unknown one could be anything.
    pub fn doom_resting(&mut self) {
        let keys = self.open_keys(|order| {
            order.kind != OrderKind::Market || order.state == OrderState::Unknown
        });
        keys.into_iter().for_each(|key| self.doom(key));
    }

    fn open_keys(&self, wanted: impl Fn(&Order) -> bool) -> Vec<OrderKey> {
        self.orders.open().filter(|order| wanted(order)).map(|order| order.key).collect()
    }

    /// Asks for the cancel of an order, and again each time that it is refused.
    fn doom(&mut self, key: OrderKey) {
        if self.orders.get(key).is_some_and(|order| order.state.is_open()) {
            self.doomed.insert(key);
            self.cancel_order(key);
        }
    }

    fn forget_doom(&mut self, order: &Order) {
        if !order.state.is_open() {
            self.doomed.remove(&order.key);
        }
    }

    /// The next order that outlived its `expires`, canceled; or one whose cancel was refused.
    pub fn expire_due(&mut self) -> bool {
        let due = self.expiries.first().filter(|(at, _)| *at <= self.now).copied();
        let Some(entry) = due else { return false };
        self.expiries.remove(&entry);
        self.doom(entry.1);
        true
    }

    /// Value of the venue's account in `quote`, other assets at their last price.
    #[must_use]
    pub fn account_value(&self, venue: &VenueName, quote: &str) -> Decimal {
        let price = |asset: &str| {
            let row = self
                .instruments
                .iter()
                .find(|row| row.venue == *venue && row.base == asset && row.quote == quote)?;
            self.market.last(row.id)
        };
        self.ledger.equity(venue, quote, price).value
    }

    /// Refuses what a version asks for before it is the running one.
    pub(super) fn settled(&self) -> Result<(), Refusal> {
        if self.loading { Err(Refusal::new("STRATEGY_LOADING")) } else { Ok(()) }
    }

    pub(super) fn own_open(&self, who: StrategyId, key: OrderKey) -> Result<&Order, Refusal> {
        self.orders
            .get(key)
            .filter(|order| order.strategy == who && order.state.is_open())
            .ok_or_else(|| Refusal::new("ORDER_NOT_OPEN").with("order", key))
    }

    pub(super) fn want_history(&mut self, instrument: InstrumentId, kind: HistoryKind, n: usize) {
        self.market.want_history(instrument, kind, n.max(HISTORY));
    }
}

/// What is asked for is no larger than this, either way: sums and products of it can be reckoned
/// exactly in 28 digits.
// 10^15.
pub(super) const MOST_QTY: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);
// 10^12.
pub(super) const MOST_PRICE: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// Refuses what is too large to reckon with.
pub(super) fn reckonable(
    code: &'static str,
    name: &'static str,
    value: Option<Decimal>,
    most: Decimal,
) -> Result<(), Refusal> {
    match value.filter(|value| value.abs() > most) {
        Some(value) => Err(Refusal::new(code).with(name, value).with("most", most)),
        None => Ok(()),
    }
}

/// The instrument a command is about, where it is about one.
#[must_use]
pub fn instrument_of(command: &Command) -> Option<InstrumentId> {
    match command {
        Command::Place(place) => Some(place.instrument),
        Command::Cancel { instrument, .. }
        | Command::Replace { instrument, .. }
        | Command::Reduce { instrument, .. }
        | Command::Subscribe { instrument, .. } => Some(*instrument),
        Command::CancelAll { instrument } => *instrument,
        Command::Call(call) => call.order.as_deref().and_then(instrument_of),
    }
}
