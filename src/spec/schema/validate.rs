//! Checking a call's arguments: their size, and against the full schema.

use std::io;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Map, Value};

use crate::error::{Fault, Faults};
use crate::spec::json_text;
use crate::spec::marks::Path;
use crate::spec::value::{INSTANT_FORMAT, REGION_FORMAT, is_instant, is_region};

/// The most bytes that arguments may have, as compact JSON: 256 KiB.
const LARGEST: usize = 256 * 1024;

/// What to do about a text that isn't taken.
const TEXT_FIX: &str = "give one JSON object as text, as JSON.stringify writes it, or the object itself";

/// Whether `arguments` are small enough to be looked at.
///
/// # Errors
/// The fault that says what is too large.
pub fn fits(arguments: &Map<String, Value>) -> Result<(), Fault> {
    serde_json::to_writer(Budget(LARGEST), arguments).map_err(|_| {
        Fault::new(
            "",
            format!("the arguments have more than {} KiB as JSON", LARGEST / 1024),
            "shorten them: put long commands into a script that is mounted, long settings into a file",
        )
    })
}

/// Takes so many bytes and no more, and keeps none.
struct Budget(usize);

impl io::Write for Budget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Checks arguments against a full schema and words the faults without their values.
pub struct Validator {
    schema: Value,
    compiled: jsonschema::Validator,
    /// Of the arguments that are texts of JSON, what checks what they hold.
    texts: Vec<(String, Self)>,
}

impl Validator {
    /// The validator of `schema`, if it compiles.
    pub fn of(schema: &Value) -> Option<Self> {
        let compiled = jsonschema::options()
            .with_format(REGION_FORMAT, is_region)
            .with_format(INSTANT_FORMAT, is_instant)
            .should_validate_formats(true)
            .build(schema)
            .ok()?;
        let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let texts = fields.filter_map(|(name, field)| Some((name, field.get("x-json")?)));
        let texts =
            texts.map(|(name, inner)| Some((name.clone(), Self::of(inner)?))).collect::<Option<_>>()?;
        Some(Self { schema: schema.clone(), compiled, texts })
    }

    /// Every fault of `arguments`.
    pub fn faults(&self, arguments: &Value) -> Faults {
        let mut faults = Faults::default();
        self.check(&Path::Root, arguments, &mut faults);
        for (name, inner) in &self.texts {
            let Some(Value::String(text)) = arguments.get(name) else { continue };
            match json_text::read(text) {
                Ok(object) => {
                    inner.check(&Path::Field(&Path::Root, name), &Value::Object(object), &mut faults)
                }
                Err(error) => faults.push(Fault::new(name, error.to_string(), TEXT_FIX)),
            }
        }
        faults
    }

    /// Adds the faults of `value`, which stands at `place`.
    fn check(&self, place: &Path<'_>, value: &Value, faults: &mut Faults) {
        let base = place.to_string();
        for error in self.compiled.iter_errors(value) {
            let pointer = error.instance_path().as_str();
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    for name in unexpected {
                        faults.find(|| self.unknown(name, pointer, &base));
                    }
                }
                kind => faults.find(|| explain(kind, &dotted(&base, pointer))),
            }
        }
        whole(&self.schema, value, place, faults);
    }

    fn unknown(&self, name: &str, pointer: &str, base: &str) -> Fault {
        let known = self.properties(pointer);
        let elsewhere = if pointer.is_empty() { self.elsewhere(name) } else { None };
        let fix = match (elsewhere, closest(name, &known)) {
            (Some(fix), _) => fix.to_owned(),
            (None, Some(right)) => format!("the name is {right}"),
            (None, None) => format!("the names are {}", known.join(", ")),
        };
        let what =
            if base.is_empty() { "isn't an argument of this tool" } else { "isn't a field of this JSON" };
        Fault::new(join(&dotted(base, pointer), &presentable(name)), what, fix)
    }

    /// What to do instead of giving an argument that people look for here.
    fn elsewhere(&self, name: &str) -> Option<&str> {
        let known = self.schema.get("x-elsewhere")?.as_object()?;
        known.iter().find(|(known, _)| letters(known) == letters(name))?.1.as_str()
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

fn explain(kind: &ValidationErrorKind, path: &str) -> Fault {
    match kind {
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
        ValidationErrorKind::Format { format } if format == INSTANT_FORMAT => Fault::new(
            path,
            "isn't an instant with a time zone",
            "give a time such as 2026-01-15T09:30:00Z or 2026-01-15T17:30:00+08:00",
        ),
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
    }
}

/// The letters and digits of a name, whatever their case and what stands between them.
fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// The known name that `name` most likely means: the same letters in another case or with other separators.
fn closest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
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
fn whole(schema: &Value, value: &Value, path: &Path<'_>, faults: &mut Faults) {
    match value {
        Value::Number(number) if schema.get("type").is_some_and(|kind| kind == "integer") => {
            let integral = number.is_u64() || number.as_f64().is_some_and(|number| number.fract() == 0.0);
            if !number.is_i64() && integral {
                faults.find(|| {
                    Fault::new(
                        written(path),
                        "isn't written as a whole number of 64 bits",
                        "give it without a decimal point or exponent",
                    )
                });
            }
        }
        Value::Object(object) => {
            for (name, value) in object {
                let inner = schema
                    .get("properties")
                    .and_then(|properties| properties.get(name))
                    .or_else(|| schema.get("additionalProperties"));
                if let Some(inner) = inner {
                    whole(inner, value, &Path::Field(path, name), faults);
                }
            }
        }
        Value::Array(values) => {
            if let Some(items) = schema.get("items") {
                for (index, value) in values.iter().enumerate() {
                    whole(items, value, &Path::Index(path, index), faults);
                }
            }
        }
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// A path whose names a stranger may have chosen.
fn written(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Field(parent, name) => join(&written(parent), &presentable(name)),
        Path::Index(parent, index) => format!("{}[{index}]", written(parent)),
    }
}

/// `/JobSpecs/0/Image` as `JobSpecs[0].Image`, below `base`.
fn dotted(base: &str, pointer: &str) -> String {
    let mut path = base.to_owned();
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
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_of_256_kib_fit_and_no_larger_ones() {
        let of = |length: usize| {
            let Value::Object(arguments) = json!({ "a": "x".repeat(length) }) else { panic!("no object") };
            arguments
        };
        let frame = r#"{"a":""}"#.len();
        assert_eq!(fits(&of(LARGEST - frame)), Ok(()));
        let fault = fits(&of(LARGEST - frame + 1)).unwrap_err();
        assert_eq!(
            (fault.path.as_str(), fault.message.as_str()),
            ("", "the arguments have more than 256 KiB as JSON")
        );
    }

    #[test]
    fn the_right_name_is_told_only_where_one_is_near() {
        assert_eq!(closest("region_id", &["RegionId", "Colour"]), Some("RegionId"));
        assert_eq!(closest("REGION-ID", &["RegionId", "Colour"]), Some("RegionId"));
        assert_eq!(closest("Color", &["RegionId", "Colour"]), Some("Colour"));
        assert_eq!(closest("Pigment", &["RegionId", "Colour"]), None);
        assert_eq!(closest("地域", &["RegionId", "Colour"]), None);
    }
}
