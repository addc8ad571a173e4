//! The present state, read before a call and after it: what would be refused or ignored isn't sent, and what was sent is
//! looked at. The record is the witness of each call.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::harness::human::Human;
use crate::harness::world::{
    CREATE_JOB, DETECTOR, DETECTOR_EVAL, EVALUATION, GET_JOB, HOSTILE, LIST_IMAGES, LIST_SANITY_CHECKS,
    LIST_WORKSPACES, PRETRAIN, PYTORCH, REGION, STOP_JOB, TUNE, UPDATE_JOB, VISION, VISION_EVAL, here,
    images_of, job, job_from, job_id,
};
use crate::harness::{Era, Home, Session, paths};

const EDIT: &str = "pyromind_edit_instance";
const PAUSE: &str = "pyromind_pause_instance";
const RESUME: &str = "pyromind_resume_instance";
const PAUSE_JOB: &str = "pyromind_pause_training_job";
const RESUME_JOB: &str = "pyromind_resume_training_job";
const VNC: &str = "pyromind_get_sandbox_vnc";
const ACTION: &str = "pyromind_execute_sandbox_action";
const BATCH: &str = "pyromind_execute_sandbox_batch_actions";

/// A server whose operator approved all that these tests call.
async fn approved(flags: &[&str]) -> Session {
    let tools = [VNC, "create", "update", "act", "--region", REGION];
    let mut all: Vec<&str> = tools[..4].iter().flat_map(|tool| ["--approve", *tool]).collect();
    all.extend(&tools[4..]);
    all.extend(flags);
    Session::start(Home::new(), Era::Initialize, &all, Human::absent()).await
}

/// The calls that reach the cloud while `call` is made, as the record has them: a change's line ends after the look at
/// it. The look whether PAI is activated doesn't count.
async fn calls_of(session: &Session, call: impl Future<Output = ()>) -> Vec<String> {
    let before = session.home.calls().len();
    call.await;
    session.home.calls().split_off(before).into_iter().filter(|action| action != "ListProducts").collect()
}

fn with(mut arguments: Value, change: &Value) -> Value {
    arguments.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    arguments
}

/// R-DLC-50: a stop that the service would ignore isn't sent, and the reason is said; one that it heeds is sent once and
/// looked at.
#[tokio::test]
async fn a_stop_is_sent_only_where_it_is_heeded() {
    let session = approved(&[]).await;
    for (id, reason) in [(EVALUATION, "has ended (Failed)"), (HOSTILE, "has ended (Failed)")] {
        let calls = calls_of(&session, async {
            let refusal = session.refused("job-change-heeded", STOP_JOB, job_id(id)).await;
            assert!(refusal["violations"][0]["message"].as_str().unwrap().contains(reason), "{refusal}");
            assert_eq!((paths(&refusal), &refusal["retryable"]), (vec!["JobId"], &json!(false)));
        });
        assert_eq!(calls.await, ["GetJob"]);
    }
    let calls = calls_of(&session, async {
        let stopped = session.call(STOP_JOB, job_id(PRETRAIN)).await.unwrap();
        assert_eq!((&stopped["applied"], stopped.get("differs")), (&json!(true), None), "{stopped}");
    });
    assert_eq!(calls.await, ["GetJob", "GetJob", "StopJob"]);
    let calls = calls_of(&session, async {
        let refusal = session.refused("job-change-heeded", STOP_JOB, job_id(PRETRAIN)).await;
        assert!(refusal.to_string().contains("being stopped already"), "{refusal}");
    });
    assert_eq!(calls.await, ["GetJob"]);
    // Just submitted, it is Creating: a stop would do nothing yet.
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    let created = session.call(CREATE_JOB, job(VISION, PYTORCH)).await.unwrap();
    let refusal =
        session.refused("job-change-heeded", STOP_JOB, job_id(created["JobId"].as_str().unwrap())).await;
    assert_eq!(refusal["retryable"], true);
    assert_eq!(session.home.count("StopJob"), 1);
}

