use serde_json::json;

use super::*;
use crate::tools::find;

/// What is said beside a reply.
fn beside(tool: &str, arguments: Value, reply: Value, advice: &[String]) -> Value {
    let call = find(tool).unwrap().parse(arguments.as_object().unwrap()).unwrap();
    let remarks = Remarks::default().with_advice(advice);
    with_remarks(&call, &Raw::new(reply), json!({}), &remarks, &Seen::default(), &mut BTreeMap::new())
}

/// R-WS-68: ENABLED is ready, and nothing else is.
#[test]
fn only_an_enabled_workspace_is_ready() {
    let get = || json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001" });
    for (reply, expected) in [
        (json!({ "Status": "ENABLED" }), json!({ "Ready": true })),
        (json!({ "Status": "INITIALIZING" }), json!({ "Ready": false })),
        (json!({ "Status": "enabled" }), json!({ "Ready": false })),
        (json!({ "Status": "FROZEN" }), json!({ "Ready": false })),
        (json!({ "Status": null }), json!({})),
        (json!({}), json!({})),
    ] {
        assert_eq!(beside("aiworkspace_get_workspace", get(), reply, &[]), expected);
    }
    let create = json!({ "RegionId": "cn-hangzhou", "WorkspaceName": "vision", "Description": "d", "EnvTypes": ["prod"] });
    let expected = json!({ "Next": "it can be used once aiworkspace_get_workspace shows that it is ready" });
    assert_eq!(
        beside("aiworkspace_create_workspace", create, json!({ "WorkspaceId": "1001" }), &[]),
        expected
    );
}

/// R-DLC-48: without a start, the window is told.
#[test]
fn the_window_of_events_is_told_where_none_was_given() {
    let events = |more: Value| {
        let mut arguments = json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        beside("dlc_get_job_events", arguments, json!({ "Events": [] }), &[])
    };
    let window =
        "no StartTime was given: these are the events of the last 7 days before EndTime, or before now";
    assert_eq!(events(json!({})), json!({ "window": window }));
    assert_eq!(events(json!({ "EndTime": "2026-01-02T00:00:00Z" })), json!({ "window": window }));
    assert_eq!(events(json!({ "StartTime": "2026-01-01T00:00:00Z" })), json!({}));
}

/// R-DLC-43: a link's result says how long it is good, or that the service decides.
#[test]
fn how_long_a_link_or_a_token_is_good_is_told() {
    let link = |more: Value| {
        let mut arguments = json!({ "RegionId": "cn-hangzhou", "TensorboardId": "tb1" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        beside("dlc_get_tensorboard_shared_url", arguments, json!({}), &[])
    };
    assert_eq!(
        link(json!({ "ExpireTimeSeconds": 3600 })),
        json!({ "expires": "the link is good for 3600 seconds from now" })
    );
    let decided = "the link is good for a limited time; no ExpireTimeSeconds was given, so the service decides how long";
    assert_eq!(link(json!({})), json!({ "expires": decided }));
}

#[test]
fn advice_stands_beside_the_reply() {
    let list = json!({ "RegionId": "cn-hangzhou" });
    let advice = ["use what is known".to_owned()];
    assert_eq!(
        beside("aiworkspace_list_workspaces", list, json!({}), &advice),
        json!({ "advice": ["use what is known"] })
    );
}
