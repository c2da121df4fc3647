//! Paper trading: a session's market data, a simulated exchange's fills.

use super::venue::SimVenue;
use crate::base::{
    BookChange, Command, Event, Machine, Quote, Time, Trade, Venue, VenueIn, VenueOut,
};

/// A venue whose news of the market comes from a session and whose orders go to a simulation.
///
/// The simulation's clock is `now`, not the session's timestamps, which may run behind it.
pub struct Paper {
    session: Box<dyn Venue>,
    sim: SimVenue,
}

impl Paper {
    #[must_use]
    pub fn new(session: Box<dyn Venue>, sim: SimVenue) -> Paper {
        Paper { session, sim }
    }

    /// The simulation, for the ledger at the end of a run.
    #[must_use]
    pub fn sim(&self) -> &SimVenue {
        &self.sim
    }

    /// The simulation, for whoever answers the calls.
    pub fn sim_mut(&mut self) -> &mut SimVenue {
        &mut self.sim
    }

    /// What of the session's output goes on. Its own orders, fills and balances do not: no order
    /// of ours is there.
    fn pass(&mut self, now: Time, out: VenueOut) -> Option<VenueOut> {
        match &out {
            VenueOut::Net(_) | VenueOut::Note(_) | VenueOut::Sent { .. } => return Some(out),
            VenueOut::Event(event) => match event {
                Event::Trade(trade) => {
                    let trade = Trade { time: now, ..trade.clone() };
                    self.sim.market(&Event::Trade(trade));
                }
                Event::Quote(quote) => {
                    let quote = Quote { time: now, ..quote.clone() };
                    self.sim.market(&Event::Quote(quote));
                }
                Event::Book(change) => {
                    let change = BookChange { time: now, ..change.clone() };
                    self.sim.market(&Event::Book(change));
                }
                Event::Instrument(_) => self.sim.market(event),
                Event::Bar(_) | Event::Feed(_) | Event::Reply(_) => {}
                Event::Order(_) | Event::Fill(_) | Event::Balance(_) => return None,
            },
        }
        Some(out)
    }
}

/// The simulation's word on feeds is nothing new: the session speaks for them.
fn is_feed(out: &VenueOut) -> bool {
    matches!(out, VenueOut::Event(Event::Feed(_)))
}

impl crate::base::Venue for Paper {
    fn lanes(&self, now: Time) -> Vec<crate::base::LaneLeft> {
        self.session.lanes(now)
    }

    fn wants_code(&self) -> bool {
        self.session.wants_code()
    }

    fn code(&mut self, now: Time, code: &crate::base::Secret) -> bool {
        self.session.code(now, code)
    }
}

impl Machine for Paper {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, now: Time, input: VenueIn) {
        self.sim.open(now);
        let for_session = match &input {
            VenueIn::Net(_) | VenueIn::Command(Command::Subscribe { .. }) => true,
            VenueIn::Command(
                Command::Place(_)
                | Command::Cancel { .. }
                | Command::Replace { .. }
                | Command::Reduce { .. }
                | Command::CancelAll { .. }
                | Command::Call(_),
            ) => false,
        };
        if for_session {
            self.session.handle(now, input);
        } else {
            self.sim.handle(now, input);
        }
    }

    fn poll(&mut self, now: Time) -> Option<VenueOut> {
        self.sim.open(now);
        // What a public event did to our orders goes out before the next public event.
        while let Some(out) = self.sim.poll(now) {
            if !is_feed(&out) {
                return Some(out);
            }
        }
        while let Some(out) = self.session.poll(now) {
            if let Some(out) = self.pass(now, out) {
                return Some(out);
            }
        }
        None
    }

    fn wake_at(&self) -> Option<Time> {
        [self.session.wake_at(), self.sim.wake_at()].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
