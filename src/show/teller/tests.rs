//! What people are told of a run's notes, and what is left out or put together for them.

use super::*;
use crate::base::{
    Fees, Liquidity, OrderKind, Place as PlaceOrder, Side, StrategyId, Tif, VenueName, Version,
    decimal,
};
use crate::desk::FaultKind;

struct Disk;

impl Sources for Disk {
    fn names(&self) -> Vec<&str> {
        vec!["a_longer_name", "x"]
    }

    fn shown(&self, _: &str, file: &str) -> String {
        format!("scripts/{file}")
    }

    fn missing(&self, strategy: &str) -> Option<String> {
        (strategy == "lost").then(|| "scripts/lost.luau".to_owned())
    }

    fn text(&self, file: &str) -> Option<String> {
        (file == "scripts/x.luau").then(|| "first\nctx:bye()\n".to_owned())
    }
}

const NOW: Time = Time::from_millis(1_602_269_461_897);

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn teller(form: Form) -> Teller {
    let mut instruments = Instruments::default();
    instruments.add(Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("flowbtc"),
        symbol: "BTCBRL".into(),
        base: "BTC".into(),
        quote: "BRL".into(),
        tick_size: Decimal::new(1, 2),
        lot_size: Decimal::new(1, 8),
        min_qty: Decimal::new(1, 8),
        fees: Fees::default(),
    });
    Teller::new(form, instruments, NOW)
}

fn people() -> Teller {
    teller(Form::People(Style::PLAIN))
}

/// The lines of a note, without time and name.
fn tell(teller: &mut Teller, note: &Note) -> Vec<String> {
    let lines = teller.note(NOW, "x", note, &Disk);
    let cut = |line: String| line.strip_prefix("18:51:01.897  x              ").unwrap().to_owned();
    lines.into_iter().map(cut).collect()
}

fn order(price: Option<&str>, state: OrderState) -> Order {
    let place = PlaceOrder {
        key: OrderKey::compose(9, StrategyId(0), 3).unwrap(),
        instrument: InstrumentId(0),
        side: Side::Buy,
        kind: if price.is_some() { OrderKind::Limit } else { OrderKind::Market },
        qty: d("0.03"),
        price: price.map(d),
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    };
    let mut order = Order::new(&place, StrategyId(0), Version("0123456789ab".into()), NOW);
    order.state = state;
    order.tag = "enter".into();
    order
}

fn noted(order: Order) -> Note {
    Note::Order { order }
}

fn fill(qty: &str) -> Note {
    Note::Fill {
        strategy: StrategyId(0),
        version: Version("0123456789ab".into()),
        fill: Fill {
            order: OrderKey::compose(9, StrategyId(0), 3).unwrap(),
            instrument: InstrumentId(0),
            side: Side::Buy,
            price: d("100"),
            qty: d(qty),
            fee: d("0.1"),
            fee_asset: "BRL".into(),
            fee_estimated: false,
            liquidity: Liquidity::Taker,
            trade_id: 5,
            time: NOW,
        },
    }
}

#[test]
fn a_market_order_is_told_by_its_fills() {
    let mut teller = people();
    assert_eq!(tell(&mut teller, &noted(order(None, OrderState::Working))), [""; 0]);
    for (qty, expected) in [
        ("0.01", "fill      buy      0.01 BTCBRL @     100.00  #3 enter  0.01 of 0.03"),
        ("0.02", "fill      buy      0.02 BTCBRL @     100.00  #3 enter"),
    ] {
        assert_eq!(tell(&mut teller, &fill(qty)), [format!("{expected}  fee 0.10 BRL taker")]);
    }
    let mut filled = order(None, OrderState::Filled);
    (filled.filled, filled.reported) = (d("0.03"), d("0.03"));
    assert_eq!(tell(&mut teller, &noted(filled.clone())), [""; 0]);
    filled.filled = d("0.01");
    let shown = tell(&mut teller, &noted(filled));
    assert_eq!(shown, ["filled    buy      0.03 BTCBRL @     market  #3 enter"], "fills to come");
}

#[test]
fn other_states_have_their_lines_and_programs_get_all() {
    for (price, state, told) in [
        (Some("99"), OrderState::Working, true),
        (None, OrderState::Working, false),
        (None, OrderState::Unknown, true),
        (None, OrderState::Rejected, true),
        (Some("99"), OrderState::Canceled, true),
        (Some("99"), OrderState::Expired, true),
    ] {
        let note = noted(order(price, state));
        let lines = tell(&mut people(), &note);
        assert_eq!(!lines.is_empty(), told, "{state:?}");
        assert!(lines.iter().all(|line| line.starts_with(state.word())), "{lines:?}");
        assert_eq!(teller(Form::Json).note(NOW, "x", &note, &Disk).len(), 1);
    }
}