/// R-DLC-49: a priority that the service would drop isn't sent; one that counts is, and the result says that it shows.
#[tokio::test]
async fn a_priority_is_sent_only_where_it_counts() {
    let session = approved(&[]).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    let priority = json!({ "Priority": 8 });
    for (id, reason) in [(PRETRAIN, "no quota"), (PRETRAIN, "is Running")] {
        let refusal = session.refused("job-change-heeded", UPDATE_JOB, with(job_id(id), &priority)).await;
        assert!(refusal.to_string().contains(reason), "{refusal}");
        assert_eq!(paths(&refusal), ["Priority", "Priority"]);
    }
    let submitted = async |more: Value| {
        let created = session.call(CREATE_JOB, with(job(VISION, PYTORCH), &more)).await.unwrap();
        created["JobId"].as_str().unwrap().to_owned()
    };
    let without = submitted(json!({ "Priority": 3 })).await;
    let refusal = session.refused("job-change-heeded", UPDATE_JOB, with(job_id(&without), &priority)).await;
    assert!(refusal.to_string().contains("leave it at 3"), "{refusal}");
    assert_eq!(session.home.count("UpdateJob"), 0);
    let mut role = job(VISION, PYTORCH)["JobSpecs"][0].clone();
    role.as_object_mut().unwrap().remove("EcsSpec");
    role["ResourceConfig"] = json!({ "CPU": "4", "Memory": "16Gi" });
    let quota = submitted(json!({ "Priority": 2, "ResourceId": "quota1", "JobSpecs": [role] })).await;
    let calls = calls_of(&session, async {
        let updated = session.call(UPDATE_JOB, with(job_id(&quota), &priority)).await.unwrap();
        assert_eq!((&updated["JobId"], &updated["applied"]), (&json!(quota), &json!(true)));
    });
    assert_eq!(calls.await, ["GetJob", "GetJob", "UpdateJob"]);
    assert_eq!(session.call(GET_JOB, job_id(&quota)).await.unwrap()["Priority"], 8);
    // What is PUBLIC stays so.
    let public = session.call(UPDATE_JOB, with(job_id(&quota), &json!({ "Accessibility": "PUBLIC" }))).await;
    assert_eq!(public.unwrap()["applied"], true);
    let private = with(job_id(&quota), &json!({ "Accessibility": "PRIVATE" }));
    let refusal = session.refused("job-change-heeded", UPDATE_JOB, private).await;
    assert_eq!(paths(&refusal), ["Accessibility"]);
    assert_eq!(session.home.count("UpdateJob"), 2);
}

/// R-DLC-24: an update takes an image of the job's own workspace, listed in this session, and none of another's.
#[tokio::test]
async fn an_update_takes_images_of_the_jobs_own_workspace() {
    let roles = |image: &str| json!({ "JobSpecs": job(VISION, image)["JobSpecs"] });
    for (flags, refused, allowed) in [
        (&[][..], &["GetJob"][..], &["GetJob", "GetJob", "UpdateJob"][..]),
        (
            &["--provenance", "verify"],
            &["GetJob", "ListImages", "ListImages"],
            &["GetJob", "GetJob", "UpdateJob"],
        ),
    ] {
        let session = approved(flags).await;
        session.call(LIST_WORKSPACES, here()).await.unwrap();
        for workspace in [VISION, VISION_EVAL] {
            session.call(LIST_IMAGES, images_of(workspace)).await.unwrap();
        }
        let created = session.call(CREATE_JOB, job(VISION, DETECTOR)).await.unwrap();
        let id = created["JobId"].as_str().unwrap();
        let calls = calls_of(&session, async {
            let change = with(job_id(id), &roles(DETECTOR_EVAL));
            let refusal = session.refused("image-from-list", UPDATE_JOB, change).await;
            assert_eq!(paths(&refusal), ["JobSpecs[0].Image"]);
        });
        assert_eq!(calls.await, refused);
        let calls = calls_of(&session, async {
            let updated = session.call(UPDATE_JOB, with(job_id(id), &roles(DETECTOR))).await.unwrap();
            assert_eq!(updated["applied"], true, "{updated}");
        });
        assert_eq!(calls.await, allowed);
    }
}

/// R-DLC-81: where misses are verified, a template is read once, at the version that is wanted.
#[tokio::test]
async fn a_template_is_read_once() {
    let session = approved(&["--provenance", "verify"]).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, images_of(VISION)).await.unwrap();
    let wanted = with(job_from(crate::harness::world::TRAIN_TEMPLATE), &json!({ "TemplateVersion": 2 }));
    let calls = calls_of(&session, async {
        session.call(CREATE_JOB, wanted).await.unwrap();
    });
    assert_eq!(calls.await.iter().filter(|action| *action == "GetJobTemplate").count(), 1);
    assert_eq!(session.home.count("CreateJob"), 1);
}

/// R-DLC-52: of a job that was submitted without health checks none is asked for.
#[tokio::test]
async fn a_job_without_health_checks_has_no_results() {
    let session = approved(&[]).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    let submitted = async |enabled: bool| {
        let settings =
            json!({ "Settings": { "EnableSanityCheck": enabled }, "DisplayName": format!("{enabled}") });
        let created = session.call(CREATE_JOB, with(job(VISION, PYTORCH), &settings)).await.unwrap();
        created["JobId"].as_str().unwrap().to_owned()
    };
    let off = submitted(false).await;
    let refusal = session.refused("health-check-enabled", LIST_SANITY_CHECKS, job_id(&off)).await;
    assert!(refusal["violations"][0]["message"].as_str().unwrap().contains("EnableSanityCheck false"));
    assert_eq!(session.home.count("ListJobSanityCheckResults"), 0);
    let on = submitted(true).await;
    session.call(LIST_SANITY_CHECKS, job_id(&on)).await.unwrap();
    assert_eq!(session.home.count("ListJobSanityCheckResults"), 1);
}

