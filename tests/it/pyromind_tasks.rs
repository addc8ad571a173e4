//! PyroMind's inference tasks and training jobs: made once, deleted only by their id, resumed only from what was named.

use redline_mcp::policy::consent::is_deceptive;
use serde_json::{Value, json};

use crate::canaries::assert_clean;
use crate::harness::human::{Human, Says};
use crate::harness::raw::Raw;
use crate::harness::{ERAS, Era, Home, Session, paths};

const CREATE: &str = "pyromind_create_inference_task";
const DELETE_TASK: &str = "pyromind_delete_inference_task";
const GET_TASK: &str = "pyromind_get_inference_task";
const LIST_TASKS: &str = "pyromind_list_inference_tasks";
const SUBMIT: &str = "pyromind_submit_training_job";
const DELETE_JOB: &str = "pyromind_delete_training_job";
const GET_JOB: &str = "pyromind_get_training_job";
const LIST_JOBS: &str = "pyromind_list_training_jobs";
const PAUSE: &str = "pyromind_pause_training_job";
const RESUME: &str = "pyromind_resume_training_job";

/// Tasks of the default world, as docs/world.md has them.
const TRAFFIC: &str = "inf_585119328";
const LOCKED_TASK: &str = "inf_976258157";
/// Jobs of the default world.
const LANDER: &str = "train_383471932";
const FULL_DISK: &str = "train_368188184";
const CORRUPT: &str = "train_150293057";
const LOCKED_JOB: &str = "train_260538629";
const HOSTILE: &str = "train_358560015";

/// What the operator approved where nobody is asked.
const FLAGS: [&str; 4] = ["--approve", CREATE, "--approve", SUBMIT];

fn task(name: &str) -> Value {
    json!({
        "name": name,
        "model_type": "cv",
        "model_name": "shelf-detector",
        "resource_config": { "cpu": 4, "memory": 16, "gpu": 0 },
        "input_config": { "data_source": "s3://acme/in.csv", "data_format": "CSV" },
        "output_config": { "output_bucket": "acme", "output_path": "/out" },
    })
}

fn job(name: &str) -> Value {
    json!({
        "name": name,
        "training_framework": "pytorch",
        "model_name": "ppo-lunar-lander-v2",
        "resource_config": { "cpu": 4, "memory": 16, "gpu": 0 },
        "data_config": { "train_data_source": "s3://acme/train" },
        "hyperparameters": { "learning_rate": 0.0003, "epochs": 1000 },
        "output_config": { "output_bucket": "acme-models", "output_path": "/ppo", "save_frequency": 1 },
    })
}

fn id(job: &str) -> Value {
    json!({ "job_id": job })
}

fn with(job: &str, change: Value) -> Value {
    let mut arguments = id(job);
    arguments.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    arguments
}

/// A human who types this id whatever is asked.
fn typing(id: &str) -> Human {
    Human::who_says([Says::Accepts(json!({ "resource_id": id }))])
}

async fn unattended(home: Home, flags: &[&str]) -> Session {
    Session::start(home, Era::Initialize, &[&FLAGS[..], flags].concat(), Human::absent()).await
}

async fn attended(human: Human) -> Session {
    Session::start(Home::new(), Era::Initialize, &[], human).await
}

/// R-PM-074, R-PM-090: the same again returns the one that is there, and other settings are a conflict.
#[tokio::test]
async fn the_same_again_is_the_one_that_is_there() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &FLAGS, Human::absent()).await;
        for (tool, arguments, compared) in
            [(CREATE, task("replay"), "input_config"), (SUBMIT, job("lander"), "hyperparameters")]
        {
            let created = session.call(tool, arguments.clone()).await.unwrap();
            assert_eq!(created["status"], "pending");
            let again = session.call(tool, arguments.clone()).await.unwrap();
            assert_eq!(again["job_id"], created["job_id"]);
            assert_eq!(again["already_existed"], true);
            let mut other = arguments;
            match tool {
                CREATE => other["input_config"]["data_source"] = json!("s3://acme/other.csv"),
                _ => other["hyperparameters"]["epochs"] = json!(5),
            }
            let rule = if tool == CREATE { "inference-created-once" } else { "training-created-once" };
            let refusal = session.refused(rule, tool, other).await;
            assert_eq!(paths(&refusal), [compared]);
        }
        let home = session.end().await;
        assert_eq!((home.count("create_inference_task"), home.count("submit_training_job")), (1, 1));
    }
}

