//! Handlers that wait: what they go on with after a sleep, or with the outcome of a call.

use super::{Answer, Script, Task, bind, values};
use crate::base::{CallFailure, CallFailureKind, CallOutcome, Fate, Time};
use mlua::{Function, Value};

impl Script {
    /// Resumes a task under the watchdog; `replied` and `outcome` are what its call yields.
    pub(super) fn go_on(&mut self, now: Time, task: Task, replied: Value, outcome: Value) {
        let Task { number, handler } = task;
        self.host.now.set(now);
        self.host.rows.replace(None);
        self.refresh(handler);
        let Ok(wake) = self.prelude.get::<Function>("wake") else { return };
        self.budget.arm(self.limits.handler, self.row);
        let answer = wake.call::<Answer>((number, now.seconds(), replied, outcome));
        let stopped = self.budget.disarm();
        self.answered(handler, answer, stopped);
    }

    /// Whether there is a reply, and it or the failure as a value of the VM. A reply that finds no
    /// room there is a failure of the call, whose fate the handler cannot know.
    pub(super) fn outcome_value(&self, outcome: &CallOutcome) -> (bool, Value) {
        let unshown;
        let failure = match outcome {
            Ok(reply) => {
                let object = |class: &str, _| Err(format!("{class} in a reply"));
                match values::from_plain(&self.lua, reply, &object) {
                    Ok(value) => return (true, value),
                    Err(why) => {
                        drop(self.lua.gc_collect());
                        let why = format!("the reply came, but cannot be shown: {why}");
                        let failure = CallFailure::refused(CallFailureKind::Limit, why);
                        unshown = CallFailure { fate: Fate::Unknown, ..failure };
                        &unshown
                    }
                }
            }
            Err(failure) => failure,
        };
        (false, bind::failure_table(&self.lua, failure).map_or(Value::Nil, Value::Table))
    }
}

#[cfg(test)]
impl Script {
    /// How many handlers wait, for a moment or for a reply.
    pub fn waiting(&self) -> usize {
        self.tasks.len() + self.callers.len()
    }

    /// Bytes the VM holds once its garbage is collected.
    pub fn live_memory(&self) -> usize {
        self.lua.gc_collect().unwrap();
        self.memory()
    }
}
