//! Frames in: replies find their request by number and name (FLOW-F06), events go to the orders
//! or the feeds, and what is no frame at all is dealt with here.

use super::Session;
use super::calls::is_login;
use super::line::Timer;
use super::replies;
use super::task::{Task, Waiting};
use crate::base::{Channel, Event, FeedState, OrderKey, Span, Time, VenueOut};
use crate::calls::Call;
use crate::venue::flowbtc::payload::{
    FillRow, InstrumentRow, Login, NOT_AUTHORIZED, NOT_FOUND, OrderRow, Position, Refused,
    RejectEvent, first_account, is_too_many, refusal,
};
use crate::venue::flowbtc::request::Account;
use crate::venue::flowbtc::wire::{Fields, Frame, FrameKind, WireError};

/// After `TOO MANY REQUESTS` nothing is sent for so long (FLOW-P13).
pub(super) const SLOW_DOWN: Span = Span::from_secs(10);

/// Account events that wait for the snapshot; later ones are applied at once.
const MOST_EARLY: usize = 10_000;

impl Session {
    pub(super) fn frame(&mut self, now: Time, text: &str) {
        let frame = match Frame::read(text) {
            Ok(frame) => frame,
            Err(_) if is_too_many(text) => return self.slow_down(now),
            Err(_) => return self.note(format!("{} bytes that are no frame", text.len())),
        };
        match frame.kind {
            FrameKind::Event => self.event(now, &frame.name, &frame.body),
            FrameKind::Reply => self.reply(now, &frame, refusal(&frame.body)),
            FrameKind::Error => {
                let told = refusal(&frame.body);
                let code = told.as_ref().map_or(0, |refused| refused.code);
                let text = told.map_or_else(|| "an error without words".to_owned(), |r| r.text);
                // An error frame rejects the call, in whatever words (FLOW-P04).
                self.reply(now, &frame, Some(Refused { code, text, plain: false }));
            }
            FrameKind::Request | FrameKind::Other(_) => {
                self.note("a frame of a kind that a server does not send");
            }
        }
    }

    fn slow_down(&mut self, now: Time) {
        self.lane.hold(now.plus(SLOW_DOWN));
        self.socket.hold(now.plus(SLOW_DOWN));
        self.note(format!("the venue asks to slow down; nothing is sent for {SLOW_DOWN}"));
    }

    fn reply(&mut self, now: Time, frame: &Frame<'_>, refused: Option<Refused>) {
        let Some(Waiting { task, .. }) = self
            .waiting
            .get(&frame.number)
            .filter(|waiting| waiting.task.call().name.eq_ignore_ascii_case(&frame.name))
            .copied()
        else {
            return;
        };
        self.waiting.remove(&frame.number);
        if refused.as_ref().is_some_and(Refused::is_too_many) {
            self.slow_down(now);
        }
        // A script that asks for somebody else's account is told no; the login is as good as ever.
        let unauthorized = refused.as_ref().is_some_and(|refused| refused.code == NOT_AUTHORIZED)
            && !self.asks_for_others(task);
        let conn = self.line.conn;
        if refused.as_ref().is_some_and(Refused::is_unsupported) {
            self.switch_off(task.call());
        }
        let ties = self.ties_of(frame.number);
        let told = (!ties.is_empty())
            .then(|| replies::outcome(task.call(), &frame.body, refused.as_ref()));
        self.answer(now, task, &frame.body, refused);
        self.collect(now);
        if let Some(told) = told {
            self.ties_answered(now, &ties, &told);
        }
        if unauthorized && !is_login(task.call()) && self.line.is_open() && self.line.conn == conn {
            self.token = None;
            self.drop_line(now, "the venue says the session is not authorized");
        }
    }