/// R-PM-005, R-PM-090: no list finds a name, so every page is searched: of 56 jobs the last is on the second.
#[tokio::test]
async fn a_name_on_a_further_page_is_found() {
    let session = unattended(Home::new(), &[]).await;
    let first = session.call(LIST_JOBS, json!({})).await.unwrap();
    assert_eq!(
        (&first["total"], first["next_page"].as_str()),
        (&json!(26), Some("rows 1 to 20 of 26 are shown; call again with page 2 for more"))
    );
    for number in 0..30 {
        session.call(SUBMIT, job(&format!("filler-{number}"))).await.unwrap();
    }
    let again = session.call(SUBMIT, job("filler-29")).await.unwrap();
    assert_eq!(again["already_existed"], true);
    assert_eq!(session.home.count("submit_training_job"), 30);
}

/// R-PM-074, R-PM-090: a race that is lost ends with the winner's where it is as wanted, else as a conflict.
#[tokio::test]
async fn a_lost_race_is_looked_into() {
    for (tool, rule, compared, arguments) in [
        (CREATE, "inference-created-once", "input_config", task("replay")),
        (SUBMIT, "training-created-once", "hyperparameters", job("lander")),
    ] {
        let (_, action) = tool.split_once('_').unwrap();
        for same in [true, false] {
            let home = Home::new();
            let faults = json!([{ "tool": tool, "nth": 1, "fault": "name-race", "same": same }]);
            let faults = home.write("faults.json", &faults.to_string());
            let session = unattended(home, &["--faults", &faults]).await;
            if same {
                let body = session.call(tool, arguments.clone()).await.unwrap();
                assert_eq!(body["already_existed"], true, "{tool}");
            } else {
                let refusal = session.refused(rule, tool, arguments.clone()).await;
                assert_eq!(paths(&refusal), [compared], "{tool}");
            }
            assert_eq!(session.home.count(action), 1, "{tool}");
        }
    }
}

/// R-PM-016, R-PM-069, R-PM-076: what can't be made is told by its cause, and not tried again.
#[tokio::test]
async fn what_cannot_be_made_is_told_by_its_cause() {
    let session = unattended(Home::new(), &[]).await;
    let mut unknown = task("replay");
    unknown["model_version"] = json!("v9");
    let refusal = session.refused("cloud-not-found", CREATE, unknown).await;
    assert_eq!(paths(&refusal), ["model_name"]);
    let mut denied = task("replay");
    denied["output_config"]["output_bucket"] = json!("acme-denied");
    let refusal = session.refused("cloud-storage-permission", CREATE, denied).await;
    assert_eq!(paths(&refusal), ["output_config.output_bucket"]);
    let mut much = job("lander");
    much["resource_config"]["gpu"] = json!(19);
    let refusal = session.refused("cloud-capacity", SUBMIT, much).await;
    assert_eq!(refusal["retryable"], false);
    let home = session.end().await;
    assert_eq!((home.count("create_inference_task"), home.count("submit_training_job")), (2, 1));
}

