//! The instruments of a run by its venue: what the venue lists, in the venue's order, so that an
//! instrument's place here is its number on the wire.

use crate::base::{Fees, Instrument, InstrumentId, Instruments};
use crate::simulator::flowbtc::listing;
use crate::simulator::mercadobitcoin;

/// What a venue lists by itself; nothing for a venue that is not known. FlowBTC's `InstrumentId(n)`
/// is `n + 1` on the wire; Mercado Bitcoin's pairs have the client's symbols (`BTCBRL`).
#[must_use]
pub fn listed(venue: &str, fees: Fees) -> Instruments {
    match venue {
        listing::VENUE => listing::instruments(fees),
        mercadobitcoin::VENUE => {
            let mut table = Instruments::default();
            for row in mercadobitcoin::instruments(fees).iter() {
                let symbol = format!("{}{}", row.base, row.quote);
                table.add(Instrument { symbol, ..row.clone() });
            }
            table
        }
        _ => Instruments::default(),
    }
}

/// The listing of an instrument's venue with this instrument's own rules, added at the end where
/// the venue does not list it; and its place.
#[must_use]
pub fn around(instrument: &Instrument) -> (Instruments, InstrumentId) {
    let mut table = listed(&instrument.venue.0, instrument.fees);
    let id = table.add(instrument.clone());
    table.update(Instrument { id, ..instrument.clone() });
    (table, id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Decimal, VenueName};

    fn instrument(venue: &str, symbol: &str) -> Instrument {
        Instrument {
            id: InstrumentId::default(),
            venue: VenueName::new(venue),
            symbol: symbol.to_owned(),
            base: "A".to_owned(),
            quote: "B".to_owned(),
            tick_size: Decimal::new(5, 1),
            lot_size: Decimal::new(1, 3),
            min_qty: Decimal::new(1, 3),
            fees: Fees::default(),
        }
    }

    #[test]
    fn an_instrument_stands_where_its_venue_lists_it() {
        let check = |venue, symbol, rows, place| {
            let given = instrument(venue, symbol);
            let (table, id) = around(&given);
            assert_eq!((table.len(), id), (rows, InstrumentId(place)), "{venue}:{symbol}");
            assert_eq!(table.get(id), Some(&Instrument { id, ..given }), "its own rules");
        };
        check("flowbtc", "BTCBRL", 9, 0);
        check("flowbtc", "ETHBRL", 9, 1);
        check("flowbtc", "SOLBRL", 10, 9);
        check("mercadobitcoin", "LTCBRL", 2, 1);
        check("binance", "BTCUSDT", 1, 0);
    }
}
