//! `[grants.<strategy>]` and `[withdrawals]`: what a strategy may ask for beyond trading, and how
//! money may leave. Whether a call of that name exists is looked at where the calls are known.

use super::limits::Amount;
use crate::base::Decimal;
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};

/// `[grants.<strategy>]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    pub calls: BTreeSet<String>,
}

/// `[withdrawals]`: what withdrawals may do at all; nothing where nothing is said.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Withdrawals {
    /// Where money may go to.
    pub addresses: BTreeSet<String>,
    /// How much of an asset may leave in any 24 hours.
    #[serde(deserialize_with = "amounts")]
    pub per_day: BTreeMap<String, Decimal>,
}

fn amounts<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Decimal>, D::Error> {
    let read = BTreeMap::<String, Amount>::deserialize(from)?;
    Ok(read.into_iter().map(|(asset, amount)| (asset, amount.0)).collect())
}
