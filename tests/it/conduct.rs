//! What the server never does with credentials and with what a cloud answered, whatever it is asked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use redline_mcp::sim::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};
use serde_json::{Value, json};

use crate::canaries::{assert_clean, files};
use crate::harness::Home;
use crate::harness::raw::Raw;
use crate::harness::simulation::Simulation;
use crate::harness::world::{
    CREATE_WORKSPACE, GET_JOB, GET_WORKSPACE, LIST_IMAGES, LIST_WORKSPACES, PRETRAIN, REGION, VISION, here,
    images_of, job_id, workspace,
};

/// Every file of a home, with its content.
fn all(home: &Home) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    files(&home.file(""), &mut |path, content| {
        found.insert(path.to_owned(), content.to_vec());
    });
    found
}

/// R-WS-05: credentials are the user's to configure. Files of the official tools stay as they are, none is added,
/// and no file of ours has the secret, also where calls succeed with it and where they fail.
#[test]
fn no_credential_is_ever_written() {
    let home = Home::new()
        .with("ALIBABA_CLOUD_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", ACCESS_KEY_SECRET)
        .with("PYROMIND_API_KEY", "pyro-canary-6c1b7d3f");
    std::fs::create_dir(home.file(".aliyun")).unwrap();
    home.write(".aliyun/config.json", r#"{"current": "default", "profiles": []}"#);
    let before = all(&home);

    let cloud = Simulation::start(&home, &[]);
    let found = cloud.call(&home, &[], LIST_WORKSPACES, &here());
    assert_eq!(found.code, Some(0), "{found:?}");
    let approved = ["--approve", CREATE_WORKSPACE];
    assert_eq!(cloud.call(&home, &approved, CREATE_WORKSPACE, &workspace("vision_team")).code, Some(0));
    let missing = json!({ "RegionId": REGION, "WorkspaceId": "999999" });
    assert_eq!(cloud.call(&home, &[], GET_WORKSPACE, &missing).code, Some(1));
    // A user who asks for it outright gets no further.
    for line in [
        &["configure"][..],
        &["configure", "set", "--access-key-id", "a"],
        &["call", "--access-key-id", "a", LIST_WORKSPACES],
        &["serve", "--access-key-secret", "a"],
    ] {
        assert_eq!(home.run(line).code, Some(2), "{line:?}");
    }
    cloud.stop();

    let after = all(&home);
    for (path, content) in &before {
        assert_eq!(after.get(path), Some(content), "{}", path.display());
    }
    let mut written = 0;
    for (path, content) in after.iter().filter(|(path, _)| !before.contains_key(*path)) {
        assert!(path.starts_with(home.file("state")), "{} was added", path.display());
        let text = String::from_utf8_lossy(content);
        for secret in [ACCESS_KEY_SECRET, "pyro-canary-6c1b7d3f"] {
            assert!(!text.contains(secret), "{} holds {secret}", path.display());
        }
        written += 1;
    }
    assert!(written >= 2, "only {written} files: was anything recorded?");
}

/// R-WS-17, R-WS-19: no tool has an argument that leaves the masks out, or that names a file for the answer; R-DLC-25,
/// R-DLC-54: nor one that says what is sent where.
#[tokio::test]
async fn no_argument_leaves_the_masks_out_or_names_a_file() {
    let mut raw = Raw::legacy(Home::new(), &[]).await;
    let listed = raw.ask(json!(2), "tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap().clone();
    assert_eq!(tools.len(), 63);
    for tool in &tools {
        let name = tool["name"].as_str().unwrap();
        for argument in [
            "raw",
            "unmasked",
            "mask",
            "output_file",
            "save_to",
            "redirect",
            "Method",
            "Path",
            "Url",
            "Headers",
        ] {
            let properties = &tool["inputSchema"]["properties"];
            assert_eq!(properties.get(argument), None, "{name}");
            let refused = raw.call(name, &json!({ "RegionId": REGION, argument: true })).await;
            assert_eq!(refused["isError"], true, "{name}");
            let said = refused["content"][0]["text"].as_str().unwrap();
            assert!(said.contains(&format!("\"path\":\"{argument}\"")), "{name}: {said}");
        }
    }
    let ended = raw.hang_up().await;
    assert_eq!(ended.home.calls(), Vec::<String>::new());
}

/// R-WS-19, R-WS-28: a read adds to the record and to nothing else, and what the record holds is masked; so is all
/// that a client could save.
#[tokio::test]
async fn a_read_writes_no_file_of_its_own() {
    let mut raw = Raw::legacy(Home::new(), &["--log", "debug"]).await;
    raw.call(LIST_WORKSPACES, &here()).await;
    let before = all(&raw.home);
    for (tool, arguments) in [
        (LIST_WORKSPACES, json!({ "RegionId": REGION, "detail": "full" })),
        (GET_WORKSPACE, json!({ "RegionId": REGION, "WorkspaceId": VISION, "Verbose": true })),
        (LIST_IMAGES, images_of(VISION)),
        (GET_JOB, job_id(PRETRAIN)),
    ] {
        assert_eq!(raw.call(tool, &arguments).await["isError"], false, "{tool}");
    }
    let after = all(&raw.home);
    let changed: Vec<&PathBuf> = after
        .iter()
        .filter(|(path, content)| before.get(*path) != Some(*content))
        .map(|(path, _)| path)
        .collect();
    let record = raw.home.record_file();
    assert!(changed.contains(&&record), "{changed:?}");
    for path in changed {
        // The record, and its head beside it.
        assert!(path.to_str().unwrap().starts_with(record.to_str().unwrap()), "{}", path.display());
    }
    let ended = raw.hang_up().await;
    let shown: Vec<Value> = ended.home.record();
    assert!(shown.iter().any(|line| line["tool"] == GET_WORKSPACE));
    assert_clean(&ended);
}
