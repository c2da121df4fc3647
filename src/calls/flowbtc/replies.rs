//! What FlowBTC's calls answer, field by field. Where a table is one of columns, the names are the
//! meaning of each cell in its order; everything else is named as on the wire.

use crate::calls::{Field, Kind, hidden, may, need, secret};

const ORDER_TYPES: Kind = Kind::Word(&[
    "Unknown",
    "Market",
    "Limit",
    "StopMarket",
    "StopLimit",
    "TrailingStopMarket",
    "TrailingStopLimit",
    "BlockTrade",
]);
const SIDES: Kind = Kind::Word(&["Buy", "Sell", "Short", "Unknown"]);

/// What a receipt may hold (FLOW-R09, FLOW-V06, FLOW-F13, FLOW-F18): every field is optional, and
/// all of them together mean "received".
pub const RECEIPT: &[Field] = &[
    may("result", Kind::Bool),
    may("status", Kind::Text),
    may("errormsg", Kind::Text),
    may("errorcode", Kind::Int),
    may("detail", Kind::Text),
];

pub const PONG: &[Field] = &[need("msg", Kind::Text)];

/// Contract A.4 and FLOW-P21; both spellings of the count of trades are in use (FLOW-F02).
pub const TICKER: &[Field] = &[
    may("OMSId", Kind::Int),
    may("InstrumentId", Kind::Int),
    may("BestBid", Kind::Number),
    may("BestOffer", Kind::Number),
    may("LastTradedPx", Kind::Number),
    may("LastTradedQty", Kind::Number),
    may("LastTradeTime", Kind::Stamp),
    may("SessionOpen", Kind::Number),
    may("SessionHigh", Kind::Number),
    may("SessionLow", Kind::Number),
    may("SessionClose", Kind::Number),
    may("Volume", Kind::Number),
    may("CurrentDayVolume", Kind::Number),
    may("CurrentDayNumTrades", Kind::Int),
    may("CurrentDayPxChange", Kind::Number),
    may("Rolling24HrVolume", Kind::Number),
    may("Rolling24HrNumTrades", Kind::Int),
    may("Rolling24NumTrades", Kind::Int),
    may("Rolling24HrPxChange", Kind::Number),
    may("TimeStamp", Kind::Stamp),
];

/// Contract A.5.
pub const LEVEL_ROW: &[Field] = &[
    need("UpdateId", Kind::Id),
    need("Accounts", Kind::Int),
    need("ActionTime", Kind::Stamp),
    need("Action", Kind::Int),
    need("LastTradePrice", Kind::Number),
    need("Orders", Kind::Int),
    need("Price", Kind::Number),
    need("InstrumentId", Kind::Int),
    need("Quantity", Kind::Number),
    need("Side", Kind::Int),
];

/// Contract A.6, and the two columns of FLOW-P23.
pub const TRADE_ROW: &[Field] = &[
    need("TradeId", Kind::Id),
    need("InstrumentId", Kind::Int),
    need("Quantity", Kind::Number),
    need("Price", Kind::Number),
    need("Order1Id", Kind::Id),
    need("Order2Id", Kind::Id),
    need("TradeTime", Kind::Stamp),
    need("Direction", Kind::Int),
    need("TakerSide", Kind::Int),
    may("BlockTrade", Kind::Int),
    may("ClientOrderId", Kind::Id),
];

/// Contract A.7 (high, low, open, close), and the two columns of FLOW-P23.
pub const BAR_ROW: &[Field] = &[
    need("EndTime", Kind::Stamp),
    need("High", Kind::Number),
    need("Low", Kind::Number),
    need("Open", Kind::Number),
    need("Close", Kind::Number),
    need("Volume", Kind::Number),
    need("Bid", Kind::Number),
    need("Ask", Kind::Number),
    may("InstrumentId", Kind::Int),
    may("BeginTime", Kind::Stamp),
];

