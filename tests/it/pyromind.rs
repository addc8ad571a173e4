//! PyroMind's sandboxes and instances: made once, deleted only by their id, and their failures told as they are.

use serde_json::{Value, json};

use crate::harness::human::{Human, Says};
use crate::harness::{ERAS, Era, Home, Session, paths};

const CREATE_SANDBOX: &str = "pyromind_create_sandbox";
const CREATE_INSTANCE: &str = "pyromind_create_instance";
const DELETE: &str = "pyromind_delete_sandbox";
const ACTION: &str = "pyromind_execute_sandbox_action";
const BATCH: &str = "pyromind_execute_sandbox_batch_actions";
const GET: &str = "pyromind_get_sandbox";
const LIST: &str = "pyromind_list_sandboxes";
const TOKEN: &str = "pyromind_get_instance_access_token";
const VNC: &str = "pyromind_get_sandbox_vnc";

/// Sandboxes of the default world, as docs/world.md has them.
const PPO: &str = "sbx_676771626";
const STOPPED: &str = "sbx_666183990";
const UNRESPONSIVE: &str = "sbx_745103408";
const BUSY: &str = "sbx_248719747";
const WORKER: &str = "sbx_345741474";
/// Instances of the default world.
const NOTEBOOK: &str = "jp_30145559";
const PAUSED: &str = "jp_92818851";
const AUTH_TROUBLE: &str = "jp_60752091";

/// What the operator approved where nobody is asked.
const FLAGS: [&str; 4] = ["--approve", CREATE_SANDBOX, "--approve", CREATE_INSTANCE];

fn sandbox(name: &str) -> Value {
    json!({ "name": name, "sandbox_type": "cpu-sandbox", "resource_config": { "cpu": 4, "memory": 16, "gpu": 0 } })
}

fn instance(name: &str) -> Value {
    json!({ "name": name, "resource_type": "cpu", "resource_config": { "cpu": 4, "memory": 16, "gpu": 0 } })
}

fn id(sandbox: &str) -> Value {
    json!({ "sandbox_id": sandbox })
}

/// A human who types this id whatever is asked.
fn typing(id: &str) -> Human {
    Human::who_says([Says::Accepts(json!({ "resource_id": id }))])
}

async fn unattended(home: Home, era: Era, flags: &[&str]) -> Session {
    Session::start(home, era, &[&FLAGS[..], flags].concat(), Human::absent()).await
}

async fn attended(human: Human) -> Session {
    Session::start(Home::new(), Era::Initialize, &[], human).await
}

/// R-PM-011, R-PM-047: the same again returns the one that is there.
#[tokio::test]
async fn the_same_again_is_the_one_that_is_there() {
    for era in ERAS {
        let session = unattended(Home::new(), era, &[]).await;
        for (tool, id, arguments) in [
            (CREATE_SANDBOX, "sandbox_id", sandbox("ppo-eval")),
            (CREATE_INSTANCE, "instance_id", instance("rl lab")),
        ] {
            let created = session.call(tool, arguments.clone()).await.unwrap();
            let again = session.call(tool, arguments).await.unwrap();
            assert_eq!(again[id], created[id]);
            assert_eq!(again["already_existed"], true);
            assert_eq!(again["existing"]["resource_config"], json!({ "cpu": 4, "memory": 16, "gpu": 0 }));
        }
        assert_eq!((session.home.count("create_sandbox"), session.home.count("create_instance")), (1, 1));
    }
}

/// R-PM-011: no list finds a name, so every page is searched: of 54 sandboxes the last is on the second.
#[tokio::test]
async fn a_name_on_a_further_page_is_found() {
    let session = unattended(Home::new(), Era::Initialize, &[]).await;
    for number in 0..30 {
        session.call(CREATE_SANDBOX, sandbox(&format!("filler-{number}"))).await.unwrap();
    }
    let page = session.call(LIST, json!({ "page": 2, "page_size": 50 })).await.unwrap();
    let rows = page["sandboxes"].as_array().unwrap();
    assert_eq!((&page["total"], rows.len()), (&json!(54), 4));
    let mut other = sandbox(rows[3]["name"].as_str().unwrap());
    other["resource_config"]["cpu"] = json!(63);
    let refusal = session.refused("sandbox-created-once", CREATE_SANDBOX, other).await;
    assert!(paths(&refusal).contains(&"resource_config"), "{refusal}");
    assert_eq!(session.home.count("create_sandbox"), 30);
}

