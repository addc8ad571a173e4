//! What stays as the cloud gave it, whatever people are called and whatever variables hold.

use super::*;
use crate::spec::value::REGIONS;

const IMAGE: &str = "registry-vpc.cn-hangzhou.cr.aliyuncs.com/vision/pytorch-training:2.1";
/// What people are called here. Each is also a word of an identifier, a state, a type or an environment.
const NAMES: [&str; 13] = [
    "admin",
    "prod",
    "vision",
    "training",
    "pytorch",
    "registry",
    "Running",
    "Worker",
    "PyTorchJob",
    "ENABLED",
    "PUBLIC",
    "1001",
    "PAI_share",
];

fn read_of(tool: &str) -> Call {
    let arguments = match tool {
        "aiworkspace_get_workspace" => json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001" }),
        "dlc_get_job" => json!({ "RegionId": "cn-hangzhou", "JobId": "dlc-vision-1" }),
        "aiworkspace_list_images" => json!({ "RegionId": "cn-hangzhou", "detail": "full" }),
        other => Value::Object(crate::tools::tests::arguments::least(other)),
    };
    call(tool, &arguments)
}

fn shown(tool: &str, reply: Value, seen: &mut Seen) -> Value {
    policy().mask_reply(&read_of(tool), &Outcome::Reply(Raw::new(reply)), seen).unwrap().masked.body().clone()
}

/// What a scope has seen once a workspace of these people was read.
fn called(names: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let owner = names.first().copied().unwrap_or_default();
    let reply = json!({ "Owner": { "UserName": owner, "UserKp": owner }, "AdminNames": names });
    shown("aiworkspace_get_workspace", reply, &mut seen);
    seen
}

/// The ids of all regions, as somebody's names.
fn regions() -> Vec<&'static str> {
    REGIONS.iter().map(|(id, _)| *id).collect()
}

#[test]
fn an_image_keeps_its_address_and_its_description_does_not_keep_names() {
    for mut seen in [called(&NAMES), called(&regions())] {
        let named = seen.sweep("vision", Text::Free, &mut Default::default()) == "[masked]";
        let body = shown(
            "aiworkspace_list_images",
            json!({
                "TotalCount": 1,
                "RequestId": "vision-1001",
                "Images": [{
                    "ImageUri": IMAGE,
                    "Name": "vision images",
                    "ImageId": "image-vision-1001",
                    "WorkspaceId": "1001",
                    "Accessibility": "PUBLIC",
                    "Labels": [{ "Key": "system.training", "Value": "admin" }],
                    "Description": "made by admin for vision",
                    "GmtCreateTime": "2026-01-02T03:04:05Z",
                    "SourceType": "training",
                    "SourceId": "admin-1",
                }],
            }),
            &mut seen,
        );
        let [name, label, description] = if named {
            ["[masked] images", "[masked]", "made by [masked] for [masked]"]
        } else {
            ["vision images", "admin", "made by admin for vision"]
        };
        assert_eq!(
            body,
            json!({
                "TotalCount": 1,
                "Images": [{
                    "ImageUri": IMAGE,
                    "Name": name,
                    "ImageId": "image-vision-1001",
                    "WorkspaceId": "1001",
                    "Accessibility": "PUBLIC",
                    "Labels": [{ "Key": if named { "system.[masked]" } else { "system.training" }, "Value": label }],
                    "Description": description,
                    "GmtCreateTime": "2026-01-02T03:04:05Z",
                    "SourceType": "training",
                    "SourceId": "admin-1",
                    "Owner ID": "N/A",
                    "Account ID": "N/A",
                }],
                "RequestId": "vision-1001",
            })
        );
    }
}

