//! JSON schemas that every client takes: inlined, flat, without composition, `null` or `$ref`.
//!
//! schemars describes the Rust types; [`generate`] normalises what it makes. From that come two faces: the
//! full schema, which validates calls and is published in `tool-schemas/`, and the advertised one of
//! `tools/list`, in which deep, rarely used models are plain objects. Calls are checked in `validate`.

mod validate;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::value::{INSTANT_FORMAT, REGION_FORMAT};
pub use validate::{Validator, fits};

/// The normalised schema of `T`, marks included.
pub fn generate<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Value::Object(root) = &mut schema {
        root.remove("title");
    }
    normalise(&mut schema);
    schema
}

/// Rewrites what schemars makes of `Option`, enums and nested types into plain, flat schemas.
fn normalise(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    for keyword in ["anyOf", "oneOf"] {
        if let Some(Value::Array(options)) = object.remove(keyword) {
            merge_options(object, options);
        }
    }
    if let Some(Value::Array(types)) = object.get("type")
        && let Some(only) = types.iter().find(|kind| *kind != "null").cloned()
    {
        object.insert("type".to_owned(), only);
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    match object.get("format").and_then(Value::as_str) {
        Some(REGION_FORMAT | INSTANT_FORMAT) | None => {}
        Some(_) => {
            object.remove("format");
        }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(normalise);
    }
    for keyword in ["items", "additionalProperties", "x-json"] {
        if let Some(inner) = object.get_mut(keyword) {
            normalise(inner);
        }
    }
}

/// `anyOf: [X, null]` is X; a list of constants is an enum.
fn merge_options(object: &mut Map<String, Value>, options: Vec<Value>) {
    let mut constants = Vec::new();
    for option in options {
        let Value::Object(mut option) = option else { continue };
        if option.get("type").is_some_and(|kind| kind == "null") {
            continue;
        }
        if let Some(constant) = option.remove("const") {
            constants.push(constant);
            object.entry("type").or_insert_with(|| "string".into());
            continue;
        }
        if let Some(Value::Array(values)) = option.remove("enum") {
            constants.extend(values);
        }
        for (keyword, value) in option {
            object.entry(keyword).or_insert(value);
        }
    }
    if !constants.is_empty() {
        object.insert("enum".to_owned(), Value::Array(constants));
    }
}

/// A tool's description and both faces of its argument schema.
pub struct Schema {
    /// What the agent reads.
    pub description: String,
    /// Every documented field, nested models whole.
    pub full: Value,
    /// What `tools/list` shows.
    pub advertised: Value,
}

impl Schema {
    /// Both faces of `generated`, the schema of `tool`'s request.
    pub fn of(tool: &str, generated: &Value) -> Self {
        let mut full = generated.clone();
        let description = match &mut full {
            Value::Object(object) => object.remove("description"),
            _ => None,
        };
        let mut advertised = full.clone();
        fold(&mut advertised, tool);
        publish(&mut advertised);
        publish(&mut full);
        Self {
            description: description.and_then(|text| Some(one_line(text.as_str()?))).unwrap_or_default(),
            full,
            advertised,
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Shows every model marked `x-folded` as a plain object that names the whole.
fn fold(schema: &mut Value, tool: &str) {
    let Value::Object(object) = schema else { return };
    if object.get("x-folded").is_some_and(|folded| folded == true) {
        let about = object.get("description").and_then(Value::as_str).map(one_line);
        let whole = format!("Whole schema: resource redline://schemas/{tool}.");
        object.retain(|keyword, _| keyword == "type");
        if object.get("type").is_some_and(|kind| kind == "array") {
            object.insert("items".to_owned(), serde_json::json!({ "type": "object" }));
        }
        let description = about.map_or_else(|| whole.clone(), |about| format!("{about} {whole}"));
        object.insert("description".to_owned(), description.into());
        return;
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(|schema| fold(schema, tool));
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(keyword) {
            fold(inner, tool);
        }
    }
}

/// Takes out what is ours: marks, labels, formats; and `uniqueItems`, on which some clients fail.
fn publish(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    let ours = ["title", "format", "uniqueItems"];
    object.retain(|keyword, _| !keyword.starts_with("x-") && !ours.contains(&keyword.as_str()));
    if let Some(Value::String(description)) = object.get_mut("description") {
        *description = one_line(description);
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(publish);
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(keyword) {
            publish(inner);
        }
    }
}

#[cfg(test)]
mod tests;
