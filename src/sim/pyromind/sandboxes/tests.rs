use super::*;
use crate::sim::pyromind::testkit::{Cloud, failure, id, instant, path_of};
use crate::sim::world::pyromind::GPU_QUOTA;

fn wish(name: &str, gpu: u64) -> Value {
    json!({
        "name": name,
        "sandbox_type": "gpu-sandbox",
        "resource_config": {"cpu": 16, "memory": 64, "gpu": gpu},
    })
}

fn names(answer: &Value) -> Vec<&str> {
    let rows = answer["data"]["sandboxes"].as_array().unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap()).collect()
}

/// R-PM-004
#[test]
fn a_list_comes_in_pages() {
    let cloud = Cloud::new();
    let list = |query: &str| cloud.get(&format!("/sandboxes{query}"), 0);
    let (first, second) = (list(""), list("?page=2"));
    let counts = |answer: &Value| ["total", "page", "page_size"].map(|name| answer["data"][name].clone());
    assert_eq!(counts(&first), [24, 1, 20]);
    assert_eq!(counts(&second), [24, 2, 20]);
    assert_eq!((names(&first).len(), names(&second).len()), (20, 4));
    assert_eq!([names(&first), names(&second)].concat(), names(&list("?page_size=50")));
    assert_eq!(names(&list("?page=9")), [""; 0]);
    assert_eq!(names(&list("?page=18446744073709551615&page_size=18446744073709551615")), [""; 0]);
    let expected = json!({
        "code": 200,
        "message": "sandboxes listed successfully",
        "data": {
            "total": 24,
            "page": 1,
            "page_size": 1,
            "sandboxes": [{
                "sandbox_id": id(&path_of("ppo-lunar-dev")),
                "name": "ppo-lunar-dev",
                "status": "running",
                "sandbox_type": "gpu-sandbox",
                "create_time": "2025-12-22T00:00:00Z",
                "expire_time": "2027-01-01T00:00:00Z",
                "resource_config": {"cpu": 16, "memory": 64, "gpu": 2},
            }],
        },
    });
    assert_eq!(list("?page_size=1"), expected);
}

/// R-PM-006, R-PM-007
#[test]
fn filters_take_what_is_documented_and_combine() {
    let cloud = Cloud::new();
    let list = |query: &str| cloud.get(&format!("/sandboxes?{query}"), 0);
    assert_eq!(
        names(&list("status=stopped")),
        ["reward-model-debug", "rollout-worker-15", "rollout-worker-16"]
    );
    assert_eq!(names(&list("status=error")), ["atari-render"]);
    assert_eq!(names(&list("status=stopped&sandbox_type=gpu-sandbox")), ["reward-model-debug"]);
    assert_eq!(names(&list("sandbox_type=tpu-sandbox")), [""; 0]);
    for (query, message) in [
        ("status=pending", "invalid status value (allowed: running/stopped/error)"),
        ("page=0", "page must be positive integer"),
        ("page=x", "page must be positive integer"),
        ("page_size=-1", "page_size must be positive integer"),
    ] {
        assert_eq!(list(query), failure(400, message));
    }
}

/// R-PM-008, R-PM-013, R-PM-015, R-PM-018
#[test]
fn a_new_sandbox_is_pending_and_then_runs() {
    let cloud = Cloud::new();
    let created = cloud.post("/sandboxes", &wish("My-GPU-Sandbox-2024", 4), 0);
    let mut data = json!({
        "sandbox_id": created["data"]["sandbox_id"],
        "name": "My-GPU-Sandbox-2024",
        "status": "pending",
        "sandbox_type": "gpu-sandbox",
        "create_time": "2026-01-01T00:00:00Z",
        "expire_time": "2026-01-08T00:00:00Z",
        "resource_config": {"cpu": 16, "memory": 64, "gpu": 4},
    });
    assert_eq!(created, json!({"code": 201, "message": "sandbox created successfully", "data": data}));

    let path = format!("/sandboxes/{}", data["sandbox_id"].as_str().unwrap());
    data["screen_resolution"] = json!({"width": 1920, "height": 1080});
    let expected = json!({"code": 200, "message": "sandbox details retrieved successfully", "data": data});
    assert_eq!(cloud.get(&path, 4), expected);

    let running = cloud.get(&path, 5)["data"].clone();
    let password = running["vnc_info"]["password"].as_str().unwrap();
    data["status"] = json!("running");
    data["vnc_info"] = json!({"host": "vnc.pyromind.ai", "port": 5901, "password": password});
    assert_eq!(running, data);
}

