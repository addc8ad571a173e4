//! Links and tokens: in the result that they were asked for, and nowhere else; tokens in the vault alone.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::human::{Human, Says};
use crate::harness::raw::Raw;
use crate::harness::world::{GET_JOB, OWN_BOARD, REGION, TUNE, job_id};
use crate::harness::{Era, Home, Session};

const SHARE: &str = "dlc_get_tensorboard_shared_url";
const TOKEN: &str = "dlc_get_token";
const TERMINAL: &str = "dlc_get_web_terminal";
const DASHBOARD: &str = "dlc_get_dashboard";
const RAY_DASHBOARD: &str = "dlc_get_ray_dashboard";

/// What every token and link of the simulator holds.
const MARK: &str = "canary";

fn token_of(kind: &str, id: &str) -> Value {
    json!({ "RegionId": REGION, "TargetType": kind, "TargetId": id })
}

fn shared(token: &Value) -> Value {
    json!({ "RegionId": REGION, "JobId": TUNE, "isShared": true, "token": token })
}

/// The secrets in the vault, by their handles.
fn kept(home: &Home, handle: &Value) -> String {
    let code = handle.as_str().unwrap().strip_prefix("handle:").unwrap();
    let files = fs::read_dir(home.file("state/redline-mcp/vault")).unwrap();
    let file = files
        .map(|entry| entry.unwrap().path())
        .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(code))
        .unwrap();
    let kept: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    kept["secret"].as_str().unwrap().to_owned()
}

/// The files below `directory` that hold `text`.
fn holders(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holders(&path, text));
        } else if String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(text) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// R-DLC-09, R-DLC-10: whatever lets somebody in is in one result, or in the vault.
#[tokio::test]
async fn a_link_is_in_its_result_and_a_token_in_the_vault() {
    let home = Home::new();
    let state = home.file("state.json").to_str().unwrap().to_owned();
    let mut raw = Raw::legacy(home, &["--log", "debug", "--state-out", &state]).await;
    let mut links = Vec::new();
    let board = json!({ "RegionId": REGION, "TensorboardId": OWN_BOARD, "ExpireTimeSeconds": 600 });
    let pod =
        json!({ "RegionId": REGION, "JobId": TUNE, "PodId": format!("{TUNE}-head-0"), "IsShared": true });
    for (tool, arguments, field) in [
        (SHARE, board, "TensorboardSharedUrl"),
        (TERMINAL, pod, "WebTerminalUrl"),
        (DASHBOARD, job_id(TUNE), "url"),
        (RAY_DASHBOARD, job_id(TUNE), "url"),
    ] {
        let result = raw.call(tool, &arguments).await;
        let content = &result["structuredContent"];
        assert!(content["for_the_user"].as_str().unwrap().contains("give it to the user"), "{result}");
        links.push(content[field].as_str().unwrap().to_owned());
    }
    let job = raw.call(TOKEN, &token_of("job", TUNE)).await["structuredContent"]["Token"].clone();
    let own =
        raw.call(TOKEN, &token_of("tensorboard", OWN_BOARD)).await["structuredContent"]["Token"].clone();
    let opened = raw.call(RAY_DASHBOARD, &shared(&job)).await;
    links.push(opened["structuredContent"]["url"].as_str().unwrap().to_owned());
    // An agent that writes a link elsewhere doesn't get it back, nor does it enter the record.
    for link in &links {
        raw.call(GET_JOB, &job_id(link)).await;
    }
    let ended = raw.hang_up().await;
    assert_eq!(ended.code, Some(0));
    let (job, own) = (kept(&ended.home, &job), kept(&ended.home, &own));
    assert!(links[4].ends_with(&format!("?token={job}")));
    for link in &links {
        assert!(link.contains(MARK), "{link}");
        let lines = ended.stdout.lines().filter(|line| line.contains(link)).count();
        assert_eq!(lines, 1, "{link}");
        assert!(!ended.stderr.contains(link), "{link}");
        assert_eq!(holders(&ended.home.file(""), link), Vec::<String>::new(), "{link}");
    }
    for token in [job, own.clone()] {
        assert!(token.contains(MARK) && !ended.stderr.contains(&token));
        let holders = holders(&ended.home.file(""), &token);
        assert_eq!(holders.len(), 1, "{holders:?}");
        assert!(holders[0].contains("/vault/"), "{holders:?}");
    }
    assert!(!ended.stdout.contains(&own));
    let record = fs::read_to_string(ended.home.record_file()).unwrap();
    assert!(!record.contains(MARK), "{record}");
    assert!(!ended.stderr.contains(MARK), "{}", ended.stderr);
}

