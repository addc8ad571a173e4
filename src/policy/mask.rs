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

mod request;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::sweep::Seen;
use super::verdict::{CloudError, Existing, Raw};
use crate::spec::marks::{Kind, Mark, Shape};
use crate::spec::value::Detail;
use crate::spec::{Call, Tool};

/// What an empty or absent masked value shows (R-WS-27).
const EMPTY: &str = "N/A";
/// What a hidden value shows in requests.
const HIDDEN: &str = "****";

/// What may leave the process. Its one maker is `mask::mask`.
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
            note(call.tool().reply(), raw.open(), seen);
            let mut view = View { seen, redactions: &mut redactions, full: wants_full(call) };
            let shown = view.show(call.tool().reply(), raw.open());
            (if shown.is_object() { shown } else { json!({}) }, false)
        }
        Disclosure::Existing(existing) => {
            note(existing.tool.reply(), existing.reply.open(), seen);
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
    for name in error.denial.iter().flat_map(|denial| &denial.principal) {
        each_scalar(name.open(), &mut |text| seen.note(text));
    }
}

/// Notes every personal and secret value of a reply, shown or not, so that it is swept elsewhere. Where a
/// reply doesn't have the form that `shape` has, all that stands in place of masked fields is noted.
pub(super) fn note(shape: &Shape, value: &Value, seen: &mut Seen) {
    match (shape.mark, &shape.kind, value) {
        (Some(Mark::Last4 | Mark::First | Mark::Omit), _, _) => {
            each_scalar(value, &mut |text| seen.note(text));
        }
        (Some(Mark::EnvValues), _, _) => each_scalar(value, &mut |text| seen.note_setting(text)),
        (Some(Mark::Joined), _, _) => {}
        (None, Kind::Object(fields), Value::Object(object)) => {
            for (name, shape) in fields {
                if let Some(value) = object.get(name) {
                    note(shape, value, seen);
                }
            }
        }
        (None, Kind::List(item), Value::Array(items)) => {
            items.iter().for_each(|value| note(item, value, seen))
        }
        (None, Kind::Map(item), Value::Object(object)) => {
            object.values().for_each(|value| note(item, value, seen));
        }
        (None, Kind::List(item) | Kind::Map(item), _) => note(item, value, seen),
        (None, Kind::Object(_), Value::Array(items)) => {
            items.iter().for_each(|value| note(shape, value, seen))
        }
        (None, Kind::Object(fields), _) => fields.iter().for_each(|(_, shape)| note(shape, value, seen)),
        (None, Kind::Text | Kind::Integer | Kind::Number | Kind::Flag | Kind::Any, _) => {}
    }
}

fn each_scalar(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Number(number) => visit(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|value| each_scalar(value, visit)),
        Value::Object(object) => object.values().for_each(|value| each_scalar(value, visit)),
        Value::Null | Value::Bool(_) => {}
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
    seen: &'v Seen,
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
            (Kind::Map(item), Value::Object(object)) => {
                let mut shown = Map::new();
                for (key, value) in object {
                    let value = self.show(item, value);
                    if !value.is_null() {
                        self.seen.insert_free(&mut shown, key, value, self.redactions);
                    }
                }
                Value::Object(shown)
            }
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

    fn masked(&mut self, mark: Mark, shape: &Shape, value: &Value) -> Value {
        let text = match (mark, value) {
            (Mark::EnvValues, Value::Object(object)) => return self.env_values(object),
            (Mark::Joined, Value::Array(items)) => return self.joined(items),
            (_, Value::Null) => String::new(),
            (Mark::Last4 | Mark::First | Mark::Omit | Mark::Joined, Value::String(text)) => text.clone(),
            (Mark::Last4 | Mark::First | Mark::Omit | Mark::Joined, Value::Number(number)) => {
                number.to_string()
            }
            (Mark::Last4 | Mark::First | Mark::Omit | Mark::EnvValues | Mark::Joined, _) => {
                return self.drop(value);
            }
        };
        match mark {
            Mark::Last4 | Mark::First | Mark::Omit => {
                if !text.is_empty() {
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

    fn joined(&mut self, items: &[Value]) -> Value {
        let mut texts = Vec::new();
        for item in items {
            match item {
                Value::String(text) => texts.push(text.as_str()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    self.drop(item);
                }
            }
        }
        texts.join(", ").into()
    }

    fn env_values(&mut self, object: &Map<String, Value>) -> Value {
        let mut shown = Map::new();
        for key in object.keys() {
            self.count(Mark::EnvValues.name());
            self.seen.insert_free(&mut shown, key, HIDDEN.into(), self.redactions);
        }
        Value::Object(shown)
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

/// The arguments of `call` as they may be recorded and previewed.
pub(super) fn mask_call(call: &Call, seen: &Seen) -> MaskedCall {
    masked_call(call, Some(seen))
}

/// The arguments of `call` as they are shown to the human who is asked: secret fields are hidden, and nothing is
/// swept. The agent wrote these texts, so they tell it nothing; a sweep would let it hide a part of a command
/// from the one who agrees to it, behind `token=` or somebody's name.
pub(super) fn ask_call(call: &Call) -> MaskedCall {
    masked_call(call, None)
}

fn masked_call(call: &Call, seen: Option<&Seen>) -> MaskedCall {
    let shown = request::hide(call.tool().request(), &Value::Object(call.arguments().clone()), seen);
    let arguments = match shown {
        Value::Object(arguments) => arguments,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    MaskedCall { tool: call.tool(), arguments }
}
