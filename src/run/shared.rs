//! The simulated venue of a backtest, shared by the engine (as its venue) and the tape's driver.

use crate::base::{Command, Machine, Time, Venue, VenueIn, VenueOut};
use crate::exchange::SimVenue;
use std::cell::RefCell;
use std::rc::Rc;

/// The simulated venue, shared by the engine (as a venue) and the tape's driver.
pub struct Shared(pub Rc<RefCell<SimVenue>>);

impl Venue for Shared {}

impl Machine for Shared {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, now: Time, input: VenueIn) {
        // Streams of a tape come by themselves.
        if !matches!(input, VenueIn::Command(Command::Subscribe { .. })) {
            self.0.borrow_mut().handle(now, input);
        }
    }

    fn poll(&mut self, now: Time) -> Option<VenueOut> {
        self.0.borrow_mut().poll(now)
    }

    fn wake_at(&self) -> Option<Time> {
        self.0.borrow().wake_at()
    }
}
