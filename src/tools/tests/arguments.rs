//! What is said of arguments that can't be sent: the place, the fault and the fix, never the value.

use serde_json::{Map, Value, json};

use crate::spec::{Tool, Vendor};
use crate::tools::find;

/// What each tool takes at least.
pub(crate) fn least(tool: &str) -> Map<String, Value> {
    let arguments = match tool {
        "aiworkspace_create_workspace" => json!({
            "RegionId": "cn-hangzhou",
            "WorkspaceName": "vision_team",
            "Description": "Training for the vision team",
            "EnvTypes": ["dev", "prod"],
        }),
        "aiworkspace_get_code_source" => json!({ "RegionId": "cn-hangzhou", "CodeSourceId": "code-1" }),
        "aiworkspace_get_dataset" => json!({ "RegionId": "cn-hangzhou", "DatasetId": "d-1" }),
        "aiworkspace_get_image" => json!({ "RegionId": "cn-hangzhou", "ImageId": "image-1" }),
        "aiworkspace_get_workspace" | "aiworkspace_list_code_sources" | "aiworkspace_list_datasets" => {
            json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "123" })
        }
        "aiworkspace_list_workspaces"
        | "aiworkspace_list_images"
        | "aiworkspace_list_products"
        | "dlc_list_ecs_specs"
        | "dlc_list_jobs"
        | "dlc_list_tensorboards" => json!({ "RegionId": "cn-hangzhou" }),
        "dlc_create_job" => json!({
            "RegionId": "cn-hangzhou",
            "WorkspaceId": "123",
            "DisplayName": "resnet",
            "JobType": "PyTorchJob",
            "JobSpecs": [worker()],
            "UserCommand": "python train.py",
        }),
        tool if tool.contains("_job_template") => super::templates::least(tool),
        "dlc_get_job"
        | "dlc_get_job_events"
        | "dlc_list_job_sanity_check_results"
        | "dlc_stop_job"
        | "dlc_get_dashboard"
        | "dlc_get_ray_dashboard"
        | "dlc_create_tensorboard" => json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" }),
        "dlc_get_job_metrics" => {
            json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1", "MetricType": "GpuCoreUsage" })
        }
        "dlc_get_job_sanity_check_result" => {
            json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1", "SanityCheckNumber": 1 })
        }
        "dlc_update_job" => json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1", "Priority": 5 }),
        "dlc_get_pod_events" | "dlc_get_pod_logs" | "dlc_get_web_terminal" => {
            json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1", "PodId": "dlc1-worker-0" })
        }
        "dlc_get_token" => json!({ "RegionId": "cn-hangzhou", "TargetType": "job", "TargetId": "dlc1" }),
        "dlc_get_tensorboard"
        | "dlc_get_tensorboard_shared_url"
        | "dlc_start_tensorboard"
        | "dlc_stop_tensorboard"
        | "dlc_update_tensorboard" => json!({ "RegionId": "cn-hangzhou", "TensorboardId": "tb1" }),
        "pyromind_create_instance" => json!({
            "name": "RL-Experiment-Instance",
            "resource_type": "gpu",
            "resource_config": machine(),
        }),
        "pyromind_create_sandbox" => json!({
            "name": "My-GPU-Sandbox-2024",
            "sandbox_type": "gpu-sandbox",
            "resource_config": machine(),
        }),
        "pyromind_delete_sandbox" | "pyromind_get_sandbox" | "pyromind_get_sandbox_vnc" => {
            json!({ "sandbox_id": "sbx_987654321" })
        }
        "pyromind_execute_sandbox_action" => json!({ "sandbox_id": "sbx_987654321", "action": "restart" }),
        "pyromind_execute_sandbox_batch_actions" => {
            json!({ "sandbox_id": "sbx_987654321", "actions": [{ "action": "restart" }] })
        }
        "pyromind_get_instance" | "pyromind_get_instance_access_token" => {
            json!({ "instance_id": "jp_100003" })
        }
        "pyromind_list_instances" | "pyromind_list_sandboxes" => json!({}),
        other => super::pyromind_tasks::least(other),
    };
    arguments.as_object().unwrap().clone()
}

