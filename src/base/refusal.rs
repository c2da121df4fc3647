//! A refusal: the business "no". Data, not an error: it goes to the script as an order's reason.

use std::fmt;

/// A machine-readable reason: a code and its facts, shown as `CODE key=value …`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// `CATEGORY_CONDITION`: `LIMIT_MAX_POSITION`, `ORDER_BAD_PRICE`, `VENUE_NOT_READY`.
    pub code: &'static str,
    pub facts: Vec<(&'static str, String)>,
}

impl Refusal {
    #[must_use]
    pub fn new(code: &'static str) -> Refusal {
        Refusal { code, facts: Vec::new() }
    }

    /// The same refusal with one more fact.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Refusal {
        self.facts.push((key, value.to_string()));
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)?;
        for (key, value) in &self.facts {
            write!(f, " {key}={value}")?;
        }
        Ok(())
    }
}
