use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{AT, Call, DLC, code, job_id, simulator, workspace_id};

fn submit(simulator: &Simulator, pods: u64, settings: &Value) -> String {
    let body = json!({
        "DisplayName": "train",
        "JobType": "PyTorchJob",
        "WorkspaceId": workspace_id("vision_train"),
        "JobSpecs": [{
            "Type": "Worker",
            "Image": "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11",
            "PodCount": pods,
            "EcsSpec": "ecs.gn6i-c4g1.xlarge",
        }],
        "UserCommand": "true",
        "Settings": settings,
    });
    let (_, reply) = Call::post(DLC, "/api/v1/jobs", "CreateJob", &body).send(simulator);
    reply["JobId"].as_str().unwrap().to_owned()
}

fn list(simulator: &Simulator, path: &str, seconds: i64) -> (u16, Value) {
    let (id, query) = path.split_once('?').unwrap_or((path, ""));
    let path = format!("/api/v1/jobs/{id}/sanitycheckresults?{query}");
    let at = AT + SignedDuration::from_secs(seconds);
    Call::get(DLC, &path, "ListJobSanityCheckResults").at(at).send(simulator)
}

fn get(simulator: &Simulator, path: &str, seconds: i64) -> (u16, Value) {
    let (id, query) = path.split_once('?').unwrap_or((path, ""));
    let path = format!("/api/v1/jobs/{id}/sanitycheckresult?{query}");
    let at = AT + SignedDuration::from_secs(seconds);
    Call::get(DLC, &path, "GetJobSanityCheckResult").at(at).send(simulator)
}

/// R-DLC-36, R-DLC-52
#[test]
fn the_parts_of_a_check_take_turns() {
    let simulator = simulator();
    let id = submit(&simulator, 2, &json!({"EnableSanityCheck": true}));
    // It is SanityChecking from second 27 to second 42.
    let seen = |seconds| {
        let (_, body) = list(&simulator, &id, seconds);
        let results = body["SanityCheckResults"][0].as_array().cloned().unwrap_or_default();
        let each = results.iter().map(|result| {
            format!("{} {}", result["Phase"].as_str().unwrap(), result["Status"].as_str().unwrap())
        });
        (body["TotalCount"].as_i64().unwrap(), each.collect::<Vec<_>>())
    };
    assert_eq!(seen(26), (0, vec![]));
    assert_eq!(seen(27), (1, vec!["CheckInit Running".to_owned()]));
    assert_eq!(seen(32), (1, vec!["CheckInit Succeeded".to_owned(), "DeviceCheck Running".to_owned()]));
    let all: Vec<String> = PHASES.iter().map(|phase| format!("{phase} Succeeded")).collect();
    assert_eq!(seen(42), (1, all.clone()));
    assert_eq!(seen(10_000), (1, all));
}

#[test]
fn a_single_pod_needs_no_check_between_two() {
    let simulator = simulator();
    let (_, body) = get(&simulator, &format!("{}?SanityCheckNumber=1", job_id("segmenter-finetune")), 0);
    let phases: Vec<&str> = body["SanityCheckResult"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["Phase"].as_str().unwrap())
        .collect();
    assert_eq!(phases, PHASES[..ALONE]);
}

#[test]
fn a_result_tells_part_time_and_what_was_found() {
    let simulator = simulator();
    let settings = json!({"EnableSanityCheck": true, "SanityCheckArgs": "--level 2"});
    let id = submit(&simulator, 2, &settings);
    let (_, listed) = list(&simulator, &id, 31);
    let expected = json!({
        "JobId": id,
        "SanityCheckResult": [{
            "CheckNumber": 1,
            "Phase": "CheckInit",
            "Status": "Succeeded",
            "StartedAt": "2026-01-01T00:00:27Z",
            "FinishedAt": "2026-01-01T00:00:30Z",
            "Message": "CheckInit passed on 2 of 2 nodes, arguments: --level 2",
        }, {
            "CheckNumber": 1,
            "Phase": "DeviceCheck",
            "Status": "Running",
            "StartedAt": "2026-01-01T00:00:30Z",
            "Message": "DeviceCheck is running",
        }],
    });
    let (_, mut got) = get(&simulator, &format!("{id}?SanityCheckNumber=1"), 31);
    assert!(got.as_object_mut().unwrap().remove("RequestID").unwrap().is_string());
    assert_eq!(got, expected);
    assert_eq!(listed["SanityCheckResults"], json!([expected["SanityCheckResult"]]));
    assert!(listed["RequestID"].is_string() && listed.get("RequestId").is_none());
    let (_, one) = get(&simulator, &format!("{id}?SanityCheckNumber=1&SanityCheckPhase=DeviceCheck"), 31);
    assert_eq!(one["SanityCheckResult"], json!([expected["SanityCheckResult"][1]]));
}

/// R-DLC-52
#[test]
fn a_job_that_asked_for_no_check_has_no_results() {
    let simulator = simulator();
    let unchecked = job_id("detector-eval");
    let (status, body) = list(&simulator, &unchecked, 0);
    assert_eq!((status, &body["TotalCount"], &body["SanityCheckResults"]), (200, &json!(0), &json!([])));
    for path in [
        format!("{unchecked}?SanityCheckNumber=1"),
        format!("{}?SanityCheckNumber=2", job_id("segmenter-finetune")),
        format!("{}?SanityCheckNumber=1&SanityCheckPhase=AllNodeCommCheck", job_id("segmenter-finetune")),
    ] {
        let (status, body) = get(&simulator, &path, 0);
        assert_eq!((status, &body["SanityCheckResult"]), (200, &json!([])), "{path}");
    }
}

/// R-DLC-11
#[test]
fn wrong_questions_are_refused() {
    let simulator = simulator();
    let (id, payroll) = (job_id("segmenter-finetune"), job_id("payroll-fit"));
    for (path, status, expected) in [
        ("dlc0?SanityCheckNumber=1".to_owned(), 404, "NotFound.Job"),
        (format!("{payroll}?SanityCheckNumber=1"), 403, "Forbidden.RAM"),
        (id.clone(), 400, "MissingParameter.SanityCheckNumber"),
        (format!("{id}?SanityCheckNumber=0"), 400, "InvalidParameter.SanityCheckNumber"),
        (format!("{id}?SanityCheckNumber=1&SanityCheckPhase=Init"), 400, "InvalidParameter.SanityCheckPhase"),
    ] {
        assert_eq!(code(get(&simulator, &path, 0)), (status, expected.to_owned()), "{path}");
    }
    for (path, status, expected) in [
        ("dlc0".to_owned(), 404, "NotFound.Job"),
        (payroll, 403, "Forbidden.RAM"),
        (format!("{id}?Order=DESC"), 400, "InvalidParameter.Order"),
    ] {
        assert_eq!(code(list(&simulator, &path, 0)), (status, expected.to_owned()), "{path}");
    }
}