#[test]
fn a_workspace_keeps_its_state_and_its_environments() {
    let body = shown(
        "aiworkspace_get_workspace",
        json!({
            "WorkspaceName": "team of vision",
            "WorkspaceId": "1001",
            "Status": "ENABLED",
            "EnvTypes": ["dev", "prod"],
            "GmtCreateTime": "2026-01-02T03:04:05Z",
            "Creator": "203918475562018833",
            "Owner": { "UserName": "vision", "UserId": "1095312831785714", "DisplayName": "prod" },
            "AdminNames": ["admin"],
            "DisplayName": "vision",
            "Description": "of vision (1095312831785714); ask admin before prod",
            "ResourceGroupId": "rg-admin",
            "RequestId": "r-prod",
        }),
        &mut called(&NAMES),
    );
    assert_eq!(
        body,
        json!({
            "Workspace Name": "team of [masked]",
            "Workspace ID": "1001",
            "Status": "ENABLED",
            "Environment": "dev, prod",
            "Created": "2026-01-02T03:04:05Z",
            "Creator ID": "****8833",
            "Owner": { "Username": "v***", "Owner ID": "****5714", "Display Name": "p***" },
            "Administrators": ["a***"],
            "Display Name": "[masked]",
            "Description": "of [masked] ([masked]); ask [masked] before [masked]",
            "Resource Group ID": "rg-admin",
            "Request ID": "r-prod",
            "Ready": true,
        })
    );
}

#[test]
fn a_job_keeps_its_states_and_its_words_lose_names() {
    let pod = json!({
        "PodId": "dlc-vision-1-worker-0",
        "PodUid": "admin-uid",
        "Type": "Worker",
        "Status": "Running",
        "Ip": "10.0.0.1",
        "PodIps": [{ "InterfaceName": "eth0", "Ip": "10.0.0.1" }],
        "NodeName": "admin-node",
        "GmtStartTime": "2026-01-02T03:04:05Z",
    });
    let spec = json!({ "EcsSpec": "ecs.vision", "Image": IMAGE, "PodCount": 1, "Type": "Worker" });
    let body = shown(
        "dlc_get_job",
        json!({
            "JobId": "dlc-vision-1",
            "DisplayName": "for vision",
            "Status": "Running",
            "ReasonCode": "Running",
            "ReasonMessage": "Running for admin",
            "JobType": "PyTorchJob",
            "WorkspaceId": "1001",
            "ClusterId": "vision",
            "Pods": [pod],
            "JobSpecs": [spec],
            "StatusHistory": [{ "Status": "Running", "ReasonMessage": "started by admin" }],
            "ResourceType": "training",
            "UserCommand": "python train.py --team vision",
            "RequestId": "admin",
            "Settings": { "OversoldType": "admin", "Tags": { "team": "vision" } },
        }),
        &mut called(&NAMES),
    );
    assert_eq!(
        body,
        json!({
            "JobId": "dlc-vision-1",
            "DisplayName": "for [masked]",
            "Status": "Running",
            "ReasonCode": "Running",
            "ReasonMessage": "[masked] for [masked]",
            "JobType": "PyTorchJob",
            "WorkspaceId": "1001",
            "ClusterId": "vision",
            "Pods": [pod],
            "JobSpecs": [spec],
            "StatusHistory": [{ "Status": "Running", "ReasonMessage": "started by [masked]" }],
            "ResourceType": "training",
            "UserCommand": "python train.py --team [masked]",
            "RequestId": "admin",
            "Settings": {
                "OversoldType": "admin",
                "Tags": { "team": "[masked]" },
                "Business User ID": "N/A",
                "Calling User": "N/A",
            },
            "Tenant ID": "N/A",
            "User ID": "N/A",
        })
    );
}

#[test]
fn products_keep_their_codes_and_links_but_no_credential() {
    let body = shown(
        "aiworkspace_list_products",
        json!({
            "Products": [{
                "ProductCode": "PAI_share",
                "ProductId": "admin",
                "HasPermissionToPurchase": true,
                "PurchaseUrl": "https://common-buy.example/?by=admin&token=abcdefgh12345678",
            }],
            "Services": [{ "ServiceCode": "vision", "OpenUrl": "https://open.example/admin" }],
        }),
        &mut called(&NAMES),
    );
    assert_eq!(
        body,
        json!({
            "Products": [{
                "ProductCode": "PAI_share",
                "ProductId": "admin",
                "HasPermissionToPurchase": true,
                "PurchaseUrl": "https://common-buy.example/?by=admin&token=[masked]",
            }],
            "Services": [{ "ServiceCode": "vision", "OpenUrl": "https://open.example/admin" }],
        })
    );
}

