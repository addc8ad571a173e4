//! A human's yes to further calls, from outside.

use serde_json::{Value, json};

use crate::harness::human::{Human, Says};
use crate::harness::world::{
    CREATE_JOB, CREATE_WORKSPACE, LIST_IMAGES, LIST_WORKSPACES, PYTORCH, REGION, VISION, VISION_EVAL, here,
    job, workspace,
};
use crate::harness::{ERAS, Era, Home, Session, paths};

fn allowing(calls: u32) -> Says {
    Says::Accepts(json!({ "approve": true, "further_calls": calls }))
}

fn named(name: &str) -> Value {
    let mut job = job(VISION, PYTORCH);
    job["DisplayName"] = json!(name);
    job
}

/// A session whose human let so many further jobs through, and says no from now on.
async fn granted(era: Era, calls: u32) -> Session {
    let human = Human::who_says([allowing(calls), Says::Declines]);
    let session = Session::start(Home::new(), era, &["--region", REGION], human).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    session.call(CREATE_JOB, named("first")).await.unwrap();
    let asked = session.human.asked();
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].message.contains("up to 10, are let through without a question"),
        "{}",
        asked[0].message
    );
    session
}

/// What the record says of each job that was sent: the channel, and the grant with what is left of it.
fn confirmations(session: &Session) -> Vec<(Value, Value, Value)> {
    let record = session.home.record();
    let decided = record.iter().filter(|line| line["phase"] == "decision").map(|line| &line["confirmation"]);
    decided
        .map(|given| (given["channel"].clone(), given["grant"]["id"].clone(), given["grant"]["left"].clone()))
        .collect()
}

/// Further calls go without a question until they are used up, and the record says by which grant.
#[tokio::test]
async fn further_calls_go_through_and_are_recorded() {
    for (era, channel) in ERAS.into_iter().zip(["elicitation", "input_required"]) {
        let session = granted(era, 2).await;
        session.call(CREATE_JOB, named("second")).await.unwrap();
        session.call(CREATE_JOB, named("third")).await.unwrap();
        assert_eq!(session.human.asked().len(), 0, "{era:?}");
        session.refused("arguments-confirmed", CREATE_JOB, named("fourth")).await;
        assert_eq!(session.human.asked().len(), 1);
        assert_eq!(
            confirmations(&session),
            [
                (json!(channel), json!("grant-1"), json!(2)),
                (json!("grant"), json!("grant-1"), json!(1)),
                (json!("grant"), json!("grant-1"), json!(0)),
            ]
        );
        let record = session.home.record();
        let digests: Vec<&Value> = record
            .iter()
            .filter(|line| line["phase"] == "decision")
            .map(|line| &line["confirmation"]["digest"])
            .collect();
        assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
        assert_eq!(session.home.count("CreateJob"), 3);
    }
}

/// R-DLC-24, R-WS-32: what is dangerous, what was made before and what is elsewhere is asked about all the same, and
/// every other rule holds.
#[tokio::test]
async fn a_grant_excuses_nothing_but_the_question() {
    let session = granted(Era::Initialize, 10).await;
    let mut privileged = named("second");
    privileged["JobSpecs"][0]["ExtraPodSpec"] =
        json!({ "MainContainerSecurityContext": { "Privileged": true } });
    session.refused("no-privileged-containers", CREATE_JOB, privileged).await;
    let mut public = named("second");
    public["Accessibility"] = json!("PUBLIC");
    let mut loading = named("second");
    loading["Envs"] = json!({ "LD_PRELOAD": "/tmp/x.so" });
    let mut elsewhere = named("second");
    elsewhere["WorkspaceId"] = json!(VISION_EVAL);
    for arguments in [public, loading, elsewhere] {
        session.refused("arguments-confirmed", CREATE_JOB, arguments.clone()).await;
        assert_eq!(session.human.asked().len(), 1, "{arguments}");
    }
    session.refused("arguments-confirmed", CREATE_JOB, named("first")).await;
    let again = session.human.asked().remove(0).message;
    assert!(again.starts_with("The same call was made at 2026-01-01 00:00:"), "{again}");
    let mut guessed = named("second");
    guessed["JobSpecs"][0]["Image"] = json!("registry.example/guessed:1");
    let refusal = session.call(CREATE_JOB, guessed).await.unwrap_err();
    assert_eq!(paths(&refusal), ["JobSpecs[0].Image"]);
    session.refused("arguments-confirmed", CREATE_WORKSPACE, workspace("vision_team")).await;
    let message = session.human.asked().remove(0).message;
    assert!(!message.contains("Further calls"), "{message}");
    assert_eq!(session.home.count("CreateJob"), 1);
    // None of that used the grant up.
    session.call(CREATE_JOB, named("second")).await.unwrap();
    assert_eq!(confirmations(&session).last(), Some(&(json!("grant"), json!("grant-1"), json!(9))));
}

/// R-WS-32: a no stays a no: what the human declined isn't let through by what they allowed after it.
#[tokio::test]
async fn what_was_declined_is_no_further_call() {
    for era in ERAS {
        let human = Human::who_says([Says::Declines, allowing(3), Says::Declines]);
        let session = Session::start(Home::new(), era, &["--region", REGION], human).await;
        session.call(LIST_WORKSPACES, here()).await.unwrap();
        session.call(LIST_IMAGES, here()).await.unwrap();
        session.refused("arguments-confirmed", CREATE_JOB, named("declined")).await;
        session.call(CREATE_JOB, named("allowed")).await.unwrap();
        session.refused("arguments-confirmed", CREATE_JOB, named("declined")).await;
        session.call(CREATE_JOB, named("further")).await.unwrap();
        assert_eq!((session.human.asked().len(), session.home.count("CreateJob")), (3, 2), "{era:?}");
    }
}

/// Two at once can't both take the last one.
#[tokio::test]
async fn the_last_further_call_is_taken_once() {
    let session = granted(Era::Initialize, 1).await;
    let (one, other) =
        tokio::join!(session.call(CREATE_JOB, named("second")), session.call(CREATE_JOB, named("third")),);
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|went| **went).count(), 1, "{one:?} {other:?}");
    assert_eq!(session.human.asked().len(), 1);
    assert_eq!(session.home.count("CreateJob"), 2);
}

/// A grant ends after half an hour of the world's time.
#[tokio::test]
async fn a_grant_ends_by_the_clock() {
    let human = Human::who_says([allowing(10), Says::Declines]);
    let flags = ["--region", REGION, "--clock-step", "8m"];
    let session = Session::start(Home::new(), Era::Initialize, &flags, human).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    session.call(CREATE_JOB, named("first")).await.unwrap();
    for name in ["after 8 minutes", "after 16 minutes", "after 24 minutes"] {
        session.call(CREATE_JOB, named(name)).await.unwrap();
    }
    session.refused("arguments-confirmed", CREATE_JOB, named("after 32 minutes")).await;
    assert_eq!(session.human.asked().len(), 2);
}

/// What can't be recorded isn't sent, and what isn't sent uses nothing up.
#[tokio::test]
async fn what_is_not_sent_is_given_back() {
    let session = granted(Era::Initialize, 1).await;
    let (record, aside) = (session.home.record_file(), session.home.file("aside"));
    std::fs::rename(&record, &aside).unwrap();
    session.refused("audit", CREATE_JOB, named("second")).await;
    std::fs::rename(&aside, &record).unwrap();
    session.call(CREATE_JOB, named("second")).await.unwrap();
    assert_eq!(session.human.asked().len(), 0);
    assert_eq!(session.home.count("CreateJob"), 2);
}
