//! Grants: which calls beyond trading a strategy may make, where money may go, and how much.

use super::{Core, failure};
use crate::base::{
    CallAsk, CallFailure, CallFailureKind, Decimal, Plain, Span, StrategyId, Time, decimal, json,
};
use crate::calls::flowbtc::PRODUCTS;
use crate::calls::{Call, Priority};
use crate::desk::Mode;
use crate::engine::EngineConfig;
use crate::engine::config::Withdrawals;
use std::collections::{BTreeMap, BTreeSet};

const DAY: Span = Span::from_secs(24 * 60 * 60);

/// What the configuration grants.
#[derive(Debug)]
pub struct Grants {
    mode: Mode,
    by_strategy: BTreeMap<String, BTreeSet<String>>,
    withdrawals: Withdrawals,
    /// What left in the last 24 hours, or may have.
    left: Vec<(Time, String, Decimal)>,
}

impl Default for Grants {
    /// Nothing is granted.
    fn default() -> Grants {
        Grants {
            mode: Mode::Backtest,
            by_strategy: BTreeMap::new(),
            withdrawals: Withdrawals::default(),
            left: Vec::new(),
        }
    }
}

impl Grants {
    pub fn of(config: &EngineConfig) -> Grants {
        Grants {
            mode: config.mode,
            by_strategy: config.grants.clone(),
            left: config.withdrawals.before.clone(),
            withdrawals: config.withdrawals.clone(),
        }
    }

    /// A withdrawal of this much to there. It counts at once, and for the day even if its answer
    /// is lost.
    fn withdraw(&mut self, now: Time, order: &Order) -> Result<(), CallFailure> {
        let Order { asset, amount, address } = order;
        let no = |why: String| Err(failure(CallFailureKind::NotGranted, why));
        if *amount <= Decimal::ZERO {
            return Err(failure(CallFailureKind::Arguments, "the amount is above 0"));
        }
        let known = self.withdrawals.addresses.contains(address);
        if !known {
            return no("the address is not on the list under [withdrawals] addresses".to_owned());
        }
        let Some(cap) = self.withdrawals.per_day.get(asset).copied() else {
            return no(format!(
                "[withdrawals.per_day] gives no cap for {asset}, so none may leave"
            ));
        };
        self.left.retain(|(at, ..)| now.since(*at) < DAY);
        let gone: Decimal =
            self.left.iter().filter(|(_, of, _)| of == asset).map(|(.., amount)| *amount).sum();
        if gone + *amount > cap {
            let rest = (cap - gone).max(Decimal::ZERO);
            return no(format!(
                "{amount} {asset} is above what may leave today: {rest} of {cap} {asset} is left"
            ));
        }
        self.left.push((now, asset.clone(), *amount));
        Ok(())
    }
}

/// Money on its way out.
struct Order {
    pub asset: String,
    pub amount: Decimal,
    address: String,
}

/// What a withdrawal call asks for. Nothing for a call that takes no money out.
fn withdrawal(ask: &CallAsk) -> Option<Result<Order, CallFailure>> {
    let missing = |field: &str| failure(CallFailureKind::Arguments, format!("{field} is missing"));
    match ask.name {
        "withdrawal_bitcoin" => Some((|| {
            Ok(Order {
                asset: "BTC".to_owned(),
                amount: ask.decimal("volume").ok_or_else(|| missing("volume"))?,
                address: ask
                    .text("bitcoin_address")
                    .ok_or_else(|| missing("bitcoin_address"))?
                    .to_owned(),
            })
        })()),
        "CreateWithdrawTicket" => Some((|| {
            let product = ask.int("ProductId").ok_or_else(|| missing("ProductId"))?;
            let form = ask.text("TemplateForm").ok_or_else(|| missing("TemplateForm"))?;
            let form = json::read(form).ok();
            let address = form.as_ref().and_then(|form| match form.get("ExternalAddress") {
                Some(Plain::Text(address)) => Some(address.clone()),
                _ => None,
            });
            Ok(Order {
                asset: asset_of(product),
                amount: ask.decimal("Amount").ok_or_else(|| missing("Amount"))?,
                address: address.ok_or_else(|| missing("ExternalAddress of TemplateForm"))?,
            })
        })()),
        _ => None,
    }
}

/// The withdrawal that a record of kind `call` speaks of: asset and amount. Nothing for one that
/// was refused here, and for calls that take no money out.
///
/// # Errors
/// When it is a withdrawal and does not say how much of what.
pub fn withdrawn(body: &Plain) -> Result<Option<(String, Decimal)>, String> {
    let Some(Plain::Text(call)) = body.get("call") else { return Ok(None) };
    let (asset, amount) = match call.rsplit('.').next() {
        Some("withdrawal_bitcoin") => (Some(Plain::text("BTC")), body.get("volume")),
        Some("CreateWithdrawTicket") => (body.get("ProductId").cloned(), body.get("Amount")),
        _ => return Ok(None),
    };
    if body.get("refused").is_some() {
        return Ok(None);
    }
    let asset = match asset {
        Some(Plain::Text(asset)) => asset,
        Some(Plain::Int(product)) => asset_of(product),
        _ => return Err(format!("{call} does not say of what")),
    };
    let amount = match amount {
        Some(Plain::Decimal(amount)) => Some(*amount),
        Some(Plain::Int(amount)) => Some(Decimal::from(*amount)),
        Some(Plain::Text(amount)) => decimal::parse(amount).ok(),
        _ => None,
    };
    let amount = amount.ok_or_else(|| format!("{call} does not say how much"))?;
    Ok(Some((asset, amount)))
}

fn asset_of(product: i64) -> String {
    let asset = PRODUCTS.iter().find(|(number, _)| *number == product);
    asset.map_or_else(|| format!("product {product}"), |(_, asset)| (*asset).to_owned())
}

impl Core {
    /// Whether this call is granted to this strategy; a withdrawal that is counts from now on.
    pub(super) fn granted(
        &mut self,
        who: StrategyId,
        row: &Call,
        ask: &CallAsk,
    ) -> Result<(), CallFailure> {
        let no = |why: String| Err(failure(CallFailureKind::NotGranted, why));
        let name = format!("{}.{}", ask.venue, ask.name);
        let mode = self.calls.grants.mode;
        if mode != Mode::Live {
            return no(format!("{name} is off in {} mode, whatever is granted", mode.word()));
        }
        let strategy = self.owner(who).map(|owner| owner.name.clone()).unwrap_or_default();
        let granted = self.calls.grants.by_strategy.get(&strategy);
        if !granted.is_some_and(|granted| granted.contains(&name)) {
            return no(format!(
                "{name} moves money or changes the user; grant it under [grants.{strategy}]: \
                 calls = [\"{name}\"]"
            ));
        }
        if let Some(reason) = self.gate.halted(who) {
            return Err(failure(CallFailureKind::Limit, format!("HALT_STRATEGY reason={reason}")));
        }
        match withdrawal(ask) {
            Some(order) => self.calls.grants.withdraw(self.now, &order?),
            // Whatever else is in that lane moves money in: a deposit's announcement.
            None if row.lane == Priority::Withdrawal && ask.decimal("Amount").is_none() => {
                Err(failure(CallFailureKind::Arguments, "Amount is missing"))
            }
            None => Ok(()),
        }
    }
}
