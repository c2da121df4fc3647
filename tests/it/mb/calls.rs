//! Every call of the venue, asked as it is documented: its reply, and each way in which it fails.

use super::*;
use lunario::base::{CallFailure, CallFailureKind as Kind, Fate};

fn pair() -> (&'static str, Plain) {
    ("pair", Plain::text("btc_brl"))
}

fn text<'a>(plain: &'a Plain, path: &[&str]) -> &'a str {
    let found = path.iter().try_fold(plain, |at, key| at.get(key));
    match found {
        Some(Plain::Text(text)) => text,
        other => panic!("{path:?}: {other:?} of {plain:?}"),
    }
}

impl Rig {
    fn ok(&self, id: CallId) -> Plain {
        self.outcome(id).clone().unwrap_or_else(|failure| panic!("{failure}"))
    }

    fn failed(&self, id: CallId) -> CallFailure {
        self.outcome(id).clone().unwrap_err()
    }

    /// The next so many requests of a method go wrong.
    fn trouble(&mut self, method: &'static str, whats: Vec<What>) {
        let mut whats = whats.into_iter();
        self.wires.rule = Box::new(move |_, name| if name == method { whats.next() } else { None });
    }

    fn sent_of(&self, method: &str) -> usize {
        self.sent.iter().filter(|(_, _, name)| name == method).count()
    }

    fn withdraw(&mut self, address: &str) -> CallId {
        let args =
            vec![("volume", Plain::Decimal(d("0.5"))), ("bitcoin_address", Plain::text(address))];
        self.call(0, "withdrawal_bitcoin", args, None)
    }
}

/// MB-C01, MB-C02, MB-C05: the content of `return`, numbers in quotes as the venue writes them.
#[test]
fn reads_and_withdrawals_answer_what_return_holds() {
    let mut rig = Rig::ready(1);
    let place = rig.limit(Side::Buy, "1.5", "0.5");
    rig.place(0, place, false);
    rig.wait(secs(2));
    let info = rig.call(0, "getInfo", Vec::new(), None);
    let list = rig.call(0, "OrderList", vec![pair(), ("from_id", Plain::Int(1))], None);
    let paid = rig.withdraw(ADDRESS);
    rig.wait(secs(5));
    let info = rig.ok(info);
    assert_eq!(text(&info, &["funds", "brl_with_open_orders"]), "1000000.00000");
    assert_eq!(text(&info, &["funds", "brl"]), "999999.24475");
    assert_eq!(info.get("open_orders"), Some(&Plain::Int(1)));
    assert_eq!(text(&info, &["server_time"]).len(), 10);
    let list = rig.ok(list);
    assert_eq!(text(&list, &["27176", "volume"]), "0.50000000");
    assert_eq!(text(&list, &["27176", "status"]), "active");
    let paid = rig.ok(paid);
    assert_eq!(text(&paid, &["withdrawal", "volume"]), "0.50000000");
    assert_eq!(text(&paid, &["withdrawal", "bitcoin_address"]), ADDRESS);
}

/// MB-C03, MB-C04: orders keyed by their numbers, inside the one order path.
#[test]
fn trade_and_cancel_answer_the_order() {
    let mut rig = Rig::ready(2);
    let place = rig.limit(Side::Sell, "200", "0.25");
    let key = place.key;
    let trade = rig.place(0, place, true).unwrap();
    rig.wait(secs(2));
    assert_eq!(text(&rig.ok(trade), &["27176", "price"]), "200.00000");
    let cancel = rig.cancel(0, key, true).unwrap();
    rig.wait(secs(3));
    assert_eq!(text(&rig.ok(cancel), &["27176", "status"]), "canceled");
    assert!(matches!(rig.last(key), Some(OrderStep::Canceled { .. })));
    let again = rig.cancel(0, key, true).unwrap();
    assert_eq!(rig.failed(again).message, "ORDER_UNKNOWN");
    // Of an order that no run of ours knows, the venue decides.
    let strange = rig.call(0, "CancelOrder", vec![pair(), ("order_id", Plain::Int(7))], None);
    rig.wait(secs(3));
    assert_eq!(rig.failed(strange).to_string(), "rejected: Ordem não encontrada.");
}

