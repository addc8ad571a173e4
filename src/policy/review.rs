//! Check-then-create, and what an outcome means.
//!
//! CreateWorkspace takes no client token. Whether a name is free is read before the call, and after a lost
//! race or a lost answer; the write itself is never sent twice.

use serde_json::Value;

use super::evidence::Evidence;
use super::failure::{self, NAME_TAKEN};
use super::refusal::Refusal;
use super::verdict::{Existing, Outcome, Raw, Review};
use crate::error::Fault;
use crate::spec::{Call, Operation, Origin};
use crate::tools;
use crate::tools::aiworkspace::workspaces::{
    CreateWorkspace, EnvType, GetWorkspace, ListOption, ListWorkspaces,
};

/// How many rows a page of the search for a name holds.
const PAGE: i64 = 100;

/// A read that the policy wants.
pub(super) fn read<O: Operation>(request: O) -> Option<Call> {
    tools::find(O::SPEC.name)?.call(request, Origin::Policy)
}

/// The reply of a read that was made; `Err` with what to do where there is none.
pub(super) enum Read<'e> {
    /// It answered.
    Reply(&'e Value),
    /// It has to be made.
    Needed(Call),
    /// It was made and failed.
    Failed(Refusal),
}

pub(super) fn look<'e>(call: Option<Call>, evidence: &'e Evidence) -> Read<'e> {
    let Some(call) = call else {
        return Read::Failed(Refusal::new("internal", "a read of the policy's own doesn't fit its tool"));
    };
    match evidence.of(&call) {
        None => Read::Needed(call),
        Some(Outcome::Reply(raw)) => Read::Reply(raw.open()),
        Some(Outcome::Failed(error)) => Read::Failed(failure::explain(error, &call)),
        Some(Outcome::NotSent(reason) | Outcome::Lost(reason)) => Read::Failed(unreachable_cloud(reason)),
    }
}

fn unreachable_cloud(reason: &str) -> Refusal {
    Refusal::new("cloud-unreachable", reason.to_owned())
        .with(Fault::new("", "the cloud can't be reached", "check the network, then call again"))
        .retryable()
}

/// Where a workspace's name stands.
pub(super) enum NameState {
    /// Reads are missing.
    Unknown(Call),
    /// Nobody has it.
    Free,
    /// A workspace with the same settings has it.
    Same(Value),
    /// It can't be used, or can't be looked up.
    Refused(Refusal),
}

/// Where the name that `request` wants stands (R-WS-58 to R-WS-63).
pub(super) fn name_state(rule: &str, request: &CreateWorkspace, evidence: &Evidence) -> NameState {
    let name = request.workspace_name.as_str();
    let check = ListWorkspaces {
        workspace_name: Some(name.to_owned()),
        option: Some(ListOption::CheckWorkspaceExists),
        ..ListWorkspaces::in_region(request.region_id.clone())
    };
    let found = match look(read(check), evidence) {
        Read::Needed(call) => return NameState::Unknown(call),
        Read::Failed(refusal) => return NameState::Refused(refusal),
        Read::Reply(reply) => match total(reply) {
            Some(0) => return NameState::Free,
            Some(_) => id_of(name, reply),
            None => {
                return NameState::Refused(Refusal::new(
                    rule,
                    "the cloud's answer about this name can't be read",
                ));
            }
        },
    };
    let id = match found {
        Some(id) => id,
        None => match search(rule, request, evidence) {
            Ok(id) => id,
            Err(state) => return state,
        },
    };
    let get = GetWorkspace {
        region_id: request.region_id.clone(),
        workspace_id: id.as_str().into(),
        verbose: None,
    };
    match look(read(get), evidence) {
        Read::Needed(call) => NameState::Unknown(call),
        Read::Failed(refusal) => NameState::Refused(refusal),
        Read::Reply(reply) => compare(rule, request, reply),
    }
}

/// The id of the workspace called exactly `name`, page by page: the list's filter finds parts of names too.
fn search(rule: &str, request: &CreateWorkspace, evidence: &Evidence) -> Result<String, NameState> {
    let name = request.workspace_name.as_str();
    for page in 1.. {
        let list = ListWorkspaces {
            workspace_name: Some(name.to_owned()),
            page_number: Some(page),
            page_size: Some(PAGE),
            ..ListWorkspaces::in_region(request.region_id.clone())
        };
        match look(read(list), evidence) {
            Read::Needed(call) => return Err(NameState::Unknown(call)),
            Read::Failed(refusal) => return Err(NameState::Refused(refusal)),
            Read::Reply(reply) => {
                if let Some(id) = id_of(name, reply) {
                    return Ok(id);
                }
                if page * PAGE >= total(reply).unwrap_or(0) {
                    break;
                }
            }
        }
    }
    Err(NameState::Refused(
        Refusal::new(rule, "the name is taken by a workspace that this account can't see").with(Fault::new(
            "WorkspaceName",
            "is in use in this region",
            "ask the user for another name",
        )),
    ))
}

fn total(reply: &Value) -> Option<i64> {
    let total = reply.get("TotalCount")?;
    total.as_i64().or_else(|| total.as_str()?.parse().ok())
}