/// Wherever a variable stands, its value hides; elsewhere it is swept only if it looks like a secret.
#[test]
fn variables_take_no_common_words_along() {
    const SECRET: &str = "wandb-canary-5d2c8f1e7a90b346";
    for value in
        ["prod", "Running", "1001", "admin", "/mnt/data/run-2024-0001", "cn-shanghai-finance-1", SECRET]
    {
        for variables in [
            json!({ "Envs": { "A": value } }),
            json!({ "CustomEnvs": [{ "Key": "A", "Value": value }] }),
            json!({ "JobSpecs": [{ "ExtraPodSpec": { "InitContainers": [{ "Env": [{ "Name": "A", "Value": value }] }] } }] }),
            json!({ "JobSpecs": [{ "ExtraPodSpec": { "SideCarContainers": [{ "Env": [{ "Name": "A", "Value": value }] }] } }] }),
        ] {
            let mut seen = Seen::default();
            let job = shown("dlc_get_job", variables.clone(), &mut seen);
            assert!(!job.to_string().contains(value), "{job}");
            let workspace = json!({ "EnvTypes": ["prod"], "Description": format!("it has {value}") });
            let described =
                if value == SECRET { "it has [masked]".to_owned() } else { format!("it has {value}") };
            assert_eq!(
                shown("aiworkspace_get_workspace", workspace, &mut seen),
                json!({ "Environment": "prod", "Creator ID": "N/A", "Description": described }),
                "{variables}"
            );
        }
    }
}

/// R-DLC-24: an image can be used as it was shown, whoever is called like a part of it.
#[test]
fn what_is_shown_is_what_is_learned() {
    let mut world = World::ready();
    world.seen = called(&NAMES);
    for (tool, reply) in [
        ("aiworkspace_list_images", json!({ "Images": [{ "ImageUri": IMAGE }, { "ImageUri": 5 }] })),
        (
            "aiworkspace_list_workspaces",
            json!({ "Workspaces": [{ "WorkspaceId": 2001 }, { "WorkspaceId": "2002" }] }),
        ),
    ] {
        let outcome = Outcome::Reply(Raw::new(reply));
        let call = read_of(tool);
        let masked = policy().mask_reply(&call, &outcome, &mut world.seen).unwrap().masked;
        policy().learn(&call, &outcome, &mut world.facts, Known { at: now(), learned_at: 7 });
        let rows = masked.body().as_object().unwrap().values().next().unwrap().as_array().unwrap().clone();
        for row in rows {
            let mut arguments = job();
            for (label, path) in [("ImageUri", "/JobSpecs/0/Image"), ("Workspace ID", "/WorkspaceId")] {
                if let Some(shown) = row.get(label) {
                    assert!(shown.is_string(), "{row}");
                    *arguments.pointer_mut(path).unwrap() = shown.clone();
                }
            }
            question(judge(policy(), &super::call("dlc_create_job", &arguments), &world));
        }
    }
}

/// A record tells which image was asked for; what can't stand there by chance doesn't stay.
#[test]
fn a_record_keeps_identifiers_that_hold_a_name() {
    let mut seen = called(&NAMES);
    seen.note("zhangwei-canary");
    let mut arguments = job();
    arguments["Description"] = json!("for vision");
    arguments["JobSpecs"][0]["Image"] = json!(IMAGE);
    arguments["ResourceId"] = json!("quota-zhangwei-canary");
    let mut expected = arguments.clone();
    expected["Description"] = json!("for [masked]");
    expected["ResourceId"] = json!("quota-[masked]");
    let masked = policy().mask_call(&call("dlc_create_job", &arguments), &seen);
    assert_eq!(Value::Object(masked.arguments().clone()), expected);
}

/// A refusal is words, whatever field they stand in.
#[test]
fn a_refusal_is_swept_whole() {
    let refusal = Refusal::new("image-from-list", format!("{IMAGE} is unknown to admin"));
    assert_eq!(
        policy().mask_refusal(&refusal, &mut called(&["vision", "admin"])).body(),
        &json!({
            "error": "registry-vpc.cn-hangzhou.cr.aliyuncs.com/[masked]/pytorch-training:2.1 is unknown to [masked]",
            "rule": "image-from-list",
            "violations": [],
            "retryable": false,
        })
    );
}
