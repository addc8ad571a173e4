//! No identity and no secret of the world gets out: not by stdout, by stderr, by the record, or by any file.

use std::collections::BTreeSet;
use std::path::Path;

use redline_mcp::sim::world::CANARIES;
use serde_json::{Value, json};

use crate::harness::Home;
use crate::harness::raw::{Ended, Raw};
use crate::harness::world::{
    CREATE_JOB, CREATE_WORKSPACE, EVALUATION, FINETUNE, GET_CODE_SOURCE, GET_DATASET, GET_IMAGE, GET_JOB,
    GET_JOB_EVENTS, GET_JOB_METRICS, GET_POD_EVENTS, GET_POD_LOGS, GET_SANITY_CHECK, GET_TEMPLATE,
    GET_TENSORBOARD, GET_WORKSPACE, HOSTILE, LIST_CODE_SOURCES, LIST_DATASETS, LIST_ECS_SPECS, LIST_IMAGES,
    LIST_JOBS, LIST_PRODUCTS, LIST_SANITY_CHECKS, LIST_TEMPLATES, LIST_TENSORBOARDS, LIST_WORKSPACES,
    PAYROLL_CODE, PRETRAIN, PYTORCH, REGION, SALARIES, STOP_JOB, SWEEP_TEMPLATE, TRAIN_TEMPLATE, TUNE,
    UPDATE_JOB, UPDATE_TEMPLATE, VISION, images_of, job, job_from, job_id, pod, template_id, workspace,
};

/// What stands only where no type says what it is: it is dropped, or swept for its form, so nobody knows it. Of the
/// last, the caller may not see the workspace.
const UNTYPED: [&str; 6] = [
    "zhao.min-canary-e2@acme-train.example",
    "CAIScanary1q6Ft5B2yfSjIr5bYKdTr",
    "9sCanaryR4vTz8Qm1Xb6Yc3Wd0Ke5P",
    "wu.fang-canary-a4@acme-train.example",
    "canaryUrl7Tq2Xw9",
    "glpat-canary0pYr77oLLw",
];

const GET_TRAINING_JOB: &str = "pyromind_get_training_job";
/// PyroMind's job whose log attacks whoever reads it.
const HOSTILE_TRAINING: &str = "train_358560015";

/// A call and the arguments of every form of it that can return an identity.
fn calls(region: &str, workspaces: &[String]) -> Vec<(&'static str, Value)> {
    let mut calls = vec![
        (LIST_PRODUCTS, json!({ "Verbose": true })),
        (LIST_WORKSPACES, json!({})),
        (LIST_WORKSPACES, json!({ "detail": "full", "Verbose": true })),
        (LIST_WORKSPACES, json!({ "Option": "GetResourceLimits" })),
        (LIST_WORKSPACES, json!({ "Option": "CheckWorkspaceExists", "WorkspaceName": "vision_train" })),
        (LIST_WORKSPACES, json!({ "Fields": "Id" })),
        (LIST_WORKSPACES, json!({ "WorkspaceIds": workspaces.join(","), "detail": "full" })),
        (LIST_IMAGES, json!({ "Verbose": true, "detail": "full" })),
        (GET_WORKSPACE, json!({ "WorkspaceId": "999999", "Verbose": true })),
        (GET_JOB, json!({ "JobId": "dlc-none" })),
        (GET_IMAGE, json!({ "ImageId": "image-none" })),
        (GET_DATASET, json!({ "DatasetId": "d-none" })),
        (GET_CODE_SOURCE, json!({ "CodeSourceId": "code-none" })),
        (GET_DATASET, json!({ "DatasetId": SALARIES })),
        (GET_CODE_SOURCE, json!({ "CodeSourceId": PAYROLL_CODE })),
    ];
    for id in workspaces {
        calls.push((GET_WORKSPACE, json!({ "WorkspaceId": id })));
        calls.push((GET_WORKSPACE, json!({ "WorkspaceId": id, "Verbose": true })));
        calls.push((LIST_IMAGES, json!({ "WorkspaceId": id, "Verbose": true, "detail": "full" })));
        for detail in ["summary", "full"] {
            calls.push((LIST_DATASETS, json!({ "WorkspaceId": id, "detail": detail })));
            calls.push((LIST_CODE_SOURCES, json!({ "WorkspaceId": id, "detail": detail })));
        }
    }
    for (_, arguments) in &mut calls {
        arguments["RegionId"] = json!(region);
    }
    calls
}

/// The calls that show each row of a list by itself.
fn gets(region: &str, listed: &Value) -> Vec<(&'static str, Value)> {
    let mut gets = Vec::new();
    for (rows, id, tool) in [
        ("Images", "ImageId", GET_IMAGE),
        ("Datasets", "DatasetId", GET_DATASET),
        ("CodeSources", "CodeSourceId", GET_CODE_SOURCE),
    ] {
        for row in listed["structuredContent"][rows].as_array().into_iter().flatten() {
            gets.push((tool, json!({ "RegionId": region, id: row[id] })));
        }
    }
    gets
}

