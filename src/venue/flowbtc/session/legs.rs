//! One order of ours and its legs: the order as first sent, then each replacement. A leg's state
//! only ever moves forward, so that news may come late, twice and in any order (FLOW B.3).

use super::reduce::Reduce;
use crate::base::{
    Decimal, InstrumentId, OrderKey, OrderKind, OrderStep, Side, Tif, Time, VenueOrderId,
};
use crate::venue::flowbtc::payload::{OrderRow, State};
use std::collections::BTreeSet;

/// Where a leg stands. The order of the variants is the order of life; the last four are ends.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum LegState {
    Asked,
    Accepted,
    Working,
    Filled,
    Canceled,
    Expired,
    Rejected,
}

impl LegState {
    pub(super) fn is_end(self) -> bool {
        self >= LegState::Filled
    }
}

/// An order at the venue: the first one, or one that replaced it.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub client: Option<OrderKey>,
    pub venue: Option<VenueOrderId>,
    pub price: Option<Decimal>,
    pub qty: Option<Decimal>,
    pub remaining: Option<Decimal>,
    /// The most that the venue's order rows said was executed.
    pub executed: Decimal,
    /// The sum of its fills.
    pub traded: Decimal,
    pub state: LegState,
    pub received: Option<Time>,
    /// The venue's count of its changes, in the dialects that tell it.
    pub revision: Option<i64>,
    pub reason: String,
}

impl Leg {
    pub(super) fn new(client: Option<OrderKey>, venue: Option<VenueOrderId>) -> Leg {
        Leg {
            client,
            venue,
            price: None,
            qty: None,
            remaining: None,
            executed: Decimal::ZERO,
            traded: Decimal::ZERO,
            state: LegState::Asked,
            received: None,
            revision: None,
            reason: String::new(),
        }
    }

    /// Moves forward; an end is never left, and nothing goes back.
    pub(super) fn reach(&mut self, state: LegState, reason: &str) {
        if !self.state.is_end() && state > self.state {
            self.state = state;
            reason.clone_into(&mut self.reason);
        }
    }

    /// Takes what a row of the venue says of this leg.
    pub(super) fn learn(&mut self, row: &OrderRow) {
        self.venue = Some(VenueOrderId(row.id));
        self.received = self.received.or(row.received);
        self.revision = self.revision.max(row.revision);
        // An order can only become smaller (FLOW-P19), so that older news never enlarge it again.
        self.qty = match (self.qty, row.qty) {
            (Some(known), Some(told)) if row.executed <= told => Some(known.min(told)),
            (known, told) => known.or(told),
        };
        self.price = row.price.or(self.price);
        if row.executed >= self.executed {
            self.executed = row.executed;
            self.remaining = row.remaining.or(self.remaining);
        }
        let state = match row.state {
            State::Unknown => LegState::Accepted,
            State::Working => LegState::Working,
            State::Rejected => LegState::Rejected,
            State::Canceled => LegState::Canceled,
            State::Expired => LegState::Expired,
            State::FullyExecuted => LegState::Filled,
        };
        self.reach(state, &row.reason);
    }

    /// Takes a fill. All of its quantity traded means filled, even if the venue's word is lost.
    pub(super) fn trade(&mut self, qty: Decimal) {
        self.traded += qty;
        if self.qty.is_some_and(|whole| self.traded >= whole) {
            self.executed = self.executed.max(self.traded);
            self.reach(LegState::Filled, "");
        }
    }
}

/// What the engine was told last.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Told {
    Nothing,
    Sent,
    /// `OrderStep::Lost`, or adopted: it must hear of the order again.
    Unknown,
    Accepted,
    Working,
    Final,
}

/// An order whose fate must be found out, and how often it was found nowhere.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Doubt {
    pub absent: u8,
}

/// Replaced legs are remembered for late news of them; at most so many.
const MOST_LEGS: usize = 32;

/// One order of ours.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub key: OrderKey,
    pub instrument: InstrumentId,
    pub side: Option<Side>,
    pub kind: OrderKind,
    pub stop: Option<Decimal>,
    pub post_only: bool,
    pub tif: Tif,
    /// Every client id it ever had.
    pub aliases: Vec<OrderKey>,
    /// Every venue number it ever had.
    pub numbers: BTreeSet<i64>,
    /// What legs executed that were folded away.
    pub past: Decimal,
    pub legs: Vec<Leg>,
    /// The leg that the engine knows the order by.
    pub current: usize,
    pub told: Told,
    /// When it was last handed out.
    pub sent: Time,
    /// A cancel is wanted; how often it was sent.
    pub cancel: Option<u8>,
    pub doubt: Option<Doubt>,
    /// It is being made smaller.
    pub reduce: Option<Reduce>,
    /// Trade numbers of the fills that were told.
    pub fills: BTreeSet<i64>,
    /// Their sum over all legs.
    pub filled: Decimal,
    /// The missing fills were asked for in vain: end without them.
    pub forced: bool,
}