    fn answer(&mut self, now: Time, task: Task, body: &str, refused: Option<Refused>) {
        if let Task::Raw(id, _) = task {
            return self.raw_answered(now, id, body, refused.as_ref());
        }
        let answer = match refused {
            Some(refused) => Err(refused),
            None => Ok(body),
        };
        match task {
            Task::Login | Task::KeyLogin => {
                self.logged_in(now, login(body, answer), task == Task::KeyLogin);
            }
            Task::Code => self.code_answered(now, login(body, answer)),
            Task::Accounts => self.accounts(now, answer.ok().and_then(first_account)),
            Task::AccountEvents => match answer {
                Ok(_) => self.after_account_events(now),
                Err(refused) => {
                    self.drop_line(now, &format!("no account events: {}", refused.text));
                }
            },
            Task::Instruments => self.instruments(now, read(answer, InstrumentRow::read_all)),
            Task::Positions => self.positions(now, read(answer, Position::read_all)),
            Task::OpenOrders(why) => {
                self.open_orders(now, why, read(answer, OrderRow::read_all));
            }
            Task::History => self.history(now, read(answer, OrderRow::read_all)),
            Task::Fills { start } => self.fills(now, start, read(answer, FillRow::read_all)),
            Task::Place(key) => self.placed(now, key, answer),
            Task::Replace(key, alias) => self.replaced(now, key, alias, answer),
            Task::Reduce(key) => self.reduce_answered(now, key, answer.err()),
            Task::Cancel(key) => self.cancel_answered(now, key, answer.err()),
            Task::CancelAll(_) => {
                if let Err(refused) = answer {
                    self.note(format!("a cancel-all was refused: {}", refused.text));
                }
            }
            Task::Status(key) => {
                let rows = answer.and_then(|body| OrderRow::read_all(body).map_err(unreadable));
                self.status_answered(now, key, rows);
            }
            Task::Leg(order) => match answer {
                Ok(body) => {
                    for row in OrderRow::read_all(body).unwrap_or_default() {
                        self.order_row(now, &row);
                    }
                }
                Err(refused) if refused.code == NOT_FOUND => self.orders.leg_gone(now, order),
                Err(_) => {}
            },
            Task::Subscribe(stream) => match answer {
                Ok(body) => self.subscribed(now, stream, body),
                Err(refused) => self.stream_refused(now, stream, refused.code, &refused.text),
            },
            Task::CancelStray(_) | Task::Unsubscribe(_) | Task::Ping | Task::Raw(..) => {}
        }
    }

    /// The server has only the page's calls: what it does not know is not asked for again.
    fn switch_off(&mut self, call: &'static Call) {
        let Some(switch) = call.switch else { return };
        if self.off.insert(switch) {
            self.note(format!("the server does not have {}: `{switch}` is off", call.name));
        }
    }

    pub(super) fn subscribed(&mut self, now: Time, stream: super::feeds::Stream, body: &str) {
        let mut events = Vec::new();
        match self.feeds.answered(now, stream, body, &mut events) {
            Ok(gap) => {
                let symbol = self.name_of(stream.instrument);
                if gap {
                    self.note(format!("some trades of {symbol} may be missing: the gap was long"));
                }
                self.tell_feed(now, stream.channel, FeedState::Live, &symbol);
            }
            Err(error) => self.stream_refused(now, stream, 0, &error.to_string()),
        }
        self.publish(events);
        self.watch_bars();
    }

    fn event(&mut self, now: Time, name: &str, body: &str) {
        let mut events = Vec::new();
        let read = match name {
            "TradeDataUpdateEvent" => self.feeds.trades(now, body, &self.listing, &mut events),
            "Level1UpdateEvent" => self.feeds.quote(now, body, &self.listing, &mut events),
            "Level2UpdateEvent" => self.feeds.book(now, body, &self.listing, &mut events),
            "TickerDataUpdateEvent" => {
                let read = self.feeds.bars(body, &self.listing, &mut events);
                self.watch_bars();
                read
            }
            "LogoutEvent" => {
                self.logged_out(now);
                Ok(())
            }
            // Nothing of the account is news while its snapshot is still to come.
            _ if !self.line.snapshot && self.early.len() < MOST_EARLY => {
                self.early.push((name.to_owned(), body.to_owned()));
                Ok(())
            }
            _ => self.account_event(now, name, body),
        };
        self.publish(events);
        if let Err(error) = read {
            self.unread(now, name, &error);
        }
    }

