//! What a workspace that was just made is like.

use serde_json::{Value, json};

use crate::harness::human::Human;
use crate::harness::world::{CREATE_WORKSPACE, GET_WORKSPACE, LIST_WORKSPACES, REGION, workspace};
use crate::harness::{Era, Home, Session};

const FLAGS: [&str; 4] = ["--region", REGION, "--approve", CREATE_WORKSPACE];

/// R-WS-55: whatever a shell would need quotes for arrives as it is.
#[tokio::test]
async fn a_description_arrives_to_the_letter() {
    let home = Home::new();
    let state = home.file("world.json").to_str().unwrap().to_owned();
    let flags = [&FLAGS[..], &["--state-out", &state]].concat();
    let session = Session::start(home, Era::Initialize, &flags, Human::absent()).await;
    let description = "quotes ' \" ` $HOME \\n & | ; > < * ? {} [] () # ! ~ 视觉 é 🚀\ttab\nline";
    let mut wanted = workspace("vision_team");
    wanted["Description"] = json!(description);
    session.call(CREATE_WORKSPACE, wanted.clone()).await.unwrap();
    // What the cloud has is what was given, so the same again is the same workspace.
    let again = session.call(CREATE_WORKSPACE, wanted).await.unwrap();
    assert_eq!(again["Already Existed"], true);
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&state).unwrap()).unwrap();
    let mut texts = Vec::new();
    each_text(&kept, &mut |text| texts.push(text.to_owned()));
    assert!(texts.iter().any(|text| text == description), "it isn't in the world's state");
}

/// R-WS-78: a name in a list's filter is a part of names, whatever their case.
#[tokio::test]
async fn a_list_is_filtered_by_a_part_of_names() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    let list = json!({ "RegionId": REGION, "WorkspaceName": "vision" });
    let listed = session.call(LIST_WORKSPACES, list).await.unwrap();
    let rows = listed["Workspaces"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["Workspace Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["vision_train", "vision_train_eval"]);
    let tools = session.client.list_all_tools().await.unwrap();
    let list = tools.iter().find(|tool| tool.name == LIST_WORKSPACES).unwrap();
    let said = &list.input_schema["properties"]["WorkspaceName"]["description"];
    assert_eq!(said, "Matches parts of names.");
}

fn each_text(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| each_text(field, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// R-WS-65, R-WS-92: a workspace that was made has an id, and is looked at until it is ENABLED; one that failed says so.
#[tokio::test]
async fn a_new_workspace_is_looked_at_until_it_is_enabled() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    let created = session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
    let id = created["Workspace ID"].as_str().unwrap();
    assert_ne!(id, "");
    let tools = session.client.list_all_tools().await.unwrap();
    let described =
        tools.iter().find(|tool| tool.name == CREATE_WORKSPACE).unwrap().description.clone().unwrap();
    assert!(described.contains("aiworkspace_get_workspace") && described.contains("ENABLED"), "{described}");

    let status = async |id: &str| {
        let get = json!({ "RegionId": REGION, "WorkspaceId": id });
        session.call(GET_WORKSPACE, get).await.unwrap()["Status"].as_str().unwrap().to_owned()
    };
    // Five seconds of the logical clock, a second a step.
    let mut seen = Vec::new();
    for _ in 0..10 {
        seen.push(status(id).await);
    }
    seen.dedup();
    assert_eq!(seen, ["INITIALIZING", "ENABLED"]);

    let shanghai =
        Session::start(Home::new(), Era::Initialize, &["--region", "cn-shanghai"], Human::absent()).await;
    let get = json!({ "RegionId": "cn-shanghai", "WorkspaceId": "827540" });
    assert_eq!(shanghai.call(GET_WORKSPACE, get).await.unwrap()["Status"], "FAILURE");
}
