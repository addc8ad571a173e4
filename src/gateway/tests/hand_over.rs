//! Secrets on their way to whom they are meant for.

use crate::policy::hand_over::Handle;
use crate::sim::world::SECRET_MARK;

use super::*;

const VNC: &str = "pyromind_get_sandbox_vnc";
const TOKEN: &str = "pyromind_get_instance_access_token";
const CREATE: &str = "pyromind_create_instance";

impl Bench {
    /// The id of the first row of a list whose name is `name`.
    async fn id_of(&self, list: &str, rows: &str, id: &str, name: &str) -> String {
        let listed = self.call(list, &json!({ "page_size": 50 })).await;
        let rows = listed.body()[rows].as_array().unwrap();
        let found = rows.iter().find(|row| row["name"] == name).unwrap();
        found[id].as_str().unwrap().to_owned()
    }

    async fn sandbox(&self) -> String {
        self.id_of("pyromind_list_sandboxes", "sandboxes", "sandbox_id", "ppo-lunar-dev").await
    }

    /// What is under a handle in this bench's vault, for whoever owns it.
    fn secret(&self, shown: &Value) -> String {
        let handle: Handle = shown.as_str().unwrap().parse().unwrap();
        let files = std::fs::read_dir(self.directory.path().join("vault")).unwrap();
        let file = files
            .map(|entry| entry.unwrap().path())
            .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(handle.code()))
            .unwrap();
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        kept["secret"].as_str().unwrap().to_owned()
    }

    /// Everything that is kept beside the vault.
    fn record_text(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("audit.jsonl")).unwrap()
    }
}

fn instance(name: &str, password: &str) -> Value {
    json!({
        "name": name,
        "resource_type": "cpu",
        "resource_config": { "cpu": 2, "memory": 4, "gpu": 0 },
        "password": password,
    })
}

/// R-PM-033: the password goes to the vault, and the agent gets its handle.
#[tokio::test]
async fn a_password_is_in_the_vault_and_nowhere_else() {
    let bench = bench();
    let id = bench.sandbox().await;
    let shown = bench.call(VNC, &json!({ "sandbox_id": id })).await;
    let secret = bench.secret(&shown.body()["vnc_password"]);
    assert!(secret.contains(SECRET_MARK));
    assert_eq!(shown.body()["sandbox_id"], json!(id));
    assert!(!shown.body().to_string().contains(&secret), "{}", shown.body());
    assert!(!bench.record_text().contains(&secret));
    let command = shown.body()["handed_over"].as_str().unwrap();
    assert!(command.contains("`redline-mcp secret HANDLE`"), "{command}");
    // The same again has the same handle.
    let again = bench.call(VNC, &json!({ "sandbox_id": id })).await;
    assert_eq!(again.body()["vnc_password"], shown.body()["vnc_password"]);
}

/// R-PM-066: the token is handed over, and so is the link that holds it.
#[tokio::test]
async fn a_token_is_handed_over_also_where_it_stands_in_a_link() {
    let bench = bench();
    let id = bench.id_of("pyromind_list_instances", "instances", "instance_id", "nightly-train").await;
    let shown = bench.call(TOKEN, &json!({ "instance_id": id, "token_ttl": 60 })).await;
    let token = bench.secret(&shown.body()["access_token"]);
    let url = shown.body()["access_url"].as_str().unwrap();
    let (address, handle) = url.split_once("?token=").unwrap();
    assert_eq!(address, format!("https://instances.pyromind.ai/{id}"));
    assert_eq!(bench.secret(&json!(handle)), format!("{address}?token={token}"));
    assert!(!shown.body().to_string().contains(&token));
    assert!(!bench.record_text().contains(&token));
}

/// A read doesn't hand anything over: nobody agreed to it (R-PM-019).
#[tokio::test]
async fn a_read_leaves_the_password_out() {
    let bench = bench();
    let shown = bench.call("pyromind_get_sandbox", &json!({ "sandbox_id": bench.sandbox().await })).await;
    assert_eq!(shown.body()["vnc_info"]["password"], Value::Null);
    assert_eq!(shown.body()["vnc_info"]["host"], "vnc.pyromind.ai");
    assert!(!bench.directory.path().join("vault").exists());
}

