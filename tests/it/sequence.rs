//! What an agent did before counts: against the built program, with the calls that reached the cloud as witness.

use serde_json::{Value, json};

use crate::harness::human::{Human, Says};
use crate::harness::world::{
    CREATE_JOB, GET_JOB_EVENTS, GET_WORKSPACE, LIST_ECS_SPECS, LIST_IMAGES, LIST_WORKSPACES, PAYROLL,
    PRETRAIN, PYTORCH, REGION, VISION, VISION_EVAL, here, images_of, job, job_id,
};
use crate::harness::{ERAS, Era, Home, Session};

const FLAGS: [&str; 2] = ["--region", REGION];

fn get(id: &str) -> Value {
    json!({ "RegionId": REGION, "WorkspaceId": id })
}

fn verbose(id: &str) -> Value {
    json!({ "RegionId": REGION, "WorkspaceId": id, "Verbose": true })
}

fn batch(ids: &[&str]) -> Value {
    json!({ "RegionId": REGION, "WorkspaceIds": ids.join(",") })
}

/// A call that `rule` refuses and that nothing of reaches the cloud.
async fn stays_here(session: &Session, rule: &str, tool: &'static str, arguments: Value) -> Value {
    let before = session.home.calls();
    let refusal = session.refused(rule, tool, arguments).await;
    assert_eq!(session.home.calls(), before, "{refusal}");
    refusal
}

/// R-WS-72: a human may take their time: a yes counts when the calls before lie too far back, and without one the question
/// stays.
#[tokio::test]
async fn a_question_holds_however_long_the_answer_takes() {
    let flags = [&FLAGS[..], &["--clock-step", "40s"]].concat();
    for era in ERAS {
        let session = Session::start(Home::new(), era, &flags, Human::agreeable()).await;
        session.call(GET_WORKSPACE, get(VISION)).await.unwrap();
        session.human.says([Says::Declines, Says::Declines]);
        for _ in 0..2 {
            stays_here(&session, "verbose-decided-first", GET_WORKSPACE, verbose(VISION)).await;
        }
        session.human.says([Says::Accepts(json!({ "approve": true }))]);
        session.call(GET_WORKSPACE, verbose(VISION)).await.unwrap();
        assert_eq!(session.human.asked().len(), 3, "{era:?}");
    }
}

/// R-WS-74, R-WS-75: after a workspace that isn't there a list waits for a human; nobody to ask is a no.
#[tokio::test]
async fn a_list_after_a_miss_waits_for_a_human() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &FLAGS, Human::agreeable()).await;
        session.refused("cloud-not-found", GET_WORKSPACE, get("999999")).await;
        session.human.says([Says::Declines]);
        for list in
            [here(), json!({ "RegionId": REGION, "WorkspaceName": "vision" }), batch(&["999998", "999997"])]
        {
            stays_here(&session, "no-search-after-missing", LIST_WORKSPACES, list).await;
        }
        let asked = session.human.asked();
        assert_eq!(asked.len(), 3);
        assert!(
            asked[0].message.contains("Get a workspace \"999999\": it found nothing of that id"),
            "{asked:?}"
        );
        session.human.says([Says::Yes]);
        session.call(LIST_WORKSPACES, here()).await.unwrap();
        session.call(LIST_WORKSPACES, json!({ "RegionId": REGION, "PageNumber": 2 })).await.unwrap();
        assert_eq!(session.human.fields(), ["approve"], "a yes settles the matter");
        assert_eq!(session.home.count("ListWorkspaces"), 2);
    }
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    session.refused("cloud-not-found", GET_WORKSPACE, get("999999")).await;
    stays_here(&session, "no-search-after-missing", LIST_WORKSPACES, here()).await;
    assert_eq!(session.home.calls(), ["ListProducts", "GetWorkspace"]);
}

/// R-WS-74: one corrected id is a correction, a third is a guess.
#[tokio::test]
async fn guessing_ids_ends_at_the_third() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    session.refused("cloud-not-found", GET_WORKSPACE, get("999999")).await;
    session.refused("cloud-not-found", GET_WORKSPACE, get("999998")).await;
    for guess in ["999997", "999996", VISION] {
        stays_here(&session, "no-guessed-ids", GET_WORKSPACE, get(guess)).await;
    }
    assert_eq!(session.home.count("GetWorkspace"), 2);
}

/// R-WS-77: a corrected id keeps Verbose, and the result says so; what is given counts.
#[tokio::test]
async fn a_corrected_id_keeps_verbose() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    session.refused("cloud-not-found", GET_WORKSPACE, verbose("999999")).await;
    let shown = session.call(GET_WORKSPACE, get(VISION)).await.unwrap();
    assert!(shown["Owner"].is_object(), "{shown}");
    assert!(shown["advice"][0].as_str().unwrap().starts_with("Verbose is as in the call before"), "{shown}");
    let sent = session.home.record().last().unwrap()["arguments"].clone();
    assert_eq!(sent, verbose(VISION));
    session.refused("cloud-not-found", GET_WORKSPACE, verbose("999999")).await;
    let mut basic = get(VISION_EVAL);
    basic["Verbose"] = json!(false);
    assert_eq!(session.call(GET_WORKSPACE, basic).await.unwrap().get("Owner"), None);
}

