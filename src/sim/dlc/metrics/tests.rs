use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{AT, Call, DLC, code, job_id, simulator, submit, workspace_id};

/// The answer to a question about `GpuCoreUsage`, unless it names another metric.
fn ask(simulator: &Simulator, id: &str, query: &str, seconds: i64) -> (u16, Value) {
    let metric = if query.contains("MetricType") { "" } else { "&MetricType=GpuCoreUsage" };
    let path = format!("/api/v1/jobs/{id}/metrics?{query}{metric}");
    let at = AT + SignedDuration::from_secs(seconds);
    Call::get(DLC, &path, "GetJobMetrics").at(at).send(simulator)
}

/// The instants of the first pod's values, in seconds after [`AT`], and the values.
fn series(simulator: &Simulator, id: &str, query: &str, seconds: i64) -> (Vec<i64>, Vec<f64>) {
    let (status, body) = ask(simulator, id, query, seconds);
    assert_eq!(status, 200, "{query}: {body}");
    let metrics = body["PodMetrics"][0]["Metrics"].as_array().cloned().unwrap_or_default();
    let second = |metric: &Value| metric["Time"].as_i64().unwrap() / 1000 - AT.as_second();
    let value = |metric: &Value| metric["Value"].as_f64().unwrap();
    (metrics.iter().map(second).collect(), metrics.iter().map(value).collect())
}

#[test]
fn a_pod_has_a_value_at_each_step_of_its_run() {
    let simulator = simulator();
    let id = submit(&simulator, "sleep 600");
    // It runs from second 27 to second 627.
    for (query, seconds, expected) in [
        ("", 26, vec![]),
        ("", 299, vec![]),
        ("", 300, vec![300]),
        ("", 10_000, vec![]),
        ("StartTime=2026-01-01T00:00:00Z", 10_000, vec![300, 600]),
        ("TimeStep=2m", 500, vec![120, 240, 360, 480]),
        ("TimeStep=1h", 3000, vec![]),
        ("TimeStep=9s", 50, vec![27, 36, 45]),
        ("TimeStep=9s&StartTime=2026-01-01T00:00:36Z&EndTime=2026-01-01T00:00:54Z", 100, vec![36, 45, 54]),
        ("TimeStep=9s&StartTime=2026-01-01T00:00:36.5Z", 46, vec![45]),
        ("StartTime=2026-01-01T00:01:40Z&EndTime=2027-01-01T00:00:00Z", 10_000, vec![300, 600]),
        ("TimeStep=1d", 10_000, vec![]),
    ] {
        assert_eq!(series(&simulator, &id, query, seconds).0, expected, "{query} at {seconds}");
    }
}

#[test]
fn the_same_instant_has_the_same_value_however_it_is_asked_for() {
    let simulator = simulator();
    let id = submit(&simulator, "sleep 6000");
    let all = series(&simulator, &id, "TimeStep=1m", 3000);
    let few = series(&simulator, &id, "TimeStep=10m&StartTime=2026-01-01T00:20:00Z", 5000);
    let found: Vec<f64> =
        few.0.iter().filter_map(|at| Some(all.1[all.0.iter().position(|x| x == at)?])).collect();
    assert_eq!(found.as_slice(), &few.1[..4]);
    // Other pods, metrics and instants have others.
    let (_, body) = ask(&simulator, &id, "", 3000);
    assert_ne!(body["PodMetrics"][0]["Metrics"], body["PodMetrics"][1]["Metrics"]);
    assert_ne!(series(&simulator, &id, "MetricType=CpuCoreUsage&TimeStep=1m", 3000).1, all.1);
    assert_ne!(all.1[0], all.1[1]);
}

#[test]
fn each_metric_stays_within_its_bounds() {
    let simulator = simulator();
    let id = job_id("detector-pretrain");
    for (name, least, most) in METRICS {
        let query = format!("MetricType={name}&TimeStep=30s");
        let (times, values) = series(&simulator, &id, &query, 0);
        assert_eq!(times.len(), 121);
        let bounds = f64::from(least)..=f64::from(most);
        assert!(values.iter().all(|value| bounds.contains(value)), "{name}: {values:?}");
    }
}

