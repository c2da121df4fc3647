//! Rows in blocks: how far is quiet, and that blocks give exactly what single rows give.

use proptest::prelude::*;

use super::*;

fn block(rows: &[(i64, i64)], scale: u32) -> TradeBlock {
    let mut block = TradeBlock { price_scale: scale, qty_scale: 1, ..TradeBlock::default() };
    for (time, price) in rows {
        block.push(ms(*time), *price, 5, 0, 0);
    }
    block
}

#[test]
fn quiet_rows_end_at_the_first_that_matters() {
    let rows: Vec<(i64, i64)> = (0..10).map(|n| (n * 10, 1000 + n)).collect();
    let block = block(&rows, 1);
    let quiet = |steps: Vec<(i64, Command)>, entry: i64, from: usize| {
        let mut venue = venue(entry, 0);
        venue.market(&trade(0, "100", "1"));
        for (at, command) in steps {
            venue.handle(ms(at), VenueIn::Command(command));
            while venue.poll(ms(at)).is_some() {}
        }
        venue.quiet_until(&block, from)
    };
    assert_eq!(quiet(vec![], 0, 0), 10);
    assert_eq!(quiet(vec![], 0, 10), 10);
    // A sell at 101 is touched by nothing here, a sell at 100.5 by no price of this block's scale.
    assert_eq!(quiet(vec![(0, place(1, Side::Sell, "1", Some("101")))], 0, 0), 10);
    // A buy at 99 is out of reach; a market order in flight comes due at 35 ms, before row 4.
    assert_eq!(quiet(vec![(0, place(1, Side::Buy, "1", Some("99")))], 0, 0), 10);
    assert_eq!(quiet(vec![(0, place(1, Side::Buy, "1", None))], 35, 0), 4);
    assert_eq!(quiet(vec![(0, place(1, Side::Buy, "1", None))], 30, 0), 3);
    // An order that arrived with a print waits for the next: any row will do.
    assert_eq!(quiet(vec![(0, place(1, Side::Buy, "1", None)), (40, cancel(7))], 35, 1), 1);
}

#[test]
fn coarse_blocks_round_the_reach_outwards() {
    // Whole reais only, an order at 101.5 after the tick became finer: 102 goes through it.
    let mut venue = venue(0, 0);
    let mut fine = btc();
    fine.tick_size = d("0.5");
    venue.market(&Event::Instrument(fine));
    venue.market(&trade(0, "100", "1"));
    venue.handle(ms(0), VenueIn::Command(place(1, Side::Sell, "1", Some("101.5"))));
    venue.handle(ms(0), VenueIn::Command(place(2, Side::Buy, "1", Some("98.5"))));
    while venue.poll(ms(0)).is_some() {}
    assert_eq!(venue.quiet_until(&block(&[(1, 101), (2, 99), (3, 102)], 0), 0), 2);
    assert_eq!(venue.quiet_until(&block(&[(1, 101), (2, 98), (3, 102)], 0), 0), 1);
}

#[test]
fn absorbed_rows_set_the_last_trade() {
    let mut venue = venue(0, 0);
    let block = block(&[(1, 1000), (2, 1010), (3, 1020)], 1);
    venue.absorb(&block, 0, 0);
    assert_eq!(venue.exchange().last_trade(BTC), None);
    venue.absorb(&block, 0, 2);
    assert_eq!(venue.exchange().last_trade(BTC).cloned(), block.trade(1));
}

#[test]
fn the_scan_finds_the_first_price_outside() {
    let mut prices = vec![100; 300];
    assert_eq!(first_outside(&prices, 99, 101), 300);
    prices[200] = 101;
    prices[250] = 99;
    assert_eq!(first_outside(&prices, 99, 101), 200);
    assert_eq!(first_outside(&prices, 99, 102), 250);
    assert_eq!(first_outside(&prices, 100, 102), 0);
    assert_eq!(first_outside(&[], 0, 0), 0);
}

