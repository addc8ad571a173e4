use super::*;
use crate::sim::pyromind::testkit::{Cloud, failure, id, instant, path_of};

fn act(cloud: &Cloud, path: &str, body: &Value, second: i64) -> Value {
    cloud.post(&format!("{path}/actions"), body, second)
}

fn batch(cloud: &Cloud, path: &str, body: &Value, second: i64) -> Value {
    cloud.post(&format!("{path}/actions/batch"), body, second)
}

fn refused(why: &str) -> Value {
    failure(500, &format!("failed to execute action: {why}"))
}

fn script(path: &str) -> Value {
    json!({"action": "run_script", "params": {"path": path}})
}

fn package(name: &str) -> Value {
    json!({"action": "install_package", "params": {"name": name}})
}

/// R-PM-023, R-PM-024, R-PM-030
#[test]
fn an_action_completes() {
    let cloud = Cloud::new();
    let path = path_of("ppo-lunar-dev");
    let answer = act(&cloud, &path, &json!({"action": "restart", "timeout": 60}), 0);
    let expected = json!({
        "code": 200,
        "message": "sandbox action executed successfully",
        "data": {
            "sandbox_id": id(&path),
            "action": "restart",
            "status": "completed",
            "execute_time": instant(0),
            "timeout": 60,
        },
    });
    assert_eq!(answer, expected);
    let statuses = [0, 4, 5].map(|second| cloud.status(&path, second));
    assert_eq!(statuses, ["pending", "pending", "running"]);
}

#[test]
fn a_sandbox_stops_and_starts() {
    let cloud = Cloud::new();
    let path = path_of("ppo-lunar-dev");
    let go = |action: &str, second| act(&cloud, &path, &json!({"action": action}), second);
    assert_eq!(go("start", 0), refused("sandbox is not stopped"));
    assert_eq!(go("stop", 10)["data"]["timeout"], 30);
    assert_eq!(cloud.status(&path, 10), "stopped");
    for action in ["stop", "restart", "reboot"] {
        assert_eq!(go(action, 11), refused("sandbox is not running"));
    }
    assert_eq!(act(&cloud, &path, &script("/home/user/a.sh"), 11), refused("sandbox is not running"));
    assert_eq!(go("start", 20)["code"], 200);
    assert_eq!(go("reboot", 24), refused("sandbox is not running"));
    assert_eq!(cloud.status(&path, 25), "running");
    assert_eq!(go("reboot", 30)["code"], 200);
    assert_eq!(cloud.status(&path, 34), "pending");
}

/// R-PM-029
#[test]
fn some_sandboxes_cannot_be_told_anything() {
    let cloud = Cloud::new();
    for action in ["start", "stop", "restart", "reboot"] {
        let answer = act(&cloud, &path_of("atari-render"), &json!({"action": action}), 0);
        assert_eq!(answer, refused("sandbox unresponsive"));
    }
    let waiting = path_of("mujoco-queue");
    assert_eq!(act(&cloud, &waiting, &json!({"action": "stop"}), 0), refused("sandbox is not running"));
    let absent = failure(404, "sandbox not found");
    assert_eq!(act(&cloud, "/sandboxes/sbx_0", &package("git"), 0), absent);
    assert_eq!(batch(&cloud, "/sandboxes/sbx_0", &json!({"actions": [package("git")]}), 0), absent);
}

/// R-PM-012
#[test]
fn a_start_needs_its_gpus() {
    let cloud = Cloud::new();
    let rest = json!({
        "name": "all-that-is-left",
        "sandbox_type": "gpu-sandbox",
        "resource_config": {"cpu": 1, "memory": 1, "gpu": 18},
    });
    assert_eq!(cloud.post("/sandboxes", &rest, 0)["code"], 201);
    let path = path_of("reward-model-debug");
    let start = json!({"action": "start"});
    assert_eq!(act(&cloud, &path, &start, 0), refused("insufficient GPU resources"));
    // Whoever stops gives its GPUs back.
    assert_eq!(act(&cloud, &path_of("ppo-lunar-dev"), &json!({"action": "stop"}), 1)["code"], 200);
    assert_eq!(act(&cloud, &path, &start, 1)["code"], 200);
}

