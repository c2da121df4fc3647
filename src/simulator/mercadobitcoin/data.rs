//! The public data API (MB-X01 to X04): ticker, book, trades and day summaries, without keys and
//! without the Trade API's limits.

use super::MbServer;
use super::wire::fixed;
use crate::base::{BookSide, Decimal, InstrumentId, Side, Span, Time, Trade};
use crate::simulator::http::{HttpIn, Page};
use crate::simulator::json::{Object, array, quoted, short};
use std::collections::{BTreeMap, VecDeque};

/// Trades kept and trades in one reply, for each instrument.
const KEPT: usize = 20_000;
const MOST: usize = 1_000;
/// Levels of each side of a book.
const LEVELS: usize = 500;
/// Days of summaries kept.
const DAYS: usize = 400;
const DAY: Span = Span::from_secs(86_400);

#[derive(Clone, Debug)]
struct Print {
    id: i64,
    at: Time,
    side: Side,
    price: Decimal,
    qty: Decimal,
}

#[derive(Clone, Debug, Default)]
struct Summary {
    opening: Decimal,
    closing: Decimal,
    lowest: Decimal,
    highest: Decimal,
    volume: Decimal,
    quantity: Decimal,
    amount: i64,
}

#[derive(Clone, Debug, Default)]
struct Board {
    prints: VecDeque<Print>,
    days: BTreeMap<i64, Summary>,
}

/// What the venue remembers of its trades.
#[derive(Clone, Debug, Default)]
pub struct Boards {
    rows: BTreeMap<InstrumentId, Board>,
}

fn day_of(time: Time) -> i64 {
    time.nanos().div_euclid(DAY.nanos())
}

impl Boards {
    /// A public trade. It keeps the `number` it has (0: none) as long as numbers grow.
    pub fn trade(&mut self, trade: &Trade, number: i64) {
        let board = self.rows.entry(trade.instrument).or_default();
        let next = board.prints.back().map_or(1, |last| last.id + 1);
        let side = trade.side.unwrap_or(Side::Buy);
        let (price, qty) = (trade.price, trade.qty);
        if board.prints.len() == KEPT {
            board.prints.pop_front();
        }
        board.prints.push_back(Print { id: number.max(next), at: trade.time, side, price, qty });
        let day = board.days.entry(day_of(trade.time)).or_insert_with(|| Summary {
            opening: price,
            lowest: price,
            highest: price,
            ..Summary::default()
        });
        day.closing = price;
        (day.lowest, day.highest) = (day.lowest.min(price), day.highest.max(price));
        day.volume = day.volume.saturating_add(price.saturating_mul(qty));
        day.quantity = day.quantity.saturating_add(qty);
        day.amount += 1;
        if board.days.len() > DAYS {
            board.days.pop_first();
        }
    }
}

/// The call a path names, for faults.
#[must_use]
pub fn name(path: &str) -> Option<&str> {
    path.strip_prefix("/api/")?.split('/').nth(1)
}

/// Answers `/api/COIN/CALL/…`; a path that is none is the gateway's 404.
pub fn answer(server: &MbServer, now: Time, request: &HttpIn) -> Page {
    if request.method != "GET" {
        return Page::html(405);
    }
    let path = request.path.strip_prefix("/api/").unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let Some((coin, rest)) = parts.split_first() else { return Page::html(404) };
    let mut rows = server.exchange.instruments().iter();
    let Some(id) = rows.find(|row| row.base == *coin).map(|row| row.id) else {
        return Page::html(404);
    };
    let now = now.plus(server.skew);
    let none = Board::default();
    let board = server.boards.rows.get(&id).unwrap_or(&none);
    let answer = match rest {
        ["ticker"] => Some(ticker(server, board, id, now)),
        ["orderbook"] => Some(book(server, id, now)),
        ["trades", range @ ..] => trades(board, range, &request.query),
        ["day-summary", year, month, day] => summary(board, year, month, day),
        _ => None,
    };
    answer.map_or_else(|| Page::html(404), |body| Page::json(200, body))
}

