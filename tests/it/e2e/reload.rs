//! Saves while a strategy trades: the new code handles the next event with the old state; a broken
//! save changes nothing and says why, where people look.

use super::program::{Folder, Program, text};
use serde_json::Value;
use std::path::Path;

/// A strategy that counts trades, and says with each its word, the count and the trade's id.
fn counting(word: &str) -> String {
    format!(
        "local s = {{ subscribe = {{ \"trades flowbtc:BTCBRL\" }} }}\n\
         function s.on_start(ctx) ctx.state.n = 0 end\n\
         function s.on_trade(ctx, trade)\n\
         \tctx.state.n += 1\n\
         \tctx.log:info(\"{word}\", {{ n = ctx.state.n, id = trade.id }})\n\
         end\n\
         return s\n"
    )
}

/// The same with an error in line 5, at column 12.
fn broken(word: &str) -> String {
    counting(word).replace("ctx.log:info(", "local x = = (")
}

/// How editors save.
#[derive(Copy, Clone, PartialEq, Debug)]
enum Save {
    /// Truncates the file and writes it.
    Truncate,
    /// Writes another file and renames it over.
    Rename,
    /// Deletes the file and creates it.
    Recreate,
}

fn save(how: Save, file: &Path, source: &str) {
    match how {
        Save::Truncate => {}
        Save::Rename => {
            let beside = file.with_extension("tmp");
            std::fs::write(&beside, source).unwrap();
            std::fs::rename(&beside, file).unwrap();
            return;
        }
        Save::Recreate => std::fs::remove_file(file).unwrap(),
    }
    std::fs::write(file, source).unwrap();
}

fn says(program: &mut Program, word: &str, times: usize) {
    for _ in 0..times {
        program.event("log", |line| line["message"] == word);
    }
}

#[test]
fn every_way_to_save_is_taken_up_and_no_event_is_lost() {
    let folder = Folder::new();
    let file = folder.write("scripts/count.luau", &counting("v0"));
    let mut program = folder.start("run --json --speed 20");
    let loaded = program.event("loaded", |_| true);
    assert_eq!(loaded["strategy"], "count");
    says(&mut program, "v0", 3);
    let mut running = loaded["version"].clone();
    for (at, (how, good)) in [
        (Save::Truncate, true),
        (Save::Truncate, false),
        (Save::Rename, true),
        (Save::Rename, false),
        (Save::Recreate, true),
        (Save::Recreate, false),
        (Save::Truncate, true),
    ]
    .into_iter()
    .enumerate()
    {
        let word = format!("v{}", at + 1);
        if good {
            save(how, &file, &counting(&word));
            let reloaded = program.event("reloaded", |_| true);
            assert_eq!(reloaded["from"], running, "{how:?}");
            running = reloaded["version"].clone();
            says(&mut program, &word, 3);
        } else {
            save(how, &file, &broken(&word));
            let refused = program.event("refused", |_| true);
            assert_eq!(refused["running"], running, "{how:?}");
            assert_eq!((&refused["line"], &refused["column"]), (&5.into(), &12.into()), "{how:?}");
            assert_eq!(text(&refused["file"]), "scripts/count.luau");
            assert!(text(&refused["message"]).contains("got '='"), "{refused}");
            says(&mut program, &format!("v{at}"), 3);
        }
    }
    program.interrupt();
    let ended = program.end();
    assert_eq!(ended.code, 130, "{}", ended.stderr());
    let (words, last) = follow(&ended.out);
    assert_eq!(words, ["v0", "v1", "v3", "v5", "v7"]);
    assert!(last >= 24, "{last}");
}

