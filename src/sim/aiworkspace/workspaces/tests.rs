use super::*;
use crate::sim::Simulator;
use crate::sim::faults::Faults;
use crate::sim::testkit::{AT, Call, WORKSPACE, code, simulator, workspace_id};
use crate::sim::world::World;
use jiff::SignedDuration;

fn list(simulator: &Simulator, query: &str) -> (u16, Value) {
    Call::get(WORKSPACE, &format!("/api/v1/workspaces{query}"), "ListWorkspaces").send(simulator)
}

fn names(query: &str) -> Vec<String> {
    let (status, body) = list(&simulator(), query);
    assert_eq!(status, 200, "{body}");
    let rows = body["Workspaces"].as_array().unwrap();
    rows.iter().map(|row| row["WorkspaceName"].as_str().unwrap().to_owned()).collect()
}

fn get(simulator: &Simulator, id: &str, query: &str) -> (u16, Value) {
    Call::get(WORKSPACE, &format!("/api/v1/workspaces/{id}{query}"), "GetWorkspace").send(simulator)
}

fn create(simulator: &Simulator, body: &Value) -> (u16, Value) {
    Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", body).send(simulator)
}

fn wish() -> Value {
    json!({"WorkspaceName": "new_team", "Description": "A new team", "EnvTypes": ["prod", "dev"]})
}

/// R-WS-90: a row holds its creator and administrators, asked for or not.
#[test]
fn a_row_holds_every_field() {
    let (_, body) = list(&simulator(), &format!("?WorkspaceIds={}", workspace_id("vision_train")));
    let row = json!({
        "WorkspaceId": workspace_id("vision_train"),
        "WorkspaceName": "vision_train",
        "DisplayName": "Vision training",
        "Description": "Image models of the vision team",
        "EnvTypes": ["dev", "prod"],
        "Status": "ENABLED",
        "IsDefault": false,
        "Creator": "203918475562018833",
        "GmtCreateTime": "2025-03-07T00:00:00Z",
        "GmtModifiedTime": "2025-05-21T00:00:00Z",
        "ExtraInfos": {"CostCenter": "ml-platform", "ContactEmail": "zhao.min-canary-e2@acme-train.example"},
        "AdminNames": ["admin.li-canary-51@acme-train.example", "ops.wang-canary-88@acme-train.example"],
        "resourceGroupId": "rg-acfmxjq2e7r3kby",
    });
    assert_eq!((&body["TotalCount"], &body["Workspaces"]), (&json!(1), &json!([row])));
}

/// R-WS-78, R-WS-80, R-WS-81, R-WS-82, R-WS-83
#[test]
fn filters_sorting_and_pages() {
    assert_eq!(names("?WorkspaceName=VISION"), ["vision_train", "vision_train_eval"]);
    assert_eq!(names("?Status=FROZEN"), ["recsys_archive"]);
    assert_eq!(names("?SortBy=GmtCreateTime&Order=DESC&PageSize=2"), ["nlp_lab", "payroll_forecast"]);
    assert_eq!(names("?PageSize=4&PageNumber=2"), ["payroll_forecast", "nlp_lab"]);
    assert_eq!(names("?ModuleList=MaxCompute"), Vec::<String>::new());
    let ids = format!("?WorkspaceIds={},1,{}", workspace_id("nlp_lab"), workspace_id("vision_train"));
    assert_eq!(names(&ids), ["vision_train", "nlp_lab"]);
    let (_, body) = list(&simulator(), "?Fields=Id&WorkspaceName=nlp");
    assert_eq!(body["Workspaces"], json!([{"WorkspaceId": workspace_id("nlp_lab")}]));
}

/// R-WS-89
#[test]
fn enums_are_case_sensitive() {
    for (query, expected) in [
        ("?Status=enabled", "InvalidParameter.Status"),
        ("?Order=desc", "InvalidParameter.Order"),
        ("?SortBy=gmtCreateTime", "InvalidParameter.SortBy"),
        ("?Option=checkWorkspaceExists", "InvalidParameter.Option"),
        ("?PageNumber=0", "InvalidParameter.PageNumber"),
        ("?Verbose=yes", "InvalidParameter.Verbose"),
    ] {
        assert_eq!(code(list(&simulator(), query)), (400, expected.to_owned()), "{query}");
    }
}

