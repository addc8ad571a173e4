//! Many calls while the cloud misbehaves, and ends of the server at any moment: each request is answered or told of in the
//! record, and the state is what the record says of it.
//!
//! The calls follow from a seed. Which of those in flight is served first, and so meets a fault, is up to the machine,
//! so what holds is asserted, not what happened. Longer runs of the same kind are in `.ci/soak`.

mod account;
mod calls;

use std::fs;
use std::path::Path;
use std::time::Duration;

use redline_mcp::sim::world::World;
use serde_json::{Value, json};

use crate::harness::Home;
use crate::harness::raw::{Ended, Raw};
use crate::harness::simulation::Simulation;
use crate::harness::world::{
    CREATE_JOB, DETECTOR, LIST_IMAGES, LIST_WORKSPACES, REGION, VISION, here, images_of, job,
};
use account::{Account, Made};
use calls::{Calls, Dice};

/// Of each so many calls one. The numbers are prime, so that the faults fall on calls of every kind.
fn faults() -> Value {
    json!([
        { "tool": "*", "every": 199, "fault": "throttled", "retry_after_ms": 1 },
        { "tool": "*", "every": 31, "fault": "server-error", "status": 500 },
        { "tool": "*", "every": 37, "fault": "server-error", "status": 503, "committed": true },
        { "tool": "*", "every": 41, "fault": "timeout" },
        { "tool": "*", "every": 43, "fault": "timeout-after-commit" },
        { "tool": "*", "every": 47, "fault": "lost-reply" },
        { "tool": "*", "every": 53, "fault": "truncated-body" },
        { "tool": "*", "every": 59, "fault": "malformed-json" },
        { "tool": "*", "every": 61, "fault": "wrong-content-type" },
        { "tool": "*", "every": 67, "fault": "huge-body" },
    ])
}

/// The flags of a server that may do everything that [`Calls`] calls, and where its state is kept.
struct Flags(Vec<String>);

impl Flags {
    fn new(home: &Home, faults: &Value) -> Self {
        let faults = home.write("faults.json", &faults.to_string());
        let human = home.write("human.toml", "[[answer]]\nsay = \"accept\"\n");
        let state = home.file("state.json").to_str().unwrap().to_owned();
        let flags = [
            "--region",
            REGION,
            "--approve",
            "create",
            "--log",
            "off",
            "--human",
            &human,
            "--faults",
            &faults,
        ];
        Self(flags.iter().map(|flag| (*flag).to_owned()).chain(["--state-out".to_owned(), state]).collect())
    }

    /// The same, going on from the state that was left.
    fn resume(&mut self, state: &Path) {
        self.0.extend(["--state-in".to_owned(), state.to_str().unwrap().to_owned()]);
    }

