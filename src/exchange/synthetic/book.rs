//! The synthetic market's book: integer ticks and lots, best first, never crossed.

use crate::base::BookSide;

/// A level's new quantity, in the order of application.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub side: BookSide,
    pub price: i64,
    pub lots: i64,
}

/// Levels as `(ticks, lots)`, best first.
#[derive(Debug, Default)]
pub(super) struct Book {
    bids: Vec<(i64, i64)>,
    asks: Vec<(i64, i64)>,
}

impl Book {
    fn side(&mut self, side: BookSide) -> &mut Vec<(i64, i64)> {
        match side {
            BookSide::Bid => &mut self.bids,
            BookSide::Ask => &mut self.asks,
        }
    }

    pub fn len(&self, side: BookSide) -> usize {
        match side {
            BookSide::Bid => self.bids.len(),
            BookSide::Ask => self.asks.len(),
        }
    }

    /// Best bid and ask; zeros for an empty side.
    pub fn best(&self) -> ((i64, i64), (i64, i64)) {
        let first = |levels: &[(i64, i64)]| levels.first().copied().unwrap_or_default();
        (first(&self.bids), first(&self.asks))
    }

    /// Sets a level, in its place. The caller has made sure that it does not cross.
    pub fn put(&mut self, side: BookSide, price: i64, lots: i64, changes: &mut Vec<Change>) {
        let levels = self.side(side);
        let behind = |other: i64| match side {
            BookSide::Bid => other < price,
            BookSide::Ask => other > price,
        };
        match levels.iter_mut().find(|level| level.0 == price) {
            Some(level) => level.1 = lots,
            None => {
                let at = levels.iter().position(|level| behind(level.0)).unwrap_or(levels.len());
                levels.insert(at, (price, lots));
            }
        }
        changes.push(Change { side, price, lots });
    }

    /// Takes up to `wanted` lots off the best level; gives its price and the lots taken.
    pub fn take(
        &mut self,
        side: BookSide,
        wanted: i64,
        changes: &mut Vec<Change>,
    ) -> Option<(i64, i64)> {
        let levels = self.side(side);
        let best = levels.first_mut()?;
        let taken = wanted.min(best.1);
        best.1 -= taken;
        let (price, lots) = *best;
        if lots == 0 {
            levels.remove(0);
        }
        changes.push(Change { side, price, lots });
        Some((price, taken))
    }

    /// Takes a level off.
    pub fn remove(&mut self, side: BookSide, at: usize, changes: &mut Vec<Change>) {
        let levels = self.side(side);
        if at < levels.len() {
            let (price, _) = levels.remove(at);
            changes.push(Change { side, price, lots: 0 });
        }
    }

    /// Gives a level another quantity.
    pub fn resize(&mut self, side: BookSide, at: usize, lots: i64, changes: &mut Vec<Change>) {
        if let Some((price, _)) = self.side(side).get(at).copied() {
            self.put(side, price, lots, changes);
        }
    }

    /// Puts a level behind another, if there is room before the next.
    pub fn squeeze_in(&mut self, side: BookSide, at: usize, lots: i64, changes: &mut Vec<Change>) {
        let levels = self.side(side);
        if let (Some((one, _)), Some((next, _))) =
            (levels.get(at).copied(), levels.get(at + 1).copied())
            && (one - next).abs() > 1
        {
            self.put(side, i64::midpoint(one, next), lots, changes);
        }
    }

    /// Takes levels off the touch while the bid is above or the ask is below these prices; at most
    /// `most` a side, and never the last one.
    pub fn retreat(&mut self, bid: i64, ask: i64, most: usize, changes: &mut Vec<Change>) {
        for _ in 0..most {
            if self.bids.len() > 1 && self.best().0.0 > bid {
                self.remove(BookSide::Bid, 0, changes);
            }
            if self.asks.len() > 1 && self.best().1.0 < ask {
                self.remove(BookSide::Ask, 0, changes);
            }
        }
    }

    /// Puts new best levels at these prices where the touch is further away than `slack`, short of
    /// crossing.
    pub fn advance(
        &mut self,
        bid: i64,
        ask: i64,
        slack: i64,
        lots: i64,
        changes: &mut Vec<Change>,
    ) {
        let ((best_bid, _), (best_ask, _)) = self.best();
        if best_ask > ask + slack {
            self.put(BookSide::Ask, ask.max(best_bid + 1), lots, changes);
        }
        let ((_, _), (best_ask, _)) = self.best();
        if best_bid < bid - slack {
            self.put(BookSide::Bid, bid.min(best_ask - 1), lots, changes);
        }
    }

    /// Puts a level `gap` behind the best where the next one is more than `wide` behind it.
    pub fn thicken(
        &mut self,
        side: BookSide,
        wide: i64,
        gap: i64,
        lots: i64,
        changes: &mut Vec<Change>,
    ) {
        let levels = self.side(side);
        if let (Some((best, _)), Some((next, _))) =
            (levels.first().copied(), levels.get(1).copied())
            && (best - next).abs() > wide.max(gap)
        {
            let price = if best > next { best - gap } else { best + gap };
            self.put(side, price, lots, changes);
        }
    }

    /// Takes levels off the far end beyond `most`.
    pub fn trim(&mut self, side: BookSide, most: usize, changes: &mut Vec<Change>) {
        while self.len(side) > most {
            self.remove(side, most, changes);
        }
    }

    /// Adds a level at the far end, `gap` beyond the last; on an empty side at `target`, short of
    /// crossing. Bids stay above zero.
    pub fn extend(
        &mut self,
        side: BookSide,
        target: i64,
        gap: i64,
        lots: i64,
        changes: &mut Vec<Change>,
    ) {
        let ((best_bid, _), (best_ask, _)) = self.best();
        let last = self.side(side).last().map(|level| level.0);
        let price = match (side, last) {
            (BookSide::Bid, Some(last)) => last - gap,
            (BookSide::Bid, None) => target.min(best_ask - 1),
            (BookSide::Ask, Some(last)) => last + gap,
            (BookSide::Ask, None) => target.max(best_bid + 1),
        };
        if price > 0 {
            self.put(side, price, lots, changes);
        }
    }
}
