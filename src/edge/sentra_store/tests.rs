//! Rows written and read back, at the limits of their columns.

use super::*;

fn account_row(id: i64, balance: i64) -> AccountRow {
    AccountRow {
        id,
        user: 1,
        terminal: format!("T{id}"),
        number: format!("1234{id}"),
        broker: "XM \"Global\" \\ Limited".into(),
        server: "XM-Real 50".into(),
        name: "João Silva".into(),
        platform: "MT4".into(),
        is_cent: id % 2 == 1,
        balance,
        equity: -balance,
        margin_free: 0,
        leverage: 500,
        open_positions: 3,
        currency: "USD".into(),
        last_heartbeat: 1_761_733_800_000,
        created: 1_761_733_800_000,
    }
}

fn trade_row(id: i64, volume: i64, price: i64) -> TradeRow {
    TradeRow {
        id,
        account: 1,
        ticket: id.to_string(),
        symbol: "EURUSD".into(),
        is_buy: id % 2 == 1,
        volume,
        open_price: price,
        current_price: Some(price),
        close_price: None,
        open_time: 1_761_733_800_000,
        close_time: None,
        profit: 150_000,
        commission: -10_000,
        swap: -5_000,
        updated: 1_761_733_800_000,
    }
}

/// SENTRA-T01 and T02: scaled money up to the largest of 64 bits, both signs.
#[test]
fn money_is_kept_to_the_last_unit_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let amounts =
        [1_000_000, 100_005_000, 1, -50, 9_007_199_254_740_993, 9_223_372_036_854_775_807];
    let ids = 1..;
    let rows = Rows {
        accounts: ids.zip(amounts).map(|(id, amount)| account_row(id, amount)).collect(),
        trades: Vec::new(),
        snapshots: amounts
            .iter()
            .map(|&balance| SnapshotRow { account: 1, balance, equity: -balance, at: 7 })
            .collect(),
    };
    SentraStore::open(folder.path(), Prices::Bits64).unwrap().save(&rows).unwrap();
    let again = SentraStore::open(folder.path(), Prices::Bits64).unwrap();
    assert_eq!(again.load().unwrap(), rows);
}

/// SENTRA-T04: a price of 60,727.05 needs 64 bits, 21,474.83647 is the last that fits 32.
#[test]
fn prices_fit_their_columns_or_are_refused() {
    for (prices, volume, price, fits) in [
        (Prices::Bits64, 115, 6_072_705_000, true),
        (Prices::Bits32, 115, 6_072_705_000, false),
        (Prices::Bits32, 29, 2_147_483_647, true),
        (Prices::Bits32, 29, 2_147_483_648, false),
        (Prices::Bits32, 2_147_483_648, 108_500, false),
        (Prices::Bits32, 10, -2_147_483_649, false),
        (Prices::Bits64, 2_147_483_648, 15_012_300, true),
    ] {
        let connection = Connection::open_in_memory().unwrap();
        let mut store = SentraStore::of(connection, prices).unwrap();
        let row = trade_row(1, volume, price);
        let accounts = vec![account_row(1, 0)];
        let rows = Rows { accounts, trades: vec![row.clone()], snapshots: Vec::new() };
        assert_eq!(store.save(&rows).is_ok(), fits, "{prices:?} {volume} {price}");
        let stored = store.load().unwrap();
        let expected = if fits { rows } else { Rows::default() };
        assert_eq!(stored, expected, "all or nothing");
    }
}

#[test]
fn rows_of_the_same_id_are_replaced_and_snapshots_added() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SentraStore::open(folder.path(), Prices::Bits64).unwrap();
    let snapshot = SnapshotRow { account: 1, balance: 1, equity: 2, at: 3 };
    let mut rows = Rows {
        accounts: vec![account_row(1, 5)],
        trades: vec![trade_row(1, 10, 108_500), trade_row(2, 5, 125_000)],
        snapshots: vec![snapshot],
    };
    store.save(&rows).unwrap();
    let closed =
        TradeRow { close_price: Some(124_800), close_time: Some(9), ..trade_row(2, 5, 125_000) };
    let change = Rows {
        accounts: vec![account_row(1, 6)],
        trades: vec![closed.clone()],
        snapshots: vec![snapshot],
    };
    store.save(&change).unwrap();
    rows.accounts = change.accounts;
    rows.trades[1] = closed;
    rows.snapshots.push(snapshot);
    assert_eq!(store.load().unwrap(), rows);
}

#[test]
fn a_file_that_is_no_database_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), "this is no database, and long enough").unwrap();
    let error = SentraStore::open(folder.path(), Prices::Bits64).unwrap_err();
    assert!(format!("{error:#}").contains("sentra.db"), "{error:#}");
}
