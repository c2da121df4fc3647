//! The rate lanes that the live clients hold calls in, in simulated time: what would be throttled
//! live is throttled here.

use crate::base::{Call, LaneLeft, Plain, Span, Time};
use crate::calls;
use crate::venue::pace::{Lane, Pace, Turn};
use std::collections::BTreeMap;

const SECOND: Span = Span::from_secs(1);
const MINUTE: Span = Span::from_secs(60);

/// Accounts of one run that Sentra is told of at the same time.
const MOST_LINES: usize = 256;

/// FLOW-P13.
const FLOWBTC: Pace = Pace { limit: 100, reserve: 20, span: MINUTE };
/// MB-R07.
const MERCADOBITCOIN: Pace = Pace { limit: 60, reserve: 10, span: MINUTE };
/// MB-X01 to X04, which do not count against the Trade API's limit.
const DATA: Pace = Pace { limit: 30, reserve: 0, span: MINUTE };
/// SENTRA-R09, for each account.
const SENTRA: Pace = Pace { limit: 1, reserve: 0, span: SECOND };

#[derive(Clone, Debug)]
struct Line {
    lane: Lane<Call>,
    pace: Pace,
    /// The least time between two sends (MB-F06: a second has one tonce).
    apart: Span,
}

impl Line {
    fn new(pace: Pace, apart: Span) -> Line {
        Line { lane: Lane::new(pace), pace, apart }
    }
}

/// The lanes of one venue, by name.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    lines: BTreeMap<String, Line>,
    venue: &'static str,
}

impl Turns {
    pub fn of(venue: &str) -> Turns {
        let lines = match venue {
            "flowbtc" => vec![("flowbtc", Line::new(FLOWBTC, Span::ZERO))],
            "mercadobitcoin" => vec![
                ("mercadobitcoin", Line::new(MERCADOBITCOIN, SECOND)),
                ("mercadobitcoin/data", Line::new(DATA, Span::ZERO)),
            ],
            _ => Vec::new(),
        };
        let known = calls::VENUES.into_iter().find(|name| *name == venue);
        Turns {
            lines: lines.into_iter().map(|(name, line)| (name.to_owned(), line)).collect(),
            venue: known.unwrap_or_default(),
        }
    }

    /// Puts a call into its lane, or gives it back where there are too many lanes.
    pub fn push(&mut self, now: Time, row: &calls::Call, call: Call) -> Result<(), Call> {
        let name = match self.venue {
            "sentra" => account(&call),
            "mercadobitcoin" if row.switch.is_some() => "mercadobitcoin/data".to_owned(),
            venue => venue.to_owned(),
        };
        if !self.lines.contains_key(&name) && self.lines.len() >= MOST_LINES {
            self.lines.retain(|_, line| !line.lane.is_empty() || line.lane.left(now) == 0);
            if self.lines.len() >= MOST_LINES {
                return Err(call);
            }
        }
        let line = self.lines.entry(name).or_insert_with(|| Line::new(SENTRA, Span::ZERO));
        let patience = patience(self.venue, &call);
        line.lane.push(now, row.lane, now.plus(patience), call);
        Ok(())
    }

    /// The next call whose turn it is or was, and how long it may have waited.
    pub fn next(&mut self, now: Time) -> Option<(Turn<Call>, Span)> {
        for line in self.lines.values_mut() {
            let Some(turn) = line.lane.next(now) else { continue };
            if line.apart > Span::ZERO && matches!(turn, Turn::Sent(_)) {
                line.lane.hold(now.plus(line.apart));
            }
            let (Turn::Sent(call) | Turn::Expired(call)) = &turn;
            let patience = patience(self.venue, call);
            return Some((turn, patience));
        }
        None
    }

    /// A command that did not come as a call uses the budget too.
    pub fn count(&mut self, now: Time) {
        if let Some(line) = self.lines.get_mut(self.venue) {
            line.lane.restore([now]);
            line.lane.hold(now.plus(line.apart));
        }
    }

    pub fn wake_at(&self) -> Option<Time> {
        self.lines.values().filter_map(|line| line.lane.wake_at()).min()
    }

    pub fn lanes(&self, now: Time) -> Vec<LaneLeft> {
        let left = |(name, line): (&String, &Line)| LaneLeft {
            lane: name.clone(),
            limit: line.pace.limit,
            reserve: line.pace.reserve,
            span: line.pace.span,
            left: line.lane.left(now),
            waiting: line.lane.len(),
        };
        self.lines.iter().map(left).collect()
    }
}

/// A call waits as long as the venue's client lets it wait; what is stale must not go.
fn patience(venue: &str, call: &Call) -> Span {
    match (venue, call.order.is_some()) {
        ("flowbtc", true) => Span::from_secs(5),
        ("flowbtc", false) => Span::from_secs(30),
        ("mercadobitcoin", _) => Span::from_secs(10),
        _ => Span::from_secs(120),
    }
}

fn account(call: &Call) -> String {
    match call.ask.get("account_number") {
        Some(Plain::Text(number)) => format!("sentra/{number}"),
        Some(Plain::Int(number)) => format!("sentra/{number}"),
        _ => "sentra/".to_owned(),
    }
}
