//! The scripted human, from outside.

use serde_json::{Value, json};

use crate::harness::human::Human;
use crate::harness::world::{
    CREATE_JOB, CREATE_WORKSPACE, LIST_IMAGES, LIST_WORKSPACES, PYTORCH, REGION, VISION, here, job, workspace,
};
use crate::harness::{ERAS, Era, Home, Session};

const DELETE: &str = "pyromind_delete_sandbox";
const SANDBOX: &str = "sbx_345741474";

/// A server with a human from a file, and a client that can ask nobody.
async fn scripted(era: Era, script: &str, flags: &[&str]) -> Session {
    let home = Home::new();
    let file = home.write("human.toml", script);
    Session::start(home, era, &[&["--human", file.as_str()], flags].concat(), Human::absent()).await
}

const YES: &str = "[[answer]]\nsay = \"accept\"\n";

/// R-WS-44, R-WS-32: the file answers for region and arguments, without the client; the record says who.
#[tokio::test]
async fn a_scripted_human_answers_in_both_eras() {
    for era in ERAS {
        let session = scripted(era, YES, &[]).await;
        session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
        let record = session.home.record();
        let channels: Vec<&Value> = record
            .iter()
            .map(|line| &line["confirmation"])
            .filter(|given| !given.is_null())
            .map(|given| &given["channel"])
            .collect();
        assert!(
            !channels.is_empty() && channels.iter().all(|channel| *channel == "scripted-human"),
            "{channels:?}"
        );
        assert_eq!(session.home.count("CreateWorkspace"), 1);
    }
}

/// A client that could ask isn't.
#[tokio::test]
async fn no_client_sees_a_question() {
    for era in ERAS {
        let home = Home::new();
        let file = home.write("human.toml", "");
        let session = Session::start(home, era, &["--human", &file], Human::agreeable()).await;
        let refusal = session.refused("region-confirmed", LIST_WORKSPACES, here()).await;
        assert_eq!(refusal["reason"], "declined");
        assert_eq!(session.human.asked().len(), 0);
        assert!(session.home.calls().is_empty());
    }
}

/// The same questions get the same answers, whatever the agent does to the file meanwhile.
#[tokio::test]
async fn the_file_is_read_once() {
    let session = scripted(Era::Initialize, "", &[]).await;
    session.refused("region-confirmed", LIST_WORKSPACES, here()).await;
    session.home.write("human.toml", YES);
    session.refused("region-confirmed", LIST_WORKSPACES, here()).await;
    assert!(session.home.calls().is_empty());
}

/// R-WS-32, R-WS-45, R-PM-022: each answer that is no yes has its own words and its own reason, and sends nothing.
#[tokio::test]
async fn each_answer_that_is_no_yes_is_told_apart() {
    let blank = "the question came back accepted, but without a valid";
    for (script, tool, arguments, reason, error) in [
        (
            "say = \"decline\"",
            LIST_WORKSPACES,
            here(),
            "declined",
            "the user declined, or the client showed no dialog",
        ),
        (
            "say = \"cancel\"",
            LIST_WORKSPACES,
            here(),
            "cancelled",
            "the user closed the question without an answer",
        ),
        ("say = \"timeout\"", LIST_WORKSPACES, here(), "timed-out", "nobody answered the question in time"),
        ("say = \"malformed\"", LIST_WORKSPACES, here(), "malformed", &*format!("{blank} region")),
        (
            "form = \"region\"\nsay = \"accept\"\nchoose = \"cn-shanghai\"",
            LIST_WORKSPACES,
            here(),
            "other-choice",
            "the user chose cn-shanghai, not cn-hangzhou",
        ),
        (
            "say = \"malformed\"",
            DELETE,
            json!({ "sandbox_id": SANDBOX }),
            "malformed",
            &*format!("{blank} resource_id"),
        ),
        (
            "form = \"type-id\"\nsay = \"accept\"\ntype = \"sbx_1\"",
            DELETE,
            json!({ "sandbox_id": SANDBOX }),
            "wrong-id",
            "the id that was typed isn't the one in the question",
        ),
    ] {
        let session = scripted(Era::Initialize, &format!("[[answer]]\n{script}\n"), &[]).await;
        let refusal = session.call(tool, arguments).await.unwrap_err();
        assert_eq!((&refusal["reason"], &refusal["error"]), (&json!(reason), &json!(error)), "{script}");
        assert!(session.home.calls().is_empty(), "{script}");
        let record = session.home.record();
        assert_eq!(record.last().unwrap()["confirmation"]["reason"], reason, "{script}");
    }
}

/// A script grants further calls, and answers no more often than it says.
#[tokio::test]
async fn a_script_grants_and_counts() {
    let script = "[[answer]]\ntool = \"dlc_create_job\"\nform = \"approve\"\nsay = \"accept\"\nfurther_calls = 1\ntimes = 1\n";
    let session = scripted(Era::Discover, script, &["--region", REGION]).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    let named = |name: &str| {
        let mut job = job(VISION, PYTORCH);
        job["DisplayName"] = json!(name);
        job
    };
    session.call(CREATE_JOB, named("first")).await.unwrap();
    session.call(CREATE_JOB, named("second")).await.unwrap();
    let refusal = session.refused("arguments-confirmed", CREATE_JOB, named("third")).await;
    assert_eq!(refusal["reason"], "declined");
    assert_eq!(session.home.count("CreateJob"), 2);
}

/// One call by hand is answered by the file too.
#[test]
fn one_call_by_hand_is_answered_from_the_file() {
    let home = Home::new();
    let human = home.write("human.toml", YES);
    let record = home.record_file();
    let arguments = workspace("vision_team").to_string();
    let ran = home.run(&[
        "call",
        "--json",
        "--human",
        &human,
        "--audit",
        record.to_str().unwrap(),
        CREATE_WORKSPACE,
        &arguments,
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.json()["Workspace ID"].as_str().unwrap().is_empty(), "{ran:?}");
    assert_eq!(home.count("CreateWorkspace"), 1);
}

/// With a live cloud there is no scripted human; nor with a path that depends on where the server starts.
#[test]
fn only_a_simulated_run_has_a_scripted_human() {
    let home = Home::new();
    let human = home.write("human.toml", YES);
    let wrong = home.write(
        "wrong.toml",
        "[[answer]]\nsay = \"accept\"\n\n[[answer]]\ntool = \"dlc_job\"\nsay = \"accept\"\n",
    );
    let missing = home.file("missing.toml");
    for (flags, code, says) in [
        (&["--cloud", "live", "--human", &human][..], 2, "--human is for --cloud sim"),
        (&["--human", "human.toml"], 2, "--human must be an absolute path"),
        (&["--human", &wrong], 2, "answer 2, line 4: there is no tool dlc_job; see `redline-mcp tools`"),
        (&["--human", missing.to_str().unwrap()], 1, "can't read --human"),
    ] {
        let ran = home.run(&[&["serve"], flags].concat());
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
}