#[test]
fn what_a_create_says_is_kept() {
    let cloud = Cloud::new();
    let mut wish = wish("custom", 0);
    wish["screen_resolution"] = json!({"width": 2560, "height": 1440});
    wish["expire_time"] = json!("2026-01-02T08:00:00+08:00");
    wish["resource_config"] = json!({"cpu": 1, "memory": 2});
    wish["colour"] = json!("unknown fields are ignored");
    let created = cloud.post("/sandboxes", &wish, 0);
    let path = format!("/sandboxes/{}", created["data"]["sandbox_id"].as_str().unwrap());
    let data = cloud.get(&path, 0)["data"].clone();
    assert_eq!(data["screen_resolution"], json!({"width": 2560, "height": 1440}));
    assert_eq!(data["expire_time"], "2026-01-02T00:00:00Z");
    assert_eq!(data["resource_config"], json!({"cpu": 1, "memory": 2, "gpu": 0}));
}

/// R-PM-008, R-PM-009, R-PM-010, R-PM-013, R-PM-015
#[test]
fn a_create_is_read_strictly() {
    let cloud = Cloud::new();
    let name = "name must be 3-64 characters of letters, digits, hyphens and underscores";
    let cpu = "resource config cpu must be positive integer";
    let time = "expire_time must be ISO 8601 time with offset";
    let config = |cpu: Value, memory: Value, gpu: Value| json!({"resource_config": {"cpu": cpu, "memory": memory, "gpu": gpu}});
    let cases = [
        (json!({"name": null}), "name is required"),
        (json!({"name": ""}), "name is required"),
        (json!({"name": 7}), "name must be string"),
        (json!({"name": "ab"}), name),
        (json!({"name": "a b"}), name),
        (json!({"name": "x".repeat(65)}), name),
        (json!({"sandbox_type": null}), "sandbox_type is required"),
        (
            json!({"sandbox_type": "tpu-sandbox"}),
            "invalid sandbox_type value (allowed: gpu-sandbox/cpu-sandbox)",
        ),
        (json!({"resource_config": null}), "resource_config is required"),
        (json!({"resource_config": 3}), "resource_config must be object"),
        (config(json!(null), json!(1), json!(0)), cpu),
        (config(json!(0), json!(1), json!(0)), cpu),
        (config(json!("8"), json!(1), json!(0)), cpu),
        (config(json!(1.5), json!(1), json!(0)), cpu),
        (config(json!(1), json!(null), json!(0)), "resource config memory must be positive integer"),
        (config(json!(1), json!(1), json!(-1)), "resource config gpu must be non-negative integer"),
        (
            json!({"screen_resolution": {"width": 0, "height": 1}}),
            "screen_resolution.width must be positive integer",
        ),
        (json!({"screen_resolution": {"width": 1}}), "screen_resolution.height must be positive integer"),
        (json!({"expire_time": "tomorrow"}), time),
        (json!({"expire_time": "2026-02-01T00:00:00"}), time),
        (json!({"expire_time": "2026-01-01T00:00:00Z"}), "expire_time must be a future time"),
    ];
    let before = cloud.0.state().unwrap();
    for (change, message) in cases {
        let mut wish = wish("valid-name", 0);
        wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(cloud.post("/sandboxes", &wish, 0), failure(400, message), "{change}");
    }
    for body in [json!([]), Value::Null] {
        let malformed = failure(400, "request body must be a JSON object");
        assert_eq!(cloud.post("/sandboxes", &body, 0), malformed);
    }
    assert_eq!(cloud.0.state().unwrap(), before);
}

/// R-PM-011
#[test]
fn a_name_is_free_again_once_its_sandbox_has_gone() {
    let cloud = Cloud::new();
    let taken = failure(409, "sandbox name already exists in your namespace");
    assert_eq!(cloud.post("/sandboxes", &wish("ppo-lunar-dev", 0), 0), taken);
    assert_eq!(cloud.post("/sandboxes", &wish("demo-expiring", 0), 119), taken);
    assert_eq!(cloud.post("/sandboxes", &wish("demo-expiring", 0), 120)["code"], 201);
    // Instances have names of their own.
    assert_eq!(cloud.post("/sandboxes", &wish("rl-notebook", 0), 0)["code"], 201);
}

/// R-PM-012, R-PM-016
#[test]
fn gpus_are_limited() {
    let cloud = Cloud::new();
    let short = failure(500, "failed to create sandbox due to resource shortage");
    for gpus in [GPU_QUOTA + 1, u64::MAX, 19] {
        assert_eq!(cloud.post("/sandboxes", &wish("too-much", gpus), 0), short);
    }
    assert_eq!(cloud.post("/sandboxes", &wish("all-that-is-left", 18), 0)["code"], 201);
    assert_eq!(cloud.post("/sandboxes", &wish("one-more", 1), 0), short);
    assert_eq!(cloud.delete(&path_of("ppo-lunar-dev"), 0)["code"], 200);
    assert_eq!(cloud.post("/sandboxes", &wish("one-more", 2), 0)["code"], 201);
}

