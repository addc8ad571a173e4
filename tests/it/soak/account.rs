//! What the record tells of the world, and whether the world is so.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::harness::world::REGION;

/// How often a thing was done: certainly, and at most.
#[derive(Debug, Default, Clone, Copy)]
struct Bounds {
    least: usize,
    most: usize,
}

/// What a record tells of all that its calls changed.
pub(super) struct Account {
    things: BTreeMap<String, Bounds>,
    /// Decisions that no outcome followed.
    pub(super) open: usize,
}

/// The sandboxes that were made, by their ids: of what is gone, the state doesn't tell the name.
#[derive(Debug, Default)]
pub(super) struct Made(BTreeMap<String, String>);

impl Made {
    pub(super) fn learn(&mut self, (tool, arguments): &(&str, Value), answer: &Value) {
        let result = &answer["result"];
        if *tool == "pyromind_create_sandbox" && result["isError"] == false {
            let id = result["structuredContent"]["sandbox_id"].as_str().unwrap();
            self.0.insert(id.to_owned(), arguments["name"].as_str().unwrap().to_owned());
        }
    }
}

/// What a line is about, if it is about a change.
fn thing(line: &Value) -> Option<String> {
    let text = |name: &str| line["arguments"][name].as_str().unwrap_or_default().to_owned();
    Some(match line["tool"].as_str().unwrap() {
        "dlc_create_job" => format!("job {}", text("DisplayName")),
        "dlc_update_job" => format!("description {} {}", text("JobId"), text("Description")),
        "aiworkspace_create_workspace" => format!("workspace {}", text("WorkspaceName")),
        "pyromind_create_sandbox" => format!("sandbox {}", text("name")),
        "pyromind_delete_sandbox" => format!("deleted {}", text("sandbox_id")),
        _ => return None,
    })
}

/// What an outcome says became of what was decided.
fn bounds(outcome: &Value) -> Bounds {
    let calls = outcome["cloud_calls"].as_array().cloned().unwrap_or_default();
    let statuses: Vec<Option<u64>> = calls.iter().map(|call| call["status"].as_u64()).collect();
    if outcome["is_error"] == false || statuses.iter().flatten().any(|status| *status < 300) {
        Bounds { least: 1, most: 1 }
    } else {
        let refused = statuses.iter().all(|status| status.is_some_and(|status| status < 500));
        Bounds { least: 0, most: usize::from(!refused) }
    }
}

impl Account {
    /// Of these lines. A change that was sent without a decision before fails here.
    pub(super) fn of(record: &[Value]) -> Self {
        let mut things: BTreeMap<String, Bounds> = BTreeMap::new();
        let mut decided = BTreeMap::new();
        for line in record {
            let Some(about) = thing(line) else { continue };
            let span = line["span_id"].as_str().unwrap().to_owned();
            if line["phase"] == "decision" {
                assert_eq!(decided.insert(span, about), None);
                continue;
            }
            let Some(decision) = decided.remove(&span) else {
                assert_eq!(line["cloud_calls"], Value::Null, "sent without a decision: {line}");
                continue;
            };
            assert_eq!(decision, about);
            let Bounds { least, most } = bounds(line);
            let thing = things.entry(about).or_default();
            thing.least += least;
            thing.most += most;
        }
        let open = decided.len();
        for about in decided.into_values() {
            things.entry(about).or_default().most += 1;
        }
        Self { things, open }
    }

    /// How much was certainly done.
    pub(super) fn done(&self) -> usize {
        self.things.values().map(|thing| thing.least).sum()
    }

    /// The world has everything that was certainly done, and nothing that nobody told of.
    pub(super) fn compare(&self, before: &Value, after: &Value, made: &Made) {
        let found = changes(before, after, made);
        let named: BTreeSet<&String> = self.things.keys().chain(found.keys()).collect();
        for thing in named {
            let Bounds { least, most } = self.things.get(thing).copied().unwrap_or_default();
            let times = found.get(thing).copied().unwrap_or_default();
            assert!(
                (least..=most).contains(&times),
                "{thing}: {least} to {most} times by the record, {times} times in the state"
            );
        }
    }
}

/// What the world has that it hadn't, and how often.
fn changes(before: &Value, after: &Value, made: &Made) -> BTreeMap<String, usize> {
    let rows = |state: &Value, pointer: &str| state.pointer(pointer).unwrap().as_array().unwrap().clone();
    let new = |pointer: &str| {
        let known: BTreeSet<String> = rows(before, pointer).iter().map(|row| row["id"].to_string()).collect();
        rows(after, pointer).into_iter().filter(move |row| !known.contains(&row["id"].to_string()))
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut all = Vec::new();
    for job in new(&format!("/regions/{REGION}/jobs")) {
        all.push(format!("job {}", text(&job["request"]["DisplayName"])));
        if let Some(words) = job["request"]["Description"].as_str() {
            all.push(format!("description {} {words}", text(&job["id"])));
        }
    }
    for workspace in new(&format!("/regions/{REGION}/workspaces")) {
        all.push(format!("workspace {}", text(&workspace["name"])));
    }
    let mut there = BTreeSet::new();
    for sandbox in new("/pyromind/sandboxes") {
        all.push(format!("sandbox {}", text(&sandbox["name"])));
        there.insert(text(&sandbox["id"]));
    }
    for (id, name) in made.0.iter().filter(|(id, _)| !there.contains(*id)) {
        all.extend([format!("sandbox {name}"), format!("deleted {id}")]);
    }
    let mut found = BTreeMap::new();
    for thing in all {
        *found.entry(thing).or_default() += 1;
    }
    found
}
