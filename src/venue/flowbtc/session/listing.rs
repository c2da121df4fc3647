//! The run's instruments and the venue's numbers for them, and its products (assets) by number.

use crate::base::{Instrument, InstrumentId, Instruments, VenueName};
use crate::calls::flowbtc::{INSTRUMENTS, PRODUCTS};
use crate::venue::flowbtc::payload::InstrumentRow;
use crate::venue::flowbtc::request::PageId;
use std::collections::{BTreeMap, BTreeSet};

/// FLOW-F34: data only, unless the venue says that they trade.
const DATA_ONLY: [i64; 2] = [4, 9];

/// Who is who at the venue.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    venue: VenueName,
    instruments: Instruments,
    pages: BTreeMap<InstrumentId, PageId>,
    ids: BTreeMap<PageId, InstrumentId>,
    running: BTreeSet<PageId>,
    products: BTreeMap<i64, String>,
    told: bool,
}

impl Listing {
    pub(super) fn new(venue: VenueName, instruments: Instruments) -> Listing {
        let products = PRODUCTS.into_iter().map(|(id, name)| (id, name.to_owned())).collect();
        let mut listing = Listing {
            venue,
            instruments,
            pages: BTreeMap::new(),
            ids: BTreeMap::new(),
            running: BTreeSet::new(),
            products,
            told: false,
        };
        for (page, symbol) in INSTRUMENTS {
            let id = listing.ours().find(|row| row.symbol == symbol).map(|row| row.id);
            if let Some(id) = id {
                listing.link(id, PageId(page));
            }
        }
        listing
    }

    /// Whether the venue has answered GetInstruments.
    pub(super) fn is_told(&self) -> bool {
        self.told
    }

    pub(super) fn get(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id)
    }

    pub(super) fn page(&self, id: InstrumentId) -> Option<PageId> {
        self.pages.get(&id).copied()
    }

    pub(super) fn id(&self, page: i64) -> Option<InstrumentId> {
        self.ids.get(&PageId(page)).copied()
    }

    /// The instrument of ours with this symbol, if the venue lists it.
    pub(super) fn named(&self, symbol: &str) -> Option<InstrumentId> {
        let row = self.ours().find(|row| row.symbol.eq_ignore_ascii_case(symbol))?;
        self.page(row.id).map(|_| row.id)
    }

    /// Every instrument of ours that the venue lists.
    pub(super) fn all(&self) -> impl Iterator<Item = InstrumentId> {
        self.pages.keys().copied()
    }

    /// Where orders for this instrument go; `None` when the venue has it not, or for data only.
    pub(super) fn market(&self, id: InstrumentId) -> Option<PageId> {
        self.page(id).filter(|page| !DATA_ONLY.contains(&page.0) || self.running.contains(page))
    }

    pub(super) fn asset(&self, product: i64) -> Option<&str> {
        self.products.get(&product).map(String::as_str)
    }

    pub(super) fn learn_product(&mut self, product: i64, asset: &str) {
        if product != 0 && self.products.get(&product).is_none_or(|known| known != asset) {
            self.products.insert(product, asset.to_owned());
        }
    }

    /// Takes the venue's own rules. Returns the instruments as they now are, and the symbols of
    /// ours that it does not list.
    pub(super) fn learn(&mut self, rows: &[InstrumentRow]) -> (Vec<Instrument>, Vec<String>) {
        self.told = true;
        self.pages.clear();
        self.ids.clear();
        self.running = rows.iter().filter(|row| row.running).map(|row| PageId(row.id)).collect();
        for (product, asset) in rows.iter().flat_map(|row| [&row.base, &row.quote]).flatten() {
            self.learn_product(*product, asset);
        }
        let ours: Vec<Instrument> = self.ours().cloned().collect();
        let mut known = Vec::new();
        let mut missing = Vec::new();
        for mut instrument in ours {
            let found = rows.iter().find(|row| row.symbol.eq_ignore_ascii_case(&instrument.symbol));
            let Some(row) = found else {
                missing.push(instrument.symbol);
                continue;
            };
            instrument.tick_size = row.tick_size.unwrap_or(instrument.tick_size);
            instrument.lot_size = row.lot_size.unwrap_or(instrument.lot_size);
            instrument.min_qty = row.min_qty.unwrap_or(instrument.min_qty);
            self.link(instrument.id, PageId(row.id));
            self.instruments.update(instrument.clone());
            known.push(instrument);
        }
        (known, missing)
    }

    fn ours(&self) -> impl Iterator<Item = &Instrument> {
        self.instruments.iter().filter(|row| row.venue == self.venue)
    }

    fn link(&mut self, id: InstrumentId, page: PageId) {
        self.pages.insert(id, page);
        self.ids.insert(page, id);
    }
}
