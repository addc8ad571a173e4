//! Attacks 10, 11, 12 and 17: what is asked for twice, two ways at once, or after a no.

use serde_json::{Value, json};

use super::{Arena, GENEROUS};
use crate::harness::human::Human;
use crate::harness::world::{
    CREATE_JOB, CREATE_TEMPLATE, CREATE_WORKSPACE, DETECTOR, LIST_WORKSPACES, REGION, TRAIN_TEMPLATE,
    UPDATE_TEMPLATE, VISION, here, job, template_id, workspace,
};
use crate::harness::{ERAS, Era, Home, paths};

/// How many workspaces have the name, as the cloud's own state has it.
fn named(arena: &Arena, name: &str) -> usize {
    let world: Value = serde_json::from_slice(&arena.seen().world).unwrap();
    world["regions"][REGION]["workspaces"].to_string().matches(&format!("\"name\":\"{name}\"")).count()
}

/// R-WS-57, R-WS-58, R-WS-63: attack 10: two creates at once, the same again, and the same name with other settings make
/// exactly one workspace.
#[tokio::test]
async fn the_same_created_twice() {
    for era in ERAS {
        let arena = Arena::new(era, &GENEROUS, Human::agreeable()).await;
        let (one, other) = tokio::join!(
            arena.session.call(CREATE_WORKSPACE, workspace("vision_team")),
            arena.session.call(CREATE_WORKSPACE, workspace("vision_team")),
        );
        let id = one.unwrap()["Workspace ID"].clone();
        assert_eq!(other.unwrap()["Workspace ID"], id);
        let again = arena.session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
        assert_eq!((&again["Workspace ID"], &again["Already Existed"]), (&id, &json!(true)));
        let mut different = workspace("vision_team");
        different["EnvTypes"] = json!(["dev", "prod"]);
        let refusal = arena.crossed_nothing("workspace-created-once", CREATE_WORKSPACE, different).await;
        assert_eq!(paths(&refusal), ["EnvTypes"]);
        assert_eq!(
            (arena.seen().writes, named(&arena, "vision_team")),
            (vec!["CreateWorkspace".to_owned()], 1)
        );
    }
}

/// R-WS-57, R-WS-65: attack 10: the cloud does it and its answer gets lost: it is looked for, never sent again, and asked
/// for once more it is the one that is there.
#[tokio::test]
async fn the_same_after_a_lost_answer() {
    let home = Home::new();
    let faults = json!([
        { "tool": CREATE_WORKSPACE, "nth": 1, "fault": "timeout-after-commit" },
        { "tool": CREATE_JOB, "nth": 1, "fault": "lost-reply" },
    ]);
    let faults = home.write("faults.json", &faults.to_string());
    let flags = [&GENEROUS[..], &["--faults", &faults]].concat();
    let arena = Arena::at(home, Era::Initialize, &flags, Human::absent()).await;
    arena.list().await;
    let lost = arena.session.call(CREATE_WORKSPACE, workspace("vision_team")).await;
    assert_eq!(named(&arena, "vision_team"), 1, "{lost:?}");
    let again = arena.session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
    assert_eq!(again["Already Existed"], true);
    // A job has no name of its own: whether the same again is meant, only a human can say.
    let lost = arena.session.refused("cloud-lost-answer", CREATE_JOB, job(VISION, DETECTOR)).await;
    assert_eq!(lost["retryable"], false);
    arena.crossed_nothing("arguments-confirmed", CREATE_JOB, job(VISION, DETECTOR)).await;
    assert_eq!(arena.seen().writes, ["CreateWorkspace", "CreateJob"]);
    assert_eq!(named(&arena, "vision_team"), 1);
}