/// R-PM-053, R-PM-055, R-PM-059, R-PM-061: what doesn't fit an instance as it is isn't sent; what fits is sent once and
/// looked at.
#[tokio::test]
async fn an_instance_is_changed_as_it_is() {
    let (notebook, paused, pending) = ("jp_30145559", "jp_92818851", "jp_74972693");
    let session = approved(&[]).await;
    let of = |id: &str, more: Value| with(json!({ "instance_id": id }), &more);
    let machine = |cpu: i64, memory: i64, gpu: i64| json!({ "resource_config": { "cpu": cpu, "memory": memory, "gpu": gpu } });
    for (tool, arguments, path) in [
        (EDIT, of(notebook, json!({ "resource_config": { "cpu": 16 } })), "resource_config.cpu"),
        (EDIT, of(notebook, json!({ "name": "x", "resource_config": { "cpu": 8 } })), "resource_config.cpu"),
        (RESUME, of(notebook, json!({})), "instance_id"),
        (RESUME, of(paused, machine(13, 48, 2)), "resource_config.cpu"),
        (RESUME, of(paused, machine(12, 49, 2)), "resource_config.memory"),
        (RESUME, of(paused, machine(12, 48, 3)), "resource_config.gpu"),
        (PAUSE, of(paused, json!({})), "instance_id"),
        (PAUSE, of(pending, json!({})), "instance_id"),
    ] {
        let calls = calls_of(&session, async {
            assert_eq!(paths(&session.refused("instance-state", tool, arguments).await), [path]);
        });
        assert_eq!(calls.await, ["get_instance"], "{tool} {path}");
    }
    for (tool, arguments, action) in [
        (EDIT, of(notebook, json!({ "name": "x", "resource_config": { "cpu": 20 } })), "edit_instance"),
        (PAUSE, of(notebook, json!({})), "pause_instance"),
        (RESUME, of(paused, machine(12, 48, 2)), "resume_instance"),
    ] {
        let calls = calls_of(&session, async {
            assert_eq!(session.call(tool, arguments).await.unwrap()["applied"], true, "{tool}");
        });
        assert_eq!(calls.await, ["get_instance", "get_instance", action]);
    }
}

/// R-PM-057: who is asked about a pause is told where its checkpoint would have no place.
#[tokio::test]
async fn a_pause_without_a_workspace_is_pointed_out() {
    let session = Session::start(Home::new(), Era::Initialize, &[], Human::agreeable()).await;
    for (id, warned) in [("jp_42295043", true), ("jp_30145559", false)] {
        assert_eq!(session.call(PAUSE, json!({ "instance_id": id })).await.unwrap()["status"], "paused");
        let asked = session.human.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].message.contains("no workspace is mounted"), warned, "{}", asked[0].message);
    }
}

/// R-PM-097, R-PM-100: what has ended is neither paused nor resumed, and what runs isn't resumed.
#[tokio::test]
async fn a_training_job_is_changed_as_it_is() {
    let (lander, ended, failed) = ("train_383471932", "train_167229206", "train_926001178");
    let session = approved(&[]).await;
    let of = |id: &str| json!({ "job_id": id });
    for (tool, id) in [
        (PAUSE_JOB, ended),
        (PAUSE_JOB, failed),
        (PAUSE_JOB, "train_842379623"),
        (RESUME_JOB, lander),
        (RESUME_JOB, ended),
        (RESUME_JOB, "train_170564251"),
    ] {
        let calls = calls_of(&session, async {
            assert_eq!(paths(&session.refused("training-state", tool, of(id)).await), ["job_id"]);
        });
        assert_eq!(calls.await, ["get_training_job"], "{tool} {id}");
    }
    for (tool, action) in [(PAUSE_JOB, "pause_training_job"), (RESUME_JOB, "resume_training_job")] {
        let calls = calls_of(&session, async {
            assert_eq!(session.call(tool, of(lander)).await.unwrap()["applied"], true);
        });
        assert_eq!(calls.await, ["get_training_job", "get_training_job", action]);
    }
}

