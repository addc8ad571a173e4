//! Query and body read strictly, faults told in PyroMind's words.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::envelope::Failure;
use crate::sim::params::Query;
use crate::sim::world::pyromind::Resources;

/// One of `allowed` for a query parameter.
pub(super) fn choice<'a>(query: &'a Query, name: &str, allowed: &[&str]) -> Result<Option<&'a str>, Failure> {
    query.text(name).map(|value| one_of(name, value, allowed)).transpose()
}

fn one_of<'a>(name: &str, value: &'a str, allowed: &[&str]) -> Result<&'a str, Failure> {
    if allowed.contains(&value) {
        Ok(value)
    } else {
        Err(Failure::bad_request(format!("invalid {name} value (allowed: {})", allowed.join("/"))))
    }
}

/// A boolean query parameter.
pub(super) fn flag(query: &Query, name: &str, default: bool) -> Result<bool, Failure> {
    query.flag(name, default).map_err(|_| Failure::bad_request(format!("{name} must be boolean")))
}

/// A query parameter that counts from 1.
pub(super) fn positive(query: &Query, name: &str, default: u64) -> Result<u64, Failure> {
    let Some(value) = query.text(name) else { return Ok(default) };
    let number = value.parse().ok().filter(|number| *number >= 1);
    number.ok_or_else(|| Failure::bad_request(format!("{name} must be positive integer")))
}

/// A time in the query, past or not.
pub(super) fn instant(query: &Query, name: &str) -> Result<Option<Timestamp>, Failure> {
    let malformed = |_| Failure::bad_request(format!("{name} must be ISO 8601 time with offset"));
    query.text(name).map(|text| text.parse().map_err(malformed)).transpose()
}

/// A number in the query that is greater than 0.
pub(super) fn positive_number(query: &Query, name: &str) -> Result<Option<f64>, Failure> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| is_positive(*number));
    number.map(Some).ok_or_else(|| Failure::bad_request(format!("{name} must be positive")))
}

fn is_positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
}

/// The part of a list that `page` (from 1) and `page_size` (20 by default) ask for.
pub(super) struct Page {
    pub(super) number: u64,
    pub(super) size: u64,
}

impl Page {
    pub(super) fn read(query: &Query) -> Result<Self, Failure> {
        Ok(Self { number: positive(query, "page", 1)?, size: positive(query, "page_size", 20)? })
    }

    pub(super) fn cut<T>(&self, rows: Vec<T>) -> Vec<T> {
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let skipped = count((self.number - 1).saturating_mul(self.size));
        rows.into_iter().skip(skipped).take(count(self.size)).collect()
    }
}

/// Parses a body as a JSON object.
pub(super) fn parse_body(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    serde_json::from_slice(body).map_err(|_| Failure::bad_request("request body must be a JSON object"))
}

/// The fields of a JSON object and what messages say before their names. `null` counts as absent.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    prefix: &'static str,
}

impl<'a> Fields<'a> {
    pub(super) fn new(map: &'a Map<String, Value>) -> Self {
        Self { map, prefix: "" }
    }

    fn typed<T>(
        self,
        name: &str,
        demand: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let value = self.map.get(name).filter(|value| !value.is_null());
        let fault = || Failure::bad_request(format!("{}{name} must be {demand}", self.prefix));
        value.map(|value| read(value).ok_or_else(fault)).transpose()
    }

    /// For a field that must be there.
    pub(super) fn missing(self, name: &str) -> Failure {
        Failure::bad_request(format!("{}{name} is required", self.prefix))
    }

    /// A string; an empty one counts as absent.
    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, Failure> {
        Ok(self.typed(name, "string", Value::as_str)?.filter(|text| !text.is_empty()))
    }

