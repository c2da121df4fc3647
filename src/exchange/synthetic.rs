//! A seeded market that looks like one: a fair price with regimes, a book of levels that follows
//! it, and trades that hit the book's best levels. Endless, in time order, the same for one seed.
//!
//! What it is made of:
//! - regimes (calm, trends up and down, storms) of a few minutes each, with their own drift and
//!   volatility; volatility itself wanders (log-normal, mean-reverting);
//! - arrivals that excite themselves (Hawkes 1971, exponential kernel, thinned after Ogata 1981),
//!   so that volume comes in clusters; sides persist and lean towards the fair price;
//! - a spread that wanders around its mean (an Ornstein-Uhlenbeck process of its logarithm);
//! - sizes drawn log-normal, rounded to two digits as people round them, on the lot grid.

mod book;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::book::{Book, Change};
use crate::base::rng::Rng;
use crate::base::{
    BookChange, BookSide, Decimal, Event, Instrument, Level, Quote, Side, Span, Time, Trade,
    decimal,
};

/// How a synthetic market is set up. `SyntheticConfig::new` gives the defaults of a liquid pair.
#[derive(Clone, Debug)]
pub struct SyntheticConfig {
    pub instrument: Instrument,
    pub start: Time,
    pub start_price: Decimal,
    /// Multiplies the arrivals: 1 gives about ten events per second of the market's time.
    pub rate: f64,
    /// Of the fair price in a plain regime, per year, as a fraction.
    pub volatility: f64,
    /// The mean spread, as a fraction of the price.
    pub spread: f64,
    /// The median trade, in the quote asset.
    pub trade_notional: f64,
    /// Levels a side.
    pub levels: usize,
}

impl SyntheticConfig {
    #[must_use]
    pub fn new(instrument: Instrument, start: Time, start_price: Decimal) -> SyntheticConfig {
        SyntheticConfig {
            instrument,
            start,
            start_price,
            rate: 1.0,
            volatility: 0.4,
            spread: 0.000_2,
            trade_notional: 2_500.0,
            levels: 10,
        }
    }
}

/// What kind of market it is for a while.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Regime {
    Calm,
    Up,
    Down,
    Storm,
}

/// A regime's nature, in multiples of the plain one: `drift` per second in units of the volatility
/// per root second.
struct Nature {
    drift: f64,
    volatility: f64,
    activity: f64,
    spread: f64,
    mean_seconds: f64,
}

impl Regime {
    const fn nature(self) -> Nature {
        let plain =
            Nature { drift: 0.0, volatility: 1.0, activity: 1.0, spread: 1.0, mean_seconds: 400.0 };
        match self {
            Regime::Calm => Nature { volatility: 0.5, activity: 0.6, mean_seconds: 600.0, ..plain },
            Regime::Up => Nature { drift: 0.1, activity: 1.3, ..plain },
            Regime::Down => Nature { drift: -0.1, activity: 1.3, ..plain },
            Regime::Storm => {
                Nature { volatility: 2.5, activity: 2.0, spread: 1.6, mean_seconds: 200.0, ..plain }
            }
        }
    }
}

/// Trades and changes of the book per second, before the rate; how much a trade excites the next
/// ones (the branching ratio), and how fast that fades, per second.
const TRADES: f64 = 0.5;
const CHANGES: f64 = 4.0;
const BRANCHING: f64 = 0.6;
const FADING: f64 = 1.0;
/// Seconds over which the wandering volatility, spread and fair price come back, and the standard
/// deviations of the first two's logarithms.
const VOLATILITY_BACK: f64 = 600.0;
const VOLATILITY_WIDTH: f64 = 0.3;
const SPREAD_BACK: f64 = 30.0;
const SPREAD_WIDTH: f64 = 0.35;
const PRICE_BACK: f64 = 3.0 * 86_400.0;
const SECONDS_A_YEAR: f64 = 365.0 * 86_400.0;
/// How many levels one taker goes through at most.
const SWEEP: usize = 3;

