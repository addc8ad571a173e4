//! What an outcome means, and what is done about it.

use std::collections::BTreeMap;

use super::*;
use crate::error::Fault;
use crate::policy::refusal::CloudFailure;
use crate::policy::verdict::Review;

/// What a review says, whole.
fn reviewed(call: &Call, described: &Value, reads: &[(Value, Value)]) -> Value {
    let mut evidence = Evidence::default();
    let mut seen = Seen::default();
    for (arguments, described) in reads {
        let tool = if arguments.get("WorkspaceId").is_some() {
            "aiworkspace_get_workspace"
        } else {
            "aiworkspace_list_workspaces"
        };
        evidence.add(self::call(tool, arguments).by(Origin::Policy), outcome(described));
    }
    let outcome = outcome(described);
    policy().note(call, &outcome, &mut seen);
    match policy().review(call, &outcome, &evidence, now()) {
        Review::Done => json!("done"),
        Review::Told(remarks) => json!({ "told": remarks.iter().collect::<BTreeMap<_, _>>() }),
        Review::Need(calls) => json!(
            calls
                .iter()
                .map(|call| {
                    assert_eq!(call.origin(), Origin::Policy);
                    json!([call.tool().name(), call.arguments()])
                })
                .collect::<Vec<_>>()
        ),
        Review::Exists(existing) => policy().mask_existing(&existing, &mut seen).body().clone(),
        Review::Refused(refusal) => policy().mask_refusal(&refusal, &mut seen).body().clone(),
    }
}

fn create() -> Call {
    call("aiworkspace_create_workspace", &workspace())
}

fn check() -> Value {
    json!({ "RegionId": "cn-hangzhou", "WorkspaceName": "vision_team", "Option": "CheckWorkspaceExists" })
}

fn get() -> Value {
    json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001" })
}

fn exists(description: &str) -> Vec<(Value, Value)> {
    let row = json!({ "WorkspaceName": "vision_team", "WorkspaceId": "1001" });
    let workspace = json!({
        "WorkspaceName": "vision_team",
        "WorkspaceId": "1001",
        "EnvTypes": ["prod", "dev"],
        "Description": description,
        "Creator": "206350718294416672",
    });
    vec![
        (check(), json!({ "reply": { "TotalCount": 1, "Workspaces": [row] } })),
        (get(), json!({ "reply": workspace })),
    ]
}

fn taken() -> Value {
    json!({ "error": { "status": 400, "code": "WorkspaceNameAlreadyExists", "message": "in use", "request_id": "r-1" } })
}

/// R-WS-65: an id, also as a number, is success; none is an error.
#[test]
fn what_was_made_without_an_id_is_uncertain() {
    let again = "call again with the same arguments: what exists is returned, not made twice";
    let look = "ask the user to look in the console before it is tried again";
    for (call, field, fix) in
        [(create(), "WorkspaceId", again), (call("dlc_create_job", &job()), "JobId", look)]
    {
        assert_eq!(reviewed(&call, &json!({ "reply": { field: "1234" } }), &[]), json!("done"));
        assert_eq!(reviewed(&call, &json!({ "reply": { field: 1234 } }), &[]), json!("done"));
        for reply in [json!({ field: "" }), json!({}), json!({ field: null }), json!([]), json!("")] {
            assert_eq!(
                reviewed(&call, &json!({ "reply": reply }), &[]),
                json!({
                    "error": format!("the cloud answered without a {field}"),
                    "rule": "cloud-incomplete-answer",
                    "violations": [{
                        "path": "",
                        "message": "it isn't certain that anything was made",
                        "fix": fix,
                    }],
                    "retryable": false,
                })
            );
        }
    }
}

/// R-WS-64: a lost race is looked into, and nothing is sent twice.
#[test]
fn a_lost_race_ends_in_the_existing_workspace_or_in_a_difference() {
    assert_eq!(reviewed(&create(), &taken(), &[]), json!([["aiworkspace_list_workspaces", check()]]));
    assert_eq!(
        reviewed(&create(), &taken(), &exists("x")[..1]),
        json!([["aiworkspace_get_workspace", get()]])
    );
    assert_eq!(
        reviewed(&create(), &taken(), &exists("Training for the vision team")),
        json!({
            "Workspace ID": "1001",
            "Already Existed": true,
            "Note": "another caller created it at the same moment, with these settings; nothing was created twice",
            "Existing": {
                "Workspace Name": "vision_team",
                "Workspace ID": "1001",
                "Environment": "prod, dev",
                "Creator ID": "****6672",
                "Description": "Training for the vision team",
            },
        })
    );
    assert_eq!(
        reviewed(&create(), &taken(), &exists("something else")),
        json!({
            "error": "the name is taken by a workspace with other settings; nothing was created",
            "rule": "workspace-created-once",
            "violations": [{
                "path": "Description",
                "message": "Description is \"something else\" in the existing workspace, \"Training for the vision team\" was asked for",
                "fix": "ask the user for another WorkspaceName, or for these settings",
            }],
            "retryable": false,
        })
    );
}

