//! What is said of calls that change an instance, run a model or train one.

use serde_json::{Value, json};

use super::arguments::{TYPE, accepted, machine, refused};
use crate::spec::marks::Place;
use crate::spec::{Method, Payload};
use crate::tools::find;

const CREATE_INFERENCE: &str = "pyromind_create_inference_task";
const DELETE_INSTANCE: &str = "pyromind_delete_instance";
const EDIT: &str = "pyromind_edit_instance";
const GETS: [&str; 2] = ["pyromind_get_inference_task", "pyromind_get_training_job"];
const LIST_INFERENCE: &str = "pyromind_list_inference_tasks";
const LIST_TRAINING: &str = "pyromind_list_training_jobs";
const PAUSE_TRAINING: &str = "pyromind_pause_training_job";
const RESUME: &str = "pyromind_resume_instance";
const RESUME_TRAINING: &str = "pyromind_resume_training_job";
const SUBMIT: &str = "pyromind_submit_training_job";

/// What each of these tools takes at least.
pub(super) fn least(tool: &str) -> Value {
    match tool {
        "pyromind_delete_instance" | "pyromind_pause_instance" | "pyromind_resume_instance" => {
            json!({ "instance_id": "jp_100003" })
        }
        "pyromind_edit_instance" => {
            json!({ "instance_id": "jp_100003", "name": "RL-Experiment-Instance-V2" })
        }
        "pyromind_create_inference_task" => json!({
            "name": "RL-Traffic-Control-Inference",
            "model_type": "rl",
            "model_name": "ppo-traffic-control-v3",
            "resource_config": machine(),
            "input_config": { "data_source": "s3://user-data/inference-inputs/traffic-2024.csv" },
            "output_config": { "output_bucket": "user-data", "output_path": "/inference-outputs/traffic-result" },
        }),
        "pyromind_delete_inference_task" | "pyromind_get_inference_task" => json!({ "job_id": "inf_200003" }),
        "pyromind_submit_training_job" => json!({
            "name": "RL-PPO-LunarLander-Training",
            "training_framework": "pytorch",
            "model_name": "ppo-lunar-lander-v2",
            "resource_config": machine(),
            "data_config": { "train_data_source": "s3://user-data/train-data" },
            "hyperparameters": { "learning_rate": 0.0003 },
            "output_config": { "output_bucket": "user-models", "output_path": "/rl-models/ppo-lunar" },
        }),
        "pyromind_delete_training_job"
        | "pyromind_get_training_job"
        | "pyromind_pause_training_job"
        | "pyromind_resume_training_job" => json!({ "job_id": "train_300001" }),
        "pyromind_list_inference_tasks" | "pyromind_list_training_jobs" => json!({}),
        other => panic!("no arguments for {other}"),
    }
}

/// What goes over the wire for the least arguments with `change` over them.
fn sent(tool: &str, change: Value) -> Value {
    let mut arguments = super::arguments::least(tool);
    arguments.extend(change.as_object().unwrap().clone());
    Value::Object(find(tool).unwrap().parse(&arguments).unwrap().arguments().clone())
}

/// `part` of the least arguments with `change` over it.
fn part(tool: &str, part: &str, change: Value) -> Value {
    let mut whole = super::arguments::least(tool)[part].clone();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(whole.as_object_mut().unwrap().remove(name)),
            value => whole[name] = value.clone(),
        }
    }
    json!({ part: whole })
}

fn one_of(path: &str, values: &str) -> String {
    format!("{path}: isn't one of the documented values; give one of {values}, in this case")
}

/// R-PM-048: a backup has a bucket, and a bucket is for a backup.
#[test]
fn a_backup_has_a_bucket_and_a_bucket_is_for_a_backup() {
    accepted(DELETE_INSTANCE, json!({ "backup_workspace": true, "backup_bucket": "user-backup" }));
    accepted(DELETE_INSTANCE, json!({ "backup_workspace": false }));
    let needed =
        "backup_bucket: is required with backup_workspace true; ask the user which bucket takes the backup";
    refused(DELETE_INSTANCE, json!({ "backup_workspace": true }), &[needed]);
    let idle = "backup_bucket: counts only with backup_workspace true; set backup_workspace true for a backup, or leave \
                backup_bucket out";
    refused(DELETE_INSTANCE, json!({ "backup_bucket": "user-backup" }), &[idle]);
    refused(DELETE_INSTANCE, json!({ "backup_bucket": "user-backup", "backup_workspace": false }), &[idle]);
}

