//! The picture of a run for the README: a real one, drawn from what it writes to a terminal.
//! `UPDATE=1 cargo test --test it e2e::capture` takes it again.

use super::program::{Folder, Program};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const WINDOW: &str = include_str!("window.svg");

/// The advance of a monospaced font of the window's size, the distance of lines, and margins, in
/// pixels.
const ADVANCE: f64 = 7.8;
const LINE: f64 = 19.0;
const MARGIN: f64 = 20.0;
const TOP: f64 = 48.0;

const FRONT: &str = "#cdd6e4";

/// A stretch of a line in one color.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Span {
    at: usize,
    code: u8,
    text: String,
}

/// The stretches of a line with the terminal's color codes.
fn spans(line: &str) -> Vec<Span> {
    let (mut spans, mut code, mut at) = (Vec::new(), 0, 0);
    for (index, part) in line.split("\u{1b}[").enumerate() {
        let text = match part.split_once('m').filter(|_| index > 0) {
            Some((number, text)) => {
                code = number.parse().unwrap();
                text
            }
            None => part,
        };
        // Two blanks and more are only distance.
        for piece in text.replace('\t', "    ").split_inclusive("  ") {
            let start = at + piece.chars().take_while(|c| *c == ' ').count();
            at += piece.chars().count();
            if !piece.trim().is_empty() {
                spans.push(Span { at: start, code, text: piece.trim().to_owned() });
            }
        }
    }
    spans
}

fn color(code: u8) -> &'static str {
    match code {
        1 => "#ffffff",
        2 => "#66748c",
        31 => "#ff7b85",
        32 => "#7fd88f",
        33 => "#f0c674",
        36 => "#6cb6ff",
        _ => FRONT,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The lines as a window. Every stretch is placed by its column and told its width, so that it
/// stands right in any monospaced font.
fn svg(title: &str, lines: &[String]) -> String {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());
    let ends = lines.iter().flat_map(|line| spans(line));
    let columns = ends.map(|span| span.at + span.text.chars().count()).max().unwrap_or(0);
    let width = MARGIN * 2.0 + ADVANCE * number(columns);
    let height = TOP + number(lines.len()) * LINE + MARGIN / 2.0;
    let mut texts = String::new();
    for (row, line) in lines.iter().enumerate() {
        let y = TOP + LINE * (number(row) + 0.5);
        for span in spans(line) {
            let x = MARGIN + ADVANCE * number(span.at);
            let long = ADVANCE * number(span.text.chars().count());
            let weight = if span.code == 1 { r#" font-weight="600""# } else { "" };
            let (color, text) = (color(span.code), escaped(&span.text));
            writeln!(
                texts,
                r#"<text x="{x:.1}" y="{y:.1}" textLength="{long:.1}" fill="{color}"{weight}>{text}</text>"#
            )
            .unwrap();
        }
    }
    WINDOW
        .replace("{{width}}", &format!("{width:.0}"))
        .replace("{{height}}", &format!("{height:.0}"))
        .replace("{{right}}", &format!("{:.0}", width - 10.0))
        .replace("{{middle}}", &format!("{:.0}", width / 2.0))
        .replace("{{title}}", title)
        .replace("{{lines}}", &texts)
}

fn picture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images/run.svg")
}

const WORDS: &str = "run --speed 6 --seed 3";

fn fills(program: &mut Program, strategy: &str, times: usize) {
    for _ in 0..times {
        program.line("a fill", |line| line.contains(strategy) && line.contains("fill "));
    }
}

/// A run of two of the project's strategies, one of which is edited for better and for worse.
fn take() -> Vec<String> {
    let folder = Folder::new();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let source = |name: &str| std::fs::read_to_string(own.join(name)).unwrap();
    let cross = source("ema_cross.luau");
    let file = folder.write("scripts/ema_cross.luau", &cross);
    folder.write("scripts/market_maker.luau", &source("market_maker.luau"));
    let mut command = folder.command(WORDS);
    let mut program = Program::start(command_in_color(&mut command));
    fills(&mut program, "ema_cross", 1);
    let quicker = cross.replace("fast = { default = 10", "fast = { default = 6");
    std::fs::write(&file, &quicker).unwrap();
    program.line("the save", |line| line.contains("reloaded"));
    fills(&mut program, "ema_cross", 1);
    let torn = quicker.replace("position <= 0 then", "position <= 0");
    std::fs::write(&file, torn).unwrap();
    program.line("the refusal", |line| line.contains("refused"));
    fills(&mut program, "ema_cross", 1);
    program.line("the status", |line| line.contains("all") && line.contains("status"));
    program.interrupt();
    let ended = program.end();
    let mut lines = vec![format!("\u{1b}[32m$\u{1b}[0m lunario {WORDS}")];
    lines.extend(ended.out);
    lines
}

fn command_in_color(command: &mut std::process::Command) -> std::process::Command {
    let mut colored = std::process::Command::new(command.get_program());
    colored.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
    colored.env_clear().env("CLICOLOR_FORCE", "1");
    colored
}

#[test]
fn the_picture_shows_a_run_with_a_save_taken_up_and_one_refused() {
    if lunario::edge::config::variable("UPDATE").is_some() {
        std::fs::create_dir_all(picture().parent().unwrap()).unwrap();
        std::fs::write(picture(), svg("lunario run", &take())).unwrap();
    }
    let text = std::fs::read_to_string(picture()).unwrap();
    for word in [
        "lunario run",
        "loaded",
        "fill",
        "reloaded",
        "refused",
        "scripts/ema_cross.luau:",
        "status",
    ] {
        assert!(text.contains(word), "{word} is not in the picture");
    }
    assert!(text.len() < 60_000, "{} bytes", text.len());
}

#[test]
fn color_codes_become_stretches() {
    let span = |at, code, text: &str| Span { at, code, text: text.to_owned() };
    assert_eq!(
        spans("\u{1b}[2m10:00\u{1b}[0m  \u{1b}[1mname  \u{1b}[0m  plain  text "),
        [span(0, 2, "10:00"), span(7, 1, "name"), span(15, 0, "plain"), span(22, 0, "text")]
    );
    assert_eq!(spans(""), []);
    assert!(svg("t", &["\u{1b}[31ma < b & c\u{1b}[0m".to_owned()]).contains("a &lt; b &amp; c"));
}
