//! `lunario status|orders|positions`: what a running engine says of itself over its control socket.

use super::{Failure, Global, output};
use crate::base::{Plain, json};
use crate::edge::{control, telemetry};
use crate::run::control::Question;
use crate::run::options::Outcome;
use crate::show::grid;
use crate::show::style::Style;
use anyhow::{Context, anyhow};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The state folder of the engine
    #[arg(long, value_name = "DIR", default_value = ".lunario", env = "LUNARIO_STATE")]
    state: PathBuf,
}

pub(super) fn main(question: Question, args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let answer = control::ask(&args.state, question.word()).map_err(Failure::Work)?;
    if global.json {
        output::line(&answer)?;
        return Ok(Outcome::Done);
    }
    let said = json::read(&answer).map_err(|why| anyhow!("{why}"));
    let said = said.context("the engine's answer cannot be read").map_err(Failure::Work)?;
    if let Some(Plain::Text(why)) = said.get("error") {
        return Err(Failure::Work(anyhow!("{why}; is it of another version?")));
    }
    let style = Style { color: telemetry::colored_stdout() };
    let text = match question {
        Question::Status => status(&said, style),
        Question::Orders => table(&said, "orders", ORDERS, "no open orders", style),
        Question::Positions => table(&said, "positions", POSITIONS, "no positions", style),
    };
    output::print(&text)?;
    Ok(Outcome::Done)
}

/// (key of the answer, heading)
type Columns = &'static [(&'static str, &'static str)];

const STRATEGIES: Columns = &[
    ("strategy", "strategy"),
    ("version", "version"),
    ("open_orders", "open orders"),
    ("halted", "halted"),
];
const VENUES: Columns = &[("venue", "venue"), ("ready", "live")];
const LANES: Columns = &[
    ("lane", "rate lane"),
    ("left", "left"),
    ("limit", "of"),
    ("per_s", "per s"),
    ("reserve", "reserve"),
    ("waiting", "waiting"),
];
const ORDERS: Columns = &[
    ("order", "order"),
    ("strategy", "strategy"),
    ("instrument", "instrument"),
    ("side", "side"),
    ("qty", "qty"),
    ("price", "price"),
    ("filled", "filled"),
    ("state", "state"),
];
const POSITIONS: Columns = &[
    ("strategy", "strategy"),
    ("instrument", "instrument"),
    ("qty", "position"),
    ("realized", "realized"),
    ("unrealized", "unrealized"),
    ("fees", "fees"),
    ("net_pnl", "net"),
];

fn status(said: &Plain, style: Style) -> String {
    let mut text = format!(
        "run {} · up {} s · {} events · {} orders, {} open\n",
        word(said.get("run")),
        word(said.get("uptime_s")).split('.').next().unwrap_or_default(),
        word(said.get("events")),
        word(said.get("orders")),
        word(said.get("open_orders")),
    );
    for (key, columns, none) in [
        ("strategies", STRATEGIES, "no strategies"),
        ("venues", VENUES, "no venues"),
        ("lanes", LANES, "no rate lanes"),
    ] {
        text.push('\n');
        text.push_str(&table(said, key, columns, none, style));
    }
    text
}

fn table(said: &Plain, key: &str, columns: Columns, none: &str, style: Style) -> String {
    let rows = match said.get(key) {
        Some(Plain::List(rows)) if !rows.is_empty() => rows,
        _ => return format!("{none}\n"),
    };
    let headings: Vec<&str> = columns.iter().map(|(_, heading)| *heading).collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| columns.iter().map(|(key, _)| word(row.get(key))).collect())
        .collect();
    grid::grid(&headings, &cells, style)
}

fn word(value: Option<&Plain>) -> String {
    match value {
        None | Some(Plain::Nil) => String::new(),
        Some(Plain::Bool(true)) => "yes".to_owned(),
        Some(Plain::Bool(false)) => "no".to_owned(),
        Some(Plain::Text(text)) => text.clone(),
        Some(Plain::Decimal(value)) => crate::base::decimal::show(*value),
        Some(
            other @ (Plain::Int(_)
            | Plain::Number(_)
            | Plain::List(_)
            | Plain::Map(_)
            | Plain::Object(..)),
        ) => other.json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_becomes_tables() {
        let said = json::read(
            r#"{"run":7,"uptime_s":12.5,"events":3,"orders":2,"open_orders":1,
            "strategies":[{"strategy":"ema","version":"ab12","halted":null,"open_orders":1}],
            "venues":[{"venue":"flowbtc","ready":true}],
            "lanes":[{"lane":"flowbtc","limit":100,"per_s":60,"reserve":20,"left":75,
            "waiting":0}]}"#,
        );
        let text = status(&said.unwrap(), Style { color: false });
        let expected = "\
run 7 · up 12 s · 3 events · 2 orders, 1 open

strategy  version  open orders  halted
ema       ab12               1

venue    live
flowbtc  yes

rate lane  left   of  per s  reserve  waiting
flowbtc      75  100     60       20        0
";
        assert_eq!(text, expected);
        let none = json::read(r#"{"orders":[]}"#).unwrap();
        let text = table(&none, "orders", ORDERS, "no open orders", Style { color: false });
        assert_eq!(text, "no open orders\n");
    }
}