fn failure(message: &str) -> Note {
    let fault = Fault {
        kind: FaultKind::Error,
        handler: "on_trade".into(),
        message: message.into(),
        file: "x.luau".into(),
        line: 2,
        column: 5,
        traceback: String::new(),
        at: NOW,
    };
    Note::Fault { strategy: StrategyId(0), version: Version("0123456789ab".into()), fault }
}

#[test]
fn a_failure_that_repeats_is_told_once_and_counted() {
    let mut teller = people();
    let first = tell(&mut teller, &failure("no bye"));
    let [first] = &first[..] else { panic!("{first:?}") };
    assert!(first.starts_with("failed    in on_trade\n    error: no bye"), "{first}");
    assert!(first.contains("scripts/x.luau:2:5") && first.contains("2 | ctx:bye()"), "{first}");
    for _ in 0..3 {
        assert_eq!(tell(&mut teller, &failure("no bye")), [""; 0]);
    }
    let again = |teller: &mut Teller| teller.status(NOW, &[], 0, &Disk)[0].clone();
    let shown = again(&mut teller);
    assert!(
        shown.ends_with("error     3 times more in on_trade: no bye (scripts/x.luau:2:5)"),
        "{shown}"
    );
    assert!(!again(&mut teller).contains("times more"));
    assert_eq!(tell(&mut teller, &failure("another")).len(), 1);
    assert_eq!(tell(&mut teller, &failure("no bye")).len(), 1);
}

#[test]
fn orders_rejected_alike_are_counted_until_the_next_status() {
    let mut teller = people();
    let mut rejected = order(None, OrderState::Rejected);
    for (reason, told) in [
        ("LIMIT_MAX_POSITION limit=1 would_be=2", true),
        ("LIMIT_MAX_POSITION limit=1 would_be=3", false),
        ("LIMIT_ORDER_RATE limit=60", true),
        ("LIMIT_MAX_POSITION limit=1 would_be=4", false),
    ] {
        rejected.reason = reason.into();
        let lines = tell(&mut teller, &noted(rejected.clone()));
        assert_eq!(!lines.is_empty(), told, "{reason}");
    }
    let status = teller.status(NOW, &[], 0, &Disk);
    assert!(status[0].ends_with("warn      2 orders more were rejected: LIMIT_MAX_POSITION"));
    assert!(!status[1].contains("rejected"), "{status:?}");
    assert_eq!(tell(&mut teller, &noted(rejected)).len(), 1);
}

fn standing(name: &str, net: Option<&str>) -> StrategyStatus {
    let positions = net.map(|net| PositionStatus {
        instrument: "flowbtc:BTCBRL".into(),
        qty: d("0.01"),
        realized: d("0"),
        unrealized: d(net),
        fees: d("0"),
        net: d(net),
        fills: 1,
    });
    StrategyStatus {
        name: name.into(),
        version: Version("0123456789ab".into()),
        halted: None,
        open_orders: 0,
        positions: positions.into_iter().collect(),
    }
}

#[test]
fn status_tells_what_moved_and_the_total() {
    let mut teller = people();
    let mut says = |at: i64, strategies: &[StrategyStatus], events: u64| -> Vec<String> {
        let lines =
            teller.status(NOW.plus(crate::base::Span::from_secs(at)), strategies, events, &Disk);
        lines.into_iter().map(|line| line[14..].to_owned()).collect()
    };
    let first = says(5, &[standing("a_longer_name", Some("-2")), standing("x", None)], 100);
    assert_eq!(
        first,
        [
            "a_longer_name  status    long     0.01 BTC  net     -2.00 BRL  realized 0  fees 0",
            "x              status    no fills yet",
            "all            status                       net     -2.00 BRL  20 events/s",
        ]
    );
    let next = says(10, &[standing("a_longer_name", Some("-2")), standing("x", Some("3"))], 100);
    let names: Vec<&str> = next.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["x", "all"], "{next:?}");
    assert!(next[1].ends_with("net     +1.00 BRL  0 events/s"), "{next:?}");
    let lost = [standing("lost", None)];
    let gone = "lost           warn      scripts/lost.luau is gone; its last version trades on until the run ends";
    assert_eq!(says(11, &lost, 100)[0], gone);
    assert!(!says(12, &lost, 100).concat().contains("gone"));
    let none = says(15, &[], 100);
    assert!(none[0].contains("no strategy runs"), "{none:?}");
}
