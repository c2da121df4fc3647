//! Commands in the documentation: their verbs and flags are the program's own.

use super::{fenced, pages};
use crate::source::read;
use std::process::Command;

/// A command line of a page: the words before the first flag, and the flags.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    at: usize,
    verb: Vec<String>,
    flags: Vec<String>,
}

/// The calls of the program in a shell block: `lunario …`, `cargo run … -- …`, with or without a
/// `$`.
fn calls(first: usize, text: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let joined = text.replace("\\\n", "\u{0} ");
    let mut at = first;
    for line in joined.lines() {
        let here = at;
        at += 1 + line.matches('\u{0}').count();
        let line = line.replace('\u{0}', " ");
        let line = line.trim().trim_start_matches("$ ");
        let line = line.split(" # ").next().unwrap_or_default();
        let line = line.split(['|', '>', '&']).next().unwrap_or_default();
        let mut words: Vec<&str> = line.split_whitespace().collect();
        while words.first().is_some_and(|word| word.contains('=') && !word.starts_with('-')) {
            words.remove(0);
        }
        let arguments = match words.as_slice() {
            ["lunario" | "target/release/lunario", rest @ ..] => rest.to_vec(),
            ["cargo", "run", rest @ ..] => {
                rest.iter().skip_while(|word| **word != "--").skip(1).copied().collect()
            }
            _ => continue,
        };
        let own = |word: &&str| word.starts_with('-') && word.len() > 1;
        let verb = arguments.iter().take_while(|word| !own(word)).map(ToString::to_string);
        let flags = arguments.iter().filter(|word| own(word));
        let flags = flags.map(|flag| flag.split('=').next().unwrap_or_default().to_owned());
        found.push(Line { at: here, verb: verb.collect(), flags: flags.collect() });
    }
    found
}

/// The help of a verb, or what the program says against it.
fn help(verb: &[String]) -> Result<String, String> {
    let program = env!("CARGO_BIN_EXE_lunario");
    let out = Command::new(program).args(verb).arg("--help").output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    if out.status.success() && text.contains("Usage: lunario") {
        return Ok(text);
    }
    Err(String::from_utf8_lossy(&out.stderr).lines().next().unwrap_or("no help").to_owned())
}

fn wrong(line: &Line) -> Option<String> {
    let help = match help(&line.verb) {
        Ok(help) => help,
        Err(why) => return Some(format!("lunario {}: {why}", line.verb.join(" "))),
    };
    if let Some(verb) = line.verb.first()
        && !help.contains(&format!("Usage: lunario {verb}"))
    {
        return Some(format!("{verb} is no verb"));
    }
    let known = |flag: &String| {
        help.split(|c: char| c.is_whitespace() || c == ',' || c == '[' || c == ']')
            .any(|word| word.trim_end_matches("...") == flag)
    };
    let unknown = line.flags.iter().find(|flag| !known(flag))?;
    Some(format!("lunario {}: no flag {unknown}", line.verb.join(" ")))
}

#[test]
fn commands_are_the_programs_own() {
    let mut found = Vec::new();
    let mut count = 0;
    for page in pages() {
        for block in fenced(&page.text).iter().filter(|block| block.info == "sh") {
            for line in calls(block.line, &block.text) {
                count += 1;
                let said = wrong(&line);
                found.extend(said.map(|said| format!("{}:{}: {said}", page.path, line.at)));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(count >= 8, "only {count} commands in the documentation");
}

#[test]
fn the_readmes_two_commands_are_there_and_tested() {
    let readme = read("README.md");
    let blocks = fenced(&readme);
    let shell: String =
        blocks.iter().filter(|block| block.info == "sh").map(|block| block.text.as_str()).collect();
    assert!(shell.contains("cargo run --release -- run --for 60s"), "{shell}");
    assert!(shell.contains("cargo test"), "{shell}");
    assert!(read(".ci/run").contains("cargo test"), ".ci/run does not test");
}

#[test]
fn commands_are_read_and_wrong_ones_found() {
    let text = "$ lunario run scripts --for 30s \\\n    --json # quick\ncargo run --release -- new x\n\
        A=1 lunario journal verify | head\nls -l\ncargo test\n";
    let line = |at, verb: &[&str], flags: &[&str]| Line {
        at,
        verb: verb.iter().map(ToString::to_string).collect(),
        flags: flags.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(
        calls(10, text),
        [
            line(10, &["run", "scripts"], &["--for", "--json"]),
            line(12, &["new", "x"], &[]),
            line(13, &["journal", "verify"], &[]),
        ]
    );
    for (line, expected) in [
        (line(1, &["run"], &["--for", "--json"]), ""),
        (line(1, &["run"], &["--forever"]), "no flag --forever"),
        (line(1, &["dance"], &[]), "dance"),
        (line(1, &[], &["--version"]), ""),
    ] {
        let said = wrong(&line).unwrap_or_default();
        let fits = if expected.is_empty() { said.is_empty() } else { said.contains(expected) };
        assert!(fits, "{line:?}\n  says {said:?}\n  not  {expected:?}");
    }
}
