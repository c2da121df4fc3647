//! What the served venues hold of their accounts, for comparing.

use crate::base::{Decimal, Plain, decimal};
use crate::exchange::{AccountNumber, Exchange};
use crate::simulator::sentra::store::{Kind, Store};
use anyhow::Context;
use std::path::Path;

/// An account: its balances, open orders and every execution.
#[must_use]
pub fn account(exchange: &Exchange, account: AccountNumber) -> Plain {
    let money = |value: Decimal| Plain::text(decimal::show(value));
    let balances = exchange.balances(account).into_iter().map(|(asset, balance)| {
        let fields = vec![("total", money(balance.total)), ("held", money(balance.held))];
        (Plain::Text(asset), Plain::map(fields))
    });
    let fills = exchange.fills(account).iter().map(|fill| {
        Plain::map(vec![
            ("trade_id", Plain::text(fill.trade_id.to_string())),
            ("order_id", Plain::text(fill.order.0.to_string())),
            ("client_order_id", Plain::text(fill.client_id.to_string())),
            ("side", Plain::text(fill.side.word())),
            ("price", money(fill.price)),
            ("qty", money(fill.qty)),
            ("fee", money(fill.fee)),
        ])
    });
    Plain::map(vec![
        ("account", Plain::Int(account.0)),
        ("balances", Plain::Map(balances.collect())),
        ("open_orders", Plain::Int(len(exchange.open_orders(account).len()))),
        ("fills", Plain::List(fills.collect())),
    ])
}

/// What Sentra has stored, in its integers (SENTRA-R23, R26). The owner's e-mail is not told.
#[must_use]
pub fn sentra(store: &Store) -> Plain {
    let rows = store.accounts().map(|account| {
        let (mut open, mut closed, mut profit) = (0, 0, 0_i64);
        for trade in store.trades(account.id) {
            match trade.close_time {
                None => open += 1,
                Some(_) => {
                    closed += 1;
                    profit = profit.saturating_add(trade.profit);
                }
            }
        }
        let kind = match account.kind {
            Kind::Cent => "CENT",
            Kind::Standard => "STANDARD",
        };
        Plain::map(vec![
            ("account_number", Plain::text(account.number.as_str())),
            ("user_id", Plain::Int(account.user)),
            ("account_type", Plain::text(kind)),
            ("scale", Plain::Int(account.kind.scale())),
            ("balance", Plain::Int(account.balance)),
            ("equity", Plain::Int(account.equity)),
            ("heartbeats", Plain::Int(len(store.history(account.id).len()))),
            ("positions", Plain::Int(open)),
            ("trades", Plain::Int(closed)),
            ("closed_profit", Plain::Int(profit)),
        ])
    });
    Plain::map(vec![("accounts", Plain::List(rows.collect()))])
}

fn len(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Writes a ledger's JSON into a folder, which is made if it is missing.
///
/// # Errors
/// When the disk does not take it.
pub fn write(folder: &Path, ledger: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join("ledger.json"), format!("{ledger}\n")))
        .with_context(|| format!("cannot write the ledger into {}", folder.display()))
}
