//! PyroMind's instances changed: edited, paused, resumed, and deleted only by their id.

use serde_json::{Value, json};

use crate::harness::human::{Human, Says};
use crate::harness::{ERAS, Era, Home, Session, paths};

const DELETE: &str = "pyromind_delete_instance";
const EDIT: &str = "pyromind_edit_instance";
const GET: &str = "pyromind_get_instance";
const PAUSE: &str = "pyromind_pause_instance";
const RESUME: &str = "pyromind_resume_instance";

/// Instances of the default world, as docs/world.md has them.
const NOTEBOOK: &str = "jp_30145559";
const PAUSED: &str = "jp_92818851";
const STOPPED: &str = "jp_94713769";
const BUSY: &str = "jp_23240967";
const FULL_DISK: &str = "jp_95100061";

fn with(instance: &str, change: Value) -> Value {
    let mut arguments = json!({ "instance_id": instance });
    arguments.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    arguments
}

fn id(instance: &str) -> Value {
    with(instance, json!({}))
}

async fn attended(human: Human) -> Session {
    Session::start(Home::new(), Era::Initialize, &[], human).await
}

/// R-PM-052, R-PM-054, R-PM-016: what is given changes, and what can't be is told by its cause.
#[tokio::test]
async fn an_edit_changes_what_is_given() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &[], Human::agreeable()).await;
        let change = json!({ "name": "lab-2", "resource_config": { "cpu": 20 } });
        let edited = session.call(EDIT, with(NOTEBOOK, change)).await.unwrap();
        assert_eq!(edited["updated_fields"], json!(["name", "resource_config"]));
        assert_eq!(edited["resource_config"], json!({ "cpu": 20, "memory": 64, "gpu": 4 }));
        let refusal =
            session.refused("cloud-conflict", EDIT, with(NOTEBOOK, json!({ "name": "cpu-notebook" }))).await;
        assert_eq!(paths(&refusal), ["name"]);
        assert_eq!(refusal["error"], "the new name is taken by another instance; nothing was changed");
        let much = json!({ "resource_config": { "gpu": 30 } });
        session.refused("cloud-capacity", EDIT, with(NOTEBOOK, much)).await;
        let over = json!({ "expire_time": "2026-01-01T00:00:00Z" });
        session.refused("times-ahead", EDIT, with(NOTEBOOK, over)).await;
        assert_eq!(session.home.count("edit_instance"), 3);
    }
}

/// R-PM-045: a new password is in neither the question, the result nor the record.
#[tokio::test]
async fn a_new_password_is_seen_nowhere() {
    let session = attended(Human::agreeable()).await;
    let edited =
        session.call(EDIT, with(NOTEBOOK, json!({ "password": "NewSecurePass456!" }))).await.unwrap();
    assert_eq!(edited["updated_fields"], json!(["password"]));
    let asked = session.human.asked();
    assert!(asked[0].message.contains("password: \"****\""), "{asked:?}");
    let home = session.end().await;
    let record = std::fs::read_to_string(home.record_file()).unwrap();
    assert!(!record.contains("NewSecurePass456!") && !asked[0].message.contains("NewSecurePass456!"));
}

