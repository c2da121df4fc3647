//! Time bars built from trades. A bar covers `[start, start + interval)` with starts aligned to the
//! epoch; an interval without a trade has no bar.

#[cfg(test)]
mod tests;

use crate::base::tape::TradeBlock;
use crate::base::{Bar, Decimal, InstrumentId, Span, Time};

/// Builds the bars of one instrument and interval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BarBuilder {
    instrument: InstrumentId,
    interval: Span,
    /// The bar under way; its `time` is the end at which it will close.
    open: Option<Bar>,
    /// The end of the last bar that closed: no later bar begins before it.
    floor: Time,
}

impl BarBuilder {
    /// `None` for an interval that is not positive.
    #[must_use]
    pub fn new(instrument: InstrumentId, interval: Span) -> Option<BarBuilder> {
        let floor = Time::from_nanos(i64::MIN);
        (interval > Span::ZERO).then_some(BarBuilder { instrument, interval, open: None, floor })
    }

    #[must_use]
    pub const fn interval(&self) -> Span {
        self.interval
    }

    /// When the bar under way closes; `None` while there is none.
    #[must_use]
    pub fn closes_at(&self) -> Option<Time> {
        self.open.as_ref().map(|bar| bar.time)
    }

    /// Takes a trade; returns the bar that it closed by being past its end. A trade that comes
    /// late, from before the bar under way, counts in that bar: a closed bar never changes.
    pub fn trade(&mut self, time: Time, price: Decimal, qty: Decimal) -> Option<Bar> {
        let closed = self.advance(time);
        self.add(time, Sums { open: price, high: price, low: price, close: price, volume: qty });
        closed
    }

    /// Time has come to `now`: returns the bar under way if that is its end or later.
    pub fn advance(&mut self, now: Time) -> Option<Bar> {
        let bar = self.open.take_if(|bar| bar.time <= now)?;
        self.floor = bar.time;
        Some(bar)
    }

    /// Takes the rows `from..to` of a tape block, which are in time order; `out` gets each bar that
    /// closes. The work on a row is integer comparisons, and none at all on its time.
    pub fn absorb(
        &mut self,
        block: &TradeBlock,
        from: usize,
        to: usize,
        out: &mut impl FnMut(Bar),
    ) {
        let (Some(times), Some(prices), Some(qtys)) =
            (block.times.get(from..to), block.prices.get(from..to), block.qtys.get(from..to))
        else {
            return;
        };
        let mut at = 0;
        while let Some(first) = times.get(at) {
            if let Some(bar) = self.advance(*first) {
                out(bar);
            }
            let end = self.closes_at().unwrap_or_else(|| self.end_of(*first));
            let more = times.get(at..).unwrap_or_default().partition_point(|time| *time < end);
            let run = at..at + more.max(1);
            let scales = (block.price_scale, block.qty_scale);
            let sums = prices.get(run.clone()).zip(qtys.get(run.clone()));
            if let Some(sums) = sums.and_then(|(prices, qtys)| Sums::of(prices, qtys, scales)) {
                self.add(*first, sums);
            }
            at = run.end;
        }
    }

    fn add(&mut self, time: Time, sums: Sums) {
        if let Some(bar) = &mut self.open {
            bar.high = bar.high.max(sums.high);
            bar.low = bar.low.min(sums.low);
            bar.close = sums.close;
            bar.volume += sums.volume;
            return;
        }
        self.open = Some(Bar {
            time: self.end_of(time),
            instrument: self.instrument,
            interval: self.interval,
            open: sums.open,
            high: sums.high,
            low: sums.low,
            close: sums.close,
            volume: sums.volume,
        });
    }

    fn end_of(&self, time: Time) -> Time {
        let (nanos, step) = (time.max(self.floor).nanos(), self.interval.nanos());
        Time::from_nanos(nanos.div_euclid(step).saturating_add(1).saturating_mul(step))
    }
}

struct Sums {
    open: Decimal,
    high: Decimal,
    low: Decimal,
    close: Decimal,
    volume: Decimal,
}

impl Sums {
    fn of(prices: &[i64], qtys: &[i64], (price_scale, qty_scale): (u32, u32)) -> Option<Sums> {
        let price = |mantissa: &i64| Decimal::new(*mantissa, price_scale);
        let volume: i128 = qtys.iter().map(|qty| i128::from(*qty)).sum();
        Some(Sums {
            open: price(prices.first()?),
            high: price(prices.iter().max()?),
            low: price(prices.iter().min()?),
            close: price(prices.last()?),
            volume: Decimal::try_from_i128_with_scale(volume, qty_scale).ok()?,
        })
    }
}