/// MB-X01 over the last 24 hours.
fn ticker(server: &MbServer, board: &Board, id: InstrumentId, now: Time) -> String {
    let recent = || board.prints.iter().filter(|print| now.since(print.at) < DAY);
    let prices = || recent().map(|print| print.price);
    let (bid, ask) = server.exchange.best(id);
    let show = |value: Option<Decimal>| fixed(value.unwrap_or_default(), 8);
    let inside = Object::new()
        .text("high", &show(prices().max()))
        .text("low", &show(prices().min()))
        .text("vol", &show(Some(recent().map(|print| print.qty).sum())))
        .text("last", &show(board.prints.back().map(|print| print.price)))
        .text("buy", &show(bid.map(|level| level.price)))
        .text("sell", &show(ask.map(|level| level.price)))
        .text("open", &show(prices().next()))
        .int("date", now.millis().div_euclid(1_000))
        .end();
    Object::new().raw("ticker", &inside).end()
}

/// MB-X02: asks ascending, bids descending, the timestamp in nanoseconds (MB-T10).
fn book(server: &MbServer, id: InstrumentId, now: Time) -> String {
    let levels = server.exchange.depth(id, LEVELS);
    let side = |side: BookSide| {
        let rows = levels.iter().filter(|level| level.side == side);
        array(rows.map(|level| array([short(level.price), short(level.qty)])))
    };
    Object::new()
        .raw("asks", &side(BookSide::Ask))
        .raw("bids", &side(BookSide::Bid))
        .int("timestamp", now.nanos())
        .end()
}

/// MB-X03: `tid` and `since` are exclusive, times inclusive. Without a bound the last 1,000.
fn trades(board: &Board, range: &[&str], query: &str) -> Option<String> {
    let second = |text: &str| text.parse::<i64>().ok();
    let (from, to) = match range {
        [] => (None, None),
        [from] => (Some(second(from)?), None),
        [from, to] => (Some(second(from)?), Some(second(to)?)),
        _ => return None,
    };
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let after = pairs.find(|(key, _)| key == "tid" || key == "since");
    let after = match after {
        Some((_, value)) => Some(second(&value)?),
        None => None,
    };
    let at = |print: &Print| print.at.millis().div_euclid(1_000);
    let wanted: Vec<&Print> = board
        .prints
        .iter()
        .filter(|print| after.is_none_or(|after| print.id > after))
        .filter(|print| from.is_none_or(|from| at(print) >= from))
        .filter(|print| to.is_none_or(|to| at(print) <= to))
        .collect();
    let bounded = after.is_some() || from.is_some();
    let skipped = if bounded { 0 } else { wanted.len().saturating_sub(MOST) };
    Some(array(wanted.into_iter().skip(skipped).take(MOST).map(|print| {
        Object::new()
            .int("tid", print.id)
            .int("date", at(print))
            .text("type", print.side.word())
            .dec("price", print.price)
            .dec("amount", print.qty)
            .end()
    })))
}

/// MB-X04; a day without trades is all zeros.
fn summary(board: &Board, year: &str, month: &str, day: &str) -> Option<String> {
    let date = jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let date = date.ok()?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    let number = zoned.timestamp().as_second().div_euclid(86_400);
    let none = Summary::default();
    let row = board.days.get(&number).unwrap_or(&none);
    let average = row.volume.checked_div(row.quantity).unwrap_or_default();
    Some(
        Object::new()
            .raw("date", &quoted(&date.to_string()))
            .dec("opening", row.opening)
            .dec("closing", row.closing)
            .dec("lowest", row.lowest)
            .dec("highest", row.highest)
            .dec("volume", row.volume)
            .dec("quantity", row.quantity)
            .int("amount", row.amount)
            .dec("avg_price", average)
            .end(),
    )
}
