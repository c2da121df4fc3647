//! Words and shapes that every room shares. Nothing here decides, reads a clock or does I/O.

pub mod call;
pub mod command;
pub mod decimal;
pub mod event;
pub mod ids;
pub mod instrument;
pub mod json;
pub mod machine;
pub mod market;
pub mod names;
pub mod order;
pub mod plain;
pub mod refusal;
pub mod rng;
pub mod secret;
pub mod tape;
pub mod time;

#[cfg(test)]
mod tests;

pub use call::{Call, CallAsk, CallFailure, CallFailureKind, CallId, CallOutcome, Fate, Reply};
pub use command::{Ask, Command, Place};
pub use decimal::Decimal;
pub use event::{BalanceNews, Channel, Event, FeedNews, FeedState, OrderNews, OrderStep};
pub use ids::{InstrumentId, OrderKey, StrategyId, VenueName, VenueOrderId, Version};
pub use instrument::{Fees, Instrument, Instruments};
pub use machine::{
    Answer, Body, Failure, Header, Keep, LaneLeft, Machine, Method, Net, Request, Response, Venue,
    VenueIn, VenueOut,
};
pub use market::{Bar, BookChange, BookSide, Level, Quote, Trade};
pub use order::{Fill, Liquidity, OrderKind, OrderState, Side, Tif};
pub use plain::Plain;
pub use refusal::Refusal;
pub use secret::Secret;
pub use time::{Span, Time};