#[test]
fn a_name_that_is_taken_and_free_at_once_is_the_clouds_error() {
    assert_eq!(
        reviewed(&create(), &taken(), &[(check(), json!({ "reply": { "TotalCount": 0 } }))]),
        json!({
            "error": "the cloud refused the call (400)",
            "rule": "cloud-refused",
            "violations": [{
                "path": "",
                "message": "the cloud refused the call (400)",
                "fix": "read the cloud's message, mend the arguments, call again",
            }],
            "retryable": false,
            "cloud": { "status": 400, "code": "WorkspaceNameAlreadyExists", "message": "in use", "request_id": "r-1" },
        })
    );
}

/// R-WS-43, R-WS-57: a lost answer is looked into.
#[test]
fn a_lost_answer_is_looked_into() {
    let lost = json!({ "lost": "the connection was closed" });
    assert_eq!(reviewed(&create(), &lost, &[]), json!([["aiworkspace_list_workspaces", check()]]));
    let found = reviewed(&create(), &lost, &exists("Training for the vision team"));
    assert_eq!(found["Workspace ID"], "1001");
    assert_eq!(found["Already Existed"], true);
    assert_eq!(
        found["Note"],
        "the cloud's answer was lost; a look shows that it exists, with these settings"
    );
    assert_eq!(
        reviewed(&create(), &lost, &[(check(), json!({ "reply": { "TotalCount": 0 } }))]),
        json!({
            "error": "the connection was closed; a look doesn't show the workspace, so it probably wasn't created",
            "rule": "cloud-lost-answer",
            "violations": [{
                "path": "",
                "message": "lists can lag, so it isn't certain",
                "fix": "wait a little, then call again with the same arguments: what exists is returned, not made twice",
            }],
            "retryable": true,
        })
    );
    // What is there now may be what was asked for, and a look that fails settles nothing: no word of "not created".
    let may_be = json!({
        "path": "",
        "message": "a workspace of this name that is there now may be the one that was asked for",
        "fix": "ask the user to look, or call again with the same arguments later: what exists is returned, not made twice",
    });
    let unsettled = "the workspace may have been created, and a look doesn't settle it";
    assert_eq!(
        reviewed(&create(), &lost, &exists("Another purpose")),
        json!({
            "error": format!("the connection was closed; {unsettled}"),
            "rule": "cloud-lost-answer",
            "violations": [may_be, {
                "path": "Description",
                "message": "Description is \"Another purpose\" in the existing workspace, \"Training for the vision team\" was asked for",
                "fix": "tell the user of this",
            }],
            "retryable": true,
        })
    );
    assert_eq!(
        reviewed(&create(), &lost, &[(check(), json!({ "lost": "cut off" }))]),
        json!({
            "error": format!("the connection was closed; then cut off; {unsettled}"),
            "rule": "cloud-lost-answer",
            "violations": [may_be, {
                "path": "",
                "message": "the cloud's answer was lost, or isn't one",
                "fix": "tell the user of this",
            }],
            "retryable": true,
        })
    );
}

/// A job has no name to look for: what became of it can't be known.
#[test]
fn a_job_whose_answer_was_lost_is_unknown_and_never_sent_again() {
    assert_eq!(
        reviewed(&call("dlc_create_job", &job()), &json!({ "lost": "no answer within 60 s" }), &[]),
        json!({
            "error": "no answer within 60 s; it may have been carried out",
            "rule": "cloud-lost-answer",
            "violations": [{
                "path": "",
                "message": "nobody can know yet whether the cloud did it",
                "fix": "ask the user to look in the console before it is tried again",
            }],
            "retryable": false,
        })
    );
}

