use super::*;
use crate::sim::pyromind::testkit::{Cloud, failure, id, instant, path_of};
use crate::sim::world::pyromind::GPU_QUOTA;

fn wish(name: &str, gpu: u64) -> Value {
    json!({
        "name": name,
        "resource_type": "gpu",
        "resource_config": {"cpu": 16, "memory": 64, "gpu": gpu},
    })
}

fn names(answer: &Value) -> Vec<&str> {
    let rows = answer["data"]["instances"].as_array().unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap()).collect()
}

/// R-PM-004
#[test]
fn a_list_comes_in_pages() {
    let cloud = Cloud::new();
    let expected = json!({
        "code": 200,
        "message": "instances listed successfully",
        "data": {
            "total": 8,
            "page": 2,
            "page_size": 2,
            "instances": [
                {
                    "instance_id": id(&path_of("paused-sweep")),
                    "name": "paused-sweep",
                    "status": "paused",
                    "resource_type": "gpu",
                    "resource_config": {"cpu": 12, "memory": 48, "gpu": 2},
                    "create_time": "2025-12-12T00:00:00Z",
                    "expire_time": "2027-01-01T00:00:00Z",
                },
                {
                    "instance_id": id(&path_of("archived-study")),
                    "name": "archived-study",
                    "status": "stopped",
                    "resource_type": "cpu",
                    "resource_config": {"cpu": 4, "memory": 16, "gpu": 0},
                    "create_time": "2025-11-22T00:00:00Z",
                    "expire_time": "2025-12-22T00:00:00Z",
                },
            ],
        },
    });
    assert_eq!(cloud.get("/instances?page=2&page_size=2", 0), expected);
    assert_eq!(names(&cloud.get("/instances", 0)).len(), 8);
}

/// R-PM-039, R-PM-040
#[test]
fn filters_take_what_is_documented_and_combine() {
    let cloud = Cloud::new();
    let list = |query: &str| cloud.get(&format!("/instances?{query}"), 0);
    assert_eq!(names(&list("status=error")), ["corrupt-image"]);
    assert_eq!(names(&list("status=running&resource_type=gpu")), ["rl-notebook", "nightly-train"]);
    for (query, message) in [
        ("status=pending", "invalid status value (allowed: running/paused/stopped/error)"),
        ("resource_type=GPU", "invalid resource_type value (allowed: cpu/gpu)"),
        ("page=0", "page must be positive integer"),
    ] {
        assert_eq!(list(query), failure(400, message));
    }
}

/// R-PM-041, R-PM-043, R-PM-044, R-PM-045
#[test]
fn a_new_instance_is_pending_and_then_runs() {
    let cloud = Cloud::new();
    let created = cloud.post("/instances", &wish("any name will do", 2), 0);
    let instance_id = created["data"]["instance_id"].as_str().unwrap();
    let mut data = json!({
        "instance_id": instance_id,
        "name": "any name will do",
        "status": "pending",
        "resource_type": "gpu",
        "resource_config": {"cpu": 16, "memory": 64, "gpu": 2},
        "create_time": "2026-01-01T00:00:00Z",
        "expire_time": "2026-01-08T00:00:00Z",
        "image": "pyromind-instance:latest",
        "access_url": format!("https://instances.pyromind.ai/{instance_id}"),
        "password": created["data"]["password"].as_str().unwrap(),
    });
    assert_eq!(created, json!({"code": 201, "message": "instance created successfully", "data": data}));

    data.as_object_mut().unwrap().remove("password");
    data["resource_usage"] = json!({"cpu_used": 0.0, "memory_used": 0.0, "gpu_used": 0.0});
    data["logs"] = json!("");
    let path = format!("/instances/{instance_id}");
    let expected = json!({"code": 200, "message": "instance details retrieved successfully", "data": data});
    assert_eq!(cloud.get(&path, 4), expected);

    data["status"] = json!("running");
    data["resource_usage"] = json!({"cpu_used": 8.0, "memory_used": 32.0, "gpu_used": 1.0});
    data["logs"] = json!("2026-01-01T00:00:05Z - Instance started successfully");
    assert_eq!(cloud.get(&path, 5)["data"], data);
    // Whoever lets an instance expire finds it stopped.
    assert_eq!(cloud.status(&path, 7 * 24 * 3600 - 1), "running");
    assert_eq!(cloud.status(&path, 7 * 24 * 3600), "stopped");
}

/// R-PM-046
#[test]
fn what_a_create_says_is_kept() {
    let cloud = Cloud::new();
    let mut wish = wish("custom", 0);
    wish["image"] = json!("pyromind-instance:2.3.1");
    wish["expire_time"] = json!("2026-01-20T18:00:00Z");
    wish["workspace_mount"] =
        json!({"bucket_name": "user-123456789-data", "mount_path": "/home/jovyan/work"});
    let created = cloud.post("/instances", &wish, 0);
    let path = format!("/instances/{}", created["data"]["instance_id"].as_str().unwrap());
    let data = cloud.get(&path, 0)["data"].clone();
    assert_eq!(data["image"], "pyromind-instance:2.3.1");
    assert_eq!(data["expire_time"], "2026-01-20T18:00:00Z");
    let mount = json!({
        "bucket_name": "user-123456789-data",
        "mount_path": "/home/jovyan/work",
        "status": "bound",
    });
    assert_eq!(data["workspace_mount"], mount);
}

