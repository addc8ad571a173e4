use serde_json::json;

use super::*;
use crate::spec::schema::generate;
use crate::spec::value::{Detail, ImageUri, WorkspaceId};

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
    let plain = |kind| Shape {
        kind,
        mark: None,
        exact: false,
        untrusted: false,
        open: false,
        ahead: false,
        waits: false,
        fact: None,
        place: Place::Wire,
        wire: None,
        dotted: false,
        label: None,
        json: None,
        full_only: false,
        only_if: None,
        subject: false,
        if_empty: None,
        outcome: false,
    };
    let owner = Shape {
        mark: Some(Mark::Last4),
        label: Some("Owner ID".to_owned()),
        full_only: true,
        only_if: None,
        ..plain(Kind::Text)
    };
    let row = plain(Kind::Object(vec![
        ("workspace".to_owned(), Shape { exact: true, fact: Some(Fact::Workspace), ..plain(Kind::Text) }),
        ("owner".to_owned(), owner),
        ("image".to_owned(), Shape { exact: true, fact: Some(Fact::Image), ..plain(Kind::Text) }),
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

/// A number is shown as text, so it is the claim that an agent will make.
#[test]
fn a_number_claims_as_the_text_that_it_is_shown_as() {
    let listing = json!({ "workspace": 1, "rows": [{ "image": "a" }, { "image": 7, "workspace": 2 }] });
    assert_eq!(
        claims(&listing),
        [
            "workspace workspace = 1 in Named(\"1\")",
            "image rows[0].image = a in Named(\"1\")",
            "image rows[1].image = 7 in Named(\"2\")",
            "workspace rows[1].workspace = 2 in Named(\"2\")",
        ]
    );
}

#[test]
fn a_workspace_that_cannot_be_read_is_not_taken_for_none() {
    for unreadable in [json!(["2"]), json!({ "id": 2 }), json!(true)] {
        let listing = json!({
            "workspace": "1",
            "rows": [{ "image": "a", "workspace": unreadable }, { "image": ["b"] }, { "image": true }],
        });
        assert_eq!(
            claims(&listing),
            ["workspace workspace = 1 in Named(\"1\")", "image rows[0].image = a in Unreadable"]
        );
    }
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Texts {
    image: ImageUri,
    state: Exact,
    maybe: Option<Exact>,
    many: Vec<Exact>,
    words: Joined,
    choice: Detail,
    title: String,
    owner: Last4,
    value: EnvValue,
}

/// What is known from a list, and what is one of a closed choice, is exact without saying so.
#[test]
fn exactness_is_the_types() {
    let shape = Shape::of(&generate::<Texts>());
    let exact =
        ["image", "state", "maybe", "many", "words", "choice", "title", "owner", "value"].map(|name| {
            let field = shape.field(name).unwrap();
            match &field.kind {
                Kind::List(item) if field.mark.is_none() => item.exact,
                _ => field.exact,
            }
        });
    assert_eq!(exact, [true, true, true, true, true, true, false, false, false]);
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Stored {
    workspace: Option<WorkspaceId>,
    #[schemars(extend("x-json" = serde_json::json!({
        "type": "object",
        "properties": { "image": { "type": "string", "x-fact": "image" } },
    })))]
    content: String,
}

/// R-DLC-76: what stands in a text of JSON claims as if it stood there itself, and so does the object in its place.
#[test]
fn a_text_of_json_is_looked_into() {
    let shape = Shape::of(&generate::<Stored>());
    let claimed = |content: Value| {
        let mut claims = Vec::new();
        shape.claims(&json!({ "workspace": "1", "content": content }), &mut |claim| {
            claims.push(format!("{} {} in {:?}", claim.path, claim.text, claim.workspace));
        });
        claims
    };
    let found = ["workspace 1 in Named(\"1\")", "content.image a in Named(\"1\")"];
    assert_eq!(claimed(json!(r#"{"image": "a"}"#)), found);
    assert_eq!(claimed(json!({ "image": "a" })), found);
    for unreadable in [json!("{"), json!(r#"{"image":"a","image":"b"}"#), json!(["a"]), json!(null)] {
        assert_eq!(claimed(unreadable), found[..1]);
    }
    assert_eq!(
        shape.opened(json!({ "content": "{\"image\":\"a\"}", "other": "{}" })),
        json!({ "content": { "image": "a" }, "other": "{}" })
    );
}
