//! A reply as its shape lets it be shown, swept text by text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::handing::{Hands, may_grant};
use super::untrusted::Texts;
use super::{HIDDEN, first, last4};
use crate::policy::hand_over::Deposit;
use crate::policy::plain::plain;
use crate::policy::sweep::{GONE, Seen, Text};
use crate::spec::marks::{Kind, Mark, Shape};

/// The most bytes of a free text that are shown.
const LONGEST_FREE: usize = 16 * 1024;
/// The most bytes of an exact text. A part of one would be another, and no identifier is this long.
const LONGEST_EXACT: usize = 8 * 1024;

/// What a status comes to, in the same words for every tool.
pub(super) const OUTCOME: &str = "outcome";

/// PyroMind calls the same success by two names (R-PM-030).
fn outcome(status: &Value) -> &'static str {
    match status.as_str() {
        Some("completed" | "success") => "succeeded",
        Some("failed") => "failed",
        Some(_) | None => "unknown",
    }
}

/// The view of one reply.
pub(super) struct View<'v> {
    seen: &'v Seen,
    redactions: &'v mut BTreeMap<String, u64>,
    full: bool,
    hands: Option<Hands<'v>>,
    texts: &'v mut Texts,
    field: String,
}

impl<'v> View<'v> {
    /// A view that sweeps what `seen` holds and counts in `redactions`; `full` shows all fields of a row.
    /// Secrets are left out, unless there are `hands` to take them.
    pub(super) const fn new(
        seen: &'v Seen,
        full: bool,
        redactions: &'v mut BTreeMap<String, u64>,
        hands: Option<Hands<'v>>,
        texts: &'v mut Texts,
    ) -> Self {
        Self { seen, redactions, full, hands, texts, field: String::new() }
    }

    /// The secrets that were taken.
    pub(super) fn into_deposits(self) -> Vec<Deposit> {
        self.hands.map(Hands::into_deposits).unwrap_or_default()
    }

    fn count(&mut self, label: &str) {
        *self.redactions.entry(label.to_owned()).or_default() += 1;
    }

    /// The value as `shape` lets it be shown; `Null` for what is dropped.
    pub(super) fn show(&mut self, shape: &Shape, value: &Value) -> Value {
        if let Some(mark) = shape.mark {
            return self.masked(mark, shape, value);
        }
        if shape.json.is_some() {
            return self.json_text(shape, value);
        }
        if let Some(shown) = self.texts.show(shape, value, self.seen, self.redactions) {
            return shown;
        }
        if shape.open {
            return self.open("", value);
        }
        match (&shape.kind, value) {
            (Kind::Object(fields), Value::Object(object)) => self.object(fields, object),
            (Kind::List(item), Value::Array(items)) => {
                // From its end, where the newest stands: there may not be room for all of its texts.
                let shown = items.iter().rev().map(|value| self.show(item, value));
                let mut shown: Vec<Value> = shown.filter(|value| !value.is_null()).collect();
                shown.reverse();
                Value::Array(shown)
            }
            (Kind::Map(item), Value::Object(object)) => {
                let mut shown = Map::new();
                for (key, value) in object {
                    let value = self.show(item, value);
                    if !value.is_null() {
                        let key = self.plain(key);
                        self.seen.insert_free(&mut shown, &key, value, self.redactions);
                    }
                }
                Value::Object(shown)
            }
            (Kind::Text, Value::String(text)) => self.text(shape, text),
            (Kind::Text, Value::Number(number)) => self.text(shape, &number.to_string()),
            (Kind::Text, Value::Bool(flag)) => self.text(shape, &flag.to_string()),
            (Kind::Flag, Value::Bool(_)) => value.clone(),
            (Kind::Integer | Kind::Number, Value::Number(_)) => {
                self.seen.sweep_value(value.clone(), self.redactions)
            }
            (Kind::Integer | Kind::Number, Value::String(text)) => self.number(text),
            (Kind::Flag, Value::String(text)) if text == "true" || text == "false" => (text == "true").into(),
            (_, Value::Null) => Value::Null,
            (
                Kind::Object(_)
                | Kind::List(_)
                | Kind::Map(_)
                | Kind::Text
                | Kind::Integer
                | Kind::Number
                | Kind::Flag
                | Kind::Any,
                _,
            ) => self.drop(value),
        }
    }

    fn text(&mut self, shape: &Shape, text: &str) -> Value {
        if shape.exact {
            return match text.len() {
                0..=LONGEST_EXACT => self.seen.sweep(text, Text::Exact, self.redactions).into(),
                _ => self.drop(&Value::from(text)),
            };
        }
        let text = self.plain(text);
        if text.len() <= LONGEST_FREE {
            return self.seen.sweep(&text, Text::Free, self.redactions).into();
        }
        let end = text.floor_char_boundary(LONGEST_FREE);
        let searched = text.get(..text.floor_char_boundary(2 * LONGEST_FREE)).unwrap_or_default();
        let shown = self.seen.sweep_until(searched, end, Text::Free, self.redactions);
        format!("{shown}… ({} more bytes)", text.len() - end).into()
    }

    /// What a text of JSON holds, masked by its own shape, as a text again.
    fn json_text(&mut self, shape: &Shape, value: &Value) -> Value {
        match shape.inside(value) {
            Some((inner, inside)) => match self.show(inner, &inside) {
                Value::Null => Value::Null,
                shown => shown.to_string().into(),
            },
            None if value.is_null() => Value::Null,
            None => self.drop(value),
        }
    }

