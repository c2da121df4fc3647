//! Parts of a live run: loading a script as a reload does, and a record into the journal.

use crate::delivery::load;
use crate::harness::Wish;
use lunario::base::Time;
use lunario::edge::journal::{Journal, Policy, Row};
use lunario::edge::state::StateDir;
use std::fmt::Write;

/// A strategy of 500 lines, as people write them: constants, helpers, branches.
fn long_script() -> String {
    let mut text = String::from("local s = {}\nlocal memory = {}\n");
    for at in 0..70 {
        writeln!(
            text,
            "local function part_{at}(price, qty)\n\
             \tlocal weight = price * {at} + qty\n\
             \tif weight > {at}00 then\n\
             \t\tmemory[{at}] = math.max(memory[{at}] or 0, weight)\n\
             \tend\n\
             \treturn memory[{at}] or 0\n\
             end"
        )
        .unwrap();
    }
    text.push_str("function s.on_trade(ctx, trade)\n\tlocal sum = 0\n");
    text.push_str("\tsum += part_0(trade.price, trade.qty) + part_69(trade.price, trade.qty)\n");
    text.push_str("\tctx.state.sum = sum\nend\nreturn s\n");
    text
}

pub fn run(wish: &Wish) {
    const SHORT: &str = "local s = {}\nfunction s.on_trade(ctx, trade) end\nreturn s";
    wish.spread("load: a fresh VM, 3 lines", 50, || drop(load(SHORT)));
    let long = long_script();
    let lines = long.lines().count();
    wish.spread(&format!("load: a fresh VM, {lines} lines"), 50, || drop(load(&long)));
    for (policy, count) in [(Policy::Group, 2_000), (Policy::Strict, 200)] {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(folder.path()).unwrap();
        let mut journal = Journal::open(&state, policy).unwrap();
        let body = concat!(
            r#"{"order":"8589934593","instrument":"flowbtc:BTCBRL","side":"buy","qty":"0.01","#,
            r#""price":null,"stop":null,"tif":"gtc","post_only":false,"reduce_only":false}"#,
        );
        let row = Row {
            at: Time::from_millis(1_723_161_255_088),
            kind: "intent",
            strategy: "ema_cross",
            version: "0123456789ab",
            body,
        };
        wish.spread(&format!("journal: one record, {policy:?}"), count, || {
            journal.append(&[row]).unwrap();
        });
    }
}
