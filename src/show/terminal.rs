//! A run in a terminal: a line for each order, fill, reload and refusal, and status lines.

use super::events::{FillLine, OrderLine, Stopped, Told, What};
use super::snippet::snippet;
use super::style::{Style, Tone, clock, count, money, price};
use crate::base::{Decimal, OrderState, Plain, Side, Time, decimal};
use std::collections::BTreeMap;

/// How the lines of a run look.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Look {
    pub style: Style,
    /// The width of the column of strategies.
    pub names: usize,
    /// Instruments are shown with their venue.
    pub venues: bool,
}

impl Look {
    /// What every line begins with.
    fn head(&self, time: Time, name: &str, tone: Tone, word: &str) -> String {
        let time = self.style.paint(Tone::Faint, &clock(time));
        let name = if name.is_empty() { "lunario" } else { name };
        let name = self.style.paint(Tone::Strong, &format!("{name:<width$}", width = self.names));
        let word = self.style.paint(tone, &format!("{word:<8}"));
        format!("{time}  {name}  {word}  ")
    }

    fn instrument<'a>(&self, name: &'a str) -> &'a str {
        match name.split_once(':') {
            Some((_, symbol)) if !self.venues => symbol,
            _ => name,
        }
    }
}

/// Where a strategy stands on one instrument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    pub instrument: String,
    /// Signed, in the base asset.
    pub position: Decimal,
    pub base: String,
    /// In the quote asset, fees apart; `net` has them taken off.
    pub realized: Decimal,
    pub fees: Decimal,
    pub net: Decimal,
    pub quote: String,
}

/// A strategy's status on one line. `None`: it has not traded yet.
#[must_use]
pub fn status(
    time: Time,
    strategy: &str,
    status: Option<&Status>,
    open_orders: usize,
    look: Look,
) -> String {
    let head = look.head(time, strategy, Tone::Faint, "status");
    let open = if open_orders > 0 { format!("  {open_orders} open") } else { String::new() };
    let Some(status) = status else {
        let waits = look.style.paint(Tone::Faint, "no fills yet");
        return format!("{head}{waits}{open}");
    };
    format!(
        "{head}{:<5}{:>8} {:<5}net {} {}  realized {}  fees {}{open}",
        held(status.position),
        decimal::show(status.position),
        status.base,
        look.style.gain(status.net, 9),
        status.quote,
        look.style.gain(status.realized, 0),
        money(status.fees),
    )
}

const fn held(position: Decimal) -> &'static str {
    if position.is_zero() {
        "flat"
    } else if position.is_sign_negative() {
        "short"
    } else {
        "long"
    }
}

/// All strategies on one line: profit by quote asset, and how much the market says.
#[must_use]
pub fn total(time: Time, net: &BTreeMap<String, Decimal>, events_per_s: u64, look: Look) -> String {
    let head = look.head(time, "all", Tone::Faint, "status");
    let mut text = format!("{:>18} ", "");
    let mut nets = net.iter();
    match nets.next() {
        Some((quote, net)) => {
            text.push_str(&format!("net {} {quote}  ", look.style.gain(*net, 9)));
        }
        None => text.clear(),
    }
    for (quote, net) in nets {
        text.push_str(&format!("{} {quote}  ", look.style.gain(*net, 0)));
    }
    format!("{head}{text}{} events/s", count(events_per_s))
}

/// An event as one line (more where an error shows its source). `source` is the text of the file in
/// which an error is, if the caller has it.
#[must_use]
pub fn line(told: &Told, source: Option<&str>, look: Look) -> String {
    let (name, tone, word, text) = words(told, source, look);
    look.head(told.time, name, tone, word) + &text
}

type Words<'a> = (&'a str, Tone, &'a str, String);