    fn plain<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let (text, stripped) = plain(text);
        if stripped > 0 {
            *self.redactions.entry("stripped".to_owned()).or_default() += stripped;
        }
        text
    }

    /// A value of settings that no type describes, whose name is `name`: a text is read as what a program printed of
    /// it, for the name may say that it is a secret.
    fn open(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.seen.sweep_value(value.clone(), self.redactions)
            }
            Value::String(text) => {
                let text = self.plain(text);
                let lead = format!("{name}=");
                let swept = self.seen.sweep(&format!("{lead}{text}"), Text::Printed, self.redactions);
                swept.strip_prefix(&lead).unwrap_or(GONE).into()
            }
            Value::Array(items) => items.iter().map(|item| self.open(name, item)).collect(),
            Value::Object(object) => {
                let mut shown = Map::new();
                for (key, value) in object {
                    let value = self.open(key, value);
                    let key = self.plain(key);
                    self.seen.insert_free(&mut shown, &key, value, self.redactions);
                }
                Value::Object(shown)
            }
        }
    }

    fn number(&mut self, text: &str) -> Value {
        match serde_json::from_str::<serde_json::Number>(text) {
            Ok(number) => self.seen.sweep_value(Value::Number(number), self.redactions),
            Err(_) => self.drop(&Value::from(text)),
        }
    }

    /// What has no place in the shape isn't shown, only counted; an empty value isn't worth counting.
    fn drop(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(object) if object.is_empty() => return Value::Null,
            Value::Array(items) if items.is_empty() => return Value::Null,
            Value::Object(_)
            | Value::Array(_)
            | Value::String(_)
            | Value::Number(_)
            | Value::Bool(_)
            | Value::Null => {}
        }
        self.count("dropped");
        Value::Null
    }

    fn object(&mut self, fields: &[(String, Shape)], object: &Map<String, Value>) -> Value {
        let mut shown = Map::new();
        for (name, shape) in fields {
            let value = object.get(name).unwrap_or(&Value::Null);
            if shape.full_only && !self.full {
                continue;
            }
            let permitted =
                shape.only_if.as_ref().is_none_or(|other| object.get(other) == Some(&Value::Bool(true)));
            if !permitted {
                if !value.is_null() {
                    self.count(Mark::Omit.name());
                }
                continue;
            }
            name.clone_into(&mut self.field);
            let outcome = shape.outcome.then(|| outcome(value));
            let value = self.show(shape, value);
            if let Some(outcome) = outcome {
                shown.insert(OUTCOME.to_owned(), outcome.into());
            }
            if !value.is_null() {
                shown.insert(shape.label.clone().unwrap_or_else(|| name.clone()), value);
            }
        }
        for (name, value) in object {
            if !fields.iter().any(|(known, _)| known == name) {
                self.drop(value);
            }
        }
        Value::Object(shown)
    }

    fn masked(&mut self, mark: Mark, shape: &Shape, value: &Value) -> Value {
        let text = match (mark, value) {
            (Mark::EnvValues, Value::Object(object)) => return self.env_values(object),
            (Mark::Joined, Value::Array(items)) => return self.joined(shape, items),
            (Mark::EnvValues, Value::Null) => return Value::Null,
            (_, Value::Null) => String::new(),
            (Mark::EnvValues, _) => return self.drop(value),
            (
                Mark::Last4
                | Mark::First
                | Mark::Omit
                | Mark::HandOver
                | Mark::UrlToken
                | Mark::Link
                | Mark::PlainLink
                | Mark::EnvValue
                | Mark::Joined,
                value,
            ) => match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return self.drop(value),
            },
        };
        let shown = match mark {
            Mark::Last4 => last4(&text),
            Mark::First => first(&text),
            Mark::Joined if text.is_empty() => return Value::Null,
            Mark::Joined => return self.text(shape, &text),
            Mark::PlainLink if !may_grant(&text) && !text.is_empty() => return self.text(shape, &text),
            Mark::HandOver | Mark::UrlToken | Mark::Link if text.is_empty() => return Value::Null,
            Mark::Link => text.clone(),
            Mark::HandOver | Mark::UrlToken => match &mut self.hands {
                Some(hands) if mark == Mark::HandOver => hands.take(&self.field, &text),
                Some(hands) => hands.take_link(&self.field, &text, self.seen),
                None => {
                    self.count(mark.name());
                    return Value::Null;
                }
            },
            Mark::Omit | Mark::PlainLink | Mark::EnvValue | Mark::EnvValues => {
                if !text.is_empty() {
                    self.count(mark.name());
                }
                return Value::Null;
            }
        };
        if !text.is_empty() {
            self.count(mark.name());
        }
        if text.is_empty() && shape.label.is_none() { Value::Null } else { shown.into() }
    }

    fn joined(&mut self, shape: &Shape, items: &[Value]) -> Value {
        let mut texts = Vec::new();
        for item in items {
            match item {
                Value::String(text) => texts.push(text.as_str()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    self.drop(item);
                }
            }
        }
        self.text(shape, &texts.join(", "))
    }

    fn env_values(&mut self, object: &Map<String, Value>) -> Value {
        let mut shown = Map::new();
        for key in object.keys() {
            self.count(Mark::EnvValues.name());
            let key = self.plain(key);
            self.seen.insert_free(&mut shown, &key, HIDDEN.into(), self.redactions);
        }
        Value::Object(shown)
    }
}