/// R-PM-055, R-PM-056, R-PM-059, R-PM-060, R-PM-062: a pause and a resume, each in its state, each thing where it is documented.
#[tokio::test]
async fn an_instance_is_paused_and_resumed() {
    let session = attended(Human::agreeable()).await;
    let paused = session.call(PAUSE, id(NOTEBOOK)).await.unwrap();
    assert_eq!((&paused["status"], &paused["save_checkpoint"]), (&json!("paused"), &json!(true)));
    assert_eq!(paused["applied"], true);
    let refusal = session.refused("instance-state", PAUSE, id(NOTEBOOK)).await;
    assert!(
        refusal["violations"][0]["message"].as_str().unwrap().contains("only a running instance"),
        "{refusal}"
    );
    let less = json!({ "restore_checkpoint": true, "resource_config": { "cpu": 8, "memory": 32, "gpu": 1 } });
    let resumed = session.call(RESUME, with(NOTEBOOK, less.clone())).await.unwrap();
    assert_eq!(
        (&resumed["restore_checkpoint"], &resumed["resource_config"]),
        (&json!(true), &less["resource_config"])
    );
    let url = format!("https://instances.pyromind.ai/{NOTEBOOK}-1");
    assert_eq!(resumed["access_url"], url);
    assert_eq!(session.call(GET, id(NOTEBOOK)).await.unwrap()["access_url"], url);
    let refusal = session.refused("instance-state", RESUME, id(STOPPED)).await;
    let fix = refusal["violations"][0]["fix"].as_str().unwrap();
    assert!(fix.contains("no call brings a stopped instance back"), "{refusal}");
    let more = json!({ "resource_config": { "cpu": 64 } });
    session.refused("instance-state", RESUME, with(PAUSED, more)).await;
    assert_eq!((session.home.count("pause_instance"), session.home.count("resume_instance")), (1, 1));
}

/// R-PM-058: a checkpoint that can't be saved isn't done without.
#[tokio::test]
async fn a_checkpoint_that_fails_is_not_done_without() {
    let session = attended(Human::agreeable()).await;
    session.refused("cloud-checkpoint", PAUSE, id(FULL_DISK)).await;
    assert_eq!(session.home.count("pause_instance"), 1);
    assert_eq!(session.call(GET, id(FULL_DISK)).await.unwrap()["status"], "running");
    session.human.asked();
    session.call(PAUSE, with(FULL_DISK, json!({ "save_checkpoint": false }))).await.unwrap();
    assert!(session.human.asked()[0].message.contains("Mind:\n- save_checkpoint: nothing is saved"));
}

/// R-PM-048, R-PM-049, R-PM-050, R-PM-051: only the typed id deletes; the question says what becomes of the workspace;
/// neither running tasks nor a failed backup make the server take another way.
#[tokio::test]
async fn only_the_typed_id_deletes() {
    let human = Human::who_says([Says::Accepts(json!({ "resource_id": NOTEBOOK }))]);
    let session = attended(human.clone()).await;
    session.refused("arguments-confirmed", DELETE, id(BUSY)).await;
    assert_eq!(session.home.count("delete_instance"), 0);
    human.says([Says::Accepts(json!({ "resource_id": BUSY }))]);
    let refusal = session.refused("cloud-conflict", DELETE, id(BUSY)).await;
    let fix = refusal["violations"][0]["fix"].as_str().unwrap();
    assert!(fix.contains("pause it, then delete it"), "{refusal}");

    human.says([Says::Accepts(json!({ "resource_id": NOTEBOOK }))]);
    human.asked();
    let backup = |bucket: &str| with(NOTEBOOK, json!({ "backup_workspace": true, "backup_bucket": bucket }));
    let refusal = session.refused("cloud-storage-permission", DELETE, backup("acme-denied")).await;
    assert_eq!(paths(&refusal), ["backup_bucket"]);
    assert_eq!(session.call(GET, id(NOTEBOOK)).await.unwrap()["status"], "running");
    let deleted = session.call(DELETE, backup("acme-backup")).await.unwrap();
    assert_eq!(deleted["backup_path"], format!("/instance-backups/{NOTEBOOK}_20260101"));
    let asked = human.asked();
    assert!(asked[1].message.contains("a backup of its workspace is made first"), "{asked:?}");
    assert_eq!(session.home.count("delete_instance"), 3);

    human.says([Says::Accepts(json!({ "resource_id": FULL_DISK }))]);
    session.call(DELETE, id(FULL_DISK)).await.unwrap();
    assert!(human.asked()[0].message.contains("no backup is made: what is in its workspace is lost"));
}
