//! Subscriptions as scripts write them: `"book flowbtc:BTCBRL depth=20"`, with the host's filters.

use crate::base::{Channel, Decimal, Span, decimal};

/// One entry of a strategy's `subscribe`.
#[derive(Clone, PartialEq, Debug)]
pub struct Subscription {
    pub channel: Channel,
    /// `flowbtc:BTCBRL`.
    pub instrument: String,
    /// Levels a side, for books (default 20).
    pub depth: u16,
    /// For bars.
    pub interval: Option<Span>,
    /// Trades below this quantity are not delivered.
    pub min_qty: Option<Decimal>,
    /// Quotes are delivered when the mid has moved by this many ticks since the last one delivered.
    pub mid_moves: Option<Decimal>,
    /// At most one delivery per span, the newest state.
    pub every: Option<Span>,
}

/// A subscription that makes no sense, with what would.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("subscribe entry `{entry}`: {why}")]
pub struct SubscriptionError {
    pub entry: String,
    pub why: String,
}

pub const DEFAULT_DEPTH: u16 = 20;
const MAX_DEPTH: u16 = 500;

impl Subscription {
    /// A plain stream without filters.
    #[must_use]
    pub fn new(channel: Channel, instrument: impl Into<String>) -> Subscription {
        Subscription {
            channel,
            instrument: instrument.into(),
            depth: DEFAULT_DEPTH,
            interval: None,
            min_qty: None,
            mid_moves: None,
            every: None,
        }
    }

    /// Parses `trades|quotes|book|bars venue:SYMBOL [depth=N] [1m]`.
    ///
    /// # Errors
    /// When the stream, the instrument or an option is not of that form.
    pub fn parse(entry: &str) -> Result<Subscription, SubscriptionError> {
        let fail = |why: String| SubscriptionError { entry: entry.to_owned(), why };
        let mut words = entry.split_whitespace();
        let channel = match words.next() {
            Some("trades") => Channel::Trades,
            Some("quotes") => Channel::Quotes,
            Some("book") => Channel::Book,
            Some("bars") => Channel::Bars,
            other => {
                let got = other.unwrap_or("nothing");
                return Err(fail(format!("starts with trades, quotes, book or bars; got {got}")));
            }
        };
        let instrument = words
            .next()
            .filter(|name| {
                name.split_once(':').is_some_and(|(v, s)| !v.is_empty() && !s.is_empty())
            })
            .ok_or_else(|| fail("names an instrument as venue:SYMBOL, flowbtc:BTCBRL".into()))?;
        let mut parsed = Subscription::new(channel, instrument);
        for word in words {
            match (channel, word.strip_prefix("depth=")) {
                (Channel::Book, Some(depth)) => {
                    let depth = depth.parse().ok().filter(|d| (1..=MAX_DEPTH).contains(d));
                    parsed.depth = depth
                        .ok_or_else(|| fail(format!("depth is a number from 1 to {MAX_DEPTH}")))?;
                }
                (Channel::Bars, None) => parsed.interval = Some(interval(word).map_err(&fail)?),
                _ => return Err(fail(format!("`{word}` is no option of {}", channel.word()))),
            }
        }
        if channel == Channel::Bars && parsed.interval.is_none() {
            return Err(fail("bars need an interval: 10s, 1m, 5m, 1h, 1d".into()));
        }
        Ok(parsed)
    }

    /// Adds a host-side filter of the table form.
    ///
    /// # Errors
    /// When the filter does not go with the stream, or its value makes no sense.
    pub fn filter(&mut self, name: &str, value: &str) -> Result<(), SubscriptionError> {
        let entry = format!("{} {} {name}={value}", self.channel.word(), self.instrument);
        let fail = |why: String| SubscriptionError { entry: entry.clone(), why };
        let number = decimal::parse(value).ok().filter(|v| *v > Decimal::ZERO);
        let number = number.ok_or_else(|| fail(format!("{name} is a number above 0")));
        match (name, self.channel) {
            ("min_qty", Channel::Trades) => self.min_qty = Some(number?),
            ("mid_moves", Channel::Quotes) => self.mid_moves = Some(number?),
            ("every", Channel::Quotes | Channel::Book) => {
                self.every = Span::from_seconds(decimal::to_f64(number?));
            }
            ("min_qty" | "mid_moves" | "every", _) => {
                return Err(fail(format!("{name} does not go with {}", self.channel.word())));
            }
            _ => return Err(fail(format!("{name} is none of min_qty, mid_moves, every"))),
        }
        Ok(())
    }
}

/// `10s`, `1m`, `4h`, `1d`; a bare number is seconds.
fn interval(word: &str) -> Result<Span, String> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match word.get(digits.len()..).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        other => return Err(format!("`{other}` is no unit of time; use s, m, h or d")),
    };
    let count = digits.parse::<i64>().ok().filter(|n| (1..=1_000_000).contains(n));
    let count = count.ok_or_else(|| format!("`{word}` is no interval; write 10s, 1m, 1h, 1d"))?;
    Ok(Span::from_secs(count * unit))
}