/// Contract A.9, and the later fields of FLOW-E06.
pub const ORDER: &[Field] = &[
    need("Side", SIDES),
    need("OrderId", Kind::Id),
    need("Price", Kind::Dec),
    need("Quantity", Kind::Dec),
    need("Instrument", Kind::Int),
    need("Account", Kind::Int),
    need("OrderType", ORDER_TYPES),
    need("ClientOrderId", Kind::Id),
    need(
        "OrderState",
        Kind::Word(&["Unknown", "Working", "Rejected", "Canceled", "Expired", "FullyExecuted"]),
    ),
    need("ReceiveTime", Kind::Stamp),
    need("OrigQuantity", Kind::Dec),
    need("QuantityExecuted", Kind::Dec),
    need("AvgPrice", Kind::Dec),
    need("ChangeReason", Kind::Text),
    may("OrigOrderId", Kind::Id),
    may("OrigClOrdId", Kind::Id),
    may("EnteredBy", Kind::Int),
    may("OMSId", Kind::Int),
    may("StopPrice", Kind::Dec),
    may("LastUpdatedTime", Kind::Stamp),
    may("OrderRevision", Kind::Id),
    may("RejectReason", Kind::Text),
    may("CancelReason", Kind::Text),
];

/// An execution of the account: FLOW-C18, and the later fields of FLOW-E07.
pub const EXECUTION: &[Field] = &[
    need("OMSId", Kind::Int),
    need("TradeId", Kind::Id),
    need("OrderId", Kind::Id),
    need("AccountId", Kind::Int),
    need("ClientOrderId", Kind::Id),
    need("InstrumentId", Kind::Int),
    need("Side", SIDES),
    need("Quantity", Kind::Dec),
    need("Price", Kind::Dec),
    need("Value", Kind::Dec),
    need("TradeTime", Kind::Stamp),
    need("ContraAcctId", Kind::Int),
    need("OrderTradeRevision", Kind::Int),
    need("Direction", Kind::Text),
    may("TradeTimeMS", Kind::Stamp),
    may("Fee", Kind::Dec),
    may("FeeProductId", Kind::Int),
    may("MakerTaker", Kind::Word(&["Unknown", "Maker", "Taker"])),
];

/// Reply of FLOW-C21. An order that is refused has no number (FLOW-P06): its call fails.
pub const SENT: &[Field] =
    &[need("status", Kind::Text), need("errormsg", Kind::Text), need("OrderId", Kind::Id)];

/// Reply of FLOW-C23: the page's two fields, or FLOW-P16's four.
pub const REPLACED: &[Field] = &[
    may("status", Kind::Text),
    may("errormsg", Kind::Text),
    may("ReplacementOrderId", Kind::Id),
    may("ReplacementClOrdId", Kind::Id),
    may("OrigOrderId", Kind::Id),
    may("OrigClOrdId", Kind::Id),
];

pub const FEE: &[Field] = &[need("OrderFee", Kind::Dec), need("ProductId", Kind::Int)];

/// FLOW-C13.
pub const PRODUCT: &[Field] = &[
    need("OMSId", Kind::Int),
    need("ProductId", Kind::Int),
    need("Product", Kind::Text),
    need("ProductFullName", Kind::Text),
    need("ProductType", Kind::Word(&["Unknown", "NationalCurrency", "CryptoCurrency", "Contract"])),
    need("DecimalPlaces", Kind::Int),
];

/// FLOW-X04.
pub const INSTRUMENT_ROW: &[Field] = &[
    need("OMSId", Kind::Int),
    need("InstrumentId", Kind::Int),
    need("Symbol", Kind::Text),
    need("Product1", Kind::Int),
    need("Product1Symbol", Kind::Text),
    need("Product2", Kind::Int),
    need("Product2Symbol", Kind::Text),
    need("SessionStatus", Kind::Word(&["Unknown", "Running", "Paused", "Stopped", "Starting"])),
    need("QuantityIncrement", Kind::Dec),
    need("PriceIncrement", Kind::Dec),
    may("MinimumQuantity", Kind::Dec),
    may("MinimumPrice", Kind::Dec),
    may("InstrumentType", Kind::Text),
    may("IsDisable", Kind::Bool),
];