/// R-DLC-09, R-DLC-10: only who types the id of what is opened agrees to it, and it is this one.
#[tokio::test]
async fn another_id_opens_nothing() {
    let human = Human::who_says([Says::Yes]);
    let session = Session::start(Home::new(), Era::Initialize, &["--region", REGION], human.clone()).await;
    let pod = format!("{TUNE}-head-0");
    for (tool, arguments, action, id) in [
        (TOKEN, token_of("job", TUNE), "GetToken", TUNE),
        (DASHBOARD, job_id(TUNE), "GetDashboard", TUNE),
        (TERMINAL, json!({ "RegionId": REGION, "JobId": TUNE, "PodId": pod }), "GetWebTerminal", &pod),
    ] {
        for typed in
            [json!({ "resource_id": "job" }), json!({ "resource_id": "" }), json!({ "approve": true })]
        {
            human.says([Says::Accepts(typed)]);
            assert!(session.call(tool, arguments.clone()).await.is_err());
        }
        assert_eq!(session.human.fields(), ["resource_id"; 3], "{tool}");
        assert_eq!(session.home.count(action), 0, "{tool}");
        human.says([Says::Accepts(json!({ "resource_id": id }))]);
        session.call(tool, arguments).await.unwrap();
        assert_eq!(session.home.count(action), 1, "{tool}");
        human.asked();
    }
}

/// R-DLC-45: only a RayJob has a dashboard, and nobody is asked for another.
#[tokio::test]
async fn a_job_without_a_dashboard_has_no_link() {
    use crate::harness::world::PRETRAIN;
    let flags = ["--region", REGION, "--approve", DASHBOARD, "--approve", RAY_DASHBOARD];
    let session = Session::start(Home::new(), Era::Initialize, &flags, Human::absent()).await;
    for tool in [DASHBOARD, RAY_DASHBOARD] {
        let refusal = session.refused("dashboard-of-ray-job", tool, job_id(PRETRAIN)).await;
        let message = refusal["violations"][0]["message"].as_str().unwrap();
        assert_eq!(message, "only a RayJob has a dashboard; this job is a PyTorchJob");
    }
    let calls = session.home.calls();
    assert_eq!(calls, ["ListProducts", "GetJob", "GetJob"]);
}

/// A dashboard is shared with a token of its own job, by its handle, in the session that got it.
#[tokio::test]
async fn a_handle_is_good_for_its_job_in_its_session() {
    let flags = ["--region", REGION, "--approve", TOKEN, "--approve", DASHBOARD];
    let first = Session::start(Home::new(), Era::Initialize, &flags, Human::absent()).await;
    let handle = first.call(TOKEN, token_of("job", TUNE)).await.unwrap()["Token"].clone();
    let other = first.call(TOKEN, token_of("tensorboard", OWN_BOARD)).await.unwrap()["Token"].clone();
    assert!(
        first.call(DASHBOARD, shared(&handle)).await.unwrap()["url"].as_str().unwrap().contains("?token=")
    );
    let refused = first.call(DASHBOARD, shared(&other)).await.unwrap_err();
    assert_eq!(refused["cloud"]["code"], "InvalidParameter.token");
    let home = first.end().await;
    let second = Session::start(home, Era::Initialize, &flags, Human::absent()).await;
    let before = second.home.count("GetDashboard");
    second.refused("request", DASHBOARD, shared(&handle)).await;
    assert_eq!(second.home.count("GetDashboard"), before);
}
