//! What is said of a workspace that can't be created or looked up as it is asked for, and how replies speak of its people.

use std::collections::BTreeSet;

use serde_json::json;

use super::arguments::{TYPE, accepted, changed, least, refused};
use super::catalogue::each_field;
use crate::spec::marks::Mark;
use crate::tools::find;

/// R-WS-34, R-WS-54: 3 to 23 ASCII letters, digits or underscores, a letter first.
#[test]
fn workspace_names_have_the_documented_form() {
    let tool = "aiworkspace_create_workspace";
    for name in ["abc", "my_workspace_01", "A23456789012345678901_3"] {
        accepted(tool, json!({ "WorkspaceName": name }));
    }
    let fault = "WorkspaceName: doesn't have the documented form; it must match ^[A-Za-z][A-Za-z0-9_]{2,22}$";
    for name in [
        "ab",
        "my-workspace",
        "1abc",
        "_abc",
        "a23456789012345678901_34",
        "工作空间",
        "abç",
        "abc ",
        "abc\n",
        "",
    ] {
        refused(tool, json!({ "WorkspaceName": name }), &[fault]);
    }
}

/// R-WS-36: at most 80 characters, not bytes; R-WS-52: required.
#[test]
fn descriptions_have_at_most_80_characters() {
    let tool = "aiworkspace_create_workspace";
    accepted(tool, json!({ "Description": "训".repeat(80) }));
    let long = "Description: is too long; give at most 80 characters";
    refused(tool, json!({ "Description": "训".repeat(81) }), &[long]);
    refused(tool, json!({ "Description": "x".repeat(81) }), &[long]);
    refused(tool, json!({ "Description": "" }), &["Description: is too short; give at least 1 characters"]);
    refused(tool, json!({ "Description": null }), &["Description: is required; give it"]);
}

/// R-WS-01, R-WS-37: simple mode is prod, standard mode dev and prod, in any order.
#[test]
fn environments_are_prod_or_both() {
    let tool = "aiworkspace_create_workspace";
    for environments in [json!(["prod"]), json!(["dev", "prod"]), json!(["prod", "dev"])] {
        let call = find(tool).unwrap().parse(&changed(tool, json!({ "EnvTypes": environments }))).unwrap();
        let sent = &call.arguments()["EnvTypes"];
        let expected = if environments.as_array().unwrap().len() == 1 {
            json!(["prod"])
        } else {
            json!(["dev", "prod"])
        };
        assert_eq!(sent, &expected);
    }
    let without = "EnvTypes: leaves the production environment out; give [\"prod\"] for simple mode or [\"dev\",\"prod\"] \
                   for standard mode";
    refused(tool, json!({ "EnvTypes": ["dev"] }), &[without]);
    refused(
        tool,
        json!({ "EnvTypes": ["prod", "prod"] }),
        &["EnvTypes: repeats an item; give each item once"],
    );
    refused(tool, json!({ "EnvTypes": [] }), &["EnvTypes: has too few items; give at least 1", without]);
    refused(tool, json!({ "EnvTypes": "prod" }), &[&format!("EnvTypes: must be a list; {TYPE}")]);
    let unknown =
        r#"EnvTypes[1]: isn't one of the documented values; give one of ["dev","prod"], in this case"#;
    refused(tool, json!({ "EnvTypes": ["prod", "Dev"] }), &[unknown]);
    refused(tool, json!({ "EnvTypes": null }), &["EnvTypes: is required; give it"]);
}

/// R-WS-56: a display name has no form; R-WS-38, R-WS-39: what isn't given isn't sent.
#[test]
fn display_names_are_free_and_nothing_is_filled_in() {
    let tool = "aiworkspace_create_workspace";
    accepted(tool, json!({ "DisplayName": "任意 name!" }));
    let call = find(tool).unwrap().parse(&least(tool)).unwrap();
    assert_eq!(call.arguments(), &least(tool));
}