/// A handle is redeemed in the session that got it; the human sees the handle, the cloud gets the secret.
#[tokio::test]
async fn a_handle_stands_for_its_secret_in_its_own_session() {
    let bench = bench();
    let shown = bench.call(VNC, &json!({ "sandbox_id": bench.sandbox().await })).await;
    let handle = shown.body()["vnc_password"].as_str().unwrap().to_owned();
    let secret = bench.secret(&json!(handle));
    let arguments = instance("with-handle", &handle);
    let question = ask(bench.step(CREATE, &arguments, None).await);
    for said in [
        format!("- password: \"{handle}\""),
        format!("- password: the secret that this session got as {VNC}: vnc_password"),
    ] {
        assert!(question.message().contains(&said), "{said} isn't in {}", question.message());
    }
    let created = done(bench.step(CREATE, &arguments, Some(yes(&question, &arguments))).await);
    assert!(!created.is_error(), "{}", created.body());
    let sent = bench.bodies.lock().unwrap().last().unwrap().clone();
    assert_eq!(sent["password"], json!(secret));
    assert!(!bench.record_text().contains(&secret));
}

/// Attack 18: a handle of another session, an expired one, a mangled one: nothing is sent, and all are told alike.
#[tokio::test]
async fn a_handle_of_another_session_gets_nothing() {
    let mut bench = bench();
    let shown = bench.call(VNC, &json!({ "sandbox_id": bench.sandbox().await })).await;
    let handle = shown.body()["vnc_password"].as_str().unwrap().to_owned();
    bench.scope = bench.gateway.new_scope();
    let mut told = Vec::new();
    for (name, handle) in [
        ("foreign", handle.as_str()),
        ("unknown", "handle:aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("mangled", "handle:let-me-in"),
        ("padded", &format!(" {handle}")),
        ("shouted", &handle.to_uppercase()),
    ] {
        let refused = bench.call(CREATE, &instance(name, handle)).await;
        assert!(refused.is_error());
        assert_eq!(refused.body()["rule"], "request");
        assert_eq!(refused.body()["violations"][0]["path"], "password");
        told.push(refused.body()["error"].clone());
    }
    assert!(told.iter().all(|text| *text == told[0]), "{told:?}");
    assert_eq!(told[0], "this handle is another session's, has expired or never was; nothing was sent");
    assert_eq!(posts(&bench), 0);
}

/// Where the vault can't keep anything, a call that would hand over isn't even made: what it makes would be lost.
#[tokio::test]
async fn without_a_vault_nothing_that_hands_over_is_sent() {
    let bench = bench();
    let id = bench.sandbox().await;
    std::fs::write(bench.directory.path().join("vault"), "in the way").unwrap();
    let before = bench.sent().len();
    for (tool, arguments) in
        [(VNC, json!({ "sandbox_id": id })), (CREATE, instance("unkept", "a-password-12"))]
    {
        let refused = bench.call(tool, &arguments).await;
        assert_eq!((refused.is_error(), &refused.body()["rule"]), (true, &json!("vault")));
        assert!(refused.body()["error"].as_str().unwrap().ends_with("nothing was sent"));
    }
    assert_eq!(posts(&bench), 0);
    assert_eq!(bench.sent().len(), before + 2, "the name alone is looked up, once to ask and once to go");
}

/// A handle in a text of JSON stands for its secret too: the template stores the password, and no record does.
#[tokio::test]
async fn a_handle_in_content_is_redeemed() {
    let bench = bench();
    let shown = bench.call(VNC, &json!({ "sandbox_id": bench.sandbox().await })).await;
    let handle = shown.body()["vnc_password"].as_str().unwrap().to_owned();
    let secret = bench.secret(&json!(handle));
    let listed = bench.call("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-hangzhou" })).await;
    let workspace = listed.body()["Workspaces"][1]["Workspace ID"].clone();
    let images = bench.call("aiworkspace_list_images", &json!({ "RegionId": "cn-hangzhou" })).await;
    let config = json!({ "Username": "puller", "Password": handle });
    let spec = json!({
        "Type": "Worker",
        "PodCount": 1,
        "Image": images.body()["Images"][0]["ImageUri"],
        "ImageConfig": config,
        "EcsSpec": "ecs.g6.large",
    });
    let arguments = json!({
        "RegionId": "cn-hangzhou",
        "WorkspaceId": workspace,
        "TemplateName": "with-handle",
        "Content": { "JobType": "PyTorchJob", "JobSpecs": [spec] },
    });
    let created = bench.call("dlc_create_job_template", &arguments).await;
    assert!(!created.is_error(), "{}", created.body());
    let sent = bench.bodies.lock().unwrap().last().unwrap().clone();
    let content: Value = serde_json::from_str(sent["Content"].as_str().unwrap()).unwrap();
    assert_eq!(content["JobSpecs"][0]["ImageConfig"]["Password"], json!(secret));
    assert!(!bench.record_text().contains(&secret));
    assert!(bench.record_text().contains(&handle));
}
