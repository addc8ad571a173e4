use super::*;
use crate::sim::pyromind::testkit::{Cloud, failure, id, path_of};
use crate::sim::world::pyromind::GPU_QUOTA;

fn wish(name: &str) -> Value {
    json!({
        "name": name,
        "model_type": "rl",
        "model_name": "ppo-traffic-control-v3",
        "model_version": "v3.2",
        "resource_config": {"gpu": 2, "cpu": 8, "memory": 32},
        "input_config": {"data_source": "s3://user-data/in.csv", "data_format": "csv", "batch_size": 64},
        "output_config": {"output_bucket": "user-data", "output_path": "/out", "output_format": "parquet"},
        "inference_params": {"confidence_threshold": 0.8},
        "priority": 8,
    })
}

fn names(answer: &Value) -> Vec<&str> {
    let rows = answer["data"]["jobs"].as_array().unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap()).collect()
}

/// R-PM-004, R-PM-077, R-PM-078, R-PM-079
#[test]
fn a_list_is_filtered_and_comes_in_pages() {
    let cloud = Cloud::new();
    let list = |query: &str| cloud.get(&format!("/inference?{query}"), 0);
    let expected = json!({
        "code": 200,
        "message": "inference tasks listed successfully",
        "data": {
            "total": 5,
            "page": 1,
            "page_size": 1,
            "jobs": [{
                "job_id": id(&path_of("traffic-replay")),
                "name": "traffic-replay",
                "status": "running",
                "progress": 65,
                "create_time": "2025-12-04T21:00:00Z",
            }],
        },
    });
    assert_eq!(list("page_size=1"), expected);
    assert_eq!(names(&list("status=failed")), ["dispatch-replay"]);
    assert_eq!(names(&list("status=success&model_type=cv")), ["shelf-audit"]);
    assert_eq!(names(&list("start_time=2025-12-31T21:00:00Z")), ["shelf-backlog"]);
    let status = "invalid status value (allowed: pending/running/success/failed)";
    for (query, message) in [
        ("status=paused", status),
        ("status=completed", status),
        ("model_type=audio", "invalid model_type value (allowed: rl/nlp/cv)"),
        ("start_time=yesterday", "start_time must be ISO 8601 time with offset"),
        ("page=0", "page must be positive integer"),
    ] {
        assert_eq!(list(query), failure(400, message), "{query}");
    }
}

/// R-PM-067, R-PM-070, R-PM-073, R-PM-080, R-PM-105
#[test]
fn a_new_task_waits_runs_and_succeeds() {
    let cloud = Cloud::new();
    let created = cloud.post("/inference", &wish("task"), 0);
    let job_id = created["data"]["job_id"].as_str().unwrap();
    let expected = json!({
        "code": 201,
        "message": "inference task created successfully",
        "data": {
            "job_id": job_id,
            "name": "task",
            "status": "pending",
            "model_type": "rl",
            "model_name": "ppo-traffic-control-v3",
            "create_time": "2026-01-01T00:00:00Z",
            "priority": 8,
            "task_url": format!("https://pyromind.ai/tasks/{job_id}"),
        },
    });
    assert_eq!(created, expected);

    let path = format!("/inference/{job_id}");
    let mut data = json!({
        "job_id": job_id,
        "name": "task",
        "status": "running",
        "progress": 50,
        "resource_usage": {"gpu_used": 1.0, "cpu_used": 4.0, "memory_used": 16.0},
        "input_config": wish("")["input_config"],
        "output_config": wish("")["output_config"],
    });
    let expected =
        json!({"code": 200, "message": "inference task details retrieved successfully", "data": data});
    assert_eq!(cloud.get(&path, 35), expected);
    let states = [(4, "pending", 0), (5, "running", 0), (64, "running", 98), (65, "success", 100)];
    for (second, status, progress) in states {
        let shown = cloud.get(&path, second)["data"].clone();
        assert_eq!((&shown["status"], &shown["progress"]), (&json!(status), &json!(progress)), "{second}");
    }
    data["status"] = json!("success");
    data["progress"] = json!(100);
    data["resource_usage"] = json!({"gpu_used": 0.0, "cpu_used": 0.0, "memory_used": 0.0});
    data["logs"] = json!([
        "2026-01-01T00:00:05Z - Inference started",
        "2026-01-01T00:01:05Z - Processed 100000 rows",
        "2026-01-01T00:01:05Z - Inference finished",
    ]);
    assert_eq!(cloud.get(&format!("{path}?include_logs=true"), 99)["data"], data);
    let last = cloud.get(&format!("{path}?include_logs=true&log_lines=1"), 99);
    assert_eq!(last["data"]["logs"], json!(["2026-01-01T00:01:05Z - Inference finished"]));
    let least = failure(400, "log_lines must be positive integer");
    assert_eq!(cloud.get(&format!("{path}?log_lines=0"), 99), least);
}