/// R-PM-023, R-PM-024, R-PM-025, R-PM-026, R-PM-027
#[test]
fn an_action_is_read_strictly() {
    let cloud = Cloud::new();
    let unknown = "invalid action type (allowed: start/stop/restart/reboot/install_package/run_script)";
    let args = "params.args must be array of strings";
    let cases = [
        (json!({}), "action is required"),
        (json!({"action": "shutdown"}), unknown),
        (json!({"action": "START"}), unknown),
        (json!({"action": "stop", "timeout": 0}), "timeout must be positive integer"),
        (json!({"action": "stop", "timeout": "60"}), "timeout must be positive integer"),
        (json!({"action": "stop", "params": []}), "params must be object"),
        (json!({"action": "install_package"}), "params is required for install_package"),
        (json!({"action": "run_script"}), "params is required for run_script"),
        (json!({"action": "install_package", "params": {"package": "x"}}), "params.name is required"),
        (json!({"action": "run_script", "params": {"args": []}}), "params.path is required"),
        (json!({"action": "run_script", "params": {"path": "/home/user/a", "args": "a b"}}), args),
        (json!({"action": "run_script", "params": {"path": "/home/user/a", "args": [1]}}), args),
    ];
    let before = cloud.0.state().unwrap();
    let path = path_of("ppo-lunar-dev");
    for (body, message) in cases {
        assert_eq!(act(&cloud, &path, &body, 0), failure(400, message), "{body}");
    }
    assert_eq!(cloud.0.state().unwrap(), before);
}

#[test]
fn scripts_and_packages_must_exist() {
    let cloud = Cloud::new();
    let path = path_of("ppo-lunar-dev");
    let before = cloud.0.state().unwrap();
    for wrong in ["/home/user/missing.sh", "/tmp/a.sh", "/home/user/../root/a.sh", "a.sh"] {
        assert_eq!(act(&cloud, &path, &script(wrong), 0), refused("script file not found"), "{wrong}");
    }
    for wrong in ["missing-lib", "libunknown"] {
        assert_eq!(act(&cloud, &path, &package(wrong), 0), refused("package not found"), "{wrong}");
    }
    assert_eq!(cloud.0.state().unwrap(), before);
    let mut with_args = script("/home/user/init.sh");
    with_args["params"]["args"] = json!(["a", "b"]);
    assert_eq!(act(&cloud, &path, &with_args, 0)["data"]["status"], "completed");
    assert_eq!(act(&cloud, &path, &package("python3-pip"), 0)["data"]["status"], "completed");
}

/// R-PM-024
#[test]
fn an_action_that_would_take_too_long_has_no_effect() {
    let path = path_of("ppo-lunar-dev");
    let slow = [(json!({"action": "reboot"}), 5), (package("git"), 10), (script("/home/user/a.sh"), 20)];
    for (mut body, seconds) in slow {
        let cloud = Cloud::new();
        let before = cloud.0.state().unwrap();
        body["timeout"] = json!(seconds - 1);
        assert_eq!(act(&cloud, &path, &body, 0), refused("action timed out"));
        assert_eq!(cloud.0.state().unwrap(), before);
        body["timeout"] = json!(seconds);
        assert_eq!(act(&cloud, &path, &body, 0)["code"], 200);
    }
    let patient = json!({"action": "stop", "timeout": u64::MAX});
    assert_eq!(act(&Cloud::new(), &path, &patient, 0)["code"], 200);
}

/// R-PM-021
#[test]
fn a_script_and_an_installation_are_running_tasks_while_they_last() {
    let busy = failure(409, "sandbox has running tasks, use force=true to delete");
    let path = path_of("ppo-lunar-dev");
    for (action, seconds) in [(package("git"), 10), (script("/home/user/a.sh"), 20)] {
        let cloud = Cloud::new();
        act(&cloud, &path, &action, 100);
        assert_eq!(cloud.delete(&path, 100 + seconds - 1), busy);
        assert_eq!(cloud.delete(&path, 100 + seconds)["code"], 200);
    }
    let cloud = Cloud::new();
    act(&cloud, &path, &script("/home/user/a.sh"), 0);
    act(&cloud, &path, &package("git"), 1);
    assert_eq!(cloud.delete(&path, 19), busy);
    for ending in ["stop", "restart", "reboot"] {
        let cloud = Cloud::new();
        act(&cloud, &path, &script("/home/user/a.sh"), 0);
        act(&cloud, &path, &json!({"action": ending}), 1);
        assert_eq!(cloud.delete(&path, 1)["code"], 200, "{ending}");
    }
}

