use serde_json::Value;

use super::*;
use crate::sim::pyromind::testkit::{Cloud, failure, id, instant, path_of};

fn create(cloud: &Cloud, name: &str, gpu: u64, second: i64) -> String {
    let wish = json!({
        "name": name,
        "resource_type": "gpu",
        "resource_config": {"cpu": 16, "memory": 64, "gpu": gpu},
    });
    let created = cloud.post("/instances", &wish, second);
    format!("/instances/{}", created["data"]["instance_id"].as_str().unwrap())
}

fn pause(cloud: &Cloud, path: &str, second: i64) -> Value {
    cloud.post(&format!("{path}/pause"), &Value::Null, second)
}

fn resume(cloud: &Cloud, path: &str, body: &Value, second: i64) -> Value {
    cloud.post(&format!("{path}/resume"), body, second)
}

/// R-PM-052
#[test]
fn an_edit_says_what_it_changed() {
    let cloud = Cloud::new();
    let path = path_of("rl-notebook");
    let wish = json!({
        "name": "RL-Experiment-Instance-V2",
        "resource_config": {"cpu": 20, "memory": 80, "gpu": 4},
        "expire_time": "2026-01-25T18:00:00Z",
        "password": "NewSecurePass456!",
    });
    let expected = json!({
        "code": 200,
        "message": "instance updated successfully",
        "data": {
            "instance_id": id(&path),
            "name": "RL-Experiment-Instance-V2",
            "updated_fields": ["name", "resource_config", "expire_time", "password"],
            "resource_config": {"cpu": 20, "memory": 80, "gpu": 4},
            "expire_time": "2026-01-25T18:00:00Z",
            "update_time": instant(3),
        },
    });
    assert_eq!(cloud.put(&path, &wish, 3), expected);
    let read = cloud.get(&path, 3)["data"].clone();
    for name in ["name", "resource_config", "expire_time"] {
        assert_eq!(read[name], expected["data"][name]);
    }
}

/// R-PM-052
#[test]
fn blank_fields_stay_as_they_are() {
    let cloud = Cloud::new();
    let path = path_of("rl-notebook");
    let before = cloud.get(&path, 0);
    let edited = cloud.put(&path, &json!({"name": "", "resource_config": {"memory": 32}}), 0);
    assert_eq!(edited["data"]["updated_fields"], json!(["resource_config"]));
    let mut expected = before["data"].clone();
    expected["resource_config"]["memory"] = json!(32);
    expected["resource_usage"]["memory_used"] = json!(16.0);
    assert_eq!(cloud.get(&path, 0)["data"], expected);
}

/// R-PM-044, R-PM-052, R-PM-053, R-PM-054
#[test]
fn an_edit_is_read_strictly() {
    let cloud = Cloud::new();
    let path = path_of("rl-notebook");
    let greater = "resource_config.cpu must be greater than current 16";
    let cases = [
        (json!({}), 400, "no field to update"),
        (json!({"name": "", "password": null}), 400, "no field to update"),
        (json!({"name": 1}), 400, "name must be string"),
        (json!({"resource_config": {"cpu": 16, "memory": 80}}), 400, greater),
        (json!({"resource_config": {"cpu": 8}}), 400, greater),
        (json!({"resource_config": {"memory": 0}}), 400, "resource_config.memory must be positive integer"),
        (json!({"expire_time": "2026-01-01T00:00:00Z"}), 400, "expire_time must be a future time"),
        (json!({"name": "cpu-notebook"}), 409, "new instance name already exists"),
        (
            json!({"resource_config": {"gpu": 23}}),
            500,
            "failed to update resource config: insufficient resources",
        ),
    ];
    let before = cloud.0.state().unwrap();
    for (body, status, message) in cases {
        assert_eq!(cloud.put(&path, &body, 0), failure(status, message), "{body}");
    }
    let nobody = cloud.put("/instances/jp_0", &json!({"name": "x"}), 0);
    assert_eq!(nobody, failure(404, "instance not found"));
    assert_eq!(cloud.0.state().unwrap(), before);
    assert_eq!(cloud.put(&path, &json!({"name": "rl-notebook"}), 0)["code"], 200);
    assert_eq!(cloud.put(&path, &json!({"resource_config": {"gpu": 22}}), 0)["code"], 200);
}

#[test]
fn a_later_expiry_does_not_bring_a_stopped_instance_back() {
    let cloud = Cloud::new();
    let path = path_of("archived-study");
    for day in ["2026-02-01", "2026-03-01"] {
        let edited = cloud.put(&path, &json!({"expire_time": format!("{day}T00:00:00Z")}), 0);
        assert_eq!(edited["code"], 200);
        assert_eq!(cloud.status(&path, 0), "stopped");
    }
}

/// R-PM-055, R-PM-056
#[test]
fn a_running_instance_is_paused() {
    let cloud = Cloud::new();
    let path = path_of("rl-notebook");
    let answer = |save: bool, count: u64| {
        let data = json!({
            "instance_id": id(&path),
            "status": "paused",
            "pause_time": instant(7),
            "save_checkpoint": save,
            "checkpoint_count": count,
        });
        json!({"code": 200, "message": "instance paused successfully", "data": data})
    };
    assert_eq!(pause(&cloud, &path, 7), answer(true, 1));
    assert_eq!(cloud.status(&path, 7), "paused");
    resume(&cloud, &path, &Value::Null, 7);
    let unsaved = cloud.post(&format!("{path}/pause?save_checkpoint=false"), &Value::Null, 7);
    assert_eq!(unsaved, answer(false, 1));
}