    /// An event that could not be read. A book with a hole in it must be built anew.
    fn unread(&mut self, now: Time, name: &str, error: &WireError) {
        self.note(format!("{name} could not be read: {error}"));
        if name == "Level2UpdateEvent" {
            for stream in self.feeds.all() {
                if stream.channel == Channel::Book {
                    self.subscribe(now, stream.instrument, Channel::Book, None, None);
                }
            }
        }
    }

    fn publish(&mut self, events: Vec<Event>) {
        self.out.extend(events.into_iter().map(VenueOut::Event));
    }

    fn watch_bars(&mut self) {
        if let Some(due) = self.feeds.bars_due()
            && !self.timers.has(Timer::Bars)
        {
            self.timers.set(due, Timer::Bars);
        }
    }

    pub(super) fn close_bars(&mut self, now: Time) {
        let mut events = Vec::new();
        self.feeds.close_bars(now, &mut events);
        self.publish(events);
        self.watch_bars();
    }

    /// The account events that came before the snapshot, now that it is applied.
    pub(super) fn apply_early(&mut self, now: Time) {
        for (name, body) in std::mem::take(&mut self.early) {
            if let Err(error) = self.account_event(now, &name, &body) {
                self.note(format!("{name} could not be read: {error}"));
            }
        }
    }

    /// FLOW-E05 to FLOW-E12; what is not ours to act on is passed over.
    fn account_event(&mut self, now: Time, name: &str, body: &str) -> Result<(), WireError> {
        match name {
            "OrderStateEvent" => {
                self.order_event(now, &OrderRow::read(body)?);
            }
            "OrderTradeEvent" => self.fill_row(now, &FillRow::read(body)?),
            "AccountPositionEvent" => {
                self.moved = true;
                self.balance(now, Position::read(body)?);
            }
            "NewOrderRejectEvent" => {
                let event = RejectEvent::read(body)?;
                if let Some(client) = self.ours(&event).and_then(OrderKey::from_wire) {
                    self.orders.refused(now, client, &event.reason);
                }
            }
            "CancelOrderRejectEvent" => {
                let event = RejectEvent::read(body)?;
                if let Some(key) = self.orders.find(event.client, event.order) {
                    self.check_cancel(now, key);
                }
            }
            "CancelReplaceOrderRejectEvent" => {
                let event = RejectEvent::read(body)?;
                if let Some(key) = self.orders.find(event.client, event.replaced) {
                    self.change_refused(now, key, &event.reason);
                }
            }
            "CancelAllOrdersRejectEvent" => {
                let event = RejectEvent::read(body)?;
                self.note(format!("a cancel-all was refused: {}", event.reason));
            }
            "MarketStateUpdate" => {
                let fields = Fields::read(body)?;
                let word = |key| fields.word(key).unwrap_or_default();
                let (action, status) = (word("Action"), word("NewStatus"));
                self.note(format!("market state: {action} {status}"));
            }
            _ => {}
        }
        Ok(())
    }

    /// The client id of a rejection, if it is of our account.
    fn ours(&self, event: &RejectEvent) -> Option<i64> {
        let is_ours = event.account.is_none_or(|account| Some(Account(account)) == self.account);
        event.client.filter(|_| is_ours)
    }
}

/// A login's answer; one that is no answer of a login is a refusal.
pub(super) fn login(body: &str, answer: Result<&str, Refused>) -> Result<Login, Refused> {
    Login::read(body).map_err(|error| answer.err().unwrap_or_else(|| unreadable(error)))
}

fn unreadable(error: WireError) -> Refused {
    Refused { code: 0, text: error.to_string(), plain: true }
}

fn read<T>(
    answer: Result<&str, Refused>,
    rows: impl Fn(&str) -> Result<Vec<T>, WireError>,
) -> Result<Vec<T>, String> {
    let body = answer.map_err(|refused| refused.text)?;
    rows(body).map_err(|error| error.to_string())
}
