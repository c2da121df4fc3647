//! Sentra's bodies as its server reads them: JSON of any shape, or a form for the flat heartbeat
//! (SENTRA-R03, R04); and its two kinds of reply.

use crate::base::Time;
use crate::simulator::http::{HttpIn, Page};
use crate::simulator::json::Object;
use serde_json::Value;

/// A body, or an object inside one.
#[derive(Clone, Debug)]
pub struct Body(Value);

impl Body {
    /// `None` for a body that is neither.
    #[must_use]
    pub fn parse(request: &HttpIn) -> Option<Body> {
        if request.is_form() {
            let pairs = form_urlencoded::parse(&request.body);
            let fields = pairs.map(|(key, text)| (key.into_owned(), Value::from(&*text)));
            return Some(Body(Value::Object(fields.collect())));
        }
        let value: Value = serde_json::from_slice(&request.body).ok()?;
        value.is_object().then_some(Body(value))
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A text, or a number as a text; `None` for an empty one, which JavaScript takes for absent.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        let text = match self.get(key)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// `parseFloat` of a number or a text: the longest beginning that is one; NaN for none.
    #[must_use]
    pub fn number(&self, key: &str) -> f64 {
        match self.get(key) {
            Some(Value::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
            Some(Value::String(text)) => parse_float(text),
            _ => f64::NAN,
        }
    }

    /// The same, and zero where it is absent or no number.
    #[must_use]
    pub fn number_or_zero(&self, key: &str) -> f64 {
        let number = self.number(key);
        if number.is_nan() { 0.0 } else { number }
    }

    /// Whether the value is a JSON number.
    #[must_use]
    pub fn is_number(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Value::Number(_)))
    }

    /// The items of an array; items that are no objects have no fields.
    #[must_use]
    pub fn items(&self, key: &str) -> Option<Vec<Body>> {
        let Some(Value::Array(items)) = self.get(key) else { return None };
        Some(items.iter().cloned().map(Body).collect())
    }

    /// A time as JavaScript's `new Date` reads it: with an offset as it says, without one on a
    /// server whose zone is UTC (SENTRA-P08, T05). Dashes or dots part the date.
    #[must_use]
    pub fn time(&self, key: &str) -> Option<Time> {
        let text = self.text(key)?;
        let text = text.trim();
        let day = text.get(..10)?.replace('.', "-");
        let text = format!("{day}{}", text.get(10..)?.replacen(' ', "T", 1));
        let stamp = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let local = text.parse::<jiff::civil::DateTime>().ok()?;
            Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
        })?;
        i64::try_from(stamp.as_nanosecond()).ok().map(Time::from_nanos)
    }
}

/// JavaScript's `parseFloat` for decimal texts.
#[must_use]
pub fn parse_float(text: &str) -> f64 {
    let text = text.trim_start();
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let mut end = text.find(|c| !numeric(c)).unwrap_or(text.len()).min(64);
    while end > 0 {
        if let Some(number) = text.get(..end).and_then(|start| start.parse().ok()) {
            return number;
        }
        end -= 1;
    }
    f64::NAN
}

/// SENTRA-R21.
#[must_use]
pub fn success(message: &str) -> Page {
    Page::json(200, Object::new().flag("success", true).text("message", message).end())
}

/// SENTRA-R22.
#[must_use]
pub fn failure(status: u16, error: &str) -> Page {
    Page::json(status, Object::new().flag("success", false).text("error", error).end())
}

/// The account limit's failure, with its two counts (SENTRA-P06).
#[must_use]
pub fn too_many_accounts(current: usize, most: usize) -> Page {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let body = Object::new()
        .flag("success", false)
        .text("error", "Limite de contas atingido")
        .text("message", "Faça upgrade da sua assinatura para conectar mais contas.")
        .int("currentCount", count(current))
        .int("maxAccounts", count(most))
        .end();
    Page::json(403, body)
}
