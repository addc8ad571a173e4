//! Workspaces: created once, never where PAI isn't activated, and shown by their masked view.

use serde_json::{Value, json};

use crate::harness::human::Human;
use crate::harness::world::{
    CREATE_WORKSPACE, GET_WORKSPACE, LIST_IMAGES, LIST_PRODUCTS, LIST_WORKSPACES, PAYROLL, REGION, VISION,
    VISION_EVAL, here, workspace,
};
use crate::harness::{ERAS, Era, Home, Session, paths};

const FLAGS: [&str; 4] = ["--region", REGION, "--approve", CREATE_WORKSPACE];

/// A server whose operator approved creations, with these faults.
async fn with_faults(faults: &Value) -> Session {
    let home = Home::new();
    let file = home.write("faults.json", &faults.to_string());
    let flags = [&FLAGS[..], &["--faults", &file]].concat();
    Session::start(home, Era::Initialize, &flags, Human::absent()).await
}

/// R-WS-57, R-WS-58, R-WS-59, R-WS-62, R-WS-65: the same again returns the one that is there.
#[tokio::test]
async fn the_same_workspace_again_is_the_one_that_is_there() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &FLAGS, Human::absent()).await;
        let created = session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
        let again = session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
        assert_eq!(again["Workspace ID"], created["Workspace ID"]);
        assert_eq!(again["Already Existed"], true);
        assert_eq!(again["Existing"]["Workspace Name"], "vision_team");
        assert_eq!(session.home.count("CreateWorkspace"), 1);
        assert_eq!(exists(&session, "vision_team").await, 1);
    }
}

/// How many workspaces have the name, as the cloud has it.
async fn exists(session: &Session, name: &str) -> i64 {
    let check = json!({ "RegionId": REGION, "WorkspaceName": name, "Option": "CheckWorkspaceExists" });
    session.call(LIST_WORKSPACES, check).await.unwrap()["Total Count"].as_i64().unwrap()
}

/// R-WS-35, R-WS-60, R-WS-61, R-WS-63: the name with other settings is refused, and says which differ.
#[tokio::test]
async fn the_name_with_other_settings_is_refused_with_the_differences() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
    let mut other = workspace("vision_team");
    other["Description"] = json!("Something else");
    other["EnvTypes"] = json!(["dev", "prod"]);
    let refusal = session.refused("workspace-created-once", CREATE_WORKSPACE, other).await;
    assert_eq!(paths(&refusal), ["EnvTypes", "Description"]);
    for violation in refusal["violations"].as_array().unwrap() {
        assert!(violation["fix"].as_str().unwrap().contains("another WorkspaceName"), "{violation}");
    }
    assert_eq!(session.home.count("CreateWorkspace"), 1);
}

/// R-WS-61: what wasn't given isn't compared, and the order of environments doesn't count.
#[tokio::test]
async fn the_order_of_environments_is_no_difference() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    let mut wanted = workspace("vision_team");
    wanted["EnvTypes"] = json!(["dev", "prod"]);
    wanted["DisplayName"] = json!("Vision team");
    let created = session.call(CREATE_WORKSPACE, wanted).await.unwrap();
    let mut again = workspace("vision_team");
    again["EnvTypes"] = json!(["prod", "dev"]);
    let again = session.call(CREATE_WORKSPACE, again).await.unwrap();
    assert_eq!(again["Workspace ID"], created["Workspace ID"]);
}

/// R-WS-57: two at once make one, and both get it.
#[tokio::test]
async fn two_at_once_make_one() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &FLAGS, Human::absent()).await;
        let (one, other) = tokio::join!(
            session.call(CREATE_WORKSPACE, workspace("vision_team")),
            session.call(CREATE_WORKSPACE, workspace("vision_team")),
        );
        assert_eq!(one.unwrap()["Workspace ID"], other.unwrap()["Workspace ID"]);
        assert_eq!(session.home.count("CreateWorkspace"), 1);
    }
}

/// R-WS-57: two at once of one name with other settings: one is made, the other is a conflict.
#[tokio::test]
async fn two_at_once_with_other_settings_make_one_and_a_conflict() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    let mut other = workspace("vision_team");
    other["Description"] = json!("Something else");
    let (one, other) = tokio::join!(
        session.call(CREATE_WORKSPACE, workspace("vision_team")),
        session.call(CREATE_WORKSPACE, other),
    );
    let refusal = match (one, other) {
        (Ok(_), Err(refusal)) | (Err(refusal), Ok(_)) => refusal,
        both => panic!("{both:?}"),
    };
    assert_eq!(refusal["rule"], "workspace-created-once");
    assert_eq!(session.home.count("CreateWorkspace"), 1);
}

/// R-WS-64: a race that is lost to the same settings ends with the winner's workspace, and no second POST.
#[tokio::test]
async fn a_race_lost_to_the_same_settings_returns_the_winners() {
    let fault = json!([{ "tool": CREATE_WORKSPACE, "nth": 1, "fault": "name-race", "same": true }]);
    let session = with_faults(&fault).await;
    let body = session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
    assert_eq!(body["Already Existed"], true);
    assert_ne!(body["Workspace ID"], "");
    assert_eq!(session.home.count("CreateWorkspace"), 1);
    assert_eq!(exists(&session, "vision_team").await, 1);
}

