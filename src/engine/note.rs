//! What the engine tells people: loads, orders, fills, failures. Nothing here is needed to go on.

use crate::account::Order;
use crate::base::{FeedNews, Fill, StrategyId, Time, Version};
use crate::desk::{Fault, Words};

/// One thing worth telling.
#[derive(Clone, PartialEq, Debug)]
pub enum Note {
    Loaded {
        strategy: StrategyId,
        version: Version,
    },
    Reloaded {
        strategy: StrategyId,
        from: Version,
        version: Version,
    },
    /// A candidate was refused; `running` goes on, if anything ran.
    Refused {
        name: String,
        fault: Fault,
        running: Option<Version>,
    },
    /// An order changed state, or was refused here.
    Order {
        order: Order,
    },
    Fill {
        strategy: StrategyId,
        version: Version,
        fill: Fill,
    },
    /// A fill of the account that no order of this run explains.
    StrangeFill {
        fill: Fill,
    },
    Fault {
        strategy: StrategyId,
        version: Version,
        fault: Fault,
    },
    Words {
        strategy: StrategyId,
        version: Version,
        at: Time,
        words: Words,
    },
    Halt {
        strategy: StrategyId,
        reason: String,
    },
    Feed(FeedNews),
    /// A line of a venue's for the operator.
    Venue {
        venue: usize,
        text: String,
    },
    /// The run has ended: `on_stop` has run and no order of ours is open any more (`open` is 0).
    Stopped {
        open: usize,
    },
}
