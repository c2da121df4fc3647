//! `[limits]` for every strategy, and `[limits.<strategy>]` in its place key by key.

use crate::base::{Decimal, decimal};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// Limits as configured; `None` where nothing is said.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// The largest quantity of one order, in the base asset.
    pub max_order_qty: Option<Decimal>,
    /// The largest price × quantity of one order, in the quote asset.
    pub max_order_notional: Option<Decimal>,
    /// The largest position, long or short, in the base asset.
    pub max_position: Option<Decimal>,
    pub max_open_orders: Option<usize>,
    pub max_orders_per_minute: Option<usize>,
}

/// The limits of all strategies, and what single ones have instead.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LimitsSection {
    pub every: Limits,
    pub strategies: BTreeMap<String, Limits>,
}

impl LimitsSection {
    /// The limits of one strategy: its own where it has them, else those of all.
    #[must_use]
    pub fn of(&self, strategy: &str) -> Limits {
        let own = self.strategies.get(strategy).copied().unwrap_or_default();
        let every = self.every;
        Limits {
            max_order_qty: own.max_order_qty.or(every.max_order_qty),
            max_order_notional: own.max_order_notional.or(every.max_order_notional),
            max_position: own.max_position.or(every.max_position),
            max_open_orders: own.max_open_orders.or(every.max_open_orders),
            max_orders_per_minute: own.max_orders_per_minute.or(every.max_orders_per_minute),
        }
    }
}

const KEYS: &[&str] = &[
    "max_order_qty",
    "max_order_notional",
    "max_position",
    "max_open_orders",
    "max_orders_per_minute",
];

impl Limits {
    /// Takes one key; false if it is not known.
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "max_order_qty" => self.max_order_qty = Some(map.next_value::<Amount>()?.0),
            "max_order_notional" => self.max_order_notional = Some(map.next_value::<Amount>()?.0),
            "max_position" => self.max_position = Some(map.next_value::<Amount>()?.0),
            "max_open_orders" => self.max_open_orders = Some(map.next_value()?),
            "max_orders_per_minute" => self.max_orders_per_minute = Some(map.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// An amount that is not negative, written as text.
pub(super) struct Amount(pub(super) Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Amount, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount as text, such as \"0.5\", so that it stays exact")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                match decimal::parse(text) {
                    Ok(value) if value < Decimal::ZERO => {
                        Err(E::custom(format!("`{text}` is negative; a limit is a size")))
                    }
                    Ok(value) => Ok(Amount(value)),
                    Err(error) => Err(E::custom(error)),
                }
            }
        }
        from.deserialize_any(Text)
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Limits, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Limits;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of limits")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Limits, A::Error> {
                let mut limits = Limits::default();
                while let Some(key) = map.next_key::<String>()? {
                    if !limits.take(&key, &mut map)? {
                        return Err(A::Error::unknown_field(&key, KEYS));
                    }
                }
                Ok(limits)
            }
        }
        from.deserialize_map(Table)
    }
}

/// What stands under a key of `[limits]` that is no limit: a strategy's table, or a mistake.
enum Entry {
    Strategy(Limits),
    Mistake,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Entry, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a strategy's table of limits")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                Limits::deserialize(MapAccessDeserializer::new(map)).map(Entry::Strategy)
            }

            fn visit_str<E>(self, _: &str) -> Result<Entry, E> {
                Ok(Entry::Mistake)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Entry, E> {
                Ok(Entry::Mistake)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Entry, E> {
                Ok(Entry::Mistake)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Entry, E> {
                Ok(Entry::Mistake)
            }
        }
        from.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for LimitsSection {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<LimitsSection, D::Error> {
        struct Section;
        impl<'de> Visitor<'de> for Section {
            type Value = LimitsSection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("limits, and tables of limits named after strategies")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LimitsSection, A::Error> {
                let mut section = LimitsSection::default();
                while let Some(key) = map.next_key::<String>()? {
                    if section.every.take(&key, &mut map)? {
                        continue;
                    }
                    match map.next_value()? {
                        Entry::Strategy(limits) => drop(section.strategies.insert(key, limits)),
                        Entry::Mistake => return Err(A::Error::unknown_field(&key, KEYS)),
                    }
                }
                Ok(section)
            }
        }
        from.deserialize_map(Section)
    }
}