/// R-PM-014
#[test]
fn an_expired_sandbox_is_gone() {
    let cloud = Cloud::new();
    let path = path_of("demo-expiring");
    assert_eq!(cloud.status(&path, 119), "running");
    let gone = failure(404, "sandbox not found (check sandbox_id or expired)");
    assert_eq!(cloud.get(&path, 120), gone);
    assert_eq!(cloud.get("/sandboxes/sbx_0", 0), gone);
    assert_eq!(cloud.get("/sandboxes", 120)["data"]["total"], 23);
    let absent = failure(404, "sandbox not found");
    assert_eq!(cloud.delete(&path, 120), absent);
    assert_eq!(cloud.post(&format!("{path}/actions"), &json!({"action": "stop"}), 120), absent);
}

/// R-PM-020, R-PM-021
#[test]
fn a_busy_sandbox_goes_only_by_force() {
    let cloud = Cloud::new();
    let path = path_of("long-rollout");
    let busy = failure(409, "sandbox has running tasks, use force=true to delete");
    assert_eq!(cloud.delete(&path, 0), busy);
    assert_eq!(cloud.delete(&format!("{path}?force=false"), 3599), busy);
    assert_eq!(cloud.delete(&format!("{path}?force=maybe"), 0), failure(400, "force must be boolean"));
    let deleted = |second: i64, force: bool| {
        let data = json!({"sandbox_id": id(&path), "delete_time": instant(second), "force": force});
        json!({"code": 200, "message": "sandbox deleted successfully", "data": data})
    };
    assert_eq!(cloud.delete(&format!("{path}?force=true"), 3599), deleted(3599, true));
    assert_eq!(cloud.delete(&path, 3599), failure(404, "sandbox not found"));
    assert_eq!(Cloud::new().delete(&path, 3600), deleted(3600, false));
}

/// R-PM-031, R-PM-032
#[test]
fn vnc_shows_the_password_in_force_until_it_is_refreshed() {
    let cloud = Cloud::new();
    let path = path_of("desktop-agent-eval");
    let vnc = |second: i64| cloud.get(&format!("{path}/vnc"), second);
    let old = vnc(0);
    let expected = json!({
        "code": 200,
        "message": "vnc connection info retrieved successfully",
        "data": {
            "sandbox_id": id(&path),
            "vnc_host": "vnc.pyromind.ai",
            "vnc_port": 5901,
            "vnc_password": old["data"]["vnc_password"],
            "expire_time": "2025-12-24T16:00:00Z",
            "refresh_time": "2025-12-23T16:00:00Z",
        },
    });
    assert_eq!(old, expected);
    assert_eq!(vnc(60), expected);
    assert_eq!(cloud.get(&path, 0)["data"]["vnc_info"]["password"], old["data"]["vnc_password"]);

    let new = cloud.get(&format!("{path}/vnc?refresh=true"), 60);
    assert_ne!(new["data"]["vnc_password"], old["data"]["vnc_password"]);
    assert_eq!(new["data"]["refresh_time"], json!(instant(60)));
    assert_eq!(new["data"]["expire_time"], json!(instant(60 + VNC_LIFETIME.as_secs())));
    assert_eq!(vnc(90), new);
    assert_eq!(cloud.get(&path, 90)["data"]["vnc_info"]["password"], new["data"]["vnc_password"]);
}

/// R-PM-018, R-PM-034
#[test]
fn vnc_is_for_sandboxes_that_run() {
    let cloud = Cloud::new();
    let none = failure(404, "sandbox not found or vnc not enabled");
    for name in ["reward-model-debug", "atari-render", "mujoco-queue"] {
        let path = path_of(name);
        assert_eq!(cloud.get(&format!("{path}/vnc?refresh=true"), 0), none, "{name}");
        assert_eq!(cloud.get(&path, 0)["data"].get("vnc_info"), None, "{name}");
    }
    assert_eq!(cloud.get("/sandboxes/sbx_0/vnc", 0), none);
    let lost = path_of("remote-desktop-lost");
    assert_eq!(cloud.get(&format!("{lost}/vnc"), 0), failure(500, "failed to retrieve vnc info"));
    assert_eq!(cloud.get(&lost, 0)["data"].get("vnc_info"), None);
    let malformed = cloud.get(&format!("{lost}/vnc?refresh=1"), 0);
    assert_eq!(malformed, failure(400, "refresh must be boolean"));
}
