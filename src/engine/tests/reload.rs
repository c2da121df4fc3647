//! A new version while the old one trades: what it gets, and what a refused one leaves behind.

use super::*;

/// A version that counts in its state and tells its word with each trade.
fn counter(word: &str) -> String {
    format!(
        "local ta = require('@std/ta') local s = {{}} \
         function s.on_start(ctx) ctx.state.n = 0 ctx.state.ema = ta.ema(2) ctx.log:info('{word} start') end \
         function s.on_trade(ctx, trade) local state = ctx.state state.n += 1 \
         ctx.log:info(`{word} {{state.n}} {{state.ema:update(trade.price)}}`) end return s"
    )
}

#[test]
fn the_next_event_is_the_new_codes_and_the_state_stays() {
    let mut rig = Rig::with(config());
    rig.load("s", &counter("old"));
    let mut told = vec!["old start".to_owned()];
    let prices = ["100", "102", "104", "98"];
    for price in prices {
        rig.trade(price, "1");
    }
    let alone = {
        let mut rig = Rig::with(config());
        rig.load("s", &counter("old"));
        for price in prices.iter().chain(&["97", "99"]) {
            rig.trade(price, "1");
        }
        rig.said_by("s")
    };
    told.extend(alone[1..5].iter().cloned());
    rig.load("s", &counter("new"));
    for price in ["97", "99"] {
        rig.trade(price, "1");
    }
    // The average goes on as if nothing had happened, under the new words.
    told.extend(alone[5..].iter().map(|line| line.replace("old", "new")));
    assert_eq!(rig.said_by("s"), told);
    assert!(rig.notes().contains(&"reloaded 0".to_owned()));
    let versions: Vec<String> =
        rig.records().into_iter().filter(|line| line == "version").collect();
    assert_eq!(versions.len(), 2);
}

#[test]
fn the_version_record_names_both_versions() {
    let mut rig = Rig::of(&counter("old"));
    let old = rig.engine.status()[0].version.clone();
    rig.load("s", &counter("new"));
    let new = rig.engine.status()[0].version.clone();
    let Out::Record(record) = &rig.outs[0] else { panic!("{:?}", rig.lines()) };
    assert_eq!((record.kind, record.version.as_ref()), ("version", Some(&new)));
    assert_eq!(record.body.get("from"), Some(&Plain::text(&*old.0)));
    let Some(Out::Note(Note::Reloaded { from, version, .. })) = rig.outs.last() else { panic!() };
    assert_eq!((from, version), (&old, &new));
}

/// Rests two orders, and tells what it sees of the world.
fn holder(word: &str) -> String {
    format!(
        "local s = {{}} function s.on_trade(ctx, trade) \
         if trade.qty == 1 then ctx:buy({{ qty = 1, price = 100, tag = 'a' }}) ctx:sell({{ qty = 2, price = 110 }}) \
         elseif trade.qty == 2 then local list = {{}} \
         for _, o in ctx:orders() do table.insert(list, \
         `{{o.side}} {{o.qty}} {{o.filled}} {{o.state}} {{o.tag}} {{o.instrument}} {{o.venue_id}}`) end \
         ctx.log:info(`{word} {{ctx:position()}} {{ctx:position_detail().avg_price}} \
         {{table.concat(list, ' | ')}}`) \
         elseif trade.qty == 3 then ctx.log:info(`{{ctx:cancel(ctx:orders()[1])}}`) end end \
         function s.on_order(ctx, order) \
         local known = false for _, o in ctx:orders() do if o == order then known = true end end \
         ctx.log:info(`{word} order {{order.state}} {{order.side}} {{known}} {{ctx:order(order.id) == order}}`) end \
         function s.on_fill(ctx, fill) ctx.log:info(`{word} fill {{fill.order.side}} {{ctx:position()}}`) end \
         return s"
    )
}

#[test]
fn open_orders_and_positions_are_known_to_the_new_version() {
    let mut rig = Rig::of(&holder("old"));
    rig.trade("100", "1");
    rig.working(1);
    rig.working(2);
    rig.fill(1, 11, "100", "0.25");
    rig.trade("100", "2");
    let id = |sequence| venue_id(sequence).to_string();
    let world = |word: &str| {
        format!(
            "{word} 0.25 100 buy 1 0.25 working a flowbtc:BTCBRL {} | sell 2 0 working nil flowbtc:BTCBRL {}",
            id(1),
            id(2)
        )
    };
    assert_eq!(rig.said_by("s").last(), Some(&world("old")));
    rig.load("s", &holder("new"));
    rig.clear();
    rig.trade("100", "2");
    rig.trade("100", "3");
    assert_eq!(rig.commands(), ["cancel 0.1"]);
    rig.fill(1, 12, "100", "0.25");
    rig.canceled(1, "0.5");
    rig.fill(2, 13, "110", "2");
    let told = [
        world("new"),
        "true".to_owned(),
        "new fill buy 0.5".to_owned(),
        "new order canceled buy false true".to_owned(),
        "new fill sell -1.5".to_owned(),
        "new order filled sell false true".to_owned(),
    ];
    assert_eq!(rig.said_by("s"), told);
}

