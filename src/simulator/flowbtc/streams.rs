//! The calls that start and end streams. Each answers with what is so far, and events follow.

use super::bars::INTERVALS;
use super::market::Stream;
use super::router::{Answer, Call, Caller, Failure, instrument};
use super::rows;
use super::wire::{self, Object};
use super::{Dialect, FlowServer};

/// Trades and bars of a subscription that does not say how many.
const USUAL_COUNT: usize = 100;
const MOST_COUNT: usize = 5_000;
const USUAL_INTERVAL: i64 = 60;

/// FLOW-C05; the two replies are FLOW-F18's.
pub fn account_events(server: &mut FlowServer, call: &Call, caller: &Caller) -> Answer {
    let account = call.account(caller)?;
    server.sessions.follow(call.conn, account);
    let key = match server.dialect {
        Dialect::Page => "result",
        Dialect::Native => "Subscribe",
    };
    Ok(Object::new().flag(key, true).end())
}

fn begin(server: &mut FlowServer, call: &Call, stream: Stream) -> Result<(), Failure> {
    if server.market.watches(call.conn, stream) {
        return Err(Failure::already_subscribed(call.body));
    }
    server.market.watch(call.conn, stream, &server.exchange);
    Ok(())
}

/// FLOW-C06.
pub fn trades(server: &mut FlowServer, call: &Call) -> Answer {
    let instrument = instrument(server, call)?;
    let count = call.count("IncludeLastCount", USUAL_COUNT, MOST_COUNT)?;
    begin(server, call, Stream::Trades(instrument))?;
    Ok(server.market.last_trades(instrument, count))
}

/// FLOW-C07.
pub fn no_trades(server: &mut FlowServer, call: &Call) -> Answer {
    let instrument = instrument(server, call)?;
    server.market.unwatch(call.conn, Stream::Trades(instrument));
    Ok(match server.dialect {
        Dialect::Page => Object::new().flag("result", true).end(),
        Dialect::Native => wire::generic(0, None, None),
    })
}

/// The bars' length in minutes (FLOW-F11).
///
/// # Errors
/// For an interval the venue has no bars of, in NDAX's words.
pub fn interval(call: &Call) -> Result<i64, Failure> {
    let seconds = call.fields.int("Interval")?.unwrap_or(USUAL_INTERVAL);
    if INTERVALS.contains(&seconds) {
        return Ok(seconds / 60);
    }
    let known = wire::array(INTERVALS.iter().map(i64::to_string));
    Err(Failure::refused(&format!("Unsupported Ticker Interval. Supported intervals are {known}")))
}

/// FLOW-C08. One connection may watch several intervals.
pub fn ticker(server: &mut FlowServer, call: &Call) -> Answer {
    let instrument = instrument(server, call)?;
    let length = interval(call)?;
    let count = call.count("IncludeLastCount", USUAL_COUNT, MOST_COUNT)?;
    begin(server, call, Stream::Ticker(instrument, length))?;
    Ok(server.market.last_bars(instrument, length, count))
}

/// FLOW-C09: every interval.
pub fn no_ticker(server: &mut FlowServer, call: &Call) -> Answer {
    let instrument = instrument(server, call)?;
    server.market.unwatch(call.conn, Stream::Ticker(instrument, 0));
    Ok(wire::generic(0, None, None))
}

/// FLOW-X01.
pub fn level1(server: &mut FlowServer, call: &Call) -> Answer {
    let instrument = instrument(server, call)?;
    begin(server, call, Stream::Level1(instrument))?;
    let dialect = server.dialect;
    let write = |ticker: &rows::Ticker| rows::level1(dialect, ticker);
    Ok(server.market.level1(call.now, instrument, &server.exchange, write))
}

pub fn no_level1(server: &mut FlowServer, call: &Call) -> Answer {
    let instrument = instrument(server, call)?;
    server.market.unwatch(call.conn, Stream::Level1(instrument));
    Ok(wire::generic(0, None, None))
}

/// FLOW-X02.
pub fn level2(server: &mut FlowServer, call: &Call) -> Answer {
    let instrument = instrument(server, call)?;
    let depth = depth(server.dialect, call)?;
    begin(server, call, Stream::Level2(instrument, depth))?;
    Ok(server.market.book(call.now, instrument, depth, &server.exchange))
}

pub fn no_level2(server: &mut FlowServer, call: &Call) -> Answer {
    let instrument = instrument(server, call)?;
    server.market.unwatch(call.conn, Stream::Level2(instrument, 0));
    Ok(wire::generic(0, None, None))
}

/// Levels of each side: 10 on the page, 100 natively (FLOW-F03), never more than 1,000.
///
/// # Errors
/// When Depth is no whole number.
pub fn depth(dialect: Dialect, call: &Call) -> Result<usize, Failure> {
    let usual = match dialect {
        Dialect::Page => 10,
        Dialect::Native => 100,
    };
    Ok(call.count("Depth", usual, 1_000)?.max(1))
}