fn words<'a>(told: &'a Told, source: Option<&str>, look: Look) -> Words<'a> {
    let (name, style) = (told.strategy.as_str(), look.style);
    match &told.what {
        What::Loaded => (name, Tone::Good, "loaded", format!("version {}", short(&told.version))),
        What::Reloaded { from } => {
            let text = match short(&told.version) {
                same if same == short(from) => format!("version {same} again"),
                version => format!("version {version} in place of {}", short(from)),
            };
            (name, Tone::Good, "reloaded", text)
        }
        What::Refused { place, message, running } => {
            let goes_on = match running {
                Some(version) => format!("version {} goes on", short(version)),
                None => "nothing runs until it is mended".to_owned(),
            };
            let error = indented(&snippet(place, message, source, style));
            (name, Tone::Bad, "refused", format!("{goes_on}\n{error}"))
        }
        What::RolledBack { from, reason } => {
            let text = format!("to {} from {}: {reason}", short(&told.version), short(from));
            (name, Tone::Warn, "rolled back", text)
        }
        What::Order(order) => {
            let (tone, word) = (order_tone(order.state), order.state.word());
            (name, tone, word, order_words(order, look))
        }
        What::Fill(fill) => (name, Tone::Good, "fill", fill_words(fill, look)),
        What::Failed { handler, place, message, .. } => {
            let error = indented(&snippet(place, message, source, style));
            (name, Tone::Bad, "failed", format!("in {handler}\n{error}"))
        }
        What::Halt { reason } => {
            (name, Tone::Bad, "halt", format!("{reason}; save a mended version to go on"))
        }
        What::Feed { venue, channel, state, reason } => {
            let tone = if *state == "live" { Tone::Good } else { Tone::Warn };
            (venue, tone, "feed", spaced(&format!("{channel} {state}"), reason))
        }
        What::Log { level, message, fields } => {
            let tone = match *level {
                "error" => Tone::Bad,
                "warn" => Tone::Warn,
                _ => Tone::Note,
            };
            let (name, message) = match message.split_once(": ") {
                // The engine's own lines begin with the venue they come from.
                Some((venue, rest)) if name.is_empty() && !venue.contains(' ') => (venue, rest),
                _ => (name, message.as_str()),
            };
            (name, tone, level, spaced(message, &facts(fields)))
        }
        What::Stopped(stopped) => (name, stop_tone(stopped), "stopped", stop_words(stopped)),
    }
}

fn stop_tone(stopped: &Stopped) -> Tone {
    if stopped.open == 0 { Tone::Note } else { Tone::Bad }
}

fn stop_words(stopped: &Stopped) -> String {
    let open = match stopped.open {
        0 => "no order is open".to_owned(),
        1 => "1 order may still be open: look at the venue".to_owned(),
        open => format!("{open} orders may still be open: look at the venue"),
    };
    format!("{}; {open}", stopped.reason)
}

fn order_tone(state: OrderState) -> Tone {
    match state {
        OrderState::Filled => Tone::Good,
        OrderState::Rejected => Tone::Bad,
        OrderState::Unknown => Tone::Warn,
        OrderState::Pending | OrderState::Working | OrderState::Canceled | OrderState::Expired => {
            Tone::Note
        }
    }
}

fn order_words(order: &OrderLine, look: Look) -> String {
    let at = match (order.price, order.stop) {
        (Some(limit), None) => format!("@ {:>10}", price(limit)),
        (None, None) => format!("@ {:>10}", "market"),
        (Some(limit), Some(stop)) => format!("@ {:>10} from {}", price(limit), price(stop)),
        (None, Some(stop)) => format!("@ {:>10} from {}", "market", price(stop)),
    };
    let what = trade(order.side, order.qty, look.instrument(&order.instrument), &at, look);
    let partly = order.state != OrderState::Filled && !order.filled.is_zero();
    let filled =
        if partly { format!("{} filled", decimal::show(order.filled)) } else { String::new() };
    let number = numbered(order.number, &order.tag, look);
    spaced(&spaced(&format!("{what}  {number}"), &filled), &order.reason)
}

fn fill_words(fill: &FillLine, look: Look) -> String {
    let at = format!("@ {:>10}", price(fill.price));
    let what = trade(fill.side, fill.qty, look.instrument(&fill.instrument), &at, look);
    let partly = fill
        .partly
        .map(|(filled, qty)| format!("{} of {}", decimal::show(filled), decimal::show(qty)));
    let fee = format!("fee {} {}", money(fill.fee), fill.fee_asset);
    let number = numbered(fill.number, &fill.tag, look);
    spaced(
        &format!("{what}  {number}"),
        &spaced(
            &partly.unwrap_or_default(),
            &look.style.paint(Tone::Faint, &format!("{fee} {}", fill.liquidity.word())),
        ),
    )
}

fn trade(side: Side, qty: Decimal, instrument: &str, at: &str, look: Look) -> String {
    let tone = match side {
        Side::Buy => Tone::Good,
        Side::Sell => Tone::Bad,
    };
    let side = look.style.paint(tone, &format!("{:<4}", side.word()));
    format!("{side} {:>8} {instrument} {at}", decimal::show(qty))
}

/// `#12 tag`
fn numbered(number: u32, tag: &str, look: Look) -> String {
    let number = look.style.paint(Tone::Faint, &format!("#{number}"));
    if tag.is_empty() { number } else { format!("{number} {tag}") }
}

/// A version as people compare it.
fn short(version: &str) -> &str {
    version.get(..8).unwrap_or(version)
}

fn spaced(text: &str, more: &str) -> String {
    match (text, more) {
        (text, "") => text.to_owned(),
        ("", more) => more.to_owned(),
        (text, more) => format!("{text}  {more}"),
    }
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
