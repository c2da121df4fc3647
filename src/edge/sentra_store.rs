//! Sentra's tables in SQLite (SENTRA-M01 to M03): integers of the venue's own scales in BIGINT
//! columns (SENTRA-R25, R26), as the simulator's store has them. Rows are written as they change
//! and read back at the next start.

use anyhow::Context;
use rusqlite::{Connection, Row, params};
use std::path::Path;

/// The file inside the state folder.
pub const FILE: &str = "sentra.db";

/// How wide the columns of prices and volumes are.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Prices {
    /// BIGINT, as the manual says.
    Bits64,
    /// INT, as in the published schema (SENTRA-P10): what does not fit is refused.
    Bits32,
}

/// SENTRA-M01. Money is times 100, or 10,000 where `is_cent`. Times are Unix milliseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRow {
    pub id: i64,
    pub user: i64,
    pub terminal: String,
    pub number: String,
    pub broker: String,
    pub server: String,
    pub name: String,
    pub platform: String,
    pub is_cent: bool,
    pub balance: i64,
    pub equity: i64,
    pub margin_free: i64,
    pub leverage: i64,
    pub open_positions: i64,
    pub currency: String,
    pub last_heartbeat: i64,
    pub created: i64,
}

/// SENTRA-M02. Volumes are times 100, prices times 100,000.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TradeRow {
    pub id: i64,
    pub account: i64,
    pub ticket: String,
    pub symbol: String,
    pub is_buy: bool,
    pub volume: i64,
    pub open_price: i64,
    pub current_price: Option<i64>,
    pub close_price: Option<i64>,
    pub open_time: i64,
    pub close_time: Option<i64>,
    pub profit: i64,
    pub commission: i64,
    pub swap: i64,
    pub updated: i64,
}

/// SENTRA-M03.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct SnapshotRow {
    pub account: i64,
    pub balance: i64,
    pub equity: i64,
    pub at: i64,
}

/// Rows of the three tables.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    pub accounts: Vec<AccountRow>,
    pub trades: Vec<TradeRow>,
    pub snapshots: Vec<SnapshotRow>,
}

/// The open database.
#[derive(Debug)]
pub struct SentraStore {
    connection: Connection,
}

fn schema(prices: Prices) -> String {
    let (kind, check) = match prices {
        Prices::Bits64 => ("BIGINT", ""),
        Prices::Bits32 => (
            "INT",
            ", CHECK (max(volume, openPrice, ifnull(closePrice, 0), ifnull(currentPrice, 0)) \
             <= 2147483647), CHECK (min(volume, openPrice, ifnull(closePrice, 0), \
             ifnull(currentPrice, 0)) >= -2147483648)",
        ),
    };
    format!(
        "CREATE TABLE IF NOT EXISTS trading_accounts(
            id INTEGER PRIMARY KEY, userId BIGINT NOT NULL, terminalId TEXT NOT NULL,
            accountNumber TEXT NOT NULL, broker TEXT NOT NULL, server TEXT NOT NULL,
            accountName TEXT NOT NULL, platform TEXT NOT NULL, isCentAccount BOOLEAN NOT NULL,
            balance BIGINT NOT NULL DEFAULT 0, equity BIGINT NOT NULL DEFAULT 0,
            marginFree BIGINT NOT NULL DEFAULT 0, leverage BIGINT NOT NULL DEFAULT 0,
            openPositions BIGINT NOT NULL DEFAULT 0, currency TEXT NOT NULL,
            lastHeartbeat BIGINT NOT NULL, createdAt BIGINT NOT NULL,
            UNIQUE (userId, accountNumber));
        CREATE TABLE IF NOT EXISTS trades(
            id INTEGER PRIMARY KEY, accountId BIGINT NOT NULL REFERENCES trading_accounts(id),
            ticket TEXT NOT NULL, symbol TEXT NOT NULL, type TEXT NOT NULL,
            volume {kind} NOT NULL DEFAULT 0, openPrice {kind} NOT NULL DEFAULT 0,
            currentPrice {kind}, closePrice {kind}, openTime BIGINT NOT NULL, closeTime BIGINT,
            profit BIGINT NOT NULL DEFAULT 0, commission BIGINT NOT NULL DEFAULT 0,
            swap BIGINT NOT NULL DEFAULT 0, updatedAt BIGINT NOT NULL,
            UNIQUE (accountId, ticket){check});
        CREATE TABLE IF NOT EXISTS balance_history(
            id INTEGER PRIMARY KEY, accountId BIGINT NOT NULL REFERENCES trading_accounts(id),
            balance BIGINT NOT NULL DEFAULT 0, equity BIGINT NOT NULL DEFAULT 0,
            timestamp BIGINT NOT NULL);"
    )
}

const PUT_ACCOUNT: &str = "INSERT OR REPLACE INTO trading_accounts VALUES \
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
const PUT_TRADE: &str = "INSERT OR REPLACE INTO trades VALUES \
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
const PUT_SNAPSHOT: &str =
    "INSERT INTO balance_history(accountId, balance, equity, timestamp) VALUES (?1, ?2, ?3, ?4)";

