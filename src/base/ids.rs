//! Names and numbers that identify things: venues, instruments, strategies, orders, versions.

use std::fmt;
use std::sync::Arc;

/// A venue's name as users write it before the colon: `flowbtc`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VenueName(pub Arc<str>);

impl VenueName {
    #[must_use]
    pub fn new(name: &str) -> VenueName {
        VenueName(Arc::from(name))
    }
}

impl fmt::Display for VenueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An instrument's place in the run's instrument table.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct InstrumentId(pub u16);

/// A strategy's place in the engine's roster; stays the same over reloads.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct StrategyId(pub u8);

/// Our own order key, and the ClientOrderId on FlowBTC's wire: run, strategy and sequence in 63
/// bits, so that the venue's own records lead back to the run and strategy that sent the order.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OrderKey(i64);

const SEQUENCE_BITS: u32 = 25;
const STRATEGY_BITS: u32 = 8;
const RUN_BITS: u32 = 30;

impl OrderKey {
    /// The smallest key there is.
    pub const FIRST: OrderKey = OrderKey(1);
    /// The largest sequence one strategy can reach in one run.
    pub const MAX_SEQUENCE: u32 = (1 << SEQUENCE_BITS) - 1;
    /// The largest run number (seconds since 2026-01-01 in live runs, 34 years).
    pub const MAX_RUN: u32 = (1 << RUN_BITS) - 1;

    /// `None` when a part does not fit its bits, or all are zero (0 means "none" on the wire,
    /// FLOW-F27).
    #[must_use]
    pub fn compose(run: u32, strategy: StrategyId, sequence: u32) -> Option<OrderKey> {
        if run > OrderKey::MAX_RUN || sequence > OrderKey::MAX_SEQUENCE {
            return None;
        }
        let bits = (i64::from(run) << (SEQUENCE_BITS + STRATEGY_BITS))
            | (i64::from(strategy.0) << SEQUENCE_BITS)
            | i64::from(sequence);
        (bits != 0).then_some(OrderKey(bits))
    }

    /// Reads a key back from the wire; `None` for 0 and negatives, which are never ours.
    #[must_use]
    pub fn from_wire(value: i64) -> Option<OrderKey> {
        (value > 0).then_some(OrderKey(value))
    }

    #[must_use]
    pub const fn wire(self) -> i64 {
        self.0
    }

    #[must_use]
    pub fn run(self) -> u32 {
        u32::try_from(self.0 >> (SEQUENCE_BITS + STRATEGY_BITS)).unwrap_or(u32::MAX)
    }

    #[must_use]
    pub fn strategy(self) -> StrategyId {
        StrategyId(u8::try_from((self.0 >> SEQUENCE_BITS) & 0xff).unwrap_or(u8::MAX))
    }

    #[must_use]
    pub fn sequence(self) -> u32 {
        u32::try_from(self.0 & i64::from(OrderKey::MAX_SEQUENCE)).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The venue's own order number (64 bits, never a double: FLOW-F29).
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VenueOrderId(pub i64);

impl fmt::Display for VenueOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The content hash of a strategy's whole module graph, as short hexadecimal text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version(pub Arc<str>);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