/// FLOW-E05.
pub const POSITION: &[Field] = &[
    need("OMSId", Kind::Int),
    need("AccountId", Kind::Int),
    need("ProductSymbol", Kind::Text),
    need("ProductId", Kind::Int),
    need("Amount", Kind::Dec),
    need("Hold", Kind::Dec),
    may("PendingDeposits", Kind::Dec),
    may("PendingWithdraws", Kind::Dec),
    may("TotalDayDeposits", Kind::Dec),
    may("TotalDayWithdraws", Kind::Dec),
];

/// The user inside of a rich reply to a login (FLOW-P10, FLOW-F31).
const SHORT_USER: &[Field] = &[
    need("UserId", Kind::Int),
    hidden("UserName", Kind::Text),
    hidden("Email", Kind::Text),
    may("EmailVerified", Kind::Bool),
    may("AccountId", Kind::Int),
    may("OMSId", Kind::Int),
    may("Use2FA", Kind::Bool),
];

/// The reply to every login (FLOW-C04, C10, FLOW-P07, P09, P10). The tokens stay with the host.
pub const LOGIN: &[Field] = &[
    need("Authenticated", Kind::Bool),
    secret("SessionToken", Kind::Text),
    may("UserId", Kind::Int),
    may("AccountId", Kind::Int),
    may("User", Kind::Object(SHORT_USER)),
    may("Locked", Kind::Bool),
    may("errormsg", Kind::Text),
    may("Requires2FA", Kind::Bool),
    may("TwoFAType", Kind::Text),
    may("AuthType", Kind::Text),
    secret("TwoFAToken", Kind::Text),
    secret("Pending2FaToken", Kind::Text),
    secret("AddtlInfo", Kind::Text),
];

/// FLOW-C15, without what identifies or authenticates the user (FLOW-F25).
pub const USER: &[Field] = &[
    need("UserId", Kind::Int),
    hidden("UserName", Kind::Text),
    hidden("Email", Kind::Text),
    hidden("PasswordHash", Kind::Text),
    hidden("PendingEmailCode", Kind::Text),
    need("EmailVerified", Kind::Bool),
    need("AccountId", Kind::Int),
    need("DateTimeCreated", Kind::Text),
    need("AffiliateId", Kind::Int),
    need("RefererId", Kind::Int),
    need("OMSId", Kind::Int),
    need("Use2FA", Kind::Bool),
    need("PendingCodeTime", Kind::Text),
];

/// FLOW-C17; `OMSID` has a capital D (FLOW-F28).
pub const ACCOUNT_INFO: &[Field] = &[
    need("OMSID", Kind::Int),
    need("AccountId", Kind::Int),
    need("AccountName", Kind::Text),
    need("AccountType", Kind::Text),
    need("FeeGroupID", Kind::Int),
    need("ParentID", Kind::Int),
    need("RiskType", Kind::Text),
    need("VerificationLevel", Kind::Int),
    need("FeeProductType", Kind::Text),
    need("FeeProduct", Kind::Int),
    need("RefererId", Kind::Int),
    may("AffiliateId", Kind::Int),
    need("SupportedVenueIds", Kind::Numbers),
];

/// FLOW-C19.
pub const DEPOSIT: &[Field] = &[need("success", Kind::Bool), need("requestcode", Kind::Text)];

/// FLOW-X08: no page lists the fields; these are AlphaPoint's.
pub const TICKET: &[Field] = &[
    may("AssetManagerId", Kind::Int),
    need("AccountId", Kind::Int),
    need("AssetId", Kind::Int),
    may("AssetName", Kind::Text),
    need("Amount", Kind::Dec),
    may("TemplateForm", Kind::Text),
    may("OMSId", Kind::Int),
    may("RequestCode", Kind::Text),
    may("TicketNumber", Kind::Id),
    may("Status", Kind::Text),
    may("TicketStatus", Kind::Int),
    may("CreatedTimestamp", Kind::Text),
    may("FeeAmt", Kind::Dec),
];

/// FLOW-X08.
pub const DEPOSIT_INFO: &[Field] = &[
    may("AssetManagerId", Kind::Int),
    may("AccountId", Kind::Int),
    may("AssetId", Kind::Int),
    may("ProviderId", Kind::Int),
    need("DepositInfo", Kind::Text),
    may("result", Kind::Bool),
    may("errormsg", Kind::Text),
    may("statuscode", Kind::Int),
];
