//! What stands beside a reply that the cloud didn't say: what follows from the call, and what is told of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::paging;
use crate::policy::batch;
use crate::policy::remarks::Remarks;
use crate::policy::sweep::{Seen, Text};
use crate::policy::verdict::Raw;
use crate::spec::{Call, Operation, Tool};
use crate::tools::aiworkspace::workspaces::{CreateWorkspace, GetWorkspace};
use crate::tools::dlc::access::GetToken;
use crate::tools::dlc::insight::GetJobEvents;
use crate::tools::dlc::tensorboards::GetTensorboardSharedUrl;

/// What tells that a list goes on.
const NEXT_PAGE: &str = "next_page";
/// What explains that there is nothing to show.
const WHY_EMPTY: &str = "why_empty";
/// Whether a workspace can be used (R-WS-68).
const READY: &str = "Ready";
/// The status of a workspace that can be used.
const ENABLED: &str = "ENABLED";

/// What follows from an argument, or from its absence.
struct Effective {
    tool: &'static str,
    argument: &'static str,
    /// The name under which it is told.
    name: &'static str,
    /// What follows from a value, which stands between the two.
    given: Option<(&'static str, &'static str)>,
    /// What follows where there is none.
    missing: &'static str,
}

const EFFECTIVE: [Effective; 3] = [
    // R-DLC-48
    Effective {
        tool: GetJobEvents::SPEC.name,
        argument: "StartTime",
        name: "window",
        given: None,
        missing: "no StartTime was given: these are the events of the last 7 days before EndTime, or before now",
    },
    // R-DLC-43
    Effective {
        tool: GetTensorboardSharedUrl::SPEC.name,
        argument: "ExpireTimeSeconds",
        name: "expires",
        given: Some(("the link is good for ", " seconds from now")),
        missing: "the link is good for a limited time; no ExpireTimeSeconds was given, so the service decides how long",
    },
    Effective {
        tool: GetToken::SPEC.name,
        argument: "ExpireTime",
        name: "expires",
        given: Some(("the token is good for ", " seconds from now")),
        missing: "no ExpireTime was given: the token is good for 604800 seconds, a week",
    },
];

/// A reply as a body, with what is to be said beside it.
pub(super) fn with_remarks(
    call: &Call,
    raw: &Raw,
    shown: Value,
    remarks: &Remarks,
    seen: &Seen,
    redactions: &mut BTreeMap<String, u64>,
) -> Value {
    let reply = raw.open();
    let mut body = match shown {
        Value::Object(body) => body,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    readiness(call.tool(), reply, &mut body);
    if let Some((name, told)) = batch::told(call, reply) {
        body.insert(name.to_owned(), told);
    }
    if call.tool().name() == CreateWorkspace::SPEC.name {
        let text = "it can be used once aiworkspace_get_workspace shows that it is ready";
        body.insert("Next".to_owned(), text.into());
    }
    for effective in EFFECTIVE.iter().filter(|effective| effective.tool == call.tool().name()) {
        if let Some(text) = follows(effective, call) {
            body.insert(effective.name.to_owned(), text.into());
        }
    }
    if let Some(text) = paging::fit(call, &mut body).or_else(|| paging::next_page(call, reply)) {
        body.insert(NEXT_PAGE.to_owned(), seen.sweep(&text, Text::Free, redactions).into());
    }
    if let Some(text) = paging::why_empty(call, reply) {
        body.insert(WHY_EMPTY.to_owned(), text.into());
    }
    for (name, remark) in remarks.iter() {
        body.insert(name.to_owned(), seen.sweep_value(remark.clone(), redactions));
    }
    Value::Object(body)
}

/// Adds to a workspace whether it can be used.
pub(super) fn readiness(tool: &Tool, reply: &Value, body: &mut Map<String, Value>) {
    if tool.name() == GetWorkspace::SPEC.name
        && let Some(status) = reply.get("Status").and_then(Value::as_str)
    {
        body.insert(READY.to_owned(), Value::Bool(status == ENABLED));
    }
}

fn follows(effective: &Effective, call: &Call) -> Option<String> {
    match (call.arguments().get(effective.argument), effective.given) {
        (None, _) => Some(effective.missing.to_owned()),
        (Some(Value::Number(value)), Some((before, after))) => Some(format!("{before}{value}{after}")),
        (Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests;
