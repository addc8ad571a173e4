use http::header::AUTHORIZATION;
use std::collections::BTreeSet;

use http::Request;
use serde_json::{Value, json};

use super::testkit::{Cloud, failure, path_of, request};
use super::*;
use crate::sim::faults::Faults;
use crate::sim::testkit::{AT, Call, WORKSPACE, code, transmit};
use crate::sim::world::{SECRET_MARK, World};
use crate::sim::{Entry, Simulator};

/// R-PM-001, R-PM-003
#[test]
fn only_the_key_opens_the_cloud() {
    let cloud = Cloud::new();
    let refused = failure(401, "missing or invalid api key");
    let with = |authorization: Option<&'static str>| {
        let mut request = request("GET", "/sandboxes", &Value::Null);
        request.headers_mut().remove(AUTHORIZATION);
        if let Some(value) = authorization {
            request.headers_mut().insert(AUTHORIZATION, value.parse().unwrap());
        }
        cloud.send(request, 0)
    };
    for wrong in [None, Some("Bearer "), Some("Bearer other"), Some("Basic redline-sim"), Some("redline-sim")]
    {
        assert_eq!(with(wrong), refused, "{wrong:?}");
    }
    assert_eq!(with(Some("bearer redline-sim"))["code"], 200);
}

/// R-PM-002
#[test]
fn what_is_no_operation_is_not_found() {
    let cloud = Cloud::new();
    for (method, path) in [
        ("PUT", "/sandboxes"),
        ("GET", "/sandboxes/"),
        ("GET", "/sandboxes/a/b"),
        ("POST", "/instances/jp_1/stop"),
        ("GET", "/quotas"),
        ("GET", "/training"),
        ("POST", "/training/jobs/train_1/cancel"),
        ("POST", "/inference/inf_1/pause"),
    ] {
        let answer = cloud.send(request(method, path, &Value::Null), 0);
        assert_eq!(answer, failure(404, "endpoint not found"), "{method} {path}");
    }
}

#[test]
fn host_or_path_says_that_a_request_is_for_pyromind() {
    let cloud = Cloud::new();
    let at = |uri: &str, header: &str| {
        let request = Request::get(uri).header(header, "x").body(bytes::Bytes::new()).unwrap();
        let response = transmit(&cloud.0, request, AT);
        (response.status().as_u16(), response.headers().contains_key("x-trace-id"))
    };
    assert_eq!(at("https://api-portal.pyromind.ai/api/v1/workspaces", "x-other"), (401, true));
    assert_eq!(at("https://API-PORTAL.pyromind.ai:443/", "x-acs-version"), (401, true));
    assert_eq!(at("http://localhost:8080/api/v1/instances/jp_1", "x-other"), (401, true));
    assert_eq!(at("http://localhost:8080/api/v1/instances", "x-acs-version"), (404, false));
    assert_eq!(at("http://localhost:8080/api/v1/sandboxesque", "x-other"), (404, false));
    assert_eq!(at("http://localhost:8080/sandboxes", "x-other"), (404, false));
    let pai = Call::get(WORKSPACE, "/api/v1/sandboxes", "ListSandboxes").send(&cloud.0);
    assert_eq!(code(pai), (404, "InvalidAction.NotFound".to_owned()));
}

/// R-PM-002
#[test]
fn the_journal_names_the_tool_and_the_cluster() {
    let cloud = Cloud::new();
    let operations = [
        ("GET", "/sandboxes", "list_sandboxes"),
        ("POST", "/sandboxes", "create_sandbox"),
        ("GET", "/sandboxes/x", "get_sandbox"),
        ("DELETE", "/sandboxes/x", "delete_sandbox"),
        ("POST", "/sandboxes/x/actions", "execute_sandbox_action"),
        ("GET", "/sandboxes/x/vnc", "get_sandbox_vnc"),
        ("POST", "/sandboxes/x/actions/batch", "execute_sandbox_batch_actions"),
        ("GET", "/instances", "list_instances"),
        ("POST", "/instances", "create_instance"),
        ("GET", "/instances/x", "get_instance"),
        ("DELETE", "/instances/x", "delete_instance"),
        ("PUT", "/instances/x", "edit_instance"),
        ("POST", "/instances/x/pause", "pause_instance"),
        ("POST", "/instances/x/resume", "resume_instance"),
        ("GET", "/instances/x/access-token", "get_instance_access_token"),
        ("POST", "/inference", "create_inference_task"),
        ("GET", "/inference", "list_inference_tasks"),
        ("GET", "/inference/x", "get_inference_task"),
        ("DELETE", "/inference/x", "delete_inference_task"),
        ("POST", "/training/jobs", "submit_training_job"),
        ("GET", "/training/jobs", "list_training_jobs"),
        ("GET", "/training/jobs/x", "get_training_job"),
        ("DELETE", "/training/jobs/x", "delete_training_job"),
        ("POST", "/training/jobs/x/pause", "pause_training_job"),
        ("POST", "/training/jobs/x/resume", "resume_training_job"),
    ];
    for (method, path, _) in operations {
        cloud.send(request(method, path, &Value::Null), 0);
    }
    let seen: Vec<Option<String>> = cloud.0.journal().into_iter().map(|entry| entry.tool).collect();
    let expected: Vec<_> = operations.iter().map(|(_, _, tool)| Some(format!("pyromind_{tool}"))).collect();
    assert_eq!(seen, expected);

    let mut unknown = request("GET", "/instances?page=2", &Value::Null);
    unknown.headers_mut().insert("x-cluster", "us-west-2".parse().unwrap());
    unknown.headers_mut().remove(AUTHORIZATION);
    cloud.send(unknown, 0);
    let expected = Entry {
        tool: Some("pyromind_list_instances".to_owned()),
        region: None,
        cluster: Some("us-west-2".to_owned()),
        method: "GET".to_owned(),
        path: "/api/v1/instances".to_owned(),
        query: vec![("page".to_owned(), "2".to_owned())],
        verified: false,
        status: 401,
        fault: None,
    };
    assert_eq!(cloud.0.journal().last(), Some(&expected));
}