/// What an imaginary strategy does after row `n`.
#[derive(Clone, Debug)]
enum Act {
    Place { buy: bool, price: Option<i64>, stop: Option<i64>, qty: i64 },
    Cancel { back: u32 },
    Replace { back: u32, price: i64 },
    CancelAll,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (
            any::<bool>(),
            prop::option::weighted(0.7, 90i64..110),
            prop::option::weighted(0.3, 90i64..110),
            1i64..2000,
        )
            .prop_map(|(buy, price, stop, qty)| Act::Place { buy, price, stop, qty }),
        2 => (0u32..5).prop_map(|back| Act::Cancel { back }),
        2 => (0u32..5, 90i64..110).prop_map(|(back, price)| Act::Replace { back, price }),
        1 => Just(Act::CancelAll),
    ]
}

fn command(act: &Act, sequence: u32) -> Command {
    let earlier = |back: u32| sequence.saturating_sub(back + 1).max(1);
    match act {
        Act::Place { buy, price, stop, qty } => Command::Place(Place {
            key: key(sequence),
            instrument: BTC,
            side: if *buy { Side::Buy } else { Side::Sell },
            kind: match (price, stop) {
                (None, None) => OrderKind::Market,
                (Some(_), None) => OrderKind::Limit,
                (None, Some(_)) => OrderKind::Stop,
                (Some(_), Some(_)) => OrderKind::StopLimit,
            },
            qty: Decimal::new(*qty, 3),
            price: price.map(Decimal::from),
            stop: stop.map(Decimal::from),
            post_only: false,
            reduce_only: false,
            tif: Tif::Gtc,
        }),
        Act::Cancel { back } => cancel(earlier(*back)),
        Act::Replace { back, price } => {
            replace(earlier(*back), 1000 + sequence, &price.to_string(), "0.5")
        }
        Act::CancelAll => Command::CancelAll { instrument: None },
    }
}

/// Runs the rows and acts; in blocks, or row by row. Everything heard, in order.
fn run(
    block: &TradeBlock,
    acts: &[Option<Act>],
    latency: (i64, i64),
    in_blocks: bool,
) -> (Vec<String>, Option<Trade>) {
    let mut venue = venue(latency.0, latency.1);
    let mut heard = Vec::new();
    let mut row = 0;
    while row < block.len() {
        let quiet = if in_blocks { venue.quiet_until(block, row) } else { row };
        let end = if quiet > row {
            let acting = (row..quiet).find(|at| acts[*at].is_some());
            let end = acting.map_or(quiet, |at| at + 1);
            venue.absorb(block, row, end);
            end
        } else {
            let trade = block.trade(row).unwrap();
            heard.extend(hear(&mut venue, trade.time.millis()));
            venue.market(&Event::Trade(trade));
            row + 1
        };
        let now = block.times[end - 1].millis();
        heard.extend(hear(&mut venue, now));
        if let Some(act) = &acts[end - 1] {
            let sequence = u32::try_from(end).unwrap();
            venue.handle(ms(now), VenueIn::Command(command(act, sequence)));
            heard.extend(hear(&mut venue, now));
        }
        row = end;
    }
    heard.extend(hear(&mut venue, i64::MAX / 2_000_000));
    (heard, venue.exchange().last_trade(BTC).cloned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Blocks give exactly what event-by-event delivery gives, whatever the strategy does and when.
    #[test]
    fn blocks_equal_single_rows(
        rows in prop::collection::vec((0i64..4, 90i64..110), 1..60),
        acts in prop::collection::vec(prop::option::weighted(0.3, act()), 60),
        entry in prop::sample::select(vec![0i64, 1, 7]),
        response in prop::sample::select(vec![0i64, 3]),
        scale in 0u32..4,
    ) {
        let mut at = 0;
        let rows: Vec<(i64, i64)> = rows
            .iter()
            .map(|(step, price)| {
                at += step;
                (at, price * 10i64.pow(scale))
            })
            .collect();
        let block = block(&rows, scale);
        let single = run(&block, &acts, (entry, response), false);
        let blocks = run(&block, &acts, (entry, response), true);
        prop_assert_eq!(single, blocks);
    }
}
