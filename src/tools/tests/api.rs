//! Every documented parameter, enum value and reply field has its place in a tool's types.
//!
//! `tests/data/api` holds what the official SDKs and the public API metadata say of Alibaba Cloud's operations, and
//! what PyroMind's API document says of its own: bounds that it doesn't give are the least that make sense.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::spec::Tool;
use crate::spec::marks::{Fact, Kind, Shape};
use crate::tools::all;

const DOCUMENTS: [&str; 3] = [
    include_str!("../../../tests/data/api/aiworkspace.json"),
    include_str!("../../../tests/data/api/pai-dlc.json"),
    include_str!("../../../tests/data/api/pyromind.json"),
];

/// The documented operation of each tool.
fn operations() -> Vec<(&'static Tool, Value)> {
    let mut operations = Vec::new();
    for document in DOCUMENTS {
        let document: Value = serde_json::from_str(document).unwrap();
        for (action, operation) in document["operations"].as_object().unwrap() {
            let tool = all()
                .find(|tool| {
                    let spec = tool.spec();
                    let version = spec.cloud.acs().map_or("1.0.0", |acs| acs.version);
                    spec.action == action && document["version"] == version
                })
                .unwrap_or_else(|| panic!("no tool for {action}"));
            operations.push((tool, operation.clone()));
        }
    }
    assert_eq!(operations.len(), all().count());
    operations
}

/// `AssumeUserInfo` holds an access key and a token: it is never an argument and never shown (R-WS-04).
fn left_out(path: &str) -> bool {
    path.ends_with(".AssumeUserInfo")
}

#[test]
fn routes_are_the_documented_ones() {
    for (tool, operation) in operations() {
        let spec = tool.spec();
        assert_eq!(operation["method"], spec.route.method.name(), "{}", spec.name);
        assert_eq!(operation["path"], spec.route.path, "{}", spec.name);
    }
}

#[test]
fn every_documented_parameter_can_be_given() {
    let mut faults = Vec::new();
    for (tool, operation) in operations() {
        fields(tool.name(), operation["request"].as_object().unwrap(), &tool.schema().full, &mut faults);
    }
    assert_eq!(faults, Vec::<String>::new());
}

fn fields(path: &str, documented: &Map<String, Value>, schema: &Value, faults: &mut Vec<String>) {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let required: BTreeSet<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, document) in documented {
        let path = format!("{path}.{name}");
        if left_out(&path) {
            continue;
        }
        let Some(schema) = properties.get(name) else {
            faults.push(format!("{path} is missing"));
            continue;
        };
        // These three may come from a template; without one the tool itself demands them.
        let from_template = ["JobType", "JobSpecs", "UserCommand"]
            .iter()
            .any(|name| path == format!("dlc_create_job.{name}"));
        if document["required"] == true && !required.contains(name.as_str()) && !from_template {
            faults.push(format!("{path} isn't required"));
        }
        parameter(&path, document, schema, faults);
    }
    let ours: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    for name in ours.iter().filter(|name| !documented.contains_key(**name)) {
        if !["RegionId", "detail"].contains(name) {
            faults.push(format!("{path}.{name} isn't documented"));
        }
    }
}

