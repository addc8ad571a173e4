//! JSON schemas that every client takes: inlined, flat, without composition, `null` or `$ref`.
//!
//! schemars describes the Rust types; [`generate`] normalises what it makes. From that come two faces: the
//! full schema, which validates calls and is published in `tool-schemas/`, and the advertised one of
//! `tools/list`, in which deep, rarely used models are plain objects.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::value::{REGION_FORMAT, is_region};
use crate::error::Fault;

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
        Some(REGION_FORMAT) | None => {}
        Some(_) => {
            object.remove("format");
        }
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(normalise);
    }
    for keyword in ["items", "additionalProperties"] {
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

/// Takes out what is ours: marks, labels, formats.
fn publish(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    object.retain(|keyword, _| !keyword.starts_with("x-") && keyword != "title" && keyword != "format");
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

/// Checks arguments against a full schema and words the faults without their values.
pub struct Validator {
    schema: Value,
    compiled: jsonschema::Validator,
}

impl Validator {
    /// The validator of `schema`, if it compiles.
    pub fn of(schema: &Value) -> Option<Self> {
        let compiled = jsonschema::options()
            .with_format(REGION_FORMAT, is_region)
            .should_validate_formats(true)
            .build(schema)
            .ok()?;
        Some(Self { schema: schema.clone(), compiled })
    }

    /// Every fault of `arguments`.
    pub fn faults(&self, arguments: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        for error in self.compiled.iter_errors(arguments) {
            let pointer = error.instance_path().as_str();
            let path = dotted(pointer);
            self.explain(error.kind(), pointer, &path, &mut faults);
        }
        whole(&self.schema, arguments, "", &mut faults);
        faults
    }

    fn explain(&self, kind: &ValidationErrorKind, pointer: &str, path: &str, faults: &mut Vec<Fault>) {
        let fault = match kind {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                faults.extend(unexpected.iter().map(|name| self.unknown(name, pointer, path)));
                return;
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                Fault::new(join(path, name), "is required", missing_fix(name))
            }
            ValidationErrorKind::Enum { options } => Fault::new(
                path,
                "isn't one of the documented values",
                format!("give one of {options}, in this case"),
            ),
            ValidationErrorKind::Type { kind } => Fault::new(
                path,
                format!("must be {}", article(kind)),
                "give that type, or leave an optional field out",
            ),
            ValidationErrorKind::Pattern { pattern } => {
                Fault::new(path, "doesn't have the documented form", format!("it must match {pattern}"))
            }
            ValidationErrorKind::Format { .. } => Fault::new(
                path,
                "isn't a documented region",
                "ask the user for a region such as cn-hangzhou, cn-shanghai, cn-beijing, cn-shenzhen or ap-southeast-1",
            ),
            ValidationErrorKind::Minimum { limit } | ValidationErrorKind::ExclusiveMinimum { limit } => {
                Fault::new(path, "is too small", format!("give at least {limit}"))
            }
            ValidationErrorKind::Maximum { limit } | ValidationErrorKind::ExclusiveMaximum { limit } => {
                Fault::new(path, "is too large", format!("give at most {limit}"))
            }
            ValidationErrorKind::MinLength { limit } => {
                Fault::new(path, "is too short", format!("give at least {limit} characters"))
            }
            ValidationErrorKind::MaxLength { limit } => {
                Fault::new(path, "is too long", format!("give at most {limit} characters"))
            }
            ValidationErrorKind::MinItems { limit } => {
                Fault::new(path, "has too few items", format!("give at least {limit}"))
            }
            ValidationErrorKind::MaxItems { limit } => {
                Fault::new(path, "has too many items", format!("give at most {limit}"))
            }
            ValidationErrorKind::UniqueItems => Fault::new(path, "repeats an item", "give each item once"),
            other => Fault::new(
                path,
                format!("breaks the schema's {}", other.keyword()),
                "compare it with the tool's schema",
            ),
        };
        faults.push(fault);
    }

    fn unknown(&self, name: &str, pointer: &str, path: &str) -> Fault {
        let known = self.properties(pointer);
        let fix = match closest(name, &known) {
            Some(right) => format!("the name is {right}"),
            None => format!("the names are {}", known.join(", ")),
        };
        Fault::new(join(path, &presentable(name)), "isn't an argument of this tool", fix)
    }

    /// The property names of the object at `pointer` of the arguments.
    fn properties(&self, pointer: &str) -> Vec<&str> {
        let mut schema = &self.schema;
        for step in pointer.split('/').skip(1) {
            let next = schema
                .get("properties")
                .and_then(|properties| properties.get(step))
                .or_else(|| schema.get("items"))
                .or_else(|| schema.get("additionalProperties"));
            match next {
                Some(next) => schema = next,
                None => return Vec::new(),
            }
        }
        match schema.get("properties") {
            Some(Value::Object(properties)) => properties.keys().map(String::as_str).collect(),
            Some(_) | None => Vec::new(),
        }
    }
}

/// The known name that `name` most likely means: the same letters in another case or with other separators.
fn closest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let letters =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let wanted = letters(name);
    known
        .iter()
        .find(|candidate| letters(candidate) == wanted)
        .or_else(|| known.iter().find(|candidate| strsim::jaro_winkler(&letters(candidate), &wanted) > 0.92))
        .copied()
}