/// R-WS-64: a race that is lost to other settings is a conflict.
#[tokio::test]
async fn a_race_lost_to_other_settings_is_a_conflict() {
    let fault = json!([{ "tool": CREATE_WORKSPACE, "nth": 1, "fault": "name-race", "same": false }]);
    let session = with_faults(&fault).await;
    let refusal = session.refused("workspace-created-once", CREATE_WORKSPACE, workspace("vision_team")).await;
    assert_eq!(paths(&refusal), ["Description"]);
    assert_eq!(session.home.count("CreateWorkspace"), 1);
}

/// R-WS-46, R-WS-47, R-WS-48, R-WS-49, R-WS-51: where PAI isn't activated nothing but the check is sent; who may
/// activate it gets the link.
#[tokio::test]
async fn where_pai_is_not_activated_the_link_is_shown_and_nothing_else_is_sent() {
    let flags = ["--region", "cn-beijing", "--approve", "create"];
    let session = Session::start(Home::new(), Era::Initialize, &flags, Human::absent()).await;
    let elsewhere = |mut arguments: Value| {
        arguments["RegionId"] = json!("cn-beijing");
        arguments
    };
    for (tool, arguments) in [
        (LIST_WORKSPACES, here()),
        (GET_WORKSPACE, json!({ "WorkspaceId": VISION })),
        (CREATE_WORKSPACE, workspace("vision_team")),
        (LIST_IMAGES, here()),
        ("dlc_get_job", json!({ "JobId": "dlc1" })),
    ] {
        let refusal = session.refused("pai-activated", tool, elsewhere(arguments)).await;
        assert!(refusal["violations"][0]["fix"].as_str().unwrap().contains("https://"), "{refusal}");
    }
    assert_eq!(session.home.calls(), ["ListProducts"; 5]);
    session.call(LIST_PRODUCTS, json!({ "RegionId": "cn-beijing" })).await.unwrap();
}

/// R-WS-50: who may not activate it is sent to the administrator, without the link.
#[tokio::test]
async fn who_may_not_activate_pai_is_sent_to_the_administrator() {
    let flags = ["--region", "ap-southeast-1"];
    let session = Session::start(Home::new(), Era::Initialize, &flags, Human::absent()).await;
    let list = json!({ "RegionId": "ap-southeast-1" });
    let refusal = session.refused("pai-activated", LIST_WORKSPACES, list).await;
    let fix = refusal["violations"][0]["fix"].as_str().unwrap();
    assert!(fix.contains("administrator") && fix.contains("pai:CreateOrder"), "{fix}");
    assert!(!refusal.to_string().contains("https://"), "{refusal}");
    assert_eq!(session.home.calls(), ["ListProducts"]);
}

/// R-WS-46: the check is made once per region, not per call.
#[tokio::test]
async fn activation_is_checked_once_per_region() {
    let flags = ["--region", REGION, "--region", "cn-shanghai"];
    let session = Session::start(Home::new(), Era::Initialize, &flags, Human::absent()).await;
    for region in [REGION, REGION, "cn-shanghai", REGION, "cn-shanghai"] {
        session.call(LIST_WORKSPACES, json!({ "RegionId": region })).await.unwrap();
    }
    assert_eq!(session.home.count("ListProducts"), 2);
}

/// R-WS-74, R-WS-75, R-WS-76: a workspace that isn't there is named, and nothing else is searched.
#[tokio::test]
async fn a_workspace_that_is_not_there_is_named_and_not_searched_for() {
    let session = Session::agreeable(&["--region", REGION]).await;
    let get = json!({ "RegionId": REGION, "WorkspaceId": "999999", "Verbose": true });
    let refusal = session.refused("cloud-not-found", GET_WORKSPACE, get).await;
    assert_eq!(refusal["error"], "workspace 999999 does not exist in cn-hangzhou");
    assert_eq!((&refusal["cloud"]["status"], &refusal["cloud"]["code"]), (&json!(404), &json!("100400027")));
    assert_ne!(refusal["cloud"]["request_id"], Value::Null);
    assert_eq!(session.home.calls(), ["ListProducts", "GetWorkspace"]);
}

/// R-WS-29: a denied permission is named with all that the tools need.
#[tokio::test]
async fn a_denied_permission_is_named_with_all_that_are_needed() {
    let session = Session::agreeable(&["--region", REGION]).await;
    let get = json!({ "RegionId": REGION, "WorkspaceId": PAYROLL });
    let refusal = session.refused("cloud-permission", GET_WORKSPACE, get).await;
    let fix = refusal["violations"][0]["fix"].as_str().unwrap();
    for permission in ["ListWorkspaces", "GetWorkspace", "CreateWorkspace"] {
        assert!(fix.contains(&format!("paiworkspace:{permission}")), "{fix}");
    }
    assert!(fix.contains("paiimage:ListImages") && fix.contains("wait until"), "{fix}");
}

