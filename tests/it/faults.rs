//! Every misfortune that a cloud can have, at every kind of call: nothing is lost, nothing is done twice, one error says
//! what may have happened, and the record says the same.
//!
//! What holds for all cases is asserted here; the whole values (what the caller is told, what the record says) are in
//! `tests/data/faults/matrix.json`, which `UPDATE=1 cargo test --test it` writes anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::harness::human::Human;
use crate::harness::world::{
    CREATE_JOB, CREATE_WORKSPACE, DETECTOR, LIST_IMAGES, LIST_WORKSPACES, PRETRAIN, REGION, UPDATE_JOB,
    VISION, here, images_of, job, workspace,
};
use crate::harness::{Era, Home, Session, updating};

const LIST_SANDBOXES: &str = "pyromind_list_sandboxes";
const CREATE_SANDBOX: &str = "pyromind_create_sandbox";
const EDIT_INSTANCE: &str = "pyromind_edit_instance";
const DELETE_SANDBOX: &str = "pyromind_delete_sandbox";
const NOTEBOOK: &str = "jp_30145559";

/// A fault, and whether the call that it befalls is carried out.
struct Misfortune {
    name: &'static str,
    entry: Value,
    done: bool,
}

/// All of them that can befall a call of any kind.
fn misfortunes() -> Vec<Misfortune> {
    let of = |name, entry, done| Misfortune { name, entry, done };
    vec![
        of("throttled", json!({ "fault": "throttled", "retry_after_ms": 1 }), false),
        of("server-error", json!({ "fault": "server-error", "status": 500 }), false),
        of(
            "server-error, committed",
            json!({ "fault": "server-error", "status": 503, "committed": true }),
            true,
        ),
        of("timeout", json!({ "fault": "timeout" }), false),
        of("timeout-after-commit", json!({ "fault": "timeout-after-commit" }), true),
        of("lost-reply", json!({ "fault": "lost-reply" }), true),
        of("slow", json!({ "fault": "slow", "seconds": 5 }), true),
        of("too slow", json!({ "fault": "slow", "seconds": 3600 }), true),
        of("truncated-body", json!({ "fault": "truncated-body" }), true),
        of("malformed-json", json!({ "fault": "malformed-json" }), true),
        of("wrong-content-type", json!({ "fault": "wrong-content-type" }), true),
        of("large-body", json!({ "fault": "huge-body", "bytes": 100_000 }), true),
        of("huge-body", json!({ "fault": "huge-body" }), true),
    ]
}

/// The faults of a run, each at the next call of one tool.
struct Script {
    tool: &'static str,
    calls: usize,
    entries: Vec<Value>,
}

impl Script {
    fn new(tool: &'static str) -> Self {
        Self { tool, calls: 0, entries: Vec::new() }
    }

    fn next(&mut self, entry: &Value) {
        self.calls += 1;
        let mut entry = entry.clone();
        entry["tool"] = json!(self.tool);
        entry["nth"] = json!(self.calls);
        self.entries.push(entry);
    }

    fn unharmed(&mut self) {
        self.calls += 1;
    }
}

async fn start(script: &Script, flags: &[&str]) -> Session {
    let home = Home::new();
    let faults = home.write("faults.json", &Value::from(script.entries.clone()).to_string());
    let state = home.file("state.json");
    let state = state.to_str().unwrap().to_owned();
    let flags = [&["--region", REGION, "--faults", &faults, "--state-out", &state], flags].concat();
    Session::start(home, Era::Initialize, &flags, Human::absent()).await
}

fn state(home: &Home) -> Value {
    serde_json::from_str(&fs::read_to_string(home.file("state.json")).unwrap()).unwrap()
}

/// How many rows of `list` have this value at `pointer`.
fn count(list: &Value, pointer: &str, wanted: &str) -> usize {
    let rows = list.as_array().unwrap();
    rows.iter().filter(|row| row.pointer(pointer).and_then(Value::as_str) == Some(wanted)).count()
}