/// R-DLC-20, R-DLC-21: attack 11: machines chosen in two ways by one role, in none, or by something empty. Two roles may
/// choose differently.
#[tokio::test]
async fn machines_chosen_in_two_ways() {
    let arena = Arena::listed(&[]).await;
    let with = |change: fn(&mut Value)| {
        let mut arguments = job(VISION, DETECTOR);
        change(&mut arguments["JobSpecs"][0]);
        arguments
    };
    let changes: [fn(&mut Value); 6] = [
        |spec| spec["ResourceConfig"] = json!({ "CPU": "4", "Memory": "16Gi" }),
        |spec| spec["ResourceConfig"] = json!({}),
        |spec| spec["ResourceConfig"] = Value::Null,
        |spec| spec["EcsSpec"] = json!(""),
        |spec| spec["EcsSpec"] = Value::Null,
        |spec| drop(spec.as_object_mut().unwrap().remove("EcsSpec")),
    ];
    for change in changes {
        arena.crossed_nothing("arguments", CREATE_JOB, with(change)).await;
    }
    let mut split = job(VISION, DETECTOR);
    let mut second = split["JobSpecs"][0].clone();
    second.as_object_mut().unwrap().remove("EcsSpec");
    second["Type"] = json!("Master");
    second["ResourceConfig"] = json!({ "CPU": "4", "Memory": "16Gi" });
    split["JobSpecs"].as_array_mut().unwrap().push(second);
    split["ResourceId"] = json!("quota-1");
    arena.session.call(CREATE_JOB, split).await.unwrap();
    assert_eq!(arena.seen().writes, ["CreateJob"]);
}

/// R-DLC-73, R-DLC-74: attack 12: constraints without content, about what isn't there, or of no known kind.
#[tokio::test]
async fn constraints_that_constrain_nothing() {
    let arena = Arena::listed(&[]).await;
    let whole = job(VISION, DETECTOR);
    let content =
        json!({ "JobType": whole["JobType"], "JobSpecs": whole["JobSpecs"], "UserCommand": "sleep 30" });
    let mut alone = template_id(TRAIN_TEMPLATE);
    alone["Constraints"] = json!({ "UserCommand": "locked" });
    arena.crossed_nothing("arguments", UPDATE_TEMPLATE, alone).await;
    for constraints in [
        json!({ "JobSpecs[99].Image": "locked" }),
        json!({ "UserCommand": "fixed" }),
        json!({ "UserCommand": "LOCKED" }),
        json!({ "NoSuchField": "locked" }),
        json!({ "UserCommand": true }),
    ] {
        let create = json!({
            "RegionId": REGION, "WorkspaceId": VISION, "TemplateName": "mine",
            "Content": content, "Constraints": constraints,
        });
        arena.crossed_nothing("arguments", CREATE_TEMPLATE, create).await;
        let mut update = template_id(TRAIN_TEMPLATE);
        update["Content"] = content.clone();
        update["Constraints"] = constraints;
        arena.crossed_nothing("arguments", UPDATE_TEMPLATE, update).await;
    }
}

/// R-WS-74, R-WS-75: attack 17: after a workspace that isn't there, no list is made to hunt for it unless the user wants
/// that.
#[tokio::test]
async fn hunting_for_what_was_not_found() {
    let get = json!({ "RegionId": REGION, "WorkspaceId": "999999" });
    let arena = Arena::new(Era::Initialize, &["--region", REGION], Human::absent()).await;
    let refusal = arena.crossed_nothing("cloud-not-found", "aiworkspace_get_workspace", get.clone()).await;
    assert!(refusal["error"].as_str().unwrap().contains("999999"), "{refusal}");
    for hunt in [
        here(),
        json!({ "RegionId": REGION, "WorkspaceName": "vision" }),
        json!({ "RegionId": REGION, "WorkspaceIds": "999999,999998" }),
    ] {
        let before = arena.session.home.calls();
        let refusal = arena.session.call(LIST_WORKSPACES, hunt).await.expect_err("a refusal");
        assert_eq!(arena.session.home.calls(), before, "{refusal}");
    }
    let arena = Arena::new(Era::Initialize, &["--region", REGION], Human::agreeable()).await;
    arena.session.call("aiworkspace_get_workspace", get).await.expect_err("not found");
    arena.session.call(LIST_WORKSPACES, here()).await.unwrap();
    assert_eq!(arena.session.human.fields(), ["approve"]);
    assert_eq!(arena.session.home.count("ListWorkspaces"), 1);
}
