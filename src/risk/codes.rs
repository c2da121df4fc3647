//! Every code with which the gate refuses, and what it means. The script sees the code and its
//! facts as the order's `reason`.

/// Code and meaning, in the order in which they are checked.
pub const CODES: &[(&str, &str)] = &[
    ("HALT_ALL", "trading is halted for every strategy; only cancels pass"),
    ("HALT_STRATEGY", "this strategy is halted; only cancels pass"),
    ("VENUE_NOT_READY", "the venue's session is not live and reconciled"),
    ("ORDER_BAD_QTY", "the quantity is not positive, or too large to reckon with"),
    ("ORDER_BELOW_MIN_QTY", "the quantity is under the instrument's minimum"),
    ("ORDER_OFF_LOT", "the quantity is no multiple of the lot size"),
    (
        "ORDER_BAD_PRICE",
        "a price is missing, not positive, or does not belong to this kind of order",
    ),
    ("ORDER_BAD_STOP", "a stop is missing, not positive, or does not belong to this kind of order"),
    ("ORDER_OFF_TICK", "a price or stop is no multiple of the tick size"),
    ("ORDER_BAD_POST_ONLY", "post-only needs a limit order that may rest (not ioc, fok or market)"),
    ("ORDER_NOT_WORKING", "the order to replace has ended, or its outcome is unknown"),
    ("ORDER_CHANGE_PENDING", "a cancel or a replacement of this order is under way"),
    ("ORDER_WOULD_INCREASE", "a reduce-only order must be opposite to the position and no larger"),
    ("LIMIT_MAX_ORDER_QTY", "the quantity is over `max_order_qty`"),
    ("LIMIT_NO_PRICE", "`max_order_notional` is set and no price is known to value the order"),
    ("LIMIT_MAX_ORDER_NOTIONAL", "the value is over `max_order_notional`"),
    ("LIMIT_MAX_POSITION", "the position could pass `max_position` if every open order filled"),
    ("LIMIT_MAX_OPEN_ORDERS", "there are `max_open_orders` open orders already"),
    ("LIMIT_ORDER_RATE", "`max_orders_per_minute` were sent within the last 60 seconds"),
];

/// What a code means; `None` for one that is not the gate's.
#[must_use]
pub fn meaning(code: &str) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}