/// The generator.
pub struct Synthetic {
    config: SyntheticConfig,
    rng: Rng,
    now: Time,
    regime: Regime,
    regime_ends: Time,
    /// Logarithms: of the fair price, its anchor, the volatility's and the spread's deviations.
    fair: f64,
    anchor: f64,
    volatility: f64,
    spread: f64,
    /// Trades per second beyond the plain ones, from recent trades.
    excited: f64,
    side: Side,
    book: Book,
    tick: Decimal,
    lot: Decimal,
    last: i64,
    trade_id: i64,
    quoted: Option<[(i64, i64); 2]>,
    out: VecDeque<Event>,
}

impl Synthetic {
    /// A market whose first event is the book's snapshot at `config.start`.
    #[must_use]
    pub fn new(seed: u64, config: SyntheticConfig) -> Synthetic {
        let grid = |step: Decimal| if step.is_zero() { Decimal::new(1, 2) } else { step };
        let (tick, lot) = (grid(config.instrument.tick_size), grid(config.instrument.lot_size));
        let price = decimal::to_f64(config.start_price).max(decimal::to_f64(tick) * 1000.0);
        let mut market = Synthetic {
            rng: Rng::new(seed, 7),
            now: config.start,
            regime: Regime::Calm,
            regime_ends: config.start,
            fair: price.ln(),
            anchor: price.ln(),
            volatility: 0.0,
            spread: 0.0,
            excited: 0.0,
            side: Side::Buy,
            book: Book::default(),
            tick,
            lot,
            last: 0,
            trade_id: 0,
            quoted: None,
            out: VecDeque::new(),
            config,
        };
        market.choose_regime();
        market.begin();
        market
    }

