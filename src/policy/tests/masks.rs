//! What a reply shows, mark by mark, and what is left of whatever it holds besides.

use std::collections::BTreeMap;

use super::*;
use crate::policy::mask::Masked;
use crate::policy::verdict::Existing;

fn least(tool: &str) -> Call {
    let arguments = match tool {
        "dlc_create_job" => job(),
        "aiworkspace_create_workspace" => workspace(),
        "aiworkspace_get_workspace" => json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001" }),
        "dlc_get_job" => json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" }),
        other => Value::Object(crate::tools::tests::arguments::least(other)),
    };
    call(tool, &arguments)
}

fn masked(call: &Call, reply: Value, seen: &mut Seen) -> Masked {
    policy().mask_reply(call, &Outcome::Reply(Raw::new(reply)), seen).unwrap().masked
}

fn shown(tool: &str, reply: Value) -> (Value, BTreeMap<String, u64>) {
    let masked = masked(&least(tool), reply, &mut Seen::default());
    assert!(!masked.is_error());
    (masked.body().clone(), masked.redactions().clone())
}

fn counts<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
}

fn verbose() -> Value {
    json!({
        "WorkspaceName": "vision_team",
        "WorkspaceId": "1001",
        "Status": "ENABLED",
        "EnvTypes": ["dev", "prod"],
        "GmtCreateTime": "2026-01-02T03:04:05Z",
        "Creator": "203918475562018833",
        "Owner": {
            "UserName": "zhangwei",
            "UserId": "1095312831785714",
            "DisplayName": "张伟",
            "UserKp": "1755049830261894",
        },
        "AdminNames": ["alice@corp.example", "李四"],
        "DisplayName": "Vision",
        "Description": "asked for by zhangwei (1095312831785714), 张伟, kp 1755049830261894",
        "ExtraInfos": { "contact": "zhao@corp.example" },
        "RequestId": "r-1",
    })
}

/// R-WS-10, R-WS-11, R-WS-12, R-WS-13, R-WS-15, R-WS-22, R-WS-23, R-WS-24, R-WS-26, R-WS-68: the order, the names and the
/// masks of a workspace.
#[test]
fn a_workspace_is_shown_in_natural_language() {
    let (body, redactions) = shown("aiworkspace_get_workspace", verbose());
    let expected = json!({
        "Workspace Name": "vision_team",
        "Workspace ID": "1001",
        "Status": "ENABLED",
        "Environment": "dev, prod",
        "Created": "2026-01-02T03:04:05Z",
        "Creator ID": "****8833",
        "Owner": { "Username": "z***", "Owner ID": "****5714", "Display Name": "张***" },
        "Administrators": ["a***", "李***"],
        "Display Name": "Vision",
        "Description": "asked for by [masked] ([masked]), [masked], kp [masked]",
        "Request ID": "r-1",
        "Ready": true,
    });
    assert_eq!(body, expected);
    assert_eq!(body.to_string(), expected.to_string(), "the order counts too");
    assert_eq!(redactions, counts([("last4", 2), ("first", 4), ("omit", 1), ("dropped", 1), ("swept", 4)]));
}

/// R-WS-25: a basic reply has no owner; R-WS-27: what is empty or absent shows as N/A.
#[test]
fn a_basic_workspace_has_no_owner_and_empty_values_show_as_not_available() {
    let (body, redactions) = shown(
        "aiworkspace_get_workspace",
        json!({ "WorkspaceName": "vision_team", "WorkspaceId": "1001", "Creator": "", "EnvTypes": [] }),
    );
    assert_eq!(
        body,
        json!({ "Workspace Name": "vision_team", "Workspace ID": "1001", "Environment": "", "Creator ID": "N/A" })
    );
    assert_eq!(redactions, BTreeMap::new());
    let (body, _) = shown(
        "aiworkspace_get_workspace",
        json!({ "Creator": null, "Owner": { "UserId": null, "UserKp": "" }, "AdminNames": ["", null] }),
    );
    assert_eq!(
        body,
        json!({
            "Creator ID": "N/A",
            "Owner": { "Username": "N/A", "Owner ID": "N/A", "Display Name": "N/A" },
            "Administrators": [],
        })
    );
}

