//! The course of one step, from a parsed call to what may be shown.

use std::sync::Arc;

use jiff::Timestamp;

use super::record::Record;
use super::reserve::Held;
use super::{Gateway, Scope, Step};
use crate::audit::AuditError;
use crate::cloud::Sent;
use crate::cloud::credentials::Credentials;
use crate::error::Fault;
use crate::policy::Knowledge;
use crate::policy::consent::{Answer, Approval, Heard};
use crate::policy::evidence::Evidence;
use crate::policy::facts::Known;
use crate::policy::refusal::Refusal;
use crate::policy::verdict::{Cleared, Existing, Judgement, Outcome, Review, Verdict};
use crate::spec::Call;

/// The most rounds of reading and judging in a step.
const ROUNDS: usize = 6;
/// The most reads of the policy's own in a step.
const READS: usize = 20;

/// One step under way.
pub(super) struct Course {
    gateway: Arc<Gateway>,
    scope: Arc<Scope>,
    account: String,
    now: Timestamp,
    record: Record,
    /// Held until the step ends; nobody asks for it.
    _held: Option<Held>,
    reached: Reached,
}

/// How far the call itself has come. What is said of a failure depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// Nothing was sent.
    Nothing,
    /// A read was sent.
    Read,
    /// What changes the world was sent, and may have been carried out.
    Write,
}

impl Course {
    pub(super) const fn new(
        gateway: Arc<Gateway>,
        scope: Arc<Scope>,
        now: Timestamp,
        record: Record,
        held: Option<Held>,
    ) -> Self {
        Self { gateway, scope, account: String::new(), now, record, _held: held, reached: Reached::Nothing }
    }

    /// The step is about `call`.
    pub(super) fn is_about(&mut self, call: &Call) {
        self.record.call(&self.gateway.policy.mask_call(call, &self.scope.lock().seen));
    }

    /// The step is for the account that `own` belongs to. From here on, nothing of `own` can be shown.
    pub(super) fn is_for(&mut self, account: String, own: &Credentials) {
        let state = &mut *self.scope.lock();
        self.gateway.policy.pin(&own.sealed(), &mut state.seen);
        state.of_account(&account);
        self.account = account;
    }

    /// Weighs the answer, if one came; then judges, reads what the judgement needs, and judges again, until it
    /// says something final.
    pub(super) async fn run(mut self, call: Call, answer: Option<Answer>) -> Step {
        let mut approval = None;
        if let Some(answer) = answer {
            match self.hear(&call, &answer) {
                Ok(Heard::Region) => {}
                Ok(Heard::Arguments(yes)) => approval = Some(yes),
                Err(refusal) => return self.refuse(refusal).await,
            }
        }
        let mut evidence = Evidence::default();
        for _ in 0..ROUNDS {
            let judgement = self.judge(&call, &evidence, approval.as_ref());
            self.record.judged(&self.gateway.key, &call, &judgement);
            match judgement.verdict {
                Verdict::Refused(refusal) => return self.refuse(refusal).await,
                Verdict::Confirm(question) => {
                    return match self.gateway.append(self.record.clone().asked()).await {
                        Ok(_) => Step::Ask(question),
                        Err(error) => self.unrecorded(&error),
                    };
                }
                Verdict::Need(reads) => {
                    if let Err(refusal) = self.look(reads, &mut evidence).await {
                        return self.refuse(refusal).await;
                    }
                }
                Verdict::Exists(existing) => return self.exists(&call, &existing).await,
                Verdict::Cleared(cleared) => return self.go(cleared).await,
            }
        }
        self.refuse(endless()).await
    }

    fn hear(&mut self, call: &Call, answer: &Answer) -> Result<Heard, Refusal> {
        let heard = {
            let state = &mut *self.scope.lock();
            self.gateway.policy.hear(
                call,
                answer,
                &self.account,
                &state.history,
                &mut state.consents,
                self.now,
            )
        };
        self.record.answered(answer, heard.is_ok());
        heard
    }

    fn judge(&self, call: &Call, evidence: &Evidence, approval: Option<&Approval>) -> Judgement {
        let state = self.scope.lock();
        let knowledge = Knowledge {
            facts: &state.facts,
            evidence,
            consents: &state.consents,
            history: &state.history,
            approval,
            account: &self.account,
        };
        self.gateway.policy.judge(call, &knowledge, self.now)
    }

