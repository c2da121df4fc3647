//! Feeds as people have them: shapes that are read, mistakes that are explained, bytes that must
//! not panic.

use super::*;
use crate::base::tape::TradeBlock;
use crate::base::{BookSide, Event, InstrumentId, decimal};
use proptest::prelude::*;
use std::path::PathBuf;
use tempfile::TempDir;

/// A file with this content in a folder of its own.
fn file(content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("feed.csv");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

/// Reads a trades file in blocks of `rows`; each trade as `time_ns price qty side id`.
fn read(path: &Path, unit: Option<TimeUnit>, rows: usize) -> anyhow::Result<Vec<String>> {
    let mut trades = TradesCsv::open(path, unit)?;
    let (mut block, mut all) = (TradeBlock::default(), Vec::new());
    while trades.next_block(&mut block, rows)? > 0 {
        assert!(block.len() <= rows);
        for at in 0..block.len() {
            let trade = block.trade(at).unwrap();
            all.push(format!(
                "{} {} {} {} {}",
                trade.time.nanos(),
                decimal::show(trade.price),
                decimal::show(trade.qty),
                trade.side.map_or("-", crate::base::Side::word),
                trade.id
            ));
        }
    }
    Ok(all)
}

fn check(content: &str, expected: &[&str]) {
    let (_folder, path) = file(content);
    for rows in [1, 2, 1000] {
        assert_eq!(read(&path, None, rows).unwrap(), expected, "{content:?} by {rows}");
    }
}

fn refused(content: impl AsRef<[u8]>, says: &[&str]) {
    let (_folder, path) = file(&content);
    let error = read(&path, None, 100).unwrap_err().to_string();
    assert!(error.contains("feed.csv"), "{error}");
    for part in says {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
}

#[test]
fn trades_are_read_in_every_usual_shape() {
    // As the shared recordings are written; trailing zeros do not count as places.
    check(
        "time,price,qty,side,id\n\
         1723161600164378285,61685.99000000,0.00017000,sell,3735693016\n\
         1723161600225262985,61686.00000000,0.00016000,buy,3735693017\n",
        &[
            "1723161600164378285 61685.99 0.00017 sell 3735693016",
            "1723161600225262985 61686 0.00016 buy 3735693017",
        ],
    );
    // Columns in another order and case, others between, CRLF, blank lines, no last line break.
    check(
        "ID,Qty,venue,Time,PRICE\r\n7,1,x,1723161600,10.5\r\n\r\n8,2,\u{e9},1723161601,10\r\n\r\n",
        &["1723161600000000000 10.5 1 - 7", "1723161601000000000 10 2 - 8"],
    );
    // A byte-order mark, quotes, spaces, exponents, signs, empty side and id.
    check(
        "\u{feff}\"time\", price ,qty,side,id\n\
         \"1723161600000\", 1e2 ,\"1.0e-08\",,\n\
         1723161600001,+100.5,\"2\",SELL,\"9\"",
        &["1723161600000000000 100 0.00000001 - 0", "1723161600001000000 100.5 2 sell 9"],
    );
    // ISO 8601 with and without zone, in UTC.
    check(
        "time,price,qty\n2024-08-09T00:00:00.164Z,1,1\n2024-08-09 00:00:01,1,1\n\
         2024-08-08T21:00:02-03:00,1,1\n",
        &[
            "1723161600164000000 1 1 - 0",
            "1723161601000000000 1 1 - 0",
            "1723161602000000000 1 1 - 0",
        ],
    );
    // Seconds with a fraction, as Python's time.time() prints them.
    check(
        "time,price,qty\n1723161600.164378,1,1\n1723161600.2,1,1\n",
        &["1723161600164378000 1 1 - 0", "1723161600200000000 1 1 - 0"],
    );
    // A quoted comma in another column.
    check("time,note,price,qty\n5,\"a, \"\"b\"\"\",1,2\n", &["5000000000 1 2 - 0"]);
}

#[test]
fn scales_grow_and_stay_exact() {
    let (_folder, path) = file("time,price,qty\n1,10,1\n2,10.25,0.5\n3,7,0.00000001\n");
    let mut trades = TradesCsv::open(&path, None).unwrap();
    assert_eq!(trades.first_time(), Some(Time::from_nanos(1_000_000_000)));
    let mut block = TradeBlock { instrument: InstrumentId(3), ..TradeBlock::default() };
    assert_eq!(trades.next_block(&mut block, 2).unwrap(), 2);
    assert_eq!((block.instrument, block.price_scale, block.qty_scale), (InstrumentId(3), 2, 1));
    assert_eq!((block.prices.as_slice(), block.qtys.as_slice()), (&[1000, 1025][..], &[10, 5][..]));
    assert_eq!(trades.next_block(&mut block, 2).unwrap(), 1);
    assert_eq!((block.price_scale, block.qty_scale), (2, 8));
    assert_eq!((block.prices.as_slice(), block.qtys.as_slice()), (&[700][..], &[1][..]));
    assert_eq!(trades.next_block(&mut block, 2).unwrap(), 0);
    assert_eq!(trades.progress().0, trades.progress().1);
}

#[test]
fn units_are_inferred_by_size_or_taken_as_given() {
    for (first, unit) in [
        ("1723161600", TimeUnit::Seconds),
        ("1723161600123", TimeUnit::Millis),
        ("1723161600123456", TimeUnit::Micros),
        ("1723161600123456789", TimeUnit::Nanos),
        ("2024-08-09T00:00:00Z", TimeUnit::Iso),
    ] {
        let (_folder, path) = file(format!("time,price,qty\n{first},1,1\n"));
        let trades = TradesCsv::open(&path, None).unwrap();
        assert_eq!(trades.time_unit(), unit, "{first}");
        assert_eq!(trades.first_time().unwrap().nanos() / 1_000_000_000, 1_723_161_600, "{first}");
    }
    let (_folder, path) = file("time,price,qty\n1723161600,1,1\n");
    let forced = read(&path, Some(TimeUnit::Nanos), 10).unwrap();
    assert_eq!(forced, ["1723161600 1 1 - 0"]);
    for word in ["s", "ms", "us", "ns"] {
        assert_eq!(word.parse::<TimeUnit>().unwrap().to_string(), word);
    }
    assert!("h".parse::<TimeUnit>().is_err());
    assert_eq!(parse_time("2024-08-09"), Some(Time::from_millis(1_723_161_600_000)));
    assert_eq!(parse_time("1723161600"), Some(Time::from_millis(1_723_161_600_000)));
    assert_eq!(parse_time("yesterday"), None);
}

#[test]
fn files_that_are_no_feed_are_explained() {
    refused("", &["is empty"]);
    refused("\n \n", &["only blank lines"]);
    refused("time,price,qty\n", &["header but no rows"]);
    refused("time,price\n1,2\n", &["needs a column `qty`", "`time,price`"]);
    refused("time,price,qty,price\n1,1,1,1\n", &["`price` twice"]);
    refused("time;price;qty\n1;2;3\n", &["not separated by commas"]);
    refused([0x1f, 0x8b, 8, 0], &["gunzip -k"]);
    refused("PAR1....", &["Parquet"]);
    refused([0xff, 0xfe, b't', 0], &["UTF-16"]);
    refused("x".repeat(100_000), &["line 1", "too long"]);
    let folder = TempDir::new().unwrap();
    assert!(TradesCsv::open(folder.path(), None).unwrap_err().to_string().contains("is a folder"));
    let missing = TradesCsv::open(&folder.path().join("no.csv"), None).unwrap_err();
    assert!(missing.to_string().contains("cannot open"));
}

#[test]
fn rows_that_are_wrong_name_line_column_and_cure() {
    let row = |row: &str| format!("time,price,qty,side,id\n1,1,1,buy,1\n{row}");
    for (line, says) in [
        ("2,0,1,buy,2\n", ["line 3, column `price`", "not above zero"]),
        ("2,-5,1,buy,2\n", ["line 3, column `price`", "not above zero"]),
        ("2,1,0.000,buy,2\n", ["line 3, column `qty`", "not above zero"]),
        ("2,abc,1,buy,2\n", ["line 3, column `price`", "is no number"]),
        ("2,,1,buy,2\n", ["line 3, column `price`", "empty"]),
        ("2,1,\"1,5\",buy,2\n", ["line 3, column `qty`", "no separators"]),
        ("2,1,1,up,2\n", ["line 3, column `side`", "buy, sell or nothing"]),
        ("2,1,1,buy,a7\n", ["line 3, column `id`", "64-bit integer"]),
        ("then,1,1,buy,2\n", ["line 3, column `time`", "no time in s"]),
        ("-2,1,1,buy,2\n", ["line 3, column `time`", "no time in s"]),
        ("0,1,1,buy,2\n", ["line 3, column `time`", "sort the file"]),
        ("2,1,1\n", ["line 3", "3 columns where the header has 5"]),
        ("2,1,1,buy,2,9\n", ["line 3", "6 columns where the header has 5"]),
        ("2,1,1", ["line 3", "cut off (3 of 5 columns)"]),
        ("2,1,1,\"buy,2\n", ["line 3", "quotation mark"]),
        ("9300000000000000000,1,1,buy,2\n", ["line 3, column `time`", "no time"]),
        ("2,99999999999999999999,1,buy,2\n", ["line 3, column `price`", "64 bits"]),
        ("2,0.0000000000000000001,1,buy,2\n", ["line 3, column `price`", "18 decimal places"]),
        ("2,1,0.0000000000000000001,buy,2\n", ["line 3, column `qty`", "18 decimal places"]),
    ] {
        refused(row(line), &says);
    }
    refused(b"time,price,qty\n1,1,\xff\n", &["line 2", "not UTF-8"]);
    // A price that the finest decimals of the file push out of 64 bits.
    refused(
        "time,price,qty\n1,9000000000,1\n2,0.000000000000001,1\n",
        &["line 3, column `price`", "round the column"],
    );
}

#[test]
fn kinds_are_told_by_the_header() {
    for (content, kind) in [
        ("time,price,qty\n", FeedKind::Trades),
        ("time,price,qty,side,id\n1,1,1,buy,1\n", FeedKind::Trades),
        ("time,side,price,qty\n1,bid,1,1\n", FeedKind::Book),
        ("time,side,price,qty\n1,buy,1,1\n", FeedKind::Trades),
        ("time,side,price,qty,snapshot\n", FeedKind::Book),
        ("Time,BID,bid_qty,ask,ask_qty\n", FeedKind::Quotes),
    ] {
        let (_folder, path) = file(content);
        assert_eq!(detect(&path).unwrap(), kind, "{content:?}");
    }
    let (_folder, path) = file("open,high,low,close\n");
    assert!(detect(&path).unwrap_err().to_string().contains("no known feed"));
}

#[test]
fn quotes_are_read() {
    let (_folder, path) = file(
        "time,bid,bid_qty,ask,ask_qty\n1723161600001692584,61685.99,1.25,61686.00,2.4\n\
         1723161600001692585,,,61686,2\n",
    );
    let mut quotes = QuotesCsv::open(&path, None, InstrumentId(2)).unwrap();
    assert_eq!(quotes.time_unit(), TimeUnit::Nanos);
    let mut out = Vec::new();
    assert_eq!(quotes.next_events(&mut out, 10).unwrap(), 2);
    assert_eq!(quotes.next_events(&mut out, 10).unwrap(), 0);
    let Event::Quote(first) = &out[0] else { panic!() };
    assert_eq!((first.instrument, decimal::show(first.ask)), (InstrumentId(2), "61686".to_owned()));
    let Event::Quote(second) = &out[1] else { panic!() };
    assert!(second.bid.is_zero() && second.bid_qty.is_zero());
    let (_folder, path) = file("time,bid,bid_qty,ask,ask_qty\n1,-1,1,2,1\n");
    let mut quotes = QuotesCsv::open(&path, None, InstrumentId(0)).unwrap();
    let error = quotes.next_events(&mut out, 1).unwrap_err().to_string();
    assert!(error.contains("line 2, column `bid`") && error.contains("negative"), "{error}");
}

#[test]
fn book_rows_of_one_moment_are_one_change() {
    let (_folder, path) = file(
        "time,side,price,qty,snapshot\n1,bid,10,1,1\n1,ask,11,2,1\n1,bid,10,0,0\n2,ask,11.5,3,0\n\
         2,bid,9,1,0\n",
    );
    for batch in [1, 2, 10] {
        let mut book = BookCsv::open(&path, None, InstrumentId(1)).unwrap();
        let mut out = Vec::new();
        while book.next_events(&mut out, batch).unwrap() > 0 {}
        let seen: Vec<_> = out
            .iter()
            .map(|event| {
                let Event::Book(change) = event else { panic!() };
                let seconds = change.time.nanos() / 1_000_000_000;
                (seconds, change.snapshot, change.levels.len())
            })
            .collect();
        assert_eq!(seen, [(1, true, 2), (1, false, 1), (2, false, 2)], "batches of {batch}");
        let Event::Book(last) = &out[2] else { panic!() };
        assert_eq!((last.levels[0].side, last.levels[1].side), (BookSide::Ask, BookSide::Bid));
    }
    let (_folder, path) = file("time,side,price,qty\n1,up,10,1\n");
    let mut book = BookCsv::open(&path, None, InstrumentId(1)).unwrap();
    let error = book.next_events(&mut Vec::new(), 1).unwrap_err().to_string();
    assert!(error.contains("column `side`") && error.contains("bid or ask"), "{error}");
}

/// Cells near the border between the fast path and the slow one.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,20}",
        "[0-9]{0,12}\\.?[0-9]{0,12}",
        "[ \"0-9.e+-]{0,8}",
        Just("buy".to_owned()),
        Just(String::new()),
        Just("2024-08-09T00:00:00Z".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (_folder, path) = file(&bytes);
        drop(detect(&path));
        drop(read(&path, None, 10));
        let mut with_header = b"time,side,price,qty,id\n1,buy,1,1,1\n".to_vec();
        with_header.extend(&bytes);
        let (_folder, path) = file(&with_header);
        drop(read(&path, None, 10));
        if let Ok(mut book) = BookCsv::open(&path, None, InstrumentId(0)) {
            drop(book.next_events(&mut Vec::new(), 100));
        }
    }

    #[test]
    fn the_fast_path_reads_what_the_slow_one_does(
        rows in proptest::collection::vec(proptest::collection::vec(cell(), 5), 1..4),
    ) {
        let body: String = rows.iter().map(|row| row.join(",") + "\n").collect();
        let (_folder, path) = file(format!("time,price,qty,side,id\n1,1,1,buy,1\n{body}"));
        let mut trades = TradesCsv::open(&path, None).unwrap();
        while trades::compare::next(&mut trades) {
            prop_assert!(trades::compare::agree(&trades), "{body:?}");
        }
    }

    #[test]
    fn exact_rows_come_back(
        rows in proptest::collection::vec(
            (1i64..1_000_000_000, 0u32..9, 1i64..1_000_000_000, 0u32..9),
            1..50,
        ),
    ) {
        let mut content = "time,price,qty\n".to_owned();
        let mut expected = Vec::new();
        for (at, (price, price_scale, qty, qty_scale)) in rows.iter().enumerate() {
            let price = crate::base::Decimal::new(*price, *price_scale);
            let qty = crate::base::Decimal::new(*qty, *qty_scale);
            content += &format!("{at},{price},{qty}\n");
            let nanos = at as u64 * 1_000_000_000;
            expected.push(format!("{nanos} {} {} - 0", decimal::show(price), decimal::show(qty)));
        }
        let (_folder, path) = file(content);
        prop_assert_eq!(read(&path, None, 7).unwrap(), expected);
    }
}