/// The lines of the record past the first `known`, with what doesn't depend on the moment.
fn record(home: &Home, known: usize) -> Vec<Value> {
    let lines = home.record();
    let told = |line: &Value| {
        let calls = line["cloud_calls"].as_array().cloned().unwrap_or_default();
        let call = |call: &Value| json!([call["action"], call["attempt"], call["status"]]);
        json!({
            "phase": line["phase"],
            "tool": line["tool"],
            "verdict": line["verdict"],
            "error": line["error"],
            "cloud_calls": calls.iter().map(call).collect::<Vec<_>>(),
        })
    };
    lines[known..].iter().map(told).collect()
}

/// What the caller was told.
fn told(result: Result<Value, Value>) -> Value {
    match result {
        Ok(content) => json!({ "content": content }),
        Err(refusal) => json!({ "refusal": refusal }),
    }
}

/// How a tool is tried.
struct Subject<'s> {
    tool: &'static str,
    /// The arguments of a case.
    arguments: &'s (dyn Fn(usize) -> Value + Sync),
    /// How often what a case asks for is in the state.
    done: &'s (dyn Fn(&Value, usize) -> usize + Sync),
    /// What is done before the cases, by a server that approves it.
    prepare: &'s [(&'static str, Value)],
    /// Whether the same call again is safe: then it is made, and afterwards the thing is done once.
    again: bool,
    /// Whether the same call again, after it was done, is sent once more.
    resends: bool,
}

/// Puts a write through every misfortune of `all`: sent once, done as often as the fault lets it, recorded before and after.
async fn write(subject: Subject<'_>, all: &[Misfortune]) {
    let mut script = Script::new(subject.tool);
    for misfortune in all {
        script.next(&misfortune.entry);
        if subject.again && (subject.resends || !misfortune.done) {
            script.unharmed();
        }
    }
    let session = start(&script, &["--approve", "create", "--approve", subject.tool]).await;
    for (tool, arguments) in subject.prepare {
        session.call(tool, arguments.clone()).await.unwrap();
    }
    let mut cases = Map::new();
    for (case, misfortune) in all.iter().enumerate() {
        let name = misfortune.name;
        let known = session.home.record().len();
        let arguments = (subject.arguments)(case);
        let result = session.call(subject.tool, arguments.clone()).await;
        let lines = record(&session.home, known);
        let own: Vec<&Value> = lines.iter().filter(|line| line["tool"] == subject.tool).collect();
        let [decision, outcome] = own.as_slice() else { panic!("{name}: {lines:?}") };
        assert_eq!(
            (&decision["phase"], &decision["cloud_calls"]),
            (&json!("decision"), &json!([])),
            "{name}"
        );
        assert_eq!(outcome["phase"], "outcome", "{name}");
        let sent = outcome["cloud_calls"].as_array().unwrap();
        assert_eq!(sent.len(), 1, "{name}: a write is sent once: {outcome}");
        let rule = result.as_ref().err().map(|refusal| refusal["rule"].clone());
        assert_eq!(
            outcome["error"],
            rule.unwrap_or_default(),
            "{name}: the record says what the caller is told"
        );
        let done = (subject.done)(&state(&session.home), case);
        assert_eq!(done, usize::from(misfortune.done), "{name}");
        if let Err(refusal) = &result {
            let words = refusal.to_string();
            let says = [
                "may have been carried out",
                "before trying again",
                "probably wasn't created",
                "name is taken",
                "was carried out",
            ];
            let warned = says.iter().any(|text| words.contains(text));
            assert!(warned || done == 0, "{name}: what may have happened is said: {refusal}");
        }
        let mut case_told = json!({ "first": told(result), "record": lines });
        if subject.again {
            let known = session.home.record().len();
            let again = session.call(subject.tool, arguments).await;
            assert_eq!((subject.done)(&state(&session.home), case), 1, "{name}: {again:?}");
            case_told["again"] = told(again);
            case_told["record again"] = Value::from(record(&session.home, known));
        }
        cases.insert(name.to_owned(), case_told);
    }
    let home = session.end().await;
    let verified = home.run(&["audit", "verify", home.record_file().to_str().unwrap()]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    compare(subject.tool, Value::Object(cases));
}

/// Puts a read through every misfortune: answered, or refused with what to do, and the state is as before.
async fn read(tool: &'static str, arguments: Value) {
    let mut all = misfortunes();
    all.push(Misfortune { name: "empty-page", entry: json!({ "fault": "empty-page" }), done: true });
    let mut script = Script::new(tool);
    let retried = |name: &str| {
        !matches!(name, "slow" | "large-body" | "malformed-json" | "wrong-content-type" | "empty-page")
    };
    for misfortune in &all {
        script.next(&misfortune.entry);
        if retried(misfortune.name) {
            script.unharmed();
        }
    }
    // One that doesn't pass.
    for _ in 0..3 {
        script.next(&json!({ "fault": "timeout" }));
    }
    let session = start(&script, &[]).await;
    let before = state(&session.home);
    let mut cases = Map::new();
    let names = all.iter().map(|misfortune| misfortune.name).chain(["timeout, three times"]);
    for name in names {
        let known = session.home.record().len();
        let result = session.call(tool, arguments.clone()).await;
        // Past the first call, a read makes one line.
        let lines = record(&session.home, known);
        let last = lines.last().unwrap();
        let rule = result.as_ref().err().map(|refusal| refusal["rule"].clone());
        assert_eq!(
            (&last["phase"], &last["error"]),
            (&json!("outcome"), &rule.unwrap_or_default()),
            "{name}"
        );
        let healed = retried(name) && name != "timeout, three times";
        assert!(!healed || result.is_ok(), "{name}: {result:?}");
        if let Err(refusal) = &result {
            assert_eq!(refusal["retryable"], true, "{name}: {refusal}");
        }
        // A success is the whole page, which other tests look at.
        let told = match result {
            Ok(content) => {
                let rows = content.as_object().unwrap().values().find_map(Value::as_array);
                json!({ "rows": rows.map(Vec::len) })
            }
            Err(refusal) => json!({ "refusal": refusal }),
        };
        cases.insert(name.to_owned(), json!({ "told": told, "record": lines }));
    }
    assert_eq!(state(&session.home), before);
    session.end().await;
    compare(tool, Value::Object(cases));
}

/// Compares with what is written down, or writes it down.
fn compare(tool: &str, found: Value) {
    static FILE: Mutex<()> = Mutex::new(());
    let _one_at_a_time = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/faults/matrix.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
    let mut golden: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    if updating() {
        golden.insert(tool.to_owned(), found);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, serde_json::to_string_pretty(&golden).unwrap() + "\n").unwrap();
        return;
    }
    let cases = golden.remove(tool).unwrap_or_default();
    for (name, case) in found.as_object().unwrap() {
        assert_eq!(&cases[name], case, "{tool}: {name}");
    }
    assert_eq!(cases, found);
}

