//! The exchange's semantics as stories: orders and feed in, one line per report out.

mod changes;
mod orders;
mod properties;
mod resting;

use crate::base::{
    BookChange, BookSide, Decimal, Fees, Instrument, InstrumentId, Instruments, Level, OrderKind,
    Quote, Side, Tif, Time, Trade, VenueName, VenueOrderId, decimal,
};
use crate::exchange::{
    AccountNumber, Config, Exchange, NewOrder, QueueModel, Reject, Report, ReportKind,
};

pub(super) const BTC: InstrumentId = InstrumentId(0);
pub(super) const ANA: AccountNumber = AccountNumber(1);
pub(super) const BIA: AccountNumber = AccountNumber(2);

pub(super) fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

pub(super) fn at(seconds: i64) -> Time {
    Time::from_millis(seconds * 1000)
}

pub(super) fn btc() -> Instrument {
    Instrument {
        id: BTC,
        venue: VenueName::new("flowbtc"),
        symbol: "BTCBRL".to_owned(),
        base: "BTC".to_owned(),
        quote: "BRL".to_owned(),
        tick_size: d("0.5"),
        lot_size: d("0.001"),
        min_qty: d("0.002"),
        fees: Fees { maker: d("0.001"), taker: d("0.002") },
    }
}

pub(super) fn config() -> Config {
    let mut instruments = Instruments::default();
    instruments.add(btc());
    Config {
        instruments,
        queue: QueueModel::None,
        first_order_id: 100,
        first_trade_id: 1,
        wait_for_print: false,
    }
}

/// Ana and Bia with 10,000 BRL and 10 BTC each.
pub(super) fn exchange(config: Config) -> Exchange {
    let mut exchange = Exchange::new(config);
    for account in [ANA, BIA] {
        let funds = [("BRL".to_owned(), d("10000")), ("BTC".to_owned(), d("10"))];
        exchange.open_account(account, &funds);
    }
    exchange
}

/// An order from words: `buy 1`, `sell 1 @101`, `buy 1 stop 99 @98`, and `post`, `reduce`, `ioc`,
/// `fok`, `#7` (client id).
pub(super) fn order(account: AccountNumber, text: &str) -> NewOrder {
    let mut words = text.split_whitespace();
    let side = if words.next() == Some("buy") { Side::Buy } else { Side::Sell };
    let mut order = NewOrder {
        account,
        client_id: 0,
        instrument: BTC,
        side,
        kind: OrderKind::Market,
        qty: d(words.next().unwrap()),
        price: None,
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    };
    while let Some(word) = words.next() {
        match word {
            "post" => order.post_only = true,
            "reduce" => order.reduce_only = true,
            "ioc" => order.tif = Tif::Ioc,
            "fok" => order.tif = Tif::Fok,
            "stop" => order.stop = Some(d(words.next().unwrap())),
            other => match other.split_at(1) {
                ("@", price) => order.price = Some(d(price)),
                ("#", id) => order.client_id = id.parse().unwrap(),
                _ => panic!("what is {other}?"),
            },
        }
    }
    order.kind = match (order.price.is_some(), order.stop.is_some()) {
        (false, false) => OrderKind::Market,
        (true, false) => OrderKind::Limit,
        (false, true) => OrderKind::Stop,
        (true, true) => OrderKind::StopLimit,
    };
    order
}

pub(super) fn trade(seconds: i64, price: &str, qty: &str, side: Option<Side>) -> Trade {
    Trade { time: at(seconds), instrument: BTC, price: d(price), qty: d(qty), side, id: 0 }
}

/// Levels from words: `bid 99 x 2, ask 101 x 3`.
pub(super) fn levels(text: &str) -> Vec<Level> {
    let level = |part: &str| {
        let words: Vec<&str> = part.split_whitespace().collect();
        let side = if words[0] == "bid" { BookSide::Bid } else { BookSide::Ask };
        Level { side, price: d(words[1]), qty: d(words[3]) }
    };
    text.split(',').filter(|part| !part.trim().is_empty()).map(level).collect()
}

pub(super) fn quote(seconds: i64, text: &str) -> Quote {
    let found = levels(text);
    let of = |side| found.iter().find(|level| level.side == side);
    let parts = |side| of(side).map_or((d("0"), d("0")), |level| (level.price, level.qty));
    let ((bid, bid_qty), (ask, ask_qty)) = (parts(BookSide::Bid), parts(BookSide::Ask));
    Quote { time: at(seconds), instrument: BTC, bid, bid_qty, ask, ask_qty, last: d("0") }
}

