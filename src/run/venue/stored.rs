//! Sentra's store on disk: from the simulator's rows to the database's and back.

use crate::base::Time;
use crate::edge::sentra_store::{AccountRow, Prices, Rows, SentraStore, SnapshotRow, TradeRow};
use crate::simulator::sentra::SentraServer;
use crate::simulator::sentra::store::{Account, Kind, Snapshot, Store, Trade, Width};
use std::path::Path;

/// Opens the database of a state folder and gives the server what an earlier run stored there.
///
/// # Errors
/// When the database cannot be opened or read.
pub fn open(folder: &Path, width: Width, server: &mut SentraServer) -> anyhow::Result<SentraStore> {
    let prices = match width {
        Width::Wide => Prices::Bits64,
        Width::NarrowPrices => Prices::Bits32,
    };
    let store = SentraStore::open(folder, prices)?;
    let rows = store.load()?;
    server.restore(Store::restored(
        rows.accounts.into_iter().map(account).collect(),
        rows.trades.into_iter().map(|row| (row.account, trade(row))).collect(),
        rows.snapshots.iter().map(|row| (row.account, snapshot(row))).collect(),
    ));
    Ok(store)
}

/// Writes what changed since the last call.
///
/// # Errors
/// When the disk does not take it.
pub fn save(database: &mut SentraStore, server: &mut SentraServer) -> anyhow::Result<()> {
    let changed = server.take_changed();
    let store = server.store();
    let mut rows = Rows {
        accounts: changed.accounts.iter().filter_map(|it| store.account(it)).map(told).collect(),
        ..Rows::default()
    };
    for (account, ticket) in &changed.trades {
        rows.trades.extend(store.trade_of(*account, ticket).map(|row| trade_row(*account, row)));
    }
    for (account, fresh) in &changed.snapshots {
        let history = store.history(*account);
        let new = history.iter().skip(history.len().saturating_sub(*fresh));
        rows.snapshots.extend(new.map(|it| snapshot_row(*account, it)));
    }
    if rows == Rows::default() { Ok(()) } else { database.save(&rows) }
}

fn told(account: &Account) -> AccountRow {
    AccountRow {
        id: account.id,
        user: account.user,
        terminal: account.terminal.clone(),
        number: account.number.clone(),
        broker: account.broker.clone(),
        server: account.server.clone(),
        name: account.name.clone(),
        platform: account.platform.clone(),
        is_cent: account.kind == Kind::Cent,
        balance: account.balance,
        equity: account.equity,
        margin_free: account.margin_free,
        leverage: account.leverage,
        open_positions: account.open_positions,
        currency: account.currency.clone(),
        last_heartbeat: account.last_heartbeat.millis(),
        created: account.created.millis(),
    }
}

fn account(row: AccountRow) -> Account {
    Account {
        id: row.id,
        user: row.user,
        terminal: row.terminal,
        number: row.number,
        broker: row.broker,
        server: row.server,
        name: row.name,
        platform: row.platform,
        kind: if row.is_cent { Kind::Cent } else { Kind::Standard },
        balance: row.balance,
        equity: row.equity,
        margin_free: row.margin_free,
        leverage: row.leverage,
        open_positions: row.open_positions,
        currency: row.currency,
        last_heartbeat: Time::from_millis(row.last_heartbeat),
        created: Time::from_millis(row.created),
    }
}

fn trade_row(account: i64, trade: &Trade) -> TradeRow {
    TradeRow {
        id: trade.id,
        account,
        ticket: trade.ticket.clone(),
        symbol: trade.symbol.clone(),
        is_buy: trade.side == "buy",
        volume: trade.volume,
        open_price: trade.open_price,
        current_price: trade.current_price,
        close_price: trade.close_price,
        open_time: trade.open_time.millis(),
        close_time: trade.close_time.map(Time::millis),
        profit: trade.profit,
        commission: trade.commission,
        swap: trade.swap,
        updated: trade.updated.millis(),
    }
}

