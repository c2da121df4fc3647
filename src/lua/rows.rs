//! Event rows as they cross into a VM: 64 bytes each, little-endian, walked by the prelude.
//!
//! | offset | trade | quote |
//! |---|---|---|
//! | 0 u32 | kind 1 | kind 2 |
//! | 4 u32 | instrument id | instrument id |
//! | 8 f64 | time, seconds | time, seconds |
//! | 16 f64 | price | bid |
//! | 24 f64 | quantity | bid quantity |
//! | 32 f64 | | ask |
//! | 40 f64 | | ask quantity |
//! | 48 | side, u32 (1 buy, 2 sell, 0 unknown) | last, f64 |
//! | 56 u64 | trade id | |

use crate::base::tape::TradeBlock;
use crate::base::{Decimal, Quote, Trade, decimal};

pub const ROW: usize = 64;
pub const TRADE: u32 = 1;
pub const QUOTE: u32 = 2;
/// How a walk delivers rows of trades to `on_trade_fields`; the rows themselves are of kind 1.
pub const TRADE_FIELDS: u32 = 3;

type Row = [u8; ROW];

/// Appends the block's trades of at least `min_qty` to `out`; `map` gets each row's place in the
/// block.
pub fn encode_block(
    block: &TradeBlock,
    min_qty: Option<Decimal>,
    out: &mut Vec<u8>,
    map: &mut Vec<usize>,
) {
    out.clear();
    map.clear();
    let least = min_qty.map(|least| decimal::mantissa_at(least, block.qty_scale));
    let instrument = u32::from(block.instrument.0).to_le_bytes();
    let columns = block.times.iter().zip(&block.prices).zip(&block.qtys);
    let columns = columns.zip(block.sides.iter().zip(&block.ids)).enumerate();
    for (at, (((time, price), qty), (side, id))) in columns {
        // A least quantity finer than the block's scale is compared exactly.
        let keep = match least {
            None => true,
            Some(Some(least)) => *qty >= least,
            Some(None) => min_qty.is_none_or(|least| Decimal::new(*qty, block.qty_scale) >= least),
        };
        if !keep {
            continue;
        }
        let mut row: Row = [0; ROW];
        put(&mut row, 0, &TRADE.to_le_bytes());
        put(&mut row, 4, &instrument);
        put(&mut row, 8, &time.seconds().to_le_bytes());
        put(&mut row, 16, &decimal::scaled_to_f64(*price, block.price_scale).to_le_bytes());
        put(&mut row, 24, &decimal::scaled_to_f64(*qty, block.qty_scale).to_le_bytes());
        put(&mut row, 48, &u32::from(*side).to_le_bytes());
        put(&mut row, 56, &id.to_le_bytes());
        out.extend_from_slice(&row);
        map.push(at);
    }
}

/// One trade as a row.
#[must_use]
pub fn trade_row(trade: &Trade) -> Row {
    let mut row: Row = [0; ROW];
    put(&mut row, 0, &TRADE.to_le_bytes());
    put(&mut row, 4, &u32::from(trade.instrument.0).to_le_bytes());
    put(&mut row, 8, &trade.time.seconds().to_le_bytes());
    put(&mut row, 16, &decimal::to_f64(trade.price).to_le_bytes());
    put(&mut row, 24, &decimal::to_f64(trade.qty).to_le_bytes());
    put(&mut row, 48, &u32::from(crate::base::tape::side_code(trade.side)).to_le_bytes());
    put(&mut row, 56, &trade.id.to_le_bytes());
    row
}

/// One quote as a row.
#[must_use]
pub fn quote_row(quote: &Quote) -> Row {
    let mut row: Row = [0; ROW];
    put(&mut row, 0, &QUOTE.to_le_bytes());
    put(&mut row, 4, &u32::from(quote.instrument.0).to_le_bytes());
    put(&mut row, 8, &quote.time.seconds().to_le_bytes());
    for (at, value) in [
        (16, quote.bid),
        (24, quote.bid_qty),
        (32, quote.ask),
        (40, quote.ask_qty),
        (48, quote.last),
    ] {
        put(&mut row, at, &decimal::to_f64(value).to_le_bytes());
    }
    row
}

fn put<const N: usize>(row: &mut Row, at: usize, bytes: &[u8; N]) {
    if let Some(place) = row.get_mut(at..at + N) {
        place.copy_from_slice(bytes);
    }
}
