//! Orders out: the commands of the engine, the bodies of their requests, and what follows from
//! their answers. A SendOrder or CancelReplaceOrder is never sent twice (FLOW-P17).

use super::Session;
use super::feeds::{CATCH_UP, Stream};
use super::line::{Phase, Timer};
use super::orders::Stray;
use super::task::Task;
use crate::base::{
    CallFailureKind, Channel, Decimal, FeedState, InstrumentId, OrderKey, OrderStep, Place, Span,
    Time, VenueOrderId,
};
use crate::venue::flowbtc::payload::{
    ALREADY_SUBSCRIBED, NOT_FOUND, OrderRow, Refused, order_number,
};
use crate::venue::flowbtc::request::{self, Named, Terms};

/// How often a cancel is sent before the engine hears that it is refused.
const CANCEL_TRIES: u8 = 3;

/// After a cancel-all the open orders are compared with what should be left.
const VERIFY_AFTER: Span = Span::from_secs(1);

/// A stream that is down for want of an answer is tried again after this.
const STREAM_AGAIN: Span = Span::from_secs(15);

/// The depth of books where the command names none.
const DEPTH: u16 = 20;

impl Session {
    /// `Err`: refused, and the engine was told so.
    pub(super) fn place(&mut self, now: Time, place: &Place) -> Result<(), &'static str> {
        let refused = if !self.is_live() {
            Some("VENUE_NOT_READY")
        } else if self.listing.market(place.instrument).is_none() {
            Some("INSTRUMENT_NOT_TRADED")
        } else {
            None
        };
        if let Some(reason) = refused {
            let step = OrderStep::Rejected { reason: reason.to_owned() };
            self.tell_unknown(now, place.key, step);
            return Err(reason);
        }
        if !self.orders.place(now, place) {
            self.note(format!("order {} was asked for twice; sent once", place.key));
            return Err("ORDER_KEY_USED");
        }
        self.push(now, Task::Place(place.key));
        Ok(())
    }

    /// Tells that the session does not know the order.
    pub(super) fn unknown_order(&mut self, now: Time, key: OrderKey) -> &'static str {
        let reason = "ORDER_UNKNOWN";
        self.tell_unknown(now, key, OrderStep::ChangeRefused { reason: reason.to_owned() });
        reason
    }

    /// An order that has not left is taken out of the lane; `false` if it has.
    fn take_back(&mut self, now: Time, key: OrderKey) -> bool {
        let task = Task::Place(key);
        if self.lane.take(|waiting| *waiting == task).is_empty() {
            return false;
        }
        let (filled, reason) = (Decimal::ZERO, "CANCELED_BEFORE_SENT".to_owned());
        self.orders.unsent(now, key, OrderStep::Canceled { filled, reason });
        self.ties_unsent(now, task, CallFailureKind::ExpiredInQueue, "CANCELED_BEFORE_SENT");
        true
    }

    pub(super) fn cancel(&mut self, now: Time, key: OrderKey) -> Result<(), &'static str> {
        let Some(known) = self.orders.get(key) else {
            return Err(self.unknown_order(now, key));
        };
        if known.is_final() {
            self.orders.tell_refused(now, key, "ORDER_ENDED");
            return Err("ORDER_ENDED");
        }
        if self.take_back(now, key) {
            return Ok(());
        }
        if let Some(known) = self.orders.get_mut(key) {
            known.cancel.get_or_insert(0);
        }
        if self.is_live() && !self.is_asked(Task::Cancel(key)) {
            self.push(now, Task::Cancel(key));
        }
        Ok(())
    }

    /// Returns the instruments that it is about.
    pub(super) fn cancel_all(
        &mut self,
        now: Time,
        instrument: Option<InstrumentId>,
    ) -> Vec<InstrumentId> {
        let scope: Vec<InstrumentId> = match instrument {
            Some(instrument) => vec![instrument],
            None => self.listing.all().collect(),
        };
        let is_live = self.is_live();
        for key in self.orders.open() {
            let fits = |instrument| scope.contains(&instrument);
            if !self.orders.get(key).is_some_and(|known| fits(known.instrument))
                || self.take_back(now, key)
            {
                continue;
            }
            let Some(known) = self.orders.get_mut(key) else { continue };
            if !is_live || known.doubt.is_some() || known.is_unanswered() {
                // The venue may not have it yet: it is canceled by itself once it is found.
                known.cancel.get_or_insert(0);
            }
            self.sweep.verify.insert(key);
        }
        for instrument in &scope {
            if is_live {
                self.push(now, Task::CancelAll(*instrument));
            } else {
                self.sweep.later(*instrument);
            }
        }
        scope
    }

    /// The body of a request whose turn has come; `None` when there is nothing left to ask.
    pub(super) fn body(&mut self, now: Time, task: Task) -> Option<String> {
        let account = self.account;
        Some(match task {
            Task::Login => self.login_body(),
            Task::KeyLogin => self.key_body(now)?,
            Task::Code => self.code_body(now)?,
            Task::Raw(id, _) => self.raw_body(now, id)?,
            Task::Reduce(key) => self.reduce_body(now, key)?,
            Task::Ping => request::empty(),
            Task::Instruments => request::oms(),
            Task::Accounts => request::user_accounts(self.user, &self.config.user),
            Task::AccountEvents | Task::Positions => request::account_first(account?),
            Task::OpenOrders(_) | Task::History => request::of_account(account?),
            Task::Fills { start } => request::account_trades(account?, Session::page(), start),
            Task::Place(key) => request::send_order(account?, &self.terms(key)?),
            Task::Replace(key, alias) if !self.is_change(key, alias) => return None,
            Task::Replace(key, _) => {
                let old = self.orders.get(key).filter(|known| !known.is_final())?.venue()?;
                request::cancel_replace(account?, old, &self.terms(key)?)
            }
            Task::Cancel(key) => {
                let known = self.orders.get_mut(key).filter(|known| !known.is_final())?;
                known.cancel = Some(known.cancel.unwrap_or(0).saturating_add(1));
                let client = known.legs.first().and_then(|leg| leg.client).unwrap_or(key);
                let named = known.venue().map_or(Named::Client(client), Named::Order);
                request::cancel_order(account?, named)
            }
            Task::CancelStray(order) => request::cancel_order(account?, Named::Order(order)),
            Task::CancelAll(instrument) => {
                if !self.timers.has(Timer::Verify) {
                    self.timers.set(now.plus(VERIFY_AFTER), Timer::Verify);
                }
                request::cancel_all(account?, self.listing.page(instrument)?)
            }
            Task::Status(key) => request::order_status(account?, self.orders.get(key)?.venue()?),
            Task::Leg(order) => request::order_status(account?, order),
            Task::Unsubscribe(stream) => {
                request::of_instrument(self.listing.page(stream.instrument)?)
            }
            Task::Subscribe(stream) => self.subscription(stream)?,
        })
    }

    fn subscription(&mut self, stream: Stream) -> Option<String> {
        let page = self.listing.page(stream.instrument)?;
        let sub = self.feeds.get_mut(&stream)?;
        sub.tries = sub.tries.saturating_add(1);
        let last = if sub.started { CATCH_UP } else { 1 };
        Some(match stream.channel {
            Channel::Trades | Channel::Session => request::subscribe_trades(page, last),
            Channel::Quotes => request::of_instrument(page),
            Channel::Book => request::subscribe_book(page, sub.depth),
            Channel::Bars => {
                request::subscribe_ticker(page, stream.interval.nanos() / 1_000_000_000, last)
            }
        })
    }

    /// What the last leg of an order asks for.
    fn terms(&self, key: OrderKey) -> Option<Terms> {
        let known = self.orders.get(key)?;
        let leg = known.legs.last()?;
        Some(Terms {
            client: leg.client?,
            instrument: self.listing.market(known.instrument)?,
            side: known.side?,
            kind: known.kind,
            qty: leg.qty?,
            price: leg.price,
            stop: known.stop,
            post_only: known.post_only,
            tif: known.tif,
        })
    }

    /// The answer to SendOrder.
    pub(super) fn placed(&mut self, now: Time, key: OrderKey, answer: Result<&str, Refused>) {
        match answer {
            Ok(body) => self.orders.accepted(now, key, order_number(body)),
            Err(refused) if refused.is_ambiguous() => self.unknown(now, key),
            Err(refused) => self.orders.refused(now, key, &refused.text),
        }
    }

    /// The answer to CancelOrder: a receipt; or a no, and then the order's state decides.
    pub(super) fn cancel_answered(&mut self, now: Time, key: OrderKey, refused: Option<Refused>) {
        match refused {
            None => self.timers.set(now.plus(self.config.reply_within), Timer::Cancel(key)),
            Some(_) => self.ask_status(now, key),
        }
    }

    /// A cancel had time to work: if the order still stands, find out how it stands.
    pub(super) fn check_cancel(&mut self, now: Time, key: OrderKey) {
        if self.orders.get(key).is_some_and(|known| known.cancel.is_some()) {
            self.ask_status(now, key);
        }
    }

    /// The venue showed where the order stands: if it still does, cancel it again, but not
    /// forever.
    pub(super) fn cancel_again(&mut self, now: Time, key: OrderKey) {
        let asked = self.is_asked(Task::Cancel(key));
        let Some(known) = self.orders.get_mut(key) else { return };
        let replaced =
            known.change().is_some() && known.current().is_some_and(|leg| leg.state.is_end());
        if known.cancel.is_some() && replaced {
            // What is to be canceled is the replacement, and its number is not known yet: the
            // cancel waits until a look has found it.
            self.orders.doubt(key);
            return self.look_soon(now);
        }
        match known.cancel {
            Some(tries) if tries >= CANCEL_TRIES => {
                known.cancel = None;
                self.orders.tell_refused(now, key, "CANCEL_FAILED");
            }
            Some(_) if !asked => self.push(now, Task::Cancel(key)),
            Some(_) | None => {}
        }
    }

    pub(super) fn ask_status(&mut self, now: Time, key: OrderKey) {
        let Some(known) = self.orders.get(key).filter(|known| !known.is_final()) else { return };
        if known.venue().is_some() {
            if !self.is_asked(Task::Status(key)) {
                self.push(now, Task::Status(key));
            }
        } else {
            self.orders.doubt(key);
            self.look_soon(now);
        }
    }

    /// After the login: the cancels that were wanted, or not confirmed, when the line went down.
    pub(super) fn resume_cancels(&mut self, now: Time) {
        for instrument in std::mem::take(&mut self.sweep.kept) {
            self.push(now, Task::CancelAll(instrument));
        }
        self.repeat_cancels(now);
    }

    /// Cancels that are still wanted, of orders that were found since.
    pub(super) fn repeat_cancels(&mut self, now: Time) {
        for key in self.orders.open() {
            let wanted = self.orders.get(key).is_some_and(|known| known.cancel.is_some());
            if wanted && !self.is_asked(Task::Cancel(key)) {
                self.push(now, Task::Cancel(key));
            }
        }
    }

    /// An order of ours that was given up or replaced stands on the book after all: away with it.
    pub(super) fn cancel_stray(&mut self, now: Time, key: OrderKey, row: &OrderRow, stray: Stray) {
        self.note(match stray {
            Stray::GivenUp => {
                format!("ALARM: order {key} had ended and is on the book as {}", row.id)
            }
            Stray::Replaced => {
                format!("order {key} was replaced and its number {} still stands", row.id)
            }
        });
        let task = Task::CancelStray(VenueOrderId(row.id));
        if !self.is_asked(task) {
            self.push(now, task);
        }
    }

    /// No answer came in time.
    pub(super) fn no_answer(&mut self, now: Time, task: Task) {
        match task {
            Task::Login | Task::KeyLogin | Task::Code | Task::Accounts | Task::AccountEvents => {
                self.drop_line(now, &format!("{} was not answered", task.call().name));
            }
            Task::Instruments => self.instruments(now, Err("no answer".to_owned())),
            Task::Positions => self.positions(now, Err("no answer".to_owned())),
            Task::OpenOrders(why) => self.open_orders(now, why, Err("no answer".to_owned())),
            Task::History => self.history(now, Err("no answer".to_owned())),
            Task::Fills { start } => self.fills(now, start, Err("no answer".to_owned())),
            Task::Place(key) => {
                if self.is_unanswered(key) {
                    self.unknown(now, key);
                }
            }
            Task::Replace(key, alias) => self.check_replace(now, key, alias),
            Task::Cancel(key) => self.ask_status(now, key),
            Task::Reduce(key) => self.check_reduce(now, key),
            Task::Raw(id, _) => {
                self.raw_lost(now, id, "no answer in time");
                self.unpark(now);
            }
            Task::Status(key) => {
                self.orders.doubt(key);
                self.look_soon(now);
            }
            Task::Subscribe(stream) => self.stream_refused(now, stream, 0, "no answer"),
            Task::Leg(_)
            | Task::CancelAll(_)
            | Task::CancelStray(_)
            | Task::Unsubscribe(_)
            | Task::Ping => {}
        }
    }

    pub(super) fn unknown(&mut self, now: Time, key: OrderKey) {
        self.orders.lost(now, key);
        self.note(format!("order {key}: the answer is lost; asking the venue what became of it"));
        self.look_soon(now);
    }

    pub(super) fn subscribe(
        &mut self,
        now: Time,
        instrument: InstrumentId,
        channel: Channel,
        depth: Option<u16>,
        interval: Option<Span>,
    ) {
        if channel == Channel::Session {
            return;
        }
        let interval = match channel {
            Channel::Bars => interval.unwrap_or(Span::from_secs(60)),
            Channel::Session | Channel::Trades | Channel::Quotes | Channel::Book => Span::ZERO,
        };
        let stream = Stream { instrument, channel, interval };
        let is_new = self.feeds.want(stream, depth.unwrap_or(DEPTH));
        if self.line.phase != Phase::Live {
            return;
        }
        let live = self.feeds.get(&stream).is_some_and(|sub| sub.live);
        if channel == Channel::Book && live {
            // Asked for again: a fresh snapshot.
            self.restart_stream(now, stream);
        } else if is_new {
            self.start_stream(now, stream);
        }
    }

    fn restart_stream(&mut self, now: Time, stream: Stream) {
        if let Some(sub) = self.feeds.get_mut(&stream) {
            sub.live = false;
            sub.tries = 0;
        }
        self.push(now, Task::Unsubscribe(stream));
        self.push(now, Task::Subscribe(stream));
    }

    pub(super) fn start_stream(&mut self, now: Time, stream: Stream) {
        if self.listing.page(stream.instrument).is_none() {
            return self.stream_down(now, stream, "the venue does not list the instrument");
        }
        let call = Task::Subscribe(stream).call();
        if call.switch.is_some_and(|switch| self.off.contains(switch)) {
            return self.stream_down(now, stream, "its feature switch is off");
        }
        self.push(now, Task::Subscribe(stream));
    }

    fn stream_down(&mut self, now: Time, stream: Stream, reason: &str) {
        let symbol = self.name_of(stream.instrument);
        self.note(format!("no {} of {symbol}: {reason}", stream.channel.word()));
        self.tell_feed(now, stream.channel, FeedState::Down, &format!("{symbol}: {reason}"));
    }

    /// A subscription failed: once more where that can help, then the feed is down.
    pub(super) fn stream_refused(&mut self, now: Time, stream: Stream, code: i64, reason: &str) {
        let tries = self.feeds.get(&stream).map_or(0, |sub| sub.tries);
        let again = code == ALREADY_SUBSCRIBED || reason == "no answer";
        if again && tries < 2 {
            self.push(now, Task::Unsubscribe(stream));
            return self.push(now, Task::Subscribe(stream));
        }
        self.stream_down(now, stream, reason);
        if again {
            self.timers.set(now.plus(STREAM_AGAIN), Timer::Stream(stream));
        }
    }

    pub(super) fn retry_stream(&mut self, now: Time, stream: Stream) {
        if self.feeds.get(&stream).is_some_and(|sub| !sub.live) {
            self.restart_stream(now, stream);
        }
    }

    pub(super) fn status_answered(
        &mut self,
        now: Time,
        key: OrderKey,
        answer: Result<Vec<OrderRow>, Refused>,
    ) {
        match answer {
            Ok(rows) => self.status(now, key, Some(rows)),
            Err(refused) if refused.code == NOT_FOUND => self.status(now, key, None),
            Err(_) => {
                self.orders.doubt(key);
                self.look_soon(now);
            }
        }
    }

    /// Whether the same request waits for its turn or for its answer.
    pub(super) fn is_asked(&self, wanted: Task) -> bool {
        self.lane.has(|task| *task == wanted)
            || self.socket.has(|task| *task == wanted)
            || self.waiting.values().any(|waiting| waiting.task == wanted && !waiting.late)
    }
}
