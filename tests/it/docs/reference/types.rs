//! The section of the type file that declares the venues' calls.

use super::{inside, open, title};
use lunario::base::{CallFailureKind, Fate};
use lunario::calls::{self, By, Call, Field, Kind, Reply, flowbtc, mercadobitcoin, notes, sentra};
use std::fmt::Write;

/// The section is Luau: with its declarations as types it compiles.
#[test]
fn the_section_is_luau() {
    let mut text = String::from("type Amount = number\n");
    text.push_str(
        &section().replace("\ndeclare ", "\nexport type ").replace(": {\n\t--", " = {\n\t--"),
    );
    text.push_str(
        "return { subscribe = { \"trades flowbtc:BTCBRL\" }, on_trade = function() end }\n",
    );
    super::super::blocks::load(&text).unwrap();
}

const BEGIN: &str = "-- Venue calls, written by `UPDATE=1 cargo test --test it docs::reference`.\n";
const END: &str = "-- The end of the venue calls.\n";

/// The file with a fresh section.
pub fn spliced(file: &str) -> String {
    let (before, rest) = file.split_once(BEGIN).expect("the section's first line");
    let (_, after) = rest.split_once(END).expect("the section's last line");
    format!("{before}{BEGIN}{}{END}{after}", section())
}

/// Lists of fields that have a name of their own, with what one is.
const NAMED: &[(&[Field], &str, &str)] = &[
    (flowbtc::RECEIPT, "FlowBtcReceipt", "Received, or why not: any of these fields."),
    (flowbtc::LOGIN, "FlowBtcLogin", "What a login answers; its token stays with the host."),
    (flowbtc::TICKER, "FlowBtcTicker", "Best prices and the figures of the day."),
    (flowbtc::LEVEL_ROW, "FlowBtcLevelRow", "A price of the book."),
    (flowbtc::TRADE_ROW, "FlowBtcTradeRow", "A public trade."),
    (flowbtc::BAR_ROW, "FlowBtcBarRow", "A bar; mind the order high, low, open, close."),
    (flowbtc::ORDER, "FlowBtcOrder", "An order as the venue keeps it."),
    (flowbtc::EXECUTION, "FlowBtcExecution", "A fill of the account."),
    (flowbtc::PRODUCT, "FlowBtcProduct", "An asset."),
    (flowbtc::INSTRUMENT_ROW, "FlowBtcInstrument", "What is traded, and its steps."),
    (flowbtc::POSITION, "FlowBtcPosition", "The balance of an asset."),
    (flowbtc::USER, "FlowBtcUser", "The user, without what names or authenticates him."),
    (flowbtc::TICKET, "FlowBtcTicket", "Money on its way in or out."),
    (mercadobitcoin::ORDER, "MercadoBitcoinOrder", "An order; its number is its key."),
    (sentra::ANSWER, "SentraAnswer", "What was stored."),
];

/// Lists of fields that scripts send.
const SENT: &[(&[Field], &str, &str)] = &[
    (sentra::POSITION, "SentraPosition", "An open position as Sentra takes it."),
    (sentra::TRADE, "SentraTrade", "A closed trade as Sentra takes it."),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Asked,
    Answered,
}

/// Where a type stands: whose it is, and how deep.
#[derive(Clone, Copy)]
struct Place<'a> {
    venue: &'a str,
    /// The call whose notes hold; empty for a type of several calls.
    call: &'a str,
    way: Way,
    depth: usize,
}

impl Place<'_> {
    fn deeper(self) -> Self {
        Place { depth: self.depth + 1, ..self }
    }

    fn tabs(self) -> String {
        "\t".repeat(self.depth)
    }
}

fn section() -> String {
    let mut out = failure();
    for (list, way) in [(NAMED, Way::Answered), (SENT, Way::Asked)] {
        for (fields, name, what) in list {
            let venue = calls::VENUES
                .into_iter()
                .find(|venue| name.to_ascii_lowercase().starts_with(venue));
            let (venue, call) = owner(venue.unwrap_or_default(), fields);
            let place = Place { venue, call, way, depth: 0 };
            let _ok = writeln!(out, "\n-- {what}");
            match columns(fields, place) {
                Some(told) => drop(writeln!(out, "{told}export type {name} = {{ any }}")),
                None => drop(writeln!(out, "export type {name} = {}", object(fields, place))),
            }
        }
    }
    for venue in calls::VENUES {
        out.push('\n');
        out.push_str(&declared(venue));
    }
    out
}

/// The first call of a venue that has these fields: its notes are theirs.
fn owner<'a>(venue: &'a str, fields: &[Field]) -> (&'a str, &'static str) {
    let has = |call: &&Call| {
        let nested = call.args.iter().filter_map(|field| inside(field.kind));
        let answered = super::answered(call);
        let same = answered
            .iter()
            .map(|field| field.name)
            .eq(fields.iter().filter(|field| field.by != By::Host).map(|field| field.name));
        same || nested.into_iter().any(|inner| inner == fields)
    };
    (venue, calls::of(venue).iter().find(has).map_or("", |call| call.name))
}

