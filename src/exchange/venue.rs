//! The simulated exchange as a venue of one account, behind two delay lines: commands travel to
//! the exchange, news travels back. For backtests and paper.
//!
//! Who goes first:
//! - Without entry latency a command acts at once, in `handle`: a market order sent on a print
//!   fills at that print's price and time, before the next print.
//! - With entry latency a command acts when it arrives. What arrives at or before a public event's
//!   time acts before that event; so where only prints are known, a market order fills at the first
//!   print not before its arrival.
//! - News of one moment leaves in the order in which it happened; `Sent` leaves first.

use std::collections::{BTreeMap, VecDeque};

use self::calls::Desk;
pub use self::calls::{Asked, refusal};
use super::core::{Config, Exchange};
use super::link::Link;
use super::types::{AccountNumber, NewOrder, Reject, Report, ReportKind, SimFill, SimOrder};
use crate::base::decimal::mantissa_at;
use crate::base::tape::TradeBlock;
use crate::base::{
    BalanceNews, Channel, Command, Decimal, Event, FeedNews, FeedState, Fill, Machine, OrderKey,
    OrderNews, OrderState, OrderStep, Place, Span, Time, VenueIn, VenueName, VenueOrderId,
    VenueOut,
};

mod calls;

/// How many rows `quiet_until` looks ahead at most, so that a caller who stops early pays little.
const LOOK_AHEAD: usize = 8192;

/// The account that the venue trades for.
const OWNER: AccountNumber = AccountNumber(1);

/// How a simulated venue is set up.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// `wait_for_print` is overruled: it is set where commands take time to arrive.
    pub exchange: Config,
    pub venue: VenueName,
    pub balances: Vec<(String, Decimal)>,
    /// From the command to the exchange.
    pub entry: Span,
    /// From the exchange to the news.
    pub response: Span,
}

/// An open order as the owner knows it.
#[derive(Clone, Debug)]
struct Live {
    id: VenueOrderId,
    /// What its predecessors in a chain of replacements had filled.
    before: Decimal,
    /// The key its replacement travels under.
    alias: Option<OrderKey>,
    working: bool,
}

/// An exchange with one account, and the way there and back.
pub struct SimVenue {
    exchange: Exchange,
    venue: VenueName,
    entry: Link<Command>,
    response: Link<Event>,
    /// What is known on this side of the link at once.
    local: VecDeque<(Time, Event)>,
    live: BTreeMap<OrderKey, Live>,
    aliases: BTreeMap<OrderKey, OrderKey>,
    opened: bool,
    /// `None`: nobody answers calls.
    desk: Option<Desk>,
}

impl SimVenue {
    #[must_use]
    pub fn new(config: SimConfig) -> SimVenue {
        let wait_for_print = config.entry > Span::ZERO;
        let mut exchange = Exchange::new(Config { wait_for_print, ..config.exchange });
        exchange.open_account(OWNER, &config.balances);
        SimVenue {
            exchange,
            venue: config.venue,
            entry: Link::new(config.entry),
            response: Link::new(config.response),
            local: VecDeque::new(),
            live: BTreeMap::new(),
            aliases: BTreeMap::new(),
            opened: false,
            desk: None,
        }
    }

    /// Says that the session is live and what the balances are. Happens by itself at the first
    /// `handle`; calling it again does nothing.
    pub fn open(&mut self, now: Time) {
        if std::mem::replace(&mut self.opened, true) {
            return;
        }
        self.feed_is_live(now, Channel::Session);
        for (asset, balance) in self.exchange.balances(OWNER) {
            let (venue, time) = (self.venue.clone(), now);
            let (total, held) = (balance.total, balance.held);
            let news = BalanceNews { venue, asset, total, held, time };
            self.local.push_back((now, Event::Balance(news)));
        }
    }

    /// The exchange behind the venue.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The account's number at the exchange.
    #[must_use]
    pub fn account(&self) -> AccountNumber {
        OWNER
    }

