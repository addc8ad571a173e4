//! How much is under way, counted by the clouds' own lists.

use serde_json::{Map, Value, json};

use super::Limited;
use crate::error::Fault;
use crate::policy::evidence::Evidence;
use crate::policy::load::{Budget, Limits};
use crate::policy::review::{Read, look};
use crate::spec::{Call, Origin};
use crate::tools;

/// The list of one kind of thing, and which of its rows count: those in some states, or all but those in some.
struct Counted {
    noun: &'static str,
    list: &'static str,
    total: &'static str,
    states: &'static [&'static str],
    but: bool,
}

const JOBS: Counted = Counted {
    noun: "jobs",
    list: "dlc_list_jobs",
    total: "TotalCount",
    states: &[
        "Creating",
        "Queuing",
        "Bidding",
        "EnvPreparing",
        "SanityChecking",
        "Running",
        "Restarting",
        "Stopping",
    ],
    but: false,
};
const TRAINING: Counted = Counted {
    noun: "training jobs",
    list: "pyromind_list_training_jobs",
    total: "total",
    states: &["success", "failed", "canceled", "paused"],
    but: true,
};
const INFERENCE: Counted = Counted {
    noun: "inference tasks",
    list: "pyromind_list_inference_tasks",
    total: "total",
    states: &["success", "failed"],
    but: true,
};
const SANDBOXES: Counted = Counted {
    noun: "sandboxes",
    list: "pyromind_list_sandboxes",
    total: "total",
    states: &["stopped", "error"],
    but: true,
};
const INSTANCES: Counted = Counted {
    noun: "instances",
    list: "pyromind_list_instances",
    total: "total",
    states: &["stopped", "error", "paused"],
    but: true,
};

/// What a call sets going, if it does.
fn started(call: &Call) -> Option<&'static Counted> {
    let starts = |action: &Value| action.get("action").and_then(Value::as_str) == Some("start");
    let given = call.arguments();
    match call.tool().name() {
        "dlc_create_job" => Some(&JOBS),
        "pyromind_submit_training_job" | "pyromind_resume_training_job" => Some(&TRAINING),
        "pyromind_create_inference_task" => Some(&INFERENCE),
        "pyromind_create_sandbox" => Some(&SANDBOXES),
        "pyromind_execute_sandbox_action" => (call.text("action") == Some("start")).then_some(&SANDBOXES),
        "pyromind_execute_sandbox_batch_actions" => {
            let actions = given.get("actions").and_then(Value::as_array);
            actions.into_iter().flatten().any(starts).then_some(&SANDBOXES)
        }
        "pyromind_create_instance" | "pyromind_resume_instance" => Some(&INSTANCES),
        _ => None,
    }
}

/// What a call holds while it is under way, so that of two that are judged at once the second counts the first.
pub(in crate::policy) fn slot(rules: &[Budget], call: &Call, account: &str) -> Option<String> {
    let limited = rules.iter().any(|rule| {
        rule.limits.running.is_some()
            && rule.tools.as_ref().is_none_or(|tools| tools.contains(call.tool().name()))
    });
    let counted = started(call).filter(|_| limited)?;
    Some(format!("{account}/{}/{}", call.region().unwrap_or_default(), counted.noun))
}

/// Whether one more may be under way.
pub(super) fn running(limits: &Limits, call: &Call, evidence: &Evidence) -> Limited {
    let (Some(most), Some(counted)) = (limits.running, started(call)) else { return Limited::Unbound };
    let states = counted.states.iter().copied().map(Some);
    let states: Vec<Option<&str>> =
        if counted.but { states.chain([None]).collect() } else { states.collect() };
    let (mut needs, mut all, mut some) = (Vec::new(), 0_u64, 0_u64);
    for state in states {
        let reply = match look(read(counted, call, state), evidence) {
            Read::Needed(read) => {
                needs.push(read);
                continue;
            }
            Read::Failed(refusal) => return Limited::Failed(refusal),
            Read::Reply(reply) => reply,
        };
        let Some(count) = reply.get(counted.total).and_then(Value::as_u64) else {
            let message =
                format!("how many {} are under way can't be read, and the operator limits it", counted.noun);
            return Limited::NotNow(Fault::new(
                "",
                message,
                "call again later; tell the operator if it stays so",
            ));
        };
        match state {
            Some(_) => some = some.saturating_add(count),
            None => all = count,
        }
    }
    if !needs.is_empty() {
        return Limited::Needs(needs);
    }
    let running = if counted.but { all.saturating_sub(some) } else { some };
    if running < most {
        return Limited::Kept;
    }
    let message = format!("{running} {} are under way; the operator allows {most}", counted.noun);
    let fix = "wait until one has ended, or ask the user which one to stop; then call again";
    Limited::NotNow(Fault::new("", message, fix))
}

/// The read that counts those in `state`: its total, not its rows, is what is wanted.
fn read(counted: &Counted, call: &Call, state: Option<&str>) -> Option<Call> {
    let mut arguments = match call.region() {
        // The account's own, in all its workspaces, and not only those of the last days.
        Some(region) => json!({
            "RegionId": region,
            "FromAllWorkspaces": true,
            "StartTime": "2020-12-03T00:00:00Z",
            "PageSize": 1,
        }),
        None => json!({ "page_size": 1 }),
    };
    let name = if call.region().is_some() { "Status" } else { "status" };
    if let (Value::Object(arguments), Some(state)) = (&mut arguments, state) {
        arguments.insert(name.to_owned(), state.into());
    }
    let arguments: &Map<String, Value> = arguments.as_object()?;
    Some(tools::find(counted.list)?.parse(arguments).ok()?.by(Origin::Policy))
}