/// R-PM-050: force is no documented parameter of this one, whatever its 409 says.
#[test]
fn an_instance_is_never_deleted_by_force() {
    refused(
        DELETE_INSTANCE,
        json!({ "force": true }),
        &[
            "force: isn't an argument of this tool; the names are instance_id, backup_workspace, backup_bucket",
        ],
    );
}

/// R-PM-052: something is to change, and nothing is emptied; R-PM-044: a new expiry is an instant.
#[test]
fn an_edit_changes_something() {
    for change in [
        json!({}),
        json!({ "name": null, "resource_config": { "cpu": 20, "memory": 80, "gpu": 4 } }),
        json!({ "name": null, "resource_config": { "memory": 80 } }),
        json!({ "name": null, "expire_time": "2999-01-15T00:00:00Z" }),
        json!({ "name": null, "password": "NewSecurePass456!" }),
    ] {
        accepted(EDIT, change);
    }
    let nothing = "nothing is to change; give name, resource_config, expire_time or password";
    refused(EDIT, json!({ "name": null }), &[nothing]);
    refused(EDIT, json!({ "name": "" }), &["name: is too short; give at least 1 characters"]);
    refused(EDIT, json!({ "password": "" }), &["password: is too short; give at least 1 characters"]);
    refused(EDIT, json!({ "name": "<null>" }), &[&format!("name: must be a string; {TYPE}"), nothing]);
    refused(
        EDIT,
        json!({ "resource_config": {} }),
        &["resource_config: says nothing; give cpu, memory or gpu, or leave it out"],
    );
    refused(
        EDIT,
        json!({ "resource_config": { "cpu": 0 } }),
        &["resource_config.cpu: is too small; give at least 1"],
    );
    refused(
        EDIT,
        json!({ "expire_time": "2999-01-15" }),
        &["expire_time: isn't an instant with a time zone; give a time such as 2026-01-15T09:30:00Z or \
             2026-01-15T17:30:00+08:00"],
    );
    let route = find(EDIT).unwrap().spec().route;
    assert_eq!((route.method, route.payload), (Method::Put, Payload::Body));
}

/// R-PM-056, R-PM-060: what has a default is sent only when given; each thing travels where it is documented.
#[test]
fn a_resume_sends_each_thing_where_it_is_documented() {
    accepted(
        RESUME,
        json!({ "restore_checkpoint": true, "resource_config": { "cpu": 8, "memory": 32, "gpu": 1 } }),
    );
    let request = find(RESUME).unwrap().request();
    let place = |name: &str| request.field(name).unwrap().place;
    assert_eq!((place("restore_checkpoint"), place("resource_config")), (Place::Query, Place::Wire));
    for tool in ["pyromind_pause_instance", PAUSE_TRAINING, RESUME_TRAINING] {
        assert_eq!(find(tool).unwrap().spec().route.payload, Payload::Query, "{tool}");
    }
    assert_eq!(sent("pyromind_pause_instance", json!({})), json!({ "instance_id": "jp_100003" }));
    accepted("pyromind_pause_instance", json!({ "save_checkpoint": false }));
}

