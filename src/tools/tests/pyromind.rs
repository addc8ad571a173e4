//! What is said of calls to PyroMind that can't be sent as they are.

use serde_json::{Value, json};

use super::arguments::{TYPE, accepted, refused};
use crate::spec::{Method, Payload};
use crate::tools::{all, find};

const CREATE_INSTANCE: &str = "pyromind_create_instance";
const CREATE_SANDBOX: &str = "pyromind_create_sandbox";
const ACTION: &str = "pyromind_execute_sandbox_action";
const BATCH: &str = "pyromind_execute_sandbox_batch_actions";
const LISTS: [&str; 2] = ["pyromind_list_instances", "pyromind_list_sandboxes"];

fn one_of(path: &str, values: &str) -> String {
    format!("{path}: isn't one of the documented values; give one of {values}, in this case")
}

/// R-PM-002: nothing that isn't documented, such as stopping an instance.
#[test]
fn there_is_no_tool_for_what_is_not_documented() {
    for name in ["pyromind_stop_instance", "pyromind_cancel_training_job", "pyromind_get_quota"] {
        assert!(find(name).is_none(), "{name}");
    }
    let sandboxes = all().filter(|tool| tool.spec().route.path.starts_with("/api/v1/sandboxes"));
    assert_eq!(sandboxes.count(), 7);
}

/// R-PM-004: pages begin at 1; what isn't given isn't sent.
#[test]
fn pages_begin_at_one() {
    for tool in LISTS {
        accepted(tool, json!({ "page": 2, "page_size": 50 }));
        refused(tool, json!({ "page": 0 }), &["page: is too small; give at least 1"]);
        refused(tool, json!({ "page_size": 0 }), &["page_size: is too small; give at least 1"]);
    }
}