impl Known {
    pub(super) fn current(&self) -> Option<&Leg> {
        self.legs.get(self.current)
    }

    /// The replacement that was asked for and not yet answered.
    pub(super) fn change(&self) -> Option<&Leg> {
        self.legs.get(self.current + 1).filter(|leg| leg.state == LegState::Asked)
    }

    pub(super) fn venue(&self) -> Option<VenueOrderId> {
        self.current().and_then(|leg| leg.venue)
    }

    /// What was executed in all, by the rows and by the fills.
    pub(super) fn executed(&self) -> Decimal {
        let legs: Decimal = self.legs.iter().map(|leg| leg.executed.max(leg.traded)).sum();
        (self.past + legs).max(self.filled)
    }

    /// A late fill of an order that was replaced is no part of its replacement's quantity: the
    /// engine hears that so much more is open before it hears that it traded.
    pub(super) fn enlarged(&self, at: Option<usize>, qty: Decimal) -> Option<OrderStep> {
        if self.is_final() || at.unwrap_or(0) >= self.current {
            return None;
        }
        let leg = self.current()?;
        let remaining = leg.qty? - leg.traded + qty;
        Some(OrderStep::Replaced { venue_id: leg.venue?, price: leg.price, remaining })
    }

    /// Forgets the oldest leg of an order that was replaced very often.
    pub(super) fn fold(&mut self) {
        if self.legs.len() > MOST_LEGS && self.current > 0 {
            let leg = self.legs.remove(0);
            self.past += leg.executed.max(leg.traded);
            self.current -= 1;
        }
    }

    /// The legs that were replaced and whose end is not known: they may have executed more.
    pub(super) fn loose(&self) -> impl Iterator<Item = VenueOrderId> {
        let replaced = self.legs.iter().take(self.current);
        replaced.filter(|leg| !leg.state.is_end()).filter_map(|leg| leg.venue)
    }

    /// Fills are missing, or may be.
    pub(super) fn is_short(&self) -> bool {
        !self.forced && (self.filled < self.executed() || self.loose().next().is_some())
    }

    pub(super) fn is_final(&self) -> bool {
        self.told == Told::Final
    }

    /// Sent, and neither answered nor seen.
    pub(super) fn is_unanswered(&self) -> bool {
        self.legs.last().is_some_and(|leg| leg.state == LegState::Asked)
    }
}

/// An order of which nothing is known yet.
pub(super) fn blank(key: OrderKey, instrument: InstrumentId, now: Time) -> Known {
    Known {
        key,
        instrument,
        side: None,
        kind: OrderKind::Limit,
        stop: None,
        post_only: false,
        tif: Tif::Gtc,
        aliases: vec![key],
        numbers: BTreeSet::new(),
        past: Decimal::ZERO,
        legs: vec![Leg::new(Some(key), None)],
        current: 0,
        told: Told::Nothing,
        sent: now,
        cancel: None,
        doubt: None,
        reduce: None,
        fills: BTreeSet::new(),
        filled: Decimal::ZERO,
        forced: false,
    }
}

/// The leg that a row speaks of: by venue number, else by client id if that leg has no number
/// yet, else the replacement that is being waited for, else a replacement we did not know of. A
/// second order under the client id of one that has a number, and with no tie to it, is not ours
/// (FLOW-P17).
pub(super) fn leg_of(known: &mut Known, row: &OrderRow) -> Option<usize> {
    let venue = Some(VenueOrderId(row.id));
    if let Some(at) = known.legs.iter().position(|leg| leg.venue == venue) {
        return Some(at);
    }
    let client = row.client.and_then(OrderKey::from_wire);
    let by_client = known
        .legs
        .iter()
        .position(|leg| client.is_some() && leg.client == client && leg.venue.is_none());
    if by_client.is_some() {
        return by_client;
    }
    let is_heir = known
        .legs
        .iter()
        .any(|leg| leg.venue.is_some() && leg.venue == row.origin.map(VenueOrderId));
    if !is_heir {
        return None;
    }
    let last = known.legs.len().checked_sub(1)?;
    if last > known.current && known.legs.get(last)?.venue.is_none() {
        return Some(last);
    }
    known.legs.push(Leg::new(client, venue));
    Some(last + 1)
}

/// The step that tells of a leg's end.
pub(super) fn end_of(leg: &Leg, filled: Decimal) -> OrderStep {
    let reason = leg.reason.clone();
    match leg.state {
        LegState::Filled => OrderStep::Filled { filled },
        LegState::Expired => OrderStep::Expired { filled },
        LegState::Rejected if filled.is_zero() => OrderStep::Rejected { reason },
        LegState::Asked
        | LegState::Accepted
        | LegState::Working
        | LegState::Canceled
        | LegState::Rejected => OrderStep::Canceled { filled, reason },
    }
}