/// R-PM-055, R-PM-058
#[test]
fn not_every_instance_can_be_paused() {
    let cloud = Cloud::new();
    let cannot = failure(400, "cannot pause instance in 'paused' or 'stopped' status");
    assert_eq!(pause(&cloud, &path_of("paused-sweep"), 0), cannot);
    assert_eq!(pause(&cloud, &path_of("archived-study"), 0), cannot);
    let broken = failure(400, "cannot pause instance in 'error' status");
    assert_eq!(pause(&cloud, &path_of("corrupt-image"), 0), broken);
    let new = create(&cloud, "new", 0, 0);
    assert_eq!(pause(&cloud, &new, 4), failure(400, "cannot pause instance in 'pending' status"));
    assert_eq!(pause(&cloud, "/instances/jp_0", 0), failure(404, "instance not found"));

    let full = path_of("full-disk-lab");
    let storage = failure(500, "failed to save checkpoints: storage error");
    assert_eq!(pause(&cloud, &full, 0), storage);
    assert_eq!(cloud.status(&full, 0), "running");
    let wrong = cloud.post(&format!("{full}/pause?save_checkpoint=no"), &Value::Null, 0);
    assert_eq!(wrong, failure(400, "save_checkpoint must be boolean"));
    let unsaved = cloud.post(&format!("{full}/pause?save_checkpoint=false"), &Value::Null, 0);
    assert_eq!(unsaved["data"]["checkpoint_count"], 0);
}

/// R-PM-059, R-PM-060, R-PM-062
#[test]
fn a_paused_instance_resumes_at_a_new_address() {
    let cloud = Cloud::new();
    let path = path_of("paused-sweep");
    let old = cloud.get(&path, 0)["data"]["access_url"].clone();
    let wish = json!({"resource_config": {"cpu": 8, "memory": 32, "gpu": 1}});
    let answer = cloud.post(&format!("{path}/resume?restore_checkpoint=true"), &wish, 5);
    let expected = json!({
        "code": 200,
        "message": "instance resumed successfully",
        "data": {
            "instance_id": id(&path),
            "status": "running",
            "resume_time": instant(5),
            "restore_checkpoint": true,
            "resource_config": {"cpu": 8, "memory": 32, "gpu": 1},
            "access_url": format!("https://instances.pyromind.ai/{}-1", id(&path)),
        },
    });
    assert_eq!(answer, expected);
    let read = cloud.get(&path, 5)["data"].clone();
    assert_ne!(read["access_url"], old);
    assert_eq!(read["access_url"], expected["data"]["access_url"]);
    // It may have all that it was made for again.
    pause(&cloud, &path, 6);
    let whole = json!({"resource_config": {"cpu": 12, "memory": 48, "gpu": 2}});
    assert_eq!(resume(&cloud, &path, &whole, 7)["data"]["restore_checkpoint"], false);
}

/// R-PM-059, R-PM-061
#[test]
fn not_every_instance_can_be_resumed() {
    let cloud = Cloud::new();
    let cannot = failure(400, "cannot resume instance in 'running' or 'stopped' status");
    assert_eq!(resume(&cloud, &path_of("rl-notebook"), &Value::Null, 0), cannot);
    assert_eq!(resume(&cloud, &path_of("archived-study"), &Value::Null, 0), cannot);
    let broken = failure(400, "cannot resume instance in 'error' status");
    assert_eq!(resume(&cloud, &path_of("corrupt-image"), &Value::Null, 0), broken);
    assert_eq!(resume(&cloud, "/instances/jp_0", &Value::Null, 0), failure(404, "instance not found"));

    let path = path_of("paused-sweep");
    let more =
        |field: &str, number: u64| resume(&cloud, &path, &json!({"resource_config": {field: number}}), 0);
    for (field, most) in [("cpu", 12), ("memory", 48), ("gpu", 2)] {
        let demand = format!("resource_config.{field} must not exceed original request {most}");
        assert_eq!(more(field, most + 1), failure(400, &demand));
    }
    let cpu = failure(400, "resource_config.cpu must be positive integer");
    assert_eq!(more("cpu", 0), cpu);
    let wrong = cloud.post(&format!("{path}/resume?restore_checkpoint=2"), &Value::Null, 0);
    assert_eq!(wrong, failure(400, "restore_checkpoint must be boolean"));
}

/// R-PM-016
#[test]
fn a_resume_needs_its_gpus() {
    let cloud = Cloud::new();
    create(&cloud, "all-that-is-left", 18, 0);
    let path = path_of("paused-sweep");
    let short = failure(500, "failed to resume: insufficient GPU resources");
    assert_eq!(resume(&cloud, &path, &Value::Null, 0), short);
    assert_eq!(resume(&cloud, &path, &json!({"resource_config": {"gpu": 0}}), 0)["code"], 200);
}

#[test]
fn only_a_saved_checkpoint_is_restored() {
    let cloud = Cloud::new();
    let path = path_of("rl-notebook");
    cloud.post(&format!("{path}/pause?save_checkpoint=false"), &Value::Null, 0);
    let restore = format!("{path}/resume?restore_checkpoint=true");
    let none = failure(500, "failed to resume: no checkpoint to restore");
    assert_eq!(cloud.post(&restore, &Value::Null, 0), none);
    resume(&cloud, &path, &Value::Null, 1);
    pause(&cloud, &path, 2);
    assert_eq!(cloud.post(&restore, &Value::Null, 3)["code"], 200);
}
