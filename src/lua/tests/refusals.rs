//! What is refused, with its place: wrong asks, wrong files.

use super::*;

#[test]
fn mistakes_in_asks_point_at_the_scripts_line() {
    for (code, expected) in [
        (
            "ctx:buy({ qty = 1, prize = 2 })",
            "ctx:buy: unknown field \"prize\"; did you mean \"price\"?",
        ),
        ("ctx:buy({})", "ctx:buy: qty is missing"),
        ("ctx:buy({ qty = 'abc' })", "ctx:buy: qty: `abc` is not an exact decimal"),
        ("ctx:buy({ qty = 1, tif = 'day' })", "tif is \"gtc\", \"ioc\" or \"fok\", not \"day\""),
        ("ctx:buy({ qty = 1, post_only = 1 })", "post_only is a boolean, not a number"),
        ("ctx:buy({ qty = {} })", "qty is a number, a string or a decimal, not a table"),
        ("ctx:buy(1)", "ctx:buy takes one table"),
        ("ctx:by({ qty = 1 })", "ctx has no \"by\"; did you mean \"buy\"?"),
        ("ctx:position('flowbtc:XYZ')", "no instrument \"flowbtc:XYZ\""),
        ("ctx:every(0, 'x')", "seconds is a number above 0"),
        ("coroutine.yield(1)", "a handler yielded outside of ctx:sleep"),
        (
            "coroutine.wrap(function() ctx:sleep(1) end)()",
            "not in a coroutine that the script made",
        ),
        ("error({ message = 'mine' })", "mine"),
        (
            "error(setmetatable({}, { __tostring = function() while true do end end }))",
            "raised a table",
        ),
    ] {
        let (_, faults) = walk(code, 1);
        assert_eq!(faults.len(), 1, "{code}");
        assert!(faults[0].message.contains(expected), "{code}: {}", faults[0]);
        assert_eq!(faults[0].line, 3, "{code}: {:?}", faults[0]);
    }
}

#[test]
fn scripts_that_make_no_sense_are_refused_with_their_place() {
    for (text, place, words) in [
        ("local s = {}\nfunction s.on_trade(\nreturn s", "s.luau:3:1", "Expected"),
        ("return 1", "s.luau:1:1", "returns a table; this one returned"),
        ("return {}", "s.luau:1:1", "has no handler"),
        (
            "local s = {}\nfunction s.on_trad(ctx) end\nreturn s",
            "s.luau:2:12",
            "did you mean \"on_trade\"?",
        ),
        (
            "local s = {}\nfunction s.on_eclipse(ctx) end\nreturn s",
            "s.luau:2:12",
            "the handlers are",
        ),
        (
            "local s = { subscribe = { 'tradez flowbtc:BTCBRL' } }\nfunction s.on_trade(ctx) end\nreturn s",
            "s.luau:1:28",
            "starts with trades",
        ),
        (
            "local s = { subscribe = { 'trades flowbtc:XYZ' } }\nfunction s.on_trade(ctx) end\nreturn s",
            "s.luau:1:13",
            "knows no instrument",
        ),
        (
            "local s = { params = { n = { defualt = 1 } } }\nfunction s.on_trade(ctx) end\nreturn s",
            "s.luau:1:30",
            "did you mean \"default\"?",
        ),
        (
            "local s = { params = { n = { default = 1, min = 2 } } }\nfunction s.on_trade(ctx) end\nreturn s",
            "s.luau:1:24",
            "below its min",
        ),
        ("local x = nil\nlocal y = x.z\nreturn {}", "s.luau:2:13", "attempt to index nil with 'z'"),
        ("while true do end", "s.luau:1", "time budget"),
        ("return { on_trade = 1 }", "s.luau:1:10", "on_trade is a number, not a function"),
        ("return nil", "s.luau:1", "returned nothing"),
        (
            "local s = {}\nfunction s.on_trade() end\nfunction s.on_trade_fields() end\nreturn s",
            "s.luau:3:12",
            "keep one of them",
        ),
        (
            "local s = {}\nfunction s.on_trade() end\nreturn s, require('@std/tas')",
            "s.luau:3",
            "there is no \"@std/tas\"",
        ),
    ] {
        let fault = load(&desk(), text).unwrap_err();
        let shown = fault.to_string();
        assert!(shown.starts_with(place), "{text}\n  gives {shown}\n  not at {place}");
        assert!(shown.contains(words), "{text}\n  gives {shown}");
    }
}

#[test]
fn bytecode_is_never_loaded() {
    let fault = load(&desk(), "\u{6}\u{3}\u{1}").unwrap_err();
    assert_eq!(fault.kind, FaultKind::Error);
}