/// R-PM-011, R-PM-047: the name with other settings is refused, and says which differ; no other name is made up.
#[tokio::test]
async fn the_name_with_other_settings_is_refused_with_the_differences() {
    let session = unattended(Home::new(), Era::Initialize, &[]).await;
    session.call(CREATE_SANDBOX, sandbox("ppo-eval")).await.unwrap();
    let mut other = sandbox("ppo-eval");
    other["resource_config"]["cpu"] = json!(8);
    other["screen_resolution"] = json!({ "width": 2560, "height": 1440 });
    other["expire_time"] = json!("2026-01-05T00:00:00Z");
    let refusal = session.refused("sandbox-created-once", CREATE_SANDBOX, other).await;
    assert_eq!(paths(&refusal), ["resource_config", "screen_resolution", "expire_time"]);
    session.call(CREATE_INSTANCE, instance("rl lab")).await.unwrap();
    let mut other = instance("rl lab");
    other["image"] = json!("pyromind-instance:2.3.1");
    other["workspace_mount"] = json!({ "bucket_name": "acme-rl-data", "mount_path": "/work" });
    let refusal = session.refused("instance-created-once", CREATE_INSTANCE, other).await;
    assert_eq!(paths(&refusal), ["image", "workspace_mount"]);
    assert_eq!((session.home.count("create_sandbox"), session.home.count("create_instance")), (1, 1));
}

/// R-PM-011: two at once make one, and both get it.
#[tokio::test]
async fn two_at_once_make_one() {
    let session = unattended(Home::new(), Era::Initialize, &[]).await;
    let (one, other) = tokio::join!(
        session.call(CREATE_SANDBOX, sandbox("ppo-eval")),
        session.call(CREATE_SANDBOX, sandbox("ppo-eval")),
    );
    assert_eq!(one.unwrap()["sandbox_id"], other.unwrap()["sandbox_id"]);
    assert_eq!(session.home.count("create_sandbox"), 1);
}

/// R-PM-011, R-PM-047: a race that is lost ends with the winner's where it is as wanted, else as a conflict; nothing is
/// sent twice.
#[tokio::test]
async fn a_lost_race_is_looked_into() {
    for (tool, rule, id, arguments) in [
        (CREATE_SANDBOX, "sandbox-created-once", "sandbox_id", sandbox("ppo-eval")),
        (CREATE_INSTANCE, "instance-created-once", "instance_id", instance("rl-lab")),
    ] {
        let (_, action) = tool.split_once('_').unwrap();
        for same in [true, false] {
            let home = Home::new();
            let faults = json!([{ "tool": tool, "nth": 1, "fault": "name-race", "same": same }]);
            let faults = home.write("faults.json", &faults.to_string());
            let session = unattended(home, Era::Initialize, &["--faults", &faults]).await;
            if same {
                let body = session.call(tool, arguments.clone()).await.unwrap();
                assert_eq!(body["already_existed"], true, "{tool}");
                assert!(!body[id].as_str().unwrap().is_empty());
            } else {
                let refusal = session.refused(rule, tool, arguments.clone()).await;
                assert_eq!(paths(&refusal), ["resource_config"], "{tool}");
            }
            assert_eq!(session.home.count(action), 1, "{tool}");
        }
    }
}

/// R-PM-013, R-PM-044: what would have expired is refused before anything is sent, even looked up.
#[tokio::test]
async fn an_expiry_that_is_over_sends_nothing() {
    let session = unattended(Home::new(), Era::Initialize, &[]).await;
    for (tool, mut arguments) in
        [(CREATE_SANDBOX, sandbox("ppo-eval")), (CREATE_INSTANCE, instance("rl-lab"))]
    {
        arguments["expire_time"] = json!("2026-01-01T00:00:00Z");
        let refusal = session.refused("times-ahead", tool, arguments).await;
        assert_eq!(paths(&refusal), ["expire_time"]);
    }
    assert_eq!(session.home.calls(), Vec::<String>::new());
}