/// MB-X01 to MB-X04, on a line of their own.
#[test]
fn public_data_costs_no_tonce() {
    let mut rig = Rig::ready(3);
    rig.market("101.5", "0.25");
    let before = rig.wires.arrivals.len();
    let coin = || ("coin", Plain::text("btc"));
    let whole = |name, value| (name, Plain::Int(value));
    let ticker = rig.call(0, "ticker", vec![coin()], None);
    let book = rig.call(0, "orderbook", vec![coin()], None);
    let trades = rig.call(0, "trades", vec![coin(), whole("since", 0)], None);
    let day = vec![coin(), whole("year", 2026), whole("month", 9), whole("day", 21)];
    let day = rig.call(0, "day-summary", day, None);
    let nowhere = rig.call(0, "ticker", vec![("coin", Plain::text("XYZ"))], None);
    let path = rig.call(0, "ticker", vec![("coin", Plain::text("../tapi"))], None);
    let half = rig.call(0, "trades", vec![coin(), whole("to", 5)], None);
    rig.wait(secs(5));
    assert_eq!(text(&rig.ok(ticker), &["ticker", "last"]), "101.50000000");
    assert!(matches!(rig.ok(book).get("asks"), Some(Plain::List(_))));
    let Plain::List(trades) = rig.ok(trades) else { panic!() };
    assert_eq!(trades.len(), 1);
    assert_eq!(text(&rig.ok(day), &["date"]), "2026-09-21");
    assert_eq!(rig.failed(nowhere).code, Some(404));
    assert_eq!(rig.failed(path).kind, Kind::Arguments);
    assert_eq!(rig.failed(half).kind, Kind::Arguments);
    assert_eq!(rig.wires.arrivals.len(), before);
    assert!(rig.lanes.ends_with(&["mercadobitcoin/data".to_owned()]));
}

/// (what goes wrong with each try, how the read ends, how often it was sent)
#[test]
fn reads_are_repeated_twice_and_then_fail() {
    let html = || What::Html(503);
    let broken = || What::PlainText("Em manutenção".to_owned());
    for (whats, kind, sent) in [
        (vec![html(), What::DropAfter], None, 3),
        (vec![What::Truncate, broken()], None, 3),
        (vec![html(), html(), html()], Some(Kind::Unavailable), 3),
        (vec![What::DropBefore, broken(), What::Truncate], Some(Kind::Timeout), 3),
        (vec![What::TooMany], Some(Kind::RateLimited), 1),
        (vec![What::Error("API desativada.".to_owned())], Some(Kind::Rejected), 1),
    ] {
        let mut rig = Rig::ready(4);
        rig.trouble("OrderList", whats.clone());
        let before = rig.sent_of("OrderList");
        let id = rig.call(0, "OrderList", vec![pair()], None);
        rig.wait(secs(50));
        assert_eq!(rig.sent_of("OrderList") - before, sent, "{whats:?}");
        let Some(kind) = kind else {
            rig.ok(id);
            continue;
        };
        let failure = rig.failed(id);
        assert_eq!((failure.kind, failure.fate), (kind, Fate::Refused), "{whats:?}");
        match kind {
            Kind::RateLimited => assert_eq!(failure.retry_after, Some(secs(60))),
            Kind::Rejected => assert_eq!(failure.message, "API desativada."),
            _ => {}
        }
    }
}

/// Part D: never repeated, and no other until a human has looked.
#[test]
fn a_withdrawal_in_doubt_stops_all_others() {
    for (what, doubt) in [
        (What::DropAfter, true),
        (What::DropBefore, true),
        (What::Html(503), true),
        (What::Truncate, true),
        (What::Error("Saque desativado.".to_owned()), false),
        (What::TooMany, false),
    ] {
        let mut rig = Rig::ready(5);
        rig.trouble("withdrawal_bitcoin", vec![what.clone()]);
        let first = rig.withdraw(ADDRESS);
        rig.wait(secs(80));
        let failure = rig.failed(first);
        let fate = if doubt { Fate::Unknown } else { Fate::Refused };
        assert_eq!(failure.fate, fate, "{what:?} {failure}");
        assert_eq!(rig.sent_of("withdrawal_bitcoin"), 1);
        let alarmed = rig.notes.iter().any(|note| note.contains("ALARM"));
        assert_eq!(alarmed, doubt, "{:?}", rig.notes);
        let compared = rig.notes.iter().find(|note| note.contains("BTC before"));
        assert_eq!(compared.is_some(), doubt, "{:?}", rig.notes);
        let second = rig.withdraw(ADDRESS);
        rig.wait(secs(5));
        assert_eq!(rig.outcome(second).is_err(), doubt, "{what:?}");
    }
}

