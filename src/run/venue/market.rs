//! The served market: where it comes from, how fast it passes and what its clock shows.

use super::super::source::Source;
use crate::base::{Event, Span, Time};
use crate::edge::clock;

/// How fast the market passes.
#[derive(Copy, Clone, PartialEq, Debug)]
pub enum Pace {
    /// So many market seconds in a second; the times of the feed become those of the wall clock.
    Times(f64),
    /// As fast as its readers take it, on the feed's own clock, from the first reader on.
    Max,
}

/// A market on its way.
pub struct Market {
    source: Source,
    pace: Pace,
    next: Option<Event>,
    /// The feed's first moment and the wall's moment that stands for it; at full speed those of
    /// its end.
    anchor: Option<(Time, Time)>,
    ended: bool,
    served: u64,
}

impl Market {
    /// # Errors
    /// When the feed's first row cannot be read.
    pub fn new(source: Source, pace: Pace) -> anyhow::Result<Market> {
        let mut market = Market { source, pace, next: None, anchor: None, ended: false, served: 0 };
        market.take_next(Time::ZERO)?;
        Ok(market)
    }

    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// What the venues' clock shows before anything happens: at full speed the feed's first moment.
    #[must_use]
    pub fn start(&self) -> Time {
        match self.pace {
            Pace::Max => self.next_time().unwrap_or(Time::ZERO),
            Pace::Times(_) => Time::ZERO,
        }
    }

    /// Whether a recorded market has come to its end.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// How many events have passed.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.served
    }

    /// The feed's time of the next event.
    #[must_use]
    pub fn next_time(&self) -> Option<Time> {
        self.next.as_ref().and_then(Event::public_time)
    }

    /// When the next event is due on the wall clock; `None` at full speed.
    pub fn due(&mut self) -> Option<Time> {
        let time = self.next_time()?;
        let Pace::Times(times) = self.pace else { return None };
        let (first, start) = *self.anchor.get_or_insert_with(|| (time, clock::now()));
        let passed = Span::from_seconds(time.since(first).seconds() / times)?;
        Some(start.plus(passed))
    }

    /// The next event, which happens at `now`.
    ///
    /// # Errors
    /// When the feed cannot be read on.
    pub fn take(&mut self, now: Time) -> anyhow::Result<Option<Event>> {
        let taken = self.next.take();
        if taken.is_some() {
            self.served += 1;
            self.take_next(now)?;
        }
        Ok(taken)
    }

    fn take_next(&mut self, now: Time) -> anyhow::Result<()> {
        self.next = self.source.next_event()?;
        if self.next.is_none() && !self.ended {
            self.ended = true;
            self.anchor = Some((now, clock::now()));
        }
        Ok(())
    }

    /// The market's clock: the wall's, or at full speed that of the last event (`None`), which goes
    /// on with the wall once the feed has ended.
    #[must_use]
    pub fn clock(&self, wall: Time) -> Option<Time> {
        match (self.pace, self.ended, self.anchor) {
            (Pace::Times(_), _, _) => Some(wall),
            (Pace::Max, true, Some((end, ended))) => Some(end.plus(wall.since(ended))),
            (Pace::Max, ..) => None,
        }
    }
}
