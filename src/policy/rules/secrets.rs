//! Credentials among the arguments.

use serde_json::{Map, Value};

use super::Ruling;
use crate::error::Fault;
use crate::policy::load::SecretArgument;
use crate::policy::refusal::Refusal;
use crate::spec::marks::Path;

/// Whether an argument holds what looks like a credential (R-WS-04); `given` are the arguments, their texts of JSON
/// opened.
pub(super) fn found(rule: &SecretArgument, given: &Value) -> (Option<String>, Ruling) {
    let mut refusal = Refusal::new(rule.id.clone(), "an argument holds what looks like a credential");
    let mut first = None;
    each(&Path::Root, given, &mut |path, text| {
        if rule.patterns.iter().any(|pattern| pattern.0.is_match(text)) {
            // The name of a variable may be the credential.
            let path = rule.patterns.iter().fold(path.to_string(), |path, pattern| {
                pattern.0.replace_all(&path, "[masked]").into_owned()
            });
            if refusal.violations.last().is_some_and(|fault| fault.path == path) {
                return;
            }
            first.get_or_insert_with(|| path.clone());
            refusal.violations.push(Fault::new(
                path,
                "looks like an access key, a secret or a token",
                rule.fix.clone(),
            ));
        }
    });
    let ruling = if refusal.violations.is_empty() { Ruling::Pass } else { Ruling::Refuse(refusal) };
    (first, ruling)
}

/// Calls `visit` for every text among the arguments, keys of free maps included. A text comes with its name,
/// `name=text`, because a secret is often known by its name alone; so does a variable that is written as a
/// pair of Key or Name and Value.
fn each_text(path: &Path<'_>, object: &Map<String, Value>, visit: &mut impl FnMut(&Path<'_>, &str)) {
    let variable = ["Key", "Name"].iter().find_map(|name| object.get(*name)?.as_str());
    for (name, value) in object {
        let inner = Path::Field(path, name);
        match value {
            Value::String(text) => {
                visit(&inner, &format!("{name}={text}"));
                if let Some(variable) = variable.filter(|_| name == "Value") {
                    visit(&inner, &format!("{variable}={text}"));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                visit(path, name);
                each(&inner, value, visit);
            }
        }
    }
}

fn each(path: &Path<'_>, value: &Value, visit: &mut impl FnMut(&Path<'_>, &str)) {
    match value {
        Value::String(text) => visit(path, text),
        Value::Object(object) => each_text(path, object, visit),
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                each(&Path::Index(path, index), value, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