/// R-WS-79, R-WS-86, R-WS-87, R-WS-88: several workspaces are one call; it is final, and says what isn't there.
#[tokio::test]
async fn several_workspaces_are_one_call_and_it_is_final() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    session.call(GET_WORKSPACE, get(VISION)).await.unwrap();
    session.call(GET_WORKSPACE, get(VISION_EVAL)).await.unwrap();
    let refusal = stays_here(&session, "several-ids-at-once", GET_WORKSPACE, get("123456")).await;
    assert!(refusal["violations"][0]["fix"].as_str().unwrap().contains(LIST_WORKSPACES), "{refusal}");

    let shown = session.call(LIST_WORKSPACES, batch(&[VISION, VISION_EVAL, "456"])).await.unwrap();
    assert_eq!(shown["Not Found"], json!(["456"]));
    for id in [VISION, VISION_EVAL, "456"] {
        stays_here(&session, "batch-is-final", GET_WORKSPACE, get(id)).await;
    }
    assert_eq!(session.home.count("GetWorkspace"), 2);
    let mut paged = batch(&[VISION, VISION_EVAL, "456"]);
    paged["PageSize"] = json!(1);
    let shown = session.call(LIST_WORKSPACES, paged).await.unwrap();
    assert_eq!(shown.get("Not Found"), None);
    assert_eq!(shown["Not On This Page"]["Workspace IDs"].as_array().unwrap().len(), 2);
}

/// R-WS-68, R-WS-72: whether the owner is wanted is decided before the call, not after the basic view.
#[tokio::test]
async fn the_owner_is_decided_on_before_the_call() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    assert_eq!(session.call(GET_WORKSPACE, get(VISION)).await.unwrap()["Ready"], true);
    stays_here(&session, "verbose-decided-first", GET_WORKSPACE, verbose(VISION)).await;
    session.call(GET_WORKSPACE, verbose(VISION_EVAL)).await.unwrap();
    assert_eq!(session.home.count("GetWorkspace"), 2);
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::agreeable()).await;
    session.call(GET_WORKSPACE, get(VISION)).await.unwrap();
    session.call(GET_WORKSPACE, verbose(VISION)).await.unwrap();
    assert_eq!(session.human.fields(), ["approve"]);
}

/// R-WS-29, R-WS-31: what was denied is tried again only once a human says that it is granted.
#[tokio::test]
async fn what_was_denied_waits_for_the_grant() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    session.refused("cloud-permission", GET_WORKSPACE, get(PAYROLL)).await;
    stays_here(&session, "permission-granted-first", GET_WORKSPACE, get(PAYROLL)).await;
    session.call(GET_WORKSPACE, get(VISION)).await.unwrap();
    session.refused("cloud-permission", LIST_IMAGES, images_of(PAYROLL)).await;
    stays_here(&session, "permission-granted-first", LIST_IMAGES, images_of(PAYROLL)).await;

    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::agreeable()).await;
    session.refused("cloud-permission", GET_WORKSPACE, get(PAYROLL)).await;
    session.refused("cloud-permission", GET_WORKSPACE, get(PAYROLL)).await;
    assert_eq!(session.human.fields(), ["approve"]);
    assert_eq!(session.home.count("GetWorkspace"), 2);
}

/// R-DLC-29, R-WS-87: the same list again goes out, with a word about it.
#[tokio::test]
async fn the_same_list_again_is_advised_against() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    assert_eq!(session.call(LIST_IMAGES, here()).await.unwrap().get("advice"), None);
    let again = session.call(LIST_IMAGES, here()).await.unwrap();
    assert!(again["advice"][0].as_str().unwrap().starts_with("the same was asked"), "{again}");
    let rules = session.home.record().last().unwrap()["rules"].clone();
    let advised = |rule: &&Value| rule["id"] == "discovered-once" && rule["result"] == "advised";
    assert!(rules.as_array().unwrap().iter().any(|rule| advised(&rule)), "{rules}");
}

/// R-DLC-40: a machine type that nobody listed is warned of, to the human before and to the agent after.
#[tokio::test]
async fn a_machine_type_that_nobody_listed_is_warned_of() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::agreeable()).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    let made = session.call(CREATE_JOB, job(VISION, PYTORCH)).await.unwrap();
    let warning = "JobSpecs[0].EcsSpec didn't come from dlc_list_ecs_specs in this region";
    assert!(made["advice"][0].as_str().unwrap().starts_with(warning), "{made}");
    assert!(session.human.asked()[0].message.contains(warning));
    session.call(LIST_ECS_SPECS, here()).await.unwrap();
    let mut other = job(VISION, PYTORCH);
    other["DisplayName"] = json!("another");
    assert_eq!(session.call(CREATE_JOB, other).await.unwrap().get("advice"), None);
    assert!(!session.human.asked()[0].message.contains(warning));
}

/// R-DLC-48: without a start, the events' window is told.
#[tokio::test]
async fn the_window_of_events_is_told() {
    let session = Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await;
    let shown = session.call(GET_JOB_EVENTS, job_id(PRETRAIN)).await.unwrap();
    assert!(shown["window"].as_str().unwrap().contains("last 7 days"), "{shown}");
}