#[tokio::test]
async fn a_list_of_workspaces_survives_every_fault() {
    read(LIST_WORKSPACES, here()).await;
}

#[tokio::test]
async fn a_list_of_sandboxes_survives_every_fault() {
    read(LIST_SANDBOXES, json!({})).await;
}

fn races() -> Vec<Misfortune> {
    let mut all = misfortunes();
    let same = json!({ "fault": "name-race", "same": true });
    // Somebody else's is there, once; ours isn't made beside it.
    all.push(Misfortune { name: "name-race, same", entry: same, done: true });
    all.push(Misfortune { name: "name-race, other", entry: json!({ "fault": "name-race" }), done: true });
    all
}

#[tokio::test]
async fn a_workspace_is_created_once_whatever_happens() {
    let name = |case: usize| format!("team_{case}");
    let done = |state: &Value, case| count(&state["regions"][REGION]["workspaces"], "/name", &name(case));
    let subject = Subject {
        tool: CREATE_WORKSPACE,
        arguments: &|case| workspace(&name(case)),
        done: &done,
        prepare: &[],
        again: true,
        resends: false,
    };
    write(subject, &races()).await;
}

#[tokio::test]
async fn a_job_is_submitted_once_whatever_happens() {
    let name = |case: usize| format!("train-{case}");
    let subject = Subject {
        tool: CREATE_JOB,
        arguments: &|case| {
            let mut wish = job(VISION, DETECTOR);
            wish["DisplayName"] = json!(name(case));
            wish["UserCommand"] = json!(format!("sleep {}", case + 1));
            wish
        },
        done: &|state, case| count(&state["regions"][REGION]["jobs"], "/request/DisplayName", &name(case)),
        prepare: &[(LIST_WORKSPACES, here()), (LIST_IMAGES, images_of(VISION))],
        again: false,
        resends: false,
    };
    write(subject, &misfortunes()).await;
}

