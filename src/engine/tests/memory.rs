//! What strategies remember: told with the records, found again by the next version and run.

use super::*;

/// Counts its fills in what it remembers.
const COUNTING: &str = r#"
local s = { subscribe = { "trades flowbtc:BTCBRL" } }
function s.on_trade(ctx) ctx:buy({ qty = 1, price = 100 }) end
function s.on_fill(ctx, fill)
	local kept = ctx:recall("fills") or { n = 0 }
	kept.n += 1
	kept.last = fill.qty
	ctx:remember("fills", kept)
end
return s"#;

fn remembered(rig: &Rig) -> Vec<String> {
    rig.lines().into_iter().filter(|line| line.starts_with("remember")).collect()
}

#[test]
fn what_is_remembered_comes_between_the_records_and_the_bytes_of_its_input() {
    let script = "local s = {} function s.on_trade(ctx) ctx:remember('a', 1) ctx:buy({ qty = 1, \
                  price = 100 }) ctx:remember('a', { n = 0.1 }) ctx:remember('b', nil) end return s";
    let mut rig = Rig::of(script);
    rig.trade("100", "1");
    assert_eq!(
        rig.lines(),
        ["record intent 0.1", r#"remember s a = {"n":0.1}"#, "net place 0.1 buy 1 @ 100"]
    );
}

#[test]
fn a_fill_and_what_its_handler_remembers_are_one_input() {
    let mut rig = Rig::of(COUNTING);
    rig.trade("100", "1");
    rig.working(1);
    rig.clear();
    rig.fill(1, 1, "100", "0.5");
    let lines = rig.lines();
    let at = |word: &str| lines.iter().position(|line| line.starts_with(word)).unwrap();
    assert!(at("record fill") < at("remember"), "{lines:?}");
    assert_eq!(remembered(&rig), [r#"remember s fills = {"last":0.5,"n":1}"#]);
}

#[test]
fn the_next_version_and_the_next_run_recall_it() {
    let mut rig = Rig::of(COUNTING);
    rig.trade("100", "1");
    rig.working(1);
    rig.fill(1, 2, "100", "0.5");
    rig.load("s", &format!("{COUNTING} -- the next version"));
    rig.fill(1, 3, "100", "0.25");
    assert_eq!(remembered(&rig).last().unwrap(), r#"remember s fills = {"last":0.25,"n":2}"#);

    let kept = crate::base::json::doubles(r#"{"last":0.25,"n":2}"#).unwrap();
    let mut config = config();
    config.memory = [("s".to_owned(), [("fills".to_owned(), kept)].into())].into();
    let mut rig = Rig::with(config);
    rig.load("s", COUNTING);
    rig.load("t", COUNTING);
    rig.trade("100", "1");
    rig.working(1);
    rig.fill(1, 4, "100", "0.125");
    assert_eq!(remembered(&rig), [r#"remember s fills = {"last":0.125,"n":3}"#]);
}

#[test]
fn a_copy_is_recalled_and_nil_forgets() {
    let mut rig = Rig::of(
        "local s = {} function s.on_trade(ctx, trade) \
         if trade.qty == 1 then ctx:remember('a', { list = {} }) \
         local got = ctx:recall('a') got.list[1] = true ctx.log:info(`{#ctx:recall('a').list}`) \
         ctx:remember('zero', -0) ctx.log:info(`{1 / ctx:recall('zero')}`) \
         ctx:remember('whole', 2 ^ 53) ctx.log:info(`{ctx:recall('whole') == 2 ^ 53}`) \
         ctx:remember('a', nil) ctx:remember('never', nil) \
         ctx.log:info(`{ctx:recall('a')} {ctx:recall('never')}`) end end return s",
    );
    rig.trade("100", "1");
    let told = remembered(&rig);
    assert_eq!(told[..2], ["remember s a = nothing", "remember s zero = -0"]);
    assert_eq!(rig.said(), ["s: 0", "s: -inf", "s: true", "s: nil nil"]);
}

#[test]
fn what_cannot_be_kept_fails_at_the_scripts_line() {
    for (call, expected) in [
        ("ctx:remember('a', print)", "a is a function; plain data is"),
        ("ctx:remember('a', { b = { 1, nil, 3 } })", "a.b[1]: keys are text"),
        ("ctx:remember('a', { n = 0 / 0 })", "a.n is NaN; numbers are finite"),
        ("ctx:remember('a', '\\xff')", "a is a string that is not UTF-8"),
        ("ctx:remember('\\xff', 1)", "the name is a string that is not UTF-8"),
        ("ctx:remember('a', require('@std/ta').ema(3))", "a is an object (ta.ema)"),
        ("ctx:remember('', 1)", "a name has 1 to 128 bytes, not 0"),
        ("ctx:remember('a', string.rep('x', 300000))", "a is 300002 bytes of JSON"),
        ("ctx:remember({}, 1)", "ctx:remember takes a name as a string, not a table"),
        ("ctx:recall()", "ctx:recall takes a name as a string, not a nil"),
        ("local t = {} t.t = t ctx:remember('a', t)", "or contains itself"),
    ] {
        let script = format!("local s = {{}}\n\nfunction s.on_trade(ctx)\n{call} end\nreturn s");
        let mut rig = Rig::of(&script);
        rig.trade("100", "1");
        let fault = rig.outs.iter().find_map(|out| match out {
            Out::Note(Note::Fault { fault, .. }) => Some(fault.clone()),
            _ => None,
        });
        let fault = fault.unwrap_or_else(|| panic!("{call}: {:?}", rig.lines()));
        assert!(fault.message.contains(expected) && fault.line == 4, "{call}: {fault}");
        assert_eq!(remembered(&rig), [] as [String; 0]);
    }
}

#[test]
fn a_version_that_is_refused_leaves_no_memory_behind() {
    let mut rig = Rig::of(COUNTING);
    rig.load(
        "s",
        "local s = {} function s.on_trade() end function s.on_load(ctx) \
         ctx:remember('a', 1) end return s",
    );
    let lines = rig.lines();
    let told = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(told("refused") && !told("remember s"), "{lines:?}");
}