impl SentraStore {
    /// Opens or makes the database of a state folder, which is made if it is missing.
    ///
    /// # Errors
    /// When the folder or the file cannot be made, or the file is no such database.
    pub fn open(folder: &Path, prices: Prices) -> anyhow::Result<SentraStore> {
        let file = folder.join(FILE);
        let opened = || -> anyhow::Result<SentraStore> {
            std::fs::create_dir_all(folder)?;
            let connection = Connection::open(&file)?;
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            SentraStore::of(connection, prices)
        };
        opened().with_context(|| format!("cannot open Sentra's tables in {}", file.display()))
    }

    fn of(connection: Connection, prices: Prices) -> anyhow::Result<SentraStore> {
        connection.execute_batch(&schema(prices))?;
        Ok(SentraStore { connection })
    }

    /// Writes what changed: all of it or nothing. Accounts and trades take the place of those with
    /// the same id; snapshots are added.
    ///
    /// # Errors
    /// When the disk does not take it, or a price does not fit its column.
    pub fn save(&mut self, rows: &Rows) -> anyhow::Result<()> {
        let change = self.connection.transaction()?;
        for row in &rows.accounts {
            change.prepare_cached(PUT_ACCOUNT)?.execute(params![
                row.id,
                row.user,
                row.terminal,
                row.number,
                row.broker,
                row.server,
                row.name,
                row.platform,
                row.is_cent,
                row.balance,
                row.equity,
                row.margin_free,
                row.leverage,
                row.open_positions,
                row.currency,
                row.last_heartbeat,
                row.created,
            ])?;
        }
        for row in &rows.trades {
            change.prepare_cached(PUT_TRADE)?.execute(params![
                row.id,
                row.account,
                row.ticket,
                row.symbol,
                if row.is_buy { "buy" } else { "sell" },
                row.volume,
                row.open_price,
                row.current_price,
                row.close_price,
                row.open_time,
                row.close_time,
                row.profit,
                row.commission,
                row.swap,
                row.updated,
            ])?;
        }
        for row in &rows.snapshots {
            let values = params![row.account, row.balance, row.equity, row.at];
            change.prepare_cached(PUT_SNAPSHOT)?.execute(values)?;
        }
        change.commit().context("cannot write Sentra's tables")
    }

    /// Everything that is stored, in the order of the ids.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(&self) -> anyhow::Result<Rows> {
        Ok(Rows {
            accounts: self.all("SELECT * FROM trading_accounts ORDER BY id", account)?,
            trades: self.all("SELECT * FROM trades ORDER BY id", trade)?,
            snapshots: self.all(
                "SELECT accountId, balance, equity, timestamp FROM balance_history ORDER BY id",
                snapshot,
            )?,
        })
    }

    fn all<T>(
        &self,
        query: &str,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> anyhow::Result<Vec<T>> {
        let mut found = self.connection.prepare(query)?;
        let rows = found.query_map([], read)?.collect::<rusqlite::Result<Vec<T>>>();
        rows.context("Sentra's tables cannot be read")
    }
}

fn account(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: row.get("id")?,
        user: row.get("userId")?,
        terminal: row.get("terminalId")?,
        number: row.get("accountNumber")?,
        broker: row.get("broker")?,
        server: row.get("server")?,
        name: row.get("accountName")?,
        platform: row.get("platform")?,
        is_cent: row.get("isCentAccount")?,
        balance: row.get("balance")?,
        equity: row.get("equity")?,
        margin_free: row.get("marginFree")?,
        leverage: row.get("leverage")?,
        open_positions: row.get("openPositions")?,
        currency: row.get("currency")?,
        last_heartbeat: row.get("lastHeartbeat")?,
        created: row.get("createdAt")?,
    })
}

fn trade(row: &Row<'_>) -> rusqlite::Result<TradeRow> {
    Ok(TradeRow {
        id: row.get("id")?,
        account: row.get("accountId")?,
        ticket: row.get("ticket")?,
        symbol: row.get("symbol")?,
        is_buy: row.get::<_, String>("type")? == "buy",
        volume: row.get("volume")?,
        open_price: row.get("openPrice")?,
        current_price: row.get("currentPrice")?,
        close_price: row.get("closePrice")?,
        open_time: row.get("openTime")?,
        close_time: row.get("closeTime")?,
        profit: row.get("profit")?,
        commission: row.get("commission")?,
        swap: row.get("swap")?,
        updated: row.get("updatedAt")?,
    })
}

fn snapshot(row: &Row<'_>) -> rusqlite::Result<SnapshotRow> {
    Ok(SnapshotRow {
        account: row.get(0)?,
        balance: row.get(1)?,
        equity: row.get(2)?,
        at: row.get(3)?,
    })
}

#[cfg(test)]
mod tests;
