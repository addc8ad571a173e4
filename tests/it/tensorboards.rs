//! TensorBoards from their creation to their end, through the whole program.

use serde_json::{Value, json};

use crate::harness::human::Human;
use crate::harness::world::{
    GET_TENSORBOARD as GET, LIST_TENSORBOARDS as LIST, LIST_WORKSPACES, OWN_BOARD, PAYROLL, PRETRAIN, REGION,
    VISION, here,
};
use crate::harness::{ERAS, Era, Home, Session, paths};

const CREATE: &str = "dlc_create_tensorboard";
const START: &str = "dlc_start_tensorboard";
const STOP: &str = "dlc_stop_tensorboard";
const UPDATE: &str = "dlc_update_tensorboard";

/// A server whose operator approved all that can be approved as a whole.
async fn approved(flags: &[&str]) -> Session {
    let approved = ["--region", REGION, "--approve", "create", "--approve", "act", "--approve", "update"];
    Session::start(Home::new(), Era::Initialize, &[&approved, flags].concat(), Human::absent()).await
}

fn of_job() -> Value {
    json!({ "RegionId": REGION, "JobId": PRETRAIN, "DisplayName": "board", "MaxRunningTimeMinutes": 1 })
}

fn board(id: &Value) -> Value {
    json!({ "RegionId": REGION, "TensorboardId": id })
}

/// R-DLC-16, R-DLC-41: made of a job, seen, changed, stopped and started again, each with a yes of its own.
#[tokio::test]
async fn a_tensorboard_lives_as_it_is_told() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &["--clock-step", "10s"], Human::agreeable()).await;
        let created = session.call(CREATE, of_job()).await.unwrap();
        let id = &created["TensorboardId"];
        assert_eq!(created["JobId"], PRETRAIN);
        let running = session.call(GET, board(id)).await.unwrap();
        let url =
            format!("https://pai-dlc-proxy-cn-hangzhou.aliyun.com/tensorboard/{}/", id.as_str().unwrap());
        let shown = ["Status", "TensorboardUrl", "Accessibility", "WorkspaceId"].map(|name| &running[name]);
        assert_eq!(shown, [&json!("Running"), &json!(url), &json!("PRIVATE"), &json!(VISION)]);
        let mut change = board(id);
        change["Accessibility"] = json!("PUBLIC");
        change["Priority"] = json!("9");
        session.call(UPDATE, change).await.unwrap();
        session.call(STOP, board(id)).await.unwrap();
        let stopped = session.call(GET, board(id)).await.unwrap();
        let shown = ["Status", "TensorboardUrl", "Accessibility", "Priority"].map(|name| &stopped[name]);
        assert_eq!(shown, [&json!("Stopped"), &Value::Null, &json!("PUBLIC"), &json!("9")]);
        session.call(START, board(id)).await.unwrap();
        assert_eq!(session.call(GET, board(id)).await.unwrap()["Status"], "Running");
        let fields = session.human.fields();
        assert_eq!(fields, ["region", "approve", "approve", "approve", "approve"], "{era:?}");
        let expected = ["CreateTensorboard", "UpdateTensorboard", "StopTensorboard", "StartTensorboard"];
        let calls = session.home.calls();
        let changes: Vec<&str> =
            calls.iter().map(String::as_str).filter(|call| expected.contains(call)).collect();
        assert_eq!(changes, expected);
    }
}

/// R-DLC-15, R-DLC-41: refused before anybody is asked and before anything is sent.
#[tokio::test]
async fn a_job_and_data_are_not_shown_together() {
    let session = approved(&[]).await;
    let mut both = of_job();
    both["DataSources"] = json!([{ "DataSourceId": "d-1" }]);
    assert_eq!(paths(&session.refused("arguments", CREATE, both).await), ["DataSources"]);
    let mut neither = of_job();
    neither.as_object_mut().unwrap().remove("JobId");
    assert_eq!(paths(&session.refused("arguments", CREATE, neither).await), ["JobId"]);
    assert!(session.home.calls().is_empty());
}

/// R-DLC-30: a workspace that is named comes from a list, and data may be kept anywhere.
#[tokio::test]
async fn data_goes_into_a_listed_workspace() {
    let session = approved(&[]).await;
    let data = |workspace: &str| {
        json!({
            "RegionId": REGION,
            "WorkspaceId": workspace,
            "DisplayName": "board",
            "DataSourceType": "OSS",
            "Uri": "oss://vision-runs.oss-cn-hangzhou.aliyuncs.com/2025/",
        })
    };
    assert_eq!(paths(&session.refused("workspace-from-list", CREATE, data(VISION)).await), ["WorkspaceId"]);
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    let id = session.call(CREATE, data(VISION)).await.unwrap()["TensorboardId"].clone();
    assert_eq!(session.call(GET, board(&id)).await.unwrap()["WorkspaceId"], VISION);
    let denied = session.refused("cloud-permission", CREATE, data(PAYROLL)).await;
    assert!(denied.to_string().contains("paidlc:CreateTensorboard"), "{denied}");
}

/// R-DLC-17: a region is enough for a list; it shows who made what by the first letter alone.
#[tokio::test]
async fn a_list_masks_whose_they_are() {
    let session = approved(&[]).await;
    let own = session.call(LIST, here()).await.unwrap();
    assert_eq!(own["TotalCount"], 2);
    let mut everybody = here();
    everybody["ShowOwn"] = json!(false);
    everybody["detail"] = json!("full");
    let all = session.call(LIST, everybody).await.unwrap();
    let rows = all["Tensorboards"].as_array().unwrap();
    let first = rows.iter().find(|row| row["JobId"] == PRETRAIN).unwrap();
    assert_eq!((&first["Username"], &first["User ID"]), (&json!("l***"), &json!("****8833")));
    assert!(first["TensorboardUrl"].as_str().unwrap().starts_with("https://"), "it lets nobody in by itself");
    assert!(rows.iter().all(|row| row.get("Token").is_none()));
    assert_eq!(own["Tensorboards"][0].get("User ID"), None, "a summary is short");
}

/// A token that somebody shared shows what it shares, and never comes back.
#[tokio::test]
async fn a_token_that_is_given_is_not_given_back() {
    let session = approved(&["--approve", "dlc_get_token"]).await;
    session.call(START, board(&json!(OWN_BOARD))).await.unwrap();
    let target = json!({ "RegionId": REGION, "TargetType": "tensorboard", "TargetId": OWN_BOARD });
    let handle = session.call("dlc_get_token", target).await.unwrap()["Token"].clone();
    let mut get = board(&json!(OWN_BOARD));
    get["Token"] = handle;
    for _ in 0..5 {
        session.call(GET, board(&json!(OWN_BOARD))).await.unwrap();
    }
    let shown = session.call(GET, get).await.unwrap();
    assert_eq!(shown["Status"], "Running");
    assert_eq!((shown.get("Token"), shown.get("TensorboardUrl")), (None, None));
    assert!(!shown.to_string().contains("canary"), "{shown}");
}
