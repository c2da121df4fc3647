//! The grammar: frames, cells, times, vectors FLOW-T04, T05, T08, T11, and frames of real venues.

use super::*;
use crate::base::Span;

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

#[test]
fn flow_t08_frames_are_doubly_encoded() {
    let password = crate::base::Secret::new("p");
    let body = super::super::request::login("u", &password);
    assert_eq!(
        request(2, "WebAuthenticateUser", &body),
        r#"{"m":0,"i":2,"n":"WebAuthenticateUser","o":"{\"UserName\":\"u\",\"Password\":\"p\"}"}"#
    );
    let reply = r#"{"m":1,"i":2,"n":"WebAuthenticateUser","o":"{\"Authenticated\":true,\"SessionToken\":\"7d0ccf3a-ae63-44f5-a409-2301d80228bc\",\"UserId\":1}"}"#;
    let frame = Frame::read(reply).unwrap();
    assert_eq!((frame.kind, frame.number), (FrameKind::Reply, 2));
    let fields = Fields::read(&frame.body).unwrap();
    assert_eq!(fields.bool("authenticated"), Some(true));
    assert_eq!(fields.id("UserId"), Some(1));
}

#[test]
fn frames_are_read_however_they_are_written() {
    for (text, kind, number, name, body) in [
        (r#"{"m":3,"i":0,"n":"E","o":"[1]"}"#, FrameKind::Event, 0, "E", "[1]"),
        (r#"{"M":"1","I":"4","N":"X","O":"{}"}"#, FrameKind::Reply, 4, "X", "{}"),
        (r#"{"m":1,"i":4,"n":"X","o":{"a":1}}"#, FrameKind::Reply, 4, "X", r#"{"a":1}"#),
        (
            r#"{"m":5,"n":"X","o":"Endpoint not found"}"#,
            FrameKind::Error,
            0,
            "X",
            "Endpoint not found",
        ),
        (r#"{"m":1,"i":6,"n":"X"}"#, FrameKind::Reply, 6, "X", ""),
        (r#"{"m":2,"i":6,"n":"X","o":"","q":[1,{"m":9}]}"#, FrameKind::Other(2), 6, "X", ""),
    ] {
        let frame = Frame::read(text).unwrap();
        assert_eq!(
            (frame.kind, frame.number, &*frame.name, &*frame.body),
            (kind, number, name, body)
        );
    }
    for text in ["TOO MANY REQUESTS", "<html>503</html>", "[]", "{}", "", r#"{"n":"X","o":"{}"}"#] {
        assert!(Frame::read(text).is_err(), "{text}");
    }
}

#[test]
fn flow_t11_decimals_are_exact() {
    for (raw, expected) in [
        ("19069.310000000000000000000000", "19069.31"),
        ("\"19069.310000000000000000000000\"", "19069.31"),
        ("2345.5251300000000000000000000", "2345.52513"),
        ("0.0000000100000000000000000000", "0.00000001"),
        ("1.0e-08", "0.00000001"),
        ("1E2", "100"),
        ("-0.8840484322659870789760434400", "-0.88404843226598707897604344"),
        ("0", "0"),
    ] {
        assert_eq!(dec_of(raw), Some(d(expected)), "{raw}");
    }
    for raw in ["", "\"\"", "null", "true", "{}", "1.2.3", "NaN"] {
        assert_eq!(dec_of(raw), None, "{raw}");
    }
}

#[test]
fn flow_f29_ids_are_whole_64_bit_numbers() {
    for (raw, expected) in [
        ("9222816249026513001", Some(9_222_816_249_026_513_001)),
        ("\"9222816249026513001\"", Some(9_222_816_249_026_513_001)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("1710327600000.5", Some(1_710_327_600_000)),
        ("true", None),
        ("\"\"", None),
    ] {
        assert_eq!(int_of(raw), expected, "{raw}");
    }
}

#[test]
fn flow_t04_times_are_told_by_their_magnitude() {
    for (raw, expected) in [
        (635_872_032_000_000_000, "2016-01-01T00:00:00Z"),
        (635_978_015_145_675_000, "2016-05-02T15:58:34.5675Z"),
        (635_978_008_210_426_109, "2016-05-02T15:47:01.0426109Z"),
        (637_378_662_618_970_000, "2020-10-09T18:51:01.897Z"),
        (636_044_934_170_000_000, "2016-07-19T02:50:17Z"),
        (621_355_968_000_000_000, "1970-01-01T00:00:00Z"),
        (1_602_269_461_897, "2020-10-09T18:51:01.897Z"),
        (1_468_896_617_000, "2016-07-19T02:50:17Z"),
        (1_468_896_617, "2016-07-19T02:50:17Z"),
        (1_468_896_617_000_000, "2016-07-19T02:50:17Z"),
        (1_468_896_617_000_000_000, "2016-07-19T02:50:17Z"),
    ] {
        assert_eq!(time_of(raw).unwrap().to_string(), expected, "{raw}");
    }
    let near = time_of(637_431_618_315_686_826).unwrap();
    let stated = Time::from_millis(1_607_565_031_569);
    assert!(stated.since(near) < Span::from_millis(1) && near <= stated);
}

#[test]
fn flow_t05_times_that_mean_nothing_are_unknown() {
    for raw in
        [0, -1, -62_135_446_664_520, i64::MIN, 200_000_000_000_000_000, 800_000_000_000_000_000]
    {
        assert_eq!(time_of(raw), None, "{raw}");
    }
    assert_eq!(time_of(50_000_000_000_000_000), None, "microseconds past the year 2262");
    assert_eq!(time_of(450_000_000_000_000_000), None, "ticks before the year 1678");
    assert_eq!(time_of(1_501_354_796_406).unwrap().to_string(), "2017-07-29T18:59:56.406Z");
}

#[test]
fn objects_are_read_whatever_the_case_and_the_wrapping() {
    for text in [
        r#"{"OMSId":1,"orderid":7,"Text":"a\"b","None":null}"#,
        r#"[{"ORDERID":"7","text":"a\"b","oms":1}]"#,
        r#"{"status":"success","data":{"OrderId":7,"Text":"a\u0022b"},"message":null}"#,
    ] {
        let fields = Fields::read(text).unwrap();
        assert_eq!(fields.int("OrderId"), Ok(7), "{text}");
        assert_eq!(fields.text("Text").unwrap(), "a\"b");
        assert_eq!(fields.raw("None"), None);
        assert_eq!(fields.int("Missing"), Err(WireError::Missing { key: "Missing" }));
    }
    for text in ["[]", "7", "Endpoint not found", "", "{\"a\":", "[1]"] {
        assert!(Fields::read(text).is_err(), "{text}");
    }
    let fields = Fields::read(r#"{"Price":"abc","Zero":0}"#).unwrap();
    assert!(fields.dec_or_none("Price").is_err() && fields.id("Zero").is_none());
}

#[test]
fn rows_keep_their_cells_as_written() {
    let rows = rows("[[1,\"2.50\",null],[],[1,2,3,4,5,6,7,8,9,10,11,12,13,14]]").unwrap();
    assert_eq!(rows.iter().map(Row::len).collect::<Vec<_>>(), [3, 0, 12]);
    assert_eq!(rows[0].dec(1, "x"), Ok(d("2.5")));
    assert_eq!((rows[0].raw(2), rows[0].raw(7), rows[1].is_empty()), (None, None, true));
    assert!(super::rows("{}").is_err() && super::rows("[1]").is_err());
}

/// The recorded frames of other AlphaPoint venues, when they lie beside the project.
fn recorded(file: &str) -> Option<String> {
    let path = format!("{}/../shared/data/alphapoint/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("not checked: {path} is not there");
    }
    text
}

#[test]
fn frames_of_a_real_venue_decode() {
    use super::super::payload::{ALREADY_SUBSCRIBED, BookRow, TradeRow, refusal};
    let Some(text) = recorded("bitazza_frames.jsonl") else { return };
    let mut seen = [0; 4];
    for line in text.lines().filter(|line| !line.is_empty()) {
        let frame = Frame::read(line).unwrap();
        match (&*frame.name, frame.kind) {
            ("Level2UpdateEvent", FrameKind::Event) => {
                let rows = BookRow::read_all(&frame.body).unwrap();
                assert!(rows.iter().all(|row| row.instrument == rows[0].instrument));
                seen[0] += rows.len();
            }
            ("SubscribeLevel2", FrameKind::Reply) => match refusal(&frame.body) {
                Some(refused) => {
                    assert_eq!(
                        (refused.code, &*refused.text),
                        (ALREADY_SUBSCRIBED, "Already Subscribed.")
                    );
                    seen[1] += 1;
                }
                None => seen[0] += BookRow::read_all(&frame.body).unwrap().len(),
            },
            ("SubscribeTrades", FrameKind::Reply) => {
                seen[2] += TradeRow::read_all(&frame.body).unwrap().len();
            }
            ("NoSuchFunction", FrameKind::Error) => {
                assert!(refusal(&frame.body).unwrap().is_unsupported());
                seen[3] += 1;
            }
            (name, _) => assert!(matches!(name, "SubscribeLevel2" | "Ping"), "{name}"),
        }
    }
    assert_eq!(seen, [10, 1, 2, 1]);
}

#[test]
fn payloads_of_real_venues_decode() {
    use super::super::payload::{BarRow, BookRow, InstrumentRow, Level1, TradeRow};
    let files = [
        "ndax_subscribe_level1_update_event.json",
        "foxbit_level1_2019.json",
        "ndax_get_instrument.json",
        "ndax_subscribe_trades.json",
        "ndax_subscribe_ticker_interval60.json",
        "ndax_get_l2_snapshot_depth20.json",
        "ndax_subscribe_level2_update_event.json",
        "ccxt_ndax_http_responses.json",
    ];
    let Some(texts) = files.map(recorded).into_iter().collect::<Option<Vec<_>>>() else { return };
    let part = |at: usize, key| Fields::read(&texts[at]).unwrap().raw(key).unwrap();
    let quote = Level1::read(&texts[0]).unwrap();
    assert_eq!((quote.bid, quote.ask_qty), (d("90000.1"), d("0.31762718")));
    assert_eq!(quote.time, Some(Time::from_millis(1_782_082_881_997)));
    let quote = Level1::read(&texts[1]).unwrap();
    assert_eq!((quote.ask, quote.bid_qty), (d("14599"), d("0")));
    assert_eq!(quote.time, Some(Time::from_millis(1_551_360_481_517)), "a time in quotes");
    let row = InstrumentRow::read(&texts[2]).unwrap();
    assert_eq!((row.tick_size, row.lot_size), (Some(d("0.01")), Some(d("0.00000001"))));
    let trades = TradeRow::read_all(part(3, "rows")).unwrap();
    assert_eq!((trades.len(), trades[4].price), (5, d("90489.28")));
    let bars = BarRow::read_all(part(4, "bars")).unwrap();
    assert_eq!(
        (bars[0].high, bars[0].low, bars[0].open),
        (d("90691.23"), d("90111.13"), d("90691.23"))
    );
    assert_eq!(bars[0].end.since(bars[0].begin.unwrap()), Span::from_secs(60));
    assert_eq!(BookRow::read_all(part(5, "rows")).unwrap().len(), 40);
    let changes = BookRow::read_all(part(6, "rows")).unwrap();
    assert_eq!(changes.iter().filter(|row| row.level.qty.is_zero()).count(), 9);
    let quote = Level1::read(part(7, "fetchTicker_httpResponse")).unwrap();
    assert_eq!((quote.bid, quote.ask, quote.last), (d("1"), d("0"), d("29869.01")));
}
