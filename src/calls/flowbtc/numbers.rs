//! FlowBTC's numbers of instruments and of products (assets), which are not the same numbers
//! (FLOW-P26).

/// FLOW-R14: the page's instruments.
pub const INSTRUMENTS: [(i64, &str); 9] = [
    (1, "BTCBRL"),
    (2, "ETHBRL"),
    (3, "LTCBRL"),
    (4, "TAKIONBRL"),
    (5, "BCHBRL"),
    (6, "ETHBTC"),
    (7, "XRPBRL"),
    (8, "EOSBRL"),
    (9, "MCO2BRL"),
];

/// FLOW-P26: the assets.
pub const PRODUCTS: [(i64, &str); 9] = [
    (1, "BTC"),
    (2, "ETH"),
    (3, "LTC"),
    (4, "BRL"),
    (5, "TAKION"),
    (6, "BCH"),
    (7, "XRP"),
    (8, "EOS"),
    (9, "MCO2"),
];
