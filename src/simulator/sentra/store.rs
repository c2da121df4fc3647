//! Sentra's storage: integers of the venue's own scales, rounded as its JavaScript rounds
//! (SENTRA-R23 to R27, M01 to M03). Pure data; a shell may write it to a database.

use crate::base::{Time, decimal};
use std::collections::{BTreeMap, BTreeSet};

/// Volumes and prices are kept times these (SENTRA-R26).
pub const VOLUME_SCALE: i64 = 100;
pub const PRICE_SCALE: i64 = 100_000;

/// Balance snapshots kept for an account, oldest dropped first.
const SNAPSHOTS: usize = 10_000;

/// An account is written off this long after its last heartbeat (SENTRA-P12).
const SILENCE_MILLIS: i64 = 30 * 60 * 1_000;

/// What decides an account's money scale.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    Cent,
    Standard,
}

impl Kind {
    /// SENTRA-R24, in its order: the explicit type, then the server's name. The manual's third
    /// rule, known brokers, lists none.
    #[must_use]
    pub fn detect(account_type: Option<&str>, server: &str) -> Kind {
        let explicit = account_type.map(str::trim).filter(|text| !text.is_empty());
        match explicit.map(str::to_ascii_uppercase).as_deref() {
            Some("CENT") => Kind::Cent,
            Some("STANDARD") => Kind::Standard,
            Some(_) | None => {
                let server = server.to_lowercase();
                let cent = server.contains("cent") || server.contains("micro");
                if cent { Kind::Cent } else { Kind::Standard }
            }
        }
    }

    /// SENTRA-R23.
    #[must_use]
    pub const fn scale(self) -> i64 {
        match self {
            Kind::Cent => 10_000,
            Kind::Standard => 100,
        }
    }
}

/// How wide the columns are.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Width {
    /// As the manual says (SENTRA-R25).
    Wide,
    /// Prices and volumes of 32 bits, as in the published schema (SENTRA-P10).
    NarrowPrices,
}

/// `Math.round(value × scale)` in doubles: half goes toward plus infinity (SENTRA-T03). `None`
/// where the product is no number or does not fit 64 bits.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub fn scaled(value: f64, scale: i64) -> Option<i64> {
    let product = value * scale as f64;
    let floor = product.floor();
    let rounded = if product - floor >= 0.5 { floor + 1.0 } else { floor };
    // The doubles next to ±2^63 are exact, and 2^63 itself is out.
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded);
    fits.then_some(rounded as i64)
}

/// The same in exact arithmetic: what the integer should be (SENTRA-T01, T02).
#[must_use]
pub fn scaled_exactly(text: &str, scale: i64) -> Option<i64> {
    let value = decimal::parse(text).ok()?.checked_mul(scale.into())?;
    i64::try_from((value + decimal::Decimal::new(5, 1)).floor()).ok()
}

/// A price or volume in a column of this width.
#[must_use]
pub fn column(value: f64, scale: i64, width: Width) -> Option<i64> {
    let stored = scaled(value, scale)?;
    match width {
        Width::Wide => Some(stored),
        Width::NarrowPrices => i32::try_from(stored).ok().map(i64::from),
    }
}

/// SENTRA-M01. Money is scaled by `kind`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    pub id: i64,
    pub user: i64,
    /// Made by the server (SENTRA-R27).
    pub terminal: String,
    pub number: String,
    pub broker: String,
    pub server: String,
    pub name: String,
    pub platform: String,
    pub kind: Kind,
    pub balance: i64,
    pub equity: i64,
    pub margin_free: i64,
    pub leverage: i64,
    pub open_positions: i64,
    pub currency: String,
    pub last_heartbeat: Time,
    pub created: Time,
}

impl Account {
    /// Whether the venue shows the account as connected (SENTRA-P12).
    #[must_use]
    pub fn is_connected(&self, now: Time) -> bool {
        now.since(self.last_heartbeat).nanos() / 1_000_000 <= SILENCE_MILLIS
    }
}

/// SENTRA-M02: an open position while `close_time` is `None`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trade {
    pub id: i64,
    pub ticket: String,
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: &'static str,
    pub volume: i64,
    pub open_price: i64,
    /// The running price of an open position.
    pub current_price: Option<i64>,
    pub close_price: Option<i64>,
    pub open_time: Time,
    pub close_time: Option<Time>,
    pub profit: i64,
    pub commission: i64,
    pub swap: i64,
    pub updated: Time,
}