/// R-PM-082, R-PM-083, R-PM-095, R-PM-096: nothing is deleted unless the id itself was typed, with what force does said; what runs is told with the way out, which the server never takes by itself.
#[tokio::test]
async fn only_the_typed_id_deletes_and_force_is_the_humans_to_choose() {
    for (tool, get, running, force, says) in [
        (DELETE_TASK, GET_TASK, TRAFFIC, json!({ "force": true }), "what it has processed is kept"),
        (
            DELETE_JOB,
            GET_JOB,
            LANDER,
            json!({ "force": true, "delete_output": true, "delete_logs": true }),
            "partial checkpoints may be corrupted",
        ),
    ] {
        let (_, action) = tool.split_once('_').unwrap();
        let human = typing("train_1");
        let session = attended(human.clone()).await;
        session.refused("arguments-confirmed", tool, id(running)).await;
        human.says([Says::Accepts(json!({ "approve": true }))]);
        session.refused("arguments-confirmed", tool, id(running)).await;
        assert_eq!(session.home.count(action), 0);
        human.says([Says::Accepts(json!({ "resource_id": running }))]);
        let refusal = session.refused("cloud-conflict", tool, id(running)).await;
        assert!(refusal["violations"][0]["fix"].as_str().unwrap().contains("force true"), "{refusal}");
        assert_eq!(session.home.count(action), 1);
        human.asked();
        let deleted = session.call(tool, with(running, force)).await.unwrap();
        assert_eq!(deleted["status_before_delete"], "running");
        let asked = human.asked();
        assert_eq!((asked.len(), asked[0].field.as_str()), (1, "resource_id"));
        assert!(asked[0].message.contains(says), "{asked:?}");
        session.refused("cloud-not-found", get, id(running)).await;
        assert_eq!(session.home.count(action), 2);
    }
}

/// R-PM-076: a bucket that may not be used stops the deletion; it isn't tried again without.
#[tokio::test]
async fn a_deletion_that_is_denied_is_not_tried_otherwise() {
    for (tool, locked, change) in [
        (DELETE_TASK, LOCKED_TASK, json!({ "delete_output": true })),
        (DELETE_JOB, LOCKED_JOB, json!({ "delete_logs": true })),
        (DELETE_JOB, LOCKED_JOB, json!({ "delete_output": true })),
    ] {
        let (_, action) = tool.split_once('_').unwrap();
        let session = attended(typing(locked)).await;
        session.refused("cloud-storage-permission", tool, with(locked, change)).await;
        assert_eq!(session.home.count(action), 1);
        let get = if tool == DELETE_TASK { GET_TASK } else { GET_JOB };
        assert_eq!(session.call(get, id(locked)).await.unwrap()["status"], "success");
    }
}

/// R-PM-097, R-PM-098, R-PM-100, R-PM-101, R-PM-103: a job is paused and goes on from the checkpoint that the pause named.
#[tokio::test]
async fn a_job_is_paused_and_resumed_from_what_was_named() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &[], Human::agreeable()).await;
        let paused = session.call(PAUSE, with(LANDER, json!({ "checkpoint_name": "mine" }))).await.unwrap();
        assert_eq!(
            (&paused["status"], &paused["checkpoint_name"], &paused["current_epoch"]),
            (&json!("paused"), &json!("mine"), &json!(58))
        );
        assert_eq!(paused["applied"], true);
        // It hasn't ended, so the service says why not.
        let refusal = session.refused("cloud-state", PAUSE, id(LANDER)).await;
        assert!(
            refusal["violations"][0]["fix"].as_str().unwrap().contains("only a running job"),
            "{refusal}"
        );
        let other = with(LANDER, json!({ "resume_from_checkpoint": "theirs" }));
        let refusal = session.refused("cloud-not-found", RESUME, other).await;
        assert!(refusal["error"].as_str().unwrap().contains("or the checkpoint wasn't"), "{refusal}");
        let change = json!({
            "resume_from_checkpoint": "mine", "reset_learning_rate": true, "new_learning_rate": 0.0002,
        });
        let resumed = session.call(RESUME, with(LANDER, change)).await.unwrap();
        assert_eq!(
            (&resumed["status"], &resumed["resumed_from_checkpoint"], &resumed["current_learning_rate"]),
            (&json!("running"), &json!("mine"), &json!(0.0002))
        );
        session.refused("training-state", RESUME, id(LANDER)).await;
        assert_eq!(
            (session.home.count("pause_training_job"), session.home.count("resume_training_job")),
            (2, 2)
        );
    }
}

