//! Files of faults: what they say, and where they are wrong.

use super::*;

fn one(what: What, when: When, on: &str) -> Vec<Fault> {
    vec![Fault { on: on.to_owned(), when, what }]
}

#[test]
fn every_word_is_read() {
    let always = When::Every(1);
    for (body, expected) in [
        ("what='drop_before'", one(What::DropBefore, always, "*")),
        ("what='drop_after'\nnth=3", one(What::DropAfter, When::Nth(3), "*")),
        ("what='delay'\nms=250", one(What::Delay(Span::from_millis(250)), always, "*")),
        ("what='hold'\nms=1", one(What::Hold(Span::from_millis(1)), always, "*")),
        ("what='duplicate'\non='sendorder'", one(What::Duplicate, always, "SendOrder")),
        ("what='reorder'\nevery=2", one(What::Reorder, When::Every(2), "*")),
        ("what='lose_events'\non='*'", one(What::LoseEvents, always, "*")),
        ("what='html'", one(What::Html(503), always, "*")),
        ("what='html'\nstatus=502", one(What::Html(502), always, "*")),
        ("what='plain_text'\ntext='x'", one(What::PlainText("x".into()), always, "*")),
        ("what='truncate'", one(What::Truncate, always, "*")),
        ("what='too_many'", one(What::TooMany, always, "*")),
        ("what='not_found'", one(What::NotFound, always, "*")),
        ("what='logout_event'", one(What::LogoutEvent, always, "*")),
        ("what='error'\ntext='no'", one(What::Error("no".into()), always, "*")),
    ] {
        let plan = FaultPlan::from_toml(&format!("[[fault]]\nvenue='flowbtc'\n{body}\n")).unwrap();
        assert_eq!(plan.flowbtc, expected, "{body}");
        assert_eq!((plan.len(), plan.is_empty()), (1, false), "{body}");
    }
}

#[test]
fn venues_and_skew_are_told_apart() {
    let text = "[[fault]]\nvenue='sentra'\nwhat='too_many'\non='heartbeat'\n\n\
        [[fault]]\nvenue='mercadobitcoin'\nwhat='skew'\nseconds=-30\n\n\
        [[fault]]\nvenue='mercadobitcoin'\nwhat='html'\non='day-summary'\n";
    let plan = FaultPlan::from_toml(text).unwrap();
    let always = When::Every(1);
    assert_eq!(plan.sentra, one(What::TooMany, always, "heartbeat"));
    assert_eq!(plan.mercadobitcoin, one(What::Html(503), always, "day-summary"));
    assert_eq!(plan.skew, Span::from_secs(-30));
    let json = br#"{"fault":[{"venue":"sentra","what":"too_many","on":"heartbeat"},
        {"venue":"mercadobitcoin","what":"skew","seconds":-30},
        {"venue":"mercadobitcoin","what":"html","on":"day-summary"}]}"#;
    assert_eq!(FaultPlan::from_json(json).unwrap(), plan);
    assert!(FaultPlan::from_toml("").unwrap().is_empty());
    assert!(FaultPlan::from_json(b"{}").unwrap().is_empty());
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (text, line, expected) in [
        ("[[fault]]\nvenue='flowbtc'\nwhat='dely'\nms=3", 1, "`delay` is meant?"),
        ("\n\n[[fault]]\nvenue='flow'\nwhat='delay'", 3, "one of flowbtc"),
        ("[[fault]]\nwhat='delay'", 1, "`venue` is missing"),
        ("[[fault]]\nvenue='sentra'\nwhat='delay'", 1, "`delay` needs `ms`"),
        ("[[fault]]\nvenue='sentra'\nwhat='delay'\nms=0", 1, "from 1 to"),
        ("[[fault]]\nvenue='sentra'\nwhat='truncate'\nms=1", 1, "takes no `ms`"),
        ("[[fault]]\nvenue='sentra'\nwhat='html'\nstatus=200", 1, "one of 500"),
        ("[[fault]]\nvenue='sentra'\nwhat='error'", 1, "needs `text`"),
        ("[[fault]]\nvenue='sentra'\nwhat='truncate'\nnth=1\nevery=1", 1, "not both"),
        ("[[fault]]\nvenue='sentra'\nwhat='truncate'\nnth=0", 1, "count from 1"),
        ("[[fault]]\nvenue='flowbtc'\non='SendOrdr'\nwhat='truncate'", 1, "`SendOrder` is meant?"),
        ("[[fault]]\nvenue='flowbtc'\nwhat='skew'\nseconds=1", 1, "only mercadobitcoin"),
        ("[[fault]]\nvenue='mercadobitcoin'\nwhat='skew'", 1, "needs `seconds`"),
        ("[[fault]]\nvenue='mercadobitcoin'\nwhat='skew'\nnth=1", 1, "`seconds` alone"),
        ("[[fault]]\nvenue='mercadobitcoin'\nwhat='skew'\nseconds=99999999", 1, "a year"),
        ("[[fault]]\nvenue='sentra'\nwhen=1", 3, "unknown field `when`"),
        ("[[fault]]\nvenue=", 2, ""),
        ("[[faults]]\nvenue='sentra'", 1, "unknown field `faults`"),
    ] {
        let (at, why) = FaultPlan::from_toml(text).unwrap_err();
        assert!(at == line && why.contains(expected), "{text}\n  says {at}: {why}");
    }
    for (json, expected) in [
        (r#"{"fault":[{"venue":"sentra","what":"truncate"},{"venue":"x"}]}"#, "fault 2: `venue`"),
        (r#"{"fault":3}"#, "invalid type"),
        ("", "EOF"),
    ] {
        let why = FaultPlan::from_json(json.as_bytes()).unwrap_err();
        assert!(why.contains(expected), "{json}: {why}");
    }
}
