//! What an outcome means.
//!
//! No create has a client token, so a write is never sent twice. What became of one whose answer was lost, or
//! that lost a race for its name, is found out by looking (`policy::unique`).

use jiff::Timestamp;
use serde_json::Value;

use super::Policy;
use super::evidence::Evidence;
use super::failure;
use super::refusal::Refusal;
use super::remarks::Remarks;
use super::rules::{self, After, Looked};
use super::unique::{NameState, Same, conflict, name_state};
use super::verdict::{Outcome, Review};
use crate::error::Fault;
use crate::spec::unique::Unique;
use crate::spec::{Call, Operation, Origin};
use crate::tools;

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
        Some(Outcome::Failed(error) | Outcome::Partial(error, _)) => {
            Read::Failed(failure::explain(error, &call))
        }
        Some(Outcome::NotSent(reason)) => Read::Failed(unreachable_cloud(reason)),
        Some(Outcome::Lost(reason)) => Read::Failed(unanswered(reason)),
    }
}

/// What is said of a read whose answer can't be had or understood.
fn unanswered(reason: &str) -> Refusal {
    Refusal::new("cloud-lost-answer", reason.to_owned())
        .with(Fault::new(
            "",
            "the cloud's answer was lost, or isn't one",
            "call again; if it stays so, tell the operator to check the network and the address of the service",
        ))
        .retryable()
}

fn unreachable_cloud(reason: &str) -> Refusal {
    Refusal::new("cloud-unreachable", reason.to_owned())
        .with(Fault::new(
            "",
            "the call didn't reach the cloud",
            "do what the reason calls for: wait, or check the network; then call again",
        ))
        .retryable()
}