#[tokio::test]
async fn a_job_is_changed_once_whatever_happens() {
    let text = |case: usize| format!("case {case}");
    let subject = Subject {
        tool: UPDATE_JOB,
        arguments: &|case| json!({ "RegionId": REGION, "JobId": PRETRAIN, "Description": text(case) }),
        done: &|state, case| count(&state["regions"][REGION]["jobs"], "/request/Description", &text(case)),
        prepare: &[],
        again: true,
        resends: true,
    };
    write(subject, &misfortunes()).await;
}

fn sandbox(name: &str) -> Value {
    json!({ "name": name, "sandbox_type": "cpu-sandbox", "resource_config": { "cpu": 2, "memory": 4, "gpu": 0 } })
}

#[tokio::test]
async fn a_sandbox_is_created_once_whatever_happens() {
    let name = |case: usize| format!("box-{case}");
    let subject = Subject {
        tool: CREATE_SANDBOX,
        arguments: &|case| sandbox(&name(case)),
        done: &|state, case| count(&state["pyromind"]["sandboxes"], "/name", &name(case)),
        prepare: &[],
        again: true,
        resends: false,
    };
    write(subject, &races()).await;
}

#[tokio::test]
async fn an_instance_is_edited_once_whatever_happens() {
    let name = |case: usize| format!("lab-{case}");
    let subject = Subject {
        tool: EDIT_INSTANCE,
        arguments: &|case| json!({ "instance_id": NOTEBOOK, "name": name(case) }),
        done: &|state, case| count(&state["pyromind"]["instances"], "/name", &name(case)),
        prepare: &[],
        again: true,
        resends: true,
    };
    write(subject, &misfortunes()).await;
}

/// What is destroyed stays so, and only that: the same call again finds nothing, or destroys it then.
#[tokio::test]
async fn a_sandbox_is_deleted_once_whatever_happens() {
    let all = misfortunes();
    let name = |case: usize| format!("box-{case}");
    let prepare: Vec<(&'static str, Value)> =
        (0..all.len()).map(|case| (CREATE_SANDBOX, sandbox(&name(case)))).collect();
    // The ids follow from the seed.
    let session = start(&Script::new(DELETE_SANDBOX), &["--approve", "create"]).await;
    let mut ids = Vec::new();
    for (tool, arguments) in &prepare {
        let made = session.call(tool, arguments.clone()).await.unwrap();
        ids.push(made["sandbox_id"].as_str().unwrap().to_owned());
    }
    session.end().await;
    let subject = Subject {
        tool: DELETE_SANDBOX,
        arguments: &|case| json!({ "sandbox_id": ids[case] }),
        done: &|state, case| 1 - count(&state["pyromind"]["sandboxes"], "/id", &ids[case]),
        prepare: &prepare,
        again: true,
        resends: true,
    };
    write(subject, &all).await;
}

/// Each tool, and each action, can be named, and nothing else; the schema in docs/ is the one of the code.
#[test]
fn a_faults_file_names_any_tool_and_its_schema_is_the_committed_one() {
    let home = Home::new();
    let tools = home.run(&["tools", "--json"]).json();
    let tools: Vec<&str> =
        tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let entries: Vec<Value> =
        tools.iter().map(|tool| json!({ "tool": tool, "nth": 1, "fault": "timeout" })).collect();
    redline_mcp::sim::faults::Faults::parse(&Value::from(entries).to_string()).unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/faults.schema.json");
    let schema = serde_json::to_string_pretty(&redline_mcp::sim::faults::schema()).unwrap() + "\n";
    if updating() {
        fs::write(&path, &schema).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), schema);
}