pub(super) fn worker() -> Value {
    json!({ "Type": "Worker", "Image": "registry/pytorch:2.3", "PodCount": 1, "EcsSpec": "ecs.gn6i-c4g1.xlarge" })
}

pub(super) fn machine() -> Value {
    json!({ "cpu": 16, "memory": 64, "gpu": 4 })
}

/// The least arguments with `change` over them; null takes an argument out, `"<null>"` makes it null.
pub(super) fn changed(tool: &str, change: Value) -> Map<String, Value> {
    let mut arguments = least(tool);
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => {
                arguments.remove(name);
            }
            Value::String(text) if text == "<null>" => {
                arguments.insert(name.clone(), Value::Null);
            }
            value => {
                arguments.insert(name.clone(), value.clone());
            }
        }
    }
    arguments
}

pub(super) fn faults(tool: &str, change: Value) -> Vec<String> {
    match find(tool).unwrap().parse(&changed(tool, change)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|fault| fault.to_string()).collect(),
    }
}

#[track_caller]
pub(super) fn refused(tool: &str, change: Value, expected: &[&str]) {
    assert_eq!(faults(tool, change.clone()), expected, "{tool} {change}");
}

#[track_caller]
pub(super) fn accepted(tool: &str, change: Value) {
    assert_eq!(faults(tool, change.clone()), Vec::<String>::new(), "{tool} {change}");
}

pub(super) const TYPE: &str = "give that type, or leave an optional field out";
const REGION: &str = "RegionId: isn't a documented region; ask the user for a region such as cn-hangzhou, cn-shanghai, \
                      cn-beijing, cn-shenzhen or ap-southeast-1";

/// The tools of services that have regions.
fn regional() -> impl Iterator<Item = &'static Tool> {
    crate::tools::all().filter(|tool| tool.spec().cloud.vendor() == Vendor::Alibaba)
}

#[test]
fn the_least_arguments_are_enough() {
    for tool in crate::tools::all() {
        accepted(tool.name(), json!({}));
    }
}

/// R-WS-33, R-WS-44, R-WS-45, R-DLC-17: no region is taken for granted; the common ones are named.
#[test]
fn the_region_is_given_and_documented() {
    let missing = "RegionId: is required; ask the user which region to use (common ones: cn-hangzhou, cn-shanghai, \
                   cn-beijing, cn-shenzhen, ap-southeast-1); there is no default";
    for tool in regional() {
        refused(tool.name(), json!({ "RegionId": null }), &[missing]);
        for wrong in
            ["cn-hangzhou.evil.example/", "CN-HANGZHOU", "cn-hangzhou ", "localhost", "cn-hangzhou\n"]
        {
            refused(tool.name(), json!({ "RegionId": wrong }), &[REGION]);
        }
        refused(tool.name(), json!({ "RegionId": 5 }), &[&format!("RegionId: must be a string; {TYPE}")]);
    }
}

/// R-WS-53: all faults of a call at once, so that one question to the user mends them all.
#[test]
fn all_faults_are_told_at_once() {
    refused(
        "aiworkspace_create_workspace",
        json!({
            "RegionId": "moon-1",
            "WorkspaceName": "my-workspace",
            "Description": "x".repeat(81),
            "EnvTypes": ["dev"],
            "Owner": "li",
        }),
        &[
            REGION,
            "WorkspaceName: doesn't have the documented form; it must match ^[A-Za-z][A-Za-z0-9_]{2,22}$",
            "Description: is too long; give at most 80 characters",
            "Owner: isn't an argument of this tool; the names are RegionId, WorkspaceName, Description, EnvTypes, \
             DisplayName, ResourceGroupId",
        ],
    );
    let mut found = faults(
        "dlc_create_job",
        json!({ "JobSpecs": [{ "Type": "worker", "PodCount": 0, "EcsSpec": "e", "ResourceConfig": {} }], "Priority": 10 }),
    );
    found.sort();
    assert_eq!(
        found,
        [
            "JobSpecs[0].Image: is required; give it",
            "JobSpecs[0].PodCount: is too small; give at least 1",
            "JobSpecs[0].Type: isn't a role of this JobType; Worker and Master fit most types; TFJob has Chief, PS, \
             Worker, Evaluator, GraphLearn; RayJob has Head, Worker",
            "JobSpecs[0]: has both EcsSpec and ResourceConfig; EcsSpec is for public resources, ResourceConfig for a \
             dedicated resource group: give one of them",
            "Priority: is too large; give at most 9",
        ]
    );
}

