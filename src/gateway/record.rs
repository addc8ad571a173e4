//! How a step becomes lines of the record.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Gateway, Peer};
use crate::audit::{
    Answer as AnswerKind, Client, CloudCall, Confirmation, Entry, FactUsed, Idempotency, Key, Phase,
    Verdict as VerdictKind,
};
use crate::policy::consent::{Answer, Approval, Reply};
use crate::policy::mask::{Masked, MaskedCall};
use crate::policy::unique_name;
use crate::policy::verdict::{Judgement, Said, Verdict};
use crate::spec::{Call, Tool};

/// A line in the making.
#[derive(Clone)]
pub(super) struct Record {
    entry: Entry,
    began: Instant,
}

impl Record {
    pub(super) fn new(
        gateway: &Gateway,
        scope: &str,
        tool: &Tool,
        arguments: &Map<String, Value>,
        peer: &Peer,
        clock: Option<Timestamp>,
    ) -> Self {
        let spec = tool.spec();
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut entry = Entry::new(super::Clock::wall(), Phase::Outcome, scope, spec.name);
        entry.clock = clock;
        entry.request_id = some(&peer.request_id);
        entry.protocol = some(&peer.protocol);
        entry.client = some(&peer.client).map(|name| Client { name, version: peer.client_version.clone() });
        entry.trace_id = peer.traceparent.as_deref().and_then(trace_id);
        entry.span_id = span_id();
        entry.server = Some(concat!("redline-mcp ", env!("CARGO_PKG_VERSION")).to_owned());
        entry.effect = Some(spec.effect.name().to_owned());
        entry.cloud = Some(spec.cloud.prefix().to_owned());
        entry.arguments_hmac = Some(hash(&gateway.key, arguments));
        entry.policy_sha256 = Some(gateway.policy.sha256().to_owned());
        Self { entry, began: Instant::now() }
    }

    /// The record of a read that the policy makes for this step.
    pub(super) fn of_read(&self, key: &Key, call: &Call, shown: &MaskedCall) -> Self {
        let parent = &self.entry;
        let mut entry = Entry::new(parent.ts, Phase::Outcome, parent.scope.clone(), call.tool().name());
        entry.clock = parent.clock;
        entry.request_id = parent.request_id.clone();
        entry.trace_id = parent.trace_id.clone();
        entry.span_id = span_id();
        entry.server = parent.server.clone();
        entry.effect = Some(call.spec().effect.name().to_owned());
        entry.cloud = Some(call.spec().cloud.prefix().to_owned());
        entry.arguments_hmac = Some(hash(key, call.arguments()));
        entry.policy_sha256 = parent.policy_sha256.clone();
        let mut record = Self { entry, began: Instant::now() };
        record.call(shown);
        record
    }

    /// Adds the parsed call, masked.
    pub(super) fn call(&mut self, shown: &MaskedCall) {
        let arguments = shown.arguments();
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
        self.entry.region = text("RegionId");
        self.entry.workspace = text("WorkspaceId");
        self.entry.arguments = Some(Value::Object(arguments.clone()));
    }

    /// Adds what a human answered, and whether it counted.
    pub(super) fn answered(&mut self, answer: &Answer, counted: bool) {
        let kind = match &answer.reply {
            Reply::Accepted(_) if counted => AnswerKind::Accept,
            Reply::Accepted(_) => AnswerKind::Incomplete,
            Reply::Declined => AnswerKind::Decline,
            Reply::Cancelled => AnswerKind::Cancel,
            Reply::TimedOut => AnswerKind::Never,
            Reply::Pending { .. } => AnswerKind::Pending,
            Reply::NoChannel | Reply::Crowded => AnswerKind::NoChannel,
            Reply::Replayed | Reply::Tampered | Reply::Expired => AnswerKind::Invalid,
        };
        self.entry.confirmation =
            Some(Confirmation { channel: answer.channel, answer: kind, digest: answer.digest.clone() });
    }