    /// Makes the policy's own reads. Each is judged, sent and recorded like any call.
    async fn look(&mut self, reads: Vec<Call>, evidence: &mut Evidence) -> Result<(), Refusal> {
        for call in reads {
            if evidence.len() >= READS {
                return Err(endless());
            }
            let shown = self.gateway.policy.mask_call(&call, &self.scope.lock().seen);
            let mut record = self.record.of_read(&self.gateway.key, &call, &shown);
            let judgement = self.judge(&call, evidence, None);
            record.judged(&self.gateway.key, &call, &judgement);
            let cleared = match judgement.verdict {
                Verdict::Cleared(cleared) => cleared,
                Verdict::Refused(refusal) => return Err(refusal),
                Verdict::Confirm(_) | Verdict::Need(_) | Verdict::Exists(_) => return Err(endless()),
            };
            let reader = Reader {
                gateway: Arc::clone(&self.gateway),
                scope: Arc::clone(&self.scope),
                now: self.now,
                record,
            };
            let task = self.gateway.tasks.spawn(reader.read(cleared));
            let (outcome, known) = task.await.map_err(|_| broken())??;
            self.gateway.policy.witness(call, outcome, evidence, known);
        }
        Ok(())
    }

    /// Sends what is cleared, in its own task: whoever asked may go away, the review and the record don't.
    async fn go(self, cleared: Cleared) -> Step {
        if self.gateway.tasks.is_closed() {
            let refusal = Refusal::new("server", "the server is stopping; nothing was sent").retryable();
            return self.refuse(refusal).await;
        }
        let (gateway, scope, record, now) =
            (Arc::clone(&self.gateway), Arc::clone(&self.scope), self.record.clone(), self.now);
        let changes = cleared.call().spec().effect.changes();
        match gateway.tasks.spawn(self.carry_out(cleared)).await {
            Ok(step) => step,
            Err(_) => {
                let reached = if changes { Reached::Write } else { Reached::Read };
                let course =
                    Self { gateway, scope, account: String::new(), now, record, _held: None, reached };
                course.refuse(broken()).await
            }
        }
    }

    async fn carry_out(mut self, cleared: Cleared) -> Step {
        let call = cleared.call().clone();
        self.record.consented(cleared.consent());
        if call.spec().effect.changes()
            && let Err(error) = self.gateway.append(self.record.decided()).await
        {
            return self.unrecorded(&error);
        }
        match self.gateway.client.send(cleared, self.now).await {
            Ok(Sent { outcome, calls }) => {
                self.reached = match (&outcome, call.spec().effect.changes()) {
                    (Outcome::NotSent(_), _) => Reached::Nothing,
                    (Outcome::Reply(_) | Outcome::Failed(_) | Outcome::Lost(_), true) => Reached::Write,
                    (Outcome::Reply(_) | Outcome::Failed(_) | Outcome::Lost(_), false) => Reached::Read,
                };
                self.record.sent(calls);
                {
                    let state = &mut *self.scope.lock();
                    self.gateway.policy.note(&call, &outcome, &mut state.seen);
                    self.gateway.policy.remember(&call, &outcome, &mut state.history, self.now);
                }
                self.settle(&call, outcome).await
            }
            Err(error) => self.refuse(Refusal::new("request", format!("{error}; nothing was sent"))).await,
        }
    }

    /// Finds out what the outcome means, learns from it and shows it.
    async fn settle(mut self, call: &Call, outcome: Outcome) -> Step {
        let mut evidence = Evidence::default();
        for _ in 0..ROUNDS {
            match self.gateway.policy.review(call, &outcome, &evidence) {
                Review::Done => return self.done(call, &outcome).await,
                Review::Need(reads) => {
                    if let Err(refusal) = self.look(reads, &mut evidence).await {
                        return self.refuse(refusal).await;
                    }
                }
                Review::Exists(existing) => return self.exists(call, &existing).await,
                Review::Refused(refusal) => return self.tell(refusal).await,
            }
        }
        self.refuse(endless()).await
    }

    async fn done(self, call: &Call, outcome: &Outcome) -> Step {
        let masked = self.gateway.policy.mask_reply(call, outcome, &mut self.scope.lock().seen);
        let Some(masked) = masked else { return self.refuse(broken()).await };
        match self.gateway.append(self.record.clone().ended(None, masked.redactions().clone())).await {
            Ok(seq) => {
                let known = Known { at: self.now, learned_at: seq };
                self.gateway.policy.learn(call, outcome, &mut self.scope.lock().facts, known);
                Step::Done(masked)
            }
            Err(error) => self.unrecorded(&error),
        }
    }

