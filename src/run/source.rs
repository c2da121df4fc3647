//! Where a served market comes from: a recorded file, or a seeded synthetic market.

use crate::base::tape::TradeBlock;
use crate::base::{BookSide, Decimal, Event, Instrument, InstrumentId, Time};
use crate::edge::tape::{BookCsv, FeedKind, QuotesCsv, TimeUnit, TradesCsv, detect};
use crate::exchange::synthetic::{Synthetic, SyntheticConfig};
use std::collections::VecDeque;
use std::path::Path;

/// A market to serve, event by event, in time order.
pub struct Source {
    kind: Kind,
    waiting: VecDeque<Event>,
}

enum Kind {
    Trades { file: Box<TradesCsv>, block: TradeBlock, at: usize },
    Quotes { file: Box<QuotesCsv>, batch: Vec<Event> },
    Book { file: Box<BookCsv>, batch: Vec<Event> },
    Synthetic(Box<Synthetic>),
}

const BATCH: usize = 1_024;

impl Source {
    /// A recorded file of trades, quotes or book changes of one instrument.
    ///
    /// # Errors
    /// When the file cannot be read or is none of these.
    pub fn recorded(
        path: &Path,
        instrument: InstrumentId,
        unit: Option<TimeUnit>,
    ) -> anyhow::Result<Source> {
        let kind = match detect(path)? {
            FeedKind::Trades => {
                let block = TradeBlock { instrument, ..TradeBlock::default() };
                Kind::Trades { file: Box::new(TradesCsv::open(path, unit)?), block, at: 0 }
            }
            FeedKind::Quotes => {
                let file = Box::new(QuotesCsv::open(path, unit, instrument)?);
                Kind::Quotes { file, batch: Vec::new() }
            }
            FeedKind::Book => {
                let file = Box::new(BookCsv::open(path, unit, instrument)?);
                Kind::Book { file, batch: Vec::new() }
            }
        };
        Ok(Source { kind, waiting: VecDeque::new() })
    }

    /// The synthetic market of a seed, from `start` on.
    #[must_use]
    pub fn synthetic(seed: u64, instrument: Instrument, start: Time) -> Source {
        let config = SyntheticConfig::new(instrument, start, Decimal::from(350_000));
        Source {
            kind: Kind::Synthetic(Box::new(Synthetic::new(seed, config))),
            waiting: VecDeque::new(),
        }
    }

    /// The next event; `None` at the end of a file.
    ///
    /// # Errors
    /// At a row of the file that cannot be read.
    pub fn next_event(&mut self) -> anyhow::Result<Option<Event>> {
        if self.waiting.is_empty() {
            self.fill()?;
        }
        Ok(self.waiting.pop_front())
    }

    fn fill(&mut self) -> anyhow::Result<()> {
        match &mut self.kind {
            Kind::Synthetic(market) => self.waiting.push_back(market.next()),
            Kind::Trades { file, block, at } => {
                if *at >= block.len() {
                    *at = 0;
                    if file.next_block(block, BATCH)? == 0 {
                        return Ok(());
                    }
                }
                self.waiting.extend(block.trade(*at).map(Event::Trade));
                *at += 1;
            }
            Kind::Quotes { file, batch } => {
                batch.clear();
                file.next_events(batch, BATCH)?;
                self.waiting.extend(batch.drain(..));
            }
            Kind::Book { file, batch } => {
                batch.clear();
                file.next_events(batch, BATCH)?;
                self.waiting.extend(batch.drain(..));
            }
        }
        Ok(())
    }
}

/// The price that an event tells: a trade's, or the middle of the touch.
#[must_use]
pub fn price_of(event: &Event) -> Option<Decimal> {
    let middle = |bid: Decimal, ask: Decimal| (bid + ask) / Decimal::TWO;
    match event {
        Event::Trade(trade) => Some(trade.price),
        Event::Quote(quote) if quote.bid > Decimal::ZERO && quote.ask > Decimal::ZERO => {
            Some(middle(quote.bid, quote.ask))
        }
        Event::Book(change) if change.snapshot => {
            let side = |side| change.levels.iter().filter(move |level| level.side == side);
            let bid = side(BookSide::Bid).map(|level| level.price).max()?;
            let ask = side(BookSide::Ask).map(|level| level.price).min()?;
            Some(middle(bid, ask))
        }
        Event::Quote(_)
        | Event::Book(_)
        | Event::Bar(_)
        | Event::Order(_)
        | Event::Fill(_)
        | Event::Balance(_)
        | Event::Feed(_)
        | Event::Instrument(_)
        | Event::Reply(_) => None,
    }
}
