//! One call, one direction: parse, judge, record, send, review, learn, mask.
//!
//! [`Gateway::step`] never waits for a human. It ends with what may be shown, or with a question; whoever
//! serves the client brings the answer with the next step, and every step judges anew.
//!
//! ```text
//! Request ─▶ parse ─▶ hear ─▶ judge ─▶ (reads ─▶ judge)* ─▶ record ─▶ send ─▶ review ─▶ learn ─▶ mask ─▶ Step
//! ```
//!
//! A call that changes the world holds its reservation from before the first read until after the review, so
//! that of two identical creates the second finds what the first made. From the moment it is cleared it runs
//! in its own task: whoever asked may go away, the record and the review don't.

mod clock;
mod record;
mod reserve;
mod scope;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio_util::task::TaskTracker;

use crate::audit::{Audit, AuditError, Entry, Key};
use crate::cloud::{Client, Sent};
use crate::error::Fault;
use crate::policy::consent::{Answer, Approval, Heard, Question};
use crate::policy::facts::Known;
use crate::policy::mask::Masked;
use crate::policy::review::Evidence;
use crate::policy::verdict::{Cleared, Existing, Judgement, Outcome, Refusal, Review, Verdict};
use crate::policy::{Knowledge, Policy};
use crate::spec::{Call, Operation};
use crate::tools;
use crate::tools::aiworkspace::workspaces::CreateWorkspace;
pub use clock::Clock;
use record::Record;
use reserve::{Held, Reservations};
pub use scope::Scope;

/// The most rounds of reading and judging in a step.
const ROUNDS: usize = 6;
/// The most reads of the policy's own in a step.
const READS: usize = 20;

/// Who calls, for the record.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// The client program's name.
    pub client: String,
    /// Its version.
    pub client_version: String,
    /// The protocol version in use.
    pub protocol: String,
    /// The id of the JSON-RPC request.
    pub request_id: String,
    /// The W3C trace context, if the client sent one.
    pub traceparent: Option<String>,
}

/// One step of a call.
pub struct Request {
    /// The tool's name, as the client gave it.
    pub tool: String,
    /// The arguments, as the client gave them.
    pub arguments: Map<String, Value>,
    /// Whose knowledge and consents count.
    pub scope: Arc<Scope>,
    /// The answer to the question of an earlier step.
    pub answer: Option<Answer>,
    /// Who calls.
    pub peer: Peer,
}

/// How a step ends.
#[derive(Debug)]
pub enum Step {
    /// With what may be shown.
    Done(Masked),
    /// With a question to a human; the answer comes with the next step.
    Ask(Question),
}

/// Why there was no step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// No tool has this name.
    #[error("Unknown tool: {0}")]
    UnknownTool(String),
}

/// What a [`Gateway`] is made of.
pub struct Parts {
    /// The rules.
    pub policy: Policy,
    /// The way to the cloud.
    pub client: Client,
    /// The record.
    pub audit: Audit,
    /// What identifying values are hashed with.
    pub key: Arc<Key>,
    /// The time.
    pub clock: Clock,
}

/// The one way from a tool call to a cloud and back.
pub struct Gateway {
    policy: Policy,
    client: Client,
    audit: Arc<Audit>,
    key: Arc<Key>,
    clock: Clock,
    reservations: Arc<Reservations>,
    writes: TaskTracker,
}

/// What belongs to one step.
struct Context {
    scope: Arc<Scope>,
    account: String,
    now: Timestamp,
    record: Record,
}