    async fn exists(self, call: &Call, existing: &Existing) -> Step {
        let masked = self.gateway.policy.mask_existing(existing, &mut self.scope.lock().seen);
        let entry = self.record.clone().answered_by_existing(masked.redactions().clone());
        match self.gateway.append(entry).await {
            Ok(seq) => {
                let known = Known { at: self.now, learned_at: seq };
                self.gateway.policy.learn_existing(call, existing, &mut self.scope.lock().facts, known);
                Step::Done(masked)
            }
            Err(error) => self.unrecorded(&error),
        }
    }

    /// Refuses because something of our own went wrong or said no. After a write was sent, that isn't the whole
    /// truth, and the refusal says so.
    pub(super) async fn refuse(self, refusal: Refusal) -> Step {
        let refusal = match self.reached {
            Reached::Nothing | Reached::Read => refusal,
            Reached::Write => after_write(&refusal),
        };
        self.tell(refusal).await
    }

    /// Records and shows a refusal as it is.
    async fn tell(self, refusal: Refusal) -> Step {
        let masked = self.gateway.policy.mask_refusal(&refusal, &mut self.scope.lock().seen);
        let entry = self.record.clone().refused(&refusal.rule, masked.redactions().clone());
        match self.gateway.append(entry).await {
            Ok(_) => Step::Done(masked),
            Err(error) => self.unrecorded(&error),
        }
    }

    /// What is shown when the record can't be written.
    fn unrecorded(&self, error: &AuditError) -> Step {
        let refusal = match self.reached {
            Reached::Nothing => unrecorded(error),
            Reached::Read => Refusal::new(
                "audit",
                format!("what the cloud answered can't be recorded, so it isn't shown: {error}"),
            )
            .with(Fault::new("", "the audit record can't be written", "tell the operator")),
            Reached::Write => {
                after_write(&Refusal::new("audit", format!("the outcome can't be recorded: {error}")))
            }
        };
        Step::Done(self.gateway.policy.mask_refusal(&refusal, &mut self.scope.lock().seen))
    }
}

/// One read of the policy's own, in a task of its own.
struct Reader {
    gateway: Arc<Gateway>,
    scope: Arc<Scope>,
    now: Timestamp,
    record: Record,
}

impl Reader {
    async fn read(mut self, cleared: Cleared) -> Result<(Outcome, Known), Refusal> {
        let call = cleared.call().clone();
        let sent = self.gateway.client.send(cleared, self.now).await;
        let Sent { outcome, calls } =
            sent.map_err(|error| Refusal::new("request", format!("{error}; nothing was sent")))?;
        self.record.sent(calls);
        let error = match &outcome {
            Outcome::Reply(_) => None,
            Outcome::Failed(_) | Outcome::NotSent(_) | Outcome::Lost(_) => Some("cloud"),
        };
        let entry = self.record.ended(error, Default::default());
        let seq = self.gateway.append(entry).await.map_err(|error| unrecorded(&error))?;
        let known = Known { at: self.now, learned_at: seq };
        let state = &mut *self.scope.lock();
        self.gateway.policy.note(&call, &outcome, &mut state.seen);
        self.gateway.policy.learn(&call, &outcome, &mut state.facts, known);
        Ok((outcome, known))
    }
}

fn after_write(refusal: &Refusal) -> Refusal {
    let text = format!("the call was sent and may have been carried out; then: {}", refusal.error);
    Refusal::new(refusal.rule.clone(), text).with(Fault::new(
        "",
        "nobody can know yet whether the cloud did it",
        "look before trying again",
    ))
}

fn endless() -> Refusal {
    Refusal::new("internal", "the policy couldn't come to an end about this call")
        .with(Fault::new(
            "",
            "too many reads were needed",
            "make the call more specific, or call again later",
        ))
        .retryable()
}

fn broken() -> Refusal {
    Refusal::new("internal", "the call ended in an internal error").with(Fault::new(
        "",
        "the server has a bug",
        "report it",
    ))
}

fn unrecorded(error: &AuditError) -> Refusal {
    Refusal::new("audit", format!("the call can't be recorded, so nothing was sent: {error}"))
        .with(Fault::new("", "the audit record can't be written", "tell the operator"))
        .retryable()
}