    fn all(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

/// The state that was left, which is a whole world.
fn state(home: &Home) -> Value {
    let text = fs::read_to_string(home.file("state.json")).unwrap();
    World::parse(&text).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The default world.
fn beginning() -> Value {
    let home = Home::new();
    let kept = home.file("state.json");
    let kept = kept.to_str().unwrap();
    assert_eq!(
        home.run(&["call", "--json", "--state-out", kept, "pyromind_list_sandboxes", "{}"]).code,
        Some(0)
    );
    state(&home)
}

fn verified(home: &Home) {
    let verified = home.run(&["audit", "verify", home.record_file().to_str().unwrap()]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

async fn send(raw: &mut Raw, id: usize, (tool, arguments): &(&str, Value)) {
    let params = json!({ "name": tool, "arguments": arguments });
    raw.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })).await;
}

/// Five hundred calls, sixteen in flight: one answer each, memory that doesn't grow without end, and the state that the
/// record tells of.
#[tokio::test]
async fn five_hundred_mixed_calls_with_faults_are_answered_and_accounted_for() {
    const CALLS: usize = 500;
    let home = Home::new();
    let flags = Flags::new(&home, &faults());
    let mut raw = Raw::legacy(home, &flags.all()).await;
    let mut calls = Calls::new(6);
    let mut made = Made::default();
    let mut open = std::collections::BTreeMap::new();
    let mut middle = None;
    for number in 0..CALLS + 16 {
        if open.len() == 16 || number >= CALLS {
            let Some(answer) = (!open.is_empty()).then(|| raw.receive()) else { break };
            let answer = answer.await;
            let call =
                open.remove(&answer["id"].as_u64().unwrap()).expect("an answer to what was asked, once");
            calls.learn(&call, &answer);
            made.learn(&call, &answer);
        }
        if number < CALLS {
            let call = calls.next();
            send(&mut raw, number, &call).await;
            open.insert(number as u64, call);
        }
        if number == CALLS / 2 {
            middle = raw.resident_memory();
        }
    }
    assert!(open.is_empty());
    if let (Some(middle), Some(end)) = (middle, raw.resident_memory()) {
        assert!(end < middle + 16 * 1024, "resident memory grew from {middle} to {end} KiB");
    }
    let Ended { home, code, rest, .. } = raw.hang_up().await;
    assert_eq!((code, rest), (Some(0), vec![]));
    verified(&home);
    let account = Account::of(&home.record());
    assert_eq!(account.open, 0, "decisions without an outcome");
    assert!(account.done() > 100, "calls that changed something: {}", account.done());
    account.compare(&beginning(), &state(&home), &made);
}

/// One after the other, the same calls meet the same faults, come to the same answers and leave the same world.
#[tokio::test]
async fn the_same_seed_and_the_same_faults_are_the_same_run() {
    let run = || async {
        let home = Home::new();
        let flags = Flags::new(&home, &faults());
        let mut raw = Raw::legacy(home, &flags.all()).await;
        let mut calls = Calls::new(7);
        for number in 0..50 {
            let call = calls.next();
            send(&mut raw, number, &call).await;
            let answer = raw.receive().await;
            calls.learn(&call, &answer);
        }
        let ended = raw.hang_up().await;
        (ended.stdout, fs::read(ended.home.file("state.json")).unwrap())
    };
    let (one, other) = tokio::join!(run(), run());
    assert!(one == other, "the same seed is the same run");
}

/// Thirty times the server is killed with calls in flight, and another goes on with its world and its record.
#[tokio::test]
async fn a_server_killed_at_any_moment_leaves_nothing_that_the_record_does_not_tell() {
    const KILLS: usize = 30;
    const IN_FLIGHT: usize = 12;
    let beginning = beginning();
    let mut dice = Dice::new(9);
    let mut calls = Calls::new(10);
    let mut made = Made::default();
    let mut home = Home::new();
    let kept = home.file("state.json");
    let mut flags = Flags::new(&home, &faults());
    let mut unended = 0;
    for kill in 0..KILLS {
        let mut raw = Raw::connect(home, &flags.all());
        // Some die before they have said a word.
        let starting = kill > 0 && dice.below(6) == 0;
        let mut sent = Vec::new();
        let mut told = 0;
        if starting {
            tokio::time::sleep(Duration::from_micros(dice.below(30_000))).await;
        } else {
            raw.initialize("2025-11-25").await;
            for number in 0..IN_FLIGHT {
                let call = calls.next();
                send(&mut raw, number, &call).await;
                sent.push(call);
            }
            for _ in 0..dice.below(IN_FLIGHT as u64 + 1) {
                let answer = raw.receive().await;
                told += 1;
                learn(&answer, &sent, &mut calls, &mut made);
            }
            tokio::time::sleep(Duration::from_micros(dice.below(4_000))).await;
        }
        let ended = raw.kill().await;
        assert_eq!(ended.code, None, "it was killed: {}", ended.stderr);
        assert!(told + ended.rest.len() <= sent.len());
        for answer in &ended.rest {
            learn(answer, &sent, &mut calls, &mut made);
        }
        home = ended.home;
        verified(&home);
        let account = Account::of(&home.record());
        account.compare(&beginning, &state(&home), &made);
        unended = account.open;
        if kill == 0 {
            flags.resume(&kept);
        }
    }
    assert!(unended > 0, "not one kill came between a decision and its outcome");
    // What was cut off stays told as perhaps done, and the chain goes on over all of it.
    let mut raw = Raw::legacy(home, &flags.all()).await;
    let answer = raw.call(LIST_WORKSPACES, &here()).await;
    assert_eq!(answer["isError"], false, "{answer}");
    let home = raw.hang_up().await.home;
    verified(&home);
    let account = Account::of(&home.record());
    assert_eq!(account.open, unended);
    account.compare(&beginning, &state(&home), &made);
    let numbers: Vec<u64> = home.record().iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

fn learn(answer: &Value, sent: &[(&'static str, Value)], calls: &mut Calls, made: &mut Made) {
    let call = &sent[usize::try_from(answer["id"].as_u64().unwrap()).unwrap()];
    calls.learn(call, answer);
    made.learn(call, answer);
}

/// Told to stop, or left by its client, with a hundred calls in flight: what was taken up ends with its record, and
/// whoever was answered was answered right.
#[tokio::test]
async fn a_server_that_stops_under_load_ends_what_it_began() {
    for signal in [None, Some("-TERM"), Some("-INT")] {
        let home = Home::new();
        let flags = Flags::new(&home, &json!([]));
        let mut raw = Raw::legacy(home, &flags.all()).await;
        let mut calls = Calls::new(11);
        let mut made = Made::default();
        let sent: Vec<_> = (0..100).map(|_| calls.next()).collect();
        for (number, call) in sent.iter().enumerate() {
            send(&mut raw, number, call).await;
        }
        let mut answers = vec![raw.receive().await];
        let ended = match signal {
            None => raw.hang_up().await,
            Some(signal) => {
                raw.signal(signal);
                raw.ended().await
            }
        };
        assert_eq!(ended.code, Some(0), "{signal:?}: {}", ended.stderr);
        answers.extend(ended.rest);
        if signal.is_none() {
            assert_eq!(answers.len(), sent.len(), "all that was asked before the end of input is answered");
        }
        verified(&ended.home);
        let record = ended.home.record();
        for answer in &answers {
            let call = &sent[usize::try_from(answer["id"].as_u64().unwrap()).unwrap()];
            made.learn(call, answer);
            let id = answer["id"].to_string();
            let done = answer["result"]["isError"] == false;
            let recorded = record.iter().any(|line| {
                line["request_id"].as_str() == Some(&id)
                    && line["tool"] == call.0
                    && line["is_error"] == false
            });
            assert!(!done || recorded, "{signal:?}: a success that the record doesn't tell of: {answer}");
        }
        let account = Account::of(&record);
        assert_eq!(account.open, 0, "{signal:?}: decisions without an outcome");
        account.compare(&beginning(), &state(&ended.home), &made);
    }
}

/// Told to stop while a slow cloud carries out a change, it waits for the answer and records it.
#[tokio::test]
async fn a_change_under_way_ends_before_the_server_does() {
    let home = Home::new()
        .with("ALIBABA_CLOUD_ACCESS_KEY_ID", redline_mcp::sim::ACCESS_KEY_ID)
        .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", redline_mcp::sim::ACCESS_KEY_SECRET);
    let faults = home.write(
        "faults.json",
        &json!([{ "tool": CREATE_JOB, "nth": 1, "fault": "slow", "seconds": 1 }]).to_string(),
    );
    let kept = home.file("state.json").to_str().unwrap().to_owned();
    let cloud = Simulation::start(&home, &["--faults", &faults, "--state-out", &kept]);
    let (dlc, workspaces) = (format!("pai-dlc={}", cloud.url), format!("aiworkspace={}", cloud.url));
    let flags = [
        "--cloud",
        "live",
        "--endpoint",
        &dlc,
        "--endpoint",
        &workspaces,
        "--region",
        REGION,
        "--approve",
        "create",
    ];
    let mut raw = Raw::legacy(home, &flags).await;
    for (tool, arguments) in [(LIST_WORKSPACES, here()), (LIST_IMAGES, images_of(VISION))] {
        let listed = raw.call(tool, &arguments).await;
        assert_eq!(listed["isError"], false, "{listed}");
    }
    send(&mut raw, 7, &(CREATE_JOB, job(VISION, DETECTOR))).await;
    // The record tells when it has gone out.
    while !raw.home.record().iter().any(|line| line["phase"] == "decision") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    raw.signal("-TERM");
    let ended = raw.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let record = ended.home.record();
    let last = record.last().unwrap();
    let sent: Vec<&Value> =
        last["cloud_calls"].as_array().unwrap().iter().map(|call| &call["status"]).collect();
    assert_eq!(
        (&last["phase"], &last["tool"], &last["is_error"]),
        (&json!("outcome"), &json!(CREATE_JOB), &json!(false))
    );
    assert_eq!(sent, [&json!(200)]);
    verified(&ended.home);
    Account::of(&record).compare(&beginning(), &state(&ended.home), &Made::default());
    assert_eq!(cloud.stop().code, Some(0));
}