/// One line of a story. Who acts is the first word: `ana`, `bia`, `print`, `book`, `snapshot`,
/// `quote`.
pub(super) fn play(exchange: &mut Exchange, seconds: i64, line: &str) -> Option<Reject> {
    let now = at(seconds);
    let (who, rest) = line.split_once(' ').unwrap();
    let words: Vec<&str> = rest.split_whitespace().collect();
    let account = if who == "bia" { BIA } else { ANA };
    let id = || VenueOrderId(words[1].parse().unwrap());
    let change =
        |snapshot| BookChange { time: now, instrument: BTC, snapshot, levels: levels(rest) };
    let result = match (who, words[0]) {
        ("print", price) => {
            let side = match words.get(3) {
                Some(&"buy") => Some(Side::Buy),
                Some(&"sell") => Some(Side::Sell),
                _ => None,
            };
            exchange.trade(&trade(seconds, price, words[2], side));
            Ok(())
        }
        ("book", _) => {
            exchange.book(&change(false));
            Ok(())
        }
        ("snapshot", _) => {
            exchange.book(&change(true));
            Ok(())
        }
        ("quote", _) => {
            exchange.quote(&quote(seconds, rest));
            Ok(())
        }
        (_, "cancel") => exchange.cancel(now, account, id()),
        (_, "cancel_all") => {
            exchange.cancel_all(now, account, Some(BTC));
            Ok(())
        }
        (_, "reduce") => exchange.reduce(now, account, id(), d(words[2])),
        (_, "replace") => {
            let new = order(account, &words[2..].join(" "));
            exchange.replace(now, account, id(), new).map(|_| ())
        }
        _ => exchange.submit(now, order(account, rest)).map(|_| ()),
    };
    result.err()
}

fn person(account: AccountNumber) -> &'static str {
    if account == ANA { "ana" } else { "bia" }
}

/// A report as a line; balances and levels only where `all`.
pub(super) fn line(report: &Report, all: bool) -> Option<String> {
    let show = decimal::show;
    Some(match &report.kind {
        ReportKind::Order(sim) => {
            let reason = if sim.reason.is_empty() { "" } else { " " };
            let (id, word) = (sim.id, sim.state.word());
            format!(
                "{id} {word} {}/{}{reason}{}",
                show(sim.filled),
                show(sim.order.qty),
                sim.reason
            )
        }
        ReportKind::Replaced { old, new } => {
            format!("{old} replaced by {} {}", new.id, show(new.order.qty))
        }
        ReportKind::Fill(fill) => {
            let (qty, price) = (show(fill.qty), show(fill.price));
            let (side, liquidity) = (fill.side.word(), fill.liquidity.word());
            let who = person(fill.account);
            format!("{who} {side} {qty} @{price} {liquidity} fee {}", show(fill.fee))
        }
        ReportKind::Print(print) => {
            let side = print.side.map_or("", Side::word);
            format!("print {} x {} {side}", show(print.price), show(print.qty))
        }
        ReportKind::Balance { account, asset, balance } if all => {
            let (total, held) = (show(balance.total), show(balance.held));
            format!("{} {asset} {total} held {held}", person(*account))
        }
        ReportKind::Level { level, .. } if all => {
            let side = if level.side == BookSide::Bid { "bid" } else { "ask" };
            format!("{side} {} x {} of {}", show(level.price), show(level.qty), level.orders)
        }
        ReportKind::Balance { .. } | ReportKind::Level { .. } => return None,
    })
}

pub(super) fn drain(exchange: &mut Exchange, all: bool) -> Vec<String> {
    std::iter::from_fn(|| exchange.poll()).filter_map(|report| line(&report, all)).collect()
}

/// Plays the story a second apart and compares what the exchange reported with what is expected.
fn tell(config: Config, story: &str, expected: &str, all: bool) {
    let mut exchange = exchange(config);
    let mut told = Vec::new();
    for (seconds, step) in (1..).zip(story.lines().map(str::trim).filter(|it| !it.is_empty())) {
        if let Some(reject) = play(&mut exchange, seconds, step) {
            told.push(format!("refused {reject}"));
        }
        told.extend(drain(&mut exchange, all));
    }
    let expected: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(told, expected, "{story}");
}

pub(super) fn check(story: &str, expected: &str) {
    tell(config(), story, expected, false);
}

pub(super) fn check_with(config: Config, story: &str, expected: &str) {
    tell(config, story, expected, false);
}

pub(super) fn check_all(story: &str, expected: &str) {
    tell(config(), story, expected, true);
}