    /// Adds the yes that a cleared call rests on.
    pub(super) fn consented(&mut self, approval: Option<&Approval>) {
        if let Some(approval) = approval {
            self.entry.confirmation = Some(Confirmation {
                channel: approval.channel(),
                answer: AnswerKind::Accept,
                digest: approval.digest().to_owned(),
            });
        }
    }

    /// Adds what the rules said.
    pub(super) fn judged(&mut self, key: &Key, call: &Call, judgement: &Judgement) {
        self.entry.verdict = Some(match judgement.verdict {
            Verdict::Refused(_) => VerdictKind::Refused,
            Verdict::Confirm(_) => VerdictKind::Asked,
            Verdict::Exists(_) => VerdictKind::Answered,
            // A judgement that still reads is followed by another, which says.
            Verdict::Need(_) | Verdict::Cleared(_) => VerdictKind::Cleared,
        });
        self.entry.rules = judgement.findings.clone();
        self.entry.facts_used = judgement
            .grounds
            .iter()
            .map(|ground| FactUsed {
                fact: ground.fact.name().to_owned(),
                value_hmac: key.hmac("fact", ground.value.as_bytes()),
                learned_at_seq: ground.learned_at,
            })
            .collect();
        let argument = call.spec().unique().map(|unique| unique.name);
        let by_name = judgement
            .findings
            .iter()
            .find(|finding| argument.is_some() && finding.path.as_deref() == argument);
        if let (Some(name), Some(finding)) = (unique_name(call), by_name) {
            let (found, result) = match finding.result {
                Said::Wants | Said::Asked => return,
                Said::Passed => (false, None),
                Said::Exists => (true, Some("same".to_owned())),
                Said::Refused => (true, Some("conflict".to_owned())),
            };
            let key = key.hmac("unique-name", name.as_bytes());
            self.entry.idempotency = Some(Idempotency { key, found, result });
        }
    }

    /// Adds the requests that went out.
    pub(super) fn sent(&mut self, calls: Vec<CloudCall>) {
        self.entry.cloud_calls.extend(calls);
    }

    /// Adds which of what is shown strangers may have written.
    pub(super) fn showing(mut self, masked: &Masked) -> Self {
        self.entry.untrusted = masked.untrusted().to_vec();
        self
    }

    /// The line before a call that changes the world.
    pub(super) fn decided(&self) -> Entry {
        let mut entry = self.entry.clone();
        entry.phase = Phase::Decision;
        entry
    }

    /// The line of a question.
    pub(super) fn asked(self) -> Entry {
        self.timed(false)
    }

    /// The line of a refusal by `rule`, before or after sending.
    pub(super) fn refused(mut self, rule: &str, redactions: BTreeMap<String, u64>) -> Entry {
        if self.entry.cloud_calls.is_empty() {
            self.entry.verdict = Some(VerdictKind::Refused);
        }
        self.ended(Some(rule), redactions)
    }

    /// The line of something that exists already.
    pub(super) fn answered_by_existing(mut self, redactions: BTreeMap<String, u64>) -> Entry {
        if self.entry.cloud_calls.is_empty() {
            self.entry.verdict = Some(VerdictKind::Answered);
        }
        self.ended(None, redactions)
    }

    /// The last line of a call.
    pub(super) fn ended(mut self, error: Option<&str>, redactions: BTreeMap<String, u64>) -> Entry {
        self.entry.redactions = redactions;
        self.entry.error = error.map(str::to_owned);
        self.timed(error.is_some())
    }

    fn timed(mut self, is_error: bool) -> Entry {
        self.entry.is_error = Some(is_error);
        self.entry.latency_us = u64::try_from(self.began.elapsed().as_micros()).ok();
        self.entry
    }
}

fn hash(key: &Key, arguments: &Map<String, Value>) -> String {
    key.hmac("arguments", Value::Object(arguments.clone()).to_string().as_bytes())
}

/// The trace id of a `traceparent` header: the second of its four fields.
fn trace_id(traceparent: &str) -> Option<String> {
    let id = traceparent.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

fn span_id() -> Option<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).ok()?;
    Some(HEXLOWER.encode(&random))
}
