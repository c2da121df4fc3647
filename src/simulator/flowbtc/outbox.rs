//! Frames on their way out. What one input produced leaves together; on request the replies and
//! the accounts' events of one input are dealt anew (FLOW-S04). Market data always keep their
//! order.

use super::ServerOut;
use super::wire::{self, EVENT};
use crate::base::rng::Rng;
use crate::simulator::http::HttpOut;
use std::collections::{BTreeSet, VecDeque};

/// Whether a frame may change places with others of the same input.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Order {
    Kept,
    Free,
}

/// The frames of the input at hand, and those that wait to be polled.
#[derive(Clone, Debug)]
pub struct Outbox {
    fresh: Vec<(Order, ServerOut)>,
    ready: VecDeque<ServerOut>,
    events: i64,
    dealer: Option<Rng>,
    /// Connections that have ended, as long as somebody may still speak to them.
    ended: BTreeSet<u32>,
}

impl Outbox {
    /// `dealer` decides the new order; without it frames leave in the order in which they arose.
    #[must_use]
    pub fn new(dealer: Option<Rng>) -> Outbox {
        Outbox {
            fresh: Vec::new(),
            ready: VecDeque::new(),
            events: 0,
            dealer,
            ended: BTreeSet::new(),
        }
    }

    /// The reply to the input at hand; leaves before its events, if nothing deals them anew.
    pub fn reply(&mut self, conn: u32, text: String) {
        self.fresh.insert(0, (Order::Free, ServerOut::Frame { conn, text }));
    }

    /// The answer to a request; requests have no order among each other.
    pub fn respond(&mut self, answer: HttpOut) {
        self.fresh.push((Order::Kept, ServerOut::Response(answer)));
    }

    /// What the input at hand produced leaves twice.
    pub fn repeat(&mut self) {
        self.fresh.extend(self.fresh.clone());
    }

    /// The replies and accounts' events of the input at hand leave last first. A frame that is
    /// alone is given back.
    pub fn turn(&mut self) -> Option<ServerOut> {
        let free = |(order, _): &(Order, ServerOut)| *order == Order::Free;
        let mut turned: Vec<_> = self.fresh.iter().filter(|it| free(it)).cloned().collect();
        if turned.len() < 2 {
            self.fresh.retain(|it| !free(it));
            return turned.pop().map(|(_, out)| out);
        }
        for place in self.fresh.iter_mut().filter(|it| free(it)) {
            if let Some(last) = turned.pop() {
                *place = last;
            }
        }
        None
    }

    /// What the input at hand told accounts' followers is lost.
    pub fn lose(&mut self) {
        self.fresh.retain(|(order, _)| *order == Order::Kept);
    }

    /// Nothing of the input at hand leaves for this connection.
    pub fn mute(&mut self, conn: u32) {
        self.fresh.retain(|(_, out)| out.conn() != Some(conn));
    }

    /// A frame that was held back leaves now.
    pub fn late(&mut self, out: ServerOut) {
        self.fresh.push((Order::Kept, out));
    }

    /// An end to a connection; nothing goes to it afterwards.
    pub fn close(&mut self, conn: u32) {
        self.fresh.push((Order::Kept, ServerOut::Close { conn }));
    }

    /// One event to several connections; `o` is its JSON. Its number means nothing (contract
    /// B.4).
    pub fn event(&mut self, conns: impl IntoIterator<Item = u32>, order: Order, n: &str, o: &str) {
        let mut text: Option<String> = None;
        for conn in conns {
            let text = text.get_or_insert_with(|| {
                self.events += 2;
                wire::frame(EVENT, &self.events.to_string(), n, o)
            });
            self.fresh.push((order, ServerOut::Frame { conn, text: text.clone() }));
        }
    }

    /// Ends the input at hand: its frames may leave.
    pub fn seal(&mut self) {
        if let Some(dealer) = &mut self.dealer {
            deal(&mut self.fresh, dealer);
        }
        let ended = &self.ended;
        let heard = self.fresh.drain(..).map(|(_, out)| out);
        let heard = heard.filter(|out| out.conn().is_none_or(|conn| !ended.contains(&conn)));
        self.ready.extend(heard);
    }

    /// Nothing leaves for this connection any more, until `forget`.
    pub fn end(&mut self, conn: u32) {
        self.ended.insert(conn);
        self.ready.retain(|out| out.conn() != Some(conn));
    }

    /// Nobody speaks to this connection any more.
    pub fn forget(&mut self, conn: u32) {
        self.ended.remove(&conn);
    }

    /// The oldest frame that may leave.
    pub fn poll(&mut self) -> Option<ServerOut> {
        self.ready.pop_front()
    }
}

/// Fisher and Yates over the places of the free frames.
fn deal(frames: &mut [(Order, ServerOut)], dealer: &mut Rng) {
    let free = frames.iter().enumerate().filter(|(_, (order, _))| *order == Order::Free);
    let places: Vec<usize> = free.map(|(at, _)| at).collect();
    for (rank, &place) in places.iter().enumerate().skip(1) {
        let bound = u32::try_from(rank + 1).unwrap_or(u32::MAX);
        let other = usize::try_from(dealer.below(bound)).unwrap_or(rank);
        if let Some(&other) = places.get(other) {
            frames.swap(place, other);
        }
    }
}