fn missing_fix(name: &str) -> &'static str {
    match name {
        "RegionId" => {
            "ask the user which region to use (common ones: cn-hangzhou, cn-shanghai, cn-beijing, cn-shenzhen, \
             ap-southeast-1); there is no default"
        }
        _ => "give it",
    }
}

fn article(kind: &TypeKind) -> String {
    let name = |kind: &jsonschema::JsonType| match kind {
        jsonschema::JsonType::Array => "a list",
        jsonschema::JsonType::Boolean => "true or false",
        jsonschema::JsonType::Integer => "a whole number",
        jsonschema::JsonType::Null => "null",
        jsonschema::JsonType::Number => "a number",
        jsonschema::JsonType::Object => "an object",
        jsonschema::JsonType::String => "a string",
    };
    match kind {
        TypeKind::Single(kind) => name(kind).to_owned(),
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| name(&kind)).collect::<Vec<_>>().join(" or "),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// A name that a stranger may have chosen, short and without anything that could pass for something else.
fn presentable(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(40).collect()
}

/// JSON Schema takes `1.0` and numbers of any size for whole ones; the clouds take 64 bits and no point.
fn whole(schema: &Value, value: &Value, pointer: &str, faults: &mut Vec<Fault>) {
    match value {
        Value::Number(number) if schema.get("type").is_some_and(|kind| kind == "integer") => {
            let integral = number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0);
            if !number.is_i64() && integral {
                faults.push(Fault::new(
                    dotted(pointer),
                    "isn't written as a whole number of 64 bits",
                    "give it without a decimal point or exponent",
                ));
            }
        }
        Value::Object(object) => {
            for (name, value) in object {
                let inner = schema
                    .get("properties")
                    .and_then(|properties| properties.get(name))
                    .or_else(|| schema.get("additionalProperties"));
                if let Some(inner) = inner {
                    let step = name.replace('~', "~0").replace('/', "~1");
                    whole(inner, value, &format!("{pointer}/{step}"), faults);
                }
            }
        }
        Value::Array(values) => {
            if let Some(items) = schema.get("items") {
                for (index, value) in values.iter().enumerate() {
                    whole(items, value, &format!("{pointer}/{index}"), faults);
                }
            }
        }
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// `/JobSpecs/0/Image` as `JobSpecs[0].Image`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for step in pointer.split('/').skip(1) {
        if step.bytes().all(|byte| byte.is_ascii_digit()) && !step.is_empty() {
            path.push_str(&format!("[{step}]"));
        } else {
            path = join(&path, &presentable(&step.replace("~1", "/").replace("~0", "~")));
        }
    }
    path
}

#[cfg(test)]
mod tests;
