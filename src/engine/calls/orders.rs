//! Order calls by their documented names, as the asks of the one order path: SendOrder is an
//! order like any, a cancel a cancel. What the engine could not keep its word on is refused.

use super::{Core, failure, limit};
use crate::account::Order;
use crate::base::{
    Ask, Call, CallAsk, CallFailure, CallFailureKind, CallId, Decimal, InstrumentId, OrderKey,
    OrderKind, OrderState, Side, StrategyId, Tif,
};
use crate::calls::flowbtc::INSTRUMENTS;
use crate::desk::Desk;

/// Whether a call does something to orders.
pub(super) fn is_order_call(ask: &CallAsk) -> bool {
    match &*ask.venue.0 {
        "flowbtc" => matches!(
            ask.name,
            "SendOrder" | "ModifyOrder" | "CancelReplaceOrder" | "CancelOrder" | "CancelAllOrders"
        ),
        "mercadobitcoin" => matches!(ask.name, "Trade" | "CancelOrder"),
        _ => false,
    }
}

fn wrong(why: impl Into<String>) -> CallFailure {
    failure(CallFailureKind::Arguments, why)
}

impl Core {
    pub(super) fn order_call(
        &mut self,
        who: StrategyId,
        id: CallId,
        ask: &CallAsk,
    ) -> Result<(), CallFailure> {
        let call = Call { id, ask: ask.clone(), order: None };
        match ask.name {
            "SendOrder" => self.new_order(who, call, &send_order(ask, self.instrument_of(ask)?)?),
            "Trade" => self.new_order(who, call, &trade(ask, self.instrument_of(ask)?)?),
            "ModifyOrder" => self.modify(who, call),
            "CancelReplaceOrder" => self.cancel_replace(who, call),
            "CancelOrder" => self.cancel_one(who, call),
            _ => self.cancel_all_of(who, call),
        }
    }

    fn instrument_of(&self, ask: &CallAsk) -> Result<InstrumentId, CallFailure> {
        let symbol = if let Some(pair) = ask.text("pair") {
            pair.replace('_', "").to_ascii_uppercase()
        } else {
            let number = ask.int("InstrumentId").ok_or_else(|| wrong("InstrumentId is missing"))?;
            let row = INSTRUMENTS.iter().find(|(known, _)| *known == number);
            let (_, symbol) =
                row.ok_or_else(|| wrong(format!("no instrument is number {number}")))?;
            (*symbol).to_owned()
        };
        let name = format!("{}:{symbol}", ask.venue);
        let known = self.instruments.find(&name);
        Ok(known.ok_or_else(|| wrong(format!("this run does not trade {name}")))?.id)
    }

    fn new_order(&mut self, who: StrategyId, call: Call, ask: &Ask) -> Result<(), CallFailure> {
        let order = self.inside(call, |core| core.place(who, ask));
        match order.state {
            OrderState::Rejected => Err(failure(CallFailureKind::Limit, order.reason)),
            OrderState::Pending
            | OrderState::Working
            | OrderState::Unknown
            | OrderState::Filled
            | OrderState::Canceled
            | OrderState::Expired => Ok(()),
        }
    }

    /// The open order that a call names by the venue's number or by our key.
    fn named(&self, ask: &CallAsk, fields: [&str; 2]) -> Result<Option<&Order>, CallFailure> {
        let [by_venue, by_client] = fields;
        // FLOW-F14: zero means that it is not there.
        let given = |field| ask.int(field).filter(|number| *number != 0);
        match (given(by_venue), given(by_client)) {
            (Some(number), _) => Ok(self.orders.open().find(|order| {
                order.venue_id.is_some_and(|id| id.0 == number)
                    && self
                        .instruments
                        .get(order.instrument)
                        .is_some_and(|row| row.venue == ask.venue)
            })),
            (None, Some(key)) => Ok(OrderKey::from_wire(key)
                .and_then(|key| self.orders.get(key))
                .filter(|order| order.state.is_open())),
            (None, None) => Err(wrong(format!("give {by_venue} or {by_client}"))),
        }
    }