/// R-WS-66: one workspace is got, not listed; R-WS-79: several ids are one string, without blanks or repeats.
#[test]
fn several_ids_are_one_string() {
    let tool = "aiworkspace_list_workspaces";
    accepted(tool, json!({ "WorkspaceIds": "123,456" }));
    let single = "WorkspaceIds: holds a single id; call aiworkspace_get_workspace for one workspace";
    refused(tool, json!({ "WorkspaceIds": "123" }), &[single]);
    refused(
        tool,
        json!({ "WorkspaceIds": "123,456,123" }),
        &["WorkspaceIds: repeats an id; give each id once"],
    );
    let form = "WorkspaceIds: doesn't have the documented form; it must match ^[0-9]+(,[0-9]+)*$";
    for wrong in ["123,,456", "123, 456", ",123,456", "123,456,", "abc,def"] {
        refused(tool, json!({ "WorkspaceIds": wrong }), &[form]);
    }
    refused(tool, json!({ "WorkspaceIds": "123 456" }), &[form, single]);
    let list = json!({ "WorkspaceIds": ["123", "456"] });
    refused(tool, list, &[&format!("WorkspaceIds: must be a string; {TYPE}")]);
}

/// R-WS-84: limits aren't workspaces; R-WS-85: a check needs a name.
#[test]
fn options_fit_the_other_arguments() {
    let tool = "aiworkspace_list_workspaces";
    accepted(tool, json!({ "Option": "CheckWorkspaceExists", "WorkspaceName": "vision_team" }));
    refused(
        tool,
        json!({ "Option": "CheckWorkspaceExists" }),
        &["WorkspaceName: is required by Option CheckWorkspaceExists; give the name to check"],
    );
    refused(
        tool,
        json!({ "Option": "GetResourceLimits", "WorkspaceIds": "123,456" }),
        &[
            "WorkspaceIds: goes with a list of workspaces, not with resource limits; leave WorkspaceIds or Option out",
        ],
    );
}

/// R-WS-10, R-WS-11, R-WS-12, R-WS-13, R-WS-23, R-WS-24, R-WS-90: who is named in a workspace's reply is masked, and
/// no field keeps the wire's name.
#[test]
fn workspace_replies_speak_natural_language() {
    let mut marked = BTreeSet::new();
    for name in ["aiworkspace_get_workspace", "aiworkspace_list_workspaces", "aiworkspace_create_workspace"] {
        each_field("", find(name).unwrap().reply(), &mut |path, shape, mark| {
            let wire = path.rsplit('.').next().unwrap();
            let label = shape.label.as_deref().unwrap_or_else(|| panic!("{name}{path} has no label"));
            let plain = ["Status", "Owner", "Workspaces", "Description"].contains(&wire);
            assert!(label != wire || plain, "{name}{path} keeps its wire name");
            if let Some(mark) = mark {
                marked.insert((wire.to_owned(), label.to_owned(), mark));
            }
        });
    }
    let expected = [
        ("AdminNames", "Administrators", Mark::First),
        ("Creator", "Creator ID", Mark::Last4),
        ("DisplayName", "Display Name", Mark::First),
        ("EnvTypes", "Environment", Mark::Joined),
        ("UserId", "Owner ID", Mark::Last4),
        ("UserKp", "Owner Key", Mark::Omit),
        ("UserName", "Username", Mark::First),
    ];
    let expected = expected.map(|(wire, label, mark)| (wire.to_owned(), label.to_owned(), mark));
    assert_eq!(marked, BTreeSet::from(expected));
}

/// R-WS-69, R-WS-70, R-WS-71, R-WS-73: the words that call for Verbose are where the agent reads them.
#[test]
fn the_description_says_when_to_set_verbose() {
    let schema = find("aiworkspace_get_workspace").unwrap().schema();
    for word in
        ["所有者", "拥有者", "创建者", "管理员", "负责人", "归属", "owner", "admin", "Set Verbose only when"]
    {
        assert!(schema.description.contains(word), "{word}");
    }
    let verbose = &schema.advertised["properties"]["Verbose"];
    assert_eq!(verbose["description"], "Adds Owner and AdminNames.");
    assert_eq!(schema.advertised["required"], json!(["RegionId", "WorkspaceId"]));
}
