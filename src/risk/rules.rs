//! The limits, the facts they are held against, and each rule as a pure function.

use crate::account::Exposure;
use crate::base::{Decimal, Instrument, OrderKind, Place, Quote, Refusal, Side, StrategyId, Tif};

/// What a strategy may do at most. `None` is no limit.
///
/// By default only what guards against a runaway script is limited: 600 orders in any 60 seconds
/// and 200 open orders. Quantities depend on the instrument, so they have no default.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The largest quantity of one order, in base units.
    pub max_order_qty: Option<Decimal>,
    /// The largest price × quantity of one order, in the quote asset.
    pub max_order_notional: Option<Decimal>,
    /// The largest position, long or short, per strategy and instrument, in base units; all that is
    /// open counts as if it filled.
    pub max_position: Option<Decimal>,
    /// Open orders of the strategy on all instruments.
    pub max_open_orders: Option<usize>,
    /// New orders and replacements in any 60 seconds. Cancels are free.
    pub max_orders_per_minute: Option<usize>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_order_qty: None,
            max_order_notional: None,
            max_position: None,
            max_open_orders: Some(200),
            max_orders_per_minute: Some(600),
        }
    }
}

/// How things stand when a strategy asks.
#[derive(Copy, Clone, Debug)]
pub struct Facts<'a> {
    pub strategy: StrategyId,
    /// The strategy's signed position on the instrument.
    pub position: Decimal,
    /// The strategy's open quantities on the instrument (`Orders::exposure`).
    pub exposure: Exposure,
    /// The last trade's price.
    pub last: Option<Decimal>,
    pub quote: Option<&'a Quote>,
    pub instrument: &'a Instrument,
    /// The strategy's open orders on all instruments (`Orders::count`).
    pub open_orders: usize,
    /// The venue takes orders.
    pub ready: bool,
}

/// The shape of an order: positive numbers, on the grid, the prices its kind has and no others.
pub(super) fn shape(ask: &Place, instrument: &Instrument) -> Result<(), Refusal> {
    quantity(ask.qty, instrument)?;
    let (price, stop) = match ask.kind {
        OrderKind::Market => (false, false),
        OrderKind::Limit => (true, false),
        OrderKind::Stop => (false, true),
        OrderKind::StopLimit => (true, true),
    };
    if ask.price.is_some() != price {
        return Err(Refusal::new("ORDER_BAD_PRICE").with("price", shown(ask.price)));
    }
    if ask.stop.is_some() != stop {
        return Err(Refusal::new("ORDER_BAD_STOP").with("stop", shown(ask.stop)));
    }
    if let Some(stop) = ask.stop.filter(|stop| *stop <= Decimal::ZERO) {
        return Err(Refusal::new("ORDER_BAD_STOP").with("stop", stop));
    }
    grid(ask.price, instrument)?;
    grid(ask.stop, instrument)?;
    let rests = price && ask.tif == Tif::Gtc;
    if ask.post_only && !rests {
        return Err(Refusal::new("ORDER_BAD_POST_ONLY").with("tif", ask.tif.word()));
    }
    Ok(())
}

pub(super) fn quantity(qty: Decimal, instrument: &Instrument) -> Result<(), Refusal> {
    if qty <= Decimal::ZERO {
        return Err(Refusal::new("ORDER_BAD_QTY").with("qty", qty));
    }
    if qty < instrument.min_qty {
        return Err(Refusal::new("ORDER_BELOW_MIN_QTY")
            .with("qty", qty)
            .with("min_qty", instrument.min_qty));
    }
    if off_grid(qty, instrument.lot_size) {
        return Err(Refusal::new("ORDER_OFF_LOT")
            .with("qty", qty)
            .with("lot_size", instrument.lot_size));
    }
    Ok(())
}

pub(super) fn grid(price: Option<Decimal>, instrument: &Instrument) -> Result<(), Refusal> {
    let Some(price) = price else { return Ok(()) };
    if price <= Decimal::ZERO {
        return Err(Refusal::new("ORDER_BAD_PRICE").with("price", price));
    }
    if off_grid(price, instrument.tick_size) {
        return Err(Refusal::new("ORDER_OFF_TICK")
            .with("price", price)
            .with("tick_size", instrument.tick_size));
    }
    Ok(())
}

/// A remainder that cannot be reckoned (28 digits apart) is off the grid.
fn off_grid(value: Decimal, step: Decimal) -> bool {
    !step.is_zero() && value.checked_rem(step).is_none_or(|rest| !rest.is_zero())
}

/// A reduce-only order is opposite to the position and no larger. Each is judged by itself, so that
/// a stop and a target can both stand for one position; `max_position` still counts both.
pub(super) fn reduce(side: Side, qty: Decimal, facts: &Facts) -> Result<(), Refusal> {
    let against = side.opposite().signed(facts.position);
    if qty > against {
        return Err(Refusal::new("ORDER_WOULD_INCREASE")
            .with("position", facts.position)
            .with("side", side.word())
            .with("qty", qty));
    }
    Ok(())
}

/// Quantity and value of one order.
pub(super) fn size(
    limits: &Limits,
    side: Side,
    qty: Decimal,
    price: Option<Decimal>,
    facts: &Facts,
) -> Result<(), Refusal> {
    if let Some(limit) = limits.max_order_qty.filter(|limit| qty > *limit) {
        return Err(Refusal::new("LIMIT_MAX_ORDER_QTY").with("limit", limit).with("qty", qty));
    }
    let Some(limit) = limits.max_order_notional else { return Ok(()) };
    let Some(price) = worst_price(side, price, facts) else {
        return Err(Refusal::new("LIMIT_NO_PRICE").with("limit", limit));
    };
    match price.checked_mul(qty) {
        Some(notional) if notional <= limit => Ok(()),
        notional => Err(Refusal::new("LIMIT_MAX_ORDER_NOTIONAL")
            .with("limit", limit)
            .with("would_be", shown(notional))),
    }
}

/// The highest price at which the order may well trade: a buy with a price pays that at most; a
/// sell with a price gets at least that, and more where the market stands higher; without a price,
/// the market's.
fn worst_price(side: Side, price: Option<Decimal>, facts: &Facts) -> Option<Decimal> {
    if side == Side::Buy && price.is_some() {
        return price;
    }
    let touch = facts.quote.map(|quote| match side {
        Side::Buy => quote.ask,
        Side::Sell => quote.bid,
    });
    let touch = touch.filter(|price| *price > Decimal::ZERO);
    [price, touch, facts.last].into_iter().flatten().max()
}

/// The position if everything open on this side filled and this order too.
pub(super) fn position(
    limits: &Limits,
    side: Side,
    qty: Decimal,
    facts: &Facts,
) -> Result<(), Refusal> {
    let Some(limit) = limits.max_position else { return Ok(()) };
    let toward = side.signed(facts.position);
    let would_be = facts.exposure.of(side).checked_add(qty).and_then(|sum| sum.checked_add(toward));
    match would_be {
        Some(would_be) if would_be <= limit => Ok(()),
        would_be => Err(Refusal::new("LIMIT_MAX_POSITION")
            .with("limit", limit)
            .with("would_be", shown(would_be.map(|size| side.signed(size))))),
    }
}

fn shown(value: Option<Decimal>) -> String {
    value.map_or_else(|| "none".to_owned(), crate::base::decimal::show)
}
