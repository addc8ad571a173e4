use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{AT, Call, DLC, canaries_in, code, job_id, simulator, workspace_id};
use jiff::SignedDuration;

const IMAGE: &str =
    "dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/pytorch-training:2.3-gpu-py310-cu121-ubuntu22.04";

fn submitted(simulator: &Simulator, command: &str) -> String {
    let body = json!({
        "DisplayName": "train",
        "JobType": "PyTorchJob",
        "WorkspaceId": workspace_id("vision_train"),
        "JobSpecs": [
            {"Type": "Master", "Image": IMAGE, "PodCount": 1, "EcsSpec": "ecs.gn7i-c8g1.2xlarge"},
            {"Type": "Worker", "Image": IMAGE, "PodCount": 2, "ResourceConfig": {"CPU": "4", "Memory": "16Gi", "GPU": "1"}},
        ],
        "UserCommand": command,
        "UserVpc": {"VpcId": "vpc-1", "ExtendedCIDRs": ["10.0.0.0/8"]},
        "CodeSource": {"CodeSourceId": "code-1znqt9et7lb6u68j", "MountPath": "/root/code", "IsSharedMountPath": true},
        "DataSources": [{"Uri": "oss://bucket/data/", "MountPath": "/mnt", "MountAccess": "RO", "Options": "{}"}],
    });
    let (_, reply) = Call::post(DLC, "/api/v1/jobs", "CreateJob", &body).send(simulator);
    reply["JobId"].as_str().unwrap().to_owned()
}

fn read(simulator: &Simulator, id: &str, seconds: i64, query: &str) -> Value {
    let at = AT + SignedDuration::from_secs(seconds);
    let path = format!("/api/v1/jobs/{id}{query}");
    let (status, body) = Call::get(DLC, &path, "GetJob").at(at).send(simulator);
    assert_eq!(status, 200, "{body}");
    body
}

/// The SDK's models of the reply have no place for the rest.
#[test]
fn sources_are_repeated_in_part() {
    let simulator = simulator();
    let body = read(&simulator, &submitted(&simulator, "python train.py"), 0, "");
    assert_eq!(
        json!([body["CodeSource"], body["DataSources"]]),
        json!([
            {"CodeSourceId": "code-1znqt9et7lb6u68j", "MountPath": "/root/code"},
            [{"Uri": "oss://bucket/data/", "MountPath": "/mnt"}],
        ])
    );
}

/// R-DLC-34
#[test]
fn everything_about_a_running_job_follows_from_the_instant() {
    let simulator = simulator();
    let id = submitted(&simulator, "python train.py");
    let body = read(&simulator, &id, 40, "");
    let keep = [
        "Status",
        "ReasonCode",
        "Duration",
        "GmtCreateTime",
        "GmtSubmittedTime",
        "GmtRunningTime",
        "GmtFinishTime",
        "RequestCPU",
        "RequestMemory",
        "RequestGPU",
        "Priority",
        "Accessibility",
        "WorkspaceName",
        "UserVpc",
        "JobReplicaStatuses",
    ];
    let found: Map<String, Value> =
        keep.iter().filter_map(|name| Some((name.to_string(), body.get(*name)?.clone()))).collect();
    let expected = json!({
        "Status": "Running",
        "ReasonCode": "JobRunning",
        "Duration": 40,
        "GmtCreateTime": "2026-01-01T00:00:00Z",
        "GmtSubmittedTime": "2026-01-01T00:00:02Z",
        "GmtRunningTime": "2026-01-01T00:00:27Z",
        "RequestCPU": 16,
        "RequestMemory": 62,
        "RequestGPU": 3,
        "Priority": 1,
        "Accessibility": "PRIVATE",
        "WorkspaceName": "vision_train",
        "UserVpc": {"VpcId": "vpc-1", "ExtendedCidrs": ["10.0.0.0/8"]},
        "JobReplicaStatuses": [
            {"Type": "Master", "Queuing": 0, "Dequeued": 1, "Active": 1},
            {"Type": "Worker", "Queuing": 0, "Dequeued": 2, "Active": 2},
        ],
    });
    assert_eq!(Value::Object(found), expected);
}

#[test]
fn history_is_closed_stage_by_stage() {
    let simulator = simulator();
    let id = submitted(&simulator, "exit 3");
    let history: Vec<(String, String, Option<String>)> = read(&simulator, &id, 1000, "")["StatusHistory"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let text = |name: &str| item.get(name).map(|value| value.as_str().unwrap().to_owned());
            (text("Status").unwrap(), text("StartTime").unwrap(), text("EndTime"))
        })
        .collect();
    let item = |status: &str, start: &str, end: Option<&str>| {
        let time = |seconds: &str| format!("2026-01-01T00:00:{seconds}Z");
        (status.to_owned(), time(start), end.map(time))
    };
    let expected = [
        item("Creating", "00", Some("02")),
        item("Queuing", "02", Some("07")),
        item("EnvPreparing", "07", Some("27")),
        item("Running", "27", Some("32")),
        item("Failed", "32", None),
    ];
    assert_eq!(history, expected);
}

