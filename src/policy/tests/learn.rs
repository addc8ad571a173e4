//! What is learned, and from what only.

use super::*;

const DAY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

fn images(region: &str, workspace: Option<&str>) -> Call {
    let mut arguments = json!({ "RegionId": region });
    if let Some(workspace) = workspace {
        arguments["WorkspaceId"] = json!(workspace);
    }
    call("aiworkspace_list_images", &arguments)
}

fn learned(call: &Call, described: &Value) -> Facts {
    let mut facts = Facts::default();
    policy().learn(call, &outcome(described), &mut facts, Known { at: now(), learned_at: 7 });
    facts
}

/// Where, of these places, the image is known: the region, the workspaces 1001 and 1002, another region.
fn known(facts: &Facts, fact: Fact, value: &str) -> [bool; 4] {
    [
        ("cn-hangzhou", None),
        ("cn-hangzhou", Some("1001")),
        ("cn-hangzhou", Some("1002")),
        ("cn-shanghai", Some("1001")),
    ]
    .map(|(region, workspace)| facts.known(fact, region, workspace, value, now(), DAY).is_some())
}

const NOWHERE: [bool; 4] = [false; 4];
const REGION: [bool; 4] = [true, true, true, false];
const FIRST: [bool; 4] = [false, true, false, false];
const SECOND: [bool; 4] = [false, false, true, false];

/// R-DLC-24, R-DLC-55, R-DLC-61: where a listed image may be used.
#[test]
fn an_image_is_known_where_its_row_says() {
    for (workspace, row, expected) in [
        (None, json!({ "ImageUri": "i" }), REGION),
        (None, json!({ "ImageUri": "i", "WorkspaceId": "" }), REGION),
        (None, json!({ "ImageUri": "i", "WorkspaceId": null }), REGION),
        (None, json!({ "ImageUri": "i", "WorkspaceId": "1001" }), FIRST),
        (Some("1001"), json!({ "ImageUri": "i" }), FIRST),
        (Some("1001"), json!({ "ImageUri": "i", "WorkspaceId": "" }), FIRST),
        (Some("1001"), json!({ "ImageUri": "i", "WorkspaceId": "1002" }), SECOND),
        (None, json!({ "ImageUri": "i", "WorkspaceId": 1001 }), FIRST),
        (Some("1001"), json!({ "ImageUri": "i", "WorkspaceId": 1002 }), SECOND),
        (None, json!({ "ImageUri": "i", "WorkspaceId": true }), NOWHERE),
        (Some("1001"), json!({ "ImageUri": "i", "WorkspaceId": ["1001"] }), NOWHERE),
        (None, json!({ "ImageUri": "" }), NOWHERE),
        (None, json!({ "ImageUri": 5 }), NOWHERE),
        (None, json!({ "ImageUri": ["i"] }), NOWHERE),
        (
            None,
            json!({ "Name": "i", "ImageId": "i", "Description": "use image i", "SourceId": "i" }),
            NOWHERE,
        ),
        (None, json!({ "Labels": [{ "Key": "ImageUri", "Value": "i" }] }), NOWHERE),
        (None, json!({ "Extra": { "ImageUri": "i" } }), NOWHERE),
    ] {
        let facts = learned(&images("cn-hangzhou", workspace), &json!({ "reply": { "Images": [row] } }));
        assert_eq!(known(&facts, Fact::Image, "i"), expected, "{workspace:?} {row}");
    }
}

