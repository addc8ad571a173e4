//! Secrets that a cloud gives out are in the vault's files, and nowhere else.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::canaries::files;
use crate::harness::Home;
use crate::harness::raw::{Ended, Raw};

const VNC: &str = "pyromind_get_sandbox_vnc";
const TOKEN: &str = "pyromind_get_instance_access_token";
const CREATE: &str = "pyromind_create_instance";
const EDIT: &str = "pyromind_edit_instance";
/// A password that the caller chose, which the cloud's reply repeats.
const CHOSEN: &str = "Chosen-canary-81!xK";

fn rows(listed: &Value, rows: &str, id: &str) -> Vec<String> {
    let rows = listed["structuredContent"][rows].as_array().unwrap();
    rows.iter().map(|row| row[id].as_str().unwrap().to_owned()).collect()
}

/// Drives all that can return a secret: passwords old and new, tokens, links, also where the call fails, and hands
/// everything shown back.
async fn drive(raw: &mut Raw) {
    let whole = json!({ "page_size": 50 });
    let sandboxes = rows(&raw.call("pyromind_list_sandboxes", &whole).await, "sandboxes", "sandbox_id");
    let instances = rows(&raw.call("pyromind_list_instances", &whole).await, "instances", "instance_id");
    let mut shown = Vec::new();
    for id in &sandboxes {
        raw.call("pyromind_get_sandbox", &json!({ "sandbox_id": id })).await;
        shown.push(raw.call(VNC, &json!({ "sandbox_id": id })).await);
        shown.push(raw.call(VNC, &json!({ "sandbox_id": id, "refresh": true })).await);
    }
    for id in &instances {
        raw.call("pyromind_get_instance", &json!({ "instance_id": id })).await;
        shown.push(raw.call(TOKEN, &json!({ "instance_id": id })).await);
        shown.push(raw.call(TOKEN, &json!({ "instance_id": id, "token_ttl": 60 })).await);
    }
    let mut wanted = json!({
        "name": "generated", "resource_type": "cpu", "resource_config": { "cpu": 2, "memory": 4 },
    });
    shown.push(raw.call(CREATE, &wanted).await);
    wanted["name"] = json!("chosen");
    wanted["password"] = json!(CHOSEN);
    shown.push(raw.call(CREATE, &wanted).await);
    wanted["name"] = json!("redeemed");
    let handle = shown.iter().find_map(|result| result["structuredContent"]["vnc_password"].as_str());
    wanted["password"] = json!(handle.unwrap());
    let redeemed = raw.call(CREATE, &wanted).await;
    assert_eq!(redeemed["isError"], false, "{redeemed}");
    for password in [CHOSEN, handle.unwrap()] {
        let change =
            json!({ "instance_id": redeemed["structuredContent"]["instance_id"], "password": password });
        let edited = raw.call(EDIT, &change).await;
        assert_eq!(edited["isError"], false, "{edited}");
    }
    // A handle anywhere else stays a handle.
    raw.call("pyromind_get_sandbox", &json!({ "sandbox_id": handle.unwrap() })).await;
    let handed = shown.iter().filter(|result| result["structuredContent"]["handed_over"].is_string()).count();
    assert!(handed > 10, "only {handed} calls handed something over");
}

/// What the vault keeps: the secrets themselves.
fn kept(home: &Home) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    files(&vault(home), &mut |path, content| {
        if path.extension().is_some_and(|extension| extension == "json") {
            let entry: Value = serde_json::from_slice(content).unwrap();
            secrets.insert(entry["secret"].as_str().unwrap().to_owned());
        }
    });
    secrets
}

fn vault(home: &Home) -> std::path::PathBuf {
    home.file("state/redline-mcp/vault")
}

/// R-PM-019, R-PM-033, R-PM-045, R-PM-066: nowhere on stdout, in the log, in the record, in the world's state; and no
/// part of a link that holds one.
#[tokio::test]
async fn secrets_are_in_the_vault_and_nowhere_else() {
    let home = Home::new();
    let state = home.file("world.json").to_str().unwrap().to_owned();
    let flags =
        ["--log", "debug", "--state-out", &state, "--approve", VNC, "--approve", TOKEN, "--approve", CREATE];
    let mut raw = Raw::legacy(home, &flags).await;
    drive(&mut raw).await;
    let Ended { home, code, stdout, stderr, .. } = raw.hang_up().await;
    assert_eq!(code, Some(0));

    let mut secrets = kept(&home);
    let tokens: Vec<String> =
        secrets.iter().filter_map(|secret| Some(secret.split_once("?token=")?.1.to_owned())).collect();
    assert!(!tokens.is_empty() && tokens.iter().all(|token| secrets.contains(token)), "{}", tokens.len());
    assert!(secrets.contains(CHOSEN) && secrets.len() > 20, "{} secrets are kept", secrets.len());
    secrets.extend(tokens);
    let leaks = |text: &str| secrets.iter().filter(|secret| text.contains(secret.as_str())).count();
    assert_eq!((leaks(&stdout), leaks(&stderr)), (0, 0));
    let mut searched = 0;
    let inside = vault(&home);
    files(&home.file(""), &mut |path: &Path, content| {
        if !path.starts_with(&inside) {
            assert_eq!(leaks(&String::from_utf8_lossy(content)), 0, "in {}", path.display());
            searched += 1;
        }
    });
    assert!(searched >= 3, "only {searched} files were searched");
}
