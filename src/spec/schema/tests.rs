use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::spec::value::{Detail, RegionId, choices};

choices! {
    /// A colour.
    Colour { Red = "RED", Green = "green" }
}

/// Paints.
/// Twice over.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[allow(dead_code, reason = "only its schema is used")]
struct Paint {
    region_id: RegionId,
    colour: Option<Colour>,
    /// How
    /// thick.
    #[schemars(range(min = 1, max = 9))]
    thick: Option<i64>,
    layers: Option<Vec<Layer>>,
    #[schemars(extend("x-folded" = true))]
    deep: Option<Layer>,
    names: Option<BTreeMap<String, String>>,
    set: Option<BTreeSet<Colour>>,
    #[serde(rename = "detail")]
    detail: Option<Detail>,
}

/// A layer.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[allow(dead_code, reason = "only its schema is used")]
struct Layer {
    colour: Option<Colour>,
}

fn colour() -> Value {
    json!({ "type": "string", "enum": ["RED", "green"] })
}

#[test]
fn both_faces_are_plain() {
    let schema = Schema::of("paint", &generate::<Paint>());
    assert_eq!(schema.description, "Paints. Twice over.");
    let layer = json!({
        "type": "object",
        "description": "A layer.",
        "additionalProperties": false,
        "properties": { "Colour": colour() },
    });
    let mut full = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["RegionId"],
        "properties": {
            "RegionId": { "type": "string", "minLength": 1, "description": "From the user; never assumed." },
            "Colour": colour(),
            "Thick": { "type": "integer", "minimum": 1, "maximum": 9, "description": "How thick." },
            "Layers": { "type": "array", "items": layer },
            "Deep": layer,
            "Names": { "type": "object", "additionalProperties": { "type": "string" } },
            "Set": { "type": "array", "items": colour() },
            "detail": { "type": "string", "enum": ["summary", "full"] },
        },
    });
    assert_eq!(schema.full, full);
    full["properties"]["Deep"] = json!({ "type": "object", "description": "A layer. Whole schema: resource redline://schemas/paint." });
    assert_eq!(schema.advertised, full);
}

fn faults(arguments: Value) -> Vec<String> {
    let validator = Validator::of(&generate::<Paint>()).unwrap();
    validator.faults(&arguments).into_iter().map(|fault| fault.to_string()).collect()
}

#[test]
fn paths_are_written_as_the_documentation_does() {
    let region = "RegionId: is required; ask the user which region to use (common ones: cn-hangzhou, cn-shanghai, \
                  cn-beijing, cn-shenzhen, ap-southeast-1); there is no default";
    assert_eq!(
        faults(json!({ "Layers": [{}, { "Colour": "RED" }, { "colour": 1 }], "Names": { "a/b~c": 2 } })),
        [
            "Layers[2].colour: isn't an argument of this tool; the name is Colour",
            "Names.a/b~c: must be a string; give that type, or leave an optional field out",
            region,
        ]
    );
}