#[test]
fn an_order_keeps_the_version_that_sent_it() {
    let mut rig = Rig::of(&holder("old"));
    let old = rig.engine.status()[0].version.clone();
    rig.trade("100", "1");
    rig.load("s", &holder("new"));
    let new = rig.engine.status()[0].version.clone();
    rig.trade("100", "1");
    let versions: Vec<_> = [1, 3].map(|sequence| rig.order(sequence).version).into();
    assert_eq!(versions, [old, new]);
}

/// Candidates that do not make it, and where the reason points.
const BROKEN: [(&str, &str); 8] = [
    ("local s = {} function s.on_trade(ctx) local = 1 end return s", "s.luau:1:"),
    ("error('not today')", "not today"),
    ("return 5", "returns a table"),
    ("return { on_trad = function() end }", "on_trade"),
    ("return { on_trade = function() end, subscribe = { 'trades nowhere:XYZ' } }", "nowhere:XYZ"),
    ("while true do end", "budget"),
    ("return { on_trade = function() end, on_load = function() error('cannot') end }", "cannot"),
    (
        "return { on_trade = function() end, on_load = function(ctx, data) local x = data.no.no end }",
        "nil",
    ),
];

#[test]
fn a_refused_candidate_leaves_the_old_version_running() {
    let mut config = config();
    config.lua.load = Duration::from_millis(500);
    let mut rig = Rig::with(config);
    rig.load("s", &counter("old"));
    let version = rig.engine.status()[0].version.clone();
    for (at, (code, reason)) in BROKEN.iter().enumerate() {
        rig.clear();
        rig.load("s", code);
        let notes = rig.notes();
        assert_eq!(notes.len(), 1, "{code}: {notes:?}");
        assert!(notes[0].starts_with("refused s ") && notes[0].ends_with("the old one runs"));
        assert!(notes[0].contains(reason), "{code}: {notes:?}");
        let Some(Out::Note(Note::Refused { running, .. })) = rig.outs.last() else { panic!() };
        assert_eq!(running.as_ref(), Some(&version), "{code}");
        assert!(rig.records()[0].starts_with("refused "), "{code}");
        assert_eq!(rig.records().len(), 1, "{code}");
        assert_eq!(rig.engine.status()[0].version, version, "{code}");
        rig.clear();
        rig.trade("100", "1");
        let [told] = &rig.said_by("s")[..] else { panic!("{code}") };
        assert!(told.starts_with(&format!("old {} ", at + 1)), "{code}: {told}");
    }
}

#[test]
fn a_state_that_cannot_be_copied_keeps_the_old_version() {
    let rows = [
        ("ctx.state.f = function() end", "state.f"),
        ("ctx.state.list = { 1, { deep = coroutine.create(function() end) } }", "deep"),
        ("ctx.state.me = ctx.state", "state.me"),
    ];
    for (line, place) in rows {
        let script = |word: &str| {
            format!(
                "local s = {{}} function s.on_start(ctx) {line} end \
                 function s.on_trade(ctx) ctx.log:info('{word}') end return s"
            )
        };
        let mut rig = Rig::of(&script("old"));
        rig.load("s", &script("new"));
        let notes = rig.notes();
        assert!(notes[0].starts_with("refused s ") && notes[0].contains(place), "{notes:?}");
        rig.clear();
        rig.trade("100", "1");
        assert_eq!(rig.said_by("s"), ["old"]);
    }
}

#[test]
fn on_save_and_on_load_hand_over_what_they_like() {
    let old = "local s = {} local n = 0 function s.on_trade(ctx) n += 1 end \
               function s.on_save(ctx) return { n = n, big = '9222816249026513001' } end return s";
    let new = "local s = {} local n function s.on_trade(ctx) n += 1 ctx.log:info(n) end \
               function s.on_load(ctx, data, from) n = data.n ctx.log:info(`{data.n} {data.big} {#from > 0}`) end \
               return s";
    let mut rig = Rig::of(old);
    for _ in 0..3 {
        rig.trade("100", "1");
    }
    rig.load("s", new);
    rig.trade("100", "1");
    assert_eq!(rig.said_by("s"), ["3 9222816249026513001 true", "4"]);
    // A saving that fails keeps the old one.
    let mut rig = Rig::of(&old.replace("return { n", "error('full') return { n"));
    rig.load("s", new);
    assert!(rig.notes()[0].contains("full"), "{:?}", rig.notes());
}