/// R-WS-10, R-WS-12, R-WS-13, R-WS-23, R-WS-24, R-WS-26: the view of an owner is masked, by names of its own.
#[tokio::test]
async fn an_owner_is_shown_masked_and_by_other_names() {
    let session = Session::agreeable(&["--region", REGION]).await;
    let get = json!({ "RegionId": REGION, "WorkspaceId": VISION, "Verbose": true });
    let shown = session.call(GET_WORKSPACE, get).await.unwrap();
    let owner = json!({ "Username": "z***", "Owner ID": "****5714", "Display Name": "张***" });
    assert_eq!(shown["Owner"], owner);
    let creator = shown["Creator ID"].as_str().unwrap();
    assert!(creator.starts_with("****") && creator.len() == 8, "{creator}");
    for administrator in shown["Administrators"].as_array().unwrap() {
        assert!(administrator.as_str().unwrap().ends_with("***"), "{administrator}");
    }
    for name in ["UserId", "UserKp", "UserName", "AdminNames", "Creator\"", "WorkspaceId"] {
        assert!(!shown.to_string().contains(name), "{name}: {shown}");
    }
}

/// R-WS-15, R-WS-25, R-WS-27, R-WS-73: the creator comes always, the owner only with Verbose.
#[tokio::test]
async fn the_basic_view_has_a_masked_creator_and_no_owner() {
    let session = Session::agreeable(&["--region", REGION]).await;
    let get = json!({ "RegionId": REGION, "WorkspaceId": VISION });
    let shown = session.call(GET_WORKSPACE, get).await.unwrap();
    assert_eq!(shown["Workspace Name"], "vision_train");
    assert_eq!(shown["Environment"], "dev, prod");
    assert!(shown["Creator ID"].as_str().unwrap().starts_with("****"));
    assert_eq!(shown.get("Owner"), None);
    assert_eq!(session.home.record().last().unwrap()["arguments"].get("Verbose"), None);
}

/// R-WS-15, R-WS-90: each row of a list is masked.
#[tokio::test]
async fn each_row_of_a_list_is_masked() {
    let session = Session::agreeable(&["--region", REGION]).await;
    for detail in ["summary", "full"] {
        let list = json!({ "RegionId": REGION, "detail": detail });
        let shown = session.call(LIST_WORKSPACES, list).await.unwrap();
        let rows = shown["Workspaces"].as_array().unwrap();
        assert_eq!(rows.len(), 6);
        for row in rows {
            assert!(row["Creator ID"].as_str().unwrap().starts_with("****"), "{row}");
            assert!(
                row["Administrators"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|name| name.as_str().unwrap().ends_with("***"))
            );
        }
    }
}

/// R-WS-66, R-WS-79, R-WS-86: one id goes to the get, several to one list.
#[tokio::test]
async fn one_id_goes_to_get_and_several_to_one_list() {
    let session = Session::agreeable(&["--region", REGION]).await;
    let list = |ids: &str| json!({ "RegionId": REGION, "WorkspaceIds": ids });
    let refusal = session.refused("arguments", LIST_WORKSPACES, list(VISION)).await;
    assert!(refusal["violations"][0]["fix"].as_str().unwrap().contains(GET_WORKSPACE), "{refusal}");
    let shown = session.call(LIST_WORKSPACES, list(&format!("{VISION},{VISION_EVAL}"))).await.unwrap();
    assert_eq!(shown["Total Count"], 2);
    assert_eq!(session.home.calls(), ["ListProducts", "ListWorkspaces"]);
}

/// R-WS-34, R-WS-36, R-WS-37, R-WS-53, R-WS-54, R-WS-89: what doesn't comply isn't submitted.
#[tokio::test]
async fn what_does_not_comply_is_not_submitted() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    let cases = [
        (
            "WorkspaceName",
            vec![
                json!("ab"),
                json!("1abc"),
                json!("a-b-c"),
                json!("a b c"),
                json!("视觉组"),
                json!("a".repeat(24)),
                json!("abc\n"),
            ],
        ),
        ("Description", vec![json!(""), json!("x".repeat(81)), json!("视".repeat(81))]),
        ("EnvTypes", vec![json!([]), json!(["dev"]), json!(["PROD"]), json!("prod")]),
        ("RegionId", vec![json!("cn-hangzhou.evil.example"), json!("CN-HANGZHOU"), json!(""), json!(null)]),
    ];
    for (field, values) in cases {
        for value in values {
            let mut arguments = workspace("vision_team");
            arguments[field] = value.clone();
            let refusal = session.refused("arguments", CREATE_WORKSPACE, arguments).await;
            let path = refusal["violations"][0]["path"].as_str().unwrap();
            assert!(path.starts_with(field), "{value}: {refusal}");
        }
        let mut without = workspace("vision_team");
        without.as_object_mut().unwrap().remove(field);
        assert_eq!(paths(&session.refused("arguments", CREATE_WORKSPACE, without).await), [field]);
    }
    assert!(session.home.calls().is_empty());
}
