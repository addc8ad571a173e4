//! Masking: what a reply, an answer, a refusal or an error may show.
//!
//! A reply is an allow-list: the [`Shape`] of the tool's reply type says which fields exist, how each is
//! masked and under which name it is shown. What isn't in the shape is dropped, and counted. Everything that
//! leaves, whatever it was, is swept at last.
//!
//! Nobody else makes a [`Masked`]:
//!
//! ```compile_fail,E0451
//! let forged = redline_mcp::policy::mask::Masked {
//!     body: serde_json::json!({"UserId": "1095312831785714"}),
//!     is_error: false,
//!     redactions: Default::default(),
//! };
//! ```

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::sweep::Seen;
use super::verdict::{CloudError, Existing, Raw, Refusal};
use crate::spec::marks::{Kind, Mark, Shape};
use crate::spec::value::Detail;
use crate::spec::{Call, Tool};

/// What an empty or absent masked value shows (R-WS-27).
const EMPTY: &str = "N/A";
/// What a hidden value shows in requests.
const HIDDEN: &str = "****";

/// What may leave the process. Its one maker is this module's `finish`.
#[derive(Debug, PartialEq)]
pub struct Masked {
    body: Value,
    is_error: bool,
    redactions: BTreeMap<String, u64>,
}

impl Masked {
    /// The content: an object.
    pub const fn body(&self) -> &Value {
        &self.body
    }

    /// Whether it tells of a refusal or a failure.
    pub const fn is_error(&self) -> bool {
        self.is_error
    }

    /// How many values were masked, by mask; fields dropped as `dropped`, texts swept as `swept`.
    pub const fn redactions(&self) -> &BTreeMap<String, u64> {
        &self.redactions
    }
}

/// What is to be shown.
pub enum Disclosure<'d> {
    /// A cloud's reply to a call.
    Reply(&'d Call, &'d Raw),
    /// Something that exists already.
    Existing(&'d Existing),
    /// A refusal.
    Refusal(&'d Refusal),
}

/// A call's arguments as they may be shown: to the human who is asked, in previews and in the audit.
pub struct MaskedCall {
    tool: &'static Tool,
    arguments: Map<String, Value>,
}

impl MaskedCall {
    /// The tool called.
    pub const fn tool(&self) -> &'static Tool {
        self.tool
    }

    /// The arguments, secrets hidden.
    pub const fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }
}

/// Masks what is to be shown, learns what to sweep from it, and sweeps.
pub(super) fn mask(disclosure: &Disclosure<'_>, seen: &mut Seen) -> Masked {
    let mut redactions = BTreeMap::new();
    let (body, is_error) = match disclosure {
        Disclosure::Reply(call, raw) => {
            let mut view = View { seen, redactions: &mut redactions, full: wants_full(call) };
            (view.show(call.tool().reply(), raw.open()), false)
        }
        Disclosure::Existing(existing) => {
            let mut view = View { seen, redactions: &mut redactions, full: true };
            let shown = view.show(existing.tool.reply(), existing.reply.open());
            let id = shown.get("Workspace ID").cloned().unwrap_or(Value::Null);
            (
                json!({ "Workspace ID": id, "Already Existed": true, "Note": existing.note, "Existing": shown }),
                false,
            )
        }
        Disclosure::Refusal(refusal) => (serde_json::to_value(refusal).unwrap_or_default(), true),
    };
    let body = seen.sweep_value(body, &mut redactions);
    Masked { body, is_error, redactions }
}

fn wants_full(call: &Call) -> bool {
    let local = call.arguments().get("detail").cloned();
    matches!(local.and_then(|detail| serde_json::from_value(detail).ok()), Some(Detail::Full))
}

/// Notes whom a cloud's error names, so that they are swept out of its words too.
pub(super) fn note_principals(error: &CloudError, seen: &mut Seen) {
    for name in
        error.denial.iter().flat_map(|denial| &denial.principal).filter_map(|name| name.open().as_str())
    {
        seen.note(name);
    }
}

/// What a tool's masked reply looks like, as a JSON schema.
pub fn schema(tool: &Tool) -> Value {
    shown_schema(tool.reply())
}

fn shown_schema(shape: &Shape) -> Value {
    match (shape.mark, &shape.kind) {
        (Some(Mark::Last4 | Mark::First | Mark::Joined), _) => json!({ "type": "string" }),
        (Some(Mark::EnvValues), _) => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        (Some(Mark::Omit), _) | (None, Kind::Any) => Value::Null,
        (None, Kind::Text) => json!({ "type": "string" }),
        (None, Kind::Integer) => json!({ "type": "integer" }),
        (None, Kind::Number) => json!({ "type": "number" }),
        (None, Kind::Flag) => json!({ "type": "boolean" }),
        (None, Kind::List(item)) => json!({ "type": "array", "items": shown_schema(item) }),
        (None, Kind::Map(item)) => match shown_schema(item) {
            Value::Null => Value::Null,
            values => json!({ "type": "object", "additionalProperties": values }),
        },
        (None, Kind::Object(fields)) => {
            let properties: Map<String, Value> = fields
                .iter()
                .map(|(name, shape)| {
                    (shape.label.clone().unwrap_or_else(|| name.clone()), shown_schema(shape))
                })
                .filter(|(_, schema)| !schema.is_null())
                .collect();
            json!({ "type": "object", "properties": properties })
        }
    }
}