/// R-DLC-18, R-WS-67: a closed set of arguments; the right name is told where one is near.
#[test]
fn wrong_keys_are_refused_with_the_right_one() {
    let get = "aiworkspace_get_workspace";
    for wrong in ["workspace_id", "workspaceId", "workspace-id", "WorkspaceID"] {
        refused(
            get,
            json!({ "WorkspaceId": null, wrong: "123" }),
            &[
                "WorkspaceId: is required; give it",
                &format!("{wrong}: isn't an argument of this tool; the name is WorkspaceId"),
            ],
        );
    }
    refused(
        get,
        json!({ "WorkspaceName": "vision" }),
        &["WorkspaceName: isn't an argument of this tool; the names are RegionId, WorkspaceId, Verbose"],
    );
    for (wrong, right) in [("image_uri", "Image"), ("ecs_spec", "EcsSpec"), ("podCount", "PodCount")] {
        let mut spec = worker();
        spec[wrong] = json!("x");
        refused(
            "dlc_create_job",
            json!({ "JobSpecs": [spec] }),
            &[&format!("JobSpecs[0].{wrong}: isn't an argument of this tool; the name is {right}")],
        );
    }
}

/// R-WS-04, R-PM-001: nothing takes a key pair or a key, and nothing takes a yes.
#[test]
fn there_is_no_argument_for_a_credential_or_a_confirmation() {
    for tool in crate::tools::all() {
        for name in [
            "access_key_id",
            "AccessKeySecret",
            "SecurityToken",
            "api_key",
            "confirmed",
            "approve",
            "Confirm",
            "raw",
        ] {
            let found = faults(tool.name(), json!({ name: "true" }));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(&format!("{name}: isn't an argument of this tool; ")), "{found:?}");
        }
    }
}

#[test]
fn a_key_is_shown_short_and_plain() {
    let key = format!("a\u{202e}\n\u{200b} {}", "b".repeat(100));
    let found = faults("aiworkspace_list_products", json!({ key: 1 }));
    let expected = format!(
        "a{}: isn't an argument of this tool; the names are RegionId, ProductCodes, ServiceCodes, Verbose",
        "b".repeat(39)
    );
    assert_eq!(found, [expected]);
}

#[test]
fn null_is_no_way_to_leave_something_out() {
    refused(
        "aiworkspace_list_images",
        json!({ "Name": "<null>" }),
        &[&format!("Name: must be a string; {TYPE}")],
    );
    refused(
        "dlc_create_job",
        json!({ "JobSpecs": "<null>", "Envs": { "A": null } }),
        &[&format!("JobSpecs: must be a list; {TYPE}"), &format!("Envs.A: must be a string; {TYPE}")],
    );
}

#[test]
fn numbers_are_whole_and_of_64_bits() {
    let whole = "isn't written as a whole number of 64 bits; give it without a decimal point or exponent";
    refused("dlc_create_job", json!({ "Priority": 5.0 }), &[&format!("Priority: {whole}")]);
    let kind = format!("Priority: must be a whole number; {TYPE}");
    refused("dlc_create_job", json!({ "Priority": 5.5 }), &[&kind]);
    refused("dlc_create_job", json!({ "Priority": "5" }), &[&kind]);
    let huge = json!({ "JobMaxRunningTimeMinutes": 9_223_372_036_854_775_808_u64 });
    refused("dlc_create_job", huge, &[&format!("JobMaxRunningTimeMinutes: {whole}")]);
    let mut spec = worker();
    spec["PodCount"] = json!(1e300);
    refused("dlc_create_job", json!({ "JobSpecs": [spec] }), &[&format!("JobSpecs[0].PodCount: {whole}")]);
}