    pub(super) fn required_text(self, name: &str) -> Result<&'a str, Failure> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// One of `allowed`, which must be there.
    pub(super) fn required_choice(self, name: &str, allowed: &[&str]) -> Result<&'a str, Failure> {
        one_of(name, self.required_text(name)?, allowed)
    }

    pub(super) fn positive(self, name: &str) -> Result<Option<u64>, Failure> {
        self.typed(name, "positive integer", |value| value.as_u64().filter(|number| *number >= 1))
    }

    /// A positive integer, which must be there.
    pub(super) fn required_positive(self, name: &str) -> Result<u64, Failure> {
        let absent = || Failure::bad_request(format!("{}{name} must be positive integer", self.prefix));
        self.positive(name)?.ok_or_else(absent)
    }

    pub(super) fn flag(self, name: &str) -> Result<bool, Failure> {
        Ok(self.typed(name, "boolean", Value::as_bool)?.unwrap_or(false))
    }

    pub(super) fn array(self, name: &str) -> Result<Option<&'a [Value]>, Failure> {
        self.typed(name, "array", |value| value.as_array().map(Vec::as_slice))
    }

    /// An array of strings.
    pub(super) fn texts(self, name: &str) -> Result<(), Failure> {
        let strings = |value: &Value| value.as_array()?.iter().all(Value::is_string).then_some(());
        self.typed(name, "array of strings", strings)?;
        Ok(())
    }

    /// An object inside this one, and what messages say before the names of its fields.
    pub(super) fn object(self, name: &str, prefix: &'static str) -> Result<Option<Self>, Failure> {
        Ok(self.typed(name, "object", Value::as_object)?.map(|map| Self { map, prefix }))
    }

    /// An object inside this one, which must be there.
    pub(super) fn required_object(self, name: &str, prefix: &'static str) -> Result<Self, Failure> {
        self.object(name, prefix)?.ok_or_else(|| self.missing(name))
    }

    /// An object of any fields.
    pub(super) fn map(self, name: &str) -> Result<Option<&'a Map<String, Value>>, Failure> {
        self.typed(name, "object", Value::as_object)
    }

    /// Every field.
    pub(super) fn all(self) -> &'a Map<String, Value> {
        self.map
    }

    /// A number greater than 0.
    pub(super) fn positive_number(self, name: &str) -> Result<Option<f64>, Failure> {
        self.typed(name, "positive", |value| value.as_f64().filter(|number| is_positive(*number)))
    }

    /// From 1 to 10; 5 when nobody says.
    pub(super) fn priority(self) -> Result<u64, Failure> {
        let read = |value: &Value| value.as_u64().filter(|number| (1..=10).contains(number));
        Ok(self.typed("priority", "integer from 1 to 10", read)?.unwrap_or(5))
    }

    /// A time that lies ahead of `at`.
    pub(super) fn future_time(self, name: &str, at: Timestamp) -> Result<Option<Timestamp>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let malformed = |_| Failure::bad_request(format!("{name} must be ISO 8601 time with offset"));
        let time: Timestamp = text.parse().map_err(malformed)?;
        if time > at {
            Ok(Some(time))
        } else {
            Err(Failure::bad_request(format!("{name} must be a future time")))
        }
    }
}

/// What a `resource_config` says; what it doesn't say is left to the operation.
pub(super) struct ResourceConfig {
    pub(super) cpu: Option<u64>,
    memory: Option<u64>,
    gpu: Option<u64>,
}

impl ResourceConfig {
    /// Reads `resource_config`, if it is there. Messages say `prefix` before the names of its fields.
    pub(super) fn read(body: Fields<'_>, prefix: &'static str) -> Result<Option<Self>, Failure> {
        let Some(fields) = body.object("resource_config", prefix)? else { return Ok(None) };
        Ok(Some(Self {
            cpu: fields.positive("cpu")?,
            memory: fields.positive("memory")?,
            gpu: fields.typed("gpu", "non-negative integer", Value::as_u64)?,
        }))
    }

    /// Reads a `resource_config` that must be there, with cpu and memory; without gpu it asks for none.
    pub(super) fn read_whole(body: Fields<'_>, prefix: &'static str) -> Result<Resources, Failure> {
        let config = Self::read(body, prefix)?.ok_or_else(|| body.missing("resource_config"))?;
        let positive = |name| Failure::bad_request(format!("{prefix}{name} must be positive integer"));
        Ok(Resources {
            cpu: config.cpu.ok_or_else(|| positive("cpu"))?,
            memory: config.memory.ok_or_else(|| positive("memory"))?,
            gpu: config.gpu.unwrap_or(0),
        })
    }

    /// `current` with what this says put over it.
    pub(super) fn over(&self, current: Resources) -> Resources {
        Resources {
            cpu: self.cpu.unwrap_or(current.cpu),
            memory: self.memory.unwrap_or(current.memory),
            gpu: self.gpu.unwrap_or(current.gpu),
        }
    }
}