#[test]
fn what_was_not_sent_can_be_tried_again() {
    let unreachable = |reason: &str| {
        json!({
            "error": reason,
            "rule": "cloud-unreachable",
            "violations": [{
                "path": "",
                "message": "the call didn't reach the cloud",
                "fix": "do what the reason calls for: wait, or check the network; then call again",
            }],
            "retryable": true,
        })
    };
    for call in [create(), call("dlc_create_job", &job()), call("aiworkspace_get_workspace", &get())] {
        let reviewed = reviewed(&call, &json!({ "not_sent": "no route to the host" }), &[]);
        assert_eq!(reviewed, unreachable("no route to the host"));
    }
}

/// A read whose answer can't be had or understood changed nothing: it isn't the network's fault alone.
#[test]
fn a_read_whose_answer_was_lost_can_be_tried_again() {
    let read = reviewed(&call("aiworkspace_get_workspace", &get()), &json!({ "lost": "cut off" }), &[]);
    assert_eq!(
        read,
        json!({
            "error": "cut off",
            "rule": "cloud-lost-answer",
            "violations": [{
                "path": "",
                "message": "the cloud's answer was lost, or isn't one",
                "fix": "call again; if it stays so, tell the operator to check the network and the address of the service",
            }],
            "retryable": true,
        })
    );
}

/// R-WS-29, R-WS-30, R-DLC-63, R-DLC-87: what is missing first, then all that the product needs; not
/// retried. Whom the denial names doesn't show.
#[test]
fn a_permission_failure_lists_the_actions() {
    let denied = |action: Value, message: &str| {
        json!({ "error": {
            "status": 403,
            "code": "Forbidden.RAM",
            "message": message,
            "denied": { "action": action, "principal": ["sun.hao-canary", 1_460_933_751_288_497_u64] },
        } })
    };
    let failure = reviewed(
        &call("aiworkspace_get_workspace", &get()),
        &denied(
            json!("paiworkspace:GetWorkspace"),
            "User sun.hao-canary of 1460933751288497 is not authorised",
        ),
        &[],
    );
    let fix = "ask the user to have it granted in RAM, and wait until they say it is; the AIWorkSpace tools need \
               paicodesource:GetCodeSource, paicodesource:ListCodeSources, paidataset:GetDataset, \
               paidataset:ListDatasets, paiimage:GetImage, paiimage:ListImages, paiworkspace:CreateWorkspace, \
               paiworkspace:GetWorkspace, paiworkspace:ListWorkspaces; the ram-permission-diagnose skill can guide the request";
    let text = "the account lacks the permission paiworkspace:GetWorkspace";
    let mut expected = Refusal::new("cloud-permission", text).with(Fault::new("", text, fix));
    expected.cloud = Some(Box::new(CloudFailure {
        status: 403,
        code: "Forbidden.RAM".to_owned(),
        message: "User [masked] of [masked] is not authorised".to_owned(),
        request_id: None,
        recommend: None,
    }));
    assert_eq!(failure, serde_json::to_value(&expected).unwrap());
    for action in [Value::Null, json!("")] {
        let said = reviewed(&call("dlc_create_job", &job()), &denied(action, "no"), &[]);
        assert_eq!(said["error"], "the account lacks the permission paidlc:CreateJob");
    }
}