fn ids(result: &Value) -> Vec<String> {
    let rows = result["structuredContent"]["Workspaces"].as_array().unwrap();
    rows.iter().map(|row| row["Workspace ID"].as_str().unwrap().to_owned()).collect()
}

/// Drives all that can return an identity: by success, refusal, error and lost race.
pub async fn drive(raw: &mut Raw) {
    for region in [REGION, "cn-shanghai"] {
        let workspaces = ids(&raw.call(LIST_WORKSPACES, &json!({ "RegionId": region })).await);
        assert_eq!(workspaces.len(), 6);
        let mut got = BTreeSet::new();
        for (tool, arguments) in calls(region, &workspaces) {
            let listed = raw.call(tool, &arguments).await;
            for (tool, arguments) in gets(region, &listed) {
                assert_eq!(raw.call(tool, &arguments).await["isError"], false);
                got.insert(tool);
            }
        }
        assert_eq!(got, BTreeSet::from([GET_CODE_SOURCE, GET_DATASET, GET_IMAGE]));
    }
    for id in [PRETRAIN, FINETUNE, EVALUATION] {
        for detail in [true, false] {
            let mut arguments = job_id(id);
            arguments["NeedDetail"] = json!(detail);
            assert_eq!(raw.call(GET_JOB, &arguments).await["isError"], false);
        }
    }
    let boards = json!({ "RegionId": REGION, "ShowOwn": false, "Verbose": true, "detail": "full" });
    let boards = raw.call(LIST_TENSORBOARDS, &boards).await["structuredContent"]["Tensorboards"].clone();
    for board in boards.as_array().unwrap() {
        let get = json!({ "RegionId": REGION, "TensorboardId": board["TensorboardId"] });
        assert_eq!(raw.call(GET_TENSORBOARD, &get).await["isError"], false);
    }
    // First with nobody known yet: what a log lets slip is swept for its form.
    for (tool, arguments) in [
        (GET_JOB_EVENTS, job_id(HOSTILE)),
        (GET_POD_EVENTS, pod(HOSTILE)),
        (GET_POD_LOGS, pod(HOSTILE)),
        (LIST_JOBS, json!({ "RegionId": REGION, "ShowOwn": false, "detail": "full" })),
        (LIST_JOBS, json!({ "RegionId": REGION, "UserIdForFilter": "204771836620915547" })),
        (GET_JOB, job_id(HOSTILE)),
        (GET_POD_LOGS, pod(HOSTILE)),
        (STOP_JOB, job_id(TUNE)),
        (
            UPDATE_JOB,
            json!({ "RegionId": REGION, "JobId": PRETRAIN, "Description": "nightly", "Accessibility": "PUBLIC" }),
        ),
        (
            GET_JOB_METRICS,
            json!({ "RegionId": REGION, "JobId": PRETRAIN, "MetricType": "MemoryUsage", "Token": CANARIES[0] }),
        ),
        (LIST_ECS_SPECS, json!({ "RegionId": REGION, "detail": "full" })),
        (LIST_SANITY_CHECKS, job_id(FINETUNE)),
        (GET_SANITY_CHECK, json!({ "RegionId": REGION, "JobId": FINETUNE, "SanityCheckNumber": 1 })),
    ] {
        assert_eq!(raw.call(tool, &arguments).await["isError"], false, "{tool}");
    }
    // Templates: whose they are, and what they store.
    let mut all = images_of(VISION);
    all["detail"] = json!("full");
    assert_eq!(raw.call(LIST_TEMPLATES, &all).await["isError"], false);
    for (id, version) in [(TRAIN_TEMPLATE, "all"), (TRAIN_TEMPLATE, "2"), (SWEEP_TEMPLATE, "1")] {
        let mut arguments = template_id(id);
        arguments["Version"] = json!(version);
        assert_eq!(raw.call(GET_TEMPLATE, &arguments).await["isError"], false);
    }
    let mut update = template_id(SWEEP_TEMPLATE);
    update["Description"] = json!("for a sweep");
    assert_eq!(raw.call(UPDATE_TEMPLATE, &update).await["isError"], false);
    let made = raw.call(CREATE_JOB, &job_from(TRAIN_TEMPLATE)).await;
    let id = made["structuredContent"]["JobId"].as_str().unwrap_or_else(|| panic!("{made}"));
    assert_eq!(raw.call(GET_JOB, &job_id(id)).await["isError"], false);
    let hostile = json!({ "job_id": HOSTILE_TRAINING, "include_logs": true });
    assert_eq!(raw.call(GET_TRAINING_JOB, &hostile).await["isError"], false);
    // What the caller makes is the caller's; the second is made by the winner of a race.
    for name in ["vision_team", "vision_race"] {
        let created = raw.call(CREATE_WORKSPACE, &workspace(name)).await;
        let id = &created["structuredContent"]["Workspace ID"];
        let get = json!({ "RegionId": REGION, "WorkspaceId": id, "Verbose": true });
        assert_eq!(raw.call(GET_WORKSPACE, &get).await["isError"], false);
        let mut other = workspace(name);
        other["EnvTypes"] = json!(["dev", "prod"]);
        assert_eq!(raw.call(CREATE_WORKSPACE, &other).await["isError"], true);
    }
    let created = raw.call(CREATE_JOB, &job(VISION, PYTORCH)).await;
    let id = created["structuredContent"]["JobId"].as_str().unwrap();
    assert_eq!(raw.call(GET_JOB, &job_id(id)).await["isError"], false);
    // An agent that hands back what masks know, wherever it has it from, doesn't get it back. (A human who is
    // asked would see it: a question shows exactly what the agent wrote.)
    for (index, canary) in CANARIES.iter().filter(|canary| !UNTYPED.contains(canary)).enumerate() {
        // The next one that isn't there would be asked about, as a guess.
        if index == 0 {
            raw.call(GET_WORKSPACE, &json!({ "RegionId": REGION, "WorkspaceId": canary })).await;
        }
        raw.call(GET_JOB, &job_id(canary)).await;
        raw.call(GET_IMAGE, &json!({ "RegionId": REGION, "ImageId": canary })).await;
        raw.call(GET_DATASET, &json!({ "RegionId": REGION, "DatasetId": canary })).await;
        raw.call(GET_CODE_SOURCE, &json!({ "RegionId": REGION, "CodeSourceId": canary })).await;
        let mut taken = workspace("vision_team");
        taken["Description"] = json!(format!("for {canary}"));
        assert_eq!(raw.call(CREATE_WORKSPACE, &taken).await["isError"], true);
    }
}

