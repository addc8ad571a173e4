//! A call's arguments as they may be shown: to the human who is asked, in previews and in the audit.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{HIDDEN, first, last4};
use crate::policy::hand_over::Handle;
use crate::policy::sweep::{Seen, Text};
use crate::spec::marks::{Kind, Mark, Shape};

/// A request keeps its form: a masked text becomes `****`, whatever its mark. The rest is swept for records and
/// previews; for the human who is asked it isn't, see [`super::ask_call`]. An exact text keeps the words that are
/// also somebody's name, so that a record tells which image was asked for.
pub(super) fn hide(shape: &Shape, value: &Value, seen: Option<&Seen>) -> Value {
    match (shape.mark, &shape.kind, value) {
        (Some(Mark::Last4), _, Value::String(text)) => last4(text).into(),
        (Some(Mark::First), _, Value::String(text)) => first(text).into(),
        // A handle tells nothing of its secret, and whoever is asked should see which one it is.
        (Some(Mark::Omit), _, Value::String(text)) if text.parse::<Handle>().is_ok() => value.clone(),
        (Some(Mark::EnvValues), _, Value::Object(object)) => {
            free(object.iter().map(|(key, _)| (key, HIDDEN.into())), seen)
        }
        (
            Some(
                Mark::Last4
                | Mark::First
                | Mark::Omit
                | Mark::HandOver
                | Mark::UrlToken
                | Mark::Link
                | Mark::PlainLink
                | Mark::EnvValues
                | Mark::EnvValue,
            ),
            _,
            _,
        ) => HIDDEN.into(),
        (Some(Mark::Joined) | None, Kind::Object(fields), Value::Object(object)) => Value::Object(
            object
                .iter()
                .map(|(name, value)| {
                    let shape = fields.iter().find(|(field, _)| field == name).map(|(_, shape)| shape);
                    (name.clone(), shape.map_or_else(|| HIDDEN.into(), |shape| hide(shape, value, seen)))
                })
                .collect(),
        ),
        (Some(Mark::Joined) | None, Kind::Map(item), Value::Object(object)) => {
            free(object.iter().map(|(key, value)| (key, hide(item, value, seen))), seen)
        }
        (Some(Mark::Joined) | None, Kind::List(item), Value::Array(items)) => {
            Value::Array(items.iter().map(|value| hide(item, value, seen)).collect())
        }
        (Some(Mark::Joined) | None, Kind::Text, Value::String(text)) if shape.exact => match seen {
            Some(seen) => seen.sweep(text, Text::Given, &mut BTreeMap::new()).into(),
            None => value.clone(),
        },
        (
            Some(Mark::Joined) | None,
            Kind::Object(_)
            | Kind::List(_)
            | Kind::Map(_)
            | Kind::Text
            | Kind::Integer
            | Kind::Number
            | Kind::Flag
            | Kind::Any,
            _,
        ) => sweep_untyped(value, seen),
    }
}

/// Sweeps a value of which no type says anything, keys included.
fn sweep_untyped(value: &Value, seen: Option<&Seen>) -> Value {
    match value {
        Value::Object(object) => {
            free(object.iter().map(|(key, value)| (key, sweep_untyped(value, seen))), seen)
        }
        Value::Array(items) => Value::Array(items.iter().map(|value| sweep_untyped(value, seen)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => match seen {
            Some(seen) => seen.sweep_value(value.clone(), &mut BTreeMap::new()),
            None => value.clone(),
        },
    }
}

fn free<'k>(entries: impl Iterator<Item = (&'k String, Value)>, seen: Option<&Seen>) -> Value {
    let mut shown = Map::new();
    for (key, value) in entries {
        match seen {
            Some(seen) => seen.insert_free(&mut shown, key, value, &mut BTreeMap::new()),
            None => drop(shown.insert(key.clone(), value)),
        }
    }
    Value::Object(shown)
}
