//! Attacks 8, 9 and a part of 18: identities and credentials.

use serde_json::{Value, json};

use super::Arena;
use crate::canaries::{assert_clean, drive};
use crate::harness::human::{Human, Says};
use crate::harness::raw::Raw;
use crate::harness::world::{
    CREATE_JOB, CREATE_TEMPLATE, CREATE_WORKSPACE, DETECTOR, GET_JOB, LIST_IMAGES, LIST_WORKSPACES, PRETRAIN,
    REGION, VISION, here, job, job_id, workspace,
};
use crate::harness::{Era, Home};

const VNC: &str = "pyromind_get_sandbox_vnc";
const SANDBOX: &str = "sbx_676771626";

/// R-WS-10, R-WS-11, R-WS-12, R-WS-13: attack 8: what the clouds know of people is in no word and in no file, also where a
/// scripted cloud races, fails and denies.
#[tokio::test]
async fn identities_everywhere() {
    let home = Home::new();
    let faults = json!([{ "tool": CREATE_WORKSPACE, "nth": 2, "fault": "name-race", "same": true }]);
    let faults = home.write("faults.json", &faults.to_string());
    let mut raw = Raw::legacy(home, &["--log", "debug", "--clock-step", "2s", "--faults", &faults]).await;
    drive(&mut raw).await;
    let ended = raw.hang_up().await;
    assert_eq!(ended.code, Some(0));
    assert_clean(&ended);
}

/// R-WS-03, R-WS-04: attack 9: credentials that the agent passes go nowhere, in any argument that could hold them.
#[tokio::test]
async fn credentials_passed() {
    let arena = Arena::listed(&[]).await;
    let key = "LTAI5tCanaryCanaryCanary";
    let with = |change: Value| {
        let mut arguments = job(VISION, DETECTOR);
        arguments.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        arguments
    };
    let content = json!({ "UserCommand": format!("x {key}"), "JobType": "PyTorchJob",
        "JobSpecs": job(VISION, DETECTOR)["JobSpecs"] });
    let mut described = workspace("vision_team");
    described["Description"] = json!(format!("key {key}"));
    for (tool, arguments) in [
        (CREATE_JOB, with(json!({ "Envs": { "ALIBABA_CLOUD_ACCESS_KEY_ID": key } }))),
        (CREATE_JOB, with(json!({ "Envs": { key: "x" } }))),
        (CREATE_JOB, with(json!({ "UserCommand": format!("train --ak={key}") }))),
        (CREATE_JOB, with(json!({ "CustomEnvs": [{ "Key": "AK", "Value": key }] }))),
        (
            CREATE_TEMPLATE,
            json!({ "RegionId": REGION, "WorkspaceId": VISION, "TemplateName": "t", "Content": content.to_string() }),
        ),
        (CREATE_WORKSPACE, described),
    ] {
        let refusal = arena.crossed_nothing("no-credentials-in-arguments", tool, arguments).await;
        assert!(!refusal.to_string().contains(key), "{refusal}");
    }
    let record = std::fs::read_to_string(arena.session.home.record_file()).unwrap();
    let leaks: Vec<_> = record.lines().filter(|line| line.contains(key)).collect();
    assert_eq!(leaks, Vec::<&str>::new());
}

/// R-WS-14: attack 9: credentials that a cloud returns stay hidden: variables, registries' passwords, passwords and tokens.
#[tokio::test]
async fn credentials_returned() {
    let human = Human::who_says([Says::Accepts(json!({ "resource_id": SANDBOX }))]);
    let arena = Arena::new(Era::Initialize, &["--region", REGION], human).await;
    let shown = arena.session.call(GET_JOB, job_id(PRETRAIN)).await.unwrap();
    assert_eq!(shown["Envs"], json!({ "WANDB_API_KEY": "****", "NCCL_DEBUG": "****" }));
    assert_eq!(shown["JobSpecs"][0]["ImageConfig"].get("Password"), None);
    let handed = arena.session.call(VNC, json!({ "sandbox_id": SANDBOX })).await.unwrap();
    let handle = handed["vnc_password"].as_str().unwrap_or_else(|| panic!("{handed}"));
    assert!(handle.starts_with("handle:"), "{handed}");

    // What this session got, another can't use: the handle is one of its scope.
    let home = arena.session.end().await;
    let stranger = Arena::at(home, Era::Initialize, &["--approve", "create"], Human::absent()).await;
    let stolen = json!({
        "name": "lab", "resource_type": "cpu", "resource_config": { "cpu": 4, "memory": 16, "gpu": 0 },
        "password": handle,
    });
    let refusal = stranger.session.call("pyromind_create_instance", stolen).await.expect_err("a refusal");
    assert_eq!(refusal["violations"][0]["path"], "password", "{refusal}");
    assert_eq!(stranger.seen().writes, Vec::<String>::new());
}

/// R-WS-03: attack 9: an account's own key in a cloud's words isn't shown: the lists work, and hold no key.
#[tokio::test]
async fn the_servers_own_key() {
    let mut raw = Raw::legacy(Home::new(), &["--region", REGION, "--log", "debug"]).await;
    for (tool, arguments) in [(LIST_WORKSPACES, here()), (LIST_IMAGES, here())] {
        raw.call(tool, &arguments).await;
    }
    let ended = raw.hang_up().await;
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("redline-sim-secret"));
    }
}