/// R-WS-59, R-WS-60, R-WS-85: the check matches whole names and answers nothing but the name.
#[test]
fn the_existence_check_answers_only_the_name() {
    let check = |name: &str| {
        let (_, body) = list(&simulator(), &format!("?Option=CheckWorkspaceExists&WorkspaceName={name}"));
        (body["TotalCount"].clone(), body["Workspaces"].clone())
    };
    assert_eq!(check("vision_train"), (json!(1), json!([{"WorkspaceName": "vision_train"}])));
    assert_eq!(check("vision"), (json!(0), json!([])));
    let nameless = list(&simulator(), "?Option=CheckWorkspaceExists");
    assert_eq!(code(nameless), (400, "MissingParameter.WorkspaceName".to_owned()));
}

/// R-WS-84
#[test]
fn resource_limits_come_instead_of_workspaces() {
    let (_, body) = list(&simulator(), "?Option=GetResourceLimits");
    assert_eq!(body["ResourceLimits"], json!({"Workspace": {"Limit": 50, "Used": 6}}));
    assert_eq!(body.get("Workspaces"), None);
}

#[test]
fn owner_and_administrators_need_verbose() {
    let simulator = simulator();
    let id = workspace_id("vision_train");
    let (_, plain) = get(&simulator, &id, "");
    assert_eq!((plain.get("Owner"), plain.get("AdminNames")), (None, None));
    assert_eq!(
        (&plain["Creator"], &plain["ResourceGroupId"]),
        (&json!("203918475562018833"), &json!("rg-acfmxjq2e7r3kby"))
    );
    let (_, verbose) = get(&simulator, &id, "?Verbose=true");
    let owner = json!({
        "UserId": "1095312831785714",
        "UserKp": "1755049830261894",
        "UserName": "zhangwei-canary-7f3a",
        "DisplayName": "张伟-canary-c41d",
    });
    assert_eq!(verbose["Owner"], owner);
    assert_eq!(verbose["AdminNames"].as_array().unwrap().len(), 2);
}

/// R-WS-74
#[test]
fn an_unknown_workspace_is_404_and_a_closed_one_403() {
    let (status, body) = get(&simulator(), "999", "");
    assert_eq!(
        (status, &body["Code"], &body["Message"]),
        (404, &json!("100400027"), &json!("Workspace not exists"))
    );
    let (status, body) = get(&simulator(), &workspace_id("payroll_forecast"), "?Verbose=true");
    let detail = json!({
        "AuthAction": "paiworkspace:GetWorkspace",
        "AuthPrincipalDisplayName": "sun.hao-canary-ram-4d60",
        "AuthPrincipalOwnerId": "1460933751288497",
        "AuthPrincipalType": "SubUser",
        "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccountLevelIdentityBasedPolicy",
        "EncodedDiagnosticMessage": "AQEAAAAAZ2NhbmFyeS1kaWFnbm9zdGljLTljMmY",
    });
    assert_eq!((status, &body["Code"], &body["AccessDeniedDetail"]), (403, &json!("Forbidden.RAM"), &detail));
}

/// R-WS-68, R-WS-92: a new workspace initializes for 5 s and is then enabled.
#[test]
fn a_created_workspace_becomes_enabled() {
    let simulator = simulator();
    let (status, body) = create(&simulator, &wish());
    assert_eq!(status, 200, "{body}");
    let path = format!("/api/v1/workspaces/{}", body["WorkspaceId"].as_str().unwrap());
    let read = |seconds| {
        let at = AT + SignedDuration::from_secs(seconds);
        Call::get(WORKSPACE, &path, "GetWorkspace").at(at).send(&simulator).1
    };
    assert_eq!((&read(4)["Status"], &read(5)["Status"]), (&json!("INITIALIZING"), &json!("ENABLED")));
    let found = read(5);
    assert_eq!(
        (&found["DisplayName"], &found["EnvTypes"], &found["Creator"], &found["ResourceGroupId"]),
        (
            &json!("new_team"),
            &json!(["dev", "prod"]),
            &json!("204771836620915547"),
            &json!("rg-acfmxjq2e7r3kby")
        )
    );
}