    /// The next event; there is always one. Events of one cause have one time.
    #[allow(clippy::should_implement_trait)] // an Iterator's Option would hide that it never ends
    pub fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.out.pop_front() {
                return event;
            }
            self.step();
        }
    }

    /// The regime of the moment.
    #[must_use]
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// The snapshot and the first quote.
    fn begin(&mut self) {
        let (bid, ask) = self.targets();
        self.last = ask;
        let mut changes = Vec::new();
        for (side, price) in [(BookSide::Bid, bid), (BookSide::Ask, ask)] {
            let lots = self.resting_lots();
            self.book.put(side, price, lots, &mut changes);
        }
        self.refill(&mut changes);
        self.tell_book(&changes, true);
    }

    /// Lets time pass to the next arrival, which is a trade, a change of the book, or nothing.
    fn step(&mut self) {
        let rate = self.config.rate;
        let bound = (self.activity() + CHANGES) * rate;
        let seconds = self.rng.exponential(1.0 / bound);
        self.pass(seconds);
        let pick = self.rng.unit() * bound;
        if pick < CHANGES * rate {
            self.change();
        } else if pick < (CHANGES + self.activity()) * rate {
            self.trade();
        }
    }

    /// Trades per second at this moment, before the rate.
    fn activity(&self) -> f64 {
        TRADES * self.regime.nature().activity + self.excited
    }

    /// Moves everything that wanders by this much time.
    fn pass(&mut self, seconds: f64) {
        let span = Span::from_seconds(seconds).unwrap_or(Span::ZERO).max(Span::from_nanos(1000));
        self.now = self.now.plus(span);
        let seconds = span.seconds();
        if self.now >= self.regime_ends {
            self.choose_regime();
        }
        let nature = self.regime.nature();
        self.volatility = self.wander(self.volatility, VOLATILITY_BACK, VOLATILITY_WIDTH, seconds);
        self.spread = self.wander(self.spread, SPREAD_BACK, SPREAD_WIDTH, seconds);
        let plain = self.config.volatility / SECONDS_A_YEAR.sqrt();
        let noise = nature.volatility * self.volatility.exp() * seconds.sqrt() * self.rng.normal();
        let back = (self.anchor - self.fair) * (seconds / PRICE_BACK).min(1.0);
        self.fair += plain * (nature.drift * seconds + noise) + back;
        self.excited *= (-FADING * self.config.rate * seconds).exp();
    }

    /// One exact step of an Ornstein-Uhlenbeck process around zero.
    fn wander(&mut self, from: f64, back: f64, width: f64, seconds: f64) -> f64 {
        let kept = (-seconds / back).exp();
        from * kept + width * (1.0 - kept * kept).sqrt() * self.rng.normal()
    }

    fn choose_regime(&mut self) {
        let others = [Regime::Calm, Regime::Up, Regime::Down, Regime::Storm]
            .into_iter()
            .filter(|regime| *regime != self.regime)
            .nth(self.rng.below(3) as usize);
        self.regime = others.unwrap_or(Regime::Calm);
        let seconds = 30.0 + self.rng.exponential(self.regime.nature().mean_seconds);
        self.regime_ends = self.now.plus(Span::from_seconds(seconds).unwrap_or_default());
    }

    /// The spread of the moment, in ticks.
    fn spread_ticks(&self) -> f64 {
        let fraction = self.config.spread * self.regime.nature().spread * self.spread.exp();
        (fraction * self.fair.exp() / decimal::to_f64(self.tick)).max(1.0)
    }

    /// Where the best bid and ask belong, in ticks. Far enough from zero for every level.
    fn targets(&self) -> (i64, i64) {
        let middle = self.fair.exp() / decimal::to_f64(self.tick);
        let half = self.spread_ticks() / 2.0;
        let bid = whole((middle - half).floor()).max(2);
        (bid, whole((middle + half).ceil()).max(bid + 1))
    }

    /// A log-normal size in lots around a median notional, rounded to two digits.
    fn lots(&mut self, notional: f64, width: f64) -> i64 {
        let size = notional * (width * self.rng.normal()).exp() / self.fair.exp();
        let lots = size / decimal::to_f64(self.lot);
        let step = 10f64.powf((lots.max(1.0).log10() - 1.0).floor().max(0.0));
        let least = self.config.instrument.min_qty / self.lot;
        whole((lots / step).round() * step).max(whole(decimal::to_f64(least).ceil())).max(1)
    }

    fn resting_lots(&mut self) -> i64 {
        self.lots(self.config.trade_notional * 6.0, 0.9)
    }

    /// The distance between neighboring levels, in ticks.
    fn gap(&mut self) -> i64 {
        let mean = (self.spread_ticks() * 0.4).max(1.0);
        1 + whole(self.rng.exponential(mean - 1.0).floor())
    }

    /// A taker comes, perhaps through several levels.
    fn trade(&mut self) {
        let (bid, ask) = self.targets();
        let (best_bid, best_ask) = self.book.best();
        let pull = middle(bid, ask) - middle(best_bid.0, best_ask.0);
        let pull = (pull / self.spread_ticks()).clamp(-1.0, 1.0) * 0.35;
        let again = match self.side {
            Side::Buy => 0.15,
            Side::Sell => -0.15,
        };
        let buys = self.rng.unit() < 0.5 + pull + again;
        self.side = if buys { Side::Buy } else { Side::Sell };
        self.excited += BRANCHING * FADING;
        let mut left = self.lots(self.config.trade_notional, 1.2);
        for _ in 0..SWEEP {
            left -= self.hit(left);
            if left <= 0 || self.rng.unit() < 0.5 {
                break;
            }
        }
    }

    /// A trade at the touch; gives the lots that the level had.
    fn hit(&mut self, wanted: i64) -> i64 {
        let mut changes = Vec::new();
        let from = match self.side {
            Side::Buy => BookSide::Ask,
            Side::Sell => BookSide::Bid,
        };
        let Some((price, lots)) = self.book.take(from, wanted, &mut changes) else { return 0 };
        self.last = price;
        self.trade_id += 1;
        self.out.push_back(Event::Trade(Trade {
            time: self.now,
            instrument: self.config.instrument.id,
            price: self.price(price),
            qty: self.qty(lots),
            side: Some(self.side),
            id: self.trade_id,
        }));
        self.refill(&mut changes);
        self.tell_book(&changes, false);
        lots
    }

    /// Makers follow the fair price, or one of them changes its mind.
    fn change(&mut self) {
        let mut changes = Vec::new();
        let (bid, ask) = self.targets();
        let slack = ((ask - bid) / 4).max(1);
        self.book.retreat(bid + slack, ask - slack, SWEEP, &mut changes);
        let lots = self.resting_lots();
        self.book.advance(bid, ask, slack, lots, &mut changes);
        for side in [BookSide::Bid, BookSide::Ask] {
            let (gap, lots) = (self.gap(), self.resting_lots());
            let wide = whole(self.spread_ticks());
            self.book.thicken(side, wide, gap, lots, &mut changes);
        }
        if changes.is_empty() {
            self.fidget(&mut changes);
        }
        self.refill(&mut changes);
        self.tell_book(&changes, false);
    }

    /// A level grows, shrinks, goes or comes, nearer to the touch more often.
    fn fidget(&mut self, changes: &mut Vec<Change>) {
        let side = if self.rng.below(2) == 0 { BookSide::Bid } else { BookSide::Ask };
        let levels = u32::try_from(self.config.levels).unwrap_or(u32::MAX);
        let at = self.rng.below(levels).min(self.rng.below(levels)) as usize;
        let lots = self.resting_lots();
        match self.rng.below(4) {
            0 if at > 0 => self.book.remove(side, at, changes),
            1 => self.book.squeeze_in(side, at, lots, changes),
            _ => self.book.resize(side, at, lots, changes),
        }
    }

    /// Brings both sides to their number of levels.
    fn refill(&mut self, changes: &mut Vec<Change>) {
        let (bid, ask) = self.targets();
        for (side, target) in [(BookSide::Bid, bid), (BookSide::Ask, ask)] {
            self.book.trim(side, self.config.levels.max(1), changes);
            // A bid side that reached the bottom of the price scale stays shorter.
            for _ in self.book.len(side)..self.config.levels.max(1) {
                let (gap, lots) = (self.gap(), self.resting_lots());
                self.book.extend(side, target, gap, lots, changes);
            }
        }
    }

    /// Tells the changes, and the best levels if they are not what was told last.
    fn tell_book(&mut self, changes: &[Change], snapshot: bool) {
        let level = |change: &Change| Level {
            side: change.side,
            price: self.price(change.price),
            qty: self.qty(change.lots),
        };
        let levels: Vec<Level> = changes.iter().map(level).collect();
        if levels.is_empty() {
            return;
        }
        let (time, instrument) = (self.now, self.config.instrument.id);
        self.out.push_back(Event::Book(BookChange { time, instrument, snapshot, levels }));
        let (bid, ask) = self.book.best();
        if self.quoted.replace([bid, ask]) == Some([bid, ask]) {
            return;
        }
        let quote = Quote {
            time,
            instrument,
            bid: self.price(bid.0),
            bid_qty: self.qty(bid.1),
            ask: self.price(ask.0),
            ask_qty: self.qty(ask.1),
            last: self.price(self.last),
        };
        self.out.push_back(Event::Quote(quote));
    }

    fn price(&self, ticks: i64) -> Decimal {
        self.tick * Decimal::from(ticks)
    }

    fn qty(&self, lots: i64) -> Decimal {
        self.lot * Decimal::from(lots)
    }
}

/// A double that counts something, as an integer; beyond 2^53 it is cut off.
#[allow(clippy::cast_possible_truncation)] // clamped
fn whole(value: f64) -> i64 {
    value.clamp(0.0, 9e15) as i64
}

/// The middle of two prices in ticks.
#[allow(clippy::cast_precision_loss)] // ticks are far below 2^53
fn middle(bid: i64, ask: i64) -> f64 {
    (bid + ask) as f64 / 2.0
}
