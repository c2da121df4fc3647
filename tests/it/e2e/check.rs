//! `lunario check` on scripts with one error each.

use super::program::Folder;
use serde_json::Value;

/// A script whose fourth line is given.
fn with(line: &str) -> String {
    format!(
        "local s = {{ subscribe = {{ \"trades flowbtc:BTCBRL\" }} }}\n\
         \n\
         function s.on_trade(ctx, trade)\n{line}\nend\n\nreturn s\n"
    )
}

#[test]
fn errors_are_found_at_their_place() {
    let clean = with("\tctx:buy({ qty = \"0.01\" })");
    for (source, place, said) in [
        (with("\tlocal x = = 3"), "4:12", "got '='"),
        (clean.replace("on_trade", "on_trad"), "3:12", "did you mean \"on_trade\"?"),
        (with("\tctx:buuy({ qty = 1 })"), "4:6", "did you mean \"buy\"?"),
        (with("\tctx:buy({ qtty = 1 })"), "4:12", "did you mean \"qty\"?"),
        (with("\tctx.log:inform(\"x\")"), "4:10", "ctx.log:inform"),
        (clean.replace("return s", "return 5"), "", "return"),
        (clean.replace("trades flowbtc", "trade flowbtc"), "", "trade"),
        (format!("local x = require(\"./none\")\n{clean}"), "1:", "none"),
    ] {
        let folder = Folder::new();
        folder.write("scripts/one.luau", &source);
        let people = folder.run("check");
        assert_eq!(people.code, 3, "{source}\n{people:?}");
        let shown = people.stdout();
        assert!(shown.contains(&format!("scripts/one.luau:{place}")), "{source}\n{shown}");
        assert!(shown.contains(said) && shown.contains(": error: "), "{source}\n{shown}");
        let json = folder.run("check --json");
        assert_eq!(json.code, 3);
        let found: Value = serde_json::from_str(&json.out[0]).unwrap();
        assert_eq!(found["file"], "scripts/one.luau");
        let (line, column) = (&found["line"], &found["column"]);
        let at = format!("{line}:{column}");
        assert!(at.starts_with(place) && line.as_u64() > Some(0), "{source}\n{found}");
        assert_eq!(found["level"], "error");
    }
}

#[test]
fn a_clean_folder_passes() {
    let folder = Folder::new();
    folder.write("scripts/one.luau", &with("\tctx:buy({ qty = \"0.01\" })"));
    folder.write("scripts/two.luau", &with("\tctx.log:info(\"x\", { n = ctx:position() })"));
    let checked = folder.run("check");
    assert_eq!((checked.code, checked.stdout().as_str()), (0, "2 scripts, no findings"));
    let json = folder.run("check scripts/one.luau --json");
    assert_eq!((json.code, json.out.len()), (0, 0));
    // The project's own strategies, by the program that is built with them.
    let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let own = folder.run(&format!("check {}", own.display()));
    assert_eq!(own.code, 0, "{own:?}");
}
