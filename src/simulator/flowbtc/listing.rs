//! What FlowBTC lists: its instruments (FLOW-R14) and its products (FLOW-P26), which are numbered
//! apart: product 4 is BRL, instrument 4 is TAKIONBRL.

use crate::base::{Decimal, Fees, Instrument, InstrumentId, Instruments, VenueName};

/// Base, quote and smallest order of the page's instruments, in the page's order (FLOW-R14).
const PAGE: [(&str, &str, Decimal); 9] = [
    ("BTC", "BRL", Decimal::from_parts(1, 0, 0, false, 5)),
    ("ETH", "BRL", Decimal::from_parts(1, 0, 0, false, 4)),
    ("LTC", "BRL", Decimal::from_parts(1, 0, 0, false, 3)),
    ("TAKION", "BRL", Decimal::from_parts(1, 0, 0, false, 2)),
    ("BCH", "BRL", Decimal::from_parts(1, 0, 0, false, 3)),
    ("ETH", "BTC", Decimal::from_parts(1, 0, 0, false, 4)),
    ("XRP", "BRL", Decimal::from_parts(1, 0, 0, false, 1)),
    ("EOS", "BRL", Decimal::from_parts(1, 0, 0, false, 2)),
    ("MCO2", "BRL", Decimal::from_parts(1, 0, 0, false, 2)),
];

/// Symbol, full name and places of the products, numbered from 1 (FLOW-P26).
const PRODUCTS: [(&str, &str, u32); 9] = [
    ("BTC", "Bitcoin", 8),
    ("ETH", "Ethereum", 8),
    ("LTC", "Litecoin", 8),
    ("BRL", "Brazilian Real", 2),
    ("TAKION", "Takion", 8),
    ("BCH", "Bitcoin Cash", 8),
    ("XRP", "Ripple", 6),
    ("EOS", "EOS", 8),
    ("MCO2", "Moss Carbon Credit", 8),
];

/// The venue's name as users write it.
pub const VENUE: &str = "flowbtc";

/// The nine instruments in the page's order, so that `InstrumentId(n)` is the page's instrument
/// `n + 1`: `InstrumentId(0)` is 1, BTCBRL. Ticks are 0.01 of the quote, 0.00000001 for ETHBTC;
/// lots are 0.00000001.
#[must_use]
pub fn instruments(fees: Fees) -> Instruments {
    let mut table = Instruments::default();
    for (base, quote, min_qty) in PAGE {
        table.add(Instrument {
            id: InstrumentId::default(),
            venue: VenueName::new(VENUE),
            symbol: format!("{base}{quote}"),
            base: base.to_owned(),
            quote: quote.to_owned(),
            tick_size: Decimal::new(1, if quote == "BRL" { 2 } else { 8 }),
            lot_size: Decimal::new(1, 8),
            min_qty,
            fees,
        });
    }
    table
}

/// A product: an asset under FlowBTC's number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Product {
    pub id: i64,
    pub symbol: String,
    pub full_name: String,
    pub places: i64,
    /// National currency rather than a coin (FLOW-V17).
    pub national: bool,
}

/// Every product of a table of instruments: FlowBTC's nine, then others in order of appearance.
#[derive(Clone, Debug)]
pub struct Products {
    rows: Vec<Product>,
}

impl Products {
    #[must_use]
    pub fn of(instruments: &Instruments) -> Products {
        let mut products = Products { rows: Vec::new() };
        for (symbol, full_name, places) in PRODUCTS {
            products.add(symbol, full_name, places);
        }
        for instrument in instruments.iter() {
            products.add(&instrument.base, &instrument.base, 8);
            products.add(&instrument.quote, &instrument.quote, 8);
        }
        products
    }

    fn add(&mut self, symbol: &str, full_name: &str, places: u32) {
        if self.find(symbol).is_some() {
            return;
        }
        self.rows.push(Product {
            id: i64::try_from(self.rows.len()).map_or(i64::MAX, |count| count + 1),
            symbol: symbol.to_owned(),
            full_name: full_name.to_owned(),
            places: i64::from(places),
            national: matches!(symbol, "BRL" | "USD" | "EUR"),
        });
    }

    #[must_use]
    pub fn find(&self, symbol: &str) -> Option<&Product> {
        self.rows.iter().find(|product| product.symbol == symbol)
    }

    #[must_use]
    pub fn get(&self, id: i64) -> Option<&Product> {
        self.rows.iter().find(|product| product.id == id)
    }

    /// The number of an asset; 0 for one that no instrument names.
    #[must_use]
    pub fn number(&self, symbol: &str) -> i64 {
        self.find(symbol).map_or(0, |product| product.id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        self.rows.iter()
    }
}

/// The number FlowBTC's wire has for an instrument: its place plus one.
#[must_use]
pub fn wire_id(id: InstrumentId) -> i64 {
    i64::from(id.0) + 1
}

/// The instrument of a number on the wire, if the table has it.
#[must_use]
pub fn from_wire(instruments: &Instruments, number: i64) -> Option<&Instrument> {
    let place = u16::try_from(number.checked_sub(1)?).ok()?;
    instruments.get(InstrumentId(place))
}