#[test]
fn an_id_in_a_path_is_decoded_once() {
    let find = |path| Operation::find(&http::Method::GET, path);
    assert_eq!(find("/api/v1/sandboxes/a%2Fb"), Some(Operation::GetSandbox("a/b".to_owned())));
    assert_eq!(find("/api/v1/sandboxes/a%252Fb"), Some(Operation::GetSandbox("a%2Fb".to_owned())));
}

fn sandbox_wish() -> Value {
    let config = json!({"cpu": 2, "memory": 4, "gpu": 0});
    json!({"name": "contested", "sandbox_type": "cpu-sandbox", "resource_config": config})
}

fn instance_wish() -> Value {
    let config = json!({"cpu": 2, "memory": 4, "gpu": 0});
    json!({"name": "contested", "resource_type": "cpu", "resource_config": config})
}

/// R-PM-011, R-PM-047
#[test]
fn a_scripted_rival_takes_the_name_first() {
    let sandbox = (
        "sandboxes",
        "pyromind_create_sandbox",
        sandbox_wish(),
        "sandbox name already exists in your namespace",
    );
    let instance = ("instances", "pyromind_create_instance", instance_wish(), "instance name already exists");
    for (family, tool, wish, message) in [sandbox, instance] {
        for (same, cpu) in [(true, 2), (false, 3)] {
            let faults = json!([{"tool": tool, "nth": 2, "fault": "name-race", "same": same}]);
            let cloud = Cloud::with_faults(&faults.to_string());
            let collection = format!("/{family}");
            assert_eq!(cloud.post(&collection, &json!({}), 0), failure(400, "name is required"));
            assert_eq!(cloud.post(&collection, &wish, 0), failure(409, message));
            let rows = cloud.get(&format!("/{family}?page_size=100"), 0)["data"][family].clone();
            let rows = rows.as_array().unwrap();
            let found: Vec<&Value> = rows.iter().filter(|row| row["name"] == "contested").collect();
            let configs: Vec<&Value> = found.iter().map(|row| &row["resource_config"]).collect();
            assert_eq!(configs, [&json!({"cpu": cpu, "memory": 4, "gpu": 0})], "{tool} {same}");
        }
    }
}

/// R-PM-074, R-PM-090: of tasks and jobs no resources show, so that a rival differs in what does.
#[test]
fn a_scripted_rival_differs_in_what_shows() {
    let machine = json!({"cpu": 2, "memory": 4, "gpu": 0});
    let task = json!({
        "name": "contested", "model_type": "cv", "model_name": "shelf-detector", "resource_config": machine,
        "input_config": {"data_source": "s3://b/in"},
        "output_config": {"output_bucket": "b", "output_path": "/out"},
    });
    let job = json!({
        "name": "contested", "training_framework": "ray", "model_name": "m", "resource_config": machine,
        "data_config": {"train_data_source": "s3://b/in"}, "hyperparameters": {"epochs": 5},
        "output_config": {"output_bucket": "b", "output_path": "/out"},
    });
    for (family, tool, wish, shown, same, other) in [
        (
            "/inference",
            "pyromind_create_inference_task",
            task,
            "/input_config/data_source",
            json!("s3://b/in"),
            json!("s3://b/in-other"),
        ),
        (
            "/training/jobs",
            "pyromind_submit_training_job",
            job,
            "/hyperparameters/epochs",
            json!(5),
            json!(6),
        ),
    ] {
        for (is_same, expected) in [(true, same), (false, other)] {
            let faults = json!([{"tool": tool, "nth": 2, "fault": "name-race", "same": is_same}]);
            let cloud = Cloud::with_faults(&faults.to_string());
            assert_eq!(cloud.post(family, &json!({}), 0), failure(400, "name is required"));
            assert_eq!(cloud.post(family, &wish, 0)["code"], 409);
            let rows = cloud.get(&format!("{family}?page_size=100"), 0)["data"]["jobs"].clone();
            let found: Vec<&Value> =
                rows.as_array().unwrap().iter().filter(|row| row["name"] == "contested").collect();
            assert_eq!(found.len(), 1);
            let whole = cloud.get(&format!("{family}/{}", found[0]["job_id"].as_str().unwrap()), 0);
            assert_eq!(whole["data"].pointer(shown), Some(&expected), "{tool} {is_same}");
        }
    }
}

