//! What the engine says during a backtest: counted, valued, and into the digest.

use super::{Run, WHO};
use crate::account::Order;
use crate::account::ledger::fee_in_quote;
use crate::base::decimal::Shown;
use crate::base::{Fill, OrderKey, OrderState, Time, decimal};
use crate::desk::Words;
use crate::engine::Note;
use sha2::Digest;
use std::io::Write;

impl Run<'_> {
    pub(super) fn note(&mut self, note: Note) {
        match note {
            Note::Order { order } => {
                match order.state {
                    OrderState::Canceled => self.canceled += 1,
                    OrderState::Expired => self.expired += 1,
                    OrderState::Rejected => {
                        self.rejected += 1;
                        let code = order.reason.split(' ').next().unwrap_or_default().to_owned();
                        *self.refusals.entry(code).or_default() += 1;
                    }
                    OrderState::Pending
                    | OrderState::Working
                    | OrderState::Unknown
                    | OrderState::Filled => {}
                }
                self.digest_order(&order);
            }
            Note::Fill { fill, strategy, .. } => {
                self.fills += 1;
                self.digest_fill(&fill);
                let fee = fee_in_quote(&fill, &self.instrument).unwrap_or_default();
                if let Some(recorder) = &mut self.recorder {
                    recorder.fill(strategy, &fill, fee);
                }
                self.revalue();
            }
            Note::Fault { fault, .. } | Note::Refused { fault, .. } => {
                self.fault.get_or_insert(fault);
            }
            Note::Halt { reason, .. } => {
                self.halted.get_or_insert(reason);
            }
            Note::Words { words: Words::Log { level, message, fields }, at, .. } => {
                let (level, fields) = (level.word(), fields.json());
                tracing::debug!(target: "strategy", time = %at, level, fields, "{message}");
            }
            Note::Words { .. }
            | Note::Loaded { .. }
            | Note::Reloaded { .. }
            | Note::StrangeFill { .. }
            | Note::Feed(_)
            | Note::Venue { .. }
            | Note::Stopped { .. } => {}
        }
    }

    fn digest_order(&mut self, order: &Order) {
        let price = order.price.map(decimal::show).unwrap_or_default();
        let (side, state, reason) = (order.side.word(), order.state.word(), &order.reason);
        let (qty, filled) = (Shown(order.qty), Shown(order.filled));
        let line = format_args!("[\"{side}\", \"{state}\", {reason:?}] {qty} {price} {filled}\n");
        self.digest_line(order.key, order.updated, line);
    }

    fn digest_fill(&mut self, fill: &Fill) {
        let (side, liquidity) = (fill.side.word(), fill.liquidity.word());
        let (price, qty, fee) = (Shown(fill.price), Shown(fill.qty), Shown(fill.fee));
        let line = format_args!("{side} {price} {qty} {fee} {liquidity}\n");
        self.digest_line(fill.order, fill.time, line);
    }

    fn digest_line(&mut self, key: OrderKey, at: Time, line: std::fmt::Arguments<'_>) {
        self.line.clear();
        self.line.extend_from_slice(&key.wire().to_le_bytes());
        self.line.extend_from_slice(&at.nanos().to_le_bytes());
        // Writing to memory does not fail.
        drop(self.line.write_fmt(line));
        self.digest.update(&self.line);
    }

    fn revalue(&mut self) {
        let core = self.engine.core();
        let position = core.ledger.position(WHO, self.instrument.id);
        let rest = self.equity_start + position.cash - position.fees;
        self.held = (decimal::to_f64(position.qty), decimal::to_f64(rest));
    }
}