/// R-PM-058, R-PM-104: where a checkpoint fails, no other way is taken.
#[tokio::test]
async fn a_checkpoint_that_fails_is_not_done_without() {
    let session = attended(Human::agreeable()).await;
    session.refused("cloud-checkpoint", PAUSE, id(FULL_DISK)).await;
    let refusal = session.refused("cloud-checkpoint", RESUME, id(CORRUPT)).await;
    assert_eq!(refusal["error"], "the checkpoint can't be loaded: its file is corrupted");
    assert_eq!((session.home.count("pause_training_job"), session.home.count("resume_training_job")), (1, 1));
    session.human.asked();
    let without = with(FULL_DISK, json!({ "save_checkpoint": false }));
    let paused = session.call(PAUSE, without).await.unwrap();
    assert_eq!((&paused["status"], paused.get("checkpoint_name")), (&json!("paused"), None));
    let asked = session.human.asked();
    assert!(asked[0].message.contains("Mind:\n- save_checkpoint: nothing is saved"), "{asked:?}");
}

/// R-PM-080, R-PM-092, R-PM-093: what a job tells of itself comes when it is asked for; hyperparameters whole.
#[tokio::test]
async fn a_job_tells_what_it_is_asked_for() {
    let session = unattended(Home::new(), &[]).await;
    let plain = session.call(GET_JOB, id(LANDER)).await.unwrap();
    assert_eq!((&plain["progress"], plain.get("logs"), plain.get("metrics")), (&json!(58), None, None));
    assert_eq!(plain["hyperparameters"]["net_arch"], json!([64, 64]));
    assert_eq!(plain["hyperparameters"]["learning_rate"], json!(0.0003));
    let all = json!({ "include_logs": true, "log_lines": 2, "include_metrics": true });
    let whole = session.call(GET_JOB, with(LANDER, all)).await.unwrap();
    assert_eq!(whole["logs"].as_array().unwrap().len(), 2);
    assert!(whole["untrusted"].as_str().unwrap().starts_with("logs: text from inside the job"), "{whole}");
    assert!(whole["metrics"]["train_loss"].is_number());
    let filter = json!({ "status": "failed", "training_framework": "pytorch" });
    let failed = session.call(LIST_JOBS, filter).await.unwrap();
    assert_eq!(failed["total"], 2);
    let running = session.call(LIST_TASKS, json!({ "status": "running", "model_type": "rl" })).await.unwrap();
    assert_eq!(running["jobs"][0]["job_id"], TRAFFIC);
    let task = session.call(GET_TASK, with(TRAFFIC, json!({ "include_logs": true }))).await.unwrap();
    assert_eq!(task["input_config"]["data_source"], "s3://acme-inputs/traffic-replay.csv");
    assert_eq!(task["logs"].as_array().unwrap().len(), 2);
}

/// A job whose log speaks to the agent changes nothing: no yes, no terminal, no leak.
#[tokio::test]
async fn a_hostile_job_changes_nothing() {
    let mut raw = Raw::legacy(Home::new(), &["--log", "debug"]).await;
    let logs = with(HOSTILE, json!({ "include_logs": true }));
    for arguments in [id(HOSTILE), logs.clone(), logs] {
        let result = raw.call(GET_JOB, &arguments).await;
        assert_eq!(result["isError"], false);
        let body = &result["structuredContent"];
        for line in body["logs"].as_array().into_iter().flatten() {
            let line = line.as_str().unwrap();
            assert!(!line.contains(|c| is_deceptive(c) && c != '\t'), "{line:?}");
        }
        assert_eq!(body.get("untrusted").is_some(), body.get("logs").is_some());
    }
    let ended = raw.hang_up().await;
    assert_eq!(ended.code, Some(0));
    assert_clean(&ended);
    assert_eq!(ended.home.calls(), ["get_training_job"; 3]);
    let record = ended.home.record();
    let read = record.iter().find(|line| line["untrusted"].is_array()).unwrap();
    assert_eq!((&read["tool"], &read["untrusted"]), (&json!(GET_JOB), &json!(["logs"])));
    assert!(read["redactions"]["stripped"].as_u64() > Some(20), "{read}");
    assert!(read["redactions"]["swept"].as_u64() >= Some(4), "{read}");
}