/// SENTRA-M03.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    pub balance: i64,
    pub equity: i64,
    pub at: Time,
}

/// An account is known by its user and its number (SENTRA-R08, P03).
pub type Identity = (i64, String);

/// Everything the venue keeps.
#[derive(Clone, Debug, Default)]
pub struct Store {
    accounts: BTreeMap<Identity, Account>,
    trades: BTreeMap<i64, BTreeMap<String, Trade>>,
    history: BTreeMap<i64, Vec<Snapshot>>,
    trade_ids: i64,
    changed: Changed,
}

/// What changed since it was last taken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    pub accounts: BTreeSet<Identity>,
    /// Account and ticket.
    pub trades: BTreeSet<(i64, String)>,
    /// New snapshots at the end of an account's history.
    pub snapshots: BTreeMap<i64, usize>,
}

impl Store {
    /// The store of an earlier run. Trades and snapshots go with their account's id.
    #[must_use]
    pub fn restored(
        accounts: Vec<Account>,
        trades: Vec<(i64, Trade)>,
        snapshots: Vec<(i64, Snapshot)>,
    ) -> Store {
        let mut store = Store::default();
        for account in accounts {
            store.accounts.insert((account.user, account.number.clone()), account);
        }
        for (account, trade) in trades {
            store.trade_ids = store.trade_ids.max(trade.id);
            store.trades.entry(account).or_default().insert(trade.ticket.clone(), trade);
        }
        for (account, snapshot) in snapshots {
            keep(store.history.entry(account).or_default(), snapshot);
        }
        store
    }

    /// What changed since the last call.
    pub fn take_changed(&mut self) -> Changed {
        std::mem::take(&mut self.changed)
    }

    /// A trade by its account and ticket.
    #[must_use]
    pub fn trade_of(&self, account: i64, ticket: &str) -> Option<&Trade> {
        self.trades.get(&account)?.get(ticket)
    }

    #[must_use]
    pub fn account(&self, identity: &Identity) -> Option<&Account> {
        self.accounts.get(identity)
    }

    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// An account's trades and positions, by ticket.
    pub fn trades(&self, account: i64) -> impl Iterator<Item = &Trade> {
        self.trades.get(&account).into_iter().flat_map(BTreeMap::values)
    }

    /// An account's balance over time, oldest first.
    #[must_use]
    pub fn history(&self, account: i64) -> &[Snapshot] {
        self.history.get(&account).map_or(&[], Vec::as_slice)
    }

    /// How many accounts a user has.
    #[must_use]
    pub fn count_of(&self, user: i64) -> usize {
        self.accounts.keys().filter(|(owner, _)| *owner == user).count()
    }

    /// A heartbeat: the account is made or changed, and one snapshot added (SENTRA-P03). The id,
    /// terminal and time of making of a known account stay.
    pub fn heartbeat(&mut self, mut account: Account) {
        let identity = (account.user, account.number.clone());
        let next = i64::try_from(self.accounts.len()).map_or(i64::MAX, |count| count + 1);
        let known = self.accounts.get(&identity);
        account.id = known.map_or(next, |known| known.id);
        if let Some(known) = known {
            account.created = known.created;
            account.terminal.clone_from(&known.terminal);
        } else {
            account.terminal = format!("T{:08}-{}", account.id, account.number);
        }
        let Account { balance, equity, last_heartbeat: at, .. } = account;
        let history = self.history.entry(account.id).or_default();
        keep(history, Snapshot { balance, equity, at });
        let fresh = self.changed.snapshots.entry(account.id).or_default();
        *fresh = (*fresh + 1).min(history.len());
        self.changed.accounts.insert(identity.clone());
        self.accounts.insert(identity, account);
    }

    /// A position or a closed trade, by its ticket (SENTRA-P03). A position that comes after its
    /// own close does not open it again.
    pub fn trade(&mut self, account: i64, mut trade: Trade) {
        let trades = self.trades.entry(account).or_default();
        if let Some(known) = trades.get(&trade.ticket) {
            trade.id = known.id;
            if known.close_time.is_some() && trade.close_time.is_none() {
                return;
            }
        } else {
            self.trade_ids += 1;
            trade.id = self.trade_ids;
        }
        self.changed.trades.insert((account, trade.ticket.clone()));
        trades.insert(trade.ticket.clone(), trade);
    }
}

fn keep(history: &mut Vec<Snapshot>, snapshot: Snapshot) {
    if history.len() == SNAPSHOTS {
        history.remove(0);
    }
    history.push(snapshot);
}