/// R-PM-040, R-PM-041, R-PM-042, R-PM-044, R-PM-046
#[test]
fn a_create_is_read_strictly() {
    let cloud = Cloud::new();
    let gpu = "resource_config.gpu must be non-negative integer";
    let cases = [
        (json!({"name": null}), "name is required"),
        (json!({"resource_type": null}), "resource_type is required"),
        (json!({"resource_type": "GPU"}), "invalid resource_type value (allowed: cpu/gpu)"),
        (json!({"resource_config": null}), "resource_config is required"),
        (json!({"resource_config": {"cpu": 1, "memory": 1, "gpu": -1}}), gpu),
        (json!({"resource_config": {"cpu": 1, "memory": 1, "gpu": 1.5}}), gpu),
        (json!({"resource_config": {"cpu": 0, "memory": 1}}), "resource_config.cpu must be positive integer"),
        (json!({"image": 3}), "image must be string"),
        (json!({"password": 3}), "password must be string"),
        (json!({"expire_time": "2025-12-31T23:59:59Z"}), "expire_time must be a future time"),
        (json!({"workspace_mount": {"bucket_name": "b"}}), "workspace_mount.mount_path is required"),
        (json!({"workspace_mount": {"mount_path": "/m"}}), "workspace_mount.bucket_name is required"),
        (
            json!({"workspace_mount": {"bucket_name": "b", "mount_path": "m"}}),
            "workspace_mount.mount_path must be absolute path",
        ),
    ];
    let before = cloud.0.state().unwrap();
    for (change, message) in cases {
        let mut wish = wish("valid-name", 0);
        wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(cloud.post("/instances", &wish, 0), failure(400, message), "{change}");
    }
    assert_eq!(cloud.0.state().unwrap(), before);
}

/// R-PM-016, R-PM-047
#[test]
fn names_and_gpus_are_limited() {
    let cloud = Cloud::new();
    let taken = failure(409, "instance name already exists");
    assert_eq!(cloud.post("/instances", &wish("rl-notebook", 0), 0), taken);
    let short = failure(500, "failed to create instance: insufficient GPU resources");
    assert_eq!(cloud.post("/instances", &wish("too-much", GPU_QUOTA + 1), 0), short);
    assert_eq!(cloud.post("/instances", &wish("too-much", 19), 0), short);
    assert_eq!(cloud.post("/instances", &wish("all-that-is-left", 18), 0)["code"], 201);
    // Sandboxes draw on the same GPUs.
    let mut sandbox = wish("one-more", 1);
    sandbox["sandbox_type"] = json!("gpu-sandbox");
    let message = "failed to create sandbox due to resource shortage";
    assert_eq!(cloud.post("/sandboxes", &sandbox, 0), failure(500, message));
}

/// R-PM-048
#[test]
fn a_deletion_says_where_the_backup_went() {
    let cloud = Cloud::new();
    let path = path_of("rl-notebook");
    let backup = "backup_workspace=true&backup_bucket=user-123456789-backup";
    let answer = cloud.delete(&format!("{path}?{backup}"), 0);
    let expected = json!({
        "code": 200,
        "message": "instance deleted successfully",
        "data": {
            "instance_id": id(&path),
            "delete_time": instant(0),
            "backup_workspace": true,
            "backup_bucket": "user-123456789-backup",
            "backup_path": format!("/instance-backups/{}_20260101", id(&path)),
        },
    });
    assert_eq!(answer, expected);
    assert_eq!(cloud.get(&path, 0), failure(404, "instance not found"));
    assert_eq!(cloud.delete(&path, 0), failure(404, "instance not found"));

    let plain = cloud.delete(&path_of("cpu-notebook"), 0)["data"].clone();
    let expected = json!({
        "instance_id": id(&path_of("cpu-notebook")),
        "delete_time": instant(0),
        "backup_workspace": false,
        "backup_bucket": null,
        "backup_path": null,
    });
    assert_eq!(plain, expected);
}

/// R-PM-048, R-PM-051
#[test]
fn a_backup_that_fails_leaves_the_instance() {
    let cloud = Cloud::new();
    let path = path_of("rl-notebook");
    let before = cloud.0.state().unwrap();
    for (query, answer) in [
        ("backup_workspace=true", failure(400, "backup_bucket is required when backup_workspace is true")),
        ("backup_workspace=1", failure(400, "backup_workspace must be boolean")),
        (
            "backup_workspace=true&backup_bucket=denied-bucket",
            failure(500, "failed to backup workspace: bucket access denied"),
        ),
    ] {
        assert_eq!(cloud.delete(&format!("{path}?{query}"), 0), answer);
    }
    assert_eq!(cloud.0.state().unwrap(), before);
}

/// R-PM-050
#[test]
fn a_busy_instance_is_paused_before_it_is_deleted() {
    let cloud = Cloud::new();
    let path = path_of("nightly-train");
    let busy = failure(409, "instance has running tasks, stop first or use force=true");
    assert_eq!(cloud.delete(&path, 0), busy);
    // The message names a parameter that the reference doesn't: it is ignored like any other.
    assert_eq!(cloud.delete(&format!("{path}?force=true"), 0), busy);
    assert_eq!(cloud.post(&format!("{path}/pause"), &Value::Null, 0)["code"], 200);
    assert_eq!(cloud.delete(&path, 0)["code"], 200);
}
