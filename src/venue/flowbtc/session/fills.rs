//! A venue's fill as the engine gets it: whose it is, what it cost, who was the maker.

use super::legs::Known;
use super::listing::Listing;
use crate::base::{Fill, Liquidity, OrderKind, Span, Time};
use crate::venue::flowbtc::payload::FillRow;

/// A fill this much later than the venue received its order met it resting in the book.
const RESTED: Span = Span::from_millis(2);

/// The fill for the engine. Where the venue does not say, the fee is the instrument's rate on the
/// notional, and we were the maker if the order was post-only, or had rested: it is a limit order
/// that the venue received at least 2 ms before the fill.
pub(super) fn fill_of(
    now: Time,
    known: &Known,
    at: Option<usize>,
    row: &FillRow,
    listing: &Listing,
) -> Option<Fill> {
    let time = row.time.unwrap_or(now);
    let rested = known.kind == OrderKind::Limit
        && at
            .and_then(|at| known.legs.get(at)?.received)
            .is_some_and(|received| time.since(received) >= RESTED);
    let liquidity = row.liquidity.unwrap_or(if known.post_only || rested {
        Liquidity::Maker
    } else {
        Liquidity::Taker
    });
    let rules = listing.get(known.instrument);
    let rate = rules.map(|rules| match liquidity {
        Liquidity::Maker => rules.fees.maker,
        Liquidity::Taker => rules.fees.taker,
    });
    let quote = rules.map(|rules| rules.quote.clone()).unwrap_or_default();
    let told = row.fee.as_ref().map(|(fee, product)| {
        let asset = product.and_then(|product| listing.asset(product)).map(str::to_owned);
        (*fee, asset.unwrap_or_else(|| quote.clone()))
    });
    let fee_estimated = told.is_none();
    let (fee, fee_asset) =
        told.unwrap_or_else(|| (rate.unwrap_or_default() * row.price * row.qty, quote.clone()));
    Some(Fill {
        order: known.key,
        instrument: known.instrument,
        side: known.side?,
        price: row.price,
        qty: row.qty,
        fee,
        fee_asset,
        fee_estimated,
        liquidity,
        trade_id: row.trade,
        time,
    })
}