    /// One public event at its time: trades, quotes, book changes and instrument rules act on the
    /// exchange; everything else is not market data and does nothing.
    pub fn market(&mut self, event: &Event) {
        match event {
            Event::Trade(trade) => {
                self.arrive(trade.time);
                self.exchange.trade(trade);
            }
            Event::Quote(quote) => {
                self.arrive(quote.time);
                self.exchange.quote(quote);
            }
            Event::Book(change) => {
                self.arrive(change.time);
                self.exchange.book(change);
            }
            Event::Instrument(instrument) => {
                self.exchange.list(instrument.clone());
            }
            Event::Bar(_)
            | Event::Order(_)
            | Event::Fill(_)
            | Event::Balance(_)
            | Event::Feed(_)
            | Event::Reply(_) => {}
        }
        self.collect();
    }

    /// The first row, not before `from`, that must go through `market` one by one: one that touches
    /// an order, or at or before whose time something is due. Rows before it can be `absorb`ed.
    /// Changes nothing. Looks a bounded way ahead, so the row it names may prove harmless.
    #[must_use]
    pub fn quiet_until(&self, block: &TradeBlock, from: usize) -> usize {
        let reach = self.exchange.reach(block.instrument);
        if reach.any {
            return from.min(block.len());
        }
        let rest = block.times.get(from..).unwrap_or_default();
        let until = self.next_at().map_or(rest.len(), |due| rest.partition_point(|at| *at < due));
        if reach.low.is_none() && reach.high.is_none() {
            return from + until;
        }
        let down = rust_decimal::RoundingStrategy::ToNegativeInfinity;
        let up = rust_decimal::RoundingStrategy::ToPositiveInfinity;
        let scaled = |price: Decimal, way| {
            let price = price.round_dp_with_strategy(block.price_scale, way);
            mantissa_at(price, block.price_scale)
        };
        let low = reach.low.map_or(Some(i64::MIN), |price| scaled(price, down));
        let high = reach.high.map_or(Some(i64::MAX), |price| scaled(price, up));
        let (Some(low), Some(high)) = (low, high) else { return from.min(block.len()) };
        let until = until.min(LOOK_AHEAD);
        let prices = block.prices.get(from..from + until).unwrap_or_default();
        from + first_outside(prices, low, high)
    }

    /// Rows `from..to` happened and did nothing here, as `quiet_until` said.
    pub fn absorb(&mut self, block: &TradeBlock, from: usize, to: usize) {
        if let Some(trade) =
            to.checked_sub(1).filter(|at| *at >= from).and_then(|at| block.trade(at))
        {
            self.exchange.skip_to(trade);
        }
    }

