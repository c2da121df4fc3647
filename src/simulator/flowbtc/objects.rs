//! Accounts' things as FlowBTC writes them: order objects (contract A.9, FLOW-E06), executions
//! (FLOW-C18, FLOW-E07), positions (FLOW-E05) and refusals (FLOW-E08 to E11). Fields that later
//! versions added are native only; the page's dialect has exactly the documented ones.

use super::Dialect;
use super::listing::{Products, wire_id};
use super::rows::{amount, side_word, stamp, ticks};
use super::wire::Object;
use crate::base::{Decimal, Liquidity, OrderKind, OrderState, Tif};
use crate::exchange::{AccountNumber, Balance, NewOrder, SimFill, SimOrder};

/// The account on the other side of every execution: the venue's clearing account (FLOW-E07).
const CLEARING_ACCOUNT: i64 = 3;

/// FLOW-V02, FLOW-V10.
#[must_use]
pub const fn kind_word(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Market => "Market",
        OrderKind::Limit => "Limit",
        OrderKind::Stop => "StopMarket",
        OrderKind::StopLimit => "StopLimit",
    }
}

/// FLOW-V10.
#[must_use]
pub const fn kind_number(kind: OrderKind) -> i64 {
    match kind {
        OrderKind::Market => 1,
        OrderKind::Limit => 2,
        OrderKind::Stop => 3,
        OrderKind::StopLimit => 4,
    }
}

/// FLOW-V12; post-only orders are GTX.
#[must_use]
pub const fn tif_number(order: &NewOrder) -> i64 {
    match order.tif {
        Tif::Gtc if order.post_only => 5,
        Tif::Gtc => 1,
        Tif::Ioc => 3,
        Tif::Fok => 4,
    }
}

/// FLOW-V14: no state of its own for pending or partly filled orders.
#[must_use]
pub const fn state_word(state: OrderState) -> &'static str {
    match state {
        OrderState::Pending | OrderState::Working => "Working",
        OrderState::Unknown => "Unknown",
        OrderState::Filled => "FullyExecuted",
        OrderState::Canceled => "Canceled",
        OrderState::Rejected => "Rejected",
        OrderState::Expired => "Expired",
    }
}

/// Why an order is in its state, as far as the state itself tells (FLOW-V15).
#[must_use]
pub fn settled_reason(order: &SimOrder) -> &'static str {
    match order.state {
        OrderState::Working if order.filled.is_zero() => "NewInputAccepted",
        OrderState::Working | OrderState::Filled => "Trade",
        OrderState::Canceled => canceled_reason(&order.reason),
        OrderState::Expired => "Expired",
        OrderState::Rejected => "NewInputRejected",
        OrderState::Pending | OrderState::Unknown => "Unknown",
    }
}

/// The exchange gives no reason for a user's cancel, and `Replaced` for his replacement; all else
/// is its own doing: the market or the money ran out, or an immediate order's time was over
/// (contract B.3).
fn canceled_reason(reason: &str) -> &'static str {
    match reason {
        "" | "Replaced" => "UserModified",
        _ => "SystemCanceled_NoMoreMarket",
    }
}

/// What an order object says besides the order itself.
#[derive(Copy, Clone, Debug)]
pub struct OrderFrame<'a> {
    pub dialect: Dialect,
    /// FLOW-V15.
    pub change: &'a str,
    /// ClientOrderId of the first order of its chain of replacements.
    pub first_client: i64,
    pub user: i64,
    pub revision: i64,
}

/// The order object of replies (contract A.9).
#[must_use]
pub fn order(order: &SimOrder, about: OrderFrame) -> String {
    let object = order_common(order, about)
        .int("OrigOrderId", order.original.0)
        .int("OrigClOrdId", about.first_client)
        .int("EnteredBy", about.user);
    later_fields(object, order, about).end()
}

/// OrderStateEvent's object (FLOW-E06).
#[must_use]
pub fn order_state(order: &SimOrder, about: OrderFrame) -> String {
    let object = order_common(order, about);
    let object = match about.dialect {
        Dialect::Page => object,
        Dialect::Native => object
            .int("OrigOrderId", order.original.0)
            .int("OrigClOrdId", about.first_client)
            .int("EnteredBy", about.user),
    };
    later_fields(object, order, about).end()
}

fn order_common(order: &SimOrder, about: OrderFrame) -> Object {
    let (asked, dialect) = (&order.order, about.dialect);
    let average = order.notional.checked_div(order.filled).unwrap_or_default();
    Object::new()
        .text("Side", side_word(asked.side))
        .int("OrderId", order.id.0)
        .raw("Price", &amount(dialect, asked.price.unwrap_or_default()))
        .raw("Quantity", &amount(dialect, order.remaining()))
        .int("Instrument", wire_id(asked.instrument))
        .int("Account", asked.account.0)
        .text("OrderType", kind_word(asked.kind))
        .int("ClientOrderId", asked.client_id)
        .text("OrderState", state_word(order.state))
        .int("ReceiveTime", stamp(dialect, order.received))
        .raw("OrigQuantity", &amount(dialect, asked.qty))
        .raw("QuantityExecuted", &amount(dialect, order.filled))
        .raw("AvgPrice", &amount(dialect, average))
        .text("ChangeReason", about.change)
}