fn parameter(path: &str, document: &Value, schema: &Value, faults: &mut Vec<String>) {
    let documented = document["type"].as_str().unwrap();
    let kind = match documented {
        "map" => "object",
        // A query has text either way, and only a number has a range.
        "string" if path.ends_with(".ExpireTimeSeconds") => "integer",
        other => other,
    };
    if schema["type"] != kind {
        faults.push(format!("{path} is {documented}, not {}", schema["type"]));
    }
    if let Some(values) = document.get("enum") {
        let set = |values: &Value| -> BTreeSet<String> {
            values
                .as_array()
                .into_iter()
                .flatten()
                .map(|value| value.as_str().unwrap_or_default().to_owned())
                .collect()
        };
        if set(values) != set(&schema["enum"]) {
            faults.push(format!("{path} takes {values}, not {}", schema["enum"]));
        }
    }
    let lengths_matter = document.get("enum").is_none();
    for keyword in ["minimum", "maximum", "maxLength", "minLength", "minItems", "pattern"] {
        if (lengths_matter || !keyword.ends_with("Length"))
            && document.get(keyword).is_some()
            && document.get(keyword) != schema.get(keyword)
        {
            faults.push(format!(
                "{path} has the {keyword} {}, not {:?}",
                document[keyword],
                schema.get(keyword)
            ));
        }
    }
    if let Some(properties) = document["properties"].as_object() {
        fields(path, properties, schema, faults);
    }
    if document.get("items").is_some() {
        parameter(&format!("{path}[]"), &document["items"], &schema["items"], faults);
    }
    if documented == "map" && document["values"]["type"] != "any" {
        parameter(&format!("{path}[]"), &document["values"], &schema["additionalProperties"], faults);
    }
}

/// What the wire calls otherwise than the argument is sent so.
#[test]
fn the_wire_has_its_own_names() {
    let mut renamed = Vec::new();
    for (tool, operation) in operations() {
        for (name, document) in operation["request"].as_object().unwrap() {
            let wire = tool.request().field(name).and_then(|shape| shape.wire.clone());
            assert_eq!(document.get("wire").and_then(Value::as_str), wire.as_deref(), "{}", tool.name());
            renamed.extend(wire.map(|wire| format!("{}.{name} = {wire}", tool.name())));
        }
    }
    assert_eq!(renamed, ["dlc_get_tensorboard.JobId = JodId"]);
}

#[test]
fn every_documented_reply_field_has_a_place() {
    let mut faults = Vec::new();
    for (tool, operation) in operations() {
        reply(tool.name(), operation["reply"].as_object().unwrap(), tool.reply(), &mut faults);
    }
    assert_eq!(faults, Vec::<String>::new());
}

fn reply(path: &str, documented: &Map<String, Value>, shape: &Shape, faults: &mut Vec<String>) {
    let Kind::Object(fields) = &shape.kind else {
        faults.push(format!("{path} isn't an object"));
        return;
    };
    for (name, document) in documented {
        let path = format!("{path}.{name}");
        match shape.field(name) {
            _ if left_out(&path) => {}
            None => faults.push(format!("{path} is missing")),
            Some(shape) => field(&path, document, shape, faults),
        }
    }
    for (name, _) in fields {
        if !documented.contains_key(name) {
            faults.push(format!("{path}.{name} isn't documented"));
        }
    }
}

fn field(path: &str, document: &Value, shape: &Shape, faults: &mut Vec<String>) {
    match (document["type"].as_str().unwrap(), &shape.kind) {
        ("string", Kind::Text)
        | ("integer", Kind::Integer)
        | ("number", Kind::Number)
        | ("boolean", Kind::Flag)
        | ("any", _)
        // Untyped maps are dropped, and counted.
        | ("map", Kind::Any) => {}
        // The SDK says integer, the documentation shows fractions.
        ("integer", Kind::Number) if path.ends_with("RequestGPU") || path.ends_with("RequestMemory") => {}
        ("array", Kind::List(item)) => field(&format!("{path}[]"), &document["items"], item, faults),
        ("map", Kind::Map(item)) => field(&format!("{path}[]"), &document["values"], item, faults),
        ("object", Kind::Object(_)) => {
            reply(path, document["properties"].as_object().unwrap(), shape, faults);
        }
        (kind, ours) => faults.push(format!("{path} is {kind}, not {ours:?}")),
    }
}