/// A row is a list of cells of several types; a comment tells which is which.
fn columns(fields: &'static [Field], place: Place) -> Option<String> {
    let rows = |call: &&Call| call.reply == Reply::Rows(fields);
    calls::of(place.venue).iter().find(rows)?;
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let lines = wrapped(&format!("In this order: {}.", names.join(", ")), 96);
    let told: String = lines.iter().map(|line| format!("-- {line}\n")).collect();
    Some(told)
}

fn failure() -> String {
    let words = |words: Vec<&str>, gap: &str| -> String {
        words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(gap)
    };
    let kinds = words(CallFailureKind::ALL.iter().map(|kind| kind.word()).collect(), "\n\t\t| ");
    let outcomes = words([Fate::Refused, Fate::Unknown].map(Fate::word).to_vec(), " | ");
    format!(
        "\n-- What a failed call raises; `tostring` reads well. \"refused\": nothing happened; \
         \"unknown\": it\n-- may have, find out before trying again. `retry_after` is in seconds.\n\
         export type CallError = {{\n\tkind: {kinds},\n\tvenue: string,\n\tcall: string,\n\
         \t-- The venue's error number or HTTP status.\n\tcode: number?,\n\tmessage: string,\n\
         \toutcome: {outcomes},\n\tretry_after: number?,\n}}\n"
    )
}

/// The global of a venue.
fn declared(venue: &str) -> String {
    let mut out = format!("-- {}'s calls by their documented names.\n", title(venue));
    let _ok = writeln!(out, "declare {venue}: {{");
    for call in calls::of(venue) {
        let place = Place { venue, call: call.name, way: Way::Asked, depth: 1 };
        for line in wrapped(&format!("{} ({})", call.doc, call.contract), 92) {
            let _ok = writeln!(out, "\t-- {line}");
        }
        for name in call.spelled() {
            let _ok =
                writeln!(out, "\t{name}: ({}) -> {},", asked(call, place), reply(call, place));
        }
    }
    out.push_str("}\n");
    out
}

fn asked(call: &Call, place: Place) -> String {
    let fields = open(call.args);
    if fields.is_empty() {
        return "fields: {}?".to_owned();
    }
    let needed = fields.iter().any(|field| field.required && field.by == By::Script);
    let needed = needed || !call.one_of.is_empty();
    format!("fields: {}{}", object(call.args, place), if needed { "" } else { "?" })
}

fn reply(call: &Call, place: Place) -> String {
    let place = Place { way: Way::Answered, ..place };
    match call.reply {
        Reply::Receipt => type_of(flowbtc::RECEIPT, place),
        Reply::Object(fields) => type_of(fields, place),
        Reply::Objects(fields) | Reply::Rows(fields) => format!("{{ {} }}", type_of(fields, place)),
        Reply::Keyed(fields) => format!("{{ [string]: {} }}", type_of(fields, place)),
        Reply::Numbers => "{ number }".to_owned(),
    }
}

/// The name of an object's type, or the type itself.
fn type_of(fields: &'static [Field], place: Place) -> String {
    let list = if place.way == Way::Asked { SENT } else { NAMED };
    let named = list.iter().find(|(of, ..)| *of == fields);
    named.map_or_else(|| object(fields, place), |(_, name, _)| (*name).to_owned())
}

fn object(fields: &'static [Field], place: Place) -> String {
    let deeper = place.deeper();
    let tabs = deeper.tabs();
    let mut out = String::from("{\n");
    for field in open(fields) {
        let note = notes::note(place.venue, place.call, field.name);
        for line in wrapped(note, 96 - 4 * deeper.depth) {
            let _ok = writeln!(out, "{tabs}-- {line}");
        }
        let told = kind(field.kind, deeper);
        let optional = match place.way {
            Way::Asked => !field.required || field.by == By::Either,
            Way::Answered => !field.required,
        };
        let told = match (optional, told.contains(" | ") && !told.starts_with('{')) {
            (true, true) => format!("({told})?"),
            (true, false) => format!("{told}?"),
            (false, _) => told,
        };
        let name = if field.name == "end" { "[\"end\"]" } else { field.name };
        let _ok = writeln!(out, "{tabs}{name}: {told},");
    }
    let _ok = write!(out, "{}}}", place.tabs());
    out
}

fn kind(kind: Kind, place: Place) -> String {
    match (kind, place.way) {
        (Kind::Int, _) | (Kind::Dec | Kind::Number, Way::Answered) => "number".to_owned(),
        (Kind::Id, Way::Answered) | (Kind::Text, _) => "string".to_owned(),
        (Kind::Id, Way::Asked) => "string | number".to_owned(),
        (Kind::Dec | Kind::Number, Way::Asked) => "Amount".to_owned(),
        (Kind::Stamp, _) => "number | string".to_owned(),
        (Kind::Bool, _) => "boolean".to_owned(),
        (Kind::Word(words), _) => {
            words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | ")
        }
        (Kind::Object(fields), _) => type_of(fields, place),
        (Kind::List(fields), _) => format!("{{ {} }}", type_of(fields, place)),
        (Kind::Keyed(fields), _) => format!("{{ [string]: {} }}", type_of(fields, place)),
        (Kind::Rows(_), _) => "{ { number } }".to_owned(),
        (Kind::Numbers, _) => "{ number }".to_owned(),
    }
}

/// The words of a text in lines of at most so many columns; none for an empty text.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