/// R-WS-34, R-WS-36, R-WS-37, R-WS-52
#[test]
fn a_malformed_wish_creates_nothing() {
    let simulator = simulator();
    let before = simulator.state().unwrap();
    for (field, value, expected) in [
        ("WorkspaceName", json!("new-team"), "InvalidParameter.WorkspaceName"),
        ("WorkspaceName", json!("ab"), "InvalidParameter.WorkspaceName"),
        ("WorkspaceName", json!("1abc"), "InvalidParameter.WorkspaceName"),
        ("WorkspaceName", json!("工作空间"), "InvalidParameter.WorkspaceName"),
        ("WorkspaceName", json!("a".repeat(24)), "InvalidParameter.WorkspaceName"),
        ("WorkspaceName", Value::Null, "MissingParameter.WorkspaceName"),
        ("Description", json!("空".repeat(81)), "InvalidParameter.Description"),
        ("Description", json!(""), "MissingParameter.Description"),
        ("EnvTypes", json!(["dev"]), "InvalidParameter.EnvTypes"),
        ("EnvTypes", json!(["prod", "prod"]), "InvalidParameter.EnvTypes"),
        ("EnvTypes", json!(["prod", 1]), "InvalidParameter.EnvTypes"),
        ("EnvTypes", json!("prod"), "InvalidParameter.EnvTypes"),
        ("EnvTypes", json!([]), "MissingParameter.EnvTypes"),
    ] {
        let mut body = wish();
        body[field] = value;
        assert_eq!(code(create(&simulator, &body)), (400, expected.to_owned()), "{body}");
    }
    let mut longest = wish();
    longest["Description"] = json!("空".repeat(80));
    assert_eq!(simulator.state().unwrap(), before);
    assert_eq!(create(&simulator, &longest).0, 200);
}

/// R-WS-35: a name is unique within its region only.
#[test]
fn a_name_is_taken_in_its_own_region_only() {
    let simulator = simulator();
    assert_eq!(create(&simulator, &wish()).0, 200);
    assert_eq!(code(create(&simulator, &wish())), (409, "WorkspaceNameAlreadyExists".to_owned()));
    let post = |host| Call::post(host, "/api/v1/workspaces", "CreateWorkspace", &wish()).send(&simulator);
    assert_eq!(post("aiworkspace.cn-shanghai.aliyuncs.com").0, 200);
    let inactive = post("aiworkspace.cn-beijing.aliyuncs.com");
    assert_eq!(code(inactive), (400, "ServiceNotActivated".to_owned()));
}

#[test]
fn a_region_holds_fifty_workspaces() {
    let simulator = simulator();
    let mut body = wish();
    for number in 6..50 {
        body["WorkspaceName"] = json!(format!("team_{number}"));
        assert_eq!(create(&simulator, &body).0, 200);
    }
    assert_eq!(code(create(&simulator, &wish())), (400, "WorkspaceLimitExceeded".to_owned()));
}

/// R-WS-64: the rival's workspace is there, with the same or another configuration.
#[test]
fn a_scripted_name_race_is_lost() {
    for (same, description) in [(true, "A new team"), (false, "Claimed by another team")] {
        let faults = json!([
            {"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race", "same": same},
        ]);
        let simulator = Simulator::new(World::seeded(1), Faults::parse(&faults.to_string()).unwrap());
        assert_eq!(code(create(&simulator, &wish())), (409, "WorkspaceNameAlreadyExists".to_owned()));
        let (_, found) = list(&simulator, "?WorkspaceName=new_team");
        let row = &found["Workspaces"][0];
        assert_eq!(
            (&row["Description"], &row["Creator"]),
            (&json!(description), &json!("206350718294416672"))
        );
    }
}
