//! The policy as a whole: the tables of `policies/tests`, and what holds whatever is called.

mod arbitrary;
mod consent;
mod exact;
mod grants;
mod learn;
mod links;
mod lost;
mod masks;
mod overlays;
mod properties;
mod question;
mod rehearsal;
mod remarks;
mod review;
mod table;
mod templates;
mod untrusted;

use std::str::FromStr;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::consent::{Answer, Approval, Channel, Consents, Form, Heard, Operator, Question, Reply, Waiver};
use super::evidence::Evidence;
use super::facts::{Facts, Known};
use super::history::History;
use super::refusal::{Reason, Refusal};
use super::sweep::{Seen, Text};
use super::verdict::{CloudError, Denial, Outcome, Raw, Verdict};
use super::{Knowledge, OnMiss, Policy, Settings};
use crate::spec::marks::Fact;
use crate::spec::{Call, Origin};
use crate::tools::find;

/// The account of every test, by the last four of its hash.
const ACCOUNT: &str = "5f3a";

/// The instant of every test that doesn't say another.
fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings {
        on_miss: OnMiss::Refuse,
        operator: Operator::default(),
        simulated: true,
        digest_key: b"a key of the tests".to_vec(),
        secret_command: "redline-mcp secret HANDLE".to_owned(),
    }
}

/// The policy of every test that doesn't set another.
pub(crate) fn policy() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::compiled(settings()).unwrap());
    &POLICY
}

pub(crate) fn call(tool: &str, arguments: &Value) -> Call {
    let tool = find(tool).unwrap_or_else(|| panic!("no tool {tool}"));
    tool.parse(arguments.as_object().unwrap()).unwrap_or_else(|faults| panic!("{arguments}: {faults:?}"))
}

/// A job that names everything that the rules look at.
fn job() -> Value {
    json!({
        "RegionId": "cn-hangzhou",
        "WorkspaceId": "1001",
        "DisplayName": "resnet",
        "JobType": "PyTorchJob",
        "JobSpecs": [{ "Type": "Worker", "Image": "registry/pytorch:2.3", "PodCount": 1, "EcsSpec": "ecs.gn6i-c4g1.xlarge" }],
        "UserCommand": "python train.py",
    })
}

fn workspace() -> Value {
    json!({
        "RegionId": "cn-hangzhou",
        "WorkspaceName": "vision_team",
        "Description": "Training for the vision team",
        "EnvTypes": ["dev", "prod"],
    })
}

/// What a scope knows, owned.
#[derive(Default)]
struct World {
    facts: Facts,
    evidence: Evidence,
    consents: Consents,
    history: History,
    approval: Option<Approval>,
    seen: Seen,
}

impl World {
    /// A region confirmed and activated, the job's workspace and image listed.
    fn ready() -> Self {
        let mut world = Self::default();
        let known = Known { at: now(), learned_at: 1 };
        world.consents.confirm(ACCOUNT, "cn-hangzhou", now());
        world.facts.activate("cn-hangzhou", known);
        world.facts.learn(Fact::Workspace, "cn-hangzhou", None, "1001", known);
        world.facts.learn(Fact::Image, "cn-hangzhou", None, "registry/pytorch:2.3", known);
        world
    }

    fn knowledge(&self) -> Knowledge<'_> {
        Knowledge {
            facts: &self.facts,
            evidence: &self.evidence,
            consents: &self.consents,
            history: &self.history,
            approval: self.approval.as_ref(),
            account: ACCOUNT,
        }
    }
}

fn judge(policy: &Policy, call: &Call, world: &World) -> Verdict {
    policy.judge(call, &world.knowledge(), now()).verdict
}

#[track_caller]
fn question(verdict: Verdict) -> Question {
    match verdict {
        Verdict::Confirm(question) => question,
        Verdict::Refused(refusal) => panic!("refused: {refusal:?}"),
        Verdict::Need(calls) => panic!("needs {calls:?}"),
        Verdict::Exists(existing) => panic!("exists: {existing:?}"),
        Verdict::Cleared(_) => panic!("cleared"),
    }
}

#[track_caller]
fn refused(verdict: Verdict) -> Refusal {
    match verdict {
        Verdict::Refused(refusal) => refusal,
        other => panic!("{} instead of a refusal", other.name()),
    }
}

fn yes(question: &Question) -> Answer {
    let filled = match question.form() {
        Form::TypeId { id, .. } => json!({ "resource_id": id }),
        Form::Approve | Form::Region { .. } => json!({ "approve": true }),
    };
    answer(question, Reply::Accepted(filled))
}

fn answer(question: &Question, reply: Reply) -> Answer {
    Answer { digest: question.digest().to_owned(), channel: Channel::Elicitation, reply }
}

/// An outcome as the tables write it: `{"reply": …}`, `{"error": {…}}`, `{"lost": "…"}` or `{"not_sent": "…"}`.
fn outcome(described: &Value) -> Outcome {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(reply) = described.get("reply") {
        return Outcome::Reply(Raw::new(reply.clone()));
    }
    if let Some(reason) = described.get("lost") {
        return Outcome::Lost(text(reason));
    }
    if let Some(reason) = described.get("not_sent") {
        return Outcome::NotSent(text(reason));
    }
    let error = &described["error"];
    Outcome::Failed(CloudError {
        status: u16::try_from(error["status"].as_u64().unwrap()).unwrap(),
        code: text(&error["code"]),
        message: Raw::new(error["message"].clone()),
        request_id: error.get("request_id").map(text),
        recommend: None,
        denial: error.get("denied").map(|denied| Denial {
            action: denied["action"].as_str().map(str::to_owned),
            reason: None,
            principal: denied["principal"].as_array().into_iter().flatten().cloned().map(Raw::new).collect(),
        }),
    })
}