fn id_of(name: &str, reply: &Value) -> Option<String> {
    let rows = reply.get("Workspaces")?.as_array()?;
    id(rows.iter().find(|row| text(row, "WorkspaceName") == name)?, "WorkspaceId")
}

/// The id in `object`, also where it comes as a number: replies are taken leniently.
fn id(object: &Value, field: &str) -> Option<String> {
    match object.get(field)? {
        Value::String(id) => (!id.is_empty()).then(|| id.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text<'v>(object: &'v Value, key: &str) -> &'v str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether the workspace that has the name is the one that is wanted (R-WS-61): environments as a set, the
/// description exactly, what else was given exactly.
fn compare(rule: &str, request: &CreateWorkspace, existing: &Value) -> NameState {
    let environments = |names: Vec<&str>| {
        let mut names = names;
        names.sort_unstable();
        names.join(", ")
    };
    let wanted_environments = environments(
        request
            .env_types
            .iter()
            .map(|environment| match environment {
                EnvType::Dev => "dev",
                EnvType::Prod => "prod",
            })
            .collect(),
    );
    let existing_environments = environments(
        existing
            .get("EnvTypes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
    );
    let pairs = [
        ("EnvTypes", "Environment", Some(wanted_environments.as_str()), existing_environments.as_str()),
        ("Description", "Description", Some(request.description.as_str()), text(existing, "Description")),
        ("DisplayName", "Display Name", request.display_name.as_deref(), text(existing, "DisplayName")),
        (
            "ResourceGroupId",
            "Resource Group ID",
            request.resource_group_id.as_deref(),
            text(existing, "ResourceGroupId"),
        ),
    ];
    let mut refusal =
        Refusal::new(rule, "the name is taken by a workspace with other settings; nothing was created");
    for (path, label, wanted, found) in pairs {
        if let Some(wanted) = wanted
            && wanted != found
        {
            let message = format!("{label} is {found:?} in the existing workspace, {wanted:?} was asked for");
            refusal = refusal.with(Fault::new(
                path,
                message,
                "ask the user for another WorkspaceName, or for these settings",
            ));
        }
    }
    if refusal.violations.is_empty() {
        NameState::Same(existing.clone())
    } else {
        NameState::Refused(refusal)
    }
}

/// The existing workspace as an answer.
pub(super) fn existing(reply: Value, note: &'static str) -> Option<Existing> {
    tools::find(GetWorkspace::SPEC.name).map(|tool| Existing { tool, reply: Raw::new(reply), note })
}

/// What `outcome` means, given the reads made since.
pub(super) fn review(call: &Call, outcome: &Outcome, evidence: &Evidence) -> Review {
    let create = call.request::<CreateWorkspace>();
    match (outcome, create) {
        (Outcome::Reply(raw), _) => match call.spec().makes {
            Some(field) if id(raw.open(), field).is_none() => {
                Review::Refused(without(field, create.is_some()))
            }
            Some(_) | None => Review::Done,
        },
        (Outcome::Failed(error), Some(request)) if error.code == NAME_TAKEN => resolve(
            request,
            evidence,
            "another caller created it at the same moment, with these settings; nothing was created twice",
            || failure::explain(error, call),
        ),
        (Outcome::Lost(reason), Some(request)) => resolve(
            request,
            evidence,
            "the cloud's answer was lost; a look shows that it exists, with these settings",
            || {
                Refusal::new(
                    "cloud-lost-answer",
                    format!("{reason}; a look shows that the workspace was not created"),
                )
                .with(Fault::new("", "nothing was created", "call again"))
                .retryable()
            },
        ),
        (Outcome::Failed(error), _) => Review::Refused(failure::explain(error, call)),
        (Outcome::NotSent(reason), _) => Review::Refused(unreachable_cloud(reason)),
        (Outcome::Lost(reason), None) if !call.spec().effect.changes() => {
            Review::Refused(unreachable_cloud(reason))
        }
        (Outcome::Lost(reason), None) => Review::Refused(
            Refusal::new("cloud-lost-answer", format!("{reason}; it may have been carried out")).with(
                Fault::new(
                    "",
                    "nobody can know yet whether the cloud did it",
                    "ask the user to look in the console before it is tried again",
                ),
            ),
        ),
    }
}

/// A success that doesn't say what was made is none (R-WS-65).
fn without(field: &str, is_looked_up: bool) -> Refusal {
    let fix = if is_looked_up {
        "call again with the same arguments: what exists is returned, not made twice"
    } else {
        "ask the user to look in the console before it is tried again"
    };
    Refusal::new("cloud-incomplete-answer", format!("the cloud answered without a {field}")).with(Fault::new(
        "",
        "it isn't certain that anything was made",
        fix,
    ))
}

/// Looks the name up again; where it is free after all, `free` says what that means.
fn resolve(
    request: &CreateWorkspace,
    evidence: &Evidence,
    note: &'static str,
    free: impl FnOnce() -> Refusal,
) -> Review {
    match name_state("workspace-created-once", request, evidence) {
        NameState::Unknown(call) => Review::Need(vec![call]),
        NameState::Free => Review::Refused(free()),
        NameState::Same(reply) => existing(reply, note).map_or_else(
            || Review::Refused(Refusal::new("internal", "there is no tool to describe a workspace")),
            Review::Exists,
        ),
        NameState::Refused(refusal) => Review::Refused(refusal),
    }
}