fn trade(row: TradeRow) -> Trade {
    Trade {
        id: row.id,
        ticket: row.ticket,
        symbol: row.symbol,
        side: if row.is_buy { "buy" } else { "sell" },
        volume: row.volume,
        open_price: row.open_price,
        current_price: row.current_price,
        close_price: row.close_price,
        open_time: Time::from_millis(row.open_time),
        close_time: row.close_time.map(Time::from_millis),
        profit: row.profit,
        commission: row.commission,
        swap: row.swap,
        updated: Time::from_millis(row.updated),
    }
}

fn snapshot_row(account: i64, snapshot: &Snapshot) -> SnapshotRow {
    let Snapshot { balance, equity, at } = *snapshot;
    SnapshotRow { account, balance, equity, at: at.millis() }
}

fn snapshot(row: &SnapshotRow) -> Snapshot {
    Snapshot { balance: row.balance, equity: row.equity, at: Time::from_millis(row.at) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Machine;
    use crate::run::venue::accounts::{SENTRA_EMAIL, sentra_config};
    use crate::simulator::http::HttpIn;
    use crate::simulator::sentra::{Checks, In};

    fn post(server: &mut SentraServer, second: i64, call: &str, fields: &str) {
        let body = format!("{{\"user_email\":\"{SENTRA_EMAIL}\",{fields}}}");
        let request = HttpIn {
            method: "POST".into(),
            path: format!("/api/mt/{call}"),
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.into_bytes(),
            ..HttpIn::default()
        };
        let now = Time::from_millis(1_761_733_800_000 + second * 1_000);
        server.handle(now, In::Request(request));
        let out = server.poll(now).unwrap();
        assert!(format!("{:?}", out.reply).contains("status: 200"), "{out:?}");
    }

    /// SENTRA-T01 (CENT), T04 (a price that needs 64 bits) and P03, over two restarts.
    #[test]
    fn a_restart_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let opened = || {
            let mut server = SentraServer::new(sentra_config(Checks::Manual));
            let database = open(folder.path(), Width::Wide, &mut server).unwrap();
            (server, database)
        };
        let (mut server, mut database) = opened();
        let beat = "\"account_number\":\"7\",\"balance\":10000.50,\"equity\":10250.75,\
            \"account_type\":\"CENT\"";
        post(&mut server, 0, "heartbeat", beat);
        save(&mut database, &mut server).unwrap();
        let position = "\"account_number\":\"7\",\"positions\":[{\"ticket\":\"1\",\
            \"symbol\":\"BTCBRL\",\"type\":\"buy\",\"volume\":1.15,\"open_price\":60727.05,\
            \"current_price\":60727.05,\"profit\":-1,\"open_time\":\"2025-10-29T10:30:00Z\"}]";
        post(&mut server, 1, "positions", position);
        save(&mut database, &mut server).unwrap();
        drop(database);

        let (mut again, mut database) = opened();
        let seen = again.store().account(&(1, "7".into())).unwrap();
        assert_eq!((seen.balance, seen.equity, seen.kind), (100_005_000, 102_507_500, Kind::Cent));
        assert_eq!(
            again.store().account(&(1, "7".into())),
            server.store().account(&(1, "7".into()))
        );
        let (before, after) = (server.store().trade_of(1, "1"), again.store().trade_of(1, "1"));
        assert_eq!(before, after);
        assert_eq!(after.map(|it| (it.volume, it.open_price)), Some((115, 6_072_705_000)));
        post(&mut again, 2, "heartbeat", beat);
        save(&mut database, &mut again).unwrap();
        assert_eq!(again.take_changed(), crate::simulator::sentra::store::Changed::default());
        let rows = database.load().unwrap();
        assert_eq!((rows.accounts.len(), rows.trades.len(), rows.snapshots.len()), (1, 1, 2));
    }
}