#[test]
fn pods_follow_the_job() {
    let simulator = simulator();
    let id = submitted(&simulator, "python train.py");
    let statuses = |seconds| -> Vec<String> {
        let body = read(&simulator, &id, seconds, "");
        let pods = body["Pods"].as_array().unwrap();
        pods.iter().map(|pod| format!("{} {}", pod["PodId"], pod["Status"]).replace('"', "")).collect()
    };
    let all = |status: &str| {
        ["master-0", "worker-0", "worker-1"].map(|pod| format!("{id}-{pod} {status}")).to_vec()
    };
    assert_eq!(statuses(6), Vec::<String>::new());
    assert_eq!(statuses(7), all("Pending"));
    assert_eq!(statuses(27), all("Running"));
    assert_eq!(statuses(87), all("Succeeded"));
}

#[test]
fn without_detail_the_long_lists_are_left_out() {
    let simulator = simulator();
    let id = submitted(&simulator, "true");
    let names = |query| -> Vec<String> {
        read(&simulator, &id, 40, query).as_object().unwrap().keys().cloned().collect()
    };
    let (short, long) = (names("?NeedDetail=false"), names(""));
    let mut left_out: Vec<String> = long.into_iter().filter(|name| !short.contains(name)).collect();
    left_out.sort();
    assert_eq!(left_out, ["JobReplicaStatuses", "Pods", "RestartRecord", "StatusHistory"]);
}

#[test]
fn the_default_world_has_running_succeeded_and_failed_jobs() {
    let simulator = simulator();
    let state = simulator.state().unwrap();
    let closed = workspace_id("payroll_forecast");
    let jobs = state["regions"]["cn-hangzhou"]["jobs"].as_array().unwrap();
    let jobs: Vec<&Value> = jobs.iter().filter(|job| job["workspace_id"] != closed.as_str()).collect();
    let found: Vec<(String, String, String)> = jobs
        .iter()
        .map(|job| {
            let body = read(&simulator, job["id"].as_str().unwrap(), 0, "");
            let text = |name: &str| body[name].as_str().unwrap().to_owned();
            // One name goes on with what its writer wants of the reader.
            let name = text("DisplayName").split(' ').next().unwrap().to_owned();
            (name, text("Status"), text("ReasonCode"))
        })
        .collect();
    let row = |name: &str, status: &str, code: &str| (name.to_owned(), status.to_owned(), code.to_owned());
    let expected = [
        row("detector-pretrain", "Running", "JobRunning"),
        row("segmenter-finetune", "Succeeded", "JobSucceeded"),
        row("detector-eval", "Failed", "JobFailed"),
        row("detector-distill", "Failed", "JobFailed"),
        row("gradient-dump", "Succeeded", "JobSucceeded"),
        row("detector-sweep", "Succeeded", "JobSucceeded"),
        row("detector-baseline", "Succeeded", "JobSucceeded"),
        row("detector-tune", "Running", "JobRunning"),
    ];
    assert_eq!(found, expected);
    let running = read(&simulator, jobs[0]["id"].as_str().unwrap(), 0, "").to_string();
    assert_eq!(canaries_in(&running).len(), 7, "user, tenant, two environments, three of the registry");
}

/// Two specs of one type number their pods on.
#[test]
fn no_two_pods_share_a_name() {
    let simulator = simulator();
    let spec = |pods| json!({"Type": "Worker", "Image": IMAGE, "PodCount": pods, "EcsSpec": "ecs.g6.large"});
    let body = json!({
        "DisplayName": "train",
        "JobType": "PyTorchJob",
        "WorkspaceId": workspace_id("vision_train"),
        "JobSpecs": [spec(2), spec(1)],
        "UserCommand": "true",
    });
    let (_, reply) = Call::post(DLC, "/api/v1/jobs", "CreateJob", &body).send(&simulator);
    let id = reply["JobId"].as_str().unwrap();
    let job = read(&simulator, id, 40, "");
    let names: Vec<&Value> = job["Pods"].as_array().unwrap().iter().map(|pod| &pod["PodId"]).collect();
    assert_eq!(json!(names), json!([0, 1, 2].map(|number| format!("{id}-worker-{number}"))));
}

#[test]
fn a_job_in_a_workspace_that_ram_denies_is_denied_too() {
    let path = format!("/api/v1/jobs/{}", job_id("payroll-fit"));
    let denied = Call::get(DLC, &path, "GetJob").send(&simulator());
    assert_eq!(denied.1["AccessDeniedDetail"]["AuthAction"], "paidlc:GetJob");
    assert_eq!(code(denied), (403, "Forbidden.RAM".to_owned()));
}

#[test]
fn an_unknown_job_is_404() {
    let unknown = Call::get(DLC, "/api/v1/jobs/dlc0", "GetJob").send(&simulator());
    assert_eq!(code(unknown), (404, "NotFound.Job".to_owned()));
}