/// R-WS-90: rows are masked without Verbose; R-WS-84: limits have a view of their own.
#[test]
fn rows_are_masked_and_short() {
    let row = json!({
        "WorkspaceName": "vision_team",
        "WorkspaceId": "1001",
        "Status": "ENABLED",
        "EnvTypes": ["prod"],
        "GmtCreateTime": "2026-01-02T03:04:05Z",
        "Creator": "208846120937745106",
        "AdminNames": ["bob.li@corp.example"],
        "Description": "bob.li@corp.example asks",
        "resourceGroupId": "rg-1",
        "IsDefault": true,
    });
    let reply = json!({ "TotalCount": 1, "Workspaces": [row], "RequestId": "r-1" });
    let summary = json!({
        "Workspace Name": "vision_team",
        "Workspace ID": "1001",
        "Status": "ENABLED",
        "Environment": "prod",
        "Created": "2026-01-02T03:04:05Z",
        "Creator ID": "****5106",
        "Administrators": ["b***"],
    });
    let (body, _) = shown("aiworkspace_list_workspaces", reply.clone());
    assert_eq!(body, json!({ "Total Count": 1, "Workspaces": [summary], "Request ID": "r-1" }));
    let full = call("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-hangzhou", "detail": "full" }));
    let masked = masked(&full, reply, &mut Seen::default());
    let row = &masked.body()["Workspaces"][0];
    assert_eq!(row["Description"], "[masked] asks");
    assert_eq!(row["Resource Group ID"], "rg-1");
    assert_eq!(row["Default Workspace"], true);
    let (body, _) = shown(
        "aiworkspace_list_workspaces",
        json!({ "ResourceLimits": { "MaxWorkspaceCount": 5 }, "TotalCount": "0" }),
    );
    assert_eq!(body, json!({ "Total Count": 0, "Resource Limits": { "MaxWorkspaceCount": 5 } }));
}