#[test]
fn the_answer_names_each_pod_of_the_job() {
    let simulator = simulator();
    let id = job_id("detector-pretrain");
    let (_, mut body) = ask(&simulator, &id, "TimeStep=1h&EndTime=2026-01-01T00:00:00Z", 0);
    for pod in body["PodMetrics"].as_array_mut().unwrap() {
        for metric in pod["Metrics"].as_array_mut().unwrap() {
            assert!(metric.as_object_mut().unwrap().remove("Value").unwrap().is_f64());
        }
    }
    let values = json!([{"Time": 1_767_222_000_000_i64}, {"Time": 1_767_225_600_000_i64}]);
    let pod = |name: &str| json!({"PodId": format!("{id}-{name}"), "Metrics": values});
    let expected = json!({
        "JobId": id,
        "PodMetrics": [pod("master-0"), pod("worker-0"), pod("worker-1")],
        "RequestId": body["RequestId"],
    });
    assert_eq!(body, expected);
}

#[test]
fn a_job_with_a_quota_and_a_pod_without_gpus_have_none() {
    let simulator = simulator();
    let submit = |more: Value| {
        let mut body = json!({
            "DisplayName": "train",
            "JobType": "PyTorchJob",
            "WorkspaceId": workspace_id("vision_train"),
            "JobSpecs": [{
                "Type": "Worker",
                "Image": "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11",
                "PodCount": 1,
                "EcsSpec": "ecs.g6.large",
            }],
            "UserCommand": "sleep 6000",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (_, reply) = Call::post(DLC, "/api/v1/jobs", "CreateJob", &body).send(&simulator);
        reply["JobId"].as_str().unwrap().to_owned()
    };
    let (paid, quota) = (submit(json!({})), submit(json!({"ResourceId": "quota1"})));
    let count = |id: &str, metric: &str| {
        let (_, body) = ask(&simulator, id, &format!("MetricType={metric}"), 3600);
        body["PodMetrics"].as_array().unwrap().len()
    };
    assert_eq!([count(&paid, "CpuCoreUsage"), count(&paid, "GpuMemoryUsage")], [1, 0]);
    assert_eq!(count(&quota, "CpuCoreUsage"), 0);
}

/// R-DLC-05, R-DLC-06
#[test]
fn wrong_questions_are_refused() {
    let simulator = simulator();
    let id = job_id("detector-pretrain");
    let payroll = job_id("payroll-fit");
    for (id, query, status, expected) in [
        ("dlc0", "", 404, "NotFound.Job"),
        (&payroll, "", 403, "Forbidden.RAM"),
        (&id, "MetricType=", 400, "MissingParameter.MetricType"),
        (&id, "MetricType=gpuCoreUsage", 400, "InvalidParameter.MetricType"),
        (&id, "StartTime=now", 400, "InvalidParameter.StartTime"),
        (
            &id,
            "StartTime=2026-01-02T00:00:00Z&EndTime=2026-01-01T00:00:00Z",
            400,
            "InvalidParameter.StartTime",
        ),
        (&id, "TimeStep=5", 400, "InvalidParameter.TimeStep"),
        (&id, "TimeStep=m", 400, "InvalidParameter.TimeStep"),
        (&id, "TimeStep=0m", 400, "InvalidParameter.TimeStep"),
        (&id, "TimeStep=-5m", 400, "InvalidParameter.TimeStep"),
        (&id, "TimeStep=99999999999d", 400, "InvalidParameter.TimeStep"),
        (&id, "TimeStep=1s&StartTime=2020-01-01T00:00:00Z&EndTime=2029-01-01T00:00:00Z", 200, ""),
    ] {
        assert_eq!(code(ask(&simulator, id, query, 0)), (status, expected.to_owned()), "{query}");
    }
}

#[test]
fn an_answer_has_an_end() {
    let simulator = simulator();
    let id = job_id("detector-pretrain");
    let long = "TimeStep=1s&StartTime=2020-01-01T00:00:00Z";
    let day = 86_400;
    assert_eq!(code(ask(&simulator, &id, long, 0)).0, 200);
    let (status, body) = ask(&simulator, &id, long, day);
    assert_eq!((status, &body["Code"]), (400, &json!("InvalidParameter.TimeStep")));
    let message = "TimeStep must be longer: the answer would hold more than 100000 values.";
    assert_eq!(body["Message"], message);
    assert_eq!(ask(&simulator, &id, "TimeStep=3s&StartTime=2020-01-01T00:00:00Z", day).0, 200);
}
