//! Raw venue calls: from a strategy's ask to the venue, and the outcome back to whoever waits.
//! Calls that do something to orders go the way of every order (`orders`); those that move money
//! or change the user need a grant (`grants`).

mod grants;
mod orders;

use super::core::Core;
use super::flow::Engine;
use super::record;
use crate::base::{
    Call, CallAsk, CallFailure, CallFailureKind, CallId, Plain, Refusal, Reply, StrategyId, Time,
    VenueName,
};
use crate::calls;
use crate::risk::Approved;
pub use grants::{Grants, withdrawn};
use std::collections::{BTreeMap, BTreeSet};

/// Calls of one strategy that may wait for their outcomes.
const MOST_WAITING: usize = 64;

/// The raw calls of a run.
#[derive(Debug, Default)]
pub struct Calls {
    /// The venues of the run that take calls.
    pub venues: BTreeSet<VenueName>,
    pub(super) grants: Grants,
    asked: u64,
    waiting: BTreeMap<CallId, Waiting>,
    /// The call around the command that is approved next.
    around: Option<Call>,
}

/// Who waits for a call, and whether its end goes into the journal.
#[derive(Debug)]
struct Waiting {
    who: StrategyId,
    /// `flowbtc.SendOrder`
    name: String,
    journal: bool,
}

fn failure(kind: CallFailureKind, why: impl Into<String>) -> CallFailure {
    CallFailure::refused(kind, why)
}

/// The gate's no, as a call's failure.
fn limit(refusal: &Refusal) -> CallFailure {
    failure(CallFailureKind::Limit, refusal.to_string())
}

impl Core {
    /// One documented call: an order call goes through the gate, any other to its venue.
    pub(super) fn raw_call(
        &mut self,
        who: StrategyId,
        ask: CallAsk,
    ) -> Result<CallId, CallFailure> {
        let name = format!("{}.{}", ask.venue, ask.name);
        let row = calls::find(&ask.venue.0, ask.name);
        let row = row.ok_or_else(|| failure(CallFailureKind::Arguments, "no such call"))?;
        self.settled().map_err(|refusal| limit(&refusal))?;
        if !self.calls.venues.contains(&ask.venue) {
            let why = format!("this run has no venue {}", ask.venue);
            return Err(failure(CallFailureKind::NoVenue, why));
        }
        if self.calls.waiting.values().filter(|call| call.who == who).count() >= MOST_WAITING {
            let refusal = Refusal::new("LIMIT_CALLS_WAITING").with("limit", MOST_WAITING);
            return Err(limit(&refusal));
        }
        if ask.int("OMSId").is_some_and(|oms| oms != 1) {
            return Err(failure(CallFailureKind::Arguments, "OMSId is always 1 (FLOW-R13)"));
        }
        if row.grant
            && let Err(refused) = self.granted(who, row, &ask)
        {
            self.record_granted(who, &name, &ask, Some(&refused));
            return Err(refused);
        }
        self.calls.asked += 1;
        let id = CallId(self.calls.asked);
        let journal = row.grant || orders::is_order_call(&ask);
        // Waits first: an answer may come while the call is still being made.
        self.calls.waiting.insert(id, Waiting { who, name: name.clone(), journal });
        let made = if orders::is_order_call(&ask) {
            self.order_call(who, id, &ask)
        } else {
            if row.grant {
                self.record_granted(who, &name, &ask, None);
            }
            self.outbox.push_back(self.gate.approve_call(Call { id, ask, order: None }));
            Ok(())
        };
        if let Err(refused) = made {
            self.calls.waiting.remove(&id);
            return Err(refused);
        }
        Ok(id)
    }

    /// What is approved next is asked for by this call.
    fn inside<T>(&mut self, call: Call, act: impl FnOnce(&mut Core) -> T) -> T {
        self.calls.around = Some(call);
        let done = act(self);
        self.calls.around = None;
        done
    }

    /// The approved command, inside the call that asked for it, if one did.
    pub(super) fn with_call(
        &mut self,
        command: Approved<crate::base::Command>,
    ) -> Approved<crate::base::Command> {
        match self.calls.around.take() {
            Some(call) => command.within(call),
            None => command,
        }
    }

    /// A call that needs a grant, as it is made or refused. Of its fields only where money goes
    /// and how much: the others are about persons.
    fn record_granted(
        &mut self,
        who: StrategyId,
        name: &str,
        ask: &CallAsk,
        refused: Option<&CallFailure>,
    ) {
        let mut body = vec![("call", Plain::text(name))];
        let shown = ["volume", "bitcoin_address", "Amount", "ProductId", "AssetId", "TemplateType"];
        for field in shown {
            if let Some(value) = ask.get(field) {
                body.push((field, value.clone()));
            }
        }
        if let Some(refused) = refused {
            body.push(("refused", Plain::text(refused.kind.word())));
        }
        let version = self.version(who);
        self.record("call", Some(who), Some(version), || Plain::map(body));
    }
}

impl Engine {
    /// A call has ended: whoever waits for it goes on.
    pub(super) fn call_ended(&mut self, now: Time, reply: &Reply) {
        let waiting = self.core.borrow_mut().calls.waiting.remove(&reply.id);
        let Some(Waiting { who, name, journal }) = waiting else { return };
        if journal {
            let mut core = self.core.borrow_mut();
            let version = core.version(who);
            core.record("reply", Some(who), Some(version), || record::reply(&name, reply));
        }
        let at = usize::from(who.0);
        let slot = self.roster.slots.get_mut(at).filter(|slot| slot.is_running());
        if let Some(strategy) = slot.and_then(|slot| slot.strategy.as_mut()) {
            strategy.reply(now, reply.id, &reply.outcome);
        }
        self.after(now, at);
    }
}
