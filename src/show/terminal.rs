//! A run in a terminal: a line for each order, fill, reload and refusal, and status lines.

use super::events::{FillLine, OrderLine, Told, What};
use super::snippet::snippet;
use super::style::{Style, Tone, clock, count, money};
use crate::base::{Decimal, OrderState, Plain, Side, Time, decimal};

/// Where a strategy stands on one instrument.
#[derive(Clone, PartialEq, Debug)]
pub struct Status {
    pub time: Time,
    pub strategy: String,
    pub instrument: String,
    /// Signed, in the base asset.
    pub position: Decimal,
    pub base: String,
    pub open_orders: usize,
    /// In the quote asset, fees apart; `net` has them taken off.
    pub realized: Decimal,
    pub unrealized: Decimal,
    pub fees: Decimal,
    pub net: Decimal,
    pub quote: String,
    pub events_per_s: u64,
}

/// The status as one line.
#[must_use]
pub fn status(status: &Status, style: Style) -> String {
    let time = style.paint(Tone::Faint, &clock(status.time));
    let name = style.paint(Tone::Strong, &format!("{:<14}", status.strategy));
    let word = style.paint(Tone::Note, &format!("{:<10}", "status"));
    let position = format!("{:>12} {}", decimal::show(status.position), status.base);
    let net = style.gain(status.net, 12);
    format!(
        "{time}  {name}  {word}  {position}  {:>2} open  net {net} {}  realized {}  unrealized {}  \
         fees {}  {} events/s",
        status.open_orders,
        status.quote,
        style.gain(status.realized, 0),
        style.gain(status.unrealized, 0),
        money(status.fees),
        count(status.events_per_s),
    )
}

/// An event as one line (more where an error shows its source). `source` is the text of the file in
/// which an error is, if the caller has it.
#[must_use]
pub fn line(told: &Told, source: Option<&str>, style: Style) -> String {
    let time = style.paint(Tone::Faint, &clock(told.time));
    let name = if told.strategy.is_empty() { "-" } else { told.strategy.as_str() };
    let name = style.paint(Tone::Strong, &format!("{name:<14}"));
    let (tone, word, text) = words(told, source, style);
    let word = style.paint(tone, &format!("{word:<10}"));
    format!("{time}  {name}  {word}  {text}")
}

fn words(told: &Told, source: Option<&str>, style: Style) -> (Tone, &'static str, String) {
    match &told.what {
        What::Loaded => (Tone::Good, "loaded", format!("version {}", short(&told.version))),
        What::Reloaded { from } => {
            let text = format!("version {} in place of {}", short(&told.version), short(from));
            (Tone::Good, "reloaded", text)
        }
        What::Refused { place, message, running } => {
            let goes_on = match running {
                Some(version) => format!("version {} goes on", short(version)),
                None => "nothing runs".to_owned(),
            };
            let error = indented(&snippet(place, message, source, style));
            (Tone::Bad, "refused", format!("{goes_on}\n{error}"))
        }
        What::RolledBack { from, reason } => {
            let text = format!("to {} from {}: {reason}", short(&told.version), short(from));
            (Tone::Warn, "rolled back", text)
        }
        What::Order(order) => order_words(order, style),
        What::Fill(fill) => (Tone::Good, "fill", fill_words(fill, style)),
        What::Failed { handler, place, message, .. } => {
            let error = indented(&snippet(place, message, source, style));
            (Tone::Bad, "failed", format!("in {handler}\n{error}"))
        }
        What::Halt { reason } => (Tone::Bad, "halt", reason.clone()),
        What::Feed { venue, channel, state, reason } => {
            let tone = if *state == "live" { Tone::Good } else { Tone::Warn };
            (tone, "feed", spaced(&format!("{venue} {channel} {state}"), reason))
        }
        What::Log { level, message, fields } => {
            let tone = match *level {
                "error" => Tone::Bad,
                "warn" => Tone::Warn,
                _ => Tone::Note,
            };
            (tone, level, spaced(message, &facts(fields)))
        }
        What::Stopped { reason, open: 0 } => (Tone::Note, "stopped", reason.clone()),
        What::Stopped { reason, open } => {
            (Tone::Bad, "stopped", format!("{reason}; {open} orders may still be open"))
        }
    }
}

fn order_words(order: &OrderLine, style: Style) -> (Tone, &'static str, String) {
    let price = match (order.price, order.stop) {
        (Some(price), None) => format!("@ {}", decimal::show(price)),
        (None, None) => "at market".to_owned(),
        (Some(price), Some(stop)) => {
            format!("@ {} from {}", decimal::show(price), decimal::show(stop))
        }
        (None, Some(stop)) => format!("at market from {}", decimal::show(stop)),
    };
    let tone = match order.state {
        OrderState::Filled => Tone::Good,
        OrderState::Rejected => Tone::Bad,
        OrderState::Unknown => Tone::Warn,
        OrderState::Pending | OrderState::Working | OrderState::Canceled | OrderState::Expired => {
            Tone::Note
        }
    };
    let what = format!(
        "{} {:>12} {}  {price:<16}  #{}",
        side(order.side, style),
        decimal::show(order.qty),
        order.instrument,
        order.order
    );
    let partly = order.state != OrderState::Filled && !order.filled.is_zero();
    let what =
        if partly { format!("{what}  {} filled", decimal::show(order.filled)) } else { what };
    let tag = if order.tag.is_empty() { String::new() } else { format!("[{}]", order.tag) };
    (tone, order.state.word(), spaced(&spaced(&what, &tag), &order.reason))
}

fn fill_words(fill: &FillLine, style: Style) -> String {
    format!(
        "{} {:>12} {}  @ {:<14}  #{}  fee {} {}  {}",
        side(fill.side, style),
        decimal::show(fill.qty),
        fill.instrument,
        decimal::show(fill.price),
        fill.order,
        decimal::show(fill.fee),
        fill.fee_asset,
        fill.liquidity.word()
    )
}

fn side(side: Side, style: Style) -> String {
    let tone = match side {
        Side::Buy => Tone::Good,
        Side::Sell => Tone::Bad,
    };
    style.paint(tone, &format!("{:<4}", side.word()))
}

/// A version as people compare it.
fn short(version: &str) -> &str {
    version.get(..8).unwrap_or(version)
}

fn spaced(text: &str, more: &str) -> String {
    if more.is_empty() { text.to_owned() } else { format!("{text}  {more}") }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<String>>().join("\n")
}

/// The fields of a log line as `key=value …`.
fn facts(fields: &Plain) -> String {
    let Plain::Map(pairs) = fields else {
        return if *fields == Plain::Nil { String::new() } else { fields.json() };
    };
    let bare = |value: &Plain| match value {
        Plain::Text(text) => text.clone(),
        Plain::Nil
        | Plain::Bool(_)
        | Plain::Int(_)
        | Plain::Decimal(_)
        | Plain::Number(_)
        | Plain::List(_)
        | Plain::Map(_)
        | Plain::Object(..) => value.json().trim_matches('"').to_owned(),
    };
    let shown = pairs.iter().map(|(key, value)| format!("{}={}", bare(key), bare(value)));
    shown.collect::<Vec<String>>().join(" ")
}