#[test]
fn each_kind_of_cloud_error_has_its_words() {
    for (tool, status, code, rule, retryable) in [
        ("aiworkspace_get_workspace", 302, "", "cloud-redirect", false),
        ("dlc_create_job", 307, "", "cloud-redirect", false),
        ("aiworkspace_get_workspace", 404, "100400027", "cloud-not-found", false),
        ("aiworkspace_get_workspace", 404, "100400008", "cloud-not-found", false),
        ("aiworkspace_get_workspace", 404, "SomethingElse", "cloud-refused", false),
        ("aiworkspace_get_dataset", 404, "201300003", "cloud-not-found", false),
        ("aiworkspace_get_dataset", 400, "201300003", "cloud-not-found", false),
        ("aiworkspace_get_code_source", 404, "201400002", "cloud-not-found", false),
        ("aiworkspace_get_image", 404, "NotFound.Image", "cloud-refused", false),
        ("aiworkspace_get_workspace", 403, "AccessDenied", "cloud-permission", false),
        ("aiworkspace_get_workspace", 400, "NoPermission", "cloud-permission", false),
        ("aiworkspace_get_workspace", 407, "", "cloud-proxy", false),
        ("aiworkspace_get_workspace", 429, "Throttling.User", "cloud-throttled", true),
        ("aiworkspace_get_workspace", 400, "Throttling", "cloud-throttled", true),
        ("aiworkspace_get_workspace", 404, "InvalidAccessKeyId.NotFound", "cloud-credentials", false),
        ("aiworkspace_get_workspace", 400, "SignatureDoesNotMatch", "cloud-credentials", false),
        ("aiworkspace_get_workspace", 400, "InvalidSecurityToken.Expired", "cloud-credentials", false),
        ("aiworkspace_get_workspace", 400, "InvalidTimeStamp.Expired", "cloud-clock", true),
        ("aiworkspace_get_workspace", 503, "ServiceUnavailable", "cloud-failure", true),
        ("aiworkspace_create_workspace", 500, "InternalError", "cloud-failure", false),
        ("dlc_create_job", 502, "", "cloud-failure", false),
        ("dlc_create_job", 400, "InvalidParameter", "cloud-refused", false),
    ] {
        let call = match tool {
            "dlc_create_job" => call(tool, &job()),
            "aiworkspace_create_workspace" => create(),
            "aiworkspace_get_workspace" => call(tool, &get()),
            other => call(other, &Value::Object(crate::tools::tests::arguments::least(other))),
        };
        let error = json!({ "error": { "status": status, "code": code, "message": "m" } });
        let said = reviewed(&call, &error, &[]);
        assert_eq!(
            (&said["rule"], &said["retryable"]),
            (&json!(rule), &json!(retryable)),
            "{tool} {status} {code}"
        );
    }
}

/// A 403 without a code, words and an id isn't the cloud's: no permission is asked for because of it, and the same call
/// again isn't a matter for the user.
#[test]
fn a_refusal_of_a_proxy_is_told_from_the_clouds() {
    for (tool, arguments) in
        [("aiworkspace_get_workspace", get()), ("pyromind_get_sandbox", json!({ "sandbox_id": "sbx_1" }))]
    {
        let call = call(tool, &arguments);
        for status in [403, 407, 511] {
            let error = json!({ "error": { "status": status, "code": "", "message": "" } });
            let said = reviewed(&call, &error, &[]);
            assert_eq!(said["rule"], "cloud-proxy", "{tool} {status}");
            assert!(!said.to_string().contains("RAM"), "{said}");
            let mut world = World::ready();
            policy().remember(&call, &outcome(&error), &mut world.history, now());
            assert_eq!(judge(policy(), &call, &world).name(), "cleared", "{tool} {status}");
        }
        let own = json!({ "error": { "status": 403, "code": "Forbidden.RAM", "message": "no", "request_id": "r-1" } });
        assert_eq!(reviewed(&call, &own, &[])["rule"], "cloud-permission");
        let mut world = World::ready();
        policy().remember(&call, &outcome(&own), &mut world.history, now());
        assert_eq!(question(judge(policy(), &call, &world)).rule(), "permission-granted-first");
    }
}

/// R-WS-74: the id that was asked for, and no search for another.
#[test]
fn a_missing_workspace_is_told_with_its_id() {
    let error = json!({ "error": { "status": 404, "code": "100400027", "message": "Workspace not exists" } });
    let said = reviewed(&call("aiworkspace_get_workspace", &get()), &error, &[]);
    assert_eq!(said["error"], "workspace 1001 does not exist in cn-hangzhou");
    assert_eq!(
        said["violations"],
        json!([{
            "path": "WorkspaceId",
            "message": "workspace 1001 does not exist in cn-hangzhou",
            "fix": "tell the user that this workspace id doesn't exist; don't search for another",
        }])
    );
}

/// A missing asset is told with where those that exist are listed.
#[test]
fn a_missing_asset_is_told_with_its_list() {
    let error =
        json!({ "error": { "status": 404, "code": "201400002", "message": "CodeSource not exists" } });
    let get = json!({ "RegionId": "cn-hangzhou", "CodeSourceId": "code-1" });
    let said = reviewed(&call("aiworkspace_get_code_source", &get), &error, &[]);
    assert_eq!(
        said["violations"],
        json!([{
            "path": "CodeSourceId",
            "message": "there is no such code source in cn-hangzhou",
            "fix": "call aiworkspace_list_code_sources and use an id that it returns, or ask the user",
        }])
    );
}