impl Gateway {
    /// A gateway of these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { policy, client, audit, key, clock } = parts;
        Self {
            policy,
            client,
            audit: Arc::new(audit),
            key,
            clock,
            reservations: Arc::default(),
            writes: TaskTracker::new(),
        }
    }

    /// A scope that knows nothing yet.
    pub fn new_scope(&self) -> Arc<Scope> {
        Arc::default()
    }

    /// Whether the cloud is the simulator.
    pub const fn is_simulated(&self) -> bool {
        self.clock.is_logical()
    }

    /// Waits until every call that changes the world has ended, with its review and its record. To be called
    /// once nobody makes steps any more.
    pub async fn settled(&self) {
        self.writes.close();
        self.writes.wait().await;
    }

    /// Makes one step. Dropping the future is safe: what was cleared to change the world runs to its end.
    ///
    /// # Errors
    /// When no tool has the name.
    pub async fn step(self: &Arc<Self>, request: Request) -> Result<Step, StepError> {
        let Request { tool: name, arguments, scope, answer, peer } = request;
        let tool = tools::find(&name).ok_or(StepError::UnknownTool(name))?;
        let now = self.clock.now();
        let mut record = Record::new(
            &self.key,
            scope.id(),
            tool,
            &arguments,
            &peer,
            &self.policy,
            self.clock.logical(now),
        );
        let call = match tool.parse(&arguments) {
            Ok(call) => call,
            Err(faults) => {
                return Ok(self.refuse(&scope, record, Policy::refuse_arguments(faults)).await);
            }
        };
        record.call(&self.policy.mask_call(&call, &scope.lock().seen));
        let account = match self.client.credentials() {
            Ok(credentials) => account(&self.key, credentials.identity()),
            Err(error) => {
                let refusal = Refusal::new("credentials", error.to_string()).with(Fault::new(
                    "",
                    "the server has no credentials for this cloud",
                    "tell the user; never ask for the keys themselves",
                ));
                return Ok(self.refuse(&scope, record, refusal).await);
            }
        };
        scope.lock().of_account(&account);
        let held = match reservation(&call, &account) {
            Some(key) => Some(Reservations::hold(&self.reservations, key).await),
            None => None,
        };
        let mut approval = None;
        if let Some(answer) = answer {
            record.answered(&answer);
            let heard = {
                let state = &mut *scope.lock();
                self.policy.hear(&call, &answer, &account, &mut state.consents, now)
            };
            match heard {
                Ok(Heard::Region) => {}
                Ok(Heard::Arguments(yes)) => approval = Some(yes),
                Err(refusal) => return Ok(self.refuse(&scope, record, refusal).await),
            }
        }
        let context = Context { scope, account, now, record };
        Ok(self.rounds(call, context, approval, held).await)
    }

    /// Judges, reads what the judgement needs, and judges again, until it says something final.
    async fn rounds(
        self: &Arc<Self>,
        call: Call,
        mut context: Context,
        approval: Option<Approval>,
        held: Option<Held>,
    ) -> Step {
        let mut evidence = Evidence::default();
        for _ in 0..ROUNDS {
            let judgement = self.judge(&call, &context, &evidence, approval.as_ref());
            context.record.judged(&self.key, &call, &judgement);
            match judgement.verdict {
                Verdict::Refused(refusal) => {
                    return self.refuse(&context.scope, context.record, refusal).await;
                }
                Verdict::Confirm(question) => {
                    return match self.append(context.record.asked()).await {
                        Ok(_) => Step::Ask(question),
                        Err(error) => self.unrecorded(&context.scope, &error),
                    };
                }
                Verdict::Need(reads) => {
                    if let Err(refusal) = self.look(&mut context, reads, &mut evidence).await {
                        return self.refuse(&context.scope, context.record, refusal).await;
                    }
                }
                Verdict::Answer(existing) => return self.exists(context, &existing).await,
                Verdict::Cleared(cleared) => return self.cleared(context, cleared, held).await,
            }
        }
        self.refuse(&context.scope, context.record, endless()).await
    }

    fn judge(
        &self,
        call: &Call,
        context: &Context,
        evidence: &Evidence,
        approval: Option<&Approval>,
    ) -> Judgement {
        let state = context.scope.lock();
        let knowledge = Knowledge {
            facts: &state.facts,
            evidence,
            consents: &state.consents,
            approval,
            account: &context.account,
        };
        self.policy.judge(call, &knowledge, context.now)
    }

    /// Makes the policy's own reads. Each is judged, sent and recorded like any call.
    async fn look(
        &self,
        context: &mut Context,
        reads: Vec<Call>,
        evidence: &mut Evidence,
    ) -> Result<(), Refusal> {
        for call in reads {
            if evidence.len() >= READS {
                return Err(endless());
            }
            let mut record = context.record.of_read(
                &self.key,
                &call,
                &self.policy.mask_call(&call, &context.scope.lock().seen),
            );
            let judgement = self.judge(&call, context, evidence, None);
            record.judged(&self.key, &call, &judgement);
            let cleared = match judgement.verdict {
                Verdict::Cleared(cleared) => cleared,
                Verdict::Refused(refusal) => return Err(refusal),
                Verdict::Confirm(_) | Verdict::Need(_) | Verdict::Answer(_) => return Err(endless()),
            };
            let outcome = self.send(cleared, context.now, &mut record).await?;
            let entry = record.ended(is_failure(&outcome).then_some("cloud"), Default::default());
            let seq = self.append(entry).await.map_err(|error| unrecorded(&error))?;
            self.learn(context, &call, &outcome, seq);
            evidence.add(call, outcome);
        }
        Ok(())
    }

    /// Sends what is cleared. What changes the world does so in its own task.
    async fn cleared(self: &Arc<Self>, context: Context, cleared: Cleared, held: Option<Held>) -> Step {
        if !cleared.call().spec().effect.changes() {
            return self.carry_out(context, cleared, held).await;
        }
        let gateway = Arc::clone(self);
        let scope = Arc::clone(&context.scope);
        let task = self.writes.spawn(async move { gateway.carry_out(context, cleared, held).await });
        match task.await {
            Ok(step) => step,
            Err(_) => self.show_refusal(
                &scope,
                &Refusal::new(
                    "internal",
                    "the call ended in an internal error; it may have been carried out",
                )
                .with(Fault::new(
                    "",
                    "nobody can know yet whether the cloud did it",
                    "look before trying again",
                )),
            ),
        }
    }

    async fn carry_out(&self, mut context: Context, cleared: Cleared, held: Option<Held>) -> Step {
        let call = cleared.call().clone();
        context.record.consented(cleared.consent());
        if call.spec().effect.changes()
            && let Err(error) = self.append(context.record.decided()).await
        {
            return self.unrecorded(&context.scope, &error);
        }
        let outcome = match self.send(cleared, context.now, &mut context.record).await {
            Ok(outcome) => outcome,
            Err(refusal) => return self.refuse(&context.scope, context.record, refusal).await,
        };
        let step = self.settle(context, &call, outcome).await;
        drop(held);
        step
    }

    /// Finds out what the outcome means, learns from it and shows it.
    async fn settle(&self, mut context: Context, call: &Call, outcome: Outcome) -> Step {
        self.policy.note(call, &outcome, &mut context.scope.lock().seen);
        let mut evidence = Evidence::default();
        for _ in 0..ROUNDS {
            match self.policy.review(call, &outcome, &evidence) {
                Review::Done => return self.done(context, call, &outcome).await,
                Review::Need(reads) => {
                    if let Err(refusal) = self.look(&mut context, reads, &mut evidence).await {
                        return self.refuse(&context.scope, context.record, refusal).await;
                    }
                }
                Review::Answer(existing) => return self.exists(context, &existing).await,
                Review::Refused(refusal) => {
                    return self.refuse(&context.scope, context.record, refusal).await;
                }
            }
        }
        self.refuse(&context.scope, context.record, endless()).await
    }

    async fn done(&self, context: Context, call: &Call, outcome: &Outcome) -> Step {
        let masked = self.policy.mask_reply(call, outcome, &mut context.scope.lock().seen);
        let Some(masked) = masked else {
            return self.refuse(&context.scope, context.record, endless()).await;
        };
        let entry = context.record.clone().ended(None, masked.redactions().clone());
        match self.append(entry).await {
            Ok(seq) => {
                self.learn(&context, call, outcome, seq);
                Step::Done(masked)
            }
            Err(error) => self.late(&context.scope, call, &error),
        }
    }

    async fn exists(&self, context: Context, existing: &Existing) -> Step {
        let masked = self.policy.mask_existing(existing, &mut context.scope.lock().seen);
        match self.append(context.record.answered_by_existing(masked.redactions().clone())).await {
            Ok(_) => Step::Done(masked),
            Err(error) => self.unrecorded(&context.scope, &error),
        }
    }

    async fn send(&self, cleared: Cleared, now: Timestamp, record: &mut Record) -> Result<Outcome, Refusal> {
        match self.client.send(cleared, now).await {
            Ok(Sent { outcome, calls }) => {
                record.sent(calls);
                Ok(outcome)
            }
            Err(error) => Err(Refusal::new("request", format!("{error}; nothing was sent"))),
        }
    }

    fn learn(&self, context: &Context, call: &Call, outcome: &Outcome, seq: u64) {
        let state = &mut *context.scope.lock();
        self.policy.note(call, outcome, &mut state.seen);
        self.policy.learn(call, outcome, &mut state.facts, Known { at: context.now, learned_at: seq });
    }

    async fn refuse(&self, scope: &Scope, record: Record, refusal: Refusal) -> Step {
        let masked = self.policy.mask_refusal(&refusal, &mut scope.lock().seen);
        match self.append(record.refused(&refusal.rule, masked.redactions().clone())).await {
            Ok(_) => Step::Done(masked),
            Err(error) => self.unrecorded(scope, &error),
        }
    }

    fn show_refusal(&self, scope: &Scope, refusal: &Refusal) -> Step {
        Step::Done(self.policy.mask_refusal(refusal, &mut scope.lock().seen))
    }

    fn unrecorded(&self, scope: &Scope, error: &AuditError) -> Step {
        self.show_refusal(scope, &unrecorded(error))
    }

    /// A call was carried out and its outcome couldn't be recorded.
    fn late(&self, scope: &Scope, call: &Call, error: &AuditError) -> Step {
        let text = if call.spec().effect.changes() {
            "the call was carried out, but its outcome couldn't be recorded"
        } else {
            "the outcome couldn't be recorded, so it isn't shown"
        };
        self.show_refusal(scope, &Refusal::new("audit", format!("{text}: {error}")))
    }

    /// Writes one line: at once where nothing makes it wait, else off the runtime's threads. The way to such a
    /// thread and back takes longer than the line.
    async fn append(&self, mut entry: Entry) -> Result<u64, AuditError> {
        entry.ts = Clock::wall();
        if let Some(seq) = self.audit.append_at_once(&entry)? {
            return Ok(seq);
        }
        let audit = Arc::clone(&self.audit);
        match tokio::task::spawn_blocking(move || audit.append(&entry)).await {
            Ok(result) => result,
            Err(_) => Err(AuditError::Interrupted),
        }
    }
}