/// (what goes wrong with the Trade, how the call ends, whether the order stands in the end)
#[test]
fn the_fate_of_a_trade_is_told_and_found_out() {
    let unknown = |text: &str| What::Error(text.to_owned());
    for (what, kind, fate, stands) in [
        (What::DropBefore, Kind::Timeout, Fate::Unknown, false),
        (What::DropAfter, Kind::Timeout, Fate::Unknown, true),
        (What::Html(502), Kind::Timeout, Fate::Unknown, false),
        (What::Truncate, Kind::Timeout, Fate::Unknown, true),
        (What::Hold(secs(15)), Kind::Timeout, Fate::Unknown, false),
        (What::TooMany, Kind::RateLimited, Fate::Refused, false),
        (unknown("Erro inesperado."), Kind::Rejected, Fate::Refused, false),
    ] {
        let mut rig = Rig::ready(6);
        rig.trouble("Trade", vec![what.clone()]);
        let place = rig.limit(Side::Buy, "1.5", "0.5");
        let key = place.key;
        let id = rig.place(0, place, true).unwrap();
        rig.wait(secs(80));
        let failure = rig.failed(id);
        assert_eq!((failure.kind, failure.fate), (kind, fate), "{what:?}");
        let working = matches!(rig.last(key), Some(OrderStep::Working { .. }));
        assert_eq!(working, stands, "{what:?}: {:?}", rig.steps);
        assert_eq!(rig.sent_of("Trade"), 1, "{what:?}");
    }
    // Twice delivered: the second is refused by its tonce, and the list has the first.
    let mut rig = Rig::ready(6);
    rig.trouble("Trade", vec![What::Duplicate]);
    let place = rig.limit(Side::Buy, "1.5", "0.5");
    let id = rig.place(0, place, true).unwrap();
    rig.wait(secs(10));
    assert_eq!(text(&rig.ok(id), &["27176", "status"]), "active");
}

/// A cancel is repeated; where the repeat is refused, the order says which of the two it was.
#[test]
fn a_lost_cancel_is_decided_by_a_list() {
    for ours in [true, false] {
        let mut rig = Rig::ready(7);
        let place = rig.limit(Side::Buy, "1.5", "0.5");
        let key = place.key;
        rig.place(0, place, false);
        rig.wait(secs(2));
        rig.trouble("CancelOrder", vec![What::DropAfter]);
        let id = match ours {
            true => rig.cancel(0, key, true).unwrap(),
            false => {
                let args = vec![pair(), ("order_id", Plain::Int(27_176))];
                rig.call(0, "CancelOrder", args, None)
            }
        };
        rig.wait(secs(10));
        assert_eq!(text(&rig.ok(id), &["27176", "status"]), "canceled");
        assert!(matches!(rig.last(key), Some(OrderStep::Canceled { .. })), "{:?}", rig.steps);
    }
}

#[test]
fn what_waits_too_long_is_never_sent_and_what_is_too_much_is_refused() {
    let mut rig = Rig::ready(8);
    let ids: Vec<CallId> = (0..120).map(|_| rig.call(0, "getInfo", Vec::new(), None)).collect();
    rig.wait(secs(60));
    let kinds = |kind: Kind| {
        let outcomes = ids.iter().map(|id| rig.outcome(*id));
        outcomes.filter(|it| it.as_ref().is_err_and(|failure| failure.kind == kind)).count()
    };
    assert_eq!(kinds(Kind::Limit), 20);
    let (expired, sent) = (kinds(Kind::ExpiredInQueue), rig.sent_of("getInfo"));
    assert!(expired >= 85 && sent < 15, "{expired} {sent}");
}

/// Orders of an earlier run: by number, and by what was asked where the number is not known.
#[test]
fn orders_of_an_earlier_run_are_taken_up() {
    let mut rig = Rig::ready(9);
    let places = ["1.5", "1.6", "1.7"].map(|price| rig.limit(Side::Buy, price, "0.5"));
    for place in places.clone() {
        rig.place(0, place, false);
    }
    rig.wait(secs(6));
    let ids = places.clone().map(|place| rig.venue_id(place.key).unwrap());
    rig.cancel(0, places[1].key, false);
    rig.wait(secs(4));
    let mut again = config("ana", &user());
    again.last_tonce = rig.now.nanos() / 1_000_000_000 + 100;
    let mut session = Session::new(again);
    let venue_id = |at: usize| Some(lunario::base::VenueOrderId(ids[at]));
    session.adopt(places[0].key, venue_id(0), BTC);
    session.adopt(places[1].key, venue_id(1), BTC);
    session.adopt_lost(places[2].clone(), rig.now.minus(secs(10)));
    let unsent = rig.limit(Side::Sell, "300", "0.5");
    session.adopt_lost(unsent.clone(), rig.now.minus(secs(9)));
    let nameless = rig.limit(Side::Sell, "301", "0.5");
    session.adopt(nameless.key, None, BTC);
    rig.steps.clear();
    rig.sessions[0] = session;
    rig.wait(secs(10));
    assert!(matches!(rig.last(places[0].key), Some(OrderStep::Working { .. })));
    assert!(matches!(rig.last(places[1].key), Some(OrderStep::Canceled { .. })));
    assert_eq!(rig.venue_id(places[2].key), Some(ids[2]));
    assert!(matches!(rig.last(unsent.key), Some(OrderStep::Rejected { .. })));
    assert_eq!(rig.last(nameless.key), Some(&OrderStep::Lost), "nobody knows");
    rig.cancel(0, places[2].key, false);
    rig.wait(secs(4));
    assert!(matches!(rig.last(places[2].key), Some(OrderStep::Canceled { .. })));
    let strangers: Vec<&String> =
        rig.notes.iter().filter(|it| it.contains("not of this")).collect();
    assert_eq!(strangers.len(), 1, "{strangers:?}");
}