    /// A strategy changes its own orders only.
    fn own(&self, who: StrategyId, order: &Order) -> Result<(), CallFailure> {
        if order.strategy == who {
            return Ok(());
        }
        let owner = self.owner(order.strategy).map(|owner| owner.name.clone()).unwrap_or_default();
        let why = format!("the order belongs to the strategy {owner}");
        Err(failure(CallFailureKind::NotGranted, why))
    }

    /// A number that no order of this run has is the venue's to judge: an order of before.
    fn cancel_one(&mut self, who: StrategyId, call: Call) -> Result<(), CallFailure> {
        let fields = match call.ask.get("order_id") {
            Some(_) => ["order_id", "order_id"],
            None => ["OrderId", "ClOrderId"],
        };
        let Some(order) = self.named(&call.ask, fields)? else {
            let command = self.gate.approve_call(call);
            self.outbox.push_back(command);
            return Ok(());
        };
        self.own(who, order)?;
        let key = order.key;
        if self.inside(call, |core| core.cancel_order(key)) {
            return Ok(());
        }
        Err(failure(CallFailureKind::Limit, format!("ORDER_CHANGE_PENDING order={key}")))
    }

    /// FLOW-P18: it would cancel the orders of every strategy there.
    fn cancel_all_of(&mut self, who: StrategyId, call: Call) -> Result<(), CallFailure> {
        let instrument = self.instrument_of(&call.ask)?;
        let open = self.orders.open().filter(|order| order.instrument == instrument);
        let (own, others): (Vec<&Order>, Vec<&Order>) =
            open.partition(|order| order.strategy == who);
        if let Some(other) = others.first() {
            self.own(who, other)?;
        }
        let keys: Vec<OrderKey> = own.into_iter().map(|order| order.key).collect();
        for key in keys {
            self.orders.ask_cancel(key, self.now);
        }
        let command = self.gate.approve_cancel_all(Some(instrument));
        self.inside(call, |core| core.send(Some(who), command));
        Ok(())
    }

    fn cancel_replace(&mut self, who: StrategyId, call: Call) -> Result<(), CallFailure> {
        let ask = call.ask.clone();
        let instrument = self.instrument_of(&ask)?;
        let order = self.named(&ask, ["OrderIdToReplace", "OrderIdToReplace"])?;
        let order = order.ok_or_else(|| wrong("OrderIdToReplace is no open order of this run"))?;
        self.own(who, order)?;
        let terms = send_order(&ask, instrument)?;
        let same = order.instrument == instrument
            && order.side == terms.side
            && order.kind == terms.kind()
            && order.stop == terms.stop;
        if !same {
            return Err(wrong(
                "a replacement has the instrument, side, type and stop price of what it replaces",
            ));
        }
        let (key, grid) = (order.key, self.instruments.get(instrument));
        let fits = grid.is_some_and(|row| {
            row.snap_qty(terms.qty) == terms.qty
                && terms.price.is_none_or(|price| row.snap_price(terms.side, price) == price)
        });
        if !fits {
            return Err(failure(CallFailureKind::Limit, "ORDER_OFF_GRID"));
        }
        let replaced =
            self.inside(call, |core| core.replace(who, key, terms.price, Some(terms.qty)));
        replaced.map_err(|refusal| limit(&refusal))
    }

    /// FLOW-P19: only downwards; `Quantity` is the order's new total.
    fn modify(&mut self, who: StrategyId, call: Call) -> Result<(), CallFailure> {
        let instrument = self.instrument_of(&call.ask)?;
        let order = self.named(&call.ask, ["OrderId", "OrderId"])?;
        let order = order.ok_or_else(|| wrong("OrderId is no open order of this run"))?;
        self.own(who, order)?;
        let total = call.ask.decimal("Quantity").ok_or_else(|| wrong("Quantity is missing"))?;
        let qty = total - order.filled;
        if order.instrument != instrument {
            return Err(wrong("the order is of another instrument"));
        }
        let (key, order) = (order.key, order.clone());
        let row = self.instruments.get(instrument).cloned();
        let approved =
            row.ok_or_else(|| wrong("the instrument is not listed")).and_then(|row| {
                let gate = &self.gate;
                gate.check_reduce(qty, &order, &self.facts(who, &row)).map_err(|no| limit(&no))
            })?;
        self.orders.ask_replace(key, qty, self.now);
        self.inside(call, |core| core.send(Some(who), approved));
        Ok(())
    }
}

