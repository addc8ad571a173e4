use serde_json::json;

use super::*;
use crate::spec::schema::generate;
use crate::spec::value::{ImageUri, WorkspaceId};

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Listing {
    workspace: Option<WorkspaceId>,
    rows: Vec<Row>,
    by_name: BTreeMap<String, Row>,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Row {
    workspace: Option<WorkspaceId>,
    #[schemars(title = "Owner ID", extend("x-full-only" = true))]
    owner: Option<Last4>,
    image: Option<ImageUri>,
}

fn claims(value: &Value) -> Vec<String> {
    let mut claims = Vec::new();
    Shape::of(&generate::<Listing>()).claims(value, &mut |claim| {
        claims.push(format!(
            "{} {} = {} in {:?}",
            claim.fact.name(),
            claim.path,
            claim.text,
            claim.workspace
        ));
    });
    claims
}

#[test]
fn a_shape_tells_what_the_type_says() {
    let plain =
        |kind| Shape { kind, mark: None, fact: None, place: Place::Wire, label: None, full_only: false };
    let owner = Shape {
        mark: Some(Mark::Last4),
        label: Some("Owner ID".to_owned()),
        full_only: true,
        ..plain(Kind::Text)
    };
    let row = plain(Kind::Object(vec![
        ("workspace".to_owned(), Shape { fact: Some(Fact::Workspace), ..plain(Kind::Text) }),
        ("owner".to_owned(), owner),
        ("image".to_owned(), Shape { fact: Some(Fact::Image), ..plain(Kind::Text) }),
    ]));
    assert_eq!(Shape::of(&generate::<Row>()), row);
}

#[test]
fn claims_are_found_wherever_they_nest() {
    let listing = json!({
        "workspace": "1",
        "rows": [{ "image": "a" }, { "image": "b", "workspace": "2" }, { "image": "" }],
        "by_name": { "x y": { "image": "c", "workspace": "" } },
        "image": "not a field",
    });
    assert_eq!(
        claims(&listing),
        [
            "workspace workspace = 1 in Named(\"1\")",
            "image rows[0].image = a in Named(\"1\")",
            "image rows[1].image = b in Named(\"2\")",
            "workspace rows[1].workspace = 2 in Named(\"2\")",
            "image rows[2].image =  in Named(\"1\")",
            "image by_name.x y.image = c in Named(\"1\")",
            "workspace by_name.x y.workspace =  in Named(\"1\")",
        ]
    );
}

#[test]
fn a_workspace_that_is_no_text_is_not_taken_for_none() {
    let listing = json!({ "workspace": "1", "rows": [{ "image": "a", "workspace": 2 }, { "image": ["b"] }] });
    assert_eq!(
        claims(&listing),
        ["workspace workspace = 1 in Named(\"1\")", "image rows[0].image = a in Unreadable"]
    );
}