/// R-DLC-24: every place from which an image can come is guarded by its type or refused.
#[test]
fn every_place_of_an_image_is_guarded_or_refused() {
    let mut guarded = Vec::new();
    for (tool, _) in operations() {
        places(tool.name(), tool.request(), &mut |path, shape| {
            if shape.fact == Some(Fact::Image) {
                guarded.push(path.to_owned());
            }
        });
    }
    assert_eq!(
        guarded,
        [
            "dlc_create_job.JobSpecs[].ExtraPodSpec.InitContainers[].Image",
            "dlc_create_job.JobSpecs[].ExtraPodSpec.SideCarContainers[].Image",
            "dlc_create_job.JobSpecs[].Image",
            "dlc_create_job.ElasticSpec.AIMasterDockerImage",
            "dlc_update_job.JobSpecs[].ExtraPodSpec.InitContainers[].Image",
            "dlc_update_job.JobSpecs[].ExtraPodSpec.SideCarContainers[].Image",
            "dlc_update_job.JobSpecs[].Image",
            "dlc_create_job_template.Content.JobSpecs[].ExtraPodSpec.InitContainers[].Image",
            "dlc_create_job_template.Content.JobSpecs[].ExtraPodSpec.SideCarContainers[].Image",
            "dlc_create_job_template.Content.JobSpecs[].Image",
            "dlc_create_job_template.Content.ElasticSpec.AIMasterDockerImage",
            "dlc_update_job_template.Content.JobSpecs[].ExtraPodSpec.InitContainers[].Image",
            "dlc_update_job_template.Content.JobSpecs[].ExtraPodSpec.SideCarContainers[].Image",
            "dlc_update_job_template.Content.JobSpecs[].Image",
            "dlc_update_job_template.Content.ElasticSpec.AIMasterDockerImage",
        ]
    );
    // Refused by the tool itself; see the table of arguments. What is asked about is no image to run.
    let refused_or_harmless = [
        "aiworkspace_get_image.ImageId",
        "aiworkspace_list_images.ImageUri",
        "dlc_list_jobs.ImageSearch",
        "dlc_create_job.JobSpecs[].ImageConfig.DockerRegistry",
        "dlc_create_job.JobSpecs[].ImageConfig",
        "dlc_create_job.JobSpecs[].ImageConfig.Auth",
        "dlc_create_job.JobSpecs[].ImageConfig.Password",
        "dlc_create_job.JobSpecs[].ImageConfig.Username",
        "dlc_update_job.JobSpecs[].ImageConfig.DockerRegistry",
        "dlc_update_job.JobSpecs[].ImageConfig",
        "dlc_update_job.JobSpecs[].ImageConfig.Auth",
        "dlc_update_job.JobSpecs[].ImageConfig.Password",
        "dlc_update_job.JobSpecs[].ImageConfig.Username",
        // No list has PyroMind's images: the question says that nothing verifies it (R-PM-043).
        "pyromind_create_instance.image",
    ];
    let mut unguarded = Vec::new();
    for (tool, operation) in operations() {
        named(tool.name(), operation["request"].as_object().unwrap(), &mut |path| {
            let like = path.split_once('.').unwrap().1.to_lowercase();
            if (like.contains("image") || like.contains("registry"))
                && !guarded.iter().any(|known| known == path)
                && !refused_or_harmless.contains(&path)
            {
                unguarded.push(path.to_owned());
            }
        });
    }
    assert_eq!(unguarded, Vec::<String>::new());
}

fn places(path: &str, shape: &Shape, visit: &mut impl FnMut(&str, &Shape)) {
    visit(path, shape);
    match &shape.inner().kind {
        Kind::Object(fields) => {
            for (name, shape) in fields {
                places(&format!("{path}.{name}"), shape, visit);
            }
        }
        Kind::List(item) | Kind::Map(item) => places(&format!("{path}[]"), item, visit),
        Kind::Text | Kind::Integer | Kind::Number | Kind::Flag | Kind::Any => {}
    }
}

fn named(path: &str, documented: &Map<String, Value>, visit: &mut impl FnMut(&str)) {
    for (name, document) in documented {
        let path = format!("{path}.{name}");
        visit(&path);
        let inner = document.get("items").unwrap_or(document);
        let path = if document.get("items").is_some() { format!("{path}[]") } else { path };
        if let Some(properties) = inner["properties"].as_object() {
            named(&path, properties, visit);
        }
    }
}
