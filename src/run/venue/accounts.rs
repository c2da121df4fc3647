//! The test accounts of the served venues. They are made up, the same on every start, and of no
//! use anywhere else; the ready line prints them.

use crate::base::{Decimal, Fees, Plain, Secret, Span};
use crate::exchange::{self, AccountNumber, QueueModel};
use crate::simulator::flowbtc::{ApiKey, TestUser};
use crate::simulator::sentra::{Checks, store::Width};
use crate::simulator::{mercadobitcoin, sentra};

/// FlowBTC's first user: one password, one API key, no one-time code.
pub const FLOWBTC_USER: &str = "lunario";
pub const FLOWBTC_PASSWORD: &str = "paper-money";
pub const FLOWBTC_API_KEY: &str = "28c68ac3fcfafc3d4e8d653fe57e5baf";
pub const FLOWBTC_API_SECRET: &str = "5f1b2ac0d7e94d3a8c60e4b7219fd835";
pub const FLOWBTC_USER_ID: i64 = 5;
pub const FLOWBTC_ACCOUNT: i64 = 7;

/// FlowBTC's second user, who logs in with a password and a one-time code (FLOW-P09).
pub const FLOWBTC_SECOND_USER: &str = "lunario-2fa";
pub const FLOWBTC_SECOND_PASSWORD: &str = "paper-money-2fa";
pub const FLOWBTC_SECOND_API_KEY: &str = "9b0c64f2a1774de58f3ad2c5e8106b47";
pub const FLOWBTC_SECOND_API_SECRET: &str = "c3e85a71f0b24966a9d8174be25f60dc";
pub const FLOWBTC_SECOND_USER_ID: i64 = 6;
pub const FLOWBTC_SECOND_ACCOUNT: i64 = 8;
/// In base 32, as one-time-code programs take it.
pub const FLOWBTC_SECOND_TOTP: &str = "LUNAR7PAPER2MONEY4TESTS5ONLY6AAA";

/// Mercado Bitcoin's one user has two keys: they share his limit of requests and have tonces of
/// their own (MB-F17). 64 hexadecimal digits each (MB-R04).
pub const MERCADOBITCOIN_KEYS: [(&str, &str); 2] = [
    (
        "1b9e7d4c2f60a583e1c4d7b0928f3a6512c8e0f7a4b3d69578e2c1f0a9b8d7e6",
        "7c1f4e2a9d80b365f1a2c3d4e5b6978801f2e3d4c5b6a79880917263544536ab",
    ),
    (
        "e0d1c2b3a495867768594a3b2c1d0e0ff0e1d2c3b4a5968778695a4b3c2d1e0f",
        "3a5c7e90b1d2f4e6870918a2b3c4d5e6f70819293a4b5c6d7e8f90a1b2c3d4e5",
    ),
];
pub const MERCADOBITCOIN_ACCOUNT: i64 = 1;
/// The address that withdrawals may go to (MB-R11); the documentation's own.
pub const MERCADOBITCOIN_TRUSTED: &str = "1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww";

/// Sentra knows a user by his e-mail alone (SENTRA-R05).
pub const SENTRA_EMAIL: &str = "lunario@example.com";
/// Accounts that the user's subscription allows.
const SENTRA_ACCOUNTS: usize = 100;

/// The users of a served FlowBTC, each with this money.
#[must_use]
pub fn test_users(balances: Vec<(String, Decimal)>) -> Vec<TestUser> {
    let key = |id: &str, secret: &str| ApiKey { id: id.to_owned(), secret: Secret::new(secret) };
    vec![
        TestUser {
            user: FLOWBTC_USER.to_owned(),
            password: Secret::new(FLOWBTC_PASSWORD),
            user_id: FLOWBTC_USER_ID,
            account: AccountNumber(FLOWBTC_ACCOUNT),
            balances: balances.clone(),
            keys: vec![key(FLOWBTC_API_KEY, FLOWBTC_API_SECRET)],
            totp: None,
        },
        TestUser {
            user: FLOWBTC_SECOND_USER.to_owned(),
            password: Secret::new(FLOWBTC_SECOND_PASSWORD),
            user_id: FLOWBTC_SECOND_USER_ID,
            account: AccountNumber(FLOWBTC_SECOND_ACCOUNT),
            balances,
            keys: vec![key(FLOWBTC_SECOND_API_KEY, FLOWBTC_SECOND_API_SECRET)],
            totp: Some(Secret::new(FLOWBTC_SECOND_TOTP)),
        },
    ]
}