/// R-PM-030: one word for one outcome, beside the service's own.
#[tokio::test]
async fn an_action_comes_to_an_outcome() {
    let session = approved(&[]).await;
    let sandbox = |more: Value| with(json!({ "sandbox_id": "sbx_676771626" }), &more);
    let install = |name: &str| json!({ "action": "install_package", "params": { "name": name } });
    let done = session.call(ACTION, sandbox(json!({ "action": "restart" }))).await.unwrap();
    assert_eq!((&done["status"], &done["outcome"]), (&json!("completed"), &json!("succeeded")));
    let sandbox = |more: Value| with(json!({ "sandbox_id": "sbx_345741474" }), &more);
    let actions = json!({ "actions": [install("numpy"), install("unknown-1")] });
    let partial = session.refused("cloud-partial-failure", BATCH, sandbox(actions)).await;
    let results: Vec<(&Value, &Value)> = partial["result"]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| (&result["status"], &result["outcome"]))
        .collect();
    assert_eq!(results, [(&json!("success"), &json!("succeeded")), (&json!("failed"), &json!("failed"))]);
}

/// R-PM-032: a password that is over is pointed out; a new one is made only when the user wants it.
#[tokio::test]
async fn an_expired_password_is_pointed_out() {
    let session = approved(&["--clock-step", "25h"]).await;
    let sandbox = json!({ "sandbox_id": "sbx_676771626" });
    session.call("pyromind_list_sandboxes", json!({})).await.unwrap();
    let over = session.call(VNC, sandbox.clone()).await.unwrap();
    assert_eq!(over["expired"], true);
    assert!(over["next_step"].as_str().unwrap().contains("ask the user"), "{over}");
    let fresh = session.call(VNC, with(sandbox, &json!({ "refresh": true }))).await.unwrap();
    assert_eq!(fresh.get("expired"), None);
    assert_eq!(session.home.count("get_sandbox_vnc"), 2);
}

/// A job with dashboards is looked at before the link is asked for, and not afterwards.
#[tokio::test]
async fn a_dashboard_takes_one_look() {
    let session = approved(&["--approve", "dlc_get_dashboard"]).await;
    let calls = calls_of(&session, async {
        let link = session.call("dlc_get_dashboard", job_id(TUNE)).await.unwrap();
        assert!(link["url"].is_string() && link.get("applied").is_none(), "{link}");
    });
    assert_eq!(calls.await, ["GetJob", "GetDashboard"]);
}

/// A PyroMind that gives these answers, one for each connection; None hangs up after the request. Returns what was asked.
fn scripted(answers: Vec<Option<Value>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                heard.extend(byte);
            }
            let heard = String::from_utf8(heard).unwrap();
            asked.push(heard.lines().next().unwrap().rsplit_once(' ').unwrap().0.to_owned());
            if let Some(data) = answer {
                let body = json!({ "code": 200, "message": "ok", "data": data }).to_string();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
                write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
            }
        }
        asked
    });
    (url, thread)
}

/// A change that the cloud claims and doesn't show, or of which the answer is lost, is told as what it is; it is sent
/// once.
#[test]
fn what_the_cloud_claims_or_loses_is_looked_at() {
    let of = |status: &str| Some(json!({ "instance_id": "jp_1", "status": status }));
    let pause = "POST /api/v1/instances/jp_1/pause";
    let get = "GET /api/v1/instances/jp_1";
    for (answer, look, expected) in [
        (of("paused"), of("paused"), json!({ "applied": true })),
        (of("paused"), of("running"), json!({ "applied": false, "differs": ["status is running"] })),
        (
            of("paused"),
            Some(json!([])),
            json!({
                "applied": null,
                "unknown": ["the instance couldn't be read afterwards: the cloud's answer about this instance can't be read"],
            }),
        ),
        (None, of("paused"), json!({ "rule": "cloud-lost-answer", "retryable": false })),
        (None, of("running"), json!({ "rule": "cloud-lost-answer", "retryable": false })),
    ] {
        let (url, thread) = scripted(vec![of("running"), answer, look.clone()]);
        let home = Home::new().with("PYROMIND_API_KEY", "a-key");
        let endpoint = format!("pyromind={url}");
        let flags = ["call", "--json", "--cloud", "live", "--endpoint", &endpoint, "--approve", PAUSE];
        let ran = home.run(&[&flags[..], &[PAUSE, r#"{"instance_id": "jp_1"}"#]].concat());
        let said = ran.json();
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&said[name], value, "{said}");
        }
        if expected.get("rule").is_some() {
            let shows = look.unwrap()["status"] == "paused";
            let told = said["error"].as_str().unwrap();
            assert_eq!(told.contains("a look afterwards shows it as it was asked for"), shows, "{told}");
            assert_eq!(told.contains("a look afterwards doesn't show it"), !shows, "{told}");
        }
        assert_eq!(thread.join().unwrap(), [get, pause, get]);
    }
}
