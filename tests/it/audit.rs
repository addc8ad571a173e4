//! The record: what changes the world is written down first, nothing goes unrecorded, and an edit shows.

use std::fs;

use serde_json::{Value, json};

use crate::harness::human::{Human, Says};
use crate::harness::world::{
    CREATE_JOB, CREATE_WORKSPACE, GET_JOB, LIST_IMAGES, LIST_WORKSPACES, PRETRAIN, PYTORCH, REGION, VISION,
    here, job, job_id, workspace,
};
use crate::harness::{ERAS, Era, Home, Ran, Session};

const FLAGS: [&str; 4] = ["--region", REGION, "--approve", "create"];

async fn session() -> Session {
    Session::start(Home::new(), Era::Initialize, &FLAGS, Human::absent()).await
}

fn verify(home: &Home) -> Ran {
    home.run(&["audit", "verify", home.record_file().to_str().unwrap()])
}

/// A call's lines: phase, tool, verdict and the cloud calls' actions.
fn lines(home: &Home) -> Vec<(String, String, String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let actions = |line: &Value| {
        let calls = line["cloud_calls"].as_array().cloned().unwrap_or_default();
        calls.iter().map(|call| text(&call["action"])).collect()
    };
    let record = home.record();
    record
        .iter()
        .map(|line| (text(&line["phase"]), text(&line["tool"]), text(&line["verdict"]), actions(line)))
        .collect()
}

fn line(phase: &str, tool: &str, verdict: &str, actions: &[&str]) -> (String, String, String, Vec<String>) {
    let actions = actions.iter().map(|action| (*action).to_owned()).collect();
    (phase.to_owned(), tool.to_owned(), verdict.to_owned(), actions)
}

/// What changes the world is written before it is sent and after; a read is one line; a refusal and a question are one line without a call.
#[tokio::test]
async fn a_create_is_two_lines_and_a_read_is_one() {
    let session = Session::agreeable(&["--region", REGION]).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
    session.refused("image-from-list", CREATE_JOB, job(VISION, PYTORCH)).await;
    let home = session.end().await;
    let products = "aiworkspace_list_products";
    assert_eq!(
        lines(&home),
        [
            line("outcome", products, "cleared", &["ListProducts"]),
            line("outcome", LIST_WORKSPACES, "cleared", &["ListWorkspaces"]),
            line("outcome", LIST_WORKSPACES, "cleared", &["ListWorkspaces"]),
            line("outcome", CREATE_WORKSPACE, "asked", &[]),
            line("outcome", LIST_WORKSPACES, "cleared", &["ListWorkspaces"]),
            line("decision", CREATE_WORKSPACE, "cleared", &[]),
            line("outcome", CREATE_WORKSPACE, "cleared", &["CreateWorkspace"]),
            line("outcome", CREATE_JOB, "refused", &[]),
        ]
    );
    let record = home.record();
    let numbers: Vec<u64> = record.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    let decision = &record[5];
    assert_eq!(decision["confirmation"]["answer"], "accept");
    assert_eq!(decision["confirmation"]["channel"], "elicitation");
    assert_eq!(decision["is_error"], Value::Null);
    assert_eq!(record[7]["error"], "image-from-list");
    for line in &record {
        for field in
            ["ts", "clock", "scope", "span_id", "server", "effect", "arguments_hmac", "policy_sha256"]
        {
            assert_ne!(line[field], Value::Null, "{field}: {line}");
        }
    }
}

/// What a job rests on can be traced to the lines that taught it.
#[tokio::test]
async fn a_job_names_the_lines_that_taught_its_image_and_workspace() {
    let session = session().await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    session.call(CREATE_JOB, job(VISION, PYTORCH)).await.unwrap();
    let record = session.end().await.record();
    let decision = record.iter().find(|line| line["phase"] == "decision").unwrap();
    let taught_by = |fact: &str| {
        let used = decision["facts_used"].as_array().unwrap();
        let used = used.iter().find(|used| used["fact"] == fact).unwrap();
        let seq = used["learned_at_seq"].as_u64().unwrap();
        let line = record.iter().find(|line| line["seq"] == seq).unwrap();
        line["tool"].as_str().unwrap().to_owned()
    };
    assert_eq!(taught_by("image"), LIST_IMAGES);
    assert_eq!(taught_by("workspace"), LIST_WORKSPACES);
}

/// How a question was answered is recorded, whatever the answer.
#[tokio::test]
async fn each_answer_is_recorded_as_what_it_was() {
    for era in ERAS {
        for (says, answer) in [(Says::Declines, "decline"), (Says::Cancels, "cancel")] {
            let session = Session::start(Home::new(), era, &[], Human::who_says([says])).await;
            session.refused("region-confirmed", LIST_WORKSPACES, here()).await;
            let last = session.home.record().pop().unwrap();
            assert_eq!(
                (&last["verdict"], &last["confirmation"]["answer"]),
                (&json!("refused"), &json!(answer))
            );
        }
    }
}

