//! State over a reload, and module graphs.

use super::*;

#[test]
fn state_moves_to_a_fresh_vm_exactly() {
    let text = r#"
local class = require("@std/class")
local s = {}
function s.on_start(ctx)
	ctx.state.list = { 1, 2.5, "x", { true } }
	ctx.state.map = { a = 0.1, b = { c = "é" }, [3] = "three" }
	ctx.state.nan = 0 / 0
end
function s.on_trade(ctx)
	local st = ctx.state
	ctx.log:info(`{st.list[2]} {st.list[4][1]} {st.map.a} {st.map.b.c} {st.map[3]} {st.nan ~= st.nan}`)
end
return s"#;
    let desk = desk();
    let mut old = load(&desk, text).unwrap();
    old.start(Time::from_millis(1));
    let saved = old.save(Time::from_millis(2)).unwrap();
    let mut new = load(&desk, text).unwrap();
    let version = old.version().clone();
    new.restore(Time::from_millis(2), &saved, &version).unwrap();
    assert_eq!(new.save(Time::from_millis(3)).unwrap().json(), saved.json());
    new.load_block(&block(1));
    new.rows(0, 1);
    assert_eq!(logged(&desk), ["2.5 true 0.1 é three true"]);
}

#[test]
fn state_that_cannot_be_copied_is_named() {
    for (code, words) in [
        ("ctx.state.f = function() end", "state.f is a function"),
        ("ctx.state.a = { b = { print } }", "state.a.b[1] is a function"),
        ("ctx.state.t = setmetatable({}, {})", "state.t has a metatable of no registered class"),
        ("ctx.state.me = ctx.state", "contains itself"),
        ("ctx.state.c = coroutine.create(print)", "state.c is a thread"),
    ] {
        let text = format!("local s = {{}}\nfunction s.on_start(ctx) {code} end\nreturn s");
        let mut script = load(&desk(), &text).unwrap();
        script.start(Time::from_millis(1));
        let fault = script.save(Time::from_millis(2)).unwrap_err();
        assert!(fault.message.contains(words), "{code}: {fault}");
    }
}

#[test]
fn explicit_hand_over_is_used_where_it_is_written() {
    let text = "local s = {}\nfunction s.on_start(ctx) end\nfunction s.on_save(ctx) return { n = 7 } end\nfunction s.on_load(ctx, data, from) ctx.log:info(`{data.n} {from}`) end\nreturn s";
    let desk = desk();
    let mut script = load(&desk, text).unwrap();
    let saved = script.save(Time::ZERO).unwrap();
    assert_eq!(saved, Plain::Map(vec![(Plain::text("n"), Plain::Number(7.0))]));
    let version = script.version().clone();
    script.restore(Time::ZERO, &saved, &version).unwrap();
    assert_eq!(logged(&desk), [format!("7 {version}")]);
}

#[test]
fn modules_of_the_folder_are_part_of_the_version() {
    let mut files = BTreeMap::from([
        (
            "s.luau",
            "local h = require(\"./lib/helpers\")\nlocal s = {}\nfunction s.on_start(ctx) ctx.log:info(h.word) end\nreturn s",
        ),
        ("lib/helpers.luau", "return { word = require('../other').word }"),
        ("other.luau", "return { word = 'deep' }"),
    ]);
    let collect = |files: &BTreeMap<&str, &str>| {
        graph::collect("s.luau", &mut |path| {
            files.get(path).map(|text| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
        })
    };
    let first = collect(&files).unwrap();
    assert_eq!(first.sources.len(), 3);
    let desk = desk();
    let mut script = load_candidate(&desk, first.clone()).unwrap();
    script.start(Time::ZERO);
    assert_eq!(logged(&desk), ["deep"]);
    files.insert("other.luau", "return { word = 'changed' }");
    assert_ne!(collect(&files).unwrap().version, first.version);
    files.remove("other.luau");
    let refused = collect(&files).unwrap_err().to_string();
    assert!(refused.starts_with("lib/helpers.luau:1: require(\"../other\")"), "{refused}");
}

#[test]
fn requires_in_comments_and_strings_do_not_count() {
    let text = "-- require('./a')\n--[[ require('./b') ]]\nlocal x = \"require('./c')\"\nlocal y = [[require('./d')]]\nreturn {}";
    assert_eq!(graph::single("s.luau", text).unwrap().sources.len(), 1);
    assert!(graph::single("s.luau", "require './a'").is_err());
}