/// R-WS-80, R-WS-81, R-WS-82, R-WS-89: documented values in their exact case.
#[test]
fn enums_have_their_exact_case() {
    let tool = "aiworkspace_list_workspaces";
    for (name, right, wrong, documented) in [
        (
            "Status",
            "FROZEN",
            "enabled",
            r#"["ENABLED","INITIALIZING","FAILURE","DISABLED","FROZEN","UPDATING"]"#,
        ),
        ("SortBy", "GmtModifiedTime", "gmtCreateTime", r#"["GmtCreateTime","GmtModifiedTime"]"#),
        ("Order", "DESC", "Desc", r#"["ASC","DESC"]"#),
        (
            "Option",
            "GetResourceLimits",
            "getResourceLimits",
            r#"["GetWorkspaces","GetResourceLimits","CheckWorkspaceExists"]"#,
        ),
    ] {
        accepted(tool, json!({ name: right }));
        let fault =
            format!("{name}: isn't one of the documented values; give one of {documented}, in this case");
        refused(tool, json!({ name: wrong }), &[&fault]);
    }
}

/// R-WS-83: pages begin at 1.
#[test]
fn pages_begin_at_one() {
    for tool in ["aiworkspace_list_workspaces", "aiworkspace_list_images"] {
        accepted(tool, json!({ "PageNumber": 2, "PageSize": 50 }));
        refused(tool, json!({ "PageNumber": 0 }), &["PageNumber: is too small; give at least 1"]);
        refused(tool, json!({ "PageSize": -1 }), &["PageSize: is too small; give at least 1"]);
    }
}

/// R-DLC-56, R-DLC-57: labels are Key=Value, several joined by commas.
#[test]
fn labels_are_keys_and_values() {
    let tool = "aiworkspace_list_images";
    accepted(tool, json!({ "Labels": "system.chipType=GPU" }));
    accepted(
        tool,
        json!({ "Labels": "system.chipType=GPU,system.framework=PyTorch,system.officialReleased=true" }),
    );
    let form = "Labels: doesn't have the documented form; it must match ^[^=,\\s]+=[^=,\\s]+(,[^=,\\s]+=[^=,\\s]+)*$";
    for wrong in ["GPU", "a=b, c=d", "a=b,c", "a=b,,c=d", "a = b", "a=b=c", ""] {
        refused(tool, json!({ "Labels": wrong }), &[form]);
    }
}

/// However many faults there are, twenty are told, and how many there are beside.
#[test]
fn a_flood_of_faults_is_cut_short() {
    let flood = |change: Value, last: &str| {
        let found = faults("dlc_create_job", change);
        assert_eq!(found.len(), 21);
        assert_eq!(
            found[20],
            format!("further faults aren't listed: {last}; mend those listed, then call again")
        );
    };
    flood(json!({ "JobSpecs": vec![json!({}); 60_000] }), "239980");
    flood(json!({ "JobSpecs": vec![json!(1); 100_000] }), "99980");
    flood(json!({ "DataSources": vec![json!(1.5); 50_000] }), "49980");
    flood(Value::Object((0..20_000).map(|key| (format!("k{key}"), json!(1))).collect()), "19980");
    let over: Map<String, Value> = (0..100_000).map(|key| (format!("k{key}"), json!(1))).collect();
    refused(
        "dlc_create_job",
        Value::Object(over),
        &[
            "the arguments have more than 256 KiB as JSON; shorten them: put long commands into a script that is \
           mounted, long settings into a file",
        ],
    );
}

/// An id can't lead to another operation; that is said with everything else that is wrong.
#[test]
fn an_id_is_a_segment_of_the_path() {
    let mut ids = 0;
    for tool in crate::tools::all() {
        for name in tool.spec().route.parameters() {
            ids += 1;
            for dots in [".", ".."] {
                let fault =
                    format!("{name}: is a dot segment, which would lead to another path; give the id");
                refused(tool.name(), json!({ name: dots }), &[&fault]);
                if tool.spec().cloud.vendor() == Vendor::Alibaba {
                    refused(tool.name(), json!({ name: dots, "RegionId": "mars" }), &[REGION, &fault]);
                }
            }
            accepted(tool.name(), json!({ name: "..." }));
            assert_eq!(faults(tool.name(), json!({ name: "" })).len(), 1);
            assert_eq!(faults(tool.name(), json!({ name: null })).len(), 1);
        }
    }
    assert_eq!(ids, 44);
}