    /// When the venue next has something to say or a command arrives at the exchange.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        let local = self.local.front().map(|(at, _)| *at);
        [local, self.response.next_at(), self.entry.next_at()].into_iter().flatten().min()
    }

    /// Lets the commands act that have arrived by `now`, each at its own moment.
    fn arrive(&mut self, now: Time) {
        while self.arrive_next(now) {}
    }

    /// Lets the next command act that has arrived by `now`, at its moment. False: there is none.
    pub fn arrive_next(&mut self, now: Time) -> bool {
        let due = self.entry.due(now);
        let arrived = due.is_some();
        if let Some((at, command)) = due {
            self.take(at, command);
        }
        arrived
    }

    fn take(&mut self, now: Time, command: Command) {
        match command {
            Command::Call(call) => self.ask(now, call),
            Command::Place(_)
            | Command::Cancel { .. }
            | Command::Replace { .. }
            | Command::CancelAll { .. }
            | Command::Subscribe { .. }
            | Command::Reduce { .. } => drop(self.act(now, command)),
        }
        self.collect();
    }

    /// Carries a command out. The number of the order it was about, if it was about one.
    fn act(&mut self, now: Time, command: Command) -> Result<Option<VenueOrderId>, Reject> {
        match command {
            Command::Place(place) => self.place(now, &place).map(Some),
            Command::Cancel { key, .. } => {
                let id = self.live.get(&key).map(|live| live.id).ok_or(Reject::NotFound);
                let outcome = id.and_then(|id| {
                    self.exchange.cancel(now, OWNER, id)?;
                    Ok(id)
                });
                self.told(now, key, outcome)
            }
            Command::Replace { key, alias, price, qty, side, .. } => {
                let outcome = self.replace(now, key, alias, |order| {
                    order.side = side;
                    order.price = price.or(order.price);
                    order.qty = qty;
                });
                self.told(now, key, outcome)
            }
            Command::CancelAll { instrument } => {
                self.exchange.cancel_all(now, OWNER, instrument);
                Ok(None)
            }
            Command::Subscribe { channel, .. } => {
                self.feed_is_live(now, channel);
                Ok(None)
            }
            Command::Reduce { key, qty, .. } => {
                let outcome = self.reduce(now, key, qty);
                self.told(now, key, outcome)
            }
            // A call carries an order, never another call.
            Command::Call(_) => Ok(None),
        }
    }

    /// `qty` is the new open quantity.
    fn reduce(&mut self, now: Time, key: OrderKey, qty: Decimal) -> Result<VenueOrderId, Reject> {
        let live = self.live.get(&key).ok_or(Reject::NotFound)?;
        let (id, sim) = (live.id, self.exchange.order(live.id).ok_or(Reject::NotFound)?);
        let total = sim.filled + qty;
        self.exchange.reduce(now, OWNER, id, total)?;
        if let Some(sim) = self.exchange.order(id) {
            let (price, remaining) = (sim.order.price, sim.remaining());
            let step = OrderStep::Replaced { venue_id: id, price, remaining };
            self.tell(now, key, step);
        }
        Ok(id)
    }

    fn place(&mut self, now: Time, place: &Place) -> Result<VenueOrderId, Reject> {
        let key = place.key;
        let order = NewOrder {
            account: OWNER,
            client_id: key.wire(),
            instrument: place.instrument,
            side: place.side,
            kind: place.kind,
            qty: place.qty,
            price: place.price,
            stop: place.stop,
            post_only: place.post_only,
            reduce_only: place.reduce_only,
            tif: place.tif,
        };
        let outcome = self.exchange.submit(now, order);
        match outcome {
            Ok(id) => {
                let live = Live { id, before: Decimal::ZERO, alias: None, working: false };
                self.live.insert(key, live);
            }
            Err(reject) => {
                self.tell(now, key, OrderStep::Rejected { reason: reject.to_string() });
            }
        }
        outcome
    }

    fn replace(
        &mut self,
        now: Time,
        key: OrderKey,
        alias: OrderKey,
        change: impl FnOnce(&mut NewOrder),
    ) -> Result<VenueOrderId, Reject> {
        let live = self.live.get_mut(&key).ok_or(Reject::NotFound)?;
        let old = self.exchange.order(live.id).ok_or(Reject::NotFound)?;
        let mut order = old.order.clone();
        let filled = old.filled;
        change(&mut order);
        order.client_id = alias.wire();
        let id = self.exchange.replace(now, OWNER, live.id, order)?;
        live.id = id;
        live.before += filled;
        if let Some(gone) = live.alias.replace(alias) {
            self.aliases.remove(&gone);
        }
        self.aliases.insert(alias, key);
        Ok(id)
    }

    /// The outcome of a change; a refusal is told.
    fn told(
        &mut self,
        now: Time,
        key: OrderKey,
        outcome: Result<VenueOrderId, Reject>,
    ) -> Result<Option<VenueOrderId>, Reject> {
        if let Err(reject) = outcome {
            self.tell(now, key, OrderStep::ChangeRefused { reason: reject.to_string() });
        }
        outcome.map(Some)
    }

    /// News of an order, sent back from the exchange at `now`.
    fn tell(&mut self, now: Time, key: OrderKey, step: OrderStep) {
        self.response.send(now, Event::Order(OrderNews { key, time: now, step }));
    }

    fn feed_is_live(&mut self, now: Time, channel: Channel) {
        let venue = self.venue.clone();
        let (state, reason) = (FeedState::Live, String::new());
        let news = FeedNews { venue, channel, state, reason, time: now };
        self.local.push_back((now, Event::Feed(news)));
    }

    /// Sends what the exchange reported on its way back.
    fn collect(&mut self) {
        while let Some(report) = self.exchange.poll() {
            self.keep(&report);
            let Report { time, kind } = report;
            match kind {
                ReportKind::Order(sim) => self.order_news(time, &sim),
                ReportKind::Replaced { new, .. } => {
                    if let Some(key) = self.key_of(new.order.client_id) {
                        let (venue_id, price) = (new.id, new.order.price);
                        let remaining = new.remaining();
                        self.tell(time, key, OrderStep::Replaced { venue_id, price, remaining });
                    }
                }
                ReportKind::Fill(fill) => self.fill_news(fill),
                ReportKind::Balance { asset, balance, .. } => {
                    let venue = self.venue.clone();
                    let (total, held) = (balance.total, balance.held);
                    let news = BalanceNews { venue, asset, total, held, time };
                    self.response.send(time, Event::Balance(news));
                }
                // One account alone makes no prints; levels are the server's business.
                ReportKind::Print(_) | ReportKind::Level { .. } => {}
            }
        }
    }

    fn order_news(&mut self, time: Time, sim: &SimOrder) {
        let Some(key) = self.key_of(sim.order.client_id) else { return };
        let Some(live) = self.live.get_mut(&key) else { return };
        let filled = live.before + sim.filled;
        let reason = sim.reason.clone();
        let step = match sim.state {
            OrderState::Pending | OrderState::Working | OrderState::Unknown => {
                if !std::mem::replace(&mut live.working, true) {
                    self.tell(time, key, OrderStep::Accepted { venue_id: sim.id });
                    self.tell(time, key, OrderStep::Working { venue_id: sim.id });
                }
                return;
            }
            OrderState::Filled => OrderStep::Filled { filled },
            OrderState::Canceled => OrderStep::Canceled { filled, reason },
            OrderState::Rejected => OrderStep::Rejected { reason },
            OrderState::Expired => OrderStep::Expired { filled },
        };
        if let Some(alias) = live.alias {
            self.aliases.remove(&alias);
        }
        self.live.remove(&key);
        self.tell(time, key, step);
    }

    fn fill_news(&mut self, fill: SimFill) {
        let Some(order) = self.key_of(fill.client_id) else { return };
        let news = Fill {
            order,
            instrument: fill.instrument,
            side: fill.side,
            price: fill.price,
            qty: fill.qty,
            fee: fill.fee,
            fee_asset: fill.fee_asset,
            fee_estimated: false,
            liquidity: fill.liquidity,
            trade_id: fill.trade_id,
            time: fill.time,
        };
        self.response.send(fill.time, Event::Fill(news));
    }

    /// The key that the owner calls an order by.
    fn key_of(&self, client_id: i64) -> Option<OrderKey> {
        let key = OrderKey::from_wire(client_id)?;
        Some(self.aliases.get(&key).copied().unwrap_or(key))
    }
}