/// The account as it may be shown: the last four of a keyed hash.
fn account(key: &Key, identity: &str) -> String {
    let hash = key.hmac("account", identity.as_bytes());
    let tail: String = hash.chars().skip(hash.len().saturating_sub(4)).collect();
    format!("****{tail}")
}

/// What two calls that must not run side by side have in common: the name that both would create, or being
/// the same call.
fn reservation(call: &Call, account: &str) -> Option<String> {
    if !call.spec().effect.changes() {
        return None;
    }
    let region = call.region().unwrap_or_default();
    Some(match call.request::<CreateWorkspace>() {
        Some(request) => {
            format!("{account}/{region}/{}/{}", CreateWorkspace::SPEC.name, request.workspace_name)
        }
        None => {
            format!("{account}/{region}/{}/{}", call.tool().name(), Value::Object(call.arguments().clone()))
        }
    })
}

const fn is_failure(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Reply(_) => false,
        Outcome::Failed(_) | Outcome::NotSent(_) | Outcome::Lost(_) => true,
    }
}

fn endless() -> Refusal {
    Refusal::new("internal", "the policy couldn't come to an end about this call, so it wasn't made")
        .with(Fault::new(
            "",
            "too many reads were needed",
            "make the call more specific, or call again later",
        ))
        .retryable()
}

fn unrecorded(error: &AuditError) -> Refusal {
    Refusal::new("audit", format!("the call can't be recorded, so nothing was sent: {error}"))
        .with(Fault::new("", "the audit record can't be written", "tell the operator"))
        .retryable()
}