/// R-PM-067, R-PM-084: what is required, all at once.
#[test]
fn what_a_create_needs_is_told_at_once() {
    let missing =
        |names: &[&str]| names.iter().map(|name| format!("{name}: is required; give it")).collect::<Vec<_>>();
    for (tool, names) in [
        (
            CREATE_INFERENCE,
            vec!["name", "model_type", "model_name", "resource_config", "input_config", "output_config"],
        ),
        (
            SUBMIT,
            vec![
                "name",
                "training_framework",
                "model_name",
                "resource_config",
                "data_config",
                "hyperparameters",
                "output_config",
            ],
        ),
    ] {
        let none: Value = names
            .iter()
            .map(|name| ((*name).to_owned(), Value::Null))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let expected = missing(&names);
        refused(tool, none, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// R-PM-068, R-PM-085: closed choices, in their case.
#[test]
fn kinds_have_the_documented_values() {
    for tool in [CREATE_INFERENCE, LIST_INFERENCE] {
        accepted(tool, json!({ "model_type": "cv" }));
        refused(tool, json!({ "model_type": "audio" }), &[&one_of("model_type", r#"["rl","nlp","cv"]"#)]);
    }
    for tool in [SUBMIT, LIST_TRAINING] {
        accepted(tool, json!({ "training_framework": "ray" }));
        let known = one_of("training_framework", r#"["pytorch","tensorflow","ray"]"#);
        refused(tool, json!({ "training_framework": "jax" }), &[&known]);
    }
}

/// R-PM-077, R-PM-091: the filters' values, and no alias; R-PM-004, R-PM-078, R-PM-079: pages, an instant, all at once.
#[test]
fn filters_have_the_documented_values() {
    let all =
        json!({ "page": 2, "page_size": 50, "status": "running", "start_time": "2024-01-01T00:00:00Z" });
    let mut inference = all.clone();
    inference["model_type"] = json!("rl");
    assert_eq!(sent(LIST_INFERENCE, inference.clone()), inference);
    let mut training = all;
    training["training_framework"] = json!("ray");
    assert_eq!(sent(LIST_TRAINING, training.clone()), training);
    let inference = one_of("status", r#"["pending","running","success","failed"]"#);
    let training = one_of("status", r#"["pending","running","success","failed","canceled","paused"]"#);
    accepted(LIST_INFERENCE, json!({ "status": "success" }));
    accepted(LIST_TRAINING, json!({ "status": "canceled" }));
    for wrong in ["paused", "completed", "Running"] {
        refused(LIST_INFERENCE, json!({ "status": wrong }), &[&inference]);
    }
    for wrong in ["cancelled", "completed"] {
        refused(LIST_TRAINING, json!({ "status": wrong }), &[&training]);
    }
    let instant = "start_time: isn't an instant with a time zone; give a time such as 2026-01-15T09:30:00Z or \
                   2026-01-15T17:30:00+08:00";
    for tool in [LIST_INFERENCE, LIST_TRAINING] {
        for wrong in ["yesterday", "2024-01-01", "P7D"] {
            refused(tool, json!({ "start_time": wrong }), &[instant]);
        }
        refused(tool, json!({ "page": 0 }), &["page: is too small; give at least 1"]);
    }
}

/// R-PM-071, R-PM-072: a source, a place for results, and no other names.
#[test]
fn a_task_reads_from_somewhere_and_writes_somewhere() {
    let input = |change| part(CREATE_INFERENCE, "input_config", change);
    let output = |change| part(CREATE_INFERENCE, "output_config", change);
    accepted(CREATE_INFERENCE, input(json!({ "data_format": "csv", "batch_size": 64 })));
    accepted(CREATE_INFERENCE, output(json!({ "output_format": "parquet" })));
    let source = "input_config.data_source: is required; give it";
    refused(CREATE_INFERENCE, input(json!({ "data_source": null })), &[source]);
    let empty = "input_config.data_source: is too short; give at least 1 characters";
    refused(CREATE_INFERENCE, input(json!({ "data_source": "" })), &[empty]);
    let small = "input_config.batch_size: is too small; give at least 1";
    refused(CREATE_INFERENCE, input(json!({ "batch_size": 0 })), &[small]);
    refused(
        CREATE_INFERENCE,
        output(json!({ "bucket": "x" })),
        &[
            "output_config.bucket: isn't an argument of this tool; the names are output_bucket, output_path, output_format",
        ],
    );
    accepted(
        CREATE_INFERENCE,
        json!({ "inference_params": { "confidence_threshold": 0.8, "layers": [1, 2] } }),
    );
    let kind = format!("inference_params: must be an object; {TYPE}");
    refused(CREATE_INFERENCE, json!({ "inference_params": "max_steps=1000" }), &[&kind]);
}

/// R-PM-075, R-PM-087, R-PM-108: a documented format is sent in lower case; any other, and any source, as it is given.
#[test]
fn formats_are_sent_in_the_documented_case() {
    let data = |format: &str| part(SUBMIT, "data_config", json!({ "data_format": format }));
    for (given, expected) in [("TFRecord", "tfrecord"), ("CSV", "csv"), ("Avro", "Avro")] {
        assert_eq!(sent(SUBMIT, data(given))["data_config"]["data_format"], expected);
    }
    refused(SUBMIT, data(""), &["data_config.data_format: is too short; give at least 1 characters"]);
    for source in ["s3://b/k", "hdfs://n/d", "/platform/data", "https://x.example/d"] {
        accepted(SUBMIT, part(SUBMIT, "data_config", json!({ "train_data_source": source })));
    }
    let missing = "data_config.train_data_source: is required; give it";
    refused(SUBMIT, part(SUBMIT, "data_config", json!({ "train_data_source": null })), &[missing]);
}

/// R-PM-073: 1 to 10, whole; R-PM-070: what has a default isn't filled in.
#[test]
fn a_priority_is_one_to_ten() {
    for tool in [CREATE_INFERENCE, SUBMIT] {
        accepted(tool, json!({ "priority": 1 }));
        accepted(tool, json!({ "priority": 10 }));
        refused(tool, json!({ "priority": 0 }), &["priority: is too small; give at least 1"]);
        refused(tool, json!({ "priority": 11 }), &["priority: is too large; give at most 10"]);
        refused(tool, json!({ "priority": 5.5 }), &[&format!("priority: must be a whole number; {TYPE}")]);
        assert_eq!(sent(tool, json!({})), Value::Object(super::arguments::least(tool)));
    }
}

/// R-PM-086: a learning rate is positive; R-PM-088: checkpoints are whole epochs apart; the rest is the framework's.
#[test]
fn hyperparameters_are_open_but_for_what_makes_no_sense() {
    let given = |change| part(SUBMIT, "hyperparameters", change);
    accepted(
        SUBMIT,
        given(json!({ "learning_rate": 1e-9, "batch_size": 256, "epochs": 100, "gamma": 0.99 })),
    );
    accepted(SUBMIT, given(json!({ "learning_rate": null, "optimizer": "adam", "net_arch": [64, 64] })));
    let rate = "hyperparameters.learning_rate: isn't a number greater than 0; give a positive number, such as 0.0003";
    for wrong in [json!(0), json!(-1), json!("0.0003"), json!([1])] {
        refused(SUBMIT, given(json!({ "learning_rate": wrong })), &[rate]);
    }
    let count =
        |name: &str| format!("hyperparameters.{name}: isn't a whole number of 1 or more; give it as one");
    refused(
        SUBMIT,
        given(json!({ "epochs": 0, "batch_size": 1.5 })),
        &[&count("epochs"), &count("batch_size")],
    );
    accepted(SUBMIT, part(SUBMIT, "output_config", json!({ "save_frequency": 10 })));
    let small = "output_config.save_frequency: is too small; give at least 1";
    refused(SUBMIT, part(SUBMIT, "output_config", json!({ "save_frequency": 0 })), &[small]);
}

/// R-PM-089: a duration in ISO 8601 of some length, and nothing that looks like one.
#[test]
fn a_run_time_is_a_duration() {
    for duration in ["PT48H", "P2D", "PT30M", "P1DT12H30M", "PT1.5H"] {
        accepted(SUBMIT, json!({ "max_run_time": duration }));
    }
    let fault =
        "max_run_time: isn't an ISO 8601 duration greater than 0; give one such as PT48H for 48 hours";
    for wrong in [
        "48h",
        "72",
        "",
        "PT0S",
        "-PT48H",
        "+PT1H",
        "pt48h",
        "P",
        "PT",
        "2026-01-01T00:00:00Z",
        "PT48H ",
        "PT-1H",
    ] {
        refused(SUBMIT, json!({ "max_run_time": wrong }), &[fault]);
    }
}

/// R-PM-080, R-PM-093: lines of a log come with the log.
#[test]
fn lines_of_a_log_come_with_the_log() {
    for tool in GETS {
        accepted(tool, json!({ "include_logs": true, "log_lines": 200 }));
        accepted(tool, json!({ "include_logs": true }));
        refused(
            tool,
            json!({ "include_logs": true, "log_lines": 0 }),
            &["log_lines: is too small; give at least 1"],
        );
        let idle =
            "log_lines: counts only with include_logs true; set include_logs true, or leave log_lines out";
        refused(tool, json!({ "log_lines": 200 }), &[idle]);
        refused(tool, json!({ "log_lines": 200, "include_logs": false }), &[idle]);
    }
    accepted("pyromind_get_training_job", json!({ "include_metrics": true }));
}

/// R-PM-081, R-PM-094: what is deleted beside the job is true or false.
#[test]
fn what_is_deleted_beside_is_true_or_false() {
    for (tool, names) in [
        ("pyromind_delete_inference_task", vec!["delete_output", "force"]),
        ("pyromind_delete_training_job", vec!["delete_output", "delete_logs", "force"]),
    ] {
        for name in names {
            accepted(tool, json!({ name: true }));
            refused(tool, json!({ name: "true" }), &[&format!("{name}: must be true or false; {TYPE}")]);
        }
    }
}

/// R-PM-098: a checkpoint that isn't saved has no name; an empty name is none.
#[test]
fn a_checkpoint_that_is_not_saved_has_no_name() {
    accepted(PAUSE_TRAINING, json!({ "checkpoint_name": "pause-checkpoint-epoch-58" }));
    accepted(PAUSE_TRAINING, json!({ "checkpoint_name": "x", "save_checkpoint": true }));
    let idle = "checkpoint_name: names a checkpoint that isn't saved; leave save_checkpoint out to save one, or leave \
                checkpoint_name out";
    refused(PAUSE_TRAINING, json!({ "checkpoint_name": "x", "save_checkpoint": false }), &[idle]);
    let none = json!({ "job_id": "train_300001", "save_checkpoint": false });
    assert_eq!(sent(PAUSE_TRAINING, json!({ "checkpoint_name": "", "save_checkpoint": false })), none);
    let none = json!({ "job_id": "train_300001" });
    assert_eq!(sent(RESUME_TRAINING, json!({ "resume_from_checkpoint": "" })), none);
}

/// R-PM-101, R-PM-102: a new rate comes with a reset, and is positive; a reset may come alone.
#[test]
fn a_new_learning_rate_comes_with_a_reset() {
    accepted(RESUME_TRAINING, json!({ "reset_learning_rate": true, "new_learning_rate": 0.0002 }));
    accepted(RESUME_TRAINING, json!({ "reset_learning_rate": true }));
    let idle = "new_learning_rate: counts only with reset_learning_rate true; set reset_learning_rate true, or leave \
                new_learning_rate out";
    refused(RESUME_TRAINING, json!({ "new_learning_rate": 0.0002 }), &[idle]);
    refused(RESUME_TRAINING, json!({ "reset_learning_rate": false, "new_learning_rate": 0.0002 }), &[idle]);
    let small = "new_learning_rate: isn't greater than 0; give a positive number, such as 0.0002";
    for wrong in [json!(0), json!(-0.1), json!(0.0)] {
        refused(
            RESUME_TRAINING,
            json!({ "reset_learning_rate": true, "new_learning_rate": wrong }),
            &[small],
        );
    }
}

/// R-PM-017: an id is opaque, but never leads to another path.
#[test]
fn an_id_has_no_slash() {
    for tool in [
        "pyromind_delete_inference_task",
        "pyromind_delete_training_job",
        "pyromind_get_inference_task",
        "pyromind_get_training_job",
        PAUSE_TRAINING,
        RESUME_TRAINING,
    ] {
        accepted(tool, json!({ "job_id": "any-id" }));
        let form = "job_id: doesn't have the documented form; it must match ^[^/\\s]+$";
        refused(tool, json!({ "job_id": "../x" }), &[form]);
    }
}

/// R-PM-062, R-PM-092, R-PM-099, R-PM-105: what an agent can't learn from names stands in the descriptions.
#[test]
fn descriptions_say_what_names_do_not() {
    for (tool, said) in [
        ("pyromind_list_training_jobs", "progress is the percentage of epochs done"),
        ("pyromind_get_training_job", "progress in percent of epochs"),
        ("pyromind_get_training_job", "The status completed means success."),
        ("pyromind_pause_instance", "it then uses no compute and keeps its storage"),
        ("pyromind_pause_training_job", "it then uses no compute"),
        (RESUME, "Its access_url is a new one"),
    ] {
        let description = &find(tool).unwrap().schema().description;
        assert!(description.contains(said), "{tool}: {description}");
    }
}

/// The budget of what each client reads at the start.
#[test]
fn advertised_schemas_are_small() {
    for tool in crate::tools::all().filter(|tool| tool.name().starts_with("pyromind_")) {
        let size = tool.schema().advertised.to_string().len();
        let limit = if [CREATE_INFERENCE, SUBMIT].contains(&tool.name()) { 1_800 } else { 1_150 };
        assert!(size <= limit, "{} has {size} bytes", tool.name());
    }
}