/// R-WS-10, R-WS-11, R-WS-12, R-WS-13, R-WS-14, R-WS-15, R-WS-16, R-WS-22, R-WS-90, R-WS-91
#[tokio::test]
async fn no_identity_and_no_secret_gets_out() {
    let home = Home::new();
    let faults = json!([{ "tool": CREATE_WORKSPACE, "nth": 2, "fault": "name-race", "same": true }]);
    let faults = home.write("faults.json", &faults.to_string());
    let mut raw = Raw::legacy(home, &["--log", "debug", "--faults", &faults]).await;
    drive(&mut raw).await;
    let ended = raw.hang_up().await;
    assert_eq!(ended.code, Some(0));
    assert_clean(&ended);

    // The record tells that there was something to mask.
    let record = ended.home.record();
    for label in ["last4", "first", "omit", "env_values", "dropped", "stripped", "swept"] {
        let counted = |line: &Value| line["redactions"][label].as_u64().unwrap_or_default();
        assert!(record.iter().map(counted).sum::<u64>() > 0, "nothing counted as {label}");
    }
    assert!(record.iter().any(|line| line["error"] == "cloud-permission"));
    let shown = ended.home.run(&["audit", "show", ended.home.record_file().to_str().unwrap()]);
    assert_eq!(shown.code, Some(0));
    assert_none("audit show", &shown.stdout);
}

/// Without a mask a canary would be found: the search is no blind one.
#[test]
fn the_search_finds_a_canary_however_it_is_written() {
    for canary in CANARIES {
        for text in [format!("{{\"a\":{}}}", json!(canary)), escaped(canary), canary.to_uppercase()] {
            assert!(found(&text).contains(canary), "{text}");
        }
    }
    assert_eq!(found("****5714 z*** nothing"), Vec::<&str>::new());
}

/// Neither the program's words nor its files hold a canary.
pub fn assert_clean(ended: &Ended) {
    assert_none("stdout", &ended.stdout);
    assert_none("stderr", &ended.stderr);
    files(&ended.home.file(""), &mut |path, content| {
        assert_none(&path.display().to_string(), &String::from_utf8_lossy(content));
    });
}

fn assert_none(place: &str, text: &str) {
    assert_eq!(found(text), Vec::<&str>::new(), "in {place}");
}

/// The canaries in a text, in whatever case, as they are or written with escapes.
fn found(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let holds = |canary: &&str| {
        text.contains(&canary.to_lowercase()) || text.contains(&escaped(canary).to_lowercase())
    };
    CANARIES.iter().copied().filter(holds).collect()
}

/// A text as JSON that keeps to ASCII has it.
fn escaped(text: &str) -> String {
    let write = |unit: u16| match char::from_u32(u32::from(unit)).filter(char::is_ascii) {
        Some(character) => character.to_string(),
        None => format!("\\u{unit:04x}"),
    };
    text.encode_utf16().map(write).collect()
}

pub fn files(directory: &Path, visit: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, visit);
        } else {
            visit(&path, &std::fs::read(&path).unwrap());
        }
    }
}