/// R-PM-030, R-PM-035, R-PM-037
#[test]
fn a_batch_that_succeeds_says_so_for_each() {
    let cloud = Cloud::new();
    let path = path_of("ppo-lunar-dev");
    let (package, script) = (package("python3-pip"), script("/home/user/init.sh"));
    let plain = ["restart", "reboot", "stop", "start"].map(|action| json!({"action": action}));
    let actions: Vec<Value> = [package, script].into_iter().chain(plain).collect();
    let results = [
        ("install_package", "package installed"),
        ("run_script", "script executed successfully"),
        ("restart", "sandbox restarted"),
        ("reboot", "sandbox rebooted"),
        ("stop", "sandbox stopped"),
        ("start", "sandbox started"),
    ]
    .map(|(action, message)| json!({"action": action, "status": "success", "message": message}));
    let expected = json!({
        "code": 200,
        "message": "batch actions executed successfully",
        "data": {
            "sandbox_id": id(&path),
            "total_actions": 6,
            "success_count": 6,
            "failed_count": 0,
            "results": results,
        },
    });
    assert_eq!(batch(&cloud, &path, &json!({"actions": actions}), 0), expected);
}

/// R-PM-037, R-PM-038
#[test]
fn a_batch_that_fails_in_part_goes_on_and_keeps_its_results() {
    let cloud = Cloud::new();
    let path = path_of("ppo-lunar-dev");
    let actions = json!([script("/home/user/missing.sh"), package("python3-pip")]);
    let expected = json!({
        "code": 500,
        "message": "some batch actions failed",
        "data": {
            "sandbox_id": id(&path),
            "total_actions": 2,
            "success_count": 1,
            "failed_count": 1,
            "results": [
                {"action": "run_script", "status": "failed", "message": "script file not found"},
                {"action": "install_package", "status": "success", "message": "package installed"},
            ],
        },
    });
    assert_eq!(batch(&cloud, &path, &json!({"actions": actions}), 0), expected);
    assert_eq!(cloud.delete(&path, 9)["code"], 409);

    let unresponsive = batch(&cloud, &path_of("atari-render"), &json!({"actions": [package("git")]}), 0);
    let results =
        json!([{"action": "install_package", "status": "failed", "message": "sandbox unresponsive"}]);
    assert_eq!(unresponsive["data"]["results"], results);
}

/// R-PM-036
#[test]
fn in_sequence_each_waits_for_the_one_before_and_in_parallel_none_does() {
    let actions = json!([{"action": "restart"}, script("/home/user/a.sh"), {"action": "stop"}]);
    let path = path_of("ppo-lunar-dev");
    let course = |parallel: bool| {
        let cloud = Cloud::new();
        let answer = batch(&cloud, &path, &json!({"actions": actions, "parallel": parallel}), 0);
        let statuses = [0, 4, 5, 24, 25].map(|second| cloud.status(&path, second));
        (answer["data"]["failed_count"].clone(), statuses)
    };
    let (failed, statuses) = course(false);
    assert_eq!(failed, 0);
    assert_eq!(statuses, ["pending", "pending", "running", "running", "stopped"]);
    let (failed, statuses) = course(true);
    assert_eq!(failed, 2);
    assert_eq!(statuses, ["pending", "pending", "running", "running", "running"]);
}

/// R-PM-023, R-PM-025, R-PM-035
#[test]
fn one_action_that_cannot_be_read_refuses_the_whole_batch() {
    let cloud = Cloud::new();
    let format = "invalid actions format: each action must have 'action' field";
    let unknown = "invalid action type (allowed: start/stop/restart/reboot/install_package/run_script)";
    let good = package("git");
    let cases = [
        (json!({}), "actions is required"),
        (json!({"actions": {}}), "actions must be array"),
        (json!({"actions": []}), "actions must be non-empty array"),
        (json!({"actions": [good, {"params": {}}]}), format),
        (json!({"actions": [good, "stop"]}), format),
        (json!({"actions": [good, {"action": "shutdown"}]}), unknown),
        (json!({"actions": [good, {"action": "run_script"}]}), "params is required for run_script"),
        (json!({"actions": [good], "parallel": "no"}), "parallel must be boolean"),
    ];
    let before = cloud.0.state().unwrap();
    let path = path_of("ppo-lunar-dev");
    for (body, message) in cases {
        assert_eq!(batch(&cloud, &path, &body, 0), failure(400, message), "{body}");
    }
    assert_eq!(cloud.0.state().unwrap(), before);
}

#[test]
fn docs_world_md_states_the_durations() {
    let docs = include_str!("../../../../docs/world.md");
    for (actions, lasts) in [
        ("start, restart, reboot", PENDING),
        ("stop", SignedDuration::ZERO),
        ("install_package", INSTALLING),
        ("run_script", SCRIPT_RUNNING),
    ] {
        let row = format!("\n| {actions} | {} s |", lasts.as_secs());
        assert!(docs.contains(&row), "{row}");
    }
    assert!(docs.contains(&format!("({DEFAULT_TIMEOUT} s by default")));
}