/// R-PM-022: nothing is deleted unless the id itself was typed.
#[tokio::test]
async fn only_the_typed_id_deletes() {
    for era in ERAS {
        let human = typing("sbx_345741475");
        let session = Session::start(Home::new(), era, &[], human.clone()).await;
        session.refused("arguments-confirmed", DELETE, id(WORKER)).await;
        human.says([Says::Accepts(json!({ "approve": true }))]);
        session.refused("arguments-confirmed", DELETE, id(WORKER)).await;
        human.says([Says::Declines]);
        session.refused("arguments-confirmed", DELETE, id(WORKER)).await;
        assert_eq!(session.home.count("delete_sandbox"), 0);
        human.asked();
        human.says([Says::Accepts(json!({ "resource_id": WORKER }))]);
        let deleted = session.call(DELETE, id(WORKER)).await.unwrap();
        assert_eq!((&deleted["sandbox_id"], &deleted["force"]), (&json!(WORKER), &json!(false)));
        let asked = human.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].field, "resource_id");
        assert!(
            asked[0].message.contains("a deleted sandbox can't be recovered: back up first"),
            "{asked:?}"
        );
        session.refused("cloud-not-found", GET, id(WORKER)).await;
        assert_eq!(session.home.count("delete_sandbox"), 1);
    }
}

/// R-PM-022: where nobody can be asked, nothing is deleted and nothing revealed.
#[tokio::test]
async fn without_a_human_nothing_is_deleted_or_revealed() {
    let session = Session::start(Home::new(), Era::Initialize, &[], Human::absent()).await;
    for (tool, arguments) in [
        (DELETE, id(WORKER)),
        (VNC, id(PPO)),
        (TOKEN, json!({ "instance_id": AUTH_TROUBLE })),
        (ACTION, restart(PPO)),
    ] {
        session.refused("arguments-confirmed", tool, arguments).await;
    }
    assert_eq!(session.home.calls(), Vec::<String>::new());
}

fn restart(sandbox: &str) -> Value {
    json!({ "sandbox_id": sandbox, "action": "restart" })
}

/// R-PM-020, R-PM-021: running tasks are told with the way out, which the server never takes by itself; force has a
/// question of its own, which says what it does.
#[tokio::test]
async fn force_is_the_humans_to_choose() {
    let session = attended(typing(BUSY)).await;
    let refusal = session.refused("cloud-conflict", DELETE, id(BUSY)).await;
    assert!(refusal["violations"][0]["fix"].as_str().unwrap().contains("force true"), "{refusal}");
    assert_eq!(session.home.count("delete_sandbox"), 1);
    assert!(!session.human.asked()[0].message.contains("killed"));
    let deleted = session.call(DELETE, json!({ "sandbox_id": BUSY, "force": true })).await.unwrap();
    assert_eq!(deleted["force"], true);
    let asked = session.human.asked();
    assert!(
        asked[0].message.contains("Mind:\n- force: running tasks are killed and can't be recovered"),
        "{asked:?}"
    );
}

/// R-PM-037, R-PM-038: of a batch of which a part failed, every part is told; nothing is sent again.
#[tokio::test]
async fn a_batch_that_fails_in_part_is_told_part_by_part() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &[], Human::agreeable()).await;
        let actions = json!([
            { "action": "install_package", "params": { "name": "python3-pip" } },
            { "action": "run_script", "params": { "path": "/home/user/missing.sh" } },
        ]);
        let arguments = json!({ "sandbox_id": PPO, "actions": actions });
        let refusal = session.refused("cloud-partial-failure", BATCH, arguments).await;
        let result = &refusal["result"];
        assert_eq!(
            (&result["total_actions"], &result["success_count"], &result["failed_count"]),
            (&json!(2), &json!(1), &json!(1)),
            "{refusal}"
        );
        let statuses: Vec<_> =
            result["results"].as_array().unwrap().iter().map(|part| &part["status"]).collect();
        assert_eq!(statuses, ["success", "failed"]);
        assert_eq!(session.home.count("execute_sandbox_batch_actions"), 1);
    }
}