impl crate::base::Venue for SimVenue {}

impl Machine for SimVenue {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, now: Time, input: VenueIn) {
        self.open(now);
        self.arrive(now);
        let command = match input {
            VenueIn::Command(command) => command,
            VenueIn::Net(_) => return,
        };
        let mut order = Some(&command);
        if let Command::Call(call) = &command {
            order = call.order.as_deref().filter(|_| self.desk.is_some());
        }
        if let Some(Command::Place(place)) = order {
            let sent = OrderNews { key: place.key, time: now, step: OrderStep::Sent };
            self.local.push_back((now, Event::Order(sent)));
        }
        if self.entry.latency() > Span::ZERO {
            self.entry.send(now, command);
        } else {
            self.take(now, command);
        }
    }

    fn poll(&mut self, now: Time) -> Option<VenueOut> {
        self.arrive(now);
        let local = self.local.front().map(|(at, _)| *at).filter(|at| *at <= now);
        let local_first =
            local.is_some_and(|at| self.response.next_at().is_none_or(|due| at <= due));
        let event = if local_first {
            self.local.pop_front().map(|(_, event)| event)
        } else {
            self.response.due(now).map(|(_, event)| event)
        };
        event.map(VenueOut::Event)
    }

    fn wake_at(&self) -> Option<Time> {
        self.next_at()
    }
}

/// The place of the first price at or below `low` or at or above `high`; the length if none is.
fn first_outside(prices: &[i64], low: i64, high: i64) -> usize {
    let outside = |price: &i64| *price <= low || *price >= high;
    let mut at = 0;
    for chunk in prices.chunks(64) {
        if chunk.iter().fold(false, |hit, price| hit | outside(price)) {
            return at + chunk.iter().position(outside).unwrap_or(chunk.len());
        }
        at += chunk.len();
    }
    at
}

#[cfg(test)]
mod tests;