/// FLOW-C21, FLOW-C23. The engine's own key is the ClientOrderId: it is what finds a lost order
/// again (FLOW-P17), so a script gives none.
fn send_order(ask: &CallAsk, instrument: InstrumentId) -> Result<Ask, CallFailure> {
    if ask.int("ClientOrderId").is_some_and(|id| id != 0) {
        return Err(wrong(
            "ClientOrderId is the host's: by it a lost order is found; leave it out",
        ));
    }
    let qty = ask.decimal("Quantity").ok_or_else(|| wrong("Quantity is missing"))?;
    let hidden = |shown: Decimal| !shown.is_zero() && shown != qty;
    if ask.decimal("DisplayQuantity").is_some_and(hidden) {
        return Err(wrong("DisplayQuantity: hidden orders are not offered; leave it out or 0"));
    }
    let side = match ask.int("Side") {
        Some(0) => Side::Buy,
        Some(1) => Side::Sell,
        _ => return Err(wrong("Side is 0 (buy) or 1 (sell)")),
    };
    let kind = match ask.int("OrderType") {
        Some(1) => OrderKind::Market,
        Some(2) => OrderKind::Limit,
        Some(3) => OrderKind::Stop,
        Some(4) => OrderKind::StopLimit,
        _ => return Err(wrong("OrderType is 1 (market), 2 (limit), 3 (stop) or 4 (stop limit)")),
    };
    let (post_only, tif) = match ask.int("TimeInForce") {
        None | Some(0 | 1) => (false, Tif::Gtc),
        Some(3) => (false, Tif::Ioc),
        Some(4) => (false, Tif::Fok),
        Some(5) => (true, Tif::Gtc),
        Some(_) => {
            return Err(wrong("TimeInForce is 1 (GTC), 3 (IOC), 4 (FOK) or 5 (post only)"));
        }
    };
    let price = ask.decimal("LimitPrice");
    let stop = ask.decimal("StopPrice");
    let made = Ask {
        instrument,
        side,
        qty,
        price,
        stop,
        post_only,
        reduce_only: false,
        tif,
        expires: None,
        tag: String::new(),
        // Sent as written, or not at all.
        strict: true,
    };
    // FLOW-F17: only limit orders carry a limit price, only stop orders a stop price.
    if made.kind() == kind { Ok(made) } else { Err(wrong(prices_of(kind))) }
}

fn prices_of(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Market => "a market order carries neither LimitPrice nor StopPrice",
        OrderKind::Limit => "a limit order carries LimitPrice and no StopPrice",
        OrderKind::Stop => "a stop order carries StopPrice and no LimitPrice",
        OrderKind::StopLimit => "a stop limit order carries StopPrice and LimitPrice",
    }
}

/// MB-C03.
fn trade(ask: &CallAsk, instrument: InstrumentId) -> Result<Ask, CallFailure> {
    Ok(Ask {
        instrument,
        side: match ask.text("type") {
            Some("buy") => Side::Buy,
            Some("sell") => Side::Sell,
            _ => return Err(wrong("type is buy or sell")),
        },
        qty: ask.decimal("volume").ok_or_else(|| wrong("volume is missing"))?,
        price: Some(ask.decimal("price").ok_or_else(|| wrong("price is missing"))?),
        stop: None,
        post_only: false,
        reduce_only: false,
        tif: Tif::Gtc,
        expires: None,
        tag: String::new(),
        strict: true,
    })
}