#[test]
fn logs_tell_of_what_has_come_about() {
    let cloud = Cloud::new();
    let mut lost = wish("lost");
    lost["input_config"]["data_source"] = json!("s3://user-data/missing.csv");
    let created = cloud.post("/inference", &lost, 0);
    let path = format!("/inference/{}", created["data"]["job_id"].as_str().unwrap());
    let logs = |second| cloud.get(&format!("{path}?include_logs=true"), second)["data"]["logs"].clone();
    assert_eq!(logs(4), json!([]));
    assert_eq!(logs(14), json!(["2026-01-01T00:00:05Z - Inference started"]));
    let failed = json!([
        "2026-01-01T00:00:05Z - Inference started",
        "2026-01-01T00:00:15Z - Input not found: s3://user-data/missing.csv",
    ]);
    assert_eq!((cloud.status(&path, 15), logs(15)), (json!("failed"), failed));
    let running = cloud.get(&format!("{}?include_logs=true", path_of("traffic-replay")), 0);
    let rows = "2026-01-01T00:00:00Z - Processed 65000 rows";
    assert_eq!(running["data"]["logs"][1], rows);
    assert_eq!(cloud.status(&path_of("shelf-backlog"), 99_999), "pending");
}

/// R-PM-067, R-PM-068, R-PM-071, R-PM-073
#[test]
fn a_create_is_read_strictly() {
    let cloud = Cloud::new();
    let cases = [
        (json!({"name": null}), "name is required"),
        (json!({"model_type": "audio"}), "invalid model_type value (allowed: rl/nlp/cv)"),
        (json!({"model_name": null}), "model_name is required"),
        (json!({"resource_config": null}), "resource_config is required"),
        (json!({"resource_config": {"memory": 1}}), "resource_config.cpu must be positive integer"),
        (json!({"input_config": null}), "input_config is required"),
        (json!({"input_config": {"batch_size": 1}}), "input_config.data_source is required"),
        (
            json!({"input_config": {"data_source": "x", "batch_size": 0}}),
            "input_config.batch_size must be positive integer",
        ),
        (json!({"output_config": {"output_path": "x"}}), "output_config.output_bucket is required"),
        (json!({"output_config": {"output_bucket": "x"}}), "output_config.output_path is required"),
        (json!({"inference_params": "x"}), "inference_params must be object"),
        (json!({"priority": 11}), "priority must be integer from 1 to 10"),
    ];
    for (change, message) in cases {
        let mut wish = wish("task");
        wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(cloud.post("/inference", &wish, 0), failure(400, message), "{change}");
    }
}

/// R-PM-016, R-PM-069, R-PM-074, R-PM-076
#[test]
fn a_create_that_cannot_be_is_refused() {
    let cloud = Cloud::new();
    let post = |change: Value| {
        let mut wish = wish("task");
        wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        cloud.post("/inference", &wish, 0)
    };
    for (change, message) in [
        (json!({"model_version": "v9"}), "model ppo-traffic-control-v3 (v9) not found"),
        (json!({"model_name": "gpt", "model_version": null}), "model gpt (latest) not found"),
    ] {
        assert_eq!(post(change), failure(404, message));
    }
    let taken = failure(409, "inference task name already exists");
    assert_eq!(post(json!({"name": "traffic-replay"})), taken);
    let denied = json!({"output_config": {"output_bucket": "acme-denied", "output_path": "/x"}});
    assert_eq!(post(denied), failure(500, "failed to create task: invalid output bucket permission"));
    let short = failure(500, "failed to create task: insufficient GPU resources");
    let much = |gpu: u64| json!({"resource_config": {"cpu": 1, "memory": 1, "gpu": gpu}});
    assert_eq!(post(much(GPU_QUOTA)), short);
    assert_eq!(post(much(18))["code"], 201);
    assert_eq!(cloud.post("/inference", &wish("other"), 64), short);
    // What has ended holds nothing.
    assert_eq!(cloud.post("/inference", &wish("other"), 65)["code"], 201);
}

/// R-PM-076, R-PM-081, R-PM-082, R-PM-083
#[test]
fn a_deletion_takes_what_it_may() {
    let cloud = Cloud::new();
    let (running, locked) = (path_of("traffic-replay"), path_of("shelf-audit"));
    let runs = failure(409, "inference task is running, use force=true to delete");
    assert_eq!(cloud.delete(&running, 0), runs);
    assert_eq!(cloud.delete(&format!("{running}?force=false&delete_output=true"), 0), runs);
    let expected = json!({
        "code": 200,
        "message": "inference task deleted successfully",
        "data": {
            "job_id": id(&running),
            "delete_time": "2026-01-01T00:00:01Z",
            "delete_output": true,
            "status_before_delete": "running",
        },
    });
    assert_eq!(cloud.delete(&format!("{running}?force=true&delete_output=true"), 1), expected);
    let gone = failure(404, "inference task not found");
    assert_eq!((cloud.get(&running, 1), cloud.delete(&running, 1)), (gone.clone(), gone));
    let denied = failure(500, "failed to delete output: bucket access denied");
    assert_eq!(cloud.delete(&format!("{locked}?delete_output=true"), 1), denied);
    assert_eq!(cloud.status(&locked, 1), "success");
    assert_eq!(cloud.delete(&locked, 2)["data"]["delete_output"], false);
}
