//! Tapes: public events and blocks of rows that a driver hands to the strategies itself.

use super::flow::Engine;
use super::roster::Slot;
use crate::base::tape::TradeBlock;
use crate::base::{Channel, Event, Time};
use std::rc::Rc;

impl Engine {
    /// Delivers one public event of a tape, at its time. What strategies ask for waits for the next
    /// `handle`.
    pub fn public(&mut self, now: Time, event: &Event) {
        let later = self.core.borrow().now.max(now);
        self.core.borrow_mut().now = later;
        self.event(now, event);
    }

    /// Takes the next tape block; its rows are delivered by `rows`.
    pub fn load_block(&mut self, block: Rc<TradeBlock>) {
        for slot in &mut self.roster.slots {
            if let Some(strategy) = &mut slot.strategy {
                strategy.load_block(&block);
            }
        }
        self.core.borrow_mut().load_block(Rc::clone(&block));
        self.block = Some(block);
    }

    /// Delivers rows `from..to` of the block, of which the caller knows that nothing else happens
    /// between them. Stops after a row at which a strategy acted; what it asked for waits for the
    /// next `handle`. Returns the first row not delivered.
    pub fn rows(&mut self, from: usize, to: usize) -> usize {
        let Some(block) = self.block.clone() else { return to };
        let listens = |slot: &Slot| {
            slot.is_running()
                && slot.streams.iter().any(|stream| stream.is(Channel::Trades, block.instrument))
        };
        let listeners: Vec<usize> = self
            .roster
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| listens(slot))
            .map(|(at, _)| at)
            .collect();
        // Strategies that share a run see each row together, so that the limits they share do not
        // depend on how long a block is.
        let end = if listeners.len() > 1 { to.min(from + 1) } else { to };
        let mut next = end;
        for at in listeners {
            let strategy = self.roster.slots.get_mut(at).and_then(|slot| slot.strategy.as_mut());
            if let Some(strategy) = strategy {
                next = next.min(strategy.rows(from, end));
            }
        }
        self.core.borrow_mut().absorb_to(next);
        let now = self.core.borrow().now;
        for at in 0..self.roster.slots.len() {
            self.after(now, at);
        }
        next
    }
}
