//! Paper passes the session's market on and keeps its orders out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::base::{
    BalanceNews, Channel, Decimal, FeedNews, FeedState, Fees, Instrument, InstrumentId,
    Instruments, Net, OrderKey, OrderKind, OrderNews, OrderStep, Place, Side, Span, StrategyId,
    Tif, VenueName, decimal,
};
use crate::exchange::{Config, QueueModel, SimConfig};

/// A session that says what it is told to and remembers what it is given.
#[derive(Clone, Default)]
struct Session {
    given: Arc<Mutex<Vec<VenueIn>>>,
    says: Arc<Mutex<VecDeque<VenueOut>>>,
}

impl crate::base::Venue for Session {}

impl Machine for Session {
    type In = VenueIn;
    type Out = VenueOut;

    fn handle(&mut self, _now: Time, input: VenueIn) {
        self.given.lock().unwrap().push(input);
    }

    fn poll(&mut self, _now: Time) -> Option<VenueOut> {
        self.says.lock().unwrap().pop_front()
    }

    fn wake_at(&self) -> Option<Time> {
        Some(Time::from_millis(500))
    }
}

fn d(text: &str) -> Decimal {
    decimal::parse(text).unwrap()
}

fn btc() -> Instrument {
    Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("flowbtc"),
        symbol: "BTCBRL".to_owned(),
        base: "BTC".to_owned(),
        quote: "BRL".to_owned(),
        tick_size: d("1"),
        lot_size: d("0.001"),
        min_qty: d("0.001"),
        fees: Fees { maker: d("0"), taker: d("0") },
    }
}

fn paper(entry: i64) -> (Paper, Session) {
    let mut instruments = Instruments::default();
    instruments.add(btc());
    let sim = SimVenue::new(SimConfig {
        exchange: Config {
            instruments,
            queue: QueueModel::None,
            first_order_id: 1,
            first_trade_id: 1,
            wait_for_print: false,
        },
        venue: VenueName::new("flowbtc"),
        balances: vec![("BRL".to_owned(), d("1000"))],
        entry: Span::from_millis(entry),
        response: Span::ZERO,
    });
    let session = Session::default();
    (Paper::new(Box::new(session.clone()), sim), session)
}

fn drain(paper: &mut Paper, millis: i64) -> Vec<VenueOut> {
    std::iter::from_fn(|| paper.poll(Time::from_millis(millis))).collect()
}

fn buy() -> Command {
    Command::Place(Place {
        key: OrderKey::compose(1, StrategyId(1), 1).unwrap(),
        instrument: InstrumentId(0),
        side: Side::Buy,
        kind: OrderKind::Market,
        qty: d("1"),
        price: None,
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
    })
}

fn trade(millis: i64, price: &str) -> VenueOut {
    VenueOut::Event(Event::Trade(Trade {
        time: Time::from_millis(millis),
        instrument: InstrumentId(0),
        price: d(price),
        qty: d("1"),
        side: None,
        id: 4,
    }))
}

#[test]
fn orders_go_to_the_simulation_and_the_rest_to_the_session() {
    let (mut paper, session) = paper(0);
    let opened = drain(&mut paper, 0);
    assert!(matches!(&opened[..], [VenueOut::Event(Event::Balance(_))]), "{opened:?}");
    let frame = VenueIn::Net(Net::Frame { conn: 0, text: "{}".to_owned() });
    let subscribe = VenueIn::Command(Command::Subscribe {
        instrument: InstrumentId(0),
        channel: Channel::Trades,
        depth: None,
        interval: None,
    });
    for input in [frame.clone(), subscribe.clone(), VenueIn::Command(buy())] {
        paper.handle(Time::from_millis(1), input);
    }
    assert_eq!(*session.given.lock().unwrap(), [frame, subscribe]);
    assert_eq!(paper.wake_at(), Some(Time::from_millis(1)));
    assert_eq!(drain(&mut paper, 1).len(), 3);
    assert_eq!(paper.wake_at(), Some(Time::from_millis(500)));
}

#[test]
fn fills_follow_the_public_trade_that_made_them() {
    let (mut paper, session) = paper(10);
    drain(&mut paper, 0);
    paper.handle(Time::from_millis(1000), VenueIn::Command(buy()));
    drain(&mut paper, 1010);
    // The session's clock runs behind ours: what counts is when we heard of the trade.
    session.says.lock().unwrap().extend([trade(900, "100"), trade(901, "105")]);
    let words: Vec<String> = drain(&mut paper, 1020)
        .iter()
        .filter_map(|out| match out {
            VenueOut::Event(Event::Trade(trade)) => Some(format!("trade {}", trade.price)),
            VenueOut::Event(Event::Fill(fill)) => {
                Some(format!("fill {} {}", fill.price, fill.time))
            }
            VenueOut::Event(_) | VenueOut::Net(_) | VenueOut::Note(_) | VenueOut::Sent { .. } => {
                None
            }
        })
        .collect();
    assert_eq!(words, ["trade 100", "fill 100 1970-01-01T00:00:01.02Z", "trade 105"]);
    assert_eq!(paper.sim().exchange().fills(paper.sim().account()).len(), 1);
}

#[test]
fn the_sessions_own_orders_and_money_stay_out() {
    let (mut paper, session) = paper(0);
    drain(&mut paper, 0);
    let venue = VenueName::new("flowbtc");
    let time = Time::from_millis(5);
    let key = OrderKey::compose(9, StrategyId(1), 1).unwrap();
    let feed = VenueOut::Event(Event::Feed(FeedNews {
        venue: venue.clone(),
        channel: Channel::Session,
        state: FeedState::Live,
        reason: String::new(),
        time,
    }));
    let mut renamed = btc();
    renamed.lot_size = d("1");
    let rules = VenueOut::Event(Event::Instrument(renamed));
    let note = VenueOut::Note("connected".to_owned());
    session.says.lock().unwrap().extend([
        VenueOut::Event(Event::Balance(BalanceNews {
            venue,
            asset: "BRL".to_owned(),
            total: d("7"),
            held: d("0"),
            time,
        })),
        VenueOut::Event(Event::Order(OrderNews { key, time, step: OrderStep::Sent })),
        feed.clone(),
        rules.clone(),
        note.clone(),
    ]);
    assert_eq!(drain(&mut paper, 5), [feed, rules, note]);
    let known = paper.sim().exchange().instruments().get(InstrumentId(0)).unwrap();
    assert_eq!(known.lot_size, d("1"));
}