#[test]
fn what_a_candidate_asks_for_while_it_loads_does_not_leave() {
    let old = "local s = { subscribe = { 'trades flowbtc:BTCBRL' } } function s.on_start(ctx) ctx:every(1, 'beat') ctx:buy({ qty = 1, price = 90 }) end \
               function s.on_timer(ctx, t) ctx.log:info(`old {t.name}`) end return s";
    let new = |tail: &str| {
        format!(
            "local s = {{ subscribe = {{ 'trades flowbtc:BTCBRL' }} }} function s.on_timer(ctx, t) ctx.log:info(`new {{t.name}}`) end \
             function s.on_load(ctx) local o = ctx:buy({{ qty = 1 }}) ctx.log:info(o.reason) \
             ctx.log:info(`{{select(2, ctx:cancel(ctx:orders()[1]))}} {{ctx:cancel_all()}} {{#ctx:flatten()}}`) \
             ctx:cancel_timer('beat') ctx:after(1.5, 'own') {tail} end return s"
        )
    };
    let refused = ["STRATEGY_LOADING", "STRATEGY_LOADING 0 0"];
    let mut rig = Rig::of(old);
    rig.load("s", &new("ctx:halt('no') error('no')"));
    assert_eq!(rig.said_by("s"), refused, "{:?}", rig.lines());
    rig.clear();
    rig.ms(2_000);
    assert_eq!(rig.said_by("s"), ["old beat", "old beat"]);
    assert_eq!(rig.commands(), Vec::<String>::new());
    assert!(rig.engine.status()[0].halted.is_none());

    let mut rig = Rig::of(old);
    rig.load("s", &new(""));
    rig.ms(2_000);
    assert_eq!(rig.said_by("s"), [refused[0], refused[1], "new own"]);
    assert_eq!(rig.commands(), Vec::<String>::new());

    // To halt itself is a version's right.
    let mut rig = Rig::of(old);
    rig.load("s", &new("ctx:halt('not me')"));
    assert_eq!(rig.engine.status()[0].halted.as_deref(), Some("not me"));
    assert_eq!(rig.commands(), ["cancel 0.1"]);
}

#[test]
fn a_strategy_whose_first_load_failed_starts_when_it_is_mended() {
    let mut rig = Rig::with(config());
    rig.load("s", "return {");
    assert!(!rig.engine.runs("s"));
    assert!(rig.notes()[1].ends_with("nothing runs"), "{:?}", rig.notes());
    rig.trade("100", "1");
    rig.load("s", "still nothing");
    rig.clear();
    rig.load("s", &counter("new"));
    rig.trade("100", "1");
    assert_eq!(rig.said_by("s"), ["new start", "new 1 nil"]);
    assert_eq!(rig.notes()[0], "loaded 0");
}

#[test]
fn on_start_runs_once_even_if_the_reload_comes_before_the_session() {
    let mut rig = Rig::cold(config());
    rig.load("s", &counter("old"));
    rig.load("s", &counter("new"));
    assert_eq!(rig.said_by("s"), Vec::<String>::new());
    rig.session(FeedState::Live);
    rig.load("s", &counter("newer"));
    rig.session(FeedState::Down);
    rig.session(FeedState::Live);
    assert_eq!(rig.said_by("s"), ["new start"]);
}

#[test]
fn what_a_filter_remembers_survives() {
    let script = |word: &str| {
        format!(
            "local s = {{ subscribe = {{ {{ 'quotes flowbtc:BTCBRL', every = 1 }} }} }} \
             function s.on_quote(ctx, quote) ctx.log:info(`{word} {{quote.bid}}`) end return s"
        )
    };
    let mut rig = Rig::of(&script("old"));
    rig.quote("99", "101");
    rig.ms(100);
    rig.quote("98", "101");
    rig.load("s", &script("new"));
    rig.ms(2_000);
    assert_eq!(rig.said_by("s"), ["old 99", "new 98"]);
}

#[test]
fn an_open_order_of_an_instrument_that_is_no_longer_subscribed_keeps_its_name() {
    let script = |subscribe: &str| {
        format!(
            "local s = {{ subscribe = {{ {subscribe} }} }} function s.on_trade(ctx, trade) \
             if trade.qty == 1 then ctx:buy({{ instrument = 'flowbtc:ETHBRL', qty = 1, price = 10 }}) \
             else ctx.log:info(`{{#ctx:orders('flowbtc:ETHBRL')}} {{ctx:orders()[1].instrument}}`) end end \
             return s"
        )
    };
    let mut rig = Rig::of(&script("'trades flowbtc:BTCBRL', 'trades flowbtc:ETHBRL'"));
    rig.trade("100", "1");
    rig.working(1);
    rig.load("s", &script("'trades flowbtc:BTCBRL'"));
    rig.trade("100", "2");
    assert_eq!(rig.said_by("s"), ["1 flowbtc:ETHBRL"]);
}