#[test]
fn a_rival_who_may_not_have_it_creates_nothing() {
    let faults = r#"[{"tool": "pyromind_create_sandbox", "nth": 1, "fault": "name-race"}]"#;
    let cloud = Cloud::with_faults(faults);
    let before = cloud.0.state().unwrap();
    assert_eq!(cloud.post("/sandboxes", &json!({"name": "x"}), 0)["code"], 400);
    assert_eq!(cloud.0.state().unwrap(), before);
}

/// Every secret that a run shows.
fn secrets(cloud: &Cloud) -> Vec<String> {
    let (sandbox, instance) = (path_of("ppo-lunar-dev"), path_of("rl-notebook"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    vec![
        text(&cloud.get(&sandbox, 0)["data"]["vnc_info"]["password"]),
        text(&cloud.get(&format!("{sandbox}/vnc?refresh=true"), 0)["data"]["vnc_password"]),
        text(&cloud.post("/instances", &instance_wish(), 0)["data"]["password"]),
        text(&cloud.get(&format!("{instance}/access-token"), 1)["data"]["access_token"]),
    ]
}

/// R-PM-019, R-PM-033, R-PM-045, R-PM-066
#[test]
fn secrets_are_marked_repeatable_and_never_stored() {
    let cloud = Cloud::new();
    let shown = secrets(&cloud);
    let state = cloud.0.state().unwrap()["pyromind"].to_string();
    assert!(!state.contains(SECRET_MARK));
    for secret in &shown {
        assert!(secret.contains(SECRET_MARK) && secret.len() >= 16, "{secret}");
        assert!(!state.contains(secret), "{secret}");
    }
    assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), shown.len());
    assert_eq!(secrets(&Cloud::new()), shown);
    let elsewhere = Cloud(Simulator::new(World::seeded(2), Faults::default()));
    let wish = instance_wish();
    assert!(!shown.contains(&elsewhere.post("/instances", &wish, 0)["data"]["password"].to_string()));
}

/// R-PM-045
#[test]
fn a_password_that_a_caller_gives_is_not_stored() {
    let cloud = Cloud::new();
    let mut wish = instance_wish();
    wish["password"] = json!("SecurePass123!");
    let created = cloud.post("/instances", &wish, 0);
    assert_eq!(created["data"]["password"], "SecurePass123!");
    let path = format!("/instances/{}", created["data"]["instance_id"].as_str().unwrap());
    cloud.put(&path, &json!({"password": "NewSecurePass456!"}), 1);
    let state = cloud.0.state().unwrap();
    assert!(!state.to_string().contains("SecurePass"));
    let last = state["pyromind"]["instances"].as_array().unwrap().last().unwrap();
    assert_eq!(last["password_chosen"], "2026-01-01T00:00:01Z");
}

#[test]
fn reads_and_time_leave_the_state_alone() {
    let cloud = Cloud::new();
    let before = cloud.0.state().unwrap();
    let (sandbox, instance) = (path_of("ppo-lunar-dev"), path_of("rl-notebook"));
    for second in [0, 200_000] {
        let (task, job) = (path_of("traffic-replay"), path_of("ant-distill"));
        for path in
            ["/sandboxes", "/instances", "/inference", "/training/jobs", &sandbox, &instance, &task, &job]
        {
            assert_eq!(cloud.get(path, second)["code"], 200, "{path}");
        }
        assert_eq!(cloud.get(&format!("{sandbox}/vnc"), second)["code"], 200);
        assert_eq!(cloud.get(&format!("{instance}/access-token"), second)["code"], 200);
    }
    assert_eq!(cloud.0.state().unwrap(), before);
}

#[test]
fn a_world_goes_on_from_its_state() {
    let cloud = Cloud::new();
    let first = cloud.post("/sandboxes", &sandbox_wish(), 0);
    let state = cloud.0.state().unwrap();
    let resumed = World::parse(&state.to_string()).unwrap();
    let resumed = Cloud(Simulator::new(resumed, Faults::default()));
    assert_eq!(resumed.0.state().unwrap(), state);
    let path = format!("/sandboxes/{}", first["data"]["sandbox_id"].as_str().unwrap());
    assert_eq!(resumed.get(&path, 9), cloud.get(&path, 9));
    let mut other = sandbox_wish();
    other["name"] = json!("another");
    assert_eq!(resumed.post("/sandboxes", &other, 9), cloud.post("/sandboxes", &other, 9));
}