/// R-PM-006, R-PM-039: the filters are closed, whatever states there are beside; R-PM-007: they combine.
#[test]
fn filters_have_the_documented_values() {
    let [instances, sandboxes] = LISTS;
    accepted(sandboxes, json!({ "status": "running", "sandbox_type": "gpu-sandbox" }));
    let known = one_of("status", r#"["running","stopped","error"]"#);
    for wrong in ["pending", "paused", "Running"] {
        refused(sandboxes, json!({ "status": wrong }), &[&known]);
    }
    accepted(instances, json!({ "status": "paused", "resource_type": "cpu" }));
    let known = one_of("status", r#"["running","paused","stopped","error"]"#);
    refused(instances, json!({ "status": "pending" }), &[&known]);
}

/// R-PM-008: 3 to 64 letters, digits, hyphens or underscores; R-PM-041: an instance has a name, a kind and resources, the
/// name in any form.
#[test]
fn sandbox_names_have_the_documented_form() {
    for name in ["abc", "My-GPU-Sandbox_2024", &"x".repeat(64)] {
        accepted(CREATE_SANDBOX, json!({ "name": name }));
    }
    let form = "name: doesn't have the documented form; it must match ^[A-Za-z0-9_-]{3,64}$";
    for name in ["ab", "a b", &"x".repeat(65), "沙盒沙盒", "abc\n"] {
        refused(CREATE_SANDBOX, json!({ "name": name }), &[form]);
    }
    accepted(CREATE_INSTANCE, json!({ "name": "a b" }));
    refused(CREATE_INSTANCE, json!({ "name": "" }), &["name: is too short; give at least 1 characters"]);
    for required in ["name", "resource_type", "resource_config"] {
        refused(CREATE_INSTANCE, json!({ required: null }), &[&format!("{required}: is required; give it")]);
    }
}

/// R-PM-009: the platform's types aren't listed anywhere, so any is sent; R-PM-040: those of instances are.
#[test]
fn types_are_as_open_as_the_documentation() {
    accepted(CREATE_SANDBOX, json!({ "sandbox_type": "osworld" }));
    let empty = "sandbox_type: is too short; give at least 1 characters";
    refused(CREATE_SANDBOX, json!({ "sandbox_type": "" }), &[empty]);
    refused(CREATE_SANDBOX, json!({ "sandbox_type": null }), &["sandbox_type: is required; give it"]);
    for tool in [CREATE_INSTANCE, "pyromind_list_instances"] {
        accepted(tool, json!({ "resource_type": "cpu" }));
        refused(tool, json!({ "resource_type": "GPU" }), &[&one_of("resource_type", r#"["cpu","gpu"]"#)]);
    }
    refused(CREATE_INSTANCE, json!({ "resource_type": null }), &["resource_type: is required; give it"]);
}

/// R-PM-010, R-PM-042: whole numbers, and at least one processor and some memory.
#[test]
fn resources_are_whole_numbers() {
    let kind = |name: &str| format!("resource_config.{name}: must be a whole number; {TYPE}");
    for tool in [CREATE_INSTANCE, CREATE_SANDBOX] {
        let config = |config: Value| json!({ "resource_config": config });
        accepted(tool, config(json!({ "cpu": 1, "memory": 1, "gpu": 0 })));
        accepted(tool, config(json!({ "cpu": 4, "memory": 16 })));
        refused(tool, json!({ "resource_config": null }), &["resource_config: is required; give it"]);
        refused(
            tool,
            config(json!({ "cpu": 0, "memory": 0, "gpu": -1 })),
            &[
                "resource_config.cpu: is too small; give at least 1",
                "resource_config.memory: is too small; give at least 1",
                "resource_config.gpu: is too small; give at least 0",
            ],
        );
        refused(tool, config(json!({ "cpu": "8", "memory": 1 })), &[&kind("cpu")]);
        refused(tool, config(json!({ "cpu": 1, "memory": 1, "gpu": 1.5 })), &[&kind("gpu")]);
        refused(
            tool,
            config(json!({ "gpu": 1 })),
            &["resource_config.cpu: is required; give it", "resource_config.memory: is required; give it"],
        );
    }
}

/// R-PM-013, R-PM-044: an instant with its zone; whether it lies ahead is judged at the clock.
#[test]
fn expiry_is_an_instant_with_its_zone() {
    let form = "expire_time: isn't an instant with a time zone; give a time such as 2026-01-15T09:30:00Z or \
                2026-01-15T17:30:00+08:00";
    for tool in [CREATE_INSTANCE, CREATE_SANDBOX] {
        for instant in ["2999-01-15T00:00:00Z", "2999-01-15T00:00:00+08:00", "2001-01-01T00:00:00Z"] {
            accepted(tool, json!({ "expire_time": instant }));
        }
        for wrong in ["tomorrow", "2999-01-15", "2999-01-15T00:00:00", "P7D", ""] {
            refused(tool, json!({ "expire_time": wrong }), &[form]);
        }
    }
}

/// R-PM-015: both sides of a screen, or none.
#[test]
fn a_screen_has_two_sides() {
    accepted(CREATE_SANDBOX, json!({ "screen_resolution": { "width": 2560, "height": 1440 } }));
    refused(
        CREATE_SANDBOX,
        json!({ "screen_resolution": { "width": 0 } }),
        &[
            "screen_resolution.height: is required; give it",
            "screen_resolution.width: is too small; give at least 1",
        ],
    );
}

/// R-PM-046: the bucket and an absolute path, or neither.
#[test]
fn a_mount_has_a_bucket_and_an_absolute_path() {
    let mount = |bucket: Value, path: Value| {
        let mut mount = json!({ "bucket_name": bucket, "mount_path": path });
        mount.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        json!({ "workspace_mount": mount })
    };
    accepted(CREATE_INSTANCE, mount(json!("user-data"), json!("/home/jovyan/work")));
    refused(
        CREATE_INSTANCE,
        mount(json!("user-data"), json!(null)),
        &["workspace_mount.mount_path: is required; give it"],
    );
    refused(
        CREATE_INSTANCE,
        mount(json!(null), json!("work")),
        &[
            "workspace_mount.bucket_name: is required; give it",
            "workspace_mount.mount_path: doesn't have the documented form; it must match ^/",
        ],
    );
}

/// R-PM-017: an id is opaque, but never leads to another path.
#[test]
fn an_id_has_no_slash() {
    let form = "sandbox_id: doesn't have the documented form; it must match ^[^/\\s]+$";
    for tool in ["pyromind_get_sandbox", "pyromind_delete_sandbox", "pyromind_get_sandbox_vnc", ACTION, BATCH]
    {
        accepted(tool, json!({ "sandbox_id": "any-id" }));
        for wrong in ["../x", "a/b", "a b", "sbx_1\n"] {
            refused(tool, json!({ "sandbox_id": wrong }), &[form]);
        }
    }
}

/// R-PM-020, R-PM-021: force goes where it is documented, as true or false.
#[test]
fn force_is_true_or_false() {
    accepted("pyromind_delete_sandbox", json!({ "force": false }));
    let kind = format!("force: must be true or false; {TYPE}");
    refused("pyromind_delete_sandbox", json!({ "force": "true" }), &[&kind]);
    let delete = find("pyromind_delete_sandbox").unwrap().spec().route;
    assert_eq!((delete.method, delete.payload), (Method::Delete, Payload::Query));
}

/// R-PM-023, R-PM-024: the documented actions, with at least a second for each.
#[test]
fn actions_and_their_time_are_the_documented_ones() {
    for action in ["start", "stop", "restart", "reboot"] {
        accepted(ACTION, json!({ "action": action, "timeout": 1 }));
        accepted(ACTION, json!({ "action": action, "params": {} }));
    }
    let known = one_of("action", r#"["start","stop","restart","reboot","install_package","run_script"]"#);
    refused(ACTION, json!({ "action": "shutdown" }), &[&known]);
    refused(ACTION, json!({ "timeout": 0 }), &["timeout: is too small; give at least 1"]);
    assert!(find(ACTION).unwrap().request().field("timeout").unwrap().waits);
}

/// R-PM-025, R-PM-026, R-PM-027: what installs has a package's name, what runs has a path and perhaps arguments.
#[test]
fn params_belong_to_their_action() {
    let call = |action: &str, params: Value| json!({ "action": action, "params": params });
    accepted(ACTION, call("install_package", json!({ "name": "python3-pip" })));
    accepted(ACTION, call("run_script", json!({ "path": "/home/user/init.sh" })));
    accepted(ACTION, call("run_script", json!({ "path": "/home/user/init.sh", "args": ["a", "b"] })));
    let name = "params.name: is required by install_package; give the package's name";
    let path = "params.path: is required by run_script; give the script's path in the sandbox";
    let other = |field: &str| {
        format!(
            "params.{field}: isn't a parameter of this action; leave it out: name is for install_package, path and args \
             are for run_script"
        )
    };
    refused(ACTION, json!({ "action": "install_package" }), &[name]);
    refused(ACTION, json!({ "action": "run_script" }), &[path]);
    refused(ACTION, call("install_package", json!({ "path": "/x" })), &[name, &other("path")]);
    refused(ACTION, call("run_script", json!({ "name": "x" })), &[path, &other("name")]);
    refused(ACTION, call("restart", json!({ "args": [] })), &[&other("args")]);
    refused(
        ACTION,
        call("install_package", json!({ "package": "x" })),
        &["params.package: isn't an argument of this tool; the names are name, path, args"],
    );
    refused(
        ACTION,
        call("install_package", json!({ "name": "" })),
        &["params.name: is too short; give at least 1 characters"],
    );
    refused(
        ACTION,
        call("run_script", json!({ "path": "/x", "args": "a b" })),
        &[&format!("params.args: must be a list; {TYPE}")],
    );
}

/// R-PM-035: every element of a batch is checked, and told by its place.
#[test]
fn a_batch_is_checked_one_by_one() {
    accepted(
        BATCH,
        json!({ "actions": [{ "action": "restart" }, { "action": "run_script", "params": { "path": "/x" } }] }),
    );
    refused(BATCH, json!({ "actions": [] }), &["actions: has too few items; give at least 1"]);
    refused(
        BATCH,
        json!({ "actions": [{ "action": "restart" }, { "params": { "name": "x" } }] }),
        &["actions[1].action: is required; give it"],
    );
    refused(
        BATCH,
        json!({ "actions": [{ "action": "restart" }, { "action": "run_script" }, { "action": "stop", "params": { "name": "x" } }] }),
        &[
            "actions[1].params.path: is required by run_script; give the script's path in the sandbox",
            "actions[2].params.name: isn't a parameter of this action; leave it out: name is for install_package, path and \
             args are for run_script",
        ],
    );
    refused(
        BATCH,
        json!({ "actions": [{ "action": "restart", "timeout": 5 }] }),
        &["actions[0].timeout: isn't an argument of this tool; the names are action, params"],
    );
}

/// R-PM-031, R-PM-064: what reveals has its documented arguments, and nothing that asks for the secret in the open.
#[test]
fn what_reveals_has_its_documented_arguments() {
    accepted("pyromind_get_sandbox_vnc", json!({ "refresh": true }));
    accepted("pyromind_get_instance_access_token", json!({ "token_ttl": 7200 }));
    refused(
        "pyromind_get_instance_access_token",
        json!({ "token_ttl": 0 }),
        &["token_ttl: is too small; give at least 1"],
    );
    refused(
        "pyromind_get_sandbox_vnc",
        json!({ "reveal": true }),
        &["reveal: isn't an argument of this tool; the names are sandbox_id, refresh"],
    );
}

/// R-PM-043, R-PM-045: what has a default is left out; a password is neither required nor empty.
#[test]
fn nothing_is_filled_in() {
    let least = super::arguments::least(CREATE_INSTANCE);
    assert_eq!(find(CREATE_INSTANCE).unwrap().parse(&least).unwrap().arguments(), &least);
    let empty = "password: is too short; give at least 1 characters";
    refused(CREATE_INSTANCE, json!({ "password": "" }), &[empty]);
}