/// A served Mercado Bitcoin with its test user, at its own fees (MB-P10) or these.
#[must_use]
pub fn mercadobitcoin_config(
    balances: Vec<(String, Decimal)>,
    fees: Option<Fees>,
) -> mercadobitcoin::Config {
    let usual = Fees { maker: Decimal::new(3, 3), taker: Decimal::new(7, 3) };
    mercadobitcoin::Config {
        users: mercadobitcoin_users(balances),
        exchange: exchange::Config {
            instruments: mercadobitcoin::instruments(fees.unwrap_or(usual)),
            queue: QueueModel::RiskAverse,
            first_order_id: 1_000_001,
            first_trade_id: 1,
            wait_for_print: false,
        },
        tonce_window: None,
        skew: Span::ZERO,
        texts: mercadobitcoin::Texts::default(),
        faults: Vec::new(),
    }
}

/// A served Sentra with its test user: as its manual says, or as its published source does
/// (SENTRA-S01), which drops prices that do not fit 32 bits (SENTRA-P10).
#[must_use]
pub fn sentra_config(checks: Checks) -> sentra::Config {
    let width = match checks {
        Checks::Manual => Width::Wide,
        Checks::Source => Width::NarrowPrices,
    };
    sentra::Config {
        users: sentra_users(),
        checks,
        width,
        per_second: Some(1),
        rate_status: 429,
        faults: Vec::new(),
    }
}

/// The user of a served Mercado Bitcoin, with this money.
#[must_use]
pub fn mercadobitcoin_users(balances: Vec<(String, Decimal)>) -> Vec<mercadobitcoin::User> {
    let key = |(id, secret): (&str, &str)| mercadobitcoin::Key {
        id: id.to_owned(),
        secret: Secret::new(secret),
    };
    vec![mercadobitcoin::User {
        account: AccountNumber(MERCADOBITCOIN_ACCOUNT),
        keys: MERCADOBITCOIN_KEYS.into_iter().map(key).collect(),
        balances,
        trusted: vec![MERCADOBITCOIN_TRUSTED.to_owned()],
    }]
}

/// The user of a served Sentra.
#[must_use]
pub fn sentra_users() -> Vec<sentra::User> {
    vec![sentra::User { id: 1, email: Secret::new(SENTRA_EMAIL), accounts: Some(SENTRA_ACCOUNTS) }]
}

/// The accounts as the ready line tells them, FlowBTC's first user first.
#[must_use]
pub fn told(
    flowbtc: &[TestUser],
    mercadobitcoin: &[mercadobitcoin::User],
    sentra: &[sentra::User],
) -> Plain {
    let text = |text: &str| Plain::text(text);
    let mut rows = Vec::new();
    for user in flowbtc {
        let mut row = vec![
            ("venue", text("flowbtc")),
            ("user", text(&user.user)),
            ("password", text(user.password.expose())),
            ("user_id", Plain::Int(user.user_id)),
            ("account_id", Plain::Int(user.account.0)),
        ];
        if let Some(key) = user.keys.first() {
            row.push(("api_key", text(&key.id)));
            row.push(("secret", text(key.secret.expose())));
        }
        if let Some(totp) = &user.totp {
            row.push(("totp", text(totp.expose())));
        }
        rows.push(Plain::map(row));
    }
    for user in mercadobitcoin {
        rows.extend(user.keys.iter().map(|key| {
            Plain::map(vec![
                ("venue", text("mercadobitcoin")),
                ("account_id", Plain::Int(user.account.0)),
                ("key", text(&key.id)),
                ("secret", text(key.secret.expose())),
            ])
        }));
    }
    rows.extend(sentra.iter().map(|user| {
        Plain::map(vec![
            ("venue", text("sentra")),
            ("user_id", Plain::Int(user.id)),
            ("email", text(user.email.expose())),
        ])
    }));
    Plain::List(rows)
}