#[tokio::test]
async fn a_whole_record_verifies_and_one_flipped_byte_does_not() {
    let session = session().await;
    session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
    session.call(GET_JOB, job_id(PRETRAIN)).await.unwrap();
    let home = session.end().await;
    let whole = verify(&home);
    assert_eq!(whole.code, Some(0), "{whole:?}");

    let bytes = fs::read(home.record_file()).unwrap();
    let mut newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    let first_line = newlines.next().unwrap();
    for at in [0, 10, first_line, first_line + 20, bytes.len() / 2, bytes.len() - 3] {
        let mut edited = bytes.clone();
        edited[at] ^= 1;
        fs::write(home.record_file(), &edited).unwrap();
        assert_eq!(verify(&home).code, Some(1), "byte {at}");
    }
    // A line cut out, the tail cut off, a line twice.
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let mut without = lines.clone();
    without.remove(1);
    let mut twice = lines.clone();
    twice.insert(1, lines[1]);
    let mut swapped = lines.clone();
    swapped.swap(0, 1);
    for edited in [without, twice, swapped, lines[..lines.len() - 1].to_vec()] {
        fs::write(home.record_file(), edited.concat()).unwrap();
        assert_eq!(verify(&home).code, Some(1));
    }
    fs::write(home.record_file(), &bytes).unwrap();
    assert_eq!(verify(&home).code, Some(0));
    let missing = home.run(&["audit", "verify", home.file("none.jsonl").to_str().unwrap()]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
}

/// A later server goes on where an earlier one stopped.
#[tokio::test]
async fn a_restart_goes_on_with_the_record() {
    let first = session().await;
    first.call(LIST_WORKSPACES, here()).await.unwrap();
    let home = first.end().await;
    let before = home.record().len();
    let second = Session::start(home, Era::Discover, &FLAGS, Human::absent()).await;
    second.call(LIST_WORKSPACES, here()).await.unwrap();
    let home = second.end().await;
    assert_eq!(home.record().len(), before + 2);
    assert_eq!(verify(&home).code, Some(0));
}

#[tokio::test]
async fn the_record_is_shown_a_line_a_call() {
    let session = session().await;
    session.call(CREATE_WORKSPACE, workspace("vision_team")).await.unwrap();
    let home = session.end().await;
    let file = home.record_file();
    let table = home.run(&["audit", "show", file.to_str().unwrap()]);
    assert_eq!(table.code, Some(0));
    assert_eq!(table.stdout.lines().count(), home.record().len() + 1);
    assert!(
        table.stdout.contains("CreateWorkspace 200") && table.stdout.contains("operator accept"),
        "{}",
        table.stdout
    );
    let shown = home.run(&["audit", "show", "--json", file.to_str().unwrap()]);
    let shown: Vec<Value> = shown.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(shown, home.record());
}

/// What can't be recorded isn't sent: with the record gone a job isn't submitted. The witness is the world, which numbers its jobs.
#[cfg(unix)]
#[tokio::test]
async fn what_cannot_be_recorded_is_not_sent() {
    let submit = async |session: &Session| session.call(CREATE_JOB, job(VISION, PYTORCH)).await;
    let listed = async || {
        let session = session().await;
        session.call(LIST_WORKSPACES, here()).await.unwrap();
        session.call(LIST_IMAGES, here()).await.unwrap();
        session
    };
    let undisturbed = listed().await;
    let first = submit(&undisturbed).await.unwrap()["JobId"].clone();
    let mut another = job(VISION, PYTORCH);
    another["DisplayName"] = json!("another");
    let second = undisturbed.call(CREATE_JOB, another).await.unwrap()["JobId"].clone();
    assert_ne!(first, second);

    let session = listed().await;
    let aside = session.home.file("aside.jsonl");
    fs::rename(session.home.record_file(), &aside).unwrap();
    for _ in 0..2 {
        let refusal = submit(&session).await.expect_err("a refusal");
        assert_eq!(refusal["rule"], "audit");
        assert!(refusal["error"].as_str().unwrap().contains("nothing was sent"), "{refusal}");
    }
    let refusal = session.refused("audit", CREATE_WORKSPACE, workspace("vision_team")).await;
    assert_eq!(refusal["retryable"], true);
    session.refused("audit", LIST_WORKSPACES, here()).await;
    fs::rename(&aside, session.home.record_file()).unwrap();

    assert_eq!(submit(&session).await.unwrap()["JobId"], first);
    let check =
        json!({ "RegionId": REGION, "WorkspaceName": "vision_team", "Option": "CheckWorkspaceExists" });
    assert_eq!(session.call(LIST_WORKSPACES, check).await.unwrap()["Total Count"], 0);
    assert_eq!(verify(&session.end().await).code, Some(0));
}

/// A server that can't record doesn't start.
#[test]
fn a_server_without_a_record_does_not_start() {
    let home = Home::new();
    let nowhere = home.write("file", "");
    let ran = home.run(&["serve", "--audit", &format!("{nowhere}/audit.jsonl")]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("audit record"), "{}", ran.stderr);
}