/// The id in `object`, also where it comes as a number: replies are taken leniently.
pub(super) fn id(object: &Value, field: &str) -> Option<String> {
    match object.get(field)? {
        Value::String(id) => (!id.is_empty()).then(|| id.clone()),
        Value::Number(id) => Some(id.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What `outcome` means at `now`, given the reads made since.
pub(super) fn review(
    policy: &Policy,
    call: &Call,
    outcome: &Outcome,
    evidence: &Evidence,
    now: Timestamp,
) -> Review {
    let rule = rules::name_rule(policy, call);
    let unique = call.spec().unique();
    match (outcome, unique) {
        (Outcome::Reply(raw), _) => match call.spec().makes {
            Some(makes) if id(raw.open(), makes.id).is_none() => {
                Review::Refused(without(makes.id, unique.is_some()))
            }
            Some(_) | None => replied(policy, call, raw.open(), evidence, now),
        },
        (Outcome::Partial(..), _) => Review::Done,
        (Outcome::Failed(error), Some(unique)) if error.code == unique.taken => {
            match name_state(rule, call, evidence) {
                Some(NameState::Unknown(calls)) => Review::Need(calls),
                Some(NameState::Free) | None => Review::Refused(failure::explain(error, call)),
                Some(NameState::Same(same)) => exists(same, LOST_RACE),
                Some(NameState::Other(differences)) => Review::Refused(conflict(rule, call, differences)),
                Some(NameState::Refused(refusal)) => Review::Refused(refusal),
            }
        }
        (Outcome::Lost(reason), Some(unique)) => match name_state(rule, call, evidence) {
            Some(NameState::Unknown(calls)) => Review::Need(calls),
            Some(NameState::Same(same)) => exists(same, LOST_ANSWER),
            Some(NameState::Free) | None => Review::Refused(unseen(reason, unique)),
            Some(NameState::Other(differences)) => Review::Refused(uncertain(reason, unique, differences)),
            Some(NameState::Refused(look)) => {
                Review::Refused(uncertain(&format!("{reason}; then {}", look.error), unique, look.violations))
            }
        },
        (Outcome::Failed(error), _) => Review::Refused(failure::explain(error, call)),
        (Outcome::NotSent(reason), _) => Review::Refused(unreachable_cloud(reason)),
        (Outcome::Lost(reason), None) if !call.spec().effect.changes() => Review::Refused(unanswered(reason)),
        (Outcome::Lost(reason), None) => match rules::looked(policy, call, None, evidence) {
            Some(Looked::Needed(read)) => Review::Need(vec![read]),
            Some(Looked::Told(after)) => Review::Refused(found_after(reason, call, &after)),
            None => Review::Refused(
                Refusal::new("cloud-lost-answer", format!("{reason}; it may have been carried out")).with(
                    Fault::new(
                        "",
                        "nobody can know yet whether the cloud did it",
                        "ask the user to look in the console before it is tried again",
                    ),
                ),
            ),
        },
    }
}

/// What is told of a call that the cloud says it carried out: a change is looked at, for some are dropped in silence.
fn replied(policy: &Policy, call: &Call, reply: &Value, evidence: &Evidence, now: Timestamp) -> Review {
    let remarks = match rules::looked(policy, call, Some(reply), evidence) {
        Some(Looked::Needed(read)) => return Review::Need(vec![read]),
        Some(Looked::Told(after)) => Remarks::of_look(after, rules::reader(call).unwrap_or_default()),
        None => Remarks::of_expiry(call, reply, now),
    };
    if remarks.is_empty() { Review::Done } else { Review::Told(remarks) }
}

/// What is said of a change whose answer was lost, once it was looked for. It is never sent again.
fn found_after(reason: &str, call: &Call, after: &After) -> Refusal {
    let look = rules::reader(call).unwrap_or_default();
    let (what, message, fix) = match after.applied() {
        Some(true) => (
            "a look afterwards shows it as it was asked for",
            "the change shows, so it was carried out, or was so already",
            "tell the user; don't send it again".to_owned(),
        ),
        Some(false) => (
            "a look afterwards doesn't show it",
            "the change doesn't show, or not yet: it may still be carried out",
            format!("look again with {look}, and ask the user before it is tried again"),
        ),
        None => (
            "it may have been carried out, and a look afterwards doesn't tell",
            "nobody can know yet whether the cloud did it",
            format!("look with {look} before it is tried again"),
        ),
    };
    let refusal = Refusal::new("cloud-lost-answer", format!("{reason}; {what}"));
    let told = after.differs.iter().chain(&after.untold);
    told.map(|text| Fault::new("", text.clone(), "tell the user of this"))
        .fold(refusal.with(Fault::new("", message, fix)), Refusal::with)
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

/// How something came to be there when a race for its name was lost.
const LOST_RACE: &str =
    "another caller created it at the same moment, with these settings; nothing was created twice";
/// How something came to be there when the answer to its creation was lost.
const LOST_ANSWER: &str = "the cloud's answer was lost; a look shows that it exists, with these settings";

fn exists(same: Same, how: &str) -> Review {
    same.existing(how).map_or_else(
        || Review::Refused(Refusal::new("internal", "there is no tool to describe what exists")),
        Review::Exists,
    )
}

/// What is said of a create whose answer was lost, where a look doesn't show what it makes. A list may lag.
fn unseen(reason: &str, unique: &Unique) -> Refusal {
    let noun = unique.noun;
    let text = format!("{reason}; a look doesn't show the {noun}, so it probably wasn't created");
    Refusal::new("cloud-lost-answer", text)
        .with(Fault::new(
            "",
            "lists can lag, so it isn't certain",
            "wait a little, then call again with the same arguments: what exists is returned, not made twice",
        ))
        .retryable()
}

/// What is said of a create whose answer was lost, where a look shows something else, or fails.
fn uncertain(reason: &str, unique: &Unique, found: Vec<Fault>) -> Refusal {
    let noun = unique.noun;
    let text = format!("{reason}; the {noun} may have been created, and a look doesn't settle it");
    let mut refusal = Refusal::new("cloud-lost-answer", text).with(Fault::new(
        "",
        format!("a {noun} of this name that is there now may be the one that was asked for"),
        "ask the user to look, or call again with the same arguments later: what exists is returned, not made twice",
    ));
    let told = found.into_iter().map(|fault| Fault { fix: "tell the user of this".to_owned(), ..fault });
    refusal.violations.extend(told);
    refusal.retryable()
}
