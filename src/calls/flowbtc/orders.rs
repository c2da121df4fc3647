//! FlowBTC's calls about orders (`FLOW-C21` to `FLOW-C29`).

use super::errors::{BY_NUMBER_ERRORS, ORDER_ERRORS, PRIVATE_ERRORS};
use super::replies::{FEE, ORDER, REPLACED, SENT};
use super::{
    ACCOUNT, Call, INSTRUMENT, Kind, OMS, Priority, Reply, Retry, Transport, fill, may, need, ours,
};

/// Without OrderIdOCO: the page and AlphaPoint contradict each other about which of the two orders
/// it cancels (FLOW-F15).
pub const SEND_ORDER: Call = Call {
    name: "SendOrder",
    args: &[
        ACCOUNT,
        fill("ClientOrderId", Kind::Id),
        INSTRUMENT,
        need("Side", Kind::Int),
        need("Quantity", Kind::Dec),
        may("DisplayQuantity", Kind::Dec),
        may("UseDisplayQuantity", Kind::Bool),
        need("OrderType", Kind::Int),
        may("LimitPrice", Kind::Dec),
        may("StopPrice", Kind::Dec),
        fill("TimeInForce", Kind::Int),
        OMS,
    ],
    reply: Reply::Object(SENT),
    lane: Priority::New,
    retry: Retry::Never,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C21",
    doc: "Places an order. A repeated ClientOrderId makes a second order. \
          OrderIdOCO is not offered.",
    transport: Transport::Socket,
    one_of: &[],
    errors: ORDER_ERRORS,
};

/// Only the quantity, only downwards (FLOW-P19); a repeat needs a fresh revision.
pub const MODIFY_ORDER: Call = Call {
    name: "ModifyOrder",
    args: &[
        OMS,
        need("OrderId", Kind::Id),
        INSTRUMENT,
        ours("PreviousOrderRevision", Kind::Id),
        need("Quantity", Kind::Dec),
    ],
    reply: Reply::Receipt,
    lane: Priority::Replace,
    retry: Retry::Fresh,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C22",
    doc: "Makes a working order smaller; it keeps its place in the queue.",
    transport: Transport::Socket,
    one_of: &[],
    errors: BY_NUMBER_ERRORS,
};

/// Without OrderIdOCO (FLOW-F15) and the fields of pegged and trailing orders (PegPriceType,
/// TrailingAmount, LimitOffset): the engine's orders are none of these, and a field that changes
/// nothing must not be accepted.
pub const CANCEL_REPLACE_ORDER: Call = Call {
    name: "CancelReplaceOrder",
    args: &[
        ACCOUNT,
        need("OrderIdToReplace", Kind::Id),
        fill("ClientOrderId", Kind::Id),
        need("Quantity", Kind::Dec),
        may("DisplayQuantity", Kind::Dec),
        may("UseDisplayQuantity", Kind::Bool),
        may("LimitPrice", Kind::Dec),
        need("OrderType", Kind::Int),
        INSTRUMENT,
        need("Side", Kind::Int),
        may("StopPrice", Kind::Dec),
        fill("TimeInForce", Kind::Int),
        OMS,
    ],
    reply: Reply::Object(REPLACED),
    lane: Priority::Replace,
    retry: Retry::Never,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C23",
    doc: "Cancels a working order and places another, which goes to the end of the queue. \
          OrderIdOCO, PegPriceType, TrailingAmount and LimitOffset are not offered.",
    transport: Transport::Socket,
    one_of: &[],
    errors: ORDER_ERRORS,
};

pub const CANCEL_ORDER: Call = Call {
    name: "CancelOrder",
    args: &[OMS, ACCOUNT, may("ClOrderId", Kind::Id), may("OrderId", Kind::Id)],
    reply: Reply::Receipt,
    lane: Priority::Cancel,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C24",
    doc: "Cancels an order by its number, or by account and client id; answers a receipt only.",
    transport: Transport::Socket,
    one_of: &["OrderId", "ClOrderId"],
    errors: BY_NUMBER_ERRORS,
};

/// Without UserId: a key more would change whose orders are canceled (FLOW-P18).
pub const CANCEL_ALL_ORDERS: Call = Call {
    name: "CancelAllOrders",
    args: &[ACCOUNT, OMS, INSTRUMENT],
    reply: Reply::Receipt,
    lane: Priority::Cancel,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C25",
    doc: "Cancels an account's orders of one instrument. Its scope is the keys that are \
          present, so UserId is not offered.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const GET_ORDER_STATUS: Call = Call {
    name: "GetOrderStatus",
    args: &[OMS, ACCOUNT, need("OrderId", Kind::Id)],
    reply: Reply::Object(ORDER),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C26",
    doc: "One order by its number; code 104 when there is none.",
    transport: Transport::Socket,
    one_of: &[],
    errors: BY_NUMBER_ERRORS,
};

/// FLOW-V10's words.
const FEE_ORDER_TYPE: Kind = Kind::Word(&[
    "Market",
    "Limit",
    "StopMarket",
    "StopLimit",
    "TrailingStopMarket",
    "TrailingStopLimit",
    "BlockTrade",
]);

pub const GET_ORDER_FEE: Call = Call {
    name: "GetOrderFee",
    args: &[
        OMS,
        ACCOUNT,
        INSTRUMENT,
        need("ProductId", Kind::Int),
        need("Amount", Kind::Dec),
        need("OrderType", FEE_ORDER_TYPE),
        need("MakerTaker", Kind::Word(&["Maker", "Taker"])),
    ],
    reply: Reply::Object(FEE),
    lane: Priority::Query,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C27",
    doc: "What an order would cost; order type and liquidity are words here (FLOW-F21).",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const GET_ORDER_HISTORY: Call = Call {
    name: "GetOrderHistory",
    args: &[OMS, ACCOUNT],
    reply: Reply::Objects(ORDER),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C28",
    doc: "The account's last 100 orders in any state.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};

pub const GET_OPEN_ORDERS: Call = Call {
    name: "GetOpenOrders",
    args: &[OMS, ACCOUNT],
    reply: Reply::Objects(ORDER),
    lane: Priority::Reconcile,
    retry: Retry::Repeat,
    grant: false,
    auth: true,
    switch: None,
    contract: "FLOW-C29",
    doc: "The orders that are on the book; may hold other accounts of the same user.",
    transport: Transport::Socket,
    one_of: &[],
    errors: PRIVATE_ERRORS,
};
