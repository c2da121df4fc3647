//! What can be traded, and its rules: tick size, lot size, minimums, fees.

use super::{Decimal, InstrumentId, VenueName, decimal};

/// Fees as fractions of notional: 0.001 is 0.1 %.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Fees {
    pub maker: Decimal,
    pub taker: Decimal,
}

/// One instrument of one venue. Prices are in `quote` per one `base`; quantities in `base`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instrument {
    pub id: InstrumentId,
    pub venue: VenueName,
    /// The venue's own name: `BTCBRL`.
    pub symbol: String,
    pub base: String,
    pub quote: String,
    pub tick_size: Decimal,
    pub lot_size: Decimal,
    pub min_qty: Decimal,
    pub fees: Fees,
}

impl Instrument {
    /// `flowbtc:BTCBRL`, the name that scripts and users write.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.venue, self.symbol)
    }

    /// The price a resting order may have at most (buy) or at least (sell), on the tick grid.
    #[must_use]
    pub fn snap_price(&self, side: super::Side, price: Decimal) -> Decimal {
        match side {
            super::Side::Buy => decimal::floor_to(price, self.tick_size),
            super::Side::Sell => decimal::ceil_to(price, self.tick_size),
        }
    }

    /// The quantity rounded down to the lot.
    #[must_use]
    pub fn snap_qty(&self, qty: Decimal) -> Decimal {
        decimal::floor_to(qty, self.lot_size)
    }
}

/// The instruments of a run, by id and by name. Ids are places in the table.
#[derive(Clone, Debug, Default)]
pub struct Instruments {
    rows: Vec<Instrument>,
}

impl Instruments {
    /// Adds a row and gives it the next id, or returns the id it already has under that name.
    ///
    /// # Panics
    /// When a run names more than 65,535 instruments.
    pub fn add(&mut self, mut instrument: Instrument) -> InstrumentId {
        if let Some(known) = self.find(&instrument.name()) {
            return known.id;
        }
        let id = u16::try_from(self.rows.len());
        assert!(id.is_ok(), "a run holds at most 65,535 instruments");
        instrument.id = InstrumentId(id.unwrap_or_default());
        let id = instrument.id;
        self.rows.push(instrument);
        id
    }

    /// Replaces the rules of a known instrument (a venue told us its tick and lot), keeping its id.
    pub fn update(&mut self, instrument: Instrument) {
        if let Some(row) = self.rows.get_mut(usize::from(instrument.id.0)) {
            *row = instrument;
        }
    }

    #[must_use]
    pub fn get(&self, id: InstrumentId) -> Option<&Instrument> {
        self.rows.get(usize::from(id.0))
    }

    /// By full name (`flowbtc:BTCBRL`).
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Instrument> {
        self.rows.iter().find(|row| {
            name.split_once(':')
                .is_some_and(|(venue, symbol)| *venue == *row.venue.0 && symbol == row.symbol)
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Instrument> {
        self.rows.iter()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
