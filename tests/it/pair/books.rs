//! Whether the two ends agree: order for order, fill for fill, to the last digit.

use super::*;
use lunario::account::Order;
use lunario::base::{BookSide, Fill, OrderKey, OrderState, VenueOrderId};
use lunario::exchange::{SimFill, SimOrder};
use std::collections::BTreeMap;

impl Pair {
    /// The engine's orders that passed the gate, by key.
    pub fn orders(&self) -> BTreeMap<OrderKey, Order> {
        let core = self.engine.core();
        let asked = core.owner(WHO).map_or(0, |owner| owner.sequence);
        let keys = (1..=asked).filter_map(|nth| OrderKey::compose(RUN, WHO, nth));
        keys.filter_map(|key| Some((key, core.orders.get(key)?.clone()))).collect()
    }

    /// The fills that the engine told of, by the venue's trade number.
    pub fn fills(&self) -> BTreeMap<i64, Fill> {
        let mut fills = BTreeMap::new();
        for note in &self.notes {
            if let Note::Fill { fill, .. } = note {
                assert!(fills.insert(fill.trade_id, fill.clone()).is_none(), "{fill:?} twice");
            }
        }
        fills
    }

    /// The venue's chains of replacements by the key of their first order, oldest link first.
    fn chains(&self) -> BTreeMap<OrderKey, Vec<SimOrder>> {
        let exchange = self.server.exchange();
        let mut all = exchange.history(ACCOUNT, usize::MAX);
        all.reverse();
        let mut roots: BTreeMap<VenueOrderId, OrderKey> = BTreeMap::new();
        let mut chains: BTreeMap<OrderKey, Vec<SimOrder>> = BTreeMap::new();
        for order in all {
            if order.original == order.id {
                let key = OrderKey::from_wire(order.order.client_id).unwrap();
                assert!(!chains.contains_key(&key), "order {key} was placed twice");
                roots.insert(order.id, key);
            }
            let key = roots[&order.original];
            chains.entry(key).or_default().push(order.clone());
        }
        chains
    }

    /// Everything that must be so once nothing is on its way any more.
    pub fn agree(&self, dialect: Dialect) {
        if let Err(why) = self.compare(dialect) {
            panic!("{why}\n{}", self.story());
        }
    }

    pub fn compare(&self, dialect: Dialect) -> Result<(), String> {
        self.compare_orders()?;
        self.compare_fills(dialect)?;
        self.compare_money(dialect)?;
        self.compare_book()
    }

    fn compare_orders(&self) -> Result<(), String> {
        let (ours, mut theirs) = (self.orders(), self.chains());
        for (key, order) in &ours {
            let Some(chain) = theirs.remove(key) else {
                // A rejected one need not have reached the venue, nor one canceled in the lane.
                let unsent =
                    order.state == OrderState::Rejected || order.reason == "CANCELED_BEFORE_SENT";
                if !unsent || !order.filled.is_zero() {
                    return Err(format!("the venue never had {order:#?}"));
                }
                continue;
            };
            let last = chain.last().unwrap();
            let filled: Decimal = chain.iter().map(|link| link.filled).sum();
            if order.filled != filled || order.state != last.state {
                let (state, reason) = (last.state, &last.reason);
                return Err(format!("at the venue {state:?} {filled} ({reason}), here {order:#?}"));
            }
            if order.state.is_open() && order.venue_id != Some(last.id) {
                return Err(format!("the venue's number is {}: {order:#?}", last.id));
            }
        }
        match theirs.pop_first() {
            Some((key, chain)) => Err(format!("order {key} is unknown here: {chain:#?}")),
            None => Ok(()),
        }
    }

    fn compare_fills(&self, dialect: Dialect) -> Result<(), String> {
        let mut ours = self.fills();
        let mut keys: BTreeMap<VenueOrderId, OrderKey> = BTreeMap::new();
        for (key, chain) in self.chains() {
            keys.extend(chain.iter().map(|link| (link.id, key)));
        }
        for theirs in self.server.exchange().fills(ACCOUNT) {
            let Some(mine) = ours.remove(&theirs.trade_id) else {
                return Err(format!("lost: {theirs:#?}"));
            };
            let same = (mine.order, mine.side, mine.price, mine.qty)
                == (keys[&theirs.order], theirs.side, theirs.price, theirs.qty);
            // The page's dialect does not tell fees and liquidity; they are reckoned.
            let told = dialect == Dialect::Page || same_fee(&mine, theirs);
            if !same || !told {
                return Err(format!("two views of one fill: {mine:#?} {theirs:#?}"));
            }
        }
        match ours.pop_first() {
            Some((_, fill)) => Err(format!("the venue knows nothing of {fill:#?}")),
            None => Ok(()),
        }
    }

    fn compare_money(&self, dialect: Dialect) -> Result<(), String> {
        let (core, exchange) = (self.engine.core(), self.server.exchange());
        let (mine, total) = (core.ledger.position(WHO, BTC), core.ledger.total(BTC));
        let theirs = exchange.position(ACCOUNT, BTC);
        if mine.qty != theirs || total.qty != theirs {
            return Err(format!("position {} here, {theirs} there", mine.qty));
        }
        let balances: BTreeMap<String, _> = exchange.balances(ACCOUNT).into_iter().collect();
        let brl = d("20000") + mine.cash - mine.fees;
        if dialect == Dialect::Native && brl != balances["BRL"].total {
            return Err(format!("BRL {brl} by our books, {} there", balances["BRL"].total));
        }
        if d("5") + mine.qty != balances["BTC"].total {
            return Err(format!("BTC {} there", balances["BTC"].total));
        }
        for (asset, theirs) in &balances {
            let ours = core.ledger.balance(&VenueName::new("flowbtc"), asset);
            if ours.is_none_or(|ours| (ours.total, ours.held) != (theirs.total, theirs.held)) {
                return Err(format!("{asset}: we were told {ours:?}, there is {theirs:?}"));
            }
        }
        if core.orders.open().next().is_none() {
            let left = core.orders.exposure(None, BTC);
            if left != lunario::account::Exposure::default() {
                return Err(format!("exposure without orders: {left:?}"));
            }
        }
        Ok(())
    }

    /// The book to the depth that the strategy watches, if it watches one.
    fn compare_book(&self) -> Result<(), String> {
        let core = self.engine.core();
        let Some(book) = core.market.book(BTC) else { return Ok(()) };
        let mut theirs = self.server.exchange().depth(BTC, 5);
        theirs.retain(|level| !level.qty.is_zero());
        let side =
            |side: BookSide| book.levels(side, 5).map(move |(price, qty)| (side, price, qty));
        let ours: Vec<_> = side(BookSide::Bid).chain(side(BookSide::Ask)).collect();
        let theirs: Vec<_> = theirs.into_iter().map(|l| (l.side, l.price, l.qty)).collect();
        if ours == theirs { Ok(()) } else { Err(format!("book {ours:?} here, {theirs:?} there")) }
    }
}

fn same_fee(mine: &Fill, theirs: &SimFill) -> bool {
    (mine.fee, mine.fee_asset.as_str(), mine.fee_estimated, mine.liquidity)
        == (theirs.fee, theirs.fee_asset.as_str(), false, theirs.liquidity)
}