/// The view of one reply.
struct View<'v> {
    seen: &'v mut Seen,
    redactions: &'v mut BTreeMap<String, u64>,
    full: bool,
}

impl View<'_> {
    fn count(&mut self, label: &str) {
        *self.redactions.entry(label.to_owned()).or_default() += 1;
    }

    /// The value as `shape` lets it be shown; `Null` for what is dropped.
    fn show(&mut self, shape: &Shape, value: &Value) -> Value {
        if let Some(mark) = shape.mark {
            return self.masked(mark, shape, value);
        }
        match (&shape.kind, value) {
            (Kind::Object(fields), Value::Object(object)) => self.object(fields, object),
            (Kind::List(item), Value::Array(items)) => Value::Array(
                items.iter().map(|value| self.show(item, value)).filter(|value| !value.is_null()).collect(),
            ),
            (Kind::Map(item), Value::Object(object)) => Value::Object(
                object
                    .iter()
                    .map(|(key, value)| (key.clone(), self.show(item, value)))
                    .filter(|(_, value)| !value.is_null())
                    .collect(),
            ),
            (Kind::Text, Value::String(_)) | (Kind::Flag, Value::Bool(_)) => value.clone(),
            (Kind::Text, Value::Number(number)) => number.to_string().into(),
            (Kind::Text, Value::Bool(flag)) => flag.to_string().into(),
            (Kind::Integer | Kind::Number, Value::Number(_)) => value.clone(),
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

    fn number(&mut self, text: &str) -> Value {
        match serde_json::from_str::<serde_json::Number>(text) {
            Ok(number) => Value::Number(number),
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
                self.learn(shape, value);
                continue;
            }
            let value = self.show(shape, value);
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

    /// Notes what a field holds that isn't shown, so that it is swept elsewhere.
    fn learn(&mut self, shape: &Shape, value: &Value) {
        if shape.mark.is_some() && !value.is_null() {
            self.show(shape, value);
        }
    }

    fn masked(&mut self, mark: Mark, shape: &Shape, value: &Value) -> Value {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null => String::new(),
            Value::Object(object) if mark == Mark::EnvValues => return self.env_values(object),
            Value::Array(items) if mark == Mark::Joined => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                return items.join(", ").into();
            }
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => return self.drop(value),
        };
        match mark {
            Mark::Last4 | Mark::First | Mark::Omit => {
                if !text.is_empty() {
                    self.seen.note(&text);
                    self.count(mark.name());
                }
                let shown = match mark {
                    Mark::Last4 => last4(&text),
                    Mark::First => first(&text),
                    Mark::Omit | Mark::EnvValues | Mark::Joined => return Value::Null,
                };
                if text.is_empty() && shape.label.is_none() { Value::Null } else { shown.into() }
            }
            Mark::EnvValues => Value::Null,
            Mark::Joined => {
                if text.is_empty() {
                    Value::Null
                } else {
                    text.into()
                }
            }
        }
    }

    fn env_values(&mut self, object: &Map<String, Value>) -> Value {
        for value in object.values().filter_map(Value::as_str) {
            self.seen.note_setting(value);
            self.count(Mark::EnvValues.name());
        }
        Value::Object(object.keys().map(|key| (key.clone(), HIDDEN.into())).collect())
    }
}

/// The last four characters, or none of a text that short (R-WS-10).
fn last4(text: &str) -> String {
    let length = text.chars().count();
    match length {
        0 => EMPTY.to_owned(),
        1..=4 => HIDDEN.to_owned(),
        _ => text.chars().skip(length - 4).fold(HIDDEN.to_owned(), |mut shown, character| {
            shown.push(character);
            shown
        }),
    }
}

/// The first character; of an account, the domain goes too (R-WS-12, R-WS-13).
fn first(text: &str) -> String {
    text.chars().next().map_or_else(|| EMPTY.to_owned(), |character| format!("{character}***"))
}

/// The arguments of `call` as they may be shown.
pub(super) fn mask_call(call: &Call, seen: &Seen) -> MaskedCall {
    let shown = hide(call.tool().request(), &Value::Object(call.arguments().clone()));
    let shown = seen.sweep_value(shown, &mut BTreeMap::new());
    let arguments = match shown {
        Value::Object(arguments) => arguments,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    MaskedCall { tool: call.tool(), arguments }
}

/// A request keeps its form: a masked text becomes `****`, whatever its mark.
fn hide(shape: &Shape, value: &Value) -> Value {
    match (&shape.kind, shape.mark, value) {
        (_, Some(Mark::EnvValues), Value::Object(object)) => {
            Value::Object(object.keys().map(|key| (key.clone(), HIDDEN.into())).collect())
        }
        (_, Some(Mark::Last4), Value::String(text)) => last4(text).into(),
        (_, Some(Mark::First), Value::String(text)) => first(text).into(),
        (_, Some(Mark::Omit), _) => HIDDEN.into(),
        (Kind::Object(fields), _, Value::Object(object)) => Value::Object(
            object
                .iter()
                .map(|(name, value)| {
                    let shape = fields.iter().find(|(field, _)| field == name).map(|(_, shape)| shape);
                    (name.clone(), shape.map_or_else(|| value.clone(), |shape| hide(shape, value)))
                })
                .collect(),
        ),
        (Kind::List(item), _, Value::Array(items)) => {
            Value::Array(items.iter().map(|value| hide(item, value)).collect())
        }
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
            _,
        ) => value.clone(),
    }
}