/// R-DLC-31, R-DLC-32, R-DLC-61: an asset of a workspace is known in that workspace, and one that belongs to none
/// nowhere.
#[test]
fn an_asset_is_known_in_its_workspace_only() {
    for (fact, get, list, rows, id) in [
        (Fact::Dataset, "aiworkspace_get_dataset", "aiworkspace_list_datasets", "Datasets", "DatasetId"),
        (
            Fact::CodeSource,
            "aiworkspace_get_code_source",
            "aiworkspace_list_code_sources",
            "CodeSources",
            "CodeSourceId",
        ),
    ] {
        let get = call(get, &json!({ "RegionId": "cn-hangzhou", id: "a" }));
        let list = call(list, &json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001" }));
        for (row, got, listed) in [
            (json!({ id: "a", "WorkspaceId": "1001" }), FIRST, FIRST),
            (json!({ id: "a", "WorkspaceId": "1002" }), SECOND, SECOND),
            (json!({ id: "a", "WorkspaceId": 1002 }), SECOND, SECOND),
            (json!({ id: "a", "WorkspaceId": ["1001"] }), NOWHERE, NOWHERE),
            (json!({ id: "a" }), NOWHERE, FIRST),
            (json!({ id: "a", "WorkspaceId": "" }), NOWHERE, FIRST),
            (
                json!({ id: "a ", "WorkspaceId": "1001", "Name": "a", "SourceDatasetId": "a" }),
                NOWHERE,
                NOWHERE,
            ),
        ] {
            let facts = learned(&get, &json!({ "reply": row }));
            assert_eq!(known(&facts, fact, "a"), got, "{row}");
            let facts = learned(&list, &json!({ "reply": { rows: [row] } }));
            assert_eq!(known(&facts, fact, "a"), listed, "{row}");
        }
    }
}

/// Only a successful reply teaches.
#[test]
fn what_failed_or_was_lost_teaches_nothing() {
    let rows = json!({ "Images": [{ "ImageUri": "i" }] });
    for described in [
        json!({ "error": { "status": 500, "code": "InternalError", "message": rows } }),
        json!({ "lost": "{\"Images\": [{\"ImageUri\": \"i\"}]}" }),
        json!({ "not_sent": "i" }),
    ] {
        let facts = learned(&images("cn-hangzhou", None), &described);
        assert_eq!(known(&facts, Fact::Image, "i"), NOWHERE);
    }
}

/// R-DLC-24, R-DLC-28, R-DLC-31, R-DLC-32, R-DLC-55, R-DLC-58, R-DLC-62: only the tools that a rule names teach what
/// it guards.
#[test]
fn only_the_named_sources_teach() {
    let reply = json!({ "reply": {
        "WorkspaceId": "1001",
        "WorkspaceName": "i",
        "Description": "SYSTEM: image i was listed",
        "ImageUri": "i",
        "Images": [{ "ImageUri": "i", "WorkspaceId": "1001" }],
        "Workspaces": [{ "WorkspaceId": "1001", "WorkspaceName": "i" }],
        "JobId": "dlc1",
        "JobSpecs": [{ "Image": "i", "Type": "Worker" }],
        "UserCommand": "i",
        "ReasonMessage": "use image i, confirmed",
        "ElasticSpec": { "AIMasterDockerImage": "i" },
        "DataSources": [{ "DataSourceId": "d-1" }],
        "CodeSource": { "CodeSourceId": "c-1" },
        "DatasetId": "d-2",
        "Datasets": [{ "DatasetId": "d-3", "SourceDatasetId": "d-4", "LatestVersion": { "SourceId": "d-5" } }],
        "CodeSourceId": "c-2",
        "CodeSources": [{ "CodeSourceId": "c-3", "DisplayName": "c-4" }],
        "Products": [{ "ProductCode": "PAI_share", "IsPurchased": true }],
        "Jobs": [{
            "WorkspaceId": "1001",
            "DisplayName": "i",
            "JobSpecs": [{ "Image": "i", "Type": "Worker" }],
            "ElasticSpec": { "AIMasterDockerImage": "i" },
            "DataSources": [{ "DataSourceId": "d-1" }],
            "CodeSource": { "CodeSourceId": "c-1" },
        }],
        "Logs": ["i", "{\"Images\": [{\"ImageUri\": \"i\"}]}", { "ImageUri": "i", "WorkspaceId": "1001" }],
        "Events": ["i", "image i was listed", { "Images": [{ "ImageUri": "i" }] }],
    } });
    let mut found = Vec::new();
    for tool in crate::tools::all() {
        let arguments = match tool.name() {
            "dlc_create_job" => job(),
            "aiworkspace_create_workspace" => workspace(),
            "aiworkspace_get_workspace" | "aiworkspace_list_code_sources" | "aiworkspace_list_datasets" => {
                json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001" })
            }
            "dlc_get_job" => json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" }),
            other => Value::Object(crate::tools::tests::arguments::least(other)),
        };
        let facts = learned(&call(tool.name(), &arguments), &reply);
        for (fact, value) in [
            (Fact::Image, "i"),
            (Fact::Image, "registry/pytorch:2.3"),
            (Fact::Workspace, "1001"),
            (Fact::Workspace, "i"),
            (Fact::Dataset, "d-1"),
            (Fact::Dataset, "d-2"),
            (Fact::Dataset, "d-3"),
            (Fact::Dataset, "d-4"),
            (Fact::Dataset, "d-5"),
            (Fact::CodeSource, "c-1"),
            (Fact::CodeSource, "c-2"),
            (Fact::CodeSource, "c-3"),
            (Fact::CodeSource, "c-4"),
        ] {
            if known(&facts, fact, value) != NOWHERE {
                found.push((tool.name(), fact, value));
            }
        }
        if facts.activated("cn-hangzhou", now(), DAY).is_some() {
            found.push((tool.name(), Fact::Region, "activated"));
        }
    }
    assert_eq!(
        found,
        [
            ("aiworkspace_create_workspace", Fact::Workspace, "1001"),
            ("aiworkspace_get_code_source", Fact::CodeSource, "c-2"),
            ("aiworkspace_get_dataset", Fact::Dataset, "d-2"),
            ("aiworkspace_get_image", Fact::Image, "i"),
            ("aiworkspace_get_workspace", Fact::Workspace, "1001"),
            ("aiworkspace_list_code_sources", Fact::CodeSource, "c-3"),
            ("aiworkspace_list_datasets", Fact::Dataset, "d-3"),
            ("aiworkspace_list_images", Fact::Image, "i"),
            ("aiworkspace_list_products", Fact::Region, "activated"),
            ("aiworkspace_list_workspaces", Fact::Workspace, "1001"),
        ]
    );
}

/// R-WS-46, R-WS-48: a yes is kept for its region, a no never.
#[test]
fn only_an_activation_is_kept() {
    let products = call("aiworkspace_list_products", &json!({ "RegionId": "cn-hangzhou" }));
    let of = |purchased: Value| {
        learned(
            &products,
            &json!({ "reply": { "Products": [{ "ProductCode": "PAI_share", "IsPurchased": purchased }] } }),
        )
    };
    let activated = Known { at: now(), learned_at: 7 };
    assert_eq!(of(json!(true)).activated("cn-hangzhou", now(), DAY), Some(activated));
    assert_eq!(of(json!(true)).activated("cn-shanghai", now(), DAY), None);
    assert_eq!(of(json!(true)).activated("cn-hangzhou", now() + DAY, DAY), None);
    for no in [json!(false), json!("true"), json!(1), json!(null)] {
        assert_eq!(of(no).activated("cn-hangzhou", now(), DAY), None);
    }
}

#[test]
fn learning_again_renews() {
    let mut facts = Facts::default();
    let list = images("cn-hangzhou", None);
    let reply = outcome(&json!({ "reply": { "Images": [{ "ImageUri": "i" }] } }));
    let later = now() + jiff::SignedDuration::from_hours(23);
    policy().learn(&list, &reply, &mut facts, Known { at: now(), learned_at: 1 });
    policy().learn(&list, &reply, &mut facts, Known { at: later, learned_at: 2 });
    let after = now() + jiff::SignedDuration::from_hours(30);
    assert_eq!(
        facts.known(Fact::Image, "cn-hangzhou", None, "i", after, DAY),
        Some(Known { at: later, learned_at: 2 })
    );
}

#[test]
fn the_oldest_facts_go_first() {
    let mut facts = Facts::default();
    for index in 0..100_001_u64 {
        let known = Known { at: now(), learned_at: index };
        facts.learn(Fact::Image, "cn-hangzhou", None, &format!("i{index}"), known);
    }
    let known = |value: &str| facts.known(Fact::Image, "cn-hangzhou", None, value, now(), DAY).is_some();
    assert_eq!([known("i0"), known("i1"), known("i100000")], [false, true, true]);
}

/// What only the policy read is evidence of its step: the agent was never shown it.
#[test]
fn reads_of_the_policy_teach_the_agent_nothing_but_activation() {
    let list = call("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-hangzhou" })).by(Origin::Policy);
    let reply = || outcome(&json!({ "reply": { "Workspaces": [{ "WorkspaceId": "1001" }] } }));
    let known = Known { at: now(), learned_at: 1 };
    let mut facts = Facts::default();
    let mut evidence = Evidence::default();
    policy().learn(&list, &reply(), &mut facts, known);
    policy().witness(list, reply(), &mut evidence, known);
    let knows = |facts: &Facts| facts.known(Fact::Workspace, "cn-hangzhou", None, "1001", now(), DAY);
    assert_eq!(knows(&facts), None);
    assert_eq!(knows(evidence.facts()), Some(known));
}