/// R-PM-030: a single action that is done says so; R-PM-023, R-PM-029: one that can't be done is explained.
#[tokio::test]
async fn an_action_is_done_or_explained() {
    let session = attended(Human::agreeable()).await;
    let done = session.call(ACTION, restart(PPO)).await.unwrap();
    assert_eq!((&done["action"], &done["status"]), (&json!("restart"), &json!("completed")));
    let refusal = session.refused("cloud-unresponsive", ACTION, restart(UNRESPONSIVE)).await;
    assert_eq!(refusal["retryable"], false);
    assert_eq!(session.home.count("execute_sandbox_action"), 2);
}

/// R-PM-016: a shortage is told as one, and not tried again.
#[tokio::test]
async fn a_shortage_is_told_as_one() {
    let session = unattended(Home::new(), Era::Initialize, &[]).await;
    let mut much = sandbox("ppo-eval");
    much["sandbox_type"] = json!("gpu-sandbox");
    much["resource_config"]["gpu"] = json!(31);
    let refusal = session.refused("cloud-capacity", CREATE_SANDBOX, much).await;
    assert_eq!(refusal["retryable"], false);
    assert_eq!(session.home.count("create_sandbox"), 1);
}

/// R-PM-018, R-PM-019: where a screen is shows while the sandbox runs, its password never.
#[tokio::test]
async fn a_sandbox_is_shown_without_its_password() {
    let session = unattended(Home::new(), Era::Initialize, &[]).await;
    let running = session.call(GET, id(PPO)).await.unwrap();
    assert_eq!(running["vnc_info"], json!({ "host": "vnc.pyromind.ai", "port": 5901 }));
    let stopped = session.call(GET, id(STOPPED)).await.unwrap();
    assert_eq!((&stopped["status"], stopped.get("vnc_info")), (&json!("stopped"), None));
}

/// R-PM-063, R-PM-065: a running instance gives a token, which says when it ends; the next one is made anew, never given from memory.
#[tokio::test]
async fn every_token_is_made_anew() {
    let session = attended(typing(NOTEBOOK)).await;
    let mut ends = Vec::new();
    for ttl in [60, 120] {
        let made = session.call(TOKEN, json!({ "instance_id": NOTEBOOK, "token_ttl": ttl })).await.unwrap();
        ends.push(made["expire_time"].as_str().unwrap().to_owned());
        assert_ne!(made["access_token"], Value::Null, "{made}");
    }
    assert_ne!(ends[0], ends[1]);
    assert_eq!(session.home.count("get_instance_access_token"), 2);
}

/// R-PM-034: what has no VNC isn't called gone; R-PM-063: a paused instance gives no token; R-PM-014: both causes of a
/// sandbox that isn't found.
#[tokio::test]
async fn what_cannot_be_revealed_is_explained() {
    let session = attended(typing(STOPPED)).await;
    let refusal = session.refused("cloud-not-found", VNC, id(STOPPED)).await;
    let error = refusal["error"].as_str().unwrap();
    assert!(error.contains("or has no VNC") && !error.contains("deleted"), "{error}");
    for (instance, rule) in [(PAUSED, "cloud-state"), (AUTH_TROUBLE, "cloud-token-service")] {
        session.human.says([Says::Accepts(json!({ "resource_id": instance }))]);
        session.refused(rule, TOKEN, json!({ "instance_id": instance })).await;
    }
    let refusal = session.refused("cloud-not-found", GET, id("sbx_1")).await;
    let error = "sandbox sbx_1 wasn't found: the id is wrong, or it has expired or been deleted";
    assert_eq!(refusal["error"], error);
    assert_eq!(session.home.count("get_instance_access_token"), 2);
}