/// R-WS-23: no wire name of a personal field is a key, wherever it stands.
#[test]
fn no_workspace_reply_has_a_forbidden_key() {
    fn keys(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    found.push(key.clone());
                    keys(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|value| keys(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let existing = Existing {
        tool: find("aiworkspace_get_workspace").unwrap(),
        id: "WorkspaceId",
        reply: Raw::new(verbose()),
        note: "it was there".to_owned(),
    };
    let existing = policy().mask_existing(&existing, &mut Seen::default());
    let mut found = Vec::new();
    keys(existing.body(), &mut found);
    keys(&shown("aiworkspace_get_workspace", verbose()).0, &mut found);
    for list in [json!([verbose()]), json!({ "Workspaces": [verbose()] })] {
        keys(&shown("aiworkspace_list_workspaces", list).0, &mut found);
    }
    for forbidden in ["UserId", "UserName", "UserKp", "AdminNames", "Creator", "DisplayName", "ExtraInfos"] {
        assert!(!found.iter().any(|key| key == forbidden), "{forbidden}");
    }
}

/// R-WS-62
#[test]
fn what_exists_says_so() {
    let existing = Existing {
        tool: find("aiworkspace_get_workspace").unwrap(),
        id: "WorkspaceId",
        reply: Raw::new(json!({ "WorkspaceId": "1001", "Creator": "203918475562018833" })),
        note: "it was there".to_owned(),
    };
    let masked = policy().mask_existing(&existing, &mut Seen::default());
    assert_eq!(
        masked.body(),
        &json!({
            "Workspace ID": "1001",
            "Already Existed": true,
            "Note": "it was there",
            "Existing": { "Workspace ID": "1001", "Creator ID": "****8833" },
        })
    );
}

#[test]
fn short_identifiers_show_nothing() {
    for (given, expected) in
        [("1", "****"), ("1234", "****"), ("12345", "****2345"), ("用户标识五", "****户标识五")]
    {
        let (body, _) = shown("aiworkspace_get_workspace", json!({ "Creator": given }));
        assert_eq!(body["Creator ID"], expected);
    }
}

#[test]
fn a_job_shows_the_names_of_its_variables_only() {
    let (body, redactions) = shown(
        "dlc_get_job",
        json!({
            "JobId": "dlc1",
            "Envs": { "WANDB": "wandb-canary-5d2c8f1e7a90b346", "MODE": "train" },
            "CustomEnvs": [{ "Key": "HF", "Value": "hf_canaryQx7TbZ2mLr9KpVw4", "Visible": "private" }],
            "CredentialConfig": { "CredentialConfigItems": [{ "Roles": [{
                "RoleArn": "acs:ram::1:role/r",
                "AssumeUserInfo": { "AccessKeyId": "STS.NUcanary7Hf2Kd9Lq", "SecurityToken": "CAIScanary" },
            }] }] },
            "UserId": 1_095_312_831_785_714_u64,
            "TenantId": null,
            "UserCommand": "MODE=train WANDB=wandb-canary-5d2c8f1e7a90b346 python train.py hf_canaryQx7TbZ2mLr9KpVw4",
            "RequestGPU": "1.5",
            "RequestCPU": "8",
            "Priority": 3,
            "RestartTimes": 0,
            "EnabledDebugger": "false",
            "RoleSystemEnvs": { "Worker": { "X": "y" } },
            "Settings": { "AdvancedSettings": { "k": "v" }, "Tags": { "owner": "1095312831785714" } },
        }),
    );
    assert_eq!(
        body,
        json!({
            "JobId": "dlc1",
            "CredentialConfig": { "CredentialConfigItems": [{ "Roles": [{ "RoleArn": "acs:ram::1:role/r" }] }] },
            "CustomEnvs": [{ "Key": "HF", "Visible": "private" }],
            "EnabledDebugger": false,
            "Envs": { "WANDB": "****", "MODE": "****" },
            "Priority": 3,
            "RequestCPU": 8,
            "RequestGPU": 1.5,
            "RestartTimes": "0",
            "Settings": {
                "Business User ID": "N/A",
                "Calling User": "N/A",
                "Tags": { "owner": "[masked]" },
            },
            "Tenant ID": "N/A",
            "UserCommand": "MODE=train WANDB=[masked] python train.py [masked]",
            "User ID": "****5714",
        })
    );
    assert_eq!(
        redactions,
        counts([("last4", 1), ("env_value", 1), ("env_values", 2), ("dropped", 3), ("swept", 3)])
    );
}

#[test]
fn odd_types_are_coerced_among_scalars_or_dropped() {
    for (given, expected, dropped) in [
        (json!({ "Duration": 5 }), json!({ "Duration": 5 }), 0),
        (json!({ "Duration": "5" }), json!({ "Duration": 5 }), 0),
        (json!({ "Duration": "5 minutes" }), json!({}), 1),
        (json!({ "Duration": true }), json!({}), 1),
        (json!({ "Duration": [5] }), json!({}), 1),
        (json!({ "Status": 5 }), json!({ "Status": "5" }), 0),
        (json!({ "Status": false }), json!({ "Status": "false" }), 0),
        (json!({ "Status": ["Running"] }), json!({}), 1),
        (json!({ "Status": { "a": 1 } }), json!({}), 1),
        (json!({ "Status": null }), json!({}), 0),
        (json!({ "EnabledDebugger": "true" }), json!({ "EnabledDebugger": true }), 0),
        (json!({ "EnabledDebugger": 1 }), json!({}), 1),
        (json!({ "Pods": {} }), json!({}), 0),
        (json!({ "Pods": { "PodId": "p" } }), json!({}), 1),
        (json!({ "Pods": [1, { "PodId": "p" }] }), json!({ "Pods": [{ "PodId": "p" }] }), 1),
        (json!({ "ThirdpartyLibs": ["a", 2, null] }), json!({ "ThirdpartyLibs": ["a", "2"] }), 0),
        (json!({ "Unknown": "x", "Another": 1, "Empty": {} }), json!({}), 2),
    ] {
        let (mut body, redactions) = shown("dlc_get_job", given.clone());
        let body = body.as_object_mut().unwrap();
        body.retain(|key, _| key != "Tenant ID" && key != "User ID");
        assert_eq!(Value::Object(body.clone()), expected, "{given}");
        assert_eq!(redactions.get("dropped").copied().unwrap_or(0), dropped, "{given}");
    }
}

#[test]
fn a_reply_that_is_no_object_shows_nothing() {
    for reply in [json!(null), json!("1095312831785714"), json!([verbose()]), json!(7)] {
        assert_eq!(shown("aiworkspace_get_workspace", reply).0, json!({}));
    }
}

/// R-WS-14: what stands under a mask is swept elsewhere, whatever form it has there.
#[test]
fn a_masked_value_of_another_form_is_swept_too() {
    for (field, given) in [
        ("Creator", json!(["canary-8f2e91"])),
        ("Creator", json!({ "Id": "canary-8f2e91" })),
        ("AdminNames", json!("canary-8f2e91")),
        ("AdminNames", json!([["canary-8f2e91"], { "Name": "canary-8f2e91" }])),
        ("Owner", json!("canary-8f2e91")),
        ("Owner", json!([{ "UserKp": "canary-8f2e91" }])),
        ("Owner", json!({ "UserKp": { "a": ["canary-8f2e91"] } })),
    ] {
        let (body, _) = shown(
            "aiworkspace_get_workspace",
            json!({ field: given, "Description": "by canary-8f2e91", "WorkspaceName": "xcanary-8f2e91x" }),
        );
        assert_eq!(body["Description"], "by [masked]", "{given}");
        assert_eq!(body["Workspace Name"], "x[masked]x", "{given}");
    }
}

#[test]
fn what_a_scope_has_seen_is_swept_from_later_words() {
    let mut seen = Seen::default();
    let get = least("aiworkspace_get_workspace");
    masked(&get, verbose(), &mut seen);
    let refusal = Refusal::new("cloud-refused", "user 1095312831785714 (zhangwei) may not");
    let masked = policy().mask_refusal(&refusal, &mut seen);
    assert!(masked.is_error());
    assert_eq!(
        masked.body(),
        &json!({
            "error": "user [masked] ([masked]) may not",
            "rule": "cloud-refused",
            "violations": [],
            "retryable": false,
        })
    );
}

/// Somebody whose name is a word of ours takes nothing out of a refusal's or a reply's form.
#[test]
fn keys_of_ours_stay_whatever_people_are_called() {
    let mut seen = Seen::default();
    for name in ["error", "rule", "violations", "retryable", "Workspace Name", "Administrators"] {
        seen.note(name);
    }
    let refusal = policy().mask_refusal(&Refusal::new("x-rule", "an error"), &mut seen);
    let keys: Vec<&String> = refusal.body().as_object().unwrap().keys().collect();
    assert_eq!(keys, ["error", "rule", "violations", "retryable"]);
    let reply = json!({ "WorkspaceName": "a", "AdminNames": [] });
    let masked = masked(&least("aiworkspace_get_workspace"), reply, &mut seen);
    let keys: Vec<&String> = masked.body().as_object().unwrap().keys().collect();
    assert_eq!(keys, ["Workspace Name", "Creator ID", "Administrators"]);
}

#[test]
fn keys_of_others_are_swept_and_stay_apart() {
    let (body, _) = shown(
        "dlc_get_job",
        json!({
            "UserId": "1095312831785714",
            "Envs": { "U1095312831785714": "1", "V1095312831785714": "2", "1095312831785714": "3" },
            "Settings": { "Tags": { "1095312831785714": "a", "[masked]": "b" } },
        }),
    );
    assert_eq!(body["Envs"], json!({ "U[masked]": "****", "V[masked]": "****", "[masked]": "****" }));
    assert_eq!(body["Settings"]["Tags"], json!({ "[masked]": "a", "[masked] 2": "b" }));
}

#[test]
fn a_call_is_recorded_with_its_secrets_hidden_and_swept() {
    let mut arguments = job();
    arguments["Envs"] = json!({ "TOKEN": "s3cr3t", "zhangwei-canary": "x" });
    arguments["CustomEnvs"] = json!([{ "Key": "K", "Value": "s3cr3t" }]);
    arguments["Settings"] = json!({ "BusinessUserId": "1095312831785714", "Caller": "zhang", "Tags": { "by": "zhangwei-canary" } });
    arguments["UserCommand"] = json!("train --password=hunter2222222222 for zhangwei-canary");
    let mut seen = Seen::default();
    seen.note("zhangwei-canary");
    let masked = policy().mask_call(&call("dlc_create_job", &arguments), &seen);
    assert_eq!(masked.tool().name(), "dlc_create_job");
    assert_eq!(
        Value::Object(masked.arguments().clone()),
        json!({
            "RegionId": "cn-hangzhou",
            "WorkspaceId": "1001",
            "DisplayName": "resnet",
            "JobType": "PyTorchJob",
            "JobSpecs": [{ "Type": "Worker", "Image": "registry/pytorch:2.3", "PodCount": 1, "EcsSpec": "ecs.gn6i-c4g1.xlarge" }],
            "UserCommand": "train --password=[masked] for [masked]",
            "Envs": { "TOKEN": "****", "[masked]": "****" },
            "CustomEnvs": [{ "Key": "K", "Value": "****" }],
            "Settings": { "BusinessUserId": "****5714", "Caller": "z***", "Tags": { "by": "[masked]" } },
        })
    );
}

/// R-WS-14: a secret or a name isn't hidden by what can't be seen within it, and a name that is written with such
/// characters is known without them.
#[test]
fn free_text_has_nothing_that_acts_or_hides() {
    let (body, redactions) = shown(
        "dlc_list_jobs",
        json!({ "TotalCount": 1, "Jobs": [{
            "JobId": "dlc1",
            "DisplayName": "sweep\u{1b}[2K\u{200b}\u{202e} by zhang\u{200b}wei-canary, LTAI5t\u{1b}[0mQ9wEr7TyU2iO4p\rline two",
            "Status": "Stop\u{200b}ped",
            "RequestGPU": 1.5,
            "UserId": "1095312831785714",
            "Username": "zhangwei-can\u{200d}ary",
            "TenantId": "1377620948851203",
            "Envs": { "TOKEN": "s3cr3t" },
            "JobSpecs": [{ "Image": "i" }],
        }] }),
    );
    assert_eq!(
        body,
        json!({ "TotalCount": 1, "Jobs": [{
            "JobId": "dlc1",
            "DisplayName": "sweep by [masked], [masked]\nline two",
            "Status": "Stop\u{200b}ped",
            "RequestGPU": "1.5",
            "User ID": "****5714",
            "Username": "z***",
        }] })
    );
    assert_eq!(redactions, counts([("last4", 1), ("first", 1), ("stripped", 11), ("swept", 2)]));
}

/// Everything of a row is shown on request, its variables by name only and whose it is by label.
#[test]
fn a_jobs_row_is_short_unless_asked() {
    let full = call("dlc_list_jobs", &json!({ "RegionId": "cn-hangzhou", "detail": "full" }));
    let reply = json!({ "Jobs": [{
        "JobId": "dlc1",
        "TenantId": 1_377_620_948_851_203_u64,
        "Envs": { "TOKEN": "s3cr3t" },
        "SystemEnvs": { "RANK": "0" },
        "JobSpecs": [{ "Image": "i", "PodCount": "2" }],
        "RequestMemory": 16,
        "RequestCPU": "8",
        "NodeCount": 1,
        "Settings": { "BusinessUserId": "2087461209377", "Caller": "zhang" },
    }] });
    assert_eq!(
        masked(&full, reply, &mut Seen::default()).body(),
        &json!({ "Jobs": [{
            "JobId": "dlc1",
            "User ID": "N/A",
            "Username": "N/A",
            "Envs": { "TOKEN": "****" },
            "JobSpecs": [{ "Image": "i", "PodCount": 2 }],
            "NodeCount": "1",
            "RequestCPU": 8,
            "RequestMemory": "16",
            "Settings": { "Business User ID": "****9377", "Calling User": "z***" },
            "SystemEnvs": { "RANK": "****" },
            "Tenant ID": "****1203",
        }] })
    );
}

/// R-WS-50: the link to activate PAI isn't shown to those who may not use it.
#[test]
fn a_purchase_link_shows_only_to_those_who_may_use_it() {
    let call = call("aiworkspace_list_products", &json!({ "RegionId": "cn-hangzhou" }));
    let product = |may: Value| json!({ "ProductCode": "PAI_share", "HasPermissionToPurchase": may, "PurchaseUrl": "https://buy" });
    let reply = json!({ "Products": [product(json!(true)), product(json!(false)), product(json!(null))] });
    let outcome = Outcome::Reply(Raw::new(reply));
    let masked = policy().mask_reply(&call, &outcome, &mut Seen::default()).unwrap().masked;
    assert_eq!(
        masked.body(),
        &json!({ "Products": [
            { "ProductCode": "PAI_share", "HasPermissionToPurchase": true, "PurchaseUrl": "https://buy" },
            { "ProductCode": "PAI_share", "HasPermissionToPurchase": false },
            { "ProductCode": "PAI_share" },
        ] })
    );
}

/// A text is shown up to what can be read, and an identifier whole or not at all.
#[test]
fn no_text_of_a_reply_is_endless() {
    let id = "i".repeat(8 * 1024);
    let reply =
        json!({ "JobId": id, "DisplayName": "d".repeat(3_000_000), "Status": "s".repeat(8 * 1024 + 1) });
    let body = shown("dlc_get_job", reply).0;
    assert_eq!(body["JobId"], json!(id));
    assert_eq!(body.get("Status"), None);
    let expected = format!("{}… (2983616 more bytes)", "d".repeat(16 * 1024));
    assert_eq!(body["DisplayName"], json!(expected));
}