/// What later versions add (FLOW-E06).
fn later_fields(object: Object, order: &SimOrder, about: OrderFrame) -> Object {
    if about.dialect == Dialect::Page {
        return object;
    }
    let reason = |state| (order.state == state).then_some(order.reason.as_str());
    object
        .int("OMSId", 1)
        .raw("StopPrice", &amount(about.dialect, order.order.stop.unwrap_or_default()))
        .int("LastUpdatedTime", order.updated.millis())
        .int("OrderRevision", about.revision)
        .text_or_null("RejectReason", reason(OrderState::Rejected))
        .text_or_null("CancelReason", reason(OrderState::Canceled))
}

/// An execution (FLOW-C18, FLOW-E07); `number` counts the executions of its order from 1.
#[must_use]
pub fn execution(dialect: Dialect, fill: &SimFill, number: i64, products: &Products) -> String {
    let object = Object::new()
        .int("OMSId", 1)
        .int("TradeId", fill.trade_id)
        .int("OrderId", fill.order.0)
        .int("AccountId", fill.account.0)
        .int("ClientOrderId", fill.client_id)
        .int("InstrumentId", wire_id(fill.instrument))
        .text("Side", side_word(fill.side))
        .raw("Quantity", &amount(dialect, fill.qty))
        .raw("Price", &amount(dialect, fill.price))
        .raw("Value", &amount(dialect, fill.price.saturating_mul(fill.qty)))
        .int("TradeTime", ticks(fill.time))
        .int("ContraAcctId", CLEARING_ACCOUNT)
        .int("OrderTradeRevision", number)
        .text("Direction", "NoChange");
    match dialect {
        Dialect::Page => object.end(),
        Dialect::Native => object
            .int("TradeTimeMS", fill.time.millis())
            .raw("Fee", &amount(dialect, fill.fee))
            .int("FeeProductId", products.number(&fill.fee_asset))
            .text("MakerTaker", liquidity_word(fill.liquidity))
            .end(),
    }
}

const fn liquidity_word(liquidity: Liquidity) -> &'static str {
    match liquidity {
        Liquidity::Maker => "Maker",
        Liquidity::Taker => "Taker",
    }
}

/// An account's amount of one product (FLOW-E05): available is Amount − Hold.
#[must_use]
pub fn position(
    dialect: Dialect,
    account: AccountNumber,
    asset: &str,
    balance: &Balance,
    products: &Products,
) -> String {
    let zero = amount(dialect, Decimal::ZERO);
    Object::new()
        .int("OMSId", 1)
        .int("AccountId", account.0)
        .text("ProductSymbol", asset)
        .int("ProductId", products.number(asset))
        .raw("Amount", &amount(dialect, balance.total))
        .raw("Hold", &amount(dialect, balance.held))
        .raw("PendingDeposits", &zero)
        .raw("PendingWithdraws", &zero)
        .raw("TotalDayDeposits", &zero)
        .raw("TotalDayWithdraws", &zero)
        .end()
}

/// NewOrderRejectEvent's object (FLOW-E08); ClientOrderId is its only link.
#[must_use]
pub fn order_refused(account: AccountNumber, client_id: i64, reason: &str) -> String {
    Object::new()
        .int("OMSId", 1)
        .int("AccountId", account.0)
        .int("ClientOrderId", client_id)
        .text("Status", "Rejected")
        .text("RejectReason", reason)
        .end()
}

/// CancelOrderRejectEvent's object (FLOW-E09); an order nobody knows has no type and no
/// instrument.
#[must_use]
pub fn cancel_refused(
    account: AccountNumber,
    id: i64,
    order: Option<(&SimOrder, i64)>,
    reason: &str,
) -> String {
    let instrument = order.map_or(0, |(order, _)| wire_id(order.order.instrument));
    Object::new()
        .int("OMSId", 1)
        .int("AccountId", account.0)
        .int("OrderId", id)
        .int("OrderRevision", order.map_or(0, |(_, revision)| revision))
        .text("OrderType", order.map_or("Unknown", |(order, _)| kind_word(order.order.kind)))
        .int("InstrumentId", instrument)
        .text("Status", "Rejected")
        .text("RejectReason", reason)
        .end()
}

/// CancelReplaceOrderRejectEvent's object (FLOW-E11).
#[must_use]
pub fn replace_refused(asked: &NewOrder, replaced: i64, reason: &str) -> String {
    Object::new()
        .int("OMSId", 1)
        .int("AccountId", asked.account.0)
        .int("OrderId", 0)
        .int("ClientOrderId", asked.client_id)
        .dec("LimitPrice", asked.price.unwrap_or_default())
        .int("OrderIdOCO", 0)
        .text("OrderType", kind_word(asked.kind))
        .text("PegPriceType", "Unknown")
        .int("OrderIdToReplace", replaced)
        .int("InstrumentId", wire_id(asked.instrument))
        .dec("ReferencePrice", Decimal::ZERO)
        .dec("Quantity", asked.qty)
        .text("Side", side_word(asked.side))
        .dec("StopPrice", asked.stop.unwrap_or_default())
        .int("TimeInForce", tif_number(asked))
        .text("Status", "Rejected")
        .text("RejectReason", reason)
        .end()
}
