//! What a version of a template holds, whether it can be stored, and the job that it makes of a request.

use serde_json::{Map, Value, json};

use super::path::FieldPath;
use crate::sim::dlc::submit::check as check_job;
use crate::sim::params::Fields;
use crate::sim::reply::CloudError;
use crate::sim::world::TemplateVersion;

const WORDS: [&str; 3] = ["locked", "overridable", "required"];

fn invalid_content(what: &str) -> CloudError {
    CloudError::bad_request("InvalidParameter.Content", format!("Content {what}."))
}

fn invalid_constraints(what: &str) -> CloudError {
    CloudError::bad_request("InvalidParameter.Constraints", format!("Constraints {what}."))
}

/// What a version stores: a text of JSON and its constraints.
pub(super) type Stored = (String, Map<String, Value>);

/// Reads the content of a body, and whatever constrains it; a body without either has no content.
pub(super) fn read(fields: &Fields<'_>) -> Result<Option<Stored>, CloudError> {
    let content = fields.text("Content").map_err(|_| invalid_content("must be a string that holds JSON"))?;
    let constraints =
        fields.map("Constraints").map_err(|_| invalid_constraints("must be an object of constraints"))?;
    match (content, constraints) {
        (Some(content), constraints) => {
            let constraints = constraints.cloned().unwrap_or_default();
            check(content, &constraints)?;
            Ok(Some((content.to_owned(), constraints)))
        }
        (None, Some(_)) => Err(invalid_constraints("must come with Content")),
        (None, None) => Ok(None),
    }
}

/// Whether a template can hold these.
pub(in crate::sim) fn check(content: &str, constraints: &Map<String, Value>) -> Result<(), CloudError> {
    let mut job = parse(content)?;
    for (path, word) in constraints {
        let path = FieldPath::parse(path)
            .ok_or_else(|| invalid_constraints("must be named by paths such as JobSpecs[0].Image"))?;
        if !word.as_str().is_some_and(|word| WORDS.contains(&word)) {
            return Err(invalid_constraints("must be locked, overridable or required"));
        }
        if word == "required" && path.get(&job).is_none() {
            path.set(&mut job, stand_in(path.leaf().unwrap_or_default()));
        }
    }
    // Each job brings its own name, and may bring its own command.
    for (name, any) in [("DisplayName", "any"), ("UserCommand", "any")] {
        job.entry(name).or_insert_with(|| json!(any));
    }
    check_job(&Fields::of_body(&job)).map_err(|error| invalid_content(error.message.trim_end_matches('.')))
}

/// What could stand where a job must give something.
fn stand_in(name: &str) -> Option<Value> {
    let spec = json!({"Type": "Worker", "Image": "any", "PodCount": 1, "EcsSpec": "ecs.g6.large"});
    match name {
        "JobType" => Some(json!("PyTorchJob")),
        "JobSpecs" => Some(json!([spec])),
        "ResourceConfig" => Some(json!({})),
        name => spec.get(name).cloned(),
    }
}

fn parse(content: &str) -> Result<Map<String, Value>, CloudError> {
    serde_json::from_str(content).map_err(|_| invalid_content("must be a string that holds a JSON object"))
}

/// The job that `request` makes from `version`: the template's, with what the request gives over it, but for what is
/// locked.
pub(in crate::sim) fn merged(
    version: &TemplateVersion,
    request: &Map<String, Value>,
) -> Result<Map<String, Value>, CloudError> {
    let stored = parse(&version.content)?;
    let mut job = stored.clone();
    overlay(&mut job, request);
    for (name, word) in &version.constraints {
        let Some(path) = FieldPath::parse(name) else { continue };
        match word.as_str() {
            Some("required") if path.get(request).is_none() => return Err(CloudError::missing(name)),
            Some("locked") => path.set(&mut job, path.get(&stored).cloned()),
            _ => {}
        }
    }
    Ok(job)
}

/// Objects are merged by their fields, lists by their places.
fn overlay(below: &mut Map<String, Value>, above: &Map<String, Value>) {
    for (name, value) in above.iter().filter(|(_, value)| !value.is_null()) {
        over(below.entry(name.clone()).or_insert(Value::Null), value);
    }
}

fn over(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => overlay(below, above),
        (Value::Array(below), Value::Array(above)) => {
            for (index, value) in above.iter().enumerate() {
                match below.get_mut(index) {
                    Some(below) => over(below, value),
                    None => below.push(value.clone()),
                }
            }
        }
        (below, above) => *below = above.clone(),
    }
}