/// Walks the lines: every count and every trade follows the one before, and each word is that of
/// the version running at that moment. The words in order, and the last count.
fn follow(lines: &[String]) -> (Vec<String>, i64) {
    let (mut words, mut last): (Vec<String>, Option<(i64, i64)>) = (Vec::new(), None);
    let mut version = String::new();
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["time"].is_string() && line["strategy"].is_string(), "{line}");
        assert!(line["version"].is_string(), "{line}");
        match text(&line["event"]) {
            "loaded" | "reloaded" => {
                version = text(&line["version"]).to_owned();
                words.push(String::new());
            }
            "log" if line["strategy"] == "count" => {
                assert_eq!(line["version"], version, "{line}");
                let word = text(&line["message"]);
                let said = words.last_mut().unwrap();
                assert!(said.is_empty() || said == word, "{said} then {line}");
                word.clone_into(said);
                let n = line["fields"]["n"].as_i64().unwrap();
                let id: i64 = text(&line["fields"]["id"]).parse().unwrap();
                if let Some((before, id_before)) = last {
                    assert_eq!((n, id), (before + 1, id_before + 1), "{line}");
                }
                last = Some((n, id));
            }
            _ => {}
        }
    }
    (words, last.unwrap().0)
}

#[test]
fn a_refused_save_stands_on_the_screen_with_its_place_and_the_line() {
    let folder = Folder::new();
    let file = folder.write("scripts/count.luau", &counting("good"));
    let mut program = folder.start("run --speed 20");
    program.line("a log line", |line| line.contains("good"));
    save(Save::Truncate, &file, &broken("bad"));
    program.line("the refusal", |line| line.contains("count") && line.contains("refused"));
    program.line("the message", |line| line.contains("error: Expected identifier"));
    program.line("the place", |line| line.ends_with("--> scripts/count.luau:5:12"));
    let shown = program.line("the source line", |line| line.contains("local x = = ("));
    let caret = program.line("the caret", |line| line.trim_end().ends_with('^'));
    assert_eq!(caret.rfind('^'), shown.find("= (\"bad"), "\n{shown}\n{caret}");
    program.line("a log line", |line| line.contains("good"));
    save(Save::Truncate, &file, &counting("mended"));
    program.line("the reload", |line| line.contains("reloaded"));
    program.line("a log line", |line| line.contains("mended"));
    program.interrupt();
    assert_eq!(program.end().code, 130);
}

#[test]
fn a_module_of_two_strategies_is_taken_up_by_both_and_is_none_itself() {
    let folder = Folder::new();
    let module = folder.write("scripts/words.luau", "return { word = \"old\" }\n");
    let user = "local words = require(\"./words\")\n".to_owned()
        + &counting("x").replace("\"x\"", "words.word");
    folder.write("scripts/one.luau", &user);
    folder.write("scripts/two.luau", &user);
    let mut program = folder.start("run --json --speed 20");
    for name in ["one", "two"] {
        assert_eq!(program.event("loaded", |_| true)["strategy"], name);
    }
    says(&mut program, "old", 2);
    save(Save::Truncate, &module, "return { word = \"new\" }\n");
    for name in ["one", "two"] {
        assert_eq!(program.event("reloaded", |_| true)["strategy"], name);
    }
    says(&mut program, "new", 2);
    program.interrupt();
    let ended = program.end();
    assert_eq!(ended.events("refused"), Vec::<Value>::new());
}

#[test]
fn a_run_without_strategies_waits_for_a_mend_or_a_new_file() {
    let folder = Folder::new();
    let file = folder.write("scripts/count.luau", &broken("bad"));
    let mut program = folder.start("run --json --speed 20");
    let refused = program.event("refused", |_| true);
    assert_eq!(refused["running"], Value::Null);
    save(Save::Truncate, &file, &counting("mended"));
    program.event("loaded", |line| line["strategy"] == "count");
    says(&mut program, "mended", 2);
    folder.write("scripts/second.luau", &counting("new"));
    program.event("loaded", |line| line["strategy"] == "second");
    says(&mut program, "new", 2);
    program.interrupt();
    assert_eq!(program.end().code, 130);
    folder.write("scripts/count.luau", &broken("bad"));
    std::fs::remove_file(folder.path().join("scripts/second.luau")).unwrap();
    let ended = folder.run("run --for 1s");
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stdout().contains("no strategy runs"), "{}", ended.stdout());
}
