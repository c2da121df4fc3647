//! Attacks on the host: runaways, memory, ways out of the sandbox.

use super::*;

#[test]
fn runaways_are_stopped_and_the_next_row_goes_on() {
    for runaway in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "pcall(function() while true do end end) while true do end",
        "local c = coroutine.wrap(function() while true do end end) c()",
        "local c = coroutine.create(function() while true do pcall(function() while true do end end) end end) coroutine.resume(c) while true do coroutine.resume(c) end",
        "string.find(string.rep('a', 30000), string.rep('a*', 20) .. 'b')",
        "local function f() return f() end f()",
        "for i = 1, math.huge do end",
        "table.sort(table.create(100000, 1), function(a, b) while true do end return a < b end)",
        "local t = setmetatable({}, { __index = function(t, k) return t[k .. 'x'] end }) pcall(function() return t.a end) while true do end",
        "string.gsub(string.rep('a', 60000), '.-b', '')",
        "while true do local ok = pcall(error, 'x') end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "repeat local t = table.create(10) until false",
    ] {
        let (said, faults) =
            walk(&format!("if trade.price == 100 then {runaway} end ctx.log:info('next')"), 2);
        assert_eq!(said, ["next"], "{runaway}: {faults:?}");
        assert_eq!(faults.len(), 1, "{runaway}: {faults:?}");
    }
}

#[test]
fn a_runaway_after_quick_rows_is_stopped_too() {
    let (said, faults) = walk("if trade.price == 105 then while true do end end", 2000);
    assert_eq!(said.len(), 0);
    assert_eq!(faults.iter().map(|f| f.kind).collect::<Vec<_>>(), [FaultKind::Budget]);
    assert_eq!(faults[0].at, Time::from_millis(2500));
    assert!(faults[0].message.contains("30 ms"), "{}", faults[0].message);
}

#[test]
fn memory_is_capped_and_the_vm_lives_on() {
    let (said, faults) = walk(
        "if trade.price == 100 then local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end end ctx.log:info('next')",
        2,
    );
    assert_eq!(said, ["next"]);
    assert!(matches!(faults[0].kind, FaultKind::Memory | FaultKind::Budget), "{faults:?}");
}

#[test]
fn the_sandbox_has_no_way_out() {
    for (code, expected) in [
        ("return tostring(io)", "nil"),
        ("return tostring(debug)", "nil"),
        ("return tostring(loadstring)", "nil"),
        ("return tostring(getfenv)", "nil"),
        ("return tostring(os.getenv)", "nil"),
        ("return tostring(collectgarbage)", "nil"),
        ("return tostring(newproxy)", "nil"),
        ("return tostring(pcall(function() x = 1 end))", "false"),
        ("return tostring(pcall(function() string.upper = 1 end))", "false"),
        ("return tostring(pcall(function() getmetatable('').__index = 1 end))", "false"),
        ("return tostring(getmetatable(ctx))", "ctx"),
        ("return tostring(pcall(setmetatable, ctx, nil))", "false"),
        ("return tostring(os.time())", "2"),
        ("return os.date('%Y-%m-%d', 0)", "1970-01-01"),
        ("return tostring(pcall(require, '../etc/passwd'))", "false"),
        ("return tostring(pcall(require, '@std/nothing'))", "false"),
        ("return tostring(pcall(function() ctx.params.x = 1 end))", "false"),
    ] {
        let (said, faults) = walk(&format!("local function f() {code} end ctx.log:info(f())"), 1);
        assert_eq!((said, faults), (vec![expected.to_owned()], vec![]), "{code}");
    }
}
