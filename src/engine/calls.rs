//! Raw venue calls: from a strategy's ask to the venue, and the outcome back to whoever waits.

use super::core::Core;
use super::flow::Engine;
use crate::base::{
    CallAsk, CallFailure, CallFailureKind, CallId, Reply, StrategyId, Time, VenueName,
};
use std::collections::{BTreeMap, BTreeSet};

/// The raw calls of a run.
#[derive(Debug, Default)]
pub struct Calls {
    /// The venues of the run that take calls.
    pub venues: BTreeSet<VenueName>,
    asked: u64,
    waiting: BTreeMap<CallId, StrategyId>,
}

impl Core {
    /// One documented call.
    pub(super) fn raw_call(
        &mut self,
        who: StrategyId,
        ask: CallAsk,
    ) -> Result<CallId, CallFailure> {
        if !self.calls.venues.contains(&ask.venue) {
            let why = format!("this run has no venue {}", ask.venue);
            return Err(CallFailure::refused(CallFailureKind::NoVenue, why));
        }
        self.calls.asked += 1;
        let id = CallId(self.calls.asked);
        self.calls.waiting.insert(id, who);
        Ok(id)
    }
}

impl Engine {
    /// A call has ended: whoever waits for it goes on.
    pub(super) fn call_ended(&mut self, now: Time, reply: &Reply) {
        let who = self.core.borrow_mut().calls.waiting.remove(&reply.id);
        let Some(at) = who.map(|who| usize::from(who.0)) else { return };
        let slot = self.roster.slots.get_mut(at).filter(|slot| slot.is_running());
        if let Some(strategy) = slot.and_then(|slot| slot.strategy.as_mut()) {
            strategy.reply(now, reply.id, &reply.outcome);
        }
        self.after(now, at);
    }
}
