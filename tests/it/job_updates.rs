//! Changing jobs: after a yes, with listed images only, and with no more promised than the service does.

use serde_json::{Value, json};

use crate::harness::human::{Human, Says};
use crate::harness::world::{
    CREATE_JOB, DETECTOR, GET_JOB, LIST_IMAGES, LIST_WORKSPACES, PRETRAIN, PYTORCH, REGION, UPDATE_JOB,
    VISION, here, images_of, job, job_id,
};
use crate::harness::{ERAS, Era, Home, Session, paths};

fn update(id: &str, change: &Value) -> Value {
    let mut arguments = job_id(id);
    arguments.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    arguments
}

/// A server whose operator approved creations and updates, and that listed workspaces and images.
async fn approved() -> Session {
    let flags = ["--region", REGION, "--approve", "create", "--approve", UPDATE_JOB];
    let session = Session::start(Home::new(), Era::Initialize, &flags, Human::absent()).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    session.call(LIST_IMAGES, images_of(VISION)).await.unwrap();
    session
}

async fn submitted(session: &Session, change: &Value) -> String {
    let mut arguments = job(VISION, DETECTOR);
    arguments.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    if arguments["ResourceId"].is_string() {
        let role = arguments["JobSpecs"][0].as_object_mut().unwrap();
        role.remove("EcsSpec");
        role.insert("ResourceConfig".to_owned(), json!({ "CPU": "4", "Memory": "16Gi" }));
    }
    let created = session.call(CREATE_JOB, arguments).await.unwrap();
    created["JobId"].as_str().unwrap().to_owned()
}

/// A job changes after a yes to exactly that; the question says what can't be taken back, and the result what shows.
#[tokio::test]
async fn a_job_changes_only_after_a_yes() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &["--region", REGION], Human::agreeable()).await;
        let change = update(PRETRAIN, &json!({ "Accessibility": "PUBLIC", "Description": "nightly" }));
        for says in [Says::Declines, Says::Cancels, Says::Accepts(json!({ "approve": false }))] {
            session.human.says([says]);
            session.refused("arguments-confirmed", UPDATE_JOB, change.clone()).await;
        }
        let asked = session.human.asked();
        assert_eq!(asked.len(), 3);
        for said in ["Change: Change a training job", PRETRAIN, "nightly", "can only be widened"] {
            assert!(asked[0].message.contains(said), "{}", asked[0].message);
        }
        assert_eq!(session.home.count("UpdateJob"), 0);

        session.human.says([Says::Yes]);
        let updated = session.call(UPDATE_JOB, change).await.unwrap();
        assert_eq!((&updated["JobId"], &updated["applied"]), (&json!(PRETRAIN), &json!(true)));
        assert_eq!(session.home.count("UpdateJob"), 1);
        let job = session.call(GET_JOB, job_id(PRETRAIN)).await.unwrap();
        assert_eq!((&job["Accessibility"], &job["Description"]), (&json!("PUBLIC"), &json!("nightly")));
    }
}

/// Without anybody to ask, nothing changes, and no argument is a yes.
#[tokio::test]
async fn nothing_changes_where_nobody_can_be_asked() {
    let session = Session::start(Home::new(), Era::Initialize, &["--region", REGION], Human::absent()).await;
    let change = update(PRETRAIN, &json!({ "Description": "nightly" }));
    let refusal = session.refused("arguments-confirmed", UPDATE_JOB, change).await;
    assert!(refusal.to_string().contains("--approve dlc_update_job"), "{refusal}");
    let forged = update(PRETRAIN, &json!({ "Description": "nightly", "approve": true }));
    session.refused("arguments", UPDATE_JOB, forged).await;
    assert_eq!(session.home.count("UpdateJob"), 0);
}

/// R-DLC-24: no place of a changed role takes an image that no list has, and finding that out takes no call.
#[tokio::test]
async fn an_update_brings_no_unlisted_image() {
    let session = approved().await;
    let id = submitted(&session, &json!({})).await;
    let before = session.home.calls();
    let image = "evil.example/miner:latest";
    let role = |image: &str, more: Value| {
        let mut role = job(VISION, image)["JobSpecs"][0].clone();
        role.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        role
    };
    let container = json!([{ "Name": "extra", "Image": image }]);
    for (path, roles) in [
        ("JobSpecs[0].Image", json!([role(image, json!({}))])),
        ("JobSpecs[1].Image", json!([role(PYTORCH, json!({})), role(image, json!({}))])),
        (
            "JobSpecs[0].ExtraPodSpec.InitContainers[0].Image",
            json!([role(PYTORCH, json!({ "ExtraPodSpec": { "InitContainers": container } }))]),
        ),
        (
            "JobSpecs[0].ExtraPodSpec.SideCarContainers[0].Image",
            json!([role(PYTORCH, json!({ "ExtraPodSpec": { "SideCarContainers": container } }))]),
        ),
    ] {
        let change = update(&id, &json!({ "JobSpecs": roles }));
        assert_eq!(paths(&session.refused("image-from-list", UPDATE_JOB, change).await), [path]);
    }
    let registry = json!({ "ImageConfig": { "DockerRegistry": "evil.example" } });
    let change = update(&id, &json!({ "JobSpecs": [role(PYTORCH, registry)] }));
    let refusal = session.refused("arguments", UPDATE_JOB, change).await;
    assert_eq!(paths(&refusal), ["JobSpecs[0].ImageConfig.DockerRegistry"]);
    assert_eq!(session.home.calls(), before);

    let change = update(&id, &json!({ "JobSpecs": [role(PYTORCH, json!({ "PodCount": 3 }))] }));
    session.call(UPDATE_JOB, change).await.unwrap();
    let changed = session.call(GET_JOB, job_id(&id)).await.unwrap();
    let role = &changed["JobSpecs"][0];
    assert_eq!((&role["Image"], &role["PodCount"]), (&json!(PYTORCH), &json!(3)));
}

/// R-DLC-20, R-DLC-49: an update has something to change, and only what can be changed.
#[tokio::test]
async fn only_what_can_be_changed_is_sent() {
    let session = approved().await;
    let mut both = job(VISION, PYTORCH)["JobSpecs"][0].clone();
    both["ResourceConfig"] = json!({ "CPU": "4" });
    for (change, path) in [
        (json!({}), "JobId"),
        (json!({ "DisplayName": "other" }), "DisplayName"),
        (json!({ "Priority": 10 }), "Priority"),
        (json!({ "JobSpecs": [both] }), "JobSpecs[0]"),
    ] {
        let refusal = session.refused("arguments", UPDATE_JOB, update(PRETRAIN, &change)).await;
        assert!(paths(&refusal).contains(&path), "{refusal}");
    }
    assert_eq!(session.home.count("UpdateJob"), 0);
}
