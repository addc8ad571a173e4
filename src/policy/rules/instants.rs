//! Instants that must lie ahead.

use jiff::Timestamp;
use serde_json::Value;

use super::Ruling;
use crate::error::Fault;
use crate::policy::load::Precheck;
use crate::policy::refusal::Refusal;
use crate::spec::Call;
use crate::spec::marks::{Kind, Path, Shape};

/// Whether every instant of `call` that must lie ahead does (R-PM-013, R-PM-044), and where the first one is that
/// doesn't.
pub(super) fn ahead(rule: &Precheck, call: &Call, now: Timestamp) -> (Option<String>, Ruling) {
    let arguments = Value::Object(call.arguments().clone());
    let mut late = Vec::new();
    instants(call.tool().request(), &arguments, &Path::Root, &mut |path, text| {
        if text.parse::<Timestamp>().is_ok_and(|instant| instant <= now) {
            late.push(path.to_string());
        }
    });
    let Some(first) = late.first().cloned() else { return (None, Ruling::Pass) };
    let fix = format!("it is {} now: ask the user for a time after that", now.strftime("%Y-%m-%dT%H:%M:%SZ"));
    let refusal = late
        .into_iter()
        .map(|path| Fault::new(path, "is over already", fix.clone()))
        .fold(Refusal::new(&rule.id, "a time that must lie ahead is over; nothing was sent"), Refusal::with);
    (Some(first), Ruling::Refuse(refusal))
}

/// Calls `visit` for every instant in `value` that must lie ahead.
fn instants(shape: &Shape, value: &Value, path: &Path<'_>, visit: &mut impl FnMut(&Path<'_>, &str)) {
    match (&shape.kind, value) {
        (Kind::Text, Value::String(text)) if shape.ahead => visit(path, text),
        (Kind::Object(fields), Value::Object(object)) => {
            for (name, shape) in fields {
                if let Some(value) = object.get(name) {
                    instants(shape, value, &Path::Field(path, name), visit);
                }
            }
        }
        (Kind::List(item), Value::Array(values)) => {
            for (index, value) in values.iter().enumerate() {
                instants(item, value, &Path::Index(path, index), visit);
            }
        }
        (Kind::Map(item), Value::Object(object)) => {
            for (name, value) in object {
                instants(item, value, &Path::Field(path, name), visit);
            }
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
        ) => {}
    }
}

/// Whether something in `shape` is an instant that must lie ahead.
pub(in crate::policy) fn has_instants(shape: &Shape) -> bool {
    shape.ahead
        || match &shape.kind {
            Kind::Object(fields) => fields.iter().any(|(_, shape)| has_instants(shape)),
            Kind::List(item) | Kind::Map(item) => has_instants(item),
            Kind::Text | Kind::Integer | Kind::Number | Kind::Flag | Kind::Any => false,
        }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// R-PM-013: wherever it nests.
    #[test]
    fn instants_are_found_wherever_they_nest() {
        let instant = json!({ "type": "string", "x-ahead": true });
        let schema = json!({
            "type": "object",
            "properties": {
                "until": instant,
                "since": { "type": "string" },
                "steps": { "type": "array", "items": { "type": "object", "properties": { "until": instant } } },
                "named": { "type": "object", "additionalProperties": instant },
            },
        });
        let value = json!({
            "until": "a",
            "since": "b",
            "steps": [{}, { "until": "c" }, { "until": 4 }],
            "named": { "x": "d" },
        });
        let shape = Shape::of(&schema);
        let mut found = Vec::new();
        instants(&shape, &value, &Path::Root, &mut |path, text| found.push(format!("{path} {text}")));
        assert_eq!(found, ["until a", "steps[1].until c", "named.x d"]);
        assert!(has_instants(&shape));
        assert!(!has_instants(&Shape::of(&json!({ "type": "array", "items": { "type": "string" } }))));
    }
}
